/*-------------------------------------------------------------------------
 *
 * cuda.c
 *	  The CUDA engine: the face that engine.h asks for, in the backend.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "engine/cuda/cuda.h"
#include "gpuscan.h"

#define CPU (&gpuscan_engine_cpu)

/* So many rows the sums of a table of groups may hold (DEVICE_SUM_BITS). */
#define CHECKPOINT_ROWS		(UINT64CONST(1) << 31)

static EngineRun *
cuda_open(const Program *program, const ProgramValue *params, const EngineMemory *memory)
{
	EngineRun  *run = memory->alloc(memory->context, sizeof(EngineRun));

	memset(run, 0, sizeof(*run));
	run->program = program;
	run->params = params;
	run->memory = memory;
	run->spare_slot = -1;
	for (int i = 0; i < CUDA_MAX_JOBS; i++)
		run->jobs[i].slot = -1;
	run->ledger = CPU->open(program, params, memory);
	run->rows = cuda_alloc(run, BATCH_MAX_ROWS * sizeof(uint16));
	run->punted = cuda_alloc(run, BATCH_MAX_ROWS * sizeof(uint16));
	run->done = cuda_alloc(run, BATCH_MAX_ROWS);
	run->out_keys = cuda_alloc(run, (program->nkeys + 1) * sizeof(ProgramValue));
	run->out_aggs = cuda_alloc(run, (program->naggs + 1) * sizeof(EngineAggState));
	return run;
}

static void
cuda_close(EngineRun *run)
{
	if (run->session == NULL)
		return;
	gpuscan_cuda_drop_jobs(run);
	gpuscan_cuda_disconnect(run, false);
}

/* The plan has the old values in it. */
static void
cuda_rebind(EngineRun *run)
{
	cuda_close(run);
	run->plan = NULL;
	CPU->rebind(run->ledger);
}

static const char *
cuda_variant(void)
{
	ServiceRegion *region = gpuscan_service_region();
	const char *why;
	uint32		device;

	if (gpuscan_service_ready(&device, &why))
		return region->devices[device].name;
	return why;
}

static uint32_t
cuda_depth(EngineRun *run)
{
	return CUDA_DEPTH;
}

static void
cuda_submit(EngineRun *run, Batch *batch)
{
	if (batch->staged)
		gpuscan_cuda_add(run, batch);
	else
		run->cpu_batch = batch;
}

static const EngineResult *
cuda_collect(EngineRun *run)
{
	if (run->cpu_batch != NULL)
	{
		const EngineResult *result;

		CPU->submit(run->ledger, run->cpu_batch);
		run->cpu_batch = NULL;
		result = CPU->collect(run->ledger);
		run->hand = HAND_CPU;
		run->counters.cpu_batches++;
		return result;
	}
	return gpuscan_cuda_collect(run);
}

/* The oldest lost batch is through. */
static void
again_done(EngineRun *run)
{
	run->lost.next++;
	if (run->lost.next == run->lost.n)
		run->lost.next = run->lost.n = 0;
}

static void
cuda_release(EngineRun *run)
{
	switch (run->hand)
	{
		case HAND_DEVICE:
			gpuscan_cuda_batch_done(run);
			break;
		case HAND_AGAIN:
			again_done(run);
			CPU->release(run->ledger);
			break;
		case HAND_CPU:
			CPU->release(run->ledger);
			break;
		case HAND_EMPTY:
			break;
	}
	run->hand = HAND_EMPTY;
}

static void
cuda_absorb(EngineRun *run, const uint8_t *keep, EngineSettled *settled, uint32_t nsettled)
{
	InHand		hand = run->hand;

	run->hand = HAND_EMPTY;
	if (hand == HAND_DEVICE)
	{
		/* its rows are in the device's groups; those that the host settled are the ledger's */
		if (nsettled > 0)
			CPU->absorb(run->ledger, NULL, settled, nsettled);
		gpuscan_cuda_log(run, cuda_job(run, run->head), cuda_job(run, run->head)->next);
		gpuscan_cuda_batch_done(run);
		if (run->unsettled_bytes >= (uint64) gpuscan_checkpoint_size * 1024 ||
			run->unsettled_rows >= CHECKPOINT_ROWS)
			(void) gpuscan_cuda_bring_home(run);	/* lost batches are asked for anyway */
		return;
	}
	CPU->absorb(run->ledger, keep, settled, nsettled);
	if (hand == HAND_AGAIN)
		again_done(run);
}

static const EngineLost *
cuda_lost(EngineRun *run)
{
	if (run->lost.next == run->lost.n)
		return NULL;
	return &run->lost.batches[run->lost.next]->where;
}

static const EngineResult *
cuda_again(EngineRun *run, Batch *batch)
{
	const LoggedBatch *entry = run->lost.batches[run->lost.next];
	const EngineResult *result;

	CPU->submit(run->ledger, batch);
	result = CPU->collect(run->ledger);
	run->hand = HAND_AGAIN;
	run->counters.redone++;
	run->result = *result;
	run->result.again = entry->absorbed;
	run->result.device = true;
	if (entry->ndone > 0)
	{
		memset(run->done, 0, batch->nrows);
		for (uint32 i = 0; i < entry->ndone; i++)
			run->done[entry->done[i]] = true;
		run->result.done = run->done;
	}
	return &run->result;
}

static bool
cuda_gather(EngineRun *run)
{
	if (run->session == NULL)
		return true;
	if (run->unsettled_bytes > 0 && run->program->grouped && !gpuscan_cuda_bring_home(run) &&
		cuda_lost(run) != NULL)
		return false;
	cuda_close(run);
	return true;
}

/* From the start, with the same parameters. */
static void
cuda_restart(EngineRun *run)
{
	cuda_close(run);
	run->head = run->tail = 0;
	run->cpu_batch = NULL;
	run->hand = HAND_EMPTY;
	gpuscan_cuda_forget(run);
	if (run->program->grouped)
		CPU->reset_groups(run->ledger);
}

static void
cuda_counters(EngineRun *run, EngineCounters *counters)
{
	*counters = run->counters;
}

/* The groups are the ledger's. */

static uint64_t
cuda_ngroups(EngineRun *run)
{
	return CPU->ngroups(run->ledger);
}

static size_t
cuda_group_memory(EngineRun *run)
{
	return CPU->group_memory(run->ledger);
}

static bool
cuda_next_group(EngineRun *run, uint64_t *cursor, EngineGroup *group)
{
	return CPU->next_group(run->ledger, cursor, group);
}

static void
cuda_reset_groups(EngineRun *run)
{
	CPU->reset_groups(run->ledger);
}

static size_t
cuda_dump_group(EngineRun *run, uint32_t group, char *buf, size_t room, uint32_t *hash)
{
	return CPU->dump_group(run->ledger, group, buf, room, hash);
}

static uint32_t
cuda_merge_group(EngineRun *run, const char *buf, size_t size)
{
	return CPU->merge_group(run->ledger, buf, size);
}

static uint32_t
cuda_add_group(EngineRun *run, const EngineGroup *group)
{
	return CPU->add_group(run->ledger, group);
}

const Engine gpuscan_engine_cuda = {
	.name = "cuda",
	.mask = ENGINE_CUDA,
	.open = cuda_open,
	.rebind = cuda_rebind,
	.variant = cuda_variant,
	.depth = cuda_depth,
	.submit = cuda_submit,
	.collect = cuda_collect,
	.release = cuda_release,
	.absorb = cuda_absorb,
	.ngroups = cuda_ngroups,
	.group_memory = cuda_group_memory,
	.next_group = cuda_next_group,
	.reset_groups = cuda_reset_groups,
	.dump_group = cuda_dump_group,
	.merge_group = cuda_merge_group,
	.add_group = cuda_add_group,
	.room = gpuscan_cuda_room,
	.lost = cuda_lost,
	.again = cuda_again,
	.gather = cuda_gather,
	.restart = cuda_restart,
	.counters = cuda_counters,
	.close = cuda_close
};
