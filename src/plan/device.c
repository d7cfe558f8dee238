/*-------------------------------------------------------------------------
 *
 * device.c
 *	  May a device run it?
 *
 * Whatever an engine runs, the CPU engine runs; a device takes part of it, if
 * one is there.  So the device is a second path beside the CPU engine's, and
 * the cheaper one wins (gpuscan.device = auto), or the only one (cuda).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "engine/cuda/plan.h"
#include "gpuscan.h"
#include "nodes/nodeFuncs.h"
#include "offload/offload.h"
#include "optimizer/restrictinfo.h"
#include "plan/plan.h"
#include "service/service.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* bytes of a value as statistics have it, or its type lets expect */
static int32
average_width(Relation relation, Node *expr)
{
	int32		width = 0;

	if (IsA(expr, Var))
		width = get_attavgwidth(RelationGetRelid(relation), ((Var *) expr)->varattno);
	return width > 0 ? width : get_typavgwidth(exprType(expr), exprTypmod(expr));
}

/* Keys of the device's groups have a fixed size: rows with longer texts come back. */
static bool
long_text_key(Relation relation, List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		Oid			type = exprType(lfirst(lc));

		if ((type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == BYTEAOID) &&
			average_width(relation, lfirst(lc)) > DEVICE_TEXT_KEY_MAX + 1)	/* with its header */
			return true;
		/* of one size, which of a name is all that statistics know */
		if (type == UUIDOID || type == NAMEOID)
			return true;
	}
	return false;
}

/*
 * Why no device will run it; NULL when one may.  quals: RestrictInfos that an
 * engine runs; host: are there others?  A palloc'd or static phrase.
 */
static const char *
refuse_device(Relation relation, const QualSplit *split,
			  bool grouped, List *keys, List *aggs)
{
	List	   *quals = extract_actual_clauses(split->device, false);
	OffloadedProgram *offloaded;
	const char *why;
	void	   *room;
	uint32		device;

	if (!gpuscan_service_ready(&device, &why))
		return why;
	if (grouped && split->host != NIL)
		return "a condition stays on the host";
	if (grouped && long_text_key(relation, keys))
		return "grouping by long texts";

	offloaded = gpuscan_offload_compile(relation, quals, grouped, keys, aggs);
	if (offloaded->nhost_aggs > 0)
		return "an aggregate that the host computes";
	if (offloaded->program->nattrs == 0)
		return "no column is looked at";
	room = palloc0(SERVICE_PLAN_ROOM);
	if (gpuscan_device_plan(offloaded->program, NULL, room, SERVICE_PLAN_ROOM, &why) == 0)
		return why;
	return NULL;
}

/*
 * Which engines get a path: ENGINE_* bits.  *refusal: why the device gets none,
 * if somebody might wonder.
 */
int
gpuscan_plan_engines(Relation relation, const QualSplit *split,
					 bool grouped, List *keys, List *aggs, const char **refusal)
{
	const char *why;
	uint32		device;

	*refusal = NULL;
	if (gpuscan_device == GPUSCAN_DEVICE_CPU ||
		(gpuscan_device == GPUSCAN_DEVICE_AUTO && !gpuscan_service_ready(&device, &why)))
		return ENGINE_CPU;
	*refusal = refuse_device(relation, split, grouped, keys, aggs);
	if (*refusal != NULL)
		return ENGINE_CPU;
	return gpuscan_device == GPUSCAN_DEVICE_CUDA ? ENGINE_CUDA : ENGINE_ALL;
}
