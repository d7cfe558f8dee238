/*-------------------------------------------------------------------------
 *
 * host.h
 *	  A row of the table evaluated by PostgreSQL's own executor: whatever an
 *	  engine punts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_HOST_H
#define GPUSCAN_HOST_H

#include "engine/engine.h"
#include "exec/run.h"
#include "nodes/execnodes.h"

struct ForeignStates;

/* A value of a settled row that an engine cannot hold, or not print. */
typedef struct ForeignItem
{
	uint32		settled;		/* index of the row */
	int16		agg;			/* index of the aggregate, or -1: a key */
	int16		key;
	Datum		datum;			/* in the batch's memory */
} ForeignItem;

/* A key or an argument. */
typedef struct HostColumn
{
	int			place;			/* in the projection, or in the row; -1: count(*) */
	ProgramType type;			/* PROGRAM_TYPES: only whether it is NULL matters */
	bool		can_be_foreign; /* an aggregate over numerics */
} HostColumn;

/* A column that the engine wants from the host. */
typedef struct HostSupplied
{
	ProgramType type;			/* PROGRAM_TYPES: only whether it is NULL */
	ExprState  *state;
	int16		typlen;			/* of a result that is kept until the batch is absorbed */
	bool		typbyval;
	ProgramValue *values;		/* by number among the engine's rows */
} HostSupplied;

typedef struct HostEval
{
	ProgramRun *run;
	ScanState  *parent;			/* of expressions over the table's rows */
	TupleTableSlot *slot;		/* a row of the table */
	HeapTupleData tuple;
	const Batch *page_batch;	/* what 'page' belongs to */
	uint64		page_ordinal;	/* ... as batches are filled anew */
	SourcePage	page;			/* of the row that was loaded last */
	ExprContext *row_context;	/* filters: reset for each row */
	ExprContext *batch_context; /* keys and arguments: reset for each batch */
	List	   *device_quals;	/* what the engine runs otherwise ... */
	ExprState  *device_state;	/* ... made when it is first needed */
	ExprState  *host_state;
	const ProgramLayout *layout;
	uint32		nlayout;
	uint32		nfixed;			/* attributes of the layout at fixed places ... */
	uint32		fixed_size;		/* ... and the bytes they take */

	/* groups */
	List	   *keys;			/* Expr each */
	List	   *args;			/* of the program's aggregates, where they have one */
	int			nkeys;
	int			ncolumns;		/* keys and arguments */
	HostColumn *columns;		/* keys first */
	int			plain_attrs;	/* all are the table's own columns: up to this one; else -1 */
	ProjectionInfo *projection; /* of both; made when it is first needed */
	EngineSettled *settled;
	ProgramValue *values;
	uint32		room;			/* rows that settled and values have room for */
	uint32		nsettled;
	struct ForeignStates *direct;	/* without keys arguments that can be foreign go here
									 * at once, all of them */
	HostSupplied *supplied;		/* for the rows that the engine finished */
	int			nsupplied;
	ForeignItem *foreign;
	uint32		nforeign;
	uint32		foreign_room;
} HostEval;

/*
 * device_quals, host_quals: implicitly ANDed.  Rows are loaded into the node's
 * scan slot where that has the table's row type, else into a slot made here.
 */
extern void gpuscan_host_init(HostEval *host, ProgramRun *run, bool own_slot,
							  List *device_quals, List *host_quals);

/* What punted rows feed: keys, and the Aggrefs behind the program's aggregates. */
extern void gpuscan_host_init_groups(HostEval *host, List *keys, List *aggrefs);

/* Put a row of the batch in hand into the slot. */
extern void gpuscan_host_load(HostEval *host, uint32 row);

/* Only where there are such filters. */
extern bool gpuscan_host_passes_device(HostEval *host);
extern bool gpuscan_host_passes_host(HostEval *host);

/* Compute the loaded row's keys and arguments and add it to 'settled'. */
extern void gpuscan_host_settle(HostEval *host, uint32 row);

/*
 * Compute the columns that the engine wants of the loaded row, which is its i-th.
 * False: a value has no form in the engine, and the row is to be settled.
 */
extern bool gpuscan_host_supply(HostEval *host, uint32 i);

/* Forget the settled rows. */
extern void gpuscan_host_reset(HostEval *host);

/* The source starts again: forget its pages, too. */
extern void gpuscan_host_rescan(HostEval *host);

#endif							/* GPUSCAN_HOST_H */
