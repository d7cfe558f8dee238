/*-------------------------------------------------------------------------
 *
 * subject.h
 *	  What the fuzzers start from: a table, a sound program and rows, all from
 *	  the first bytes of the input.  The other bytes are changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_SUBJECT_H
#define FUZZ_SUBJECT_H

#include "engine/cpu/cpu.h"
#include "generate.h"
#include "memory.h"

#define SUBJECT_SEED	2		/* bytes of the input */
#define SUBJECT_ROWS	40

typedef struct Subject
{
	Rng			rng;
	Table		table;
	Generator	gen;
	Program    *program;
	Rows	   *rows;
	ProgramValue params[ASSEMBLE_PARAMS];
} Subject;

static void
subject_init(Subject *subject, const uint8_t *seed)
{
	static const char *const levels[] = {"base", "avx2", "avx512"};

	subject->rng.state = (uint64_t) seed[0] << 8 | seed[1];
	if (!gpuscan_cpu_set_level(levels[seed[0] % 3]))
		gpuscan_cpu_set_level("base");
	table_random(&subject->rng, &subject->table);
	subject->program = gen_program(&subject->gen, &subject->rng, &subject->table);
	subject->rows = rows_new(&subject->rng, &subject->table, SUBJECT_ROWS);
}

static void
subject_free(Subject *subject)
{
	rows_free(subject->rows);
	table_free(&subject->table);
	free(subject->program);
}

/* A parameter of the kind that the program asks for, whatever was changed in it. */
static const ProgramValue *
subject_params(Subject *subject, const Program *program)
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

/* Run a verified program over the rows, and touch all that comes out. */
static void
subject_run(Subject *subject, const Program *program)
{
	static ProgramValue nothing[BATCH_MAX_ROWS];
	const Engine *engine = &gpuscan_engine_cpu;
	const Batch *batch = &subject->rows->batch;
	volatile uint64_t sum = 0;
	Memory		memory;
	EngineRun  *run;
	const EngineResult *result;

	memory_init(&memory);
	run = engine->open(program, subject_params(subject, program), &memory.face);
	engine->submit(run, &subject->rows->batch);
	result = engine->collect(run);
	if (result->corrupt >= 0)
	{
		if ((uint32_t) result->corrupt >= batch->nrows)
			abort();
		engine->release(run);
	}
	else
	{
		if (result->nrows + result->npunted > batch->nrows)
			abort();
		for (uint32_t i = 0; i < result->nrows; i++)
			if (result->rows[i] >= batch->nrows || (i > 0 && result->rows[i] <= result->rows[i - 1]))
				abort();
		for (uint32_t i = 0; i < result->npunted; i++)
			if (result->punted[i] >= batch->nrows || (i > 0 && result->punted[i] <= result->punted[i - 1]))
				abort();
	}
	if (result->corrupt < 0 && !program->grouped)
		engine->release(run);
	if (result->corrupt < 0 && program->grouped)
	{
		uint64_t	cursor = 0;
		EngineGroup group;

		for (uint32_t i = 0; i < BATCH_MAX_ROWS; i++)
			nothing[i].null = 1;
		for (uint32_t column = 0; column < program->nsupplied; column++)
			engine->supply(run, column, nothing, NULL);
		engine->absorb(run, NULL, NULL, 0);
		while (engine->next_group(run, &cursor, &group))
		{
			char		buf[8192];
			uint32_t	hash;

			for (uint32_t k = 0; k < program->nkeys; k++)
				if (!group.keys[k].null && group.keys[k].kind == VALUE_TEXT)
					for (uint32_t i = 0; i < group.keys[k].len; i++)
						sum += (uint8_t) group.keys[k].u.ptr[i];
			for (uint32_t a = 0; a < program->naggs; a++)
				sum += (uint64_t) group.aggs[a].count;
			sum += engine->dump_group(run, group.group, buf, sizeof buf, &hash);
		}
	}
	memory_reset(&memory);
}

#endif							/* FUZZ_SUBJECT_H */
