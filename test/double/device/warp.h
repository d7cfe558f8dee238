/*-------------------------------------------------------------------------
 *
 * warp.h
 *	  Operations of a warp's lanes, and barriers of a block.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_WARP_H
#define CUDA_DOUBLE_WARP_H

#include <string.h>

#include "runtime.h"

static inline void
__syncthreads(CUDA_DOUBLE_SITE)
{
	cuda_double_barrier(CUDA_DOUBLE_SYNCTHREADS, false, CUDA_DOUBLE_HERE);
}

static inline int
__syncthreads_count(int predicate, CUDA_DOUBLE_SITE)
{
	return cuda_double_barrier(CUDA_DOUBLE_SYNCTHREADS_COUNT, predicate != 0, CUDA_DOUBLE_HERE);
}

static inline int
__syncthreads_and(int predicate, CUDA_DOUBLE_SITE)
{
	return cuda_double_barrier(CUDA_DOUBLE_SYNCTHREADS_AND, predicate != 0, CUDA_DOUBLE_HERE);
}

static inline int
__syncthreads_or(int predicate, CUDA_DOUBLE_SITE)
{
	return cuda_double_barrier(CUDA_DOUBLE_SYNCTHREADS_OR, predicate != 0, CUDA_DOUBLE_HERE);
}

static inline void
__syncwarp(unsigned mask = 0xFFFFFFFF, CUDA_DOUBLE_SITE)
{
	cuda_double_warp(CUDA_DOUBLE_SYNCWARP, mask, 0, 0, CUDA_DOUBLE_HERE);
}

/*
 * The lanes that run together: nothing is promised about it, so it is as
 * little as it can be.
 */
static inline unsigned
__activemask(void)
{
	return 1u << cuda_double_current->lane;
}

/* ------------------------------------------------------------------------
 * Votes
 * ------------------------------------------------------------------------
 */
static inline unsigned
__ballot_sync(unsigned mask, int predicate, CUDA_DOUBLE_SITE)
{
	return (unsigned) cuda_double_warp(CUDA_DOUBLE_BALLOT, mask, predicate != 0, 0, CUDA_DOUBLE_HERE);
}

static inline int
__any_sync(unsigned mask, int predicate, CUDA_DOUBLE_SITE)
{
	return (int) cuda_double_warp(CUDA_DOUBLE_ANY, mask, predicate != 0, 0, CUDA_DOUBLE_HERE);
}

static inline int
__all_sync(unsigned mask, int predicate, CUDA_DOUBLE_SITE)
{
	return (int) cuda_double_warp(CUDA_DOUBLE_ALL, mask, predicate != 0, 0, CUDA_DOUBLE_HERE);
}

/* ------------------------------------------------------------------------
 * Shuffles and matches: values of 4 or 8 bytes
 * ------------------------------------------------------------------------
 */
template <class T> static inline uint64_t
cuda_double_pack(T value)
{
	uint64_t	bits = 0;

	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange values of 4 or 8 bytes");
	memcpy(&bits, &value, sizeof value);
	return bits;
}

template <class T> static inline T
cuda_double_unpack(uint64_t bits)
{
	T			value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/*
 * A lane whose source lies outside its part of the warp (of 'width' lanes)
 * keeps its own value; so the source is computed here, once.
 */
#define CUDA_DOUBLE_SHUFFLE(name, kind, argument, source) \
	template <class T> static inline T \
	name(unsigned mask, T value, argument by, int width = CUDA_DOUBLE_WARP, CUDA_DOUBLE_SITE) \
	{ \
		unsigned	lane = cuda_double_current->lane; \
		unsigned	size = (unsigned) width; \
		unsigned	first = lane & ~(size - 1); \
		unsigned	from = (source); \
\
		return cuda_double_unpack<T>(cuda_double_warp(kind, mask, cuda_double_pack(value), from, \
													  CUDA_DOUBLE_HERE)); \
	}

CUDA_DOUBLE_SHUFFLE(__shfl_sync, CUDA_DOUBLE_SHFL, int, first | ((unsigned) by & (size - 1)))
CUDA_DOUBLE_SHUFFLE(__shfl_up_sync, CUDA_DOUBLE_SHFL_UP, unsigned,
					lane - first >= by ? lane - by : lane)
CUDA_DOUBLE_SHUFFLE(__shfl_down_sync, CUDA_DOUBLE_SHFL_DOWN, unsigned,
					by < first + size - lane ? lane + by : lane)
/* a lane of an earlier part may be read, one of a later part may not */
CUDA_DOUBLE_SHUFFLE(__shfl_xor_sync, CUDA_DOUBLE_SHFL_XOR, int,
					(lane ^ (unsigned) by) < first + size ? lane ^ (unsigned) by : lane)

template <class T> static inline unsigned
__match_any_sync(unsigned mask, T value, CUDA_DOUBLE_SITE)
{
	return (unsigned) cuda_double_warp(CUDA_DOUBLE_MATCH_ANY, mask, cuda_double_pack(value), 0, CUDA_DOUBLE_HERE);
}

template <class T> static inline unsigned
__match_all_sync(unsigned mask, T value, int *equal, CUDA_DOUBLE_SITE)
{
	unsigned	lanes = (unsigned) cuda_double_warp(CUDA_DOUBLE_MATCH_ALL, mask, cuda_double_pack(value), 0,
													CUDA_DOUBLE_HERE);

	*equal = lanes != 0;
	return lanes;
}

/* ------------------------------------------------------------------------
 * Reductions
 * ------------------------------------------------------------------------
 */
#define CUDA_DOUBLE_REDUCE(name, type, kind) \
	static inline type \
	name(unsigned mask, type value, CUDA_DOUBLE_SITE) \
	{ \
		return (type) cuda_double_warp(kind, mask, (unsigned) value, 0, CUDA_DOUBLE_HERE); \
	}

CUDA_DOUBLE_REDUCE(__reduce_add_sync, unsigned, CUDA_DOUBLE_ADD)
CUDA_DOUBLE_REDUCE(__reduce_add_sync, int, CUDA_DOUBLE_ADD)
CUDA_DOUBLE_REDUCE(__reduce_min_sync, unsigned, CUDA_DOUBLE_MIN_UNSIGNED)
CUDA_DOUBLE_REDUCE(__reduce_min_sync, int, CUDA_DOUBLE_MIN_INT)
CUDA_DOUBLE_REDUCE(__reduce_max_sync, unsigned, CUDA_DOUBLE_MAX_UNSIGNED)
CUDA_DOUBLE_REDUCE(__reduce_max_sync, int, CUDA_DOUBLE_MAX_INT)
CUDA_DOUBLE_REDUCE(__reduce_and_sync, unsigned, CUDA_DOUBLE_AND)
CUDA_DOUBLE_REDUCE(__reduce_or_sync, unsigned, CUDA_DOUBLE_OR)
CUDA_DOUBLE_REDUCE(__reduce_xor_sync, unsigned, CUDA_DOUBLE_XOR)

#endif							/* CUDA_DOUBLE_WARP_H */
