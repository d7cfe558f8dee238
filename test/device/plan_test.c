/*-------------------------------------------------------------------------
 *
 * plan_test.c
 *	  Plans and jobs that were changed on their way: refused, or safe to run.
 *
 * A sound plan is changed in one field or in some bytes.  Each is refused, or
 * the kernels run it, whatever comes out: on the double, built with
 * AddressSanitizer, an access outside the plan, the job, shared memory or the
 * table ends the test.  So does a page whose bytes were changed.
 *
 *-------------------------------------------------------------------------
 */
// link: src/engine/cuda/plan.c src/engine/cuda/plan_groups.c src/engine/cuda/plan_verify.c src/engine/cuda/driver.c src/program/verify.c src/program/program_tables.c
#define GENERATE_ENGINE		ENGINE_CUDA

#include "device_trial.h"

#define PLAN_CAPACITY	64

/* A sound plan, and a job for it. */
typedef struct Subject
{
	Rng			rng;
	Table		table;
	Generator	gen;
	Program    *program;
	DevicePlan *plan;
	Rows	   *rows;
	DeviceJob  *job;
} Subject;

typedef struct Tally
{
	uint32_t	refused;
	uint32_t	unfit;			/* no launch for it */
	uint32_t	run;
	uint32_t	failed;
	uint32_t	wrong;
	uint32_t	corrupt;		/* jobs with a corrupt row */
	uint64_t	rows;
} Tally;

static void
subject_init(Subject *subject, uint64_t seed)
{
	char	   *block = malloc(DEVICE_PLAN_ROOM);
	const char *why;
	const Rows *rows;
	uint32_t	size;

	subject->rng.state = seed;
	table_random(&subject->rng, &subject->table);
	do
	{
		subject->program = gen_program(&subject->gen, &subject->rng, &subject->table);
		size = gpuscan_device_plan(subject->program, subject->gen.as.params, block, DEVICE_PLAN_ROOM, &why);
		if (size == 0 || size > 2500)
			free(subject->program);
	} while (size == 0 || size > 2500);
	subject->plan = memcpy(malloc(size), block, size);
	subject->rows = rows_new(&subject->rng, &subject->table, 50);
	rows = subject->rows;
	subject->job = job_new(&rows, 1, subject->table.blcksz, rng_chance(&subject->rng, 50));
	free(block);
}

static void
subject_free(Subject *subject)
{
	free(subject->plan);
	free(subject->job);
	free(subject->program);
	rows_free(subject->rows);
	table_free(&subject->table);
}

/* Run a plan that passed, twice over the job, and bring its groups home. */
static void
run_plan(Subject *subject, const DevicePlan *plan, const DeviceJob *job, Tally *tally)
{
	DeviceLaunch launch;
	DeviceResult result = {.corrupt_row = UINT32_MAX};
	uint64_t	capacity = plan->nkeys > 0 ? PLAN_CAPACITY : 1,
				limit = plan->nkeys > 0 ? PLAN_CAPACITY / 2 : 1;
	uint32_t	again = 0;
	size_t		gather_size = sizeof(DeviceGather) + PLAN_CAPACITY * (size_t) plan->group_size;
	DeviceGather *gather;
	CUdeviceptr d_plan,
				d_job,
				d_status,
				d_result,
				d_groups,
				d_candidates,
				d_gather;

	if (!gpuscan_device_launch(plan, job->blcksz, device.shared_limit, &launch))
	{
		tally->unfit++;
		return;
	}
	tally->run++;
	d_plan = device_copy(plan, plan->size);
	d_job = device_copy(job, job->size);
	d_status = device_new(job->nrows);
	d_result = device_copy(&result, sizeof result);
	d_groups = device_new(DEVICE_GROUPS_BYTES(plan, capacity));
	d_candidates = device_new((size_t) job->nrows * plan->candidates * sizeof(DeviceCandidate));
	d_gather = device_new(gather_size);
	gather = calloc(1, gather_size);
	gather->room = PLAN_CAPACITY;
	device_put(d_gather, gather, sizeof *gather);
	{
		void	   *clear[] = {&d_plan, &d_groups, &capacity, &limit};
		void	   *scan[] = {&d_plan, &d_job, &d_result, &d_status, &launch};
		void	   *aggregate[] = {&d_plan, &d_job, &d_result, &d_status, &d_groups, &d_candidates, &again, &launch};
		void	   *commit[] = {&d_plan, &d_groups, &d_job, &d_candidates};
		void	   *bring[] = {&d_plan, &d_groups, &d_gather};

		if (!plan->grouped)
			device_launch(device.scan, 2, launch.threads, launch.shared, scan);
		else
		{
			device_launch(device.clear, 1, 256, 0, clear);
			for (int i = 0; i < 2; i++)
			{
				device_launch(device.aggregate, 2, launch.threads, launch.shared, aggregate);
				if (plan->candidates > 0)
					device_launch(device.commit, 1, 256, 0, commit);
				again = 1;
			}
			device_launch(device.gather, DEVICE_GATHER_BLOCKS, DEVICE_GATHER_THREADS, DEVICE_GATHER_SHARED, bring);
		}
	}
	device_get(&result, d_result, sizeof result);
	device_get(gather, d_gather, gather_size);
	tally->corrupt += result.corrupt_row != UINT32_MAX;
	tally->wrong += result.corrupt_row != UINT32_MAX && result.corrupt_row >= job->nrows;
	tally->wrong += result.npassed + result.npunted + (plan->grouped ? 0 : result.nleft) > job->nrows;
	tally->wrong += gather->ngroups > PLAN_CAPACITY;
	tally->rows += result.npassed;
	for (uint32_t g = 0; g < gather->ngroups && g < PLAN_CAPACITY; g++)
	{
		ProgramValue keys[PROGRAM_MAX_KEYS + 1];
		EngineAggState aggs[PROGRAM_MAX_AGGS + 1];
		EngineGroup group = {.keys = keys,.aggs = aggs};

		gpuscan_device_group(plan, (char *) (gather + 1) + (size_t) g * plan->group_size, &group);
		for (uint32_t k = 0; k < plan->nkeys; k++)
			if (!keys[k].null && keys[k].kind == VALUE_TEXT && keys[k].len > 0)
				tally->rows += (uint8_t) keys[k].u.ptr[keys[k].len - 1] & 1;
	}
	(void) subject;
	free(gather);
	device_free(d_plan);
	device_free(d_job);
	device_free(d_status);
	device_free(d_result);
	device_free(d_groups);
	device_free(d_candidates);
	device_free(d_gather);
}

/* Refused, or run.  The block is of its exact size. */
static void
try_plan(Subject *subject, const char *bytes, Tally *tally)
{
	uint32_t	size = subject->plan->size;
	DevicePlan *plan = memcpy(malloc(size), bytes, size);

	if (gpuscan_device_plan_verify(plan, size))
		tally->refused++;
	else
		run_plan(subject, plan, subject->job, tally);
	free(plan);
}

/* ------------------------------------------------------------------------ */

static void
test_sound(void)
{
	static Subject subject;
	uint32_t	wrong = 0;
	Tally		tally = {0};

	for (uint64_t seed = 1; seed <= 100; seed++)
	{
		const char *why;

		subject_init(&subject, seed);
		why = gpuscan_device_plan_verify(subject.plan, subject.plan->size);
		if (why && wrong++ == 0)
			diag("seed %llu: %s", (unsigned long long) seed, why);
		/* nor does it pass at another size */
		wrong += gpuscan_device_plan_verify(subject.plan, subject.plan->size - 8) == NULL;
		wrong += gpuscan_device_plan_verify(subject.plan, 0) == NULL;
		wrong += gpuscan_device_plan_verify(NULL, 0) == NULL;
		wrong += gpuscan_device_job_verify(subject.job, subject.job->size) != NULL;
		wrong += gpuscan_device_job_verify(subject.job, subject.job->size - 8) == NULL;
		run_plan(&subject, subject.plan, subject.job, &tally);
		subject_free(&subject);
	}
	ok(wrong == 0 && tally.run == 100 && tally.wrong == 0, "sound plans pass, at their size alone, and run");
}

/* Fields of 16 and of 32 bits take values from a list. */
static void
test_fields(uint64_t nplans)
{
	static const uint32_t values[] = {0, 1, 2, 3, 4, 8, 15, 16, 31, 32, 63, 64, 126, 127, 128, 129, 255, 256, 257,
		0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF};
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 1000; seed < 1000 + nplans; seed++)
	{
		uint32_t	size;
		char	   *bytes;

		subject_init(&subject, seed);
		size = subject.plan->size;
		bytes = malloc(size);
		/* every fifth field: the others are the next plans' turn; the header always */
		for (uint32_t at = 0; at + 4 <= size; at += 2)
			for (uint32_t v = 0; v < sizeof values / sizeof *values + 4; v++)
			{
				uint32_t	field;
				size_t		width = values[v % (sizeof values / sizeof *values)] > 0xFFFF && at % 4 == 0 ? 4 : 2;

				if (at > sizeof(DevicePlan) && at / 2 % 5 != seed % 5)
					continue;
				memcpy(bytes, subject.plan, size);
				memcpy(&field, bytes + at, 4);
				if (v < sizeof values / sizeof *values)
					field = values[v];
				else
					field += v % 4 == 0 ? 1 : v % 4 == 1 ? 0xFFFFFFFF : v % 4 == 2 ? 8 : 256;
				memcpy(bytes + at, &field, width);
				try_plan(&subject, bytes, &tally);
			}
		free(bytes);
		subject_free(&subject);
	}
	ok(tally.refused > 1000 && tally.run > 1000 && tally.wrong == 0, "one field of a plan changed: refused or run");
	diag("%u refused, %u without a launch, %u run", tally.refused, tally.unfit, tally.run);
}

static void
test_bytes(uint64_t nplans)
{
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 5000; seed < 5000 + nplans; seed++)
	{
		char	   *bytes;

		subject_init(&subject, seed);
		bytes = malloc(subject.plan->size);
		for (int round = 0; round < 200; round++)
		{
			memcpy(bytes, subject.plan, subject.plan->size);
			for (int n = rng_range(&subject.rng, 1, 3); n > 0; n--)
			{
				uint32_t	at = rng_below(&subject.rng, subject.plan->size);

				bytes[at] = rng_chance(&subject.rng, 50) ? (char) rng_next(&subject.rng) :
					(char) (bytes[at] ^ 1 << rng_below(&subject.rng, 8));
			}
			try_plan(&subject, bytes, &tally);
		}
		free(bytes);
		subject_free(&subject);
	}
	ok(tally.refused > 1000 && tally.run > 100 && tally.wrong == 0, "random bytes of a plan changed: refused or run");
	diag("%u refused, %u without a launch, %u run", tally.refused, tally.unfit, tally.run);
}

/* The job's header and list of pages. */
static void
test_jobs(uint64_t njobs)
{
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 8000; seed < 8000 + njobs; seed++)
	{
		uint32_t	size,
					head;

		subject_init(&subject, seed);
		size = subject.job->size;
		head = subject.job->pages + subject.job->npages * (uint32_t) sizeof(DevicePage);
		for (int round = 0; round < 300; round++)
		{
			DeviceJob  *job = memcpy(malloc(size), subject.job, size);
			uint32_t	at = rng_below(&subject.rng, head / 4) * 4;
			uint32_t	field;

			memcpy(&field, (char *) job + at, 4);
			field = rng_chance(&subject.rng, 30) ? (uint32_t) rng_next(&subject.rng) :
				rng_chance(&subject.rng, 50) ? field + (uint32_t) rng_range(&subject.rng, -9, 9) :
				field ^ 1u << rng_below(&subject.rng, 32);
			memcpy((char *) job + at, &field, 4);
			if (gpuscan_device_job_verify(job, size))
				tally.refused++;
			else
				run_plan(&subject, subject.plan, job, &tally);
			free(job);
		}
		subject_free(&subject);
	}
	ok(tally.refused > 1000 && tally.run > 1000 && tally.wrong == 0, "a job's head changed: refused or run");
	diag("%u refused, %u run, %u of them with a corrupt row", tally.refused, tally.run, tally.corrupt);
}

/* Bytes of pages, and line pointers: nothing is refused, and rows may be corrupt. */
static void
test_pages(uint64_t njobs)
{
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 9000; seed < 9000 + njobs; seed++)
	{
		uint32_t	size;

		subject_init(&subject, seed);
		size = subject.job->size;
		for (int round = 0; round < 60 && subject.job->npages > 0; round++)
		{
			DeviceJob  *job = memcpy(malloc(size), subject.job, size);

			for (int n = rng_range(&subject.rng, 1, 6); n > 0; n--)
			{
				const Page *from = &subject.rows->pages[rng_below(&subject.rng, job->npages)];
				char	   *page = (char *) job + job->data + (size_t) (from - subject.rows->pages) * job->blcksz;
				uint32_t	at = PAGE_HEADER + rng_below(&subject.rng, job->blcksz - PAGE_HEADER);

				if (from->nitems > 0 && rng_chance(&subject.rng, 80))
				{
					uint32_t	item = load_u32(page + PAGE_HEADER + 4 * rng_below(&subject.rng, from->nitems));

					at = (item & 0x7FFF) + rng_below(&subject.rng, 80);
					if (rng_chance(&subject.rng, 10))
						at = PAGE_HEADER + rng_below(&subject.rng, 4u * from->nitems);
				}
				if (at < job->blcksz)
					page[at] = rng_chance(&subject.rng, 40) ? (char) rng_next(&subject.rng) :
						(char) (page[at] ^ 1 << rng_below(&subject.rng, 8));
			}
			if (rng_chance(&subject.rng, 10) && job->offnums < size)
				((char *) job)[job->offnums + rng_below(&subject.rng, size - job->offnums)] = (char) rng_next(&subject.rng);
			run_plan(&subject, subject.plan, job, &tally);
			free(job);
		}
		subject_free(&subject);
	}
	ok(tally.wrong == 0 && tally.corrupt > njobs && tally.run > 10 * njobs, "damaged pages: %u jobs run, %u with a corrupt row",
	   tally.run, tally.corrupt);
}

/* plan_test [TIMES]: search longer */
int
main(int argc, char **argv)
{
	uint64_t	times = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

	device_open();
	test_sound();
	test_fields(12 * times);
	test_bytes(60 * times);
	test_jobs(20 * times);
	test_pages(60 * times);
	device_close();
	return tap_done();
}
