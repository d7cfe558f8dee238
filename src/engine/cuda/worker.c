/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  A device's child process: from slots to kernels and back.
 *
 * A single thread that never waits for the device: it starts jobs on lanes,
 * looks which are done, and sleeps when there is nothing to do.  A lane is a
 * stream with buffers of its own, so that one job's copy, another's kernel and
 * a third's way back overlap.
 *
 * Jobs of one session may run on several lanes at once: their kernels share
 * nothing but the table of groups, which they change by atomics.  Plans that
 * keep candidates (device.h) are the exception; their kernels run one after
 * another.
 *
 * What cannot be helped ends the process (gpuscan_driver_fatal): the supervisor
 * tells the sessions and starts another one.  Calls nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/cuda/driver.h"
#include "engine/cuda/nvml.h"
#include "engine/cuda/plan.h"
#include "service/child.h"

#define LANES			4		/* jobs on the device at a time */
#define SPINS			200		/* looks at the lanes before the first sleep */
#define NAP_NS			20000
#define IDLE_MS			100
#define SAMPLE_US		1000000 /* between looks at the device's counters */
#define SHARED_DEFAULT	49152	/* dynamic shared memory without asking for more */

#define CHILD_EXIT_FAILED	4

/* cuda/fatbin.S; empty when the library was built without nvcc */
extern const unsigned char gpuscan_fatbin_start[] __attribute__((visibility("hidden")));
extern const unsigned char gpuscan_fatbin_end[] __attribute__((visibility("hidden")));

/* A session's part on the device. */
typedef struct WorkerSession
{
	uint32_t	serial;			/* of the use that this is for; 0: none */
	DevicePlan *plan;			/* a copy that only we can change */
	CUdeviceptr device_plan;
	CUdeviceptr groups;
	uint64_t	capacity;
	size_t		bytes;			/* of device memory */
	struct Lane *last;			/* plans with candidates: the lane started last */
} WorkerSession;

typedef struct Lane
{
	int			slot;			/* -1: free */
	uint32_t	session;
	int			phase;			/* GATHER: 0 the header, 1 the groups */
	CUstream	stream;
	CUevent		begun;			/* around the kernels */
	CUevent		ended;
	CUevent		done;			/* everything is back */
	CUdeviceptr input;			/* job_room bytes */
	CUdeviceptr result;			/* DeviceResult, statuses behind it */
	CUdeviceptr candidates;
	size_t		candidate_bytes;
} Lane;

typedef struct Worker
{
	Child	   *child;
	ServiceRegion *region;
	ServiceDevice *device;
	DriverTable driver;
	CUdevice	handle;
	CUcontext	context;
	CUmodule	module;
	CUfunction	scan;
	CUfunction	aggregate;
	CUfunction	commit;
	CUfunction	clear;
	CUfunction	gather;
	Lane		lanes[LANES];
	WorkerSession *sessions;	/* region->nsessions */
	size_t		used;			/* bytes of device memory */
} Worker;

/* ------------------------------------------------------------------------
 * Ends
 * ------------------------------------------------------------------------
 */

static void __attribute__((noreturn))
leave(Worker *worker, const char *reason, int code)
{
	snprintf(worker->device->reason, SERVICE_REASON, "%s", reason);
	_exit(code);
}

/* The driver's answer is the end of this process. */
static void __attribute__((noreturn))
leave_failed(Worker *worker, const char *call, CUresult result)
{
	snprintf(worker->device->reason, SERVICE_REASON, "%s in %s",
			 gpuscan_driver_error(&worker->driver, result), call);
	__atomic_store_n(&worker->device->last_error, result, __ATOMIC_RELAXED);
	gpuscan_child_log("%s", worker->device->reason);
	_exit(CHILD_EXIT_FAILED);
}

/* An answer that a job may fail by; true when it is success. */
static bool
passed(Worker *worker, const char *call, CUresult result)
{
	if (result == CUDA_SUCCESS)
		return true;
	if (gpuscan_driver_fatal(result))
		leave_failed(worker, call, result);
	return false;
}

/* 'rc' is a CUresult in scope: remember it, and leave the function if it is no success. */
#define TRY(name, ...) \
do { \
	rc = worker->driver.name(__VA_ARGS__); \
	if (!passed(worker, "cu" #name, rc)) \
		return rc; \
} while (0)

/* ------------------------------------------------------------------------
 * The device
 * ------------------------------------------------------------------------
 */

/*
 * What is needed to begin.  Some answers will be the same tomorrow; some may
 * change when others leave the device; and any other is a failure like those
 * of later on.
 */
static void
need(Worker *worker, CUresult result, const char *what)
{
	char		reason[SERVICE_REASON];

	if (result == CUDA_SUCCESS)
		return;
	snprintf(reason, sizeof reason, "%s: %s", what, gpuscan_driver_error(&worker->driver, result));
	__atomic_store_n(&worker->device->last_error, result, __ATOMIC_RELAXED);
	switch (result)
	{
		case CUDA_ERROR_OUT_OF_MEMORY:
		case CUDA_ERROR_DEVICE_UNAVAILABLE:
			leave(worker, reason, CHILD_EXIT_BUSY);
		case CUDA_ERROR_NO_DEVICE:
		case CUDA_ERROR_INVALID_DEVICE:
		case CUDA_ERROR_INVALID_VALUE:
		case CUDA_ERROR_INVALID_IMAGE:
		case CUDA_ERROR_NO_BINARY_FOR_GPU:
		case CUDA_ERROR_NOT_FOUND:
		case CUDA_ERROR_NOT_SUPPORTED:
		case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
			leave(worker, reason, CHILD_EXIT_ABSENT);
		default:
			leave(worker, reason, CHILD_EXIT_FAILED);
	}
}

static int
attribute(Worker *worker, int which)
{
	int			value = 0;

	if (worker->driver.DeviceGetAttribute(&value, which, worker->handle) != CUDA_SUCCESS)
		return 0;
	return value;
}

static void
find_device(Worker *worker)
{
	DriverTable *driver = &worker->driver;
	ServiceDevice *device = worker->device;
	char		reason[SERVICE_REASON];
	CUuuid		uuid;
	size_t		memory = 0;
	int			count = 0;

	if (&gpuscan_fatbin_start[0] == &gpuscan_fatbin_end[0])
		leave(worker, "this build has no CUDA kernels (nvcc was not found)", CHILD_EXIT_ABSENT);
	if (!gpuscan_driver_open(driver, worker->child->library, reason, sizeof reason))
		leave(worker, reason, CHILD_EXIT_ABSENT);
	need(worker, driver->Init(0), "the CUDA driver found no device");
	driver->DriverGetVersion(&device->driver_version);
	need(worker, driver->DeviceGetCount(&count), "the CUDA driver found no device");
	if (count <= (int) worker->child->number)
		leave(worker, "the CUDA driver found no device", CHILD_EXIT_ABSENT);
	if (worker->child->number == 0)
		__atomic_store_n(&worker->region->ndevices,
						 count < SERVICE_MAX_DEVICES ? (uint32_t) count : SERVICE_MAX_DEVICES,
						 __ATOMIC_RELEASE);
	device->ordinal = worker->child->number;
	need(worker, driver->DeviceGet(&worker->handle, (int) device->ordinal), "no such device");
	driver->DeviceGetName(device->name, sizeof device->name, worker->handle);
	device->name[sizeof device->name - 1] = '\0';
	if (driver->DeviceGetUuid(&uuid, worker->handle) == CUDA_SUCCESS)
	{
		const unsigned char *b = (const unsigned char *) uuid.bytes;

		snprintf(device->uuid, sizeof device->uuid,
				 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
				 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
				 b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	}
	driver->DeviceGetPCIBusId(device->pci, sizeof device->pci, worker->handle);
	driver->DeviceTotalMem(&memory, worker->handle);
	device->memory = memory;
	device->major = attribute(worker, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
	device->minor = attribute(worker, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
	device->multiprocessors = attribute(worker, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
	device->shared_limit = (uint32_t) attribute(worker, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
	if (device->shared_limit == 0)
		device->shared_limit = SHARED_DEFAULT;
}

static void
load_kernel(Worker *worker, CUfunction *function, const char *name)
{
	char		what[96];

	snprintf(what, sizeof what, "kernel %s", name);
	need(worker, worker->driver.ModuleGetFunction(function, worker->module, name), what);
}

static void
load_kernels(Worker *worker)
{
	DriverTable *driver = &worker->driver;
	char		what[96];

	need(worker, driver->PrimaryCtxRetain(&worker->context, worker->handle), "no context on the device");
	need(worker, driver->CtxSetCurrent(worker->context), "no context on the device");
	snprintf(what, sizeof what, "no kernels for compute capability %d.%d",
			 worker->device->major, worker->device->minor);
	need(worker, driver->ModuleLoadData(&worker->module, gpuscan_fatbin_start), what);
	load_kernel(worker, &worker->scan, "gpuscan_scan");
	load_kernel(worker, &worker->aggregate, "gpuscan_aggregate");
	load_kernel(worker, &worker->commit, "gpuscan_groups_commit");
	load_kernel(worker, &worker->clear, "gpuscan_groups_clear");
	load_kernel(worker, &worker->gather, "gpuscan_groups_gather");
	need(worker, driver->FuncSetAttribute(worker->scan, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
											   (int) worker->device->shared_limit), "shared memory");
	need(worker, driver->FuncSetAttribute(worker->aggregate, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
											   (int) worker->device->shared_limit), "shared memory");
}

static CUresult
device_alloc(Worker *worker, CUdeviceptr *pointer, size_t bytes)
{
	uint64_t	limit = worker->child->memory_limit;
	CUresult	rc;

	*pointer = 0;
	if (limit != 0 && worker->used + bytes > limit)
		return CUDA_ERROR_OUT_OF_MEMORY;
	TRY(MemAlloc, pointer, bytes);
	worker->used += bytes;
	__atomic_store_n(&worker->device->memory_used, worker->used, __ATOMIC_RELAXED);
	return CUDA_SUCCESS;
}

static void
device_free(Worker *worker, CUdeviceptr pointer, size_t bytes)
{
	if (pointer == 0)
		return;
	passed(worker, "cuMemFree", worker->driver.MemFree(pointer));
	worker->used -= bytes;
	__atomic_store_n(&worker->device->memory_used, worker->used, __ATOMIC_RELAXED);
}

static size_t
result_bytes(const Worker *worker)
{
	return sizeof(DeviceResult) + region_max_rows(worker->region);
}

static void
make_lanes(Worker *worker)
{
	DriverTable *driver = &worker->driver;

	for (int i = 0; i < LANES; i++)
	{
		Lane	   *lane = &worker->lanes[i];

		lane->slot = -1;
		need(worker, device_alloc(worker, &lane->input, worker->region->job_room), "memory for pages");
		need(worker, device_alloc(worker, &lane->result, result_bytes(worker)), "memory for results");
		need(worker, driver->StreamCreate(&lane->stream, CU_STREAM_NON_BLOCKING), "a stream");
		need(worker, driver->EventCreate(&lane->begun, CU_EVENT_DEFAULT), "an event");
		need(worker, driver->EventCreate(&lane->ended, CU_EVENT_DEFAULT), "an event");
		need(worker, driver->EventCreate(&lane->done, CU_EVENT_DISABLE_TIMING), "an event");
	}
}

/*
 * Page-lock the region, for copies by the device's own engines.  Without it
 * they still work, slower.
 */
static void
pin_region(Worker *worker)
{
	CUresult	rc = worker->driver.MemHostRegister(worker->region, worker->region->size,
													CU_MEMHOSTREGISTER_PORTABLE);

	worker->device->pinned = rc == CUDA_SUCCESS;
	if (rc != CUDA_SUCCESS)
		gpuscan_child_log("host memory could not be registered (%s): copies will be slow",
						  gpuscan_driver_error(&worker->driver, rc));
}

/* ------------------------------------------------------------------------
 * Sessions
 * ------------------------------------------------------------------------
 */

static bool
session_in_flight(const Worker *worker, uint32_t session)
{
	for (int i = 0; i < LANES; i++)
		if (worker->lanes[i].slot >= 0 && worker->lanes[i].session == session)
			return true;
	return false;
}

static void
session_free(Worker *worker, WorkerSession *ws)
{
	if (ws->plan != NULL)
	{
		device_free(worker, ws->device_plan, ws->plan->size);
		device_free(worker, ws->groups, ws->bytes);
		free(ws->plan);
	}
	memset(ws, 0, sizeof *ws);
}

static CUresult
launch(Worker *worker, CUfunction function, const char *name, uint32_t blocks, uint32_t threads,
	   uint32_t shared, CUstream stream, void **params)
{
	CUresult	rc = worker->driver.LaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared,
												 stream, params, NULL);

	passed(worker, name, rc);
	return rc;
}

static CUresult
clear_groups(Worker *worker, WorkerSession *ws, CUstream stream)
{
	uint64_t	limit = ws->capacity > 1 ? ws->capacity / 2 : 1;
	uint32_t	blocks = ws->capacity / 256 < DEVICE_CLEAR_BLOCKS ?
		(uint32_t) (ws->capacity / 256 + 1) : DEVICE_CLEAR_BLOCKS;
	void	   *params[] = {&ws->device_plan, &ws->groups, &ws->capacity, &limit};

	return launch(worker, worker->clear, "cuLaunchKernel", blocks, 256, 0, stream, params);
}

/* What a session needs on the device; called at its first job. */
static CUresult
session_make(Worker *worker, WorkerSession *ws, uint32_t number, CUstream stream)
{
	ServiceSession *session = region_session(worker->region, number);
	uint32_t	size = session->plan_size;
	CUresult	rc;

	if (size < sizeof(DevicePlan) || size > SERVICE_PLAN_ROOM)
		return CUDA_ERROR_INVALID_VALUE;
	ws->serial = session->serial;
	ws->plan = malloc(size);
	if (ws->plan == NULL)
		return CUDA_ERROR_OUT_OF_MEMORY;
	memcpy(ws->plan, region_plan(worker->region, number), size);
	if (gpuscan_device_plan_verify(ws->plan, size) != NULL)
	{
		ws->plan->size = 0;
		return CUDA_ERROR_INVALID_VALUE;
	}
	rc = device_alloc(worker, &ws->device_plan, size);
	if (rc != CUDA_SUCCESS)
		return rc;
	/* from our copy: pageable memory, so the call returns when it was read */
	TRY(MemcpyHtoDAsync, ws->device_plan, ws->plan, size, stream);
	if (ws->plan->grouped)
	{
		ws->capacity = session->capacity;
		if (ws->capacity == 0 || (ws->capacity & (ws->capacity - 1)) != 0 ||
			ws->capacity > worker->device->memory / ws->plan->group_size)
			return CUDA_ERROR_INVALID_VALUE;
		ws->bytes = DEVICE_GROUPS_BYTES(ws->plan, ws->capacity);
		rc = device_alloc(worker, &ws->groups, ws->bytes);
		if (rc != CUDA_SUCCESS)
			return rc;
		rc = clear_groups(worker, ws, stream);
		if (rc != CUDA_SUCCESS)
			return rc;
	}
	/* other lanes will use it, too */
	TRY(StreamSynchronize, stream);
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Jobs
 * ------------------------------------------------------------------------
 */

static uint32_t
job_blocks(const Worker *worker, const DeviceLaunch *how, uint32_t npages, CUfunction function)
{
	uint32_t	tiles = (npages + how->tile_pages - 1) / how->tile_pages;
	uint32_t	most;
	int			resident = 0;

	worker->driver.OccupancyMaxBlocks(&resident, function, (int) how->threads, how->shared);
	most = (uint32_t) (resident > 0 ? resident : 1) * (uint32_t) worker->device->multiprocessors;
	return tiles == 0 ? 1 : tiles < most ? tiles : most;
}

static CUresult
start_job(Worker *worker, Lane *lane, WorkerSession *ws)
{
	ServiceSlot *slot = region_slot(worker->region, (uint32_t) lane->slot);
	const DeviceJob *job = (const DeviceJob *) region_data(worker->region, (uint32_t) lane->slot);
	DeviceJob	header = *job;	/* as verified */
	uint8_t    *host_status = region_status(worker->region, (uint32_t) lane->slot);
	CUdeviceptr status = lane->result + sizeof(DeviceResult);
	DeviceResult zero = {0};
	uint32_t	again = slot->request == REQUEST_AGAIN;
	DeviceLaunch how;
	CUresult	rc;

	if (slot->input > worker->region->job_room || gpuscan_device_job_verify(job, slot->input) != NULL ||
		header.nrows > region_max_rows(worker->region) ||
		(slot->request != REQUEST_SCAN) != (ws->plan->grouped != 0) ||
		!gpuscan_device_launch(ws->plan, header.blcksz, worker->device->shared_limit, &how))
		return CUDA_ERROR_INVALID_VALUE;
	if (ws->plan->candidates > 0)
	{
		size_t		need = (size_t) header.nrows * ws->plan->candidates * sizeof(DeviceCandidate);

		if (need > lane->candidate_bytes)
		{
			device_free(worker, lane->candidates, lane->candidate_bytes);
			lane->candidates = 0;
			lane->candidate_bytes = 0;
			rc = device_alloc(worker, &lane->candidates, need);
			if (rc != CUDA_SUCCESS)
				return rc;
			lane->candidate_bytes = need;
		}
	}

	zero.corrupt_row = UINT32_MAX;
	slot->result = zero;		/* pinned: stays until the copy is done */
	TRY(MemcpyHtoDAsync, lane->input, job, header.size, lane->stream);
	TRY(MemcpyHtoDAsync, lane->result, &slot->result, sizeof slot->result, lane->stream);
	if (again)
		TRY(MemcpyHtoDAsync, status, host_status, header.nrows, lane->stream);
	if (ws->plan->candidates > 0 && ws->last != NULL && ws->last != lane && ws->last->slot >= 0)
		TRY(StreamWaitEvent, lane->stream, ws->last->ended, 0);
	TRY(EventRecord, lane->begun, lane->stream);
	if (header.npages > 0)
	{
		CUfunction	function = ws->plan->grouped ? worker->aggregate : worker->scan;
		uint32_t	blocks = job_blocks(worker, &how, header.npages, function);
		void	   *scan[] = {&ws->device_plan, &lane->input, &lane->result, &status, &how};
		void	   *aggregate[] = {&ws->device_plan, &lane->input, &lane->result, &status,
								   &ws->groups, &lane->candidates, &again, &how};

		rc = launch(worker, function, "cuLaunchKernel", blocks, how.threads, how.shared,
					lane->stream, ws->plan->grouped ? aggregate : scan);
		if (rc != CUDA_SUCCESS)
			return rc;
		if (ws->plan->candidates > 0)
		{
			void	   *commit[] = {&ws->device_plan, &ws->groups, &lane->input, &lane->candidates};

			rc = launch(worker, worker->commit, "cuLaunchKernel", DEVICE_COMMIT_BLOCKS, 256, 0,
						lane->stream, commit);
			if (rc != CUDA_SUCCESS)
				return rc;
		}
	}
	TRY(EventRecord, lane->ended, lane->stream);
	TRY(MemcpyDtoHAsync, &slot->result, lane->result, sizeof slot->result, lane->stream);
	if (header.nrows > 0)
		TRY(MemcpyDtoHAsync, host_status, status, header.nrows, lane->stream);
	TRY(EventRecord, lane->done, lane->stream);
	ws->last = lane;

	__atomic_add_fetch(&worker->device->pages, header.npages, __ATOMIC_RELAXED);
	__atomic_add_fetch(&worker->device->rows, header.nrows, __ATOMIC_RELAXED);
	__atomic_add_fetch(&worker->device->bytes_out, header.nrows + sizeof slot->result, __ATOMIC_RELAXED);
	return CUDA_SUCCESS;
}

/* Groups come home in two steps: how many, and then these. */
static CUresult
start_gather(Worker *worker, Lane *lane, WorkerSession *ws)
{
	DeviceGather *gather = (DeviceGather *) region_data(worker->region, (uint32_t) lane->slot);
	uint64_t	room = (worker->region->job_room - sizeof *gather) / ws->plan->group_size;
	void	   *params[] = {&ws->device_plan, &ws->groups, &lane->input};
	CUresult	rc;

	if (!ws->plan->grouped)
		return CUDA_ERROR_INVALID_VALUE;
	if (gather->room > room)
		gather->room = (uint32_t) room;
	gather->ngroups = 0;
	TRY(MemcpyHtoDAsync, lane->input, gather, sizeof *gather, lane->stream);
	TRY(EventRecord, lane->begun, lane->stream);
	rc = launch(worker, worker->gather, "cuLaunchKernel", DEVICE_GATHER_BLOCKS, DEVICE_GATHER_THREADS,
				DEVICE_GATHER_SHARED,
				lane->stream, params);
	if (rc != CUDA_SUCCESS)
		return rc;
	TRY(EventRecord, lane->ended, lane->stream);
	TRY(MemcpyDtoHAsync, gather, lane->input, sizeof *gather, lane->stream);
	TRY(EventRecord, lane->done, lane->stream);
	return CUDA_SUCCESS;
}

static CUresult
continue_gather(Worker *worker, Lane *lane, WorkerSession *ws)
{
	DeviceGather *gather = (DeviceGather *) region_data(worker->region, (uint32_t) lane->slot);
	size_t		bytes = (size_t) gather->ngroups * ws->plan->group_size;
	CUresult	rc;

	if (bytes > worker->region->job_room - sizeof *gather)
		return CUDA_ERROR_INVALID_VALUE;
	if (bytes > 0)
		TRY(MemcpyDtoHAsync, gather + 1, lane->input + sizeof *gather, bytes, lane->stream);
	TRY(EventRecord, lane->done, lane->stream);
	__atomic_add_fetch(&worker->device->bytes_out, bytes, __ATOMIC_RELAXED);
	return CUDA_SUCCESS;
}

static CUresult
start_clear(Worker *worker, Lane *lane, WorkerSession *ws)
{
	CUresult	rc;

	if (!ws->plan->grouped)
		return CUDA_ERROR_INVALID_VALUE;
	TRY(EventRecord, lane->begun, lane->stream);
	rc = clear_groups(worker, ws, lane->stream);
	if (rc != CUDA_SUCCESS)
		return rc;
	TRY(EventRecord, lane->ended, lane->stream);
	TRY(EventRecord, lane->done, lane->stream);
	return CUDA_SUCCESS;
}

static void
finish_lane(Worker *worker, Lane *lane, SlotState outcome, CUresult error)
{
	if (outcome == SLOT_FAILED)
	{
		/* what was started reads and writes the slot: it must be over */
		passed(worker, "cuStreamSynchronize", worker->driver.StreamSynchronize(lane->stream));
		__atomic_store_n(&worker->device->last_error, error, __ATOMIC_RELAXED);
	}
	gpuscan_child_report(worker->child, lane->slot, outcome, error);
	lane->slot = -1;
}

static void
start(Worker *worker, Lane *lane, int number)
{
	ServiceSlot *slot = region_slot(worker->region, (uint32_t) number);
	uint32_t	session = slot->session;
	WorkerSession *ws;
	CUresult	rc = CUDA_SUCCESS;

	lane->slot = number;
	lane->session = session;
	lane->phase = 0;
	slot->kernel_ns = 0;
	if (session >= worker->region->nsessions)
	{
		finish_lane(worker, lane, SLOT_FAILED, CUDA_ERROR_INVALID_VALUE);
		return;
	}
	ws = &worker->sessions[session];
	if (ws->serial != region_session(worker->region, session)->serial)
	{
		session_free(worker, ws);
		rc = session_make(worker, ws, session, lane->stream);
		if (rc != CUDA_SUCCESS)
			session_free(worker, ws);
	}
	if (rc == CUDA_SUCCESS)
		switch (slot->request)
		{
			case REQUEST_SCAN:
			case REQUEST_AGGREGATE:
			case REQUEST_AGAIN:
				rc = start_job(worker, lane, ws);
				break;
			case REQUEST_GATHER:
				rc = start_gather(worker, lane, ws);
				break;
			case REQUEST_CLEAR:
				rc = start_clear(worker, lane, ws);
				break;
			default:
				rc = CUDA_ERROR_INVALID_VALUE;
		}
	if (rc != CUDA_SUCCESS)
		finish_lane(worker, lane, SLOT_FAILED, rc);
}

/* True when there was something to do. */
static bool
look_at(Worker *worker, Lane *lane)
{
	ServiceSlot *slot = region_slot(worker->region, (uint32_t) lane->slot);
	WorkerSession *ws = &worker->sessions[lane->session];
	CUresult	rc = worker->driver.EventQuery(lane->done);
	float		milliseconds = 0;

	if (rc == CUDA_ERROR_NOT_READY)
		return false;
	if (rc != CUDA_SUCCESS)
		leave_failed(worker, "cuEventQuery", rc);
	if (slot->request == REQUEST_GATHER && lane->phase == 0)
	{
		lane->phase = 1;
		rc = continue_gather(worker, lane, ws);
		if (rc != CUDA_SUCCESS)
			finish_lane(worker, lane, SLOT_FAILED, rc);
		return true;
	}
	if (worker->driver.EventElapsedTime(&milliseconds, lane->begun, lane->ended) == CUDA_SUCCESS)
		slot->kernel_ns = (uint64_t) (milliseconds * 1e6);
	finish_lane(worker, lane, SLOT_DONE, CUDA_SUCCESS);
	return true;
}

static bool
look_at_all(Worker *worker, bool *busy)
{
	bool		progress = false;

	*busy = false;
	for (int i = 0; i < LANES; i++)
	{
		Lane	   *lane = &worker->lanes[i];

		if (lane->slot >= 0)
			progress |= look_at(worker, lane);
		if (lane->slot < 0)
		{
			int			slot = gpuscan_child_take(worker->child);

			if (slot >= 0)
			{
				start(worker, lane, slot);
				progress = true;
			}
		}
		*busy |= lane->slot >= 0;
	}
	return progress;
}

/* Sessions that were closed give their memory back, once nothing of theirs runs. */
static void
close_sessions(Worker *worker)
{
	for (;;)
	{
		int			number = gpuscan_child_closing(worker->child);

		if (number < 0 || session_in_flight(worker, (uint32_t) number))
			return;
		session_free(worker, &worker->sessions[number]);
		gpuscan_child_closed(worker->child, number);
	}
}

void
gpuscan_worker_main(Child *child)
{
	static Worker state;
	Worker	   *worker = &state;
	uint64_t	sampled = 0;
	uint32_t	idle = 0;
	bool		nvml;

	worker->child = child;
	worker->region = child->region;
	worker->device = child->device;
	find_device(worker);
	gpuscan_child_beat(child);
	load_kernels(worker);
	make_lanes(worker);
	pin_region(worker);
	worker->sessions = calloc(worker->region->nsessions, sizeof(WorkerSession));
	if (worker->sessions == NULL)
		leave(worker, "out of memory", CHILD_EXIT_BUSY);
	nvml = gpuscan_nvml_open(worker->device->pci);
	worker->device->reason[0] = '\0';
	gpuscan_child_beat(child);
	__atomic_store_n(&worker->device->state, DEVICE_READY, __ATOMIC_RELEASE);

	while (!gpuscan_child_stopping())
	{
		bool		busy;
		bool		progress = look_at_all(worker, &busy);
		uint64_t	now = gpuscan_child_now_us();

		/* a job that never ends is no sign of life */
		if (progress || !busy)
			gpuscan_child_beat(child);
		close_sessions(worker);
		if (nvml && now - sampled > SAMPLE_US)
		{
			gpuscan_nvml_sample(worker->device);
			sampled = now;
		}
		if (progress)
			idle = 0;
		else if (!busy)
			gpuscan_child_wait(child, IDLE_MS);
		else if (++idle > SPINS)
		{
			struct timespec nap = {0, NAP_NS};

			nanosleep(&nap, NULL);
		}
	}
	_exit(CHILD_EXIT_ASKED);
}
