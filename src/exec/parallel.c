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
gpuscan_parallel_estimate(CustomScanState *node, ParallelContext *pcxt)
{
	const ProgramRun *run = &((RunNode *) node)->run;

	return add_size(SHARED_SIZE,
					table_parallelscan_estimate(run->rel, run->node->ps.state->es_snapshot));
}

void
gpuscan_parallel_initialize(CustomScanState *node, ParallelContext *pcxt, void *coordinate)
{
	ProgramRun *run = &((RunNode *) node)->run;

	run->shared = coordinate;
	memset(run->shared, 0, sizeof(ParallelShared));
	SpinLockInit(&run->shared->mutex);
	run->pscan = (ParallelTableScanDesc) ((char *) coordinate + SHARED_SIZE);
	table_parallelscan_initialize(run->rel, run->pscan, run->node->ps.state->es_snapshot);
}

void
gpuscan_parallel_reinitialize(CustomScanState *node, ParallelContext *pcxt, void *coordinate)
{
	ProgramRun *run = &((RunNode *) node)->run;

	table_parallelscan_reinitialize(run->rel, run->pscan);
}

void
gpuscan_parallel_attach(CustomScanState *node, shm_toc *toc, void *coordinate)
{
	ProgramRun *run = &((RunNode *) node)->run;

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
	gpuscan_run_add_source_stats(&to->source, &from->source);
	gpuscan_run_add_engine_counters(&to->engine, &from->engine);
	INSTR_TIME_ADD(to->source_time, from->source_time);
	INSTR_TIME_ADD(to->engine_time, from->engine_time);
	INSTR_TIME_ADD(to->host_time, from->host_time);
}

void
gpuscan_parallel_shutdown(CustomScanState *node)
{
	ProgramRun *run = &((RunNode *) node)->run;
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
