/*-------------------------------------------------------------------------
 *
 * vocabulary_gguf.c
 *	  The vocabulary that a GGUF file has in its metadata.  What no key says is as
 *	  llama.cpp has it (llama-vocab.cpp).
 *
 *-------------------------------------------------------------------------
 */
#include "model/vocabulary.h"

#include <stdlib.h>
#include <string.h>

static const char *const ending_keys[] = {
	"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"
};

static bool
is_name(GgufString string, const char *name)
{
	return string.len == strlen(name) && memcmp(string.ptr, name, string.len) == 0;
}

/* Names and types.  types, scores: of as many tokens, or NULL */
static bool
read_tokens(const GgufValue *tokens, const GgufValue *types, const GgufValue *scores, Vocabulary *vocabulary, ModelError *error)
{
	GgufString *names = gguf_strings(tokens, error);

	if (!names)
		return false;
	vocabulary->tokens = malloc(tokens->n * sizeof *vocabulary->tokens);
	if (!vocabulary->tokens)
	{
		free(names);
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %llu tokens", (unsigned long long) tokens->n);
	}
	vocabulary->n = (uint32_t) tokens->n;
	for (uint32_t i = 0; i < vocabulary->n; i++)
	{
		const int64_t type = types ? gguf_int_at(types, i) : TOKEN_NORMAL;

		if (names[i].len > INT32_MAX / 4)
		{
			free(names);
			return model_error(error, MODEL_UNSUPPORTED, "token %u has a name of too many bytes", i);
		}
		vocabulary->tokens[i] = (VocabularyToken) {names[i].ptr, (uint32_t) names[i].len, type >= 0 && type < 256 ? (uint8_t) type : 0,
			scores ? (float) gguf_float_at(scores, i) : 0};
	}
	free(names);
	return true;
}

/* "a b": the blank is the first one behind the first character */
static bool
read_merges(const GgufValue *merges, Vocabulary *vocabulary, ModelError *error)
{
	GgufString *strings = gguf_strings(merges, error);

	if (!strings)
		return false;
	vocabulary->merges = malloc(merges->n * sizeof *vocabulary->merges + 1);
	for (uint64_t i = 0; vocabulary->merges && i < merges->n; i++)
	{
		const GgufString merge = strings[i];
		const char *blank = merge.len > 2 && merge.len < INT32_MAX ? memchr(merge.ptr + 1, ' ', merge.len - 1) : NULL;

		if (!blank)
		{
			free(strings);
			return model_error(error, MODEL_CORRUPT, "merge %llu of the vocabulary is not two tokens", (unsigned long long) i);
		}
		vocabulary->merges[i] = (VocabularyMerge) {merge.ptr, blank + 1, (uint32_t) (blank - merge.ptr),
			(uint32_t) (merge.ptr + merge.len - blank - 1)};
	}
	free(strings);
	vocabulary->nmerges = merges->n;
	return vocabulary->merges ||
		model_error(error, MODEL_NO_MEMORY, "out of memory for %llu merges of a vocabulary", (unsigned long long) merges->n);
}

static bool
read_bpe(const Gguf *gguf, Vocabulary *vocabulary, ModelError *error)
{
	const GgufValue *tokens = gguf_find(gguf, "tokenizer.ggml.tokens");
	const GgufValue *types = gguf_find(gguf, "tokenizer.ggml.token_type");
	const GgufValue *merges = gguf_find(gguf, "tokenizer.ggml.merges");
	GgufString	pre = {"", 0};
	bool		found;

	if (!tokens || !merges)
		return model_error(error, MODEL_CORRUPT, "the model has no vocabulary of byte pairs");
	if (tokens->n == 0 || tokens->n > INT32_MAX / 4 || merges->n > INT32_MAX / 4)
		return model_error(error, MODEL_CORRUPT, "the model has a vocabulary of %llu tokens", (unsigned long long) tokens->n);
	if (types && (types->type != GGUF_ARRAY || !gguf_is_int(types->element) || types->n != tokens->n))
		return model_error(error, MODEL_CORRUPT, "the types of the vocabulary's tokens do not fit it");
	if (!gguf_get_string(gguf, "tokenizer.ggml.pre", &pre, &found, error))
		return false;
	vocabulary->pretoken = pretoken_kind(pre.ptr, pre.len);
	if (vocabulary->pretoken == PRETOKENS)
		return model_error(error, MODEL_UNSUPPORTED, "the model's texts are cut in the way \"%.*s\", which is not known",
						   (int) (pre.len < 100 ? pre.len : 100), pre.ptr);
	/* dbrx is cut as llama3, and its merges count */
	vocabulary->whole_first = vocabulary->pretoken == PRETOKEN_TEKKEN || (vocabulary->pretoken == PRETOKEN_LLAMA3 && !is_name(pre, "dbrx"));
	vocabulary->adds_bos = vocabulary->whole_first;
	/* here llama.cpp has nothing; so the model was trained */
	vocabulary->nfc = is_name(pre, "qwen2");
	return read_tokens(tokens, types, NULL, vocabulary, error) && read_merges(merges, vocabulary, error);
}

static bool
read_sentencepiece(const Gguf *gguf, Vocabulary *vocabulary, ModelError *error)
{
	const GgufValue *tokens = gguf_find(gguf, "tokenizer.ggml.tokens");
	const GgufValue *types = gguf_find(gguf, "tokenizer.ggml.token_type");
	const GgufValue *scores = gguf_find(gguf, "tokenizer.ggml.scores");
	const GgufValue *charsmap = gguf_find(gguf, "tokenizer.ggml.precompiled_charsmap");
	uint64_t	unknown = 0;
	bool		prefix = true;
	bool		fewer_blanks = false;
	bool		found;

	if (!tokens || !types || !scores)
		return model_error(error, MODEL_CORRUPT, "the model has no vocabulary of pieces with scores");
	if (tokens->n == 0 || tokens->n > INT32_MAX / 4)
		return model_error(error, MODEL_CORRUPT, "the model has a vocabulary of %llu tokens", (unsigned long long) tokens->n);
	if (types->type != GGUF_ARRAY || !gguf_is_int(types->element) || types->n != tokens->n ||
		scores->type != GGUF_ARRAY || scores->element != GGUF_FLOAT32 || scores->n != tokens->n)
		return model_error(error, MODEL_CORRUPT, "types or scores of the vocabulary's tokens do not fit it");
	if (!gguf_get_uint(gguf, "tokenizer.ggml.unknown_token_id", tokens->n - 1, &unknown, &found, error) ||
		!gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &prefix, &found, error) ||
		!gguf_get_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces", &fewer_blanks, &found, error))
		return false;
	if (fewer_blanks || (charsmap && charsmap->n > 0))
		return model_error(error, MODEL_UNSUPPORTED, "the model's texts are normalised in a way that is not known");
	vocabulary->sentencepiece = true;
	vocabulary->unknown = (int32_t) unknown;
	vocabulary->unknown_fused = true;
	vocabulary->prefix = prefix ? BLANK_ALWAYS : BLANK_NEVER;
	vocabulary->adds_bos = true;
	return read_tokens(tokens, types, scores, vocabulary, error);
}

static bool
read_begin_and_end(const Gguf *gguf, Vocabulary *vocabulary, ModelError *error)
{
	uint64_t	id;
	bool		found;

	for (size_t i = 0; i < sizeof ending_keys / sizeof *ending_keys; i++)
	{
		if (!gguf_get_uint(gguf, ending_keys[i], vocabulary->n - 1, &id, &found, error))
			return false;
		if (found)
			vocabulary->ends[vocabulary->nends++] = (int32_t) id;
	}
	if (!gguf_get_uint(gguf, "tokenizer.ggml.bos_token_id", vocabulary->n - 1, &id, &found, error))
		return false;
	vocabulary->bos = found ? (int32_t) id : -1;
	return gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &vocabulary->adds_bos, &found, error);
}

bool
vocabulary_of_gguf(const Gguf *gguf, Vocabulary *vocabulary, ModelError *error)
{
	GgufString	kind;
	bool		found;
	bool		read;

	*vocabulary = (Vocabulary) {.unknown = -1, .bos = -1};
	if (!gguf_get_string(gguf, "tokenizer.ggml.model", &kind, &found, error))
		return false;
	if (!found)
		return model_error(error, MODEL_CORRUPT, "the model has no tokenizer");
	if (is_name(kind, "gpt2"))
		read = read_bpe(gguf, vocabulary, error);
	else if (is_name(kind, "llama"))
		read = read_sentencepiece(gguf, vocabulary, error);
	else
		return model_error(error, MODEL_UNSUPPORTED, "tokenizer \"%.*s\" is not supported: there are \"gpt2\" and \"llama\"",
						   kind.len > 64 ? 64 : (int) kind.len, kind.ptr);
	return read && read_begin_and_end(gguf, vocabulary, error);
}
