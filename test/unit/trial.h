/*-------------------------------------------------------------------------
 *
 * trial.h
 *	  A program over some batches: by the reference once, then by the engine
 *	  on each of the machine's levels, and compared.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_TRIAL_H
#define UNIT_TRIAL_H

#include "assemble.h"
#include "engine/cpu/cpu.h"
#include "memory.h"
#include "refgroups.h"
#include "table.h"

#define TRIAL_BATCHES	80

static const char *const trial_levels[] = {"base", "avx2", "avx512"};

/* What is to become of a batch. */
typedef struct TrialBatch
{
	Rows	   *rows;
	uint16_t	out[BATCH_MAX_ROWS];
	uint32_t	nout;
	uint16_t	punted[BATCH_MAX_ROWS];
	uint32_t	npunted;
	uint8_t    *keep;			/* or NULL */
	EngineSettled *settled;
	uint32_t	nsettled;
	uint32_t   *groups;			/* of the settled rows */
	bool		forgotten;		/* released, not absorbed */
} TrialBatch;

typedef struct Trial
{
	Rng		   *rng;
	Table	   *table;
	Program    *program;
	const ProgramValue *params;
	bool		decompresses;	/* the host reads compressed values for the engine */
	TrialBatch	batches[TRIAL_BATCHES];
	uint32_t	nbatches;
	RefGroups  *groups;
	Bytes		bytes;
	uint64_t	nout;			/* totals, so that a test can see that it tests */
	uint64_t	npunted;
} Trial;

static void
trial_init(Trial *trial, Rng *rng, Table *table, Program *program, const ProgramValue *params)
{
	memset(trial, 0, sizeof *trial);
	trial->rng = rng;
	trial->table = table;
	trial->program = program;
	trial->params = params;
	trial->decompresses = rng_chance(rng, 50);
	trial->groups = refgroups_new(program);
}

static void
trial_free(Trial *trial)
{
	for (uint32_t b = 0; b < trial->nbatches; b++)
		rows_free(trial->batches[b].rows);
	refgroups_free(trial->groups);
	bytes_free(&trial->bytes);
}

/* ------------------------------------------------------------------------
 * The reference's part
 * ------------------------------------------------------------------------
 */

/* A value as the host computes it; now and then one that engines cannot hold. */
static ProgramValue
trial_host_value(Trial *trial, uint8_t kind, bool may_be_foreign)
{
	Rng		   *rng = trial->rng;
	ProgramValue value = random_value(rng, &trial->bytes, kind, (uint8_t) rng_below(rng, PROFILES));

	if (rng_chance(rng, 15))
		return value_null(kind);
	if (may_be_foreign && (kind == VALUE_NUMERIC || kind == VALUE_TEXT) && rng_chance(rng, 25))
	{
		ProgramValue text = random_value(rng, &trial->bytes, VALUE_TEXT, (uint8_t) rng_below(rng, PROFILES));

		text.kind = kind;
		text.foreign = 1;
		return text;
	}
	return value;
}

/* Some of the punted rows pass, says the host. */
static void
trial_settle(Trial *trial, TrialBatch *batch)
{
	const Program *program = trial->program;

	batch->settled = (EngineSettled *) bytes_new(&trial->bytes, (batch->npunted + 1) * sizeof(EngineSettled));
	batch->groups = (uint32_t *) bytes_new(&trial->bytes, (batch->npunted + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; i < batch->npunted; i++)
	{
		EngineSettled *settled = &batch->settled[batch->nsettled];
		ProgramValue *keys,
				   *args;

		if (rng_chance(trial->rng, 30))
			continue;
		keys = (ProgramValue *) bytes_new(&trial->bytes, program->nkeys * sizeof *keys);
		args = (ProgramValue *) bytes_new(&trial->bytes, program->naggs * sizeof *args);
		for (uint32_t k = 0; k < program->nkeys; k++)
			keys[k] = trial_host_value(trial, program_regs(program)[program_keys(program)[k].reg].kind, true);
		for (uint32_t a = 0; a < program->naggs; a++)
		{
			const ProgramAgg *agg = &program_aggs(program)[a];

			args[a] = agg->arg == PROGRAM_NO_REG ? value_integer(VALUE_BOOL, 1) :
				trial_host_value(trial, program_regs(program)[agg->arg].kind, true);
			if (agg->filter != PROGRAM_NO_REG && rng_chance(trial->rng, 30))
				args[a].null = 1;
		}
		settled->row = batch->punted[i];
		settled->ordinal = batch->rows->batch.ordinal + batch->punted[i];
		settled->keys = keys;
		settled->args = args;
		batch->nsettled++;
	}
}

/* One more batch of at most nrows rows; the reference runs over it. */
static void
trial_add_batch(Trial *trial, uint32_t nrows)
{
	const Program *program = trial->program;
	TrialBatch *batch = &trial->batches[trial->nbatches++];
	RefValue   *regs = malloc((size_t) (program->nregs + 1) * BATCH_MAX_ROWS * sizeof(RefValue));
	bool		keeps = rng_chance(trial->rng, 25);
	uint32_t	kept = 0,
				settled = 0;

	batch->rows = rows_new(trial->rng, trial->table, nrows);
	batch->forgotten = !program->grouped || rng_chance(trial->rng, 5);
	for (uint32_t i = 0; i < batch->rows->batch.nrows; i++)
	{
		RefOutcome	outcome = ref_run(program, trial->params, trial->table, batch->rows, i, trial->decompresses,
									  regs + (size_t) batch->nout * program->nregs);

		if (outcome == REF_PASS)
			batch->out[batch->nout++] = (uint16_t) i;
		else if (outcome == REF_PUNT)
			batch->punted[batch->npunted++] = (uint16_t) i;
	}
	trial->nout += batch->nout;
	trial->npunted += batch->npunted;
	if (!batch->forgotten)
	{
		trial_settle(trial, batch);
		if (keeps)
		{
			batch->keep = (uint8_t *) bytes_new(&trial->bytes, batch->nout);
			for (uint32_t i = 0; i < batch->nout; i++)
				batch->keep[i] = rng_chance(trial->rng, 70);
		}
		/* in the order of rows */
		while (kept < batch->nout || settled < batch->nsettled)
		{
			if (settled == batch->nsettled ||
				(kept < batch->nout && batch->out[kept] < batch->settled[settled].row))
			{
				if (!batch->keep || batch->keep[kept])
					refgroups_add_row(trial->groups, regs + (size_t) kept * program->nregs,
									  batch->rows->batch.ordinal + batch->out[kept]);
				kept++;
			}
			else
			{
				batch->groups[settled] = refgroups_add_settled(trial->groups, &batch->settled[settled]);
				settled++;
			}
		}
	}
	free(regs);
	ref_room_empty();
}

/* ------------------------------------------------------------------------
 * The engine's part
 * ------------------------------------------------------------------------
 */

/* Our compressed values are the plain bytes behind a header that says otherwise. */
static const void *
trial_decompress(void *context, const void *varlena)
{
	uint32_t	size = load_u32(varlena) >> 2;
	uint32_t	header = size << 2;
	char	   *copy = memory_alloc(context, size + 8);	/* none so short is ever compressed: a key is loaded as eight bytes */

	memcpy(copy, varlena, size);
	memcpy(copy, &header, 4);
	return copy;
}

static void
trial_memory(const Trial *trial, Memory *memory)
{
	memory_init(memory);
	if (trial->decompresses)
	{
		memory->face.decompress = trial_decompress;
		memory->face.decompress_context = memory;
	}
}

static bool
trial_same_rows(const char *what, const uint16_t *rows, uint32_t nrows, const uint16_t *expected, uint32_t nexpected)
{
	for (uint32_t i = 0; i < nrows || i < nexpected; i++)
		if (i >= nrows || i >= nexpected || rows[i] != expected[i])
		{
			diag("%s: %u rows, reference %u; first difference: %d, reference %d", what, nrows, nexpected,
				 i < nrows ? rows[i] : -1, i < nexpected ? expected[i] : -1);
			return false;
		}
	return true;
}

/* Submit, collect, compare, absorb one batch.  settled rows get their groups. */
static bool
trial_run_batch(const Trial *trial, const Engine *engine, EngineRun *run, const TrialBatch *batch, bool in_order)
{
	const EngineResult *result;
	bool		same;

	engine->submit(run, &batch->rows->batch);
	result = engine->collect(run);
	same = result != NULL && result->batch == &batch->rows->batch;
	if (same && result->corrupt >= 0)
	{
		diag("row %d said to be corrupt", result->corrupt);
		same = false;
	}
	same = same && trial_same_rows("rows", result->rows, result->nrows, batch->out, batch->nout) &&
		trial_same_rows("punted rows", result->punted, result->npunted, batch->punted, batch->npunted);
	if (!same || batch->forgotten)
	{
		engine->release(run);
		return same;
	}
	engine->absorb(run, batch->keep, batch->settled, batch->nsettled);
	for (uint32_t i = 0; i < batch->nsettled && in_order; i++)
	{
		const EngineSettled *settled = &batch->settled[i];
		bool		is_new = trial->groups->groups[batch->groups[i]].first == settled->ordinal;

		if (settled->group != batch->groups[i] || (settled->is_new != 0) != is_new)
		{
			diag("settled row %u: group %u, new %d, reference %u, %d", settled->row, settled->group, settled->is_new,
				 batch->groups[i], is_new);
			return false;
		}
	}
	return same;
}

static bool
trial_run(const Trial *trial, const Engine *engine)
{
	Memory		memory;
	EngineRun  *run;
	bool		same = true;

	trial_memory(trial, &memory);
	run = engine->open(trial->program, trial->params, &memory.face);
	for (uint32_t b = 0; b < trial->nbatches && same; b++)
	{
		same = trial_run_batch(trial, engine, run, &trial->batches[b], true);
		if (!same)
			diag("in batch %u", b);
	}
	if (same && trial->program->grouped)
	{
		same = refgroups_compare(trial->groups, engine, run, REF_BY_NUMBER);
		if (same && (engine->group_memory(run) > memory.held || (trial->groups->n > 0 && engine->group_memory(run) == 0)))
		{
			diag("groups hold %zu bytes, says the engine, of %zu", engine->group_memory(run), memory.held);
			same = false;
		}
	}
	if (memory.errors > 0)
	{
		diag("%zu reallocations of a wrong size", memory.errors);
		same = false;
	}
	memory_reset(&memory);
	return same;
}

/* ------------------------------------------------------------------------
 * Groups to bytes and back
 * ------------------------------------------------------------------------
 */

typedef struct Dump
{
	char	   *bytes;
	size_t		size;
} Dump;

typedef struct Dumps
{
	Dump	   *dumps;
	uint32_t	n;
	uint32_t	room;
	Bytes		bytes;
} Dumps;

static bool
trial_dump(EngineRun *run, const Engine *engine, Dumps *dumps)
{
	for (uint32_t g = 0; g < engine->ngroups(run); g++)
	{
		uint32_t	hash,
					hash2;
		size_t		need = engine->dump_group(run, g, NULL, 0, &hash);
		char	   *buf = malloc(need);
		size_t		size = engine->dump_group(run, g, buf, need, &hash2);

		if (size > need || hash != hash2)
		{
			diag("group %u: %zu bytes wanted, %zu written", g, need, size);
			free(buf);
			return false;
		}
		if (dumps->n == dumps->room)
		{
			dumps->room = dumps->room ? 2 * dumps->room : 256;
			dumps->dumps = realloc(dumps->dumps, dumps->room * sizeof *dumps->dumps);
		}
		/* of its true size, and at an odd address */
		dumps->dumps[dumps->n].bytes = bytes_new(&dumps->bytes, size + 1) + 1;
		dumps->dumps[dumps->n].size = size;
		memcpy(dumps->dumps[dumps->n++].bytes, buf, size);
		free(buf);
	}
	engine->reset_groups(run);
	return engine->ngroups(run) == 0;
}

/* Does an aggregate of the program depend on the order of rows? */
static bool
trial_is_ordered(const Trial *trial)
{
	for (uint32_t a = 0; a < trial->program->naggs; a++)
		if (gpuscan_agg_info[program_aggs(trial->program)[a].kind].condition & CONDITION_ROW_ORDER)
			return true;
	return false;
}

/*
 * All dumps into a table that was reset, in their order.  Now and then that is
 * dumped itself on the way, and all of it merged again.
 */
static bool
trial_merge_in_order(EngineRun *run, const Engine *engine, Rng *rng, Dumps *dumps)
{
	Dumps		again = {0};
	bool		same = true;

	for (uint32_t i = 0; i < dumps->n && same; i++)
	{
		same = engine->merge_group(run, dumps->dumps[i].bytes, dumps->dumps[i].size) < engine->ngroups(run);
		if (same && dumps->n < 5000 && rng_below(rng, 2 * dumps->n) == 0)
		{
			same = trial_dump(run, engine, &again);
			engine->detach_groups(run);
		}
	}
	if (same && again.n > 0)
		same = trial_dump(run, engine, &again) && trial_merge_in_order(run, engine, rng, &again);
	free(again.dumps);
	bytes_free(&again.bytes);
	return same;
}

/*
 * The same batches, where the groups are dumped after some of them, and all
 * dumps merged before the last ones: in a random order into what is there, or
 * in theirs.
 */
static bool
trial_run_spilling(const Trial *trial, const Engine *engine)
{
	Memory		memory;
	EngineRun  *run;
	Dumps		dumps = {0};
	Rng			rng = *trial->rng;
	const bool	ordered = trial_is_ordered(trial);
	bool		same = true;

	trial_memory(trial, &memory);
	run = engine->open(trial->program, trial->params, &memory.face);
	for (uint32_t b = 0; b < trial->nbatches && same; b++)
	{
		same = trial_run_batch(trial, engine, run, &trial->batches[b], false);
		if (same && rng_chance(&rng, 60))
		{
			same = trial_dump(run, engine, &dumps);
			if (ordered)
				engine->detach_groups(run);
		}
		if (same && (b + 1 == trial->nbatches || rng_chance(&rng, 10)))
		{
			if (ordered)
			{
				same = trial_dump(run, engine, &dumps) && trial_merge_in_order(run, engine, &rng, &dumps);
				dumps.n = 0;
				continue;
			}
			for (uint32_t i = dumps.n; i > 1; i--)
			{
				uint32_t	k = rng_below(&rng, i);
				Dump		swap = dumps.dumps[i - 1];

				dumps.dumps[i - 1] = dumps.dumps[k];
				dumps.dumps[k] = swap;
			}
			for (uint32_t i = 0; i < dumps.n; i++)
				same = engine->merge_group(run, dumps.dumps[i].bytes, dumps.dumps[i].size) < engine->ngroups(run) && same;
			dumps.n = 0;
		}
	}
	same = same && refgroups_compare(trial->groups, engine, run, REF_BY_FIRST_ROW);
	free(dumps.dumps);
	bytes_free(&dumps.bytes);
	memory_reset(&memory);
	return same;
}

/* ------------------------------------------------------------------------
 * Rows in any order, and groups of other runs
 * ------------------------------------------------------------------------
 */

#define TRIAL_RUNS	3			/* the first is the one that the others' groups come home to */

/* Groups as values that outlive their run. */
typedef struct Returning
{
	EngineGroup *groups;
	uint32_t	n;
	Bytes		bytes;
} Returning;

static void
shuffle(Rng *rng, uint32_t *items, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--)
	{
		uint32_t	k = rng_below(rng, i);
		uint32_t	swap = items[i - 1];

		items[i - 1] = items[k];
		items[k] = swap;
	}
}

static bool
returning_add(const Trial *trial, Returning *returning, const Engine *engine, EngineRun *run)
{
	const Program *program = trial->program;
	uint64_t	cursor = 0;
	uint32_t	from = returning->n;
	EngineGroup group;

	returning->groups = realloc(returning->groups, (from + engine->ngroups(run) + 1) * sizeof group);
	while (engine->next_group(run, &cursor, &group))
	{
		ProgramValue *keys = (ProgramValue *) bytes_new(&returning->bytes, program->nkeys * sizeof *keys);
		EngineAggState *aggs = (EngineAggState *) bytes_new(&returning->bytes, program->naggs * sizeof *aggs);

		if (returning->n > from && group.first <= returning->groups[returning->n - 1].first)
		{
			diag("a group of row %llu after one of row %llu", (unsigned long long) group.first,
				 (unsigned long long) returning->groups[returning->n - 1].first);
			return false;
		}
		for (uint32_t k = 0; k < program->nkeys; k++)
		{
			keys[k] = group.keys[k];
			if (!keys[k].null && (keys[k].foreign || keys[k].kind == VALUE_TEXT))
				keys[k].u.ptr = memcpy(bytes_new(&returning->bytes, keys[k].len), group.keys[k].u.ptr, keys[k].len);
		}
		memcpy(aggs, group.aggs, program->naggs * sizeof *aggs);
		for (uint32_t a = 0; a < program->naggs; a++)
			if (gpuscan_agg_info[program_aggs(program)[a].kind].arg == VALUE_TEXT && !aggs[a].isnull)
				aggs[a].value.u.ptr = memcpy(bytes_new(&returning->bytes, aggs[a].value.len),
											 group.aggs[a].value.u.ptr, aggs[a].value.len);
		group.group = UINT32_MAX;
		group.keys = keys;
		group.aggs = aggs;
		returning->groups[returning->n++] = group;
	}
	return true;
}

/* Of a batch those rows that fall to run 'part'; the settled ones may be fed apart from it. */
static bool
trial_run_part(const Trial *trial, const Engine *engine, EngineRun *run, const TrialBatch *batch, uint32_t part)
{
	EngineSettled *settled = malloc((batch->nsettled + 1) * sizeof *settled);
	uint32_t   *from = malloc((batch->nsettled + 1) * sizeof *from);
	uint8_t    *keep = malloc(batch->nout + 1);
	Rng			rng = {batch->rows->batch.ordinal};
	uint32_t	nsettled = 0;
	bool		apart = rng_chance(&rng, 25);
	const EngineResult *result;
	bool		same;

	engine->submit(run, &batch->rows->batch);
	result = engine->collect(run);
	same = trial_same_rows("rows", result->rows, result->nrows, batch->out, batch->nout);
	for (uint32_t i = 0; i < batch->nout; i++)
		keep[i] = rng_below(&rng, TRIAL_RUNS) == part && (!batch->keep || batch->keep[i]);
	for (uint32_t i = 0; i < batch->nsettled; i++)
		if (rng_below(&rng, TRIAL_RUNS) == part)
		{
			from[nsettled] = i;
			settled[nsettled++] = batch->settled[i];
		}
	if (same)
		engine->absorb(run, keep, settled, apart ? 0 : nsettled);
	else
		engine->release(run);
	if (same && apart)
		engine->absorb(run, NULL, settled, nsettled);
	for (uint32_t i = 0; i < nsettled && same; i++)
		if (trial->groups->groups[batch->groups[from[i]]].first == settled[i].ordinal && !settled[i].is_new)
		{
			diag("settled row %u: not its group's first", settled[i].row);
			same = false;
		}
	free(settled);
	free(from);
	free(keep);
	return same;
}

/*
 * Each row in one of several runs, batches in another order in each; then the
 * groups of all runs but the first come home to that one, in any order and
 * while it is still at work.
 */
static bool
trial_run_scattered(const Trial *trial, const Engine *engine)
{
	Returning	returning = {0};
	Rng			rng = *trial->rng;
	uint32_t   *order = NULL;
	uint32_t	returned = 0;
	bool		same = true;

	for (uint32_t part = TRIAL_RUNS; part-- > 0 && same;)
	{
		Memory		memory;
		EngineRun  *run;
		uint32_t	batches[TRIAL_BATCHES];

		trial_memory(trial, &memory);
		run = engine->open(trial->program, trial->params, &memory.face);
		for (uint32_t b = 0; b < trial->nbatches; b++)
			batches[b] = b;
		shuffle(&rng, batches, trial->nbatches);
		if (part == 0)
		{
			order = malloc((returning.n + 1) * sizeof *order);
			for (uint32_t i = 0; i < returning.n; i++)
				order[i] = i;
			shuffle(&rng, order, returning.n);
		}
		for (uint32_t b = 0; b < trial->nbatches && same; b++)
		{
			if (!trial->batches[batches[b]].forgotten)
				same = trial_run_part(trial, engine, run, &trial->batches[batches[b]], part);
			for (; part == 0 && returned < returning.n && (b + 1 == trial->nbatches || rng_chance(&rng, 99)); returned++)
				same &= engine->add_group(run, &returning.groups[order[returned]]) < engine->ngroups(run);
		}
		trial->groups->scattered = true;
		same = same && (part > 0 ? returning_add(trial, &returning, engine, run) :
						refgroups_compare(trial->groups, engine, run, REF_BY_FIRST_ROW));
		trial->groups->scattered = false;
		memory_reset(&memory);
	}
	free(order);
	free(returning.groups);
	bytes_free(&returning.bytes);
	return same;
}

/* ------------------------------------------------------------------------ */

/* On every level that the machine has; frees nothing. */
static bool
trial_on_all_levels(const Trial *trial)
{
	const char *wrong = gpuscan_program_verify(trial->program, trial->program->size);

	if (wrong)
	{
		diag("program refused: %s", wrong);
		return false;
	}
	for (size_t i = 0; i < sizeof trial_levels / sizeof *trial_levels; i++)
	{
		if (!gpuscan_cpu_set_level(trial_levels[i]))
			continue;
		if (!trial_run(trial, &gpuscan_engine_cpu))
		{
			diag("on level %s", gpuscan_engine_cpu.variant());
			return false;
		}
		if (trial->program->grouped && !trial_run_spilling(trial, &gpuscan_engine_cpu))
		{
			diag("on level %s, by way of dumps", gpuscan_engine_cpu.variant());
			return false;
		}
		if (trial->program->grouped && !trial_run_scattered(trial, &gpuscan_engine_cpu))
		{
			diag("on level %s, rows and groups in any order", gpuscan_engine_cpu.variant());
			return false;
		}
	}
	return true;
}

#endif							/* UNIT_TRIAL_H */
