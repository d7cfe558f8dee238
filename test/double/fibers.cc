/*-------------------------------------------------------------------------
 *
 * fibers.cc
 *	  Stacks, and switching between them.
 *
 * A block's threads are fibers on the calling thread.  swapcontext() makes
 * two system calls a switch, for the signal mask, which no kernel changes; so
 * there is a switch of our own for x86-64, of a dozen instructions, and
 * swapcontext() for the rest of the world.
 *
 * Stacks are mapped once and kept.  Below each is a page that cannot be
 * touched, so that an overflow is a fault that launch.cc can name.  What a
 * fiber does is a loop that takes one thread of a kernel after another
 * (block.cc), so a stack needs its first frame only once, and again after a
 * launch that failed half way.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "fibers.h"

/*
 * Kernels need little, but signal handlers of the process run here too, and
 * AddressSanitizer's frames are large.
 */
#ifdef DOUBLE_ASAN
static const size_t stack_size = 512 * 1024;
#else
static const size_t stack_size = 128 * 1024;
#endif

DoubleFiber double_main_fiber;

static void (*fiber_body) (void);
static DoubleFiber *fibers;		/* all */
static DoubleFiber *idle;
static unsigned nfibers;

/* ------------------------------------------------------------------------
 * AddressSanitizer has to know which stack is in use
 * ------------------------------------------------------------------------
 */
#ifdef DOUBLE_ASAN
static DoubleFiber *left;		/* the fiber that was switched from */

static void
before_switch(DoubleFiber *from, DoubleFiber *to)
{
	left = from;
	__sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
}

/* The bounds of the main stack are known only when it was left. */
static void
after_switch(void *fake)
{
	__sanitizer_finish_switch_fiber(fake, &left->stack, &left->size);
}
#else
#define before_switch(from, to) ((void) 0)
#define after_switch(fake)		((void) 0)
#endif

/* ------------------------------------------------------------------------
 * The switch
 * ------------------------------------------------------------------------
 */
static void
fiber_entry(void)
{
	after_switch(nullptr);
	fiber_body();
	abort();
}

#ifndef DOUBLE_UCONTEXT

extern "C" void double_switch_stack(void **save, void *load);

/* What the ABI has a function keep; the return address is on the stack. */
asm(R"(
	.text
	.p2align 4
	.globl double_switch_stack
	.hidden double_switch_stack
	.type double_switch_stack, @function
double_switch_stack:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size double_switch_stack, .-double_switch_stack
)");

/*
 * Tops of stacks would all fall into the same few sets of the caches; so they
 * are staggered.
 */
static uintptr_t *
fiber_top(const DoubleFiber *fiber)
{
	return (uintptr_t *) ((char *) fiber->stack + fiber->size - fiber->number * 5 % 64 * 64);
}

static void
fiber_begin(DoubleFiber *fiber)
{
	uintptr_t  *sp = fiber_top(fiber);

	*--sp = 0;					/* nobody called */
	*--sp = (uintptr_t) fiber_entry;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
	fiber->sp = sp;
	fiber->fake = nullptr;
}

static inline void
switch_stack(DoubleFiber *from, DoubleFiber *to)
{
	double_switch_stack(&from->sp, to->sp);
}

#else

static void
fiber_begin(DoubleFiber *fiber)
{
	getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = (void *) fiber->stack;
	fiber->context.uc_stack.ss_size = fiber->size;
	fiber->context.uc_link = nullptr;
	makecontext(&fiber->context, fiber_entry, 0);
	fiber->fake = nullptr;
}

static inline void
switch_stack(DoubleFiber *from, DoubleFiber *to)
{
	swapcontext(&from->context, &to->context);
}

#endif

void
double_fiber_switch(DoubleFiber *from, DoubleFiber *to)
{
	before_switch(from, to);
	switch_stack(from, to);
	after_switch(from->fake);
}

void
double_fiber_leave(void)
{
	static DoubleFiber nobody;

#ifdef DOUBLE_ASAN
	left = &nobody;
	__sanitizer_start_switch_fiber(nullptr, double_main_fiber.stack, double_main_fiber.size);
#endif
	switch_stack(&nobody, &double_main_fiber);
	abort();
}

void
double_fiber_leave_signal(DoubleFiber *running, void *signal_context)
{
#ifndef DOUBLE_UCONTEXT
	ucontext_t *context = (ucontext_t *) signal_context;

	DOUBLE_UNPOISON(running->stack, running->size);
	context->uc_mcontext.gregs[REG_RIP] = (greg_t) double_fiber_leave;
	context->uc_mcontext.gregs[REG_RSP] = (greg_t) (fiber_top(running) - 1);
#else
	(void) running;
	(void) signal_context;
	double_fiber_leave();		/* setcontext brings the signal mask back */
#endif
}

/* ------------------------------------------------------------------------
 * Stacks
 * ------------------------------------------------------------------------
 */
static DoubleFiber *
fiber_make(void)
{
	size_t		guard = (size_t) sysconf(_SC_PAGESIZE);
	DoubleFiber *fiber;
	char	   *map = (char *) mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE,
									MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (map == MAP_FAILED)
		return nullptr;
	fiber = (DoubleFiber *) calloc(1, sizeof *fiber);
	if (fiber == nullptr || mprotect(map, guard, PROT_NONE) != 0)
	{
		free(fiber);
		munmap(map, guard + stack_size);
		return nullptr;
	}
	fiber->stack = map + guard;
	fiber->size = stack_size;
	fiber->number = nfibers++;
	fiber->next = fibers;
	fibers = fiber;
	fiber_begin(fiber);
	return fiber;
}

void
double_fibers_init(void (*body) (void))
{
	fiber_body = body;
}

DoubleFiber *
double_fiber_take(void)
{
	DoubleFiber *fiber = idle;

	if (fiber == nullptr)
		return fiber_make();
	idle = fiber->next_idle;
	return fiber;
}

void
double_fiber_idle(DoubleFiber *fiber)
{
	fiber->next_idle = idle;
	idle = fiber;
}

void
double_fibers_reset(void)
{
	idle = nullptr;
	for (DoubleFiber *fiber = fibers; fiber != nullptr; fiber = fiber->next)
	{
		DOUBLE_UNPOISON(fiber->stack, fiber->size);
		fiber_begin(fiber);
		double_fiber_idle(fiber);
	}
}

bool
double_fiber_overflow(const DoubleFiber *fiber, const void *address)
{
	size_t		guard = (size_t) sysconf(_SC_PAGESIZE);

	return address < fiber->stack && address >= (const char *) fiber->stack - guard;
}
