/*-------------------------------------------------------------------------
 *
 * ceilings.c
 *	  What this machine can do at most: copies to the device and on it, and the
 *	  copy of pages into staging memory.  JSON on stdout.
 *
 *	  ceilings [--library libcuda.so.1] [--image FILE] [--mb 1024] [--job-kb 4096] [--probe]
 *
 * The image is that of cuda/kernels.cu.  What cannot be measured is null, with
 * its reason among the notes; without a device the program ends with status 3
 * (--probe: only looks for one).  Nothing is estimated.
 *
 * The processes that copy pages are forked before the driver is opened, as
 * PostgreSQL's backends are: what is forked after cuInit cannot use it, and
 * these do not.
 *
 *-------------------------------------------------------------------------
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/cuda/driver.h"

#define PAGE			8192
#define MAX_PROCESSES	8
#define SLOTS_EACH		4		/* of staging memory, for each process */
#define ROUNDS			5		/* medians of so many */
#define ROUND_MS		40		/* at least, unless a round is long by itself */
#define STAGING_MS		500
#define NO_DEVICE		3		/* exit status */

#define CU_MEMHOSTREGISTER_DEVICEMAP	0x02

static DriverTable cu;
static CUstream stream;
static CUevent started;
static CUevent ended;
static size_t source_bytes = (size_t) 1024 << 20;
static size_t job_bytes = (size_t) 4096 << 10;
static const char *image_path;
static CUmodule module;
static bool probe_only;

/* ------------------------------------------------------------------------
 * Messages
 * ------------------------------------------------------------------------
 */
static char notes[8][200];
static int	nnotes;

static void
note(const char *format,...)
{
	va_list		args;

	if (nnotes == 8)
		return;
	va_start(args, format);
	vsnprintf(notes[nnotes++], sizeof notes[0], format, args);
	va_end(args);
}

static void
die(int status, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	fputs("ceilings: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(status);
}

static void
check_call(CUresult result, const char *call)
{
	if (result != CUDA_SUCCESS)
		die(1, "%s: %s", call, gpuscan_driver_error(&cu, result));
}

#define CHECK(call, ...) check_call(cu.call(__VA_ARGS__), #call)

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ------------------------------------------------------------------------
 * Memory as PostgreSQL has it: pages, met in random order; staging slots
 * ------------------------------------------------------------------------
 */
typedef enum SlotState
{
	SLOT_EMPTY,
	SLOT_FULL,
	SLOT_BUSY
} SlotState;

typedef struct Slot
{
	uint32_t	state;
	uint32_t	pad[31];
} Slot;

typedef struct Shared
{
	uint32_t	nprocesses;		/* that copy just now */
	uint32_t	pad[31];
	Slot		slots[MAX_PROCESSES * SLOTS_EACH];
} Shared;

static Shared *shared;
static char *source;			/* stands for shared_buffers */
static uint32_t *order;			/* its pages, shuffled */
static size_t npages;
static char *ring;				/* staging memory, job_bytes a slot */

static void *
shared_memory(size_t bytes)
{
	void	   *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die(1, "no %zu MB of memory: %s (give less with --mb)", bytes >> 20, strerror(errno));
	return memory;
}

static void
make_memory(void)
{
	uint64_t	random = 88172645463325252u;
	size_t		ring_bytes = MAX_PROCESSES * SLOTS_EACH * job_bytes;

	shared = shared_memory(sizeof(Shared));
	source = shared_memory(source_bytes);
	ring = shared_memory(ring_bytes);
	npages = source_bytes / PAGE;
	order = shared_memory(npages * sizeof(uint32_t));

	/* not zeros: some hardware is faster on them */
	for (size_t i = 0; i < source_bytes / sizeof(uint64_t); i++)
		((uint64_t *) source)[i] = next_random(&random);
	memset(ring, 0xA5, ring_bytes);
	for (size_t i = 0; i < npages; i++)
		order[i] = (uint32_t) i;
	for (size_t i = npages - 1; i > 0; i--)
	{
		size_t		j = next_random(&random) % (i + 1);
		uint32_t	swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

/* One copying process: as long as its number is among those that are asked for. */
static void
copy_pages(uint32_t number)
{
	size_t		next = npages / MAX_PROCESSES * number;
	uint32_t	turn = 0;

	for (;;)
	{
		Slot	   *slot = &shared->slots[number * SLOTS_EACH + turn];
		char	   *to = ring + (number * SLOTS_EACH + turn) * job_bytes;

		if (__atomic_load_n(&shared->nprocesses, __ATOMIC_ACQUIRE) <= number)
		{
			usleep(500);
			continue;
		}
		if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != SLOT_EMPTY)
		{
			sched_yield();
			continue;
		}
		for (size_t at = 0; at + PAGE <= job_bytes; at += PAGE)
		{
			memcpy(to + at, source + (size_t) order[next] * PAGE, PAGE);
			next = next + 1 < npages ? next + 1 : 0;
		}
		__atomic_store_n(&slot->state, SLOT_FULL, __ATOMIC_RELEASE);
		turn = (turn + 1) % SLOTS_EACH;
	}
}

static void
start_processes(void)
{
	pid_t		parent = getpid();

	for (uint32_t number = 0; number < MAX_PROCESSES; number++)
	{
		pid_t		pid = fork();

		if (pid < 0)
			die(1, "fork: %s", strerror(errno));
		if (pid == 0)
		{
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			copy_pages(number);
		}
	}
}

/*
 * GB/s of so many processes that copy pages into staging memory; with a device,
 * from there on to the device, each slot by an asynchronous copy.
 */
static double
staging(uint32_t nprocesses, CUdeviceptr device)
{
	uint32_t	nslots = nprocesses * SLOTS_EACH;
	CUevent		events[MAX_PROCESSES * SLOTS_EACH];
	double		begin = now(),
				counted = 0;
	uint64_t	bytes = 0;

	for (uint32_t i = 0; device && i < nslots; i++)
		CHECK(EventCreate, &events[i], CU_EVENT_DISABLE_TIMING);
	__atomic_store_n(&shared->nprocesses, nprocesses, __ATOMIC_RELEASE);
	for (;;)
	{
		double		time = now() - begin;
		bool		idle = true;

		/* the first fifth is for warming up */
		if (counted == 0 && time > STAGING_MS / 5e3)
		{
			counted = time;
			bytes = 0;
		}
		if (time > STAGING_MS / 1e3 * 1.2)
			break;
		for (uint32_t i = 0; i < nslots; i++)
		{
			Slot	   *slot = &shared->slots[i];
			uint32_t	state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

			if (state == SLOT_FULL && device)
			{
				CHECK(MemcpyHtoDAsync, device + i * job_bytes, ring + i * job_bytes, job_bytes, stream);
				CHECK(EventRecord, events[i], stream);
				__atomic_store_n(&slot->state, SLOT_BUSY, __ATOMIC_RELAXED);
			}
			else if (state == SLOT_FULL || (state == SLOT_BUSY && cu.EventQuery(events[i]) == CUDA_SUCCESS))
			{
				__atomic_store_n(&slot->state, SLOT_EMPTY, __ATOMIC_RELEASE);
				bytes += job_bytes;
			}
			else
				continue;
			idle = false;
		}
		if (idle)
			sched_yield();
	}
	counted = now() - begin - counted;
	__atomic_store_n(&shared->nprocesses, 0, __ATOMIC_RELEASE);

	/* until every process sleeps and every slot is empty */
	usleep(20000);
	if (device)
	{
		CHECK(StreamSynchronize, stream);
		for (uint32_t i = 0; i < nslots; i++)
			CHECK(EventDestroy, events[i]);
	}
	usleep(20000);
	for (uint32_t i = 0; i < nslots; i++)
		__atomic_store_n(&shared->slots[i].state, SLOT_EMPTY, __ATOMIC_RELEASE);
	return bytes / counted / 1e9;
}

/* ------------------------------------------------------------------------
 * Measuring
 * ------------------------------------------------------------------------
 */
typedef struct Work
{
	void		(*enqueue) (struct Work *work);
	double		bytes;			/* of one enqueue */
	bool		by_events;		/* device's clock; else the host's */
	CUdeviceptr to;
	CUdeviceptr from;
	const char *host;
	size_t		size;			/* of a copy */
	int			count;			/* copies of one enqueue */
	CUfunction	function;
	void	  **params;
	unsigned	grid;
} Work;

static double
once(Work *work, int repeat)
{
	double		begin = now();
	float		ms;

	CHECK(EventRecord, started, stream);
	for (int i = 0; i < repeat; i++)
		work->enqueue(work);
	CHECK(EventRecord, ended, stream);
	CHECK(StreamSynchronize, stream);
	begin = now() - begin;
	CHECK(EventElapsedTime, &ms, started, ended);
	return work->by_events ? ms * 1e-3 : begin;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Median of seconds for one enqueue. */
static double
seconds(Work *work)
{
	double		times[ROUNDS];
	int			repeat;

	once(work, 1);
	repeat = 1 + (int) (ROUND_MS * 1e-3 / (once(work, 1) + 1e-6));
	for (int i = 0; i < ROUNDS; i++)
		times[i] = once(work, repeat) / repeat;
	qsort(times, ROUNDS, sizeof times[0], compare_doubles);
	return times[ROUNDS / 2];
}

/* Seconds of one enqueue, the host waiting for each. */
static double
round_trip(Work *work)
{
	double		times[101];

	once(work, 1);
	for (int i = 0; i < 101; i++)
		times[i] = once(work, 1);
	qsort(times, 101, sizeof times[0], compare_doubles);
	return times[50];
}

static double
rate(Work *work)
{
	return work->bytes / seconds(work) / 1e9;
}

static void
enqueue_host_copies(Work *work)
{
	for (int i = 0; i < work->count; i++)
		CHECK(MemcpyHtoDAsync, work->to + i * work->size, work->host + i * work->size, work->size, stream);
}

static void
enqueue_home_copies(Work *work)
{
	for (int i = 0; i < work->count; i++)
		CHECK(MemcpyDtoHAsync, (char *) work->host + i * work->size, work->to + i * work->size, work->size, stream);
}

static void
enqueue_scattered(Work *work)
{
	for (int i = 0; i < work->count; i++)
		CHECK(MemcpyHtoDAsync, work->to + (size_t) i * PAGE, source + (size_t) order[i] * PAGE, PAGE, stream);
}

static void
enqueue_device_copy(Work *work)
{
	CHECK(MemcpyDtoDAsync, work->to, work->from, work->size, stream);
}

static void
enqueue_kernel(Work *work)
{
	CHECK(LaunchKernel, work->function, work->grid, 1, 1, 256, 1, 1, 0, stream, work->params, NULL);
}

/* cuMemcpyBatchAsync: not among the entry points that gpuscan needs; may be missing. */
typedef struct CopyAttributes
{
	int			access_order;
	int			from[2];
	int			to[2];
	unsigned	flags;
} CopyAttributes;

typedef CUresult (*BatchCopy) (CUdeviceptr *to, CUdeviceptr *from, size_t *sizes, size_t count,
							   CopyAttributes *attributes, size_t *first, size_t nattributes, CUstream stream);

static BatchCopy batch_copy;
static CUdeviceptr *batch_to;
static CUdeviceptr *batch_from;
static size_t *batch_sizes;

static void
enqueue_batch(Work *work)
{
	CopyAttributes attributes = {.access_order = 1};	/* in the stream's order */
	size_t		first = 0;

	check_call(batch_copy(batch_to, batch_from, batch_sizes, work->count, &attributes, &first, 1, stream), "MemcpyBatchAsync");
}

/* ------------------------------------------------------------------------
 * The device
 * ------------------------------------------------------------------------
 */
static void *
read_image(const char *path)
{
	int			fd = open(path, O_RDONLY);
	struct stat info;
	char	   *image;

	if (fd < 0 || fstat(fd, &info) < 0)
		die(1, "%s: %s", path, strerror(errno));
	if (info.st_size == 0)
	{
		close(fd);
		return NULL;
	}
	image = malloc(info.st_size + 1);
	for (off_t at = 0; at < info.st_size;)
	{
		ssize_t		got = read(fd, image + at, info.st_size - at);

		if (got <= 0)
			die(1, "%s: %s", path, got < 0 ? strerror(errno) : "shorter than it was");
		at += got;
	}
	close(fd);
	return image;
}

static CUfunction
find_kernel(const char *name)
{
	CUfunction	function;

	if (module != NULL && cu.ModuleGetFunction(&function, module, name) == CUDA_SUCCESS)
		return function;
	note("no kernel %s", name);
	return NULL;
}

/* The pages that lie at 'device' are those of 'order', from its start? */
static void
compare_pages(CUdeviceptr device, int n, const char *what)
{
	char	   *home = malloc((size_t) n * PAGE);

	CHECK(MemcpyDtoHAsync, home, device, (size_t) n * PAGE, stream);
	CHECK(StreamSynchronize, stream);
	for (int i = 0; i < n; i++)
		if (memcmp(home + (size_t) i * PAGE, source + (size_t) order[i] * PAGE, PAGE) != 0)
			die(1, "%s: page %d did not arrive as it was", what, i);
	free(home);
}

static void
poison(CUdeviceptr device, size_t bytes)
{
	CHECK(MemsetD8Async, device, 0xCB, bytes, stream);
	CHECK(StreamSynchronize, stream);
}

static void
json_string(const char *text)
{
	putchar('"');
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char) *text >= ' ')
			putchar(*text);
	putchar('"');
}

static void
json_rate(const char *name, double value)
{
	if (value > 0)
		printf(", \"%s\": %.3f", name, value);
	else
		printf(", \"%s\": null", name);
}

static int
attribute(CUdevice device, int number)
{
	int			value = 0;

	if (cu.DeviceGetAttribute(&value, number, device) != CUDA_SUCCESS)
		value = 0;
	return value;
}

/* Host to device, by the size of a copy. */
static void
host_copies(CUdeviceptr device)
{
	char	   *pageable = malloc(source_bytes);
	size_t		total = source_bytes < ((size_t) 256 << 20) ? source_bytes : (size_t) 256 << 20;
	Work		home = {.enqueue = enqueue_home_copies, .to = device, .host = source, .size = total, .count = 1, .bytes = total};

	memcpy(pageable, source, source_bytes);
	printf("\"host_to_device\": [");
	for (size_t size = PAGE; size <= total; size *= 8)
	{
		Work		work = {.enqueue = enqueue_host_copies, .to = device, .host = source, .size = size};

		/* small copies: enough of them to fill a round, not all there could be */
		work.count = total / size < 2048 ? (int) (total / size) : 2048;
		work.bytes = (double) size * work.count;
		printf("%s\n  {\"bytes\": %zu", size == PAGE ? "" : ",", size);
		json_rate("pinned_gb_s", rate(&work));
		work.host = pageable;
		json_rate("pageable_gb_s", rate(&work));
		printf("}");
	}
	printf("]");
	free(pageable);

	/* the source is overwritten with what came from it */
	CHECK(MemcpyHtoDAsync, device, source, total, stream);
	json_rate("device_to_host_gb_s", rate(&home));
	printf(",\n");
}

/* Pages of 8 kB from all over the host's memory: three ways. */
static void
scattered_pages(CUdeviceptr device)
{
	int			n = npages < 16384 ? (int) npages : 16384;
	Work		work = {.enqueue = enqueue_scattered, .to = device, .count = n, .bytes = (double) n * PAGE};
	CUresult	(*host_pointer) (CUdeviceptr *device, void *host, unsigned flags);
	CUdeviceptr base = 0,
				addresses;
	uint64_t   *list = malloc(n * sizeof(uint64_t));
	unsigned	count = n,
				blcksz = PAGE;
	void	   *params[] = {&addresses, &count, &blcksz, &device};

	printf("\"scattered_pages\": {\"pages\": %d", n);
	poison(device, (size_t) n * PAGE);
	json_rate("single_copies_gb_s", rate(&work));
	compare_pages(device, n, "single copies");

	*(void **) &batch_copy = dlsym(cu.handle, "cuMemcpyBatchAsync_v2");
	if (batch_copy != NULL)
	{
		batch_to = malloc(n * sizeof(CUdeviceptr));
		batch_from = malloc(n * sizeof(CUdeviceptr));
		batch_sizes = malloc(n * sizeof(size_t));
		for (int i = 0; i < n; i++)
		{
			batch_to[i] = device + (size_t) i * PAGE;
			batch_from[i] = (CUdeviceptr) (uintptr_t) (source + (size_t) order[i] * PAGE);
			batch_sizes[i] = PAGE;
		}
		work.enqueue = enqueue_batch;
		poison(device, (size_t) n * PAGE);
		json_rate("batched_copies_gb_s", rate(&work));
		compare_pages(device, n, "batched copies");
	}
	else
	{
		note("this driver has no cuMemcpyBatchAsync");
		json_rate("batched_copies_gb_s", 0);
	}

	*(void **) &host_pointer = dlsym(cu.handle, "cuMemHostGetDevicePointer_v2");
	work.function = find_kernel("gpuscan_gather_pages");
	if (work.function == NULL)
		json_rate("gather_kernel_gb_s", 0);
	else if (host_pointer == NULL ? (base = (CUdeviceptr) (uintptr_t) source, false) :
			 host_pointer(&base, source, 0) != CUDA_SUCCESS)
	{
		note("registered memory has no address on this device: no gathering kernel");
		json_rate("gather_kernel_gb_s", 0);
	}
	else
	{
		for (int i = 0; i < n; i++)
			list[i] = base + (uint64_t) order[i] * PAGE;
		CHECK(MemAlloc, &addresses, n * sizeof(uint64_t));
		CHECK(MemcpyHtoDAsync, addresses, list, n * sizeof(uint64_t), stream);
		work.enqueue = enqueue_kernel;
		work.params = params;
		work.grid = n;
		work.by_events = true;
		poison(device, (size_t) n * PAGE);
		json_rate("gather_kernel_gb_s", rate(&work));
		compare_pages(device, n, "gathering kernel");
		CHECK(MemFree, addresses);
	}
	printf("},\n");
	free(list);
}

static void
device_memory(CUdevice number, CUdeviceptr device, size_t bytes)
{
	size_t		half = bytes / 2 / PAGE * PAGE;
	Work		work = {.enqueue = enqueue_device_copy, .by_events = true, .to = device + half, .from = device,
	.size = half, .bytes = 2.0 * half};
	uint64_t	n = half;
	CUdeviceptr word = device + half;
	void	   *read_params[] = {&device, &n, &word};
	void	   *probe_params[] = {&word};

	printf("\"device_memory\": {\"bytes\": %zu", half);
	json_rate("copy_gb_s", rate(&work));

	work.enqueue = enqueue_kernel;
	work.function = find_kernel("gpuscan_read_pages");
	work.params = read_params;
	work.grid = attribute(number, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) * 8;
	work.bytes = half;
	json_rate("read_gb_s", work.function ? rate(&work) : 0);

	/* nothing to do: from the launch until the host knows that it is done */
	work.function = find_kernel("gpuscan_probe");
	work.params = probe_params;
	work.grid = 1;
	work.by_events = false;
	json_rate("launch_us", work.function ? round_trip(&work) * 1e6 : 0);
	printf("},\n");
}

static void
arguments(int argc, char **argv, const char **library)
{
	for (int i = 1; i < argc; i++)
	{
		bool		more = i + 1 < argc;

		if (strcmp(argv[i], "--library") == 0 && more)
			*library = argv[++i];
		else if (strcmp(argv[i], "--image") == 0 && more)
			image_path = argv[++i];
		else if (strcmp(argv[i], "--probe") == 0)
			probe_only = true;
		else if (strcmp(argv[i], "--mb") == 0 && more && atol(argv[i + 1]) >= 16)
			source_bytes = (size_t) atol(argv[++i]) << 20;
		else if (strcmp(argv[i], "--job-kb") == 0 && more && atol(argv[i + 1]) >= 64)
			job_bytes = (size_t) atol(argv[++i]) << 10;
		else
			die(2, "usage: ceilings [--library FILE] [--image FILE] [--mb 1024] [--job-kb 4096] [--probe]");
	}
}

int
main(int argc, char **argv)
{
	const char *library = "libcuda.so.1";
	const uint32_t nprocesses[] = {1, 4, 8};
	char		why[200];
	char		name[128] = "";
	int			count = 0,
				version = 0;
	CUdevice	number;
	CUcontext	context;
	CUdeviceptr device;
	CUresult	result;
	size_t		total_memory = 0,
				free_memory = 0,
				bytes;
	double		memcpy_rates[3] = {0};
	double		begin;

	arguments(argc, argv, &library);
	if (!probe_only)
	{
		make_memory();
		start_processes();
		for (int i = 0; i < 3; i++)
			memcpy_rates[i] = staging(nprocesses[i], 0);
	}

	if (!gpuscan_driver_open(&cu, library, why, sizeof why))
		die(NO_DEVICE, "%s", why);
	if ((result = cu.Init(0)) != CUDA_SUCCESS)
		die(NO_DEVICE, "the CUDA driver does not start: %s", gpuscan_driver_error(&cu, result));
	if (cu.DeviceGetCount(&count) != CUDA_SUCCESS || count == 0)
		die(NO_DEVICE, "the CUDA driver sees no device");
	CHECK(DeviceGet, &number, 0);
	CHECK(DeviceGetName, name, sizeof name, number);
	CHECK(DeviceTotalMem, &total_memory, number);
	CHECK(DriverGetVersion, &version);
	if ((result = cu.PrimaryCtxRetain(&context, number)) != CUDA_SUCCESS)
		die(NO_DEVICE, "no context on %s: %s", name, gpuscan_driver_error(&cu, result));
	if (probe_only)
	{
		puts(name);
		return 0;
	}
	CHECK(CtxSetCurrent, context);
	CHECK(StreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	CHECK(EventCreate, &started, CU_EVENT_DEFAULT);
	CHECK(EventCreate, &ended, CU_EVENT_DEFAULT);
	if (image_path != NULL)
	{
		void	   *image = read_image(image_path);

		if (image == NULL)
			note("built without CUDA kernels");
		else if ((result = cu.ModuleLoadData(&module, image)) != CUDA_SUCCESS)
		{
			module = NULL;
			note("the kernels cannot be loaded: %s", gpuscan_driver_error(&cu, result));
		}
	}

	/* half of it is copied to the other half */
	CHECK(MemGetInfo, &free_memory, &total_memory);
	bytes = 2 * source_bytes;
	if (bytes < MAX_PROCESSES * SLOTS_EACH * job_bytes)
		bytes = MAX_PROCESSES * SLOTS_EACH * job_bytes;
	if (bytes > free_memory / 2)
		die(1, "%s has %zu MB free, too little for these measurements (give less with --mb)", name, free_memory >> 20);
	CHECK(MemAlloc, &device, bytes);

	printf("{\"device\": ");
	json_string(name);
	printf(", \"library\": ");
	json_string(library);
	printf(", \"driver\": \"%d.%d\", \"capability\": \"%d.%d\", \"multiprocessors\": %d, \"memory_mb\": %zu, \"ecc\": %s,\n",
		   version / 1000, version % 1000 / 10,
		   attribute(number, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
		   attribute(number, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
		   attribute(number, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), total_memory >> 20,
		   attribute(number, CU_DEVICE_ATTRIBUTE_ECC_ENABLED) ? "true" : "false");

	begin = now();
	CHECK(MemHostRegister, source, source_bytes, CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP);
	printf("\"register_gb_s\": %.3f, \"page_bytes\": %d, \"job_bytes\": %zu,\n", source_bytes / (now() - begin) / 1e9, PAGE, job_bytes);
	CHECK(MemHostRegister, ring, MAX_PROCESSES * SLOTS_EACH * job_bytes, CU_MEMHOSTREGISTER_PORTABLE);

	host_copies(device);
	scattered_pages(device);
	device_memory(number, device, bytes);

	printf("\"staging\": [");
	for (int i = 0; i < 3; i++)
	{
		printf("%s\n  {\"processes\": %u", i ? "," : "", nprocesses[i]);
		json_rate("memcpy_gb_s", memcpy_rates[i]);
		json_rate("to_device_gb_s", staging(nprocesses[i], device));
		printf("}");
	}
	printf("],\n\"notes\": [");
	for (int i = 0; i < nnotes; i++)
	{
		printf("%s", i ? ", " : "");
		json_string(notes[i]);
	}
	printf("]}\n");
	return 0;
}
