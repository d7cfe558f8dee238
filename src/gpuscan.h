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
extern bool gpuscan_explain_refusals;	/* gpuscan.explain_refusals */
extern char *gpuscan_cpu_level; /* gpuscan.cpu_level: auto | base | avx2 | avx512 */

#endif							/* GPUSCAN_H */
