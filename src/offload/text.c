/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Functions of texts that become several steps, and casts by way of text.
 *
 * ILIKE is LIKE of both sides in lower case (like.c Generic_Text_IC_like).
 * concat and concat_ws call the output function of each argument and leave
 * NULLs out (varlena.c concat_internal).  A cast that has no function of its
 * own is an output function and an input function (CoerceViaIO); those of
 * text types change nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#define EMIT1(b, op, x)			gpuscan_builder_emit(b, op, x, PROGRAM_NO_REG, PROGRAM_NO_REG)
#define EMIT2(b, op, x, y)		gpuscan_builder_emit(b, op, x, y, PROGRAM_NO_REG)

static uint16
text_constant(Builder *b, const char *value)
{
	return gpuscan_offload_const(b, makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
											  value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL, false));
}

static bool
is_text_type(Oid type)
{
	const ProgramType found = gpuscan_type_of(type);

	return found == TYPE_TEXT || found == TYPE_VARCHAR;
}

/* ------------------------------------------------------------------------
 * ILIKE
 * ------------------------------------------------------------------------
 */

uint16
gpuscan_offload_lower(Builder *b, Node *node, uint16 reg, Oid collation)
{
	const Oid	type = TEXTOID;

	/* what is the same for all rows is the server's to map, whatever its letters */
	if (node != NULL && gpuscan_builder_uniform(b, reg) != NULL)
	{
		FuncExpr   *call = makeFuncExpr(F_LOWER_TEXT, TEXTOID, list_make1(node), collation, collation, COERCE_EXPLICIT_CALL);

		if (IsA(node, Const) && !((Const *) node)->constisnull)
			return gpuscan_offload_const(b, makeConst(TEXTOID, -1, collation, -1,
													  OidFunctionCall1Coll(F_LOWER_TEXT, collation, ((Const *) node)->constvalue),
													  false, false));
		return gpuscan_builder_param(b, (Expr *) call, VALUE_TEXT);
	}
	return gpuscan_offload_call(b, F_LOWER_TEXT, collation, 1, &reg, &type);
}

/* Of ILIKE, with its negation and for all types of strings: the LIKE of both sides in lower case; else InvalidOid */
Oid
gpuscan_offload_like_of(Oid ilike)
{
	switch (ilike)
	{
		case F_TEXTICLIKE:
		case F_BPCHARICLIKE:
		case F_NAMEICLIKE:
			return F_TEXTLIKE;
		case F_TEXTICNLIKE:
		case F_BPCHARICNLIKE:
		case F_NAMEICNLIKE:
			return F_TEXTNLIKE;
		default:
			return InvalidOid;
	}
}

static uint16
offload_ilike(Builder *b, Oid funcid, Oid collation, List *args)
{
	Node	   *string = linitial(args);
	Node	   *pattern = lsecond(args);
	const Oid	types[2] = {TEXTOID, TEXTOID};
	uint16		regs[2];

	regs[0] = gpuscan_wants_stored_bpchar(funcid) ? gpuscan_offload_stored_bpchar(b, string) : gpuscan_offload_expr(b, string);
	regs[1] = gpuscan_offload_expr(b, pattern);
	/* asked before lower() is: without such a collation ILIKE is an error */
	if (b->refusal != NULL || !gpuscan_offload_holds(b, CONDITION_DETERMINISTIC, collation))
		return PROGRAM_NO_REG;
	regs[0] = gpuscan_offload_lower(b, NULL, regs[0], collation);
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	regs[1] = gpuscan_offload_lower(b, pattern, regs[1], collation);
	return gpuscan_offload_call(b, gpuscan_offload_like_of(funcid), collation, 2, regs, types);
}

/* ------------------------------------------------------------------------
 * Output and input functions
 * ------------------------------------------------------------------------
 */

/* The setting DateStyle: read when execution starts, as it may change under a plan that is kept */
static Expr *
date_style(void)
{
	Const	   *name = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum("DateStyle"), false, false);

	return (Expr *) makeFuncExpr(F_CURRENT_SETTING_TEXT, TEXTOID, list_make1(name), DEFAULT_COLLATION_OID,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* An expression as its type's output function shows it */
static uint16
output_of(Builder *b, Node *node)
{
	Oid			type = exprType(node);
	Oid			output;
	bool		is_varlena;
	uint16		reg;

	if (is_text_type(type))
		return gpuscan_offload_expr(b, node);
	/* a string that nothing gave a type lies as a C string */
	if (type == UNKNOWNOID && IsA(node, Const))
		return text_constant(b, ((Const *) node)->constisnull ? NULL : DatumGetCString(((Const *) node)->constvalue));
	if (gpuscan_type_of(type) == TYPE_BPCHAR)
		return gpuscan_offload_stored_bpchar(b, node);
	getTypeOutputInfo(type, &output, &is_varlena);
	if (gpuscan_op_of_function(output) == PROGRAM_OPS)
		return gpuscan_builder_refuse(b, "%s as text", format_type_be(type));
	reg = gpuscan_offload_expr(b, node);
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	if (output == F_DATE_OUT)
		return EMIT2(b, OP_DATE_OUT, reg, gpuscan_builder_param(b, date_style(), VALUE_TEXT));
	if (output == F_TIMESTAMP_OUT)
		return EMIT2(b, OP_TIMESTAMP_OUT, reg, gpuscan_builder_param(b, date_style(), VALUE_TEXT));
	if (output == F_TIMESTAMPTZ_OUT)
		return gpuscan_builder_emit(b, OP_TIMESTAMPTZ_OUT, gpuscan_offload_local_time(b, reg), reg,
									gpuscan_builder_param(b, date_style(), VALUE_TEXT));
	return gpuscan_offload_call(b, output, InvalidOid, 1, &reg, &type);
}

uint16
gpuscan_offload_coerce_via_io(Builder *b, CoerceViaIO *coerce)
{
	Node	   *arg = (Node *) coerce->arg;
	const Oid	source = exprType(arg);
	const Oid	target = coerce->resulttype;
	const Oid	text = TEXTOID;
	Oid			output;
	Oid			input;
	Oid			ioparam;
	bool		is_varlena;
	uint16		reg;

	getTypeOutputInfo(source, &output, &is_varlena);
	getTypeInputInfo(target, &input, &ioparam);
	/* a domain has checks of its own (domain_in) */
	if ((!is_text_type(target) && gpuscan_op_of_function(input) == PROGRAM_OPS) || getBaseType(target) != target ||
		(!is_text_type(source) && gpuscan_type_of(source) != TYPE_BPCHAR && gpuscan_op_of_function(output) == PROGRAM_OPS))
		return gpuscan_builder_refuse(b, "cast from %s to %s", format_type_be(source), format_type_be(target));

	/* blanks behind a number mean nothing */
	reg = gpuscan_type_of(source) == TYPE_BPCHAR && !is_text_type(target) ? gpuscan_offload_expr(b, arg) : output_of(b, arg);
	if (b->refusal != NULL || is_text_type(target))
		return reg;
	return gpuscan_offload_call(b, input, InvalidOid, 1, &reg, &text);
}

/* ------------------------------------------------------------------------
 * concat, concat_ws
 * ------------------------------------------------------------------------
 */

static uint16
without_null(Builder *b, uint16 reg)
{
	const uint16 empty = text_constant(b, "");

	return gpuscan_builder_emit(b, OP_SELECT, EMIT1(b, OP_IS_NULL, reg), empty, reg);
}

static uint16
offload_concat(Builder *b, List *args)
{
	uint16		result = PROGRAM_NO_REG;
	ListCell   *lc;

	foreach(lc, args)
	{
		const uint16 next = output_of(b, lfirst(lc));

		if (b->refusal != NULL)
			return PROGRAM_NO_REG;
		result = foreach_current_index(lc) == 0 ? without_null(b, next) :
			EMIT2(b, OP_TEXT_CAT, result, without_null(b, next));
	}
	return result;
}

/*
 * What there is so far (NULL: nothing yet), the separator, the next one: the
 * separator stands between two that are there.
 */
static uint16
offload_concat_ws(Builder *b, List *args)
{
	const uint16 separator = gpuscan_offload_expr(b, linitial(args));
	uint16		result = PROGRAM_NO_REG;

	for (int i = 1; i < list_length(args); i++)
	{
		const uint16 next = output_of(b, list_nth(args, i));
		uint16		joined;

		if (b->refusal != NULL)
			return PROGRAM_NO_REG;
		if (i == 1)
		{
			result = next;
			continue;
		}
		joined = gpuscan_builder_emit(b, OP_TEXT_JOIN, result, separator, next);
		joined = gpuscan_builder_emit(b, OP_SELECT, EMIT1(b, OP_IS_NULL, result), next, joined);
		result = gpuscan_builder_emit(b, OP_SELECT, EMIT1(b, OP_IS_NULL, next), result, joined);
	}
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	return gpuscan_builder_emit(b, OP_SELECT, EMIT1(b, OP_IS_NULL, separator), text_constant(b, NULL), without_null(b, result));
}

/* ------------------------------------------------------------------------ */

/*
 * varchar(n) and char(n): of what a text is relabelled as.  Its trailing blanks
 * are lost to a char(n), as they are to all of its type.
 */
static uint16
offload_length_coercion(Builder *b, Oid funcid, List *args)
{
	Node	   *arg = linitial(args);
	const Oid	types[3] = {TEXTOID, INT4OID, BOOLOID};
	uint16		regs[3];

	if (IsA(arg, RelabelType) && is_text_type(exprType((Node *) ((RelabelType *) arg)->arg)))
		arg = (Node *) ((RelabelType *) arg)->arg;
	regs[0] = gpuscan_offload_expr(b, arg);
	regs[1] = gpuscan_offload_expr(b, lsecond(args));
	regs[2] = gpuscan_offload_expr(b, lthird(args));
	return gpuscan_offload_call(b, funcid, InvalidOid, 3, regs, types);
}

bool
gpuscan_offload_text(Builder *b, Oid funcid, Oid collation, List *args, uint16 *reg)
{
	if (OidIsValid(gpuscan_offload_like_of(funcid)))
	{
		*reg = offload_ilike(b, funcid, collation, args);
		return true;
	}
	switch (funcid)
	{
		case F_CONCAT:
			*reg = offload_concat(b, args);
			return true;
		case F_CONCAT_WS:
			*reg = offload_concat_ws(b, args);
			return true;
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
			*reg = gpuscan_offload_to_char(b, funcid, linitial(args), lsecond(args));
			return true;
		case F_BPCHAR_BPCHAR_INT4_BOOL:
		case F_VARCHAR_VARCHAR_INT4_BOOL:
			*reg = offload_length_coercion(b, funcid, args);
			return true;
		default:
			return false;
	}
}
