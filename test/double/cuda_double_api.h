/*-------------------------------------------------------------------------
 *
 * cuda_double_api.h
 *	  What a test may ask the double, besides what a driver has: C and C++.
 *
 * The library exports these next to the driver's entry points; a client looks
 * them up with dlsym.  Code under test does not.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_API_H
#define CUDA_DOUBLE_API_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of a kernel, and of all together. */
#define CUDA_DOUBLE_KERNEL_COUNTERS(X) \
	X(launches)					/* begun */ \
	X(blocks)					/* begun */ \
	X(switches)					/* from one thread to another */ \
	X(barriers)					/* of blocks, once for all threads */ \
	X(warp_operations)			/* once for all lanes */ \
	X(atomics) \
	X(bytes_read)				/* TOUCH_READ, in device memory */ \
	X(bytes_read_again)			/* ... that the launch had read before */ \
	X(bytes_written)			/* TOUCH_WRITE */ \
	X(bytes_written_again)

/* Of the process. */
#define CUDA_DOUBLE_PROCESS_COUNTERS(X) \
	X(calls)					/* of entry points */ \
	X(faults)					/* asked for, that fired */ \
	X(errors)					/* found in kernels */ \
	X(copies_to_device) \
	X(bytes_to_device) \
	X(bytes_to_device_pageable)	/* ... from memory that is not registered */ \
	X(copies_to_host) \
	X(bytes_to_host) \
	X(bytes_to_host_pageable) \
	X(bytes_on_device)			/* copied there */ \
	X(bytes_set) \
	X(allocations) \
	X(frees) \
	X(bytes_allocated)			/* now */ \
	X(bytes_allocated_most) \
	X(host_registrations) \
	X(host_unregistrations) \
	X(host_bytes_registered)	/* now */

#define CUDA_DOUBLE_FIELD(name) uint64_t name;

struct cuda_double_kernel_counters
{
	CUDA_DOUBLE_KERNEL_COUNTERS(CUDA_DOUBLE_FIELD)
};

#define CUDA_DOUBLE_MAX_KERNELS 64

struct cuda_double_counters
{
	CUDA_DOUBLE_PROCESS_COUNTERS(CUDA_DOUBLE_FIELD)
	struct cuda_double_kernel_counters all;	/* kernels, summed */
	unsigned	nkernels;		/* by name, at most CUDA_DOUBLE_MAX_KERNELS */
	struct
	{
		const char *name;
		struct cuda_double_kernel_counters counters;
	}			kernels[CUDA_DOUBLE_MAX_KERNELS];
};

/* Everything counted since the library was loaded, or since the last reset. */
extern void cuda_double_counters(struct cuda_double_counters *counters);
extern void cuda_double_counters_reset(void);

/*
 * Change settings, on top of those that hold: "schedule=reverse,memory=64m".
 * 0, or -1 and a line on stderr.  They hold until the control file changes.
 */
extern int	cuda_double_set(const char *settings);

/* The last message of an error in a kernel, or "". */
extern const char *cuda_double_message(void);

/* Nanoseconds of the clock that events are timed with. */
extern uint64_t cuda_double_clock(void);

#ifdef __cplusplus
}
#endif

#endif							/* CUDA_DOUBLE_API_H */
