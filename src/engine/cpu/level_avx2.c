/* level_avx2.c: the engine's loops for x86-64 with AVX2; empty elsewhere */
#if defined(__x86_64__)
#define LEVEL_NAME		"avx2"
#define LEVEL_SYMBOL	gpuscan_cpu_level_avx2
#include "engine/cpu/level.h"
#else
extern int	gpuscan_no_avx2;		/* ISO C wants a declaration in every unit */
#endif
