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
