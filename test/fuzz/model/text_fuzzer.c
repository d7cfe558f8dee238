/*-------------------------------------------------------------------------
 *
 * text_fuzzer.c
 *	  Texts of any bytes through all tokenizers; the tokens of byte pairs are the
 *	  text again.
 *
 * link: src/model/bpe.c src/model/gguf.c src/model/pretoken.c src/model/quant.c src/model/unicode.c src/model/wordpiece.c
 * libs: -lutf8proc
 * options: -max_len=2000
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/bpe.h"
#include "model/wordpiece.h"

#define FIXTURES	"test/model/fixtures/"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Gguf *gguf;
static Bpe *bpe;
static Wordpiece *wordpieces[2];

static void
begin(void)
{
	static char vocabulary[65536];
	FILE	   *file = fopen(FIXTURES "wordpiece.txt", "rb");
	const size_t len = file ? fread(vocabulary, 1, sizeof vocabulary, file) : 0;
	ModelError	error = {0};

	gguf = gguf_open(open(FIXTURES "bpe.gguf", O_RDONLY), "bpe.gguf", NULL, NULL, &error);

	bpe = gguf ? bpe_open(gguf, &error) : NULL;
	for (int i = 0; i < 2; i++)
		wordpieces[i] = wordpiece_open(vocabulary, len, &(WordpieceOptions) {i, NULL}, &error);
	if (!bpe || !wordpieces[0])
	{
		fprintf(stderr, "%s\n", error.message);
		abort();
	}
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
	free(tokens.ids);
	return 0;
}
