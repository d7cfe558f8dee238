/*-------------------------------------------------------------------------
 *
 * decode_test.c
 *	  The tuple decoder against tuples whose making we know, and against
 *	  tuples whose lengths lie.
 *
 *-------------------------------------------------------------------------
 */
#include "heap/decode.h"

#include "page.h"
#include "rng.h"
#include "tap.h"

#define MAX_COLUMNS	40

/* Every length and alignment there is in pg_type, and a few that users make. */
static const struct
{
	int16_t		attlen;
	uint8_t		attalign;
}			layouts[] =
{
	{1, 1}, {2, 2}, {4, 4}, {8, 8}, {6, 2}, {12, 4}, {12, 8}, {16, 1}, {16, 8}, {24, 8}, {64, 1}, {3, 1},
	{-1, 4}, {-1, 4}, {-1, 4}, {-1, 8}, {-1, 1}, {-1, 2}, {-2, 1}, {-2, 4}
};

static void
random_digits(Rng *rng, char *out, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = (char) ('0' + (rng_chance(rng, 30) ? 0 : rng_below(rng, 10)));
	out[n] = '\0';
}

static void
random_numeric(Rng *rng, Cell *cell)
{
	char		digits[CELL_DIGITS_MAX];
	int			ndigits = rng_chance(rng, 80) ? rng_range(rng, 1, 42) : rng_range(rng, 1, 400);
	int			scale = rng_chance(rng, 80) ? rng_range(rng, 0, 40) : rng_range(rng, 0, 300);

	if (rng_chance(rng, 5))
	{
		static const uint16_t special[] = {CELL_NAN, CELL_INFINITY, CELL_MINUS_INFINITY};

		cell_set_numeric_special(cell, RNG_PICK(rng, special));
		return;
	}
	random_digits(rng, digits, ndigits);
	if (rng_chance(rng, 5))
		memset(digits, '0', (size_t) ndigits);
	cell_set_numeric(cell, rng_chance(rng, 50), digits, scale, rng_chance(rng, 20));
}

static void
random_cell(Rng *rng, const ProgramLayout *layout, int null_percent, Cell *cell)
{
	char		bytes[1200];
	uint32_t	len;

	memset(cell, 0, sizeof *cell);
	cell->null = rng_chance(rng, null_percent);
	cell->integer = (int64_t) rng_next(rng);
	cell->form = (uint8_t) (rng_chance(rng, 60) ? CELL_SHORT : rng_below(rng, 4));
	if (layout->attlen > 0)
		return;
	len = rng_chance(rng, 70) ? rng_below(rng, 12) : rng_chance(rng, 50) ? (uint32_t) rng_range(rng, 118, 132) : rng_below(rng, 1100);
	memset(bytes, layout->attlen == -2 ? 'c' : (char) rng_next(rng), sizeof bytes);
	cell_set_bytes(cell, bytes, len);
}

/* ------------------------------------------------------------------------
 * Where attributes lie
 * ------------------------------------------------------------------------
 */

typedef struct Row
{
	ProgramLayout layout[MAX_COLUMNS];
	Cell		cells[MAX_COLUMNS];
	uint32_t	where[MAX_COLUMNS];
	ProgramAttr wanted[MAX_COLUMNS];
	uint32_t	ncolumns;
	uint32_t	natts;			/* columns that the row has */
	int			nwanted;
	uint32_t	nlayout;
	uint32_t	len;
	uint8_t		tuple[TUPLE_MAX];
} Row;

static void
row_make(Rng *rng, Row *row, bool plain)
{
	int			null_percent = plain || rng_chance(rng, 30) ? 0 : rng_range(rng, 1, 100);

	do
	{
		row->ncolumns = (uint32_t) rng_range(rng, 1, rng_chance(rng, 50) ? 6 : MAX_COLUMNS);
		for (uint32_t i = 0; i < row->ncolumns; i++)
		{
			uint32_t	k = rng_below(rng, sizeof layouts / sizeof *layouts);

			row->layout[i] = (ProgramLayout) {layouts[k].attlen, layouts[k].attalign, 0};
			random_cell(rng, &row->layout[i], null_percent, &row->cells[i]);
		}
		row->natts = plain || rng_chance(rng, 70) ? row->ncolumns : rng_below(rng, row->ncolumns + 1);
		row->len = tuple_form(row->tuple, row->layout, row->cells, row->natts, row->where);
		if (row->len == 0)
			for (uint32_t i = 0; i < row->ncolumns; i++)
				cell_free(&row->cells[i]);
	} while (row->len == 0);

	row->nwanted = 0;
	for (uint32_t i = 0; i < row->ncolumns; i++)
		if (rng_chance(rng, 50) || (row->nwanted == 0 && i + 1 == row->ncolumns))
			row->wanted[row->nwanted++] = (ProgramAttr) {.attnum = (int16_t) (i + 1)};
	row->nlayout = (uint32_t) row->wanted[row->nwanted - 1].attnum;
}

static void
row_free(Row *row)
{
	for (uint32_t i = 0; i < row->ncolumns; i++)
		cell_free(&row->cells[i]);
}

static void
test_walk(void)
{
	static Row	row;
	Rng			rng = {1};
	int			wrong = 0;

	for (int round = 0; round < 20000; round++)
	{
		/* of their true sizes, so that reading beyond them is seen */
		uint8_t    *tuple;
		ProgramLayout *layout;
		uint16_t	where[MAX_COLUMNS * 3];
		size_t		stride = (size_t) rng_range(&rng, 1, 3);
		bool		found;

		row_make(&rng, &row, false);
		tuple = malloc(row.len);
		memcpy(tuple, row.tuple, row.len);
		layout = malloc(row.nlayout * sizeof *layout);
		memcpy(layout, row.layout, row.nlayout * sizeof *layout);

		found = decode_walk(tuple, row.len, layout, row.wanted, row.nwanted, where, stride);
		for (int i = 0; found && i < row.nwanted; i++)
		{
			uint32_t	att = (uint32_t) row.wanted[i].attnum - 1;
			uint32_t	expected = att >= row.natts ? DECODE_MISSING : row.cells[att].null ? DECODE_NULL : row.where[att];

			if (where[(size_t) i * stride] != expected)
			{
				diag("round %d: attribute %u of %u (length %d, alignment %d) found at %u, lies at %u", round, att + 1,
					 row.natts, row.layout[att].attlen, row.layout[att].attalign, where[(size_t) i * stride], expected);
				found = false;
			}
		}
		if (!found && wrong++ == 0)
			diag("round %d: not found", round);
		free(tuple);
		free(layout);
		row_free(&row);
	}
	ok(wrong == 0, "decode_walk finds attributes of any length, alignment, NULL or missing");
}

static void
test_varlena(void)
{
	static uint8_t tuple[4096];
	int			wrong = 0;

	for (uint32_t align = 1; align <= 8; align *= 2)
		for (uint32_t at = 24; at < 40; at++)
			for (uint32_t len = 0; len < 300; len++)
				for (uint8_t form = 0; form <= CELL_EXTERNAL; form++)
				{
					char		bytes[300];
					Cell		cell = {.form = form,.bytes = bytes,.len = len};
					uint32_t	end,
								begin,
								pos = at;

					memset(bytes, 0, sizeof bytes);
					memset(tuple, 0, sizeof tuple);
					end = tuple_put_varlena(tuple, at, align, &cell);
					begin = form == CELL_EXTERNAL ? end - 18 : form == CELL_SHORT && len <= 126 ? end - len - 1 : end - len - 4;
					wrong += decode_varlena(tuple, end, align, &pos) != end || pos != begin;
					/* one byte less is one too few */
					pos = at;
					wrong += decode_varlena(tuple, end - 1, align, &pos) != 0;
				}
	ok(wrong == 0, "decode_varlena steps over short, long, compressed and external values at any alignment");
}

/* ------------------------------------------------------------------------
 * What they hold
 * ------------------------------------------------------------------------
 */

/* A varlena alone, at its true size and an odd address; free *raw. */
static const uint8_t *
stored(const Cell *cell, bool odd, char **raw)
{
	uint8_t		buf[4096];
	uint32_t	len = tuple_put_varlena(buf, 0, 1, cell);

	*raw = malloc(len + odd);
	memcpy(*raw + odd, buf, len);
	return (const uint8_t *) *raw + odd;
}

static void
test_text(void)
{
	int			wrong = 0;

	for (uint32_t len = 0; len < 1000; len++)
		for (uint8_t form = 0; form <= CELL_EXTERNAL; form++)
		{
			char		bytes[1000];
			char	   *raw;
			Cell		cell = {.form = form,.bytes = bytes,.len = len};
			TextView	view;
			bool		plain = form == CELL_SHORT || form == CELL_LONG;

			for (uint32_t i = 0; i < len; i++)
				bytes[i] = (char) (i * 7 + len);
			if (decode_text(stored(&cell, len & 1, &raw), &view) != plain ||
				(plain && (view.len != len || memcmp(view.ptr, bytes, len) != 0)))
				wrong++;
			free(raw);
		}
	ok(wrong == 0, "decode_text views plain values and refuses the others");
}

static void
test_numeric(void)
{
	Rng			rng = {2};
	int			wrong = 0,
				readable = 0;

	for (int round = 0; round < 200000; round++)
	{
		Cell		cell = {0};
		NumericValue value;
		char	   *raw;
		bool		plain;
		bool		decoded;

		random_numeric(&rng, &cell);
		cell.form = (uint8_t) (rng_chance(&rng, 90) ? rng_below(&rng, 2) : rng_below(&rng, 4));
		plain = cell.form == CELL_SHORT || cell.form == CELL_LONG;
		decoded = decode_numeric(stored(&cell, round & 1, &raw), &value);
		if (decoded != (plain && cell.readable) ||
			(decoded && (value.mantissa != cell.numeric.mantissa || value.scale != cell.numeric.scale)))
		{
			if (wrong++ == 0)
				diag("round %d: form %d, scale %d, %u bytes, readable %d, decoded %d", round, cell.form,
					 cell.numeric.scale, cell.len, cell.readable, decoded);
		}
		readable += decoded;
		free(raw);
		cell_free(&cell);
	}
	ok(wrong == 0, "decode_numeric gives mantissa and scale, or refuses");
	ok(readable > 50000, "most of the numerics could be read (%d of 200000)", readable);
}

/* The largest mantissas, and one more, at every scale. */
static void
test_numeric_limits(void)
{
	int			wrong = 0;

	for (int scale = 0; scale <= 40; scale++)
		for (int k = -2; k <= 2; k++)
			for (int negative = 0; negative <= 1; negative++)
				for (int bits = 0; bits < 3; bits++)
				{
					static const int edges[] = {62, 63, 127};
					u128		magnitude = ((u128) 1 << edges[bits]) + (u128) (i128) k;
					char		digits[48];
					char	   *raw;
					Cell		cell = {.form = CELL_SHORT};
					NumericValue value;
					bool		decoded;

					cell_digits(magnitude, digits);
					cell_set_numeric(&cell, negative, digits, scale, false);
					decoded = decode_numeric(stored(&cell, false, &raw), &value);
					wrong += decoded != cell.readable ||
						(decoded && (value.mantissa != cell.numeric.mantissa || value.scale != scale));
					free(raw);
					cell_free(&cell);
				}
	ok(wrong == 0, "decode_numeric at 2^62, 2^63 and 2^127, scales 0 to 40");
}

/* ------------------------------------------------------------------------
 * Lengths that lie
 * ------------------------------------------------------------------------
 */

/*
 * Decode all that decode_walk says is there.  What it found must lie within
 * the tuple; what it reads must lie within the page and its slack, or the
 * sanitizer speaks.
 */
static bool
decode_all(const char *page, uint32_t blcksz, const Row *row, uint64_t *sum)
{
	const uint8_t *tuple;
	uint32_t	len;
	uint16_t	where[MAX_COLUMNS];
	bool		within = true;

	if (!decode_item(page, blcksz, 1, &tuple, &len) ||
		!decode_walk(tuple, len, row->layout, row->wanted, row->nwanted, where, 1))
		return true;
	for (int i = 0; i < row->nwanted; i++)
	{
		const ProgramLayout *layout = &row->layout[row->wanted[i].attnum - 1];
		uint32_t	at = where[i];
		NumericValue numeric;
		TextView	view;

		if (at == DECODE_NULL || at == DECODE_MISSING)
			continue;
		if (layout->attlen > 0)
		{
			within &= at + (uint32_t) layout->attlen <= len;
			for (int b = 0; b < layout->attlen; b++)
				*sum += tuple[at + b];
		}
		else if (layout->attlen == -1)
		{
			uint32_t	pos = at;
			uint32_t	end = decode_varlena(tuple, len, layout->attalign, &pos);

			within &= end > at && end <= len;
			if (decode_text(tuple + at, &view))
			{
				within &= (const uint8_t *) view.ptr + view.len <= tuple + len;
				for (uint32_t b = 0; b < view.len; b++)
					*sum += (uint8_t) view.ptr[b];
			}
			if (decode_numeric(tuple + at, &numeric))
				*sum += (uint64_t) numeric.mantissa;
		}
	}
	return within;
}

static void
test_corrupt(void)
{
	static Row	row;
	static const uint8_t values[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x12, 0x7F, 0x80, 0xFC, 0xFE, 0xFF};
	const uint32_t blcksz = 8192;
	Rng			rng = {3};
	int			wrong = 0;
	uint64_t	sum = 0;

	for (int round = 0; round < 150; round++)
	{
		Page		page;

		do
		{
			row_make(&rng, &row, round % 3 == 0);
			if (row.len > 600)
				row_free(&row);
		} while (row.len > 600);
		page_init(&page, blcksz);
		page_add(&page, row.tuple, row.len);	/* the first tuple ends with the page */

		/* each byte of line pointer and tuple in turn takes each value */
		for (uint32_t byte = 0; byte < row.len + 4; byte++)
		{
			char	   *p = page.data + (byte < 4 ? PAGE_HEADER + byte : page.upper + byte - 4);
			char		saved = *p;

			for (uint32_t v = 0; v < sizeof values + 2; v++)
			{
				*p = v < sizeof values ? (char) values[v] : v == sizeof values ? (char) (saved ^ 0x40) : (char) rng_next(&rng);
				wrong += !decode_all(page.data, blcksz, &row, &sum);
			}
			*p = saved;
		}
		/* several at a time */
		for (int k = 0; k < 200; k++)
		{
			char	   *copy = malloc(blcksz + BATCH_PAGE_SLACK);

			memcpy(copy, page.data, blcksz + BATCH_PAGE_SLACK);
			for (int n = rng_range(&rng, 1, 8); n > 0; n--)
				copy[page.upper + rng_below(&rng, row.len)] = (char) rng_next(&rng);
			wrong += !decode_all(copy, blcksz, &row, &sum);
			free(copy);
		}
		page_free(&page);
		row_free(&row);
	}
	ok(wrong == 0, "a tuple whose lengths lie is reported, or decoded within its bounds");
	diag("checksum %llu", (unsigned long long) sum);
}

static void
test_item(void)
{
	const uint32_t blcksz = 8192;
	Page		page;
	uint8_t		plain[32] = {0};
	const uint8_t *tuple;
	uint32_t	len;
	int			wrong = 0;

	plain[22] = 24;
	page_init(&page, blcksz);
	page_add(&page, plain, sizeof plain);
	for (uint32_t off = 0; off < 0x8000; off++)
		for (int k = 0; k < 3; k++)
		{
			uint32_t	size = k == 0 ? blcksz - off : k == 1 ? blcksz - off + 1 : 24;
			uint32_t	item = off | 1u << 15 | size << 17;
			bool		fits;

			if (size == 0 || size > 0x7FFF)
				continue;
			memcpy(page.data + PAGE_HEADER, &item, 4);
			fits = off % 8 == 0 && size >= 24 && off + size <= blcksz;
			if (fits)
				page.data[off + 22] = 24;
			if (fits && off < PAGE_HEADER + 8)
				continue;		/* the header's own bytes, and the pointer's */
			wrong += decode_item(page.data, blcksz, 1, &tuple, &len) != fits;
		}
	page_free(&page);
	ok(wrong == 0, "decode_item takes line pointers within the page alone");
}

int
main(void)
{
	test_walk();
	test_varlena();
	test_text();
	test_numeric();
	test_numeric_limits();
	test_item();
	test_corrupt();
	return tap_done();
}
