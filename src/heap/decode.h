/*-------------------------------------------------------------------------
 *
 * decode.h
 *	  The tuple decoder: where attributes lie in a heap tuple, and what they
 *	  hold.
 *
 * Works on one row at a time and compiles as C and as CUDA; engines build
 * their loops around it.  The forms are those of storage/itemid.h,
 * access/htup_details.h, postgres.h (varlena) and numeric.c, on little-endian
 * machines.
 *
 * Every position is checked against the tuple's length before it is read: a
 * tuple whose lengths lead outside is reported as corrupt, and nothing beyond
 * BATCH_PAGE_SLACK bytes past the page is touched.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_DECODE_H
#define GPUSCAN_DECODE_H

#include "heap/batch.h"
#include "program/numeric.h"
#include "program/portable.h"
#include "program/program.h"
#include "program/text.h"

#define DECODE_PAGE_HEADER	24	/* SizeOfPageHeaderData */
#define DECODE_TUPLE_HEADER 23	/* SizeofHeapTupleHeader */
#define DECODE_HOFF_PLAIN	24	/* t_hoff without a null bitmap */

#define DECODE_HASNULL		0x0001	/* t_infomask: HEAP_HASNULL */
#define DECODE_NATTS_MASK	0x07FF	/* t_infomask2: HEAP_NATTS_MASK */

/* positions of attributes, in bytes from the start of the tuple */
#define DECODE_NULL			0
#define DECODE_MISSING		UINT16_MAX

/* The tuple of a line pointer; false when it leaves the page or cannot hold a header. */
BODY bool
decode_item(const char *page, uint32_t blcksz, uint16_t offnum, const uint8_t **tuple, uint32_t *len)
{
	uint32_t	item = load_u32(page + DECODE_PAGE_HEADER + (offnum - 1) * 4u);
	uint32_t	off = item & 0x7FFF;
	uint32_t	hoff;

	*len = item >> 17;
	*tuple = (const uint8_t *) page + off;
	if (unlikely_(off + *len > blcksz || *len <= DECODE_TUPLE_HEADER || (off & 7) != 0))
		return false;
	hoff = (*tuple)[22];
	return hoff <= *len && hoff >= DECODE_HOFF_PLAIN && (hoff & 7) == 0;
}

BODY uint32_t
decode_natts(const uint8_t *tuple)
{
	return load_u16(tuple + 18) & DECODE_NATTS_MASK;
}

BODY bool
decode_hasnull(const uint8_t *tuple)
{
	return (load_u16(tuple + 20) & DECODE_HASNULL) != 0;
}

/*
 * A varlena at or, after padding, near *pos: sets *pos to its first byte and
 * returns the position behind it, or 0 when it leaves the tuple.  align is
 * its type's: four for text and numeric, eight for int8[] and ranges (tupmacs.h
 * att_align_pointer).
 */
BODY uint32_t
decode_varlena(const uint8_t *tuple, uint32_t len, uint32_t align, uint32_t *pos)
{
	uint32_t	at = *pos;
	uint32_t	size;

	if (at >= len)
		return 0;
	if (tuple[at] == 0)			/* a pad byte: an aligned four-byte header follows */
	{
		at = (at + align - 1) & ~(align - 1);
		*pos = at;
		if (at >= len)
			return 0;
	}
	if (tuple[at] == 1)			/* VARATT_IS_1B_E; on disk only VARTAG_ONDISK */
	{
		if (at + 2 > len || tuple[at + 1] != 18)
			return 0;
		size = 18;
	}
	else if (tuple[at] & 1)
		size = tuple[at] >> 1;
	else
	{
		if (at + 4 > len)
			return 0;
		size = load_u32(tuple + at) >> 2;
		if (size < 4)
			return 0;
	}
	return size > len - at ? 0 : at + size;
}

/*
 * Where the attributes of a row lie.  wanted: attribute numbers, ascending;
 * position i goes to where[i * stride].  False when the tuple is corrupt.
 * The general way: nulls, short rows, any layout.
 */
BODY bool
decode_walk(const uint8_t *tuple, uint32_t len, const ProgramLayout *layout,
			const ProgramAttr *wanted, int nwanted, uint16_t *where, size_t stride)
{
	uint32_t	natts = decode_natts(tuple);
	uint32_t	pos = tuple[22];
	bool		hasnull = decode_hasnull(tuple);
	int			next = 0;

	if (hasnull && DECODE_TUPLE_HEADER + (natts + 7) / 8 > tuple[22])
		return false;
	for (uint32_t att = 0; next < nwanted; att++)
	{
		bool		want = wanted[next].attnum == (int) att + 1;
		uint32_t	at;

		if (att >= natts)
		{
			for (; next < nwanted; next++)
				where[next * stride] = DECODE_MISSING;
			return true;
		}
		if (hasnull && !((tuple[DECODE_TUPLE_HEADER + (att >> 3)] >> (att & 7)) & 1))
		{
			if (want)
				where[next++ * stride] = DECODE_NULL;
			continue;
		}
		if (layout[att].attlen == -1)
		{
			at = pos;
			pos = decode_varlena(tuple, len, layout[att].attalign, &at);
			if (pos == 0)
				return false;
		}
		else
		{
			at = (pos + layout[att].attalign - 1) & ~(uint32_t) (layout[att].attalign - 1);
			if (layout[att].attlen > 0)
				pos = at + layout[att].attlen;
			else
			{
				for (pos = at; pos < len && tuple[pos] != 0; pos++)
					;
				pos++;
			}
			if (pos > len)
				return false;
		}
		if (want)
			where[next++ * stride] = (uint16_t) at;
	}
	return true;
}

/* Compressed, and within the row? */
BODY bool
decode_compressed(const uint8_t *p)
{
	return (p[0] & 3) == 2;
}

/* Text in the row; false when it is compressed or stored elsewhere. */
BODY bool
decode_text(const uint8_t *p, TextView *view)
{
	if (p[0] & 1)
	{
		view->ptr = (const char *) p + 1;
		view->len = (p[0] >> 1) - 1u;
		return p[0] != 1;
	}
	view->ptr = (const char *) p + 4;
	view->len = (load_u32(p) >> 2) - 4;
	return (p[0] & 3) == 0;
}

/* Bytes of a type of fixed length that lies as a text does; 0: it is none */
BODY uint32_t
decode_fixed_text_size(uint32_t type)
{
	switch (type)
	{
		case TYPE_UUID:
		case TYPE_INTERVAL:
			return 16;
		case TYPE_NAME:
			return 64;
		case TYPE_TIMETZ:
			return 12;
		case TYPE_MACADDR:
			return 6;
		default:
			return 0;
	}
}

/* A value of such a type, all of it, or of a name what is before the first zero */
BODY void
decode_fixed_text(const uint8_t *p, uint32_t type, TextView *view)
{
	const uint32_t size = decode_fixed_text_size(type);

	view->ptr = (const char *) p;
	view->len = size;
	if (type == TYPE_NAME)
		for (view->len = 0; view->len < size && p[view->len] != 0; view->len++)
			;
}

/*
 * A numeric of any form (numeric.c, "the Numeric type as stored on disk").
 * False when it is compressed or stored elsewhere, NaN or infinite, or leaves
 * 128 bits or NUMERIC_SCALE_MAX.
 */
SLOW_BODY bool
decode_numeric(const uint8_t *p, NumericValue *value)
{
	TextView	body;
	uint16_t	header;
	int			weight,
				ndigits,
				exponent;
	bool		negative;
	const uint8_t *digits;
	i128		m = 0;

	value->mantissa = 0;
	value->scale = 0;
	if (!decode_text(p, &body) || body.len < 2)
		return false;
	header = load_u16(body.ptr);
	if ((header & 0xC000) == 0xC000)
		return false;			/* NaN, Infinity */
	if ((header & 0xC000) == 0x8000)
	{
		negative = (header & 0x2000) != 0;
		value->scale = (header >> 7) & 0x3F;
		weight = (header & 0x3F) - (header & 0x40);
		digits = (const uint8_t *) body.ptr + 2;
		ndigits = (int) (body.len - 2) / 2;
	}
	else
	{
		if (body.len < 4)
			return false;
		negative = (header & 0xC000) == 0x4000;
		value->scale = header & 0x3FFF;
		weight = (int16_t) load_u16(body.ptr + 2);
		digits = (const uint8_t *) body.ptr + 4;
		ndigits = (int) (body.len - 4) / 2;
	}
	if (value->scale > NUMERIC_SCALE_MAX)
		return false;
	for (int i = 0; i < ndigits; i++)
	{
		if (i < 8)
			m = m * 10000 + load_u16(digits + 2 * i);
		else if (!numeric_mul_i128(m, 10000, &m) ||
				 !numeric_add_i128(m, load_u16(digits + 2 * i), &m))
			return false;
	}
	exponent = 4 * (weight - ndigits + 1) + value->scale;
	if (m != 0 && exponent > 0)
	{
		if (exponent > 38 || !numeric_mul_i128(m, numeric_pow10(exponent), &m))
			return false;
	}
	else if (m != 0 && exponent < 0)
	{
		i128		divisor;

		if (exponent < -38)
			return false;
		divisor = numeric_pow10(-exponent);
		if (m % divisor != 0)
			return false;		/* digits beyond dscale: not what numeric.c stores */
		m /= divisor;
	}
	value->mantissa = negative ? -m : m;
	return true;
}

#endif							/* GPUSCAN_DECODE_H */
