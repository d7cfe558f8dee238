/*-------------------------------------------------------------------------
 *
 * memory.cc
 *	  Memory of a device, and of a block.
 *
 * Every allocation has pages of its own, its end at pages that cannot be
 * touched, as far as the alignment of its begin permits; what lies between
 * the end and those pages, and between the first page's begin and the start,
 * must keep the poison that it had (double_memory_overrun; AddressSanitizer
 * knows of it too, and is exact).
 *
 * All of it lies in one large range of addresses, so that what is not a
 * device's memory can be told by a comparison (cuda_double_access).  Addresses
 * are used again only when all were, so a use after the free is a fault.
 *
 * Memory is poisoned when it is allocated.  A device may have a lot of it, of
 * which a test uses little: so it is mapped, copy on write, from a file in
 * memory that is full of poison.
 *
 *-------------------------------------------------------------------------
 */
#include <map>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counters.h"
#include "fibers.h"
#include "memory.h"
#include "settings.h"

#define POISON_FILE			((size_t) 4 << 20)

/* On both sides of an allocation: it costs addresses only. */
#define GUARD				((size_t) 1 << 20)

/* So much freed memory is remembered, for messages. */
#define FREED				64

/* If we cannot have the addresses that we ask for, less, down to this. */
#define ARENA_LEAST			((size_t) 1 << 30)

/* More than the 227 KiB of a block, and the fence. */
#define SHARED_MOST			((size_t) 256 << 10)
#define SHARED_FENCE		256		/* bytes before it that are looked at */

typedef std::map<char *, DoubleAllocation *> Allocations;

/* By start.  Never destroyed: memory is freed after our destructors, if at all. */
static Allocations &allocations = *new Allocations;

struct Freed
{
	char	   *map;
	size_t		map_bytes;
	size_t		bytes;
};

static Freed freed[FREED];
static unsigned nfreed;
static uint64_t used[16];		/* by device */

static size_t
page_size(void)
{
	static const size_t size = (size_t) sysconf(_SC_PAGESIZE);

	return size;
}

/* ------------------------------------------------------------------------
 * Mapping
 * ------------------------------------------------------------------------
 */
static int
poison_file(void)
{
	static int	file = -1;
	static unsigned char block[64 * 1024];

	if (file >= 0)
		return file;
	file = memfd_create("cuda-double-poison", MFD_CLOEXEC);
	if (file < 0)
		return -1;
	memset(block, DOUBLE_POISON_BYTE, sizeof block);
	for (size_t done = 0; done < POISON_FILE; done += sizeof block)
		if (write(file, block, sizeof block) != (ssize_t) sizeof block)
		{
			close(file);
			file = -1;
			break;
		}
	return file;
}

/* Put poisoned memory at [at, at + bytes), which is reserved. */
static bool
map_poison(char *at, size_t bytes)
{
	int			file = poison_file();

	if (file < 0)
		return false;
	for (size_t done = 0; done < bytes; done += POISON_FILE)
	{
		size_t		piece = bytes - done < POISON_FILE ? bytes - done : POISON_FILE;

		if (mmap(at + done, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0) ==
			MAP_FAILED)
			return false;
	}
	return true;
}

/* The memory goes, the addresses stay ours. */
static void
pages_release(char *at, size_t bytes)
{
	if (mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		double_say("cannot unmap device memory");
}

#ifndef DOUBLE_ASAN				/* which sees every write */
static bool
is_poison(const char *from, const char *to)
{
	static unsigned char poison[4096];

	if (poison[0] == 0)
		memset(poison, DOUBLE_POISON_BYTE, sizeof poison);
	while (from < to)
	{
		size_t		piece = (size_t) (to - from) < sizeof poison ? (size_t) (to - from) : sizeof poison;

		if (memcmp(from, poison, piece) != 0)
			return false;
		from += piece;
	}
	return true;
}
#endif

/* ------------------------------------------------------------------------
 * Addresses
 * ------------------------------------------------------------------------
 *
 * [guard][shared memory][guard][guard][allocation][guard][guard]...
 */
uintptr_t	cuda_double_arena;
size_t		cuda_double_arena_size;

static char *arena_cursor;		/* where the next allocation goes */
static bool arena_again;		/* there may be something already */
static char *shared_pages;

static bool
arena_reserve(void)
{
	size_t		size = double_settings.addresses;
	void	   *map = MAP_FAILED;

	if (cuda_double_arena_size > 0)
		return true;
	while (map == MAP_FAILED && size >= ARENA_LEAST)
	{
		map = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (map == MAP_FAILED)
			size /= 2;
	}
	if (map == MAP_FAILED)
		return false;
	shared_pages = (char *) map + GUARD;
	if (mprotect(shared_pages, SHARED_MOST, PROT_READ | PROT_WRITE) != 0)
		return false;
	arena_cursor = shared_pages + SHARED_MOST + GUARD;
	cuda_double_arena = (uintptr_t) map;
	cuda_double_arena_size = size;
	return true;
}

/* So many bytes of addresses that nobody has, or nullptr. */
static char *
arena_take(size_t bytes)
{
	char	   *end = (char *) cuda_double_arena + cuda_double_arena_size;
	char	   *at = arena_cursor;
	bool		from_begin = false;
	bool		free = false;

	while (!free)
	{
		if (bytes > (size_t) (end - at))
		{
			if (from_begin)
				return nullptr;
			from_begin = arena_again = true;
			at = shared_pages + SHARED_MOST + GUARD;
		}
		free = true;
		if (arena_again)
			for (Allocations::iterator i = allocations.begin(); i != allocations.end(); ++i)
			{
				char	   *other = i->second->map;

				if (other < at + bytes && at < other + i->second->map_bytes)
				{
					at = other + i->second->map_bytes;
					free = false;
				}
			}
	}
	arena_cursor = at + bytes;
	return at;
}

/* ------------------------------------------------------------------------
 * Allocations
 * ------------------------------------------------------------------------
 */
CUresult
double_memory_allocate(int device, size_t bytes, CUdeviceptr *pointer)
{
	size_t		page = page_size();
	DoubleAllocation *allocation;
	char	   *map;
	char	   *end;

	if (bytes > double_settings.memory || double_settings.memory - bytes < used[device] || !arena_reserve())
		return CUDA_ERROR_OUT_OF_MEMORY;
	allocation = new DoubleAllocation();
	allocation->device = device;
	allocation->bytes = bytes;
	allocation->page_bytes = (bytes + double_settings.align + page - 2) / page * page;
	allocation->map_bytes = allocation->page_bytes + 2 * GUARD;
	map = arena_take(allocation->map_bytes);
	if (map == nullptr)
	{
		delete allocation;
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	allocation->map = map;
	allocation->pages = map + GUARD;
	end = allocation->pages + allocation->page_bytes;
	allocation->start = (char *) ((uintptr_t) (end - bytes) & ~((uintptr_t) double_settings.align - 1));
	if (!map_poison(allocation->pages, allocation->page_bytes))
	{
		pages_release(map, allocation->map_bytes);
		delete allocation;
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	DOUBLE_POISON(allocation->map, allocation->map_bytes);
	DOUBLE_UNPOISON(allocation->start, bytes);

	allocations[allocation->start] = allocation;
	used[device] += bytes;
	double_counters.allocations++;
	double_counters.bytes_allocated += bytes;
	if (double_counters.bytes_allocated > double_counters.bytes_allocated_most)
		double_counters.bytes_allocated_most = double_counters.bytes_allocated;
	*pointer = (CUdeviceptr) (uintptr_t) allocation->start;
	return CUDA_SUCCESS;
}

static void
release(DoubleAllocation *allocation)
{
	freed[nfreed++ % FREED] = Freed{allocation->map, allocation->map_bytes, allocation->bytes};
	pages_release(allocation->map, allocation->map_bytes);
	DOUBLE_UNPOISON(allocation->map, allocation->map_bytes);
	used[allocation->device] -= allocation->bytes;
	double_counters.frees++;
	double_counters.bytes_allocated -= allocation->bytes;
	double_touch_forget(allocation);
	delete allocation;
}

CUresult
double_memory_free(int device, CUdeviceptr pointer)
{
	Allocations::iterator found = allocations.find((char *) (uintptr_t) pointer);

	if (found == allocations.end() || found->second->device != device)
		return CUDA_ERROR_INVALID_VALUE;
	release(found->second);
	allocations.erase(found);
	return CUDA_SUCCESS;
}

void
double_memory_free_all(int device)
{
	for (Allocations::iterator i = allocations.begin(); i != allocations.end();)
		if (i->second->device == device)
		{
			release(i->second);
			i = allocations.erase(i);
		}
		else
			++i;
}

uint64_t
double_memory_used(int device)
{
	return used[device];
}

DoubleAllocation *
double_memory_find(const void *start, size_t bytes)
{
	Allocations::iterator after = allocations.upper_bound((char *) start);
	DoubleAllocation *allocation;

	if (after == allocations.begin())
		return nullptr;
	allocation = (--after)->second;
	if ((size_t) ((const char *) start - allocation->start) > allocation->bytes ||
		bytes > allocation->bytes - (size_t) ((const char *) start - allocation->start))
		return nullptr;
	return allocation;
}

bool
double_memory_is_device(const void *start, size_t bytes)
{
	Allocations::iterator after = allocations.lower_bound((char *) start + bytes);
	const DoubleAllocation *allocation;

	if (after == allocations.begin())
		return false;
	allocation = (--after)->second;
	return (const char *) start < allocation->start + allocation->bytes;
}

void
double_memory_describe(const void *address, char *text, size_t size)
{
	const char *at = (const char *) address;

	if (at < (const char *) 4096)
	{
		snprintf(text, size, "a null pointer");
		return;
	}
	for (Allocations::iterator i = allocations.begin(); i != allocations.end(); ++i)
	{
		const DoubleAllocation *allocation = i->second;

		if (at < allocation->map || at >= allocation->map + allocation->map_bytes)
			continue;
		if (at < allocation->start)
			snprintf(text, size, "%zu bytes before an allocation of %zu", (size_t) (allocation->start - at),
					 allocation->bytes);
		else
			snprintf(text, size, "%zu bytes behind the end of an allocation of %zu",
					 (size_t) (at - allocation->start) - allocation->bytes, allocation->bytes);
		return;
	}
	for (const Freed &was : freed)
		if (at >= was.map && at < was.map + was.map_bytes)
		{
			snprintf(text, size, "in an allocation of %zu that was freed", was.bytes);
			return;
		}
	snprintf(text, size, "not in memory of the device");
}

bool
double_memory_overrun(char *text, size_t size)
{
#ifdef DOUBLE_ASAN
	(void) text;
	(void) size;
	return false;
#else
	bool		found = false;

	for (Allocations::iterator i = allocations.begin(); i != allocations.end(); ++i)
	{
		DoubleAllocation *allocation = i->second;
		char	   *end = allocation->start + allocation->bytes;
		char	   *pages_end = allocation->pages + allocation->page_bytes;

		if (!is_poison(allocation->pages, allocation->start))
		{
			snprintf(text, size, "something was written before an allocation of %zu", allocation->bytes);
			memset(allocation->pages, DOUBLE_POISON_BYTE, (size_t) (allocation->start - allocation->pages));
			found = true;
		}
		if (!is_poison(end, pages_end))
		{
			snprintf(text, size, "something was written behind the end of an allocation of %zu", allocation->bytes);
			memset(end, DOUBLE_POISON_BYTE, (size_t) (pages_end - end));
			found = true;
		}
	}
	return found;
#endif
}

/* ------------------------------------------------------------------------
 * Shared memory
 * ------------------------------------------------------------------------
 *
 * At the end of its pages, behind a fence of poison.
 */
static char *shared_start;
static size_t shared_bytes;

static char *
shared_fence(void)
{
	return shared_start - SHARED_FENCE;
}

bool
double_shared_size(size_t bytes)
{
	if (!arena_reserve())
		return false;
	shared_bytes = bytes;
	DOUBLE_UNPOISON(shared_pages, SHARED_MOST);
	shared_start = shared_pages + SHARED_MOST - (bytes + 15) / 16 * 16;
	memset(shared_fence(), DOUBLE_POISON_BYTE, (size_t) (shared_pages + SHARED_MOST - shared_fence()));
	DOUBLE_POISON(shared_pages, SHARED_MOST);
	DOUBLE_UNPOISON(shared_start, bytes);
	return true;
}

void
double_shared_poison(void)
{
	memset(shared_start, DOUBLE_POISON_BYTE, shared_bytes);
}

bool
double_shared_overrun(char *text, size_t size)
{
#ifndef DOUBLE_ASAN
	char	   *end = shared_start + shared_bytes;
	char	   *pages_end = shared_pages + SHARED_MOST;

	if (!is_poison(shared_fence(), shared_start))
	{
		snprintf(text, size, "something was written before the shared memory");
		memset(shared_fence(), DOUBLE_POISON_BYTE, SHARED_FENCE);
		return true;
	}
	if (!is_poison(end, pages_end))
	{
		snprintf(text, size, "something was written behind the %zu bytes of shared memory", shared_bytes);
		memset(end, DOUBLE_POISON_BYTE, (size_t) (pages_end - end));
		return true;
	}
#else
	(void) text;
	(void) size;
#endif
	return false;
}

bool
double_shared_has(const void *start, size_t bytes)
{
	return (const char *) start >= shared_start && (const char *) start + bytes <= shared_start + shared_bytes;
}

void *
cuda_double_shared(void)
{
	return shared_start;
}
