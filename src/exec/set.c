/*-------------------------------------------------------------------------
 *
 * set.c
 *	  A constant array as a set of values (program/set.h), for long IN lists.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "exec/set.h"
#include "exec/value.h"
#include "offload/tables.h"
#include "program/set.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* numeric.h and fmgrprotos.h have names in common: include no builtins.h */

/* The hash of an element, which is written to 'to'. */
static uint32
put_element(const ProgramValue *value, char *to, uint32 text_at)
{
	if (value->kind == VALUE_TEXT)
	{
		TextView	text = {value->u.ptr, value->len, 0};

		memcpy(to, &text_at, sizeof(uint32));
		memcpy(to + 4, &value->len, sizeof(uint32));
		return set_hash_text(text);
	}
	if (value->kind == VALUE_NUMERIC)
	{
		NumericValue number;
		uint64		limbs[2];
		uint32		scale;

		number.mantissa = (i128) ((u128) (uint64) value->u.numeric.hi << 64 | value->u.numeric.lo);
		number.scale = value->scale;
		number = numeric_canonical(number);
		limbs[0] = (uint64) number.mantissa;
		limbs[1] = (uint64) (number.mantissa >> 64);
		scale = (uint32) number.scale;
		memcpy(to, limbs, sizeof(limbs));
		memcpy(to + sizeof(limbs), &scale, sizeof(scale));
		return set_hash_numeric(number);
	}
	memcpy(to, &value->u.integer, sizeof(int64));
	return set_hash_word(0, (uint64) value->u.integer);
}

Datum
gpuscan_set_from_array(Datum datum)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	const Oid	element_type = ARR_ELEMTYPE(array);
	const ProgramType type = gpuscan_type_of(element_type);
	int16		len;
	bool		byval;
	char		align;
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	ProgramValue *values;
	uint32		n = 0;
	uint32		mask = 1;
	Size		text_bytes = 0;
	Size		text_at;
	Size		elements_at;
	text	   *set;
	char	   *bytes;

	get_typlenbyvalalign(element_type, &len, &byval, &align);
	deconstruct_array(array, element_type, len, byval, align, &elements, &nulls, &nelements);
	values = palloc_array(ProgramValue, nelements + 1);
	for (int i = 0; i < nelements; i++)
	{
		/* what a register cannot hold is equal to nothing that one holds */
		if (nulls[i] || gpuscan_value_from_datum(type, elements[i], true, &values[n]) == VALUE_FOREIGN)
			continue;
		if (values[n].kind == VALUE_TEXT)
			text_bytes += values[n].len;
		n++;
	}
	while (mask < 2 * n)
		mask = 2 * mask + 1;

	elements_at = SET_HEADER + ((Size) mask + 1) * sizeof(uint32);
	text_at = elements_at + (Size) n * SET_ELEMENT;
	set = palloc0(VARHDRSZ + text_at + text_bytes);
	SET_VARSIZE(set, VARHDRSZ + text_at + text_bytes);
	bytes = VARDATA(set);
	memcpy(bytes, &mask, sizeof(mask));
	memcpy(bytes + 4, &n, sizeof(n));
	for (uint32 i = 0; i < n; i++)
	{
		uint32		slot = put_element(&values[i], bytes + elements_at + (Size) i * SET_ELEMENT, (uint32) text_at);
		const uint32 number = i + 1;

		for (;; slot++)
		{
			char	   *at = bytes + SET_HEADER + (Size) (slot & mask) * sizeof(uint32);

			if (load_u32(at) != 0)
				continue;
			memcpy(at, &number, sizeof(number));
			break;
		}
		if (values[i].kind == VALUE_TEXT)
		{
			memcpy(bytes + text_at, values[i].u.ptr, values[i].len);
			text_at += values[i].len;
		}
	}
	return PointerGetDatum(set);
}
