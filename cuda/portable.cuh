/*-------------------------------------------------------------------------
 *
 * portable.cuh
 *	  What the kernels use of CUDA, by the names under which the CUDA double
 *	  (test/double) has it too.
 *
 * The double defines __CUDA_DOUBLE__ and, ahead of this file, CUDA's own words
 * and these:
 *	   SHARED(type, name)		the block's dynamic shared memory, aligned to 16
 *	   KERNEL(name)				a kernel that the host may ask for by name
 *	   TOUCH_READ(ptr, bytes)	bytes of a page are read here: the double counts
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_PORTABLE_CUH
#define GPUSCAN_CUDA_PORTABLE_CUH

#include "engine/cuda/device.h"
#include "program/portable.h"

#ifndef __CUDA_DOUBLE__
#define SHARED(type, name)	extern __shared__ __align__(16) type name[]
#define KERNEL(name)
#define TOUCH_READ(ptr, bytes)	((void) 0)
#define UNROLL				_Pragma("unroll")
#define NO_UNROLL			_Pragma("unroll 1")
#else
#define UNROLL
#define NO_UNROLL
#endif

#define DEVICE_FUNCTION static __device__ __forceinline__
#define SLOW_FUNCTION	static __device__ __noinline__

#define WARP			32u
#define WHOLE_WARP		0xFFFFFFFFu

/* sixteen bytes at once */
struct __align__(16) Chunk
{
	uint64_t	lo;
	uint64_t	hi;
};

/*
 * A copy from device memory to shared memory that goes on beside the program,
 * and the end of all that this thread began.  Registers are not touched, so a
 * thread can have any number under way.
 */
DEVICE_FUNCTION void
copy_begin(Chunk *shared, const Chunk *from)
{
#ifdef __CUDA_ARCH__
	asm volatile ("cp.async.cg.shared.global [%0], [%1], 16;"
				  ::"r"((uint32_t) __cvta_generic_to_shared(shared)), "l"(__cvta_generic_to_global(from)) : "memory");
#else
	*shared = *from;
#endif
}

DEVICE_FUNCTION void
copy_end(void)
{
#ifdef __CUDA_ARCH__
	asm volatile ("cp.async.wait_all;" ::: "memory");
#endif
}

/* CUDA has its atomics for long long, which is another type than uint64_t */
typedef unsigned long long ull;

DEVICE_FUNCTION uint64_t
atomic_add(uint64_t *p, uint64_t v)
{
	return atomicAdd((ull *) p, (ull) v);
}

DEVICE_FUNCTION uint64_t
atomic_swap_if(uint64_t *p, uint64_t expected, uint64_t v)
{
	return atomicCAS((ull *) p, (ull) expected, (ull) v);
}

/* What other threads write meanwhile: never from a register or the first cache. */
DEVICE_FUNCTION uint64_t
read_now(const uint64_t *p)
{
	return *(const volatile uint64_t *) p;
}

/* Lower or raise *p to v; most often it is that far already. */
DEVICE_FUNCTION void
atomic_lower(uint64_t *p, uint64_t v)
{
	if (v < read_now(p))
		atomicMin((ull *) p, (ull) v);
}

DEVICE_FUNCTION void
atomic_raise(uint64_t *p, uint64_t v)
{
	if (v > read_now(p))
		atomicMax((ull *) p, (ull) v);
}

DEVICE_FUNCTION void
atomic_lower_signed(int64_t *p, int64_t v)
{
	if (v < (int64_t) read_now((const uint64_t *) p))
		atomicMin((long long *) p, (long long) v);
}

DEVICE_FUNCTION void
atomic_raise_signed(int64_t *p, int64_t v)
{
	if (v > (int64_t) read_now((const uint64_t *) p))
		atomicMax((long long *) p, (long long) v);
}

/* Bits; most often they are there, or gone, already, but for the last kind */
DEVICE_FUNCTION void
atomic_bitand(uint64_t *p, uint64_t v)
{
	if ((read_now(p) & ~v) != 0)
		atomicAnd((ull *) p, (ull) v);
}

DEVICE_FUNCTION void
atomic_bitor(uint64_t *p, uint64_t v)
{
	if ((v & ~read_now(p)) != 0)
		atomicOr((ull *) p, (ull) v);
}

DEVICE_FUNCTION void
atomic_bitxor(uint64_t *p, uint64_t v)
{
	if (v != 0)
		atomicXor((ull *) p, (ull) v);
}

/* Add to a sum of two limbs: order does not matter, and no carry is lost. */
DEVICE_FUNCTION void
atomic_add_wide(uint64_t *limbs, i128 v)
{
	uint64_t	lo = (uint64_t) v,
				hi = (uint64_t) (v >> 64);

	if (lo != 0 && atomic_add(&limbs[0], lo) + lo < lo)
		hi++;
	if (hi != 0)
		atomic_add(&limbs[1], hi);
}

#endif							/* GPUSCAN_CUDA_PORTABLE_CUH */
