/*-------------------------------------------------------------------------
 *
 * table.h
 *	  Random tables: columns of every type and layout, rows on pages, batches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_TABLE_H
#define UNIT_TABLE_H

#include <stdio.h>

#include "bytes.h"
#include "heap/decode.h"
#include "page.h"
#include "program/floats.h"
#include "program/text.h"
#include "rng.h"

#define TABLE_COLUMNS	48
#define TABLE_FILLER	UINT8_MAX	/* a column that programs never load */

/* What values a column has */
typedef enum Profile
{
	PROFILE_FEW,				/* a handful: groups */
	PROFILE_SMALL,				/* numbers of a few digits */
	PROFILE_ASCENDING,			/* by row number, slowly growing */
	PROFILE_BOUND,				/* up to a power of two, of one scale: where 64 bits end */
	PROFILE_EDGE,				/* extremes of the type, and around zero */
	PROFILE_WILD,				/* whatever a table may hold: long, odd forms, NaN */
	PROFILES
} Profile;

typedef struct Column
{
	ProgramLayout layout;
	uint8_t		type;			/* ProgramType, or TABLE_FILLER */
	uint8_t		profile;
	int8_t		scale;			/* numeric: declared, or -1 */
	uint8_t		bits;			/* of PROFILE_BOUND */
	int			null_percent;
	int			odd_percent;	/* compressed, external, long headers */
	ProgramValue missing;		/* what short rows have; kind VALUE_KINDS: NULL */
} Column;

typedef struct Table
{
	Column		columns[TABLE_COLUMNS];
	uint32_t	ncolumns;
	uint32_t	blcksz;
	int			short_percent;	/* rows with fewer attributes */
	uint64_t	nrows;			/* made so far */
	Bytes		bytes;			/* of values that do not belong to a row */
} Table;

/* The rows of a batch, and the batch. */
typedef struct Rows
{
	Batch		batch;
	Page		pages[BATCH_MAX_PAGES];
	uint32_t	ncolumns;
	uint16_t	natts[BATCH_MAX_ROWS];
	Cell	   *cells;			/* nrows * ncolumns */
} Rows;

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */

/* In bytes; of an integer column that programs do not load: any. */
static int
type_width(uint8_t type)
{
	return type == TABLE_FILLER || type == TYPE_OPAQUE ? 4 : gpuscan_type_info[type].attlen;
}

/* 2^bits, or a little less or more, or anything below */
static uint64_t
random_bound(Rng *rng, int bits)
{
	uint64_t	top = UINT64_C(1) << bits;

	return rng_chance(rng, 50) ? top - 2 + rng_below(rng, 5) : rng_next(rng) & (top - 1);
}

static int64_t
random_integer(Rng *rng, uint8_t type, uint8_t profile, int bits, uint64_t row)
{
	if (type == TYPE_BOOL)
		return rng_chance(rng, 50);
	switch (profile)
	{
		case PROFILE_FEW:
			return rng_range(rng, -2, 5);
		case PROFILE_SMALL:
			return rng_range(rng, -10000, 10000);
		case PROFILE_ASCENDING:
			return (int64_t) (row / 3 % 30000) + rng_range(rng, 0, 3);
		case PROFILE_BOUND:
			if (bits > 8 * type_width(type) - 2)
				bits = 8 * type_width(type) - 2;
			return rng_chance(rng, 50) ? (int64_t) random_bound(rng, bits) : -(int64_t) random_bound(rng, bits);
		default:
			return rng_edge(rng, type_width(type));
	}
}

/* Floating point: where types end, and what is equal and looks different */
static double
random_real(Rng *rng, uint8_t type, uint8_t profile, int bits, uint64_t row)
{
	static const double few[] = {0.0, -0.0, 1.0, -1.0, 0.5, -2.25, 30.0, NAN, INFINITY};
	static const double edges[] = {
		0.0, -0.0, 1.0, -1.0, 0.1, NAN, -NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN, -DBL_MIN, 4.9406564584124654e-324,
		FLT_MAX, -FLT_MAX, FLT_MIN, 1.4012984643248171e-45, -1.4012984643248171e-45, 3.4028235677973366e38, 7.0064923216240854e-46,
		32767.5, -32768.5, 32766.5, 2147483647.5, -2147483648.5, 2147483648.0, 9223372036854775807.0, -9223372036854775808.0,
		9223372036854774784.0, 16777217.0, 9007199254740993.0, 1e15, 1e-15, 709.5, -745.2, 1e154, 1e-162, 0.5, 1.5, 2.5, -0.5
	};
	double		value;

	switch (profile)
	{
		case PROFILE_FEW:
			value = RNG_PICK(rng, few);
			break;
		case PROFILE_SMALL:
			value = rng_range(rng, -10000, 10000) / 100.0;
			break;
		case PROFILE_ASCENDING:
			value = (double) (row / 3) + 0.25;
			break;
		case PROFILE_BOUND:
			value = (double) (int64_t) random_bound(rng, bits) * (rng_chance(rng, 50) ? 1.0 : -0.5);
			break;
		case PROFILE_EDGE:
			value = RNG_PICK(rng, edges);
			break;
		default:
			value = rng_chance(rng, 50) ? float64_from_bits(rng_next(rng)) : float64_from_float_bits((uint32_t) rng_next(rng));
			break;
	}
	/* a real holds what it can */
	return type == TYPE_FLOAT4 ? float32_round(value) : value;
}

/* As it is stored */
static int64_t
real_bits(uint8_t type, double value)
{
	float		narrow = (float) value;
	uint32_t	bits;

	if (type != TYPE_FLOAT4)
		return (int64_t) float64_bits(value);
	memcpy(&bits, &narrow, sizeof bits);
	return (int32_t) bits;
}

/* Magnitude and scale: digits that decide 64 or 128 bits, and more. */
static void
random_numeric(Rng *rng, uint8_t profile, int scale, int bits, uint64_t row, bool *negative, char *digits, int *out_scale)
{
	static const int edges[] = {31, 32, 54, 56, 57, 60, 61, 62, 63, 64, 96, 120, 126, 127};
	u128		magnitude;
	int			n;

	/* of one sign now and then, so that sums grow */
	*negative = rng_chance(rng, profile == PROFILE_BOUND && bits % 2 == 1 ? 0 : 40);
	*out_scale = scale >= 0 && !rng_chance(rng, 2) ? scale : rng_range(rng, 0, 6);
	switch (profile)
	{
		case PROFILE_FEW:
			cell_digits(rng_below(rng, 8), digits);
			break;
		case PROFILE_SMALL:
			cell_digits(rng_below(rng, 100000000), digits);
			break;
		case PROFILE_ASCENDING:
			*negative = false;
			cell_digits(row / 3 + rng_below(rng, 4), digits);
			break;
		case PROFILE_BOUND:
			*out_scale = scale >= 0 ? scale : 2;
			cell_digits(random_bound(rng, bits), digits);
			break;
		case PROFILE_EDGE:
			magnitude = ((u128) 1 << RNG_PICK(rng, edges)) + (u128) (i128) rng_range(rng, -2, 2);
			if (rng_chance(rng, 20))
				*out_scale = rng_range(rng, 0, NUMERIC_SCALE_MAX);
			cell_digits(magnitude, digits);
			break;
		default:
			n = rng_range(rng, 1, rng_chance(rng, 90) ? 40 : 300);
			*out_scale = rng_range(rng, 0, rng_chance(rng, 90) ? 40 : 300);
			for (int i = 0; i < n; i++)
				digits[i] = (char) ('0' + rng_below(rng, 10));
			digits[n] = '\0';
	}
	/* trailing zeros now and then: equal values of different scale */
	if (profile <= PROFILE_SMALL && scale < 0 && rng_chance(rng, 40))
	{
		n = (int) strlen(digits);
		for (int k = rng_range(rng, 1, 3); k > 0; k--, ++*out_scale)
			digits[n++] = '0';
		digits[n] = '\0';
	}
}

/* At most 300 bytes */
static uint32_t
random_text(Rng *rng, uint8_t profile, uint64_t row, char *out)
{
	static const char *const few[] = {"%", "%A%", "A%R", "R_G%", "_", "%I%R%", "\\A%", "A\\", "%\303\251_\303\251", "", "A", "B", "AIR", "REG AIR", "REG AIR ", "RAIL", "1234567", "12345678", "  ", "x ", "\303\251t\303\251"};
	const char *word = RNG_PICK(rng, few);
	uint32_t	len = (uint32_t) strlen(word);

	switch (profile)
	{
		case PROFILE_ASCENDING:
			return (uint32_t) sprintf(out, "%llu", (unsigned long long) row / 5);
		case PROFILE_EDGE:
			len = (uint32_t) rng_range(rng, 6, 9);
			break;
		case PROFILE_WILD:
			len = rng_below(rng, 300);
			break;
		default:
			memcpy(out, word, len);
			return len;
	}
	for (uint32_t i = 0; i < len; i++)
		out[i] = (char) (rng_chance(rng, 20) ? ' ' : 'a' + (char) rng_below(rng, 2));

	/* for LIKE: wildcards, an escape, pieces of characters */
	if (rng_chance(rng, 30))
		for (int k = rng_range(rng, 1, 6); k > 0 && len > 0; k--)
			out[rng_below(rng, len)] = "%%%%_\\\303\251"[rng_below(rng, 8)];
	return len;
}

/* 16 bytes; many that are equal, or nearly, in other fields */
static uint32_t
random_interval(Rng *rng, char *out)
{
	static const int64_t days[] = {0, 0, 1, -1, 29, 30, -30, 31, 60, INT32_MAX, INT32_MIN};
	const int64_t day = rng_chance(rng, 95) ? RNG_PICK(rng, days) : (int32_t) rng_next(rng);
	const int64_t month = rng_chance(rng, 95) ? rng_range(rng, -2, 2) : rng_chance(rng, 50) ? (int32_t) rng_next(rng) : INT32_MAX;
	int64_t		time = rng_range(rng, -3, 3) * INT64_C(86400000000) + rng_range(rng, -1, 1) * rng_range(rng, 0, 5);

	if (rng_chance(rng, 5))
		time = rng_chance(rng, 50) ? (int64_t) rng_next(rng) : rng_chance(rng, 50) ? INT64_MAX : INT64_MIN;
	memcpy(out, &time, 8);
	memcpy(out + 8, &(int32_t) {(int32_t) day}, 4);
	memcpy(out + 12, &(int32_t) {(int32_t) month}, 4);
	return 16;
}

static void
random_cell(Rng *rng, const Column *column, uint64_t row, Cell *cell)
{
	char		buf[CELL_DIGITS_MAX];

	memset(cell, 0, sizeof *cell);
	cell->null = rng_chance(rng, column->null_percent);
	if (cell->null)
		return;
	cell->form = CELL_SHORT;
	if (rng_chance(rng, column->odd_percent))
		cell->form = (uint8_t) rng_range(rng, CELL_LONG, CELL_EXTERNAL);

	if (column->type == TYPE_NUMERIC)
	{
		static const uint16_t special[] = {CELL_NAN, CELL_INFINITY, CELL_MINUS_INFINITY};
		bool		negative;
		int			scale;

		if (column->profile == PROFILE_WILD && rng_chance(rng, 10))
		{
			cell_set_numeric_special(cell, RNG_PICK(rng, special));
			return;
		}
		random_numeric(rng, column->profile, column->scale, column->bits, row, &negative, buf, &scale);
		cell_set_numeric(cell, negative, buf, scale, rng_chance(rng, column->odd_percent));
	}
	else if (column->type == TYPE_INTERVAL)
		cell_set_bytes(cell, buf, random_interval(rng, buf));
	else if (column->type < PROGRAM_TYPES && decode_fixed_text_size(column->type) != 0)
	{
		/* 64 bytes of a name: a page that is damaged */
		const uint32_t room = decode_fixed_text_size(column->type) - (column->type == TYPE_NAME && !rng_chance(rng, 5));
		uint32_t	len = random_text(rng, column->profile, row, buf);

		if (column->type != TYPE_NAME)
			for (; len < room; len++)
				buf[len] = '\0';
		cell_set_bytes(cell, buf, len < room ? len : room);
	}
	else if (column->layout.attlen < 0)
	{
		uint32_t	len = random_text(rng, column->profile, row, buf);

		cell_set_bytes(cell, buf, len);
	}
	else if (column->type != TABLE_FILLER && gpuscan_type_info[column->type].kind == VALUE_FLOAT64)
		cell->integer = real_bits(column->type, random_real(rng, column->type, column->profile, column->bits, row));
	else
		cell->integer = random_integer(rng, column->type, column->profile, column->bits, row);
}

/* A parameter of the kind; its text lies in memory of exactly its length. */
static ProgramValue
random_value(Rng *rng, Bytes *bytes, uint8_t kind, uint8_t profile)
{
	static const uint8_t types[] = {TYPE_BOOL, TYPE_INT4, TYPE_INT8};
	ProgramValue value = {.kind = kind};
	int			bits = rng_range(rng, 20, 63);
	char		buf[CELL_DIGITS_MAX];
	bool		negative;

	if (kind == VALUE_TEXT)
	{
		value.len = text_without_blanks(buf, random_text(rng, profile, rng_below(rng, 1000), buf));
		value.u.ptr = memcpy(bytes_new(bytes, value.len), buf, value.len);
	}
	else if (kind == VALUE_NUMERIC)
	{
		Cell		cell;

		do
		{
			random_numeric(rng, profile, rng_range(rng, -1, 4), bits, rng_below(rng, 1000), &negative, buf, &value.scale);
			cell_set_numeric(&cell, negative, buf, value.scale, false);
			cell_free(&cell);
		} while (!cell.readable);
		value.u.numeric.lo = (uint64_t) cell.numeric.mantissa;
		value.u.numeric.hi = (int64_t) (cell.numeric.mantissa >> 64);
	}
	else if (kind == VALUE_FLOAT64)
		value.u.real = random_real(rng, rng_chance(rng, 50) ? TYPE_FLOAT4 : TYPE_FLOAT8, profile, bits, rng_below(rng, 1000));
	else
		value.u.integer = random_integer(rng, types[kind], profile, bits, rng_below(rng, 1000));
	return value;
}

/* ------------------------------------------------------------------------
 * Tables
 * ------------------------------------------------------------------------
 */

static void
table_add_column(Rng *rng, Table *table, uint8_t type, uint8_t profile)
{
	static const ProgramLayout fillers[] = {
		{1, 1, 0}, {2, 2, 0}, {4, 4, 0}, {8, 8, 0}, {6, 2, 0}, {16, 8, 0}, {64, 1, 0}, {-1, 4, 0}, {-1, 8, 0}, {-2, 1, 0}
	};
	Column	   *column = &table->columns[table->ncolumns++];

	memset(column, 0, sizeof *column);
	column->type = type;
	column->profile = profile;
	column->scale = -1;
	column->bits = (uint8_t) rng_range(rng, 20, 63);
	column->missing.kind = VALUE_KINDS;
	if (type == TABLE_FILLER || type == TYPE_OPAQUE)
		column->layout = RNG_PICK(rng, fillers);
	else
	{
		column->layout.attlen = gpuscan_type_info[type].attlen;
		column->layout.attalign = gpuscan_type_info[type].attalign;
	}
	if (type == TYPE_NUMERIC && rng_chance(rng, 70))
		column->scale = (int8_t) (rng_chance(rng, 80) ? rng_range(rng, 0, 6) : rng_range(rng, 0, NUMERIC_SCALE_MAX));
}

/* How often a column is NULL or oddly stored, and what short rows have. */
static void
table_vary(Rng *rng, Table *table)
{
	bool		nulls = rng_chance(rng, 60),
				odd = rng_chance(rng, 40);

	table->short_percent = rng_chance(rng, 20) ? rng_range(rng, 1, 100) : 0;
	for (uint32_t i = 0; i < table->ncolumns; i++)
	{
		static const int percents[] = {0, 0, 1, 10, 50, 99, 100};
		Column	   *column = &table->columns[i];

		column->null_percent = nulls ? RNG_PICK(rng, percents) : 0;
		column->odd_percent = odd && rng_chance(rng, 50) ? rng_range(rng, 1, 60) : 0;
		if (column->type != TABLE_FILLER && rng_chance(rng, 50))
		{
			column->missing = random_value(rng, &table->bytes, gpuscan_type_info[column->type].kind, column->profile);
			column->missing.null = rng_chance(rng, 10);
			if (column->missing.kind == VALUE_INT32 && column->type == TYPE_INT2)
				column->missing.u.integer = (int16_t) column->missing.u.integer;
		}
	}
}

static void
table_random(Rng *rng, Table *table)
{
	uint32_t	n = (uint32_t) rng_range(rng, 1, 10);

	memset(table, 0, sizeof *table);
	table->blcksz = rng_chance(rng, 70) ? 8192 : rng_chance(rng, 50) ? 4096 : 32768;
	for (uint32_t i = 0; i < n; i++)
		table_add_column(rng, table, rng_chance(rng, 15) ? TABLE_FILLER : (uint8_t) rng_below(rng, PROGRAM_TYPES),
						 (uint8_t) rng_below(rng, PROFILES));
	table_vary(rng, table);
}

static void
table_free(Table *table)
{
	bytes_free(&table->bytes);
}

/* ------------------------------------------------------------------------
 * Batches
 * ------------------------------------------------------------------------
 */

/* Up to 'nrows' more rows, on as many pages as a batch may have. */
static Rows *
rows_new(Rng *rng, Table *table, uint32_t nrows)
{
	Rows	   *rows = calloc(1, sizeof *rows);
	Batch	   *batch = &rows->batch;
	ProgramLayout layout[TABLE_COLUMNS];
	uint8_t    *tuple = malloc(TUPLE_MAX);
	int			dead_percent = rng_chance(rng, 50) ? 0 : rng_range(rng, 1, 50);

	rows->ncolumns = table->ncolumns;
	rows->cells = calloc((size_t) BATCH_MAX_ROWS * table->ncolumns, sizeof(Cell));
	batch->blcksz = table->blcksz;
	batch->ordinal = table->nrows;
	for (uint32_t i = 0; i < table->ncolumns; i++)
		layout[i] = table->columns[i].layout;

	while (batch->nrows < nrows)
	{
		Cell	   *cells = &rows->cells[(size_t) batch->nrows * table->ncolumns];
		uint32_t	natts = table->ncolumns;
		uint32_t	len;
		uint16_t	item = 0;

		for (uint32_t i = 0; i < table->ncolumns; i++)
			random_cell(rng, &table->columns[i], table->nrows, &cells[i]);
		if (rng_chance(rng, table->short_percent))
			natts = rng_below(rng, natts + 1);
		len = tuple_form(tuple, layout, cells, natts, NULL);

		if (batch->npages > 0 && len > 0)
		{
			/* a tuple that nobody sees */
			if (rng_chance(rng, dead_percent))
				page_add(&rows->pages[batch->npages - 1], tuple, len);
			item = page_add(&rows->pages[batch->npages - 1], tuple, len);
		}
		if (item == 0 && len > 0 && batch->npages < BATCH_MAX_PAGES)
		{
			Page	   *page = &rows->pages[batch->npages++];

			page_init(page, table->blcksz);
			item = page_add(page, tuple, len);
			batch->pages[batch->npages - 1] = (BatchPage) {.data = page->data,.first = (uint16_t) batch->nrows};
		}
		if (item == 0)
		{
			for (uint32_t i = 0; i < table->ncolumns; i++)
				cell_free(&cells[i]);
			if (len > 0 && batch->npages == BATCH_MAX_PAGES)
				break;
			continue;			/* larger than a page: another one */
		}
		batch->offnum[batch->nrows] = item;
		batch->pages[batch->npages - 1].nrows++;
		rows->natts[batch->nrows] = (uint16_t) natts;
		batch->nrows++;
		table->nrows++;
	}
	for (uint32_t p = 0; p < batch->npages; p++)
	{
		BatchPage  *page = &batch->pages[p];

		page->block = p;
		page->dense = page->nrows == rows->pages[p].nitems;
		if (p + 1 < batch->npages && !rng_chance(rng, 20))
			page->ahead = rows->pages[p + 1].data;
	}
	free(tuple);
	return rows;
}

static void
rows_free(Rows *rows)
{
	for (uint32_t i = 0; i < rows->batch.nrows * rows->ncolumns; i++)
		cell_free(&rows->cells[i]);
	for (uint32_t p = 0; p < rows->batch.npages; p++)
		page_free(&rows->pages[p]);
	free(rows->cells);
	free(rows);
}

#endif							/* UNIT_TABLE_H */
