/*-------------------------------------------------------------------------
 *
 * sentencepiece.c
 *	  See sentencepiece.h.
 *
 * No merge leads across most blanks: few tokens have one behind another character.
 * So a text falls into words, most of which came before and are remembered.  The
 * others are merged as bpe.c does it: short ones by looking at all pairs again and
 * again, long ones by a heap.
 *
 *-------------------------------------------------------------------------
 */
#include "model/sentencepiece.h"

#include <math.h>

#include "model/pieces.h"
#include "model/unicode.h"

#define SHORT_WORD		48		/* characters; up to here all pairs are looked at */
#define CROSSING_MAX	64

#define BLANK			"\342\226\201"	/* U+2581 */
#define BLANK_LEN		3
#define REPLACEMENT		"\357\277\275"	/* U+FFFD */

/* llama.cpp llama_token_type */
enum
{
	TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER, TYPE_UNUSED, TYPE_BYTE
};

/* Tokens that users have defined, as a tree of their bytes */
typedef struct Node
{
	char		byte;
	int32_t		token;			/* that ends here, or NO_TOKEN */
	uint32_t	child;			/* the first one; 0: none */
	uint32_t	next;			/* of the same parent; 0: none */
} Node;

struct Sentencepiece
{
	Pieces		pieces;			/* their bytes as in the file, with U+2581; to be found: normal ones, and those of users */
	char	   *spoken;			/* the same with blanks, which are shorter */
	Piece	   *spoken_at;
	int32_t    *ranks;			/* of each token: the highest score is 0, equal ones are equal */
	int32_t		of_byte[256];	/* or NO_TOKEN */
	int32_t		unknown;
	bool		space_prefix;	/* a blank before the text */
	Node	   *users;			/* the first one is the root */
	uint32_t	nusers;
	int32_t		crossing[CROSSING_MAX]; /* characters behind which a token has a blank */
	uint32_t	ncrossing;		/* more than CROSSING_MAX: any may be one */
	Remembered *memory;
};

/* ------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------
 */

/* false: out of memory */
static bool
add_user(Sentencepiece *sp, const char *p, size_t len, int32_t token)
{
	uint32_t	at = 0;

	for (size_t i = 0; i < len; i++)
	{
		uint32_t	child = sp->users[at].child;

		while (child && sp->users[child].byte != p[i])
			child = sp->users[child].next;
		if (!child)
		{
			/* room grows at powers of two */
			if ((sp->nusers & (sp->nusers - 1)) == 0)
			{
				Node	   *more = realloc(sp->users, 2 * (size_t) sp->nusers * sizeof *more);

				if (!more)
					return false;
				sp->users = more;
			}
			child = sp->nusers++;
			sp->users[child] = (Node) {p[i], NO_TOKEN, 0, sp->users[at].child};
			sp->users[at].child = child;
		}
		at = child;
	}
	sp->users[at].token = token;
	return true;
}

/* The longest of them that a text begins with; 0: none */
static size_t
match_user(const Sentencepiece *sp, const char *p, size_t len, int32_t *token)
{
	uint32_t	at = 0;
	size_t		longest = 0;

	for (size_t i = 0; i < len; i++)
	{
		uint32_t	child = sp->users[at].child;

		while (child && sp->users[child].byte != p[i])
			child = sp->users[child].next;
		if (!child)
			break;
		at = child;
		if (sp->users[at].token != NO_TOKEN)
		{
			longest = i + 1;
			*token = sp->users[at].token;
		}
	}
	return longest;
}

static bool
begins_blank(const char *p, size_t len)
{
	return len >= BLANK_LEN && memcmp(p, BLANK, BLANK_LEN) == 0;
}

static bool
crosses(const Sentencepiece *sp, int32_t c)
{
	for (uint32_t i = 0; i < sp->ncrossing && i < CROSSING_MAX; i++)
		if (sp->crossing[i] == c)
			return true;
	return sp->ncrossing > CROSSING_MAX;
}

/* Which characters has this token before a blank? */
static void
note_crossing(Sentencepiece *sp, const char *p, size_t len)
{
	int			size;

	for (size_t i = 0; i < len; i += (size_t) size)
	{
		const int32_t c = unicode_at(p + i, len - i, &size);

		if (begins_blank(p + i + size, len - i - (size_t) size) && !crosses(sp, c))
		{
			if (sp->ncrossing < CROSSING_MAX)
				sp->crossing[sp->ncrossing] = c;
			sp->ncrossing++;
		}
	}
}

/* The bytes of a token with U+2581 for blanks, or the other way round; returns how many */
static size_t
put_blanks(char *to, const char *p, size_t len)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
		if (p[i] == ' ')
		{
			memcpy(to + n, BLANK, BLANK_LEN);
			n += BLANK_LEN;
		}
		else
			to[n++] = p[i];
	return n;
}

static size_t
take_blanks(char *to, const char *p, size_t len)
{
	size_t		n = 0;

	for (size_t i = 0; i < len;)
		if (begins_blank(p + i, len - i))
		{
			to[n++] = ' ';
			i += BLANK_LEN;
		}
		else
			to[n++] = p[i++];
	return n;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "<0x1F>" */
static int
byte_of_name(GgufString name)
{
	int			high,
				low;

	if (name.len != 6 || memcmp(name.ptr, "<0x", 3) != 0 || name.ptr[5] != '>')
		return -1;
	high = hex(name.ptr[3]);
	low = hex(name.ptr[4]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool
read_token(Sentencepiece *sp, int32_t id, GgufString name, int64_t type, char *to, ModelError *error)
{
	Piece	   *piece = &sp->pieces.all[id];
	int			byte;

	switch (type)
	{
		case TYPE_NORMAL:
			if (piece->len > 0)
				pieces_add(&sp->pieces, id);
			note_crossing(sp, to, piece->len);
			break;
		case TYPE_USER:
			if (piece->len > 0)
				pieces_add(&sp->pieces, id);
			if (piece->len > 0 && !add_user(sp, to, piece->len, id))
				return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary");
			break;
		case TYPE_BYTE:
			byte = byte_of_name(name);
			if (byte < 0)
				return model_error(error, MODEL_CORRUPT, "token %d is the name of no byte", id);
			sp->of_byte[byte] = id;
			sp->spoken[sp->spoken_at[id].at] = (char) byte;
			sp->spoken_at[id].len = 1;
			break;
		case TYPE_UNKNOWN:
		case TYPE_CONTROL:
		case TYPE_UNUSED:
			break;
		default:
			return model_error(error, MODEL_CORRUPT, "token %d is of type %lld", id, (long long) type);
	}
	return true;
}

static bool
read_tokens(Sentencepiece *sp, const GgufString *names, const GgufValue *types, ModelError *error)
{
	Pieces	   *pieces = &sp->pieces;
	const uint32_t n = pieces->n;
	uint64_t	total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += BLANK_LEN * names[i].len;
	if (total >= UINT32_MAX)
		return model_error(error, MODEL_UNSUPPORTED, "vocabulary of %llu bytes", (unsigned long long) total / BLANK_LEN);
	sp->users = calloc(1, sizeof *sp->users);
	if (!pieces_init(pieces, n, total) || (sp->spoken = malloc(total + 1)) == NULL ||
		(sp->spoken_at = malloc(n * sizeof *sp->spoken_at + 1)) == NULL || !sp->users)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", n);
	sp->users[0].token = NO_TOKEN;
	sp->nusers = 1;
	total = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		char	   *to = pieces->bytes + total;
		const size_t len = put_blanks(to, names[i].ptr, names[i].len);

		pieces->all[i] = (Piece) {(uint32_t) total, (uint32_t) len};
		sp->spoken_at[i] = (Piece) {(uint32_t) total, (uint32_t) take_blanks(sp->spoken + total, to, len)};
		if (!read_token(sp, (int32_t) i, names[i], gguf_int_at(types, i), to, error))
			return false;
		total += len;
	}
	return true;
}

typedef struct Scored
{
	float		score;
	int32_t		token;
} Scored;

static int
by_score(const void *a, const void *b)
{
	const Scored *left = a,
			   *right = b;

	return left->score > right->score ? -1 : left->score < right->score;
}

static bool
read_scores(Sentencepiece *sp, const GgufValue *scores, ModelError *error)
{
	const uint32_t n = sp->pieces.n;
	Scored	   *sorted = malloc(n * sizeof *sorted);

	sp->ranks = malloc(n * sizeof *sp->ranks);
	if (!sorted || !sp->ranks)
	{
		free(sorted);
		return model_error(error, MODEL_NO_MEMORY, "out of memory for the scores of %u tokens", n);
	}
	for (uint32_t i = 0; i < n; i++)
	{
		sorted[i] = (Scored) {(float) gguf_float_at(scores, i), (int32_t) i};
		if (isnan(sorted[i].score))
		{
			free(sorted);
			return model_error(error, MODEL_CORRUPT, "the score of token %u is not a number", i);
		}
	}
	qsort(sorted, n, sizeof *sorted, by_score);
	for (uint32_t i = 0; i < n; i++)
		sp->ranks[sorted[i].token] = i > 0 && sorted[i].score == sorted[i - 1].score ? sp->ranks[sorted[i - 1].token] : (int32_t) i;
	free(sorted);
	return true;
}

static bool
open_from(Sentencepiece *sp, const Gguf *gguf, ModelError *error)
{
	const GgufValue *tokens = gguf_find(gguf, "tokenizer.ggml.tokens");
	const GgufValue *types = gguf_find(gguf, "tokenizer.ggml.token_type");
	const GgufValue *scores = gguf_find(gguf, "tokenizer.ggml.scores");
	const GgufValue *charsmap = gguf_find(gguf, "tokenizer.ggml.precompiled_charsmap");
	GgufString *names;
	uint64_t	unknown = 0;
	bool		fewer_blanks = false;
	bool		found;
	bool		good;

	if (!tokens || !types || !scores)
		return model_error(error, MODEL_CORRUPT, "the model has no vocabulary of SentencePiece");
	if (tokens->n == 0 || tokens->n > INT32_MAX / 4)
		return model_error(error, MODEL_CORRUPT, "the model has a vocabulary of %llu tokens", (unsigned long long) tokens->n);
	if (types->type != GGUF_ARRAY || !gguf_is_int(types->element) || types->n != tokens->n ||
		scores->type != GGUF_ARRAY || scores->element != GGUF_FLOAT32 || scores->n != tokens->n)
		return model_error(error, MODEL_CORRUPT, "types or scores of the vocabulary's tokens do not fit it");
	sp->space_prefix = true;
	if (!gguf_get_uint(gguf, "tokenizer.ggml.unknown_token_id", tokens->n - 1, &unknown, &found, error) ||
		!gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &sp->space_prefix, &found, error) ||
		!gguf_get_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces", &fewer_blanks, &found, error))
		return false;
	if (fewer_blanks || (charsmap && charsmap->n > 0))
		return model_error(error, MODEL_UNSUPPORTED, "the model's texts are normalised in a way that is not known");
	sp->pieces.n = (uint32_t) tokens->n;
	sp->unknown = (int32_t) unknown;
	memset(sp->of_byte, 0xFF, sizeof sp->of_byte);
	sp->memory = calloc(MEMORY_SLOTS, sizeof *sp->memory);
	if (!sp->memory)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	names = gguf_strings(tokens, error);
	if (!names)
		return false;
	good = read_tokens(sp, names, types, error);
	free(names);
	return good && read_scores(sp, scores, error);
}

Sentencepiece *
sentencepiece_open(const Gguf *gguf, ModelError *error)
{
	Sentencepiece *sp = calloc(1, sizeof *sp);

	if (!sp)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(sp, gguf, error))
		return sp;
	sentencepiece_close(sp);
	return NULL;
}

void
sentencepiece_close(Sentencepiece *sp)
{
	if (!sp)
		return;
	pieces_free(&sp->pieces);
	free(sp->spoken);
	free(sp->spoken_at);
	free(sp->ranks);
	free(sp->users);
	free(sp->memory);
	free(sp);
}

uint32_t
sentencepiece_ntokens(const Sentencepiece *sp)
{
	return sp->pieces.n;
}

const char *
sentencepiece_piece(const Sentencepiece *sp, int32_t id, uint32_t *len)
{
	if (id < 0 || (uint32_t) id >= sp->pieces.n)
		return NULL;
	*len = sp->spoken_at[id].len;
	return sp->spoken + sp->spoken_at[id].at;
}

/* ------------------------------------------------------------------------
 * Merging
 * ------------------------------------------------------------------------
 */

/* The token of some bytes, or of what they are made of */
static bool
append(const Sentencepiece *sp, const char *p, size_t len, TokenList *out, ModelError *error)
{
	const int32_t token = pieces_find(&sp->pieces, p, len);
	bool		all_bytes = true;

	if (!tokens_room(out, len, error))
		return false;
	if (token != NO_TOKEN)
	{
		out->ids[out->n++] = token;
		return true;
	}
	for (size_t i = 0; i < len; i++)
		all_bytes &= sp->of_byte[(uint8_t) p[i]] != NO_TOKEN;
	if (all_bytes)
		for (size_t i = 0; i < len; i++)
			out->ids[out->n++] = sp->of_byte[(uint8_t) p[i]];
	else if (out->n == 0 || out->ids[out->n - 1] != sp->unknown)
		out->ids[out->n++] = sp->unknown;	/* one for all that stand together */
	return true;
}

static int32_t
rank_of(const Sentencepiece *sp, const char *p, size_t len)
{
	const int32_t token = pieces_find(&sp->pieces, p, len);

	return token == NO_TOKEN ? INT32_MAX : sp->ranks[token];
}

/* start: where n characters begin, and the last one ends; what is left of them stays in it. */
static size_t
merge_short(const Sentencepiece *sp, const char *p, uint32_t *start, size_t n)
{
	int32_t		ranks[SHORT_WORD];	/* of the pair that begins there */

#define LOOK_AT(i)	(ranks[i] = rank_of(sp, p + start[i], start[(i) + 2] - start[i]))
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
		memmove(start + best + 1, start + best + 2, (n - best - 1) * sizeof *start);
		n--;
		if (best + 1 < n)
		{
			memmove(ranks + best + 1, ranks + best + 2, (n - best - 2) * sizeof *ranks);
			LOOK_AT(best);
		}
		if (best > 0)
			LOOK_AT(best - 1);
	}
#undef LOOK_AT
	return n;
}

static void
add_pair(const Sentencepiece *sp, Heap *heap, const char *p, uint32_t left, uint32_t right, uint32_t end)
{
	const int32_t rank = rank_of(sp, p + left, end - left);

	if (rank != INT32_MAX)
		heap_add(heap, (Pair) {rank, left, (int32_t) (right - left), (int32_t) (end - right), 0});
}

/*
 * The same by a heap; symbols are named by the byte that they begin at.  A pair is
 * stale if one of its two has another length by now.
 */
static bool
merge_long(const Sentencepiece *sp, const char *p, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	uint32_t   *end = malloc((len + 1) * sizeof *end);	/* of the symbol that begins here; 0: none does */
	uint32_t   *before = malloc((len + 1) * sizeof *before);	/* where the one before begins */
	Heap		heap = {malloc((3 * len + 1) * sizeof(Pair)), 0};	/* each merge adds two at most */
	bool		good = end && before && heap.pairs;
	uint32_t	last = 0;
	int			size;

	if (!good)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a word of %zu bytes", len);
	else
		memset(end, 0, (len + 1) * sizeof *end);
	for (uint32_t i = 0; good && i < len; i += (uint32_t) size)
	{
		unicode_at(p + i, len - i, &size);
		end[i] = i + (uint32_t) size;
		before[i] = last;
		if (i > 0)
			add_pair(sp, &heap, p, last, i, end[i]);
		last = i;
		good = model_goes_on(progress, 1, error);
	}
	while (good && heap.n > 0)
	{
		const Pair	pair = heap_take(&heap);
		const uint32_t left = pair.at;
		const uint32_t right = left + (uint32_t) pair.left;

		good = model_goes_on(progress, 8, error);
		if (end[left] != right || end[right] != right + (uint32_t) pair.right)
			continue;
		end[left] = end[right];
		end[right] = 0;
		if (end[left] < len)
		{
			before[end[left]] = left;
			add_pair(sp, &heap, p, left, end[left], end[end[left]]);
		}
		if (left > 0)
			add_pair(sp, &heap, p, before[left], left, end[left]);
	}
	for (size_t i = 0; good && i < len; i = end[i])
		good = append(sp, p + i, end[i] - i, out, error);
	free(end);
	free(before);
	free(heap.pairs);
	return good;
}

static bool
encode_word(Sentencepiece *sp, const char *p, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	Remembered *slot = memory_slot(sp->memory, sp->pieces.seed, p, len);
	const size_t before = out->n;
	uint32_t	start[SHORT_WORD + 1];
	size_t		n = 0;
	int			size;

	if (memory_has(slot, p, len))
	{
		if (!tokens_room(out, MEMORY_TOKENS, error))
			return false;
		memcpy(out->ids + out->n, slot->ids, sizeof slot->ids);
		out->n += slot->n;
		return true;
	}
	for (size_t i = 0; i < len && n <= SHORT_WORD; i += (size_t) size, n++)
	{
		unicode_at(p + i, len - i, &size);
		start[n] = (uint32_t) i;
	}
	if (n > SHORT_WORD)
		return merge_long(sp, p, len, out, progress, error);
	start[n] = (uint32_t) len;
	n = merge_short(sp, p, start, n);
	for (size_t i = 0; i < n; i++)
		if (!append(sp, p + start[i], start[i + 1] - start[i], out, error))
			return false;
	/* unknown ones that stand together across words would be one */
	if (out->n > before && out->ids[before] != sp->unknown && out->ids[out->n - 1] != sp->unknown)
		memory_keep(slot, p, len, out->ids + before, out->n - before);
	return true;
}

static bool
encode(Sentencepiece *sp, const char *p, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	size_t		word = 0;		/* where it begins */
	int32_t		before = 0;		/* the character before */
	int			size;

	for (size_t i = 0; i < len;)
	{
		int32_t		token = NO_TOKEN;
		const size_t user = match_user(sp, p + i, len - i, &token);

		if (!model_goes_on(progress, (uint32_t) user + 1, error))
			return false;
		if (i > word && (user > 0 || (begins_blank(p + i, len - i) && !crosses(sp, before))))
		{
			if (!encode_word(sp, p + word, i - word, out, progress, error))
				return false;
			word = i;
		}
		if (user > 0)
		{
			if (!tokens_room(out, 1, error))
				return false;
			out->ids[out->n++] = token;
			i += user;
			word = i;
			continue;
		}
		before = unicode_at(p + i, len - i, &size);
		i += (size_t) size;
	}
	return len == word || encode_word(sp, p + word, len - word, out, progress, error);
}

bool
sentencepiece_adds_blank(const Sentencepiece *sp)
{
	return sp->space_prefix;
}

bool
sentencepiece_encode(Sentencepiece *sp, const char *text, size_t len, TokenList *out, ModelCancelled cancelled, void *context, ModelError *error)
{
	ModelProgress progress = {cancelled, context, 0};
	char	   *normal;
	size_t		n = 0;
	int			size;
	bool		good;

	if (len == 0)
		return true;
	if (len >= INT32_MAX / BLANK_LEN)
		return model_error(error, MODEL_TOO_LONG, "a text of %zu bytes is too long to be taken apart", len);
	normal = malloc((len + 1) * BLANK_LEN);
	if (!normal)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a text of %zu bytes", len);
	if (sp->space_prefix)
		n = put_blanks(normal, " ", 1);
	for (size_t i = 0; i < len; i += (size_t) size)
	{
		const int32_t c = unicode_at(text + i, len - i, &size);

		if (c < 0)
		{
			memcpy(normal + n, REPLACEMENT, BLANK_LEN);
			n += BLANK_LEN;
		}
		else
			n += put_blanks(normal + n, text + i, (size_t) size);
	}
	good = encode(sp, normal, n, out, &progress, error);
	free(normal);
	return good;
}
