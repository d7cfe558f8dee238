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
#include "program/datetime.h"

typedef enum Shape
{
	SHAPE_COLUMN,
	SHAPE_UNIFORM,
	SHAPE_NULL,					/* a uniform NULL */
	SHAPE_CHOSEN,				/* a column and a parameter by turns: numerics of mixed form */
	SHAPES
} Shape;

/* A zone of 200 spans over all of time, a few of them out of order or absurd */
static ProgramValue
zone_value(Rng *rng)
{
	static ZoneSpan spans[200];
	ProgramValue value = value_null(VALUE_TEXT);
	int64_t		from = TIMESTAMP_FIRST_VALID;

	for (int i = 0; i < 200; i++)
	{
		spans[i].from = rng_chance(rng, 1) ? (int64_t) rng_next(rng) : from;
		spans[i].offset = rng_chance(rng, 1) ? (int64_t) rng_next(rng) : rng_range(rng, -50000, 50000) * INT64_C(1000000);
		from += rng_below(rng, 1 << 19) * INT64_C(100000000000);
	}
	value.null = 0;
	value.u.ptr = (const char *) spans;
	value.len = (uint32_t) (sizeof spans - rng_below(rng, 40));
	return value;
}

/*
 * An argument of which few values mean anything to the operator: most often
 * one of those.
 */
static void
choose_meaningful(Rng *rng, uint16_t op, int arg, ProgramValue *value)
{
	int			low,
				high;

	switch (op)
	{
		case OP_DATE_FIELD:
		case OP_TIMESTAMP_FIELD:
		case OP_TIMESTAMP_TRUNC:
			if (arg != 0)
				return;
			low = 0;
			high = DATETIME_FIELDS - 1;
			break;
		case OP_TIMESTAMP_PLUS_MONTHS:
			if (arg != 1)
				return;
			low = -3000;
			high = 3000;
			break;
		case OP_TIMESTAMP_BIN:
			if (arg != 0)
				return;
			low = -2;
			high = 100000;
			break;
		case OP_TIME_FIELD:
			if (arg != 0)
				return;
			low = 0;
			high = DATETIME_FIELDS - 1;
			break;
		case OP_MAKE_DATE:
			low = arg == 0 ? -4714 : 0;
			high = arg == 0 ? 5874898 : arg == 1 ? 13 : 32;
			break;
		case OP_SCALED_NUMERIC:
			if (arg != 1)
				return;
			low = 0;
			high = NUMERIC_SCALE_MAX;
			break;
		case OP_REPEAT:
		case OP_LPAD_UTF8:
		case OP_RPAD_UTF8:
		case OP_LPAD_BYTES:
		case OP_RPAD_BYTES:
		case OP_VARCHAR_UTF8:
		case OP_VARCHAR_BYTES:
		case OP_BPCHAR_UTF8:
		case OP_BPCHAR_BYTES:
			if (arg != 1)
				return;
			low = -1;
			high = 20;
			break;
		case OP_SPLIT_PART:
		case OP_SPLIT_PART_BYTES:
			if (arg != 2)
				return;
			low = -4;
			high = 4;
			break;
		case OP_CHR_UTF8:
			low = -1;
			high = 0x110000;
			break;
		case OP_CHR_BYTES:
			low = -1;
			high = 256;
			break;
		case OP_ROUND_NUMERIC:
		case OP_TRUNC_NUMERIC:
			if (arg != 1)
				return;
			low = -42;
			high = NUMERIC_SCALE_MAX + 1;
			break;
		case OP_DATE_OUT:
			if (arg == 1 && !value->null && rng_chance(rng, 80))
			{
				value->u.ptr = "ISO, MDY";
				value->len = 8;
			}
			return;
		case OP_TO_CHAR:
			if (arg == 1 && !value->null && rng_chance(rng, 80))
			{
				static const char *const patterns[] = {
					"%Y-%m-%d", "%Y%m", "%H:%M:%S.%L %f", "%G-W%V-%u", "%j %w %q %W%%", "%I %p%P", "%b %^b%!b", "%B|%^B|%!B", "%a%^A%!A|", "%Q", "%", "x%^"
				};

				value->u.ptr = patterns[rng_below(rng, sizeof patterns / sizeof patterns[0])];
				value->len = (uint32_t) strlen(value->u.ptr);
			}
			return;
		case OP_TIMESTAMP_OUT:
		case OP_TIMESTAMPTZ_OUT:
			if (value->kind == VALUE_TEXT && !value->null && rng_chance(rng, 80))
			{
				value->u.ptr = "ISO, DMY";
				value->len = 8;
			}
			return;
		case OP_INTERVAL_FIELD:
			if (arg == 1)
			{
				low = 0;
				high = DATETIME_FIELDS;
				break;
			}
			/* FALLTHROUGH */
		case OP_EQ_INTERVAL:
		case OP_NE_INTERVAL:
		case OP_LT_INTERVAL:
		case OP_LE_INTERVAL:
		case OP_GT_INTERVAL:
		case OP_GE_INTERVAL:
		case OP_TIMESTAMP_PLUS_INTERVAL:
		case OP_ADD_INTERVAL:
		case OP_SUB_INTERVAL:
		case OP_NEG_INTERVAL:
		case OP_INTERVAL_SECONDS:
			if (value->kind == VALUE_TEXT && !value->null && rng_chance(rng, 80))
			{
				static char span[4][16];

				value->u.ptr = span[arg];
				value->len = random_interval(rng, span[arg]);
			}
			return;
		case OP_ZONE_TO_LOCAL:
		case OP_ZONE_FROM_LOCAL:
			if (arg == 0 && !value->null && rng_chance(rng, 80))
				*value = zone_value(rng);
			return;
		case OP_COERCE_NUMERIC:
			if (arg != 1 || value->null || rng_chance(rng, 20))
				return;
			/* numeric(p,s) */
			value->u.integer = (int64_t) rng_range(rng, 1, 45) << 16 | (rng_range(rng, -5, 40) & 0x7ff);
			value->u.integer += 4;
			return;
		default:
			return;
	}
	if (!value->null && rng_chance(rng, 80))
		value->u.integer = rng_range(rng, low, high);
}

static uint16_t
operand(Generator *gen, Shape shape, uint16_t op, int arg, uint16_t condition, uint8_t profile)
{
	Assembly   *as = &gen->as;
	const uint8_t kind = gpuscan_op_info[op].args[arg];
	const uint16_t attr = arg == 0 ? 1 : 2;	/* a third shares the second's column */
	ProgramValue value = random_value(gen->rng, &gen->table->bytes, kind, profile);

	choose_meaningful(gen->rng, op, arg, &value);

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

/* Has an engine least and greatest values of this kind, other than texts? */
static bool
operator_has_values(uint8_t kind)
{
	return kind != VALUE_BOOL && kind != VALUE_TEXT &&
		(kind != VALUE_FLOAT64 || (gpuscan_agg_info[AGG_MIN_FLOAT64].engines & GENERATE_ENGINE));
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
	a = operand(gen, shape_a, op, 0, condition, profile);
	if (info->nargs > 1)
		b = operand(gen, shape_b, op, 1, condition, profile);
	if (info->nargs > 2)
		c = operand(gen, info->args[2] == info->args[1] ? (Shape) rng_below(rng, SHAPES) : SHAPE_UNIFORM, op, 2, condition, PROFILE_FEW);
	if (rng_chance(rng, 50))
		result = asm_compute(as, op, info->result, a, b, c);
	else
	{
		asm_do(as, OP_MASK_TRUE, condition);
		result = asm_compute(as, op, info->result, a, b, c);
		asm_do(as, OP_MASK_END, PROGRAM_NO_REG);
		result = asm_compute(as, OP_SELECT, info->result, condition, result, asm_uniform(as, value_null(info->result)));
	}
	if (values && operator_has_values(info->result))
	{
		static const uint8_t least[VALUE_KINDS] = {0, AGG_MIN_INT32, AGG_MIN_INT64, AGG_MIN_NUMERIC, 0, AGG_MIN_FLOAT64};
		static const uint8_t greatest[VALUE_KINDS] = {0, AGG_MAX_INT32, AGG_MAX_INT64, AGG_MAX_NUMERIC, 0, AGG_MAX_FLOAT64};

		asm_key(as, asm_load(as, 3), TYPE_INT4);
		asm_agg(as, least[info->result], result, PROGRAM_NO_REG);
		asm_agg(as, greatest[info->result], result, PROGRAM_NO_REG);
	}
	else
		asm_key(as, result, gen_key_type(rng, info->result));
	asm_agg(as, AGG_COUNT_STAR, PROGRAM_NO_REG, PROGRAM_NO_REG);
	return asm_finish(as);
}

/* A type of column for an argument */
static uint8_t
operator_type(Rng *rng, uint16_t op, int arg)
{
	const ProgramOpInfo *info = &gpuscan_op_info[op];
	const uint8_t kind = info->args[arg < info->nargs ? arg : 0];

	return kind == VALUE_TEXT && strstr(info->name, "INTERVAL") ? TYPE_INTERVAL : gen_key_type(rng, kind);
}

/* Columns for it: the condition, the operands, and one that grows. */
static void
operator_table(Rng *rng, Table *table, uint16_t op, uint8_t profile)
{
	memset(table, 0, sizeof *table);
	table->blcksz = 8192;
	table_add_column(rng, table, TYPE_BOOL, PROFILE_FEW);
	table_add_column(rng, table, operator_type(rng, op, 0), profile);
	table_add_column(rng, table, operator_type(rng, op, 1), profile);
	table_add_column(rng, table, TYPE_INT4, PROFILE_ASCENDING);
	table_vary(rng, table);
}

#endif							/* UNIT_OPERATORS_H */
