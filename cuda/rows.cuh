/*-------------------------------------------------------------------------
 *
 * rows.cuh
 *	  From a job to rows in work: tiles of pages, and the rows dealt from them
 *	  to threads.
 *
 * A block copies a tile of pages into its shared memory, each byte once, and
 * deals the visible rows of all its pages to its threads, densely: a thread
 * has work whether a page has ten rows or two hundred.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_ROWS_CUH
#define GPUSCAN_CUDA_ROWS_CUH

#include "engine/cuda/shared.h"
#include "heap/decode.h"
#include "portable.cuh"

#define ROWS	DEVICE_ROWS_PER_THREAD

/* DeviceStatus while a row is in work */
#define ROW_LIVE	4			/* every filter so far was true */
#define ROW_NONE	5			/* there is none, or it is not to be touched */

/* What a block's threads all know. */
struct Work
{
	const DevicePlan *plan;
	const DeviceUniform *uniforms;
	const DeviceJob *job;
	DeviceResult *result;
	uint8_t    *status;
	char	   *tile;			/* the pages, in shared memory */
	DevicePage *pages;
	uint32_t	npages;			/* in the tile */
	uint32_t	first;			/* number of its first row in the job */
	uint32_t	nrows;			/* in the tile */
	uint32_t	slots;
	uint64_t   *lo;
	uint64_t   *hi;
	uint8_t    *scale;
	uint16_t   *where;
	char	   *local;
	uint32_t	local_groups;
};

/*
 * A row in work.  In registers: a thread's rows stand in an array that is
 * turned by one with every step (FOR_ROWS), so that the row in hand is always
 * element 0.
 */
struct Row
{
	uint64_t	null;			/* a bit for each register */
	uint64_t	truth;			/* values of boolean registers, likewise */
	uint64_t	ordinal;
	uint32_t	tuple;			/* offset in the tile */
	uint32_t	masks;			/* bit d: failures count below mask d */
	uint32_t	status;			/* DeviceStatus, ROW_LIVE or ROW_NONE */
};

/* What came out so far, of this thread's rows */
struct Tally
{
	uint32_t	passed;
	uint32_t	punted;
	uint32_t	left;
};

DEVICE_FUNCTION void
turn(Row (&rows)[ROWS])
{
	Row			first = rows[0];

	UNROLL
	for (int i = 0; i + 1 < ROWS; i++)
		rows[i] = rows[i + 1];
	rows[ROWS - 1] = first;
}

/* For each of a thread's rows: 'row' is the row, 'slot' its slot; continue works. */
#define FOR_ROWS(rows) \
	NO_UNROLL \
	for (uint32_t slot = threadIdx.x, slots_end = threadIdx.x + ROWS * blockDim.x; slot < slots_end; \
		 slot += blockDim.x, turn(rows))
#define ROW		(rows[0])

DEVICE_FUNCTION void
work_begin(Work &w, char *smem, const DevicePlan *plan, const DeviceJob *job, DeviceResult *result, uint8_t *status,
		   DeviceLaunch launch)
{
	DeviceShared s = device_shared(plan, job->blcksz, launch);

	w.plan = plan;
	w.uniforms = DEVICE_SECTION(plan, DeviceUniform, plan->uniforms);
	w.job = job;
	w.result = result;
	w.status = status;
	w.tile = smem;
	w.pages = (DevicePage *) (smem + s.pages);
	w.slots = s.slots;
	w.lo = (uint64_t *) (smem + s.lo);
	w.hi = (uint64_t *) (smem + s.hi);
	w.scale = (uint8_t *) (smem + s.scale);
	w.where = (uint16_t *) (smem + s.where);
	w.local = smem + s.local;
	w.local_groups = launch.local_groups;
}

/* Bring pages [from, from + npages) of the job into shared memory; all threads come here. */
DEVICE_FUNCTION void
tile_load(Work &w, uint32_t from, uint32_t npages)
{
	const DeviceJob *job = w.job;
	const uint32_t blcksz = job->blcksz;
	const Chunk *src = (const Chunk *) ((const char *) job + job->data + (size_t) from * blcksz);
	const uint64_t *pages = (const uint64_t *) (DEVICE_SECTION(job, DevicePage, job->pages) + from);
	const uint32_t nchunks = npages * blcksz / (uint32_t) sizeof(Chunk);
	const DevicePage *last = &w.pages[npages - 1];

	__syncthreads();			/* nobody needs the tile before any more */
	for (uint32_t i = threadIdx.x; i < nchunks; i += blockDim.x)
	{
		TOUCH_READ(&src[i], sizeof(Chunk));
		copy_begin(&((Chunk *) w.tile)[i], &src[i]);
	}
	for (uint32_t i = threadIdx.x; i < npages * (uint32_t) (sizeof(DevicePage) / sizeof(uint64_t)); i += blockDim.x)
		((uint64_t *) w.pages)[i] = pages[i];
	copy_end();
	__syncthreads();
	w.npages = npages;
	w.first = w.pages[0].first;
	w.nrows = last->first + last->nrows - w.first;
}

/* Find the tuple of row i of the tile, and where its attributes lie. */
DEVICE_FUNCTION void
row_begin(const Work &w, Row &row, uint32_t slot, uint32_t i)
{
	const DevicePlan *plan = w.plan;
	const DeviceJob *job = w.job;
	const uint32_t blcksz = job->blcksz;
	const DevicePage *page = w.pages;
	const uint32_t number = w.first + i;
	uint32_t	n,
				offnum,
				len;
	const char *data = w.tile;
	const uint8_t *tuple;

	while (number - page->first >= page->nrows)
	{
		page++;
		data += blcksz;
	}
	n = number - page->first;
	offnum = page->offnum == DEVICE_DENSE ? n + 1 :
		DEVICE_SECTION(job, uint16_t, job->offnums)[page->offnum + n];
	row.null = row.truth = 0;
	row.ordinal = page->ordinal + n;
	row.masks = 0;
	row.tuple = 0;
	row.status = ROW_LIVE;
	if (offnum == 0 || DECODE_PAGE_HEADER + 4 * offnum > blcksz ||
		!decode_item(data, blcksz, (uint16_t) offnum, &tuple, &len) ||
		!decode_walk(tuple, len, DEVICE_SECTION(plan, ProgramLayout, plan->layout),
					 DEVICE_SECTION(plan, ProgramAttr, plan->attrs), plan->nattrs, w.where + slot, w.slots))
	{
		row.status = DEVICE_ROW_FILTERED;
		atomicMin(&w.result->corrupt_row, number);
		return;
	}
	row.tuple = (uint32_t) ((const char *) tuple - w.tile);
}

/* Its status, for the host and for the count. */
DEVICE_FUNCTION void
row_end(const Work &w, const Row &row, uint32_t number, Tally &tally)
{
	if (row.status == ROW_NONE)
		return;
	w.status[number] = (uint8_t) row.status;
	tally.passed += row.status == DEVICE_ROW_PASSED;
	tally.punted += row.status == DEVICE_ROW_PUNTED;
	tally.left += row.status == DEVICE_ROW_LEFT;
}

/* The counts of a warp, added to the job's. */
DEVICE_FUNCTION void
tally_end(const Work &w, const Tally &tally)
{
	uint32_t	passed = __reduce_add_sync(WHOLE_WARP, tally.passed);
	uint32_t	punted = __reduce_add_sync(WHOLE_WARP, tally.punted);
	uint32_t	left = __reduce_add_sync(WHOLE_WARP, tally.left);

	if (threadIdx.x % WARP != 0)
		return;
	if (passed)
		atomicAdd(&w.result->npassed, passed);
	if (punted)
		atomicAdd(&w.result->npunted, punted);
	if (left)
		atomicAdd(&w.result->nleft, left);
}

#endif							/* GPUSCAN_CUDA_ROWS_CUH */
