/*-------------------------------------------------------------------------
 *
 * parallel.h
 *	  A node in the processes of a parallel query: what they share.
 *
 * The DSM callbacks of our nodes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PARALLEL_H
#define GPUSCAN_PARALLEL_H

#include "access/parallel.h"
#include "exec/run.h"
#include "nodes/extensible.h"

/* How the states of all our nodes begin. */
typedef struct RunNode
{
	CustomScanState css;
	ProgramRun	run;
} RunNode;

#define RUN_NODE(type) \
	StaticAssertDecl(offsetof(type, css) == offsetof(RunNode, css) && \
					 offsetof(type, run) == offsetof(RunNode, run), "a " #type " is a RunNode")

/* As CustomExecMethods has them: bytes of shared memory ... */
extern Size gpuscan_parallel_estimate(CustomScanState *node, ParallelContext *pcxt);

/* ... the leader makes it, and makes it anew for a rescan ... */
extern void gpuscan_parallel_initialize(CustomScanState *node, ParallelContext *pcxt, void *coordinate);
extern void gpuscan_parallel_reinitialize(CustomScanState *node, ParallelContext *pcxt, void *coordinate);

/* ... a worker finds it ... */
extern void gpuscan_parallel_attach(CustomScanState *node, shm_toc *toc, void *coordinate);

/* ... and before it goes away a worker leaves its counters there, and the leader takes them. */
extern void gpuscan_parallel_shutdown(CustomScanState *node);

#endif							/* GPUSCAN_PARALLEL_H */
