/*-------------------------------------------------------------------------
 *
 * driver_device.cc
 *	  The driver, its devices, and their contexts.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "driver.h"
#include "memory.h"

static CUctx_st contexts[DOUBLE_MAX_DEVICES];

static bool
is_device(CUdevice device)
{
	return device >= 0 && (unsigned) device < double_settings.devices;
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
	double_driver_begun();
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
		{8, DOUBLE_SHARED_DEFAULT},	/* shared memory of a block */
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
		{81, DOUBLE_SHARED_PER_SM},
		{82, 65536},			/* registers of a multiprocessor */
		{83, 0},				/* managed memory */
		{97, DOUBLE_SHARED_OPTIN},
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
		double_module_delete(static_cast<CUmodule>(handle));
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
	double_current = context;
	return context ? context->error : CUDA_SUCCESS;
}

EXPORT CUresult
cuCtxSynchronize(void)
{
	ENTER(cuCtxSynchronize, NEEDS_CONTEXT);
	double_context_finish(double_current);
	double_counters_write("sync");
	return double_current->error;
}
