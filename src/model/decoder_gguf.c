/*-------------------------------------------------------------------------
 *
 * decoder_gguf.c
 *	  What a GGUF file says of a decoder: keys of its architecture, and what
 *	  llama.cpp knows of an architecture that no key says.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/decoder.h"

typedef struct Architecture
{
	const char *name;
	void		(*set) (DecoderConfig *config);
	bool		experts;		/* may it have some? */
} Architecture;

static void
set_llama(DecoderConfig *config)
{
	/* whoever made the file has put a head's rows in the order that neighbours turn together */
	config->rope_halves = false;
}

static void
set_qwen2(DecoderConfig *config)
{
	config->biases = true;
}

static void
set_qwen3(DecoderConfig *config)
{
	config->head_norms = true;
}

static void
set_gemma3(DecoderConfig *config)
{
	config->head_norms = config->post_norms = config->gelu = true;
	config->embedding_scale = sqrtf((float) config->hidden);
	config->pattern = 6;
	/* the 27B model alone; it is told by its layers, as llama.cpp does */
	if (config->layers == 62)
		config->attention_scale = 1 / sqrtf((float) config->hidden / (float) config->heads);
}

static void
set_dbrx(DecoderConfig *config)
{
	config->fused = config->layer_norms = true;
}

static const Architecture architectures[] = {
	{"llama", set_llama, true},
	{"qwen2", set_qwen2, false},
	{"qwen3", set_qwen3, false},
	{"gemma3", set_gemma3, false},
	{"dbrx", set_dbrx, true},
};

static const Architecture *
architecture_of(const Gguf *gguf, ModelError *error)
{
	char		known[200] = "";
	GgufString	name;
	bool		found;

	if (!gguf_get_string(gguf, "general.architecture", &name, &found, error))
		return NULL;
	if (!found)
	{
		model_error(error, MODEL_CORRUPT, "the file does not say what architecture its model is of");
		return NULL;
	}
	for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
	{
		if (strlen(architectures[i].name) == name.len && memcmp(architectures[i].name, name.ptr, name.len) == 0)
			return &architectures[i];
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s\"%s\"", i ? ", " : "", architectures[i].name);
	}
	model_error(error, MODEL_UNSUPPORTED, "architecture \"%.*s\" is not supported: there are %s", name.len > 64 ? 64 : (int) name.len, name.ptr, known);
	return NULL;
}

typedef struct Keys
{
	const Gguf *gguf;
	const char *architecture;
	ModelError *error;
	char		key[128];
} Keys;

static const char *
key_of(Keys *keys, const char *name)
{
	snprintf(keys->key, sizeof keys->key, "%s.%s", keys->architecture, name);
	return keys->key;
}

/* A number, which stays what it is where the file has none; or an array of one number again and again */
static bool
get_uint(Keys *keys, const char *name, uint32_t *value)
{
	const GgufValue *there = gguf_find(keys->gguf, key_of(keys, name));
	uint64_t	read;
	bool		found;

	if (there && there->type == GGUF_ARRAY && gguf_is_int(there->element) && there->n > 0)
	{
		for (uint64_t i = 0; i < there->n; i++)
			if (gguf_int_at(there, i) != gguf_int_at(there, 0) || gguf_int_at(there, i) < 0 || gguf_int_at(there, i) > UINT32_MAX)
				return model_error(keys->error, MODEL_UNSUPPORTED, "\"%s\" differs among layers, which is not supported", keys->key);
		*value = (uint32_t) gguf_int_at(there, 0);
		return true;
	}
	if (!gguf_get_uint(keys->gguf, keys->key, UINT32_MAX, &read, &found, keys->error))
		return false;
	if (found)
		*value = (uint32_t) read;
	return true;
}

static bool
get_float(Keys *keys, const char *name, float *value)
{
	double		read;
	bool		found;

	if (!gguf_get_float(keys->gguf, key_of(keys, name), &read, &found, keys->error))
		return false;
	if (found)
		*value = (float) read;
	return true;
}

/* Only a linear scale is known, and factors in a tensor of their own */
static bool
get_rope_scale(Keys *keys, float *scale)
{
	GgufString	type;
	bool		found;
	float		factor = 0;

	if (!gguf_get_string(keys->gguf, key_of(keys, "rope.scaling.type"), &type, &found, keys->error))
		return false;
	if (found && !(type.len == 6 && memcmp(type.ptr, "linear", 6) == 0) && !(type.len == 4 && memcmp(type.ptr, "none", 4) == 0))
		return model_error(keys->error, MODEL_UNSUPPORTED, "scaling of positions \"%.*s\" is not supported: there is \"linear\"",
						   type.len > 64 ? 64 : (int) type.len, type.ptr);
	if (found && type.len == 4)
		return true;
	/* an older name */
	if (!get_float(keys, "rope.scale_linear", &factor) || !get_float(keys, "rope.scaling.factor", &factor))
		return false;
	if (factor > 0)
		*scale = 1 / factor;
	return true;
}

static bool
get_vocabulary(Keys *keys, uint32_t *vocabulary)
{
	const GgufTensor *tokens = gguf_find_tensor(keys->gguf, "token_embd.weight");

	if (!tokens)
		return model_error(keys->error, MODEL_CORRUPT, "the model has no tensor \"token_embd.weight\"");
	if (tokens->ne[1] > UINT32_MAX)
		return model_error(keys->error, MODEL_CORRUPT, "the model has a vocabulary of %" PRIu64 " tokens", tokens->ne[1]);
	*vocabulary = (uint32_t) tokens->ne[1];
	return true;
}

bool
decoder_config(const Gguf *gguf, DecoderConfig *config, ModelError *error)
{
	const Architecture *architecture = architecture_of(gguf, error);
	Keys		keys = {.gguf = gguf, .error = error};
	uint32_t	value_head;

	if (!architecture)
		return false;
	keys.architecture = architecture->name;
	*config = (DecoderConfig) {.architecture = architecture->name, .rope_halves = true, .rope_base = 10000, .rope_scale = 1,
		.rope_base_local = 10000, .embedding_scale = 1};
	if (!get_uint(&keys, "embedding_length", &config->hidden) || !get_uint(&keys, "block_count", &config->layers) ||
		!get_uint(&keys, "attention.head_count", &config->heads) || !get_uint(&keys, "feed_forward_length", &config->inner) ||
		!get_uint(&keys, "context_length", &config->context) || !get_vocabulary(&keys, &config->vocabulary) ||
		!get_float(&keys, "attention.layer_norm_rms_epsilon", &config->epsilon) ||
		!get_uint(&keys, "expert_count", &config->experts) || !get_uint(&keys, "expert_used_count", &config->experts_used))
		return false;
	if (config->heads == 0)
		return model_error(error, MODEL_CORRUPT, "the model's number of heads is 0");
	if (config->experts > 0 && !architecture->experts)
		return model_error(error, MODEL_UNSUPPORTED, "experts in architecture \"%s\" are not supported", architecture->name);
	config->kv_heads = config->heads;
	config->head = config->hidden / config->heads;
	if (!get_uint(&keys, "attention.head_count_kv", &config->kv_heads) || !get_uint(&keys, "attention.key_length", &config->head))
		return false;
	value_head = config->rope_dims = config->head;
	if (!get_uint(&keys, "attention.value_length", &value_head) || !get_uint(&keys, "rope.dimension_count", &config->rope_dims) ||
		!get_float(&keys, "rope.freq_base", &config->rope_base) || !get_rope_scale(&keys, &config->rope_scale))
		return false;
	if (value_head != config->head)
		return model_error(error, MODEL_UNSUPPORTED, "heads of values that are not as long as those of keys are not supported");
	if (config->head == 0)
		return model_error(error, MODEL_CORRUPT, "the model's head size is 0");
	config->attention_scale = 1 / sqrtf((float) config->head);
	architecture->set(config);
	if (config->layer_norms && (!get_float(&keys, "attention.layer_norm_epsilon", &config->epsilon) || !get_float(&keys, "attention.clamp_kqv", &config->clip)))
		return false;
	if (config->pattern &&
		(!get_uint(&keys, "attention.sliding_window", &config->window) || !get_uint(&keys, "attention.sliding_window_pattern", &config->pattern) ||
		 !get_float(&keys, "rope.freq_base_swa", &config->rope_base_local) || !get_float(&keys, "final_logit_softcapping", &config->logit_cap)))
		return false;
	return true;
}
