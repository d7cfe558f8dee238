/*-------------------------------------------------------------------------
 *
 * quant_test.c
 *	  Values of quantised blocks, to the bit those of the Python package gguf
 *	  (fixtures/quant.py).
 *
 * link: src/model/quant.c
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "fixture_file.h"
#include "model/quant.h"
#include "tap.h"

#define MOST_VALUES	2048
#define MOST_BYTES	8192

int
main(int argc, char **argv)
{
	static uint8_t blocks[MOST_BYTES + 1];
	static float expected[MOST_VALUES];
	FILE	   *file = fopen(argc > 1 ? argv[1] : "test/model/fixtures/quant.bin", "rb");
	uint32_t	type;
	int			ntypes = 0;

	if (!file)
		return ok(false, "fixtures/quant.bin can be read"), tap_done();
	while ((type = read_uint(file, 4)) != UINT32_MAX)
	{
		const uint32_t count = read_uint(file, 4);
		const TensorTypeInfo *info = tensor_type_info(type);
		uint32_t	wrong = 0;

		if (!info || count * info->bytes > MOST_BYTES || count * info->block > MOST_VALUES ||
			fread(blocks + 1, info->bytes, count, file) != count ||
			fread(expected, info->block * sizeof(float), count, file) != count)
		{
			ok(false, "type %u of the fixtures", type);
			break;
		}
		/* all at once, from an odd address; and block by block */
		for (int each = 0; each < 2; each++)
			for (uint32_t b = 0; b < (each ? count : 1); b++)
			{
				const size_t n = (size_t) (each ? 1 : count) * info->block;
				float	   *values = malloc(n * sizeof *values);

				tensor_dequantise(info->type, blocks + 1 + (size_t) b * info->bytes, n, values);
				for (size_t i = 0; i < n; i++)
					wrong += memcmp(&values[i], &expected[b * info->block + i], sizeof(float)) != 0;
				free(values);
			}
		ok(wrong == 0, "%s: %u values of %u are not gguf's", info->name, wrong, 2 * count * info->block);
		ntypes++;
	}
	fclose(file);
	ok(ntypes == 11, "%d types", ntypes);
	return tap_done();
}
