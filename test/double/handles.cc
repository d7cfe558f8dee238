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

static std::set<const DoubleHandle *> &handles = *new std::set<const DoubleHandle *>;

bool
double_handle_is(const DoubleHandle *handle, DoubleHandleKind kind, CUcontext context)
{
	return handles.count(handle) > 0 && handle->kind == kind && handle->context == context;
}

void
double_handle_add(DoubleHandle *handle, DoubleHandleKind kind, CUcontext context)
{
	handle->kind = kind;
	handle->context = context;
	handles.insert(handle);
}

void
double_handle_remove(DoubleHandle *handle)
{
	handles.erase(handle);
}

DoubleHandle *
double_handle_any(DoubleHandleKind kind, CUcontext context)
{
	for (const DoubleHandle *handle : handles)
		if (handle->kind == kind && handle->context == context)
			return const_cast<DoubleHandle *>(handle);
	return nullptr;
}
