/*-------------------------------------------------------------------------
 *
 * chat.c
 *	  Conversations as SQL gives them; apply_template.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/sql/chat.h"
#include "model/sql/input.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(gpuscan_apply_template);

static void
bad_messages(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("messages are not as they should be: %s", what),
					errhint("They are a JSON array of objects with \"role\" (\"system\", \"user\" or \"assistant\") and \"content\" (a string).")));
}

static bool
is_string(const JsonbValue *value, const char *what)
{
	return value->val.string.len == (int) strlen(what) && memcmp(value->val.string.val, what, value->val.string.len) == 0;
}

static ChatRole
role_of(const JsonbValue *value)
{
	if (value->type != jbvString)
		bad_messages("a role is not a string");
	if (is_string(value, "system"))
		return CHAT_SYSTEM;
	if (is_string(value, "user"))
		return CHAT_USER;
	if (!is_string(value, "assistant"))
		bad_messages("a role is not known");
	return CHAT_ASSISTANT;
}

static ChatMessage
message_of(JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	ChatMessage message = {0};
	bool		role = false;
	bool		is_role = false;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
		{
			is_role = is_string(&value, "role");
			if (!is_role && !is_string(&value, "content"))
				bad_messages("a message has another key");
		}
		else if (token == WJB_VALUE && is_role)
		{
			message.role = role_of(&value);
			role = true;
		}
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvString)
				bad_messages("a content is not a string");
			message.content = pg_server_to_any(pnstrdup(value.val.string.val, value.val.string.len), value.val.string.len, PG_UTF8);
			message.len = strlen(message.content);
		}
	if (!role || message.content == NULL)
		bad_messages("a message has no role or no content");
	return message;
}

ChatMessage *
gpuscan_chat_messages(Jsonb *messages, size_t *n)
{
	ChatMessage *read;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;

	*n = 0;
	if (!JB_ROOT_IS_ARRAY(messages) || JB_ROOT_IS_SCALAR(messages))
		bad_messages("they are no array");
	if (JB_ROOT_COUNT(messages) == 0)
		bad_messages("there are none");
	read = palloc_array(ChatMessage, JB_ROOT_COUNT(messages));
	it = JsonbIteratorInit(&messages->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
		{
			if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
				bad_messages("one is no object");
			read[(*n)++] = message_of(value.val.binary.data);
		}
	return read;
}

/* What stands for a token that has no name of its own here */
static const char *
name_of(const Language *language, const ChatPart *part, uint32_t *len)
{
	const Tokenizer *tokenizer = language_tokenizer(unconstify(Language *, language));
	const int32_t id = language_control(language, part->text);

	*len = (uint32_t) part->len;
	return id < 0 ? part->text : tokenizer_piece(tokenizer, id, len);
}

/* apply_template(model text, messages jsonb, add_generation_prompt bool): a conversation as the model reads it */
Datum
gpuscan_apply_template(PG_FUNCTION_ARGS)
{
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const Language *language = gpuscan_loaded_language(gpuscan_load_model(registered));
	StringInfoData result;
	ChatText	parts = {0};
	ChatMessage *messages;
	size_t		n;
	ModelCall	call;

	messages = gpuscan_chat_messages(PG_GETARG_JSONB_P(1), &n);
	model_call_begin(&call);
	if (!language_render(language, messages, n, PG_GETARG_BOOL(2), &parts, &call.error))
	{
		free(parts.parts);
		model_call_failed(&call, registered->name);
	}
	initStringInfo(&result);
	for (size_t i = 0; i < parts.n; i++)
	{
		uint32_t	len = (uint32_t) parts.parts[i].len;
		const char *bytes = parts.parts[i].control ? name_of(language, &parts.parts[i], &len) : parts.parts[i].text;

		appendBinaryStringInfo(&result, bytes, (int) len);
	}
	free(parts.parts);
	PG_RETURN_TEXT_P(gpuscan_model_output(result.data, (size_t) result.len));
}
