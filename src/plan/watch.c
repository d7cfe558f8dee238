/*-------------------------------------------------------------------------
 *
 * watch.c
 *	  What became of the relations of a query: gpuscan.explain_refusals,
 *	  gpuscan.require, and the counts of refusals.c.
 *
 * Planning may nest (a function that is folded runs queries of its own), so
 * each call of the planner has a Watch, and they form a stack.
 *
 * gpuscan.require = require means: a table that is filtered or aggregated is
 * scanned by one of our nodes, or the query is not planned.  A table that only
 * hands on all its rows, a target of INSERT, UPDATE, DELETE or MERGE, a table
 * with row locks, and catalogs do not count.  forbid means: no node of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "commands/explain.h"
#include "compat.h"
#ifdef HAVE_EXPLAIN_STATE_HEADER
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "executor/instrument.h"
#include "gpuscan.h"
#include "nodes/extensible.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "plan/plan.h"
#include "plan/plan_private.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"

typedef struct Refusal
{
	RefusalKind kind;
	Oid			relid;
	const char *alias;
	const char *reason;			/* NULL: there was a path */
} Refusal;

/* One call of the planner */
typedef struct Watch
{
	struct Watch *outer;
	List	   *refusals;		/* Refusal each, as they come */
} Watch;

/* An EXPLAIN that wants to know */
typedef struct Capture
{
	Watch	   *outer;			/* the planner's calls around it */
	bool		filled;			/* its query has been planned */
	List	   *lines;			/* C strings */
} Capture;

/* Which relations the finished plan scans, and how */
typedef struct PlanNodes
{
	PlannedStmt *stmt;
	List	   *scanned;		/* OIDs: by a node of ours */
	List	   *aggregated;		/* ... by GpuAgg */
	Oid			missed;			/* filtered or aggregated by another node */
} PlanNodes;

static planner_hook_type previous_planner;
static ExplainOneQuery_hook_type previous_explain;
static Watch *current_watch;
static Capture *current_capture;

void
gpuscan_watch_refusal(RefusalKind kind, Oid relid, const char *alias, const char *reason)
{
	Refusal    *refusal;

	if (current_watch == NULL)
		return;
	refusal = palloc_object(Refusal);
	refusal->kind = kind;
	refusal->relid = relid;
	refusal->alias = pstrdup(alias);
	refusal->reason = reason ? pstrdup(reason) : NULL;
	current_watch->refusals = lappend(current_watch->refusals, refusal);
}

void
gpuscan_watch_path(Oid relid, const char *alias)
{
	gpuscan_watch_refusal(REFUSED_SCAN, relid, alias, NULL);
}

/* Does a table count for gpuscan.require? */
static bool
table_counts(PlannedStmt *stmt, Index rti)
{
	RangeTblEntry *rte = rt_fetch(rti, stmt->rtable);

	if (rte->rtekind != RTE_RELATION || IsCatalogRelationOid(rte->relid) ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW))
		return false;
	if (list_member_int(stmt->resultRelations, rti))
		return false;
	return !gpuscan_plan_locks_rows(stmt->rowMarks, rti);
}

static void
visit(PlanNodes *nodes, Plan *plan, bool under_agg)
{
	List	   *children = NIL;
	ListCell   *lc;

	if (plan == NULL)
		return;
	switch (nodeTag(plan))
	{
		case T_CustomScan:
			{
				CustomScan *cscan = (CustomScan *) plan;

				children = cscan->custom_plans;
				if (cscan->methods == &gpuscan_scan_plan_methods ||
					cscan->methods == &gpuscan_agg_plan_methods)
				{
					Oid			relid = rt_fetch(cscan->scan.scanrelid, nodes->stmt->rtable)->relid;

					nodes->scanned = lappend_oid(nodes->scanned, relid);
					if (cscan->methods == &gpuscan_agg_plan_methods)
						nodes->aggregated = lappend_oid(nodes->aggregated, relid);
				}
				under_agg = false;
				break;
			}
		case T_SeqScan:
			if (plan->qual == NIL && !under_agg)
				break;
			/* FALLTHROUGH */
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
			if (table_counts(nodes->stmt, ((Scan *) plan)->scanrelid) && !OidIsValid(nodes->missed))
				nodes->missed = rt_fetch(((Scan *) plan)->scanrelid, nodes->stmt->rtable)->relid;
			return;
		case T_Append:
			children = ((Append *) plan)->appendplans;
			break;
		case T_MergeAppend:
			children = ((MergeAppend *) plan)->mergeplans;
			break;
		case T_SubqueryScan:
			children = list_make1(((SubqueryScan *) plan)->subplan);
			under_agg = false;
			break;
		case T_Agg:
		case T_Group:
		case T_Unique:
			under_agg = true;
			break;
		case T_Gather:
		case T_GatherMerge:
		case T_Sort:
		case T_IncrementalSort:
		case T_Material:
		case T_Result:
			break;
		default:
			under_agg = false;
			break;
	}
	visit(nodes, plan->lefttree, under_agg);
	visit(nodes, plan->righttree, under_agg);
	foreach(lc, children)
		visit(nodes, lfirst(lc), under_agg);
}

static PlanNodes
nodes_of(PlannedStmt *stmt)
{
	PlanNodes	nodes = {stmt, NIL, NIL, InvalidOid};
	ListCell   *lc;

	visit(&nodes, stmt->planTree, false);
	foreach(lc, stmt->subplans)
		visit(&nodes, lfirst(lc), false);
	return nodes;
}

static void
check_require(const Watch *watch, const PlanNodes *nodes)
{
	const Refusal *decisive = NULL;
	ListCell   *lc;

	if (gpuscan_require == GPUSCAN_REQUIRE_FORBID && nodes->scanned != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("gpuscan scans relation \"%s\"", get_rel_name(linitial_oid(nodes->scanned))),
				 errhint("gpuscan.require is set to \"forbid\".")));
	if (gpuscan_require != GPUSCAN_REQUIRE_REQUIRE || !OidIsValid(nodes->missed))
		return;
	foreach(lc, watch->refusals)
	{
		const Refusal *refusal = lfirst(lc);

		/* the first one; but why there is no GpuAgg says more than "no condition" */
		if (refusal->relid == nodes->missed && refusal->reason != NULL &&
			(decisive == NULL || refusal->kind > decisive->kind))
			decisive = refusal;
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("gpuscan does not scan relation \"%s\"", get_rel_name(nodes->missed)),
			 decisive != NULL ? errdetail("Not offloaded: %s.", decisive->reason) :
			 errdetail("PostgreSQL's own plan was chosen."),
			 errhint("gpuscan.require is set to \"require\".")));
}

/* Is it worth telling, when this is what the plan has? */
static bool
is_news(const Refusal *refusal, const Watch *watch, const PlanNodes *nodes)
{
	ListCell   *lc;

	if (list_member_oid(refusal->kind == REFUSED_AGG ? nodes->aggregated : nodes->scanned,
						refusal->relid))
		return false;
	if (refusal->reason != NULL && refusal->kind != REFUSED_NOTHING)
		return true;

	/* that there was nothing to do, or that it did not pay: if nothing else */
	foreach(lc, watch->refusals)
	{
		const Refusal *other = lfirst(lc);

		if (other->relid == refusal->relid && other->reason != NULL && other->kind != REFUSED_NOTHING)
			return false;
	}
	return true;
}

/* What EXPLAIN is to say about the relations that we do not scan. */
static void
fill_capture(Capture *capture, const Watch *watch, const PlanNodes *nodes)
{
	ListCell   *lc;

	capture->filled = true;
	foreach(lc, watch->refusals)
	{
		const Refusal *refusal = lfirst(lc);
		char	   *line;
		ListCell   *other;

		if (!is_news(refusal, watch, nodes))
			continue;
		line = psprintf("%s: %s", refusal->alias, refusal->reason != NULL ? refusal->reason :
						"PostgreSQL's own plan costs less");
		foreach(other, capture->lines)
			if (strcmp(lfirst(other), line) == 0)
				break;
		if (other == NULL)
			capture->lines = lappend(capture->lines, line);
	}
}

static PlannedStmt *
watch_planner(Query *parse, const char *query_string, int cursorOptions, ParamListInfo boundParams)
{
	Watch		watch = {current_watch, NIL};
	PlannedStmt *result;
	ListCell   *lc;

	if (!gpuscan_enabled)
		return (previous_planner ? previous_planner : standard_planner)
			(parse, query_string, cursorOptions, boundParams);

	current_watch = &watch;
	PG_TRY();
	{
		result = (previous_planner ? previous_planner : standard_planner)
			(parse, query_string, cursorOptions, boundParams);
	}
	PG_FINALLY();
	{
		current_watch = watch.outer;
	}
	PG_END_TRY();

	foreach(lc, watch.refusals)
	{
		const Refusal *refusal = lfirst(lc);

		if (refusal->reason != NULL && refusal->kind != REFUSED_NOTHING)
			gpuscan_refusals_count(refusal->reason);
	}
	if (gpuscan_require != GPUSCAN_REQUIRE_ALLOW ||
		(current_capture != NULL && !current_capture->filled))
	{
		PlanNodes	nodes = nodes_of(result);

		if (current_capture != NULL && !current_capture->filled &&
			current_capture->outer == watch.outer)
			fill_capture(current_capture, &watch, &nodes);
		check_require(&watch, &nodes);
	}
	return result;
}

/* What ExplainOneQuery does where there is no hook. */
static void
explain_as_usual(Query *query, int cursorOptions, IntoClause *into, ExplainState *es,
				 const char *queryString, ParamListInfo params, QueryEnvironment *queryEnv)
{
#ifdef HAVE_STANDARD_EXPLAIN_ONE_QUERY
	standard_ExplainOneQuery(query, cursorOptions, into, es, queryString, params, queryEnv);
#else
	/* explain.c ExplainOneQuery, repeated because the branch is not a function there */
	PlannedStmt *plan;
	instr_time	planstart,
				planduration;
	BufferUsage bufusage_start,
				bufusage;

	if (es->buffers)
		bufusage_start = pgBufferUsage;
	INSTR_TIME_SET_CURRENT(planstart);
	plan = pg_plan_query(query, queryString, cursorOptions, params);
	INSTR_TIME_SET_CURRENT(planduration);
	INSTR_TIME_SUBTRACT(planduration, planstart);
	if (es->buffers)
	{
		memset(&bufusage, 0, sizeof(BufferUsage));
		BufferUsageAccumDiff(&bufusage, &pgBufferUsage, &bufusage_start);
	}
	ExplainOnePlan(plan, into, es, queryString, params, queryEnv,
				   &planduration, es->buffers ? &bufusage : NULL);
#endif
}

/*
 * After the plan, a group of its own: before, in ExplainOnePlan, there is no
 * place for it until 18.
 */
static void
show_lines(List *lines, ExplainState *es)
{
	ListCell   *lc;

	if (lines == NIL)
		return;
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		foreach(lc, lines)
			ExplainPropertyText("Not Offloaded", lfirst(lc), es);
		return;
	}
	ExplainOpenGroup("gpuscan", NULL, true, es);
	ExplainPropertyList("Not Offloaded", lines, es);
	ExplainCloseGroup("gpuscan", NULL, true, es);
}

static void
watch_explain(Query *query, int cursorOptions, IntoClause *into, ExplainState *es,
			  const char *queryString, ParamListInfo params, QueryEnvironment *queryEnv)
{
	Capture		capture = {current_watch, false, NIL};
	Capture    *outer = current_capture;

	current_capture = gpuscan_enabled && gpuscan_show_refusals ? &capture : NULL;
	PG_TRY();
	{
		(previous_explain ? previous_explain : explain_as_usual)
			(query, cursorOptions, into, es, queryString, params, queryEnv);
	}
	PG_FINALLY();
	{
		current_capture = outer;
	}
	PG_END_TRY();
	show_lines(capture.lines, es);
}

void
gpuscan_watch_init(void)
{
	previous_planner = planner_hook;
	planner_hook = watch_planner;
	previous_explain = ExplainOneQuery_hook;
	ExplainOneQuery_hook = watch_explain;
}
