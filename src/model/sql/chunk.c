/*-------------------------------------------------------------------------
 *
 * chunk.c
 *	  chunk(model, text): a long text in pieces.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/chunk.h"
#include "model/sql/input.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_chunk);

static bool
prefix_of(const void *tokenizer, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
		  ModelProgress *progress, ModelError *error)
{
	return encoder_prefix(tokenizer, text, len, most, out, prefix, progress, error);
}

/* Tokens of a text that embed takes: the model's, less those around a text and before a document */
static int
most_tokens(const RegisteredModel *registered, const Encoder *encoder)
{
	TokenList  *tokens = gpuscan_token_list();
	size_t		len;
	const char *utf8 = gpuscan_model_input(cstring_to_text(""), registered->document_prefix, &len);
	ModelCall	call;

	model_call_begin(&call);
	if (!encoder_tokens(encoder, utf8, len, tokens, &call.progress, &call.error))
		model_call_failed(&call, registered->name);
	return (int) encoder_info(encoder)->max_tokens - 2 - (int) Min(tokens->n, encoder_info(encoder)->max_tokens);
}

static void
check_limits(int32 max_tokens, int32 overlap)
{
	if (max_tokens <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_tokens must be greater than zero: %d", max_tokens)));
	if (overlap < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("overlap must not be negative: %d", overlap)));
	if (overlap >= max_tokens)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("overlap must be less than max_tokens"),
						errdetail("It is %d, where a chunk has at most %d tokens.", overlap, max_tokens)));
}

/* chunk(model text, input text, max_tokens int, overlap int) */
Datum
gpuscan_chunk(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const int32 overlap = PG_GETARG_INT32(3);
	int32		max_tokens = PG_GETARG_INT32(2);
	Chunker		chunker = {.prefix = prefix_of,.overlap = (size_t) overlap,.words = gpuscan_token_list()};
	const Encoder *encoder;
	int32		position = 1;
	size_t		counted = 0;
	size_t		begin;
	size_t		end;
	bool		there;
	ModelCall	call;
	MemoryContext context;

	check_limits(max_tokens, overlap);
	InitMaterializedSRF(fcinfo, 0);
	chunker.tokenizer = encoder = gpuscan_loaded_encoder(gpuscan_load_model(registered));
	if (most_tokens(registered, encoder) < max_tokens)
	{
		max_tokens = Max(most_tokens(registered, encoder), 1);
		check_limits(max_tokens, overlap);
	}
	chunker.most = (size_t) max_tokens;
	chunker.text = gpuscan_model_input(PG_GETARG_TEXT_PP(1), "", &chunker.len);
	context = AllocSetContextCreate(CurrentMemoryContext, "gpuscan chunk", ALLOCSET_DEFAULT_SIZES);
	model_call_begin(&call);
	for (int32 number = 1;; number++)
	{
		const MemoryContext old = MemoryContextSwitchTo(context);
		Datum		row[3];
		bool		nulls[lengthof(row)] = {0};

		if (!chunk_next(&chunker, &begin, &end, &there, &call.progress, &call.error))
			model_call_failed(&call, registered->name);
		if (!there)
			break;
		for (; counted < begin; counted++)
			position += ((unsigned char) chunker.text[counted] & 0xC0) != 0x80;
		row[0] = Int32GetDatum(number);
		row[1] = Int32GetDatum(position);
		row[2] = PointerGetDatum(gpuscan_model_output(chunker.text + begin, end - begin));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	return (Datum) 0;
}
