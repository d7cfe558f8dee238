/*-------------------------------------------------------------------------
 *
 * supervisor.c
 *	  The background worker that keeps a child process for each device.
 *
 * It forks the children, watches them, declares lost what they had when they
 * die (loss.c), and starts others, later each time.  The child of device 0
 * finds out how many devices there are; one child each is started for the
 * others then.
 *
 * A child that this process cannot reap could still write to the region, so
 * nothing leaves here before its children are dead: an orderly exit and an
 * error stop them in an exit callback.  Where there is none (a signal, the
 * postmaster's death) the kernel kills them, and the postmaster makes another
 * region.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat.h"
#include "fmgr.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "service/private.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/pmsignal.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#define SECOND			UINT64_C(1000000)	/* times are of the monotonic clock, in us */
#define STARTING_TIME	(60 * SECOND)	/* for the driver, and the first use of kernels */
#define STOPPING_TIME	(2 * SECOND)	/* from SIGTERM to SIGKILL */
#define LONGEST_BACKOFF (60 * SECOND)
#define HEALTHY_TIME	(600 * SECOND)	/* after which a death is the first again */

/* What is known of a device's child beside what the region says. */
typedef struct Keeper
{
	bool		wanted;			/* there is to be a child */
	bool		asked;			/* it was told to end */
	bool		announced;		/* its device was logged */
	uint64		started;
	uint64		next;			/* time of the next start, while there is none */
	uint64		backoff;		/* before the next start after a death */
	uint64		kill_at;		/* when it was told to end: SIGKILL after that */
	const char *killed;			/* why the watchdog killed it */
	char		absence[SERVICE_REASON];	/* the reason that was logged last */
} Keeper;

static ServiceRegion *region;
static Keeper keepers[SERVICE_MAX_DEVICES];

PGDLLEXPORT void gpuscan_supervisor_main(Datum argument);

static void
on_child(SIGNAL_ARGS)
{
	int			saved = errno;

	SetLatch(MyLatch);
	errno = saved;
}

/* The next start: later each time. */
static void
back_off(Keeper *keeper, uint64 now)
{
	keeper->backoff = keeper->backoff == 0 ? SECOND : Min(2 * keeper->backoff, LONGEST_BACKOFF);
	keeper->next = now + keeper->backoff;
}

static void
start_child(uint32 number, uint64 now)
{
	ServiceDevice *device = &region->devices[number];
	Keeper	   *keeper = &keepers[number];
	pid_t		parent = getpid();
	sigset_t	all;
	sigset_t	before;
	pid_t		pid;

	device->reason[0] = '\0';
	region_drain(device->doorbell);
	region_store(&device->rung, 0);
	region_store(&device->heartbeat_us, now);
	region_add(&device->generation, 1);
	region_store(&device->state, DEVICE_STARTING);
	keeper->asked = false;
	keeper->announced = false;
	keeper->started = now;
	keeper->killed = NULL;

	/* no handler of ours may run in the child before it has its own */
	fflush(stdout);
	fflush(stderr);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		gpuscan_child_main(region, number, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);

	if (pid < 0)
	{
		int			error = errno;

		snprintf(device->reason, SERVICE_REASON, "no process could be started: %s", strerror(error));
		region_store(&device->state, DEVICE_BACKOFF);
		back_off(keeper, now);
		errno = error;
		ereport(LOG,
				(errmsg("could not start a child process for CUDA device %u: %m", number)));
		return;
	}
	device->pid = pid;
}

/* The one line about what was found, and one for each return. */
static void
announce(uint32 number)
{
	ServiceDevice *device = &region->devices[number];

	keepers[number].announced = true;
	keepers[number].absence[0] = '\0';
	ereport(LOG,
			(errmsg("CUDA device %u is ready: %s, compute capability %d.%d, %llu MB, driver %d.%d",
					number, device->name, device->major, device->minor,
					(unsigned long long) (device->memory / (1024 * 1024)),
					device->driver_version / 1000, device->driver_version % 1000 / 10)));
}

static void
note_absence(uint32 number, bool busy, uint64 now)
{
	ServiceDevice *device = &region->devices[number];

	device->reason[SERVICE_REASON - 1] = '\0';
	if (device->reason[0] == '\0')
		strlcpy(device->reason, "the driver gave no reason", SERVICE_REASON);
	region_store(&device->state, DEVICE_ABSENT);
	keepers[number].wanted = busy;
	if (busy)
		back_off(&keepers[number], now);
	else
		keepers[number].backoff = 0;

	/* it was looked for again, and nothing has changed */
	if (strcmp(keepers[number].absence, device->reason) == 0)
		return;
	strlcpy(keepers[number].absence, device->reason, SERVICE_REASON);
	ereport(LOG,
			(errmsg("CUDA device %u is not used: %s", number, device->reason)));
}

static void
note_death(uint32 number, int status, uint64 now)
{
	ServiceDevice *device = &region->devices[number];
	Keeper	   *keeper = &keepers[number];
	char		how[80];

	if (now - keeper->started > HEALTHY_TIME)
		keeper->backoff = 0;
	back_off(keeper, now);

	if (keeper->killed)
		strlcpy(how, keeper->killed, sizeof how);
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "it was terminated by signal %d: %s", WTERMSIG(status), pg_strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof how, "it exited with exit code %d", WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		region_store(&device->last_error, -WTERMSIG(status));

	/* what the child said before it went is the better reason */
	device->reason[SERVICE_REASON - 1] = '\0';
	if (device->reason[0] == '\0')
		strlcpy(device->reason, how, SERVICE_REASON);
	ereport(LOG,
			(errmsg("child process of CUDA device %u (PID %d) failed: %s", number, (int) device->pid, how),
			 strcmp(device->reason, how) != 0 ? errdetail("It said: %s.", device->reason) : 0,
			 errhint("Queries go on on the CPU; another child process starts in %d s.", (int) (keeper->backoff / SECOND))));
}

/* The child of this device is dead and reaped. */
static void
child_ended(uint32 number, int status, uint64 now)
{
	ServiceDevice *device = &region->devices[number];
	Keeper	   *keeper = &keepers[number];
	bool		busy = WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_BUSY;
	bool		absent = busy || (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_ABSENT);
	bool		asked = keeper->asked || (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_ASKED);

	region_store(&device->state, absent && !asked ? DEVICE_ABSENT : DEVICE_BACKOFF);
	if (asked)
		keeper->next = now;
	else if (absent)
		note_absence(number, busy, now);
	else
		note_death(number, status, now);
	/* then, as those who are woken by it say the reason */
	gpuscan_settle_loss(region, number, !absent && !asked);
	device->pid = 0;
}

static void
reap(uint64 now)
{
	for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
	{
		pid_t		pid = region->devices[i].pid;
		int			status;

		if (pid == 0)
			continue;
		if (waitpid(pid, &status, WNOHANG) == pid)
			child_ended(i, status, now);
		else if (kill(pid, 0) != 0 && errno == ESRCH)
		{
			/* it outlived the last supervisor, see stop_children */
			keepers[i].asked = true;
			child_ended(i, 0, now);
		}
	}
}

static void
kill_child(uint32 number, const char *why)
{
	region_store(&region->devices[number].state, DEVICE_BACKOFF);
	if (keepers[number].killed == NULL && why != NULL)
	{
		keepers[number].killed = why;
		strlcpy(region->devices[number].reason, why, SERVICE_REASON);
	}
	kill(region->devices[number].pid, SIGKILL);
}

/* Has a job of this device been running since before 'limit'? */
static bool
job_hangs(uint32 number, uint64 limit)
{
	for (uint32 i = 0; i < region->nslots; i++)
	{
		ServiceSlot *slot = region_slot(region, i);
		uint32		state = region_load(&slot->state);

		if ((state == SLOT_RUNNING || state == SLOT_ABANDONED) && slot->device == number &&
			slot->generation == region_load(&region->devices[number].generation) &&
			slot->started_us < limit)
			return true;
	}
	return false;
}

static void
watch(uint32 number, uint64 now)
{
	ServiceDevice *device = &region->devices[number];
	bool		starting = region_load(&device->state) == DEVICE_STARTING;
	uint64		timeout = Max((uint64) gpuscan_device_timeout * 1000, SECOND);

	if (keepers[number].killed)
		return;
	if (starting)
		timeout = Max(timeout, STARTING_TIME);
	else if (gpuscan_device_timeout == 0)
		return;
	if (now < timeout)
		return;
	if (region_load(&device->heartbeat_us) < now - timeout)
		kill_child(number, starting ? "the driver could not be started in time" :
				   "it gave no sign of life for gpuscan.device_timeout, and was killed");
	else if (!starting && job_hangs(number, now - timeout))
		kill_child(number, "a job ran longer than gpuscan.device_timeout, and it was killed");
}

/* Do what is due for a device; returns in how many ms it is to be looked at again. */
static long
attend(uint32 number, uint64 now)
{
	ServiceDevice *device = &region->devices[number];
	Keeper	   *keeper = &keepers[number];
	uint64		due = now + SECOND;

	if (region_swap(&device->restart, 0) != 0)
	{
		keeper->wanted = true;
		keeper->backoff = 0;
		keeper->next = now;
		if (device->pid != 0 && !keeper->asked)
		{
			keeper->asked = true;
			keeper->kill_at = now + STOPPING_TIME;
			region_store(&device->state, DEVICE_BACKOFF);
			strlcpy(device->reason, "an administrator has it restarted", SERVICE_REASON);
			kill(device->pid, SIGTERM);
		}
	}

	gpuscan_sweep(region, number);
	if (device->pid == 0 && keeper->wanted && now >= keeper->next)
		start_child(number, now);
	if (device->pid == 0)
	{
		if (keeper->wanted)
			due = Min(due, keeper->next);
	}
	else if (keeper->asked)
	{
		if (now >= keeper->kill_at)
			kill_child(number, NULL);
		else
			due = Min(due, keeper->kill_at);
	}
	else
	{
		watch(number, now);
		if (!keeper->announced && region_load(&device->state) == DEVICE_READY)
			announce(number);
	}
	return due <= now ? 1 : (long) ((due - now) / 1000 + 1);
}

/* At exit, however it comes about. */
static void
stop_children(int code, Datum argument)
{
	uint64		start = gpuscan_child_now_us();
	bool		killed = !PostmasterIsAlive();

	for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
	{
		keepers[i].asked = true;
		if (region->devices[i].pid != 0)
		{
			region_store(&region->devices[i].state, DEVICE_BACKOFF);
			strlcpy(region->devices[i].reason, "the device service ends", SERVICE_REASON);
			kill(region->devices[i].pid, killed ? SIGKILL : SIGTERM);
		}
	}
	for (;;)
	{
		uint64		now = gpuscan_child_now_us();
		bool		left = false;

		reap(now);
		for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
			left |= region->devices[i].pid != 0;
		if (!left)
			break;
		if (!killed && now - start > STOPPING_TIME)
		{
			for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
				if (region->devices[i].pid != 0)
					kill(region->devices[i].pid, SIGKILL);
			killed = true;
		}
		if (now - start > 5 * STOPPING_TIME)
			break;				/* in the kernel's hands */
		pg_usleep(5000);
	}
	for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
	{
		region_store(&region->devices[i].state, DEVICE_ABSENT);
		strlcpy(region->devices[i].reason, "the device service has ended", SERVICE_REASON);
	}
}

void
gpuscan_supervisor_main(Datum argument)
{
	WaitEventSet *events;

	region = gpuscan_service_region();
	if (region == NULL)
		proc_exit(0);			/* service.c has said why */

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGCHLD, on_child);
	before_shmem_exit(stop_children, (Datum) 0);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	events = CREATE_LASTING_WAIT_EVENT_SET(3);
	AddWaitEventToSet(events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(events, WL_SOCKET_READABLE, region->bell, NULL, NULL);

	keepers[0].wanted = true;
	for (uint32 i = 1; i < region_load(&region->ndevices) && i < SERVICE_MAX_DEVICES; i++)
		keepers[i].wanted = true;

	while (!ShutdownRequestPending)
	{
		uint64		now = gpuscan_child_now_us();
		uint32		ndevices = Min(region_load(&region->ndevices), SERVICE_MAX_DEVICES);
		long		wait = 1000;
		WaitEvent	event;

		reap(now);
		for (uint32 i = 0; i < ndevices; i++)
		{
			/* found by the first one's child, and never started */
			if (i > 0 && !keepers[i].wanted && region_load(&region->devices[i].generation) == 0)
				keepers[i].wanted = true;
			wait = Min(wait, attend(i, now));
		}

		(void) WaitEventSetWait(events, wait, &event, 1, gpuscan_wait_event());
		ResetLatch(MyLatch);
		region_drain(region->bell);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			for (uint32 i = 0; i < ndevices; i++)
				if (region_load(&region->devices[i].state) == DEVICE_ABSENT)
					region_store(&region->devices[i].restart, 1);
		}
	}

	/*
	 * Not 0: with that the postmaster would not start it again, and it may be
	 * that only this worker was told to end.
	 */
	proc_exit(1);
}
