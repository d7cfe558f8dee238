/*-------------------------------------------------------------------------
 *
 * streams.cc
 *	  Streams and events: clients that wait as they should get what they
 *	  should, and those that do not get something else.
 *
 *-------------------------------------------------------------------------
 */
#include "client.h"

static const char *const all_settings[] = {
	"streams=eager,schedule=forward", "streams=deferred,schedule=forward", "streams=deferred,schedule=reverse",
	"streams=deferred,schedule=random,seed=1", "streams=deferred,schedule=random,seed=2",
	"streams=deferred,schedule=random,seed=3",
};

/*
 * A pipeline of two streams and two buffers: copy in one stream, sum in the
 * other, the buffer free again when the sum was taken.
 */
struct Pipeline
{
	CUstream	copy;
	CUstream	work;
	CUevent		copied[2];
	CUevent		used[2];
	std::vector<int> staging[2];
	Device<int> buffer0;
	Device<int> buffer1;
	Device<unsigned long long> sum;

	Pipeline() : buffer0(1000), buffer1(1000), sum(1)
	{
		CHECK(cuStreamCreate(&copy, 1));
		CHECK(cuStreamCreate(&work, 1));
		for (int i = 0; i < 2; i++)
		{
			CHECK(cuEventCreate(&copied[i], 2));
			CHECK(cuEventCreate(&used[i], 2));
			staging[i].resize(1000);
		}
		CHECK(cuMemsetD8Async(sum.pointer, 0, 8, work));
	}

	~Pipeline()
	{
		CHECK(cuStreamDestroy_v2(copy));
		CHECK(cuStreamDestroy_v2(work));
		for (int i = 0; i < 2; i++)
		{
			CHECK(cuEventDestroy_v2(copied[i]));
			CHECK(cuEventDestroy_v2(used[i]));
		}
	}

	/* which waits are there; the sum of so many rounds */
	unsigned long long
	run(int rounds, bool host_waits, bool work_waits, bool copy_waits, bool last_waits)
	{
		unsigned long long result = 0;

		for (int round = 0; round < rounds; round++)
		{
			int			i = round % 2;
			CUdeviceptr buffer = i ? buffer1.pointer : buffer0.pointer;
			int			n = 1000;
			int			threshold = 0;
			void	   *params[] = {&buffer, &n, &threshold, &sum.pointer};

			if (host_waits)
				while (driver.cuEventQuery(copied[i]) == 600)
					;
			for (int &value : staging[i])
				value = round + 1;
			if (copy_waits)
				CHECK(cuStreamWaitEvent(copy, used[i], 0));
			CHECK(cuMemcpyHtoDAsync_v2(buffer, staging[i].data(), 4000, copy));
			CHECK(cuEventRecord(copied[i], copy));
			if (work_waits)
				CHECK(cuStreamWaitEvent(work, copied[i], 0));
			CHECK(cuLaunchKernel(get_function("sum_above"), 2, 1, 1, 64, 1, 1, 16, work, params, nullptr));
			CHECK(cuEventRecord(used[i], work));
		}
		CHECK(cuMemcpyDtoHAsync_v2(&result, sum.pointer, 8, work));
		if (last_waits)
			CHECK(cuStreamSynchronize(work));

		unsigned long long seen = *(volatile unsigned long long *) &result;

		CHECK(cuCtxSynchronize());
		return seen;
	}
};

static int
run_pipeline(bool host_waits, bool work_waits, bool copy_waits, bool last_waits)
{
	int			right = 0;

	for (const char *settings : all_settings)
	{
		driver.set(settings);

		Pipeline	pipeline;

		right += pipeline.run(6, host_waits, work_waits, copy_waits, last_waits) == 1000 * 21;
	}
	return right;
}

static void
pipelines(void)
{
	const int	all = sizeof all_settings / sizeof all_settings[0];

	is(run_pipeline(true, true, true, true), all, "a pipeline that waits is right under each schedule");
	is(run_pipeline(true, true, true, false), 1, "who does not wait for the result is right with eager streams only");
	ok(run_pipeline(false, true, true, true) < all, "who uses a staging buffer again too early is found");
	ok(run_pipeline(true, false, true, true) < all, "a launch that does not wait for its copy is found");
	ok(run_pipeline(true, true, false, true) < all, "a copy that does not wait for the launch before is found");
}

/* The null stream and blocking streams wait for each other. */
static void
null_stream(void)
{
	int			right = 0;

	for (const char *settings : all_settings)
	{
		CUstream	blocking;
		unsigned char seen[3] = {};

		driver.set(settings);

		Device<unsigned char> p(1);

		CHECK(cuStreamCreate(&blocking, 0));
		CHECK(cuMemsetD8Async(p.pointer, 1, 1, blocking));
		CHECK(cuMemcpyDtoHAsync_v2(&seen[0], p.pointer, 1, nullptr));
		CHECK(cuMemsetD8Async(p.pointer, 2, 1, nullptr));
		CHECK(cuMemcpyDtoHAsync_v2(&seen[1], p.pointer, 1, blocking));
		CHECK(cuMemsetD8Async(p.pointer, 3, 1, blocking));
		CHECK(cuMemcpyDtoHAsync_v2(&seen[2], p.pointer, 1, nullptr));
		CHECK(cuStreamSynchronize(nullptr));
		right += seen[0] == 1 && seen[1] == 2 && seen[2] == 3;
		CHECK(cuStreamDestroy_v2(blocking));
	}
	is(right, (int) (sizeof all_settings / sizeof all_settings[0]), "the null stream and blocking streams keep the order of calls");
}

static void
deferred(void)
{
	CUstream	stream;
	CUevent		begin;
	CUevent		end;
	char		byte = 0;
	float		ms;
	int			polls = 0;
	CUresult	result;

	driver.set("streams=deferred,schedule=forward");

	Device<char> p(1);

	CHECK(cuStreamCreate(&stream, 1));
	CHECK(cuEventCreate(&begin, 0));
	CHECK(cuEventCreate(&end, 0));
	CHECK(cuEventRecord(begin, stream));
	CHECK(cuMemsetD8Async(p.pointer, 7, 1, stream));
	CHECK(cuMemcpyDtoHAsync_v2(&byte, p.pointer, 1, stream));
	CHECK(cuEventRecord(end, stream));
	is(driver.cuEventElapsedTime(&ms, begin, end), 600, "the time between events that were not reached");
	is(byte, 0, "nothing is done before somebody waits");
	while ((result = driver.cuStreamQuery(stream)) == 600)
		polls++;
	ok(result == 0 && polls == 4 && byte == 7, "who asks often enough is done");
	is(driver.cuEventElapsedTime(&ms, begin, end), 0, "and can measure it");
	ok(ms >= 0 && ms < 10000, "the time is one");

	/* an event is waited for, not what comes after it */
	CHECK(cuMemsetD8Async(p.pointer, 8, 1, stream));
	CHECK(cuMemcpyDtoHAsync_v2(&byte, p.pointer, 1, stream));
	CHECK(cuEventRecord(end, stream));
	CHECK(cuMemsetD8Async(p.pointer, 9, 1, stream));
	CHECK(cuMemcpyDtoHAsync_v2(&byte, p.pointer, 1, stream));
	CHECK(cuEventSynchronize(end));
	is(byte, 8, "up to an event, and no further");

	/* who destroys a stream has its work done all the same */
	CHECK(cuStreamDestroy_v2(stream));
	CHECK(cuEventDestroy_v2(end));
	CHECK(cuCtxSynchronize());
	is(byte, 9, "a stream is destroyed, its work is done");
	is(driver.cuEventElapsedTime(&ms, begin, begin), 0, "an event outlives its stream");
	CHECK(cuEventDestroy_v2(begin));

	/* arguments are those of the call */
	int			n = 1000;
	int			threshold = 5;
	Device<int> values(std::vector<int>(1000, 6));
	Device<unsigned long long> sum(1);
	CUdeviceptr values_pointer = values.pointer;
	CUdeviceptr sum_pointer = sum.pointer;
	void	   *params[] = {&values_pointer, &n, &threshold, &sum_pointer};

	sum.zero();
	CHECK(cuLaunchKernel(get_function("sum_above"), 1, 1, 1, 32, 1, 1, 8, nullptr, params, nullptr));
	n = 1;
	values_pointer = 0;
	is((long long) sum.home()[0], 6000, "arguments are copied by the call");

	/* from deferred to eager: what waits is done first */
	CHECK(cuMemsetD8Async(p.pointer, 1, 1, nullptr));
	driver.set("streams=eager");
	CHECK(cuMemcpyDtoHAsync_v2(&byte, p.pointer, 1, nullptr));
	is(byte, 1, "from deferred to eager");
}

void
stream_tests(void)
{
	open_device();
	pipelines();
	null_stream();
	deferred();
	CHECK(cuDevicePrimaryCtxRelease_v2(0));
}
