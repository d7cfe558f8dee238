/*-------------------------------------------------------------------------
 *
 * slot.c
 *	  A backend's jobs: slots taken, filled, handed in, waited for, given back.
 *
 * Nobody waits for a slot: who gets none works on the CPU, or collects what he
 * has in flight.  So a session's share may be small without anybody standing
 * still, and the region's size bounds what all sessions hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "service/private.h"
#include "storage/s_lock.h"

/* Before a process goes to sleep it looks on for so long. */
#define SPIN_US			20

ServiceSlot *
gpuscan_slot(int slot)
{
	return region_slot(gpuscan_service_region(), slot);
}

char *
gpuscan_slot_data(int slot)
{
	return region_data(gpuscan_service_region(), slot);
}

/* How many slots may a session have? */
static uint32
share(const ServiceRegion *region)
{
	uint32		most = Max(2, Min(8, region->nslots / 4));
	uint32		sessions = Max(1, region_load(&region->open_sessions));

	return Max(1, Min(most, region->nslots / sessions));
}

/* Has the role what it may have? */
static bool
role_is_full(ServiceRegion *region, Oid roleid)
{
	uint64		most = Max(1, (uint64) gpuscan_device_role_limit * 1024 / region->slot_room);
	uint64		held = 0;

	if (gpuscan_device_role_limit == 0)
		return false;
	for (uint32 i = 0; i < region->nslots; i++)
	{
		ServiceSlot *slot = region_slot(region, i);

		if (region_load(&slot->state) != SLOT_FREE && slot->roleid == roleid)
			held++;
	}
	return held >= most;
}

int
gpuscan_slot_acquire(DeviceSession *session)
{
	ServiceRegion *region = gpuscan_service_region();
	Oid			roleid = GetSessionUserId();

	if (!gpuscan_session_alive(session) || session->nslots >= share(region) ||
		role_is_full(region, roleid))
		return -1;

	for (uint32 i = 0; i < region->nslots; i++)
	{
		ServiceSlot *slot = region_slot(region, i);

		if (region_load(&slot->state) != SLOT_FREE || !region_change(&slot->state, SLOT_FREE, SLOT_OWNED))
			continue;
		slot->device = session->device;
		slot->session = session->index;
		slot->generation = session->generation;
		slot->roleid = roleid;
		slot->pid = MyProcPid;
		slot->input = 0;
		slot->error = 0;
		session->nslots++;
		return (int) i;
	}
	return -1;
}

void
gpuscan_slot_submit(DeviceSession *session, int number, SlotRequest request, uint32 input)
{
	ServiceRegion *region = gpuscan_service_region();
	ServiceSlot *slot = region_slot(region, number);

	Assert(slot->session == session->index && slot->pid == MyProcPid);
	slot->request = request;
	slot->input = input;
	slot->error = 0;
	slot->kernel_ns = 0;
	slot->sequence = ++session->sequence;
	slot->submitted_us = gpuscan_child_now_us();
	region_store(&slot->state, SLOT_SUBMITTED);
	region_ring_device(&region->devices[session->device]);
}

/* The slot's state; what its child did not finish before it died is LOST. */
static SlotState
look(const DeviceSession *session, ServiceSlot *slot)
{
	/* in this order: a job that was done before the child died is done */
	bool		alive = gpuscan_session_alive(session);
	uint32		state = region_load(&slot->state);

	if (!alive && (state == SLOT_SUBMITTED || state == SLOT_RUNNING))
	{
		region_change(&slot->state, state, SLOT_LOST);
		state = region_load(&slot->state);
	}
	return (SlotState) state;
}

static bool
is_pending(SlotState state)
{
	return state == SLOT_SUBMITTED || state == SLOT_RUNNING;
}

SlotState
gpuscan_slot_wait(DeviceSession *session, int number, bool block)
{
	ServiceSlot *slot = gpuscan_slot(number);
	SlotState	state = look(session, slot);
	uint64		start;

	if (!block || !is_pending(state))
		return state;

	start = gpuscan_child_now_us();
	do
	{
		for (int i = 0; i < 16; i++)
			SPIN_DELAY();
		state = look(session, slot);
	} while (is_pending(state) && gpuscan_child_now_us() - start < SPIN_US);

	while (is_pending(state))
	{
		gpuscan_channel_announce();
		state = look(session, slot);
		if (is_pending(state))
			gpuscan_channel_sleep();
		gpuscan_channel_awake();
		state = look(session, slot);
	}
	return state;
}

void
gpuscan_slot_release(DeviceSession *session, int number)
{
	ServiceSlot *slot = gpuscan_slot(number);

	Assert(slot->session == session->index && slot->pid == MyProcPid);
	for (;;)
	{
		uint32		state = look(session, slot);

		/* a job that runs is freed by the child, or by the supervisor after it */
		if (region_change(&slot->state, state, state == SLOT_RUNNING ? SLOT_ABANDONED : SLOT_FREE))
			break;
	}
	session->nslots--;
}

void
gpuscan_slots_release(DeviceSession *session)
{
	ServiceRegion *region = gpuscan_service_region();

	for (uint32 i = 0; i < region->nslots && session->nslots > 0; i++)
	{
		ServiceSlot *slot = region_slot(region, i);
		uint32		state = region_load(&slot->state);

		if (state != SLOT_FREE && state != SLOT_ABANDONED &&
			slot->pid == MyProcPid && slot->session == session->index)
			gpuscan_slot_release(session, (int) i);
	}
}
