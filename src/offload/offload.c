/*-------------------------------------------------------------------------
 *
 * offload.c
 *	  From PostgreSQL's expression trees to a program, or a named reason why
 *	  not: what plan/ and exec/ call.
 *
 * To ask whether an expression can be offloaded is to compile it into a
 * program that is thrown away, so the two answers cannot differ.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"

Expr *
gpuscan_offload_filtered_argument(Expr *arg, Expr *filter)
{
	CaseExpr   *c;
	CaseWhen   *when;
	Oid			type;

	if (filter == NULL)
		return arg;
	if (arg == NULL)
		arg = (Expr *) makeBoolConst(true, false);

	type = exprType((Node *) arg);
	when = makeNode(CaseWhen);
	when->expr = filter;
	when->result = arg;
	when->location = -1;
	c = makeNode(CaseExpr);
	c->casetype = type;
	c->casecollid = exprCollation((Node *) arg);
	c->args = list_make1(when);
	c->defresult = (Expr *) makeNullConst(type, exprTypmod((Node *) arg), c->casecollid);
	c->location = -1;
	return (Expr *) c;
}

static bool
offload_qual(Builder *b, Node *qual)
{
	uint16		reg = gpuscan_offload_expr(b, qual);

	if (b->refusal != NULL)
		return false;
	if (gpuscan_builder_kind(b, reg) != VALUE_BOOL)
	{
		gpuscan_builder_refuse(b, "condition that is not boolean");
		return false;
	}
	return gpuscan_builder_filter(b, reg);
}

/*
 * Give up on what was built since 'place': the host computes the expression for
 * the rows that passed all filters.  Not where it matters how often or before
 * what it is evaluated, nor where the planner has more to say about it.
 */
static uint16
supplied_instead(Builder *b, const BuilderPlace *place, Expr *expr, ProgramType type)
{
	Node	   *node = (Node *) expr;
	char	   *reason = b->refusal;

	if ((b->engines & ENGINE_CUDA) != 0 || !contain_var_clause(node) || contain_volatile_functions(node) ||
		contain_subplans(node) || expression_returns_set(node))
		return PROGRAM_NO_REG;
	gpuscan_builder_go_back(b, place);
	b->reasons = list_append_unique(b->reasons, makeString(reason));
	return gpuscan_builder_supplied(b, expr, type);
}

/*
 * A grouping key.  eqop decides which values are one group (InvalidOid: asked
 * before, do not look): it must be the equality that engines have.
 */
static bool
offload_key(Builder *b, Node *key, Oid eqop)
{
	Oid			sql_type = exprType(key);
	ProgramType type = gpuscan_type_of(sql_type);
	BuilderPlace place;
	uint16		reg;

	/* intervals that are equal may be shown differently: their bytes are no key */
	if (type == PROGRAM_TYPES || type == TYPE_INTERVAL)
	{
		gpuscan_builder_refuse(b, "grouping by type %s", format_type_be(sql_type));
		return false;
	}
	if (OidIsValid(eqop))
	{
		ProgramOp	op = gpuscan_op_of_function(get_opcode(eqop));

		if (op == PROGRAM_OPS || gpuscan_op_info[op].nargs != 2 ||
			strncmp(gpuscan_op_info[op].name, "EQ_", 3) != 0 ||
			gpuscan_op_info[op].args[0] != gpuscan_type_info[type].kind ||
			(type == TYPE_BPCHAR) != (get_opcode(eqop) == F_BPCHAREQ))
		{
			gpuscan_builder_refuse(b, "grouping by operator %s", format_operator(eqop));
			return false;
		}
		if (!gpuscan_offload_holds(b, gpuscan_op_info[op].condition, exprCollation(key)))
			return false;
	}

	/*
	 * char(n) is shown with its blanks, which registers do not have; n tells
	 * how many there were.
	 */
	if (type == TYPE_BPCHAR && exprTypmod(key) < (int32) VARHDRSZ)
	{
		gpuscan_builder_refuse(b, "grouping by character without a length");
		return false;
	}
	if (b->refusal != NULL)
		return false;
	place = gpuscan_builder_place(b);
	reg = gpuscan_offload_expr(b, key);
	if (b->refusal != NULL)
		reg = supplied_instead(b, &place, (Expr *) key, type);
	return gpuscan_builder_key(b, reg, type);
}

/*
 * Registers of an aggregate's FILTER and argument, PROGRAM_NO_REG where it has none.
 * counts: of the argument only whether it is NULL is asked.
 */
static void
offload_argument(Builder *b, const Aggref *aggref, Node *arg, bool counts, uint16 *filter_reg, uint16 *arg_reg)
{
	if (aggref->aggfilter != NULL)
	{
		*filter_reg = gpuscan_offload_expr(b, (Node *) aggref->aggfilter);
		if (b->refusal == NULL && gpuscan_builder_kind(b, *filter_reg) != VALUE_BOOL)
			gpuscan_builder_refuse(b, "FILTER that is not boolean");
	}
	if (arg == NULL)
		return;
	if (counts && IsA(arg, Var))
		*arg_reg = gpuscan_offload_null(b, arg);
	else if (*filter_reg != PROGRAM_NO_REG)
		*arg_reg = gpuscan_offload_masked(b, OP_MASK_TRUE, *filter_reg, arg);
	else
		*arg_reg = gpuscan_offload_expr(b, arg);
}

/* The number of the state that serves an aggregate, or -1. */
static int
offload_state(Builder *b, Aggref *aggref)
{
	ProgramAggKind kind = gpuscan_agg_of_function(aggref->aggfnoid);
	uint16		filter = PROGRAM_NO_REG;
	uint16		arg = PROGRAM_NO_REG;
	Expr	   *expr = NULL;
	bool		counts;
	BuilderPlace place;

	if (aggref->aggkind != AGGKIND_NORMAL || aggref->aggvariadic || aggref->agglevelsup != 0 ||
		aggref->aggdirectargs != NIL || (aggref->aggsplit != AGGSPLIT_SIMPLE && aggref->aggsplit != AGGSPLIT_INITIAL_SERIAL) ||
		kind == PROGRAM_AGG_KINDS)
		gpuscan_builder_refuse(b, "aggregate %s", format_procedure(aggref->aggfnoid));
	else if (aggref->aggdistinct != NIL)
		gpuscan_builder_refuse(b, "aggregate with DISTINCT");
	else if (aggref->aggorder != NIL)
		gpuscan_builder_refuse(b, "aggregate with ORDER BY");
	if (b->refusal != NULL || !gpuscan_offload_holds(b, gpuscan_agg_info[kind].condition, aggref->inputcollid))
		return -1;

	if (kind != AGG_COUNT_STAR)
	{
		expr = linitial_node(TargetEntry, aggref->args)->expr;

		/* least and greatest of char(n) are shown with their blanks, as keys are */
		if (aggref->aggtype == BPCHAROID && exprTypmod((Node *) expr) < (int32) VARHDRSZ)
		{
			gpuscan_builder_refuse(b, "aggregate of character without a length");
			return -1;
		}

		/* count(1) is count(*) */
		if (kind == AGG_COUNT && IsA(expr, Const) && !((Const *) expr)->constisnull)
		{
			kind = AGG_COUNT_STAR;
			expr = NULL;
		}
	}
	place = gpuscan_builder_place(b);
	counts = kind == AGG_COUNT_STAR || kind == AGG_COUNT;
	offload_argument(b, aggref, (Node *) expr, counts, &filter, &arg);
	if (b->refusal != NULL)
	{
		ProgramType type = counts ? PROGRAM_TYPES : gpuscan_type_of(exprType((Node *) expr));

		expr = gpuscan_offload_filtered_argument(expr, aggref->aggfilter);
		filter = PROGRAM_NO_REG;
		if (counts || type != PROGRAM_TYPES)
			arg = supplied_instead(b, &place, expr, type);
		if (counts)
			kind = AGG_COUNT;
	}
	if (b->refusal != NULL)
		return -1;
	if (arg != PROGRAM_NO_REG && gpuscan_agg_info[kind].arg != VALUE_KINDS &&
		gpuscan_builder_kind(b, arg) != gpuscan_agg_info[kind].arg)
	{
		gpuscan_builder_refuse(b, "aggregate %s", format_procedure(aggref->aggfnoid));
		return -1;
	}
	return gpuscan_builder_agg(b, kind, arg, filter);
}

/*
 * Can PostgreSQL compute an aggregate over an engine's groups?  Not where it
 * matters how often or before what its arguments are evaluated, nor where the
 * planner has more to say about them.
 */
static bool
host_can_aggregate(const Builder *b, Aggref *aggref)
{
	return (b->engines & ENGINE_CUDA) == 0 && aggref->agglevelsup == 0 &&
		(aggref->aggsplit == AGGSPLIT_SIMPLE || aggref->aggsplit == AGGSPLIT_INITIAL_SERIAL) &&
		!contain_volatile_functions((Node *) aggref) && !contain_subplans((Node *) aggref) &&
		!contain_var_clause((Node *) aggref->aggdirectargs);
}

/* As offload_state; -1 also, without a refusal, for one that PostgreSQL is to compute. */
static int
offload_agg(Builder *b, Aggref *aggref)
{
	BuilderPlace place = gpuscan_builder_place(b);
	bool		refused_before = b->refusal != NULL;
	int			state = offload_state(b, aggref);
	char	   *reason = b->refusal;

	if (refused_before || reason == NULL || !host_can_aggregate(b, aggref))
		return state;
	gpuscan_builder_go_back(b, &place);
	b->reasons = list_append_unique(b->reasons, makeString(reason));
	b->host_aggs = lappend(b->host_aggs, aggref);
	return -1;
}

bool
gpuscan_offload_row_order(const Aggref *aggref)
{
	ProgramAggKind kind = gpuscan_agg_of_function(aggref->aggfnoid);

	return kind != PROGRAM_AGG_KINDS && (gpuscan_agg_info[kind].condition & CONDITION_ROW_ORDER) != 0;
}

/* Compile for the answer alone. */
typedef enum Question
{
	QUESTION_QUAL,
	QUESTION_KEY,
	QUESTION_AGG
} Question;

static char *
ask(Relation rel, Index relid, Question question, Node *node, Oid eqop, int engines, OffloadCost *cost)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "gpuscan offload",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	Builder		b;
	char	   *refusal;

	gpuscan_builder_init(&b, rel, relid, engines);
	switch (question)
	{
		case QUESTION_QUAL:
			offload_qual(&b, node);
			break;
		case QUESTION_KEY:
			offload_key(&b, node, eqop);
			break;
		case QUESTION_AGG:
			offload_agg(&b, castNode(Aggref, node));
			break;
	}
	MemoryContextSwitchTo(caller);
	refusal = b.refusal ? pstrdup(b.refusal) : NULL;
	if (refusal == NULL && cost != NULL)
	{
		ListCell   *lc;

		cost->steps += b.cost;
		foreach(lc, b.supplied)
			cost->supplied = list_append_unique(cost->supplied, copyObject(lfirst(lc)));
		foreach(lc, b.host_aggs)
			cost->host_aggs = lappend(cost->host_aggs, copyObject(lfirst(lc)));
		foreach(lc, b.reasons)
			cost->reasons = list_append_unique(cost->reasons, copyObject(lfirst(lc)));
	}
	MemoryContextDelete(scratch);
	return refusal;
}

char *
gpuscan_offload_refuse_qual(Relation rel, Index relid, Node *qual, int engines, OffloadCost *cost)
{
	return ask(rel, relid, QUESTION_QUAL, qual, InvalidOid, engines, cost);
}

char *
gpuscan_offload_refuse_key(Relation rel, Index relid, Node *key, Oid eqop, int engines, OffloadCost *cost)
{
	return ask(rel, relid, QUESTION_KEY, key, eqop, engines, cost);
}

char *
gpuscan_offload_refuse_agg(Relation rel, Index relid, Aggref *aggref, int engines, OffloadCost *cost)
{
	return ask(rel, relid, QUESTION_AGG, (Node *) aggref, InvalidOid, engines, cost);
}

static OffloadedProgram *
compile(Relation rel, List *quals, bool grouped, List *keys, List *aggrefs, bool own_states)
{
	OffloadedProgram *offloaded = palloc0_object(OffloadedProgram);
	Builder		b;
	ListCell   *lc;

	gpuscan_builder_init(&b, rel, 0, 0);
	b.own_states = own_states;
	foreach(lc, quals)
		offload_qual(&b, lfirst(lc));
	foreach(lc, keys)
		offload_key(&b, lfirst(lc), InvalidOid);
	offloaded->naggs = list_length(aggrefs);
	offloaded->agg_state = palloc_array(int, offloaded->naggs + 1);
	foreach(lc, aggrefs)
		offloaded->agg_state[foreach_current_index(lc)] = offload_agg(&b, lfirst_node(Aggref, lc));
	if (b.refusal != NULL)
		elog(ERROR, "planned to offload what cannot be: %s", b.refusal);

	offloaded->program = gpuscan_builder_finish(&b, grouped);
	offloaded->size = offloaded->program->size;
	offloaded->nhost_aggs = list_length(b.host_aggs);
	offloaded->params = b.params;
	offloaded->supplied = b.supplied;
	offloaded->supplied_types = b.supplied_types;
	return offloaded;
}

OffloadedProgram *
gpuscan_offload_compile(Relation rel, List *quals, bool grouped, List *keys, List *aggrefs)
{
	return compile(rel, quals, grouped, keys, aggrefs, false);
}

OffloadedProgram *
gpuscan_offload_compile_states(Relation rel, List *keys, List *aggrefs)
{
	return compile(rel, NIL, true, keys, aggrefs, true);
}
