/*-------------------------------------------------------------------------
 *
 * agg.c
 *	  GpuAgg paths: a table filtered and grouped in one node.
 *
 * The path's parent is the scanned relation, not the grouped one, although it
 * lies in the latter's pathlist: so createplan.c fills in custom_relids and
 * puts a gating Result above where there are pseudoconstant clauses.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "gpuscan.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "offload/offload.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "plan/plan.h"
#include "plan/plan_private.h"
#include "program/program.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* CustomPath.custom_private */
typedef enum AggPathPrivate
{
	AggPathEngine,				/* String */
	AggPathDevice,				/* List of RestrictInfo */
	AggPathHost,				/* List of RestrictInfo */
	AggPathRefusals,			/* List of String */
	AggPathKeys,				/* List of Expr */
	AggPathAggs,				/* List of Aggref */
	AggPathHaving,				/* List of Expr, implicitly ANDed */
	AggPathGroups,				/* String */
	AggPathDeviceRefusal,		/* String */
	AggPathCount
} AggPathPrivate;

static Plan *plan_agg(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
					  List *tlist, List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "GpuAgg",
	.PlanCustomPath = plan_agg
};

/* What an output column or HAVING is made of: keys and aggregates, nothing else. */
typedef struct OutputContext
{
	List	   *keys;
	List	   *aggs;
	const char *refusal;
} OutputContext;

static bool
output_walker(Node *node, void *data)
{
	OutputContext *context = data;

	if (node == NULL)
		return false;
	if (list_member(context->keys, node))
		return false;
	switch (nodeTag(node))
	{
		case T_Aggref:
			context->aggs = list_append_unique(context->aggs, node);
			return false;
		case T_Var:
			/* it depends on a key (primary key grouped): no group has two rows */
			context->refusal = "column that depends on the grouping keys";
			return true;
		case T_PlaceHolderVar:
		case T_GroupingFunc:
			context->refusal = "output that is neither grouping key nor aggregate";
			return true;
		default:
			return expression_tree_walker(node, output_walker, data);
	}
}

static bool
params_walker(Node *node, void *data)
{
	List	  **params = data;

	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		*params = list_append_unique(*params, node);
		return false;
	}
	return expression_tree_walker(node, params_walker, data);
}

/* What to group by, and what it costs; or a reason why not. */
static char *
collect_keys(PlannerInfo *root, RelOptInfo *rel, Relation relation, List *targetlist,
			 int engines, List **keys, double *cost)
{
	ListCell   *lc;

	*keys = NIL;
	foreach(lc, root->parse->groupClause)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Node	   *key = get_sortgroupclause_expr(clause, targetlist);
		char	   *refusal;

		/*
		 * setrefs.c would confuse a bare Param in custom_scan_tlist with those
		 * in custom_exprs; and who groups by a constant has one group or none.
		 */
		if (!contain_var_clause(key))
			return "grouping by a constant";
		refusal = gpuscan_offload_refuse_key(relation, rel->relid, key, clause->eqop, engines, cost);
		if (refusal != NULL)
			return refusal;
		*keys = list_append_unique(*keys, key);
	}
	return NULL;
}

static char *
collect_aggs(RelOptInfo *rel, Relation relation, PathTarget *target, List *having,
			 int engines, List *keys, List **aggs, double *cost)
{
	OutputContext context = {keys, NIL, NULL};
	ListCell   *lc;

	if (output_walker((Node *) target->exprs, &context) ||
		output_walker((Node *) having, &context))
		return pstrdup(context.refusal);
	*aggs = context.aggs;
	foreach(lc, context.aggs)
	{
		char	   *refusal = gpuscan_offload_refuse_agg(relation, rel->relid, lfirst_node(Aggref, lc),
														 engines, cost);

		if (refusal != NULL)
			return refusal;
	}
	return NULL;
}

/* Shapes that have no GpuAgg yet. */
static const char *
refuse_shape(PlannerInfo *root, RelOptInfo *rel)
{
	Query	   *parse = root->parse;
	ListCell   *lc;

	if (parse->groupingSets != NIL)
		return "grouping sets";
	if (parse->hasTargetSRFs)
		return "set-returning function";

	/*
	 * A gating Result above gives no row where the condition is false; without
	 * GROUP BY there must be one.
	 */
	if (parse->groupClause == NIL)
		foreach(lc, rel->baserestrictinfo)
			if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
				return "condition without columns, and no GROUP BY";
	return NULL;
}

/* What is to be grouped, and how. */
typedef struct AggShape
{
	QualSplit	split;
	List	   *keys;
	List	   *aggs;
	List	   *having;
	double		row_cost;
	double		groups;
	const char *device_refusal;
} AggShape;

static void
add_agg_path(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *grouped_rel,
			 const char *name, int engine, const AggShape *shape)
{
	CustomPath *path = makeNode(CustomPath);
	const char *refusal = shape->device_refusal;

	path->path.pathtype = T_CustomScan;
	path->path.parent = input_rel;
	path->path.pathtarget = grouped_rel->reltarget;
	path->path.parallel_safe = grouped_rel->consider_parallel;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make5(makeString(pstrdup(name)), shape->split.device,
									  shape->split.host, shape->split.refusals, shape->keys);
	path->custom_private = lappend(path->custom_private, shape->aggs);
	path->custom_private = lappend(path->custom_private, shape->having);
	path->custom_private = lappend(path->custom_private,
								   makeString(psprintf("%.0f", shape->groups)));
	path->custom_private = lappend(path->custom_private,
								   makeString(pstrdup(refusal != NULL ? refusal : "")));
	path->methods = &path_methods;
	gpuscan_cost_agg(root, input_rel, engine, &shape->split, list_length(shape->keys),
					 list_length(shape->aggs), shape->row_cost, shape->groups, shape->having,
					 &path->path);
	if (gpuscan_require == GPUSCAN_REQUIRE_REQUIRE)
		gpuscan_cost_require(grouped_rel, &path->path);
	add_path(grouped_rel, &path->path);
}

void
gpuscan_plan_agg_paths(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *grouped_rel, void *data)
{
	GroupPathExtraData *extra = data;
	RangeTblEntry *rte;
	PlanEngine	engine;
	AggShape	shape = {.having = (List *) extra->havingQual, .groups = 1};
	Relation	relation;
	const char *refusal;
	int			engines;

	if (input_rel->reloptkind != RELOPT_BASEREL || input_rel->rtekind != RTE_RELATION)
		return;
	if (extra->patype == PARTITIONWISE_AGGREGATE_PARTIAL || !gpuscan_cost_can_win(grouped_rel))
		return;
	rte = planner_rt_fetch(input_rel->relid, root);
	relation = gpuscan_plan_open(root, input_rel, input_rel->relid, rte, &engine);
	if (relation == NULL)
		return;

	gpuscan_plan_split_quals(root, input_rel, relation, engine.mask, &shape.split);
	refusal = refuse_shape(root, input_rel);
	if (refusal == NULL)
		refusal = collect_keys(root, input_rel, relation, extra->targetList, engine.mask,
							   &shape.keys, &shape.row_cost);
	if (refusal == NULL)
		refusal = collect_aggs(input_rel, relation, grouped_rel->reltarget, shape.having,
							   engine.mask, shape.keys, &shape.aggs, &shape.row_cost);
	if (refusal == NULL)
		refusal = gpuscan_plan_refuse_leaks(root, &shape.split, shape.keys, shape.aggs);
	if (refusal != NULL)
	{
		gpuscan_watch_refusal(REFUSED_AGG, rte->relid, rte->eref->aliasname, refusal);
		table_close(relation, NoLock);
		return;
	}

	if (shape.keys != NIL)
		shape.groups = estimate_num_groups(root, shape.keys, input_rel->rows, NULL, NULL);
	engines = gpuscan_plan_engines(relation, &shape.split, true, shape.keys, shape.aggs,
								   &shape.device_refusal);
	gpuscan_watch_path(rte->relid, rte->eref->aliasname);
	if (engines & ENGINE_CUDA)
		add_agg_path(root, input_rel, grouped_rel, "cuda", ENGINE_CUDA, &shape);
	if (engines & ENGINE_CPU)
		add_agg_path(root, input_rel, grouped_rel, "cpu", ENGINE_CPU, &shape);
	table_close(relation, NoLock);
}

/* The scan tuple: keys, aggregates, and Vars that setrefs.c wants to find. */
static List *
scan_tlist(List *keys, List *aggs, List *quals)
{
	List	   *tlist = NIL;
	ListCell   *lc;

	foreach(lc, keys)
		tlist = lappend(tlist, makeTargetEntry(copyObject(lfirst(lc)), list_length(tlist) + 1,
											   NULL, false));
	foreach(lc, aggs)
		tlist = lappend(tlist, makeTargetEntry(copyObject(lfirst(lc)), list_length(tlist) + 1,
											   NULL, false));
	return add_to_flat_tlist(tlist, pull_var_clause((Node *) quals, PVC_RECURSE_PLACEHOLDERS));
}

static Plan *
plan_agg(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
		 List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *cscan = makeNode(CustomScan);
	List	   *private = path->custom_private;
	List	   *keys = list_nth(private, AggPathKeys);
	List	   *aggs = list_nth(private, AggPathAggs);
	List	   *device = extract_actual_clauses(list_nth(private, AggPathDevice), false);
	List	   *host = extract_actual_clauses(list_nth(private, AggPathHost), false);
	List	   *params = NIL;

	Assert(list_length(private) == AggPathCount);
	params_walker((Node *) keys, &params);
	params_walker((Node *) aggs, &params);

	cscan->scan.plan.targetlist = tlist;
	cscan->scan.plan.qual = copyObject(list_nth(private, AggPathHaving));
	cscan->scan.scanrelid = rel->relid;
	cscan->flags = path->flags;
	cscan->custom_scan_tlist = scan_tlist(keys, aggs, list_concat_copy(device, host));
	cscan->custom_exprs = list_make3(device, host, copyObject(params));
	cscan->custom_private = list_make5(list_nth(private, AggPathEngine),
									   makeInteger(list_length(keys)),
									   makeInteger(list_length(aggs)),
									   list_nth(private, AggPathGroups),
									   list_nth(private, AggPathRefusals));
	cscan->custom_private = lappend(cscan->custom_private, list_nth(private, AggPathDeviceRefusal));
	StaticAssertStmt(PlanPrivateCount == 6, "custom_private is made member by member");
	cscan->methods = &gpuscan_agg_plan_methods;
	return &cscan->scan.plan;
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

/* Undo setrefs.c: INDEX_VARs become the custom_scan_tlist entries they stand for. */
List *
gpuscan_plan_restore_vars(List *exprs, List *custom_scan_tlist)
{
	return (List *) restore_mutator((Node *) exprs, custom_scan_tlist);
}
