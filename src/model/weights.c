/*-------------------------------------------------------------------------
 *
 * weights.c
 *	  Tensors of a model by name, whatever its file is, as floats.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdlib.h>

#include "model/kernels.h"
#include "model/weights.h"

static bool
wrong_shape(const char *name, uint64_t m, uint64_t k, ModelError *error)
{
	return model_error(error, MODEL_CORRUPT, "tensor \"%s\" should have %" PRIu64 " rows of %" PRIu64 " values", name, m, k);
}

bool
weights_check(const Weights *weights, const char *name, uint64_t m, uint64_t k, ModelError *error)
{
	if (weights->gguf)
	{
		const GgufTensor *tensor = gguf_find_tensor(weights->gguf, name);

		if (!tensor)
			return model_error(error, MODEL_CORRUPT, "the model has no tensor \"%s\"", name);
		if (tensor->ne[0] != k || tensor->ne[1] != m || tensor->ne[2] != 1 || tensor->ne[3] != 1)
			return wrong_shape(name, m, k, error);
	}
	else
	{
		const SafetensorsTensor *tensor = safetensors_find(weights->safetensors, name);

		if (!tensor)
			return model_error(error, MODEL_CORRUPT, "the model has no tensor \"%s\"", name);
		if (!tensor->type)
			return model_error(error, MODEL_UNSUPPORTED, "tensor \"%s\" is of a type that is not supported", name);
		if (m == 1 ? tensor->n != k : tensor->ndims != 2 || tensor->shape[0] != m || tensor->shape[1] != k)
			return wrong_shape(name, m, k, error);
	}
	return true;
}

bool
weights_check_stack(const Weights *weights, const char *name, uint64_t n, uint64_t m, uint64_t k, ModelError *error)
{
	const GgufTensor *tensor = weights->gguf ? gguf_find_tensor(weights->gguf, name) : NULL;

	if (!tensor)
		return model_error(error, MODEL_CORRUPT, "the model has no tensor \"%s\"", name);
	if (tensor->ne[0] != k || tensor->ne[1] != m || tensor->ne[2] != n || tensor->ne[3] != 1)
		return model_error(error, MODEL_CORRUPT, "tensor \"%s\" should have %" PRIu64 " matrices of %" PRIu64 " rows of %" PRIu64 " values", name, n, m, k);
	return true;
}

bool
weights_has(const Weights *weights, const char *name)
{
	return weights->gguf ? gguf_find_tensor(weights->gguf, name) != NULL : safetensors_find(weights->safetensors, name) != NULL;
}

bool
weights_rows(const Weights *weights, const char *name, uint64_t k, uint64_t first, uint64_t rows, float *to, ModelError *error)
{
	const GgufTensor *tensor;
	uint64_t	bytes;
	uint8_t    *block;

	if (!weights->gguf)
		return safetensors_read(weights->safetensors, safetensors_find(weights->safetensors, name), first * k, rows * k, to, error);
	tensor = gguf_find_tensor(weights->gguf, name);
	bytes = k / tensor->type->block * tensor->type->bytes;
	block = malloc(bytes);
	if (!block)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a row of %" PRIu64 " bytes", bytes);
	for (uint64_t i = 0; i < rows; i++)
	{
		if (!gguf_read(weights->gguf, tensor, (first + i) * bytes, bytes, block, error))
		{
			free(block);
			return false;
		}
		tensor_dequantise(tensor->type->type, block, k, to + i * k);
	}
	free(block);
	return true;
}

bool
weights_pack(const Weights *weights, const char *name, uint64_t m, uint64_t k, uint64_t j, float *to,
			 ModelProgress *progress, ModelError *error)
{
	/* some rows at a time: a read for each would be slow, one for all needs their room */
	const uint64_t at_once = k > 65536 ? 1 : 65536 / k;
	float	   *some = malloc(at_once * k * sizeof *some);
	bool		done = some != NULL;

	if (!some)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %" PRIu64 " values", at_once * k);
	for (uint64_t i = 0; done && i < m; i += at_once)
	{
		const uint64_t now = m - i < at_once ? m - i : at_once;

		done = model_goes_on(progress, (uint32_t) (now * k), error) &&
			weights_rows(weights, name, k, i, now, some, error);
		for (uint64_t l = 0; done && l < now; l++)
			panels_pack(some + l * k, j + i + l, k, to);
	}
	free(some);
	return done;
}

static const TensorTypeInfo *
type_of(const Weights *weights, const char *name)
{
	return weights->gguf ? gguf_find_tensor(weights->gguf, name)->type : safetensors_find(weights->safetensors, name)->type;
}

MatrixForm
weights_form(const Weights *weights, const char *name)
{
	return matrix_form(type_of(weights, name)->type);
}

bool
weights_matrix(const Weights *weights, const char *name, uint64_t m, uint64_t k, uint8_t *to, ModelProgress *progress, ModelError *error)
{
	return weights_matrix_rows(weights, name, 0, m, k, to, progress, error);
}

bool
weights_matrix_rows(const Weights *weights, const char *name, uint64_t first, uint64_t m, uint64_t k, uint8_t *to,
					ModelProgress *progress, ModelError *error)
{
	const TensorTypeInfo *type = type_of(weights, name);
	const uint64_t bytes = k / type->block * type->bytes;
	/* some rows at a time: a read for each would be slow, one for all needs their room */
	const uint64_t at_once = bytes > 1 << 18 ? 1 : (1 << 18) / bytes;
	uint8_t    *some = malloc(at_once * bytes);
	bool		done = some != NULL;

	if (!some)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %" PRIu64 " bytes", at_once * bytes);
	for (uint64_t j = 0; done && j < m; j += at_once)
	{
		const uint64_t now = m - j < at_once ? m - j : at_once;

		done = model_goes_on(progress, (uint32_t) (now * k), error) &&
			(weights->gguf ? gguf_read(weights->gguf, gguf_find_tensor(weights->gguf, name), (first + j) * bytes, now * bytes, some, error) :
			 safetensors_read_bytes(weights->safetensors, safetensors_find(weights->safetensors, name), (first + j) * k, now * k, some, error));
		for (uint64_t l = 0; done && l < now; l++)
			matrix_pack(type->type, some + l * bytes, j + l, m, k, to);
	}
	free(some);
	return done;
}
