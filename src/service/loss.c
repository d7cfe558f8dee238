/*-------------------------------------------------------------------------
 *
 * loss.c
 *	  What the supervisor does about a child that is no more.
 *
 * The order matters.  First the generation goes up: from then on nobody hands
 * in work for the dead child, or does so and sees by himself that it is lost.
 * Then what was handed in is declared lost, and everybody is woken.  Whoever
 * changes a state does it by compare-and-swap from the state that he saw, so
 * it does not matter who comes first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "service/private.h"

bool
gpuscan_program_barred(ServiceRegion *region, uint64 plan_hash)
{
	for (int i = 0; i < SERVICE_MAX_BARRED; i++)
	{
		BarredProgram *program = &region->barred[i];

		if (region_load(&program->plan_hash) == plan_hash && region_load(&program->deaths) >= 2)
			return true;
	}
	return false;
}

/* A place for this program; the one that is suspected least makes room. */
static BarredProgram *
suspect(ServiceRegion *region, uint64 plan_hash)
{
	BarredProgram *chosen = NULL;

	for (int i = 0; i < SERVICE_MAX_BARRED; i++)
	{
		BarredProgram *program = &region->barred[i];

		if (program->plan_hash == plan_hash)
			return program;
		if (program->plan_hash == 0)
			program->deaths = 0;
		if (chosen == NULL || program->deaths < chosen->deaths ||
			(program->deaths == chosen->deaths && program->since_us < chosen->since_us))
			chosen = program;
	}
	region_store(&chosen->plan_hash, 0);
	region_store(&chosen->deaths, 0);
	chosen->since_us = 0;
	return chosen;
}

/* Programs that ran when the child died; each counts once for this death. */
static void
note_programs(ServiceRegion *region, uint32 device, uint32 generation)
{
	uint64		noted[SERVICE_MAX_BARRED];
	int			nnoted = 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (uint32 i = 0; i < region->nslots && nnoted < SERVICE_MAX_BARRED; i++)
	{
		ServiceSlot *slot = region_slot(region, i);
		uint32		state = region_load(&slot->state);
		BarredProgram *program;
		uint64		hash;
		int			k = 0;

		if ((state != SLOT_RUNNING && state != SLOT_ABANDONED) ||
			slot->device != device || slot->generation != generation)
			continue;
		hash = region_session(region, slot->session)->plan_hash;
		while (k < nnoted && noted[k] != hash)
			k++;
		if (k < nnoted)
			continue;
		noted[nnoted++] = hash;
		program = suspect(region, hash);
		program->since_us = (int64) now.tv_sec * 1000000 + now.tv_nsec / 1000;
		region_store(&program->deaths, program->deaths + 1);
		region_store(&program->plan_hash, hash);
	}
}

void
gpuscan_sweep(ServiceRegion *region, uint32 number)
{
	ServiceDevice *device = &region->devices[number];
	uint32		generation = region_load(&device->generation);

	for (uint32 i = 0; i < region->nslots; i++)
	{
		ServiceSlot *slot = region_slot(region, i);
		uint32		state = region_load(&slot->state);

		if (state != SLOT_SUBMITTED && state != SLOT_RUNNING && state != SLOT_ABANDONED)
			continue;
		if (slot->device != number || slot->generation == generation)
			continue;
		if (region_change(&slot->state, state, state == SLOT_ABANDONED ? SLOT_FREE : SLOT_LOST))
			region_add(&device->lost_jobs, 1);
	}

	/* after the slots: a session goes only when none of its jobs runs */
	for (uint32 i = 0; i < region->nsessions; i++)
	{
		ServiceSession *session = region_session(region, i);

		if (region_load(&session->state) == SESSION_CLOSING &&
			session->device == number && session->generation != generation)
			region_change(&session->state, SESSION_CLOSING, SESSION_FREE);
	}
}

void
gpuscan_settle_loss(ServiceRegion *region, uint32 number, bool died)
{
	ServiceDevice *device = &region->devices[number];
	uint32		generation = region_add(&device->generation, 1);

	if (died)
	{
		region_add(&device->deaths, 1);
		note_programs(region, number, generation);
	}
	region_store(&device->memory_used, 0);
	gpuscan_sweep(region, number);
	for (uint32 i = 0; i < region->nchannels; i++)
		region_ring_channel(region_channel(region, i));
}
