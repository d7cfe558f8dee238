/*-------------------------------------------------------------------------
 *
 * kernels.h
 *	  The arithmetic of models, in float32: products of matrices, norms,
 *	  activations, softmax; one set of loops for each instruction level.
 *
 * Every element of a result is summed in an order that depends on the shape of
 * its own row alone: a product goes along k from 0 on, one fused multiply-add
 * after the other; a sum over a row has 16 lanes, added up in a fixed tree.
 * So a row's result is the same to the bit whatever rows are computed with it.
 * Levels differ among each other (the base one does not fuse).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_KERNELS_H
#define GPUSCAN_MODEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outputs of a matrix that lie side by side when it is packed */
#define PANEL		16
/* n up to whole panels */
#define PANELS(n)	(((size_t) (n) + PANEL - 1) / PANEL)
/* floats of a packed matrix of m outputs by k inputs */
#define PACKED_SIZE(m, k)	(PANELS(m) * PANEL * (size_t) (k))

typedef struct ModelKernels
{
	const char *name;

	/*
	 * y[i][j] = bias[j] + sum over l of x[i][l] * w[j][l], for n rows and m
	 * outputs; w is packed (kernels_pack), bias may be NULL.  xstep and ystep
	 * are floats from row to row.  Of y, PANELS(m) * PANEL floats of a row are
	 * written: the ones beyond m are 0.
	 */
	void		(*product) (const float *x, size_t xstep, size_t n, const float *w, size_t m, size_t k,
							const float *bias, float *y, size_t ystep);
	/* x[i] = (x[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i]; n > 0 */
	void		(*layer_norm) (float *x, size_t n, const float *weight, const float *bias, float epsilon);
	/* x[i] = x[i] / 2 * (1 + erf(x[i] / sqrt(2))), to 3e-7 of it absolutely */
	void		(*gelu) (float *x, size_t n);
	/* x[i] = exp(x[i] * scale - max) / sum of these; n > 0 */
	void		(*softmax) (float *x, size_t n, float scale);
	/* sum of x[i] * y[i] */
	float		(*dot) (const float *x, const float *y, size_t n);
	/* sum of (x[i] - y[i])^2 */
	float		(*square_distance) (const float *x, const float *y, size_t n);
} ModelKernels;

/* The best level that this machine has; 'level' ("base", "avx2", "avx512") asks for one, NULL where it is not to be had. */
extern const ModelKernels *model_kernels(const char *level);

/*
 * Row j of a matrix of k inputs becomes column j % PANEL of panel j / PANEL, where
 * element l of all of a panel's rows lie side by side.  to: PACKED_SIZE floats,
 * which were zeros before the first row.
 */
extern void kernels_pack(const float *row, size_t j, size_t k, float *to);

extern const ModelKernels model_kernels_base;
#ifdef __x86_64__
extern const ModelKernels model_kernels_avx2;
extern const ModelKernels model_kernels_avx512;
#endif

#endif							/* GPUSCAN_MODEL_KERNELS_H */
