/*-------------------------------------------------------------------------
 *
 * report.c
 *	  Errors and interrupts between the model library and the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "model/sql/report.h"
#include "utils/memutils.h"

/*
 * CHECK_FOR_INTERRUPTS would jump over the library's frames, and what they have
 * allocated would be lost.
 */
static bool
interrupted(void *context)
{
	ModelCall  *call = context;
	MemoryContext caller = CurrentMemoryContext;

	if (!INTERRUPTS_PENDING_CONDITION())
		return false;
	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		call->interrupt = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return call->interrupt != NULL;
}

void
model_call_begin(ModelCall *call)
{
	memset(call, 0, sizeof *call);
	call->progress.cancelled = interrupted;
	call->progress.context = call;
}

void
model_call_failed(const ModelCall *call, const char *model)
{
	static const int codes[] = {
		[MODEL_OK] = ERRCODE_INTERNAL_ERROR,
		[MODEL_CORRUPT] = ERRCODE_DATA_CORRUPTED,
		[MODEL_UNSUPPORTED] = ERRCODE_FEATURE_NOT_SUPPORTED,
		[MODEL_IO] = ERRCODE_IO_ERROR,
		[MODEL_NO_MEMORY] = ERRCODE_OUT_OF_MEMORY,
		[MODEL_BAD_INPUT] = ERRCODE_INVALID_PARAMETER_VALUE,
		[MODEL_TOO_LONG] = ERRCODE_STRING_DATA_RIGHT_TRUNCATION,
		[MODEL_CANCELLED] = ERRCODE_QUERY_CANCELED,
	};

	if (call->interrupt)
		ReThrowError(call->interrupt);
	ereport(ERROR,
			(errcode(codes[call->error.kind]),
			 errmsg("model \"%s\": %s", model, call->error.message),
			 call->error.kind == MODEL_TOO_LONG ?
			 errhint("Shorten the text, or cut it into pieces; embed() has the option {\"truncate\": true}.") :
			 call->error.kind == MODEL_NO_MEMORY ? errhint("gpuscan.model_memory bounds what the models of a session take, gpuscan.generation_memory what texts do.") : 0));
}
