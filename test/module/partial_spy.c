/*-------------------------------------------------------------------------
 *
 * partial_spy.c
 *	  Deserialization functions that keep what they are given.
 *
 * Put into pg_aggregate in place of numeric.c's, they show the bytes that a
 * partial aggregate hands to a Finalize Aggregate.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

static StringInfoData taken;	/* what was seen, as text */

static void
keep(FunctionCallInfo fcinfo, const char *kind)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	if (taken.data == NULL)
		initStringInfo(&taken);
	appendStringInfo(&taken, " %s:%s", kind,
					 DatumGetCString(DirectFunctionCall1(byteaout, PG_GETARG_DATUM(0))));
	MemoryContextSwitchTo(old);
}

PG_FUNCTION_INFO_V1(spy_int8_avg_deserialize);
Datum
spy_int8_avg_deserialize(PG_FUNCTION_ARGS)
{
	keep(fcinfo, "int8");
	return int8_avg_deserialize(fcinfo);
}

PG_FUNCTION_INFO_V1(spy_numeric_avg_deserialize);
Datum
spy_numeric_avg_deserialize(PG_FUNCTION_ARGS)
{
	keep(fcinfo, "numeric");
	return numeric_avg_deserialize(fcinfo);
}

/* What was seen since the last call, joined by blanks. */
PG_FUNCTION_INFO_V1(spy_taken);
Datum
spy_taken(PG_FUNCTION_ARGS)
{
	text	   *result = cstring_to_text(taken.data == NULL ? "" : taken.data);

	if (taken.data != NULL)
		resetStringInfo(&taken);
	PG_RETURN_TEXT_P(result);
}
