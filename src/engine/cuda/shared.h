/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  How a block's shared memory is divided; the host sizes it, the kernels
 *	  find their way in it.
 *
 *	   data		the tile: pages as they are, and DEVICE_PAGE_SLACK
 *	   pages	DevicePage of each
 *	   lo		registers but booleans, by register and slot: value, mantissa's
 *				lower half, or text as length << 32 | offset in tile or plan
 *	   hi		numerics: mantissa's upper half
 *	   local	groups that the block keeps to itself: place in the table, and
 *				a group as there
 *	   where	positions of attributes, by attribute and slot
 *	   scale	numerics
 *
 * A slot is a row in work: threads times DEVICE_ROWS_PER_THREAD of them, and
 * only its own thread ever touches it.  Slots lie side by side, so that the
 * threads of a warp find theirs in different banks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_SHARED_H
#define GPUSCAN_CUDA_SHARED_H

#include "engine/cuda/device.h"
#include "program/portable.h"

#define DEVICE_THREADS			128 /* of a block, at most */
#define DEVICE_ROWS_PER_THREAD	2
#define DEVICE_BLOCKS			4	/* that a multiprocessor is to have registers for */

typedef struct DeviceShared
{
	uint32_t	slots;
	uint32_t	pages;			/* offsets; data is at 0 */
	uint32_t	lo;
	uint32_t	hi;
	uint32_t	local;
	uint32_t	where;
	uint32_t	scale;
	uint32_t	size;
} DeviceShared;

/* A group in shared memory: the place (all ones: none), then as in the table. */
#define DEVICE_LOCAL_SIZE(plan)	(sizeof(uint64_t) + (plan)->group_size)

BODY DeviceShared
device_shared(const DevicePlan *plan, uint32_t blcksz, DeviceLaunch launch)
{
	DeviceShared s;

	s.slots = launch.threads * DEVICE_ROWS_PER_THREAD;
	s.pages = launch.tile_pages * blcksz + DEVICE_PAGE_SLACK;
	s.lo = s.pages + launch.tile_pages * (uint32_t) sizeof(DevicePage);
	s.hi = s.lo + plan->nstored * s.slots * (uint32_t) sizeof(uint64_t);
	s.local = s.hi + plan->nwide * s.slots * (uint32_t) sizeof(uint64_t);
	s.where = s.local + launch.local_groups * (uint32_t) DEVICE_LOCAL_SIZE(plan);
	s.scale = s.where + plan->nattrs * s.slots * (uint32_t) sizeof(uint16_t);
	s.size = s.scale + plan->nwide * s.slots;
	return s;
}

#endif							/* GPUSCAN_CUDA_SHARED_H */
