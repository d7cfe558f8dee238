/*-------------------------------------------------------------------------
 *
 * builder.h
 *	  A program under construction.
 *
 * The walker (expr.c) asks for registers; the builder shares what was computed
 * before, keeps track of masks, and lays the finished program out as one block.
 *
 * A refusal is kept in the builder and travels as PROGRAM_NO_REG through the
 * walker: the first one counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_BUILDER_H
#define GPUSCAN_BUILDER_H

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "offload/offload.h"
#include "program/program.h"
#include "utils/relcache.h"

#define BUILDER_NO_SCOPE	(-1)	/* outside every mask */

typedef struct Builder
{
	Relation	rel;
	Index		relid;			/* varno that Vars must have, or 0: any */
	int			engines;		/* who must be able to run it */
	char	   *refusal;		/* first reason why not, or NULL */
	double		cost;			/* of the instructions, in the unit of ops.def */

	/* what a CaseTestExpr stands for */
	uint16		case_reg;
	bool		own_states;		/* equal aggregates do not share a state */

	int			nregs;
	int			ninstrs;
	int			nattrs;
	int			nkeys;
	int			naggs;
	int			nscopes;
	int			scope;			/* the mask being in, or BUILDER_NO_SCOPE */
	int			depth;			/* of masks */
	List	   *params;			/* Expr each */
	List	   *supplied;		/* Expr each: columns that the host computes ... */
	List	   *supplied_types; /* ... ProgramType each, see OffloadedProgram ... */
	List	   *host_aggs;		/* Aggref each: as OffloadCost has them */
	List	   *reasons;		/* why there are such: String, without repetition */

	ProgramReg *regs;			/* PROGRAM_MAX_REGS */
	ProgramInstr *instrs;		/* grown; ... */
	int		   *instr_scope;	/* ... the mask that each stands in */
	int			instrs_room;
	int		   *scope_parent;
	int			scopes_room;
	ProgramAttr *attrs;			/* in order of first use; grown */
	int			attrs_room;
	ProgramKey	keys[PROGRAM_MAX_KEYS];
	ProgramAgg	aggs[PROGRAM_MAX_AGGS];
} Builder;

/* A mask that is open */
typedef struct BuilderMask
{
	int			instr;			/* the MASK_* */
	int			scope;
} BuilderMask;

extern void gpuscan_builder_init(Builder *b, Relation rel, Index relid, int engines);
extern uint16 gpuscan_builder_refuse(Builder *b, const char *fmt,...) pg_attribute_printf(2, 3);

/* registers */
extern uint16 gpuscan_builder_emit(Builder *b, ProgramOp op, uint16 a, uint16 b_arg, uint16 c);
extern uint16 gpuscan_builder_load(Builder *b, AttrNumber attnum, ProgramType type, bool stored);
extern uint16 gpuscan_builder_param(Builder *b, Expr *expr, ValueKind kind);
extern Expr *gpuscan_builder_uniform(const Builder *b, uint16 reg);	/* or NULL */
extern ValueKind gpuscan_builder_kind(const Builder *b, uint16 reg);

/*
 * The register that the host fills with the values of an expression, for keys and
 * arguments alone.  type: PROGRAM_TYPES where only NULLs are asked for.
 */
extern uint16 gpuscan_builder_supplied(Builder *b, Expr *expr, ProgramType type);

/* Forget what was built, and refused, since a place. */
typedef struct BuilderPlace
{
	int			nregs;
	int			ninstrs;
	int			nattrs;
	int			nscopes;
	int			nparams;
	double		cost;
} BuilderPlace;

extern BuilderPlace gpuscan_builder_place(const Builder *b);
extern void gpuscan_builder_go_back(Builder *b, const BuilderPlace *place);

/* masks */
extern BuilderMask gpuscan_builder_open_mask(Builder *b, ProgramOp op, uint16 reg);
extern void gpuscan_builder_close_mask(Builder *b, BuilderMask mask);

/* sinks */
extern bool gpuscan_builder_filter(Builder *b, uint16 reg);
extern bool gpuscan_builder_key(Builder *b, uint16 reg, ProgramType type);
extern int	gpuscan_builder_agg(Builder *b, ProgramAggKind kind, uint16 arg, uint16 filter);

extern Program *gpuscan_builder_finish(Builder *b, bool grouped);

#endif							/* GPUSCAN_BUILDER_H */
