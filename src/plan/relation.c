/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Which relations our nodes may scan, and which clauses an engine runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "gpuscan.h"
#include "nodes/value.h"
#include "offload/offload.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/tlist.h"
#include "plan/plan.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Are the relation's rows to be locked?  Of other relations of a query with row
 * locks, or that UPDATE, DELETE or MERGE read, EvalPlanQual wants to see the same
 * row again (ROW_MARK_REFERENCE), or has kept a copy (ROW_MARK_COPY).  That we
 * can serve: our rows are the table's own, with ctid and tableoid (planner.c
 * preprocess_rowmarks, execMain.c EvalPlanQualFetchRowMark).
 */
bool
gpuscan_plan_locks_rows(List *row_marks, Index rti)
{
	ListCell   *lc;

	foreach(lc, row_marks)
	{
		PlanRowMark *mark = lfirst_node(PlanRowMark, lc);

		if (mark->rti == rti && mark->markType != ROW_MARK_REFERENCE &&
			mark->markType != ROW_MARK_COPY)
			return true;
	}
	return false;
}

/* Why the relation cannot be scanned by us; NULL when it can. */
static const char *
refuse_query(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (gpuscan_plan_locks_rows(root->rowMarks, rti))
		return "row locks";
	if (rte->tablesample != NULL)
		return "TABLESAMPLE";
	if (OLD_SNAPSHOT_THRESHOLD_ACTIVE())
		return "old_snapshot_threshold is set";
	return NULL;
}

static const char *
refuse_relation(Relation relation)
{
	if (relation->rd_tableam != GetHeapamTableAmRoutine())
		return "table access method is not heap";
	if (RELATION_IS_OTHER_TEMP(relation))
		return "temporary table of another session";
	return NULL;
}

/*
 * Open the relation if our nodes may scan it, and choose the engine.  A reason
 * why not is noted, but for what nobody would expect to be offloaded.
 */
Relation
gpuscan_plan_open(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte,
				  PlanEngine *engine)
{
	const char *refusal;
	Relation	relation;

	if (rel->reloptkind != RELOPT_BASEREL && rel->reloptkind != RELOPT_OTHER_MEMBER_REL)
		return NULL;
	if (rte->rtekind != RTE_RELATION || rte->inh ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW))
		return NULL;
	if (IS_DUMMY_REL(rel) || (int) rti == root->parse->resultRelation ||
		bms_is_member(rti, root->all_result_relids))
		return NULL;

	/* catalogs are updated in place (heapam.c heap_inplace_update) */
	if (IsCatalogRelationOid(rte->relid))
		return NULL;

	relation = table_open(rte->relid, NoLock);
	refusal = refuse_query(root, rel, rti, rte);
	if (refusal == NULL)
		refusal = refuse_relation(relation);
	if (refusal != NULL)
	{
		gpuscan_watch_refusal(REFUSED_SCAN, rte->relid, rte->eref->aliasname, refusal);
		table_close(relation, NoLock);
		return NULL;
	}
	engine->name = "cpu";
	engine->mask = ENGINE_CPU;
	return relation;
}

/*
 * The clauses in the order in which PostgreSQL would run them: createplan.c
 * order_qual_clauses, repeated because it is static there.
 */
static List *
order_quals(PlannerInfo *root, List *quals)
{
	int			n = list_length(quals);
	RestrictInfo **sorted = palloc_array(RestrictInfo *, n + 1);
	Cost	   *costs = palloc_array(Cost, n + 1);
	Index	   *levels = palloc_array(Index, n + 1);
	List	   *result = NIL;

	for (int i = 0; i < n; i++)
	{
		RestrictInfo *rinfo = list_nth_node(RestrictInfo, quals, i);
		QualCost	cost;
		Index		level;
		int			j;

		cost_qual_eval_node(&cost, (Node *) rinfo, root);
		level = rinfo->leakproof && cost.per_tuple < 10 * cpu_operator_cost ?
			0 : rinfo->security_level;
		for (j = i; j > 0; j--)
		{
			if (level > levels[j - 1] ||
				(level == levels[j - 1] && cost.per_tuple >= costs[j - 1]))
				break;
			sorted[j] = sorted[j - 1];
			costs[j] = costs[j - 1];
			levels[j] = levels[j - 1];
		}
		sorted[j] = rinfo;
		costs[j] = cost.per_tuple;
		levels[j] = level;
	}
	for (int i = 0; i < n; i++)
		result = lappend(result, sorted[i]);
	return result;
}

/*
 * May a qual be asked before those that stay on the host, which PostgreSQL asks
 * first?  Returns why not.  It must not show: neither may raise an error for a
 * row that the other would have turned down before.  And a qual that is not
 * leakproof must not learn of rows that one of a lower security level turns
 * down, be it only by what EXPLAIN counts (createplan.c order_qual_clauses).
 */
static const char *
refuse_overtaking(const RestrictInfo *rinfo, List *host, bool host_may_fail)
{
	ListCell   *lc;

	if (!rinfo->leakproof)
		foreach(lc, host)
			if (lfirst_node(RestrictInfo, lc)->security_level < rinfo->security_level)
				return "comes after a condition of row security or a security barrier view that stays on the host";
	if (host_may_fail)
		return "comes after a condition that may fail on the host";
	if (!gpuscan_offload_cannot_fail((Node *) rinfo->clause))
		return "may fail, and comes after a condition that stays on the host";
	return NULL;
}

/*
 * Which clauses an engine runs and which stay with PostgreSQL.  The device's
 * come first, in PostgreSQL's order; so one of them may overtake host quals.
 */
void
gpuscan_plan_split_quals(PlannerInfo *root, RelOptInfo *rel, Relation relation,
						 int engines, QualSplit *split)
{
	bool		host_may_fail = false;
	ListCell   *lc;

	memset(split, 0, sizeof(*split));
	split->device_cost = palloc0_array(double, list_length(rel->baserestrictinfo) + 1);
	foreach(lc, order_quals(root, rel->baserestrictinfo))
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Node	   *clause = (Node *) rinfo->clause;
		OffloadCost cost = {0};
		const char *refusal;

		if (rinfo->pseudoconstant)
			continue;			/* a gating Result's (createplan.c) */

		refusal = gpuscan_offload_refuse_qual(relation, rel->relid, clause, engines, &cost);
		if (refusal == NULL && split->host != NIL)
			refusal = refuse_overtaking(rinfo, split->host, host_may_fail);
		if (refusal == NULL)
		{
			split->device_cost[list_length(split->device)] = cost.steps;
			split->device = lappend(split->device, rinfo);
			continue;
		}
		split->host = lappend(split->host, rinfo);
		split->refusals = lappend(split->refusals, makeString(pstrdup(refusal)));
		if (!gpuscan_offload_cannot_fail(clause))
			host_may_fail = true;
	}
}

/*
 * Keys and arguments of a GpuAgg are computed before the host's conditions are
 * asked.  Rows that a security qual turns down must not show there, and they
 * would as punted rows that EXPLAIN counts; unless nothing in the expressions
 * can leak.  Returns why not.
 */
const char *
gpuscan_plan_refuse_leaks(PlannerInfo *root, const QualSplit *split, List *keys, List *aggs)
{
	bool		secured = false;
	bool		leaky = contain_leaked_vars((Node *) keys);
	ListCell   *lc;

	foreach(lc, split->host)
		secured |= lfirst_node(RestrictInfo, lc)->security_level < root->qual_security_level;
	if (!secured)
		return NULL;
	foreach(lc, aggs)
	{
		Aggref	   *aggref = lfirst_node(Aggref, lc);

		leaky |= contain_leaked_vars((Node *) get_tlist_exprs(aggref->args, true)) ||
			contain_leaked_vars((Node *) aggref->aggfilter);
	}
	return leaky ? "row security stays on the host, and keys or arguments are not leakproof" : NULL;
}
