/*-------------------------------------------------------------------------
 *
 * generate.c
 *	  generate, generate_stream, chat: texts that a model goes on with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/generation.h"
#include "model/sql/chat.h"
#include "model/sql/input.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_generate);
PG_FUNCTION_INFO_V1(gpuscan_generate_array);
PG_FUNCTION_INFO_V1(gpuscan_generate_stream);
PG_FUNCTION_INFO_V1(gpuscan_chat);

/* Texts of an array that go on together */
#define TOGETHER		16
/* Tokens that prompts have in common before it pays to keep them */
#define WORTH_KEEPING	16

/* ------------------------------------------------------------------------
 * Options
 * ------------------------------------------------------------------------
 */

typedef enum OptionIndex
{
	OPTION_MAX_TOKENS,
	OPTION_TEMPERATURE,
	OPTION_TOP_K,
	OPTION_TOP_P,
	OPTION_MIN_P,
	OPTION_REPEAT_PENALTY,
	OPTION_SEED,
	OPTION_STOP,
	OPTION_RAW,
	OPTION_SYSTEM,
	OPTIONS
} OptionIndex;

static const ModelOption known_options[OPTIONS] = {
	[OPTION_MAX_TOKENS] = {"max_tokens", MODEL_OPTION_INT, 1, 1 << 24},
	[OPTION_TEMPERATURE] = {"temperature", MODEL_OPTION_FLOAT, 0, 100},
	[OPTION_TOP_K] = {"top_k", MODEL_OPTION_INT, 0, 1 << 24},
	[OPTION_TOP_P] = {"top_p", MODEL_OPTION_FLOAT, 0, 1},
	[OPTION_MIN_P] = {"min_p", MODEL_OPTION_FLOAT, 0, 1},
	[OPTION_REPEAT_PENALTY] = {"repeat_penalty", MODEL_OPTION_FLOAT, 0.01, 100},
	[OPTION_SEED] = {"seed", MODEL_OPTION_INT, 0, 9007199254740992.0},
	[OPTION_STOP] = {.name = "stop", .type = MODEL_OPTION_TEXTS},
	[OPTION_RAW] = {.name = "raw", .type = MODEL_OPTION_BOOL},
	[OPTION_SYSTEM] = {.name = "system", .type = MODEL_OPTION_TEXT},
};

typedef struct WritingOptions
{
	GenerationOptions generation;
	bool		raw;			/* prompts are continued as they stand */
	const char *system;			/* a message before the prompt, or NULL */
	bool		seeded;
} WritingOptions;

static double
number_or(const ModelOptionValue *value, double otherwise)
{
	return value->given ? value->number : otherwise;
}

/* What it has is in the current memory context.  conversation: options that are about prompts make no sense */
static WritingOptions
read_options(Jsonb *options, bool conversation)
{
	ModelOptionValue values[OPTIONS] = {0};
	WritingOptions read = {0};
	SamplerOptions *sampler = &read.generation.sampler;
	size_t	   *lengths;

	gpuscan_read_model_options(options, known_options, conversation ? OPTION_RAW : OPTIONS, values);
	read.generation.max_tokens = (uint32_t) number_or(&values[OPTION_MAX_TOKENS], 256);
	sampler->temperature = (float) number_or(&values[OPTION_TEMPERATURE], 0);
	sampler->top_k = (uint32_t) number_or(&values[OPTION_TOP_K], 0);
	sampler->top_p = (float) number_or(&values[OPTION_TOP_P], 1);
	sampler->min_p = (float) number_or(&values[OPTION_MIN_P], 0);
	sampler->repeat_penalty = (float) number_or(&values[OPTION_REPEAT_PENALTY], 1);
	sampler->seed = (uint64_t) number_or(&values[OPTION_SEED], 0);
	read.seeded = values[OPTION_SEED].given;
	read.generation.nstops = (size_t) values[OPTION_STOP].ntexts;
	read.generation.stops = (const char *const *) values[OPTION_STOP].texts;
	read.generation.stop_lengths = lengths = palloc_array(size_t, read.generation.nstops + 1);
	for (size_t i = 0; i < read.generation.nstops; i++)
		if ((lengths[i] = strlen(read.generation.stops[i])) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"stop\" has an empty string")));
	read.generation.memory = (size_t) gpuscan_generation_memory * 1024;
	read.raw = values[OPTION_RAW].boolean;
	read.system = values[OPTION_SYSTEM].given ? values[OPTION_SYSTEM].texts[0] : NULL;
	if (read.raw && read.system)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options \"raw\" and \"system\" exclude each other")));
	return read;
}

/* ------------------------------------------------------------------------
 * A model at work
 * ------------------------------------------------------------------------
 */

/* Lives in a memory context of its own, with which the library's part is given back. */
typedef struct Writing
{
	MemoryContext context;
	const char *name;			/* of the model */
	LoadedModel *model;
	uint32		model_hash;		/* of the model's options */
	Jsonb	   *given;			/* the options, or NULL */
	WritingOptions options;
	Language   *language;
	Generation *generation;
	int32_t    *previous;		/* the last prompt's tokens, malloc'ed */
	size_t		nprevious;
} Writing;

static void
end_writing(void *arg)
{
	Writing    *writing = arg;

	generation_end(writing->generation);
	free(writing->previous);
	gpuscan_let_go_model(writing->model);
}

static Writing *
begin_writing(MemoryContext parent, const RegisteredModel *registered, Jsonb *options, uint32_t together, bool conversation)
{
	LoadedModel *model = gpuscan_load_model(registered);
	Language   *language = gpuscan_loaded_language(model);
	const MemoryContext context = AllocSetContextCreate(parent, "gpuscan generate", ALLOCSET_SMALL_SIZES);
	const MemoryContext old = MemoryContextSwitchTo(context);
	Writing    *writing = palloc0_object(Writing);
	MemoryContextCallback *callback = palloc0_object(MemoryContextCallback);
	ModelCall	call;

	writing->context = context;
	writing->name = pstrdup(registered->name);
	writing->model_hash = registered->options_hash;
	writing->given = options ? (Jsonb *) PG_DETOAST_DATUM_COPY(PointerGetDatum(options)) : NULL;
	writing->options = read_options(writing->given, conversation);
	writing->options.generation.together = together;
	writing->model = model;
	writing->language = language;
	callback->func = end_writing;
	callback->arg = writing;
	gpuscan_hold_model(model);
	MemoryContextRegisterResetCallback(context, callback);
	model_call_begin(&call);
	writing->generation = generation_begin(language, &writing->options.generation, &call.error);
	if (writing->generation == NULL)
		model_call_failed(&call, writing->name);
	MemoryContextSwitchTo(old);
	return writing;
}

/* Would begin_writing() give the same? */
static bool
writing_fits(const Writing *writing, const RegisteredModel *registered, const Jsonb *options)
{
	/* a model whose file has changed is loaded anew */
	return writing->model == gpuscan_load_model(registered) && writing->model_hash == registered->options_hash &&
		(writing->given == NULL) == (options == NULL) &&
		(options == NULL || (VARSIZE(writing->given) == VARSIZE(options) && memcmp(writing->given, options, VARSIZE(options)) == 0));
}

/* As model_call_failed(), with what may be done about it */
static void
prompt_failed(const Writing *writing, const ModelCall *call)
{
	if (call->error.kind == MODEL_UNSUPPORTED && language_info(writing->language)->family == CHAT_FAMILIES)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("model \"%s\": %s", writing->name, call->error.message),
						errhint("Name the template's family by the server's option \"chat_template\", or let generate() continue a prompt with {\"raw\": true}.")));
	model_call_failed(call, writing->name);
}

/* Tokens of a prompt: as a user's message where the model has a template */
static bool
prompt_tokens(const Writing *writing, text *prompt, TokenList *tokens, ModelCall *call)
{
	const LanguageInfo *info = language_info(writing->language);
	ChatMessage messages[2];
	size_t		n = 0;
	size_t		len;
	const char *utf8 = gpuscan_model_input(prompt, "", &len);

	if (writing->options.raw || (!info->has_template && !writing->options.system))
		return language_plain_prompt(writing->language, utf8, len, tokens, &call->progress, &call->error);
	if (writing->options.system)
		messages[n++] = (ChatMessage) {CHAT_SYSTEM, writing->options.system, strlen(writing->options.system)};
	messages[n++] = (ChatMessage) {CHAT_USER, utf8, len};
	return language_chat_prompt(writing->language, messages, n, true, tokens, &call->progress, &call->error);
}

/* Random numbers of a text: of a seed always the same, else always others */
static uint64_t
stream_of(const Writing *writing)
{
	uint64_t	stream = 0;

	if (!writing->options.seeded && !pg_strong_random(&stream, sizeof stream))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	return stream;
}

static bool
step(Writing *writing, ModelCall *call)
{
	bool		going;

	if (!generation_step(writing->generation, &going, &call->progress, &call->error))
		model_call_failed(call, writing->name);
	gpuscan_count_passes(writing->model, 1);
	return going;
}

static size_t
in_common(const int32_t *a, size_t na, const int32_t *b, size_t nb)
{
	size_t		n = 0;

	while (n < na && n < nb && a[n] == b[n])
		n++;
	return n;
}

/* What the prompts of one row and the next begin with is computed once. */
static void
keep_common_beginning(Writing *writing, const TokenList *tokens, ModelCall *call)
{
	const size_t same = in_common(writing->previous, writing->nprevious, tokens->ids, tokens->n);
	int32_t    *copy;

	if (same >= WORTH_KEEPING && !generation_keep(writing->generation, tokens->ids, same, &call->progress, &call->error))
		model_call_failed(call, writing->name);
	copy = malloc(tokens->n * sizeof *copy);
	if (copy == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	memcpy(copy, tokens->ids, tokens->n * sizeof *copy);
	free(writing->previous);
	writing->previous = copy;
	writing->nprevious = tokens->n;
}

/* The text behind a prompt's tokens */
static GenerationText
write_one(Writing *writing, const TokenList *tokens, ModelCall *call)
{
	keep_common_beginning(writing, tokens, call);
	generation_reset(writing->generation);
	if (!generation_add(writing->generation, tokens->ids, tokens->n, stream_of(writing), &call->error))
		model_call_failed(call, writing->name);
	while (step(writing, call))
		;
	return generation_text(writing->generation, 0);
}

/* That of this place in a query, so that rows whose prompts begin alike are quick */
static Writing *
writing_of(FunctionCallInfo fcinfo, const RegisteredModel *registered, Jsonb *options, bool conversation)
{
	Writing    *writing = fcinfo->flinfo->fn_extra;

	if (writing == NULL || !writing_fits(writing, registered, options))
	{
		fcinfo->flinfo->fn_extra = NULL;
		if (writing)
			MemoryContextDelete(writing->context);
		fcinfo->flinfo->fn_extra = writing = begin_writing(fcinfo->flinfo->fn_mcxt, registered, options, 1, conversation);
	}
	return writing;
}

static text *
text_of(const GenerationText *generated)
{
	return gpuscan_model_output(generated->text ? generated->text : "", generated->len);
}

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

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	writing = writing_of(fcinfo, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), false);
	tokens = gpuscan_token_list();
	model_call_begin(&call);
	if (!prompt_tokens(writing, PG_GETARG_TEXT_PP(1), tokens, &call))
		prompt_failed(writing, &call);
	generated = write_one(writing, tokens, &call);
	PG_RETURN_TEXT_P(text_of(&generated));
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
	writing = writing_of(fcinfo, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), true);
	tokens = gpuscan_token_list();
	model_call_begin(&call);
	if (!language_chat_prompt(writing->language, messages, n, true, tokens, &call.progress, &call.error))
		prompt_failed(writing, &call);
	generated = write_one(writing, tokens, &call);
	content = text_of(&generated);

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
	writing = begin_writing(CurrentMemoryContext, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), TOGETHER, false);
	errors = palloc0_array(char *, n + 1);
	number = palloc_array(int, n + 1);
	tokens = palloc0_array(TokenList *, n + 1);
	for (int i = 0; i < n; i++)
		if (!missing[i])
		{
			tokens[i] = gpuscan_token_list();
			model_call_begin(&call);
			if (!prompt_tokens(writing, DatumGetTextPP(prompts[i]), tokens[i], &call))
				prompt_failed(writing, &call);
			same = first ? in_common(first->ids, same, tokens[i]->ids, tokens[i]->n) : tokens[i]->n;
			first = first ? first : tokens[i];
		}
	model_call_begin(&call);
	if (n > 1 && same >= WORTH_KEEPING && same < language_info(writing->language)->context &&
		!generation_keep(writing->generation, first->ids, same, &call.progress, &call.error))
		model_call_failed(&call, writing->name);
	for (int i = 0; i < n; i++)
	{
		number[i] = -1;
		if (missing[i])
			continue;
		model_call_begin(&call);
		if (generation_add(writing->generation, tokens[i]->ids, tokens[i]->n, stream_of(writing), &call.error))
			number[i] = nadded++;
		else if ((errors[i] = refusal(&call)) == NULL)
			model_call_failed(&call, writing->name);
	}
	model_call_begin(&call);
	while (nadded > 0 && step(writing, &call))
		;
	for (int i = 0; i < n; i++)
	{
		Datum		values[6] = {Int32GetDatum(i + 1)};
		bool		nulls[6] = {false, true, true, true, true, true};

		if (number[i] >= 0)
		{
			const GenerationText generated = generation_text(writing->generation, (size_t) number[i]);

			values[1] = PointerGetDatum(text_of(&generated));
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

/* ------------------------------------------------------------------------
 * A text as it comes
 * ------------------------------------------------------------------------
 */

typedef struct Stream
{
	Writing    *writing;
	size_t		given;			/* bytes of the text that were returned */
	bool		going;
} Stream;

/*
 * generate_stream(model text, prompt text, options jsonb): parts of the text, each as
 * soon as it is certain.  Who stops asking stops the model.
 */
Datum
gpuscan_generate_stream(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	Stream	   *stream;
	ModelCall	call;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		funcctx->user_fctx = stream = palloc0_object(Stream);
		if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		{
			RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
			TokenList  *tokens = gpuscan_token_list();

			stream->writing = begin_writing(funcctx->multi_call_memory_ctx, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), 1, false);
			model_call_begin(&call);
			if (!prompt_tokens(stream->writing, PG_GETARG_TEXT_PP(1), tokens, &call))
				prompt_failed(stream->writing, &call);
			if (!generation_add(stream->writing->generation, tokens->ids, tokens->n, stream_of(stream->writing), &call.error))
				model_call_failed(&call, stream->writing->name);
			stream->going = true;
		}
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	stream = funcctx->user_fctx;
	model_call_begin(&call);
	while (stream->writing)
	{
		const GenerationText generated = generation_text(stream->writing->generation, 0);

		if (generated.len > stream->given)
		{
			text	   *part = gpuscan_model_output(generated.text + stream->given, generated.len - stream->given);

			stream->given = generated.len;
			SRF_RETURN_NEXT(funcctx, PointerGetDatum(part));
		}
		if (!stream->going)
			break;
		stream->going = step(stream->writing, &call);
	}
	SRF_RETURN_DONE(funcctx);
}
