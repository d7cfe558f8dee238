/*-------------------------------------------------------------------------
 *
 * operators.h
 *	  A program for each line of ops.def, with operands of every shape.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_OPERATORS_H
#define UNIT_OPERATORS_H

#include "generate.h"

typedef enum Shape
{
	SHAPE_COLUMN,
	SHAPE_UNIFORM,
	SHAPE_NULL,					/* a uniform NULL */
	SHAPE_CHOSEN,				/* a column and a parameter by turns: numerics of mixed form */
	SHAPES
} Shape;

static uint16_t
operand(Generator *gen, Shape shape, uint8_t kind, uint16_t attr, uint16_t condition, uint8_t profile)
{
	Assembly   *as = &gen->as;
	ProgramValue value = random_value(gen->rng, &gen->table->bytes, kind, profile);

	switch (shape)
	{
		case SHAPE_COLUMN:
			return asm_load_text(as, attr, rng_chance(gen->rng, 50));
		case SHAPE_UNIFORM:
			return asm_uniform(as, value);
		case SHAPE_NULL:
			return asm_uniform(as, value_null(kind));
		default:
			return asm_compute(as, OP_SELECT, kind, condition, asm_load(as, attr), asm_uniform(as, value));
	}
}

/*
 * GROUP BY a op b, and the same under a mask; or, where the result is a number
 * and 'values' is asked for, its least and greatest by column 4, which hold any
 * number that a key cannot.  Columns 1 to 3 are the condition and the operands.
 */
static Program *
operator_program(Generator *gen, Rng *rng, Table *table, uint16_t op, Shape shape_a, Shape shape_b, uint8_t profile,
				 bool values)
{
	const ProgramOpInfo *info = &gpuscan_op_info[op];
	Assembly   *as = &gen->as;
	uint16_t	condition,
				a,
				b = 0,
				c = 0,
				result;

	gen_init(gen, rng, table, 100);
	condition = asm_load(as, 0);
	a = operand(gen, shape_a, info->args[0], 1, condition, profile);
	if (info->nargs > 1)
		b = operand(gen, shape_b, info->args[1], 2, condition, profile);
	if (info->nargs > 2)
		c = operand(gen, info->args[2] == info->args[1] ? (Shape) rng_below(rng, SHAPES) : SHAPE_UNIFORM, info->args[2], 2, condition, PROFILE_FEW);
	if (rng_chance(rng, 50))
		result = asm_compute(as, op, info->result, a, b, c);
	else
	{
		asm_do(as, OP_MASK_TRUE, condition);
		result = asm_compute(as, op, info->result, a, b, c);
		asm_do(as, OP_MASK_END, PROGRAM_NO_REG);
		result = asm_compute(as, OP_SELECT, info->result, condition, result, asm_uniform(as, value_null(info->result)));
	}
	if (values && info->result != VALUE_BOOL && info->result != VALUE_TEXT)
	{
		static const uint8_t least[VALUE_KINDS] = {0, AGG_MIN_INT32, AGG_MIN_INT64, AGG_MIN_NUMERIC, 0};
		static const uint8_t greatest[VALUE_KINDS] = {0, AGG_MAX_INT32, AGG_MAX_INT64, AGG_MAX_NUMERIC, 0};

		asm_key(as, asm_load(as, 3), TYPE_INT4);
		asm_agg(as, least[info->result], result, PROGRAM_NO_REG);
		asm_agg(as, greatest[info->result], result, PROGRAM_NO_REG);
	}
	else
		asm_key(as, result, gen_key_type(rng, info->result));
	asm_agg(as, AGG_COUNT_STAR, PROGRAM_NO_REG, PROGRAM_NO_REG);
	return asm_finish(as);
}

/* Columns for it: the condition, the operands, and one that grows. */
static void
operator_table(Rng *rng, Table *table, uint16_t op, uint8_t profile)
{
	const ProgramOpInfo *info = &gpuscan_op_info[op];

	memset(table, 0, sizeof *table);
	table->blcksz = 8192;
	table_add_column(rng, table, TYPE_BOOL, PROFILE_FEW);
	table_add_column(rng, table, gen_key_type(rng, info->args[0]), profile);
	table_add_column(rng, table, gen_key_type(rng, info->nargs > 1 ? info->args[1] : info->args[0]), profile);
	table_add_column(rng, table, TYPE_INT4, PROFILE_ASCENDING);
	table_vary(rng, table);
}

#endif							/* UNIT_OPERATORS_H */
