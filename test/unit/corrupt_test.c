/*-------------------------------------------------------------------------
 *
 * corrupt_test.c
 *	  Damaged pages through the whole engine: it reports a row, or makes of it
 *	  what it can; it never reads or writes where it must not.
 *
 *-------------------------------------------------------------------------
 */
// link: src/engine/cpu/*.c src/program/verify.c src/program/program_tables.c
#include "engine/cpu/cpu.h"
#include "generate.h"
#include "memory.h"
#include "tap.h"

static const char *const levels[] = {"base", "avx2", "avx512"};

typedef struct Tally
{
	uint32_t	corrupt;
	uint32_t	whole;			/* batches that gave values */
	uint64_t	wrong;
	uint64_t	sum;
} Tally;

/* Touch all that the engine hands out. */
static void
run_batch(EngineRun *run, const Program *program, Batch *batch, Tally *tally)
{
	const Engine *engine = &gpuscan_engine_cpu;
	const EngineResult *result;

	engine->submit(run, batch);
	result = engine->collect(run);
	if (result->corrupt >= 0)
	{
		tally->corrupt++;
		tally->wrong += (uint32_t) result->corrupt >= batch->nrows;
		engine->release(run);
		return;
	}
	tally->whole++;
	tally->wrong += result->nrows + result->npunted > batch->nrows;
	for (uint32_t i = 0; i < result->nrows; i++)
		tally->wrong += result->rows[i] >= batch->nrows || (i > 0 && result->rows[i] <= result->rows[i - 1]);
	for (uint32_t i = 0; i < result->npunted; i++)
		tally->wrong += result->punted[i] >= batch->nrows || (i > 0 && result->punted[i] <= result->punted[i - 1]);
	if (program->grouped)
		engine->absorb(run, NULL, NULL, 0);
	else
		engine->release(run);
}

static void
walk_groups(EngineRun *run, const Program *program, Tally *tally)
{
	uint64_t	cursor = 0;
	EngineGroup group;

	while (program->grouped && gpuscan_engine_cpu.next_group(run, &cursor, &group))
	{
		char		buf[8192];
		uint32_t	hash;

		for (uint32_t k = 0; k < program->nkeys; k++)
			if (!group.keys[k].null && group.keys[k].kind == VALUE_TEXT)
				for (uint32_t i = 0; i < group.keys[k].len; i++)
					tally->sum += (uint8_t) group.keys[k].u.ptr[i];
		for (uint32_t a = 0; a < program->naggs; a++)
			tally->sum += (uint64_t) group.aggs[a].count;
		tally->sum += gpuscan_engine_cpu.dump_group(run, group.group, buf, sizeof buf, &hash);
	}
}

/* Some bytes of the pages: anywhere behind the header, or in the first bytes of a tuple. */
static void
damage(Rng *rng, Rows *rows)
{
	for (int n = rng_range(rng, 1, 6); n > 0; n--)
	{
		Page	   *page = &rows->pages[rng_below(rng, rows->batch.npages)];
		uint32_t	at = PAGE_HEADER + rng_below(rng, page->blcksz - PAGE_HEADER);

		if (page->nitems > 0 && rng_chance(rng, 70))
		{
			uint32_t	item = load_u32(page->data + PAGE_HEADER + 4 * rng_below(rng, page->nitems));

			at = (item & 0x7FFF) + rng_below(rng, 80);
			if (rng_chance(rng, 5))
				at = PAGE_HEADER + rng_below(rng, 4u * page->nitems);
			if (at >= page->blcksz)
				continue;
		}
		page->data[at] = rng_chance(rng, 40) ? (char) rng_next(rng) : (char) (page->data[at] ^ 1 << rng_below(rng, 8));
	}
}

/* One table and program; its pages damaged a little more each time. */
static void
round_of_damage(uint64_t seed, Tally *tally)
{
	static Table table;
	static Generator gen;
	Rng			rng = {seed};
	Memory		memory;
	EngineRun  *run;
	Program    *program;

	table_random(&rng, &table);
	program = gen_program(&gen, &rng, &table);
	if (!gpuscan_cpu_set_level(RNG_PICK(&rng, levels)))
		gpuscan_cpu_set_level("base");
	memory_init(&memory);
	run = gpuscan_engine_cpu.open(program, gen.as.params, &memory.face);
	for (int b = 0; b < 8; b++)
	{
		Rows	   *rows = rows_new(&rng, &table, 1 + rng_below(&rng, 60));

		for (int k = 0; k < 12 && rows->batch.npages > 0; k++)
		{
			run_batch(run, program, &rows->batch, tally);
			damage(&rng, rows);
		}
		rows_free(rows);
	}
	walk_groups(run, program, tally);
	memory_reset(&memory);
	table_free(&table);
	free(program);
}

/* corrupt_test [ROUNDS] */
int
main(int argc, char **argv)
{
	uint64_t	rounds = argc > 1 ? (uint64_t) atoi(argv[1]) : 2500;
	Tally		tally = {0};

	for (uint64_t seed = 1; seed <= rounds; seed++)
		round_of_damage(seed, &tally);
	ok(tally.wrong == 0, "rows of a damaged page are rows of its batch, in order");
	ok(tally.corrupt > rounds && tally.whole > rounds, "%u batches reported as corrupt, %u run", tally.corrupt, tally.whole);
	diag("checksum %llu", (unsigned long long) tally.sum);
	return tap_done();
}
