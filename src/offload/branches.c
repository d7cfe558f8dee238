/*-------------------------------------------------------------------------
 *
 * branches.c
 *	  AND, OR, CASE, COALESCE, GREATEST and their kin.
 *
 * PostgreSQL computes an arm only for the rows that get there.  A program
 * computes all arms for all rows and selects; where a step of an arm may
 * fail, the arm stands under a mask, so that it fails for nobody who would
 * not have come by (execExprInterp.c: EEOP_BOOL_AND_STEP, EEOP_JUMP_IF_NOT_TRUE).
 *
 * Columns are loaded before a mask opens: loading may punt a row, but raises
 * nothing, and what is loaded outside serves the rest of the program too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

#define MAX_ARRAY_ELEMENTS	64	/* of IN (...), expanded to comparisons */

#define EMIT1(b, op, x)			gpuscan_builder_emit(b, op, x, PROGRAM_NO_REG, PROGRAM_NO_REG)
#define EMIT2(b, op, x, y)		gpuscan_builder_emit(b, op, x, y, PROGRAM_NO_REG)

/* An arm, for the rows that 'mask' lets through. */
static BuilderMask
open_arm(Builder *b, ProgramOp mask, uint16 reg, Node *arm)
{
	ListCell   *lc;
	List	   *vars = pull_var_clause(arm, PVC_RECURSE_AGGREGATES |
									   PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS);

	foreach(lc, vars)
		gpuscan_offload_null(b, lfirst(lc));
	return gpuscan_builder_open_mask(b, mask, reg);
}

uint16
gpuscan_offload_masked(Builder *b, ProgramOp op, uint16 reg, Node *arm)
{
	BuilderMask mask = open_arm(b, op, reg, arm);
	uint16		result = gpuscan_offload_expr(b, arm);

	gpuscan_builder_close_mask(b, mask);
	return result;
}

static uint16
select_of(Builder *b, uint16 condition, uint16 yes, uint16 no)
{
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	if (gpuscan_builder_kind(b, yes) != gpuscan_builder_kind(b, no))
		return gpuscan_builder_refuse(b, "branches of different types");
	return gpuscan_builder_emit(b, OP_SELECT, condition, yes, no);
}

static uint16
offload_bool(Builder *b, BoolExpr *expr)
{
	ProgramOp	op = expr->boolop == AND_EXPR ? OP_AND : OP_OR;
	ProgramOp	mask = expr->boolop == AND_EXPR ? OP_MASK_NOT_FALSE : OP_MASK_NOT_TRUE;
	uint16		result = gpuscan_offload_expr(b, linitial(expr->args));

	if (expr->boolop == NOT_EXPR)
		return EMIT1(b, OP_NOT, result);
	for (int i = 1; i < list_length(expr->args); i++)
	{
		uint16		arm = gpuscan_offload_masked(b, mask, result, list_nth(expr->args, i));

		result = EMIT2(b, op, result, arm);
	}
	return result;
}

/* The arms from number i on, the last being ELSE. */
static uint16
offload_case_arms(Builder *b, CaseExpr *expr, int i, uint16 tested)
{
	CaseWhen   *when;
	uint16		outer_reg = b->case_reg;
	uint16		condition,
				yes,
				no;
	BuilderMask mask;
	List	   *rest;

	if (i == list_length(expr->args))
	{
		if (expr->defresult != NULL)
			return gpuscan_offload_expr(b, (Node *) expr->defresult);
		return gpuscan_offload_const(b, makeNullConst(expr->casetype, -1, expr->casecollid));
	}
	when = list_nth_node(CaseWhen, expr->args, i);

	/* what a CaseTestExpr means holds for the condition alone */
	if (expr->arg != NULL)
		b->case_reg = tested;
	condition = gpuscan_offload_expr(b, (Node *) when->expr);
	b->case_reg = outer_reg;

	yes = gpuscan_offload_masked(b, OP_MASK_TRUE, condition, (Node *) when->result);

	rest = list_make1(expr->defresult);
	for (int j = i + 1; j < list_length(expr->args); j++)
	{
		CaseWhen   *later = list_nth_node(CaseWhen, expr->args, j);

		rest = lappend(lappend(rest, later->expr), later->result);
	}
	mask = open_arm(b, OP_MASK_NOT_TRUE, condition, (Node *) rest);
	no = offload_case_arms(b, expr, i + 1, tested);
	gpuscan_builder_close_mask(b, mask);
	return select_of(b, condition, yes, no);
}

static uint16
offload_case(Builder *b, CaseExpr *expr)
{
	uint16		tested = PROGRAM_NO_REG;

	if (expr->arg != NULL)
		tested = gpuscan_offload_expr(b, (Node *) expr->arg);
	return offload_case_arms(b, expr, 0, tested);
}

static uint16
offload_coalesce(Builder *b, CoalesceExpr *expr)
{
	uint16		result = gpuscan_offload_expr(b, linitial(expr->args));

	for (int i = 1; i < list_length(expr->args); i++)
	{
		uint16		next = gpuscan_offload_masked(b, OP_MASK_NULL, result, list_nth(expr->args, i));

		result = select_of(b, EMIT1(b, OP_IS_NULL, result), next, result);
	}
	return result;
}

/* The comparison within NULLIF and IS DISTINCT FROM; *left: its first argument */
static uint16
offload_comparison(Builder *b, OpExpr *op, uint16 *left, uint16 *right)
{
	Oid			funcid = OidIsValid(op->opfuncid) ? op->opfuncid : get_opcode(op->opno);
	uint16		args[2];
	Oid			types[2];

	if (gpuscan_op_of_function(funcid) == PROGRAM_OPS)
		return gpuscan_builder_refuse(b, "operator %s", format_operator(op->opno));
	for (int i = 0; i < 2; i++)
	{
		args[i] = gpuscan_offload_expr(b, list_nth(op->args, i));
		types[i] = exprType(list_nth(op->args, i));
	}
	*left = args[0];
	*right = args[1];
	return gpuscan_offload_call(b, funcid, op->inputcollid, 2, args, types);
}

static uint16
offload_nullif(Builder *b, NullIfExpr *expr)
{
	uint16		left,
				right;
	uint16		equal = offload_comparison(b, expr, &left, &right);

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	return select_of(b, equal, gpuscan_offload_const(b, makeNullConst(exprType(linitial(expr->args)), -1,
																	  exprCollation(linitial(expr->args)))),
					 left);
}

static uint16
offload_distinct(Builder *b, DistinctExpr *expr)
{
	uint16		left,
				right;
	uint16		equal = offload_comparison(b, expr, &left, &right);
	uint16		left_there,
				right_there,
				both;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	left_there = EMIT1(b, OP_IS_NOT_NULL, left);
	right_there = EMIT1(b, OP_IS_NOT_NULL, right);

	/* both there: not equal; else: whether one of them is there */
	both = EMIT2(b, OP_AND, left_there, right_there);
	return select_of(b, both, EMIT1(b, OP_NOT, equal), EMIT2(b, OP_OR, left_there, right_there));
}

/*
 * GREATEST and LEAST: of two, the second is taken only if it is better, and one
 * that is NULL never is (execExprInterp.c ExecEvalMinMax).  So of equal values
 * the first one is shown.
 */
static uint16
offload_minmax(Builder *b, MinMaxExpr *expr)
{
	const bool	greatest = expr->op == IS_GREATEST;
	TypeCacheEntry *type = lookup_type_cache(expr->minmaxtype, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	const Oid	opno = greatest ? type->lt_opr : type->gt_opr;
	const Oid	funcid = OidIsValid(opno) ? get_opcode(opno) : InvalidOid;
	const Oid	types[2] = {expr->minmaxtype, expr->minmaxtype};
	uint16	   *values = palloc(list_length(expr->args) * sizeof(uint16));
	uint16		pair[2];

	if (!OidIsValid(funcid) || gpuscan_op_of_function(funcid) == PROGRAM_OPS)
		return gpuscan_builder_refuse(b, "%s of type %s", greatest ? "GREATEST" : "LEAST", format_type_be(expr->minmaxtype));

	/* all are computed before the first comparison */
	for (int i = 0; i < list_length(expr->args); i++)
		values[i] = gpuscan_offload_expr(b, list_nth(expr->args, i));
	pair[0] = values[0];
	for (int i = 1; i < list_length(expr->args); i++)
	{
		uint16		better;

		pair[1] = values[i];
		better = gpuscan_offload_call(b, funcid, expr->inputcollid, 2, pair, types);
		better = EMIT2(b, OP_OR, EMIT1(b, OP_IS_NULL, pair[0]), better);
		pair[0] = select_of(b, better, pair[1], pair[0]);
	}
	return pair[0];
}

uint16
gpuscan_offload_branches(Builder *b, Node *node)
{
	switch (nodeTag(node))
	{
		case T_MinMaxExpr:
			return offload_minmax(b, (MinMaxExpr *) node);
		case T_BoolExpr:
			return offload_bool(b, (BoolExpr *) node);
		case T_CaseExpr:
			return offload_case(b, (CaseExpr *) node);
		case T_CoalesceExpr:
			return offload_coalesce(b, (CoalesceExpr *) node);
		case T_NullIfExpr:
			return offload_nullif(b, (NullIfExpr *) node);
		default:
			return offload_distinct(b, castNode(DistinctExpr, node));
	}
}

/* The elements of a constant array as Consts; NIL, and *isnull, for NULL. */
static List *
array_elements(Const *con, bool *isnull)
{
	ArrayType  *array;
	Oid			type;
	int16		len;
	bool		byval;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	List	   *elements = NIL;

	*isnull = con->constisnull;
	if (con->constisnull)
		return NIL;
	array = DatumGetArrayTypeP(con->constvalue);
	type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		elements = lappend(elements, makeConst(type, -1, con->constcollid, len,
											   values[i], nulls[i], byval));
	return elements;
}

/*
 * x = ANY (...), x <> ALL (...) of many constants: one look into a set, which is
 * a parameter.  A NULL among them is an element that is equal to nothing but
 * leaves it open.
 */
static uint16
offload_long_list(Builder *b, ScalarArrayOpExpr *saop, ProgramOp op, Const *array)
{
	const Oid	element_type = get_element_type(array->consttype);
	Node	   *scalar = linitial(saop->args);
	const ProgramType type = gpuscan_type_of(exprType(scalar));
	const bool	integers = type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
	const ProgramType of_element = gpuscan_type_of(element_type);
	ProgramOp	found_op;
	uint16		set;
	uint16		value;
	uint16		found;

	switch (op)
	{
		case OP_EQ_INT32:
		case OP_NE_INT32:
		case OP_EQ_INT64:
		case OP_NE_INT64:
			found_op = OP_IN_INT64;
			break;
		case OP_EQ_NUMERIC:
		case OP_NE_NUMERIC:
			found_op = OP_IN_NUMERIC;
			break;
		case OP_EQ_TEXT:
		case OP_NE_TEXT:
			found_op = OP_IN_TEXT;
			break;
		case OP_EQ_BYTEA:
		case OP_NE_BYTEA:
			found_op = OP_IN_BYTEA;
			break;
		default:
			return gpuscan_builder_refuse(b, "list of more than %d values with operator %s",
										  MAX_ARRAY_ELEMENTS, format_operator(saop->opno));
	}
	/* a domain over an array has no elements, says its type */
	if (type == PROGRAM_TYPES || of_element == PROGRAM_TYPES)
		return gpuscan_builder_refuse(b, "list of more than %d values of type %s",
									  MAX_ARRAY_ELEMENTS, format_type_be(array->consttype));
	/* the operator that finds one: = with ANY, <> with ALL; of one type but for integers */
	if ((strncmp(gpuscan_op_info[op].name, "EQ_", 3) == 0) != saop->useOr ||
		(integers ? of_element != TYPE_INT2 && of_element != TYPE_INT4 && of_element != TYPE_INT8 :
		 gpuscan_type_info[type].kind != gpuscan_type_info[of_element].kind ||
		 (type == TYPE_BPCHAR) != (of_element == TYPE_BPCHAR) ||
		 (gpuscan_type_info[type].kind != VALUE_TEXT && type != of_element)))
		return gpuscan_builder_refuse(b, "list of more than %d values with operator %s",
									  MAX_ARRAY_ELEMENTS, format_operator(saop->opno));
	if (!gpuscan_offload_holds(b, gpuscan_op_info[found_op].condition, saop->inputcollid))
		return PROGRAM_NO_REG;

	value = gpuscan_offload_expr(b, scalar);
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	if (gpuscan_builder_kind(b, value) == VALUE_INT32)
		value = EMIT1(b, OP_INT32_TO_INT64, value);
	set = gpuscan_builder_param(b, (Expr *) array, VALUE_TEXT);
	found = EMIT2(b, found_op, set, value);
	if (!saop->useOr)
		found = EMIT1(b, OP_NOT, found);
	if (array_contains_nulls(DatumGetArrayTypeP(array->constvalue)))
		found = EMIT2(b, saop->useOr ? OP_OR : OP_AND, found, gpuscan_offload_const(b, makeNullConst(BOOLOID, -1, InvalidOid)));
	return found;
}

/*
 * x = ANY (...), x <> ALL (...), x LIKE ANY (...), ILIKE too: comparisons joined by OR or
 * AND.  With NULLs among the elements three-valued logic gives just what
 * ExecEvalScalarArrayOp gives; so does an array without elements.  It stops at
 * the element that decides: what could fail behind it stands under a mask.
 */
uint16
gpuscan_offload_array_op(Builder *b, ScalarArrayOpExpr *saop)
{
	Oid			funcid = OidIsValid(saop->opfuncid) ? saop->opfuncid : get_opcode(saop->opno);
	const Oid	like = gpuscan_offload_like_of(funcid);
	ProgramOp	op = gpuscan_op_of_function(OidIsValid(like) ? like : funcid);
	Node	   *scalar = linitial(saop->args);
	Node	   *array = lsecond(saop->args);
	List	   *elements;
	bool		isnull = false;
	uint16	   *element_regs;
	uint16		args[2];
	Oid			types[2];
	uint16		result = PROGRAM_NO_REG;

	if (op == PROGRAM_OPS || gpuscan_op_info[op].nargs != 2 || gpuscan_op_info[op].result != VALUE_BOOL)
		return gpuscan_builder_refuse(b, "operator %s", format_operator(saop->opno));
	if (IsA(array, Const))
		elements = array_elements((Const *) array, &isnull);
	else if (IsA(array, ArrayExpr) && !((ArrayExpr *) array)->multidims)
		elements = ((ArrayExpr *) array)->elements;
	else
		return gpuscan_builder_refuse(b, "array that is not constant");
	if (list_length(elements) > MAX_ARRAY_ELEMENTS && IsA(array, Const))
		return offload_long_list(b, saop, op, (Const *) array);
	if (list_length(elements) > MAX_ARRAY_ELEMENTS)
		return gpuscan_builder_refuse(b, "list of more than %d values that are not constant", MAX_ARRAY_ELEMENTS);

	args[0] = gpuscan_wants_stored_bpchar(funcid) ? gpuscan_offload_stored_bpchar(b, scalar) : gpuscan_offload_expr(b, scalar);
	types[0] = exprType(scalar);
	if (elements == NIL)
		return gpuscan_offload_const(b, (Const *) (isnull ? (Node *) makeNullConst(BOOLOID, -1, InvalidOid) :
												   makeBoolConst(!saop->useOr, false)));

	/* All elements are computed before the first comparison. */
	element_regs = palloc(list_length(elements) * sizeof(uint16));
	for (int i = 0; i < list_length(elements); i++)
		element_regs[i] = gpuscan_offload_expr(b, list_nth(elements, i));
	if (OidIsValid(like))
	{
		if (b->refusal != NULL || !gpuscan_offload_holds(b, CONDITION_DETERMINISTIC, saop->inputcollid))
			return PROGRAM_NO_REG;
		args[0] = gpuscan_offload_lower(b, NULL, args[0], saop->inputcollid);
		for (int i = 0; i < list_length(elements) && b->refusal == NULL; i++)
			element_regs[i] = gpuscan_offload_lower(b, list_nth(elements, i), element_regs[i], saop->inputcollid);
		types[0] = TEXTOID;
		funcid = like;
	}
	for (int i = 0; i < list_length(elements); i++)
	{
		const bool	masked = i > 0 && gpuscan_op_info[op].may_fail;
		BuilderMask mask = {0, 0};
		uint16		compared;

		args[1] = element_regs[i];
		types[1] = exprType(list_nth(elements, i));
		if (masked)
			mask = gpuscan_builder_open_mask(b, saop->useOr ? OP_MASK_NOT_TRUE : OP_MASK_NOT_FALSE, result);
		compared = gpuscan_offload_call(b, funcid, saop->inputcollid, 2, args, types);
		if (masked)
			gpuscan_builder_close_mask(b, mask);
		result = i == 0 ? compared :
			EMIT2(b, saop->useOr ? OP_OR : OP_AND, result, compared);
	}
	return result;
}
