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
	FINAL_VALUE,				/* min, max: as the argument */
	FINAL_AVG_INTERVAL,			/* interval */
	FINAL_SUM_FLOAT,			/* as the argument */
	FINAL_AVG_FLOAT,			/* float8, from moments */
	FINAL_VAR_POP_FLOAT,
	FINAL_VAR_SAMP_FLOAT,
	FINAL_STDDEV_POP_FLOAT,
	FINAL_STDDEV_SAMP_FLOAT,
	FINAL_VAR_POP,				/* numeric, from sums of integers and of their squares */
	FINAL_VAR_SAMP,
	FINAL_STDDEV_POP,
	FINAL_STDDEV_SAMP
} FinalKind;

typedef struct FinalAgg
{
	FinalKind	final;
	int			host;			/* number among those that PostgreSQL computes (host_agg.c),
								 * and then nothing below is set; or -1 */
	uint16		state;			/* number in program->aggs */
	ProgramAggKind kind;
	ProgramType type;			/* of min, max, and sums of floating point */
	int32		typmod;			/* ... of min's and max's argument */
	bool		filtered;		/* has FILTER */
} FinalAgg;

/* float8_accum's transition state: float8[3] */
extern Datum gpuscan_final_moments(const EngineAggState *state);

/* The state of variances of integers, as numeric_serialize and numeric_poly_serialize write it */
extern Datum gpuscan_final_squares(const FinalAgg *final, const EngineAggState *state);

extern FinalAgg *gpuscan_final_init(List *aggrefs, const OffloadedProgram *offloaded);

/* foreign: the host's part of the same group, or NULL */
extern Datum gpuscan_final_value(const FinalAgg *final, const EngineAggState *state,
								 const ForeignGroup *foreign, bool *isnull);

#endif							/* GPUSCAN_FINAL_H */
