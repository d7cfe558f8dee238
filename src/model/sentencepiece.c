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
#include "model/users.h"

#define SHORT_WORD		48		/* characters; up to here all pairs are looked at */
#define CROSSING_MAX	64

#define BLANK			"\342\226\201"	/* U+2581 */
#define BLANK_LEN		3
#define REPLACEMENT		"\357\277\275"	/* U+FFFD */

struct Sentencepiece
{
	Pieces		pieces;			/* their bytes as in the file, with U+2581; to be found: normal ones, and those of users */
	char	   *spoken;			/* the same with blanks, which are shorter */
	Piece	   *spoken_at;
	int32_t    *ranks;			/* of each token: the highest score is 0, equal ones are equal; NULL: there are merges */
	Merges		merges;
	int32_t		of_byte[256];	/* or NO_TOKEN */
	int32_t		unknown;		/* or NO_TOKEN */
	bool		unknown_fused;
	BlankPrefix prefix;
	bool		blanks_cut;		/* every blank begins a word */
	Users		users;			/* with U+2581, as in the text when they are looked for */
	int32_t		crossing[CROSSING_MAX]; /* characters behind which a token has a blank */
	uint32_t	ncrossing;		/* more than CROSSING_MAX: any may be one */
	Remembered *memory;
};

/* ------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------
 */

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
byte_of_name(const VocabularyToken *token)
{
	int			high,
				low;

	if (token->len != 6 || memcmp(token->name, "<0x", 3) != 0 || token->name[5] != '>')
		return -1;
	high = hex(token->name[3]);
	low = hex(token->name[4]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* to: its name with U+2581 for blanks */
static bool
read_token(Sentencepiece *sp, int32_t id, const VocabularyToken *token, bool from_json, const char *to, ModelError *error)
{
	const Piece *piece = &sp->pieces.all[id];
	int			byte;

	switch (token->type)
	{
		case TOKEN_USER:
			/* of others the caller cuts them out, but merges may make them too */
			if (!from_json && !users_add(&sp->users, to, piece->len, id))
				return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary");
			if (piece->len > 0)
				pieces_add(&sp->pieces, id);
			if (from_json)
				note_crossing(sp, to, piece->len);
			break;
		case TOKEN_NORMAL:
			if (piece->len > 0)
				pieces_add(&sp->pieces, id);
			note_crossing(sp, to, piece->len);
			break;
		case TOKEN_BYTE:
			byte = byte_of_name(token);
			if (byte < 0)
				return model_error(error, MODEL_CORRUPT, "token %d is the name of no byte", id);
			sp->of_byte[byte] = id;
			sp->spoken[sp->spoken_at[id].at] = (char) byte;
			sp->spoken_at[id].len = 1;
			break;
		case TOKEN_UNKNOWN:
		case TOKEN_CONTROL:
		case TOKEN_UNUSED:
			break;
		default:
			return model_error(error, MODEL_CORRUPT, "token %d is of type %d", id, token->type);
	}
	return true;
}

static bool
read_tokens(Sentencepiece *sp, const Vocabulary *vocabulary, ModelError *error)
{
	Pieces	   *pieces = &sp->pieces;
	const uint32_t n = vocabulary->n;
	uint64_t	total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += BLANK_LEN * (uint64_t) vocabulary->tokens[i].len;
	if (total >= UINT32_MAX)
		return model_error(error, MODEL_UNSUPPORTED, "vocabulary of %llu bytes", (unsigned long long) total / BLANK_LEN);
	if (!pieces_init(pieces, n, total) || (sp->spoken = malloc(total + 1)) == NULL ||
		(sp->spoken_at = malloc(n * sizeof *sp->spoken_at + 1)) == NULL)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", n);
	total = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const VocabularyToken *token = &vocabulary->tokens[i];
		char	   *to = pieces->bytes + total;
		const size_t len = put_blanks(to, token->name, token->len);

		pieces->all[i] = (Piece) {(uint32_t) total, (uint32_t) len};
		sp->spoken_at[i] = (Piece) {(uint32_t) total, (uint32_t) take_blanks(sp->spoken + total, to, len)};
		if (!read_token(sp, (int32_t) i, token, vocabulary->from_json, to, error))
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
read_scores(Sentencepiece *sp, const Vocabulary *vocabulary, ModelError *error)
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
		sorted[i] = (Scored) {vocabulary->tokens[i].score, (int32_t) i};
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

/* Those of control tokens do not come about: their tokens are not found. */
static bool
read_merges(Sentencepiece *sp, const Vocabulary *vocabulary, ModelError *error)
{
	if (!merges_init(&sp->merges, vocabulary->nmerges, sp->pieces.seed))
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %llu merges of a vocabulary", (unsigned long long) vocabulary->nmerges);
	for (uint64_t i = 0; i < vocabulary->nmerges; i++)
	{
		const VocabularyMerge *merge = &vocabulary->merges[i];
		char		bytes[4096];
		Merge		found = {.rank = (int32_t) i};
		Merge	   *slot;

		if (merge->left_len == 0 || merge->right_len == 0 || (uint64_t) merge->left_len + merge->right_len > sizeof bytes)
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not two tokens", (unsigned long long) i);
		memcpy(bytes, merge->left, merge->left_len);
		memcpy(bytes + merge->left_len, merge->right, merge->right_len);
		found.left = pieces_find(&sp->pieces, bytes, merge->left_len);
		found.right = pieces_find(&sp->pieces, bytes + merge->left_len, merge->right_len);
		found.token = pieces_find(&sp->pieces, bytes, (size_t) merge->left_len + merge->right_len);
		if (found.left == NO_TOKEN || found.right == NO_TOKEN || found.token == NO_TOKEN)
			continue;
		/* of two of one pair the last one counts */
		slot = merges_slot(&sp->merges, found.left, found.right);
		*slot = found;
	}
	return true;
}

static bool
open_from(Sentencepiece *sp, const Vocabulary *vocabulary, ModelError *error)
{
	sp->unknown = vocabulary->unknown;
	sp->unknown_fused = vocabulary->unknown_fused;
	sp->prefix = vocabulary->prefix;
	sp->blanks_cut = vocabulary->blanks_cut;
	memset(sp->of_byte, 0xFF, sizeof sp->of_byte);
	sp->memory = calloc(MEMORY_SLOTS, sizeof *sp->memory);
	if (!sp->memory)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	return read_tokens(sp, vocabulary, error) && (vocabulary->merges ? read_merges(sp, vocabulary, error) : read_scores(sp, vocabulary, error));
}

Sentencepiece *
sentencepiece_open(const Vocabulary *vocabulary, ModelError *error)
{
	Sentencepiece *sp = calloc(1, sizeof *sp);

	if (!sp)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(sp, vocabulary, error))
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
	free(sp->merges.slots);
	users_free(&sp->users);
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
	else if (sp->unknown != NO_TOKEN && (!sp->unknown_fused || out->n == 0 || out->ids[out->n - 1] != sp->unknown))
		out->ids[out->n++] = sp->unknown;
	return true;
}

/* Of a pair: what comes first among merges, or what it becomes among scores; INT32_MAX: they stay two */
static int32_t
rank_of(const Sentencepiece *sp, const char *p, size_t left, size_t right)
{
	int32_t		tokens[2];
	const Merge *merge;

	if (sp->ranks)
	{
		const int32_t token = pieces_find(&sp->pieces, p, left + right);

		return token == NO_TOKEN ? INT32_MAX : sp->ranks[token];
	}
	tokens[0] = pieces_find(&sp->pieces, p, left);
	tokens[1] = tokens[0] == NO_TOKEN ? NO_TOKEN : pieces_find(&sp->pieces, p + left, right);
	merge = tokens[1] == NO_TOKEN ? NULL : merges_find(&sp->merges, tokens[0], tokens[1]);
	return merge ? merge->rank : INT32_MAX;
}

/* start: where n characters begin, and the last one ends; what is left of them stays in it. */
static size_t
merge_short(const Sentencepiece *sp, const char *p, uint32_t *start, size_t n)
{
	int32_t		ranks[SHORT_WORD];	/* of the pair that begins there */

#define LOOK_AT(i)	(ranks[i] = rank_of(sp, p + start[i], start[(i) + 1] - start[i], start[(i) + 2] - start[(i) + 1]))
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
	const int32_t rank = rank_of(sp, p + left, right - left, end - right);

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
		const size_t user = users_match(&sp->users, p + i, len - i, &token);

		if (!model_goes_on(progress, (uint32_t) user + 1, error))
			return false;
		if (i > word && (user > 0 || (begins_blank(p + i, len - i) && (sp->blanks_cut || !crosses(sp, before)))))
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
	return sp->prefix == BLANK_ALWAYS;
}

bool
sentencepiece_encode(Sentencepiece *sp, const char *text, size_t len, bool first, TokenList *out, ModelCancelled cancelled, void *context,
					 ModelError *error)
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
	if (sp->prefix == BLANK_ALWAYS ||
		((sp->prefix == BLANK_IF_NONE || (sp->prefix == BLANK_FIRST_IF_NONE && first)) && *text != ' ' && !begins_blank(text, len)))
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
