/*-------------------------------------------------------------------------
 *
 * decoder_test.c
 *	  Decoders: the logits of a reference in numpy (fixtures/decoder.py) for each
 *	  architecture, with experts and without; the same to the bit however sequences are given; wrong networks
 *	  are told from right ones; files that are not sound.
 *
 * link: src/model/decoder.c src/model/decoder_gguf.c src/model/experts.c src/model/files.c src/model/gguf.c src/model/kernels.c src/model/kernels_avx2.c
 * link: src/model/kernels_avx512.c src/model/kernels_base.c src/model/kv.c src/model/matrix.c src/model/quant.c
 * link: src/model/safetensors.c src/model/weights.c
 * libs: -ljansson
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <math.h>

#include "model/decoder.h"
#include "gguf_file.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"

/* Mean divergence that is rounding, and one that is a mistake */
#define CLOSE		1e-8
#define FAR			1e-4

typedef struct Expected
{
	char	   *bytes;
	uint32_t	n;
	const int32_t *tokens;
	const float *logits;		/* of each token, the vocabulary's */
} Expected;

static ModelProgress progress;
static ModelError error;

static Gguf *
open_gguf(const char *model)
{
	char		name[200];

	snprintf(name, sizeof name, FIXTURES "decoder_%s.gguf", model);
	return gguf_open(open(name, O_RDONLY), name, NULL, NULL, &error);
}

static Decoder *
open_decoder(const Gguf *gguf, const DecoderConfig *config)
{
	const Weights weights = {gguf, NULL};

	return decoder_open(config, &weights, &(DecoderOptions) {0}, &progress, &error);
}

static Expected
read_expected(const char *model)
{
	Expected	expected;
	char		name[200];
	size_t		len;

	snprintf(name, sizeof name, FIXTURES "decoder_%s.bin", model);
	expected.bytes = read_file(name, &len);
	memcpy(&expected.n, expected.bytes, 4);
	expected.tokens = (const int32_t *) (expected.bytes + 4);
	expected.logits = (const float *) (expected.tokens + expected.n);
	return expected;
}

/* Logits of all tokens, given 'chunk' at a time */
static float *
run(const Decoder *decoder, const ModelKernels *kernels, const Expected *expected, uint32_t chunk)
{
	const size_t step = decoder_logits_step(decoder);
	KvMemory	kv = decoder_kv_memory(decoder, 0);
	KvSequence	sequence = {0};
	float	   *logits = malloc(expected->n * step * sizeof *logits);

	for (uint32_t i = 0; i < expected->n; i += chunk)
	{
		const uint32_t n = expected->n - i < chunk ? expected->n - i : chunk;
		const DecoderRun some = {&sequence, expected->tokens + i, n, n};

		if (!decoder_run(decoder, kernels, &kv, &some, 1, logits + i * step, &progress, &error))
			diag("%s", error.message);
	}
	kv_clear(&kv, &sequence);
	return logits;
}

/* Mean divergence from the reference's probabilities */
static double
divergence(const Decoder *decoder, const Expected *expected, const float *logits)
{
	const uint32_t n = decoder_config_of(decoder)->vocabulary;
	double		sum = 0;

	for (uint32_t i = 0; i < expected->n; i++)
	{
		const float *p = expected->logits + (size_t) i * n;
		const float *q = logits + i * decoder_logits_step(decoder);
		double		sum_p = 0,
					sum_q = 0;

		for (uint32_t j = 0; j < n; j++)
		{
			sum_p += exp((double) p[j] - p[0]);
			sum_q += exp((double) q[j] - q[0]);
		}
		for (uint32_t j = 0; j < n; j++)
		{
			const double log_p = (double) p[j] - p[0] - log(sum_p);

			sum += exp(log_p) * (log_p - ((double) q[j] - q[0] - log(sum_q)));
		}
	}
	return sum / expected->n;
}

static void
same_logits(const char *what, const Decoder *decoder, const float *logits, const float *others, size_t n)
{
	size_t		different = 0;

	for (size_t i = 0; i < n; i++)
		different += memcmp(logits + i * decoder_logits_step(decoder), others + i * decoder_logits_step(decoder),
							decoder_config_of(decoder)->vocabulary * sizeof *logits) != 0;
	ok(different == 0, "%s: the same to the bit", what);
}

static void
test_chunks(const char *model, const Decoder *decoder, const ModelKernels *kernels, const Expected *expected, const float *logits)
{
	static const uint32_t chunks[] = {1, 2, 3, 5, 17};

	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
	{
		float	   *others = run(decoder, kernels, expected, chunks[i]);
		char		what[100];

		snprintf(what, sizeof what, "%s, %s, %u at a time", model, kernels->name, chunks[i]);
		same_logits(what, decoder, others, logits, expected->n);
		free(others);
	}
}

/* Sequences of several lengths, forked where they begin alike, that go on together and end at different steps */
static void
test_batch(const char *model, const Decoder *decoder, const ModelKernels *kernels, const Expected *expected, const float *logits)
{
	enum
	{
		N = 7
	};
	const size_t step = decoder_logits_step(decoder);
	KvMemory	kv = decoder_kv_memory(decoder, 0);
	KvSequence	whole = {0};
	KvSequence	sequences[N] = {0};
	DecoderRun	runs[N];
	float	   *others = malloc(N * step * sizeof *others);
	size_t		wrong = 0;
	const DecoderRun beginning = {&whole, expected->tokens, expected->n - 10, 0};

	if (!decoder_run(decoder, kernels, &kv, &beginning, 1, NULL, &progress, &error))
		diag("%s", error.message);
	for (uint32_t i = 0; i < N; i++)
		if (!kv_fork(&kv, &whole, i * 5, &sequences[i], &error))
			diag("%s", error.message);
	kv_clear(&kv, &whole);
	for (uint32_t t = 0; t < expected->n; t++)
	{
		size_t		nruns = 0;

		for (uint32_t i = 0; i < N; i++)
			if (sequences[i].length + 1 + i % 2 <= expected->n - i)
				runs[nruns++] = (DecoderRun) {&sequences[i], expected->tokens + sequences[i].length, 1 + i % 2, 1};
		if (nruns == 0)
			break;
		if (!decoder_run(decoder, kernels, &kv, runs, nruns, others, &progress, &error))
			diag("%s", error.message);
		for (size_t r = 0; r < nruns; r++)
			wrong += memcmp(others + r * step, logits + (runs[r].sequence->length - 1) * step, decoder_config_of(decoder)->vocabulary * sizeof *others) != 0;
	}
	for (uint32_t i = 0; i < N; i++)
		kv_clear(&kv, &sequences[i]);
	ok(wrong == 0, "%s, %s, sequences together: the same to the bit", model, kernels->name);
	ok(kv.used == 0, "%s: all pages are given back", model);
	free(others);
}

static void
test_model(const char *model, const char *architecture)
{
	static const char *const levels[] = {"avx512", "avx2", "base"};
	Gguf	   *gguf = open_gguf(model);
	Expected	expected = read_expected(model);
	DecoderConfig config;
	Decoder    *decoder = NULL;

	if (!ok(gguf && decoder_config(gguf, &config, &error) && (decoder = open_decoder(gguf, &config)) != NULL, "%s is opened %s", model, error.message))
		return;
	ok(strcmp(config.architecture, architecture) == 0, "its architecture is %s", config.architecture);
	for (size_t l = 0; l < sizeof levels / sizeof *levels; l++)
	{
		const ModelKernels *kernels = model_kernels(levels[l]);
		float	   *logits;
		double		kl;

		if (!kernels)
			continue;
		logits = run(decoder, kernels, &expected, expected.n);
		kl = divergence(decoder, &expected, logits);
		ok(kl < CLOSE, "%s, %s: divergence from the reference %g", model, levels[l], kl);
		test_chunks(model, decoder, kernels, &expected, logits);
		test_batch(model, decoder, kernels, &expected, logits);
		free(logits);
	}
	decoder_close(decoder);
	gguf_close(gguf);
	free(expected.bytes);
}

/* A network that is wrong in one thing is far from the reference, or the bound would say nothing. */
static void
test_mistake(const char *model, const char *what, void (*make) (DecoderConfig *config))
{
	Gguf	   *gguf = open_gguf(model);
	Expected	expected = read_expected(model);
	DecoderConfig config;
	Decoder    *decoder;
	float	   *logits;
	double		kl;

	decoder_config(gguf, &config, &error);
	make(&config);
	decoder = open_decoder(gguf, &config);
	logits = run(decoder, model_kernels(NULL), &expected, expected.n);
	kl = divergence(decoder, &expected, logits);
	ok(kl > FAR, "%s with %s: divergence %g", model, what, kl);
	free(logits);
	decoder_close(decoder);
	gguf_close(gguf);
	free(expected.bytes);
}

static void other_pairs(DecoderConfig *config) { config->rope_halves = !config->rope_halves; }
static void other_base(DecoderConfig *config) { config->rope_base *= 2; }
static void other_local_base(DecoderConfig *config) { config->rope_base_local *= 2; }
static void other_scale(DecoderConfig *config) { config->rope_scale = 1; }
static void no_window(DecoderConfig *config) { config->window = 1 << 20; }
static void longer_window(DecoderConfig *config) { config->window++; }
static void other_pattern(DecoderConfig *config) { config->pattern = 3; }
static void no_head_norms(DecoderConfig *config) { config->head_norms = false; }
static void no_post_norms(DecoderConfig *config) { config->post_norms = false; }
static void no_biases(DecoderConfig *config) { config->biases = false; }
static void other_activation(DecoderConfig *config) { config->gelu = !config->gelu; }
static void no_embedding_scale(DecoderConfig *config) { config->embedding_scale = 1; }
static void other_attention_scale(DecoderConfig *config) { config->attention_scale *= 1.1f; }
static void no_cap(DecoderConfig *config) { config->logit_cap = 1; }
static void other_epsilon(DecoderConfig *config) { config->epsilon = 0.05f; }
static void fewer_experts(DecoderConfig *config) { config->experts_used--; }
static void no_clip(DecoderConfig *config) { config->clip = 0; }
static void other_clip(DecoderConfig *config) { config->clip *= 0.9f; }
static void no_layer_norms(DecoderConfig *config) { config->layer_norms = false; }

/*
 * And the reference, made wrong in one thing, is far from the network: what the test is
 * compared with is not itself blind to it.
 */
static void
test_wrong_references(void)
{
	size_t		len;
	char	   *bytes = read_file(FIXTURES "decoder_mistakes.bin", &len);
	uint32_t	n = 0;

	for (const char *p = bytes; p < bytes + len; n++)
	{
		char		model[40] = "";
		char		what[100] = "";
		uint32_t	size;
		uint32_t	kept;
		Gguf	   *gguf;
		Expected	expected;
		DecoderConfig config;
		Decoder    *decoder;
		float	   *logits;
		float	   *wrong;
		double		kl;

		size = take_u32(&p);
		memcpy(model, p, size < sizeof model ? size : sizeof model - 1);
		p += size;
		size = take_u32(&p);
		memcpy(what, p, size < sizeof what ? size : sizeof what - 1);
		p += size;
		kept = take_u32(&p);
		gguf = open_gguf(model);
		expected = read_expected(model);
		decoder_config(gguf, &config, &error);
		decoder = open_decoder(gguf, &config);
		logits = run(decoder, model_kernels(NULL), &expected, expected.n);
		/* names are of any length, floats lie anywhere */
		size = kept * config.vocabulary * (uint32_t) sizeof *wrong;
		wrong = memcpy(malloc(size), p, size);
		p += size;
		kl = divergence(decoder, &(Expected) {.n = kept, .logits = wrong}, logits + (expected.n - kept) * decoder_logits_step(decoder));
		ok(kl > FAR, "%s, a reference with %s: divergence %g", model, what, kl);
		free(wrong);
		free(logits);
		decoder_close(decoder);
		gguf_close(gguf);
		free(expected.bytes);
	}
	ok(n >= 20, "%u wrong references", n);
	free(bytes);
}

static bool
cancelled(void *context)
{
	return --*(int *) context < 0;
}

static void
test_errors(void)
{
	Gguf	   *gguf = open_gguf("llama");
	DecoderConfig config;
	DecoderConfig wrong;
	Decoder    *decoder;
	const ModelKernels *kernels = model_kernels(NULL);
	KvMemory	kv;
	KvSequence	sequence = {0};
	int32_t		tokens[600] = {0};
	DecoderRun	some = {&sequence, tokens, 600, 0};
	const Weights weights = {gguf, NULL};
	int			looks = 0;

	decoder_config(gguf, &config, &error);
	decoder = open_decoder(gguf, &config);
	kv = decoder_kv_memory(decoder, 0);
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && error.kind == MODEL_TOO_LONG, "too many tokens: %s", error.message);
	some.n = 3;
	tokens[1] = 1 << 20;
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && error.kind == MODEL_BAD_INPUT, "no such token: %s", error.message);
	tokens[1] = -1;
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && error.kind == MODEL_BAD_INPUT, "no such token: %s", error.message);
	tokens[1] = 1;
	some.n = 0;
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && error.kind == MODEL_BAD_INPUT, "no token: %s", error.message);
	some.n = 200;
	kv.limit = 2 * kv_page_bytes(&kv);
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && error.kind == MODEL_NO_MEMORY, "not enough memory: %s", error.message);
	kv.limit = 0;
	ok(!decoder_run(decoder, kernels, &kv, &some, 1, NULL, &(ModelProgress) {cancelled, &looks, MODEL_WORK_A_LOOK}, &error) &&
	   error.kind == MODEL_CANCELLED, "cancelled: %s", error.message);
	ok(sequence.length == 0, "a sequence whose run failed has its length");
	ok(decoder_run(decoder, kernels, &kv, &some, 1, NULL, &progress, &error) && sequence.length == 200, "... and goes on");
	kv_clear(&kv, &sequence);
	decoder_close(decoder);

	looks = 0;
	ok(!decoder_open(&config, &weights, &(DecoderOptions) {0}, &(ModelProgress) {cancelled, &looks, MODEL_WORK_A_LOOK}, &error) &&
	   error.kind == MODEL_CANCELLED, "opening is cancelled: %s", error.message);
	ok(!decoder_open(&config, &weights, &(DecoderOptions) {.memory = 1000}, &progress, &error) && error.kind == MODEL_NO_MEMORY, "%s", error.message);

#define WRONG(member, value, as) \
	wrong = config; \
	wrong.member = value; \
	ok(!open_decoder(gguf, &wrong) && error.kind == as, #member " = " #value ": %s", error.message)
	WRONG(hidden, 0, MODEL_CORRUPT);
	WRONG(hidden, 128, MODEL_CORRUPT);
	WRONG(layers, 3, MODEL_CORRUPT);
	WRONG(layers, 1 << 30, MODEL_CORRUPT);
	WRONG(heads, 3, MODEL_CORRUPT);
	WRONG(kv_heads, 0, MODEL_CORRUPT);
	WRONG(head, 8, MODEL_UNSUPPORTED);
	WRONG(inner, 255, MODEL_CORRUPT);
	WRONG(vocabulary, 1, MODEL_CORRUPT);
	WRONG(rope_dims, 7, MODEL_CORRUPT);
	WRONG(rope_dims, 32, MODEL_CORRUPT);
	WRONG(rope_base, NAN, MODEL_CORRUPT);
	WRONG(rope_scale, 0, MODEL_CORRUPT);
	WRONG(epsilon, -1, MODEL_CORRUPT);
	WRONG(head_norms, true, MODEL_CORRUPT);
	WRONG(biases, true, MODEL_CORRUPT);
	gguf_close(gguf);

	gguf = gguf_open(open(FIXTURES "bpe.gguf", O_RDONLY), "bpe.gguf", NULL, NULL, &error);
	ok(!decoder_config(gguf, &config, &error) && error.kind == MODEL_CORRUPT, "a file without a network: %s", error.message);
	gguf_close(gguf);
}

/* A fixture with a number changed that stands so many bytes behind a string; what of it is refused, and how? */
static void
test_changed(const char *model, const char *behind, size_t bytes, uint32_t value, ModelErrorKind kind)
{
	char		name[200];
	size_t		len;
	char	   *file;
	char	   *at;
	Gguf	   *gguf;
	Decoder    *decoder = NULL;
	DecoderConfig config;

	snprintf(name, sizeof name, FIXTURES "decoder_%s.gguf", model);
	file = read_file(name, &len);
	at = memmem(file, len, behind, strlen(behind));
	memcpy(at + strlen(behind) + bytes, &value, sizeof value);
	gguf = gguf_open(file_of((const uint8_t *) file, len), "changed.gguf", NULL, NULL, &error);
	if (gguf && decoder_config(gguf, &config, &error))
		decoder = open_decoder(gguf, &config);
	ok(!decoder && error.kind == kind, "%s, %s: %u: %s", model, behind, value, error.message);
	decoder_close(decoder);
	gguf_close(gguf);
	free(file);
}

/* Counts of experts that are not sound, and tensors of other shapes */
static void
test_hostile_experts(void)
{
	/* the value of a key lies behind its type; a tensor's sizes behind their number */
	enum
	{
		VALUE = 4,
		NE0 = 4,
		NE1 = 12,
		NE2 = 20
	};
	Gguf	   *gguf = open_gguf("dbrx");
	DecoderConfig config;
	DecoderConfig wrong;

	decoder_config(gguf, &config, &error);
	WRONG(experts, 0, MODEL_CORRUPT);
	WRONG(experts, 15, MODEL_CORRUPT);
	WRONG(experts, 1 << 30, MODEL_CORRUPT);
	WRONG(experts_used, 0, MODEL_CORRUPT);
	WRONG(experts_used, 17, MODEL_CORRUPT);
	WRONG(inner, 16, MODEL_CORRUPT);
	WRONG(kv_heads, 4, MODEL_CORRUPT);
	WRONG(fused, false, MODEL_CORRUPT);
	WRONG(clip, -1, MODEL_CORRUPT);
	WRONG(clip, NAN, MODEL_CORRUPT);
	gguf_close(gguf);
	test_changed("mixtral", "llama.expert_count", VALUE, 0, MODEL_CORRUPT);
	test_changed("mixtral", "llama.expert_count", VALUE, 3, MODEL_CORRUPT);
	test_changed("mixtral", "llama.expert_count", VALUE, UINT32_MAX, MODEL_CORRUPT);
	test_changed("mixtral", "llama.expert_used_count", VALUE, 0, MODEL_CORRUPT);
	test_changed("mixtral", "llama.expert_used_count", VALUE, 5, MODEL_CORRUPT);
	test_changed("mixtral", "llama.expert_used_count", VALUE, UINT32_MAX, MODEL_CORRUPT);
	test_changed("mixtral", "llama.feed_forward_length", VALUE, 512, MODEL_CORRUPT);
	test_changed("mixtral", "blk.0.ffn_gate_exps.weight", NE0, 32, MODEL_CORRUPT);
	test_changed("mixtral", "blk.0.ffn_up_exps.weight", NE1, 255, MODEL_CORRUPT);
	test_changed("mixtral", "blk.1.ffn_down_exps.weight", NE2, 3, MODEL_CORRUPT);
	test_changed("mixtral", "blk.1.ffn_down_exps.weight", NE2, UINT32_MAX, MODEL_CORRUPT);
	test_changed("mixtral", "blk.1.ffn_gate_inp.weight", NE1, 5, MODEL_CORRUPT);
	test_changed("dbrx", "dbrx.expert_count", VALUE, 0, MODEL_CORRUPT);
	test_changed("dbrx", "dbrx.attention.clamp_kqv", VALUE, 0xBF800000, MODEL_CORRUPT);
	test_changed("dbrx", "dbrx.attention.layer_norm_epsilon", VALUE, 0x7FC00000, MODEL_CORRUPT);
	test_changed("dbrx", "blk.0.attn_qkv.weight", NE1, 64, MODEL_CORRUPT);
}

/* Where others have them in other ways than ours would be */
static void
test_experts_elsewhere(void)
{
	GgufBytes	bytes = {0};
	Gguf	   *gguf;
	DecoderConfig config;

	put_head(&bytes, 3, 1, 3);
	put_key(&bytes, "general.architecture", GGUF_STRING);
	put_string(&bytes, "qwen2");
	put_key(&bytes, "qwen2.attention.head_count", GGUF_UINT32);
	put_uint(&bytes, 4, 4);
	put_key(&bytes, "qwen2.expert_count", GGUF_UINT32);
	put_uint(&bytes, 8, 4);
	put_tensor(&bytes, "token_embd.weight", 2, (const uint64_t[]) {8, 1}, TENSOR_F32, 0);
	put_zeros(&bytes, 0, 32);
	put_zeros(&bytes, 32, 32);
	gguf = gguf_open(file_of(bytes.bytes, bytes.len), "qwen2.gguf", NULL, NULL, &error);
	ok(gguf && !decoder_config(gguf, &config, &error) && error.kind == MODEL_UNSUPPORTED, "experts of another architecture: %s", error.message);
	gguf_close(gguf);
	free(bytes.bytes);
}

typedef struct Stop
{
	ModelProgress progress;
	int			after;			/* looks */
} Stop;

/* Every step is worth a look. */
static bool
stopped(void *context)
{
	Stop	   *stop = context;

	stop->progress.work = MODEL_WORK_A_LOOK;
	return --stop->after < 0;
}

/* A run stops behind each product of each expert, and leaves the sequence as it was. */
static void
test_cancel_experts(void)
{
	Gguf	   *gguf = open_gguf("dbrx");
	DecoderConfig config;
	Decoder    *decoder;
	KvMemory	kv;
	KvSequence	sequence = {0};
	const Expected expected = read_expected("dbrx");
	const DecoderRun some = {&sequence, expected.tokens, expected.n, 0};
	const int	experts = 16;
	int			stops = 0;

	decoder_config(gguf, &config, &error);
	decoder = open_decoder(gguf, &config);
	kv = decoder_kv_memory(decoder, 0);
	for (;; stops++)
	{
		Stop		stop = {{stopped, &stop, MODEL_WORK_A_LOOK}, stops};

		if (decoder_run(decoder, model_kernels(NULL), &kv, &some, 1, NULL, &stop.progress, &error))
			break;
		if (error.kind != MODEL_CANCELLED || sequence.length != 0)
			break;
	}
	ok(stops > (int) config.layers * experts * 3 && sequence.length == expected.n, "a run of experts is stopped in %d places", stops);
	free(expected.bytes);
	kv_clear(&kv, &sequence);
	decoder_close(decoder);
	gguf_close(gguf);
}

int
main(void)
{
	test_model("llama", "llama");
	test_model("qwen2", "qwen2");
	test_model("qwen3", "qwen3");
	test_model("gemma3", "gemma3");
	test_model("mixtral", "llama");
	test_model("dbrx", "dbrx");

	test_mistake("llama", "pairs of halves", other_pairs);
	test_mistake("llama", "another base", other_base);
	test_mistake("llama", "gelu", other_activation);
	test_mistake("llama", "another scale of attention", other_attention_scale);
	test_mistake("llama", "another epsilon", other_epsilon);
	test_mistake("qwen2", "pairs of neighbours", other_pairs);
	test_mistake("qwen2", "no biases", no_biases);
	test_mistake("qwen3", "no norms of heads", no_head_norms);
	test_mistake("gemma3", "no window", no_window);
	test_mistake("gemma3", "a window of one more", longer_window);
	test_mistake("gemma3", "another pattern", other_pattern);
	test_mistake("gemma3", "another local base", other_local_base);
	test_mistake("gemma3", "positions that are not scaled", other_scale);
	test_mistake("gemma3", "no norms of heads", no_head_norms);
	test_mistake("gemma3", "no norms behind", no_post_norms);
	test_mistake("gemma3", "silu", other_activation);
	test_mistake("gemma3", "embeddings that are not scaled", no_embedding_scale);
	test_mistake("gemma3", "another cap", no_cap);
	test_mistake("mixtral", "an expert less", fewer_experts);
	test_mistake("mixtral", "pairs of halves", other_pairs);
	test_mistake("dbrx", "an expert less", fewer_experts);
	test_mistake("dbrx", "pairs of neighbours", other_pairs);
	test_mistake("dbrx", "another base", other_base);
	test_mistake("dbrx", "no clip", no_clip);
	test_mistake("dbrx", "another clip", other_clip);
	test_mistake("dbrx", "norms that leave the mean", no_layer_norms);

	test_wrong_references();
	test_errors();
	test_hostile_experts();
	test_experts_elsewhere();
	test_cancel_experts();
	return tap_done();
}
