/*-------------------------------------------------------------------------
 *
 * touch.cc
 *	  Bytes that kernels say they read and write.
 *
 * Plain loads cannot be seen here, so a kernel declares its bulk accesses
 * (TOUCH_READ, TOUCH_WRITE).  A bit for each byte of an allocation remembers
 * what the launch has touched, so that a second time can be counted.
 *
 *-------------------------------------------------------------------------
 */
#include <sys/mman.h>

#include "counters.h"
#include "launch.h"
#include "memory.h"

/* Allocations with bits set, to be cleared by the next launch. */
#define TOUCHED 64

static DoubleAllocation *touched[TOUCHED];
static unsigned ntouched;
static DoubleAllocation *last;	/* that was touched */

static size_t
bitmap_bytes(const DoubleAllocation *allocation)
{
	return (allocation->bytes + 63) / 64 * sizeof(uint64_t);
}

static bool
has_bits(const DoubleTouched *map)
{
	return map->end > map->first;
}

static void
clear(DoubleTouched *map)
{
	for (size_t i = map->first; i < map->end; i++)
		map->bits[i] = 0;
	map->first = map->end = 0;
}

void
double_touch_begin(void)
{
	for (unsigned i = 0; i < ntouched; i++)
	{
		clear(&touched[i]->read);
		clear(&touched[i]->written);
	}
	ntouched = 0;
}

void
double_touch_forget(DoubleAllocation *allocation)
{
	DoubleTouched *maps[] = {&allocation->read, &allocation->written};

	for (DoubleTouched *map : maps)
		if (map->bits != nullptr)
			munmap(map->bits, bitmap_bytes(allocation));
	for (unsigned i = 0; i < ntouched; i++)
		if (touched[i] == allocation)
			touched[i--] = touched[--ntouched];
	if (last == allocation)
		last = nullptr;
}

/* Set the bits of [from, to); how many were set before? */
static size_t
set_bits(DoubleTouched *map, size_t from, size_t to)
{
	size_t		again = 0;
	size_t		first = from / 64;
	size_t		end = (to + 63) / 64;

	for (size_t i = first; i < end; i++)
	{
		uint64_t	mask = ~UINT64_C(0);

		if (i == from / 64)
			mask &= ~UINT64_C(0) << from % 64;
		if (i == to / 64)
			mask &= (UINT64_C(1) << to % 64) - 1;
		again += (size_t) __builtin_popcountll(map->bits[i] & mask);
		map->bits[i] |= mask;
	}
	if (!has_bits(map) || first < map->first)
		map->first = first;
	if (end > map->end)
		map->end = end;
	return again;
}

/* A launch touches this allocation for the first time. */
static void
remember(DoubleAllocation *allocation)
{
	if (ntouched == TOUCHED)
		double_fail(CUDA_ERROR_LAUNCH_FAILED, "a launch declares accesses to more than %d allocations", TOUCHED);
	touched[ntouched++] = allocation;
}

void
cuda_double_touch(const void *pointer, size_t bytes, bool write, cuda_double_site site)
{
	const char *start = (const char *) pointer;
	DoubleTouched *map;
	size_t		again;

	if (bytes == 0)
		return;
	if (last == nullptr || start < last->start || start + bytes > last->start + last->bytes)
	{
		DoubleAllocation *found = double_memory_find(pointer, bytes);

		if (found == nullptr)
		{
			char		where[100];
			char		what[200];

			if (double_shared_has(pointer, bytes))
				return;
			/* the first byte that is not in it, if it begins in one */
			for (size_t i = 0; i < bytes; i++)
				if (double_memory_find(start + i, 1) == nullptr)
				{
					double_memory_describe(start + i, what, sizeof what);
					break;
				}
			double_fail(CUDA_ERROR_ILLEGAL_ADDRESS, "%s of %zu bytes at %s: %s", write ? "write" : "read", bytes,
						double_site(site, where, sizeof where), what);
		}
		last = found;
	}

	map = write ? &last->written : &last->read;
	if (map->bits == nullptr)
	{
		void	   *bits = mmap(nullptr, bitmap_bytes(last), PROT_READ | PROT_WRITE,
								MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (bits == MAP_FAILED)
			double_fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "no memory to remember what is touched");
		map->bits = (uint64_t *) bits;
	}
	if (!has_bits(&last->read) && !has_bits(&last->written))
		remember(last);
	again = set_bits(map, (size_t) (start - last->start), (size_t) (start - last->start) + bytes);
	if (write)
	{
		double_counting->bytes_written += bytes;
		double_counting->bytes_written_again += again;
	}
	else
	{
		double_counting->bytes_read += bytes;
		double_counting->bytes_read_again += again;
	}
}
