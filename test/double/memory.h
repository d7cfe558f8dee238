/*-------------------------------------------------------------------------
 *
 * memory.h
 *	  Memory of a device, and memory of the host that is registered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_MEMORY_H
#define CUDA_DOUBLE_MEMORY_H

#include "driver_types.h"

#define DOUBLE_POISON_BYTE	0xCB

/* Which bytes a kernel has read or written: a bit each. */
struct DoubleTouched
{
	uint64_t   *bits;
	size_t		first;			/* words that may have bits set */
	size_t		end;
};

struct DoubleAllocation
{
	char	   *map;			/* with the guard pages around */
	size_t		map_bytes;
	char	   *pages;			/* what can be touched */
	size_t		page_bytes;
	char	   *start;			/* what was asked for */
	size_t		bytes;
	int			device;
	DoubleTouched read;
	DoubleTouched written;
};

/* Memory of a device, poisoned; 0, or an error. */
extern CUresult double_memory_allocate(int device, size_t bytes, CUdeviceptr *pointer);
extern CUresult double_memory_free(int device, CUdeviceptr pointer);

/* All of a device's; it is reset. */
extern void double_memory_free_all(int device);

/* Bytes that are in use. */
extern uint64_t double_memory_used(int device);

/* The allocation of any device that all of this range lies in, or nullptr. */
extern DoubleAllocation *double_memory_find(const void *start, size_t bytes);

/* Does any byte of this range belong to a device? */
extern bool double_memory_is_device(const void *start, size_t bytes);

/*
 * Words about an address that no allocation has: what it is next to.  Does
 * not allocate: for a signal's handler.
 */
extern void double_memory_describe(const void *address, char *text, size_t size);

/*
 * Was something written right before or behind an allocation, where no guard
 * page is?  Says so in 'text', and makes it good.
 */
extern bool double_memory_overrun(char *text, size_t size);

/* ------------------------------------------------------------------------
 * Shared memory of a block: one that all blocks use, one after another
 * ------------------------------------------------------------------------
 */

/* For a launch; false: no memory. */
extern bool double_shared_size(size_t bytes);

/* For a block. */
extern void double_shared_poison(void);

/* As double_memory_overrun. */
extern bool double_shared_overrun(char *text, size_t size);

extern bool double_shared_has(const void *start, size_t bytes);

/* ------------------------------------------------------------------------
 * Host memory (host.cc)
 * ------------------------------------------------------------------------
 */
extern CUresult double_host_register(void *pointer, size_t bytes);
extern CUresult double_host_unregister(void *pointer);
extern bool double_host_registered(const void *start, size_t bytes);

/* ------------------------------------------------------------------------
 * touch.cc
 * ------------------------------------------------------------------------
 */

/* A launch begins: nothing is touched yet. */
extern void double_touch_begin(void);

/* An allocation goes. */
extern void double_touch_forget(DoubleAllocation *allocation);

#endif							/* CUDA_DOUBLE_MEMORY_H */
