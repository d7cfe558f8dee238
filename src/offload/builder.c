/*-------------------------------------------------------------------------
 *
 * builder.c
 *	  A program under construction: shared subexpressions, masks, layout.
 *
 * Every instruction writes a register of its own, so an instruction that was
 * emitted before serves again for equal operands.  Only one thing limits
 * that: what was computed under a mask is not dependable outside of it (where
 * the mask was closed, a failed step left nothing).  So each instruction
 * remembers the mask it stands in, and is found again from there and from
 * within.  A mask that turns out to guard nothing that can fail is taken back.
 *
 * Rows that fail a FILTER are gone, so what was computed before it stays good.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "nodes/makefuncs.h"
#include "offload/builder.h"
#include "utils/rel.h"

void
gpuscan_builder_init(Builder *b, Relation rel, Index relid, int engines)
{
	memset(b, 0, sizeof(*b));
	b->rel = rel;
	b->relid = relid;
	b->engines = engines;
	b->case_reg = PROGRAM_NO_REG;
	b->scope = BUILDER_NO_SCOPE;
	b->regs = palloc0_array(ProgramReg, PROGRAM_MAX_REGS);
	b->instrs_room = 64;
	b->instrs = palloc_array(ProgramInstr, b->instrs_room);
	b->instr_scope = palloc_array(int, b->instrs_room);
	b->scopes_room = 16;
	b->scope_parent = palloc_array(int, b->scopes_room);
	b->attrs_room = 16;
	b->attrs = palloc0_array(ProgramAttr, b->attrs_room);
}

uint16
gpuscan_builder_refuse(Builder *b, const char *fmt,...)
{
	StringInfoData reason;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	initStringInfo(&reason);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&reason, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&reason, needed);
	}
	b->refusal = reason.data;
	return PROGRAM_NO_REG;
}

/* May what stands in 'scope' be used where we are now? */
static bool
scope_is_visible(const Builder *b, int scope)
{
	int			s = b->scope;

	while (s != scope && s != BUILDER_NO_SCOPE)
		s = b->scope_parent[s];
	return s == scope;
}

static uint16
new_reg(Builder *b, ValueKind kind)
{
	if (b->nregs >= PROGRAM_MAX_REGS)
		return gpuscan_builder_refuse(b, "an expression that needs too many registers");
	b->regs[b->nregs].kind = kind;
	return b->nregs++;
}

static void
append_instr(Builder *b, ProgramOp op, uint16 dst, uint16 a, uint16 b_arg, uint16 c)
{
	ProgramInstr *instr;

	if (b->ninstrs >= PROGRAM_MAX_INSTRS)
	{
		gpuscan_builder_refuse(b, "an expression that needs too many instructions");
		return;
	}
	if (b->ninstrs == b->instrs_room)
	{
		b->instrs_room *= 2;
		b->instrs = repalloc_array(b->instrs, ProgramInstr, b->instrs_room);
		b->instr_scope = repalloc_array(b->instr_scope, int, b->instrs_room);
	}
	instr = &b->instrs[b->ninstrs];
	instr->op = op;
	instr->dst = dst;
	instr->a = a;
	instr->b = b_arg;
	instr->c = c;
	instr->pad = 0;
	b->instr_scope[b->ninstrs++] = b->scope;
	b->cost += gpuscan_op_info[op].cost;
}

/*
 * The register with the result of an operator: of an equal instruction that
 * is dependable here, or of a new one.
 */
uint16
gpuscan_builder_emit(Builder *b, ProgramOp op, uint16 a, uint16 b_arg, uint16 c)
{
	const ProgramOpInfo *info = &gpuscan_op_info[op];
	const uint16 args[3] = {a, b_arg, c};
	ValueKind	kind = info->result;
	uint16		dst;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	if ((info->engines & b->engines) != b->engines)
		return gpuscan_builder_refuse(b, "operator %s, which this engine does not have", info->name);
	for (int i = 0; i < info->nargs; i++)
		if (args[i] >= b->nregs ||
			(info->args[i] != VALUE_KINDS && b->regs[args[i]].kind != info->args[i]))
			elog(ERROR, "operand %d of %s is of the wrong kind", i, info->name);
	if (op == OP_SELECT)
		kind = b->regs[b_arg].kind;

	for (int i = 0; i < b->ninstrs; i++)
	{
		const ProgramInstr *instr = &b->instrs[i];

		if (instr->op == op && instr->a == a && instr->b == b_arg && instr->c == c &&
			scope_is_visible(b, b->instr_scope[i]))
			return instr->dst;
	}
	dst = new_reg(b, kind);
	if (dst != PROGRAM_NO_REG)
		append_instr(b, op, dst, a, b_arg, c);
	return b->refusal ? PROGRAM_NO_REG : dst;
}

/* The number of an expression among the parameters. */
static uint16
param_number(Builder *b, Expr *expr)
{
	ListCell   *lc;

	foreach(lc, b->params)
	{
		if (equal(lfirst(lc), expr))
			return foreach_current_index(lc);
	}
	b->params = lappend(b->params, expr);
	return list_length(b->params) - 1;
}

/* The uniform register with a value that is the same for all rows. */
uint16
gpuscan_builder_param(Builder *b, Expr *expr, ValueKind kind)
{
	uint16		param;
	uint16		reg;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	param = param_number(b, expr);
	for (reg = 0; reg < b->nregs; reg++)
		if (b->regs[reg].uniform && b->regs[reg].param == param)
			return reg;
	reg = new_reg(b, kind);
	if (reg != PROGRAM_NO_REG)
	{
		b->regs[reg].uniform = 1;
		b->regs[reg].param = param;
	}
	return reg;
}

uint16
gpuscan_builder_supplied(Builder *b, Expr *expr, ProgramType type)
{
	uint16		column = 0;
	uint16		reg;
	ListCell   *lc;
	ListCell   *lct;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	forboth(lc, b->supplied, lct, b->supplied_types)
	{
		if (lfirst_int(lct) == (int) type && equal(lfirst(lc), expr))
			break;
		column++;
	}
	if (column == list_length(b->supplied))
	{
		b->supplied = lappend(b->supplied, expr);
		b->supplied_types = lappend_int(b->supplied_types, type);
	}
	for (reg = 0; reg < b->nregs; reg++)
		if (b->regs[reg].supplied && b->regs[reg].param == column)
			return reg;
	reg = new_reg(b, type == PROGRAM_TYPES ? VALUE_BOOL : gpuscan_type_info[type].kind);
	if (reg != PROGRAM_NO_REG)
	{
		b->regs[reg].supplied = 1;
		b->regs[reg].param = column;
	}
	return reg;
}

BuilderPlace
gpuscan_builder_place(const Builder *b)
{
	Assert(b->refusal == NULL && b->scope == BUILDER_NO_SCOPE);
	return (BuilderPlace) {
		b->nregs, b->ninstrs, b->nattrs, b->nscopes, list_length(b->params), b->cost
	};
}

void
gpuscan_builder_go_back(Builder *b, const BuilderPlace *place)
{
	memset(b->regs + place->nregs, 0, (b->nregs - place->nregs) * sizeof(ProgramReg));
	b->nregs = place->nregs;
	b->ninstrs = place->ninstrs;
	b->nattrs = place->nattrs;
	b->nscopes = place->nscopes;
	b->params = list_truncate(b->params, place->nparams);
	b->cost = place->cost;
	b->refusal = NULL;
	b->scope = BUILDER_NO_SCOPE;
	b->depth = 0;
	b->case_reg = PROGRAM_NO_REG;
}

Expr *
gpuscan_builder_uniform(const Builder *b, uint16 reg)
{
	return b->regs[reg].uniform ? (Expr *) list_nth(b->params, b->regs[reg].param) : NULL;
}

ValueKind
gpuscan_builder_kind(const Builder *b, uint16 reg)
{
	return b->regs[reg].kind;
}

/* numeric(p,s): s, where a register can have it (numeric.c numeric_typmod_scale) */
static int8
scale_of_typmod(int32 typmod)
{
	int			scale;

	if (typmod < (int32) VARHDRSZ)
		return -1;
	scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
	return scale >= 0 && scale <= NUMERIC_SCALE_MAX ? scale : -1;
}

/*
 * The register with an attribute.  Loaded at first use, that is, after the
 * filters that come before: what they turn down need not be decoded.  stored:
 * see LOAD_STORED.
 */
uint16
gpuscan_builder_load(Builder *b, AttrNumber attnum, ProgramType type, bool stored)
{
	TupleDesc	desc = RelationGetDescr(b->rel);
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	ProgramAttr *attr;
	const uint16 form = stored ? LOAD_STORED : PROGRAM_NO_REG;
	int			index;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	for (index = 0; index < b->nattrs; index++)
		if (b->attrs[index].attnum == attnum)
			break;
	if (index == b->nattrs)
	{
		if (b->nattrs == b->attrs_room)
		{
			b->attrs_room *= 2;
			b->attrs = repalloc_array(b->attrs, ProgramAttr, b->attrs_room);
		}
		attr = &b->attrs[b->nattrs++];
		memset(attr, 0, sizeof(*attr));
		attr->attnum = attnum;
		attr->type = type;
		attr->scale = type == TYPE_NUMERIC ? scale_of_typmod(att->atttypmod) : -1;
		attr->missing = PROGRAM_NO_REG;
		if (att->atthasmissing)
		{
			bool		isnull;
			Datum		value = getmissingattr(desc, attnum, &isnull);

			if (!isnull && type == TYPE_OPAQUE)
				attr->missing = param_number(b, (Expr *) makeBoolConst(false, false));
			else if (!isnull)
				attr->missing = param_number(b, (Expr *)
											 makeConst(att->atttypid, att->atttypmod, att->attcollation,
													   att->attlen, value, false, att->attbyval));
		}
	}
	for (int i = 0; i < b->ninstrs; i++)
		if (b->instrs[i].op == OP_LOAD && b->instrs[i].a == index && b->instrs[i].b == form &&
			scope_is_visible(b, b->instr_scope[i]))
			return b->instrs[i].dst;

	uint16		dst = new_reg(b, gpuscan_type_info[type].kind);

	if (dst != PROGRAM_NO_REG)
		append_instr(b, OP_LOAD, dst, index, form, PROGRAM_NO_REG);
	if (type == TYPE_NUMERIC)
		b->cost += gpuscan_op_info[OP_LOAD].cost;	/* digits to a mantissa */
	return b->refusal ? PROGRAM_NO_REG : dst;
}

/*
 * From here to close_mask, failures count only for the rows that 'op' lets
 * through.
 */
BuilderMask
gpuscan_builder_open_mask(Builder *b, ProgramOp op, uint16 reg)
{
	BuilderMask mask = {b->ninstrs, b->nscopes};

	if (b->refusal != NULL)
		return mask;
	if (b->depth >= PROGRAM_MAX_MASKS)
	{
		gpuscan_builder_refuse(b, "branches nested more than %d deep", PROGRAM_MAX_MASKS);
		return mask;
	}
	append_instr(b, op, PROGRAM_NO_REG, reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
	if (b->nscopes == b->scopes_room)
	{
		b->scopes_room *= 2;
		b->scope_parent = repalloc_array(b->scope_parent, int, b->scopes_room);
	}
	b->scope_parent[b->nscopes] = b->scope;
	b->scope = b->nscopes++;
	b->depth++;
	return mask;
}

void
gpuscan_builder_close_mask(Builder *b, BuilderMask mask)
{
	bool		may_fail = false;
	int			outer;

	if (b->refusal != NULL)
		return;
	Assert(b->scope == mask.scope);
	outer = b->scope_parent[mask.scope];
	b->scope = outer;
	b->depth--;

	for (int i = mask.instr + 1; i < b->ninstrs && !may_fail; i++)
		may_fail = gpuscan_op_info[b->instrs[i].op].may_fail;
	if (may_fail)
	{
		append_instr(b, OP_MASK_END, PROGRAM_NO_REG, PROGRAM_NO_REG, PROGRAM_NO_REG, PROGRAM_NO_REG);
		return;
	}

	/* It guards nothing: what stands in it belongs to the surroundings. */
	b->cost -= gpuscan_op_info[b->instrs[mask.instr].op].cost;
	b->ninstrs--;
	memmove(&b->instrs[mask.instr], &b->instrs[mask.instr + 1],
			(b->ninstrs - mask.instr) * sizeof(ProgramInstr));
	memmove(&b->instr_scope[mask.instr], &b->instr_scope[mask.instr + 1],
			(b->ninstrs - mask.instr) * sizeof(int));
	for (int i = mask.instr; i < b->ninstrs; i++)
		if (b->instr_scope[i] == mask.scope)
			b->instr_scope[i] = outer;
}

bool
gpuscan_builder_filter(Builder *b, uint16 reg)
{
	if (b->refusal == NULL)
		append_instr(b, OP_FILTER, PROGRAM_NO_REG, reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
	return b->refusal == NULL;
}

bool
gpuscan_builder_key(Builder *b, uint16 reg, ProgramType type)
{
	if (b->refusal == NULL && b->nkeys >= PROGRAM_MAX_KEYS)
		gpuscan_builder_refuse(b, "more than %d grouping keys", PROGRAM_MAX_KEYS);
	if (b->refusal != NULL)
		return false;
	b->keys[b->nkeys].reg = reg;
	b->keys[b->nkeys].type = type;
	b->keys[b->nkeys++].pad = 0;
	return true;
}

/* The number of an aggregate state, or -1. */
int
gpuscan_builder_agg(Builder *b, ProgramAggKind kind, uint16 arg, uint16 filter)
{
	const ProgramAggInfo *info = &gpuscan_agg_info[kind];
	ProgramAgg *agg;

	if (b->refusal == NULL && (info->engines & b->engines) != b->engines)
		gpuscan_builder_refuse(b, "aggregate state %s, which this engine does not have", info->name);
	if (b->refusal != NULL)
		return -1;
	for (int i = 0; i < b->naggs && !b->own_states; i++)
		if (b->aggs[i].kind == kind && b->aggs[i].arg == arg && b->aggs[i].filter == filter)
			return i;
	if (b->naggs >= PROGRAM_MAX_AGGS)
	{
		gpuscan_builder_refuse(b, "more than %d aggregates", PROGRAM_MAX_AGGS);
		return -1;
	}
	agg = &b->aggs[b->naggs];
	memset(agg, 0, sizeof(*agg));
	agg->kind = kind;
	agg->arg = arg;
	agg->filter = filter;
	b->cost += info->cost;
	return b->naggs++;
}

static uint8
align_of(char attalign)
{
	switch (attalign)
	{
		case TYPALIGN_CHAR:
			return 1;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		default:
			Assert(attalign == TYPALIGN_DOUBLE);
			return ALIGNOF_DOUBLE;
	}
}

/* Attributes come in order of first use; a program wants them ascending. */
static void
sort_attrs(Builder *b)
{
	int		   *place = palloc_array(int, b->nattrs + 1);
	ProgramAttr *sorted = palloc_array(ProgramAttr, b->nattrs + 1);

	for (int i = 0; i < b->nattrs; i++)
	{
		place[i] = 0;
		for (int j = 0; j < b->nattrs; j++)
			place[i] += b->attrs[j].attnum < b->attrs[i].attnum;
		sorted[place[i]] = b->attrs[i];
	}
	for (int i = 0; i < b->ninstrs; i++)
		if (b->instrs[i].op == OP_LOAD)
			b->instrs[i].a = place[b->instrs[i].a];
	b->attrs = sorted;
}

/*
 * Forget uniform registers, and parameters, that nothing reads: what was
 * widened or folded leaves such behind, and they would be computed in vain.
 */
static void
drop_unused(Builder *b)
{
	int		   *new_reg = palloc_array(int, b->nregs + 1);
	int		   *new_param = palloc_array(int, list_length(b->params) + 1);
	bool	   *reg_used = palloc0_array(bool, b->nregs + 1);
	bool	   *param_used = palloc0_array(bool, list_length(b->params) + 1);
	List	   *params = NIL;
	int			nregs = 0;

	for (int i = 0; i < b->ninstrs; i++)
	{
		ProgramInstr *instr = &b->instrs[i];
		const uint16 args[3] = {instr->a, instr->b, instr->c};

		for (int arg = 0; arg < gpuscan_op_info[instr->op].nargs; arg++)
			reg_used[args[arg]] = true;
	}
	for (int i = 0; i < b->nkeys; i++)
		reg_used[b->keys[i].reg] = true;
	for (int i = 0; i < b->naggs; i++)
	{
		if (b->aggs[i].arg != PROGRAM_NO_REG)
			reg_used[b->aggs[i].arg] = true;
		if (b->aggs[i].filter != PROGRAM_NO_REG)
			reg_used[b->aggs[i].filter] = true;
	}
	for (int i = 0; i < b->nregs; i++)
		if (b->regs[i].uniform && reg_used[i])
			param_used[b->regs[i].param] = true;
	for (int i = 0; i < b->nattrs; i++)
		if (b->attrs[i].missing != PROGRAM_NO_REG)
			param_used[b->attrs[i].missing] = true;

	for (int i = 0; i < list_length(b->params); i++)
	{
		new_param[i] = list_length(params);
		if (param_used[i])
			params = lappend(params, list_nth(b->params, i));
	}
	b->params = params;
	for (int i = 0; i < b->nattrs; i++)
		if (b->attrs[i].missing != PROGRAM_NO_REG)
			b->attrs[i].missing = new_param[b->attrs[i].missing];
	for (int i = 0; i < b->nregs; i++)
	{
		new_reg[i] = nregs;
		if (b->regs[i].uniform && !reg_used[i])
			continue;
		b->regs[nregs] = b->regs[i];
		if (b->regs[nregs].uniform)
			b->regs[nregs].param = new_param[b->regs[nregs].param];
		nregs++;
	}
	b->nregs = nregs;

	for (int i = 0; i < b->ninstrs; i++)
	{
		ProgramInstr *instr = &b->instrs[i];
		uint16	   *args[3] = {&instr->a, &instr->b, &instr->c};

		for (int arg = 0; arg < gpuscan_op_info[instr->op].nargs; arg++)
			*args[arg] = new_reg[*args[arg]];
		if (instr->dst != PROGRAM_NO_REG)
			instr->dst = new_reg[instr->dst];
	}
	for (int i = 0; i < b->nkeys; i++)
		b->keys[i].reg = new_reg[b->keys[i].reg];
	for (int i = 0; i < b->naggs; i++)
	{
		if (b->aggs[i].arg != PROGRAM_NO_REG)
			b->aggs[i].arg = new_reg[b->aggs[i].arg];
		if (b->aggs[i].filter != PROGRAM_NO_REG)
			b->aggs[i].filter = new_reg[b->aggs[i].filter];
	}
}

/* Lay the program out as one block. */
Program *
gpuscan_builder_finish(Builder *b, bool grouped)
{
	TupleDesc	desc = RelationGetDescr(b->rel);
	Size		size = sizeof(Program);
	Program    *program;
	ProgramLayout *layout;
	int			nlayout;
	uint32		offset[6];
	const char *wrong;

	Assert(b->refusal == NULL && b->scope == BUILDER_NO_SCOPE);
	sort_attrs(b);
	drop_unused(b);
	nlayout = b->nattrs > 0 ? b->attrs[b->nattrs - 1].attnum : 0;

#define SECTION(i, type, count) \
	(offset[i] = size, size = MAXALIGN(size + (count) * sizeof(type)))
	size = MAXALIGN(size);
	SECTION(0, ProgramReg, b->nregs);
	SECTION(1, ProgramInstr, b->ninstrs);
	SECTION(2, ProgramAttr, b->nattrs);
	SECTION(3, ProgramLayout, nlayout);
	SECTION(4, ProgramKey, b->nkeys);
	SECTION(5, ProgramAgg, b->naggs);
#undef SECTION

	program = palloc0(size);
	program->magic = PROGRAM_MAGIC;
	program->version = PROGRAM_VERSION;
	program->size = size;
	program->nregs = b->nregs;
	program->ninstrs = b->ninstrs;
	program->nattrs = b->nattrs;
	program->nlayout = nlayout;
	program->nparams = list_length(b->params);
	program->nkeys = b->nkeys;
	program->naggs = b->naggs;
	program->grouped = grouped;
	program->nsupplied = list_length(b->supplied);
	program->regs = offset[0];
	program->instrs = offset[1];
	program->attrs = offset[2];
	program->layout = offset[3];
	program->keys = offset[4];
	program->aggs = offset[5];
	memcpy((char *) program + offset[0], b->regs, b->nregs * sizeof(ProgramReg));
	memcpy((char *) program + offset[1], b->instrs, b->ninstrs * sizeof(ProgramInstr));
	memcpy((char *) program + offset[2], b->attrs, b->nattrs * sizeof(ProgramAttr));
	memcpy((char *) program + offset[4], b->keys, b->nkeys * sizeof(ProgramKey));
	memcpy((char *) program + offset[5], b->aggs, b->naggs * sizeof(ProgramAgg));

	/* Dropped columns keep their length and alignment, and are walked over. */
	layout = (ProgramLayout *) ((char *) program + offset[3]);
	for (int i = 0; i < nlayout; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		layout[i].attlen = att->attlen;
		layout[i].attalign = align_of(att->attalign);
		layout[i].notnull = att->attnotnull && !att->attisdropped;
	}

	wrong = gpuscan_program_verify(program, program->size);
	if (wrong != NULL)
		elog(ERROR, "program is not sound: %s", wrong);
	return program;
}
