/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN says about our nodes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/explain.h"
#include "executor/instrument.h"
#include "nodes/makefuncs.h"
#include "plan/plan_private.h"
#include "utils/ruleutils.h"

/* As explain.c's show_expression and show_sort_group_keys. */
void
gpuscan_explain_exprs(const char *label, List *exprs, bool conjunction,
					  CustomScanState *node, List *ancestors, ExplainState *es)
{
	bool		useprefix = EXPLAIN_TABLES(es) > 1 || es->verbose;
	List	   *context;

	if (exprs == NIL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	if (conjunction)
		ExplainPropertyText(label,
							deparse_expression((Node *) make_ands_explicit(exprs), context,
											   useprefix, false),
							es);
	else
	{
		List	   *texts = NIL;
		ListCell   *lc;

		foreach(lc, exprs)
			texts = lappend(texts, deparse_expression(lfirst(lc), context, useprefix, true));
		ExplainPropertyList(label, texts, es);
	}
}

void
gpuscan_explain_engine(CustomScanState *node, const OffloadedProgram *offloaded, List *ancestors,
					   ExplainState *es)
{
	CustomScan *cscan = (CustomScan *) node->ss.ps.plan;
	const Engine *engine =
		gpuscan_engine_named(strVal(list_nth(cscan->custom_private, PlanPrivateEngine)));
	const char *refusal = strVal(list_nth(cscan->custom_private, PlanPrivateDeviceRefusal));

	ExplainPropertyText("Engine", psprintf("%s (%s)", engine->name, engine->variant()), es);
	if (refusal[0] != '\0')
		ExplainPropertyText("Not on Device", refusal, es);
	if (es->verbose && offloaded != NULL)
	{
		List	   *texts = NIL;
		List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
		ListCell   *lc;

		foreach(lc, gpuscan_offload_describe(offloaded, context))
		{
			if (es->format == EXPLAIN_FORMAT_TEXT)
				ExplainPropertyText("Program", strVal(lfirst(lc)), es);
			else
				texts = lappend(texts, strVal(lfirst(lc)));
		}
		if (es->format != EXPLAIN_FORMAT_TEXT)
			ExplainPropertyList("Program", texts, es);
	}
}

void
gpuscan_explain_host_reasons(CustomScanState *node, ExplainState *es)
{
	CustomScan *cscan = (CustomScan *) node->ss.ps.plan;
	List	   *refusals = list_nth(cscan->custom_private, PlanPrivateRefusals);
	List	   *texts = NIL;
	ListCell   *lc;

	foreach(lc, refusals)
		texts = lappend(texts, strVal(lfirst(lc)));
	if (texts != NIL)
		ExplainPropertyList("Not Offloaded", texts, es);
}

/* As explain.c's show_instrumentation_count: for one loop. */
void
gpuscan_explain_removed(const char *label, int64 removed, CustomScanState *node, ExplainState *es)
{
	const Instrumentation *instrument = node->ss.ps.instrument;

	if (!es->analyze || instrument == NULL || instrument->nloops == 0)
		return;
	if (removed > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat(label, NULL, removed / instrument->nloops, 0, es);
}

static void
explain_time(const char *label, instr_time time, ExplainState *es)
{
	ExplainPropertyFloat(label, "ms", INSTR_TIME_GET_MILLISEC(time), 3, es);
}

/* What a device did, and what was done in its place. */
static void
explain_device(ProgramRun *run, ExplainState *es)
{
	EngineCounters counters;

	if (run->engine->counters == NULL)
		return;
	gpuscan_run_engine_counters(run, &counters);
	if (counters.device != NULL)
		ExplainPropertyText("Device", counters.device, es);
	ExplainPropertyUInteger("Device Jobs", NULL, counters.jobs, es);
	if (counters.cpu_batches > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyUInteger("Row Batches on CPU", NULL, counters.cpu_batches, es);
	if (counters.redone > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyUInteger("Row Batches Redone", NULL, counters.redone, es);
	if (counters.reason != NULL)
		ExplainPropertyText("Off Device", counters.reason, es);
	if (es->format != EXPLAIN_FORMAT_TEXT || es->verbose)
	{
		ExplainPropertyUInteger("Device Checkpoints", NULL, counters.checkpoints, es);
		ExplainPropertyUInteger("Bytes to Device", "B", counters.bytes, es);
	}
	if (es->timing && run->timing)
		ExplainPropertyFloat("Kernel Time", "ms", counters.kernel_ns / 1e6, 3, es);
}

void
gpuscan_explain_run(ProgramRun *run, ExplainState *es)
{
	const RunCounters *counters = &run->counters;
	HeapSourceStats stats;

	gpuscan_run_source_stats(run, &stats);
	if (es->format == EXPLAIN_FORMAT_TEXT)
		ExplainPropertyText("Pages", psprintf(INT64_FORMAT " (" INT64_FORMAT " all-visible)",
											  stats.pages, stats.pages_all_visible), es);
	else
	{
		ExplainPropertyInteger("Pages", NULL, stats.pages, es);
		ExplainPropertyInteger("Pages All-Visible", NULL, stats.pages_all_visible, es);
	}
	ExplainPropertyInteger("Row Batches", NULL, stats.batches, es);
	ExplainPropertyInteger("Rows Punted", NULL, counters->punted, es);
	if (counters->host_rows > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyInteger("Rows Left to Host", NULL, counters->host_rows, es);
	explain_device(run, es);
	if (es->timing && run->timing)
	{
		explain_time("Source Time", counters->source_time, es);
		explain_time("Engine Time", counters->engine_time, es);
		if (run->offloaded->program->grouped)
			explain_time("Host Time", counters->host_time, es);
	}
}
