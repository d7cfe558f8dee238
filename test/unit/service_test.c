/*-------------------------------------------------------------------------
 *
 * service_test.c
 *	  The child's side of the device service: whose turn it is, what is taken
 *	  and what not, wake-ups, and the states of slots under haste.
 *
 *-------------------------------------------------------------------------
 */
// link: src/service/child.c
// flags: -pthread
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "rng.h"
#include "service/child.h"
#include "tap.h"

#define SLOTS		12
#define SESSIONS	6
#define CHANNELS	4

static Child child;

static ServiceRegion *
fresh_region(void)
{
	static char *memory = NULL;
	ServiceRegion *region;
	size_t		slots = (sizeof(ServiceRegion) + 127) / 128 * 128;
	size_t		sessions = slots + SLOTS * sizeof(ServiceSlot);
	size_t		channels = sessions + SESSIONS * sizeof(ServiceSession);
	size_t		size = channels + CHANNELS * sizeof(ServiceChannel);

	free(memory);
	memory = aligned_alloc(128, (size + 127) / 128 * 128);
	memset(memory, 0, size);
	region = (ServiceRegion *) memory;
	region->size = size;
	region->nslots = SLOTS;
	region->nsessions = SESSIONS;
	region->nchannels = CHANNELS;
	region->slots = slots;
	region->sessions = sessions;
	region->channels = channels;
	region->ndevices = 2;
	region->bell = eventfd(0, EFD_NONBLOCK);
	region->devices[1].doorbell = eventfd(0, EFD_NONBLOCK);
	region->devices[1].generation = 7;
	for (uint32_t i = 0; i < CHANNELS; i++)
		region_channel(region, i)->eventfd = eventfd(0, EFD_NONBLOCK);
	for (uint32_t i = 0; i < SESSIONS; i++)
	{
		region_session(region, i)->state = SESSION_OPEN;
		region_session(region, i)->device = 1;
		region_session(region, i)->generation = 7;
		region_session(region, i)->channel = i % CHANNELS;
	}
	child = (Child) {.region = region,.device = &region->devices[1],.number = 1,.generation = 7,.parent = getppid()};
	gpuscan_child_begin(&child);
	return region;
}

static void
put(ServiceRegion *region, uint32_t number, uint32_t session, uint64_t sequence)
{
	ServiceSlot *slot = region_slot(region, number);

	slot->device = 1;
	slot->generation = 7;
	slot->session = session;
	slot->sequence = sequence;
	slot->input = 100;
	region_store(&slot->state, SLOT_SUBMITTED);
}

static bool
readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd,.events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

static void
test_turns(void)
{
	ServiceRegion *region = fresh_region();
	char		order[64] = "";
	int			number;

	/* session 0 has six jobs, in slots that are not in order; 1 has two, 4 one */
	put(region, 5, 0, 1);
	put(region, 2, 0, 2);
	put(region, 9, 0, 3);
	put(region, 0, 0, 4);
	put(region, 1, 0, 5);
	put(region, 11, 0, 6);
	put(region, 7, 1, 1);
	put(region, 3, 1, 2);
	put(region, 4, 4, 1);
	while ((number = gpuscan_child_take(&child)) >= 0)
	{
		ServiceSlot *slot = region_slot(region, (uint32_t) number);

		sprintf(order + strlen(order), "%u.%u ", slot->session, (unsigned) slot->sequence);
		if (slot->state != SLOT_RUNNING)
			strcat(order, "? ");
	}
	ok(strcmp(order, "1.1 4.1 0.1 1.2 0.2 0.3 0.4 0.5 0.6 ") == 0, "sessions take turns, each in its order: %s", order);

	put(region, 6, 2, 9);
	region_slot(region, 6)->generation = 6;
	ok(gpuscan_child_take(&child) < 0, "a job for an earlier child is left alone");
	put(region, 6, 2, 9);
	region_slot(region, 6)->device = 0;
	ok(gpuscan_child_take(&child) < 0, "a job for another device, too");
	put(region, 6, SESSIONS, 9);
	ok(gpuscan_child_take(&child) < 0, "a job of no session, too");
	put(region, 6, 2, 9);
	ok(gpuscan_child_take(&child) == 6, "one of its own is taken");
}

static void
test_reports(void)
{
	ServiceRegion *region = fresh_region();
	ServiceChannel *channel = region_channel(region, 2);

	put(region, 0, 2, 1);
	put(region, 1, 2, 2);
	put(region, 2, 2, 3);
	for (int i = 0; i < 3; i++)
		gpuscan_child_take(&child);

	gpuscan_child_report(&child, 0, SLOT_DONE, 0);
	ok(region_slot(region, 0)->state == SLOT_DONE, "a job is done");
	ok(!readable(channel->eventfd), "who does not sleep is not woken");

	region_store(&channel->waiting, 1);
	region_slot(region, 1)->kernel_ns = 5000;
	gpuscan_child_report(&child, 1, SLOT_FAILED, 719);
	ok(region_slot(region, 1)->state == SLOT_FAILED && region_slot(region, 1)->error == 719, "a job failed");
	ok(readable(channel->eventfd) && channel->waiting == 0, "who sleeps is woken, once");
	region_drain(channel->eventfd);

	region_store(&region_slot(region, 2)->state, SLOT_ABANDONED);
	gpuscan_child_report(&child, 2, SLOT_DONE, 0);
	ok(region_slot(region, 2)->state == SLOT_FREE, "an abandoned slot is free");
	ok(child.device->jobs == 3 && child.device->failures == 1 && child.device->bytes_in == 300 &&
	   child.device->kernel_ns == 5000 && child.device->last_error == 719, "all of it was counted");
}

static void
test_closing(void)
{
	ServiceRegion *region = fresh_region();
	ServiceSession *session = region_session(region, 3);

	ok(gpuscan_child_closing(&child) < 0, "no session is closing");
	put(region, 8, 3, 1);
	gpuscan_child_take(&child);
	region_store(&region_slot(region, 8)->state, SLOT_ABANDONED);
	region_store(&session->state, SESSION_CLOSING);
	ok(gpuscan_child_closing(&child) < 0, "a session whose job runs is not closed");
	gpuscan_child_report(&child, 8, SLOT_DONE, 0);
	ok(gpuscan_child_closing(&child) == 3, "... and then it is");
	session->generation = 6;
	ok(gpuscan_child_closing(&child) < 0, "a session of an earlier child is the supervisor's");
	session->generation = 7;
	gpuscan_child_closed(&child, 3);
	ok(session->state == SESSION_FREE && gpuscan_child_closing(&child) < 0, "closed");
}

static void
test_doorbell(void)
{
	ServiceRegion *region = fresh_region();
	ServiceDevice *device = child.device;
	uint64_t	before;

	region_ring_device(device);
	region_ring_device(device);
	ok(device->rung == 1, "rings are joined");
	before = gpuscan_child_now_us();
	gpuscan_child_wait(&child, 400);
	ok(gpuscan_child_now_us() - before < 200000 && device->rung == 0, "a ring before the wait is heard");
	before = gpuscan_child_now_us();
	gpuscan_child_wait(&child, 20);
	ok(gpuscan_child_now_us() - before >= 19000, "... once");
	before = gpuscan_child_now_us();
	gpuscan_child_wait(&child, -1);
	ok(gpuscan_child_now_us() - before < 5000000, "no wait is for ever");
	ok(device->heartbeat_us >= before, "and each is a sign of life");

	ok(!readable(region->bell), "the supervisor is not woken before the device is ready");
	region_store(&device->state, DEVICE_READY);
	gpuscan_child_beat(&child);
	ok(readable(region->bell), "... and then it is");
	region_drain(region->bell);
	gpuscan_child_beat(&child);
	ok(!readable(region->bell), "... once");
}

/*
 * Haste: owners hand in jobs, wait for them, withdraw them or leave them, while
 * the child works.  Each slot belongs to one owner, who counts what he handed
 * in, withdrew and got; the child writes a job's number into its result.
 */
#define OWNERS	4
#define JOBS	20000

typedef struct Owner
{
	pthread_t	thread;
	uint32_t	number;
	uint64_t	submitted;
	uint64_t	done;
	uint64_t	withdrawn;
	uint64_t	abandoned;
	uint64_t	wrong;
} Owner;

static uint32_t finished;

static void *
own(void *argument)
{
	Owner	   *owner = argument;
	ServiceRegion *region = child.region;
	ServiceChannel *channel = region_channel(region, owner->number);
	Rng			rng = {owner->number + 1};

	for (uint64_t i = 1; i <= JOBS; i++)
	{
		uint32_t	number = owner->number * (SLOTS / OWNERS) + rng_below(&rng, SLOTS / OWNERS);
		ServiceSlot *slot = region_slot(region, number);
		int			choice = (int) rng_below(&rng, 10);

		/* as an abandoned job keeps it */
		while (!region_change(&slot->state, SLOT_FREE, SLOT_OWNED))
			region_ring_device(child.device);
		slot->result.npassed = 0;
		put(region, number, owner->number, i);
		region_ring_device(child.device);
		owner->submitted++;
		if (choice == 0 && region_change(&slot->state, SLOT_SUBMITTED, SLOT_FREE))
		{
			owner->withdrawn++;
			continue;
		}
		if (choice == 1 && region_change(&slot->state, SLOT_RUNNING, SLOT_ABANDONED))
		{
			owner->abandoned++;
			continue;
		}
		while (region_load(&slot->state) != SLOT_DONE)
		{
			struct pollfd fd = {.fd = channel->eventfd,.events = POLLIN};

			region_store(&channel->waiting, 1);
			if (region_load(&slot->state) != SLOT_DONE && poll(&fd, 1, 20000) == 0)
				owner->wrong++; /* a wake-up was missed */
			region_store(&channel->waiting, 0);
			region_drain(channel->eventfd);
		}
		owner->done++;
		if (slot->result.npassed != (uint32_t) i)
			owner->wrong++;
		region_store(&slot->state, SLOT_FREE);
	}
	region_add(&finished, 1);
	region_ring_device(child.device);
	return NULL;
}

static void
test_haste(void)
{
	ServiceRegion *region = fresh_region();
	Owner		owners[OWNERS] = {0};
	uint64_t	submitted = 0;
	uint64_t	kept = 0;
	uint64_t	wrong = 0;
	uint64_t	handled = 0;
	uint32_t	left = 0;

	for (uint32_t i = 0; i < OWNERS; i++)
	{
		owners[i].number = i;
		pthread_create(&owners[i].thread, NULL, own, &owners[i]);
	}
	for (;;)
	{
		int			number = gpuscan_child_take(&child);

		if (number >= 0)
		{
			ServiceSlot *slot = region_slot(region, (uint32_t) number);

			slot->result.npassed = (uint32_t) slot->sequence;
			gpuscan_child_report(&child, number, SLOT_DONE, 0);
			handled++;
		}
		else if (region_load(&finished) == OWNERS)
			break;
		else
			gpuscan_child_wait(&child, 500);
	}
	for (uint32_t i = 0; i < OWNERS; i++)
	{
		pthread_join(owners[i].thread, NULL);
		submitted += owners[i].submitted;
		kept += owners[i].done + owners[i].abandoned;
		wrong += owners[i].wrong;
		if (owners[i].submitted != owners[i].done + owners[i].withdrawn + owners[i].abandoned)
			wrong++;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		left += region_slot(region, i)->state != SLOT_FREE;
	ok(submitted == OWNERS * JOBS && wrong == 0, "every job came back once, or was withdrawn; no wake-up was missed");
	ok(handled == kept && child.device->jobs == kept, "the child did each of the others once");
	ok(left == 0, "all slots are free");
}

int
main(void)
{
	test_turns();
	test_reports();
	test_closing();
	test_doorbell();
	test_haste();
	return tap_done();
}
