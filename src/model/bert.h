/*-------------------------------------------------------------------------
 *
 * bert.h
 *	  BERT: a vector for each token of a text, from those before and behind it.
 *
 * Weights and activations are float32.  A sequence's result is the same to the
 * bit whatever other sequences are computed with it (kernels.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_BERT_H
#define GPUSCAN_MODEL_BERT_H

#include "model/kernels.h"
#include "model/share.h"
#include "model/weights.h"

typedef struct BertConfig
{
	uint32_t	hidden;			/* floats of a token's vector */
	uint32_t	layers;
	uint32_t	heads;			/* hidden is a multiple of it */
	uint32_t	inner;			/* floats between the two products of a layer's end */
	uint32_t	vocabulary;
	uint32_t	positions;		/* tokens of the longest sequence */
	uint32_t	types;			/* of tokens; all of ours are of the first */
	float		epsilon;
} BertConfig;

/* How a sequence's vectors become one */
typedef enum BertPooling
{
	BERT_POOL_MEAN,
	BERT_POOL_FIRST				/* that of [CLS] */
} BertPooling;

typedef struct Bert Bert;

/*
 * Read the weights, whose names are those of transformers' BertModel (after
 * 'prefix') or llama.cpp's.  Memory is a small multiple of the tensors' sizes, all of
 * which are checked first; more than 'memory' bytes (0: any) are an error.  share may
 * be NULL; it is copied.
 */
extern Bert *bert_open(const BertConfig *config, const Weights *weights, const char *prefix, size_t memory,
					   const ModelShare *share, ModelProgress *progress, ModelError *error);
extern void bert_close(Bert *bert);
/* Bytes that its weights take, and whether they are shared */
extern size_t bert_size(const Bert *bert);
extern bool bert_is_shared(const Bert *bert);

/*
 * n sequences of tokens one behind the other, the i'th of lengths[i] > 0 tokens,
 * positions at most: out gets 'hidden' floats for each.
 */
extern bool bert_encode(const Bert *bert, const ModelKernels *kernels, const int32_t *tokens, const uint32_t *lengths, size_t n,
						BertPooling pooling, float *out, ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_BERT_H */
