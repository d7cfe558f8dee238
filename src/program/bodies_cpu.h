/*-------------------------------------------------------------------------
 *
 * bodies_cpu.h
 *	  The bodies of all lines of ops.def, with those that the CPU engine alone
 *	  runs: what libm computes, texts that are made, long lists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_BODIES_CPU_H
#define GPUSCAN_BODIES_CPU_H

#include "program/bodies.h"
#include "program/floats_degrees.h"
#include "program/floats_libm.h"
#include "program/interval_made.h"
#include "program/set.h"
#include "program/text_made.h"
#include "program/to_char.h"

#endif							/* GPUSCAN_BODIES_CPU_H */
