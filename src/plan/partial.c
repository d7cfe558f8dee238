/*-------------------------------------------------------------------------
 *
 * partial.c
 *	  Grouping in two steps: GpuAgg makes partial groups, and PostgreSQL puts
 *	  them together.
 *
 *	   Finalize Aggregate				Finalize Aggregate
 *	     Gather							  [Gather]
 *	       Parallel GpuAgg (partial)		Append, or MergeAppend
 *										  [Parallel] GpuAgg (partial), each child
 *
 * The left one shares the table out among processes, the right one serves
 * partitions and inheritance children, in one process or several.  A child that
 * we cannot scan, or that is too small, gets PostgreSQL's own Partial Aggregate.  For DISTINCT the upper
 * node is a plain HashAggregate.
 *
 * An Append's parent is the scanned relation, as is a GpuAgg's: so createplan.c
 * finds the conditions by which partitions are pruned when execution starts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "gpuscan.h"
#include "nodes/nodeFuncs.h"
#include "offload/offload.h"
#include "optimizer/appendinfo.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "plan/plan.h"
#include "port/pg_bitutils.h"
#include "program/program.h"
#include "utils/regproc.h"
#include "utils/selfuncs.h"

/* What the first step hands on: planner.c make_partial_grouping_target, which is static. */
static PathTarget *
partial_target(PlannerInfo *root, const AggStage *stage)
{
	PathTarget *target;
	List	   *others = NIL;
	int			i = 0;
	ListCell   *lc;

	if (stage->distinct)
		return stage->target;

	target = create_empty_pathtarget();
	foreach(lc, stage->target->exprs)
	{
		Expr	   *expr = lfirst(lc);
		Index		ref = get_pathtarget_sortgroupref(stage->target, i++);

		if (ref != 0 && get_sortgroupref_clause_noerr(ref, stage->clauses) != NULL)
			add_column_to_pathtarget(target, expr, ref);
		else
			others = lappend(others, expr);
	}
	if (stage->having != NIL)
		others = lappend(others, stage->having);
	add_new_columns_to_pathtarget(target,
								  pull_var_clause((Node *) others,
												  PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS |
												  PVC_INCLUDE_PLACEHOLDERS));
	foreach(lc, target->exprs)
		if (IsA(lfirst(lc), Aggref))
		{
			Aggref	   *aggref = copyObject(lfirst_node(Aggref, lc));

			mark_partial_aggref(aggref, AGGSPLIT_INITIAL_SERIAL);
			lfirst(lc) = aggref;
		}
	return set_pathtarget_cost_width(root, target);
}

/* The second step, over groups that come sorted. */
static void
add_sorted_final_path(PlannerInfo *root, const AggStage *stage, Path *path, const AggClauseCosts *costs,
					  double groups)
{
	RelOptInfo *rel = stage->output_rel;

	if (root->parse->hasAggs)
		path = (Path *) create_agg_path(root, rel, path, stage->target, AGG_SORTED,
										AGGSPLIT_FINAL_DESERIAL, stage->upper_clauses,
										stage->having, costs, groups);
	else
		path = (Path *) create_group_path(root, rel, path, stage->upper_clauses, stage->having, groups);
	add_path(rel, path);
}

/* The second step, over what the first one handed on. */
static void
add_final_paths(PlannerInfo *root, const AggStage *stage, Path *path, double groups)
{
	RelOptInfo *rel = stage->output_rel;
	AggClauseCosts costs;

	if (stage->distinct)
	{
		add_path(rel, (Path *) create_agg_path(root, rel, path, path->pathtarget, AGG_HASHED,
											   AGGSPLIT_SIMPLE, stage->upper_clauses, NIL, NULL, groups));
		return;
	}

	memset(&costs, 0, sizeof(costs));
	get_agg_clause_costs(root, AGGSPLIT_FINAL_DESERIAL, &costs);
	if (stage->clauses == NIL)
	{
		add_path(rel, (Path *) create_agg_path(root, rel, path, stage->target, AGG_PLAIN,
											   AGGSPLIT_FINAL_DESERIAL, NIL, stage->having,
											   &costs, groups));
		return;
	}
	if (stage->flags & GROUPING_CAN_USE_HASH)
		add_path(rel, (Path *) create_agg_path(root, rel, path, stage->target, AGG_HASHED,
											   AGGSPLIT_FINAL_DESERIAL, stage->upper_clauses,
											   stage->having, &costs, groups));
	if (stage->flags & GROUPING_CAN_USE_SORT)
	{
		/* keys that are all constants leave nothing to sort by */
		if (stage->pathkeys != NIL)
			path = (Path *) create_sort_path(root, rel, path, stage->pathkeys, -1.0);
		add_sorted_final_path(root, stage, path, &costs, groups);
	}
}

/* Bring the rows of all processes together. */
static Path *
gather(PlannerInfo *root, const AggStage *stage, Path *path)
{
	double		rows = path->rows * path->parallel_workers;

	return (Path *) create_gather_path(root, stage->output_rel, path, path->pathtarget, NULL, &rows);
}

static bool
may_be_partial(const AggStage *stage)
{
	return (stage->flags & GROUPING_CAN_PARTIAL_AGG) != 0;
}

/* A table shared out among processes. */
void
gpuscan_plan_partial_agg(PlannerInfo *root, RelOptInfo *input_rel, const AggShape *shape,
						 const AggStage *stage)
{
	int			workers = stage->output_rel->consider_parallel ? gpuscan_plan_workers(input_rel) : 0;
	PathTarget *target;

	if (workers == 0 || !may_be_partial(stage))
		return;
	target = partial_target(root, stage);
	for (int engine = ENGINE_CPU; engine <= ENGINE_CUDA; engine <<= 1)
		if (shape->engines & engine)
			add_final_paths(root, stage,
							gather(root, stage,
								   gpuscan_agg_path(root, input_rel, engine, shape, target, true, workers)),
							shape->groups);
}

/* Tables that stand behind a parent, and what is to be done with each */
typedef struct AppendContext
{
	PlannerInfo *root;
	RelOptInfo *parent;			/* the topmost */
	const AggStage *stage;
	PathTarget *target;			/* of the first step, over the parent's columns */
	AggClauseCosts costs;		/* of PostgreSQL's Partial Aggregate */
	List	   *paths;			/* one for each table */
	List	   *parallel;		/* ... that processes may share; incomplete when ... */
	bool		not_parallel;	/* ... one has none */
	int			workers;
	int			ours;			/* how many tables are our node's */
	bool		failed;			/* there is no path for one */
} AppendContext;

static List *
translate(AppendContext *context, RelOptInfo *child, List *exprs)
{
	return (List *) ADJUST_TO_CHILD(context->root, (Node *) exprs, child, context->parent);
}

static PathTarget *
translate_target(AppendContext *context, RelOptInfo *child, const PathTarget *parent)
{
	PathTarget *target = copy_pathtarget((PathTarget *) parent);

	target->exprs = translate(context, child, target->exprs);
	return target;
}

/*
 * PostgreSQL's own first step, for a table that is not ours.
 *
 * Its rows must have the keys, marked as such (setrefs.c, createplan.c
 * extract_grouping_cols).  planner.c apply_scanjoin_target_to_paths sees to that
 * for partitions, not for inheritance children.
 */
static Path *
own_partial_path(AppendContext *context, RelOptInfo *child, Path *path, List *keys, PathTarget *target)
{
	const AggStage *stage = context->stage;
	double		groups = keys == NIL ? 1 : estimate_num_groups(context->root, keys, path->rows, NULL, NULL);

	if (path->pathtarget->sortgrouprefs == NULL && stage->clauses != NIL)
		path = (Path *) create_projection_path(context->root, child, path,
											   translate_target(context, child, context->parent->reltarget));
	return (Path *) create_agg_path(context->root, child, path, target,
									stage->clauses == NIL ? AGG_PLAIN : AGG_HASHED,
									stage->distinct ? AGGSPLIT_SIMPLE : AGGSPLIT_INITIAL_SERIAL,
									stage->upper_clauses, NIL, &context->costs, groups);
}

static void
refuse_append(PlannerInfo *root, RelOptInfo *parent, const Aggref *aggref, const char *why)
{
	RangeTblEntry *rte = planner_rt_fetch(parent->relid, root);

	gpuscan_watch_refusal(REFUSED_AGG, rte->relid, rte->eref->aliasname,
						  psprintf("aggregate %s, %s, over several tables", format_procedure(aggref->aggfnoid), why));
}

static void
add_table(AppendContext *context, RelOptInfo *child)
{
	const AggStage *stage = context->stage;
	List	   *keys = translate(context, child, stage->keys);
	PathTarget *target = translate_target(context, child, context->target);
	Path	   *path = NULL;
	Path	   *parallel = NULL;
	int			workers = stage->output_rel->consider_parallel ? gpuscan_plan_workers(child) : 0;
	bool		own = stage->clauses == NIL || (stage->flags & GROUPING_CAN_USE_HASH) != 0;
	AggShape	shape;

	if ((gpuscan_cost_can_win(child) || !own) &&
		gpuscan_agg_shape(context->root, child, stage, keys,
						  translate(context, child, stage->target->exprs),
						  translate(context, child, stage->having), &shape))
	{
		if (shape.cost.host_aggs != NIL)
		{
			/* their parts may not make what all rows in their order make */
			refuse_append(context->root, context->parent, linitial_node(Aggref, shape.cost.host_aggs), "which PostgreSQL computes");
			context->failed = true;
			return;
		}
		/* the cheaper engine's */
		for (int engine = ENGINE_CPU; engine <= ENGINE_CUDA; engine <<= 1)
		{
			Path	   *other;

			if ((shape.engines & engine) == 0)
				continue;
			other = gpuscan_agg_path(context->root, child, engine, &shape, target, true, 0);
			if (path == NULL || other->total_cost < path->total_cost)
				path = other;
			if (workers == 0)
				continue;
			other = gpuscan_agg_path(context->root, child, engine, &shape, target, true, workers);
			if (parallel == NULL || other->total_cost < parallel->total_cost)
				parallel = other;
		}
		context->ours++;
	}
	else if (!own)
		context->failed = true;
	else
	{
		path = own_partial_path(context, child, child->cheapest_total_path, keys, target);
		if (child->partial_pathlist != NIL)
			parallel = own_partial_path(context, child, linitial(child->partial_pathlist), keys, target);
	}
	if (context->failed)
		return;

	context->paths = lappend(context->paths, path);
	if (parallel == NULL)
		context->not_parallel = true;
	else
	{
		context->parallel = lappend(context->parallel, parallel);
		context->workers = Max(context->workers, parallel->parallel_workers);
	}
}

/* All tables below a parent, in the order of an Append; allpaths.c set_append_rel_pathlist. */
static void
add_children(AppendContext *context, RelOptInfo *parent)
{
	PlannerInfo *root = context->root;
	ListCell   *lc;

	foreach(lc, root->append_rel_list)
	{
		AppendRelInfo *info = lfirst_node(AppendRelInfo, lc);
		RelOptInfo *child;

		if (info->parent_relid != parent->relid)
			continue;
		child = root->simple_rel_array[info->child_relid];
		if (child == NULL || IS_DUMMY_REL(child))
			continue;
		if (planner_rt_fetch(info->child_relid, root)->inh)
			add_children(context, child);
		else
			add_table(context, child);
	}
}

static Path *
append(AppendContext *context, List *paths, List *parallel)
{
	AppendPath *path;
	double		rows = 0;
	ListCell   *lc;

	foreach(lc, parallel != NIL ? parallel : paths)
		rows += ((Path *) lfirst(lc))->rows;
	path = create_append_path(context->root, context->parent, paths, parallel, NIL, NULL,
							  parallel != NIL ? context->workers : 0,
							  parallel != NIL && enable_parallel_append, rows);
	path->path.pathtarget = context->target;
	return &path->path;
}

/* Each table's groups sorted by themselves, which may need less memory than all of them do. */
static void
add_merged_path(AppendContext *context, double groups)
{
	const AggStage *stage = context->stage;
	AggClauseCosts costs;
	List	   *sorted = NIL;
	Path	   *path;
	ListCell   *lc;

	if (stage->distinct || stage->pathkeys == NIL || (stage->flags & GROUPING_CAN_USE_SORT) == 0)
		return;
	foreach(lc, context->paths)
	{
		Path	   *child = lfirst(lc);

		sorted = lappend(sorted, create_sort_path(context->root, child->parent, child, stage->pathkeys, -1.0));
	}
	path = (Path *) create_merge_append_path(context->root, context->parent, sorted, stage->pathkeys, NULL);
	path->pathtarget = context->target;
	memset(&costs, 0, sizeof(costs));
	get_agg_clause_costs(context->root, AGGSPLIT_FINAL_DESERIAL, &costs);
	add_sorted_final_path(context->root, stage, path, &costs, groups);
}

/*
 * PostgreSQL's own plan adds the tables' rows up one after the other, so what
 * depends on their order cannot be done table by table.
 */
static bool
refuse_parts(PlannerInfo *root, RelOptInfo *input_rel, const AggStage *stage)
{
	List	   *found = list_concat(pull_var_clause((Node *) stage->target->exprs, PVC_INCLUDE_AGGREGATES |
													PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS),
									pull_var_clause((Node *) stage->having, PVC_INCLUDE_AGGREGATES |
													PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS));
	ListCell   *lc;

	foreach(lc, found)
	{
		const Node *node = lfirst(lc);

		if (!IsA(node, Aggref) || !gpuscan_offload_row_order((const Aggref *) node))
			continue;
		refuse_append(root, input_rel, (const Aggref *) node, "which depends on the order of rows");
		return true;
	}
	return false;
}

/* Partitions, or inheritance children. */
void
gpuscan_plan_append_agg(PlannerInfo *root, RelOptInfo *input_rel, const AggStage *stage)
{
	AppendContext context = {.root = root,.parent = input_rel,.stage = stage};
	double		groups = 1;

	if (!may_be_partial(stage) || refuse_parts(root, input_rel, stage))
		return;
	context.target = partial_target(root, stage);
	if (!stage->distinct)
		get_agg_clause_costs(root, AGGSPLIT_INITIAL_SERIAL, &context.costs);
	add_children(&context, input_rel);
	if (context.failed || context.ours == 0)
		return;

	gpuscan_cost_require(stage->output_rel);
	if (stage->keys != NIL)
		groups = estimate_num_groups(root, stage->keys, input_rel->rows, NULL, NULL);
	add_final_paths(root, stage, append(&context, context.paths, NIL), groups);
	add_merged_path(&context, groups);
	if (context.not_parallel || context.workers == 0)
		return;
	if (enable_parallel_append)
	{
		/* allpaths.c add_paths_to_append_rel: more tables, more workers */
		context.workers = Max(context.workers, pg_leftmost_one_pos32(list_length(context.parallel)) + 1);
		context.workers = Min(context.workers, max_parallel_workers_per_gather);
	}
	add_final_paths(root, stage, gather(root, stage, append(&context, NIL, context.parallel)), groups);
}
