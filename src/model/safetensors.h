/*-------------------------------------------------------------------------
 *
 * safetensors.h
 *	  Reading safetensors files: tensors as Hugging Face publishes them.
 *
 * A file is its header's length (8 bytes), the header in JSON, and the tensors'
 * bytes.  It is taken for hostile, as GGUF files are (gguf.h): shapes, types and
 * offsets are checked against each other and against the file's size, tensors
 * may not overlap or leave holes, and all is read with pread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SAFETENSORS_H
#define GPUSCAN_MODEL_SAFETENSORS_H

#include "model/model_error.h"
#include "model/quant.h"

#define SAFETENSORS_MAX_DIMS	8

typedef struct SafetensorsTensor
{
	const char *name;
	const TensorTypeInfo *type; /* NULL: a type that no weight has (integers) */
	uint32_t	ndims;
	uint64_t	shape[SAFETENSORS_MAX_DIMS];	/* outermost first */
	uint64_t	n;				/* values */
	uint64_t	offset;			/* in the file */
	uint64_t	size;			/* bytes */
} SafetensorsTensor;

typedef struct Safetensors Safetensors;

/* fd is the reader's from here on, also when it fails. */
extern Safetensors *safetensors_open(int fd, ModelError *error);
extern void safetensors_close(Safetensors *file);

extern uint64_t safetensors_ntensors(const Safetensors *file);
/* In the order of their bytes in the file */
extern const SafetensorsTensor *safetensors_tensor(const Safetensors *file, uint64_t i);
/* By name; NULL: there is none */
extern const SafetensorsTensor *safetensors_find(const Safetensors *file, const char *name);

/* n values of a tensor, from value 'from' on.  It has a type; from + n are within it. */
extern bool safetensors_read(const Safetensors *file, const SafetensorsTensor *tensor, uint64_t from, uint64_t n, float *to, ModelError *error);
/* The same as they are in the file */
extern bool safetensors_read_bytes(const Safetensors *file, const SafetensorsTensor *tensor, uint64_t from, uint64_t n, void *to, ModelError *error);

#endif							/* GPUSCAN_MODEL_SAFETENSORS_H */
