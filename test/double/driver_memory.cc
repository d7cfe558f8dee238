/*-------------------------------------------------------------------------
 *
 * driver_memory.cc
 *	  Memory of devices, registered memory, and copies.
 *
 *-------------------------------------------------------------------------
 */
#include "driver.h"
#include "memory.h"

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
	used = double_memory_used(double_current->device);
	*total = double_settings.memory;
	*free_bytes = used < double_settings.memory ? double_settings.memory - used : 0;
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes)
{
	ENTER(cuMemAlloc_v2, NEEDS_CONTEXT);
	INVALID_IF(pointer == nullptr || bytes == 0);
	return double_memory_allocate(double_current->device, bytes, pointer);
}

/* Waits for everything, as drivers do. */
EXPORT CUresult
cuMemFree_v2(CUdeviceptr pointer)
{
	CUresult	result;

	ENTER(cuMemFree_v2, NEEDS_CONTEXT);
	if (pointer == 0)
		return CUDA_SUCCESS;
	double_context_finish(double_current);
	result = double_memory_free(double_current->device, pointer);
	return double_current->error != CUDA_SUCCESS ? double_current->error : result;
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

	stream = double_stream_find(double_current, stream);
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

	return allocation != nullptr && allocation->device == double_current->device;
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
