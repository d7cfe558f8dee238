/*-------------------------------------------------------------------------
 *
 * host_agg.h
 *	  Aggregates that PostgreSQL computes, over the groups that an engine finds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_HOST_AGG_H
#define GPUSCAN_HOST_AGG_H

#include "exec/host.h"
#include "executor/nodeAgg.h"
#include "utils/tuplesort.h"

/* A group of no rows */
#define HOST_AGG_NO_ROWS	PG_UINT32_MAX

typedef struct HostAggs
{
	int			n;				/* how many; 0: there are none, and nothing below is set */
	List	   *aggrefs;
	AggState   *agg;			/* PostgreSQL's own node, with a column for each */
	bool		ordered;		/* one asks for its arguments in an order, or once each */
	ProjectionInfo *arguments;	/* of a row: the agg's input, then two columns of our own */
	int			narguments;
	MemoryContext context;
	AggStatePerGroup *states;	/* of each group, by its number; NULL: no rows yet */
	uint64		room;

	/* rows whose arguments wait until their group comes out: all, or since memory was full */
	Tuplesortstate *sort;		/* by group, then in row order; or NULL */
	bool		sorted;
	TupleTableSlot *sorted_row; /* the next one, or empty */
	TupleTableSlot *input;		/* ... as the agg's input */
	uint32		group;			/* coming out */
	TupleTableSlot *output;		/* of the agg, for that group; or NULL: 'states' has it */

	int64		rows_sorted;	/* over all executions, for EXPLAIN ANALYZE */
} HostAggs;

/*
 * aggrefs: the Aggrefs of the node's program that have no state in it, over the
 * columns of the table; copied.  Nothing happens where there are none.
 */
extern void gpuscan_host_agg_init(HostAggs *aggs, List *aggrefs, HostEval *host, bool partial, int eflags);

/*
 * The batch in hand was absorbed by the engine, with the rows that were settled:
 * its rows go on to their groups' states, in row order.
 */
extern void gpuscan_host_agg_absorb(HostAggs *aggs, HostEval *host);

/* Memory is full: what comes goes to the sort. */
extern void gpuscan_host_agg_overflow(HostAggs *aggs);

/* All rows are in. */
extern void gpuscan_host_agg_finish(HostAggs *aggs);

/*
 * A group comes out: ascending numbers, each once.  The values, or with 'partial'
 * transition states as nodeAgg.c hands them on, are good until the next group.
 */
extern void gpuscan_host_agg_group(HostAggs *aggs, uint32 group);
extern Datum gpuscan_host_agg_value(HostAggs *aggs, int number, bool *isnull);

extern size_t gpuscan_host_agg_memory(const HostAggs *aggs);

/* Forget all groups. */
extern void gpuscan_host_agg_reset(HostAggs *aggs);
extern void gpuscan_host_agg_end(HostAggs *aggs);

#endif							/* GPUSCAN_HOST_AGG_H */
