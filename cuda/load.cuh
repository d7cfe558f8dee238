/*-------------------------------------------------------------------------
 *
 * load.cuh
 *	  OP_LOAD: from an attribute's position to a register.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_LOAD_CUH
#define GPUSCAN_CUDA_LOAD_CUH

#include "registers.cuh"

/*
 * decode_numeric for the usual case, without division by a variable or in 128
 * bits: a short form of at most four digits.  The same value, or the general
 * way.
 */
DEVICE_FUNCTION bool
load_numeric(const uint8_t *p, NumericValue *value)
{
	const uint32_t size = p[0] >> 1;	/* with its own byte */
	uint64_t	m = 0;
	uint32_t	header,
				ndigits;
	int			exponent;

	if (!(p[0] & 1) || size < 3 || size > 3 + 2 * 4 + 1)
		return decode_numeric(p, value);
	header = load_u16(p + 1);
	ndigits = (size - 3) / 2;
	exponent = 4 * ((int) (header & 0x3F) - (int) (header & 0x40) - (int) ndigits + 1) + (int) (header >> 7 & 0x3F);
	if ((header & 0xC000) != 0x8000 || exponent < -3 || exponent > 2)
		return decode_numeric(p, value);
	for (uint32_t i = 0; i < ndigits; i++)
		m = m * 10000 + load_u16(p + 3 + 2 * i);
	value->scale = header >> 7 & 0x3F;
	if (exponent != 0)
	{
		uint64_t	part = exponent == -1 ? m / 10 : exponent == -2 ? m / 100 : exponent == -3 ? m / 1000 :
			exponent == 1 ? m * 10 : m * 100;

		/* digits beyond the scale: not what numeric.c stores */
		if (exponent < 0 && part * (exponent == -1 ? 10 : exponent == -2 ? 100 : 1000) != m)
			return false;
		m = part;
	}
	value->mantissa = header & 0x2000 ? -(i128) m : (i128) m;
	return value->scale <= NUMERIC_SCALE_MAX;
}

/* What a row too short for the attribute has, as the register holds it */
DEVICE_FUNCTION void
load_missing(const Work &w, Row &row, uint32_t slot, const DeviceInstr &in, uint32_t missing)
{
	const uint32_t operand = DEVICE_UNIFORM | missing;

	if (missing == PROGRAM_NO_REG || is_null(w, row, operand))
	{
		set_null(row, in.dst, true);
		return;
	}
	set_null(row, in.dst, false);
	switch (in.kind)
	{
		case VALUE_BOOL:
			set_truth(row, in.dst, truth(w, row, operand) == 1);
			break;
		case VALUE_NUMERIC:
			Kind<VALUE_NUMERIC>::set(w, row, slot, in.dst, Kind<VALUE_NUMERIC>::get(w, row, slot, operand));
			break;
		case VALUE_TEXT:
			set_lo(w, slot, in.dst, get_packed_text(w, slot, operand));
			break;
		default:
			set_lo(w, slot, in.dst, get_lo(w, slot, operand));
			break;
	}
}

/* A value that is there.  False: the host has to read it. */
DEVICE_FUNCTION bool
load_value(const Work &w, Row &row, uint32_t slot, uint32_t dst, uint32_t type, bool blanks, const uint8_t *p)
{
	switch (type)
	{
		case TYPE_BOOL:
			/* on a damaged page it may be any byte */
			set_truth(row, dst, *p != 0);
			return true;
		case TYPE_INT2:
			set_lo(w, slot, dst, (uint64_t) (int64_t) (int16_t) load_u16(p));
			return true;
		case TYPE_OPAQUE:
			set_truth(row, dst, false);
			return true;
		case TYPE_QCHAR:
			set_lo(w, slot, dst, *p);
			return true;
		case TYPE_OID:
		case TYPE_ENUM:
			set_lo(w, slot, dst, load_u32(p));
			return true;
		case TYPE_INT4:
		case TYPE_DATE:
			set_lo(w, slot, dst, (uint64_t) (int64_t) (int32_t) load_u32(p));
			return true;
		case TYPE_INT8:
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
		case TYPE_FLOAT8:
		case TYPE_MONEY:
		case TYPE_TIME:
			set_lo(w, slot, dst, load_u64(p));
			return true;
		case TYPE_FLOAT4:
			set_lo(w, slot, dst, float64_bits(float64_from_float_bits(load_u32(p))));
			return true;
		case TYPE_NUMERIC:
			{
				NumericValue value;

				if (!load_numeric(p, &value))
					return false;
				Kind<VALUE_NUMERIC>::set(w, row, slot, dst, value);
				return true;
			}
		default:
			{
				TextView	view;

				if (decode_fixed_text_size(type) != 0)
					decode_fixed_text(p, type, &view);
				else if (!decode_text(p, &view))
					return false;
				if (type == TYPE_BPCHAR && !blanks)
					view.len = text_without_blanks(view.ptr, view.len);
				set_lo(w, slot, dst, pack_text(view.len, (uint32_t) (view.ptr - w.tile)));
				return true;
			}
	}
}

DEVICE_FUNCTION void
run_load(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in)
{
	const ProgramAttr *attr = &DEVICE_SECTION(w.plan, ProgramAttr, w.plan->attrs)[in.wide];
	const uint32_t type = attr->type;
	const uint32_t missing = attr->missing;
	const uint16_t *where = w.where + in.wide * w.slots;

	FOR_ROWS(rows)
	{
		uint32_t	at;

		if (ROW.status != ROW_LIVE)
			continue;
		at = where[slot];
		if (at == DECODE_MISSING)
			load_missing(w, ROW, slot, in, missing);
		else if (at == DECODE_NULL)
			set_null(ROW, in.dst, true);
		else
		{
			set_null(ROW, in.dst, false);
			/* whatever a mask says (program.h) */
			if (!load_value(w, ROW, slot, in.dst, type, in.b == LOAD_STORED, (const uint8_t *) w.tile + ROW.tuple + at))
				ROW.status = DEVICE_ROW_PUNTED;
		}
	}
}

#endif							/* GPUSCAN_CUDA_LOAD_CUH */
