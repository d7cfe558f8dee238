/*-------------------------------------------------------------------------
 *
 * kernels_base.c
 *	  Loops for every machine: the compiler cuts vectors of 16 as it can.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>

#include "model/quant.h"

#define LEVEL	base
#define ROWS	2
#define COLUMNS	1

typedef float V __attribute__((vector_size(64)));
typedef int32_t W __attribute__((vector_size(64)));

#define INLINE	static inline __attribute__((always_inline))

INLINE V
v_load(const float *p)
{
	V			v;

	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

INLINE void
v_store(float *p, V v)
{
	__builtin_memcpy(p, &v, sizeof v);
}

INLINE V
v_splat(float a)
{
	return (V) {a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a};
}

INLINE V
v_choose(W where, V a, V b)
{
	return (V) ((where & (W) a) | (~where & (W) b));
}

INLINE V v_add(V a, V b) { return a + b; }
INLINE V v_sub(V a, V b) { return a - b; }
INLINE V v_mul(V a, V b) { return a * b; }
INLINE V v_div(V a, V b) { return a / b; }
INLINE V v_max(V a, V b) { return v_choose(a > b, a, b); }
INLINE V v_fma(V a, V b, V c) { return a * b + c; }
INLINE V v_copysign(V a, V sign) { return (V) (((W) a & 0x7fffffff) | ((W) sign & (int32_t) 0x80000000)); }
INLINE V v_abs(V a) { return (V) ((W) a & 0x7fffffff); }

/* small numbers: adding 3 * 2^22 leaves no room for what is behind the point */
INLINE V
v_round(V a)
{
	const V		much = v_splat(12582912.0f);

	return a + much - much;
}

INLINE V
v_scale(V a, V n)
{
	return a * (V) ((__builtin_convertvector(n, W) + 127) << 23);
}

INLINE W
w_load(const uint8_t *p)
{
	W			v;

	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

INLINE V
v_nibble(W v, int t, int less)
{
	return __builtin_convertvector((v >> 4 * t & 15) - less, V);
}

INLINE V
v_int8(const uint8_t *p)
{
	int8_t		bytes __attribute__((vector_size(16)));

	__builtin_memcpy(&bytes, p, sizeof bytes);
	return __builtin_convertvector(bytes, V);
}

INLINE V
v_bfloat(const uint8_t *p)
{
	uint16_t	halves __attribute__((vector_size(32)));

	__builtin_memcpy(&halves, p, sizeof halves);
	return (V) (__builtin_convertvector(halves, W) << 16);
}

INLINE V
v_half(const uint8_t *p)
{
	V			v;

	for (int i = 0; i < 16; i++)
		v[i] = float_from_half((uint16_t) (p[2 * i] | p[2 * i + 1] << 8));
	return v;
}

#include "model/kernels_loops.h"
