/*-------------------------------------------------------------------------
 *
 * kernels_loops.h
 *	  The loops of kernels.h, over vectors of 16 floats: a template.
 *
 * Who includes it has defined LEVEL (a name), ROWS and COLUMNS (of a tile of the
 * product: rows, panels), and on vectors of type V
 *
 *	  V v_load(const float *), void v_store(float *, V), V v_splat(float),
 *	  V v_add(V, V), v_sub, v_mul, v_div, v_max, V v_fma(V a, V b, V c) (a * b + c),
 *	  V v_round(V) (to even), V v_scale(V a, V n) (a * 2^n, n whole, -126 to 127),
 *	  V v_copysign(V a, V sign), V v_abs(V)
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "model/kernels.h"

#define ALWAYS_INLINE	static inline __attribute__((always_inline))

/* The loop behind it is written out, so that what it indexes lies in registers */
#ifdef __clang__
#define UNROLLED	_Pragma("clang loop unroll(full)")
#else
#define UNROLLED	_Pragma("GCC unroll 16")
#endif

/* k that a tile goes along before the next one: its panels stay in the first two caches */
#define DEPTH		512

/*
 * A tile: sums go on from those in y unless 'first'.  Constants say how many rows
 * and panels, so that the sums stay in registers.
 */
ALWAYS_INLINE void
tile(const float *x, size_t xstep, const float *w, size_t wstep, size_t depth,
	 const float *bias, float *y, size_t ystep, bool first, bool last, const int rows, const int columns)
{
	V			sum[ROWS][COLUMNS];

	UNROLLED
	for (int i = 0; i < rows; i++)
		UNROLLED
		for (int j = 0; j < columns; j++)
			sum[i][j] = first ? v_splat(0) : v_load(y + i * ystep + j * PANEL);
	for (size_t l = 0; l < depth; l++)
	{
		V			weight[COLUMNS];

		UNROLLED
		for (int j = 0; j < columns; j++)
			weight[j] = v_load(w + j * wstep + l * PANEL);
		UNROLLED
		for (int i = 0; i < rows; i++)
		{
			const V		value = v_splat(x[i * xstep + l]);

			UNROLLED
			for (int j = 0; j < columns; j++)
				sum[i][j] = v_fma(value, weight[j], sum[i][j]);
		}
	}
	UNROLLED
	for (int i = 0; i < rows; i++)
		UNROLLED
		for (int j = 0; j < columns; j++)
			v_store(y + i * ystep + j * PANEL, last && bias ? v_add(sum[i][j], v_load(bias + j * PANEL)) : sum[i][j]);
}

/* One row, four panels */
ALWAYS_INLINE void
wide_tile(const float *x, const float *w, size_t wstep, size_t depth, float *y, bool first)
{
	V			sum[4];

	UNROLLED
	for (int j = 0; j < 4; j++)
		sum[j] = first ? v_splat(0) : v_load(y + j * PANEL);
	for (size_t l = 0; l < depth; l++)
		UNROLLED
		for (int j = 0; j < 4; j++)
			sum[j] = v_fma(v_splat(x[l]), v_load(w + j * wstep + l * PANEL), sum[j]);
	UNROLLED
	for (int j = 0; j < 4; j++)
		v_store(y + j * PANEL, sum[j]);
}

/* All rows of one or more panels; bias has whole panels */
ALWAYS_INLINE void
stripe(const float *x, size_t xstep, size_t n, const float *w, size_t wstep, size_t depth,
	   const float *bias, float *y, size_t ystep, bool first, bool last, const int columns)
{
	size_t		i = 0;

	for (; i + ROWS <= n; i += ROWS)
		tile(x + i * xstep, xstep, w, wstep, depth, bias, y + i * ystep, ystep, first, last, ROWS, columns);
	for (; i + 4 <= n && ROWS > 4; i += 4)
		tile(x + i * xstep, xstep, w, wstep, depth, bias, y + i * ystep, ystep, first, last, 4, columns);
	for (; i < n; i++)
		tile(x + i * xstep, xstep, w, wstep, depth, bias, y + i * ystep, ystep, first, last, 1, columns);
}

static void
product(const float *x, size_t xstep, size_t n, const float *w, size_t m, size_t k,
		const float *bias, float *y, size_t ystep)
{
	const size_t wstep = PANEL * k;

	for (size_t l = 0; l < k; l += DEPTH)
	{
		const size_t depth = k - l < DEPTH ? k - l : DEPTH;
		const bool	first = l == 0;
		const bool	last = l + depth == k;
		size_t		j = 0;

		for (; j + COLUMNS * PANEL <= m; j += COLUMNS * PANEL)
			stripe(x + l, xstep, n, w + j * k + l * PANEL, wstep, depth, bias ? bias + j : NULL, y + j, ystep, first, last, COLUMNS);
		for (; j < m; j += PANEL)
		{
			float		some[PANEL] = {0};

			if (bias)
				memcpy(some, bias + j, (m - j < PANEL ? m - j : PANEL) * sizeof *some);
			stripe(x + l, xstep, n, w + j * k + l * PANEL, wstep, depth, bias ? some : NULL, y + j, ystep, first, last, 1);
		}
	}
}

/* Lanes in a fixed tree */
ALWAYS_INLINE float
v_sum(V v)
{
	float		lanes[PANEL];

	v_store(lanes, v);
	for (int half = PANEL / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lanes[i] += lanes[i + half];
	return lanes[0];
}

#include "model/kernels_matrix.h"

static void
accumulate(const float *x, size_t xstep, size_t n, const float *w, size_t wstep, size_t m, size_t k, float *y, size_t ystep, bool more)
{
	size_t		j = 0;

	/* few rows: more panels, so that sums need not wait for each other */
	for (; n < 4 && j + 4 * PANEL <= m; j += 4 * PANEL)
		for (size_t i = 0; i < n; i++)
			wide_tile(x + i * xstep, w + j / PANEL * wstep, wstep, k, y + i * ystep + j, !more);
	for (; j + COLUMNS * PANEL <= m; j += COLUMNS * PANEL)
		stripe(x, xstep, n, w + j / PANEL * wstep, wstep, k, NULL, y + j, ystep, !more, false, COLUMNS);
	for (; j < m; j += PANEL)
		stripe(x, xstep, n, w + j / PANEL * wstep, wstep, k, NULL, y + j, ystep, !more, false, 1);
}

/* Up to 16 floats, the rest 'other' */
ALWAYS_INLINE V
v_part(const float *x, size_t n, float other)
{
	float		lanes[PANEL];

	for (size_t i = 0; i < PANEL; i++)
		lanes[i] = i < n ? x[i] : other;
	return v_load(lanes);
}

ALWAYS_INLINE void
v_store_part(float *x, size_t n, V v)
{
	float		lanes[PANEL];

	v_store(lanes, v);
	memcpy(x, lanes, n * sizeof *x);
}

/* Statement for each vector v of x, of which the last has 'other' in its free lanes */
#define EACH(x, n, other, v, statement) \
do { \
	size_t		i_ = 0; \
	for (; i_ + PANEL <= (n); i_ += PANEL) \
	{ \
		V			v = v_load((x) + i_); \
		statement; \
	} \
	if (i_ < (n)) \
	{ \
		V			v = v_part((x) + i_, (n) - i_, other); \
		statement; \
	} \
} while (0)

/* The same where v replaces what it was */
#define REPLACE(x, n, v, statement) \
do { \
	size_t		i_ = 0; \
	for (; i_ + PANEL <= (n); i_ += PANEL) \
	{ \
		V			v = v_load((x) + i_); \
		statement; \
		v_store((x) + i_, v); \
	} \
	if (i_ < (n)) \
	{ \
		V			v = v_part((x) + i_, (n) - i_, 0); \
		statement; \
		v_store_part((x) + i_, (n) - i_, v); \
	} \
} while (0)

static void
layer_norm(float *x, size_t n, const float *weight, const float *bias, float epsilon)
{
	V			sum = v_splat(0);
	float		mean;
	float		scale;
	size_t		i = 0;

	EACH(x, n, 0, v, sum = v_add(sum, v));
	mean = v_sum(sum) / (float) n;
	sum = v_splat(0);
	EACH(x, n, mean, v, v = v_sub(v, v_splat(mean)); sum = v_fma(v, v, sum));
	scale = 1 / sqrtf(v_sum(sum) / (float) n + epsilon);
	for (; i + PANEL <= n; i += PANEL)
		v_store(x + i, v_fma(v_mul(v_sub(v_load(x + i), v_splat(mean)), v_splat(scale)), v_load(weight + i), v_load(bias + i)));
	if (i < n)
		v_store_part(x + i, n - i, v_fma(v_mul(v_sub(v_part(x + i, n - i, 0), v_splat(mean)), v_splat(scale)),
										 v_part(weight + i, n - i, 0), v_part(bias + i, n - i, 0)));
}

/*
 * exp: 2^n * e^r, |r| <= ln 2 / 2, with ln 2 in two parts and the polynomial of
 * Cephes' expf (2e-7 of the result).  Below -87 it is 0.
 */
ALWAYS_INLINE V
v_exp(V x)
{
	const V		n = v_round(v_mul(v_max(x, v_splat(-87.0f)), v_splat(1.44269504088896341f)));
	V			r = v_fma(n, v_splat(-0.693359375f), v_max(x, v_splat(-87.0f)));
	V			p;

	r = v_fma(n, v_splat(2.12194440e-4f), r);
	p = v_splat(1.9875691500e-4f);
	p = v_fma(p, r, v_splat(1.3981999507e-3f));
	p = v_fma(p, r, v_splat(8.3334519073e-3f));
	p = v_fma(p, r, v_splat(4.1665795894e-2f));
	p = v_fma(p, r, v_splat(1.6666665459e-1f));
	p = v_fma(p, r, v_splat(5.0000001201e-1f));
	p = v_fma(v_mul(r, r), p, v_add(r, v_splat(1)));
	return v_scale(p, n);
}

/* erf by Abramowitz and Stegun 7.1.26, which is 1.5e-7 from it at most */
ALWAYS_INLINE V
v_erf(V x)
{
	const V		a = v_abs(x);
	const V		t = v_div(v_splat(1), v_fma(a, v_splat(0.3275911f), v_splat(1)));
	V			p = v_splat(1.061405429f);

	p = v_fma(p, t, v_splat(-1.453152027f));
	p = v_fma(p, t, v_splat(1.421413741f));
	p = v_fma(p, t, v_splat(-0.284496736f));
	p = v_fma(p, t, v_splat(0.254829592f));
	p = v_mul(v_mul(p, t), v_exp(v_sub(v_splat(0), v_mul(a, a))));
	return v_copysign(v_sub(v_splat(1), p), x);
}

static void
rms_norm(const float *x, size_t n, const float *weight, float epsilon, float *y)
{
	V			sum = v_splat(0);
	float		scale;
	size_t		i = 0;

	EACH(x, n, 0, v, sum = v_fma(v, v, sum));
	scale = 1 / sqrtf(v_sum(sum) / (float) n + epsilon);
	for (; i + PANEL <= n; i += PANEL)
		v_store(y + i, v_mul(v_mul(v_load(x + i), v_splat(scale)), v_load(weight + i)));
	if (i < n)
		v_store_part(y + i, n - i, v_mul(v_mul(v_part(x + i, n - i, 0), v_splat(scale)), v_part(weight + i, n - i, 0)));
}

/* v / (1 + exp(-w)) */
ALWAYS_INLINE V
v_gated(V v, V w)
{
	/* beyond, the exponential is no float */
	const V		most = v_splat(-87.0f);
	const V		power = v_sub(v_splat(0), v_max(w, most));

	return v_div(v, v_add(v_splat(1), v_exp(power)));
}

static void
silu(float *x, const float *y, size_t n)
{
	size_t		i = 0;

	for (; i + PANEL <= n; i += PANEL)
	{
		const V		v = v_load(x + i);

		v_store(x + i, v_mul(v_gated(v, v), v_load(y + i)));
	}
	if (i < n)
	{
		const V		v = v_part(x + i, n - i, 0);

		v_store_part(x + i, n - i, v_mul(v_gated(v, v), v_part(y + i, n - i, 0)));
	}
}

/* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)) */
ALWAYS_INLINE V
v_gelu_tanh(V v)
{
	const V		cube = v_mul(v_mul(v, v), v);

	return v_gated(v, v_mul(v_fma(cube, v_splat(0.044715f), v), v_splat(2 * 0.797884560802865356f)));
}

static void
gelu_tanh(float *x, const float *y, size_t n)
{
	size_t		i = 0;

	for (; i + PANEL <= n; i += PANEL)
		v_store(x + i, v_mul(v_gelu_tanh(v_load(x + i)), v_load(y + i)));
	if (i < n)
		v_store_part(x + i, n - i, v_mul(v_gelu_tanh(v_part(x + i, n - i, 0)), v_part(y + i, n - i, 0)));
}

static void
gelu(float *x, size_t n)
{
	REPLACE(x, n, v, v = v_mul(v_mul(v, v_splat(0.5f)), v_add(v_splat(1), v_erf(v_mul(v, v_splat(0.707106781186547524f))))));
}

static void
softmax(float *x, size_t n, float scale)
{
	V			most = v_splat(-INFINITY);
	V			sum = v_splat(0);
	float		lanes[PANEL];
	float		max;
	float		part;
	size_t		i = 0;

	EACH(x, n, -INFINITY, v, most = v_max(most, v));
	v_store(lanes, most);
	max = lanes[0];
	for (int j = 1; j < PANEL; j++)
		max = lanes[j] > max ? lanes[j] : max;
	for (; i + PANEL <= n; i += PANEL)
	{
		const V		v = v_exp(v_mul(v_sub(v_load(x + i), v_splat(max)), v_splat(scale)));

		v_store(x + i, v);
		sum = v_add(sum, v);
	}
	if (i < n)
	{
		v_store_part(x + i, n - i, v_exp(v_mul(v_sub(v_part(x + i, n - i, max), v_splat(max)), v_splat(scale))));
		sum = v_add(sum, v_part(x + i, n - i, 0));
	}
	part = 1 / v_sum(sum);
	REPLACE(x, n, v, v = v_mul(v, v_splat(part)));
}

static float
dot(const float *x, const float *y, size_t n)
{
	V			sum = v_splat(0);
	size_t		i = 0;

	for (; i + PANEL <= n; i += PANEL)
		sum = v_fma(v_load(x + i), v_load(y + i), sum);
	if (i < n)
		sum = v_fma(v_part(x + i, n - i, 0), v_part(y + i, n - i, 0), sum);
	return v_sum(sum);
}

static float
square_distance(const float *x, const float *y, size_t n)
{
	V			sum = v_splat(0);
	size_t		i = 0;

	for (; i < n; i += PANEL)
	{
		const V		v = i + PANEL <= n ? v_sub(v_load(x + i), v_load(y + i)) : v_sub(v_part(x + i, n - i, 0), v_part(y + i, n - i, 0));

		sum = v_fma(v, v, sum);
	}
	return v_sum(sum);
}

#define KERNELS_OF(level)	KERNELS_NAMED(level)
#define KERNELS_NAMED(level)	model_kernels_##level
#define KERNELS_TEXT(level)	KERNELS_QUOTED(level)
#define KERNELS_QUOTED(level)	#level

const ModelKernels KERNELS_OF(LEVEL) = {
	KERNELS_TEXT(LEVEL), product, multiply, accumulate, layer_norm, rms_norm, silu, gelu_tanh, gelu, softmax, dot, square_distance
};
