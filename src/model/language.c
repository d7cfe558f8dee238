/*-------------------------------------------------------------------------
 *
 * language.c
 *	  See language.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/language.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct Language
{
	LanguageInfo info;
	Tokenizer  *tokenizer;
	GuideVocabulary *vocabulary;	/* or NULL */
	Decoder    *decoder;
	const ModelKernels *kernels;
};

static int
open_part(void *files, const char *name)
{
	const ModelFiles *of = files;

	return of->open(of->context, name);
}

static void
count_weights(const Gguf *gguf, LanguageInfo *info)
{
	uint64_t	of_type[TENSOR_BF16 + 1] = {0};
	uint64_t	most = 0;

	info->quantisation = "";
	for (uint64_t i = 0; i < gguf_ntensors(gguf); i++)
	{
		const GgufTensor *tensor = gguf_tensor(gguf, i);
		const uint64_t n = tensor->ne[0] * tensor->ne[1] * tensor->ne[2] * tensor->ne[3];
		uint64_t   *of_this = &of_type[tensor->type->type];

		info->parameters += n;
		/* the vocabulary's vectors are often of another type, and say nothing of the network */
		if (tensor->name.len > 4 && memcmp(tensor->name.ptr, "blk.", 4) == 0 && (*of_this += n) > most)
		{
			most = *of_this;
			info->quantisation = tensor->type->name;
		}
	}
}

static bool
read_template(const Gguf *gguf, const LanguageOptions *options, LanguageInfo *info, ModelError *error)
{
	GgufString	jinja;
	bool		found;

	if (!gguf_get_string(gguf, "tokenizer.chat_template", &jinja, &found, error))
		return false;
	info->has_template = found || options->family >= 0;
	info->family = options->family >= 0 ? (ChatFamily) options->family : found ? chat_family_of(jinja.ptr, jinja.len) : CHAT_FAMILIES;
	return true;
}

static bool
read_model(Language *language, const Gguf *gguf, const LanguageOptions *options, ModelProgress *progress, ModelError *error)
{
	const DecoderOptions decoder = {options->memory, options->share};
	const Weights weights = {gguf, NULL};
	DecoderConfig config;
	Vocabulary	vocabulary;

	if (!decoder_config(gguf, &config, error))
		return false;
	if (options->context > config.context)
		return model_error(error, MODEL_BAD_INPUT, "a context of %u tokens is more than the %u that the model was made for", options->context, config.context);
	if (options->context > 0)
		config.context = options->context;
	if (vocabulary_of_gguf(gguf, &vocabulary, error))
		language->tokenizer = tokenizer_open(&vocabulary, error);
	vocabulary_free(&vocabulary);
	if (!language->tokenizer)
		return false;
	/* files may have vectors for more tokens than there are */
	if (tokenizer_ntokens(language->tokenizer) > config.vocabulary)
		return model_error(error, MODEL_CORRUPT, "the tokenizer has %u tokens, where the model has %u", tokenizer_ntokens(language->tokenizer), config.vocabulary);
	language->decoder = decoder_open(&config, &weights, &decoder, progress, error);
	if (!language->decoder || !read_template(gguf, options, &language->info, error))
		return false;
	language->info.architecture = config.architecture;
	language->info.context = config.context;
	language->info.dimensions = config.hidden;
	language->info.size = decoder_size(language->decoder);
	language->info.shared = decoder_is_shared(language->decoder);
	count_weights(gguf, &language->info);
	return true;
}

Language *
language_open(const ModelFiles *files, const char *name, const LanguageOptions *options, ModelProgress *progress, ModelError *error)
{
	Language   *language = calloc(1, sizeof *language);
	Gguf	   *gguf;
	bool		done;
	int			fd;

	if (!language)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory");
		return NULL;
	}
	language->kernels = model_kernels(options->level);
	fd = files->open(files->context, name);
	if (fd < 0)
	{
		model_error(error, MODEL_IO, "could not open file \"%s\" of the model: %s", name, strerror(errno));
		language_close(language);
		return NULL;
	}
	gguf = gguf_open(fd, name, open_part, (void *) files, error);
	done = gguf && read_model(language, gguf, options, progress, error);
	gguf_close(gguf);
	if (done)
		return language;
	language_close(language);
	return NULL;
}

void
language_close(Language *language)
{
	if (!language)
		return;
	guide_vocabulary_close(language->vocabulary);
	tokenizer_close(language->tokenizer);
	decoder_close(language->decoder);
	free(language);
}

const LanguageInfo *
language_info(const Language *language)
{
	return &language->info;
}

Tokenizer *
language_tokenizer(Language *language)
{
	return language->tokenizer;
}

const GuideVocabulary *
language_vocabulary(Language *language, ModelError *error)
{
	if (!language->vocabulary)
		language->vocabulary = guide_vocabulary_open(language->tokenizer, error);
	return language->vocabulary;
}

const Decoder *
language_decoder(const Language *language)
{
	return language->decoder;
}

const ModelKernels *
language_kernels(const Language *language)
{
	return language->kernels;
}

static bool
add_token(TokenList *out, int32_t id, ModelError *error)
{
	if (!tokens_room(out, 1, error))
		return false;
	out->ids[out->n++] = id;
	return true;
}

bool
language_plain_prompt(Language *language, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	return (!tokenizer_adds_bos(language->tokenizer) || add_token(out, tokenizer_bos(language->tokenizer), error)) &&
		tokenizer_encode(language->tokenizer, text, len, out, progress, error);
}

int32_t
language_control(const Language *language, const char *name)
{
	const Tokenizer *tokenizer = language->tokenizer;
	/* which text ends with the token of the end is for the vocabulary to say */
	static const char *const ends[] = {"</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"};

	if (strcmp(name, CHAT_BOS) == 0 && tokenizer_bos(tokenizer) >= 0)
		return tokenizer_bos(tokenizer);
	for (size_t i = 0; strcmp(name, CHAT_EOS) == 0 && i < sizeof ends / sizeof *ends; i++)
		if (tokenizer_control(tokenizer, ends[i]) >= 0)
			return tokenizer_control(tokenizer, ends[i]);
	return tokenizer_control(tokenizer, name);
}

/* Neighbours that are text are one, as their tokens may be. */
static bool
encode_parts(Language *language, const ChatText *text, TokenList *out, ModelProgress *progress, ModelError *error)
{
	char	   *joined = NULL;
	size_t		room = 0;
	bool		good = true;

	for (size_t i = 0, end; good && i < text->n; i = end)
	{
		size_t		len = 0;
		size_t		blank;

		end = i + 1;
		if (text->parts[i].control)
		{
			const int32_t id = language_control(language, text->parts[i].text);

			good = id >= 0 ? add_token(out, id, error) :
				model_error(error, MODEL_UNSUPPORTED, "the model has no token \"%s\", which its template wants", text->parts[i].text);
			continue;
		}
		while (end < text->n && !text->parts[end].control)
			end++;
		for (size_t j = i; j < end; j++)
			len += text->parts[j].len;
		if (len > room)
		{
			char	   *more = realloc(joined, len);

			if (!more)
			{
				good = model_error(error, MODEL_NO_MEMORY, "out of memory for a text of %zu bytes", len);
				break;
			}
			joined = more;
			room = len;
		}
		len = 0;
		for (size_t j = i; j < end; j++)
		{
			memcpy(joined + len, text->parts[j].text, text->parts[j].len);
			len += text->parts[j].len;
		}
		/* a blank that a template writes behind a token is the one that the tokenizer would put there */
		blank = len > 0 && *joined == ' ' && tokenizer_adds_blank(language->tokenizer);
		good = (i == 0 ? tokenizer_encode : tokenizer_encode_behind) (language->tokenizer, joined + blank, len - blank, out, progress, error);
	}
	free(joined);
	return good;
}

bool
language_render(const Language *language, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	if (language->info.family == CHAT_FAMILIES)
		return model_error(error, MODEL_UNSUPPORTED, language->info.has_template ? "the model's template for conversations is not known" :
						   "the model has no template for conversations");
	return chat_render(language->info.family, messages, n, answer, out, error);
}

bool
language_chat_prompt(Language *language, const ChatMessage *messages, size_t n, bool answer, TokenList *out, ModelProgress *progress, ModelError *error)
{
	ChatText	text = {0};
	const bool	done = language_render(language, messages, n, answer, &text, error) && encode_parts(language, &text, out, progress, error);

	free(text.parts);
	return done;
}
