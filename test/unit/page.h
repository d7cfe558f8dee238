/*-------------------------------------------------------------------------
 *
 * page.h
 *	  Heap tuples and pages built in memory.
 *
 * As heap_fill_tuple and PageAddItem build them.  A page is a piece of memory
 * of its own that ends with the slack engines may read: what reads further is
 * reported by AddressSanitizer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_PAGE_H
#define UNIT_PAGE_H

#include "cell.h"
#include "heap/batch.h"

#define PAGE_HEADER			24
#define TUPLE_HEADER		23
#define TUPLE_MAX			32768

typedef struct Page
{
	char	   *data;			/* blcksz bytes, and BATCH_PAGE_SLACK */
	uint32_t	blcksz;
	uint32_t	upper;
	uint16_t	nitems;
} Page;

static void
page_init(Page *page, uint32_t blcksz)
{
	page->data = malloc(blcksz + BATCH_PAGE_SLACK);
	memset(page->data, 0x7B, blcksz + BATCH_PAGE_SLACK);
	page->blcksz = blcksz;
	page->upper = blcksz;
	page->nitems = 0;
}

static void
page_free(Page *page)
{
	free(page->data);
}

/* The number of the line pointer, or 0 when the page is full. */
static uint16_t
page_add(Page *page, const uint8_t *tuple, uint32_t len)
{
	uint32_t	room = (len + 7) & ~7u;
	uint32_t	item;

	if (page->upper < room + PAGE_HEADER + 4u * (page->nitems + 1))
		return 0;
	page->upper -= room;
	memcpy(page->data + page->upper, tuple, len);
	item = page->upper | 1u << 15 | len << 17;
	memcpy(page->data + PAGE_HEADER + 4 * page->nitems, &item, 4);
	return ++page->nitems;
}

/* ------------------------------------------------------------------------
 * Tuples
 * ------------------------------------------------------------------------
 */

static uint32_t
tuple_align(uint32_t at, uint32_t align)
{
	return (at + align - 1) / align * align;
}

/* One varlena at position 'at' (before padding); returns the position behind. */
static uint32_t
tuple_put_varlena(uint8_t *tuple, uint32_t at, uint32_t align, const Cell *cell)
{
	if (cell->form == CELL_EXTERNAL)
	{
		tuple[at] = 0x01;
		tuple[at + 1] = 18;		/* VARTAG_ONDISK */
		memset(tuple + at + 2, 0xE7, 16);
		return at + 18;
	}
	if (cell->form == CELL_SHORT && cell->len <= 126)
	{
		tuple[at] = (uint8_t) ((cell->len + 1) << 1 | 1);
		memcpy(tuple + at + 1, cell->bytes, cell->len);
		return at + 1 + cell->len;
	}
	while (at % align != 0)
		tuple[at++] = 0;

	uint32_t	header = (cell->len + 4) << 2 | (cell->form == CELL_COMPRESSED ? 2 : 0);

	memcpy(tuple + at, &header, 4);
	memcpy(tuple + at + 4, cell->bytes, cell->len);
	return at + 4 + cell->len;
}

/*
 * A tuple with the first 'natts' of the attributes; positions, if wanted, go
 * to where[] (0 for NULL).  Returns its length, 0 when it is too long.
 */
static uint32_t
tuple_form(uint8_t *tuple, const ProgramLayout *layout, const Cell *cells, uint32_t natts, uint32_t *where)
{
	uint16_t	infomask = 0x0900,	/* XMIN_COMMITTED, XMAX_INVALID */
				infomask2 = (uint16_t) natts;
	uint32_t	at = TUPLE_HEADER;

	memset(tuple, 0, TUPLE_HEADER + (natts + 7) / 8 + 8);
	for (uint32_t i = 0; i < natts; i++)
		if (cells[i].null)
			infomask |= 1;
	if (infomask & 1)
	{
		for (uint32_t i = 0; i < natts; i++)
			tuple[TUPLE_HEADER + i / 8] |= (uint8_t) (!cells[i].null << (i % 8));
		at += (natts + 7) / 8;
	}
	at = tuple_align(at, 8);
	tuple[22] = (uint8_t) at;
	memcpy(tuple + 18, &infomask2, 2);
	memcpy(tuple + 20, &infomask, 2);

	for (uint32_t i = 0; i < natts; i++)
	{
		const ProgramLayout *lay = &layout[i];

		if (where)
			where[i] = 0;
		if (cells[i].null)
			continue;
		if (at + cells[i].len + (uint32_t) (lay->attlen > 0 ? lay->attlen : 0) + 64 > TUPLE_MAX)
			return 0;
		if (lay->attlen == -1)
		{
			uint32_t	next = tuple_put_varlena(tuple, at, lay->attalign, &cells[i]);

			if (where)
				where[i] = cells[i].form == CELL_EXTERNAL || (cells[i].form == CELL_SHORT && cells[i].len <= 126) ?
					at : tuple_align(at, lay->attalign);
			at = next;
			continue;
		}
		while (at % lay->attalign != 0)
			tuple[at++] = 0;
		if (where)
			where[i] = at;
		if (lay->attlen == -2)
		{
			memcpy(tuple + at, cells[i].bytes, cells[i].len);
			tuple[at + cells[i].len] = '\0';
			at += cells[i].len + 1;
		}
		else
		{
			/* bytes with zeros behind them, or little-endian; longer columns repeat the integer */
			for (int b = 0; b < lay->attlen; b++)
				if (cells[i].bytes)
					tuple[at++] = (uint32_t) b < cells[i].len ? (uint8_t) cells[i].bytes[b] : 0;
				else
					tuple[at++] = (uint8_t) (cells[i].integer >> (8 * (b % 8)));
		}
	}
	return at;
}

#endif							/* UNIT_PAGE_H */
