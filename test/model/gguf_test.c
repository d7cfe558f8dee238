/*-------------------------------------------------------------------------
 *
 * gguf_test.c
 *	  The reader of GGUF files: what is in a file, and what is wrong with one.
 *
 * With the name of a file it says what is in that, a line for each value and
 * tensor: to be compared with what other readers say.
 *
 * link: src/model/gguf.c src/model/quant.c
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>

#include "gguf_file.h"
#include "tap.h"

/* Values of every type, and three tensors */
static void
whole_file(GgufBytes *out, uint32_t version)
{
	const uint64_t ne1[] = {64, 2};
	const uint64_t ne2[] = {5};
	const uint64_t ne3[] = {256, 1, 2};
	const float real = 1.5f;
	const double wide = -2.25;

	put_head(out, version, 3, 15);
	put_key(out, "general.architecture", GGUF_STRING);
	put_string(out, "llama");
	put_key(out, "u8", GGUF_UINT8);
	put_uint(out, 200, 1);
	put_key(out, "i8", GGUF_INT8);
	put_uint(out, (uint64_t) -5, 1);
	put_key(out, "u16", GGUF_UINT16);
	put_uint(out, 60000, 2);
	put_key(out, "i16", GGUF_INT16);
	put_uint(out, (uint64_t) -300, 2);
	put_key(out, "u32", GGUF_UINT32);
	put_uint(out, 4000000000u, 4);
	put_key(out, "i32", GGUF_INT32);
	put_uint(out, (uint64_t) -70000, 4);
	put_key(out, "f32", GGUF_FLOAT32);
	put_bytes(out, &real, 4);
	put_key(out, "yes", GGUF_BOOL);
	put_uint(out, 1, 1);
	put_key(out, "u64", GGUF_UINT64);
	put_uint(out, UINT64_MAX, 8);
	put_key(out, "i64", GGUF_INT64);
	put_uint(out, (uint64_t) INT64_MIN, 8);
	put_key(out, "f64", GGUF_FLOAT64);
	put_bytes(out, &wide, 8);
	put_key(out, "words", GGUF_ARRAY);
	put_uint(out, GGUF_STRING, 4);
	put_uint(out, 3, 8);
	put_string(out, "a");
	put_string(out, "");
	put_string(out, "été");
	put_key(out, "numbers", GGUF_ARRAY);
	put_uint(out, GGUF_INT16, 4);
	put_uint(out, 2, 8);
	put_uint(out, 7, 2);
	put_uint(out, (uint64_t) -8, 2);
	put_key(out, "general.alignment", GGUF_UINT32);
	put_uint(out, 64, 4);
	put_tensor(out, "first", 2, ne1, TENSOR_Q8_0, 0);	/* 136 bytes */
	put_tensor(out, "second", 1, ne2, TENSOR_F32, 192);
	put_tensor(out, "third", 3, ne3, TENSOR_Q6_K, 256);
	put_zeros(out, 0, 64);
	put_zeros(out, 136, 64);
	put_zeros(out, 20, 64);
	put_zeros(out, 420, 1);
}

static Gguf *
open_bytes(const uint8_t *bytes, size_t n, ModelError *error)
{
	memset(error, 0, sizeof *error);
	return gguf_open(file_of(bytes, n), "test.gguf", NULL, NULL, error);
}

static void
test_values(uint32_t version)
{
	GgufBytes	out = {0};
	ModelError	error;
	Gguf	   *gguf;
	GgufString *words;
	GgufString	string;
	uint64_t	number = 0;
	double		real = 0;
	bool		yes = false;
	bool		found;

	whole_file(&out, version);
	gguf = open_bytes(out.bytes, out.len, &error);
	if (!ok(gguf != NULL, "version %u is read: %s", version, error.message))
		return;
	ok(gguf_nvalues(gguf) == 15 && gguf_ntensors(gguf) == 3 && gguf_size(gguf) == out.len, "so many values and tensors");
	ok(gguf_get_string(gguf, "general.architecture", &string, &found, &error) && found && string.len == 5 &&
	   memcmp(string.ptr, "llama", 5) == 0, "a string");
	ok(gguf_int_at(gguf_find(gguf, "u8"), 0) == 200 && gguf_int_at(gguf_find(gguf, "i8"), 0) == -5 &&
	   gguf_int_at(gguf_find(gguf, "u16"), 0) == 60000 && gguf_int_at(gguf_find(gguf, "i16"), 0) == -300 &&
	   gguf_int_at(gguf_find(gguf, "u32"), 0) == 4000000000 && gguf_int_at(gguf_find(gguf, "i32"), 0) == -70000 &&
	   gguf_int_at(gguf_find(gguf, "i64"), 0) == INT64_MIN && gguf_float_at(gguf_find(gguf, "u64"), 0) == 0x1p64, "integers of all types");
	ok(gguf_get_float(gguf, "f32", &real, &found, &error) && real == 1.5 && gguf_get_float(gguf, "f64", &real, &found, &error) && real == -2.25,
	   "floating point");
	ok(gguf_get_bool(gguf, "yes", &yes, &found, &error) && found && yes, "a boolean");
	ok(gguf_get_uint(gguf, "u32", UINT32_MAX, &number, &found, &error) && found && number == 4000000000, "an integer by its key");
	ok(!gguf_get_uint(gguf, "u32", 100, &number, &found, &error) && error.kind == MODEL_CORRUPT, "too large: %s", error.message);
	ok(!gguf_get_uint(gguf, "i8", 1000, &number, &found, &error), "negative: %s", error.message);
	ok(!gguf_get_uint(gguf, "f32", 1000, &number, &found, &error), "of another type: %s", error.message);
	ok(gguf_get_uint(gguf, "nothing", 1, &number, &found, &error) && !found && !gguf_find_tensor(gguf, "nothing"), "what is not there");
	words = gguf_strings(gguf_find(gguf, "words"), &error);
	ok(words && words[0].len == 1 && words[1].len == 0 && words[2].len == 5 && memcmp(words[2].ptr, "été", 5) == 0, "an array of strings");
	free(words);
	ok(!gguf_strings(gguf_find(gguf, "numbers"), &error), "no array of strings: %s", error.message);
	ok(gguf_find(gguf, "numbers")->n == 2 && gguf_int_at(gguf_find(gguf, "numbers"), 1) == -8, "an array of integers");
	{
		const GgufTensor *third = gguf_find_tensor(gguf, "third");
		uint8_t		bytes[420];

		ok(third && third->type->type == TENSOR_Q6_K && third->ndims == 3 && third->ne[2] == 2 && third->ne[3] == 1 && third->size == 420 &&
		   third->offset + 420 == out.len, "a tensor");
		ok(gguf_read(gguf, third, 0, 420, bytes, &error) && bytes[419] == 0, "its bytes");
		ok(!gguf_read(gguf, third, 1, 420, bytes, &error) && error.kind == MODEL_BAD_INPUT, "beyond them: %s", error.message);
	}
	gguf_close(gguf);
	free(out.bytes);
}

/* What the file that make() writes is refused with */
static void
refused(const char *what, ModelErrorKind kind, const GgufBytes *out)
{
	ModelError	error;
	Gguf	   *gguf = open_bytes(out->bytes, out->len, &error);

	ok(!gguf && error.kind == kind, "%s: %s", what, gguf ? "is read" : error.message);
	gguf_close(gguf);
}

/* A file of one tensor */
static void
refused_tensor(const char *what, ModelErrorKind kind, const char *name, uint32_t ndims, const uint64_t *ne, uint32_t type, uint64_t offset)
{
	GgufBytes	out = {0};

	put_head(&out, 3, 1, 0);
	put_tensor(&out, name, ndims, ne, type, offset);
	put_zeros(&out, 0, 32);
	put_zeros(&out, 1024, 32);
	refused(what, kind, &out);
	free(out.bytes);
}

static void
test_refused(void)
{
	const uint64_t ne[] = {64, 2, 1, 1, 1};
	const uint64_t huge[] = {UINT64_C(1) << 32, UINT64_C(1) << 32, 2};
	const uint64_t large[] = {UINT64_C(1) << 40};
	const uint64_t none[] = {64, 0};
	const uint64_t odd[] = {33};
	const char	name64[] = "0123456789012345678901234567890123456789012345678901234567890123";
	GgufBytes	out = {0};

	refused("an empty file", MODEL_CORRUPT, &out);
	put_bytes(&out, "GGML\3\0\0\0", 8);
	refused("another format", MODEL_CORRUPT, &out);
	put_head(&out, 1, 0, 0);
	refused("version 1", MODEL_UNSUPPORTED, &out);
	put_head(&out, 3, UINT64_MAX, 0);
	refused("more tensors than bytes", MODEL_CORRUPT, &out);
	put_head(&out, 3, 0, UINT64_C(1) << 62);
	refused("more values than bytes", MODEL_CORRUPT, &out);

	put_head(&out, 3, 0, 1);
	put_key(&out, "x", (GgufType) 13);
	put_zeros(&out, 64, 1);
	refused("a value of unknown type", MODEL_CORRUPT, &out);
	put_head(&out, 3, 0, 1);
	put_key(&out, "x", GGUF_ARRAY);
	put_uint(&out, GGUF_ARRAY, 4);
	put_uint(&out, 1, 8);
	put_zeros(&out, 64, 1);
	refused("an array of arrays", MODEL_UNSUPPORTED, &out);
	put_head(&out, 3, 0, 1);
	put_key(&out, "x", GGUF_ARRAY);
	put_uint(&out, GGUF_UINT64, 4);
	put_uint(&out, UINT64_C(1) << 61, 8);
	put_zeros(&out, 64, 1);
	refused("an array whose bytes overflow", MODEL_CORRUPT, &out);
	put_head(&out, 3, 0, 1);
	put_key(&out, "x", GGUF_STRING);
	put_uint(&out, UINT64_MAX, 8);
	put_zeros(&out, 64, 1);
	refused("a string longer than the file", MODEL_CORRUPT, &out);
	put_head(&out, 3, 0, 2);
	for (int i = 0; i < 2; i++)
	{
		put_key(&out, "x", GGUF_UINT8);
		put_uint(&out, 1, 1);
	}
	put_zeros(&out, 64, 1);
	refused("a key twice", MODEL_CORRUPT, &out);
	for (int i = 0; i < 3; i++)
	{
		static const uint64_t alignments[] = {0, 48, 1 << 21};

		put_head(&out, 3, 0, 1);
		put_key(&out, "general.alignment", GGUF_UINT32);
		put_uint(&out, alignments[i], 4);
		refused("an alignment", MODEL_CORRUPT, &out);
	}
	put_head(&out, 3, 0, 1);
	put_key(&out, "split.count", GGUF_UINT16);
	put_uint(&out, 2, 2);
	refused("a part of two, of another name", MODEL_CORRUPT, &out);
	put_head(&out, 3, 2, 0);
	put_tensor(&out, "t", 1, ne, TENSOR_F32, 0);
	put_tensor(&out, "t", 1, ne, TENSOR_F32, 256);
	put_zeros(&out, 0, 32);
	put_zeros(&out, 512, 32);
	refused("a tensor twice", MODEL_CORRUPT, &out);

	refused_tensor("no dimensions", MODEL_CORRUPT, "t", 0, ne, TENSOR_F32, 0);
	refused_tensor("five dimensions", MODEL_CORRUPT, "t", 5, ne, TENSOR_F32, 0);
	refused_tensor("no name", MODEL_CORRUPT, "", 1, ne, TENSOR_F32, 0);
	refused_tensor("a name of 64 bytes", MODEL_CORRUPT, name64, 1, ne, TENSOR_F32, 0);
	refused_tensor("sizes that overflow", MODEL_CORRUPT, "t", 3, huge, TENSOR_F32, 0);
	refused_tensor("larger than the file", MODEL_CORRUPT, "t", 1, large, TENSOR_F32, 0);
	refused_tensor("a dimension of none", MODEL_CORRUPT, "t", 2, none, TENSOR_F32, 0);
	refused_tensor("half a block", MODEL_CORRUPT, "t", 1, odd, TENSOR_Q4_0, 0);
	refused_tensor("a type of ggml that we do not have", MODEL_UNSUPPORTED, "t", 1, ne, 10, 0);
	refused_tensor("a type that nobody has", MODEL_CORRUPT, "t", 1, ne, 4, 0);
	refused_tensor("a gap", MODEL_CORRUPT, "t", 1, ne, TENSOR_F32, 32);
	refused_tensor("an offset beyond the file", MODEL_CORRUPT, "t", 1, ne, TENSOR_F32, UINT64_MAX - 31);
	free(out.bytes);
}

/* Every length that the file might have been cut to, and every byte changed */
static void
test_damaged(void)
{
	GgufBytes	out = {0};
	ModelError	error;
	uint32_t	whole = 0;
	uint32_t	opened = 0;

	whole_file(&out, 3);
	for (size_t len = 0; len < out.len; len++)
	{
		Gguf	   *gguf = open_bytes(out.bytes, len, &error);

		whole += gguf != NULL || error.message[0] == '\0';
		gguf_close(gguf);
	}
	ok(whole == 0, "a file that was cut is refused, at all of %zu lengths", out.len);
	for (size_t i = 0; i < out.len && i < 1024; i++)
		for (int change = 0; change < 3; change++)
		{
			const uint8_t byte = out.bytes[i];
			Gguf	   *gguf;

			out.bytes[i] = change == 0 ? byte ^ 1 : change == 1 ? byte ^ 0x80 : 0xFF;
			gguf = open_bytes(out.bytes, out.len, &error);
			for (uint64_t t = 0; gguf && t < gguf_ntensors(gguf); t++)
			{
				uint8_t		last;

				opened += gguf_read(gguf, gguf_tensor(gguf, t), gguf_tensor(gguf, t)->size - 1, 1, &last, &error);
			}
			gguf_close(gguf);
			out.bytes[i] = byte;
		}
	ok(opened > 0, "with a byte changed, it is refused or its tensors can be read");
	free(out.bytes);
}

/* ------------------------------------------------------------------------
 * Models of several files
 * ------------------------------------------------------------------------
 */

typedef struct Parts
{
	int			opened;
	int			missing;		/* number of a part that is not there */
	uint64_t	count;			/* of tensors, as the first says */
} Parts;

static void
part_file(GgufBytes *out, int part, const Parts *parts)
{
	const uint64_t ne[] = {8};
	char		name[20];

	put_head(out, 3, 1, part == 1 ? 2 : 0);
	if (part == 1)
	{
		put_key(out, "split.count", GGUF_UINT16);
		put_uint(out, 3, 2);
		put_key(out, "split.tensors.count", GGUF_INT32);
		put_uint(out, parts->count, 4);
	}
	snprintf(name, sizeof name, "tensor%d", part);
	put_tensor(out, name, 1, ne, TENSOR_F32, 0);
	put_zeros(out, 0, 32);
	for (int i = 0; i < 32; i++)
		put_uint(out, (uint64_t) part, 1);
}

static int
open_part(void *context, const char *name)
{
	Parts	   *parts = context;
	GgufBytes	out = {0};
	int			part;
	int			fd;

	if (sscanf(name, "big-%05d-of-00003.gguf", &part) != 1 || part == parts->missing)
		return errno = ENOENT, -1;
	parts->opened++;
	part_file(&out, part, parts);
	fd = file_of(out.bytes, out.len);
	free(out.bytes);
	return fd;
}

static void
test_parts(void)
{
	Parts		parts = {0, 0, 3};
	GgufBytes	out = {0};
	ModelError	error;
	Gguf	   *gguf;
	uint8_t		byte = 0;

	part_file(&out, 1, &parts);
	gguf = gguf_open(file_of(out.bytes, out.len), "big-00001-of-00003.gguf", open_part, &parts, &error);
	ok(gguf && gguf_ntensors(gguf) == 3 && parts.opened == 2 && gguf_read(gguf, gguf_find_tensor(gguf, "tensor3"), 31, 1, &byte, &error) &&
	   byte == 3, "a model of three files");
	gguf_close(gguf);
	parts.missing = 2;
	gguf = gguf_open(file_of(out.bytes, out.len), "big-00001-of-00003.gguf", open_part, &parts, &error);
	ok(!gguf && error.kind == MODEL_IO, "without one of them: %s", error.message);
	gguf = gguf_open(file_of(out.bytes, out.len), "big-00001-of-00003.gguf", NULL, NULL, &error);
	ok(!gguf && error.kind == MODEL_UNSUPPORTED, "with nobody to open them: %s", error.message);
	parts = (Parts) {0, 0, 4};
	part_file(&out, 1, &parts);
	gguf = gguf_open(file_of(out.bytes, out.len), "big-00001-of-00003.gguf", open_part, &parts, &error);
	ok(!gguf && error.kind == MODEL_CORRUPT, "with another number of tensors: %s", error.message);
	free(out.bytes);
}

/* A file that loses its end while it is open */
static void
test_truncated_later(void)
{
	GgufBytes	out = {0};
	ModelError	error;
	uint8_t		bytes[420];
	Gguf	   *gguf;
	int			fd;

	whole_file(&out, 3);
	fd = file_of(out.bytes, out.len);
	gguf = gguf_open(fd, "test.gguf", NULL, NULL, &error);
	ok(gguf && ftruncate(fd, (off_t) out.len - 10) == 0 && !gguf_read(gguf, gguf_find_tensor(gguf, "third"), 0, 420, bytes, &error) &&
	   error.kind == MODEL_IO, "truncated while it is open: %s", error.message);
	gguf_close(gguf);
	free(out.bytes);
}

static int
say(const char *name)
{
	ModelError	error;
	Gguf	   *gguf = gguf_open(open(name, O_RDONLY), name, NULL, NULL, &error);

	if (!gguf)
		return fprintf(stderr, "%s\n", error.message), 1;
	for (uint64_t i = 0; i < gguf_nvalues(gguf); i++)
	{
		const GgufValue *value = gguf_value(gguf, i);

		printf("value %.*s %d %d %llu\n", (int) value->key.len, value->key.ptr, value->type, value->element, (unsigned long long) value->n);
	}
	for (uint64_t i = 0; i < gguf_ntensors(gguf); i++)
	{
		const GgufTensor *t = gguf_tensor(gguf, i);

		printf("tensor %.*s %s %llu %llu %llu\n", (int) t->name.len, t->name.ptr, t->type->name, (unsigned long long) t->ne[0],
			   (unsigned long long) t->ne[1], (unsigned long long) t->offset);
	}
	gguf_close(gguf);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return say(argv[1]);
	test_values(2);
	test_values(3);
	test_refused();
	test_damaged();
	test_parts();
	test_truncated_later();
	return tap_done();
}
