/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What the files of plan/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PLAN_H
#define GPUSCAN_PLAN_H

#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "utils/relcache.h"

/* An engine as the planner sees it */
typedef struct PlanEngine
{
	const char *name;
	int			mask;			/* ENGINE_* */
} PlanEngine;

/* The WHERE clause of a relation, split */
typedef struct QualSplit
{
	List	   *device;			/* RestrictInfo each, in order of execution */
	List	   *host;			/* likewise; after the device's */
	List	   *refusals;		/* String for each of host: why it stays there */
	double	   *device_cost;	/* of each of device, in units of ops.def */
} QualSplit;

/* relation.c */
extern Relation gpuscan_plan_open(PlannerInfo *root, RelOptInfo *rel, Index rti,
								  RangeTblEntry *rte, PlanEngine *engine);
extern void gpuscan_plan_split_quals(PlannerInfo *root, RelOptInfo *rel, Relation relation,
									 int engines, QualSplit *split);
extern const char *gpuscan_plan_refuse_leaks(PlannerInfo *root, const QualSplit *split,
											 List *keys, List *aggs);

/* device.c */
extern int	gpuscan_plan_engines(Relation relation, const QualSplit *split,
								 bool grouped, List *keys, List *aggs, const char **refusal);

/* cost.c; engine: ENGINE_CPU or ENGINE_CUDA */
extern bool gpuscan_cost_can_win(RelOptInfo *rel);
extern void gpuscan_cost_scan(PlannerInfo *root, RelOptInfo *rel, int engine,
							  const QualSplit *split, Path *path);
extern void gpuscan_cost_agg(PlannerInfo *root, RelOptInfo *rel, int engine,
							 const QualSplit *split, int nkeys, int naggs, double row_cost,
							 double groups, List *having, Path *path);
extern void gpuscan_cost_require(RelOptInfo *rel, Path *path);

/*
 * watch.c: refusals of the query that is being planned.  Kinds differ in when
 * they are told: REFUSED_SCAN when no node of ours scans the relation,
 * REFUSED_AGG when no GpuAgg does, REFUSED_NOTHING (there is nothing to do in
 * a scan) when there is no better reason.
 */
typedef enum RefusalKind
{
	REFUSED_NOTHING,
	REFUSED_SCAN,
	REFUSED_AGG
} RefusalKind;

extern void gpuscan_watch_refusal(RefusalKind kind, Oid relid, const char *alias, const char *reason);
extern void gpuscan_watch_path(Oid relid, const char *alias);

/* refusals.c: count one in gpuscan.stat_refusals */
extern void gpuscan_refusals_count(const char *reason);

#endif							/* GPUSCAN_PLAN_H */
