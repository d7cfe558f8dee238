/*-------------------------------------------------------------------------
 *
 * handles.cc
 *	  Which handles there are.
 *
 * A client that uses a handle after it was destroyed, or one of another
 * context, shall get the driver's error and not crash: so handles are looked
 * up before anything looks into them.
 *
 *-------------------------------------------------------------------------
 */
#include <set>

#include "streams.h"

static std::set<const void *> &handles = *new std::set<const void *>;

/* What clients give us may be anything: it is no handle until it was found. */
bool
double_handle_is(const void *handle, DoubleHandleKind kind, CUcontext context)
{
	const DoubleHandle *known;

	if (handles.count(handle) == 0)
		return false;
	known = (const DoubleHandle *) handle;
	return known->kind == kind && known->context == context;
}

void
double_handle_add(DoubleHandle *handle, DoubleHandleKind kind, CUcontext context)
{
	handle->kind = kind;
	handle->context = context;
	handles.insert((const void *) handle);
}

void
double_handle_remove(DoubleHandle *handle)
{
	handles.erase((const void *) handle);
}

DoubleHandle *
double_handle_any(DoubleHandleKind kind, CUcontext context)
{
	for (const void *known : handles)
	{
		DoubleHandle *handle = (DoubleHandle *) known;

		if (handle->kind == kind && handle->context == context)
			return handle;
	}
	return nullptr;
}
