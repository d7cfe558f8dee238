/*-------------------------------------------------------------------------
 *
 * spill.h
 *	  Groups that outgrow memory: written to temporary files by hash, finished
 *	  file by file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_SPILL_H
#define GPUSCAN_SPILL_H

#include "exec/foreign.h"
#include "exec/host_agg.h"
#include "exec/run.h"

typedef struct SpillSet SpillSet;

/* For EXPLAIN, as HashAggregate counts (nodeAgg.c). */
typedef struct SpillCounters
{
	int64		batches;		/* tables filled to the end; 1: nothing was written */
	size_t		memory_peak;
	int64		disk;			/* bytes written */
} SpillCounters;

typedef struct Spill
{
	ProgramRun *run;
	ForeignStates *foreign;
	HostAggs   *host_aggs;		/* their states cannot be written; or NULL */
	MemoryContext context;		/* of what is in use while files exist */
	size_t		limit;			/* of memory, in bytes */
	bool		ordered;		/* there are aggregates that depend on the order of rows ... */
	bool		detached;		/* ... and the table keeps their arguments */
	SpillSet   *current;		/* where the groups of the scan go, or NULL */
	List	   *pending;		/* files to be finished */
	char	   *buffer;			/* a group on its way */
	size_t		room;
	SpillCounters counters;
} Spill;

/* host_aggs: of the same groups, or NULL */
extern void gpuscan_spill_init(Spill *spill, ProgramRun *run, ForeignStates *foreign, HostAggs *host_aggs);

/* Do the groups need more memory than they may? */
extern bool gpuscan_spill_full(Spill *spill);

/*
 * After each batch: if the groups need too much memory, write them out, or let the
 * arguments of host aggregates wait in a sort.
 */
extern void gpuscan_spill_check(Spill *spill);

/* After the last batch: true when there are files, so that gpuscan_spill_next
 * hands out the groups. */
extern bool gpuscan_spill_finish(Spill *spill);

/* Fill the engine's groups from the next file; false when none is left. */
extern bool gpuscan_spill_next(Spill *spill);

extern void gpuscan_spill_reset(Spill *spill);

#endif							/* GPUSCAN_SPILL_H */
