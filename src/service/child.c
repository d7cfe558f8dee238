/*-------------------------------------------------------------------------
 *
 * child.c
 *	  The service as a device's child process sees it.
 *
 * Nothing of PostgreSQL is called here, nor included.  Of the shared region a
 * child writes its device's entry, the slots that it took, and sessions that
 * close; it trusts none of the numbers that backends wrote.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "service/child.h"

#define LONGEST_WAIT	500		/* ms; the watchdog wants to see it more often than
								 * once in a second */

static Child *self;
static volatile sig_atomic_t stopping;

uint64_t
gpuscan_child_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* May run in any thread: the one that sleeps is woken by the doorbell. */
static void
on_term(int signo)
{
	int			saved = errno;

	(void) signo;
	stopping = 1;
	region_ring(self->device->doorbell);
	errno = saved;
}

void
gpuscan_child_catch_term(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	action.sa_handler = on_term;
	action.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &action, NULL);
}

void
gpuscan_child_begin(Child *child)
{
	self = child;
	gpuscan_child_beat(child);
}

bool
gpuscan_child_stopping(void)
{
	return stopping || getppid() != self->parent;
}

void
gpuscan_child_log(const char *format, ...)
{
	char		line[1024];
	va_list		args;
	int			length;

	length = snprintf(line, sizeof line, "gpuscan device %u [%d]: ", self->number, (int) getpid());
	va_start(args, format);
	length += vsnprintf(line + length, sizeof line - length, format, args);
	va_end(args);
	if (length > (int) sizeof line - 2)
		length = (int) sizeof line - 2;
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0)
		return;					/* nobody to tell */
}

void
gpuscan_child_beat(Child *child)
{
	region_store(&child->device->heartbeat_us, gpuscan_child_now_us());
	if (!child->announced && region_load(&child->device->state) == DEVICE_READY)
	{
		child->announced = true;
		region_ring(child->region->bell);
	}
}

/* Is this slot in this state, and meant for this child? */
static bool
is_mine(Child *child, ServiceSlot *slot, SlotState state)
{
	return region_load(&slot->state) == state && slot->device == child->number &&
		slot->generation == child->generation && slot->session < child->region->nsessions;
}

/*
 * A slot that was taken by mistake: between the look at it and the taking its
 * owner withdrew it, and it was handed in anew, perhaps for another device.
 */
static void
put_back(Child *child, ServiceSlot *slot)
{
	uint32_t	device = slot->device;

	if (!region_change(&slot->state, SLOT_RUNNING, SLOT_SUBMITTED))
		region_store(&slot->state, SLOT_FREE);
	else if (device < SERVICE_MAX_DEVICES)
		region_ring_device(&child->region->devices[device]);
}

int
gpuscan_child_take(Child *child)
{
	ServiceRegion *region = child->region;
	uint32_t	n = region->nsessions;

	for (;;)
	{
		int			chosen = -1;
		uint32_t	session = 0;
		uint32_t	turn = 0;
		uint64_t	sequence = 0;
		ServiceSlot *slot;

		for (uint32_t i = 0; i < region->nslots; i++)
		{
			uint32_t	distance;

			slot = region_slot(region, i);
			if (!is_mine(child, slot, SLOT_SUBMITTED))
				continue;
			/* 0: the session after the one served last; n - 1: that one itself */
			distance = (slot->session + n - child->last_session - 1) % n;
			if (chosen < 0 || distance < turn || (distance == turn && slot->sequence < sequence))
			{
				chosen = (int) i;
				session = slot->session;
				turn = distance;
				sequence = slot->sequence;
			}
		}
		if (chosen < 0)
			return -1;
		slot = region_slot(region, chosen);
		/* before it runs: the watchdog looks at it then */
		slot->started_us = gpuscan_child_now_us();
		if (!region_change(&slot->state, SLOT_SUBMITTED, SLOT_RUNNING))
			continue;			/* withdrawn */
		if (slot->device == child->number && slot->generation == child->generation &&
			slot->session == session && slot->sequence == sequence)
		{
			child->last_session = session;
			return chosen;
		}
		put_back(child, slot);
	}
}

void
gpuscan_child_report(Child *child, int number, SlotState outcome, int error)
{
	ServiceRegion *region = child->region;
	ServiceDevice *device = child->device;
	ServiceSlot *slot = region_slot(region, number);
	uint32_t	channel = region_session(region, slot->session)->channel;

	slot->error = error;
	region_add(&device->jobs, 1);
	region_add(&device->bytes_in, slot->input);
	region_add(&device->kernel_ns, slot->kernel_ns);
	if (outcome == SLOT_FAILED)
	{
		region_add(&device->failures, 1);
		region_store(&device->last_error, error);
	}
	if (!region_change(&slot->state, SLOT_RUNNING, outcome))
		region_store(&slot->state, SLOT_FREE);
	else if (channel < region->nchannels)
		region_ring_channel(region_channel(region, channel));
}

int
gpuscan_child_closing(Child *child)
{
	ServiceRegion *region = child->region;

	for (uint32_t i = 0; i < region->nsessions; i++)
	{
		ServiceSession *session = region_session(region, i);
		bool		busy = false;

		if (region_load(&session->state) != SESSION_CLOSING ||
			session->device != child->number || session->generation != child->generation)
			continue;
		for (uint32_t k = 0; k < region->nslots && !busy; k++)
		{
			ServiceSlot *slot = region_slot(region, k);
			uint32_t	state = region_load(&slot->state);

			busy = (state == SLOT_RUNNING || state == SLOT_ABANDONED) && slot->session == i &&
				slot->device == child->number && slot->generation == child->generation;
		}
		if (!busy)
			return (int) i;
	}
	return -1;
}

void
gpuscan_child_closed(Child *child, int session)
{
	region_store(&region_session(child->region, session)->state, SESSION_FREE);
}

void
gpuscan_child_wait(Child *child, int milliseconds)
{
	struct pollfd fd = {.fd = child->device->doorbell,.events = POLLIN};

	if (milliseconds < 0 || milliseconds > LONGEST_WAIT)
		milliseconds = LONGEST_WAIT;
	gpuscan_child_beat(child);
	if (poll(&fd, 1, milliseconds) > 0)
	{
		/* drained before it may be rung anew, looked at after */
		region_drain(fd.fd);
		region_store(&child->device->rung, 0);
	}
	gpuscan_child_beat(child);
}
