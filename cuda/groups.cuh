/*-------------------------------------------------------------------------
 *
 * groups.cuh
 *	  Keys as words, and the tables of groups: one in device memory, and a
 *	  small one in each block's shared memory before it.
 *
 * Both are open addressing, and a key enters word by word: compare-and-swap of
 * DEVICE_KEY_EMPTY with the word.  Who finds another word there goes on to the
 * next place.  A word never changes once it is set, and a place is emptied
 * only between kernels; so equal keys take the same way and end in the same
 * place, no thread waits for another, and a place whose first word is set will
 * be completed by one of those who agree on all words so far.  It is counted
 * when its first word is set.
 *
 * The first word holds the upper half of the key's hash and the NULL flags; it
 * has its lowest bit set, so it is not DEVICE_KEY_EMPTY, and tells most other
 * keys at once.
 *
 * The table in shared memory takes a group only after the global one did, and
 * knows its place there: what a block adds up can always be delivered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_GROUPS_CUH
#define GPUSCAN_CUDA_GROUPS_CUH

#include "registers.cuh"

/* A test leaves few bits of it: many keys then have one head and one place. */
#ifndef DEVICE_HASH_MASK
#define DEVICE_HASH_MASK	UINT64_MAX
#endif

#define PLACE_NONE		UINT64_MAX
#define LOCAL_PROBES	8u

/* A record begins so; the rest is as the plan says. */
#define RECORD_ROWS		0
#define RECORD_FIRST	8

struct Key
{
	uint64_t	hash;
	uint64_t	head;			/* words[0] */
};

DEVICE_FUNCTION char *
groups_place(const DevicePlan *plan, const DeviceGroups *groups, uint64_t place)
{
	return (char *) (groups + 1) + place * plan->group_size;
}

DEVICE_FUNCTION uint64_t
hash_word(uint64_t hash, uint64_t word)
{
	uint64_t	x = (word ^ hash) * UINT64_C(0x9E3779B97F4A7C15);

	x ^= x >> 32;
	x *= UINT64_C(0xD6E8FEB86659FD93);
	return x ^ x >> 32;
}

/* numerics as keys: canonical mantissa and scale in one word, as in the CPU engine */
#define KEY_NUMERIC_MAX	(INT64_C(1) << 56)

DEVICE_FUNCTION uint64_t
key_numeric(NumericValue value)
{
	NumericValue c = numeric_canonical(value);

	if (c.mantissa >= KEY_NUMERIC_MAX || c.mantissa < -KEY_NUMERIC_MAX)
		return DEVICE_KEY_EMPTY;
	return (uint64_t) (int64_t) c.mantissa << 6 | (uint64_t) c.scale;
}

/* Bytes [8 * which, ...) of a text; in the last byte of the last word its length */
DEVICE_FUNCTION uint64_t
key_text(TextView view, uint32_t which)
{
	uint64_t	word = 0;

	if (view.len > DEVICE_TEXT_KEY_MAX)
		return DEVICE_KEY_EMPTY;
	for (uint32_t i = 8 * which; i < 8 * which + 8 && i < view.len; i++)
		word |= (uint64_t) (uint8_t) view.ptr[i] << 8 * (i % 8);
	return which == DEVICE_KEY_WORDS - 1 ? word | (uint64_t) view.len << 56 : word;
}

/* A word of a key that is not NULL; DEVICE_KEY_EMPTY: it has no such form. */
DEVICE_FUNCTION uint64_t
key_word(const Work &w, const Row &row, uint32_t slot, const DeviceKey &key, uint32_t which)
{
	if (key.nwords > 1)
		return key_text(Kind<VALUE_TEXT>::get(w, row, slot, key.operand), which);
	if (key.type == TYPE_NUMERIC)
		return key_numeric(Kind<VALUE_NUMERIC>::get(w, row, slot, key.operand));
	if (key.type == TYPE_FLOAT4 || key.type == TYPE_FLOAT8)
		return float64_key(Kind<VALUE_FLOAT64>::get(w, row, slot, key.operand));
	if (key.type == TYPE_BOOL)
		return Kind<VALUE_BOOL>::get(w, row, slot, key.operand);
	return get_lo(w, slot, key.operand);
}

/* How a key is shown: what its word does not say, in six bits */
DEVICE_FUNCTION uint64_t
key_shown(const Work &w, const Row &row, uint32_t slot, const DeviceKey &key)
{
	if (key.type == TYPE_NUMERIC)
		return (uint64_t) Kind<VALUE_NUMERIC>::get(w, row, slot, key.operand).scale;
	return float64_key_sign(Kind<VALUE_FLOAT64>::get(w, row, slot, key.operand));
}

/* What decides the place; false when some key has no form here. */
DEVICE_FUNCTION bool
key_begin(const Work &w, const Row &row, uint32_t slot, Key *out)
{
	const DeviceKey *keys = DEVICE_SECTION(w.plan, DeviceKey, w.plan->keys);
	const uint32_t nkeys = w.plan->nkeys;
	uint64_t	hash = 0;
	uint32_t	nulls = 0;

	for (uint32_t k = 0; k < nkeys; k++)
	{
		const DeviceKey key = keys[k];

		if (is_null(w, row, key.operand))
		{
			nulls |= 1u << k;
			hash = hash_word(hash, 0);
			continue;
		}
		for (uint32_t which = 0; which < key.nwords; which++)
		{
			const uint64_t word = key_word(w, row, slot, key, which);

			if (word == DEVICE_KEY_EMPTY)
				return false;
			hash = hash_word(hash, word);
		}
	}
	hash = hash_word(hash, nulls) & DEVICE_HASH_MASK;
	out->hash = hash;
	out->head = (hash & UINT64_C(0xFFFFFFFF00000000)) | nulls << 1 | 1;
	return true;
}

/* Do the words behind the first hold the row's key?  enter: put in those that are not there yet. */
DEVICE_FUNCTION bool
key_matches(const Work &w, const Row &row, uint32_t slot, uint64_t *words, bool enter)
{
	const DeviceKey *keys = DEVICE_SECTION(w.plan, DeviceKey, w.plan->keys);
	const uint32_t nkeys = w.plan->nkeys;

	for (uint32_t k = 0; k < nkeys; k++)
	{
		const DeviceKey key = keys[k];
		const bool	null = is_null(w, row, key.operand);

		for (uint32_t which = 0; which < key.nwords; which++)
		{
			const uint64_t word = null ? 0 : key_word(w, row, slot, key, which);
			uint64_t   *p = &words[key.word + which];
			uint64_t	there = read_now(p);

			if (there == DEVICE_KEY_EMPTY && enter)
			{
				there = atomic_swap_if(p, DEVICE_KEY_EMPTY, word);
				if (there == DEVICE_KEY_EMPTY)
					continue;
			}
			if (there != word)
				return false;
		}
	}
	return true;
}

/* The group's place in the table, made if there is room; else PLACE_NONE. */
DEVICE_FUNCTION uint64_t
groups_find(const Work &w, const Row &row, uint32_t slot, DeviceGroups *groups, const Key &key)
{
	const uint64_t mask = groups->capacity - 1;
	uint64_t	place = key.hash & mask;

	for (uint64_t probes = 0; probes <= mask; probes++, place = (place + 1) & mask)
	{
		uint64_t   *words = (uint64_t *) groups_place(w.plan, groups, place);
		uint64_t	there = read_now(&words[0]);

		if (there == DEVICE_KEY_EMPTY)
		{
			if (read_now(&groups->ngroups) >= groups->limit)
				return PLACE_NONE;
			there = atomic_swap_if(&words[0], DEVICE_KEY_EMPTY, key.head);
			if (there == DEVICE_KEY_EMPTY)
			{
				atomic_add(&groups->ngroups, 1);
				there = key.head;
			}
		}
		if (there == key.head && key_matches(w, row, slot, words, true))
			return place;
	}
	return PLACE_NONE;
}

/* ------------------------------------------------------------------------
 * The block's own table: entries of DEVICE_LOCAL_SIZE, the place first
 * ------------------------------------------------------------------------
 */

DEVICE_FUNCTION uint64_t *
local_entry(const Work &w, uint32_t entry)
{
	return (uint64_t *) (w.local + entry * (uint32_t) DEVICE_LOCAL_SIZE(w.plan));
}

/* The group's entry, or -1.  A place is set last: who sees it, sees a whole key. */
DEVICE_FUNCTION int
local_find(const Work &w, const Row &row, uint32_t slot, const Key &key)
{
	uint32_t	entry = (uint32_t) key.hash & (w.local_groups - 1);

	for (uint32_t probes = 0; probes < LOCAL_PROBES && probes < w.local_groups; probes++)
	{
		uint64_t   *e = local_entry(w, entry);
		const uint64_t there = read_now(&e[1]);

		if (there == DEVICE_KEY_EMPTY)
			return -1;
		if (there == key.head && read_now(&e[0]) != PLACE_NONE && key_matches(w, row, slot, e + 1, false))
			return (int) entry;
		entry = (entry + 1) & (w.local_groups - 1);
	}
	return -1;
}

/* Enter a group that has a place in the table; -1 when there is no room near. */
DEVICE_FUNCTION int
local_enter(const Work &w, const Row &row, uint32_t slot, const Key &key, uint64_t place)
{
	uint32_t	entry = (uint32_t) key.hash & (w.local_groups - 1);

	for (uint32_t probes = 0; probes < LOCAL_PROBES && probes < w.local_groups; probes++)
	{
		uint64_t   *e = local_entry(w, entry);
		const uint64_t there = atomic_swap_if(&e[1], DEVICE_KEY_EMPTY, key.head);

		if ((there == DEVICE_KEY_EMPTY || there == key.head) && key_matches(w, row, slot, e + 1, true))
		{
			__threadfence_block();
			*(volatile uint64_t *) &e[0] = place;
			return (int) entry;
		}
		entry = (entry + 1) & (w.local_groups - 1);
	}
	return -1;
}

#endif							/* GPUSCAN_CUDA_GROUPS_CUH */
