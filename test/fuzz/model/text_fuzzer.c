/*-------------------------------------------------------------------------
 *
 * text_fuzzer.c
 *	  Texts of any bytes through all tokenizers; the tokens of byte pairs, and of
 *	  SentencePiece where it is UTF-8, are the text again.
 *
 * link: src/model/bpe.c src/model/gguf.c src/model/pretoken.c src/model/quant.c src/model/sentencepiece.c src/model/unicode.c src/model/wordpiece.c
 * link: src/model/users.c src/model/vocabulary.c src/model/vocabulary_gguf.c
 * libs: -lutf8proc
 * options: -max_len=2000
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/bpe.h"
#include "model/sentencepiece.h"
#include "model/unicode.h"
#include "model/wordpiece.h"

#define FIXTURES	"test/model/fixtures/"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Bpe *bpe;
static Sentencepiece *sp;
static Wordpiece *wordpieces[2];

static Gguf *
vocabulary_of(const char *name, ModelError *error)
{
	return gguf_open(open(name, O_RDONLY), name, NULL, NULL, error);
}

static void
begin(void)
{
	static char vocabulary[65536];
	FILE	   *file = fopen(FIXTURES "wordpiece.txt", "rb");
	const size_t len = file ? fread(vocabulary, 1, sizeof vocabulary, file) : 0;
	ModelError	error = {0};
	Vocabulary	bytes = {0};
	Vocabulary	characters = {0};
	Gguf	   *gguf;

	if ((gguf = vocabulary_of(FIXTURES "bpe.gguf", &error)) != NULL)
		bpe = vocabulary_of_gguf(gguf, &bytes, &error) ? bpe_open(&bytes, &error) : NULL;
	vocabulary_free(&bytes);
	if (gguf)
		gguf_close(gguf);
	if ((gguf = vocabulary_of(FIXTURES "sentencepiece.gguf", &error)) != NULL)
		sp = vocabulary_of_gguf(gguf, &characters, &error) ? sentencepiece_open(&characters, &error) : NULL;
	vocabulary_free(&characters);
	if (gguf)
		gguf_close(gguf);
	if (file)
		fclose(file);
	for (int i = 0; i < 2; i++)
		wordpieces[i] = wordpiece_open(vocabulary, len, &(WordpieceOptions) {i, NULL}, &error);
	if (!bpe || !sp || !wordpieces[0] || !wordpieces[1])
	{
		fprintf(stderr, "%s\n", error.message);
		abort();
	}
}

/* This vocabulary has all bytes, and puts nothing before a text: only U+2581 is not told from a blank. */
static void
sentencepiece_says(const char *text, size_t size, TokenList *tokens)
{
	ModelError	error;
	size_t		at = 0;
	bool		plain = true;
	int			len;

	tokens->n = 0;
	if (!sentencepiece_encode(sp, text, size, true, tokens, NULL, NULL, &error))
		abort();
	for (size_t i = 0; i < size; i += (size_t) len)
	{
		const int32_t c = unicode_at(text + i, size - i, &len);

		plain &= c >= 0 && c != 0x2581;
	}
	for (size_t i = 0; plain && i < tokens->n; i++)
	{
		uint32_t	n;
		const char *piece = sentencepiece_piece(sp, tokens->ids[i], &n);

		if (n > size - at || memcmp(piece, text + at, n) != 0)
			abort();
		at += n;
	}
	if (plain && at != size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	TokenList	tokens = {0};
	ModelError	error;
	size_t		at = 0;

	if (!bpe)
		begin();
	if (!bpe_encode(bpe, text, size, &tokens, NULL, NULL, &error))
		abort();
	for (size_t i = 0; i < tokens.n; i++)
	{
		uint32_t	len;
		const char *piece = bpe_piece(bpe, tokens.ids[i], &len);

		/* 0x9F and 0xA0 are no tokens of this vocabulary: they are left out */
		for (uint32_t k = 0; k < len; k++, at++)
		{
			while (at < size && (data[at] == 0x9F || data[at] == 0xA0))
				at++;
			if (at == size || text[at] != piece[k])
				abort();
		}
	}
	for (int i = 0; i < 2; i++)
	{
		tokens.n = 0;
		if (!wordpiece_encode(wordpieces[i], text, size, &tokens, NULL, NULL, &error))
			abort();
	}
	sentencepiece_says(text, size, &tokens);
	free(tokens.ids);
	return 0;
}
