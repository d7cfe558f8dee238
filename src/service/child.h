/*-------------------------------------------------------------------------
 *
 * child.h
 *	  The service as a device's child process sees it.
 *
 * A child is forked by the supervisor and calls nothing of PostgreSQL.  The
 * driver's work is done in engine/cuda/worker.c, which runs this loop:
 *
 *	   take a job -> start it -> (others in flight) -> report it
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CHILD_H
#define GPUSCAN_CHILD_H

#include "service/region.h"

/* Exit codes of a child; anything else is a death. */
#define CHILD_EXIT_ASKED	0		/* shutdown or restart was asked for */
#define CHILD_EXIT_ABSENT	3		/* there is no device to use: device->reason */
#define CHILD_EXIT_BUSY		5		/* there is one, but it cannot be had now (others use
								 * it, its memory is full): tried again, later each time */

typedef struct Child
{
	ServiceRegion *region;
	ServiceDevice *device;
	uint32_t	number;			/* of the device in region->devices */
	uint32_t	generation;		/* of this child */
	uint32_t	last_session;	/* served last, for the round */
	pid_t		parent;
	bool		announced;		/* the supervisor was told that the device is READY */
	const char *library;		/* gpuscan.cuda_library */
	uint64_t	memory_limit;	/* bytes of device memory for all sessions; 0: none */
} Child;

/* worker.c: never returns; ends by _exit. */
extern void gpuscan_worker_main(Child *child) __attribute__((noreturn));

/* child.c; the first two are for contain.c */
extern void gpuscan_child_begin(Child *child);
extern void gpuscan_child_catch_term(void);

/* Must this process end (SIGTERM, parent gone)? */
extern bool gpuscan_child_stopping(void);

/* A line into the server's log, by write(2). */
extern void gpuscan_child_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A sign of life; the watchdog ends a child that gives none.  Also wakes the
 * supervisor when the device has become READY.
 */
extern void gpuscan_child_beat(Child *child);

/*
 * The next slot to run, now RUNNING, or -1: sessions by turns, within a session
 * in order of submission.
 */
extern int	gpuscan_child_take(Child *child);

/*
 * The slot's outcome: SLOT_DONE or SLOT_FAILED; wakes its owner, and counts
 * (device->jobs, failures, bytes_in, kernel_ns).  An abandoned slot is freed.
 */
extern void gpuscan_child_report(Child *child, int slot, SlotState outcome, int error);

/*
 * A session that is CLOSING and has no job that runs, or -1; call
 * gpuscan_child_closed when its memory was freed.
 */
extern int	gpuscan_child_closing(Child *child);
extern void gpuscan_child_closed(Child *child, int session);

/*
 * Sleep until the doorbell rings, at most so many milliseconds (and half a
 * second).  A ring between the last take and this is not missed.  Gives a sign
 * of life.  device->doorbell may also be rung from another thread
 * (region_ring_device).
 */
extern void gpuscan_child_wait(Child *child, int milliseconds);

extern uint64_t gpuscan_child_now_us(void);

#endif							/* GPUSCAN_CHILD_H */
