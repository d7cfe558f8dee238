/*-------------------------------------------------------------------------
 *
 * datetime.h
 *	  Bodies of date and time arithmetic, after PostgreSQL's date.c, timestamp.c
 *	  and datetime.c.
 *
 * A date is days since 2000-01-01; INT32_MIN and INT32_MAX are -infinity and
 * infinity (utils/date.h).  A timestamp is microseconds since 2000-01-01
 * 00:00; INT64_MIN and INT64_MAX are -infinity and infinity
 * (datatype/timestamp.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_DATETIME_H
#define GPUSCAN_DATETIME_H

#include "program/portable.h"
#include "program/text_view.h"

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

/* ------------------------------------------------------------------------
 * Timestamps
 * ------------------------------------------------------------------------
 */

#define TIMESTAMP_IS_FINITE(t)	((t) != INT64_MIN && (t) != INT64_MAX)

/* IS_VALID_TIMESTAMP of datatype/timestamp.h: 4714-11-24 BC up to 294277-01-01 */
#define TIMESTAMP_FIRST_VALID	(DATE_FIRST_VALID * DATE_USECS_PER_DAY)
#define TIMESTAMP_AFTER_VALID	(DATE_AFTER_TIMESTAMPS * DATE_USECS_PER_DAY)

BODY bool
timestamp_in_range(int64_t t)
{
	return t >= TIMESTAMP_FIRST_VALID && t < TIMESTAMP_AFTER_VALID;
}

/* The day that a timestamp is on, as a date; timestamp2tm does the same with TMODULO */
BODY int32_t
timestamp_day(int64_t t)
{
	return (int32_t) (t / DATE_USECS_PER_DAY - (t % DATE_USECS_PER_DAY < 0));
}

/* timestamp_date: what is beyond the calendar is the host's */
BODY bool
timestamp_to_date(int64_t t, int32_t *r)
{
	*r = t == INT64_MIN ? INT32_MIN : t == INT64_MAX ? INT32_MAX : timestamp_day(t);
	return !TIMESTAMP_IS_FINITE(t) || timestamp_in_range(t);
}

/* ------------------------------------------------------------------------
 * The calendar
 * ------------------------------------------------------------------------
 */

#define DATE_EPOCH_JULIAN	2451545 /* POSTGRES_EPOCH_JDATE: 2000-01-01 */
#define DATE_UNIX_JULIAN	2440588 /* UNIX_EPOCH_JDATE: 1970-01-01 */

typedef struct CalendarDate
{
	int32_t		year;			/* 0 is 1 BC */
	int32_t		month;
	int32_t		day;
} CalendarDate;

/* j2date */
BODY CalendarDate
calendar_from_julian(int32_t jd)
{
	CalendarDate c;
	uint32_t	julian = (uint32_t) jd + 32044;
	uint32_t	quad = julian / 146097;
	uint32_t	extra = (julian - quad * 146097) * 4 + 3;
	uint32_t	y;

	julian += 60 + quad * 3 + extra / 146097;
	quad = julian / 1461;
	julian -= quad * 1461;
	y = julian * 4 / 1461;
	julian = (y != 0 ? (julian + 305) % 365 : (julian + 306) % 366) + 123;
	y += quad * 4;
	c.year = (int32_t) y - 4800;
	quad = julian * 2141 / 65536;
	c.day = (int32_t) (julian - 7834 * quad / 256);
	c.month = (int32_t) ((quad + 10) % 12 + 1);
	return c;
}

/* date2j */
BODY int32_t
calendar_to_julian(int32_t year, int32_t month, int32_t day)
{
	int32_t		y = year + (month > 2 ? 4800 : 4799);
	int32_t		m = month + (month > 2 ? 1 : 13);
	int32_t		century = y / 100;

	return y * 365 - 32167 + y / 4 - century + century / 4 + 7834 * m / 256 + day;
}

BODY int32_t
calendar_month_days(int32_t year, int32_t month)
{
	const bool	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 ? 28 + leap : 30 + ((month + (month > 7)) & 1);
}

/*
 * The Monday of the day's ISO week: day 0 of the Julian calendar was one.  The
 * week belongs to the year that its Thursday is in (date2isoweek, date2isoyear
 * and isoweek2j come to the same).
 */
BODY int32_t
calendar_monday(int32_t julian)
{
	return julian - julian % 7;
}

/* ------------------------------------------------------------------------
 * extract
 * ------------------------------------------------------------------------
 */

/* A pattern of to_char (to_char.h) has at most so many bytes */
#define TO_CHAR_PATTERN_MAX	256

/* What extract and date_trunc can be asked for; from UNITS of datetime.c by offload/ */
typedef enum DatetimeField
{
	FIELD_MICROSECONDS,			/* of the minute, seconds included */
	FIELD_MINUTE,
	FIELD_HOUR,
	FIELD_DAY,
	FIELD_WEEK,
	FIELD_MONTH,
	FIELD_QUARTER,
	FIELD_YEAR,
	FIELD_DECADE,
	FIELD_CENTURY,
	FIELD_MILLENNIUM,
	FIELD_ISOYEAR,
	FIELD_DOW,
	FIELD_ISODOW,
	FIELD_DOY,
	FIELD_JULIAN,
	FIELD_EPOCH,				/* seconds of a date, microseconds of a timestamp */
	FIELD_MILLISECOND,			/* date_trunc alone */
	FIELD_SECOND,				/* date_trunc alone */
	FIELD_TIMEZONE,				/* these three of a timestamp with time zone, by offload/ alone */
	FIELD_TIMEZONE_HOUR,
	FIELD_TIMEZONE_MINUTE,
	DATETIME_FIELDS
} DatetimeField;

/* Is it the same for all times of a day? */
#define FIELD_IS_OF_DAY(f)	((f) >= FIELD_DAY && (f) <= FIELD_JULIAN)

/* Years are numbered without a year 0, from -1 backwards: timestamp_part_common. */
BODY int32_t
calendar_decade(int32_t year)
{
	return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10);
}

BODY int32_t
calendar_century(int32_t year, int32_t years)
{
	return year > 0 ? (year + years - 1) / years : -((years - 1 - (year - 1)) / years);
}

/* A field of a valid day; false for what a day does not have. */
SLOW_BODY bool
calendar_field(int32_t field, int32_t julian, int64_t *r)
{
	const bool	iso = field == FIELD_WEEK || field == FIELD_ISOYEAR;
	/* of the week, its Thursday */
	const int32_t day = iso ? calendar_monday(julian) + 3 : julian;
	const CalendarDate c = calendar_from_julian(day);

	*r = 0;
	switch (field)
	{
		case FIELD_DAY:
			*r = c.day;
			return true;
		case FIELD_MONTH:
			*r = c.month;
			return true;
		case FIELD_QUARTER:
			*r = (c.month - 1) / 3 + 1;
			return true;
		case FIELD_YEAR:
		case FIELD_ISOYEAR:
			*r = c.year > 0 ? c.year : c.year - 1;
			return true;
		case FIELD_DECADE:
			*r = calendar_decade(c.year);
			return true;
		case FIELD_CENTURY:
			*r = calendar_century(c.year, 100);
			return true;
		case FIELD_MILLENNIUM:
			*r = calendar_century(c.year, 1000);
			return true;
		case FIELD_WEEK:
			*r = (day - calendar_to_julian(c.year, 1, 1)) / 7 + 1;
			return true;
		case FIELD_DOY:
			*r = day - calendar_to_julian(c.year, 1, 1) + 1;
			return true;
		case FIELD_DOW:
			*r = (day + INT64_C(1)) % 7;
			return true;
		case FIELD_ISODOW:
			*r = day % 7 + 1;
			return true;
		case FIELD_JULIAN:
			*r = day;
			return true;
		default:
			return false;
	}
}

/*
 * extract_date, before it becomes a numeric.  Infinities have NULL or an
 * infinite numeric, by field: the host's.
 */
BODY bool
date_field(int32_t field, int32_t date, int64_t *r)
{
	*r = ((int64_t) date + (DATE_EPOCH_JULIAN - DATE_UNIX_JULIAN)) * 86400;
	if (!date_in_range(date))
		return false;
	return field == FIELD_EPOCH || calendar_field(field, date + DATE_EPOCH_JULIAN, r);
}

/* extract_timestamp, likewise; fractions of a second as microseconds */
BODY bool
timestamp_field(int64_t field, int64_t t, int64_t *r)
{
	const int32_t day = timestamp_day(t);
	const int64_t time = t - (int64_t) ((uint64_t) day * (uint64_t) DATE_USECS_PER_DAY);

	*r = 0;
	if (!timestamp_in_range(t))
		return false;
	switch (field)
	{
		case FIELD_MICROSECONDS:
			*r = time % 60000000;
			return true;
		case FIELD_MINUTE:
			*r = time / 60000000 % 60;
			return true;
		case FIELD_HOUR:
			*r = time / 3600000000;
			return true;
		case FIELD_EPOCH:
			*r = t + (DATE_EPOCH_JULIAN - DATE_UNIX_JULIAN) * DATE_USECS_PER_DAY;
			/* above that, numeric_div_opt_error has other digits: timestamp_part_common */
			return t < INT64_MAX - (DATE_EPOCH_JULIAN - DATE_UNIX_JULIAN) * DATE_USECS_PER_DAY;
		default:
			return FIELD_IS_OF_DAY(field) && calendar_field((int32_t) field, day + DATE_EPOCH_JULIAN, r);
	}
}

/* ------------------------------------------------------------------------
 * date_trunc
 * ------------------------------------------------------------------------
 */

/* The first day of a valid day's month, year, ...; false for other fields. */
SLOW_BODY bool
calendar_truncate(int32_t field, int32_t julian, int32_t *r)
{
	CalendarDate c = calendar_from_julian(julian);

	*r = 0;
	switch (field)
	{
		case FIELD_DAY:
			*r = julian;
			return true;
		case FIELD_WEEK:
			*r = calendar_monday(julian);
			return true;
		case FIELD_MONTH:
			break;
		case FIELD_QUARTER:
			c.month = (c.month - 1) / 3 * 3 + 1;
			break;
		case FIELD_YEAR:
			c.month = 1;
			break;
		case FIELD_DECADE:
			c.year = calendar_decade(c.year) * 10;
			c.month = 1;
			break;
		case FIELD_MILLENNIUM:
			/* first to its own first year, then, as timestamp_trunc falls through, to the century's */
			c.year = calendar_century(c.year, 1000) * 1000 + (c.year > 0 ? -999 : 1);
			/* FALLTHROUGH */
		case FIELD_CENTURY:
			c.year = calendar_century(c.year, 100) * 100 + (c.year > 0 ? -99 : 1);
			c.month = 1;
			break;
		default:
			return false;
	}

	/* IS_VALID_JULIAN: November of 4714 BC is the first month */
	if (c.year < -4713 || (c.year == -4713 && c.month < 11))
		return false;
	*r = calendar_to_julian(c.year, c.month, 1);
	return true;
}

/* timestamp_trunc: infinities stay */
BODY bool
timestamp_truncated(int64_t field, int64_t t, int64_t *r)
{
	const int32_t day = timestamp_day(t);
	const int64_t unit = field == FIELD_MICROSECONDS ? 1 :
		field == FIELD_MILLISECOND ? 1000 :
		field == FIELD_SECOND ? 1000000 :
		field == FIELD_MINUTE ? 60000000 :
		field == FIELD_HOUR ? 3600000000 : 0;
	int32_t		julian;

	*r = t;
	if (!TIMESTAMP_IS_FINITE(t))
		return field >= 0 && field < DATETIME_FIELDS;
	if (!timestamp_in_range(t))
		return false;
	if (unit != 0)
	{
		*r = t - (t % unit + unit) % unit;
		return timestamp_in_range(*r);
	}
	if (!FIELD_IS_OF_DAY(field) || !calendar_truncate((int32_t) field, day + DATE_EPOCH_JULIAN, &julian))
		return false;
	*r = (julian - DATE_EPOCH_JULIAN) * DATE_USECS_PER_DAY;
	return timestamp_in_range(*r);
}

/*
 * timestamp_bin, timestamptz_bin: the start of the bin of 'stride' microseconds,
 * counted from the origin, that t is in.  Infinities stay.
 */
BODY bool
timestamp_binned(int64_t stride, int64_t t, int64_t origin, int64_t *r)
{
	const int64_t since = (int64_t) ((uint64_t) t - (uint64_t) origin);
	int64_t		within;

	*r = t;
	if (!TIMESTAMP_IS_FINITE(t))
		return true;
	if (!TIMESTAMP_IS_FINITE(origin) || stride <= 0 || !timestamp_in_range(t) || !timestamp_in_range(origin))
		return false;
	within = since % stride;
	if (within < 0)
		within += stride;
	*r = (int64_t) ((uint64_t) t - (uint64_t) within);
	/* of a time before the origin, and a long stride, it may lie before all of them */
	return ((t ^ origin) & (t ^ since)) >= 0 && *r <= t && timestamp_in_range(*r);
}

/* ------------------------------------------------------------------------
 * timestamp plus interval: timestamp_pl_interval, a step each
 * ------------------------------------------------------------------------
 */

/* Infinities stay.  The day is at most the last one of the month it gets to. */
SLOW_BODY bool
timestamp_plus_months(int64_t t, int64_t months, int64_t *r)
{
	const int32_t day = timestamp_day(t);
	CalendarDate c;
	int64_t		month;
	int32_t		last;

	*r = t;
	if (!TIMESTAMP_IS_FINITE(t))
		return true;
	if (!timestamp_in_range(t) || months < -12 * 1000000 || months > 12 * 1000000)
		return false;
	c = calendar_from_julian(day + DATE_EPOCH_JULIAN);
	month = c.year * INT64_C(12) + (c.month - 1) + months;
	c.year = (int32_t) (month / 12 - (month % 12 < 0));
	c.month = (int32_t) (month - c.year * INT64_C(12)) + 1;
	/* so much that no year overflows; the range of timestamp is narrower */
	if (c.year < -4713 || (c.year == -4713 && c.month < 11) || c.year > 294277)
		return false;
	last = calendar_month_days(c.year, c.month);
	c.day = c.day > last ? last : c.day;
	*r = (calendar_to_julian(c.year, c.month, c.day) - DATE_EPOCH_JULIAN) * DATE_USECS_PER_DAY +
		(t - day * DATE_USECS_PER_DAY);
	return timestamp_in_range(*r);
}

/* Days, as so many times 24 hours, or microseconds */
BODY bool
timestamp_plus(int64_t t, int64_t usecs, int64_t *r)
{
	const int64_t sum = (int64_t) ((uint64_t) t + (uint64_t) usecs);

	*r = TIMESTAMP_IS_FINITE(t) ? sum : t;
	return !TIMESTAMP_IS_FINITE(t) ||
		(((t ^ sum) & (usecs ^ sum)) >= 0 && timestamp_in_range(t) && timestamp_in_range(sum));
}

/* ------------------------------------------------------------------------
 * Time zones
 * ------------------------------------------------------------------------
 */

/*
 * The session's zone over some range of time is a parameter (offload/zone.c):
 * the bytes of these, ascending.  From 'from' to the next one's, local time is
 * UTC plus 'offset'.  The last one ends the range; what is beyond either end is
 * the host's.
 */
typedef struct ZoneSpan
{
	int64_t		from;			/* timestamp, UTC */
	int64_t		offset;			/* microseconds, whole seconds */
} ZoneSpan;

BODY int64_t
zone_from(TextView zone, uint32_t i)
{
	return (int64_t) load_u64(zone.ptr + (size_t) i * sizeof(ZoneSpan));
}

BODY int64_t
zone_offset(TextView zone, uint32_t i)
{
	return (int64_t) load_u64(zone.ptr + (size_t) i * sizeof(ZoneSpan) + sizeof(int64_t));
}

/* The span that t is in; false when there is none. */
BODY bool
zone_find(TextView zone, int64_t t, uint32_t *span)
{
	uint32_t	n = zone.len / sizeof(ZoneSpan);
	uint32_t	low = 0;

	*span = 0;
	if (n < 2 || t < zone_from(zone, 0) || t >= zone_from(zone, n - 1))
		return false;
	/* it is among the n from low on, the last of which is beyond it */
	for (n--; n > 1;)
	{
		const uint32_t half = n / 2;

		low += zone_from(zone, low + half) <= t ? half : 0;
		n -= half;
	}
	*span = low;
	return true;
}

/* timestamptz2timestamp */
SLOW_BODY bool
zone_to_local(TextView zone, int64_t t, int64_t *r)
{
	uint32_t	span;

	*r = t;
	if (!TIMESTAMP_IS_FINITE(t))
		return true;
	if (!zone_find(zone, t, &span))
		return false;
	*r = (int64_t) ((uint64_t) t + (uint64_t) zone_offset(zone, span));
	return timestamp_in_range(*r);
}

/*
 * timestamp2timestamptz, by the rule of DetermineTimeZoneOffsetInternal: the
 * next transition from the day before on is the one that counts; of two times
 * of the same name the later one, and a time that was left out is counted on
 * from before.
 */
SLOW_BODY bool
zone_from_local(TextView zone, int64_t local, int64_t *r)
{
	const int64_t second = local - (local % 1000000 + 1000000) % 1000000;
	uint32_t	span;
	int64_t		boundary,
				before,
				after;

	*r = local;
	if (!TIMESTAMP_IS_FINITE(local))
		return true;
	if (!timestamp_in_range(local) || !zone_find(zone, second - DATE_USECS_PER_DAY, &span))
		return false;
	boundary = zone_from(zone, span + 1);
	before = zone_offset(zone, span);
	after = zone_offset(zone, span + 1);
	if (before < -DATE_USECS_PER_DAY || before > DATE_USECS_PER_DAY ||
		after < -DATE_USECS_PER_DAY || after > DATE_USECS_PER_DAY)
		return false;
	if (span + 2 == zone.len / sizeof(ZoneSpan))
	{
		/* what comes after the last span is not known: keep away from it */
		if (second >= boundary - 2 * DATE_USECS_PER_DAY)
			return false;
		after = before;
	}
	if (!(second - before < boundary && second - after < boundary) &&
		((second - before > boundary && second - after >= boundary) || before >= after))
		before = after;
	*r = local - before;
	return timestamp_in_range(*r);
}

/* ------------------------------------------------------------------------
 * Times of day, 0 to 24:00:00; the parts of dates
 * ------------------------------------------------------------------------
 */

/* time_part_common; fractions of a second as microseconds */
BODY bool
time_field(int64_t field, int64_t t, int64_t *r)
{
	*r = field == FIELD_MICROSECONDS ? t % 60000000 :
		field == FIELD_MINUTE ? t % 3600000000 / 60000000 :
		field == FIELD_HOUR ? t / 3600000000 : t;
	return field == FIELD_MICROSECONDS || field == FIELD_MINUTE || field == FIELD_HOUR || field == FIELD_EPOCH;
}

/* time_pl_interval: around the clock, days and months of the interval do not count */
BODY bool
time_plus(int64_t t, int64_t usecs, int64_t *r)
{
	const int64_t sum = (int64_t) ((uint64_t) t + (uint64_t) usecs);
	const int64_t rest = sum % DATE_USECS_PER_DAY;

	*r = rest < 0 ? rest + DATE_USECS_PER_DAY : rest;
	return ((t ^ sum) & (usecs ^ sum)) >= 0;
}

/* timestamp_time: of an infinity it is NULL, which is the host's */
BODY bool
timestamp_to_time(int64_t t, int64_t *r)
{
	*r = (int64_t) ((uint64_t) t - (uint64_t) timestamp_day(t) * (uint64_t) DATE_USECS_PER_DAY);
	return timestamp_in_range(t);
}

/* make_date: there is no year 0, and -1 is 1 BC, the calendar's year 0 */
BODY bool
date_from_parts(int32_t year, int32_t month, int32_t day, int32_t *r)
{
	const bool	fails = year == 0 || year < -4713 || year > 5874897 || month < 1 || month > 12 || day < 1;
	const int32_t y = fails ? 2000 : year + (year < 0);
	const int32_t m = fails ? 1 : month;

	*r = calendar_to_julian(y, m, fails ? 1 : day & 31) - DATE_EPOCH_JULIAN;
	return !fails && day <= calendar_month_days(y, m) && date_in_range(*r) &&
		(y > -4713 || m >= 11);
}

BODY bool
date_is_finite(int32_t date, uint8_t *r)
{
	*r = DATE_IS_FINITE(date);
	return true;
}

BODY bool
timestamp_is_finite(int64_t t, uint8_t *r)
{
	*r = TIMESTAMP_IS_FINITE(t);
	return true;
}

#endif							/* GPUSCAN_DATETIME_H */
