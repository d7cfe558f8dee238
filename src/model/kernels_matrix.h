/*-------------------------------------------------------------------------
 *
 * kernels_matrix.h
 *	  Products with a matrix as matrix.h has it: a template, behind
 *	  kernels_loops.h, for one instruction level.
 *
 * Besides vectors of floats its user has defined vectors W of 16 words, and
 *
 *	  W w_load(const uint8_t *),
 *	  V v_nibble(W v, int t, int less) (bits 4t to 4t + 3 of each word, less 'less'),
 *	  V v_int8(const uint8_t *), V v_half(const uint8_t *), V v_bfloat(const uint8_t *)
 *	  (16 values).
 *
 * The order of a sum, whatever the number of rows: the integers of a block, times
 * their inputs, one fused multiply-add after the other from 0 on; that times the
 * scale is added to the sum of the blocks before, then the sum of the block's
 * inputs times the minimum.  Of floats, all inputs one after the other.
 *
 *-------------------------------------------------------------------------
 */

/* Inputs whose weights are taken apart at a time, for several rows: two panels of them lie in the first cache */
#define CHUNK		128
/* Rows that go through a chunk together */
#define CHUNK_ROWS	256

ALWAYS_INLINE V
v_scale_at(const MatrixForm form, const uint8_t *at)
{
	return matrix_forms[form].scale == 2 ? v_half(at) : v_load((const float *) at);
}

/* A unit of one input */
ALWAYS_INLINE V
v_weight_at(const MatrixForm form, const uint8_t *at)
{
	switch (form)
	{
		case MATRIX_F32:
			return v_load((const float *) at);
		case MATRIX_F16:
			return v_half(at);
		case MATRIX_BF16:
			return v_bfloat(at);
		default:
			return v_int8(at);
	}
}

ALWAYS_INLINE float
sum_of_inputs(const float *x)
{
	V			sum = v_load(x);

	sum = v_add(sum, v_load(x + PANEL));
	return v_sum(sum);
}

/* ------------------------------------------------------------------------
 * One row: weights are taken apart where they are used
 * ------------------------------------------------------------------------
 */

/*
 * w: a group's blocks, of 'width' panels, of which 'columns' from p on are
 * multiplied.  sums: of the inputs of each block.
 */
ALWAYS_INLINE void
row_by_blocks(const MatrixForm form, const uint8_t *w, const size_t width, const size_t p, const float *x, const float *sums, size_t k,
			  float *y, const int columns)
{
	const MatrixFormInfo *info = &matrix_forms[form];
	const int	less = form == MATRIX_4 ? 8 : 0;
	V			sum[GROUP];

	UNROLLED
	for (int j = 0; j < columns; j++)
		sum[j] = v_splat(0);
	for (size_t l = 0; l < k; l += info->block, x += info->block, w += width * matrix_block_bytes(form))
	{
		V			part[GROUP];

		UNROLLED
		for (int j = 0; j < columns; j++)
			part[j] = v_splat(0);
		if (info->bits == 4)
			for (size_t i = 0; i < info->block; i += 8)
			{
				W			words[GROUP];

				UNROLLED
				for (int j = 0; j < columns; j++)
					words[j] = w_load(w + matrix_unit_at(form, width, p + (size_t) j, i));
				UNROLLED
				for (int t = 0; t < 8; t++)
					UNROLLED
					for (int j = 0; j < columns; j++)
						part[j] = v_fma(v_splat(x[i + (size_t) t]), v_nibble(words[j], t, less), part[j]);
			}
		else
			UNROLLED
			for (size_t i = 0; i < info->block; i++)
				UNROLLED
				for (int j = 0; j < columns; j++)
					part[j] = v_fma(v_splat(x[i]), v_weight_at(form, w + matrix_unit_at(form, width, p + (size_t) j, i)), part[j]);
		UNROLLED
		for (int j = 0; j < columns; j++)
		{
			sum[j] = v_fma(part[j], v_scale_at(form, w + matrix_scale_at(form, p + (size_t) j)), sum[j]);
			if (info->min)
				sum[j] = v_fma(v_splat(sums[l / info->block]), v_scale_at(form, w + matrix_min_at(form, width, p + (size_t) j)), sum[j]);
		}
	}
	UNROLLED
	for (int j = 0; j < columns; j++)
		v_store(y + j * PANEL, sum[j]);
}

ALWAYS_INLINE void
row_of_floats(const MatrixForm form, const uint8_t *w, const size_t width, const size_t p, const float *x, size_t k, float *y, const int columns)
{
	V			sum[GROUP];

	UNROLLED
	for (int j = 0; j < columns; j++)
		sum[j] = v_splat(0);
	for (size_t l = 0; l < k; l++, w += width * matrix_block_bytes(form))
		UNROLLED
		for (int j = 0; j < columns; j++)
			sum[j] = v_fma(v_splat(x[l]), v_weight_at(form, w + matrix_unit_at(form, width, p + (size_t) j, 0)), sum[j]);
	UNROLLED
	for (int j = 0; j < columns; j++)
		v_store(y + j * PANEL, sum[j]);
}

/* w: the whole matrix */
ALWAYS_INLINE void
multiply_row(const MatrixForm form, const uint8_t *w, size_t all, size_t j, size_t end, const float *x, size_t k, float *y)
{
	float		sums[MULTIPLY_MAX_K / 32];

	if (matrix_forms[form].min)
		for (size_t l = 0; l < k; l += 32)
			sums[l / 32] = sum_of_inputs(x + l);
	while (j < end)
	{
		const size_t width = matrix_group_panels(all, j);
		const uint8_t *from = w + matrix_group_at(form, k, j);

#define SOME_PANELS(columns, width) \
		if (end - j >= (columns)) \
		{ \
			if (matrix_forms[form].block > 1) \
				row_by_blocks(form, from, width, j % GROUP, x, sums, k, y + j * PANEL, columns); \
			else \
				row_of_floats(form, from, width, j % GROUP, x, k, y + j * PANEL, columns); \
			j += (columns); \
			continue; \
		}
		SOME_PANELS(GROUP, GROUP)
		SOME_PANELS(2, width)
		SOME_PANELS(1, width)
#undef SOME_PANELS
	}
}

/* ------------------------------------------------------------------------
 * Several rows: weights of a chunk are taken apart, then used for all
 * ------------------------------------------------------------------------
 */

typedef struct Chunk
{
	float		weights[COLUMNS][CHUNK * PANEL];
	float		scales[COLUMNS][CHUNK / 16 * PANEL];
	float		mins[COLUMNS][CHUNK / 16 * PANEL];
	float		sums[CHUNK_ROWS][CHUNK / 16];
} Chunk;

/* w: the group's blocks from the chunk on */
ALWAYS_INLINE void
take_apart(const MatrixForm form, const uint8_t *w, size_t width, size_t p, size_t depth, Chunk *chunk, int column)
{
	const MatrixFormInfo *info = &matrix_forms[form];
	float	   *to = chunk->weights[column];

	for (size_t l = 0, b = 0; l < depth; l += info->block, b++, w += width * matrix_block_bytes(form))
	{
		if (info->block > 1)
			v_store(chunk->scales[column] + b * PANEL, v_scale_at(form, w + matrix_scale_at(form, p)));
		if (info->min)
			v_store(chunk->mins[column] + b * PANEL, v_scale_at(form, w + matrix_min_at(form, width, p)));
		for (size_t i = 0; i < info->block && info->bits == 4; i += 8)
		{
			const W		words = w_load(w + matrix_unit_at(form, width, p, i));

			UNROLLED
			for (int t = 0; t < 8; t++, to += PANEL)
				v_store(to, v_nibble(words, t, form == MATRIX_4 ? 8 : 0));
		}
		for (size_t i = 0; i < info->block && info->bits != 4; i++, to += PANEL)
			v_store(to, v_weight_at(form, w + matrix_unit_at(form, width, p, i)));
	}
}

/* block: inputs of one; 0: floats, whose sums go on from y */
ALWAYS_INLINE void
chunk_tile(const Chunk *chunk, const int block, const bool min, const float *x, size_t xstep, size_t row, size_t depth,
		   float *y, size_t ystep, bool first, const int rows, const int columns)
{
	const size_t step = block ? (size_t) block : depth;

	for (size_t l = 0, b = 0; l < depth; l += step, b++)
	{
		V			sum[ROWS][COLUMNS];

		UNROLLED
		for (int i = 0; i < rows; i++)
			UNROLLED
			for (int j = 0; j < columns; j++)
				sum[i][j] = block || first ? v_splat(0) : v_load(y + i * ystep + j * PANEL);
		for (size_t t = l; t < l + step; t++)
		{
			V			weight[COLUMNS];

			UNROLLED
			for (int j = 0; j < columns; j++)
				weight[j] = v_load(chunk->weights[j] + t * PANEL);
			UNROLLED
			for (int i = 0; i < rows; i++)
			{
				const V		value = v_splat(x[i * xstep + t]);

				UNROLLED
				for (int j = 0; j < columns; j++)
					sum[i][j] = v_fma(value, weight[j], sum[i][j]);
			}
		}
		UNROLLED
		for (int j = 0; j < columns; j++)
			UNROLLED
			for (int i = 0; i < rows; i++)
			{
				float	   *to = y + i * ystep + j * PANEL;
				V			now = sum[i][j];

				if (block)
				{
					now = v_fma(now, v_load(chunk->scales[j] + b * PANEL), first && b == 0 ? v_splat(0) : v_load(to));
					if (min)
						now = v_fma(v_splat(chunk->sums[row + (size_t) i][b]), v_load(chunk->mins[j] + b * PANEL), now);
				}
				v_store(to, now);
			}
	}
}

ALWAYS_INLINE void
chunk_stripe(const Chunk *chunk, const int block, const bool min, const float *x, size_t xstep, size_t n, size_t depth,
			 float *y, size_t ystep, bool first, const int columns)
{
	size_t		i = 0;

#define SOME_ROWS(rows) \
	for (; i + (rows) <= n; i += (rows)) \
		chunk_tile(chunk, block, min, x + i * xstep, xstep, i, depth, y + i * ystep, ystep, first, rows, columns)
	SOME_ROWS(ROWS);
#if ROWS > 4
	SOME_ROWS(4);
#endif
#if ROWS > 2
	SOME_ROWS(2);
#endif
	SOME_ROWS(1);
#undef SOME_ROWS
}

ALWAYS_INLINE void
multiply_rows(const MatrixForm form, const uint8_t *w, size_t all, size_t first, size_t end, const float *x, size_t xstep, size_t n, size_t k,
			  float *y, size_t ystep)
{
	const MatrixFormInfo *info = &matrix_forms[form];
	const int	block = info->block > 1 ? info->block : 0;
	Chunk		chunk;

	for (size_t l = 0; l < k; l += CHUNK)
	{
		const size_t depth = k - l < CHUNK ? k - l : CHUNK;

		if (info->min)
			for (size_t i = 0; i < n; i++)
				for (size_t t = 0; t < depth; t += 32)
					chunk.sums[i][t / 32] = sum_of_inputs(x + i * xstep + l + t);
		for (size_t j = first; j < end;)
		{
			const size_t width = matrix_group_panels(all, j);
			const uint8_t *from = w + matrix_group_at(form, k, j) + l / info->block * width * matrix_block_bytes(form);

#define SOME_PANELS(columns) \
			if (end - j >= (columns)) \
			{ \
				for (int c = 0; c < (columns); c++) \
					take_apart(form, from, width, j % GROUP + (size_t) c, depth, &chunk, c); \
				chunk_stripe(&chunk, block, info->min, x + l, xstep, n, depth, y + j * PANEL, ystep, l == 0, columns); \
				j += (columns); \
				continue; \
			}
			SOME_PANELS(COLUMNS)
#if COLUMNS > 1
			SOME_PANELS(1)
#endif
#undef SOME_PANELS
		}
	}
}

#define MULTIPLY(form) \
static void \
multiply_##form(const Matrix *matrix, size_t first, size_t end, const float *x, size_t xstep, size_t n, float *y, size_t ystep) \
{ \
	/* to keep apart what is used for a few rows only does not pay */ \
	for (size_t i = 0; i < n && n < 4; i++) \
		multiply_row(form, matrix->data, PANELS(matrix->m), first, end, x + i * xstep, matrix->k, y + i * ystep); \
	if (n >= 4) \
		multiply_rows(form, matrix->data, PANELS(matrix->m), first, end, x, xstep, n, matrix->k, y, ystep); \
}

MULTIPLY(MATRIX_F32)
MULTIPLY(MATRIX_F16)
MULTIPLY(MATRIX_BF16)
MULTIPLY(MATRIX_4)
MULTIPLY(MATRIX_4_MIN)
MULTIPLY(MATRIX_4_MIN_F32)
MULTIPLY(MATRIX_8)
MULTIPLY(MATRIX_8_MIN)
MULTIPLY(MATRIX_8_MIN_F32)
MULTIPLY(MATRIX_8_16_F32)

static void
multiply(const Matrix *matrix, size_t first, size_t panels, const float *x, size_t xstep, size_t n, float *y, size_t ystep)
{
	static void (*const forms[]) (const Matrix *, size_t, size_t, const float *, size_t, size_t, float *, size_t) = {
		multiply_MATRIX_F32, multiply_MATRIX_F16, multiply_MATRIX_BF16, multiply_MATRIX_4, multiply_MATRIX_4_MIN, multiply_MATRIX_4_MIN_F32,
		multiply_MATRIX_8, multiply_MATRIX_8_MIN, multiply_MATRIX_8_MIN_F32, multiply_MATRIX_8_16_F32
	};

	for (size_t i = 0; i < n; i += CHUNK_ROWS)
		forms[matrix->form] (matrix, first, first + panels, x + i * xstep, xstep, n - i < CHUNK_ROWS ? n - i : CHUNK_ROWS, y + i * ystep, ystep);
}
