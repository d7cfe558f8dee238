/*-------------------------------------------------------------------------
 *
 * eval_numeric.h
 *	  Numeric operators over vectors; part of level.h.
 *
 * Three ways, chosen for the whole vector by what is proved of it:
 *	 narrow		one scale each, and the bounds prove that 64 bits suffice:
 *				integer loops, scales aligned by a constant factor
 *	 wide		narrow operands, a product of up to 128 bits
 *	 any		row by row with the bodies of numeric.h, which check
 *
 *-------------------------------------------------------------------------
 */

BODY NumericValue
vector_numeric(const Vector *v, uint32_t i)
{
	uint32_t	k = v->uniform ? 0 : i;
	NumericValue value;

	value.mantissa = v->wide ? ((const i128 *) v->data)[k] : (i128) ((const int64_t *) v->data)[k];
	value.scale = v->mixed ? v->scales[k] : v->scale;
	return value;
}

/* Results of any size and scale: dst is wide and mixed, then tidied. */
BODY void
vector_any_begin(EngineRun *run, Vector *dst)
{
	dst->wide = true;
	if (!dst->scales)
		gpuscan_vector_mix(run, dst, 0);
	dst->mixed = true;
}

#define NUMERIC_ANY(expression) \
do { \
	uint8_t		any = 0; \
	vector_any_begin(run, dst); \
	for (uint32_t i = 0; i < run->n; i++) \
	{ \
		NumericValue r; \
		bool		ok = (expression); \
		run->flags[i] = !ok; \
		any |= !ok; \
		((i128 *) dst->data)[i] = ok ? r.mantissa : 0; \
		dst->scales[i] = ok ? (uint8_t) r.scale : 0; \
	} \
	if (any) \
		note_failures(run, dst); \
} while (0)

/*
 * May a and b be brought to one scale within 63 bits?  Then the factors, and
 * the bounds after multiplying.
 */
static bool
numeric_align(const Vector *a, const Vector *b, int64_t *fa, int64_t *fb,
			  uint64_t *bound_a, uint64_t *bound_b)
{
	int			diff = a->scale - b->scale;
	u128		x = a->bound,
				y = b->bound;

	if (a->wide || b->wide || a->mixed || b->mixed || diff > NUMERIC_POW10_64 || diff < -NUMERIC_POW10_64)
		return false;
	*fa = diff < 0 ? numeric_pow10_64(-diff) : 1;
	*fb = diff > 0 ? numeric_pow10_64(diff) : 1;
	x *= (uint64_t) *fa;
	y *= (uint64_t) *fb;
	if (x >> 62 || y >> 62)
		return false;
	*bound_a = (uint64_t) x;
	*bound_b = (uint64_t) y;
	return true;
}

/* an operand as a pointer and a stride of 0 or 1 does not vectorise: three loops do */
#define NARROW_LOOPS(expression) \
do { \
	const int64_t *restrict pa = a->data; \
	const int64_t *restrict pb = b->data; \
	const uint32_t n = run->n; \
	if (a->uniform) \
	{ \
		const int64_t x = pa[0] * fa; \
		if (b->uniform) \
		{ \
			const int64_t y = pb[0] * fb; \
			for (uint32_t i = 0; i < n; i++) \
				out[i] = (expression); \
		} \
		else if (fb == 1) \
			for (uint32_t i = 0; i < n; i++) \
			{ \
				const int64_t y = pb[i]; \
				out[i] = (expression); \
			} \
		else \
			for (uint32_t i = 0; i < n; i++) \
			{ \
				const int64_t y = pb[i] * fb; \
				out[i] = (expression); \
			} \
	} \
	else if (b->uniform) \
	{ \
		const int64_t y = pb[0] * fb; \
		if (fa == 1) \
			for (uint32_t i = 0; i < n; i++) \
			{ \
				const int64_t x = pa[i]; \
				out[i] = (expression); \
			} \
		else \
			for (uint32_t i = 0; i < n; i++) \
			{ \
				const int64_t x = pa[i] * fa; \
				out[i] = (expression); \
			} \
	} \
	else \
		for (uint32_t i = 0; i < n; i++) \
		{ \
			const int64_t x = pa[i] * fa; \
			const int64_t y = pb[i] * fb; \
			out[i] = (expression); \
		} \
} while (0)

/* addition and subtraction */
#define VECTOR_ADDITIVE(name, op) \
static void \
vector_##name(EngineRun *run, Vector *dst, const Vector *a, const Vector *b) \
{ \
	int64_t		fa, fb; \
	uint64_t	ba, bb; \
	if (combine_nulls(run, dst, a, b)) \
		return; \
	if (numeric_align(a, b, &fa, &fb, &ba, &bb)) \
	{ \
		int64_t    *restrict out = dst->data; \
		NARROW_LOOPS(x op y); \
		dst->wide = dst->mixed = false; \
		dst->scale = a->scale > b->scale ? a->scale : b->scale; \
		dst->bound = ba + bb; \
	} \
	else \
		NUMERIC_ANY(name(vector_numeric(a, i), vector_numeric(b, i), &r)); \
}

VECTOR_ADDITIVE(numeric_add, +)
VECTOR_ADDITIVE(numeric_sub, -)

static void
vector_numeric_mul(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	if (combine_nulls(run, dst, a, b))
		return;
	if (!a->wide && !b->wide && !a->mixed && !b->mixed && a->scale + b->scale <= NUMERIC_SCALE_MAX)
	{
		u128		bound = (u128) a->bound * b->bound;

		dst->mixed = false;
		dst->scale = a->scale + b->scale;
		if (bound >> 62 == 0)
		{
			int64_t    *restrict out = dst->data;
			const int64_t fa = 1,
						fb = 1;

			NARROW_LOOPS(x * y);
			dst->wide = false;
			dst->bound = (uint64_t) bound;
		}
		else
		{
			i128	   *restrict out = dst->data;
			const int64_t fa = 1,
						fb = 1;

			NARROW_LOOPS((i128) x * y);
			dst->wide = true;
		}
		return;
	}
	NUMERIC_ANY(numeric_mul(vector_numeric(a, i), vector_numeric(b, i), &r));
}

/* A numeric with another sign: a scale and a bound stay what they are. */
#define NUMERIC_SIGN(name, value) \
static void \
vector_numeric_##name(EngineRun *run, Vector *dst, const Vector *a) \
{ \
	if (combine_nulls(run, dst, a, NULL)) \
		return; \
	if (!a->wide && !a->mixed && !a->uniform && a->bound <= INT64_MAX) \
	{ \
		const int64_t *restrict pa = a->data; \
		int64_t    *restrict out = dst->data; \
\
		for (uint32_t i = 0; i < run->n; i++) \
			out[i] = (value); \
		dst->wide = dst->mixed = false; \
		dst->scale = a->scale; \
		dst->bound = a->bound; \
		return; \
	} \
	NUMERIC_ANY(numeric_##name(vector_numeric(a, i), &r)); \
}

NUMERIC_SIGN(neg, -pa[i])
NUMERIC_SIGN(abs, pa[i] < 0 ? -pa[i] : pa[i])

/* Integers as mantissas of a scale; the NULLs are known. */
BODY void
vector_mantissas(EngineRun *run, Vector *dst, const Vector *a, int scale)
{
	const int64_t *pa = a->data;
	uint32_t	step = a->uniform ? 0 : 1;
	int64_t    *out = dst->data;
	uint64_t	bits = 0;

	for (uint32_t i = 0; i < run->n; i++)
	{
		int64_t		v = pa[i * step];

		if (dst->has_null && dst->null[i])
			v = 0;
		out[i] = v;
		bits |= (uint64_t) (v ^ (v >> 63));
	}
	dst->wide = dst->mixed = false;
	dst->scale = (int16_t) scale;
	/* |v| may be one more than the bits say, for negative v */
	dst->bound = bits ? (~UINT64_C(0) >> __builtin_clzll(bits)) + 1 : 1;
}

static void
vector_numeric_from_int64(EngineRun *run, Vector *dst, const Vector *a)
{
	dst->wide = dst->mixed = false;
	dst->scale = 0;
	dst->bound = 0;
	if (!combine_nulls(run, dst, a, NULL))
		vector_mantissas(run, dst, a, 0);
}

static void
vector_numeric_from_scaled(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	const int32_t *scales = b->data;

	dst->wide = dst->mixed = false;
	dst->scale = 0;
	dst->bound = 0;
	if (combine_nulls(run, dst, a, b))
		return;
	if (b->uniform && scales[0] >= 0 && scales[0] <= NUMERIC_SCALE_MAX)
	{
		vector_mantissas(run, dst, a, scales[0]);
		return;
	}
	NUMERIC_ANY(numeric_from_scaled(((const int64_t *) a->data)[a->uniform ? 0 : i],
									scales[b->uniform ? 0 : i], &r));
}

/*
 * Narrow mantissas of one scale at another one: loops without the checks that
 * bounds make needless.  False where that does not do.
 */
BODY bool
vector_at_scale(EngineRun *run, Vector *dst, const Vector *a, int scale, NumericRounding rounding)
{
	const int64_t *pa = a->data;
	const uint32_t step = a->uniform ? 0 : 1;
	int64_t    *out = dst->data;
	const int	shift = a->scale - scale;
	int64_t		power;

	if (a->wide || a->mixed || scale < 0 || scale > NUMERIC_SCALE_MAX ||
		shift > NUMERIC_POW10_64 || shift < -NUMERIC_POW10_64 || a->bound >> 62 != 0)
		return false;
	power = numeric_pow10_64(shift < 0 ? -shift : shift);
	if (shift <= 0)
	{
		if (((u128) a->bound * (uint64_t) power) >> 62 != 0)
			return false;
		for (uint32_t i = 0; i < run->n; i++)
			out[i] = pa[i * step] * power;
		dst->bound = a->bound * (uint64_t) power;
	}
	else
	{
		for (uint32_t i = 0; i < run->n; i++)
		{
			const int64_t v = pa[i * step];
			const int64_t rest = v % power;

			out[i] = v / power + (!NUMERIC_ROUNDS_AWAY(rest, power, rounding) ? 0 : v < 0 ? -1 : 1);
		}
		dst->bound = a->bound / (uint64_t) power + 1;
	}
	dst->wide = dst->mixed = false;
	dst->scale = (int16_t) scale;
	return true;
}

BODY int32_t
vector_int32(const Vector *v, uint32_t i)
{
	return ((const int32_t *) v->data)[v->uniform ? 0 : i];
}

static void
vector_numeric_round(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	if (!combine_nulls(run, dst, a, b) &&
		!(b->uniform && vector_at_scale(run, dst, a, vector_int32(b, 0), NUMERIC_ROUND)))
		NUMERIC_ANY(numeric_round(vector_numeric(a, i), vector_int32(b, i), &r));
}

static void
vector_numeric_trunc(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	if (!combine_nulls(run, dst, a, b) &&
		!(b->uniform && vector_at_scale(run, dst, a, vector_int32(b, 0), NUMERIC_TRUNCATE)))
		NUMERIC_ANY(numeric_trunc(vector_numeric(a, i), vector_int32(b, i), &r));
}

static void
vector_numeric_floor(EngineRun *run, Vector *dst, const Vector *a)
{
	if (!combine_nulls(run, dst, a, NULL) && !vector_at_scale(run, dst, a, 0, NUMERIC_FLOOR))
		NUMERIC_ANY(numeric_floor(vector_numeric(a, i), &r));
}

static void
vector_numeric_ceil(EngineRun *run, Vector *dst, const Vector *a)
{
	if (!combine_nulls(run, dst, a, NULL) && !vector_at_scale(run, dst, a, 0, NUMERIC_CEIL))
		NUMERIC_ANY(numeric_ceil(vector_numeric(a, i), &r));
}

/* numeric(p,s): the bound proves, or the rows show, that p digits suffice */
static void
vector_numeric_coerce(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	const int32_t typmod = vector_int32(b, 0);

	if (combine_nulls(run, dst, a, b))
		return;
	if (b->uniform && NUMERIC_TYPMOD_IS_VALID(typmod) &&
		vector_at_scale(run, dst, a, NUMERIC_TYPMOD_SCALE(typmod), NUMERIC_ROUND))
	{
		const int	digits = numeric_typmod_digits(typmod);
		const int64_t *out = dst->data;
		int64_t		limit;
		uint8_t		any = 0;

		if (digits > NUMERIC_POW10_64 || dst->bound < (uint64_t) (limit = numeric_pow10_64(digits)))
			return;
		for (uint32_t i = 0; i < run->n; i++)
		{
			run->flags[i] = out[i] >= limit || out[i] <= -limit;
			any |= run->flags[i];
		}
		if (any)
			note_failures(run, dst);
	}
	else
		NUMERIC_ANY(numeric_coerce(vector_numeric(a, i), vector_int32(b, i), &r));
}

static void
vector_numeric_sign(EngineRun *run, Vector *dst, const Vector *a)
{
	int64_t    *out = dst->data;

	dst->wide = dst->mixed = false;
	dst->scale = 0;
	dst->bound = 1;
	if (combine_nulls(run, dst, a, NULL))
		return;
	for (uint32_t i = 0; i < run->n; i++)
	{
		const i128	v = vector_numeric(a, i).mantissa;

		out[i] = v < 0 ? -1 : v > 0;
	}
}

static void
vector_numeric_mod(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	if (!combine_nulls(run, dst, a, b))
		NUMERIC_ANY(numeric_mod(vector_numeric(a, i), vector_numeric(b, i), &r));
}

static void
vector_numeric_div_trunc(EngineRun *run, Vector *dst, const Vector *a, const Vector *b)
{
	if (!combine_nulls(run, dst, a, b))
		NUMERIC_ANY(numeric_div_trunc(vector_numeric(a, i), vector_numeric(b, i), &r));
}

static void
vector_bucket_of_numeric(EngineRun *run, Vector *dst, const Vector *a, const Vector *b, const Vector *c)
{
	int32_t    *out = dst->data;
	uint8_t		any = 0;

	if (combine_nulls(run, dst, a, b))
		return;
	combine_third_null(run, dst, c);
	for (uint32_t i = 0; i < run->n; i++)
	{
		run->flags[i] = !bucket_of_numeric(vector_numeric(a, i), vector_numeric(b, i), vector_int32(c, i), &out[i]);
		any |= run->flags[i];
	}
	if (any)
		note_failures(run, dst);
}

#define VECTOR_FROM_FLOAT(name) \
static void \
vector_##name(EngineRun *run, Vector *dst, const Vector *a) \
{ \
	const double *pa = a->data; \
	if (!combine_nulls(run, dst, a, NULL)) \
		NUMERIC_ANY(name(pa[a->uniform ? 0 : i], &r)); \
}

VECTOR_FROM_FLOAT(numeric_from_float64)
VECTOR_FROM_FLOAT(numeric_from_float32)
#undef VECTOR_FROM_FLOAT

/* casts to integers, of which int2 is a narrower type than its register */
#define VECTOR_TO_INTEGER(name, type, narrow) \
static void \
vector_##name(EngineRun *run, Vector *dst, const Vector *a) \
{ \
	type	   *out = dst->data; \
	uint8_t		any = 0; \
	if (combine_nulls(run, dst, a, NULL)) \
		return; \
	if (!a->wide && !a->mixed && a->scale <= NUMERIC_POW10_64) \
	{ \
		const int64_t *pa = a->data; \
		const uint32_t step = a->uniform ? 0 : 1; \
		const int64_t power = numeric_pow10_64(a->scale); \
		for (uint32_t i = 0; i < run->n; i++) \
		{ \
			const int64_t v = pa[i * step]; \
			const int64_t rest = v % power; \
			const int64_t integer = v / power + \
				(!NUMERIC_ROUNDS_AWAY(rest, power, NUMERIC_ROUND) ? 0 : v < 0 ? -1 : 1); \
			out[i] = (type) integer; \
			run->flags[i] = integer != (narrow) integer; \
			any |= run->flags[i]; \
		} \
	} \
	else \
		for (uint32_t i = 0; i < run->n; i++) \
		{ \
			const uint8_t fail = !name(vector_numeric(a, i), &out[i]); \
			run->flags[i] = fail; \
			any |= fail; \
		} \
	if (any) \
		note_failures(run, dst); \
}

VECTOR_TO_INTEGER(numeric_to_int64, int64_t, int64_t)
VECTOR_TO_INTEGER(numeric_to_int32, int32_t, int32_t)
VECTOR_TO_INTEGER(numeric_to_int16, int32_t, int16_t)

/* ... and to floating point */
#define VECTOR_TO_FLOAT(name) \
static void \
vector_##name(EngineRun *run, Vector *dst, const Vector *a) \
{ \
	double	   *out = dst->data; \
	uint8_t		any = 0; \
	if (combine_nulls(run, dst, a, NULL)) \
		return; \
	for (uint32_t i = 0; i < run->n; i++) \
	{ \
		const uint8_t fail = !name(vector_numeric(a, i), &out[i]); \
		run->flags[i] = fail; \
		any |= fail; \
	} \
	if (any) \
		note_failures(run, dst); \
}

VECTOR_TO_FLOAT(float64_from_numeric)
VECTOR_TO_FLOAT(float32_from_numeric)

#define VECTOR_COMPARE(name, op) \
static void \
vector_compare_##name(EngineRun *run, Vector *dst, const Vector *a, const Vector *b) \
{ \
	int64_t		fa, fb; \
	uint64_t	ba, bb; \
	uint8_t    *restrict out = dst->data; \
	if (combine_nulls(run, dst, a, b)) \
		return; \
	if (numeric_align(a, b, &fa, &fb, &ba, &bb)) \
		NARROW_LOOPS(x op y); \
	else \
		for (uint32_t i = 0; i < run->n; i++) \
			name(vector_numeric(a, i), vector_numeric(b, i), &out[i]); \
}

VECTOR_COMPARE(numeric_eq, ==)
VECTOR_COMPARE(numeric_ne, !=)
VECTOR_COMPARE(numeric_lt, <)
VECTOR_COMPARE(numeric_le, <=)
VECTOR_COMPARE(numeric_gt, >)
VECTOR_COMPARE(numeric_ge, >=)

/* dst := flags ? b : c; the display scale goes with the value */
static void
vector_select_numeric(EngineRun *run, Vector *dst, const Vector *b, const Vector *c)
{
	uint32_t	n = run->n;

	if (!b->wide && !c->wide && !b->mixed && !c->mixed)
	{
		const int64_t *pb = b->data,
				   *pc = c->data;
		int64_t    *out = dst->data;
		uint32_t	sb = b->uniform ? 0 : 1,
					sc = c->uniform ? 0 : 1;

		for (uint32_t i = 0; i < n; i++)
			out[i] = run->flags[i] ? pb[i * sb] : pc[i * sc];
		dst->wide = false;
		dst->bound = b->bound > c->bound ? b->bound : c->bound;
		/* a branch that is NULL throughout has no scale of its own */
		dst->scale = b->uniform && b->has_null ? c->scale : b->scale;
		dst->mixed = b->scale != c->scale &&
			!(b->uniform && b->has_null) && !(c->uniform && c->has_null);
		if (dst->mixed)
		{
			if (!dst->scales)
				gpuscan_vector_mix(run, dst, 0);
			dst->mixed = true;
			for (uint32_t i = 0; i < n; i++)
				dst->scales[i] = (uint8_t) (run->flags[i] ? b->scale : c->scale);
		}
		return;
	}
	vector_any_begin(run, dst);
	for (uint32_t i = 0; i < n; i++)
	{
		NumericValue v = vector_numeric(run->flags[i] ? b : c, i);

		((i128 *) dst->data)[i] = v.mantissa;
		dst->scales[i] = (uint8_t) v.scale;
	}
}
