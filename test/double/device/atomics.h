/*-------------------------------------------------------------------------
 *
 * atomics.h
 *	  atomicAdd and the like, for the types that CUDA has them for.
 *
 * Each one is counted, its address is checked, and it is a place where another
 * thread of the block may get its turn: before it is done, so that what was
 * read for a compare-and-swap may be old by then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_ATOMICS_H
#define CUDA_DOUBLE_ATOMICS_H

#include "bits.h"
#include "runtime.h"

static inline void
cuda_double_atomic(const volatile void *pointer, size_t size, cuda_double_site site)
{
	cuda_double_access(pointer, size, site);
	if (__builtin_expect(++cuda_double_atomics >= cuda_double_atomics_yield, 0))
		cuda_double_atomic_yield();
}

/* name(T *address, T value): the old value; 'expression' of old and value is the new one */
#define CUDA_DOUBLE_ATOMIC(name, T, expression) \
	static inline T \
	name(T *address, T value, CUDA_DOUBLE_SITE) \
	{ \
		T			old; \
\
		cuda_double_atomic(address, sizeof(T), CUDA_DOUBLE_HERE); \
		old = *(volatile T *) address; \
		*(volatile T *) address = (T) (expression); \
		return old; \
	} \
	static inline T \
	name##_block(T *address, T value, CUDA_DOUBLE_SITE) \
	{ \
		return name(address, value, file_, line_); \
	} \
	static inline T \
	name##_system(T *address, T value, CUDA_DOUBLE_SITE) \
	{ \
		return name(address, value, file_, line_); \
	}

/* sums wrap around */
CUDA_DOUBLE_ATOMIC(atomicAdd, int, (unsigned) old + (unsigned) value)
CUDA_DOUBLE_ATOMIC(atomicAdd, unsigned, old + value)
CUDA_DOUBLE_ATOMIC(atomicAdd, unsigned long long, old + value)
CUDA_DOUBLE_ATOMIC(atomicAdd, float, old + value)
CUDA_DOUBLE_ATOMIC(atomicAdd, double, old + value)
CUDA_DOUBLE_ATOMIC(atomicSub, int, (unsigned) old - (unsigned) value)
CUDA_DOUBLE_ATOMIC(atomicSub, unsigned, old - value)
CUDA_DOUBLE_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
CUDA_DOUBLE_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
CUDA_DOUBLE_ATOMIC(atomicExch, int, value)
CUDA_DOUBLE_ATOMIC(atomicExch, unsigned, value)
CUDA_DOUBLE_ATOMIC(atomicExch, unsigned long long, value)
CUDA_DOUBLE_ATOMIC(atomicExch, float, value)

#define CUDA_DOUBLE_ATOMIC_ALL(name, expression) \
	CUDA_DOUBLE_ATOMIC(name, int, expression) \
	CUDA_DOUBLE_ATOMIC(name, unsigned, expression) \
	CUDA_DOUBLE_ATOMIC(name, unsigned long long, expression)

CUDA_DOUBLE_ATOMIC_ALL(atomicMin, value < old ? value : old)
CUDA_DOUBLE_ATOMIC(atomicMin, long long, value < old ? value : old)
CUDA_DOUBLE_ATOMIC_ALL(atomicMax, value > old ? value : old)
CUDA_DOUBLE_ATOMIC(atomicMax, long long, value > old ? value : old)
CUDA_DOUBLE_ATOMIC_ALL(atomicAnd, old & value)
CUDA_DOUBLE_ATOMIC_ALL(atomicOr, old | value)
CUDA_DOUBLE_ATOMIC_ALL(atomicXor, old ^ value)

#define CUDA_DOUBLE_CAS(name, T) \
	static inline T \
	name(T *address, T compare, T value, CUDA_DOUBLE_SITE) \
	{ \
		T			old; \
\
		cuda_double_atomic(address, sizeof(T), CUDA_DOUBLE_HERE); \
		old = *(volatile T *) address; \
		if (old == compare) \
			*(volatile T *) address = value; \
		return old; \
	}

#define CUDA_DOUBLE_CAS_ALL(name) \
	CUDA_DOUBLE_CAS(name, int) \
	CUDA_DOUBLE_CAS(name, unsigned) \
	CUDA_DOUBLE_CAS(name, unsigned long long) \
	CUDA_DOUBLE_CAS(name, unsigned short)

CUDA_DOUBLE_CAS_ALL(atomicCAS)
CUDA_DOUBLE_CAS_ALL(atomicCAS_block)
CUDA_DOUBLE_CAS_ALL(atomicCAS_system)

#endif							/* CUDA_DOUBLE_ATOMICS_H */
