/*-------------------------------------------------------------------------
 *
 * bodies.cu
 *	  Every operator body of ops.def that a device runs, and the tuple decoder, as
 *	  device code.
 *
 * Compiled, not run: what a kernel calls must compile for the device.  A new
 * line of ops.def is called here at once.
 *
 *-------------------------------------------------------------------------
 */
#include "heap/decode.h"
#include "program/bodies.h"
#include "program/program.h"

/* A value of any kind, and the way to each */
struct Value
{
	bool		null;
	uint8_t		boolean;
	int32_t		int32;
	int64_t		int64;
	NumericValue numeric;
	TextView	text;
	double		float64;
};

#define TYPE_OF_VALUE_BOOL		uint8_t
#define TYPE_OF_VALUE_INT32		int32_t
#define TYPE_OF_VALUE_INT64		int64_t
#define TYPE_OF_VALUE_NUMERIC	NumericValue
#define TYPE_OF_VALUE_TEXT		TextView
#define TYPE_OF_VALUE_FLOAT64	double

#define FIELD_OF_VALUE_BOOL		boolean
#define FIELD_OF_VALUE_INT32	int32
#define FIELD_OF_VALUE_INT64	int64
#define FIELD_OF_VALUE_NUMERIC	numeric
#define FIELD_OF_VALUE_TEXT		text
#define FIELD_OF_VALUE_FLOAT64	float64

#define FIRST_OF(a, b, c)		a
#define SECOND_OF(a, b, c)		b
#define THIRD_OF(a, b, c)		c
#define CALL_1(body, ka, kb, kc, r)	body(a->FIELD_OF_##ka, r)
#define CALL_2(body, ka, kb, kc, r)	body(a->FIELD_OF_##ka, b->FIELD_OF_##kb, r)
#define CALL_3(body, ka, kb, kc, r)	body(a->FIELD_OF_##ka, b->FIELD_OF_##kb, c->FIELD_OF_##kc, r)
#define CALL_N(nargs, body, ka, kb, kc, r)	CALL_##nargs(body, ka, kb, kc, r)
#define CALL(...)				CALL_N(__VA_ARGS__)

/* what names another engine is no device code */
#define HERE_ENGINE_ALL(...)		__VA_ARGS__
#define HERE_ENGINE_CUDA(...)	__VA_ARGS__
#define HERE_ENGINE_CPU(...)

static __device__ bool
run_operator(uint16_t op, const Value *a, const Value *b, const Value *c, Value *out)
{
	switch (op)
	{
#define OP(id, nargs, kinds, kr, may_fail, cost, engines, condition, functions, body) \
		HERE_##engines(case OP_##id: \
			{ \
				TYPE_OF_##kr r; \
				bool		ok = CALL(nargs, body, FIRST_OF kinds, SECOND_OF kinds, THIRD_OF kinds, &r); \
				out->FIELD_OF_##kr = r; \
				return ok; \
			})
#define TEXT_OP(...)
#include "program/ops.def"
#undef OP
	}
	return false;
}

extern "C" __global__ void
operators(const uint16_t *ops, const Value *a, const Value *b, const Value *c, Value *out, uint8_t *failed, uint32_t n)
{
	uint32_t	i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		failed[i] = !run_operator(ops[i], &a[i], &b[i], &c[i], &out[i]);
}

/* From a line pointer to a numeric and a text; what numerics need as keys. */
extern "C" __global__ void
decoder(const char *page, uint32_t blcksz, const uint16_t *offnum, const ProgramLayout *layout,
		const ProgramAttr *attrs, int nattrs, uint16_t *where, Value *out, uint8_t *failed, uint32_t n)
{
	uint32_t	i = blockIdx.x * blockDim.x + threadIdx.x;
	const uint8_t *tuple;
	uint32_t	len;

	if (i >= n)
		return;
	failed[i] = !decode_item(page, blcksz, offnum[i], &tuple, &len) ||
		!decode_walk(tuple, len, layout, attrs, nattrs, where + i, n);
	if (failed[i])
		return;
	for (int k = 0; k < nattrs; k++)
	{
		uint16_t	at = where[(size_t) k * n + i];
		Value	   *value = &out[(size_t) k * n + i];

		value->null = at == DECODE_NULL || at == DECODE_MISSING;
		if (value->null || decode_compressed(tuple + at))
			continue;
		if (attrs[k].type == TYPE_NUMERIC)
		{
			failed[i] |= !decode_numeric(tuple + at, &value->numeric);
			value->numeric = numeric_canonical(value->numeric);
		}
		else if (decode_text(tuple + at, &value->text))
			value->text.len = text_without_blanks(value->text.ptr, value->text.len);
	}
}
