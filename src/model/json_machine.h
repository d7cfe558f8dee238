/*-------------------------------------------------------------------------
 *
 * json_machine.h
 *	  Reading a JSON value of a schema byte by byte: which bytes may come next.
 *
 * A schema may leave open what is being read (anyOf, properties that may be left
 * out, a number that may have another digit), so a state is a set of stacks, each of
 * a reading that is still possible.  Frames are never changed: stacks share their
 * lower parts, and going back is to forget the frames that were made since.
 *
 * What is read is valid for jsonb too: UTF-8, no \u0000, no half of a surrogate pair
 * by \u.  White space between values is at most JSON_SPACES_MAX bytes at a time, and a
 * number has at most JSON_DIGITS_MAX digits in each of its parts, so that a model cannot
 * write those without end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_JSON_MACHINE_H
#define GPUSCAN_MODEL_JSON_MACHINE_H

#include "model/json_schema.h"

#define JSON_SPACES_MAX		32
#define JSON_DIGITS_MAX		18

/* Readings that are possible at a time; more are an error */
#define JSON_READINGS_MAX	256

typedef struct JsonFrame JsonFrame;

typedef struct JsonState
{
	const JsonFrame *readings[JSON_READINGS_MAX];
	uint32_t	n;
	bool		complete;		/* what was read is a value */
} JsonState;

typedef struct JsonMachine JsonMachine;

extern JsonMachine *json_machine_open(const JsonSchema *schema, ModelError *error);
extern void json_machine_close(JsonMachine *machine);

/* Before the first byte */
extern bool json_machine_begin(JsonMachine *machine, JsonState *state, ModelError *error);

/*
 * After another byte; to->n is 0 and to->complete false where it cannot come.  An error
 * of memory, or of too many readings.
 */
extern bool json_machine_read(JsonMachine *machine, const JsonState *from, uint8_t byte, JsonState *to, ModelError *error);

/* Are they the same, whatever frames they are made of? */
extern bool json_machine_same(const JsonState *a, const JsonState *b);

/* Frames that are made from now on are forgotten by json_machine_forget(). */
extern size_t json_machine_mark(const JsonMachine *machine);
extern void json_machine_forget(JsonMachine *machine, size_t mark);

#endif							/* GPUSCAN_MODEL_JSON_MACHINE_H */
