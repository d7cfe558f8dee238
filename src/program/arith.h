/*-------------------------------------------------------------------------
 *
 * arith.h
 *	  Bodies of comparisons and of integer arithmetic.
 *
 * Overflow is checked in the type of PostgreSQL's result (int.c, int8.c); a
 * body that returns false has met what PostgreSQL would raise as an error.
 * Written without branches so that loops over them vectorise.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_ARITH_H
#define GPUSCAN_ARITH_H

#include "program/portable.h"

#define COMPARE_BODIES(prefix, type) \
BODY bool prefix##_eq(type a, type b, uint8_t *r) { *r = a == b; return true; } \
BODY bool prefix##_ne(type a, type b, uint8_t *r) { *r = a != b; return true; } \
BODY bool prefix##_lt(type a, type b, uint8_t *r) { *r = a < b; return true; } \
BODY bool prefix##_le(type a, type b, uint8_t *r) { *r = a <= b; return true; } \
BODY bool prefix##_gt(type a, type b, uint8_t *r) { *r = a > b; return true; } \
BODY bool prefix##_ge(type a, type b, uint8_t *r) { *r = a >= b; return true; }

COMPARE_BODIES(bool, uint8_t)
COMPARE_BODIES(int32, int32_t)
COMPARE_BODIES(int64, int64_t)
#undef COMPARE_BODIES

/* int2 and int4: the exact result always fits in int64 */
#define NARROW_BODY(name, ctype, expression) \
BODY bool name(int32_t a, int32_t b, int32_t *r) \
{ \
	int64_t		wide = (expression); \
	*r = (int32_t) wide; \
	return wide == (ctype) wide; \
}

NARROW_BODY(int16_add, int16_t, (int64_t) a + b)
NARROW_BODY(int16_sub, int16_t, (int64_t) a - b)
NARROW_BODY(int16_mul, int16_t, (int64_t) a * b)
NARROW_BODY(int32_add, int32_t, (int64_t) a + b)
NARROW_BODY(int32_sub, int32_t, (int64_t) a - b)
NARROW_BODY(int32_mul, int32_t, (int64_t) a * b)
#undef NARROW_BODY

BODY bool
int16_neg(int32_t a, int32_t *r)
{
	*r = -a;
	return a != INT16_MIN;
}

BODY bool
int32_neg(int32_t a, int32_t *r)
{
	*r = (int32_t) -(uint32_t) a;
	return a != INT32_MIN;
}

BODY bool
int64_add(int64_t a, int64_t b, int64_t *r)
{
	int64_t		sum = (int64_t) ((uint64_t) a + (uint64_t) b);

	*r = sum;
	return ((a ^ sum) & (b ^ sum)) >= 0;	/* overflow: sign unlike both */
}

BODY bool
int64_sub(int64_t a, int64_t b, int64_t *r)
{
	int64_t		diff = (int64_t) ((uint64_t) a - (uint64_t) b);

	*r = diff;
	return ((a ^ b) & (a ^ diff)) >= 0;
}

BODY bool
int64_mul(int64_t a, int64_t b, int64_t *r)
{
	i128		product = (i128) a * b;

	*r = (int64_t) product;
	return product == (int64_t) product;
}

BODY bool
int64_neg(int64_t a, int64_t *r)
{
	*r = (int64_t) -(uint64_t) a;
	return a != INT64_MIN;
}

/*
 * int2div, int4div, int8div: division by zero, and of the least value by -1,
 * which has no result, are errors.  (Below a NULL a register of int2 may hold
 * less than that; it must not trap.)
 */
#define DIVISION_BODIES(prefix, type, least) \
BODY bool \
prefix##_div(type a, type b, type *r) \
{ \
	const bool	fails = b == 0 || (b == -1 && a <= (least)); \
	*r = a / (fails ? 1 : b); \
	return !fails; \
} \
/* int4mod: by -1 there is no rest, also of the least value */ \
BODY bool \
prefix##_mod(type a, type b, type *r) \
{ \
	*r = a % (b == 0 || b == -1 ? 1 : b); \
	return b != 0; \
}

DIVISION_BODIES(int16, int32_t, INT16_MIN)
DIVISION_BODIES(int32, int32_t, INT32_MIN)
DIVISION_BODIES(int64, int64_t, INT64_MIN)
#undef DIVISION_BODIES

/* int2abs, int4abs, int8abs: the least value has no counterpart */
BODY bool
int16_abs(int32_t a, int32_t *r)
{
	*r = a < 0 ? -a : a;
	return a != INT16_MIN;
}

BODY bool
int32_abs(int32_t a, int32_t *r)
{
	*r = a < 0 ? (int32_t) -(uint32_t) a : a;
	return a != INT32_MIN;
}

BODY bool
int64_abs(int64_t a, int64_t *r)
{
	*r = a < 0 ? (int64_t) -(uint64_t) a : a;
	return a != INT64_MIN;
}

BODY bool
int64_from_int32(int32_t a, int64_t *r)
{
	*r = a;
	return true;
}

BODY bool
int32_from_int64(int64_t a, int32_t *r)
{
	*r = (int32_t) a;
	return a == (int32_t) a;
}

BODY bool
int16_from_int64(int64_t a, int32_t *r)
{
	*r = (int32_t) a;
	return a == (int16_t) a;
}

BODY bool
int16_from_int32(int32_t a, int32_t *r)
{
	*r = a;
	return a == (int16_t) a;
}

BODY bool
int32_copy(int32_t a, int32_t *r)
{
	*r = a;
	return true;
}

BODY bool
int32_from_bool(uint8_t a, int32_t *r)
{
	*r = a;
	return true;
}

BODY bool
bool_from_int32(int32_t a, uint8_t *r)
{
	*r = a != 0;
	return true;
}

BODY bool
int64_copy(int64_t a, int64_t *r)
{
	*r = a;
	return true;
}

/* chartoi4, i4tochar: "char" as an integer is signed, its order is not */
BODY bool
int32_from_qchar(int32_t a, int32_t *r)
{
	*r = (int8_t) a;
	return true;
}

BODY bool
qchar_from_int32(int32_t a, int32_t *r)
{
	*r = (uint8_t) a;
	return a == (int8_t) a;
}

/* i8tooid; integer and oid are of one form (pg_cast) */
BODY bool
oid_from_int64(int64_t a, int64_t *r)
{
	*r = a;
	return a == (uint32_t) a;
}

BODY bool
oid_from_int32(int32_t a, int64_t *r)
{
	*r = (uint32_t) a;
	return true;
}

BODY bool
int32_from_oid(int64_t a, int32_t *r)
{
	*r = (int32_t) (uint32_t) a;
	return true;
}

/* ------------------------------------------------------------------------
 * Bits
 * ------------------------------------------------------------------------
 */

#define BIT_BODIES(prefix, type) \
BODY bool prefix##_and(type a, type b, type *r) { *r = a & b; return true; } \
BODY bool prefix##_or(type a, type b, type *r) { *r = a | b; return true; } \
BODY bool prefix##_xor(type a, type b, type *r) { *r = a ^ b; return true; } \
BODY bool prefix##_not(type a, type *r) { *r = ~a; return true; }

BIT_BODIES(int32, int32_t)
BIT_BODIES(int64, int64_t)
#undef BIT_BODIES

/*
 * int4shl and its kin shift by as much as is asked for, and that is what the
 * machine makes of it: x86-64 takes the count modulo the width of the type that
 * C computes in, which is 32 bits for int2.
 */
BODY bool
int16_shl(int32_t a, int32_t b, int32_t *r)
{
	*r = (int16_t) ((uint32_t) a << (b & 31));
	return true;
}

BODY bool
int32_shl(int32_t a, int32_t b, int32_t *r)
{
	*r = (int32_t) ((uint32_t) a << (b & 31));
	return true;
}

BODY bool
int32_shr(int32_t a, int32_t b, int32_t *r)
{
	*r = a >> (b & 31);
	return true;
}

BODY bool
int64_shl(int64_t a, int64_t b, int64_t *r)
{
	*r = (int64_t) ((uint64_t) a << (b & 63));
	return true;
}

BODY bool
int64_shr(int64_t a, int64_t b, int64_t *r)
{
	*r = a >> (b & 63);
	return true;
}

/*
 * int4gcd, int4lcm, int8gcd, int8lcm.  The magnitudes are unsigned, so that the
 * least value has one; a result that is as great as that is PostgreSQL's error.
 */
#define GCD_BODIES(prefix, type, utype, most) \
SLOW_BODY utype \
prefix##_gcd_magnitude(type a, type b) \
{ \
	utype		x = a < 0 ? -(utype) a : (utype) a; \
	utype		y = b < 0 ? -(utype) b : (utype) b; \
\
	while (y != 0) \
	{ \
		const utype	rest = x % y; \
\
		x = y; \
		y = rest; \
	} \
	return x; \
} \
BODY bool \
prefix##_gcd(type a, type b, type *r) \
{ \
	const utype	gcd = prefix##_gcd_magnitude(a, b); \
\
	*r = (type) gcd; \
	return gcd <= (utype) (most); \
} \
BODY bool \
prefix##_lcm(type a, type b, type *r) \
{ \
	const utype	gcd = prefix##_gcd_magnitude(a, b); \
	const utype	x = a < 0 ? -(utype) a : (utype) a; \
	const utype	y = b < 0 ? -(utype) b : (utype) b; \
	u128		product; \
\
	*r = 0; \
	if (a == 0 || b == 0) \
		return true; \
	product = (u128) (x / gcd) * y; \
	*r = (type) (utype) product; \
	return gcd <= (utype) (most) && product <= (utype) (most); \
}

GCD_BODIES(int32, int32_t, uint32_t, INT32_MAX)
GCD_BODIES(int64, int64_t, uint64_t, INT64_MAX)
#undef GCD_BODIES

#endif							/* GPUSCAN_ARITH_H */
