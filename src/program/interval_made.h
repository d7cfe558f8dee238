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

/*
 * timestamp_age, timestamptz_age: years, months, days and time between, by the
 * calendar; of two with time zone, between their local times.  a_first: a is the
 * earlier one, and the result is negative.
 */
SLOW_BODY bool
interval_age(int64_t a, int64_t b, uint8_t a_first, TextRoom *room, TextView *r)
{
	const int32_t a_day = timestamp_day(a);
	const int32_t b_day = timestamp_day(b);
	const int	sign = a_first ? -1 : 1;
	CalendarDate x,
				y;
	int64_t		time;
	int32_t		days;
	int32_t		months;

	if (!timestamp_in_range(a) || !timestamp_in_range(b))
		return text_is("", 0, r) && false;
	x = calendar_from_julian(a_day + DATE_EPOCH_JULIAN);
	y = calendar_from_julian(b_day + DATE_EPOCH_JULIAN);
	time = sign * ((a - a_day * DATE_USECS_PER_DAY) - (b - b_day * DATE_USECS_PER_DAY));
	days = sign * (x.day - y.day);
	months = sign * ((x.year - y.year) * 12 + x.month - y.month);

	/* a field below zero takes one of the next; a month has the days of the earlier one's */
	while (time < 0)
	{
		time += DATE_USECS_PER_DAY;
		days--;
	}
	for (; days < 0; months--)
		days += a_first ? calendar_month_days(x.year, x.month) : calendar_month_days(y.year, y.month);
	return interval_made(sign * time, sign * days, sign * months, room, r);
}

#endif							/* GPUSCAN_INTERVAL_MADE_H */
