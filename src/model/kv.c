/*-------------------------------------------------------------------------
 *
 * kv.c
 *	  See kv.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/kv.h"

#include <stdlib.h>
#include <string.h>

size_t
kv_page_bytes(const KvMemory *memory)
{
	return sizeof(KvPage) + (size_t) memory->layers * memory->heads * memory->head * 2 * KV_PAGE * sizeof(float);
}

static KvPage *
new_page(KvMemory *memory, ModelError *error)
{
	const size_t bytes = kv_page_bytes(memory);
	KvPage	   *page;

	if (memory->limit > 0 && memory->used + bytes > memory->limit)
	{
		model_error(error, MODEL_NO_MEMORY, "sequences take more than the %zu bytes of keys and values that they may have", memory->limit);
		return NULL;
	}
	page = calloc(1, bytes);
	if (!page)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory for %zu bytes of keys and values", bytes);
		return NULL;
	}
	page->references = 1;
	memory->used += bytes;
	return page;
}

static void
let_go(KvMemory *memory, KvPage *page)
{
	if (--page->references > 0)
		return;
	memory->used -= kv_page_bytes(memory);
	free(page);
}

static bool
room_for_pages(KvSequence *sequence, uint32_t n, ModelError *error)
{
	const uint32_t room = n + n / 2 + 4;
	KvPage	  **pages;

	if (n <= sequence->room)
		return true;
	pages = realloc(sequence->pages, room * sizeof *pages);
	if (!pages)
		return model_error(error, MODEL_NO_MEMORY, "out of memory");
	sequence->pages = pages;
	sequence->room = room;
	return true;
}

bool
kv_extend(KvMemory *memory, KvSequence *sequence, uint32_t n, ModelError *error)
{
	const uint32_t first = sequence->length / KV_PAGE;	/* that is written to */
	const uint32_t npages = (sequence->length + n + KV_PAGE - 1) / KV_PAGE;

	if (!room_for_pages(sequence, npages, error))
		return false;
	if (first < sequence->npages && sequence->pages[first]->references > 1)
	{
		KvPage	   *own = new_page(memory, error);

		if (!own)
			return false;
		memcpy(own->floats, sequence->pages[first]->floats, kv_page_bytes(memory) - sizeof(KvPage));
		let_go(memory, sequence->pages[first]);
		sequence->pages[first] = own;
	}
	while (sequence->npages < npages)
	{
		KvPage	   *page = new_page(memory, error);

		if (!page)
			return false;
		sequence->pages[sequence->npages++] = page;
	}
	return true;
}

bool
kv_fork(KvMemory *memory, const KvSequence *from, uint32_t length, KvSequence *to, ModelError *error)
{
	const uint32_t npages = (length + KV_PAGE - 1) / KV_PAGE;

	(void) memory;
	if (!room_for_pages(to, npages, error))
		return false;
	for (uint32_t i = 0; i < npages; i++)
	{
		to->pages[i] = from->pages[i];
		to->pages[i]->references++;
	}
	to->npages = npages;
	to->length = length;
	return true;
}

void
kv_clear(KvMemory *memory, KvSequence *sequence)
{
	for (uint32_t i = 0; i < sequence->npages; i++)
		let_go(memory, sequence->pages[i]);
	free(sequence->pages);
	*sequence = (KvSequence) {0};
}
