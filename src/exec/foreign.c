/*-------------------------------------------------------------------------
 *
 * foreign.c
 *	  What groups hold that an engine cannot.
 *
 * NaN, infinities and numbers of more than 128 bits have no form in an engine.
 * As arguments of an aggregate they are gathered here, beside the engine's
 * state, by PostgreSQL's own transition functions; both parts are put together
 * when the group is finished (final.c).  As keys they are known to the engine
 * as bytes only, and their first-seen form is kept here.
 *
 * Only numerics can be foreign: sums, and the least or greatest value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/foreign.h"
#include "fmgr.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* How a foreign item is written to a temporary file; a numeric follows. */
typedef struct DumpedItem
{
	int16		agg;			/* or -1 */
	int16		key;			/* or -1 */
	int64		count;
	uint64		ordinal;
} DumpedItem;

/* AggCheckCallContext asks for no more than this (nodeAgg.c). */
AggState *
gpuscan_foreign_fake_agg(void)
{
	AggState   *agg = makeNode(AggState);

	agg->curaggcontext = makeNode(ExprContext);
	return agg;
}

void
gpuscan_foreign_init(ForeignStates *foreign, const Program *program)
{
	foreign->fake_agg = (Node *) gpuscan_foreign_fake_agg();
	foreign->call = palloc0(SizeForFunctionCallInfo(2));
	InitFunctionCallInfoData(*foreign->call, NULL, 2, InvalidOid, foreign->fake_agg, NULL);
	foreign->program = program;
	foreign->parent = CurrentMemoryContext;
}

static pg_noinline ForeignGroup *
new_group(ForeignStates *foreign, uint32 group)
{
	if (foreign->context == NULL)
	{
		foreign->context = AllocSetContextCreate(foreign->parent, "gpuscan foreign values",
												 ALLOCSET_DEFAULT_SIZES);
		((AggState *) foreign->fake_agg)->curaggcontext->ecxt_per_tuple_memory = foreign->context;
	}
	if (group >= foreign->ngroups)
	{
		uint64		room = Max(foreign->ngroups * 2, 256);

		while (room <= group)
			room *= 2;
		if (foreign->groups == NULL)
			foreign->groups = MemoryContextAllocHuge(foreign->context, room * sizeof(ForeignGroup *));
		else
			foreign->groups = repalloc_huge(foreign->groups, room * sizeof(ForeignGroup *));
		memset(foreign->groups + foreign->ngroups, 0,
			   (room - foreign->ngroups) * sizeof(ForeignGroup *));
		foreign->ngroups = room;
	}
	foreign->groups[group] = MemoryContextAllocZero(foreign->context, sizeof(ForeignGroup));
	return foreign->groups[group];
}

/* The foreign part of a group, made if need be. */
static inline ForeignGroup *
make_group(ForeignStates *foreign, uint32 group)
{
	ForeignGroup *fg = gpuscan_foreign_group(foreign, group);

	return fg != NULL ? fg : new_group(foreign, group);
}

/* One more argument of a sum: numeric_avg_accum, as sum and avg have it. */
static void
add_to_sum(ForeignStates *foreign, ForeignAgg *agg, Datum value)
{
	FunctionCallInfo call = foreign->call;

	call->args[0].value = agg->state;
	call->args[0].isnull = agg->count == 0;
	call->args[1].value = value;
	agg->state = numeric_avg_accum(call);
}

bool
gpuscan_foreign_second_wins(int kind, Datum first, uint64 first_ordinal,
							Datum second, uint64 second_ordinal)
{
	int32		order = DatumGetInt32(DirectFunctionCall2(numeric_cmp, first, second));

	if (order == 0)
		return second_ordinal > first_ordinal;
	return kind == AGG_MIN_NUMERIC ? order > 0 : order < 0;
}

/* One more argument of min or max. */
static void
take_better(ForeignStates *foreign, ForeignAgg *agg, int kind, uint64 ordinal, Datum value)
{
	Datum		winner = value;
	struct varlena *copy;
	MemoryContext old;

	if (agg->count > 0)
	{
		FunctionCallInfo call = foreign->call;

		call->args[0].value = agg->state;
		call->args[0].isnull = false;
		call->args[1].value = value;
		if (unlikely(ordinal < agg->ordinal))
		{
			if (!gpuscan_foreign_second_wins(kind, agg->state, agg->ordinal, value, ordinal))
				return;
		}
		/* these give the state itself, or the other one in a plain form */
		else if ((winner = kind == AGG_MIN_NUMERIC ? numeric_smaller(call) : numeric_larger(call)) == agg->state)
			return;
	}
	old = MemoryContextSwitchTo(foreign->context);
	copy = PG_DETOAST_DATUM_COPY(winner);
	MemoryContextSwitchTo(old);
	if (agg->count > 0)
		pfree(DatumGetPointer(agg->state));
	agg->state = PointerGetDatum(copy);
	agg->ordinal = ordinal;
}

static void
add_argument(ForeignStates *foreign, uint32 group, int number, int64 count, uint64 ordinal,
			 Datum value)
{
	ForeignGroup *fg = make_group(foreign, group);
	ForeignAgg *agg;
	int			kind = program_aggs(foreign->program)[number].kind;

	if (fg->aggs == NULL)
		fg->aggs = MemoryContextAllocZero(foreign->context,
										  foreign->program->naggs * sizeof(ForeignAgg));
	agg = &fg->aggs[number];
	switch (kind)
	{
		case AGG_SUM_NUMERIC:
			add_to_sum(foreign, agg, value);
			break;
		case AGG_MIN_NUMERIC:
		case AGG_MAX_NUMERIC:
			take_better(foreign, agg, kind, ordinal, value);
			break;
		default:
			elog(ERROR, "foreign argument of aggregate state %d", kind);
	}
	agg->count += count;
}

static void
set_key(ForeignStates *foreign, uint32 group, int number, uint64 ordinal, Datum value)
{
	ForeignGroup *fg = make_group(foreign, group);
	MemoryContext old;

	if (fg->keys == NULL)
		fg->keys = MemoryContextAllocZero(foreign->context,
										  foreign->program->nkeys * sizeof(ForeignKey));
	if (fg->keys[number].set && fg->keys[number].ordinal <= ordinal)
		return;
	old = MemoryContextSwitchTo(foreign->context);
	fg->keys[number].set = true;
	fg->keys[number].ordinal = ordinal;
	fg->keys[number].datum = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	MemoryContextSwitchTo(old);
}

void
gpuscan_foreign_argument(ForeignStates *foreign, uint32 group, int agg, uint64 ordinal, Datum value)
{
	add_argument(foreign, group, agg, 1, ordinal, value);
}

void
gpuscan_foreign_key(ForeignStates *foreign, uint32 group, int number, const ForeignKey *key)
{
	set_key(foreign, group, number, key->ordinal, key->datum);
}

/* As gpuscan_foreign_merge has it: a sum so far is one argument with the weight of many. */
void
gpuscan_foreign_add(ForeignStates *foreign, uint32 group, int agg, const ForeignAgg *from)
{
	add_argument(foreign, group, agg, from->count, from->ordinal,
				 program_aggs(foreign->program)[agg].kind == AGG_SUM_NUMERIC ?
				 gpuscan_foreign_sum(from) : from->state);
}

void
gpuscan_foreign_absorb(ForeignStates *foreign, HostEval *host)
{
	for (uint32 i = 0; i < host->nforeign; i++)
	{
		const ForeignItem *item = &host->foreign[i];
		const EngineSettled *settled = &host->settled[item->settled];

		if (item->agg >= 0)
			add_argument(foreign, settled->group, item->agg, 1, settled->ordinal, item->datum);
		else if (settled->is_new)
			set_key(foreign, settled->group, item->key, settled->ordinal, item->datum);
	}
}

Datum
gpuscan_foreign_sum(const ForeignAgg *agg)
{
	return DirectFunctionCall1(numeric_sum, agg->state);
}

size_t
gpuscan_foreign_memory(const ForeignStates *foreign)
{
	return foreign->context == NULL ? 0 : MemoryContextMemAllocated(foreign->context, true);
}

void
gpuscan_foreign_reset(ForeignStates *foreign)
{
	if (foreign->context != NULL)
		MemoryContextReset(foreign->context);
	foreign->groups = NULL;
	foreign->ngroups = 0;
}

static void
dump_item(StringInfo out, int agg, int key, int64 count, uint64 ordinal, Datum numeric)
{
	DumpedItem	item = {agg, key, count, ordinal};

	appendBinaryStringInfo(out, (char *) &item, sizeof(item));
	appendBinaryStringInfo(out, DatumGetPointer(numeric), VARSIZE(DatumGetPointer(numeric)));
}

void
gpuscan_foreign_dump(ForeignStates *foreign, uint32 group, StringInfo out)
{
	const Program *program = foreign->program;
	ForeignGroup *fg = gpuscan_foreign_group(foreign, group);

	if (fg == NULL)
		return;
	for (int i = 0; fg->keys != NULL && i < program->nkeys; i++)
		if (fg->keys[i].set)
			dump_item(out, -1, i, 0, fg->keys[i].ordinal, fg->keys[i].datum);
	for (int i = 0; fg->aggs != NULL && i < program->naggs; i++)
	{
		const ForeignAgg *agg = &fg->aggs[i];

		if (agg->count > 0)
			dump_item(out, i, -1, agg->count, agg->ordinal,
					  program_aggs(program)[i].kind == AGG_SUM_NUMERIC ?
					  gpuscan_foreign_sum(agg) : agg->state);
	}
}

/*
 * A sum goes to file as its value so far, and comes back as one more argument
 * with the weight of many: additions of numerics are exact, and what NaN and
 * infinities make of a sum does not depend on the order.
 */
void
gpuscan_foreign_merge(ForeignStates *foreign, uint32 group,
					  const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while (bytes < end)
	{
		DumpedItem	item;
		uint32		header;
		struct varlena *numeric;

		memcpy(&item, bytes, sizeof(item));
		bytes += sizeof(item);
		memcpy(&header, bytes, sizeof(header));
		numeric = palloc(VARSIZE(&header));
		memcpy(numeric, bytes, VARSIZE(&header));
		bytes += VARSIZE(numeric);

		if (item.agg >= 0)
			add_argument(foreign, group, item.agg, item.count, item.ordinal, PointerGetDatum(numeric));
		else
			set_key(foreign, group, item.key, item.ordinal, PointerGetDatum(numeric));
		pfree(numeric);
	}
}
