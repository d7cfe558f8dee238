/* level_base.c: the engine's loops for any machine */
#define LEVEL_NAME		"base"
#define LEVEL_SYMBOL	gpuscan_cpu_level_base
#include "engine/cpu/level.h"
