/*-------------------------------------------------------------------------
 *
 * zone.h
 *	  The session's time zone as a parameter of programs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_OFFLOAD_ZONE_H
#define GPUSCAN_OFFLOAD_ZONE_H

#include "nodes/primnodes.h"

/* The expression that stands for the zone among a program's parameters. */
extern Expr *gpuscan_offload_zone(void);
extern bool gpuscan_offload_is_zone(const Node *expr);

/* Its value, a text of ZoneSpans (program/datetime.h), palloc'd. */
extern Datum gpuscan_offload_zone_table(void);

#endif							/* GPUSCAN_OFFLOAD_ZONE_H */
