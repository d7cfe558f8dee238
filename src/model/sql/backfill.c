/*-------------------------------------------------------------------------
 *
 * backfill.c
 *	  CALL backfill(table, source, target, model): a column of vectors, filled in
 *	  batches that are committed one by one.
 *
 * A batch is read in one transaction and written in the next, so that neither a
 * snapshot nor a lock is held while the model works; what is written then are the
 * rows that are still what they were.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/sql/backfill.h"
#include "model/sql/embed.h"
#include "model/sql/input.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(gpuscan_backfill);

#define MOST_BATCH_ROWS	10000
#define MAX_ATTEMPTS	3

typedef struct Backfill
{
	FillTable	table;
	FillRun		run;
	bool		truncate;
	bool		locked;
	MemoryContext context;		/* over transactions */
	MemoryContext batch;		/* of each */

	/* of the batch */
	FillRow    *rows;
	int			n;
	Embedder	embedder;
	TokenList  *tokens;
	float	   *vectors;
} Backfill;

/* ------------------------------------------------------------------------
 * Errors of a row
 * ------------------------------------------------------------------------
 */

/* Does it say something about a row, rather than about all? */
static bool
is_of_row(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_WITH_CHECK_OPTION_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_PLPGSQL_ERROR:
			return true;
		default:
			/* a policy of row-level security, since the right to update was looked at before */
			return error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE;
	}
}

/* Does it say that another transaction was in the way? */
static bool
is_of_time(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK || error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Do it in a subtransaction.  An error of a row, or of time, is returned; others are thrown. */
static ErrorData *
attempt(void (*work) (Backfill *fill, int i), Backfill *fill, int i)
{
	const MemoryContext context = CurrentMemoryContext;
	const ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(fill, i);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && !is_of_row(error) && !is_of_time(error))
		ReThrowError(error);
	return error;
}

static void
set_error(FillRow *row, ErrorData *error)
{
	row->state = is_of_row(error) ? FILL_FAILED : FILL_SKIPPED;
	row->error = error;
}

/* ------------------------------------------------------------------------
 * A batch
 * ------------------------------------------------------------------------
 */

static void
tokenize_row(Backfill *fill, int i)
{
	gpuscan_embed_tokens(&fill->embedder, fill->rows[i].input, fill->tokens);
}

static void
compute(Backfill *fill)
{
	uint32	   *lengths = palloc_array(uint32, fill->n);
	size_t		there = 0;
	size_t		begin = 0;

	/* each time: the right to use it may have gone */
	gpuscan_embedder_init(&fill->embedder, gpuscan_registered_model(fill->run.model), "document", fill->truncate);
	fill->tokens = gpuscan_token_list();
	for (int i = 0; i < fill->n; i++)
	{
		FillRow    *row = &fill->rows[i];
		const size_t before = fill->tokens->n;
		ErrorData  *error;

		if (row->state != FILL_READ)
			continue;
		error = attempt(tokenize_row, fill, i);
		if (error != NULL)
		{
			fill->tokens->n = before;
			set_error(row, error);
			continue;
		}
		row->vector = there;
		lengths[there++] = (uint32) (fill->tokens->n - before);
	}
	fill->vectors = palloc_extended(Max(there, 1) * fill->embedder.dimensions * sizeof(float), MCXT_ALLOC_HUGE);
	for (size_t first = 0; first < there; first += EMBED_TOGETHER)
	{
		const size_t some = Min(there - first, EMBED_TOGETHER);

		CHECK_FOR_INTERRUPTS();
		gpuscan_embed_run(&fill->embedder, fill->tokens->ids + begin, lengths + first, some, fill->vectors + first * fill->embedder.dimensions);
		for (size_t k = first; k < first + some; k++)
			begin += lengths[k];
	}
}

static void
write_row(Backfill *fill, int i)
{
	FillRow    *row = &fill->rows[i];
	ArrayType  *vector;

	CHECK_FOR_INTERRUPTS();
	if (row->state != FILL_READ)
		return;
	vector = gpuscan_vector(fill->vectors + row->vector * fill->embedder.dimensions, fill->embedder.dimensions);
	row->state = gpuscan_fill_write(&fill->table, row, vector) ? FILL_DONE : FILL_SKIPPED;
	pfree(vector);
}

static void
write_all(Backfill *fill, int n)
{
	for (int i = 0; i < n; i++)
		write_row(fill, i);
}

/* All rows in one subtransaction; if one of them fails, each in its own */
static void
write_rows(Backfill *fill)
{
	FillState  *before = palloc_array(FillState, fill->n);

	for (int i = 0; i < fill->n; i++)
		before[i] = fill->rows[i].state;
	if (attempt(write_all, fill, fill->n) == NULL)
		return;
	for (int i = 0; i < fill->n; i++)
		fill->rows[i].state = before[i];
	for (int i = 0; i < fill->n; i++)
	{
		ErrorData  *error = fill->rows[i].state == FILL_READ ? attempt(write_row, fill, i) : NULL;

		if (error != NULL)
			set_error(&fill->rows[i], error);
	}
}

/* The next batch, read, computed, written and committed; false: there is none */
static bool
fill_batch(Backfill *fill, bool first)
{
	/* the key of the last row outlives its batch */
	const MemoryContext old = fill->batch;
	const FillRow *last = first ? NULL : &fill->rows[fill->n - 1];

	fill->batch = AllocSetContextCreate(fill->context, "gpuscan backfill", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(fill->batch);
	gpuscan_fill_table_check(&fill->table);
	fill->rows = palloc_extended((Size) fill->table.batch_rows * sizeof(FillRow), MCXT_ALLOC_HUGE);
	fill->n = gpuscan_fill_read(&fill->table, last, fill->rows);
	MemoryContextDelete(old);
	if (fill->n == 0)
		return false;
	gpuscan_fill_find_errors(&fill->run, &fill->table, fill->rows, fill->n);
	SPI_commit();
	MemoryContextSwitchTo(fill->batch);
	compute(fill);
	gpuscan_fill_table_check(&fill->table);
	write_rows(fill);
	gpuscan_fill_note(&fill->run, &fill->table, fill->rows, fill->n, false);
	SPI_commit();
	MemoryContextSwitchTo(fill->batch);
	return true;
}

/* Through the table until nothing is left that could be filled now */
static void
fill_table(Backfill *fill)
{
	int64		skipped = PG_INT64_MAX;
	int64		done;

	/* rows that were locked may not be any more; a trigger must not keep us for ever */
	do
	{
		if (fill->run.skipped > 0)
			skipped = fill->run.skipped;
		done = fill->run.done;
		fill->run.skipped = 0;
		for (bool first = true; fill_batch(fill, first);)
			first = false;
	} while (fill->run.skipped > 0 && fill->run.skipped < skipped && fill->run.done > done);
	gpuscan_fill_note(&fill->run, &fill->table, NULL, 0, true);
	SPI_commit();
}

/* ------------------------------------------------------------------------
 * The procedure
 * ------------------------------------------------------------------------
 */

/*
 * Only one session fills a column.  It also says who is at work: backfill_progress
 * looks for it, since a session that was cancelled cannot say so.
 */
static void
take_lock(Backfill *fill, LOCKTAG *tag)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, RelationRelationId, fill->table.relid, (uint16) fill->table.target_column);
	if (LockAcquire(tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
						errmsg("column %s of table \"%s\" is being filled by another session", fill->table.target, fill->table.relname)));
	fill->locked = true;
}

static void
read_options(Backfill *fill, Jsonb *options)
{
	static const ModelOption known[] = {{.name = "truncate", .type = MODEL_OPTION_BOOL}, {"max_attempts", MODEL_OPTION_INT, 1, 1000}};
	ModelOptionValue values[lengthof(known)] = {0};

	gpuscan_read_model_options(options, known, lengthof(known), values);
	fill->truncate = values[0].given && values[0].boolean;
	fill->run.max_attempts = values[1].given ? (int) values[1].number : MAX_ATTEMPTS;
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"relation", "source", "target", "model", "batch_rows", "options"};
	const CallContext *call = (const CallContext *) fcinfo->context;

	if (call == NULL || !IsA(call, CallContext) || call->atomic)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION), errmsg("gpuscan.backfill cannot run inside a transaction block"),
						errdetail("It commits each batch of rows."),
						errhint("CALL it by itself: not between BEGIN and COMMIT, and not in a function.")));
	for (int i = 0; i < (int) lengthof(names); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", names[i])));
	if (PG_GETARG_INT32(4) < 1 || PG_GETARG_INT32(4) > MOST_BATCH_ROWS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_rows must be from 1 to %d: %d", MOST_BATCH_ROWS, PG_GETARG_INT32(4))));
}

static void
begin_fill(Backfill *fill, FunctionCallInfo fcinfo, LOCKTAG *tag)
{
	MemoryContextSwitchTo(fill->context);
	fill->run.role = GetUserId();
	fill->run.source = text_to_cstring(PG_GETARG_TEXT_PP(1));
	fill->run.target = text_to_cstring(PG_GETARG_TEXT_PP(2));
	fill->run.model = text_to_cstring(PG_GETARG_TEXT_PP(3));
	read_options(fill, PG_GETARG_JSONB_P(5));
	gpuscan_fill_table_init(&fill->table, PG_GETARG_OID(0), fill->run.source, fill->run.target, PG_GETARG_INT32(4));
	gpuscan_embedder_init(&fill->embedder, gpuscan_registered_model(fill->run.model), "document", fill->truncate);
	gpuscan_fill_table_probe(&fill->table, fill->embedder.dimensions);
	take_lock(fill, tag);
	gpuscan_fill_run_begin(&fill->run, &fill->table, gpuscan_fill_count(&fill->table));
	SPI_commit();
}

/* backfill(relation regclass, source text, target text, model text, batch_rows int, options jsonb) */
Datum
gpuscan_backfill(PG_FUNCTION_ARGS)
{
	Backfill   *fill;
	LOCKTAG		tag;

	check_arguments(fcinfo);
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	fill = MemoryContextAllocZero(PortalContext, sizeof *fill);
	fill->context = AllocSetContextCreate(PortalContext, "gpuscan backfill", ALLOCSET_DEFAULT_SIZES);
	fill->batch = AllocSetContextCreate(fill->context, "gpuscan backfill", ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		begin_fill(fill, fcinfo, &tag);
		fill_table(fill);
	}
	PG_FINALLY();
	{
		gpuscan_fill_table_end(&fill->table);
		gpuscan_fill_run_end(&fill->run);
		if (fill->locked)
			LockRelease(&tag, ExclusiveLock, true);
	}
	PG_END_TRY();
	if (fill->run.skipped > 0)
		ereport(NOTICE, (errmsg("%lld rows were locked or changed by others, and are left", (long long) fill->run.skipped),
						 errhint("CALL gpuscan.backfill again.")));
	MemoryContextDelete(fill->context);
	SPI_finish();
	PG_RETURN_VOID();
}
