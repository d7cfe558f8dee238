/*-------------------------------------------------------------------------
 *
 * kernels.c
 *	  Which level of the loops this machine takes.
 *
 *-------------------------------------------------------------------------
 */
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <string.h>

#include "model/kernels.h"

#ifdef __x86_64__
/* Not all compilers know it by name */
static bool
has_f16c(void)
{
	unsigned int a,
				b,
				c,
				d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}
#endif

static bool
machine_has(const ModelKernels *kernels)
{
#ifdef __x86_64__
	if (kernels == &model_kernels_avx512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
	if (kernels == &model_kernels_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
#endif
	return kernels == &model_kernels_base;
}

const ModelKernels *
model_kernels(const char *level)
{
	static const ModelKernels *const all[] = {
#ifdef __x86_64__
		&model_kernels_avx512, &model_kernels_avx2,
#endif
		&model_kernels_base
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if ((!level || strcmp(level, all[i]->name) == 0) && machine_has(all[i]))
			return all[i];
	return NULL;
}
