/*-------------------------------------------------------------------------
 *
 * reader.c
 *	  The blocks of a table in the order of a sequential scan, pinned.
 *
 * What heapam.c does around its pages, done here in the same way: the number
 * of blocks is fixed when the scan starts (later ones hold nothing that the
 * snapshot sees), big tables are read through a ring of buffers and may join
 * another scan midway (syncscan.c).  The processes of a parallel scan take
 * ranges of blocks from tableam.c's table_block_parallelscan_nextpage, as under
 * PostgreSQL's parallel sequential scan.
 *
 * From 17 on blocks come from a ReadStream, which combines reads and asks the
 * kernel, or the I/O workers, early.  Before, the kernel's own readahead sees
 * an ascending sequence, as it does under PostgreSQL's sequential scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/syncscan.h"
#include "common/pg_prng.h"
#include "compat.h"
#include "heap/reader.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/rel.h"

#if PG_VERSION_NUM >= 170000
#include "storage/read_stream.h"
#endif

#define CACHE_LINE	64

/*
 * A backend's fair share of the buffers, as bufmgr.c's LimitAdditionalPins
 * (16+) has it.  Temporary tables have a pool of their own, of which a plan
 * with many scans must not take all.
 */
static int
pin_limit(Relation rel)
{
	int			limit;

	if (RelationUsesLocalBuffers(rel))
		limit = num_temp_buffers / 32;
	else
		limit = NBuffers / (MaxBackends + NUM_AUXILIARY_PROCS);
	return Max(limit, 1);
}

/* The next block in scan order, from 'start' round to where it began. */
static BlockNumber
next_block(HeapReader *reader)
{
	BlockNumber block;

	if (reader->shared != NULL)
	{
		if (reader->asked++ == 0)
			table_block_parallelscan_startblock_init(reader->rel, &reader->worker, reader->shared);
		return table_block_parallelscan_nextpage(reader->rel, &reader->worker, reader->shared);
	}
	if (reader->asked >= reader->nblocks)
		return InvalidBlockNumber;
	block = reader->start + reader->asked;
	if (block >= reader->nblocks || block < reader->start)
		block -= reader->nblocks;
	reader->asked++;

	/* in steps of its own, see ss_report_location */
	if (reader->report)
		ss_report_location(reader->rel, block);
	return block;
}

#if PG_VERSION_NUM >= 170000
static BlockNumber
stream_next_block(ReadStream *stream, void *arg, void *per_buffer)
{
	return next_block(arg);
}
#endif

#if PG_VERSION_NUM < 170000
/*
 * A table that was read in one go lies in consecutive buffers.  Then the one
 * behind the last is tried first: a look at its header instead of a search in the
 * shared table of buffers, whose lines are in no cache (a third of the time of
 * a scan of cached pages).
 *
 * ReadRecentBuffer leaves a buffer's usage count as it is, which would make a
 * table that we alone read the first one to be evicted.  So every fourth block,
 * in each scan others, is read the ordinary way.
 */
#define ORDINARY_BLOCKS	4

static Buffer
read_block(HeapReader *reader, BlockNumber block)
{
	const Buffer guess = reader->last + 1;
	Buffer		buffer = InvalidBuffer;

	if (reader->consecutive && guess <= NBuffers && (block + reader->phase) % ORDINARY_BLOCKS != 0 &&
		ReadRecentBuffer(reader->rel->RD_LOCATOR, MAIN_FORKNUM, block, guess))
	{
		buffer = guess;
		pgstat_count_buffer_read(reader->rel);
		pgstat_count_buffer_hit(reader->rel);
	}
	else
		buffer = ReadBufferExtended(reader->rel, MAIN_FORKNUM, block, RBM_NORMAL, reader->strategy);
	/* buffers of temporary tables have negative numbers, and are found cheaply */
	reader->consecutive = buffer == guess && buffer > 1;
	reader->last = buffer;
	return buffer;
}
#endif

static Buffer
next_buffer(HeapReader *reader)
{
#if PG_VERSION_NUM >= 170000
	return read_stream_next_buffer(reader->stream, NULL);
#else
	BlockNumber block = next_block(reader);

	if (!BlockNumberIsValid(block))
		return InvalidBuffer;
	return read_block(reader, block);
#endif
}

/*
 * heapam.c's initscan: called after the snapshot was taken, so that every row
 * it sees is in one of the blocks.
 */
static void
start(HeapReader *reader, bool keep_start)
{
	Relation	rel = reader->rel;
	bool		big;

	reader->nblocks = reader->shared != NULL ? reader->shared->phs_nblocks : RelationGetNumberOfBlocks(rel);
	reader->asked = 0;
	reader->finished = false;
	reader->head = reader->tail = 0;
	reader->last = InvalidBuffer;
	reader->consecutive = false;
	reader->phase = pg_prng_uint32(&pg_global_prng_state);

	big = !RelationUsesLocalBuffers(rel) && reader->nblocks > (BlockNumber) NBuffers / 4;
	if (big && reader->strategy == NULL)
		reader->strategy = GetAccessStrategy(BAS_BULKREAD);
	else if (!big && reader->strategy != NULL)
	{
		FreeAccessStrategy(reader->strategy);
		reader->strategy = NULL;
	}

	/* rewinding a cursor must not change the order of its rows */
	reader->report = big && synchronize_seqscans;
	if (keep_start)
	{
		if (reader->start >= reader->nblocks)
			reader->start = 0;
	}
	else
		reader->start = reader->report ? ss_get_location(rel, reader->nblocks) : 0;

	/*
	 * A pinned buffer of the ring cannot be used again, and the ring would
	 * grow at the cost of others' buffers: hold half of it.
	 */
	reader->pin_limit = pin_limit(rel);
	reader->cold_pin_limit = reader->pin_limit;
	if (reader->strategy != NULL)
	{
#if PG_VERSION_NUM >= 160000
		int			ring = GetAccessStrategyBufferCount(reader->strategy);
#else
		int			ring = Min(NBuffers / 8, 256 * 1024 / BLCKSZ);	/* freelist.c */
#endif
		reader->cold_pin_limit = Max(Min(reader->pin_limit, ring / 2), 1);
	}

#if PG_VERSION_NUM >= 170000
	{
		int			flags = READ_STREAM_SEQUENTIAL;

#if PG_VERSION_NUM >= 180000
		flags |= READ_STREAM_USE_BATCHING;	/* next_block waits for nothing */
#endif
		reader->stream = read_stream_begin_relation(flags, reader->strategy, rel,
													MAIN_FORKNUM, stream_next_block,
													reader, 0);
	}
#endif
}

static void
stop(HeapReader *reader)
{
	while (reader->head != reader->tail)
		ReleaseBuffer(reader->buffers[READER_SLOT(reader->head++)]);
#if PG_VERSION_NUM >= 170000
	if (reader->stream != NULL)
		read_stream_end(reader->stream);
#endif
	reader->stream = NULL;
}

void
gpuscan_reader_begin(HeapReader *reader, Relation rel, ParallelBlockTableScanDesc shared)
{
	memset(reader, 0, sizeof(*reader));
	reader->rel = rel;
	reader->shared = shared;
	start(reader, false);
}

void
gpuscan_reader_restart(HeapReader *reader)
{
	stop(reader);
	start(reader, true);
}

void
gpuscan_reader_end(HeapReader *reader)
{
	stop(reader);
	if (reader->strategy != NULL)
		FreeAccessStrategy(reader->strategy);
	reader->strategy = NULL;
}

void
gpuscan_reader_fill(HeapReader *reader, unsigned count)
{
	Assert(count <= READER_MAX_AHEAD + 1);
	while (reader->tail - reader->head < count)
	{
		Buffer		buffer = next_buffer(reader);
		Page		page;

		if (!BufferIsValid(buffer))
		{
			reader->finished = true;
			return;
		}
		page = BufferGetPage(buffer);
		reader->buffers[READER_SLOT(reader->tail)] = buffer;
		reader->pages[READER_SLOT(reader->tail)] = page;
		reader->tail++;

		/* page header and line pointers */
		for (int i = 0; i < 5; i++)
			__builtin_prefetch((const char *) page + i * CACHE_LINE);
	}
}
