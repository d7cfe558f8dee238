/*-------------------------------------------------------------------------
 *
 * gguf_file.h
 *	  Making GGUF files for tests, piece by piece.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODEL_GGUF_FILE_H
#define MODEL_GGUF_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/gguf.h"

typedef struct GgufBytes
{
	uint8_t    *bytes;
	size_t		len;
	size_t		room;
} GgufBytes;

__attribute__((unused)) static void
put_bytes(GgufBytes *out, const void *bytes, size_t n)
{
	if (out->len + n > out->room)
	{
		out->room = 2 * (out->len + n);
		out->bytes = realloc(out->bytes, out->room);
	}
	memcpy(out->bytes + out->len, bytes, n);
	out->len += n;
}

__attribute__((unused)) static void
put_uint(GgufBytes *out, uint64_t value, int size)
{
	uint8_t		bytes[8];

	for (int i = 0; i < size; i++)
		bytes[i] = (uint8_t) (value >> 8 * i);
	put_bytes(out, bytes, (size_t) size);
}

__attribute__((unused)) static void
put_string(GgufBytes *out, const char *string)
{
	put_uint(out, strlen(string), 8);
	put_bytes(out, string, strlen(string));
}

/* The head of a file, which begins anew */
__attribute__((unused)) static void
put_head(GgufBytes *out, uint32_t version, uint64_t ntensors, uint64_t nvalues)
{
	out->len = 0;
	put_bytes(out, "GGUF", 4);
	put_uint(out, version, 4);
	put_uint(out, ntensors, 8);
	put_uint(out, nvalues, 8);
}

/* a key and the type of its value, which follows */
__attribute__((unused)) static void
put_key(GgufBytes *out, const char *key, GgufType type)
{
	put_string(out, key);
	put_uint(out, type, 4);
}

__attribute__((unused)) static void
put_tensor(GgufBytes *out, const char *name, uint32_t ndims, const uint64_t *ne, uint32_t type, uint64_t offset)
{
	put_string(out, name);
	put_uint(out, ndims, 4);
	for (uint32_t i = 0; i < ndims; i++)
		put_uint(out, ne[i], 8);
	put_uint(out, type, 4);
	put_uint(out, offset, 8);
}

__attribute__((unused)) static void
put_zeros(GgufBytes *out, size_t n, size_t alignment)
{
	while (n-- > 0)
		put_uint(out, 0, 1);
	while (out->len % alignment != 0)
		put_uint(out, 0, 1);
}

/* A file in memory that holds these bytes */
__attribute__((unused)) static int
file_of(const uint8_t *bytes, size_t n)
{
	const int	fd = memfd_create("gguf", 0);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t) n)
	{
		perror("memfd_create");
		exit(2);
	}
	return fd;
}

#endif							/* MODEL_GGUF_FILE_H */
