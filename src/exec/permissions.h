/*-------------------------------------------------------------------------
 *
 * permissions.h
 *	  May the user call what a node computes?
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PERMISSIONS_H
#define GPUSCAN_PERMISSIONS_H

#include "nodes/pg_list.h"

/*
 * Raises ERRCODE_INSUFFICIENT_PRIVILEGE where the current user lacks EXECUTE on
 * a function, operator's function or aggregate in 'exprs', or on the equality of
 * one of 'keys', which are looked into as well.  To be called when a node
 * begins, also for EXPLAIN, as PostgreSQL does.
 */
extern void gpuscan_check_execute(List *exprs, List *keys);

#endif							/* GPUSCAN_PERMISSIONS_H */
