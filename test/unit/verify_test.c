/*-------------------------------------------------------------------------
 *
 * verify_test.c
 *	  The verifier: sound programs pass, and what passes is safe to run.
 *
 * Sound programs are changed in one field or in some bytes.  Each is either
 * refused, or the engine runs it under the sanitizers, whatever comes out.
 *
 *-------------------------------------------------------------------------
 */
// link: src/engine/cpu/*.c src/program/verify.c src/program/program_tables.c
#include "engine/cpu/cpu.h"
#include "generate.h"
#include "memory.h"
#include "tap.h"

/* A sound program, and rows for it. */
typedef struct Subject
{
	Rng			rng;
	Table		table;
	Generator	gen;
	Program    *program;
	Rows	   *rows;
	ProgramValue params[ASSEMBLE_PARAMS];
} Subject;

static ProgramValue nothing_supplied[BATCH_MAX_ROWS];

static void
subject_init(Subject *subject, uint64_t seed)
{
	Program    *program = NULL;

	subject->rng.state = seed;
	table_random(&subject->rng, &subject->table);
	do
	{
		free(program);
		program = gen_program(&subject->gen, &subject->rng, &subject->table);
	} while (program->size > 1500);
	subject->program = program;
	subject->rows = rows_new(&subject->rng, &subject->table, 40);
}

static void
subject_free(Subject *subject)
{
	rows_free(subject->rows);
	table_free(&subject->table);
	free(subject->program);
}

/* A change may give a parameter another kind: whoever calls the engine gives what the program asks for. */
static const ProgramValue *
params_for(Subject *subject, const Program *program)
{
	uint8_t		kinds[ASSEMBLE_PARAMS];

	memset(kinds, VALUE_KINDS, sizeof kinds);
	for (uint32_t r = 0; r < program->nregs; r++)
		if (program_regs(program)[r].uniform)
			kinds[program_regs(program)[r].param] = program_regs(program)[r].kind;
	for (uint32_t a = 0; a < program->nattrs; a++)
		if (program_attrs(program)[a].missing != PROGRAM_NO_REG)
			kinds[program_attrs(program)[a].missing] = gpuscan_type_info[program_attrs(program)[a].type].kind;
	for (uint32_t p = 0; p < program->nparams; p++)
	{
		const ProgramValue *given = &subject->gen.as.params[p];

		subject->params[p] = kinds[p] == VALUE_KINDS || (p < subject->gen.as.nparams && given->kind == kinds[p]) ?
			*given : value_null(kinds[p]);
	}
	return subject->params;
}

static uint64_t
run_engine(Subject *subject, const Program *program)
{
	Memory		memory;
	EngineRun  *run;
	const EngineResult *result;
	uint64_t	sum;

	memory_init(&memory);
	run = gpuscan_engine_cpu.open(program, params_for(subject, program), &memory.face);
	gpuscan_engine_cpu.submit(run, &subject->rows->batch);
	result = gpuscan_engine_cpu.collect(run);
	sum = result->nrows + result->npunted;
	if (result->corrupt < 0 && program->grouped)
	{
		uint64_t	cursor = 0;
		EngineGroup group;

		for (uint32_t column = 0; column < program->nsupplied; column++)
			gpuscan_engine_cpu.supply(run, column, nothing_supplied, NULL);
		gpuscan_engine_cpu.absorb(run, NULL, NULL, 0);
		while (gpuscan_engine_cpu.next_group(run, &cursor, &group))
			sum += group.group;
	}
	else
		gpuscan_engine_cpu.release(run);
	memory_reset(&memory);
	return sum;
}

typedef struct Tally
{
	uint32_t	refused;
	uint32_t	run;
	uint64_t	sum;
} Tally;

/* Refused, or run.  The block is of its exact size, as it says or not. */
static void
try_program(Subject *subject, const char *bytes, Tally *tally)
{
	uint32_t	size = subject->program->size;
	char	   *block = malloc(size);
	const Program *program = (const Program *) memcpy(block, bytes, size);

	if (gpuscan_program_verify(program, size) != NULL)
		tally->refused++;
	else if (program->nparams <= ASSEMBLE_PARAMS)
	{
		tally->run++;
		tally->sum += run_engine(subject, program);
	}
	free(block);
}

/* ------------------------------------------------------------------------ */

static void
test_sound(void)
{
	static Subject subject;
	int			wrong = 0;

	for (uint64_t seed = 1; seed <= 300; seed++)
	{
		const char *why;

		subject_init(&subject, seed);
		why = gpuscan_program_verify(subject.program, subject.program->size);
		if (why && wrong++ == 0)
			diag("seed %llu: %s", (unsigned long long) seed, why);
		/* nor does it pass at another size */
		wrong += gpuscan_program_verify(subject.program, subject.program->size - 1) == NULL;
		wrong += gpuscan_program_verify(subject.program, 0) == NULL;
		subject_free(&subject);
	}
	ok(wrong == 0, "sound programs pass, at their size alone");
}

/* Each 16-bit field, and each byte, of the whole program takes values from a list. */
static void
test_fields(uint64_t nprograms)
{
	static const uint16_t values[] = {0, 1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 1024, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF};
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 1000; seed < 1000 + nprograms; seed++)
	{
		uint32_t	size;
		char	   *bytes;

		subject_init(&subject, seed);
		size = subject.program->size;
		bytes = malloc(size);
		/* every third field: the others are the next programs' turn */
		for (uint32_t at = 2 * (uint32_t) (seed % 3); at < size; at += 6)
			for (uint32_t v = 0; v < sizeof values / sizeof *values + 4; v++)
			{
				uint16_t	field;

				memcpy(bytes, subject.program, size);
				memcpy(&field, bytes + at, 2);
				if (v < sizeof values / sizeof *values)
					field = values[v];
				else if (v % 2)
					field = (uint16_t) (field + 1 + (v % 4 == 3) * 255);
				else
					field = (uint16_t) (field - 1 - (v % 4 == 0) * 255);
				memcpy(bytes + at, &field, 2);
				try_program(&subject, bytes, &tally);
			}
		free(bytes);
		subject_free(&subject);
	}
	ok(tally.refused > 1000 && tally.run > 1000, "one field changed: refused or run");
	diag("%u refused, %u run, checksum %llu", tally.refused, tally.run, (unsigned long long) tally.sum);
}

static void
test_bytes(uint64_t nprograms)
{
	static Subject subject;
	Tally		tally = {0};

	for (uint64_t seed = 5000; seed < 5000 + nprograms; seed++)
	{
		char	   *bytes;

		subject_init(&subject, seed);
		bytes = malloc(subject.program->size);
		for (int round = 0; round < 400; round++)
		{
			memcpy(bytes, subject.program, subject.program->size);
			for (int n = rng_range(&subject.rng, 1, 4); n > 0; n--)
			{
				uint32_t	at = rng_below(&subject.rng, subject.program->size);

				bytes[at] = rng_chance(&subject.rng, 50) ? (char) rng_next(&subject.rng) :
					(char) (bytes[at] ^ 1 << rng_below(&subject.rng, 8));
			}
			try_program(&subject, bytes, &tally);
		}
		free(bytes);
		subject_free(&subject);
	}
	ok(tally.refused > 1000 && tally.run > 100, "random bytes changed: refused or run");
	diag("%u refused, %u run, checksum %llu", tally.refused, tally.run, (unsigned long long) tally.sum);
}

/* What the verifier is for, case by case. */
static void
test_refusals(void)
{
	static Assembly as;
	static const struct
	{
		const char *what;
		ProgramInstr instrs[3];
		int			ninstrs;
	}			cases[] = {
		{"register read before it is written", {{OP_NOT, 1, 0, 0, 0, 0}}, 1},
		{"register written twice", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_LOAD, 0, 0, 0, 0, 0}}, 2},
		{"register out of range", {{OP_LOAD, 9, 0, 0, 0, 0}}, 1},
		{"attribute out of range", {{OP_LOAD, 0, 1, 0, 0, 0}}, 1},
		{"attribute that cannot be loaded as stored", {{OP_LOAD, 0, 0, LOAD_STORED, 0, 0}}, 1},
		{"result of the wrong kind", {{OP_LOAD, 2, 0, 0, 0, 0}}, 1},
		{"operand of the wrong kind", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_NEG_INT32, 2, 0, 0, 0, 0}}, 2},
		{"uniform register written", {{OP_LOAD, 3, 0, 0, 0, 0}}, 1},
		{"unknown operator", {{PROGRAM_OPS, 0, 0, 0, 0, 0}}, 1},
		{"mask not closed", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_MASK_TRUE, PROGRAM_NO_REG, 0, 0, 0, 0}}, 2},
		{"mask closed that was not opened", {{OP_MASK_END, PROGRAM_NO_REG, 0, 0, 0, 0}}, 1},
		{"filter under a mask", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_MASK_TRUE, PROGRAM_NO_REG, 0, 0, 0, 0}, {OP_FILTER, PROGRAM_NO_REG, 0, 0, 0, 0}}, 3},
		{"select between two kinds", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_SELECT, 1, 0, 0, 4, 0}}, 2},
		{"result where there is none", {{OP_LOAD, 0, 0, 0, 0, 0}, {OP_FILTER, 1, 0, 0, 0, 0}}, 2},
		{"supplied register written", {{OP_LOAD, 5, 0, 0, 0, 0}}, 1},
		{"register read before it is written", {{OP_NOT, 1, 5, 0, 0, 0}}, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Program    *program;
		const char *why;

		memset(&as, 0, sizeof as);
		as.attrs[0] = (ProgramAttr) {1, TYPE_BOOL, -1, PROGRAM_NO_REG, 0};
		as.layout[0] = (ProgramLayout) {1, 1, 0};
		as.nattrs = as.nlayout = 1;
		as.regs[0] = as.regs[1] = (ProgramReg) {VALUE_BOOL, 0, 0};
		as.regs[2] = (ProgramReg) {VALUE_INT32, 0, 0};
		as.regs[3] = (ProgramReg) {VALUE_BOOL, 1, 0};
		as.regs[4] = (ProgramReg) {VALUE_INT32, 1, 1};
		as.regs[5] = (ProgramReg) {.kind = VALUE_BOOL,.supplied = 1};
		as.nregs = 6;
		as.nparams = 2;
		as.nsupplied = 1;
		asm_agg(&as, AGG_COUNT, 5, PROGRAM_NO_REG);
		memcpy(as.instrs, cases[i].instrs, sizeof cases[i].instrs);
		as.ninstrs = (uint16_t) cases[i].ninstrs;
		program = asm_finish(&as);
		why = gpuscan_program_verify(program, program->size);
		ok(why && strcmp(why, cases[i].what) == 0, "refused: %s", cases[i].what);
		if (why == NULL || strcmp(why, cases[i].what) != 0)
			diag("said: %s", why ? why : "nothing");
		free(program);
	}
}

/* Columns of the host: what is wrong with a program that counts one. */
static void
test_supplied(void)
{
	static Assembly as;
	static const struct
	{
		const char *what;		/* NULL: sound */
		ProgramReg	reg;
		int			nsupplied;
		int			agg;
	}			cases[] = {
		{NULL, {.kind = VALUE_TEXT,.supplied = 1}, 1, AGG_COUNT},
		{NULL, {.kind = VALUE_INT32,.supplied = 1,.param = 1}, 2, AGG_SUM_INT32},
		{"supplied column out of range", {.kind = VALUE_TEXT,.supplied = 1,.param = 1}, 1, AGG_COUNT},
		{"register supplied in no known way", {.kind = VALUE_TEXT,.supplied = 2}, 1, AGG_COUNT},
		{"register supplied in no known way", {.kind = VALUE_TEXT,.supplied = 1,.uniform = 1}, 1, AGG_COUNT},
		{"operand of the wrong kind", {.kind = VALUE_TEXT,.supplied = 1}, 1, AGG_SUM_INT32},
		{"too many supplied columns", {.kind = VALUE_TEXT,.supplied = 1}, PROGRAM_MAX_KEYS + PROGRAM_MAX_AGGS + 1, AGG_COUNT},
		{"too many supplied columns", {.kind = VALUE_TEXT,.supplied = 1}, 1, -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Program    *program;
		const char *why;

		memset(&as, 0, sizeof as);
		as.regs[0] = cases[i].reg;
		as.nregs = 1;
		as.nsupplied = (uint16_t) cases[i].nsupplied;
		if (cases[i].agg >= 0)
			asm_agg(&as, (uint8_t) cases[i].agg, 0, PROGRAM_NO_REG);
		program = asm_finish(&as);
		why = gpuscan_program_verify(program, program->size);
		ok(cases[i].what == NULL ? why == NULL : why && strcmp(why, cases[i].what) == 0,
		   "a column of the host: %s", cases[i].what ? cases[i].what : "sound");
		free(program);
	}
}

/* verify_test [TIMES]: search longer */
int
main(int argc, char **argv)
{
	uint64_t	times = argc > 1 ? (uint64_t) atoi(argv[1]) : 1;

	for (uint32_t i = 0; i < BATCH_MAX_ROWS; i++)
		nothing_supplied[i].null = 1;
	test_sound();
	test_refusals();
	test_supplied();
	test_fields(36 * times);
	test_bytes(500 * times);
	return tap_done();
}
