/*-------------------------------------------------------------------------
 *
 * writing.c
 *	  See writing.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "model/sql/input.h"
#include "model/sql/writing.h"
#include "utils/memutils.h"

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
	OPTION_INSTRUCTION,
	OPTIONS
} OptionIndex;

#define KIND(kind)		(1u << (kind))
#define KINDS_WRITTEN	(KIND(WRITING_PROMPT) | KIND(WRITING_CONVERSATION) | KIND(WRITING_VALUE))
#define KINDS_PROMPTED	(KIND(WRITING_PROMPT) | KIND(WRITING_VALUE) | KIND(WRITING_LABEL))

static const struct
{
	ModelOption option;
	unsigned	kinds;
} known_options[OPTIONS] = {
	[OPTION_MAX_TOKENS] = {{"max_tokens", MODEL_OPTION_INT, 1, 1 << 24}, KINDS_WRITTEN},
	[OPTION_TEMPERATURE] = {{"temperature", MODEL_OPTION_FLOAT, 0, 100}, KINDS_WRITTEN},
	[OPTION_TOP_K] = {{"top_k", MODEL_OPTION_INT, 0, 1 << 24}, KINDS_WRITTEN},
	[OPTION_TOP_P] = {{"top_p", MODEL_OPTION_FLOAT, 0, 1}, KINDS_WRITTEN},
	[OPTION_MIN_P] = {{"min_p", MODEL_OPTION_FLOAT, 0, 1}, KINDS_WRITTEN},
	[OPTION_REPEAT_PENALTY] = {{"repeat_penalty", MODEL_OPTION_FLOAT, 0.01, 100}, KINDS_WRITTEN},
	[OPTION_SEED] = {{"seed", MODEL_OPTION_INT, 0, 9007199254740992.0}, KINDS_WRITTEN},
	[OPTION_STOP] = {{.name = "stop", .type = MODEL_OPTION_TEXTS}, KIND(WRITING_PROMPT) | KIND(WRITING_CONVERSATION)},
	[OPTION_RAW] = {{.name = "raw", .type = MODEL_OPTION_BOOL}, KINDS_PROMPTED},
	[OPTION_SYSTEM] = {{.name = "system", .type = MODEL_OPTION_TEXT}, KINDS_PROMPTED},
	[OPTION_INSTRUCTION] = {{.name = "instruction", .type = MODEL_OPTION_TEXT}, KIND(WRITING_LABEL)},
};

/* Those that this kind of question has; the others are unknown */
static void
read_known_options(Jsonb *options, WritingKind kind, ModelOptionValue *values)
{
	ModelOption known[OPTIONS];
	ModelOptionValue given[OPTIONS] = {0};
	int			index[OPTIONS];
	int			n = 0;

	for (int i = 0; i < OPTIONS; i++)
		if (known_options[i].kinds & KIND(kind))
		{
			known[n] = known_options[i].option;
			index[n++] = i;
		}
	gpuscan_read_model_options(options, known, n, given);
	for (int i = 0; i < n; i++)
		values[index[i]] = given[i];
}

static double
number_or(const ModelOptionValue *value, double otherwise)
{
	return value->given ? value->number : otherwise;
}

/* What it has is in the current memory context. */
static WritingOptions
read_options(Jsonb *options, WritingKind kind)
{
	ModelOptionValue values[OPTIONS] = {0};
	WritingOptions read = {0};
	SamplerOptions *sampler = &read.generation.sampler;
	size_t	   *lengths;

	read_known_options(options, kind, values);
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
	read.instruction = values[OPTION_INSTRUCTION].given ? values[OPTION_INSTRUCTION].texts[0] : NULL;
	if (read.raw && read.system)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options \"raw\" and \"system\" exclude each other")));
	return read;
}

/* ------------------------------------------------------------------------
 * A model at work
 * ------------------------------------------------------------------------
 */

static void
end_writing(void *arg)
{
	Writing    *writing = arg;

	generation_end(writing->generation);
	json_schema_close(writing->compiled);
	free(writing->previous);
	gpuscan_let_go_model(writing->model);
}

/* The schema, compiled */
static void
read_schema(Writing *writing, text *schema)
{
	ModelError	error = {0};
	size_t		len;
	const char *utf8;

	writing->schema = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(schema));
	utf8 = gpuscan_model_input(writing->schema, "", &len);
	writing->compiled = json_schema_open(utf8, len, &error);
	if (writing->compiled == NULL)
		ereport(ERROR, (errcode(error.kind == MODEL_NO_MEMORY ? ERRCODE_OUT_OF_MEMORY :
								error.kind == MODEL_UNSUPPORTED ? ERRCODE_FEATURE_NOT_SUPPORTED : ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s", error.message)));
	writing->options.generation.schema = writing->compiled;
}

Writing *
gpuscan_begin_writing(MemoryContext parent, const RegisteredModel *registered, Jsonb *options, WritingKind kind, text *schema, uint32 together)
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
	writing->options = read_options(writing->given, kind);
	writing->options.generation.together = together;
	writing->model = model;
	writing->language = language;
	callback->func = end_writing;
	callback->arg = writing;
	gpuscan_hold_model(model);
	MemoryContextRegisterResetCallback(context, callback);
	if (schema)
		read_schema(writing, schema);
	model_call_begin(&call);
	writing->generation = generation_begin(language, &writing->options.generation, &call.error);
	if (writing->generation == NULL)
		model_call_failed(&call, writing->name);
	MemoryContextSwitchTo(old);
	return writing;
}

static bool
same_schema(const text *a, text *b)
{
	return (a == NULL) == (b == NULL) &&
		(a == NULL || (VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) && memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0));
}

/* Would gpuscan_begin_writing() give the same? */
static bool
writing_fits(const Writing *writing, const RegisteredModel *registered, const Jsonb *options, text *schema)
{
	/* a model whose file has changed is loaded anew */
	return writing->model == gpuscan_load_model(registered) && writing->model_hash == registered->options_hash &&
		(writing->given == NULL) == (options == NULL) &&
		(options == NULL || (VARSIZE(writing->given) == VARSIZE(options) && memcmp(writing->given, options, VARSIZE(options)) == 0)) &&
		same_schema(writing->schema, schema);
}

void
gpuscan_prompt_failed(const Writing *writing, const ModelCall *call)
{
	if (call->error.kind == MODEL_UNSUPPORTED && language_info(writing->language)->family == CHAT_FAMILIES)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("model \"%s\": %s", writing->name, call->error.message),
						errhint("Name the template's family by the server's option \"chat_template\", or let generate() continue a prompt with {\"raw\": true}.")));
	model_call_failed(call, writing->name);
}

bool
gpuscan_writing_is_chat(const Writing *writing)
{
	return !writing->options.raw && (language_info(writing->language)->has_template || writing->options.system);
}

bool
gpuscan_prompt_tokens(const Writing *writing, const char *prompt, size_t len, TokenList *tokens, ModelCall *call)
{
	ChatMessage messages[2];
	size_t		n = 0;

	if (!gpuscan_writing_is_chat(writing))
		return language_plain_prompt(writing->language, prompt, len, tokens, &call->progress, &call->error);
	if (writing->options.system)
		messages[n++] = (ChatMessage) {CHAT_SYSTEM, writing->options.system, strlen(writing->options.system)};
	messages[n++] = (ChatMessage) {CHAT_USER, prompt, len};
	return language_chat_prompt(writing->language, messages, n, true, tokens, &call->progress, &call->error);
}

uint64
gpuscan_writing_stream(const Writing *writing)
{
	uint64		stream = 0;

	if (!writing->options.seeded && !pg_strong_random(&stream, sizeof stream))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	return stream;
}

bool
gpuscan_writing_step(Writing *writing, ModelCall *call)
{
	bool		going;

	if (!generation_step(writing->generation, &going, &call->progress, &call->error))
		model_call_failed(call, writing->name);
	gpuscan_count_passes(writing->model, 1);
	return going;
}

size_t
gpuscan_tokens_in_common(const int32_t *a, size_t na, const int32_t *b, size_t nb)
{
	size_t		n = 0;

	while (n < na && n < nb && a[n] == b[n])
		n++;
	return n;
}

void
gpuscan_keep_common_beginning(Writing *writing, const TokenList *tokens, ModelCall *call)
{
	const size_t same = gpuscan_tokens_in_common(writing->previous, writing->nprevious, tokens->ids, tokens->n);
	int32_t    *copy;

	if (same >= WRITING_WORTH_KEEPING && !generation_keep(writing->generation, tokens->ids, same, &call->progress, &call->error))
		model_call_failed(call, writing->name);
	copy = malloc(tokens->n * sizeof *copy);
	if (copy == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	memcpy(copy, tokens->ids, tokens->n * sizeof *copy);
	free(writing->previous);
	writing->previous = copy;
	writing->nprevious = tokens->n;
}

GenerationText
gpuscan_write_one(Writing *writing, const TokenList *tokens, ModelCall *call)
{
	gpuscan_keep_common_beginning(writing, tokens, call);
	generation_reset(writing->generation);
	if (!generation_add(writing->generation, tokens->ids, tokens->n, gpuscan_writing_stream(writing), &call->error))
		model_call_failed(call, writing->name);
	while (gpuscan_writing_step(writing, call))
		;
	return generation_text(writing->generation, 0);
}

Writing *
gpuscan_writing_of(FunctionCallInfo fcinfo, const RegisteredModel *registered, Jsonb *options, WritingKind kind, text *schema)
{
	Writing    *writing = fcinfo->flinfo->fn_extra;

	if (writing == NULL || !writing_fits(writing, registered, options, schema))
	{
		fcinfo->flinfo->fn_extra = NULL;
		if (writing)
			MemoryContextDelete(writing->context);
		fcinfo->flinfo->fn_extra = writing = gpuscan_begin_writing(fcinfo->flinfo->fn_mcxt, registered, options, kind, schema, 1);
	}
	return writing;
}

text *
gpuscan_written_text(const GenerationText *generated)
{
	return gpuscan_model_output(generated->text ? generated->text : "", generated->len);
}
