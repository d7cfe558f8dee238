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

#include "model/matrix.h"

/* Inputs of a product, at most */
#define MULTIPLY_MAX_K	65536

typedef struct ModelKernels
{
	const char *name;

	/*
	 * y[i][j] = bias[j] + sum over l of x[i][l] * w[j][l], for n rows and m
	 * outputs; w is packed (panels_pack), bias may be NULL.  xstep and ystep
	 * are floats from row to row.  Of y, PANELS(m) * PANEL floats of a row are
	 * written: the ones beyond m are 0.
	 */
	void		(*product) (const float *x, size_t xstep, size_t n, const float *w, size_t m, size_t k,
							const float *bias, float *y, size_t ystep);
	/*
	 * y[i][j] = sum over l of x[i][l] * w[j][l], for n rows and the outputs of
	 * some panels of w, 'first' (a multiple of GROUP) and those behind it; xstep and ystep are floats from row
	 * to row.  Whole panels are written.  w->k <= MULTIPLY_MAX_K.
	 */
	void		(*multiply) (const Matrix *w, size_t first, size_t panels, const float *x, size_t xstep, size_t n, float *y, size_t ystep);
	/*
	 * The same with m / PANEL panels of floats of k inputs, wstep floats from one to the
	 * next: sums go on from those in y if 'more'.
	 */
	void		(*accumulate) (const float *x, size_t xstep, size_t n, const float *w, size_t wstep, size_t m, size_t k,
							   float *y, size_t ystep, bool more);
	/* x[i] = (x[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i]; n > 0 */
	void		(*layer_norm) (float *x, size_t n, const float *weight, const float *bias, float epsilon);
	/* y[i] = x[i] / sqrt(mean of squares + epsilon) * weight[i]; n > 0; y may be x */
	void		(*rms_norm) (const float *x, size_t n, const float *weight, float epsilon, float *y);
	/* x[i] = x[i] / (1 + exp(-x[i])) * y[i] */
	void		(*silu) (float *x, const float *y, size_t n);
	/* x[i] = x[i] / 2 * (1 + tanh(sqrt(2 / pi) * (x[i] + 0.044715 * x[i]^3))) * y[i] */
	void		(*gelu_tanh) (float *x, const float *y, size_t n);
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

extern const ModelKernels model_kernels_base;
#ifdef __x86_64__
extern const ModelKernels model_kernels_avx2;
extern const ModelKernels model_kernels_avx512;
#endif

#endif							/* GPUSCAN_MODEL_KERNELS_H */
