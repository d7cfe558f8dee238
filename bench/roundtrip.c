/*-------------------------------------------------------------------------
 *
 * roundtrip.c
 *	  How long it takes to wake another process and to be woken by it.
 *
 * A backend hands a job to a device's child process and sleeps until it is
 * done.  Compared are
 *
 *	   eventfd		either wakes the other by writing to its eventfd;
 *	   relay		the child, which may not touch a latch, tells the supervisor,
 *					and the supervisor sends the backend a signal, on which the
 *					backend's handler writes to its self-pipe (SetLatch before
 *					PostgreSQL 14; since then the signal is read by signalfd, so
 *					both are measured);
 *	   spinning		the floor: nobody sleeps.
 *
 *	   cc -O2 -o /tmp/roundtrip bench/roundtrip.c && /tmp/roundtrip
 *
 * A sleep is what the server does: epoll_wait on a set that was made before.
 * Everything is measured twice: on all processors, where most of the time goes
 * by until an idle one has woken up, and on one, which shows the work itself.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	20000

static volatile uint32_t *turn; /* shared: what the spinners pass to and fro */

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int
watch(int fd)
{
	int			set = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
	{
		perror("epoll");
		exit(1);
	}
	return set;
}

static void
sleep_on(int set, int fd)
{
	struct epoll_event event;
	char		bytes[sizeof(struct signalfd_siginfo)];

	while (epoll_wait(set, &event, 1, -1) != 1)
		;
	if (read(fd, bytes, sizeof bytes) < 0)
		return;
}

static void
ring(int fd)
{
	uint64_t	one = 1;

	if (write(fd, &one, sizeof one) < 0)
		perror("write");
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
show(const char *name, double *times)
{
	qsort(times, ROUNDS, sizeof *times, compare);
	printf("%-22s median %6.2f us   99 %% %6.2f us\n", name, times[ROUNDS / 2], times[ROUNDS / 100 * 99]);
}

/* A process that answers 'in' on 'out' for ever; signo != 0: by that signal to 'target'. */
static pid_t
answerer(int in, int out, pid_t target, int signo)
{
	pid_t		pid = fork();
	int			set;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set = watch(in);
	for (;;)
	{
		sleep_on(set, in);
		if (signo)
			kill(target, signo);
		else
			ring(out);
	}
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
measure(bool alone)
{
	double	   *times = calloc(ROUNDS, sizeof(double));
	int			child_bell = eventfd(0, EFD_NONBLOCK);
	int			supervisor_bell = eventfd(0, EFD_NONBLOCK);
	int			my_bell = eventfd(0, EFD_NONBLOCK);
	sigset_t	usr1;
	pid_t		child;
	pid_t		supervisor;
	int			set;
	int			fd;

	turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!alone)
	{
		child = fork();
		if (child == 0)
		{
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				if (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 1)
					__atomic_store_n(turn, 0, __ATOMIC_RELEASE);
		}
		for (int i = 0; i < ROUNDS; i++)
		{
			double		start = now_us();

			__atomic_store_n(turn, 1, __ATOMIC_RELEASE);
			while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 0)
				;
			times[i] = now_us() - start;
		}
		end(child);
		show("spinning", times);
	}

	/* eventfd both ways */
	child = answerer(child_bell, my_bell, 0, 0);
	set = watch(my_bell);
	for (int i = 0; i < ROUNDS; i++)
	{
		double		start = now_us();

		ring(child_bell);
		sleep_on(set, my_bell);
		times[i] = now_us() - start;
	}
	end(child);
	show("eventfd", times);

	/* the child tells the supervisor, that one sends a signal */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	fd = signalfd(-1, &usr1, SFD_NONBLOCK);
	supervisor = answerer(supervisor_bell, -1, getpid(), SIGUSR1);
	child = answerer(child_bell, supervisor_bell, 0, 0);
	set = watch(fd);
	for (int i = 0; i < ROUNDS; i++)
	{
		double		start = now_us();

		ring(child_bell);
		sleep_on(set, fd);
		times[i] = now_us() - start;
	}
	end(child);
	end(supervisor);
	show("relay by a signal", times);

	/* ... or by the backend's own eventfd, the best that a relay can be */
	supervisor = answerer(supervisor_bell, my_bell, 0, 0);
	child = answerer(child_bell, supervisor_bell, 0, 0);
	set = watch(my_bell);
	for (int i = 0; i < ROUNDS; i++)
	{
		double		start = now_us();

		ring(child_bell);
		sleep_on(set, my_bell);
		times[i] = now_us() - start;
	}
	end(child);
	end(supervisor);
	show("relay by an eventfd", times);
}

int
main(void)
{
	cpu_set_t	one;

	printf("on all processors\n");
	measure(false);
	printf("on one processor\n");
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	measure(true);
	return 0;
}
