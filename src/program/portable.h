/*-------------------------------------------------------------------------
 *
 * portable.h
 *	  What the operator bodies and the tuple decoder need to compile as C and
 *	  as CUDA device code.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PORTABLE_H
#define GPUSCAN_PORTABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define BODY static __host__ __device__ __forceinline__
#define SLOW_BODY static __host__ __device__ __noinline__
#else
#define BODY static inline __attribute__((always_inline, unused))
#define SLOW_BODY static __attribute__((noinline, unused))
#endif

#define likely_(x)		__builtin_expect(!!(x), 1)
#define unlikely_(x)	__builtin_expect(!!(x), 0)

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

/* Unaligned loads: rows are packed as the table's definition has it. */
BODY uint16_t
load_u16(const void *p)
{
	uint16_t	v;

	memcpy(&v, p, sizeof v);
	return v;
}

BODY uint32_t
load_u32(const void *p)
{
	uint32_t	v;

	memcpy(&v, p, sizeof v);
	return v;
}

BODY uint64_t
load_u64(const void *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof v);
	return v;
}

#endif							/* GPUSCAN_PORTABLE_H */
