/*-------------------------------------------------------------------------
 *
 * parallel.h
 *	  A node in the processes of a parallel query: what they share.
 *
 * The bodies of the DSM callbacks that GpuScan and GpuAgg have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PARALLEL_H
#define GPUSCAN_PARALLEL_H

#include "access/parallel.h"
#include "exec/run.h"

/* Bytes of shared memory; as EstimateDSMCustomScan. */
extern Size gpuscan_parallel_estimate(ProgramRun *run);

/* The leader makes it, and makes it anew for a rescan. */
extern void gpuscan_parallel_initialize(ProgramRun *run, void *coordinate);
extern void gpuscan_parallel_reinitialize(ProgramRun *run);

/* A worker finds it. */
extern void gpuscan_parallel_attach(ProgramRun *run, void *coordinate);

/*
 * It is going away.  A worker leaves its counters there before, and the leader
 * takes them.
 */
extern void gpuscan_parallel_shutdown(ProgramRun *run);

#endif							/* GPUSCAN_PARALLEL_H */
