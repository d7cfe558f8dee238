/*-------------------------------------------------------------------------
 *
 * text.h
 *	  The operators of text, over views of bytes that lie elsewhere.
 *
 * Equality under a deterministic collation is equality of bytes (varlena.c
 * texteq).  Views of bpchar have no trailing blanks (varchar.c bpchareq).
 *
 * Where characters count there are two bodies: _utf8, in which a character is
 * a byte and the continuation bytes behind it, and _bytes, for encodings of one
 * byte a character.  A view below a NULL is empty.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TEXT_H
#define GPUSCAN_TEXT_H

#include "program/text_view.h"

/* Eight bytes at a time; the last step may repeat some. */
BODY bool
text_bytes_same(const char *a, const char *b, uint32_t len)
{
	if (len >= 8)
	{
		for (uint32_t i = 0; i < len - 8; i += 8)
			if (load_u64(a + i) != load_u64(b + i))
				return false;
		return load_u64(a + len - 8) == load_u64(b + len - 8);
	}
	if (len >= 4)
		return load_u32(a) == load_u32(b) && load_u32(a + len - 4) == load_u32(b + len - 4);
	if (len >= 2)
		return load_u16(a) == load_u16(b) && a[len - 1] == b[len - 1];
	return len == 0 || *a == *b;
}

/* The bytes at p, of which there are at most eight; zeros behind them */
BODY uint64_t
text_load_short(const char *p, uint32_t len)
{
	uint64_t	word = 0;

	if (len >= 8)
		return load_u64(p);
	if (len >= 4)
		return load_u32(p) | (uint64_t) load_u32(p + len - 4) << (8 * (len - 4));
	for (uint32_t i = 0; i < len; i++)
		word |= (uint64_t) (uint8_t) p[i] << (8 * i);
	return word;
}

BODY bool
text_same(TextView a, TextView b)
{
	return a.len == b.len && text_bytes_same(a.ptr, b.ptr, a.len);
}

BODY bool
text_eq(TextView a, TextView b, uint8_t *r)
{
	*r = text_same(a, b);
	return true;
}

BODY bool
text_ne(TextView a, TextView b, uint8_t *r)
{
	*r = !text_same(a, b);
	return true;
}

/*
 * Order where bytes decide (varlena.c varstr_cmp in the C locale): < 0, 0, > 0.
 * Views of bpchar have no trailing blanks: varchar.c bpcharcmp.
 */
BODY int
text_compare(TextView a, TextView b)
{
	const uint32_t n = a.len < b.len ? a.len : b.len;
	uint32_t	i = 0;

	for (; n - i >= 8; i += 8)
	{
		const uint64_t x = load_u64(a.ptr + i);
		const uint64_t y = load_u64(b.ptr + i);

		if (x == y)
			continue;
#ifdef __CUDA_ARCH__
		break;
#else
		/* the first byte weighs most */
		return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
#endif
	}
	for (; i < n; i++)
		if (a.ptr[i] != b.ptr[i])
			return (uint8_t) a.ptr[i] < (uint8_t) b.ptr[i] ? -1 : 1;
	return a.len < b.len ? -1 : a.len > b.len;
}

#define COMPARE_BODY(name, op) \
BODY bool name(TextView a, TextView b, uint8_t *r) \
{ *r = text_compare(a, b) op 0; return true; }
COMPARE_BODY(text_lt, <)
COMPARE_BODY(text_le, <=)
COMPARE_BODY(text_gt, >)
COMPARE_BODY(text_ge, >=)
#undef COMPARE_BODY

/* Length without trailing blanks: bpchar's own comparison does the same (bcTruelen). */
BODY uint32_t
text_without_blanks(const char *ptr, uint32_t len)
{
	while (len > 0 && ptr[len - 1] == ' ')
		len--;
	return len;
}

/* A byte that is not the first one of its character in UTF-8 */
BODY bool
text_continues(char byte)
{
	return ((uint8_t) byte & 0xC0) == 0x80;
}

/*
 * To the next character, of which there is one: NextChar of like.c, which
 * believes the continuation bytes and not what the first byte says.
 */
BODY void
text_next_char(const char **t, uint32_t *len, bool utf8)
{
	do
	{
		++*t;
		--*len;
	} while (utf8 && *len > 0 && text_continues(**t));
}

/* ------------------------------------------------------------------------
 * LIKE
 * ------------------------------------------------------------------------
 */

typedef enum LikeOutcome
{
	LIKE_NO,
	LIKE_YES,
	LIKE_FAILS					/* the pattern ends in its escape character */
} LikeOutcome;

/*
 * like_match.c MatchText, step for step, so that the same texts as there meet
 * the error.  Its recursion is a loop here: what follows a % either decides the
 * outcome or sends us to the next place for the last % alone.
 */
SLOW_BODY LikeOutcome
text_like_match(const char *t, uint32_t tlen, const char *p, uint32_t plen, bool utf8)
{
	const char *again_t = NULL;	/* where the last % was tried last ... */
	uint32_t	again_tlen = 0;
	const char *again_p = NULL; /* ... with this, which begins with a literal */
	uint32_t	again_plen = 0;

	for (;;)
	{
		bool		same = true;

		while (tlen > 0 && plen > 0)
		{
			if (*p == '%')
			{
				p++;
				plen--;
				for (; plen > 0 && (*p == '%' || *p == '_'); p++, plen--)
					if (*p == '_')
					{
						if (tlen == 0)
							return LIKE_NO;
						text_next_char(&t, &tlen, utf8);
					}
				if (plen == 0)
					return LIKE_YES;
				if (*p == '\\' && plen < 2)
					return LIKE_FAILS;
				again_p = p;
				again_plen = plen;
				again_t = t;
				again_tlen = tlen;
				if (tlen == 0)
					return LIKE_NO;
				continue;
			}
			if (*p == '_')
			{
				text_next_char(&t, &tlen, utf8);
				p++;
				plen--;
				continue;
			}
			if (*p == '\\')
			{
				p++;
				plen--;
				if (plen == 0)
					return LIKE_FAILS;
			}
			if (*p != *t)
			{
				same = false;
				break;
			}
			t++;
			tlen--;
			p++;
			plen--;
		}
		if (same && tlen == 0)
		{
			while (plen > 0 && *p == '%')
			{
				p++;
				plen--;
			}
			/* if not, there is no use in shorter texts */
			return plen == 0 ? LIKE_YES : LIKE_NO;
		}
		if (!again_t)
			return LIKE_NO;
		text_next_char(&again_t, &again_tlen, utf8);
		if (again_tlen == 0)
			return LIKE_NO;
		t = again_t;
		tlen = again_tlen;
		p = again_p;
		plen = again_plen;
	}
}

#define LIKE_BODY(name, utf8, yes) \
BODY bool name(TextView a, TextView b, uint8_t *r) \
{ \
	LikeOutcome outcome = text_like_match(a.ptr, a.len, b.ptr, b.len, utf8); \
\
	*r = outcome == (yes); \
	return outcome != LIKE_FAILS; \
}

LIKE_BODY(text_like_utf8, true, LIKE_YES)
LIKE_BODY(text_not_like_utf8, true, LIKE_NO)
LIKE_BODY(text_like_bytes, false, LIKE_YES)
LIKE_BODY(text_not_like_bytes, false, LIKE_NO)
#undef LIKE_BODY

/* ------------------------------------------------------------------------
 * Characters
 * ------------------------------------------------------------------------
 */

#define TEXT_ASCII_8(p)		((load_u64(p) & UINT64_C(0x8080808080808080)) == 0)

/* wchar.c pg_utf_mblen: what the first byte says */
BODY uint32_t
text_char_bytes(char first)
{
	const uint8_t byte = (uint8_t) first;

	return byte < 0x80 ? 1 : (byte & 0xE0) == 0xC0 ? 2 : (byte & 0xF0) == 0xE0 ? 3 : (byte & 0xF8) == 0xF0 ? 4 : 1;
}

/*
 * Skip up to *n characters from byte *at on; *n := how many there were not.
 * False when one is cut off by the end of the text, for which PostgreSQL may
 * raise an error.
 */
BODY bool
text_skip_chars(TextView a, uint32_t *at, uint32_t *n, bool utf8)
{
	uint32_t	i = *at;
	uint32_t	left = *n;

	if (!utf8)
	{
		const uint32_t step = left < a.len - i ? left : a.len - i;

		*at = i + step;
		*n = left - step;
		return true;
	}
	while (left > 0 && i < a.len)
	{
		if (left >= 8 && a.len - i >= 8 && TEXT_ASCII_8(a.ptr + i))
		{
			i += 8;
			left -= 8;
			continue;
		}
		i += text_char_bytes(a.ptr[i]);
		left--;
	}
	*at = i;
	*n = left;
	return i <= a.len;
}

/* mbutils.c pg_mbstrlen_with_len */
SLOW_BODY bool
text_count_chars(TextView a, bool utf8, int32_t *r)
{
	uint32_t	at = 0;
	uint32_t	left = INT32_MAX;
	const bool	done = text_skip_chars(a, &at, &left, utf8);

	*r = (int32_t) (INT32_MAX - left);
	return done;
}

BODY bool
text_length_utf8(TextView a, int32_t *r)
{
	return text_count_chars(a, true, r);
}

BODY bool
text_length_bytes(TextView a, int32_t *r)
{
	*r = (int32_t) a.len;
	return true;
}

/* The characters from number 'skip' on (0: the first), at most 'count' of them */
BODY bool
text_part(TextView a, uint32_t skip, uint32_t count, bool utf8, TextView *r)
{
	uint32_t	from = 0;
	uint32_t	to;

	r->ptr = a.ptr;
	r->len = 0;
	r->pad = 0;
	if (!text_skip_chars(a, &from, &skip, utf8))
		return false;
	to = from;
	if (!text_skip_chars(a, &to, &count, utf8))
		return false;
	r->ptr = a.ptr + from;
	r->len = to - from;
	return true;
}

/*
 * varlena.c text_substring: the part from character 'start' on that lies
 * within the text.  A negative length is an error; where start + length leaves
 * int4 the part goes to the end.
 */
SLOW_BODY bool
text_substring(TextView a, int32_t start, int32_t length, bool utf8, TextView *r)
{
	const uint32_t skip = start > 1 ? (uint32_t) start - 1 : 0;
	const int64_t end = (int64_t) start + length;
	uint32_t	count = 0;

	if (length >= 0)
		count = end > INT32_MAX ? INT32_MAX : end < 1 ? 0 : (uint32_t) (end - 1) - skip;
	return text_part(a, skip, count, utf8, r) && length >= 0;
}

/* varlena.c text_left: a negative n leaves out as many at the end. */
SLOW_BODY bool
text_left_part(TextView a, int32_t n, bool utf8, TextView *r)
{
	int32_t		chars;

	if (n >= 0)
		return text_part(a, 0, (uint32_t) n, utf8, r);
	r->ptr = a.ptr;
	r->len = 0;
	r->pad = 0;
	if (!text_count_chars(a, utf8, &chars))
		return false;
	return text_part(a, 0, (int64_t) chars + n > 0 ? (uint32_t) (chars + n) : 0, utf8, r);
}

/*
 * varlena.c text_right: a negative n leaves out as many at the beginning.  What
 * the least int4 does, which has no counterpart, is PostgreSQL's own affair.
 */
SLOW_BODY bool
text_right_part(TextView a, int32_t n, bool utf8, TextView *r)
{
	int32_t		chars;

	r->ptr = a.ptr;
	r->len = 0;
	r->pad = 0;
	if (n < 0)
		return n != INT32_MIN && text_part(a, (uint32_t) -n, INT32_MAX, utf8, r);
	if (!text_count_chars(a, utf8, &chars))
		return false;
	return text_part(a, chars > n ? (uint32_t) (chars - n) : 0, INT32_MAX, utf8, r);
}

#define PART_BODIES(suffix, utf8) \
BODY bool text_substring_##suffix(TextView a, int32_t b, int32_t c, TextView *r) \
{ return text_substring(a, b, c, utf8, r); } \
BODY bool text_substring_from_##suffix(TextView a, int32_t b, TextView *r) \
{ return text_part(a, b > 1 ? (uint32_t) b - 1 : 0, INT32_MAX, utf8, r); } \
BODY bool text_left_##suffix(TextView a, int32_t b, TextView *r) \
{ return text_left_part(a, b, utf8, r); } \
BODY bool text_right_##suffix(TextView a, int32_t b, TextView *r) \
{ return text_right_part(a, b, utf8, r); }

PART_BODIES(utf8, true)
PART_BODIES(bytes, false)
#undef PART_BODIES

BODY bool
text_octets(TextView a, int32_t *r)
{
	*r = (int32_t) a.len;
	return true;
}

/* varlena.c text_starts_with: bytes, under a deterministic collation */
BODY bool
text_begins(TextView a, TextView b, uint8_t *r)
{
	*r = a.len >= b.len && text_bytes_same(a.ptr, b.ptr, b.len);
	return true;
}

#endif							/* GPUSCAN_TEXT_H */
