/*-------------------------------------------------------------------------
 *
 * timetz.h
 *	  Times with time zone: date.h TimeTzADT, whose 12 bytes (microseconds, and
 *	  seconds west of UTC) a register has as a text.
 *
 * Equal are those of equal bytes (date.c timetz_cmp_internal), so equality and
 * grouping are those of bytea.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TIMETZ_H
#define GPUSCAN_TIMETZ_H

#include "program/text_view.h"

#define TIMETZ_SIZE		12

/* timetz_cmp_internal: by the time at UTC, then by zone; below a NULL there is no value */
BODY int
timetz_compare(TextView a, TextView b)
{
	int64_t		x,
				y;
	int32_t		x_zone,
				y_zone;

	if (a.len != TIMETZ_SIZE || b.len != TIMETZ_SIZE)
		return 0;
	x_zone = (int32_t) load_u32(a.ptr + 8);
	y_zone = (int32_t) load_u32(b.ptr + 8);
	x = (int64_t) (load_u64(a.ptr) + (uint64_t) (x_zone * INT64_C(1000000)));
	y = (int64_t) (load_u64(b.ptr) + (uint64_t) (y_zone * INT64_C(1000000)));
	if (x != y)
		return x < y ? -1 : 1;
	return x_zone < y_zone ? -1 : x_zone > y_zone;
}

#define COMPARE_BODY(name, op) \
BODY bool name(TextView a, TextView b, uint8_t *r) \
{ *r = timetz_compare(a, b) op 0; return true; }
COMPARE_BODY(timetz_lt, <)
COMPARE_BODY(timetz_le, <=)
COMPARE_BODY(timetz_gt, >)
COMPARE_BODY(timetz_ge, >=)
#undef COMPARE_BODY

#endif							/* GPUSCAN_TIMETZ_H */
