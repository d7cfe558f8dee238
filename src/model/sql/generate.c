/*-------------------------------------------------------------------------
 *
 * generate.c
 *	  generate, chat: texts that a model goes on with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/sql/chat.h"
#include "model/sql/input.h"
#include "model/sql/writing.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(gpuscan_generate);
PG_FUNCTION_INFO_V1(gpuscan_generate_array);
PG_FUNCTION_INFO_V1(gpuscan_chat);

/* Texts of an array that go on together */
#define TOGETHER		16

static const char *
finish_reason(GenerationFinish finish)
{
	return finish == GENERATION_STOP ? "stop" : "length";
}

/* generate(model text, prompt text, options jsonb) */
Datum
gpuscan_generate(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered;
	Writing    *writing;
	TokenList  *tokens;
	GenerationText generated;
	ModelCall	call;
	const char *prompt;
	size_t		len;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	writing = gpuscan_writing_of(fcinfo, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), WRITING_PROMPT, NULL);
	tokens = gpuscan_token_list();
	model_call_begin(&call);
	prompt = gpuscan_model_input(PG_GETARG_TEXT_PP(1), "", &len);
	if (!gpuscan_prompt_tokens(writing, prompt, len, tokens, &call))
		gpuscan_prompt_failed(writing, &call);
	generated = gpuscan_write_one(writing, tokens, &call);
	PG_RETURN_TEXT_P(gpuscan_written_text(&generated));
}

/* ------------------------------------------------------------------------
 * Conversations
 * ------------------------------------------------------------------------
 */

static void
push_key(JsonbParseState **state, const char *key)
{
	JsonbValue	value = {.type = jbvString, .val.string = {.val = unconstify(char *, key), .len = (int) strlen(key)}};

	pushJsonbValue(state, WJB_KEY, &value);
}

static void
push_string(JsonbParseState **state, const char *key, char *string, int len)
{
	JsonbValue	value = {.type = jbvString, .val.string = {.val = string, .len = len}};

	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_number(JsonbParseState **state, const char *key, uint32_t number)
{
	JsonbValue	value = {.type = jbvNumeric, .val.numeric = int64_to_numeric(number)};

	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* chat(model text, messages jsonb, options jsonb) */
Datum
gpuscan_chat(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered;
	Writing    *writing;
	TokenList  *tokens;
	GenerationText generated;
	ModelCall	call;
	ChatMessage *messages;
	size_t		n;
	JsonbParseState *state = NULL;
	text	   *content;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	messages = gpuscan_chat_messages(PG_GETARG_JSONB_P(1), &n);
	writing = gpuscan_writing_of(fcinfo, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), WRITING_CONVERSATION, NULL);
	tokens = gpuscan_token_list();
	model_call_begin(&call);
	if (!language_chat_prompt(writing->language, messages, n, true, tokens, &call.progress, &call.error))
		gpuscan_prompt_failed(writing, &call);
	generated = gpuscan_write_one(writing, tokens, &call);
	content = gpuscan_written_text(&generated);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_string(&state, "content", VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	push_string(&state, "finish_reason", unconstify(char *, finish_reason(generated.finish)), (int) strlen(finish_reason(generated.finish)));
	push_key(&state, "usage");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_number(&state, "prompt_tokens", generated.prompt_tokens);
	push_number(&state, "completion_tokens", generated.tokens);
	push_number(&state, "total_tokens", generated.prompt_tokens + generated.tokens);
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* ------------------------------------------------------------------------
 * Many texts
 * ------------------------------------------------------------------------
 */

/* What a prompt of an array was refused for; only what it says itself is its own fault */
static char *
refusal(const ModelCall *call)
{
	if (call->error.kind != MODEL_BAD_INPUT && call->error.kind != MODEL_TOO_LONG)
		return NULL;
	return pstrdup(call->error.message);
}

/*
 * generate(model text, prompts text[], options jsonb): a row for each, in their order;
 * one that the model does not take has an error instead of a text.
 */
Datum
gpuscan_generate_array(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RegisteredModel *registered;
	Writing    *writing;
	Datum	   *prompts;
	bool	   *missing;
	char	  **errors;
	int		   *number;			/* among those that are generated, or -1 */
	TokenList **tokens;
	int			n;
	int			nadded = 0;
	size_t		same = 0;
	const TokenList *first = NULL;
	ModelCall	call;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &prompts, &missing, &n);
	writing = gpuscan_begin_writing(CurrentMemoryContext, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), WRITING_PROMPT, NULL, TOGETHER);
	errors = palloc0_array(char *, n + 1);
	number = palloc_array(int, n + 1);
	tokens = palloc0_array(TokenList *, n + 1);
	for (int i = 0; i < n; i++)
		if (!missing[i])
		{
			size_t		len;
			const char *prompt = gpuscan_model_input(DatumGetTextPP(prompts[i]), "", &len);

			tokens[i] = gpuscan_token_list();
			model_call_begin(&call);
			if (!gpuscan_prompt_tokens(writing, prompt, len, tokens[i], &call))
				gpuscan_prompt_failed(writing, &call);
			same = first ? gpuscan_tokens_in_common(first->ids, same, tokens[i]->ids, tokens[i]->n) : tokens[i]->n;
			first = first ? first : tokens[i];
		}
	model_call_begin(&call);
	if (n > 1 && same >= WRITING_WORTH_KEEPING && same < language_info(writing->language)->context &&
		!generation_keep(writing->generation, first->ids, same, &call.progress, &call.error))
		model_call_failed(&call, writing->name);
	for (int i = 0; i < n; i++)
	{
		number[i] = -1;
		if (missing[i])
			continue;
		model_call_begin(&call);
		if (generation_add(writing->generation, tokens[i]->ids, tokens[i]->n, gpuscan_writing_stream(writing), &call.error))
			number[i] = nadded++;
		else if ((errors[i] = refusal(&call)) == NULL)
			model_call_failed(&call, writing->name);
	}
	model_call_begin(&call);
	while (nadded > 0 && gpuscan_writing_step(writing, &call))
		;
	for (int i = 0; i < n; i++)
	{
		Datum		values[6] = {Int32GetDatum(i + 1)};
		bool		nulls[6] = {false, true, true, true, true, true};

		if (number[i] >= 0)
		{
			const GenerationText generated = generation_text(writing->generation, (size_t) number[i]);

			values[1] = PointerGetDatum(gpuscan_written_text(&generated));
			values[2] = CStringGetTextDatum(finish_reason(generated.finish));
			values[3] = Int32GetDatum((int32) generated.prompt_tokens);
			values[4] = Int32GetDatum((int32) generated.tokens);
			nulls[1] = nulls[2] = nulls[3] = nulls[4] = false;
		}
		else if (errors[i])
		{
			values[5] = CStringGetTextDatum(errors[i]);
			nulls[5] = false;
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextDelete(writing->context);
	return (Datum) 0;
}
