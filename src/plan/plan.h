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
#include "offload/offload.h"
#include "plan/plan_private.h"
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

/* A grouping that the query asks for: GROUP BY with aggregates, or DISTINCT. */
typedef struct AggStage
{
	RelOptInfo *output_rel;		/* where its paths go */
	bool		distinct;
	List	   *clauses;		/* SortGroupClause each ... */
	List	   *keys;			/* ... and their expressions */
	List	   *upper_clauses;	/* what a node of PostgreSQL's would group by: fewer, as
								 * the planner knows what is redundant */
	PathTarget *target;			/* what comes out */
	List	   *sets;			/* IntList of sort-group references each; NIL: one of all */
	List	   *having;			/* implicitly ANDed */
	List	   *pathkeys;		/* of the clauses */
	int			flags;			/* GROUPING_* of pathnodes.h */
} AggStage;

/* What GpuAgg does of it with one table */
typedef struct AggShape
{
	QualSplit	split;
	List	   *keys;			/* Expr each */
	List	   *aggs;			/* Aggref each */
	List	   *groupings;		/* GroupingFunc each */
	List	   *grouping_keys;	/* ... and what each asks for: IntList of keys */
	List	   *sets;			/* IntList of keys each; NIL: one of all */
	FineGrouping fine;			/* what the table is grouped by at first */
	List	   *having;			/* implicitly ANDed */
	bool		host_distinct;	/* see FineGrouping */
	OffloadCost cost;			/* of keys and aggregates, for each row */
	double		groups;			/* expected to come out, of all rows */
	double		fine_groups;	/* expected of 'fine', before they are grouped again */
	int			engines;		/* that may run it: ENGINE_* */
	const char *device_refusal; /* why no device is among them, or NULL */
} AggShape;

/* relation.c */
extern Relation gpuscan_plan_open(PlannerInfo *root, RelOptInfo *rel, Index rti,
								  RangeTblEntry *rte, PlanEngine *engine);
/* row_marks: PlanRowMarks; are rows of table 'rti' locked? */
extern bool gpuscan_plan_locks_rows(List *row_marks, Index rti);
extern void gpuscan_plan_split_quals(PlannerInfo *root, RelOptInfo *rel, Relation relation,
									 int engines, QualSplit *split);
extern const char *gpuscan_plan_refuse_leaks(PlannerInfo *root, const QualSplit *split,
											 List *keys, List *aggs);

/* scan.c */
extern int	gpuscan_plan_workers(RelOptInfo *rel);

/* agg.c */
extern bool gpuscan_agg_shape(PlannerInfo *root, RelOptInfo *rel, const AggStage *stage, List *keys,
							  List *outputs, List *having, AggShape *shape);
extern Path *gpuscan_agg_path(PlannerInfo *root, RelOptInfo *rel, int engine, const AggShape *shape,
							  PathTarget *target, bool partial, int workers);

/* partial.c: paths of two steps, our node being the first */
extern void gpuscan_plan_partial_agg(PlannerInfo *root, RelOptInfo *input_rel, const AggShape *shape,
									 const AggStage *stage);
extern void gpuscan_plan_append_agg(PlannerInfo *root, RelOptInfo *input_rel, const AggStage *stage);

/* device.c */
extern int	gpuscan_plan_engines(Relation relation, const QualSplit *split,
								 bool grouped, List *keys, List *aggs, const char **refusal);

/* cost.c; engine: ENGINE_CPU or ENGINE_CUDA */
extern bool gpuscan_cost_can_win(RelOptInfo *rel);
extern void gpuscan_cost_scan(PlannerInfo *root, RelOptInfo *rel, int engine,
							  const QualSplit *split, Path *path);
extern void gpuscan_cost_agg(PlannerInfo *root, RelOptInfo *rel, int engine,
							 const AggShape *shape, double groups, List *having, Path *path);
extern double gpuscan_cost_group_memory(const AggShape *shape, double groups);
extern void gpuscan_cost_regroup(const AggShape *shape, Path *path);
extern double gpuscan_cost_divisor(const Path *path);
extern void gpuscan_cost_require(RelOptInfo *rel);

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
