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

/* llama.cpp llama_token_type: those that stand for text are 1 (normal), 4 (defined by users) and 6 (a byte) */
#define TYPE_IS_CONTROL(type)	((type) != 1 && (type) != 4 && (type) != 6)
#define TYPE_USER				4

struct Tokenizer
{
	Bpe		   *bpe;			/* one of the two */
	Sentencepiece *sentencepiece;
	uint8_t    *types;			/* of each token */
	uint8_t    *ends;
	int32_t		bos;
	bool		adds_bos;
};

/* Names that end a turn or a text whatever the file says (llama.cpp llama-vocab.cpp) */
static const char *const ending_names[] = {
	"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>", "<|end_of_text|>"
};

static const char *const ending_keys[] = {
	"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"
};

static bool
read_types(Tokenizer *tokenizer, const Gguf *gguf, ModelError *error)
{
	const uint32_t n = tokenizer_ntokens(tokenizer);
	const GgufValue *types = gguf_find(gguf, "tokenizer.ggml.token_type");

	tokenizer->types = malloc(n);
	tokenizer->ends = calloc(n, 1);
	if (!tokenizer->types || !tokenizer->ends)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", n);
	/* that there are n of them was seen when the vocabulary was read */
	for (uint32_t i = 0; i < n; i++)
	{
		const int64_t type = types ? gguf_int_at(types, i) : 1;

		tokenizer->types[i] = type >= 0 && type < 256 ? (uint8_t) type : 0;
	}
	return true;
}

static bool
read_ends(Tokenizer *tokenizer, const Gguf *gguf, ModelError *error)
{
	for (size_t i = 0; i < sizeof ending_names / sizeof *ending_names; i++)
	{
		const int32_t id = tokenizer_control(tokenizer, ending_names[i]);

		if (id >= 0)
			tokenizer->ends[id] = 1;
	}
	for (size_t i = 0; i < sizeof ending_keys / sizeof *ending_keys; i++)
	{
		uint64_t	id;
		bool		found;

		if (!gguf_get_uint(gguf, ending_keys[i], tokenizer_ntokens(tokenizer) - 1, &id, &found, error))
			return false;
		if (found)
			tokenizer->ends[id] = 1;
	}
	return true;
}

static bool
is_name(GgufString string, const char *name)
{
	return string.len == strlen(name) && memcmp(string.ptr, name, string.len) == 0;
}

static bool
open_from(Tokenizer *tokenizer, const Gguf *gguf, ModelError *error)
{
	GgufString	kind;
	GgufString	pre = {"", 0};
	uint64_t	bos = 0;
	bool		found;

	if (!gguf_get_string(gguf, "tokenizer.ggml.model", &kind, &found, error))
		return false;
	if (!found)
		return model_error(error, MODEL_CORRUPT, "the model has no tokenizer");
	if (is_name(kind, "gpt2"))
		tokenizer->bpe = bpe_open(gguf, error);
	else if (is_name(kind, "llama"))
		tokenizer->sentencepiece = sentencepiece_open(gguf, error);
	else
		return model_error(error, MODEL_UNSUPPORTED, "tokenizer \"%.*s\" is not supported: there are \"gpt2\" and \"llama\"",
						   kind.len > 64 ? 64 : (int) kind.len, kind.ptr);
	if (!(tokenizer->bpe || tokenizer->sentencepiece) || !read_types(tokenizer, gguf, error) || !read_ends(tokenizer, gguf, error) ||
		!gguf_get_uint(gguf, "tokenizer.ggml.bos_token_id", tokenizer_ntokens(tokenizer) - 1, &bos, &found, error))
		return false;
	tokenizer->bos = found ? (int32_t) bos : -1;
	/* what a file does not say is as llama.cpp has it */
	if (!gguf_get_string(gguf, "tokenizer.ggml.pre", &pre, &found, error))
		return false;
	tokenizer->adds_bos = tokenizer->sentencepiece || is_name(pre, "llama-bpe") || is_name(pre, "llama3") || is_name(pre, "llama-v3");
	return gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &tokenizer->adds_bos, &found, error);
}

Tokenizer *
tokenizer_open(const Gguf *gguf, ModelError *error)
{
	Tokenizer  *tokenizer = calloc(1, sizeof *tokenizer);

	if (!tokenizer)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	else if (open_from(tokenizer, gguf, error))
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
	free(tokenizer->types);
	free(tokenizer->ends);
	free(tokenizer);
}

uint32_t
tokenizer_ntokens(const Tokenizer *tokenizer)
{
	return tokenizer->bpe ? bpe_ntokens(tokenizer->bpe) : sentencepiece_ntokens(tokenizer->sentencepiece);
}

bool
tokenizer_encode(Tokenizer *tokenizer, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	return tokenizer->bpe ? bpe_encode(tokenizer->bpe, text, len, out, progress->cancelled, progress->context, error) :
		sentencepiece_encode(tokenizer->sentencepiece, text, len, out, progress->cancelled, progress->context, error);
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
	return id >= 0 && (uint32_t) id < tokenizer_ntokens(tokenizer) && TYPE_IS_CONTROL(tokenizer->types[id]);
}

/* Some files have what a template puts between turns as defined by users */
int32_t
tokenizer_control(const Tokenizer *tokenizer, const char *name)
{
	const size_t size = strlen(name);

	for (uint32_t i = 0; i < tokenizer_ntokens(tokenizer); i++)
		if (TYPE_IS_CONTROL(tokenizer->types[i]) || tokenizer->types[i] == TYPE_USER)
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
