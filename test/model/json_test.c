/*-------------------------------------------------------------------------
 *
 * json_test.c
 *	  JSON by a schema: which schemas there are, which texts are values of them, and
 *	  that what is written at random is one.
 *
 * link: src/model/json_machine.c src/model/json_schema.c
 * libs: -ljansson
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_machine.h"
#include "tap.h"

static ModelError error;

/* ------------------------------------------------------------------------
 * Schemas
 * ------------------------------------------------------------------------
 */

static void
test_refused(void)
{
	static const struct
	{
		const char *schema;
		const char *says;
	} cases[] = {
		{"", "is no JSON"},
		{"{", "is no JSON"},
		{"{\"type\": \"string\", \"type\": \"null\"}", "is no JSON"},
		{"{\"const\": \"\\u0000\"}", "is no JSON"},
		{"1", "neither an object nor true"},
		{"false", "neither an object nor true"},
		{"{\"type\": \"text\"}", "\"type\""},
		{"{\"type\": []}", "\"type\""},
		{"{\"type\": [\"null\", 1]}", "\"type\""},
		{"{\"pattern\": \"a\"}", "keyword \"pattern\""},
		{"{\"type\": \"number\", \"minimum\": 1}", "keyword \"minimum\""},
		{"{\"$ref\": \"#\"}", "keyword \"$ref\""},
		{"{\"oneOf\": [true]}", "keyword \"oneOf\""},
		{"{\"type\": \"string\", \"minItems\": 1}", "another type"},
		{"{\"type\": \"string\", \"minLength\": -1}", "\"minLength\""},
		{"{\"type\": \"string\", \"maxLength\": 1.5}", "\"maxLength\""},
		{"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 1}", "more than"},
		{"{\"type\": \"array\", \"items\": 1}", "neither an object nor true"},
		{"{\"type\": \"object\", \"properties\": []}", "\"properties\""},
		{"{\"type\": \"object\", \"required\": \"a\"}", "\"required\""},
		{"{\"type\": \"object\", \"required\": [\"a\"]}", "\"required\""},
		{"{\"type\": \"object\", \"required\": [1]}", "\"required\""},
		{"{\"type\": \"object\", \"additionalProperties\": {}}", "\"additionalProperties\""},
		{"{\"enum\": []}", "no value"},
		{"{\"enum\": 1}", "\"enum\""},
		{"{\"enum\": [1], \"type\": \"string\"}", "no value"},
		{"{\"enum\": [\"a\"], \"minLength\": 1}", "beside"},
		{"{\"anyOf\": [true], \"type\": \"string\"}", "beside"},
		{"{\"anyOf\": []}", "\"anyOf\""},
		{"{\"anyOf\": {}}", "\"anyOf\""},
	};
	char		deep[2000] = "";

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		JsonSchema *schema = json_schema_open(cases[i].schema, strlen(cases[i].schema), &error);

		ok(!schema && strstr(error.message, cases[i].says), "%s is refused: %s", cases[i].schema, error.message);
		json_schema_close(schema);
	}
	for (int i = 0; i < 40; i++)
		strcat(deep, "{\"items\":");
	strcat(deep, "true");
	for (int i = 0; i < 40; i++)
		strcat(deep, "}");
	ok(!json_schema_open(deep, strlen(deep), &error) && strstr(error.message, "in one another"), "a deep schema is refused");
}

/* ------------------------------------------------------------------------
 * Texts
 * ------------------------------------------------------------------------
 */

/* 1: a value; 0: the beginning of one; -1: neither */
static int
read_text(const JsonSchema *schema, const char *text)
{
	JsonMachine *machine = json_machine_open(schema, &error);
	JsonState	states[2];
	int			result = 0;
	size_t		i;

	json_machine_begin(machine, &states[0], &error);
	for (i = 0; text[i] && result == 0; i++)
	{
		if (!json_machine_read(machine, &states[i % 2], (uint8_t) text[i], &states[(i + 1) % 2], &error) ||
			(states[(i + 1) % 2].n == 0 && !states[(i + 1) % 2].complete))
			result = -1;
	}
	if (result == 0 && states[i % 2].complete)
		result = 1;
	json_machine_close(machine);
	return result;
}

#define TICKET	"{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 5}, \"urgent\": {\"type\": \"boolean\"}, " \
	"\"tags\": {\"type\": \"array\", \"items\": {\"enum\": [\"a\", \"ab\", \"b\"]}, \"minItems\": 1, \"maxItems\": 2}}, \"required\": [\"name\", \"tags\"], " \
	"\"additionalProperties\": false}"

static void
test_texts(void)
{
	static const struct
	{
		const char *schema;
		const char *text;
		int			is;
	} cases[] = {
		{"true", "", 0}, {"true", "null", 1}, {"true", "nul", 0}, {"true", "nulL", -1}, {"true", "nulll", -1}, {"{}", "[1, {\"a\": [[]]}]", 1},
		{"true", "{\"a\" :1 , \"b\":\n{}}", 1}, {"true", "{\"a\":1,}", -1}, {"true", "{,", -1}, {"true", "[1,]", -1}, {"true", "[,", -1},
		{"true", "{a", -1}, {"true", "{\"a\"}", -1}, {"true", "{\"a\":}", -1}, {"true", "1 ", -1}, {"true", "[1 ]", 1}, {"true", "'", -1},
		{"{\"title\": \"t\", \"description\": 5}", "7", 1},
		{"{\"type\": \"null\"}", "null", 1}, {"{\"type\": \"null\"}", "0", -1},
		{"{\"type\": \"boolean\"}", "true", 1}, {"{\"type\": \"boolean\"}", "fals", 0}, {"{\"type\": \"boolean\"}", "n", -1},
		{"{\"type\": \"integer\"}", "0", 1}, {"{\"type\": \"integer\"}", "-", 0}, {"{\"type\": \"integer\"}", "-12", 1}, {"{\"type\": \"integer\"}", "01", -1},
		{"{\"type\": \"integer\"}", "1.", -1}, {"{\"type\": \"integer\"}", "1e1", -1}, {"{\"type\": \"integer\"}", "--1", -1}, {"{\"type\": \"integer\"}", "+1", -1},
		{"{\"type\": \"integer\"}", "123456789012345678", 1}, {"{\"type\": \"integer\"}", "1234567890123456789", -1},
		{"{\"type\": \"number\"}", "1.", 0}, {"{\"type\": \"number\"}", "1.5", 1}, {"{\"type\": \"number\"}", "-0.50e-7", 1}, {"{\"type\": \"number\"}", "1e", 0},
		{"{\"type\": \"number\"}", "1E+", 0}, {"{\"type\": \"number\"}", "1E+1234", -1}, {"{\"type\": \"number\"}", ".5", -1}, {"{\"type\": \"number\"}", "1.e5", -1},
		{"{\"type\": \"number\"}", "-.5", -1}, {"{\"type\": [\"integer\", \"number\"]}", "1.5", 1},
		{"{\"type\": \"string\"}", "\"\"", 1}, {"{\"type\": \"string\"}", "\"a", 0}, {"{\"type\": \"string\"}", "\"a\nb", -1}, {"{\"type\": \"string\"}", "\"\\", 0},
		{"{\"type\": \"string\"}", "\"\\n\\\"\\u00e9\"", 1}, {"{\"type\": \"string\"}", "\"\\x", -1}, {"{\"type\": \"string\"}", "\"\\u00", 0},
		{"{\"type\": \"string\"}", "\"\\u0000", -1}, {"{\"type\": \"string\"}", "\"\\ud8", -1}, {"{\"type\": \"string\"}", "\"\\ud7ff\"", 1},
		{"{\"type\": \"string\"}", "\"\\ue000\"", 1}, {"{\"type\": \"string\"}", "\"\303\251\"", 1}, {"{\"type\": \"string\"}", "\"\303\"", -1},
		{"{\"type\": \"string\"}", "\"\303", 0}, {"{\"type\": \"string\"}", "\"\251", -1}, {"{\"type\": \"string\"}", "\"\300\200", -1},
		{"{\"type\": \"string\"}", "\"\340\237", -1}, {"{\"type\": \"string\"}", "\"\355\240", -1}, {"{\"type\": \"string\"}", "\"\360\237\230\200\"", 1},
		{"{\"type\": \"string\"}", "\"\360\217", -1}, {"{\"type\": \"string\"}", "\"\364\220", -1}, {"{\"type\": \"string\"}", "\"\365", -1},
		{"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", "\"a\"", -1}, {"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", "\"\303\251\\u00e9\"", 1},
		{"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", "\"abc\"", 1}, {"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", "\"abcd", -1},
		{"{\"type\": \"string\", \"maxLength\": 0}", "\"\"", 1}, {"{\"type\": \"string\", \"maxLength\": 0}", "\"\\", -1},
		{"{\"enum\": [\"on\", \"one\", 1, 12, null, {\"a\": [1]}]}", "\"on\"", 1}, {"{\"enum\": [\"on\", \"one\", 1, 12]}", "\"on", 0},
		{"{\"enum\": [\"on\", \"one\", 1, 12]}", "1", 1}, {"{\"enum\": [\"on\", \"one\", 1, 12]}", "12", 1}, {"{\"enum\": [\"on\", \"one\", 1, 12]}", "123", -1},
		{"{\"enum\": [\"on\", \"one\", 1, 12]}", "\"of", -1}, {"{\"enum\": [{\"a\": [1]}]}", "{\"a\":[1]}", 1}, {"{\"const\": \"x\"}", "\"x\"", 1},
		{"{\"enum\": [1, \"a\"], \"type\": \"string\"}", "1", -1}, {"{\"enum\": [1, \"a\"], \"const\": 1}", "\"", -1},
		{"{\"type\": [\"string\", \"null\"]}", "null", 1}, {"{\"type\": [\"string\", \"null\"]}", "\"", 0}, {"{\"type\": [\"string\", \"null\"]}", "t", -1},
		{"{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"array\", \"items\": {\"type\": \"integer\"}}]}", "[1,2]", 1},
		{"{\"type\": \"array\", \"items\": {\"anyOf\": [{\"const\": 1}, {\"type\": \"integer\"}]}}", "[1, 12, 1]", 1},
		{"{\"anyOf\": [{\"type\": \"object\", \"properties\": {\"a\": {\"const\": 1}}, \"required\": [\"a\"]}, "
			"{\"type\": \"object\", \"properties\": {\"a\": {\"const\": 1}, \"b\": true}, \"required\": [\"a\", \"b\"]}]}", "{\"a\": 1, \"b\": []}", 1},
		{"{\"type\": \"object\"}", "{\"x\": 1, \"x\": 2}", 1}, {"{\"type\": \"object\", \"additionalProperties\": false}", "{}", 1},
		{"{\"type\": \"object\", \"additionalProperties\": false}", "{\"", -1}, {"{\"type\": \"array\", \"maxItems\": 0}", "[]", 1},
		{"{\"type\": \"array\", \"maxItems\": 0}", "[1", -1}, {"{\"type\": \"array\"}", "[[1],\"a\"]", 1}, {"{\"items\": {\"type\": \"null\"}}", "[null]", 1},
		{"{\"items\": {\"type\": \"null\"}}", "[1", -1}, {"{\"items\": {\"type\": \"null\"}}", "17", 1},
		{TICKET, "{\"name\": \"x\", \"urgent\": true, \"tags\": [\"ab\"]}", 1}, {TICKET, "{\"name\": \"x\", \"tags\": [\"a\",\"b\"]}", 1},
		{TICKET, "{\"urgent", -1}, {TICKET, "{\"tags", -1}, {TICKET, "{}", -1}, {TICKET, "{\"name\": \"x\"}", -1}, {TICKET, "{\"name\": \"x\", \"tags\": []", -1},
		{TICKET, "{\"name\": \"x\", \"tags\": [\"a\",\"b\",", -1}, {TICKET, "{\"name\": \"x\", \"tags\": [\"a\"],", -1}, {TICKET, "{\"name\": \"123456", -1},
		{TICKET, "{\"name\": \"x\", \"name", -1}, {TICKET, "{\n  \"name\" : \"x\",\n  \"tags\": [ \"a\" ]\n}", 1},
		{"{\"type\": \"object\", \"properties\": {\"a\\\"b\": true}}", "{\"a\\\"b\": 1}", 1},
	};
	char		spaces[JSON_SPACES_MAX + 10];
	char		deep[500];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		JsonSchema *schema = json_schema_open(cases[i].schema, strlen(cases[i].schema), &error);
		const int	is = schema ? read_text(schema, cases[i].text) : -2;

		ok(is == cases[i].is, "%s: %s is %d%s", cases[i].schema, cases[i].text, is, schema ? "" : error.message);
		json_schema_close(schema);
	}

	JsonSchema *schema = json_schema_open("true", 4, &error);

	memset(spaces, ' ', sizeof spaces);
	strcpy(spaces + JSON_SPACES_MAX, "1");
	ok(read_text(schema, spaces) == 1, "%d blanks", JSON_SPACES_MAX);
	memset(spaces, ' ', sizeof spaces);
	strcpy(spaces + JSON_SPACES_MAX + 1, "1");
	ok(read_text(schema, spaces) == -1, "more are too many");
	memset(deep, '[', sizeof deep);
	deep[30] = '\0';
	ok(read_text(schema, deep) == 0, "30 arrays in one another");
	memset(deep, '[', sizeof deep);
	deep[400] = '\0';
	ok(read_text(schema, deep) == -1, "400 are too many");
	json_schema_close(schema);
}

static void
test_many_ways(void)
{
	char		text[100000] = "{\"type\": \"object\", \"properties\": {";
	JsonSchema *schema;

	for (int i = 0; i < 300; i++)
		sprintf(text + strlen(text), "%s\"p%d\": true", i ? "," : "", i);
	strcat(text, "}}");
	schema = json_schema_open(text, strlen(text), &error);
	ok(schema && read_text(schema, "{\"") == -1 && strstr(error.message, "ways open"), "300 properties that may come next: %s", error.message);
	json_schema_close(schema);
}

/* ------------------------------------------------------------------------
 * Random texts
 * ------------------------------------------------------------------------
 */

static uint64_t random_state = 1;

static uint32_t
random_below(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) ((random_state >> 33) % n);
}

/* By bytes that are allowed; what closes is likelier, so that it comes to an end */
static bool
write_random(const JsonSchema *schema, char *text, size_t room)
{
	JsonMachine *machine = json_machine_open(schema, &error);
	JsonState	state;
	JsonState	next[256];
	bool		good = json_machine_begin(machine, &state, &error);
	size_t		len = 0;

	while (good && len + 1 < room)
	{
		uint8_t		allowed[256];
		uint32_t	n = 0;

		if (state.complete && (state.n == 0 || random_below(3) == 0))
			break;
		for (int byte = 0; byte < 256; byte++)
		{
			if (!json_machine_read(machine, &state, (uint8_t) byte, &next[byte], &error))
				good = false;
			if (next[byte].n > 0 || next[byte].complete)
				allowed[n++] = (uint8_t) byte;
		}
		if (n == 0)
			good = false;
		else
		{
			uint8_t		byte = allowed[random_below(n)];

			for (const char *end = len > 100 ? "}]\"" : ""; *end; end++)
				if (next[(uint8_t) *end].n > 0 || next[(uint8_t) *end].complete)
					byte = (uint8_t) *end;
			text[len++] = (char) byte;
			state = next[byte];
		}
	}
	text[len] = '\0';
	good = good && state.complete;
	json_machine_close(machine);
	return good;
}

static bool
is_ticket(const json_t *json)
{
	const json_t *name = json_object_get(json, "name");
	const json_t *tags = json_object_get(json, "tags");
	const json_t *urgent = json_object_get(json, "urgent");

	if (!json_is_string(name) || !json_is_array(tags) || json_array_size(tags) < 1 || json_array_size(tags) > 2 || (urgent && !json_is_boolean(urgent)) ||
		json_object_size(json) != (urgent ? 3u : 2u))
		return false;
	for (size_t i = 0; i < json_array_size(tags); i++)
	{
		const char *tag = json_string_value(json_array_get(tags, i));

		if (!tag || (strcmp(tag, "a") != 0 && strcmp(tag, "ab") != 0 && strcmp(tag, "b") != 0))
			return false;
	}
	return true;
}

static void
test_random(void)
{
	JsonSchema *ticket = json_schema_open(TICKET, strlen(TICKET), &error);
	JsonSchema *any = json_schema_open("true", 4, &error);
	int			tickets = 0;
	int			values = 0;

	for (int i = 0; i < 500; i++)
	{
		char		text[5000];
		json_error_t wrong = {0};
		json_t	   *json = write_random(ticket, text, sizeof text) ? json_loads(text, 0, &wrong) : NULL;

		tickets += is_ticket(json);
		json_decref(json);
		json = write_random(any, text, sizeof text) ? json_loads(text, JSON_DECODE_ANY, &wrong) : NULL;
		/* jansson has no numbers beyond a double, jsonb has */
		if (!json && strstr(wrong.text, "overflow"))
			values++;
		values += json != NULL;
		json_decref(json);
	}
	ok(tickets == 500, "%d of 500 random texts are tickets", tickets);
	ok(values == 500, "%d of 500 random texts are JSON", values);
	json_schema_close(ticket);
	json_schema_close(any);
}

int
main(void)
{
	test_refused();
	test_texts();
	test_many_ways();
	test_random();
	return tap_done();
}
