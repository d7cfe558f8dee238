/*-------------------------------------------------------------------------
 *
 * vocabulary.c
 *	  See vocabulary.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/vocabulary.h"

#include <stdlib.h>

void
vocabulary_free(Vocabulary *vocabulary)
{
	free(vocabulary->tokens);
	free(vocabulary->merges);
	free(vocabulary->memory);
	*vocabulary = (Vocabulary) {.unknown = -1, .bos = -1};
}
