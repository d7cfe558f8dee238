/*-------------------------------------------------------------------------
 *
 * errors.cc
 *	  Names of errors, and lines on stderr.
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "settings.h"

struct ErrorName
{
	CUresult	error;
	const char *name;
	const char *text;
	bool		sticky;
};

#define ERROR(value, name, text, sticky) {value, #name, text, sticky},
static const ErrorName errors[] = {CUDA_DOUBLE_ERRORS(ERROR)};
#undef ERROR

static const ErrorName *
find(CUresult error)
{
	for (const ErrorName &known : errors)
		if (known.error == error)
			return &known;
	return nullptr;
}

const char *
double_error_name(CUresult error)
{
	const ErrorName *known = find(error);

	return known ? known->name : nullptr;
}

const char *
double_error_text(CUresult error)
{
	const ErrorName *known = find(error);

	return known ? known->text : nullptr;
}

bool
double_error_sticky(CUresult error)
{
	const ErrorName *known = find(error);

	return known && known->sticky;
}

void
double_say(const char *format,...)
{
	char		line[1200];
	va_list		args;
	int			used = snprintf(line, sizeof line, "CUDA double: ");

	va_start(args, format);
	used += vsnprintf(line + used, sizeof line - (size_t) used - 1, format, args);
	va_end(args);
	if (used > (int) sizeof line - 2)
		used = (int) sizeof line - 2;
	line[used++] = '\n';

	/* one write, so that lines of several processes stay whole */
	if (write(STDERR_FILENO, line, (size_t) used) < 0)
		return;
}
