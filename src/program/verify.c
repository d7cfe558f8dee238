/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  Check a program before an engine runs it.
 *
 * Engines index registers, attributes and parameters without looking: what
 * is checked here is what keeps a planner's bug from becoming a wild read or
 * write.  So the check is total: it relies on nothing but the block and its
 * size, and everything that an engine may assume is listed here.
 *
 *	- the block is as large as it says; every section lies within it
 *	- attributes ascend by number; the layout covers the last one; where one
 *	  lies in a tuple is what its type says
 *	- a register is written at most once, before it is read, and holds the
 *	  kind that the operator wants; uniform registers are never written, and
 *	  supplied ones are neither written nor read but by keys and aggregates
 *	- a parameter is of one kind wherever it is used
 *	- masks nest, are closed, and contain no FILTER
 *	- keys and aggregates read registers that are written in the end
 *
 * Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "program/program.h"

#define MAX_PARAMS	(PROGRAM_MAX_REGS + PROGRAM_MAX_ATTRS)
#define UNKNOWN_KIND UINT8_MAX

typedef struct Verifier
{
	const Program *program;
	uint8_t		written[PROGRAM_MAX_REGS];	/* or uniform */
	uint8_t		param_kind[MAX_PARAMS];
} Verifier;

static bool
section_fits(uint32_t offset, uint32_t count, size_t element, uint32_t size)
{
	/* sections hold nothing wider than 16 bits */
	return offset >= sizeof(Program) && offset % sizeof(uint16_t) == 0 &&
		(uint64_t) offset + (uint64_t) count * element <= size;
}

static const char *
check_header(const Program *program, uint32_t size)
{
	if (program == NULL || (uintptr_t) program % _Alignof(Program) != 0)
		return "program is not aligned";
	if (size < sizeof(Program))
		return "program is shorter than its header";
	if (program->magic != PROGRAM_MAGIC || program->version != PROGRAM_VERSION)
		return "not a program of this version";
	if (program->size != size)
		return "program is not as large as it says";
	if (program->nregs > PROGRAM_MAX_REGS)
		return "too many registers";
	if (program->ninstrs > PROGRAM_MAX_INSTRS)
		return "too many instructions";
	if (program->nattrs > PROGRAM_MAX_ATTRS || program->nlayout > PROGRAM_MAX_ATTRS)
		return "too many attributes";
	if (program->nparams > MAX_PARAMS)
		return "too many parameters";
	if (program->nkeys > PROGRAM_MAX_KEYS)
		return "too many keys";
	if (program->naggs > PROGRAM_MAX_AGGS)
		return "too many aggregates";
	if (program->grouped > 1)
		return "grouped is neither yes nor no";
	if (!program->grouped && (program->nkeys > 0 || program->naggs > 0))
		return "keys or aggregates without groups";
	if (program->nsupplied > PROGRAM_MAX_KEYS + PROGRAM_MAX_AGGS || (!program->grouped && program->nsupplied > 0))
		return "too many supplied columns";
	if (!section_fits(program->regs, program->nregs, sizeof(ProgramReg), size) ||
		!section_fits(program->instrs, program->ninstrs, sizeof(ProgramInstr), size) ||
		!section_fits(program->attrs, program->nattrs, sizeof(ProgramAttr), size) ||
		!section_fits(program->layout, program->nlayout, sizeof(ProgramLayout), size) ||
		!section_fits(program->keys, program->nkeys, sizeof(ProgramKey), size) ||
		!section_fits(program->aggs, program->naggs, sizeof(ProgramAgg), size))
		return "a section leaves the program";
	return NULL;
}

static const char *
use_param(Verifier *v, uint16_t param, uint8_t kind)
{
	if (param >= v->program->nparams)
		return "parameter out of range";
	if (v->param_kind[param] != UNKNOWN_KIND && v->param_kind[param] != kind)
		return "parameter of two kinds";
	v->param_kind[param] = kind;
	return NULL;
}

static const char *
check_attrs(Verifier *v)
{
	const Program *program = v->program;
	const ProgramAttr *attrs = program_attrs(program);
	const ProgramLayout *layout = program_layout(program);

	for (int i = 0; i < program->nlayout; i++)
	{
		if (layout[i].attlen == 0 || layout[i].attlen < -2)
			return "layout has an unknown length";
		if (layout[i].attalign != 1 && layout[i].attalign != 2 &&
			layout[i].attalign != 4 && layout[i].attalign != 8)
			return "layout has an unknown alignment";
	}
	for (int i = 0; i < program->nattrs; i++)
	{
		const ProgramAttr *attr = &attrs[i];
		const ProgramTypeInfo *type;
		const char *wrong;

		if (attr->type >= PROGRAM_TYPES)
			return "attribute of unknown type";
		if (attr->attnum < 1 || (i > 0 && attr->attnum <= attrs[i - 1].attnum))
			return "attributes do not ascend";
		if (attr->scale < -1 || attr->scale > NUMERIC_SCALE_MAX)
			return "attribute of a scale out of range";
		if (attr->attnum > program->nlayout)
			return "attribute beyond the layout";
		type = &gpuscan_type_info[attr->type];
		if (type->attlen != 0 &&
			(layout[attr->attnum - 1].attlen != type->attlen ||
			 layout[attr->attnum - 1].attalign != type->attalign))
			return "attribute does not lie as its type says";
		if (attr->missing != PROGRAM_NO_REG &&
			(wrong = use_param(v, attr->missing, type->kind)) != NULL)
			return wrong;
	}
	return NULL;
}

static const char *
check_regs(Verifier *v)
{
	const ProgramReg *regs = program_regs(v->program);

	for (int i = 0; i < v->program->nregs; i++)
	{
		const char *wrong;

		if (regs[i].kind >= VALUE_KINDS)
			return "register of unknown kind";
		if (regs[i].uniform > 1)
			return "register neither uniform nor not";
		if (regs[i].supplied > 1 || (regs[i].supplied && regs[i].uniform))
			return "register supplied in no known way";
		if (regs[i].supplied && regs[i].param >= v->program->nsupplied)
			return "supplied column out of range";
		if (!regs[i].uniform)
			continue;
		if ((wrong = use_param(v, regs[i].param, regs[i].kind)) != NULL)
			return wrong;
		v->written[i] = true;
	}
	return NULL;
}

/* A register that is read: it exists, has a value, and is of the kind (VALUE_KINDS: any). */
static const char *
check_read(const Verifier *v, uint16_t reg, uint8_t kind)
{
	if (reg >= v->program->nregs)
		return "register out of range";
	if (!v->written[reg])
		return "register read before it is written";
	if (kind != VALUE_KINDS && program_regs(v->program)[reg].kind != kind)
		return "operand of the wrong kind";
	return NULL;
}

static const char *
check_write(Verifier *v, uint16_t reg, uint8_t kind)
{
	if (reg >= v->program->nregs)
		return "register out of range";
	if (program_regs(v->program)[reg].uniform)
		return "uniform register written";
	if (program_regs(v->program)[reg].supplied)
		return "supplied register written";
	if (v->written[reg])
		return "register written twice";
	if (program_regs(v->program)[reg].kind != kind)
		return "result of the wrong kind";
	v->written[reg] = true;
	return NULL;
}

static const char *
check_instrs(Verifier *v)
{
	const Program *program = v->program;
	const ProgramInstr *instrs = program_instrs(program);
	const ProgramReg *regs = program_regs(program);
	int			depth = 0;

	for (int i = 0; i < program->ninstrs; i++)
	{
		const ProgramInstr *instr = &instrs[i];
		const uint16_t args[3] = {instr->a, instr->b, instr->c};
		const ProgramOpInfo *info;
		const char *wrong;
		uint8_t		result;

		if (instr->op >= PROGRAM_OPS)
			return "unknown operator";
		info = &gpuscan_op_info[instr->op];
		for (int arg = 0; arg < info->nargs; arg++)
			if ((wrong = check_read(v, args[arg], info->args[arg])) != NULL)
				return wrong;

		result = info->result;
		switch (instr->op)
		{
			case OP_FILTER:
				if (depth > 0)
					return "filter under a mask";
				break;
			case OP_MASK_TRUE:
			case OP_MASK_NOT_TRUE:
			case OP_MASK_NOT_FALSE:
			case OP_MASK_NULL:
				if (++depth > PROGRAM_MAX_MASKS)
					return "masks nest too deeply";
				break;
			case OP_MASK_END:
				if (--depth < 0)
					return "mask closed that was not opened";
				break;
			case OP_LOAD:
				if (instr->a >= program->nattrs)
					return "attribute out of range";
				/* what short rows have comes without blanks */
				if (instr->b == LOAD_STORED &&
					(program_attrs(program)[instr->a].type != TYPE_BPCHAR ||
					 program_attrs(program)[instr->a].missing != PROGRAM_NO_REG))
					return "attribute that cannot be loaded as stored";
				result = gpuscan_type_info[program_attrs(program)[instr->a].type].kind;
				break;
			case OP_SELECT:
				result = regs[instr->b].kind;
				if (regs[instr->c].kind != result)
					return "select between two kinds";
				break;
			default:
				break;
		}

		if (result == VALUE_KINDS)	/* FILTER, MASK_* */
		{
			if (instr->dst != PROGRAM_NO_REG)
				return "result where there is none";
		}
		else if ((wrong = check_write(v, instr->dst, result)) != NULL)
			return wrong;
	}
	return depth > 0 ? "mask not closed" : NULL;
}

/* A register that a key or an aggregate reads. */
static const char *
check_sink(const Verifier *v, uint16_t reg, uint8_t kind)
{
	if (reg < v->program->nregs && program_regs(v->program)[reg].supplied)
		return kind != VALUE_KINDS && program_regs(v->program)[reg].kind != kind ? "operand of the wrong kind" : NULL;
	return check_read(v, reg, kind);
}

static const char *
check_sinks(const Verifier *v)
{
	const Program *program = v->program;
	const ProgramKey *keys = program_keys(program);
	const ProgramAgg *aggs = program_aggs(program);
	const char *wrong;

	for (int i = 0; i < program->nkeys; i++)
	{
		if (keys[i].type >= PROGRAM_TYPES || keys[i].type == TYPE_OPAQUE)
			return "key of unknown type";
		if ((wrong = check_sink(v, keys[i].reg, gpuscan_type_info[keys[i].type].kind)) != NULL)
			return wrong;
	}
	for (int i = 0; i < program->naggs; i++)
	{
		if (aggs[i].kind >= PROGRAM_AGG_KINDS)
			return "unknown aggregate";
		if ((aggs[i].kind == AGG_COUNT_STAR) != (aggs[i].arg == PROGRAM_NO_REG))
			return "aggregate with a wrong number of arguments";
		if (aggs[i].arg != PROGRAM_NO_REG &&
			(wrong = check_sink(v, aggs[i].arg, gpuscan_agg_info[aggs[i].kind].arg)) != NULL)
			return wrong;
		if (aggs[i].filter != PROGRAM_NO_REG &&
			(wrong = check_read(v, aggs[i].filter, VALUE_BOOL)) != NULL)
			return wrong;
	}
	return NULL;
}

const char *
gpuscan_program_verify(const Program *program, uint32_t size)
{
	Verifier	v;
	const char *wrong = check_header(program, size);

	if (wrong != NULL)
		return wrong;
	v.program = program;
	memset(v.written, 0, sizeof v.written);
	memset(v.param_kind, UNKNOWN_KIND, sizeof v.param_kind);
	if ((wrong = check_attrs(&v)) != NULL ||
		(wrong = check_regs(&v)) != NULL ||
		(wrong = check_instrs(&v)) != NULL ||
		(wrong = check_sinks(&v)) != NULL)
		return wrong;
	return NULL;
}
