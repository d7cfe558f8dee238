/*-------------------------------------------------------------------------
 *
 * interval.h
 *	  Intervals: timestamp.h Interval, whose 16 bytes a register has as a text.
 *
 * Which interval is the longer one is asked of its span (timestamp.c
 * interval_cmp_value): a month has 30 days, a day 24 hours.  '1 day' and
 * '24 hours' are equal, and shown differently.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_INTERVAL_H
#define GPUSCAN_INTERVAL_H

#include "program/datetime.h"
#include "program/text_view.h"

#define INTERVAL_SIZE	16
#define INTERVAL_MOST_DAYS	(DATE_AFTER_TIMESTAMPS - DATE_FIRST_VALID)

typedef struct IntervalValue
{
	int64_t		time;			/* microseconds */
	int32_t		day;
	int32_t		month;
} IntervalValue;

/* Below a NULL there is no interval, but a text of no bytes. */
BODY IntervalValue
interval_of(TextView v)
{
	IntervalValue value = {0, 0, 0};

	if (v.len == INTERVAL_SIZE)
	{
		value.time = (int64_t) load_u64(v.ptr);
		value.day = (int32_t) load_u32(v.ptr + 8);
		value.month = (int32_t) load_u32(v.ptr + 12);
	}
	return value;
}

/* < 0, 0, > 0 */
SLOW_BODY int
interval_compare(IntervalValue x, IntervalValue y)
{
	const i128	x_span = (x.month * INT64_C(30) + x.day) * (i128) DATE_USECS_PER_DAY + x.time;
	const i128	y_span = (y.month * INT64_C(30) + y.day) * (i128) DATE_USECS_PER_DAY + y.time;

	return x_span < y_span ? -1 : x_span > y_span;
}

#define COMPARE_BODY(name, op) \
BODY bool name(TextView a, TextView b, uint8_t *r) \
{ *r = interval_compare(interval_of(a), interval_of(b)) op 0; return true; }
COMPARE_BODY(interval_eq, ==)
COMPARE_BODY(interval_ne, !=)
COMPARE_BODY(interval_lt, <)
COMPARE_BODY(interval_le, <=)
COMPARE_BODY(interval_gt, >)
COMPARE_BODY(interval_ge, >=)
#undef COMPARE_BODY

/* interval_pl: each field by itself, none of which may overflow; false where one does */
BODY bool
interval_add(IntervalValue a, IntervalValue b, IntervalValue *r)
{
	IntervalValue sum;
	const bool	time = __builtin_add_overflow(a.time, b.time, &sum.time);
	const bool	day = __builtin_add_overflow(a.day, b.day, &sum.day);
	const bool	month = __builtin_add_overflow(a.month, b.month, &sum.month);

	*r = sum;
	return !(time || day || month);
}

/* interval_mi, likewise */
BODY bool
interval_subtract(IntervalValue a, IntervalValue b, IntervalValue *r)
{
	IntervalValue rest;
	const bool	time = __builtin_sub_overflow(a.time, b.time, &rest.time);
	const bool	day = __builtin_sub_overflow(a.day, b.day, &rest.day);
	const bool	month = __builtin_sub_overflow(a.month, b.month, &rest.month);

	*r = rest;
	return !(time || day || month);
}

/* Infinite, from PostgreSQL 17 on (INTERVAL_IS_NOBEGIN, INTERVAL_IS_NOEND); before, only long. */
BODY bool
interval_may_be_infinite(IntervalValue v)
{
	return (v.month == INT32_MIN && v.day == INT32_MIN && v.time == INT64_MIN) ||
		(v.month == INT32_MAX && v.day == INT32_MAX && v.time == INT64_MAX);
}

/* timestamp_pl_interval, of an interval that is in the row: months, days, time, one after the other */
SLOW_BODY bool
timestamp_plus_interval(TextView span, int64_t t, int64_t *r)
{
	const IntervalValue value = interval_of(span);

	*r = t;
	/* more days than there are timestamps lead out of them */
	if (interval_may_be_infinite(value) || value.day < -INTERVAL_MOST_DAYS || value.day > INTERVAL_MOST_DAYS)
		return false;
	if (value.month != 0 && !timestamp_plus_months(*r, value.month, r))
		return false;
	return timestamp_plus(*r, value.day * DATE_USECS_PER_DAY, r) && timestamp_plus(*r, value.time, r);
}

/*
 * extract of an interval, before it becomes a numeric, as interval2itm and
 * interval_part_common have it: hours are of the time, years of the months; the
 * epoch in microseconds.
 */
BODY bool
interval_field(TextView v, int64_t field, int64_t *r)
{
	const IntervalValue span = interval_of(v);
	const i128	days = (i128) 1461 * (span.month / 12) + 120 * (span.month % 12) + INT64_C(4) * span.day;	/* quarters of them */
	const i128	epoch = days * (DATE_USECS_PER_DAY / 4) + span.time;

	*r = 0;
	if (interval_may_be_infinite(span))
		return false;
	switch (field)
	{
		case FIELD_DAY:
			*r = span.day;
			return true;
		case FIELD_MONTH:
			*r = span.month % 12;
			return true;
		case FIELD_YEAR:
			*r = span.month / 12;
			return true;
		case FIELD_DECADE:
			*r = span.month / 120;
			return true;
		case FIELD_CENTURY:
			*r = span.month / 1200;
			return true;
		case FIELD_MILLENNIUM:
			*r = span.month / 12000;
			return true;
		case FIELD_EPOCH:
			*r = (int64_t) epoch;
			return epoch == (int64_t) epoch;
		default:
			return time_field(field, span.time, r);
	}
}

/* date_part of the epoch, in the order of interval_part_common */
BODY bool
interval_seconds(TextView v, double *r)
{
	const IntervalValue span = interval_of(v);
	double		seconds = (double) span.time / 1000000.0;

	seconds += (365.25 * 86400) * (span.month / 12);
	seconds += (30.0 * 86400) * (span.month % 12);
	seconds += 86400.0 * span.day;
	*r = seconds;
	return !interval_may_be_infinite(span);
}

#endif							/* GPUSCAN_INTERVAL_H */
