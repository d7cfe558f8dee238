/*-------------------------------------------------------------------------
 *
 * absorb.h
 *	  From vectors of keys and arguments to groups; part of level.h.
 *
 * First every row gets the number of its group, then each aggregate runs over
 * all rows.  Group numbers come from a dense map where the keys span a small
 * range, else from the hash table.
 *
 * Sums take the cheapest exact way that the bounds of the batch allow: with
 * few groups, 64-bit partial sums of the batch in a small array with four
 * lanes (successive rows of one group do not wait for each other), else
 * 128-bit sums in the records; beyond that, states.c row by row.  Numerics of
 * another scale than the sums, or of several, are multiplied on the way.
 *
 *-------------------------------------------------------------------------
 */

static const uint64_t text_masks[GROUP_TEXT_MAX + 1] = {
	0, UINT64_C(0xFF), UINT64_C(0xFFFF), UINT64_C(0xFFFFFF), UINT64_C(0xFFFFFFFF),
	UINT64_C(0xFFFFFFFFFF), UINT64_C(0xFFFFFFFFFFFF), UINT64_C(0xFFFFFFFFFFFFFF)
};

#define KEY_LOOP(expression) \
do { \
	for (uint32_t i = from; i < to; i++) \
	{ \
		const uint32_t e = v->uniform ? 0 : i; \
		words[i] = (expression); \
	} \
} while (0)

/* Words of one key; rows that do not pack lose run->packed. */
static void
absorb_key(EngineRun *run, uint32_t key, uint32_t from, uint32_t to)
{
	const Vector *v = &run->regs[program_keys(run->program)[key].reg];
	uint64_t   *restrict words = run->words[key];

	switch (v->kind)
	{
		case VALUE_BOOL:
			KEY_LOOP(((const uint8_t *) v->data)[e]);
			break;
		case VALUE_INT32:
			KEY_LOOP((uint64_t) (int64_t) ((const int32_t *) v->data)[e]);
			break;
		case VALUE_INT64:
			KEY_LOOP((uint64_t) ((const int64_t *) v->data)[e]);
			break;
		case VALUE_FLOAT64:
			KEY_LOOP(float64_key(((const double *) v->data)[e]));
			break;
		case VALUE_TEXT:
			for (uint32_t i = from; i < to; i++)
			{
				TextView	view = ((const TextView *) v->data)[v->uniform ? 0 : i];
				uint64_t	w = 0;

				if (v->has_null && v->null[v->uniform ? 0 : i])
					view.len = 0;
				if (unlikely_(view.len > GROUP_TEXT_MAX))
					run->packed[i] = 0;
				else if (v->uniform || v->tight)
					w = text_load_short(view.ptr, view.len);
				else if (view.len > 0)
					w = load_u64(view.ptr) & text_masks[view.len];	/* BATCH_PAGE_SLACK */
				words[i] = w | (uint64_t) view.len << 56;
			}
			break;
		case VALUE_NUMERIC:
			for (uint32_t i = from; i < to; i++)
			{
				words[i] = 0;
				if (!(v->has_null && v->null[v->uniform ? 0 : i]) &&
					!group_pack_numeric(vector_numeric(v, i), &words[i]))
					run->packed[i] = 0;
			}
			break;
	}
	if (v->has_null)
		for (uint32_t i = from; i < to; i++)
		{
			if (v->null[v->uniform ? 0 : i])
			{
				words[i] = 0;
				run->nulls[i] |= 1u << key;
			}
		}
}

/* A row's keys as values, for what does not pack. */
static uint32_t
absorb_unpacked(EngineRun *run, uint32_t row)
{
	const Program *program = run->program;
	ProgramValue keys[PROGRAM_MAX_KEYS];

	for (uint32_t k = 0; k < program->nkeys; k++)
	{
		const Vector *v = &run->regs[program_keys(program)[k].reg];
		uint32_t	e = v->uniform ? 0 : row;
		ProgramValue *out = &keys[k];

		memset(out, 0, sizeof *out);
		out->kind = v->kind;
		out->null = v->has_null && v->null[e];
		if (out->null)
			continue;
		switch (v->kind)
		{
			case VALUE_BOOL:
				out->u.integer = ((const uint8_t *) v->data)[e];
				break;
			case VALUE_INT32:
				out->u.integer = ((const int32_t *) v->data)[e];
				break;
			case VALUE_INT64:
				out->u.integer = ((const int64_t *) v->data)[e];
				break;
			case VALUE_FLOAT64:
				out->u.real = ((const double *) v->data)[e];
				break;
			case VALUE_TEXT:
				out->u.ptr = ((const TextView *) v->data)[e].ptr;
				out->len = ((const TextView *) v->data)[e].len;
				break;
			case VALUE_NUMERIC:
				program_value_set_numeric(out, vector_numeric(v, row));
				break;
		}
	}
	run->ordinal = run->batch->ordinal + run->row[row];
	return gpuscan_groups_find_values(run, keys);
}

/* A group met for the first time: keep what its packed key does not say. */
static void
absorb_new_group(EngineRun *run, uint32_t group, uint32_t row)
{
	const Program *program = run->program;

	for (uint32_t k = 0; k < program->nkeys; k++)
		if (run->groups.key_scales[k])
		{
			const Vector *v = &run->regs[program_keys(program)[k].reg];

			run->groups.key_scales[k][group] = v->kind == VALUE_NUMERIC ? (uint8_t) vector_numeric(v, row).scale :
				float64_key_sign(((const double *) v->data)[v->uniform ? 0 : row]);
		}
}

static uint32_t
absorb_lookup(EngineRun *run, uint32_t row, uint32_t hash, bool is_new)
{
	Groups	   *groups = &run->groups;
	uint64_t	words[PROGRAM_MAX_KEYS];
	uint32_t	before = groups->n;
	uint32_t	group;

	for (uint32_t k = 0; k < groups->nkeys; k++)
		words[k] = run->words[k][row];
	run->ordinal = run->batch->ordinal + run->row[row];
	group = is_new ? gpuscan_groups_add(run, words, run->nulls[row], hash) :
		gpuscan_groups_find_packed(run, words, run->nulls[row], hash);
	if (groups->n != before)
		absorb_new_group(run, group, row);
	return group;
}

/*
 * Rows that come out of order may precede the first of their group.
 */
static void
absorb_earlier_rows(EngineRun *run, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;

	for (uint32_t i = from; i < to; i++)
	{
		uint64_t	ordinal = run->batch->ordinal + run->row[i];
		uint64_t   *first = group_first(groups, run->group[i]);

		if (ordinal < *first)
		{
			*first = ordinal;
			absorb_new_group(run, run->group[i], i);
		}
	}
}

/* Make the dense map span these rows, or give it up. */
static void
absorb_widen(EngineRun *run, uint32_t from, uint32_t to)
{
	uint64_t	low[PROGRAM_MAX_KEYS],
				high[PROGRAM_MAX_KEYS];

	for (uint32_t k = 0; k < run->groups.nkeys; k++)
	{
		int64_t		least = INT64_MAX,
					most = INT64_MIN;

		for (uint32_t i = from; i < to; i++)
			if (run->packed[i] && !(run->nulls[i] >> k & 1))
			{
				int64_t		w = (int64_t) run->words[k][i];

				least = w < least ? w : least;
				most = w > most ? w : most;
			}
		low[k] = least <= most ? (uint64_t) least : 0;
		high[k] = least <= most ? (uint64_t) most : 0;
	}
	gpuscan_groups_widen_dense(run, low, high);
}

BODY uint64_t
dense_index(const EngineRun *run, uint32_t row)
{
	const GroupDense *dense = &run->groups.dense;
	uint64_t	index = 0;

	for (uint32_t k = 0; k < run->groups.nkeys; k++)
		index += ((run->nulls[row] >> k & 1) ? dense->range[k] : run->words[k][row] - dense->base[k]) *
			dense->stride[k];
	return index;
}

/* By the dense map; false when some packed row lies outside its span. */
static bool
absorb_find_dense(EngineRun *run, uint32_t from, uint32_t to)
{
	const GroupDense *dense = &run->groups.dense;
	const uint32_t nkeys = run->groups.nkeys;
	const uint32_t *map = dense->map;
	uint32_t   *restrict group = run->group;
	uint32_t	missed = 0;

	for (uint32_t i = from; i < to; i++)
	{
		uint64_t	index = 0;
		bool		inside = true;

		for (uint32_t k = 0; k < nkeys; k++)
		{
			uint64_t	w = run->words[k][i] - dense->base[k];

			if (unlikely_(run->nulls[i] >> k & 1))
				w = dense->range[k];
			else
				inside &= w < dense->range[k];
			index += w * dense->stride[k];
		}
		if (unlikely_(!run->packed[i]))
		{
			run->slow[missed++] = (uint16_t) i;
			continue;
		}
		if (unlikely_(!inside))
			return false;
		group[i] = map[index] - 1;
		if (unlikely_(group[i] == GROUP_NONE))
			run->slow[missed++] = (uint16_t) i;
	}
	for (uint32_t m = 0; m < missed; m++)
	{
		uint32_t	i = run->slow[m];
		uint32_t   *entry;

		if (!run->packed[i])
		{
			group[i] = absorb_unpacked(run, i);
			continue;
		}
		entry = &dense->map[dense_index(run, i)];
		if (*entry == 0)		/* not by an earlier row of this batch either */
		{
			uint32_t	hash = run->nulls[i];

			for (uint32_t k = 0; k < nkeys; k++)
				hash = group_hash_word(hash, run->words[k][i]);
			/* within its span the map knows all groups: this one is new */
			*entry = absorb_lookup(run, i, hash, true) + 1;
		}
		group[i] = *entry - 1;
	}
	return true;
}

static void
absorb_find_hashed(EngineRun *run, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;
	const uint32_t nkeys = groups->nkeys;
	const uint8_t *packed = run->packed;
	const uint32_t *nulls = run->nulls;
	uint32_t   *restrict group = run->group;
	uint32_t   *restrict hashes = run->hash;

	gpuscan_groups_catch_up(run);
	for (uint32_t i = from; i < to; i++)
		hashes[i] = nulls[i];
	for (uint32_t k = 0; k < nkeys; k++)
	{
		const uint64_t *restrict words = run->words[k];

		for (uint32_t i = from; i < to; i++)
			hashes[i] = group_hash_word(hashes[i], words[i]);
	}
	if (groups->n > GROUP_CHUNK)
		for (uint32_t i = from; i < to; i++)
			__builtin_prefetch(&groups->slots[hashes[i] & groups->mask], 0, 2);
	for (uint32_t i = from; i < to; i++)
	{
		if (unlikely_(!packed[i]))
			group[i] = absorb_unpacked(run, i);
		else if (i > from && nkeys == 1 && packed[i - 1] &&
				 run->words[0][i] == run->words[0][i - 1] && nulls[i] == nulls[i - 1])
			group[i] = group[i - 1];	/* sorted input */
		else
		{
			/* the common hit, without a call */
			uint64_t	slot = groups->slots[hashes[i] & groups->mask];
			uint32_t	g = (uint32_t) slot - 1;

			if (likely_(slot != 0 && (uint32_t) (slot >> 32) == hashes[i]))
			{
				const char *record = group_record(groups, g);
				bool		same = *(const uint32_t *) (record + groups->nulls_at) == nulls[i];

				for (uint32_t k = 0; k < nkeys; k++)
					same &= ((const uint64_t *) record)[k] == run->words[k][i];
				if (likely_(same))
				{
					group[i] = g;
					continue;
				}
			}
			group[i] = absorb_lookup(run, i, hashes[i], false);
		}
	}
}

static void
absorb_find_groups(EngineRun *run, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;

	memset(run->packed + from, 1, to - from);
	memset(run->nulls + from, 0, (to - from) * sizeof *run->nulls);
	for (uint32_t k = 0; k < groups->nkeys; k++)
		absorb_key(run, k, from, to);

	while (!groups->dense.given_up)
	{
		if (groups->dense.size && absorb_find_dense(run, from, to))
			return;
		absorb_widen(run, from, to);
	}
	absorb_find_hashed(run, from, to);
}

#define FEW_GROUPS		64

/* Rows without an argument: NULL, or FILTER not true.  NULL when there are none. */
static const uint8_t *
absorb_skips(EngineRun *run, const ProgramAgg *agg, uint32_t from, uint32_t to)
{
	const Vector *arg = agg->arg != PROGRAM_NO_REG ? &run->regs[agg->arg] : NULL;
	const Vector *filter = agg->filter != PROGRAM_NO_REG ? &run->regs[agg->filter] : NULL;
	uint8_t    *flags = run->flags;
	uint8_t		any = 0;

	if (!(arg && arg->has_null) && !filter)
		return NULL;
	for (uint32_t i = from; i < to; i++)
	{
		uint8_t		skip = 0;

		if (arg && arg->has_null)
			skip = arg->null[arg->uniform ? 0 : i];
		if (filter)
			skip |= truth(filter, i) != 1;
		flags[i] = skip;
		any |= skip;
	}
	return any ? flags : NULL;
}

#define ABSORB_LANE(lane, term) \
do { \
	const uint32_t e = i + (lane); \
	lanes[lane][group[e]] += (term); \
} while (0)

/*
 * Add a term of each row, an expression of 'values' (an array of the given
 * type) and the row's element e; their sum over the batch fits in 63 bits.
 * 'factor' raises sums of terms to the scale of the aggregate's.
 */
#define ABSORB_SUM_64(type, term, factor) \
do { \
	const type *restrict values = v->data; \
	if (groups->n == 1 && !skip && !v->uniform) \
	{ \
		int64_t		s = 0; \
		for (uint32_t e = from; e < to; e++) \
			s += (term); \
		*(i128_unaligned *) (group_record(groups, 0) + agg->offset) += (i128) s * (factor); \
	} \
	else if (groups->n <= FEW_GROUPS) \
	{ \
		int64_t		lanes[4][FEW_GROUPS]; \
		uint32_t	i = from; \
		memset(lanes, 0, sizeof lanes); \
		if (!skip && !v->uniform) \
			for (; i + 4 <= to; i += 4) \
			{ \
				ABSORB_LANE(0, term); \
				ABSORB_LANE(1, term); \
				ABSORB_LANE(2, term); \
				ABSORB_LANE(3, term); \
			} \
		for (; i < to; i++) \
			if (!skip || !skip[i]) \
			{ \
				const uint32_t e = v->uniform ? 0 : i; \
				lanes[0][group[i]] += (term); \
			} \
		for (uint32_t g = 0; g < groups->n; g++) \
			*(i128_unaligned *) (group_record(groups, g) + agg->offset) += \
				(i128) (lanes[0][g] + lanes[1][g] + lanes[2][g] + lanes[3][g]) * (factor); \
	} \
	else \
		for (uint32_t i = from; i < to; i++) \
			if (!skip || !skip[i]) \
			{ \
				const uint32_t e = v->uniform ? 0 : i; \
				*(i128_unaligned *) (group_record(groups, group[i]) + agg->offset) += \
					(i128) (term) * (factor); \
			} \
} while (0)

/* 64-bit values that need not sum to 63 bits within a batch */
static void
absorb_sum_int64(EngineRun *run, GroupAgg *agg, const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to)
{
	const int64_t *values = v->data;

	for (uint32_t i = from; i < to; i++)
		if (!skip || !skip[i])
			*(i128_unaligned *) (group_record(&run->groups, run->group[i]) + agg->offset) +=
				values[v->uniform ? 0 : i];
}

/* The least and the largest scale among the rows that have an argument; there are some. */
static void
absorb_scales(const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to, int *least, int *most)
{
	const uint8_t *scales = v->scales;
	uint8_t		low = UINT8_MAX,
				high = 0;

	if (!v->mixed)
	{
		*least = *most = v->scale;
		return;
	}
	for (uint32_t i = from; i < to; i++)
	{
		const uint8_t ignore = skip && skip[i] ? 0xFF : 0;
		const uint8_t for_low = scales[i] | ignore,
					for_high = scales[i] & (uint8_t) ~ignore;

		low = for_low < low ? for_low : low;
		high = for_high > high ? for_high : high;
	}
	*least = low;
	*most = high;
}

/* Note the display scales of the rows, of which 'most' is the largest. */
static void
absorb_dscales(EngineRun *run, GroupAgg *agg, const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to, int most)
{
	const uint32_t *group = run->group;
	uint8_t    *dscales = agg->dscales;
	uint32_t	behind = 1;

	/* as a rule the groups have seen it all */
	if (run->groups.n <= FEW_GROUPS)
	{
		behind = 0;
		for (uint32_t g = 0; g < run->groups.n; g++)
			behind += dscales[g] < most;
	}
	if (behind == 0)
		return;
	for (uint32_t i = from; i < to; i++)
	{
		const uint8_t scale = v->mixed ? v->scales[i] : (uint8_t) most;

		if ((!skip || !skip[i]) && dscales[group[i]] < scale)
			dscales[group[i]] = scale;
	}
}

/* No |mantissa| of the rows that have an argument exceeds this. */
static double
absorb_bound(const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to)
{
	const i128 *values = v->data;
	u128		bits = 0;

	if (!v->wide)
		return (double) v->bound;
	for (uint32_t i = from; i < to; i++)
		if (!skip || !skip[i])
		{
			i128		value = values[v->uniform ? 0 : i];

			bits |= (u128) (value ^ (value >> 127));
		}
	/* one more for negative ones; a conversion rounds by far less than that much */
	return ((double) bits + 1) * (1 + 1e-12);
}

/*
 * Numerics at other scales than the aggregate's sums have, at several ones,
 * or of 128 bits: multiplied up on the way.
 */
static void
absorb_sum_scaled(EngineRun *run, GroupAgg *agg, const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;
	const uint32_t *group = run->group;
	const uint32_t n = to - from;
	int64_t		factors[NUMERIC_SCALE_MAX + 1];
	int64_t		most_factor = 1;
	int			least,
				most;
	double		bound;

	/* what has no argument has no scale either */
	if (skip && memchr(skip + from, 0, n) == NULL)
		return;
	absorb_scales(v, skip, from, to, &least, &most);

	/* while rows are counted without those being added */
	if (agg->scale < 0)
		agg->scale = agg->dscale = most;
	if (least != agg->dscale || most != agg->dscale)
		gpuscan_state_need_dscales(run, agg);
	if (agg->dscales)
		absorb_dscales(run, agg, v, skip, from, to, most);
	if (most > agg->scale)
		gpuscan_state_raise_scale(run, agg, most);

	bound = GROUP_SUM_LIMIT;
	if (!agg->high && agg->scale - least <= NUMERIC_POW10_64)
	{
		most_factor = numeric_pow10_64(agg->scale - least);
		bound = absorb_bound(v, skip, from, to) * (double) most_factor * n;
	}
	if (agg->bound + bound >= GROUP_SUM_LIMIT)
	{
		for (uint32_t i = from; i < to; i++)
			if (!skip || !skip[i])
				gpuscan_state_add_numeric(run, agg, group[i], vector_numeric(v, i));
		return;
	}
	agg->bound += bound;

	if (!v->wide && !v->mixed && (u128) v->bound * n >> 62 == 0)
	{
		ABSORB_SUM_64(int64_t, values[e], most_factor);
		return;
	}
	for (int scale = least; scale <= most; scale++)
		factors[scale] = numeric_pow10_64(agg->scale - scale);
	if (!v->wide && v->mixed && v->bound <= (UINT64_C(1) << 62) / n / (uint64_t) most_factor)
		ABSORB_SUM_64(int64_t, values[e] * factors[v->scales[e]], 1);
	else
		for (uint32_t i = from; i < to; i++)
			if (!skip || !skip[i])
			{
				NumericValue value = vector_numeric(v, i);

				*(i128_unaligned *) (group_record(groups, group[i]) + agg->offset) +=
					value.mantissa * factors[value.scale];
			}
}

static void
absorb_sum_numeric(EngineRun *run, GroupAgg *agg, const Vector *v, const uint8_t *skip, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;
	const uint32_t *group = run->group;
	uint32_t	n = to - from;

	if (!v->wide && !v->mixed && !agg->high && !agg->dscales &&
		agg->scale == v->scale && agg->dscale == v->scale &&
		(u128) v->bound * n >> 62 == 0 &&
		agg->bound + (double) v->bound * n < GROUP_SUM_LIMIT)
	{
		agg->bound += (double) v->bound * n;
		ABSORB_SUM_64(int64_t, values[e], 1);
	}
	else
		absorb_sum_scaled(run, agg, v, skip, from, to);
}

#define ABSORB_MINMAX(type, op) \
do { \
	const type *values = v->data; \
	for (uint32_t i = from; i < to; i++) \
		if (!skip || !skip[i]) \
		{ \
			int64_t    *best = (int64_t *) (group_record(groups, group[i]) + agg->offset); \
			int64_t		x = values[v->uniform ? 0 : i]; \
			*best = x op *best ? x : *best; \
		} \
} while (0)

/*
 * Sums of floating point: one argument after the other.  Where rows of one group
 * come in succession each waits for the one before; there is no other way to the
 * same digits.
 */
#define ABSORB_FLOATS(step) \
do { \
	const double *values = v->data; \
	bool		fits = true; \
	for (uint32_t i = from; i < to; i++) \
		if (!skip || !skip[i]) \
		{ \
			GroupMoments *state = (GroupMoments *) (group_record(groups, group[i]) + agg->offset); \
			const double x = values[v->uniform ? 0 : i]; \
			if (likely_(state->so_far.n >= 0)) \
				fits &= step(&state->so_far, x); \
			else \
				gpuscan_state_keep(run, state, x); \
		} \
	if (unlikely_(!fits)) \
		groups->overflow = OVERFLOW_FLOAT; \
} while (0)

/* 'step' of each argument: an expression of its state (an address) and its value. */
#define ABSORB_EACH(type, step) \
do { \
	const type *values = v->data; \
	for (uint32_t i = from; i < to; i++) \
		if (!skip || !skip[i]) \
		{ \
			char	   *state = group_record(groups, group[i]) + agg->offset; \
			const type	value = values[v->uniform ? 0 : i]; \
			step; \
		} \
} while (0)

#define ABSORB_BITS(type, op)	ABSORB_EACH(type, *(int64_t *) state op value)
#define ABSORB_SQUARES(type)	ABSORB_EACH(type, group_squares_step((GroupSquares *) state, value))

static void
absorb_agg(EngineRun *run, uint32_t number, uint32_t from, uint32_t to)
{
	const ProgramAgg *info = &program_aggs(run->program)[number];
	Groups	   *groups = &run->groups;
	GroupAgg   *agg = &groups->aggs[number];
	const uint32_t *group = run->group;
	const Vector *v = info->arg != PROGRAM_NO_REG ? &run->regs[info->arg] : NULL;
	const uint8_t *skip = absorb_skips(run, info, from, to);

	switch (agg->kind)
	{
		case AGG_COUNT_STAR:
		case AGG_COUNT:
			break;				/* rows less missing */
		case AGG_SUM_INT32:
			ABSORB_SUM_64(int32_t, values[e], 1);
			break;
		case AGG_SUM_INT64:
			absorb_sum_int64(run, agg, v, skip, from, to);
			break;
		case AGG_SUM_NUMERIC:
			absorb_sum_numeric(run, agg, v, skip, from, to);
			break;
		case AGG_MIN_BOOL:
			ABSORB_MINMAX(uint8_t, <);
			break;
		case AGG_MAX_BOOL:
			ABSORB_MINMAX(uint8_t, >);
			break;
		case AGG_MIN_INT32:
			ABSORB_MINMAX(int32_t, <);
			break;
		case AGG_MAX_INT32:
			ABSORB_MINMAX(int32_t, >);
			break;
		case AGG_MIN_INT64:
			ABSORB_MINMAX(int64_t, <);
			break;
		case AGG_MAX_INT64:
			ABSORB_MINMAX(int64_t, >);
			break;
		case AGG_BITAND_INT32:
			ABSORB_BITS(int32_t, &=);
			break;
		case AGG_BITAND_INT64:
			ABSORB_BITS(int64_t, &=);
			break;
		case AGG_BITOR_INT32:
			ABSORB_BITS(int32_t, |=);
			break;
		case AGG_BITOR_INT64:
			ABSORB_BITS(int64_t, |=);
			break;
		case AGG_BITXOR_INT32:
			ABSORB_BITS(int32_t, ^=);
			break;
		case AGG_BITXOR_INT64:
			ABSORB_BITS(int64_t, ^=);
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			for (uint32_t i = from; i < to; i++)
				if (!skip || !skip[i])
					gpuscan_state_minmax_numeric(run, agg, group[i], vector_numeric(v, i),
												 run->batch->ordinal + run->row[i]);
			break;
		case AGG_MIN_FLOAT64:
		case AGG_MAX_FLOAT64:
			for (uint32_t i = from; i < to; i++)
				if (!skip || !skip[i])
				{
					const GroupFloat *best = (const GroupFloat *) (group_record(groups, group[i]) + agg->offset);
					const double x = ((const double *) v->data)[v->uniform ? 0 : i];

					/* most are no better than what is there */
					if (agg->kind == AGG_MIN_FLOAT64 ? !(x > best->value) : !(x < best->value))
						gpuscan_state_minmax_float(run, agg, group[i], x, run->batch->ordinal + run->row[i]);
				}
			break;
		case AGG_SUM_FLOAT32:
			ABSORB_FLOATS(float32_sum_step);
			break;
		case AGG_SUM_FLOAT64:
			ABSORB_FLOATS(float64_sum_step);
			break;
		case AGG_MOMENTS_FLOAT64:
			ABSORB_FLOATS(float64_moments_step);
			break;
		case AGG_MOMENTS_INT32:
			ABSORB_SQUARES(int32_t);
			break;
		case AGG_MOMENTS_INT64:
			ABSORB_SQUARES(int64_t);
			break;
		case AGG_MIN_INTERVAL:
		case AGG_MAX_INTERVAL:
		case AGG_SUM_INTERVAL:
			for (uint32_t i = from; i < to; i++)
				if (!skip || !skip[i])
					gpuscan_state_step_interval(run, agg, group[i], ((const TextView *) v->data)[v->uniform ? 0 : i],
												run->batch->ordinal + run->row[i]);
			break;
		case AGG_MIN_TEXT:
		case AGG_MAX_TEXT:
			for (uint32_t i = from; i < to; i++)
				if (!skip || !skip[i])
				{
					const GroupText *best = (const GroupText *) (group_record(groups, group[i]) + agg->offset);
					const TextView value = ((const TextView *) v->data)[v->uniform ? 0 : i];
					int			order = 1;

					/* most are no better than what is there */
					if (likely_(best->room > 0))
					{
						order = text_compare(value, (TextView) {best->bytes, best->len, 0});
						order = agg->kind == AGG_MIN_TEXT ? -order : order;
					}
					if (unlikely_(order > 0))
						gpuscan_state_minmax_text(run, agg, group[i], value);
				}
			break;
	}
	if (skip)
	{
		if (!agg->missing)
			gpuscan_state_need_missing(run, agg);
		for (uint32_t i = from; i < to; i++)
			agg->missing[group[i]] += skip[i];
	}
}

static void
count_rows(EngineRun *run, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;
	const uint32_t *group = run->group;

	if (groups->nkeys == 0)
		*(int64_t *) (group_record(groups, 0) + groups->rows_at) += to - from;
	else if (groups->n <= FEW_GROUPS)
	{
		uint32_t	lanes[4][FEW_GROUPS];
		uint32_t	i = from;

		memset(lanes, 0, sizeof lanes);
		for (; i + 4 <= to; i += 4)
		{
			lanes[0][group[i]]++;
			lanes[1][group[i + 1]]++;
			lanes[2][group[i + 2]]++;
			lanes[3][group[i + 3]]++;
		}
		for (; i < to; i++)
			lanes[0][group[i]]++;
		for (uint32_t g = 0; g < groups->n; g++)
			*(int64_t *) (group_record(groups, g) + groups->rows_at) +=
				(int64_t) lanes[0][g] + lanes[1][g] + lanes[2][g] + lanes[3][g];
	}
	else
		for (uint32_t i = from; i < to; i++)
			++*(int64_t *) (group_record(groups, group[i]) + groups->rows_at);
}

static void
absorb_rows(EngineRun *run, uint32_t from, uint32_t to)
{
	Groups	   *groups = &run->groups;

	if (from >= to)
		return;
	run->ordinal = run->batch->ordinal + run->row[from];
	if (groups->nkeys == 0)
	{
		gpuscan_groups_find_only(run);
		memset(run->group + from, 0, (to - from) * sizeof *run->group);
	}
	else
	{
		absorb_find_groups(run, from, to);
		if (unlikely_(groups->disordered))
			absorb_earlier_rows(run, from, to);
	}

	/* rows are counted last: a state can tell whether its group had an argument before */
	for (uint32_t a = 0; a < groups->naggs; a++)
		absorb_agg(run, a, from, to);
	count_rows(run, from, to);
}
