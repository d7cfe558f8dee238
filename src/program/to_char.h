/*-------------------------------------------------------------------------
 *
 * to_char.h
 *	  to_char of timestamps: formatting.c DCH_to_char, for the patterns that
 *	  reports are made of.
 *
 * A pattern comes as offload/to_char.c writes it, in the manner of strftime: %
 * and a letter is a field, %% a per cent sign, all else stands for itself.  Of a
 * name, ^ before its letter means capitals and ! small letters.
 *
 *	   Y YYYY	  G IYYY	 q Q	   m MM		  d DD		 j DDD
 *	   w D		  u ID		 W WW	   V IW		  H HH24	 I HH12
 *	   M MI		  S SS		 L MS	   f US		  p AM		 P am
 *	   b Mon	  B Month	 a Dy	   A Day
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TO_CHAR_H
#define GPUSCAN_TO_CHAR_H

#include "program/text_made.h"

/* What a byte of a pattern becomes has at most so many */
#define TO_CHAR_FIELD_MAX	9

/* So many digits of a number, with zeros before it */
BODY char *
to_char_digits(char *to, uint32_t value, int digits)
{
	for (int i = digits; i-- > 0; value /= 10)
		to[i] = (char) ('0' + value % 10);
	return to + digits;
}

/* From 1 on */
BODY uint32_t
to_char_day_of_year(int32_t julian, int32_t year)
{
	return (uint32_t) (julian - calendar_to_julian(year, 1, 1) + 1);
}

/* A name of 'len' letters, the first a capital; flag: of the pattern */
BODY char *
to_char_name(char *to, const char *name, int len, char flag)
{
	for (int i = 0; i < len; i++)
	{
		const bool	letter = name[i] != ' ';

		to[i] = !letter ? ' ' : flag == '^' ? (char) (name[i] & ~0x20) : flag == '!' ? (char) (name[i] | 0x20) : name[i];
	}
	return to + len;
}

/* A field of a time that is valid; NULL for one that there is not. */
SLOW_BODY char *
to_char_field(char *to, char field, char flag, int32_t julian, CalendarDate date, int64_t time)
{
	static const char months[12][10] = {
		"January  ", "February ", "March    ", "April    ", "May      ", "June     ",
		"July     ", "August   ", "September", "October  ", "November ", "December "
	};
	static const char days[7][10] = {
		"Sunday   ", "Monday   ", "Tuesday  ", "Wednesday", "Thursday ", "Friday   ", "Saturday "
	};
	const char *const month = months[date.month - 1];
	const char *const day = days[((uint32_t) julian + 1) % 7];
	const uint32_t hour = (uint32_t) (time / INT64_C(3600000000));
	int64_t		iso = 0;

	switch (field)
	{
		case 'Y':
			return to_char_digits(to, (uint32_t) date.year, 4);
		case 'G':
			if (!calendar_field(FIELD_ISOYEAR, julian, &iso) || iso < 1 || iso > 9999)
				return NULL;
			return to_char_digits(to, (uint32_t) iso, 4);
		case 'q':
			return to_char_digits(to, (uint32_t) (date.month - 1) / 3 + 1, 1);
		case 'm':
			return to_char_digits(to, (uint32_t) date.month, 2);
		case 'd':
			return to_char_digits(to, (uint32_t) date.day, 2);
		case 'j':
			return to_char_digits(to, to_char_day_of_year(julian, date.year), 3);
		case 'w':
			return to_char_digits(to, ((uint32_t) julian + 1) % 7 + 1, 1);
		case 'u':
			return to_char_digits(to, (uint32_t) julian % 7 + 1, 1);
		case 'W':
			return to_char_digits(to, (to_char_day_of_year(julian, date.year) - 1) / 7 + 1, 2);
		case 'V':
			if (!calendar_field(FIELD_WEEK, julian, &iso))
				return NULL;
			return to_char_digits(to, (uint32_t) iso, 2);
		case 'H':
			return to_char_digits(to, hour, 2);
		case 'I':
			return to_char_digits(to, hour % 12 == 0 ? 12 : hour % 12, 2);
		case 'M':
			return to_char_digits(to, (uint32_t) (time / 60000000 % 60), 2);
		case 'S':
			return to_char_digits(to, (uint32_t) (time / 1000000 % 60), 2);
		case 'L':
			return to_char_digits(to, (uint32_t) (time / 1000 % 1000), 3);
		case 'f':
			return to_char_digits(to, (uint32_t) (time % 1000000), 6);
		case 'p':
			return text_put(to, hour >= 12 ? "PM" : "AM", 2);
		case 'P':
			return text_put(to, hour >= 12 ? "pm" : "am", 2);
		case 'b':
			return to_char_name(to, month, 3, flag);
		case 'B':
			return to_char_name(to, month, 9, flag);
		case 'a':
			return to_char_name(to, day, 3, flag);
		case 'A':
			return to_char_name(to, day, 9, flag);
		default:
			return NULL;
	}
}

/*
 * Years of four digits alone.  Others are written otherwise, and infinities are
 * NULL: PostgreSQL's.
 */
SLOW_BODY bool
text_from_timestamp(int64_t t, TextView pattern, TextRoom *room, TextView *r)
{
	const int32_t day = timestamp_day(t);
	const int64_t time = t - (int64_t) ((uint64_t) day * (uint64_t) DATE_USECS_PER_DAY);
	const int32_t julian = day + DATE_EPOCH_JULIAN;
	CalendarDate date;
	char	   *to;

	if (!timestamp_in_range(t) || pattern.len == 0 || pattern.len > TO_CHAR_PATTERN_MAX)
		return false;
	date = calendar_from_julian(julian);
	to = text_room(room, pattern.len * TO_CHAR_FIELD_MAX);
	if (!to || date.year < 1 || date.year > 9999)
		return false;
	for (uint32_t i = 0; i < pattern.len; i++)
	{
		char		flag = '\0';

		if (pattern.ptr[i] != '%' || i + 1 >= pattern.len)
		{
			*to++ = pattern.ptr[i];
			continue;
		}
		i++;
		if (pattern.ptr[i] == '%')
		{
			*to++ = '%';
			continue;
		}
		if ((pattern.ptr[i] == '^' || pattern.ptr[i] == '!') && i + 1 < pattern.len)
			flag = pattern.ptr[i++];
		to = to_char_field(to, pattern.ptr[i], flag, julian, date, time);
		if (!to)
			return false;
	}
	return text_made(room, to, r);
}

#endif							/* GPUSCAN_TO_CHAR_H */
