/*-------------------------------------------------------------------------
 *
 * views.c
 *	  What users see of the device service, and what administrators tell it.
 *
 * Rows for the views gpuscan.devices, stat_devices, stat_slots and
 * barred_programs.  Numbers are read while children write them: each is one
 * that was, not all of the same moment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "service/private.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(gpuscan_devices);
PG_FUNCTION_INFO_V1(gpuscan_stat_devices);
PG_FUNCTION_INFO_V1(gpuscan_stat_slots);
PG_FUNCTION_INFO_V1(gpuscan_barred_programs);
PG_FUNCTION_INFO_V1(gpuscan_restart_device);
PG_FUNCTION_INFO_V1(gpuscan_unbar_programs);

static const char *const device_states[] = {
	[DEVICE_ABSENT] = "absent",
	[DEVICE_STARTING] = "starting",
	[DEVICE_READY] = "ready",
	[DEVICE_BACKOFF] = "failed",
};

static const char *const slot_states[] = {
	[SLOT_FREE] = "free",
	[SLOT_OWNED] = "owned",
	[SLOT_SUBMITTED] = "submitted",
	[SLOT_RUNNING] = "running",
	[SLOT_DONE] = "done",
	[SLOT_FAILED] = "failed",
	[SLOT_LOST] = "lost",
	[SLOT_ABANDONED] = "abandoned",
};

/* A row being made, column after column. */
typedef struct Row
{
	Datum		values[16];
	bool		nulls[16];
	int			n;
} Row;

static void
add(Row *row, Datum value)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

static void
add_null(Row *row)
{
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

/* A number for which zero means that it is not known. */
static void
add_known(Row *row, bool known, Datum value)
{
	if (known)
		add(row, value);
	else
		add_null(row);
}

/* A string of the region: another process may write it now, so it may lack its end. */
static void
add_text(Row *row, const char *string, int size)
{
	int			length = (int) strnlen(string, size);

	if (length > 0)
		add(row, PointerGetDatum(cstring_to_text_with_len(string, length)));
	else
		add_null(row);
}

static void
emit(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->n == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
	row->n = 0;
}

static uint32
device_count(ServiceRegion *region)
{
	return region ? Min(region_load(&region->ndevices), SERVICE_MAX_DEVICES) : 0;
}

Datum
gpuscan_devices(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = gpuscan_service_region();
	Row			row = {.n = 0};

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < device_count(region); i++)
	{
		ServiceDevice *device = &region->devices[i];
		uint32		state = region_load(&device->state);
		bool		known = device->name[0] != '\0';
		char		capability[16];

		snprintf(capability, sizeof capability, "%d.%d", device->major, device->minor);
		add(&row, Int32GetDatum(i));
		add(&row, CStringGetTextDatum(state <= DEVICE_BACKOFF ? device_states[state] : "unknown"));
		add_text(&row, device->name, sizeof device->name);
		add_text(&row, device->uuid, sizeof device->uuid);
		add_text(&row, device->pci, sizeof device->pci);
		add_text(&row, known ? capability : "", sizeof capability);
		add_known(&row, known, Int32GetDatum(device->driver_version));
		add_known(&row, known, Int32GetDatum(device->multiprocessors));
		add_known(&row, known, Int64GetDatum((int64) device->memory));
		add_known(&row, device->pid != 0, Int32GetDatum(device->pid));
		add(&row, Int64GetDatum(region_load(&device->generation)));
		add_text(&row, state == DEVICE_READY ? "" : device->reason, SERVICE_REASON);
		emit(fcinfo, &row);
	}
	if (region == NULL)
	{
		add_null(&row);
		add(&row, CStringGetTextDatum(device_states[DEVICE_ABSENT]));
		while (row.n < 11)
			add_null(&row);
		add(&row, CStringGetTextDatum(gpuscan_service_absence()));
		emit(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
gpuscan_stat_devices(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = gpuscan_service_region();
	Row			row = {.n = 0};

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i < device_count(region); i++)
	{
		ServiceDevice *device = &region->devices[i];
		uint64		energy = region_load(&device->energy_mj);
		int32		temperature = region_load(&device->temperature);
		int32		last_error = region_load(&device->last_error);

		add(&row, Int32GetDatum(i));
		add(&row, Int64GetDatum(region_load(&device->jobs)));
		add(&row, Int64GetDatum(region_load(&device->pages)));
		add(&row, Int64GetDatum(region_load(&device->rows)));
		add(&row, Int64GetDatum(region_load(&device->bytes_in)));
		add(&row, Int64GetDatum(region_load(&device->bytes_out)));
		add(&row, Float8GetDatum(region_load(&device->kernel_ns) / 1e6));
		add(&row, Int64GetDatum(region_load(&device->failures)));
		add(&row, Int64GetDatum(region_load(&device->deaths)));
		add(&row, Int64GetDatum(region_load(&device->lost_jobs)));
		add(&row, Int64GetDatum(region_load(&device->memory_used)));
		add_known(&row, energy != 0, Float8GetDatum(energy / 1e3));
		add_known(&row, temperature != 0, Int32GetDatum(temperature));
		add_known(&row, last_error != 0, Int32GetDatum(last_error));
		emit(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
gpuscan_stat_slots(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = gpuscan_service_region();
	Row			row = {.n = 0};

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; region && i < region->nslots; i++)
	{
		ServiceSlot *slot = region_slot(region, i);
		uint32		state = region_load(&slot->state);

		if (state == SLOT_FREE)
			continue;
		add(&row, Int32GetDatum(i));
		add(&row, CStringGetTextDatum(state <= SLOT_ABANDONED ? slot_states[state] : "unknown"));
		add(&row, Int32GetDatum(slot->device));
		add(&row, Int32GetDatum(slot->pid));
		add(&row, ObjectIdGetDatum(slot->roleid));
		add(&row, Int64GetDatum(slot->input));
		emit(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
gpuscan_barred_programs(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = gpuscan_service_region();
	Row			row = {.n = 0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; region && i < SERVICE_MAX_BARRED; i++)
	{
		BarredProgram *program = &region->barred[i];
		uint64		hash = region_load(&program->plan_hash);
		uint32		deaths = region_load(&program->deaths);
		char		text[17];

		if (hash == 0 || deaths == 0)
			continue;
		snprintf(text, sizeof text, "%016llx", (unsigned long long) hash);
		add(&row, CStringGetTextDatum(text));
		add(&row, Int32GetDatum(deaths));
		add(&row, BoolGetDatum(deaths >= 2));
		add(&row, TimestampTzGetDatum(program->since_us -
									  (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY));
		emit(fcinfo, &row);
	}
	return (Datum) 0;
}

static ServiceRegion *
need_region(void)
{
	ServiceRegion *region = gpuscan_service_region();

	if (region == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no device service"),
				 errdetail("%s.", gpuscan_service_absence())));
	return region;
}

/* (device int), NULL: all */
Datum
gpuscan_restart_device(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = need_region();
	int32		n = (int32) device_count(region);

	if (PG_ARGISNULL(0))
	{
		for (int32 i = 0; i < n; i++)
			region_store(&region->devices[i].restart, 1);
	}
	else
	{
		int32		number = PG_GETARG_INT32(0);

		if (number < 0 || number >= n)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no device %d", number)));
		region_store(&region->devices[number].restart, 1);
	}
	region_ring(region->bell);
	PG_RETURN_VOID();
}

/* How many programs were barred, or suspected. */
Datum
gpuscan_unbar_programs(PG_FUNCTION_ARGS)
{
	ServiceRegion *region = need_region();
	int32		n = 0;

	for (int i = 0; i < SERVICE_MAX_BARRED; i++)
	{
		region_store(&region->barred[i].deaths, 0);
		if (region_swap(&region->barred[i].plan_hash, 0) != 0)
			n++;
	}
	PG_RETURN_INT32(n);
}
