/*-------------------------------------------------------------------------
 *
 * service.c
 *	  The device service: its settings, the shared region, its worker.
 *
 * Only a library that the postmaster preloads has a service.  The postmaster
 * itself does no more than to map memory and to make eventfds; it never opens
 * the driver, for what is forked after cuInit cannot use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "compat.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "service/private.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#if !defined(__linux__) || defined(EXEC_BACKEND)
#error "the device service is made of eventfd, prctl and fork: Linux"
#endif

bool		gpuscan_use_devices = true;
char	   *gpuscan_cuda_library = NULL;
int			gpuscan_device_buffer_size = 128 * 1024;
int			gpuscan_device_job_size = 4 * 1024;
int			gpuscan_device_connections = 64;
int			gpuscan_device_role_limit = 0;
int			gpuscan_device_timeout = 10 * 1000;
int			gpuscan_device_memory_limit = 0;

static ServiceRegion *region = NULL;
static const char *no_region = "gpuscan is not in shared_preload_libraries";
static shmem_startup_hook_type previous_shmem_startup = NULL;

/*
 * Made once in the postmaster's life: processes of before a crash restart and
 * of after it cannot be given different ones, and a number that is closed is
 * soon another file's.
 */
static int	bell = -1;
static int	doorbells[SERVICE_MAX_DEVICES];
static int *channel_fds = NULL;
static uint32 nchannels = 0;

static uint64
page_align(uint64 size)
{
	uint64		page = (uint64) sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static bool
make_eventfd(int *fd)
{
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return *fd >= 0;
}

/*
 * How many channels there can be: every process has their eventfds open, and a
 * server that is left too few files does not start.
 */
static uint32
affordable_channels(void)
{
	struct rlimit limit;
	uint32		most = max_files_per_process / 4;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < most)
		most = (uint32) (limit.rlim_cur / 4);
	if ((uint32) gpuscan_device_connections <= most)
		return gpuscan_device_connections;
	ereport(LOG,
			(errmsg("gpuscan.device_connections is %d, but files suffice for %u only",
					gpuscan_device_connections, most),
			 errhint("Each takes a file descriptor in every process, and they may take a fourth. Consider raising \"max_files_per_process\" and the kernel's limit.")));
	return most;
}

/* Before set_max_safe_fds, so that PostgreSQL counts them (fd.c). */
static bool
make_eventfds(void)
{
	bool		made;

	if (channel_fds != NULL)
	{
		/* a crash restart: nobody of before is to be heard */
		region_drain(bell);
		for (int i = 0; i < SERVICE_MAX_DEVICES; i++)
			region_drain(doorbells[i]);
		for (uint32 i = 0; i < nchannels; i++)
			region_drain(channel_fds[i]);
		return true;
	}
	nchannels = affordable_channels();
	channel_fds = MemoryContextAlloc(TopMemoryContext, sizeof(int) * nchannels);
	made = make_eventfd(&bell);
	for (int i = 0; made && i < SERVICE_MAX_DEVICES; i++)
		made = make_eventfd(&doorbells[i]);
	for (uint32 i = 0; made && i < nchannels; i++)
		made = make_eventfd(&channel_fds[i]);
	if (!made)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not make the device service's eventfds: %m"),
				 errhint("Consider a lower \"gpuscan.device_connections\", or raising the limit of open files.")));
		no_region = "the device service has no file descriptors: see gpuscan.device_connections";
	}
	return made;
}

static ServiceRegion *
make_region(void)
{
	ServiceRegion *new;
	uint64		job_room = page_align((uint64) gpuscan_device_job_size * 1024);
	uint64		slot_room = page_align(job_room + job_room / BLCKSZ * MaxHeapTuplesPerPage);
	uint64		nslots = Max(2, (uint64) gpuscan_device_buffer_size * 1024 / slot_room);
	uint32		nsessions = 2 * nchannels;
	uint64		slots = TYPEALIGN64(128, sizeof(ServiceRegion));
	uint64		sessions = slots + nslots * sizeof(ServiceSlot);
	uint64		channels = sessions + nsessions * sizeof(ServiceSession);
	uint64		plans = page_align(channels + nchannels * sizeof(ServiceChannel));
	uint64		data = page_align(plans + (uint64) nsessions * SERVICE_PLAN_ROOM);
	uint64		size = data + nslots * slot_room;

	/*
	 * Memory is taken as it is touched: a server whose device is absent does
	 * not pay for it.
	 */
	new = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (new == MAP_FAILED)
	{
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map %llu bytes for the device service: %m", (unsigned long long) size),
				 errhint("Consider a lower \"gpuscan.device_buffer_size\".")));
		no_region = "memory for the device service could not be mapped";
		return NULL;
	}
	new->size = size;
	new->bell = bell;
	new->nslots = (uint32) nslots;
	new->nsessions = nsessions;
	new->nchannels = nchannels;
	new->slot_room = slot_room;
	new->job_room = job_room;
	new->slots = slots;
	new->sessions = sessions;
	new->channels = channels;
	new->plans = plans;
	new->data = data;
	for (uint32 i = 0; i < nchannels; i++)
		region_channel(new, i)->eventfd = channel_fds[i];
	for (uint32 i = 0; i < SERVICE_MAX_DEVICES; i++)
	{
		new->devices[i].doorbell = doorbells[i];
		new->devices[i].ordinal = i;
		strlcpy(new->devices[i].reason, "the device service has not started", SERVICE_REASON);
	}
	new->ndevices = 1;
	return new;
}

/*
 * Runs in the postmaster, at its start and after every crash.  A region of
 * before a crash is given up: an old child that is still about to die has the
 * mapping for itself.
 */
static void
shmem_startup(void)
{
	if (previous_shmem_startup)
		previous_shmem_startup();

	if (IsUnderPostmaster || !IsPostmasterEnvironment)
		return;
	if (region != NULL)
	{
		munmap(region, region->size);
		region = NULL;
	}
	if (make_eventfds())
		region = make_region();
}

static void
register_supervisor(void)
{
	BackgroundWorker worker;

	/*
	 * Connected to no database, as the logical replication launcher is:
	 * pg_stat_activity shows only workers that are connected.  Started before
	 * a hot standby admits its first session; promotion does nothing to it.
	 */
	memset(&worker, 0, sizeof worker);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = 5;
	strlcpy(worker.bgw_library_name, "gpuscan", sizeof worker.bgw_library_name);
	strlcpy(worker.bgw_function_name, "gpuscan_supervisor_main", sizeof worker.bgw_function_name);
	strlcpy(worker.bgw_name, "gpuscan device supervisor", sizeof worker.bgw_name);
	strlcpy(worker.bgw_type, "gpuscan device supervisor", sizeof worker.bgw_type);
	RegisterBackgroundWorker(&worker);
}

static void
define_settings(void)
{
	/*
	 * A library that is loaded later may not define settings of the
	 * postmaster (guc.c); there they are without effect, but can be shown and
	 * are not unknown.
	 */
	GucContext	start = process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomBoolVariable("gpuscan.use_devices",
							 "Starts the service that runs scans on CUDA devices.",
							 "Needs gpuscan in \"shared_preload_libraries\".",
							 &gpuscan_use_devices, true,
							 start, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("gpuscan.cuda_library",
							   "Sets the library that is opened as the CUDA driver.",
							   NULL, &gpuscan_cuda_library, "libcuda.so.1",
							   start, GUC_SUPERUSER_ONLY | GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_buffer_size",
							"Sets the amount of shared memory for pages on their way to devices.",
							"It is taken as it is needed.",
							&gpuscan_device_buffer_size, 128 * 1024, 1024, INT_MAX,
							start, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_job_size",
							"Sets how many bytes of pages travel to a device at a time.",
							NULL, &gpuscan_device_job_size, 4 * 1024, 256, 256 * 1024,
							start, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_connections",
							"Sets how many processes may use devices at a time.",
							"Those that find no place use the CPU.",
							&gpuscan_device_connections, 64, 1, 10000,
							start, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_role_limit",
							"Sets how much of gpuscan.device_buffer_size the sessions of one role may hold.",
							"Zero means no limit. A role can always have one job.",
							&gpuscan_device_role_limit, 0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_timeout",
							"Sets after which time without a sign of life a device's child process is killed.",
							"Also when one job takes longer. Zero means never; less than a second counts as a second.",
							&gpuscan_device_timeout, 10 * 1000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.device_memory_limit",
							"Sets how much of a device's memory is used.",
							"Zero means no limit but the device's. It is read when a device's child process starts.",
							&gpuscan_device_memory_limit, 0, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
}

void
gpuscan_service_init(void)
{
	define_settings();
	if (!process_shared_preload_libraries_in_progress)
		return;
	if (!gpuscan_use_devices)
	{
		no_region = "gpuscan.use_devices is off";
		return;
	}
	no_region = "the device service is not there in this process";
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
	register_supervisor();
}

ServiceRegion *
gpuscan_service_region(void)
{
	return region;
}

const char *
gpuscan_service_absence(void)
{
	return no_region;
}
