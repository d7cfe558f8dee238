/*-------------------------------------------------------------------------
 *
 * fixture_file.h
 *	  Reading the files that the scripts in fixtures make.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODEL_FIXTURE_FILE_H
#define MODEL_FIXTURE_FILE_H

#include <stdint.h>
#include <stdio.h>

/* A number of so many bytes, little endian; UINT32_MAX at the end of the file */
static uint32_t
read_uint(FILE *file, int bytes)
{
	uint32_t	value = 0;

	for (int i = 0; i < bytes; i++)
	{
		const int	c = getc(file);

		if (c == EOF)
			return UINT32_MAX;
		value |= (uint32_t) c << 8 * i;
	}
	return value;
}

#endif							/* MODEL_FIXTURE_FILE_H */
