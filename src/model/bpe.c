/*-------------------------------------------------------------------------
 *
 * bpe.c
 *	  See bpe.h.
 *
 * Short pieces, nearly all, are merged by looking at all pairs again and again;
 * long ones by a heap of pairs over a linked list, in n log n.  Both give the
 * same tokens.  Pieces that came before are remembered.
 *
 *-------------------------------------------------------------------------
 */
#include "model/bpe.h"
#include "model/pieces.h"

#define SHORT_PIECE		48		/* bytes; up to here all pairs are looked at */

struct Bpe
{
	PretokenKind pretoken;
	bool		whole_first;	/* a piece that is a token is that token, whatever the merges say */
	Pieces		pieces;
	Merges		merges;
	int32_t		of_byte[256];
	Remembered *memory;
};

/* ------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------
 */

/*
 * The byte that a printable stand-in is for (GPT-2's bytes_to_unicode): printable
 * characters of Latin-1 are themselves, the other 68 bytes follow U+0100 in
 * order.  -1: it is none.
 */
static int
byte_of_stand_in(uint32_t c)
{
	if ((c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255))
		return (int) c;
	if (c >= 256 && c < 256 + 33)
		return (int) c - 256;
	if (c >= 256 + 33 && c < 256 + 67)
		return (int) c - 256 - 33 + 127;
	return c == 256 + 67 ? 173 : -1;
}

/*
 * A token's bytes from its stand-ins.  Returns how many, which are at most as many
 * as the stand-ins' own; or SIZE_MAX where one stands for nothing.
 */
static size_t
bytes_of_token(const char *token, uint32_t len, char *to)
{
	size_t		n = 0;

	for (uint32_t i = 0; i < len; n++)
	{
		const uint8_t first = (uint8_t) token[i];
		uint32_t	c = first;
		int			byte;

		if (first >= 0xC2 && first < 0xE0 && i + 1 < len)
			c = (first & 0x1Fu) << 6 | (token[i + 1] & 0x3Fu);
		else if (first >= 0x80)
			return SIZE_MAX;
		i += first >= 0x80 ? 2 : 1;
		byte = byte_of_stand_in(c);
		if (byte < 0)
			return SIZE_MAX;
		to[n] = (char) byte;
	}
	return n;
}

/* Bytes of all tokens, and tokens by their bytes */
static bool
read_tokens(Bpe *bpe, const Vocabulary *vocabulary, ModelError *error)
{
	Pieces	   *pieces = &bpe->pieces;
	const uint32_t n = vocabulary->n;
	uint64_t	total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += vocabulary->tokens[i].len;
	if (total >= UINT32_MAX)
		return model_error(error, MODEL_UNSUPPORTED, "vocabulary of %llu bytes", (unsigned long long) total);
	if (!pieces_init(pieces, n, total))
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", n);

	total = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const VocabularyToken *token = &vocabulary->tokens[i];
		/* those of other types have names */
		size_t		len = token->type == TOKEN_NORMAL ? bytes_of_token(token->name, token->len, pieces->bytes + total) : SIZE_MAX;
		const bool	spoken = len != SIZE_MAX && len > 0;

		if (len == SIZE_MAX)
		{
			len = token->len;
			if (len > 0)
				memcpy(pieces->bytes + total, token->name, len);
		}
		pieces->all[i] = (Piece) {(uint32_t) total, (uint32_t) len};
		if (spoken)
			pieces_add(pieces, (int32_t) i);
		total += len;
	}
	for (int b = 0; b < 256; b++)
		bpe->of_byte[b] = pieces_find(pieces, &(char) {(char) b}, 1);
	return true;
}

static bool
read_merges(Bpe *bpe, const Vocabulary *vocabulary, ModelError *error)
{
	if (!merges_init(&bpe->merges, vocabulary->nmerges, bpe->pieces.seed))
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %llu merges of a vocabulary", (unsigned long long) vocabulary->nmerges);
	for (uint64_t i = 0; i < vocabulary->nmerges; i++)
	{
		const VocabularyMerge *merge = &vocabulary->merges[i];
		char		bytes[4096];
		size_t		left_len,
					right_len;
		Merge		found;
		Merge	   *slot;

		if (merge->left_len == 0 || merge->right_len == 0 || (uint64_t) merge->left_len + merge->right_len > sizeof bytes)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not two tokens", (unsigned long long) i);
		left_len = bytes_of_token(merge->left, merge->left_len, bytes);
		right_len = left_len == SIZE_MAX ? SIZE_MAX : bytes_of_token(merge->right, merge->right_len, bytes + left_len);
		if (right_len == SIZE_MAX)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not of bytes", (unsigned long long) i);
		found.left = pieces_find(&bpe->pieces, bytes, left_len);
		found.right = pieces_find(&bpe->pieces, bytes + left_len, right_len);
		found.token = pieces_find(&bpe->pieces, bytes, left_len + right_len);
		found.rank = (int32_t) i;
		if (found.left == NO_TOKEN || found.right == NO_TOKEN || found.token == NO_TOKEN)
		{
			if (vocabulary->from_json)
				continue;
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is of tokens that it does not have", (unsigned long long) i);
		}
		slot = merges_slot(&bpe->merges, found.left, found.right);
		/* of two of one pair it is the first that counts to llama.cpp, the last to tokenizers */
		if (slot->left == NO_TOKEN || vocabulary->from_json)
			*slot = found;
	}
	return true;
}

static bool
open_from(Bpe *bpe, const Vocabulary *vocabulary, ModelError *error)
{
	bpe->pretoken = vocabulary->pretoken;
	bpe->whole_first = vocabulary->whole_first;
	bpe->memory = calloc(MEMORY_SLOTS, sizeof *bpe->memory);
	if (!bpe->memory)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	return read_tokens(bpe, vocabulary, error) && read_merges(bpe, vocabulary, error);
}

Bpe *
bpe_open(const Vocabulary *vocabulary, ModelError *error)
{
	Bpe		   *bpe = calloc(1, sizeof *bpe);

	if (!bpe)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(bpe, vocabulary, error))
		return bpe;
	bpe_close(bpe);
	return NULL;
}

void
bpe_close(Bpe *bpe)
{
	if (!bpe)
		return;
	pieces_free(&bpe->pieces);
	free(bpe->merges.slots);
	free(bpe->memory);
	free(bpe);
}

uint32_t
bpe_ntokens(const Bpe *bpe)
{
	return bpe->pieces.n;
}

const char *
bpe_piece(const Bpe *bpe, int32_t id, uint32_t *len)
{
	if (id < 0 || (uint32_t) id >= bpe->pieces.n)
		return NULL;
	*len = bpe->pieces.all[id].len;
	return bpe->pieces.bytes + bpe->pieces.all[id].at;
}

/* ------------------------------------------------------------------------
 * Merging
 * ------------------------------------------------------------------------
 */

/* The tokens of its bytes; returns how many there are */
static size_t
bytes_as_tokens(const Bpe *bpe, const char *p, size_t len, int32_t *ids)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		ids[n] = bpe->of_byte[(uint8_t) p[i]];
		n += ids[n] != NO_TOKEN;
	}
	return n;
}

/* In place; returns how many tokens are left */
static size_t
merge_short(const Bpe *bpe, int32_t *ids, size_t n)
{
	int32_t		ranks[SHORT_PIECE];
	int32_t		merged[SHORT_PIECE];

	/* ranks[i], merged[i]: of the pair that begins at i */
#define LOOK_AT(i) \
do { \
	const Merge *m = merges_find(&bpe->merges, ids[i], ids[(i) + 1]); \
	ranks[i] = m ? m->rank : INT32_MAX; \
	merged[i] = m ? m->token : NO_TOKEN; \
} while (0)

	for (size_t i = 0; i + 1 < n; i++)
		LOOK_AT(i);
	while (n > 1)
	{
		size_t		best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (ranks[i] < ranks[best])
				best = i;
		if (ranks[best] == INT32_MAX)
			break;
		ids[best] = merged[best];
		n--;
		memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof *ids);
		if (best + 1 < n)
		{
			memmove(ranks + best + 1, ranks + best + 2, (n - best - 2) * sizeof *ranks);
			memmove(merged + best + 1, merged + best + 2, (n - best - 2) * sizeof *merged);
			LOOK_AT(best);
		}
		if (best > 0)
			LOOK_AT(best - 1);
	}
#undef LOOK_AT
	return n;
}

/* In place, as merge_short; *n becomes how many are left */
static bool
merge_long(const Bpe *bpe, int32_t *ids, size_t *n, ModelProgress *progress, ModelError *error)
{
	const size_t count = *n;
	uint32_t   *next = malloc((count + 1) * sizeof *next);	/* of those that are left */
	uint32_t   *before = malloc((count + 1) * sizeof *before);
	Heap		heap = {malloc(3 * count * sizeof(Pair)), 0};	/* each merge adds two at most */
	bool		good = next && before && heap.pairs;
	size_t		kept = 0;

	if (!good)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a word of %zu bytes", count);
	for (uint32_t i = 0; good && i < count; i++)
	{
		const Merge *m = i + 1 < count ? merges_find(&bpe->merges, ids[i], ids[i + 1]) : NULL;

		next[i] = i + 1;
		before[i] = i - 1;
		if (m)
			heap_add(&heap, (Pair) {m->rank, i, ids[i], ids[i + 1], m->token});
		good = model_goes_on(progress, 1, error);
	}
	while (good && heap.n > 0)
	{
		const Pair	pair = heap_take(&heap);
		const uint32_t right = next[pair.at];

		good = model_goes_on(progress, 8, error);
		if (ids[pair.at] != pair.left || right >= count || ids[right] != pair.right)
			continue;
		ids[pair.at] = pair.token;
		ids[right] = NO_TOKEN;
		next[pair.at] = next[right];
		if (next[right] < count)
		{
			const Merge *m = merges_find(&bpe->merges, pair.token, ids[next[right]]);

			before[next[right]] = pair.at;
			if (m)
				heap_add(&heap, (Pair) {m->rank, pair.at, pair.token, ids[next[right]], m->token});
		}
		if (pair.at > 0)
		{
			const uint32_t left = before[pair.at];
			const Merge *m = merges_find(&bpe->merges, ids[left], pair.token);

			if (m)
				heap_add(&heap, (Pair) {m->rank, left, ids[left], pair.token, m->token});
		}
	}
	for (size_t i = 0; good && i < count; i++)
		if (ids[i] != NO_TOKEN)
			ids[kept++] = ids[i];
	*n = kept;
	free(next);
	free(before);
	free(heap.pairs);
	return good;
}

static bool
encode_piece(Bpe *bpe, const char *p, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	Remembered *slot = memory_slot(bpe->memory, bpe->pieces.seed, p, len);
	int32_t    *ids;
	size_t		n;

	if (memory_has(slot, p, len))
	{
		if (!tokens_room(out, MEMORY_TOKENS, error))
			return false;
		memcpy(out->ids + out->n, slot->ids, sizeof slot->ids);
		out->n += slot->n;
		return true;
	}
	if (!tokens_room(out, len, error))
		return false;
	ids = out->ids + out->n;
	n = 1;
	if (!bpe->whole_first || (ids[0] = pieces_find(&bpe->pieces, p, len)) == NO_TOKEN)
	{
		n = bytes_as_tokens(bpe, p, len, ids);
		if (n <= SHORT_PIECE)
			n = merge_short(bpe, ids, n);
		else if (!merge_long(bpe, ids, &n, progress, error))
			return false;
	}
	memory_keep(slot, p, len, ids, n);
	out->n += n;
	return true;
}

bool
bpe_encode(Bpe *bpe, const char *text, size_t len, TokenList *out, ModelCancelled cancelled, void *context, ModelError *error)
{
	ModelProgress progress = {cancelled, context, 0};

	while (len > 0)
	{
		const size_t piece = pretoken_next(bpe->pretoken, text, len);

		if (!model_goes_on(&progress, 4, error) || !encode_piece(bpe, text, piece, out, &progress, error))
			return false;
		text += piece;
		len -= piece;
	}
	return true;
}
