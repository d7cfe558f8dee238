/*-------------------------------------------------------------------------
 *
 * device_trial.h
 *	  A program over some batches on the device, and what the row-at-a-time
 *	  reference makes of them.
 *
 * Statuses are the reference's, row by row, except that the device may punt a
 * row whose keys or arguments have no form there: which ones these are is said
 * here, exactly.  Groups are those of the rows that passed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DEVICE_TRIAL_H
#define DEVICE_TRIAL_H

#include "device.h"
#include "generate.h"
#include "job.h"
#include "merge.h"
#include "reference.h"

#define DEVICE_TRIAL_BATCHES	16
#define DEVICE_PLAN_ROOM		(1 << 20)

typedef struct DeviceTrial
{
	Rng		   *rng;
	Table	   *table;
	Program    *program;
	const ProgramValue *params;
	Rows	   *batches[DEVICE_TRIAL_BATCHES];
	uint32_t	nbatches;
	uint64_t	most_groups;	/* in the table at a time; 0: as it comes */

	/* in work */
	DevicePlan *plan;
	CUdeviceptr d_plan;
	CUdeviceptr d_groups;
	DeviceLaunch launch;
	uint32_t	blocks;
	RefGroups  *reference;
	Merged		merged;

	/* totals, so that a test can see that it tests */
	uint64_t	npassed;
	uint64_t	npunted;
	uint64_t	npunted_more;	/* that the reference would not have */
	uint64_t	nleft;			/* rows run again */
	uint64_t	ngathered;		/* tables brought home */
	uint64_t	ngroups;
} DeviceTrial;

static void
device_trial_init(DeviceTrial *t, Rng *rng, Table *table, Program *program, const ProgramValue *params)
{
	memset(t, 0, sizeof *t);
	t->rng = rng;
	t->table = table;
	t->program = program;
	t->params = params;
}

static void
device_trial_add(DeviceTrial *t, uint32_t nrows)
{
	t->batches[t->nbatches++] = rows_new(t->rng, t->table, nrows);
}

static void
device_trial_free(DeviceTrial *t)
{
	for (uint32_t b = 0; b < t->nbatches; b++)
		rows_free(t->batches[b]);
}

/* ------------------------------------------------------------------------
 * What the device cannot hold
 * ------------------------------------------------------------------------
 */

static bool
key_has_no_form(const RefValue *key)
{
	NumericValue v;

	if (key->null)
		return false;
	switch (key->kind)
	{
		case VALUE_TEXT:
			return key->text.len > DEVICE_TEXT_KEY_MAX;
		case VALUE_NUMERIC:
			v = ref_canonical(key->numeric);
			if (v.mantissa == 0)
				return false;
			return v.mantissa >= INT64_C(1) << 56 || v.mantissa < -(INT64_C(1) << 56);
		case VALUE_FLOAT64:
			return false;		/* -0 is 0 there */
		default:
			return key->integer == INT64_MIN;
	}
}

static bool
big_less(const Big *a, const Big *b)
{
	int32_t		top = (int32_t) a->word[BIG_WORDS - 1],
				other = (int32_t) b->word[BIG_WORDS - 1];

	if (top != other)
		return top < other;
	for (int i = BIG_WORDS - 2; i >= 0; i--)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i];
	return false;
}

static bool
arg_has_no_form(const DeviceAgg *agg, const RefValue *arg)
{
	Big			value = big_from_i128(arg->numeric.mantissa),
				limit = big_from_i128((i128) 1 << DEVICE_SUM_BITS);
	Big			least = big_from_i128(-((i128) 1 << DEVICE_SUM_BITS));

	if (arg->null || agg->kind != AGG_SUM_NUMERIC)
		return false;
	if (arg->numeric.scale > agg->scale)
		return true;
	big_times_ten(&value, agg->scale - arg->numeric.scale);
	return !big_less(&value, &limit) || big_less(&value, &least);
}

static bool
device_punts(const DeviceTrial *t, const RefValue *regs)
{
	const DeviceAgg *aggs = DEVICE_SECTION(t->plan, DeviceAgg, t->plan->aggs);

	for (uint32_t k = 0; k < t->program->nkeys; k++)
		if (key_has_no_form(&regs[program_keys(t->program)[k].reg]))
			return true;
	for (uint32_t a = 0; a < t->program->naggs; a++)
	{
		const ProgramAgg *agg = &program_aggs(t->program)[a];

		if (agg->arg != PROGRAM_NO_REG &&
			(agg->filter == PROGRAM_NO_REG || ref_truth(&regs[agg->filter]) == 1) &&
			arg_has_no_form(&aggs[a], &regs[agg->arg]))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * The reference's part
 * ------------------------------------------------------------------------
 */

static uint8_t
expected_status(DeviceTrial *t, const Rows *rows, uint32_t row, RefValue *regs, bool *by_reference)
{
	RefOutcome	outcome = ref_run(t->program, t->params, t->table, rows, row, false, regs);

	*by_reference = outcome == REF_PUNT;
	if (outcome == REF_PASS && t->program->grouped && device_punts(t, regs))
		outcome = REF_PUNT;
	return outcome == REF_OUT ? DEVICE_ROW_FILTERED : outcome == REF_PUNT ? DEVICE_ROW_PUNTED : DEVICE_ROW_PASSED;
}

/* Statuses of a job, and the groups so far by the reference. */
static bool
check_job(DeviceTrial *t, Rows *const *batches, uint32_t n, const uint8_t *status, const DeviceResult *sum)
{
	RefValue   *regs = calloc(t->program->nregs + 1u, sizeof *regs);
	uint32_t	number = 0;
	uint32_t	counts[4] = {0};
	bool		same = true;

	for (uint32_t b = 0; b < n; b++)
		for (uint32_t row = 0; row < batches[b]->batch.nrows && same; row++, number++)
		{
			bool		by_reference;
			uint8_t		expected = expected_status(t, batches[b], row, regs, &by_reference);

			counts[expected]++;
			t->npunted_more += expected == DEVICE_ROW_PUNTED && !by_reference;
			if (status[number] != expected)
			{
				diag("row %u (%u of batch %u): status %u, expected %u", number, row, b, status[number], expected);
				same = false;
			}
			else if (expected == DEVICE_ROW_PASSED && t->program->grouped)
				refgroups_add_row(t->reference, regs, batches[b]->batch.ordinal + row);
		}
	free(regs);
	if (same && (sum->npassed != counts[DEVICE_ROW_PASSED] || sum->npunted != counts[DEVICE_ROW_PUNTED] || sum->nleft != 0))
	{
		diag("%u passed, %u punted, %u left, say the counts; statuses: %u and %u", sum->npassed, sum->npunted, sum->nleft,
			 counts[DEVICE_ROW_PASSED], counts[DEVICE_ROW_PUNTED]);
		same = false;
	}
	t->npassed += counts[DEVICE_ROW_PASSED];
	t->npunted += counts[DEVICE_ROW_PUNTED];
	return same;
}

/* ------------------------------------------------------------------------
 * The device's part
 * ------------------------------------------------------------------------
 */

static void
groups_clear(DeviceTrial *t, uint64_t capacity)
{
	uint64_t	limit = capacity > 1 ? capacity / 2 : 1;
	void	   *params[] = {&t->d_plan, &t->d_groups, &capacity, &limit};

	device_launch(device.clear, 3, 256, 0, params);
}

/* All groups come home, in pieces of at most 'room'; the table is empty then. */
static bool
groups_home(DeviceTrial *t, uint64_t capacity, uint64_t expected)
{
	uint32_t	room = 1 + rng_below(t->rng, rng_chance(t->rng, 50) ? 3 : 1000);
	size_t		size = sizeof(DeviceGather) + (size_t) room * t->plan->group_size;
	DeviceGather *gather = malloc(size);
	CUdeviceptr d_gather = device_new(size);
	void	   *params[] = {&t->d_plan, &t->d_groups, &d_gather};
	uint64_t	n = 0;
	ProgramValue keys[PROGRAM_MAX_KEYS + 1];
	EngineAggState aggs[PROGRAM_MAX_AGGS + 1];
	EngineGroup group = {.keys = keys,.aggs = aggs};
	bool		same = true;

	gather->cursor = 0;
	do
	{
		gather->room = room;
		gather->ngroups = UINT32_MAX;
		device_put(d_gather, gather, sizeof *gather);
		device_launch(device.gather, DEVICE_GATHER_BLOCKS, DEVICE_GATHER_THREADS, DEVICE_GATHER_SHARED, params);
		device_get(gather, d_gather, size);
		if (gather->ngroups > room || (gather->ngroups == 0 && gather->cursor < capacity))
		{
			diag("gathered %u groups, cursor %llu", gather->ngroups, (unsigned long long) gather->cursor);
			same = false;
			break;
		}
		for (uint32_t g = 0; g < gather->ngroups; g++)
		{
			gpuscan_device_group(t->plan, (char *) (gather + 1) + (size_t) g * t->plan->group_size, &group);
			merged_add(&t->merged, &group);
		}
		n += gather->ngroups;
	} while (gather->cursor < capacity);
	device_free(d_gather);
	free(gather);
	if (same && n != expected)
	{
		diag("%llu groups came home of %llu", (unsigned long long) n, (unsigned long long) expected);
		same = false;
	}
	t->ngathered++;
	groups_clear(t, capacity);
	return same;
}

/* A launch reads no byte of a page twice, and none but these pages. */
static bool
check_bytes_read(const DeviceJob *job)
{
	struct cuda_double_counters counters;

	if (!device.counters)
		return true;
	device.counters(&counters);
	if (counters.all.bytes_read_again == 0 && counters.all.bytes_read == (uint64_t) job->npages * job->blcksz)
		return true;
	diag("%llu bytes read, %llu of them again, of %u pages", (unsigned long long) counters.all.bytes_read,
		 (unsigned long long) counters.all.bytes_read_again, job->npages);
	return false;
}

static bool
run_job(DeviceTrial *t, const DeviceJob *job, uint64_t capacity, uint8_t *status, DeviceResult *sum)
{
	CUdeviceptr d_job = device_copy(job, job->size),
				d_status = device_new(job->nrows),
				d_result = device_new(sizeof(DeviceResult)),
				d_candidates = device_new((size_t) job->nrows * t->plan->candidates * sizeof(DeviceCandidate));
	uint32_t	again = 0,
				left = job->nrows;
	bool		same = true;

	CALL(MemsetD8Async, d_status, 0x77, job->nrows + !job->nrows, device.stream);
	memset(sum, 0, sizeof *sum);
	for (;;)
	{
		DeviceResult result = {.corrupt_row = UINT32_MAX};
		void	   *scan[] = {&t->d_plan, &d_job, &d_result, &d_status, &t->launch};
		void	   *aggregate[] = {&t->d_plan, &d_job, &d_result, &d_status, &t->d_groups, &d_candidates, &again, &t->launch};
		void	   *commit[] = {&t->d_plan, &t->d_groups, &d_job, &d_candidates};

		device_put(d_result, &result, sizeof result);
		/* a worker's lanes have an array each: nothing is left from the pass before */
		if (t->plan->candidates > 0)
			CALL(MemsetD8Async, d_candidates, 0x77,
				 (size_t) job->nrows * t->plan->candidates * sizeof(DeviceCandidate) + !job->nrows, device.stream);
		if (device.counters_reset)
			device.counters_reset();
		if (t->program->grouped)
			device_launch(device.aggregate, t->blocks, t->launch.threads, t->launch.shared, aggregate);
		else
			device_launch(device.scan, t->blocks, t->launch.threads, t->launch.shared, scan);
		if (t->program->grouped && t->plan->candidates > 0)
			device_launch(device.commit, 2, 256, 0, commit);
		device_get(&result, d_result, sizeof result);
		same = same && check_bytes_read(job);
		if (result.corrupt_row != UINT32_MAX)
		{
			diag("row %u said to be corrupt", result.corrupt_row);
			same = false;
		}
		sum->npassed += result.npassed;
		sum->npunted += result.npunted;
		sum->nleft = result.nleft;
		sum->ngroups = result.ngroups;
		/* the double runs one block after another: who saw room, took it */
		if (device.set && t->program->grouped && result.ngroups > (capacity > 1 ? capacity / 2 : 1) + t->launch.threads)
		{
			diag("%llu groups in a table of %llu places", (unsigned long long) result.ngroups, (unsigned long long) capacity);
			same = false;
		}
		if (!same || result.nleft == 0)
			break;
		if (result.nleft >= left && (again || t->launch.threads == 0))
		{
			diag("%u rows left of %u", result.nleft, left);
			same = false;
			break;
		}
		left = result.nleft;
		t->nleft += left;
		same = groups_home(t, capacity, result.ngroups);
		if (!same)
			break;
		again = 1;
	}
	device_get(status, d_status, job->nrows);
	device_free(d_job);
	device_free(d_status);
	device_free(d_result);
	device_free(d_candidates);
	return same;
}

/* Another way to run it than the usual one, now and then. */
static bool
choose_launch(DeviceTrial *t)
{
	DeviceLaunch other;

	t->blocks = 1 + rng_below(t->rng, 4);
	if (!gpuscan_device_launch(t->plan, t->table->blcksz, device.shared_limit, &t->launch))
		return false;
	if (t->launch.shared > device.shared_limit)
	{
		diag("launch of %u bytes of shared memory", t->launch.shared);
		return false;
	}
	other = t->launch;
	if (rng_chance(t->rng, 40))
		other.threads = 32u << rng_below(t->rng, 3);
	if (rng_chance(t->rng, 40))
		other.tile_pages = 1 + rng_below(t->rng, 5);
	if (rng_chance(t->rng, 60) && t->plan->nkeys > 0)
		other.local_groups = rng_chance(t->rng, 30) ? 0 : 1u << rng_below(t->rng, 5);
	other.shared = device_shared(t->plan, t->table->blcksz, other).size;
	if (other.shared <= device.shared_limit)
		t->launch = other;
	return true;
}

typedef enum DeviceOutcome
{
	DEVICE_SAME, DEVICE_DIFFERS, DEVICE_REFUSED
} DeviceOutcome;

static bool
run_jobs(DeviceTrial *t)
{
	uint64_t	capacity = 1;
	uint64_t	ngroups = 0;
	bool		same = true;

	if (t->program->grouped)
	{
		if (t->program->nkeys > 0)
			capacity = t->most_groups ? 2 * t->most_groups : UINT64_C(2) << rng_below(t->rng, 13);
		while (capacity & (capacity - 1))
			capacity &= capacity - 1;
		t->d_groups = device_new(DEVICE_GROUPS_BYTES(t->plan, capacity));
		groups_clear(t, capacity);
	}
	for (uint32_t b = 0; b < t->nbatches && same;)
	{
		uint32_t	n = 1 + rng_below(t->rng, 3);
		DeviceJob  *job;
		DeviceResult sum;
		uint8_t    *status;
		const char *wrong;

		n = n < t->nbatches - b ? n : t->nbatches - b;
		job = job_new((const Rows *const *) t->batches + b, n, t->table->blcksz, rng_chance(t->rng, 30));
		status = malloc(job->nrows + 1u);
		wrong = gpuscan_device_job_verify(job, job->size);
		if (wrong)
			diag("job refused: %s", wrong);
		same = !wrong && run_job(t, job, capacity, status, &sum) &&
			check_job(t, t->batches + b, n, status, &sum);
		if (same && t->program->grouped)
		{
			ngroups = sum.ngroups;
			if (rng_chance(t->rng, 20))
			{
				same = groups_home(t, capacity, ngroups);
				ngroups = 0;
			}
		}
		free(status);
		free(job);
		b += n;
	}
	if (t->program->grouped)
	{
		same = same && groups_home(t, capacity, ngroups) && merged_compare(&t->merged, t->reference);
		t->ngroups = t->reference->n;
		device_free(t->d_groups);
	}
	return same;
}

static DeviceOutcome
device_trial_run(DeviceTrial *t)
{
	char	   *block = malloc(DEVICE_PLAN_ROOM);
	const char *why = NULL;
	uint32_t	size = gpuscan_device_plan(t->program, t->params, block, DEVICE_PLAN_ROOM, &why);
	DeviceOutcome outcome = DEVICE_REFUSED;

	/* it takes the room that it says, and no more */
	t->plan = malloc(size + 1u);
	if (size > 0 && (gpuscan_device_plan(t->program, t->params, t->plan, size, &why) != size ||
					 gpuscan_device_plan(t->program, t->params, block, size - 8, &why) != 0))
	{
		diag("a plan of %u bytes does not fit in so many, or in less", size);
		outcome = DEVICE_DIFFERS;
	}
	else if (size > 0 && gpuscan_device_plan_verify(t->plan, size))
	{
		diag("plan refused: %s", gpuscan_device_plan_verify(t->plan, size));
		outcome = DEVICE_DIFFERS;
	}
	else if (size > 0 && choose_launch(t))
	{
		t->d_plan = device_copy(t->plan, size);
		t->reference = refgroups_new(t->program);
		merged_init(&t->merged, t->program);
		outcome = run_jobs(t) ? DEVICE_SAME : DEVICE_DIFFERS;
		merged_free(&t->merged);
		refgroups_free(t->reference);
		device_free(t->d_plan);
	}
	free(t->plan);
	free(block);
	return outcome;
}

#endif							/* DEVICE_TRIAL_H */
