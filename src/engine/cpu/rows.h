/*-------------------------------------------------------------------------
 *
 * rows.h
 *	  From line pointers to the positions of attributes; part of level.h.
 *
 * The usual row has no nulls and all attributes: its first attributes lie at
 * constant offsets, the rest is walked by a short list of steps, with the
 * one-byte varlena header as the fast case.  If any row of a batch is not of
 * that kind, the batch is walked again in the general way (decode_walk).
 *
 * Memory, not arithmetic, is what a scan waits for.  So each page's lines are
 * prefetched one batch ahead, a few with every row.
 *
 *-------------------------------------------------------------------------
 */

#define PREFETCH_LINE	64

/* Walk one page of plain rows.  Returns false when a row is not plain. */
static bool
walk_page_plain(EngineRun *run, const BatchPage *page)
{
	const Batch *batch = run->batch;
	const uint16_t *offnum = batch->offnum + page->first;
	const char *ahead = page->ahead;
	const char *ahead_end = ahead ? ahead + batch->blcksz : NULL;
	uint32_t	burst = page->nrows ? (batch->blcksz / PREFETCH_LINE + page->nrows - 1) / page->nrows : 0;
	const WalkStep *steps = run->walk;
	const uint32_t nsteps = run->nwalk;
	const uint32_t need_natts = run->need_natts;
	const uint32_t from = run->walk_from;
	const uint8_t **tuples = run->tuple + page->first;

	for (uint32_t i = 0; i < page->nrows; i++)
	{
		const uint8_t *tuple;
		uint32_t	len;
		uint32_t	pos = from;

		for (uint32_t k = 0; k < burst && ahead < ahead_end; k++, ahead += PREFETCH_LINE)
			__builtin_prefetch(ahead, 0, 2);

		if (unlikely_(!decode_item(page->data, batch->blcksz, offnum[i], &tuple, &len)))
			return false;
		tuples[i] = tuple;
		if (unlikely_(decode_hasnull(tuple) || decode_natts(tuple) < need_natts ||
					  tuple[22] != DECODE_HOFF_PLAIN || pos > len))
			return false;
		for (uint32_t s = 0; s < nsteps; s++)
		{
			const WalkStep *step = &steps[s];

			if (step->varlena)
			{
				uint32_t	head;

				if (unlikely_(pos >= len))
					return false;
				head = tuple[pos];
				if (likely_((head & 1) && head != 1))
				{
					step->store[page->first + i] = (uint16_t) pos;
					pos += head >> 1;
				}
				else
				{
					uint32_t	next = decode_varlena(tuple, len, step->align, &pos);

					if (next == 0)
						return false;
					step->store[page->first + i] = (uint16_t) pos;
					pos = next;
				}
			}
			else
			{
				pos = (pos + step->align - 1) & ~(uint32_t) (step->align - 1);
				step->store[page->first + i] = (uint16_t) pos;
				pos += step->size;
			}
		}
		if (unlikely_(pos > len))
			return false;
	}
	return true;
}

/* Walk the whole batch in the general way. */
static void
walk_general(EngineRun *run)
{
	const Batch *batch = run->batch;
	const Program *program = run->program;
	uint16_t	where[PROGRAM_MAX_ATTRS];

	run->plain = false;
	for (uint32_t p = 0; p < batch->npages; p++)
	{
		const BatchPage *page = &batch->pages[p];

		for (uint32_t i = page->first; i < (uint32_t) page->first + page->nrows; i++)
		{
			uint32_t	len;

			if (!decode_item(page->data, batch->blcksz, batch->offnum[i], &run->tuple[i], &len) ||
				!decode_walk(run->tuple[i], len, program_layout(program), program_attrs(program),
							 program->nattrs, where, 1))
			{
				if (run->corrupt < 0)
					run->corrupt = (int32_t) i;
				return;
			}
			for (uint32_t a = 0; a < program->nattrs; a++)
				run->pos[a][i] = where[a];
		}
	}
}

static void
walk_rows(EngineRun *run)
{
	const Batch *batch = run->batch;

	run->plain = true;
	for (uint32_t p = 0; p < batch->npages; p++)
	{
		if (!walk_page_plain(run, &batch->pages[p]))
		{
			walk_general(run);
			return;
		}
	}
}
