/*-------------------------------------------------------------------------
 *
 * cell.h
 *	  A value of a table: what it is, and how PostgreSQL stores it.
 *
 * Written from PostgreSQL's own descriptions (postgres.h, numeric.c), with
 * decimal strings and bytes: it shares nothing with the decoder under test.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_CELL_H
#define UNIT_CELL_H

#include <stdlib.h>
#include <string.h>

#include "program/numeric.h"
#include "program/program.h"

typedef enum CellForm
{
	CELL_SHORT,					/* 1-byte header, where 126 bytes suffice */
	CELL_LONG,					/* 4-byte header, aligned by zero bytes */
	CELL_COMPRESSED,			/* 4-byte header that says "compressed" */
	CELL_EXTERNAL				/* TOAST pointer, 18 bytes */
} CellForm;

typedef struct Cell
{
	bool		null;
	uint8_t		form;			/* CellForm of a varlena */
	int64_t		integer;		/* of a fixed-length column */
	char	   *bytes;			/* of a varlena: without header */
	uint32_t	len;
	bool		readable;		/* numeric: has the engine's form */
	NumericValue numeric;
} Cell;

/* ------------------------------------------------------------------------
 * Numerics
 * ------------------------------------------------------------------------
 */

#define CELL_DIGITS_MAX		600

#define CELL_NAN			0xC000
#define CELL_INFINITY		0xD000
#define CELL_MINUS_INFINITY	0xF000

/* value * base + add, or false when it leaves 127 bits */
static bool
cell_append(u128 *value, uint32_t base, uint32_t add)
{
	const u128	max = ((u128) 1 << 127) - 1;

	if (*value > (max - add) / base)
		return false;
	*value = *value * base + add;
	return true;
}

/*
 * The numeric [-]digits * 10^-scale as make_result stores it: groups of four
 * digits, no zero groups at either end.  'long_form' forces the long header.
 * readable: mantissa and stored digits each fit in 127 bits, scale in a register.
 */
static void
cell_set_numeric(Cell *cell, bool negative, const char *digits, int scale, bool long_form)
{
	char		padded[CELL_DIGITS_MAX + 8];
	uint16_t	groups[CELL_DIGITS_MAX / 4 + 2];
	int			ndigits = (int) strlen(digits);
	int			before = ndigits - scale;	/* digits before the point; may be negative */
	int			lead = before > 0 ? (4 - before % 4) % 4 : -before % 4;
	int			weight = before > 0 ? (before + 3) / 4 - 1 : -(-before / 4) - 1;
	int			n = 0;
	int			first = 0;
	u128		mantissa = 0,
				stored = 0;
	bool		fits = scale <= NUMERIC_SCALE_MAX;

	memset(padded, '0', sizeof padded);
	memcpy(padded + lead, digits, (size_t) ndigits);
	for (int at = 0; at < lead + ndigits; at += 4)
		groups[n++] = (uint16_t) ((padded[at] - '0') * 1000 + (padded[at + 1] - '0') * 100 +
								  (padded[at + 2] - '0') * 10 + (padded[at + 3] - '0'));
	while (n > first && groups[n - 1] == 0)
		n--;
	while (first < n && groups[first] == 0)
	{
		first++;
		weight--;
	}
	if (first == n)
		weight = negative = 0;

	cell->len = 0;
	cell->bytes = malloc((size_t) (n - first) * 2 + 4);
	if (!long_form && scale <= 63 && weight >= -64 && weight <= 63)
	{
		uint16_t	header = (uint16_t) (0x8000 | (negative ? 0x2000 : 0) | scale << 7 | (weight & 0x7F));

		memcpy(cell->bytes, &header, 2);
		cell->len = 2;
	}
	else
	{
		uint16_t	header = (uint16_t) ((negative ? 0x4000 : 0) | scale);
		int16_t		weight16 = (int16_t) weight;

		memcpy(cell->bytes, &header, 2);
		memcpy(cell->bytes + 2, &weight16, 2);
		cell->len = 4;
	}
	memcpy(cell->bytes + cell->len, groups + first, (size_t) (n - first) * 2);
	cell->len += (uint32_t) (n - first) * 2;

	for (int i = 0; i < ndigits && fits; i++)
		fits = cell_append(&mantissa, 10, (uint32_t) (digits[i] - '0'));
	for (int i = first; i < n && fits; i++)
		fits = cell_append(&stored, 10000, groups[i]);
	cell->readable = fits;
	cell->numeric.mantissa = negative ? -(i128) mantissa : (i128) mantissa;
	cell->numeric.scale = scale;
}

static void
cell_set_numeric_special(Cell *cell, uint16_t header)
{
	cell->bytes = malloc(2);
	cell->len = 2;
	memcpy(cell->bytes, &header, 2);
	cell->readable = false;
}

/* The digits of a magnitude; returns their number. */
static int
cell_digits(u128 value, char *out)
{
	char		reversed[40];
	int			n = 0;

	do
		reversed[n++] = (char) ('0' + (int) (value % 10));
	while ((value /= 10) != 0);
	for (int i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	out[n] = '\0';
	return n;
}

/* ------------------------------------------------------------------------
 * Text
 * ------------------------------------------------------------------------
 */

static void
cell_set_bytes(Cell *cell, const char *bytes, uint32_t len)
{
	cell->bytes = malloc(len + 1);
	memcpy(cell->bytes, bytes, len);
	cell->len = len;
}

static void
cell_free(Cell *cell)
{
	free(cell->bytes);
	cell->bytes = NULL;
}

#endif							/* UNIT_CELL_H */
