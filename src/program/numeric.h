/*-------------------------------------------------------------------------
 *
 * numeric.h
 *	  numeric as a 128-bit mantissa and a decimal scale, and its operators.
 *
 * value = mantissa * 10^-scale.  The scale is at the same time PostgreSQL's
 * display scale (dscale): it decides how a result is printed, so it is kept
 * exactly as numeric.c would have it: the larger one for + and -, the sum for
 * *.  What does not fit is not approximated: the body returns false and the
 * row is punted.  NaN and the infinities have no form here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PROGRAM_NUMERIC_H
#define GPUSCAN_PROGRAM_NUMERIC_H

#include "program/portable.h"

#define NUMERIC_SCALE_MAX	36	/* largest scale of a value in a register */
#define NUMERIC_POW10_64	18	/* 10^18 < 2^63 */

typedef struct NumericValue
{
	i128		mantissa;
	int32_t		scale;
} NumericValue;

/* 10^n, 0 <= n <= 18 */
BODY int64_t
numeric_pow10_64(int n)
{
	/* not a static table: device code could not see it */
	int64_t		power = 1;
	int64_t		base = 10;

	for (; n > 0; n >>= 1)
	{
		if (n & 1)
			power *= base;
		base *= (n > 1) ? base : 1;
	}
	return power;
}

/* 10^n, 0 <= n <= 38 */
BODY i128
numeric_pow10(int n)
{
	return n <= NUMERIC_POW10_64 ? (i128) numeric_pow10_64(n) :
		n <= 2 * NUMERIC_POW10_64 ?
		(i128) numeric_pow10_64(NUMERIC_POW10_64) * numeric_pow10_64(n - NUMERIC_POW10_64) :
		(i128) numeric_pow10_64(NUMERIC_POW10_64) * numeric_pow10_64(NUMERIC_POW10_64) *
		numeric_pow10_64(n - 2 * NUMERIC_POW10_64);
}

#define NUMERIC_I128_MAX	((i128) (((u128) 1 << 127) - 1))

BODY bool
numeric_add_i128(i128 a, i128 b, i128 *r)
{
	i128		sum = (i128) ((u128) a + (u128) b);

	*r = sum;
	return ((a ^ sum) & (b ^ sum)) >= 0;
}

/* a * b; false when the product leaves 128 bits */
BODY bool
numeric_mul_i128(i128 a, i128 b, i128 *r)
{
	u128		ua = a < 0 ? -(u128) a : (u128) a;
	u128		ub = b < 0 ? -(u128) b : (u128) b;
	uint64_t	ah = (uint64_t) (ua >> 64),
				al = (uint64_t) ua,
				bh = (uint64_t) (ub >> 64),
				bl = (uint64_t) ub;
	u128		low = (u128) al * bl;
	u128		cross,
				product;

	*r = 0;
	if (ah != 0 && bh != 0)
		return false;
	cross = (u128) ah * bl + (u128) al * bh;	/* one of the two is zero */
	if ((cross >> 64) != 0)
		return false;
	product = low + (cross << 64);
	if (product < low || (product >> 127) != 0)
		return false;			/* the one value -2^127 is punted as well */
	*r = ((a < 0) != (b < 0)) ? -(i128) product : (i128) product;
	return true;
}

/* value at a larger scale */
BODY bool
numeric_rescale(i128 mantissa, int from, int to, i128 *r)
{
	if (from == to || mantissa == 0)
	{
		*r = mantissa;
		return true;
	}
	if (to - from > 38)
		return false;
	return numeric_mul_i128(mantissa, numeric_pow10(to - from), r);
}

BODY bool
numeric_add(NumericValue a, NumericValue b, NumericValue *r)
{
	i128		x,
				y;
	int			scale = a.scale > b.scale ? a.scale : b.scale;

	r->mantissa = 0;
	r->scale = scale;
	return numeric_rescale(a.mantissa, a.scale, scale, &x) &&
		numeric_rescale(b.mantissa, b.scale, scale, &y) &&
		numeric_add_i128(x, y, &r->mantissa);
}

BODY bool
numeric_neg(NumericValue a, NumericValue *r)
{
	r->mantissa = (i128) -(u128) a.mantissa;
	r->scale = a.scale;
	return a.mantissa != (i128) ((u128) 1 << 127);
}

BODY bool
numeric_sub(NumericValue a, NumericValue b, NumericValue *r)
{
	NumericValue minus;

	*r = a;
	return numeric_neg(b, &minus) && numeric_add(a, minus, r);
}

BODY bool
numeric_mul(NumericValue a, NumericValue b, NumericValue *r)
{
	r->scale = a.scale + b.scale;
	return numeric_mul_i128(a.mantissa, b.mantissa, &r->mantissa) && r->scale <= NUMERIC_SCALE_MAX;
}

/* < 0, 0, > 0; exact also where aligning the scales would leave 128 bits */
BODY int
numeric_compare(NumericValue a, NumericValue b)
{
	i128		x = a.mantissa,
				y = b.mantissa;

	if (a.scale < b.scale && !numeric_rescale(x, a.scale, b.scale, &x))
		return a.mantissa < 0 ? -1 : 1; /* |a| is beyond anything b can hold */
	if (b.scale < a.scale && !numeric_rescale(y, b.scale, a.scale, &y))
		return b.mantissa < 0 ? 1 : -1;
	return x < y ? -1 : x > y;
}

#define COMPARE_BODY(name, op) \
BODY bool name(NumericValue a, NumericValue b, uint8_t *r) \
{ *r = numeric_compare(a, b) op 0; return true; }
COMPARE_BODY(numeric_eq, ==)
COMPARE_BODY(numeric_ne, !=)
COMPARE_BODY(numeric_lt, <)
COMPARE_BODY(numeric_le, <=)
COMPARE_BODY(numeric_gt, >)
COMPARE_BODY(numeric_ge, >=)
#undef COMPARE_BODY

BODY bool
numeric_from_int64(int64_t a, NumericValue *r)
{
	r->mantissa = a;
	r->scale = 0;
	return true;
}

/* mantissa * 10^-scale, as int64_div_fast_to_numeric makes it */
BODY bool
numeric_from_scaled(int64_t mantissa, int32_t scale, NumericValue *r)
{
	r->mantissa = mantissa;
	r->scale = scale;
	return scale >= 0 && scale <= NUMERIC_SCALE_MAX;
}

/* What becomes of the digits behind the scale that is wanted */
typedef enum NumericRounding
{
	NUMERIC_TRUNCATE,			/* trunc_var */
	NUMERIC_ROUND,				/* round_var: half away from zero */
	NUMERIC_FLOOR,				/* floor_var */
	NUMERIC_CEIL				/* ceil_var */
} NumericRounding;

/* Does the quotient move away from zero, for this rest of a division by 10^n? */
#define NUMERIC_ROUNDS_AWAY(rest, power, rounding) \
	((rounding) == NUMERIC_ROUND ? ((rest) < 0 ? -(rest) : (rest)) >= (power) - (power) / 2 : \
	 (rounding) == NUMERIC_FLOOR ? (rest) < 0 : \
	 (rounding) == NUMERIC_CEIL ? (rest) > 0 : false)

/* mantissa / 10^n, 0 <= n */
SLOW_BODY i128
numeric_divide_pow10(i128 mantissa, int n, NumericRounding rounding)
{
	i128		power,
				quotient,
				rest;

	/* Nothing is left of it, and it is less than half: 2^127 < 10^39 / 2. */
	if (n > 38)
		return rounding == NUMERIC_FLOOR && mantissa < 0 ? -1 :
			rounding == NUMERIC_CEIL && mantissa > 0 ? 1 : 0;
	power = numeric_pow10(n);
	if (mantissa == (int64_t) mantissa && n <= NUMERIC_POW10_64)
	{
		quotient = (int64_t) mantissa / (int64_t) power;
		rest = (int64_t) mantissa % (int64_t) power;
	}
	else
	{
		quotient = mantissa / power;
		rest = mantissa % power;
	}
	if (NUMERIC_ROUNDS_AWAY(rest, power, rounding))
		quotient += mantissa < 0 ? -1 : 1;
	return quotient;
}

/* The value with so many digits behind the point; fewer than none are zeros before it. */
BODY bool
numeric_at_scale(NumericValue a, int32_t scale, NumericRounding rounding, NumericValue *r)
{
	r->mantissa = 0;
	r->scale = scale < 0 ? 0 : scale;
	if (scale > NUMERIC_SCALE_MAX)
		return false;
	if (scale >= a.scale)
		return numeric_rescale(a.mantissa, a.scale, scale, &r->mantissa);
	scale = scale < -100 ? -100 : scale;
	r->mantissa = numeric_divide_pow10(a.mantissa, a.scale - scale, rounding);
	return scale >= 0 || numeric_rescale(r->mantissa, scale, 0, &r->mantissa);
}

BODY bool
numeric_round(NumericValue a, int32_t scale, NumericValue *r)
{
	return numeric_at_scale(a, scale, NUMERIC_ROUND, r);
}

BODY bool
numeric_trunc(NumericValue a, int32_t scale, NumericValue *r)
{
	return numeric_at_scale(a, scale, NUMERIC_TRUNCATE, r);
}

BODY bool
numeric_floor(NumericValue a, NumericValue *r)
{
	return numeric_at_scale(a, 0, NUMERIC_FLOOR, r);
}

BODY bool
numeric_ceil(NumericValue a, NumericValue *r)
{
	return numeric_at_scale(a, 0, NUMERIC_CEIL, r);
}

/* numeric_typmod_precision and _scale of numeric.c; a typmod without either is less than 4 */
#define NUMERIC_TYPMOD_IS_VALID(t)	((t) >= 4)
#define NUMERIC_TYPMOD_PRECISION(t)	((((t) - 4) >> 16) & 0xffff)
#define NUMERIC_TYPMOD_SCALE(t)		(((((t) - 4) & 0x7ff) ^ 1024) - 1024)

/* 10^n is the first mantissa with more digits than the type has, n returned (apply_typmod) */
BODY int
numeric_typmod_digits(int32_t typmod)
{
	const int	scale = NUMERIC_TYPMOD_SCALE(typmod);

	return NUMERIC_TYPMOD_PRECISION(typmod) - (scale < 0 ? scale : 0);
}

/* numeric(): to the scale of numeric(p,s), and an error beyond its precision */
BODY bool
numeric_coerce(NumericValue a, int32_t typmod, NumericValue *r)
{
	int			digits;

	*r = a;
	if (!NUMERIC_TYPMOD_IS_VALID(typmod))
		return true;
	if (!numeric_at_scale(a, NUMERIC_TYPMOD_SCALE(typmod), NUMERIC_ROUND, r))
		return false;
	digits = numeric_typmod_digits(typmod);
	return digits > 38 || (r->mantissa < numeric_pow10(digits) && r->mantissa > -numeric_pow10(digits));
}

BODY bool
numeric_abs(NumericValue a, NumericValue *r)
{
	*r = a;
	return a.mantissa >= 0 || numeric_neg(a, r);
}

BODY bool
numeric_sign(NumericValue a, NumericValue *r)
{
	r->mantissa = a.mantissa < 0 ? -1 : a.mantissa > 0;
	r->scale = 0;
	return true;
}

/* At one scale; false also for a divisor of zero.  -2^127 / -1 has no result. */
SLOW_BODY bool
numeric_divide(NumericValue a, NumericValue b, i128 *quotient, i128 *rest, int32_t *scale)
{
	i128		x,
				y;

	*quotient = *rest = 0;
	*scale = a.scale > b.scale ? a.scale : b.scale;
	if (!numeric_rescale(a.mantissa, a.scale, *scale, &x) || !numeric_rescale(b.mantissa, b.scale, *scale, &y) ||
		y == 0 || x == (i128) ((u128) 1 << 127))
		return false;
	*quotient = x / y;
	*rest = x - *quotient * y;
	return true;
}

/* mod_var: the sign of the dividend, the larger scale */
BODY bool
numeric_mod(NumericValue a, NumericValue b, NumericValue *r)
{
	i128		quotient;

	return numeric_divide(a, b, &quotient, &r->mantissa, &r->scale);
}

/* numeric_div_trunc */
BODY bool
numeric_div_trunc(NumericValue a, NumericValue b, NumericValue *r)
{
	i128		rest;
	bool		done = numeric_divide(a, b, &r->mantissa, &rest, &r->scale);

	r->scale = 0;
	return done;
}

/* numericvar_to_int64 */
BODY bool
numeric_to_int64(NumericValue a, int64_t *r)
{
	const i128	integer = numeric_divide_pow10(a.mantissa, a.scale, NUMERIC_ROUND);

	*r = (int64_t) integer;
	return integer == (int64_t) integer;
}

BODY bool
numeric_to_int32(NumericValue a, int32_t *r)
{
	const i128	integer = numeric_divide_pow10(a.mantissa, a.scale, NUMERIC_ROUND);

	*r = (int32_t) integer;
	return integer == (int32_t) integer;
}

BODY bool
numeric_to_int16(NumericValue a, int32_t *r)
{
	const i128	integer = numeric_divide_pow10(a.mantissa, a.scale, NUMERIC_ROUND);

	*r = (int32_t) integer;
	return integer == (int16_t) integer;
}

/* Without trailing zeros: equal values, equal mantissa and scale. */
BODY NumericValue
numeric_canonical(NumericValue v)
{
	if (v.mantissa == 0)
	{
		v.scale = 0;
		return v;
	}
	if (v.mantissa == (int64_t) v.mantissa)
	{
		int64_t		m = (int64_t) v.mantissa;

		while (v.scale > 0 && m % 10 == 0)
		{
			m /= 10;
			v.scale--;
		}
		v.mantissa = m;
		return v;
	}
	while (v.scale > 0 && v.mantissa % 10 == 0)
	{
		v.mantissa /= 10;
		v.scale--;
	}
	return v;
}

#endif							/* GPUSCAN_PROGRAM_NUMERIC_H */
