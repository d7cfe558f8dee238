/*-------------------------------------------------------------------------
 *
 * tokenize.c
 *	  tokenize, count_tokens: a text as a model takes it apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "model/sql/input.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_tokenize);
PG_FUNCTION_INFO_V1(gpuscan_count_tokens);

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
