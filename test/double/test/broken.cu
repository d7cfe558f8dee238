/*-------------------------------------------------------------------------
 *
 * broken.cu
 *	  Kernels with bugs that have been written before: each must be caught.
 *
 *-------------------------------------------------------------------------
 */
#define FULL 0xFFFFFFFFu

/* ------------------------------------------------------------------------
 * Barriers
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
barrier_for_half(unsigned *out)
{
	if (threadIdx.x < 16)
		__syncthreads();
	else
		out[threadIdx.x] = __shfl_sync(FULL, threadIdx.x, 0);
}
KERNEL(barrier_for_half)

extern "C" __global__ void
barrier_in_both_branches(unsigned *out)
{
	if (threadIdx.x % 2)
	{
		out[threadIdx.x] = 1;
		__syncthreads();
	}
	else
	{
		__syncthreads();
		out[threadIdx.x] = 2;
	}
}
KERNEL(barrier_in_both_branches)

extern "C" __global__ void
barriers_of_two_kinds(unsigned *out)
{
	out[threadIdx.x] = threadIdx.x < 40 ? (unsigned) __syncthreads_count(1) : (unsigned) __syncthreads_or(1);
}
KERNEL(barriers_of_two_kinds)

/* the first phase writes, the second reads, and nothing is between them */
extern "C" __global__ void
barrier_missing(unsigned *out)
{
	SHARED(unsigned, s);

	s[threadIdx.x] = threadIdx.x + 1;
	out[threadIdx.x] = s[(threadIdx.x + 1) % blockDim.x] + s[(threadIdx.x + blockDim.x - 1) % blockDim.x];
}
KERNEL(barrier_missing)

/* the next phase's write overtakes this one's read */
extern "C" __global__ void
barrier_missing_in_loop(unsigned *out)
{
	SHARED(unsigned, s);
	unsigned	t = threadIdx.x;

	s[t] = 1;
	__syncthreads();
	for (unsigned d = 1; d < blockDim.x; d *= 2)
	{
		unsigned	v = t >= d ? s[t - d] : 0;

		s[t] += v;
		__syncthreads();
	}
	out[t] = s[t];
}
KERNEL(barrier_missing_in_loop)

/* ------------------------------------------------------------------------
 * Warps
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
lane_not_in_mask(unsigned *out)
{
	out[threadIdx.x] = __ballot_sync(0x0000FFFF, 1);
}
KERNEL(lane_not_in_mask)

extern "C" __global__ void
two_operations(unsigned *out)
{
	if (threadIdx.x % 2)
		out[threadIdx.x] = __ballot_sync(FULL, 1);
	else
		out[threadIdx.x] = (unsigned) __any_sync(FULL, 1);
}
KERNEL(two_operations)

extern "C" __global__ void
two_masks(unsigned *out)
{
	out[threadIdx.x] = __ballot_sync(threadIdx.x < 8 ? 0x0000FFFF : FULL, 1);
}
KERNEL(two_masks)

/* a shuffle under a condition that not all lanes of the mask fulfil */
extern "C" __global__ void
shuffle_under_condition(unsigned *out)
{
	unsigned	v = threadIdx.x;

	if (v != 9)
		v = __shfl_down_sync(FULL, v, 1);
	__syncthreads();
	out[threadIdx.x] = v;
}
KERNEL(shuffle_under_condition)

/* lanes of a warp do not run in step */
extern "C" __global__ void
syncwarp_missing(unsigned *out)
{
	SHARED(unsigned, s);
	unsigned	lane = threadIdx.x % 32;

	s[threadIdx.x] = lane;
	out[threadIdx.x] = s[threadIdx.x ^ 1] + s[threadIdx.x ^ 16];
}
KERNEL(syncwarp_missing)

/* what a lane that left would have said is anything */
extern "C" __global__ void
shuffle_from_exited(unsigned *out)
{
	if (threadIdx.x % 32 == 31)
		return;
	out[threadIdx.x] = __shfl_down_sync(FULL, threadIdx.x, 1);
}
KERNEL(shuffle_from_exited)

/* it counts on the others being there */
extern "C" __global__ void
activemask_as_warp(unsigned *out)
{
	out[threadIdx.x] = __popc(__activemask());
}
KERNEL(activemask_as_warp)

/* ------------------------------------------------------------------------
 * Memory
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
write_at(unsigned char *p, long long offset)
{
	if (threadIdx.x == 5)
		p[offset] = 1;
}
KERNEL(write_at)

extern "C" __global__ void
read_at(const unsigned char *p, long long offset, unsigned char *out)
{
	if (threadIdx.x == 5)
		*out = p[offset];
}
KERNEL(read_at)

extern "C" __global__ void
shared_write_at(int offset)
{
	SHARED(unsigned char, s);

	if (threadIdx.x == 5)
		((volatile unsigned char *) s)[offset] = 1;
}
KERNEL(shared_write_at)

extern "C" __global__ void
shared_uninitialized(unsigned *out)
{
	SHARED(unsigned, s);

	if (threadIdx.x == 0)
		s[0] += 1;				/* nobody set it to 0 */
	__syncthreads();
	out[threadIdx.x] = s[0];
}
KERNEL(shared_uninitialized)

/* a sum whose place nobody cleared */
extern "C" __global__ void
device_uninitialized(unsigned *out)
{
	atomicAdd(out, 1u);
}
KERNEL(device_uninitialized)

extern "C" __global__ void
misaligned_load(const unsigned char *p, uint4 *out)
{
	*out = __ldg((const uint4 *) (p + 4));
}
KERNEL(misaligned_load)

extern "C" __global__ void
misaligned_atomic(unsigned char *p)
{
	atomicAdd((unsigned *) (p + 2), 1u);
}
KERNEL(misaligned_atomic)

/* a pointer that only the host can follow */
extern "C" __global__ void
host_load(const unsigned *host, unsigned *out)
{
	*out = __ldg(host);
}
KERNEL(host_load)

extern "C" __global__ void
host_atomic(unsigned *host)
{
	atomicAdd(host, 1u);
}
KERNEL(host_atomic)

extern "C" __global__ void
declares_too_much(const char *p, unsigned bytes)
{
	TOUCH_READ(p, bytes);
}
KERNEL(declares_too_much)

extern "C" __global__ void
reads_twice(const unsigned *p, unsigned *out)
{
	TOUCH_READ(&p[threadIdx.x], 2 * sizeof *p);	/* and the next one's */
	out[threadIdx.x] = p[threadIdx.x] + p[threadIdx.x + 1];
}
KERNEL(reads_twice)

/* ------------------------------------------------------------------------
 * Threads
 * ------------------------------------------------------------------------
 */

/* looks first and acts then: two may have seen the last free place */
extern "C" __global__ void
check_then_act(unsigned *used, unsigned limit)
{
	if (atomicAdd(used, 0u) < limit)
		atomicAdd(used, 1u);
}
KERNEL(check_then_act)

/* who is last depends on the order */
extern "C" __global__ void
last_one_wins(unsigned *out)
{
	*out = threadIdx.x;
}
KERNEL(last_one_wins)

/* the other block does not run meanwhile: nor need it on a small device */
extern "C" __global__ void
wait_for_block(unsigned *flag)
{
	if (blockIdx.x == 0)
		while (atomicAdd(flag, 0u) == 0)
			;
	else
		atomicExch(flag, 1u);
}
KERNEL(wait_for_block)

static __device__ __noinline__ unsigned
recurse(volatile unsigned *out, unsigned depth)
{
	volatile unsigned frame[64];

	frame[depth % 64] = depth;
	if (*out == depth)
		return 0;
	return recurse(out, depth + 1) + frame[depth % 64];
}

extern "C" __global__ void
stack_overflow(unsigned *out)
{
	out[1] = recurse(out, 0);
}
KERNEL(stack_overflow)

extern "C" __global__ void
division_by_zero(int *p)
{
	p[1] = 100 / *(volatile int *) p;
}
KERNEL(division_by_zero)

extern "C" __global__ void
trap(unsigned n)
{
	if (threadIdx.x == n)
		__trap();
}
KERNEL(trap)

/* a good one, to run after a bad one */
extern "C" __global__ void
well(unsigned *out)
{
	__syncthreads();
	atomicAdd(out, __reduce_add_sync(FULL, 1u) / 32);
}
KERNEL(well)
