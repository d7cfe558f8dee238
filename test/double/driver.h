/*-------------------------------------------------------------------------
 *
 * driver.h
 *	  What the driver's entry points have in common.
 *
 * What each takes and gives is in the documentation of the CUDA driver's
 * interface.  An entry point checks what a driver checks, in 'Call' what they
 * all have in common, and leaves the rest to the other files:
 *
 *	   driver_device.cc		the driver, devices, contexts
 *	   driver_module.cc		modules, functions, launches
 *	   driver_memory.cc		memory and copies
 *	   driver_stream.cc		streams and events
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_DRIVER_H
#define CUDA_DOUBLE_DRIVER_H

#include "settings.h"
#include "streams.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#define DOUBLE_MAX_DEVICES	16

/* The context that is current in this thread, or nullptr. */
extern __thread CUcontext double_current;

enum DoubleNeeds
{
	NEEDS_NOTHING, NEEDS_INIT, NEEDS_CONTEXT
};

/*
 * One call: nobody else is in the library while it lasts.  'result' is what
 * it must return at once, if not CUDA_SUCCESS.
 */
struct DoubleCall
{
	CUresult	result;

	DoubleCall(const char *name, DoubleNeeds needs);
	~DoubleCall();
	DoubleCall(const DoubleCall &) = delete;
	DoubleCall &operator=(const DoubleCall &) = delete;
};

#define ENTER(name, needs) \
	DoubleCall	call(#name, needs); \
\
	if (call.result != CUDA_SUCCESS) \
		return call.result

#define INVALID_IF(condition) \
	do { \
		if (condition) \
			return CUDA_ERROR_INVALID_VALUE; \
	} while (0)

/* cuInit was successful. */
extern void double_driver_begun(void);

/* A module and its functions are no more (driver_module.cc). */
extern void double_module_delete(CUmodule module);

/* A block's shared memory: what a function may have, and after it asked for more. */
#define DOUBLE_SHARED_DEFAULT	(48u << 10)
#define DOUBLE_SHARED_OPTIN		(227u << 10)
#define DOUBLE_SHARED_PER_SM	(228u << 10)

#endif							/* CUDA_DOUBLE_DRIVER_H */
