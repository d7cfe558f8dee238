/*-------------------------------------------------------------------------
 *
 * plan_groups.c
 *	  What a group is on the device, before and after; and how much of shared
 *	  memory a plan wants.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cuda/plan.h"
#include "engine/cuda/plan_groups.h"
#include "engine/cuda/shared.h"
#include "program/floats.h"
#include "program/numeric.h"

/* Bytes of an aggregate's state in a group's record. */
uint32_t
gpuscan_device_state_size(uint8_t kind)
{
	switch (kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			return 0;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			return 16;
		case AGG_SUM_NUMERIC:
			return 24;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			return sizeof(DeviceNumericState);
		default:
			return 8;
	}
}

void
gpuscan_device_empty_group(const DevicePlan *plan, uint64_t *group)
{
	const DeviceKey *keys = DEVICE_SECTION(plan, DeviceKey, plan->keys);
	const DeviceAgg *aggs = DEVICE_SECTION(plan, DeviceAgg, plan->aggs);
	char	   *record = (char *) group + plan->record_at;

	memset(group, 0, plan->group_size);
	for (uint32_t i = 0; i < plan->nwords; i++)
		group[i] = DEVICE_KEY_EMPTY;
	*(uint64_t *) (record + 8) = UINT64_MAX;
	for (uint32_t k = 0; k < plan->nkeys; k++)
		if (keys[k].scale_at != 0)
			*(uint64_t *) (record + keys[k].scale_at) = UINT64_MAX;
	for (uint32_t a = 0; a < plan->naggs; a++)
	{
		int64_t    *state = (int64_t *) (record + aggs[a].state_at);

		if (aggs[a].kind == AGG_MIN_BOOL || aggs[a].kind == AGG_MIN_INT32 || aggs[a].kind == AGG_MIN_INT64)
			*state = INT64_MAX;
		else if (aggs[a].kind == AGG_MAX_BOOL || aggs[a].kind == AGG_MAX_INT32 || aggs[a].kind == AGG_MAX_INT64)
			*state = INT64_MIN;
		else if (aggs[a].kind == AGG_BITAND_INT32 || aggs[a].kind == AGG_BITAND_INT64)
			*state = -1;
	}
}

/* ------------------------------------------------------------------------
 * Launches
 * ------------------------------------------------------------------------
 */

#define TILE_BYTES		32768	/* pages in work at a time, if there is room */
#define LOCAL_GROUPS	64
#define LOCAL_BYTES		16384
#define SHARED_TARGET	75776	/* three blocks on a multiprocessor of 228 kB */

bool
gpuscan_device_launch(const DevicePlan *plan, uint32_t blcksz, uint32_t shared_limit, DeviceLaunch *launch)
{
	uint32_t	least = plan->grouped && plan->nkeys == 0 ? 1 : 0;
	uint32_t	limits[2] = {shared_limit < SHARED_TARGET ? shared_limit : SHARED_TARGET, shared_limit};

	for (int i = 0; i < 2; i++)
		for (launch->threads = DEVICE_THREADS; launch->threads >= 32; launch->threads /= 2)
		{
			launch->tile_pages = blcksz < TILE_BYTES ? TILE_BYTES / blcksz : 1;
			for (; launch->tile_pages > 0; launch->tile_pages /= 2)
			{
				launch->local_groups = plan->grouped && plan->nkeys > 0 ? LOCAL_GROUPS : least;
				while (launch->local_groups > 1 && launch->local_groups * DEVICE_LOCAL_SIZE(plan) > LOCAL_BYTES)
					launch->local_groups /= 2;
				for (;; launch->local_groups /= 2)
				{
					launch->shared = device_shared(plan, blcksz, *launch).size;
					if (launch->shared <= limits[i])
						return true;
					if (launch->local_groups <= 8)
						break;
				}
			}
			if (i == 0)
				break;			/* fewer threads are worth less than fewer blocks */
		}
	return false;
}

/* ------------------------------------------------------------------------
 * Groups, home again
 * ------------------------------------------------------------------------
 */

static void
key_out(const DeviceKey *key, const char *bytes, const char *record, bool null, ProgramValue *value)
{
	uint64_t	word = ((const uint64_t *) bytes)[key->word];

	memset(value, 0, sizeof *value);
	value->kind = gpuscan_type_info[key->type].kind;
	value->null = null;
	if (null)
		return;
	if (value->kind == VALUE_TEXT)
	{
		value->u.ptr = bytes + key->word * 8;
		value->len = (uint8_t) value->u.ptr[DEVICE_TEXT_KEY_MAX];
		if (value->len > DEVICE_TEXT_KEY_MAX)
			value->len = DEVICE_TEXT_KEY_MAX;	/* no kernel of ours wrote that */
	}
	else if (value->kind == VALUE_NUMERIC)
	{
		/* shown with the scale of the first row that had it */
		i128		mantissa = (int64_t) word >> 6;
		int			scale = (int) (word & 63);
		int			shown = (int) (*(const uint64_t *) (record + key->scale_at) & 63);

		if (shown >= scale && numeric_rescale(mantissa, scale, shown, &mantissa))
			scale = shown;
		value->u.numeric.lo = (uint64_t) mantissa;
		value->u.numeric.hi = (int64_t) (mantissa >> 64);
		value->scale = scale;
	}
	else if (value->kind == VALUE_FLOAT64)
		value->u.real = float64_from_key(word, (*(const uint64_t *) (record + key->scale_at) & 1) != 0);
	else
		value->u.integer = (int64_t) word;
}

static void
agg_out(const DeviceAgg *agg, const char *record, EngineAggState *out)
{
	const uint64_t *state = (const uint64_t *) (record + agg->state_at);
	const DeviceNumericState *numeric = (const DeviceNumericState *) state;

	memset(out, 0, sizeof *out);
	out->count = (int64_t) (*(const uint64_t *) record - *(const uint64_t *) (record + agg->missing_at));
	out->isnull = out->count == 0;
	switch (agg->kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			out->isnull = 0;
			break;
		case AGG_SUM_NUMERIC:
			out->scale = agg->scale;
			out->dscale = (int32_t) state[2];
			/* FALLTHROUGH */
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			out->sum[0] = state[0];
			out->sum[1] = state[1];
			for (int i = 2; i < ENGINE_SUM_LIMBS; i++)
				out->sum[i] = (int64_t) state[1] < 0 ? UINT64_MAX : 0;
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			out->value.kind = VALUE_NUMERIC;
			out->value.u.numeric.lo = numeric->lo;
			out->value.u.numeric.hi = (int64_t) numeric->hi;
			out->value.scale = (int32_t) numeric->scale;
			out->ordinal = numeric->ordinal;
			break;
		default:
			out->value.kind = gpuscan_agg_info[agg->kind].arg;
			out->value.u.integer = (int64_t) state[0];
			break;
	}
	out->value.null = out->isnull;
}

void
gpuscan_device_group(const DevicePlan *plan, const char *bytes, EngineGroup *group)
{
	const DeviceKey *keys = DEVICE_SECTION(plan, DeviceKey, plan->keys);
	const DeviceAgg *aggs = DEVICE_SECTION(plan, DeviceAgg, plan->aggs);
	const char *record = bytes + plan->record_at;
	uint64_t	head = *(const uint64_t *) bytes;

	group->rows = *(const int64_t *) record;
	group->first = *(const uint64_t *) (record + 8);
	for (uint32_t k = 0; k < plan->nkeys; k++)
		key_out(&keys[k], bytes, record, (head >> (k + 1) & 1) != 0, &group->keys[k]);
	for (uint32_t a = 0; a < plan->naggs; a++)
		agg_out(&aggs[a], record, &group->aggs[a]);
}
