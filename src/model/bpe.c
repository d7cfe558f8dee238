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

/* Two neighbours that become one */
typedef struct Merge
{
	int32_t		left;			/* NO_TOKEN: an empty slot */
	int32_t		right;
	int32_t		rank;
	int32_t		token;
} Merge;

struct Bpe
{
	PretokenKind pretoken;
	bool		whole_first;	/* a piece that is a token is that token, whatever the merges say */
	Pieces		pieces;
	Merge	   *merges;			/* open addressing */
	uint64_t	merges_mask;
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
bytes_of_token(GgufString token, char *to)
{
	size_t		n = 0;

	for (uint64_t i = 0; i < token.len; n++)
	{
		const uint8_t first = (uint8_t) token.ptr[i];
		uint32_t	c = first;
		int			byte;

		if (first >= 0xC2 && first < 0xE0 && i + 1 < token.len)
			c = (first & 0x1Fu) << 6 | (token.ptr[i + 1] & 0x3Fu);
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

static uint64_t
hash_pair(const Bpe *bpe, int32_t left, int32_t right)
{
	uint64_t	hash = ((uint64_t) (uint32_t) left << 32 | (uint32_t) right) ^ bpe->pieces.seed;

	hash *= UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 32;
}

static const Merge *
merge_of(const Bpe *bpe, int32_t left, int32_t right)
{
	uint64_t	at = hash_pair(bpe, left, right) & bpe->merges_mask;

	for (; bpe->merges[at].left != NO_TOKEN; at = (at + 1) & bpe->merges_mask)
		if (bpe->merges[at].left == left && bpe->merges[at].right == right)
			return &bpe->merges[at];
	return NULL;
}

/* Bytes of all tokens, and tokens by their bytes.  types: what each is, or NULL */
static bool
read_tokens(Bpe *bpe, const GgufString *tokens, const GgufValue *types, ModelError *error)
{
	Pieces	   *pieces = &bpe->pieces;
	const uint32_t n = pieces->n;
	uint64_t	total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += tokens[i].len;
	if (total >= UINT32_MAX)
		return model_error(error, MODEL_UNSUPPORTED, "vocabulary of %llu bytes", (unsigned long long) total);
	if (!pieces_init(pieces, n, total))
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", n);

	total = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		/* 1 is normal, 4 user-defined (llama.cpp llama_token_type); the others have names */
		const int64_t type = types ? gguf_int_at(types, i) : 1;
		size_t		len = type == 1 ? bytes_of_token(tokens[i], pieces->bytes + total) : SIZE_MAX;
		const bool	spoken = len != SIZE_MAX && len > 0;

		if (len == SIZE_MAX)
		{
			len = tokens[i].len;
			memcpy(pieces->bytes + total, tokens[i].ptr, len);
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

/* "a b": the blank is the first one behind the first character */
static bool
read_merges(Bpe *bpe, const GgufString *merges, uint64_t n, ModelError *error)
{
	const uint64_t slots = slots_for(n);

	bpe->merges = malloc(slots * sizeof *bpe->merges);
	if (!bpe->merges)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %llu merges of a vocabulary", (unsigned long long) n);
	memset(bpe->merges, 0xFF, slots * sizeof *bpe->merges);
	bpe->merges_mask = slots - 1;
	for (uint64_t i = 0; i < n; i++)
	{
		const GgufString merge = merges[i];
		const char *blank = merge.len > 2 ? memchr(merge.ptr + 1, ' ', merge.len - 1) : NULL;
		char		bytes[512];
		size_t		left_len,
					right_len;
		Merge		found;

		if (!blank || merge.len > sizeof bytes)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not two tokens", (unsigned long long) i);
		left_len = bytes_of_token((GgufString) {merge.ptr, (uint64_t) (blank - merge.ptr)}, bytes);
		right_len = left_len == SIZE_MAX ? SIZE_MAX :
			bytes_of_token((GgufString) {blank + 1, merge.len - (uint64_t) (blank + 1 - merge.ptr)}, bytes + left_len);
		if (right_len == SIZE_MAX)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not of bytes", (unsigned long long) i);
		found.left = pieces_find(&bpe->pieces, bytes, left_len);
		found.right = pieces_find(&bpe->pieces, bytes + left_len, right_len);
		found.token = pieces_find(&bpe->pieces, bytes, left_len + right_len);
		found.rank = (int32_t) i;
		if (found.left == NO_TOKEN || found.right == NO_TOKEN || found.token == NO_TOKEN)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is of tokens that it does not have", (unsigned long long) i);
		if (!merge_of(bpe, found.left, found.right))
		{
			uint64_t	at = hash_pair(bpe, found.left, found.right) & bpe->merges_mask;

			while (bpe->merges[at].left != NO_TOKEN)
				at = (at + 1) & bpe->merges_mask;
			bpe->merges[at] = found;
		}
	}
	return true;
}

static bool
open_from(Bpe *bpe, const Gguf *gguf, ModelError *error)
{
	const GgufValue *tokens = gguf_find(gguf, "tokenizer.ggml.tokens");
	const GgufValue *types = gguf_find(gguf, "tokenizer.ggml.token_type");
	const GgufValue *merges = gguf_find(gguf, "tokenizer.ggml.merges");
	GgufString	pre = {"", 0};
	GgufString *strings;
	bool		found;
	bool		good;

	if (!tokens || !merges)
		return model_error(error, MODEL_CORRUPT, "the model has no vocabulary of byte pairs");
	if (tokens->n == 0 || tokens->n > INT32_MAX / 4 || merges->n > INT32_MAX / 4)
		return model_error(error, MODEL_CORRUPT, "the model has a vocabulary of %llu tokens", (unsigned long long) tokens->n);
	if (types && (types->type != GGUF_ARRAY || !gguf_is_int(types->element) || types->n != tokens->n))
		return model_error(error, MODEL_CORRUPT, "the types of the vocabulary's tokens do not fit it");
	if (!gguf_get_string(gguf, "tokenizer.ggml.pre", &pre, &found, error))
		return false;
	bpe->pretoken = pretoken_kind(pre.ptr, pre.len);
	if (bpe->pretoken == PRETOKENS)
		return model_error(error, MODEL_UNSUPPORTED, "the model's texts are cut in the way \"%.*s\", which is not known",
						   (int) (pre.len < 100 ? pre.len : 100), pre.ptr);
	/* as llama.cpp has it, since no key says so: dbrx is cut as llama3, and its merges count */
	bpe->whole_first = bpe->pretoken == PRETOKEN_TEKKEN || (bpe->pretoken == PRETOKEN_LLAMA3 && !(pre.len == 4 && memcmp(pre.ptr, "dbrx", 4) == 0));
	bpe->pieces.n = (uint32_t) tokens->n;
	bpe->memory = calloc(MEMORY_SLOTS, sizeof *bpe->memory);
	if (!bpe->memory)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	strings = gguf_strings(tokens, error);
	if (!strings)
		return false;
	good = read_tokens(bpe, strings, types, error);
	free(strings);
	if (!good)
		return false;
	strings = gguf_strings(merges, error);
	if (!strings)
		return false;
	good = read_merges(bpe, strings, merges->n, error);
	free(strings);
	return good;
}

Bpe *
bpe_open(const Gguf *gguf, ModelError *error)
{
	Bpe		   *bpe = calloc(1, sizeof *bpe);

	if (!bpe)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(bpe, gguf, error))
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
	free(bpe->merges);
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
	const Merge *m = merge_of(bpe, ids[i], ids[(i) + 1]); \
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
		const Merge *m = i + 1 < count ? merge_of(bpe, ids[i], ids[i + 1]) : NULL;

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
			const Merge *m = merge_of(bpe, pair.token, ids[next[right]]);

			before[next[right]] = pair.at;
			if (m)
				heap_add(&heap, (Pair) {m->rank, pair.at, pair.token, ids[next[right]], m->token});
		}
		if (pair.at > 0)
		{
			const uint32_t left = before[pair.at];
			const Merge *m = merge_of(bpe, ids[left], pair.token);

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
