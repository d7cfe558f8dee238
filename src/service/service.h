/*-------------------------------------------------------------------------
 *
 * service.h
 *	  The device service as backends see it.
 *
 * A supervisor (a background worker of the preloaded library) keeps a child
 * process for each device; backends hand it jobs through slots of the shared
 * region and wait for them.  Nothing here raises an error because of a device:
 * what cannot be had is NULL or SLOT_LOST, and the caller goes on without.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_SERVICE_H
#define GPUSCAN_SERVICE_H

#include "service/region.h"

/* settings */
extern bool gpuscan_use_devices;	/* gpuscan.use_devices: start the service */
extern char *gpuscan_cuda_library;	/* gpuscan.cuda_library */
extern int	gpuscan_device_buffer_size; /* gpuscan.device_buffer_size, kB */
extern int	gpuscan_device_job_size;	/* gpuscan.device_job_size, kB */
extern int	gpuscan_device_connections; /* gpuscan.device_connections */
extern int	gpuscan_device_role_limit;	/* gpuscan.device_role_limit, kB; 0: none */
extern int	gpuscan_device_timeout; /* gpuscan.device_timeout, ms; 0: none */
extern int	gpuscan_device_memory_limit;	/* gpuscan.device_memory_limit, MB; 0: none */

/* From _PG_init; defines the settings, and in the postmaster also registers the worker. */
extern void gpuscan_service_init(void);

/* The region, or NULL when the library was not preloaded or devices are not used. */
extern ServiceRegion *gpuscan_service_region(void);

/*
 * Is there a device that is ready?  If not, *why is a phrase for EXPLAIN
 * ("no CUDA driver: ...", static or in the region).  Cheap.  *device: which.
 */
extern bool gpuscan_service_ready(uint32 *device, const char **why);

typedef struct DeviceSession DeviceSession;

/*
 * Begin to use a device: the plan is put into the region.  Closed by itself,
 * and its memory freed, when the current resource owner (transaction,
 * subtransaction, portal) is released by an abort; who ends in order closes it.
 * capacity: places of the table of groups, a power of two; 0: none.  NULL: not
 * now, *why says why (no device, all connections taken, program barred).
 */
extern DeviceSession *gpuscan_session_open(const DevicePlan *plan, uint64 capacity, const char **why);
extern void gpuscan_session_close(DeviceSession *session);

/* Is the child that holds this session's groups still there? */
extern bool gpuscan_session_alive(const DeviceSession *session);

/* The device it runs on. */
extern const ServiceDevice *gpuscan_session_device(const DeviceSession *session);

/*
 * A slot to be filled, or NULL when all are taken, or this role or session has
 * its share.  Never waits.
 */
extern int	gpuscan_slot_acquire(DeviceSession *session);	/* -1: none */
extern char *gpuscan_slot_data(int slot);
extern ServiceSlot *gpuscan_slot(int slot);

/* Hand it to the child; input: bytes of data that travel to the device. */
extern void gpuscan_slot_submit(DeviceSession *session, int slot, SlotRequest request, uint32 input);

/*
 * Wait until the slot is DONE, FAILED or LOST; returns which.  Interrupts are
 * served: may leave by ereport.  With block = false returns the state as it is.
 */
extern SlotState gpuscan_slot_wait(DeviceSession *session, int slot, bool block);

/* Give it back, in any state. */
extern void gpuscan_slot_release(DeviceSession *session, int slot);

/*
 * A WARNING, at most once a minute in a session, that a device failed and the
 * CPU goes on.
 */
extern void gpuscan_service_warn(const DeviceSession *session, SlotState outcome, int error);

#endif							/* GPUSCAN_SERVICE_H */
