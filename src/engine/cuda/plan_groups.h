/*-------------------------------------------------------------------------
 *
 * plan_groups.h
 *	  What plan.c, plan_verify.c and plan_groups.c say to each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_PLAN_GROUPS_H
#define GPUSCAN_CUDA_PLAN_GROUPS_H

#include "engine/cuda/device.h"

#define DEVICE_RECORD_HEAD	16	/* rows, first */

/* Bytes of an aggregate's state in a group's record. */
extern uint32_t gpuscan_device_state_size(uint8_t kind);

/* A group that no row has entered: group_size bytes.  Keys and aggregates are in the plan. */
extern void gpuscan_device_empty_group(const DevicePlan *plan, uint64_t *group);

#endif							/* GPUSCAN_CUDA_PLAN_GROUPS_H */
