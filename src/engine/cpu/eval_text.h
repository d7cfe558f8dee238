/*-------------------------------------------------------------------------
 *
 * eval_text.h
 *	  Loops of the text operators; part of level.h.
 *
 * LIKE with a pattern that is the same for all rows does not walk through the
 * pattern with every row: see pattern.c.
 *
 *-------------------------------------------------------------------------
 */
#include "engine/cpu/search.h"

#define vector_text_eq(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_eq, 0)
#define vector_text_ne(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_ne, 0)
#define vector_text_lt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_lt, 0)
#define vector_text_le(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_le, 0)
#define vector_text_gt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_gt, 0)
#define vector_text_ge(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_ge, 0)
#define vector_interval_eq(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_eq, 0)
#define vector_interval_ne(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_ne, 0)
#define vector_interval_lt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_lt, 0)
#define vector_interval_le(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_le, 0)
#define vector_interval_gt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_gt, 0)
#define vector_interval_ge(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, interval_ge, 0)
#define vector_interval_field(run, dst, a, b)	BINARY(TextView, int64_t, int64_t, interval_field, 1)
#define vector_timetz_lt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, timetz_lt, 0)
#define vector_timetz_le(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, timetz_le, 0)
#define vector_timetz_gt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, timetz_gt, 0)
#define vector_timetz_ge(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, timetz_ge, 0)
#define vector_inet_lt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, inet_lt, 0)
#define vector_inet_le(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, inet_le, 0)
#define vector_inet_gt(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, inet_gt, 0)
#define vector_inet_ge(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, inet_ge, 0)
#define vector_timestamp_plus_interval(run, dst, a, b)	BINARY(TextView, int64_t, int64_t, timestamp_plus_interval, 1)

BODY bool
text_ends_match(TextView t, const TextPattern *pattern)
{
	const TextView head = pattern->pieces[0];
	const TextView tail = pattern->pieces[pattern->npieces - 1];

	return t.len >= pattern->least && text_bytes_same(t.ptr, head.ptr, head.len) &&
		text_bytes_same(t.ptr + t.len - tail.len, tail.ptr, tail.len);
}

BODY bool
text_pieces_match(TextView t, const TextPattern *pattern)
{
	const uint32_t last = pattern->npieces - 1;

	if (!text_ends_match(t, pattern))
		return false;
	t.ptr += pattern->pieces[0].len;
	t.len -= pattern->pieces[0].len + pattern->pieces[last].len;
	for (uint32_t k = 1; k < last; k++)
	{
		const TextView piece = pattern->pieces[k];
		const uint32_t at = search_text(t.ptr, t.len, piece.ptr, piece.len);

		if (at == SEARCH_NONE)
			return false;
		t.ptr += at + piece.len;
		t.len -= at + piece.len;
	}
	return true;
}

#define LIKE_LOOP(expression) \
do { \
	for (uint32_t i = 0; i < n; i++) \
	{ \
		const TextView t = texts[i]; \
		out[i] = (uint8_t) (expression) ^ negate; \
	} \
} while (0)

/* False: no loop of its own for this pattern. */
static bool
vector_like_pattern(EngineRun *run, Vector *dst, const Vector *a, const TextPattern *pattern, bool negated)
{
	const uint32_t n = run->n;
	const TextView *restrict texts = a->data;
	uint8_t    *restrict out = dst->data;
	const uint8_t negate = negated;
	const TextView first = pattern->pieces[0];

	switch (pattern->form)
	{
		case PATTERN_EQUAL:
			LIKE_LOOP(text_same(t, first));
			return true;
		case PATTERN_ENDS:
			LIKE_LOOP(text_ends_match(t, pattern));
			return true;
		case PATTERN_WITHIN:
			{
				const TextView piece = pattern->pieces[1];

				LIKE_LOOP(search_text(t.ptr, t.len, piece.ptr, piece.len) != SEARCH_NONE);
				return true;
			}
		case PATTERN_PIECES:
			LIKE_LOOP(text_pieces_match(t, pattern));
			return true;
		default:
			return false;
	}
}

#define VECTOR_LIKE(body, utf8, negated) \
static void \
vector_##body(EngineRun *run, Vector *dst, const Vector *a, const Vector *b) \
{ \
	const uint32_t n = run->n; \
	if (!a->uniform && b->uniform && !b->has_null) \
	{ \
		/* what is the same for all rows stands in run->regs */ \
		Vector	   *uniform = &run->regs[b - run->regs]; \
		combine_nulls(run, dst, a, b); \
		if (vector_like_pattern(run, dst, a, gpuscan_pattern_of(run, uniform, utf8), negated)) \
			return; \
	} \
	BINARY(TextView, TextView, uint8_t, body, 1); \
}

VECTOR_LIKE(text_like_utf8, true, false)
VECTOR_LIKE(text_not_like_utf8, true, true)
VECTOR_LIKE(text_like_bytes, false, false)
VECTOR_LIKE(text_not_like_bytes, false, true)
#undef VECTOR_LIKE

/* ------------------------------------------------------------------------
 * Parts of texts: views of the same bytes
 * ------------------------------------------------------------------------
 */

/* As combine_nulls for three; a text below a NULL is empty. */
static bool
combine_text_nulls(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, const Vector *c)
{
	const uint32_t n = run->n;

	dst->tight = true;
	if (!combine_nulls(run, dst, a, b) && c && c->has_null)
	{
		if (!dst->has_null)
			memset(dst->null, 0, n);
		dst->has_null = true;
		for (uint32_t i = 0; i < n; i++)
			dst->null[i] |= c->null[c->uniform ? 0 : i];
	}
	if (dst->has_null && memchr(dst->null, 0, n) == NULL)
	{
		for (uint32_t i = 0; i < n; i++)
			((TextView *) dst->data)[i] = (TextView) {"", 0, 0};
		return true;
	}
	return false;
}

#define PART_LOOP(call) \
do { \
	const TextView *pa = a->data; \
	const int32_t *pb = b->data; \
	TextView   *out = dst->data; \
	const uint32_t sa = a->uniform ? 0 : 1; \
	const uint32_t sb = b->uniform ? 0 : 1; \
	uint8_t		any = 0; \
	for (uint32_t i = 0; i < n; i++) \
	{ \
		TextView	r; \
		const uint8_t fail = !(call); \
		out[i] = r; \
		run->flags[i] = fail; \
		any |= fail; \
	} \
	if (unlikely_(any)) \
		note_failures(run, dst); \
} while (0)

#define VECTOR_PART_2(body) \
static void \
vector_##body(EngineRun *run, Vector *dst, const Vector *a, const Vector *b) \
{ \
	const uint32_t n = run->n; \
	if (!combine_text_nulls(run, dst, a, b, NULL)) \
		PART_LOOP(body(pa[i * sa], pb[i * sb], &r)); \
}

#define VECTOR_PART_3(body) \
static void \
vector_##body(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, const Vector *c) \
{ \
	const uint32_t n = run->n; \
	const int32_t *pc = c->data; \
	const uint32_t sc = c->uniform ? 0 : 1; \
	if (!combine_text_nulls(run, dst, a, b, c)) \
		PART_LOOP(body(pa[i * sa], pb[i * sb], pc[i * sc], &r)); \
}

VECTOR_PART_3(text_substring_utf8)
VECTOR_PART_3(text_substring_bytes)
VECTOR_PART_2(text_substring_from_utf8)
VECTOR_PART_2(text_substring_from_bytes)
VECTOR_PART_2(text_left_utf8)
VECTOR_PART_2(text_left_bytes)
VECTOR_PART_2(text_right_utf8)
VECTOR_PART_2(text_right_bytes)
#undef VECTOR_PART_2
#undef VECTOR_PART_3

#define vector_text_begins(run, dst, a, b)	BINARY(TextView, TextView, uint8_t, text_begins, 0)
#define vector_text_position_utf8(run, dst, a, b)	BINARY(TextView, TextView, int32_t, text_position_utf8, 1)
#define vector_text_position_bytes(run, dst, a, b)	BINARY(TextView, TextView, int32_t, text_position_bytes, 1)

#define vector_set_has_int64(run, dst, a, b)	BINARY(TextView, int64_t, uint8_t, set_has_int64, 0)
#define vector_set_has_text(run, dst, a, b)		BINARY(TextView, TextView, uint8_t, set_has_text, 0)

static void
vector_set_has_numeric(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	const TextView *sets = a->data;
	uint8_t    *out = dst->data;

	if (combine_nulls(run, dst, a, b))
		return;
	for (uint32_t i = 0; i < run->n; i++)
	{
		out[i] = 0;
		if (!dst->has_null || !dst->null[i])
			set_has_numeric(sets[a->uniform ? 0 : i], vector_numeric(b, i), &out[i]);
	}
}

/* ------------------------------------------------------------------------
 * Texts that are made
 * ------------------------------------------------------------------------
 */

/*
 * run->flags := the rows that need no text: an argument is NULL, or a mask says
 * that PostgreSQL does not come by.  (Room is not to be had for nothing.)
 */
static void
begin_texts(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, const Vector *c)
{
	const uint8_t *mask = run->nmasks ? run->masks[run->nmasks] : NULL;
	const Vector *args[3] = {a, b, c};

	dst->has_null = false;
	dst->tight = true;			/* it may be a part of an argument */
	memset(run->flags, 0, run->n);
	for (int k = 0; k < 3; k++)
	{
		const Vector *v = args[k];

		if (!v)
			continue;
		if (!v->has_null)
			continue;
		dst->has_null = true;
		for (uint32_t i = 0; i < run->n; i++)
			run->flags[i] |= v->null[v->uniform ? 0 : i];
	}
	if (dst->has_null)
		memcpy(dst->null, run->flags, run->n);
	if (mask)
		for (uint32_t i = 0; i < run->n; i++)
			run->flags[i] |= !mask[i];
}

#define OPERAND_VALUE_BOOL(v)		((const uint8_t *) (v)->data)[(v)->uniform ? 0 : i]
#define OPERAND_VALUE_INT32(v)		((const int32_t *) (v)->data)[(v)->uniform ? 0 : i]
#define OPERAND_VALUE_INT64(v)		((const int64_t *) (v)->data)[(v)->uniform ? 0 : i]
#define OPERAND_VALUE_NUMERIC(v)	vector_numeric(v, i)
#define OPERAND_VALUE_TEXT(v)		((const TextView *) (v)->data)[(v)->uniform ? 0 : i]

#define TEXT_CALL_1(body, ka, kb, kc)	body(OPERAND_##ka(a), room, &r)
#define TEXT_CALL_2(body, ka, kb, kc)	body(OPERAND_##ka(a), OPERAND_##kb(b), room, &r)
#define TEXT_CALL_3(body, ka, kb, kc)	body(OPERAND_##ka(a), OPERAND_##kb(b), OPERAND_##kc(c), room, &r)

#define TEXT_LOOP(nargs, ka, kb, kc, body) \
do { \
	TextView   *out = dst->data; \
	TextRoom   *room = &run->arena.room; \
	uint8_t		any = 0; \
	begin_texts(run, dst, a, (nargs) > 1 ? b : NULL, (nargs) > 2 ? c : NULL); \
	for (uint32_t i = 0; i < n; i++) \
	{ \
		TextView	r; \
		const uint8_t skip = run->flags[i]; \
		const uint8_t fail = !skip && !TEXT_CALL_##nargs(body, ka, kb, kc); \
		out[i] = skip | fail ? (TextView) {"", 0, 0} : r; \
		run->flags[i] = fail; \
		any |= fail; \
	} \
	if (unlikely_(any)) \
		note_failures(run, dst); \
} while (0)
