/*-------------------------------------------------------------------------
 *
 * zone.h
 *	  Time zones as parameters of programs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_OFFLOAD_ZONE_H
#define GPUSCAN_OFFLOAD_ZONE_H

#include "nodes/primnodes.h"

/* The expression that stands for a zone among a program's parameters: the session's, or one that has a name. */
extern Expr *gpuscan_offload_zone(void);
extern Expr *gpuscan_offload_named_zone(Const *name);
extern bool gpuscan_offload_is_zone(const Node *expr);

/* Is it the name of a zone, or of an offset that is always the same? */
extern bool gpuscan_offload_knows_zone(const Const *name);

/* The value of such an expression, a text of ZoneSpans (program/datetime.h), palloc'd. */
extern Datum gpuscan_offload_zone_table(const Node *expr);

#endif							/* GPUSCAN_OFFLOAD_ZONE_H */
