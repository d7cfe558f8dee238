/*-------------------------------------------------------------------------
 *
 * source.c
 *	  Batches of a table's pages and of the rows that a snapshot sees.
 *
 * The counterpart of heapam.c's heapgetpage (heap_prepare_pagescan from 17
 * on): prune if it pays, take the content lock in share mode, decide which
 * line pointers are visible, drop the lock and keep the pin.  With the pin
 * held nobody moves the tuples that were found.
 *
 * For a device the page is copied under that lock instead, and the pin is
 * dropped with it.  A row of it that is wanted afterwards is found again by
 * block and line pointer: a tuple that our snapshot sees is not removed, and
 * keeps its line pointer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "executor/instrument.h"
#include "heap/reader.h"
#include "heap/source.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/buf_internals.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

StaticAssertDecl(BATCH_MAX_ROWS >= MaxHeapTuplesPerPage, "a page must fit into a batch");

/*
 * How many pages before its turn a page is pinned and its lines are asked
 * for: with 8 kB each they stay within the second-level cache.
 */
#define SOURCE_AHEAD		8

/* ... and how many of each where few are asked for; one pin is the caller's */
#define SOURCE_FEW_PAGES	4
#define SOURCE_FEW_AHEAD	2

#define CACHE_LINE			64

/* A batch that was handed out, and the pins that keep its pages. */
typedef struct HeldBatch
{
	Batch		batch;
	Buffer		buffers[BATCH_MAX_PAGES];
	char	   *copies[BATCH_MAX_PAGES];	/* padded pages, see readable_page */
} HeldBatch;

struct HeapSource
{
	Relation	rel;
	Snapshot	snapshot;
	MemoryContext context;
	int			depth;
	bool		counts_only;
	bool		stages;			/* one batch at a time is pinned at most */
	HeapReader	reader;
	unsigned	turn;			/* number of the next batch */
	int			max_pages;		/* of the next batch, doubles */
	bool		cold;			/* the last batch was read from disk */
	bool		few;			/* see gpuscan_source_few_pages */
	uint64		ordinal;
	HeapSourceStats stats;
	uint16		offsets[MaxHeapTuplesPerPage];	/* 1, 2, 3, ... */
	HeldBatch **held;			/* depth */
	HeldBatch  *pinned;			/* of a source that stages: the one with pins, or NULL */
	HeldBatch  *again;			/* of gpuscan_source_again, or NULL */
	Buffer		repinned;		/* the page of a staged batch that is looked at */
};

static pg_noinline void
corrupt_page(HeapSource *source, BlockNumber block, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("%s in relation \"%s\", block %u",
					what, RelationGetRelationName(source->rel), block)));
}

/*
 * Engines read up to BATCH_PAGE_SLACK bytes past a page.  After most buffers
 * comes another one; the last is copied to a place with room behind it, and
 * local buffers, which are allocated in pieces (localbuf.c), likewise.
 */
static const char *
readable_page(HeapSource *source, HeldBatch *held, int n, Buffer buffer, Page page)
{
	if (likely(buffer > 0 && buffer < NBuffers))
		return page;

	if (held->copies[n] == NULL)
	{
		held->copies[n] = MemoryContextAlloc(source->context, BLCKSZ + BATCH_PAGE_SLACK);
		memset(held->copies[n] + BLCKSZ, 0, BATCH_PAGE_SLACK);
	}
	memcpy(held->copies[n], page, BLCKSZ);
	return held->copies[n];
}

/*
 * HeapTupleSatisfiesMVCC for a tuple that is known to be committed and not
 * deleted, without the call: the same tests in the same order
 * (heapam_visibility.c).  False means: ask the function.
 */
static inline bool
plainly_visible(HeapTupleHeader tuple, TransactionId snapshot_xmin)
{
	uint16		infomask = tuple->t_infomask;
	TransactionId xmin;

	if ((infomask & (HEAP_XMIN_COMMITTED | HEAP_XMAX_INVALID)) !=
		(HEAP_XMIN_COMMITTED | HEAP_XMAX_INVALID))
		return false;
	if (infomask & HEAP_XMIN_INVALID)
		return true;			/* both bits: frozen */
	xmin = HeapTupleHeaderGetRawXmin(tuple);
	return TransactionIdIsNormal(xmin) && (int32) (xmin - snapshot_xmin) < 0;
}

/* Line pointers in use; ItemIdIsNormal for many, in a loop without branches. */
static inline int
count_normal(Page page, int nlines)
{
	const ItemIdData *lines = ((PageHeader) page)->pd_linp;
	uint32		count = 0;

	for (int i = 0; i < nlines; i++)
	{
		uint32		line;

		/* lp_flags lie in the middle of the word, whatever the byte order */
		memcpy(&line, &lines[i], sizeof(line));
		count += ((line >> 15) & 3) == LP_NORMAL;
	}
	return count;
}

/*
 * Visible line pointers of a page that is not all-visible, or of any when
 * serializable conflicts must be reported.
 */
static pg_noinline int
check_tuples(HeapSource *source, Buffer buffer, Page page, BlockNumber block, int nlines,
			 bool all_visible, bool serializable, uint16 *offnum)
{
	Snapshot	snapshot = source->snapshot;
	TransactionId snapshot_xmin = snapshot->xmin;
	HeapTupleData tuple;
	int			count = 0;

	tuple.t_tableOid = RelationGetRelid(source->rel);
	for (int line = FirstOffsetNumber; line <= nlines; line++)
	{
		ItemId		id = PageGetItemId(page, line);
		bool		visible;

		if (!ItemIdIsNormal(id))
			continue;
		if (unlikely(ItemIdGetOffset(id) + ItemIdGetLength(id) > BLCKSZ ||
					 ItemIdGetLength(id) < SizeofHeapTupleHeader))
			corrupt_page(source, block, "line pointer out of bounds");
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, id);
		if (likely(!serializable && plainly_visible(tuple.t_data, snapshot_xmin)))
		{
			offnum[count++] = line;
			continue;
		}
		tuple.t_len = ItemIdGetLength(id);
		ItemPointerSet(&tuple.t_self, block, line);
		visible = all_visible || HeapTupleSatisfiesVisibility(&tuple, snapshot, buffer);
		if (serializable)
			HeapCheckForSerializableConflictOut(visible, source->rel, &tuple, buffer, snapshot);
		if (visible)
			offnum[count++] = line;
	}
	return count;
}

/*
 * Fill in a page's visible rows, and copy it to 'copy' (unless NULL) when it
 * has any.  False when they would not fit into what is left of the batch: the
 * page is for the next one.
 */
static bool
visible_rows(HeapSource *source, Buffer buffer, Page page, Batch *batch, BatchPage *out, char *copy,
			 bool *all_visible)
{
	Snapshot	snapshot = source->snapshot;
	uint16	   *offnum = batch->offnum + batch->nrows;
	int			room = BATCH_MAX_ROWS - batch->nrows;
	BlockNumber block = BufferGetBlockNumber(buffer);
	bool		serializable;
	int			nlines;
	int			nrows;

	/* heap_page_prune_opt's first test, made before the call */
	if (TransactionIdIsValid(((PageHeader) page)->pd_prune_xid))
		heap_page_prune_opt(source->rel, buffer);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
#if PG_VERSION_NUM < 170000
	TestForOldSnapshot(snapshot, source->rel, page);
#endif
	nlines = PageGetMaxOffsetNumber(page);
	if (unlikely(nlines > room))
	{
		if (nlines > MaxHeapTuplesPerPage)
			corrupt_page(source, block, "too many line pointers");
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		return false;
	}

	/*
	 * On a standby the page's flag may be ahead of the snapshot; heapam.c has
	 * the whole story.
	 */
	*all_visible = PageIsAllVisible(page) && !snapshot->takenDuringRecovery;
	serializable = CheckForSerializableConflictOutNeeded(source->rel, snapshot);
	out->dense = false;
	if (likely(*all_visible && !serializable))
	{
		nrows = count_normal(page, nlines);
		if (nrows == nlines)
		{
			out->dense = true;
			if (!source->counts_only)
				memcpy(offnum, source->offsets, nrows * sizeof(uint16));
		}
		else if (!source->counts_only)
		{
			int			n = 0;

			for (int line = FirstOffsetNumber; line <= nlines; line++)
				if (ItemIdIsNormal(PageGetItemId(page, line)))
					offnum[n++] = line;
		}
	}
	else
	{
		nrows = check_tuples(source, buffer, page, block, nlines, *all_visible, serializable, offnum);
		/* the offsets ascend: the last one says whether there is a gap */
		out->dense = nrows > 0 && offnum[nrows - 1] == nrows;
	}
	if (copy != NULL && nrows > 0)
		memcpy(copy, page, BLCKSZ);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);

	out->block = block;
	out->first = batch->nrows;
	out->nrows = nrows;
	return true;
}

HeapSource *
gpuscan_source_begin(Relation rel, Snapshot snapshot, ParallelTableScanDesc shared,
					 int depth, bool counts_only, bool stages)
{
	HeapSource *source = palloc0(sizeof(HeapSource));

	if (snapshot == NULL || snapshot->snapshot_type != SNAPSHOT_MVCC)
		elog(ERROR, "gpuscan can only scan under an MVCC snapshot");

	source->rel = rel;
	source->snapshot = snapshot;
	source->context = CurrentMemoryContext;
	source->depth = depth;
	source->counts_only = counts_only;
	source->stages = stages;
	source->held = palloc0(depth * sizeof(HeldBatch *));
	for (int i = 0; i < MaxHeapTuplesPerPage; i++)
		source->offsets[i] = i + 1;

	/* as table_beginscan does for a sequential scan (heap_beginscan) */
	PredicateLockRelation(rel, snapshot);
	gpuscan_reader_begin(&source->reader, rel, (ParallelBlockTableScanDesc) shared);
	pgstat_count_heap_scan(rel);
	source->max_pages = 1;
	return source;
}

static void
release_batch(HeapSource *source, HeldBatch *held)
{
	if (!source->counts_only && !held->batch.staged)
		for (uint32 i = 0; i < held->batch.npages; i++)
			ReleaseBuffer(held->buffers[i]);
	held->batch.npages = 0;
	held->batch.nrows = 0;
	held->batch.staged = false;
}

static void
release_repinned(HeapSource *source)
{
	if (BufferIsValid(source->repinned))
		ReleaseBuffer(source->repinned);
	source->repinned = InvalidBuffer;
}

static void
init_batch(HeldBatch *held, bool staged, uint64 ordinal)
{
	held->batch.blcksz = BLCKSZ;
	held->batch.staged = staged;
	held->batch.ordinal = ordinal;
}

/* Add a page that stays in its buffer. */
static void
keep_page(HeapSource *source, HeldBatch *held, BatchPage *out, Buffer buffer, Page page)
{
	int			n = out - held->batch.pages;

	held->buffers[n] = buffer;
	out->data = readable_page(source, held, n, buffer, page);
	out->ahead = NULL;
}

Batch *
gpuscan_source_next(HeapSource *source, char *room)
{
	HeapReader *reader = &source->reader;
	HeldBatch  *held = source->held[source->turn % source->depth];
	Batch	   *batch;
	int64		reads = pgBufferUsage.shared_blks_read;
	int			limit;
	int			max_pages;
	int			ahead;

	if (held == NULL)
	{
		held = MemoryContextAllocZero(source->context, sizeof(HeldBatch));
		source->held[source->turn % source->depth] = held;
	}
	else
		release_batch(source, held);
	source->turn++;
	if (source->stages)
	{
		if (source->pinned != NULL && source->pinned != held)
			release_batch(source, source->pinned);
		source->pinned = room == NULL ? held : NULL;
	}
	batch = &held->batch;
	init_batch(held, room != NULL, source->ordinal);

	/* share the pins that we may hold between lookahead and batches */
	limit = source->cold ? reader->cold_pin_limit : reader->pin_limit;
	ahead = Min(SOURCE_AHEAD, limit / 4);
	ahead = Min(ahead, source->max_pages - 1);
	if (source->counts_only || room != NULL)
		max_pages = BATCH_MAX_PAGES;	/* none is kept */
	else
		max_pages = Max((limit - ahead) / (source->stages ? 1 : source->depth), 1);
	max_pages = Min(max_pages, source->max_pages);
	if (source->few && !source->counts_only)
	{
		max_pages = Min(max_pages, SOURCE_FEW_PAGES);
		ahead = Min(ahead, SOURCE_FEW_AHEAD);
	}

	while (batch->npages < (uint32) max_pages && gpuscan_reader_peek(reader, ahead))
	{
		Buffer		buffer = reader->buffers[READER_SLOT(reader->head)];
		Page		page = reader->pages[READER_SLOT(reader->head)];
		Page		last = reader->pages[READER_SLOT(reader->tail - 1)];
		Page		soon = reader->pages[READER_SLOT(Min(reader->head + 2, reader->tail - 1))];
		BatchPage  *out = &batch->pages[batch->npages];
		char	   *copy = room == NULL ? NULL : room + (Size) batch->npages * BLCKSZ;
		bool		all_visible;

		CHECK_FOR_INTERRUPTS();

		/* tuple headers will be looked at: only a guess, so no lock */
		if (!PageIsAllVisible(soon))
			for (int i = ((PageHeader) soon)->pd_upper; i < BLCKSZ; i += CACHE_LINE)
				__builtin_prefetch((const char *) soon + i);

		if (!visible_rows(source, buffer, page, batch, out, copy, &all_visible))
			break;
		reader->head++;
		source->stats.pages++;
		source->stats.pages_all_visible += all_visible;
		batch->nrows += out->nrows;
		if (source->counts_only)
		{
			ReleaseBuffer(buffer);
			if (out->nrows == 0)
				continue;
			out->data = out->ahead = NULL;
		}
		else
		{
			if (out->nrows == 0)
			{
				ReleaseBuffer(buffer);
				continue;
			}
			if (copy == NULL)
			{
				keep_page(source, held, out, buffer, page);
				out->ahead = last == page ? NULL : last;
			}
			else
			{
				ReleaseBuffer(buffer);
				out->data = copy;
				out->ahead = NULL;
			}
		}
		batch->npages++;
	}

	source->cold = reader->strategy != NULL && pgBufferUsage.shared_blks_read != reads;
	source->max_pages = Min(source->max_pages * 2, BATCH_MAX_PAGES);
	if (batch->npages == 0)
		return NULL;

	source->ordinal += batch->nrows;
	source->stats.batches++;
	source->stats.rows += batch->nrows;
	/* as pgstat_count_heap_getnext for each */
	pgstat_count_index_tuples(source->rel, batch->nrows);
	return batch;
}

Batch *
gpuscan_source_again(HeapSource *source, const BlockNumber *blocks, uint32 npages,
					 uint32 nrows, uint64 ordinal)
{
	HeldBatch  *held = source->again;
	Batch	   *batch;

	if (held == NULL)
		held = source->again = MemoryContextAllocZero(source->context, sizeof(HeldBatch));
	else
		release_batch(source, held);
	batch = &held->batch;
	init_batch(held, false, ordinal);
	for (uint32 i = 0; i < npages; i++)
	{
		BatchPage  *out = &batch->pages[i];
		Buffer		buffer = ReadBufferExtended(source->rel, MAIN_FORKNUM, blocks[i], RBM_NORMAL,
												source->reader.strategy);
		bool		all_visible;

		CHECK_FOR_INTERRUPTS();
		if (!visible_rows(source, buffer, BufferGetPage(buffer), batch, out, NULL, &all_visible))
			elog(ERROR, "block %u has more rows than before", blocks[i]);
		keep_page(source, held, out, buffer, BufferGetPage(buffer));
		batch->npages++;
		batch->nrows += out->nrows;
	}
	if (batch->nrows != nrows)
		elog(ERROR, "blocks %u to %u have %u visible rows, and had %u",
			 blocks[0], blocks[npages - 1], batch->nrows, nrows);
	return batch;
}

/* The page that a row is in. */
static const BatchPage *
page_of_row(const Batch *batch, uint32 row)
{
	uint32		low = 0;
	uint32		high = batch->npages;

	Assert(row < batch->nrows);
	while (high - low > 1)
	{
		uint32		middle = (low + high) / 2;

		if (batch->pages[middle].first <= row)
			low = middle;
		else
			high = middle;
	}
	return &batch->pages[low];
}

void
gpuscan_source_page(HeapSource *source, const Batch *batch, uint32 row, SourcePage *page)
{
	const BatchPage *bp = page_of_row(batch, row);
	const HeldBatch *held = (const HeldBatch *) batch;

	if (batch->staged)
	{
		release_repinned(source);
		source->repinned = ReadBufferExtended(source->rel, MAIN_FORKNUM, bp->block, RBM_NORMAL,
											  source->reader.strategy);

		/*
		 * Pruning that began before our pin may be moving tuples: the lock waits
		 * for its end, and the pin keeps others from beginning.
		 */
		LockBuffer(source->repinned, BUFFER_LOCK_SHARE);
		LockBuffer(source->repinned, BUFFER_LOCK_UNLOCK);
		page->buffer = source->repinned;
	}
	else
		page->buffer = held->buffers[bp - batch->pages];
	page->page = BufferGetPage(page->buffer);
	page->block = bp->block;
	page->first = bp->first;
	page->nrows = bp->nrows;
	page->ahead = bp->ahead;
}

void
gpuscan_source_corrupt(HeapSource *source, const Batch *batch, uint32 row)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("tuple lengths out of bounds in relation \"%s\", block %u, offset %u",
					RelationGetRelationName(source->rel),
					page_of_row(batch, row)->block, batch->offnum[row])));
}

void
gpuscan_source_few_pages(HeapSource *source, bool few)
{
	source->few = few;
}

BlockNumber
gpuscan_source_start(const HeapSource *source)
{
	return source->reader.start;
}

const HeapSourceStats *
gpuscan_source_stats(const HeapSource *source)
{
	return &source->stats;
}

static void
release_all(HeapSource *source)
{
	for (int i = 0; i < source->depth; i++)
		if (source->held[i] != NULL)
			release_batch(source, source->held[i]);
	if (source->again != NULL)
		release_batch(source, source->again);
	release_repinned(source);
}

static void
free_batch(HeldBatch *held)
{
	if (held == NULL)
		return;
	for (int n = 0; n < BATCH_MAX_PAGES; n++)
		if (held->copies[n] != NULL)
			pfree(held->copies[n]);
	pfree(held);
}

void
gpuscan_source_rescan(HeapSource *source)
{
	release_all(source);
	gpuscan_reader_restart(&source->reader);
	pgstat_count_heap_scan(source->rel);
	source->max_pages = 1;
	source->pinned = NULL;
	source->cold = false;
	source->ordinal = 0;
}

void
gpuscan_source_end(HeapSource *source)
{
	release_all(source);
	gpuscan_reader_end(&source->reader);
	for (int i = 0; i < source->depth; i++)
		free_batch(source->held[i]);
	free_batch(source->again);
	pfree(source->held);
	pfree(source);
}
