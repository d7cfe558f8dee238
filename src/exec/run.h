/*-------------------------------------------------------------------------
 *
 * run.h
 *	  A program being run over a table: source, engine, and what became of
 *	  the batch in hand.  Common to all nodes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_RUN_H
#define GPUSCAN_RUN_H

#include "engine/engine.h"
#include "heap/source.h"
#include "nodes/execnodes.h"
#include "offload/offload.h"
#include "portability/instr_time.h"

/* Counted over all executions, for EXPLAIN ANALYZE. */
typedef struct RunCounters
{
	int64		rows;			/* visible rows */
	int64		survivors;		/* of these passed the device filter */
	int64		punted;			/* rows that the engine handed back */
	int64		host_rows;		/* rows that were not given to it at all */
	int64		removed_device; /* rows that failed the device filter */
	int64		removed_host;	/* ... the host filter of GpuAgg */
	HeapSourceStats source;		/* of sources that were ended */
	EngineCounters engine;		/* of runs that were closed */
	instr_time	source_time;
	instr_time	engine_time;
	instr_time	host_time;
} RunCounters;

/* Texts of 'from' are not taken over. */
extern void gpuscan_run_add_source_stats(HeapSourceStats *to, const HeapSourceStats *from);
extern void gpuscan_run_add_engine_counters(EngineCounters *to, const EngineCounters *from);

typedef struct ParallelShared ParallelShared;	/* parallel.c */

typedef struct ProgramRun
{
	/* fixed when the node begins */
	ScanState  *node;
	Relation	rel;
	const Engine *engine;
	OffloadedProgram *offloaded;
	List	   *param_states;	/* ExprState each */
	bool		counts_only;	/* nothing but the number of rows is asked for */
	bool		timing;

	/* in a parallel query; see parallel.h */
	ParallelShared *shared;		/* NULL: alone */
	ParallelTableScanDesc pscan;	/* blocks are shared out; or NULL */
	Snapshot	snapshot;		/* a worker's, registered; NULL: the query's */
	bool		is_worker;

	MemoryContext batch_context;	/* values decompressed for the batch in work */
	Size		decompressed;	/* their bytes */

	/* one execution: lives in 'context', which a rescan resets */
	MemoryContext context;
	EngineMemory memory;
	ProgramValue *params;
	bool		params_foreign; /* one has no form in an engine: host only */
	bool		params_pending; /* one is a subquery that was not run yet: likewise */
	EngineRun  *engine_run;		/* NULL: not open */
	HeapSource *source;			/* stays over rescans */
	bool		source_fresh;	/* not read from yet */
	uint32		depth;
	uint32		inflight;		/* submitted, not absorbed or released */
	uint32		ahead;			/* so many may be; grows up to depth */

	/* the batch in hand */
	Batch	   *batch;
	const EngineResult *result; /* NULL: all its rows are the host's */

	/* when to leave the engine aside */
	int			punt_streak;	/* batches in a row that were mostly punted */
	int			host_batches;	/* so many go to the host before the next try */
	int			host_stretch;	/* how many they will be next time */

	RunCounters counters;
} ProgramRun;

extern const Engine *gpuscan_engine_named(const char *name);

extern void gpuscan_run_init(ProgramRun *run, ScanState *node, Relation rel,
							 const char *engine, OffloadedProgram *offloaded);
/* Open the engine and start the source, if that was not done yet. */
extern void gpuscan_run_open(ProgramRun *run);
/* Open the engine for groups alone (add_group, merge_group), if that was not done yet. */
extern void gpuscan_run_open_groups(ProgramRun *run);
/* On to the next batch; false at the end. */
extern bool gpuscan_run_next(ProgramRun *run);
/* PostgreSQL's error, if a sum of the groups has left its type */
extern void gpuscan_run_check_overflow(ProgramRun *run);
/* The batch in hand was absorbed by the engine. */
extern void gpuscan_run_absorbed(ProgramRun *run);
/* From the start; params_changed: evaluate the parameters again. */
extern void gpuscan_run_rescan(ProgramRun *run, bool params_changed);
extern void gpuscan_run_end(ProgramRun *run);
/* What the sources counted over all executions so far. */
extern void gpuscan_run_source_stats(const ProgramRun *run, HeapSourceStats *stats);
/* What an engine counted over all executions so far; zeros where it counts nothing. */
extern void gpuscan_run_engine_counters(const ProgramRun *run, EngineCounters *counters);

/* params.c */
extern List *gpuscan_params_init(List *params, PlanState *parent);
/* False when a value has no form in an engine: it is given as NULL. */
extern bool gpuscan_params_evaluate(List *params, List *param_states, ExprContext *econtext,
									ProgramValue *values);
/* Is one of them the value of a subquery that has not been run? */
extern bool gpuscan_params_pending(List *params, EState *estate);
/* All NULL. */
extern void gpuscan_params_clear(List *params, ProgramValue *values);

#endif							/* GPUSCAN_RUN_H */
