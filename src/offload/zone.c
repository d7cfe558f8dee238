/*-------------------------------------------------------------------------
 *
 * zone.c
 *	  The session's time zone as a parameter of programs.
 *
 * Among the parameters the zone is the expression current_setting('TimeZone').
 * No expression of a query is taken for it: safety.c lets none with that
 * function be a parameter.  Its value is a table of the zone's transitions over
 * as many years as most data has; rows outside are PostgreSQL's.
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
#include "pgtime.h"
#include "program/datetime.h"
#include "utils/builtins.h"
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

bool
gpuscan_offload_is_zone(const Node *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;

	/* DateStyle is a parameter too (text.c) */
	return IsA(expr, FuncExpr) && call->funcid == F_CURRENT_SETTING_TEXT &&
		strcmp(TextDatumGetCString(linitial_node(Const, call->args)->constvalue), "TimeZone") == 0;
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
 * Rescans ask again and again: the table is kept.  A pg_tz lives as long as
 * the process, at one address (pgtz.c).
 */
Datum
gpuscan_offload_zone_table(void)
{
	static const pg_tz *zone = NULL;
	static ZoneSpan *spans = NULL;
	static int	n = 0;

	if (spans == NULL)
		spans = MemoryContextAlloc(TopMemoryContext, MOST_SPANS * sizeof(ZoneSpan));
	if (zone != session_timezone)
	{
		n = fill(session_timezone, spans);
		zone = session_timezone;
	}
	return PointerGetDatum(cstring_to_text_with_len((const char *) spans, n * sizeof(ZoneSpan)));
}
