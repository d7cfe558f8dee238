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
