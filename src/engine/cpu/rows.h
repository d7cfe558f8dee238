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
 * Where few rows pass the first FILTER, rows are walked up to what it needs, and
 * those that pass further on.  What is damaged behind that in rows that do not
 * pass is not seen, nor does PostgreSQL see it.
 *
 * Memory, not arithmetic, is what a scan waits for.  So each page's lines are
 * prefetched one batch ahead, a few with every row.
 *
 *-------------------------------------------------------------------------
 */

#define PREFETCH_LINE	64

/*
 * The steps [from, to) with row i of those in work, which is plain, beginning at
 * *pos.  Returns false when they leave the tuple.
 */
BODY bool
walk_steps(const WalkStep *step, const WalkStep *end, const uint8_t *tuple, uint32_t len, uint32_t i, uint32_t *pos)
{
	uint32_t	at = *pos;

	for (; step < end; step++)
	{
		if (step->varlena)
		{
			uint32_t	head;

			if (unlikely_(at >= len))
				return false;
			head = tuple[at];
			if (likely_((head & 1) && head != 1))
			{
				step->store[i] = (uint16_t) at;
				at += head >> 1;
			}
			else
			{
				uint32_t	next = decode_varlena(tuple, len, step->align, &at);

				if (next == 0)
					return false;
				step->store[i] = (uint16_t) at;
				at = next;
			}
		}
		else
		{
			at = (at + step->align - 1) & ~(uint32_t) (step->align - 1);
			step->store[i] = (uint16_t) at;
			at += step->size;
		}
	}
	*pos = at;
	return at <= len;
}

/* Walk one page of plain rows, so many steps.  Returns false when a row is not plain. */
static bool
walk_page_plain(EngineRun *run, const BatchPage *page, uint32_t nsteps)
{
	const Batch *batch = run->batch;
	const uint16_t *offnum = batch->offnum + page->first;
	const char *ahead = page->ahead;
	const char *ahead_end = ahead ? ahead + batch->blcksz : NULL;
	uint32_t	burst = page->nrows ? (batch->blcksz / PREFETCH_LINE + page->nrows - 1) / page->nrows : 0;
	const WalkStep *steps = run->walk;
	const uint32_t need_natts = run->need_natts;
	const uint32_t from = run->walk_from;
	const bool	goes_on = nsteps < run->nwalk;
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
		if (unlikely_(!walk_steps(steps, steps + nsteps, tuple, len, page->first + i, &pos)))
			return false;
		if (goes_on)
		{
			run->walk_at[page->first + i] = (uint16_t) pos;
			run->tuple_len[page->first + i] = (uint16_t) len;
		}
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
	run->walked = run->few ? run->stages[0] : run->nwalk;
	for (uint32_t p = 0; p < batch->npages; p++)
	{
		if (!walk_page_plain(run, &batch->pages[p], run->walked))
		{
			walk_general(run);
			return;
		}
	}
}

/* Further with the plain rows in work: up to step number 'to'. */
static void
walk_on(EngineRun *run, uint32_t to)
{
	for (uint32_t i = 0; i < run->n; i++)
	{
		uint32_t	pos = run->walk_at[i];

		if (unlikely_(!walk_steps(run->walk + run->walked, run->walk + to, run->tuple[i], run->tuple_len[i], i, &pos)))
		{
			run->corrupt = run->row[i];
			return;
		}
		run->walk_at[i] = (uint16_t) pos;
	}
	run->walked = to;
}
