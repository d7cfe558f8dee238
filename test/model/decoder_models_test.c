/*-------------------------------------------------------------------------
 *
 * decoder_models_test.c
 *	  SmolLM2-135M-Instruct and Gemma 3 270M: probabilities of a reference in numpy,
 *	  recorded by fixtures/decoder.py; what they say.
 *
 *    decoder_models_test          MODELS: the folder that has them
 *
 * link: src/model/bpe.c src/model/chat.c src/model/decoder.c src/model/decoder_gguf.c src/model/experts.c src/model/files.c
 * link: src/model/generation.c src/model/gguf.c src/model/guide.c src/model/json_machine.c src/model/json_schema.c
 * link: src/model/kernels.c src/model/kernels_avx2.c src/model/kernels_avx512.c src/model/kernels_base.c src/model/kv.c
 * link: src/model/language.c src/model/matrix.c src/model/pretoken.c src/model/quant.c src/model/safetensors.c
 * link: src/model/sampler.c src/model/sentencepiece.c src/model/tokenizer.c src/model/unicode.c src/model/users.c
 * link: src/model/vocabulary.c src/model/vocabulary_gguf.c src/model/weights.c
 * libs: -ljansson -lutf8proc
 * fast: yes
 * model: SmolLM2-135M-Instruct-Q4_1.gguf gemma-3-270m-Q4_K_M.gguf
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <math.h>

#include "model/generation.h"
#include "tokens_file.h"

#define SMOLLM	"SmolLM2-135M-Instruct-Q4_1.gguf"
#define GEMMA	"gemma-3-270m-Q4_K_M.gguf"

static ModelProgress progress;
static ModelError error;

static int
open_file(void *context, const char *name)
{
	char		path[1000];

	snprintf(path, sizeof path, "%s/%s", (const char *) context, name);
	return open(path, O_RDONLY);
}

static Language *
open_model(const char *name)
{
	const ModelFiles files = {open_file, getenv("MODELS")};
	Language   *language = language_open(&files, name, &(LanguageOptions) {.family = -1}, &progress, &error);

	ok(language != NULL, "%s is opened %s", name, error.message);
	return language;
}

/*
 * Of the reference's distribution there are the likeliest tokens and what is left for
 * the others, as one: the divergence between these is at most that of all.
 */
static double
divergence(const char *likeliest, uint32_t kept, const float *logits, uint32_t n)
{
	float		max = logits[0];
	double		sum = 0,
				kl = 0,
				p_left = 1,
				q_left = 1;

	for (uint32_t j = 1; j < n; j++)
		max = logits[j] > max ? logits[j] : max;
	for (uint32_t j = 0; j < n; j++)
		sum += exp((double) logits[j] - max);
	for (uint32_t i = 0; i < kept; i++)
	{
		const uint32_t id = take_u32(&likeliest);
		float		log_p;
		double		log_q;

		memcpy(&log_p, likeliest, 4);
		likeliest += 4;
		log_q = (double) logits[id] - max - log(sum);
		kl += exp(log_p) * (log_p - log_q);
		p_left -= exp(log_p);
		q_left -= exp(log_q);
	}
	return kl + (p_left > 1e-6 && q_left > 0 ? p_left * log(p_left / q_left) : 0);
}

static void
compare(const char *name, const Language *language, const char *fixture)
{
	const Decoder *decoder = language_decoder(language);
	const uint32_t vocabulary = decoder_config_of(decoder)->vocabulary;
	const size_t step = decoder_logits_step(decoder);
	size_t		len;
	char	   *bytes = read_file(fixture, &len);
	const char *p = bytes;
	const uint32_t n = take_u32(&p);
	const int32_t *tokens = (const int32_t *) p;
	const uint32_t kept = (p += 4 * n, take_u32(&p));
	KvMemory	kv = decoder_kv_memory(decoder, 0);
	KvSequence	sequence = {0};
	float	   *logits = malloc(64 * step * sizeof *logits);
	double		sum = 0;
	uint32_t	wrong = 0,
				near = 0;

	for (uint32_t i = 0; i < n; i += 64)
	{
		const uint32_t now = n - i < 64 ? n - i : 64;
		const DecoderRun run = {&sequence, tokens + i, now, now};

		if (!decoder_run(decoder, language_kernels(language), &kv, &run, 1, logits, &progress, &error))
			diag("%s", error.message);
		for (uint32_t t = 0; t < now; t++, p += 8 * kept)
		{
			const float *of_token = logits + t * step;
			uint32_t	best = 0;
			uint32_t	expected;
			float		first,
						second;

			for (uint32_t j = 1; j < vocabulary; j++)
				if (of_token[j] > of_token[best])
					best = j;
			memcpy(&expected, p, 4);
			memcpy(&first, p + 4, 4);
			memcpy(&second, p + 12, 4);
			near += first - second <= 0.01f;
			wrong += best != expected && first - second > 0.01f;
			sum += divergence(p, kept, of_token, vocabulary);
		}
	}
	ok(sum / n < 1e-8, "%s: mean divergence %g in %u tokens", name, sum / n, n);
	ok(wrong == 0, "%s: %u tokens have another likeliest one; %u near ties", name, wrong, near);
	kv_clear(&kv, &sequence);
	free(logits);
	free(bytes);
}

/* The likeliest text behind a prompt */
static void
says(Language *language, const char *prompt, bool chat, uint32_t max_tokens, const char *expected)
{
	const GenerationOptions options = {.sampler = {.top_p = 1, .repeat_penalty = 1}, .max_tokens = max_tokens, .together = 1};
	const ChatMessage message = {CHAT_USER, prompt, strlen(prompt)};
	Generation *generation = generation_begin(language, &options, &error);
	TokenList	tokens = {0};
	GenerationText text;
	bool		going = true;

	if (!(chat ? language_chat_prompt(language, &message, 1, true, &tokens, &progress, &error) :
		  language_plain_prompt(language, prompt, strlen(prompt), &tokens, &progress, &error)) ||
		!generation_add(generation, tokens.ids, tokens.n, 0, &error))
		diag("%s", error.message);
	while (going && generation_step(generation, &going, &progress, &error))
		;
	text = generation_text(generation, 0);
	ok(text.len == strlen(expected) && memcmp(text.text, expected, text.len) == 0, "\"%s\" is followed by \"%.*s\"", prompt, (int) text.len, text.text);
	generation_end(generation);
	free(tokens.ids);
}

int
main(void)
{
	Language   *language = open_model(SMOLLM);

	if (language)
	{
		const LanguageInfo *info = language_info(language);

		ok(strcmp(info->architecture, "llama") == 0 && strcmp(info->quantisation, "Q4_1") == 0 && info->parameters == 134515008 &&
		   info->context == 8192 && info->family == CHAT_SMOLLM, "what it is");
		compare("SmolLM2", language, "test/model/fixtures/smollm2.bin");
		says(language, "What is the capital of France?", true, 20, "The capital of France is Paris.");
	}
	language_close(language);

	language = open_model(GEMMA);
	if (language)
	{
		const LanguageInfo *info = language_info(language);

		ok(strcmp(info->architecture, "gemma3") == 0 && info->parameters == 268098176 && info->context == 32768 && !info->has_template, "what it is");
		compare("Gemma 3", language, "test/model/fixtures/gemma3.bin");
		says(language, "The capital of Germany is", false, 1, " the");
	}
	language_close(language);
	return tap_done();
}
