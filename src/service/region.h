/*-------------------------------------------------------------------------
 *
 * region.h
 *	  The memory that backends, the supervisor and the devices' child processes
 *	  share.
 *
 * A mapping of our own, made by the postmaster and inherited by every process
 * at the same address.  It is not a part of PostgreSQL's shared memory, which a
 * child has read-only, and it is made anew after a crash: what an old child
 * still writes, nobody reads.
 *
 * No locks: a process that dies by a signal leaves nothing locked.  Who may
 * write a thing is decided by its state, and states change by compare-and-swap:
 *
 *	   slot		FREE -> OWNED -> SUBMITTED -> RUNNING -> DONE | FAILED -> FREE
 *				backend  backend   child       child    child     backend
 *
 *				SUBMITTED, RUNNING -> LOST		supervisor or owner, the child being dead
 *				SUBMITTED -> FREE				backend that gives up (cancel, error)
 *				RUNNING -> ABANDONED -> FREE	... backend, then child or supervisor
 *
 *	   session	FREE -> OPENING -> OPEN -> CLOSING -> FREE
 *				backend  backend  backend	child (device memory is given back),
 *											or supervisor
 *
 * A slot's or session's generation is that of the child that it was meant for.
 * When it is no longer the device's, that child is dead: the supervisor raises
 * the device's generation after it has reaped the child, and only then turns
 * what was left to LOST or FREE.  A child looks at nothing of another generation.
 *
 * Wake-ups are eventfds, made in the postmaster, the same numbers everywhere.
 * The sleeper announces itself before it looks for the last time, and who has
 * news looks for the sleeper after having written them, so none is missed;
 * every sleep is bounded besides.
 *
 * Includes nothing of PostgreSQL: the child uses it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_REGION_H
#define GPUSCAN_REGION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "engine/cuda/device.h"

#define SERVICE_MAX_DEVICES		8
#define SERVICE_PLAN_ROOM		65536	/* bytes of a session's plan */
#define SERVICE_REASON			160
#define SERVICE_MAX_BARRED		64

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_OWNED,					/* a backend fills it, or reads its results */
	SLOT_SUBMITTED,
	SLOT_RUNNING,				/* the child works on it */
	SLOT_DONE,
	SLOT_FAILED,				/* slot->error says why; the device goes on */
	SLOT_LOST,					/* the child died, or was never there */
	SLOT_ABANDONED				/* running, and nobody waits for it */
} SlotState;

/* What a slot asks for. */
typedef enum SlotRequest
{
	REQUEST_SCAN,				/* a DeviceJob: statuses come back */
	REQUEST_AGGREGATE,			/* the same, and survivors enter the session's groups */
	REQUEST_AGAIN,				/* the rows of this slot's job that were LEFT: the slot
								 * holds job and statuses as they came back */
	REQUEST_GATHER,				/* a DeviceGather header (cursor, room): it comes back
								 * with groups behind it, at the slot's data */
	REQUEST_CLEAR				/* forget the session's groups */
} SlotRequest;

typedef struct ServiceSlot
{
	uint32_t	state;			/* SlotState; atomic */
	uint32_t	request;		/* SlotRequest */
	uint32_t	device;
	uint32_t	session;		/* index */
	uint32_t	generation;		/* of the child that it was submitted to */
	uint32_t	roleid;			/* owner's role, for limits */
	int32_t		pid;			/* owner */
	uint32_t	input;			/* bytes of data that travel to the device */
	uint64_t	sequence;		/* of submission within the session: jobs run in order */
	int32_t		error;			/* CUresult of a FAILED slot */
	uint32_t	pad;
	uint64_t	submitted_us;	/* monotonic clocks, for the watchdog and statistics */
	uint64_t	started_us;
	uint64_t	kernel_ns;		/* by events */
	DeviceResult result;		/* of SCAN, AGGREGATE, AGAIN */
} __attribute__((aligned(128))) ServiceSlot;

typedef enum SessionState
{
	SESSION_FREE,
	SESSION_OPENING,
	SESSION_OPEN,
	SESSION_CLOSING
} SessionState;

/* One run of a plan on a device. */
typedef struct ServiceSession
{
	uint32_t	state;			/* SessionState; atomic */
	uint32_t	device;
	uint32_t	generation;		/* of the child that holds its groups */
	uint32_t	serial;			/* counts the uses of this entry: the child tells a new
								 * session by it */
	int32_t		pid;
	uint32_t	channel;		/* the owner's, to be woken */
	uint64_t	plan_hash;		/* tells programs that kill children */
	uint64_t	capacity;		/* places of its table of groups; 0: none */
	uint32_t	plan_size;
	uint32_t	pad;
} __attribute__((aligned(128))) ServiceSession;

/* A backend that uses devices: how it is woken. */
typedef struct ServiceChannel
{
	uint32_t	pid;			/* owner, 0: free; atomic */
	int32_t		eventfd;		/* the same number in every process */
	uint32_t	waiting;		/* the owner sleeps: the child that takes this down writes
								 * to the eventfd; atomic */
	uint32_t	pad;
} ServiceChannel;

typedef enum DeviceState
{
	DEVICE_ABSENT,				/* reason says why */
	DEVICE_STARTING,
	DEVICE_READY,
	DEVICE_BACKOFF				/* the child died, another will be started */
} DeviceState;

/* What the supervisor and one child know of a device. */
typedef struct ServiceDevice
{
	uint32_t	state;			/* DeviceState; atomic */
	uint32_t	generation;		/* of its child; atomic, raised before a new one is
								 * started and when the old one's loss is settled */
	int32_t		pid;
	int32_t		doorbell;		/* eventfd that wakes the child */
	uint32_t	rung;			/* the doorbell was rung and not yet answered: no need to
								 * ring again; atomic */
	uint64_t	heartbeat_us;	/* monotonic; the child's last sign of life; atomic */
	uint32_t	restart;		/* an administrator asks for another child; atomic */
	uint32_t	ordinal;		/* the driver's; set by the supervisor: the device's number */
	char		reason[SERVICE_REASON];

	/* set by the child before READY */
	char		name[96];
	char		uuid[40];
	char		pci[32];
	int32_t		driver_version; /* 13000 = 13.0 */
	int32_t		major;			/* compute capability */
	int32_t		minor;
	int32_t		multiprocessors;
	uint64_t	memory;
	uint32_t	shared_limit;	/* bytes of shared memory that a block may have */
	uint32_t	pinned;			/* the region was registered with the driver */

	/* statistics, since the server's start; atomic */
	uint64_t	jobs;
	uint64_t	pages;
	uint64_t	rows;
	uint64_t	bytes_in;
	uint64_t	bytes_out;
	uint64_t	kernel_ns;
	uint64_t	failures;		/* jobs that failed while the device went on */
	uint64_t	deaths;			/* children that ended unasked */
	uint64_t	lost_jobs;
	uint64_t	memory_used;	/* bytes allocated on the device just now */
	uint64_t	energy_mj;		/* of the whole device, as NVML counts; 0: unknown */
	int32_t		temperature;	/* Celsius; 0: unknown */
	int32_t		last_error;		/* CUresult, or minus a signal's number */
} __attribute__((aligned(128))) ServiceDevice;

/* A program that was in flight when children died. */
typedef struct BarredProgram
{
	uint64_t	plan_hash;		/* 0: free */
	uint32_t	deaths;			/* from two on it is barred */
	uint32_t	pad;
	int64_t		since_us;		/* wall clock, Unix epoch */
} BarredProgram;

typedef struct ServiceRegion
{
	uint64_t	size;			/* of the mapping */
	uint32_t	ndevices;		/* entries of devices[] in use; atomic */
	int32_t		bell;			/* eventfd that wakes the supervisor */
	uint32_t	open_sessions;	/* atomic */
	uint32_t	nslots;
	uint32_t	nsessions;
	uint32_t	nchannels;
	uint32_t	pad;
	uint64_t	slot_room;		/* bytes of a slot's data */
	uint64_t	job_room;		/* ... of these for a job; statuses lie behind it */
	uint64_t	slots;			/* offsets from the region's start */
	uint64_t	sessions;
	uint64_t	channels;
	uint64_t	plans;			/* SERVICE_PLAN_ROOM bytes for each session */
	uint64_t	data;			/* slot_room bytes for each slot, page-aligned */
	ServiceDevice devices[SERVICE_MAX_DEVICES];
	BarredProgram barred[SERVICE_MAX_BARRED];
} ServiceRegion;

/*
 * All that is marked atomic above is read and written by these.  Sequentially
 * consistent: a few of the protocols need it, none is so busy as to mind.
 */
#define region_load(p)			__atomic_load_n((p), __ATOMIC_SEQ_CST)
#define region_store(p, v)		__atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define region_swap(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define region_add(p, v)		__atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)

static inline bool
region_change(uint32_t *state, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline ServiceSlot *
region_slot(ServiceRegion *region, uint32_t slot)
{
	return (ServiceSlot *) ((char *) region + region->slots) + slot;
}

static inline ServiceSession *
region_session(ServiceRegion *region, uint32_t session)
{
	return (ServiceSession *) ((char *) region + region->sessions) + session;
}

static inline ServiceChannel *
region_channel(ServiceRegion *region, uint32_t channel)
{
	return (ServiceChannel *) ((char *) region + region->channels) + channel;
}

static inline char *
region_plan(ServiceRegion *region, uint32_t session)
{
	return (char *) region + region->plans + (uint64_t) session * SERVICE_PLAN_ROOM;
}

static inline char *
region_data(ServiceRegion *region, uint32_t slot)
{
	return (char *) region + region->data + (uint64_t) slot * region->slot_room;
}

/* Where a job's statuses come back: one byte a row. */
static inline uint8_t *
region_status(ServiceRegion *region, uint32_t slot)
{
	return (uint8_t *) region_data(region, slot) + region->job_room;
}

/* Rows that the room for statuses suffices for. */
static inline uint64_t
region_max_rows(const ServiceRegion *region)
{
	return region->slot_room - region->job_room;
}

/* Add one to an eventfd.  Safe in a signal handler. */
static inline void
region_ring(int eventfd)
{
	uint64_t	one = 1;

	/* full (EAGAIN): there is a ring that nobody has heard yet, it will do */
	if (write(eventfd, &one, sizeof one) < 0)
		return;
}

static inline void
region_drain(int eventfd)
{
	uint64_t	rings;

	if (read(eventfd, &rings, sizeof rings) < 0)
		return;					/* EAGAIN: there was none */
}

/* Wake a device's child. */
static inline void
region_ring_device(ServiceDevice *device)
{
	if (region_swap(&device->rung, 1) == 0)
		region_ring(device->doorbell);
}

/* Wake a channel's owner, if it sleeps. */
static inline void
region_ring_channel(ServiceChannel *channel)
{
	if (region_load(&channel->waiting) != 0 && region_swap(&channel->waiting, 0) != 0)
		region_ring(channel->eventfd);
}

#endif							/* GPUSCAN_REGION_H */
