/*-------------------------------------------------------------------------
 *
 * device.h
 *	  What the backend, the device's child process and the kernels agree on.
 *
 * Plain structures without pointers, the same bytes everywhere.  Compiles as
 * C and as CUDA, and includes nothing of PostgreSQL.
 *
 * A job is what travels to the device at a time: the pages of one or more
 * batches with their visible line pointers, in one block of memory:
 *
 *	   DeviceJob
 *	   DevicePage  pages[npages]			at job->pages
 *	   char        data[npages][blcksz]		at job->data, aligned to DEVICE_ALIGN
 *	   char        slack[DEVICE_PAGE_SLACK]
 *	   uint16_t    offnum[]					at job->offnums
 *
 * Rows are numbered through the job, page after page.  The kernel gives every
 * row a status, one byte, in the same order: what survived, in page order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_DEVICE_H
#define GPUSCAN_CUDA_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "heap/batch.h"
#include "program/program.h"

#define DEVICE_ALIGN		128
#define DEVICE_PAGE_SLACK	16	/* as BATCH_PAGE_SLACK: may be read, never used */

typedef struct DevicePage
{
	uint64_t	ordinal;		/* of its first row, counted over the whole scan */
	uint32_t	first;			/* number of its first row in the job */
	uint32_t	offnum;			/* index of its first line pointer in offnum[], or
								 * DEVICE_DENSE: they are 1 .. nrows */
	uint16_t	nrows;
	uint16_t	pad[3];
} DevicePage;

#define DEVICE_DENSE		UINT32_MAX

typedef struct DeviceJob
{
	uint32_t	size;			/* bytes of the whole block */
	uint32_t	npages;
	uint32_t	nrows;
	uint32_t	blcksz;
	uint32_t	pages;			/* offsets from the start of the block */
	uint32_t	data;
	uint32_t	offnums;
	uint32_t	pad;
} DeviceJob;

/* What became of a row. */
typedef enum DeviceStatus
{
	DEVICE_ROW_FILTERED = 0,
	DEVICE_ROW_PASSED = 1,		/* passed every filter; with groups: is in them */
	DEVICE_ROW_PUNTED = 2,		/* the host evaluates it whole */
	DEVICE_ROW_LEFT = 3			/* passed, but its group found no place: not in the
								 * groups; run it again when the table was emptied */
} DeviceStatus;

/* Written by a kernel; zeroed (corrupt_row: all ones) before it starts. */
typedef struct DeviceResult
{
	uint32_t	npassed;		/* rows of each status */
	uint32_t	npunted;
	uint32_t	nleft;
	uint32_t	corrupt_row;	/* least number of a row whose lengths leave its line
								 * pointer's bounds, or UINT32_MAX */
	uint64_t	ngroups;		/* groups in the table after this job */
} DeviceResult;

/* ------------------------------------------------------------------------
 * The plan: a program made ready for the device (plan.c)
 * ------------------------------------------------------------------------
 *
 * One block, uploaded as it is.  Registers are allocated anew, so that few
 * are needed; parameters are values in the block.
 */
#define DEVICE_PLAN_MAGIC	0x47504456	/* "GPDV" */
#define DEVICE_MAX_REGS		64		/* a bit each in a word of NULL flags */
#define DEVICE_MAX_UNIFORMS 127	/* 0x80 | 127 would be DEVICE_NO_REG */
#define DEVICE_UNIFORM		0x80	/* operand: uniform value number (op & 0x7F) */
#define DEVICE_NO_REG		0xFF
#define DEVICE_KEY_WORDS	2		/* words of a text key: up to 15 bytes and the length */
#define DEVICE_TEXT_KEY_MAX	15

typedef struct DeviceInstr
{
	uint16_t	op;				/* ProgramOp */
	uint8_t		dst;			/* register, or DEVICE_NO_REG */
	uint8_t		a;				/* operands: register or DEVICE_UNIFORM | uniform;
								 * OP_LOAD: index of the attribute (also in 'wide') */
	uint8_t		b;				/* ... OP_LOAD: LOAD_STORED, or 0 */
	uint8_t		c;
	uint8_t		kind;			/* ValueKind of the result, or of a for OP_IS_NULL */
	uint8_t		pad;
	uint16_t	wide;			/* OP_LOAD: index into attrs */
	uint16_t	pad2;
} DeviceInstr;

/* A value that is the same for all rows: a parameter, or what short rows have. */
typedef struct DeviceUniform
{
	uint64_t	lo;				/* BOOL, INT32, INT64 (sign-extended), mantissa; TEXT:
								 * offset of its bytes from the start of the plan */
	uint64_t	hi;				/* mantissa */
	uint32_t	len;			/* TEXT */
	uint8_t		kind;			/* ValueKind */
	uint8_t		null;
	uint8_t		scale;
	uint8_t		pad;
} DeviceUniform;

typedef struct DeviceKey
{
	uint8_t		operand;		/* register or uniform */
	uint8_t		type;			/* ProgramType */
	uint8_t		word;			/* its first word in a group's key */
	uint8_t		nwords;
	uint32_t	scale_at;		/* numeric: offset in a group's record of the scale of
								 * its first row (ordinal << 6 | scale), else 0 */
} DeviceKey;

typedef struct DeviceAgg
{
	uint8_t		kind;			/* ProgramAggKind */
	uint8_t		operand;		/* register, uniform, or DEVICE_NO_REG (count(*)) */
	uint8_t		filter;			/* register, uniform, or DEVICE_NO_REG */
	uint8_t		scale;			/* SUM_NUMERIC: scale of the sum.  A row that has more
								 * decimals, or whose value at that scale needs more
								 * than DEVICE_SUM_BITS bits, is punted. */
	uint32_t	missing_at;		/* offsets in a group's record: uint64 rows without
								 * argument ... */
	uint32_t	state_at;		/* ... and the state */
} DeviceAgg;

/*
 * A sum's two limbs hold 2^32 rows of this many bits.  The backend brings the
 * groups home before so many rows went in.
 */
#define DEVICE_SUM_BITS		94

/*
 * A group in the table:
 *	   uint64 words[nwords]		the key; DEVICE_KEY_EMPTY: no group here (yet)
 *	   record					at plan->record_words
 * and a record:
 *	   uint64 rows
 *	   uint64 first				ordinal of its first row
 *	   ...						as DeviceKey and DeviceAgg say
 * States: SUM_* uint64 lo, hi, and for numerics uint64 dscale (largest among
 * the inputs); MIN/MAX of integers int64; of numerics DeviceNumericState.
 *
 * words[0] begins with the NULL flags of the keys, so it is never
 * DEVICE_KEY_EMPTY; a row that has that very value in another word is punted.
 */
#define DEVICE_KEY_EMPTY	UINT64_C(0x8000000000000000)

typedef struct DeviceNumericState
{
	uint64_t	lo;				/* mantissa */
	uint64_t	hi;
	uint64_t	ordinal;		/* of the row that it is from: of equal values the later
								 * stays, it may be shown with another scale */
	uint32_t	scale;
	uint32_t	set;
	uint32_t	candidate;		/* while a job runs: number of the best row + 1, or 0 */
	uint32_t	pad;
} DeviceNumericState;

/*
 * While a job runs: a row's argument of a MIN or MAX of numerics.  One array a
 * job, candidates[row][plan->candidates].
 */
typedef struct DeviceCandidate
{
	uint64_t	lo;
	uint64_t	hi;
	uint64_t	group;			/* the group's place in the table, or all ones */
	uint64_t	ordinal;
	uint32_t	scale;
	uint32_t	pad;
} DeviceCandidate;

typedef struct DevicePlan
{
	uint32_t	magic;
	uint32_t	size;			/* of the whole block */
	uint16_t	ninstrs;
	uint16_t	nattrs;
	uint16_t	nlayout;
	uint16_t	nuniforms;
	uint16_t	nregs;			/* registers: first those of numerics ... */
	uint16_t	nwide;			/* ... so many; integers and texts up to ... */
	uint16_t	nstored;		/* ... here; booleans are bits and lie nowhere */
	uint16_t	nkeys;
	uint16_t	naggs;
	uint16_t	grouped;
	uint16_t	nwords;			/* of a group's key, flags included; 0 without keys */
	uint16_t	candidates;		/* MIN/MAX of numerics: so many values a row are kept
								 * while a job runs */
	uint16_t	pad[2];
	uint32_t	group_size;		/* bytes of key and record */
	uint32_t	record_at;		/* of the record in them */
	uint32_t	instrs;			/* offsets from the start of the block */
	uint32_t	attrs;			/* ProgramAttr[nattrs], missing = uniform or PROGRAM_NO_REG */
	uint32_t	layout;			/* ProgramLayout[nlayout] */
	uint32_t	uniforms;
	uint32_t	keys;
	uint32_t	aggs;
	uint32_t	empty;			/* what groups_clear puts everywhere: group_size bytes */
} DevicePlan;

#define DEVICE_SECTION(plan, type, offset) \
	((const type *) ((const char *) (plan) + (offset)))

/* ------------------------------------------------------------------------
 * The table of groups, in device memory
 * ------------------------------------------------------------------------
 *
 * Open addressing; a group's key is put in word by word with compare-and-swap
 * (kernels/groups.cuh), so nobody waits for anybody.
 */
typedef struct DeviceGroups
{
	uint64_t	capacity;		/* places, a power of two; 1 without keys */
	uint64_t	limit;			/* a new group is refused beyond (rows are LEFT) */
	uint64_t	ngroups;
	uint64_t	pad;
	/* then char groups[capacity][group_size] */
} DeviceGroups;

#define DEVICE_GROUPS_BYTES(plan, capacity) \
	(sizeof(DeviceGroups) + (size_t) (capacity) * (plan)->group_size)

/* Groups on their way home: at most 'room', the rest is fetched by another call. */
typedef struct DeviceGather
{
	uint64_t	cursor;			/* in: place in the table to begin at; out: where to go
								 * on, or capacity when all were taken */
	uint32_t	room;			/* groups that fit behind this header */
	uint32_t	ngroups;		/* out */
	/* then char groups[ngroups][group_size] */
} DeviceGather;

/* ------------------------------------------------------------------------
 * How kernels are started (worker.c)
 * ------------------------------------------------------------------------
 *
 * gpuscan_scan and gpuscan_aggregate as DeviceLaunch says, which they also get
 * as their last argument, by value; any number of blocks.
 */
typedef struct DeviceLaunch
{
	uint32_t	threads;		/* of a block */
	uint32_t	tile_pages;		/* pages that a block has in work at a time */
	uint32_t	local_groups;	/* groups that a block keeps in shared memory */
	uint32_t	shared;			/* bytes of dynamic shared memory */
} DeviceLaunch;

#define DEVICE_GATHER_BLOCKS	1	/* one block: places are taken in their order */
#define DEVICE_GATHER_THREADS	512
#define DEVICE_GATHER_SHARED	256 /* bytes of dynamic shared memory */
#define DEVICE_COMMIT_BLOCKS	64	/* of 256 threads, striding over the job's rows */
#define DEVICE_CLEAR_BLOCKS		256 /* of 256 threads, striding over the table */

#endif							/* GPUSCAN_CUDA_DEVICE_H */
