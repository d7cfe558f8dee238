/*-------------------------------------------------------------------------
 *
 * guide.c
 *	  See guide.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/guide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_machine.h"

/* Bytes of a token that is ever looked at; longer ones are not allowed */
#define PIECE_MAX	255

typedef struct Entry
{
	const char *piece;
	int32_t		id;
	uint8_t		len;
	uint8_t		common;			/* bytes that it begins with as the one before does */
} Entry;

struct GuideVocabulary
{
	const Tokenizer *tokenizer;
	uint32_t	ntokens;
	Entry	   *entries;
	uint32_t	n;
	uint32_t	longest;
};

struct Guide
{
	const GuideVocabulary *vocabulary;
	const JsonSchema *schema;
	uint64_t   *mask;			/* a bit for each token */
	/* where it is the mask, of a text: most of it is inside strings, where all places are alike */
	const GuideText *masked;
	JsonState	masked_at;
	JsonState  *states;			/* behind each byte of a token */
};

struct GuideText
{
	Guide	   *guide;
	JsonMachine *machine;
	JsonState	state;
};

/* ------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------
 */

static int
by_bytes(const void *a, const void *b)
{
	const Entry *left = a,
			   *right = b;
	const int	order = memcmp(left->piece, right->piece, left->len < right->len ? left->len : right->len);

	return order != 0 ? order : left->len != right->len ? (left->len < right->len ? -1 : 1) : left->id < right->id ? -1 : 1;
}

GuideVocabulary *
guide_vocabulary_open(const Tokenizer *tokenizer, ModelError *error)
{
	GuideVocabulary *vocabulary = calloc(1, sizeof *vocabulary);

	if (!vocabulary || !(vocabulary->entries = malloc(tokenizer_ntokens(tokenizer) * sizeof *vocabulary->entries)))
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory for %u tokens", tokenizer_ntokens(tokenizer));
		guide_vocabulary_close(vocabulary);
		return NULL;
	}
	vocabulary->tokenizer = tokenizer;
	vocabulary->ntokens = tokenizer_ntokens(tokenizer);
	for (uint32_t i = 0; i < vocabulary->ntokens; i++)
	{
		uint32_t	len;
		const char *piece = tokenizer_piece(tokenizer, (int32_t) i, &len);

		if (!piece || len == 0 || len > PIECE_MAX || tokenizer_is_control(tokenizer, (int32_t) i) || tokenizer_ends(tokenizer, (int32_t) i))
			continue;
		vocabulary->entries[vocabulary->n++] = (Entry) {piece, (int32_t) i, (uint8_t) len, 0};
		vocabulary->longest = len > vocabulary->longest ? len : vocabulary->longest;
	}
	qsort(vocabulary->entries, vocabulary->n, sizeof *vocabulary->entries, by_bytes);
	for (uint32_t i = 1; i < vocabulary->n; i++)
	{
		const Entry *before = &vocabulary->entries[i - 1];
		Entry	   *entry = &vocabulary->entries[i];

		while (entry->common < entry->len && entry->common < before->len && entry->piece[entry->common] == before->piece[entry->common])
			entry->common++;
	}
	return vocabulary;
}

void
guide_vocabulary_close(GuideVocabulary *vocabulary)
{
	if (!vocabulary)
		return;
	free(vocabulary->entries);
	free(vocabulary);
}

/* ------------------------------------------------------------------------
 * Guides and texts
 * ------------------------------------------------------------------------
 */

Guide *
guide_open(const GuideVocabulary *vocabulary, const JsonSchema *schema, ModelError *error)
{
	Guide	   *guide = calloc(1, sizeof *guide);

	if (guide)
	{
		guide->vocabulary = vocabulary;
		guide->schema = schema;
		guide->mask = malloc((vocabulary->ntokens / 64 + 1) * sizeof *guide->mask);
		guide->states = malloc((vocabulary->longest + 2) * sizeof *guide->states);
		if (guide->mask && guide->states)
			return guide;
	}
	model_error(error, MODEL_NO_MEMORY, "out of memory for a JSON schema");
	guide_close(guide);
	return NULL;
}

void
guide_close(Guide *guide)
{
	if (!guide)
		return;
	free(guide->mask);
	free(guide->states);
	free(guide);
}

GuideText *
guide_text_open(Guide *guide, ModelError *error)
{
	GuideText  *text = calloc(1, sizeof *text);

	if (!text)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a JSON schema");
	else
	{
		text->guide = guide;
		text->machine = json_machine_open(guide->schema, error);
		if (text->machine && json_machine_begin(text->machine, &text->state, error))
			return text;
	}
	guide_text_close(text);
	return NULL;
}

void
guide_text_close(GuideText *text)
{
	if (!text)
		return;
	if (text->guide && text->guide->masked == text)
		text->guide->masked = NULL;
	json_machine_close(text->machine);
	free(text);
}

bool
guide_is_at_end(const GuideText *text)
{
	return text->state.n == 0;
}

bool
guide_is_complete(const GuideText *text)
{
	return text->state.complete;
}

/* What the text's state becomes by a token's bytes, or NULL; not possible: they cannot come */
static const JsonState *
read_piece(GuideText *text, const char *piece, uint32_t len, ModelError *error)
{
	JsonState  *states = text->guide->states;
	const JsonState *state = &text->state;

	for (uint32_t i = 0; i < len; i++)
	{
		if (!json_machine_read(text->machine, state, (uint8_t) piece[i], &states[i % 2], error))
			return NULL;
		state = &states[i % 2];
	}
	return state;
}

static bool
is_possible(const JsonState *state)
{
	return state->n > 0 || state->complete;
}

bool
guide_allows(GuideText *text, int32_t id, bool *allowed, ModelError *error)
{
	const Tokenizer *tokenizer = text->guide->vocabulary->tokenizer;
	const size_t mark = json_machine_mark(text->machine);
	uint32_t	len;
	const char *piece = tokenizer_piece(tokenizer, id, &len);
	const JsonState *state;

	*allowed = false;
	if (tokenizer_ends(tokenizer, id))
	{
		*allowed = text->state.complete;
		return true;
	}
	if (!piece || len == 0 || len > PIECE_MAX || tokenizer_is_control(tokenizer, id))
		return true;
	state = read_piece(text, piece, len, error);
	json_machine_forget(text->machine, mark);
	*allowed = state && is_possible(state);
	return state != NULL;
}

/* The mask of the text's place, in guide->mask */
static bool
make_mask(GuideText *text, ModelError *error)
{
	Guide	   *guide = text->guide;
	const GuideVocabulary *vocabulary = guide->vocabulary;
	size_t		marks[PIECE_MAX + 1];
	uint32_t	alive = 0;		/* bytes of the last token that could be read */

	if (guide->masked && json_machine_same(&guide->masked_at, &text->state))
		return true;
	guide->masked = NULL;
	memset(guide->mask, 0, (vocabulary->ntokens / 64 + 1) * sizeof *guide->mask);
	guide->states[0] = text->state;
	marks[0] = json_machine_mark(text->machine);
	for (uint32_t i = 0; i < vocabulary->n; i++)
	{
		const Entry *entry = &vocabulary->entries[i];

		/* the one before could not be read as far as they are alike */
		if (entry->common > alive)
			continue;
		alive = entry->common;
		json_machine_forget(text->machine, marks[alive]);
		for (; alive < entry->len; alive++)
		{
			if (!json_machine_read(text->machine, &guide->states[alive], (uint8_t) entry->piece[alive], &guide->states[alive + 1], error))
				return false;
			if (!is_possible(&guide->states[alive + 1]))
				break;
			marks[alive + 1] = json_machine_mark(text->machine);
		}
		if (alive == entry->len)
			guide->mask[entry->id / 64] |= UINT64_C(1) << entry->id % 64;
	}
	json_machine_forget(text->machine, marks[0]);
	guide->masked = text;
	guide->masked_at = text->state;
	return true;
}

bool
guide_mask(GuideText *text, float *logits, uint32_t n, ModelError *error)
{
	Guide	   *guide = text->guide;
	const GuideVocabulary *vocabulary = guide->vocabulary;
	bool		any = false;

	if (!make_mask(text, error))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		const bool	allowed = i < vocabulary->ntokens && (tokenizer_ends(vocabulary->tokenizer, (int32_t) i) ? text->state.complete :
														  (guide->mask[i / 64] >> i % 64 & 1) != 0);

		if (!allowed)
			logits[i] = -INFINITY;
		any = any || allowed;
	}
	return any || model_error(error, MODEL_UNSUPPORTED, "the model has no token that the JSON schema lets come next");
}

bool
guide_go_on(GuideText *text, int32_t id, ModelError *error)
{
	uint32_t	len;
	const char *piece = tokenizer_piece(text->guide->vocabulary->tokenizer, id, &len);
	const JsonState *state = read_piece(text, piece, len, error);

	if (!state)
		return false;
	text->state = *state;
	return true;
}
