/*-------------------------------------------------------------------------
 *
 * encoder_test.c
 *	  Embeddings: those of a reference in numpy (fixtures/encoder.py), the same to
 *	  the bit whatever texts go along; folders of models that are not sound.
 *
 * link: src/model/bert.c src/model/encoder.c src/model/files.c src/model/gguf.c src/model/json_file.c src/model/kernels.c
 * link: src/model/kernels_avx2.c src/model/kernels_avx512.c src/model/kernels_base.c src/model/matrix.c src/model/quant.c
 * link: src/model/safetensors.c src/model/unicode.c src/model/weights.c src/model/wordpiece.c
 * libs: -ljansson -lutf8proc
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/encoder.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"
#define TEXTS_MAX	100
#define DIMENSIONS	40

/* The fixture's folder, with one file put in place of its own */
typedef struct Folder
{
	const char *name;			/* or NULL */
	const char *content;		/* NULL: there is none */
	size_t		len;
} Folder;

static int
open_file(void *context, const char *name)
{
	const Folder *folder = context;
	char		path[200];

	if (folder->name && strcmp(folder->name, name) == 0)
	{
		int			fd;

		if (!folder->content)
		{
			errno = ENOENT;
			return -1;
		}
		fd = memfd_create(name, 0);
		if (write(fd, folder->content, folder->len) != (ssize_t) folder->len)
			abort();
		return fd;
	}
	snprintf(path, sizeof path, FIXTURES "encoder/%s", name);
	return open(path, O_RDONLY);
}

static Encoder *
open_encoder(const Folder *folder, const EncoderOptions *options, ModelError *error)
{
	const ModelFiles files = {open_file, (void *) folder};
	ModelProgress progress = {0};

	return encoder_open(&files, options, &progress, error);
}

static const EncoderOptions plain = {.pooling = -1, .normalize = -1};
static const Folder whole = {0};

/* ------------------------------------------------------------------------
 * What it gives
 * ------------------------------------------------------------------------
 */

typedef struct Text
{
	const char *bytes;
	uint32_t	len;
	TokenList	tokens;
	float		expected[DIMENSIONS];
} Text;

static Text texts[TEXTS_MAX];
static uint32_t ntexts;

/* The texts of the fixture; are their tokens those of the fixture? */
static void
read_texts(const Encoder *encoder, const char *bytes, size_t len)
{
	uint32_t	wrong = 0;
	const char *p = bytes;

	for (; p < bytes + len && ntexts < TEXTS_MAX; ntexts++)
	{
		Text	   *text = &texts[ntexts];
		ModelProgress progress = {0};
		ModelError	error = {0};
		uint32_t	n;

		text->len = take_u32(&p);
		text->bytes = p;
		p += text->len;
		n = take_u32(&p);
		if (!encoder_tokenize(encoder, text->bytes, text->len, true, &text->tokens, &progress, &error) ||
			text->tokens.n != n || memcmp(text->tokens.ids, p, 4 * n) != 0)
			wrong++;
		p += 4 * n;
		memcpy(text->expected, p, sizeof text->expected);
		p += sizeof text->expected;
	}
	ok(ntexts == 60 && wrong == 0, "%u of %u texts have other tokens", wrong, ntexts);
}

static bool
embed(const Encoder *encoder, const uint32_t *which, uint32_t n, float (*out)[DIMENSIONS])
{
	TokenList	all = {0};
	uint32_t	lengths[TEXTS_MAX];
	ModelProgress progress = {0};
	ModelError	error = {0};
	bool		done;

	for (uint32_t i = 0; i < n; i++)
	{
		const TokenList *tokens = &texts[which[i]].tokens;

		tokens_room(&all, tokens->n, &error);
		memcpy(all.ids + all.n, tokens->ids, tokens->n * sizeof *tokens->ids);
		all.n += tokens->n;
		lengths[i] = (uint32_t) tokens->n;
	}
	done = encoder_embed(encoder, all.ids, lengths, n, out[0], &progress, &error);
	free(all.ids);
	return done;
}

static void
test_level(const char *level)
{
	EncoderOptions options = plain;
	ModelError	error = {0};
	Encoder    *encoder;
	static float together[TEXTS_MAX][DIMENSIONS],
				backward[TEXTS_MAX][DIMENSIONS],
				alone[TEXTS_MAX][DIMENSIONS];
	uint32_t	forth[TEXTS_MAX],
				back[TEXTS_MAX];
	float		worst = 0;
	uint32_t	other = 0;
	bool		done;

	if (!model_kernels(level))
	{
		ok(true, "%s # SKIP not on this machine", level);
		return;
	}
	options.level = level;
	encoder = open_encoder(&whole, &options, &error);
	if (!ok(encoder != NULL, "%s: the model is opened %s", level, error.message))
		return;
	for (uint32_t i = 0; i < ntexts; i++)
	{
		forth[i] = i;
		back[i] = ntexts - 1 - i;
	}
	done = embed(encoder, forth, ntexts, together) && embed(encoder, back, ntexts, backward);
	for (uint32_t i = 0; i < ntexts; i++)
	{
		done &= embed(encoder, &forth[i], 1, &alone[i]);
		for (int l = 0; l < DIMENSIONS; l++)
			worst = fmaxf(worst, fabsf(together[i][l] - texts[i].expected[l]));
		other += memcmp(together[i], alone[i], sizeof alone[i]) != 0 || memcmp(together[i], backward[ntexts - 1 - i], sizeof alone[i]) != 0;
	}
	ok(done && worst <= 1e-5f, "%s: a component is %g from the reference's at most", level, worst);
	ok(other == 0, "%s: %u of %u texts have other embeddings alone, or in another order", level, other, ntexts);
	encoder_close(encoder);
}

/* Does a wrong network fail the bound?  Else the test above would say nothing. */
static void
test_mutation(const char *what, const char *name, const char *content)
{
	const Folder folder = {name, content, strlen(content)};
	ModelError	error = {0};
	Encoder    *encoder = open_encoder(&folder, &plain, &error);
	static float out[TEXTS_MAX][DIMENSIONS];
	uint32_t	which[TEXTS_MAX];
	float		worst = 0;

	for (uint32_t i = 0; i < ntexts; i++)
		which[i] = i;
	if (!ok(encoder != NULL, "%s: the model is opened %s", what, error.message))
		return;
	embed(encoder, which, ntexts, out);
	for (uint32_t i = 0; i < ntexts; i++)
		for (int l = 0; l < DIMENSIONS; l++)
			worst = fmaxf(worst, fabsf(out[i][l] - texts[i].expected[l]));
	ok(worst > 1e-3f, "%s is seen: %g", what, worst);
	encoder_close(encoder);
}

/* ------------------------------------------------------------------------
 * Folders that are not sound
 * ------------------------------------------------------------------------
 */

static void
refused(const char *what, const Folder *folder, const EncoderOptions *options, ModelErrorKind kind, const char *message)
{
	ModelError	error = {0};
	Encoder    *encoder = open_encoder(folder, options, &error);

	ok(!encoder && error.kind == kind && strstr(error.message, message), "%s: %s", what, error.message);
	encoder_close(encoder);
}

#define WITH(name, content)		(&(Folder) {name, content, strlen(content)})
#define CONFIG(rest) \
	"{\"model_type\": \"bert\", \"hidden_size\": 40, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"intermediate_size\": 72, " \
	"\"vocab_size\": 400, \"max_position_embeddings\": 64" rest "}"

static void
test_configurations(void)
{
	refused("no configuration", &(Folder) {"config.json", NULL, 0}, &plain, MODEL_IO, "config.json");
	refused("no vocabulary", &(Folder) {"vocab.txt", NULL, 0}, &plain, MODEL_IO, "vocab.txt");
	refused("no weights", &(Folder) {"model.safetensors", NULL, 0}, &plain, MODEL_IO, "model.safetensors");
	refused("no JSON", WITH("config.json", "{\"model_type\""), &plain, MODEL_CORRUPT, "no JSON");
	refused("another architecture", WITH("config.json", "{\"model_type\": \"t5\"}"), &plain, MODEL_UNSUPPORTED, "\"t5\"");
	refused("another activation", WITH("config.json", "{\"model_type\": \"bert\", \"hidden_act\": \"relu\"}"), &plain, MODEL_UNSUPPORTED, "\"relu\"");
	refused("a size that is missing", WITH("config.json", "{\"model_type\": \"bert\"}"), &plain, MODEL_CORRUPT, "hidden size is 0");
	refused("a size that is none", WITH("config.json", "{\"model_type\": \"bert\", \"hidden_size\": -1}"), &plain, MODEL_CORRUPT, "hidden_size");
	refused("a size that is huge", WITH("config.json", CONFIG(", \"type_vocab_size\": 4000000000")), &plain, MODEL_CORRUPT, "token types");
	refused("another shape", WITH("config.json", CONFIG(", \"type_vocab_size\": 3")), &plain, MODEL_CORRUPT, "token_type_embeddings");
	refused("no special tokens", WITH("vocab.txt", "[UNK]\na\n"), &plain, MODEL_CORRUPT, "[CLS]");
	refused("another pooling", WITH("1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}"), &plain, MODEL_UNSUPPORTED, "pooling");
	refused("a longer text than positions", WITH("sentence_bert_config.json", "{\"max_seq_length\": 65}"), &plain, MODEL_CORRUPT, "max_seq_length");
	refused("... by an option", &whole, &(EncoderOptions) {.pooling = -1, .normalize = -1, .max_tokens = 65}, MODEL_BAD_INPUT, "65");
	refused("too little memory", &whole, &(EncoderOptions) {.pooling = -1, .normalize = -1, .memory = 1000}, MODEL_NO_MEMORY, "of 1000");
}

/* A safetensors file of a header and so many bytes of data */
static void
test_header(const char *what, const char *header, size_t data, const char *message)
{
	const size_t len = strlen(header);
	char	   *file = calloc(1, 8 + len + data);
	Folder		folder = {"model.safetensors", file, 8 + len + data};

	file[0] = (char) (len & 255);
	file[1] = (char) (len >> 8);
	memcpy(file + 8, header, len);
	refused(what, &folder, &plain, strstr(message, "type") ? MODEL_UNSUPPORTED : MODEL_CORRUPT, message);
	free(file);
}

static void
test_headers(void)
{
	size_t		len;
	char	   *file = read_file(FIXTURES "encoder/model.safetensors", &len);

	refused("an empty file", &(Folder) {"model.safetensors", "", 0}, &plain, MODEL_CORRUPT, "not a safetensors file");
	refused("a header longer than the file", &(Folder) {"model.safetensors", "\377\377\377\0\0\0\0\0{}", 10}, &plain, MODEL_CORRUPT, "not a safetensors file");
	refused("a file cut short", &(Folder) {"model.safetensors", file, len - 1}, &plain, MODEL_CORRUPT, "leave the file");
	free(file);
	test_header("no object", "[1]", 0, "no JSON object");
	test_header("a name twice", "{\"a\": 1, \"a\": 2}", 0, "no JSON object");
	test_header("an unknown type", "{\"a\": {\"dtype\": \"F3\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "of a type");
	test_header("bytes of no tensor", "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 5, "belong to no tensor");
	test_header("a hole", "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 8]}}", 8, "does not begin");
	test_header("an overlap", "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, "
				"\"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "does not begin");
	test_header("a size of another shape", "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}", 4, "which are not those of its shape");
	test_header("a product that overflows", "{\"a\": {\"dtype\": \"F32\", \"shape\": [281474976710656, 281474976710656], \"data_offsets\": [0, 0]}}", 0, "no size");
	test_header("a negative dimension", "{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}", 4, "no size");
}

/* ------------------------------------------------------------------------
 * Weights that are shared
 * ------------------------------------------------------------------------
 */

typedef struct Kept
{
	void	   *weights;
	size_t		bytes;
	int			users;
	bool		refuses;
} Kept;

static const void *
find_kept(void *context, size_t bytes)
{
	Kept	   *kept = context;

	if (!kept->weights || kept->bytes != bytes)
		return NULL;
	kept->users++;
	return kept->weights;
}

static const void *
keep(void *context, const void *weights, size_t bytes)
{
	Kept	   *kept = context;

	if (kept->refuses)
		return NULL;
	kept->weights = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	kept->bytes = bytes;
	memcpy(kept->weights, weights, bytes);
	/* nobody writes there any more */
	mprotect(kept->weights, bytes, PROT_READ);
	kept->users++;
	return kept->weights;
}

static void
release(void *context, const void *weights, size_t bytes)
{
	Kept	   *kept = context;

	kept->users -= weights == kept->weights && bytes == kept->bytes;
}

static void
test_sharing(bool refuses)
{
	Kept		kept = {.refuses = refuses};
	const ModelShare share = {find_kept, keep, release, &kept};
	EncoderOptions options = plain;
	ModelError	error = {0};
	Encoder    *alone = open_encoder(&whole, &plain, &error);
	Encoder    *first;
	Encoder    *second;
	static float a[TEXTS_MAX][DIMENSIONS],
				b[TEXTS_MAX][DIMENSIONS],
				c[TEXTS_MAX][DIMENSIONS];
	uint32_t	which[] = {0, 1, 2, 3, 4};

	options.share = &share;
	first = open_encoder(&whole, &options, &error);
	second = open_encoder(&whole, &options, &error);
	ok(first && second && kept.users == (refuses ? 0 : 2) && encoder_info(second)->shared == !refuses, "%s: %d users %s",
	   refuses ? "weights that nobody keeps" : "shared weights", kept.users, error.message);
	ok(embed(alone, which, 5, a) && embed(first, which, 5, b) && embed(second, which, 5, c) && memcmp(a, b, 5 * sizeof *a) == 0 &&
	   memcmp(a, c, 5 * sizeof *a) == 0, "... give the same embeddings");
	encoder_close(alone);
	encoder_close(first);
	encoder_close(second);
	ok(kept.users == 0, "... and are given back");
	if (kept.weights)
		munmap(kept.weights, kept.bytes);
}

static bool
cancelled(void *context)
{
	return --*(int *) context < 0;
}

static void
test_cancel(void)
{
	ModelError	error = {0};
	Encoder    *encoder = open_encoder(&whole, &plain, &error);
	static float out[TEXTS_MAX][DIMENSIONS];
	const uint32_t length = (uint32_t) texts[0].tokens.n;
	int			left = 3;
	ModelProgress progress = {cancelled, &left, 0};

	ok(!encoder_embed(encoder, texts[0].tokens.ids, &length, 1, out[0], &progress, &error) && error.kind == MODEL_CANCELLED, "an embedding is cancelled");
	encoder_close(encoder);
	left = 1;
	ok(!encoder_open(&(ModelFiles) {open_file, (void *) &whole}, &plain, &progress, &error) && error.kind == MODEL_CANCELLED, "opening is cancelled");
}

int
main(void)
{
	ModelError	error = {0};
	Encoder    *encoder = open_encoder(&whole, &plain, &error);
	size_t		len;
	char	   *bytes = read_file(FIXTURES "encoder.bin", &len);
	TokenList	tokens = {0};
	ModelProgress progress = {0};

	if (!ok(encoder != NULL && bytes != NULL, "the model is opened %s", error.message))
		return tap_done();
	ok(encoder_info(encoder)->dimensions == DIMENSIONS && encoder_info(encoder)->context == 64 && encoder_info(encoder)->max_tokens == 48 &&
	   encoder_info(encoder)->normalize && encoder_info(encoder)->pooling == BERT_POOL_MEAN, "it says what it is");
	read_texts(encoder, bytes, len);
	ok(!encoder_tokenize(encoder, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a", 93, false, &tokens, &progress, &error) &&
	   error.kind == MODEL_TOO_LONG, "a long text: %s", error.message);
	free(tokens.ids);
	encoder_close(encoder);

	test_level("base");
	test_level("avx2");
	test_level("avx512");
	test_mutation("another number of heads", "config.json", "{\"model_type\": \"bert\", \"hidden_size\": 40, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "
				  "\"intermediate_size\": 72, \"vocab_size\": 400, \"max_position_embeddings\": 64}");
	test_mutation("a layer less", "config.json", "{\"model_type\": \"bert\", \"hidden_size\": 40, \"num_hidden_layers\": 1, \"num_attention_heads\": 2, "
				  "\"intermediate_size\": 72, \"vocab_size\": 400, \"max_position_embeddings\": 64}");
	test_mutation("another pooling", "1_Pooling/config.json", "{\"pooling_mode_cls_token\": true}");
	test_mutation("no normalisation", "modules.json", "[]");
	test_configurations();
	test_headers();
	test_sharing(false);
	test_sharing(true);
	test_cancel();
	for (uint32_t i = 0; i < ntexts; i++)
		free(texts[i].tokens.ids);
	free(bytes);
	return tap_done();
}
