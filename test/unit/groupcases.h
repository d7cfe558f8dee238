/*-------------------------------------------------------------------------
 *
 * groupcases.h
 *	  Keys and arguments that a table of groups has to cope with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_GROUPCASES_H
#define UNIT_GROUPCASES_H

#include "generate.h"

typedef struct GroupCase
{
	const char *name;
	int			nkeys;
	uint8_t		key_types[PROGRAM_MAX_KEYS];
	uint8_t		key_profile;
	uint8_t		arg_profile;	/* of the arguments: one column of each kind of number */
	uint8_t		arg_profile_later;	/* from the second half of the batches on */
	int			nulls;			/* percent, in every column */
	int			nbatches;
	uint32_t	nrows;			/* a batch */
	uint32_t	least_groups;	/* or the test has not tested what it says */
} GroupCase;

/* Columns that are arguments: one of each kind of value, and one of intervals, which lie as texts do */
#define GROUP_ARG_INTERVAL	VALUE_KINDS
#define GROUP_ARGS			(VALUE_KINDS + 1)

static const GroupCase group_cases[] = {
	{"no keys", 0, {0}, 0, PROFILE_EDGE, PROFILE_EDGE, 10, 4, 600, 1},
	{"one group, sums beyond 128 bits", 1, {TYPE_BOOL}, PROFILE_FEW, PROFILE_EDGE, PROFILE_EDGE, 0, 8, 2048, 2},
	{"64-bit sums, then wide ones", 1, {TYPE_INT4}, PROFILE_FEW, PROFILE_SMALL, PROFILE_EDGE, 0, 8, 600, 8},
	{"64-bit sums around their limit", 1, {TYPE_BOOL}, PROFILE_FEW, PROFILE_BOUND, PROFILE_BOUND, 5, 20, 2048, 2},
	{"arguments that come late", 1, {TYPE_INT4}, PROFILE_FEW, PROFILE_SMALL, PROFILE_EDGE, 90, 6, 100, 8},
	{"char(1) pairs", 2, {TYPE_BPCHAR, TYPE_BPCHAR}, PROFILE_FEW, PROFILE_SMALL, PROFILE_SMALL, 5, 4, 1000, 65},
	{"texts of 6 to 9 bytes", 1, {TYPE_TEXT}, PROFILE_EDGE, PROFILE_SMALL, PROFILE_SMALL, 5, 4, 1000, 100},
	{"long texts", 1, {TYPE_VARCHAR}, PROFILE_WILD, PROFILE_SMALL, PROFILE_SMALL, 5, 3, 500, 700},
	{"growing integers: a dense map that grows", 1, {TYPE_INT4}, PROFILE_ASCENDING, PROFILE_SMALL, PROFILE_SMALL, 1, 40, 2048, 20000},
	{"scattered integers: a dense map given up", 1, {TYPE_INT8}, PROFILE_EDGE, PROFILE_SMALL, PROFILE_SMALL, 1, 4, 1000, 64},
	{"more than 65536 groups", 2, {TYPE_INT4, TYPE_INT4}, PROFILE_SMALL, PROFILE_SMALL, PROFILE_SMALL, 0, 38, 2048, 65537},
	{"numerics of equal value and unlike scale", 1, {TYPE_NUMERIC}, PROFILE_FEW, PROFILE_FEW, PROFILE_EDGE, 5, 6, 500, 8},
	{"numerics of any size", 1, {TYPE_NUMERIC}, PROFILE_EDGE, PROFILE_SMALL, PROFILE_SMALL, 5, 4, 500, 500},
	{"numerics that punt", 2, {TYPE_NUMERIC, TYPE_TEXT}, PROFILE_WILD, PROFILE_WILD, PROFILE_SMALL, 5, 4, 500, 500},
	{"reals that are equal and look different", 1, {TYPE_FLOAT4}, PROFILE_FEW, PROFILE_SMALL, PROFILE_EDGE, 5, 6, 500, 8},
	{"doubles of any size", 2, {TYPE_FLOAT8, TYPE_FLOAT4}, PROFILE_WILD, PROFILE_SMALL, PROFILE_SMALL, 5, 4, 500, 500},
	{"eight wide keys", 8, {TYPE_INT8, TYPE_TEXT, TYPE_NUMERIC, TYPE_DATE, TYPE_BOOL, TYPE_INT2, TYPE_TIMESTAMP, TYPE_BPCHAR},
	PROFILE_EDGE, PROFILE_EDGE, PROFILE_EDGE, 10, 3, 200, 400},
};

static void
group_program(Generator *gen, const GroupCase *cases)
{
	Assembly   *as = &gen->as;
	uint16_t	args[GROUP_ARGS];
	uint16_t	filter;

	for (int k = 0; k < cases->nkeys; k++)
		asm_key(as, asm_load(as, (uint16_t) k), cases->key_types[k]);
	for (uint16_t a = 0; a < GROUP_ARGS; a++)
		args[a] = asm_load(as, (uint16_t) (cases->nkeys + a));
	filter = args[VALUE_BOOL];
	for (uint8_t kind = 0; kind < PROGRAM_AGG_KINDS; kind++)
	{
		uint8_t		arg = strstr(gpuscan_agg_info[kind].name, "INTERVAL") ? GROUP_ARG_INTERVAL :
			gpuscan_agg_info[kind].arg == VALUE_KINDS ? VALUE_TEXT : gpuscan_agg_info[kind].arg;

		if (!(gpuscan_agg_info[kind].engines & GENERATE_ENGINE))
			continue;
		asm_agg(as, kind, kind == AGG_COUNT_STAR ? PROGRAM_NO_REG : args[arg], PROGRAM_NO_REG);
		asm_agg(as, kind, kind == AGG_COUNT_STAR ? PROGRAM_NO_REG : args[arg], filter);
	}
}

/* The table and the program of a case. */
static Program *
group_case(Generator *gen, Rng *rng, Table *table, const GroupCase *cases)
{
	static const uint8_t arg_types[GROUP_ARGS] = {TYPE_BOOL, TYPE_INT4, TYPE_INT8, TYPE_NUMERIC, TYPE_TEXT, TYPE_FLOAT8, TYPE_INTERVAL};

	memset(table, 0, sizeof *table);
	table->blcksz = 8192;
	for (int k = 0; k < cases->nkeys; k++)
		table_add_column(rng, table, cases->key_types[k], cases->key_profile);
	for (int a = 0; a < GROUP_ARGS; a++)
		table_add_column(rng, table, arg_types[a], cases->arg_profile);
	for (uint32_t i = 0; i < table->ncolumns; i++)
	{
		table->columns[i].null_percent = cases->nulls;
		table->columns[i].scale = -1;
	}
	table->columns[cases->nkeys + VALUE_TEXT].profile = PROFILE_FEW;
	gen_init(gen, rng, table, 100);
	group_program(gen, cases);
	return asm_finish(&gen->as);
}

/* What columns hold from batch number b on. */
static void
group_case_batch(Table *table, const GroupCase *cases, int b)
{
	if (b == cases->nbatches / 2)
		for (int a = 0; a < VALUE_KINDS; a++)
			if (a != VALUE_TEXT)
				table->columns[cases->nkeys + a].profile = cases->arg_profile_later;
	for (uint32_t i = 0; i < table->ncolumns; i++)
		table->columns[i].bits = (uint8_t) (45 + b % 19);
}

#endif							/* UNIT_GROUPCASES_H */
