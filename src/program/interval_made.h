/*-------------------------------------------------------------------------
 *
 * interval_made.h
 *	  Operators that make an interval: bodies of lines TEXT_OP (text_made.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_INTERVAL_MADE_H
#define GPUSCAN_INTERVAL_MADE_H

#include "program/interval.h"
#include "program/text_made.h"

BODY bool
interval_made(int64_t time, int32_t day, int32_t month, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, INTERVAL_SIZE);

	if (unlikely_(!to))
		return false;
	memcpy(to, &time, 8);
	memcpy(to + 8, &day, 4);
	memcpy(to + 12, &month, 4);
	return text_made(room, to + INTERVAL_SIZE, r);
}

/* timestamp_mi: infinities are an error, or an infinite interval; the hours of whole days are days */
BODY bool
interval_of_timestamps(int64_t a, int64_t b, TextRoom *room, TextView *r)
{
	const int64_t time = (int64_t) ((uint64_t) a - (uint64_t) b);

	if (!TIMESTAMP_IS_FINITE(a) || !TIMESTAMP_IS_FINITE(b) || ((a ^ b) & (a ^ time)) < 0)
		return text_is("", 0, r) && false;
	return interval_made(time % DATE_USECS_PER_DAY, (int32_t) (time / DATE_USECS_PER_DAY), 0, room, r);
}

/* date.c time_mi_time */
BODY bool
interval_of_times(int64_t a, int64_t b, TextRoom *room, TextView *r)
{
	return interval_made((int64_t) ((uint64_t) a - (uint64_t) b), 0, 0, room, r);
}

/* interval_pl, interval_mi */
BODY bool
interval_sum(TextView a, TextView b, bool minus, TextRoom *room, TextView *r)
{
	const IntervalValue x = interval_of(a);
	const IntervalValue y = interval_of(b);
	IntervalValue sum;

	if (interval_may_be_infinite(x) || interval_may_be_infinite(y) ||
		(minus ? !interval_subtract(x, y, &sum) : !interval_add(x, y, &sum)))
		return text_is("", 0, r) && false;
	return interval_made(sum.time, sum.day, sum.month, room, r);
}

BODY bool
interval_plus(TextView a, TextView b, TextRoom *room, TextView *r)
{
	return interval_sum(a, b, false, room, r);
}

BODY bool
interval_minus(TextView a, TextView b, TextRoom *room, TextView *r)
{
	return interval_sum(a, b, true, room, r);
}

/* interval_um */
BODY bool
interval_negated(TextView a, TextRoom *room, TextView *r)
{
	return interval_sum((TextView) {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", INTERVAL_SIZE, 0}, a, true, room, r);
}

#endif							/* GPUSCAN_INTERVAL_MADE_H */
