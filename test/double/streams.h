/*-------------------------------------------------------------------------
 *
 * streams.h
 *	  Contexts, streams, events, and the work that waits in streams.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_STREAMS_H
#define CUDA_DOUBLE_STREAMS_H

#include <deque>

#include "driver_types.h"
#include "launch.h"

enum DoubleHandleKind
{
	DOUBLE_CONTEXT, DOUBLE_MODULE, DOUBLE_FUNCTION, DOUBLE_STREAM, DOUBLE_EVENT
};

/* What every handle begins with. */
struct DoubleHandle
{
	DoubleHandleKind kind;
	CUcontext	context;
};

struct DoubleWork;

struct CUstream_st : DoubleHandle
{
	bool		blocking;		/* waits for the null stream, and it for this */
	bool		null;
	bool		destroyed;		/* by its owner, work is left */
	std::deque<DoubleWork *> work;
};

struct CUevent_st : DoubleHandle
{
	bool		timing;
	uint64_t	recorded;		/* so many times it was recorded by the client, */
	uint64_t	completed;		/* and the last of them that was reached, */
	uint64_t	time;			/* then */
	unsigned	waiting;		/* work that names it */
	bool		destroyed;
};

struct CUctx_st : DoubleHandle
{
	int			device;
	unsigned	retained;
	CUresult	error;			/* every call returns it from now on */
	CUstream	null_stream;
	std::deque<CUstream> streams;	/* the null stream is the first */
};

struct CUmod_st : DoubleHandle
{
	std::deque<CUfunction> functions;	/* that were asked for */
};

struct CUfunc_st : DoubleHandle
{
	cuda_double_kernel *kernel;
	unsigned	max_shared;		/* bytes of dynamic shared memory that it may have */
};

enum DoubleWorkKind
{
	DOUBLE_TO_DEVICE, DOUBLE_TO_HOST, DOUBLE_ON_DEVICE, DOUBLE_SET, DOUBLE_LAUNCH, DOUBLE_RECORD, DOUBLE_WAIT
};

struct DoubleWork
{
	DoubleWorkKind kind;
	uint64_t	number;			/* in the order of the client's calls */

	/* copies and sets */
	void	   *to;
	const void *from;
	size_t		bytes;
	unsigned char value;

	/* DOUBLE_RECORD and DOUBLE_WAIT: which recording of the event */
	CUevent		event;
	uint64_t	recording;

	/* DOUBLE_LAUNCH; params are the client's until the work is queued */
	DoubleLaunch launch;
};

/* ------------------------------------------------------------------------
 * handles.cc
 * ------------------------------------------------------------------------
 */

/* Is this a handle of that kind (and context) that has not been destroyed? */
extern bool double_handle_is(const void *handle, DoubleHandleKind kind, CUcontext context);

extern void double_handle_add(DoubleHandle *handle, DoubleHandleKind kind, CUcontext context);
extern void double_handle_remove(DoubleHandle *handle);

/* A handle of the kind that belongs to the context, or nullptr. */
extern DoubleHandle *double_handle_any(DoubleHandleKind kind, CUcontext context);

/* ------------------------------------------------------------------------
 * streams.cc
 * ------------------------------------------------------------------------
 */
extern CUstream double_stream_create(CUcontext context, bool blocking);
extern void double_stream_destroy(CUstream stream);

/* The stream that a client means, or nullptr. */
extern CUstream double_stream_find(CUcontext context, CUstream stream);

extern CUevent double_event_create(CUcontext context, bool timing);
extern void double_event_destroy(CUevent event);

/*
 * Give a stream work.  It is done at once, or later; errors of what it does
 * become the context's, and show in a later call.
 */
extern void double_stream_give(CUstream stream, const DoubleWork *work);

/* Do what is left, of a stream or of all, or up to an event's last recording. */
extern void double_stream_finish(CUstream stream);
extern void double_context_finish(CUcontext context);
extern void double_event_finish(CUevent event);

/* Has all been done?  If not, something is done now, so that it will be. */
extern bool double_stream_poll(CUstream stream);
extern bool double_event_poll(CUevent event);

#endif							/* CUDA_DOUBLE_STREAMS_H */
