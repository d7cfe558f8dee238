/*-------------------------------------------------------------------------
 *
 * vectors.c
 *	  Numerics that do not fit the present form of their vector; uniform
 *	  vectors, and those that the host fills.
 *
 *-------------------------------------------------------------------------
 */
#include "engine/cpu/cpu.h"

/* From 64-bit mantissas to 128-bit ones, in place: the room is there. */
void
gpuscan_vector_widen(Vector *vector, uint32_t n)
{
	i128	   *wide = vector->data;
	const int64_t *narrow = vector->data;

	if (vector->wide)
		return;
	for (uint32_t i = n; i-- > 0;)
		wide[i] = narrow[i];
	vector->wide = true;
}

/* From one scale to a scale for each of the first n rows. */
void
gpuscan_vector_mix(EngineRun *run, Vector *vector, uint32_t n)
{
	if (!vector->scales)
		vector->scales = gpuscan_cpu_alloc(run, BATCH_MAX_ROWS);
	if (!vector->mixed)
		memset(vector->scales, vector->scale, n);
	vector->mixed = true;
}

/* Row 'row' of a vector of n rows := value, whatever form that takes. */
void
gpuscan_vector_put_numeric(EngineRun *run, Vector *vector, uint32_t row, uint32_t n, NumericValue value)
{
	if (!vector->mixed && value.scale != vector->scale)
		gpuscan_vector_mix(run, vector, n);
	if (vector->mixed)
		vector->scales[row] = (uint8_t) value.scale;
	if (!vector->wide && (value.mantissa != (int64_t) value.mantissa || value.mantissa == INT64_MIN))
		gpuscan_vector_widen(vector, n);
	if (vector->wide)
		((i128 *) vector->data)[row] = value.mantissa;
	else
	{
		int64_t		m = (int64_t) value.mantissa;
		uint64_t	size = m < 0 ? -(uint64_t) m : (uint64_t) m;

		((int64_t *) vector->data)[row] = m;
		if (size > vector->bound)
			vector->bound = size;
	}
}

/* A vector that has one value for all rows; its kind is the value's. */
void
gpuscan_vector_set_uniform(EngineRun *run, Vector *vector, const ProgramValue *value)
{
	if (!vector->data)
	{
		vector->data = gpuscan_cpu_alloc(run, 2 * CPU_VECTOR_ALIGN);
		vector->null = gpuscan_cpu_alloc(run, CPU_VECTOR_ALIGN);
	}
	vector->kind = value->kind;
	vector->uniform = true;
	vector->pattern_set = false;
	vector->has_null = value->null;
	vector->null[0] = value->null;
	vector->wide = vector->mixed = false;
	vector->scale = 0;
	vector->bound = 0;
	memset(vector->data, 0, sizeof(i128));
	if (value->null)
	{
		if (value->kind == VALUE_TEXT)
			((TextView *) vector->data)->ptr = "";
		return;
	}
	switch (value->kind)
	{
		case VALUE_BOOL:
			*(uint8_t *) vector->data = value->u.integer != 0;
			break;
		case VALUE_INT32:
			*(int32_t *) vector->data = (int32_t) value->u.integer;
			break;
		case VALUE_INT64:
			*(int64_t *) vector->data = value->u.integer;
			break;
		case VALUE_FLOAT64:
			*(double *) vector->data = value->u.real;
			break;
		case VALUE_TEXT:
			((TextView *) vector->data)->ptr = value->u.ptr;
			if (value->len <= GROUP_TEXT_MAX)
			{
				/* a key is loaded as eight bytes: those of a page have BATCH_PAGE_SLACK */
				char	   *copy = (char *) vector->data + CPU_VECTOR_ALIGN;

				((TextView *) vector->data)->ptr = memcpy(copy, value->u.ptr, value->len);
			}
			((TextView *) vector->data)->len = value->len;
			((TextView *) vector->data)->pad = 0;
			break;
		case VALUE_NUMERIC:
			{
				NumericValue v = program_value_numeric(value);

				vector->scale = (int16_t) v.scale;
				gpuscan_vector_put_numeric(run, vector, 0, 1, v);
			}
			break;
	}
}

/* One of the host's values, not NULL, as an element. */
static void
put_value(EngineRun *run, Vector *vector, uint32_t row, uint32_t n, const ProgramValue *value)
{
	switch (vector->kind)
	{
		case VALUE_BOOL:
			((uint8_t *) vector->data)[row] = value->u.integer != 0;
			break;
		case VALUE_INT32:
			((int32_t *) vector->data)[row] = (int32_t) value->u.integer;
			break;
		case VALUE_INT64:
			((int64_t *) vector->data)[row] = value->u.integer;
			break;
		case VALUE_FLOAT64:
			((double *) vector->data)[row] = value->u.real;
			break;
		case VALUE_TEXT:
			((TextView *) vector->data)[row] = (TextView) {value->u.ptr, value->len, 0};
			break;
		case VALUE_NUMERIC:
			gpuscan_vector_put_numeric(run, vector, row, n, program_value_numeric(value));
			break;
	}
}

/* A vector of n rows that the host computed.  Rows that are not kept are NULL until they are packed away. */
void
gpuscan_vector_fill(EngineRun *run, Vector *vector, const ProgramValue *values, const uint8_t *keep, uint32_t n)
{
	static const ProgramValue nothing = {.u.ptr = ""};
	bool		scaled = false;

	vector->has_null = vector->wide = vector->mixed = false;
	vector->tight = true;
	vector->scale = 0;
	vector->bound = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const ProgramValue *value = &values[i];
		bool		null = (keep && !keep[i]) || value->null;

		vector->null[i] = null;
		vector->has_null |= null;
		if (null)
		{
			/* an element that may be read, of the scale that is there */
			if (vector->kind != VALUE_NUMERIC)
				put_value(run, vector, i, n, &nothing);
			else
				gpuscan_vector_put_numeric(run, vector, i, n, (NumericValue) {0, vector->scale});
			continue;
		}
		if (!scaled && vector->kind == VALUE_NUMERIC)
		{
			/* as a rule all values have the first one's */
			scaled = true;
			vector->scale = (int16_t) value->scale;
		}
		put_value(run, vector, i, n, value);
	}
}
