/*-------------------------------------------------------------------------
 *
 * permissions.c
 *	  May the user call what a node computes?
 *
 * PostgreSQL asks when it prepares an expression for execution: execExpr.c
 * ExecInitFunc and ExecInitExprRec, nodeAgg.c ExecInitAgg, and for what is
 * grouped ExecBuildGroupingEqual.  What an engine computes is never prepared
 * there, so we ask.  Not asked, there as here: input and output functions of
 * casts, the members of row comparisons, GREATEST and LEAST.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "exec/permissions.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static void
check(Oid function, ObjectType what)
{
	AclResult	result = FUNCTION_ACLCHECK(function, GetUserId(), ACL_EXECUTE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, what, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

static bool
check_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			check(castNode(FuncExpr, node)->funcid, OBJECT_FUNCTION);
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			/* of one form (primnodes.h) */
			set_opfuncid((OpExpr *) node);
			check(((OpExpr *) node)->opfuncid, OBJECT_FUNCTION);
			break;
		case T_ScalarArrayOpExpr:
			{
				ScalarArrayOpExpr *array = castNode(ScalarArrayOpExpr, node);

				/* a long list is hashed, and NOT IN by the equality then */
				set_sa_opfuncid(array);
				check(OidIsValid(array->hashfuncid) && OidIsValid(array->negfuncid) ? array->negfuncid : array->opfuncid,
					  OBJECT_FUNCTION);
				if (OidIsValid(array->hashfuncid))
					check(array->hashfuncid, OBJECT_FUNCTION);
				break;
			}
		case T_Aggref:
			check(castNode(Aggref, node)->aggfnoid, OBJECT_AGGREGATE);
			break;
		default:
			break;
	}
	return expression_tree_walker(node, check_walker, context);
}

void
gpuscan_check_execute(List *exprs, List *keys)
{
	ListCell   *lc;

	check_walker((Node *) exprs, NULL);
	check_walker((Node *) keys, NULL);
	foreach(lc, keys)
		check(get_opcode(lookup_type_cache(exprType(lfirst(lc)), TYPECACHE_EQ_OPR)->eq_opr), OBJECT_FUNCTION);
}
