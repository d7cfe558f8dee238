/*-------------------------------------------------------------------------
 *
 * driver.h
 *	  The CUDA driver, opened at run time.
 *
 * The library links against nothing of CUDA: libcuda.so.1 is opened with
 * dlopen, in a device's child process only, and every entry point is looked
 * up once (driver.def).  So the types and constants that we use are declared
 * here; names and values are those of the driver's documented interface.
 *
 * Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_DRIVER_H
#define GPUSCAN_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUuuid
{
	char		bytes[16];
} CUuuid;

#define CUDA_SUCCESS					0
#define CUDA_ERROR_INVALID_VALUE		1
#define CUDA_ERROR_OUT_OF_MEMORY		2
#define CUDA_ERROR_NOT_INITIALIZED		3
#define CUDA_ERROR_DEVICE_UNAVAILABLE	46
#define CUDA_ERROR_SYSTEM_DRIVER_MISMATCH 803
#define CUDA_ERROR_NO_DEVICE			100
#define CUDA_ERROR_INVALID_DEVICE		101
#define CUDA_ERROR_INVALID_IMAGE		200
#define CUDA_ERROR_INVALID_CONTEXT		201
#define CUDA_ERROR_NO_BINARY_FOR_GPU	209
#define CUDA_ERROR_ECC_UNCORRECTABLE	214
#define CUDA_ERROR_INVALID_HANDLE		400
#define CUDA_ERROR_NOT_FOUND			500
#define CUDA_ERROR_NOT_READY			600
#define CUDA_ERROR_ILLEGAL_ADDRESS		700
#define CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES 701
#define CUDA_ERROR_LAUNCH_TIMEOUT		702
#define CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED 712
#define CUDA_ERROR_LAUNCH_FAILED		719
#define CUDA_ERROR_NOT_SUPPORTED		801
#define CUDA_ERROR_UNKNOWN				999

#define CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT		16
#define CU_DEVICE_ATTRIBUTE_CLOCK_RATE					13	/* kHz */
#define CU_DEVICE_ATTRIBUTE_INTEGRATED					18
#define CU_DEVICE_ATTRIBUTE_COMPUTE_MODE				20
#define CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE			36	/* kHz */
#define CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH		37	/* bits */
#define CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE				38
#define CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR	75
#define CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR	76
#define CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR 81
#define CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN 97
#define CU_DEVICE_ATTRIBUTE_READ_ONLY_HOST_REGISTER_SUPPORTED 113
#define CU_DEVICE_ATTRIBUTE_ECC_ENABLED					32

#define CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK			0
#define CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES				1
#define CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES				3
#define CU_FUNC_ATTRIBUTE_NUM_REGS						4
#define CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES	8

#define CU_MEMHOSTREGISTER_PORTABLE		0x01
#define CU_STREAM_NON_BLOCKING			0x01
#define CU_EVENT_DEFAULT				0x00
#define CU_EVENT_DISABLE_TIMING			0x02

typedef struct DriverTable
{
	void	   *handle;			/* of dlopen */
#define DRIVER(name, symbol, args) CUresult (*name) args;
#include "engine/cuda/driver.def"
#undef DRIVER
} DriverTable;

/*
 * Open the driver's library and look up every entry point.  False, with a
 * phrase in 'why' (why_size bytes), when there is no library or it lacks an
 * entry point; nothing stays open then.
 */
extern bool gpuscan_driver_open(DriverTable *driver, const char *library, char *why, size_t why_size);

/* A name for a result, never NULL: "CUDA_ERROR_ILLEGAL_ADDRESS". */
extern const char *gpuscan_driver_error(const DriverTable *driver, CUresult result);

/*
 * After this result the context is of no more use, nor is the process: it can
 * only end (documented as "the process must be terminated and relaunched").
 */
extern bool gpuscan_driver_fatal(CUresult result);

#endif							/* GPUSCAN_CUDA_DRIVER_H */
