/*-------------------------------------------------------------------------
 *
 * params.c
 *	  Values that are the same for all rows of one execution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/run.h"
#include "exec/set.h"
#include "exec/value.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "offload/tables.h"
#include "offload/zone.h"
#include "utils/lsyscache.h"

/* An array is a set of values, which lies in a program as a text does. */
static bool
is_set(Node *expr)
{
	return OidIsValid(get_element_type(exprType(expr)));
}

static ProgramType
type_of_param(Node *expr)
{
	return is_set(expr) || gpuscan_offload_is_zone(expr) ? TYPE_TEXT : gpuscan_type_of(exprType(expr));
}

List *
gpuscan_params_init(List *params, PlanState *parent)
{
	List	   *states = NIL;
	ListCell   *lc;

	foreach(lc, params)
		states = lappend(states, ExecInitExpr((Expr *) lfirst(lc), parent));
	return states;
}

static bool
pending_walker(Node *node, void *estate)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		const Param *param = (const Param *) node;

		return param->paramkind == PARAM_EXEC &&
			((EState *) estate)->es_param_exec_vals[param->paramid].execPlan != NULL;
	}
	return expression_tree_walker(node, pending_walker, estate);
}

bool
gpuscan_params_pending(List *params, EState *estate)
{
	return pending_walker((Node *) params, estate);
}

void
gpuscan_params_clear(List *params, ProgramValue *values)
{
	ListCell   *lc;

	foreach(lc, params)
	{
		ProgramValue *value = &values[foreach_current_index(lc)];

		memset(value, 0, sizeof(*value));
		value->kind = gpuscan_type_info[type_of_param(lfirst(lc))].kind;
		value->null = 1;
	}
}

/*
 * Evaluated in the current memory context, where the values stay: an engine
 * keeps pointers to them.
 */
bool
gpuscan_params_evaluate(List *params, List *param_states, ExprContext *econtext,
						ProgramValue *values)
{
	bool		all_fit = true;
	int			n = 0;
	ListCell   *lc;
	ListCell   *lcs;

	forboth(lc, params, lcs, param_states)
	{
		Node	   *expr = lfirst(lc);
		ProgramType type = type_of_param(expr);
		ProgramValue *value = &values[n++];
		bool		isnull;
		Datum		datum;

		if (type == PROGRAM_TYPES)
			elog(ERROR, "parameter of type %u in a program", exprType(expr));
		datum = ExecEvalExpr((ExprState *) lfirst(lcs), econtext, &isnull);
		if (gpuscan_offload_is_zone(expr))
		{
			datum = gpuscan_offload_zone_table(expr);
			isnull = false;
		}
		else if (!isnull && is_set(expr))
			datum = gpuscan_set_from_array(datum);
		if (!isnull && gpuscan_value_from_datum(type, datum, false, value) == VALUE_FITS)
			continue;
		all_fit = all_fit && isnull;
		memset(value, 0, sizeof(*value));
		value->kind = gpuscan_type_info[type].kind;
		value->null = 1;
	}
	return all_fit;
}
