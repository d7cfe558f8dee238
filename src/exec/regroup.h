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
#include "plan/plan_private.h"

/* Groups that are made of other groups. */
typedef struct GroupTable
{
	OffloadedProgram *offloaded;	/* keys and states; no rows come to it */
	ProgramRun	run;
	ForeignStates foreign;
	Spill		spill;
	bool		spilled;
	uint64		cursor;
} GroupTable;

/* How the groups of one table become part of another's. */
typedef struct GroupMap
{
	int		   *keys;			/* for each key, which of the first table's */
	int		   *states;			/* for each state the one that is added up, or ... */
#define STATE_OF_ARGUMENT	(-1)	/* ... that of one row with key 'argument' */
#define STATE_OF_NOTHING	(-2)
	int			argument;		/* a key, or -1 */
	bool		rows;			/* the first table's rows are counted */
} GroupMap;

/* What an aggregate with DISTINCT is about, once for each group of a set. */
typedef struct DistinctGroups
{
	GroupTable	table;			/* by the set's keys and the argument */
	GroupMap	in;				/* fine groups -> this */
	GroupMap	out;			/* this -> the set */
} DistinctGroups;

/* A grouping that comes out: GROUP BY's only one, or one of its sets. */
typedef struct RegroupSet
{
	int			nkeys;
	int		   *keys;			/* which of the node's keys */
	GroupTable	table;
	GroupMap	in;				/* fine groups -> this */
	DistinctGroups *distinct;
	int			ndistinct;
	FinalAgg   *finals;			/* for each of the node's Aggrefs */
} RegroupSet;

typedef struct Regroup
{
	int			nsets;			/* 0: not needed */
	RegroupSet *sets;
	int			current;		/* set being handed out */
	ProgramValue *values;		/* of a group on its way: keys ... */
	EngineAggState *states;		/* ... and aggregates */
} Regroup;

/*
 * keys, aggrefs: the node's; sets: List of IntList, or NIL: one of all keys.
 * fine: what the table is grouped by, by program 'inner'.
 */
extern void gpuscan_regroup_init(Regroup *regroup, ScanState *node, Relation rel, List *keys, List *aggrefs,
								 List *sets, const FineGrouping *fine, const OffloadedProgram *inner);

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
