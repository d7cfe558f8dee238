/*-------------------------------------------------------------------------
 *
 * device.h
 *	  A device for tests: the CUDA double behind the driver's entry points,
 *	  with the kernels looked up, and memory that is copied to and fro.
 *
 * The library's path comes from the environment: CUDA_LIBRARY, the double; with
 * a real libcuda.so.1 there, and CUDA_IMAGE (a fatbin), the same tests run on a
 * GPU.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_double_api.h"
#include "engine/cuda/driver.h"
#include "engine/cuda/plan.h"
#include "engine/cuda/shared.h"
#include "tap.h"

typedef struct Device
{
	DriverTable driver;
	CUmodule	module;
	CUstream	stream;
	CUfunction	scan;
	CUfunction	aggregate;
	CUfunction	commit;
	CUfunction	clear;
	CUfunction	gather;
	uint32_t	shared_limit;
	/* the double's; NULL on a GPU */
	int			(*set) (const char *settings);
	void		(*counters) (struct cuda_double_counters *counters);
	void		(*counters_reset) (void);
	const char *(*message) (void);
} Device;

static Device device;

static void
device_check(CUresult result, const char *what)
{
	if (result == CUDA_SUCCESS)
		return;
	printf("Bail out! %s: %s %s\n", what, gpuscan_driver_error(&device.driver, result),
		   device.message ? device.message() : "");
	fflush(stdout);
	exit(1);
}
#define CALL(name, ...) device_check(device.driver.name(__VA_ARGS__), #name)

static char *
device_read_file(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	char	   *bytes;
	long		size;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes = malloc((size_t) size + 1);
	size = (long) fread(bytes, 1, (size_t) size, file);
	bytes[size] = '\0';
	fclose(file);
	return bytes;
}

static void
device_open(void)
{
	const char *library = getenv("CUDA_LIBRARY");
	const char *image_path = getenv("CUDA_IMAGE");
	char	   *image = image_path ? device_read_file(image_path) : NULL;
	char		why[256];
	CUdevice	ordinal;
	CUcontext	context;
	int			limit;

	if (!library || !gpuscan_driver_open(&device.driver, library, why, sizeof why))
	{
		printf("Bail out! CUDA_LIBRARY: %s\n", library ? why : "not set");
		exit(1);
	}
	device.set = (int (*) (const char *)) dlsym(device.driver.handle, "cuda_double_set");
	device.counters = (void (*) (struct cuda_double_counters *)) dlsym(device.driver.handle, "cuda_double_counters");
	device.counters_reset = (void (*) (void)) dlsym(device.driver.handle, "cuda_double_counters_reset");
	device.message = (const char *(*) (void)) dlsym(device.driver.handle, "cuda_double_message");
	/* addresses are used again early: AddressSanitizer has memory for each one that ever was */
	if (device.set && device.set("addresses=2g") != 0)
		diag("the double does not know addresses");
	CALL(Init, 0);
	CALL(DeviceGet, &ordinal, 0);
	CALL(PrimaryCtxRetain, &context, ordinal);
	CALL(CtxSetCurrent, context);
	CALL(DeviceGetAttribute, &limit, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, ordinal);
	device.shared_limit = (uint32_t) limit;
	CALL(ModuleLoadData, &device.module, image ? image : "CUDA double: its own kernels");
	CALL(StreamCreate, &device.stream, CU_STREAM_NON_BLOCKING);
	CALL(ModuleGetFunction, &device.scan, device.module, "gpuscan_scan");
	CALL(ModuleGetFunction, &device.aggregate, device.module, "gpuscan_aggregate");
	CALL(ModuleGetFunction, &device.commit, device.module, "gpuscan_groups_commit");
	CALL(ModuleGetFunction, &device.clear, device.module, "gpuscan_groups_clear");
	CALL(ModuleGetFunction, &device.gather, device.module, "gpuscan_groups_gather");
	CALL(FuncSetAttribute, device.scan, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, limit);
	CALL(FuncSetAttribute, device.aggregate, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, limit);
	free(image);
}

/* Everything given back, so that the double can say what was not. */
static void
device_close(void)
{
	CALL(StreamDestroy, device.stream);
	CALL(ModuleUnload, device.module);
	CALL(PrimaryCtxRelease, 0);
}

/* ------------------------------------------------------------------------
 * Memory
 * ------------------------------------------------------------------------
 */

static CUdeviceptr
device_new(size_t bytes)
{
	CUdeviceptr p;

	CALL(MemAlloc, &p, bytes > 0 ? bytes : 1);
	return p;
}

static void
device_free(CUdeviceptr p)
{
	CALL(MemFree, p);
}

static void
device_put(CUdeviceptr to, const void *from, size_t bytes)
{
	if (bytes > 0)
		CALL(MemcpyHtoDAsync, to, from, bytes, device.stream);
	CALL(StreamSynchronize, device.stream);
}

static CUdeviceptr
device_copy(const void *from, size_t bytes)
{
	CUdeviceptr p = device_new(bytes);

	device_put(p, from, bytes);
	return p;
}

static void
device_get(void *to, CUdeviceptr from, size_t bytes)
{
	if (bytes > 0)
		CALL(MemcpyDtoHAsync, to, from, bytes, device.stream);
	CALL(StreamSynchronize, device.stream);
}

static void
device_launch(CUfunction function, uint32_t blocks, uint32_t threads, uint32_t shared, void **params)
{
	CALL(LaunchKernel, function, blocks, 1, 1, threads, 1, 1, shared, device.stream, params, NULL);
}

/* A kernel on a mutated plan may fail: then the device is of no more use. */
static bool
device_well(void)
{
	return device.driver.StreamSynchronize(device.stream) == CUDA_SUCCESS;
}

#endif							/* DEVICE_DEVICE_H */
