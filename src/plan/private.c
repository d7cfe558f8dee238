/*-------------------------------------------------------------------------
 *
 * private.c
 *	  What a plan tells the node that runs it, and how the node takes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "offload/offload.h"
#include "parser/parsetree.h"
#include "plan/plan_private.h"
#include "program/program.h"

List *
gpuscan_plan_private(int engine, List *refusals, const char *device_refusal)
{
	List	   *private = NIL;

	for (int i = 0; i < PlanPrivateCount; i++)
		private = lappend(private, NULL);
	lfirst(list_nth_cell(private, PlanPrivateEngine)) = makeString(engine == ENGINE_CUDA ? "cuda" : "cpu");
	lfirst(list_nth_cell(private, PlanPrivateRefusals)) = refusals;
	lfirst(list_nth_cell(private, PlanPrivateDeviceRefusal)) =
		makeString(pstrdup(device_refusal != NULL ? device_refusal : ""));
	return private;
}

static int
position(const List *exprs, const Expr *expr)
{
	ListCell   *lc;

	foreach(lc, exprs)
		if (equal(lfirst(lc), expr))
			return foreach_current_index(lc);
	return -1;
}

void
gpuscan_plan_fine_grouping(List *keys, List *aggrefs, bool host_distinct, FineGrouping *fine)
{
	ListCell   *lc;

	fine->keys = list_copy(keys);
	fine->aggrefs = fine->distinct = NIL;
	fine->numbers = palloc_array(int, list_length(aggrefs) + 1);
	fine->distinct_keys = palloc_array(int, list_length(aggrefs) + 1);
	foreach(lc, aggrefs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);
		int			i = foreach_current_index(lc);
		Expr	   *arg;

		fine->numbers[i] = fine->distinct_keys[i] = -1;
		if (aggref->aggdistinct == NIL || host_distinct)
		{
			fine->numbers[i] = list_length(fine->aggrefs);
			fine->aggrefs = lappend(fine->aggrefs, aggref);
			continue;
		}
		arg = gpuscan_offload_filtered_argument(linitial_node(TargetEntry, aggref->args)->expr, aggref->aggfilter);
		fine->distinct = list_append_unique(fine->distinct, arg);
		fine->keys = list_append_unique(fine->keys, arg);
		fine->distinct_keys[i] = position(fine->keys, arg);
	}
}

static Node *
restore_mutator(Node *node, void *data)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == INDEX_VAR)
	{
		TargetEntry *entry = get_tle_by_resno((List *) data, ((Var *) node)->varattno);

		if (entry == NULL)
			elog(ERROR, "column %d of a custom scan's tuple does not exist", ((Var *) node)->varattno);
		return copyObject((Node *) entry->expr);
	}
	return expression_tree_mutator(node, restore_mutator, data);
}

List *
gpuscan_plan_restore_vars(List *exprs, List *custom_scan_tlist)
{
	return (List *) restore_mutator((Node *) exprs, custom_scan_tlist);
}
