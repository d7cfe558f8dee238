/*-------------------------------------------------------------------------
 *
 * refusals.c
 *	  How often which reason kept something off the engines:
 *	  gpuscan.stat_refusals.
 *
 * Counted for all sessions in shared memory where the postmaster preloads the
 * library, else for the session alone.  There is room for so many reasons;
 * those that come later are counted together.  What is there already is counted
 * under a shared lock, so planners do not wait for each other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "plan/plan.h"
#include "plan/plan_private.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define REFUSALS_MAX	256		/* reasons */
#define REFUSALS_PLACES	(2 * REFUSALS_MAX)	/* of the hash table, a power of 2 */
#define REASON_SIZE		160		/* bytes with the closing zero; longer ones are cut */

typedef struct RefusalEntry
{
	char		reason[REASON_SIZE];	/* empty: free */
	pg_atomic_uint64 count;
} RefusalEntry;

typedef struct RefusalCounts
{
	int			nreasons;
	pg_atomic_uint64 others;	/* of reasons that found no room */
	RefusalEntry places[REFUSALS_PLACES];
} RefusalCounts;

static RefusalCounts *counts;
static LWLock *counts_lock;		/* NULL: the session's own */

static shmem_request_hook_type previous_shmem_request;
static shmem_startup_hook_type previous_shmem_startup;

PG_FUNCTION_INFO_V1(gpuscan_stat_refusals);
PG_FUNCTION_INFO_V1(gpuscan_stat_refusals_reset);

static void
clear(void)
{
	memset(counts->places, 0, sizeof(counts->places));
	for (int i = 0; i < REFUSALS_PLACES; i++)
		pg_atomic_init_u64(&counts->places[i].count, 0);
	pg_atomic_init_u64(&counts->others, 0);
	counts->nreasons = 0;
}

static void
shmem_request(void)
{
	if (previous_shmem_request)
		previous_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(RefusalCounts)));
	RequestNamedLWLockTranche("gpuscan_refusals", 1);
}

static void
shmem_startup(void)
{
	bool		found;

	if (previous_shmem_startup)
		previous_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	counts = ShmemInitStruct("gpuscan refusals", sizeof(RefusalCounts), &found);
	counts_lock = &GetNamedLWLockTranche("gpuscan_refusals")->lock;
	if (!found)
		clear();
	LWLockRelease(AddinShmemInitLock);
}

void
gpuscan_refusals_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}

static void
need_counts(void)
{
	if (counts != NULL)
		return;
	counts = MemoryContextAllocZero(TopMemoryContext, sizeof(RefusalCounts));
	clear();
}

static void
lock(LWLockMode mode)
{
	if (counts_lock != NULL)
		LWLockAcquire(counts_lock, mode);
}

static void
unlock(void)
{
	if (counts_lock != NULL)
		LWLockRelease(counts_lock);
}

/* The place of a reason, or the free one where it would stand. */
static RefusalEntry *
find(const char *reason, int length, uint32 hash)
{
	for (uint32 i = hash;; i++)
	{
		RefusalEntry *entry = &counts->places[i % REFUSALS_PLACES];

		if (entry->reason[0] == '\0' ||
			(strncmp(entry->reason, reason, length) == 0 && entry->reason[length] == '\0'))
			return entry;
	}
}

void
gpuscan_refusals_count(const char *reason)
{
	int			length = (int) strlen(reason);
	RefusalEntry *entry;
	uint32		hash;

	need_counts();
	if (length >= REASON_SIZE)
		length = pg_mbcliplen(reason, length, REASON_SIZE - 1);
	if (length == 0)
		return;
	hash = hash_bytes((const unsigned char *) reason, length);

	lock(LW_SHARED);
	entry = find(reason, length, hash);
	if (entry->reason[0] != '\0' || counts->nreasons >= REFUSALS_MAX)
	{
		pg_atomic_fetch_add_u64(entry->reason[0] != '\0' ? &entry->count : &counts->others, 1);
		unlock();
		return;
	}
	unlock();

	/* a new one; somebody may have come first */
	lock(LW_EXCLUSIVE);
	entry = find(reason, length, hash);
	if (entry->reason[0] == '\0' && counts->nreasons < REFUSALS_MAX)
	{
		memcpy(entry->reason, reason, length);
		entry->reason[length] = '\0';
		counts->nreasons++;
	}
	pg_atomic_fetch_add_u64(entry->reason[0] != '\0' ? &entry->count : &counts->others, 1);
	unlock();
}

/* A name in it may come from a database of another encoding. */
static text *
reason_text(char *reason)
{
	int			length = (int) strlen(reason);

	if (!pg_verifymbstr(reason, length, true))
		for (int i = 0; i < length; i++)
			if (IS_HIGHBIT_SET(reason[i]))
				reason[i] = '?';
	return cstring_to_text_with_len(reason, length);
}

Datum
gpuscan_stat_refusals(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *scope = counts_lock != NULL ? "server" : "session";
	RefusalCounts *copy = palloc(sizeof(RefusalCounts));
	uint64		others;

	InitMaterializedSRF(fcinfo, 0);
	need_counts();
	lock(LW_SHARED);
	memcpy(copy, counts, sizeof(RefusalCounts));
	unlock();

	others = pg_atomic_read_u64(&copy->others);
	for (int i = 0; i <= REFUSALS_PLACES; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		if (i < REFUSALS_PLACES)
		{
			if (copy->places[i].reason[0] == '\0')
				continue;
			values[0] = PointerGetDatum(reason_text(copy->places[i].reason));
			values[1] = Int64GetDatum((int64) pg_atomic_read_u64(&copy->places[i].count));
		}
		else
		{
			if (others == 0)
				continue;
			values[0] = CStringGetTextDatum("other");
			values[1] = Int64GetDatum((int64) others);
		}
		values[2] = CStringGetTextDatum(scope);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
gpuscan_stat_refusals_reset(PG_FUNCTION_ARGS)
{
	need_counts();
	lock(LW_EXCLUSIVE);
	clear();
	unlock();
	PG_RETURN_VOID();
}
