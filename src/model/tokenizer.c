/*-------------------------------------------------------------------------
 *
 * tokenizer.c
 *	  See tokenizer.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "model/bpe.h"
#include "model/sentencepiece.h"
#include "model/unicode.h"
#include "model/users.h"

#define IS_CONTROL(type)	((type) != TOKEN_NORMAL && (type) != TOKEN_USER && (type) != TOKEN_BYTE)

/* In place of a user's token: a control token's name, which is text, but has no users' tokens in it */
#define NAME_OF_CONTROL	(-2)

struct Tokenizer
{
	Bpe		   *bpe;			/* one of the two */
	Sentencepiece *sentencepiece;
	Users		users;			/* tokens that are cut out before texts are normalised */
	bool		has_users;
	bool		nfc;			/* texts are brought to Unicode's form C */
	uint8_t    *types;			/* of each token */
	uint8_t    *ends;
	int32_t		bos;
	bool		adds_bos;
};

/* Names that end a turn or a text whatever the file says (llama.cpp llama-vocab.cpp) */
static const char *const ending_names[] = {
	"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>", "<|end_of_text|>"
};

static bool
read_tokens(Tokenizer *tokenizer, const Vocabulary *vocabulary, ModelError *error)
{
	tokenizer->types = malloc(vocabulary->n + (size_t) 1);
	tokenizer->ends = calloc(vocabulary->n + (size_t) 1, 1);
	if (!tokenizer->types || !tokenizer->ends)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", vocabulary->n);
	for (uint32_t i = 0; i < vocabulary->n; i++)
	{
		tokenizer->types[i] = vocabulary->tokens[i].type;
		tokenizer->has_users |= vocabulary->from_json && vocabulary->tokens[i].type == TOKEN_USER;
	}
	for (uint32_t i = 0; tokenizer->has_users && i < vocabulary->n; i++)
	{
		const VocabularyToken *token = &vocabulary->tokens[i];

		if ((token->type == TOKEN_USER && !users_add(&tokenizer->users, token->name, token->len, (int32_t) i)) ||
			(token->type == TOKEN_CONTROL && !users_add(&tokenizer->users, token->name, token->len, NAME_OF_CONTROL)))
			return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", vocabulary->n);
	}
	return true;
}

static bool
open_from(Tokenizer *tokenizer, const Vocabulary *vocabulary, ModelError *error)
{
	if (vocabulary->sentencepiece)
		tokenizer->sentencepiece = sentencepiece_open(vocabulary, error);
	else
		tokenizer->bpe = bpe_open(vocabulary, error);
	if (!(tokenizer->bpe || tokenizer->sentencepiece) || !read_tokens(tokenizer, vocabulary, error))
		return false;
	tokenizer->nfc = vocabulary->nfc;
	for (size_t i = 0; i < sizeof ending_names / sizeof *ending_names; i++)
	{
		const int32_t id = tokenizer_control(tokenizer, ending_names[i]);

		if (id >= 0)
			tokenizer->ends[id] = 1;
	}
	for (uint32_t i = 0; i < vocabulary->nends; i++)
		tokenizer->ends[vocabulary->ends[i]] = 1;
	tokenizer->bos = vocabulary->bos;
	tokenizer->adds_bos = vocabulary->adds_bos;
	return true;
}

Tokenizer *
tokenizer_open(const Vocabulary *vocabulary, ModelError *error)
{
	Tokenizer  *tokenizer = calloc(1, sizeof *tokenizer);

	if (!tokenizer)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(tokenizer, vocabulary, error))
		return tokenizer;
	tokenizer_close(tokenizer);
	return NULL;
}

void
tokenizer_close(Tokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	bpe_close(tokenizer->bpe);
	sentencepiece_close(tokenizer->sentencepiece);
	users_free(&tokenizer->users);
	free(tokenizer->types);
	free(tokenizer->ends);
	free(tokenizer);
}

uint32_t
tokenizer_ntokens(const Tokenizer *tokenizer)
{
	return tokenizer->bpe ? bpe_ntokens(tokenizer->bpe) : sentencepiece_ntokens(tokenizer->sentencepiece);
}

/* Bytes of a text that are brought to form C at a time, up to where a character stands that nothing composes with */
#define COMPOSED_AT_ONCE	65536

/* A text in form C, malloc'ed; NULL, without an error, where it is so as it stands: all characters are below U+0300 */
static bool
compose(const char *text, size_t len, char **composed, size_t *composed_len, ModelProgress *progress, ModelError *error)
{
	size_t		first = 0;
	size_t		room = 0;
	size_t		n = 0;
	char	   *to = NULL;

	*composed = NULL;
	while (first < len && (uint8_t) text[first] < 0xCC)
		first++;
	if (first == len)
		return true;
	for (size_t at = 0, end; at < len; at = end)
	{
		char	   *part;
		size_t		part_len;
		bool		valid;

		end = len - at > COMPOSED_AT_ONCE ? at + COMPOSED_AT_ONCE : len;
		while (end < len && (uint8_t) text[end] >= 0x80)
			end++;
		part = unicode_composed(text + at, end - at, &part_len, &valid);
		if (!valid)
			part_len = end - at;
		if (n + part_len > room || !to)
		{
			char	   *more = realloc(to, room = (n + part_len) * 5 / 4 + 64);

			if (!more)
			{
				free(part);
				free(to);
				return model_error(error, MODEL_NO_MEMORY, "out of memory for a text of %zu bytes", room);
			}
			to = more;
		}
		if (valid && !part)
		{
			free(to);
			return model_error(error, MODEL_NO_MEMORY, "out of memory for a text of %zu bytes", end - at);
		}
		memcpy(to + n, valid ? part : text + at, part_len);
		n += part_len;
		free(part);
		if (!model_goes_on(progress, (uint32_t) part_len, error))
		{
			free(to);
			return false;
		}
	}
	*composed = to;
	*composed_len = n;
	return true;
}

/* A text without users' tokens.  first: nothing stands before it */
static bool
encode_plain(Tokenizer *tokenizer, const char *text, size_t len, bool first, TokenList *out, ModelProgress *progress, ModelError *error)
{
	char	   *composed = NULL;
	bool		done;

	if (tokenizer->nfc && !compose(text, len, &composed, &len, progress, error))
		return false;
	if (composed)
		text = composed;
	done = tokenizer->bpe ? bpe_encode(tokenizer->bpe, text, len, out, progress->cancelled, progress->context, error) :
		sentencepiece_encode(tokenizer->sentencepiece, text, len, first, out, progress->cancelled, progress->context, error);
	free(composed);
	return done;
}

static bool
encode(Tokenizer *tokenizer, const char *text, size_t len, bool first, TokenList *out, ModelProgress *progress, ModelError *error)
{
	size_t		plain = 0;		/* where what is no user's token begins */

	for (size_t i = 0; tokenizer->has_users && i < len;)
	{
		int32_t		token;
		const size_t user = users_match(&tokenizer->users, text + i, len - i, &token);

		if (!model_goes_on(progress, (uint32_t) user + 1, error))
			return false;
		if (user > 0 && token != NAME_OF_CONTROL)
		{
			if ((i > plain && !encode_plain(tokenizer, text + plain, i - plain, first && plain == 0, out, progress, error)) ||
				!tokens_room(out, 1, error))
				return false;
			out->ids[out->n++] = token;
			plain = i + user;
		}
		i += user > 0 ? user : 1;
	}
	return plain == len || encode_plain(tokenizer, text + plain, len - plain, first && plain == 0, out, progress, error);
}

bool
tokenizer_encode(Tokenizer *tokenizer, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	return encode(tokenizer, text, len, true, out, progress, error);
}

bool
tokenizer_encode_behind(Tokenizer *tokenizer, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	return encode(tokenizer, text, len, false, out, progress, error);
}

bool
tokenizer_adds_blank(const Tokenizer *tokenizer)
{
	return tokenizer->sentencepiece && sentencepiece_adds_blank(tokenizer->sentencepiece);
}

const char *
tokenizer_piece(const Tokenizer *tokenizer, int32_t id, uint32_t *len)
{
	return tokenizer->bpe ? bpe_piece(tokenizer->bpe, id, len) : sentencepiece_piece(tokenizer->sentencepiece, id, len);
}

bool
tokenizer_is_control(const Tokenizer *tokenizer, int32_t id)
{
	return id >= 0 && (uint32_t) id < tokenizer_ntokens(tokenizer) && IS_CONTROL(tokenizer->types[id]);
}

/* Some files have what a template puts between turns as defined by users */
int32_t
tokenizer_control(const Tokenizer *tokenizer, const char *name)
{
	const size_t size = strlen(name);

	for (uint32_t i = 0; i < tokenizer_ntokens(tokenizer); i++)
		if (IS_CONTROL(tokenizer->types[i]) || tokenizer->types[i] == TOKEN_USER)
		{
			uint32_t	len;
			const char *piece = tokenizer_piece(tokenizer, (int32_t) i, &len);

			if (len == size && memcmp(piece, name, size) == 0)
				return (int32_t) i;
		}
	return -1;
}

bool
tokenizer_ends(const Tokenizer *tokenizer, int32_t id)
{
	return id >= 0 && (uint32_t) id < tokenizer_ntokens(tokenizer) && tokenizer->ends[id];
}

int32_t
tokenizer_bos(const Tokenizer *tokenizer)
{
	return tokenizer->bos;
}

bool
tokenizer_adds_bos(const Tokenizer *tokenizer)
{
	return tokenizer->adds_bos && tokenizer->bos >= 0;
}

/* Bytes that a character has by its first one; 0: none begins like that */
static uint32_t
size_of_character(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

static size_t
put_replacement(char *to)
{
	memcpy(to, "\357\277\275", 3);
	return 3;
}

/* What waits is a character, the beginning of one, or no such thing: what can be said goes to 'to'. */
static size_t
settle(TokenizerText *text, bool at_end, char *to)
{
	size_t		n = 0;

	while (text->n > 0)
	{
		const uint32_t size = size_of_character((uint8_t) text->bytes[0]);
		uint32_t	whole = 1;
		int			is;

		/* of the bytes that follow, how many may belong to it? */
		while (whole < text->n && whole < size && ((uint8_t) text->bytes[whole] & 0xC0) == 0x80)
			whole++;
		if (size > whole && whole == text->n && !at_end)
			break;
		if (size == whole && unicode_at(text->bytes, size, &is) >= 0 && (uint32_t) is == size)
		{
			memcpy(to + n, text->bytes, size);
			n += size;
		}
		else
			n += put_replacement(to + n);
		text->n -= whole;
		memmove(text->bytes, text->bytes + whole, text->n);
	}
	return n;
}

size_t
tokenizer_text(const Tokenizer *tokenizer, TokenizerText *text, int32_t id, char *to)
{
	uint32_t	len = 0;
	const char *piece = id < 0 || tokenizer_is_control(tokenizer, id) ? NULL : tokenizer_piece(tokenizer, id, &len);
	size_t		n = 0;

	for (uint32_t i = 0; piece && i < len; i++)
	{
		/* nothing that holds texts can take it */
		if (piece[i] == '\0')
			continue;
		text->bytes[text->n++] = piece[i];
		n += settle(text, false, to + n);
	}
	return n + (id < 0 ? settle(text, true, to + n) : 0);
}
