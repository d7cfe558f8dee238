/*-------------------------------------------------------------------------
 *
 * client.h
 *	  A client of the double: the driver's entry points as pointers, tests
 *	  that print TAP, and a process of its own for what may go wrong.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_TEST_CLIENT_H
#define CUDA_DOUBLE_TEST_CLIENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include "cuda_double_api.h"
#include "driver_types.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define FUNCTIONS(F) \
	F(cuInit, (unsigned)) \
	F(cuDriverGetVersion, (int *)) \
	F(cuGetErrorName, (CUresult, const char **)) \
	F(cuGetErrorString, (CUresult, const char **)) \
	F(cuDeviceGetCount, (int *)) \
	F(cuDeviceGet, (CUdevice *, int)) \
	F(cuDeviceGetName, (char *, int, CUdevice)) \
	F(cuDeviceGetUuid, (CUuuid *, CUdevice)) \
	F(cuDeviceTotalMem_v2, (size_t *, CUdevice)) \
	F(cuDeviceGetAttribute, (int *, int, CUdevice)) \
	F(cuDeviceGetPCIBusId, (char *, int, CUdevice)) \
	F(cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice)) \
	F(cuDevicePrimaryCtxRelease_v2, (CUdevice)) \
	F(cuCtxSetCurrent, (CUcontext)) \
	F(cuCtxSynchronize, (void)) \
	F(cuModuleLoadData, (CUmodule *, const void *)) \
	F(cuModuleUnload, (CUmodule)) \
	F(cuModuleGetFunction, (CUfunction *, CUmodule, const char *)) \
	F(cuFuncGetAttribute, (int *, int, CUfunction)) \
	F(cuFuncSetAttribute, (CUfunction, int, int)) \
	F(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int *, CUfunction, int, size_t)) \
	F(cuMemGetInfo_v2, (size_t *, size_t *)) \
	F(cuMemAlloc_v2, (CUdeviceptr *, size_t)) \
	F(cuMemFree_v2, (CUdeviceptr)) \
	F(cuMemHostRegister_v2, (void *, size_t, unsigned)) \
	F(cuMemHostUnregister, (void *)) \
	F(cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void *, size_t, CUstream)) \
	F(cuMemcpyDtoHAsync_v2, (void *, CUdeviceptr, size_t, CUstream)) \
	F(cuMemcpyDtoDAsync_v2, (CUdeviceptr, CUdeviceptr, size_t, CUstream)) \
	F(cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream)) \
	F(cuStreamCreate, (CUstream *, unsigned)) \
	F(cuStreamDestroy_v2, (CUstream)) \
	F(cuStreamSynchronize, (CUstream)) \
	F(cuStreamQuery, (CUstream)) \
	F(cuStreamWaitEvent, (CUstream, CUevent, unsigned)) \
	F(cuEventCreate, (CUevent *, unsigned)) \
	F(cuEventDestroy_v2, (CUevent)) \
	F(cuEventRecord, (CUevent, CUstream)) \
	F(cuEventQuery, (CUevent)) \
	F(cuEventSynchronize, (CUevent)) \
	F(cuEventElapsedTime, (float *, CUevent, CUevent)) \
	F(cuLaunchKernel, (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, \
					   void **, void **))

struct Driver
{
#define FUNCTION(name, args) CUresult (*name) args;
	FUNCTIONS(FUNCTION)
#undef FUNCTION
	void		(*counters) (struct cuda_double_counters *);
	void		(*counters_reset) (void);
	int			(*set) (const char *);
	const char *(*message) (void);
};

extern Driver driver;
extern CUmodule module;
extern CUfunction get_function(const char *name);

/* cuInit, the context of device 0, the module. */
extern void open_device(void);

/* ------------------------------------------------------------------------
 * Tests
 * ------------------------------------------------------------------------
 */
extern bool ok(bool passed, const char *format,...) __attribute__((format(printf, 2, 3)));
extern void diag(const char *format,...) __attribute__((format(printf, 1, 2)));

/* ok, and if not, what was got */
extern bool is(long long got, long long expected, const char *format,...) __attribute__((format(printf, 3, 4)));

/* A call that must succeed. */
#define CHECK(call) check(driver.call, #call, __FILE__, __LINE__)
extern void check(CUresult result, const char *call, const char *file, int line);

/* What became of a process of its own. */
struct Outcome
{
	int			status;			/* it exited with, or 128 + the signal that ended it */
	char		error[8192];	/* its stderr */
};

/*
 * Run a function in a process of its own, with this for CUDA_DOUBLE; it
 * returns its exit status.
 */
extern Outcome run_apart(const char *settings, int (*body) (const void *), const void *argument);

extern void good_tests(void);
extern void broken_tests(void);
extern void driver_tests(void);
extern void stream_tests(void);
extern void fault_tests(void);

/* ------------------------------------------------------------------------
 * Device memory that goes with its scope
 * ------------------------------------------------------------------------
 */
template <class T> struct Device
{
	CUdeviceptr pointer = 0;
	size_t		n;

	explicit	Device(size_t n_) : n(n_)
	{
		CHECK(cuMemAlloc_v2(&pointer, n * sizeof(T)));
	}

	explicit	Device(const std::vector<T> &from) : Device(from.size())
	{
		CHECK(cuMemcpyHtoDAsync_v2(pointer, from.data(), n * sizeof(T), nullptr));
		CHECK(cuStreamSynchronize(nullptr));
	}

	~Device()
	{
		driver.cuMemFree_v2(pointer);
	}

	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

	void
	zero()
	{
		CHECK(cuMemsetD8Async(pointer, 0, n * sizeof(T), nullptr));
	}

	std::vector<T>
	home() const
	{
		std::vector<T> to(n);

		CHECK(cuMemcpyDtoHAsync_v2(to.data(), pointer, n * sizeof(T), nullptr));
		CHECK(cuStreamSynchronize(nullptr));
		return to;
	}
};

/* Launch on the null stream; the result of the launch, or of waiting for it. */
template <class... Args> CUresult
launch(const char *name, unsigned grid, unsigned block, unsigned shared, Args... args)
{
	void	   *params[] = {&args..., nullptr};
	CUresult	result = driver.cuLaunchKernel(get_function(name), grid, 1, 1, block, 1, 1, shared, nullptr, params, nullptr);

	return result != CUDA_SUCCESS ? result : driver.cuStreamSynchronize(nullptr);
}

#endif							/* CUDA_DOUBLE_TEST_CLIENT_H */
