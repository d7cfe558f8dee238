/*-------------------------------------------------------------------------
 *
 * assemble.h
 *	  Programs put together by hand, as one block of its exact size.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_ASSEMBLE_H
#define UNIT_ASSEMBLE_H

#include <stdlib.h>
#include <string.h>

#include "program/program.h"

#define ASSEMBLE_INSTRS		600
#define ASSEMBLE_PARAMS		300
#define ASSEMBLE_ATTRS		64

typedef struct Assembly
{
	ProgramReg	regs[PROGRAM_MAX_REGS];
	ProgramInstr instrs[ASSEMBLE_INSTRS];
	ProgramAttr attrs[ASSEMBLE_ATTRS];
	ProgramLayout layout[ASSEMBLE_ATTRS];
	ProgramKey	keys[PROGRAM_MAX_KEYS];
	ProgramAgg	aggs[PROGRAM_MAX_AGGS];
	ProgramValue params[ASSEMBLE_PARAMS];
	uint16_t	nregs,
				ninstrs,
				nattrs,
				nlayout,
				nparams,
				nkeys,
				naggs,
				nsupplied;
	bool		grouped;
} Assembly;

static uint16_t
asm_param(Assembly *as, ProgramValue value)
{
	as->params[as->nparams] = value;
	return as->nparams++;
}

static uint16_t
asm_uniform(Assembly *as, ProgramValue value)
{
	as->regs[as->nregs] = (ProgramReg) {value.kind, 1, asm_param(as, value), 0, 0};
	return as->nregs++;
}

/* An instruction with a result; returns its register. */
static uint16_t
asm_compute(Assembly *as, uint16_t op, uint8_t kind, uint16_t a, uint16_t b, uint16_t c)
{
	as->regs[as->nregs] = (ProgramReg) {kind, 0, 0, 0, 0};
	as->instrs[as->ninstrs++] = (ProgramInstr) {op, as->nregs, a, b, c, 0};
	return as->nregs++;
}

/* ... and one without: FILTER, MASK_* */
static void
asm_do(Assembly *as, uint16_t op, uint16_t a)
{
	as->instrs[as->ninstrs++] = (ProgramInstr) {op, PROGRAM_NO_REG, a, 0, 0, 0};
}

static uint16_t
asm_load(Assembly *as, uint16_t attr)
{
	return asm_compute(as, OP_LOAD, gpuscan_type_info[as->attrs[attr].type].kind, attr, 0, 0);
}

/* A bpchar with its blanks, where 'blanks' is and it can be had; else as asm_load. */
static uint16_t
asm_load_text(Assembly *as, uint16_t attr, bool blanks)
{
	blanks = blanks && as->attrs[attr].type == TYPE_BPCHAR && as->attrs[attr].missing == PROGRAM_NO_REG;
	return blanks ? asm_compute(as, OP_LOAD, VALUE_TEXT, attr, LOAD_STORED, 0) : asm_load(as, attr);
}

static void
asm_key(Assembly *as, uint16_t reg, uint8_t type)
{
	as->keys[as->nkeys++] = (ProgramKey) {reg, type, 0};
	as->grouped = true;
}

static void
asm_agg(Assembly *as, uint8_t kind, uint16_t arg, uint16_t filter)
{
	as->aggs[as->naggs++] = (ProgramAgg) {kind, 0, arg, filter, 0};
	as->grouped = true;
}

static uint32_t
asm_section(char *block, uint32_t *at, const void *section, size_t size)
{
	uint32_t	offset = *at;

	if (block)
		memcpy(block + offset, section, size);
	*at += (uint32_t) size;
	return offset;
}

/* The caller frees it. */
static Program *
asm_finish(const Assembly *as)
{
	Program    *program = NULL;

	for (int pass = 0; pass < 2; pass++)
	{
		Program		head = {.magic = PROGRAM_MAGIC,.version = PROGRAM_VERSION};
		uint32_t	at = sizeof(Program);
		char	   *block = (char *) program;

		head.nregs = as->nregs;
		head.ninstrs = as->ninstrs;
		head.nattrs = as->nattrs;
		head.nlayout = as->nlayout;
		head.nparams = as->nparams;
		head.nkeys = as->nkeys;
		head.naggs = as->naggs;
		head.grouped = as->grouped;
		head.nsupplied = as->nsupplied;
		head.regs = asm_section(block, &at, as->regs, as->nregs * sizeof *as->regs);
		head.instrs = asm_section(block, &at, as->instrs, as->ninstrs * sizeof *as->instrs);
		head.attrs = asm_section(block, &at, as->attrs, as->nattrs * sizeof *as->attrs);
		head.layout = asm_section(block, &at, as->layout, as->nlayout * sizeof *as->layout);
		head.keys = asm_section(block, &at, as->keys, as->nkeys * sizeof *as->keys);
		head.aggs = asm_section(block, &at, as->aggs, as->naggs * sizeof *as->aggs);
		head.size = at;
		if (pass == 0)
			program = malloc(at);
		else
			*program = head;
	}
	return program;
}

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */

static inline ProgramValue
value_null(uint8_t kind)
{
	return (ProgramValue) {.kind = kind,.null = 1};
}

static inline ProgramValue
value_integer(uint8_t kind, int64_t integer)
{
	return (ProgramValue) {.kind = kind,.u.integer = integer};
}

#endif							/* UNIT_ASSEMBLE_H */
