/*-------------------------------------------------------------------------
 *
 * json_schema.c
 *	  See json_schema.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/json_schema.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Types by their names, as bits of a set */
typedef enum JsonType
{
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_INTEGER = 4,
	TYPE_NUMBER = 8,
	TYPE_STRING = 16,
	TYPE_ARRAY = 32,
	TYPE_OBJECT = 64,
	TYPE_ALL = 127
} JsonType;

static const struct
{
	const char *name;
	JsonType	type;
} types[] = {
	{"null", TYPE_NULL}, {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER},
	{"string", TYPE_STRING}, {"array", TYPE_ARRAY}, {"object", TYPE_OBJECT},
};

/* Keywords, and the types that they say something of; 0: they only describe */
static const struct
{
	const char *name;
	unsigned	of;
} keywords[] = {
	{"type", TYPE_ALL}, {"enum", TYPE_ALL}, {"const", TYPE_ALL}, {"anyOf", TYPE_ALL},
	{"properties", TYPE_OBJECT}, {"required", TYPE_OBJECT}, {"additionalProperties", TYPE_OBJECT},
	{"items", TYPE_ARRAY}, {"minItems", TYPE_ARRAY}, {"maxItems", TYPE_ARRAY},
	{"minLength", TYPE_STRING}, {"maxLength", TYPE_STRING},
	{"title", 0}, {"description", 0}, {"default", 0}, {"examples", 0}, {"$schema", 0}, {"$id", 0}, {"$comment", 0},
};

typedef struct Compiler
{
	JsonSchema *schema;
	ModelError *error;
	uint32_t	depth;
} Compiler;

static const JsonNode *compile(Compiler *compiler, const json_t *schema);

static void *
no_memory(Compiler *compiler)
{
	model_error(compiler->error, MODEL_NO_MEMORY, "out of memory for a JSON schema");
	return NULL;
}

static JsonNode *
new_node(Compiler *compiler, JsonNodeKind kind)
{
	JsonNode   *node = calloc(1, sizeof *node);

	if (!node)
		return no_memory(compiler);
	node->kind = kind;
	node->most = UINT32_MAX;
	node->next = compiler->schema->nodes;
	compiler->schema->nodes = node;
	return node;
}

static bool
set_literal(Compiler *compiler, JsonLiteral *literal, const json_t *value)
{
	literal->text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!literal->text)
		return no_memory(compiler) != NULL;
	if (strlen(literal->text) > UINT16_MAX)
		return model_error(compiler->error, MODEL_BAD_INPUT, "a JSON schema has a name or value of more than %d bytes", UINT16_MAX);
	literal->len = (uint32_t) strlen(literal->text);
	return true;
}

/* ------------------------------------------------------------------------
 * Keywords
 * ------------------------------------------------------------------------
 */

static unsigned
type_named(const json_t *name)
{
	for (size_t i = 0; json_is_string(name) && i < sizeof types / sizeof *types; i++)
		if (strcmp(json_string_value(name), types[i].name) == 0)
			return types[i].type;
	return 0;
}

/* What "type" allows; 0: an error */
static unsigned
types_of(Compiler *compiler, const json_t *schema)
{
	const json_t *named = json_object_get(schema, "type");
	unsigned	all = 0;

	if (!named)
		return TYPE_ALL;
	if (!json_is_array(named))
		all = type_named(named);
	for (size_t i = 0; i < json_array_size(named); i++)
	{
		const unsigned type = type_named(json_array_get(named, i));

		if (type == 0)
		{
			all = 0;
			break;
		}
		all |= type;
	}
	if (all == 0)
		model_error(compiler->error, MODEL_BAD_INPUT,
					"\"type\" of a JSON schema is none, or no array, of null, boolean, integer, number, string, array, object");
	return all;
}

static unsigned
type_of_value(const json_t *value)
{
	switch (json_typeof(value))
	{
		case JSON_OBJECT:
			return TYPE_OBJECT;
		case JSON_ARRAY:
			return TYPE_ARRAY;
		case JSON_STRING:
			return TYPE_STRING;
		case JSON_INTEGER:
			return TYPE_INTEGER | TYPE_NUMBER;
		case JSON_REAL:
			return TYPE_NUMBER;
		case JSON_NULL:
			return TYPE_NULL;
		default:
			return TYPE_BOOLEAN;
	}
}

/* All of a schema's keywords are known, and say something of a type that it allows. */
static bool
check_keywords(Compiler *compiler, const json_t *schema, unsigned allowed)
{
	const bool	of_values = json_object_get(schema, "enum") || json_object_get(schema, "const");
	const bool	of_choices = json_object_get(schema, "anyOf");
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *) schema, key, value)
	{
		unsigned	of = 0;
		bool		known = false;

		for (size_t i = 0; i < sizeof keywords / sizeof *keywords && !known; i++)
			if ((known = strcmp(key, keywords[i].name) == 0))
				of = keywords[i].of;
		if (!known)
			return model_error(compiler->error, MODEL_UNSUPPORTED,
							   "keyword \"%.64s\" of a JSON schema is not supported: there are type, properties, required, additionalProperties, "
							   "items, minItems, maxItems, minLength, maxLength, enum, const, anyOf, and what only describes", key);
		if (of != 0 && (of & allowed) == 0)
			return model_error(compiler->error, MODEL_BAD_INPUT, "keyword \"%s\" of a JSON schema says something of another type than its own", key);
		if (of != 0 && (of_values || of_choices) && strcmp(key, "type") != 0 && strcmp(key, of_choices ? "anyOf" : "enum") != 0 &&
			(of_choices || strcmp(key, "const") != 0))
			return model_error(compiler->error, MODEL_UNSUPPORTED, "keyword \"%s\" of a JSON schema is not supported beside %s", key,
							   of_choices ? "\"anyOf\"" : "\"enum\" or \"const\"");
	}
	if (of_choices && json_object_get(schema, "type"))
		return model_error(compiler->error, MODEL_UNSUPPORTED, "keyword \"type\" of a JSON schema is not supported beside \"anyOf\"");
	return true;
}

static bool
count_of(Compiler *compiler, const json_t *schema, const char *key, uint32_t *count)
{
	const json_t *value = json_object_get(schema, key);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX)
		return model_error(compiler->error, MODEL_BAD_INPUT, "\"%s\" of a JSON schema is no whole number from 0 to %" PRId32, key, INT32_MAX);
	*count = (uint32_t) json_integer_value(value);
	return true;
}

static bool
range_of(Compiler *compiler, const json_t *schema, const char *least, const char *most, JsonNode *node)
{
	if (!count_of(compiler, schema, least, &node->least) || !count_of(compiler, schema, most, &node->most))
		return false;
	return node->least <= node->most ||
		model_error(compiler->error, MODEL_BAD_INPUT, "\"%s\" of a JSON schema is more than its \"%s\"", least, most);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const JsonLiteral *) a)->text, ((const JsonLiteral *) b)->text);
}

/* enum and const, as far as they are of an allowed type */
static const JsonNode *
compile_values(Compiler *compiler, const json_t *schema, unsigned allowed)
{
	const json_t *values = json_object_get(schema, "enum");
	const json_t *constant = json_object_get(schema, "const");
	JsonNode   *node = new_node(compiler, JSON_NODE_LITERAL);
	const size_t n = values ? json_array_size(values) : 1;

	if (!node)
		return NULL;
	if (values && !json_is_array(values))
	{
		model_error(compiler->error, MODEL_BAD_INPUT, "\"enum\" of a JSON schema is no array");
		return NULL;
	}
	node->literals = calloc(n + 1, sizeof *node->literals);
	if (!node->literals)
		return no_memory(compiler);
	for (size_t i = 0; i < n; i++)
	{
		const json_t *value = values ? json_array_get(values, i) : constant;

		if ((type_of_value(value) & allowed) == 0 || (values && constant && !json_equal(value, constant)))
			continue;
		if (!set_literal(compiler, &node->literals[node->nliterals], value))
			return NULL;
		node->nliterals++;
	}
	if (node->nliterals == 0)
	{
		model_error(compiler->error, MODEL_BAD_INPUT, "a JSON schema has no value that \"enum\", \"const\" and \"type\" allow");
		return NULL;
	}
	qsort(node->literals, node->nliterals, sizeof *node->literals, by_text);
	return node;
}

static const JsonNode *
compile_words(Compiler *compiler, const char *const *words, size_t n)
{
	JsonNode   *node = new_node(compiler, JSON_NODE_LITERAL);

	if (!node)
		return NULL;
	node->literals = calloc(n, sizeof *node->literals);
	if (!node->literals)
		return no_memory(compiler);
	for (size_t i = 0; i < n; i++)
	{
		node->literals[i].text = strdup(words[i]);
		if (!node->literals[i].text)
			return no_memory(compiler);
		node->literals[i].len = (uint32_t) strlen(words[i]);
		node->nliterals++;
	}
	return node;
}

static bool
is_listed(const json_t *names, const char *name)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
			return true;
	return false;
}

static const JsonNode *
compile_object(Compiler *compiler, const json_t *schema)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *required = json_object_get(schema, "required");
	const json_t *more = json_object_get(schema, "additionalProperties");
	JsonNode   *node = new_node(compiler, JSON_NODE_OBJECT);
	const char *key;
	const json_t *value;

	if (!node)
		return NULL;
	if (properties && !json_is_object(properties))
		model_error(compiler->error, MODEL_BAD_INPUT, "\"properties\" of a JSON schema is no object");
	else if (required && !json_is_array(required))
		model_error(compiler->error, MODEL_BAD_INPUT, "\"required\" of a JSON schema is no array");
	else if (more && !json_is_boolean(more))
		model_error(compiler->error, MODEL_UNSUPPORTED, "\"additionalProperties\" of a JSON schema is neither true nor false");
	else
	{
		for (size_t i = 0; i < json_array_size(required); i++)
			if (!json_is_string(json_array_get(required, i)) || !json_object_get(properties, json_string_value(json_array_get(required, i))))
			{
				model_error(compiler->error, MODEL_BAD_INPUT, "\"required\" of a JSON schema names what \"properties\" has not");
				return NULL;
			}
		/* without a word about them: any */
		node->open = !properties && !json_is_false(more);
		node->properties = calloc(json_object_size(properties) + 1, sizeof *node->properties);
		if (!node->properties)
			return no_memory(compiler);
		json_object_foreach((json_t *) properties, key, value)
		{
			JsonProperty *property = &node->properties[node->nproperties];
			json_t	   *name = json_string(key);
			bool		set = name ? set_literal(compiler, &property->key, name) : no_memory(compiler) != NULL;

			json_decref(name);
			if (!set)
				return NULL;
			node->nproperties++;
			property->required = is_listed(required, key);
			property->value = compile(compiler, value);
			if (!property->value)
				return NULL;
		}
		return node;
	}
	return NULL;
}

static const JsonNode *
compile_array(Compiler *compiler, const json_t *schema)
{
	const json_t *items = json_object_get(schema, "items");
	JsonNode   *node = new_node(compiler, JSON_NODE_ARRAY);

	if (!node || !range_of(compiler, schema, "minItems", "maxItems", node))
		return NULL;
	node->item = items ? compile(compiler, items) : new_node(compiler, JSON_NODE_ANY);
	return node->item ? node : NULL;
}

static const JsonNode *
compile_string(Compiler *compiler, const json_t *schema)
{
	JsonNode   *node = new_node(compiler, JSON_NODE_STRING);

	return node && range_of(compiler, schema, "minLength", "maxLength", node) ? node : NULL;
}

static const JsonNode *
compile_type(Compiler *compiler, const json_t *schema, unsigned type)
{
	static const char *const null[] = {"null"};
	static const char *const booleans[] = {"false", "true"};

	switch (type)
	{
		case TYPE_NULL:
			return compile_words(compiler, null, 1);
		case TYPE_BOOLEAN:
			return compile_words(compiler, booleans, 2);
		case TYPE_INTEGER:
			return new_node(compiler, JSON_NODE_INTEGER);
		case TYPE_NUMBER:
			return new_node(compiler, JSON_NODE_NUMBER);
		case TYPE_STRING:
			return compile_string(compiler, schema);
		case TYPE_ARRAY:
			return compile_array(compiler, schema);
		default:
			return compile_object(compiler, schema);
	}
}

static bool
add_choice(JsonNode *node, const JsonNode *choice)
{
	if (!choice)
		return false;
	node->choices[node->nchoices++] = choice;
	return true;
}

static const JsonNode *
compile_choices(Compiler *compiler, const json_t *choices)
{
	JsonNode   *node = new_node(compiler, JSON_NODE_UNION);

	if (!node)
		return NULL;
	if (json_array_size(choices) == 0)
	{
		model_error(compiler->error, MODEL_BAD_INPUT, "\"anyOf\" of a JSON schema is no array of schemas");
		return NULL;
	}
	node->choices = calloc(json_array_size(choices), sizeof *node->choices);
	if (!node->choices)
		return no_memory(compiler);
	for (size_t i = 0; i < json_array_size(choices); i++)
		if (!add_choice(node, compile(compiler, json_array_get(choices, i))))
			return NULL;
	return node;
}

static const JsonNode *
compile_types(Compiler *compiler, const json_t *schema, unsigned allowed)
{
	JsonNode   *node;

	/* an integer is a number */
	if (allowed & TYPE_NUMBER)
		allowed &= ~(unsigned) TYPE_INTEGER;
	if ((allowed & (allowed - 1)) == 0)
		return compile_type(compiler, schema, allowed);
	node = new_node(compiler, JSON_NODE_UNION);
	if (!node)
		return NULL;
	node->choices = calloc(sizeof types / sizeof *types, sizeof *node->choices);
	if (!node->choices)
		return no_memory(compiler);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((allowed & types[i].type) && !add_choice(node, compile_type(compiler, schema, types[i].type)))
			return NULL;
	return node;
}

static bool
says_something(const json_t *schema)
{
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *) schema, key, value)
		for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
			if (keywords[i].of != 0 && strcmp(key, keywords[i].name) == 0)
				return true;
	return false;
}

static const JsonNode *
compile(Compiler *compiler, const json_t *schema)
{
	const JsonNode *node = NULL;
	unsigned	allowed;

	if (json_is_true(schema))
		return new_node(compiler, JSON_NODE_ANY);
	if (!json_is_object(schema))
	{
		model_error(compiler->error, MODEL_BAD_INPUT, "a JSON schema is neither an object nor true");
		return NULL;
	}
	if (compiler->depth == JSON_DEPTH_MAX / 2)
	{
		model_error(compiler->error, MODEL_BAD_INPUT, "a JSON schema has more than %d schemas in one another", JSON_DEPTH_MAX / 2);
		return NULL;
	}
	compiler->depth++;
	if ((allowed = types_of(compiler, schema)) != 0 && check_keywords(compiler, schema, allowed))
	{
		if (!says_something(schema))
			node = new_node(compiler, JSON_NODE_ANY);
		else if (json_object_get(schema, "anyOf"))
			node = compile_choices(compiler, json_object_get(schema, "anyOf"));
		else if (json_object_get(schema, "enum") || json_object_get(schema, "const"))
			node = compile_values(compiler, schema, allowed);
		else
			node = compile_types(compiler, schema, allowed);
	}
	compiler->depth--;
	return node;
}

JsonSchema *
json_schema_open(const char *text, size_t len, ModelError *error)
{
	Compiler	compiler = {calloc(1, sizeof(JsonSchema)), error, 0};
	json_error_t wrong;
	json_t	   *json;

	if (!compiler.schema)
		return no_memory(&compiler);
	json = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &wrong);
	if (!json)
		model_error(error, MODEL_BAD_INPUT, "the JSON schema is no JSON: line %d: %s", wrong.line, wrong.text);
	else
		compiler.schema->root = compile(&compiler, json);
	json_decref(json);
	if (compiler.schema->root)
		return compiler.schema;
	json_schema_close(compiler.schema);
	return NULL;
}

static void
free_node(JsonNode *node)
{
	for (uint32_t i = 0; i < node->nliterals; i++)
		free(node->literals[i].text);
	for (uint32_t i = 0; i < node->nproperties; i++)
		free(node->properties[i].key.text);
	free(node->literals);
	free(node->properties);
	free(node->choices);
	free(node);
}

void
json_schema_close(JsonSchema *schema)
{
	if (!schema)
		return;
	while (schema->nodes)
	{
		JsonNode   *node = schema->nodes;

		schema->nodes = node->next;
		free_node(node);
	}
	free(schema);
}
