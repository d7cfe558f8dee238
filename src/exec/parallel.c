/*-------------------------------------------------------------------------
 *
 * parallel.c
 *	  A node in the processes of a parallel query.
 *
 * They share out the blocks of the table with what tableam.c has for parallel
 * sequential scans, and the snapshot goes with it.  Everything else, engine
 * and groups included, each process has for itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "exec/parallel.h"
#include "storage/spin.h"
#include "utils/snapmgr.h"

/* In the query's dynamic shared memory; the table's part follows. */
struct ParallelShared
{
	slock_t		mutex;			/* protects 'counters' */
	RunCounters counters;		/* of workers that have finished */
};

#define SHARED_SIZE		MAXALIGN(sizeof(ParallelShared))

Size
gpuscan_parallel_estimate(ProgramRun *run)
{
	return add_size(SHARED_SIZE,
					table_parallelscan_estimate(run->rel, run->node->ps.state->es_snapshot));
}

void
gpuscan_parallel_initialize(ProgramRun *run, void *coordinate)
{
	run->shared = coordinate;
	memset(run->shared, 0, sizeof(ParallelShared));
	SpinLockInit(&run->shared->mutex);
	run->pscan = (ParallelTableScanDesc) ((char *) coordinate + SHARED_SIZE);
	table_parallelscan_initialize(run->rel, run->pscan, run->node->ps.state->es_snapshot);
}

void
gpuscan_parallel_reinitialize(ProgramRun *run)
{
	table_parallelscan_reinitialize(run->rel, run->pscan);
}

void
gpuscan_parallel_attach(ProgramRun *run, void *coordinate)
{
	run->shared = coordinate;
	run->is_worker = true;
	run->pscan = (ParallelTableScanDesc) ((char *) coordinate + SHARED_SIZE);

	/* as table_beginscan_parallel */
	run->snapshot = RegisterSnapshot(RestoreSnapshot((char *) run->pscan +
													 run->pscan->phs_snapshot_off));
}

/* Texts are the process's own, and are left out. */
static void
add_counters(RunCounters *to, const RunCounters *from)
{
	to->rows += from->rows;
	to->survivors += from->survivors;
	to->punted += from->punted;
	to->host_rows += from->host_rows;
	to->removed_device += from->removed_device;
	to->removed_host += from->removed_host;
	to->source.pages += from->source.pages;
	to->source.pages_all_visible += from->source.pages_all_visible;
	to->source.batches += from->source.batches;
	to->source.rows += from->source.rows;
	to->engine.jobs += from->engine.jobs;
	to->engine.bytes += from->engine.bytes;
	to->engine.kernel_ns += from->engine.kernel_ns;
	to->engine.checkpoints += from->engine.checkpoints;
	to->engine.cpu_batches += from->engine.cpu_batches;
	to->engine.redone += from->engine.redone;
	INSTR_TIME_ADD(to->source_time, from->source_time);
	INSTR_TIME_ADD(to->engine_time, from->engine_time);
	INSTR_TIME_ADD(to->host_time, from->host_time);
}

void
gpuscan_parallel_shutdown(ProgramRun *run)
{
	ParallelShared *shared = run->shared;

	if (shared == NULL)
		return;
	if (run->is_worker)
	{
		RunCounters counters = run->counters;

		gpuscan_run_source_stats(run, &counters.source);
		gpuscan_run_engine_counters(run, &counters.engine);
		SpinLockAcquire(&shared->mutex);
		add_counters(&shared->counters, &counters);
		SpinLockRelease(&shared->mutex);
	}
	else
	{
		/* workers that still run (a LIMIT was reached) are left out, as for Sort and Hash */
		SpinLockAcquire(&shared->mutex);
		add_counters(&run->counters, &shared->counters);
		SpinLockRelease(&shared->mutex);
	}
	run->shared = NULL;
	run->pscan = NULL;
}
