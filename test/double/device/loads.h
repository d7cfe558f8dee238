/*-------------------------------------------------------------------------
 *
 * loads.h
 *	  Loads and stores with a cache hint, and declared bulk accesses.
 *
 * The hints mean nothing here, but the address does: a device faults where an
 * x86 would not, at what is not aligned, and at the host's memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_LOADS_H
#define CUDA_DOUBLE_LOADS_H

#include "runtime.h"

#define CUDA_DOUBLE_LOAD(name) \
	template <class T> static inline T \
	name(const T *pointer, CUDA_DOUBLE_SITE) \
	{ \
		static_assert(sizeof(T) <= 16, "a load is of 16 bytes at most"); \
		cuda_double_access(pointer, sizeof(T), CUDA_DOUBLE_HERE); \
		return *pointer; \
	}

#define CUDA_DOUBLE_STORE(name) \
	template <class T> static inline void \
	name(T *pointer, T value, CUDA_DOUBLE_SITE) \
	{ \
		static_assert(sizeof(T) <= 16, "a store is of 16 bytes at most"); \
		cuda_double_access(pointer, sizeof(T), CUDA_DOUBLE_HERE); \
		*pointer = value; \
	}

CUDA_DOUBLE_LOAD(__ldg)
CUDA_DOUBLE_LOAD(__ldca)
CUDA_DOUBLE_LOAD(__ldcg)
CUDA_DOUBLE_LOAD(__ldcs)
CUDA_DOUBLE_LOAD(__ldcv)
CUDA_DOUBLE_LOAD(__ldlu)
CUDA_DOUBLE_STORE(__stcg)
CUDA_DOUBLE_STORE(__stcs)
CUDA_DOUBLE_STORE(__stwb)
CUDA_DOUBLE_STORE(__stwt)

/*
 * A kernel says what it is about to read or write in bulk; under nvcc these
 * are nothing.  The range must lie in one allocation or in shared memory.
 */
static inline void
double_read(const void *pointer, size_t bytes, CUDA_DOUBLE_SITE)
{
	cuda_double_touch(pointer, bytes, false, CUDA_DOUBLE_HERE);
}

static inline void
double_write(const void *pointer, size_t bytes, CUDA_DOUBLE_SITE)
{
	cuda_double_touch(pointer, bytes, true, CUDA_DOUBLE_HERE);
}

#define TOUCH_READ(pointer, bytes)	double_read(pointer, bytes)
#define TOUCH_WRITE(pointer, bytes) double_write(pointer, bytes)

/* Order of memory: one thread runs at a time, so only the compiler matters. */
static inline void __threadfence_block(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
static inline void __threadfence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
static inline void __threadfence_system(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#endif							/* CUDA_DOUBLE_LOADS_H */
