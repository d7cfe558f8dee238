/*-------------------------------------------------------------------------
 *
 * host.cc
 *	  Memory of the host that is registered with the driver.
 *
 * Nothing is pinned; but who registers twice, unregisters what is not, or
 * registers what is not there gets the driver's errors.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

#include "counters.h"
#include "memory.h"

typedef std::map<const char *, size_t> Ranges;

static Ranges &ranges = *new Ranges;

/* Is there memory at every page?  msync() says so, and does nothing else. */
static bool
is_mapped(const void *pointer, size_t bytes)
{
	uintptr_t	page = (uintptr_t) sysconf(_SC_PAGESIZE);
	uintptr_t	first = (uintptr_t) pointer & ~(page - 1);
	uintptr_t	end = ((uintptr_t) pointer + bytes + page - 1) & ~(page - 1);

	return msync((void *) first, end - first, MS_ASYNC) == 0 || errno != ENOMEM;
}

/* The last range that begins at or before this one's end, if they overlap. */
static Ranges::iterator
overlapping(const char *start, size_t bytes)
{
	Ranges::iterator after = ranges.lower_bound(start + bytes);

	if (after == ranges.begin())
		return ranges.end();
	--after;
	return after->first + after->second > start ? after : ranges.end();
}

CUresult
double_host_register(void *pointer, size_t bytes)
{
	if (pointer == nullptr || bytes == 0 || !is_mapped(pointer, bytes) || double_memory_is_device(pointer, bytes))
		return CUDA_ERROR_INVALID_VALUE;
	if (overlapping((const char *) pointer, bytes) != ranges.end())
		return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
	ranges[(const char *) pointer] = bytes;
	double_counters.host_registrations++;
	double_counters.host_bytes_registered += bytes;
	return CUDA_SUCCESS;
}

CUresult
double_host_unregister(void *pointer)
{
	Ranges::iterator found = ranges.find((const char *) pointer);

	if (found == ranges.end())
		return pointer == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
	double_counters.host_unregistrations++;
	double_counters.host_bytes_registered -= found->second;
	ranges.erase(found);
	return CUDA_SUCCESS;
}

bool
double_host_registered(const void *start, size_t bytes)
{
	Ranges::iterator found = bytes > 0 ? overlapping((const char *) start, bytes) : ranges.end();

	return found != ranges.end() && found->first <= (const char *) start &&
		(const char *) start + bytes <= found->first + found->second;
}
