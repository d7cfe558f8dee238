/* level_avx512.c: the engine's loops for x86-64 with AVX512; empty elsewhere */
#if defined(__x86_64__)
#define LEVEL_NAME		"avx512"
#define LEVEL_SYMBOL	gpuscan_cpu_level_avx512
#include "engine/cpu/level.h"
#else
extern int	gpuscan_no_avx512;		/* ISO C wants a declaration in every unit */
#endif
