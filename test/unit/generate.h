/*-------------------------------------------------------------------------
 *
 * generate.h
 *	  Random programs over a random table.
 *
 * Expressions come about as the planner makes them: a register computed under
 * a mask is used under that mask, and afterwards only through the SELECT, AND
 * or OR that the mask was opened for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_GENERATE_H
#define UNIT_GENERATE_H

#include "assemble.h"
#include "table.h"

#define GENERATE_LAST_STRUCTURAL	OP_SELECT

/* Who is to run the aggregates; a test of another engine defines it before. */
#ifndef GENERATE_ENGINE
#define GENERATE_ENGINE		ENGINE_CPU
#endif

typedef struct Generator
{
	Rng		   *rng;
	Table	   *table;
	Assembly	as;
	int			masks;			/* open ones */
	uint16_t	known[PROGRAM_MAX_REGS];	/* registers with a value here */
	uint32_t	nknown;
} Generator;

static uint16_t gen_expr(Generator *gen, uint8_t kind, int depth);

static uint16_t
gen_know(Generator *gen, uint16_t reg)
{
	return gen->known[gen->nknown++] = reg;
}

/* The table's columns, or most of them, as the program's attributes. */
static void
gen_init(Generator *gen, Rng *rng, Table *table, int load_percent)
{
	Assembly   *as = &gen->as;

	memset(gen, 0, sizeof *gen);
	gen->rng = rng;
	gen->table = table;
	for (uint32_t i = 0; i < table->ncolumns; i++)
	{
		Column	   *column = &table->columns[i];
		ProgramAttr *attr = &as->attrs[as->nattrs];

		as->layout[i] = column->layout;
		if (column->type == TABLE_FILLER || !rng_chance(rng, load_percent))
			continue;
		attr->attnum = (int16_t) (i + 1);
		attr->type = column->type;
		attr->scale = column->scale;
		attr->missing = column->missing.kind == VALUE_KINDS ? PROGRAM_NO_REG : asm_param(as, column->missing);
		as->nattrs++;
		as->nlayout = (uint16_t) (i + 1);
	}
}

/* A value that is there already, a parameter, or a column. */
static uint16_t
gen_leaf(Generator *gen, uint8_t kind)
{
	Rng		   *rng = gen->rng;
	ProgramValue value;

	for (int tries = 0; tries < 8; tries++)
	{
		if (rng_chance(rng, 50) && gen->nknown > 0)
		{
			uint16_t	reg = gen->known[rng_below(rng, gen->nknown)];

			if (gen->as.regs[reg].kind == kind)
				return reg;
		}
		else if (gen->as.nattrs > 0)
		{
			uint16_t	attr = (uint16_t) rng_below(rng, gen->as.nattrs);

			if (gpuscan_type_info[gen->as.attrs[attr].type].kind == kind)
				return gen_know(gen, asm_load_text(&gen->as, attr, rng_chance(rng, 30)));
		}
	}
	value = random_value(rng, &gen->table->bytes, kind, (uint8_t) rng_below(rng, PROFILES));
	if (rng_chance(rng, 8))
		value = value_null(kind);
	return gen_know(gen, asm_uniform(&gen->as, value));
}

/* An expression under a mask: what it computes is forgotten afterwards. */
static uint16_t
gen_masked(Generator *gen, uint16_t mask_op, uint16_t condition, uint8_t kind, int depth)
{
	uint32_t	nknown = gen->nknown;
	uint16_t	reg;

	if (gen->masks >= PROGRAM_MAX_MASKS)
		return gen_leaf(gen, kind);
	asm_do(&gen->as, mask_op, condition);
	gen->masks++;
	reg = gen_expr(gen, kind, depth);
	gen->masks--;
	asm_do(&gen->as, OP_MASK_END, PROGRAM_NO_REG);
	gen->nknown = nknown;
	return reg;
}

/* A line of ops.def */
static uint16_t
gen_operator(Generator *gen, uint16_t op, int depth)
{
	const ProgramOpInfo *info = &gpuscan_op_info[op];
	/* texts that are multiplied: most often by little, or a test is busy with nothing else */
	const bool	multiplies = op == OP_REPEAT || op == OP_LPAD_UTF8 || op == OP_RPAD_UTF8 || op == OP_LPAD_BYTES || op == OP_RPAD_BYTES;
	uint16_t	a = gen_expr(gen, info->args[0], depth);
	uint16_t	b = info->nargs < 2 ? 0 :
		multiplies && rng_chance(gen->rng, 98) ?
		asm_uniform(&gen->as, (ProgramValue) {.kind = VALUE_INT32,.u.integer = rng_range(gen->rng, -1, 12)}) :
		gen_expr(gen, info->args[1], depth);
	uint16_t	c = info->nargs > 2 ? gen_expr(gen, info->args[2], depth) : 0;

	return gen_know(gen, asm_compute(&gen->as, op, info->result, a, b, c));
}

static uint16_t
gen_bool(Generator *gen, int depth)
{
	Assembly   *as = &gen->as;
	Rng		   *rng = gen->rng;
	uint16_t	a,
				b;
	bool		is_and = rng_chance(rng, 50);

	switch (rng_below(rng, 4))
	{
		case 0:					/* computed for all */
			a = gen_expr(gen, VALUE_BOOL, depth);
			b = gen_expr(gen, VALUE_BOOL, depth);
			return asm_compute(as, is_and ? OP_AND : OP_OR, VALUE_BOOL, a, b, 0);
		case 1:					/* the right side only where the left one leaves it open */
			a = gen_expr(gen, VALUE_BOOL, depth);
			b = gen_masked(gen, is_and ? OP_MASK_NOT_FALSE : OP_MASK_NOT_TRUE, a, VALUE_BOOL, depth);
			return asm_compute(as, is_and ? OP_AND : OP_OR, VALUE_BOOL, a, b, 0);
		case 2:
			a = gen_expr(gen, (uint8_t) rng_below(rng, VALUE_KINDS), depth);
			return asm_compute(as, is_and ? OP_IS_NULL : OP_IS_NOT_NULL, VALUE_BOOL, a, 0, 0);
		default:
			a = gen_expr(gen, VALUE_BOOL, depth);
			return asm_compute(as, (uint16_t) (is_and ? OP_NOT : rng_range(rng, OP_IS_TRUE, OP_IS_UNKNOWN)), VALUE_BOOL, a, 0, 0);
	}
}

/* CASE, COALESCE, or a plain choice */
static uint16_t
gen_select(Generator *gen, uint8_t kind, int depth)
{
	Assembly   *as = &gen->as;
	uint16_t	condition,
				yes,
				no;

	switch (rng_below(gen->rng, 3))
	{
		case 0:
			condition = gen_expr(gen, VALUE_BOOL, depth);
			yes = gen_masked(gen, OP_MASK_TRUE, condition, kind, depth);
			no = gen_masked(gen, OP_MASK_NOT_TRUE, condition, kind, depth);
			break;
		case 1:
			yes = gen_expr(gen, kind, depth);
			no = gen_masked(gen, OP_MASK_NULL, yes, kind, depth);
			condition = asm_compute(as, OP_IS_NOT_NULL, VALUE_BOOL, yes, 0, 0);
			break;
		default:
			condition = gen_expr(gen, VALUE_BOOL, depth);
			yes = gen_expr(gen, kind, depth);
			no = gen_expr(gen, kind, depth);
			break;
	}
	return asm_compute(as, OP_SELECT, kind, condition, yes, no);
}

static uint16_t
gen_expr(Generator *gen, uint8_t kind, int depth)
{
	Rng		   *rng = gen->rng;
	uint16_t	op;

	if (depth <= 0 || gen->as.ninstrs > ASSEMBLE_INSTRS / 2 || gen->as.nparams > ASSEMBLE_PARAMS / 2 || rng_chance(rng, 20))
		return gen_leaf(gen, kind);
	depth--;
	if (rng_chance(rng, 20))
		return gen_know(gen, gen_select(gen, kind, depth));
	if (kind == VALUE_BOOL && rng_chance(rng, 40))
		return gen_know(gen, gen_bool(gen, depth));
	for (int tries = 0; tries < 40; tries++)
	{
		op = (uint16_t) rng_range(rng, GENERATE_LAST_STRUCTURAL + 1, PROGRAM_OPS - 1);
		if (gpuscan_op_info[op].result == kind && (gpuscan_op_info[op].engines & GENERATE_ENGINE))
			return gen_operator(gen, op, depth);
	}
	return gen_leaf(gen, kind);
}

/* A condition that many rows pass */
static void
gen_filter(Generator *gen)
{
	uint16_t	a = gen_expr(gen, VALUE_BOOL, 2);

	if (rng_chance(gen->rng, 60))
	{
		uint16_t	b = gen_expr(gen, VALUE_BOOL, 1);

		if (rng_chance(gen->rng, 50))
			b = asm_compute(&gen->as, OP_IS_NOT_NULL, VALUE_BOOL, gen_leaf(gen, (uint8_t) rng_below(gen->rng, VALUE_KINDS)), 0, 0);
		a = asm_compute(&gen->as, OP_OR, VALUE_BOOL, a, b, 0);
	}
	asm_do(&gen->as, OP_FILTER, a);
}

static uint8_t
gen_key_type(Rng *rng, uint8_t kind)
{
	for (;;)
	{
		uint8_t		type = (uint8_t) rng_below(rng, PROGRAM_TYPES);

		if (type != TYPE_OPAQUE && gpuscan_type_info[type].kind == kind)
			return type;
	}
}

static void
gen_aggregate(Generator *gen, uint8_t kind, int depth)
{
	Rng		   *rng = gen->rng;
	uint8_t		arg_kind = gpuscan_agg_info[kind].arg;
	uint16_t	filter = rng_chance(rng, 25) ? gen_expr(gen, VALUE_BOOL, depth) : PROGRAM_NO_REG;
	uint16_t	arg = PROGRAM_NO_REG;

	if (arg_kind == VALUE_KINDS)
		arg_kind = (uint8_t) rng_below(rng, VALUE_KINDS);
	if (kind != AGG_COUNT_STAR)
		arg = gen_expr(gen, arg_kind, depth);
	asm_agg(&gen->as, kind, arg, filter);
}

/* Everything: computed values, filters among them, and a sink. */
static Program *
gen_program(Generator *gen, Rng *rng, Table *table)
{
	int			nfilters = rng_range(rng, 0, 3);

	gen_init(gen, rng, table, 80);
	for (int i = 0; i < nfilters; i++)
	{
		if (rng_chance(rng, 40))
			gen_expr(gen, (uint8_t) rng_below(rng, VALUE_KINDS), 3);
		gen_filter(gen);
	}
	if (rng_chance(rng, 20))
		gen_expr(gen, (uint8_t) rng_below(rng, VALUE_KINDS), 3);
	if (rng_chance(rng, 80))
	{
		int			nkeys = rng_chance(rng, 20) ? 0 : rng_chance(rng, 90) ? rng_range(rng, 1, 4) : rng_range(rng, 5, PROGRAM_MAX_KEYS);
		int			naggs = rng_range(rng, 0, 6);

		gen->as.grouped = true;
		for (int i = 0; i < nkeys; i++)
		{
			uint8_t		kind = (uint8_t) rng_below(rng, VALUE_KINDS);

			asm_key(&gen->as, gen_expr(gen, kind, 1), gen_key_type(rng, kind));
		}
		for (int i = 0; i < naggs; i++)
		{
			uint8_t		kind;

			do
				kind = (uint8_t) rng_below(rng, PROGRAM_AGG_KINDS);
			while (!(gpuscan_agg_info[kind].engines & GENERATE_ENGINE));
			gen_aggregate(gen, kind, 2);
		}
	}
	return asm_finish(&gen->as);
}

#endif							/* UNIT_GENERATE_H */
