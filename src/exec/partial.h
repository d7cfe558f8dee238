/*-------------------------------------------------------------------------
 *
 * partial.h
 *	  Transition states in PostgreSQL's own formats, for a Finalize Aggregate
 *	  above.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PARTIAL_H
#define GPUSCAN_PARTIAL_H

#include "exec/final.h"

typedef struct PartialStates
{
	Node	   *fake_agg;		/* an AggState for serialization functions */
} PartialStates;

extern void gpuscan_partial_init(PartialStates *partial);

/*
 * What PostgreSQL's Partial Aggregate would hand on for a group: the transition
 * value, serialized where its type is internal.  rows: of the group; foreign:
 * the host's part of it, or NULL.  Allocated in the current memory context.
 */
extern Datum gpuscan_partial_value(PartialStates *partial, const FinalAgg *final,
								   const EngineAggState *state, int64 rows,
								   const ForeignGroup *foreign, bool *isnull);

#endif							/* GPUSCAN_PARTIAL_H */
