/*-------------------------------------------------------------------------
 *
 * rerank.c
 *	  rerank(model, query, documents): documents in the order of how near they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/sql/embed.h"
#include "model/sql/input.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_rerank);

typedef struct Ranked
{
	int			ordinal;
	float8		score;
} Ranked;

/* As cosine_distance has it: NaN with a vector of zeros */
static float8
cosine(const float *a, const float *b, uint32 n)
{
	float8		ab = 0,
				aa = 0,
				bb = 0;

	for (uint32 i = 0; i < n; i++)
	{
		ab += (float8) a[i] * b[i];
		aa += (float8) a[i] * a[i];
		bb += (float8) b[i] * b[i];
	}
	ab /= sqrt(aa * bb);
	return isnan(ab) ? get_float8_nan() : Max(-1.0, Min(1.0, ab));
}

/* The best first; NaN is none, and comes last */
static int
compare(const void *left, const void *right)
{
	const Ranked *a = left;
	const Ranked *b = right;

	if (isnan(a->score) != isnan(b->score))
		return isnan(a->score) ? 1 : -1;
	if (a->score != b->score && !isnan(a->score))
		return a->score > b->score ? -1 : 1;
	return a->ordinal < b->ordinal ? -1 : 1;
}

/* rerank(model text, query text, documents text[], options jsonb); NULL among the documents is left out */
Datum
gpuscan_rerank(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RegisteredModel *registered;
	Embedder	embedder;
	Datum	   *documents;
	bool	   *missing;
	int			n;
	float	   *query;
	float	   *values;
	Ranked	   *ranked;
	size_t		nranked = 0;
	uint32		lengths[EMBED_TOGETHER];
	bool		truncate;
	MemoryContext context;

	InitMaterializedSRF(fcinfo, 0);
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	truncate = gpuscan_embed_truncates(PG_GETARG_JSONB_P(3));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &documents, &missing, &n);
	gpuscan_embedder_init(&embedder, registered, "query", truncate);
	query = palloc_array(float, embedder.dimensions);
	values = palloc_array(float, (Size) EMBED_TOGETHER * embedder.dimensions);
	ranked = palloc_extended(sizeof(Ranked) * Max(n, 1), MCXT_ALLOC_HUGE);
	context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan rerank", ALLOCSET_DEFAULT_SIZES);
	for (int first = -1; first < n;)
	{
		const MemoryContext old = MemoryContextSwitchTo(context);
		TokenList  *tokens = gpuscan_token_list();
		size_t		there = 0;
		int			i = first;

		if (first < 0)
		{
			lengths[0] = gpuscan_embed_tokens(&embedder, PG_GETARG_TEXT_PP(1), tokens);
			gpuscan_embed_run(&embedder, tokens->ids, lengths, 1, query);
			gpuscan_embedder_init(&embedder, registered, "document", truncate);
			i = 0;
		}
		for (; first >= 0 && i < n && there < EMBED_TOGETHER; i++)
			if (!missing[i])
			{
				ranked[nranked + there].ordinal = i + 1;
				lengths[there++] = gpuscan_embed_tokens(&embedder, DatumGetTextPP(documents[i]), tokens);
			}
		if (there > 0)
			gpuscan_embed_run(&embedder, tokens->ids, lengths, there, values);
		for (size_t k = 0; k < there; k++)
			ranked[nranked + k].score = cosine(query, values + k * embedder.dimensions, embedder.dimensions);
		nranked += there;
		first = i;
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	qsort(ranked, nranked, sizeof *ranked, compare);
	for (size_t i = 0; i < nranked; i++)
	{
		Datum		row[] = {Int32GetDatum(ranked[i].ordinal), Float8GetDatum(ranked[i].score)};
		bool		nulls[lengthof(row)] = {0};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}
