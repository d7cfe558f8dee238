/*-------------------------------------------------------------------------
 *
 * report.h
 *	  Between the model library, which knows nothing of PostgreSQL, and the
 *	  server: errors and interrupts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_REPORT_H
#define GPUSCAN_MODEL_SQL_REPORT_H

#include "compat.h"
#include "model/model_error.h"
#include "model/tokens.h"

/*
 * A call into the library: what it asks while it works, and what it says.  An
 * interrupt that becomes an error is kept, so that the library can give back what
 * it holds, and thrown by model_call_failed.
 */
typedef struct ModelCall
{
	ModelProgress progress;
	ModelError	error;
	struct ErrorData *interrupt;
} ModelCall;

extern void model_call_begin(ModelCall *call);
/* The call has returned false: throws.  model: its name, for the message. */
pg_noreturn extern void model_call_failed(const ModelCall *call, const char *model);

#endif							/* GPUSCAN_MODEL_SQL_REPORT_H */
