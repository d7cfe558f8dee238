/*-------------------------------------------------------------------------
 *
 * regroup.c
 *	  Groups of groups.
 *
 * count(DISTINCT x) is the number of groups that x makes beside the grouping
 * keys; ROLLUP, CUBE and GROUPING SETS are coarser groupings of one fine one.
 * So the table is grouped once by all that matters, and the groups found are
 * grouped again, as often as there are sets.
 *
 *	   scan -> fine groups -> [files] -> groups of each set -> [files]
 *	                  |                   ^
 *	                  +-> keys and x -----+
 *
 * The states of a coarse group are the sums of the fine ones', which an engine
 * adds up (add_group).  For an aggregate with DISTINCT a group by keys and x counts
 * as one row with argument x: these are the fine groups, if there is nothing else
 * that they are finer by, and otherwise made of them first.  The groups of the
 * sets are kept by the CPU engine, which keeps the ordinal of a group's first row:
 * what is shown of a key is what PostgreSQL would show.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/regroup.h"
#include "exec/value.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

static void
init_table(GroupTable *table, ScanState *node, Relation rel, List *keys, List *aggrefs)
{
	table->offloaded = gpuscan_offload_compile_states(rel, keys, aggrefs);
	gpuscan_run_init(&table->run, node, rel, "cpu", table->offloaded);
	gpuscan_foreign_init(&table->foreign, table->offloaded->program);
	gpuscan_spill_init(&table->spill, &table->run, &table->foreign, NULL);
}

/* A map without states, of the keys given. */
static void
init_map(GroupMap *map, List *keys, int nstates, bool rows)
{
	ListCell   *lc;

	map->keys = palloc_array(int, list_length(keys) + 1);
	foreach(lc, keys)
		map->keys[foreach_current_index(lc)] = lfirst_int(lc);
	map->states = palloc_array(int, nstates + 1);
	for (int i = 0; i < nstates; i++)
		map->states[i] = STATE_OF_NOTHING;
	map->argument = -1;
	map->rows = rows;
}

/* What aggregates would be over rows of which each has an argument once. */
static List *
without_distinct(List *aggrefs)
{
	List	   *plain = NIL;
	ListCell   *lc;

	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = copyObject(lfirst_node(Aggref, lc));

		if (aggref->aggdistinct != NIL)
		{
			Expr	   *arg = linitial_node(TargetEntry, aggref->args)->expr;

			arg = gpuscan_offload_filtered_argument(arg, aggref->aggfilter);
			aggref->args = list_make1(makeTargetEntry(arg, 1, NULL, false));
			aggref->aggdistinct = NIL;
			aggref->aggfilter = NULL;
		}
		plain = lappend(plain, aggref);
	}
	return plain;
}

/* The groups by a set's keys (numbers) and key 'argument' of the fine ones. */
static void
init_distinct(DistinctGroups *distinct, RegroupSet *set, ScanState *node, Relation rel, List *numbers,
			  const FineGrouping *fine, int argument)
{
	List	   *all = list_append_unique_int(list_copy(numbers), argument);
	List	   *exprs = NIL;
	List	   *own = NIL;
	ListCell   *lc;

	foreach(lc, all)
		exprs = lappend(exprs, list_nth(fine->keys, lfirst_int(lc)));
	for (int i = 0; i < list_length(numbers); i++)
		own = lappend_int(own, i);
	init_table(&distinct->table, node, rel, exprs, NIL);
	init_map(&distinct->in, all, 0, true);
	init_map(&distinct->out, own, set->table.offloaded->program->naggs, false);
	foreach(lc, all)
		if (lfirst_int(lc) == argument)
			distinct->out.argument = foreach_current_index(lc);
}

static void
init_set(RegroupSet *set, ScanState *node, Relation rel, List *keys, List *aggrefs, List *numbers,
		 const FineGrouping *fine, const OffloadedProgram *inner)
{
	List	   *own_keys = NIL;
	List	   *plain = without_distinct(aggrefs);
	int			ndistinct = list_length(fine->distinct);
	ListCell   *lc;

	set->keys = palloc_array(int, list_length(numbers) + 1);
	foreach(lc, numbers)
	{
		set->keys[set->nkeys++] = lfirst_int(lc);
		own_keys = lappend(own_keys, list_nth(keys, lfirst_int(lc)));
	}
	init_table(&set->table, node, rel, own_keys, plain);
	init_map(&set->in, numbers, set->table.offloaded->program->naggs, true);
	set->finals = gpuscan_final_init(plain, set->table.offloaded);

	set->distinct = palloc0_array(DistinctGroups, ndistinct + 1);
	for (int i = 0; i < list_length(plain); i++)
	{
		int			state = set->table.offloaded->agg_state[i];
		int			argument = fine->distinct_keys[i];
		GroupMap   *map = &set->in;

		if (argument < 0)
		{
			map->states[state] = inner->agg_state[fine->numbers[i]];
			continue;
		}
		if (ndistinct > 1 || set->nkeys < list_length(keys))
		{
			int			n = 0;

			while (n < set->ndistinct && set->distinct[n].in.argument != argument)
				n++;
			if (n == set->ndistinct)
			{
				init_distinct(&set->distinct[set->ndistinct++], set, node, rel, numbers, fine, argument);
				set->distinct[n].in.argument = argument;
			}
			map = &set->distinct[n].out;
		}
		else
			map->argument = argument;
		map->states[state] = STATE_OF_ARGUMENT;
	}
}

void
gpuscan_regroup_init(Regroup *regroup, ScanState *node, Relation rel, List *keys, List *aggrefs,
					 List *sets, const FineGrouping *fine, const OffloadedProgram *inner)
{
	int			ntables = 0;

	if (sets == NIL)
	{
		List	   *all = NIL;

		for (int i = 0; i < list_length(keys); i++)
			all = lappend_int(all, i);
		sets = list_make1(all);
	}
	regroup->values = palloc0_array(ProgramValue, list_length(fine->keys) + 1);
	regroup->states = palloc0_array(EngineAggState, list_length(aggrefs) + 1);
	regroup->sets = palloc0_array(RegroupSet, list_length(sets));
	for (int i = 0; i < list_length(sets); i++)
		init_set(&regroup->sets[i], node, rel, keys, aggrefs, list_nth(sets, i), fine, inner);
	regroup->nsets = list_length(sets);

	/* they share what memory there is */
	for (int i = 0; i < regroup->nsets; i++)
		ntables += 1 + regroup->sets[i].ndistinct;
	for (int i = 0; i < regroup->nsets; i++)
	{
		RegroupSet *set = &regroup->sets[i];

		set->table.spill.limit /= ntables;
		for (int j = 0; j < set->ndistinct; j++)
			set->distinct[j].table.spill.limit /= ntables;
	}
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
			gpuscan_value_limbs(value->u.numeric.lo, value->u.numeric.hi, state->sum);
			break;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			gpuscan_value_limbs((uint64) value->u.integer, value->u.integer < 0 ? -1 : 0, state->sum);
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

/* A group becomes part of one of another table's. */
static void
add_group(Regroup *regroup, GroupTable *to, const GroupMap *map, const EngineGroup *from, const ForeignGroup *foreign)
{
	const Program *program = to->offloaded->program;
	const ProgramValue *argument = map->argument < 0 ? NULL : &from->keys[map->argument];
	EngineGroup group = {.first = from->first,.rows = map->rows ? from->rows : 0,
	.keys = regroup->values,.aggs = regroup->states};
	uint32		number;

	for (int i = 0; i < program->nkeys; i++)
		group.keys[i] = from->keys[map->keys[i]];
	for (int i = 0; i < program->naggs; i++)
		if (map->states[i] >= 0)
			group.aggs[i] = from->aggs[map->states[i]];
		else if (map->states[i] == STATE_OF_ARGUMENT)
			state_of_value(&group.aggs[i], program_aggs(program)[i].kind, argument, from->first);
		else
		{
			memset(&group.aggs[i], 0, sizeof(EngineAggState));
			group.aggs[i].isnull = 1;
		}
	number = to->run.engine->add_group(to->run.engine_run, &group);
	if (foreign == NULL)
		return;

	for (int i = 0; foreign->keys != NULL && i < program->nkeys; i++)
		if (foreign->keys[map->keys[i]].set)
			gpuscan_foreign_key(&to->foreign, number, i, &foreign->keys[map->keys[i]]);
	for (int i = 0; i < program->naggs; i++)
	{
		ProgramAggKind kind = program_aggs(program)[i].kind;

		if (map->states[i] == STATE_OF_ARGUMENT)
		{
			if (argument->foreign && !argument->null && gpuscan_agg_info[kind].arg == VALUE_NUMERIC)
				gpuscan_foreign_argument(&to->foreign, number, i, from->first,
										 foreign->keys[map->argument].datum);
		}
		else if (map->states[i] >= 0 && foreign->aggs != NULL && foreign->aggs[map->states[i]].count > 0)
			gpuscan_foreign_add(&to->foreign, number, i, &foreign->aggs[map->states[i]]);
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
	{
		gpuscan_run_open_groups(&regroup->sets[i].table.run);
		for (int j = 0; j < regroup->sets[i].ndistinct; j++)
			gpuscan_run_open_groups(&regroup->sets[i].distinct[j].table.run);
	}
	while (inner->engine->next_group(inner->engine_run, &cursor, &group))
	{
		const ForeignGroup *fg = gpuscan_foreign_group(foreign, group.group);
		bool		check = ++n % 1024 == 0;

		for (int i = 0; i < regroup->nsets; i++)
		{
			RegroupSet *set = &regroup->sets[i];

			add_group(regroup, &set->table, &set->in, &group, fg);
			if (check)
				gpuscan_spill_check(&set->table.spill);
			for (int j = 0; j < set->ndistinct; j++)
			{
				add_group(regroup, &set->distinct[j].table, &set->distinct[j].in, &group, fg);
				if (check)
					gpuscan_spill_check(&set->distinct[j].table.spill);
			}
		}
		if (!check)
			continue;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

static void
finish_table(GroupTable *table)
{
	gpuscan_run_open_groups(&table->run);
	table->spilled = gpuscan_spill_finish(&table->spill);
	if (table->spilled)
		gpuscan_spill_next(&table->spill);
	table->cursor = 0;
}

static bool
next_group(GroupTable *table, EngineGroup *group)
{
	while (!table->run.engine->next_group(table->run.engine_run, &table->cursor, group))
	{
		if (!table->spilled || !gpuscan_spill_next(&table->spill))
			return false;
		table->cursor = 0;
	}
	return true;
}

static void
reset_table(GroupTable *table)
{
	gpuscan_spill_reset(&table->spill);
	gpuscan_foreign_reset(&table->foreign);
	if (table->run.engine_run != NULL)
		table->run.engine->reset_groups(table->run.engine_run);
	table->spilled = false;
	table->cursor = 0;
}

/* Each of the distinct arguments of a set counts as a row of its group. */
static void
add_distinct(Regroup *regroup, RegroupSet *set, DistinctGroups *distinct)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "gpuscan regroup",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	EngineGroup group;
	uint64		n = 0;

	finish_table(&distinct->table);
	gpuscan_run_open_groups(&set->table.run);
	while (next_group(&distinct->table, &group))
	{
		MemoryContextSwitchTo(scratch);
		add_group(regroup, &set->table, &distinct->out, &group,
				  gpuscan_foreign_group(&distinct->table.foreign, group.group));
		MemoryContextSwitchTo(caller);
		if (++n % 1024 != 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		gpuscan_spill_check(&set->table.spill);
	}
	MemoryContextDelete(scratch);
	reset_table(&distinct->table);
}

void
gpuscan_regroup_finish(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		RegroupSet *set = &regroup->sets[i];

		for (int j = 0; j < set->ndistinct; j++)
			add_distinct(regroup, set, &set->distinct[j]);
		finish_table(&set->table);
	}
	regroup->current = 0;
}

bool
gpuscan_regroup_next(RegroupSet *set, EngineGroup *group)
{
	return next_group(&set->table, group);
}

bool
gpuscan_regroup_rewind(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		if (regroup->sets[i].table.spilled)
			return false;
		regroup->sets[i].table.cursor = 0;
	}
	regroup->current = 0;
	return true;
}

void
gpuscan_regroup_reset(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		reset_table(&regroup->sets[i].table);
		for (int j = 0; j < regroup->sets[i].ndistinct; j++)
			reset_table(&regroup->sets[i].distinct[j].table);
	}
	regroup->current = 0;
}

static void
end_table(GroupTable *table)
{
	gpuscan_spill_reset(&table->spill);
	gpuscan_run_end(&table->run);
}

void
gpuscan_regroup_end(Regroup *regroup)
{
	for (int i = 0; i < regroup->nsets; i++)
	{
		end_table(&regroup->sets[i].table);
		for (int j = 0; j < regroup->sets[i].ndistinct; j++)
			end_table(&regroup->sets[i].distinct[j].table);
	}
}
