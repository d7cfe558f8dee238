/*-------------------------------------------------------------------------
 *
 * warp.cc
 *	  Lanes of a warp meet in an operation.
 *
 * The lanes named by a mask wait for each other, but for those that exited.
 * Lanes of a warp may have parted and wait in several groups at a time, each
 * with its own mask.  Of one mask all must do the same operation.  Masks that
 * overlap are not wrong as such: lanes 0-15 may meet first and then all 32;
 * if the others never come, it is a deadlock, and its message shows the masks.
 *
 * The last one who arrives computes everybody's result: a lane that goes on
 * may be in its next operation before another one has looked at this one's.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "counters.h"
#include "launch.h"
#include "settings.h"

/* What a shuffle reads from a lane that does not take part: "undefined". */
#define DOUBLE_UNDEFINED	UINT64_C(0xCBCBCBCBCBCBCBCB)

const char *
double_warp_name(int kind)
{
	static const char *const names[CUDA_DOUBLE_WARP_KINDS] = {
		"__syncwarp", "__shfl_sync", "__shfl_up_sync", "__shfl_down_sync", "__shfl_xor_sync",
		"__ballot_sync", "__any_sync", "__all_sync", "__match_any_sync", "__match_all_sync",
		"__reduce_add_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_min_sync(int)",
		"__reduce_max_sync(int)", "__reduce_and_sync", "__reduce_or_sync", "__reduce_xor_sync",
	};

	return names[kind];
}

/* for each lane of a set */
#define EACH(lane, set) \
	for (unsigned left_ = (set), lane; left_ != 0 && (lane = (unsigned) __builtin_ctz(left_), true); \
		 left_ &= left_ - 1)

static uint64_t
reduce(const DoubleWarp *warp, unsigned lanes, cuda_double_warp_kind kind)
{
	unsigned	result = (unsigned) warp->value[__builtin_ctz(lanes)];

	EACH(lane, lanes & (lanes - 1))
	{
		unsigned	value = (unsigned) warp->value[lane];

		switch (kind)
		{
			case CUDA_DOUBLE_ADD:
				result += value;
				break;
			case CUDA_DOUBLE_MIN_UNSIGNED:
				result = value < result ? value : result;
				break;
			case CUDA_DOUBLE_MAX_UNSIGNED:
				result = value > result ? value : result;
				break;
			case CUDA_DOUBLE_MIN_INT:
				result = (int) value < (int) result ? value : result;
				break;
			case CUDA_DOUBLE_MAX_INT:
				result = (int) value > (int) result ? value : result;
				break;
			case CUDA_DOUBLE_AND:
				result &= value;
				break;
			case CUDA_DOUBLE_OR:
				result |= value;
				break;
			default:
				result ^= value;
				break;
		}
	}
	return result;
}

/* Lanes whose value is that of 'lane'. */
static unsigned
equal_to(const DoubleWarp *warp, unsigned lanes, unsigned lane)
{
	unsigned	equal = 0;

	EACH(other, lanes)
		equal |= (unsigned) (warp->value[other] == warp->value[lane]) << other;
	return equal;
}

/* All came: results. */
static void
compute(DoubleWarp *warp, const DoubleGroup *group)
{
	unsigned	lanes = group->arrived;
	uint64_t	result = 0;

	switch (group->kind)
	{
		case CUDA_DOUBLE_SYNCWARP:
			return;
		case CUDA_DOUBLE_SHFL:
		case CUDA_DOUBLE_SHFL_UP:
		case CUDA_DOUBLE_SHFL_DOWN:
		case CUDA_DOUBLE_SHFL_XOR:
			EACH(lane, lanes)
			{
				unsigned	from = warp->from[lane];

				warp->result[lane] = lanes >> from & 1 ? warp->value[from] : DOUBLE_UNDEFINED;
			}
			return;
		case CUDA_DOUBLE_MATCH_ANY:
			EACH(lane, lanes)
				warp->result[lane] = equal_to(warp, lanes, lane);
			return;
		case CUDA_DOUBLE_MATCH_ALL:
			if (equal_to(warp, lanes, (unsigned) __builtin_ctz(lanes)) == lanes)
				result = lanes;
			break;
		case CUDA_DOUBLE_BALLOT:
		case CUDA_DOUBLE_ANY:
		case CUDA_DOUBLE_ALL:
			EACH(lane, lanes)
				result |= warp->value[lane] << lane;
			if (group->kind == CUDA_DOUBLE_ANY)
				result = result != 0;
			else if (group->kind == CUDA_DOUBLE_ALL)
				result = result == lanes;
			break;
		default:
			result = reduce(warp, lanes, group->kind);
			break;
	}
	EACH(lane, lanes)
		warp->result[lane] = result;
}

/* If nobody of the group is missing, they can go on: who was it?  Else 0. */
static unsigned
group_open(unsigned number, DoubleGroup *group)
{
	DoubleWarp *warp = &double_block.warps[number];
	unsigned	lanes = group->arrived;

	if (lanes != (group->mask & ~warp->gone))
		return 0;
	compute(warp, group);
	double_counting->warp_operations++;
	*group = warp->groups[--warp->ngroups];
	double_ready(number, lanes);
	return lanes;
}

uint64_t
cuda_double_warp(cuda_double_warp_kind kind, unsigned mask, uint64_t value, unsigned from, cuda_double_site site)
{
	DoubleThread *self = double_thread();
	unsigned	number = self->number / CUDA_DOUBLE_WARP;
	DoubleWarp *warp = &double_block.warps[number];
	DoubleGroup *group = warp->groups;
	DoubleGroup *end = group + warp->ngroups;
	unsigned	bit = 1u << self->lane;
	unsigned	lanes;
	char		buffer[100];

	if ((mask & bit) == 0)
		double_fail(CUDA_ERROR_LAUNCH_FAILED, "%s(0x%08x) at %s: lane %u is not in the mask", double_warp_name(kind),
					mask, double_site(site, buffer, sizeof buffer), self->lane);
	while (group < end && group->mask != mask)
		group++;
	if (group == end)
	{
		*group = DoubleGroup{mask, 0, kind};
		warp->ngroups++;
	}
	else if (group->kind != kind)
		double_fail(CUDA_ERROR_LAUNCH_FAILED, "%s(0x%08x) at %s, where lanes 0x%08x of its warp wait in %s",
					double_warp_name(kind), mask, double_site(site, buffer, sizeof buffer), group->arrived,
					double_warp_name(group->kind));

	warp->value[self->lane] = value;
	warp->from[self->lane] = from;
	group->arrived |= bit;
	lanes = group_open(number, group);
	if (lanes != bit)
	{
		self->wait = DOUBLE_AT_WARP;
		self->kind = kind;
		self->mask = mask;
		self->site = site;
		if (lanes != 0)
			double_turn_of(lanes);
		else
		{
			double_not_ready(number, bit);
			double_turn();
		}
		self->wait = DOUBLE_RUNS;
	}
	return warp->result[self->lane];
}

void
double_warp_exit(unsigned number)
{
	DoubleWarp *warp = &double_block.warps[number];

	/* one that opens is replaced by the last one */
	for (unsigned i = 0; i < warp->ngroups;)
		if (group_open(number, &warp->groups[i]) == 0)
			i++;
}
