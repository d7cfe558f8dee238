/*-------------------------------------------------------------------------
 *
 * quant.h
 *	  Types of tensors: how values lie in blocks, and what they are worth.
 *
 * The layouts are ggml's (ggml-common.h); their values, bit by bit, are those of
 * its reference (ggml-quants.c dequantize_row_*), which the Python package gguf
 * has too: test/model compares with that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_QUANT_H
#define GPUSCAN_MODEL_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers are those of the file (ggml.h ggml_type). */
typedef enum TensorType
{
	TENSOR_F32 = 0,
	TENSOR_F16 = 1,
	TENSOR_Q4_0 = 2,
	TENSOR_Q4_1 = 3,
	TENSOR_Q5_0 = 6,
	TENSOR_Q5_1 = 7,
	TENSOR_Q8_0 = 8,
	TENSOR_Q4_K = 12,
	TENSOR_Q5_K = 13,
	TENSOR_Q6_K = 14,
	TENSOR_BF16 = 30
} TensorType;

typedef struct TensorTypeInfo
{
	TensorType	type;
	const char *name;
	uint32_t	block;			/* values in a block */
	uint32_t	bytes;			/* of a block */
} TensorTypeInfo;

/* NULL: a type that we do not have */
extern const TensorTypeInfo *tensor_type_info(uint32_t type);

/* The name that ggml has for a type, ours or not; NULL if it has none */
extern const char *tensor_type_name(uint32_t type);

/*
 * The values of n / block blocks.  'from' has no alignment; n is a multiple of
 * the type's block.
 */
extern void tensor_dequantise(TensorType type, const void *from, size_t n, float *to);

/* A block taken apart: value i is scale[s] * q[i] + min[s], s = i / (n / nscales) */
typedef struct QuantBlock
{
	uint32_t	n;
	uint32_t	nscales;
	int8_t		q[256];
	float		scale[16];
	float		min[16];		/* 0 where the type has none */
	uint16_t	half_scale;		/* scale[0] and min[0] as they are in the block, of types of 32 values */
	uint16_t	half_min;
} QuantBlock;

/* 'type' is a quantised one. */
extern void tensor_unpack(TensorType type, const void *block, QuantBlock *to);

/* IEEE 754 half, and the upper half of a float, as floats: exact */
extern float float_from_half(uint16_t half);
extern float float_from_bfloat(uint16_t bfloat);

#endif							/* GPUSCAN_MODEL_QUANT_H */
