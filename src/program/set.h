/*-------------------------------------------------------------------------
 *
 * set.h
 *	  Is a value among those of a long list?
 *
 * The list is a parameter, a text of these bytes (exec/set.c makes it):
 *
 *	   uint32 mask				slots less one, a power of two less one
 *	   uint32 n					elements
 *	   uint32 slots[mask + 1]	number of an element + 1, or 0: open addressing
 *	   elements					SET_ELEMENT bytes each: an integer, a canonical
 *								numeric, or where a text lies in these bytes
 *	   bytes of texts
 *
 * Equality is that of EQ_INT64, EQ_NUMERIC and EQ_TEXT.  Nothing outside of the
 * parameter is read, whatever it says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_SET_H
#define GPUSCAN_SET_H

#include "program/numeric.h"
#include "program/text.h"

#define SET_HEADER		8
#define SET_ELEMENT		24

BODY uint32_t
set_hash_word(uint32_t hash, uint64_t word)
{
	uint64_t	x = (word ^ ((uint64_t) hash << 32 | hash)) * UINT64_C(0x9E3779B97F4A7C15);

	x ^= x >> 32;
	x *= UINT64_C(0xD6E8FEB86659FD93);
	return (uint32_t) (x >> 32);
}

BODY uint32_t
set_hash_numeric(NumericValue canonical)
{
	return set_hash_word(set_hash_word((uint32_t) canonical.scale, (uint64_t) canonical.mantissa),
						 (uint64_t) (canonical.mantissa >> 64));
}

BODY uint32_t
set_hash_text(TextView text)
{
	uint32_t	hash = text.len;
	uint32_t	i = 0;

	for (; text.len - i >= 8; i += 8)
		hash = set_hash_word(hash, load_u64(text.ptr + i));
	return set_hash_word(hash, text_load_short(text.ptr + i, text.len - i));
}

/*
 * The element behind slot *slot, or NULL at an empty one; *slot moves on.  tries:
 * 0 at first.
 */
BODY const char *
set_next(TextView set, uint32_t *slot, uint32_t *tries)
{
	uint32_t	mask;
	uint32_t	number;
	uint64_t	at;

	if (set.len < SET_HEADER)
		return NULL;
	mask = load_u32(set.ptr);
	at = SET_HEADER + ((uint64_t) mask + 1) * sizeof(uint32_t);
	if (at > set.len || (*tries)++ > mask)
		return NULL;
	*slot &= mask;
	number = load_u32(set.ptr + SET_HEADER + (uint64_t) *slot * sizeof(uint32_t));
	++*slot;
	if (number == 0)
		return NULL;
	at += (uint64_t) (number - 1) * SET_ELEMENT;
	return at + SET_ELEMENT <= set.len ? set.ptr + at : NULL;
}

BODY bool
set_has_int64(TextView set, int64_t value, uint8_t *r)
{
	uint32_t	slot = set_hash_word(0, (uint64_t) value);
	uint32_t	tries = 0;
	const char *element;

	*r = 0;
	while ((element = set_next(set, &slot, &tries)) != NULL)
		if (load_u64(element) == (uint64_t) value)
		{
			*r = 1;
			break;
		}
	return true;
}

BODY bool
set_has_numeric(TextView set, NumericValue value, uint8_t *r)
{
	const NumericValue canonical = numeric_canonical(value);
	uint32_t	slot = set_hash_numeric(canonical);
	uint32_t	tries = 0;
	const char *element;

	*r = 0;
	while ((element = set_next(set, &slot, &tries)) != NULL)
		if (load_u64(element) == (uint64_t) canonical.mantissa && load_u64(element + 8) == (uint64_t) (canonical.mantissa >> 64) &&
			load_u32(element + 16) == (uint32_t) canonical.scale)
		{
			*r = 1;
			break;
		}
	return true;
}

BODY bool
set_has_text(TextView set, TextView value, uint8_t *r)
{
	uint32_t	slot = set_hash_text(value);
	uint32_t	tries = 0;
	const char *element;

	*r = 0;
	while ((element = set_next(set, &slot, &tries)) != NULL)
	{
		const uint32_t from = load_u32(element);
		const uint32_t len = load_u32(element + 4);

		if (len == value.len && (uint64_t) from + len <= set.len && text_bytes_same(set.ptr + from, value.ptr, len))
		{
			*r = 1;
			break;
		}
	}
	return true;
}

#endif							/* GPUSCAN_SET_H */
