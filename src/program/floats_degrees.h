/*-------------------------------------------------------------------------
 *
 * floats_degrees.h
 *	  Trigonometry of degrees: float.c sind, asind and their kin.
 *
 * They are exact at the angles that people expect to be exact: each is pieced
 * together of libm's functions, scaled by libm's own values at 30, 45 and 60
 * degrees (init_degree_constants).  Those are asked of libm when the first value
 * comes, as PostgreSQL asks it: what a compiler makes of sin(30 degrees) may
 * differ in the last bit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_FLOATS_DEGREES_H
#define GPUSCAN_FLOATS_DEGREES_H

#include "program/floats_libm.h"

#define RADIANS_A_DEGREE	0.0174532925199432957692	/* RADIANS_PER_DEGREE */

typedef struct DegreeConstants
{
	bool		set;
	double		sin_30;
	double		one_minus_cos_60;
	double		asin_0_5;
	double		acos_0_5;
	double		atan_1;
} DegreeConstants;

static const DegreeConstants *
degree_constants(void)
{
	static DegreeConstants c;
	/* volatile: computed when it runs */
	static volatile const double thirty = 30;
	static volatile const double sixty = 60;
	static volatile const double half = 0.5;
	static volatile const double one = 1;

	if (!c.set)
	{
		c.sin_30 = sin(thirty * RADIANS_A_DEGREE);
		c.one_minus_cos_60 = 1.0 - cos(sixty * RADIANS_A_DEGREE);
		c.asin_0_5 = asin(half);
		c.acos_0_5 = acos(half);
		c.atan_1 = atan(one);
		c.set = true;
	}
	return &c;
}

/* of 0 to 30, and 0 to 60 degrees: exact at both ends */
static inline double
degrees_sin_to_30(double x)
{
	return (sin(x * RADIANS_A_DEGREE) / degree_constants()->sin_30) / 2.0;
}

static inline double
degrees_cos_to_60(double x)
{
	return 1.0 - ((1.0 - cos(x * RADIANS_A_DEGREE)) / degree_constants()->one_minus_cos_60) / 2.0;
}

/* of the first quadrant: sind_q1, cosd_q1, asind_q1, acosd_q1 */
static inline double
degrees_sin_q1(double x)
{
	return x <= 30.0 ? degrees_sin_to_30(x) : degrees_cos_to_60(90.0 - x);
}

static inline double
degrees_cos_q1(double x)
{
	return x <= 60.0 ? degrees_cos_to_60(x) : degrees_sin_to_30(90.0 - x);
}

static inline double
degrees_asin_q1(double x)
{
	return x <= 0.5 ? (asin(x) / degree_constants()->asin_0_5) * 30.0 :
		90.0 - (acos(x) / degree_constants()->acos_0_5) * 60.0;
}

static inline double
degrees_acos_q1(double x)
{
	return x <= 0.5 ? 90.0 - (asin(x) / degree_constants()->asin_0_5) * 30.0 :
		(acos(x) / degree_constants()->acos_0_5) * 60.0;
}

/* An angle within the first quadrant, and in which others it was: below 0, beyond 180, beyond 90 */
typedef struct DegreeAngle
{
	double		angle;
	bool		negative;
	bool		beyond_180;
	bool		beyond_90;
} DegreeAngle;

static inline DegreeAngle
degrees_reduced(double a)
{
	DegreeAngle x = {fmod(a, 360.0), false, false, false};

	x.negative = x.angle < 0;
	x.angle = x.negative ? -x.angle : x.angle;
	x.beyond_180 = x.angle > 180;
	x.angle = x.beyond_180 ? 360 - x.angle : x.angle;
	x.beyond_90 = x.angle > 90;
	x.angle = x.beyond_90 ? 180 - x.angle : x.angle;
	return x;
}

/* NaN of NaN; infinite angles are an error */
#define DEGREES_OF_ANGLE(name, value) \
LIBM_BODY \
name(double a, double *r) \
{ \
	DegreeAngle x; \
	*r = (double) NAN; \
	if (float64_is_nan(a)) \
		return true; \
	if (float64_is_inf(a)) \
		return false; \
	x = degrees_reduced(a); \
	*r = value; \
	return true; \
}

/* dtand, dcotd: never minus zero */
static inline double
degrees_signed(const DegreeAngle *x, double size)
{
	const double r = ((x->negative ^ x->beyond_180) ^ x->beyond_90 ? -1 : 1) * size;

	return r == 0 ? 0 : r;
}

DEGREES_OF_ANGLE(float64_sind, (x.negative ^ x.beyond_180 ? -1 : 1) * degrees_sin_q1(x.angle))
DEGREES_OF_ANGLE(float64_cosd, (x.beyond_90 ? -1 : 1) * degrees_cos_q1(x.angle))
DEGREES_OF_ANGLE(float64_tand, degrees_signed(&x, (degrees_sin_q1(x.angle) / degrees_cos_q1(x.angle)) / (degrees_sin_q1(45) / degrees_cos_q1(45))))
DEGREES_OF_ANGLE(float64_cotd, degrees_signed(&x, (degrees_cos_q1(x.angle) / degrees_sin_q1(x.angle)) / (degrees_cos_q1(45) / degrees_sin_q1(45))))
#undef DEGREES_OF_ANGLE

/* dasind, dacosd: within [-1, 1] */
LIBM_BODY
float64_asind(double a, double *r)
{
	*r = float64_is_nan(a) ? (double) NAN : a >= 0 ? degrees_asin_q1(a) : -degrees_asin_q1(-a);
	return !(a < -1 || a > 1);
}

LIBM_BODY
float64_acosd(double a, double *r)
{
	*r = float64_is_nan(a) ? (double) NAN : a >= 0 ? degrees_acos_q1(a) : 90.0 + degrees_asin_q1(-a);
	return !(a < -1 || a > 1);
}

/* datand, datan2d */
LIBM_BODY
float64_atand(double a, double *r)
{
	*r = float64_is_nan(a) ? (double) NAN : (atan(a) / degree_constants()->atan_1) * 45.0;
	return true;
}

LIBM_BODY
float64_atan2d(double a, double b, double *r)
{
	*r = float64_is_nan(a) || float64_is_nan(b) ? (double) NAN : (atan2(a, b) / degree_constants()->atan_1) * 45.0;
	return true;
}

#endif							/* GPUSCAN_FLOATS_DEGREES_H */
