/*-------------------------------------------------------------------------
 *
 * private.h
 *	  What the files of the service say to each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_SERVICE_PRIVATE_H
#define GPUSCAN_SERVICE_PRIVATE_H

#include "service/child.h"
#include "service/service.h"

/* service.c: a phrase, why there is no region */
extern const char *gpuscan_service_absence(void);

/* loss.c */

/*
 * A child is dead and reaped: take its generation away, note the programs that
 * were running (if it died, and did not end as asked), and tell everybody that
 * what it had is lost.
 */
extern void gpuscan_settle_loss(ServiceRegion *region, uint32 device, bool died);

/*
 * What belongs to no living child: slots become LOST or FREE, closing sessions
 * FREE.  For those who came when the loss was just being settled.
 */
extern void gpuscan_sweep(ServiceRegion *region, uint32 device);

/* Is this program kept off the devices? */
extern bool gpuscan_program_barred(ServiceRegion *region, uint64 plan_hash);

/* contain.c: the rest of a freshly forked child's life */
extern void gpuscan_child_main(ServiceRegion *region, uint32 device, pid_t parent) __attribute__((noreturn));

/* session.c: what the wait is called in pg_stat_activity */
extern uint32 gpuscan_wait_event(void);

/* session.c, for slot.c */
struct DeviceSession
{
	uint32		index;			/* of the session in the region */
	uint32		device;
	uint32		generation;		/* of the child that it is for */
	uint32		nslots;			/* that it holds */
	uint64		sequence;		/* of the last job */
	struct ResourceOwnerData *owner;
	struct DeviceSession *next;
};

/*
 * Sleep on this process's channel: announce, look whether there is still
 * something to wait for, sleep, awake.  A sleep ends when the channel is rung,
 * when the latch is set (interrupts are served then, so it may not come back),
 * or after a second.
 */
extern void gpuscan_channel_announce(void);
extern void gpuscan_channel_sleep(void);
extern void gpuscan_channel_awake(void);

/* slot.c: give back all slots of a session */
extern void gpuscan_slots_release(DeviceSession *session);

#endif							/* GPUSCAN_SERVICE_PRIVATE_H */
