/*-------------------------------------------------------------------------
 *
 * describe.h
 *	  A program in words, for the report of a test that failed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_DESCRIBE_H
#define UNIT_DESCRIBE_H

#include "program/program.h"
#include "table.h"
#include "tap.h"

static void
describe_program(const Program *program, const Table *table)
{
	static const char *const kinds[] = {"bool", "int32", "int64", "numeric", "text", "float64"};

	for (uint32_t i = 0; i < program->nattrs; i++)
	{
		const ProgramAttr *attr = &program_attrs(program)[i];
		const Column *column = &table->columns[attr->attnum - 1];

		diag("attribute %u: column %d %s, scale %d, profile %d, %d%% null, %d%% odd", i, attr->attnum,
			 gpuscan_type_info[attr->type].name, attr->scale, column->profile, column->null_percent, column->odd_percent);
	}
	for (uint32_t i = 0; i < program->ninstrs; i++)
	{
		const ProgramInstr *instr = &program_instrs(program)[i];
		const ProgramOpInfo *info = &gpuscan_op_info[instr->op];
		const uint16_t args[] = {instr->a, instr->b, instr->c};
		char		line[200];
		int			at = 0;

		if (instr->dst != PROGRAM_NO_REG)
			at = sprintf(line, "r%u %s := ", instr->dst, kinds[program_regs(program)[instr->dst].kind]);
		at += sprintf(line + at, "%s", info->name);
		for (int k = 0; k < info->nargs; k++)
			at += sprintf(line + at, program_regs(program)[args[k]].uniform ? " $%u" : " r%u", args[k]);
		if (instr->op == OP_LOAD)
			sprintf(line + at, " %u", instr->a);
		diag("%s", line);
	}
	for (uint32_t k = 0; k < program->nkeys; k++)
		diag("key r%u", program_keys(program)[k].reg);
	for (uint32_t a = 0; a < program->naggs; a++)
		diag("%s(r%u) filter r%u", gpuscan_agg_info[program_aggs(program)[a].kind].name,
			 program_aggs(program)[a].arg, program_aggs(program)[a].filter);
}

#endif							/* UNIT_DESCRIBE_H */
