/*-------------------------------------------------------------------------
 *
 * sampler.h
 *	  Choosing the next token by what a model says of all.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SAMPLER_H
#define GPUSCAN_MODEL_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "model/model_error.h"

typedef struct SamplerOptions
{
	float		temperature;	/* logits are divided by it; 0: the likeliest token, the first of equal ones */
	uint32_t	top_k;			/* of so many likeliest tokens; 0: of all */
	float		top_p;			/* of the fewest likeliest ones that together have this probability; 1: of all */
	float		min_p;			/* of those at least so many times as likely as the likeliest; 0: of all */
	float		repeat_penalty; /* logits of tokens that were there are divided by it (multiplied below 0); 1: as they are */
	uint64_t	seed;
} SamplerOptions;

typedef struct Sampler
{
	SamplerOptions options;
	uint64_t	state;			/* of its random numbers */
} Sampler;

/* stream: another one for each text that is made with the same seed */
extern void sampler_init(Sampler *sampler, const SamplerOptions *options, uint64_t stream);

typedef struct SamplerToken
{
	float		logit;
	int32_t		id;
} SamplerToken;

/*
 * The next token.  logits: of n tokens, changed; those that are -INFINITY are not chosen while
 * there are others; before: tokens that were there; room:
 * for n tokens.
 */
extern int32_t sampler_next(Sampler *sampler, float *logits, uint32_t n, const int32_t *before, size_t nbefore, SamplerToken *room);

#endif							/* GPUSCAN_MODEL_SAMPLER_H */
