/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  From a program and its parameters to the block that the device runs,
 *	  and from the device's groups back to values.
 *
 * Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_PLAN_H
#define GPUSCAN_CUDA_PLAN_H

#include "engine/cuda/device.h"
#include "engine/engine.h"

/*
 * Lower a verified program.  Writes at most 'room' bytes at 'out' (aligned to
 * 8) and returns the bytes used; 0, with a phrase in *why (static text), when
 * the device cannot run it: too many registers, too large, an operator or a
 * state that is not for ENGINE_CUDA.  params: as Engine.open has them; a text's
 * bytes are copied.  params may be NULL: only find out whether it can be run.
 */
extern uint32_t gpuscan_device_plan(const Program *program, const ProgramValue *params,
									void *out, uint32_t room, const char **why);

/*
 * Check a plan before a kernel sees it (the child does, it trusts nobody):
 * NULL when it is sound, else what is wrong.
 */
extern const char *gpuscan_device_plan_verify(const DevicePlan *plan, uint32_t size);

/*
 * Check a job that was laid out by another process: NULL when a kernel may run
 * over it.
 */
extern const char *gpuscan_device_job_verify(const DeviceJob *job, uint32_t size);

/*
 * How gpuscan_scan or gpuscan_aggregate is to be started for a plan.
 * shared_limit: bytes of shared memory that a block may have.  False: does not
 * fit.
 */
extern bool gpuscan_device_launch(const DevicePlan *plan, uint32_t blcksz, uint32_t shared_limit,
								  DeviceLaunch *launch);

/*
 * A gathered group as keys and states: keys has room for plan->nkeys, aggs for
 * plan->naggs.  Texts point into 'bytes'.
 */
extern void gpuscan_device_group(const DevicePlan *plan, const char *bytes, EngineGroup *group);

#endif							/* GPUSCAN_CUDA_PLAN_H */
