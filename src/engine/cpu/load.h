/*-------------------------------------------------------------------------
 *
 * load.h
 *	  From positions to values: one loop a column; part of level.h.
 *
 *-------------------------------------------------------------------------
 */

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

/*
 * Numerics of one scale in the short form with at most four digits that lie
 * within a window of four: weights top .. top-3.  divisor: the window's last
 * digit has so many times more decimals than the scale.  Returns how many rows
 * are of another form; they are listed in run->slow.
 *
 * Two passes: the first fetches header and digits from wherever the rows lie,
 * the second is arithmetic on dense arrays, without a branch, and vectorises.
 */
BODY uint32_t
load_numeric_short(EngineRun *run, const uint16_t *pos, uint32_t constant, const uint8_t *null,
				   int scale, int top, uint32_t divisor, int64_t *restrict out, uint64_t *bound)
{
	const uint32_t n = run->n;
	const uint8_t *const *tuple = run->tuple;
	uint32_t   *restrict heads = run->heads;
	uint64_t   *restrict digits = run->digits;
	const uint32_t expect = 0x8000u | (uint32_t) scale << 7;
	uint64_t	bits = 0;
	uint64_t	all = ~UINT64_C(0);
	uint32_t	nslow = 0;

#define FETCH(at) \
do { \
	const uint8_t *p = tuple[i] + (at); \
	memcpy(&heads[i], p, sizeof heads[i]);	/* size, header, and a byte too many */ \
	memcpy(&digits[i], p + 3, sizeof digits[i]); \
} while (0)

	if (null)
		for (uint32_t i = 0; i < n; i++)
		{
			if (!null[i])
				FETCH(constant ? constant : pos[i]);
			else
			{
				heads[i] = 7 | expect << 8; /* zero */
				digits[i] = 0;
			}
		}
	else if (constant)
		for (uint32_t i = 0; i < n; i++)
			FETCH(constant);
	else
		for (uint32_t i = 0; i < n; i++)
			FETCH(pos[i]);
#undef FETCH

	/* all of one width, and no bool: so that compilers make vectors of it */
	for (uint32_t i = 0; i < n; i++)
	{
		uint64_t	size = heads[i] & 0xFF;
		uint64_t	header = heads[i] >> 8 & 0xFFFF;
		uint64_t	ndigits = (size - 6) >> 2;	/* huge when the size is too small */
		uint64_t	shift = (uint64_t) top - ((header & 0x3F) - (header & 0x40));
		uint64_t	zero = size == 7 ? ~UINT64_C(0) : 0;	/* no digits, weight 0 */
		uint64_t	fits = (shift <= 3 ? ~UINT64_C(0) : 0) & (ndigits + shift <= 4 ? ~UINT64_C(0) : 0);
		uint64_t	good = ((((size & 1) << 16) | (header & 0xDF80)) == (0x10000 | expect) ? ~UINT64_C(0) : 0) &
			(zero | fits);
		uint64_t	left = 64 - 16 * ndigits;
		uint64_t	right = left - 16 * shift;
		/* the digits there are, the one of weight 'top' in the lowest 16 bits */
		uint64_t	d = (digits[i] << (left & 63) >> (right & 63)) & good & ~zero;
		uint64_t	high = (d & 0xFFFF) * 10000 + (d >> 16 & 0xFFFF);
		uint64_t	low = (d >> 32 & 0xFFFF) * 10000 + (d >> 48);
		/* low / divisor: exact for all numbers of 32 bits */
		uint64_t	part = divisor == 1 ? low :
			divisor == 10 ? low * 0xCCCCCCCDu >> 35 :
			divisor == 100 ? low * 0x51EB851Fu >> 37 : low * 0x10624DD3u >> 38;
		uint64_t	v = high * (100000000 / divisor) + part;
		uint64_t	sign = -(header >> 13 & 1);

		bits |= v;
		all &= good;
		out[i] = (int64_t) ((v ^ sign) - sign);
		heads[i] = (uint32_t) good;
	}
	*bound = bits ? ~UINT64_C(0) >> __builtin_clzll(bits) : 0;
	if (unlikely_(all == 0))
		for (uint32_t i = 0; i < n; i++)
			if (heads[i] == 0)
				run->slow[nslow++] = (uint16_t) i;
	return nslow;
}

/* What decode_text and decode_numeric cannot read: decompressed by the host, or NULL. */
static const uint8_t *
load_decompressed(EngineRun *run, const uint8_t *p)
{
	if (!decode_compressed(p) || !run->memory->decompress)
		return NULL;
	return run->memory->decompress(run->memory->decompress_context, p);
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
		const uint8_t *p = run->tuple[i] + (constant ? constant : pos[i]);
		NumericValue value;

		if (decode_numeric(p, &value) ||
			((p = load_decompressed(run, p)) != NULL && decode_numeric(p, &value)))
			gpuscan_vector_put_numeric(run, dst, i, run->n, value);
		else
		{
			run->punt[i] = 1;
			run->any_punt = true;
		}
	}
}

static void
load_text(EngineRun *run, uint32_t attr, bool stored, Vector *dst)
{
	uint32_t	constant = run->plain ? run->attr_const[attr] : 0;
	const uint16_t *pos = run->pos[attr];
	TextView   *out = dst->data;
	bool		blanks = !stored && program_attrs(run->program)[attr].type == TYPE_BPCHAR;

	for (uint32_t i = 0; i < run->n; i++)
	{
		TextView	view = {"", 0, 0};

		if (!(dst->has_null && dst->null[i]))
		{
			const uint8_t *p = run->tuple[i] + (constant ? constant : pos[i]);

			if (unlikely_(!decode_text(p, &view)) &&
				((p = load_decompressed(run, p)) == NULL || !decode_text(p, &view)))
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

static void
load_fixed_text(EngineRun *run, uint32_t attr, Vector *dst)
{
	const uint32_t type = program_attrs(run->program)[attr].type;
	uint32_t	constant = run->plain ? run->attr_const[attr] : 0;
	const uint16_t *pos = run->pos[attr];
	TextView   *out = dst->data;

	for (uint32_t i = 0; i < run->n; i++)
	{
		TextView	view = {"", 0, 0};

		if (!(dst->has_null && dst->null[i]))
			decode_fixed_text(run->tuple[i] + (constant ? constant : pos[i]), type, &view);
		out[i] = view;
	}
}

/* The value that rows too short for the attribute have. */
static void
load_missing(EngineRun *run, uint32_t attr, Vector *dst)
{
	const ProgramAttr *info = &program_attrs(run->program)[attr];
	const uint16_t *pos = run->pos[attr];
	Vector	   *value = &run->missing[attr];

	if (info->missing == PROGRAM_NO_REG)
		return;					/* NULL */
	if (!value->data)
		gpuscan_vector_set_uniform(run, value, &run->params[info->missing]);
	if (value->has_null)
		return;
	for (uint32_t i = 0; i < run->n; i++)
	{
		if (pos[i] != DECODE_MISSING)
			continue;
		dst->null[i] = 0;
		switch (dst->kind)
		{
			case VALUE_BOOL:
				((uint8_t *) dst->data)[i] = *(uint8_t *) value->data;
				break;
			case VALUE_INT32:
				((int32_t *) dst->data)[i] = *(int32_t *) value->data;
				break;
			case VALUE_INT64:
				((int64_t *) dst->data)[i] = *(int64_t *) value->data;
				break;
			case VALUE_FLOAT64:
				((double *) dst->data)[i] = *(double *) value->data;
				break;
			case VALUE_TEXT:
				((TextView *) dst->data)[i] = *(TextView *) value->data;
				break;
			case VALUE_NUMERIC:
				{
					NumericValue v = {value->wide ? *(i128 *) value->data : *(int64_t *) value->data, value->scale};

					gpuscan_vector_put_numeric(run, dst, i, run->n, v);
				}
				break;
		}
	}
}

static void
load_attr(EngineRun *run, uint32_t attr, bool stored, Vector *dst)
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
			/* on a damaged page it may be any byte; true is 1 from here on */
			for (uint32_t i = 0; i < n; i++)
				((uint8_t *) dst->data)[i] = ((uint8_t *) dst->data)[i] != 0;
			break;
		case TYPE_INT2:
			LOAD_FIXED(int32_t, int16_t);
			break;
		case TYPE_QCHAR:
			LOAD_FIXED(int32_t, uint8_t);
			break;
		case TYPE_INT4:
		case TYPE_DATE:
			LOAD_FIXED(int32_t, int32_t);
			break;
		case TYPE_OID:
		case TYPE_ENUM:
			LOAD_FIXED(int64_t, uint32_t);
			break;
		case TYPE_INT8:
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
		case TYPE_MONEY:
		case TYPE_TIME:
			LOAD_FIXED(int64_t, int64_t);
			break;
		case TYPE_FLOAT4:
			LOAD_FIXED(double, float);
			break;
		case TYPE_FLOAT8:
			LOAD_FIXED(double, double);
			break;
		case TYPE_NUMERIC:
			load_numeric(run, attr, dst);
			break;
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
		case TYPE_TEXT:
		case TYPE_BYTEA:
		case TYPE_INET:
		case TYPE_CIDR:
			load_text(run, attr, stored, dst);
			break;
		case TYPE_UUID:
		case TYPE_NAME:
		case TYPE_INTERVAL:
		case TYPE_TIMETZ:
		case TYPE_MACADDR:
			load_fixed_text(run, attr, dst);
			break;
		case TYPE_OPAQUE:
			memset(dst->data, 0, n);
			break;
	}
	if (dst->has_null)
		load_missing(run, attr, dst);
}
