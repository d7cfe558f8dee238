/*-------------------------------------------------------------------------
 *
 * kernels_avx512.c
 *	  Loops for x86-64 with AVX-512: 16 floats are a register.
 *
 *-------------------------------------------------------------------------
 */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define LEVEL	avx512
#define ROWS	12
#define COLUMNS	2

typedef __m512 V;
typedef __m512i W;

#define INLINE	static inline __attribute__((always_inline))

INLINE V v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, V v) { _mm512_storeu_ps(p, v); }
INLINE V v_splat(float a) { return _mm512_set1_ps(a); }
INLINE V v_add(V a, V b) { return _mm512_add_ps(a, b); }
INLINE V v_sub(V a, V b) { return _mm512_sub_ps(a, b); }
INLINE V v_mul(V a, V b) { return _mm512_mul_ps(a, b); }
INLINE V v_div(V a, V b) { return _mm512_div_ps(a, b); }
INLINE V v_max(V a, V b) { return _mm512_max_ps(a, b); }
INLINE V v_fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
INLINE V v_round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE V v_scale(V a, V n) { return _mm512_scalef_ps(a, n); }
INLINE V v_abs(V a) { return _mm512_abs_ps(a); }
INLINE V v_copysign(V a, V sign) { return _mm512_or_ps(_mm512_abs_ps(a), _mm512_and_ps(_mm512_set1_ps(-0.0f), sign)); }
INLINE W w_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
INLINE V v_int8(const uint8_t *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) p))); }
INLINE V v_half(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p)); }

INLINE V
v_bfloat(const uint8_t *p)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) p)), 16));
}

/* the permutation looks at four bits only */
INLINE V
v_nibble(W v, int t, int less)
{
	const V		whole = _mm512_sub_ps(_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_ps((float) less));

	return _mm512_permutexvar_ps(_mm512_srli_epi32(v, (unsigned int) (4 * t)), whole);
}

#include "model/kernels_loops.h"
#endif							/* __x86_64__ */
