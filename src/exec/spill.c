/*-------------------------------------------------------------------------
 *
 * spill.c
 *	  Groups that outgrow memory.
 *
 * When the groups need more than work_mem * hash_mem_multiplier, all of them
 * are written to temporary files, chosen by leading bits of the key's hash,
 * and the engine starts with an empty table.  At the end each file is read
 * back and merged; one that does not fit either is split by further bits.
 * Files keep the order of first sight, so that the form of a key in which a
 * group is shown remains that of its first row.
 *
 * Sums of floating point depend on the order of their rows, so a group that
 * was written cannot be begun anew and the parts added up.  From then on the
 * engine keeps the arguments of such sums themselves (detach_groups) and they
 * are written instead.  Where the file is merged, they go on from the sum that
 * was written first: row by row, as they would have in memory.
 *
 * Groups with aggregates that PostgreSQL computes are never written: arguments
 * wait in a sort instead (host_agg.c).
 *
 * temp_file_limit, temp_tablespaces and the removal on error are BufFile's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/spill.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#define HASH_BITS		32
#define MIN_BITS		2		/* of a split: 4 files ... */
#define MAX_BITS		6		/* to 64 */

/* A table of fewer groups is never written: there is no progress in it. */
#define MIN_GROUPS		256

/* A file of groups. */
typedef struct SpillFile
{
	BufFile    *file;			/* or NULL: nothing was written */
	int64		ngroups;
	int			bits;			/* leading bits of the hash that its groups share */
} SpillFile;

/* Files side by side, one for each value of the next bits. */
struct SpillSet
{
	int			shared_bits;	/* used up before */
	int			bits;
	SpillFile	files[1 << MAX_BITS];
};

/* What precedes a group in a file. */
typedef struct GroupHeader
{
	uint32		hash;
	uint32		foreign_size;
	uint64		size;			/* of the engine's bytes; the foreign ones follow */
} GroupHeader;

void
gpuscan_spill_init(Spill *spill, ProgramRun *run, ForeignStates *foreign, HostAggs *host_aggs)
{
	spill->run = run;
	spill->foreign = foreign;
	spill->host_aggs = host_aggs != NULL && host_aggs->n > 0 ? host_aggs : NULL;
	spill->limit = get_hash_memory_limit();
	spill->context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan spill",
										   ALLOCSET_DEFAULT_SIZES);
	spill->counters.batches = 1;
	for (int i = 0; i < run->offloaded->program->naggs; i++)
		if (gpuscan_agg_info[program_aggs(run->offloaded->program)[i].kind].condition & CONDITION_ROW_ORDER)
			spill->ordered = true;
}

static size_t
memory_used(Spill *spill)
{
	ProgramRun *run = spill->run;
	size_t		used = run->engine->group_memory(run->engine_run) +
		gpuscan_foreign_memory(spill->foreign) +
		(spill->host_aggs == NULL ? 0 : gpuscan_host_agg_memory(spill->host_aggs));

	if (used > spill->counters.memory_peak)
		spill->counters.memory_peak = used;
	return used;
}

bool
gpuscan_spill_full(Spill *spill)
{
	/* arguments that are kept for few groups are progress, too */
	return memory_used(spill) > spill->limit &&
		(spill->run->engine->ngroups(spill->run->engine_run) >= MIN_GROUPS || spill->detached);
}

/* Each file has a buffer of a block: let them take a quarter of the memory. */
static SpillSet *
make_set(Spill *spill, int shared_bits)
{
	SpillSet   *set = MemoryContextAllocZero(spill->context, sizeof(SpillSet));

	set->shared_bits = shared_bits;
	set->bits = MIN_BITS;
	while (set->bits < MAX_BITS &&
		   ((size_t) BLCKSZ << (set->bits + 1)) <= spill->limit / 4)
		set->bits++;
	set->bits = Min(set->bits, HASH_BITS - shared_bits);
	return set;
}

static void
write_bytes(Spill *spill, BufFile *file, void *bytes, size_t size)
{
	BufFileWrite(file, bytes, size);
	spill->counters.disk += size;
}

static void
read_bytes(BufFile *file, void *bytes, size_t size)
{
#ifdef HAVE_BUFFILE_READ_EXACT
	BufFileReadExact(file, bytes, size);
#else
	size_t		got = BufFileRead(file, bytes, size);

	if (got != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from a temporary file of groups: read only %zu of %zu bytes",
						got, size)));
#endif
}

static void
need_room(Spill *spill, size_t size)
{
	if (size <= spill->room)
		return;
	size = Max(size, Max(spill->room * 2, 1024));
	if (spill->buffer != NULL)
		pfree(spill->buffer);
	spill->buffer = MemoryContextAllocHuge(spill->context, size);
	spill->room = size;
}

/* Write all groups to the files of a set, and forget them. */
static void
write_groups(Spill *spill, SpillSet *set)
{
	ProgramRun *run = spill->run;
	uint64		ngroups = run->engine->ngroups(run->engine_run);
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	MemoryContext scratch = AllocSetContextCreate(spill->context, "gpuscan spill scratch",
												  ALLOCSET_SMALL_SIZES);
	StringInfoData foreign;

	initStringInfo(&foreign);
	for (uint32 group = 0; group < ngroups; group++)
	{
		GroupHeader header;
		SpillFile  *file;
		uint32		hash = 0;
		size_t		size;
		uint32		part;

		if (group % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		size = run->engine->dump_group(run->engine_run, group, spill->buffer, spill->room, &hash);
		if (size > spill->room)
		{
			need_room(spill, size);
			run->engine->dump_group(run->engine_run, group, spill->buffer, spill->room, &hash);
		}
		resetStringInfo(&foreign);
		if (gpuscan_foreign_group(spill->foreign, group) != NULL)
		{
			MemoryContextSwitchTo(scratch);
			gpuscan_foreign_dump(spill->foreign, group, &foreign);
			MemoryContextSwitchTo(spill->context);
			MemoryContextReset(scratch);
		}

		part = set->bits == 0 ? 0 :
			(hash << set->shared_bits) >> (HASH_BITS - set->bits);
		file = &set->files[part];
		if (file->file == NULL)
		{
			file->file = BufFileCreateTemp(false);
			file->bits = set->shared_bits + set->bits;
		}
		header.hash = hash;
		header.foreign_size = foreign.len;
		header.size = size;
		write_bytes(spill, file->file, &header, sizeof(header));
		write_bytes(spill, file->file, spill->buffer, size);
		if (foreign.len > 0)
			write_bytes(spill, file->file, foreign.data, foreign.len);
		file->ngroups++;
	}
	pfree(foreign.data);
	MemoryContextDelete(scratch);
	run->engine->reset_groups(run->engine_run);
	if (spill->ordered)
		run->engine->detach_groups(run->engine_run);
	spill->detached = spill->ordered;
	gpuscan_foreign_reset(spill->foreign);
	MemoryContextSwitchTo(old);
}

/* A set is complete: its files are to be finished. */
static void
finish_set(Spill *spill, SpillSet *set)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);

	for (int i = 0; i < 1 << set->bits; i++)
	{
		SpillFile  *file;

		if (set->files[i].file == NULL)
			continue;
		if (BufFileSeek(set->files[i].file, 0, 0, SEEK_SET) != 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not rewind a temporary file of groups: %m")));
		file = palloc_object(SpillFile);
		*file = set->files[i];
		spill->pending = lcons(file, spill->pending);
	}
	pfree(set);
	MemoryContextSwitchTo(old);
}

void
gpuscan_spill_check(Spill *spill)
{
	if (!gpuscan_spill_full(spill))
		return;
	if (spill->host_aggs != NULL)
	{
		gpuscan_host_agg_overflow(spill->host_aggs);
		return;
	}
	if (spill->current == NULL)
		spill->current = make_set(spill, 0);
	write_groups(spill, spill->current);
}

bool
gpuscan_spill_finish(Spill *spill)
{
	if (spill->current == NULL)
	{
		memory_used(spill);
		return false;
	}
	write_groups(spill, spill->current);
	finish_set(spill, spill->current);
	spill->current = NULL;
	spill->counters.batches = 0;
	return true;
}

/*
 * Merge a file into the empty table.  False when it does not fit: then it was
 * split into smaller ones.
 */
static bool
read_file(Spill *spill, SpillFile *file)
{
	ProgramRun *run = spill->run;
	SpillSet   *set = NULL;
	MemoryContext scratch = AllocSetContextCreate(spill->context, "gpuscan spill scratch",
												  ALLOCSET_SMALL_SIZES);

	for (int64 i = 0; i < file->ngroups; i++)
	{
		GroupHeader header;
		uint32		group;

		read_bytes(file->file, &header, sizeof(header));
		need_room(spill, header.size + header.foreign_size);
		read_bytes(file->file, spill->buffer, header.size + header.foreign_size);
		group = run->engine->merge_group(run->engine_run, spill->buffer, header.size);
		if (header.foreign_size > 0)
		{
			MemoryContext old = MemoryContextSwitchTo(scratch);

			gpuscan_foreign_merge(spill->foreign, group, spill->buffer + header.size,
								  header.foreign_size);
			MemoryContextSwitchTo(old);
			MemoryContextReset(scratch);
		}

		/* in which order groups come here, and so what is met first, is open */
		gpuscan_run_check_overflow(run);
		if (i % 64 != 63)
			continue;
		CHECK_FOR_INTERRUPTS();
		/* without bits that tell groups apart there is no smaller file */
		if (file->bits < HASH_BITS && gpuscan_spill_full(spill))
		{
			if (set == NULL)
				set = make_set(spill, file->bits);
			write_groups(spill, set);
		}
	}
	MemoryContextDelete(scratch);
	BufFileClose(file->file);
	file->file = NULL;
	memory_used(spill);
	if (set == NULL)
		return true;
	write_groups(spill, set);
	finish_set(spill, set);
	return false;
}

bool
gpuscan_spill_next(Spill *spill)
{
	ProgramRun *run = spill->run;

	run->engine->reset_groups(run->engine_run);
	gpuscan_foreign_reset(spill->foreign);
	while (spill->pending != NIL)
	{
		SpillFile  *file = linitial(spill->pending);

		/* a file that was split has left a table behind that keeps arguments */
		if (spill->detached)
			run->engine->reset_groups(run->engine_run);
		spill->detached = false;

		spill->pending = list_delete_first(spill->pending);
		if (read_file(spill, file))
		{
			spill->counters.batches++;
			pfree(file);
			return true;
		}
		pfree(file);
	}
	return false;
}

void
gpuscan_spill_reset(Spill *spill)
{
	ListCell   *lc;

	foreach(lc, spill->pending)
		BufFileClose(((SpillFile *) lfirst(lc))->file);
	if (spill->current != NULL)
		for (int i = 0; i < 1 << MAX_BITS; i++)
			if (spill->current->files[i].file != NULL)
				BufFileClose(spill->current->files[i].file);
	spill->pending = NIL;
	spill->current = NULL;
	spill->detached = false;
	spill->buffer = NULL;
	spill->room = 0;
	MemoryContextReset(spill->context);
	spill->counters.batches = 1;
}
