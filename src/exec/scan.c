/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  GpuScan: a table's rows, filtered by an engine.
 *
 * The node returns the table's own tuples from their still pinned pages; an
 * engine only says which.  Rows that it punts are filtered here when their
 * turn comes, so that rows leave in the order of the table and a LIMIT above
 * stops before an error behind it.
 *
 * A cursor may turn back where a sequential scan would let it.  That is rare,
 * and engines only go forward: from there on PostgreSQL's own heap scan, under
 * the same snapshot and with the filter on the host, goes both ways.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "exec/explain.h"
#include "exec/host.h"
#include "exec/parallel.h"
#include "exec/permissions.h"
#include "exec/run.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "plan/plan_private.h"
#include "utils/rel.h"

typedef struct GpuScanState
{
	CustomScanState css;		/* these two as in RunNode */
	ProgramRun	run;
	List	   *device_quals;
	OffloadedProgram *offloaded;
	HostEval	host;

	/* position in the batch in hand */
	uint32		next_row;		/* index into the engine's rows */
	uint32		next_punted;	/* ... and into those punted; or, when the
								 * batch is the host's, number of the row */
	bool		started;		/* a row was returned last, the one that host loaded */
	TableScanDesc turned;		/* the heap scan of a cursor that has turned back */
} GpuScanState;

RUN_NODE(GpuScanState);

static Node *create_state(CustomScan *cscan);
static void begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec(CustomScanState *node);
static void end(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain(CustomScanState *node, List *ancestors, ExplainState *es);

const CustomScanMethods gpuscan_scan_plan_methods = {
	.CustomName = "GpuScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "GpuScan",
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
	GpuScanState *state = palloc0(sizeof(GpuScanState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
#ifdef HAVE_CUSTOM_SCAN_SLOT_OPS
	state->css.slotOps = &TTSOpsBufferHeapTuple;
#endif
	return (Node *) state;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	GpuScanState *state = (GpuScanState *) node;
	CustomScan *cscan = (CustomScan *) node->ss.ps.plan;

	state->device_quals = linitial_node(List, cscan->custom_exprs);
	gpuscan_check_execute(state->device_quals, NIL);

#ifndef HAVE_CUSTOM_SCAN_SLOT_OPS
	/*
	 * ExecInitCustomScan made a virtual slot, and expressions that rely on it.
	 * Make them again over the tuples that we return.
	 */
	node->ss.ps.subPlan = NIL;
	ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(node->ss.ss_currentRelation),
						  &TTSOpsBufferHeapTuple);
	ExecAssignScanProjectionInfo(&node->ss);
	node->ss.ps.qual = ExecInitQual(cscan->scan.plan.qual, &node->ss.ps);
#endif

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	state->offloaded = gpuscan_offload_compile(node->ss.ss_currentRelation, state->device_quals,
											   false, NIL, NIL);
	gpuscan_run_init(&state->run, &node->ss, node->ss.ss_currentRelation,
					 strVal(list_nth(cscan->custom_private, PlanPrivateEngine)),
					 state->offloaded);
	gpuscan_host_init(&state->host, &state->run, false, state->device_quals, NIL);
}

/*
 * Turn back: a heap scan that stands where we stand.  Where we have returned
 * nothing yet, or everything, it stands at neither end, and begins at that end
 * which its first direction starts from (heapam.c heapgettup_pagemode).
 */
static void
turn(GpuScanState *state)
{
	ProgramRun *run = &state->run;
	Snapshot	snapshot = state->css.ss.ps.state->es_snapshot;
	TupleTableSlot *slot = state->host.slot;
	ItemPointerData here = state->host.tuple.t_self;

	state->turned = table_beginscan_strat(run->rel, snapshot, 0, NULL, true, false);
	if (run->source != NULL)
		heap_setscanlimits(state->turned, gpuscan_source_start(run->source), InvalidBlockNumber);
	if (state->started)
		do
		{
			CHECK_FOR_INTERRUPTS();
			if (!table_scan_getnextslot(state->turned, ForwardScanDirection, slot))
				elog(ERROR, "row (%u,%u) of relation \"%s\" is not found again",
					 ItemPointerGetBlockNumber(&here), ItemPointerGetOffsetNumber(&here),
					 RelationGetRelationName(run->rel));
		} while (!ItemPointerEquals(&slot->tts_tid, &here));
	ExecClearTuple(slot);

	/* its pins */
	gpuscan_run_rescan(run, false);
}

static TupleTableSlot *
next_turned_row(GpuScanState *state)
{
	HostEval   *host = &state->host;
	ScanDirection direction = state->css.ss.ps.state->es_direction;

	while (table_scan_getnextslot(state->turned, direction, host->slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (gpuscan_host_passes_device(host))
			return host->slot;
		state->run.counters.removed_device++;
	}
	return ExecClearTuple(host->slot);
}

/* The next row that passes the device filter, in the scan slot. */
static TupleTableSlot *
next_row(ScanState *node)
{
	GpuScanState *state = (GpuScanState *) node;
	ProgramRun *run = &state->run;
	HostEval   *host = &state->host;

	if (unlikely(state->turned != NULL || ScanDirectionIsBackward(node->ps.state->es_direction)))
	{
		if (state->turned == NULL)
			turn(state);
		return next_turned_row(state);
	}
	if (run->source == NULL || run->engine_run == NULL)
		gpuscan_run_open(run);
	state->started = true;

	for (;;)
	{
		const EngineResult *result = run->result;

		if (run->batch == NULL)
			;
		else if (result == NULL)
		{
			while (state->next_punted < run->batch->nrows)
			{
				gpuscan_host_load(host, state->next_punted++);
				if (gpuscan_host_passes_device(host))
					return host->slot;
				run->counters.removed_device++;
			}
		}
		else
		{
			/* two ascending lists, merged */
			while (state->next_punted < result->npunted &&
				   (state->next_row >= result->nrows ||
					result->punted[state->next_punted] < result->rows[state->next_row]))
			{
				gpuscan_host_load(host, result->punted[state->next_punted++]);
				if (gpuscan_host_passes_device(host))
					return host->slot;
				run->counters.removed_device++;
			}
			if (state->next_row < result->nrows)
			{
				gpuscan_host_load(host, result->rows[state->next_row++]);
				return host->slot;
			}
		}

		state->next_row = state->next_punted = 0;
		if (!gpuscan_run_next(run))
		{
			state->started = false;
			return ExecClearTuple(host->slot);
		}
		if (run->result != NULL)
			run->counters.removed_device += run->batch->nrows - run->result->nrows - run->result->npunted;
	}
}

/* EvalPlanQual: does this version of a row pass what the engine would have run? */
static bool
recheck(ScanState *node, TupleTableSlot *slot)
{
	GpuScanState *state = (GpuScanState *) node;
	HostEval   *host = &state->host;
	bool		passes;

	host->row_context->ecxt_scantuple = slot;
	passes = gpuscan_host_passes_device(host);
	host->row_context->ecxt_scantuple = host->slot;
	return passes;
}

static TupleTableSlot *
exec(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck);
}

static void
stop_turned(GpuScanState *state)
{
	if (state->turned != NULL)
		table_endscan(state->turned);
	state->turned = NULL;
}

static void
rescan(CustomScanState *node)
{
	GpuScanState *state = (GpuScanState *) node;

	stop_turned(state);
	state->started = false;
	gpuscan_host_rescan(&state->host);
	gpuscan_run_rescan(&state->run, node->ss.ps.chgParam != NULL);
	state->next_row = state->next_punted = 0;
	ExecScanReScan(&node->ss);
}

static void
end(CustomScanState *node)
{
	GpuScanState *state = (GpuScanState *) node;

	if (node->ss.ss_ScanTupleSlot != NULL)
		ExecClearTuple(node->ss.ss_ScanTupleSlot);
	stop_turned(state);
	gpuscan_run_end(&state->run);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	GpuScanState *state = (GpuScanState *) node;

	if (state->offloaded == NULL && es->verbose)
		state->offloaded = gpuscan_offload_compile(node->ss.ss_currentRelation,
												   state->device_quals, false, NIL, NIL);
	gpuscan_explain_exprs("Device Filter", state->device_quals, true, node, ancestors, es);
	gpuscan_explain_removed("Rows Removed by Device Filter", state->run.counters.removed_device, node, es);
	gpuscan_explain_host_reasons(node, es);
	gpuscan_explain_engine(node, state->offloaded, ancestors, es);
	if (es->analyze)
		gpuscan_explain_run(&state->run, es);
}
