/*-------------------------------------------------------------------------
 *
 * bert.c
 *	  BERT, as transformers' modeling_bert.py has it: embeddings of tokens,
 *	  positions and types; then layers of attention and of two products, each
 *	  added to what went in and normed.  GELU by the error function.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/bert.h"

typedef struct Norm
{
	float	   *weight;
	float	   *bias;
} Norm;

typedef struct Layer
{
	float	   *qkv;			/* queries, keys, values: 3 * hidden by hidden */
	float	   *qkv_bias;
	float	   *output;			/* hidden by hidden */
	float	   *output_bias;
	Norm		output_norm;
	float	   *up;				/* inner by hidden */
	float	   *up_bias;
	float	   *down;			/* hidden by inner */
	float	   *down_bias;
	Norm		down_norm;
} Layer;

struct Bert
{
	BertConfig	config;
	size_t		size;			/* of memory, in floats */
	float	   *memory;			/* all of what follows; read-only if it is shared */
	bool		shared;
	ModelShare	share;
	float	   *tokens;			/* rows of hidden */
	float	   *positions;
	float	   *type;			/* the first */
	Norm		norm;
	Layer	   *layers;
};

/* Tensors of a layer: what transformers calls them, and llama.cpp */
typedef struct Name
{
	const char *transformers;
	const char *llama;
} Name;

static const Name token_embeddings = {"embeddings.word_embeddings.weight", "token_embd.weight"};
static const Name position_embeddings = {"embeddings.position_embeddings.weight", "position_embd.weight"};
static const Name type_embeddings = {"embeddings.token_type_embeddings.weight", "token_types.weight"};
static const Name embeddings_norm = {"embeddings.LayerNorm", "token_embd_norm"};
static const Name query = {"attention.self.query", "attn_q"};
static const Name key = {"attention.self.key", "attn_k"};
static const Name value = {"attention.self.value", "attn_v"};
static const Name attention_output = {"attention.output.dense", "attn_output"};
static const Name attention_norm = {"attention.output.LayerNorm", "attn_output_norm"};
static const Name up = {"intermediate.dense", "ffn_up"};
static const Name down = {"output.dense", "ffn_down"};
static const Name down_norm = {"output.LayerNorm", "layer_output_norm"};

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------
 */

/* One walk over all tensors for each */
typedef enum Reading
{
	READ_CHECK,					/* is all there, and how much room does it take? */
	READ_FILL,					/* find its place, and fill it */
	READ_PLACE					/* find its place, which is filled */
} Reading;

typedef struct Reader
{
	Reading		reading;
	const Weights *weights;
	const char *prefix;
	ModelProgress *progress;
	ModelError *error;
	float	   *memory;			/* NULL for READ_CHECK */
	size_t		used;			/* floats */
	char		name[128];
} Reader;

static const char *
name_of(Reader *reader, const Name *name, int layer, const char *suffix)
{
	if (reader->weights->gguf && layer < 0)
		snprintf(reader->name, sizeof reader->name, "%s%s", name->llama, suffix);
	else if (reader->weights->gguf)
		snprintf(reader->name, sizeof reader->name, "blk.%d.%s%s", layer, name->llama, suffix);
	else if (layer < 0)
		snprintf(reader->name, sizeof reader->name, "%s%s%s", reader->prefix, name->transformers, suffix);
	else
		snprintf(reader->name, sizeof reader->name, "%sencoder.layer.%d.%s%s", reader->prefix, layer, name->transformers, suffix);
	return reader->name;
}

static float *
room(Reader *reader, size_t n)
{
	float	   *at = reader->memory ? reader->memory + reader->used : NULL;

	/* each part begins at a cache line */
	reader->used += (n + PANEL - 1) / PANEL * PANEL;
	return at;
}

static bool
read_rows(Reader *reader, const Name *name, int layer, const char *suffix, uint64_t m, uint64_t k, float *to)
{
	if (reader->reading == READ_PLACE)
		return true;
	name_of(reader, name, layer, suffix);
	if (reader->reading == READ_CHECK)
		return weights_check(reader->weights, reader->name, m, k, reader->error);
	return weights_rows(reader->weights, reader->name, k, 0, m, to, reader->error) &&
		model_goes_on(reader->progress, MODEL_WORK_A_LOOK, reader->error);
}

static bool
read_packed(Reader *reader, const Name *name, int layer, uint64_t m, uint64_t k, uint64_t j, float *to)
{
	if (reader->reading == READ_PLACE)
		return true;
	name_of(reader, name, layer, ".weight");
	return reader->reading == READ_CHECK ? weights_check(reader->weights, reader->name, m, k, reader->error) :
		weights_pack(reader->weights, reader->name, m, k, j, to, reader->progress, reader->error);
}

static bool
read_norm(Reader *reader, const Name *name, int layer, uint32_t n, Norm *norm)
{
	norm->weight = room(reader, n);
	norm->bias = room(reader, n);
	return read_rows(reader, name, layer, ".weight", 1, n, norm->weight) &&
		read_rows(reader, name, layer, ".bias", 1, n, norm->bias);
}

/* A matrix and its bias; parts: of which it is put together, all of the same size */
static bool
read_dense(Reader *reader, const Name *const *names, int parts, int layer, uint32_t m, uint32_t k, float **weight, float **bias)
{
	*weight = room(reader, PACKED_SIZE((size_t) parts * m, k));
	*bias = room(reader, (size_t) parts * m);
	for (int i = 0; i < parts; i++)
		if (!read_packed(reader, names[i], layer, m, k, (uint64_t) i * m, *weight) ||
			!read_rows(reader, names[i], layer, ".bias", 1, m, reader->memory ? *bias + (size_t) i * m : NULL))
			return false;
	return true;
}

static bool
read_layer(Reader *reader, const BertConfig *config, int i, Layer *layer)
{
	static const Name *const attention[] = {&query, &key, &value};
	const Name *output = &attention_output;
	const Name *first = &up;
	const Name *second = &down;

	return read_dense(reader, attention, 3, i, config->hidden, config->hidden, &layer->qkv, &layer->qkv_bias) &&
		read_dense(reader, &output, 1, i, config->hidden, config->hidden, &layer->output, &layer->output_bias) &&
		read_norm(reader, &attention_norm, i, config->hidden, &layer->output_norm) &&
		read_dense(reader, &first, 1, i, config->inner, config->hidden, &layer->up, &layer->up_bias) &&
		read_dense(reader, &second, 1, i, config->hidden, config->inner, &layer->down, &layer->down_bias) &&
		read_norm(reader, &down_norm, i, config->hidden, &layer->down_norm);
}

static bool
read_weights(Reader *reader, Bert *bert)
{
	const BertConfig *config = &bert->config;

	bert->tokens = room(reader, (size_t) config->vocabulary * config->hidden);
	bert->positions = room(reader, (size_t) config->positions * config->hidden);
	bert->type = room(reader, (size_t) config->types * config->hidden);
	if (!read_rows(reader, &token_embeddings, -1, "", config->vocabulary, config->hidden, bert->tokens) ||
		!read_rows(reader, &position_embeddings, -1, "", config->positions, config->hidden, bert->positions) ||
		!read_rows(reader, &type_embeddings, -1, "", config->types, config->hidden, bert->type) ||
		!read_norm(reader, &embeddings_norm, -1, config->hidden, &bert->norm))
		return false;
	for (uint32_t i = 0; i < config->layers; i++)
		if (!read_layer(reader, config, (int) i, &bert->layers[i]))
			return false;
	return true;
}

static bool
config_is_sane(const BertConfig *config, ModelError *error)
{
	const struct
	{
		const char *name;
		uint32_t	value,
					most;
	}			bounds[] = {
		{"hidden size", config->hidden, 16384}, {"number of layers", config->layers, 1024}, {"number of heads", config->heads, 1024},
		{"inner size", config->inner, 65536}, {"vocabulary", config->vocabulary, 1 << 24}, {"number of positions", config->positions, 1 << 16},
		{"number of token types", config->types, 16}
	};

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bounds[i].value == 0 || bounds[i].value > bounds[i].most)
			return model_error(error, MODEL_CORRUPT, "the model's %s is %" PRIu32 ", which should be 1 to %" PRIu32,
							   bounds[i].name, bounds[i].value, bounds[i].most);
	if (config->hidden % config->heads != 0)
		return model_error(error, MODEL_CORRUPT, "the model's hidden size %" PRIu32 " is no multiple of its %" PRIu32 " heads", config->hidden, config->heads);
	if (!(config->epsilon > 0 && config->epsilon < 1))
		return model_error(error, MODEL_CORRUPT, "the model's epsilon of norms is not between 0 and 1");
	return true;
}

/* Find places in 'memory', and fill them if that is what 'reading' says. */
static bool
read_into(Reader *reader, Bert *bert, Reading reading, float *memory)
{
	reader->reading = reading;
	reader->memory = memory;
	reader->used = 0;
	return read_weights(reader, bert);
}

static void
use_shared(Reader *reader, Bert *bert, const void *weights)
{
	bert->memory = (float *) weights;
	bert->shared = true;
	(void) read_into(reader, bert, READ_PLACE, bert->memory);
}

/* bert->size is known.  From those who share it, or from the file */
static bool
get_weights(Reader *reader, Bert *bert)
{
	const size_t bytes = bert->size * sizeof(float);
	const ModelShare *share = &bert->share;
	const void *shared = share->find ? share->find(share->context, bytes) : NULL;

	if (!shared)
	{
		/* zeros, which packed matrices begin with; untouched, they cost nothing */
		bert->memory = calloc(bert->size, sizeof(float));
		if (!bert->memory)
			return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for %zu bytes of weights", bytes);
		if (!read_into(reader, bert, READ_FILL, bert->memory))
			return false;
		shared = share->keep ? share->keep(share->context, bert->memory, bytes) : NULL;
		if (!shared)
			return true;
		free(bert->memory);
	}
	use_shared(reader, bert, shared);
	return true;
}

Bert *
bert_open(const BertConfig *config, const Weights *weights, const char *prefix, size_t memory, const ModelShare *share,
		  ModelProgress *progress, ModelError *error)
{
	Reader		reader = {.weights = weights, .prefix = prefix, .progress = progress, .error = error};
	Bert	   *bert;

	if (!config_is_sane(config, error))
		return NULL;
	bert = calloc(1, sizeof *bert);
	if (!bert || (bert->layers = calloc(config->layers, sizeof *bert->layers)) == NULL)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory");
		bert_close(bert);
		return NULL;
	}
	bert->config = *config;
	if (share)
		bert->share = *share;
	if (read_into(&reader, bert, READ_CHECK, NULL) &&
		(memory == 0 || reader.used <= memory / sizeof(float) ||
		 model_error(error, MODEL_NO_MEMORY, "its weights take %zu bytes, of %zu that models may have", reader.used * sizeof(float), memory)))
	{
		bert->size = reader.used;
		if (get_weights(&reader, bert))
			return bert;
	}
	bert_close(bert);
	return NULL;
}

void
bert_close(Bert *bert)
{
	if (!bert)
		return;
	if (bert->shared)
		bert->share.release(bert->share.context, bert->memory, bert->size * sizeof(float));
	else
		free(bert->memory);
	free(bert->layers);
	free(bert);
}

size_t
bert_size(const Bert *bert)
{
	return bert->size * sizeof(float);
}

bool
bert_is_shared(const Bert *bert)
{
	return bert->shared;
}

/* ------------------------------------------------------------------------
 * Running
 * ------------------------------------------------------------------------
 */

/* Tokens that go through the layers together: what they make stays in the second cache */
#define BATCH_TOKENS	512

/* n floats up to whole panels, as products write them */
#define STEP(n)		(PANELS(n) * PANEL)

typedef struct Work
{
	const Bert *bert;
	const ModelKernels *kernels;
	ModelProgress *progress;
	ModelError *error;
	float	   *memory;
	float	   *x;				/* hidden of each token */
	float	   *y;				/* ... that are being made */
	float	   *qkv;
	float	   *inner;
	float	   *keys;			/* of a sequence and head, packed: length by head */
	float	   *values;			/* ... head by length */
	float	   *scores;			/* ... length by length */
	float	   *mixed;			/* ... values by their scores */
} Work;

static bool
work_begin(Work *work, const Bert *bert, size_t tokens, size_t longest)
{
	const size_t head = bert->config.hidden / bert->config.heads;
	const struct
	{
		float	  **part;
		size_t		n;
	}			parts[] = {
		{&work->x, tokens * STEP(bert->config.hidden)},
		{&work->y, tokens * STEP(bert->config.hidden)},
		{&work->qkv, tokens * STEP(3 * bert->config.hidden)},
		{&work->inner, tokens * STEP(bert->config.inner)},
		{&work->keys, PACKED_SIZE(longest, head)},
		{&work->values, PACKED_SIZE(head, longest)},
		{&work->scores, longest * STEP(longest)},
		{&work->mixed, longest * STEP(head)},
	};
	size_t		n = 0;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		n += parts[i].n;
	work->memory = calloc(n, sizeof(float));
	if (!work->memory)
		return model_error(work->error, MODEL_NO_MEMORY, "out of memory for %zu bytes of activations", n * sizeof(float));
	n = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
	{
		*parts[i].part = work->memory + n;
		n += parts[i].n;
	}
	return true;
}

static bool
goes_on(Work *work)
{
	return model_goes_on(work->progress, MODEL_WORK_A_LOOK, work->error);
}

static void
embed_tokens(Work *work, const int32_t *tokens, const uint32_t *lengths, size_t n)
{
	const Bert *bert = work->bert;
	const size_t hidden = bert->config.hidden;
	float	   *x = work->x;

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < lengths[i]; j++, x += STEP(hidden))
		{
			const float *token = bert->tokens + (size_t) *tokens++ * hidden;
			const float *position = bert->positions + j * hidden;

			for (size_t l = 0; l < hidden; l++)
				x[l] = token[l] + bert->type[l] + position[l];
			work->kernels->layer_norm(x, hidden, bert->norm.weight, bert->norm.bias, bert->config.epsilon);
		}
}

/* One head of one sequence, of which qkv and y are the first token's */
static void
attend(Work *work, const float *qkv, uint32_t length, size_t head, float *y)
{
	const size_t hidden = work->bert->config.hidden;
	const size_t size = hidden / work->bert->config.heads;
	const size_t step = STEP(3 * hidden);

	/* of the sequence before, what is beyond this one's */
	memset(work->keys, 0, PACKED_SIZE(length, size) * sizeof(float));
	for (uint32_t j = 0; j < length; j++)
	{
		const float *values = qkv + j * step + 2 * hidden + head * size;

		panels_pack(qkv + j * step + hidden + head * size, j, size, work->keys);
		for (size_t l = 0; l < STEP(size); l++)
			work->values[l / PANEL * PANEL * length + j * PANEL + l % PANEL] = l < size ? values[l] : 0;
	}
	work->kernels->product(qkv + head * size, step, length, work->keys, length, size, NULL, work->scores, STEP(length));
	for (uint32_t j = 0; j < length; j++)
		work->kernels->softmax(work->scores + j * STEP(length), length, 1 / sqrtf((float) size));
	work->kernels->product(work->scores, STEP(length), length, work->values, size, length, NULL, work->mixed, STEP(size));
	for (uint32_t j = 0; j < length; j++)
		memcpy(y + j * STEP(hidden) + head * size, work->mixed + j * STEP(size), size * sizeof(float));
}

static bool
attend_all(Work *work, const uint32_t *lengths, size_t n)
{
	const BertConfig *config = &work->bert->config;
	size_t		first = 0;

	for (size_t i = 0; i < n; first += lengths[i++])
		for (uint32_t head = 0; head < config->heads; head++)
		{
			attend(work, work->qkv + first * STEP(3 * config->hidden), lengths[i], head, work->y + first * STEP(config->hidden));
			if (!model_goes_on(work->progress, lengths[i] * (lengths[i] / 8 + 1), work->error))
				return false;
		}
	return true;
}

/* x = norm(x + y) */
static void
add_and_norm(Work *work, size_t tokens, const Norm *norm)
{
	const size_t hidden = work->bert->config.hidden;

	for (size_t i = 0; i < tokens; i++)
	{
		float	   *x = work->x + i * STEP(hidden);
		const float *y = work->y + i * STEP(hidden);

		for (size_t l = 0; l < hidden; l++)
			x[l] += y[l];
		work->kernels->layer_norm(x, hidden, norm->weight, norm->bias, work->bert->config.epsilon);
	}
}

static bool
run_layer(Work *work, const Layer *layer, const uint32_t *lengths, size_t n, size_t tokens)
{
	const size_t hidden = work->bert->config.hidden;
	const size_t inner = work->bert->config.inner;

	work->kernels->product(work->x, STEP(hidden), tokens, layer->qkv, 3 * hidden, hidden, layer->qkv_bias, work->qkv, STEP(3 * hidden));
	if (!goes_on(work) || !attend_all(work, lengths, n))
		return false;
	/* the place of keys and values is free again */
	work->kernels->product(work->y, STEP(hidden), tokens, layer->output, hidden, hidden, layer->output_bias, work->qkv, STEP(hidden));
	memcpy(work->y, work->qkv, tokens * STEP(hidden) * sizeof(float));
	add_and_norm(work, tokens, &layer->output_norm);
	if (!goes_on(work))
		return false;
	work->kernels->product(work->x, STEP(hidden), tokens, layer->up, inner, hidden, layer->up_bias, work->inner, STEP(inner));
	if (!goes_on(work))
		return false;
	work->kernels->gelu(work->inner, tokens * STEP(inner));
	work->kernels->product(work->inner, STEP(inner), tokens, layer->down, hidden, inner, layer->down_bias, work->y, STEP(hidden));
	add_and_norm(work, tokens, &layer->down_norm);
	return goes_on(work);
}

static void
pool(const Work *work, const uint32_t *lengths, size_t n, BertPooling pooling, float *out)
{
	const size_t hidden = work->bert->config.hidden;
	const float *x = work->x;

	for (size_t i = 0; i < n; i++, out += hidden)
	{
		memcpy(out, x, hidden * sizeof(float));
		for (uint32_t j = 1; j < lengths[i] && pooling == BERT_POOL_MEAN; j++)
			for (size_t l = 0; l < hidden; l++)
				out[l] += x[j * STEP(hidden) + l];
		for (size_t l = 0; l < hidden && pooling == BERT_POOL_MEAN; l++)
			out[l] /= (float) lengths[i];
		x += lengths[i] * STEP(hidden);
	}
}

/* How many of the sequences go together, at least one; *tokens: theirs */
static size_t
next_batch(const uint32_t *lengths, size_t n, size_t *tokens)
{
	size_t		i = 1;

	*tokens = lengths[0];
	while (i < n && *tokens + lengths[i] <= BATCH_TOKENS)
		*tokens += lengths[i++];
	return i;
}

static bool
input_is_sane(const Bert *bert, const int32_t *tokens, const uint32_t *lengths, size_t n, size_t *longest, ModelError *error)
{
	*longest = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (lengths[i] == 0 || lengths[i] > bert->config.positions)
			return model_error(error, MODEL_BAD_INPUT, "a sequence of %" PRIu32 " tokens, where the model takes 1 to %" PRIu32,
							   lengths[i], bert->config.positions);
		for (uint32_t j = 0; j < lengths[i]; j++, tokens++)
			if (*tokens < 0 || (uint32_t) *tokens >= bert->config.vocabulary)
				return model_error(error, MODEL_BAD_INPUT, "token %" PRId32 " is not in the model's vocabulary", *tokens);
		*longest = lengths[i] > *longest ? lengths[i] : *longest;
	}
	return true;
}

bool
bert_encode(const Bert *bert, const ModelKernels *kernels, const int32_t *tokens, const uint32_t *lengths, size_t n,
			BertPooling pooling, float *out, ModelProgress *progress, ModelError *error)
{
	Work		work = {.bert = bert, .kernels = kernels, .progress = progress, .error = error};
	size_t		longest,
				most = 0,
				now,
				batch;
	bool		done = true;

	if (!input_is_sane(bert, tokens, lengths, n, &longest, error))
		return false;
	for (size_t i = 0; i < n; i += batch)
	{
		batch = next_batch(lengths + i, n - i, &now);
		most = now > most ? now : most;
	}
	if (n == 0 || !work_begin(&work, bert, most, longest))
		return n == 0;
	for (size_t i = 0; i < n && done; i += batch)
	{
		batch = next_batch(lengths + i, n - i, &now);
		embed_tokens(&work, tokens, lengths + i, batch);
		for (uint32_t l = 0; l < bert->config.layers && done; l++)
			done = run_layer(&work, &bert->layers[l], lengths + i, batch, now);
		if (done)
			pool(&work, lengths + i, batch, pooling, out + i * bert->config.hidden);
		tokens += now;
	}
	free(work.memory);
	return done;
}
