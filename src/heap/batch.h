/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  A batch: heap pages and, for each, the line pointers that are visible.
 *
 * The page source (heap/source.h) fills batches; engines read them.  Which
 * line pointers are visible is decided under the page's content lock and
 * travels with the page, also when the whole page is visible: once the lock
 * is dropped, an insert may add a line pointer although the page is pinned.
 * Tuples themselves stay where they are and as they are while the pin lasts
 * (only pruning moves them, under a cleanup lock); or the batch has copies of
 * the pages, made under that lock (staged).
 *
 * Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_BATCH_H
#define GPUSCAN_BATCH_H

#include <stdint.h>

#define BATCH_MAX_PAGES		40
#define BATCH_MAX_ROWS		2048	/* at least MaxHeapTuplesPerPage */

/*
 * Engines may read this many bytes past the end of a page (never use them):
 * it lets them load eight bytes at once.  Who makes a batch sees to it.
 */
#define BATCH_PAGE_SLACK	16

typedef struct BatchPage
{
	const char *data;			/* the page, BLCKSZ bytes, MAXALIGNed */
	const char *ahead;			/* page to be asked for later: prefetch it while
								 * this one is worked on; or NULL */
	uint32_t	block;			/* block number in the relation */
	uint16_t	first;			/* number of its first row in the batch */
	uint16_t	nrows;			/* visible rows */
	uint16_t	dense;			/* their line pointers are 1 .. nrows */
	uint16_t	pad;
} BatchPage;

typedef struct Batch
{
	uint32_t	npages;
	uint32_t	nrows;
	uint32_t	blcksz;
	uint32_t	staged;			/* pages are copies, and nothing is pinned */
	uint64_t	ordinal;		/* of row 0, counted over the whole scan */
	BatchPage	pages[BATCH_MAX_PAGES];
	uint16_t	offnum[BATCH_MAX_ROWS]; /* 1-based line pointer of each row; not
										 * filled when the source was told that
										 * only counts are wanted */
} Batch;

#endif							/* GPUSCAN_BATCH_H */
