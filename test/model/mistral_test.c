/*-------------------------------------------------------------------------
 *
 * mistral_test.c
 *	  Conversations as tokens: those of Mistral's own library (fixtures/mistral.py), with
 *	  blanks where it has them, and none that a message brings about.
 *
 * link: src/model/bpe.c src/model/chat.c src/model/decoder.c src/model/decoder_gguf.c src/model/experts.c src/model/files.c
 * link: src/model/gguf.c src/model/guide.c src/model/json_machine.c src/model/json_schema.c src/model/kernels.c
 * link: src/model/kernels_avx2.c src/model/kernels_avx512.c src/model/kernels_base.c src/model/kv.c src/model/language.c
 * link: src/model/matrix.c src/model/pretoken.c src/model/quant.c src/model/safetensors.c src/model/sentencepiece.c
 * link: src/model/tokenizer.c src/model/unicode.c src/model/users.c src/model/vocabulary.c src/model/vocabulary_gguf.c
 * link: src/model/weights.c
 * libs: -ljansson -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>

#include "model/language.h"
#include "tokens_file.h"

#define MAX_MESSAGES	8

static int
open_fixture(void *context, const char *name)
{
	char		path[200];

	(void) context;
	snprintf(path, sizeof path, "test/model/fixtures/%s", name);
	return open(path, O_RDONLY);
}

static Language *
open_as(ChatFamily family)
{
	const ModelFiles files = {open_fixture, NULL};
	const LanguageOptions options = {.family = (int) family};
	ModelProgress progress = {0};
	ModelError	error = {0};
	Language   *language = language_open(&files, "mistral.gguf", &options, &progress, &error);

	ok(language != NULL, "a model of %s is opened %s", chat_family_name(family), error.message);
	return language;
}

/* One conversation of the file; are its tokens those that it says? */
static bool
compare(Language *const *languages, const char **at)
{
	const int	version = (*at)[0];
	const size_t n = (size_t) (*at)[1];
	ChatMessage messages[MAX_MESSAGES];
	ModelProgress progress = {0};
	ModelError	error = {0};
	TokenList	tokens = {0};
	uint32_t	expected;
	bool		same;

	*at += 2;
	for (size_t i = 0; i < n; i++)
	{
		messages[i].role = (ChatRole) *(*at)++;
		messages[i].len = take_u32(at);
		messages[i].content = *at;
		*at += messages[i].len;
	}
	expected = take_u32(at);
	same = language_chat_prompt(languages[version == 3], messages, n, true, &tokens, &progress, &error) && tokens.n == expected &&
		memcmp(tokens.ids, *at, expected * sizeof *tokens.ids) == 0;
	*at += expected * sizeof *tokens.ids;
	free(tokens.ids);
	return same;
}

int
main(void)
{
	Language   *languages[] = {open_as(CHAT_MISTRAL_V1), open_as(CHAT_MISTRAL_V3)};
	size_t		len;
	char	   *fixture = read_file("test/model/fixtures/mistral.bin", &len);
	size_t		cases = 0,
				wrong = 0;

	for (const char *at = fixture; languages[0] && languages[1] && at < fixture + len; cases++)
		wrong += !compare(languages, &at);
	ok(cases == 300, "%zu conversations", cases);
	ok(wrong == 0, "%zu have other tokens", wrong);
	free(fixture);
	language_close(languages[0]);
	language_close(languages[1]);
	return tap_done();
}
