/*-------------------------------------------------------------------------
 *
 * rng.h
 *	  Random numbers that a seed repeats (splitmix64), and edge values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_RNG_H
#define UNIT_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Rng
{
	uint64_t	state;
} Rng;

static inline uint64_t
rng_next(Rng *rng)
{
	uint64_t	x = (rng->state += UINT64_C(0x9E3779B97F4A7C15));

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* 0 .. n-1 */
static inline uint32_t
rng_below(Rng *rng, uint32_t n)
{
	return (uint32_t) ((rng_next(rng) >> 32) * n >> 32);
}

/* low .. high */
static inline int
rng_range(Rng *rng, int low, int high)
{
	return low + (int) rng_below(rng, (uint32_t) (high - low) + 1);
}

static inline bool
rng_chance(Rng *rng, int percent)
{
	return (int) rng_below(rng, 100) < percent;
}

#define RNG_PICK(rng, array)	((array)[rng_below(rng, sizeof(array) / sizeof *(array))])

/* An integer of the given width in bytes, often at an edge of its type. */
static inline int64_t
rng_edge(Rng *rng, int width)
{
	int64_t		max = (int64_t) (UINT64_MAX >> (65 - 8 * width));
	int64_t		min = -max - 1;
	int64_t		half = (int64_t) 1 << (4 * width);	/* products of two of these overflow, or just not */

	switch (rng_below(rng, 9))
	{
		case 0:
			return max;
		case 1:
			return min;
		case 2:
			return max - rng_below(rng, 3);
		case 3:
			return min + rng_below(rng, 3);
		case 4:
			return half - 1 + (int64_t) rng_below(rng, 3);
		case 5:
			return -half - 1 + (int64_t) rng_below(rng, 3);
		case 6:
			return (int64_t) (rng_next(rng) & (uint64_t) max);
		case 7:
			return -(int64_t) (rng_next(rng) & (uint64_t) max);
		default:
			return (int64_t) rng_below(rng, 7) - 3;
	}
}

#endif							/* UNIT_RNG_H */
