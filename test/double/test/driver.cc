/*-------------------------------------------------------------------------
 *
 * driver.cc
 *	  The driver's side: handles, memory, copies, launches that are refused.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static void
handles(void)
{
	CUstream	stream;
	CUevent		event;
	CUfunction	function;
	CUmodule	other;

	CHECK(cuStreamCreate(&stream, 1));
	CHECK(cuStreamDestroy_v2(stream));
	is(driver.cuStreamSynchronize(stream), 400, "a stream that was destroyed");
	CHECK(cuEventCreate(&event, 0));
	CHECK(cuEventDestroy_v2(event));
	is(driver.cuEventQuery(event), 400, "an event that was destroyed");
	is(driver.cuStreamSynchronize((CUstream) 12345), 400, "what never was a stream");
	CHECK(cuEventCreate(&event, 0));
	is(driver.cuStreamSynchronize((CUstream) event), 400, "an event is no stream");
	is(driver.cuEventQuery(event), 0, "an event that was never recorded is not waited for");
	CHECK(cuEventDestroy_v2(event));
	is(driver.cuModuleGetFunction(&function, module, "nothing"), 500, "a kernel that is not there");
	is(driver.cuModuleLoadData(&other, "nothing"), 200, "no image");
	CHECK(cuModuleLoadData(&other, "CUDA double"));
	CHECK(cuModuleGetFunction(&function, other, "compact"));
	CHECK(cuModuleUnload(other));
	is(driver.cuFuncSetAttribute(function, 8, 1000), 400, "a kernel of a module that was unloaded");
}

static void
memory(void)
{
	std::vector<char> host(1000, 'x');
	CUdeviceptr p;
	CUdeviceptr freed;

	is(driver.cuMemAlloc_v2(&p, 0), 1, "no bytes");
	CHECK(cuMemAlloc_v2(&p, 1000));
	is((long long) (p % 256), 0, "memory is aligned");
	is(driver.cuMemcpyHtoDAsync_v2(p, host.data(), 1000, nullptr), 0, "a copy");
	is(driver.cuMemcpyHtoDAsync_v2(p, host.data(), 1001, nullptr), 1, "a copy beyond the end");
	is(driver.cuMemcpyHtoDAsync_v2(p - 1, host.data(), 1, nullptr), 1, "a copy before the begin");
	is(driver.cuMemcpyDtoHAsync_v2(host.data(), p + 900, 101, nullptr), 1, "a copy from beyond the end");
	is(driver.cuMemcpyHtoDAsync_v2((CUdeviceptr) (uintptr_t) host.data(), host.data(), 10, nullptr), 1,
	   "a copy to what is no device's memory");
	is(driver.cuMemcpyHtoDAsync_v2(p, (void *) (uintptr_t) (p + 500), 10, nullptr), 1, "a copy from what is no host's memory");
	is(driver.cuMemcpyDtoDAsync_v2(p, p + 500, 500, nullptr), 0, "a copy on the device");
	is(driver.cuMemsetD8Async(p, 0, 1001, nullptr), 1, "a memset beyond the end");
	is(driver.cuMemFree_v2(p + 256), 1, "freeing the middle");
	freed = p;
	is(driver.cuMemFree_v2(p), 0, "freeing");
	is(driver.cuMemFree_v2(freed), 1, "freeing again");
	is(driver.cuMemcpyHtoDAsync_v2(freed, host.data(), 1, nullptr), 1, "a copy to freed memory");
	is(driver.cuMemFree_v2(0), 0, "freeing nothing");

	/* poison, also of large memory */
	Device<unsigned char> small(3);
	Device<unsigned char> large(9 << 20);
	std::vector<unsigned char> got = large.home();
	size_t		poison = 0;

	for (unsigned char c : got)
		poison += c == 0xCB;
	is((long long) poison, 9 << 20, "memory is poisoned");
	is(small.home()[2], 0xCB, "... to its end");
}

static void
host_memory(void)
{
	struct cuda_double_counters counters;
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	char	   *p = (char *) mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 7 * page, page);
	driver.counters_reset();
	is(driver.cuMemHostRegister_v2(p, 2 * page, 1), 0, "registering");
	is(driver.cuMemHostRegister_v2(p, 2 * page, 1), 712, "registering again");
	is(driver.cuMemHostRegister_v2(p + page, 2 * page, 1), 712, "registering what overlaps");
	is(driver.cuMemHostRegister_v2(p + 2 * page, page, 9), 0, "registering what is next to it, for reading");
	is(driver.cuMemHostRegister_v2(p + 6 * page, 2 * page, 1), 1, "registering what is not there");
	is(driver.cuMemHostUnregister(p + page), 713, "unregistering the middle");

	Device<char> device(4 * page);

	CHECK(cuMemcpyHtoDAsync_v2(device.pointer, p + 10, 2 * page - 10, nullptr));
	CHECK(cuMemcpyHtoDAsync_v2(device.pointer, p + 10, 2 * page, nullptr));
	CHECK(cuMemcpyDtoHAsync_v2(p + 5 * page, device.pointer, 100, nullptr));
	CHECK(cuCtxSynchronize());
	driver.counters(&counters);
	is((long long) counters.bytes_to_device, (long long) (4 * page - 10), "bytes copied to the device");
	is((long long) counters.bytes_to_device_pageable, (long long) (2 * page), "... of which from memory not registered as one");
	is((long long) counters.bytes_to_host_pageable, 100, "bytes copied to pageable memory");
	is((long long) counters.host_bytes_registered, (long long) (3 * page), "bytes registered");
	is(driver.cuMemHostUnregister(p), 0, "unregistering");
	is(driver.cuMemHostUnregister(p), 713, "unregistering again");
	is(driver.cuMemHostUnregister(p + 2 * page), 0, "unregistering the other one");
	munmap(p, 7 * page);
}

static CUresult
try_launch(unsigned grid, unsigned block, unsigned shared, void **params)
{
	return driver.cuLaunchKernel(get_function("prefix_sum"), grid, 1, 1, block, 1, 1, shared, nullptr, params, nullptr);
}

static void
launches(void)
{
	Device<unsigned> a(64);
	Device<unsigned> b(64);
	void	   *params[] = {&a.pointer, &b.pointer};
	void	   *missing[] = {&a.pointer, nullptr};
	CUfunction	function = get_function("prefix_sum");
	int			value;

	is(try_launch(1, 64, 256, params), 0, "a launch");
	is(try_launch(0, 64, 256, params), 1, "no blocks");
	is(try_launch(1, 1025, 256, params), 1, "too many threads");
	is(try_launch(1, 0, 256, params), 1, "no threads");
	is(try_launch(1, 64, 48 * 1024 + 1, params), 1, "more shared memory than may be");
	is(driver.cuFuncSetAttribute(function, 8, 227 * 1024 + 1), 1, "more than there is cannot be asked for");
	is(driver.cuFuncSetAttribute(function, 8, 227 * 1024), 0, "what there is can");
	is(driver.cuFuncGetAttribute(&value, 8, function) == 0 ? value : -1, 227 * 1024, "and is known then");
	is(try_launch(1, 64, 227 * 1024, params), 0, "and used");
	is(try_launch(1, 64, 256, nullptr), 1, "no arguments");
	is(try_launch(1, 64, 256, missing), 1, "an argument that is missing");
	is(driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(&value, function, 256, 0) == 0 ? value : -1, 8,
	   "occupancy, by threads");
	is(driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(&value, function, 256, 100 * 1024) == 0 ? value : -1, 2,
	   "occupancy, by shared memory");
	is(driver.cuCtxSynchronize(), 0, "nothing of this was grave");
}

/* A context is current in one thread only; the library is locked. */
static void *
other_thread(void *context)
{
	CUdeviceptr p;
	intptr_t	result = driver.cuMemAlloc_v2(&p, 100);

	for (int i = 0; result == 201 && i < 50; i++)
	{
		CHECK(cuCtxSetCurrent((CUcontext) context));

		Device<unsigned> out(64);

		if (launch("lanes_leave", 1, 64, 0, out.pointer) != 0)
			result = -1;
	}
	return (void *) result;
}

static void
threads(void)
{
	CUcontext	context;
	pthread_t	thread[3];
	bool		good = true;

	CHECK(cuDevicePrimaryCtxRetain(&context, 0));
	for (pthread_t &t : thread)
		pthread_create(&t, nullptr, other_thread, context);
	for (pthread_t t : thread)
	{
		void	   *result;

		pthread_join(t, &result);
		good &= (intptr_t) result == 201;
	}
	ok(good, "a context is current in a thread; threads take turns");
	CHECK(cuDevicePrimaryCtxRelease_v2(0));
}

static void
after_fork(void)
{
	int			status = 0;
	pid_t		child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(driver.cuCtxSynchronize() == 3 && driver.cuInit(0) == 3 ? 0 : 1);
	waitpid(child, &status, 0);
	is(status, 0, "a driver that was begun is of no use after fork()");
}

void
driver_tests(void)
{
	int			version;
	CUdeviceptr p;
	const char *text;
	CUcontext	context;

	is(driver.cuDriverGetVersion(&version), 0, "the version can be asked for at any time");
	is(driver.cuInit(1), 1, "cuInit with flags");
	is(driver.cuGetErrorName(123456, &text), 1, "what is no error");
	CHECK(cuInit(0));
	CHECK(cuCtxSetCurrent(nullptr));
	is(driver.cuMemAlloc_v2(&p, 10), 201, "no context");

	driver.set("schedule=forward,streams=eager");
	open_device();
	handles();
	memory();
	host_memory();
	launches();
	threads();
	after_fork();
	CHECK(cuMemAlloc_v2(&p, 10));
	CHECK(cuDevicePrimaryCtxRetain(&context, 0));
	CHECK(cuDevicePrimaryCtxRelease_v2(0));
	is(driver.cuMemFree_v2(p), 0, "a context lives until it was released as often as it was retained");
	CHECK(cuDevicePrimaryCtxRelease_v2(0));
	is(driver.cuMemAlloc_v2(&p, 10), 201, "a context that was released");
}
