/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  Test Anything Protocol: one line a test, the plan at the end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int	tap_run;
static int	tap_failed;

/* A line that explains; TAP wants it to begin with '#'. */
__attribute__((format(printf, 1, 2), unused)) static void
diag(const char *fmt,...)
{
	va_list		args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

__attribute__((format(printf, 2, 3), unused)) static bool
ok(bool passed, const char *fmt,...)
{
	va_list		args;

	printf("%s %d - ", passed ? "ok" : "not ok", ++tap_run);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);				/* what comes next may end by a sanitizer's report */
	tap_failed += !passed;
	return passed;
}

__attribute__((unused)) static int
tap_done(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed != 0;
}

#endif							/* UNIT_TAP_H */
