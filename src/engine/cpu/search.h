/*-------------------------------------------------------------------------
 *
 * search.h
 *	  Where a string first occurs in a text; part of level.h.
 *
 * The first and the last byte of the string are looked for in a vector of
 * places at once; where both are there, the bytes between are compared.  No
 * byte outside of the text is read: a text may end where its memory does.
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SEARCH_NONE		UINT32_MAX

/* At one of the places 'hits' behind t + base? */
#define SEARCH_HITS(type, base) \
do { \
	for (type h = hits; h != 0; h &= h - 1) \
	{ \
		const uint32_t at = (base) + (uint32_t) __builtin_ctzll(h); \
		if (m <= 2 || text_bytes_same(t + at + 1, needle + 1, m - 2)) \
			return at; \
	} \
} while (0)

/* The first place of the m bytes, m > 0, or SEARCH_NONE */
BODY uint32_t
search_text(const char *t, uint32_t len, const char *needle, uint32_t m)
{
	const uint32_t n = len - m + 1; /* places */

	if (len < m)
		return SEARCH_NONE;
#if defined(__AVX512BW__)
	{
		const __m512i first = _mm512_set1_epi8(needle[0]);
		const __m512i last = _mm512_set1_epi8(needle[m - 1]);

		for (uint32_t i = 0; i < n; i += 64)
		{
			/* what the mask leaves out is not read */
			const __mmask64 there = n - i >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), n - i);
			const __m512i a = _mm512_maskz_loadu_epi8(there, t + i);
			const __m512i b = _mm512_maskz_loadu_epi8(there, t + i + m - 1);
			const uint64_t hits = _mm512_mask_cmpeq_epi8_mask(_mm512_mask_cmpeq_epi8_mask(there, a, first), b, last);

			SEARCH_HITS(uint64_t, i);
		}
	}
#elif defined(__SSE2__)
	{
		const __m128i first = _mm_set1_epi8(needle[0]);
		const __m128i last = _mm_set1_epi8(needle[m - 1]);
		uint32_t	i = 0;
		uint32_t	hits;

#define SEARCH_16(at) \
	hits = (uint32_t) _mm_movemask_epi8(_mm_and_si128( \
		_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) (t + (at))), first), \
		_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) (t + (at) + m - 1)), last)))

#if defined(__AVX2__)
		{
			const __m256i first32 = _mm256_set1_epi8(needle[0]);
			const __m256i last32 = _mm256_set1_epi8(needle[m - 1]);

			for (; i + 32 <= n; i += 32)
			{
				hits = (uint32_t) _mm256_movemask_epi8(_mm256_and_si256(
					_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *) (t + i)), first32),
					_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *) (t + i + m - 1)), last32)));
				SEARCH_HITS(uint32_t, i);
			}
		}
#endif
		for (; i + 16 <= n; i += 16)
		{
			SEARCH_16(i);
			SEARCH_HITS(uint32_t, i);
		}
		if (i == n)
			return SEARCH_NONE;
		if (n >= 16)
		{
			/* the last 16 places: some were looked at before */
			SEARCH_16(n - 16);
			SEARCH_HITS(uint32_t, n - 16);
		}
		else if (len >= 16)
		{
			/* sixteen bytes from the beginning, and sixteen to the end */
			const uint32_t a = (uint32_t) _mm_movemask_epi8(
				_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) t), first));
			const uint32_t b = (uint32_t) _mm_movemask_epi8(
				_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) (t + len - 16)), last));

			hits = a & b >> (16 - n);
			SEARCH_HITS(uint32_t, 0);
		}
		else
		{
			const uint64_t lo = text_load_short(t, len < 8 ? len : 8);
			const uint64_t hi = len <= 8 ? 0 : load_u64(t + len - 8) >> (8 * (16 - len));
			__m128i		bytes;

			bytes = _mm_set_epi64x((long long) hi, (long long) lo);
			hits = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, first)) &
				(uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, last)) >> (m - 1) & ((1u << n) - 1);
			SEARCH_HITS(uint32_t, 0);
		}
#undef SEARCH_16
	}
#else
	for (const char *p = t; (p = memchr(p, needle[0], n - (uint32_t) (p - t))) != NULL;)
	{
		if (text_bytes_same(p, needle, m))
			return (uint32_t) (p - t);
		if ((uint32_t) (++p - t) == n)
			break;
	}
#endif
	return SEARCH_NONE;
}
#undef SEARCH_HITS
