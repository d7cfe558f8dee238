/*-------------------------------------------------------------------------
 *
 * tokenizer_json_test.c
 *	  Tokenizers from tokenizer.json: the tokens of the library tokenizers of the same
 *	  files (fixtures/tokenizer_json.py); files that are not sound, or say what is
 *	  not known.
 *
 * link: src/model/bpe.c src/model/files.c src/model/gguf.c src/model/json_file.c src/model/pretoken.c src/model/quant.c
 * link: src/model/sentencepiece.c src/model/tokenizer.c src/model/unicode.c src/model/users.c
 * link: src/model/vocabulary.c src/model/vocabulary_json.c
 * libs: -ljansson -lutf8proc
 *-------------------------------------------------------------------------
 */
#include "files_of.h"
#include "model/tokenizer.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"
#define KINDS		9

static const char *const names[KINDS] = {"gpt2", "smollm2", "llama3", "qwen2", "nemo", "llama2", "mistral", "gemma", "plain"};
static const int mistral = 6;

static char *
read_tokenizer(const char *name, size_t *len)
{
	char		path[200];

	snprintf(path, sizeof path, FIXTURES "tokenizer_json/%s.json", name);
	return read_file(path, len);
}

/* json: the content of tokenizer.json; config: of tokenizer_config.json, generation: of generation_config.json, or NULL */
static Tokenizer *
open_tokenizer(const char *json, size_t len, const char *config, const char *generation, ModelError *error)
{
	const MemoryFile all[] = {
		{"tokenizer.json", json, len},
		{config ? "tokenizer_config.json" : "-", config, config ? strlen(config) : 0},
		{generation ? "generation_config.json" : "-", generation, generation ? strlen(generation) : 0},
		{NULL, NULL, 0},
	};
	const ModelFiles files = files_of(all);
	Vocabulary	vocabulary;
	Tokenizer  *tokenizer = vocabulary_of_files(&files, &vocabulary, error) ? tokenizer_open(&vocabulary, error) : NULL;

	vocabulary_free(&vocabulary);
	return tokenizer;
}

/* Are these the tokens that the fixture has next? */
static bool
same_tokens(const char **p, const TokenList *tokens)
{
	const uint32_t n = take_u32(p);
	bool		same = n == tokens->n;

	for (uint32_t i = 0; i < n; i++, *p += 2)
	{
		uint16_t	id;

		memcpy(&id, *p, 2);
		same = same && tokens->ids[i] == id;
	}
	return same;
}

static void
test_tokens(void)
{
	Tokenizer  *tokenizers[KINDS];
	uint32_t	wrong[KINDS + 1] = {0};
	uint32_t	ntexts = 0;
	uint32_t	nbehind = 0;
	size_t		len;
	char	   *bytes = read_file(FIXTURES "tokenizer_json.bin", &len);
	ModelProgress progress = {0};

	if (!ok(bytes != NULL, "tokenizer_json.bin can be read"))
		return;
	for (int k = 0; k < KINDS; k++)
	{
		size_t		size;
		char	   *json = read_tokenizer(names[k], &size);
		ModelError	error = {0};

		tokenizers[k] = json ? open_tokenizer(json, size, NULL, NULL, &error) : NULL;
		free(json);
		if (!ok(tokenizers[k] != NULL, "%s is opened %s", names[k], error.message))
			return;
	}
	for (const char *p = bytes; p < bytes + len; ntexts++)
	{
		const uint32_t size = take_u32(&p);
		char	   *text = memcpy(malloc(size ? size : 1), p, size);	/* in memory of just its length */
		ModelError	error = {0};

		p += size;
		for (int k = 0; k <= KINDS; k++)
		{
			TokenList	tokens = {0};

			if (k == KINDS && memcmp(p, "\377\377\377\377", 4) == 0)
			{
				p += 4;
				continue;
			}
			nbehind += k == KINDS;
			if (!(k == KINDS ? tokenizer_encode_behind : tokenizer_encode) (tokenizers[k == KINDS ? mistral : k], text, size, &tokens, &progress, &error))
				diag("%s", error.message);
			if (!same_tokens(&p, &tokens) && wrong[k]++ == 0)
				diag("%s: \"%.*s\" has other tokens", k == KINDS ? "behind" : names[k], (int) size, text);
			free(tokens.ids);
		}
		free(text);
	}
	for (int k = 0; k < KINDS; k++)
		ok(wrong[k] == 0 && ntexts == 1000, "%s: %u of %u texts have other tokens", names[k], wrong[k], ntexts);
	ok(wrong[KINDS] == 0 && nbehind > 300, "mistral, behind a control token: %u of %u texts have other tokens", wrong[KINDS], nbehind);
	for (int k = 0; k < KINDS; k++)
		tokenizer_close(tokenizers[k]);
	free(bytes);
}

/* Which token a text begins with, which ones end it */
static void
test_begin_and_end(void)
{
	size_t		len;
	char	   *json = read_tokenizer("llama3", &len);
	ModelError	error = {0};
	Tokenizer  *tokenizer = open_tokenizer(json, len, NULL, NULL, &error);
	int32_t		begin,
				end,
				eot;

	if (!ok(tokenizer != NULL, "llama3 %s", error.message))
		return;
	begin = tokenizer_control(tokenizer, "<|begin_of_text|>");
	end = tokenizer_control(tokenizer, "<|end_of_text|>");
	eot = tokenizer_control(tokenizer, "<|eot_id|>");
	ok(begin > 0 && tokenizer_is_control(tokenizer, begin), "a special token is a control token");
	ok(tokenizer_bos(tokenizer) == begin && tokenizer_adds_bos(tokenizer), "the template says what a text begins with");
	ok(tokenizer_ends(tokenizer, eot) && !tokenizer_ends(tokenizer, begin), "a turn's end ends a text");
	tokenizer_close(tokenizer);
	tokenizer = open_tokenizer(json, len, "{\"bos_token\": {\"content\": \"<|end_of_text|>\"}, \"eos_token\": \"the\", \"add_bos_token\": false}",
							   "{\"eos_token_id\": [1, 2, 1000000, -1, \"x\"], \"bos_token_id\": 3}", &error);
	ok(tokenizer && tokenizer_bos(tokenizer) == end && !tokenizer_adds_bos(tokenizer), "tokenizer_config.json says otherwise");
	ok(tokenizer && tokenizer_ends(tokenizer, 1) && tokenizer_ends(tokenizer, 2) && !tokenizer_ends(tokenizer, 3), "generation_config.json says what ends a text");
	tokenizer_close(tokenizer);
	free(json);
}

/* The file of 'name' with the first 'from' replaced */
static void
changed(const char *name, const char *from, const char *to, ModelErrorKind kind)
{
	size_t		len;
	char	   *json = read_tokenizer(name, &len);
	char	   *at = strstr(json, from);
	char	   *other = malloc(len + strlen(to) + 1);
	ModelError	error = {0};
	Tokenizer  *tokenizer;

	if (ok(at != NULL, "%s has %s", name, from))
	{
		const size_t before = (size_t) (at - json);

		memcpy(other, json, before);
		strcpy(other + before, to);
		strcat(other, at + strlen(from));
		tokenizer = open_tokenizer(other, strlen(other), NULL, NULL, &error);
		ok(kind == MODEL_OK ? tokenizer != NULL : !tokenizer && error.kind == kind, "%s in place of it: %s", to, error.message);
		tokenizer_close(tokenizer);
	}
	free(json);
	free(other);
}

static void
test_changed(void)
{
	changed("llama3", "\\\\p{N}{1,3}", "\\\\p{N}{1,4}", MODEL_UNSUPPORTED);
	changed("llama3", "Isolated", "Contiguous", MODEL_UNSUPPORTED);
	changed("llama3", "\"Isolated\",\"invert\":false", "\"Removed\",\"invert\":true", MODEL_OK);
	changed("llama3", "\"invert\":false", "\"invert\":true", MODEL_UNSUPPORTED);
	changed("llama3", "\"type\":\"BPE\"", "\"type\":\"Unigram\"", MODEL_UNSUPPORTED);
	changed("llama3", "\"add_prefix_space\":false", "\"add_prefix_space\":true", MODEL_UNSUPPORTED);
	changed("llama3", "\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"##\"", MODEL_UNSUPPORTED);
	changed("llama3", "\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"\"", MODEL_OK);
	changed("llama3", "\"dropout\":null", "\"dropout\":0.1", MODEL_UNSUPPORTED);
	changed("llama3", "\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", MODEL_UNSUPPORTED);
	changed("llama3", "\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[]}", MODEL_OK);
	changed("qwen2", "{\"type\":\"NFC\"}", "{\"type\":\"NFKC\"}", MODEL_UNSUPPORTED);
	changed("qwen2", "{\"type\":\"NFC\"}", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}", MODEL_OK);
	changed("qwen2", "\"normalized\":false,\"special\":false", "\"normalized\":true,\"special\":false", MODEL_UNSUPPORTED);
	changed("qwen2", "\"rstrip\":false,\"normalized\":false,\"special\":false", "\"rstrip\":true,\"normalized\":false,\"special\":false", MODEL_UNSUPPORTED);
	changed("smollm2", "\"individual_digits\":true", "\"individual_digits\":false", MODEL_UNSUPPORTED);
	changed("smollm2", "\"type\":\"Digits\"", "\"type\":\"Punctuation\"", MODEL_UNSUPPORTED);
	changed("llama2", "\"prepend\":\"\342\226\201\"", "\"prepend\":\"_\"", MODEL_UNSUPPORTED);
	changed("llama2", "\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"Whitespace\"}", MODEL_UNSUPPORTED);
	changed("llama2", "\"ignore_merges\":false", "\"ignore_merges\":true", MODEL_UNSUPPORTED);
	changed("mistral", "\"replacement\":\"\342\226\201\"", "\"replacement\":\"_\"", MODEL_UNSUPPORTED);
	changed("mistral", "\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}", MODEL_UNSUPPORTED);

	changed("llama2", "\"<unk>\":0", "\"<unk>\":1", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"<unk>\":999999999", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"<unk>\":99999999999999999999", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"<unk>\":-1", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"<unk>\":\"0\"", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"\\ud800\":0", MODEL_CORRUPT);
	changed("llama2", "\"<unk>\":0", "\"\\x\":0", MODEL_CORRUPT);
	changed("llama2", "\"id\":0", "\"id\":2000000000", MODEL_CORRUPT);
	changed("llama2", "\"id\":0", "\"id\":5", MODEL_CORRUPT);
	changed("llama2", "\"merges\":[", "\"merges\":[\"abc\",", MODEL_CORRUPT);
	changed("llama2", "\"merges\":[", "\"merges\":[\"a b c\",", MODEL_CORRUPT);
	changed("mistral", "\"merges\":[", "\"merges\":[[\"a\"],", MODEL_CORRUPT);
	changed("mistral", "\"merges\":[", "\"merges\":[[\"\",\"b\"],", MODEL_CORRUPT);
	changed("mistral", "\"merges\":[", "\"merges\":[[\"a\",\"b\",\"c\"],", MODEL_CORRUPT);
	changed("mistral", "\"merges\":[", "\"merges\":[],\"merges\":[", MODEL_CORRUPT);
	changed("mistral", "\"vocab\":{", "\"others\":{", MODEL_UNSUPPORTED);
	changed("mistral", "\"version\":", "\"model\":{\"vocab\":{},\"merges\":[]},\"version\":", MODEL_CORRUPT);
	changed("mistral", "\"version\":", "\"version\":1,\"version\":", MODEL_CORRUPT);
}

/* Files that are cut short are refused; a byte that is another one is, or not. */
static void
test_damaged(void)
{
	size_t		len;
	char	   *json = read_tokenizer("mistral", &len);
	ModelProgress progress = {0};
	uint32_t	wrong = 0;

	while (len > 0 && json[len - 1] == '\n')
		len--;
	for (size_t cut = 0; cut < len; cut += cut < 3000 || len - cut < 300 ? 1 : 53)
	{
		char	   *exact = memcpy(malloc(cut + 1), json, cut);
		ModelError	error = {0};
		Tokenizer  *tokenizer = open_tokenizer(exact, cut, NULL, NULL, &error);

		wrong += tokenizer || error.kind == MODEL_OK;
		tokenizer_close(tokenizer);
		free(exact);
	}
	ok(wrong == 0, "a file that is cut short is refused");
	wrong = 0;
	for (size_t at = 0; at < len; at += at < 3000 || len - at < 300 ? 1 : 29)
	{
		char	   *other = memcpy(malloc(len), json, len);
		ModelError	error = {0};
		Tokenizer  *tokenizer;

		other[at] = "\"{}[],:\\0\0 \377x"[at % 13];
		tokenizer = open_tokenizer(other, len, NULL, NULL, &error);
		if (tokenizer)
		{
			TokenList	tokens = {0};

			wrong += !tokenizer_encode(tokenizer, "The selection <table> is\n\n2024  x", 33, &tokens, &progress, &error);
			free(tokens.ids);
		}
		else
			wrong += error.kind == MODEL_OK;
		tokenizer_close(tokenizer);
		free(other);
	}
	ok(wrong == 0, "a file with another byte is refused, or read");
	free(json);
}

int
main(void)
{
	test_tokens();
	test_begin_and_end();
	test_changed();
	test_damaged();
	return tap_done();
}
