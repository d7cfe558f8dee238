/*-------------------------------------------------------------------------
 *
 * distance.c
 *	  Distances of vectors that are arrays of real, as pgvector has them of its type.
 *
 * Sums are float32 with 16 partial ones (kernels.h), the rest is double precision.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "fmgr.h"
#include "model/kernels.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(gpuscan_l2_distance);
PG_FUNCTION_INFO_V1(gpuscan_inner_product);
PG_FUNCTION_INFO_V1(gpuscan_negative_inner_product);
PG_FUNCTION_INFO_V1(gpuscan_cosine_distance);

typedef struct Pair
{
	const ModelKernels *kernels;
	const float *a;
	const float *b;
	size_t		n;
} Pair;

static const float *
vector_arg(ArrayType *array, int *n)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("a vector is an array of one dimension")));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a vector has no NULLs")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	/* ARR_DATA_PTR, whose two kinds of integer a compiler complains of */
	return (const float *) ((const char *) array + (ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(array))));
}

static Pair
pair_of(FunctionCallInfo fcinfo)
{
	int			n,
				m;
	Pair		pair = {.kernels = model_kernels(NULL)};

	pair.a = vector_arg(PG_GETARG_ARRAYTYPE_P(0), &n);
	pair.b = vector_arg(PG_GETARG_ARRAYTYPE_P(1), &m);
	if (n != m)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different vector dimensions %d and %d", n, m)));
	pair.n = (size_t) n;
	return pair;
}

Datum
gpuscan_l2_distance(PG_FUNCTION_ARGS)
{
	const Pair	p = pair_of(fcinfo);

	PG_RETURN_FLOAT8(sqrt((double) p.kernels->square_distance(p.a, p.b, p.n)));
}

Datum
gpuscan_inner_product(PG_FUNCTION_ARGS)
{
	const Pair	p = pair_of(fcinfo);

	PG_RETURN_FLOAT8((double) p.kernels->dot(p.a, p.b, p.n));
}

/* An operator that sorts: the greatest product first */
Datum
gpuscan_negative_inner_product(PG_FUNCTION_ARGS)
{
	const Pair	p = pair_of(fcinfo);

	PG_RETURN_FLOAT8(-(double) p.kernels->dot(p.a, p.b, p.n));
}

/* 1 - cosine of the angle; NaN where a vector has no direction */
Datum
gpuscan_cosine_distance(PG_FUNCTION_ARGS)
{
	const Pair	p = pair_of(fcinfo);
	const double squares = (double) p.kernels->dot(p.a, p.a, p.n) * (double) p.kernels->dot(p.b, p.b, p.n);
	double		similarity = (double) p.kernels->dot(p.a, p.b, p.n) / sqrt(squares);

	/* rounding may lead beyond; NaN stays */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;
	PG_RETURN_FLOAT8(1 - similarity);
}
