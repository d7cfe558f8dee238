/*-------------------------------------------------------------------------
 *
 * reference.h
 *	  What a program means, one row at a time.
 *
 * Takes the values of rows from the table's cells, not from the pages, and the
 * operators from ops.def and its bodies.  Nothing else is shared with an
 * engine.
 *
 * A value that a masked failure left behind is poison: the program may hand it
 * on, but no FILTER, key or argument may come to depend on it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_REFERENCE_H
#define UNIT_REFERENCE_H

#include <assert.h>

#include "program/bodies_cpu.h"
#include "program/program.h"
#include "table.h"

typedef struct RefValue
{
	uint8_t		kind;
	bool		null;
	bool		poison;
	bool		foreign;		/* of a settled row: text holds its bytes */
	int64_t		integer;
	NumericValue numeric;
	TextView	text;
	double		real;
} RefValue;

typedef enum RefOutcome
{
	REF_OUT,					/* some FILTER was not true */
	REF_PASS,
	REF_PUNT
} RefOutcome;

static RefValue
ref_from_program_value(const ProgramValue *value)
{
	RefValue	ref = {.kind = value->kind,.null = value->null,.foreign = !value->null && value->foreign};

	if (ref.null)
		return ref;
	if (value->kind == VALUE_TEXT || value->foreign)
		ref.text = (TextView) {value->u.ptr, value->len, 0};
	else if (value->kind == VALUE_NUMERIC)
	{
		ref.numeric.mantissa = (i128) ((u128) (uint64_t) value->u.numeric.hi << 64 | value->u.numeric.lo);
		ref.numeric.scale = value->scale;
	}
	else if (value->kind == VALUE_FLOAT64)
		ref.real = value->u.real;
	else
		ref.integer = value->kind == VALUE_BOOL ? value->u.integer != 0 :
			value->kind == VALUE_INT32 ? (int32_t) value->u.integer : value->u.integer;
	return ref;
}

/* An attribute of a row; false when an engine cannot read it. */
static bool
ref_load(const Table *table, const Rows *rows, uint32_t row, uint32_t att, bool stored, bool decompresses, RefValue *out)
{
	const Column *column = &table->columns[att];
	const Cell *cell = &rows->cells[(size_t) row * rows->ncolumns + att];
	uint8_t		kind = gpuscan_type_info[column->type].kind;

	memset(out, 0, sizeof *out);
	out->kind = kind;
	if (att >= rows->natts[row])
	{
		if (column->missing.kind == VALUE_KINDS)
			out->null = true;
		else
			*out = ref_from_program_value(&column->missing);
		return true;
	}
	out->null = cell->null;
	if (cell->null)
		return true;
	if (column->layout.attlen < 0 && column->type != TYPE_OPAQUE &&
		(cell->form == CELL_EXTERNAL || (cell->form == CELL_COMPRESSED && !decompresses)))
		return false;
	switch (kind)
	{
		case VALUE_NUMERIC:
			out->numeric = cell->numeric;
			return cell->readable;
		case VALUE_TEXT:
			out->text = (TextView) {cell->bytes, cell->len, 0};
			if (column->type == TYPE_BPCHAR && !stored)
				while (out->text.len > 0 && cell->bytes[out->text.len - 1] == ' ')
					out->text.len--;
			return true;
		case VALUE_FLOAT64:
			if (type_width(column->type) == 4)
				out->real = float64_from_float_bits((uint32_t) cell->integer);
			else
				out->real = float64_from_bits((uint64_t) cell->integer);
			return true;
		default:
			if (column->type == TYPE_OPAQUE)
				return true;
			if (column->type == TYPE_OID || column->type == TYPE_ENUM)
			{
				out->integer = (uint32_t) cell->integer;
				return true;
			}
			switch (type_width(column->type))
			{
				case 1:
					out->integer = column->type == TYPE_BOOL ? cell->integer != 0 : (uint8_t) cell->integer;
					break;
				case 2:
					out->integer = (int16_t) cell->integer;
					break;
				case 4:
					out->integer = (int32_t) cell->integer;
					break;
				default:
					out->integer = cell->integer;
			}
			return true;
	}
}

/* ------------------------------------------------------------------------
 * Operators: one case for each line of ops.def
 * ------------------------------------------------------------------------
 */

#define REF_TYPE_VALUE_BOOL		uint8_t
#define REF_TYPE_VALUE_INT32	int32_t
#define REF_TYPE_VALUE_INT64	int64_t
#define REF_TYPE_VALUE_NUMERIC	NumericValue
#define REF_TYPE_VALUE_TEXT		TextView
#define REF_TYPE_VALUE_FLOAT64	double

#define REF_GET_VALUE_BOOL(v)	((uint8_t) (v)->integer)
#define REF_GET_VALUE_INT32(v)	((int32_t) (v)->integer)
#define REF_GET_VALUE_INT64(v)	((v)->integer)
#define REF_GET_VALUE_NUMERIC(v) ((v)->numeric)
#define REF_GET_VALUE_TEXT(v)	((v)->text)
#define REF_GET_VALUE_FLOAT64(v) ((v)->real)

#define REF_PUT_VALUE_BOOL(v, r)	((v)->integer = (r))
#define REF_PUT_VALUE_INT32(v, r)	((v)->integer = (r))
#define REF_PUT_VALUE_INT64(v, r)	((v)->integer = (r))
#define REF_PUT_VALUE_NUMERIC(v, r)	((v)->numeric = (r))
#define REF_PUT_VALUE_TEXT(v, r)	((v)->text = (r))
#define REF_PUT_VALUE_FLOAT64(v, r)	((v)->real = (r))

#define REF_FIRST(a, b, c)	a
#define REF_SECOND(a, b, c)	b
#define REF_THIRD(a, b, c)	c
#define REF_CALL_1(body, ka, kb, kc, a, b, c, r)	body(REF_GET_##ka(a), r)
#define REF_CALL_2(body, ka, kb, kc, a, b, c, r)	body(REF_GET_##ka(a), REF_GET_##kb(b), r)
#define REF_CALL_3(body, ka, kb, kc, a, b, c, r)	body(REF_GET_##ka(a), REF_GET_##kb(b), REF_GET_##kc(c), r)
#define REF_CALL(nargs, body, ka, kb, kc, a, b, c, r)	REF_CALL_##nargs(body, ka, kb, kc, a, b, c, r)
#define REF_EXPAND(...)		REF_CALL(__VA_ARGS__)

#define REF_TEXT_1(body, ka, kb, kc, a, b, c, room, r)	body(REF_GET_##ka(a), room, r)
#define REF_TEXT_2(body, ka, kb, kc, a, b, c, room, r)	body(REF_GET_##ka(a), REF_GET_##kb(b), room, r)
#define REF_TEXT_3(body, ka, kb, kc, a, b, c, room, r)	body(REF_GET_##ka(a), REF_GET_##kb(b), REF_GET_##kc(c), room, r)
#define REF_TEXT(nargs, body, ka, kb, kc, a, b, c, room, r)	REF_TEXT_##nargs(body, ka, kb, kc, a, b, c, room, r)
#define REF_TEXT_EXPAND(...)	REF_TEXT(__VA_ARGS__)

/*
 * Texts that the steps make, until ref_room_empty: the first ones each in memory
 * of its own, of just the size that was asked for; the others, which would take
 * long, many together.
 */
#define REF_ROOM_EXACT	200
#define REF_ROOM_CHUNK	(1 << 20)

typedef struct RefRoom
{
	TextRoom	room;
	char	  **texts;
	uint32_t	n;
	uint32_t	slots;
} RefRoom;

static bool
ref_room_more(TextRoom *room, size_t len)
{
	RefRoom    *all = (RefRoom *) room;

	if (all->n == all->slots)
	{
		all->slots = all->slots ? 2 * all->slots : 1024;
		all->texts = realloc(all->texts, all->slots * sizeof *all->texts);
	}
	if (all->n >= REF_ROOM_EXACT && len < REF_ROOM_CHUNK)
		len = REF_ROOM_CHUNK;
	all->texts[all->n] = malloc(len + 1 + TEXT_ROOM_SLACK);
	room->next = all->texts[all->n++];
	room->end = room->next + len + 1;
	return true;
}

static RefRoom ref_room = {.room.more = ref_room_more};

static void
ref_room_empty(void)
{
	while (ref_room.n > 0)
		free(ref_room.texts[--ref_room.n]);
	free(ref_room.texts);
	ref_room.texts = NULL;
	ref_room.slots = 0;
	ref_room.room.next = ref_room.room.end = NULL;
}

/* False when the operator fails; arguments are neither NULL nor poison. */
static bool
ref_operator(uint16_t op, const RefValue *a, const RefValue *b, const RefValue *c, RefValue *out)
{
	bool		done = true;

	switch (op)
	{
#define OP(id, nargs, kinds, kr, may_fail, cost, engines, condition, functions, body) \
		case OP_##id: \
			{ \
				REF_TYPE_##kr r; \
				memset(&r, 0, sizeof r); \
				done = REF_EXPAND(nargs, body, REF_FIRST kinds, REF_SECOND kinds, REF_THIRD kinds, a, b, c, &r); \
				REF_PUT_##kr(out, r); \
				assert(done || may_fail); \
			} \
			break;
#define TEXT_OP(id, nargs, kinds, cost, condition, functions, body) \
		case OP_##id: \
			if (ref_room.n < REF_ROOM_EXACT) \
				ref_room.room.next = ref_room.room.end; \
			out->text = (TextView) {"", 0, 0}; \
			done = REF_TEXT_EXPAND(nargs, body, REF_FIRST kinds, REF_SECOND kinds, REF_THIRD kinds, a, b, c, &ref_room.room, &out->text); \
			break;
#include "program/ops.def"
#undef OP
		default:
			assert(!"an operator of ops.def");
	}
	return done;
}

/* true, false, NULL as 1, 0, 2 */
static int
ref_truth(const RefValue *v)
{
	return v->null ? 2 : v->integer != 0;
}

/*
 * Run the program for a row.  regs: nregs values, which hold the keys and
 * arguments afterwards.
 */
static RefOutcome
ref_run(const Program *program, const ProgramValue *params, const Table *table, const Rows *rows, uint32_t row,
		bool decompresses, RefValue *regs)
{
	bool		mask[PROGRAM_MAX_MASKS + 1];
	int			depth = 0;

	mask[0] = true;
	for (uint32_t r = 0; r < program->nregs; r++)
		if (program_regs(program)[r].uniform)
			regs[r] = ref_from_program_value(&params[program_regs(program)[r].param]);

	for (uint32_t k = 0; k < program->ninstrs; k++)
	{
		const ProgramInstr *instr = &program_instrs(program)[k];
		const ProgramOpInfo *info = &gpuscan_op_info[instr->op];
		const RefValue *a = info->nargs > 0 ? &regs[instr->a] : NULL;
		const RefValue *b = info->nargs > 1 ? &regs[instr->b] : NULL;
		const RefValue *c = info->nargs > 2 ? &regs[instr->c] : NULL;
		RefValue	out = {0};
		int			x,
					y;

		if (instr->dst != PROGRAM_NO_REG)
			out.kind = program_regs(program)[instr->dst].kind;
		switch (instr->op)
		{
			case OP_LOAD:
				/* whatever the mask says: a value that cannot be read is the host's */
				if (!ref_load(table, rows, row, (uint32_t) program_attrs(program)[instr->a].attnum - 1,
							  instr->b == LOAD_STORED, decompresses, &out))
					return REF_PUNT;
				break;
			case OP_FILTER:
				assert(!a->poison);
				if (ref_truth(a) != 1)
					return REF_OUT;
				break;
			case OP_MASK_TRUE:
			case OP_MASK_NOT_TRUE:
			case OP_MASK_NOT_FALSE:
			case OP_MASK_NULL:
				assert(!mask[depth] || !a->poison);
				mask[depth + 1] = mask[depth] &&
					(instr->op == OP_MASK_TRUE ? ref_truth(a) == 1 :
					 instr->op == OP_MASK_NOT_TRUE ? ref_truth(a) != 1 :
					 instr->op == OP_MASK_NOT_FALSE ? ref_truth(a) != 0 : a->null);
				depth++;
				break;
			case OP_MASK_END:
				depth--;
				break;
			case OP_AND:
			case OP_OR:
				/* one side alone decides: the other one is not looked at */
				x = a->poison ? 3 : ref_truth(a);
				y = b->poison ? 3 : ref_truth(b);
				if (x == (instr->op == OP_OR) || y == (instr->op == OP_OR))
					out.integer = instr->op == OP_OR;
				else
				{
					out.poison = x == 3 || y == 3;
					out.null = x == 2 || y == 2;
					out.integer = instr->op == OP_AND;
				}
				break;
			case OP_NOT:
				out.null = a->null;
				out.poison = a->poison;
				out.integer = ref_truth(a) == 0;
				break;
			case OP_IS_NULL:
			case OP_IS_NOT_NULL:
				out.poison = a->poison;
				out.integer = a->null == (instr->op == OP_IS_NULL);
				break;
			case OP_IS_TRUE:
			case OP_IS_FALSE:
			case OP_IS_UNKNOWN:
				out.poison = a->poison;
				out.integer = ref_truth(a) == (instr->op == OP_IS_TRUE ? 1 : instr->op == OP_IS_FALSE ? 0 : 2);
				break;
			case OP_SELECT:
				out = ref_truth(a) == 1 ? *b : *c;
				out.poison |= a->poison;
				break;
			default:
				out.null = a->null || (b && b->null) || (c && c->null);
				out.poison = a->poison || (b && b->poison) || (c && c->poison);
				if (!out.null && !out.poison && !ref_operator(instr->op, a, b, c, &out))
				{
					if (mask[depth])
						return REF_PUNT;
					out.poison = true;
				}
				break;
		}
		if (instr->dst != PROGRAM_NO_REG)
			regs[instr->dst] = out;
	}
	return REF_PASS;
}

#endif							/* UNIT_REFERENCE_H */
