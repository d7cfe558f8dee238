/*-------------------------------------------------------------------------
 *
 * counters.cc
 *	  What was done, counted; and the list of kernels that it is counted for.
 *
 * Atomics are counted by the kernels' own code (atomics.h), all together; a
 * kernel's share is what came while it ran.
 *
 * A line of the counters' file is a JSON object, so that a test in SQL can
 * read it.
 *
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "settings.h"

struct cuda_double_counters double_counters;

static struct cuda_double_kernel_counters outside;	/* of any kernel */
struct cuda_double_kernel_counters *double_counting = &outside;

static uint64_t atomics_before;

/* ------------------------------------------------------------------------
 * Kernels
 * ------------------------------------------------------------------------
 */
static cuda_double_kernel *kernels;

cuda_double_kernel::cuda_double_kernel(const char *name_, void (*run_) (void **params), unsigned nparams_,
									   const size_t *sizes_)
	: name(name_), run(run_), nparams(nparams_), sizes(sizes_), next(kernels), counters()
{
	kernels = this;
}

cuda_double_kernel *
double_kernel_find(const char *name)
{
	for (cuda_double_kernel *kernel = kernels; kernel != nullptr; kernel = kernel->next)
		if (strcmp(kernel->name, name) == 0)
			return kernel;
	return nullptr;
}

void
double_counters_kernel(cuda_double_kernel *kernel)
{
	double_counting->atomics += cuda_double_atomics - atomics_before;
	atomics_before = cuda_double_atomics;
	double_counting = kernel ? &kernel->counters : &outside;
}

/* ------------------------------------------------------------------------
 * To whom it concerns
 * ------------------------------------------------------------------------
 */
#define EXPORT __attribute__((visibility("default")))

extern "C" EXPORT void
cuda_double_counters(struct cuda_double_counters *counters)
{
	*counters = double_counters;
	counters->nkernels = 0;
	memset(&counters->all, 0, sizeof counters->all);
	for (cuda_double_kernel *kernel = kernels; kernel != nullptr; kernel = kernel->next)
	{
#define ADD(name) counters->all.name += kernel->counters.name;
		CUDA_DOUBLE_KERNEL_COUNTERS(ADD)
#undef ADD
		if (counters->nkernels < CUDA_DOUBLE_MAX_KERNELS)
		{
			counters->kernels[counters->nkernels].name = kernel->name;
			counters->kernels[counters->nkernels++].counters = kernel->counters;
		}
	}
}

extern "C" EXPORT void
cuda_double_counters_reset(void)
{
	struct cuda_double_counters before = double_counters;

	memset(&double_counters, 0, sizeof double_counters);

	/* what is, stays */
	double_counters.bytes_allocated = before.bytes_allocated;
	double_counters.bytes_allocated_most = before.bytes_allocated;
	double_counters.host_bytes_registered = before.host_bytes_registered;
	for (cuda_double_kernel *kernel = kernels; kernel != nullptr; kernel = kernel->next)
		memset(&kernel->counters, 0, sizeof kernel->counters);
}

/* Room for a line: two dozen numbers of the process, a dozen of each kernel. */
static char line[64 * 1024];

static size_t
line_kernel(size_t used, const char *name, const struct cuda_double_kernel_counters *counters)
{
	if (used + 1024 > sizeof line)
		return used;
	used += (size_t) snprintf(line + used, sizeof line - used, "\"%s\": {", name);
#define PUT(name) used += (size_t) snprintf(line + used, sizeof line - used, "\"" #name "\": %llu, ", \
											(unsigned long long) counters->name);
	CUDA_DOUBLE_KERNEL_COUNTERS(PUT)
#undef PUT
	used -= 2;					/* the last comma */
	return used + (size_t) snprintf(line + used, sizeof line - used, "}");
}

void
double_counters_write(const char *when)
{
	static struct cuda_double_counters now;
	size_t		used;
	int			file;

	if (double_settings.counters[0] == '\0')
		return;
	cuda_double_counters(&now);
	used = (size_t) snprintf(line, sizeof line, "{\"pid\": %d, \"when\": \"%s\", ", (int) getpid(), when);
#define PUT(name) used += (size_t) snprintf(line + used, sizeof line - used, "\"" #name "\": %llu, ", \
											(unsigned long long) now.name);
	CUDA_DOUBLE_PROCESS_COUNTERS(PUT)
#undef PUT
	used = line_kernel(used, "all", &now.all);
	used += (size_t) snprintf(line + used, sizeof line - used, ", \"kernels\": {");
	for (unsigned i = 0; i < now.nkernels; i++)
	{
		if (i > 0)
			used += (size_t) snprintf(line + used, sizeof line - used, ", ");
		used = line_kernel(used, now.kernels[i].name, &now.kernels[i].counters);
	}
	used += (size_t) snprintf(line + used, sizeof line - used, "}}\n");

	file = open(double_settings.counters, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (file < 0 || write(file, line, used) != (ssize_t) used)
		double_say("cannot write counters to %s", double_settings.counters);
	if (file >= 0)
		close(file);
}

/* The process ends in an orderly way, or the library is closed. */
__attribute__((destructor)) static void
at_exit(void)
{
	double_counters_write("exit");
}
