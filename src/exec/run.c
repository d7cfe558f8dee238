/*-------------------------------------------------------------------------
 *
 * run.c
 *	  A program being run over a table.
 *
 * Keeps as many batches in flight as the engine likes, hands out their
 * outcome in the order of the table, and watches how many rows come back
 * unfinished: where that are most, the engine's work is wasted, and batches
 * go to the host as they are.  The engine is tried again now and then, for
 * tables differ from end to end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/relscan.h"
#include "access/toast_internals.h"
#include "exec/run.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define PUNT_STREAK			3		/* so many batches must be mostly punted */
#define HOST_STRETCH_FIRST	256		/* then so many, small ones, go to the host */
#define HOST_STRETCH_MAX	8192	/* doubled up to this */

#define DECOMPRESS_MAX		((Size) 16 * 1024 * 1024)	/* bytes in a batch */

const Engine *
gpuscan_engine_named(const char *name)
{
	static const Engine *const engines[] = {&gpuscan_engine_cpu, &gpuscan_engine_cuda};

	for (size_t i = 0; i < lengthof(engines); i++)
		if (strcmp(name, engines[i]->name) == 0)
			return engines[i];
	elog(ERROR, "unknown engine \"%s\"", name);
}

static void *
engine_alloc(void *context, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) context, size);
}

static void *
engine_realloc(void *context, void *ptr, size_t old_size, size_t size)
{
	if (ptr == NULL)
		return engine_alloc(context, size);
	return repalloc_huge(ptr, size);
}

static void
engine_free(void *context, void *ptr)
{
	if (ptr != NULL)
		pfree(ptr);
}

/*
 * Decompress a value for an engine.  What one batch may take is bounded: a few
 * kB on disk can be much in memory.
 */
static const void *
engine_decompress(void *context, const void *varlena)
{
	ProgramRun *run = context;
	struct varlena *value = unconstify(struct varlena *, (const struct varlena *) varlena);
	MemoryContext old;
	const void *plain;

	run->decompressed += VARDATA_COMPRESSED_GET_EXTSIZE(value);
	if (run->decompressed > DECOMPRESS_MAX)
		return NULL;
	old = MemoryContextSwitchTo(run->batch_context);
	plain = detoast_attr(value);
	MemoryContextSwitchTo(old);
	return plain;
}

static inline void
clock_start(ProgramRun *run, instr_time *start)
{
	if (run->timing)
		INSTR_TIME_SET_CURRENT(*start);
}

static inline void
clock_stop(ProgramRun *run, instr_time *start, instr_time *sum)
{
	instr_time	now;

	if (!run->timing)
		return;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_ACCUM_DIFF(*sum, now, *start);
}

void
gpuscan_run_init(ProgramRun *run, ScanState *node, Relation rel, const char *engine,
				 OffloadedProgram *offloaded)
{
	const Program *program = offloaded->program;
	const char *unsound = gpuscan_program_verify(program, offloaded->size);

	if (unsound != NULL)
		elog(ERROR, "unsound program: %s", unsound);

	run->node = node;
	run->rel = rel;
	run->engine = gpuscan_engine_named(engine);
	run->offloaded = offloaded;
	run->param_states = gpuscan_params_init(offloaded->params, &node->ps);
	run->counts_only = program->grouped && program->nattrs == 0 && program->ninstrs == 0 &&
		program->nkeys == 0;
	for (int i = 0; i < program->naggs; i++)
		if (program_aggs(program)[i].arg != PROGRAM_NO_REG ||
			program_aggs(program)[i].filter != PROGRAM_NO_REG)
			run->counts_only = false;
	run->context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan run",
										 ALLOCSET_DEFAULT_SIZES);
	run->memory.alloc = engine_alloc;
	run->memory.realloc = engine_realloc;
	run->memory.free = engine_free;
	run->memory.context = run->context;
	run->memory.decompress = engine_decompress;
	run->memory.decompress_context = run;
	run->batch_context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan batch",
											   ALLOCSET_DEFAULT_SIZES);
	run->host_stretch = HOST_STRETCH_FIRST;
}

static void
evaluate_params(ProgramRun *run)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);

	run->params_foreign =
		!gpuscan_params_evaluate(run->offloaded->params, run->param_states,
								 run->node->ps.ps_ExprContext, run->params);
	MemoryContextSwitchTo(old);
}

void
gpuscan_run_open(ProgramRun *run)
{
	EState	   *estate = run->node->ps.state;

	/* the node had no instrumentation yet when it began (execProcnode.c) */
	run->timing = run->node->ps.instrument != NULL && run->node->ps.instrument->need_timer;
	if (run->engine_run == NULL)
	{
		run->params = MemoryContextAllocZero(run->context, sizeof(ProgramValue) *
											 Max(run->offloaded->program->nparams, 1));

		/*
		 * PostgreSQL runs a subquery whose value is a parameter when the first
		 * row asks for it (nodeSubplan.c), maybe never, and it may fail.  Until
		 * it has, rows are the host's, and the engine gets no values.
		 */
		run->params_pending = gpuscan_params_pending(run->offloaded->params, estate);
		if (run->params_pending)
			gpuscan_params_clear(run->offloaded->params, run->params);
		else
			evaluate_params(run);
		run->engine_run = run->engine->open(run->offloaded->program, run->params, &run->memory);
		run->depth = run->engine->depth(run->engine_run);
		run->ahead = 1;
	}

	if (run->source == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

		run->source = gpuscan_source_begin(run->rel,
										   run->snapshot != NULL ? run->snapshot : estate->es_snapshot,
										   run->pscan, run->depth,
										   run->counts_only && !run->params_foreign,
										   run->engine->room != NULL);
		run->source_fresh = true;
		MemoryContextSwitchTo(old);
	}
}

void
gpuscan_run_open_groups(ProgramRun *run)
{
	if (run->engine_run != NULL)
		return;
	run->params = MemoryContextAllocZero(run->context, sizeof(ProgramValue) *
										 Max(run->offloaded->program->nparams, 1));
	gpuscan_params_clear(run->offloaded->params, run->params);
	run->engine_run = run->engine->open(run->offloaded->program, run->params, &run->memory);
}

static Batch *
next_batch(ProgramRun *run, char *room)
{
	instr_time	start;
	Batch	   *batch;

	run->source_fresh = false;
	clock_start(run, &start);
	batch = gpuscan_source_next(run->source, room);
	clock_stop(run, &start, &run->counters.source_time);
	if (batch != NULL)
		run->counters.rows += batch->nrows;
	return batch;
}

/* Learn from a batch how useful the engine is. */
static void
watch_punts(ProgramRun *run, const EngineResult *result)
{
	if (result->npunted * 2 <= result->batch->nrows)
	{
		run->punt_streak = 0;
		run->host_stretch = HOST_STRETCH_FIRST;
		return;
	}
	if (++run->punt_streak < PUNT_STREAK)
		return;

	/* one try is enough after the next stretch */
	run->punt_streak = PUNT_STREAK - 1;
	run->host_batches = run->host_stretch;
	run->host_stretch = Min(run->host_stretch * 2, HOST_STRETCH_MAX);
}

/* The outcome of a batch is the one in hand. */
static void
take_result(ProgramRun *run, const EngineResult *result)
{
	run->result = result;
	run->batch = result->batch;
	if (result->corrupt >= 0)
		gpuscan_source_corrupt(run->source, run->batch, result->corrupt);
	if (!result->again)
	{
		run->counters.survivors += result->nrows;
		run->counters.punted += result->npunted;
	}
	if (!result->device)
		watch_punts(run, result);
}

/*
 * A batch that the engine has lost: read it once more and run it here.  False:
 * there is none.
 */
static bool
next_lost(ProgramRun *run)
{
	const EngineLost *lost;
	const EngineResult *result;
	instr_time	start;
	Batch	   *batch;

	if (run->engine->lost == NULL)
		return false;
	lost = run->engine->lost(run->engine_run);
	if (lost == NULL)
		return false;
	clock_start(run, &start);
	batch = gpuscan_source_again(run->source, lost->blocks, lost->npages, lost->nrows, lost->ordinal);
	clock_stop(run, &start, &run->counters.source_time);
	clock_start(run, &start);
	result = run->engine->again(run->engine_run, batch);
	clock_stop(run, &start, &run->counters.engine_time);
	run->inflight = 1;
	take_result(run, result);
	return true;
}

/*
 * Keep the engine busy.  The number of batches in flight grows with what was
 * asked for, so that who wants a few rows does not wait for many.
 */
static void
submit_batches(ProgramRun *run)
{
	bool		stages = run->engine->room != NULL && !run->counts_only;
	uint32		most = Min(run->depth, run->ahead);
	instr_time	start;

	run->ahead = Min(run->ahead * 2, run->depth);
	while (run->inflight < most && run->host_batches == 0)
	{
		char	   *room = stages ? run->engine->room(run->engine_run) : NULL;
		Batch	   *batch;

		/* one that stays in its buffers goes alone: it holds pins */
		if (stages && room == NULL && run->inflight > 0)
			break;
		batch = next_batch(run, room);
		if (batch == NULL)
			break;
		clock_start(run, &start);
		run->engine->submit(run->engine_run, batch);
		clock_stop(run, &start, &run->counters.engine_time);
		run->inflight++;
		if (stages && room == NULL)
			break;
	}
}

bool
gpuscan_run_next(ProgramRun *run)
{
	const EngineResult *result;
	instr_time	start;

	CHECK_FOR_INTERRUPTS();
	if (run->result != NULL)
	{
		run->engine->release(run->engine_run);
		run->inflight--;
	}
	run->result = NULL;
	run->batch = NULL;

	if (run->params_pending &&
		!gpuscan_params_pending(run->offloaded->params, run->node->ps.state))
	{
		evaluate_params(run);
		run->engine->rebind(run->engine_run);
		run->params_pending = false;
		gpuscan_source_few_pages(run->source, run->params_foreign);
	}

	run->decompressed = 0;
	MemoryContextReset(run->batch_context);
	for (;;)
	{
		/* what was lost comes first, and then what is in flight, else rows would change their order */
		if (next_lost(run))
			return true;
		if (run->inflight == 0 &&
			(run->params_foreign || run->params_pending || run->host_batches > 0))
		{
			gpuscan_source_few_pages(run->source, true);
			run->batch = next_batch(run, NULL);
			if (run->batch != NULL)
			{
				if (run->host_batches > 0 && --run->host_batches == 0)
					gpuscan_source_few_pages(run->source, false);
				run->counters.host_rows += run->batch->nrows;
				return true;
			}
		}
		else
		{
			submit_batches(run);
			if (run->inflight > 0)
			{
				clock_start(run, &start);
				result = run->engine->collect(run->engine_run);
				clock_stop(run, &start, &run->counters.engine_time);
				if (result != NULL)
				{
					take_result(run, result);
					return true;
				}
				run->inflight = 0;	/* all of it is lost */
				continue;
			}
		}

		/* the end of the table */
		if (run->engine->gather == NULL)
			return false;
		clock_start(run, &start);
		if (run->engine->gather(run->engine_run))
			return false;
		clock_stop(run, &start, &run->counters.engine_time);
	}
}

void
gpuscan_run_check_overflow(ProgramRun *run)
{
	switch (run->engine->overflowed == NULL ? OVERFLOW_NONE : run->engine->overflowed(run->engine_run))
	{
		case OVERFLOW_NONE:
			break;
		case OVERFLOW_FLOAT:
			float_overflow_error();
			break;
		case OVERFLOW_INTERVAL:
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("interval out of range")));
	}
}

void
gpuscan_run_absorbed(ProgramRun *run)
{
	if (run->result != NULL)
		run->inflight--;
	run->result = NULL;
}

void
gpuscan_run_add_source_stats(HeapSourceStats *to, const HeapSourceStats *from)
{
	to->pages += from->pages;
	to->pages_all_visible += from->pages_all_visible;
	to->batches += from->batches;
	to->rows += from->rows;
}

void
gpuscan_run_add_engine_counters(EngineCounters *to, const EngineCounters *from)
{
	to->jobs += from->jobs;
	to->bytes += from->bytes;
	to->kernel_ns += from->kernel_ns;
	to->checkpoints += from->checkpoints;
	to->cpu_batches += from->cpu_batches;
	to->redone += from->redone;
}

void
gpuscan_run_source_stats(const ProgramRun *run, HeapSourceStats *stats)
{
	*stats = run->counters.source;
	if (run->source != NULL)
		gpuscan_run_add_source_stats(stats, gpuscan_source_stats(run->source));
}

static void
end_source(ProgramRun *run)
{
	HeapSourceStats stats;

	if (run->source == NULL)
		return;
	gpuscan_run_source_stats(run, &stats);
	run->counters.source = stats;
	gpuscan_source_end(run->source);
	run->source = NULL;
}

void
gpuscan_run_engine_counters(const ProgramRun *run, EngineCounters *counters)
{
	EngineCounters now;

	*counters = run->counters.engine;
	if (run->engine_run == NULL || run->engine->counters == NULL)
		return;
	run->engine->counters(run->engine_run, &now);
	gpuscan_run_add_engine_counters(counters, &now);
	if (now.reason != NULL)
		counters->reason = now.reason;
	if (now.device != NULL)
		counters->device = now.device;
}

/* An engine's memory is all there is of a run, but for what 'close' gives back. */
static void
close_engine(ProgramRun *run)
{
	EngineCounters counters;

	if (run->engine_run == NULL)
		return;
	gpuscan_run_engine_counters(run, &counters);
	run->counters.engine = counters;
	if (run->engine->close != NULL)
		run->engine->close(run->engine_run);
	run->engine_run = NULL;
	MemoryContextReset(run->context);
}

void
gpuscan_run_rescan(ProgramRun *run, bool params_changed)
{
	if (run->engine_run != NULL)
	{
		bool		grouped = run->offloaded->program->grouped;

		if (params_changed && run->offloaded->params != NIL)
			close_engine(run);
		else if (run->engine->restart != NULL)
			run->engine->restart(run->engine_run);
		else
		{
			if (run->result != NULL)
			{
				run->engine->release(run->engine_run);
				run->inflight--;
			}
			while (run->inflight > 0)
			{
				run->engine->collect(run->engine_run);
				run->engine->release(run->engine_run);
				run->inflight--;
			}
			if (grouped)
				run->engine->reset_groups(run->engine_run);
		}
	}
	run->inflight = 0;
	run->ahead = 1;
	run->result = NULL;
	run->batch = NULL;
	/* what the processes share may be another next time */
	if (run->node->ps.plan->parallel_aware)
		end_source(run);
	else if (run->source != NULL && !run->source_fresh)
	{
		gpuscan_source_rescan(run->source);
		run->source_fresh = true;
	}
}

void
gpuscan_run_end(ProgramRun *run)
{
	close_engine(run);
	end_source(run);
	if (run->snapshot != NULL)
		UnregisterSnapshot(run->snapshot);
	run->snapshot = NULL;
	run->result = NULL;
	run->batch = NULL;
	if (run->context != NULL)
	{
		MemoryContextDelete(run->context);
		MemoryContextDelete(run->batch_context);
	}
	run->context = NULL;
}
