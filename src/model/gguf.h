/*-------------------------------------------------------------------------
 *
 * gguf.h
 *	  Reading GGUF files: what a model is called, said and made of.
 *
 * A file is taken for hostile.  Every count and length is checked against the
 * bytes that are left in it before anything is allocated or read, so that
 * memory is bounded by a small multiple of the file's size.  Files are read
 * with pread, never mapped: one that is truncated later is an error, not a
 * SIGBUS.
 *
 * Format: ggml's docs/gguf.md, and gguf.cpp where they differ.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_GGUF_H
#define GPUSCAN_MODEL_GGUF_H

#include "model/model_error.h"
#include "model/quant.h"

#define GGUF_MAX_DIMS		4
#define GGUF_MAX_FILES		999

/* Bytes in the header of a file; not ended by a zero */
typedef struct GgufString
{
	const char *ptr;
	uint64_t	len;
} GgufString;

/* Numbers are those of the file. */
typedef enum GgufType
{
	GGUF_UINT8, GGUF_INT8, GGUF_UINT16, GGUF_INT16, GGUF_UINT32, GGUF_INT32, GGUF_FLOAT32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY,
	GGUF_UINT64, GGUF_INT64, GGUF_FLOAT64,
	GGUF_TYPES
} GgufType;

typedef struct GgufValue
{
	GgufString	key;
	GgufType	type;
	GgufType	element;		/* of an array */
	uint64_t	n;				/* of its elements; 1 of what is no array */
	const uint8_t *data;		/* elements one after the other, unaligned; a string is its length, 8 bytes, and its bytes */
} GgufValue;

typedef struct GgufTensor
{
	GgufString	name;
	const TensorTypeInfo *type;
	uint32_t	ndims;
	uint64_t	ne[GGUF_MAX_DIMS];	/* values along each dimension, ne[0] those that lie next to each other; 1 beyond ndims */
	uint64_t	size;			/* bytes */
	uint64_t	offset;			/* in its file */
	uint32_t	file;
} GgufTensor;

typedef struct Gguf Gguf;

/*
 * Opens further files of a model that is split: a file descriptor, or -1 with
 * errno set.  name: of the file, without a folder.
 */
typedef int (*GgufOpen) (void *context, const char *name);

/*
 * Read the header of the file that fd is open on, and of its further parts.
 * fd is the reader's from here on, also when it fails.  name: of the file,
 * without a folder.  open_part may be NULL: then a split model is refused.
 */
extern Gguf *gguf_open(int fd, const char *name, GgufOpen open_part, void *context, ModelError *error);
extern void gguf_close(Gguf *gguf);

extern uint64_t gguf_nvalues(const Gguf *gguf);
extern const GgufValue *gguf_value(const Gguf *gguf, uint64_t i);
extern uint64_t gguf_ntensors(const Gguf *gguf);
extern const GgufTensor *gguf_tensor(const Gguf *gguf, uint64_t i);
/* Bytes of all files */
extern uint64_t gguf_size(const Gguf *gguf);

/* By name; NULL: there is none */
extern const GgufValue *gguf_find(const Gguf *gguf, const char *key);
extern const GgufTensor *gguf_find_tensor(const Gguf *gguf, const char *name);

/*
 * A value by its key.  True with *found false where there is no such key;
 * false, and an error, where it is of another type or leaves the range.
 */
extern bool gguf_get_uint(const Gguf *gguf, const char *key, uint64_t max, uint64_t *value, bool *found, ModelError *error);
extern bool gguf_get_float(const Gguf *gguf, const char *key, double *value, bool *found, ModelError *error);
extern bool gguf_get_bool(const Gguf *gguf, const char *key, bool *value, bool *found, ModelError *error);
extern bool gguf_get_string(const Gguf *gguf, const char *key, GgufString *value, bool *found, ModelError *error);

/*
 * Element i of an array of numbers, or of a number by itself.  The caller has seen
 * that it is one, and that there are so many.
 */
extern int64_t gguf_int_at(const GgufValue *value, uint64_t i);
extern double gguf_float_at(const GgufValue *value, uint64_t i);
extern bool gguf_is_int(GgufType type);

/* The strings of an array, in memory to be freed; NULL, and an error, where it is none. */
extern GgufString *gguf_strings(const GgufValue *value, ModelError *error);

/* Bytes of a tensor, from the file.  False when it cannot be read, or is shorter than it was. */
extern bool gguf_read(const Gguf *gguf, const GgufTensor *tensor, uint64_t from, uint64_t size, void *to, ModelError *error);

#endif							/* GPUSCAN_MODEL_GGUF_H */
