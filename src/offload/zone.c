/*-------------------------------------------------------------------------
 *
 * zone.c
 *	  Time zones as parameters of programs.
 *
 * Among the parameters the session's zone is the expression
 * current_setting('TimeZone').  No expression of a query is taken for it: safety.c
 * lets none with that function be a parameter.  A zone that the query names is
 * timezone('its name', NULL).  The value of both is a table of the zone's
 * transitions over as many years as most data has; rows outside are PostgreSQL's.
 *
 * PostgreSQL has two ways through a zone that differ before its first
 * transition: pg_localtime (UTC to local time) and pg_next_dst_boundary (the
 * way back).  The table begins where they agree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "datatype/timestamp.h"
#include "nodes/makefuncs.h"
#include "offload/zone.h"
#include "parser/scansup.h"
#include "pgtime.h"
#include "program/datetime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#define UNIX_EPOCH_SECONDS	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (pg_time_t) SECS_PER_DAY)

/* 1900-01-01 and 2100-01-01, in seconds as pg_time_t counts them */
#define TABLE_FROM	(-INT64CONST(25567) * SECS_PER_DAY)
#define TABLE_TO	(INT64CONST(47482) * SECS_PER_DAY)

/* Zones have at most a few transitions a year; what has more ends earlier. */
#define MOST_SPANS	1000

Expr *
gpuscan_offload_zone(void)
{
	Const	   *name = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum("TimeZone"), false, false);

	return (Expr *) makeFuncExpr(F_CURRENT_SETTING_TEXT, TEXTOID, list_make1(name), DEFAULT_COLLATION_OID,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* No call of a query looks like this: of a NULL, the planner makes a NULL of it. */
Expr *
gpuscan_offload_named_zone(Const *name)
{
	Node	   *null = (Node *) makeNullConst(TIMESTAMPTZOID, -1, InvalidOid);

	return (Expr *) makeFuncExpr(F_TIMEZONE_TEXT_TIMESTAMPTZ, TIMESTAMPOID, list_make2(name, null), InvalidOid,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

static bool
is_named_zone(const Node *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;

	return IsA(expr, FuncExpr) && call->funcid == F_TIMEZONE_TEXT_TIMESTAMPTZ && IsA(linitial(call->args), Const) &&
		IsA(lsecond(call->args), Const) && lsecond_node(Const, call->args)->constisnull;
}

bool
gpuscan_offload_is_zone(const Node *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;

	if (is_named_zone(expr))
		return true;
	/* DateStyle is a parameter too (text.c) */
	return IsA(expr, FuncExpr) && call->funcid == F_CURRENT_SETTING_TEXT &&
		strcmp(TextDatumGetCString(linitial_node(Const, call->args)->constvalue), "TimeZone") == 0;
}

/*
 * As timestamptz_zone looks a name up: abbreviations first.  Returns UNKNOWN_FIELD
 * for none, TZ or DTZ for one that is always so many seconds east, DYNTZ for one
 * that moves, and else 0 and the zone.
 */
static int
look_up(const char *name, int *offset, pg_tz **zone)
{
	char		short_name[TZ_STRLEN_MAX + 1];
	char	   *lower;
	int			type;

	/* text_to_cstring_buffer */
	strlcpy(short_name, name, sizeof(short_name));
	lower = downcase_truncate_identifier(short_name, strlen(short_name), false);
	DECODE_ZONE_ABBREVIATION(lower, &type, offset, zone);
	if (type == TZ || type == DTZ || type == DYNTZ)
		return type;
	*zone = strlen(name) > TZ_STRLEN_MAX ? NULL : pg_tzset(short_name);
	return *zone == NULL ? UNKNOWN_FIELD : 0;
}

bool
gpuscan_offload_knows_zone(const Const *name)
{
	int			offset;
	pg_tz	   *zone;
	const int	type = look_up(TextDatumGetCString(name->constvalue), &offset, &zone);

	return type != UNKNOWN_FIELD && type != DYNTZ;
}

static int64
timestamp_of(pg_time_t seconds)
{
	return (int64) (seconds - UNIX_EPOCH_SECONDS) * USECS_PER_SEC;
}

/* Fill 'spans', return how many there are. */
static int
fill(const pg_tz *zone, ZoneSpan *spans)
{
	pg_time_t	at = TABLE_FROM;
	int			n = 0;

	while (at < TABLE_TO && n < MOST_SPANS - 1)
	{
		pg_time_t	next = TABLE_TO;
		long int	before;
		long int	after;
		int			before_isdst;
		int			after_isdst;
		int			found = pg_next_dst_boundary(&at, &before, &before_isdst, &next, &after, &after_isdst, zone);
		const struct pg_tm *local = pg_localtime(&at, zone);

		if (found < 0 || local == NULL)
			break;
		if (found == 0 || next > TABLE_TO)
			next = TABLE_TO;
		if (local->tm_gmtoff != before)
			n = 0;				/* no part of the table, nor what came before */
		else
		{
			spans[n].from = timestamp_of(at);
			spans[n++].offset = before * USECS_PER_SEC;
		}
		at = next;
	}
	spans[n].from = timestamp_of(at);
	spans[n++].offset = 0;
	return n;
}

/*
 * Rescans ask again and again: tables are kept, of a few zones.  A pg_tz lives as
 * long as the process, at one address (pgtz.c).
 */
static Datum
table_of(const pg_tz *zone)
{
	static struct
	{
		const pg_tz *zone;
		int			n;
		ZoneSpan   *spans;
	}			kept[4];
	static int	oldest = 0;
	int			i;

	for (i = 0; i < (int) lengthof(kept); i++)
		if (kept[i].zone == zone)
			break;
	if (i == lengthof(kept))
	{
		i = oldest;
		oldest = (oldest + 1) % lengthof(kept);
		if (kept[i].spans == NULL)
			kept[i].spans = MemoryContextAlloc(TopMemoryContext, MOST_SPANS * sizeof(ZoneSpan));
		kept[i].zone = NULL;
		kept[i].n = fill(zone, kept[i].spans);
		kept[i].zone = zone;
	}
	return PointerGetDatum(cstring_to_text_with_len((const char *) kept[i].spans, kept[i].n * sizeof(ZoneSpan)));
}

Datum
gpuscan_offload_zone_table(const Node *expr)
{
	ZoneSpan	fixed[2];
	int			offset;
	pg_tz	   *zone;

	if (!is_named_zone(expr))
		return table_of(session_timezone);
	switch (look_up(TextDatumGetCString(linitial_node(Const, ((const FuncExpr *) expr)->args)->constvalue), &offset, &zone))
	{
		case 0:
			return table_of(zone);
		case TZ:
		case DTZ:
			fixed[0].from = timestamp_of(TABLE_FROM);
			fixed[0].offset = offset * USECS_PER_SEC;
			fixed[1].from = timestamp_of(TABLE_TO);
			fixed[1].offset = 0;
			return PointerGetDatum(cstring_to_text_with_len((const char *) fixed, sizeof(fixed)));
		default:
			/* the settings have changed since the plan was made: all rows are PostgreSQL's */
			return PointerGetDatum(cstring_to_text(""));
	}
}
