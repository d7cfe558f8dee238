/*-------------------------------------------------------------------------
 *
 * faults.cc
 *	  Settings, the control file, and faults that are asked for.
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <unistd.h>

#include "client.h"

/* A step that must hold, by number of its line. */
#define EXPECT(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			return 1; \
		} \
	} while (0)

static void
test(const char *settings, int (*body) (const void *), const char *name)
{
	Outcome		outcome = run_apart(settings, body, nullptr);

	if (!is(outcome.status, 0, "%s", name))
		diag("%s", outcome.error);
}

static char control[200];

static void
write_control(const char *text)
{
	char		other[220];
	FILE	   *file;

	snprintf(other, sizeof other, "%s.new", control);
	file = fopen(other, "w");
	fputs(text, file);
	fclose(file);
	rename(other, control);
}

/* ------------------------------------------------------------------------
 * Faults
 * ------------------------------------------------------------------------
 */
static int
nth_call(const void *)
{
	CUdeviceptr p;

	open_device();
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 2);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuCtxSynchronize() == 0);
	return 0;
}

/* cuInit, retain, set current, load: the fifth is the first of ours */
static int
any_call(const void *)
{
	size_t		free_bytes;
	size_t		total;
	const char *name;

	open_device();
	EXPECT(driver.cuGetErrorName(719, &name) == 0);
	EXPECT(driver.cuMemGetInfo_v2(&free_bytes, &total) == 719);
	EXPECT(driver.cuGetErrorName(719, &name) == 0 && strcmp(name, "CUDA_ERROR_LAUNCH_FAILED") == 0);
	EXPECT(driver.cuMemGetInfo_v2(&free_bytes, &total) == 719);
	EXPECT(driver.cuStreamQuery(nullptr) == 719);
	EXPECT(driver.cuDevicePrimaryCtxRelease_v2(0) == 719);
	return 0;
}

static int
init_fails(const void *)
{
	EXPECT(driver.cuInit(0) == 999);
	EXPECT(driver.cuInit(0) == 0);
	return 0;
}

static int
two_faults(const void *)
{
	CUdeviceptr p;
	CUstream	stream;

	open_device();
	EXPECT(driver.cuStreamCreate(&stream, 1) == 2);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 2);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 214);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 214);
	return 0;
}

static int
ends(const void *)
{
	CUdeviceptr p;

	alarm(2);
	open_device();
	driver.cuMemAlloc_v2(&p, 100);
	return 0;
}

/* ------------------------------------------------------------------------
 * Settings
 * ------------------------------------------------------------------------
 */
static int
properties(const void *)
{
	int			value;
	size_t		bytes;
	size_t		free_bytes;
	CUdeviceptr p;
	char		name[100];

	open_device();
	EXPECT(driver.cuDeviceGetCount(&value) == 0 && value == 3);
	EXPECT(driver.cuDriverGetVersion(&value) == 0 && value == 12040);
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 2) == 0 && value == 17);
	EXPECT(driver.cuDeviceGetAttribute(&value, 75, 2) == 0 && value == 9);
	EXPECT(driver.cuDeviceGetAttribute(&value, 97, 0) == 0 && value == 227 * 1024);
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 3) == 101);
	EXPECT(driver.cuDeviceGetName(name, sizeof name, 1) == 0 && strcmp(name, "CUDA double") == 0);
	EXPECT(driver.cuDeviceGetPCIBusId(name, sizeof name, 1) == 0 && strcmp(name, "0000:01:00.0") == 0);
	EXPECT(driver.cuDeviceTotalMem_v2(&bytes, 0) == 0 && bytes == 5 << 20);
	EXPECT(driver.cuMemAlloc_v2(&p, 3 << 20) == 0);
	EXPECT(driver.cuMemGetInfo_v2(&free_bytes, &bytes) == 0 && bytes == 5 << 20 && free_bytes == 2 << 20);
	EXPECT(driver.cuMemAlloc_v2(&p, (2 << 20) + 1) == 2);
	EXPECT(driver.cuMemAlloc_v2(&p, 2 << 20) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 1) == 2);
	EXPECT(driver.cuMemFree_v2(p) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 1) == 0);
	return 0;
}

/* Addresses are used again when there are no others. */
static int
few_addresses(const void *)
{
	std::vector<unsigned char> byte(1, 7);
	CUdeviceptr first = 0;
	CUdeviceptr p = 0;
	int			n;

	open_device();

	Device<unsigned char> stays(100);

	for (n = 0; n < 100 && (n <= 1 || p > first); n++)
	{
		CHECK(cuMemAlloc_v2(&p, 100 << 20));
		CHECK(cuMemcpyHtoDAsync_v2(p + (100 << 20) - 1, byte.data(), 1, nullptr));
		CHECK(cuMemFree_v2(p));
		if (n == 0)
			first = p;
	}
	EXPECT(n > 30 && n < 50);
	EXPECT(stays.home()[99] == 0xCB);
	EXPECT(driver.cuMemAlloc_v2(&p, (size_t) 5 << 30) == 2);
	return 0;
}

static int
no_device(const void *)
{
	int			count;

	EXPECT(driver.cuInit(0) == 100);
	EXPECT(driver.cuDeviceGetCount(&count) == 3);
	return 0;
}

static int
nonsense(const void *)
{
	static const char *const wrong[] = {"schedule=up", "seed=x", "memory=1x", "memory=", "fail=cuInit", "fail=cuInit:0:1",
	"fail=cuInit:1:x", "fail=cuInit:1:0", "align=3", "what=1", "schedule", "abort=2"};

	for (const char *settings : wrong)
		EXPECT(driver.set(settings) == -1);
	EXPECT(driver.set("schedule=reverse, seed=1\n# a comment, and more\nmemory=2g") == 0);
	return 0;
}

static int
control_file(const void *)
{
	CUdeviceptr p;
	int			value;

	setenv("CUDA_DOUBLE_CONTROL", control, 1);
	unlink(control);
	open_device();
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	write_control("fail=cuMemAlloc_v2:1:2\nsms=8");
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 0) == 0 && value == 8);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 2);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);

	/* written again: it counts anew, and the environment's value is back */
	write_control("fail=cuMemAlloc_v2:2:2");
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 0) == 0 && value == 5);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 2);

	/* gone: neither */
	write_control("fail=cuMemAlloc_v2:1:2,sms=9");
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 0) == 0 && value == 9);
	unlink(control);
	EXPECT(driver.cuMemAlloc_v2(&p, 100) == 0);
	EXPECT(driver.cuDeviceGetAttribute(&value, 16, 0) == 0 && value == 5);
	return 0;
}

static int
slow_launch(const void *)
{
	CUevent		before;
	CUevent		after;
	float		ms;

	open_device();

	Device<unsigned> out(1);

	CHECK(cuEventCreate(&before, 0));
	CHECK(cuEventCreate(&after, 0));
	CHECK(cuEventRecord(before, nullptr));
	EXPECT(launch("well", 1, 32, 0, out.pointer) == 0);
	CHECK(cuEventRecord(after, nullptr));
	CHECK(cuCtxSynchronize());
	CHECK(cuEventElapsedTime(&ms, before, after));
	EXPECT(ms >= 30 && ms < 10000);
	return 0;
}

/* lines of JSON, one for each wait, one at the end */
static int
counters_file(const void *)
{
	open_device();

	Device<unsigned> out(1);

	EXPECT(launch("well", 2, 32, 0, out.pointer) == 0);
	CHECK(cuCtxSynchronize());
	return 0;
}

static void
test_counters_file(void)
{
	char		file[220];
	char		settings[300];
	char		line[65536] = "";
	FILE	   *lines;
	int			n = 0;
	bool		good = true;
	Outcome		outcome;

	snprintf(file, sizeof file, "%s.counters", control);
	snprintf(settings, sizeof settings, "counters=%s", file);
	unlink(file);
	outcome = run_apart(settings, counters_file, nullptr);
	lines = fopen(file, "r");
	while (lines != nullptr && fgets(line, sizeof line, lines) != nullptr)
	{
		n++;
		good &= line[0] == '{' && strcmp(line + strlen(line) - 3, "}}\n") == 0 &&
			strstr(line, "\"well\": {\"launches\": 1, \"blocks\": 2,") != nullptr;
	}
	if (lines != nullptr)
		fclose(lines);
	unlink(file);
	if (!ok(outcome.status == 0 && n == 2 && good && strstr(line, "\"when\": \"exit\""),
			"counters=FILE: a line at a wait, and one at the end"))
		diag("%d lines, the last: %s %s", n, line, outcome.error);
}

void
fault_tests(void)
{
	Outcome		outcome;

	snprintf(control, sizeof control, "%s/cuda_double_test.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int) getpid());

	test("fail=cuMemAlloc_v2:3:2", nth_call, "the third call fails, once");
	test("fail=*:5:719", any_call, "the fifth call of any kind fails; a grave error stays");
	test("fail=cuInit:1:999", init_fails, "cuInit fails");
	test("fail=cuStreamCreate:1:2,fail=cuMemAlloc_v2:1:2,fail=cuMemAlloc_v2:2:214", two_faults, "several faults");
	outcome = run_apart("fail=cuMemAlloc_v2:1:kill", ends, nullptr);
	is(outcome.status, 128 + SIGKILL, "a call kills the process");
	outcome = run_apart("fail=cuMemAlloc_v2:1:hang", ends, nullptr);
	ok(outcome.status == 128 + SIGALRM && strstr(outcome.error, "CUDA double: fault: cuMemAlloc_v2 never returns\n"),
	   "a call never returns");
	outcome = run_apart("fail=cuMemAlloc_v2:1:segv", ends, nullptr);
	ok(outcome.status == 128 + SIGSEGV || (SANITIZED && outcome.status != 0), "a call crashes");
	outcome = run_apart("fail=cuMemAlloc_v2:1:2", ends, nullptr);
	ok(strstr(outcome.error, "CUDA double: fault: cuMemAlloc_v2 returns 2 (CUDA_ERROR_OUT_OF_MEMORY)\n") != nullptr,
	   "a fault that fires says so");

	test("devices=3,driver=12040,sms=17,memory=5m", properties, "properties of devices, and a limit of memory");
	test("addresses=4g,memory=6g", few_addresses, "addresses are used again, but not those that are in use");
	test("devices=0", no_device, "no devices");
	test("", nonsense, "settings that make no sense are refused");
	test("sms=5", control_file, "the control file is read again when it changes");
	test("slow=30000", slow_launch, "launches take longer; events measure it");
	test_counters_file();
	unlink(control);
}
