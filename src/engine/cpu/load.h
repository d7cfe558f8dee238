/*-------------------------------------------------------------------------
 *
 * load.h
 *	  From positions to values: one loop a column; part of level.h.
 *
 *-------------------------------------------------------------------------
 */

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Nulls and missing attributes of rows that are not plain; has_null set if any. */
static void
load_nulls(EngineRun *run, uint32_t attr, Vector *dst)
{
	const uint16_t *pos = run->pos[attr];
	uint8_t		any = 0;

	for (uint32_t i = 0; i < run->n; i++)
	{
		uint8_t		null = pos[i] == DECODE_NULL || pos[i] == DECODE_MISSING;

		dst->null[i] = null;
		any |= null;
	}
	dst->has_null = any != 0;
}

#define LOAD_FIXED(ctype, stored) \
do { \
	ctype	   *restrict out = dst->data; \
	const uint8_t **tuple = run->tuple; \
	if (constant) \
		for (uint32_t i = 0; i < n; i++) \
		{ \
			stored		v; \
			memcpy(&v, tuple[i] + constant, sizeof v); \
			out[i] = v; \
		} \
	else if (!dst->has_null) \
		for (uint32_t i = 0; i < n; i++) \
		{ \
			stored		v; \
			memcpy(&v, tuple[i] + pos[i], sizeof v); \
			out[i] = v; \
		} \
	else \
		for (uint32_t i = 0; i < n; i++) \
		{ \
			stored		v = 0; \
			if (!dst->null[i]) \
				memcpy(&v, tuple[i] + pos[i], sizeof v); \
			out[i] = v; \
		} \
} while (0)

/* Four base-10000 digits, the first in the lowest 16 bits, as one number. */
BODY uint64_t
digits4(uint64_t d)
{
#if defined(__SSE2__)
	uint64_t	pairs = (uint64_t) _mm_cvtsi128_si64(_mm_madd_epi16(_mm_cvtsi64_si128((long long) d),
																	_mm_set_epi16(0, 0, 0, 0, 1, 10000, 1, 10000)));

	return (pairs & 0xFFFFFFFF) * 100000000 + (pairs >> 32);
#else
	uint64_t	high = (d & 0xFFFF) * 10000 + (d >> 16 & 0xFFFF);
	uint64_t	low = (d >> 32 & 0xFFFF) * 10000 + (d >> 48);

	return high * 100000000 + low;
#endif
}

static const uint64_t digit_masks[5] = {
	0, UINT64_C(0xFFFF), UINT64_C(0xFFFFFFFF), UINT64_C(0xFFFFFFFFFFFF), ~UINT64_C(0)
};

/*
 * Numerics of one scale in the short form with at most four digits that lie
 * within a window of four: weights top .. top-3.  divisor: the window's last
 * digit has more decimals than the scale.  Returns how many rows are of
 * another form; they are listed in run->slow.
 */
BODY uint32_t
load_numeric_short(EngineRun *run, const uint16_t *pos, uint32_t constant, const uint8_t *null,
				   int scale, int top, uint64_t divisor, int64_t *restrict out, uint64_t *bound)
{
	const uint8_t **tuple = run->tuple;
	uint16_t   *slow = run->slow;
	uint32_t	nslow = 0;
	uint64_t	bits = 0;
	const uint32_t expect = 0x8000u | (uint32_t) scale << 7;

	for (uint32_t i = 0; i < run->n; i++)
	{
		const uint8_t *p;
		uint32_t	size,
					header,
					ndigits,
					shift;
		uint64_t	d,
					v,
					sign;

		if (null && null[i])
		{
			out[i] = 0;
			continue;
		}
		p = tuple[i] + (constant ? constant : pos[i]);
		size = p[0];
		header = load_u16(p + 1);
		d = load_u64(p + 3);
		ndigits = ((size >> 1) - 3) >> 1;	/* huge when the size is too small */
		shift = (uint32_t) (top - ((int) (header & 0x3F) - (int) (header & 0x40)));
		if (likely_((size & 1) && (header & 0xDF80) == expect && shift <= 3 && ndigits + shift <= 4))
		{
			v = digits4((d & digit_masks[ndigits]) << (16 * shift)) / divisor;
			bits |= v;
			sign = -(uint64_t) (header >> 13 & 1);
			out[i] = (int64_t) ((v ^ sign) - sign);
		}
		else if ((size & 1) && (header & 0xDF80) == expect && size == 7)
			out[i] = 0;			/* zero has no digits, and weight 0 */
		else
		{
			out[i] = 0;
			slow[nslow++] = (uint16_t) i;
		}
	}
	*bound = bits ? ~UINT64_C(0) >> __builtin_clzll(bits) : 0;
	return nslow;
}

static void
load_numeric(EngineRun *run, uint32_t attr, Vector *dst)
{
	const ProgramAttr *info = &program_attrs(run->program)[attr];
	uint32_t	constant = run->plain ? run->attr_const[attr] : 0;
	const uint16_t *pos = run->pos[attr];
	const uint8_t *null = dst->has_null ? dst->null : NULL;
	int			scale = info->scale;
	int			groups;
	uint32_t	nslow = 0;

	/* Without a declared scale, expect that of the first row. */
	if (scale < 0)
	{
		scale = 0;
		for (uint32_t i = 0; i < run->n; i++)
		{
			const uint8_t *p;

			if (null && null[i])
				continue;
			p = run->tuple[i] + (constant ? constant : pos[i]);
			if ((p[0] & 1) && (load_u16(p + 1) & 0xC000) == 0x8000)
				scale = load_u16(p + 1) >> 7 & 0x3F;
			break;
		}
		if (scale > NUMERIC_SCALE_MAX)
			scale = 0;
	}
	dst->wide = dst->mixed = false;
	dst->scale = (int16_t) scale;

	groups = (scale + 3) / 4;
	switch (4 * groups - scale)
	{
		case 0:
			nslow = load_numeric_short(run, pos, constant, null, scale, 3 - groups, 1, dst->data, &dst->bound);
			break;
		case 1:
			nslow = load_numeric_short(run, pos, constant, null, scale, 3 - groups, 10, dst->data, &dst->bound);
			break;
		case 2:
			nslow = load_numeric_short(run, pos, constant, null, scale, 3 - groups, 100, dst->data, &dst->bound);
			break;
		case 3:
			nslow = load_numeric_short(run, pos, constant, null, scale, 3 - groups, 1000, dst->data, &dst->bound);
			break;
	}
	for (uint32_t k = 0; k < nslow; k++)
	{
		uint32_t	i = run->slow[k];
		NumericValue value;

		if (decode_numeric(run->tuple[i] + (constant ? constant : pos[i]), &value))
			gpuscan_vector_put_numeric(run, dst, i, run->n, value);
		else
		{
			run->punt[i] = 1;
			run->any_punt = true;
		}
	}
}

static void
load_text(EngineRun *run, uint32_t attr, Vector *dst)
{
	uint32_t	constant = run->plain ? run->attr_const[attr] : 0;
	const uint16_t *pos = run->pos[attr];
	TextView   *out = dst->data;
	bool		blanks = program_attrs(run->program)[attr].type == TYPE_BPCHAR;

	for (uint32_t i = 0; i < run->n; i++)
	{
		TextView	view = {"", 0, 0};

		if (!(dst->has_null && dst->null[i]))
		{
			if (unlikely_(!decode_text(run->tuple[i] + (constant ? constant : pos[i]), &view)))
			{
				run->punt[i] = 1;
				run->any_punt = true;
				view.ptr = "";
				view.len = 0;
			}
			else if (blanks)
				view.len = text_without_blanks(view.ptr, view.len);
		}
		view.pad = 0;
		out[i] = view;
	}
}

/* The value that rows too short for the attribute have. */
static void
load_missing(EngineRun *run, uint32_t attr, Vector *dst)
{
	const ProgramAttr *info = &program_attrs(run->program)[attr];
	const uint16_t *pos = run->pos[attr];
	Vector		value = {0};

	if (info->missing == PROGRAM_NO_REG)
		return;					/* NULL */
	gpuscan_vector_set_uniform(run, &value, &run->params[info->missing]);
	if (value.has_null)
		return;
	for (uint32_t i = 0; i < run->n; i++)
	{
		if (pos[i] != DECODE_MISSING)
			continue;
		dst->null[i] = 0;
		switch (dst->kind)
		{
			case VALUE_BOOL:
				((uint8_t *) dst->data)[i] = *(uint8_t *) value.data;
				break;
			case VALUE_INT32:
				((int32_t *) dst->data)[i] = *(int32_t *) value.data;
				break;
			case VALUE_INT64:
				((int64_t *) dst->data)[i] = *(int64_t *) value.data;
				break;
			case VALUE_TEXT:
				((TextView *) dst->data)[i] = *(TextView *) value.data;
				break;
			case VALUE_NUMERIC:
				{
					NumericValue v = {value.wide ? *(i128 *) value.data : *(int64_t *) value.data, value.scale};

					gpuscan_vector_put_numeric(run, dst, i, run->n, v);
				}
				break;
		}
	}
}

static void
load_attr(EngineRun *run, uint32_t attr, Vector *dst)
{
	const ProgramAttr *info = &program_attrs(run->program)[attr];
	uint32_t	n = run->n;
	uint32_t	constant = run->plain ? run->attr_const[attr] : 0;
	const uint16_t *pos = run->pos[attr];

	dst->has_null = false;
	if (!run->plain)
		load_nulls(run, attr, dst);
	switch (info->type)
	{
		case TYPE_BOOL:
			LOAD_FIXED(uint8_t, uint8_t);
			break;
		case TYPE_INT2:
			LOAD_FIXED(int32_t, int16_t);
			break;
		case TYPE_INT4:
		case TYPE_DATE:
			LOAD_FIXED(int32_t, int32_t);
			break;
		case TYPE_INT8:
		case TYPE_TIMESTAMP:
			LOAD_FIXED(int64_t, int64_t);
			break;
		case TYPE_NUMERIC:
			load_numeric(run, attr, dst);
			break;
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
		case TYPE_TEXT:
			load_text(run, attr, dst);
			break;
	}
	if (dst->has_null)
		load_missing(run, attr, dst);
}
