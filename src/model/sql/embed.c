/*-------------------------------------------------------------------------
 *
 * embed.c
 *	  embed(model, text): a text as a vector; and what others that need vectors call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/sql/embed.h"
#include "model/sql/input.h"
#include "model/sql/report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_embed);
PG_FUNCTION_INFO_V1(gpuscan_embed_array);

void
gpuscan_embedder_init(Embedder *embedder, const RegisteredModel *registered, const char *input_type, bool truncate)
{
	embedder->registered = registered;
	embedder->truncate = truncate;
	if (strcmp(input_type, "document") == 0)
		embedder->prefix = registered->document_prefix;
	else if (strcmp(input_type, "query") == 0)
		embedder->prefix = registered->query_prefix;
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid input type \"%s\"", input_type),
						errhint("There are \"document\" and \"query\".")));
	embedder->model = gpuscan_load_model(registered);
	embedder->encoder = gpuscan_loaded_encoder(embedder->model);
	embedder->dimensions = encoder_info(embedder->encoder)->dimensions;
}

bool
gpuscan_embed_truncates(Jsonb *options)
{
	static const ModelOption known[] = {{.name = "truncate", .type = MODEL_OPTION_BOOL}};
	ModelOptionValue values[lengthof(known)] = {0};

	gpuscan_read_model_options(options, known, lengthof(known), values);
	return values[0].given && values[0].boolean;
}

uint32
gpuscan_embed_tokens(const Embedder *embedder, text *input, TokenList *tokens)
{
	const size_t before = tokens->n;
	size_t		len;
	const char *utf8 = gpuscan_model_input(input, embedder->prefix, &len);
	ModelCall	call;

	if (VARSIZE_ANY_EXHDR(input) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("cannot embed an empty text"),
						errhint("Use NULL for a text that is not there, or nullif(..., '').")));
	model_call_begin(&call);
	if (!encoder_tokenize(embedder->encoder, utf8, len, embedder->truncate, tokens, &call.progress, &call.error))
		model_call_failed(&call, embedder->registered->name);
	return (uint32) (tokens->n - before);
}

void
gpuscan_embed_run(const Embedder *embedder, const int32_t *tokens, const uint32 *lengths, size_t n, float *out)
{
	ModelCall	call;

	model_call_begin(&call);
	if (!encoder_embed(embedder->encoder, tokens, lengths, n, out, &call.progress, &call.error))
		model_call_failed(&call, embedder->registered->name);
	gpuscan_count_passes(embedder->model, (int64) n);
}

ArrayType *
gpuscan_vector(const float *values, uint32 n)
{
	const Size	size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(float4);
	ArrayType  *array = palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = (int) n;
	ARR_LBOUND(array)[0] = 1;
	memcpy((char *) array + ARR_OVERHEAD_NONULLS(1), values, n * sizeof(float4));
	return array;
}

/* ------------------------------------------------------------------------
 * One text
 * ------------------------------------------------------------------------
 */

/*
 * The last call of this place in a query and what came out of it: in ORDER BY e <=>
 * embed('m', 'question') the same text is asked for with each row.
 */
typedef struct Memo
{
	MemoryContext context;		/* of what is below; reset for another one */
	Oid			serverid;
	uint32		options_hash;
	bytea	   *arguments;		/* all of them, one behind the other */
	ArrayType  *result;
} Memo;

/* The arguments behind the model as bytes; detoasted, and NULL is left out */
static bytea *
arguments_of(const Datum *args, const bool *missing, int n)
{
	Size		size = VARHDRSZ;
	bytea	   *all;
	char	   *to;

	for (int i = 0; i < n; i++)
		size += missing[i] ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(args[i])) + sizeof(Size);
	all = palloc(size);
	SET_VARSIZE(all, size);
	to = VARDATA(all);
	for (int i = 0; i < n; i++)
	{
		const Size	len = missing[i] ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(args[i]));

		if (missing[i])
			continue;
		memcpy(to, &len, sizeof len);
		memcpy(to + sizeof len, VARDATA_ANY(DatumGetPointer(args[i])), len);
		to += sizeof len + len;
	}
	return all;
}

static Memo *
memo_of(FunctionCallInfo fcinfo)
{
	Memo	   *memo = fcinfo->flinfo->fn_extra;

	if (memo == NULL)
	{
		memo = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof *memo);
		memo->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "gpuscan embed", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = memo;
	}
	return memo;
}

static bool
memo_has(const Memo *memo, const RegisteredModel *model, const bytea *arguments)
{
	return memo->result != NULL && memo->serverid == model->serverid && memo->options_hash == model->options_hash &&
		VARSIZE(memo->arguments) == VARSIZE(arguments) && memcmp(memo->arguments, arguments, VARSIZE(arguments)) == 0;
}

static void
memo_keep(Memo *memo, const RegisteredModel *model, const bytea *arguments, const ArrayType *result)
{
	memo->result = NULL;
	MemoryContextReset(memo->context);
	memo->serverid = model->serverid;
	memo->options_hash = model->options_hash;
	memo->arguments = MemoryContextAlloc(memo->context, VARSIZE(arguments));
	memcpy(memo->arguments, arguments, VARSIZE(arguments));
	memo->result = MemoryContextAlloc(memo->context, VARSIZE(result));
	memcpy(memo->result, result, VARSIZE(result));
}

/* embed(model text, input text, input_type text, options jsonb) */
Datum
gpuscan_embed(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered;
	Datum		args[3] = {0};
	bool		missing[3];
	Memo	   *memo;
	bytea	   *arguments;
	ArrayType  *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	for (int i = 0; i < 3; i++)
		if (!(missing[i] = PG_ARGISNULL(i + 1)))
			args[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(i + 1)));
	arguments = arguments_of(args, missing, lengthof(args));
	memo = memo_of(fcinfo);
	if (memo_has(memo, registered, arguments))
	{
		result = palloc(VARSIZE(memo->result));
		memcpy(result, memo->result, VARSIZE(memo->result));
	}
	else
	{
		Embedder	embedder;
		TokenList  *tokens = gpuscan_token_list();
		float	   *values;
		uint32		length;
		const bool	truncate = !missing[2] && gpuscan_embed_truncates(DatumGetJsonbP(args[2]));

		gpuscan_embedder_init(&embedder, registered, TextDatumGetCString(args[1]), truncate);
		values = palloc_array(float, embedder.dimensions);
		length = gpuscan_embed_tokens(&embedder, DatumGetTextPP(args[0]), tokens);
		gpuscan_embed_run(&embedder, tokens->ids, &length, 1, values);
		result = gpuscan_vector(values, embedder.dimensions);
		memo_keep(memo, registered, arguments, result);
	}
	PG_RETURN_ARRAYTYPE_P(result);
}

/* ------------------------------------------------------------------------
 * Many texts
 * ------------------------------------------------------------------------
 */

/* embed(model text, inputs text[], input_type text, options jsonb): a row for each, in their order; NULL of NULL */
Datum
gpuscan_embed_array(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Embedder	embedder;
	Datum	   *inputs;
	bool	   *missing;
	int			n;
	float	   *values;
	uint32		lengths[EMBED_TOGETHER];
	bool		truncate;
	MemoryContext context;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	truncate = !PG_ARGISNULL(3) && gpuscan_embed_truncates(PG_GETARG_JSONB_P(3));
	gpuscan_embedder_init(&embedder, gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0))), text_to_cstring(PG_GETARG_TEXT_PP(2)),
						  truncate);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &inputs, &missing, &n);
	values = palloc_array(float, (Size) EMBED_TOGETHER * embedder.dimensions);
	context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan embed", ALLOCSET_DEFAULT_SIZES);
	for (int first = 0; first < n; first += EMBED_TOGETHER)
	{
		const int	some = Min(n - first, EMBED_TOGETHER);
		const MemoryContext old = MemoryContextSwitchTo(context);
		TokenList  *tokens = gpuscan_token_list();
		size_t		there = 0;

		for (int i = first; i < first + some; i++)
			if (!missing[i])
				lengths[there++] = gpuscan_embed_tokens(&embedder, DatumGetTextPP(inputs[i]), tokens);
		gpuscan_embed_run(&embedder, tokens->ids, lengths, there, values);
		there = 0;
		for (int i = first; i < first + some; i++)
		{
			Datum		value = missing[i] ? (Datum) 0 :
				PointerGetDatum(gpuscan_vector(values + embedder.dimensions * there++, embedder.dimensions));

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &missing[i]);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	return (Datum) 0;
}
