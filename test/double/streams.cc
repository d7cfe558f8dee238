/*-------------------------------------------------------------------------
 *
 * streams.cc
 *	  Work in streams: done at once, or as late as a device might.
 *
 * Eager: a call's work is done before the call returns.  A client that forgets
 * to wait for it never notices.
 *
 * Deferred: work is kept until the client waits for it.  Then only that is
 * done which has to be done by then: the stream's own work, and what that
 * depends on, through events and through the null stream.  A copy to the
 * device reads the host's memory only then, so a buffer that was used again
 * too early shows.  A query does one piece of work and says "not ready", so
 * that a client which polls sees both.
 *
 * With the random schedule, which work is next is chosen at random among what
 * could be, and some is done as soon as it is given.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "memory.h"
#include "settings.h"
#include "streams.h"

/* ------------------------------------------------------------------------
 * Streams and events
 * ------------------------------------------------------------------------
 */
CUstream
double_stream_create(CUcontext context, bool blocking)
{
	CUstream	stream = new CUstream_st();

	double_handle_add(stream, DOUBLE_STREAM, context);
	stream->blocking = blocking;
	context->streams.push_back(stream);
	return stream;
}

static void
stream_forget(CUstream stream)
{
	std::deque<CUstream> &streams = stream->context->streams;

	for (size_t i = 0; i < streams.size(); i++)
		if (streams[i] == stream)
		{
			streams.erase(streams.begin() + (long) i);
			break;
		}
	delete stream;
}

/* What it was given will still be done. */
void
double_stream_destroy(CUstream stream)
{
	double_handle_remove(stream);
	stream->destroyed = true;
	if (stream->work.empty())
		stream_forget(stream);
}

CUstream
double_stream_find(CUcontext context, CUstream stream)
{
	if (stream == nullptr || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD)
		return context->null_stream;
	return double_handle_is(stream, DOUBLE_STREAM, context) ? stream : nullptr;
}

CUevent
double_event_create(CUcontext context, bool timing)
{
	CUevent		event = new CUevent_st();

	double_handle_add(event, DOUBLE_EVENT, context);
	event->timing = timing;
	return event;
}

void
double_event_destroy(CUevent event)
{
	double_handle_remove(event);
	event->destroyed = true;
	if (event->waiting == 0)
		delete event;
}

/* ------------------------------------------------------------------------
 * Work
 * ------------------------------------------------------------------------
 */
static CUresult
work_do(const DoubleWork *work)
{
	switch (work->kind)
	{
		case DOUBLE_TO_DEVICE:
			double_counters.copies_to_device++;
			double_counters.bytes_to_device += work->bytes;
			if (!double_host_registered(work->from, work->bytes))
				double_counters.bytes_to_device_pageable += work->bytes;
			memcpy(work->to, work->from, work->bytes);
			break;
		case DOUBLE_TO_HOST:
			double_counters.copies_to_host++;
			double_counters.bytes_to_host += work->bytes;
			if (!double_host_registered(work->to, work->bytes))
				double_counters.bytes_to_host_pageable += work->bytes;
			memcpy(work->to, work->from, work->bytes);
			break;
		case DOUBLE_ON_DEVICE:
			double_counters.bytes_on_device += work->bytes;
			memmove(work->to, work->from, work->bytes);
			break;
		case DOUBLE_SET:
			double_counters.bytes_set += work->bytes;
			memset(work->to, work->value, work->bytes);
			break;
		case DOUBLE_LAUNCH:
			return double_launch(&work->launch);
		case DOUBLE_RECORD:
			if (work->recording > work->event->completed)
				work->event->completed = work->recording;
			work->event->time = cuda_double_clock();
			break;
		case DOUBLE_WAIT:
			break;
	}
	return CUDA_SUCCESS;
}

/* Arguments, as they are now, behind the pointers to them. */
static void
params_copy(DoubleLaunch *launch)
{
	const cuda_double_kernel *kernel = launch->kernel;
	size_t		bytes = kernel->nparams * sizeof(void *);
	char	   *copy;

	for (unsigned i = 0; i < kernel->nparams; i++)
		bytes += (kernel->sizes[i] + 15) / 16 * 16 + 16;
	copy = (char *) malloc(bytes);
	if (copy == nullptr)
		abort();
	bytes = (kernel->nparams * sizeof(void *) + 15) / 16 * 16;
	for (unsigned i = 0; i < kernel->nparams; i++)
	{
		memcpy(copy + bytes, launch->params[i], kernel->sizes[i]);
		((void **) (void *) copy)[i] = copy + bytes;
		bytes += (kernel->sizes[i] + 15) / 16 * 16;
	}
	launch->params = (void **) (void *) copy;
}

static void
work_free(DoubleWork *work)
{
	if (work->event != nullptr && --work->event->waiting == 0 && work->event->destroyed)
		delete work->event;
	if (work->kind == DOUBLE_LAUNCH)
		free(work->launch.params);
	delete work;
}

/* The context has failed: nothing that waits will be done. */
static void
context_drop(CUcontext context)
{
	std::deque<CUstream> streams = context->streams;

	for (CUstream stream : streams)
	{
		for (DoubleWork *work : stream->work)
			work_free(work);
		stream->work.clear();
		if (stream->destroyed)
			stream_forget(stream);
	}
}

static void
context_fail(CUcontext context, CUresult error)
{
	context->error = error;
	context_drop(context);
}

/* Do the first work of a stream. */
static void
stream_step(CUstream stream)
{
	CUcontext	context = stream->context;
	DoubleWork *work = stream->work.front();
	CUresult	result;

	stream->work.pop_front();
	result = work_do(work);
	work_free(work);
	if (stream->destroyed && stream->work.empty())
		stream_forget(stream);
	if (result != CUDA_SUCCESS)
		context_fail(context, result);
}

/* ------------------------------------------------------------------------
 * What has to be done first
 * ------------------------------------------------------------------------
 */

/* The stream in which this recording of an event waits to be reached. */
static CUstream
stream_of(CUevent event, uint64_t recording)
{
	for (CUstream stream : event->context->streams)
		for (const DoubleWork *work : stream->work)
			if (work->kind == DOUBLE_RECORD && work->event == event && work->recording == recording)
				return stream;
	return nullptr;
}

/* Who has to do something before this stream's first work?  Or nullptr. */
static CUstream
blocked_by(CUstream stream)
{
	const DoubleWork *first = stream->work.front();
	CUcontext	context = stream->context;

	if (first->kind == DOUBLE_WAIT && first->event->completed < first->recording)
		return stream_of(first->event, first->recording);
	if (stream->null)
	{
		for (CUstream other : context->streams)
			if (other->blocking && !other->null && !other->work.empty() && other->work.front()->number < first->number)
				return other;
	}
	else if (stream->blocking && !context->null_stream->work.empty() &&
			 context->null_stream->work.front()->number < first->number)
		return context->null_stream;
	return nullptr;
}

/* Do one piece of work, for the sake of this stream, which has some. */
static void
step_for(CUstream stream)
{
	CUstream	before;

	if (double_settings.schedule == DOUBLE_RANDOM)
	{
		std::deque<CUstream> &streams = stream->context->streams;
		size_t		i = double_random_below((unsigned) streams.size());

		/* there is one: work given first waits for nothing */
		while (streams[i]->work.empty() || blocked_by(streams[i]) != nullptr)
			i = (i + 1) % streams.size();
		stream_step(streams[i]);
		return;
	}
	while ((before = blocked_by(stream)) != nullptr)
		stream = before;
	stream_step(stream);
}

/* ------------------------------------------------------------------------
 * What clients ask for
 * ------------------------------------------------------------------------
 */
void
double_stream_give(CUstream stream, const DoubleWork *work)
{
	static uint64_t given;
	CUcontext	context = stream->context;
	DoubleWork *copy;

	if (!double_settings.deferred)
	{
		CUresult	result;

		double_context_finish(context);	/* of the time when they were deferred */
		if (context->error != CUDA_SUCCESS)
			return;
		result = work_do(work);
		if (result != CUDA_SUCCESS)
			context_fail(context, result);
		return;
	}
	copy = new DoubleWork(*work);
	copy->number = ++given;
	if (copy->kind == DOUBLE_LAUNCH)
		params_copy(&copy->launch);
	if (copy->event != nullptr)
		copy->event->waiting++;
	stream->work.push_back(copy);
	if (double_settings.schedule == DOUBLE_RANDOM && double_random_below(4) == 0)
		step_for(stream);
}

void
double_stream_finish(CUstream stream)
{
	while (!stream->work.empty())
		step_for(stream);
}

void
double_context_finish(CUcontext context)
{
	bool		more = true;

	while (more)
	{
		more = false;
		for (CUstream stream : context->streams)
			if (!stream->work.empty())
			{
				step_for(stream);
				more = true;
				break;			/* the list may be another one now */
			}
	}
}

void
double_event_finish(CUevent event)
{
	uint64_t	recording = event->recorded;

	while (event->completed < recording && event->context->error == CUDA_SUCCESS)
		step_for(stream_of(event, recording));
}

bool
double_stream_poll(CUstream stream)
{
	if (stream->work.empty())
		return true;
	step_for(stream);
	return false;
}

bool
double_event_poll(CUevent event)
{
	if (event->completed >= event->recorded)
		return true;
	step_for(stream_of(event, event->recorded));
	return false;
}
