/*-------------------------------------------------------------------------
 *
 * safetensors_fuzzer.c
 *	  Bytes as a safetensors file: it is refused, or all of its tensors can be read.
 *
 * link: src/model/files.c src/model/quant.c src/model/safetensors.c
 * libs: -ljansson
 * options: -max_len=2000
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/safetensors.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int	fd = memfd_create("fuzz", 0);
	ModelError	error;
	Safetensors *file;

	if (write(fd, data, size) != (ssize_t) size)
		abort();
	file = safetensors_open(fd, &error);
	for (uint64_t i = 0; file && i < safetensors_ntensors(file); i++)
	{
		const SafetensorsTensor *tensor = safetensors_tensor(file, i);
		float		values[4];
		const uint64_t n = tensor->n < 4 ? tensor->n : 4;

		if (safetensors_find(file, tensor->name) != tensor)
			abort();
		if (tensor->type && n > 0 && !safetensors_read(file, tensor, tensor->n - n, n, values, &error))
			abort();
	}
	safetensors_close(file);
	return 0;
}
