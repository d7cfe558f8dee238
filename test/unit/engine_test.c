/*-------------------------------------------------------------------------
 *
 * engine_test.c
 *	  The CPU engine on every level of this machine against the reference:
 *	  rows, punted rows, groups and their states, exactly.
 *
 *-------------------------------------------------------------------------
 */
// link: src/engine/cpu/*.c src/program/verify.c src/program/program_tables.c
#include "describe.h"
#include "generate.h"
#include "groupcases.h"
#include "operators.h"
#include "trial.h"


/* Run it; say all of a failure. */
static bool
check(Trial *trial, const char *what, uint64_t seed)
{
	bool		same = trial_on_all_levels(trial);

	if (!same)
	{
		diag("%s, seed %llu", what, (unsigned long long) seed);
		describe_program(trial->program, trial->table);
	}
	return same;
}

/* ------------------------------------------------------------------------
 * Random programs over random tables
 * ------------------------------------------------------------------------
 */

static void
test_random(int rounds)
{
	static Generator gen;
	static Table table;
	static Trial trial;
	int			wrong = 0;
	uint64_t	nout = 0,
				npunted = 0,
				ngroups = 0;

	for (int round = 0; round < rounds && wrong < 5; round++)
	{
		Rng			rng = {(uint64_t) round};
		int			nbatches = rng_range(&rng, 1, 4);
		Program    *program;

		table_random(&rng, &table);
		program = gen_program(&gen, &rng, &table);
		trial_init(&trial, &rng, &table, program, gen.as.params);
		for (int b = 0; b < nbatches; b++)
		{
			/* what a column holds changes on the way: the engine adapts */
			if (b > 0 && rng_chance(&rng, 30))
				table.columns[rng_below(&rng, table.ncolumns)].profile = (uint8_t) rng_below(&rng, PROFILES);
			trial_add_batch(&trial, rng_chance(&rng, 20) ? BATCH_MAX_ROWS : rng_below(&rng, 200));
		}
		wrong += !check(&trial, "random program", (uint64_t) round);
		nout += trial.nout;
		npunted += trial.npunted;
		ngroups += trial.groups->n;
		trial_free(&trial);
		table_free(&table);
		free(program);
	}
	ok(wrong == 0, "%d random programs over random tables", rounds);
	ok(nout > (uint64_t) rounds * 50 && npunted > (uint64_t) rounds * 10 && ngroups > (uint64_t) rounds * 5,
	   "they have work to do: %llu rows, %llu punted, %llu groups", (unsigned long long) nout,
	   (unsigned long long) npunted, (unsigned long long) ngroups);
}

/* ------------------------------------------------------------------------
 * Every line of ops.def, with operands of every shape
 * ------------------------------------------------------------------------
 */

static bool
check_operator(uint16_t op, Shape shape_a, Shape shape_b, uint8_t profile, uint64_t *nout)
{
	static Generator gen;
	static Table table;
	static Trial trial;
	Rng			rng = {((uint64_t) op << 16) + shape_a * 64 + shape_b * 8 + profile};
	uint64_t	seed = rng.state;
	Program    *program;
	bool		same;

	operator_table(&rng, &table, op, profile);
	program = operator_program(&gen, &rng, &table, op, shape_a, shape_b, profile, false);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	trial_add_batch(&trial, 1 + rng_below(&rng, 150));
	trial_add_batch(&trial, 1 + rng_below(&rng, 150));
	same = check(&trial, "operator", seed);
	*nout += trial.nout;
	trial_free(&trial);
	table_free(&table);
	free(program);
	return same;
}

static void
test_operators(void)
{
	for (uint16_t op = GENERATE_LAST_STRUCTURAL + 1; op < PROGRAM_OPS; op++)
	{
		int			wrong = 0;
		uint64_t	nout = 0;

		for (int shape_a = 0; shape_a < SHAPES; shape_a++)
			for (int shape_b = 0; shape_b < (gpuscan_op_info[op].nargs > 1 ? SHAPES : 1); shape_b++)
				for (uint8_t profile = 0; profile < PROFILES && wrong < 3; profile++)
					wrong += !check_operator(op, (Shape) shape_a, (Shape) shape_b, profile, &nout);
		ok(wrong == 0 && nout > 500, "%s on columns, parameters and NULL (%llu rows)", gpuscan_op_info[op].name, (unsigned long long) nout);
	}
}

/* ------------------------------------------------------------------------
 * Numeric upon numeric: what one operator says of its result, the next believes
 * ------------------------------------------------------------------------
 */

/* SUM and GROUP BY (a op1 b) op2 c, columns of their own sizes and scales */
static bool
check_chain(uint16_t op1, uint16_t op2, uint64_t seed)
{
	static const uint8_t profiles[] = {PROFILE_BOUND, PROFILE_SMALL, PROFILE_EDGE};
	static Generator gen;
	static Table table;
	static Trial trial;
	const ProgramOpInfo *info1 = &gpuscan_op_info[op1];
	const ProgramOpInfo *info2 = &gpuscan_op_info[op2];
	Rng			rng = {seed};
	Program    *program;
	uint16_t	result,
				c,
				third;
	bool		same;

	memset(&table, 0, sizeof table);
	table.blcksz = 8192;
	for (int i = 0; i < 2; i++)
		table_add_column(&rng, &table, gen_key_type(&rng, info1->args[i < info1->nargs ? i : 0]), PROFILE_BOUND);
	table_add_column(&rng, &table, TYPE_NUMERIC, PROFILE_BOUND);
	for (uint32_t i = 0; i < table.ncolumns; i++)
	{
		if (rng_chance(&rng, 15))
			table.columns[i].profile = RNG_PICK(&rng, profiles);
		table.columns[i].null_percent = rng_chance(&rng, 20) ? 10 : 0;
	}

	gen_init(&gen, &rng, &table, 100);
	result = asm_load(&gen.as, 0);
	result = asm_compute(&gen.as, op1, info1->result, result,
						 info1->nargs < 2 ? 0 :
						 info1->args[1] == VALUE_NUMERIC ? asm_load(&gen.as, 1) : operand(&gen, SHAPE_UNIFORM, op1, 1, 0, PROFILE_SMALL), 0);
	if (info2->nargs > 1 && info2->args[1] != VALUE_NUMERIC)
		c = operand(&gen, SHAPE_UNIFORM, op2, 1, 0, PROFILE_SMALL);
	else
		c = rng_chance(&rng, 30) ? asm_uniform(&gen.as, random_value(&rng, &table.bytes, VALUE_NUMERIC, PROFILE_BOUND)) :
		rng_chance(&rng, 20) ? result : asm_load(&gen.as, 2);
	third = info2->nargs > 2 ? operand(&gen, SHAPE_UNIFORM, op2, 2, 0, PROFILE_SMALL) : 0;
	result = gen.as.regs[c].kind != VALUE_NUMERIC || rng_chance(&rng, 50) ? asm_compute(&gen.as, op2, info2->result, result, c, third) :
		asm_compute(&gen.as, op2, info2->result, c, result, third);
	asm_key(&gen.as, result, gen_key_type(&rng, info2->result));
	if (info2->result == VALUE_NUMERIC)
		asm_agg(&gen.as, AGG_SUM_NUMERIC, result, PROGRAM_NO_REG);
	program = asm_finish(&gen.as);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	trial_add_batch(&trial, 1 + rng_below(&rng, 40));
	same = check(&trial, "chain", seed);
	trial_free(&trial);
	table_free(&table);
	free(program);
	return same;
}

static void
test_chains(int rounds)
{
	int			wrong = 0,
				n = 0;

	for (uint16_t op1 = GENERATE_LAST_STRUCTURAL + 1; op1 < PROGRAM_OPS; op1++)
		for (uint16_t op2 = GENERATE_LAST_STRUCTURAL + 1; op2 < PROGRAM_OPS; op2++)
			if (gpuscan_op_info[op1].result == VALUE_NUMERIC && gpuscan_op_info[op2].args[0] == VALUE_NUMERIC)
				for (int round = 0; round < rounds && wrong < 3; round++, n++)
					wrong += !check_chain(op1, op2, ((uint64_t) op1 << 24) + (op2 << 12) + (uint64_t) round);
	ok(wrong == 0, "%d pairs of numeric operators around 64 bits", n);
}

/* ------------------------------------------------------------------------
 * Groups
 * ------------------------------------------------------------------------
 */

static void
test_groups(const GroupCase *cases, uint64_t seed)
{
	static Generator gen;
	static Table table;
	static Trial trial;
	Rng			rng = {seed};
	Program    *program;

	program = group_case(&gen, &rng, &table, cases);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	for (int b = 0; b < cases->nbatches; b++)
	{
		group_case_batch(&table, cases, b);
		trial_add_batch(&trial, cases->nrows);
	}
	ok(check(&trial, cases->name, seed) && trial.groups->n >= cases->least_groups,
	   "groups: %s (%u groups of %llu rows)", cases->name, trial.groups->n, (unsigned long long) trial.nout);
	trial_free(&trial);
	table_free(&table);
	free(program);
}

/* As many keys as there may be; among them a row of which the last one alone is NULL. */
static void
test_all_keys(void)
{
	static Generator gen;
	static Table table;
	static Trial trial;
	Rng			rng = {7};
	Program    *program;

	memset(&table, 0, sizeof table);
	table.blcksz = 8192;
	for (int k = 0; k < PROGRAM_MAX_KEYS; k++)
	{
		table_add_column(&rng, &table, TYPE_INT2, PROFILE_FEW);
		table.columns[k].null_percent = k == PROGRAM_MAX_KEYS - 1 ? 50 : k < 3 ? 5 : 0;
	}
	gen_init(&gen, &rng, &table, 100);
	for (uint16_t k = 0; k < PROGRAM_MAX_KEYS; k++)
		asm_key(&gen.as, asm_load(&gen.as, k), TYPE_INT2);
	asm_agg(&gen.as, AGG_COUNT_STAR, PROGRAM_NO_REG, PROGRAM_NO_REG);
	program = asm_finish(&gen.as);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	trial_add_batch(&trial, 500);
	trial_add_batch(&trial, 500);
	ok(check(&trial, "all keys", 7), "groups: %d keys", PROGRAM_MAX_KEYS);
	trial_free(&trial);
	table_free(&table);
	free(program);
}

/* ------------------------------------------------------------------------
 * Sums over several scales
 * ------------------------------------------------------------------------
 */

/* CASE WHEN ... THEN a ELSE constant or b, a alone, and FILTER; scales, NULLs and sizes change from batch to batch. */
static bool
check_scales(uint64_t seed, uint32_t *most_groups)
{
	static const uint8_t key_profiles[] = {PROFILE_FEW, PROFILE_FEW, PROFILE_SMALL};
	static const uint8_t profiles[] = {PROFILE_BOUND, PROFILE_BOUND, PROFILE_BOUND, PROFILE_SMALL, PROFILE_FEW, PROFILE_EDGE};
	static const int nulls[] = {0, 0, 0, 5, 50, 100};
	static Generator gen;
	static Table table;
	static Trial trial;
	Rng			rng = {seed};
	int			nbatches = rng_range(&rng, 2, 5);
	uint16_t	condition,
				a,
				b,
				zero;
	Program    *program;
	bool		same;

	memset(&table, 0, sizeof table);
	table.blcksz = 8192;
	table_add_column(&rng, &table, TYPE_BOOL, PROFILE_FEW);
	table_add_column(&rng, &table, TYPE_INT4, RNG_PICK(&rng, key_profiles));
	for (int i = 0; i < 2; i++)
		table_add_column(&rng, &table, TYPE_NUMERIC, PROFILE_BOUND);

	gen_init(&gen, &rng, &table, 100);
	condition = asm_load(&gen.as, 0);
	a = asm_load(&gen.as, 2);
	b = asm_load(&gen.as, 3);
	zero = asm_uniform(&gen.as, rng_chance(&rng, 60) ? ((ProgramValue) {.kind = VALUE_NUMERIC,.scale = rng_range(&rng, 0, 4)}) :
					   random_value(&rng, &table.bytes, VALUE_NUMERIC, RNG_PICK(&rng, profiles)));
	if (rng_chance(&rng, 75))
		asm_key(&gen.as, asm_load(&gen.as, 1), TYPE_INT4);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, asm_compute(&gen.as, OP_SELECT, VALUE_NUMERIC, condition, a, zero), PROGRAM_NO_REG);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, asm_compute(&gen.as, OP_SELECT, VALUE_NUMERIC, condition, a, b), PROGRAM_NO_REG);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, a, PROGRAM_NO_REG);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, b, condition);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, zero, condition);
	program = asm_finish(&gen.as);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	for (int batch = 0; batch < nbatches; batch++)
	{
		table.columns[0].null_percent = RNG_PICK(&rng, nulls);
		for (int i = 2; i < 4; i++)
		{
			Column	   *column = &table.columns[i];

			column->profile = RNG_PICK(&rng, profiles);
			column->null_percent = RNG_PICK(&rng, nulls);
			if (rng_chance(&rng, 50))
				column->scale = (int8_t) (rng_chance(&rng, 85) ? rng_range(&rng, 0, 8) : rng_range(&rng, 0, NUMERIC_SCALE_MAX));
			if (rng_chance(&rng, 50))
				column->bits = (uint8_t) rng_range(&rng, 4, 63);
		}
		trial_add_batch(&trial, rng_chance(&rng, 15) ? BATCH_MAX_ROWS : 1 + rng_below(&rng, 150));
	}
	same = check(&trial, "scales", seed);
	if (trial.groups->n > *most_groups)
		*most_groups = trial.groups->n;
	trial_free(&trial);
	table_free(&table);
	free(program);
	return same;
}

static void
test_scales(int rounds)
{
	uint32_t	most_groups = 0;
	int			wrong = 0;

	for (int round = 0; round < rounds && wrong < 3; round++)
		wrong += !check_scales(UINT64_C(0x5CA1E) + (uint64_t) round, &most_groups);
	ok(wrong == 0 && most_groups > 1000, "%d programs with sums over several scales (up to %u groups)", rounds, most_groups);
}

/*
 * Without an argument there is no scale: neither a batch of NULLs nor rows
 * that FILTER turns down leave one behind.
 */
static void
test_no_argument(void)
{
	static Generator gen;
	static Table table;
	static Trial trial;
	Rng			rng = {11};
	uint16_t	a;
	Program    *program;

	memset(&table, 0, sizeof table);
	table.blcksz = 8192;
	table_add_column(&rng, &table, TYPE_BOOL, PROFILE_FEW);
	table_add_column(&rng, &table, TYPE_NUMERIC, PROFILE_SMALL);
	table.columns[1].scale = 6;
	gen_init(&gen, &rng, &table, 100);
	a = asm_load(&gen.as, 1);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, a, PROGRAM_NO_REG);
	asm_agg(&gen.as, AGG_SUM_NUMERIC, a, asm_load(&gen.as, 0));
	program = asm_finish(&gen.as);
	trial_init(&trial, &rng, &table, program, gen.as.params);
	table.columns[0].null_percent = 100;
	table.columns[1].null_percent = 100;
	trial_add_batch(&trial, 100);
	table.columns[1].null_percent = 0;
	table.columns[1].scale = 4;
	trial_add_batch(&trial, 100);
	table.columns[0].null_percent = 0;
	table.columns[1].profile = PROFILE_BOUND;
	table.columns[1].bits = 20;
	table.columns[1].scale = 2;
	trial_add_batch(&trial, 100);
	ok(check(&trial, "no argument", 11), "sums whose first batch has no argument");
	trial_free(&trial);
	table_free(&table);
	free(program);
}

/* ------------------------------------------------------------------------ */

static void
test_levels(void)
{
	ok(!gpuscan_cpu_set_level("none such") && !gpuscan_cpu_set_level(""), "a level that is not there is refused");
	for (size_t i = 0; i < sizeof trial_levels / sizeof *trial_levels; i++)
	{
		if (gpuscan_cpu_set_level(trial_levels[i]))
			ok(strcmp(gpuscan_engine_cpu.variant(), trial_levels[i]) == 0, "level %s", trial_levels[i]);
		else
			printf("ok %d # SKIP this machine has no %s\n", ++tap_run, trial_levels[i]);
	}
	ok(gpuscan_cpu_set_level("auto"), "level auto: %s", gpuscan_engine_cpu.variant());
}

/* engine_test [ROUNDS]: more random programs than usual */
int
main(int argc, char **argv)
{
	test_levels();
	test_operators();
	test_chains(60);
	for (size_t i = 0; i < sizeof group_cases / sizeof *group_cases; i++)
		test_groups(&group_cases[i], i + 1);
	test_all_keys();
	test_scales(argc > 1 ? atoi(argv[1]) : 400);
	test_no_argument();
	test_random(argc > 1 ? atoi(argv[1]) : 600);
	return tap_done();
}
