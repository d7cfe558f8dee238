/*-------------------------------------------------------------------------
 *
 * session.c
 *	  A backend begins and ends to use a device.
 *
 * A process takes a channel with its first session and gives it back with its
 * last, so gpuscan.device_connections counts processes that use devices just
 * then.  Sessions are kept in a list of this process with their resource
 * owners, in memory of their own: at an abort the executor's memory is gone
 * (portalmem.c, AtAbort_Portals) before resource owners are released.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "service/private.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

static DeviceSession *sessions = NULL;	/* that are open in this process */
static int	channel = -1;
static WaitEventSet *channel_events = NULL;
static bool registered = false;

uint32
gpuscan_wait_event(void)
{
#ifdef HAVE_WAIT_EVENT_EXTENSION_NEW
	static uint32 event = 0;

	if (event == 0)
		event = WaitEventExtensionNew("GpuscanDevice");
	return event;
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* ------------------------------------------------------------------------
 * Is there a device?
 * ------------------------------------------------------------------------
 */

bool
gpuscan_service_ready(uint32 *device, const char **why)
{
	ServiceRegion *region = gpuscan_service_region();
	uint32		n;

	if (region == NULL)
	{
		*why = gpuscan_service_absence();
		return false;
	}

	/* processes are spread over the devices */
	n = Min(region_load(&region->ndevices), SERVICE_MAX_DEVICES);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		number = (MyProcPid + i) % n;

		if (region_load(&region->devices[number].state) == DEVICE_READY)
		{
			*device = number;
			return true;
		}
	}
	switch (region_load(&region->devices[0].state))
	{
		case DEVICE_STARTING:
			*why = "the device is starting";
			break;
		case DEVICE_BACKOFF:
			*why = "the device failed, and is going to be started again";
			break;
		default:
			*why = region->devices[0].reason;
			break;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * The channel
 * ------------------------------------------------------------------------
 */

static bool
acquire_channel(ServiceRegion *region)
{
	if (channel >= 0)
		return true;

	/* CreateWaitEventSet would raise an error */
	if (!AcquireExternalFD())
		return false;
	ReleaseExternalFD();

	for (uint32 i = 0; i < region->nchannels; i++)
	{
		ServiceChannel *entry = region_channel(region, i);

		if (region_load(&entry->pid) == 0 && region_change(&entry->pid, 0, MyProcPid))
		{
			region_store(&entry->waiting, 0);
			region_drain(entry->eventfd);
			channel = (int) i;
			return true;
		}
	}
	return false;
}

static void
release_channel(ServiceRegion *region)
{
	if (channel_events)
		FreeWaitEventSet(channel_events);
	channel_events = NULL;
	if (channel >= 0)
	{
		region_store(&region_channel(region, channel)->waiting, 0);
		region_store(&region_channel(region, channel)->pid, 0);
	}
	channel = -1;
}

/* Made with the first sleep: many a session sees none. */
static void
make_channel_events(void)
{
	ServiceRegion *region = gpuscan_service_region();

	channel_events = CREATE_LASTING_WAIT_EVENT_SET(3);
	AddWaitEventToSet(channel_events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(channel_events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(channel_events, WL_SOCKET_READABLE,
					  region_channel(region, channel)->eventfd, NULL, NULL);
}

void
gpuscan_channel_announce(void)
{
	region_store(&region_channel(gpuscan_service_region(), channel)->waiting, 1);
}

void
gpuscan_channel_sleep(void)
{
	WaitEvent	event;

	if (channel_events == NULL)
		make_channel_events();
	if (WaitEventSetWait(channel_events, 1000, &event, 1, gpuscan_wait_event()) == 1)
	{
		if (event.events & WL_LATCH_SET)
			ResetLatch(MyLatch);
		if (event.events & WL_SOCKET_READABLE)
			region_drain(event.fd);
	}
	CHECK_FOR_INTERRUPTS();
}

void
gpuscan_channel_awake(void)
{
	region_store(&region_channel(gpuscan_service_region(), channel)->waiting, 0);
}

/* ------------------------------------------------------------------------
 * Sessions
 * ------------------------------------------------------------------------
 */

/* A plan without its values: the program that it is. */
static uint64
hash_plan(const DevicePlan *plan)
{
	uint64		hash = plan->nlayout ^ ((uint64) plan->grouped << 32);

#define ADD(type, at, n) \
	hash = hash_bytes_extended((const unsigned char *) DEVICE_SECTION(plan, type, at), \
							   (int) (sizeof(type) * (n)), hash)
	ADD(DeviceInstr, plan->instrs, plan->ninstrs);
	ADD(ProgramAttr, plan->attrs, plan->nattrs);
	ADD(DeviceKey, plan->keys, plan->nkeys);
	ADD(DeviceAgg, plan->aggs, plan->naggs);
#undef ADD
	return hash ? hash : 1;
}

static void
close_all(int code, Datum argument)
{
	while (sessions)
		gpuscan_session_close(sessions);
}

/*
 * At an abort all sessions of the owner are closed.  At a commit there should
 * be none: who is done in order closes his own.
 */
static void
release_resources(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *argument)
{
	DeviceSession *session;
	DeviceSession *next;

	if (phase != RESOURCE_RELEASE_BEFORE_LOCKS)
		return;
	for (session = sessions; session; session = next)
	{
		next = session->next;
		if (session->owner != CurrentResourceOwner)
			continue;
		if (is_commit)
			elog(WARNING, "device session %u was not closed", session->index);
		gpuscan_session_close(session);
	}
}

static ServiceSession *
acquire_entry(ServiceRegion *region, uint32 *index)
{
	for (uint32 i = 0; i < region->nsessions; i++)
	{
		ServiceSession *entry = region_session(region, i);

		if (region_load(&entry->state) == SESSION_FREE &&
			region_change(&entry->state, SESSION_FREE, SESSION_OPENING))
		{
			*index = i;
			return entry;
		}
	}
	return NULL;
}

DeviceSession *
gpuscan_session_open(const DevicePlan *plan, uint64 capacity, const char **why)
{
	ServiceRegion *region = gpuscan_service_region();
	ServiceSession *entry;
	DeviceSession *session;
	uint64		hash;
	uint32		device;
	uint32		generation;
	uint32		index;

	if (!gpuscan_service_ready(&device, why))
		return NULL;
	generation = region_load(&region->devices[device].generation);
	if (plan->size > SERVICE_PLAN_ROOM)
	{
		*why = "the program is too large for the device";
		return NULL;
	}
	hash = hash_plan(plan);
	if (gpuscan_program_barred(region, hash))
	{
		*why = "the program is barred: it was running at two failures of the device (gpuscan.barred_programs)";
		return NULL;
	}

	if (!registered)
	{
		RegisterResourceReleaseCallback(release_resources, NULL);
		before_shmem_exit(close_all, (Datum) 0);
		registered = true;
	}
	session = MemoryContextAllocExtended(TopMemoryContext, sizeof(DeviceSession), MCXT_ALLOC_ZERO);
	if (!acquire_channel(region))
	{
		pfree(session);
		*why = "all device connections are in use (gpuscan.device_connections)";
		return NULL;
	}
	entry = acquire_entry(region, &index);
	if (entry == NULL)
	{
		if (sessions == NULL)
			release_channel(region);
		pfree(session);
		*why = "all device sessions are in use (gpuscan.device_connections)";
		return NULL;
	}

	entry->device = device;
	entry->generation = generation;
	entry->serial++;
	entry->pid = MyProcPid;
	entry->channel = channel;
	entry->plan_hash = hash;
	entry->capacity = capacity;
	entry->plan_size = plan->size;
	memcpy(region_plan(region, index), plan, plan->size);
	region_store(&entry->state, SESSION_OPEN);
	region_add(&region->open_sessions, 1);

	session->index = index;
	session->device = device;
	session->generation = generation;
	session->owner = CurrentResourceOwner;
	session->next = sessions;
	sessions = session;
	return session;
}

void
gpuscan_session_close(DeviceSession *session)
{
	ServiceRegion *region = gpuscan_service_region();
	ServiceSession *entry = region_session(region, session->index);
	ServiceDevice *device = &region->devices[session->device];
	DeviceSession **link = &sessions;

	gpuscan_slots_release(session);
	while (*link != session)
		link = &(*link)->next;
	*link = session->next;

	/*
	 * The child frees what it keeps for this session; without that child there
	 * is nothing.  If it dies right now, the supervisor's sweep finds it.
	 */
	region_add(&region->open_sessions, -1);
	if (gpuscan_session_alive(session))
	{
		region_store(&entry->state, SESSION_CLOSING);
		region_ring_device(device);
	}
	else
		region_store(&entry->state, SESSION_FREE);
	pfree(session);
	if (sessions == NULL)
		release_channel(region);
}

bool
gpuscan_session_alive(const DeviceSession *session)
{
	ServiceRegion *region = gpuscan_service_region();

	return region_load(&region->devices[session->device].generation) == session->generation;
}

const ServiceDevice *
gpuscan_session_device(const DeviceSession *session)
{
	return &gpuscan_service_region()->devices[session->device];
}

void
gpuscan_service_warn(const DeviceSession *session, SlotState outcome, int error)
{
	static TimestampTz last = 0;
	TimestampTz now = GetCurrentTimestamp();
	const ServiceDevice *device = gpuscan_session_device(session);

	if (last != 0 && !TimestampDifferenceExceeds(last, now, 60 * 1000))
		return;
	last = now;
	if (outcome == SLOT_FAILED)
		ereport(WARNING,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("a job failed on CUDA device %u, the query goes on on the CPU", session->device),
				 errdetail("The driver's error number is %d.", error),
				 errhint("See gpuscan.stat_devices. This is said once a minute at most.")));
	else
		ereport(WARNING,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("CUDA device %u failed, the query goes on on the CPU", session->device),
				 device->reason[0] != '\0' ? errdetail("Its child process failed: %.*s.", SERVICE_REASON, device->reason) : 0,
				 errhint("See gpuscan.stat_devices and the server's log. This is said once a minute at most.")));
}
