/*-------------------------------------------------------------------------
 *
 * partial.c
 *	  Transition states in PostgreSQL's own formats.
 *
 * pg_aggregate.dat says what the transition type of an aggregate is, nodeAgg.c
 * finalize_partialaggregate what becomes of it: internal states go through the
 * aggregate's serialization function (numeric.c).  Ours are
 *
 *	count				int8
 *	sum(int2, int4)		int8, NULL without arguments
 *	avg(int2, int4)		int8[2]: count and sum
 *	sum, avg(int8)		Int128AggState, by int8_avg_serialize
 *	sum, avg(numeric)	NumericAggState, as numeric_avg_serialize writes it
 *	min, max, bool_*	the value itself
 *	sum(interval)		the sum so far, NULL without arguments
 *	avg(interval)		interval[2]: sum, and the count as microseconds
 *	sum(float4, float8)	the sum so far, NULL without arguments
 *	variance(int2..int8)	as numeric_poly_serialize, numeric_serialize write it
 *	avg and kin of them	float8[3]: count, sum and sum of squared deviations
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "compat.h"
#include "exec/partial.h"
#include "exec/value.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* numeric.c's Int128AggState, unchanged from 15 to 18 */
typedef struct Int128AggState
{
	bool		calcSumX2;
	int64		N;
	int128		sumX;
	int128		sumX2;
} Int128AggState;

void
gpuscan_partial_init(PartialStates *partial)
{
	partial->fake_agg = (Node *) gpuscan_foreign_fake_agg();
}

/* Call a function of an aggregate's; what it allocates is in the current context. */
static Datum
call_in_aggregate(PartialStates *partial, PGFunction function, int nargs, Datum arg0, Datum arg1)
{
	LOCAL_FCINFO(fcinfo, 2);

	((AggState *) partial->fake_agg)->curaggcontext->ecxt_per_tuple_memory = CurrentMemoryContext;
	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, partial->fake_agg, NULL);
	fcinfo->args[0].value = arg0;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = arg1;
	fcinfo->args[1].isnull = false;
	return function(fcinfo);
}

static Datum
count_and_sum(const EngineAggState *state)
{
	Datum		elements[2] = {Int64GetDatum(state->count), Int64GetDatum((int64) state->sum[0])};

	return PointerGetDatum(construct_array(elements, 2, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static Datum
int128_state(PartialStates *partial, const EngineAggState *state)
{
	Int128AggState *plain = palloc0_object(Int128AggState);

	plain->N = state->count;
	plain->sumX = (int128) (((uint128) state->sum[1] << 64) | state->sum[0]);
	return call_in_aggregate(partial, int8_avg_serialize, 1, PointerGetDatum(plain), 0);
}

/*
 * NumericAggState as numeric_avg_serialize writes it.  How many arguments had
 * the largest scale only moving aggregates ask (do_numeric_discard), which are
 * never partial: we say all.
 */
static Datum
numeric_state(const EngineAggState *state)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, state->count);
	if (state->count > 0)
		gpuscan_value_send_numeric(&buf, gpuscan_value_numeric(state->sum, state->scale, state->dscale));
	else
		for (int i = 0; i < 4; i++)
			pq_sendint32(&buf, 0);
	pq_sendint32(&buf, state->count > 0 ? state->dscale : 0);
	pq_sendint64(&buf, state->count);
	pq_sendint64(&buf, 0);		/* NaN, infinity, -infinity: the host's */
	pq_sendint64(&buf, 0);
	pq_sendint64(&buf, 0);
	return PointerGetDatum(pq_endtypsend(&buf));
}

/* The engine's part and the host's. */
static Datum
combined_state(PartialStates *partial, const EngineAggState *state, const ForeignAgg *foreign)
{
	Datum		bytes = call_in_aggregate(partial, numeric_avg_serialize, 1, foreign->state, 0);
	Datum		sum;

	if (state->count == 0)
		return bytes;
	/* a copy: the host's state may be asked for again */
	sum = call_in_aggregate(partial, numeric_avg_deserialize, 2, bytes, 0);
	sum = call_in_aggregate(partial, numeric_avg_combine, 2, sum,
							call_in_aggregate(partial, numeric_avg_deserialize, 2, numeric_state(state), 0));
	return call_in_aggregate(partial, numeric_avg_serialize, 1, sum, 0);
}

/* interval_accum's state, before 17 */
static Datum
sum_and_count(const EngineAggState *state)
{
	Interval	sum = {0};
	Interval	count = {.time = state->count};
	Datum		elements[2] = {IntervalPGetDatum(&sum), IntervalPGetDatum(&count)};

	if (state->count > 0)
		memcpy(&sum, state->value.u.ptr, sizeof(sum));
	return PointerGetDatum(construct_array(elements, 2, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE));
}

Datum
gpuscan_partial_value(PartialStates *partial, const FinalAgg *final, const EngineAggState *state,
					  int64 rows, const ForeignGroup *group, bool *isnull)
{
	const ForeignAgg *foreign = NULL;

	if (group != NULL && group->aggs != NULL && group->aggs[final->state].count > 0)
		foreign = &group->aggs[final->state];

	*isnull = false;
	switch (final->final)
	{
		case FINAL_COUNT:
		case FINAL_VALUE:
		case FINAL_SUM_FLOAT:
			return gpuscan_final_value(final, state, group, isnull);
		case FINAL_AVG_INTERVAL:
			return sum_and_count(state);
		case FINAL_AVG_FLOAT:
		case FINAL_VAR_POP_FLOAT:
		case FINAL_VAR_SAMP_FLOAT:
		case FINAL_STDDEV_POP_FLOAT:
		case FINAL_STDDEV_SAMP_FLOAT:
			return gpuscan_final_moments(state);
		case FINAL_VAR_POP:
		case FINAL_VAR_SAMP:
		case FINAL_STDDEV_POP:
		case FINAL_STDDEV_SAMP:
			/* of no rows there is no state; of NULLs there is one (int8_accum) */
			*isnull = rows == 0 || (state->count == 0 && final->filtered);
			return *isnull ? (Datum) 0 : gpuscan_final_squares(final, state);
		case FINAL_SUM_INT8:
			*isnull = state->count == 0;
			return Int64GetDatum((int64) state->sum[0]);
		case FINAL_SUM_NUMERIC:
		case FINAL_AVG:
			if (final->kind == AGG_SUM_INT32)
				return count_and_sum(state);
			if (foreign != NULL)
				return combined_state(partial, state, foreign);

			/* of no rows there is no state; of NULLs there is one (int8_avg_accum) */
			*isnull = rows == 0 || (state->count == 0 && final->filtered);
			if (*isnull)
				return (Datum) 0;
			return final->kind == AGG_SUM_INT64 ? int128_state(partial, state) : numeric_state(state);
	}
	elog(ERROR, "unexpected final %d", (int) final->final);
}
