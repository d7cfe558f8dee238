/*-------------------------------------------------------------------------
 *
 * backfill_log.c
 *	  What is kept of runs of backfill: gpuscan.backfill_runs and backfill_errors.
 *
 * Row-level security lets a role see and change what is its own; a superuser sees
 * all, so that the statements ask for the role too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "model/sql/backfill.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define EQ		" OPERATOR(pg_catalog.=) "

static Datum
text_datum(const char *s)
{
	return CStringGetTextDatum(s);
}

static void
prepare(FillRun *run)
{
	Oid			find[] = {REGROLEOID, REGCLASSOID, TEXTOID, TEXTARRAYOID};
	Oid			note[] = {REGROLEOID, REGCLASSOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID};
	Oid			forget[] = {REGROLEOID, REGCLASSOID, TEXTOID, TEXTOID};
	Oid			advance[] = {INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID};

	run->find = gpuscan_fill_prepare("SELECT e.row_key, e.model, e.text_hash, e.attempts, e.run FROM gpuscan.backfill_errors AS e"
									 " WHERE e.role" EQ "$1 AND e.relation" EQ "$2 AND e.target" EQ "$3 AND e.row_key OPERATOR(pg_catalog.=) ANY ($4)",
									 lengthof(find), find, 0);
	/* another text, or another model, begins anew */
	run->note = gpuscan_fill_prepare("INSERT INTO gpuscan.backfill_errors AS e (role, relation, target, row_key, model, error, sqlstate, text_hash, run, attempts, last_attempt)"
									 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, pg_catalog.clock_timestamp())"
									 " ON CONFLICT (role, relation, target, row_key) DO UPDATE SET model = EXCLUDED.model, error = EXCLUDED.error,"
									 " sqlstate = EXCLUDED.sqlstate, text_hash = EXCLUDED.text_hash, run = EXCLUDED.run, last_attempt = EXCLUDED.last_attempt,"
									 " attempts = CASE WHEN e.text_hash" EQ "EXCLUDED.text_hash AND e.model" EQ "EXCLUDED.model"
									 " THEN e.attempts OPERATOR(pg_catalog.+) 1 ELSE 1 END",
									 lengthof(note), note, 0);
	run->forget = gpuscan_fill_prepare("DELETE FROM gpuscan.backfill_errors AS e WHERE e.role" EQ "$1 AND e.relation" EQ "$2 AND e.target" EQ "$3 AND e.row_key" EQ "$4",
									   lengthof(forget), forget, 0);
	run->advance = gpuscan_fill_prepare("UPDATE gpuscan.backfill_runs AS r SET rows_done = $2, rows_failed = $3, rows_skipped = $4, state = $5,"
										" last_commit = pg_catalog.clock_timestamp() WHERE r.run" EQ "$1",
										lengthof(advance), advance, 0);
}

void
gpuscan_fill_run_begin(FillRun *run, const FillTable *table, int64 total)
{
	Oid			types[] = {REGROLEOID, REGCLASSOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, INT2OID, INT8OID};
	Datum		values[] = {ObjectIdGetDatum(run->role), ObjectIdGetDatum(table->relid), text_datum(run->target), text_datum(run->source),
	text_datum(run->model), Int32GetDatum(MyProcPid), Int16GetDatum(table->target_column), Int64GetDatum(total)};
	bool		isnull;

	/* of those that were killed, whose lock we have now; and of tables that are gone */
	if (SPI_execute_with_args("UPDATE gpuscan.backfill_runs AS r SET state = 'interrupted'"
							  " WHERE r.role" EQ "$1 AND r.relation" EQ "$2 AND r.target" EQ "$3 AND r.state" EQ "'running'",
							  3, types, values, NULL, false, 0) != SPI_OK_UPDATE ||
		SPI_execute_with_args("DELETE FROM gpuscan.backfill_errors AS e WHERE e.role" EQ "$1"
							  " AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid" EQ "e.relation)",
							  1, types, values, NULL, false, 0) != SPI_OK_DELETE ||
		SPI_execute_with_args("INSERT INTO gpuscan.backfill_runs (role, relation, target, source, model, pid, target_column, rows_total)"
							  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING run",
							  lengthof(values), types, values, NULL, false, 0) != SPI_OK_INSERT_RETURNING || SPI_processed != 1)
		elog(ERROR, "could not note a run of backfill");
	run->run = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	prepare(run);
}

void
gpuscan_fill_run_end(FillRun *run)
{
	SPIPlanPtr *plans[] = {&run->find, &run->note, &run->forget, &run->advance};

	for (int i = 0; i < (int) lengthof(plans); i++)
	{
		if (*plans[i] != NULL)
			SPI_freeplan(*plans[i]);
		*plans[i] = NULL;
	}
}

/* An error that was noted, in a row of 'find' */
static void
apply_error(const FillRun *run, FillRow *row, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	const char *model = SPI_getvalue(tuple, desc, 2);
	const int64 hash = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
	const int32 attempts = DatumGetInt32(SPI_getbinval(tuple, desc, 4, &isnull));
	const int64 number = DatumGetInt64(SPI_getbinval(tuple, desc, 5, &isnull));

	row->noted = true;
	if (number == run->run || (hash == row->hash && strcmp(model, run->model) == 0 && attempts >= run->max_attempts))
		row->state = FILL_LEFT;
}

void
gpuscan_fill_find_errors(const FillRun *run, const FillTable *table, FillRow *rows, int n)
{
	Datum	   *keys = palloc_array(Datum, n);
	Datum		values[4] = {ObjectIdGetDatum(run->role), ObjectIdGetDatum(table->relid), text_datum(run->target)};

	for (int i = 0; i < n; i++)
		keys[i] = text_datum(rows[i].row_key);
	values[3] = PointerGetDatum(construct_array(keys, n, TEXTOID, -1, false, TYPALIGN_INT));
	gpuscan_fill_execute(run->find, values, NULL, SPI_OK_SELECT);
	for (uint64 k = 0; k < SPI_processed; k++)
	{
		const HeapTuple tuple = SPI_tuptable->vals[k];
		const char *key = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);

		for (int i = 0; i < n; i++)
			if (strcmp(rows[i].row_key, key) == 0)
				apply_error(run, &rows[i], tuple, SPI_tuptable->tupdesc);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
note_row(const FillRun *run, const FillTable *table, const FillRow *row)
{
	Datum		values[9] = {ObjectIdGetDatum(run->role), ObjectIdGetDatum(table->relid), text_datum(run->target), text_datum(row->row_key)};

	if (row->state == FILL_FAILED)
	{
		values[4] = text_datum(run->model);
		values[5] = text_datum(row->error->message);
		values[6] = text_datum(unpack_sql_state(row->error->sqlerrcode));
		values[7] = Int64GetDatum(row->hash);
		values[8] = Int64GetDatum(run->run);
		gpuscan_fill_execute(run->note, values, NULL, SPI_OK_INSERT);
	}
	else if (row->state == FILL_DONE && row->noted)
		gpuscan_fill_execute(run->forget, values, NULL, SPI_OK_DELETE);
}

void
gpuscan_fill_note(FillRun *run, const FillTable *table, const FillRow *rows, int n, bool finished)
{
	Datum		values[5] = {Int64GetDatum(run->run)};

	for (int i = 0; i < n; i++)
	{
		note_row(run, table, &rows[i]);
		run->done += rows[i].state == FILL_DONE;
		run->failed += rows[i].state == FILL_FAILED;
		run->skipped += rows[i].state == FILL_SKIPPED;
	}
	values[1] = Int64GetDatum(run->done);
	values[2] = Int64GetDatum(run->failed);
	values[3] = Int64GetDatum(run->skipped);
	values[4] = text_datum(finished ? "finished" : "running");
	gpuscan_fill_execute(run->advance, values, NULL, SPI_OK_UPDATE);
}
