/*-------------------------------------------------------------------------
 *
 * block.cc
 *	  The threads of a block: who runs when, and where they all meet.
 *
 * A thread runs until it waits, or lets others go ahead (atomics and
 * __nanosleep).  Then it picks who is next itself and switches there: there
 * is no scheduler in between.  A thread that never waits costs no switch at
 * all: the fiber that ran it goes on with the next one on the same stack.
 *
 * The schedule says who is next: the next in ascending or descending order,
 * around and around, or anybody.  When a warp's lanes have met, the warp goes
 * on before other warps begin, which keeps its stacks in the cache; but not
 * forever, or a warp that waits for another one's store would never see it.
 *
 * Whoever finds nobody who could run has found a deadlock.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "launch.h"
#include "settings.h"

/* So many times does a warp go on before others, then they get their turn. */
#define DOUBLE_WARP_TURNS	1024

DoubleBlock double_block;
cuda_double_thread *cuda_double_current;
uint3		cuda_double_block_index;
dim3		cuda_double_block_dim;
dim3		cuda_double_grid_dim;

static void (*block_kernel) (void **params);
static void **block_params;

/* ------------------------------------------------------------------------
 * Who is next
 * ------------------------------------------------------------------------
 */
static unsigned
nth_bit(unsigned bits, unsigned n)
{
	while (n-- > 0)
		bits &= bits - 1;
	return (unsigned) __builtin_ctz(bits);
}

/*
 * A thread that can run: the first from number 'from' on in the schedule's
 * direction, around the end.  nullptr: there is none.
 */
static DoubleThread *
next_from(unsigned from)
{
	DoubleBlock *block = &double_block;
	unsigned	warp = from / CUDA_DOUBLE_WARP;
	unsigned	lane = from % CUDA_DOUBLE_WARP;
	unsigned	warps;
	unsigned	lanes;

	if (block->ready_warps == 0)
		return nullptr;
	switch (double_settings.schedule)
	{
		case DOUBLE_FORWARD:
			lanes = block->ready[warp] & ~0u << lane;
			if (lanes == 0)
			{
				warps = warp == 31 ? 0 : block->ready_warps & ~0u << (warp + 1);
				warp = (unsigned) __builtin_ctz(warps ? warps : block->ready_warps);
				lanes = block->ready[warp];
			}
			lane = (unsigned) __builtin_ctz(lanes);
			break;
		case DOUBLE_REVERSE:
			lanes = block->ready[warp] & ~0u >> (31 - lane);
			if (lanes == 0)
			{
				warps = block->ready_warps & ((1u << warp) - 1);
				warp = 31 - (unsigned) __builtin_clz(warps ? warps : block->ready_warps);
				lanes = block->ready[warp];
			}
			lane = 31 - (unsigned) __builtin_clz(lanes);
			break;
		case DOUBLE_RANDOM:
			warps = block->ready_warps;
			warp = nth_bit(warps, double_random_below((unsigned) __builtin_popcount(warps)));
			lanes = block->ready[warp];
			lane = nth_bit(lanes, double_random_below((unsigned) __builtin_popcount(lanes)));
			break;
	}
	return &block->threads[warp * CUDA_DOUBLE_WARP + lane];
}

static unsigned
number_after(unsigned number)
{
	if (double_settings.schedule == DOUBLE_REVERSE)
		return number == 0 ? double_block.nthreads - 1 : number - 1;
	return number + 1 == double_block.nthreads ? 0 : number + 1;
}

static unsigned
number_first(void)
{
	return double_settings.schedule == DOUBLE_REVERSE ? double_block.nthreads - 1 : 0;
}

/* ------------------------------------------------------------------------
 * Deadlocks
 * ------------------------------------------------------------------------
 */
static bool
waits_alike(const DoubleThread *a, const DoubleThread *b)
{
	return a->wait == b->wait && a->kind == b->kind && a->site.line == b->site.line &&
		(a->wait != DOUBLE_AT_WARP ||
		 (a->mask == b->mask && a->number / CUDA_DOUBLE_WARP == b->number / CUDA_DOUBLE_WARP));
}

/* Nobody can run: say where they wait, those who wait alike together. */
[[noreturn]] static void
deadlock(void)
{
	DoubleBlock *block = &double_block;
	bool		told[DOUBLE_MAX_THREADS] = {};
	char		text[900];
	char		site[100];
	size_t		used = 0;
	unsigned	groups = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < block->nthreads; i++)
	{
		DoubleThread *thread = &block->threads[i];
		unsigned	count = 0;
		char		what[100];

		if (told[i] || thread->wait == DOUBLE_EXITED)
			continue;
		for (unsigned j = i; j < block->nthreads; j++)
			if (!told[j] && waits_alike(thread, &block->threads[j]))
			{
				told[j] = true;
				count++;
			}
		if (++groups > 6)
			continue;
		if (thread->wait == DOUBLE_AT_WARP)
			snprintf(what, sizeof what, "%s(0x%08x) of warp %u", double_warp_name(thread->kind), thread->mask,
					 i / CUDA_DOUBLE_WARP);
		else
			snprintf(what, sizeof what, "%s", double_barrier_name(thread->kind));
		used += (size_t) snprintf(text + used, sizeof text - used, "%s%u in %s at %s", groups > 1 ? ", " : "",
								  count, what, double_site(thread->site, site, sizeof site));
		if (used >= sizeof text)
			used = sizeof text - 1;
	}
	if (groups > 6)
		snprintf(text + used, sizeof text - used, ", others elsewhere");
	double_fail(CUDA_ERROR_LAUNCH_FAILED, "deadlock: of %u threads %u exited; waiting: %s", block->nthreads,
				block->nthreads - block->live, text);
}

/* ------------------------------------------------------------------------
 * Turns
 * ------------------------------------------------------------------------
 */

/* Switch to a thread; the caller's own fiber is 'fiber'. */
static void
switch_to(DoubleFiber *fiber, DoubleThread *next)
{
	double_counting->switches++;
	cuda_double_current = next;
	if (next->fiber == nullptr)
	{
		next->fiber = double_fiber_take();
		if (next->fiber == nullptr)
			double_fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "no memory for another thread's stack");
	}
	double_fiber_switch(fiber, next->fiber);
}

static void
turn_from(unsigned from)
{
	DoubleThread *self = double_thread();
	DoubleThread *next = next_from(from);

	if (next == nullptr)
		deadlock();
	if (next != self)
		switch_to(self->fiber, next);
}

void
double_turn(void)
{
	turn_from(number_after(double_thread()->number));
}

void
double_turn_of(unsigned lanes)
{
	unsigned	number = double_thread()->number;
	unsigned	first = number & ~(CUDA_DOUBLE_WARP - 1u);

	if (++double_block.turns % DOUBLE_WARP_TURNS == 0)
		double_turn();
	else if (double_settings.schedule == DOUBLE_REVERSE)
		turn_from(first + 31 - (unsigned) __builtin_clz(lanes));
	else
		turn_from(first + (unsigned) __builtin_ctz(lanes));
}

void
cuda_double_yield(void)
{
	double_yielded();
	double_turn();
}

void
cuda_double_atomic_yield(void)
{
	double_atomics_again();
	cuda_double_yield();
}

/* ------------------------------------------------------------------------
 * The barrier
 * ------------------------------------------------------------------------
 */
const char *
double_barrier_name(int kind)
{
	static const char *const names[] = {"__syncthreads", "__syncthreads_count", "__syncthreads_and",
	"__syncthreads_or"};

	return names[kind];
}

static void
barrier_open(void)
{
	DoubleBlock *block = &double_block;
	DoubleBarrier *barrier = &block->barrier;

	switch (barrier->kind)
	{
		case CUDA_DOUBLE_SYNCTHREADS:
			break;
		case CUDA_DOUBLE_SYNCTHREADS_COUNT:
			barrier->result = (int) barrier->predicates;
			break;
		case CUDA_DOUBLE_SYNCTHREADS_AND:
			barrier->result = barrier->predicates == barrier->arrived;
			break;
		case CUDA_DOUBLE_SYNCTHREADS_OR:
			barrier->result = barrier->predicates != 0;
			break;
	}
	barrier->arrived = 0;
	double_counting->barriers++;

	/* all who live wait here */
	for (unsigned warp = 0; warp < block->nwarps; warp++)
		if (block->warps[warp].gone != ~0u)
			double_ready(warp, ~block->warps[warp].gone);
}

int
cuda_double_barrier(cuda_double_barrier_kind kind, bool predicate, cuda_double_site site)
{
	DoubleThread *self = double_thread();
	DoubleBarrier *barrier = &double_block.barrier;

	if (barrier->arrived == 0)
	{
		barrier->kind = kind;
		barrier->site = site;
		barrier->first = self->number;
		barrier->predicates = 0;
	}
	else if (barrier->kind != kind || barrier->site.line != site.line ||
			 (barrier->site.file != site.file && strcmp(barrier->site.file, site.file) != 0))
	{
		char		here[100];
		char		there[100];

		double_fail(CUDA_ERROR_LAUNCH_FAILED, "%s at %s, where thread %u of the block waits in %s at %s",
					double_barrier_name(kind), double_site(site, here, sizeof here), barrier->first,
					double_barrier_name(barrier->kind), double_site(barrier->site, there, sizeof there));
	}
	barrier->arrived++;
	barrier->predicates += predicate;
	self->wait = DOUBLE_AT_BARRIER;
	self->kind = kind;
	self->site = site;
	double_not_ready(self->number / CUDA_DOUBLE_WARP, 1u << self->lane);
	if (barrier->arrived == double_block.live)
	{
		barrier_open();
		turn_from(number_first());
	}
	else
		double_turn();
	self->wait = DOUBLE_RUNS;
	return barrier->result;
}

/* ------------------------------------------------------------------------
 * A thread's life
 * ------------------------------------------------------------------------
 */

/* The running thread has returned from the kernel; who is next, if anybody? */
static DoubleThread *
thread_exit(void)
{
	DoubleBlock *block = &double_block;
	DoubleThread *self = double_thread();
	unsigned	warp = self->number / CUDA_DOUBLE_WARP;
	DoubleThread *next;

	self->wait = DOUBLE_EXITED;
	block->live--;
	block->warps[warp].gone |= 1u << self->lane;
	double_not_ready(warp, 1u << self->lane);
	if (block->warps[warp].ngroups > 0)
		double_warp_exit(warp);
	if (block->barrier.arrived > 0 && block->barrier.arrived == block->live)
		barrier_open();
	if (block->live == 0)
		return nullptr;
	next = next_from(number_after(self->number));
	if (next == nullptr)
		deadlock();
	return next;
}

/* What every fiber does: threads, one after another. */
static void
fiber_body(void)
{
	for (;;)
	{
		DoubleFiber *fiber = double_thread()->fiber;
		DoubleThread *next;

		block_kernel(block_params);
		next = thread_exit();
		if (next != nullptr && next->fiber == nullptr)
		{
			next->fiber = fiber;
			cuda_double_current = next;
			continue;
		}

		/* this stack is free for another thread, which then goes on here */
		double_fiber_idle(fiber);
		if (next != nullptr)
			switch_to(fiber, next);
		else
			double_fiber_switch(fiber, &double_main_fiber);
	}
}

void
double_block_shape(dim3 shape)
{
	DoubleBlock *block = &double_block;
	DoubleThread *thread = block->threads;

	double_fibers_init(fiber_body);
	block->nthreads = shape.x * shape.y * shape.z;
	block->nwarps = (block->nthreads + CUDA_DOUBLE_WARP - 1) / CUDA_DOUBLE_WARP;
	for (unsigned z = 0; z < shape.z; z++)
		for (unsigned y = 0; y < shape.y; y++)
			for (unsigned x = 0; x < shape.x; x++, thread++)
			{
				thread->index = uint3{x, y, z};
				thread->number = (unsigned) (thread - block->threads);
				thread->lane = thread->number % CUDA_DOUBLE_WARP;
			}
}

void
double_block_run(void (*kernel) (void **params), void **params)
{
	DoubleBlock *block = &double_block;
	DoubleThread *first;

	block_kernel = kernel;
	block_params = params;
	block->live = block->nthreads;
	block->barrier.arrived = 0;
	block->ready_warps = 0;
	for (unsigned warp = 0; warp < block->nwarps; warp++)
	{
		unsigned	lanes = block->nthreads - warp * CUDA_DOUBLE_WARP;

		block->warps[warp].ngroups = 0;
		block->warps[warp].gone = lanes < CUDA_DOUBLE_WARP ? ~0u << lanes : 0;
		block->ready[warp] = 0;
		double_ready(warp, ~block->warps[warp].gone);
	}
	for (unsigned i = 0; i < block->nthreads; i++)
	{
		block->threads[i].fiber = nullptr;
		block->threads[i].wait = DOUBLE_RUNS;
	}
	first = next_from(number_first());
	switch_to(&double_main_fiber, first);
}
