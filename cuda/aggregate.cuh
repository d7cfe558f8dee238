/*-------------------------------------------------------------------------
 *
 * aggregate.cuh
 *	  From rows that passed to groups.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_AGGREGATE_CUH
#define GPUSCAN_CUDA_AGGREGATE_CUH

#include "states.cuh"

/* A warp adds up in itself for at most so many groups, if they have so many rows in it. */
#define WARP_GROUPS		4u
#define WARP_SHARE		4

/* All threads: the block's own table, empty. */
DEVICE_FUNCTION void
local_clear(const Work &w)
{
	const uint64_t *empty = DEVICE_SECTION(w.plan, uint64_t, w.plan->empty);
	const uint32_t words = (uint32_t) DEVICE_LOCAL_SIZE(w.plan) / 8;

	for (uint32_t i = threadIdx.x; i < w.local_groups * words; i += blockDim.x)
		((uint64_t *) w.local)[i] = i % words == 0 ? PLACE_NONE : empty[i % words - 1];
}

/* All threads: what the block added up goes to the table. */
DEVICE_FUNCTION void
local_deliver(const Work &w, DeviceGroups *groups)
{
	const DevicePlan *plan = w.plan;
	const uint32_t items = 1u + plan->nkeys + plan->naggs;

	__syncthreads();
	for (uint32_t i = threadIdx.x; i < w.local_groups * items; i += blockDim.x)
	{
		const uint64_t *entry = local_entry(w, i / items);

		if (entry[0] != PLACE_NONE)
			deliver(plan, (const char *) (entry + 1) + plan->record_at,
					groups_place(plan, groups, entry[0]) + plan->record_at, i % items);
	}
	if (threadIdx.x == 0)
		atomicMax((ull *) &w.result->ngroups, (ull) read_now(&groups->ngroups));
}

/*
 * Where a row that passed is to be fed.  Returns its entry in the block's own
 * table or -1; without a target the row's status says why.
 */
DEVICE_FUNCTION int
find_group(const Work &w, Row &row, uint32_t slot, DeviceGroups *groups, Target *target)
{
	const DevicePlan *plan = w.plan;
	int			entry = 0;
	Key			key;

	if (!aggs_fit(w, row, slot))
	{
		row.status = DEVICE_ROW_PUNTED;
		return -1;
	}
	if (plan->nkeys == 0)
	{
		target->place = 0;
		if (read_now(local_entry(w, 0)) != 0)
		{
			atomic_raise(&groups->ngroups, 1);
			*(volatile uint64_t *) local_entry(w, 0) = 0;
		}
	}
	else
	{
		if (!key_begin(w, row, slot, &key))
		{
			row.status = DEVICE_ROW_PUNTED;
			return -1;
		}
		entry = w.local_groups ? local_find(w, row, slot, key) : -1;
		if (entry >= 0)
			target->place = read_now(local_entry(w, (uint32_t) entry));
		else
		{
			target->place = groups_find(w, row, slot, groups, key);
			if (target->place == PLACE_NONE)
			{
				row.status = DEVICE_ROW_LEFT;
				return -1;
			}
			if (w.local_groups)
				entry = local_enter(w, row, slot, key, target->place);
		}
	}
	row.status = DEVICE_ROW_PASSED;
	target->record = (entry >= 0 ? (char *) (local_entry(w, (uint32_t) entry) + 1) :
					  groups_place(plan, groups, target->place)) + plan->record_at;
	return entry;
}

/* Feed the rows that passed; whole warps come here. */
DEVICE_FUNCTION void
run_groups(const Work &w, Row (&rows)[ROWS], uint32_t base, const Feed &f)
{
	FOR_ROWS(rows)
	{
		Target		target = {NULL, PLACE_NONE};
		const int	entry = ROW.status == ROW_LIVE ? find_group(w, ROW, slot, f.groups, &target) : -1;
		const uint32_t number = base + slot;
		uint32_t	pending = __ballot_sync(WHOLE_WARP, entry >= 0);

		for (uint32_t n = 0; n < WARP_GROUPS && pending != 0; n++)
		{
			const int	leaders = __shfl_sync(WHOLE_WARP, entry, __ffs((int) pending) - 1);
			const uint32_t same = __ballot_sync(WHOLE_WARP, entry == leaders);
			const bool	mine = entry == leaders;
			Target		shared;

			if (__popc(same) < WARP_SHARE)
				break;
			shared.record = (char *) (local_entry(w, (uint32_t) leaders) + 1) + w.plan->record_at;
			shared.place = target.place;
			feed<true>(w, ROW, slot, number, f, shared, mine);
			if (mine)
				target.record = NULL;
			pending &= ~same;
		}
		if (target.record)
			feed<false>(w, ROW, slot, number, f, target, true);
	}
}

#endif							/* GPUSCAN_CUDA_AGGREGATE_CUH */
