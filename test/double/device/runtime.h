/*-------------------------------------------------------------------------
 *
 * runtime.h
 *	  What the code of kernels calls in the double's library.
 *
 * Kernels and library are one shared object with hidden symbols, and one
 * thread of the operating system runs at a time in it, so these are plain
 * variables.  Nothing here is for kernels to use by name: they write CUDA,
 * and cuda_double.h turns it into this.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_RUNTIME_H
#define CUDA_DOUBLE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <utility>

#include "../cuda_double_api.h"
#include "vectors.h"

#define CUDA_DOUBLE_WARP	32

/* The thread that runs. */
struct cuda_double_thread
{
	uint3		index;			/* threadIdx */
	unsigned	lane;
};

extern cuda_double_thread *cuda_double_current;
extern uint3 cuda_double_block_index;
extern dim3 cuda_double_block_dim;
extern dim3 cuda_double_grid_dim;

/*
 * Where a thread stands: the last parameters of whatever may wait or complain.
 * A default argument is evaluated where the call is written.
 */
struct cuda_double_site
{
	const char *file;
	int			line;
};
#define CUDA_DOUBLE_SITE \
	const char *file_ = __builtin_FILE(), int line_ = __builtin_LINE()
#define CUDA_DOUBLE_HERE	(cuda_double_site{file_, line_})

/* ------------------------------------------------------------------------
 * Barriers, warps, shared memory (block.cc, warp.cc, launch.cc)
 * ------------------------------------------------------------------------
 */
enum cuda_double_barrier_kind
{
	CUDA_DOUBLE_SYNCTHREADS, CUDA_DOUBLE_SYNCTHREADS_COUNT,
	CUDA_DOUBLE_SYNCTHREADS_AND, CUDA_DOUBLE_SYNCTHREADS_OR
};

/* Wait for the block's threads; number of them with a predicate (and, or: 1 or 0). */
extern int	cuda_double_barrier(cuda_double_barrier_kind kind, bool predicate, cuda_double_site site);

enum cuda_double_warp_kind
{
	CUDA_DOUBLE_SYNCWARP,
	CUDA_DOUBLE_SHFL, CUDA_DOUBLE_SHFL_UP, CUDA_DOUBLE_SHFL_DOWN, CUDA_DOUBLE_SHFL_XOR,
	CUDA_DOUBLE_BALLOT, CUDA_DOUBLE_ANY, CUDA_DOUBLE_ALL,
	CUDA_DOUBLE_MATCH_ANY, CUDA_DOUBLE_MATCH_ALL,
	CUDA_DOUBLE_ADD, CUDA_DOUBLE_MIN_UNSIGNED, CUDA_DOUBLE_MAX_UNSIGNED,
	CUDA_DOUBLE_MIN_INT, CUDA_DOUBLE_MAX_INT,
	CUDA_DOUBLE_AND, CUDA_DOUBLE_OR, CUDA_DOUBLE_XOR,
	CUDA_DOUBLE_WARP_KINDS
};

/*
 * Meet the other lanes in 'mask' in the same operation; this lane's result.
 * 'lane' is the one to take the value from, for shuffles.
 */
extern uint64_t cuda_double_warp(cuda_double_warp_kind kind, unsigned mask, uint64_t value,
								 unsigned lane, cuda_double_site site);

/* The block's dynamic shared memory. */
extern void *cuda_double_shared(void);

/* Let other threads run. */
extern void cuda_double_yield(void);

/* ------------------------------------------------------------------------
 * Memory (atomics.h, loads.h; launch.cc, touch.cc)
 * ------------------------------------------------------------------------
 */
extern uint64_t cuda_double_atomics;	/* so many were done ... */
extern uint64_t cuda_double_atomics_yield;	/* ... and here others get their turn */

extern void cuda_double_atomic_yield(void);

/* All memory of devices, and shared memory, is somewhere in here. */
extern uintptr_t cuda_double_arena;
extern size_t cuda_double_arena_size;

/* The launch fails: never returns. */
[[noreturn]] extern void cuda_double_misaligned(const void *pointer, size_t size, cuda_double_site site);
[[noreturn]] extern void cuda_double_trap(cuda_double_site site);

/* The launch fails, unless this is a variable of the kernels' own. */
extern void cuda_double_foreign(const void *pointer, size_t size, cuda_double_site site);

/* An access that can be seen. */
static inline void
cuda_double_access(const volatile void *pointer, size_t size, cuda_double_site site)
{
	if (__builtin_expect(((uintptr_t) pointer & (size - 1)) != 0, 0))
		cuda_double_misaligned((const void *) pointer, size, site);
	if (__builtin_expect((uintptr_t) pointer - cuda_double_arena >= cuda_double_arena_size, 0))
		cuda_double_foreign((const void *) pointer, size, site);
}

/* Count bytes that a kernel says it reads or writes. */
extern void cuda_double_touch(const void *pointer, size_t bytes, bool write, cuda_double_site site);

/* ------------------------------------------------------------------------
 * Registration of kernels (KERNEL)
 * ------------------------------------------------------------------------
 */
struct cuda_double_kernel
{
	const char *name;
	void		(*run) (void **params);
	unsigned	nparams;
	const size_t *sizes;		/* of params */
	cuda_double_kernel *next;
	struct cuda_double_kernel_counters counters;

	cuda_double_kernel(const char *name, void (*run) (void **params), unsigned nparams, const size_t *sizes);
};

/* cuLaunchKernel's array of pointers to arguments, made into a call. */
template <auto Kernel> struct cuda_double_trampoline;
template <class... Args, void (*Kernel) (Args...)>
struct cuda_double_trampoline<Kernel>
{
	static constexpr unsigned nparams = sizeof...(Args);
	static constexpr size_t sizes[] = {sizeof(Args)..., 0};

	template <size_t... I> static inline void
	call([[maybe_unused]] void **params, std::index_sequence<I...>)
	{
		Kernel(*(Args *) params[I]...);
	}

	static void
	run(void **params)
	{
		call(params, std::index_sequence_for<Args...>());
	}
};

#endif							/* CUDA_DOUBLE_RUNTIME_H */
