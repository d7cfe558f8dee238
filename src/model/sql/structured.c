/*-------------------------------------------------------------------------
 *
 * structured.c
 *	  Answers of a form that is given: generate_json, classify, ask.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/sql/input.h"
#include "model/sql/writing.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_generate_json);
PG_FUNCTION_INFO_V1(gpuscan_classify);
PG_FUNCTION_INFO_V1(gpuscan_ask);

static Jsonb *
options_of(FunctionCallInfo fcinfo, int argument)
{
	return PG_NARGS() <= argument || PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

/* generate_json(model text, prompt text, schema json, options jsonb) */
Datum
gpuscan_generate_json(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered;
	Writing    *writing;
	TokenList  *tokens;
	GenerationText generated;
	ModelCall	call;
	const char *prompt;
	size_t		len;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	writing = gpuscan_writing_of(fcinfo, registered, options_of(fcinfo, 3), WRITING_VALUE, PG_GETARG_TEXT_PP(2));
	tokens = gpuscan_token_list();
	model_call_begin(&call);
	prompt = gpuscan_model_input(PG_GETARG_TEXT_PP(1), "", &len);
	if (!gpuscan_prompt_tokens(writing, prompt, len, tokens, &call))
		gpuscan_prompt_failed(writing, &call);
	generated = gpuscan_write_one(writing, tokens, &call);
	if (generated.finish != GENERATION_STOP)
		ereport(ERROR, (errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
						errmsg("model \"%s\": the value was not complete after %u tokens", writing->name, generated.tokens),
						errhint("Raise the option \"max_tokens\", or let the schema bound strings and arrays by \"maxLength\" and \"maxItems\".")));
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(gpuscan_written_text(&generated)))));
}

/* ------------------------------------------------------------------------
 * Which of some answers
 * ------------------------------------------------------------------------
 */

/* In UTF-8, as the library takes them */
static const char *
to_utf8(const char *string)
{
	return pg_server_to_any(string, (int) strlen(string), PG_UTF8);
}

/* What a prompt that no template frames ends with, so that an answer comes next */
#define BEFORE_ANSWER	"\n\nAnswer:"

/*
 * The tokens of an answer as it stands behind the prompt: at the beginning of the model's
 * turn, or behind a word, where a blank and what follows is often one token.
 */
static TokenList *
answer_tokens(const Writing *writing, const char *answer, ModelCall *call)
{
	Tokenizer  *tokenizer = language_tokenizer(writing->language);
	TokenList  *tokens = gpuscan_token_list();
	TokenList  *whole;
	const char *behind;

	if (gpuscan_writing_is_chat(writing))
	{
		if (!tokenizer_encode(tokenizer, answer, strlen(answer), tokens, &call->progress, &call->error))
			model_call_failed(call, writing->name);
		return tokens;
	}
	whole = gpuscan_token_list();
	behind = psprintf(BEFORE_ANSWER " %s", answer);
	if (!tokenizer_encode(tokenizer, BEFORE_ANSWER, strlen(BEFORE_ANSWER), tokens, &call->progress, &call->error) ||
		!tokenizer_encode(tokenizer, behind, strlen(behind), whole, &call->progress, &call->error))
		model_call_failed(call, writing->name);
	/* a blank ends a word of all tokenizers, so that the answer's tokens are those behind it */
	if (whole->n > tokens->n && memcmp(whole->ids, tokens->ids, tokens->n * sizeof *tokens->ids) == 0)
	{
		whole->n -= tokens->n;
		memmove(whole->ids, whole->ids + tokens->n, whole->n * sizeof *whole->ids);
	}
	return whole;
}

/* The logarithm of the probability of each answer, of UTF-8; whole: that nothing follows it */
static double *
score_answers(Writing *writing, const char *prompt, const char **answers, int n, bool whole)
{
	TokenList  *tokens = gpuscan_token_list();
	const TokenList **answered = palloc_array(const TokenList *, n);
	double	   *scores = palloc0_array(double, n);
	ModelCall	call;

	model_call_begin(&call);
	if (!gpuscan_writing_is_chat(writing))
		prompt = psprintf("%s" BEFORE_ANSWER, prompt);
	if (!gpuscan_prompt_tokens(writing, prompt, strlen(prompt), tokens, &call))
		gpuscan_prompt_failed(writing, &call);
	for (int i = 0; i < n; i++)
		answered[i] = answer_tokens(writing, answers[i], &call);
	gpuscan_keep_common_beginning(writing, tokens, &call);
	if (!generation_score(writing->generation, tokens->ids, tokens->n, answered, (size_t) n, whole, scores, &call.progress, &call.error))
		model_call_failed(&call, writing->name);
	gpuscan_count_passes(writing->model, 1);
	return scores;
}

/* What the model is asked, in UTF-8: what is the same for all rows comes first, and is computed once. */
static const char *
question_of(const char *instruction, const char *input)
{
	return input ? psprintf("%s\n\n%s", instruction, input) : instruction;
}

static const char *
input_of(text *input)
{
	size_t		len;
	const char *utf8 = gpuscan_model_input(input, "", &len);

	return pnstrdup(utf8, len);
}

typedef struct Label
{
	Datum		name;
	double		score;
	int			index;
} Label;

/* The likeliest first */
static int
by_score(const void *a, const void *b)
{
	const Label *left = a,
			   *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

/* ERROR unless they are different texts, of which none is empty */
static const char **
read_labels(Datum *labels, const bool *missing, int n)
{
	const char **names = palloc_array(const char *, Max(n, 1));

	if (n < 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there must be at least two labels")));
	for (int i = 0; i < n; i++)
	{
		if (missing[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a label is null")));
		names[i] = to_utf8(text_to_cstring(DatumGetTextPP(labels[i])));
		if (names[i][0] == '\0')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a label is empty")));
		for (int j = 0; j < i; j++)
			if (strcmp(names[i], names[j]) == 0)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a label is there twice"),
								errdetail("It is \"%s\".", text_to_cstring(DatumGetTextPP(labels[i])))));
	}
	return names;
}

/*
 * classify(model text, input text, labels text[], options jsonb): each label with the
 * probability that it is the model's answer, given that the answer is one of them.
 */
Datum
gpuscan_classify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RegisteredModel *registered;
	Writing    *writing;
	Datum	   *labels;
	bool	   *missing;
	int			n;
	const char **names;
	double	   *scores;
	Label	   *ranked;
	double		sum = 0;
	StringInfoData instruction;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &labels, &missing, &n);
	names = read_labels(labels, missing, n);
	writing = gpuscan_writing_of(fcinfo, registered, options_of(fcinfo, 3), WRITING_LABEL, NULL);
	initStringInfo(&instruction);
	appendStringInfoString(&instruction, writing->options.instruction ? writing->options.instruction : "Which of these labels fits the text best?");
	appendStringInfoString(&instruction, " Answer with the label alone.\nLabels:");
	for (int i = 0; i < n; i++)
		appendStringInfo(&instruction, "%s %s", i > 0 ? "," : "", names[i]);
	scores = score_answers(writing, question_of(instruction.data, psprintf("Text: %s", input_of(PG_GETARG_TEXT_PP(1)))), names, n, true);

	ranked = palloc_array(Label, n);
	for (int i = 0; i < n; i++)
		ranked[i] = (Label) {labels[i], scores[i], i};
	qsort(ranked, (size_t) n, sizeof *ranked, by_score);
	for (int i = 0; i < n; i++)
		sum += exp(ranked[i].score - ranked[0].score);
	for (int i = 0; i < n; i++)
	{
		Datum		row[] = {ranked[i].name, Float8GetDatum(exp(ranked[i].score - ranked[0].score) / sum)};
		bool		nulls[lengthof(row)] = {0};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}

/* ask(model text, question text [, input text, options jsonb]): is yes a likelier answer than no? */
Datum
gpuscan_ask(PG_FUNCTION_ARGS)
{
	/* models differ in how they write it */
	const char *answers[] = {"Yes", "yes", "No", "no"};
	RegisteredModel *registered;
	Writing    *writing;
	const char *instruction;
	double	   *scores;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || (PG_NARGS() > 2 && PG_ARGISNULL(2)))
		PG_RETURN_NULL();
	registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	writing = gpuscan_writing_of(fcinfo, registered, options_of(fcinfo, 3), WRITING_LABEL, NULL);
	instruction = psprintf("%s %s", input_of(PG_GETARG_TEXT_PP(1)), writing->options.instruction ? writing->options.instruction : "Answer with yes or no.");
	scores = score_answers(writing, question_of(instruction, PG_NARGS() > 2 ? psprintf("Text: %s", input_of(PG_GETARG_TEXT_PP(2))) : NULL),
						   answers, lengthof(answers), false);
	PG_RETURN_BOOL(exp(scores[0]) + exp(scores[1]) > exp(scores[2]) + exp(scores[3]));
}
