/*-------------------------------------------------------------------------
 *
 * regroup.h
 *	  Groups of groups: what comes out when the table was grouped more finely
 *	  than the query asks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_REGROUP_H
#define GPUSCAN_REGROUP_H

#include "exec/final.h"
#include "exec/foreign.h"
#include "exec/run.h"
#include "exec/spill.h"

/* A grouping that comes out: GROUP BY's only one, or one of its sets. */
typedef struct RegroupSet
{
	int			nkeys;
	int		   *keys;			/* which of the node's keys */
	OffloadedProgram *offloaded;	/* its keys, and all aggregates; no rows come to it */
	ProgramRun	run;			/* of the groups */
	ForeignStates foreign;
	Spill		spill;
	bool		spilled;
	uint64		cursor;
	FinalAgg   *finals;			/* for each of the node's Aggrefs */
	int		   *sources;		/* for each state: the finer groups' state that is added
								 * up, or -1: the DISTINCT argument is the argument */
	ProgramValue *values;		/* of one finer group: keys ... */
	EngineAggState *states;		/* ... and aggregates */
} RegroupSet;

typedef struct Regroup
{
	int			nsets;			/* 0: not needed */
	RegroupSet *sets;
	int			distinct_key;	/* key of the finer groups that aggregates with DISTINCT are
								 * about, or -1 */
	int			current;		/* set being handed out */
} Regroup;

/*
 * keys, aggrefs: the node's; sets: List of IntList, or NIL: one of all keys.
 * inner: what the finer groups have; inner_aggs: for each Aggref its number among
 * those given there, or -1.
 */
extern void gpuscan_regroup_init(Regroup *regroup, ScanState *node, Relation rel, List *keys, List *aggrefs,
								 List *sets, int distinct_key, const OffloadedProgram *inner,
								 const int *inner_aggs);

/* The finer groups that are there now become part of the sets' groups. */
extern void gpuscan_regroup_add(Regroup *regroup, ProgramRun *inner, const ForeignStates *foreign);

/* All were added. */
extern void gpuscan_regroup_finish(Regroup *regroup);

/* The next group of the current set; false: on to the next set (regroup->current). */
extern bool gpuscan_regroup_next(RegroupSet *set, EngineGroup *group);

/* Hand all out again; false when that cannot be done. */
extern bool gpuscan_regroup_rewind(Regroup *regroup);

extern void gpuscan_regroup_reset(Regroup *regroup);
extern void gpuscan_regroup_end(Regroup *regroup);

#endif							/* GPUSCAN_REGROUP_H */
