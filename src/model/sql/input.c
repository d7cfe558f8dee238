/*-------------------------------------------------------------------------
 *
 * input.c
 *	  Texts and options as SQL gives them, for the library.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/sql/input.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

const char *
gpuscan_model_input(text *input, const char *prefix, size_t *len)
{
	const char *bytes = VARDATA_ANY(input);
	int			n = VARSIZE_ANY_EXHDR(input);
	const char *utf8;

	if (prefix[0] != '\0')
	{
		bytes = psprintf("%s%.*s", prefix, n, bytes);
		n += (int) strlen(prefix);
	}
	utf8 = pg_server_to_any(bytes, n, PG_UTF8);
	*len = utf8 == bytes ? (size_t) n : strlen(utf8);
	return utf8;
}

text *
gpuscan_model_output(const char *utf8, size_t len)
{
	const char *bytes = pg_any_to_server(utf8, (int) len, PG_UTF8);

	return bytes == utf8 ? cstring_to_text_with_len(utf8, (int) len) : cstring_to_text(bytes);
}

static void
free_tokens(void *list)
{
	free(((TokenList *) list)->ids);
	free(((TokenList *) list)->at);
}

TokenList *
gpuscan_token_list(void)
{
	TokenList  *list = palloc0_object(TokenList);
	MemoryContextCallback *callback = palloc0_object(MemoryContextCallback);

	callback->func = free_tokens;
	callback->arg = list;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return list;
}

static void
unknown_option(const char *name, int len, const ModelOption *known, int n)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < n; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", known[i].name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%.*s\"", len, name),
					errhint("Options are: %s.", names.data)));
}

static double
number_of(const ModelOption *known, const JsonbValue *value)
{
	double		number;

	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not a number", known->name)));
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number >= known->least && number <= known->most))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is out of range", known->name),
						errdetail("It is %g to %g.", known->least, known->most)));
	if (known->type == MODEL_OPTION_INT && number != floor(number))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not a whole number", known->name)));
	return number;
}

static void
add_text(const ModelOption *known, const JsonbValue *value, ModelOptionValue *to)
{
	const char *bytes = value->val.string.val;

	if (value->type != jbvString)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not a string%s", known->name,
																		  known->type == MODEL_OPTION_TEXTS ? ", or an array of strings" : "")));
	to->texts = to->texts ? repalloc(to->texts, (to->ntexts + 1) * sizeof *to->texts) : palloc_array(char *, 1);
	/* a copy, ended by a zero, for the conversion may give the same bytes back */
	bytes = pnstrdup(bytes, value->val.string.len);
	to->texts[to->ntexts++] = pg_server_to_any(bytes, value->val.string.len, PG_UTF8);
}

static void
read_value(const ModelOption *known, const JsonbValue *value, ModelOptionValue *to)
{
	to->given = true;
	switch (known->type)
	{
		case MODEL_OPTION_BOOL:
			if (value->type != jbvBool)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not true or false", known->name)));
			to->boolean = value->val.boolean;
			break;
		case MODEL_OPTION_INT:
		case MODEL_OPTION_FLOAT:
			to->number = number_of(known, value);
			break;
		case MODEL_OPTION_TEXT:
		case MODEL_OPTION_TEXTS:
			add_text(known, value, to);
			break;
	}
}

/* The elements of an array, which only one type may have */
static void
read_array(const ModelOption *known, JsonbContainer *array, ModelOptionValue *to)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;

	to->given = true;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			add_text(known, &value, to);
}

void
gpuscan_read_model_options(Jsonb *options, const ModelOption *known, int n, ModelOptionValue *values)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			which = -1;

	if (options == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are not a JSON object")));
	it = JsonbIteratorInit(&options->root);
	/* what is within a value comes as a whole */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			for (which = 0; which < n; which++)
				if (strlen(known[which].name) == (size_t) value.val.string.len &&
					memcmp(known[which].name, value.val.string.val, value.val.string.len) == 0)
					break;
			if (which == n)
				unknown_option(value.val.string.val, value.val.string.len, known, n);
		}
		else if (token == WJB_VALUE && value.type == jbvBinary && known[which].type == MODEL_OPTION_TEXTS &&
				 JsonContainerIsArray(value.val.binary.data))
			read_array(&known[which], value.val.binary.data, &values[which]);
		else if (token == WJB_VALUE)
			read_value(&known[which], &value, &values[which]);
	}
}
