/*-------------------------------------------------------------------------
 *
 * eval.h
 *	  The instructions, each a loop over all rows in work; part of level.h.
 *
 * The loops of ops.def are instantiated here: one for two vectors, and one
 * each for a uniform operand on either side.  Values below a NULL are computed
 * like any others and not looked at; a failure below a NULL, or where a mask
 * says that PostgreSQL would not have come by, does not count.
 *
 *-------------------------------------------------------------------------
 */

#define CTYPE_VALUE_BOOL	uint8_t
#define CTYPE_VALUE_INT32	int32_t
#define CTYPE_VALUE_INT64	int64_t
#define CTYPE_VALUE_TEXT	TextView
#define CTYPE_VALUE_FLOAT64	double

/* dst->null := any argument is null; true when that holds for every row. */
static bool
combine_nulls(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	uint32_t	n = run->n;

	dst->has_null = false;
	if ((a->uniform && a->has_null) || (b && b->uniform && b->has_null))
	{
		memset(dst->null, 1, n);
		dst->has_null = true;
		return true;
	}
	if (a->has_null && b && b->has_null)
		for (uint32_t i = 0; i < n; i++)
			dst->null[i] = a->null[i] | b->null[i];
	else if (a->has_null)
		memcpy(dst->null, a->null, n);
	else if (b && b->has_null)
		memcpy(dst->null, b->null, n);
	else
		return false;
	dst->has_null = true;
	return false;
}

/* Failures in run->flags: those that count punt their row. */
static void
note_failures(EngineRun *run, const Vector *dst)
{
	const uint8_t *mask = run->nmasks ? run->masks[run->nmasks] : NULL;
	uint8_t		any = 0;

	for (uint32_t i = 0; i < run->n; i++)
	{
		uint8_t		fail = run->flags[i];

		if (dst->has_null)
			fail &= !dst->null[i];
		if (mask)
			fail &= mask[i];
		run->punt[i] |= fail;
		any |= fail;
	}
	run->any_punt |= any != 0;
}

#define LOOP2(ta, tb, tr, body, may_fail, A, B) \
do { \
	const ta   *restrict pa = a->data; \
	const tb   *restrict pb = b->data; \
	tr		   *restrict pr = dst->data; \
	(void) pa; \
	(void) pb; \
	if (may_fail) \
	{ \
		uint8_t	   *restrict flags = run->flags; \
		uint8_t		any = 0; \
		for (uint32_t i = 0; i < n; i++) \
		{ \
			uint8_t		fail = !body(A, B, &pr[i]); \
			flags[i] = fail; \
			any |= fail; \
		} \
		if (unlikely_(any)) \
			note_failures(run, dst); \
	} \
	else \
		for (uint32_t i = 0; i < n; i++) \
			body(A, B, &pr[i]); \
} while (0)

#define BINARY(ta, tb, tr, body, may_fail) \
do { \
	if (combine_nulls(run, dst, a, b)) \
		break; \
	if (a->uniform) \
	{ \
		ta ua = *(const ta *) a->data; \
		if (b->uniform) \
		{ \
			tb ub = *(const tb *) b->data; \
			LOOP2(ta, tb, tr, body, may_fail, ua, ub); \
		} \
		else \
			LOOP2(ta, tb, tr, body, may_fail, ua, pb[i]); \
	} \
	else if (b->uniform) \
	{ \
		tb ub = *(const tb *) b->data; \
		LOOP2(ta, tb, tr, body, may_fail, pa[i], ub); \
	} \
	else \
		LOOP2(ta, tb, tr, body, may_fail, pa[i], pb[i]); \
} while (0)

#define UNARY(ta, tr, body, may_fail) \
do { \
	uint8_t		any = 0; \
	uint32_t	step = a->uniform ? 0 : 1; \
	const ta   *restrict pa = a->data; \
	tr		   *restrict pr = dst->data; \
	if (combine_nulls(run, dst, a, NULL)) \
		break; \
	for (uint32_t i = 0; i < n; i++) \
	{ \
		uint8_t		fail = !body(pa[i * step], &pr[i]); \
		run->flags[i] = fail; \
		any |= fail; \
	} \
	if ((may_fail) && unlikely_(any)) \
		note_failures(run, dst); \
} while (0)

/* The same of a third argument, after combine_nulls of two. */
static void
combine_third_null(EngineRun *run, Vector *dst, const Vector *c)
{
	const uint32_t step = c->uniform ? 0 : 1;

	if (!c->has_null)
		return;
	if (!dst->has_null)
		memset(dst->null, 0, run->n);
	dst->has_null = true;
	for (uint32_t i = 0; i < run->n; i++)
		dst->null[i] |= c->null[i * step];
}

/* Three operands: a rare shape, so one loop for columns and uniforms */
#define TERNARY(ta, tb, tc, tr, body, may_fail) \
do { \
	const ta   *restrict pa = a->data; \
	const tb   *restrict pb = b->data; \
	const tc   *restrict pc = c->data; \
	tr		   *restrict pr = dst->data; \
	const uint32_t sa = a->uniform ? 0 : 1; \
	const uint32_t sb = b->uniform ? 0 : 1; \
	const uint32_t sc = c->uniform ? 0 : 1; \
	uint8_t		any = 0; \
	if (combine_nulls(run, dst, a, b)) \
		break; \
	combine_third_null(run, dst, c); \
	for (uint32_t i = 0; i < n; i++) \
	{ \
		uint8_t		fail = !body(pa[i * sa], pb[i * sb], pc[i * sc], &pr[i]); \
		run->flags[i] = fail; \
		any |= fail; \
	} \
	if ((may_fail) && unlikely_(any)) \
		note_failures(run, dst); \
} while (0)

#include "engine/cpu/eval_numeric.h"
#include "engine/cpu/eval_text.h"

/* time zones: a table on the left, times on the right */
static void
vector_zone_to_local(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	const uint32_t n = run->n;

	BINARY(TextView, int64_t, int64_t, zone_to_local, 1);
}

static void
vector_zone_from_local(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	const uint32_t n = run->n;

	BINARY(TextView, int64_t, int64_t, zone_from_local, 1);
}

/* Lines TEXT_OP, whatever the kinds of their operands (eval_text.h) */
#define TEXT_EXPAND(...)	TEXT_LOOP(__VA_ARGS__)
#define SECOND_OF(a, b, c)	b
#define THIRD_OF(a, b, c)	c

/* Which of the above a line of ops.def takes: by the kinds of its operands */
#define EVAL2_VALUE_BOOL(kr, body, fail)	BINARY(uint8_t, uint8_t, CTYPE_##kr, body, fail)
#define EVAL2_VALUE_INT32(kr, body, fail)	BINARY(int32_t, int32_t, CTYPE_##kr, body, fail)
#define EVAL2_VALUE_INT64(kr, body, fail)	EVAL2_INT64_##kr(body, fail)
#define EVAL2_INT64_VALUE_BOOL(body, fail)	BINARY(int64_t, int64_t, uint8_t, body, fail)
#define EVAL2_INT64_VALUE_INT64(body, fail)	BINARY(int64_t, int64_t, int64_t, body, fail)
#define EVAL2_INT64_VALUE_NUMERIC(body, fail)	vector_##body(run, dst, a, b)
#define EVAL2_VALUE_TEXT(kr, body, fail)	vector_##body(run, dst, a, b)
#define EVAL2_VALUE_NUMERIC(kr, body, fail)	EVAL2_NUMERIC_##kr(body)
#define EVAL2_NUMERIC_VALUE_BOOL(body)		vector_compare_##body(run, dst, a, b)
#define EVAL2_NUMERIC_VALUE_NUMERIC(body)	vector_##body(run, dst, a, b)

#define EVAL1_VALUE_BOOL(kr, body, fail)	UNARY(uint8_t, CTYPE_##kr, body, fail)
#define EVAL1_VALUE_INT32(kr, body, fail)	UNARY(int32_t, CTYPE_##kr, body, fail)
#define EVAL1_VALUE_INT64(kr, body, fail)	EVAL1_INT64_##kr(body, fail)
#define EVAL1_INT64_VALUE_BOOL(body, fail)	UNARY(int64_t, uint8_t, body, fail)
#define EVAL1_INT64_VALUE_INT32(body, fail)	UNARY(int64_t, int32_t, body, fail)
#define EVAL1_INT64_VALUE_INT64(body, fail)	UNARY(int64_t, int64_t, body, fail)
#define EVAL1_INT64_VALUE_NUMERIC(body, fail)	vector_##body(run, dst, a)
#define EVAL1_VALUE_NUMERIC(kr, body, fail)	vector_##body(run, dst, a)

#define EVAL2_VALUE_FLOAT64(kr, body, fail)	BINARY(double, double, CTYPE_##kr, body, fail)
#define EVAL1_VALUE_FLOAT64(kr, body, fail)	EVAL1_FLOAT64_##kr(body, fail)
#define EVAL1_FLOAT64_VALUE_INT32(body, fail)	UNARY(double, int32_t, body, fail)
#define EVAL1_FLOAT64_VALUE_INT64(body, fail)	UNARY(double, int64_t, body, fail)
#define EVAL1_FLOAT64_VALUE_FLOAT64(body, fail)	UNARY(double, double, body, fail)
#define EVAL1_FLOAT64_VALUE_NUMERIC(body, fail)	vector_##body(run, dst, a)
#define EVAL1_INT64_VALUE_FLOAT64(body, fail)	UNARY(int64_t, double, body, fail)

#define EVAL1_VALUE_TEXT(kr, body, fail)	UNARY(TextView, CTYPE_##kr, body, fail)
#define EVAL3_VALUE_INT32(kr, body, fail)	TERNARY(int32_t, int32_t, int32_t, CTYPE_##kr, body, fail)
#define EVAL3_VALUE_INT64(kr, body, fail)	TERNARY(int64_t, int64_t, int64_t, CTYPE_##kr, body, fail)
#define EVAL3_VALUE_FLOAT64(kr, body, fail)	TERNARY(double, double, int32_t, CTYPE_##kr, body, fail)
#define EVAL3_VALUE_NUMERIC(kr, body, fail)	vector_##body(run, dst, a, b, c)
#define EVAL3_VALUE_TEXT(kr, body, fail)	vector_##body(run, dst, a, b, c)

#define FIRST_OF(a, b, c)	a
#define EVAL_1(ka, kr, body, fail)	EVAL1_##ka(kr, body, fail)
#define EVAL_2(ka, kr, body, fail)	EVAL2_##ka(kr, body, fail)
#define EVAL_3(ka, kr, body, fail)	EVAL3_##ka(kr, body, fail)
#define EVAL_N(nargs, ka, kr, body, fail)	EVAL_##nargs(ka, kr, body, fail)
#define EVAL_EXPAND(...)	EVAL_N(__VA_ARGS__)

/* truth of row i: three values */
BODY uint8_t
truth(const Vector *v, uint32_t i)
{
	uint32_t	k = v->uniform ? 0 : i;

	if (v->has_null && v->null[k])
		return 2;
	return ((const uint8_t *) v->data)[k] != 0;
}

/* AND and OR: 'decisive' is the value that decides alone. */
BODY void
eval_and_or(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, uint8_t decisive)
{
	uint8_t    *restrict out = dst->data;
	uint32_t	n = run->n;

	if (!a->has_null && !b->has_null && !a->uniform && !b->uniform)
	{
		const uint8_t *restrict pa = a->data;
		const uint8_t *restrict pb = b->data;

		dst->has_null = false;
		if (decisive)
			for (uint32_t i = 0; i < n; i++)
				out[i] = pa[i] | pb[i];
		else
			for (uint32_t i = 0; i < n; i++)
				out[i] = pa[i] & pb[i];
		return;
	}
	dst->has_null = true;
	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		x = truth(a, i),
					y = truth(b, i);
		bool		decided = x == decisive || y == decisive;

		out[i] = decided ? decisive : !decisive;
		dst->null[i] = !decided && (x == 2 || y == 2);
	}
}

static void
eval_truth_test(EngineRun *run, Vector *dst, const Vector *a, uint8_t wanted)
{
	uint8_t    *out = dst->data;

	dst->has_null = false;
	for (uint32_t i = 0; i < run->n; i++)
		out[i] = truth(a, i) == wanted;
}

static void
eval_is_null(EngineRun *run, Vector *dst, const Vector *a, bool wanted)
{
	uint8_t    *out = dst->data;

	dst->has_null = false;
	if (!a->has_null)
		memset(out, !wanted, run->n);
	else
		for (uint32_t i = 0; i < run->n; i++)
			out[i] = (a->null[a->uniform ? 0 : i] != 0) == wanted;
}

#define SELECT_LOOP(type) \
do { \
	const type *pb = b->data, *pc = c->data; \
	type	   *out = dst->data; \
	uint32_t	sb = b->uniform ? 0 : 1, sc = c->uniform ? 0 : 1; \
	for (uint32_t i = 0; i < n; i++) \
		out[i] = run->flags[i] ? pb[i * sb] : pc[i * sc]; \
} while (0)

static void
eval_select(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, const Vector *c)
{
	uint32_t	n = run->n;

	for (uint32_t i = 0; i < n; i++)
		run->flags[i] = truth(a, i) == 1;
	dst->has_null = b->has_null || c->has_null;
	if (dst->has_null)
		for (uint32_t i = 0; i < n; i++)
		{
			const Vector *from = run->flags[i] ? b : c;

			dst->null[i] = from->has_null && from->null[from->uniform ? 0 : i];
		}
	switch (dst->kind)
	{
		case VALUE_BOOL:
			SELECT_LOOP(uint8_t);
			break;
		case VALUE_INT32:
			SELECT_LOOP(int32_t);
			break;
		case VALUE_INT64:
			SELECT_LOOP(int64_t);
			break;
		case VALUE_FLOAT64:
			SELECT_LOOP(double);
			break;
		case VALUE_TEXT:
			SELECT_LOOP(TextView);
			dst->tight = b->tight | c->tight;
			break;
		case VALUE_NUMERIC:
			vector_select_numeric(run, dst, b, c);
			break;
	}
}

static void
eval_mask(EngineRun *run, const Vector *a, uint8_t op)
{
	const uint8_t *outer = run->nmasks ? run->masks[run->nmasks] : NULL;
	uint8_t    *mask = run->masks[++run->nmasks];

	for (uint32_t i = 0; i < run->n; i++)
	{
		uint8_t		pass;

		switch (op)
		{
			case OP_MASK_TRUE:
				pass = truth(a, i) == 1;
				break;
			case OP_MASK_NOT_TRUE:
				pass = truth(a, i) != 1;
				break;
			case OP_MASK_NOT_FALSE:
				pass = truth(a, i) != 0;
				break;
			default:
				pass = a->has_null && a->null[a->uniform ? 0 : i];
				break;
		}
		mask[i] = pass && (!outer || outer[i]);
	}
}

/* ------------------------------------------------------------------------
 * FILTER
 * ------------------------------------------------------------------------
 */

#define PACK_LOOP(type, array) \
do { \
	type	   *p = (type *) (array); \
	for (uint32_t i = 0; i < n; i++) \
		p[i] = p[select[i]]; \
} while (0)

static void
pack_vector(Vector *v, const uint16_t *select, uint32_t n)
{
	if (v->uniform)
		return;
	if (v->has_null)
		PACK_LOOP(uint8_t, v->null);
	switch (v->kind)
	{
		case VALUE_BOOL:
			PACK_LOOP(uint8_t, v->data);
			break;
		case VALUE_INT32:
			PACK_LOOP(int32_t, v->data);
			break;
		case VALUE_INT64:
			PACK_LOOP(int64_t, v->data);
			break;
		case VALUE_FLOAT64:
			PACK_LOOP(double, v->data);
			break;
		case VALUE_TEXT:
			PACK_LOOP(TextView, v->data);
			break;
		case VALUE_NUMERIC:
			if (v->wide)
				PACK_LOOP(i128, v->data);
			else
				PACK_LOOP(int64_t, v->data);
			if (v->mixed)
				PACK_LOOP(uint8_t, v->scales);
			break;
	}
}

/* Keep the n rows in work that run->select lists, with what 'live' names. */
static void
pack_rows(EngineRun *run, const FilterLive *live, uint32_t n)
{
	const uint16_t *select = run->select;

	PACK_LOOP(uint16_t, run->row);
	if (live->nattrs)
		PACK_LOOP(const uint8_t *, run->tuple);
	for (uint32_t k = 0; k < live->nattrs; k++)
		if (!run->plain || (run->attr_const[live->attrs[k]] == 0 && run->attr_step[live->attrs[k]] <= run->walked))
			PACK_LOOP(uint16_t, run->pos[live->attrs[k]]);
	if (run->plain && run->walked < run->nwalk && live->nattrs)
	{
		PACK_LOOP(uint16_t, run->walk_at);
		PACK_LOOP(uint16_t, run->tuple_len);
	}
	for (uint32_t k = 0; k < live->nregs; k++)
		pack_vector(&run->regs[live->regs[k]], select, n);
	for (uint32_t k = 1; k <= run->nmasks; k++)
		PACK_LOOP(uint8_t, run->masks[k]);
	run->n = n;
}

/* Take the punted rows out of the work. */
static void
set_punted_aside(EngineRun *run, const FilterLive *live)
{
	uint32_t	kept = 0;

	for (uint32_t i = 0; i < run->n; i++)
	{
		if (run->punt[i])
			run->punted[run->npunted++] = run->row[i];
		else
			run->select[kept++] = (uint16_t) i;
	}
	memset(run->punt, 0, run->n);
	run->any_punt = false;
	pack_rows(run, live, kept);
}

static void
eval_filter(EngineRun *run, const Vector *a, const FilterLive *live)
{
	const uint32_t n = run->n;
	uint16_t   *select = run->select;
	uint32_t	kept = 0;

	if (a->uniform)
	{
		/* nothing to choose; punted rows go on and leave later, or never */
		if (truth(a, 0) == 1)
			return;
		set_punted_aside(run, live);
	}
	else
	{
		const uint8_t *value = a->data;
		const uint8_t *null = a->has_null ? a->null : NULL;
		uint8_t    *punt = run->punt;

		if (null)
			for (uint32_t i = 0; i < n; i++)
				run->flags[i] = value[i] & !null[i];
		else
			memcpy(run->flags, value, n);
		if (unlikely_(run->any_punt))
		{
			/* a punted row leaves here, whatever its value: the host decides */
			for (uint32_t i = 0; i < n; i++)
			{
				if (punt[i])
				{
					run->punted[run->npunted++] = run->row[i];
					run->flags[i] = 0;
				}
			}
			memset(punt, 0, n);
			run->any_punt = false;
		}
		for (uint32_t i = 0; i < n; i++)
		{
			select[kept] = (uint16_t) i;
			kept += run->flags[i];
		}
	}
	if (live == run->filters)
		run->few = kept < n / 2;
	if (kept < n)
		pack_rows(run, live, kept);
}

/* ------------------------------------------------------------------------ */

static void
eval_instrs(EngineRun *run)
{
	const Program *program = run->program;
	const ProgramInstr *instr = program_instrs(program);
	const FilterLive *live = run->filters;

	for (uint32_t k = 0; k < program->ninstrs && run->n > 0; k++, instr++)
	{
		const uint32_t n = run->n;
		Vector	   *dst = instr->dst != PROGRAM_NO_REG ? &run->regs[instr->dst] : NULL;
		const Vector *a = &run->regs[instr->op != OP_LOAD && instr->a < program->nregs ? instr->a : 0];
		const Vector *b = &run->regs[instr->b < program->nregs ? instr->b : 0];
		const Vector *c = &run->regs[instr->c < program->nregs ? instr->c : 0];

		switch (instr->op)
		{
			case OP_LOAD:
				if (run->plain && run->attr_step[instr->a] > run->walked)
				{
					walk_on(run, run->stages[live - run->filters]);
					if (run->corrupt >= 0)
						return;
				}
				load_attr(run, instr->a, instr->b == LOAD_STORED, dst);
				break;
			case OP_FILTER:
				eval_filter(run, a, live++);
				break;
			case OP_MASK_TRUE:
			case OP_MASK_NOT_TRUE:
			case OP_MASK_NOT_FALSE:
			case OP_MASK_NULL:
				eval_mask(run, a, (uint8_t) instr->op);
				break;
			case OP_MASK_END:
				run->nmasks--;
				break;
			case OP_AND:
				eval_and_or(run, dst, a, b, 0);
				break;
			case OP_OR:
				eval_and_or(run, dst, a, b, 1);
				break;
			case OP_NOT:
				{
					uint8_t    *out = dst->data;

					combine_nulls(run, dst, a, NULL);
					for (uint32_t i = 0; i < n; i++)
						out[i] = truth(a, i) == 0;
				}
				break;
			case OP_IS_NULL:
				eval_is_null(run, dst, a, true);
				break;
			case OP_IS_NOT_NULL:
				eval_is_null(run, dst, a, false);
				break;
			case OP_IS_TRUE:
				eval_truth_test(run, dst, a, 1);
				break;
			case OP_IS_FALSE:
				eval_truth_test(run, dst, a, 0);
				break;
			case OP_IS_UNKNOWN:
				eval_truth_test(run, dst, a, 2);
				break;
			case OP_SELECT:
				eval_select(run, dst, a, b, c);
				break;
#define OP(id, nargs, kinds, kr, may_fail, cost, engines, condition, functions, body) \
			case OP_##id: \
				EVAL_EXPAND(nargs, FIRST_OF kinds, kr, body, may_fail); \
				break;
#define TEXT_OP(id, nargs, kinds, cost, condition, functions, body) \
			case OP_##id: \
				TEXT_EXPAND(nargs, FIRST_OF kinds, SECOND_OF kinds, THIRD_OF kinds, body); \
				break;
#include "program/ops.def"
#undef OP
		}
	}
	run->nmasks = 0;
}
