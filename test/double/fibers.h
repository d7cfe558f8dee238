/*-------------------------------------------------------------------------
 *
 * fibers.h
 *	  Stacks, and switching between them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_FIBERS_H
#define CUDA_DOUBLE_FIBERS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define DOUBLE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DOUBLE_ASAN 1
#endif
#endif

#ifdef DOUBLE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define DOUBLE_POISON(at, bytes)	__asan_poison_memory_region(at, bytes)
#define DOUBLE_UNPOISON(at, bytes)	__asan_unpoison_memory_region(at, bytes)
#else
#define DOUBLE_POISON(at, bytes)	((void) 0)
#define DOUBLE_UNPOISON(at, bytes)	((void) 0)
#endif

/* Our own switch knows x86-64; -DDOUBLE_UCONTEXT tries the other one there. */
#if !defined(__x86_64__) && !defined(DOUBLE_UCONTEXT)
#define DOUBLE_UCONTEXT 1
#endif

#ifdef DOUBLE_UCONTEXT
#include <ucontext.h>
#endif

struct DoubleFiber
{
	void	   *sp;				/* while it does not run */
	const void *stack;			/* its lowest byte; below it is a guard page */
	size_t		size;
	DoubleFiber *next;			/* of all, or of the idle ones */
	DoubleFiber *next_idle;
	unsigned	number;
	void	   *fake;			/* AddressSanitizer's */
#ifdef DOUBLE_UCONTEXT
	ucontext_t	context;
#endif
};

/* The stack that the launching thread came with. */
extern DoubleFiber double_main_fiber;

/* What a fiber does; never returns. */
extern void double_fibers_init(void (*body) (void));

/*
 * A fiber that is about to run its body's loop again, or a new one; NULL when
 * there is no memory for another.
 */
extern DoubleFiber *double_fiber_take(void);

/* This fiber's body can be given other work. */
extern void double_fiber_idle(DoubleFiber *fiber);

/* From the running fiber to another; returns when somebody switches back. */
extern void double_fiber_switch(DoubleFiber *from, DoubleFiber *to);

/* To the main one for good: the running fiber is to be reset. */
[[noreturn]] extern void double_fiber_leave(void);

/* Whatever the fibers were doing, they begin anew. */
extern void double_fibers_reset(void);

/* Is this address in a fiber's guard page? */
extern bool double_fiber_overflow(const DoubleFiber *fiber, const void *address);

/*
 * In a signal's handler: let it return to double_fiber_leave, on a stack that
 * is sound.
 */
extern void double_fiber_leave_signal(DoubleFiber *running, void *signal_context);

#endif							/* CUDA_DOUBLE_FIBERS_H */
