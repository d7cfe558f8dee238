/*-------------------------------------------------------------------------
 *
 * kernels.cu
 *	  The kernels.  What each is given, and how it is started: device.h.
 *
 * Blocks take tiles of pages in turn.  No kernel waits for another block, takes
 * memory, or leaves a row half done.
 *
 *-------------------------------------------------------------------------
 */
#include "aggregate.cuh"
#include "eval.cuh"

/* Rows of a job, by tiles: 'number' is that of a row in the job. */
template <bool GROUPED>
DEVICE_FUNCTION void
run_job(Work &w, const DeviceLaunch &launch, const Feed &f, bool again)
{
	const uint32_t npages = w.job->npages;
	Tally		tally = {0, 0, 0};

	NO_UNROLL
	for (uint32_t from = blockIdx.x * launch.tile_pages; from < npages; from += gridDim.x * launch.tile_pages)
	{
		tile_load(w, from, npages - from < launch.tile_pages ? npages - from : launch.tile_pages);

		NO_UNROLL
		for (uint32_t base = 0; base < w.nrows; base += w.slots)
		{
			Row			rows[ROWS] = {};

			FOR_ROWS(rows)
			{
				const uint32_t i = base + slot;

				ROW.status = ROW_NONE;
				if (i >= w.nrows)
					continue;
				/* also of rows that were done before: this array may be another one */
				for (uint32_t c = 0; GROUPED && c < w.plan->candidates; c++)
					f.candidates[(size_t) (w.first + i) * w.plan->candidates + c].group = PLACE_NONE;
				if (!(GROUPED && again && w.status[w.first + i] != DEVICE_ROW_LEFT))
					row_begin(w, ROW, slot, i);
			}
			run_program(w, rows);
			if (GROUPED)
				run_groups(w, rows, w.first + base, f);
			FOR_ROWS(rows)
			{
				if (!GROUPED && ROW.status == ROW_LIVE)
					ROW.status = DEVICE_ROW_PASSED;
				row_end(w, ROW, w.first + base + slot, tally);
			}
		}
	}
	tally_end(w, tally);
}

extern "C" __global__ void
__launch_bounds__(DEVICE_THREADS, DEVICE_BLOCKS)
gpuscan_scan(const DevicePlan *plan, const DeviceJob *job, DeviceResult *result, uint8_t *status, DeviceLaunch launch)
{
	SHARED(char, smem);
	const Feed	none = {NULL, NULL};
	Work		w;

	work_begin(w, smem, plan, job, result, status, launch);
	run_job<false>(w, launch, none, false);
}

extern "C" __global__ void
__launch_bounds__(DEVICE_THREADS, DEVICE_BLOCKS)
gpuscan_aggregate(const DevicePlan *plan, const DeviceJob *job, DeviceResult *result, uint8_t *status,
				  DeviceGroups *groups, DeviceCandidate *candidates, uint32_t again, DeviceLaunch launch)
{
	SHARED(char, smem);
	const Feed	feed = {groups, candidates};
	Work		w;

	work_begin(w, smem, plan, job, result, status, launch);
	local_clear(w);				/* whoever comes next waits first: tile_load, local_deliver */
	run_job<true>(w, launch, feed, again != 0);
	local_deliver(w, groups);
}

/* The winners among the candidates become states; one thread a row, striding. */
extern "C" __global__ void
gpuscan_groups_commit(const DevicePlan *plan, DeviceGroups *groups, const DeviceJob *job, const DeviceCandidate *candidates)
{
	const DeviceAgg *aggs = DEVICE_SECTION(plan, DeviceAgg, plan->aggs);

	for (uint32_t row = blockIdx.x * blockDim.x + threadIdx.x; row < job->nrows; row += gridDim.x * blockDim.x)
	{
		const DeviceCandidate *own = &candidates[(size_t) row * plan->candidates];

		for (uint32_t a = 0; a < plan->naggs; a++)
		{
			DeviceNumericState *state;

			if (aggs[a].kind != AGG_MIN_NUMERIC && aggs[a].kind != AGG_MAX_NUMERIC)
				continue;
			if (own->group != PLACE_NONE)
			{
				state = (DeviceNumericState *) (groups_place(plan, groups, own->group) + plan->record_at + aggs[a].state_at);
				if (state->candidate == row + 1)
				{
					state->lo = own->lo;
					state->hi = own->hi;
					state->scale = own->scale;
					state->ordinal = own->ordinal;
					state->set = 1;
					state->candidate = 0;
				}
			}
			own++;
		}
	}
}

extern "C" __global__ void
gpuscan_groups_clear(const DevicePlan *plan, DeviceGroups *groups, uint64_t capacity, uint64_t limit)
{
	const uint64_t *empty = DEVICE_SECTION(plan, uint64_t, plan->empty);
	const uint32_t words = plan->group_size / 8;
	const uint64_t n = capacity * words;
	uint64_t   *out = (uint64_t *) (groups + 1);
	uint64_t	i = (uint64_t) blockIdx.x * blockDim.x + threadIdx.x;

	if (i == 0)
	{
		groups->capacity = capacity;
		groups->limit = limit;
		groups->ngroups = 0;
		groups->pad = 0;
	}
	for (; i < n; i += (uint64_t) gridDim.x * blockDim.x)
		out[i] = empty[i % words];
}

/* Is there a group at this place?  Asked between jobs. */
DEVICE_FUNCTION bool
group_is_there(const DevicePlan *plan, const DeviceGroups *groups, uint64_t place)
{
	const uint64_t *words = (const uint64_t *) groups_place(plan, groups, place);

	return plan->nwords ? words[0] != DEVICE_KEY_EMPTY : words[(plan->record_at + RECORD_ROWS) / 8] != 0;
}

/*
 * One block.  Each thread looks at a place, the groups found are numbered in
 * order of their places, and the warps copy theirs.
 */
extern "C" __global__ void
__launch_bounds__(DEVICE_GATHER_THREADS, 1)
gpuscan_groups_gather(const DevicePlan *plan, const DeviceGroups *groups, DeviceGather *gather)
{
	SHARED(uint32_t, counts);
	const uint32_t warp = threadIdx.x / WARP,
				lane = threadIdx.x % WARP,
				warps = blockDim.x / WARP;
	const uint32_t room = gather->room,
				words = plan->group_size / 8;
	uint64_t   *out = (uint64_t *) (gather + 1);
	const uint64_t capacity = groups->capacity;
	uint64_t	from = gather->cursor;
	uint32_t	n = 0;

	while (from < capacity && n < room)
	{
		const uint64_t place = from + threadIdx.x;
		const uint32_t found = __ballot_sync(WHOLE_WARP, place < capacity && group_is_there(plan, groups, place));
		uint32_t	before = 0,
					all = 0;

		__syncthreads();		/* the counts before are read */
		if (lane == 0)
			counts[warp] = (uint32_t) __popc(found);
		__syncthreads();
		for (uint32_t i = 0; i < warps; i++)
		{
			before += i < warp ? counts[i] : 0;
			all += counts[i];
		}
		for (uint32_t left = found; left != 0; left &= left - 1, before++)
		{
			const uint32_t bit = (uint32_t) __ffs((int) left) - 1;
			const uint64_t *src = (const uint64_t *) groups_place(plan, groups, from + warp * WARP + bit);

			if (n + before < room)
				for (uint32_t i = lane; i < words; i += WARP)
					out[(size_t) (n + before) * words + i] = src[i];
			else if (n + before == room && lane == 0)
				gather->cursor = from + warp * WARP + bit;	/* the next call begins here */
		}
		if (n + all > room)
		{
			if (threadIdx.x == 0)
				gather->ngroups = room;
			return;
		}
		n += all;
		from += blockDim.x;
	}
	if (threadIdx.x == 0)
	{
		gather->ngroups = n;
		gather->cursor = from < capacity ? from : capacity;
	}
}

/* ------------------------------------------------------------------------
 * Health and speed
 * ------------------------------------------------------------------------
 */

extern "C" __global__ void
gpuscan_probe(uint32_t *out)
{
	if (blockIdx.x == 0 && threadIdx.x == 0)
		*out = DEVICE_PLAN_MAGIC;
}

/* What memory gives: reads all bytes, a multiple of 16; their exclusive or goes to 'out'. */
extern "C" __global__ void
gpuscan_read_pages(const void *src, uint64_t bytes, uint64_t *out)
{
	const Chunk *chunks = (const Chunk *) src;
	uint64_t	x = 0;

	for (uint64_t i = (uint64_t) blockIdx.x * blockDim.x + threadIdx.x; i < bytes / sizeof(Chunk);
		 i += (uint64_t) gridDim.x * blockDim.x)
		x ^= chunks[i].lo ^ chunks[i].hi;
	atomicXor((ull *) out, (ull) x);
}

/* What the link gives: pages from n addresses of host memory, one after another to 'dst'. */
extern "C" __global__ void
gpuscan_gather_pages(const uint64_t *addresses, uint32_t n, uint32_t blcksz, char *dst)
{
	for (uint32_t page = blockIdx.x; page < n; page += gridDim.x)
	{
		const Chunk *from = (const Chunk *) (uintptr_t) addresses[page];
		Chunk	   *to = (Chunk *) (dst + (size_t) page * blcksz);

		for (uint32_t i = threadIdx.x; i < blcksz / (uint32_t) sizeof(Chunk); i += blockDim.x)
			to[i] = from[i];
	}
}

KERNEL(gpuscan_scan)
KERNEL(gpuscan_aggregate)
KERNEL(gpuscan_groups_commit)
KERNEL(gpuscan_groups_clear)
KERNEL(gpuscan_groups_gather)
KERNEL(gpuscan_probe)
KERNEL(gpuscan_read_pages)
KERNEL(gpuscan_gather_pages)
