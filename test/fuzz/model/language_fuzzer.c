/*-------------------------------------------------------------------------
 *
 * language_fuzzer.c
 *	  Files of models that write: whatever is in them, they are refused or they
 *	  write something.
 *
 * link: src/model/bpe.c src/model/chat.c src/model/decoder.c src/model/decoder_gguf.c src/model/experts.c src/model/files.c
 * link: src/model/generation.c src/model/gguf.c src/model/guide.c src/model/json_machine.c src/model/json_schema.c
 * link: src/model/kernels_base.c src/model/kv.c src/model/language.c src/model/matrix.c src/model/pretoken.c src/model/quant.c
 * link: src/model/safetensors.c src/model/sampler.c src/model/sentencepiece.c src/model/tokenizer.c src/model/unicode.c
 * link: src/model/users.c src/model/vocabulary.c src/model/vocabulary_gguf.c src/model/weights.c
 * libs: -ljansson -lutf8proc -Wno-psabi
 * corpus: test/model/fixtures/decoder_qwen2.gguf test/model/fixtures/decoder_gemma3.gguf test/model/fixtures/sentencepiece.gguf
 * options: -max_len=200000
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/generation.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of kernels.c: other levels are compiled with flags of their own */
const ModelKernels *
model_kernels(const char *level)
{
	(void) level;
	return &model_kernels_base;
}

typedef struct Input
{
	const uint8_t *data;
	size_t		size;
} Input;

static int
open_input(void *context, const char *name)
{
	const Input *input = context;
	const int	fd = strcmp(name, "m.gguf") == 0 ? memfd_create("input", MFD_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, input->data, input->size) != (ssize_t) input->size)
		abort();
	return fd;
}

static void
write_something(Language *language)
{
	const GenerationOptions options = {.sampler = {.temperature = 1, .top_k = 5, .top_p = 0.9f, .repeat_penalty = 1.1f}, .max_tokens = 3, .together = 2,
		.memory = 64 << 20};
	const ChatMessage message = {CHAT_USER, "a b", 3};
	ModelProgress progress = {0};
	ModelError	error = {0};
	Generation *generation = generation_begin(language, &options, &error);
	TokenList	tokens = {0};
	bool		going = generation != NULL;

	if (language_plain_prompt(language, "the ant", 7, &tokens, &progress, &error) && generation)
		generation_add(generation, tokens.ids, tokens.n, 0, &error);
	tokens.n = 0;
	if (language_chat_prompt(language, &message, 1, true, &tokens, &progress, &error) && generation)
		generation_add(generation, tokens.ids, tokens.n, 0, &error);
	while (going && generation_step(generation, &going, &progress, &error))
		;
	generation_end(generation);
	free(tokens.ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = {data, size};
	const ModelFiles files = {open_input, &input};
	const LanguageOptions options = {.family = -1, .memory = 256 << 20};
	ModelProgress progress = {0};
	ModelError	error = {0};
	Language   *language = language_open(&files, "m.gguf", &options, &progress, &error);

	if (language)
		write_something(language);
	else if (error.kind == MODEL_OK)
		abort();
	language_close(language);
	return 0;
}
