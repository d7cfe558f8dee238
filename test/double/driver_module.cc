/*-------------------------------------------------------------------------
 *
 * driver_module.cc
 *	  Modules, their functions, and launches.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "counters.h"
#include "driver.h"

/* ------------------------------------------------------------------------
 * Modules and functions
 * ------------------------------------------------------------------------
 */

/*
 * The kernels are in this library, whatever the image is.  But it should be
 * one: of nvcc, or, where there is none, this text.
 */
static bool
is_image(const void *image)
{
	const unsigned char fatbin[] = {0x50, 0xED, 0x55, 0xBA};
	const unsigned char wrapper[] = {0xB1, 0x43, 0x62, 0x46};

	return memcmp(image, fatbin, 4) == 0 || memcmp(image, wrapper, 4) == 0 || memcmp(image, "\177ELF", 4) == 0 ||
		strncmp((const char *) image, "//", 2) == 0 || strncmp((const char *) image, ".version", 8) == 0 ||
		strncmp((const char *) image, "CUDA double", 11) == 0;
}

EXPORT CUresult
cuModuleLoadData(CUmodule *module, const void *image)
{
	ENTER(cuModuleLoadData, NEEDS_CONTEXT);
	INVALID_IF(module == nullptr || image == nullptr);
	if (!is_image(image))
		return CUDA_ERROR_INVALID_IMAGE;
	*module = new CUmod_st();
	double_handle_add(*module, DOUBLE_MODULE, double_current);
	return CUDA_SUCCESS;
}

void
double_module_delete(CUmodule module)
{
	for (CUfunction function : module->functions)
	{
		double_handle_remove(function);
		delete function;
	}
	double_handle_remove(module);
	delete module;
}

EXPORT CUresult
cuModuleUnload(CUmodule module)
{
	ENTER(cuModuleUnload, NEEDS_CONTEXT);
	if (!double_handle_is(module, DOUBLE_MODULE, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_context_finish(double_current);
	double_module_delete(module);
	return double_current->error;
}

EXPORT CUresult
cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
	cuda_double_kernel *kernel;

	ENTER(cuModuleGetFunction, NEEDS_CONTEXT);
	INVALID_IF(function == nullptr || name == nullptr);
	if (!double_handle_is(module, DOUBLE_MODULE, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	kernel = double_kernel_find(name);
	if (kernel == nullptr)
		return CUDA_ERROR_NOT_FOUND;
	for (CUfunction known : module->functions)
		if (known->kernel == kernel)
		{
			*function = known;
			return CUDA_SUCCESS;
		}
	*function = new CUfunc_st();
	double_handle_add(*function, DOUBLE_FUNCTION, double_current);
	(*function)->kernel = kernel;
	(*function)->max_shared = DOUBLE_SHARED_DEFAULT;
	module->functions.push_back(*function);
	return CUDA_SUCCESS;
}

/* Numbers of CUfunction_attribute. */
#define FUNC_MAX_THREADS_PER_BLOCK	0
#define FUNC_NUM_REGS				4
#define FUNC_MAX_DYNAMIC_SHARED		8
#define FUNC_PREFERRED_CARVEOUT		9

EXPORT CUresult
cuFuncGetAttribute(int *value, int number, CUfunction function)
{
	ENTER(cuFuncGetAttribute, NEEDS_CONTEXT);
	INVALID_IF(value == nullptr || number < 0 || number > FUNC_PREFERRED_CARVEOUT);
	if (!double_handle_is(function, DOUBLE_FUNCTION, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	switch (number)
	{
		case FUNC_MAX_THREADS_PER_BLOCK:
			*value = DOUBLE_MAX_THREADS;
			break;
		case FUNC_NUM_REGS:
			*value = 32;
			break;
		case FUNC_MAX_DYNAMIC_SHARED:
			*value = (int) function->max_shared;
			break;
		default:
			*value = 0;
			break;
	}
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuFuncSetAttribute(CUfunction function, int number, int value)
{
	ENTER(cuFuncSetAttribute, NEEDS_CONTEXT);
	if (!double_handle_is(function, DOUBLE_FUNCTION, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	INVALID_IF(number != FUNC_MAX_DYNAMIC_SHARED && number != FUNC_PREFERRED_CARVEOUT);
	if (number == FUNC_MAX_DYNAMIC_SHARED)
	{
		INVALID_IF(value < 0 || (unsigned) value > DOUBLE_SHARED_OPTIN);
		function->max_shared = (unsigned) value;
	}
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int block_size, size_t dynamic_shared)
{
	size_t		most;

	ENTER(cuOccupancyMaxActiveBlocksPerMultiprocessor, NEEDS_CONTEXT);
	INVALID_IF(blocks == nullptr || block_size <= 0);
	if (!double_handle_is(function, DOUBLE_FUNCTION, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	*blocks = 0;
	if (block_size > DOUBLE_MAX_THREADS || dynamic_shared > DOUBLE_SHARED_OPTIN)
		return CUDA_SUCCESS;
	most = DOUBLE_SHARED_PER_SM / (dynamic_shared + 1024);	/* as much is reserved for each */
	if (most > 2048u / (unsigned) block_size)
		most = 2048u / (unsigned) block_size;
	*blocks = most > 32 ? 32 : (int) most;
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Launches
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
			   unsigned block_x, unsigned block_y, unsigned block_z, unsigned dynamic_shared,
			   CUstream stream, void **params, void **extra)
{
	DoubleWork	work = {};

	ENTER(cuLaunchKernel, NEEDS_CONTEXT);
	stream = double_stream_find(double_current, stream);
	if (stream == nullptr || !double_handle_is(function, DOUBLE_FUNCTION, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	if (extra != nullptr)
		return CUDA_ERROR_NOT_SUPPORTED;
	INVALID_IF(grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_x > 2147483647 || grid_y > 65535 || grid_z > 65535);
	INVALID_IF(block_x == 0 || block_y == 0 || block_z == 0 || block_x > 1024 || block_y > 1024 || block_z > 64 ||
			   block_x * block_y * block_z > DOUBLE_MAX_THREADS);
	INVALID_IF(dynamic_shared > function->max_shared);
	INVALID_IF(params == nullptr && function->kernel->nparams > 0);
	for (unsigned i = 0; i < function->kernel->nparams; i++)
		INVALID_IF(params[i] == nullptr);

	work.kind = DOUBLE_LAUNCH;
	work.launch.kernel = function->kernel;
	work.launch.params = params;
	work.launch.grid = dim3(grid_x, grid_y, grid_z);
	work.launch.block = dim3(block_x, block_y, block_z);
	work.launch.shared = dynamic_shared;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}
