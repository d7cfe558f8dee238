/*-------------------------------------------------------------------------
 *
 * kernels_avx2.c
 *	  Loops for x86-64 with AVX2, FMA and F16C: 16 floats are two registers.
 *
 *-------------------------------------------------------------------------
 */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define LEVEL	avx2
#define ROWS	6
#define COLUMNS	1

typedef struct V
{
	__m256		a,
				b;
} V;

typedef struct W
{
	__m256i		a,
				b;
} W;

#define INLINE	static inline __attribute__((always_inline))
#define OF_TWO(name, f) INLINE V name(V x, V y) { return (V) {f(x.a, y.a), f(x.b, y.b)}; }

OF_TWO(v_add, _mm256_add_ps)
OF_TWO(v_sub, _mm256_sub_ps)
OF_TWO(v_mul, _mm256_mul_ps)
OF_TWO(v_div, _mm256_div_ps)
OF_TWO(v_max, _mm256_max_ps)

INLINE V v_load(const float *p) { return (V) {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE V v_splat(float x) { return (V) {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE V v_fma(V x, V y, V z) { return (V) {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }

INLINE void
v_store(float *p, V v)
{
	_mm256_storeu_ps(p, v.a);
	_mm256_storeu_ps(p + 8, v.b);
}

INLINE V
v_round(V v)
{
	return (V) {_mm256_round_ps(v.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
		_mm256_round_ps(v.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

INLINE __m256
power_of_two(__m256 n)
{
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

INLINE V
v_scale(V v, V n)
{
	return (V) {_mm256_mul_ps(v.a, power_of_two(n.a)), _mm256_mul_ps(v.b, power_of_two(n.b))};
}

INLINE V
v_abs(V v)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);

	return (V) {_mm256_andnot_ps(sign, v.a), _mm256_andnot_ps(sign, v.b)};
}

INLINE V
v_copysign(V v, V s)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);
	const V		plain = v_abs(v);

	return (V) {_mm256_or_ps(plain.a, _mm256_and_ps(sign, s.a)), _mm256_or_ps(plain.b, _mm256_and_ps(sign, s.b))};
}

INLINE W
w_load(const uint8_t *p)
{
	return (W) {_mm256_loadu_si256((const __m256i *) p), _mm256_loadu_si256((const __m256i *) (p + 32))};
}

INLINE V
v_words(__m256i a, __m256i b)
{
	return (V) {_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b)};
}

INLINE V
v_nibble(W v, int t, int less)
{
	const __m256i mask = _mm256_set1_epi32(15);
	const __m256i other = _mm256_set1_epi32(less);

	return v_words(_mm256_sub_epi32(_mm256_and_si256(_mm256_srli_epi32(v.a, 4 * t), mask), other),
				   _mm256_sub_epi32(_mm256_and_si256(_mm256_srli_epi32(v.b, 4 * t), mask), other));
}

INLINE V
v_int8(const uint8_t *p)
{
	return v_words(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) p)), _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) (p + 8))));
}

INLINE V
v_half(const uint8_t *p)
{
	return (V) {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (p + 16)))};
}

INLINE V
v_bfloat(const uint8_t *p)
{
	return (V) {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) p)), 16)),
		_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) (p + 16))), 16))};
}

#include "model/kernels_loops.h"
#endif							/* __x86_64__ */
