/*-------------------------------------------------------------------------
 *
 * host_agg.c
 *	  Aggregates that PostgreSQL computes, over the groups that an engine finds.
 *
 * An engine filters and groups; for the aggregates that it does not know,
 * PostgreSQL's own transition functions are called for each row that is left,
 * with the state of the group that the engine has put it into.  They are called
 * by an Agg node of PostgreSQL's (nodeAgg.c) that stands in no plan: it looks up
 * functions, checks permissions, and has compiled the calls.  We choose whose
 * states they work on.
 *
 * States of arbitrary aggregates cannot all be written to files.  When memory
 * is full they stay, and the arguments of the rows that come then go through a
 * sort by the number of the group; they are added when the group comes out.
 * Aggregates with ORDER BY or DISTINCT, and ordered-set aggregates, have all of
 * their arguments there: the Agg node is run over those of one group after the
 * other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "exec/host_agg.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/offload.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* The node below the Agg: hands out the sorted arguments of the group that comes out. */
typedef struct InputState
{
	CustomScanState css;
	HostAggs   *aggs;
} InputState;

static Node *create_input(CustomScan *cscan);
static void begin_input(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *next_input(CustomScanState *node);
static void end_input(CustomScanState *node);
static void rescan_input(CustomScanState *node);

static const CustomScanMethods input_plan_methods = {
	.CustomName = "GpuAgg input",
	.CreateCustomScanState = create_input
};

static const CustomExecMethods input_methods = {
	.CustomName = "GpuAgg input",
	.BeginCustomScan = begin_input,
	.ExecCustomScan = next_input,
	.EndCustomScan = end_input,
	.ReScanCustomScan = rescan_input
};

static Node *
create_input(CustomScan *cscan)
{
	InputState *state = palloc0(sizeof(InputState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &input_methods;
	return (Node *) state;
}

static void
begin_input(CustomScanState *node, EState *estate, int eflags)
{
}

static void
end_input(CustomScanState *node)
{
}

static void
rescan_input(CustomScanState *node)
{
}

/* ------------------------------------------------------------------------
 * Making the Agg node
 * ------------------------------------------------------------------------
 */

/* The column of the input that is to hold an expression. */
static Expr *
input_column(List **columns, Expr *expr)
{
	ListCell   *lc;
	int			number = 0;

	foreach(lc, *columns)
		if (equal(lfirst(lc), expr))
			number = foreach_current_index(lc) + 1;
	if (number == 0)
	{
		*columns = lappend(*columns, expr);
		number = list_length(*columns);
	}
	return (Expr *) makeVar(OUTER_VAR, number, exprType((Node *) expr), exprTypmod((Node *) expr),
							exprCollation((Node *) expr), 0);
}

/*
 * An aggregate over columns of the input.  What has no column of the table in it
 * stays as it is: it is evaluated where nodeAgg.c would.
 */
static Aggref *
over_input(Aggref *aggref, int number, List **columns)
{
	Aggref	   *over = copyObject(aggref);
	ListCell   *lc;

	foreach(lc, over->args)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		/* not evaluated for a row that FILTER turns down */
		if (contain_var_clause((Node *) entry->expr))
			entry->expr = input_column(columns, gpuscan_offload_filtered_argument(entry->expr, aggref->aggfilter));
	}
	if (over->aggfilter != NULL && contain_var_clause((Node *) over->aggfilter))
		over->aggfilter = input_column(columns, over->aggfilter);
	over->aggno = over->aggtransno = number;
#if PG_VERSION_NUM >= 160000
	over->aggpresorted = false;
#endif
	return over;
}

/* A target list of columns of the same types as these. */
static List *
columns_like(List *exprs, bool nulls)
{
	List	   *tlist = NIL;
	ListCell   *lc;

	foreach(lc, exprs)
	{
		Node	   *expr = lfirst(lc);
		int			number = list_length(tlist) + 1;
		Expr	   *column = nulls ?
			(Expr *) makeNullConst(exprType(expr), exprTypmod(expr), exprCollation(expr)) :
			(Expr *) makeVar(INDEX_VAR, number, exprType(expr), exprTypmod(expr), exprCollation(expr), 0);

		tlist = lappend(tlist, makeTargetEntry(column, number, NULL, false));
	}
	return tlist;
}

static AggState *
make_agg(HostAggs *aggs, List *over, List *columns, EState *estate, bool partial, int eflags)
{
	CustomScan *input = makeNode(CustomScan);
	Agg		   *agg = makeNode(Agg);
	AggState   *state;
	ListCell   *lc;

	input->custom_scan_tlist = columns_like(columns, true);
	input->scan.plan.targetlist = columns_like(columns, false);
	input->methods = &input_plan_methods;
	agg->aggstrategy = AGG_PLAIN;
	agg->aggsplit = partial ? AGGSPLIT_INITIAL_SERIAL : AGGSPLIT_SIMPLE;
	agg->numGroups = 1;
	agg->plan.lefttree = (Plan *) input;
	foreach(lc, over)
		agg->plan.targetlist = lappend(agg->plan.targetlist,
									   makeTargetEntry(lfirst(lc), foreach_current_index(lc) + 1, NULL, false));
	state = castNode(AggState, ExecInitNode((Plan *) agg, estate,
											eflags & ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)));
	((InputState *) outerPlanState(state))->aggs = aggs;
	return state;
}

void
gpuscan_host_agg_init(HostAggs *aggs, List *aggrefs, HostEval *host, bool partial, int eflags)
{
	EState	   *estate = host->run->node->ps.state;
	List	   *over = NIL;
	List	   *columns = NIL;
	List	   *tlist = NIL;
	ListCell   *lc;

	aggs->n = list_length(aggrefs);
	if (aggs->n == 0)
		return;
	aggs->aggrefs = aggrefs;
	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);

		over = lappend(over, over_input(aggref, foreach_current_index(lc), &columns));
		aggs->ordered |= aggref->aggorder != NIL || aggref->aggdistinct != NIL || aggref->aggkind != AGGKIND_NORMAL;
	}
	aggs->narguments = list_length(columns);

	/* for the sort: the number of the group, and of the row */
	columns = lappend(columns, makeNullConst(INT4OID, -1, InvalidOid));
	columns = lappend(columns, makeNullConst(INT8OID, -1, InvalidOid));
	foreach(lc, columns)
		tlist = lappend(tlist, makeTargetEntry(lfirst(lc), foreach_current_index(lc) + 1, NULL, false));
	aggs->agg = make_agg(aggs, over, columns, estate, partial, eflags);
	aggs->arguments = ExecBuildProjectionInfo(tlist, host->row_context,
											  ExecAllocTableSlot(&estate->es_tupleTable, ExecTypeFromTL(tlist), &TTSOpsVirtual),
											  &host->parent->ps, RelationGetDescr(host->run->rel));
	aggs->sorted_row = ExecAllocTableSlot(&estate->es_tupleTable, ExecTypeFromTL(tlist), &TTSOpsMinimalTuple);
	aggs->input = ExecAllocTableSlot(&estate->es_tupleTable, ExecTypeFromTL(tlist), &TTSOpsVirtual);
	aggs->context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan host aggregates", ALLOCSET_DEFAULT_SIZES);
}

/* ------------------------------------------------------------------------
 * States
 * ------------------------------------------------------------------------
 */

/* As nodeAgg.c initialize_aggregate. */
static AggStatePerGroup
new_states(HostAggs *aggs)
{
	AggState   *agg = aggs->agg;
	AggStatePerGroup states = MemoryContextAlloc(aggs->context, agg->numtrans * sizeof(AggStatePerGroupData));

	for (int i = 0; i < agg->numtrans; i++)
	{
		AggStatePerTrans trans = &agg->pertrans[i];
		AggStatePerGroup state = &states[i];

		if (trans->initValueIsNull)
			state->transValue = trans->initValue;
		else
		{
			MemoryContext old = MemoryContextSwitchTo(agg->aggcontexts[0]->ecxt_per_tuple_memory);

			state->transValue = datumCopy(trans->initValue, trans->transtypeByVal, trans->transtypeLen);
			MemoryContextSwitchTo(old);
		}
		state->transValueIsNull = state->noTransValue = trans->initValueIsNull;
	}
	return states;
}

static AggStatePerGroup
states_of(HostAggs *aggs, uint32 group)
{
	if (unlikely(group >= aggs->room))
	{
		uint64		room = Max(aggs->room * 2, 64);

		while (room <= group)
			room *= 2;
		aggs->states = aggs->states == NULL ?
			MemoryContextAllocHuge(aggs->context, room * sizeof(AggStatePerGroup)) :
			repalloc_huge(aggs->states, room * sizeof(AggStatePerGroup));
		memset(aggs->states + aggs->room, 0, (room - aggs->room) * sizeof(AggStatePerGroup));
		aggs->room = room;
	}
	if (unlikely(aggs->states[group] == NULL))
		aggs->states[group] = new_states(aggs);
	return aggs->states[group];
}

/* Add a row's arguments to the states of its group. */
static void
advance(HostAggs *aggs, uint32 group, TupleTableSlot *input)
{
	AggState   *agg = aggs->agg;
	bool		isnull;

	agg->all_pergroups[0] = states_of(aggs, group);
	agg->tmpcontext->ecxt_outertuple = input;
	ExecEvalExprSwitchContext(agg->phase->evaltrans, agg->tmpcontext, &isnull);
	ResetExprContext(agg->tmpcontext);
}

static void
start_sort(HostAggs *aggs)
{
	AttrNumber	columns[2] = {aggs->narguments + 1, aggs->narguments + 2};
	Oid			operators[2] = {Int4LessOperator, Int8LessOperator};
	Oid			collations[2] = {InvalidOid, InvalidOid};
	bool		nulls_first[2] = {false, false};
	MemoryContext old = MemoryContextSwitchTo(aggs->context);

	aggs->sort = tuplesort_begin_heap(aggs->input->tts_tupleDescriptor, 2, columns, operators, collations, nulls_first,
									  work_mem, NULL, TUPLESORT_NONE);
	MemoryContextSwitchTo(old);
}

static void
add_row(HostAggs *aggs, HostEval *host, uint32 row, uint32 group)
{
	TupleTableSlot *input;

	gpuscan_host_load(host, row);
	ResetExprContext(host->row_context);
	input = ExecProject(aggs->arguments);
	if (aggs->sort == NULL)
	{
		advance(aggs, group, input);
		return;
	}
	input->tts_values[aggs->narguments] = Int32GetDatum((int32) group);
	input->tts_values[aggs->narguments + 1] = Int64GetDatum((int64) (host->run->batch->ordinal + row));
	input->tts_isnull[aggs->narguments] = input->tts_isnull[aggs->narguments + 1] = false;
	tuplesort_puttupleslot(aggs->sort, input);
	aggs->rows_sorted++;
}

void
gpuscan_host_agg_absorb(HostAggs *aggs, HostEval *host)
{
	ProgramRun *run = host->run;
	const uint16 *rows = NULL;
	const uint32 *groups = NULL;
	uint32		nrows = run->result == NULL ? 0 :
		run->engine->absorbed_groups(run->engine_run, &rows, &groups);
	uint32		settled = 0;

	if (aggs->ordered && aggs->sort == NULL)
		start_sort(aggs);
	for (uint32 i = 0; i < nrows; i++)
	{
		for (; settled < host->nsettled && host->settled[settled].row < rows[i]; settled++)
			add_row(aggs, host, host->settled[settled].row, host->settled[settled].group);
		add_row(aggs, host, rows[i], groups[i]);
	}
	for (; settled < host->nsettled; settled++)
		add_row(aggs, host, host->settled[settled].row, host->settled[settled].group);
}

void
gpuscan_host_agg_overflow(HostAggs *aggs)
{
	if (aggs->sort == NULL)
		start_sort(aggs);
}

/* ------------------------------------------------------------------------
 * Groups that come out
 * ------------------------------------------------------------------------
 */

static void
next_sorted(HostAggs *aggs)
{
	if (!tuplesort_gettupleslot(aggs->sort, true, false, aggs->sorted_row, NULL))
		ExecClearTuple(aggs->sorted_row);
	else
		slot_getallattrs(aggs->sorted_row);
}

void
gpuscan_host_agg_finish(HostAggs *aggs)
{
	if (aggs->sort == NULL)
		return;
	tuplesort_performsort(aggs->sort);
	aggs->sorted = true;
	next_sorted(aggs);
}

/* The next sorted arguments of the group that comes out; NULL: there are no more. */
static TupleTableSlot *
take_sorted(HostAggs *aggs)
{
	TupleTableSlot *row = aggs->sorted_row;
	TupleTableSlot *input = aggs->input;

	CHECK_FOR_INTERRUPTS();
	/* what was handed out last may go now */
	if (!TTS_EMPTY(input))
	{
		ExecClearTuple(input);
		next_sorted(aggs);
	}
	if (!aggs->sorted || TTS_EMPTY(row) ||
		DatumGetInt32(row->tts_values[aggs->narguments]) != (int32) aggs->group)
		return NULL;
	memcpy(input->tts_values, row->tts_values, aggs->narguments * sizeof(Datum));
	memcpy(input->tts_isnull, row->tts_isnull, aggs->narguments * sizeof(bool));
	return ExecStoreVirtualTuple(input);
}

static TupleTableSlot *
next_input(CustomScanState *node)
{
	TupleTableSlot *slot = take_sorted(((InputState *) node)->aggs);

	return slot != NULL ? slot : ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

void
gpuscan_host_agg_group(HostAggs *aggs, uint32 group)
{
	TupleTableSlot *input;

	if (aggs->n == 0)
		return;
	aggs->group = group;
	aggs->output = NULL;
	if (aggs->ordered)
	{
		ExecReScan((PlanState *) aggs->agg);
		aggs->output = ExecProcNode((PlanState *) aggs->agg);
		slot_getallattrs(aggs->output);
	}
	else
	{
		ResetExprContext(aggs->agg->ss.ps.ps_ExprContext);
		while ((input = take_sorted(aggs)) != NULL)
			advance(aggs, group, input);
	}
	if (aggs->sorted && !TTS_EMPTY(aggs->sorted_row) && group != HOST_AGG_NO_ROWS &&
		(uint32) DatumGetInt32(aggs->sorted_row->tts_values[aggs->narguments]) <= group)
		elog(ERROR, "groups do not come out in the order of their numbers");
}

/* As nodeAgg.c finalize_partialaggregate. */
static Datum
partial_value(const HostAggs *aggs, AggStatePerTrans trans, AggStatePerGroup state, bool *isnull)
{
	FunctionCallInfo fcinfo = trans->serialfn_fcinfo;
	Datum		value = MakeExpandedObjectReadOnly(state->transValue, state->transValueIsNull, trans->transtypeLen);

	*isnull = state->transValueIsNull;
	if (!OidIsValid(trans->serialfn_oid))
		return value;
	if (trans->serialfn.fn_strict && *isnull)
		return (Datum) 0;
	fcinfo->args[0].value = value;
	fcinfo->args[0].isnull = *isnull;
	fcinfo->isnull = false;
	value = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull;
	return value;
}

/* As nodeAgg.c finalize_aggregate, of what has no direct arguments. */
static Datum
final_value(AggState *agg, AggStatePerAgg peragg, AggStatePerGroup state, bool *isnull)
{
	AggStatePerTrans trans = &agg->pertrans[peragg->transno];
	Datum		value = MakeExpandedObjectReadOnly(state->transValue, state->transValueIsNull, trans->transtypeLen);
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);

	*isnull = state->transValueIsNull;
	if (!OidIsValid(peragg->finalfn_oid))
		return value;
	if (peragg->finalfn.fn_strict && (*isnull || peragg->numFinalArgs > 1))
	{
		*isnull = true;
		return (Datum) 0;
	}
	agg->curperagg = peragg;	/* AggGetAggref asks for it */
	InitFunctionCallInfoData(*fcinfo, &peragg->finalfn, peragg->numFinalArgs, trans->aggCollation, (Node *) agg, NULL);
	fcinfo->args[0].value = value;
	fcinfo->args[0].isnull = *isnull;
	for (int i = 1; i < peragg->numFinalArgs; i++)
	{
		fcinfo->args[i].value = (Datum) 0;
		fcinfo->args[i].isnull = true;
	}
	value = FunctionCallInvoke(fcinfo);
	agg->curperagg = NULL;
	*isnull = fcinfo->isnull;
	return MakeExpandedObjectReadOnly(value, *isnull, peragg->resulttypeLen);
}

Datum
gpuscan_host_agg_value(HostAggs *aggs, int number, bool *isnull)
{
	AggState   *agg = aggs->agg;
	AggStatePerAgg peragg = &agg->peragg[number];
	AggStatePerGroup states;
	MemoryContext old;
	Datum		value;

	if (aggs->output != NULL)
	{
		*isnull = aggs->output->tts_isnull[number];
		return aggs->output->tts_values[number];
	}
	states = aggs->group == HOST_AGG_NO_ROWS ? new_states(aggs) : states_of(aggs, aggs->group);
	agg->curaggcontext = agg->aggcontexts[0];
	old = MemoryContextSwitchTo(agg->ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	value = DO_AGGSPLIT_SKIPFINAL(agg->aggsplit) ?
		partial_value(aggs, &agg->pertrans[peragg->transno], &states[peragg->transno], isnull) :
		final_value(agg, peragg, &states[peragg->transno], isnull);
	MemoryContextSwitchTo(old);
	return value;
}

size_t
gpuscan_host_agg_memory(const HostAggs *aggs)
{
	if (aggs->n == 0)
		return 0;
	/* what is sorted has a memory of its own */
	return MemoryContextMemAllocated(aggs->context, false) +
		MemoryContextMemAllocated(aggs->agg->aggcontexts[0]->ecxt_per_tuple_memory, true);
}

void
gpuscan_host_agg_reset(HostAggs *aggs)
{
	if (aggs->n == 0)
		return;
	ExecClearTuple(aggs->sorted_row);
	ExecClearTuple(aggs->input);
	if (aggs->sort != NULL)
		tuplesort_end(aggs->sort);
	aggs->sort = NULL;
	aggs->sorted = false;
	aggs->output = NULL;
	/* what aggregates have left for their shutdown goes with their states */
	ReScanExprContext(aggs->agg->aggcontexts[0]);
	MemoryContextReset(aggs->context);
	aggs->states = NULL;
	aggs->room = 0;
}

void
gpuscan_host_agg_end(HostAggs *aggs)
{
	if (aggs->n == 0)
		return;
	gpuscan_host_agg_reset(aggs);
	ExecEndNode((PlanState *) aggs->agg);
}
