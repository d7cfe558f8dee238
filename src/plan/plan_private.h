/*-------------------------------------------------------------------------
 *
 * plan_private.h
 *	  What a plan made in plan/ tells the node in exec/.
 *
 * Both nodes are CustomScans with scan.scanrelid = the scanned relation.
 *
 * GpuScan: custom_scan_tlist is NIL, the scan tuple is the relation's own row.
 *   custom_exprs   = (device quals): a List of the clauses that a program
 *                    runs, implicitly ANDed, in order
 *   scan.plan.qual = host quals, run by ExecScan after the device's
 *
 * GpuAgg: custom_scan_tlist has, in this order, nkeys grouping expressions,
 *   naggs Aggrefs (over the relation's Vars), the GroupingFuncs, and then, as columns that are
 *   never filled, every Var of the relation that occurs in custom_exprs, so
 *   that setrefs.c can find them there.  Where it stands for a Partial
 *   Aggregate, the Aggrefs are marked AGGSPLIT_INITIAL_SERIAL.
 *   custom_exprs   = (device quals, host quals, Params): three Lists.  setrefs.c
 *                    turned whatever equals an entry of custom_scan_tlist into
 *                    an INDEX_VAR; gpuscan_plan_restore_vars undoes that.
 *                    Params are copies of those in the keys and Aggrefs, there
 *                    for finalize_plan, which does not look at custom_scan_tlist.
 *   scan.plan.qual = HAVING, over custom_scan_tlist
 *
 * custom_private is a List with these members.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PLAN_PRIVATE_H
#define GPUSCAN_PLAN_PRIVATE_H

#include "nodes/extensible.h"
#include "nodes/plannodes.h"

typedef enum PlanPrivate
{
	PlanPrivateEngine,			/* String: name of the engine chosen */
	PlanPrivateNKeys,			/* Integer: GpuAgg */
	PlanPrivateNAggs,			/* Integer: GpuAgg */
	PlanPrivateRefusals,		/* List of String: why host quals stay on the host,
								 * in the order of the host quals */
	PlanPrivateDeviceRefusal,	/* String: why no device runs it; empty: nobody asked */
	PlanPrivatePartial,			/* Boolean: GpuAgg hands on transition states */
	PlanPrivateSets,			/* List of IntList: keys of each grouping set; NIL: one of all */
	PlanPrivateHostDistinct,	/* Boolean: aggregates with DISTINCT are computed by PostgreSQL, too */
	PlanPrivateGroupings,		/* List of IntList: for each GroupingFunc the keys asked for */
	PlanPrivateCount
} PlanPrivate;

/* custom_private of a GpuScan; a GpuAgg has more to fill in.  device_refusal may be NULL. */
extern List *gpuscan_plan_private(int engine, List *refusals, const char *device_refusal);

/* Undo setrefs.c: INDEX_VARs become the custom_scan_tlist entries they stand for. */
extern List *gpuscan_plan_restore_vars(List *exprs, List *custom_scan_tlist);

extern const CustomScanMethods gpuscan_scan_plan_methods;	/* exec/scan.c: "GpuScan" */
extern const CustomScanMethods gpuscan_agg_plan_methods;	/* exec/agg.c: "GpuAgg" */

/*
 * What a table is grouped by at first.  What aggregates with DISTINCT are about
 * are keys there too, and those aggregates come of the groups (exec/regroup.c);
 * host_distinct: they are computed by PostgreSQL, as any others (exec/host_agg.c).
 */
typedef struct FineGrouping
{
	List	   *keys;			/* those asked for, then others that are DISTINCT */
	List	   *aggrefs;		/* the others */
	List	   *distinct;		/* Expr each, without repetition */
	int		   *numbers;		/* of each Aggref given: its number in 'aggrefs', or -1 */
	int		   *distinct_keys;	/* ... or the key that it is about */
} FineGrouping;

extern void gpuscan_plan_fine_grouping(List *keys, List *aggrefs, bool host_distinct, FineGrouping *fine);

/* plan/: called by the hooks in gpuscan.c */
struct PlannerInfo;
struct RelOptInfo;
struct RangeTblEntry;
extern void gpuscan_plan_scan_paths(struct PlannerInfo *root, struct RelOptInfo *rel, Index rti, struct RangeTblEntry *rte);
extern void gpuscan_plan_distinct_paths(struct PlannerInfo *root, struct RelOptInfo *input_rel, struct RelOptInfo *distinct_rel);
extern void gpuscan_plan_agg_paths(struct PlannerInfo *root, struct RelOptInfo *input_rel, struct RelOptInfo *grouped_rel, void *extra);

/* plan/watch.c: installs its planner_hook and ExplainOneQuery_hook */
extern void gpuscan_watch_init(void);

/* plan/refusals.c: asks for shared memory, if the postmaster preloads the library */
extern void gpuscan_refusals_init(void);

#endif							/* GPUSCAN_PLAN_PRIVATE_H */
