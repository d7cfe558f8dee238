/*-------------------------------------------------------------------------
 *
 * json_schema.h
 *	  A JSON Schema as a tree of what values may look like.
 *
 * A part of the standard that can be kept byte by byte while a text is written:
 * type (one or several), properties, required, additionalProperties (true or false),
 * items, minItems, maxItems, minLength, maxLength, enum, const, anyOf.  What only
 * describes (title, description, default, examples, $schema, $id, $comment) is passed
 * over, any other keyword is an error: a value that breaks it would not be noticed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_JSON_SCHEMA_H
#define GPUSCAN_MODEL_JSON_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "model/model_error.h"

/* Values in values, of a schema and of what is written */
#define JSON_DEPTH_MAX	64

typedef enum JsonNodeKind
{
	JSON_NODE_ANY,				/* a value of any kind */
	JSON_NODE_LITERAL,			/* one of some texts */
	JSON_NODE_STRING,
	JSON_NODE_INTEGER,
	JSON_NODE_NUMBER,
	JSON_NODE_OBJECT,
	JSON_NODE_ARRAY,
	JSON_NODE_UNION				/* what one of some others may be */
} JsonNodeKind;

typedef struct JsonLiteral
{
	char	   *text;			/* as JSON writes it */
	uint32_t	len;
} JsonLiteral;

typedef struct JsonNode JsonNode;

typedef struct JsonProperty
{
	JsonLiteral key;			/* with its quotes */
	bool		required;
	const JsonNode *value;
} JsonProperty;

struct JsonNode
{
	JsonNodeKind kind;
	JsonNode   *next;			/* of all of the schema */
	uint32_t	least;			/* characters of a string, values of an array */
	uint32_t	most;			/* UINT32_MAX: any */
	JsonLiteral *literals;
	uint32_t	nliterals;
	JsonProperty *properties;	/* in the order in which they are written */
	uint32_t	nproperties;
	bool		open;			/* an object that may have any properties */
	const JsonNode *item;		/* of an array */
	const JsonNode **choices;	/* of a union */
	uint32_t	nchoices;
};

typedef struct JsonSchema
{
	const JsonNode *root;
	JsonNode   *nodes;			/* all of them */
} JsonSchema;

/* From a schema's text, in UTF-8 */
extern JsonSchema *json_schema_open(const char *text, size_t len, ModelError *error);
extern void json_schema_close(JsonSchema *schema);

#endif							/* GPUSCAN_MODEL_JSON_SCHEMA_H */
