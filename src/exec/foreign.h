/*-------------------------------------------------------------------------
 *
 * foreign.h
 *	  What groups hold that an engine cannot: the host's own states and keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_FOREIGN_H
#define GPUSCAN_FOREIGN_H

#include "exec/host.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

/* The host's part of an aggregate state. */
typedef struct ForeignAgg
{
	int64		count;			/* arguments; 0: there is no state */
	Datum		state;			/* sum: NumericAggState; min, max: numeric */
	uint64		ordinal;		/* min, max: of the row that it is from */
} ForeignAgg;

typedef struct ForeignKey
{
	bool		set;
	uint64		ordinal;		/* of the row that it is from: shown if the group has no
								 * earlier one */
	Datum		datum;
} ForeignKey;

typedef struct ForeignGroup
{
	ForeignKey *keys;			/* or NULL */
	ForeignAgg *aggs;			/* or NULL */
} ForeignGroup;

typedef struct ForeignStates
{
	const Program *program;
	MemoryContext parent;
	MemoryContext context;		/* of all below; NULL until it is needed */
	ForeignGroup **groups;		/* by group number; NULL: nothing foreign */
	uint64		ngroups;		/* room in 'groups' */
	Node	   *fake_agg;		/* an AggState for transition functions */
	FunctionCallInfo call;		/* of transition functions */
} ForeignStates;

/* What functions of an aggregate take for the node that calls them; its memory is to be set. */
extern AggState *gpuscan_foreign_fake_agg(void);

extern void gpuscan_foreign_init(ForeignStates *foreign, const Program *program);

/* Keep the foreign items of settled rows that were just absorbed. */
extern void gpuscan_foreign_absorb(ForeignStates *foreign, HostEval *host);

/* One more argument that no engine can hold. */
extern void gpuscan_foreign_argument(ForeignStates *foreign, uint32 group, int agg,
									 uint64 ordinal, Datum value);

/* The key of a row, or of a group that becomes part of this one. */
extern void gpuscan_foreign_key(ForeignStates *foreign, uint32 group, int number, const ForeignKey *key);

/* The arguments of another group's state. */
extern void gpuscan_foreign_add(ForeignStates *foreign, uint32 group, int agg, const ForeignAgg *from);

static inline ForeignGroup *
gpuscan_foreign_group(const ForeignStates *foreign, uint32 group)
{
	return group < foreign->ngroups ? foreign->groups[group] : NULL;
}

/* The sum of an aggregate's foreign arguments; numeric, maybe NaN or infinite. */
extern Datum gpuscan_foreign_sum(const ForeignAgg *agg);

extern size_t gpuscan_foreign_memory(const ForeignStates *foreign);
extern void gpuscan_foreign_reset(ForeignStates *foreign);

/* A group's foreign part as bytes (none: nothing is appended), and back. */
extern void gpuscan_foreign_dump(ForeignStates *foreign, uint32 group, StringInfo out);
extern void gpuscan_foreign_merge(ForeignStates *foreign, uint32 group,
								  const char *bytes, size_t size);

/*
 * Which of two numerics is the least (or greatest)?  Of equal ones the one of
 * the later row, which may be shown with another scale (numeric_smaller,
 * numeric_larger).
 */
extern bool gpuscan_foreign_second_wins(int kind, Datum first, uint64 first_ordinal,
										Datum second, uint64 second_ordinal);

#endif							/* GPUSCAN_FOREIGN_H */
