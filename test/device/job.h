/*-------------------------------------------------------------------------
 *
 * job.h
 *	  Batches put together as a job.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DEVICE_JOB_H
#define DEVICE_JOB_H

#include <stdlib.h>
#include <string.h>

#include "engine/cuda/plan.h"
#include "table.h"

static uint32_t
job_align(uint32_t at, uint32_t align)
{
	return (at + align - 1) & ~(align - 1);
}

/*
 * A job of these batches, in memory of its exact size.  explicit: line pointers
 * are listed also where they are dense.
 */
static DeviceJob *
job_new(const Rows *const *rows, uint32_t n, uint32_t blcksz, bool list_all)
{
	DeviceJob	head = {.blcksz = blcksz};
	DeviceJob  *job;
	DevicePage *page;
	uint16_t   *offnums;
	char	   *data;
	uint32_t	number = 0,
				listed = 0;

	for (uint32_t b = 0; b < n; b++)
	{
		head.npages += rows[b]->batch.npages;
		head.nrows += rows[b]->batch.nrows;
	}
	head.pages = sizeof(DeviceJob);
	head.data = job_align(head.pages + head.npages * (uint32_t) sizeof(DevicePage), DEVICE_ALIGN);
	head.offnums = head.data + head.npages * blcksz + DEVICE_PAGE_SLACK;
	head.size = head.offnums + head.nrows * (uint32_t) sizeof(uint16_t);
	job = malloc(head.size);
	memset(job, 0xE5, head.size);
	*job = head;
	page = (DevicePage *) ((char *) job + head.pages);
	data = (char *) job + head.data;
	offnums = (uint16_t *) ((char *) job + head.offnums);
	for (uint32_t b = 0; b < n; b++)
	{
		const Batch *batch = &rows[b]->batch;

		for (uint32_t p = 0; p < batch->npages; p++, page++, data += blcksz)
		{
			const BatchPage *from = &batch->pages[p];

			memset(page, 0, sizeof *page);
			page->ordinal = batch->ordinal + from->first;
			page->first = number;
			page->nrows = from->nrows;
			page->offnum = from->dense && !list_all ? DEVICE_DENSE : listed;
			if (page->offnum != DEVICE_DENSE)
			{
				memcpy(offnums + listed, batch->offnum + from->first, from->nrows * sizeof *offnums);
				listed += from->nrows;
			}
			memcpy(data, from->data, blcksz);
			number += from->nrows;
		}
	}
	return job;
}

#endif							/* DEVICE_JOB_H */
