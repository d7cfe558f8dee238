/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  From PostgreSQL's functions, aggregates and types to lines of the tables.
 *
 * The function lists of ops.def and aggs.def are names of fmgroids.h, and are
 * expanded nowhere else.  Only built-in functions have such names, so nothing
 * that a user made can be taken for one of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "mb/pg_wchar.h"
#include "offload/tables.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#define MAX_FUNCTIONS	24		/* that one operator stands for */
#define LIST(...) {__VA_ARGS__}

static const struct
{
	Oid			functions[MAX_FUNCTIONS];
	ProgramOp	op;
}			op_functions[] = {
#define OP(id, nargs, kinds, result, may_fail, cost, engines, condition, functions, body) \
	{LIST functions, OP_##id},
#include "program/ops.def"
#undef OP
};

static const struct
{
	Oid			aggfnoid;
	ProgramAggKind kind;
}			agg_functions[] = {
#define AGG(function, state, final) \
	{function, AGG_##state},
#include "program/aggs.def"
#undef AGG
};

/* Is a line for this database's encoding?  Those that do not say are for any. */
static bool
suits_encoding(int condition)
{
	if (condition & CONDITION_UTF8)
		return GetDatabaseEncoding() == PG_UTF8;
	if (condition & CONDITION_SINGLE_BYTE)
		return pg_database_encoding_max_length() == 1;
	return true;
}

/* Where no line suits the encoding, one of them: its condition is refused by name. */
ProgramOp
gpuscan_op_of_function(Oid funcid)
{
	ProgramOp	found = PROGRAM_OPS;

	for (int i = 0; i < (int) lengthof(op_functions); i++)
		for (int j = 0; j < MAX_FUNCTIONS && OidIsValid(op_functions[i].functions[j]); j++)
			if (op_functions[i].functions[j] == funcid)
			{
				found = op_functions[i].op;
				if (suits_encoding(gpuscan_op_info[found].condition))
					return found;
			}
	return found;
}

/* Lines for one function under several conditions: the next one for this encoding, or PROGRAM_OPS. */
ProgramOp
gpuscan_op_after(Oid funcid, ProgramOp op)
{
	for (int i = 0; i < (int) lengthof(op_functions); i++)
		for (int j = 0; j < MAX_FUNCTIONS && OidIsValid(op_functions[i].functions[j]); j++)
			if (op_functions[i].functions[j] == funcid && op_functions[i].op > op &&
				suits_encoding(gpuscan_op_info[op_functions[i].op].condition))
				return op_functions[i].op;
	return PROGRAM_OPS;
}

ProgramAggKind
gpuscan_agg_of_function(Oid aggfnoid)
{
	for (int i = 0; i < (int) lengthof(agg_functions); i++)
		if (agg_functions[i].aggfnoid == aggfnoid)
			return agg_functions[i].kind;
	return PROGRAM_AGG_KINDS;
}

ProgramType
gpuscan_type_of(Oid type)
{
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < PROGRAM_TYPES; i++)
			if (gpuscan_type_info[i].oid == type)
				return i;
		type = getBaseType(type);
	}
	return OidIsValid(type) && type_is_enum(type) ? TYPE_ENUM : PROGRAM_TYPES;
}

bool
gpuscan_offload_listed(uint64 n, const char **kind, Oid *object, int *engines, int *condition)
{
	if (n < PROGRAM_TYPES)
	{
		*kind = "type";
		*object = gpuscan_type_info[n].oid;
		*engines = ENGINE_ALL;
		*condition = CONDITION_ANY;
		return true;
	}
	n -= PROGRAM_TYPES;
	for (int i = 0; i < (int) lengthof(op_functions); i++)
		for (int j = 0; j < MAX_FUNCTIONS && OidIsValid(op_functions[i].functions[j]); j++)
		{
			/* of lines for several encodings, those for this one */
			if (gpuscan_op_of_function(op_functions[i].functions[j]) != op_functions[i].op &&
				!suits_encoding(gpuscan_op_info[op_functions[i].op].condition))
				continue;
			if (n-- == 0)
			{
				*kind = "function";
				*object = op_functions[i].functions[j];
				*engines = gpuscan_op_info[op_functions[i].op].engines;
				*condition = gpuscan_op_info[op_functions[i].op].condition;
				return true;
			}
		}
	if (n >= lengthof(agg_functions))
		return false;
	*kind = "aggregate";
	*object = agg_functions[n].aggfnoid;
	*engines = gpuscan_agg_info[agg_functions[n].kind].engines;
	*condition = gpuscan_agg_info[agg_functions[n].kind].condition;
	return true;
}
