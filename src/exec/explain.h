/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  What EXPLAIN says about our nodes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_EXPLAIN_H
#define GPUSCAN_EXPLAIN_H

#include "commands/explain.h"
#include "compat.h"
#include "exec/run.h"
#include "nodes/execnodes.h"

#ifdef HAVE_EXPLAIN_STATE_HEADER
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* A list of expressions as one property; conjunction: joined by AND. */
extern void gpuscan_explain_exprs(const char *label, List *exprs, bool conjunction,
								  CustomScanState *node, List *ancestors, ExplainState *es);
/* Engine, and under VERBOSE the program. */
extern void gpuscan_explain_engine(CustomScanState *node, const OffloadedProgram *offloaded,
								   List *ancestors, ExplainState *es);
/* What stayed on the host, and why. */
extern void gpuscan_explain_host_reasons(CustomScanState *node, ExplainState *es);
/* ANALYZE: rows that a filter turned down. */
extern void gpuscan_explain_removed(const char *label, int64 removed, CustomScanState *node, ExplainState *es);
/* ANALYZE: pages, rows punted, batches, time. */
extern void gpuscan_explain_run(ProgramRun *run, ExplainState *es);

#endif							/* GPUSCAN_EXPLAIN_H */
