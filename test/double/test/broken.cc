/*-------------------------------------------------------------------------
 *
 * broken.cc
 *	  Kernels that are wrong are caught.
 *
 * Either the double finds the error, says so in a line that names it, and the
 * context has that error from then on; or, where a kernel is wrong only in
 * what it counts on, its results are wrong under some schedule.  Under the
 * sanitizers the report may be theirs.
 *
 * Each runs in a process of its own, which must live on.
 *
 *-------------------------------------------------------------------------
 */
#include <unistd.h>

#include "client.h"

/* ------------------------------------------------------------------------
 * Errors that the double finds
 * ------------------------------------------------------------------------
 */
struct Bug
{
	const char *name;
	CUresult	error;
	const char *says;			/* in its line */
	CUresult	(*run) (void);
	const char *settings;		/* more of them */
	bool		sanitizer;		/* which may find it first */
};

static CUresult
run_words(const char *name, unsigned threads, unsigned shared)
{
	Device<unsigned> out(1024);

	out.zero();
	return launch(name, 1, threads, shared, out.pointer);
}

static CUresult barrier_for_half(void) { return run_words("barrier_for_half", 32, 0); }
static CUresult barrier_in_both_branches(void) { return run_words("barrier_in_both_branches", 64, 0); }
static CUresult barriers_of_two_kinds(void) { return run_words("barriers_of_two_kinds", 64, 0); }
static CUresult lane_not_in_mask(void) { return run_words("lane_not_in_mask", 32, 0); }
static CUresult two_operations(void) { return run_words("two_operations", 32, 0); }
static CUresult two_masks(void) { return run_words("two_masks", 32, 0); }
static CUresult shuffle_under_condition(void) { return run_words("shuffle_under_condition", 64, 0); }
static CUresult wait_for_block(void)
{
	/* whichever block is first, it is the one that waits */
	Device<unsigned> flag(1);

	flag.zero();
	return launch("wait_for_block", 1, 1, 0, flag.pointer);
}
static CUresult stack_overflow(void)
{
	Device<unsigned> out(std::vector<unsigned>{~0u, 0});

	return launch("stack_overflow", 1, 3, 0, out.pointer);
}
static CUresult division_by_zero(void) { return run_words("division_by_zero", 1, 0); }
static CUresult trap(void) { return launch("trap", 1, 64, 0, 33u); }

static CUresult
write_at(size_t bytes, long long offset)
{
	Device<unsigned char> p(bytes);

	p.zero();
	return launch("write_at", 1, 32, 0, p.pointer, offset);
}

static CUresult
read_at(size_t bytes, long long offset)
{
	Device<unsigned char> p(bytes);
	Device<unsigned char> out(1);

	p.zero();
	return launch("read_at", 1, 32, 0, p.pointer, offset, out.pointer);
}

/* the end of 1000 bytes is 24 before its page's, as the begin is aligned to 256 */
static CUresult write_behind_page(void) { return write_at(4096, 4096); }
static CUresult read_behind_page(void) { return read_at(4096, 4096); }
static CUresult write_behind(void) { return write_at(1000, 1000); }
static CUresult write_before(void) { return write_at(1000, -1); }
static CUresult write_far_before(void) { return write_at(1000, -100000); }
static CUresult read_null(void)
{
	Device<unsigned char> out(1);

	return launch("read_at", 1, 32, 0, (CUdeviceptr) 0, 8ll, out.pointer);
}
static CUresult read_wild(void)
{
	Device<unsigned char> out(1);

	return launch("read_at", 1, 32, 0, (CUdeviceptr) 0x9999999999999999, 8ll, out.pointer);
}
static CUresult read_freed(void)
{
	Device<unsigned char> out(1);
	CUdeviceptr freed;

	{
		Device<unsigned char> p(4096);

		freed = p.pointer;
	}
	return launch("read_at", 1, 32, 0, freed, 8ll, out.pointer);
}
static CUresult shared_behind(void) { return launch("shared_write_at", 1, 32, 1024, 1024); }
static CUresult shared_just_behind(void) { return launch("shared_write_at", 1, 32, 1001, 1001); }
static CUresult shared_before(void) { return launch("shared_write_at", 1, 32, 1024, -1); }
static CUresult shared_none(void) { return launch("shared_write_at", 1, 32, 0, 0); }
static CUresult misaligned_load(void)
{
	Device<unsigned char> p(64);
	Device<unsigned> out(4);

	return launch("misaligned_load", 1, 1, 0, p.pointer, out.pointer);
}
static CUresult misaligned_atomic(void)
{
	Device<unsigned char> p(64);

	return launch("misaligned_atomic", 1, 1, 0, p.pointer);
}
static unsigned on_host = 3;

static CUresult
host_load(void)
{
	Device<unsigned> out(1);

	return launch("host_load", 1, 1, 0, &on_host, out.pointer);
}

static CUresult host_atomic(void) { return launch("host_atomic", 1, 1, 0, &on_host); }

static CUresult host_declared(void) { return launch("declares_too_much", 1, 1, 0, &on_host, 4u); }

static CUresult
declares_too_much(void)
{
	Device<unsigned char> p(1000);

	return launch("declares_too_much", 1, 1, 0, p.pointer, 1001u);
}

static const Bug bugs[] = {
	{"barrier_for_half", 719, "deadlock: of 32 threads 0 exited; waiting: 16 in __syncthreads at broken.cu:",
	barrier_for_half, "", false},
	{"barrier_in_both_branches", 719, "__syncthreads at broken.cu:", barrier_in_both_branches, "", false},
	{"barriers_of_two_kinds", 719, "where thread", barriers_of_two_kinds, "", false},
	{"lane_not_in_mask", 719, "is not in the mask", lane_not_in_mask, "", false},
	{"two_operations", 719, "of its warp wait in", two_operations, "", false},
	{"two_masks", 719, "__ballot_sync(0xffffffff) of warp 0 at broken.cu:", two_masks, "", false},
	{"shuffle_under_condition", 719, "31 in __shfl_down_sync(0xffffffff) of warp 0", shuffle_under_condition, "", false},
	{"wait_for_block", 702, "waits in a loop", wait_for_block, "timeout=1", false},
	{"stack_overflow", 719, "stack overflow", stack_overflow, "", true},
	{"division_by_zero", 719, "division by zero", division_by_zero, "", true},
	{"trap", 719, "thread (33,0,0): __trap at broken.cu:", trap, "", false},
	{"write at the end, at a page", 700, "0 bytes behind the end of an allocation of 4096", write_behind_page, "", true},
	{"read at the end, at a page", 700, "0 bytes behind the end of an allocation of 4096", read_behind_page, "", true},
	{"write at the end", 700, "behind the end of an allocation of 1000", write_behind, "", true},
#if SANITIZED
	/* only AddressSanitizer sees reads in the bytes between an end and its page */
	{"read at the end", 700, "none", [] { return read_at(1000, 1000); }, "", true},
#endif
	{"write at the end, align=8", 700, "0 bytes behind the end of an allocation of 1000", write_behind, "align=8", true},
	{"write before the begin", 700, "before an allocation of 1000", write_before, "", true},
	{"write far before the begin", 700, "100000 bytes before an allocation of 1000", write_far_before, "", true},
	{"read a null pointer", 700, "a null pointer", read_null, "", true},
	{"read a wild pointer", 700, "illegal address", read_wild, "", true},
	{"read freed memory", 700, "in an allocation of 4096 that was freed", read_freed, "", true},
	{"write behind shared memory", 700, "illegal address", shared_behind, "", true},
	{"write right behind shared memory", 700, "behind the 1001 bytes of shared memory", shared_just_behind, "", true},
	{"write before shared memory", 700, "before the shared memory", shared_before, "", true},
	{"write shared memory of no size", 700, "illegal address", shared_none, "", true},
	{"misaligned load", 716, "16 bytes at address", misaligned_load, "", true},
	{"misaligned atomic", 716, "4 bytes at address", misaligned_atomic, "", true},
	{"load from the host's memory", 700, "is not memory of the device, at broken.cu:", host_load, "", false},
	{"atomic in the host's memory", 700, "is not memory of the device, at broken.cu:", host_atomic, "", false},
	{"declared access to the host's memory", 700, "not in memory of the device", host_declared, "", false},
	{"declared access beyond the end", 700, "0 bytes behind the end of an allocation of 1000", declares_too_much, "", false},
};

/* The bug; then the context must be unusable, and the process well. */
static int
run_bug(const void *argument)
{
	const Bug  *bug = (const Bug *) argument;
	CUresult	result;
	CUdeviceptr pointer;

	open_device();
	result = bug->run();
	if (result != bug->error)
	{
		fprintf(stderr, "error %d, not %d\n", result, bug->error);
		return 10;
	}
	if (driver.cuMemAlloc_v2(&pointer, 10) != result || driver.cuCtxSynchronize() != result ||
		driver.cuStreamSynchronize(nullptr) != result)
	{
		fprintf(stderr, "the error is forgotten\n");
		return 11;
	}
	return 0;
}

static bool
is_report(const char *text)
{
	return strstr(text, "AddressSanitizer") || strstr(text, "runtime error");
}

static void
test_bug(const Bug *bug)
{
	static const char *const schedules[] = {"forward", "reverse", "random"};
	bool		passed = true;

	for (const char *schedule : schedules)
	{
		char		settings[200];
		Outcome		outcome;

		snprintf(settings, sizeof settings, "schedule=%s,%s", schedule, bug->settings);
		outcome = run_apart(settings, run_bug, bug);
		if (outcome.status == 0 && strstr(outcome.error, bug->says))
			continue;
		if (SANITIZED && bug->sanitizer && outcome.status != 0 && is_report(outcome.error))
			continue;
		passed = false;
		diag("%s: status %d, %s", schedule, outcome.status, outcome.error);
	}
	ok(passed, "caught: %s", bug->name);
}

/* ------------------------------------------------------------------------
 * Results that are wrong
 * ------------------------------------------------------------------------
 */
struct Wrong
{
	const char *name;
	bool		(*right) (void);
	bool		always;			/* under each schedule */
};

static std::vector<unsigned>
words_of(const char *name, unsigned grid, unsigned threads, unsigned shared)
{
	Device<unsigned> out(threads);

	if (launch(name, grid, threads, shared, out.pointer) != 0)
		exit(4);
	return out.home();
}

static bool
barrier_missing(void)
{
	std::vector<unsigned> out = words_of("barrier_missing", 1, 64, 256);

	for (unsigned t = 0; t < 64; t++)
		if (out[t] != (t + 1) % 64 + (t + 63) % 64 + 2)
			return false;
	return true;
}

static bool
barrier_missing_in_loop(void)
{
	std::vector<unsigned> out = words_of("barrier_missing_in_loop", 1, 128, 512);

	for (unsigned t = 0; t < 128; t++)
		if (out[t] != t + 1)
			return false;
	return true;
}

static bool
syncwarp_missing(void)
{
	std::vector<unsigned> out = words_of("syncwarp_missing", 1, 64, 256);

	for (unsigned t = 0; t < 64; t++)
		if (out[t] != (t % 32 ^ 1) + (t % 32 ^ 16))
			return false;
	return true;
}

static bool shuffle_from_exited(void) { return words_of("shuffle_from_exited", 1, 64, 0)[30] == 31; }
static bool activemask_as_warp(void) { return words_of("activemask_as_warp", 1, 64, 0)[3] == 32; }
static bool shared_uninitialized(void) { return words_of("shared_uninitialized", 2, 32, 128)[0] == 1; }
static bool device_uninitialized(void) { return words_of("device_uninitialized", 1, 32, 0)[0] == 32; }

static bool
check_then_act(void)
{
	Device<unsigned> used(1);

	used.zero();
	return launch("check_then_act", 1, 256, 0, used.pointer, 100u) == 0 && used.home()[0] == 100;
}

static bool
last_one_wins(void)
{
	return words_of("last_one_wins", 1, 100, 0)[0] == 99;
}

static const Wrong wrongs[] = {
	{"barrier_missing", barrier_missing, true},
	{"barrier_missing_in_loop", barrier_missing_in_loop, false},
	{"syncwarp_missing", syncwarp_missing, true},
	{"shuffle_from_exited", shuffle_from_exited, true},
	{"activemask_as_warp", activemask_as_warp, true},
	{"shared_uninitialized", shared_uninitialized, true},
	{"device_uninitialized", device_uninitialized, true},
	{"check_then_act", check_then_act, false},
	{"last_one_wins", last_one_wins, false},
};

static int
run_wrong(const void *argument)
{
	open_device();
	return ((const Wrong *) argument)->right();
}

static void
test_wrong(const Wrong *wrong)
{
	static const char *const schedules[] = {"schedule=forward", "schedule=reverse", "schedule=random"};
	int			right = 0;
	int			failed = 0;

	for (const char *settings : schedules)
	{
		Outcome		outcome = run_apart(settings, run_wrong, wrong);

		right += outcome.status == 1;
		failed += outcome.status > 1;
		if (outcome.status > 1)
			diag("%s: status %d, %s", settings, outcome.status, outcome.error);
	}
	ok(failed == 0 && right < 3 && (right == 0 || !wrong->always), "gives wrong results under %s schedule: %s",
	   wrong->always ? "every" : "some", wrong->name);
}

/* ------------------------------------------------------------------------
 * What a kernel must not be blamed for, and what the double says besides
 * ------------------------------------------------------------------------
 */

/* A context that failed, given back, stays failed; abort=1 ends the process. */
static int
run_trap(const void *)
{
	open_device();
	return trap() == 719 ? 0 : 1;
}

static int
run_twice_read(const void *)
{
	struct cuda_double_counters counters;

	open_device();

	Device<unsigned> p(65);
	Device<unsigned> out(64);

	p.zero();
	if (launch("reads_twice", 1, 64, 0, p.pointer, out.pointer) != 0)
		return 1;
	driver.counters(&counters);
	if (counters.all.bytes_read != 64 * 8 || counters.all.bytes_read_again != 63 * 4)
		return 2;

	/* another launch begins anew */
	if (launch("reads_twice", 1, 64, 0, p.pointer, out.pointer) != 0)
		return 1;
	driver.counters(&counters);
	return counters.all.bytes_read_again == 2 * 63 * 4 ? 0 : 3;
}

/* two devices: one fails, the other does not */
static int
run_other_device(const void *)
{
	CUcontext	second;

	open_device();
	if (trap() != 719)
		return 1;
	CHECK(cuDevicePrimaryCtxRetain(&second, 1));
	CHECK(cuCtxSetCurrent(second));
	CHECK(cuModuleLoadData(&module, "CUDA double"));

	Device<unsigned> out(1);

	out.zero();
	return launch("well", 1, 64, 0, out.pointer) == 0 && out.home()[0] == 64 ? 0 : 2;
}

void
broken_tests(void)
{
	Outcome		outcome;

	for (const Bug &bug : bugs)
		test_bug(&bug);
	for (const Wrong &wrong : wrongs)
		test_wrong(&wrong);

	outcome = run_apart("", run_twice_read, nullptr);
	is(outcome.status, 0, "counts bytes that a launch reads twice");
	outcome = run_apart("devices=2", run_other_device, nullptr);
	is(outcome.status, 0, "an error of one device is not another one's; fibers are fit for use after it");
	if (outcome.status != 0)
		diag("%s", outcome.error);
	outcome = run_apart("abort=1", run_trap, nullptr);
	ok(outcome.status > 128 && strstr(outcome.error, "__trap"), "abort=1 ends the process, after its line");
}
