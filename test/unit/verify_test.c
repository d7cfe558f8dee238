/*-------------------------------------------------------------------------
 *
 * verify_test.c
 *	  The verifier: what is wrong is found, and what passes can be walked.
 *
 * link: src/program/verify.c src/program/program_tables.c
 *
 * A sound program is broken in every way that verify.c names, and then by
 * chance.  The block lies at the end of an allocation, so that reading past it
 * is seen; what passes is walked as an engine would.
 *
 *-------------------------------------------------------------------------
 */
#include <stddef.h>
#include <string.h>

#include "program/program.h"
#include "rng.h"
#include "tap.h"

#define MUTATIONS	400000

/* sum(a) filter (where a is not null) of rows with a = $0, a int4, by b text */
typedef struct Sample
{
	Program		head;
	ProgramReg	regs[6];
	ProgramInstr instrs[7];
	ProgramAttr attrs[2];
	ProgramLayout layout[3];
	ProgramKey	keys[1];
	ProgramAgg	aggs[2];
} Sample;

static Sample
sample(void)
{
	Sample		s;

	memset(&s, 0, sizeof s);
	s.head = (Program)
	{
		.magic = PROGRAM_MAGIC, .version = PROGRAM_VERSION, .size = sizeof s,
		.nregs = 6, .ninstrs = 7, .nattrs = 2, .nlayout = 3, .nparams = 2,
		.nkeys = 1, .naggs = 2, .grouped = 1,
		.regs = offsetof(Sample, regs), .instrs = offsetof(Sample, instrs),
		.attrs = offsetof(Sample, attrs), .layout = offsetof(Sample, layout),
		.keys = offsetof(Sample, keys), .aggs = offsetof(Sample, aggs)
	};
	s.regs[0] = (ProgramReg) {VALUE_INT32, 0, 0};
	s.regs[1] = (ProgramReg) {VALUE_INT32, 1, 0};
	s.regs[2] = (ProgramReg) {VALUE_BOOL, 0, 0};
	s.regs[3] = (ProgramReg) {VALUE_TEXT, 0, 0};
	s.regs[4] = (ProgramReg) {VALUE_BOOL, 0, 0};
	s.regs[5] = (ProgramReg) {VALUE_INT32, 0, 0};
	s.instrs[0] = (ProgramInstr) {OP_LOAD, 0, 0, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.instrs[1] = (ProgramInstr) {OP_EQ_INT32, 2, 0, 1, PROGRAM_NO_REG, 0};
	s.instrs[2] = (ProgramInstr) {OP_FILTER, PROGRAM_NO_REG, 2, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.instrs[3] = (ProgramInstr) {OP_LOAD, 3, 1, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.instrs[4] = (ProgramInstr) {OP_MASK_TRUE, PROGRAM_NO_REG, 2, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.instrs[5] = (ProgramInstr) {OP_ADD_INT32, 5, 0, 1, PROGRAM_NO_REG, 0};
	s.instrs[6] = (ProgramInstr) {OP_MASK_END, PROGRAM_NO_REG, PROGRAM_NO_REG, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.attrs[0] = (ProgramAttr) {1, TYPE_INT4, -1, PROGRAM_NO_REG, 0};
	s.attrs[1] = (ProgramAttr) {3, TYPE_TEXT, -1, 1, 0};
	s.layout[0] = (ProgramLayout) {4, 4, 0};
	s.layout[1] = (ProgramLayout) {-2, 1, 0};
	s.layout[2] = (ProgramLayout) {-1, 4, 0};
	s.keys[0] = (ProgramKey) {3, TYPE_TEXT, 0};
	s.aggs[0] = (ProgramAgg) {AGG_SUM_INT32, 0, 5, 2, 0};
	s.aggs[1] = (ProgramAgg) {AGG_COUNT_STAR, 0, PROGRAM_NO_REG, PROGRAM_NO_REG, 0};
	s.regs[4].uniform = 0;
	return s;
}

/* The answer for a copy that ends where its allocation ends. */
static const char *
verdict(const void *program, uint32_t size)
{
	void	   *copy = malloc(size ? size : 1);
	const char *wrong;

	memcpy(copy, program, size);
	wrong = gpuscan_program_verify(copy, size);
	free(copy);
	return wrong;
}

static void
broken(const char *expected, const Sample *s)
{
	const char *wrong = verdict(s, sizeof *s);

	if (!ok(wrong != NULL && strcmp(wrong, expected) == 0, "%s", expected))
		diag("got: %s", wrong ? wrong : "sound");
}

#define BROKEN(expected, change) \
	do { Sample s = sample(); change; broken(expected, &s); } while (0)

/* What an engine does with a program that passed: index with what it says. */
static uint32_t
walk(const Program *p)
{
	uint8_t		held[PROGRAM_MAX_REGS] = {0};
	uint32_t	sum = 0;

	for (int i = 0; i < p->ninstrs; i++)
	{
		const ProgramInstr *instr = &program_instrs(p)[i];
		const uint16_t args[3] = {instr->a, instr->b, instr->c};

		for (int arg = 0; arg < gpuscan_op_info[instr->op].nargs; arg++)
			sum += held[args[arg]] + program_regs(p)[args[arg]].kind;
		if (instr->op == OP_LOAD)
			sum += program_layout(p)[program_attrs(p)[instr->a].attnum - 1].attalign;
		if (instr->dst != PROGRAM_NO_REG)
			held[instr->dst] = (uint8_t) i;
	}
	for (int i = 0; i < p->nkeys; i++)
		sum += held[program_keys(p)[i].reg];
	for (int i = 0; i < p->naggs; i++)
		if (program_aggs(p)[i].arg != PROGRAM_NO_REG)
			sum += held[program_aggs(p)[i].arg];
	return sum;
}

static void
break_by_chance(void)
{
	Rng			rng = {20260101};
	uint32_t	passed = 0;
	uint32_t	sum = 0;

	for (int i = 0; i < MUTATIONS; i++)
	{
		Sample		s = sample();
		uint32_t	size = sizeof s;
		uint8_t    *copy;
		int			n = rng_range(&rng, 1, 3);

		while (n-- > 0)
		{
			uint32_t	at = rng_below(&rng, sizeof s);

			((uint8_t *) &s)[at] = rng_chance(&rng, 50) ? (uint8_t) rng_below(&rng, 8) : (uint8_t) rng_next(&rng);
		}
		if (rng_chance(&rng, 5))
		{
			size = rng_below(&rng, sizeof s);
			s.head.size = size;
		}
		copy = malloc(size + 1);
		memcpy(copy, &s, size);
		if (gpuscan_program_verify((const Program *) copy, size) == NULL)
		{
			passed++;
			sum += walk((const Program *) copy);
		}
		free(copy);
	}
	ok(passed > 100 && passed < MUTATIONS, "%u of %d mutations pass, and can be walked", passed, MUTATIONS);
	diag("%u", sum);
}

int
main(void)
{
	Sample		good = sample();
	const char *wrong = verdict(&good, sizeof good);

	if (!ok(wrong == NULL, "a sound program"))
		diag("%s", wrong);

	for (uint32_t size = 0; size < sizeof good; size++)
	{
		Sample		s = sample();

		s.head.size = size;
		if (verdict(&s, size) == NULL)
			ok(false, "cut at %u", size);
	}
	ok(true, "cut anywhere");

	BROKEN("not a program of this version", s.head.magic++);
	BROKEN("not a program of this version", s.head.version++);
	BROKEN("program is not as large as it says", s.head.size--);
	BROKEN("too many registers", s.head.nregs = PROGRAM_MAX_REGS + 1);
	BROKEN("too many instructions", s.head.ninstrs = PROGRAM_MAX_INSTRS + 1);
	BROKEN("too many attributes", s.head.nattrs = PROGRAM_MAX_ATTRS + 1);
	BROKEN("too many parameters", s.head.nparams = UINT16_MAX);
	BROKEN("too many keys", s.head.nkeys = PROGRAM_MAX_KEYS + 1);
	BROKEN("too many aggregates", s.head.naggs = PROGRAM_MAX_AGGS + 1);
	BROKEN("grouped is neither yes nor no", s.head.grouped = 2);
	BROKEN("keys or aggregates without groups", s.head.grouped = 0);
	BROKEN("a section leaves the program", s.head.aggs = UINT32_MAX - 1);
	BROKEN("a section leaves the program", s.head.instrs += sizeof(Sample));
	BROKEN("a section leaves the program", s.head.regs = 0);
	BROKEN("a section leaves the program", s.head.keys++);
	BROKEN("a section leaves the program", s.head.nregs = 1000);
	BROKEN("layout has an unknown length", s.layout[1].attlen = -3);
	BROKEN("layout has an unknown alignment", s.layout[1].attalign = 3);
	BROKEN("attribute of unknown type", s.attrs[0].type = PROGRAM_TYPES);
	BROKEN("attributes do not ascend", s.attrs[1].attnum = 1);
	BROKEN("attributes do not ascend", s.attrs[0].attnum = 0);
	BROKEN("attribute beyond the layout", s.attrs[1].attnum = 4);
	BROKEN("attribute does not lie as its type says", s.attrs[0].type = TYPE_INT8);
	BROKEN("attribute does not lie as its type says", s.layout[0].attalign = 2);
	BROKEN("parameter out of range", s.attrs[1].missing = 2);
	BROKEN("parameter out of range", s.regs[1].param = 2);
	BROKEN("parameter of two kinds", s.attrs[1].missing = 0);
	BROKEN("register of unknown kind", s.regs[4].kind = VALUE_KINDS);
	BROKEN("register neither uniform nor not", s.regs[4].uniform = 2);
	BROKEN("unknown operator", s.instrs[1].op = PROGRAM_OPS);
	BROKEN("register out of range", s.instrs[1].b = 6);
	BROKEN("register out of range", s.instrs[1].dst = 6);
	BROKEN("register read before it is written", s.instrs[1].a = 5);
	BROKEN("operand of the wrong kind", s.instrs[2].a = 0);
	BROKEN("uniform register written", s.instrs[0].dst = 1);
	BROKEN("register written twice", s.instrs[5].dst = 0);
	BROKEN("result of the wrong kind", s.instrs[0].dst = 2);
	BROKEN("attribute out of range", s.instrs[0].a = 2);
	BROKEN("result where there is none", s.instrs[2].dst = 4);
	BROKEN("filter under a mask", (s.instrs[2].op = OP_MASK_TRUE, s.instrs[4].op = OP_FILTER));
	BROKEN("mask not closed", s.instrs[6] = s.instrs[4]);
	BROKEN("mask closed that was not opened", s.instrs[4] = s.instrs[6]);
	BROKEN("key of unknown type", s.keys[0].type = PROGRAM_TYPES);
	BROKEN("operand of the wrong kind", s.keys[0].type = TYPE_DATE);
	BROKEN("register read before it is written", s.aggs[0].arg = 4);
	BROKEN("unknown aggregate", s.aggs[0].kind = PROGRAM_AGG_KINDS);
	BROKEN("aggregate with a wrong number of arguments", s.aggs[0].arg = PROGRAM_NO_REG);
	BROKEN("aggregate with a wrong number of arguments", s.aggs[1].arg = 0);
	BROKEN("operand of the wrong kind", s.aggs[0].filter = 0);
	BROKEN("select between two kinds",
		   s.instrs[5] = ((ProgramInstr) {OP_SELECT, 5, 2, 0, 3, 0}));

	break_by_chance();
	return tap_done();
}
