/*-------------------------------------------------------------------------
 *
 * matrix.c
 *	  See matrix.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/matrix.h"

#include <string.h>

MatrixForm
matrix_form(TensorType type)
{
	switch (type)
	{
		case TENSOR_F32:
			return MATRIX_F32;
		case TENSOR_F16:
			return MATRIX_F16;
		case TENSOR_BF16:
			return MATRIX_BF16;
		case TENSOR_Q4_0:
			return MATRIX_4;
		case TENSOR_Q4_1:
			return MATRIX_4_MIN;
		case TENSOR_Q4_K:
			return MATRIX_4_MIN_F32;
		case TENSOR_Q5_0:
		case TENSOR_Q8_0:
			return MATRIX_8;
		case TENSOR_Q5_1:
			return MATRIX_8_MIN;
		case TENSOR_Q5_K:
			return MATRIX_8_MIN_F32;
		case TENSOR_Q6_K:
			return MATRIX_8_16_F32;
	}
	return MATRIX_FORMS;
}

/* Scale or minimum of one output */
static void
put_scale(const MatrixFormInfo *info, uint8_t *to, uint16_t half, float value)
{
	if (info->scale == 2)
		memcpy(to, &half, 2);
	else
		memcpy(to, &value, 4);
}

/* A block of a quantised tensor: one or more of the matrix, the first one at 'to' */
static void
pack_block(TensorType type, const void *block, size_t width, size_t panel, size_t lane, uint8_t *to)
{
	const MatrixForm form = matrix_form(type);
	const MatrixFormInfo *info = &matrix_forms[form];
	QuantBlock	quant;

	tensor_unpack(type, block, &quant);
	for (uint32_t first = 0; first < quant.n; first += info->block, to += width * matrix_block_bytes(form))
	{
		const uint32_t sub = first / info->block;

		put_scale(info, to + matrix_scale_at(form, panel) + lane * info->scale, quant.half_scale, quant.scale[sub]);
		if (info->min)
			put_scale(info, to + matrix_min_at(form, width, panel) + lane * info->scale, quant.half_min, quant.min[sub]);
		for (uint32_t l = 0; l < info->block; l++)
		{
			uint8_t    *unit = to + matrix_unit_at(form, width, panel, l);
			const int	q = quant.q[first + l];

			if (info->bits == 8)
				unit[lane] = (uint8_t) q;
			else
				unit[lane * 4 + l % 8 / 2] |= (uint8_t) ((form == MATRIX_4 ? q + 8 : q) << l % 2 * 4);
		}
	}
}

void
matrix_pack(TensorType type, const void *row, size_t j, size_t m, size_t k, uint8_t *to)
{
	const TensorTypeInfo *info = tensor_type_info(type);
	const MatrixForm form = matrix_form(type);
	const size_t width = matrix_group_panels(PANELS(m), j / PANEL);
	const size_t panel = j / PANEL % GROUP;
	const size_t lane = j % PANEL;
	const uint8_t *from = row;

	to += matrix_group_at(form, k, j / PANEL);
	for (size_t l = 0; l < k; l += info->block, from += info->bytes, to += info->block / matrix_forms[form].block * width * matrix_block_bytes(form))
		if (info->block == 1)
			memcpy(to + matrix_unit_at(form, width, panel, 0) + lane * info->bytes, from, info->bytes);
		else
			pack_block(type, from, width, panel, lane, to);
}

static float
scale_at(const MatrixFormInfo *info, const uint8_t *at)
{
	uint16_t	half;
	float		value;

	if (info->scale == 2)
	{
		memcpy(&half, at, 2);
		return float_from_half(half);
	}
	memcpy(&value, at, 4);
	return value;
}

static float
float_at(MatrixForm form, const uint8_t *at)
{
	uint16_t	half;
	float		value;

	if (form == MATRIX_F32)
	{
		memcpy(&value, at, 4);
		return value;
	}
	memcpy(&half, at, 2);
	return form == MATRIX_F16 ? float_from_half(half) : float_from_bfloat(half);
}

void
matrix_row(const Matrix *matrix, size_t j, float *to)
{
	const MatrixForm form = matrix->form;
	const MatrixFormInfo *info = &matrix_forms[form];
	const size_t width = matrix_group_panels(PANELS(matrix->m), j / PANEL);
	const size_t panel = j / PANEL % GROUP;
	const size_t lane = j % PANEL;
	const uint8_t *block = matrix->data + matrix_group_at(form, matrix->k, j / PANEL);

	for (size_t l = 0; l < matrix->k; l += info->block, block += width * matrix_block_bytes(form))
	{
		float		scale,
					min;

		if (info->block == 1)
		{
			to[l] = float_at(form, block + matrix_unit_at(form, width, panel, 0) + lane * info->bits / 8);
			continue;
		}
		scale = scale_at(info, block + matrix_scale_at(form, panel) + lane * info->scale);
		min = info->min ? scale_at(info, block + matrix_min_at(form, width, panel) + lane * info->scale) : 0;
		for (uint32_t i = 0; i < info->block; i++)
		{
			const uint8_t *unit = block + matrix_unit_at(form, width, panel, i);
			int			q;

			if (info->bits == 8)
				q = (int8_t) unit[lane];
			else
				q = (unit[lane * 4 + i % 8 / 2] >> i % 2 * 4 & 15) - (form == MATRIX_4 ? 8 : 0);
			to[l + i] = (float) q * scale + min;
		}
	}
}

void
panels_pack(const float *row, size_t j, size_t k, float *to)
{
	float	   *panel = to + j / PANEL * PANEL * k + j % PANEL;

	for (size_t l = 0; l < k; l++)
		panel[l * PANEL] = row[l];
}
