/*-------------------------------------------------------------------------
 *
 * sampler.c
 *	  See sampler.h.
 *
 * The order of steps is llama.cpp's: penalty, top-k, top-p, min-p, temperature; then
 * one random number.  What random number it is depends on seed and stream alone,
 * not on the machine.
 *
 *-------------------------------------------------------------------------
 */
#include "model/sampler.h"

#include <math.h>
#include <stdlib.h>

/* splitmix64, of which every state is a good one */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

void
sampler_init(Sampler *sampler, const SamplerOptions *options, uint64_t stream)
{
	uint64_t	state = stream;

	sampler->options = *options;
	sampler->state = options->seed ^ next_random(&state);
}

static int32_t
likeliest(const float *logits, uint32_t n)
{
	uint32_t	best = 0;

	for (uint32_t i = 1; i < n; i++)
		if (logits[i] > logits[best])
			best = i;
	return (int32_t) best;
}

/* Each token once, however often it was there */
static void
penalise(float *logits, uint32_t n, const int32_t *before, size_t nbefore, float penalty)
{
	for (size_t i = 0; i < nbefore; i++)
	{
		bool		again = false;

		for (size_t j = i + 1; j < nbefore && !again; j++)
			again = before[j] == before[i];
		if (again || before[i] < 0 || (uint32_t) before[i] >= n)
			continue;
		logits[before[i]] = logits[before[i]] > 0 ? logits[before[i]] / penalty : logits[before[i]] * penalty;
	}
}

/* Likelier ones first; of equal ones the first */
static int
by_likelihood(const void *a, const void *b)
{
	const SamplerToken *left = a,
			   *right = b;

	if (left->logit != right->logit)
		return left->logit > right->logit ? -1 : 1;
	return left->id < right->id ? -1 : 1;
}

/* Let the k likeliest of n come first, in any order (Hoare's selection). */
static void
select_likeliest(SamplerToken *tokens, uint32_t n, uint32_t k)
{
	uint32_t	from = 0,
				to = n;

	while (to - from > 1 && from < k && k < to)
	{
		const SamplerToken pivot = tokens[from + (to - from - 1) / 2];
		uint32_t	left = from,
					right = to - 1;

		for (;;)
		{
			SamplerToken other;

			while (by_likelihood(&tokens[left], &pivot) < 0)
				left++;
			while (by_likelihood(&pivot, &tokens[right]) < 0)
				right--;
			if (left >= right)
				break;
			other = tokens[left];
			tokens[left++] = tokens[right];
			tokens[right--] = other;
		}
		if (k <= right)
			to = right + 1;
		else
			from = right + 1;
	}
}

/* Of the likeliest ones those that together have a part p of the sum: how many, which are in order then */
static uint32_t
most_of_sum(SamplerToken *tokens, uint32_t n, float max, float p)
{
	double		sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += exp((double) tokens[i].logit - max);
	/* nearly always they are few */
	for (uint32_t k = 64;; k *= 8)
	{
		double		part = 0;

		k = k < n ? k : n;
		select_likeliest(tokens, n, k);
		qsort(tokens, k, sizeof *tokens, by_likelihood);
		for (uint32_t i = 0; i < k; i++)
			if ((part += exp((double) tokens[i].logit - max)) >= p * sum)
				return i + 1;
		if (k == n)
			return n;
	}
}

int32_t
sampler_next(Sampler *sampler, float *logits, uint32_t n, const int32_t *before, size_t nbefore, SamplerToken *room)
{
	const SamplerOptions *options = &sampler->options;
	uint32_t	kept = 0;
	int32_t		best;
	float		max;
	double		sum = 0;
	double		at;

	if (options->repeat_penalty != 1)
		penalise(logits, n, before, nbefore, options->repeat_penalty);
	best = likeliest(logits, n);
	if (options->temperature == 0)
		return best;
	max = logits[best];
	for (uint32_t i = 0; i < n; i++)
		if (logits[i] > -INFINITY)
			room[kept++] = (SamplerToken) {logits[i], (int32_t) i};
	/* there is none where a network's numbers are none */
	if (kept == 0)
		return best;
	if (options->top_k > 0 && options->top_k < kept)
	{
		select_likeliest(room, kept, options->top_k);
		kept = options->top_k;
	}
	if (options->top_p < 1)
		kept = most_of_sum(room, kept, max, options->top_p);
	if (options->min_p > 0)
	{
		uint32_t	likely = 0;

		for (uint32_t i = 0; i < kept; i++)
			if (exp((double) room[i].logit - max) >= options->min_p)
				room[likely++] = room[i];
		kept = likely;
	}
	for (uint32_t i = 0; i < kept; i++)
		sum += exp(((double) room[i].logit - max) / options->temperature);
	at = (double) (next_random(&sampler->state) >> 11) * 0x1p-53 * sum;
	for (uint32_t i = 0; i < kept; i++)
		if ((at -= exp(((double) room[i].logit - max) / options->temperature)) < 0)
			return room[i].id;
	return room[kept - 1].id;
}
