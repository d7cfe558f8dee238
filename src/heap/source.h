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

#include "access/htup.h"
#include "compat.h"
#include "heap/batch.h"
#include "storage/buf.h"
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
 * holds at a time (at least 1).  counts_only: offnum is not needed.
 */
extern HeapSource *gpuscan_source_begin(Relation rel, Snapshot snapshot, int depth, bool counts_only);

/*
 * The next batch, or NULL at the end.  Batches start at one page and grow, so
 * that who stops early has read little.  Valid until 'depth' further calls.
 */
extern Batch *gpuscan_source_next(HeapSource *source);

/*
 * The row as a heap tuple in its still pinned page, and the buffer.  Raises
 * ERRCODE_DATA_CORRUPTED when its line pointer leaves the page.
 */
extern Buffer gpuscan_source_tuple(HeapSource *source, const Batch *batch, uint32 row, HeapTuple tuple);

/* When a row is the first of its page: ask for the lines of the page ahead. */
extern void gpuscan_source_prefetch(HeapSource *source, const Batch *batch, uint32 row);

/* Raise ERRCODE_DATA_CORRUPTED for a row whose lengths leave its bounds. */
pg_noreturn extern void gpuscan_source_corrupt(HeapSource *source, const Batch *batch, uint32 row);

extern const HeapSourceStats *gpuscan_source_stats(const HeapSource *source);
extern void gpuscan_source_rescan(HeapSource *source);
extern void gpuscan_source_end(HeapSource *source);

#endif							/* GPUSCAN_SOURCE_H */
