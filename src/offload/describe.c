/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  A program as lines of text, for EXPLAIN VERBOSE.
 *
 * Parameters are shown as $p0, $p1, ... with the expressions they stand for;
 * registers as r0, r1, ...
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "offload/expr.h"
#include "offload/offload.h"
#include "utils/builtins.h"
#include "utils/ruleutils.h"

static void
append_name(StringInfo line, const char *name)
{
	for (; *name != '\0'; name++)
		appendStringInfoChar(line, *name == '_' ? ' ' : pg_tolower((unsigned char) *name));
}

static void
append_reg(StringInfo line, const Program *program, uint16 reg)
{
	if (program_regs(program)[reg].uniform)
		appendStringInfo(line, " $p%u", program_regs(program)[reg].param);
	else if (program_regs(program)[reg].supplied)
		appendStringInfo(line, " $h%u", program_regs(program)[reg].param);
	else
		appendStringInfo(line, " r%u", reg);
}

/* The name of the field that is extracted, or cut down to */
static void
append_field(StringInfo line, const Program *program, List *params, uint16 reg)
{
	const Const *number;
	const char *name;

	if (!program_regs(program)[reg].uniform)
		return;
	number = list_nth(params, program_regs(program)[reg].param);
	if (!IsA(number, Const))
		return;
	name = gpuscan_offload_field_name(number->consttype == INT4OID ?
									  DatumGetInt32(number->constvalue) : DatumGetInt64(number->constvalue));
	if (name != NULL)
		appendStringInfo(line, " (%s)", name);
}

static void
describe_instr(StringInfo line, const Program *program, List *params, const ProgramInstr *instr)
{
	const ProgramOpInfo *info = &gpuscan_op_info[instr->op];
	const uint16 args[3] = {instr->a, instr->b, instr->c};

	if (instr->dst != PROGRAM_NO_REG)
		appendStringInfo(line, "r%u := ", instr->dst);
	append_name(line, info->name);
	if (instr->op == OP_LOAD)
	{
		const ProgramAttr *attr = &program_attrs(program)[instr->a];

		appendStringInfo(line, " column %d (%s", attr->attnum, gpuscan_type_info[attr->type].name);
		if (attr->missing != PROGRAM_NO_REG)
			appendStringInfo(line, ", missing $p%u", attr->missing);
		if (instr->b == LOAD_STORED)
			appendStringInfoString(line, ", with its blanks");
		appendStringInfoChar(line, ')');
	}
	for (int i = 0; i < info->nargs; i++)
		append_reg(line, program, args[i]);
	if (instr->op == OP_DATE_FIELD || instr->op == OP_TIMESTAMP_FIELD || instr->op == OP_TIMESTAMP_TRUNC)
		append_field(line, program, params, instr->a);
}

List *
gpuscan_offload_describe(const OffloadedProgram *offloaded, List *context)
{
	const Program *program = offloaded->program;
	List	   *lines = NIL;
	ListCell   *lc;
	int			depth = 0;

	foreach(lc, offloaded->params)
		lines = lappend(lines, makeString(psprintf("$p%d = %s", foreach_current_index(lc),
												   deparse_expression(lfirst(lc), context, false, false))));
	foreach(lc, offloaded->supplied)
		lines = lappend(lines, makeString(psprintf("$h%d = %s", foreach_current_index(lc),
												   deparse_expression(lfirst(lc), context, false, false))));
	for (int i = 0; i < program->ninstrs; i++)
	{
		const ProgramInstr *instr = &program_instrs(program)[i];
		StringInfoData line;

		if (instr->op == OP_MASK_END)
		{
			depth--;
			continue;			/* shown by the indentation */
		}
		initStringInfo(&line);
		appendStringInfoSpaces(&line, 2 * depth);
		describe_instr(&line, program, offloaded->params, instr);
		if (instr->op >= OP_MASK_TRUE && instr->op <= OP_MASK_NULL)
			depth++;
		lines = lappend(lines, makeString(line.data));
	}
	for (int i = 0; i < program->nkeys; i++)
	{
		const ProgramKey *key = &program_keys(program)[i];
		StringInfoData line;

		initStringInfo(&line);
		appendStringInfoString(&line, "key");
		append_reg(&line, program, key->reg);
		appendStringInfo(&line, " (%s)", gpuscan_type_info[key->type].name);
		lines = lappend(lines, makeString(line.data));
	}
	for (int i = 0; i < program->naggs; i++)
	{
		const ProgramAgg *agg = &program_aggs(program)[i];
		StringInfoData line;

		initStringInfo(&line);
		append_name(&line, gpuscan_agg_info[agg->kind].name);
		if (agg->arg != PROGRAM_NO_REG)
			append_reg(&line, program, agg->arg);
		if (agg->filter != PROGRAM_NO_REG)
		{
			appendStringInfoString(&line, " filter");
			append_reg(&line, program, agg->filter);
		}
		lines = lappend(lines, makeString(line.data));
	}
	return lines;
}
