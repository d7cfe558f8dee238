/*-------------------------------------------------------------------------
 *
 * driver_types.h
 *	  Types and constants of the driver's interface, as far as we have it.
 *
 * Names and values are those of the documented interface; cuda.h itself is
 * not needed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_DRIVER_TYPES_H
#define CUDA_DOUBLE_DRIVER_TYPES_H

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
struct CUuuid
{
	char		bytes[16];
};

#define CU_STREAM_LEGACY	((CUstream) 1)
#define CU_STREAM_PER_THREAD ((CUstream) 2)

/* ERROR(value, name, what cuGetErrorString says, does the context end by it) */
#define CUDA_DOUBLE_ERRORS(ERROR) \
	ERROR(0, CUDA_SUCCESS, "no error", false) \
	ERROR(1, CUDA_ERROR_INVALID_VALUE, "invalid argument", false) \
	ERROR(2, CUDA_ERROR_OUT_OF_MEMORY, "out of memory", false) \
	ERROR(3, CUDA_ERROR_NOT_INITIALIZED, "initialization error", false) \
	ERROR(4, CUDA_ERROR_DEINITIALIZED, "driver shutting down", false) \
	ERROR(34, CUDA_ERROR_STUB_LIBRARY, "CUDA driver is a stub library", false) \
	ERROR(46, CUDA_ERROR_DEVICE_UNAVAILABLE, "CUDA-capable device(s) is/are busy or unavailable", false) \
	ERROR(100, CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected", false) \
	ERROR(101, CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal", false) \
	ERROR(200, CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid", false) \
	ERROR(201, CUDA_ERROR_INVALID_CONTEXT, "invalid device context", false) \
	ERROR(209, CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device", false) \
	ERROR(214, CUDA_ERROR_ECC_UNCORRECTABLE, "uncorrectable ECC error encountered", true) \
	ERROR(218, CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed", false) \
	ERROR(220, CUDA_ERROR_NVLINK_UNCORRECTABLE, "uncorrectable NVLink error detected during the execution", true) \
	ERROR(222, CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "the provided PTX was compiled with an unsupported toolchain.", false) \
	ERROR(304, CUDA_ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS", false) \
	ERROR(400, CUDA_ERROR_INVALID_HANDLE, "invalid resource handle", false) \
	ERROR(500, CUDA_ERROR_NOT_FOUND, "named symbol not found", false) \
	ERROR(600, CUDA_ERROR_NOT_READY, "device not ready", false) \
	ERROR(700, CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered", true) \
	ERROR(701, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch", false) \
	ERROR(702, CUDA_ERROR_LAUNCH_TIMEOUT, "the launch timed out and was terminated", true) \
	ERROR(710, CUDA_ERROR_ASSERT, "device-side assert triggered", true) \
	ERROR(712, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part or all of the requested memory range is already mapped", false) \
	ERROR(713, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "pointer does not correspond to a registered memory region", false) \
	ERROR(714, CUDA_ERROR_HARDWARE_STACK_ERROR, "hardware stack error", true) \
	ERROR(715, CUDA_ERROR_ILLEGAL_INSTRUCTION, "an illegal instruction was encountered", true) \
	ERROR(716, CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address", true) \
	ERROR(717, CUDA_ERROR_INVALID_ADDRESS_SPACE, "operation not supported on global/shared address space", true) \
	ERROR(718, CUDA_ERROR_INVALID_PC, "invalid program counter", true) \
	ERROR(719, CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure", true) \
	ERROR(800, CUDA_ERROR_NOT_PERMITTED, "operation not permitted", false) \
	ERROR(801, CUDA_ERROR_NOT_SUPPORTED, "operation not supported", false) \
	ERROR(802, CUDA_ERROR_SYSTEM_NOT_READY, "system not yet initialized", false) \
	ERROR(803, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "system has unsupported display driver / cuda driver combination", false) \
	ERROR(999, CUDA_ERROR_UNKNOWN, "unknown error", true)

#define CUDA_DOUBLE_ERROR_CONSTANT(value, name, text, sticky) name = value,
enum
{
	CUDA_DOUBLE_ERRORS(CUDA_DOUBLE_ERROR_CONSTANT)
};

#endif							/* CUDA_DOUBLE_DRIVER_TYPES_H */
