/*-------------------------------------------------------------------------
 *
 * listing.c
 *	  What is offloaded, from the tables: rows for the view gpuscan.offloaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "engine/engine.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "offload/tables.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(gpuscan_offload_listing);

static Datum
engine_names(int engines)
{
	Datum		names[2];
	int			n = 0;

	/* a line may name an engine that this build does not have */
	engines &= ENGINES_BUILT;
	if (engines & ENGINE_CPU)
		names[n++] = CStringGetTextDatum("cpu");
	if (engines & ENGINE_CUDA)
		names[n++] = CStringGetTextDatum("cuda");
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static char *
condition_names(int condition)
{
	StringInfoData names;
	static const struct
	{
		int			condition;
		const char *name;
	}			conditions[] = {
		{CONDITION_DETERMINISTIC, "deterministic collation"},
		{CONDITION_BYTE_ORDER, "collation that orders by bytes"},
		{CONDITION_UTF8, "encoding UTF-8"},
		{CONDITION_SINGLE_BYTE, "encoding of single bytes"},
		{CONDITION_ROW_ORDER, "rows in the order of the table"},
		{CONDITION_CTYPE_C, "character types of C"},
		{CONDITION_PLAIN_ASCII, "collation that maps ASCII letters plainly"},
	};

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(conditions); i++)
		if (condition & conditions[i].condition)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", conditions[i].name);
	return names.data;
}

/* (kind text, object oid, engines text[], condition text) */
Datum
gpuscan_offload_listing(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	const char *kind;
	Oid			object;
	int			engines;
	int			condition;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext caller;
		TupleDesc	desc;

		funcctx = SRF_FIRSTCALL_INIT();
		caller = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		funcctx->tuple_desc = BlessTupleDesc(desc);
		MemoryContextSwitchTo(caller);
	}
	funcctx = SRF_PERCALL_SETUP();
	if (gpuscan_offload_listed(funcctx->call_cntr, &kind, &object, &engines, &condition))
	{
		Datum		values[4] = {CStringGetTextDatum(kind), ObjectIdGetDatum(object),
		engine_names(engines), CStringGetTextDatum(condition_names(condition))};
		bool		nulls[4] = {false, false, false, condition == CONDITION_ANY};

		SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(funcctx);
}
