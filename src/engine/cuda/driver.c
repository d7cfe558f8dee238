/*-------------------------------------------------------------------------
 *
 * driver.c
 *	  The CUDA driver, opened at run time.
 *
 *-------------------------------------------------------------------------
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "engine/cuda/driver.h"

bool
gpuscan_driver_open(DriverTable *driver, const char *library, char *why, size_t why_size)
{
	memset(driver, 0, sizeof *driver);
	driver->handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (driver->handle == NULL)
	{
		const char *error = dlerror();

		snprintf(why, why_size, "no CUDA driver: %s", error ? error : library);
		return false;
	}

	/* POSIX has dlsym's result be a function, ISO C does not */
#define DRIVER(name, symbol, args) \
	*(void **) &driver->name = dlsym(driver->handle, symbol); \
	if (driver->name == NULL) \
	{ \
		snprintf(why, why_size, "the CUDA driver is too old: it has no %s", symbol); \
		dlclose(driver->handle); \
		driver->handle = NULL; \
		return false; \
	}
#include "engine/cuda/driver.def"
#undef DRIVER
	return true;
}

const char *
gpuscan_driver_error(const DriverTable *driver, CUresult result)
{
	const char *name = NULL;

	if (driver->GetErrorName == NULL || driver->GetErrorName(result, &name) != CUDA_SUCCESS ||
		name == NULL)
		return "unknown CUDA error";
	return name;
}

bool
gpuscan_driver_fatal(CUresult result)
{
	switch (result)
	{
		case CUDA_SUCCESS:
		case CUDA_ERROR_NOT_READY:
		case CUDA_ERROR_OUT_OF_MEMORY:
		case CUDA_ERROR_INVALID_VALUE:
		case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
		case CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED:
		case CUDA_ERROR_NOT_SUPPORTED:
			return false;
		default:
			/* illegal address, ECC, launch failure, and whatever is not known */
			return true;
	}
}
