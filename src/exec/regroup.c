/*-------------------------------------------------------------------------
 *
 * regroup.c
 *	  Groups of groups.
 *
 * count(DISTINCT x) is the number of groups that x makes beside the grouping
 * keys; ROLLUP, CUBE and GROUPING SETS are coarser groupings of one fine one.
 * So the table is grouped once by all that matters, and the groups found are
 * grouped again, as often as there are sets.  (Not both at once: what is distinct
 * in each of the fine groups need not be so in a coarse one.)
 *
 *	   scan -> groups by keys and x -> [files] -> groups of each set -> [files]
 *
 * The states of a coarse group are the sums of the fine ones', which an engine
 * adds up (add_group).  For an aggregate with DISTINCT a fine group counts as one
 * row with argument x.  The groups of the sets are kept by the CPU engine, which
 * keeps the ordinal of a group's first row: what is shown of a key is what
 * PostgreSQL would show.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/regroup.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

static void
init_set(RegroupSet *set, ScanState *node, Relation rel, List *keys, List *aggrefs, List *numbers,
		 const OffloadedProgram *inner, const int *inner_aggs)
{
	List	   *own_keys = NIL;
	List	   *plain = NIL;
	ListCell   *lc;

	set->keys = palloc_array(int, list_length(numbers) + 1);
	foreach(lc, numbers)
	{
		set->keys[set->nkeys++] = lfirst_int(lc);
		own_keys = lappend(own_keys, list_nth(keys, lfirst_int(lc)));
	}
	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = copyObject(lfirst_node(Aggref, lc));

		aggref->aggdistinct = NIL;
		plain = lappend(plain, aggref);
	}
	set->offloaded = gpuscan_offload_compile_states(rel, own_keys, plain);
	gpuscan_run_init(&set->run, node, rel, "cpu", set->offloaded);
	gpuscan_foreign_init(&set->foreign, set->offloaded->program);
	gpuscan_spill_init(&set->spill, &set->run, &set->foreign);
	set->finals = gpuscan_final_init(plain, set->offloaded);

	set->sources = palloc_array(int, set->offloaded->program->naggs + 1);
	for (int i = 0; i < list_length(plain); i++)
		set->sources[set->offloaded->agg_state[i]] =
			inner_aggs[i] < 0 ? -1 : inner->agg_state[inner_aggs[i]];
	set->values = palloc0_array(ProgramValue, set->nkeys + 1);
	set->states = palloc0_array(EngineAggState, set->offloaded->program->naggs + 1);
}

void
gpuscan_regroup_init(Regroup *regroup, ScanState *node, Relation rel, List *keys, List *aggrefs,
					 List *sets, int distinct_key, const OffloadedProgram *inner, const int *inner_aggs)
{
	regroup->distinct_key = distinct_key;
	if (sets == NIL)
	{
		List	   *all = NIL;

		for (int i = 0; i < list_length(keys); i++)
			all = lappend_int(all, i);
		sets = list_make1(all);
	}
	regroup->sets = palloc0_array(RegroupSet, list_length(sets));
	for (int i = 0; i < list_length(sets); i++)
		init_set(&regroup->sets[i], node, rel, keys, aggrefs, list_nth(sets, i), inner, inner_aggs);
	regroup->nsets = list_length(sets);

	/* they share what memory there is */
	for (int i = 0; i < regroup->nsets; i++)
		regroup->sets[i].spill.limit /= regroup->nsets;
}

/* The state of an aggregate that has met one argument, value. */
static void
state_of_value(EngineAggState *state, ProgramAggKind kind, const ProgramValue *value, uint64 first)
{
	memset(state, 0, sizeof(*state));
	state->isnull = 1;
	if (value->null)
		return;
	/* a foreign one is counted here, and goes to the host's state otherwise */
	if (kind == AGG_COUNT || kind == AGG_COUNT_STAR)
	{
		state->count = 1;
		return;
	}
	if (value->foreign)
		return;
	state->count = 1;
	switch (kind)
	{
		case AGG_SUM_NUMERIC:
			state->scale = state->dscale = value->scale;
			state->sum[0] = value->u.numeric.lo;
			for (int i = 1; i < ENGINE_SUM_LIMBS; i++)
				state->sum[i] = i == 1 ? (uint64) value->u.numeric.hi : value->u.numeric.hi < 0 ? PG_UINT64_MAX : 0;
			break;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			state->sum[0] = (uint64) value->u.integer;
			for (int i = 1; i < ENGINE_SUM_LIMBS; i++)
				state->sum[i] = value->u.integer < 0 ? PG_UINT64_MAX : 0;
			break;
		case AGG_MOMENTS_INT32:
		case AGG_MOMENTS_INT64:
			{
				uint128		square = (uint128) ((int128) value->u.integer * value->u.integer);

				state->sum[0] = (uint64) value->u.integer;
				state->sum[1] = value->u.integer < 0 ? PG_UINT64_MAX : 0;
				state->sum[2] = (uint64) square;
				state->sum[3] = (uint64) (square >> 64);
			}
			break;
		default:
			state->isnull = 0;
			state->value = *value;
			state->scale = value->scale;
			state->ordinal = first;
			break;
	}
}

/* A fine group becomes part of one of the set's. */
static void
add_group(Regroup *regroup, RegroupSet *set, const EngineGroup *from, const ForeignGroup *foreign)
{
	const Program *program = set->offloaded->program;
	const ProgramValue *distinct = regroup->distinct_key < 0 ? NULL : &from->keys[regroup->distinct_key];
	EngineGroup group = {.first = from->first,.rows = from->rows,.keys = set->values,.aggs = set->states};
	uint32		number;

	for (int i = 0; i < set->nkeys; i++)
		set->values[i] = from->keys[set->keys[i]];
	for (int i = 0; i < program->naggs; i++)
		if (set->sources[i] >= 0)
			set->states[i] = from->aggs[set->sources[i]];
		else
			state_of_value(&set->states[i], program_aggs(program)[i].kind, distinct, from->first);
	number = set->run.engine->add_group(set->run.engine_run, &group);
	if (foreign == NULL)
		return;

	for (int i = 0; foreign->keys != NULL && i < set->nkeys; i++)
		if (foreign->keys[set->keys[i]].set)
			gpuscan_foreign_key(&set->foreign, number, i, &foreign->keys[set->keys[i]]);
	for (int i = 0; i < program->naggs; i++)
	{
		ProgramAggKind kind = program_aggs(program)[i].kind;

		if (set->sources[i] < 0)
		{
			if (distinct->foreign && !distinct->null && gpuscan_agg_info[kind].arg == VALUE_NUMERIC)
				gpuscan_foreign_argument(&set->foreign, number, i, from->first,
										 foreign->keys[regroup->distinct_key].datum);
		}
		else if (foreign->aggs != NULL && foreign->aggs[set->sources[i]].count > 0)
			gpuscan_foreign_add(&set->foreign, number, i, &foreign->aggs[set->sources[i]]);
	}
}

void
gpuscan_regroup_add(Regroup *regroup, ProgramRun *inner, const ForeignStates *foreign)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "gpuscan regroup",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	EngineGroup group;
	uint64		cursor = 0;
	uint64		n = 0;

	for (int i = 0; i < regroup->nsets; i++)
		gpuscan_run_open_groups(&regroup->sets[i].run);
	while (inner->engine->next_group(inner->engine_run, &cursor, &group))
	{
		const ForeignGroup *fg = gpuscan_foreign_group(foreign, group.group);

		for (int i = 0; i < regroup->nsets; i++)
			add_group(regroup, &regroup->sets[i], &group, fg);
		if (++n % 1024 != 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		for (int i = 0; i < regroup->nsets; i++)
			gpuscan_spill_check(&regroup->sets[i].spill);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

void
gpuscan_regroup_finish(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		RegroupSet *set = &regroup->sets[i];

		gpuscan_run_open_groups(&set->run);
		set->spilled = gpuscan_spill_finish(&set->spill);
		if (set->spilled)
			gpuscan_spill_next(&set->spill);
		set->cursor = 0;
	}
	regroup->current = 0;
}

bool
gpuscan_regroup_next(RegroupSet *set, EngineGroup *group)
{
	while (!set->run.engine->next_group(set->run.engine_run, &set->cursor, group))
	{
		if (!set->spilled || !gpuscan_spill_next(&set->spill))
			return false;
		set->cursor = 0;
	}
	return true;
}

bool
gpuscan_regroup_rewind(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		if (regroup->sets[i].spilled)
			return false;
		regroup->sets[i].cursor = 0;
	}
	regroup->current = 0;
	return true;
}

void
gpuscan_regroup_reset(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		RegroupSet *set = &regroup->sets[i];

		gpuscan_spill_reset(&set->spill);
		gpuscan_foreign_reset(&set->foreign);
		if (set->run.engine_run != NULL)
			set->run.engine->reset_groups(set->run.engine_run);
		set->spilled = false;
		set->cursor = 0;
	}
	regroup->current = 0;
}

void
gpuscan_regroup_end(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		gpuscan_spill_reset(&regroup->sets[i].spill);
		gpuscan_run_end(&regroup->sets[i].run);
	}
}
