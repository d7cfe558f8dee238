/*-------------------------------------------------------------------------
 *
 * gguf.c
 *	  See gguf.h.
 *
 * The header is read from front to end into one growing piece of memory, which
 * keys, values and names are views of.  While it grows they are kept as
 * offsets; the pointers are made when it is complete.
 *
 *-------------------------------------------------------------------------
 */
#include "model/gguf.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE		(256 * 1024)
#define DEFAULT_ALIGNMENT	32
#define MOST_ALIGNMENT	(1024 * 1024)
#define MOST_KEY		65535	/* the format's */
#define MOST_TENSOR_NAME	63	/* as gguf.cpp has it */

/* The least that a key with its value, and a tensor, take in the file */
#define LEAST_VALUE		(8 + 1 + 4 + 1)
#define LEAST_TENSOR	(8 + 1 + 4 + 8 + 4 + 8)

typedef struct GgufFile
{
	int			fd;
	uint64_t	size;
	uint8_t    *header;			/* as far as it was read */
	uint64_t	have;
	uint64_t	room;
	uint64_t	pos;			/* up to where it was taken apart */
	char		name[256];
} GgufFile;

/*
 * An index of names: open addressing, numbers + 1.  The seed is random, so that
 * nobody can make a file of names that all meet in one place.
 */
typedef struct NameIndex
{
	uint32_t   *slots;
	uint64_t	mask;
	uint64_t	seed;
} NameIndex;

struct Gguf
{
	GgufFile   *files;
	uint32_t	nfiles;
	GgufValue  *values;			/* of the first file */
	uint64_t	nvalues;
	GgufTensor *tensors;		/* of all files */
	uint64_t	ntensors;
	NameIndex	value_index;
	NameIndex	tensor_index;
};

static const uint8_t type_sizes[GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* ------------------------------------------------------------------------
 * Bytes of the header
 * ------------------------------------------------------------------------
 */

static bool
read_at(const GgufFile *file, uint64_t offset, uint64_t size, uint8_t *to, ModelError *error)
{
	while (size > 0)
	{
		const ssize_t n = pread(file->fd, to, size, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return model_error(error, MODEL_IO, "could not read file \"%s\": %s", file->name, strerror(errno));
		if (n == 0)
			return model_error(error, MODEL_IO, "file \"%s\" has become shorter while it was read", file->name);
		to += n;
		offset += (uint64_t) n;
		size -= (uint64_t) n;
	}
	return true;
}

/* The next n bytes of the header are in memory, from 'pos' on. */
static bool
need(GgufFile *file, uint64_t n, ModelError *error)
{
	uint64_t	want;

	if (n > file->size - file->pos)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" ends within its header", file->name);
	if (n <= file->have - file->pos)
		return true;
	want = file->pos + n;
	want = want - file->have < READ_SIZE ? file->have + READ_SIZE : want;
	want = want > file->size ? file->size : want;
	if (want > file->room)
	{
		uint64_t	room = file->room * 2 > want ? file->room * 2 : want;
		uint8_t    *header;

		room = room > file->size ? file->size : room;
		header = realloc(file->header, room);
		if (!header)
			return model_error(error, MODEL_NO_MEMORY, "out of memory for the header of file \"%s\"", file->name);
		file->header = header;
		file->room = room;
	}
	if (!read_at(file, file->have, want - file->have, file->header + file->have, error))
		return false;
	file->have = want;
	return true;
}

static uint64_t
little_endian(const uint8_t *p, int bytes)
{
	uint64_t	value = 0;

	for (int i = bytes - 1; i >= 0; i--)
		value = value << 8 | p[i];
	return value;
}

static bool
take_uint(GgufFile *file, int bytes, uint64_t *value, ModelError *error)
{
	if (!need(file, (uint64_t) bytes, error))
		return false;
	*value = little_endian(file->header + file->pos, bytes);
	file->pos += (uint64_t) bytes;
	return true;
}

/* A string: ptr is its offset in the header until the header is complete. */
static bool
take_string(GgufFile *file, GgufString *string, ModelError *error)
{
	if (!take_uint(file, 8, &string->len, error) || !need(file, string->len, error))
		return false;
	string->ptr = (const char *) (uintptr_t) file->pos;
	file->pos += string->len;
	return true;
}

static void
point_into(const GgufFile *file, GgufString *string)
{
	string->ptr = (const char *) file->header + (uintptr_t) string->ptr;
}

/* ------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------
 */

static uint64_t
hash_name(uint64_t seed, const char *name, uint64_t len)
{
	uint64_t	hash = 1469598103934665603u ^ seed;

	for (uint64_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) name[i]) * 1099511628211u;
	return hash ^ hash >> 32;
}

static bool
same_name(const GgufString *string, const char *name, uint64_t len)
{
	return string->len == len && memcmp(string->ptr, name, len) == 0;
}

/* names: the first of n, 'stride' bytes apart.  A name that comes twice is an error. */
static bool
index_names(NameIndex *index, const GgufString *names, uint64_t n, size_t stride, const char *what, const GgufFile *file, ModelError *error)
{
	uint64_t	size = 16;

	while (size < 2 * n)
		size *= 2;
	if (getrandom(&index->seed, sizeof index->seed, GRND_NONBLOCK) != sizeof index->seed)
		index->seed = (uintptr_t) index;
	index->slots = calloc(size, sizeof *index->slots);
	index->mask = size - 1;
	if (!index->slots)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for the header of file \"%s\"", file->name);
	for (uint64_t i = 0; i < n; i++)
	{
		const GgufString *name = (const GgufString *) ((const char *) names + i * stride);
		uint64_t	at = hash_name(index->seed, name->ptr, name->len) & index->mask;

		for (; index->slots[at] != 0; at = (at + 1) & index->mask)
			if (same_name((const GgufString *) ((const char *) names + (index->slots[at] - 1) * stride), name->ptr, name->len))
				return model_error(error, MODEL_CORRUPT, "file \"%s\" has %s \"%.*s\" twice", file->name, what,
								   (int) (name->len < 100 ? name->len : 100), name->ptr);
		index->slots[at] = (uint32_t) i + 1;
	}
	return true;
}

/* Number + 1, or 0 */
static uint64_t
find_name(const NameIndex *index, const GgufString *names, size_t stride, const char *name)
{
	const uint64_t len = strlen(name);
	uint64_t	at = hash_name(index->seed, name, len) & index->mask;

	for (; index->slots[at] != 0; at = (at + 1) & index->mask)
		if (same_name((const GgufString *) ((const char *) names + (index->slots[at] - 1) * stride), name, len))
			break;
	return index->slots[at];
}

/* ------------------------------------------------------------------------
 * The header
 * ------------------------------------------------------------------------
 */

/* n values of a type, whose bytes are taken */
static bool
skip_elements(GgufFile *file, GgufType type, uint64_t n, ModelError *error)
{
	if (type != GGUF_STRING)
	{
		if (n > (file->size - file->pos) / type_sizes[type])
			return model_error(error, MODEL_CORRUPT, "file \"%s\" ends within its header", file->name);
		if (!need(file, n * type_sizes[type], error))
			return false;
		file->pos += n * type_sizes[type];
		return true;
	}
	if (n > (file->size - file->pos) / 8)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" ends within its header", file->name);
	for (uint64_t i = 0; i < n; i++)
	{
		GgufString	string;

		if (!take_string(file, &string, error))
			return false;
	}
	return true;
}

static bool
take_type(GgufFile *file, GgufType *type, ModelError *error)
{
	uint64_t	number;

	if (!take_uint(file, 4, &number, error))
		return false;
	if (number >= GGUF_TYPES)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" has a value of unknown type %llu", file->name, (unsigned long long) number);
	*type = (GgufType) number;
	return true;
}

static bool
take_value(GgufFile *file, GgufValue *value, ModelError *error)
{
	if (!take_string(file, &value->key, error))
		return false;
	if (value->key.len == 0 || value->key.len > MOST_KEY)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" has a key of %llu bytes", file->name, (unsigned long long) value->key.len);
	if (!take_type(file, &value->type, error))
		return false;
	value->n = 1;
	value->element = value->type;
	if (value->type == GGUF_ARRAY)
	{
		if (!take_type(file, &value->element, error) || !take_uint(file, 8, &value->n, error))
			return false;
		if (value->element == GGUF_ARRAY)
			return model_error(error, MODEL_UNSUPPORTED, "file \"%s\" has an array of arrays", file->name);
	}
	value->data = (const uint8_t *) (uintptr_t) file->pos;
	return skip_elements(file, value->element, value->n, error);
}

static bool
take_tensor(GgufFile *file, GgufTensor *tensor, ModelError *error)
{
	uint64_t	ndims,
				type,
				nvalues = 1;
	char		name[MOST_TENSOR_NAME + 1] = "";

	if (!take_string(file, &tensor->name, error))
		return false;
	if (tensor->name.len == 0 || tensor->name.len > MOST_TENSOR_NAME)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" has a tensor whose name has %llu bytes", file->name,
						   (unsigned long long) tensor->name.len);
	memcpy(name, file->header + file->pos - tensor->name.len, tensor->name.len);
	if (!take_uint(file, 4, &ndims, error))
		return false;
	if (ndims == 0 || ndims > GGUF_MAX_DIMS)
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" of file \"%s\" has %llu dimensions", name, file->name,
						   (unsigned long long) ndims);
	tensor->ndims = (uint32_t) ndims;
	for (uint32_t i = 0; i < GGUF_MAX_DIMS; i++)
	{
		tensor->ne[i] = 1;
		if (i < ndims && !take_uint(file, 8, &tensor->ne[i], error))
			return false;
		if (tensor->ne[i] == 0 || __builtin_mul_overflow(nvalues, tensor->ne[i], &nvalues))
			return model_error(error, MODEL_CORRUPT, "tensor \"%s\" of file \"%s\" has an impossible size", name, file->name);
	}
	if (!take_uint(file, 4, &type, error) || !take_uint(file, 8, &tensor->offset, error))
		return false;
	tensor->type = tensor_type_info((uint32_t) type);
	if (!tensor->type)
	{
		const char *known = tensor_type_name((uint32_t) type);

		return known ? model_error(error, MODEL_UNSUPPORTED, "tensor \"%s\" of file \"%s\" is of type %s, which is not supported", name,
								   file->name, known) :
			model_error(error, MODEL_CORRUPT, "tensor \"%s\" of file \"%s\" is of unknown type %llu", name, file->name,
						(unsigned long long) type);
	}
	if (tensor->ne[0] % tensor->type->block != 0)
		return model_error(error, MODEL_CORRUPT, "rows of tensor \"%s\" of file \"%s\" are no whole blocks of type %s", name, file->name,
						   tensor->type->name);
	if (__builtin_mul_overflow(nvalues / tensor->type->block, (uint64_t) tensor->type->bytes, &tensor->size))
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" of file \"%s\" has an impossible size", name, file->name);
	return true;
}

/* What general.alignment says, in the values that were just read (as offsets) */
static bool
alignment_of(const GgufFile *file, const GgufValue *values, uint64_t n, uint64_t *alignment, ModelError *error)
{
	static const char key[] = "general.alignment";

	*alignment = DEFAULT_ALIGNMENT;
	for (uint64_t i = 0; i < n; i++)
	{
		if (values[i].key.len != sizeof key - 1 || memcmp(file->header + (uintptr_t) values[i].key.ptr, key, sizeof key - 1) != 0)
			continue;
		if (values[i].type != GGUF_UINT32)
			return model_error(error, MODEL_CORRUPT, "\"%s\" of file \"%s\" is not of type uint32", key, file->name);
		*alignment = little_endian(file->header + (uintptr_t) values[i].data, 4);
	}
	if (*alignment == 0 || (*alignment & (*alignment - 1)) != 0 || *alignment > MOST_ALIGNMENT)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" has an alignment of %llu", file->name, (unsigned long long) *alignment);
	return true;
}

/* Tensors lie one after the other behind the header, each aligned, and within the file. */
static bool
place_tensors(const GgufFile *file, GgufTensor *tensors, uint64_t n, uint64_t alignment, ModelError *error)
{
	const uint64_t begin = (file->pos + alignment - 1) & ~(alignment - 1);
	uint64_t	expected = 0;

	for (uint64_t i = 0; i < n; i++)
	{
		GgufTensor *tensor = &tensors[i];

		/* sizes are below 2^63 and offsets below the file's: no sum overflows */
		if (tensor->offset != expected || begin > file->size || expected > file->size - begin ||
			tensor->size > file->size - begin - expected)
			return model_error(error, MODEL_CORRUPT, "tensor \"%.*s\" does not lie where file \"%s\" has room for it",
							   (int) tensor->name.len, tensor->name.ptr, file->name);
		tensor->offset = begin + expected;
		expected = (expected + tensor->size + alignment - 1) & ~(alignment - 1);
	}
	return true;
}

/* The header of file number f; the tensors are appended to those that there are. */
static bool
read_header(Gguf *gguf, uint32_t f, ModelError *error)
{
	GgufFile   *file = &gguf->files[f];
	GgufValue  *values;
	GgufTensor *tensors;
	uint64_t	magic,
				version,
				ntensors,
				nvalues,
				alignment;
	bool		done = false;

	if (!take_uint(file, 4, &magic, error))
		return false;
	if (magic != 0x46554747)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" is not in GGUF format", file->name);
	if (!take_uint(file, 4, &version, error))
		return false;
	if (version != 2 && version != 3)
		return model_error(error, MODEL_UNSUPPORTED, "file \"%s\" is in version %llu of GGUF, of which 2 and 3 are supported", file->name,
						   (unsigned long long) version);
	if (!take_uint(file, 8, &ntensors, error) || !take_uint(file, 8, &nvalues, error))
		return false;
	if (nvalues > (file->size - file->pos) / LEAST_VALUE || ntensors > (file->size - file->pos) / LEAST_TENSOR ||
		ntensors > UINT32_MAX / 4 - gguf->ntensors || nvalues > UINT32_MAX / 4)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" is too short for what it says it holds", file->name);

	values = malloc((nvalues + 1) * sizeof *values);
	tensors = realloc(gguf->tensors, (gguf->ntensors + ntensors + 1) * sizeof *tensors);
	if (tensors)
		gguf->tensors = tensors;
	if (!values || !tensors)
	{
		free(values);
		return model_error(error, MODEL_NO_MEMORY, "out of memory for the header of file \"%s\"", file->name);
	}
	tensors += gguf->ntensors;
	for (uint64_t i = 0; i < nvalues; i++)
		if (!take_value(file, &values[i], error))
			goto end;
	if (!alignment_of(file, values, nvalues, &alignment, error))
		goto end;
	for (uint64_t i = 0; i < ntensors; i++)
	{
		tensors[i].file = f;
		if (!take_tensor(file, &tensors[i], error))
			goto end;
	}

	/* complete: it does not move any more */
	for (uint64_t i = 0; i < nvalues; i++)
	{
		point_into(file, &values[i].key);
		values[i].data = file->header + (uintptr_t) values[i].data;
	}
	for (uint64_t i = 0; i < ntensors; i++)
		point_into(file, &tensors[i].name);
	if (!place_tensors(file, tensors, ntensors, alignment, error))
		goto end;
	gguf->ntensors += ntensors;
	if (f == 0)
	{
		gguf->values = values;
		gguf->nvalues = nvalues;
		values = NULL;
		if (!index_names(&gguf->value_index, &gguf->values->key, nvalues, sizeof(GgufValue), "key", file, error))
			goto end;
	}
	done = true;
end:
	free(values);
	return done;
}

static bool
begin_file(Gguf *gguf, int fd, const char *name, ModelError *error)
{
	GgufFile   *file = &gguf->files[gguf->nfiles++];
	struct stat st;

	memset(file, 0, sizeof *file);
	file->fd = fd;
	snprintf(file->name, sizeof file->name, "%s", name);
	if (fstat(fd, &st) != 0)
		return model_error(error, MODEL_IO, "could not stat file \"%s\": %s", file->name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return model_error(error, MODEL_IO, "\"%s\" is not a regular file", file->name);
	file->size = (uint64_t) st.st_size;
	return read_header(gguf, gguf->nfiles - 1, error);
}

/* name-00001-of-00003.gguf, of which 'name' was the first: the others */
static bool
open_parts(Gguf *gguf, const char *name, uint64_t count, GgufOpen open_part, void *context, ModelError *error)
{
	char		tail[40];
	char		part[256];
	const size_t len = strlen(name);
	uint64_t	wanted;
	bool		found;
	GgufFile   *files;

	snprintf(tail, sizeof tail, "-00001-of-%05u.gguf", (unsigned) count);
	if (len < strlen(tail) || strcmp(name + len - strlen(tail), tail) != 0)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" says that it is one of %u, but its name does not end in \"%s\"", name,
						   (unsigned) count, tail);
	if (!open_part)
		return model_error(error, MODEL_UNSUPPORTED, "file \"%s\" is one of %u", name, (unsigned) count);
	files = realloc(gguf->files, count * sizeof *files);
	if (!files)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for the files of a model");
	gguf->files = files;
	for (unsigned i = 2; i <= count; i++)
	{
		int			fd;

		snprintf(part, sizeof part, "%.*s-%05u-of-%05u.gguf", (int) (len - strlen(tail)), name, i, (unsigned) count);
		fd = open_part(context, part);
		if (fd < 0)
			return model_error(error, MODEL_IO, "could not open file \"%s\": %s", part, strerror(errno));
		if (!begin_file(gguf, fd, part, error))
			return false;
	}
	if (!gguf_get_uint(gguf, "split.tensors.count", UINT32_MAX, &wanted, &found, error))
		return false;
	if (found && wanted != gguf->ntensors)
		return model_error(error, MODEL_CORRUPT, "the files of \"%s\" have %llu tensors, where they should have %llu", name,
						   (unsigned long long) gguf->ntensors, (unsigned long long) wanted);
	return true;
}

Gguf *
gguf_open(int fd, const char *name, GgufOpen open_part, void *context, ModelError *error)
{
	Gguf	   *gguf = calloc(1, sizeof *gguf);
	uint64_t	count = 1;
	bool		found;

	if (!gguf || !(gguf->files = calloc(1, sizeof *gguf->files)))
	{
		free(gguf);
		close(fd);
		model_error(error, MODEL_NO_MEMORY, "out of memory for the files of a model");
		return NULL;
	}
	if (!begin_file(gguf, fd, name, error) ||
		!gguf_get_uint(gguf, "split.count", GGUF_MAX_FILES, &count, &found, error) ||
		(found && count > 1 && !open_parts(gguf, name, count, open_part, context, error)) ||
		!index_names(&gguf->tensor_index, &gguf->tensors->name, gguf->ntensors, sizeof(GgufTensor), "tensor", &gguf->files[0], error))
	{
		gguf_close(gguf);
		return NULL;
	}
	return gguf;
}

void
gguf_close(Gguf *gguf)
{
	if (!gguf)
		return;
	for (uint32_t f = 0; f < gguf->nfiles; f++)
	{
		close(gguf->files[f].fd);
		free(gguf->files[f].header);
	}
	free(gguf->files);
	free(gguf->values);
	free(gguf->tensors);
	free(gguf->value_index.slots);
	free(gguf->tensor_index.slots);
	free(gguf);
}

/* ------------------------------------------------------------------------
 * What is in it
 * ------------------------------------------------------------------------
 */

uint64_t
gguf_nvalues(const Gguf *gguf)
{
	return gguf->nvalues;
}

const GgufValue *
gguf_value(const Gguf *gguf, uint64_t i)
{
	return &gguf->values[i];
}

uint64_t
gguf_ntensors(const Gguf *gguf)
{
	return gguf->ntensors;
}

const GgufTensor *
gguf_tensor(const Gguf *gguf, uint64_t i)
{
	return &gguf->tensors[i];
}

uint64_t
gguf_size(const Gguf *gguf)
{
	uint64_t	size = 0;

	for (uint32_t f = 0; f < gguf->nfiles; f++)
		size += gguf->files[f].size;
	return size;
}

const GgufValue *
gguf_find(const Gguf *gguf, const char *key)
{
	const uint64_t i = find_name(&gguf->value_index, &gguf->values->key, sizeof(GgufValue), key);

	return i > 0 ? &gguf->values[i - 1] : NULL;
}

const GgufTensor *
gguf_find_tensor(const Gguf *gguf, const char *name)
{
	const uint64_t i = find_name(&gguf->tensor_index, &gguf->tensors->name, sizeof(GgufTensor), name);

	return i > 0 ? &gguf->tensors[i - 1] : NULL;
}

bool
gguf_is_int(GgufType type)
{
	return type != GGUF_FLOAT32 && type != GGUF_FLOAT64 && type != GGUF_STRING && type != GGUF_ARRAY && type != GGUF_BOOL;
}

int64_t
gguf_int_at(const GgufValue *value, uint64_t i)
{
	const int	size = type_sizes[value->element];
	const uint64_t bits = little_endian(value->data + i * (uint64_t) size, size);

	switch (value->element)
	{
		case GGUF_INT8:
			return (int8_t) bits;
		case GGUF_INT16:
			return (int16_t) bits;
		case GGUF_INT32:
			return (int32_t) bits;
		default:
			return (int64_t) bits;
	}
}

double
gguf_float_at(const GgufValue *value, uint64_t i)
{
	double		real;
	float		narrow;

	if (value->element == GGUF_FLOAT32)
	{
		const uint32_t bits = (uint32_t) little_endian(value->data + 4 * i, 4);

		memcpy(&narrow, &bits, sizeof narrow);
		return narrow;
	}
	if (value->element == GGUF_FLOAT64)
	{
		const uint64_t bits = little_endian(value->data + 8 * i, 8);

		memcpy(&real, &bits, sizeof real);
		return real;
	}
	return value->element == GGUF_UINT64 ? (double) (uint64_t) gguf_int_at(value, i) : (double) gguf_int_at(value, i);
}

/* The value of a key that must be of such a type, if it is there at all */
static bool
get(const Gguf *gguf, const char *key, const GgufValue **value, bool *found)
{
	*value = gguf_find(gguf, key);
	*found = *value != NULL;
	return *found;
}

static bool
wrong_type(const Gguf *gguf, const char *key, const char *wanted, ModelError *error)
{
	return model_error(error, MODEL_CORRUPT, "\"%s\" of file \"%s\" is not %s", key, gguf->files[0].name, wanted);
}

bool
gguf_get_uint(const Gguf *gguf, const char *key, uint64_t max, uint64_t *value, bool *found, ModelError *error)
{
	const GgufValue *v;

	if (!get(gguf, key, &v, found))
		return true;
	if (!gguf_is_int(v->type))
		return wrong_type(gguf, key, "an integer", error);
	*value = (uint64_t) gguf_int_at(v, 0);
	/* of a signed type, a negative one is large */
	if (*value > max)
		return model_error(error, MODEL_CORRUPT, "\"%s\" of file \"%s\" is %lld, which is not between 0 and %llu", key, gguf->files[0].name,
						   (long long) *value, (unsigned long long) max);
	return true;
}

bool
gguf_get_float(const Gguf *gguf, const char *key, double *value, bool *found, ModelError *error)
{
	const GgufValue *v;

	if (!get(gguf, key, &v, found))
		return true;
	if (v->type != GGUF_FLOAT32 && v->type != GGUF_FLOAT64)
		return wrong_type(gguf, key, "a floating-point number", error);
	*value = gguf_float_at(v, 0);
	if (!isfinite(*value))
		return wrong_type(gguf, key, "finite", error);
	return true;
}

bool
gguf_get_bool(const Gguf *gguf, const char *key, bool *value, bool *found, ModelError *error)
{
	const GgufValue *v;

	if (!get(gguf, key, &v, found))
		return true;
	if (v->type != GGUF_BOOL)
		return wrong_type(gguf, key, "a boolean", error);
	*value = *v->data != 0;
	return true;
}

bool
gguf_get_string(const Gguf *gguf, const char *key, GgufString *value, bool *found, ModelError *error)
{
	const GgufValue *v;

	if (!get(gguf, key, &v, found))
		return true;
	if (v->type != GGUF_STRING)
		return wrong_type(gguf, key, "a string", error);
	value->len = little_endian(v->data, 8);
	value->ptr = (const char *) v->data + 8;
	return true;
}

GgufString *
gguf_strings(const GgufValue *value, ModelError *error)
{
	GgufString *strings;
	const uint8_t *p = value->data;

	if (value->type != GGUF_ARRAY || value->element != GGUF_STRING)
	{
		model_error(error, MODEL_CORRUPT, "\"%.*s\" is not an array of strings", (int) (value->key.len < 100 ? value->key.len : 100), value->key.ptr);
		return NULL;
	}
	strings = malloc((value->n + 1) * sizeof *strings);
	if (!strings)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory for %llu strings", (unsigned long long) value->n);
		return NULL;
	}
	for (uint64_t i = 0; i < value->n; i++)
	{
		strings[i].len = little_endian(p, 8);
		strings[i].ptr = (const char *) p + 8;
		p += 8 + strings[i].len;
	}
	return strings;
}

bool
gguf_read(const Gguf *gguf, const GgufTensor *tensor, uint64_t from, uint64_t size, void *to, ModelError *error)
{
	if (from > tensor->size || size > tensor->size - from)
		return model_error(error, MODEL_BAD_INPUT, "bytes %llu to %llu of a tensor of %llu", (unsigned long long) from,
						   (unsigned long long) (from + size), (unsigned long long) tensor->size);
	return read_at(&gguf->files[tensor->file], tensor->offset + from, size, to, error);
}
