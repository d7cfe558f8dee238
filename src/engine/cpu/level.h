/*-------------------------------------------------------------------------
 *
 * level.h
 *	  All that runs per row, compiled once for each instruction level.
 *
 * A level_*.c defines LEVEL_NAME and LEVEL_SYMBOL, is compiled with the flags
 * of its level (see the Makefile), and includes this.
 *
 *-------------------------------------------------------------------------
 */
#include "engine/cpu/cpu.h"
#include "heap/decode.h"
#include "program/bodies_cpu.h"

static void note_failures(EngineRun *run, const Vector *dst);
static bool combine_nulls(EngineRun *run, Vector *dst, const Vector *a, const Vector *b);

#include "engine/cpu/rows.h"
#include "engine/cpu/load.h"
#include "engine/cpu/eval.h"
#include "engine/cpu/absorb.h"

static void
level_evaluate(EngineRun *run)
{
	const Program *program = run->program;
	Batch	   *batch = run->batch;

	run->n = batch->nrows;
	run->npunted = 0;
	run->corrupt = -1;
	run->nmasks = 0;
	gpuscan_arena_reset(run);
	for (uint32_t i = 0; i < batch->nrows; i++)
		run->row[i] = (uint16_t) i;
	if (run->any_punt)
		memset(run->punt, 0, BATCH_MAX_ROWS);
	run->any_punt = false;

	if (program->nattrs > 0)
		walk_rows(run);
	if (run->corrupt < 0)
	{
		eval_instrs(run);
		if (run->any_punt && run->corrupt < 0)
			set_punted_aside(run, &run->filters[run->nfilters]);
	}

	/* each FILTER appends its punted rows: sorted within, not among them */
	for (uint32_t i = 1; i < run->npunted; i++)
	{
		uint16_t	row = run->punted[i];
		uint32_t	k = i;

		for (; k > 0 && run->punted[k - 1] > row; k--)
			run->punted[k] = run->punted[k - 1];
		run->punted[k] = row;
	}
	run->result.batch = batch;
	run->result.nrows = run->n;
	run->result.rows = run->row;
	run->result.npunted = run->npunted;
	run->result.punted = run->punted;
	run->result.corrupt = run->corrupt;
}

static void
level_pack(EngineRun *run, uint32_t n)
{
	pack_rows(run, &run->filters[run->nfilters], n);
}

const CpuLevel LEVEL_SYMBOL = {
	.name = LEVEL_NAME,
	.evaluate = level_evaluate,
	.absorb = absorb_rows,
	.pack = level_pack
};
