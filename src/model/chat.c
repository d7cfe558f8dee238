/*-------------------------------------------------------------------------
 *
 * chat.c
 *	  See chat.h.  test/model/fixtures/chat.py has the templates, which these
 *	  functions are compared with.
 *
 *-------------------------------------------------------------------------
 */
#include "model/chat.h"

#include <stdlib.h>
#include <string.h>

#include "model/unicode.h"

static const char *const names[CHAT_FAMILIES] = {"chatml", "smollm", "llama2", "llama3", "gemma"};

const char *
chat_family_name(ChatFamily family)
{
	return names[family];
}

ChatFamily
chat_family_named(const char *name)
{
	ChatFamily	family = 0;

	while (family < CHAT_FAMILIES && strcmp(names[family], name) != 0)
		family++;
	return family;
}

static bool
says(const char *jinja, size_t len, const char *what)
{
	return memmem(jinja, len, what, strlen(what)) != NULL;
}

ChatFamily
chat_family_of(const char *jinja, size_t len)
{
	if (says(jinja, len, "<|im_start|>"))
		/* templates of other models write a system message of their own, which is not ours to guess */
		return says(jinja, len, "named SmolLM, trained by Hugging Face") ? CHAT_SMOLLM :
			says(jinja, len, "You are") || says(jinja, len, "tools") ? CHAT_FAMILIES : CHAT_CHATML;
	if (says(jinja, len, "<start_of_turn>") && says(jinja, len, "first_user_prefix"))
		return CHAT_GEMMA;
	if (says(jinja, len, "<|start_header_id|>") && !says(jinja, len, "Cutting Knowledge Date"))
		return CHAT_LLAMA3;
	if (says(jinja, len, "<<SYS>>"))
		return CHAT_LLAMA2;
	return CHAT_FAMILIES;
}

/* ------------------------------------------------------------------------
 * Writing
 * ------------------------------------------------------------------------
 */

static void
put(ChatText *out, bool control, const char *text, size_t len)
{
	if (len == 0)
		return;
	if (out->n == out->room)
	{
		const size_t room = out->room * 2 + 16;
		ChatPart   *parts = realloc(out->parts, room * sizeof *parts);

		if (!parts)
		{
			out->full = true;
			return;
		}
		out->parts = parts;
		out->room = room;
	}
	out->parts[out->n++] = (ChatPart) {control, text, len};
}

static void
put_control(ChatText *out, const char *name)
{
	put(out, true, name, strlen(name));
}

static void
put_text(ChatText *out, const char *text)
{
	put(out, false, text, strlen(text));
}

/* What Python's str.strip() takes away */
static bool
is_space(int32_t c)
{
	return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static ChatMessage
trimmed(const ChatMessage *message)
{
	ChatMessage inner = *message;
	size_t		end = 0;
	int			size;

	while (inner.len > 0 && is_space(unicode_at(inner.content, inner.len, &size)))
	{
		inner.content += size;
		inner.len -= (size_t) size;
	}
	for (size_t i = 0; i < inner.len; i += (size_t) size)
		if (!is_space(unicode_at(inner.content + i, inner.len - i, &size)))
			end = i + (size_t) size;
	inner.len = end;
	return inner;
}

static void
put_message(ChatText *out, const ChatMessage *message)
{
	put(out, false, message->content, message->len);
}

static void
put_trimmed(ChatText *out, const ChatMessage *message)
{
	const ChatMessage inner = trimmed(message);

	put_message(out, &inner);
}

static const char *
role_name(ChatRole role)
{
	return role == CHAT_SYSTEM ? "system" : role == CHAT_USER ? "user" : "assistant";
}

/* ------------------------------------------------------------------------
 * Families
 * ------------------------------------------------------------------------
 */

/* After a system message, which may be the first, users and assistants take turns. */
static bool
roles_alternate(const ChatMessage *messages, size_t n, ModelError *error)
{
	const size_t first = n > 0 && messages[0].role == CHAT_SYSTEM;

	for (size_t i = first; i < n; i++)
		if (messages[i].role != ((i - first) % 2 == 0 ? CHAT_USER : CHAT_ASSISTANT))
			return model_error(error, MODEL_BAD_INPUT, "message %zu is the %s's, where users and assistants should take turns", i + 1,
							   role_name(messages[i].role));
	return true;
}

static void
chatml_turn(ChatText *out, const char *role)
{
	put_control(out, "<|im_start|>");
	put_text(out, role);
	put_text(out, "\n");
}

static bool
render_chatml(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	(void) error;
	if (family == CHAT_SMOLLM && n > 0 && messages[0].role != CHAT_SYSTEM)
	{
		chatml_turn(out, "system");
		put_text(out, "You are a helpful AI assistant named SmolLM, trained by Hugging Face");
		put_control(out, "<|im_end|>");
		put_text(out, "\n");
	}
	for (size_t i = 0; i < n; i++)
	{
		chatml_turn(out, role_name(messages[i].role));
		put_message(out, &messages[i]);
		put_control(out, "<|im_end|>");
		put_text(out, "\n");
	}
	if (answer)
		chatml_turn(out, "assistant");
	return true;
}

/* A system message is a part of the first user's; each turn of a user's is a text of its own. */
static bool
render_llama2(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const bool	system = n > 0 && messages[0].role == CHAT_SYSTEM;

	(void) family;
	(void) answer;
	if (!roles_alternate(messages, n, error))
		return false;
	for (size_t i = system; i < n; i++)
		if (messages[i].role == CHAT_USER)
		{
			put_control(out, CHAT_BOS);
			put_text(out, "[INST] ");
			if (i == 1 && system)
			{
				ChatMessage both = messages[1];
				const ChatMessage inner = trimmed(&both);

				/* it is both together that are trimmed: in front stands no blank, so the end alone */
				put_text(out, "<<SYS>>\n");
				put_message(out, &messages[0]);
				put_text(out, inner.len > 0 ? "\n<</SYS>>\n\n" : "\n<</SYS>>");
				both.len = (size_t) (inner.content + inner.len - both.content);
				if (inner.len > 0)
					put_message(out, &both);
			}
			else
				put_trimmed(out, &messages[i]);
			put_text(out, " [/INST]");
		}
		else
		{
			put_text(out, " ");
			put_trimmed(out, &messages[i]);
			put_text(out, " ");
			put_control(out, CHAT_EOS);
		}
	return true;
}

static void
llama3_turn(ChatText *out, const char *role)
{
	put_control(out, "<|start_header_id|>");
	put_text(out, role);
	put_control(out, "<|end_header_id|>");
	put_text(out, "\n\n");
}

static bool
render_llama3(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	(void) family;
	(void) error;
	for (size_t i = 0; i < n; i++)
	{
		if (i == 0)
			put_control(out, CHAT_BOS);
		llama3_turn(out, role_name(messages[i].role));
		put_trimmed(out, &messages[i]);
		put_control(out, "<|eot_id|>");
	}
	if (answer)
		llama3_turn(out, "assistant");
	return true;
}

static bool
render_gemma(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const bool	system = n > 0 && messages[0].role == CHAT_SYSTEM;

	(void) family;
	if (!roles_alternate(messages, n, error))
		return false;
	put_control(out, CHAT_BOS);
	for (size_t i = system; i < n; i++)
	{
		put_control(out, "<start_of_turn>");
		put_text(out, messages[i].role == CHAT_USER ? "user\n" : "model\n");
		if (i == 1 && system)
		{
			put_message(out, &messages[0]);
			put_text(out, "\n\n");
		}
		put_trimmed(out, &messages[i]);
		put_control(out, "<end_of_turn>");
		put_text(out, "\n");
	}
	if (answer)
	{
		put_control(out, "<start_of_turn>");
		put_text(out, "model\n");
	}
	return true;
}

bool
chat_render(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	static bool (*const render[CHAT_FAMILIES]) (ChatFamily, const ChatMessage *, size_t, bool, ChatText *, ModelError *) = {
		render_chatml, render_chatml, render_llama2, render_llama3, render_gemma
	};

	return render[family] (family, messages, n, answer, out, error) &&
		(!out->full || model_error(error, MODEL_NO_MEMORY, "out of memory for %zu messages", n));
}
