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
#define TEMPLATES		64

static ChatFamily families[TEMPLATES];

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
	const ChatFamily family = families[(unsigned char) at[0]];
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

/* Is a template known, and none that differs in a byte? */
static void
recognise(const char *jinja, size_t len, ChatFamily family)
{
	char	   *other = malloc(len + 2);
	const size_t step = len / 300 + 1;
	size_t		taken = 0;

	ok(chat_family_of(jinja, len) == family, "a template of %s is known", chat_family_name(family));
	memcpy(other, jinja, len);
	other[len] = '\n';
	ok(chat_family_of(other, len + 1) == (jinja[len - 1] == '\n' ? CHAT_FAMILIES : family), "... with a line feed at its end, if that is the first one");
	for (size_t i = 0; i + 1 < len; i += step)
	{
		memcpy(other, jinja, len);
		other[i] ^= 1;
		taken += chat_family_of(other, len) == family;
		memcpy(other, jinja, i);
		memcpy(other + i, jinja + i + 1, len - i - 1);
		taken += chat_family_of(other, len - 1) == family;
		memcpy(other, jinja, i);
		other[i] = ' ';
		memcpy(other + i + 1, jinja + i, len - i);
		taken += chat_family_of(other, len + 1) == family;
	}
	ok(taken == 0, "%zu that differ from it in a byte are taken for one", taken);
	free(other);
}

static bool
is_family(const char *jinja, ChatFamily family)
{
	return chat_family_of(jinja, strlen(jinja)) == family;
}

static bool
is_unknown(const char *jinja)
{
	return is_family(jinja, CHAT_FAMILIES);
}

int
main(void)
{
	size_t		len;
	char	   *fixture = read_file("test/model/fixtures/chat.bin", &len);
	const char *at = fixture;
	const size_t templates = take_u32(&at);
	bool		seen[CHAT_FAMILIES] = {false};

	for (size_t i = 0; i < templates; i++)
	{
		const char *jinja;
		size_t		size;

		families[i] = (ChatFamily) *at++;
		seen[families[i]] = true;
		jinja = read_text(&at, &size);
		recognise(jinja, size, families[i]);
	}
	while (at < fixture + len)
		at = compare(at);
	free(fixture);
	ok(cases == templates * 60 + 140, "%zu conversations", cases);
	ok(wrong == 0, "%zu have another text", wrong);
	ok(refused_wrongly == 0, "%zu are refused, or are not, unlike by the template", refused_wrongly);
	ok(spoken == 0, "%zu control tokens are of a message", spoken);

	/* a line feed in a string, as one or as \n; nowhere else is that the same */
	ok(is_family("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
					  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}", CHAT_CHATML), "line feeds are written in two ways");
	ok(is_unknown("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
				  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"), "a backslash before an n is no line feed");
	ok(is_unknown("{{'<|im_start|>' + message['role']}}"), "what looks like chatml is of no family");
	ok(is_unknown("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>"), "nor like smollm");
	ok(is_unknown("[INST] <<SYS>>") && is_unknown("<|start_header_id|>") && is_unknown("[INST] [/INST]"), "nor like those of Llama and Mistral");
	ok(is_unknown("") && is_unknown("{{") && is_unknown("{% '\\"), "nor no template, nor half a one");
	for (ChatFamily family = 0; family < CHAT_FAMILIES; family++)
	{
		ok(chat_family_named(chat_family_name(family)) == family, "family %s has its name", chat_family_name(family));
		ok(seen[family], "... and a template");
	}
	ok(chat_family_named("nothing") == CHAT_FAMILIES, "there is no family \"nothing\"");
	return tap_done();
}
