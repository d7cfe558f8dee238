/*-------------------------------------------------------------------------
 *
 * cost.c
 *	  What our nodes cost, in the planner's unit.
 *
 * Pages cost what they cost a sequential scan.  The rest is counted in steps:
 * finding the visible rows, walking a row up to the last attribute needed,
 * running the program's steps for the rows that are left after each filter,
 * returning rows or feeding groups.  The settings gpuscan.*_cost say what a
 * step costs; bench/calibrate measures them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "executor/nodeHash.h"
#include "gpuscan.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "optimizer/tlist.h"
#include "plan/plan.h"
#include "program/program.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/spccache.h"
#include "utils/syscache.h"

/* steps, in units of gpuscan.operator_cost */
#define GROUP_STEPS			4	/* finding the group of a row */
#define GROUP_MISS_STEPS	16	/* ... when groups do not fit the caches */
#define CACHED_GROUPS		50000

/* in cpu_tuple_cost: a row handed to the executor, found by a filter or not */
#define FOUND_ROW_COST		0.8
#define EVERY_ROW_COST		1.1

/* bytes of a group: entry, keys, states */
#define GROUP_BYTES			32
#define KEY_BYTES			24
#define AGG_BYTES			48
#define STATE_BYTES			32	/* ... those of PostgreSQL's that are a value */

/*
 * Is there anything to win?  Not where PostgreSQL is done before we would have
 * started: a look into an index, a tiny table.  Asked first, so that short
 * queries do not pay for being looked at.
 */
bool
gpuscan_cost_can_win(RelOptInfo *rel)
{
	ListCell   *lc;

	if (gpuscan_require == GPUSCAN_REQUIRE_REQUIRE || gpuscan_show_refusals)
		return true;
	foreach(lc, rel->pathlist)
	{
		Path	   *path = lfirst(lc);

		if (path->param_info == NULL && path->total_cost <= gpuscan_startup_cost)
			return false;
	}
	return true;
}

/* The last attribute that an engine has to walk to, over all of 'exprs'. */
static int
last_attribute(RelOptInfo *rel, List *rinfos, List *exprs)
{
	Bitmapset  *attrs = NULL;
	ListCell   *lc;
	int			last = 0;
	int			x = -1;

	foreach(lc, rinfos)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, rel->relid, &attrs);
	pull_varattnos((Node *) exprs, rel->relid, &attrs);
	while ((x = bms_next_member(attrs, x)) >= 0)
		last = Max(last, x + FirstLowInvalidHeapAttributeNumber);
	return last;
}

/*
 * Reading, walking and filtering; *rows: how many the device quals leave.
 * Returns the run cost.  divisor: by how many processes the
 * rows are shared out (costsize.c get_parallel_divisor), or 1; reading is not
 * made faster by that (cost_seqscan).
 */
static Cost
cost_filter(PlannerInfo *root, RelOptInfo *rel, int engine, const QualSplit *split, List *exprs,
			double divisor, double *rows)
{
	double		spc_seq_page_cost;
	Cost		run = 0;
	Cost		begin;
	int			i = 0;
	ListCell   *lc;

	get_tablespace_page_costs(rel->reltablespace, NULL, &spc_seq_page_cost);
	if (engine == ENGINE_CUDA)
	{
		/* what the device does takes less time than bringing the pages there */
		begin = gpuscan_device_startup_cost;
		run += gpuscan_device_page_cost * rel->pages;
	}
	else
	{
		begin = gpuscan_startup_cost;
		run += gpuscan_page_cost * rel->pages;
		run += gpuscan_tuple_cost * rel->tuples;
		run += gpuscan_attribute_cost * rel->tuples * last_attribute(rel, split->device, exprs);
	}

	*rows = rel->tuples;
	foreach(lc, split->device)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (engine != ENGINE_CUDA)
			run += gpuscan_operator_cost * split->device_cost[i++] * *rows;
		*rows *= clause_selectivity(root, (Node *) rinfo, 0, JOIN_INNER, NULL);
	}
	*rows = clamp_row_est(*rows / divisor);

	/*
	 * What it costs to begin is not startup cost: that would speak against us
	 * wherever add_path takes totals for equal, and there it is a matter of less
	 * than a page's time.
	 */
	return begin + spc_seq_page_cost * rel->pages + run / divisor;
}

/* How many processes share the rows: costsize.c get_parallel_divisor. */
double
gpuscan_cost_divisor(const Path *path)
{
	double		divisor = path->parallel_workers;

	if (!path->parallel_aware)
		return 1;
	if (parallel_leader_participation)
	{
		double		leader = 1.0 - 0.3 * path->parallel_workers;

		if (leader > 0)
			divisor += leader;
	}
	return Max(divisor, 1);
}

static Cost
cost_host_quals(PlannerInfo *root, const QualSplit *split, double rows, Cost *startup)
{
	QualCost	cost;

	if (split->host == NIL)
		return 0;
	cost_qual_eval(&cost, split->host, root);
	*startup += cost.startup;
	return (cost.per_tuple + (split->device != NIL ? FOUND_ROW_COST : EVERY_ROW_COST) * cpu_tuple_cost) * rows;
}

void
gpuscan_cost_scan(PlannerInfo *root, RelOptInfo *rel, int engine,
				  const QualSplit *split, Path *path)
{
	Cost		startup = path->pathtarget->cost.startup;
	double		divisor = gpuscan_cost_divisor(path);
	double		rows;
	Cost		run = cost_filter(root, rel, engine, split, NIL, divisor, &rows);

	run += cost_host_quals(root, split, rows, &startup);
	path->rows = divisor > 1 ? clamp_row_est(rel->rows / divisor) : rel->rows;
	run += (FOUND_ROW_COST * cpu_tuple_cost + path->pathtarget->cost.per_tuple) * path->rows;
	path->startup_cost = startup;
	path->total_cost = startup + run;
}

/* Bytes that an engine takes for so many groups. */
double
gpuscan_cost_group_memory(const AggShape *shape, double groups)
{
	return groups * (GROUP_BYTES + list_length(shape->fine.keys) * KEY_BYTES + list_length(shape->aggs) * AGG_BYTES);
}

/*
 * What PostgreSQL's transition functions take for so many rows; *memory grows by
 * that of their states, or of the arguments that are sorted (costsize.c cost_tuplesort).
 */
static Cost
cost_host_aggs(PlannerInfo *root, const AggShape *shape, double rows, double groups, Cost *startup, double *memory)
{
	Cost		per_row = 0;
	double		width = 0;
	bool		sorted = false;
	ListCell   *lc;

	foreach(lc, shape->cost.host_aggs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);
		List	   *exprs = get_tlist_exprs(aggref->args, true);
		HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggref->aggfnoid));
		Form_pg_aggregate form;
		QualCost	cost;
		ListCell   *lca;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for aggregate %u", aggref->aggfnoid);
		form = (Form_pg_aggregate) GETSTRUCT(tuple);
		if (aggref->aggfilter != NULL)
			exprs = lappend(exprs, aggref->aggfilter);
		cost_qual_eval(&cost, exprs, root);
		add_function_cost(root, form->aggtransfn, NULL, &cost);
		*startup += cost.startup;
		per_row += cost.per_tuple;
		foreach(lca, exprs)
			width += get_typavgwidth(exprType(lfirst(lca)), exprTypmod(lfirst(lca)));
		/* nodeAgg.c hash_agg_entry_size: what a state of unknown size takes */
		*memory += groups * (form->aggtransspace > 0 ? form->aggtransspace :
							 aggref->aggtranstype == INTERNALOID ? ALLOCSET_DEFAULT_INITSIZE : STATE_BYTES);
		sorted |= aggref->aggorder != NIL || aggref->aggdistinct != NIL || aggref->aggkind != AGGKIND_NORMAL;
		ReleaseSysCache(tuple);
	}
	if (sorted)
	{
		/* by group, and then for each aggregate within it */
		per_row += 2 * (cpu_tuple_cost + 2 * cpu_operator_cost * log2(Max(rows, 2)));
		*memory += rows * (width + SizeofMinimalTupleHeader);
	}
	return per_row * rows;
}

/* groups: as many as the table falls into at first.  having: implicitly ANDed. */
void
gpuscan_cost_agg(PlannerInfo *root, RelOptInfo *rel, int engine,
				 const AggShape *shape, double groups, List *having, Path *path)
{
	Cost		startup = path->pathtarget->cost.startup;
	double		rows;
	Cost		run = cost_filter(root, rel, engine, &shape->split, path->pathtarget->exprs,
								  gpuscan_cost_divisor(path), &rows);
	int			nkeys = list_length(shape->fine.keys);
	int			naggs = list_length(shape->aggs);
	double		memory = gpuscan_cost_group_memory(shape, groups);
	double		row_cost = shape->cost.steps;

	/* keys and arguments are computed before the host's filters are asked ... */
	run += cost_host_quals(root, &shape->split, rows, &startup);

	/* ... and the host's after */
	if (shape->cost.supplied != NIL || shape->cost.host_aggs != NIL)
	{
		double		left = Min(rows, clamp_row_est(rel->rows / gpuscan_cost_divisor(path)));
		QualCost	cost;

		cost_qual_eval(&cost, shape->cost.supplied, root);
		startup += cost.startup;
		run += (cost.per_tuple + (shape->split.host != NIL ? 0 : FOUND_ROW_COST) * cpu_tuple_cost) * left;
		run += cost_host_aggs(root, shape, left, groups, &startup, &memory);
	}
	if (nkeys > 0)
		row_cost += groups > CACHED_GROUPS ? GROUP_MISS_STEPS : GROUP_STEPS;
	if (engine == ENGINE_CUDA)
		run += gpuscan_operator_cost * GROUP_MISS_STEPS * groups;	/* they come home */
	else
		run += gpuscan_operator_cost * row_cost * rows;

	/* groups that outgrow memory are written and read once (costsize.c cost_agg) */
	if (nkeys > 0 && memory > get_hash_memory_limit())
		run += 2 * seq_page_cost * ceil(memory / BLCKSZ);

	path->rows = groups;
	run += (cpu_tuple_cost + cpu_operator_cost * naggs) * groups;
	if (having != NIL)
	{
		QualCost	cost;

		cost_qual_eval(&cost, having, root);
		startup += cost.startup;
		run += cost.per_tuple * groups;
		path->rows = clamp_row_est(groups * clauselist_selectivity(root, having, 0, JOIN_INNER, NULL));
	}
	/* nothing comes out before everything went in */
	path->startup_cost = startup + run;
	path->total_cost = path->startup_cost + path->pathtarget->cost.per_tuple * path->rows;
}

/* Groups are grouped again: once for each set, and what is DISTINCT apart (exec/regroup.c). */
void
gpuscan_cost_regroup(const AggShape *shape, Path *path)
{
	int			nsets = Max(list_length(shape->sets), 1);
	int			ndistinct = list_length(shape->fine.distinct);
	int			again_times = nsets * (1 + (nsets > 1 || ndistinct > 1 ? ndistinct : 0));
	Cost		again = shape->fine_groups * again_times *
		(cpu_tuple_cost + cpu_operator_cost * list_length(shape->aggs)) +
		cpu_tuple_cost * shape->groups;

	path->startup_cost += again;
	path->total_cost += again;
	path->rows = shape->having == NIL ? shape->groups : Min(path->rows, shape->groups);
}

/*
 * gpuscan.require = require: our paths, which are to be added after this, are to
 * win.  By cost alone: nobody's path is taken away.
 */
void
gpuscan_cost_require(RelOptInfo *rel)
{
	ListCell   *lc;

	if (gpuscan_require != GPUSCAN_REQUIRE_REQUIRE)
		return;
	foreach(lc, rel->pathlist)
	{
		Path	   *other = lfirst(lc);

		if (other->pathtype != T_CustomScan)
		{
			other->startup_cost += disable_cost;
			other->total_cost += disable_cost;
		}
	}
	foreach(lc, rel->partial_pathlist)
	{
		Path	   *other = lfirst(lc);

		if (other->pathtype == T_CustomScan)
			continue;
		other->startup_cost += disable_cost;
		other->total_cost += disable_cost;
	}
}
