/*-------------------------------------------------------------------------
 *
 * memory.h
 *	  Memory for an engine, as a memory context gives it: freed as a whole,
 *	  full of garbage at first, and every piece under the sanitizer's eye.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_MEMORY_H
#define UNIT_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

typedef struct Piece
{
	struct Piece *next;
	struct Piece **back;
	size_t		size;
	size_t		pad;			/* what follows is aligned as malloc's */
} Piece;

typedef struct Memory
{
	EngineMemory face;
	Piece	   *pieces;
	size_t		held;
	size_t		errors;			/* a size on realloc that is not the piece's */
} Memory;

static void *
memory_alloc(void *context, size_t size)
{
	Memory	   *memory = context;
	Piece	   *piece = malloc(sizeof(Piece) + size);

	piece->size = size;
	piece->next = memory->pieces;
	piece->back = &memory->pieces;
	if (piece->next)
		piece->next->back = &piece->next;
	memory->pieces = piece;
	memory->held += size;
	/* garbage that is unlike zero; large pieces in part, for speed */
	memset(piece + 1, 0xA5, size < 65536 ? size : 65536);
	return piece + 1;
}

static void
memory_free(void *context, void *ptr)
{
	Memory	   *memory = context;
	Piece	   *piece = (Piece *) ptr - 1;

	memory->held -= piece->size;
	*piece->back = piece->next;
	if (piece->next)
		piece->next->back = piece->back;
	free(piece);
}

static void *
memory_realloc(void *context, void *ptr, size_t old_size, size_t size)
{
	void	   *grown = memory_alloc(context, size);

	((Memory *) context)->errors += ((Piece *) ptr - 1)->size != old_size;
	memcpy(grown, ptr, old_size < size ? old_size : size);
	memory_free(context, ptr);
	return grown;
}

static void
memory_init(Memory *memory)
{
	memset(memory, 0, sizeof *memory);
	memory->face.alloc = memory_alloc;
	memory->face.realloc = memory_realloc;
	memory->face.free = memory_free;
	memory->face.context = memory;
}

static void
memory_reset(Memory *memory)
{
	while (memory->pieces)
		memory_free(memory, memory->pieces + 1);
}

#endif							/* UNIT_MEMORY_H */
