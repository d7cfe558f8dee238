/*-------------------------------------------------------------------------
 *
 * safety.c
 *	  What can raise an error, and what can not.
 *
 * Two questions need the answer.  May a device qual be asked before a host
 * qual that PostgreSQL would ask first?  Only if neither can raise an error
 * for a row that the other turns down.  May an expression without Vars be
 * computed once, before the first row?  Only if it cannot raise an error that
 * PostgreSQL, which computes it when a row gets there, would never see.
 *
 * A function cannot fail if it is leakproof (which promises that it raises no
 * error that depends on its arguments), or stands in ops.def with a body that
 * never fails, or is in the short list below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "optimizer/optimizer.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

bool
gpuscan_function_cannot_fail(Oid funcid)
{
	ProgramOp	op;

	switch (funcid)
	{
		case F_NOW:
		case F_STATEMENT_TIMESTAMP:
		case F_TRANSACTION_TIMESTAMP:
		case F_DATE_TIMESTAMP:
		case F_TEXT_BPCHAR:
		case F_TEXT_NAME:
		case F_VARCHAR_NAME:
			return true;
		default:
			break;
	}
	op = gpuscan_op_of_function(funcid);
	if (op != PROGRAM_OPS && !gpuscan_op_info[op].may_fail)
		return true;
	/* date with timestamp: fails in our registers, but not in PostgreSQL */
	return get_func_leakproof(funcid) && func_volatile(funcid) != PROVOLATILE_VOLATILE;
}

static bool
function_can_fail(Oid funcid, void *context)
{
	return !gpuscan_function_cannot_fail(funcid);
}

/*
 * LIKE with a constant pattern: the errors of like_match.c are a pattern that
 * ends in its escape character, and a collation that is not deterministic.
 */
static bool
is_harmless_like(const OpExpr *op)
{
	const Const *pattern;
	char	   *bytes;

	switch (op->opfuncid)
	{
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_BPCHARLIKE:
		case F_BPCHARNLIKE:
		case F_NAMELIKE:
		case F_NAMENLIKE:
			break;
		default:
			return false;
	}
	if (!OidIsValid(op->inputcollid) || !get_collation_isdeterministic(op->inputcollid))
		return false;
	pattern = (const Const *) lsecond(op->args);
	if (!IsA(pattern, Const) || pattern->consttype != TEXTOID)
		return false;
	if (pattern->constisnull)
		return true;
	bytes = TextDatumGetCString(pattern->constvalue);
	return strchr(bytes, '\\') == NULL;
}

/*
 * A regular expression that is a constant, and one: regexp.c raises errors for
 * nothing else but a collation that is not deterministic, and want of memory.
 */
static bool
is_harmless_regex(const OpExpr *op)
{
	const Const *pattern;
	int			flags = REG_ADVANCED | REG_NOSUB;
	text	   *bytes;
	pg_wchar   *chars;
	regex_t		regex;
	bool		compiles;

	switch (op->opfuncid)
	{
		case F_TEXTICREGEXEQ:
		case F_TEXTICREGEXNE:
		case F_BPCHARICREGEXEQ:
		case F_BPCHARICREGEXNE:
			flags |= REG_ICASE;
			break;
		case F_TEXTREGEXEQ:
		case F_TEXTREGEXNE:
		case F_BPCHARREGEXEQ:
		case F_BPCHARREGEXNE:
			break;
		default:
			return false;
	}
	if (!OidIsValid(op->inputcollid) || !get_collation_isdeterministic(op->inputcollid))
		return false;
	pattern = (const Const *) lsecond(op->args);
	if (!IsA(pattern, Const) || pattern->consttype != TEXTOID)
		return false;
	if (pattern->constisnull)
		return true;
	bytes = DatumGetTextPP(pattern->constvalue);
	chars = palloc_array(pg_wchar, VARSIZE_ANY_EXHDR(bytes) + 1);
	compiles = pg_regcomp(&regex, chars, pg_mb2wchar_with_len(VARDATA_ANY(bytes), chars, VARSIZE_ANY_EXHDR(bytes)),
						  flags, op->inputcollid) == REG_OKAY;
	if (compiles)
		pg_regfree(&regex);
	pfree(chars);
	return compiles;
}

/* true: something in it can raise an error (or we do not know) */
static bool
can_fail_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_CaseTestExpr:
		case T_SQLValueFunction:
			return false;
		case T_Param:
			/* PARAM_EXEC may be a subquery that runs when it is first asked for */
			return ((Param *) node)->paramkind != PARAM_EXTERN;
		case T_OpExpr:
			set_opfuncid((OpExpr *) node);
			if (is_harmless_like((OpExpr *) node) || is_harmless_regex((OpExpr *) node))
				return can_fail_walker(linitial(((OpExpr *) node)->args), context);
			/* FALLTHROUGH */
		case T_FuncExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, function_can_fail, context))
				return true;
			break;
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_CaseExpr:
		case T_CoalesceExpr:
		case T_ArrayExpr:
		case T_List:
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, can_fail_walker, context);
}

bool
gpuscan_offload_cannot_fail(Node *node)
{
	return !can_fail_walker(node, NULL);
}

typedef struct UniformContext
{
	bool		has_param;
	bool		has_datetime;	/* arithmetic that fails for odd arguments */
	double		days;			/* from 2000 on, at most, that its constants may lead */
} UniformContext;

/* Constants that lead no farther than this leave no calendar: 4714 BC is 2.45 million days off. */
#define SAFE_DAYS	2e6

/*
 * Date arithmetic fails only when it leaves the calendar, or is asked for a
 * field that there is not (which is looked at apart).  Over the current time and
 * constants that do not lead far it is safe.
 */
static bool
is_datetime_arithmetic(Oid funcid)
{
	switch (funcid)
	{
		case F_DATE_PLI:
		case F_DATE_MII:
		case F_DATE_MI:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_DATE_TIMESTAMPTZ:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMP_DATE:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_TIMESTAMP:
			return true;
		default:
			return false;
	}
}

/* extract, date_part and date_trunc: of a field that PostgreSQL would raise an error for */
static bool
has_unknown_field(const FuncExpr *func)
{
	switch (func->funcid)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_TIME:
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIME:
		case F_EXTRACT_TEXT_INTERVAL:
		case F_DATE_PART_TEXT_INTERVAL:
			return !gpuscan_offload_field_is_known(func->funcid, linitial(func->args));
		default:
			return false;
	}
}

static bool
function_is_not_uniform(Oid funcid, void *context)
{
	if (is_datetime_arithmetic(funcid))
	{
		((UniformContext *) context)->has_datetime = true;
		return false;
	}
	/* among the parameters it stands for something else (zone.c), leakproof or not */
	if (funcid == F_CURRENT_SETTING_TEXT)
		return true;
	return !gpuscan_function_cannot_fail(funcid);
}

/* How far, at most, a constant of date arithmetic leads. */
static double
days_of_constant(const Const *c)
{
	const Interval *span;

	if (c->constisnull)
		return 0;
	switch (c->consttype)
	{
		case INT4OID:
			return fabs((double) DatumGetInt32(c->constvalue));
		case DATEOID:
			return fabs((double) DatumGetDateADT(c->constvalue));
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return fabs((double) DatumGetTimestamp(c->constvalue)) / USECS_PER_DAY;
		case INTERVALOID:
			span = DatumGetIntervalP(c->constvalue);
			return fabs((double) span->month) * 31 + fabs((double) span->day) + fabs((double) span->time) / USECS_PER_DAY;
		default:
			return 0;
	}
}

static bool
not_uniform_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Const:
			((UniformContext *) context)->days += days_of_constant((Const *) node);
			return false;
		case T_SQLValueFunction:
			return false;
		case T_Param:
			((UniformContext *) context)->has_param = true;
			return false;
		case T_OpExpr:
			set_opfuncid((OpExpr *) node);
			/* FALLTHROUGH */
		case T_FuncExpr:
			if (check_functions_in_node(node, function_is_not_uniform, context) ||
				(IsA(node, FuncExpr) && has_unknown_field((FuncExpr *) node)))
				return true;
			break;
		case T_RelabelType:
		case T_List:
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, not_uniform_walker, context);
}

/*
 * Is this the same for all rows, and harmless to compute before the first one?
 */
bool
gpuscan_offload_is_uniform(Node *node)
{
	UniformContext context = {false, false, 0};

	return !not_uniform_walker(node, &context) &&
		!(context.has_datetime && (context.has_param || context.days > SAFE_DAYS));
}
