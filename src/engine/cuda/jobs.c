/*-------------------------------------------------------------------------
 *
 * jobs.c
 *	  Batches on their way to the device and back.
 *
 * Batches gather in a slot until it is full or one of them is asked for; then
 * the slot travels as one job.  A job's outcome is copied out of its slot as
 * soon as it is looked at, and the slot is given back: a session that does
 * nothing for a while (a cursor) holds few of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "engine/cuda/cuda.h"

#define PUNT_STREAK		3		/* so many batches mostly punted: leave the device aside */

#define DATA_OFFSET(pages) \
	TYPEALIGN(DEVICE_ALIGN, sizeof(DeviceJob) + (size_t) (pages) * sizeof(DevicePage))

/* Pages that a job has room for, whatever the number of their rows. */
static uint32
max_pages(void)
{
	const ServiceRegion *region = gpuscan_service_region();
	size_t		page = BLCKSZ + sizeof(DevicePage);
	size_t		fixed = sizeof(DeviceJob) + DEVICE_ALIGN + DEVICE_PAGE_SLACK;
	uint64		rows = region_max_rows(region);

	if (region->job_room < fixed + page)
		return 0;
	return Min((region->job_room - fixed) / page, rows / MaxHeapTuplesPerPage);
}

/* Is there room for one more batch, whatever it will be? */
static bool
has_room(const Job *job, uint32 most)
{
	const ServiceRegion *region = gpuscan_service_region();

	return job->nbatches < CUDA_JOB_BATCHES &&
		job->npages + BATCH_MAX_PAGES <= most &&
		job->nrows + BATCH_MAX_ROWS <= region_max_rows(region) &&
		DATA_OFFSET(most) + (size_t) (job->npages + BATCH_MAX_PAGES) * BLCKSZ + DEVICE_PAGE_SLACK +
		(size_t) (job->noffnums + BATCH_MAX_ROWS) * sizeof(uint16) <= region->job_room;
}

/* The job that is being filled, or NULL. */
static Job *
open_job(EngineRun *run)
{
	Job		   *job;

	if (run->head == run->tail)
		return NULL;
	job = cuda_job(run, run->tail - 1);
	return job->submitted ? NULL : job;
}

/* A slot, or -1. */
int
gpuscan_cuda_take_slot(EngineRun *run)
{
	int			slot = run->spare_slot;

	if (slot < 0)
		return gpuscan_slot_acquire(run->session);
	run->spare_slot = -1;
	return slot;
}

static void
give_slot(EngineRun *run, int slot)
{
	if (run->spare_slot < 0)
		run->spare_slot = slot;
	else
		gpuscan_slot_release(run->session, slot);
}

static Job *
new_job(EngineRun *run)
{
	Job		   *job = cuda_job(run, run->tail);
	uint16	   *offnums = job->offnums;
	uint8	   *status = job->status;
	uint8	   *homed = job->homed;
	int			slot;

	/* one is kept for the groups' way home, unless nothing else is in flight */
	if (run->spare_slot >= 0 && run->head == run->tail)
		slot = gpuscan_cuda_take_slot(run);
	else
		slot = gpuscan_slot_acquire(run->session);
	if (slot < 0)
		return NULL;
	if (status == NULL)
	{
		uint64		rows = region_max_rows(gpuscan_service_region());

		status = cuda_alloc(run, rows);
		homed = cuda_alloc(run, rows);
		offnums = cuda_alloc(run, rows * sizeof(uint16));
	}
	memset(job, 0, sizeof(*job));
	job->slot = slot;
	job->offnums = offnums;
	job->status = status;
	job->homed = homed;
	run->tail++;
	return job;
}

char *
gpuscan_cuda_room(EngineRun *run)
{
	uint32		most;
	Job		   *job;

	if (run->never != NULL)
		return NULL;
	if (run->rest > 0)
	{
		/* counted only when the batch does go to the CPU: what is in flight comes first */
		if (run->head == run->tail)
			run->rest--;
		return NULL;
	}
	if (!gpuscan_cuda_connect(run))
		return NULL;
	most = max_pages();
	if (most < BATCH_MAX_PAGES)
	{
		run->never = run->counters.reason = "gpuscan.device_job_size is too small";
		gpuscan_cuda_disconnect(run, false);
		return NULL;
	}

	job = open_job(run);
	if (job != NULL && !has_room(job, most))
	{
		gpuscan_cuda_dispatch(run, job, run->program->grouped ? REQUEST_AGGREGATE : REQUEST_SCAN);
		job = NULL;
	}
	if (job == NULL)
	{
		if (run->tail - run->head == CUDA_MAX_JOBS)
			return NULL;
		job = new_job(run);
		if (job == NULL)
			return NULL;
	}
	return gpuscan_slot_data(job->slot) + DATA_OFFSET(most) + (size_t) job->npages * BLCKSZ;
}

/* A staged batch: its pages are in the open job's slot already. */
void
gpuscan_cuda_add(EngineRun *run, Batch *batch)
{
	Job		   *job = open_job(run);
	DevicePage *pages = (DevicePage *) (gpuscan_slot_data(job->slot) + sizeof(DeviceJob));

	job->batches[job->nbatches].batch = batch;
	job->batches[job->nbatches].first = job->nrows;
	job->nbatches++;
	for (uint32 i = 0; i < batch->npages; i++)
	{
		const BatchPage *page = &batch->pages[i];
		DevicePage *out = &pages[job->npages + i];

		memset(out, 0, sizeof(*out));
		out->ordinal = batch->ordinal + page->first;
		out->first = job->nrows + page->first;
		out->nrows = page->nrows;
		out->offnum = DEVICE_DENSE;
		if (!page->dense)
		{
			out->offnum = job->noffnums;
			memcpy(job->offnums + job->noffnums, batch->offnum + page->first,
				   page->nrows * sizeof(uint16));
			job->noffnums += page->nrows;
		}
	}
	job->npages += batch->npages;
	job->nrows += batch->nrows;
}

void
gpuscan_cuda_dispatch(EngineRun *run, Job *job, SlotRequest request)
{
	char	   *data = gpuscan_slot_data(job->slot);
	DeviceJob  *header = (DeviceJob *) data;

	if (request != REQUEST_AGAIN)
	{
		memset(header, 0, sizeof(*header));
		header->npages = job->npages;
		header->nrows = job->nrows;
		header->blcksz = BLCKSZ;
		header->pages = sizeof(DeviceJob);
		header->data = DATA_OFFSET(max_pages());
		header->offnums = header->data + job->npages * BLCKSZ + DEVICE_PAGE_SLACK;
		header->size = header->offnums + job->noffnums * sizeof(uint16);
		memset(data + header->offnums - DEVICE_PAGE_SLACK, 0, DEVICE_PAGE_SLACK);
		memcpy(data + header->offnums, job->offnums, job->noffnums * sizeof(uint16));
	}
	run->unsettled_bytes += (uint64) job->npages * BLCKSZ;
	run->unsettled_rows += job->nrows;
	job->submitted = true;
	run->counters.jobs++;
	run->counters.bytes += header->size;
	gpuscan_slot_submit(run->session, job->slot, request, header->size);
}

bool
gpuscan_cuda_arrive(EngineRun *run, Job *job)
{
	const ServiceSlot *slot = gpuscan_slot(job->slot);
	SlotState	outcome = gpuscan_slot_wait(run->session, job->slot, true);

	if (outcome != SLOT_DONE)
	{
		gpuscan_cuda_lose(run, outcome, slot->error);
		return false;
	}
	job->arrived = true;
	job->result = slot->result;
	run->counters.kernel_ns += slot->kernel_ns;
	memcpy(job->status, region_status(gpuscan_service_region(), job->slot), job->nrows);

	/* with rows that found no place it will travel again */
	if (job->result.nleft == 0)
	{
		give_slot(run, job->slot);
		job->slot = -1;
	}
	return true;
}

/*
 * Rows of a job that were left because the table of groups was full: empty it
 * and feed them again, until none is left.
 */
static bool
feed_left(EngineRun *run, Job *job)
{
	while (job->result.nleft > 0)
	{
		if (!gpuscan_cuda_bring_home(run))
			return false;
		job->arrived = false;
		gpuscan_cuda_dispatch(run, job, REQUEST_AGAIN);
		if (!gpuscan_cuda_arrive(run, job))
			return false;
	}
	return true;
}

/* The head job's next batch as a result. */
static const EngineResult *
batch_result(EngineRun *run, Job *job)
{
	JobBatch   *jb = &job->batches[job->next];
	const uint8 *status = job->status + jb->first;
	EngineResult *result = &run->result;
	uint32		nrows = jb->batch->nrows;
	uint32		passed = 0;
	uint32		punted = 0;

	memset(result, 0, sizeof(*result));
	for (uint32 row = 0; row < nrows; row++)
	{
		run->rows[passed] = row;
		passed += status[row] == DEVICE_ROW_PASSED;
		run->punted[punted] = row;
		punted += status[row] == DEVICE_ROW_PUNTED;
	}
	result->batch = jb->batch;
	result->nrows = passed;
	result->rows = run->rows;
	result->npunted = punted;
	result->punted = run->punted;
	result->device = true;
	result->corrupt = -1;
	if (job->result.corrupt_row - jb->first < nrows)
		result->corrupt = job->result.corrupt_row - jb->first;
	return result;
}

/* Is the device of use for such rows? */
static void
watch_punts(EngineRun *run, const EngineResult *result)
{
	if (result->npunted * 2 <= result->batch->nrows)
	{
		run->punt_streak = 0;
		return;
	}
	if (++run->punt_streak < PUNT_STREAK)
		return;
	run->punt_streak = PUNT_STREAK - 1;
	run->stretch = run->stretch == 0 ? 256 : Min(run->stretch * 2, 8192);
	run->rest = run->stretch;
	run->counters.reason = "most rows were punted";
}

/* NULL: everything in flight was lost. */
const EngineResult *
gpuscan_cuda_collect(EngineRun *run)
{
	Job		   *job = cuda_job(run, run->head);

	if (!job->submitted)
		gpuscan_cuda_dispatch(run, job, run->program->grouped ? REQUEST_AGGREGATE : REQUEST_SCAN);
	if (!job->arrived && !gpuscan_cuda_arrive(run, job))
		return NULL;
	if (job->result.nleft > 0 && !feed_left(run, job))
		return NULL;
	batch_result(run, job);
	watch_punts(run, &run->result);
	run->hand = HAND_DEVICE;
	return &run->result;
}

/* On to the next batch of the head job. */
void
gpuscan_cuda_batch_done(EngineRun *run)
{
	Job		   *job = cuda_job(run, run->head);

	if (++job->next == job->nbatches)
		run->head++;
}

void
gpuscan_cuda_drop_jobs(EngineRun *run)
{
	for (; run->head != run->tail; run->head++)
	{
		Job		   *job = cuda_job(run, run->head);

		if (job->slot >= 0)
			gpuscan_slot_release(run->session, job->slot);
		job->slot = -1;
	}
}
