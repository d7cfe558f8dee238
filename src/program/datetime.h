/*-------------------------------------------------------------------------
 *
 * datetime.h
 *	  Bodies of date arithmetic, after PostgreSQL's date.c.
 *
 * A date is days since 2000-01-01; INT32_MIN and INT32_MAX are -infinity and
 * infinity (utils/date.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_DATETIME_H
#define GPUSCAN_DATETIME_H

#include "program/portable.h"

#define DATE_IS_FINITE(d)	((d) != INT32_MIN && (d) != INT32_MAX)

/* IS_VALID_DATE of datatype/timestamp.h: 4714-11-24 BC to 5874898-01-01, less one day */
#define DATE_FIRST_VALID	(-2451545)
#define DATE_AFTER_VALID	(2147483494 - 2451545)

BODY bool
date_in_range(int64_t d)
{
	return d >= DATE_FIRST_VALID && d < DATE_AFTER_VALID;
}

/* date_pli */
BODY bool
date_plus_int(int32_t date, int32_t days, int32_t *r)
{
	int64_t		sum = (int64_t) date + days;

	*r = DATE_IS_FINITE(date) ? (int32_t) sum : date;
	return !DATE_IS_FINITE(date) || date_in_range(sum);
}

/* date_mii */
BODY bool
date_minus_int(int32_t date, int32_t days, int32_t *r)
{
	int64_t		diff = (int64_t) date - days;

	*r = DATE_IS_FINITE(date) ? (int32_t) diff : date;
	return !DATE_IS_FINITE(date) || date_in_range(diff);
}

/* date_mi: "cannot subtract infinite dates" */
BODY bool
date_diff(int32_t a, int32_t b, int32_t *r)
{
	*r = (int32_t) ((uint32_t) a - (uint32_t) b);
	return DATE_IS_FINITE(a) && DATE_IS_FINITE(b);
}

/*
 * date2timestamp: microseconds; infinities stay.  From 294277-01-01 on (in
 * days since 2000-01-01: TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE) there is
 * no timestamp: an error in a cast, and another comparison in date.c.
 */
#define DATE_AFTER_TIMESTAMPS	(109203528 - 2451545)
#define DATE_USECS_PER_DAY		86400000000LL

BODY bool
date_to_timestamp(int32_t date, int64_t *r)
{
	*r = date == INT32_MIN ? INT64_MIN :
		date == INT32_MAX ? INT64_MAX :
		(int64_t) ((uint64_t) date * (uint64_t) DATE_USECS_PER_DAY);
	return !DATE_IS_FINITE(date) || date < DATE_AFTER_TIMESTAMPS;
}

#endif							/* GPUSCAN_DATETIME_H */
