/*-------------------------------------------------------------------------
 *
 * bigint.h
 *	  Integers of 512 bits in two's complement, by the schoolbook.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_BIGINT_H
#define UNIT_BIGINT_H

#include <string.h>

#include "program/portable.h"

#define BIG_WORDS	16

typedef struct Big
{
	uint32_t	word[BIG_WORDS];	/* least significant first */
} Big;

static Big
big_from_i128(i128 value)
{
	Big			big;

	for (int i = 0; i < BIG_WORDS; i++)
		big.word[i] = (uint32_t) (value >> (i < 4 ? 32 * i : 127));
	return big;
}

/* n words of 64 bits, the last one with the sign */
static Big
big_from_limbs(const uint64_t *limbs, int n)
{
	Big			big;
	uint32_t	sign = (int64_t) limbs[n - 1] < 0 ? UINT32_MAX : 0;

	for (int i = 0; i < BIG_WORDS; i++)
		big.word[i] = i / 2 < n ? (uint32_t) (limbs[i / 2] >> (32 * (i % 2))) : sign;
	return big;
}

static void
big_add(Big *big, const Big *other)
{
	uint64_t	carry = 0;

	for (int i = 0; i < BIG_WORDS; i++)
	{
		carry += (uint64_t) big->word[i] + other->word[i];
		big->word[i] = (uint32_t) carry;
		carry >>= 32;
	}
}

static void
big_times_ten(Big *big, int times)
{
	for (; times > 0; times--)
	{
		uint64_t	carry = 0;

		for (int i = 0; i < BIG_WORDS; i++)
		{
			carry += (uint64_t) big->word[i] * 10;
			big->word[i] = (uint32_t) carry;
			carry >>= 32;
		}
	}
}

static bool
big_equal(const Big *a, const Big *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

#endif							/* UNIT_BIGINT_H */
