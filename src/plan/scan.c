/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  GpuScan paths: rows of a table, filtered by an engine.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "gpuscan.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "plan/plan.h"
#include "plan/plan_private.h"
#include "program/program.h"
#include "utils/rel.h"

/* CustomPath.custom_private */
typedef enum ScanPathPrivate
{
	ScanPathPlan,				/* the plan's custom_private */
	ScanPathDevice,				/* List of RestrictInfo */
	ScanPathHost,				/* List of RestrictInfo */
	ScanPathCount
} ScanPathPrivate;

static Plan *plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
					   List *tlist, List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "GpuScan",
	.PlanCustomPath = plan_scan
};

/*
 * Where the relation's columns are computed from those of tables before it
 * (LATERAL), its paths have these as parameters, as a sequential scan has
 * (allpaths.c set_plain_rel_pathlist); and join clauses that can be asked with
 * them are the scan's.
 */
static void
add_lateral_params(PlannerInfo *root, RelOptInfo *rel, Path *path)
{
	QualCost	cost;

	path->param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
	if (path->param_info == NULL)
		return;
	cost_qual_eval(&cost, path->param_info->ppi_clauses, root);
	path->startup_cost += cost.startup;
	path->total_cost += cost.startup + cost.per_tuple * path->rows;
	path->rows = path->param_info->ppi_rows;
}

static void
add_scan_path(PlannerInfo *root, RelOptInfo *rel, int engine,
			  const QualSplit *split, const char *device_refusal, int workers)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.parallel_safe = rel->consider_parallel;
	path->path.parallel_aware = workers > 0;
	path->path.parallel_workers = workers;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION | CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	path->custom_private = list_make3(gpuscan_plan_private(engine, split->refusals, device_refusal),
									  split->device, split->host);
	path->methods = &path_methods;
	gpuscan_cost_scan(root, rel, engine, split, &path->path);
	add_lateral_params(root, rel, &path->path);
	if (workers > 0)
		add_partial_path(rel, &path->path);
	else
		add_path(rel, &path->path);
}

/* How many workers may share a scan of the relation; 0: none. */
int
gpuscan_plan_workers(RelOptInfo *rel)
{
	if (!rel->consider_parallel || !bms_is_empty(rel->lateral_relids))
		return 0;
	return compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);
}

void
gpuscan_plan_scan_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	PlanEngine	engine;
	QualSplit	split;
	Relation	relation;
	const char *refusal;
	int			engines;
	int			workers;

	if (!gpuscan_cost_can_win(rel))
		return;
	relation = gpuscan_plan_open(root, rel, rti, rte, &engine);
	if (relation == NULL)
		return;
	gpuscan_plan_split_quals(root, rel, relation, engine.mask, &split);
	if (split.device == NIL)
	{
		ListCell   *lc;

		/* all rows through our hands, and nothing gained */
		if (split.host == NIL)
			gpuscan_watch_refusal(REFUSED_NOTHING, rte->relid, rte->eref->aliasname,
								  "no condition to filter by");
		foreach(lc, split.refusals)
			gpuscan_watch_refusal(REFUSED_SCAN, rte->relid, rte->eref->aliasname, strVal(lfirst(lc)));
		table_close(relation, NoLock);
		return;
	}

	engines = gpuscan_plan_engines(relation, &split, false, NIL, NIL, &refusal);
	gpuscan_watch_path(rte->relid, rte->eref->aliasname);
	workers = gpuscan_plan_workers(rel);
	gpuscan_cost_require(rel);
	for (int parallel = 0; parallel <= (workers > 0); parallel++)
	{
		if (engines & ENGINE_CUDA)
			add_scan_path(root, rel, ENGINE_CUDA, &split, refusal, parallel ? workers : 0);
		if (engines & ENGINE_CPU)
			add_scan_path(root, rel, ENGINE_CPU, &split, refusal, parallel ? workers : 0);
	}
	table_close(relation, NoLock);
}

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
		  List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *cscan = makeNode(CustomScan);
	List	   *private = path->custom_private;
	List	   *host = list_nth(private, ScanPathHost);
	List	   *plan_private = list_copy(list_nth(private, ScanPathPlan));

	Assert(list_length(private) == ScanPathCount);
	if (path->path.param_info != NULL)
	{
		List	   *joins = path->path.param_info->ppi_clauses;
		List	   *refusals = list_copy(list_nth(plan_private, PlanPrivateRefusals));

		host = list_concat_copy(host, joins);
		for (int i = 0; i < list_length(joins); i++)
			refusals = lappend(refusals, makeString("condition with columns of another table"));
		lfirst(list_nth_cell(plan_private, PlanPrivateRefusals)) = refusals;
	}
	cscan->scan.plan.targetlist = tlist;
	cscan->scan.plan.qual =
		extract_actual_clauses(host, false);
	cscan->scan.scanrelid = rel->relid;
	cscan->flags = path->flags;
	cscan->custom_exprs =
		list_make1(extract_actual_clauses(list_nth(private, ScanPathDevice), false));
	cscan->custom_private = plan_private;
	cscan->methods = &gpuscan_scan_plan_methods;
	return &cscan->scan.plan;
}
