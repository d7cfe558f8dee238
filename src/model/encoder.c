/*-------------------------------------------------------------------------
 *
 * encoder.c
 *	  A model that makes embeddings: tokenizer, network, pooling.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/encoder.h"
#include "model/json_file.h"
#include "model/wordpiece.h"

#define VOCABULARY_MAX	(64 << 20)	/* bytes of vocab.txt */

struct Encoder
{
	EncoderInfo info;
	Wordpiece  *wordpiece;
	int32_t		first;			/* [CLS] */
	int32_t		last;			/* [SEP] */
	Bert	   *bert;
	const ModelKernels *kernels;
};

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------
 */

static bool
read_bert_config(const json_t *json, BertConfig *config, ModelError *error)
{
	const char *type = json_string_value(json_object_get(json, "model_type"));
	const char *activation = json_string_value(json_object_get(json, "hidden_act"));
	const char *positions = json_string_value(json_object_get(json, "position_embedding_type"));
	double		epsilon = 1e-12;

	if (!type || strcmp(type, "bert") != 0)
		return model_error(error, MODEL_UNSUPPORTED, "architecture \"%.64s\" is not supported for embeddings: there is \"bert\"", type ? type : "");
	if (activation && strcmp(activation, "gelu") != 0)
		return model_error(error, MODEL_UNSUPPORTED, "activation \"%.64s\" is not supported: there is \"gelu\"", activation);
	if (positions && strcmp(positions, "absolute") != 0)
		return model_error(error, MODEL_UNSUPPORTED, "positions \"%.64s\" are not supported: there is \"absolute\"", positions);
	config->types = 2;
	if (!json_uint(json, "hidden_size", UINT32_MAX, &config->hidden, error) ||
		!json_uint(json, "num_hidden_layers", UINT32_MAX, &config->layers, error) ||
		!json_uint(json, "num_attention_heads", UINT32_MAX, &config->heads, error) ||
		!json_uint(json, "intermediate_size", UINT32_MAX, &config->inner, error) ||
		!json_uint(json, "vocab_size", UINT32_MAX, &config->vocabulary, error) ||
		!json_uint(json, "max_position_embeddings", UINT32_MAX, &config->positions, error) ||
		!json_uint(json, "type_vocab_size", UINT32_MAX, &config->types, error) ||
		!json_float(json, "layer_norm_eps", &epsilon, error))
		return false;
	config->epsilon = (float) epsilon;
	return true;
}

/* Those of a bare BertModel have no prefix, those of a model with a head do */
static const char *
prefix_of(const Safetensors *tensors)
{
	return safetensors_find(tensors, "bert.embeddings.word_embeddings.weight") ? "bert." : "";
}

static bool
read_network(Encoder *encoder, const ModelFiles *files, const EncoderOptions *options, ModelProgress *progress, ModelError *error)
{
	BertConfig	config = {0};
	Weights		weights = {0};
	Safetensors *tensors = NULL;
	json_t	   *json;
	bool		sane;
	int			fd;

	if (!json_file(files, "config.json", &json, NULL, error))
		return false;
	sane = read_bert_config(json, &config, error);
	json_decref(json);
	if (!sane)
		return false;
	fd = files->open(files->context, "model.safetensors");
	if (fd < 0)
		return model_error(error, MODEL_IO, "could not open file \"model.safetensors\" of the model: %s", strerror(errno));
	weights.safetensors = tensors = safetensors_open(fd, error);
	if (!tensors)
		return false;
	encoder->bert = bert_open(&config, &weights, prefix_of(tensors), options->memory, options->share, progress, error);
	for (uint64_t i = 0; i < safetensors_ntensors(tensors); i++)
		if (safetensors_tensor(tensors, i)->type)
			encoder->info.parameters += safetensors_tensor(tensors, i)->n;
	safetensors_close(tensors);
	if (!encoder->bert)
		return false;
	encoder->info.architecture = "bert";
	encoder->info.dimensions = config.hidden;
	encoder->info.context = encoder->info.max_tokens = config.positions;
	encoder->info.size = bert_size(encoder->bert);
	encoder->info.shared = bert_is_shared(encoder->bert);
	if (wordpiece_ntokens(encoder->wordpiece) > config.vocabulary)
		return model_error(error, MODEL_CORRUPT, "vocab.txt has %" PRIu32 " tokens, where the model has %" PRIu32,
						   wordpiece_ntokens(encoder->wordpiece), config.vocabulary);
	return true;
}

static bool
read_tokenizer(Encoder *encoder, const ModelFiles *files, ModelError *error)
{
	WordpieceOptions options = {.lowercase = true};
	bool		found;
	size_t		len;
	char	   *vocabulary;
	json_t	   *json;

	if (!json_file(files, "tokenizer_config.json", &json, &found, error))
		return false;
	if (json && !json_flag(json, "do_lower_case", &options.lowercase, error))
	{
		json_decref(json);
		return false;
	}
	json_decref(json);
	vocabulary = file_content(files, "vocab.txt", VOCABULARY_MAX, &len, NULL, error);
	if (!vocabulary)
		return false;
	encoder->wordpiece = wordpiece_open(vocabulary, len, &options, error);
	free(vocabulary);
	if (!encoder->wordpiece)
		return false;
	encoder->first = wordpiece_find(encoder->wordpiece, "[CLS]");
	encoder->last = wordpiece_find(encoder->wordpiece, "[SEP]");
	if (encoder->first < 0 || encoder->last < 0)
		return model_error(error, MODEL_CORRUPT, "the vocabulary has no [CLS] or no [SEP]");
	return true;
}

/* modules.json: is there one that brings vectors to length 1? */
static bool
has_normalize(const json_t *modules)
{
	size_t		i;
	const json_t *module;

	json_array_foreach(modules, i, module)
	{
		const char *type = json_string_value(json_object_get(module, "type"));

		if (type && strstr(type, "Normalize"))
			return true;
	}
	return false;
}

static bool
read_pooling(const json_t *json, BertPooling *pooling, ModelError *error)
{
	bool		mean = false,
				first = false,
				others[4] = {false};

	if (!json_flag(json, "pooling_mode_mean_tokens", &mean, error) ||
		!json_flag(json, "pooling_mode_cls_token", &first, error) ||
		!json_flag(json, "pooling_mode_max_tokens", &others[0], error) ||
		!json_flag(json, "pooling_mode_mean_sqrt_len_tokens", &others[1], error) ||
		!json_flag(json, "pooling_mode_weightedmean_tokens", &others[2], error) ||
		!json_flag(json, "pooling_mode_lasttoken", &others[3], error))
		return false;
	if (mean == first || others[0] || others[1] || others[2] || others[3])
		return model_error(error, MODEL_UNSUPPORTED, "the model's pooling is not supported: there is mean and cls, one of them");
	*pooling = mean ? BERT_POOL_MEAN : BERT_POOL_FIRST;
	return true;
}

static bool
read_sentence(Encoder *encoder, const ModelFiles *files, ModelError *error)
{
	bool		found;
	bool		done;
	json_t	   *json;

	if (!json_file(files, "sentence_bert_config.json", &json, &found, error))
		return false;
	done = json_uint(json, "max_seq_length", encoder->info.context, &encoder->info.max_tokens, error);
	json_decref(json);
	if (!done || !json_file(files, "1_Pooling/config.json", &json, &found, error))
		return false;
	done = !json || read_pooling(json, &encoder->info.pooling, error);
	json_decref(json);
	if (!done || !json_file(files, "modules.json", &json, &found, error))
		return false;
	encoder->info.normalize = has_normalize(json);
	json_decref(json);
	return true;
}

static bool
apply_options(EncoderInfo *info, const EncoderOptions *options, ModelError *error)
{
	if (options->pooling >= 0)
		info->pooling = (BertPooling) options->pooling;
	if (options->normalize >= 0)
		info->normalize = options->normalize != 0;
	if (options->max_tokens > 0)
		info->max_tokens = options->max_tokens;
	if (info->max_tokens > info->context)
		return model_error(error, MODEL_BAD_INPUT, "max_tokens %" PRIu32 " is more than the model's context of %" PRIu32 " tokens",
						   info->max_tokens, info->context);
	if (info->max_tokens < 3)
		return model_error(error, MODEL_BAD_INPUT, "max_tokens %" PRIu32 " leaves no room for a text", info->max_tokens);
	return true;
}

Encoder *
encoder_open(const ModelFiles *files, const EncoderOptions *options, ModelProgress *progress, ModelError *error)
{
	Encoder    *encoder = calloc(1, sizeof *encoder);

	if (!encoder)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory");
		return NULL;
	}
	encoder->kernels = model_kernels(options->level);
	if (!encoder->kernels)
		model_error(error, MODEL_UNSUPPORTED, "this machine does not have the instructions of level \"%s\"", options->level);
	if (!encoder->kernels || !read_tokenizer(encoder, files, error) || !read_network(encoder, files, options, progress, error) ||
		!read_sentence(encoder, files, error) || !apply_options(&encoder->info, options, error))
	{
		encoder_close(encoder);
		return NULL;
	}
	return encoder;
}

void
encoder_close(Encoder *encoder)
{
	if (!encoder)
		return;
	wordpiece_close(encoder->wordpiece);
	bert_close(encoder->bert);
	free(encoder);
}

const EncoderInfo *
encoder_info(const Encoder *encoder)
{
	return &encoder->info;
}

/* ------------------------------------------------------------------------
 * Running
 * ------------------------------------------------------------------------
 */

bool
encoder_tokens(const Encoder *encoder, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error)
{
	return wordpiece_encode(encoder->wordpiece, text, len, out, progress->cancelled, progress->context, error);
}

bool
encoder_tokenize(const Encoder *encoder, const char *text, size_t len, bool truncate, TokenList *out,
				 ModelProgress *progress, ModelError *error)
{
	const size_t begin = out->n;
	const size_t most = encoder->info.max_tokens;

	if (!tokens_room(out, 1, error))
		return false;
	out->ids[out->n++] = encoder->first;
	if (!encoder_tokens(encoder, text, len, out, progress, error) || !tokens_room(out, 1, error))
		return false;
	if (out->n - begin > most - 1)
	{
		if (!truncate)
			return model_error(error, MODEL_TOO_LONG, "the text has %zu tokens, of which the model takes %zu", out->n - begin - 1, most - 2);
		out->n = begin + most - 1;
	}
	out->ids[out->n++] = encoder->last;
	return true;
}

bool
encoder_prefix(const Encoder *encoder, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
			   ModelProgress *progress, ModelError *error)
{
	return wordpiece_prefix(encoder->wordpiece, text, len, most, out, prefix, progress->cancelled, progress->context, error);
}

bool
encoder_detokenize(const Encoder *encoder, const int32_t *tokens, size_t n, char *to, size_t *len, ModelError *error)
{
	const uint32_t ntokens = wordpiece_ntokens(encoder->wordpiece);

	for (size_t i = 0; i < n; i++)
		if (tokens[i] < 0 || (uint32_t) tokens[i] >= ntokens)
			return model_error(error, MODEL_BAD_INPUT, "there is no token %" PRId32 ": the vocabulary has %" PRIu32, tokens[i], ntokens);
	*len = wordpiece_text(encoder->wordpiece, tokens, n, to);
	return true;
}

const char *
encoder_piece(const Encoder *encoder, int32_t token, uint32_t *len)
{
	return token < 0 || (uint32_t) token >= wordpiece_ntokens(encoder->wordpiece) ? NULL : wordpiece_piece(encoder->wordpiece, token, len);
}

bool
encoder_embed(const Encoder *encoder, const int32_t *tokens, const uint32_t *lengths, size_t n, float *out,
			  ModelProgress *progress, ModelError *error)
{
	const size_t dimensions = encoder->info.dimensions;

	if (!bert_encode(encoder->bert, encoder->kernels, tokens, lengths, n, encoder->info.pooling, out, progress, error))
		return false;
	for (size_t i = 0; i < n && encoder->info.normalize; i++, out += dimensions)
	{
		const float length = sqrtf(encoder->kernels->dot(out, out, dimensions));

		/* a vector of zeros stays one */
		for (size_t l = 0; l < dimensions && length > 0; l++)
			out[l] /= length;
	}
	return true;
}
