/*-------------------------------------------------------------------------
 *
 * input.c
 *	  Texts and options as SQL gives them, for the library.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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

static void
read_option(const ModelOption *option, const JsonbValue *value, ModelOptionValue *read)
{
	read->given = true;
	switch (option->type)
	{
		case MODEL_OPTION_BOOL:
			if (value->type != jbvBool)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not true or false", option->name)));
			read->boolean = value->val.boolean;
			break;
		case MODEL_OPTION_COUNT:
			{
				const char *digits = value->type == jbvNumeric ?
					DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))) : "";
				char	   *end;
				const long	count = strtol(digits, &end, 10);

				if (*digits == '\0' || *end != '\0' || count < 1 || count > MODEL_OPTION_COUNT_MAX)
					ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
									errmsg("option \"%s\" is not a whole number from 1 to %d", option->name, MODEL_OPTION_COUNT_MAX)));
				read->count = (int) count;
				break;
			}
	}
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
		else if (token == WJB_VALUE)
		{
			read_option(&known[which], &value, &values[which]);
		}
	}
}
