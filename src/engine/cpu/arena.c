/*-------------------------------------------------------------------------
 *
 * arena.c
 *	  Room for the texts that the steps of a program make.
 *
 * It lasts for a batch.  Chunks are kept for the next one, unless they have
 * become many bytes: what one batch needed, others seldom do.
 *
 *-------------------------------------------------------------------------
 */
#include "engine/cpu/cpu.h"

#define ARENA_FIRST		((size_t) 64 << 10)	/* bytes of the first chunk; the others double what there is */
#define ARENA_KEPT		((size_t) 4 << 20)	/* from batch to batch */
#define ARENA_MOST		((size_t) 128 << 20)	/* beyond it, rows are punted */

typedef struct ArenaChunk
{
	struct ArenaChunk *next;
	size_t		size;
	char		bytes[];
} ArenaChunk;

/* TextRoom.more: room for more than len bytes */
static bool
arena_more(TextRoom *room, size_t len)
{
	TextArena  *arena = (TextArena *) room;
	const EngineMemory *memory = arena->run->memory;
	ArenaChunk **link = arena->chunk ? &arena->chunk->next : &arena->first;
	ArenaChunk *chunk = *link;

	/* one that was too small for this text is passed over until the next batch */
	while (chunk && chunk->size <= len)
	{
		link = &chunk->next;
		chunk = *link;
	}
	if (!chunk)
	{
		size_t		size = arena->held < ARENA_FIRST ? ARENA_FIRST : arena->held;

		if (size <= len)
			size = len + 1;
		if (size > ARENA_MOST - arena->held)
			size = len + 1;
		if (size > ARENA_MOST - arena->held)
			return false;
		chunk = memory->alloc(memory->context, sizeof *chunk + size + TEXT_ROOM_SLACK);
		chunk->next = NULL;
		chunk->size = size;
		/* what lies behind the last text is read with it */
		memset(chunk->bytes + size, 0, TEXT_ROOM_SLACK);
		*link = chunk;
		arena->held += size;
	}
	arena->chunk = chunk;
	room->next = chunk->bytes;
	room->end = chunk->bytes + chunk->size;
	return true;
}

void
gpuscan_arena_init(EngineRun *run)
{
	run->arena.run = run;
	run->arena.room.more = arena_more;
}

void
gpuscan_arena_reset(EngineRun *run)
{
	TextArena  *arena = &run->arena;

	arena->chunk = NULL;
	arena->room.next = arena->room.end = NULL;
	if (arena->held <= ARENA_KEPT)
		return;
	while (arena->first)
	{
		ArenaChunk *chunk = arena->first;

		arena->first = chunk->next;
		run->memory->free(run->memory->context, chunk);
	}
	arena->held = 0;
}
