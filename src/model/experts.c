/*-------------------------------------------------------------------------
 *
 * experts.c
 *	  See experts.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/experts.h"

void
experts_choose(const ModelKernels *kernels, const float *logits, uint32_t experts, uint32_t used, ExpertChoice *choices)
{
	bool		chosen[EXPERTS_MAX] = {false};
	float		weights[EXPERTS_MAX];
	uint32_t	n = 0;

	for (uint32_t i = 0; i < used; i++)
	{
		uint32_t	best = EXPERTS_MAX;

		/* logits that are no numbers are no greater than others, so that some expert is there for each choice */
		for (uint32_t e = 0; e < experts; e++)
			if (!chosen[e] && (best == EXPERTS_MAX || logits[e] > logits[best]))
				best = e;
		chosen[best] = true;
	}
	for (uint32_t e = 0; e < experts; e++)
		if (chosen[e])
		{
			choices[n].expert = e;
			weights[n++] = logits[e];
		}
	kernels->softmax(weights, n, 1);
	for (uint32_t i = 0; i < n; i++)
		choices[i].weight = weights[i];
}
