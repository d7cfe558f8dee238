/*-------------------------------------------------------------------------
 *
 * states.c
 *	  Aggregate states of single groups: what absorb.h does not do in loops.
 *
 * A sum is 128 bits in the record; when the inputs so far can prove no more
 * that this is enough, three further limbs for every group stand beside it
 * ("high").  All sums of one aggregate share one scale; an input of a larger
 * scale raises it.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cpu/cpu.h"

#define HIGH_LIMBS	(ENGINE_SUM_LIMBS - 2)

uint32_t
gpuscan_state_size(uint8_t kind)
{
	switch (kind)
	{
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
		case AGG_SUM_NUMERIC:
			return sizeof(i128);
		case AGG_MIN_BOOL:
		case AGG_MAX_BOOL:
		case AGG_MIN_INT32:
		case AGG_MAX_INT32:
		case AGG_MIN_INT64:
		case AGG_MAX_INT64:
		case AGG_BITAND_INT32:
		case AGG_BITAND_INT64:
		case AGG_BITOR_INT32:
		case AGG_BITOR_INT64:
		case AGG_BITXOR_INT32:
		case AGG_BITXOR_INT64:
			return sizeof(int64_t);
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			return sizeof(GroupNumeric);
		case AGG_MIN_FLOAT64:
		case AGG_MAX_FLOAT64:
			return sizeof(GroupFloat);
		case AGG_SUM_FLOAT32:
		case AGG_SUM_FLOAT64:
		case AGG_MOMENTS_FLOAT64:
			return sizeof(GroupMoments);
		case AGG_MOMENTS_INT32:
		case AGG_MOMENTS_INT64:
			return sizeof(GroupSquares);
		case AGG_MIN_INTERVAL:
		case AGG_MAX_INTERVAL:
		case AGG_SUM_INTERVAL:
			return sizeof(GroupInterval);
		case AGG_MIN_TEXT:
		case AGG_MAX_TEXT:
			return sizeof(GroupText);
		default:
			return 0;
	}
}

/* Of MIN_* and MAX_* over what fits in 64 bits: which is it? */
static bool
state_is_min(uint8_t kind)
{
	return kind == AGG_MIN_BOOL || kind == AGG_MIN_INT32 || kind == AGG_MIN_INT64;
}

static bool
state_is_max(uint8_t kind)
{
	return kind == AGG_MAX_BOOL || kind == AGG_MAX_INT32 || kind == AGG_MAX_INT64;
}

/* Sums that depend on the order of their rows */
static bool
state_is_moments(uint8_t kind)
{
	return kind == AGG_SUM_FLOAT32 || kind == AGG_SUM_FLOAT64 || kind == AGG_MOMENTS_FLOAT64;
}

/* detached: of a group that may have begun elsewhere (see Groups) */
void
gpuscan_state_init(const GroupAgg *agg, char *record, bool detached)
{
	memset(record + agg->offset, 0, gpuscan_state_size(agg->kind));
	if (state_is_moments(agg->kind) && detached)
		((GroupMoments *) (record + agg->offset))->kept.size = -1;
	else if (agg->kind == AGG_MIN_FLOAT64 || agg->kind == AGG_MAX_FLOAT64)
		((GroupFloat *) (record + agg->offset))->value = (double) NAN;	/* nothing is less or greater */
	else if (state_is_min(agg->kind))
		*(int64_t *) (record + agg->offset) = INT64_MAX;
	else if (state_is_max(agg->kind))
		*(int64_t *) (record + agg->offset) = INT64_MIN;
	else if (agg->kind == AGG_BITAND_INT32 || agg->kind == AGG_BITAND_INT64)
		*(int64_t *) (record + agg->offset) = -1;
}

static void *
side_array(EngineRun *run, size_t element)
{
	size_t		size = run->groups.side_room * element;

	return memset(run->memory->alloc(run->memory->context, size), 0, size);
}

static inline i128_unaligned *
state_sum(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return (i128_unaligned *) (group_record(&run->groups, group) + agg->offset);
}

void
gpuscan_state_need_missing(EngineRun *run, GroupAgg *agg)
{
	if (!agg->missing)
		agg->missing = side_array(run, sizeof *agg->missing);
}

static void
state_need_high(EngineRun *run, GroupAgg *agg)
{
	if (agg->high)
		return;
	agg->high = side_array(run, sizeof *agg->high);
	for (uint32_t g = 0; g < run->groups.n; g++)
		memset(agg->high[g], *state_sum(run, agg, g) < 0 ? 0xFF : 0, sizeof *agg->high);
}

/* Arguments that a group has had, less those being added (see absorb_rows). */
static int64_t
state_count(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return *(const int64_t *) (group_record(&run->groups, group) + run->groups.rows_at) -
		(agg->missing ? agg->missing[group] : 0);
}

void
gpuscan_state_need_dscales(EngineRun *run, GroupAgg *agg)
{
	if (agg->dscales)
		return;
	agg->dscales = side_array(run, 1);
	if (agg->dscale > 0)
		for (uint32_t g = 0; g < run->groups.n; g++)
			if (state_count(run, agg, g) > 0)
				agg->dscales[g] = (uint8_t) agg->dscale;
}

static void
state_get_limbs(EngineRun *run, const GroupAgg *agg, uint32_t group, uint64_t *limbs)
{
	i128		sum = *state_sum(run, agg, group);

	limbs[0] = (uint64_t) sum;
	limbs[1] = (uint64_t) (sum >> 64);
	for (int i = 0; i < HIGH_LIMBS; i++)
		limbs[2 + i] = agg->high ? agg->high[group][i] : (sum < 0 ? UINT64_MAX : 0);
}

/* Only where agg->high is there, or the upper limbs are but the sign. */
static void
state_set_limbs(EngineRun *run, GroupAgg *agg, uint32_t group, const uint64_t *limbs)
{
	*state_sum(run, agg, group) = (i128) ((u128) limbs[1] << 64 | limbs[0]);
	if (agg->high)
		memcpy(agg->high[group], limbs + 2, sizeof *agg->high);
}

/* limbs := limbs * 10^n, modulo 2^320: right for two's complement too */
static void
limbs_scale(uint64_t *limbs, int n)
{
	while (n > 0)
	{
		int			step = n < NUMERIC_POW10_64 ? n : NUMERIC_POW10_64;
		uint64_t	factor = (uint64_t) numeric_pow10_64(step);
		uint64_t	carry = 0;

		for (int i = 0; i < ENGINE_SUM_LIMBS; i++)
		{
			u128		p = (u128) limbs[i] * factor + carry;

			limbs[i] = (uint64_t) p;
			carry = (uint64_t) (p >> 64);
		}
		n -= step;
	}
}

static void
limbs_add(uint64_t *limbs, const uint64_t *other)
{
	uint64_t	carry = 0;

	for (int i = 0; i < ENGINE_SUM_LIMBS; i++)
	{
		u128		s = (u128) limbs[i] + other[i] + carry;

		limbs[i] = (uint64_t) s;
		carry = (uint64_t) (s >> 64);
	}
}

/* At least |limbs|, or GROUP_SUM_LIMIT. */
static double
limbs_size(const uint64_t *limbs)
{
	uint64_t	sign = (int64_t) limbs[1] < 0 ? UINT64_MAX : 0;
	i128		low = (i128) ((u128) limbs[1] << 64 | limbs[0]);
	double		size;

	for (int i = 2; i < ENGINE_SUM_LIMBS; i++)
		if (limbs[i] != sign)
			return GROUP_SUM_LIMIT;
	size = (double) low;
	return (size < 0 ? -size : size) * (1 + 1e-12);
}

static double
power10(int n)
{
	double		p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

/* All sums of the aggregate to a larger scale. */
void
gpuscan_state_raise_scale(EngineRun *run, GroupAgg *agg, int scale)
{
	int			by = scale - agg->scale;
	double		bound = agg->bound * power10(by);

	if (bound >= GROUP_SUM_LIMIT)
		state_need_high(run, agg);
	for (uint32_t g = 0; g < run->groups.n; g++)
	{
		uint64_t	limbs[ENGINE_SUM_LIMBS];

		state_get_limbs(run, agg, g, limbs);
		limbs_scale(limbs, by);
		state_set_limbs(run, agg, g, limbs);
	}
	agg->bound = bound;
	agg->scale = scale;
}

/* Note the display scale of an input, and see to a common scale. */
static void
state_note_scale(EngineRun *run, GroupAgg *agg, uint32_t group, int scale, int dscale)
{
	if (agg->scale < 0)
	{
		agg->scale = scale;
		agg->dscale = dscale;
	}
	if (!agg->dscales && dscale != agg->dscale)
		gpuscan_state_need_dscales(run, agg);
	if (agg->dscales && agg->dscales[group] < dscale)
		agg->dscales[group] = (uint8_t) dscale;
	if (scale > agg->scale)
		gpuscan_state_raise_scale(run, agg, scale);
}

void
gpuscan_state_add_numeric(EngineRun *run, GroupAgg *agg, uint32_t group, NumericValue value)
{
	double		size = (double) value.mantissa;

	state_note_scale(run, agg, group, value.scale, value.scale);
	size = (size < 0 ? -size : size) * power10(agg->scale - value.scale);
	agg->bound += size;
	if (!agg->high && agg->bound < GROUP_SUM_LIMIT)
		*state_sum(run, agg, group) += value.mantissa * numeric_pow10(agg->scale - value.scale);
	else
	{
		uint64_t	limbs[ENGINE_SUM_LIMBS];
		uint64_t	sum[ENGINE_SUM_LIMBS];

		state_need_high(run, agg);
		limbs[0] = (uint64_t) value.mantissa;
		limbs[1] = (uint64_t) (value.mantissa >> 64);
		for (int i = 2; i < ENGINE_SUM_LIMBS; i++)
			limbs[i] = value.mantissa < 0 ? UINT64_MAX : 0;
		limbs_scale(limbs, agg->scale - value.scale);
		state_get_limbs(run, agg, group, sum);
		limbs_add(sum, limbs);
		state_set_limbs(run, agg, group, sum);
	}
}

/*
 * Of equal values the later one stays (numeric_smaller, numeric_larger): it
 * may be shown with another scale.
 */
void
gpuscan_state_minmax_numeric(EngineRun *run, GroupAgg *agg, uint32_t group,
							 NumericValue value, uint64_t ordinal)
{
	GroupNumeric *state = (GroupNumeric *) (group_record(&run->groups, group) + agg->offset);

	if (state->set)
	{
		NumericValue old;
		int			order;

		old.mantissa = state->mantissa;
		old.scale = state->scale;
		order = numeric_compare(old, value);
		if ((agg->kind == AGG_MIN_NUMERIC ? order < 0 : order > 0) ||
			(order == 0 && ordinal < state->ordinal))
			return;
	}
	state->mantissa = value.mantissa;
	state->scale = value.scale;
	state->ordinal = ordinal;
	state->set = 1;
}

/*
 * Of equal values the later one stays (float8smaller, float8larger): 0 and -0
 * are equal, and so are all NaNs.
 */
void
gpuscan_state_minmax_float(EngineRun *run, GroupAgg *agg, uint32_t group, double value, uint64_t ordinal)
{
	GroupFloat *state = (GroupFloat *) (group_record(&run->groups, group) + agg->offset);

	if (state->set)
	{
		uint8_t		old_wins,
					new_wins;

		(void) float64_lt(state->value, value, agg->kind == AGG_MIN_FLOAT64 ? &old_wins : &new_wins);
		(void) float64_gt(state->value, value, agg->kind == AGG_MIN_FLOAT64 ? &new_wins : &old_wins);
		if (old_wins || (!new_wins && ordinal < state->ordinal))
			return;
	}
	state->value = value;
	state->ordinal = ordinal;
	state->set = 1;
}

static inline GroupSquares *
state_squares(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return (GroupSquares *) (group_record(&run->groups, group) + agg->offset);
}

static inline GroupMoments *
state_moments(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return (GroupMoments *) (group_record(&run->groups, group) + agg->offset);
}

/* One more argument of a state that has no sum yet */
void
gpuscan_state_keep(EngineRun *run, GroupMoments *state, double value)
{
	Groups	   *groups = &run->groups;
	const EngineMemory *memory = run->memory;

	if (groups->nlog == groups->log_room)
	{
		const uint64_t room = groups->log_room ? 2 * groups->log_room : GROUP_CHUNK;

		groups->log = groups->log ?
			memory->realloc(memory->context, groups->log, groups->log_room * sizeof *groups->log, room * sizeof *groups->log) :
			memory->alloc(memory->context, room * sizeof *groups->log);
		groups->log_room = room;
	}
	groups->log[groups->nlog++] = (GroupArgument) {value, 0};
	if (state->kept.head == 0)
		state->kept.head = groups->nlog;
	else
		groups->log[state->kept.tail - 1].next = groups->nlog;
	state->kept.tail = groups->nlog;
	state->kept.size -= 1;
}

void
gpuscan_state_step_float(EngineRun *run, GroupAgg *agg, uint32_t group, double value)
{
	GroupMoments *state = state_moments(run, agg, group);
	bool		fits = true;

	if (state->so_far.n < 0)
		gpuscan_state_keep(run, state, value);
	else if (agg->kind == AGG_SUM_FLOAT32)
		fits = float32_sum_step(&state->so_far, value);
	else if (agg->kind == AGG_SUM_FLOAT64)
		fits = float64_sum_step(&state->so_far, value);
	else
		fits = float64_moments_step(&state->so_far, value);
	if (!fits)
		run->groups.overflow = OVERFLOW_FLOAT;
}

static inline GroupInterval *
state_interval(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return (GroupInterval *) (group_record(&run->groups, group) + agg->offset);
}

/* Of equal ones the later stays: interval_smaller, interval_larger. */
static void
state_minmax_interval(GroupAgg *agg, GroupInterval *state, IntervalValue value, uint64_t ordinal)
{
	if (state->set)
	{
		const int	order = interval_compare(value, state->value);

		if (order == 0 ? ordinal < state->ordinal : agg->kind == AGG_MIN_INTERVAL ? order > 0 : order < 0)
			return;
	}
	state->value = value;
	state->ordinal = ordinal;
	state->set = 1;
}

/*
 * interval_pl: no field may overflow after any row.  A part of a group that has
 * begun elsewhere does not know; it is asked when it comes to the rest.
 */
static void
state_add_interval(EngineRun *run, GroupInterval *state, i128 time, int64_t day, int64_t month)
{
	state->set = 1;
	state->time += time;
	state->day += day;
	state->month += month;
	if (unlikely_(!run->groups.detached &&
				  (state->time != (int64_t) state->time || state->day != (int32_t) state->day ||
				   state->month != (int32_t) state->month)))
		run->groups.overflow = OVERFLOW_INTERVAL;
}

void
gpuscan_state_step_interval(EngineRun *run, GroupAgg *agg, uint32_t group, TextView value, uint64_t ordinal)
{
	GroupInterval *state = state_interval(run, agg, group);
	const IntervalValue x = interval_of(value);

	if (agg->kind == AGG_SUM_INTERVAL)
		state_add_interval(run, state, x.time, x.day, x.month);
	else
		state_minmax_interval(agg, state, x, ordinal);
}

static inline GroupText *
state_text(EngineRun *run, const GroupAgg *agg, uint32_t group)
{
	return (GroupText *) (group_record(&run->groups, group) + agg->offset);
}

/*
 * Where bytes decide the order, equal texts cannot be told apart: any of them
 * serves.  The copy grows, and is freed with its group.
 */
void
gpuscan_state_minmax_text(EngineRun *run, GroupAgg *agg, uint32_t group, TextView value)
{
	GroupText  *state = state_text(run, agg, group);

	if (state->room > 0)
	{
		const int	order = text_compare(value, (TextView) {state->bytes, state->len, 0});

		if (agg->kind == AGG_MIN_TEXT ? order >= 0 : order <= 0)
			return;
	}
	if (value.len >= state->room)
	{
		const EngineMemory *memory = run->memory;
		const uint32_t room = (value.len | 15) + 1;

		if (state->room > 0)
			memory->free(memory->context, state->bytes);
		run->groups.text_bytes -= state->room;
		state->room = 0;
		state->bytes = memory->alloc(memory->context, room);
		state->room = room;
		run->groups.text_bytes += room;
	}
	memcpy(state->bytes, value.ptr, value.len);
	state->len = value.len;
}

/* All groups are to be forgotten. */
void
gpuscan_state_free_texts(EngineRun *run, GroupAgg *agg)
{
	if (agg->kind != AGG_MIN_TEXT && agg->kind != AGG_MAX_TEXT)
		return;
	for (uint32_t g = 0; g < run->groups.n; g++)
		if (state_text(run, agg, g)->room > 0)
			run->memory->free(run->memory->context, state_text(run, agg, g)->bytes);
}

/* Those that keep one integer */
static void
state_add_integer(EngineRun *run, GroupAgg *agg, uint32_t group, int64_t value)
{
	int64_t    *state = (int64_t *) (group_record(&run->groups, group) + agg->offset);

	switch (agg->kind)
	{
		case AGG_BITAND_INT32:
		case AGG_BITAND_INT64:
			*state &= value;
			break;
		case AGG_BITOR_INT32:
		case AGG_BITOR_INT64:
			*state |= value;
			break;
		case AGG_BITXOR_INT32:
		case AGG_BITXOR_INT64:
			*state ^= value;
			break;
		default:
			if (state_is_min(agg->kind) ? value < *state : value > *state)
				*state = value;
	}
}

/*
 * One row's argument, as the host computed it; null also when FILTER was not
 * true.  The group's row count has been raised already.
 */
void
gpuscan_state_step(EngineRun *run, uint32_t group, uint32_t number,
				   const ProgramValue *value, uint64_t ordinal)
{
	GroupAgg   *agg = &run->groups.aggs[number];
	bool		counts = agg->kind == AGG_COUNT || agg->kind == AGG_COUNT_STAR;

	if (value->null || (value->foreign && !counts))
	{
		gpuscan_state_need_missing(run, agg);
		agg->missing[group]++;
		return;
	}
	switch (agg->kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			break;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
			*state_sum(run, agg, group) += value->u.integer;
			break;
		case AGG_SUM_NUMERIC:
			gpuscan_state_add_numeric(run, agg, group, program_value_numeric(value));
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			gpuscan_state_minmax_numeric(run, agg, group, program_value_numeric(value), ordinal);
			break;
		case AGG_MIN_INTERVAL:
		case AGG_MAX_INTERVAL:
		case AGG_SUM_INTERVAL:
			gpuscan_state_step_interval(run, agg, group, (TextView) {value->u.ptr, value->len, 0}, ordinal);
			break;
		case AGG_MIN_TEXT:
		case AGG_MAX_TEXT:
			gpuscan_state_minmax_text(run, agg, group, (TextView) {value->u.ptr, value->len, 0});
			break;
		case AGG_MIN_FLOAT64:
		case AGG_MAX_FLOAT64:
			gpuscan_state_minmax_float(run, agg, group, value->u.real, ordinal);
			break;
		case AGG_SUM_FLOAT32:
		case AGG_SUM_FLOAT64:
		case AGG_MOMENTS_FLOAT64:
			gpuscan_state_step_float(run, agg, group, value->u.real);
			break;
		case AGG_MOMENTS_INT32:
		case AGG_MOMENTS_INT64:
			group_squares_step(state_squares(run, agg, group), value->u.integer);
			break;
		default:
			state_add_integer(run, agg, group, value->u.integer);
			break;
	}
}

void
gpuscan_state_out(EngineRun *run, uint32_t group, uint32_t number, EngineAggState *out)
{
	Groups	   *groups = &run->groups;
	GroupAgg   *agg = &groups->aggs[number];
	const char *record = group_record(groups, group);

	memset(out, 0, sizeof *out);
	out->count = state_count(run, agg, group);
	out->isnull = out->count == 0;
	switch (agg->kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			out->isnull = 0;
			break;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
		case AGG_SUM_NUMERIC:
			state_get_limbs(run, agg, group, out->sum);
			out->scale = agg->scale < 0 ? 0 : agg->scale;
			out->dscale = agg->dscales ? agg->dscales[group] : agg->dscale < 0 ? 0 : agg->dscale;
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			{
				const GroupNumeric *state = (const GroupNumeric *) (record + agg->offset);
				NumericValue v;

				v.mantissa = state->mantissa;
				v.scale = state->scale;
				out->ordinal = state->ordinal;
				out->value.kind = VALUE_NUMERIC;
				program_value_set_numeric(&out->value, v);
			}
			break;
		case AGG_MIN_FLOAT64:
		case AGG_MAX_FLOAT64:
			{
				const GroupFloat *state = (const GroupFloat *) (record + agg->offset);

				out->ordinal = state->ordinal;
				out->value.kind = VALUE_FLOAT64;
				out->value.u.real = state->value;
			}
			break;
		case AGG_SUM_FLOAT32:
		case AGG_SUM_FLOAT64:
		case AGG_MOMENTS_FLOAT64:
			out->moments[0] = state_moments(run, agg, group)->so_far.n;
			out->moments[1] = state_moments(run, agg, group)->so_far.sum;
			out->moments[2] = state_moments(run, agg, group)->so_far.sxx;
			break;
		case AGG_MOMENTS_INT32:
		case AGG_MOMENTS_INT64:
			memcpy(out->sum, state_squares(run, agg, group), sizeof(GroupSquares));
			break;
		case AGG_MIN_INTERVAL:
		case AGG_MAX_INTERVAL:
		case AGG_SUM_INTERVAL:
			{
				GroupInterval *state = state_interval(run, agg, group);

				if (agg->kind == AGG_SUM_INTERVAL)
					state->value = (IntervalValue) {(int64_t) state->time, (int32_t) state->day, (int32_t) state->month};
				out->ordinal = state->ordinal;
				out->value.kind = VALUE_TEXT;
				out->value.u.ptr = (const char *) &state->value;
				out->value.len = sizeof(IntervalValue);
			}
			break;
		case AGG_MIN_TEXT:
		case AGG_MAX_TEXT:
			out->value.kind = VALUE_TEXT;
			out->value.u.ptr = state_text(run, agg, group)->bytes;
			out->value.len = state_text(run, agg, group)->len;
			break;
		default:
			out->value.kind = gpuscan_agg_info[agg->kind].arg;
			out->value.u.integer = *(const int64_t *) (record + agg->offset);
			break;
	}
	out->value.null = out->isnull;
}

/*
 * A state of another engine, or of another run; rows and missing are the caller's.
 * What depends on the order of rows cannot come this way.
 */
void
gpuscan_state_add(EngineRun *run, uint32_t group, uint32_t number, const EngineAggState *state)
{
	GroupAgg   *agg = &run->groups.aggs[number];
	uint64_t	limbs[ENGINE_SUM_LIMBS];
	uint64_t	sum[ENGINE_SUM_LIMBS];

	if (state->count == 0)
		return;
	switch (agg->kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			break;
		case AGG_SUM_INT32:
		case AGG_SUM_INT64:
		case AGG_SUM_NUMERIC:
			memcpy(limbs, state->sum, sizeof limbs);
			if (agg->kind == AGG_SUM_NUMERIC)
			{
				double		size = limbs_size(limbs);

				state_note_scale(run, agg, group, state->scale, state->dscale);
				agg->bound += size * power10(agg->scale - state->scale);
				if (agg->bound >= GROUP_SUM_LIMIT)
					state_need_high(run, agg);
				limbs_scale(limbs, agg->scale - state->scale);
			}
			state_get_limbs(run, agg, group, sum);
			limbs_add(sum, limbs);
			state_set_limbs(run, agg, group, sum);
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			gpuscan_state_minmax_numeric(run, agg, group, program_value_numeric(&state->value),
										 state->ordinal);
			break;
		case AGG_MIN_INTERVAL:
		case AGG_MAX_INTERVAL:
		case AGG_SUM_INTERVAL:
			gpuscan_state_step_interval(run, agg, group, (TextView) {state->value.u.ptr, state->value.len, 0}, state->ordinal);
			break;
		case AGG_MIN_TEXT:
		case AGG_MAX_TEXT:
			gpuscan_state_minmax_text(run, agg, group, (TextView) {state->value.u.ptr, state->value.len, 0});
			break;
		case AGG_MIN_FLOAT64:
		case AGG_MAX_FLOAT64:
			gpuscan_state_minmax_float(run, agg, group, state->value.u.real, state->ordinal);
			break;
		case AGG_SUM_FLOAT32:
		case AGG_SUM_FLOAT64:
		case AGG_MOMENTS_FLOAT64:
			break;
		case AGG_MOMENTS_INT32:
		case AGG_MOMENTS_INT64:
			group_squares_add(state_squares(run, agg, group), (i128) ((u128) state->sum[1] << 64 | state->sum[0]),
							  state->sum[2], state->sum[3], state->sum[4]);
			break;
		default:
			state_add_integer(run, agg, group, state->value.u.integer);
			break;
	}
}

/*
 * A dumped state: one byte of flags, int64 missing if any, then by kind
 *	 sums		int8 scale and dscale (numeric), 8 bytes or all limbs
 *	 min, max, bits	8 bytes, or mantissa, scale and set (numeric), or whether
 *				there is one, its length and its bytes (text)
 *	 moments	sum and sum of squares (integers); n, sum and deviations; or, kept apart, the number of
 *				arguments and the arguments
 */
#define DUMP_MISSING	1
#define DUMP_NARROW		2
#define DUMP_KEPT		4

/* At least as many bytes as state_dump writes */
size_t
gpuscan_state_dump_size(EngineRun *run, uint32_t group, uint32_t number)
{
	GroupAgg   *agg = &run->groups.aggs[number];
	size_t		more = 0;

	if (agg->kind == AGG_MIN_TEXT || agg->kind == AGG_MAX_TEXT)
		more = state_text(run, agg, group)->len;
	else if (state_is_moments(agg->kind) && state_moments(run, agg, group)->kept.size < 0)
		more = (size_t) (-1 - state_moments(run, agg, group)->kept.size) * sizeof(double);
	return GROUP_STATE_DUMP_MAX + more;
}

size_t
gpuscan_state_dump(EngineRun *run, uint32_t group, uint32_t number, char *buf)
{
	GroupAgg   *agg = &run->groups.aggs[number];
	uint32_t	size = gpuscan_state_size(agg->kind);
	char	   *out = buf + 1;

	buf[0] = 0;
	if (agg->missing && agg->missing[group])
	{
		buf[0] |= DUMP_MISSING;
		memcpy(out, &agg->missing[group], 8);
		out += 8;
	}
	if (agg->kind == AGG_SUM_INT32 || agg->kind == AGG_SUM_INT64 || agg->kind == AGG_SUM_NUMERIC)
	{
		uint64_t	limbs[ENGINE_SUM_LIMBS];
		bool		narrow = true;

		state_get_limbs(run, agg, group, limbs);
		for (int i = 1; i < ENGINE_SUM_LIMBS; i++)
			narrow &= limbs[i] == ((int64_t) limbs[0] < 0 ? UINT64_MAX : 0);
		/* without an argument there is no scale */
		*out++ = (char) (state_count(run, agg, group) > 0 ? agg->scale : -1);
		*out++ = (char) (agg->dscales ? agg->dscales[group] : agg->dscale);
		if (narrow)
			buf[0] |= DUMP_NARROW;
		memcpy(out, limbs, narrow ? 8 : sizeof limbs);
		out += narrow ? 8 : sizeof limbs;
	}
	else if (agg->kind == AGG_MIN_TEXT || agg->kind == AGG_MAX_TEXT)
	{
		const GroupText *state = state_text(run, agg, group);

		*out++ = state->room > 0;
		memcpy(out, &state->len, 4);
		if (state->room > 0)
			memcpy(out + 4, state->bytes, state->len);
		out += 4 + (size_t) state->len;
	}
	else if (state_is_moments(agg->kind) && state_moments(run, agg, group)->kept.size < 0)
	{
		const GroupMoments *state = state_moments(run, agg, group);
		const uint64_t n = (uint64_t) (-1 - state->kept.size);

		buf[0] |= DUMP_KEPT;
		memcpy(out, &n, 8);
		out += 8;
		for (uint64_t at = state->kept.head; at != 0; at = run->groups.log[at - 1].next)
		{
			memcpy(out, &run->groups.log[at - 1].value, sizeof(double));
			out += sizeof(double);
		}
	}
	else if (size > 0)
	{
		memcpy(out, group_record(&run->groups, group) + agg->offset, size);
		out += size;
	}
	return (size_t) (out - buf);
}

/* Returns the place behind the state. */
const char *
gpuscan_state_merge(EngineRun *run, uint32_t group, uint32_t number, const char *buf)
{
	GroupAgg   *agg = &run->groups.aggs[number];
	uint32_t	size = gpuscan_state_size(agg->kind);
	uint8_t		flags = (uint8_t) *buf++;
	int64_t		missing = 0;

	if (flags & DUMP_MISSING)
	{
		memcpy(&missing, buf, 8);
		buf += 8;
	}
	if (agg->kind == AGG_SUM_INT32 || agg->kind == AGG_SUM_INT64 || agg->kind == AGG_SUM_NUMERIC)
	{
		int			scale = (int8_t) buf[0],
					dscale = (int8_t) buf[1];
		uint64_t	limbs[ENGINE_SUM_LIMBS];
		uint64_t	sum[ENGINE_SUM_LIMBS];

		buf += 2;
		if (flags & DUMP_NARROW)
		{
			memcpy(limbs, buf, 8);
			for (int i = 1; i < ENGINE_SUM_LIMBS; i++)
				limbs[i] = (int64_t) limbs[0] < 0 ? UINT64_MAX : 0;
			buf += 8;
		}
		else
		{
			memcpy(limbs, buf, sizeof limbs);
			buf += sizeof limbs;
		}
		if (agg->kind == AGG_SUM_NUMERIC && scale >= 0)
		{
			double		size64 = (double) (int64_t) limbs[0];

			state_note_scale(run, agg, group, scale, dscale);
			if (flags & DUMP_NARROW)
				agg->bound += (size64 < 0 ? -size64 : size64) * power10(agg->scale - scale);
			else
				agg->bound = GROUP_SUM_LIMIT;
			if (agg->bound >= GROUP_SUM_LIMIT)
				state_need_high(run, agg);
			limbs_scale(limbs, agg->scale - scale);
		}
		state_get_limbs(run, agg, group, sum);
		limbs_add(sum, limbs);
		state_set_limbs(run, agg, group, sum);
	}
	else if (agg->kind == AGG_MIN_NUMERIC || agg->kind == AGG_MAX_NUMERIC)
	{
		GroupNumeric state;
		NumericValue v;

		memcpy(&state, buf, sizeof state);
		v.mantissa = state.mantissa;
		v.scale = state.scale;
		if (state.set)
			gpuscan_state_minmax_numeric(run, agg, group, v, state.ordinal);
		buf += size;
	}
	else if (agg->kind == AGG_MIN_TEXT || agg->kind == AGG_MAX_TEXT)
	{
		const TextView value = {buf + 5, load_u32(buf + 1), 0};

		if (buf[0])
			gpuscan_state_minmax_text(run, agg, group, value);
		buf += 5 + (size_t) value.len;
	}
	else if (agg->kind == AGG_MIN_INTERVAL || agg->kind == AGG_MAX_INTERVAL || agg->kind == AGG_SUM_INTERVAL)
	{
		GroupInterval state;

		memcpy(&state, buf, sizeof state);
		if (state.set && agg->kind == AGG_SUM_INTERVAL)
			state_add_interval(run, state_interval(run, agg, group), state.time, state.day, state.month);
		else if (state.set)
			state_minmax_interval(agg, state_interval(run, agg, group), state.value, state.ordinal);
		buf += size;
	}
	else if (agg->kind == AGG_MIN_FLOAT64 || agg->kind == AGG_MAX_FLOAT64)
	{
		GroupFloat	state;

		memcpy(&state, buf, sizeof state);
		if (state.set)
			gpuscan_state_minmax_float(run, agg, group, state.value, state.ordinal);
		buf += size;
	}
	else if (agg->kind == AGG_MOMENTS_INT32 || agg->kind == AGG_MOMENTS_INT64)
	{
		GroupSquares state;

		memcpy(&state, buf, sizeof state);
		group_squares_add(state_squares(run, agg, group), state.sum, state.squares[0], state.squares[1], state.squares[2]);
		buf += size;
	}
	else if (state_is_moments(agg->kind) && (flags & DUMP_KEPT))
	{
		uint64_t	n;

		memcpy(&n, buf, 8);
		buf += 8;
		for (; n > 0; n--, buf += sizeof(double))
		{
			double		value;

			memcpy(&value, buf, sizeof value);
			gpuscan_state_step_float(run, agg, group, value);
		}
	}
	else if (state_is_moments(agg->kind))
	{
		/* of a group's parts that have a sum there is one, and it comes first */
		memcpy(state_moments(run, agg, group), buf, size);
		buf += size;
	}
	else if (size > 0)
	{
		int64_t		value;

		memcpy(&value, buf, 8);
		state_add_integer(run, agg, group, value);
		buf += size;
	}
	/* counted last, as the rows are: state_count tells what was there before */
	if (missing != 0)
	{
		gpuscan_state_need_missing(run, agg);
		agg->missing[group] += missing;
	}
	return buf;
}
