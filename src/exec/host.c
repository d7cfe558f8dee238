/*-------------------------------------------------------------------------
 *
 * host.c
 *	  A row of the table evaluated by PostgreSQL's own executor.
 *
 * Rows that an engine punts are evaluated here whole: the filters in their
 * order, then keys and arguments, so that an error is PostgreSQL's own and
 * comes only for rows that PostgreSQL would have evaluated.
 *
 * The expressions are made when the first row needs them.  They are not
 * handed to the JIT compiler: few rows are expected to come here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "compat.h"
#include "exec/foreign.h"
#include "exec/host.h"
#include "exec/value.h"
#include "executor/executor.h"
#include "heap/decode.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* decode.h and utils/builtins.h have names in common: include no builtins.h */

#define CACHE_LINE	64

/* The attributes at the start that lie at the same place in all rows without NULLs. */
static void
note_fixed_attributes(HostEval *host, const Program *program)
{
	const ProgramLayout *layout = program_layout(program);

	host->layout = layout;
	host->nlayout = program->nlayout;
	for (uint32 att = 0; att < program->nlayout && layout[att].attlen > 0; att++)
	{
		uint32		attalign = layout[att].attalign;

		host->fixed_size = (host->fixed_size + attalign - 1) & ~(attalign - 1);
		host->fixed_size += layout[att].attlen;
		host->nfixed++;
	}
}

void
gpuscan_host_init(HostEval *host, ProgramRun *run, bool own_slot,
				  List *device_quals, List *host_quals)
{
	ScanState  *node = run->node;
	EState	   *estate = node->ps.state;

	host->run = run;
	host->device_quals = device_quals;
	host->row_context = CreateExprContext(estate);
	if (own_slot)
	{
		/*
		 * The node's scan tuple is made of keys and aggregates.  Expressions
		 * over the table's rows get a parent of their own, which tells
		 * execExpr.c what tuples to expect.
		 */
		ScanState  *parent = makeNode(ScanState);
		TupleDesc	desc = RelationGetDescr(run->rel);

		parent->ps.plan = node->ps.plan;
		parent->ps.state = estate;
		parent->ps.scandesc = desc;
		parent->ps.scanops = &TTSOpsBufferHeapTuple;
		parent->ps.scanopsfixed = true;
		parent->ps.scanopsset = true;
		host->parent = parent;
		host->slot = ExecAllocTableSlot(&estate->es_tupleTable, desc, &TTSOpsBufferHeapTuple);
	}
	else
	{
		host->parent = node;
		host->slot = node->ss_ScanTupleSlot;
	}
	host->row_context->ecxt_scantuple = host->slot;

	if (host_quals != NIL)
	{
		host->host_state = ExecInitQual(host_quals, &host->parent->ps);
		if (own_slot)
			node->ps.subPlan = list_concat(node->ps.subPlan, host->parent->ps.subPlan);
	}
	note_fixed_attributes(host, run->offloaded->program);
}

/*
 * Where all keys and arguments are columns of the table there is nothing to
 * project: they are taken from the row.
 */
static void
find_plain_columns(HostEval *host)
{
	List	   *exprs = list_concat_copy(host->keys, host->args);
	ListCell   *lc;

	host->plain_attrs = -1;
	foreach(lc, exprs)
		if (!IsA(lfirst(lc), Var) || lfirst_node(Var, lc)->varattno <= 0)
			return;
	host->plain_attrs = 0;
	for (int i = 0; i < host->ncolumns; i++)
		if (host->columns[i].place >= 0)
		{
			const Var  *var = list_nth(exprs, host->columns[i].place);

			host->columns[i].place = var->varattno - 1;
			host->plain_attrs = Max(host->plain_attrs, var->varattno);
		}
}

/* Many rows will need them: they are made at once, and the JIT compiler may have them. */
static void
init_supplied(HostEval *host)
{
	const OffloadedProgram *offloaded = host->run->offloaded;
	ListCell   *lc;
	ListCell   *lct;

	host->supplied = palloc0_array(HostSupplied, list_length(offloaded->supplied) + 1);
	forboth(lc, offloaded->supplied, lct, offloaded->supplied_types)
	{
		HostSupplied *column = &host->supplied[host->nsupplied++];

		column->type = lfirst_int(lct);
		column->state = ExecInitExpr(lfirst(lc), &host->parent->ps);
		column->values = palloc_array(ProgramValue, BATCH_MAX_ROWS);
		get_typlenbyval(exprType(lfirst(lc)), &column->typlen, &column->typbyval);
	}
}

void
gpuscan_host_init_groups(HostEval *host, List *keys, List *aggrefs)
{
	const OffloadedProgram *offloaded = host->run->offloaded;
	const Program *program = offloaded->program;
	const ProgramAgg *aggs = program_aggs(program);
	int			i = 0;
	int			column = 0;
	ListCell   *lc;

	host->nkeys = program->nkeys;
	host->ncolumns = program->nkeys + program->naggs;
	host->batch_context = CreateExprContext(host->run->node->ps.state);
	host->batch_context->ecxt_scantuple = host->slot;
	host->columns = palloc0_array(HostColumn, host->ncolumns + 1);
	host->keys = keys;
	foreach(lc, keys)
	{
		host->columns[i].type = gpuscan_type_of(exprType(lfirst(lc)));
		host->columns[i++].place = column++;
	}

	for (int agg = 0; agg < program->naggs; agg++)
	{
		Aggref	   *aggref = NULL;
		Expr	   *arg;

		/* any aggregate that uses this state: argument and FILTER are the same */
		foreach(lc, aggrefs)
			if (offloaded->agg_state[foreach_current_index(lc)] == agg)
			{
				aggref = lfirst_node(Aggref, lc);
				break;
			}
		if (aggref == NULL)
			elog(ERROR, "aggregate %d of the program belongs to nobody", agg);

		arg = aggref->args == NIL ? NULL : linitial_node(TargetEntry, aggref->args)->expr;
		arg = gpuscan_offload_filtered_argument(arg, aggref->aggfilter);
		if (aggs[agg].kind == AGG_COUNT_STAR || aggs[agg].kind == AGG_COUNT)
			host->columns[i].type = PROGRAM_TYPES;
		else
			host->columns[i].type = gpuscan_type_of(exprType((Node *) arg));
		host->columns[i].can_be_foreign = gpuscan_agg_info[aggs[agg].kind].arg == VALUE_NUMERIC;
		host->columns[i++].place = arg == NULL ? -1 : column++;
		if (arg != NULL)
			host->args = lappend(host->args, arg);
	}
	find_plain_columns(host);
	init_supplied(host);
}

static void
make_device_state(HostEval *host)
{
	EState	   *estate = host->run->node->ps.state;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	int			jit_flags = estate->es_jit_flags;

	estate->es_jit_flags = 0;
	host->device_state = ExecInitQual(host->device_quals, &host->parent->ps);
	estate->es_jit_flags = jit_flags;
	MemoryContextSwitchTo(old);
}

static void
make_projection(HostEval *host)
{
	EState	   *estate = host->run->node->ps.state;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	int			jit_flags = estate->es_jit_flags;
	List	   *tlist = NIL;
	TupleTableSlot *slot;
	ListCell   *lc;

	foreach(lc, host->keys)
		tlist = lappend(tlist, makeTargetEntry(lfirst(lc), list_length(tlist) + 1, NULL, false));
	foreach(lc, host->args)
		tlist = lappend(tlist, makeTargetEntry(lfirst(lc), list_length(tlist) + 1, NULL, false));

	slot = ExecAllocTableSlot(&estate->es_tupleTable, ExecTypeFromTL(tlist), &TTSOpsVirtual);
	estate->es_jit_flags = 0;
	host->projection = ExecBuildProjectionInfo(tlist, host->batch_context, slot,
											   &host->parent->ps, RelationGetDescr(host->run->rel));
	estate->es_jit_flags = jit_flags;
	MemoryContextSwitchTo(old);
}

/* Whatever the first row to settle needs. */
static pg_noinline void
make_room(HostEval *host)
{
	MemoryContext old = MemoryContextSwitchTo(host->run->node->ps.state->es_query_cxt);

	if (host->plain_attrs < 0)
		make_projection(host);
	host->room = BATCH_MAX_ROWS;
	host->settled = palloc_array(EngineSettled, host->room);
	host->values = palloc_array(ProgramValue, host->room * (host->ncolumns + 1));
	MemoryContextSwitchTo(old);
}

/*
 * Do the lengths of a tuple stay within it, as far as the program's attributes
 * go?  decode_walk, without noting where attributes lie.
 */
static inline bool
lengths_in_bounds(const HostEval *host, const uint8_t *tuple, uint32 len)
{
	const ProgramLayout *layout = host->layout;
	uint32		natts = Min(decode_natts(tuple), host->nlayout);
	uint32		pos = tuple[22];	/* t_hoff */
	uint32		att = 0;
	bool		hasnull = decode_hasnull(tuple);

	if (unlikely(pos < DECODE_HOFF_PLAIN || pos > len || (pos & 7) != 0))
		return false;
	if (unlikely(hasnull))
	{
		if (DECODE_TUPLE_HEADER + (decode_natts(tuple) + 7) / 8 > pos)
			return false;
	}
	else if (natts >= host->nfixed)
	{
		att = host->nfixed;
		pos += host->fixed_size;
	}

	for (; att < natts; att++)
	{
		uint32		attalign = layout[att].attalign;

		if (hasnull && !((tuple[DECODE_TUPLE_HEADER + (att >> 3)] >> (att & 7)) & 1))
			continue;
		if (layout[att].attlen == -1)
		{
			uint32		at = pos;

			if (likely(pos < len && (tuple[pos] & 1) && tuple[pos] != 1))
				pos += tuple[pos] >> 1;
			else if ((pos = decode_varlena(tuple, len, attalign, &at)) == 0)
				return false;
			continue;
		}
		pos = (pos + attalign - 1) & ~(attalign - 1);
		if (layout[att].attlen > 0)
			pos += layout[att].attlen;
		else
			while (pos < len && tuple[pos++] != 0)
				;
	}
	return pos <= len;
}

/* On to the page of another row. */
static pg_noinline void
turn_page(HostEval *host, uint32 row)
{
	ProgramRun *run = host->run;

	gpuscan_source_page(run->source, run->batch, row, &host->page);
	host->page_batch = run->batch;
	host->page_ordinal = run->batch->ordinal;
	host->tuple.t_tableOid = RelationGetRelid(run->rel);

	/* an engine asks for lines by itself */
	if (run->result == NULL && host->page.ahead != NULL)
		for (int i = 0; i < BLCKSZ; i += CACHE_LINE)
			__builtin_prefetch(host->page.ahead + i);
}

void
gpuscan_host_load(HostEval *host, uint32 row)
{
	ProgramRun *run = host->run;

	if (unlikely(row - host->page.first >= host->page.nrows ||
				 host->page_batch != run->batch || host->page_ordinal != run->batch->ordinal))
		turn_page(host, row);
	if (unlikely(!gpuscan_source_tuple(&host->page, run->batch, row, &host->tuple)))
		gpuscan_source_corrupt(run->source, run->batch, row);

	/*
	 * A batch that no engine has looked at may hold a tuple whose lengths lead
	 * outside; PostgreSQL's own deforming would follow them.
	 */
	if (run->result == NULL &&
		unlikely(!lengths_in_bounds(host, (const uint8_t *) host->tuple.t_data, host->tuple.t_len)))
		gpuscan_source_corrupt(run->source, run->batch, row);
	ExecStoreBufferHeapTuple(&host->tuple, host->slot, host->page.buffer);
}

bool
gpuscan_host_passes_device(HostEval *host)
{
	if (host->device_state == NULL)
		make_device_state(host);
	ResetExprContext(host->row_context);
	return ExecQual(host->device_state, host->row_context);
}

bool
gpuscan_host_passes_host(HostEval *host)
{
	ResetExprContext(host->row_context);
	return ExecQual(host->host_state, host->row_context);
}

static void
add_foreign(HostEval *host, int agg, int key, Datum datum)
{
	ForeignItem *item;

	if (host->nforeign == host->foreign_room)
	{
		uint32		room = Max(host->foreign_room * 2, 64);
		MemoryContext old = MemoryContextSwitchTo(host->run->node->ps.state->es_query_cxt);

		host->foreign = host->foreign == NULL ? palloc_array(ForeignItem, room) :
			repalloc_array(host->foreign, ForeignItem, room);
		host->foreign_room = room;
		MemoryContextSwitchTo(old);
	}
	item = &host->foreign[host->nforeign++];
	item->settled = host->nsettled;
	item->agg = agg;
	item->key = key;
	item->datum = datum;
}

void
gpuscan_host_settle(HostEval *host, uint32 row)
{
	int			nkeys = host->nkeys;
	int			ncolumns = host->ncolumns;
	EngineSettled *settled;
	ProgramValue *values;
	const HostColumn *column = host->columns;
	const Datum *datums;
	const bool *nulls;
	MemoryContext old;

	if (unlikely(host->values == NULL))
		make_room(host);
	Assert(host->nsettled < host->room);
	settled = &host->settled[host->nsettled];
	values = &host->values[host->nsettled * ncolumns];
	settled->row = row;
	settled->ordinal = host->run->batch->ordinal + row;
	settled->keys = values;
	settled->args = values + nkeys;

	/* not reset here: texts and numerics live until the batch is absorbed */
	if (host->plain_attrs >= 0)
	{
		datums = host->slot->tts_values;
		nulls = host->slot->tts_isnull;
		slot_getsomeattrs(host->slot, host->plain_attrs);
	}
	else
	{
		TupleTableSlot *result = ExecProject(host->projection);

		datums = result->tts_values;
		nulls = result->tts_isnull;
	}
	old = MemoryContextSwitchTo(host->batch_context->ecxt_per_tuple_memory);
	for (int i = 0; i < ncolumns; i++, column++, values++)
	{
		bool		isnull = column->place >= 0 && nulls[column->place];
		Datum		datum;

		if (isnull || column->type == PROGRAM_TYPES)
		{
			/* NULL, or an argument of count that is not */
			memset(values, 0, sizeof(*values));
			values->null = isnull;
			if (column->type != PROGRAM_TYPES)
				values->kind = gpuscan_type_info[column->type].kind;
			continue;
		}
		datum = datums[column->place];
		if (column->can_be_foreign && host->direct != NULL)
		{
			/* a number that may well fit is cheaper to add than to take apart first */
			memset(values, 0, sizeof(*values));
			values->kind = VALUE_NUMERIC;
			values->foreign = 1;
			gpuscan_foreign_argument(host->direct, 0, i, settled->ordinal, datum);
		}
		else if (gpuscan_value_from_datum(column->type, datum, i < nkeys, values) != VALUE_FITS)
			add_foreign(host, i < nkeys ? -1 : i - nkeys, i < nkeys ? i : -1, datum);
	}
	MemoryContextSwitchTo(old);
	host->nsettled++;
}

bool
gpuscan_host_supply(HostEval *host, uint32 i)
{
	ResetExprContext(host->row_context);
	for (int n = 0; n < host->nsupplied; n++)
	{
		HostSupplied *column = &host->supplied[n];
		ProgramValue *value = &column->values[i];
		bool		isnull;
		Datum		datum = ExecEvalExprSwitchContext(column->state, host->row_context, &isnull);
		MemoryContext old;
		bool		fits;

		memset(value, 0, sizeof(*value));
		value->null = isnull;
		if (isnull || column->type == PROGRAM_TYPES)
			continue;
		/* what it points to must live until the batch is absorbed */
		old = MemoryContextSwitchTo(host->batch_context->ecxt_per_tuple_memory);
		if (!column->typbyval)
			datum = datumCopy(datum, false, column->typlen);
		fits = gpuscan_value_from_datum(column->type, datum, false, value) == VALUE_FITS;
		MemoryContextSwitchTo(old);
		if (!fits)
			return false;
	}
	return true;
}

void
gpuscan_host_reset(HostEval *host)
{
	host->nsettled = 0;
	host->nforeign = 0;
	if (host->batch_context != NULL)
		ResetExprContext(host->batch_context);
}

void
gpuscan_host_rescan(HostEval *host)
{
	gpuscan_host_reset(host);
	host->page_batch = NULL;
	ExecClearTuple(host->slot);
}
