/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  What the double is told to do, and the faults that it is asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CUDA_DOUBLE_SETTINGS_H
#define CUDA_DOUBLE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "launch.h"

struct DoubleSettings
{
	DoubleSchedule schedule;
	uint64_t	seed;
	unsigned	yield;			/* random: one atomic of so many gives its turn away */
	bool		deferred;		/* streams */
	uint64_t	memory;			/* bytes of a device */
	uint64_t	addresses;		/* bytes of addresses for memory of devices */
	unsigned	align;			/* of an allocation's begin */
	unsigned	devices;
	unsigned	sms;
	unsigned	driver;			/* version */
	unsigned	slow;			/* microseconds more for each launch */
	unsigned	timeout;		/* seconds after which threads that only wait have failed */
	bool		abort;			/* of the process, where a kernel fails */
	char		counters[512];	/* file, or "" */
};

extern DoubleSettings double_settings;

/*
 * For every call of the driver: the settings, the first time, and again when
 * the control file has changed.  Costs one stat().
 */
extern void double_settings_poll(void);

/* "key=value,key=value" on top of what holds; false, with a line on stderr. */
extern bool double_settings_apply(const char *text);

/* From the seed; of 0 .. n - 1. */
extern unsigned double_random(void);

static inline unsigned
double_random_below(unsigned n)
{
	return (unsigned) ((uint64_t) double_random() * n >> 32);
}

/* A line on stderr, "CUDA double: ...". */
extern void double_say(const char *format,...) __attribute__((format(printf, 1, 2)));

/* ------------------------------------------------------------------------
 * faults.cc
 * ------------------------------------------------------------------------
 */

/* "CALL:N:ERROR"; false: it does not read so. */
extern bool double_fault_add(const char *text, size_t length);
extern void double_faults_clear(void);

/*
 * An entry point was called: the error that it shall return without doing
 * anything, or 0.  Or this does not return.
 */
extern CUresult double_fault(const char *call);

/* ------------------------------------------------------------------------
 * errors.cc
 * ------------------------------------------------------------------------
 */
extern const char *double_error_name(CUresult error);	/* nullptr: not one */
extern const char *double_error_text(CUresult error);
extern bool double_error_sticky(CUresult error);

#endif							/* CUDA_DOUBLE_SETTINGS_H */
