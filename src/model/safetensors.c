/*-------------------------------------------------------------------------
 *
 * safetensors.c
 *	  Reading safetensors files (huggingface/safetensors, README: Format).
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/files.h"
#include "model/safetensors.h"

#define HEADER_MAX	(UINT64_C(100) << 20)	/* as the format has it */
#define NAME_MAX_LEN	256

struct Safetensors
{
	int			fd;
	json_t	   *header;			/* has the names */
	uint64_t	n;
	SafetensorsTensor *tensors; /* by their offsets */
	const SafetensorsTensor **by_name;
};

/* Types of the format, and the bytes of a value; type -1: no weight has it */
static const struct
{
	const char *name;
	int			type;
	uint32_t	bytes;
}			types[] = {
	{"F32", TENSOR_F32, 4}, {"F16", TENSOR_F16, 2}, {"BF16", TENSOR_BF16, 2}, {"F64", -1, 8}, {"I64", -1, 8}, {"I32", -1, 4},
	{"I16", -1, 2}, {"I8", -1, 1}, {"U8", -1, 1}, {"BOOL", -1, 1}, {"F8_E4M3", -1, 1}, {"F8_E5M2", -1, 1},
	{"U16", -1, 2}, {"U32", -1, 4}, {"U64", -1, 8}
};

static bool
read_shape(const json_t *shape, SafetensorsTensor *tensor, ModelError *error)
{
	tensor->n = 1;
	if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_MAX_DIMS)
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" has no shape, or of more than %d dimensions", tensor->name, SAFETENSORS_MAX_DIMS);
	tensor->ndims = (uint32_t) json_array_size(shape);
	for (uint32_t i = 0; i < tensor->ndims; i++)
	{
		const json_t *dim = json_array_get(shape, i);

		/* values of 2^48 are more than any file has; so nothing below can overflow */
		if (!json_is_integer(dim) || json_integer_value(dim) < 0 || json_integer_value(dim) > INT64_C(1) << 48 ||
			__builtin_mul_overflow(tensor->n, (uint64_t) json_integer_value(dim), &tensor->n) || tensor->n > UINT64_C(1) << 48)
			return model_error(error, MODEL_CORRUPT, "tensor \"%s\" has a dimension that is no size", tensor->name);
		tensor->shape[i] = (uint64_t) json_integer_value(dim);
	}
	return true;
}

static bool
read_tensor(const json_t *entry, SafetensorsTensor *tensor, uint64_t data, uint64_t size, ModelError *error)
{
	const char *type = json_string_value(json_object_get(entry, "dtype"));
	const json_t *offsets = json_object_get(entry, "data_offsets");
	int64_t		begin,
				end;
	uint32_t	bytes = 0;

	if (strlen(tensor->name) > NAME_MAX_LEN)
		return model_error(error, MODEL_CORRUPT, "a tensor has a name of more than %d bytes", NAME_MAX_LEN);
	for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i].name) == 0)
		{
			bytes = types[i].bytes;
			tensor->type = types[i].type < 0 ? NULL : tensor_type_info((uint32_t) types[i].type);
		}
	if (bytes == 0)
		return model_error(error, MODEL_UNSUPPORTED, "tensor \"%s\" is of a type that the format does not have", tensor->name);
	if (!read_shape(json_object_get(entry, "shape"), tensor, error))
		return false;
	if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
		!json_is_integer(json_array_get(offsets, 0)) || !json_is_integer(json_array_get(offsets, 1)))
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" has no offsets", tensor->name);
	begin = json_integer_value(json_array_get(offsets, 0));
	end = json_integer_value(json_array_get(offsets, 1));
	if (begin < 0 || end < begin || (uint64_t) end > size || (uint64_t) (end - begin) != tensor->n * bytes)
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" lies at bytes %lld to %lld, which are not those of its shape or leave the file",
						   tensor->name, (long long) begin, (long long) end);
	tensor->offset = data + (uint64_t) begin;
	tensor->size = (uint64_t) (end - begin);
	return true;
}

static int
by_offset(const void *a, const void *b)
{
	const SafetensorsTensor *left = a,
			   *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	return left->size < right->size ? -1 : left->size > right->size;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const SafetensorsTensor *const *) a)->name, (*(const SafetensorsTensor *const *) b)->name);
}

static bool
read_tensors(Safetensors *file, uint64_t data, uint64_t size, ModelError *error)
{
	uint64_t	at = data;
	const char *name;
	json_t	   *entry;

	file->tensors = calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
	file->by_name = calloc(json_object_size(file->header) + 1, sizeof *file->by_name);
	if (!file->tensors || !file->by_name)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for the list of tensors");
	json_object_foreach(file->header, name, entry)
	{
		if (strcmp(name, "__metadata__") == 0)
			continue;
		file->tensors[file->n].name = name;
		if (!read_tensor(entry, &file->tensors[file->n], data, size, error))
			return false;
		file->n++;
	}
	qsort(file->tensors, file->n, sizeof *file->tensors, by_offset);
	for (uint64_t i = 0; i < file->n; i++)
	{
		if (file->tensors[i].offset != at)
			return model_error(error, MODEL_CORRUPT, "tensor \"%s\" does not begin where the one before it ends", file->tensors[i].name);
		at += file->tensors[i].size;
		file->by_name[i] = &file->tensors[i];
	}
	if (at != data + size)
		return model_error(error, MODEL_CORRUPT, "%llu bytes of the file belong to no tensor", (unsigned long long) (data + size - at));
	qsort(file->by_name, file->n, sizeof *file->by_name, by_name);
	return true;
}

static bool
read_header(Safetensors *file, ModelError *error)
{
	unsigned char length[8];
	uint64_t	size,
				header = 0;
	char	   *text;
	json_error_t wrong;

	if (!file_size(file->fd, &size, error))
		return false;
	if (size < sizeof length)
		return model_error(error, MODEL_CORRUPT, "not a safetensors file: %llu bytes", (unsigned long long) size);
	if (!file_read_at(file->fd, 0, sizeof length, length, error))
		return false;
	for (int i = 7; i >= 0; i--)
		header = header << 8 | length[i];
	if (header > HEADER_MAX || header > size - sizeof length)
		return model_error(error, MODEL_CORRUPT, "not a safetensors file: a header of %llu bytes", (unsigned long long) header);
	text = malloc(header + 1);
	if (!text)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a header of %llu bytes", (unsigned long long) header);
	if (!file_read_at(file->fd, sizeof length, header, text, error))
	{
		free(text);
		return false;
	}
	file->header = json_loadb(text, header, JSON_REJECT_DUPLICATES, &wrong);
	free(text);
	if (!json_is_object(file->header))
		return model_error(error, MODEL_CORRUPT, "the header of a safetensors file is no JSON object%s%s",
						   file->header ? "" : ": ", file->header ? "" : wrong.text);
	return read_tensors(file, sizeof length + header, size - sizeof length - header, error);
}

Safetensors *
safetensors_open(int fd, ModelError *error)
{
	Safetensors *file = calloc(1, sizeof *file);

	if (!file)
	{
		close(fd);
		model_error(error, MODEL_NO_MEMORY, "out of memory");
		return NULL;
	}
	file->fd = fd;
	if (!read_header(file, error))
	{
		safetensors_close(file);
		return NULL;
	}
	return file;
}

void
safetensors_close(Safetensors *file)
{
	if (!file)
		return;
	close(file->fd);
	json_decref(file->header);
	free(file->tensors);
	free(file->by_name);
	free(file);
}

uint64_t
safetensors_ntensors(const Safetensors *file)
{
	return file->n;
}

const SafetensorsTensor *
safetensors_tensor(const Safetensors *file, uint64_t i)
{
	return &file->tensors[i];
}

const SafetensorsTensor *
safetensors_find(const Safetensors *file, const char *name)
{
	const SafetensorsTensor key = {.name = name};
	const SafetensorsTensor *wanted = &key;
	const SafetensorsTensor **found = bsearch(&wanted, file->by_name, file->n, sizeof *file->by_name, by_name);

	return found ? *found : NULL;
}

bool
safetensors_read(const Safetensors *file, const SafetensorsTensor *tensor, uint64_t from, uint64_t n, float *to, ModelError *error)
{
	uint32_t	bytes = tensor->type->bytes;

	if (tensor->type->type == TENSOR_F32)
		return file_read_at(file->fd, tensor->offset + from * bytes, n * bytes, to, error);
	while (n > 0)
	{
		char		some[8192];
		const uint64_t now = n < sizeof some / bytes ? n : sizeof some / bytes;

		if (!file_read_at(file->fd, tensor->offset + from * bytes, now * bytes, some, error))
			return false;
		tensor_dequantise(tensor->type->type, some, now, to);
		from += now;
		to += now;
		n -= now;
	}
	return true;
}

bool
safetensors_read_bytes(const Safetensors *file, const SafetensorsTensor *tensor, uint64_t from, uint64_t n, void *to, ModelError *error)
{
	const uint32_t bytes = tensor->type->bytes;

	return file_read_at(file->fd, tensor->offset + from * bytes, n * bytes, to, error);
}
