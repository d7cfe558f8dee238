/*-------------------------------------------------------------------------
 *
 * sentencepiece_test.c
 *	  SentencePiece: the tokens of the library of that name
 *	  (fixtures/sentencepiece_bpe.py).
 *
 *    sentencepiece_test [MODEL.gguf TEXTS]     ... of another vocabulary
 *
 * link: src/model/gguf.c src/model/pretoken.c src/model/quant.c src/model/sentencepiece.c src/model/unicode.c src/model/users.c
 * link: src/model/vocabulary.c src/model/vocabulary_gguf.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>

#include "model/sentencepiece.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"

static bool
encode(void *tokenizer, const char *text, size_t len, TokenList *out, ModelError *error)
{
	return sentencepiece_encode(tokenizer, text, len, true, out, NULL, NULL, error);
}

/* Do the tokens of a text say it? */
static bool
says(Sentencepiece *sp, const char *text, size_t len)
{
	TokenList	tokens = {0};
	ModelError	error = {0};
	size_t		at = 0;
	bool		same = sentencepiece_encode(sp, text, len, true, &tokens, NULL, NULL, &error);

	for (size_t i = 0; same && i < tokens.n; i++)
	{
		uint32_t	size;
		const char *piece = sentencepiece_piece(sp, tokens.ids[i], &size);

		same = size <= len - at && memcmp(piece, text + at, size) == 0;
		at += size;
	}
	free(tokens.ids);
	return same && at == len;
}

static bool
cancelled(void *context)
{
	return ++*(int *) context > 1;
}

static void
test_long(Sentencepiece *sp, const char *what, const char *unit)
{
	const size_t size = strlen(unit);
	const size_t len = size * (300000 / size);
	char	   *text = malloc(len);
	TokenList	tokens = {0};
	ModelError	error = {0};
	int			asked = 0;

	for (size_t i = 0; i < len; i++)
		text[i] = unit[i % size];
	ok(says(sp, text, len), "%s are tokens that say them", what);
	ok(!sentencepiece_encode(sp, text, len, true, &tokens, cancelled, &asked, &error) && error.kind == MODEL_CANCELLED && asked == 2, "... and are cancelled");
	free(text);
	free(tokens.ids);
}

/* Tokens of a short text, and of a byte that is no character */
static void
test_bytes(Sentencepiece *sp)
{
	TokenList	bad = {0};
	TokenList	good = {0};
	ModelError	error = {0};

	ok(sentencepiece_encode(sp, "a\377b", 3, true, &bad, NULL, NULL, &error) && sentencepiece_encode(sp, "a\357\277\275b", 5, true, &good, NULL, NULL, &error) &&
	   bad.n == good.n && memcmp(bad.ids, good.ids, bad.n * sizeof *bad.ids) == 0, "a byte that is no character is U+FFFD");
	bad.n = 0;
	ok(sentencepiece_encode(sp, "", 0, true, &bad, NULL, NULL, &error) && bad.n == 0, "no text has no tokens");
	free(bad.ids);
	free(good.ids);
}

int
main(int argc, char **argv)
{
	const char *file = argc > 2 ? argv[1] : FIXTURES "sentencepiece.gguf";
	ModelError	error = {0};
	Gguf	   *gguf = gguf_open(open(file, O_RDONLY), "model.gguf", NULL, NULL, &error);
	Vocabulary	vocabulary = {0};
	Sentencepiece *sp = gguf && vocabulary_of_gguf(gguf, &vocabulary, &error) ? sentencepiece_open(&vocabulary, &error) : NULL;

	vocabulary_free(&vocabulary);
	if (!ok(sp != NULL, "the vocabulary is read %s", error.message))
		return tap_done();
	compare_tokens(argc > 2 ? argv[2] : FIXTURES "sentencepiece.bin", encode, sp);
	test_long(sp, "many words", "ab c ");
	test_long(sp, "one long word", "zqza");
	test_long(sp, "blanks", " ");
	test_bytes(sp);
	sentencepiece_close(sp);
	gguf_close(gguf);
	return tap_done();
}
