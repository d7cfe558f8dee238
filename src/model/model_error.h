/*-------------------------------------------------------------------------
 *
 * model_error.h
 *	  How the model library says what is wrong.
 *
 * The library knows nothing of PostgreSQL: a function that can fail takes a
 * ModelError, fills it and returns false or NULL.  The SQL layer makes an ERROR
 * of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_ERROR_H
#define GPUSCAN_MODEL_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum ModelErrorKind
{
	MODEL_OK,
	MODEL_CORRUPT,				/* the file contradicts itself, or its size */
	MODEL_UNSUPPORTED,			/* a format, type or architecture that we do not have */
	MODEL_IO,					/* the file cannot be read, or has changed */
	MODEL_NO_MEMORY,
	MODEL_BAD_INPUT,			/* what the caller gave */
	MODEL_TOO_LONG,				/* a text of more tokens than the model takes */
	MODEL_CANCELLED
} ModelErrorKind;

typedef struct ModelError
{
	ModelErrorKind kind;
	char		message[400];	/* in PostgreSQL's style: lower case, no period */
} ModelError;

/* Always false, so that 'return model_error(...)' says both. */
__attribute__((format(printf, 3, 4), unused)) static inline bool
model_error(ModelError *error, ModelErrorKind kind, const char *format, ...)
{
	va_list		args;

	error->kind = kind;
	va_start(args, format);
	vsnprintf(error->message, sizeof error->message, format, args);
	va_end(args);
	return false;
}

#endif							/* GPUSCAN_MODEL_ERROR_H */
