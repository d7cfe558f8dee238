/*-------------------------------------------------------------------------
 *
 * groups.c
 *	  The table of groups: records, hash table, dense map, spilling format.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cpu/cpu.h"

#define SLOTS_FIRST			1024
#define DENSE_SLOTS_SMALL	(UINT64_C(1) << 16) /* always affordable */
#define DENSE_SLOTS_A_GROUP	8
#define DENSE_SLOTS_MAX		(UINT64_C(1) << 24)
#define ARENA_CHUNK			65536

typedef struct GroupArena
{
	struct GroupArena *next;
	char		bytes[];
} GroupArena;

#define MEM_ALLOC(run, size)	((run)->memory->alloc((run)->memory->context, (size)))
#define MEM_FREE(run, p)		((run)->memory->free((run)->memory->context, (p)))

static inline uint32_t *
record_nulls(const Groups *groups, uint32_t group)
{
	return (uint32_t *) (group_record(groups, group) + groups->nulls_at);
}

static inline uint32_t *
record_hash(const Groups *groups, uint32_t group)
{
	return (uint32_t *) (group_record(groups, group) + groups->hash_at);
}

static inline int64_t *
record_rows(const Groups *groups, uint32_t group)
{
	return (int64_t *) (group_record(groups, group) + groups->rows_at);
}

void
gpuscan_groups_init(EngineRun *run)
{
	const Program *program = run->program;
	Groups	   *groups = &run->groups;

	groups->nkeys = program->nkeys;
	groups->naggs = program->naggs;
	groups->nulls_at = groups->nkeys * 8;
	groups->hash_at = groups->nulls_at + 4;
	groups->rows_at = groups->hash_at + 4;
	groups->first_at = groups->rows_at + 8;
	groups->record = groups->first_at + 8;
	groups->aggs = gpuscan_cpu_alloc(run, (program->naggs + 1) * sizeof(GroupAgg));
	for (uint32_t a = 0; a < program->naggs; a++)
	{
		groups->aggs[a].kind = program_aggs(program)[a].kind;
		groups->aggs[a].offset = groups->record;
		groups->aggs[a].scale = groups->aggs[a].dscale = -1;
		groups->record += gpuscan_state_size(groups->aggs[a].kind);
	}
	groups->key_types = gpuscan_cpu_alloc(run, program->nkeys + 1);
	groups->key_scales = gpuscan_cpu_alloc(run, (program->nkeys + 1) * sizeof(uint8_t *));
	groups->side_room = GROUP_CHUNK;
	for (uint32_t k = 0; k < program->nkeys; k++)
	{
		groups->key_types[k] = program_keys(program)[k].type;
		if (groups->key_types[k] == TYPE_NUMERIC || gpuscan_type_info[groups->key_types[k]].kind == VALUE_FLOAT64)
			groups->key_scales[k] = MEM_ALLOC(run, groups->side_room);
	}
	groups->mask = SLOTS_FIRST - 1;
	groups->slots = MEM_ALLOC(run, SLOTS_FIRST * sizeof(uint64_t));
	memset(groups->slots, 0, SLOTS_FIRST * sizeof(uint64_t));
	run->out_keys = gpuscan_cpu_alloc(run, (program->nkeys + 1) * sizeof(ProgramValue));
	run->out_aggs = gpuscan_cpu_alloc(run, (program->naggs + 1) * sizeof(EngineAggState));
}

/* Bytes in use: what a limit such as hash_mem is held against. */
size_t
gpuscan_groups_memory(const Groups *groups)
{
	size_t		per_group = groups->record;

	for (uint32_t k = 0; k < groups->nkeys; k++)
		per_group += groups->key_scales[k] != NULL;
	for (uint32_t a = 0; a < groups->naggs; a++)
		per_group += (groups->aggs[a].missing ? 8 : 0) + (groups->aggs[a].dscales ? 1 : 0) +
			(groups->aggs[a].high ? sizeof *groups->aggs[a].high : 0);
	return groups->n * per_group + groups->blob_bytes + groups->text_bytes + groups->nlog * sizeof *groups->log +
		(groups->n > SLOTS_FIRST / 2 ? (groups->mask + 1) * sizeof(uint64_t) : 0) +
		(groups->dense.size > DENSE_SLOTS_SMALL ? groups->dense.size * sizeof(uint32_t) : 0);
}

static void *
grow_side(EngineRun *run, void *array, uint32_t from, uint32_t to, size_t element)
{
	char	   *grown = run->memory->realloc(run->memory->context, array, from * element, to * element);

	memset(grown + from * element, 0, (to - from) * element);
	return grown;
}

/* Room for one more group. */
static void
groups_grow(EngineRun *run)
{
	Groups	   *groups = &run->groups;

	if (groups->nchunks == groups->chunk_slots)
	{
		uint32_t	slots = groups->chunk_slots ? 2 * groups->chunk_slots : 64;
		char	  **chunks = MEM_ALLOC(run, 2 * slots * sizeof(char *));

		if (groups->chunks)
		{
			memcpy(chunks, groups->chunks, groups->nchunks * sizeof(char *));
			memcpy(chunks + slots, groups->slabs, groups->nslabs * sizeof(char *));
			MEM_FREE(run, groups->chunks);
		}
		groups->chunks = chunks;
		groups->slabs = chunks + slots;
		groups->chunk_slots = slots;
	}
	if (groups->spare == 0)
	{
		/* several chunks at a time when there are many: fewer, larger pieces */
		groups->spare = groups->nchunks < 16 ? 1 : 16;
		groups->slab = MEM_ALLOC(run, (size_t) groups->record * GROUP_CHUNK * groups->spare);
		groups->slabs[groups->nslabs++] = groups->slab;
	}
	groups->chunks[groups->nchunks++] = groups->slab;
	groups->slab += (size_t) groups->record * GROUP_CHUNK;
	groups->spare--;
	groups->room += GROUP_CHUNK;
	if (groups->room > groups->side_room)
	{
		uint32_t	from = groups->side_room,
					to = 2 * from;

		for (uint32_t k = 0; k < groups->nkeys; k++)
			if (groups->key_scales[k])
				groups->key_scales[k] = grow_side(run, groups->key_scales[k], from, to, 1);
		for (uint32_t a = 0; a < groups->naggs; a++)
		{
			GroupAgg   *agg = &groups->aggs[a];

			if (agg->missing)
				agg->missing = grow_side(run, agg->missing, from, to, sizeof *agg->missing);
			if (agg->high)
				agg->high = grow_side(run, agg->high, from, to, sizeof *agg->high);
			if (agg->dscales)
				agg->dscales = grow_side(run, agg->dscales, from, to, 1);
		}
		groups->side_room = to;
	}
}

static void
slots_insert(Groups *groups, uint32_t hash, uint32_t group)
{
	uint64_t	at = hash & groups->mask;

	while (groups->slots[at] != 0)
		at = (at + 1) & groups->mask;
	groups->slots[at] = (uint64_t) hash << 32 | (group + 1);
}

static void
slots_grow(EngineRun *run)
{
	Groups	   *groups = &run->groups;
	uint64_t	size = 2 * (groups->mask + 1);

	while (size < 4 * (uint64_t) groups->n)
		size *= 2;
	MEM_FREE(run, groups->slots);
	groups->slots = MEM_ALLOC(run, size * sizeof(uint64_t));
	memset(groups->slots, 0, size * sizeof(uint64_t));
	groups->mask = size - 1;
	groups->hashed = 0;
}

/*
 * The hash table is filled when it is asked: as long as the dense map answers
 * for all keys, it stays empty.
 */
void
gpuscan_groups_catch_up(EngineRun *run)
{
	Groups	   *groups = &run->groups;

	if (2 * (uint64_t) groups->n >= groups->mask)
		slots_grow(run);
	for (; groups->hashed < groups->n; groups->hashed++)
		slots_insert(groups, *record_hash(groups, groups->hashed), groups->hashed);
}

/* A new group, not looked for before.  words: nkeys of them. */
uint32_t
gpuscan_groups_add(EngineRun *run, const uint64_t *words, uint32_t nulls, uint32_t hash)
{
	Groups	   *groups = &run->groups;
	uint32_t	group = groups->n;
	char	   *record;

	if (group == groups->room)
		groups_grow(run);
	groups->n++;
	record = group_record(groups, group);
	if (groups->nkeys)
		memcpy(record, words, groups->nkeys * sizeof(uint64_t));
	*record_nulls(groups, group) = nulls;
	*record_hash(groups, group) = hash;
	*record_rows(groups, group) = 0;
	*group_first(groups, group) = run->ordinal;
	for (uint32_t a = 0; a < groups->naggs; a++)
	{
		gpuscan_state_init(&groups->aggs[a], record, groups->detached);
		if (groups->aggs[a].missing)
			groups->aggs[a].missing[group] = 0;
		if (groups->aggs[a].high)
			memset(groups->aggs[a].high[group], 0, sizeof *groups->aggs[a].high);
		if (groups->aggs[a].dscales)
			groups->aggs[a].dscales[group] = 0;
	}
	return group;
}

/* Enter a group into the dense map, if it lies within the map's span. */
static void
dense_enter(Groups *groups, uint32_t group)
{
	const GroupDense *dense = &groups->dense;
	const uint64_t *words = (const uint64_t *) group_record(groups, group);
	uint32_t	nulls = *record_nulls(groups, group);
	uint64_t	index = 0;

	if (nulls == GROUP_BLOB)
		return;
	for (uint32_t k = 0; k < groups->nkeys; k++)
	{
		bool		null = (nulls >> k & 1) != 0;
		uint64_t	w = null ? dense->range[k] : words[k] - dense->base[k];

		if (!null && w >= dense->range[k])
			return;
		index += w * dense->stride[k];
	}
	dense->map[index] = group + 1;
}

uint32_t
gpuscan_groups_find_packed(EngineRun *run, const uint64_t *words, uint32_t nulls, uint32_t hash)
{
	Groups	   *groups = &run->groups;

	gpuscan_groups_catch_up(run);
	for (uint64_t at = hash & groups->mask;; at = (at + 1) & groups->mask)
	{
		uint64_t	slot = groups->slots[at];
		uint32_t	group = (uint32_t) slot - 1;

		if (slot == 0)
		{
			group = gpuscan_groups_add(run, words, nulls, hash);
			if (groups->dense.size)
				dense_enter(groups, group);	/* the map knows all groups within its span */
			return group;
		}
		if ((uint32_t) (slot >> 32) == hash && *record_nulls(groups, group) == nulls &&
			memcmp(group_record(groups, group), words, groups->nkeys * sizeof(uint64_t)) == 0)
			return group;
	}
}

/* ------------------------------------------------------------------------
 * Blobs: keys that do not pack, as bytes
 *
 *	   per key one tag byte, then: NULL nothing; integers 8 bytes; numeric its
 *	   canonical scale and 16 bytes; text and foreign a length and the bytes
 * ------------------------------------------------------------------------
 */

enum
{
	BLOB_NULL, BLOB_INTEGER, BLOB_NUMERIC, BLOB_TEXT, BLOB_FOREIGN
};

static bool
group_pack(const ProgramValue *value, uint64_t *word)
{
	*word = 0;
	if (value->null)
		return true;
	if (value->foreign)
		return false;
	switch (value->kind)
	{
		case VALUE_TEXT:
			if (value->len > GROUP_TEXT_MAX)
				return false;
			memcpy(word, value->u.ptr, value->len);
			*word |= (uint64_t) value->len << 56;
			return true;
		case VALUE_NUMERIC:
			return group_pack_numeric(program_value_numeric(value), word);
		case VALUE_FLOAT64:
			*word = float64_key(value->u.real);
			return true;
		default:
			*word = (uint64_t) value->u.integer;
			return true;
	}
}

static size_t
blob_encode(const ProgramValue *value, char *out)
{
	if (value->null)
	{
		out[0] = BLOB_NULL;
		return 1;
	}
	if (value->foreign || value->kind == VALUE_TEXT)
	{
		out[0] = value->foreign ? BLOB_FOREIGN : BLOB_TEXT;
		memcpy(out + 1, &value->len, 4);
		memcpy(out + 5, value->u.ptr, value->len);
		return 5 + (size_t) value->len;
	}
	if (value->kind == VALUE_NUMERIC)
	{
		NumericValue v = numeric_canonical(program_value_numeric(value));

		out[0] = BLOB_NUMERIC;
		out[1] = (char) v.scale;
		memcpy(out + 2, &v.mantissa, 16);
		return 18;
	}
	out[0] = BLOB_INTEGER;
	if (value->kind == VALUE_FLOAT64)
	{
		const uint64_t word = float64_key(value->u.real);

		memcpy(out + 1, &word, 8);
	}
	else
		memcpy(out + 1, &value->u.integer, 8);
	return 9;
}

static const char *
blob_decode(const char *in, uint8_t kind, ProgramValue *value)
{
	memset(value, 0, sizeof *value);
	value->kind = kind;
	switch (*in++)
	{
		case BLOB_NULL:
			value->null = 1;
			return in;
		case BLOB_INTEGER:
			memcpy(&value->u.integer, in, 8);
			return in + 8;
		case BLOB_NUMERIC:
			{
				NumericValue v;

				v.scale = (uint8_t) *in;
				memcpy(&v.mantissa, in + 1, 16);
				program_value_set_numeric(value, v);
				return in + 17;
			}
		default:
			value->foreign = in[-1] == BLOB_FOREIGN;
			memcpy(&value->len, in, 4);
			value->u.ptr = in + 4;
			return in + 4 + value->len;
	}
}

/* How a key is shown that is not foreign: what its word or blob does not say */
static uint8_t
key_shown(const ProgramValue *key)
{
	if (key->null || key->foreign)
		return 0;
	return key->kind == VALUE_NUMERIC ? (uint8_t) key->scale : float64_key_sign(key->u.real);
}

static uint32_t
blob_hash(const char *blob, size_t len)
{
	uint32_t	hash = (uint32_t) len;

	for (; len > 0;)
	{
		uint64_t	word = 0;
		size_t		part = len < 8 ? len : 8;

		memcpy(&word, blob, part);
		hash = group_hash_word(hash, word);
		blob += part;
		len -= part;
	}
	return hash;
}

static uint32_t
groups_find_blob(EngineRun *run, const char *blob, uint32_t len)
{
	Groups	   *groups = &run->groups;
	uint32_t	hash = blob_hash(blob, len);
	uint64_t	words[PROGRAM_MAX_KEYS] = {0};
	size_t		need = ((size_t) len + 4 + 7) & ~(size_t) 7;
	char	   *copy;

	gpuscan_groups_catch_up(run);
	for (uint64_t at = hash & groups->mask;; at = (at + 1) & groups->mask)
	{
		uint64_t	slot = groups->slots[at];
		uint32_t	group = (uint32_t) slot - 1;
		const char *known;

		if (slot == 0)
			break;
		if ((uint32_t) (slot >> 32) != hash || *record_nulls(groups, group) != GROUP_BLOB)
			continue;
		memcpy(&known, group_record(groups, group), sizeof known);
		if (load_u32(known) == len && memcmp(known + 4, blob, len) == 0)
			return group;
	}

	if (groups->arena_left < need)
	{
		size_t		size = need > ARENA_CHUNK / 4 ? need : ARENA_CHUNK;
		GroupArena *arena = MEM_ALLOC(run, sizeof(GroupArena) + size);

		arena->next = groups->arena;
		groups->arena = arena;
		groups->arena_left = size;
	}
	groups->arena_left -= need;
	copy = groups->arena->bytes + groups->arena_left;
	groups->blob_bytes += need;
	memcpy(copy, &len, 4);
	memcpy(copy + 4, blob, len);
	memcpy(&words[0], &copy, sizeof copy);
	return gpuscan_groups_add(run, words, GROUP_BLOB, hash);
}

/* A group of other rows joins those here. */
static void
note_arrival(Groups *groups, uint64_t first)
{
	if (first < groups->newest)
		groups->disordered = true;
	else
		groups->newest = first + 1;
}

/* The row looked up may precede those that its group has had. */
static bool
comes_first(EngineRun *run, uint32_t group)
{
	uint64_t   *first = group_first(&run->groups, group);

	if (run->ordinal > *first)
		return false;
	*first = run->ordinal;
	return true;
}

/* The only group, when there are no keys. */
uint32_t
gpuscan_groups_find_only(EngineRun *run)
{
	if (run->groups.n == 0)
		return gpuscan_groups_add(run, NULL, 0, 0);
	comes_first(run, 0);
	return 0;
}

/* The group of keys given as values; made when there is none. */
uint32_t
gpuscan_groups_find_values(EngineRun *run, const ProgramValue *keys)
{
	Groups	   *groups = &run->groups;
	uint64_t	words[PROGRAM_MAX_KEYS];
	uint32_t	nulls = 0,
				hash;
	uint32_t	group;
	bool		packed = true;

	for (uint32_t k = 0; k < groups->nkeys; k++)
	{
		packed &= group_pack(&keys[k], &words[k]);
		nulls |= (uint32_t) (keys[k].null != 0) << k;
	}
	if (packed)
	{
		hash = nulls;
		for (uint32_t k = 0; k < groups->nkeys; k++)
			hash = group_hash_word(hash, words[k]);
		group = gpuscan_groups_find_packed(run, words, nulls, hash);
	}
	else
	{
		size_t		need = 0;
		char	   *out;

		for (uint32_t k = 0; k < groups->nkeys; k++)
			need += 18 + (size_t) (keys[k].foreign || keys[k].kind == VALUE_TEXT ? keys[k].len : 0);
		if (need > run->blob_room)
		{
			if (run->blob)
				MEM_FREE(run, run->blob);
			run->blob = MEM_ALLOC(run, 2 * need);
			run->blob_room = 2 * need;
		}
		out = run->blob;
		for (uint32_t k = 0; k < groups->nkeys; k++)
			out += blob_encode(&keys[k], out);
		group = groups_find_blob(run, run->blob, (uint32_t) (out - run->blob));
	}
	if (comes_first(run, group))
		for (uint32_t k = 0; k < groups->nkeys; k++)
			if (groups->key_scales[k])
				groups->key_scales[k][group] = key_shown(&keys[k]);
	return group;
}

/* ------------------------------------------------------------------------
 * Dense map
 * ------------------------------------------------------------------------
 */

/*
 * Make the map span [low, high] of each key as well as what it spans already,
 * with room on either side, or give it up when that would be too many slots
 * for the groups there are.
 */
void
gpuscan_groups_widen_dense(EngineRun *run, const uint64_t *low, const uint64_t *high)
{
	Groups	   *groups = &run->groups;
	GroupDense *dense = &groups->dense;
	uint64_t	slots = 1;
	uint64_t	limit = DENSE_SLOTS_SMALL;

	/* a larger map is worth its memory when groups fill a part of it */
	if (DENSE_SLOTS_A_GROUP * (uint64_t) groups->n > limit)
		limit = DENSE_SLOTS_A_GROUP * (uint64_t) groups->n;
	if (limit > DENSE_SLOTS_MAX)
		limit = DENSE_SLOTS_MAX;

	for (uint32_t k = 0; k < groups->nkeys && !dense->given_up; k++)
	{
		int64_t		least = (int64_t) low[k],
					most = (int64_t) high[k];
		bool		down = true,
					up = true;
		uint64_t	range;

		if (dense->size && dense->range[k] > 0)
		{
			int64_t		old_least = (int64_t) dense->base[k],
						old_most = old_least + (int64_t) dense->range[k] - 1;

			down = least < old_least;
			up = most > old_most;
			least = down ? least : old_least;
			most = up ? most : old_most;
		}
		range = (uint64_t) most - (uint64_t) least + 1;
		if (range == 0 || range > limit || least < INT64_MIN / 2 || most > INT64_MAX / 2)
		{
			dense->given_up = true;
			break;
		}
		/* the next batches will bring more on the side that was exceeded: grow by
		 * a part of the whole, so that rebuilding costs little in all */
		if (down)
			least -= (int64_t) (range / 2);
		if (up)
			most += (int64_t) (range / 2);
		range = (uint64_t) most - (uint64_t) least + 1;
		dense->base[k] = (uint64_t) least;
		dense->range[k] = range;
		dense->stride[k] = slots;
		slots *= range + 1;
		dense->given_up = slots > limit;
	}
	if (dense->map)
		MEM_FREE(run, dense->map);
	dense->map = NULL;
	dense->size = 0;
	if (dense->given_up)
		return;
	dense->map = MEM_ALLOC(run, slots * sizeof(uint32_t));
	memset(dense->map, 0, slots * sizeof(uint32_t));
	dense->size = slots;
	for (uint32_t g = 0; g < groups->n; g++)
		dense_enter(groups, g);
}

/* ------------------------------------------------------------------------
 * Out, and to files and back
 * ------------------------------------------------------------------------
 */

void
gpuscan_groups_out(EngineRun *run, uint32_t group, EngineGroup *out)
{
	Groups	   *groups = &run->groups;
	const char *record = group_record(groups, group);
	uint32_t	nulls = *record_nulls(groups, group);
	const char *blob = NULL;

	out->group = group;
	out->first = *group_first(groups, group);
	out->rows = *record_rows(groups, group);
	out->keys = run->out_keys;
	out->aggs = run->out_aggs;
	if (nulls == GROUP_BLOB)
	{
		memcpy(&blob, record, sizeof blob);
		blob += 4;
	}
	for (uint32_t k = 0; k < groups->nkeys; k++)
	{
		ProgramValue *value = &run->out_keys[k];
		uint8_t		kind = gpuscan_type_info[groups->key_types[k]].kind;

		if (blob)
			blob = blob_decode(blob, kind, value);
		else
		{
			uint64_t	word = ((const uint64_t *) record)[k];

			memset(value, 0, sizeof *value);
			value->kind = kind;
			value->null = nulls >> k & 1;
			if (kind == VALUE_TEXT)
			{
				value->u.ptr = (const char *) ((const uint64_t *) record + k);
				value->len = (uint32_t) (word >> 56);
			}
			else if (kind == VALUE_NUMERIC)
			{
				NumericValue v;

				v.mantissa = (int64_t) word >> 6;
				v.scale = (int32_t) (word & 63);
				program_value_set_numeric(value, v);
			}
			else
				value->u.integer = (int64_t) word;
		}
		/* shown with the scale of the first row that had it */
		if (kind == VALUE_NUMERIC && !value->null && !value->foreign)
		{
			NumericValue v = program_value_numeric(value);
			int			scale = groups->key_scales[k][group];

			if (numeric_rescale(v.mantissa, v.scale, scale, &v.mantissa))
				v.scale = scale;
			program_value_set_numeric(value, v);
		}
		else if (kind == VALUE_FLOAT64 && !value->null)
			value->u.real = float64_from_key((uint64_t) value->u.integer, groups->key_scales[k][group] != 0);
	}
	for (uint32_t a = 0; a < groups->naggs; a++)
		gpuscan_state_out(run, group, a, &run->out_aggs[a]);
}

void
gpuscan_groups_reset(EngineRun *run)
{
	Groups	   *groups = &run->groups;

	for (uint32_t a = 0; a < groups->naggs; a++)
		gpuscan_state_free_texts(run, &groups->aggs[a]);
	groups->text_bytes = 0;
	while (groups->nslabs > 1)
		MEM_FREE(run, groups->slabs[--groups->nslabs]);
	groups->nchunks = groups->nslabs;
	groups->spare = 0;
	groups->room = groups->nchunks * GROUP_CHUNK;
	groups->n = groups->hashed = 0;
	if (groups->mask + 1 > SLOTS_FIRST)
	{
		MEM_FREE(run, groups->slots);
		groups->slots = MEM_ALLOC(run, SLOTS_FIRST * sizeof(uint64_t));
		groups->mask = SLOTS_FIRST - 1;
	}
	memset(groups->slots, 0, SLOTS_FIRST * sizeof(uint64_t));
	if (groups->order)
		MEM_FREE(run, groups->order);
	groups->order = NULL;
	groups->newest = 0;
	groups->disordered = false;
	groups->detached = false;
	groups->overflow = OVERFLOW_NONE;
	if (groups->log)
		MEM_FREE(run, groups->log);
	groups->log = NULL;
	groups->nlog = groups->log_room = 0;
	if (groups->dense.map)
		MEM_FREE(run, groups->dense.map);
	memset(&groups->dense, 0, sizeof groups->dense);
	for (GroupArena *arena = groups->arena, *next; arena; arena = next)
	{
		next = arena->next;
		MEM_FREE(run, arena);
	}
	groups->arena = NULL;
	groups->arena_left = groups->blob_bytes = 0;
	for (uint32_t a = 0; a < groups->naggs; a++)
	{
		GroupAgg   *agg = &groups->aggs[a];

		if (agg->missing)
			MEM_FREE(run, agg->missing);
		if (agg->high)
			MEM_FREE(run, agg->high);
		if (agg->dscales)
			MEM_FREE(run, agg->dscales);
		agg->missing = NULL;
		agg->high = NULL;
		agg->dscales = NULL;
		agg->scale = agg->dscale = -1;
		agg->bound = 0;
	}
}

/*
 * A dumped group: uint32 hash, uint32 nulls (or GROUP_BLOB), then the words or
 * the blob with its length, a scale byte for each numeric key, int64 rows,
 * uint64 first, and the states.
 */
size_t
gpuscan_groups_dump(EngineRun *run, uint32_t group, char *buf, size_t room, uint32_t *hash)
{
	Groups	   *groups = &run->groups;
	const char *record = group_record(groups, group);
	uint32_t	nulls = *record_nulls(groups, group);
	const char *blob = NULL;
	uint32_t	blob_len = 0;
	size_t		need;
	char	   *out = buf;

	*hash = *record_hash(groups, group);
	if (nulls == GROUP_BLOB)
	{
		memcpy(&blob, record, sizeof blob);
		blob_len = load_u32(blob);
	}
	need = 8 + (blob ? 4 + (size_t) blob_len : groups->nkeys * 8) + groups->nkeys + 16;
	for (uint32_t a = 0; a < groups->naggs; a++)
		need += gpuscan_state_dump_size(run, group, a);
	if (need > room)
		return need;
	memcpy(out, hash, 4);
	memcpy(out + 4, &nulls, 4);
	out += 8;
	if (blob)
	{
		memcpy(out, blob, 4 + (size_t) blob_len);
		out += 4 + blob_len;
	}
	else
	{
		memcpy(out, record, groups->nkeys * 8);
		out += groups->nkeys * 8;
	}
	for (uint32_t k = 0; k < groups->nkeys; k++)
		if (groups->key_scales[k])
			*out++ = (char) groups->key_scales[k][group];
	memcpy(out, record_rows(groups, group), 8);
	memcpy(out + 8, group_first(groups, group), 8);
	out += 16;
	for (uint32_t a = 0; a < groups->naggs; a++)
		out += gpuscan_state_dump(run, group, a, out);
	return (size_t) (out - buf);
}

uint32_t
gpuscan_groups_merge(EngineRun *run, const char *buf, size_t size)
{
	Groups	   *groups = &run->groups;
	uint32_t	hash = load_u32(buf);
	uint32_t	nulls = load_u32(buf + 4);
	const char *scales;
	uint32_t	group;
	int64_t		rows;

	(void) size;
	run->ordinal = UINT64_MAX;
	buf += 8;
	if (nulls == GROUP_BLOB)
	{
		uint32_t	len = load_u32(buf);

		group = groups_find_blob(run, buf + 4, len);
		buf += 4 + (size_t) len;
	}
	else if (groups->nkeys == 0)
		group = gpuscan_groups_find_only(run);
	else
	{
		uint64_t	words[PROGRAM_MAX_KEYS];

		memcpy(words, buf, groups->nkeys * 8);
		group = gpuscan_groups_find_packed(run, words, nulls, hash);
		buf += groups->nkeys * 8;
	}
	scales = buf;
	for (uint32_t k = 0; k < groups->nkeys; k++)
		buf += groups->key_scales[k] != NULL;
	memcpy(&rows, buf, 8);
	memcpy(&run->ordinal, buf + 8, 8);
	buf += 16;
	note_arrival(groups, run->ordinal);
	if (comes_first(run, group))
		for (uint32_t k = 0; k < groups->nkeys; k++)
			if (groups->key_scales[k])
				groups->key_scales[k][group] = (uint8_t) *scales++;
	for (uint32_t a = 0; a < groups->naggs; a++)
		buf = gpuscan_state_merge(run, group, a, buf);
	*record_rows(groups, group) += rows;
	return group;
}

/*
 * A group of another engine.  Its states are exact partial results of rows that
 * are not in ours.
 */
uint32_t
gpuscan_groups_add_values(EngineRun *run, const EngineGroup *from)
{
	Groups	   *groups = &run->groups;
	uint32_t	group;

	run->ordinal = from->first;
	group = groups->nkeys == 0 ? gpuscan_groups_find_only(run) : gpuscan_groups_find_values(run, from->keys);
	for (uint32_t a = 0; a < groups->naggs; a++)
		gpuscan_state_add(run, group, a, &from->aggs[a]);

	/* rows are counted last: state_count tells what was there before */
	for (uint32_t a = 0; a < groups->naggs; a++)
		if (from->aggs[a].count != from->rows)
		{
			gpuscan_state_need_missing(run, &groups->aggs[a]);
			groups->aggs[a].missing[group] += from->rows - from->aggs[a].count;
		}
	*record_rows(groups, group) += from->rows;
	note_arrival(groups, from->first);
	return group;
}

typedef struct FirstRow
{
	uint64_t	first;
	uint32_t	group;
} FirstRow;

#define SORT_BITS	11

/* Order groups by their first rows: by digits of the ordinals, the least one first. */
void
gpuscan_groups_sort(EngineRun *run)
{
	Groups	   *groups = &run->groups;
	uint32_t	n = groups->n;
	FirstRow   *rows = MEM_ALLOC(run, 2 * (size_t) n * sizeof(FirstRow));
	FirstRow   *from = rows,
			   *to = rows + n;
	uint64_t	all = 0;

	for (uint32_t g = 0; g < n; g++)
	{
		from[g].first = *group_first(groups, g);
		from[g].group = g;
		all |= from[g].first;
	}
	for (int shift = 0; shift < 64 && all >> shift != 0; shift += SORT_BITS)
	{
		uint32_t	starts[(1 << SORT_BITS) + 1] = {0};
		FirstRow   *swap = from;

		for (uint32_t i = 0; i < n; i++)
			starts[(from[i].first >> shift & ((1 << SORT_BITS) - 1)) + 1]++;
		for (int d = 0; d < 1 << SORT_BITS; d++)
			starts[d + 1] += starts[d];
		for (uint32_t i = 0; i < n; i++)
			to[starts[from[i].first >> shift & ((1 << SORT_BITS) - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (groups->order)
		MEM_FREE(run, groups->order);
	groups->order = MEM_ALLOC(run, ((size_t) n + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++)
		groups->order[i] = from[i].group;
	MEM_FREE(run, rows);
}
