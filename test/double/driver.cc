/*-------------------------------------------------------------------------
 *
 * driver.cc
 *	  The driver's entry points.
 *
 * What each takes and gives is in the documentation of the CUDA driver's
 * interface.  An entry point checks what a driver checks, in 'Call' what they
 * all have in common, and leaves the rest to the other files.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "memory.h"
#include "settings.h"
#include "streams.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#define MAX_DEVICES			16
#define SHARED_DEFAULT		(48u << 10)		/* what a function may have at once ... */
#define SHARED_OPTIN		(227u << 10)	/* ... and after it asked for more */
#define SHARED_PER_SM		(228u << 10)

static bool initialized;
static bool forked;				/* since: a driver is of no use in the child */
static CUctx_st contexts[MAX_DEVICES];
static thread_local CUcontext current;

/* ------------------------------------------------------------------------
 * What all have in common
 * ------------------------------------------------------------------------
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
at_fork(void)
{
	forked = initialized;
	pthread_mutex_init(&lock, nullptr);
}

__attribute__((constructor)) static void
at_load(void)
{
	pthread_atfork(nullptr, nullptr, at_fork);
}

enum Needs
{
	NEEDS_NOTHING, NEEDS_INIT, NEEDS_CONTEXT
};

/*
 * One call: nobody else is in the library while it lasts.  'result' is what
 * it must return at once, if not CUDA_SUCCESS.
 */
struct Call
{
	CUresult	result;

	Call(const char *name, Needs needs)
	{
		result = CUDA_SUCCESS;
		if (forked)
		{
			result = CUDA_ERROR_NOT_INITIALIZED;
			pthread_mutex_lock(&lock);
			return;
		}
		pthread_mutex_lock(&lock);
		double_counters.calls++;
		double_settings_poll();
		result = double_fault(name);
		if (result != CUDA_SUCCESS)
		{
			if (current != nullptr && double_error_sticky(result))
				current->error = result;
			return;
		}
		if (needs >= NEEDS_INIT && !initialized)
			result = CUDA_ERROR_NOT_INITIALIZED;
		else if (needs == NEEDS_CONTEXT && (current == nullptr || current->retained == 0))
			result = CUDA_ERROR_INVALID_CONTEXT;
		else if (needs == NEEDS_CONTEXT)
			result = current->error;
	}

	~Call()
	{
		pthread_mutex_unlock(&lock);
	}

	Call(const Call &) = delete;
	Call &operator=(const Call &) = delete;
};

#define ENTER(name, needs) \
	Call		call(#name, needs); \
\
	if (call.result != CUDA_SUCCESS) \
		return call.result

#define INVALID_IF(condition) \
	do { \
		if (condition) \
			return CUDA_ERROR_INVALID_VALUE; \
	} while (0)

static void module_delete(CUmodule module);

static bool
is_device(CUdevice device)
{
	return device >= 0 && (unsigned) device < double_settings.devices;
}

EXPORT int
cuda_double_set(const char *settings)
{
	bool		good;

	pthread_mutex_lock(&lock);
	double_settings_poll();
	good = double_settings_apply(settings);
	pthread_mutex_unlock(&lock);
	return good ? 0 : -1;
}

/* ------------------------------------------------------------------------
 * The driver, and its devices
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuInit(unsigned flags)
{
	ENTER(cuInit, NEEDS_NOTHING);
	INVALID_IF(flags != 0);
	if (double_settings.devices == 0)
		return CUDA_ERROR_NO_DEVICE;
	initialized = true;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuDriverGetVersion(int *version)
{
	ENTER(cuDriverGetVersion, NEEDS_NOTHING);
	INVALID_IF(version == nullptr);
	*version = (int) double_settings.driver;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuGetErrorName(CUresult error, const char **name)
{
	ENTER(cuGetErrorName, NEEDS_NOTHING);
	INVALID_IF(name == nullptr);
	*name = double_error_name(error);
	return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult
cuGetErrorString(CUresult error, const char **text)
{
	ENTER(cuGetErrorString, NEEDS_NOTHING);
	INVALID_IF(text == nullptr);
	*text = double_error_text(error);
	return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult
cuDeviceGetCount(int *count)
{
	ENTER(cuDeviceGetCount, NEEDS_INIT);
	INVALID_IF(count == nullptr);
	*count = (int) double_settings.devices;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGet(CUdevice *device, int ordinal)
{
	ENTER(cuDeviceGet, NEEDS_INIT);
	INVALID_IF(device == nullptr);
	if (!is_device(ordinal))
		return CUDA_ERROR_INVALID_DEVICE;
	*device = ordinal;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGetName(char *name, int length, CUdevice device)
{
	ENTER(cuDeviceGetName, NEEDS_INIT);
	INVALID_IF(name == nullptr || length <= 0);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	snprintf(name, (size_t) length, "CUDA double");
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGetUuid(CUuuid *uuid, CUdevice device)
{
	ENTER(cuDeviceGetUuid, NEEDS_INIT);
	INVALID_IF(uuid == nullptr);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	memcpy(uuid->bytes, "CUDA double, no ", 16);
	uuid->bytes[15] = (char) device;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
	ENTER(cuDeviceTotalMem_v2, NEEDS_INIT);
	INVALID_IF(bytes == nullptr);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	*bytes = double_settings.memory;
	return CUDA_SUCCESS;
}

/* Numbers of cuda.h's CUdevice_attribute; of a device of capability 9.0. */
static bool
attribute(int number, int *value)
{
	static const int known[][2] = {
		{1, DOUBLE_MAX_THREADS},	/* threads of a block, and in x, y, z */
		{2, 1024}, {3, 1024}, {4, 64},
		{5, 2147483647}, {6, 65535}, {7, 65535},	/* blocks of a grid */
		{8, SHARED_DEFAULT},	/* shared memory of a block */
		{9, 64 << 10},			/* constant memory */
		{10, CUDA_DOUBLE_WARP},
		{12, 65536},			/* registers of a block */
		{13, 1000000},			/* clock, kHz */
		{15, 1},				/* copies and kernels overlap */
		{18, 0},				/* integrated */
		{19, 1},				/* maps host memory */
		{20, 0},				/* compute mode: default */
		{31, 1},				/* kernels at a time */
		{32, 1},				/* ECC */
		{33, 0}, {34, 0}, {50, 0},	/* PCI bus, device, domain */
		{36, 1000000},			/* clock of the memory, kHz */
		{37, 64},				/* width of its bus */
		{38, 1 << 20},			/* L2 */
		{39, 2048},				/* threads of a multiprocessor */
		{40, 2},				/* engines that copy */
		{41, 1},				/* unified addressing */
		{75, 9}, {76, 0},		/* capability */
		{81, SHARED_PER_SM},
		{82, 65536},			/* registers of a multiprocessor */
		{83, 0},				/* managed memory */
		{97, SHARED_OPTIN},
		{99, 1},				/* registers host memory */
		{106, 32},				/* blocks of a multiprocessor */
		{111, 1 << 10},			/* shared memory that is reserved */
		{113, 1},				/* registers host memory for reading */
	};

	if (number == 16)
	{
		*value = (int) double_settings.sms;
		return true;
	}
	for (const int *pair : known)
		if (pair[0] == number)
		{
			*value = pair[1];
			return true;
		}
	return false;
}

EXPORT CUresult
cuDeviceGetAttribute(int *value, int number, CUdevice device)
{
	ENTER(cuDeviceGetAttribute, NEEDS_INIT);
	INVALID_IF(value == nullptr);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	if (attribute(number, value))
		return CUDA_SUCCESS;
	double_say("device attribute %d is not known here", number);
	return CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult
cuDeviceGetPCIBusId(char *id, int length, CUdevice device)
{
	ENTER(cuDeviceGetPCIBusId, NEEDS_INIT);
	INVALID_IF(id == nullptr || length < 13);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	snprintf(id, (size_t) length, "0000:%02x:00.0", (unsigned) device);
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Contexts
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
	CUctx_st   *own;

	ENTER(cuDevicePrimaryCtxRetain, NEEDS_INIT);
	INVALID_IF(context == nullptr);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	own = &contexts[device];
	if (own->error != CUDA_SUCCESS)
		return own->error;
	if (own->retained++ == 0)
	{
		own->device = device;
		double_handle_add(own, DOUBLE_CONTEXT, own);
		own->null_stream = double_stream_create(own, true);
		own->null_stream->null = true;
		double_handle_remove(own->null_stream);	/* it has no handle */
	}
	*context = own;
	return CUDA_SUCCESS;
}

/* Nobody wants it any more: everything in it goes. */
static void
context_reset(CUcontext context)
{
	DoubleHandle *handle;

	if (context->error == CUDA_SUCCESS)
		double_context_finish(context);
	while ((handle = double_handle_any(DOUBLE_EVENT, context)) != nullptr)
		double_event_destroy(static_cast<CUevent>(handle));
	while ((handle = double_handle_any(DOUBLE_STREAM, context)) != nullptr)
		double_stream_destroy(static_cast<CUstream>(handle));
	double_stream_destroy(context->null_stream);
	context->null_stream = nullptr;
	while ((handle = double_handle_any(DOUBLE_MODULE, context)) != nullptr)
		module_delete(static_cast<CUmodule>(handle));
	double_memory_free_all(context->device);
	double_handle_remove(context);
}

EXPORT CUresult
cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
	ENTER(cuDevicePrimaryCtxRelease_v2, NEEDS_INIT);
	if (!is_device(device))
		return CUDA_ERROR_INVALID_DEVICE;
	if (contexts[device].retained == 0)
		return CUDA_ERROR_INVALID_CONTEXT;
	if (--contexts[device].retained == 0)
		context_reset(&contexts[device]);
	return contexts[device].error;
}

EXPORT CUresult
cuCtxSetCurrent(CUcontext context)
{
	ENTER(cuCtxSetCurrent, NEEDS_INIT);
	if (context != nullptr && !double_handle_is(context, DOUBLE_CONTEXT, context))
		return CUDA_ERROR_INVALID_CONTEXT;
	current = context;
	return context ? context->error : CUDA_SUCCESS;
}

EXPORT CUresult
cuCtxSynchronize(void)
{
	ENTER(cuCtxSynchronize, NEEDS_CONTEXT);
	double_context_finish(current);
	double_counters_write("sync");
	return current->error;
}

/* ------------------------------------------------------------------------
 * Modules and functions
 * ------------------------------------------------------------------------
 */

/*
 * The kernels are in this library, whatever the image is.  But it should be
 * one: of nvcc, or, where there is none, this text.
 */
static bool
is_image(const void *image)
{
	const unsigned char fatbin[] = {0x50, 0xED, 0x55, 0xBA};
	const unsigned char wrapper[] = {0xB1, 0x43, 0x62, 0x46};

	return memcmp(image, fatbin, 4) == 0 || memcmp(image, wrapper, 4) == 0 || memcmp(image, "\177ELF", 4) == 0 ||
		strncmp((const char *) image, "//", 2) == 0 || strncmp((const char *) image, ".version", 8) == 0 ||
		strncmp((const char *) image, "CUDA double", 11) == 0;
}

EXPORT CUresult
cuModuleLoadData(CUmodule *module, const void *image)
{
	ENTER(cuModuleLoadData, NEEDS_CONTEXT);
	INVALID_IF(module == nullptr || image == nullptr);
	if (!is_image(image))
		return CUDA_ERROR_INVALID_IMAGE;
	*module = new CUmod_st();
	double_handle_add(*module, DOUBLE_MODULE, current);
	return CUDA_SUCCESS;
}

static void
module_delete(CUmodule module)
{
	for (CUfunction function : module->functions)
	{
		double_handle_remove(function);
		delete function;
	}
	double_handle_remove(module);
	delete module;
}

EXPORT CUresult
cuModuleUnload(CUmodule module)
{
	ENTER(cuModuleUnload, NEEDS_CONTEXT);
	if (!double_handle_is(module, DOUBLE_MODULE, current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_context_finish(current);
	module_delete(module);
	return current->error;
}

EXPORT CUresult
cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
	cuda_double_kernel *kernel;

	ENTER(cuModuleGetFunction, NEEDS_CONTEXT);
	INVALID_IF(function == nullptr || name == nullptr);
	if (!double_handle_is(module, DOUBLE_MODULE, current))
		return CUDA_ERROR_INVALID_HANDLE;
	kernel = double_kernel_find(name);
	if (kernel == nullptr)
		return CUDA_ERROR_NOT_FOUND;
	for (CUfunction known : module->functions)
		if (known->kernel == kernel)
		{
			*function = known;
			return CUDA_SUCCESS;
		}
	*function = new CUfunc_st();
	double_handle_add(*function, DOUBLE_FUNCTION, current);
	(*function)->kernel = kernel;
	(*function)->max_shared = SHARED_DEFAULT;
	module->functions.push_back(*function);
	return CUDA_SUCCESS;
}

/* Numbers of CUfunction_attribute. */
#define FUNC_MAX_THREADS_PER_BLOCK	0
#define FUNC_NUM_REGS				4
#define FUNC_MAX_DYNAMIC_SHARED		8
#define FUNC_PREFERRED_CARVEOUT		9

EXPORT CUresult
cuFuncGetAttribute(int *value, int number, CUfunction function)
{
	ENTER(cuFuncGetAttribute, NEEDS_CONTEXT);
	INVALID_IF(value == nullptr || number < 0 || number > FUNC_PREFERRED_CARVEOUT);
	if (!double_handle_is(function, DOUBLE_FUNCTION, current))
		return CUDA_ERROR_INVALID_HANDLE;
	switch (number)
	{
		case FUNC_MAX_THREADS_PER_BLOCK:
			*value = DOUBLE_MAX_THREADS;
			break;
		case FUNC_NUM_REGS:
			*value = 32;
			break;
		case FUNC_MAX_DYNAMIC_SHARED:
			*value = (int) function->max_shared;
			break;
		default:
			*value = 0;
			break;
	}
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuFuncSetAttribute(CUfunction function, int number, int value)
{
	ENTER(cuFuncSetAttribute, NEEDS_CONTEXT);
	if (!double_handle_is(function, DOUBLE_FUNCTION, current))
		return CUDA_ERROR_INVALID_HANDLE;
	INVALID_IF(number != FUNC_MAX_DYNAMIC_SHARED && number != FUNC_PREFERRED_CARVEOUT);
	if (number == FUNC_MAX_DYNAMIC_SHARED)
	{
		INVALID_IF(value < 0 || (unsigned) value > SHARED_OPTIN);
		function->max_shared = (unsigned) value;
	}
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int block_size, size_t dynamic_shared)
{
	size_t		most;

	ENTER(cuOccupancyMaxActiveBlocksPerMultiprocessor, NEEDS_CONTEXT);
	INVALID_IF(blocks == nullptr || block_size <= 0);
	if (!double_handle_is(function, DOUBLE_FUNCTION, current))
		return CUDA_ERROR_INVALID_HANDLE;
	*blocks = 0;
	if (block_size > DOUBLE_MAX_THREADS || dynamic_shared > SHARED_OPTIN)
		return CUDA_SUCCESS;
	most = SHARED_PER_SM / (dynamic_shared + 1024);	/* as much is reserved for each */
	if (most > 2048u / (unsigned) block_size)
		most = 2048u / (unsigned) block_size;
	*blocks = most > 32 ? 32 : (int) most;
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Memory
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuMemGetInfo_v2(size_t *free_bytes, size_t *total)
{
	uint64_t	used;

	ENTER(cuMemGetInfo_v2, NEEDS_CONTEXT);
	INVALID_IF(free_bytes == nullptr || total == nullptr);
	used = double_memory_used(current->device);
	*total = double_settings.memory;
	*free_bytes = used < double_settings.memory ? double_settings.memory - used : 0;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes)
{
	ENTER(cuMemAlloc_v2, NEEDS_CONTEXT);
	INVALID_IF(pointer == nullptr || bytes == 0);
	return double_memory_allocate(current->device, bytes, pointer);
}

/* Waits for everything, as drivers do. */
EXPORT CUresult
cuMemFree_v2(CUdeviceptr pointer)
{
	CUresult	result;

	ENTER(cuMemFree_v2, NEEDS_CONTEXT);
	if (pointer == 0)
		return CUDA_SUCCESS;
	double_context_finish(current);
	result = double_memory_free(current->device, pointer);
	return current->error != CUDA_SUCCESS ? current->error : result;
}

EXPORT CUresult
cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags)
{
	ENTER(cuMemHostRegister_v2, NEEDS_CONTEXT);
	INVALID_IF((flags & ~0xFu) != 0);
	return double_host_register(pointer, bytes);
}

EXPORT CUresult
cuMemHostUnregister(void *pointer)
{
	ENTER(cuMemHostUnregister, NEEDS_CONTEXT);
	return double_host_unregister(pointer);
}

/* ------------------------------------------------------------------------
 * Copies
 * ------------------------------------------------------------------------
 */
static CUresult
give_memory_work(DoubleWorkKind kind, void *to, const void *from, size_t bytes, unsigned char value, CUstream stream)
{
	DoubleWork	work = {};

	stream = double_stream_find(current, stream);
	if (stream == nullptr)
		return CUDA_ERROR_INVALID_HANDLE;
	work.kind = kind;
	work.to = to;
	work.from = from;
	work.bytes = bytes;
	work.value = value;
	if (bytes > 0)
		double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}

static bool
on_device(CUdeviceptr pointer, size_t bytes)
{
	const DoubleAllocation *allocation = double_memory_find((void *) (uintptr_t) pointer, bytes);

	return allocation != nullptr && allocation->device == current->device;
}

static bool
on_host(const void *pointer, size_t bytes)
{
	return pointer != nullptr && !double_memory_is_device(pointer, bytes);
}

EXPORT CUresult
cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream)
{
	ENTER(cuMemcpyHtoDAsync_v2, NEEDS_CONTEXT);
	INVALID_IF(bytes > 0 && (!on_device(to, bytes) || !on_host(from, bytes)));
	return give_memory_work(DOUBLE_TO_DEVICE, (void *) (uintptr_t) to, from, bytes, 0, stream);
}

EXPORT CUresult
cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream)
{
	ENTER(cuMemcpyDtoHAsync_v2, NEEDS_CONTEXT);
	INVALID_IF(bytes > 0 && (!on_host(to, bytes) || !on_device(from, bytes)));
	return give_memory_work(DOUBLE_TO_HOST, to, (void *) (uintptr_t) from, bytes, 0, stream);
}

EXPORT CUresult
cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream)
{
	ENTER(cuMemcpyDtoDAsync_v2, NEEDS_CONTEXT);
	INVALID_IF(bytes > 0 && (!on_device(to, bytes) || !on_device(from, bytes)));
	return give_memory_work(DOUBLE_ON_DEVICE, (void *) (uintptr_t) to, (void *) (uintptr_t) from, bytes, 0, stream);
}

EXPORT CUresult
cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream)
{
	ENTER(cuMemsetD8Async, NEEDS_CONTEXT);
	INVALID_IF(bytes > 0 && !on_device(to, bytes));
	return give_memory_work(DOUBLE_SET, (void *) (uintptr_t) to, nullptr, bytes, value, stream);
}

/* ------------------------------------------------------------------------
 * Streams
 * ------------------------------------------------------------------------
 */
#define STREAM_NON_BLOCKING		1u
#define EVENT_DISABLE_TIMING	2u

EXPORT CUresult
cuStreamCreate(CUstream *stream, unsigned flags)
{
	ENTER(cuStreamCreate, NEEDS_CONTEXT);
	INVALID_IF(stream == nullptr || (flags & ~STREAM_NON_BLOCKING) != 0);
	*stream = double_stream_create(current, (flags & STREAM_NON_BLOCKING) == 0);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuStreamDestroy_v2(CUstream stream)
{
	ENTER(cuStreamDestroy_v2, NEEDS_CONTEXT);
	if (!double_handle_is(stream, DOUBLE_STREAM, current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_stream_destroy(stream);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuStreamSynchronize(CUstream stream)
{
	ENTER(cuStreamSynchronize, NEEDS_CONTEXT);
	stream = double_stream_find(current, stream);
	if (stream == nullptr)
		return CUDA_ERROR_INVALID_HANDLE;
	double_stream_finish(stream);
	return current->error;
}

EXPORT CUresult
cuStreamQuery(CUstream stream)
{
	bool		done;

	ENTER(cuStreamQuery, NEEDS_CONTEXT);
	stream = double_stream_find(current, stream);
	if (stream == nullptr)
		return CUDA_ERROR_INVALID_HANDLE;
	done = double_stream_poll(stream);
	if (current->error != CUDA_SUCCESS)
		return current->error;
	return done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

EXPORT CUresult
cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags)
{
	DoubleWork	work = {};

	ENTER(cuStreamWaitEvent, NEEDS_CONTEXT);
	INVALID_IF(flags != 0);
	stream = double_stream_find(current, stream);
	if (stream == nullptr || !double_handle_is(event, DOUBLE_EVENT, current))
		return CUDA_ERROR_INVALID_HANDLE;
	work.kind = DOUBLE_WAIT;
	work.event = event;
	work.recording = event->recorded;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Events
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuEventCreate(CUevent *event, unsigned flags)
{
	ENTER(cuEventCreate, NEEDS_CONTEXT);
	INVALID_IF(event == nullptr || flags > 7);
	*event = double_event_create(current, (flags & EVENT_DISABLE_TIMING) == 0);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventDestroy_v2(CUevent event)
{
	ENTER(cuEventDestroy_v2, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_event_destroy(event);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventRecord(CUevent event, CUstream stream)
{
	DoubleWork	work = {};

	ENTER(cuEventRecord, NEEDS_CONTEXT);
	stream = double_stream_find(current, stream);
	if (stream == nullptr || !double_handle_is(event, DOUBLE_EVENT, current))
		return CUDA_ERROR_INVALID_HANDLE;
	work.kind = DOUBLE_RECORD;
	work.event = event;
	work.recording = ++event->recorded;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventQuery(CUevent event)
{
	bool		done;

	ENTER(cuEventQuery, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, current))
		return CUDA_ERROR_INVALID_HANDLE;
	done = double_event_poll(event);
	if (current->error != CUDA_SUCCESS)
		return current->error;
	return done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

EXPORT CUresult
cuEventSynchronize(CUevent event)
{
	ENTER(cuEventSynchronize, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_event_finish(event);
	return current->error;
}

EXPORT CUresult
cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end)
{
	ENTER(cuEventElapsedTime, NEEDS_CONTEXT);
	INVALID_IF(milliseconds == nullptr);
	if (!double_handle_is(start, DOUBLE_EVENT, current) || !double_handle_is(end, DOUBLE_EVENT, current) ||
		!start->timing || !end->timing || start->recorded == 0 || end->recorded == 0)
		return CUDA_ERROR_INVALID_HANDLE;
	if (start->completed < start->recorded || end->completed < end->recorded)
		return CUDA_ERROR_NOT_READY;
	*milliseconds = (float) ((double) (int64_t) (end->time - start->time) / 1e6);
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Launches
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
			   unsigned block_x, unsigned block_y, unsigned block_z, unsigned dynamic_shared,
			   CUstream stream, void **params, void **extra)
{
	DoubleWork	work = {};

	ENTER(cuLaunchKernel, NEEDS_CONTEXT);
	stream = double_stream_find(current, stream);
	if (stream == nullptr || !double_handle_is(function, DOUBLE_FUNCTION, current))
		return CUDA_ERROR_INVALID_HANDLE;
	if (extra != nullptr)
		return CUDA_ERROR_NOT_SUPPORTED;
	INVALID_IF(grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_x > 2147483647 || grid_y > 65535 || grid_z > 65535);
	INVALID_IF(block_x == 0 || block_y == 0 || block_z == 0 || block_x > 1024 || block_y > 1024 || block_z > 64 ||
			   block_x * block_y * block_z > DOUBLE_MAX_THREADS);
	INVALID_IF(dynamic_shared > function->max_shared);
	INVALID_IF(params == nullptr && function->kernel->nparams > 0);
	for (unsigned i = 0; i < function->kernel->nparams; i++)
		INVALID_IF(params[i] == nullptr);

	work.kind = DOUBLE_LAUNCH;
	work.launch.kernel = function->kernel;
	work.launch.params = params;
	work.launch.grid = dim3(grid_x, grid_y, grid_z);
	work.launch.block = dim3(block_x, block_y, block_z);
	work.launch.shared = dynamic_shared;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}
