/*-------------------------------------------------------------------------
 *
 * generation_test.c
 *	  Texts: the same whatever is generated with them, what they end with, random
 *	  ones; characters that come byte by byte.
 *
 * link: src/model/bpe.c src/model/chat.c src/model/decoder.c src/model/decoder_gguf.c src/model/experts.c src/model/files.c
 * link: src/model/generation.c src/model/gguf.c src/model/guide.c src/model/json_machine.c src/model/json_schema.c
 * link: src/model/kernels.c src/model/kernels_avx2.c src/model/kernels_avx512.c src/model/kernels_base.c src/model/kv.c
 * link: src/model/language.c src/model/matrix.c src/model/pretoken.c src/model/quant.c src/model/safetensors.c
 * link: src/model/sampler.c src/model/sentencepiece.c src/model/tokenizer.c src/model/unicode.c src/model/users.c
 * link: src/model/vocabulary.c src/model/vocabulary_gguf.c src/model/weights.c
 * libs: -ljansson -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <jansson.h>
#include <math.h>

#include "model/generation.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"
#define PROMPTS		20

static ModelProgress progress;
static ModelError error;
static Language *language;
static const GenerationOptions greedy = {.sampler = {.top_p = 1, .repeat_penalty = 1}, .max_tokens = 30, .together = 16};

static int
open_fixture(void *context, const char *name)
{
	char		path[200];

	(void) context;
	snprintf(path, sizeof path, FIXTURES "%s", name);
	return open(path, O_RDONLY);
}

/* The i'th prompt: all begin alike, lengths differ */
static TokenList
prompt(int i)
{
	TokenList	tokens = {0};
	char		text[200];

	snprintf(text, sizeof text, "Read this, and then go on: %.*s %d", i * 3, "one two three four five six seven eight nine ten eleven twelve thirteen", i);
	language_plain_prompt(language, text, strlen(text), &tokens, &progress, &error);
	return tokens;
}

typedef struct Result
{
	char	   *text;
	size_t		len;
	GenerationFinish finish;
	uint32_t	tokens;
	uint32_t	reused;
} Result;

static void
free_results(Result *results)
{
	for (int i = 0; i < PROMPTS; i++)
		free(results[i].text);
}

/* Texts of all prompts; keep: tokens of the first one to be kept before */
static bool
generate(const GenerationOptions *options, size_t keep, Result *results)
{
	Generation *generation = generation_begin(language, options, &error);
	bool		good = generation != NULL;
	bool		going = true;

	memset(results, 0, PROMPTS * sizeof *results);
	for (int i = 0; good && i < PROMPTS; i++)
	{
		TokenList	tokens = prompt(i);

		if (i == 0 && keep > 0)
			good = generation_keep(generation, tokens.ids, keep, &progress, &error);
		good = good && generation_add(generation, tokens.ids, tokens.n, 0, &error);
		free(tokens.ids);
	}
	while (good && going)
		good = generation_step(generation, &going, &progress, &error);
	for (int i = 0; good && i < PROMPTS; i++)
	{
		const GenerationText text = generation_text(generation, (size_t) i);

		results[i] = (Result) {malloc(text.len + 1), text.len, text.finish, text.tokens, text.reused};
		memcpy(results[i].text, text.text ? text.text : "", text.len);
		results[i].text[text.len] = '\0';
	}
	generation_end(generation);
	return good;
}

static int
differences(const Result *a, const Result *b)
{
	int			n = 0;

	for (int i = 0; i < PROMPTS; i++)
		n += a[i].len != b[i].len || memcmp(a[i].text, b[i].text, a[i].len) != 0 || a[i].finish != b[i].finish;
	return n;
}

static void
same_texts(const char *what, const GenerationOptions *options, size_t keep, const Result *expected)
{
	Result		results[PROMPTS];

	if (ok(generate(options, keep, results), "%s %s", what, error.message))
		ok(differences(results, expected) == 0, "%s: the same texts", what);
	if (keep > 0)
		ok(results[1].reused >= keep, "%s: tokens are computed once", what);
	free_results(results);
}

static void
test_together(const Result *expected)
{
	const KvMemory kv = decoder_kv_memory(language_decoder(language), 0);
	GenerationOptions options = greedy;
	Result		results[PROMPTS];

	options.together = 1;
	same_texts("one after the other", &options, 0, expected);
	options.together = 3;
	same_texts("three together", &options, 0, expected);
	same_texts("three together with what is kept", &options, 20, expected);
	options.together = 16;
	same_texts("sixteen together with what is kept", &options, 11, expected);
	options.memory = 7 * kv_page_bytes(&kv);
	same_texts("with little memory", &options, 0, expected);
	options.memory = kv_page_bytes(&kv);
	ok(!generate(&options, 0, results) && error.kind == MODEL_NO_MEMORY, "with too little: %s", error.message);
}

static void
test_stops(const Result *expected)
{
	/* two that are there, the second one earlier; one that never is */
	char		late[4] = {0};
	char		early[3] = {0};
	const char *stops[] = {late, early, "never to be seen"};
	size_t		lengths[] = {3, 2, 16};
	GenerationOptions options = greedy;
	Result		results[PROMPTS];
	int			wrong = 0,
				stopped = 0;

	memcpy(late, expected[3].text + expected[3].len - 8, 3);
	memcpy(early, expected[3].text + 4, 2);
	options.stops = stops;
	options.stop_lengths = lengths;
	options.nstops = 3;
	generate(&options, 0, results);
	for (int i = 0; i < PROMPTS; i++)
	{
		const char *first = strstr(expected[i].text, early);
		const char *other = strstr(expected[i].text, late);

		if (!first || (other && other < first))
			first = other;
		stopped += first != NULL;
		wrong += results[i].len != (first ? (size_t) (first - expected[i].text) : expected[i].len) ||
			memcmp(results[i].text, expected[i].text, results[i].len) != 0 || (first && results[i].finish != GENERATION_STOP);
	}
	ok(wrong == 0 && stopped > 0, "texts end before the first stop string");
	free_results(results);
}

/* What is shown is never taken back, and ends before a stop string begins. */
static void
test_stream(const Result *expected)
{
	char		stop[4] = {0};
	const char *stops[] = {stop};
	size_t		length = 3;
	GenerationOptions options = greedy;
	TokenList	tokens = prompt(5);
	Generation *generation;
	bool		going = true;
	bool		good = true;
	size_t		shown = 0;
	size_t		end;

	memcpy(stop, expected[5].text + expected[5].len / 2, 3);
	end = (size_t) (strstr(expected[5].text, stop) - expected[5].text);
	options.stops = stops;
	options.stop_lengths = &length;
	options.nstops = 1;
	generation = generation_begin(language, &options, &error);
	generation_add(generation, tokens.ids, tokens.n, 0, &error);
	while (going)
	{
		GenerationText text;

		generation_step(generation, &going, &progress, &error);
		text = generation_text(generation, 0);
		good = good && text.len >= shown && text.len <= end && memcmp(text.text, expected[5].text, text.len) == 0;
		shown = text.len;
	}
	ok(good && shown == end, "a text as it comes is never taken back");
	generation_end(generation);
	free(tokens.ids);
}

static void
test_lengths(const Result *expected)
{
	GenerationOptions options = greedy;
	Generation *generation = generation_begin(language, &options, &error);
	int32_t		tokens[600] = {0};
	bool		going;
	int			wrong = 0;

	for (int i = 0; i < PROMPTS; i++)
		wrong += expected[i].finish == GENERATION_LENGTH ? expected[i].tokens != greedy.max_tokens : expected[i].tokens >= greedy.max_tokens;
	ok(wrong == 0, "no text is longer than max_tokens");
	ok(!generation_add(generation, tokens, 0, 0, &error) && error.kind == MODEL_BAD_INPUT, "an empty prompt: %s", error.message);
	ok(!generation_add(generation, tokens, 512, 0, &error) && error.kind == MODEL_TOO_LONG, "a long prompt: %s", error.message);
	for (int i = 0; i < 511; i++)
		tokens[i] = 10 + i % 200;
	ok(generation_add(generation, tokens, 511, 0, &error), "one that fits");
	while (generation_step(generation, &going, &progress, &error) && going)
		;
	ok(generation_text(generation, 0).tokens <= 1 && generation_text(generation, 0).finish != GENERATION_GOING, "... ends with the context");
	generation_end(generation);
}

static void
test_random(const Result *expected)
{
	GenerationOptions options = greedy;
	Result		one[PROMPTS];
	Result		other[PROMPTS];

	options.sampler.temperature = 1;
	options.sampler.seed = 42;
	generate(&options, 0, one);
	same_texts("random texts of the same seed", &options, 20, one);
	options.sampler.seed = 43;
	generate(&options, 0, other);
	ok(differences(one, other) > PROMPTS / 2, "another seed, other texts");
	free_results(other);
	free_results(one);
	options.sampler.top_k = 1;
	same_texts("of the likeliest token alone", &options, 0, expected);
	options.sampler.top_k = 0;
	options.sampler.min_p = 1;
	same_texts("of tokens as likely as the likeliest", &options, 0, expected);
	options.sampler.min_p = 0;
	options.sampler.top_p = 1e-6f;
	same_texts("of the first part of a probability", &options, 0, expected);
}

/* Frequencies of tokens whose probabilities are known, by options that leave some of them */
static void
test_sampler(const char *what, SamplerOptions options, const double *expected)
{
	enum
	{
		N = 300, DRAWS = 40000
	};
	Sampler		sampler;
	SamplerToken room[N];
	int			counts[N] = {0};
	double		worst = 0;

	sampler_init(&sampler, &options, 7);
	for (int i = 0; i < DRAWS; i++)
	{
		float		logits[N];

		/* 0.4, 0.3, 0.2, 0.1 at 100, 50, 200, 250, the others never */
		for (int j = 0; j < N; j++)
			logits[j] = -100;
		logits[100] = logf(0.4f);
		logits[50] = logf(0.3f);
		logits[200] = logf(0.2f);
		logits[250] = logf(0.1f);
		counts[sampler_next(&sampler, logits, N, NULL, 0, room)]++;
	}
	for (int i = 0; i < 4; i++)
		worst = fmax(worst, fabs(counts[(const int[]) {100, 50, 200, 250}[i]] / (double) DRAWS - expected[i]));
	ok(worst < 0.015, "frequencies %s: off by %g", what, worst);
}

static void
test_samplers(void)
{
	const SamplerOptions plain = {.temperature = 1, .top_p = 1, .repeat_penalty = 1, .seed = 5};
	SamplerOptions options = plain;
	float		logits[] = {1, 4, -2, 3};
	const int32_t before[] = {1, 2, 1};
	SamplerToken room[4];
	Sampler		sampler;

	test_sampler("as they are", plain, (const double[]) {0.4, 0.3, 0.2, 0.1});
	options.temperature = 0.5f;
	test_sampler("of half the temperature", options, (const double[]) {16 / 30.0, 9 / 30.0, 4 / 30.0, 1 / 30.0});
	options = plain;
	options.top_k = 2;
	test_sampler("of two", options, (const double[]) {4 / 7.0, 3 / 7.0, 0, 0});
	options = plain;
	options.top_p = 0.75f;
	test_sampler("of three quarters", options, (const double[]) {4 / 9.0, 3 / 9.0, 2 / 9.0, 0});
	options = plain;
	options.min_p = 0.6f;
	test_sampler("of six tenths of the likeliest", options, (const double[]) {4 / 7.0, 3 / 7.0, 0, 0});

	options = (SamplerOptions) {.top_p = 1, .repeat_penalty = 2};
	sampler_init(&sampler, &options, 0);
	ok(sampler_next(&sampler, logits, 4, before, 3, room) == 3 && logits[1] == 2 && logits[2] == -4, "a token that was there counts less, once");
	for (int i = 0; i < 4; i++)
		logits[i] = NAN;
	options = plain;
	options.top_p = 0.5f;
	options.top_k = 2;
	sampler_init(&sampler, &options, 0);
	ok(sampler_next(&sampler, logits, 4, NULL, 0, room) < 4, "what is no number chooses something");
}

/* ------------------------------------------------------------------------
 * Characters
 * ------------------------------------------------------------------------
 */

/* Bytes one by one, by the vocabulary's tokens of them */
static void
text_is(const char *what, const char *bytes, size_t len, const char *expected)
{
	const Tokenizer *tokenizer = language_tokenizer(language);
	TokenizerText waiting = {0};
	char		to[200];
	size_t		n = 0;
	bool		whole = true;

	for (size_t i = 0; i < len; i++)
	{
		int32_t		id = 0;
		uint32_t	size;
		int			is = 0;

		while (tokenizer_is_control(tokenizer, id) || *tokenizer_piece(tokenizer, id, &size) != bytes[i] || size != 1)
			id++;
		n += tokenizer_text(tokenizer, &waiting, id, to + n);
		for (size_t at = 0; at < n; at += (size_t) is)
		{
			is = (uint8_t) to[at] < 0x80 ? 1 : (uint8_t) to[at] < 0xE0 ? 2 : (uint8_t) to[at] < 0xF0 ? 3 : 4;
			whole = whole && at + (size_t) is <= n;
		}
	}
	n += tokenizer_text(tokenizer, &waiting, 0, to + n);	/* <|endoftext|> */
	n += tokenizer_text(tokenizer, &waiting, -1, to + n);
	ok(whole && n == strlen(expected) && memcmp(to, expected, n) == 0, "%s", what);
}

static void
test_characters(void)
{
#define TEXT(bytes, expected) text_is(#bytes " is " #expected, bytes, sizeof(bytes) - 1, expected)
#define R	"\357\277\275"
	TEXT("abc", "abc");
	TEXT("\303\251\346\227\245\360\237\231\202", "\303\251\346\227\245\360\237\231\202");
	TEXT("a\303", "a" R);
	TEXT("\303" "a", R "a");
	TEXT("\346\227" "a", R "a");
	TEXT("\360\237\231" "\303\251", R "\303\251");
	TEXT("\200\277", R R);
	TEXT("\300\257", R R);
	TEXT("\355\240\200", R);
	TEXT("\364\220\200\200", R);
	TEXT("\377a", R "a");
	TEXT("a\0b", "ab");
}

static void
test_prompts(void)
{
	const ChatMessage messages[] = {{CHAT_USER, "a<|im_end|>", 11}};
	TokenList	tokens = {0};
	size_t		ends = 0;

	language_chat_prompt(language, messages, 1, true, &tokens, &progress, &error);
	for (size_t i = 0; i < tokens.n; i++)
		ends += tokens.ids[i] == 2;
	ok(ends == 1 && tokens.ids[0] == 1, "a message cannot end itself");
	free(tokens.ids);
	ok(strcmp(language_info(language)->architecture, "llama") == 0 && language_info(language)->family == CHAT_CHATML &&
	   language_info(language)->context == 512, "what the model is");
}

static void
test_opening(void)
{
	const ModelFiles files = {open_fixture, NULL};
	LanguageOptions options = {.family = -1, .context = 513};
	const ChatMessage message = {CHAT_USER, "a", 1};
	TokenList	tokens = {0};

	ok(!language_open(&files, "nothing.gguf", &options, &progress, &error) && error.kind == MODEL_IO, "no file: %s", error.message);
	ok(!language_open(&files, "decoder_llama.gguf", &options, &progress, &error) && error.kind == MODEL_BAD_INPUT, "a long context: %s", error.message);
	ok(!language_open(&files, "encoder.bin", &options, &progress, &error) && error.kind == MODEL_CORRUPT, "another file: %s", error.message);
	options.context = 0;
	options.family = CHAT_GEMMA;
	language = language_open(&files, "decoder_llama.gguf", &options, &progress, &error);
	ok(language && !language_chat_prompt(language, &message, 1, true, &tokens, &progress, &error) &&
	   error.kind == MODEL_UNSUPPORTED, "a template of another vocabulary: %s", error.message);
	free(tokens.ids);
	language_close(language);
	options.family = -1;
	language = language_open(&files, "decoder_llama.gguf", &options, &progress, &error);
	ok(language != NULL, "a model is opened %s", error.message);
}

/* ------------------------------------------------------------------------
 * Values of a JSON schema
 * ------------------------------------------------------------------------
 */

#define SCHEMA	"{\"type\": \"object\", \"properties\": {\"title\": {\"type\": \"string\", \"maxLength\": 12}, \"n\": {\"type\": \"integer\"}, " \
	"\"kind\": {\"enum\": [\"bug\", \"question\"]}}, \"required\": [\"title\", \"n\", \"kind\"]}"

/* The mask says of each token what is said of it alone; returns places where it does not. */
static int
compare_masks(const JsonSchema *schema, const char *written)
{
	const Tokenizer *tokenizer = language_tokenizer(language);
	const uint32_t n = tokenizer_ntokens(tokenizer);
	const GuideVocabulary *vocabulary = language_vocabulary(language, &error);
	Guide	   *guide = guide_open(vocabulary, schema, &error);
	GuideText  *text = guide_text_open(guide, &error);
	float	   *logits = malloc(n * sizeof *logits);
	TokenList	tokens = {0};
	int			wrong = 0;

	tokenizer_encode(language_tokenizer(language), written, strlen(written), &tokens, &progress, &error);
	for (size_t i = 0; i <= tokens.n; i++)
	{
		memset(logits, 0, n * sizeof *logits);
		if (!guide_mask(text, logits, n, &error))
			wrong++;
		for (uint32_t id = 0; id < n; id++)
		{
			bool		allowed;

			if (!guide_allows(text, (int32_t) id, &allowed, &error) || allowed != (logits[id] == 0))
				wrong++;
		}
		if (i < tokens.n && (logits[tokens.ids[i]] != 0 || !guide_go_on(text, tokens.ids[i], &error)))
			wrong++;
	}
	wrong += !guide_is_complete(text) + !guide_is_at_end(text);
	free(tokens.ids);
	free(logits);
	guide_text_close(text);
	guide_close(guide);
	return wrong;
}

static void
test_schema(void)
{
	JsonSchema *schema = json_schema_open(SCHEMA, strlen(SCHEMA), &error);
	GenerationOptions options = greedy;
	Result		alone[PROMPTS];
	Result		together[PROMPTS];
	int			values = 0;
	int			different = 0;

	ok(compare_masks(schema, "{\"title\": \"what \\u00e9 \303\251\", \"n\": -12,\n  \"kind\":\"question\"}") == 0, "masks are what tokens are alone: %s", error.message);
	options.schema = schema;
	options.max_tokens = 450;
	options.together = 1;
	ok(generate(&options, 0, alone), "values %s", error.message);
	options.together = 7;
	ok(generate(&options, 0, together), "values together %s", error.message);
	for (int i = 0; i < PROMPTS; i++)
	{
		json_error_t wrong;
		json_t	   *json = json_loadb(alone[i].text, alone[i].len, 0, &wrong);
		const char *kind = json_string_value(json_object_get(json, "kind"));

		values += alone[i].finish == GENERATION_STOP && json_object_size(json) == 3 && json_is_string(json_object_get(json, "title")) &&
			json_is_integer(json_object_get(json, "n")) && kind && (strcmp(kind, "bug") == 0 || strcmp(kind, "question") == 0);
		json_decref(json);
		different += alone[i].len != together[i].len || memcmp(alone[i].text, together[i].text, alone[i].len) != 0;
	}
	ok(values == PROMPTS, "%d of %d are values", values, PROMPTS);
	ok(different == 0, "%d are others when they are written together", different);
	free_results(alone);
	free_results(together);

	options.sampler = (SamplerOptions) {1.5f, 0, 0.95f, 0, 1.1f, 7};
	ok(generate(&options, 0, alone), "random values %s", error.message);
	values = 0;
	for (int i = 0; i < PROMPTS; i++)
	{
		json_error_t wrong;
		json_t	   *json = json_loadb(alone[i].text, alone[i].len, 0, &wrong);

		values += json_object_size(json) == 3;
		json_decref(json);
	}
	ok(values == PROMPTS, "%d of %d random ones are values", values, PROMPTS);
	free_results(alone);
	options = greedy;
	options.schema = schema;
	options.max_tokens = 5;
	ok(generate(&options, 0, alone) && alone[0].finish == GENERATION_LENGTH, "a value that is not complete");
	free_results(alone);
	json_schema_close(schema);
}

/* ------------------------------------------------------------------------
 * Answers that are given
 * ------------------------------------------------------------------------
 */

static TokenList
answer(const char *text)
{
	TokenList	tokens = {0};

	tokenizer_encode(language_tokenizer(language), text, strlen(text), &tokens, &progress, &error);
	return tokens;
}

/* Logarithms of probabilities of all tokens behind some */
static double *
next_tokens(const TokenList *tokens)
{
	const Decoder *decoder = language_decoder(language);
	const uint32_t n = decoder_config_of(decoder)->vocabulary;
	float	   *logits = malloc(decoder_logits_step(decoder) * sizeof *logits);
	double	   *logs = malloc(n * sizeof *logs);
	KvMemory	kv = decoder_kv_memory(decoder, 0);
	KvSequence	sequence = {0};
	DecoderRun	run = {&sequence, tokens->ids, (uint32_t) tokens->n, 1};
	double		sum = 0;

	decoder_run(decoder, language_kernels(language), &kv, &run, 1, logits, &progress, &error);
	for (uint32_t i = 0; i < n; i++)
		sum += exp(logits[i]);
	for (uint32_t i = 0; i < n; i++)
		logs[i] = logits[i] - log(sum);
	kv_clear(&kv, &sequence);
	free(logits);
	return logs;
}

static void
test_scores(void)
{
	const TokenList answers[] = {answer("a"), answer("one two three four"), answer("nothing at all, and then some"), answer("one two")};
	const TokenList *given[] = {&answers[0], &answers[1], &answers[2], &answers[3]};
	TokenList	begins = prompt(3);
	Generation *generation = generation_begin(language, &greedy, &error);
	double		scores[4] = {0};
	double		again[4] = {0};
	double		parts[4] = {0};
	double		worst = 0;

	ok(generation_score(generation, begins.ids, begins.n, given, 4, true, scores, &progress, &error), "scores %s", error.message);
	ok(generation_keep(generation, begins.ids, begins.n - 3, &progress, &error) &&
	   generation_score(generation, begins.ids, begins.n, given, 4, true, again, &progress, &error) && memcmp(scores, again, sizeof scores) == 0,
	   "behind a beginning that was kept they are the same");
	ok(generation_score(generation, begins.ids, begins.n, given + 2, 1, true, &again[2], &progress, &error) && again[2] == scores[2], "... and alone");
	ok(generation_score(generation, begins.ids, begins.n, given, 4, false, parts, &progress, &error), "... without an end");
	for (int i = 0; i < 4; i++)
	{
		TokenList	all = prompt(3);
		double		expected = 0;
		double		end = 0;

		for (size_t j = 0; j <= answers[i].n; j++)
		{
			double	   *logs = next_tokens(&all);

			if (j < answers[i].n)
			{
				expected += logs[answers[i].ids[j]];
				tokens_room(&all, 1, &error);
				all.ids[all.n++] = answers[i].ids[j];
			}
			else
				for (uint32_t id = 0; id < tokenizer_ntokens(language_tokenizer(language)); id++)
					if (tokenizer_ends(language_tokenizer(language), (int32_t) id))
						end += exp(logs[id]);
			free(logs);
		}
		worst = fmax(worst, fmax(fabs(parts[i] - expected), fabs(scores[i] - expected - log(end))));
		free(all.ids);
	}
	ok(worst < 1e-6, "they are what tokens one by one say, within %g", worst);
	ok(!generation_score(generation, begins.ids, decoder_config_of(language_decoder(language))->context, given, 1, true, scores, &progress, &error) &&
	   error.kind == MODEL_TOO_LONG, "a prompt that leaves no room");
	generation_end(generation);
	free(begins.ids);
	for (int i = 0; i < 4; i++)
		free(answers[i].ids);
}

int
main(void)
{
	Result		expected[PROMPTS];

	test_opening();
	if (!language)
		return tap_done();
	test_prompts();
	ok(generate(&greedy, 0, expected), "texts %s", error.message);
	test_together(expected);
	test_stops(expected);
	test_stream(expected);
	test_lengths(expected);
	test_random(expected);
	test_schema();
	test_scores();
	test_samplers();
	test_characters();
	free_results(expected);
	language_close(language);
	return tap_done();
}
