/*-------------------------------------------------------------------------
 *
 * final.c
 *	  Values of aggregates, from the states of a finished group.
 *
 * The values, and the digits that they print, are those of numeric.c: a sum
 * shows as many digits after the point as the argument with most of them
 * (numeric_sum), an average as many as numeric_div chooses (numeric_avg,
 * int8_avg).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/final.h"
#include "exec/value.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
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
	ListCell   *lc;

	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);
		FinalAgg   *final = &finals[n];

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
	}
	elog(ERROR, "unexpected final %d", (int) final->final);
}
