/*-------------------------------------------------------------------------
 *
 * cuda.h
 *	  The CUDA engine's own structures, in the backend.
 *
 * A run has a CPU run inside, the ledger: it runs the batches that the device
 * does not get or has lost, and it is the home of all groups.  Settled rows
 * enter it at once; the device's groups are added to it now and then (a
 * checkpoint), and at the end.
 *
 * Exactly once.  A batch that was absorbed stays in the log until the device's
 * groups have come home, with the rows that the host settled.  When the device
 * is lost, so is what it held: the logged batches are run again by the CPU
 * engine, without the settled rows, and so are those in flight.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_H
#define GPUSCAN_CUDA_H

#include "engine/cuda/plan.h"
#include "engine/engine.h"
#include "service/service.h"

#define CUDA_MAX_JOBS		8	/* in flight */
#define CUDA_JOB_BATCHES	24	/* in a job */
#define CUDA_DEPTH			96	/* batches in flight */

/* A batch in a job. */
typedef struct JobBatch
{
	Batch	   *batch;
	uint32		first;			/* its first row's number in the job */
} JobBatch;

typedef struct Job
{
	int			slot;			/* -1: given back, the outcome is here */
	bool		submitted;
	bool		arrived;		/* result and status are here */
	bool		any_home;		/* some of its rows are in the ledger: see homed */
	uint32		nbatches;
	uint32		next;			/* batch that is collected next */
	JobBatch	batches[CUDA_JOB_BATCHES];
	uint32		npages;
	uint32		nrows;
	uint32		noffnums;
	uint16	   *offnums;		/* until they are put behind the pages */
	DeviceResult result;
	uint8	   *status;
	uint8	   *homed;			/* a flag for each row, where any_home */
} Job;

/* A batch in the log, or lost. */
typedef struct LoggedBatch
{
	EngineLost	where;
	uint32		ndone;			/* rows that are in the ledger already ... */
	uint16	   *done;			/* ... their numbers, or NULL */
	bool		absorbed;		/* it was counted */
} LoggedBatch;

typedef struct BatchLog
{
	LoggedBatch **batches;
	uint32		n;
	uint32		room;
	uint32		next;			/* of the lost: the oldest not run again yet */
} BatchLog;

/* What is collected and not absorbed or released yet. */
typedef enum InHand
{
	HAND_EMPTY,
	HAND_DEVICE,				/* from jobs[head] */
	HAND_CPU,					/* evaluated by the CPU run */
	HAND_AGAIN					/* ... being the oldest lost batch */
} InHand;

struct EngineRun
{
	const Program *program;
	const ProgramValue *params;
	const EngineMemory *memory;
	EngineRun  *ledger;			/* of the CPU engine */

	/* the device */
	const char *never;			/* why it will not be used in this run; or NULL */
	DevicePlan *plan;
	DeviceSession *session;		/* or NULL */
	uint64		capacity;		/* of its table of groups */
	int			spare_slot;		/* kept of an arrived job: the next needs one, or the
								 * groups on their way home; -1 */
	uint32		rest;			/* so many batches go to the CPU before the next try */
	uint32		stretch;		/* how many they will be next time */
	uint32		punt_streak;
	uint64		unsettled_bytes;	/* absorbed by the device since the last checkpoint */
	uint64		unsettled_rows;

	/* batches in flight: jobs[head % CUDA_MAX_JOBS] first */
	Job			jobs[CUDA_MAX_JOBS];
	uint32		head;
	uint32		tail;
	Batch	   *cpu_batch;		/* submitted for the CPU run; nothing else is then */

	InHand		hand;
	EngineResult result;
	uint16	   *rows;
	uint16	   *punted;
	uint8	   *done;
	ProgramValue *out_keys;
	EngineAggState *out_aggs;

	BatchLog	log;
	BatchLog	lost;
	EngineCounters counters;
};

/* memory of the run */
static inline void *
cuda_alloc(EngineRun *run, size_t size)
{
	return run->memory->alloc(run->memory->context, size);
}

/* session.c */
extern bool gpuscan_cuda_connect(EngineRun *run);
/* rest: let the CPU go on for a while, and longer each time. */
extern void gpuscan_cuda_disconnect(EngineRun *run, bool rest);

/* jobs.c */
extern char *gpuscan_cuda_room(EngineRun *run);
extern void gpuscan_cuda_add(EngineRun *run, Batch *batch);
extern void gpuscan_cuda_dispatch(EngineRun *run, Job *job, SlotRequest request);
/* False: everything in flight was lost. */
extern bool gpuscan_cuda_arrive(EngineRun *run, Job *job);
extern int	gpuscan_cuda_take_slot(EngineRun *run);
extern const EngineResult *gpuscan_cuda_collect(EngineRun *run);
extern void gpuscan_cuda_batch_done(EngineRun *run);
extern void gpuscan_cuda_drop_jobs(EngineRun *run);

/* home.c */
extern void gpuscan_cuda_log(EngineRun *run, const Job *job, uint32 number);
extern void gpuscan_cuda_lose(EngineRun *run, SlotState outcome, int error);
/* Bring the device's groups into the ledger.  False: they, and what was in flight, are lost. */
extern bool gpuscan_cuda_bring_home(EngineRun *run);
/* Nothing is logged or lost any more. */
extern void gpuscan_cuda_forget(EngineRun *run);

static inline Job *
cuda_job(EngineRun *run, uint32 number)
{
	return &run->jobs[number % CUDA_MAX_JOBS];
}

#endif							/* GPUSCAN_CUDA_H */
