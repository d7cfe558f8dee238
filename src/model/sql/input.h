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

typedef enum ModelOptionType
{
	MODEL_OPTION_BOOL,
	MODEL_OPTION_INT,
	MODEL_OPTION_FLOAT,
	MODEL_OPTION_TEXT,
	MODEL_OPTION_TEXTS			/* one, or an array of some */
} ModelOptionType;

typedef struct ModelOption
{
	const char *name;
	ModelOptionType type;
	double		least;			/* of numbers */
	double		most;
} ModelOption;

typedef struct ModelOptionValue
{
	bool		given;
	bool		boolean;
	double		number;			/* whole, and exact, of MODEL_OPTION_INT */
	char	  **texts;			/* UTF-8, palloc'ed */
	int			ntexts;
} ModelOptionValue;

/* An object of options, or NULL: values[i] is known[i]'s.  ERROR on unknown ones, other types, numbers out of range. */
extern void gpuscan_read_model_options(Jsonb *options, const ModelOption *known, int n, ModelOptionValue *values);

#endif							/* GPUSCAN_MODEL_SQL_INPUT_H */
