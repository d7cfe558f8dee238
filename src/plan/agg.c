/*-------------------------------------------------------------------------
 *
 * agg.c
 *	  GpuAgg paths: a table filtered and grouped in one node.
 *
 * The path's parent is the scanned relation, not the grouped one, although it
 * lies in the latter's pathlist: so createplan.c fills in custom_relids and
 * puts a gating Result above where there are pseudoconstant clauses.
 *
 * DISTINCT is a grouping without aggregates.  What is done in two steps (shared
 * out among processes, or partition by partition) is partial.c's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "gpuscan.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "offload/offload.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "plan/plan.h"
#include "plan/plan_private.h"
#include "program/program.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"

/* CustomPath.custom_private */
typedef enum AggPathPrivate
{
	AggPathPlan,				/* the plan's custom_private */
	AggPathDevice,				/* List of RestrictInfo */
	AggPathHost,				/* List of RestrictInfo */
	AggPathKeys,				/* List of Expr */
	AggPathAggs,				/* List of Aggref */
	AggPathHaving,				/* List of Expr, implicitly ANDed */
	AggPathGroupings,			/* List of GroupingFunc */
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
	List	   *groupings;
	List	   *dependents;		/* Vars that depend on the keys (a primary key is grouped) */
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
			context->dependents = list_append_unique(context->dependents, node);
			return false;
		case T_GroupingFunc:
			context->groupings = list_append_unique(context->groupings, node);
			return false;
		case T_PlaceHolderVar:
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

/* Numbers of the keys that sort-group references stand for, without repetition. */
static List *
keys_of_references(const AggStage *stage, List *stage_keys, const AggShape *shape, List *refs)
{
	List	   *numbers = NIL;
	ListCell   *lc;

	foreach(lc, refs)
	{
		ListCell   *clause;
		ListCell   *stage_key;
		ListCell   *key;

		forboth(clause, stage->clauses, stage_key, stage_keys)
			if (lfirst_node(SortGroupClause, clause)->tleSortGroupRef == (Index) lfirst_int(lc))
				foreach(key, shape->keys)
					if (equal(lfirst(key), lfirst(stage_key)))
						numbers = lappend_int(numbers, foreach_current_index(key));
	}
	return numbers;
}

/* What to group by, and what it costs; or a reason why not. */
static char *
collect_keys(RelOptInfo *rel, Relation relation, const AggStage *stage, List *exprs, AggShape *shape)
{
	ListCell   *lc;
	ListCell   *lce;
	bool		constants = false;

	forboth(lc, stage->clauses, lce, exprs)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Node	   *key = lfirst(lce);
		char	   *refusal;

		/* beside another key a constant tells no groups apart */
		if (IsA(key, Const) && stage->sets == NIL)
		{
			constants = true;
			continue;
		}

		/*
		 * setrefs.c would confuse a bare Param in custom_scan_tlist with those
		 * in custom_exprs; and who groups by a constant has one group or none.
		 */
		if (!contain_var_clause(key))
			return "grouping by a constant";
		refusal = gpuscan_offload_refuse_key(relation, rel->relid, key, clause->eqop, ENGINE_CPU,
											 &shape->cost);
		if (refusal != NULL)
			return refusal;
		shape->keys = list_append_unique(shape->keys, key);
	}
	if (constants && shape->keys == NIL)
		return "grouping by a constant";
	foreach(lc, stage->sets)
	{
		List	   *numbers = keys_of_references(stage, exprs, shape, lfirst(lc));

		shape->sets = lappend(shape->sets, list_union_int(NIL, numbers));
	}
	return NULL;
}

/* An aggregate with DISTINCT: what it is about is one more key. */
static char *
check_distinct(RelOptInfo *rel, Relation relation, const Aggref *aggref, List **known, AggShape *shape)
{
	Expr	   *arg;

	if (list_length(aggref->args) != 1 || list_length(aggref->aggdistinct) != 1)
		return "aggregate with DISTINCT of several arguments";
	arg = gpuscan_offload_filtered_argument(linitial_node(TargetEntry, aggref->args)->expr, aggref->aggfilter);
	if (!contain_var_clause((Node *) arg))
		return "aggregate with DISTINCT of a constant";
	if (list_member(*known, arg))
		return NULL;
	*known = lappend(*known, arg);
	return gpuscan_offload_refuse_key(relation, rel->relid, (Node *) arg,
									  linitial_node(SortGroupClause, aggref->aggdistinct)->eqop,
									  ENGINE_CPU, &shape->cost);
}

/*
 * The order of rows is lost where groups are made of finer ones (exec/regroup.c),
 * and states of PostgreSQL's cannot all be put together.
 */
static char *
refuse_regrouping(List *aggs, const AggShape *shape)
{
	const char *what = shape->sets != NIL ? "grouping sets" : "DISTINCT";
	ListCell   *lc;

	foreach(lc, aggs)
		if (gpuscan_offload_row_order(lfirst_node(Aggref, lc)))
			return psprintf("aggregate %s, which depends on the order of rows, with %s",
							format_procedure(lfirst_node(Aggref, lc)->aggfnoid), what);
	if (shape->cost.host_aggs != NIL)
		return psprintf("aggregate %s, which PostgreSQL computes, with %s",
						format_procedure(linitial_node(Aggref, shape->cost.host_aggs)->aggfnoid), what);
	return NULL;
}

/*
 * What the aggregates cost, or a reason why not.  shape->host_distinct decides who
 * computes those with DISTINCT.
 */
static char *
check_aggs(RelOptInfo *rel, Relation relation, List *aggs, AggShape *shape)
{
	List	   *distinct_arguments = NIL;
	ListCell   *lc;

	foreach(lc, aggs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);
		OffloadCost no_cost = {0};
		bool		distinct = aggref->aggdistinct != NIL && !shape->host_distinct;
		char	   *refusal = NULL;

		if (distinct)
		{
			/* the order of its arguments is how PostgreSQL finds them; we do not need it */
			aggref = copyObject(aggref);
			refusal = check_distinct(rel, relation, aggref, &distinct_arguments, shape);
			aggref->aggdistinct = NIL;
		}
		if (refusal == NULL)
			refusal = gpuscan_offload_refuse_agg(relation, rel->relid, aggref, ENGINE_CPU,
												 distinct ? &no_cost : &shape->cost);
		if (refusal == NULL && no_cost.host_aggs != NIL)
			refusal = pstrdup(strVal(linitial(no_cost.reasons)));
		if (refusal != NULL)
			return refusal;
	}
	return distinct_arguments != NIL || shape->sets != NIL ? refuse_regrouping(aggs, shape) : NULL;
}

static bool
has_distinct(List *aggs)
{
	ListCell   *lc;

	foreach(lc, aggs)
		if (lfirst_node(Aggref, lc)->aggdistinct != NIL)
			return true;
	return false;
}

static char *
collect_aggs(RelOptInfo *rel, Relation relation, List *outputs, List *having, AggShape *shape)
{
	OutputContext context = {shape->keys, NIL, NIL, NIL, NULL};
	OffloadCost keys_cost = {shape->cost.steps, list_copy(shape->cost.supplied), NIL, list_copy(shape->cost.reasons)};
	char	   *refusal;
	ListCell   *lc;

	if (output_walker((Node *) outputs, &context) ||
		output_walker((Node *) having, &context))
		return pstrdup(context.refusal);
	shape->aggs = context.aggs;
	shape->groupings = context.groupings;
	refusal = check_aggs(rel, relation, context.aggs, shape);
	if (refusal != NULL && shape->sets == NIL && has_distinct(context.aggs))
	{
		shape->cost = keys_cost;
		shape->host_distinct = true;
		if (check_aggs(rel, relation, context.aggs, shape) == NULL)
			refusal = NULL;
	}
	if (refusal != NULL)
		return refusal;

	/* what depends on the keys is one more key: it makes no more groups */
	foreach(lc, context.dependents)
	{
		Node	   *key = lfirst(lc);
		TypeCacheEntry *type = lookup_type_cache(exprType(key), TYPECACHE_EQ_OPR);

		if (shape->sets != NIL)
			return "column that depends on the grouping keys, with grouping sets";
		if (!OidIsValid(type->eq_opr))
			return psprintf("grouping by type %s", format_type_be(exprType(key)));
		refusal = gpuscan_offload_refuse_key(relation, rel->relid, key, type->eq_opr, ENGINE_CPU,
											 &shape->cost);
		if (refusal != NULL)
			return refusal;
		shape->keys = lappend(shape->keys, key);
	}
	gpuscan_plan_fine_grouping(shape->keys, shape->aggs, shape->host_distinct, &shape->fine);
	return list_length(shape->fine.keys) > PROGRAM_MAX_KEYS ?
		psprintf("more than %d grouping keys", PROGRAM_MAX_KEYS) : NULL;
}

static double
estimate_keys(PlannerInfo *root, List *keys, double rows)
{
	return keys == NIL ? 1 : estimate_num_groups(root, keys, rows, NULL, NULL);
}

/* How many groups come out, and how many there are before. */
static void
estimate_groups(PlannerInfo *root, RelOptInfo *rel, AggShape *shape)
{
	ListCell   *lc;

	shape->fine_groups = estimate_keys(root, shape->fine.keys, rel->rows);
	if (shape->sets == NIL)
		shape->groups = shape->fine.distinct == NIL ? shape->fine_groups :
			estimate_keys(root, shape->keys, rel->rows);
	foreach(lc, shape->sets)
	{
		List	   *exprs = NIL;
		ListCell   *lck;

		foreach(lck, lfirst(lc))
			exprs = lappend(exprs, list_nth(shape->keys, lfirst_int(lck)));
		shape->groups += estimate_keys(root, exprs, rel->rows);
	}
}

/* States of PostgreSQL's are not written to files, and so the groups stay (exec/host_agg.c). */
static char *
refuse_many_groups(const AggShape *shape)
{
	if (shape->cost.host_aggs == NIL || gpuscan_cost_group_memory(shape, shape->fine_groups) <= get_hash_memory_limit())
		return NULL;
	return psprintf("more groups than memory holds, with aggregate %s, which PostgreSQL computes",
					format_procedure(linitial_node(Aggref, shape->cost.host_aggs)->aggfnoid));
}

/*
 * What GpuAgg would have to do with a plain table.  keys: the expressions of the
 * stage's clauses; outputs, having: expressions over keys and aggregates, all in
 * terms of the table.  False, and a refusal noted, when there is no such node.
 */
bool
gpuscan_agg_shape(PlannerInfo *root, RelOptInfo *rel, const AggStage *stage, List *keys,
				  List *outputs, List *having, AggShape *shape)
{
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	PlanEngine	engine;
	Relation	relation = gpuscan_plan_open(root, rel, rel->relid, rte, &engine);
	const char *refusal;
	ListCell   *lc;

	if (relation == NULL)
		return false;
	memset(shape, 0, sizeof(*shape));
	shape->having = having;
	gpuscan_plan_split_quals(root, rel, relation, engine.mask, &shape->split);
	refusal = collect_keys(rel, relation, stage, keys, shape);
	if (refusal == NULL)
		refusal = collect_aggs(rel, relation, outputs, having, shape);
	if (refusal == NULL)
		refusal = gpuscan_plan_refuse_leaks(root, &shape->split, shape->fine.keys, shape->aggs);
	if (refusal == NULL)
	{
		estimate_groups(root, rel, shape);
		refusal = refuse_many_groups(shape);
	}
	if (refusal != NULL)
		gpuscan_watch_refusal(REFUSED_AGG, rte->relid, rte->eref->aliasname, refusal);
	else
	{
		foreach(lc, shape->groupings)
			shape->grouping_keys =
				lappend(shape->grouping_keys,
						keys_of_references(stage, keys, shape, lfirst_node(GroupingFunc, lc)->refs));
		shape->engines = gpuscan_plan_engines(relation, &shape->split, true, shape->fine.keys,
											  shape->fine.aggrefs, &shape->device_refusal);
	}
	table_close(relation, NoLock);
	return refusal == NULL;
}

/*
 * A GpuAgg.  partial: for a Finalize Aggregate above, HAVING left to that, and
 * 'target' accordingly; workers: a parallel-aware one, 0: not.
 */
Path *
gpuscan_agg_path(PlannerInfo *root, RelOptInfo *rel, int engine, const AggShape *shape,
				 PathTarget *target, bool partial, int workers)
{
	CustomPath *path = makeNode(CustomPath);
	List	   *having = partial ? NIL : shape->having;
	List	   *aggs = NIL;
	List	   *private = gpuscan_plan_private(engine, list_concat_copy(shape->split.refusals, shape->cost.reasons),
											   shape->device_refusal);
	double		groups = shape->fine_groups;
	ListCell   *lc;

	lfirst(list_nth_cell(private, PlanPrivateNKeys)) = makeInteger(list_length(shape->keys));
	lfirst(list_nth_cell(private, PlanPrivateNAggs)) = makeInteger(list_length(shape->aggs));
	lfirst(list_nth_cell(private, PlanPrivatePartial)) = makeBoolean(partial);
	lfirst(list_nth_cell(private, PlanPrivateSets)) = shape->sets;
	lfirst(list_nth_cell(private, PlanPrivateHostDistinct)) = makeBoolean(shape->host_distinct);
	lfirst(list_nth_cell(private, PlanPrivateGroupings)) = shape->grouping_keys;

	foreach(lc, shape->aggs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);

		if (partial)
		{
			aggref = copyObject(aggref);
			mark_partial_aggref(aggref, AGGSPLIT_INITIAL_SERIAL);
		}
		aggs = lappend(aggs, aggref);
	}

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = target;
	path->path.parallel_safe = rel->consider_parallel;
	path->path.parallel_aware = workers > 0;
	path->path.parallel_workers = workers;
	if (workers > 0 && shape->keys != NIL)
		groups = estimate_keys(root, shape->keys, clamp_row_est(rel->rows / gpuscan_cost_divisor(&path->path)));
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make5(private, shape->split.device, shape->split.host, shape->keys, aggs);
	path->custom_private = lappend(path->custom_private, having);
	path->custom_private = lappend(path->custom_private, shape->groupings);
	path->methods = &path_methods;
	gpuscan_cost_agg(root, rel, engine, shape, groups, having, &path->path);
	if (shape->sets != NIL || shape->fine.distinct != NIL)
		gpuscan_cost_regroup(shape, &path->path);
	return &path->path;
}

/* Shapes that have no GpuAgg yet. */
static const char *
refuse_shape(PlannerInfo *root, bool inh)
{
	if (root->parse->hasTargetSRFs)
		return "set-returning function";
	if (inh && root->parse->groupingSets != NIL)
		return "grouping sets over several tables";
	return NULL;
}

/* A gating Result gives no row where the condition is false; without GROUP BY there must be one. */
static bool
has_gating_qual(RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, rel->baserestrictinfo)
		if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
			return true;
	return false;
}

/* Does a group come out where there are no rows? */
static bool
makes_group_of_nothing(const AggStage *stage)
{
	return stage->clauses == NIL || list_member(stage->sets, NIL);
}

static void
plan_stage(PlannerInfo *root, RelOptInfo *input_rel, AggStage *stage)
{
	RangeTblEntry *rte = planner_rt_fetch(input_rel->relid, root);
	const char *refusal = refuse_shape(root, rte->inh);
	AggShape	shape;

	if (refusal == NULL && !rte->inh && makes_group_of_nothing(stage) && has_gating_qual(input_rel))
		refusal = "condition without columns, and no GROUP BY";
	if (refusal != NULL)
	{
		if (rte->relkind == RELKIND_RELATION && !IsCatalogRelationOid(rte->relid))
			gpuscan_watch_refusal(REFUSED_AGG, rte->relid, rte->eref->aliasname, refusal);
		return;
	}
	if (rte->inh)
	{
		gpuscan_plan_append_agg(root, input_rel, stage);
		return;
	}
	if (!gpuscan_agg_shape(root, input_rel, stage, stage->keys, stage->target->exprs,
						   stage->having, &shape))
		return;

	gpuscan_watch_path(rte->relid, rte->eref->aliasname);
	gpuscan_cost_require(stage->output_rel);
	for (int engine = ENGINE_CPU; engine <= ENGINE_CUDA; engine <<= 1)
		if (shape.engines & engine)
			add_path(stage->output_rel,
					 gpuscan_agg_path(root, input_rel, engine, &shape, stage->target, false, 0));
	gpuscan_plan_partial_agg(root, input_rel, &shape, stage);
}

/* Is there one table to be grouped, and anything to win? */
static bool
worth_a_look(RelOptInfo *input_rel, RelOptInfo *output_rel)
{
	return (input_rel->reloptkind == RELOPT_BASEREL || input_rel->reloptkind == RELOPT_OTHER_MEMBER_REL) &&
		input_rel->rtekind == RTE_RELATION && !IS_DUMMY_REL(input_rel) && gpuscan_cost_can_win(output_rel);
}

/* GROUP BY and aggregates; data: GroupPathExtraData */
void
gpuscan_plan_agg_paths(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *grouped_rel, void *data)
{
	GroupPathExtraData *extra = data;
	AggStage	stage = {
		.output_rel = grouped_rel,
		.clauses = root->parse->groupClause,
		.upper_clauses = ROOT_GROUP_CLAUSE(root),
		.target = grouped_rel->reltarget,
		.having = (List *) extra->havingQual,
		.sets = root->parse->groupingSets,
		.pathkeys = root->group_pathkeys,
		.flags = extra->flags
	};
	ListCell   *lc;

	if (extra->patype == PARTITIONWISE_AGGREGATE_PARTIAL || !worth_a_look(input_rel, grouped_rel))
		return;
	foreach(lc, stage.clauses)
		stage.keys = lappend(stage.keys, get_sortgroupclause_expr(lfirst(lc), extra->targetList));
	plan_stage(root, input_rel, &stage);
}

/* SELECT DISTINCT of a table's rows: groups without aggregates. */
void
gpuscan_plan_distinct_paths(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *distinct_rel)
{
	Query	   *parse = root->parse;
	AggStage	stage = {
		.output_rel = distinct_rel,
		.distinct = true,
		.clauses = parse->distinctClause,
		.upper_clauses = ROOT_DISTINCT_CLAUSE(root),
		.flags = GROUPING_CAN_USE_HASH | GROUPING_CAN_PARTIAL_AGG
	};
	ListCell   *lc;

	/* otherwise it is not the table's rows that are to be distinct */
	if (parse->hasAggs || parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->hasWindowFuncs || parse->hasTargetSRFs || parse->hasDistinctOn ||
		root->hasHavingQual || !worth_a_look(input_rel, distinct_rel))
		return;
	stage.target = input_rel->cheapest_total_path->pathtarget;
	foreach(lc, stage.clauses)
		stage.keys = lappend(stage.keys, get_sortgroupclause_expr(lfirst(lc), root->processed_tlist));
	if (!grouping_is_hashable(stage.upper_clauses))
		stage.flags = 0;
	plan_stage(root, input_rel, &stage);
}

/* The scan tuple: keys, aggregates, GROUPING(), and Vars that setrefs.c wants to find. */
static List *
scan_tlist(List *keys, List *aggs, List *groupings, List *quals)
{
	List	   *tlist = NIL;
	ListCell   *lc;

	foreach(lc, keys)
		tlist = lappend(tlist, makeTargetEntry(copyObject(lfirst(lc)), list_length(tlist) + 1,
											   NULL, false));
	foreach(lc, aggs)
		tlist = lappend(tlist, makeTargetEntry(copyObject(lfirst(lc)), list_length(tlist) + 1,
											   NULL, false));
	foreach(lc, groupings)
		tlist = lappend(tlist, makeTargetEntry(copyObject(lfirst(lc)), list_length(tlist) + 1,
											   NULL, false));
	return add_to_flat_tlist(tlist, pull_var_clause((Node *) quals, PVC_RECURSE_PLACEHOLDERS));
}

#if PG_VERSION_NUM >= 160000
static Node *
nulling_mutator(Node *node, void *data)
{
	ListCell   *lc;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var))
		return expression_tree_mutator(node, nulling_mutator, data);
	node = copyObject(node);
	foreach(lc, (List *) data)
	{
		const Var  *key = lfirst(lc);

		if (IsA(key, Var) && key->varno == ((Var *) node)->varno &&
			key->varattno == ((Var *) node)->varattno)
			((Var *) node)->varnullingrels = bms_copy(key->varnullingrels);
	}
	return node;
}
#endif

/*
 * With grouping sets the keys' columns are marked, from 18 on, as what the
 * grouping may make NULL.  setrefs.c finds the conditions' columns by the same
 * entries of custom_scan_tlist, and wants the same marks there.
 */
static List *
mark_as_keys(List *quals, List *keys)
{
#if PG_VERSION_NUM >= 160000
	return (List *) nulling_mutator((Node *) quals, keys);
#else
	return quals;
#endif
}

static Plan *
plan_agg(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
		 List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *cscan = makeNode(CustomScan);
	List	   *private = path->custom_private;
	List	   *keys = list_nth(private, AggPathKeys);
	List	   *aggs = list_nth(private, AggPathAggs);
	List	   *device = mark_as_keys(extract_actual_clauses(list_nth(private, AggPathDevice), false), keys);
	List	   *host = mark_as_keys(extract_actual_clauses(list_nth(private, AggPathHost), false), keys);
	List	   *params = NIL;

	Assert(list_length(private) == AggPathCount);
	params_walker((Node *) keys, &params);
	params_walker((Node *) aggs, &params);

	cscan->scan.plan.targetlist = tlist;
	cscan->scan.plan.qual = copyObject(list_nth(private, AggPathHaving));
	cscan->scan.scanrelid = rel->relid;
	cscan->flags = path->flags;
	cscan->custom_scan_tlist = scan_tlist(keys, aggs, list_nth(private, AggPathGroupings),
											 list_concat_copy(device, host));
	cscan->custom_exprs = list_make3(device, host, copyObject(params));
	cscan->custom_private = list_nth(private, AggPathPlan);
	cscan->methods = &gpuscan_agg_plan_methods;
	return &cscan->scan.plan;
}
