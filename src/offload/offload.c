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
#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"

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
 * A grouping key.  eqop decides which values are one group (InvalidOid: asked
 * before, do not look): it must be the equality that engines have.
 */
static bool
offload_key(Builder *b, Node *key, Oid eqop)
{
	Oid			sql_type = exprType(key);
	ProgramType type = gpuscan_type_of(sql_type);
	uint16		reg;

	if (type == PROGRAM_TYPES)
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
	reg = gpuscan_offload_expr(b, key);
	return gpuscan_builder_key(b, reg, type);
}

/* The number of the state that serves an aggregate, or -1. */
static int
offload_agg(Builder *b, Aggref *aggref)
{
	ProgramAggKind kind = gpuscan_agg_of_function(aggref->aggfnoid);
	uint16		filter = PROGRAM_NO_REG;
	uint16		arg = PROGRAM_NO_REG;

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

	if (aggref->aggfilter != NULL)
	{
		filter = gpuscan_offload_expr(b, (Node *) aggref->aggfilter);
		if (b->refusal == NULL && gpuscan_builder_kind(b, filter) != VALUE_BOOL)
			gpuscan_builder_refuse(b, "FILTER that is not boolean");
	}
	if (kind != AGG_COUNT_STAR)
	{
		Node	   *expr = (Node *) linitial_node(TargetEntry, aggref->args)->expr;

		/* count(1) is count(*) */
		if (kind == AGG_COUNT && IsA(expr, Const) && !((Const *) expr)->constisnull)
			kind = AGG_COUNT_STAR;
		else if (kind == AGG_COUNT && IsA(expr, Var))
			arg = gpuscan_offload_null(b, expr);
		else if (filter != PROGRAM_NO_REG)
			arg = gpuscan_offload_masked(b, OP_MASK_TRUE, filter, expr);
		else
			arg = gpuscan_offload_expr(b, expr);
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

/* Compile for the answer alone. */
typedef enum Question
{
	QUESTION_QUAL,
	QUESTION_KEY,
	QUESTION_AGG
} Question;

static char *
ask(Relation rel, Index relid, Question question, Node *node, Oid eqop, int engines, double *cost)
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
		*cost += b.cost;
	MemoryContextDelete(scratch);
	return refusal;
}

char *
gpuscan_offload_refuse_qual(Relation rel, Index relid, Node *qual, int engines, double *cost)
{
	return ask(rel, relid, QUESTION_QUAL, qual, InvalidOid, engines, cost);
}

char *
gpuscan_offload_refuse_key(Relation rel, Index relid, Node *key, Oid eqop, int engines, double *cost)
{
	return ask(rel, relid, QUESTION_KEY, key, eqop, engines, cost);
}

char *
gpuscan_offload_refuse_agg(Relation rel, Index relid, Aggref *aggref, int engines, double *cost)
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
	offloaded->params = b.params;
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
