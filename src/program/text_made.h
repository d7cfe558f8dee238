/*-------------------------------------------------------------------------
 *
 * text_made.h
 *	  Operators whose result is a text that they make: the bodies of the lines
 *	  TEXT_OP in ops.def.
 *
 *	   bool body(const A a [, const B b [, const C c]], TextRoom *room, TextView *r)
 *
 * The result lies in 'room', or is a view of an argument.  A body that finds no
 * room, or a result of more than TEXT_MADE_MAX bytes, returns false: that row is
 * PostgreSQL's.  So is one for which PostgreSQL raises an error.
 *
 * Only the CPU engine has such room; this compiles as C alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TEXT_MADE_H
#define GPUSCAN_TEXT_MADE_H

#include "program/datetime.h"
#include "program/numeric.h"
#include "program/text.h"

#define TEXT_MADE_MAX	65536

/* Room for len bytes, or NULL */
BODY char *
text_room(TextRoom *room, uint64_t len)
{
	if (unlikely_(len > TEXT_MADE_MAX))
		return NULL;
	if (unlikely_(len >= (size_t) (room->end - room->next)) && !room->more(room, (size_t) len))
		return NULL;
	return room->next;
}

/* What lies between room->next and 'end' is the result. */
BODY bool
text_made(TextRoom *room, char *end, TextView *r)
{
	r->ptr = room->next;
	r->len = (uint32_t) (end - room->next);
	r->pad = 0;
	room->next = end;
	return true;
}

BODY bool
text_is(const char *ptr, uint32_t len, TextView *r)
{
	r->ptr = len > 0 ? ptr : "";
	r->len = len;
	r->pad = 0;
	return true;
}

/* Move bytes into a room, eight at a time: the last step writes more than there are. */
BODY char *
text_put(char *to, const char *from, uint32_t len)
{
	uint32_t	i = 0;
	uint64_t	word;

	for (; len - i >= 8; i += 8)
		memcpy(to + i, from + i, 8);
	word = text_load_short(from + i, len - i);
	memcpy(to + i, &word, 8);
	return to + len;
}

/* ------------------------------------------------------------------------
 * || and what concat and concat_ws are made of
 * ------------------------------------------------------------------------
 */

/* varlena.c text_catenate */
BODY bool
text_cat(TextView a, TextView b, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, (uint64_t) a.len + b.len);

	if (unlikely_(!to))
		return false;
	return text_made(room, text_put(text_put(to, a.ptr, a.len), b.ptr, b.len), r);
}

/* a, then the separator b, then c */
BODY bool
text_join(TextView a, TextView b, TextView c, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, (uint64_t) a.len + b.len + c.len);

	if (unlikely_(!to))
		return false;
	to = text_put(text_put(to, a.ptr, a.len), b.ptr, b.len);
	return text_made(room, text_put(to, c.ptr, c.len), r);
}

/* ------------------------------------------------------------------------
 * Upper and lower case of ASCII letters
 * ------------------------------------------------------------------------
 */

#define TEXT_BYTES(byte)	((uint64_t) (byte) * UINT64_C(0x0101010101010101))

/* Eight bytes: the 26 letters from 'first' on in the other case */
BODY uint64_t
text_other_case(uint64_t word, uint8_t first)
{
	const uint64_t low = word & TEXT_BYTES(0x7F);
	/* no sum of these carries into the next byte */
	const uint64_t from = low + TEXT_BYTES(0x80 - first);
	const uint64_t past = low + TEXT_BYTES(0x80 - first - 26);

	return word ^ ((from & ~past & ~word & TEXT_BYTES(0x80)) >> 2);
}

/*
 * formatting.c asc_tolower, asc_toupper, which the C locale has for all bytes.
 * ascii: for another locale, which was seen to do the same with ASCII; of a
 * text with other characters nothing is known.
 */
BODY bool
text_map_case(TextView a, uint8_t first, bool ascii, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, a.len);
	uint64_t	all = 0;
	uint64_t	word;
	uint32_t	i = 0;

	if (unlikely_(!to))
		return false;
	for (; a.len - i >= 8; i += 8)
	{
		all |= word = load_u64(a.ptr + i);
		word = text_other_case(word, first);
		memcpy(to + i, &word, 8);
	}
	all |= word = text_load_short(a.ptr + i, a.len - i);
	word = text_other_case(word, first);
	memcpy(to + i, &word, 8);
	if (ascii && (all & TEXT_BYTES(0x80)) != 0)
		return false;
	return text_made(room, to + a.len, r);
}

#define CASE_BODY(name, first, ascii) \
BODY bool name(TextView a, TextRoom *room, TextView *r) \
{ return text_map_case(a, first, ascii, room, r); }
CASE_BODY(text_lower_c, 'A', false)
CASE_BODY(text_upper_c, 'a', false)
CASE_BODY(text_lower_ascii, 'A', true)
CASE_BODY(text_upper_ascii, 'a', true)
#undef CASE_BODY

/* formatting.c asc_initcap */
SLOW_BODY bool
text_initcap_c(TextView a, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, a.len);
	bool		within = false;

	if (!to)
		return false;
	for (uint32_t i = 0; i < a.len; i++)
	{
		char		c = a.ptr[i];

		if (within && c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (!within && c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		*to++ = c;
		within = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	}
	return text_made(room, to, r);
}

/* ------------------------------------------------------------------------
 * What looks for a string: bytes, under a deterministic collation
 * ------------------------------------------------------------------------
 */

#define TEXT_NOWHERE	UINT32_MAX

/*
 * The first place of b in a from byte 'at' on.  In UTF-8 a string of whole
 * characters is found at a character alone (varlena.c text_position_next).
 */
BODY uint32_t
text_find(TextView a, TextView b, uint32_t at)
{
	while (a.len - at >= b.len)
	{
		const char *p = memchr(a.ptr + at, b.ptr[0], a.len - at - b.len + 1);

		if (!p)
			break;
		if (text_bytes_same(p, b.ptr, b.len))
			return (uint32_t) (p - a.ptr);
		at = (uint32_t) (p - a.ptr) + 1;
	}
	return TEXT_NOWHERE;
}

/* varlena.c text_position */
SLOW_BODY bool
text_position(TextView a, TextView b, bool utf8, int32_t *r)
{
	uint32_t	at;

	*r = b.len < 1;
	if (b.len < 1 || (at = text_find(a, b, 0)) == TEXT_NOWHERE)
		return true;
	a.len = at;
	if (!text_count_chars(a, utf8, r))
		return false;
	++*r;
	return true;
}

BODY bool
text_position_utf8(TextView a, TextView b, int32_t *r)
{
	return text_position(a, b, true, r);
}

BODY bool
text_position_bytes(TextView a, TextView b, int32_t *r)
{
	return text_position(a, b, false, r);
}

/* varlena.c replace_text */
SLOW_BODY bool
text_replaced(TextView a, TextView b, TextView c, TextRoom *room, TextView *r)
{
	uint32_t	at = b.len > 0 ? text_find(a, b, 0) : TEXT_NOWHERE;
	uint32_t	done = 0;
	uint64_t	len = a.len;
	char	   *to;

	if (at == TEXT_NOWHERE)
		return text_is(a.ptr, a.len, r);
	for (uint32_t next = at; next != TEXT_NOWHERE; next = text_find(a, b, next + b.len))
		len += (uint64_t) c.len - b.len;
	to = text_room(room, len);
	if (!to)
		return false;
	for (; at != TEXT_NOWHERE; at = text_find(a, b, done))
	{
		to = text_put(to, a.ptr + done, at - done);
		to = text_put(to, c.ptr, c.len);
		done = at + b.len;
	}
	return text_made(room, text_put(to, a.ptr + done, a.len - done), r);
}

/* varlena.c split_part: a part of the argument */
SLOW_BODY bool
text_split_part(TextView a, TextView b, int32_t n, TextRoom *room, TextView *r)
{
	uint32_t	from = 0;
	uint32_t	at;

	(void) room;
	r->ptr = a.ptr;
	r->len = 0;
	r->pad = 0;
	if (n == 0)
		return false;
	if (a.len < 1)
		return true;
	at = b.len > 0 ? text_find(a, b, 0) : TEXT_NOWHERE;
	if (at == TEXT_NOWHERE)
	{
		r->len = n == 1 || n == -1 ? a.len : 0;
		return true;
	}
	if (n < 0)
	{
		int64_t		fields = 1;

		for (uint32_t next = at; next != TEXT_NOWHERE; next = text_find(a, b, next + b.len))
			fields++;
		if (n + fields + 1 <= 0)
			return true;
		n = (int32_t) (n + fields + 1);
	}
	while (at != TEXT_NOWHERE && --n > 0)
	{
		from = at + b.len;
		at = text_find(a, b, from);
	}
	if (at == TEXT_NOWHERE && n > 1)
		return true;
	r->ptr = a.ptr + from;
	r->len = (at == TEXT_NOWHERE ? a.len : at) - from;
	return true;
}

/* ------------------------------------------------------------------------
 * Characters
 * ------------------------------------------------------------------------
 */

/* Bytes of the character at byte 'at', or 0 when the text ends before it */
BODY uint32_t
text_char_at(TextView a, uint32_t at, bool utf8)
{
	const uint32_t bytes = utf8 ? text_char_bytes(a.ptr[at]) : 1;

	return bytes <= a.len - at ? bytes : 0;
}

/* Is the character that p begins with one of the set? */
BODY bool
text_among(const char *p, uint32_t bytes, TextView set, bool utf8)
{
	for (uint32_t i = 0; i < set.len;)
	{
		const uint32_t step = utf8 ? text_char_bytes(set.ptr[i]) : 1;

		if (step == bytes && step <= set.len - i && text_bytes_same(p, set.ptr + i, bytes))
			return true;
		i += step;
	}
	return false;
}

/* oracle_compat.c dotrim: a part of the argument */
SLOW_BODY bool
text_trim(TextView a, TextView set, bool left, bool right, bool utf8, TextView *r)
{
	uint32_t	from = 0;
	uint32_t	to = a.len;

	text_is(a.ptr, a.len, r);
	if (a.len == 0 || set.len == 0)
		return true;
	while (left && from < to)
	{
		const uint32_t bytes = text_char_at(a, from, utf8);

		if (bytes == 0)
			return false;
		if (!text_among(a.ptr + from, bytes, set, utf8))
			break;
		from += bytes;
	}
	while (right && from < to)
	{
		uint32_t	at = to - 1;

		while (utf8 && at > from && text_continues(a.ptr[at]))
			at--;
		/* elsewhere PostgreSQL sees other characters than these */
		if (utf8 && text_char_bytes(a.ptr[at]) != to - at)
			return false;
		if (!text_among(a.ptr + at, to - at, set, utf8))
			break;
		to = at;
	}
	return text_is(a.ptr + from, to - from, r);
}

static const TextView text_blank = {" ", 1, 0};

#define TRIM_BODIES(suffix, utf8) \
BODY bool text_btrim_##suffix(TextView a, TextView b, TextRoom *room, TextView *r) \
{ (void) room; return text_trim(a, b, true, true, utf8, r); } \
BODY bool text_ltrim_##suffix(TextView a, TextView b, TextRoom *room, TextView *r) \
{ (void) room; return text_trim(a, b, true, false, utf8, r); } \
BODY bool text_rtrim_##suffix(TextView a, TextView b, TextRoom *room, TextView *r) \
{ (void) room; return text_trim(a, b, false, true, utf8, r); }

TRIM_BODIES(utf8, true)
TRIM_BODIES(bytes, false)
#undef TRIM_BODIES

/* a blank is a byte in every encoding that has it as a character of its own */
BODY bool
text_btrim_blanks(TextView a, TextRoom *room, TextView *r)
{
	(void) room;
	return text_trim(a, text_blank, true, true, false, r);
}

BODY bool
text_ltrim_blanks(TextView a, TextRoom *room, TextView *r)
{
	(void) room;
	return text_trim(a, text_blank, true, false, false, r);
}

BODY bool
text_rtrim_blanks(TextView a, TextRoom *room, TextView *r)
{
	(void) room;
	return text_is(a.ptr, text_without_blanks(a.ptr, a.len), r);
}

/* oracle_compat.c lpad, rpad; what PostgreSQL calls too large is larger than what we make */
SLOW_BODY bool
text_pad(TextView a, int32_t len, TextView fill, bool left, bool utf8, TextRoom *room, TextView *r)
{
	const uint32_t wanted = len > 0 ? (uint32_t) len : 0;
	uint32_t	bytes = 0;		/* of the argument's first characters */
	uint32_t	lacking = wanted;
	uint32_t	at = 0;
	uint32_t	rest;
	int32_t		per_round;		/* characters */
	uint64_t	filling;		/* bytes */
	char	   *to;

	if (wanted > TEXT_MADE_MAX || !text_skip_chars(a, &bytes, &lacking, utf8))
		return false;
	if (fill.len == 0)
		lacking = 0;
	if (lacking == 0)
		return text_is(a.ptr, bytes, r);

	/* whole rounds of the filling, and a part of it */
	if (!text_count_chars(fill, utf8, &per_round))
		return false;
	rest = lacking % (uint32_t) per_round;
	if (!text_skip_chars(fill, &at, &rest, utf8))
		return false;
	filling = (uint64_t) (lacking / (uint32_t) per_round) * fill.len + at;
	to = text_room(room, bytes + filling);
	if (!to)
		return false;
	if (!left)
		to = text_put(to, a.ptr, bytes);
	for (; filling > fill.len; filling -= fill.len)
		to = text_put(to, fill.ptr, fill.len);
	to = text_put(to, fill.ptr, (uint32_t) filling);
	if (left)
		to = text_put(to, a.ptr, bytes);
	return text_made(room, to, r);
}

/* varlena.c text_reverse */
SLOW_BODY bool
text_reversed(TextView a, bool utf8, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, a.len);

	if (!to)
		return false;
	to += a.len;
	for (uint32_t i = 0; i < a.len;)
	{
		const uint32_t bytes = text_char_at(a, i, utf8);

		if (bytes == 0)
			return false;
		to -= bytes;
		memcpy(to, a.ptr + i, bytes);
		i += bytes;
	}
	return text_made(room, to + a.len, r);
}

/* oracle_compat.c repeat */
SLOW_BODY bool
text_repeated(TextView a, int32_t n, TextRoom *room, TextView *r)
{
	const uint64_t len = n > 0 ? (uint64_t) n * a.len : 0;
	char	   *to;

	if (len == 0)
		return text_is("", 0, r);
	to = text_room(room, len);
	if (!to)
		return false;
	for (int32_t i = 0; i < n; i++)
		to = text_put(to, a.ptr, a.len);
	return text_made(room, to, r);
}

/* oracle_compat.c translate */
SLOW_BODY bool
text_translated(TextView a, TextView from, TextView with, bool utf8, TextRoom *room, TextView *r)
{
	/* the worst case: each byte becomes a character of four */
	char	   *to = text_room(room, (uint64_t) a.len * (utf8 ? 4 : 1));

	if (!to)
		return false;
	for (uint32_t i = 0; i < a.len;)
	{
		const uint32_t bytes = text_char_at(a, i, utf8);
		uint32_t	number = 0;
		uint32_t	k = 0;

		if (bytes == 0)
			return false;
		while (k < from.len)
		{
			const uint32_t step = text_char_at(from, k, utf8);

			if (step == 0)
				return false;
			if (step == bytes && text_bytes_same(a.ptr + i, from.ptr + k, bytes))
				break;
			k += step;
			number++;
		}
		if (k >= from.len)
			to = text_put(to, a.ptr + i, bytes);
		else
		{
			uint32_t	at = 0;

			if (!text_skip_chars(with, &at, &number, utf8))
				return false;
			if (number == 0 && at < with.len)
			{
				const uint32_t step = text_char_at(with, at, utf8);

				if (step == 0)
					return false;
				to = text_put(to, with.ptr + at, step);
			}
		}
		i += bytes;
	}
	return text_made(room, to, r);
}

/* oracle_compat.c ascii: the number of the first character */
BODY bool
text_ascii_bytes(TextView a, int32_t *r)
{
	*r = a.len > 0 ? (uint8_t) a.ptr[0] : 0;
	return true;
}

BODY bool
text_ascii_utf8(TextView a, int32_t *r)
{
	const uint8_t first = a.len > 0 ? (uint8_t) a.ptr[0] : 0;
	const uint32_t bytes = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

	*r = first;
	if (first < 0x80)
		return true;
	if (bytes > a.len)
		return false;
	*r = first & (bytes == 4 ? 0x07 : bytes == 3 ? 0x0F : 0x1F);
	for (uint32_t i = 1; i < bytes; i++)
		*r = (*r << 6) + (a.ptr[i] & 0x3F);
	return true;
}

/* oracle_compat.c chr: no zero, no surrogate, nothing beyond what the encoding has */
SLOW_BODY bool
text_chr(int32_t n, bool utf8, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, 4);

	if (!to || n <= 0 || n > (utf8 ? 0x10FFFF : 0xFF) || (n >= 0xD800 && n <= 0xDFFF))
		return false;
	if (n < 0x80 || !utf8)
		*to++ = (char) n;
	else
	{
		const int	more = n < 0x800 ? 1 : n < 0x10000 ? 2 : 3;

		*to++ = (char) ((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | n >> 6 * more);
		for (int i = more - 1; i >= 0; i--)
			*to++ = (char) (0x80 | (n >> 6 * i & 0x3F));
	}
	return text_made(room, to, r);
}

/* varchar.c varchar: the first typmod - 4 characters; the others must be blanks unless the cast is explicit */
SLOW_BODY bool
text_varchar(TextView a, int32_t typmod, bool explicit_cast, bool utf8, TextView *r)
{
	uint32_t	at = 0;
	uint32_t	left = typmod >= 4 ? (uint32_t) typmod - 4 : 0;

	text_is(a.ptr, a.len, r);
	if (typmod < 4 || a.len <= left)
		return true;
	if (!text_skip_chars(a, &at, &left, utf8))
		return false;
	for (uint32_t i = at; i < a.len && !explicit_cast; i++)
		if (a.ptr[i] != ' ')
			return false;
	return text_is(a.ptr, at, r);
}

/*
 * varchar.c bpchar, less the blanks that it pads with: registers have none.
 * More of them than any type declares (MaxAttrSize in htup_details.h) may be more
 * than PostgreSQL can allocate.
 */
SLOW_BODY bool
text_bpchar(TextView a, int32_t typmod, bool explicit_cast, bool utf8, TextView *r)
{
	if (typmod > 10 * 1024 * 1024 + 4)
	{
		text_is("", 0, r);
		return false;
	}
	a.len = text_without_blanks(a.ptr, a.len);
	if (!text_varchar(a, typmod, explicit_cast, utf8, r))
		return false;
	r->len = text_without_blanks(r->ptr, r->len);
	return true;
}

#define CHARACTER_BODIES(suffix, utf8) \
BODY bool text_lpad_##suffix(TextView a, int32_t b, TextView c, TextRoom *room, TextView *r) \
{ return text_pad(a, b, c, true, utf8, room, r); } \
BODY bool text_rpad_##suffix(TextView a, int32_t b, TextView c, TextRoom *room, TextView *r) \
{ return text_pad(a, b, c, false, utf8, room, r); } \
BODY bool text_reverse_##suffix(TextView a, TextRoom *room, TextView *r) \
{ return text_reversed(a, utf8, room, r); } \
BODY bool text_translate_##suffix(TextView a, TextView b, TextView c, TextRoom *room, TextView *r) \
{ return text_translated(a, b, c, utf8, room, r); } \
BODY bool text_chr_##suffix(int32_t a, TextRoom *room, TextView *r) \
{ return text_chr(a, utf8, room, r); } \
BODY bool text_varchar_##suffix(TextView a, int32_t b, uint8_t c, TextRoom *room, TextView *r) \
{ (void) room; return text_varchar(a, b, c != 0, utf8, r); } \
BODY bool text_bpchar_##suffix(TextView a, int32_t b, uint8_t c, TextRoom *room, TextView *r) \
{ (void) room; return text_bpchar(a, b, c != 0, utf8, r); }

CHARACTER_BODIES(utf8, true)
CHARACTER_BODIES(bytes, false)
#undef CHARACTER_BODIES

/* ------------------------------------------------------------------------
 * Numbers as texts, and back
 * ------------------------------------------------------------------------
 */

/* Digits of a number, the last one before 'end'; returns where they begin. */
BODY char *
text_digits(uint64_t value, char *end)
{
	do
		*--end = (char) ('0' + value % 10);
	while ((value /= 10) != 0);
	return end;
}

/* numutils.c pg_lltoa */
BODY bool
text_from_int64(int64_t a, TextRoom *room, TextView *r)
{
	char		digits[20];
	char	   *end = digits + sizeof digits;
	char	   *begin = text_digits(a < 0 ? -(uint64_t) a : (uint64_t) a, end);
	char	   *to = text_room(room, sizeof digits + 1);

	if (!to)
		return false;
	if (a < 0)
		*to++ = '-';
	memcpy(to, begin, (size_t) (end - begin));
	return text_made(room, to + (end - begin), r);
}

BODY bool
text_from_int32(int32_t a, TextRoom *room, TextView *r)
{
	return text_from_int64(a, room, r);
}

/* numeric.c get_str_from_var: as many digits behind the point as the scale says */
SLOW_BODY bool
text_from_numeric(NumericValue a, TextRoom *room, TextView *r)
{
	char		digits[80];
	char	   *const end = digits + sizeof digits;
	char	   *begin = end;
	const uint32_t scale = (uint32_t) a.scale;
	u128		value = a.mantissa < 0 ? -(u128) a.mantissa : (u128) a.mantissa;
	char	   *to = text_room(room, sizeof digits);
	uint32_t	n;

	if (!to)
		return false;
	for (; value > UINT64_MAX; value /= 10)
		*--begin = (char) ('0' + (int) (value % 10));
	begin = text_digits((uint64_t) value, begin);
	while ((uint32_t) (end - begin) <= scale)
		*--begin = '0';
	n = (uint32_t) (end - begin) - scale;
	if (a.mantissa < 0)
		*to++ = '-';
	memcpy(to, begin, n);
	to += n;
	if (scale > 0)
	{
		*to++ = '.';
		memcpy(to, begin + n, scale);
		to += scale;
	}
	return text_made(room, to, r);
}

BODY char *
text_put_two(char *to, int32_t value)
{
	*to++ = (char) ('0' + value / 10);
	*to++ = (char) ('0' + value % 10);
	return to;
}

/* YYYY-MM-DD; years before 1 AD count backwards, and say so behind the rest */
BODY char *
text_put_date(char *to, CalendarDate date)
{
	char		digits[12];
	char	   *begin = text_digits((uint32_t) (date.year > 0 ? date.year : 1 - date.year), digits + sizeof digits);

	while (begin > digits + sizeof digits - 4)
		*--begin = '0';
	to = text_put(to, begin, (uint32_t) (digits + sizeof digits - begin));
	*to++ = '-';
	to = text_put_two(to, date.month);
	*to++ = '-';
	return text_put_two(to, date.day);
}

/*
 * datetime.c EncodeDateOnly, EncodeSpecialDate.  style: the setting DateStyle, of
 * which only ISO is known here.
 */
SLOW_BODY bool
text_from_date(int32_t a, TextView style, TextRoom *room, TextView *r)
{
	CalendarDate date;
	char	   *to = text_room(room, 24);

	if (!to || style.len < 3 || memcmp(style.ptr, "ISO", 3) != 0)
		return false;
	if (a == INT32_MIN || a == INT32_MAX)
	{
		to = a < 0 ? text_put(to, "-", 1) : to;
		return text_made(room, text_put(to, "infinity", 8), r);
	}
	date = calendar_from_julian(a + DATE_EPOCH_JULIAN);
	to = text_put_date(to, date);
	return text_made(room, date.year > 0 ? to : text_put(to, " BC", 3), r);
}

/* datetime.c EncodeTimezone: '+' is east of Greenwich; what is zero at the end is left out */
BODY char *
text_put_offset(char *to, int32_t seconds)
{
	const int32_t size = seconds < 0 ? -seconds : seconds;

	*to++ = seconds < 0 ? '-' : '+';
	to = text_put_two(to, size / 3600);
	if (size % 3600 != 0)
	{
		*to++ = ':';
		to = text_put_two(to, size / 60 % 60);
	}
	if (size % 60 != 0)
	{
		*to++ = ':';
		to = text_put_two(to, size % 60);
	}
	return to;
}

/* EncodeDateTime; zone: with that offset, in seconds */
SLOW_BODY bool
text_from_local(int64_t local, const int32_t *zone, TextView style, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, 48);
	const int32_t day = timestamp_day(local);
	const int64_t time = local - day * DATE_USECS_PER_DAY;
	CalendarDate date;
	int32_t		fraction = (int32_t) (time % 1000000);

	if (!to || style.len < 3 || memcmp(style.ptr, "ISO", 3) != 0 || !timestamp_in_range(local))
		return false;
	date = calendar_from_julian(day + DATE_EPOCH_JULIAN);
	to = text_put_date(to, date);
	*to++ = ' ';
	to = text_put_two(to, (int32_t) (time / 3600000000));
	*to++ = ':';
	to = text_put_two(to, (int32_t) (time / 60000000 % 60));
	*to++ = ':';
	to = text_put_two(to, (int32_t) (time / 1000000 % 60));
	/* AppendSeconds: without zeros at the end */
	if (fraction != 0)
	{
		*to++ = '.';
		for (int32_t unit = 100000; fraction != 0; fraction %= unit, unit /= 10)
			*to++ = (char) ('0' + fraction / unit);
	}
	if (zone)
		to = text_put_offset(to, *zone);
	return text_made(room, date.year > 0 ? to : text_put(to, " BC", 3), r);
}

/* timestamp_out */
BODY bool
text_from_timestamp_iso(int64_t a, TextView style, TextRoom *room, TextView *r)
{
	if (!TIMESTAMP_IS_FINITE(a))
		return a < 0 ? text_is("-infinity", 9, r) : text_is("infinity", 8, r);
	return text_from_local(a, NULL, style, room, r);
}

/* timestamptz_out, of the local time in the session's zone, and of UTC */
BODY bool
text_from_timestamptz_iso(int64_t local, int64_t utc, TextView style, TextRoom *room, TextView *r)
{
	int32_t		offset;

	if (!TIMESTAMP_IS_FINITE(utc))
		return utc < 0 ? text_is("-infinity", 9, r) : text_is("infinity", 8, r);
	offset = (int32_t) ((int64_t) ((uint64_t) local - (uint64_t) utc) / 1000000);
	return text_from_local(local, &offset, style, room, r);
}

/* bool.c booltext */
BODY bool
text_from_bool(uint8_t a, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, 5);

	if (!to)
		return false;
	return text_made(room, a ? text_put(to, "true", 4) : text_put(to, "false", 5), r);
}

/* bool.c boolout */
BODY bool
text_bool_out(uint8_t a, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, 1);

	if (!to)
		return false;
	*to = a ? 't' : 'f';
	return text_made(room, to + 1, r);
}

/* varlena.c to_hex32, to_hex64: of the two's complement */
BODY bool
text_hex(uint64_t a, TextRoom *room, TextView *r)
{
	char	   *to = text_room(room, 16);
	int			n = 1;

	if (!to)
		return false;
	while (n < 16 && a >> 4 * n != 0)
		n++;
	for (int i = n - 1; i >= 0; i--)
		*to++ = "0123456789abcdef"[a >> 4 * i & 0xF];
	return text_made(room, to, r);
}

BODY bool
text_hex_int32(int32_t a, TextRoom *room, TextView *r)
{
	return text_hex((uint32_t) a, room, r);
}

BODY bool
text_hex_int64(int64_t a, TextRoom *room, TextView *r)
{
	return text_hex((uint64_t) a, room, r);
}

/*
 * numutils.c pg_strtoint32 and its kin: blanks, a sign, decimal digits, blanks.
 * What 16 allows beyond that (hexadecimal, underscores) and every error is
 * PostgreSQL's.
 */
BODY bool
text_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

SLOW_BODY bool
text_to_integer(TextView a, int64_t least, int64_t greatest, int64_t *r)
{
	uint32_t	i = 0;
	uint32_t	digits = 0;
	bool		negative = false;
	int64_t		value = 0;

	while (i < a.len && text_is_space(a.ptr[i]))
		i++;
	if (i < a.len && (a.ptr[i] == '-' || a.ptr[i] == '+'))
		negative = a.ptr[i++] == '-';
	for (; i < a.len && a.ptr[i] >= '0' && a.ptr[i] <= '9'; i++, digits++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, a.ptr[i] - '0', &value))
			return false;
	while (i < a.len && text_is_space(a.ptr[i]))
		i++;
	if (digits == 0 || i < a.len || (!negative && value == INT64_MIN))
		return false;
	*r = negative ? value : -value;
	return *r >= least && *r <= greatest;
}

BODY bool
text_to_int16(TextView a, int32_t *r)
{
	int64_t		value = 0;
	const bool	done = text_to_integer(a, INT16_MIN, INT16_MAX, &value);

	*r = (int32_t) value;
	return done;
}

BODY bool
text_to_int32(TextView a, int32_t *r)
{
	int64_t		value = 0;
	const bool	done = text_to_integer(a, INT32_MIN, INT32_MAX, &value);

	*r = (int32_t) value;
	return done;
}

BODY bool
text_to_int64(TextView a, int64_t *r)
{
	*r = 0;
	return text_to_integer(a, INT64_MIN, INT64_MAX, r);
}

#endif							/* GPUSCAN_TEXT_MADE_H */
