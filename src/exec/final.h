/*-------------------------------------------------------------------------
 *
 * final.h
 *	  Values of aggregates, from the states of a finished group.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_FINAL_H
#define GPUSCAN_FINAL_H

#include "engine/engine.h"
#include "exec/foreign.h"
#include "nodes/primnodes.h"

typedef enum FinalKind
{
	FINAL_COUNT,				/* int8 */
	FINAL_SUM_INT8,				/* int8 */
	FINAL_SUM_NUMERIC,			/* numeric */
	FINAL_AVG,					/* numeric */
	FINAL_VALUE					/* min, max: as the argument */
} FinalKind;

typedef struct FinalAgg
{
	FinalKind	final;
	uint16		state;			/* number in program->aggs */
	ProgramAggKind kind;
	ProgramType type;			/* of min, max */
	int32		typmod;			/* ... of their argument */
	bool		filtered;		/* has FILTER */
} FinalAgg;

extern FinalAgg *gpuscan_final_init(List *aggrefs, const OffloadedProgram *offloaded);

/* foreign: the host's part of the same group, or NULL */
extern Datum gpuscan_final_value(const FinalAgg *final, const EngineAggState *state,
								 const ForeignGroup *foreign, bool *isnull);

#endif							/* GPUSCAN_FINAL_H */
