/*-------------------------------------------------------------------------
 *
 * floats_libm.h
 *	  Bodies of what libm computes: roots, powers, logarithms, trigonometry.
 *
 * IEEE 754 leaves the last bits of these open, so they run where PostgreSQL's
 * own call runs: on the CPU, by the libm that the server is linked to, one value
 * at a time.  The tests around the calls are float.c's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_FLOATS_LIBM_H
#define GPUSCAN_FLOATS_LIBM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/floats.h"
#include "program/numeric.h"

#define LIBM_BODY static __attribute__((noinline, unused)) bool

/*
 * float8_numeric, float4_numeric: as many digits as surely are right, and the
 * numeric that they spell.  printf rounds them exactly.
 */
static inline bool
numeric_from_digits(double a, int digits, NumericValue *r)
{
	char		buf[40];
	const char *p = buf;
	bool		negative;
	int			scale = 0;
	bool		point = false;

	*r = (NumericValue) {0, 0};
	if (float64_is_nan(a) || float64_is_inf(a))
		return false;
	snprintf(buf, sizeof buf, "%.*g", digits, a);
	negative = *p == '-';
	for (p += negative; *p == '.' || (*p >= '0' && *p <= '9'); p++)
	{
		if (*p == '.')
			point = true;
		else
		{
			r->mantissa = r->mantissa * 10 + (*p - '0');
			scale += point;
		}
	}
	if (*p == 'e')
		scale -= atoi(p + 1);
	if (negative)
		r->mantissa = -r->mantissa;
	r->scale = scale > 0 ? scale : 0;
	return scale <= NUMERIC_SCALE_MAX && (scale >= 0 || (scale >= -NUMERIC_SCALE_MAX && numeric_rescale(r->mantissa, scale, 0, &r->mantissa)));
}

LIBM_BODY
numeric_from_float64(double a, NumericValue *r)
{
	return numeric_from_digits(a, 15, r);	/* DBL_DIG */
}

LIBM_BODY
numeric_from_float32(double a, NumericValue *r)
{
	return numeric_from_digits(a, 6, r);	/* FLT_DIG */
}

/* dcbrt */
LIBM_BODY
float64_cbrt(double a, double *r)
{
	*r = cbrt(a);
	return !(float64_is_inf(*r) && !float64_is_inf(a)) && !(*r == 0 && a != 0);
}

/* dpow: what the standard says of NaN and infinities is spelled out there */
LIBM_BODY
float64_power(double a, double b, double *r)
{
	*r = 0;
	if (float64_is_nan(a))
	{
		*r = float64_is_nan(b) || b != 0 ? (double) NAN : 1;
		return true;
	}
	if (float64_is_nan(b))
	{
		*r = a != 1 ? (double) NAN : 1;
		return true;
	}
	if ((a == 0 && b < 0) || (a < 0 && floor(b) != b))
		return false;
	if (float64_is_inf(b))
	{
		const double size = fabs(a);

		if (size == 1)
			*r = 1;
		else if (b > 0)
			*r = size > 1 ? b : 0;
		else
			*r = size > 1 ? 0 : -b;
		return true;
	}
	if (float64_is_inf(a))
	{
		const double half = b / 2;
		const bool	odd = floor(half) != half;

		if (b == 0)
			*r = 1;
		else if (a > 0)
			*r = b > 0 ? a : 0;
		else if (b > 0)
			*r = odd ? a : -a;
		else
			*r = odd ? -0.0 : 0.0;
		return true;
	}
	errno = 0;
	*r = pow(a, b);
	/* EDOM: an old libm's mistake, which PostgreSQL is left to deal with */
	return errno != EDOM && errno != ERANGE && !float64_is_nan(*r) && !float64_is_inf(*r) && !(*r == 0 && a != 0);
}

/* dexp */
LIBM_BODY
float64_exp(double a, double *r)
{
	if (float64_is_nan(a))
	{
		*r = a;
		return true;
	}
	if (float64_is_inf(a))
	{
		*r = a > 0 ? a : 0;
		return true;
	}
	errno = 0;
	*r = exp(a);
	return errno != ERANGE && !float64_is_inf(*r) && *r != 0;
}

/* dlog1, dlog10: of what is not positive there is none */
#define LOGARITHM_BODY(name, function) \
LIBM_BODY \
name(double a, double *r) \
{ \
	*r = 0; \
	if (a <= 0) \
		return false; \
	*r = function(a); \
	return !(float64_is_inf(*r) && !float64_is_inf(a)) && !(*r == 0 && a != 1); \
}

LOGARITHM_BODY(float64_ln, log)
LOGARITHM_BODY(float64_log10, log10)
#undef LOGARITHM_BODY

/* dacos, dasin: within [-1, 1] */
#define ARC_BODY(name, function) \
LIBM_BODY \
name(double a, double *r) \
{ \
	*r = (double) NAN; \
	if (float64_is_nan(a)) \
		return true; \
	if (a < -1 || a > 1) \
		return false; \
	*r = function(a); \
	return !float64_is_inf(*r); \
}

ARC_BODY(float64_acos, acos)
ARC_BODY(float64_asin, asin)
#undef ARC_BODY

/* datan, datan2 */
LIBM_BODY
float64_atan(double a, double *r)
{
	*r = float64_is_nan(a) ? (double) NAN : atan(a);
	return !float64_is_inf(*r);
}

LIBM_BODY
float64_atan2(double a, double b, double *r)
{
	*r = float64_is_nan(a) || float64_is_nan(b) ? (double) NAN : atan2(a, b);
	return !float64_is_inf(*r);
}

/* dcos, dsin, dtan, dcot: infinity has none */
#define CIRCULAR_BODY(name, function, result, may_be_infinite) \
LIBM_BODY \
name(double a, double *r) \
{ \
	double		x; \
	*r = (double) NAN; \
	if (float64_is_nan(a)) \
		return true; \
	if (float64_is_inf(a)) \
		return false; \
	errno = 0; \
	x = function(a); \
	*r = (result); \
	return errno == 0 && ((may_be_infinite) || !float64_is_inf(*r)); \
}

CIRCULAR_BODY(float64_cos, cos, x, false)
CIRCULAR_BODY(float64_sin, sin, x, false)
CIRCULAR_BODY(float64_tan, tan, x, true)
CIRCULAR_BODY(float64_cot, tan, 1.0 / x, true)
#undef CIRCULAR_BODY

/* dsinh, dcosh, dtanh: infinite where it is too large */
LIBM_BODY
float64_sinh(double a, double *r)
{
	errno = 0;
	*r = sinh(a);
	if (errno == ERANGE)
		*r = a < 0 ? -(double) INFINITY : (double) INFINITY;
	return true;
}

LIBM_BODY
float64_cosh(double a, double *r)
{
	errno = 0;
	*r = cosh(a);
	if (errno == ERANGE)
		*r = (double) INFINITY;
	return *r != 0;
}

LIBM_BODY
float64_tanh(double a, double *r)
{
	*r = tanh(a);
	return !float64_is_inf(*r);
}

/* dasinh, dacosh, datanh */
LIBM_BODY
float64_asinh(double a, double *r)
{
	*r = asinh(a);
	return true;
}

LIBM_BODY
float64_acosh(double a, double *r)
{
	*r = 0;
	if (a < 1)
		return false;
	*r = acosh(a);
	return true;
}

LIBM_BODY
float64_atanh(double a, double *r)
{
	*r = 0;
	if (a < -1 || a > 1)
		return false;
	*r = a == -1 ? -(double) INFINITY : a == 1 ? (double) INFINITY : atanh(a);
	return true;
}

#endif							/* GPUSCAN_FLOATS_LIBM_H */
