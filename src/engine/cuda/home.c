/*-------------------------------------------------------------------------
 *
 * home.c
 *	  The log of absorbed batches, and how groups come home or are lost.
 *
 * A checkpoint: wait until all jobs are back, gather the device's groups, and
 * only when the last of them is here add them to the ledger and empty the
 * device's table.  From then on no batch that went in before can be lost, and
 * none of them may be run again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "engine/cuda/cuda.h"

#define cuda_free(run, pointer) ((run)->memory->free((run)->memory->context, (pointer)))

static void
push(EngineRun *run, BatchLog *log, LoggedBatch *entry)
{
	if (log->n == log->room)
	{
		uint32		room = Max(log->room * 2, 256);

		log->batches = run->memory->realloc(run->memory->context, log->batches,
											log->room * sizeof(LoggedBatch *),
											room * sizeof(LoggedBatch *));
		log->room = room;
	}
	log->batches[log->n++] = entry;
}

static void
forget(EngineRun *run, BatchLog *log)
{
	for (uint32 i = log->next; i < log->n; i++)
	{
		if (log->batches[i]->done != NULL)
			cuda_free(run, log->batches[i]->done);
		cuda_free(run, log->batches[i]);
	}
	log->n = log->next = 0;
}

/*
 * What must be known to run a batch of a job again: where it is, and which of
 * its rows are in the ledger: those that came home, and, once it was absorbed,
 * those that the host settled.
 */
static LoggedBatch *
make_entry(EngineRun *run, const Job *job, uint32 number, bool absorbed)
{
	const JobBatch *jb = &job->batches[number];
	const Batch *batch = jb->batch;
	LoggedBatch *entry = cuda_alloc(run, sizeof(LoggedBatch));
	uint32		ndone = 0;

	memset(entry, 0, offsetof(LoggedBatch, where.blocks));
	entry->done = NULL;
	entry->absorbed = absorbed;
	entry->where.ordinal = batch->ordinal;
	entry->where.nrows = batch->nrows;
	entry->where.npages = batch->npages;
	for (uint32 i = 0; i < batch->npages; i++)
		entry->where.blocks[i] = batch->pages[i].block;

	/* a job that travels again has not arrived, and has rows that came home */
	for (uint32 row = 0; row < batch->nrows && (job->any_home || absorbed); row++)
	{
		run->done[row] = (job->any_home && job->homed[jb->first + row]) ||
			(absorbed && job->status[jb->first + row] == DEVICE_ROW_PUNTED);
		ndone += run->done[row];
	}
	entry->ndone = 0;
	if (ndone > 0)
	{
		entry->done = cuda_alloc(run, ndone * sizeof(uint16));
		for (uint32 row = 0; row < batch->nrows; row++)
			if (run->done[row])
				entry->done[entry->ndone++] = row;
	}
	return entry;
}

void
gpuscan_cuda_log(EngineRun *run, const Job *job, uint32 number)
{
	push(run, &run->log, make_entry(run, job, number, true));
}

/*
 * The device's groups are lost, and what is in flight.  All that the ledger
 * lacks goes to the list of batches to be run again, in the order of the scan.
 */
void
gpuscan_cuda_lose(EngineRun *run, SlotState outcome, int error)
{
	BatchLog   *log = &run->log;

	/* without a slot nothing failed */
	if (outcome == SLOT_FREE)
		run->counters.reason = "all of the device's buffers were taken";
	else
	{
		gpuscan_service_warn(run->session, outcome, error);
		run->counters.reason = "the device was lost";
	}
	for (uint32 i = 0; i < log->n; i++)
		push(run, &run->lost, log->batches[i]);
	log->n = 0;
	for (uint32 at = run->head; at != run->tail; at++)
	{
		const Job  *job = cuda_job(run, at);

		for (uint32 i = job->next; i < job->nbatches; i++)
			push(run, &run->lost, make_entry(run, job, i, false));
	}
	gpuscan_cuda_drop_jobs(run);
	gpuscan_cuda_disconnect(run, true);
	run->unsettled_bytes = run->unsettled_rows = 0;
}

/* One request that is waited for.  False: everything was lost, the slot too. */
static bool
request(EngineRun *run, int slot, SlotRequest what, uint32 input)
{
	SlotState	outcome;
	int			error;

	gpuscan_slot_submit(run->session, slot, what, input);
	outcome = gpuscan_slot_wait(run->session, slot, true);
	if (outcome == SLOT_DONE)
		return true;
	error = gpuscan_slot(slot)->error;
	gpuscan_slot_release(run->session, slot);
	gpuscan_cuda_lose(run, outcome, error);
	return false;
}

/* All of the device's groups, in memory of the run; NULL: everything was lost. */
static char *
gather(EngineRun *run, int slot, uint64 *ngroups)
{
	DeviceGather *header = (DeviceGather *) gpuscan_slot_data(slot);
	size_t		size = run->plan->group_size;
	uint64		cursor = 0;
	uint64		room = 0;
	char	   *groups = NULL;

	*ngroups = 0;
	while (cursor < run->capacity)
	{
		memset(header, 0, sizeof(*header));
		header->cursor = cursor;
		header->room = UINT32_MAX;
		if (!request(run, slot, REQUEST_GATHER, sizeof(*header)))
			return NULL;
		if (header->cursor <= cursor)
			elog(ERROR, "the device's table of groups does not end");
		cursor = header->cursor;
		if (groups == NULL || *ngroups + header->ngroups > room)
		{
			uint64		more = Max(*ngroups + header->ngroups, room * 2);

			groups = run->memory->realloc(run->memory->context, groups, room * size,
										  Max(more, 1) * size);
			room = Max(more, 1);
		}
		memcpy(groups + *ngroups * size, header + 1, header->ngroups * size);
		*ngroups += header->ngroups;
	}
	return groups;
}

/* The ledger has what arrived jobs fed to the groups so far. */
static void
mark_home(EngineRun *run)
{
	for (uint32 at = run->head; at != run->tail; at++)
	{
		Job		   *job = cuda_job(run, at);

		if (!job->arrived)
			continue;
		for (uint32 row = 0; row < job->nrows; row++)
			job->homed[row] = job->status[row] == DEVICE_ROW_PASSED;
		job->any_home = true;
	}
}

bool
gpuscan_cuda_bring_home(EngineRun *run)
{
	const Engine *cpu = &gpuscan_engine_cpu;
	EngineGroup group;
	uint64		ngroups;
	char	   *groups;
	int			slot;

	for (uint32 at = run->head; at != run->tail; at++)
	{
		Job		   *job = cuda_job(run, at);

		if (job->submitted && !job->arrived && !gpuscan_cuda_arrive(run, job))
			return false;
	}

	/*
	 * The jobs that arrived have left a slot, unless their rows were LEFT and
	 * others have all there are: then what is on the device is done again.
	 */
	slot = gpuscan_cuda_take_slot(run);
	if (slot < 0)
	{
		gpuscan_cuda_lose(run, SLOT_FREE, 0);
		return false;
	}
	groups = gather(run, slot, &ngroups);
	if (groups == NULL)
		return false;

	/* from here on nothing may be run again */
	group.keys = run->out_keys;
	group.aggs = run->out_aggs;
	for (uint64 i = 0; i < ngroups; i++)
	{
		gpuscan_device_group(run->plan, groups + i * run->plan->group_size, &group);
		if (group.rows > 0)
			cpu->add_group(run->ledger, &group);
	}
	cuda_free(run, groups);
	mark_home(run);
	forget(run, &run->log);
	run->unsettled_bytes = run->unsettled_rows = 0;
	run->counters.checkpoints++;

	/* a table that cannot be emptied is lost, but nothing that is in it */
	if (!request(run, slot, REQUEST_CLEAR, 0))
		return false;
	run->spare_slot = slot;
	return true;
}

void
gpuscan_cuda_forget(EngineRun *run)
{
	forget(run, &run->log);
	forget(run, &run->lost);
	run->unsettled_bytes = run->unsettled_rows = 0;
}
