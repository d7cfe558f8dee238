/*-------------------------------------------------------------------------
 *
 * json_machine.c
 *	  See json_machine.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/json_machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef enum Place
{
	BEFORE_VALUE,				/* of node; count: white space before it */
	IN_LITERAL,					/* index: of the first that is possible, count: of them, at: bytes read */
	/* count: whole characters of a string */
	IN_STRING,
	AFTER_BACKSLASH,
	IN_HEX,						/* at: digits read, index: their value */
	IN_CHARACTER,				/* at: bytes to come, index: the least and most that the next one may be */
	/* count: digits of this part of a number */
	AFTER_MINUS,
	AFTER_ZERO,
	IN_WHOLE,
	IN_FRACTION,
	AFTER_E,
	AFTER_E_SIGN,
	IN_EXPONENT,
	/* of an object; index: the property that may come next, count: white space */
	BEFORE_FIRST_KEY,
	BEFORE_KEY,
	IN_KEY,						/* index: of the property, at: bytes read */
	IN_OPEN_KEY,				/* below a string */
	BEFORE_COLON,
	AFTER_PROPERTY,
	/* of an array; index: values read, count: white space */
	BEFORE_FIRST_ITEM,
	AFTER_ITEM,
} Place;

struct JsonFrame
{
	const JsonNode *node;
	const JsonFrame *parent;	/* what goes on when this is complete, or NULL */
	uint32_t	index;
	uint32_t	count;
	uint16_t	at;
	uint8_t		place;
	uint8_t		depth;			/* frames below it */
};

#define CHUNK	1024

struct JsonMachine
{
	const JsonSchema *schema;
	JsonFrame **chunks;
	size_t		nchunks;
	size_t		nframes;
	bool		no_memory;
	bool		too_many;
};

static JsonLiteral words[] = {{"false", 5}, {"null", 4}, {"true", 4}};
static const JsonNode any = {.kind = JSON_NODE_ANY, .most = UINT32_MAX};
static const JsonNode any_string = {.kind = JSON_NODE_STRING, .most = UINT32_MAX};
static const JsonNode any_number = {.kind = JSON_NODE_NUMBER, .most = UINT32_MAX};
static const JsonNode any_object = {.kind = JSON_NODE_OBJECT, .most = UINT32_MAX, .open = true};
static const JsonNode any_array = {.kind = JSON_NODE_ARRAY, .most = UINT32_MAX, .item = &any};
static const JsonNode any_word = {.kind = JSON_NODE_LITERAL, .most = UINT32_MAX, .literals = words, .nliterals = 3};

JsonMachine *
json_machine_open(const JsonSchema *schema, ModelError *error)
{
	JsonMachine *machine = calloc(1, sizeof *machine);

	if (!machine)
		model_error(error, MODEL_NO_MEMORY, "out of memory for a JSON schema");
	else
		machine->schema = schema;
	return machine;
}

void
json_machine_close(JsonMachine *machine)
{
	if (!machine)
		return;
	for (size_t i = 0; i < machine->nchunks; i++)
		free(machine->chunks[i]);
	free(machine->chunks);
	free(machine);
}

size_t
json_machine_mark(const JsonMachine *machine)
{
	return machine->nframes;
}

void
json_machine_forget(JsonMachine *machine, size_t mark)
{
	machine->nframes = mark;
}

static JsonFrame *
new_frame(JsonMachine *machine)
{
	if (machine->nframes == machine->nchunks * CHUNK)
	{
		JsonFrame **chunks = realloc(machine->chunks, (machine->nchunks + 1) * sizeof *chunks);

		if (chunks)
		{
			machine->chunks = chunks;
			chunks[machine->nchunks] = malloc(CHUNK * sizeof **chunks);
			if (chunks[machine->nchunks])
				machine->nchunks++;
			else
				chunks = NULL;
		}
		if (!chunks)
		{
			machine->no_memory = true;
			return NULL;
		}
	}
	machine->nframes++;
	return &machine->chunks[(machine->nframes - 1) / CHUNK][(machine->nframes - 1) % CHUNK];
}

static bool
same_stack(const JsonFrame *a, const JsonFrame *b)
{
	for (; a != b; a = a->parent, b = b->parent)
		if (!a || !b || a->node != b->node || a->place != b->place || a->index != b->index || a->count != b->count || a->at != b->at)
			return false;
	return true;
}

bool
json_machine_same(const JsonState *a, const JsonState *b)
{
	if (a->n != b->n || a->complete != b->complete)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!same_stack(a->readings[i], b->readings[i]))
			return false;
	return true;
}

static void
possible(JsonMachine *machine, JsonState *to, const JsonFrame *reading)
{
	for (uint32_t i = 0; i < to->n; i++)
		if (same_stack(to->readings[i], reading))
			return;
	if (to->n == JSON_READINGS_MAX)
		machine->too_many = true;
	else
		to->readings[to->n++] = reading;
}

/* A reading that has 'frame' on top of frame->parent */
static void
push(JsonMachine *machine, JsonState *to, JsonFrame frame)
{
	JsonFrame  *made = new_frame(machine);

	if (!made)
		return;
	*made = frame;
	made->depth = frame.parent ? frame.parent->depth + 1 : 0;
	possible(machine, to, made);
}

/* The same frame, that has gone on */
static void
move(JsonMachine *machine, JsonState *to, const JsonFrame *frame, Place place, uint32_t index, uint32_t count, uint32_t at)
{
	if (frame->place == place && frame->index == index && frame->count == count && frame->at == at)
		possible(machine, to, frame);
	else
		push(machine, to, (JsonFrame) {frame->node, frame->parent, index, count, (uint16_t) at, place, 0});
}

/* What 'frame' stands for has been read: what is below it goes on. */
static void
complete(JsonMachine *machine, JsonState *to, const JsonFrame *frame)
{
	const JsonFrame *below = frame->parent;

	if (!below)
		to->complete = true;
	else if (below->place == IN_OPEN_KEY)
		move(machine, to, below, BEFORE_COLON, below->index, 0, 0);
	else if (below->node->kind == JSON_NODE_ARRAY)
		move(machine, to, below, AFTER_ITEM, below->index + 1, 0, 0);
	else
		move(machine, to, below, AFTER_PROPERTY, below->index, 0, 0);
}

static bool
is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* ------------------------------------------------------------------------
 * Literals, strings, numbers
 * ------------------------------------------------------------------------
 */

/* Literals are in order: those that go on with a byte are beside each other. */
static void
read_literal(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const JsonLiteral *literals = frame->node->literals;
	uint32_t	first = frame->index;
	uint32_t	end = frame->index + frame->count;
	const uint32_t at = frame->at;

	while (first < end && (literals[first].len <= at || (uint8_t) literals[first].text[at] != byte))
		first++;
	while (end > first && (literals[end - 1].len <= at || (uint8_t) literals[end - 1].text[at] != byte))
		end--;
	if (first == end)
		return;
	/* the shortest comes first */
	if (literals[first].len == at + 1)
		complete(machine, to, frame);
	if (literals[end - 1].len > at + 1)
		move(machine, to, frame, IN_LITERAL, first, end - first, at + 1);
}

static void
read_character(JsonMachine *machine, const JsonFrame *frame, JsonState *to)
{
	const JsonNode *node = frame->node;
	/* nobody asks for the number where there are no limits */
	const bool	counted = node->least > 0 || node->most != UINT32_MAX;

	move(machine, to, frame, IN_STRING, 0, frame->count + (counted ? 1 : 0), 0);
}

/* index of IN_CHARACTER */
#define LIMITS(least, most)		((least) << 8 | (most))

static void
read_string(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const JsonNode *node = frame->node;

	if (byte == '"')
	{
		if (frame->count >= node->least)
			complete(machine, to, frame);
	}
	else if (frame->count >= node->most || byte < 0x20)
		return;
	else if (byte == '\\')
		move(machine, to, frame, AFTER_BACKSLASH, 0, frame->count, 0);
	else if (byte < 0x80)
		read_character(machine, frame, to);
	/* RFC 3629, section 4 */
	else if (byte >= 0xC2 && byte < 0xE0)
		move(machine, to, frame, IN_CHARACTER, LIMITS(0x80, 0xBF), frame->count, 1);
	else if (byte >= 0xE0 && byte < 0xF0)
		move(machine, to, frame, IN_CHARACTER, byte == 0xE0 ? LIMITS(0xA0, 0xBF) : byte == 0xED ? LIMITS(0x80, 0x9F) : LIMITS(0x80, 0xBF),
			 frame->count, 2);
	else if (byte >= 0xF0 && byte < 0xF5)
		move(machine, to, frame, IN_CHARACTER, byte == 0xF0 ? LIMITS(0x90, 0xBF) : byte == 0xF4 ? LIMITS(0x80, 0x8F) : LIMITS(0x80, 0xBF),
			 frame->count, 3);
}

static void
read_in_character(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	if (byte < frame->index >> 8 || byte > (frame->index & 0xFF))
		return;
	if (frame->at == 1)
		read_character(machine, frame, to);
	else
		move(machine, to, frame, IN_CHARACTER, LIMITS(0x80, 0xBF), frame->count, frame->at - 1u);
}

static void
read_escape(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	if (byte == 'u')
		move(machine, to, frame, IN_HEX, 0, frame->count, 0);
	else if (byte != 0 && strchr("\"\\/bfnrt", byte))
		read_character(machine, frame, to);
}

static void
read_hex(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const uint8_t lower = byte | 0x20;
	uint32_t	value;

	if (is_digit(byte))
		value = frame->index << 4 | (byte - '0');
	else if (lower >= 'a' && lower <= 'f')
		value = frame->index << 4 | (lower - 'a' + 10u);
	else
		return;
	/* halves of pairs are D800 to DFFF */
	if (frame->at == 1 && value >= 0xD8 && value <= 0xDF)
		return;
	if (frame->at < 3)
		move(machine, to, frame, IN_HEX, value, frame->count, frame->at + 1u);
	else if (value != 0)
		read_character(machine, frame, to);
}

/* numeric has more, but none that a model means */
#define EXPONENT_DIGITS_MAX	3

/* Here the number may end, or go on where anything can follow. */
static void
number_goes_on(JsonMachine *machine, const JsonFrame *frame, Place place, uint32_t count, JsonState *to)
{
	const bool	whole = frame->node->kind == JSON_NODE_INTEGER;

	complete(machine, to, frame);
	if ((place == AFTER_ZERO && whole) || (place == IN_WHOLE && whole && count == JSON_DIGITS_MAX) ||
		(place == IN_EXPONENT && count == EXPONENT_DIGITS_MAX))
		return;
	move(machine, to, frame, place, 0, count, 0);
}

static void
read_number(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const bool	whole = frame->node->kind == JSON_NODE_INTEGER;

	switch ((Place) frame->place)
	{
		case AFTER_MINUS:
			if (byte == '0')
				number_goes_on(machine, frame, AFTER_ZERO, 1, to);
			else if (is_digit(byte))
				number_goes_on(machine, frame, IN_WHOLE, 1, to);
			return;
		case AFTER_ZERO:
		case IN_WHOLE:
		case IN_FRACTION:
			if (is_digit(byte) && frame->place != AFTER_ZERO && frame->count < JSON_DIGITS_MAX)
				number_goes_on(machine, frame, (Place) frame->place, frame->count + 1, to);
			else if (whole || (frame->place == IN_FRACTION && frame->count == 0))
				return;
			else if (byte == '.' && frame->place != IN_FRACTION)
				move(machine, to, frame, IN_FRACTION, 0, 0, 0);
			else if (byte == 'e' || byte == 'E')
				move(machine, to, frame, AFTER_E, 0, 0, 0);
			return;
		case AFTER_E:
			if (byte == '+' || byte == '-')
			{
				move(machine, to, frame, AFTER_E_SIGN, 0, 0, 0);
				return;
			}
			/* FALLTHROUGH */
		case AFTER_E_SIGN:
		case IN_EXPONENT:
			if (is_digit(byte) && frame->count < EXPONENT_DIGITS_MAX)
				number_goes_on(machine, frame, IN_EXPONENT, frame->count + 1, to);
			return;
		default:
			return;
	}
}

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------
 */

/* The first byte of a value of 'node' */
static void
begin_value(JsonMachine *machine, const JsonNode *node, const JsonFrame *parent, uint8_t byte, JsonState *to)
{
	/* a frame that is not there: what begins stands on its parent */
	const JsonFrame before = {.node = node, .parent = parent, .place = BEFORE_VALUE};
	const bool	deeper = !parent || parent->depth < JSON_DEPTH_MAX - 2;

	switch (node->kind)
	{
		case JSON_NODE_ANY:
			begin_value(machine, &any_string, parent, byte, to);
			begin_value(machine, &any_number, parent, byte, to);
			begin_value(machine, &any_word, parent, byte, to);
			begin_value(machine, &any_object, parent, byte, to);
			begin_value(machine, &any_array, parent, byte, to);
			return;
		case JSON_NODE_UNION:
			for (uint32_t i = 0; i < node->nchoices; i++)
				begin_value(machine, node->choices[i], parent, byte, to);
			return;
		case JSON_NODE_LITERAL:
			{
				JsonFrame	all = before;

				all.count = node->nliterals;
				read_literal(machine, &all, byte, to);
				return;
			}
		case JSON_NODE_STRING:
			if (byte == '"')
				move(machine, to, &before, IN_STRING, 0, 0, 0);
			return;
		case JSON_NODE_INTEGER:
		case JSON_NODE_NUMBER:
			if (byte == '-')
				move(machine, to, &before, AFTER_MINUS, 0, 0, 0);
			else if (is_digit(byte))
				number_goes_on(machine, &before, byte == '0' ? AFTER_ZERO : IN_WHOLE, 1, to);
			return;
		case JSON_NODE_OBJECT:
			if (byte == '{' && deeper)
				move(machine, to, &before, BEFORE_FIRST_KEY, 0, 0, 0);
			return;
		case JSON_NODE_ARRAY:
			if (byte == '[' && deeper)
				move(machine, to, &before, BEFORE_FIRST_ITEM, 0, 0, 0);
			return;
	}
}

/* May an object end before its property 'index'? */
static bool
may_end(const JsonNode *node, uint32_t index)
{
	for (uint32_t i = index; i < node->nproperties; i++)
		if (node->properties[i].required)
			return false;
	return true;
}

static void
begin_key(JsonMachine *machine, const JsonFrame *object, JsonState *to)
{
	const JsonNode *node = object->node;

	if (node->open)
	{
		JsonFrame  *key = new_frame(machine);

		if (!key)
			return;
		*key = *object;
		key->place = IN_OPEN_KEY;
		key->count = 0;
		push(machine, to, (JsonFrame) {.node = &any_string, .parent = key, .place = IN_STRING});
		return;
	}
	/* any of those up to the next that must be there */
	for (uint32_t i = object->index; i < node->nproperties; i++)
	{
		move(machine, to, object, IN_KEY, i, 0, 1);
		if (node->properties[i].required)
			return;
	}
}

static void
read_key(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const JsonLiteral *key = &frame->node->properties[frame->index].key;

	if ((uint8_t) key->text[frame->at] != byte)
		return;
	if (frame->at + 1u == key->len)
		move(machine, to, frame, BEFORE_COLON, frame->index + 1, 0, 0);
	else
		move(machine, to, frame, IN_KEY, frame->index, 0, frame->at + 1u);
}

static void
read_object(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const JsonNode *node = frame->node;

	switch ((Place) frame->place)
	{
		case BEFORE_COLON:
			if (byte == ':')
				push(machine, to, (JsonFrame) {.node = node->open ? &any : node->properties[frame->index - 1].value, .parent = frame, .place = BEFORE_VALUE});
			return;
		case AFTER_PROPERTY:
			if (byte == ',' && (node->open || frame->index < node->nproperties))
				move(machine, to, frame, BEFORE_KEY, frame->index, 0, 0);
			break;
		default:
			if (byte == '"')
				begin_key(machine, frame, to);
			break;
	}
	if (byte == '}' && frame->place != BEFORE_KEY && may_end(node, frame->index))
		complete(machine, to, frame);
}

static void
read_array(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	const JsonNode *node = frame->node;

	if (byte == ']')
	{
		if (frame->index >= node->least)
			complete(machine, to, frame);
	}
	else if (frame->index >= node->most)
		return;
	else if (frame->place == BEFORE_FIRST_ITEM)
		begin_value(machine, node->item, frame, byte, to);
	else if (byte == ',')
		push(machine, to, (JsonFrame) {.node = node->item, .parent = frame, .place = BEFORE_VALUE});
}

static void
read_byte(JsonMachine *machine, const JsonFrame *frame, uint8_t byte, JsonState *to)
{
	switch ((Place) frame->place)
	{
		case IN_LITERAL:
			read_literal(machine, frame, byte, to);
			return;
		case IN_STRING:
			read_string(machine, frame, byte, to);
			return;
		case AFTER_BACKSLASH:
			read_escape(machine, frame, byte, to);
			return;
		case IN_HEX:
			read_hex(machine, frame, byte, to);
			return;
		case IN_CHARACTER:
			read_in_character(machine, frame, byte, to);
			return;
		case AFTER_MINUS:
		case AFTER_ZERO:
		case IN_WHOLE:
		case IN_FRACTION:
		case AFTER_E:
		case AFTER_E_SIGN:
		case IN_EXPONENT:
			read_number(machine, frame, byte, to);
			return;
		case IN_KEY:
			read_key(machine, frame, byte, to);
			return;
		case IN_OPEN_KEY:
			return;
		default:
			break;
	}
	/* in all other places white space may come */
	if (is_space(byte))
	{
		if (frame->count < JSON_SPACES_MAX)
			move(machine, to, frame, (Place) frame->place, frame->index, frame->count + 1, frame->at);
	}
	else if (frame->place == BEFORE_VALUE)
		begin_value(machine, frame->node, frame->parent, byte, to);
	else if (frame->node->kind == JSON_NODE_OBJECT)
		read_object(machine, frame, byte, to);
	else
		read_array(machine, frame, byte, to);
}

static bool
went_well(JsonMachine *machine, ModelError *error)
{
	if (machine->no_memory)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a JSON schema");
	if (machine->too_many)
		return model_error(error, MODEL_BAD_INPUT, "the JSON schema leaves more than %d ways open at a time", JSON_READINGS_MAX);
	return true;
}

bool
json_machine_begin(JsonMachine *machine, JsonState *state, ModelError *error)
{
	state->n = 0;
	state->complete = false;
	push(machine, state, (JsonFrame) {.node = machine->schema->root, .place = BEFORE_VALUE});
	return went_well(machine, error);
}

bool
json_machine_read(JsonMachine *machine, const JsonState *from, uint8_t byte, JsonState *to, ModelError *error)
{
	to->n = 0;
	to->complete = false;
	for (uint32_t i = 0; i < from->n; i++)
		read_byte(machine, from->readings[i], byte, to);
	return went_well(machine, error);
}
