/*-------------------------------------------------------------------------
 *
 * contain.c
 *	  From a fork of the supervisor to a process that cannot harm PostgreSQL.
 *
 * The driver and what it loads are large, run threads, and die at times; so
 * they live in a process that PostgreSQL does not know of, and which
 *
 *	   - runs none of PostgreSQL's exit callbacks and signal handlers, and ends
 *		 by _exit only (on_exit_reset, sigaction);
 *	   - cannot write to memory that it shares with PostgreSQL, whatever it is
 *		 made of (main segment, DSM, huge pages): all of it is read-only but for
 *		 the service's own region;
 *	   - holds no descriptor but the log, /dev/null and the service's eventfds:
 *		 no data file, no socket, not the pipe that tells of the postmaster's
 *		 death (pmsignal.c: whoever holds its other end keeps it from telling);
 *	   - is not attached to the System V segment by which the next postmaster
 *		 tells that processes of the last one live on (sysv_shmem.c);
 *	   - dies with the supervisor, and so with the postmaster.
 *
 * If any of this fails the child says so and ends; it is never half contained.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/private.h"
#include "storage/ipc.h"
#include "storage/pg_shmem.h"
#include "utils/ps_status.h"

static Child self;

static void
give_up(ServiceDevice *device, const char *what)
{
	snprintf(device->reason, SERVICE_REASON, "the child process could not be contained: %s: %s", what, strerror(errno));
	_exit(CHILD_EXIT_ABSENT);
}

/* Death with the parent, also if the parent died before this was asked for. */
static void
follow_parent(ServiceDevice *device, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		give_up(device, "prctl");
	if (getppid() != parent)
		_exit(CHILD_EXIT_ASKED);
}

/*
 * Is it one that the child keeps?  0, 1 and 2 are /dev/null and the log, or
 * what the postmaster was started with.
 */
static bool
keeps(ServiceRegion *region, ServiceDevice *device, int fd)
{
	if (fd <= STDERR_FILENO || fd == region->bell || fd == device->doorbell)
		return true;
	for (uint32 i = 0; i < region->nchannels; i++)
		if (region_channel(region, i)->eventfd == fd)
			return true;
	return false;
}

static void
close_descriptors(ServiceRegion *region, ServiceDevice *device)
{
	DIR		   *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (dir == NULL)
		give_up(device, "/proc/self/fd");
	while ((entry = readdir(dir)) != NULL)
	{
		int			fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir) && !keeps(region, device, fd))
			close(fd);
	}
	closedir(dir);
}

/* Every writable mapping that others share, but the region, becomes read-only. */
static void
protect_memory(ServiceRegion *region, ServiceDevice *device)
{
	FILE	   *maps = fopen("/proc/self/maps", "r");
	char		line[512];
	bool		whole = true;

	if (maps == NULL)
		give_up(device, "/proc/self/maps");
	while (fgets(line, sizeof line, maps))
	{
		unsigned long low;
		unsigned long high;
		char		mode[5];
		bool		begins = whole;

		/* a name may be longer than the line */
		whole = strchr(line, '\n') != NULL;
		if (!begins || sscanf(line, "%lx-%lx %4s", &low, &high, mode) != 3)
			continue;
		if (mode[1] != 'w' || mode[3] != 's' || low == (unsigned long) region)
			continue;
		if (mprotect((void *) low, high - low, PROT_READ) != 0)
			give_up(device, "mprotect");
	}
	fclose(maps);
}

/* The kernel's default for everything; worker.c's threads inherit the mask. */
static void
reset_signals(void)
{
	struct sigaction action;
	static const int ignored[] = {SIGINT, SIGHUP, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2};
	sigset_t	none;

	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	action.sa_handler = SIG_DFL;
	for (int signo = 1; signo < NSIG; signo++)
		sigaction(signo, &action, NULL);	/* fails for KILL, STOP, and libc's */
	action.sa_handler = SIG_IGN;
	for (int i = 0; i < (int) lengthof(ignored); i++)
		sigaction(ignored[i], &action, NULL);
	gpuscan_child_catch_term();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
gpuscan_child_main(ServiceRegion *region, uint32 number, pid_t parent)
{
	ServiceDevice *device = &region->devices[number];
	char		title[32];

	/* PostgreSQL's own, while its memory is still whole */
	on_exit_reset();
	snprintf(title, sizeof title, "gpuscan device %u", number);
	init_ps_display(title);

	follow_parent(device, parent);
	protect_memory(region, device);
	if (UsedShmemSegAddr != NULL && shmdt(UsedShmemSegAddr) != 0)
		give_up(device, "shmdt");
	close_descriptors(region, device);

	self.region = region;
	self.device = device;
	self.number = number;
	self.generation = region_load(&device->generation);
	self.library = gpuscan_cuda_library;
	self.memory_limit = (uint64) gpuscan_device_memory_limit * 1024 * 1024;
	self.parent = parent;
	gpuscan_child_begin(&self);
	reset_signals();

	gpuscan_worker_main(&self);
}
