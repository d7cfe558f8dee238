/*-------------------------------------------------------------------------
 *
 * datetime.c
 *	  extract, date_part, date_trunc, date_bin, dates, timestamps and times plus or minus an
 *	  interval, and casts from one time zone to another.
 *
 * A field's name and an interval have no form in a register.  As constants
 * they become numbers: the field that a body knows (program/datetime.h), the
 * months and microseconds to add.  What is not constant, and a field that
 * PostgreSQL would raise an error for, stays with PostgreSQL.
 *
 * Timestamps with time zone are taken to local time, and back, by a table of the
 * session's zone (zone.c), whose parameter is evaluated as any other is: an
 * execution has the zone that is set when it starts.
 *
 * An interval is added in the order of timestamp_pl_interval (timestamp.c):
 * months, days, microseconds.  What lies between must be a timestamp too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "compat.h"
#include "datatype/timestamp.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "offload/expr.h"
#include "offload/zone.h"
#include "parser/scansup.h"
#include "program/datetime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"

/* More than that leads out of the calendar from anywhere, or nearly so. */
#define MOST_MONTHS		(12 * 300000)
#define MOST_DAYS		100000000

/* What a name of a field stands for */
typedef struct FieldMeaning
{
	DatetimeField field;
	int			scale;			/* of extract's numeric: its value is field * 10^-scale */
} FieldMeaning;

/* Whose fields? */
typedef enum FieldsOf
{
	OF_DATE = 0x01,
	OF_TIMESTAMP = 0x02,
	OF_TIME = 0x04,
	OF_INTERVAL = 0x08,
	OF_TIMESTAMPTZ = 0x10		/* what other timestamps have not */
} FieldsOf;

/* Of extract; false where PostgreSQL has an error, or more digits than an integer. */
static bool
extract_meaning(int type, int unit, int of, FieldMeaning *meaning)
{
	static const struct
	{
		int			unit;
		FieldMeaning meaning;
		int			of;			/* FieldsOf that have it, joined by | */
	}			units[] = {
		{DTK_MICROSEC, {FIELD_MICROSECONDS, 0}, OF_TIMESTAMP | OF_TIME | OF_INTERVAL},
		{DTK_MILLISEC, {FIELD_MICROSECONDS, 3}, OF_TIMESTAMP | OF_TIME | OF_INTERVAL},
		{DTK_SECOND, {FIELD_MICROSECONDS, 6}, OF_TIMESTAMP | OF_TIME | OF_INTERVAL},
		{DTK_MINUTE, {FIELD_MINUTE, 0}, OF_TIMESTAMP | OF_TIME | OF_INTERVAL},
		{DTK_HOUR, {FIELD_HOUR, 0}, OF_TIMESTAMP | OF_TIME | OF_INTERVAL},
		{DTK_DAY, {FIELD_DAY, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_WEEK, {FIELD_WEEK, 0}, OF_DATE | OF_TIMESTAMP},
		{DTK_MONTH, {FIELD_MONTH, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_QUARTER, {FIELD_QUARTER, 0}, OF_DATE | OF_TIMESTAMP},
		{DTK_YEAR, {FIELD_YEAR, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_DECADE, {FIELD_DECADE, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_CENTURY, {FIELD_CENTURY, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_MILLENNIUM, {FIELD_MILLENNIUM, 0}, OF_DATE | OF_TIMESTAMP | OF_INTERVAL},
		{DTK_ISOYEAR, {FIELD_ISOYEAR, 0}, OF_DATE | OF_TIMESTAMP},
		{DTK_DOW, {FIELD_DOW, 0}, OF_DATE | OF_TIMESTAMP},
		{DTK_ISODOW, {FIELD_ISODOW, 0}, OF_DATE | OF_TIMESTAMP},
		{DTK_DOY, {FIELD_DOY, 0}, OF_DATE | OF_TIMESTAMP},
		/* of a timestamp with time zone alone; seconds */
		{DTK_TZ, {FIELD_TIMEZONE, 0}, OF_TIMESTAMPTZ},
		{DTK_TZ_HOUR, {FIELD_TIMEZONE_HOUR, 0}, OF_TIMESTAMPTZ},
		{DTK_TZ_MINUTE, {FIELD_TIMEZONE_MINUTE, 0}, OF_TIMESTAMPTZ},
		/* of a timestamp it has a fraction, which is a quotient */
		{DTK_JULIAN, {FIELD_JULIAN, 0}, OF_DATE},
	};

	if (type == RESERV && unit == DTK_EPOCH)
	{
		meaning->field = FIELD_EPOCH;
		meaning->scale = of == OF_DATE ? 0 : 6;
		return true;
	}
	for (int i = 0; type == UNITS && i < (int) lengthof(units); i++)
		if (units[i].unit == unit)
		{
			*meaning = units[i].meaning;
			return (units[i].of & of) != 0;
		}
	return false;
}

/* Of date_trunc */
static bool
trunc_meaning(int type, int unit, FieldMeaning *meaning)
{
	static const struct
	{
		int			unit;
		DatetimeField field;
	}			units[] = {
		{DTK_MICROSEC, FIELD_MICROSECONDS},
		{DTK_MILLISEC, FIELD_MILLISECOND},
		{DTK_SECOND, FIELD_SECOND},
		{DTK_MINUTE, FIELD_MINUTE},
		{DTK_HOUR, FIELD_HOUR},
		{DTK_DAY, FIELD_DAY},
		{DTK_WEEK, FIELD_WEEK},
		{DTK_MONTH, FIELD_MONTH},
		{DTK_QUARTER, FIELD_QUARTER},
		{DTK_YEAR, FIELD_YEAR},
		{DTK_DECADE, FIELD_DECADE},
		{DTK_CENTURY, FIELD_CENTURY},
		{DTK_MILLENNIUM, FIELD_MILLENNIUM},
	};

	meaning->scale = 0;
	for (int i = 0; type == UNITS && i < (int) lengthof(units); i++)
		if (units[i].unit == unit)
		{
			meaning->field = units[i].field;
			return true;
		}
	return false;
}

static int
fields_of(Oid funcid)
{
	switch (funcid)
	{
		case F_EXTRACT_TEXT_DATE:
			return OF_DATE;
		case F_EXTRACT_TEXT_TIME:
		case F_DATE_PART_TEXT_TIME:
			return OF_TIME;
		case F_EXTRACT_TEXT_INTERVAL:
		case F_DATE_PART_TEXT_INTERVAL:
			return OF_INTERVAL;
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
			return OF_TIMESTAMP | OF_TIMESTAMPTZ;
		default:
			return OF_TIMESTAMP;
	}
}

/* The name as timestamp_part_common and timestamp_trunc read it */
static bool
field_meaning(Oid funcid, const Const *name, FieldMeaning *meaning)
{
	text	   *units = DatumGetTextPP(name->constvalue);
	char	   *lowunits = downcase_truncate_identifier(VARDATA_ANY(units), VARSIZE_ANY_EXHDR(units), false);
	int			value;
	int			type = DecodeUnits(0, lowunits, &value);

	if (funcid == F_DATE_TRUNC_TEXT_TIMESTAMP || funcid == F_DATE_TRUNC_TEXT_TIMESTAMPTZ ||
		funcid == F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT)
		return trunc_meaning(type, value, meaning);
	if (type == UNKNOWN_FIELD)
		type = DecodeSpecial(0, lowunits, &value);
	return extract_meaning(type, value, fields_of(funcid), meaning);
}

static bool
is_constant(Node *node)
{
	return IsA(node, Const) && !((Const *) node)->constisnull;
}

bool
gpuscan_offload_field_is_known(Oid funcid, Node *field)
{
	FieldMeaning meaning;

	return is_constant(field) && field_meaning(funcid, (Const *) field, &meaning);
}

const char *
gpuscan_offload_field_name(int64 field)
{
	static const char *const names[DATETIME_FIELDS] = {
		[FIELD_MICROSECONDS] = "microseconds",
		[FIELD_MINUTE] = "minute",
		[FIELD_HOUR] = "hour",
		[FIELD_DAY] = "day",
		[FIELD_WEEK] = "week",
		[FIELD_MONTH] = "month",
		[FIELD_QUARTER] = "quarter",
		[FIELD_YEAR] = "year",
		[FIELD_DECADE] = "decade",
		[FIELD_CENTURY] = "century",
		[FIELD_MILLENNIUM] = "millennium",
		[FIELD_ISOYEAR] = "isoyear",
		[FIELD_DOW] = "dow",
		[FIELD_ISODOW] = "isodow",
		[FIELD_DOY] = "doy",
		[FIELD_JULIAN] = "julian",
		[FIELD_EPOCH] = "epoch",
		[FIELD_MILLISECOND] = "milliseconds",
		[FIELD_SECOND] = "second",
		[FIELD_TIMEZONE] = "timezone",
		[FIELD_TIMEZONE_HOUR] = "timezone_hour",
		[FIELD_TIMEZONE_MINUTE] = "timezone_minute",
	};

	return field >= 0 && field < DATETIME_FIELDS ? names[field] : NULL;
}

static uint16
int4_param(Builder *b, int32 value)
{
	return gpuscan_builder_param(b, (Expr *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
													   Int32GetDatum(value), false, true), VALUE_INT32);
}

static uint16
int8_param(Builder *b, int64 value)
{
	return gpuscan_builder_param(b, (Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
													   Int64GetDatum(value), false, FLOAT8PASSBYVAL), VALUE_INT64);
}

static uint16
session_zone(Builder *b)
{
	return gpuscan_builder_param(b, gpuscan_offload_zone(), VALUE_TEXT);
}

/* A zone that an argument names, which has to be a constant */
static uint16
named_zone(Builder *b, Node *name)
{
	if (!is_constant(name))
		return gpuscan_builder_refuse(b, "time zone that is not constant");
	if (!gpuscan_offload_knows_zone((Const *) name))
		return gpuscan_builder_refuse(b, "time zone %s", quote_literal_cstr(TextDatumGetCString(((Const *) name)->constvalue)));
	return gpuscan_builder_param(b, gpuscan_offload_named_zone((Const *) name), VALUE_TEXT);
}

static uint16
to_local(Builder *b, uint16 zone, uint16 reg)
{
	return gpuscan_builder_emit(b, OP_ZONE_TO_LOCAL, zone, reg, PROGRAM_NO_REG);
}

static uint16
from_local(Builder *b, uint16 zone, uint16 reg)
{
	return gpuscan_builder_emit(b, OP_ZONE_FROM_LOCAL, zone, reg, PROGRAM_NO_REG);
}

uint16
gpuscan_offload_local_time(Builder *b, uint16 reg)
{
	return to_local(b, session_zone(b), reg);
}

uint16
gpuscan_offload_zoned(Builder *b, uint16 reg, Oid type)
{
	reg = gpuscan_offload_widen(b, reg, type, VALUE_INT64);
	return b->refusal != NULL ? PROGRAM_NO_REG : from_local(b, session_zone(b), reg);
}

/* AT TIME ZONE: timestamptz_zone gives the local time of a zone, timestamp_zone takes one */
static uint16
offload_at_zone(Builder *b, Oid funcid, Node *name, Node *arg)
{
	const uint16 zone = named_zone(b, name);
	const uint16 reg = b->refusal != NULL ? PROGRAM_NO_REG : gpuscan_offload_expr(b, arg);

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	return funcid == F_TIMEZONE_TEXT_TIMESTAMPTZ ? to_local(b, zone, reg) : from_local(b, zone, reg);
}

/* timestamptz_trunc_internal: the offset is found anew from days on, else it is that of the time */
static uint16
offload_trunc_zoned(Builder *b, uint16 zone, DatetimeField field, uint16 reg)
{
	uint16		local = to_local(b, zone, reg);
	uint16		start = gpuscan_builder_emit(b, OP_TIMESTAMP_TRUNC, int8_param(b, field), local, PROGRAM_NO_REG);

	if (FIELD_IS_OF_DAY(field))
		return from_local(b, zone, start);
	return gpuscan_builder_emit(b, OP_ADD_INT64, reg,
								gpuscan_builder_emit(b, OP_SUB_INT64, start, local, PROGRAM_NO_REG), PROGRAM_NO_REG);
}

/* extract gives a numeric, date_part a double */
static bool
is_date_part(Oid funcid)
{
	return funcid == F_DATE_PART_TEXT_TIMESTAMP || funcid == F_DATE_PART_TEXT_TIMESTAMPTZ || funcid == F_DATE_PART_TEXT_TIME ||
		funcid == F_DATE_PART_TEXT_INTERVAL;
}

static uint16
date_part_of(Builder *b, const FieldMeaning *meaning, uint16 reg)
{
	ProgramOp	op = OP_INT64_TO_FLOAT64;

	if (meaning->scale > 0)
		op = meaning->field == FIELD_EPOCH ? OP_EPOCH_SECONDS :
			meaning->scale == 3 ? OP_FIELD_MILLISECONDS : OP_FIELD_SECONDS;
	return gpuscan_builder_emit(b, op, reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
}

/* Seconds that the session's zone is ahead of UTC, or the hours or minutes of them, as C divides */
static uint16
offload_zone_field(Builder *b, DatetimeField field, uint16 reg)
{
	/* not the difference of the timestamps: of infinite ones there is no field */
	const uint16 epoch = int8_param(b, FIELD_EPOCH);
	const uint16 local = gpuscan_builder_emit(b, OP_TIMESTAMP_FIELD, epoch, gpuscan_offload_local_time(b, reg), PROGRAM_NO_REG);
	const uint16 utc = gpuscan_builder_emit(b, OP_TIMESTAMP_FIELD, epoch, reg, PROGRAM_NO_REG);
	uint16		offset = gpuscan_builder_emit(b, OP_SUB_INT64, local, utc, PROGRAM_NO_REG);

	offset = gpuscan_builder_emit(b, OP_DIV_INT64, offset, int8_param(b, USECS_PER_SEC), PROGRAM_NO_REG);
	if (field == FIELD_TIMEZONE_HOUR)
		return gpuscan_builder_emit(b, OP_DIV_INT64, offset, int8_param(b, SECS_PER_HOUR), PROGRAM_NO_REG);
	if (field == FIELD_TIMEZONE)
		return offset;
	offset = gpuscan_builder_emit(b, OP_MOD_INT64, offset, int8_param(b, SECS_PER_HOUR), PROGRAM_NO_REG);
	return gpuscan_builder_emit(b, OP_DIV_INT64, offset, int8_param(b, SECS_PER_MINUTE), PROGRAM_NO_REG);
}

/* timestamp_age; timestamptz_age, of local times */
static uint16
offload_age(Builder *b, Node *left, Node *right, bool zoned)
{
	uint16		later = gpuscan_offload_expr(b, left);
	uint16		earlier = gpuscan_offload_expr(b, right);
	uint16		less;

	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	less = gpuscan_builder_emit(b, OP_LT_INT64, later, earlier, PROGRAM_NO_REG);
	if (zoned)
	{
		later = gpuscan_offload_local_time(b, later);
		earlier = gpuscan_offload_local_time(b, earlier);
	}
	return gpuscan_builder_emit(b, OP_AGE, later, earlier, less);
}

/* extract, date_part and date_trunc, which may name a zone (else NULL) */
static uint16
offload_field(Builder *b, Oid funcid, Node *name, Node *arg, Node *zone_name)
{
	FieldMeaning meaning;
	uint16		zone = PROGRAM_NO_REG;
	uint16		reg;

	if (!is_constant(name))
		return gpuscan_builder_refuse(b, "function %s of a field that is not constant", format_procedure(funcid));
	if (!field_meaning(funcid, (Const *) name, &meaning))
		return gpuscan_builder_refuse(b, "function %s of %s", format_procedure(funcid),
									  quote_literal_cstr(TextDatumGetCString(((Const *) name)->constvalue)));
	if (zone_name != NULL)
		zone = named_zone(b, zone_name);
	if (b->refusal == NULL)
		reg = gpuscan_offload_expr(b, arg);
	if (b->refusal != NULL)
		return PROGRAM_NO_REG;
	switch (funcid)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
			return gpuscan_builder_emit(b, OP_TIMESTAMP_TRUNC, int8_param(b, meaning.field), reg, PROGRAM_NO_REG);
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
			return offload_trunc_zoned(b, session_zone(b), meaning.field, reg);
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			return offload_trunc_zoned(b, zone, meaning.field, reg);
		case F_EXTRACT_TEXT_DATE:
			reg = gpuscan_builder_emit(b, OP_DATE_FIELD, int4_param(b, meaning.field), reg, PROGRAM_NO_REG);
			break;
		case F_EXTRACT_TEXT_TIME:
		case F_DATE_PART_TEXT_TIME:
			reg = gpuscan_builder_emit(b, OP_TIME_FIELD, int8_param(b, meaning.field), reg, PROGRAM_NO_REG);
			break;
		case F_DATE_PART_TEXT_INTERVAL:
			if (meaning.field == FIELD_EPOCH)
				return gpuscan_builder_emit(b, OP_INTERVAL_SECONDS, reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
			/* FALLTHROUGH */
		case F_EXTRACT_TEXT_INTERVAL:
			reg = gpuscan_builder_emit(b, OP_INTERVAL_FIELD, reg, int8_param(b, meaning.field), PROGRAM_NO_REG);
			break;
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
			if (meaning.field >= FIELD_TIMEZONE)
			{
				reg = offload_zone_field(b, meaning.field, reg);
				break;
			}
			if (meaning.field != FIELD_EPOCH)
				reg = gpuscan_offload_local_time(b, reg);
			/* FALLTHROUGH */
		default:
			reg = gpuscan_builder_emit(b, OP_TIMESTAMP_FIELD, int8_param(b, meaning.field), reg, PROGRAM_NO_REG);
			break;
	}
	if (is_date_part(funcid))
		return date_part_of(b, &meaning, reg);
	return meaning.scale == 0 ?
		gpuscan_builder_emit(b, OP_INT64_TO_NUMERIC, reg, PROGRAM_NO_REG, PROGRAM_NO_REG) :
		gpuscan_builder_emit(b, OP_SCALED_NUMERIC, reg, int4_param(b, meaning.scale), PROGRAM_NO_REG);
}

static uint16
plus(Builder *b, ProgramOp op, uint16 reg, int64 amount)
{
	if (amount == 0)
		return reg;
	return gpuscan_builder_emit(b, op, reg, int8_param(b, amount), PROGRAM_NO_REG);
}

/* Months or days are added to the local time: timestamptz_pl_interval */
static uint16
plus_local(Builder *b, ProgramOp op, uint16 reg, int64 amount)
{
	return amount == 0 ? reg : from_local(b, session_zone(b), plus(b, op, gpuscan_offload_local_time(b, reg), amount));
}

/* A date or timestamp plus (sign 1) or minus (-1) an interval */
static uint16
offload_plus_interval(Builder *b, Node *arg, Node *interval, int sign, bool zoned)
{
	const Interval *span;
	int64		months;
	int64		days;
	int64		time;
	int64		both;
	uint16		reg;

	if (!is_constant(interval) && sign > 0 && !zoned)
	{
		reg = gpuscan_offload_expr(b, interval);
		return gpuscan_builder_emit(b, OP_TIMESTAMP_PLUS_INTERVAL, reg,
									gpuscan_offload_widen(b, gpuscan_offload_expr(b, arg), exprType(arg), VALUE_INT64), PROGRAM_NO_REG);
	}
	if (!is_constant(interval))
		return gpuscan_builder_refuse(b, "interval that is not constant");
	span = DatumGetIntervalP(((Const *) interval)->constvalue);
	months = (int64) span->month * sign;
	days = (int64) span->day * sign;
	if (INTERVAL_NOT_FINITE(span) || pg_mul_s64_overflow(span->time, sign, &time) ||
		months < -MOST_MONTHS || months > MOST_MONTHS || days < -MOST_DAYS || days > MOST_DAYS)
		return gpuscan_builder_refuse(b, "interval of more than %d years", MOST_MONTHS / 12);

	reg = gpuscan_offload_widen(b, gpuscan_offload_expr(b, arg), exprType(arg), VALUE_INT64);
	if (zoned)
	{
		reg = plus_local(b, OP_TIMESTAMP_PLUS_MONTHS, reg, months);
		reg = plus_local(b, OP_TIMESTAMP_PLUS, reg, days * USECS_PER_DAY);
		return plus(b, OP_TIMESTAMP_PLUS, reg, time);
	}
	reg = plus(b, OP_TIMESTAMP_PLUS_MONTHS, reg, months);

	/* In one step, if what lies between is no further than the end. */
	if ((days >= 0) == (time >= 0) && !pg_add_s64_overflow(days * USECS_PER_DAY, time, &both))
		return plus(b, OP_TIMESTAMP_PLUS, reg, both);
	reg = plus(b, OP_TIMESTAMP_PLUS, reg, days * USECS_PER_DAY);
	return plus(b, OP_TIMESTAMP_PLUS, reg, time);
}

/* time_pl_interval, time_mi_interval: days and months have no part in it */
static uint16
offload_time_plus_interval(Builder *b, Node *arg, Node *interval, int sign)
{
	const Interval *span;
	int64		time;

	if (!is_constant(interval))
		return gpuscan_builder_refuse(b, "interval that is not constant");
	span = DatumGetIntervalP(((Const *) interval)->constvalue);
	if (INTERVAL_NOT_FINITE(span) || pg_mul_s64_overflow(span->time, sign, &time))
		return gpuscan_builder_refuse(b, "interval that is infinite, or nearly so");
	return gpuscan_builder_emit(b, OP_TIME_PLUS, gpuscan_offload_expr(b, arg), int8_param(b, time), PROGRAM_NO_REG);
}

/* timestamp_bin, timestamptz_bin: what an error is due for, PostgreSQL is asked */
static uint16
offload_bin(Builder *b, Node *stride, Node *arg, Node *origin)
{
	const Interval *span;
	int64		length;
	uint16		reg;

	if (!is_constant(stride))
		return gpuscan_builder_refuse(b, "interval that is not constant");
	span = DatumGetIntervalP(((Const *) stride)->constvalue);
	if (INTERVAL_NOT_FINITE(span) || span->month != 0 || pg_mul_s64_overflow(span->day, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, span->time, &length) || length <= 0)
		return gpuscan_builder_refuse(b, "date_bin of months, or of no time");
	reg = gpuscan_offload_expr(b, arg);
	return gpuscan_builder_emit(b, OP_TIMESTAMP_BIN, int8_param(b, length), reg, gpuscan_offload_expr(b, origin));
}

bool
gpuscan_offload_datetime(Builder *b, Oid funcid, List *args, uint16 *reg)
{
	switch (funcid)
	{
		case F_EXTRACT_TEXT_TIME:
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIME:
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_INTERVAL:
		case F_DATE_PART_TEXT_INTERVAL:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
			*reg = offload_field(b, funcid, linitial(args), lsecond(args), NULL);
			return true;
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			*reg = offload_field(b, funcid, linitial(args), lsecond(args), lthird(args));
			return true;
		case F_AGE_TIMESTAMP_TIMESTAMP:
		case F_AGE_TIMESTAMPTZ_TIMESTAMPTZ:
			*reg = offload_age(b, linitial(args), lsecond(args), funcid == F_AGE_TIMESTAMPTZ_TIMESTAMPTZ);
			return true;
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
		case F_TIMEZONE_TEXT_TIMESTAMP:
			*reg = offload_at_zone(b, funcid, linitial(args), lsecond(args));
			return true;
		case F_DATE_PL_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMPTZ_PL_INTERVAL:
			*reg = offload_plus_interval(b, linitial(args), lsecond(args), 1, funcid == F_TIMESTAMPTZ_PL_INTERVAL);
			return true;
		case F_DATE_MI_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
			*reg = offload_plus_interval(b, linitial(args), lsecond(args), -1, funcid == F_TIMESTAMPTZ_MI_INTERVAL);
			return true;
		case F_DATE_BIN_INTERVAL_TIMESTAMP_TIMESTAMP:
		case F_DATE_BIN_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
			*reg = offload_bin(b, linitial(args), lsecond(args), lthird(args));
			return true;
		case F_TIME_PL_INTERVAL:
		case F_TIME_MI_INTERVAL:
			*reg = offload_time_plus_interval(b, linitial(args), lsecond(args), funcid == F_TIME_PL_INTERVAL ? 1 : -1);
			return true;
		case F_TIME_TIMESTAMPTZ:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_DATE_TIMESTAMPTZ:
			*reg = gpuscan_offload_expr(b, linitial(args));
			if (b->refusal == NULL)
				*reg = gpuscan_offload_local_time(b, *reg);
			if (funcid == F_TIME_TIMESTAMPTZ)
				*reg = gpuscan_builder_emit(b, OP_TIMESTAMP_TO_TIME, *reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
			if (funcid == F_DATE_TIMESTAMPTZ)
				*reg = gpuscan_builder_emit(b, OP_TIMESTAMP_TO_DATE, *reg, PROGRAM_NO_REG, PROGRAM_NO_REG);
			return true;
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMPTZ_DATE:
			*reg = gpuscan_offload_zoned(b, gpuscan_offload_expr(b, linitial(args)), exprType(linitial(args)));
			return true;
		default:
			return false;
	}
}
