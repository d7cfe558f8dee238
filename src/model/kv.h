/*-------------------------------------------------------------------------
 *
 * kv.h
 *	  Keys and values of sequences that are being read or written: memory in
 *	  pages, which sequences that begin alike share.
 *
 * A page has KV_PAGE positions of all layers and heads, as products want them: keys
 * are panels of 16 positions that go along a head's floats, values are panels of
 * 16 floats that go along the page's positions.  Positions that are not written yet
 * are finite numbers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_KV_H
#define GPUSCAN_MODEL_KV_H

#include <stddef.h>
#include <stdint.h>

#include "model/matrix.h"
#include "model/model_error.h"

#define KV_PAGE		64

typedef struct KvPage
{
	uint32_t	references;		/* sequences that have it */
	float		floats[];		/* of each layer and head, keys and then values: KV_PAGE * head each */
} KvPage;

typedef struct KvMemory
{
	uint32_t	layers;
	uint32_t	heads;
	uint32_t	head;			/* floats of a head */
	size_t		limit;			/* bytes of all pages; 0: any */
	size_t		used;
} KvMemory;

typedef struct KvSequence
{
	KvPage	  **pages;
	uint32_t	npages;
	uint32_t	room;
	uint32_t	length;			/* positions that are written */
} KvSequence;

/* Bytes of a page */
extern size_t kv_page_bytes(const KvMemory *memory);

/* Room for n more positions, of which no other sequence has a part */
extern bool kv_extend(KvMemory *memory, KvSequence *sequence, uint32_t n, ModelError *error);

/* 'to', which is empty, begins with the first 'length' positions of 'from'; whole pages are shared. */
extern bool kv_fork(KvMemory *memory, const KvSequence *from, uint32_t length, KvSequence *to, ModelError *error);

/* Give all pages back; the sequence is empty then. */
extern void kv_clear(KvMemory *memory, KvSequence *sequence);

/* Of a page: keys of a layer and head, and values, which lie behind them */
static inline float *
kv_keys(const KvMemory *memory, KvPage *page, uint32_t layer, uint32_t head)
{
	return page->floats + ((size_t) layer * memory->heads + head) * 2 * KV_PAGE * memory->head;
}

static inline float *
kv_values(const KvMemory *memory, KvPage *page, uint32_t layer, uint32_t head)
{
	return kv_keys(memory, page, layer, head) + (size_t) KV_PAGE * memory->head;
}

#endif							/* GPUSCAN_MODEL_KV_H */
