/*-------------------------------------------------------------------------
 *
 * registers.cuh
 *	  Values of registers and of uniform operands, by kind.
 *
 * A register's value lies in shared memory, at its row's slot; a boolean is a
 * bit of its row (Row.truth).  A uniform operand is read from the plan.  Below
 * a NULL there may be anything: nobody looks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_REGISTERS_CUH
#define GPUSCAN_CUDA_REGISTERS_CUH

#include "rows.cuh"
#include "program/floats.h"

/* a text in a register: length << 32 | offset, of the tile or of the plan */
#define TEXT_IN_PLAN	0x80000000u

DEVICE_FUNCTION const DeviceUniform *
uniform_of(const Work &w, uint32_t operand)
{
	return operand & DEVICE_UNIFORM ? &w.uniforms[operand & ~DEVICE_UNIFORM] : NULL;
}

DEVICE_FUNCTION bool
is_null(const Work &w, const Row &row, uint32_t operand)
{
	const DeviceUniform *u = uniform_of(w, operand);

	return u ? u->null != 0 : (row.null >> operand & 1) != 0;
}

DEVICE_FUNCTION void
set_null(Row &row, uint32_t reg, bool null)
{
	const uint64_t bit = UINT64_C(1) << reg;

	row.null = null ? row.null | bit : row.null & ~bit;
}

/* true, false, NULL as 1, 0, 2 */
DEVICE_FUNCTION uint32_t
truth(const Work &w, const Row &row, uint32_t operand)
{
	const DeviceUniform *u = uniform_of(w, operand);

	if (u)
		return u->null ? 2 : (uint32_t) u->lo & 1;
	return row.null >> operand & 1 ? 2 : (uint32_t) (row.truth >> operand) & 1;
}

DEVICE_FUNCTION void
set_truth(Row &row, uint32_t reg, bool value)
{
	const uint64_t bit = UINT64_C(1) << reg;

	row.truth = value ? row.truth | bit : row.truth & ~bit;
}

/* What a register holds of any kind but booleans and numerics */
DEVICE_FUNCTION uint64_t
get_lo(const Work &w, uint32_t slot, uint32_t operand)
{
	const DeviceUniform *u = uniform_of(w, operand);

	return u ? u->lo : w.lo[operand * w.slots + slot];
}

DEVICE_FUNCTION void
set_lo(const Work &w, uint32_t slot, uint32_t reg, uint64_t value)
{
	w.lo[reg * w.slots + slot] = value;
}

DEVICE_FUNCTION uint64_t
pack_text(uint32_t len, uint32_t offset)
{
	return (uint64_t) len << 32 | offset;
}

/* A text as a register holds it, also when the operand is uniform */
DEVICE_FUNCTION uint64_t
get_packed_text(const Work &w, uint32_t slot, uint32_t operand)
{
	const DeviceUniform *u = uniform_of(w, operand);

	return u ? pack_text(u->len, TEXT_IN_PLAN | (uint32_t) u->lo) : w.lo[operand * w.slots + slot];
}

/* One for each ValueKind: C type, get and set */
template <int kind> struct Kind;

template <> struct Kind<VALUE_BOOL>
{
	typedef uint8_t type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		const DeviceUniform *u = uniform_of(w, operand);

		(void) slot;
		return (type) ((u ? u->lo : row.truth >> operand) & 1);
	}
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		(void) w;
		(void) slot;
		set_truth(row, reg, value != 0);
	}
};

template <> struct Kind<VALUE_INT32>
{
	typedef int32_t type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		(void) row;
		return (type) get_lo(w, slot, operand);
	}
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		(void) row;
		set_lo(w, slot, reg, (uint64_t) (int64_t) value);
	}
};

template <> struct Kind<VALUE_INT64>
{
	typedef int64_t type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		(void) row;
		return (type) get_lo(w, slot, operand);
	}
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		(void) row;
		set_lo(w, slot, reg, (uint64_t) value);
	}
};

template <> struct Kind<VALUE_FLOAT64>
{
	typedef double type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		(void) row;
		return float64_from_bits(get_lo(w, slot, operand));
	}
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		(void) row;
		set_lo(w, slot, reg, float64_bits(value));
	}
};

template <> struct Kind<VALUE_NUMERIC>
{
	typedef NumericValue type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		const DeviceUniform *u = uniform_of(w, operand);
		const uint32_t at = operand * w.slots + slot;
		type		value;

		(void) row;
		value.mantissa = u ? (i128) ((u128) u->hi << 64 | u->lo) : (i128) ((u128) w.hi[at] << 64 | w.lo[at]);
		value.scale = u ? u->scale : w.scale[at];
		return value;
	}
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		const uint32_t at = reg * w.slots + slot;

		(void) row;
		w.lo[at] = (uint64_t) value.mantissa;
		w.hi[at] = (uint64_t) (value.mantissa >> 64);
		w.scale[at] = (uint8_t) value.scale;
	}
};

template <> struct Kind<VALUE_TEXT>
{
	typedef TextView type;

	static __device__ __forceinline__ type
	get(const Work &w, const Row &row, uint32_t slot, uint32_t operand)
	{
		const uint64_t packed = get_packed_text(w, slot, operand);
		const uint32_t offset = (uint32_t) packed;
		type		view;

		(void) row;
		view.ptr = offset & TEXT_IN_PLAN ? (const char *) w.plan + (offset & ~TEXT_IN_PLAN) : w.tile + offset;
		view.len = (uint32_t) (packed >> 32);
		view.pad = 0;
		return view;
	}
	/* a part of what get has given */
	static __device__ __forceinline__ void
	set(const Work &w, Row &row, uint32_t slot, uint32_t reg, type value)
	{
		const uint64_t in_plan = (uint64_t) (value.ptr - (const char *) w.plan);

		(void) row;
		set_lo(w, slot, reg, value.len == 0 ? 0 :
			   pack_text(value.len, in_plan < w.plan->size ? TEXT_IN_PLAN | (uint32_t) in_plan : (uint32_t) (value.ptr - w.tile)));
	}
};

#endif							/* GPUSCAN_CUDA_REGISTERS_CUH */
