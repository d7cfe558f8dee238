/*-------------------------------------------------------------------------
 *
 * bytes.h
 *	  Pieces of memory of exact size that live as long as a test's case.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_BYTES_H
#define UNIT_BYTES_H

#include <stdlib.h>
#include <string.h>

typedef struct BytesPiece
{
	struct BytesPiece *next;
	char	   *ptr;
} BytesPiece;

typedef struct Bytes
{
	BytesPiece *pieces;
} Bytes;

static char *
bytes_new(Bytes *bytes, size_t size)
{
	BytesPiece *piece = malloc(sizeof *piece);

	piece->ptr = malloc(size);
	piece->next = bytes->pieces;
	bytes->pieces = piece;
	return piece->ptr;
}

static void
bytes_free(Bytes *bytes)
{
	for (BytesPiece *next; bytes->pieces; bytes->pieces = next)
	{
		next = bytes->pieces->next;
		free(bytes->pieces->ptr);
		free(bytes->pieces);
	}
}

#endif							/* UNIT_BYTES_H */
