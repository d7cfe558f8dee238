/*-------------------------------------------------------------------------
 *
 * text.h
 *	  Text as a view of bytes that lie elsewhere, and its operators.
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

#include "program/portable.h"

typedef struct TextView
{
	const char *ptr;
	uint32_t	len;
	uint32_t	pad;
} TextView;

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

#endif							/* GPUSCAN_TEXT_H */
