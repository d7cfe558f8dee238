/*-------------------------------------------------------------------------
 *
 * decoder.c
 *	  See decoder.h.
 *
 * The network is that of llama.cpp's src/models (llama, qwen2, qwen3, gemma3, dbrx):
 * embeddings; layers of attention and of a gated product, each behind a norm and
 * added to what went in; a norm, and the product with the vocabulary.
 *
 * Where a layer has experts in place of the one gated product, the tokens of a pass,
 * whatever sequences they are of, go to one expert after the other, so that
 * each one's weights are read once.  What a token gets is summed by the numbers of its
 * experts: in an order of its own, whatever tokens go along.
 *
 *-------------------------------------------------------------------------
 */
#include "model/decoder.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/experts.h"

typedef struct Layer
{
	float	   *attention_norm;
	Matrix		query;
	Matrix		key;
	Matrix		value;
	float	   *query_bias;		/* these and the next ones are NULL where the model has none */
	float	   *key_bias;
	float	   *value_bias;
	float	   *query_norm;
	float	   *key_norm;
	Matrix		output;
	float	   *post_attention_norm;
	float	   *inner_norm;
	Matrix		router;			/* of experts, of which the next ones are the first one's (expert_of) */
	Matrix		gate;
	Matrix		up;
	Matrix		down;
	float	   *post_inner_norm;
} Layer;

struct Decoder
{
	DecoderConfig config;
	size_t		size;			/* bytes of memory */
	void	   *allocation;		/* NULL if it is shared */
	uint8_t    *memory;			/* all of what follows, at a cache line; read-only if it is shared */
	bool		shared;
	ModelShare	share;
	Matrix		tokens;			/* the vocabulary's vectors */
	Matrix		logits;			/* often the same */
	float	   *norm;
	float	   *rope_factors;	/* that angles are divided by, or NULL */
	Layer	   *layers;
};

/* Tensors: what transformers calls them (LlamaForCausalLM and its kin), and llama.cpp */
typedef struct Name
{
	const char *transformers;
	const char *llama;
} Name;

static const Name token_embeddings = {"model.embed_tokens", "token_embd"};
static const Name output_weights = {"lm_head", "output"};
static const Name output_norm = {"model.norm", "output_norm"};
static const Name rope_factors = {"rope_freqs", "rope_freqs"};
static const Name attention_norm = {"input_layernorm", "attn_norm"};
static const Name query = {"self_attn.q_proj", "attn_q"};
static const Name key = {"self_attn.k_proj", "attn_k"};
static const Name value = {"self_attn.v_proj", "attn_v"};
static const Name query_norm = {"self_attn.q_norm", "attn_q_norm"};
static const Name key_norm = {"self_attn.k_norm", "attn_k_norm"};
static const Name attention_output = {"self_attn.o_proj", "attn_output"};
static const Name post_attention_norm = {"post_attention_layernorm", "post_attention_norm"};
static const Name inner_norm = {"post_attention_layernorm", "ffn_norm"};
static const Name inner_norm_of_four = {"pre_feedforward_layernorm", "ffn_norm"};	/* where post_attention_layernorm is what it says */
static const Name gate = {"mlp.gate_proj", "ffn_gate"};
static const Name up = {"mlp.up_proj", "ffn_up"};
static const Name down = {"mlp.down_proj", "ffn_down"};
/* transformers has other forms of these */
static const Name fused_attention = {NULL, "attn_qkv"};
static const Name inner_norm_of_fused = {NULL, "attn_output_norm"};
static const Name router = {NULL, "ffn_gate_inp"};
static const Name expert_gates = {NULL, "ffn_gate_exps"};
static const Name expert_ups = {NULL, "ffn_up_exps"};
static const Name expert_downs = {NULL, "ffn_down_exps"};
static const Name post_inner_norm = {"post_feedforward_layernorm", "post_ffw_norm"};

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
	ModelProgress *progress;
	ModelError *error;
	uint8_t    *memory;			/* NULL for READ_CHECK */
	size_t		used;			/* bytes */
	char		name[128];
} Reader;

static const char *
name_of(Reader *reader, const Name *name, int layer, const char *suffix)
{
	if (layer < 0)
		snprintf(reader->name, sizeof reader->name, "%s%s", reader->weights->gguf ? name->llama : name->transformers, suffix);
	else if (reader->weights->gguf)
		snprintf(reader->name, sizeof reader->name, "blk.%d.%s%s", layer, name->llama, suffix);
	else
		snprintf(reader->name, sizeof reader->name, "model.layers.%d.%s%s", layer, name->transformers, suffix);
	return reader->name;
}

static void *
room(Reader *reader, size_t bytes)
{
	uint8_t    *at = reader->memory ? reader->memory + reader->used : NULL;

	/* each part begins at a cache line */
	reader->used += (bytes + 63) / 64 * 64;
	return at;
}

static bool
read_vector(Reader *reader, const Name *name, int layer, const char *suffix, uint32_t n, float **vector)
{
	*vector = room(reader, PANELS(n) * PANEL * sizeof(float));
	if (reader->reading == READ_PLACE)
		return true;
	name_of(reader, name, layer, suffix);
	return reader->reading == READ_CHECK ? weights_check(reader->weights, reader->name, 1, n, reader->error) :
		weights_rows(reader->weights, reader->name, n, 0, 1, *vector, reader->error);
}

static bool
read_matrix(Reader *reader, const Name *name, int layer, uint32_t m, uint32_t k, Matrix *matrix)
{
	name_of(reader, name, layer, ".weight");
	if (reader->reading == READ_CHECK)
	{
		if (!weights_check(reader->weights, reader->name, m, k, reader->error))
			return false;
		*matrix = (Matrix) {weights_form(reader->weights, reader->name), m, k, NULL};
	}
	matrix->data = room(reader, matrix_bytes(matrix->form, m, k));
	return reader->reading != READ_FILL ||
		weights_matrix(reader->weights, reader->name, m, k, reader->memory + (matrix->data - reader->memory), reader->progress, reader->error);
}

/* Rows first to first + m - 1 of a matrix of 'of' rows */
static bool
read_part(Reader *reader, const Name *name, int layer, uint32_t of, uint32_t first, uint32_t m, uint32_t k, Matrix *matrix)
{
	name_of(reader, name, layer, ".weight");
	if (reader->reading == READ_CHECK)
	{
		if (!weights_check(reader->weights, reader->name, of, k, reader->error))
			return false;
		*matrix = (Matrix) {weights_form(reader->weights, reader->name), m, k, NULL};
	}
	matrix->data = room(reader, matrix_bytes(matrix->form, m, k));
	return reader->reading != READ_FILL ||
		weights_matrix_rows(reader->weights, reader->name, first, m, k, reader->memory + (matrix->data - reader->memory), reader->progress, reader->error);
}

/* Bytes from one expert to the next, each of which begins at a cache line */
static size_t
expert_bytes(const Matrix *matrix)
{
	return (matrix_bytes(matrix->form, matrix->m, matrix->k) + 63) / 64 * 64;
}

static Matrix
expert_of(const Matrix *first, uint32_t expert)
{
	Matrix		matrix = *first;

	matrix.data += expert * expert_bytes(first);
	return matrix;
}

/* n matrices of m by k in one tensor.  first: the first one */
static bool
read_experts(Reader *reader, const Name *name, int layer, uint32_t n, uint32_t m, uint32_t k, Matrix *first)
{
	name_of(reader, name, layer, ".weight");
	if (reader->reading == READ_CHECK)
	{
		if (!weights_check_stack(reader->weights, reader->name, n, m, k, reader->error))
			return false;
		*first = (Matrix) {weights_form(reader->weights, reader->name), m, k, NULL};
	}
	first->data = room(reader, n * expert_bytes(first));
	for (uint32_t i = 0; i < n && reader->reading == READ_FILL; i++)
		if (!weights_matrix_rows(reader->weights, reader->name, (uint64_t) i * m, m, k, reader->memory + (expert_of(first, i).data - reader->memory),
								 reader->progress, reader->error))
			return false;
	return true;
}

static bool
read_attention(Reader *reader, const DecoderConfig *config, int i, Layer *layer)
{
	const uint32_t queries = config->heads * config->head;
	const uint32_t keys = config->kv_heads * config->head;
	const uint32_t all = queries + 2 * keys;

	return read_vector(reader, &attention_norm, i, ".weight", config->hidden, &layer->attention_norm) &&
		(config->fused ? read_part(reader, &fused_attention, i, all, 0, queries, config->hidden, &layer->query) &&
		 read_part(reader, &fused_attention, i, all, queries, keys, config->hidden, &layer->key) &&
		 read_part(reader, &fused_attention, i, all, queries + keys, keys, config->hidden, &layer->value) :
		 read_matrix(reader, &query, i, queries, config->hidden, &layer->query) &&
		 read_matrix(reader, &key, i, keys, config->hidden, &layer->key) &&
		 read_matrix(reader, &value, i, keys, config->hidden, &layer->value)) &&
		(!config->biases || (read_vector(reader, &query, i, ".bias", queries, &layer->query_bias) &&
							 read_vector(reader, &key, i, ".bias", keys, &layer->key_bias) &&
							 read_vector(reader, &value, i, ".bias", keys, &layer->value_bias))) &&
		(!config->head_norms || (read_vector(reader, &query_norm, i, ".weight", config->head, &layer->query_norm) &&
								 read_vector(reader, &key_norm, i, ".weight", config->head, &layer->key_norm))) &&
		read_matrix(reader, &attention_output, i, config->hidden, queries, &layer->output);
}

static bool
read_inner(Reader *reader, const DecoderConfig *config, int i, Layer *layer)
{
	if (config->experts > 0)
		return read_matrix(reader, &router, i, config->experts, config->hidden, &layer->router) &&
			read_experts(reader, &expert_gates, i, config->experts, config->inner, config->hidden, &layer->gate) &&
			read_experts(reader, &expert_ups, i, config->experts, config->inner, config->hidden, &layer->up) &&
			read_experts(reader, &expert_downs, i, config->experts, config->hidden, config->inner, &layer->down);
	return read_matrix(reader, &gate, i, config->inner, config->hidden, &layer->gate) &&
		read_matrix(reader, &up, i, config->inner, config->hidden, &layer->up) &&
		read_matrix(reader, &down, i, config->hidden, config->inner, &layer->down);
}

static bool
read_layer(Reader *reader, const DecoderConfig *config, int i, Layer *layer)
{
	const Name *norm = config->post_norms ? &inner_norm_of_four : config->fused ? &inner_norm_of_fused : &inner_norm;

	return read_attention(reader, config, i, layer) &&
		(!config->post_norms || (read_vector(reader, &post_attention_norm, i, ".weight", config->hidden, &layer->post_attention_norm) &&
								 read_vector(reader, &post_inner_norm, i, ".weight", config->hidden, &layer->post_inner_norm))) &&
		read_vector(reader, norm, i, ".weight", config->hidden, &layer->inner_norm) &&
		read_inner(reader, config, i, layer);
}

static bool
read_weights(Reader *reader, Decoder *decoder)
{
	const DecoderConfig *config = &decoder->config;

	if (!read_matrix(reader, &token_embeddings, -1, config->vocabulary, config->hidden, &decoder->tokens))
		return false;
	if (!weights_has(reader->weights, name_of(reader, &output_weights, -1, ".weight")))
		decoder->logits = decoder->tokens;
	else if (!read_matrix(reader, &output_weights, -1, config->vocabulary, config->hidden, &decoder->logits))
		return false;
	if (weights_has(reader->weights, name_of(reader, &rope_factors, -1, ".weight")) &&
		!read_vector(reader, &rope_factors, -1, ".weight", config->rope_dims / 2, &decoder->rope_factors))
		return false;
	for (uint32_t i = 0; i < config->layers; i++)
		if (!read_layer(reader, config, (int) i, &decoder->layers[i]))
			return false;
	return read_vector(reader, &output_norm, -1, ".weight", config->hidden, &decoder->norm);
}

static bool
config_is_sane(const DecoderConfig *config, ModelError *error)
{
	const struct
	{
		const char *name;
		uint32_t	value,
					most;
	}			bounds[] = {
		{"hidden size", config->hidden, MULTIPLY_MAX_K}, {"number of layers", config->layers, 1024}, {"number of heads", config->heads, 1024},
		{"number of heads of keys", config->kv_heads, 1024}, {"head size", config->head, 1024}, {"inner size", config->inner, MULTIPLY_MAX_K},
		{"vocabulary", config->vocabulary, 1 << 24}, {"context", config->context, 1 << 24},
	};

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bounds[i].value == 0 || bounds[i].value > bounds[i].most)
			return model_error(error, MODEL_CORRUPT, "the model's %s is %" PRIu32 ", which should be 1 to %" PRIu32,
							   bounds[i].name, bounds[i].value, bounds[i].most);
	if (config->heads % config->kv_heads != 0)
		return model_error(error, MODEL_CORRUPT, "the model's %" PRIu32 " heads are no multiple of its %" PRIu32 " heads of keys", config->heads, config->kv_heads);
	if (config->heads * config->head > MULTIPLY_MAX_K)
		return model_error(error, MODEL_CORRUPT, "the model's %" PRIu32 " heads of %" PRIu32 " are too large", config->heads, config->head);
	if (config->head % PANEL != 0)
		return model_error(error, MODEL_UNSUPPORTED, "a head of %" PRIu32 " is not supported: it should be a multiple of %d", config->head, PANEL);
	if (config->rope_dims == 0 || config->rope_dims > config->head || config->rope_dims % 2 != 0)
		return model_error(error, MODEL_CORRUPT, "positions turn %" PRIu32 " of a head of %" PRIu32, config->rope_dims, config->head);
	if (config->experts > EXPERTS_MAX)
		return model_error(error, MODEL_CORRUPT, "the model's number of experts is %" PRIu32 ", which should be at most %d", config->experts, EXPERTS_MAX);
	if (config->experts > 0 && (config->experts_used == 0 || config->experts_used > config->experts))
		return model_error(error, MODEL_CORRUPT, "the model uses %" PRIu32 " of its %" PRIu32 " experts", config->experts_used, config->experts);
	if (!(config->clip >= 0 && isfinite(config->clip)))
		return model_error(error, MODEL_CORRUPT, "the model's bound of queries, keys and values is not sound");
	if (!(config->epsilon > 0 && config->epsilon < 1))
		return model_error(error, MODEL_CORRUPT, "the model's epsilon of norms is not between 0 and 1");
	if (!(config->rope_base > 0 && isfinite(config->rope_base) && config->rope_scale > 0 && config->rope_scale <= 1) ||
		(config->window && !(config->rope_base_local > 0 && isfinite(config->rope_base_local) && config->pattern > 0)))
		return model_error(error, MODEL_CORRUPT, "the model's positions are not sound");
	return true;
}

/* Find places in 'memory', and fill them if that is what 'reading' says. */
static bool
read_into(Reader *reader, Decoder *decoder, Reading reading, uint8_t *memory)
{
	reader->reading = reading;
	reader->memory = memory;
	reader->used = 0;
	return read_weights(reader, decoder);
}

/* decoder->size is known.  From those who share it, or from the file */
static bool
get_weights(Reader *reader, Decoder *decoder)
{
	const ModelShare *share = &decoder->share;
	const void *shared = share->find ? share->find(share->context, decoder->size) : NULL;

	if (!shared)
	{
		/* zeros, which matrices begin with; untouched, they cost nothing */
		decoder->allocation = calloc(1, decoder->size + 64);
		if (!decoder->allocation)
			return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for %zu bytes of weights", decoder->size);
		if (!read_into(reader, decoder, READ_FILL, (uint8_t *) (((uintptr_t) decoder->allocation + 63) / 64 * 64)))
			return false;
		decoder->memory = reader->memory;
		shared = share->keep ? share->keep(share->context, decoder->memory, decoder->size) : NULL;
		if (!shared)
			return true;
		free(decoder->allocation);
		decoder->allocation = NULL;
	}
	decoder->shared = true;
	decoder->memory = (uint8_t *) shared;
	return read_into(reader, decoder, READ_PLACE, decoder->memory);
}

Decoder *
decoder_open(const DecoderConfig *config, const Weights *weights, const DecoderOptions *options, ModelProgress *progress, ModelError *error)
{
	Reader		reader = {.weights = weights, .progress = progress, .error = error};
	Decoder    *decoder;

	if (!config_is_sane(config, error))
		return NULL;
	decoder = calloc(1, sizeof *decoder);
	if (!decoder || (decoder->layers = calloc(config->layers, sizeof *decoder->layers)) == NULL)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory");
		decoder_close(decoder);
		return NULL;
	}
	decoder->config = *config;
	if (options->share)
		decoder->share = *options->share;
	if (read_into(&reader, decoder, READ_CHECK, NULL) &&
		(options->memory == 0 || reader.used <= options->memory ||
		 model_error(error, MODEL_NO_MEMORY, "its weights take %zu bytes, of %zu that models may have", reader.used, options->memory)))
	{
		decoder->size = reader.used;
		if (get_weights(&reader, decoder))
			return decoder;
	}
	decoder_close(decoder);
	return NULL;
}

void
decoder_close(Decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->shared)
		decoder->share.release(decoder->share.context, decoder->memory, decoder->size);
	free(decoder->allocation);
	free(decoder->layers);
	free(decoder);
}

const DecoderConfig *
decoder_config_of(const Decoder *decoder)
{
	return &decoder->config;
}

size_t
decoder_size(const Decoder *decoder)
{
	return decoder->size;
}

bool
decoder_is_shared(const Decoder *decoder)
{
	return decoder->shared;
}

KvMemory
decoder_kv_memory(const Decoder *decoder, size_t limit)
{
	return (KvMemory) {decoder->config.layers, decoder->config.kv_heads, decoder->config.head, limit, 0};
}

/* ------------------------------------------------------------------------
 * Running
 * ------------------------------------------------------------------------
 */

/* Tokens that go through the layers together: what they make stays in the second cache */
#define PASS_TOKENS		256
/* Rows of queries that attend together */
#define ATTEND_ROWS		96
/* Multiplications between two looks at whether it is to stop: some milliseconds */
#define SLICE			(UINT64_C(1) << 28)

/* n floats up to whole panels, as products write them */
#define STEP(n)		(PANELS(n) * PANEL)

/* Tokens of a run that are in a pass */
typedef struct Part
{
	const DecoderRun *run;
	uint32_t	from;			/* of the run's tokens */
	uint32_t	n;
	uint32_t	position;		/* of the first one */
	size_t		row;			/* ... among those of the pass */
} Part;

typedef struct Work
{
	const Decoder *decoder;
	const ModelKernels *kernels;
	KvMemory   *kv;
	ModelProgress *progress;
	ModelError *error;
	void	   *memory;
	Part	   *parts;
	size_t		nparts;
	size_t		rows;			/* tokens of the pass */
	float	   *x;				/* hidden of each token */
	float	   *y;				/* ... that are being made */
	float	   *queries;
	float	   *keys;
	float	   *values;
	float	   *attended;
	float	   *gate;
	float	   *up;
	float	   *turns;			/* of each token, cosines and sines: all layers', local layers' */
	float	   *some;			/* queries of ATTEND_ROWS rows */
	float	   *scores;			/* ... and all positions */
	float	   *mixed;			/* ... and a head */
	float	   *zeros;			/* hidden: the biases of layer norms, which have none */
	/* Of experts alone */
	float	   *routes;			/* logits of each token's experts */
	ExpertChoice *choices;		/* experts_used of each token */
	float	   *expert;			/* hidden of the tokens that go to one */
	float	   *sum;			/* hidden of each token */
} Work;

static bool
work_begin(Work *work, size_t rows, size_t positions)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t of_experts = config->experts > 0 ? rows : 0;
	float	   *choices;
	const struct
	{
		float	  **part;
		size_t		n;
	}			parts[] = {
		{&work->x, rows * STEP(config->hidden)},
		{&work->y, rows * STEP(config->hidden)},
		{&work->queries, rows * config->heads * config->head},
		{&work->keys, rows * config->kv_heads * config->head},
		{&work->values, rows * config->kv_heads * config->head},
		{&work->attended, rows * config->heads * config->head},
		{&work->gate, rows * STEP(config->inner)},
		{&work->up, rows * STEP(config->inner)},
		{&work->turns, rows * STEP(2 * config->rope_dims)},
		{&work->some, ATTEND_ROWS * config->head},
		{&work->scores, ATTEND_ROWS * ((positions + KV_PAGE - 1) / KV_PAGE * KV_PAGE)},
		{&work->mixed, ATTEND_ROWS * config->head},
		{&work->zeros, STEP(config->hidden)},
		{&work->routes, of_experts * STEP(config->experts)},
		{&choices, of_experts * STEP(config->experts_used * sizeof *work->choices / sizeof(float))},
		{&work->expert, of_experts * STEP(config->hidden)},
		{&work->sum, of_experts * STEP(config->hidden)},
	};
	float	   *at;
	size_t		n = 16;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		n += parts[i].n;
	work->memory = calloc(n, sizeof(float));
	if (!work->memory)
		return model_error(work->error, MODEL_NO_MEMORY, "out of memory for %zu bytes of activations", n * sizeof(float));
	at = (float *) (((uintptr_t) work->memory + 63) / 64 * 64);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
	{
		*parts[i].part = at;
		at += parts[i].n;
	}
	work->choices = (ExpertChoice *) choices;
	return true;
}

/* y = x times a matrix, for all rows of the pass or for n */
static bool
multiply(Work *work, const Matrix *matrix, const float *x, size_t xstep, size_t n, float *y, size_t ystep)
{
	const size_t panels = PANELS(matrix->m);
	size_t		slice = SLICE / ((uint64_t) matrix->k * PANEL * n) / GROUP * GROUP;

	slice = slice < GROUP ? GROUP : slice;
	for (size_t j = 0; j < panels; j += slice)
	{
		const size_t now = panels - j < slice ? panels - j : slice;

		work->kernels->multiply(matrix, j, now, x, xstep, n, y, ystep);
		/* a look at 2^26 multiplications */
		if (!model_goes_on(work->progress, (uint32_t) (((uint64_t) matrix->k * PANEL * n * now >> 12) + 1), work->error))
			return false;
	}
	return true;
}

static void
add_bias(const Work *work, float *y, size_t n, const float *bias)
{
	for (size_t i = 0; bias && i < work->rows; i++)
		for (size_t l = 0; l < n; l++)
			y[i * n + l] += bias[l];
}

static void
clip(const Work *work, float *y, size_t n)
{
	const float most = work->decoder->config.clip;

	for (size_t i = 0; most > 0 && i < work->rows * n; i++)
		y[i] = fminf(fmaxf(y[i], -most), most);
}

static bool
layer_is_local(const DecoderConfig *config, uint32_t layer)
{
	return config->window && (layer + 1) % config->pattern != 0;
}

static void
embed_tokens(Work *work)
{
	const Decoder *decoder = work->decoder;
	const size_t hidden = decoder->config.hidden;

	for (size_t p = 0; p < work->nparts; p++)
		for (uint32_t i = 0; i < work->parts[p].n; i++)
		{
			float	   *x = work->x + (work->parts[p].row + i) * STEP(hidden);

			matrix_row(&decoder->tokens, (size_t) work->parts[p].run->tokens[work->parts[p].from + i], x);
			for (size_t l = 0; l < hidden; l++)
				x[l] *= decoder->config.embedding_scale;
		}
}

/* Cosines and sines of what a position turns a head's pairs by: base^(-2i / dims) * position */
static void
compute_turns(float *turns, uint32_t position, uint32_t dims, float base, float scale, const float *factors)
{
	for (uint32_t i = 0; i < dims / 2; i++)
	{
		const double angle = (double) position * scale * pow(base, -2.0 * i / dims) / (factors ? factors[i] : 1);

		turns[i] = (float) cos(angle);
		turns[dims / 2 + i] = (float) sin(angle);
	}
}

static void
turns_of_pass(Work *work)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t step = STEP(2 * config->rope_dims);

	for (size_t p = 0; p < work->nparts; p++)
		for (uint32_t i = 0; i < work->parts[p].n; i++)
		{
			float	   *turns = work->turns + (work->parts[p].row + i) * step;
			const uint32_t position = work->parts[p].position + i;

			compute_turns(turns, position, config->rope_dims, config->rope_base, config->rope_scale, work->decoder->rope_factors);
			if (config->window)
				compute_turns(turns + config->rope_dims, position, config->rope_dims, config->rope_base_local, 1, NULL);
		}
}

/* One head */
static void
turn(const DecoderConfig *config, float *x, const float *turns)
{
	const uint32_t half = config->rope_dims / 2;

	for (uint32_t i = 0; i < half; i++)
	{
		float	   *first = x + (config->rope_halves ? i : 2 * i);
		float	   *second = x + (config->rope_halves ? i + half : 2 * i + 1);
		const float a = *first;
		const float b = *second;

		*first = a * turns[i] - b * turns[half + i];
		*second = a * turns[half + i] + b * turns[i];
	}
}

/* Norm and turn the heads of all rows */
static void
prepare_heads(const Work *work, float *x, uint32_t heads, const float *norm, bool local)
{
	const DecoderConfig *config = &work->decoder->config;

	for (size_t i = 0; i < work->rows; i++)
		for (uint32_t head = 0; head < heads; head++, x += config->head)
		{
			if (norm)
				work->kernels->rms_norm(x, config->head, norm, config->epsilon, x);
			turn(config, x, work->turns + i * STEP(2 * config->rope_dims) + (local ? config->rope_dims : 0));
		}
}

/* Keys and values of a part's rows go to its sequence's pages. */
static void
keep_keys_and_values(const Work *work, uint32_t layer, const Part *part)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t size = config->head;

	for (uint32_t i = 0; i < part->n; i++)
	{
		const uint32_t position = part->position + i;
		const uint32_t at = position % KV_PAGE;
		KvPage	   *page = part->run->sequence->pages[position / KV_PAGE];

		for (uint32_t head = 0; head < config->kv_heads; head++)
		{
			const float *k = work->keys + ((part->row + i) * config->kv_heads + head) * size;
			const float *v = work->values + ((part->row + i) * config->kv_heads + head) * size;
			float	   *keys = kv_keys(work->kv, page, layer, head) + at / PANEL * PANEL * size + at % PANEL;
			float	   *values = kv_values(work->kv, page, layer, head) + at * PANEL;

			for (size_t l = 0; l < size; l++)
				keys[l * PANEL] = k[l];
			for (size_t l = 0; l < size; l += PANEL)
				memcpy(values + l * KV_PAGE, v + l, PANEL * sizeof(float));
		}
	}
}

/*
 * n tokens of a part, from its i'th on, and all heads of queries that have this
 * head of keys: each is a row.
 */
static void
attend(Work *work, uint32_t layer, const Part *part, uint32_t i, uint32_t n, uint32_t head, bool local)
{
	const DecoderConfig *config = &work->decoder->config;
	const uint32_t group = config->heads / config->kv_heads;
	const size_t size = config->head;
	const uint32_t rows = n * group;
	const uint32_t first = part->position + i;	/* the first token's position */
	const uint32_t window = local ? config->window : UINT32_MAX;
	const uint32_t page_from = first >= window ? (first - window + 1) / KV_PAGE : 0;
	const uint32_t page_to = (first + n - 1) / KV_PAGE;
	const size_t step = (size_t) (page_to + 1 - page_from) * KV_PAGE;

	for (uint32_t t = 0; t < n; t++)
		memcpy(work->some + (size_t) t * group * size, work->queries + ((part->row + i + t) * config->heads + head * group) * size,
			   group * size * sizeof(float));
	for (uint32_t p = page_from; p <= page_to; p++)
		work->kernels->accumulate(work->some, size, rows, kv_keys(work->kv, part->run->sequence->pages[p], layer, head), PANEL * size, KV_PAGE, size,
								  work->scores + (size_t) (p - page_from) * KV_PAGE, step, false);
	for (uint32_t r = 0; r < rows; r++)
	{
		const uint32_t position = first + r / group;
		const uint32_t from = (position >= window ? position - window + 1 : 0) - page_from * KV_PAGE;
		const uint32_t to = position + 1 - page_from * KV_PAGE;
		float	   *scores = work->scores + r * step;

		work->kernels->softmax(scores + from, to - from, config->attention_scale);
		memset(scores, 0, from * sizeof(float));
		memset(scores + to, 0, (step - to) * sizeof(float));
	}
	for (uint32_t p = page_from; p <= page_to; p++)
		work->kernels->accumulate(work->scores + (size_t) (p - page_from) * KV_PAGE, step, rows,
								  kv_values(work->kv, part->run->sequence->pages[p], layer, head), PANEL * KV_PAGE, size, KV_PAGE,
								  work->mixed, size, p > page_from);
	for (uint32_t t = 0; t < n; t++)
		memcpy(work->attended + ((part->row + i + t) * config->heads + head * group) * size, work->mixed + (size_t) t * group * size,
			   group * size * sizeof(float));
}

static bool
attend_all(Work *work, uint32_t layer, bool local)
{
	const DecoderConfig *config = &work->decoder->config;
	const uint32_t group = config->heads / config->kv_heads;
	const uint32_t most = group > ATTEND_ROWS ? 1 : ATTEND_ROWS / group;

	for (size_t p = 0; p < work->nparts; p++)
	{
		const Part *part = &work->parts[p];

		keep_keys_and_values(work, layer, part);
		for (uint32_t i = 0; i < part->n; i += most)
		{
			const uint32_t n = part->n - i < most ? part->n - i : most;

			for (uint32_t head = 0; head < config->kv_heads; head++)
			{
				attend(work, layer, part, i, n, head, local);
				if (!model_goes_on(work->progress, (uint32_t) (((uint64_t) n * group * config->head * (part->position + i + n) >> 11) + 1), work->error))
					return false;
			}
		}
	}
	return true;
}

/* x = x + y, y normed first where 'norm' is not NULL */
static void
add(const Work *work, const float *norm)
{
	const DecoderConfig *config = &work->decoder->config;

	for (size_t i = 0; i < work->rows; i++)
	{
		float	   *x = work->x + i * STEP(config->hidden);
		float	   *y = work->y + i * STEP(config->hidden);

		if (norm)
			work->kernels->rms_norm(y, config->hidden, norm, config->epsilon, y);
		for (size_t l = 0; l < config->hidden; l++)
			x[l] += y[l];
	}
}

static void
norm_row(const Work *work, const float *x, const float *norm, float *y)
{
	const DecoderConfig *config = &work->decoder->config;

	if (!config->layer_norms)
	{
		work->kernels->rms_norm(x, config->hidden, norm, config->epsilon, y);
		return;
	}
	memcpy(y, x, config->hidden * sizeof *y);
	work->kernels->layer_norm(y, config->hidden, norm, work->zeros, config->epsilon);
}

/* y = x normed */
static void
norm_rows(const Work *work, const float *norm)
{
	const DecoderConfig *config = &work->decoder->config;

	for (size_t i = 0; i < work->rows; i++)
		norm_row(work, work->x + i * STEP(config->hidden), norm, work->y + i * STEP(config->hidden));
}

/* x = down times (gate times x, activated, times up times x), for n rows */
static bool
run_gated(Work *work, const Matrix *gates, const Matrix *ups, const Matrix *downs, float *x, size_t n)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t hidden = STEP(config->hidden);
	const size_t inner = STEP(config->inner);

	if (!multiply(work, gates, x, hidden, n, work->gate, inner) ||
		!multiply(work, ups, x, hidden, n, work->up, inner))
		return false;
	(config->gelu ? work->kernels->gelu_tanh : work->kernels->silu) (work->gate, work->up, n * inner);
	return multiply(work, downs, work->gate, inner, n, x, hidden);
}

/* Of this expert, what is to be added to the tokens that have chosen it */
static bool
run_expert(Work *work, const Layer *layer, uint32_t expert)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t hidden = STEP(config->hidden);
	const size_t used = config->experts_used;
	const Matrix gates = expert_of(&layer->gate, expert);
	const Matrix ups = expert_of(&layer->up, expert);
	const Matrix downs = expert_of(&layer->down, expert);
	size_t		n = 0;

	for (size_t i = 0; i < work->rows * used; i++)
		if (work->choices[i].expert == expert)
			memcpy(work->expert + n++ * hidden, work->y + i / used * hidden, hidden * sizeof(float));
	if (n == 0)
		return true;
	if (!run_gated(work, &gates, &ups, &downs, work->expert, n))
		return false;
	n = 0;
	for (size_t i = 0; i < work->rows * used; i++)
		if (work->choices[i].expert == expert)
		{
			const float *from = work->expert + n++ * hidden;
			float	   *to = work->sum + i / used * hidden;

			for (size_t l = 0; l < config->hidden; l++)
				to[l] += work->choices[i].weight * from[l];
		}
	return true;
}

/* y = what the experts give that each token of y chooses */
static bool
run_experts(Work *work, const Layer *layer)
{
	const DecoderConfig *config = &work->decoder->config;
	const size_t hidden = STEP(config->hidden);
	const size_t step = STEP(config->experts);
	float	   *y = work->y;

	if (!multiply(work, &layer->router, y, hidden, work->rows, work->routes, step))
		return false;
	for (size_t i = 0; i < work->rows; i++)
		experts_choose(work->kernels, work->routes + i * step, config->experts, config->experts_used, work->choices + i * config->experts_used);
	memset(work->sum, 0, work->rows * hidden * sizeof(float));
	for (uint32_t e = 0; e < config->experts; e++)
		if (!run_expert(work, layer, e))
			return false;
	work->y = work->sum;
	work->sum = y;
	return true;
}

static bool
run_layer(Work *work, uint32_t i)
{
	const DecoderConfig *config = &work->decoder->config;
	const Layer *layer = &work->decoder->layers[i];
	const size_t hidden = STEP(config->hidden);
	const size_t queries = config->heads * config->head;
	const size_t keys = config->kv_heads * config->head;
	const bool	local = layer_is_local(config, i);

	norm_rows(work, layer->attention_norm);
	if (!multiply(work, &layer->query, work->y, hidden, work->rows, work->queries, queries) ||
		!multiply(work, &layer->key, work->y, hidden, work->rows, work->keys, keys) ||
		!multiply(work, &layer->value, work->y, hidden, work->rows, work->values, keys))
		return false;
	add_bias(work, work->queries, queries, layer->query_bias);
	add_bias(work, work->keys, keys, layer->key_bias);
	add_bias(work, work->values, keys, layer->value_bias);
	clip(work, work->queries, queries);
	clip(work, work->keys, keys);
	clip(work, work->values, keys);
	prepare_heads(work, work->queries, config->heads, layer->query_norm, local);
	prepare_heads(work, work->keys, config->kv_heads, layer->key_norm, local);
	if (!attend_all(work, i, local) ||
		!multiply(work, &layer->output, work->attended, queries, work->rows, work->y, hidden))
		return false;
	add(work, layer->post_attention_norm);

	norm_rows(work, layer->inner_norm);
	if (config->experts > 0 ? !run_experts(work, layer) : !run_gated(work, &layer->gate, &layer->up, &layer->down, work->y, work->rows))
		return false;
	add(work, layer->post_inner_norm);
	return true;
}

/* Of a part's tokens those whose logits are wanted are its last ones: how many */
static uint32_t
logits_of_part(const Part *part)
{
	const uint32_t behind = part->run->n - part->from - part->n;	/* tokens of the run that are not in this pass */
	const uint32_t wanted = part->run->nlogits > behind ? part->run->nlogits - behind : 0;

	return wanted < part->n ? wanted : part->n;
}

/* Logits of the pass, from 'logits' on; *logits: where those of the next one go */
static bool
compute_logits(Work *work, float **logits)
{
	const Decoder *decoder = work->decoder;
	const DecoderConfig *config = &decoder->config;
	const size_t hidden = STEP(config->hidden);
	const size_t step = decoder_logits_step(decoder);
	size_t		rows = 0;

	for (size_t p = 0; p < work->nparts; p++)
	{
		const uint32_t n = logits_of_part(&work->parts[p]);

		for (uint32_t i = 0; i < n; i++, rows++)
			norm_row(work, work->x + (work->parts[p].row + work->parts[p].n - n + i) * hidden, decoder->norm, work->y + rows * hidden);
	}
	if (rows == 0)
		return true;
	if (!multiply(work, &decoder->logits, work->y, hidden, rows, *logits, step))
		return false;
	for (size_t i = 0; config->logit_cap > 0 && i < rows * step; i++)
		(*logits)[i] = config->logit_cap * tanhf((*logits)[i] / config->logit_cap);
	*logits += rows * step;
	return true;
}

static bool
run_pass(Work *work, float **logits)
{
	embed_tokens(work);
	turns_of_pass(work);
	for (uint32_t i = 0; i < work->decoder->config.layers; i++)
		if (!run_layer(work, i))
			return false;
	return compute_logits(work, logits);
}

static bool
input_is_sane(const Decoder *decoder, const DecoderRun *runs, size_t nruns, size_t *rows, size_t *positions, ModelError *error)
{
	*rows = *positions = 0;
	for (size_t r = 0; r < nruns; r++)
	{
		const size_t length = (size_t) runs[r].sequence->length + runs[r].n;

		if (runs[r].n == 0 || runs[r].nlogits > runs[r].n)
			return model_error(error, MODEL_BAD_INPUT, "a sequence goes on with no token");
		if (length > decoder->config.context)
			return model_error(error, MODEL_TOO_LONG, "a sequence of %zu tokens, where the model takes %" PRIu32, length, decoder->config.context);
		for (uint32_t i = 0; i < runs[r].n; i++)
			if (runs[r].tokens[i] < 0 || (uint32_t) runs[r].tokens[i] >= decoder->config.vocabulary)
				return model_error(error, MODEL_BAD_INPUT, "token %" PRId32 " is not in the model's vocabulary", runs[r].tokens[i]);
		*rows += runs[r].n;
		*positions = length > *positions ? length : *positions;
	}
	return true;
}

/* The next tokens of all runs, from token *from of run *run on */
static void
next_pass(Work *work, const DecoderRun *runs, size_t nruns, size_t *run, uint32_t *from)
{
	work->rows = work->nparts = 0;
	while (*run < nruns && work->rows < PASS_TOKENS)
	{
		const uint32_t left = runs[*run].n - *from;
		const uint32_t n = left < PASS_TOKENS - work->rows ? left : (uint32_t) (PASS_TOKENS - work->rows);

		work->parts[work->nparts++] = (Part) {&runs[*run], *from, n, runs[*run].sequence->length + *from, work->rows};
		work->rows += n;
		*from += n;
		if (n == left)
		{
			++*run;
			*from = 0;
		}
	}
}

size_t
decoder_logits_step(const Decoder *decoder)
{
	return STEP(decoder->config.vocabulary);
}

bool
decoder_run(const Decoder *decoder, const ModelKernels *kernels, KvMemory *memory, const DecoderRun *runs, size_t nruns,
			float *logits, ModelProgress *progress, ModelError *error)
{
	Work		work = {.decoder = decoder, .kernels = kernels, .kv = memory, .progress = progress, .error = error};
	size_t		rows,
				positions,
				run = 0;
	uint32_t	from = 0;
	bool		done;

	if (!input_is_sane(decoder, runs, nruns, &rows, &positions, error))
		return false;
	for (size_t r = 0; r < nruns; r++)
		if (!kv_extend(memory, runs[r].sequence, runs[r].n, error))
			return false;
	work.parts = malloc((nruns + 1) * sizeof *work.parts);
	if (!work.parts)
		return model_error(error, MODEL_NO_MEMORY, "out of memory");
	done = work_begin(&work, rows < PASS_TOKENS ? rows : PASS_TOKENS, positions);
	while (done && run < nruns)
	{
		next_pass(&work, runs, nruns, &run, &from);
		done = run_pass(&work, &logits);
	}
	for (size_t r = 0; done && r < nruns; r++)
		runs[r].sequence->length += runs[r].n;
	free(work.memory);
	free(work.parts);
	return done;
}
