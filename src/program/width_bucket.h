/*-------------------------------------------------------------------------
 *
 * width_bucket.h
 *	  width_bucket(x, low, high, count): which of the equal parts of a range.
 *
 * Two steps have been done before: above = x - low, width = high - low
 * (offload/expr.c).  Servers differ in whether they multiply by the count or
 * divide by the width first (float.c, since 2024) and in how they round a
 * quotient (numeric.c compute_bucket), which shows where x is at a bound between
 * two buckets, or nearly.  Such a row is punted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_WIDTH_BUCKET_H
#define GPUSCAN_WIDTH_BUCKET_H

#include "program/floats.h"
#include "program/numeric.h"

BODY bool
bucket_of_float64(double above, double width, int32_t count, int32_t *r)
{
	double		place;
	double		beside;

	*r = 0;
	if (width < 0)
	{
		above = -above;
		width = -width;
	}
	/* NaN, an infinite or no width, no buckets */
	if (!(width > 0) || float64_is_inf(width) || float64_is_nan(above) || count <= 0)
		return false;
	if (above < 0)
		return true;
	if (above > width)
	{
		*r = (int32_t) ((uint32_t) count + 1);
		return count != INT32_MAX;
	}
	/* differences are rounded: x may be high or be less */
	if (above == width || float64_is_inf((double) count * above))
		return false;
	place = above / width * (double) count;
	*r = (int32_t) (int64_t) place;
	beside = place - (double) (int64_t) (place + 0.5);
	if (above != 0 && place >= 0.5 && (beside < 0 ? -beside : beside) <= place * 0x1p-48)
		return false;
	*r += 1;
	return true;
}

/* The quotient has 8 decimals or more (select_div_scale): rounding reaches no farther. */
#define BUCKET_ROUNDING		10000000

BODY bool
bucket_of_numeric(NumericValue above, NumericValue width, int32_t count, int32_t *r)
{
	const int	scale = above.scale > width.scale ? above.scale : width.scale;
	i128		x,
				y;

	*r = 0;
	if (count <= 0 || width.mantissa == 0 ||
		!numeric_rescale(above.mantissa, above.scale, scale, &x) ||
		!numeric_rescale(width.mantissa, width.scale, scale, &y))
		return false;
	if (y < 0 && !(numeric_mul_i128(x, -1, &x) && numeric_mul_i128(y, -1, &y)))
		return false;
	if (x < 0)
		return true;
	if (x >= y)
	{
		*r = (int32_t) ((uint32_t) count + 1);
		return count != INT32_MAX;
	}
	if (!numeric_mul_i128(x, count, &x))
		return false;
	*r = (int32_t) (x / y) + 1;
	x %= y;
	return x == 0 || y - x > y / BUCKET_ROUNDING;
}

#endif							/* GPUSCAN_WIDTH_BUCKET_H */
