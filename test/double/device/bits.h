/*-------------------------------------------------------------------------
 *
 * bits.h
 *	  CUDA's integer intrinsics, min and max, and reinterpretations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_BITS_H
#define CUDA_DOUBLE_BITS_H

#include <stdint.h>
#include <string.h>

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned) x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long) x) : 64; }

static inline unsigned
__brev(unsigned x)
{
	x = (x & 0x55555555) << 1 | (x >> 1 & 0x55555555);
	x = (x & 0x33333333) << 2 | (x >> 2 & 0x33333333);
	x = (x & 0x0F0F0F0F) << 4 | (x >> 4 & 0x0F0F0F0F);
	return __builtin_bswap32(x);
}

static inline unsigned long long
__brevll(unsigned long long x)
{
	return (unsigned long long) __brev((unsigned) x) << 32 | __brev((unsigned) (x >> 32));
}

/* Bytes of y:x by the nibbles of 'selector'; bit 3 of one: its sign, repeated. */
static inline unsigned
__byte_perm(unsigned x, unsigned y, unsigned selector)
{
	unsigned long long both = (unsigned long long) y << 32 | x;
	unsigned	result = 0;

	for (int i = 0; i < 4; i++)
	{
		unsigned	pick = selector >> 4 * i & 0xF;
		unsigned	byte = (unsigned) (both >> 8 * (pick & 7)) & 0xFF;

		if (pick & 8)
			byte = byte & 0x80 ? 0xFF : 0;
		result |= byte << 8 * i;
	}
	return result;
}

static inline unsigned
__funnelshift_l(unsigned lo, unsigned hi, unsigned shift)
{
	return (unsigned) (((unsigned long long) hi << 32 | lo) << (shift & 31) >> 32);
}

static inline unsigned
__funnelshift_r(unsigned lo, unsigned hi, unsigned shift)
{
	return (unsigned) (((unsigned long long) hi << 32 | lo) >> (shift & 31));
}

static inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned) ((unsigned long long) x * y >> 32); }
static inline int __mulhi(int x, int y) { return (int) ((long long) x * y >> 32); }

static inline unsigned long long
__umul64hi(unsigned long long x, unsigned long long y)
{
	return (unsigned long long) ((__extension__ (unsigned __int128) x) * y >> 64);
}

static inline long long
__mul64hi(long long x, long long y)
{
	return (long long) ((__extension__ (__int128) x) * y >> 64);
}

#define CUDA_DOUBLE_MINMAX(type) \
	static inline type min(type a, type b) { return b < a ? b : a; } \
	static inline type max(type a, type b) { return a < b ? b : a; }

CUDA_DOUBLE_MINMAX(int)
CUDA_DOUBLE_MINMAX(unsigned)
CUDA_DOUBLE_MINMAX(long)
CUDA_DOUBLE_MINMAX(unsigned long)
CUDA_DOUBLE_MINMAX(long long)
CUDA_DOUBLE_MINMAX(unsigned long long)

/* fmin and fmax: a NaN gives way to a number */
static inline float min(float a, float b) { return __builtin_fminf(a, b); }
static inline float max(float a, float b) { return __builtin_fmaxf(a, b); }
static inline double min(double a, double b) { return __builtin_fmin(a, b); }
static inline double max(double a, double b) { return __builtin_fmax(a, b); }

#define CUDA_DOUBLE_AS(name, from, to) \
	static inline to \
	name(from x) \
	{ \
		to			r; \
\
		static_assert(sizeof r == sizeof x, ""); \
		memcpy(&r, &x, sizeof r); \
		return r; \
	}

CUDA_DOUBLE_AS(__float_as_int, float, int)
CUDA_DOUBLE_AS(__float_as_uint, float, unsigned)
CUDA_DOUBLE_AS(__int_as_float, int, float)
CUDA_DOUBLE_AS(__uint_as_float, unsigned, float)
CUDA_DOUBLE_AS(__double_as_longlong, double, long long)
CUDA_DOUBLE_AS(__longlong_as_double, long long, double)

#endif							/* CUDA_DOUBLE_BITS_H */
