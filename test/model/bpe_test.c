/*-------------------------------------------------------------------------
 *
 * bpe_test.c
 *	  Byte-level BPE: the tokens of the library tokenizers (fixtures/vocabulary.py).
 *
 * link: src/model/bpe.c src/model/gguf.c src/model/pretoken.c src/model/quant.c src/model/unicode.c
 * link: src/model/vocabulary.c src/model/vocabulary_gguf.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>

#include "gguf_file.h"
#include "model/bpe.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"

static bool
encode(void *tokenizer, const char *text, size_t len, TokenList *out, ModelError *error)
{
	return bpe_encode(tokenizer, text, len, out, NULL, NULL, error);
}

static Bpe *
open_bpe(const Gguf *gguf, ModelError *error)
{
	Vocabulary	vocabulary;
	Bpe		   *bpe = vocabulary_of_gguf(gguf, &vocabulary, error) ? bpe_open(&vocabulary, error) : NULL;

	vocabulary_free(&vocabulary);
	return bpe;
}

static bool
cancelled(void *context)
{
	return ++*(int *) context > 1;
}

/* What bytes a text's tokens stand for are the text, less those that no token has */
static void
test_round_trip(Bpe *bpe)
{
	static const char text[] = "hello  World\n 123 \303\251t\303\251 \346\227\245";
	TokenList	tokens = {0};
	ModelError	error;
	char		back[200];
	size_t		n = 0;

	if (bpe_encode(bpe, text, strlen(text), &tokens, NULL, NULL, &error))
		for (size_t i = 0; i < tokens.n; i++)
		{
			uint32_t	len;
			const char *piece = bpe_piece(bpe, tokens.ids[i], &len);

			memcpy(back + n, piece, len);
			n += len;
		}
	ok(n == strlen(text) && memcmp(back, text, n) == 0, "there and back");
	ok(!bpe_piece(bpe, -1, &(uint32_t) {0}) && !bpe_piece(bpe, (int32_t) bpe_ntokens(bpe), &(uint32_t) {0}), "what is no token has no bytes");
	free(tokens.ids);
}

static void
test_cancel(Bpe *bpe)
{
	const size_t len = 3000000;
	char	   *text = malloc(len);
	TokenList	tokens = {0};
	ModelError	error;
	int			asked = 0;

	for (size_t i = 0; i < len; i++)
		text[i] = (char) ('a' + i * i % 26);
	ok(!bpe_encode(bpe, text, len, &tokens, cancelled, &asked, &error) && error.kind == MODEL_CANCELLED && asked == 2, "one long word is cancelled");
	for (size_t i = 5; i < len; i += 6)
		text[i] = ' ';
	asked = 0;
	ok(!bpe_encode(bpe, text, len, &tokens, cancelled, &asked, &error) && error.kind == MODEL_CANCELLED && asked == 2, "many words are cancelled");
	free(text);
	free(tokens.ids);
}

/* A vocabulary with one thing wrong: how many types there are, how the texts are cut, a merge */
static void
refused(const char *what, ModelErrorKind kind, const char *pre, int ntypes, const char *merge)
{
	GgufBytes	out = {0};
	ModelError	error = {0};
	Gguf	   *gguf;
	Bpe		   *bpe;

	put_head(&out, 3, 0, 5);
	put_key(&out, "tokenizer.ggml.model", GGUF_STRING);
	put_string(&out, "gpt2");
	put_key(&out, "tokenizer.ggml.pre", GGUF_STRING);
	put_string(&out, pre);
	put_key(&out, "tokenizer.ggml.tokens", GGUF_ARRAY);
	put_uint(&out, GGUF_STRING, 4);
	put_uint(&out, 3, 8);
	put_string(&out, "a");
	put_string(&out, "b");
	put_string(&out, "ab");
	put_key(&out, "tokenizer.ggml.token_type", GGUF_ARRAY);
	put_uint(&out, GGUF_INT32, 4);
	put_uint(&out, (uint64_t) ntypes, 8);
	for (int i = 0; i < ntypes; i++)
		put_uint(&out, 1, 4);
	put_key(&out, "tokenizer.ggml.merges", GGUF_ARRAY);
	put_uint(&out, GGUF_STRING, 4);
	put_uint(&out, 1, 8);
	put_string(&out, merge);
	gguf = gguf_open(file_of(out.bytes, out.len), "test.gguf", NULL, NULL, &error);
	bpe = gguf ? open_bpe(gguf, &error) : NULL;
	ok(kind == MODEL_OK ? bpe != NULL : !bpe && error.kind == kind, "%s: %s", what, error.message);
	bpe_close(bpe);
	gguf_close(gguf);
	free(out.bytes);
}

int
main(void)
{
	ModelError	error = {0};
	Gguf	   *gguf = gguf_open(open(FIXTURES "bpe.gguf", O_RDONLY), "bpe.gguf", NULL, NULL, &error);
	Bpe		   *bpe = gguf ? open_bpe(gguf, &error) : NULL;

	if (ok(bpe != NULL, "the vocabulary is read %s", error.message))
	{
		compare_tokens(FIXTURES "bpe.bin", encode, bpe);
		test_round_trip(bpe);
		test_cancel(bpe);
	}
	bpe_close(bpe);
	gguf_close(gguf);
	refused("nothing wrong", MODEL_OK, "gpt-2", 3, "a b");
	refused("another way to cut texts", MODEL_UNSUPPORTED, "chameleon", 3, "a b");
	refused("fewer types than tokens", MODEL_CORRUPT, "gpt-2", 2, "a b");
	refused("a merge of one token", MODEL_CORRUPT, "gpt-2", 3, "ab");
	refused("a merge of nothing", MODEL_CORRUPT, "gpt-2", 3, "a ");
	refused("a merge of a token that is not there", MODEL_CORRUPT, "gpt-2", 3, "a c");
	refused("a merge into a token that is not there", MODEL_CORRUPT, "gpt-2", 3, "b a");
	refused("a merge of no bytes", MODEL_CORRUPT, "gpt-2", 3, "\346\227\245 a");
	return tap_done();
}
