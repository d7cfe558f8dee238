/*-------------------------------------------------------------------------
 *
 * decoder.h
 *	  Networks that say what the next token may be: llama and its kin.
 *
 * Weights are used as they are quantised, activations are float32.  What comes out
 * for a token is the same to the bit whatever other sequences are computed with it,
 * in how many parts its own sequence is given, and whether it was forked
 * (kernels.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_DECODER_H
#define GPUSCAN_MODEL_DECODER_H

#include "model/kernels.h"
#include "model/kv.h"
#include "model/share.h"
#include "model/weights.h"

typedef struct DecoderConfig
{
	const char *architecture;	/* as GGUF calls it */
	uint32_t	hidden;			/* floats of a token's vector */
	uint32_t	layers;
	uint32_t	heads;			/* of queries */
	uint32_t	kv_heads;		/* of keys and values; heads is a multiple */
	uint32_t	head;			/* floats of a head, a multiple of 16 */
	uint32_t	inner;			/* floats between the products of a layer's end, or of one of its experts */
	uint32_t	experts;		/* of which a layer's end is made; 0: it has only itself */
	uint32_t	experts_used;	/* for a token */
	uint32_t	vocabulary;
	uint32_t	context;		/* positions that the model was made for */
	float		epsilon;		/* of norms */
	uint32_t	rope_dims;		/* of a head's floats, those that positions turn; even */
	bool		rope_halves;	/* float i turns with i + rope_dims / 2, not 2i with 2i + 1 */
	float		rope_base;
	float		rope_scale;		/* positions are multiplied by it */
	uint32_t	window;			/* positions that a local layer sees, its own among them; 0: all layers see all */
	uint32_t	pattern;		/* each pattern'th layer sees all */
	float		rope_base_local;	/* of local layers, whose positions are not scaled */
	bool		biases;			/* of queries, keys and values */
	bool		fused;			/* queries, keys and values are one tensor */
	float		clip;			/* ... whose outputs lie between -clip and clip; 0: anywhere */
	bool		layer_norms;	/* norms take the mean away */
	bool		head_norms;		/* of queries and keys, before they are turned */
	bool		post_norms;		/* of what attention and the layer's end give, before it is added */
	bool		gelu;			/* by tanh; silu otherwise */
	float		embedding_scale;
	float		attention_scale;
	float		logit_cap;		/* logits are cap * tanh(logit / cap); 0: as they are */
} DecoderConfig;

typedef struct DecoderOptions
{
	size_t		memory;			/* bytes that the weights may take; 0: any */
	const ModelShare *share;	/* or NULL */
} DecoderOptions;

typedef struct Decoder Decoder;

/* What a GGUF file says of a network; unknown architectures are an error that lists the known ones. */
extern bool decoder_config(const Gguf *gguf, DecoderConfig *config, ModelError *error);

/* Memory is bounded by the sizes of the tensors, all of which are checked first. */
extern Decoder *decoder_open(const DecoderConfig *config, const Weights *weights, const DecoderOptions *options,
							 ModelProgress *progress, ModelError *error);
extern void decoder_close(Decoder *decoder);
extern const DecoderConfig *decoder_config_of(const Decoder *decoder);
/* Bytes that its weights take, and whether they are shared */
extern size_t decoder_size(const Decoder *decoder);
extern bool decoder_is_shared(const Decoder *decoder);

/* For sequences of this model */
extern KvMemory decoder_kv_memory(const Decoder *decoder, size_t limit);

/* Tokens that a sequence goes on with */
typedef struct DecoderRun
{
	KvSequence *sequence;
	const int32_t *tokens;
	uint32_t	n;				/* > 0 */
	uint32_t	nlogits;		/* of how many of the last tokens logits are wanted; 0 to n */
} DecoderRun;

/* Floats from the logits of one token to those of the next: the vocabulary, and what fills up a panel */
extern size_t decoder_logits_step(const Decoder *decoder);

/*
 * All sequences go on.  logits: of all that want some, run after run.  If it fails
 * sequences keep the length that they had.
 */
extern bool decoder_run(const Decoder *decoder, const ModelKernels *kernels, KvMemory *memory, const DecoderRun *runs, size_t nruns,
						float *logits, ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_DECODER_H */
