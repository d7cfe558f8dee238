/*-------------------------------------------------------------------------
 *
 * floats.h
 *	  Bodies of operators over floating point (float.c, utils/float.h).
 *
 * real and double precision lie alike, as doubles.  An operator of two reals
 * computes in double and rounds once more to float: for + - * / and sqrt that
 * is what float arithmetic gives, since a double has more than twice the digits
 * of a float and two to spare (innocuous double rounding), and where floats
 * become denormal, sums and products are exact in double.
 *
 * Only what IEEE 754 defines to the last bit stands here, so a device has it
 * too; what libm computes is in floats_libm.h.  Nothing is contracted (see the
 * Makefile).  A body that returns false has met one of float.c's errors.
 *
 * Which NaN comes out of NaNs is the processor's choice, in PostgreSQL as here;
 * all are printed alike.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_FLOATS_H
#define GPUSCAN_FLOATS_H

#include <float.h>
#include <math.h>

#include "program/numeric.h"
#include "program/portable.h"

BODY uint64_t
float64_bits(double a)
{
	uint64_t	bits;

	memcpy(&bits, &a, sizeof bits);
	return bits;
}

BODY double
float64_from_bits(uint64_t bits)
{
	double		a;

	memcpy(&a, &bits, sizeof a);
	return a;
}

BODY double
float64_from_float_bits(uint32_t bits)
{
	float		a;

	memcpy(&a, &bits, sizeof a);
	return a;
}

BODY bool
float64_is_nan(double a)
{
	return a != a;
}

/* These two give 0 or 1, to be joined without a branch. */
BODY int
float64_is_inf(double a)
{
	return (a > DBL_MAX) | (a < -DBL_MAX);
}

BODY int
float64_no_inf(double a)
{
	return 1 ^ float64_is_inf(a);
}

/* to float and back */
BODY double
float32_round(double a)
{
	return (double) (float) a;
}

/*
 * As a grouping key: equal values, equal words.  0 and -0 are equal, and so are
 * all NaNs (float8_eq, hashfloat8); with which sign a key is shown stands apart.
 */
#define FLOAT64_KEY_NAN		UINT64_C(0x7FF8000000000000)

BODY uint64_t
float64_key(double a)
{
	return a == 0 ? 0 : a != a ? FLOAT64_KEY_NAN : float64_bits(a);
}

BODY uint8_t
float64_key_sign(double a)
{
	return (a == 0 || a != a) && float64_bits(a) >> 63 != 0;
}

BODY double
float64_from_key(uint64_t word, bool sign)
{
	return float64_from_bits(word | (uint64_t) sign << 63);
}

/*
 * NaN is equal to NaN and greater than all else (float8_eq and its kin).
 * Without branches, so that loops over them vectorise.
 */
BODY bool float64_eq(double a, double b, uint8_t *r) { *r = (a == b) | ((a != a) & (b != b)); return true; }
BODY bool float64_ne(double a, double b, uint8_t *r) { *r = !((a == b) | ((a != a) & (b != b))); return true; }
BODY bool float64_lt(double a, double b, uint8_t *r) { *r = (a < b) | ((a == a) & (b != b)); return true; }
BODY bool float64_le(double a, double b, uint8_t *r) { *r = (a <= b) | (b != b); return true; }
BODY bool float64_gt(double a, double b, uint8_t *r) { *r = (a > b) | ((a != a) & (b == b)); return true; }
BODY bool float64_ge(double a, double b, uint8_t *r) { *r = (a >= b) | (a != a); return true; }

/*
 * float8_pl, float8_mi, float8_mul, float8_div and those of float4: overflow
 * where finite operands give an infinite result, underflow where those that are
 * not zero give zero.
 */
#define ARITHMETIC_BODIES(prefix, rounded) \
BODY bool \
prefix##_add(double a, double b, double *r) \
{ \
	const double s = rounded(a + b); \
	*r = s; \
	return !(float64_is_inf(s) & float64_no_inf(a) & float64_no_inf(b)); \
} \
BODY bool \
prefix##_sub(double a, double b, double *r) \
{ \
	const double s = rounded(a - b); \
	*r = s; \
	return !(float64_is_inf(s) & float64_no_inf(a) & float64_no_inf(b)); \
} \
BODY bool \
prefix##_mul(double a, double b, double *r) \
{ \
	const double s = rounded(a * b); \
	*r = s; \
	return !((float64_is_inf(s) & float64_no_inf(a) & float64_no_inf(b)) | \
			 ((s == 0) & (a != 0) & (b != 0))); \
} \
BODY bool \
prefix##_div(double a, double b, double *r) \
{ \
	const double s = rounded(a / b); \
	*r = s; \
	return !(((b == 0) & (a == a)) | (float64_is_inf(s) & float64_no_inf(a)) | \
			 ((s == 0) & (a != 0) & float64_no_inf(b))); \
}

#define ROUNDED_FLOAT64(x)	(x)
#define ROUNDED_FLOAT32(x)	float32_round(x)
ARITHMETIC_BODIES(float64, ROUNDED_FLOAT64)
ARITHMETIC_BODIES(float32, ROUNDED_FLOAT32)
#undef ARITHMETIC_BODIES
#undef ROUNDED_FLOAT64
#undef ROUNDED_FLOAT32

BODY bool
float64_neg(double a, double *r)
{
	*r = -a;
	return true;
}

BODY bool
float64_copy(double a, double *r)
{
	*r = a;
	return true;
}

BODY bool
float64_abs(double a, double *r)
{
	*r = fabs(a);
	return true;
}

/* dceil, dfloor, dround (to even), dtrunc, dsign (of NaN: 0) */
BODY bool
float64_ceil(double a, double *r)
{
	*r = ceil(a);
	return true;
}

BODY bool
float64_floor(double a, double *r)
{
	*r = floor(a);
	return true;
}

BODY bool
float64_round(double a, double *r)
{
	*r = rint(a);
	return true;
}

BODY bool
float64_trunc(double a, double *r)
{
	*r = a >= 0 ? floor(a) : -floor(-a);
	return true;
}

BODY bool
float64_sign(double a, double *r)
{
	*r = a > 0 ? 1.0 : a < 0 ? -1.0 : 0.0;
	return true;
}

/* dsqrt: it neither overflows nor underflows */
BODY bool
float64_sqrt(double a, double *r)
{
	*r = sqrt(a < 0 ? 0.0 : a);
	return !(a < 0);
}

/* degrees, radians: float.c's RADIANS_PER_DEGREE */
#define FLOAT64_RADIANS_PER_DEGREE 0.0174532925199432957692

BODY bool
float64_degrees(double a, double *r)
{
	return float64_div(a, FLOAT64_RADIANS_PER_DEGREE, r);
}

BODY bool
float64_radians(double a, double *r)
{
	return float64_mul(a, FLOAT64_RADIANS_PER_DEGREE, r);
}

/* ------------------------------------------------------------------------
 * Casts
 * ------------------------------------------------------------------------
 */

BODY bool
float64_from_int32(int32_t a, double *r)
{
	*r = a;
	return true;
}

BODY bool
float64_from_int64(int64_t a, double *r)
{
	*r = (double) a;
	return true;
}

/*
 * date_part of microseconds (timestamp.c, timestamp_part_common): what it divides
 * and adds, in its order, which is not always the double nearest to the quotient.
 */
BODY bool
float64_field_seconds(int64_t usecs, double *r)
{
	*r = (double) (usecs / 1000000) + (double) (usecs % 1000000) / 1000000.0;
	return true;
}

BODY bool
float64_field_milliseconds(int64_t usecs, double *r)
{
	*r = (double) (usecs / 1000000) * 1000.0 + (double) (usecs % 1000000) / 1000.0;
	return true;
}

BODY bool
float64_epoch_seconds(int64_t usecs, double *r)
{
	*r = (double) usecs / 1000000.0;
	return true;
}

BODY bool
float32_from_int32(int32_t a, double *r)
{
	*r = (float) a;
	return true;
}

/* not by way of double: that would round twice */
BODY bool
float32_from_int64(int64_t a, double *r)
{
	*r = (float) a;
	return true;
}

/* dtof */
BODY bool
float32_from_float64(double a, double *r)
{
	const double s = float32_round(a);

	*r = s;
	return !((float64_is_inf(s) & float64_no_inf(a)) | ((s == 0) & (a != 0)));
}

/* dtoi2, dtoi4, dtoi8, ftoi2, ...: rounded to even, then the range is checked; NaN is out of it */
#define TO_INTEGER_BODY(name, type, below) \
BODY bool \
name(double a, type *r) \
{ \
	const double n = rint(a); \
	const bool	fits = (n >= -(below)) & (n < (below)); \
	*r = (type) (fits ? n : 0.0); \
	return fits; \
}

TO_INTEGER_BODY(int16_from_float64, int32_t, 32768.0)
TO_INTEGER_BODY(int32_from_float64, int32_t, 2147483648.0)
TO_INTEGER_BODY(int64_from_float64, int64_t, 9223372036854775808.0)
#undef TO_INTEGER_BODY

/*
 * numeric_float8 prints the number and reads it by strtod, which rounds
 * correctly.  Up to 2^53 and 10^22 mantissa and power of ten are exact in
 * double, so their quotient, rounded once, is the same number.  Others are
 * punted.
 */
#define FLOAT64_EXACT		(INT64_C(1) << 53)
#define FLOAT64_EXACT_POW10	22

BODY bool
float64_from_numeric(NumericValue a, double *r)
{
	const int64_t m = (int64_t) a.mantissa;
	double		power = 1;

	*r = 0;
	if (a.mantissa > FLOAT64_EXACT || a.mantissa < -FLOAT64_EXACT || a.scale > FLOAT64_EXACT_POW10)
		return false;
	/* powers of ten up to 10^22, each of these products is exact */
	for (int i = 0; i < a.scale; i++)
		power *= 10;
	*r = (double) m / power;
	return true;
}

/*
 * numeric_float4 reads by strtof.  The double nearest to the number rounds to
 * the float nearest to the number, unless it is itself the middle between two
 * floats: then it does not tell on which side the number lies.  (No number of
 * 22 decimals is so small that floats are denormal there.)
 */
BODY bool
float32_from_numeric(NumericValue a, double *r)
{
	double		d;

	*r = 0;
	if (!float64_from_numeric(a, &d))
		return false;
	*r = float32_round(d);
	return (float64_bits(d) & UINT64_C(0x1FFFFFFF)) != UINT64_C(0x10000000);
}

/* ------------------------------------------------------------------------
 * Transitions of aggregates: one more argument.  False: float.c's overflow.
 * ------------------------------------------------------------------------
 */

typedef struct FloatMoments
{
	double		n;				/* arguments so far */
	double		sum;
	double		sxx;			/* sum of (x - sum/n)^2 */
} FloatMoments;

/* float8pl, float4pl; the first argument is the first sum */
BODY bool
float64_sum_step(FloatMoments *m, double x)
{
	const bool	first = m->n == 0;

	m->n += 1;
	if (first)
	{
		m->sum = x;
		return true;
	}
	return float64_add(m->sum, x, &m->sum);
}

BODY bool
float32_sum_step(FloatMoments *m, double x)
{
	const bool	first = m->n == 0;

	m->n += 1;
	if (first)
	{
		m->sum = x;
		return true;
	}
	return float32_add(m->sum, x, &m->sum);
}

/* float8_accum, float4_accum: Youngs and Cramer's way */
BODY bool
float64_moments_step(FloatMoments *m, double x)
{
	const double before = m->n,
				old_sum = m->sum;
	bool		fits = true;

	m->n += 1;
	m->sum += x;
	if (before > 0)
	{
		const double t = x * m->n - m->sum;

		m->sxx += t * t / (m->n * before);
		if (float64_is_inf(m->sum) || float64_is_inf(m->sxx))
		{
			fits = float64_is_inf(old_sum) || float64_is_inf(x);
			m->sxx = (double) NAN;
		}
	}
	else if (float64_is_nan(x) || float64_is_inf(x))
		m->sxx = (double) NAN;
	return fits;
}

#endif							/* GPUSCAN_FLOATS_H */
