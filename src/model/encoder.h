/*-------------------------------------------------------------------------
 *
 * encoder.h
 *	  A model that makes embeddings: tokenizer, network, pooling.
 *
 * Read from the files that sentence-transformers publishes: config.json,
 * model.safetensors, vocab.txt, and, where they are, tokenizer_config.json,
 * sentence_bert_config.json, modules.json and 1_Pooling/config.json.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_ENCODER_H
#define GPUSCAN_MODEL_ENCODER_H

#include "model/bert.h"
#include "model/files.h"
#include "model/tokens.h"

typedef struct Encoder Encoder;

typedef struct EncoderInfo
{
	const char *architecture;	/* "bert" */
	uint32_t	dimensions;		/* floats of an embedding */
	uint32_t	context;		/* tokens that the network takes */
	uint32_t	max_tokens;		/* ... that the model was made for, at most context */
	uint64_t	parameters;
	size_t		size;			/* bytes of weights in memory */
	bool		shared;			/* ... with other processes */
	BertPooling pooling;		/* what the model's files say */
	bool		normalize;		/* ... to length 1 */
} EncoderInfo;

/* What the files say otherwise */
typedef struct EncoderOptions
{
	int			pooling;		/* BertPooling, or -1 */
	int			normalize;		/* 0, 1 or -1 */
	uint32_t	max_tokens;		/* or 0 */
	size_t		memory;			/* bytes that the weights may take; 0: any */
	const ModelShare *share;		/* of the weights with other processes, or NULL */
	const char *level;			/* of the kernels, or NULL; for tests */
} EncoderOptions;

extern Encoder *encoder_open(const ModelFiles *files, const EncoderOptions *options, ModelProgress *progress, ModelError *error);
extern void encoder_close(Encoder *encoder);
extern const EncoderInfo *encoder_info(const Encoder *encoder);

/*
 * Append the tokens of a text, with those that stand around it.  More than
 * max_tokens are an error, or are cut off behind where 'truncate'.
 */
extern bool encoder_tokenize(const Encoder *encoder, const char *text, size_t len, bool truncate, TokenList *out,
							 ModelProgress *progress, ModelError *error);

/* Without what stands around, and of any length */
extern bool encoder_tokens(const Encoder *encoder, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error);

/*
 * The longest beginning of a text, in whole characters, that has at most so many tokens,
 * without what stands around.  out: the tokens of its whole words, with their places; what
 * was in it goes.
 */
extern bool encoder_prefix(const Encoder *encoder, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
						   ModelProgress *progress, ModelError *error);

/*
 * The text of tokens: *len bytes to 'to', or only how many if it is NULL.  What the
 * tokenizer dropped is lost.  Tokens that there are not are an error.
 */
extern bool encoder_detokenize(const Encoder *encoder, const int32_t *tokens, size_t n, char *to, size_t *len, ModelError *error);

/* A token as the vocabulary has it; NULL: there is no such token */
extern const char *encoder_piece(const Encoder *encoder, int32_t token, uint32_t *len);

/*
 * Embeddings of n sequences of tokens (encoder_tokenize), one behind the other, the
 * i'th of lengths[i]: 'dimensions' floats each.
 */
extern bool encoder_embed(const Encoder *encoder, const int32_t *tokens, const uint32_t *lengths, size_t n, float *out,
						  ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_ENCODER_H */
