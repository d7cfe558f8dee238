/*-------------------------------------------------------------------------
 *
 * session.c
 *	  A run's connection to a device.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "engine/cuda/cuda.h"
#include "gpuscan.h"

#define REST_FIRST		256		/* batches on the CPU after the device was lost */
#define REST_MAX		8192
#define REST_BUSY		32		/* ... after there was no place on it */

static void
leave_aside(EngineRun *run, uint32 batches, const char *why)
{
	run->rest = batches;
	run->counters.reason = why;
}

/*
 * Have a session.  False: the CPU goes on for a while.
 */
bool
gpuscan_cuda_connect(EngineRun *run)
{
	const char *why = NULL;

	if (run->session != NULL)
		return true;
	if (run->never != NULL)
		return false;
	if (run->plan == NULL)
	{
		uint32		size;
		void	   *room = cuda_alloc(run, SERVICE_PLAN_ROOM);

		memset(room, 0, SERVICE_PLAN_ROOM);
		size = gpuscan_device_plan(run->program, run->params, room, SERVICE_PLAN_ROOM, &why);
		if (size == 0)
		{
			run->never = run->counters.reason = why;
			return false;
		}
		run->plan = room;
	}
	run->capacity = 0;
	if (run->program->grouped)
	{
		run->capacity = 1;
		while (run->program->nkeys > 0 && run->capacity < (uint64) gpuscan_device_groups)
			run->capacity *= 2;
	}

	run->session = gpuscan_session_open(run->plan, run->capacity, &why);
	if (run->session == NULL)
	{
		leave_aside(run, REST_BUSY, why);
		return false;
	}
	run->counters.device = gpuscan_session_device(run->session)->name;
	return true;
}

void
gpuscan_cuda_disconnect(EngineRun *run, bool rest)
{
	if (run->session == NULL)
		return;
	if (run->spare_slot >= 0)
		gpuscan_slot_release(run->session, run->spare_slot);
	gpuscan_session_close(run->session);
	run->session = NULL;
	run->spare_slot = -1;
	if (!rest)
		return;
	run->stretch = run->stretch == 0 ? REST_FIRST : Min(run->stretch * 2, REST_MAX);
	run->rest = run->stretch;
}
