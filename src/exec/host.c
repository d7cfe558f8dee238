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
#include "exec/host.h"
#include "exec/value.h"
#include "executor/executor.h"
#include "heap/decode.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
#include "utils/rel.h"

/* decode.h and utils/builtins.h have names in common: include no builtins.h */

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
	host->positions = palloc_array(uint16, Max(run->offloaded->program->nattrs, 1));
}

/*
 * An argument as the program has it: NULL for rows that FILTER turns down, and
 * not evaluated for them.  count(*) has one only with FILTER.
 */
static Expr *
filtered_argument(Expr *arg, Expr *filter)
{
	CaseExpr   *c;
	CaseWhen   *when;
	Oid			type;

	if (filter == NULL)
		return arg;
	if (arg == NULL)
		arg = (Expr *) makeBoolConst(true, false);

	type = exprType((Node *) arg);
	when = makeNode(CaseWhen);
	when->expr = filter;
	when->result = arg;
	when->location = -1;
	c = makeNode(CaseExpr);
	c->casetype = type;
	c->casecollid = exprCollation((Node *) arg);
	c->args = list_make1(when);
	c->defresult = (Expr *) makeNullConst(type, exprTypmod((Node *) arg), c->casecollid);
	c->location = -1;
	return (Expr *) c;
}

void
gpuscan_host_init_groups(HostEval *host, List *keys, List *aggrefs)
{
	const OffloadedProgram *offloaded = host->run->offloaded;
	const Program *program = offloaded->program;
	const ProgramAgg *aggs = program_aggs(program);
	int			column = 0;
	ListCell   *lc;

	host->batch_context = CreateExprContext(host->run->node->ps.state);
	host->batch_context->ecxt_scantuple = host->slot;
	host->types = palloc_array(ProgramType, program->nkeys + program->naggs + 1);
	host->keys = keys;
	foreach(lc, keys)
		host->types[column++] = gpuscan_type_of(exprType(lfirst(lc)));

	for (int agg = 0; agg < program->naggs; agg++)
	{
		Aggref	   *aggref = NULL;
		Expr	   *arg;
		int			i = 0;

		/* any aggregate that uses this state: argument and FILTER are the same */
		foreach(lc, aggrefs)
			if (offloaded->agg_state[i++] == agg)
			{
				aggref = lfirst_node(Aggref, lc);
				break;
			}
		if (aggref == NULL)
			elog(ERROR, "aggregate %d of the program belongs to nobody", agg);

		arg = aggref->args == NIL ? NULL : linitial_node(TargetEntry, aggref->args)->expr;
		host->args = lappend(host->args, filtered_argument(arg, aggref->aggfilter));
		if (aggs[agg].kind == AGG_COUNT_STAR || aggs[agg].kind == AGG_COUNT)
			host->types[column++] = PROGRAM_TYPES;
		else
			host->types[column++] = gpuscan_type_of(exprType((Node *) arg));
	}
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
	const Program *program = host->run->offloaded->program;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	int			jit_flags = estate->es_jit_flags;
	List	   *tlist = NIL;
	TupleTableSlot *slot;
	ListCell   *lc;

	foreach(lc, host->keys)
		tlist = lappend(tlist, makeTargetEntry(lfirst(lc), list_length(tlist) + 1, NULL, false));
	foreach(lc, host->args)
		if (lfirst(lc) != NULL)
			tlist = lappend(tlist, makeTargetEntry(lfirst(lc), list_length(tlist) + 1, NULL, false));

	slot = ExecAllocTableSlot(&estate->es_tupleTable, ExecTypeFromTL(tlist), &TTSOpsVirtual);
	estate->es_jit_flags = 0;
	host->projection = ExecBuildProjectionInfo(tlist, host->batch_context, slot,
											   &host->parent->ps, RelationGetDescr(host->run->rel));
	estate->es_jit_flags = jit_flags;

	host->room = BATCH_MAX_ROWS;
	host->settled = palloc_array(EngineSettled, host->room);
	host->values = palloc_array(ProgramValue, host->room * (program->nkeys + program->naggs + 1));
	MemoryContextSwitchTo(old);
}

/*
 * A batch that no engine has looked at may hold a tuple whose lengths lead
 * outside; PostgreSQL's own deforming would follow them.
 */
static void
check_bounds(HostEval *host, uint32 row)
{
	ProgramRun *run = host->run;
	const Program *program = run->offloaded->program;
	const HeapTuple tuple = &host->tuple;
	uint32		hoff = tuple->t_data->t_hoff;

	if (hoff < SizeofHeapTupleHeader || hoff > tuple->t_len || hoff != MAXALIGN(hoff) ||
		!decode_walk((const uint8_t *) tuple->t_data, tuple->t_len, program_layout(program),
					 program_attrs(program), program->nattrs, host->positions, 1))
		gpuscan_source_corrupt(run->source, run->batch, row);
}

void
gpuscan_host_load(HostEval *host, uint32 row)
{
	ProgramRun *run = host->run;
	Buffer		buffer = gpuscan_source_tuple(run->source, run->batch, row, &host->tuple);

	if (run->result == NULL)
	{
		gpuscan_source_prefetch(run->source, run->batch, row);
		check_bounds(host, row);
	}
	ExecStoreBufferHeapTuple(&host->tuple, host->slot, buffer);
}

bool
gpuscan_host_passes_device(HostEval *host)
{
	if (host->device_quals == NIL)
		return true;
	if (host->device_state == NULL)
		make_device_state(host);
	ResetExprContext(host->row_context);
	return ExecQual(host->device_state, host->row_context);
}

bool
gpuscan_host_passes_host(HostEval *host)
{
	if (host->host_state == NULL)
		return true;
	ResetExprContext(host->row_context);
	return ExecQual(host->host_state, host->row_context);
}

static void
add_foreign(HostEval *host, int agg, int key, int scale, Datum datum)
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
	item->scale = scale;
	item->datum = datum;
}

void
gpuscan_host_settle(HostEval *host, uint32 row)
{
	const Program *program = host->run->offloaded->program;
	int			nkeys = program->nkeys;
	int			ncolumns = nkeys + program->naggs;
	EngineSettled *settled;
	ProgramValue *values;
	TupleTableSlot *result;
	MemoryContext old;
	ListCell   *lc;
	int			column = 0;

	if (host->projection == NULL)
		make_projection(host);
	Assert(host->nsettled < host->room);
	settled = &host->settled[host->nsettled];
	values = &host->values[host->nsettled * ncolumns];
	settled->row = row;
	settled->keys = values;
	settled->args = values + nkeys;

	/* not reset here: texts and numerics live until the batch is absorbed */
	result = ExecProject(host->projection);
	old = MemoryContextSwitchTo(host->batch_context->ecxt_per_tuple_memory);
	lc = list_head(host->args);
	for (int i = 0; i < ncolumns; i++)
	{
		ProgramValue *value = &values[i];
		Datum		datum;

		if (i >= nkeys)
		{
			bool		absent = lfirst(lc) == NULL;

			lc = lnext(host->args, lc);
			if (absent)
			{
				memset(value, 0, sizeof(*value));	/* count(*): not NULL */
				continue;
			}
		}
		datum = result->tts_values[column];
		if (result->tts_isnull[column++])
		{
			memset(value, 0, sizeof(*value));
			value->null = 1;
			if (host->types[i] != PROGRAM_TYPES)
				value->kind = gpuscan_type_info[host->types[i]].kind;
		}
		else if (host->types[i] == PROGRAM_TYPES)
			memset(value, 0, sizeof(*value));
		else if (gpuscan_value_from_datum(host->types[i], datum, i < nkeys, value) != VALUE_FITS)
			add_foreign(host, i < nkeys ? -1 : i - nkeys, i < nkeys ? i : -1,
						value->foreign ? -1 : value->scale, datum);
	}
	MemoryContextSwitchTo(old);
	host->nsettled++;
}

void
gpuscan_host_reset(HostEval *host)
{
	host->nsettled = 0;
	host->nforeign = 0;
	if (host->batch_context != NULL)
		ResetExprContext(host->batch_context);
}
