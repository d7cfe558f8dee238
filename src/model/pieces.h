/*-------------------------------------------------------------------------
 *
 * pieces.h
 *	  What tokenizers that merge have in common: tokens by their bytes, the heap of
 *	  pairs that may become one, texts whose tokens are remembered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_PIECES_H
#define GPUSCAN_MODEL_PIECES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NO_TOKEN		(-1)

/* ------------------------------------------------------------------------
 * Tokens by their bytes: open addressing, of which no text can foresee the slots
 * ------------------------------------------------------------------------
 */

typedef struct Piece
{
	uint32_t	at;				/* in the bytes of all tokens */
	uint32_t	len;
} Piece;

typedef struct Pieces
{
	uint32_t	n;
	Piece	   *all;			/* of each token */
	char	   *bytes;
	uint64_t	seed;
	int32_t    *slots;			/* tokens, or NO_TOKEN */
	uint64_t	mask;
} Pieces;

static inline uint64_t
hash_bytes(uint64_t seed, const char *p, size_t len)
{
	uint64_t	hash = seed ^ len;
	uint64_t	word;

	for (; len >= 8; p += 8, len -= 8)
	{
		memcpy(&word, p, 8);
		hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, p, len);
	hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

/* Slots for n entries: a power of two, at most half of them taken */
static inline uint64_t
slots_for(uint64_t n)
{
	uint64_t	slots = 64;

	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

/* Room for n tokens of so many bytes in all, fewer than UINT32_MAX; false: out of memory */
static inline bool
pieces_init(Pieces *pieces, uint32_t n, uint64_t bytes)
{
	const uint64_t slots = slots_for(n);

	pieces->n = n;
	if (getrandom(&pieces->seed, sizeof pieces->seed, GRND_NONBLOCK) != sizeof pieces->seed)
		pieces->seed = (uintptr_t) pieces;
	pieces->bytes = malloc(bytes + 1);
	pieces->all = malloc(n * sizeof *pieces->all + 1);
	pieces->slots = malloc(slots * sizeof *pieces->slots);
	if (!pieces->bytes || !pieces->all || !pieces->slots)
		return false;
	memset(pieces->slots, 0xFF, slots * sizeof *pieces->slots);
	pieces->mask = slots - 1;
	return true;
}

static inline void
pieces_free(Pieces *pieces)
{
	free(pieces->all);
	free(pieces->bytes);
	free(pieces->slots);
}

/* The token that these bytes are, or NO_TOKEN */
static inline int32_t
pieces_find(const Pieces *pieces, const char *p, size_t len)
{
	uint64_t	at = hash_bytes(pieces->seed, p, len) & pieces->mask;

	for (; pieces->slots[at] != NO_TOKEN; at = (at + 1) & pieces->mask)
	{
		const Piece *piece = &pieces->all[pieces->slots[at]];

		if (piece->len == len && memcmp(pieces->bytes + piece->at, p, len) == 0)
			return pieces->slots[at];
	}
	return NO_TOKEN;
}

/* Let a token, which has its place in 'all', be found; the first one of equal ones is. */
static inline void
pieces_add(Pieces *pieces, int32_t token)
{
	const Piece *piece = &pieces->all[token];
	const char *p = pieces->bytes + piece->at;
	uint64_t	at = hash_bytes(pieces->seed, p, piece->len) & pieces->mask;

	if (pieces_find(pieces, p, piece->len) != NO_TOKEN)
		return;
	while (pieces->slots[at] != NO_TOKEN)
		at = (at + 1) & pieces->mask;
	pieces->slots[at] = token;
}

/* ------------------------------------------------------------------------
 * Merges: pairs of tokens that become one; open addressing
 * ------------------------------------------------------------------------
 */

typedef struct Merge
{
	int32_t		left;			/* NO_TOKEN: an empty slot */
	int32_t		right;
	int32_t		rank;			/* the least goes first */
	int32_t		token;			/* what they become */
} Merge;

typedef struct Merges
{
	Merge	   *slots;
	uint64_t	mask;
	uint64_t	seed;
} Merges;

/* Room for n; false: out of memory */
static inline bool
merges_init(Merges *merges, uint64_t n, uint64_t seed)
{
	const uint64_t slots = slots_for(n);

	merges->slots = malloc(slots * sizeof *merges->slots);
	if (!merges->slots)
		return false;
	memset(merges->slots, 0xFF, slots * sizeof *merges->slots);
	merges->mask = slots - 1;
	merges->seed = seed;
	return true;
}

/* The slot of a pair, or the empty one where it belongs */
static inline Merge *
merges_slot(const Merges *merges, int32_t left, int32_t right)
{
	uint64_t	at = ((uint64_t) (uint32_t) left << 32 | (uint32_t) right) ^ merges->seed;

	at *= UINT64_C(0x9E3779B97F4A7C15);
	at = (at ^ at >> 32) & merges->mask;
	while (merges->slots[at].left != NO_TOKEN && (merges->slots[at].left != left || merges->slots[at].right != right))
		at = (at + 1) & merges->mask;
	return &merges->slots[at];
}

/* The merge of a pair, or NULL */
static inline const Merge *
merges_find(const Merges *merges, int32_t left, int32_t right)
{
	const Merge *slot = merges_slot(merges, left, right);

	return slot->left == NO_TOKEN ? NULL : slot;
}

/* ------------------------------------------------------------------------
 * Pairs of neighbours, the first one to be merged on top
 * ------------------------------------------------------------------------
 */

/* It is stale if left and right have become something else since. */
typedef struct Pair
{
	int32_t		rank;			/* the least goes first */
	uint32_t	at;				/* of the left one: the order among equal ranks */
	int32_t		left;
	int32_t		right;
	int32_t		token;			/* what they become */
} Pair;

typedef struct Heap
{
	Pair	   *pairs;
	size_t		n;
} Heap;

static inline bool
comes_before(const Pair *a, const Pair *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static inline void
heap_add(Heap *heap, Pair pair)
{
	size_t		at = heap->n++;

	for (; at > 0 && comes_before(&pair, &heap->pairs[(at - 1) / 2]); at = (at - 1) / 2)
		heap->pairs[at] = heap->pairs[(at - 1) / 2];
	heap->pairs[at] = pair;
}

static inline Pair
heap_take(Heap *heap)
{
	const Pair	first = heap->pairs[0];
	const Pair	last = heap->pairs[--heap->n];
	size_t		at = 0;

	for (;;)
	{
		size_t		child = 2 * at + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n && comes_before(&heap->pairs[child + 1], &heap->pairs[child]))
			child++;
		if (!comes_before(&heap->pairs[child], &last))
			break;
		heap->pairs[at] = heap->pairs[child];
		at = child;
	}
	heap->pairs[at] = last;
	return first;
}

/* ------------------------------------------------------------------------
 * Short texts and their tokens, as they came
 * ------------------------------------------------------------------------
 */

#define MEMORY_SLOTS	16384
#define MEMORY_BYTES	24		/* of a text that is remembered */
#define MEMORY_TOKENS	7

typedef struct Remembered
{
	uint8_t		len;			/* 0: nothing */
	uint8_t		n;
	char		bytes[MEMORY_BYTES];
	int32_t		ids[MEMORY_TOKENS];
} Remembered;

/* The place of a text; memory has MEMORY_SLOTS.  NULL: it is too long */
static inline Remembered *
memory_slot(Remembered *memory, uint64_t seed, const char *p, size_t len)
{
	return len <= MEMORY_BYTES ? &memory[hash_bytes(seed, p, len) % MEMORY_SLOTS] : NULL;
}

static inline bool
memory_has(const Remembered *slot, const char *p, size_t len)
{
	return slot && slot->len == len && memcmp(slot->bytes, p, len) == 0;
}

static inline void
memory_keep(Remembered *slot, const char *p, size_t len, const int32_t *ids, size_t n)
{
	if (!slot || n > MEMORY_TOKENS)
		return;
	slot->len = (uint8_t) len;
	slot->n = (uint8_t) n;
	memcpy(slot->bytes, p, len);
	memcpy(slot->ids, ids, n * sizeof *ids);
}

#endif							/* GPUSCAN_MODEL_PIECES_H */
