/*-------------------------------------------------------------------------
 *
 * weights.h
 *	  Tensors of a model by name, whatever its file is, as floats.
 *
 * A matrix has m rows (its outputs) of k values that lie side by side (its
 * inputs): ne[0] = k in GGUF, the last dimension in safetensors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_WEIGHTS_H
#define GPUSCAN_MODEL_WEIGHTS_H

#include "model/gguf.h"
#include "model/matrix.h"
#include "model/safetensors.h"
#include "model/tokens.h"

/* One of the two; the other is NULL. */
typedef struct Weights
{
	const Gguf *gguf;
	const Safetensors *safetensors;
} Weights;

/* Is there such a matrix (m = 1: a vector), of values that we can read?  False, and an error, if not. */
extern bool weights_check(const Weights *weights, const char *name, uint64_t m, uint64_t k, ModelError *error);

/* The same of n matrices in one tensor, the first one in front; of a GGUF file, which alone has such tensors */
extern bool weights_check_stack(const Weights *weights, const char *name, uint64_t n, uint64_t m, uint64_t k, ModelError *error);

extern bool weights_has(const Weights *weights, const char *name);

/* Rows 'first' to first + rows - 1 of a checked matrix of k columns, one after the other */
extern bool weights_rows(const Weights *weights, const char *name, uint64_t k, uint64_t first, uint64_t rows, float *to, ModelError *error);

/*
 * All m rows of a checked matrix as rows j, j + 1, ... of a packed one (kernels.h).
 * to: as panels_pack wants it.
 */
extern bool weights_pack(const Weights *weights, const char *name, uint64_t m, uint64_t k, uint64_t j, float *to,
						 ModelProgress *progress, ModelError *error);

/* The form that a checked matrix takes */
extern MatrixForm weights_form(const Weights *weights, const char *name);

/* A checked matrix in that form.  to: matrix_bytes(), zeros */
extern bool weights_matrix(const Weights *weights, const char *name, uint64_t m, uint64_t k, uint8_t *to, ModelProgress *progress, ModelError *error);

/* Rows 'first' to first + m - 1 of what was checked, as a matrix by themselves */
extern bool weights_matrix_rows(const Weights *weights, const char *name, uint64_t first, uint64_t m, uint64_t k, uint8_t *to,
								ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_WEIGHTS_H */
