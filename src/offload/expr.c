/*-------------------------------------------------------------------------
 *
 * expr.c
 *	  The whitelist walker: an expression becomes instructions, or a reason.
 *
 * What is not named here or in the tables is refused, so a node type that a
 * later PostgreSQL brings stays with PostgreSQL.  Only built-in functions are
 * in the tables: pg_catalog's meaning of them is the one that the bodies have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/heap.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/regproc.h"
#include "utils/rel.h"

/* opaque: only whether it is NULL is asked, which every type has */
static uint16
offload_var(Builder *b, Var *var, bool opaque)
{
	Form_pg_attribute att;
	ProgramType type;

	if (var->varlevelsup != 0 || (b->relid != 0 && var->varno != (int) b->relid))
		return gpuscan_builder_refuse(b, "column of another relation");
	if (var->varattno == 0)
		return gpuscan_builder_refuse(b, "whole-row reference");
	if (var->varattno < 0)
		return gpuscan_builder_refuse(b, "system column %s",
									  NameStr(SystemAttributeDefinition(var->varattno)->attname));
	if (var->varattno > RelationGetNumberOfAttributes(b->rel))
		elog(ERROR, "column %d of relation \"%s\" does not exist",
			 var->varattno, RelationGetRelationName(b->rel));

	att = TupleDescAttr(RelationGetDescr(b->rel), var->varattno - 1);
	type = gpuscan_type_of(var->vartype);
	if (opaque && type == PROGRAM_TYPES && att->atttypid == var->vartype && !ATTRIBUTE_IS_VIRTUAL(att))
		return gpuscan_builder_load(b, var->varattno, TYPE_OPAQUE, false);
	if (type == PROGRAM_TYPES || att->atttypid != var->vartype ||
		att->attlen != gpuscan_type_info[type].attlen || ATTRIBUTE_IS_VIRTUAL(att))
		return gpuscan_builder_refuse(b, "column %s of type %s", NameStr(att->attname),
									  format_type_be(var->vartype));
	if (att->atthasmissing && type == TYPE_NUMERIC)
	{
		bool		isnull;
		Datum		value = getmissingattr(RelationGetDescr(b->rel), var->varattno, &isnull);
		Const	   *missing = makeConst(NUMERICOID, -1, InvalidOid, -1, value, isnull, false);

		/* refuses a default that no register holds */
		if (gpuscan_offload_const(b, missing) == PROGRAM_NO_REG)
			return PROGRAM_NO_REG;
	}
	return gpuscan_builder_load(b, var->varattno, type, false);
}

/*
 * A bpchar with its trailing blanks.  Only a row has them: neither a parameter
 * nor what was computed, nor the value of rows that are too short for it.
 */
uint16
gpuscan_offload_stored_bpchar(Builder *b, Node *node)
{
	Var		   *var;

	/* under another collation it is the same */
	while (IsA(node, RelabelType) && ((RelabelType *) node)->resulttype == BPCHAROID &&
		   exprType((Node *) ((RelabelType *) node)->arg) == BPCHAROID)
		node = (Node *) ((RelabelType *) node)->arg;
	var = (Var *) node;
	if (!IsA(node, Var))
		return gpuscan_builder_refuse(b, "blanks at the end of character that is not a column");
	if (offload_var(b, var, false) == PROGRAM_NO_REG)
		return PROGRAM_NO_REG;
	if (TupleDescAttr(RelationGetDescr(b->rel), var->varattno - 1)->atthasmissing)
		return gpuscan_builder_refuse(b, "blanks at the end of character that was added with a default");
	return gpuscan_builder_load(b, var->varattno, TYPE_BPCHAR, true);
}

/* Functions that look at the trailing blanks of their first argument */
bool
gpuscan_wants_stored_bpchar(Oid funcid)
{
	return funcid == F_BPCHARLIKE || funcid == F_BPCHARNLIKE || funcid == F_BPCHARICLIKE || funcid == F_BPCHARICNLIKE ||
		funcid == F_OCTET_LENGTH_BPCHAR;
}

static uint16
refuse_function(Builder *b, Oid funcid)
{
	return gpuscan_builder_refuse(b, "%sfunction %s",
								  func_volatile(funcid) == PROVOLATILE_VOLATILE ? "volatile " : "",
								  format_procedure(funcid));
}

/* What the condition of a line wants and this database and collation do not have; or NULL */
static char *
unmet_condition(int condition, Oid collation)
{
	const int	of_collation = CONDITION_DETERMINISTIC | CONDITION_BYTE_ORDER | CONDITION_CTYPE_C | CONDITION_PLAIN_ASCII;
	const char *lacks = NULL;

	if ((condition & of_collation) != 0 && !OidIsValid(collation))
		return pstrdup("comparison without a collation");
	if ((condition & CONDITION_DETERMINISTIC) != 0 && !get_collation_isdeterministic(collation))
		lacks = "is not deterministic";
	else if ((condition & CONDITION_BYTE_ORDER) != 0 && !COLLATION_ORDERS_BYTES(collation))
		lacks = "orders otherwise than by bytes";
	else if ((condition & CONDITION_CTYPE_C) != 0 && !COLLATION_CTYPE_IS_C(collation))
		lacks = "has letters other than those of C";
	else if ((condition & CONDITION_PLAIN_ASCII) != 0 && !gpuscan_collation_maps_ascii(collation))
		lacks = "maps ASCII letters in a way of its own";
	if (lacks != NULL)
		return psprintf("collation %s, which %s", quote_identifier(get_collation_name(collation)), lacks);
	if (((condition & CONDITION_UTF8) != 0 && GetDatabaseEncoding() != PG_UTF8) ||
		((condition & CONDITION_SINGLE_BYTE) != 0 && pg_database_encoding_max_length() != 1))
		return psprintf("characters in encoding %s", GetDatabaseEncodingName());
	return NULL;
}

/*
 * Does the condition of a line of the tables hold here?  collation: the one
 * that the function, or aggregate, is called with.
 */
bool
gpuscan_offload_holds(Builder *b, int condition, Oid collation)
{
	const char *unmet = unmet_condition(condition, collation);

	if (unmet != NULL)
		gpuscan_builder_refuse(b, "%s", unmet);
	return b->refusal == NULL;
}

/* Of the lines for a function, the first one whose condition holds; or the last one. */
static ProgramOp
op_of_call(Oid funcid, Oid collation)
{
	ProgramOp	op = gpuscan_op_of_function(funcid);

	while (op != PROGRAM_OPS && unmet_condition(gpuscan_op_info[op].condition, collation) != NULL)
	{
		const ProgramOp next = gpuscan_op_after(funcid, op);

		if (next == PROGRAM_OPS)
			break;
		op = next;
	}
	return op;
}

/* Casts to text of what lies in a register as that text does */
static bool
is_plain_text(Oid funcid)
{
	return funcid == F_TEXT_BPCHAR || funcid == F_TEXT_NAME || funcid == F_VARCHAR_NAME;
}

/* A function over registers.  types: the SQL types of the arguments. */
uint16
gpuscan_offload_call(Builder *b, Oid funcid, Oid collation, int nargs,
					 const uint16 *args, const Oid *types)
{
	ProgramOp	op = op_of_call(funcid, collation);
	const ProgramOpInfo *info;
	uint16		operands[3] = {PROGRAM_NO_REG, PROGRAM_NO_REG, PROGRAM_NO_REG};

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;

	/*
	 * Nothing to do: int2 lies as int4 does and float4 as float8, a register
	 * with a bpchar has no trailing blanks, just as text(bpchar) would make it,
	 * and one with a name has no zeros.
	 */
	if (nargs == 1 && (funcid == F_INT4_INT2 || is_plain_text(funcid) || funcid == F_FLOAT8_FLOAT4))
		return args[0];

	if (op == PROGRAM_OPS || gpuscan_op_info[op].nargs != nargs)
		return refuse_function(b, funcid);
	info = &gpuscan_op_info[op];
	if (!gpuscan_offload_holds(b, info->condition, collation))
		return PROGRAM_NO_REG;
	for (int i = 0; i < nargs; i++)
	{
		/* a date or a timestamp compared with one that has a time zone */
		if (nargs == 2 && gpuscan_type_of(types[1 - i]) == TYPE_TIMESTAMPTZ &&
			gpuscan_type_of(types[i]) != TYPE_TIMESTAMPTZ)
			operands[i] = gpuscan_offload_zoned(b, args[i], types[i]);
		else
			operands[i] = gpuscan_offload_widen(b, args[i], types[i], info->args[i]);
	}
	return gpuscan_builder_emit(b, op, operands[0], operands[1], operands[2]);
}

/* width_bucket: what its value and its upper bound are above the lower one (program/width_bucket.h) */
static uint16
offload_width_bucket(Builder *b, Oid funcid, List *args)
{
	const bool	numeric = funcid == F_WIDTH_BUCKET_NUMERIC_NUMERIC_NUMERIC_INT4;
	const ProgramOp sub = gpuscan_op_of_function(numeric ? F_NUMERIC_SUB : F_FLOAT8MI);
	uint16		regs[4];

	for (int i = 0; i < 4; i++)
		regs[i] = gpuscan_offload_expr(b, list_nth(args, i));
	return gpuscan_builder_emit(b, gpuscan_op_of_function(funcid),
								gpuscan_builder_emit(b, sub, regs[0], regs[1], PROGRAM_NO_REG),
								gpuscan_builder_emit(b, sub, regs[2], regs[1], PROGRAM_NO_REG),
								regs[3]);
}

static uint16
offload_function(Builder *b, Oid funcid, Oid collation, List *args)
{
	uint16		regs[3];
	Oid			types[3];
	int			nargs = list_length(args);
	uint16		result;

	if (gpuscan_offload_datetime(b, funcid, args, &result) ||
		gpuscan_offload_text(b, funcid, collation, args, &result))
		return result;
	if (funcid == F_WIDTH_BUCKET_FLOAT8_FLOAT8_FLOAT8_INT4 || funcid == F_WIDTH_BUCKET_NUMERIC_NUMERIC_NUMERIC_INT4)
		return offload_width_bucket(b, funcid, args);
	if (nargs > (int) lengthof(regs))
		return refuse_function(b, funcid);
	for (int i = 0; i < nargs; i++)
	{
		Node	   *arg = list_nth(args, i);

		types[i] = exprType(arg);
		regs[i] = i == 0 && gpuscan_wants_stored_bpchar(funcid) ?
			gpuscan_offload_stored_bpchar(b, arg) : gpuscan_offload_expr(b, arg);
	}
	return gpuscan_offload_call(b, funcid, collation, nargs, regs, types);
}

static bool
is_known_function(Oid funcid)
{
	return is_plain_text(funcid) || gpuscan_op_of_function(funcid) != PROGRAM_OPS;
}

static uint16
offload_opexpr(Builder *b, OpExpr *op)
{
	Oid			funcid = OidIsValid(op->opfuncid) ? op->opfuncid : get_opcode(op->opno);

	if (op->opretset || !is_known_function(funcid))
		return gpuscan_builder_refuse(b, "operator %s", format_operator(op->opno));
	if (list_length(op->args) == 2)
	{
		Node	   *left = linitial(op->args);
		Node	   *right = lsecond(op->args);
		Oid			date_func;
		Node	   *date = gpuscan_offload_date_comparison(funcid, left, right, &date_func);

		if (date != NULL)
			return offload_function(b, date_func, InvalidOid,
									list_make2(IsA(right, Const) ? left : right, date));
	}
	return offload_function(b, funcid, op->inputcollid, op->args);
}

static uint16
offload_relabel(Builder *b, RelabelType *relabel)
{
	ProgramType from = gpuscan_type_of(exprType((Node *) relabel->arg));
	ProgramType to = gpuscan_type_of(relabel->resulttype);

	if ((from == TYPE_INT4 && to == TYPE_OID) || (from == TYPE_OID && to == TYPE_INT4))
		return gpuscan_builder_emit(b, to == TYPE_OID ? OP_INT32_TO_OID : OP_OID_TO_INT32,
									gpuscan_offload_expr(b, (Node *) relabel->arg), PROGRAM_NO_REG, PROGRAM_NO_REG);

	if (from == TYPE_CIDR && to == TYPE_INET)
		return gpuscan_offload_expr(b, (Node *) relabel->arg);

	/* bpchar is not among the text types: its trailing blanks mean nothing */
	if (to == PROGRAM_TYPES || from == PROGRAM_TYPES ||
		(from != to && !((from == TYPE_TEXT || from == TYPE_VARCHAR) &&
						 (to == TYPE_TEXT || to == TYPE_VARCHAR))))
		return gpuscan_builder_refuse(b, "cast from %s to %s",
									  format_type_be(exprType((Node *) relabel->arg)),
									  format_type_be(relabel->resulttype));
	return gpuscan_offload_expr(b, (Node *) relabel->arg);
}

static uint16
offload_boolean_test(Builder *b, BooleanTest *test)
{
	uint16		arg = gpuscan_offload_expr(b, (Node *) test->arg);
	ProgramOp	op;
	bool		negated = false;

	switch (test->booltesttype)
	{
		case IS_NOT_TRUE:
			negated = true;
			/* FALLTHROUGH */
		case IS_TRUE:
			op = OP_IS_TRUE;
			break;
		case IS_NOT_FALSE:
			negated = true;
			/* FALLTHROUGH */
		case IS_FALSE:
			op = OP_IS_FALSE;
			break;
		case IS_NOT_UNKNOWN:
			negated = true;
			/* FALLTHROUGH */
		default:
			op = OP_IS_UNKNOWN;
			break;
	}
	arg = gpuscan_builder_emit(b, op, arg, PROGRAM_NO_REG, PROGRAM_NO_REG);
	return negated ? gpuscan_builder_emit(b, OP_NOT, arg, PROGRAM_NO_REG, PROGRAM_NO_REG) : arg;
}

static uint16
offload_null_test(Builder *b, NullTest *test)
{
	uint16		arg;

	if (test->argisrow)
		return gpuscan_builder_refuse(b, "test of a row for NULL");
	arg = gpuscan_offload_null(b, (Node *) test->arg);
	return gpuscan_builder_emit(b, test->nulltesttype == IS_NULL ? OP_IS_NULL : OP_IS_NOT_NULL,
								arg, PROGRAM_NO_REG, PROGRAM_NO_REG);
}

/* An expression of which only whether it is NULL is asked */
uint16
gpuscan_offload_null(Builder *b, Node *node)
{
	if (b->refusal == NULL && IsA(node, Var))
		return offload_var(b, (Var *) node, true);
	return gpuscan_offload_expr(b, node);
}

/* Names for what is refused by its kind alone */
static uint16
refuse_node(Builder *b, Node *node)
{
	switch (nodeTag(node))
	{
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_SubLink:
			return gpuscan_builder_refuse(b, "subquery");
		case T_Aggref:
			return gpuscan_builder_refuse(b, "aggregate within an expression");
		case T_GroupingFunc:
			return gpuscan_builder_refuse(b, "GROUPING");
		case T_WindowFunc:
			return gpuscan_builder_refuse(b, "window function");
		case T_CoerceToDomain:
			return gpuscan_builder_refuse(b, "cast to domain %s", format_type_be(exprType(node)));
		case T_FieldSelect:
		case T_RowExpr:
		case T_RowCompareExpr:
		case T_ConvertRowtypeExpr:
			return gpuscan_builder_refuse(b, "row expression");
		case T_ArrayExpr:
		case T_SubscriptingRef:
		case T_ArrayCoerceExpr:
			return gpuscan_builder_refuse(b, "array expression");
		case T_SQLValueFunction:
			return gpuscan_builder_refuse(b, "value of type %s", format_type_be(exprType(node)));
		case T_PlaceHolderVar:
			return gpuscan_builder_refuse(b, "value that an outer join may make NULL");
		default:
			return gpuscan_builder_refuse(b, "expression of type %s", format_type_be(exprType(node)));
	}
}

uint16
gpuscan_offload_expr(Builder *b, Node *node)
{
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	check_stack_depth();

	switch (nodeTag(node))
	{
		case T_Var:
			return offload_var(b, (Var *) node, false);
		case T_Const:
			return gpuscan_offload_const(b, (Const *) node);
		case T_Param:
			if (((Param *) node)->paramkind != PARAM_EXTERN && ((Param *) node)->paramkind != PARAM_EXEC)
				return refuse_node(b, node);
			return gpuscan_offload_uniform(b, node);
		default:
			break;
	}
	if (gpuscan_offload_is_uniform(node))
		return gpuscan_offload_uniform(b, node);

	switch (nodeTag(node))
	{
		case T_OpExpr:
			return offload_opexpr(b, (OpExpr *) node);
		case T_FuncExpr:
			{
				FuncExpr   *func = (FuncExpr *) node;

				if (func->funcretset || func->funcvariadic || !is_known_function(func->funcid))
					return refuse_function(b, func->funcid);
				/* pg_cast takes int2 to oid by way of int4, and says so in the result alone */
				if (func->funcid == F_INT4_INT2 && func->funcresulttype != INT4OID)
					return gpuscan_builder_refuse(b, "cast from smallint to %s", format_type_be(func->funcresulttype));
				return offload_function(b, func->funcid, func->inputcollid, func->args);
			}
		case T_RelabelType:
			return offload_relabel(b, (RelabelType *) node);
		case T_CoerceViaIO:
			return gpuscan_offload_coerce_via_io(b, (CoerceViaIO *) node);
		case T_NullTest:
			return offload_null_test(b, (NullTest *) node);
		case T_BooleanTest:
			return offload_boolean_test(b, (BooleanTest *) node);
		case T_CaseTestExpr:
			if (b->case_reg == PROGRAM_NO_REG)
				return refuse_node(b, node);
			return b->case_reg;
		case T_ScalarArrayOpExpr:
			return gpuscan_offload_array_op(b, (ScalarArrayOpExpr *) node);
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CoalesceExpr:
		case T_NullIfExpr:
		case T_DistinctExpr:
		case T_MinMaxExpr:
			return gpuscan_offload_branches(b, node);
		default:
			return refuse_node(b, node);
	}
}
