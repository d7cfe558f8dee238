/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  Groups that came home in parts, put together, and compared with the
 *	  reference.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DEVICE_MERGE_H
#define DEVICE_MERGE_H

#include "refgroups.h"

typedef struct MergedGroup
{
	EngineGroup group;
	uint32_t	seen;
} MergedGroup;

typedef struct Merged
{
	const Program *program;
	RefGroups  *index;			/* which keys are which group */
	MergedGroup *groups;
	uint32_t	room;
	Bytes		bytes;
} Merged;

static void
merged_init(Merged *merged, const Program *program)
{
	memset(merged, 0, sizeof *merged);
	merged->program = program;
	merged->index = refgroups_new(program);
}

static void
merged_free(Merged *merged)
{
	refgroups_free(merged->index);
	free(merged->groups);
	bytes_free(&merged->bytes);
}

/* Keys last longer than the part that they came with. */
static void
merged_set_keys(Merged *merged, EngineGroup *to, const EngineGroup *from)
{
	for (uint32_t k = 0; k < merged->program->nkeys; k++)
	{
		to->keys[k] = from->keys[k];
		if (!from->keys[k].null && from->keys[k].kind == VALUE_TEXT)
			to->keys[k].u.ptr = memcpy(bytes_new(&merged->bytes, from->keys[k].len), from->keys[k].u.ptr, from->keys[k].len);
	}
	to->first = from->first;
}

static void
merged_add_sum(EngineAggState *to, const EngineAggState *from)
{
	uint64_t	carry = 0;

	for (int i = 0; i < ENGINE_SUM_LIMBS; i++)
	{
		u128		s = (u128) to->sum[i] + from->sum[i] + carry;

		to->sum[i] = (uint64_t) s;
		carry = (uint64_t) (s >> 64);
	}
	if (to->dscale < from->dscale)
		to->dscale = from->dscale;
}

static void
merged_add_best(uint8_t kind, EngineAggState *to, const EngineAggState *from)
{
	RefValue	a = ref_from_program_value(&to->value),
				b = ref_from_program_value(&from->value);
	int			order;

	if (from->isnull)
		return;
	order = to->isnull ? 0 :
		a.kind == VALUE_NUMERIC ? numeric_compare(b.numeric, a.numeric) : (b.integer > a.integer) - (b.integer < a.integer);
	if (to->isnull || (order == 0 ? from->ordinal > to->ordinal : ref_agg_is(kind, "MIN") ? order < 0 : order > 0))
	{
		to->value = from->value;
		to->ordinal = from->ordinal;
		to->isnull = 0;
	}
}

static void
merged_add_bits(uint8_t kind, EngineAggState *to, const EngineAggState *from)
{
	if (from->isnull)
		return;
	if (to->isnull)
		to->value = from->value;
	else if (ref_agg_is(kind, "BITAND"))
		to->value.u.integer &= from->value.u.integer;
	else if (ref_agg_is(kind, "BITOR"))
		to->value.u.integer |= from->value.u.integer;
	else
		to->value.u.integer ^= from->value.u.integer;
	to->isnull = 0;
}

/* A part of a group */
static void
merged_add(Merged *merged, const EngineGroup *part)
{
	const Program *program = merged->program;
	RefValue	keys[PROGRAM_MAX_KEYS];
	uint32_t	before = merged->index->n;
	uint32_t	number;
	EngineGroup *group;

	for (uint32_t k = 0; k < program->nkeys; k++)
		keys[k] = ref_from_program_value(&part->keys[k]);
	number = refgroups_find(merged->index, keys);
	if (merged->room < merged->index->room)
	{
		merged->groups = realloc(merged->groups, merged->index->room * sizeof *merged->groups);
		merged->room = merged->index->room;
	}
	group = &merged->groups[number].group;
	if (merged->index->n != before)
	{
		memset(&merged->groups[number], 0, sizeof merged->groups[number]);
		group->group = number;
		group->keys = (ProgramValue *) bytes_new(&merged->bytes, (program->nkeys + 1) * sizeof(ProgramValue));
		group->aggs = (EngineAggState *) bytes_new(&merged->bytes, (program->naggs + 1) * sizeof(EngineAggState));
		memcpy(group->aggs, part->aggs, program->naggs * sizeof(EngineAggState));
		merged_set_keys(merged, group, part);
		return;
	}
	if (part->first < group->first)
		merged_set_keys(merged, group, part);
	for (uint32_t a = 0; a < program->naggs; a++)
	{
		uint8_t		kind = program_aggs(program)[a].kind;
		EngineAggState *to = &group->aggs[a];

		to->count += part->aggs[a].count;
		if (ref_agg_is(kind, "SUM"))
		{
			merged_add_sum(to, &part->aggs[a]);
			to->isnull = to->count == 0;
		}
		else if (ref_agg_is(kind, "BIT"))
			merged_add_bits(kind, to, &part->aggs[a]);
		else if (!ref_agg_is(kind, "COUNT"))
			merged_add_best(kind, to, &part->aggs[a]);
	}
}

static bool
merged_compare(Merged *merged, RefGroups *ref)
{
	if (merged->index->n != ref->n)
	{
		diag("%u groups, reference %u", merged->index->n, ref->n);
		return false;
	}
	for (uint32_t g = 0; g < merged->index->n; g++)
	{
		const EngineGroup *group = &merged->groups[g].group;
		RefValue	keys[PROGRAM_MAX_KEYS];
		uint32_t	number;

		for (uint32_t k = 0; k < merged->program->nkeys; k++)
			keys[k] = ref_from_program_value(&group->keys[k]);
		number = refgroups_find(ref, keys);
		if (number >= merged->index->n)
		{
			diag("group %u is not among the reference's", g);
			return false;
		}
		if (!ref_compare_group(ref, number, group))
			return false;
	}
	return true;
}

#endif							/* DEVICE_MERGE_H */
