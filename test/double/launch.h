/*-------------------------------------------------------------------------
 *
 * launch.h
 *	  A launch, its block, its warps and threads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_LAUNCH_H
#define CUDA_DOUBLE_LAUNCH_H

#include "device/runtime.h"
#include "driver_types.h"
#include "fibers.h"

#define DOUBLE_MAX_THREADS	1024
#define DOUBLE_MAX_WARPS	(DOUBLE_MAX_THREADS / CUDA_DOUBLE_WARP)

/* How threads and blocks take turns. */
enum DoubleSchedule
{
	DOUBLE_FORWARD, DOUBLE_REVERSE, DOUBLE_RANDOM
};

enum DoubleWait
{
	DOUBLE_RUNS, DOUBLE_AT_BARRIER, DOUBLE_AT_WARP, DOUBLE_EXITED
};

struct DoubleThread : cuda_double_thread
{
	unsigned	number;			/* in the block */
	DoubleFiber *fiber;			/* nullptr: it has not begun */

	/* where it waits, for messages */
	DoubleWait	wait;
	int			kind;			/* of barrier or of warp operation */
	unsigned	mask;
	cuda_double_site site;
};

/* Lanes that meet in an operation. */
struct DoubleGroup
{
	unsigned	mask;
	unsigned	arrived;
	cuda_double_warp_kind kind;
};

struct DoubleWarp
{
	unsigned	gone;			/* lanes that exited, or never were */
	unsigned	ngroups;		/* that wait */
	DoubleGroup groups[CUDA_DOUBLE_WARP];
	uint64_t	value[CUDA_DOUBLE_WARP];	/* that lanes came with */
	unsigned	from[CUDA_DOUBLE_WARP];
	uint64_t	result[CUDA_DOUBLE_WARP];	/* that they leave with */
};

struct DoubleBarrier
{
	unsigned	arrived;
	cuda_double_barrier_kind kind;
	unsigned	predicates;		/* of those who arrived */
	int			result;			/* of the barrier before */
	cuda_double_site site;
	unsigned	first;			/* thread that came first */
};

struct DoubleBlock
{
	unsigned	nthreads;
	unsigned	nwarps;
	unsigned	live;
	unsigned	ready_warps;	/* warps with a thread that could run */
	unsigned	ready[DOUBLE_MAX_WARPS];	/* ... and its lanes */
	unsigned	turns;			/* a warp kept the turn so many times */
	DoubleBarrier barrier;
	DoubleWarp	warps[DOUBLE_MAX_WARPS];
	DoubleThread threads[DOUBLE_MAX_THREADS];
};

struct DoubleLaunch
{
	cuda_double_kernel *kernel;
	void	  **params;
	dim3		grid;
	dim3		block;
	unsigned	shared;			/* bytes of dynamic shared memory */
};

extern DoubleBlock double_block;

/* ------------------------------------------------------------------------
 * launch.cc
 * ------------------------------------------------------------------------
 */

/* Run a kernel to its end: 0, or the error that its context has from now on. */
extern CUresult double_launch(const DoubleLaunch *launch);

/* From a kernel's thread: a line on stderr, and the launch ends with this. */
[[noreturn]] extern void double_fail(CUresult error, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* A thread lets others run: for how long has this been going on? */
extern void double_yielded(void);

/* The next atomics at which others get their turn. */
extern void double_atomics_again(void);

/* "file:line" of the site, without folders. */
extern const char *double_site(cuda_double_site site, char *buffer, size_t size);

/* ------------------------------------------------------------------------
 * block.cc
 * ------------------------------------------------------------------------
 */

/* What all blocks of a launch have in common, then one block after another. */
extern void double_block_shape(dim3 shape);
extern void double_block_run(void (*kernel) (void **params), void **params);

static inline DoubleThread *
double_thread(void)
{
	return static_cast<DoubleThread *>(cuda_double_current);
}

static inline DoubleWarp *
double_warp_of(const DoubleThread *thread)
{
	return &double_block.warps[thread->number / CUDA_DOUBLE_WARP];
}

/* Threads of the lanes in 'lanes' of a warp can run, or no longer can. */
static inline void
double_ready(unsigned warp, unsigned lanes)
{
	double_block.ready[warp] |= lanes;
	double_block.ready_warps |= 1u << warp;
}

static inline void
double_not_ready(unsigned warp, unsigned lanes)
{
	double_block.ready[warp] &= ~lanes;
	if (double_block.ready[warp] == 0)
		double_block.ready_warps &= ~(1u << warp);
}

/*
 * Somebody else's turn: of the next thread after this one, or the next one
 * from the first of 'lanes' of this one's warp.  Returns when this one is
 * ready and has its turn.
 */
extern void double_turn(void);
extern void double_turn_of(unsigned lanes);

/* ------------------------------------------------------------------------
 * warp.cc
 * ------------------------------------------------------------------------
 */

/* A lane exited: who waited for it? */
extern void double_warp_exit(unsigned warp);

extern const char *double_warp_name(int kind);
extern const char *double_barrier_name(int kind);

#endif							/* CUDA_DOUBLE_LAUNCH_H */
