/*-------------------------------------------------------------------------
 *
 * client.cc
 *	  Tests of the double: the program, and what its parts share.
 *
 * double_test LIBRARY [PART...]
 *
 *-------------------------------------------------------------------------
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

Driver		driver;
CUmodule	module;

static int	tests_run;
static int	tests_failed;

bool
ok(bool passed, const char *format,...)
{
	va_list		args;

	printf("%s %d - ", passed ? "ok" : "not ok", ++tests_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	tests_failed += !passed;
	return passed;
}

void
diag(const char *format,...)
{
	va_list		args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

bool
is(long long got, long long expected, const char *format,...)
{
	char		name[300];
	va_list		args;

	va_start(args, format);
	vsnprintf(name, sizeof name, format, args);
	va_end(args);
	if (ok(got == expected, "%s", name))
		return true;
	diag("got %lld, expected %lld", got, expected);
	return false;
}

void
check(CUresult result, const char *call, const char *file, int line)
{
	if (result == CUDA_SUCCESS)
		return;
	fprintf(stderr, "%s:%d: %s: error %d\n", file, line, call, result);
	exit(3);
}

CUfunction
get_function(const char *name)
{
	CUfunction	function;

	CHECK(cuModuleGetFunction(&function, module, name));
	return function;
}

void
open_device(void)
{
	CUcontext	context;

	CHECK(cuInit(0));
	CHECK(cuDevicePrimaryCtxRetain(&context, 0));
	CHECK(cuCtxSetCurrent(context));
	CHECK(cuModuleLoadData(&module, "CUDA double"));
}

Outcome
run_apart(const char *settings, int (*body) (const void *), const void *argument)
{
	Outcome		outcome;
	int			ends[2];
	pid_t		child;
	size_t		used = 0;
	ssize_t		got;

	fflush(stdout);
	if (pipe(ends) != 0 || (child = fork()) < 0)
	{
		perror("fork");
		exit(2);
	}
	if (child == 0)
	{
		alarm(120);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		setenv("CUDA_DOUBLE", settings, 1);
		exit(body(argument));
	}
	close(ends[1]);
	for (;;)
	{
		char		rest[1024];

		got = used < sizeof outcome.error - 1 ? read(ends[0], outcome.error + used, sizeof outcome.error - 1 - used) :
			read(ends[0], rest, sizeof rest);
		if (got <= 0)
			break;
		if (used < sizeof outcome.error - 1)
			used += (size_t) got;
	}
	outcome.error[used] = '\0';
	close(ends[0]);
	waitpid(child, &outcome.status, 0);
	outcome.status = WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : 128 + WTERMSIG(outcome.status);
	return outcome;
}

static void *
symbol(void *library, const char *name)
{
	void	   *found = dlsym(library, name);

	if (found == nullptr)
	{
		fprintf(stderr, "the library has no %s\n", name);
		exit(2);
	}
	return found;
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		void		(*run) (void);
	}			parts[] = {
		/* those that fork come before the driver was begun */
		{"broken", broken_tests}, {"faults", fault_tests}, {"driver", driver_tests},
		{"good", good_tests}, {"streams", stream_tests},
	};
	void	   *library;

	if (argc < 2)
	{
		fprintf(stderr, "usage: double_test LIBRARY [PART...]\n");
		return 2;
	}
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library == nullptr)
	{
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
#define FUNCTION(name, args) *(void **) (void *) &driver.name = symbol(library, #name);
	FUNCTIONS(FUNCTION)
#undef FUNCTION
	*(void **) (void *) &driver.counters = symbol(library, "cuda_double_counters");
	*(void **) (void *) &driver.counters_reset = symbol(library, "cuda_double_counters_reset");
	*(void **) (void *) &driver.set = symbol(library, "cuda_double_set");
	*(void **) (void *) &driver.message = symbol(library, "cuda_double_message");

	for (const auto &part : parts)
	{
		bool		wanted = argc == 2;

		for (int i = 2; i < argc; i++)
			wanted |= strcmp(argv[i], part.name) == 0;
		if (wanted)
			part.run();
	}
	printf("1..%d\n", tests_run);
	return tests_failed != 0;
}
