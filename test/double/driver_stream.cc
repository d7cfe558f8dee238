/*-------------------------------------------------------------------------
 *
 * driver_stream.cc
 *	  Streams and events.
 *
 *-------------------------------------------------------------------------
 */
#include "driver.h"

/* ------------------------------------------------------------------------
 * Streams
 * ------------------------------------------------------------------------
 */
#define STREAM_NON_BLOCKING		1u
#define EVENT_DISABLE_TIMING	2u

EXPORT CUresult
cuStreamCreate(CUstream *stream, unsigned flags)
{
	ENTER(cuStreamCreate, NEEDS_CONTEXT);
	INVALID_IF(stream == nullptr || (flags & ~STREAM_NON_BLOCKING) != 0);
	*stream = double_stream_create(double_current, (flags & STREAM_NON_BLOCKING) == 0);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuStreamDestroy_v2(CUstream stream)
{
	ENTER(cuStreamDestroy_v2, NEEDS_CONTEXT);
	if (!double_handle_is(stream, DOUBLE_STREAM, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_stream_destroy(stream);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuStreamSynchronize(CUstream stream)
{
	ENTER(cuStreamSynchronize, NEEDS_CONTEXT);
	stream = double_stream_find(double_current, stream);
	if (stream == nullptr)
		return CUDA_ERROR_INVALID_HANDLE;
	double_stream_finish(stream);
	return double_current->error;
}

EXPORT CUresult
cuStreamQuery(CUstream stream)
{
	bool		done;

	ENTER(cuStreamQuery, NEEDS_CONTEXT);
	stream = double_stream_find(double_current, stream);
	if (stream == nullptr)
		return CUDA_ERROR_INVALID_HANDLE;
	done = double_stream_poll(stream);
	if (double_current->error != CUDA_SUCCESS)
		return double_current->error;
	return done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

EXPORT CUresult
cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags)
{
	DoubleWork	work = {};

	ENTER(cuStreamWaitEvent, NEEDS_CONTEXT);
	INVALID_IF(flags != 0);
	stream = double_stream_find(double_current, stream);
	if (stream == nullptr || !double_handle_is(event, DOUBLE_EVENT, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	work.kind = DOUBLE_WAIT;
	work.event = event;
	work.recording = event->recorded;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}

/* ------------------------------------------------------------------------
 * Events
 * ------------------------------------------------------------------------
 */
EXPORT CUresult
cuEventCreate(CUevent *event, unsigned flags)
{
	ENTER(cuEventCreate, NEEDS_CONTEXT);
	INVALID_IF(event == nullptr || flags > 7);
	*event = double_event_create(double_current, (flags & EVENT_DISABLE_TIMING) == 0);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventDestroy_v2(CUevent event)
{
	ENTER(cuEventDestroy_v2, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_event_destroy(event);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventRecord(CUevent event, CUstream stream)
{
	DoubleWork	work = {};

	ENTER(cuEventRecord, NEEDS_CONTEXT);
	stream = double_stream_find(double_current, stream);
	if (stream == nullptr || !double_handle_is(event, DOUBLE_EVENT, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	work.kind = DOUBLE_RECORD;
	work.event = event;
	work.recording = ++event->recorded;
	double_stream_give(stream, &work);
	return CUDA_SUCCESS;
}

EXPORT CUresult
cuEventQuery(CUevent event)
{
	bool		done;

	ENTER(cuEventQuery, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	done = double_event_poll(event);
	if (double_current->error != CUDA_SUCCESS)
		return double_current->error;
	return done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

EXPORT CUresult
cuEventSynchronize(CUevent event)
{
	ENTER(cuEventSynchronize, NEEDS_CONTEXT);
	if (!double_handle_is(event, DOUBLE_EVENT, double_current))
		return CUDA_ERROR_INVALID_HANDLE;
	double_event_finish(event);
	return double_current->error;
}

EXPORT CUresult
cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end)
{
	ENTER(cuEventElapsedTime, NEEDS_CONTEXT);
	INVALID_IF(milliseconds == nullptr);
	if (!double_handle_is(start, DOUBLE_EVENT, double_current) || !double_handle_is(end, DOUBLE_EVENT, double_current) ||
		!start->timing || !end->timing || start->recorded == 0 || end->recorded == 0)
		return CUDA_ERROR_INVALID_HANDLE;
	if (start->completed < start->recorded || end->completed < end->recorded)
		return CUDA_ERROR_NOT_READY;
	*milliseconds = (float) ((double) (int64_t) (end->time - start->time) / 1e6);
	return CUDA_SUCCESS;
}
