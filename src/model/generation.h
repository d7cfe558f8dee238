/*-------------------------------------------------------------------------
 *
 * generation.h
 *	  Texts that a model goes on with: several at a time, token by token.
 *
 * Prompts wait until there is room for what they may become; those that have it go
 * on together.  What a text becomes does not depend on which others are there.  The
 * beginning that a prompt has in common with one that was kept is not computed again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_GENERATION_H
#define GPUSCAN_MODEL_GENERATION_H

#include "model/language.h"
#include "model/sampler.h"

typedef enum GenerationFinish
{
	GENERATION_GOING,
	GENERATION_STOP,			/* the model ended it, a stop string came, or the value is complete */
	GENERATION_LENGTH			/* max_tokens, or the context, is full */
} GenerationFinish;

typedef struct GenerationOptions
{
	SamplerOptions sampler;
	uint32_t	max_tokens;		/* of a text, > 0 */
	const char *const *stops;	/* texts end before the first of these; they outlive the generation */
	const size_t *stop_lengths;
	size_t		nstops;
	const JsonSchema *schema;	/* texts are JSON values of it, or NULL; it outlives the generation */
	uint32_t	together;		/* texts that go on at a time, > 0 */
	size_t		memory;			/* bytes of keys and values; 0: any */
} GenerationOptions;

typedef struct GenerationText
{
	GenerationFinish finish;
	const char *text;			/* UTF-8; what may still become a stop string is not in it */
	size_t		len;
	uint32_t	prompt_tokens;
	uint32_t	tokens;			/* that were chosen, that of the end not counted */
	uint32_t	reused;			/* tokens of the prompt that were not computed again */
} GenerationText;

typedef struct Generation Generation;

/* 'language' outlives it. */
extern Generation *generation_begin(Language *language, const GenerationOptions *options, ModelError *error);
extern void generation_end(Generation *generation);

/*
 * Another text, behind a prompt of n > 0 tokens, which are copied; its number is that of
 * calls before.  stream: of its random numbers.
 */
extern bool generation_add(Generation *generation, const int32_t *prompt, size_t n, uint64_t stream, ModelError *error);

/* Compute these tokens now, and keep them for prompts that begin alike. */
extern bool generation_keep(Generation *generation, const int32_t *tokens, size_t n, ModelProgress *progress, ModelError *error);

/* All that have room go on by a token.  *going: are there texts that do? */
extern bool generation_step(Generation *generation, bool *going, ModelProgress *progress, ModelError *error);

/* Until the next call that goes on, or adds one */
extern GenerationText generation_text(const Generation *generation, size_t i);

/*
 * How likely each of n answers, of some tokens each, comes behind a prompt of nprompt > 0
 * tokens; whole: and nothing behind it.  scores: logarithms of probabilities.
 */
extern bool generation_score(Generation *generation, const int32_t *prompt, size_t nprompt, const TokenList *const *answers, size_t n,
							 bool whole, double *scores, ModelProgress *progress, ModelError *error);

/* Forget all texts; what is kept stays. */
extern void generation_reset(Generation *generation);

/* Give back what a finished text holds: its number is not asked for any more. */
extern void generation_forget(Generation *generation, size_t i);

#endif							/* GPUSCAN_MODEL_GENERATION_H */
