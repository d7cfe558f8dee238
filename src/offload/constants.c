/*-------------------------------------------------------------------------
 *
 * constants.c
 *	  Values that are the same for all rows: how they become parameters.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/tables.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define INT128_MAX_DIGITS "170141183460469231731687303715884105727"

/* Can a register hold this numeric?  Asked while planning, so ease before speed. */
static bool
numeric_fits(Datum value)
{
	Numeric		num = DatumGetNumeric(value);
	const char *text;
	char		digits[sizeof(INT128_MAX_DIGITS)];
	int			ndigits = 0;
	int			scale = 0;
	bool		after_point = false;

	if (numeric_is_nan(num) || numeric_is_inf(num))
		return false;
	for (text = DatumGetCString(DirectFunctionCall1(numeric_out, value)); *text != '\0'; text++)
	{
		if (*text == '.')
			after_point = true;
		else if (*text != '-')
		{
			scale += after_point;
			if (ndigits == 0 && *text == '0')
				continue;
			if (ndigits == sizeof(digits) - 1)
				return false;
			digits[ndigits++] = *text;
		}
	}
	digits[ndigits] = '\0';
	return scale <= NUMERIC_SCALE_MAX &&
		(ndigits < (int) sizeof(digits) - 1 || strcmp(digits, INT128_MAX_DIGITS) <= 0);
}

uint16
gpuscan_offload_const(Builder *b, Const *con)
{
	ProgramType type = gpuscan_type_of(con->consttype);

	if (type == PROGRAM_TYPES)
		return gpuscan_builder_refuse(b, "constant of type %s", format_type_be(con->consttype));
	if (type == TYPE_NUMERIC && !con->constisnull && !numeric_fits(con->constvalue))
		return gpuscan_builder_refuse(b, "numeric constant that is not finite or has more than 38 digits or %d decimals",
									  NUMERIC_SCALE_MAX);
	return gpuscan_builder_param(b, (Expr *) con, gpuscan_type_info[type].kind);
}

/* What gpuscan_offload_is_uniform accepted, or a Param. */
uint16
gpuscan_offload_uniform(Builder *b, Node *node)
{
	ProgramType type = gpuscan_type_of(exprType(node));

	if (IsA(node, Const))
		return gpuscan_offload_const(b, (Const *) node);
	if (type == PROGRAM_TYPES)
		return gpuscan_builder_refuse(b, "%s of type %s",
									  IsA(node, Param) ? "parameter" : "expression",
									  format_type_be(exprType(node)));
	return gpuscan_builder_param(b, (Expr *) node, gpuscan_type_info[type].kind);
}

/* A constant of a wider type, or NULL where that is for the engine to do. */
static Expr *
widen_uniform(Expr *expr)
{
	Oid			type = exprType((Node *) expr);

	if (IsA(expr, Const) && !((Const *) expr)->constisnull)
	{
		Const	   *con = (Const *) expr;
		int64		value;

		if (gpuscan_type_of(type) == TYPE_DATE)
		{
			DateADT		date = DatumGetDateADT(con->constvalue);

			/* the range of timestamp is checked by the operator */
			if (DATE_NOT_FINITE(date) || date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
				return NULL;
			return (Expr *) makeConst(TIMESTAMPOID, -1, InvalidOid, 8,
									  TimestampGetDatum((Timestamp) date * USECS_PER_DAY),
									  false, FLOAT8PASSBYVAL);
		}
		value = gpuscan_type_of(type) == TYPE_INT2 ?
			DatumGetInt16(con->constvalue) : DatumGetInt32(con->constvalue);
		return (Expr *) makeConst(INT8OID, -1, InvalidOid, 8, Int64GetDatum(value),
								  false, FLOAT8PASSBYVAL);
	}
	if (gpuscan_type_of(type) == TYPE_INT2 || gpuscan_type_of(type) == TYPE_INT4)
		return (Expr *) makeFuncExpr(gpuscan_type_of(type) == TYPE_INT2 ? F_INT8_INT2 : F_INT8_INT4,
									 INT8OID, list_make1(expr), InvalidOid, InvalidOid,
									 COERCE_IMPLICIT_CAST);
	return NULL;
}

/*
 * An operator wants 'kind'; the argument, of SQL type 'type', may lie in a
 * narrower register.
 */
uint16
gpuscan_offload_widen(Builder *b, uint16 reg, Oid type, ValueKind kind)
{
	Expr	   *uniform;

	if (b->refusal != NULL || gpuscan_builder_kind(b, reg) == kind)
		return reg;
	if (kind != VALUE_INT64 || gpuscan_builder_kind(b, reg) != VALUE_INT32)
		return gpuscan_builder_refuse(b, "argument of type %s", format_type_be(type));

	uniform = gpuscan_builder_uniform(b, reg);
	if (uniform != NULL && (uniform = widen_uniform(uniform)) != NULL)
		return gpuscan_builder_param(b, uniform, kind);
	return gpuscan_builder_emit(b, gpuscan_type_of(type) == TYPE_DATE ?
								OP_DATE_TO_TIMESTAMP : OP_INT32_TO_INT64,
								reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
}

/*
 * date compared with a constant timestamp, as in "<= date '1998-12-01' -
 * interval '90 days'": the same as comparing it with a constant date, in half
 * the width and without a conversion per row.  Returns the date, with the
 * function to call as *date_func (date on the left), or NULL.
 */
Node *
gpuscan_offload_date_comparison(Oid funcid, Node *left, Node *right, Oid *date_func)
{
	static const struct
	{
		Oid			date_left;
		Oid			date_right;
		Oid			exact;		/* the constant is at midnight */
		Oid			floored;	/* ... or is taken down to it */
	}			comparisons[] = {
		{F_DATE_LT_TIMESTAMP, F_TIMESTAMP_GT_DATE, F_DATE_LT, F_DATE_LE},
		{F_DATE_LE_TIMESTAMP, F_TIMESTAMP_GE_DATE, F_DATE_LE, F_DATE_LE},
		{F_DATE_GT_TIMESTAMP, F_TIMESTAMP_LT_DATE, F_DATE_GT, F_DATE_GT},
		{F_DATE_GE_TIMESTAMP, F_TIMESTAMP_LE_DATE, F_DATE_GE, F_DATE_GT},
		{F_DATE_EQ_TIMESTAMP, F_TIMESTAMP_EQ_DATE, F_DATE_EQ, InvalidOid},
		{F_DATE_NE_TIMESTAMP, F_TIMESTAMP_NE_DATE, F_DATE_NE, InvalidOid},
	};

	for (int i = 0; i < (int) lengthof(comparisons); i++)
	{
		Const	   *con;
		Timestamp	timestamp;
		int64		days;

		if (funcid == comparisons[i].date_left)
			con = (Const *) right;
		else if (funcid == comparisons[i].date_right)
			con = (Const *) left;
		else
			continue;
		if (!IsA(con, Const) || con->constisnull)
			return NULL;
		timestamp = DatumGetTimestamp(con->constvalue);
		if (TIMESTAMP_NOT_FINITE(timestamp))
			return NULL;
		days = timestamp / USECS_PER_DAY;
		if (timestamp % USECS_PER_DAY < 0)
			days--;
		*date_func = timestamp % USECS_PER_DAY == 0 ?
			comparisons[i].exact : comparisons[i].floored;
		if (!OidIsValid(*date_func))
			return NULL;
		return (Node *) makeConst(DATEOID, -1, InvalidOid, 4, DateADTGetDatum((DateADT) days),
								  false, true);
	}
	return NULL;
}
