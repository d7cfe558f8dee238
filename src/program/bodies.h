/*-------------------------------------------------------------------------
 *
 * bodies.h
 *	  The bodies of all lines of ops.def that both engines run: they compile as C
 *	  and as device code.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_BODIES_H
#define GPUSCAN_BODIES_H

#include "program/arith.h"
#include "program/datetime.h"
#include "program/floats.h"
#include "program/inet.h"
#include "program/interval.h"
#include "program/numeric.h"
#include "program/text.h"
#include "program/timetz.h"
#include "program/width_bucket.h"

#endif							/* GPUSCAN_BODIES_H */
