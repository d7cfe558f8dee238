/*-------------------------------------------------------------------------
 *
 * tokenize.c
 *	  tokenize, count_tokens, detokenize, truncate_tokens: texts as tokens of a model.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/sql/input.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_tokenize);
PG_FUNCTION_INFO_V1(gpuscan_count_tokens);
PG_FUNCTION_INFO_V1(gpuscan_detokenize);
PG_FUNCTION_INFO_V1(gpuscan_truncate_tokens);

static const TokenList *
tokens_of(FunctionCallInfo fcinfo)
{
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const LoadedModel *model = gpuscan_load_model(registered);
	const Encoder *encoder = gpuscan_encoder_or_null(model);
	TokenList  *tokens = gpuscan_token_list();
	size_t		len;
	const char *utf8 = gpuscan_model_input(PG_GETARG_TEXT_PP(1), "", &len);
	ModelCall	call;

	model_call_begin(&call);
	if (!(encoder ? encoder_tokens(encoder, utf8, len, tokens, &call.progress, &call.error) :
		  tokenizer_encode(language_tokenizer(gpuscan_loaded_language(model)), utf8, len, tokens, &call.progress, &call.error)))
		model_call_failed(&call, registered->name);
	return tokens;
}

/* tokenize(model text, input text): the numbers of its tokens, without those that the model puts around a text */
Datum
gpuscan_tokenize(PG_FUNCTION_ARGS)
{
	const TokenList *tokens = tokens_of(fcinfo);
	Datum	   *ids;

	if (tokens->n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	if (tokens->n > MaxAllocSize / sizeof(Datum))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the text has %zu tokens, too many for an array", tokens->n)));
	ids = palloc_array(Datum, tokens->n);
	for (size_t i = 0; i < tokens->n; i++)
		ids[i] = Int32GetDatum(tokens->ids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, (int) tokens->n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* count_tokens(model text, input text) */
Datum
gpuscan_count_tokens(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((int32) tokens_of(fcinfo)->n);
}

/* Text of tokens by a model that writes; those that are no text give none */
static text *
text_by_language(const char *name, const Tokenizer *tokenizer, const int32_t *tokens, size_t n)
{
	TokenizerText waiting = {0};
	StringInfoData result;

	initStringInfo(&result);
	/* after the last one, what waits for the end of a character */
	for (size_t i = 0; i <= n; i++)
	{
		const int32_t id = i < n ? tokens[i] : -1;
		uint32_t	len = 0;

		if (i < n && tokenizer_piece(tokenizer, id, &len) == NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("model \"%s\": there is no token %d", name, id)));
		enlargeStringInfo(&result, (int) TOKENIZER_TEXT_ROOM(len));
		result.len += (int) tokenizer_text(tokenizer, &waiting, id, result.data + result.len);
		CHECK_FOR_INTERRUPTS();
	}
	return gpuscan_model_output(result.data, (size_t) result.len);
}

/* detokenize(model text, tokens int[]) */
Datum
gpuscan_detokenize(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const LoadedModel *model = gpuscan_load_model(registered);
	const Encoder *encoder = gpuscan_encoder_or_null(model);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	/* with a bitmap of NULLs it may still have none */
	const Size	offset = ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
	const int32_t *tokens = (const int32_t *) ((const char *) array + offset);
	const size_t n = (size_t) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	char	   *bytes;
	size_t		len;
	ModelCall	call;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("tokens are not an array of one dimension")));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("tokens must not contain nulls")));
	if (encoder == NULL)
		PG_RETURN_TEXT_P(text_by_language(registered->name, language_tokenizer(gpuscan_loaded_language(model)), tokens, n));
	model_call_begin(&call);
	if (!encoder_detokenize(encoder, tokens, n, NULL, &len, &call.error))
		model_call_failed(&call, registered->name);
	if (len > MaxAllocSize - VARHDRSZ - 1)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the text of the tokens has %zu bytes, too many", len)));
	bytes = palloc(len + 1);
	if (!encoder_detokenize(encoder, tokens, n, bytes, &len, &call.error))
		model_call_failed(&call, registered->name);
	PG_RETURN_TEXT_P(gpuscan_model_output(bytes, len));
}

/* truncate_tokens(model text, input text, max_tokens int): the longest beginning of the text itself that has no more */
Datum
gpuscan_truncate_tokens(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	text	   *input = PG_GETARG_TEXT_PP(1);
	const int32 most = PG_GETARG_INT32(2);
	const Encoder *encoder;
	TokenPrefix prefix;
	size_t		len;
	const char *utf8;
	ModelCall	call;

	if (most < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_tokens must not be negative: %d", most)));
	encoder = gpuscan_loaded_encoder(gpuscan_load_model(registered));
	utf8 = gpuscan_model_input(input, "", &len);
	model_call_begin(&call);
	if (!encoder_prefix(encoder, utf8, len, (size_t) most, gpuscan_token_list(), &prefix, &call.progress, &call.error))
		model_call_failed(&call, registered->name);
	PG_RETURN_TEXT_P(prefix.len == len ? input : gpuscan_model_output(utf8, prefix.len));
}
