/*-------------------------------------------------------------------------
 *
 * minilm_test.c
 *	  all-MiniLM-L6-v2: its embeddings of texts, recorded by fixtures/minilm.py.
 *
 *    minilm_test [FIXTURE]      MODELS: the folder that has the model's
 *
 * link: src/model/bert.c src/model/encoder.c src/model/files.c src/model/gguf.c src/model/json_file.c src/model/kernels.c
 * link: src/model/kernels_avx2.c src/model/kernels_avx512.c src/model/kernels_base.c src/model/matrix.c src/model/quant.c
 * link: src/model/safetensors.c src/model/unicode.c src/model/weights.c src/model/wordpiece.c
 * libs: -ljansson -lutf8proc
 * model: all-MiniLM-L6-v2
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <math.h>

#include "model/encoder.h"
#include "tokens_file.h"

#define DIMENSIONS	384

static int
open_file(void *context, const char *name)
{
	char		path[1000];

	snprintf(path, sizeof path, "%s/all-MiniLM-L6-v2/%s", (const char *) context, name);
	return open(path, O_RDONLY);
}

int
main(int argc, char **argv)
{
	const char *fixture = argc > 1 ? argv[1] : "test/model/fixtures/minilm.bin";
	const ModelFiles files = {open_file, getenv("MODELS")};
	const EncoderOptions options = {.pooling = -1, .normalize = -1};
	ModelProgress progress = {0};
	ModelError	error = {0};
	Encoder    *encoder = encoder_open(&files, &options, &progress, &error);
	TokenList	tokens = {0};
	size_t		len;
	char	   *bytes = read_file(fixture, &len);
	const char *p = bytes;
	uint32_t	ntexts = 0,
				wrong = 0;
	float		worst = 0;

	if (!ok(encoder != NULL && bytes != NULL, "the model is opened %s", error.message))
		return tap_done();
	ok(encoder_info(encoder)->dimensions == DIMENSIONS && encoder_info(encoder)->max_tokens == 256 && encoder_info(encoder)->normalize, "it says what it is");
	for (; p < bytes + len; ntexts++)
	{
		const uint32_t size = take_u32(&p);
		const char *text = p;
		const uint32_t n = (p += size, take_u32(&p));
		const char *ids = p;
		const uint32_t length = n;
		float		expected[DIMENSIONS],
					got[DIMENSIONS] = {0};

		p += 4 * (size_t) n;
		memcpy(expected, p, sizeof expected);
		p += sizeof expected;
		tokens.n = 0;
		if (!encoder_tokenize(encoder, text, size, true, &tokens, &progress, &error) || tokens.n != n || memcmp(tokens.ids, ids, 4 * (size_t) n) != 0)
		{
			wrong++;
			continue;
		}
		if (!encoder_embed(encoder, tokens.ids, &length, 1, got, &progress, &error))
			diag("text %u: %s", ntexts, error.message);
		for (int l = 0; l < DIMENSIONS; l++)
			worst = fmaxf(worst, fabsf(got[l] - expected[l]));
	}
	ok(ntexts >= 100 && wrong == 0, "%u of %u texts have other tokens", wrong, ntexts);
	ok(worst <= 1e-5f, "a component is %g from the reference's at most", worst);
	encoder_close(encoder);
	free(tokens.ids);
	free(bytes);
	return tap_done();
}
