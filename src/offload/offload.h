/*-------------------------------------------------------------------------
 *
 * offload.h
 *	  From PostgreSQL's expression trees to a program, or a named reason why
 *	  not.
 *
 * A whitelist walker in the manner of postgres_fdw's shippable.c and
 * foreign_expr_walker: what is not listed in the tables stays with PostgreSQL.
 * The planner asks for refusals; the executor compiles, from the very same
 * walker, when a node begins.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_OFFLOAD_H
#define GPUSCAN_OFFLOAD_H

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "program/program.h"
#include "utils/relcache.h"

typedef struct OffloadedProgram
{
	Program    *program;
	uint32		size;
	List	   *params;			/* Expr each: constants, Params and stable expressions
								 * without Vars; evaluated once per (re)scan */
	int		   *agg_state;		/* for each Aggref given: its number in program->aggs
								 * (equal states are shared), or -1: PostgreSQL computes it */
	int			naggs;			/* Aggrefs given ... */
	int			nhost_aggs;		/* ... and those of them that PostgreSQL computes */
	List	   *supplied;		/* Expr each: keys and arguments that PostgreSQL's executor
								 * computes, for rows that passed all filters ... */
	List	   *supplied_types; /* ... ProgramType of each, or PROGRAM_TYPES: only whether it is
								 * NULL is asked */
} OffloadedProgram;

/* What an expression costs for each row, and what of it stays on the host. */
typedef struct OffloadCost
{
	double		steps;			/* of an engine, in the unit of ops.def */
	List	   *supplied;		/* Expr each: see OffloadedProgram ... */
	List	   *host_aggs;		/* Aggref each: computed by PostgreSQL, for rows likewise */
	List	   *reasons;		/* why there are such, as String: the first thing that no engine knows */
} OffloadCost;

/*
 * Why a boolean filter, a grouping key or an aggregate cannot run on the
 * engines in 'engines' (a mask of ENGINE_*); NULL when it can.  Vars must be of
 * varno 'relid', or of any when relid is 0.  The text is a palloc'd phrase for
 * "Not Offloaded: %s", such as "function lower(text)".  *cost (may be NULL)
 * is increased by its cost per row.
 *
 * A key or an argument that no engine knows is no reason to refuse, if it is of a
 * type that they know: the host computes it.  Nor is an aggregate that they do not
 * know, over the groups that they find (exec/host_agg.c).
 */
extern char *gpuscan_offload_refuse_qual(Relation rel, Index relid, Node *qual, int engines, OffloadCost *cost);
extern char *gpuscan_offload_refuse_key(Relation rel, Index relid, Node *key, Oid eqop, int engines, OffloadCost *cost);
extern char *gpuscan_offload_refuse_agg(Relation rel, Index relid, Aggref *aggref, int engines, OffloadCost *cost);

/*
 * An argument as a program has it: NULL for rows that FILTER turns down, and
 * not evaluated for them.  arg: NULL for count(*), which has one only with
 * FILTER; filter: or NULL.
 */
extern Expr *gpuscan_offload_filtered_argument(Expr *arg, Expr *filter);

/* Does an aggregate depend on the order of its rows, so that groups cannot be put together of parts? */
extern bool gpuscan_offload_row_order(const Aggref *aggref);

/*
 * Can this expression raise no error, whatever the row?  (safety.c; false also
 * where that is not known.)
 */
extern bool gpuscan_offload_cannot_fail(Node *node);

/*
 * Compile.  quals: implicitly ANDed list of what refuse_qual accepted; each
 * becomes a FILTER of its own, in list order.  grouped: survivors feed groups
 * of 'keys' (may be NIL) with 'aggrefs'.  Vars refer to attributes of rel by
 * varattno whatever their varno.  Allocated in the current memory context.
 * Raises an internal error for what was not accepted before.
 */
extern OffloadedProgram *gpuscan_offload_compile(Relation rel, List *quals, bool grouped,
												 List *keys, List *aggrefs);

/*
 * For groups that are made of others (engine.h add_group): keys and a state for
 * each aggregate, even where two are equal.  No rows are run through it.
 */
extern OffloadedProgram *gpuscan_offload_compile_states(Relation rel, List *keys, List *aggrefs);

/*
 * The program as lines of text, for EXPLAIN VERBOSE: List of String.  context:
 * as deparse_expression has it, of the plan, for the parameters' expressions.
 */
extern List *gpuscan_offload_describe(const OffloadedProgram *offloaded, List *context);

#endif							/* GPUSCAN_OFFLOAD_H */
