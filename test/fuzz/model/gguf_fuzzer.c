/*-------------------------------------------------------------------------
 *
 * gguf_fuzzer.c
 *	  Bytes as a GGUF file: it is refused, or all that it says can be read.
 *
 * link: src/model/bpe.c src/model/gguf.c src/model/pretoken.c src/model/quant.c src/model/unicode.c
 * link: src/model/vocabulary.c src/model/vocabulary_gguf.c
 * libs: -lutf8proc
 * corpus: test/model/fixtures/bpe.gguf
 * options: -max_len=40000
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/bpe.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(const Gguf *gguf)
{
	ModelError	error;
	GgufString	string;
	uint64_t	number;
	double		real;
	bool		yes,
				found;

	for (uint64_t i = 0; i < gguf_nvalues(gguf); i++)
	{
		const GgufValue *value = gguf_value(gguf, i);
		char		key[64];

		if (value->key.len < sizeof key)
		{
			memcpy(key, value->key.ptr, value->key.len);
			key[value->key.len] = '\0';
			gguf_get_uint(gguf, key, UINT64_MAX, &number, &found, &error);
			gguf_get_float(gguf, key, &real, &found, &error);
			gguf_get_bool(gguf, key, &yes, &found, &error);
			gguf_get_string(gguf, key, &string, &found, &error);
		}
		if (value->element == GGUF_STRING && value->type == GGUF_ARRAY)
			free(gguf_strings(value, &error));
		else if (value->n > 0 && value->element != GGUF_STRING)
			(void) gguf_float_at(value, value->n - 1);
	}
	for (uint64_t i = 0; i < gguf_ntensors(gguf); i++)
	{
		const GgufTensor *tensor = gguf_tensor(gguf, i);
		uint8_t		block[512];
		float		values[256];

		if (!gguf_read(gguf, tensor, tensor->size - tensor->type->bytes, tensor->type->bytes, block, &error))
			abort();
		tensor_dequantise(tensor->type->type, block, tensor->type->block, values);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int	fd = memfd_create("gguf", 0);
	ModelError	error;
	Gguf	   *gguf;
	Vocabulary	vocabulary;
	Bpe		   *bpe;
	TokenList	tokens = {0};

	if (fd < 0 || write(fd, data, size) != (ssize_t) size)
		abort();
	gguf = gguf_open(fd, "fuzz.gguf", NULL, NULL, &error);
	if (!gguf)
		return 0;
	read_all(gguf);
	bpe = vocabulary_of_gguf(gguf, &vocabulary, &error) && !vocabulary.sentencepiece ? bpe_open(&vocabulary, &error) : NULL;
	vocabulary_free(&vocabulary);
	if (bpe && bpe_encode(bpe, (const char *) data, size < 200 ? size : 200, &tokens, NULL, NULL, &error))
		for (size_t i = 0; i < tokens.n; i++)
		{
			uint32_t	len;

			if (!bpe_piece(bpe, tokens.ids[i], &len))
				abort();
		}
	free(tokens.ids);
	bpe_close(bpe);
	gguf_close(gguf);
	return 0;
}
