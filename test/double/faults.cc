/*-------------------------------------------------------------------------
 *
 * faults.cc
 *	  The n-th call of an entry point fails as it was asked to.
 *
 * A fault counts from the moment that it was asked for, fires once, and is
 * spent.  cuGetErrorName and cuGetErrorString, which only speak of errors,
 * are not among the calls that "*" counts.
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "settings.h"

#define DOUBLE_MAX_FAULTS	16

enum FaultKind
{
	FAULT_ERROR, FAULT_HANG, FAULT_KILL, FAULT_SEGV
};

struct Fault
{
	char		call[64];
	unsigned long after;		/* so many more calls; 0: spent */
	FaultKind	kind;
	CUresult	error;
};

static Fault faults[DOUBLE_MAX_FAULTS];
static unsigned nfaults;

void
double_faults_clear(void)
{
	nfaults = 0;
}

bool
double_fault_add(const char *text, size_t length)
{
	char		copy[128];
	char	   *number;
	char	   *what;
	char	   *end;
	Fault	   *fault = &faults[nfaults];

	if (nfaults == DOUBLE_MAX_FAULTS || length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	number = strchr(copy, ':');
	what = number ? strchr(number + 1, ':') : nullptr;
	if (what == nullptr || number == copy || (size_t) (number - copy) >= sizeof fault->call)
		return false;
	*number++ = '\0';
	*what++ = '\0';
	strcpy(fault->call, copy);
	fault->after = strtoul(number, &end, 10);
	if (fault->after == 0 || *end != '\0')
		return false;
	fault->kind = FAULT_ERROR;
	fault->error = 0;
	if (strcmp(what, "hang") == 0)
		fault->kind = FAULT_HANG;
	else if (strcmp(what, "kill") == 0)
		fault->kind = FAULT_KILL;
	else if (strcmp(what, "segv") == 0)
		fault->kind = FAULT_SEGV;
	else
	{
		fault->error = (CUresult) strtol(what, &end, 10);
		if (fault->error <= 0 || *end != '\0')
			return false;
	}
	nfaults++;
	return true;
}

static bool
speaks_of_errors(const char *call)
{
	return strcmp(call, "cuGetErrorName") == 0 || strcmp(call, "cuGetErrorString") == 0;
}

CUresult
double_fault(const char *call)
{
	const Fault *fires = nullptr;

	/* all are counted, whichever fires */
	for (unsigned i = 0; i < nfaults; i++)
	{
		Fault	   *fault = &faults[i];

		if (fault->after == 0)
			continue;
		if (strcmp(fault->call, "*") == 0 ? speaks_of_errors(call) : strcmp(fault->call, call) != 0)
			continue;
		if (--fault->after == 0 && fires == nullptr)
			fires = fault;
	}
	if (fires == nullptr)
		return CUDA_SUCCESS;

	double_counters.faults++;
	switch (fires->kind)
	{
		case FAULT_HANG:
			double_say("fault: %s never returns", call);
			for (;;)
				pause();
		case FAULT_KILL:
			double_say("fault: %s kills the process", call);
			raise(SIGKILL);
			break;
		case FAULT_SEGV:
			double_say("fault: %s crashes", call);
			raise(SIGSEGV);
			break;
		case FAULT_ERROR:
			break;
	}
	double_say("fault: %s returns %d (%s)", call, fires->error,
			   double_error_name(fires->error) ? double_error_name(fires->error) : "no error that we know");
	return fires->error;
}
