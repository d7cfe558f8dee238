/*-------------------------------------------------------------------------
 *
 * experts.h
 *	  Mixtures of experts: which of its products a layer uses for a token.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_EXPERTS_H
#define GPUSCAN_MODEL_EXPERTS_H

#include "model/kernels.h"

/* Of a layer, at most: what llama.cpp takes */
#define EXPERTS_MAX		512

typedef struct ExpertChoice
{
	uint32_t	expert;
	float		weight;			/* of what it gives */
} ExpertChoice;

/*
 * The 'used' experts of the greatest logits, those of the lowest numbers where logits
 * are equal, by their numbers.  Weights are the softmax among all experts, divided by
 * the sum of the chosen ones: the softmax among these.  0 < used <= experts <= EXPERTS_MAX
 */
extern void experts_choose(const ModelKernels *kernels, const float *logits, uint32_t experts, uint32_t used, ExpertChoice *choices);

#endif							/* GPUSCAN_MODEL_EXPERTS_H */
