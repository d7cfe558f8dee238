/*-------------------------------------------------------------------------
 *
 * launch.cc
 *	  A kernel, from its first block to its last, or to its first error.
 *
 * Blocks run one after another, each to its end.  A kernel that does what is
 * wrong, or that faults, ends its launch there and then: one line on stderr
 * says what, and where, and the process goes on.  The fibers that were under
 * way are thrown away; kernels own nothing that would have to be freed.
 *
 * Handlers of signals are ours only while a kernel runs, and only for what
 * its own thread does; anything else goes to whoever had the signal before.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "counters.h"
#include "launch.h"
#include "memory.h"
#include "settings.h"

static const DoubleLaunch *running;	/* nullptr: no kernel runs */
static pthread_t running_thread;
static bool on_fiber;			/* and not in this file's loop */
static CUresult running_error;
static uint64_t running_since;
static unsigned yields;
static char message[1000];

#define EXPORT __attribute__((visibility("default")))

/* Where this library begins and ends: the linker's. */
extern "C" const char __ehdr_start[] __attribute__((visibility("hidden")));
extern "C" const char _end[] __attribute__((visibility("hidden")));

extern "C" EXPORT uint64_t
cuda_double_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

extern "C" EXPORT const char *
cuda_double_message(void)
{
	return message;
}

/* ------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------
 */
const char *
double_site(cuda_double_site site, char *buffer, size_t size)
{
	const char *slash = strrchr(site.file, '/');

	snprintf(buffer, size, "%s:%d", slash ? slash + 1 : site.file, site.line);
	return buffer;
}

/* "kernel k, block (1,0,0), thread (17,0,0): ..." */
static void
complain(CUresult error, const char *what)
{
	const uint3 *block = &cuda_double_block_index;
	const uint3 *thread = &cuda_double_current->index;

	running_error = error;
	double_counters.errors++;
	if (on_fiber)
		snprintf(message, sizeof message, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u): %s", running->kernel->name,
				 block->x, block->y, block->z, thread->x, thread->y, thread->z, what);
	else
		snprintf(message, sizeof message, "kernel %s, block (%u,%u,%u): %s", running->kernel->name,
				 block->x, block->y, block->z, what);
	double_say("%s", message);
}

void
double_fail(CUresult error, const char *format,...)
{
	char		what[900];
	va_list		args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	complain(error, what);
	if (double_settings.abort)
		abort();
	double_fiber_leave();
}

void
cuda_double_misaligned(const void *pointer, size_t size, cuda_double_site site)
{
	char		buffer[100];

	double_fail(CUDA_ERROR_MISALIGNED_ADDRESS, "%zu bytes at address %p, which is not aligned, at %s", size, pointer,
				double_site(site, buffer, sizeof buffer));
}

void
cuda_double_foreign(const void *pointer, size_t size, cuda_double_site site)
{
	char		buffer[100];

	/* __constant__ and __device__ variables are data of this library */
	if ((const char *) pointer >= __ehdr_start && (const char *) pointer + size <= _end)
		return;
	double_fail(CUDA_ERROR_ILLEGAL_ADDRESS, "%zu bytes at address %p, which is not memory of the device, at %s", size,
				pointer, double_site(site, buffer, sizeof buffer));
}

void
cuda_double_trap(cuda_double_site site)
{
	char		buffer[100];

	double_fail(CUDA_ERROR_LAUNCH_FAILED, "__trap at %s", double_site(site, buffer, sizeof buffer));
}

/* ------------------------------------------------------------------------
 * Threads that wait by running
 * ------------------------------------------------------------------------
 *
 * An atomic lets others run now and then: rarely, and at regular intervals,
 * so that who waits for another thread's store in a loop gets it; or, in the
 * random schedule, often and at random.
 */
#define ATOMICS_BETWEEN_YIELDS	1024

uint64_t	cuda_double_atomics;
uint64_t	cuda_double_atomics_yield;

void
double_atomics_again(void)
{
	if (double_settings.schedule == DOUBLE_RANDOM)
		cuda_double_atomics_yield = cuda_double_atomics + 1 + double_random_below(2 * double_settings.yield);
	else
		cuda_double_atomics_yield = cuda_double_atomics + ATOMICS_BETWEEN_YIELDS;
}

void
double_yielded(void)
{
	if (++yields % 1024 == 0 &&
		cuda_double_clock() - running_since > (uint64_t) double_settings.timeout * 1000000000)
		double_fail(CUDA_ERROR_LAUNCH_TIMEOUT, "the launch has run for %u seconds, and this thread waits in a loop",
					double_settings.timeout);
}

/* ------------------------------------------------------------------------
 * Signals
 * ------------------------------------------------------------------------
 */
static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#define NSIGNALS (sizeof signals / sizeof signals[0])

static struct sigaction handlers_before[NSIGNALS];
static stack_t stack_before;
static char *signal_stack;
#define SIGNAL_STACK	((size_t) 64 * 1024)

/* The instruction, for addr2line. */
static void
describe_instruction(void *context, char *text, size_t size)
{
#ifdef __x86_64__
	uintptr_t	at = (uintptr_t) ((ucontext_t *) context)->uc_mcontext.gregs[REG_RIP];

	snprintf(text, size, ", by the instruction at 0x%llx of this library",
			 (unsigned long long) (at - (uintptr_t) __ehdr_start));
#else
	(void) context;
	text[0] = '\0';
	(void) size;
#endif
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	CUresult	error = CUDA_ERROR_LAUNCH_FAILED;
	char		what[700];
	char		where[200];
	char		instruction[100];

	if (running == nullptr || !on_fiber || !pthread_equal(pthread_self(), running_thread) || info->si_code <= 0)
	{
		/* not ours: it happens again, to whom it belongs */
		for (size_t i = 0; i < NSIGNALS; i++)
			if (signals[i] == number)
				sigaction(number, &handlers_before[i], nullptr);
		if (info->si_code <= 0)
			raise(number);
		return;
	}

	describe_instruction(context, instruction, sizeof instruction);
	switch (number)
	{
		case SIGFPE:
			snprintf(what, sizeof what, "division by zero, or its result does not fit%s", instruction);
			break;
		case SIGILL:
			error = CUDA_ERROR_ILLEGAL_INSTRUCTION;
			snprintf(what, sizeof what, "illegal instruction%s", instruction);
			break;
		default:
			if (double_fiber_overflow(double_thread()->fiber, info->si_addr))
			{
				snprintf(what, sizeof what, "stack overflow%s", instruction);
				break;
			}
			error = CUDA_ERROR_ILLEGAL_ADDRESS;
#ifdef SI_KERNEL
			if (info->si_code == SI_KERNEL)
			{
				snprintf(what, sizeof what, "illegal address, or one that is not aligned%s", instruction);
				break;
			}
#endif
			double_memory_describe(info->si_addr, where, sizeof where);
			snprintf(what, sizeof what, "illegal address %p: %s%s", info->si_addr, where, instruction);
			break;
	}
	complain(error, what);
	if (double_settings.abort)
	{
		/* so that the instruction fails again, for a debugger or a core */
		for (size_t i = 0; i < NSIGNALS; i++)
			sigaction(signals[i], &handlers_before[i], nullptr);
		return;
	}
	double_fiber_leave_signal(double_thread()->fiber, context);
}

static void
signals_ours(void)
{
	struct sigaction action;
	stack_t		stack = {};

	if (signal_stack == nullptr)
		signal_stack = (char *) malloc(SIGNAL_STACK);
	stack.ss_sp = signal_stack;
	stack.ss_size = SIGNAL_STACK;
	sigaltstack(&stack, &stack_before);

	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_signal;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &action, &handlers_before[i]);
}

static void
signals_theirs(void)
{
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &handlers_before[i], nullptr);
	sigaltstack(&stack_before, nullptr);
}

/* ------------------------------------------------------------------------
 * Blocks
 * ------------------------------------------------------------------------
 */
static uint64_t
gcd(uint64_t a, uint64_t b)
{
	while (b != 0)
	{
		uint64_t	rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * The order of blocks: number i is at (start + i * step) modulo their count.
 * A step that has no divisor in common with it visits each once.
 */
static void
block_order(uint64_t count, uint64_t *start, uint64_t *step)
{
	switch (double_settings.schedule)
	{
		case DOUBLE_FORWARD:
			*start = 0;
			*step = 1;
			break;
		case DOUBLE_REVERSE:
			*start = *step = count - 1;
			break;
		case DOUBLE_RANDOM:
			*start = double_random() % count;
			*step = 1 + double_random() % count;
			while (gcd(*step, count) != 1)
				++*step;
			break;
	}
}

static void
run_blocks(const DoubleLaunch *launch)
{
	const dim3 *grid = &launch->grid;
	uint64_t	count = (uint64_t) grid->x * grid->y * grid->z;
	uint64_t	start = 0;
	uint64_t	step = 1;
	char		what[200];

	block_order(count, &start, &step);
	for (uint64_t i = 0; i < count; i++, start = (start + step) % count)
	{
		cuda_double_block_index = uint3{(unsigned) (start % grid->x), (unsigned) (start / grid->x % grid->y),
			(unsigned) (start / grid->x / grid->y)};
		double_counting->blocks++;
		double_shared_poison();
		on_fiber = true;
		double_block_run(launch->kernel->run, launch->params);
		on_fiber = false;
		if (running_error != CUDA_SUCCESS)
			return;
		if (double_shared_overrun(what, sizeof what))
		{
			complain(CUDA_ERROR_ILLEGAL_ADDRESS, what);
			return;
		}
	}
	if (double_memory_overrun(what, sizeof what))
		complain(CUDA_ERROR_ILLEGAL_ADDRESS, what);
}

/* A signal does not make it faster. */
static void
slow_down(void)
{
	uint64_t	end = cuda_double_clock() + (uint64_t) double_settings.slow * 1000;
	uint64_t	now;

	while (double_settings.slow > 0 && (now = cuda_double_clock()) < end)
		usleep((useconds_t) ((end - now) / 1000 + 1));
}

CUresult
double_launch(const DoubleLaunch *launch)
{
	slow_down();
	if (!double_shared_size(launch->shared))
		return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
	running = launch;
	running_thread = pthread_self();
	running_error = CUDA_SUCCESS;
	running_since = cuda_double_clock();
	yields = 0;
	cuda_double_grid_dim = launch->grid;
	cuda_double_block_dim = launch->block;
	double_block_shape(launch->block);
	double_atomics_again();
	double_touch_begin();
	double_counters_kernel(launch->kernel);
	double_counting->launches++;

	signals_ours();
	run_blocks(launch);
	signals_theirs();

	running = nullptr;
	double_counters_kernel(nullptr);
	if (running_error != CUDA_SUCCESS)
		double_fibers_reset();
	return running_error;
}
