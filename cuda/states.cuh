/*-------------------------------------------------------------------------
 *
 * states.cuh
 *	  A row's arguments into its group's states.
 *
 * A row enters its group as a whole or not at all: aggs_fit looks at all
 * arguments before anything is touched.
 *
 * A group is fed by atomics.  Where several rows of a warp are of one group
 * (always, without keys), what is added up is added in the warp first (WARP),
 * and one of its lanes goes to memory.  All is exact and the same in any order:
 * sums of 128 bits, least and greatest values, and where equal ones differ in
 * their scale, that of the later row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_STATES_CUH
#define GPUSCAN_CUDA_STATES_CUH

#include "groups.cuh"

/* Where a row's group is fed */
struct Target
{
	char	   *record;			/* in the table or in the block's own */
	uint64_t	place;			/* in the table */
};

/* No argument for this aggregate: it is NULL, or FILTER is not true. */
DEVICE_FUNCTION bool
agg_skips(const Work &w, const Row &row, const DeviceAgg &agg)
{
	return (agg.operand != DEVICE_NO_REG && is_null(w, row, agg.operand)) ||
		(agg.filter != DEVICE_NO_REG && truth(w, row, agg.filter) != 1);
}

/* A value at the sum's scale; false when it does not fit there. */
DEVICE_FUNCTION bool
sum_numeric(NumericValue value, int scale, i128 *out)
{
	if (value.scale > scale || !numeric_rescale(value.mantissa, value.scale, scale, out))
		return false;
	return *out >> DEVICE_SUM_BITS == 0 || *out >> DEVICE_SUM_BITS == -1;
}

DEVICE_FUNCTION bool
aggs_fit(const Work &w, const Row &row, uint32_t slot)
{
	const DeviceAgg *aggs = DEVICE_SECTION(w.plan, DeviceAgg, w.plan->aggs);
	const uint32_t naggs = w.plan->naggs;

	for (uint32_t a = 0; a < naggs; a++)
	{
		const DeviceAgg agg = aggs[a];
		i128		ignored;

		if (agg.kind == AGG_SUM_NUMERIC && !agg_skips(w, row, agg) &&
			!sum_numeric(Kind<VALUE_NUMERIC>::get(w, row, slot, agg.operand), agg.scale, &ignored))
			return false;
	}
	return true;
}

/*
 * The sum over the lanes, known to all of them, of numbers below 2^95: in
 * pieces of 24 bits, so that 32 of them stay within 32 bits.
 */
DEVICE_FUNCTION i128
warp_sum(i128 v, uint32_t pieces)
{
	i128		sum = 0;

	for (uint32_t i = 0; i < pieces; i++)
	{
		const uint32_t low = (uint32_t) (v >> 24 * i) & 0xFFFFFF;

		if (i + 1 < pieces)
			sum += (i128) __reduce_add_sync(WHOLE_WARP, low) << 24 * i;
		else
			sum += (i128) __reduce_add_sync(WHOLE_WARP, (int) (v >> 24 * i)) << 24 * i;
	}
	return sum;
}

/* Is the row's value better than another: smaller or larger, or as good and later? */
DEVICE_FUNCTION bool
numeric_beats(uint32_t kind, NumericValue value, uint64_t ordinal, uint64_t lo, uint64_t hi, uint32_t scale,
			  uint64_t other_ordinal)
{
	NumericValue other;
	int			order;

	other.mantissa = (i128) ((u128) hi << 64 | lo);
	other.scale = (int32_t) scale;
	order = numeric_compare(value, other);
	if (order == 0)
		return ordinal > other_ordinal;
	return kind == AGG_MIN_NUMERIC ? order < 0 : order > 0;
}

/*
 * MIN and MAX of numerics, which no atomic can hold: the row leaves its value
 * in the array of candidates, and tries to become the group's candidate
 * instead of one that it beats.
 */
SLOW_FUNCTION void
offer_candidate(const DevicePlan *plan, const DeviceGroups *groups, DeviceCandidate *candidates, uint32_t number,
				const DeviceAgg *agg, uint32_t index, uint64_t place, NumericValue value, uint64_t ordinal)
{
	DeviceCandidate *own = &candidates[(size_t) number * plan->candidates + index];
	DeviceNumericState *state = (DeviceNumericState *) (groups_place(plan, groups, place) + plan->record_at + agg->state_at);
	uint32_t	seen = *(volatile uint32_t *) &state->candidate;

	own->lo = (uint64_t) value.mantissa;
	own->hi = (uint64_t) (value.mantissa >> 64);
	own->ordinal = ordinal;
	own->scale = (uint32_t) value.scale;
	own->group = place;
	__threadfence();
	for (;;)
	{
		uint32_t	before = seen;

		if (seen != 0)
		{
			const volatile DeviceCandidate *best = &candidates[(size_t) (seen - 1) * plan->candidates + index];

			if (!numeric_beats(agg->kind, value, ordinal, best->lo, best->hi, best->scale, best->ordinal))
				return;
		}
		else if (state->set &&
				 !numeric_beats(agg->kind, value, ordinal, state->lo, state->hi, state->scale, state->ordinal))
			return;
		seen = atomicCAS(&state->candidate, before, number + 1);
		if (seen == before)
			return;
	}
}

struct Feed
{
	DeviceGroups *groups;
	DeviceCandidate *candidates;
};

/*
 * Feed a record with a row: the row's own lane calls it, or with WARP the whole
 * warp, where 'mine' says which lanes' rows are of this group.
 */
template <bool WARP_WIDE>
DEVICE_FUNCTION void
feed(const Work &w, const Row &row, uint32_t slot, uint32_t number, const Feed &f, Target target, bool mine)
{
	const DevicePlan *plan = w.plan;
	const DeviceKey *keys = DEVICE_SECTION(plan, DeviceKey, plan->keys);
	const DeviceAgg *aggs = DEVICE_SECTION(plan, DeviceAgg, plan->aggs);
	const uint32_t nkeys = plan->nkeys,
				naggs = plan->naggs;
	char	   *record = target.record;
	uint32_t	rows = 1,
				candidate = 0;
	bool		adds = mine;	/* this lane goes to memory with what is added up */

	if (WARP_WIDE)
	{
		const uint32_t all = __ballot_sync(WHOLE_WARP, mine);

		rows = (uint32_t) __popc(all);
		adds = threadIdx.x % WARP == (uint32_t) __ffs((int) all) - 1;
	}
	if (adds)
		atomic_add((uint64_t *) (record + RECORD_ROWS), rows);
	if (mine)
	{
		atomic_lower((uint64_t *) (record + RECORD_FIRST), row.ordinal);
		for (uint32_t k = 0; k < nkeys; k++)
			if (keys[k].scale_at != 0 && !is_null(w, row, keys[k].operand))
				atomic_lower((uint64_t *) (record + keys[k].scale_at),
							 row.ordinal << 6 | key_shown(w, row, slot, keys[k]));
	}
	for (uint32_t a = 0; a < naggs; a++)
	{
		const DeviceAgg agg = aggs[a];
		const bool	skips = mine && agg_skips(w, row, agg);
		const bool	gives = mine && !skips;
		uint64_t   *state = (uint64_t *) (record + agg.state_at);

		if (WARP_WIDE)
		{
			const uint32_t missing = __ballot_sync(WHOLE_WARP, skips);

			if (missing != 0 && adds)
				atomic_add((uint64_t *) (record + agg.missing_at), (uint64_t) __popc(missing));
		}
		else if (skips)
			atomic_add((uint64_t *) (record + agg.missing_at), 1);
		switch (agg.kind)
		{
			case AGG_SUM_INT32:
			case AGG_SUM_INT64:
			case AGG_SUM_NUMERIC:
				{
					i128		v = 0;

					if (gives && agg.kind == AGG_SUM_NUMERIC)
					{
						const NumericValue value = Kind<VALUE_NUMERIC>::get(w, row, slot, agg.operand);

						(void) sum_numeric(value, agg.scale, &v);
						atomic_raise(&state[2], (uint64_t) value.scale);
					}
					else if (gives)
						v = (int64_t) get_lo(w, slot, agg.operand);
					if (WARP_WIDE)
						v = warp_sum(v, agg.kind == AGG_SUM_INT32 ? 2 : agg.kind == AGG_SUM_INT64 ? 3 : 4);
					if (adds)
						atomic_add_wide(state, v);
				}
				break;
			case AGG_MIN_INT32:
			case AGG_MIN_INT64:
				if (gives)
					atomic_lower_signed((int64_t *) state, (int64_t) get_lo(w, slot, agg.operand));
				break;
			case AGG_MAX_INT32:
			case AGG_MAX_INT64:
				if (gives)
					atomic_raise_signed((int64_t *) state, (int64_t) get_lo(w, slot, agg.operand));
				break;
			case AGG_BITAND_INT32:
			case AGG_BITAND_INT64:
				if (gives)
					atomic_bitand(state, get_lo(w, slot, agg.operand));
				break;
			case AGG_BITOR_INT32:
			case AGG_BITOR_INT64:
				if (gives)
					atomic_bitor(state, get_lo(w, slot, agg.operand));
				break;
			case AGG_BITXOR_INT32:
			case AGG_BITXOR_INT64:
				if (gives)
					atomic_bitxor(state, get_lo(w, slot, agg.operand));
				break;
			case AGG_MIN_BOOL:
				if (gives)
					atomic_lower_signed((int64_t *) state, Kind<VALUE_BOOL>::get(w, row, slot, agg.operand));
				break;
			case AGG_MAX_BOOL:
				if (gives)
					atomic_raise_signed((int64_t *) state, Kind<VALUE_BOOL>::get(w, row, slot, agg.operand));
				break;
			case AGG_MIN_NUMERIC:
			case AGG_MAX_NUMERIC:
				if (gives)
					offer_candidate(plan, f.groups, f.candidates, number, &aggs[a], candidate, target.place,
									Kind<VALUE_NUMERIC>::get(w, row, slot, agg.operand), row.ordinal);
				candidate++;
				break;
			default:
				break;
		}
	}
}

/*
 * What a block added up goes to the table: item 0 of a group is its rows, then
 * come its keys' scales, then its aggregates.
 */
DEVICE_FUNCTION void
deliver(const DevicePlan *plan, const char *from, char *to, uint32_t item)
{
	const DeviceKey *keys = DEVICE_SECTION(plan, DeviceKey, plan->keys);
	const DeviceAgg *agg;
	const uint64_t *state;
	uint64_t   *sum;

	if (item == 0)
	{
		atomic_add((uint64_t *) (to + RECORD_ROWS), *(const uint64_t *) (from + RECORD_ROWS));
		atomic_lower((uint64_t *) (to + RECORD_FIRST), *(const uint64_t *) (from + RECORD_FIRST));
		return;
	}
	item--;
	if (item < plan->nkeys)
	{
		if (keys[item].scale_at != 0)
			atomic_lower((uint64_t *) (to + keys[item].scale_at), *(const uint64_t *) (from + keys[item].scale_at));
		return;
	}
	agg = DEVICE_SECTION(plan, DeviceAgg, plan->aggs) + (item - plan->nkeys);
	if (*(const uint64_t *) (from + agg->missing_at) != 0)
		atomic_add((uint64_t *) (to + agg->missing_at), *(const uint64_t *) (from + agg->missing_at));
	state = (const uint64_t *) (from + agg->state_at);
	sum = (uint64_t *) (to + agg->state_at);
	switch (agg->kind)
	{
		case AGG_SUM_NUMERIC:
			atomic_raise(&sum[2], state[2]);
			/* FALLTHROUGH */
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			atomic_add_wide(sum, (i128) ((u128) state[1] << 64 | state[0]));
			break;
		case AGG_MIN_BOOL:
		case AGG_MIN_INT32:
		case AGG_MIN_INT64:
			atomic_lower_signed((int64_t *) sum, (int64_t) state[0]);
			break;
		case AGG_MAX_BOOL:
		case AGG_MAX_INT32:
		case AGG_MAX_INT64:
			atomic_raise_signed((int64_t *) sum, (int64_t) state[0]);
			break;
		case AGG_BITAND_INT32:
		case AGG_BITAND_INT64:
			atomic_bitand(sum, state[0]);
			break;
		case AGG_BITOR_INT32:
		case AGG_BITOR_INT64:
			atomic_bitor(sum, state[0]);
			break;
		case AGG_BITXOR_INT32:
		case AGG_BITXOR_INT64:
			atomic_bitxor(sum, state[0]);
			break;
		default:				/* counts have no state; numerics are with the candidates */
			break;
	}
}

#endif							/* GPUSCAN_CUDA_STATES_CUH */
