/*-------------------------------------------------------------------------
 *
 * good.cu
 *	  Kernels that are right: the double must find nothing.
 *
 *-------------------------------------------------------------------------
 */
#define FULL 0xFFFFFFFFu

static __device__ __forceinline__ long long
warp_sum(long long v)
{
#pragma unroll
	for (int o = 16; o > 0; o >>= 1)
		v += __shfl_down_sync(FULL, v, o);
	return v;
}

/* sum of the values above a threshold: shuffles, barrier, shared memory, atomics */
extern "C" __global__ void __launch_bounds__(1024)
sum_above(const int *__restrict__ a, int n, int threshold, unsigned long long *out)
{
	SHARED(long long, part);
	long long	s = 0;
	int			lane = threadIdx.x % warpSize;
	int			warp = threadIdx.x / warpSize;

	for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (unsigned) n; i += gridDim.x * blockDim.x)
		if (__ldg(&a[i]) > threshold)
			s += a[i];
	s = warp_sum(s);
	if (lane == 0)
		part[warp] = s;
	__syncthreads();
	if (warp == 0)
	{
		s = lane < (int) (blockDim.x / warpSize) ? part[lane] : 0;
		s = warp_sum(s);
		if (lane == 0)
			atomicAdd(out, (unsigned long long) s);
	}
}
KERNEL(sum_above)

/* values above a threshold, packed: votes and a counter */
extern "C" __global__ void
compact(const int *a, int n, int threshold, int *out, unsigned *count)
{
	SHARED(unsigned, base);
	int			i = (int) (blockIdx.x * blockDim.x + threadIdx.x);
	bool		above = i < n && a[i] > threshold;
	unsigned	votes = __ballot_sync(FULL, above);
	unsigned	lane = threadIdx.x % 32;
	unsigned	warp = threadIdx.x / 32;

	if (lane == 0)
		base[warp] = votes ? atomicAdd(count, (unsigned) __popc(votes)) : 0;
	__syncwarp();
	if (above)
		out[base[warp] + (unsigned) __popc(votes & ((1u << lane) - 1))] = a[i];
}
KERNEL(compact)

/* a prefix sum over the block, in shared memory, two barriers a step */
extern "C" __global__ void
prefix_sum(const unsigned *in, unsigned *out)
{
	SHARED(unsigned, s);
	unsigned	t = threadIdx.x;

	s[t] = in[blockIdx.x * blockDim.x + t];
	__syncthreads();
	for (unsigned d = 1; d < blockDim.x; d *= 2)
	{
		unsigned	v = t >= d ? s[t - d] : 0;

		__syncthreads();
		s[t] += v;
		__syncthreads();
	}
	out[blockIdx.x * blockDim.x + t] = s[t];
}
KERNEL(prefix_sum)

/* ------------------------------------------------------------------------
 * Operations of warps and blocks
 * ------------------------------------------------------------------------
 */
#define WARP_RESULTS 24

/* every operation, with the whole mask; warps may be incomplete */
extern "C" __global__ void
warp_operations(unsigned long long *out)
{
	unsigned	t = blockIdx.x * blockDim.x + threadIdx.x;
	unsigned	lane = threadIdx.x % 32;
	unsigned	v = t * 2654435761u >> 7;
	int			all;

	out += (size_t) t * WARP_RESULTS;
	out[0] = __shfl_sync(FULL, v, 5);
	out[1] = __shfl_sync(FULL, v, (int) lane + 1, 8);
	out[2] = __shfl_up_sync(FULL, v, 3);
	out[3] = __shfl_up_sync(FULL, v, 3, 16);
	out[4] = __shfl_down_sync(FULL, v, 2, 4);
	out[5] = __shfl_xor_sync(FULL, v, 1);
	out[6] = __shfl_xor_sync(FULL, v, 12, 8);
	out[7] = (unsigned long long) __shfl_sync(FULL, (long long) v * v, 2);
	out[8] = (unsigned long long) __shfl_sync(FULL, (double) v, 1);
	out[9] = __ballot_sync(FULL, v & 4);
	out[10] = (unsigned) __any_sync(FULL, lane == 3);
	out[11] = (unsigned) __all_sync(FULL, lane != 3);
	out[12] = __match_any_sync(FULL, v % 3);
	out[13] = __match_all_sync(FULL, 7ull, &all) & (all ? FULL : 0);
	out[14] = __match_all_sync(FULL, lane, &all) | (unsigned) all;
	out[15] = __reduce_add_sync(FULL, v);
	out[16] = __reduce_min_sync(FULL, v);
	out[17] = __reduce_max_sync(FULL, v);
	out[18] = (unsigned) __reduce_min_sync(FULL, (int) v - 1000000);
	out[19] = (unsigned) __reduce_max_sync(FULL, -(int) v);
	out[20] = __reduce_and_sync(FULL, v | 0xF0F00000);
	out[21] = __reduce_or_sync(FULL, v);
	out[22] = __reduce_xor_sync(FULL, v);
	out[23] = __activemask() >> lane & 1;
}
KERNEL(warp_operations)

/* lanes that part, go their own ways through different operations, and meet again */
extern "C" __global__ void
divergent(unsigned *out)
{
	unsigned	lane = threadIdx.x % 32;
	unsigned	r;

	if (lane < 16)
	{
		r = lane;
		for (int i = 0; i < 3; i++)
			r = __shfl_xor_sync(0x0000FFFF, r, 1) + 1;
	}
	else
		r = __popc(__ballot_sync(0xFFFF0000, lane & 1));

	/* a part of those who then meet meets before */
	if (lane < 8)
		r += __reduce_add_sync(0x000000FF, 1u);
	__syncwarp(0x0000FFFF | 0xFFFF0000);
	out[blockIdx.x * blockDim.x + threadIdx.x] = r + __shfl_sync(FULL, r, 31);
}
KERNEL(divergent)

/* votes of a block; some threads leave before */
extern "C" __global__ void
block_votes(unsigned *out, unsigned leave)
{
	unsigned	t = threadIdx.x;

	if (t % leave == leave - 1)
		return;
	out += (size_t) (blockIdx.x * blockDim.x + t) * 3;
	out[0] = (unsigned) __syncthreads_count(t & 1);
	out[1] = (unsigned) __syncthreads_and(t < 1000);
	__syncthreads();
	out[2] = (unsigned) __syncthreads_or(t == 2);
}
KERNEL(block_votes)

/* a lane that left is not waited for */
extern "C" __global__ void
lanes_leave(unsigned *out)
{
	unsigned	lane = threadIdx.x % 32;
	unsigned	r = 0;

	for (unsigned i = 0; i <= lane; i++)
		r += __popc(__ballot_sync(FULL, 1));
	out[blockIdx.x * blockDim.x + threadIdx.x] = r;
}
KERNEL(lanes_leave)

extern "C" __global__ void
three_dimensions(unsigned *out)
{
	unsigned	block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
	unsigned	thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;

	out[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 1000 + thread;
}
KERNEL(three_dimensions)

/* ------------------------------------------------------------------------
 * Memory
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
atomic_operations(int *i, unsigned *u, unsigned long long *l, double *d)
{
	unsigned	t = blockIdx.x * blockDim.x + threadIdx.x;

	atomicAdd(&i[0], -1);
	atomicSub(&i[1], 2);
	atomicMin(&i[2], (int) t - 50);
	atomicMax(&i[3], (int) t - 50);
	atomicAdd(&u[0], 3u);
	atomicAnd(&u[1], ~(1u << t % 32));
	atomicOr(&u[2], 1u << t % 32);
	atomicXor(&u[3], t);
	atomicInc(&u[4], 9u);
	atomicAdd(&l[0], 1ull << 33);
	atomicMin(&l[1], 1000ull + t);
	atomicMax(&l[2], (unsigned long long) t << 32);
	atomicMin((long long *) &l[3], -(long long) t);
	atomicAdd(d, 0.5);
	for (unsigned long long old = l[4], seen; (seen = atomicCAS(&l[4], old, old + t)) != old;)
		old = seen;
	atomicAdd(&u[5], atomicExch(&u[6], t));
}
KERNEL(atomic_operations)

/* keys into a table with open addressing: each once, whoever comes first */
extern "C" __global__ void
hash_insert(const unsigned *keys, unsigned n, unsigned *table, unsigned mask, unsigned *distinct)
{
	unsigned	t = blockIdx.x * blockDim.x + threadIdx.x;

	if (t >= n)
		return;
	for (unsigned at = keys[t] * 2654435761u >> 8 & mask;; at = (at + 1) & mask)
	{
		unsigned	there = atomicCAS(&table[at], 0u, keys[t]);

		if (there == 0)
			atomicAdd(distinct, 1u);
		if (there == 0 || there == keys[t])
			return;
	}
}
KERNEL(hash_insert)

/* loads of 16 bytes, a structure and small types as arguments */
struct Scale
{
	char		shift;
	double		factor;
};

extern "C" __global__ void
vectors(const uint4 *in, ulonglong2 *out, Scale scale, char add, unsigned short n)
{
	unsigned	t = threadIdx.x;

	if (t < n)
	{
		uint4		v = __ldcs(&in[t]);
		int4		w = make_int4((int) v.x, (int) v.y, (int) v.z, (int) v.w);

		TOUCH_READ(&in[t], sizeof v);
		__stcs(&out[t], make_ulonglong2((v.x + (unsigned long long) w.y) << scale.shift,
										(unsigned long long) ((v.z + v.w) * scale.factor) + (unsigned char) add));
		TOUCH_WRITE(&out[t], sizeof(ulonglong2));
	}
}
KERNEL(vectors)

/* all of the shared memory that a block can have */
extern "C" __global__ void
reverse_shared(const unsigned *in, unsigned *out, unsigned n)
{
	SHARED(unsigned, s);

	for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
		s[n - 1 - i] = in[i];
	__syncthreads();
	for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
		out[i] = s[i];
}
KERNEL(reverse_shared)

/* a table of the kernels' own */
static __constant__ const int powers[] = {1, 10, 100, 1000};

extern "C" __global__ void
constants(int *out)
{
	out[threadIdx.x] = __ldg(&powers[threadIdx.x % 4]);
}
KERNEL(constants)

/* ------------------------------------------------------------------------
 * Threads that wait for each other in loops
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
spin(volatile unsigned *flags, unsigned *lock, unsigned *sum)
{
	unsigned	t = threadIdx.x;
	unsigned	last = blockDim.x - 1;

	/* each waits for the one after it */
	if (t != last)
		while (flags[t + 1] == 0)
			__nanosleep(20);
	flags[t] = 1;
	__threadfence();

	/* a lock, taken by atomics alone */
	while (atomicCAS(lock, 0u, 1u) != 0)
		;
	*sum += t;
	__threadfence();
	atomicExch(lock, 0u);
}
KERNEL(spin)

/* ------------------------------------------------------------------------
 * Arithmetic
 * ------------------------------------------------------------------------
 */
extern "C" __global__ void
bits(unsigned long long x, unsigned long long *out)
{
	unsigned	lo = (unsigned) x;

	out[0] = (unsigned) __popc(lo);
	out[1] = (unsigned) __popcll(x);
	out[2] = (unsigned) __ffs((int) lo);
	out[3] = (unsigned) __ffsll((long long) x);
	out[4] = (unsigned) __clz((int) lo);
	out[5] = (unsigned) __clzll((long long) x);
	out[6] = __brev(lo);
	out[7] = __brevll(x);
	out[8] = __umul64hi(x, ~x);
	out[9] = (unsigned long long) __mul64hi((long long) x, -3);
	out[10] = __byte_perm(lo, ~lo, 0x7531);
	out[11] = __funnelshift_l(lo, ~lo, 13);
	out[12] = __funnelshift_r(lo, ~lo, 13);
	out[13] = min(x, ~x);
	out[14] = (unsigned) max((int) lo, 0);
	out[15] = __float_as_uint(1.5f);
	out[16] = (unsigned long long) __double_as_longlong(-2.0);
}
KERNEL(bits)
