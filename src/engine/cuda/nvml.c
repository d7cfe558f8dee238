/*-------------------------------------------------------------------------
 *
 * nvml.c
 *	  What the hardware says of itself: energy and temperature.
 *
 *-------------------------------------------------------------------------
 */
#include <dlfcn.h>
#include <stddef.h>

#include "engine/cuda/nvml.h"

#define NVML_LIBRARY			"libnvidia-ml.so.1"
#define NVML_SUCCESS			0
#define NVML_TEMPERATURE_GPU	0

typedef struct nvmlDevice_st *nvmlDevice_t;

static int	(*get_energy) (nvmlDevice_t device, unsigned long long *millijoules);
static int	(*get_temperature) (nvmlDevice_t device, int sensor, unsigned int *celsius);
static nvmlDevice_t handle;

bool
gpuscan_nvml_open(const char *pci)
{
	int			(*init) (void);
	int			(*get_handle) (const char *pci, nvmlDevice_t *device);
	void	   *library = dlopen(NVML_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	handle = NULL;
	if (library == NULL)
		return false;

	/* POSIX has dlsym's result be a function, ISO C does not */
	*(void **) &init = dlsym(library, "nvmlInit_v2");
	*(void **) &get_handle = dlsym(library, "nvmlDeviceGetHandleByPciBusId_v2");
	*(void **) &get_energy = dlsym(library, "nvmlDeviceGetTotalEnergyConsumption");
	*(void **) &get_temperature = dlsym(library, "nvmlDeviceGetTemperature");
	if (init == NULL || get_handle == NULL ||
		init() != NVML_SUCCESS || get_handle(pci, &handle) != NVML_SUCCESS)
	{
		handle = NULL;
		dlclose(library);
		return false;
	}
	return true;
}

void
gpuscan_nvml_sample(ServiceDevice *device)
{
	unsigned long long millijoules;
	unsigned int celsius;

	if (handle == NULL)
		return;
	if (get_energy && get_energy(handle, &millijoules) == NVML_SUCCESS)
		region_store(&device->energy_mj, (uint64_t) millijoules);
	if (get_temperature && get_temperature(handle, NVML_TEMPERATURE_GPU, &celsius) == NVML_SUCCESS)
		region_store(&device->temperature, (int32_t) celsius);
}
