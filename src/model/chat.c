/*-------------------------------------------------------------------------
 *
 * chat.c
 *	  See chat.h.  test/model/fixtures/chat.py has the templates, which these
 *	  functions are compared with.
 *
 *-------------------------------------------------------------------------
 */
#include "model/chat.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/unicode.h"

static const char *const names[CHAT_FAMILIES] = {
	[CHAT_CHATML] = "chatml", [CHAT_SMOLLM] = "smollm", [CHAT_QWEN1_5] = "qwen1.5", [CHAT_QWEN2] = "qwen2", [CHAT_QWEN2_5] = "qwen2.5", [CHAT_QWEN3] = "qwen3",
	[CHAT_LLAMA2] = "llama2", [CHAT_LLAMA3] = "llama3", [CHAT_LLAMA3_1] = "llama3.1",
	[CHAT_MISTRAL_V1_EARLY] = "mistral-v1-early", [CHAT_MISTRAL_V1] = "mistral-v1", [CHAT_MISTRAL_V3_EARLY] = "mistral-v3-early", [CHAT_MISTRAL_V3] = "mistral-v3",
	[CHAT_MISTRAL_V3_TEKKEN] = "mistral-v3-tekken", [CHAT_MISTRAL_V7] = "mistral-v7", [CHAT_MISTRAL_V7_TEKKEN] = "mistral-v7-tekken",
	[CHAT_GEMMA2] = "gemma2", [CHAT_GEMMA] = "gemma"
};

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

/* ------------------------------------------------------------------------
 * Templates that are known
 * ------------------------------------------------------------------------
 */

/*
 * FNV-1a of a template.  A line feed in a string is written as one or as \n; Jinja drops
 * one at the end of the template.
 */
static uint64_t
template_hash(const char *jinja, size_t len)
{
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);
	char		quote = 0;		/* within a string of a tag; or within a tag: */
	bool		in_tag = false;

	if (len > 0 && jinja[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) jinja[i];

		if (!in_tag)
			in_tag = c == '{' && i + 1 < len && (jinja[i + 1] == '{' || jinja[i + 1] == '%');
		else if (quote == 0)
		{
			if (c == '\'' || c == '"')
				quote = (char) c;
			else if (c == '}')
				in_tag = false;
		}
		else if (c == (unsigned char) quote)
			quote = 0;
		else if (c == '\\' && i + 1 < len)
		{
			i++;
			if (jinja[i] == 'n')
				c = '\n';
			else
			{
				hash = (hash ^ c) * UINT64_C(0x100000001b3);
				c = (unsigned char) jinja[i];
			}
		}
		hash = (hash ^ c) * UINT64_C(0x100000001b3);
	}
	return hash;
}

ChatFamily
chat_family_of(const char *jinja, size_t len)
{
	static const struct
	{
		ChatFamily	family;
		uint64_t	hash;
	}			known[] = {
#define KNOWN(family, hash) {family, UINT64_C(hash)},
#include "model/chat_known.def"
#undef KNOWN
	};
	const uint64_t hash = template_hash(jinja, len);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].hash == hash)
			return known[i].family;
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

static bool
no_system(ModelError *error)
{
	return model_error(error, MODEL_BAD_INPUT, "message 1 is the system's, which the model's template does not take");
}

static void
chatml_turn(ChatText *out, const char *role)
{
	put_control(out, "<|im_start|>");
	put_text(out, role);
	put_text(out, "\n");
}

static void
chatml_text(ChatText *out, const char *role, const char *text, size_t len)
{
	chatml_turn(out, role);
	put(out, false, text, len);
	put_control(out, "<|im_end|>");
	put_text(out, "\n");
}

/* What a family says where the first message is no system message */
static const char *
default_system(ChatFamily family)
{
	switch (family)
	{
		case CHAT_SMOLLM:
			return "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
		case CHAT_QWEN1_5:
			return "You are a helpful assistant";
		case CHAT_QWEN2:
			return "You are a helpful assistant.";
		case CHAT_QWEN2_5:
			return "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
		default:
			return NULL;
	}
}

static bool
render_chatml(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const char *system = default_system(family);

	(void) error;
	if (system && n > 0 && messages[0].role != CHAT_SYSTEM)
		chatml_text(out, "system", system, strlen(system));
	for (size_t i = 0; i < n; i++)
		chatml_text(out, role_name(messages[i].role), messages[i].content, messages[i].len);
	if (answer)
		chatml_turn(out, "assistant");
	return true;
}

/* ------------------------------------------------------------------------
 * Qwen 3
 * ------------------------------------------------------------------------
 */

/* As Python's str: without line feeds in front, or at the end */
static ChatMessage
without_feeds(ChatMessage text, bool front, bool end)
{
	while (front && text.len > 0 && *text.content == '\n')
	{
		text.content++;
		text.len--;
	}
	while (end && text.len > 0 && text.content[text.len - 1] == '\n')
		text.len--;
	return text;
}

/* The last one, or the first one */
static const char *
find(ChatMessage text, const char *what, bool last)
{
	const size_t len = strlen(what);
	const char *found = NULL;
	const char *at = text.content;
	const char *end = text.content + text.len;

	while (at && (at = memmem(at, (size_t) (end - at), what, len)) != NULL)
	{
		found = at;
		at = last ? at + len : NULL;
	}
	return found;
}

static ChatMessage
behind(ChatMessage text, const char *from)
{
	text.len -= (size_t) (from - text.content);
	text.content = from;
	return text;
}

/* What the model thought, up to the first </think>, and what it said, behind the last one */
static void
take_apart(ChatMessage *said, ChatMessage *thought)
{
	const char *first = find(*said, "</think>", false);
	const char *begin;

	*thought = *said;
	thought->len = 0;
	if (!first)
		return;
	thought->len = (size_t) (first - said->content);
	*thought = without_feeds(*thought, false, true);
	begin = find(*thought, "<think>", true);
	if (begin)
		*thought = behind(*thought, begin + strlen("<think>"));
	*thought = without_feeds(*thought, true, true);
	*said = without_feeds(behind(*said, find(*said, "</think>", true) + strlen("</think>")), true, false);
}

/* The result of a tool is a user's message, but no question */
static bool
is_question(const ChatMessage *message)
{
	static const char open[] = "<tool_response>";
	static const char close[] = "</tool_response>";

	return message->role == CHAT_USER &&
		!(message->len >= strlen(open) && memcmp(message->content, open, strlen(open)) == 0 &&
		  message->len >= strlen(close) && memcmp(message->content + message->len - strlen(close), close, strlen(close)) == 0);
}

static bool
render_qwen3(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	size_t		question = n;	/* the last one; what was thought before it is left out */

	(void) family;
	(void) error;
	while (question > 0 && !is_question(&messages[question - 1]))
		question--;
	question = question > 0 ? question - 1 : n - 1;
	for (size_t i = 0; i < n; i++)
	{
		ChatMessage said = messages[i];
		ChatMessage thought;

		chatml_turn(out, role_name(said.role));
		if (said.role == CHAT_ASSISTANT)
		{
			take_apart(&said, &thought);
			if (i > question && (i + 1 == n || thought.len > 0))
			{
				said = without_feeds(said, true, false);
				put_control(out, "<think>");
				put_text(out, "\n");
				put_message(out, &thought);
				put_text(out, "\n");
				put_control(out, "</think>");
				put_text(out, "\n\n");
			}
		}
		put_message(out, &said);
		put_control(out, "<|im_end|>");
		put_text(out, "\n");
	}
	if (answer)
		chatml_turn(out, "assistant");
	return true;
}

/* ------------------------------------------------------------------------
 * Llama
 * ------------------------------------------------------------------------
 */

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

static void
llama3_message(ChatText *out, const ChatMessage *message)
{
	llama3_turn(out, role_name(message->role));
	put_trimmed(out, message);
	put_control(out, "<|eot_id|>");
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
		llama3_message(out, &messages[i]);
	}
	if (answer)
		llama3_turn(out, "assistant");
	return true;
}

/*
 * There is a system message always, which begins with two dates.  Today is what the
 * template itself falls back to, so that a conversation has the same answer tomorrow.
 */
static bool
render_llama31(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const bool	system = n > 0 && messages[0].role == CHAT_SYSTEM;

	(void) family;
	(void) error;
	put_control(out, CHAT_BOS);
	llama3_turn(out, "system");
	put_text(out, "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n");
	if (system)
		put_trimmed(out, &messages[0]);
	put_control(out, "<|eot_id|>");
	for (size_t i = system; i < n; i++)
		llama3_message(out, &messages[i]);
	if (answer)
		llama3_turn(out, "assistant");
	return true;
}

/* ------------------------------------------------------------------------
 * Mistral
 * ------------------------------------------------------------------------
 */

typedef enum MistralSystem
{
	SYSTEM_REFUSED,
	SYSTEM_FIRST,				/* before the first user's text, in its turn */
	SYSTEM_LAST,				/* before the last message's, if that is a user's; else nowhere */
	SYSTEM_ANYWHERE				/* in turns of its own; then the others need not take turns either */
} MistralSystem;

/* What versions differ in: where blanks are, and system messages */
typedef struct MistralVersion
{
	bool		tokens;			/* [INST] and [/INST] are tokens, not text */
	const char *before;			/* [INST] */
	const char *behind;			/* ... */
	const char *close;			/* before [/INST] */
	const char *answer;			/* before an assistant's text */
	bool		trims;			/* ... which is trimmed */
	MistralSystem system;
} MistralVersion;

static const MistralVersion mistral_versions[] = {
	[CHAT_MISTRAL_V1_EARLY - CHAT_MISTRAL_V1_EARLY] = {false, "", " ", " ", "", false, SYSTEM_REFUSED},
	[CHAT_MISTRAL_V1 - CHAT_MISTRAL_V1_EARLY] = {false, " ", " ", " ", " ", false, SYSTEM_FIRST},
	[CHAT_MISTRAL_V3_EARLY - CHAT_MISTRAL_V1_EARLY] = {true, "", " ", "", " ", false, SYSTEM_REFUSED},
	[CHAT_MISTRAL_V3 - CHAT_MISTRAL_V1_EARLY] = {true, "", " ", "", " ", true, SYSTEM_LAST},
	[CHAT_MISTRAL_V3_TEKKEN - CHAT_MISTRAL_V1_EARLY] = {true, "", "", "", "", false, SYSTEM_LAST},
	[CHAT_MISTRAL_V7 - CHAT_MISTRAL_V1_EARLY] = {true, "", " ", "", " ", false, SYSTEM_ANYWHERE},
	[CHAT_MISTRAL_V7_TEKKEN - CHAT_MISTRAL_V1_EARLY] = {true, "", "", "", "", false, SYSTEM_ANYWHERE},
};

static void
mistral_mark(ChatText *out, const MistralVersion *version, const char *mark)
{
	put(out, version->tokens, mark, strlen(mark));
}

static void
mistral_user(ChatText *out, const MistralVersion *version, const ChatMessage *system, const ChatMessage *message)
{
	put_text(out, version->before);
	mistral_mark(out, version, "[INST]");
	put_text(out, version->behind);
	if (system)
	{
		put_message(out, system);
		put_text(out, "\n\n");
	}
	put_message(out, message);
	put_text(out, version->close);
	mistral_mark(out, version, "[/INST]");
}

static bool
render_mistral(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const MistralVersion *version = &mistral_versions[family - CHAT_MISTRAL_V1_EARLY];
	const bool	system = version->system != SYSTEM_ANYWHERE && n > 0 && messages[0].role == CHAT_SYSTEM;

	(void) answer;
	if (system && version->system == SYSTEM_REFUSED)
		return no_system(error);
	if (version->system != SYSTEM_ANYWHERE && !roles_alternate(messages, n, error))
		return false;
	put_control(out, CHAT_BOS);
	for (size_t i = system; i < n; i++)
		if (messages[i].role == CHAT_USER)
			mistral_user(out, version, system && (version->system == SYSTEM_FIRST ? i == 1 : i + 1 == n) ? &messages[0] : NULL, &messages[i]);
		else if (messages[i].role == CHAT_SYSTEM)
		{
			put_control(out, "[SYSTEM_PROMPT]");
			put_text(out, version->behind);
			put_message(out, &messages[i]);
			put_control(out, "[/SYSTEM_PROMPT]");
		}
		else
		{
			put_text(out, version->answer);
			if (version->trims)
				put_trimmed(out, &messages[i]);
			else
				put_message(out, &messages[i]);
			put_control(out, CHAT_EOS);
		}
	return true;
}

/* ------------------------------------------------------------------------
 * Gemma
 * ------------------------------------------------------------------------
 */

static bool
render_gemma(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error)
{
	const bool	system = n > 0 && messages[0].role == CHAT_SYSTEM;

	if (system && family == CHAT_GEMMA2)
		return no_system(error);
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
		[CHAT_CHATML] = render_chatml, [CHAT_SMOLLM] = render_chatml, [CHAT_QWEN1_5] = render_chatml, [CHAT_QWEN2] = render_chatml,
		[CHAT_QWEN2_5] = render_chatml, [CHAT_QWEN3] = render_qwen3,
		[CHAT_LLAMA2] = render_llama2, [CHAT_LLAMA3] = render_llama3, [CHAT_LLAMA3_1] = render_llama31,
		[CHAT_MISTRAL_V1_EARLY] = render_mistral, [CHAT_MISTRAL_V1] = render_mistral, [CHAT_MISTRAL_V3_EARLY] = render_mistral,
		[CHAT_MISTRAL_V3] = render_mistral, [CHAT_MISTRAL_V3_TEKKEN] = render_mistral, [CHAT_MISTRAL_V7] = render_mistral,
		[CHAT_MISTRAL_V7_TEKKEN] = render_mistral,
		[CHAT_GEMMA2] = render_gemma, [CHAT_GEMMA] = render_gemma
	};

	return render[family] (family, messages, n, answer, out, error) &&
		(!out->full || model_error(error, MODEL_NO_MEMORY, "out of memory for %zu messages", n));
}
