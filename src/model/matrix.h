/*-------------------------------------------------------------------------
 *
 * matrix.h
 *	  A matrix of weights in the form that products want it, quantised as it came.
 *
 * m outputs of k inputs. 16 outputs side by side are a panel; it goes along the
 * inputs, so that a product has one sum for each output and no sum is taken across
 * a vector.  Of quantised types a panel is blocks of 16 outputs by 32 (or 16)
 * inputs; of floats, by one.  A block has scales, minima where the type has them,
 * then small integers:
 *
 *   4 bits: a word of 32 bits for each output holds 8 inputs, the first lowest
 *   8 bits: for each input 16 bytes, one for each output
 *
 * Four panels are a group, the last one of what is left.  In a block of a group
 * what its panels have lies side by side, scales, minima and units (64 or 16 bytes as
 * above, or 16 floats), so that a product reads memory from front to back.
 *
 * Integers of 5 and 6 bits lie in 8: to take them apart would cost more than
 * it saves.  A weight is scale * integer + minimum.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_MATRIX_H
#define GPUSCAN_MODEL_MATRIX_H

#include "model/quant.h"

/* Outputs of a panel, panels of a group */
#define PANEL		16
#define GROUP		4
/* n up to whole panels */
#define PANELS(n)	(((size_t) (n) + PANEL - 1) / PANEL)

typedef enum MatrixForm
{
	MATRIX_F32,
	MATRIX_F16,
	MATRIX_BF16,
	MATRIX_4,					/* integers less 8, halves as scales: Q4_0 */
	MATRIX_4_MIN,				/* halves as scales and minima: Q4_1 */
	MATRIX_4_MIN_F32,			/* floats: Q4_K */
	MATRIX_8,					/* Q8_0, Q5_0 */
	MATRIX_8_MIN,				/* Q5_1 */
	MATRIX_8_MIN_F32,			/* Q5_K */
	MATRIX_8_16_F32,			/* a scale for 16 inputs: Q6_K */
	MATRIX_FORMS
} MatrixForm;

typedef struct MatrixFormInfo
{
	uint8_t		block;			/* inputs; 1 of floats, which have no scale */
	uint8_t		bits;			/* of a weight, without scales */
	uint8_t		scale;			/* bytes of a scale, and of a minimum */
	bool		min;
} MatrixFormInfo;

/* Here, so that kernels for one form are compiled with what is known of it */
__attribute__((unused)) static const MatrixFormInfo matrix_forms[MATRIX_FORMS] = {
	[MATRIX_F32] = {1, 32, 0, false},
	[MATRIX_F16] = {1, 16, 0, false},
	[MATRIX_BF16] = {1, 16, 0, false},
	[MATRIX_4] = {32, 4, 2, false},
	[MATRIX_4_MIN] = {32, 4, 2, true},
	[MATRIX_4_MIN_F32] = {32, 4, 4, true},
	[MATRIX_8] = {32, 8, 2, false},
	[MATRIX_8_MIN] = {32, 8, 2, true},
	[MATRIX_8_MIN_F32] = {32, 8, 4, true},
	[MATRIX_8_16_F32] = {16, 8, 4, false},
};

typedef struct Matrix
{
	MatrixForm	form;
	uint32_t	m;
	uint32_t	k;				/* a multiple of the form's block */
	const uint8_t *data;		/* matrix_bytes(), aligned as malloc does */
} Matrix;

extern MatrixForm matrix_form(TensorType type);

/* Bytes of the scales of a block of 16 outputs, of such a block, of a panel, of a matrix */
static inline size_t
matrix_scale_bytes(MatrixForm form)
{
	return PANEL * (size_t) matrix_forms[form].scale * (matrix_forms[form].min ? 2 : 1);
}

static inline size_t
matrix_block_bytes(MatrixForm form)
{
	return matrix_scale_bytes(form) + PANEL * (size_t) matrix_forms[form].block * matrix_forms[form].bits / 8;
}

static inline size_t
matrix_panel_bytes(MatrixForm form, size_t k)
{
	return k / matrix_forms[form].block * matrix_block_bytes(form);
}

static inline size_t
matrix_bytes(MatrixForm form, size_t m, size_t k)
{
	return PANELS(m) * matrix_panel_bytes(form, k);
}

/* Panels of the group that this one is in */
static inline size_t
matrix_group_panels(size_t panels, size_t panel)
{
	const size_t left = panels - panel / GROUP * GROUP;

	return left < GROUP ? left : GROUP;
}

/* Where a panel's group begins; from a block to the next one are matrix_group_panels() * matrix_block_bytes(). */
static inline size_t
matrix_group_at(MatrixForm form, size_t k, size_t panel)
{
	return panel / GROUP * GROUP * matrix_panel_bytes(form, k);
}

/* Bytes that a panel has of a unit, and how many inputs these are of */
static inline size_t
matrix_unit_bytes(MatrixForm form)
{
	return matrix_forms[form].bits == 4 ? PANEL * 4 : PANEL * (size_t) matrix_forms[form].bits / 8;
}

static inline size_t
matrix_unit_inputs(MatrixForm form)
{
	return matrix_forms[form].bits == 4 ? 8 : 1;
}

/* In a block of a group of 'width' panels: where panel p has its scales, its minima, its part of the unit with input l */
static inline size_t
matrix_scale_at(MatrixForm form, size_t p)
{
	return PANEL * p * matrix_forms[form].scale;
}

static inline size_t
matrix_min_at(MatrixForm form, size_t width, size_t p)
{
	return PANEL * (width + p) * matrix_forms[form].scale;
}

static inline size_t
matrix_unit_at(MatrixForm form, size_t width, size_t p, size_t l)
{
	return width * matrix_scale_bytes(form) + (l / matrix_unit_inputs(form) * width + p) * matrix_unit_bytes(form);
}

/*
 * Put row j of a tensor of m rows, k values of 'type' as they are in a file, into a
 * matrix of matrix_form(type), which was zeros before the first row.
 */
extern void matrix_pack(TensorType type, const void *row, size_t j, size_t m, size_t k, uint8_t *to);

/* The weights of output j */
extern void matrix_row(const Matrix *matrix, size_t j, float *to);

/* ------------------------------------------------------------------------
 * Panels of floats alone, one after the other: what attention and encoders multiply with
 * ------------------------------------------------------------------------
 */

/* Floats of m outputs by k inputs */
#define PACKED_SIZE(m, k)	(PANELS(m) * PANEL * (size_t) (k))

/*
 * Row j of a matrix of k inputs becomes column j % PANEL of panel j / PANEL, where
 * element l of all of a panel's rows lie side by side.  to: PACKED_SIZE floats,
 * which were zeros before the first row.
 */
extern void panels_pack(const float *row, size_t j, size_t k, float *to);

#endif							/* GPUSCAN_MODEL_MATRIX_H */
