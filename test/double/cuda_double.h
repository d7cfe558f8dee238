/*-------------------------------------------------------------------------
 *
 * cuda_double.h
 *	  CUDA's language for a C++ compiler of the CPU.
 *
 * A kernel's source is compiled with this before it:
 *
 *	   g++ -std=c++17 -x c++ -include cuda_double.h -ffp-contract=off -fPIC kernels.cu
 *
 * Two things in a kernel's source are written for the double:
 *
 *	   SHARED(type, name);		for	 extern __shared__ type name[];
 *	   KERNEL(name)				once, after the kernel, which is extern "C"
 *
 * and, where a test shall count the bytes of bulk accesses, TOUCH_READ and
 * TOUCH_WRITE.  Under nvcc a header of the project's defines them:
 *
 *	   #ifdef __CUDACC__
 *	   #define SHARED(type, name)	extern __shared__ __align__(16) type name[]
 *	   #define KERNEL(name)
 *	   #define TOUCH_READ(pointer, bytes)	((void) 0)
 *	   #define TOUCH_WRITE(pointer, bytes)	((void) 0)
 *	   #endif
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_H
#define CUDA_DOUBLE_H

#define __CUDA_DOUBLE__ 1

/* Before the macros below, which a header of the C++ library may not expect. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utility>

#include "cuda_double_api.h"	/* exported */

/* Kernels and what they call stay inside the library. */
#pragma GCC visibility push(hidden)
#pragma GCC diagnostic ignored "-Wunknown-pragmas"	/* unroll */

#include "device/atomics.h"
#include "device/bits.h"
#include "device/loads.h"
#include "device/runtime.h"
#include "device/vectors.h"
#include "device/warp.h"

/* ------------------------------------------------------------------------
 * Qualifiers
 * ------------------------------------------------------------------------
 */
#define __global__
#define __device__
#define __host__
#define __constant__			__attribute__((unused))
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__			inline __attribute__((always_inline))
#define __noinline__			__attribute__((noinline))
#define __align__(n)			__attribute__((aligned(n)))

/* Static shared memory cannot be poisoned before each block: see SHARED. */
#define __shared__				the_double_has_no_static_shared_memory_write_SHARED

#define SHARED(type, name)		type *const name = (type *) cuda_double_shared()

/* ------------------------------------------------------------------------
 * Where a thread is
 * ------------------------------------------------------------------------
 */
#define threadIdx				((const uint3 &) cuda_double_current->index)
#define blockIdx				((const uint3 &) cuda_double_block_index)
#define blockDim				((const dim3 &) cuda_double_block_dim)
#define gridDim					((const dim3 &) cuda_double_grid_dim)
#define warpSize				CUDA_DOUBLE_WARP

/* ------------------------------------------------------------------------
 * The rest
 * ------------------------------------------------------------------------
 */
static inline void __nanosleep(unsigned) { cuda_double_yield(); }
static inline void __trap(CUDA_DOUBLE_SITE) { cuda_double_trap(CUDA_DOUBLE_HERE); }

static inline long long
clock64(void)
{
	return (long long) cuda_double_clock();
}

#ifndef __clang__
#define __builtin_assume(condition) do { if (!(condition)) __builtin_unreachable(); } while (0)
#endif

#define KERNEL(name) \
	static cuda_double_kernel name##_of_the_double(#name, \
		cuda_double_trampoline<name>::run, cuda_double_trampoline<name>::nparams, \
		cuda_double_trampoline<name>::sizes);

#endif							/* CUDA_DOUBLE_H */
