/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  The blocks of a table in the order of a sequential scan, pinned.
 *
 * Pins a few blocks early, so that their lines are on the way into the
 * processor's caches when their turn comes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_READER_H
#define GPUSCAN_READER_H

#include "access/tableam.h"
#include "storage/block.h"
#include "storage/buf.h"
#include "utils/relcache.h"

#define READER_MAX_AHEAD	15		/* one less than a power of two */

struct ReadStream;

typedef struct HeapReader
{
	Relation	rel;
	BufferAccessStrategy strategy;	/* or NULL */
	struct ReadStream *stream;	/* where the server has them, or NULL */
	ParallelBlockTableScanDesc shared;	/* blocks are shared out among processes; or NULL */
	ParallelBlockTableScanWorkerData worker;	/* this one's place in it */
	BlockNumber nblocks;		/* as of the start of the scan */
	BlockNumber start;			/* where it began (synchronized scans) */
	BlockNumber asked;			/* blocks asked for so far */
	bool		report;			/* tell other scans where we are */
	bool		finished;		/* nothing more to be pinned */
	int			pin_limit;		/* pins that this scan may hold in all */
	int			cold_pin_limit; /* ... while blocks come from disk */
	Buffer		last;			/* that the last block was in */
	bool		consecutive;	/* was it the one behind the one before? */
	uint32		phase;			/* of this scan: see read_block */

	/* pinned and not taken yet, a ring */
	unsigned	head;
	unsigned	tail;
	Buffer		buffers[READER_MAX_AHEAD + 1];
	Page		pages[READER_MAX_AHEAD + 1];
} HeapReader;

/* shared: what the processes of a parallel scan share (tableam.h), or NULL. */
extern void gpuscan_reader_begin(HeapReader *reader, Relation rel, ParallelBlockTableScanDesc shared);
extern void gpuscan_reader_restart(HeapReader *reader);
extern void gpuscan_reader_end(HeapReader *reader);

/* Pin more blocks, until 'count' wait in the ring or there are no more. */
extern void gpuscan_reader_fill(HeapReader *reader, unsigned count);

/* The block whose turn it is; false at the end of the table. */
static inline bool
gpuscan_reader_peek(HeapReader *reader, unsigned ahead)
{
	if (reader->tail - reader->head <= ahead && !reader->finished)
		gpuscan_reader_fill(reader, ahead + 1);
	return reader->tail != reader->head;
}

#define READER_SLOT(n)	((n) & READER_MAX_AHEAD)

#endif							/* GPUSCAN_READER_H */
