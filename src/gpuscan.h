/*-------------------------------------------------------------------------
 *
 * gpuscan.h
 *	  The settings, and what the rooms say to each other through them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_H
#define GPUSCAN_H

typedef enum GpuscanDevice
{
	GPUSCAN_DEVICE_AUTO,
	GPUSCAN_DEVICE_CPU,
	GPUSCAN_DEVICE_CUDA
} GpuscanDevice;

typedef enum GpuscanRequire
{
	GPUSCAN_REQUIRE_ALLOW,
	GPUSCAN_REQUIRE_REQUIRE,
	GPUSCAN_REQUIRE_FORBID
} GpuscanRequire;

extern bool gpuscan_enabled;	/* gpuscan.enabled */
extern int	gpuscan_device;		/* gpuscan.device */
extern int	gpuscan_require;	/* gpuscan.require */
extern bool gpuscan_show_refusals;	/* gpuscan.explain_refusals */
extern char *gpuscan_cpu_level; /* gpuscan.cpu_level: auto | base | avx2 | avx512 */

/* Costs, in the planner's unit; src/plan/cost.c */
extern double gpuscan_startup_cost;	/* gpuscan.startup_cost: of a scan */
extern double gpuscan_page_cost;	/* gpuscan.page_cost: beside seq_page_cost */
extern double gpuscan_tuple_cost;	/* gpuscan.tuple_cost: of a visible row */
extern double gpuscan_attribute_cost;	/* gpuscan.attribute_cost: walked, per row */
extern double gpuscan_device_startup_cost;	/* gpuscan.device_startup_cost: of a scan there */
extern double gpuscan_device_page_cost; /* gpuscan.device_page_cost: beside seq_page_cost */
extern double gpuscan_operator_cost;	/* gpuscan.operator_cost: a unit of ops.def, per row */

/* The device's part of a query */
extern int	gpuscan_device_groups;	/* gpuscan.device_groups: places of the table of groups */
extern int	gpuscan_checkpoint_size;	/* gpuscan.checkpoint_size: kB of pages between two
										 * times that groups come home */

#define GPUSCAN_VERSION		"0.1.0"

#endif							/* GPUSCAN_H */
