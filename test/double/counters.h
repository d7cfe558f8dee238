/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  What was done, counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_COUNTERS_H
#define CUDA_DOUBLE_COUNTERS_H

#include "device/runtime.h"

/* Of the process: cuda_double_counters() adds what kernels have. */
extern struct cuda_double_counters double_counters;

/* Of the kernel that runs. */
extern struct cuda_double_kernel_counters *double_counting;

/* A kernel begins, or (nullptr) it has ended. */
extern void double_counters_kernel(cuda_double_kernel *kernel);

extern cuda_double_kernel *double_kernel_find(const char *name);

/* A line for the file of the settings, if any. */
extern void double_counters_write(const char *when);

#endif							/* CUDA_DOUBLE_COUNTERS_H */
