/*-------------------------------------------------------------------------
 *
 * final.c
 *	  Values of aggregates, from the states of a finished group.
 *
 * The values, and the digits that they print, are those of numeric.c: a sum
 * shows as many digits after the point as the argument with most of them
 * (numeric_sum), an average as many as numeric_div chooses (numeric_avg,
 * int8_avg).  Those of floating point are made by float.c's own final functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/final.h"
#include "catalog/pg_type_d.h"
#include "exec/value.h"
#include "libpq/pqformat.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static FinalKind
final_of_aggregate(Oid aggfnoid)
{
	static const struct
	{
		Oid			aggfnoid;
		FinalKind	final;
	}			finals[] = {
#define AGG(oid, state, final_)	{oid, FINAL_##final_},
#include "program/aggs.def"
#undef AGG
	};

	for (size_t i = 0; i < lengthof(finals); i++)
		if (finals[i].aggfnoid == aggfnoid)
			return finals[i].final;
	elog(ERROR, "aggregate %u has no line in aggs.def", aggfnoid);
}

FinalAgg *
gpuscan_final_init(List *aggrefs, const OffloadedProgram *offloaded)
{
	FinalAgg   *finals = palloc_array(FinalAgg, list_length(aggrefs) + 1);
	int			n = 0;
	int			nhost = 0;
	ListCell   *lc;

	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);
		FinalAgg   *final = &finals[n];

		final->host = offloaded->agg_state[n] < 0 ? nhost++ : -1;
		if (final->host >= 0)
		{
			n++;
			continue;
		}
		final->final = final_of_aggregate(aggref->aggfnoid);
		final->state = offloaded->agg_state[n];
		final->kind = program_aggs(offloaded->program)[final->state].kind;
		final->type = gpuscan_type_of(aggref->aggtype);
		/* char(n): how many blanks to show; that of an aggregate says nothing */
		final->typmod = aggref->args == NIL ? -1 : exprTypmod((Node *) linitial_node(TargetEntry, aggref->args)->expr);
		final->filtered = aggref->aggfilter != NULL;
		n++;
	}
	return finals;
}

/* A sum of integers as int8. */
static Datum
sum_int8(const EngineAggState *state)
{
	int64		value = (int64) state->sum[0];
	uint64		sign = value < 0 ? PG_UINT64_MAX : 0;

	for (int i = 1; i < ENGINE_SUM_LIMBS; i++)
		if (state->sum[i] != sign)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range")));
	return Int64GetDatum(value);
}

/* The sum of the engine's part and the host's, either of which may be absent. */
static Datum
sum_numeric(const EngineAggState *state, const ForeignAgg *foreign)
{
	Datum		sum;

	if (state->count == 0)
		return gpuscan_foreign_sum(foreign);
	sum = gpuscan_value_numeric(state->sum, state->scale, state->dscale);
	if (foreign == NULL)
		return sum;
	return DirectFunctionCall2(numeric_add, sum, gpuscan_foreign_sum(foreign));
}

static Datum
average(const EngineAggState *state, const ForeignAgg *foreign)
{
	Datum		sum = sum_numeric(state, foreign);
	int64		count = state->count + (foreign == NULL ? 0 : foreign->count);

	/* NaN and infinities are their own averages, by any count */
	return DirectFunctionCall2(numeric_div, sum, NumericGetDatum(int64_to_numeric(count)));
}

Datum
gpuscan_final_moments(const EngineAggState *state)
{
	Datum		elements[3];

	for (int i = 0; i < 3; i++)
		elements[i] = Float8GetDatum(state->moments[i]);
	return PointerGetDatum(construct_array(elements, 3, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/* What float.c makes of the moments, which may be NULL. */
static Datum
from_moments(PGFunction function, const EngineAggState *state, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		value;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = gpuscan_final_moments(state);
	fcinfo->args[0].isnull = false;
	value = function(fcinfo);
	*isnull = fcinfo->isnull;
	return value;
}

/*
 * numeric_serialize's format; that of numeric_poly_serialize, of int2 and int4,
 * ends behind the sums.
 */
Datum
gpuscan_final_squares(const FinalAgg *final, const EngineAggState *state)
{
	StringInfoData buf;
	uint64		sum[ENGINE_SUM_LIMBS];
	uint64		squares[ENGINE_SUM_LIMBS] = {state->sum[2], state->sum[3], state->sum[4]};

	for (int i = 0; i < ENGINE_SUM_LIMBS; i++)
		sum[i] = i < 2 ? state->sum[i] : (int64) state->sum[1] < 0 ? PG_UINT64_MAX : 0;
	pq_begintypsend(&buf);
	pq_sendint64(&buf, state->count);
	gpuscan_value_send_numeric(&buf, gpuscan_value_numeric(sum, 0, 0));
	gpuscan_value_send_numeric(&buf, gpuscan_value_numeric(squares, 0, 0));
	if (final->kind == AGG_MOMENTS_INT64)
	{
		/* the largest scale, and how many have it; NaN, infinity, -infinity */
		pq_sendint32(&buf, 0);
		pq_sendint64(&buf, state->count);
		pq_sendint64(&buf, 0);
		pq_sendint64(&buf, 0);
		pq_sendint64(&buf, 0);
	}
	return PointerGetDatum(pq_endtypsend(&buf));
}

/* What numeric.c makes of sums of integers and of their squares, which may be NULL. */
static Datum
from_squares(const FinalAgg *final, PGFunction function, PGFunction poly_function, const EngineAggState *state,
			 bool *isnull)
{
	bool		poly = final->kind == AGG_MOMENTS_INT32;
	AggState   *agg = makeNode(AggState);
	LOCAL_FCINFO(fcinfo, 2);
	Datum		value;

	*isnull = state->count == 0;
	if (*isnull)
		return (Datum) 0;
	/* AggCheckCallContext asks for no more than this (nodeAgg.c) */
	agg->curaggcontext = makeNode(ExprContext);
	agg->curaggcontext->ecxt_per_tuple_memory = CurrentMemoryContext;
	InitFunctionCallInfoData(*fcinfo, NULL, 2, InvalidOid, (Node *) agg, NULL);
	fcinfo->args[0].value = gpuscan_final_squares(final, state);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = (Datum) 0;
	fcinfo->args[1].isnull = false;
	fcinfo->args[0].value = (poly ? numeric_poly_deserialize : numeric_deserialize) (fcinfo);
	fcinfo->nargs = 1;
	value = (poly ? poly_function : function) (fcinfo);
	*isnull = fcinfo->isnull;
	return value;
}

/* A sum of floating point; real lies as a double does. */
static Datum
sum_float(ProgramType type, const EngineAggState *state)
{
	ProgramValue value = {.kind = VALUE_FLOAT64,.u.real = state->moments[1]};

	return gpuscan_value_to_datum(type, -1, &value);
}

Datum
gpuscan_final_value(const FinalAgg *final, const EngineAggState *state,
					const ForeignGroup *group, bool *isnull)
{
	const ForeignAgg *foreign = NULL;
	Datum		value;

	if (group != NULL && group->aggs != NULL && group->aggs[final->state].count > 0)
		foreign = &group->aggs[final->state];

	*isnull = false;
	switch (final->final)
	{
		case FINAL_COUNT:
			return Int64GetDatum(state->count);
		case FINAL_SUM_INT8:
			*isnull = state->count == 0;
			return *isnull ? (Datum) 0 : sum_int8(state);
		case FINAL_SUM_NUMERIC:
			*isnull = state->count == 0 && foreign == NULL;
			return *isnull ? (Datum) 0 : sum_numeric(state, foreign);
		case FINAL_AVG:
			*isnull = state->count == 0 && foreign == NULL;
			return *isnull ? (Datum) 0 : average(state, foreign);
		case FINAL_VALUE:
			if (state->isnull)
			{
				*isnull = foreign == NULL;
				return *isnull ? (Datum) 0 : foreign->state;
			}
			value = gpuscan_value_to_datum(final->type, final->typmod, &state->value);
			if (foreign == NULL)
				return value;
			return gpuscan_foreign_second_wins(final->kind, value, state->ordinal,
											   foreign->state, foreign->ordinal) ?
				foreign->state : value;
		case FINAL_AVG_INTERVAL:
			/* interval_avg */
			*isnull = state->count == 0;
			if (*isnull)
				return (Datum) 0;
			return DirectFunctionCall2(interval_div, gpuscan_value_to_datum(TYPE_INTERVAL, -1, &state->value),
									   Float8GetDatum((double) state->count));
		case FINAL_SUM_FLOAT:
			*isnull = state->count == 0;
			return *isnull ? (Datum) 0 : sum_float(final->type, state);
		case FINAL_AVG_FLOAT:
			return from_moments(float8_avg, state, isnull);
		case FINAL_VAR_POP_FLOAT:
			return from_moments(float8_var_pop, state, isnull);
		case FINAL_VAR_SAMP_FLOAT:
			return from_moments(float8_var_samp, state, isnull);
		case FINAL_STDDEV_POP_FLOAT:
			return from_moments(float8_stddev_pop, state, isnull);
		case FINAL_STDDEV_SAMP_FLOAT:
			return from_moments(float8_stddev_samp, state, isnull);
		case FINAL_VAR_POP:
			return from_squares(final, numeric_var_pop, numeric_poly_var_pop, state, isnull);
		case FINAL_VAR_SAMP:
			return from_squares(final, numeric_var_samp, numeric_poly_var_samp, state, isnull);
		case FINAL_STDDEV_POP:
			return from_squares(final, numeric_stddev_pop, numeric_poly_stddev_pop, state, isnull);
		case FINAL_STDDEV_SAMP:
			return from_squares(final, numeric_stddev_samp, numeric_poly_stddev_samp, state, isnull);
	}
	elog(ERROR, "unexpected final %d", (int) final->final);
}
