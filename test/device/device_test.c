/*-------------------------------------------------------------------------
 *
 * device_test.c
 *	  The kernels against the reference: what became of every row, groups and
 *	  their states, exactly.
 *
 * On the CUDA double every trial runs under another schedule: threads in
 * ascending, descending or random order, with turns taken at atomics, and
 * streams that do their work at once or as late as they may.
 *
 *-------------------------------------------------------------------------
 */
// link: src/engine/cuda/plan.c src/engine/cuda/plan_groups.c src/engine/cuda/plan_verify.c src/engine/cuda/driver.c src/program/verify.c src/program/program_tables.c
#include "describe.h"
#include "device_trial.h"

/* Totals of a test */
typedef struct Tally
{
	uint32_t	same;
	uint32_t	refused;
	uint32_t	wrong;
	uint64_t	npassed;
	uint64_t	npunted;
	uint64_t	npunted_more;
	uint64_t	nleft;
	uint64_t	ngathered;
	uint64_t	ngroups;
} Tally;

static void
set_schedule(uint64_t seed)
{
	static const char *const schedules[] = {"forward", "reverse", "random"};
	static const char *const streams[] = {"eager", "deferred"};
	char		settings[100];

	if (!device.set)
		return;
	snprintf(settings, sizeof settings, "schedule=%s,streams=%s,seed=%llu,yield=%d", schedules[seed % 3],
			 streams[seed / 3 % 2], (unsigned long long) seed, seed % 3 == 2 ? 3 : 64);
	if (device.set(settings) != 0)
		diag("the double does not know %s", settings);
}

/* Run it; say all of a failure. */
static void
check(DeviceTrial *trial, const char *what, uint64_t seed, Tally *tally)
{
	DeviceOutcome outcome;

	set_schedule(seed);
	outcome = device_trial_run(trial);
	tally->same += outcome == DEVICE_SAME;
	tally->refused += outcome == DEVICE_REFUSED;
	tally->npassed += trial->npassed;
	tally->npunted += trial->npunted;
	tally->npunted_more += trial->npunted_more;
	tally->nleft += trial->nleft;
	tally->ngathered += trial->ngathered;
	tally->ngroups += trial->ngroups;
	if (outcome == DEVICE_DIFFERS && tally->wrong++ < 5)
	{
		diag("%s, seed %llu: %u threads, %u pages, %u groups a block, %u blocks", what, (unsigned long long) seed,
			 trial->launch.threads, trial->launch.tile_pages, trial->launch.local_groups, trial->blocks);
		describe_program(trial->program, trial->table);
	}
}

static void
tally_diag(const Tally *tally)
{
	diag("%u run, %u refused; rows: %llu passed, %llu punted (%llu by the device alone), %llu run again; "
		 "%llu groups, brought home %llu times", tally->same, tally->refused, (unsigned long long) tally->npassed,
		 (unsigned long long) tally->npunted, (unsigned long long) tally->npunted_more,
		 (unsigned long long) tally->nleft, (unsigned long long) tally->ngroups, (unsigned long long) tally->ngathered);
}

/* ------------------------------------------------------------------------
 * Random programs over random tables
 * ------------------------------------------------------------------------
 */

static void
random_trial(uint64_t seed, Tally *tally)
{
	static Generator gen;
	static Table table;
	static DeviceTrial trial;
	Rng			rng = {seed};
	int			nbatches = rng_range(&rng, 1, 6);
	Program    *program;

	table_random(&rng, &table);
	program = gen_program(&gen, &rng, &table);
	device_trial_init(&trial, &rng, &table, program, gen.as.params);
	for (int b = 0; b < nbatches; b++)
		device_trial_add(&trial, rng_chance(&rng, 10) ? 1000 : rng_below(&rng, 150));
	check(&trial, "random program", seed, tally);
	device_trial_free(&trial);
	table_free(&table);
	free(program);
}

static void
test_random(uint64_t rounds)
{
	Tally		tally = {0};

	for (uint64_t seed = 1; seed <= rounds && tally.wrong < 5; seed++)
		random_trial(seed, &tally);
	ok(tally.wrong == 0 && tally.same > rounds / 2, "%llu random programs over random tables", (unsigned long long) rounds);
	tally_diag(&tally);
}

/* device_test [ROUNDS [SEED]]: more random programs, or one of them */
int
main(int argc, char **argv)
{
	uint64_t	rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;

	device_open();
	if (argc > 2)
	{
		Tally		tally = {0};

		random_trial(strtoull(argv[2], NULL, 10), &tally);
		tally_diag(&tally);
		return tally.wrong > 0;
	}
	test_random(rounds);
	device_close();
	return tap_done();
}
