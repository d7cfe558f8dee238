/*-------------------------------------------------------------------------
 *
 * agg.c
 *	  GpuAgg: scan, filter and grouping in one.
 *
 * The first call reads the whole table: the engine filters and groups batch
 * by batch, rows that it punts are evaluated here and enter the groups with
 * their batch, in the order of the table.  Then the groups are handed out as
 * virtual tuples of keys and aggregates, over which HAVING and the target
 * list were planned.
 *
 * A partial node hands out transition states for a Finalize Aggregate above.
 * There a group may come more than once, so when memory is full the groups are
 * handed out, and the scan goes on with none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/explain.h"
#include "exec/final.h"
#include "exec/foreign.h"
#include "exec/host.h"
#include "exec/host_agg.h"
#include "exec/parallel.h"
#include "exec/partial.h"
#include "exec/permissions.h"
#include "exec/regroup.h"
#include "exec/run.h"
#include "exec/spill.h"
#include "exec/value.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
#include "plan/plan_private.h"
#include "utils/rel.h"

/* Rows settled at a time when a whole batch is the host's: they stay in cache. */
#define HOST_CHUNK		256

typedef struct GpuAggState
{
	CustomScanState css;		/* these two as in RunNode */
	ProgramRun	run;
	Relation	rel;
	List	   *keys;			/* Expr each, over the table's Vars */
	List	   *aggrefs;
	List	   *sets;			/* IntList of keys each; NIL: one of all */
	List	   *groupings;		/* for each GROUPING() the keys it asks for */
	FineGrouping fine;			/* of the table at first */
	List	   *device_quals;
	List	   *host_quals;
	OffloadedProgram *offloaded;	/* of the table's groups */
	HostEval	host;
	ForeignStates foreign;
	HostAggs	host_aggs;
	Spill		spill;
	Regroup		regroup;		/* what comes out, when the table's groups are finer */
	ProgramType *key_types;
	int32	   *key_typmods;
	FinalAgg   *finals;			/* for each of aggrefs */
	bool		partial;		/* hands out transition states */
	PartialStates partials;
	EngineAggState *no_rows;	/* what the aggregates are of no rows */
	uint8	   *keep;			/* rows of a batch that pass the host quals */
	int			evaluating;		/* row of the batch that the host is at, or -1 */

	bool		filled;			/* the table was read */
	bool		spilled;		/* groups come from files */
	bool		more;			/* partial: the table was not read to its end */
	bool		flushed;		/* partial: groups were handed out before that */
	uint64		cursor;			/* of next_group */
} GpuAggState;

RUN_NODE(GpuAggState);

static Node *create_state(CustomScan *cscan);
static void begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec(CustomScanState *node);
static void end(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain(CustomScanState *node, List *ancestors, ExplainState *es);

const CustomScanMethods gpuscan_agg_plan_methods = {
	.CustomName = "GpuAgg",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "GpuAgg",
	.BeginCustomScan = begin,
	.ExecCustomScan = exec,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = gpuscan_parallel_estimate,
	.InitializeDSMCustomScan = gpuscan_parallel_initialize,
	.ReInitializeDSMCustomScan = gpuscan_parallel_reinitialize,
	.InitializeWorkerCustomScan = gpuscan_parallel_attach,
	.ShutdownCustomScan = gpuscan_parallel_shutdown,
	.ExplainCustomScan = explain
};

static Node *
create_state(CustomScan *cscan)
{
	GpuAggState *state = palloc0(sizeof(GpuAggState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

static void
compile(GpuAggState *state)
{
	state->offloaded = gpuscan_offload_compile(state->rel, state->device_quals, true,
											   state->fine.keys, state->fine.aggrefs);
}

/* Those of the aggregates that PostgreSQL computes. */
static List *
host_aggrefs(const GpuAggState *state)
{
	List	   *aggrefs = NIL;
	ListCell   *lc;

	foreach(lc, state->fine.aggrefs)
		if (state->offloaded->agg_state[foreach_current_index(lc)] < 0)
			aggrefs = lappend(aggrefs, lfirst(lc));
	return aggrefs;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	GpuAggState *state = (GpuAggState *) node;
	CustomScan *cscan = (CustomScan *) node->ss.ps.plan;
	int			nkeys = intVal(list_nth(cscan->custom_private, PlanPrivateNKeys));
	int			naggs = intVal(list_nth(cscan->custom_private, PlanPrivateNAggs));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, cscan->custom_scan_tlist)
	{
		Expr	   *expr = lfirst_node(TargetEntry, lc)->expr;

		if (n < nkeys)
			state->keys = lappend(state->keys, expr);
		else if (n < nkeys + naggs)
			state->aggrefs = lappend(state->aggrefs, expr);
		n++;
	}
	state->sets = list_nth(cscan->custom_private, PlanPrivateSets);
	state->groupings = list_nth(cscan->custom_private, PlanPrivateGroupings);
	gpuscan_plan_fine_grouping(state->keys, state->aggrefs,
							   boolVal(list_nth(cscan->custom_private, PlanPrivateHostDistinct)), &state->fine);
	state->partial = boolVal(list_nth(cscan->custom_private, PlanPrivatePartial));
	state->device_quals = gpuscan_plan_restore_vars(linitial_node(List, cscan->custom_exprs),
													cscan->custom_scan_tlist);
	state->host_quals = gpuscan_plan_restore_vars(lsecond_node(List, cscan->custom_exprs),
												  cscan->custom_scan_tlist);
	gpuscan_check_execute(list_concat_copy(state->device_quals, state->host_quals), NIL);
	gpuscan_check_execute(state->aggrefs, state->fine.keys);

	/*
	 * What comes out are groups: WHERE CURRENT OF must not take them for rows
	 * of the table (execCurrent.c search_plan_tree).
	 */
	state->rel = node->ss.ss_currentRelation;
	node->ss.ss_currentRelation = NULL;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	compile(state);
	gpuscan_run_init(&state->run, &node->ss, state->rel,
					 strVal(list_nth(cscan->custom_private, PlanPrivateEngine)),
					 state->offloaded);
	gpuscan_host_init(&state->host, &state->run, true, state->device_quals, state->host_quals);
	gpuscan_host_init_groups(&state->host, state->fine.keys, state->fine.aggrefs);
	gpuscan_host_agg_init(&state->host_aggs, host_aggrefs(state), &state->host, state->partial, eflags);
	/* rows must be looked at */
	if (state->host_quals != NIL || state->offloaded->supplied != NIL || state->host_aggs.n > 0)
		state->run.counts_only = false;
	gpuscan_foreign_init(&state->foreign, state->offloaded->program);
	if (state->fine.keys == NIL)
		state->host.direct = &state->foreign;
	gpuscan_spill_init(&state->spill, &state->run, &state->foreign, &state->host_aggs);
	gpuscan_partial_init(&state->partials);
	if (state->sets != NIL || state->fine.distinct != NIL)
		gpuscan_regroup_init(&state->regroup, &node->ss, state->rel, state->keys, state->aggrefs,
							 state->sets, &state->fine, state->offloaded);
	else
		state->finals = gpuscan_final_init(state->aggrefs, state->offloaded);
	state->key_types = palloc_array(ProgramType, nkeys + 1);
	state->key_typmods = palloc_array(int32, nkeys + 1);
	n = 0;
	foreach(lc, state->keys)
	{
		state->key_types[n] = gpuscan_type_of(exprType(lfirst(lc)));
		state->key_typmods[n++] = exprTypmod(lfirst(lc));
	}
	state->keep = palloc(BATCH_MAX_ROWS);
	state->no_rows = palloc0_array(EngineAggState, naggs + 1);
	for (n = 0; n < naggs; n++)
		state->no_rows[n].isnull = 1;
}

/* Give the settled rows to the groups, with the engine's own if it has any. */
static void
absorb(GpuAggState *state, const uint8 *keep)
{
	ProgramRun *run = &state->run;
	HostEval   *host = &state->host;

	state->evaluating = -1;
	run->engine->absorb(run->engine_run, keep, host->settled, host->nsettled);
	gpuscan_run_check_overflow(run);
	if (state->host_aggs.n > 0)
		gpuscan_host_agg_absorb(&state->host_aggs, host);
	gpuscan_run_absorbed(run);
	if (host->nforeign > 0)
	{
		/* transition functions leave detoasted arguments behind */
		MemoryContext old = MemoryContextSwitchTo(host->batch_context->ecxt_per_tuple_memory);

		gpuscan_foreign_absorb(&state->foreign, host);
		MemoryContextSwitchTo(old);
	}
	if (host->nsettled > 0 || host->nsupplied > 0)
		gpuscan_host_reset(host);
}

/* Evaluate a punted row, and settle it if it passes the filters. */
static void
settle_row(GpuAggState *state, uint32 row)
{
	HostEval   *host = &state->host;

	state->evaluating = row;
	gpuscan_host_load(host, row);
	if (host->device_quals != NIL && !gpuscan_host_passes_device(host))
		state->run.counters.removed_device++;
	else if (host->host_state != NULL && !gpuscan_host_passes_host(host))
		state->run.counters.removed_host++;
	else
		gpuscan_host_settle(host, row);
}

/* A batch that no engine has seen. */
static void
settle_batch(GpuAggState *state)
{
	uint32		nrows = state->run.batch->nrows;

	for (uint32 row = 0; row < nrows; row++)
	{
		settle_row(state, row);
		if (state->host.nsettled == HOST_CHUNK)
			absorb(state, NULL);
	}
	if (state->host.nsettled > 0)
		absorb(state, NULL);
}

/*
 * A batch that an engine lost and has run again: some of its rows are in the
 * groups already.  (There is no host filter: a device gets no such plan.)
 */
static void
finish_again(GpuAggState *state)
{
	const EngineResult *result = state->run.result;

	for (uint32 i = 0; i < result->nrows; i++)
		state->keep[i] = !result->done[result->rows[i]];
	for (uint32 i = 0; i < result->npunted; i++)
		if (!result->done[result->punted[i]])
			settle_row(state, result->punted[i]);
	absorb(state, state->keep);
}

/*
 * A row that an engine has finished, number i of those: host filter, and columns
 * that the engine wants.  True if the engine is to absorb it.
 */
static bool
finish_row(GpuAggState *state, uint32 i)
{
	HostEval   *host = &state->host;
	uint32		row = state->run.result->rows[i];

	state->evaluating = row;
	gpuscan_host_load(host, row);
	if (host->host_state != NULL && !gpuscan_host_passes_host(host))
	{
		state->run.counters.removed_host++;
		return false;
	}
	if (gpuscan_host_supply(host, i))
		return true;
	gpuscan_host_settle(host, row);
	return false;
}

/* The columns that the engine wants of the rows in 'keep'. */
static void
supply(GpuAggState *state)
{
	ProgramRun *run = &state->run;

	for (int n = 0; n < state->host.nsupplied; n++)
		run->engine->supply(run->engine_run, n, state->host.supplied[n].values, state->keep);
}

/* A batch that an engine has filtered: what is the host's in it, and punted rows, in row order. */
static void
finish_batch(GpuAggState *state)
{
	ProgramRun *run = &state->run;
	const EngineResult *result = run->result;
	bool		look = state->host.host_state != NULL || state->host.nsupplied > 0;
	uint32		punted = 0;

	if (result->done != NULL)
	{
		finish_again(state);
		return;
	}
	if (!result->again)
		run->counters.removed_device += run->batch->nrows - result->nrows - result->npunted;
	for (uint32 i = 0; look && i < result->nrows; i++)
	{
		while (punted < result->npunted && result->punted[punted] < result->rows[i])
			settle_row(state, result->punted[punted++]);
		state->keep[i] = finish_row(state, i);
	}
	while (punted < result->npunted)
		settle_row(state, result->punted[punted++]);
	supply(state);
	absorb(state, look ? state->keep : NULL);
}

static void
finish(GpuAggState *state)
{
	if (state->run.result == NULL)
		settle_batch(state);
	else
		finish_batch(state);
}

/*
 * The host was at a row when it failed: the rows of the batch before it enter the
 * groups after all.
 */
static void
absorb_rows_before(GpuAggState *state, int row)
{
	const EngineResult *result = state->run.result;

	for (uint32 i = 0; result != NULL && i < result->nrows; i++)
		state->keep[i] = result->rows[i] < row &&
			((state->host.host_state == NULL && state->host.nsupplied == 0) || state->keep[i]) &&
			(result->done == NULL || !result->done[result->rows[i]]);
	supply(state);
	absorb(state, state->keep);
}

/*
 * Where sums may overflow, or PostgreSQL's transition functions fail, PostgreSQL
 * might have raised that error for a row before the one that has just failed: the
 * rows of a batch enter the groups after the host has seen to all that it evaluates.
 */
static void
finish_guarded(GpuAggState *state)
{
	MemoryContext context = CurrentMemoryContext;

	state->evaluating = -1;
	PG_TRY();
	{
		finish(state);
	}
	PG_CATCH();
	{
		ErrorData  *error;
		const int	row = state->evaluating;

		if (row < 0)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		if (error->sqlerrcode != ERRCODE_QUERY_CANCELED)
			absorb_rows_before(state, row);
		ReThrowError(error);
	}
	PG_END_TRY();
}

static void
fill(GpuAggState *state)
{
	ProgramRun *run = &state->run;

	gpuscan_run_open(run);
	state->more = false;
	while (!state->more && gpuscan_run_next(run))
	{
		instr_time	start;
		instr_time	now;

		if (run->timing)
			INSTR_TIME_SET_CURRENT(start);
		if (state->spill.ordered || state->host_aggs.n > 0)
			finish_guarded(state);
		else
			finish(state);
		if (state->partial)
			state->more = gpuscan_spill_full(&state->spill);
		else
			gpuscan_spill_check(&state->spill);
		if (run->timing)
		{
			INSTR_TIME_SET_CURRENT(now);
			INSTR_TIME_ACCUM_DIFF(run->counters.host_time, now, start);
		}
	}
	ExecClearTuple(state->host.slot);
	gpuscan_host_agg_finish(&state->host_aggs);
	state->flushed |= state->more;
	state->spilled = gpuscan_spill_finish(&state->spill);
	if (state->spilled)
		gpuscan_spill_next(&state->spill);
	if (state->regroup.nsets > 0)
	{
		do
			gpuscan_regroup_add(&state->regroup, run, &state->foreign);
		while (state->spilled && gpuscan_spill_next(&state->spill));
		gpuscan_regroup_finish(&state->regroup);
	}
	state->filled = true;
	state->cursor = 0;
}

/* A group that comes out */
typedef struct OutputGroup
{
	EngineGroup group;
	bool		no_rows;
	const ForeignGroup *foreign;	/* or NULL */
	const RegroupSet *set;		/* or NULL: the table's groups come out */
	const FinalAgg *finals;
} OutputGroup;

/* Without GROUP BY, and of an empty grouping set, there is a group also of no rows. */
static void
group_of_no_rows(GpuAggState *state, OutputGroup *out)
{
	memset(&out->group, 0, sizeof(out->group));
	out->group.aggs = state->no_rows;
	out->no_rows = true;
}

static bool
next_of_table(GpuAggState *state, OutputGroup *out)
{
	ProgramRun *run = &state->run;

	out->no_rows = false;
	while (!run->engine->next_group(run->engine_run, &state->cursor, &out->group))
	{
		if (state->offloaded->program->nkeys == 0 && state->cursor == 0)
		{
			group_of_no_rows(state, out);
			state->cursor = 1;
			break;
		}
		if (state->more)
		{
			run->engine->reset_groups(run->engine_run);
			gpuscan_foreign_reset(&state->foreign);
			gpuscan_host_agg_reset(&state->host_aggs);
			fill(state);
			if (run->engine->ngroups(run->engine_run) == 0)
				return false;
		}
		else if (!state->spilled || !gpuscan_spill_next(&state->spill))
			return false;
		state->cursor = 0;
	}
	gpuscan_host_agg_group(&state->host_aggs, out->no_rows ? HOST_AGG_NO_ROWS : out->group.group);
	out->foreign = gpuscan_foreign_group(&state->foreign, out->group.group);
	out->set = NULL;
	out->finals = state->finals;
	return true;
}

static bool
next_of_sets(GpuAggState *state, OutputGroup *out)
{
	Regroup    *regroup = &state->regroup;

	for (; regroup->current < regroup->nsets; regroup->current++)
	{
		RegroupSet *set = &regroup->sets[regroup->current];

		out->set = set;
		out->finals = set->finals;
		if (gpuscan_regroup_next(set, &out->group))
		{
			out->foreign = gpuscan_foreign_group(&set->table.foreign, out->group.group);
			return true;
		}
		if (set->nkeys == 0 && set->table.cursor == 0)
		{
			group_of_no_rows(state, out);
			out->foreign = NULL;
			set->table.cursor = 1;
			return true;
		}
	}
	return false;
}

static void
store_keys(GpuAggState *state, TupleTableSlot *slot, const OutputGroup *out)
{
	int			nkeys = list_length(state->keys);
	int			n = out->set != NULL ? out->set->nkeys : nkeys;

	for (int i = 0; i < nkeys; i++)
	{
		slot->tts_values[i] = (Datum) 0;
		slot->tts_isnull[i] = true;
	}
	for (int i = 0; i < n; i++)
	{
		const ProgramValue *key = &out->group.keys[i];
		const ForeignKey *fk = out->foreign == NULL || out->foreign->keys == NULL ||
			!out->foreign->keys[i].set ? NULL : &out->foreign->keys[i];
		int			column = out->set != NULL ? out->set->keys[i] : i;

		if (key->null)
			continue;
		slot->tts_isnull[column] = false;
		if (fk != NULL && (key->foreign || fk->ordinal == out->group.first))
			slot->tts_values[column] = fk->datum;
		else if (key->foreign)
			elog(ERROR, "the host has lost a key of group %u", out->group.group);
		else
			slot->tts_values[column] = gpuscan_value_to_datum(state->key_types[column],
															  state->key_typmods[column], key);
	}
}

/* GROUPING(): a bit for each key asked for that is not in the set (execExprInterp.c). */
static int32
grouping_bits(List *keys, const RegroupSet *set)
{
	int32		bits = 0;
	ListCell   *lc;

	foreach(lc, keys)
	{
		bool		grouped = set == NULL;

		for (int i = 0; !grouped && i < set->nkeys; i++)
			grouped = set->keys[i] == lfirst_int(lc);
		bits = bits << 1 | !grouped;
	}
	return bits;
}

/* The next group as keys and aggregates in the scan slot. */
static bool
next_group(GpuAggState *state)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;
	OutputGroup out;
	MemoryContext old;
	int			column = list_length(state->keys);
	ListCell   *lc;

	ExecClearTuple(slot);
	if (!(state->regroup.nsets > 0 ? next_of_sets(state, &out) : next_of_table(state, &out)))
		return false;

	old = MemoryContextSwitchTo(state->css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	store_keys(state, slot, &out);
	for (int i = 0; i < list_length(state->aggrefs); i++, column++)
	{
		const FinalAgg *final = &out.finals[i];
		bool	   *isnull = &slot->tts_isnull[column];
		const EngineAggState *agg;

		if (final->host >= 0)
		{
			slot->tts_values[column] = gpuscan_host_agg_value(&state->host_aggs, final->host, isnull);
			continue;
		}
		agg = &out.group.aggs[final->state];
		slot->tts_values[column] = state->partial ?
			gpuscan_partial_value(&state->partials, final, agg, out.group.rows, out.foreign, isnull) :
			gpuscan_final_value(final, agg, out.foreign, isnull);
	}
	MemoryContextSwitchTo(old);
	foreach(lc, state->groupings)
	{
		slot->tts_values[column] = Int32GetDatum(grouping_bits(lfirst(lc), out.set));
		slot->tts_isnull[column++] = false;
	}

	/* columns that only setrefs.c needed */
	for (; column < slot->tts_tupleDescriptor->natts; column++)
	{
		slot->tts_values[column] = (Datum) 0;
		slot->tts_isnull[column] = true;
	}
	ExecStoreVirtualTuple(slot);
	return true;
}

static TupleTableSlot *
exec(CustomScanState *node)
{
	GpuAggState *state = (GpuAggState *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	if (!state->filled)
		fill(state);
	for (;;)
	{
		ResetExprContext(econtext);
		if (!next_group(state))
			return node->ss.ps.ps_ProjInfo == NULL ? node->ss.ss_ScanTupleSlot :
				ExecClearTuple(node->ss.ps.ps_ResultTupleSlot);
		econtext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
		if (ExecQual(node->ss.ps.qual, econtext))
			break;
		InstrCountFiltered1(node, 1);
		CHECK_FOR_INTERRUPTS();
	}
	if (node->ss.ps.ps_ProjInfo == NULL)
		return node->ss.ss_ScanTupleSlot;
	return ExecProject(node->ss.ps.ps_ProjInfo);
}

static void
rescan(CustomScanState *node)
{
	GpuAggState *state = (GpuAggState *) node;
	bool		params_changed = node->ss.ps.chgParam != NULL;

	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	state->cursor = 0;

	/*
	 * Nothing changed and the groups are all there: hand them out again.  In a
	 * parallel query other blocks may fall to this process the next time, and
	 * PostgreSQL's final functions may have changed their states.
	 */
	if (state->filled && !params_changed && state->host_aggs.n == 0 &&
		(state->regroup.nsets > 0 ? gpuscan_regroup_rewind(&state->regroup) :
		 !state->spilled && !state->flushed && !node->ss.ps.plan->parallel_aware))
		return;

	gpuscan_host_rescan(&state->host);
	gpuscan_spill_reset(&state->spill);
	gpuscan_foreign_reset(&state->foreign);
	gpuscan_host_agg_reset(&state->host_aggs);
	gpuscan_regroup_reset(&state->regroup);
	gpuscan_run_rescan(&state->run, params_changed);
	state->filled = state->spilled = state->more = state->flushed = false;
}

static void
end(CustomScanState *node)
{
	GpuAggState *state = (GpuAggState *) node;

	if (state->host.slot != NULL)
		ExecClearTuple(state->host.slot);
	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	if (state->spill.run != NULL)
		gpuscan_spill_reset(&state->spill);
	gpuscan_regroup_end(&state->regroup);
	gpuscan_host_agg_end(&state->host_aggs);
	gpuscan_run_end(&state->run);
}

/* As explain.c's show_hashagg_info. */
static void
explain_memory(const SpillCounters *counters, ExplainState *es)
{
	int64		memory = (counters->memory_peak + 1023) / 1024;
	int64		disk = (counters->disk + 1023) / 1024;

	if (es->format != EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyInteger("HashAgg Batches", NULL, counters->batches, es);
		ExplainPropertyInteger("Peak Memory Usage", "kB", memory, es);
		ExplainPropertyInteger("Disk Usage", "kB", disk, es);
		return;
	}
	if (counters->disk > 0)
		ExplainPropertyText("Batches",
							psprintf(INT64_FORMAT "  Memory Usage: " INT64_FORMAT "kB  Disk Usage: "
									 INT64_FORMAT "kB", counters->batches, memory, disk), es);
	else
		ExplainPropertyText("Batches",
							psprintf(INT64_FORMAT "  Memory Usage: " INT64_FORMAT "kB",
									 counters->batches, memory), es);
}

/* As explain.c's show_agg_keys and show_grouping_set_keys. */
static void
explain_keys(GpuAggState *state, List *ancestors, ExplainState *es)
{
	CustomScanState *node = &state->css;
	ListCell   *lc;

	if (state->sets == NIL)
		gpuscan_explain_exprs("Group Key", state->keys, false, node, ancestors, es);
	else
		ExplainOpenGroup("Grouping Sets", "Grouping Sets", false, es);
	foreach(lc, state->sets)
	{
		List	   *keys = NIL;
		ListCell   *lck;

		foreach(lck, lfirst(lc))
			keys = lappend(keys, list_nth(state->keys, lfirst_int(lck)));
		ExplainOpenGroup("Grouping Set", NULL, true, es);
		if (keys == NIL && es->format == EXPLAIN_FORMAT_TEXT)
			ExplainPropertyText("Group Key", "()", es);
		else
			gpuscan_explain_exprs("Group Key", keys, false, node, ancestors, es);
		ExplainCloseGroup("Grouping Set", NULL, true, es);
	}
	if (state->sets != NIL)
		ExplainCloseGroup("Grouping Sets", "Grouping Sets", false, es);
	gpuscan_explain_exprs("Distinct Key", state->fine.distinct, false, node, ancestors, es);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	GpuAggState *state = (GpuAggState *) node;

	if (state->offloaded == NULL)
		compile(state);
	if (state->partial)
		ExplainPropertyText("Aggregation", "partial", es);
	explain_keys(state, ancestors, es);
	gpuscan_explain_exprs("Device Filter", state->device_quals, true, node, ancestors, es);
	if (state->device_quals != NIL)
		gpuscan_explain_removed("Rows Removed by Device Filter", state->run.counters.removed_device, node, es);
	gpuscan_explain_exprs("Host Filter", state->host_quals, true, node, ancestors, es);
	if (state->host_quals != NIL)
		gpuscan_explain_removed("Rows Removed by Host Filter", state->run.counters.removed_host, node, es);
	gpuscan_explain_exprs("Host Columns", state->offloaded->supplied, false, node, ancestors, es);
	gpuscan_explain_exprs("Host Aggregates", host_aggrefs(state), false, node, ancestors, es);
	if (es->analyze && state->host_aggs.rows_sorted > 0)
		ExplainPropertyInteger("Rows Sorted for Host Aggregates", NULL, state->host_aggs.rows_sorted, es);
	gpuscan_explain_host_reasons(node, es);
	gpuscan_explain_engine(node, state->offloaded, ancestors, es);
	if (es->analyze)
	{
		gpuscan_explain_run(&state->run, es);
		if (state->keys != NIL)
			explain_memory(&state->spill.counters, es);
	}
}
