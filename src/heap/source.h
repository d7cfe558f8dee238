/*-------------------------------------------------------------------------
 *
 * source.h
 *	  The page source: batches of an ordinary table's pages and visible rows.
 *
 * Reads through the buffer manager, decides visibility on the host with
 * PostgreSQL's own rules, and keeps the pages of a batch pinned until the
 * next but 'depth' batch is asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_SOURCE_H
#define GPUSCAN_SOURCE_H

#include "access/htup_details.h"
#include "access/relscan.h"
#include "compat.h"
#include "heap/batch.h"
#include "storage/buf.h"
#include "storage/bufpage.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct HeapSource HeapSource;

typedef struct HeapSourceStats
{
	int64		pages;			/* read */
	int64		pages_all_visible;
	int64		batches;
	int64		rows;			/* visible */
} HeapSourceStats;

/*
 * Begin a scan of rel under snapshot (an MVCC snapshot).  Takes the predicate
 * lock, counts the scan in the statistics as a sequential scan does, and
 * allocates in the current memory context.  depth: how many batches the caller
 * holds at a time (at least 1).  counts_only: offnum is not needed.  stages:
 * batches are staged as a rule; one that is pinned is valid until the next call.
 * shared: what the processes of a parallel scan share, or NULL; it must last as
 * long as batches are asked for, and such a source is not scanned again.
 */
extern HeapSource *gpuscan_source_begin(Relation rel, Snapshot snapshot, ParallelTableScanDesc shared,
										int depth, bool counts_only, bool stages);

/*
 * The next batch, or NULL at the end.  Batches start at one page and grow, so
 * that who stops early has read little.  Valid until 'depth' further calls.
 *
 * room: memory for BATCH_MAX_PAGES pages and BATCH_PAGE_SLACK bytes, or NULL.
 * Pages are copied there under their content lock, one after another, and no
 * pin is held; without it they stay in their buffers, pinned.
 */
extern Batch *gpuscan_source_next(HeapSource *source, char *room);

/*
 * A batch that was handed out before, read once more: the same rows, for the
 * snapshot is the same.  Pinned, and valid until the next call of this function.
 */
extern Batch *gpuscan_source_again(HeapSource *source, const BlockNumber *blocks, uint32 npages,
								   uint32 nrows, uint64 ordinal);

/* A page of a batch as the buffer manager has it. */
typedef struct SourcePage
{
	Page		page;
	Buffer		buffer;
	BlockNumber block;
	uint32		first;			/* rows of the batch that it has */
	uint32		nrows;
	const char *ahead;			/* as BatchPage's */
} SourcePage;

/*
 * The page that a row of a batch is in.  Of a staged batch it is pinned again,
 * until the next call.
 */
extern void gpuscan_source_page(HeapSource *source, const Batch *batch, uint32 row, SourcePage *page);

/*
 * The row as a heap tuple in its still pinned page.  False when its line
 * pointer leaves the page.
 */
static inline bool
gpuscan_source_tuple(const SourcePage *page, const Batch *batch, uint32 row, HeapTuple tuple)
{
	OffsetNumber offset = batch->offnum[row];
	ItemId		id = PageGetItemId(page->page, offset);

	/* no lock: a line pointer in use stays as it is while we hold the pin */
	tuple->t_data = (HeapTupleHeader) PageGetItem(page->page, id);
	tuple->t_len = ItemIdGetLength(id);
	ItemPointerSet(&tuple->t_self, page->block, offset);
	return ItemIdIsNormal(id) && ItemIdGetLength(id) >= SizeofHeapTupleHeader &&
		ItemIdGetOffset(id) + ItemIdGetLength(id) <= BLCKSZ;
}

/* Raise ERRCODE_DATA_CORRUPTED for a row whose lengths leave its bounds. */
pg_noreturn extern void gpuscan_source_corrupt(HeapSource *source, const Batch *batch, uint32 row);

/*
 * From now on batches of a few pages only, or of many again.  For row by row
 * work few are better: bufmgr.c finds up to eight pins without a hash table.
 */
extern void gpuscan_source_few_pages(HeapSource *source, bool few);

/* The block that the scan began with: not 0, if it joined another one (syncscan.c). */
extern BlockNumber gpuscan_source_start(const HeapSource *source);

extern const HeapSourceStats *gpuscan_source_stats(const HeapSource *source);
extern void gpuscan_source_rescan(HeapSource *source);
extern void gpuscan_source_end(HeapSource *source);

#endif							/* GPUSCAN_SOURCE_H */
