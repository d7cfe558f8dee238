/*-------------------------------------------------------------------------
 *
 * driver.cc
 *	  What the driver's entry points have in common: locks, faults, errors.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>

#include "counters.h"
#include "driver.h"

__thread CUcontext double_current;

static bool begun;				/* by cuInit */
static bool forked;				/* since: a driver is of no use in the child */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
at_fork(void)
{
	forked = begun;
	pthread_mutex_init(&lock, nullptr);
}

__attribute__((constructor)) static void
at_load(void)
{
	pthread_atfork(nullptr, nullptr, at_fork);
}

void
double_driver_begun(void)
{
	begun = true;
}

DoubleCall::DoubleCall(const char *name, DoubleNeeds needs)
{
	result = CUDA_SUCCESS;
	if (forked)
	{
		result = CUDA_ERROR_NOT_INITIALIZED;
		pthread_mutex_lock(&lock);
		return;
	}
	pthread_mutex_lock(&lock);
	double_counters.calls++;
	double_settings_poll();
	result = double_fault(name);
	if (result != CUDA_SUCCESS)
	{
		if (double_current != nullptr && double_error_sticky(result))
			double_current->error = result;
		return;
	}
	if (needs >= NEEDS_INIT && !begun)
		result = CUDA_ERROR_NOT_INITIALIZED;
	else if (needs == NEEDS_CONTEXT && (double_current == nullptr || double_current->retained == 0))
		result = CUDA_ERROR_INVALID_CONTEXT;
	else if (needs == NEEDS_CONTEXT)
		result = double_current->error;
}

DoubleCall::~DoubleCall()
{
	pthread_mutex_unlock(&lock);
}

EXPORT int
cuda_double_set(const char *settings)
{
	bool		good;

	pthread_mutex_lock(&lock);
	double_settings_poll();
	good = double_settings_apply(settings);
	pthread_mutex_unlock(&lock);
	return good ? 0 : -1;
}
