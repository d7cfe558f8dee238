/*-------------------------------------------------------------------------
 *
 * engine.h
 *	  What an engine is: it runs a program over batches.
 *
 * The node (exec/) opens a run, submits batches, collects their outcome in
 * the order of submission, settles the punted rows itself, and then either
 * returns the surviving rows or lets the engine absorb them into groups:
 *
 *	   submit -> collect -> (punted rows settled by the host) -> absorb
 *
 * An engine may have several batches in flight ('depth'); a batch must stay
 * as it is until it was absorbed or, without groups, released.
 *
 * Exactly once: nothing of a batch enters the groups before absorb, and then
 * the whole of it.
 *
 * An engine calls nothing of PostgreSQL.  Memory comes from EngineMemory,
 * whose alloc may leave by longjmp (the server's ereport): an engine keeps no
 * resource that only its own code could free.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_ENGINE_H
#define GPUSCAN_ENGINE_H

#include <stddef.h>

#include "heap/batch.h"
#include "program/program.h"

/* What an engine asks of its host: memory; alloc never returns NULL. */
typedef struct EngineMemory
{
	void	   *(*alloc) (void *context, size_t size);
	void	   *(*realloc) (void *context, void *ptr, size_t old_size, size_t size);
	void		(*free) (void *context, void *ptr);
	void	   *context;

	/*
	 * A varlena that is compressed within its row, decompressed: another with
	 * an uncompressed four-byte header, valid until the batch was absorbed or
	 * released.  NULL (also instead of the function): punt the row.
	 */
	const void *(*decompress) (void *context, const void *varlena);
	void	   *decompress_context;
} EngineMemory;

/* What became of a batch. */
typedef struct EngineResult
{
	Batch	   *batch;
	uint32_t	nrows;			/* rows that passed every filter ... */
	const uint16_t *rows;		/* ... their numbers in the batch, ascending */
	uint32_t	npunted;		/* rows the engine did not finish; the host evaluates
								 * them whole, from the first filter on */
	const uint16_t *punted;		/* ascending; disjoint from 'rows' */
	int32_t		corrupt;		/* a row whose lengths leave its line pointer's
								 * bounds, or -1: raise ERRCODE_DATA_CORRUPTED */
	const uint8_t *done;		/* a batch that is run again: a flag for each row that
								 * is in the groups already; or NULL */
	uint8_t		again;			/* it was absorbed before and is counted already */
	uint8_t		device;			/* not evaluated in this process: punts say nothing
								 * about the engine that would be used instead */
} EngineResult;

/* A batch that was submitted, maybe absorbed too, and is to be run again. */
typedef struct EngineLost
{
	uint64_t	ordinal;
	uint32_t	nrows;
	uint32_t	npages;
	uint32_t	blocks[BATCH_MAX_PAGES];
} EngineLost;

/* Counted over a run by engines that use a device. */
typedef struct EngineCounters
{
	uint64_t	jobs;
	uint64_t	bytes;			/* to the device */
	uint64_t	kernel_ns;
	uint64_t	checkpoints;	/* groups brought home */
	uint64_t	cpu_batches;	/* done by the CPU engine instead */
	uint64_t	redone;			/* batches that were lost and run again */
	const char *reason;			/* why the device was not used, last; or NULL */
	const char *device;			/* its name; or NULL */
} EngineCounters;

/* A punted row that passed the filters, as the host computed it. */
typedef struct EngineSettled
{
	uint16_t	row;			/* number in the batch */
	uint64_t	ordinal;		/* counted over the whole scan, as Batch.ordinal */
	const ProgramValue *keys;	/* program->nkeys */
	const ProgramValue *args;	/* program->naggs; null also when FILTER was not true */
	uint32_t	group;			/* out: its group, for foreign arguments */
	uint8_t		is_new;			/* out: the group's first row: its keys are those shown */
} EngineSettled;

/*
 * Limbs of 64 bits in a sum.  Five hold 2^63 values of 127 bits, aligned over
 * 36 decimals: a sum never overflows.
 */
#define ENGINE_SUM_LIMBS	5

/* A sum that left its type: which of PostgreSQL's errors that is */
typedef enum EngineOverflow
{
	OVERFLOW_NONE,
	OVERFLOW_FLOAT,				/* float.c float_overflow_error */
	OVERFLOW_INTERVAL			/* timestamp.c interval_pl */
} EngineOverflow;

/* One aggregate state of a group, as the engine hands it out. */
typedef struct EngineAggState
{
	int64_t		count;			/* rows with a non-null argument (passing FILTER) */
	uint8_t		isnull;			/* MIN/MAX: no value */
	int32_t		scale;			/* numerics: scale of sum or value */
	int32_t		dscale;			/* SUM_NUMERIC: largest scale among the inputs */
	uint64_t	sum[ENGINE_SUM_LIMBS];	/* SUM_*: two's complement, least significant first.
								 * MOMENTS_INT*: two limbs of sum, three of the sum of squares */
	ProgramValue value;			/* MIN_*, MAX_* */
	uint64_t	ordinal;		/* MIN_, MAX_ of NUMERIC, FLOAT64: of the row that 'value' is
								 * from; of equal values the later one is shown */
	double		moments[3];		/* SUM_FLOAT*, MOMENTS_FLOAT64: arguments, sum, and sum of
								 * squared deviations (moments alone) */
} EngineAggState;

typedef struct EngineGroup
{
	uint32_t	group;			/* its number, as in EngineSettled */
	uint64_t	first;			/* ordinal of its first row, whose keys are shown */
	int64_t		rows;
	ProgramValue *keys;			/* program->nkeys, valid until the next call */
	EngineAggState *aggs;		/* program->naggs */
} EngineGroup;

typedef struct EngineRun EngineRun; /* an engine's own */

typedef struct Engine
{
	const char *name;			/* "cpu", "cuda" */
	uint8_t		mask;			/* ENGINE_CPU, ... */

	/*
	 * Start to run a verified program.  params: program->nparams values;
	 * they and what they point to must outlive the run.
	 */
	EngineRun  *(*open) (const Program *program, const ProgramValue *params,
						 const EngineMemory *memory);
	/* The values at 'params' have changed; no batch is in flight. */
	void		(*rebind) (EngineRun *run);
	/* How it runs, for EXPLAIN: "avx512" */
	const char *(*variant) (void);
	uint32_t	(*depth) (EngineRun *run);
	void		(*submit) (EngineRun *run, Batch *batch);
	/* Outcome of the oldest batch not collected yet; valid until its absorb/release. */
	const EngineResult *(*collect) (EngineRun *run);
	/* Without groups, or when the batch is to be forgotten: done with it. */
	void		(*release) (EngineRun *run);

	/*
	 * Column 'number' of those that the host supplies: values[i] is for
	 * result->rows[i], but is not looked at where keep (or NULL) has 0 for it.
	 * Between collect and absorb, for each of program->nsupplied.  NULL in engines
	 * that take no such programs.
	 */
	void		(*supply) (EngineRun *run, uint32_t number, const ProgramValue *values, const uint8_t *keep);

	/*
	 * Feed the collected batch to the groups, rows and settled rows together
	 * in row order.  keep, if not NULL, has a flag for each of result->rows:
	 * rows that a host filter turned down are left out.  When no batch is
	 * collected, the settled rows alone are fed, in their order.
	 */
	void		(*absorb) (EngineRun *run, const uint8_t *keep,
						   EngineSettled *settled, uint32_t nsettled);

	/*
	 * The rows that the last absorb took of its batch, without those settled, and
	 * the number of each one's group; returns how many.  Until the next submit.
	 * NULL in engines that cannot say.
	 */
	uint32_t	(*absorbed_groups) (EngineRun *run, const uint16_t **rows, const uint32_t **groups);

	/* The groups. */
	uint64_t	(*ngroups) (EngineRun *run);
	size_t		(*group_memory) (EngineRun *run);	/* bytes held by groups */
	/* Walk the groups in the order of their first rows, *cursor from 0; false at the end. */
	bool		(*next_group) (EngineRun *run, uint64_t *cursor, EngineGroup *group);
	void		(*reset_groups) (EngineRun *run);	/* forget all groups */

	/*
	 * A group as bytes (keys and states) that merge_group of a run of the same
	 * program reads again.  dump_group returns the size needed; it writes only
	 * when that is at most 'room'.  *hash is of the keys: equal keys, equal hash.
	 */
	size_t		(*dump_group) (EngineRun *run, uint32_t group, char *buf, size_t room, uint32_t *hash);
	/* Returns the number of the group that it was merged into. */
	uint32_t	(*merge_group) (EngineRun *run, const char *buf, size_t size);

	/*
	 * Groups were dumped and reset, and those that come may be parts of them.
	 * What depends on the order of rows (CONDITION_ROW_ORDER) then keeps its
	 * arguments, until it is merged, in the order of the dumps, in a table that
	 * was reset since.  NULL where no such aggregate is run.
	 */
	void		(*detach_groups) (EngineRun *run);
	/* Did a sum overflow that may, since groups were reset?  NULL: never. */
	EngineOverflow (*overflowed) (EngineRun *run);

	/*
	 * The same for a group given as values (next_group's reverse; 'group' is
	 * not looked at).  Groups may come in any order: 'first' and 'ordinal'
	 * decide what is shown.  NULL where no other engine's groups come home.
	 */
	uint32_t	(*add_group) (EngineRun *run, const EngineGroup *group);

	/*
	 * NULL in engines that work in this process alone; the others may lose
	 * batches, and bring their groups home now and then.  collect then returns
	 * NULL when what was in flight is lost: nothing is in flight any more, and
	 * 'lost' has it.
	 */

	/* Room for the next batch's pages (heap/source.h), or NULL: pinned buffers. */
	char	   *(*room) (EngineRun *run);
	/* The oldest batch that is to be run again, or NULL.  Ask first. */
	const EngineLost *(*lost) (EngineRun *run);
	/* Run it again, here; then as after collect.  Nothing else is in flight. */
	const EngineResult *(*again) (EngineRun *run, Batch *batch);
	/*
	 * Everything was absorbed: bring the groups home, so that the functions
	 * above have them.  False: batches were lost on the way.
	 */
	bool		(*gather) (EngineRun *run);
	/* From the start with the same parameters: forget what is in flight, lost or grouped. */
	void		(*restart) (EngineRun *run);
	void		(*counters) (EngineRun *run, EngineCounters *counters);
	/* Give back what is not memory.  After an error it is not called. */
	void		(*close) (EngineRun *run);
} Engine;

/* The engines of this build, as a mask. */
#define ENGINES_BUILT	(ENGINE_CPU | ENGINE_CUDA)

extern const Engine gpuscan_engine_cpu;
extern const Engine gpuscan_engine_cuda;

/*
 * Which instructions the CPU engine uses: auto, base, avx2, avx512.  False,
 * and no change, when there is no such level on this machine.
 */
extern bool gpuscan_cpu_set_level(const char *name);

#endif							/* GPUSCAN_ENGINE_H */
