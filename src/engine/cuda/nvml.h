/*-------------------------------------------------------------------------
 *
 * nvml.h
 *	  What the hardware says of itself: energy and temperature.
 *
 * Optional: the library comes with NVIDIA's driver, but not everywhere, and
 * not every device counts its energy.  Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_NVML_H
#define GPUSCAN_CUDA_NVML_H

#include <stdbool.h>

#include "service/region.h"

/* Open the library for the device at this PCI address ("0000:65:00.0"); false: not to be had. */
extern bool gpuscan_nvml_open(const char *pci);

/* Note what the device shows now; does nothing if it is not open. */
extern void gpuscan_nvml_sample(ServiceDevice *device);

#endif							/* GPUSCAN_CUDA_NVML_H */
