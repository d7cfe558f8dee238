/*-------------------------------------------------------------------------
 *
 * input.h
 *	  Texts and options as SQL gives them, for the library.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_INPUT_H
#define GPUSCAN_MODEL_SQL_INPUT_H

#include "model/tokens.h"
#include "utils/jsonb.h"

/* A text in UTF-8 behind a prefix, which is in the server's encoding; palloc'ed, or the text's own bytes */
extern const char *gpuscan_model_input(text *input, const char *prefix, size_t *len);
/* The other way round: in the server's encoding */
extern text *gpuscan_model_output(const char *utf8, size_t len);

/* An empty list, whose memory goes with the current context */
extern TokenList *gpuscan_token_list(void);

#define MODEL_OPTION_COUNT_MAX	1000

typedef enum ModelOptionType
{
	MODEL_OPTION_BOOL,
	MODEL_OPTION_COUNT			/* 1 to MODEL_OPTION_COUNT_MAX */
} ModelOptionType;

typedef struct ModelOption
{
	const char *name;
	ModelOptionType type;
} ModelOption;

typedef struct ModelOptionValue
{
	bool		given;
	bool		boolean;
	int			count;
} ModelOptionValue;

/* An object of options, or NULL: values[i] is known[i]'s.  ERROR on unknown ones and other types. */
extern void gpuscan_read_model_options(Jsonb *options, const ModelOption *known, int n, ModelOptionValue *values);

#endif							/* GPUSCAN_MODEL_SQL_INPUT_H */
