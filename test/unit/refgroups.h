/*-------------------------------------------------------------------------
 *
 * refgroups.h
 *	  Groups, fed one row at a time, and how an engine's compare with them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_REFGROUPS_H
#define UNIT_REFGROUPS_H

#include "bigint.h"
#include "engine/engine.h"
#include "reference.h"
#include "tap.h"

typedef struct RefAgg
{
	int64_t		count;
	Big			sum;			/* at scale NUMERIC_SCALE_MAX */
	int			dscale;
	RefValue	best;			/* null: none yet */
	Big			squares;		/* of integers */
	FloatMoments moments;
	i128		span[3];		/* sums of intervals: microseconds, days, months */
	uint64_t	ordinal;		/* of the row that 'best' is from */
} RefAgg;

typedef struct RefGroup
{
	char	   *bytes;			/* of all keys: equal keys, equal bytes */
	uint32_t	len;
	uint32_t	next;			/* in its bucket; + 1 */
	uint32_t	seen;			/* by the comparison */
	uint64_t	first;			/* ordinal of its first row */
	int64_t		rows;
	RefValue   *keys;			/* as first seen */
	RefAgg	   *aggs;
} RefGroup;

typedef struct RefGroups
{
	const Program *program;
	RefGroup   *groups;
	uint32_t	n;
	uint32_t	room;
	uint32_t	buckets[1 << 16];
	bool		scattered;		/* the run had its rows in another order: what depends on it is not compared */
	Bytes		memory;
} RefGroups;

static RefGroups *
refgroups_new(const Program *program)
{
	RefGroups  *groups = calloc(1, sizeof *groups);

	groups->program = program;
	return groups;
}

static void
refgroups_free(RefGroups *groups)
{
	bytes_free(&groups->memory);
	free(groups->groups);
	free(groups);
}

/* ------------------------------------------------------------------------
 * Keys
 * ------------------------------------------------------------------------
 */

static NumericValue
ref_canonical(NumericValue v)
{
	while (v.scale > 0 && v.mantissa % 10 == 0)
	{
		v.mantissa /= 10;
		v.scale--;
	}
	return v;
}

static uint32_t
ref_key_bytes(const RefValue *key, char *out)
{
	NumericValue v;

	if (key->null)
		return out[0] = 'n', 1;
	if (key->foreign || key->kind == VALUE_TEXT)
	{
		out[0] = key->foreign ? 'f' : 't';
		memcpy(out + 1, &key->text.len, 4);
		memcpy(out + 5, key->text.ptr, key->text.len);
		return 5 + key->text.len;
	}
	if (key->kind == VALUE_NUMERIC)
	{
		v = ref_canonical(key->numeric);
		out[0] = 'd';
		out[1] = (char) v.scale;
		memcpy(out + 2, &v.mantissa, 16);
		return 18;
	}
	if (key->kind == VALUE_FLOAT64)
	{
		/* -0 is 0, and a NaN like any other */
		const double real = key->real == 0 ? 0.0 : key->real;

		out[0] = isnan(real) ? 'N' : 'r';
		memcpy(out + 1, &real, 8);
		return isnan(real) ? 1 : 9;
	}
	out[0] = 'i';
	memcpy(out + 1, &key->integer, 8);
	return 9;
}

/* The number of the group of these keys; a new one when there is none. */
static uint32_t
refgroups_find(RefGroups *groups, const RefValue *keys)
{
	static char buf[PROGRAM_MAX_KEYS * (TEXT_MADE_MAX + 400)];
	uint32_t	nkeys = groups->program->nkeys;
	uint32_t	naggs = groups->program->naggs;
	uint32_t	len = 0;
	uint64_t	hash = 1469598103934665603u;
	uint32_t   *bucket;
	RefGroup   *group;

	for (uint32_t k = 0; k < nkeys; k++)
		len += ref_key_bytes(&keys[k], buf + len);
	for (uint32_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) buf[i]) * 1099511628211u;
	bucket = &groups->buckets[(hash ^ hash >> 32) & 0xFFFF];
	for (uint32_t g = *bucket; g != 0; g = groups->groups[g - 1].next)
		if (groups->groups[g - 1].len == len && memcmp(groups->groups[g - 1].bytes, buf, len) == 0)
			return g - 1;

	if (groups->n == groups->room)
	{
		groups->room = groups->room ? 2 * groups->room : 256;
		groups->groups = realloc(groups->groups, groups->room * sizeof *groups->groups);
	}
	group = &groups->groups[groups->n++];
	group->len = len;
	group->seen = 0;
	group->first = 0;
	group->rows = 0;
	group->bytes = memcpy(bytes_new(&groups->memory, len), buf, len);
	group->keys = (RefValue *) bytes_new(&groups->memory, (nkeys + 1) * sizeof(RefValue));
	memcpy(group->keys, keys, nkeys * sizeof(RefValue));
	/* a text's bytes may go with its batch */
	for (uint32_t k = 0; k < nkeys; k++)
		if (!keys[k].null && (keys[k].foreign || keys[k].kind == VALUE_TEXT))
			group->keys[k].text.ptr = memcpy(bytes_new(&groups->memory, keys[k].text.len), keys[k].text.ptr, keys[k].text.len);
	group->aggs = (RefAgg *) bytes_new(&groups->memory, (naggs + 1) * sizeof(RefAgg));
	memset(group->aggs, 0, naggs * sizeof(RefAgg));
	for (uint32_t a = 0; a < naggs; a++)
		group->aggs[a].best.null = true;
	group->next = *bucket;
	*bucket = groups->n;
	return groups->n - 1;
}

/* ------------------------------------------------------------------------
 * Aggregates
 * ------------------------------------------------------------------------
 */

/* What a state of aggs.def is, by its name: COUNT..., SUM_kind, MIN_kind, MAX_kind, BITAND_kind, BITOR_kind, BITXOR_kind */
static bool
ref_agg_is(uint8_t kind, const char *what)
{
	return strncmp(gpuscan_agg_info[kind].name, what, strlen(what)) == 0;
}

static bool
ref_agg_is_interval(uint8_t kind)
{
	return strstr(gpuscan_agg_info[kind].name, "INTERVAL") != NULL;
}

static int
ref_compare_texts(const TextView *a, const TextView *b)
{
	const int	order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* As PostgreSQL orders floating point: NaN is equal to NaN, and the greatest. */
static int
ref_compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

/*
 * Sums and moments in the order of rows, as float.c has them: float4pl,
 * float8pl, float8_accum.  Where those raise an error the sum is infinite, or
 * its deviations are NaN.
 */
static void
ref_float_step(FloatMoments *m, uint8_t kind, double x)
{
	m->n += 1;
	if (kind == AGG_SUM_FLOAT32)
	{
		const double before = m->sum;

		m->sum = m->n == 1 ? x : (float) (m->sum + x);
		/* of floats that is what float arithmetic gives */
		assert(m->n == 1 || before != (float) before || x != (float) x || isnan(m->sum) ||
			   (float) m->sum == (float) before + (float) x);
	}
	else if (kind == AGG_SUM_FLOAT64)
		m->sum = m->n == 1 ? x : m->sum + x;
	else
	{
		m->sum += x;
		if (m->n > 1)
		{
			const double t = x * m->n - m->sum;

			m->sxx += t * t / (m->n * (m->n - 1));
			if (isinf(m->sum) || isinf(m->sxx))
				m->sxx = NAN;
		}
		else if (!isfinite(x))
			m->sxx = NAN;
	}
}

static void
refgroups_step(RefGroups *groups, uint32_t group, uint32_t number, const RefValue *arg, uint64_t ordinal)
{
	RefAgg	   *agg = &groups->groups[group].aggs[number];
	uint8_t		kind = program_aggs(groups->program)[number].kind;
	NumericValue v = arg->numeric;
	Big			big;
	int			order;

	if (arg->null || (arg->foreign && !ref_agg_is(kind, "COUNT")))
		return;
	agg->count++;
	if (ref_agg_is(kind, "COUNT"))
		return;
	if (kind == AGG_SUM_INTERVAL)
	{
		const IntervalValue span = interval_of(arg->text);

		agg->span[0] += span.time;
		agg->span[1] += span.day;
		agg->span[2] += span.month;
		return;
	}
	if (gpuscan_agg_info[kind].condition & CONDITION_ROW_ORDER)
	{
		ref_float_step(&agg->moments, kind, arg->real);
		return;
	}
	if (gpuscan_agg_info[kind].arg != VALUE_NUMERIC)
		v = (NumericValue) {arg->integer, 0};
	if (ref_agg_is(kind, "MOMENTS_INT"))
	{
		big = big_from_i128(v.mantissa);
		big_add(&agg->sum, &big);
		big = big_from_i128(v.mantissa * v.mantissa);
		big_add(&agg->squares, &big);
		return;
	}
	if (ref_agg_is(kind, "SUM"))
	{
		big = big_from_i128(v.mantissa);
		big_times_ten(&big, NUMERIC_SCALE_MAX - v.scale);
		big_add(&agg->sum, &big);
		agg->dscale = v.scale > agg->dscale ? v.scale : agg->dscale;
		return;
	}
	if (ref_agg_is(kind, "BIT"))
	{
		const int64_t so_far = agg->best.null ? (ref_agg_is(kind, "BITAND") ? -1 : 0) : agg->best.integer;

		agg->best = *arg;
		agg->best.integer = ref_agg_is(kind, "BITAND") ? so_far & arg->integer :
			ref_agg_is(kind, "BITOR") ? so_far | arg->integer : so_far ^ arg->integer;
		return;
	}
	assert(ref_agg_is(kind, "MIN") || ref_agg_is(kind, "MAX"));
	order = agg->best.null ? 0 :
		gpuscan_agg_info[kind].arg == VALUE_NUMERIC ? numeric_compare(v, agg->best.numeric) :
		ref_agg_is_interval(kind) ? interval_compare(interval_of(arg->text), interval_of(agg->best.text)) :
		gpuscan_agg_info[kind].arg == VALUE_TEXT ? ref_compare_texts(&arg->text, &agg->best.text) :
		gpuscan_agg_info[kind].arg == VALUE_FLOAT64 ? ref_compare_reals(arg->real, agg->best.real) :
		(arg->integer > agg->best.integer) - (arg->integer < agg->best.integer);
	/* of equal values the later one (numeric_smaller, numeric_larger) */
	if (ref_agg_is(kind, "MIN") ? order <= 0 : order >= 0)
	{
		agg->best = *arg;
		agg->ordinal = ordinal;
		if (ref_agg_is_interval(kind))
		{
			const IntervalValue span = interval_of(arg->text);

			agg->best.text.len = sizeof span;
			agg->best.text.ptr = memcpy(bytes_new(&groups->memory, sizeof span), &span, sizeof span);
		}
		else if (arg->kind == VALUE_TEXT)
			agg->best.text.ptr = memcpy(bytes_new(&groups->memory, arg->text.len), arg->text.ptr, arg->text.len);
	}
}

/* The group of a row; rows come in order. */
static uint32_t
refgroups_row(RefGroups *groups, const RefValue *keys, uint64_t ordinal)
{
	uint32_t	group = refgroups_find(groups, keys);

	if (groups->groups[group].rows++ == 0)
		groups->groups[group].first = ordinal;
	return group;
}

/* A row that passed: registers as ref_run left them. */
static void
refgroups_add_row(RefGroups *groups, const RefValue *regs, uint64_t ordinal)
{
	const Program *program = groups->program;
	RefValue	keys[PROGRAM_MAX_KEYS];
	uint32_t	group;

	for (uint32_t k = 0; k < program->nkeys; k++)
	{
		keys[k] = regs[program_keys(program)[k].reg];
		assert(!keys[k].poison);
	}
	group = refgroups_row(groups, keys, ordinal);
	for (uint32_t a = 0; a < program->naggs; a++)
	{
		const ProgramAgg *agg = &program_aggs(program)[a];
		RefValue	one = {.kind = VALUE_INT64,.integer = 1};
		RefValue	arg = agg->arg == PROGRAM_NO_REG ? one : regs[agg->arg];

		if (agg->filter != PROGRAM_NO_REG)
		{
			assert(!regs[agg->filter].poison);
			if (ref_truth(&regs[agg->filter]) != 1)
				continue;
		}
		assert(!arg.poison);
		refgroups_step(groups, group, a, &arg, ordinal);
	}
}

/* A row that the host computed; returns its group. */
static uint32_t
refgroups_add_settled(RefGroups *groups, const EngineSettled *settled)
{
	RefValue	keys[PROGRAM_MAX_KEYS];
	uint32_t	group;

	for (uint32_t k = 0; k < groups->program->nkeys; k++)
		keys[k] = ref_from_program_value(&settled->keys[k]);
	group = refgroups_row(groups, keys, settled->ordinal);
	for (uint32_t a = 0; a < groups->program->naggs; a++)
	{
		RefValue	arg = ref_from_program_value(&settled->args[a]);

		refgroups_step(groups, group, a, &arg, settled->ordinal);
	}
	return group;
}

/* ------------------------------------------------------------------------
 * Comparison
 * ------------------------------------------------------------------------
 */

/* To the bit; but which NaN comes of two is the processor's choice. */
static bool
ref_same_real(double a, double b)
{
	return isnan(a) ? isnan(b) : float64_bits(a) == float64_bits(b);
}

/* Also the display scale. */
static bool
ref_same_value(const RefValue *ref, const ProgramValue *value)
{
	RefValue	other = ref_from_program_value(value);

	if (ref->null || other.null)
		return ref->null == other.null;
	if (ref->kind != value->kind || ref->foreign != other.foreign)
		return false;
	if (ref->foreign || ref->kind == VALUE_TEXT)
		return ref->text.len == other.text.len && memcmp(ref->text.ptr, other.text.ptr, ref->text.len) == 0;
	if (ref->kind == VALUE_NUMERIC)
		return ref->numeric.mantissa == other.numeric.mantissa && ref->numeric.scale == other.numeric.scale;
	if (ref->kind == VALUE_FLOAT64)
		return ref_same_real(ref->real, value->u.real);
	return ref->integer == value->u.integer;
}

/* NULL when the state is the reference's, else what is not. */
static const char *
ref_compare_agg(uint8_t kind, const RefAgg *ref, const EngineAggState *state)
{
	Big			sum;

	if (state->count != ref->count)
		return "count";
	if (ref_agg_is(kind, "COUNT"))
		return NULL;
	if (kind == AGG_SUM_INTERVAL)
	{
		/* beyond their types the run has an error to raise, and no sum */
		const IntervalValue span = {(int64_t) ref->span[0], (int32_t) ref->span[1], (int32_t) ref->span[2]};
		const IntervalValue got = interval_of((TextView) {state->value.u.ptr, state->value.len, 0});

		return span.time == got.time && span.day == got.day && span.month == got.month ? NULL : "sum of intervals";
	}
	if (gpuscan_agg_info[kind].condition & CONDITION_ROW_ORDER)
		return state->moments[0] == ref->moments.n && ref_same_real(ref->moments.sum, state->moments[1]) &&
			(kind != AGG_MOMENTS_FLOAT64 || ref_same_real(ref->moments.sxx, state->moments[2])) ? NULL : "moments";
	if (ref_agg_is(kind, "MOMENTS_INT"))
	{
		const uint64_t squares[4] = {state->sum[2], state->sum[3], state->sum[4], 0};
		Big			big = big_from_limbs(squares, 4);

		sum = big_from_i128((i128) ((u128) state->sum[1] << 64 | state->sum[0]));
		return big_equal(&sum, &ref->sum) && big_equal(&big, &ref->squares) ? NULL : "sum or squares";
	}
	if (ref_agg_is(kind, "SUM"))
	{
		if (state->scale < 0 || state->scale > NUMERIC_SCALE_MAX || (ref->count && state->scale < ref->dscale))
			return "scale of sum";
		if (ref->count > 0 && state->dscale != ref->dscale)
			return "display scale";
		sum = big_from_limbs(state->sum, ENGINE_SUM_LIMBS);
		big_times_ten(&sum, NUMERIC_SCALE_MAX - state->scale);
		return big_equal(&sum, &ref->sum) ? NULL : "sum";
	}
	if (state->isnull != ref->best.null)
		return "isnull";
	if (ref->best.null)
		return NULL;
	if (!ref_same_value(&ref->best, &state->value))
		return "value";
	return (gpuscan_agg_info[kind].arg != VALUE_NUMERIC && gpuscan_agg_info[kind].arg != VALUE_FLOAT64 && !ref_agg_is_interval(kind)) || state->ordinal == ref->ordinal ? NULL : "row of the value";
}

static bool
ref_compare_group(const RefGroups *groups, uint32_t number, const EngineGroup *group)
{
	const RefGroup *ref = &groups->groups[number];

	if (group->first != ref->first)
	{
		diag("group %u: first row %llu, reference %llu", group->group, (unsigned long long) group->first,
			 (unsigned long long) ref->first);
		return false;
	}
	for (uint32_t k = 0; k < groups->program->nkeys; k++)
		if (!ref_same_value(&ref->keys[k], &group->keys[k]))
		{
			diag("group %u: key %u differs", group->group, k);
			return false;
		}
	for (uint32_t a = 0; a < groups->program->naggs; a++)
	{
		uint8_t		kind = program_aggs(groups->program)[a].kind;
		const char *wrong = groups->scattered && (gpuscan_agg_info[kind].condition & CONDITION_ROW_ORDER) ? NULL :
			ref_compare_agg(kind, &ref->aggs[a], &group->aggs[a]);

		if (wrong)
		{
			diag("group %u: aggregate %u (%s): %s differs; count %lld, scale %d/%d, reference count %lld, dscale %d",
				 group->group, a, gpuscan_agg_info[kind].name, wrong, (long long) group->aggs[a].count,
				 group->aggs[a].scale, group->aggs[a].dscale, (long long) ref->aggs[a].count, ref->aggs[a].dscale);
			return false;
		}
	}
	return true;
}

/* The order in which a run hands out its groups. */
typedef enum RefOrder
{
	REF_BY_NUMBER,				/* of first rows, which are also their numbers */
	REF_BY_FIRST_ROW,
	REF_ANY_ORDER
} RefOrder;

/* All groups of a run. */
static bool
refgroups_compare(RefGroups *groups, const Engine *engine, EngineRun *run, RefOrder order)
{
	uint64_t	cursor = 0;
	EngineGroup group;
	uint32_t	n = 0;

	if (engine->ngroups(run) != groups->n)
	{
		diag("%llu groups, reference %u", (unsigned long long) engine->ngroups(run), groups->n);
		return false;
	}
	for (uint32_t g = 0; g < groups->n; g++)
		groups->groups[g].seen = 0;
	for (; engine->next_group(run, &cursor, &group); n++)
	{
		uint32_t	number = n;

		if (order == REF_ANY_ORDER)
		{
			RefValue	keys[PROGRAM_MAX_KEYS];

			for (uint32_t k = 0; k < groups->program->nkeys; k++)
				keys[k] = ref_from_program_value(&group.keys[k]);
			number = refgroups_find(groups, keys);
		}
		if ((order == REF_BY_NUMBER && group.group != n) || number >= groups->n || groups->groups[number].seen++ ||
			group.rows != groups->groups[number].rows || !ref_compare_group(groups, number, &group))
		{
			diag("group %u of %u", n, groups->n);
			return false;
		}
	}
	return n == groups->n;
}

#endif							/* UNIT_REFGROUPS_H */
