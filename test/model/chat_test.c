/*-------------------------------------------------------------------------
 *
 * chat_test.c
 *	  Conversations: what the models' own templates make of them (fixtures/chat.py);
 *	  control tokens are never of what a message says.
 *
 * link: src/model/chat.c src/model/unicode.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include "model/chat.h"
#include "tokens_file.h"

#define MAX_MESSAGES	8

static size_t cases,
			wrong,
			refused_wrongly,
			spoken;				/* control tokens that are within a message */

static const char *
read_text(const char **at, size_t *len)
{
	const char *text;

	*len = take_u32(at);
	text = *at;
	*at += *len;
	return text;
}

static bool
is_of_a_message(const ChatPart *part, const ChatMessage *messages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (part->text >= messages[i].content && part->text < messages[i].content + messages[i].len)
			return true;
	return false;
}

static const char *
compare(const char *at)
{
	const ChatFamily family = (ChatFamily) at[0];
	const bool	answer = at[1];
	const size_t n = (size_t) at[2];
	const bool	refused = at[3];
	ChatMessage messages[MAX_MESSAGES];
	ChatText	text = {0};
	ModelError	error = {0};
	const char *expected;
	size_t		len,
				said = 0;
	bool		same = true;

	at += 4;
	for (size_t i = 0; i < n; i++)
	{
		messages[i].role = (ChatRole) *at++;
		messages[i].content = read_text(&at, &messages[i].len);
	}
	expected = read_text(&at, &len);
	cases++;
	if (chat_render(family, messages, n, answer, &text, &error) == refused)
		refused_wrongly++;
	else if (!refused)
	{
		for (size_t i = 0; i < text.n; i++)
		{
			same = same && text.parts[i].len <= len - said && memcmp(text.parts[i].text, expected + said, text.parts[i].len) == 0;
			said += same ? text.parts[i].len : 0;
			spoken += text.parts[i].control && is_of_a_message(&text.parts[i], messages, n);
		}
		wrong += !same || said != len;
	}
	free(text.parts);
	return at;
}

static bool
is_family(const char *jinja, ChatFamily family)
{
	return chat_family_of(jinja, strlen(jinja)) == family;
}

int
main(void)
{
	size_t		len;
	char	   *fixture = read_file("test/model/fixtures/chat.bin", &len);

	for (const char *at = fixture; at < fixture + len;)
		at = compare(at);
	free(fixture);
	ok(cases == 600, "%zu conversations", cases);
	ok(wrong == 0, "%zu have another text", wrong);
	ok(refused_wrongly == 0, "%zu are refused, or are not, unlike by the template", refused_wrongly);
	ok(spoken == 0, "%zu control tokens are of a message", spoken);

	ok(is_family("{{'<|im_start|>' + message['role']}}", CHAT_CHATML), "chatml is known by its template");
	ok(is_family("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>", CHAT_SMOLLM), "smollm");
	ok(is_family("<|im_start|>system\nYou are Qwen", CHAT_FAMILIES), "a template with another system message is not");
	ok(is_family("[INST] <<SYS>>", CHAT_LLAMA2), "llama2");
	ok(is_family("<|start_header_id|>", CHAT_LLAMA3), "llama3");
	ok(is_family("<|start_header_id|> Cutting Knowledge Date: December 2023", CHAT_FAMILIES), "a template with a date is not");
	ok(is_family("first_user_prefix '<start_of_turn>'", CHAT_GEMMA), "gemma");
	ok(is_family("", CHAT_FAMILIES), "no template is of no family");
	for (ChatFamily family = 0; family < CHAT_FAMILIES; family++)
		ok(chat_family_named(chat_family_name(family)) == family, "family %s has its name", chat_family_name(family));
	ok(chat_family_named("nothing") == CHAT_FAMILIES, "there is no family \"nothing\"");
	return tap_done();
}
