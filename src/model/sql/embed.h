/*-------------------------------------------------------------------------
 *
 * embed.h
 *	  Texts as vectors, for embed and what stands on it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_EMBED_H
#define GPUSCAN_MODEL_SQL_EMBED_H

#include "model/sql/loaded.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/* Texts that go into the network together: more would only hold more memory */
#define EMBED_TOGETHER	256

/* A model that is loaded (loaded.h says for how long), and how it is to take texts */
typedef struct Embedder
{
	const RegisteredModel *registered;
	LoadedModel *model;
	const Encoder *encoder;
	uint32		dimensions;
	const char *prefix;			/* of the model, before each text */
	bool		truncate;
} Embedder;

/* input_type: "document" or "query".  ERROR if it is another, or the model cannot be loaded. */
extern void gpuscan_embedder_init(Embedder *embedder, const RegisteredModel *registered, const char *input_type, bool truncate);

/* The options of embed, of which there is one; NULL: none */
extern bool gpuscan_embed_truncates(Jsonb *options);

/* Append the tokens of a text; returns how many.  ERROR if it is empty, or too long. */
extern uint32 gpuscan_embed_tokens(const Embedder *embedder, text *input, TokenList *tokens);

/* Vectors of n texts, whose tokens lie one behind the other: 'dimensions' floats each */
extern void gpuscan_embed_run(const Embedder *embedder, const int32_t *tokens, const uint32 *lengths, size_t n, float *out);

/* As a value of real[] */
extern ArrayType *gpuscan_vector(const float *values, uint32 n);

#endif							/* GPUSCAN_MODEL_SQL_EMBED_H */
