/*-------------------------------------------------------------------------
 *
 * ceilings.cu
 *	  What a device can do at most, as bench/ceilings.c asks it: read memory,
 *	  and fetch scattered pages from the host.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>

/* Read n vectors of 16 bytes; four loads of a thread are in flight. */
extern "C" __global__ void __launch_bounds__(256)
ceiling_read(const uint4 *data, uint64_t n, uint32_t *out)
{
	uint64_t	step = (uint64_t) gridDim.x * blockDim.x;
	uint64_t	i = (uint64_t) blockIdx.x * blockDim.x + threadIdx.x;
	uint32_t	sum = 0;

	for (; i + 3 * step < n; i += 4 * step)
	{
		uint4		a = data[i];
		uint4		b = data[i + step];
		uint4		c = data[i + 2 * step];
		uint4		d = data[i + 3 * step];

		sum += (a.x ^ a.y ^ a.z ^ a.w) + (b.x ^ b.y ^ b.z ^ b.w) +
			(c.x ^ c.y ^ c.z ^ c.w) + (d.x ^ d.y ^ d.z ^ d.w);
	}
	for (; i < n; i += step)
	{
		uint4		a = data[i];

		sum += a.x ^ a.y ^ a.z ^ a.w;
	}
	/* keeps the loads; every thread would write the same word, seldom one does */
	if (sum == 0x9E3779B9)
		*out = sum;
}

/* A block a page: from the host's memory, wherever the pages lie, side by side. */
extern "C" __global__ void __launch_bounds__(256)
gpuscan_gather_pages(const uint64_t *addresses, uint32_t n, uint32_t blcksz, char *dst)
{
	for (uint32_t page = blockIdx.x; page < n; page += gridDim.x)
	{
		const uint4 *from = (const uint4 *) addresses[page];
		uint4	   *to = (uint4 *) (dst + (uint64_t) page * blcksz);

		for (uint32_t i = threadIdx.x; i < blcksz / sizeof(uint4); i += blockDim.x)
			to[i] = from[i];
	}
}
