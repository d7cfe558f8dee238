/*-------------------------------------------------------------------------
 *
 * value.h
 *	  PostgreSQL's values as an engine holds them, and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_VALUE_H
#define GPUSCAN_VALUE_H

#include "engine/engine.h"
#include "lib/stringinfo.h"
#include "program/program.h"

/* What became of a value on its way to an engine. */
typedef enum ValueFit
{
	VALUE_FITS,
	VALUE_SCALE_LOST,			/* equal, but prints with fewer trailing zeros */
	VALUE_FOREIGN				/* no form in an engine: 'foreign' is set */
} ValueFit;

/*
 * A datum, not NULL, as an engine's value.  What it points to is the datum's
 * own, or palloc'd where it had to be detoasted.  As a key, a numeric may lose
 * trailing zeros and a foreign one gets its canonical bytes.
 */
extern ValueFit gpuscan_value_from_datum(ProgramType type, Datum datum, bool as_key, ProgramValue *value);

/* An engine's value, not NULL and not foreign, as a datum. */
extern Datum gpuscan_value_to_datum(ProgramType type, int32 typmod, const ProgramValue *value);

/* A number of 128 bits as a sum. */
static inline void
gpuscan_value_limbs(uint64 lo, int64 hi, uint64 *sum)
{
	sum[0] = lo;
	sum[1] = (uint64) hi;
	for (int i = 2; i < ENGINE_SUM_LIMBS; i++)
		sum[i] = hi < 0 ? PG_UINT64_MAX : 0;
}

/* sum (ENGINE_SUM_LIMBS limbs) * 10^-scale as numeric that prints dscale (at most scale) digits after the point. */
extern Datum gpuscan_value_numeric(const uint64 *sum, int scale, int dscale);

/* Append a finite numeric as numeric.c's numericvar_serialize does. */
extern void gpuscan_value_send_numeric(StringInfo buf, Datum numeric);

#endif							/* GPUSCAN_VALUE_H */
