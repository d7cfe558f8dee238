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
#define GENERATE_ENGINE		ENGINE_CUDA

#include "describe.h"
#include "device_trial.h"
#include "groupcases.h"
#include "operators.h"

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

/* ------------------------------------------------------------------------
 * Every line of ops.def, with operands of every shape
 * ------------------------------------------------------------------------
 */

static void
operator_trial(uint16_t op, Shape shape_a, Shape shape_b, uint8_t profile, bool values, Tally *tally)
{
	static Generator gen;
	static Table table;
	static DeviceTrial trial;
	Rng			rng = {((uint64_t) op << 16) + shape_a * 128 + shape_b * 16 + profile * 2 + values};
	uint64_t	seed = rng.state;
	Program    *program;

	operator_table(&rng, &table, op, profile);
	program = operator_program(&gen, &rng, &table, op, shape_a, shape_b, profile, values);
	device_trial_init(&trial, &rng, &table, program, gen.as.params);
	device_trial_add(&trial, 1 + rng_below(&rng, 100));
	device_trial_add(&trial, 1 + rng_below(&rng, 100));
	check(&trial, "operator", seed, tally);
	device_trial_free(&trial);
	table_free(&table);
	free(program);
}

static void
test_operators(void)
{
	for (uint16_t op = GENERATE_LAST_STRUCTURAL + 1; op < PROGRAM_OPS; op++)
	{
		const uint8_t result = gpuscan_op_info[op].result;
		/* least and greatest are of numbers alone (operator_program) */
		const int	sinks = operator_has_values(result) ? 2 : 1;
		Tally		tally = {0};

		if (!(gpuscan_op_info[op].engines & ENGINE_CUDA))
			continue;
		for (int shape_a = 0; shape_a < SHAPES; shape_a++)
			for (int shape_b = 0; shape_b < (gpuscan_op_info[op].nargs > 1 ? SHAPES : 1); shape_b++)
				for (uint8_t profile = 0; profile < PROFILES && tally.wrong < 3; profile++)
					for (int values = 0; values < sinks; values++)
						operator_trial(op, (Shape) shape_a, (Shape) shape_b, profile, values, &tally);
		ok(tally.wrong == 0 && tally.refused == 0 && tally.npassed > 500, "%s on columns, parameters and NULL (%llu rows)",
		   gpuscan_op_info[op].name, (unsigned long long) tally.npassed);
	}
}

/* ------------------------------------------------------------------------
 * Masks within masks: a failure counts where all of them let the row through
 * ------------------------------------------------------------------------
 */

/* CASE WHEN c1 THEN (CASE WHEN c2 THEN ... a + b ... END) + b END, and the like with ELSE */
static Program *
masks_program(Generator *gen, Rng *rng, Table *table, uint32_t depth)
{
	Assembly   *as = &gen->as;
	uint16_t	condition[PROGRAM_MAX_MASKS];
	bool		otherwise[PROGRAM_MAX_MASKS];
	uint16_t	null,
				b,
				result;

	gen_init(gen, rng, table, 100);
	null = asm_uniform(as, value_null(VALUE_INT32));
	result = asm_load(as, 3);
	b = asm_load(as, 4);
	for (uint32_t i = 0; i < depth; i++)
	{
		condition[i] = asm_load(as, (uint16_t) (i % 3));
		otherwise[i] = i < 3 ? rng_chance(rng, 50) : otherwise[i - 3];
		asm_do(as, otherwise[i] ? OP_MASK_NOT_TRUE : OP_MASK_TRUE, condition[i]);
	}
	for (uint32_t i = depth; i-- > 0;)
	{
		result = asm_compute(as, OP_ADD_INT32, VALUE_INT32, result, b, 0);
		asm_do(as, OP_MASK_END, PROGRAM_NO_REG);
		result = otherwise[i] ? asm_compute(as, OP_SELECT, VALUE_INT32, condition[i], null, result) :
			asm_compute(as, OP_SELECT, VALUE_INT32, condition[i], result, null);
	}
	asm_key(as, result, TYPE_INT4);
	asm_agg(as, AGG_COUNT_STAR, PROGRAM_NO_REG, PROGRAM_NO_REG);
	return asm_finish(as);
}

static void
test_masks(void)
{
	static Generator gen;
	static Table table;
	static DeviceTrial trial;
	Tally		tally = {0};

	for (uint32_t depth = 1; depth <= PROGRAM_MAX_MASKS; depth++)
	{
		Rng			rng = {depth};
		Program    *program;

		memset(&table, 0, sizeof table);
		table.blcksz = 8192;
		for (int i = 0; i < 3; i++)
		{
			table_add_column(&rng, &table, TYPE_BOOL, PROFILE_FEW);
			table.columns[i].null_percent = 10;
		}
		table_add_column(&rng, &table, TYPE_INT4, PROFILE_EDGE);
		table_add_column(&rng, &table, TYPE_INT4, PROFILE_EDGE);
		program = masks_program(&gen, &rng, &table, depth);
		device_trial_init(&trial, &rng, &table, program, gen.as.params);
		device_trial_add(&trial, 400);
		check(&trial, "masks", depth, &tally);
		device_trial_free(&trial);
		table_free(&table);
		free(program);
	}
	ok(tally.wrong == 0 && tally.refused == 0 && tally.npassed > 1000 && tally.npunted > 1000, "masks up to %d deep",
	   PROGRAM_MAX_MASKS);
	tally_diag(&tally);
}

/* ------------------------------------------------------------------------
 * Groups
 * ------------------------------------------------------------------------
 */

#define GROUP_BATCHES	8

/* most_groups: how many a table takes before it has to be brought home */
static void
groups_trial(const GroupCase *cases, uint64_t seed, uint64_t most_groups, Tally *tally)
{
	static Generator gen;
	static Table table;
	static DeviceTrial trial;
	Rng			rng = {seed};
	int			nbatches = cases->nbatches < GROUP_BATCHES ? cases->nbatches : GROUP_BATCHES;
	Program    *program = group_case(&gen, &rng, &table, cases);

	device_trial_init(&trial, &rng, &table, program, gen.as.params);
	trial.most_groups = most_groups;
	for (int b = 0; b < nbatches; b++)
	{
		/* the changes on the way come at their time also when there are fewer batches */
		group_case_batch(&table, cases, b * cases->nbatches / nbatches);
		device_trial_add(&trial, cases->nrows);
	}
	check(&trial, cases->name, seed, tally);
	device_trial_free(&trial);
	table_free(&table);
	free(program);
}

/* small: no large tables, which take long when keys hash to few values */
static void
test_groups(bool small)
{
	for (size_t i = 0; i < sizeof group_cases / sizeof *group_cases; i++)
	{
		const GroupCase *cases = &group_cases[i];
		Tally		tally = {0};

		for (uint64_t seed = small; seed < 4; seed++)
			groups_trial(cases, 4 * i + seed, seed == 0 ? 1 << 17 : 16 << 2 * seed, &tally);
		ok(tally.wrong == 0 && tally.refused == 0, "groups: %s", cases->name);
		tally_diag(&tally);
	}
}

/* device_test [ROUNDS [SEED]]: more random programs, or one of them; device_test groups: these alone */
int
main(int argc, char **argv)
{
	uint64_t	rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;

	device_open();
	if (argc > 1 && strcmp(argv[1], "groups") == 0)
	{
		test_masks();
		test_groups(true);
		test_random(100);
		device_close();
		return tap_done();
	}
	if (argc > 2)
	{
		Tally		tally = {0};

		random_trial(strtoull(argv[2], NULL, 10), &tally);
		tally_diag(&tally);
		return tally.wrong > 0;
	}
	test_operators();
	test_masks();
	test_groups(false);
	test_random(rounds);
	device_close();
	return tap_done();
}
