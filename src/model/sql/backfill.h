/*-------------------------------------------------------------------------
 *
 * backfill.h
 *	  What backfill is made of: the table that is filled (backfill_table.c), and
 *	  what is kept of runs (backfill_log.c).  All SQL is the caller's, with the
 *	  caller's rights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_BACKFILL_H
#define GPUSCAN_MODEL_SQL_BACKFILL_H

#include "executor/spi.h"
#include "storage/lock.h"
#include "utils/array.h"

/* A column of the primary key */
typedef struct FillKey
{
	const char *name;			/* quoted */
	Oid			type;
	int16		typlen;
	bool		typbyval;
	Oid			equal;
	Oid			greater;
} FillKey;

/* A table, what is read and written of it, and the statements that do */
typedef struct FillTable
{
	Oid			relid;
	Oid			schemaid;
	const char *relname;
	const char *qualified;		/* with ONLY where it has no partitions */
	const char *source;			/* columns, quoted */
	const char *target;
	AttrNumber	target_column;
	Oid			target_type;
	int32		target_typmod;
	int			nkeys;
	FillKey		keys[INDEX_MAX_KEYS];
	int			batch_rows;

	/* saved; gpuscan_fill_table_end frees them */
	SPIPlanPtr	read_first;
	SPIPlanPtr	read_next;
	SPIPlanPtr	lock;
	SPIPlanPtr	update;
} FillTable;

typedef enum FillState
{
	FILL_READ,
	FILL_LEFT,					/* not to be tried now */
	FILL_SKIPPED,				/* locked, or no longer what it was */
	FILL_FAILED,
	FILL_DONE
} FillState;

typedef struct FillRow
{
	Datum		keys[INDEX_MAX_KEYS];
	const char *row_key;		/* ... as text, the same in every session */
	text	   *input;
	int64		hash;			/* of it */
	FillState	state;
	bool		noted;			/* there is an error of it from another run */
	size_t		vector;			/* which one of the batch's */
	ErrorData  *error;			/* FILL_FAILED */
} FillRow;

/* A run, and how far it is */
typedef struct FillRun
{
	int64		run;			/* its number */
	Oid			role;
	const char *source;			/* as they were named */
	const char *target;
	const char *model;
	int			max_attempts;
	int64		done;
	int64		failed;
	int64		skipped;

	/* saved; gpuscan_fill_run_end frees them */
	SPIPlanPtr	find;
	SPIPlanPtr	note;
	SPIPlanPtr	forget;
	SPIPlanPtr	advance;
} FillRun;

/* ERROR if it cannot be filled, or the caller may not.  What it allocates is in the current context. */
extern void gpuscan_fill_table_init(FillTable *table, Oid relid, const char *source, const char *target, int batch_rows);
extern void gpuscan_fill_table_end(FillTable *table);
/* ERROR if a vector of so many dimensions is none for the column */
extern void gpuscan_fill_table_probe(const FillTable *table, uint32 dimensions);
/* ERROR if the table is no longer what it was in an earlier transaction */
extern void gpuscan_fill_table_check(const FillTable *table);
extern int64 gpuscan_fill_count(const FillTable *table);
/* Up to batch_rows rows behind one, or from the beginning where it is NULL, into 'rows'; returns how many */
extern int	gpuscan_fill_read(const FillTable *table, const FillRow *last, FillRow *rows);
/* false: it is locked, or is no longer what it was */
extern bool gpuscan_fill_write(const FillTable *table, const FillRow *row, ArrayType *vector);

extern void gpuscan_fill_run_begin(FillRun *run, const FillTable *table, int64 total);
extern void gpuscan_fill_run_end(FillRun *run);
/* Which of the rows are not to be tried */
extern void gpuscan_fill_find_errors(const FillRun *run, const FillTable *table, FillRow *rows, int n);
/* What has become of the rows, and of the run so far */
extern void gpuscan_fill_note(FillRun *run, const FillTable *table, const FillRow *rows, int n, bool finished);

/* A statement that is kept over transactions */
extern SPIPlanPtr gpuscan_fill_prepare(const char *sql, int nargs, Oid *types, int cursor_options);
extern void gpuscan_fill_execute(SPIPlanPtr plan, Datum *values, const char *nulls, int expected);

#endif							/* GPUSCAN_MODEL_SQL_BACKFILL_H */
