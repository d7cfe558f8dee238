/*-------------------------------------------------------------------------
 *
 * tokens.h
 *	  What tokenizers give: a list of tokens that grows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_TOKENS_H
#define GPUSCAN_MODEL_TOKENS_H

#include <stdint.h>
#include <stdlib.h>

#include "model/model_error.h"

typedef struct TokenList
{
	int32_t    *ids;			/* malloc'ed; may be NULL while n is 0 */
	size_t		n;
	size_t		room;
} TokenList;

/* Asked now and then while a long text is worked on; true: stop */
typedef bool (*ModelCancelled) (void *context);

/* Room for n more */
__attribute__((unused)) static inline bool
tokens_room(TokenList *list, size_t n, ModelError *error)
{
	int32_t    *ids;
	size_t		room;

	if (n <= list->room - list->n)
		return true;
	room = (list->n + n) * 3 / 2 + 64;
	ids = realloc(list->ids, room * sizeof *ids);
	if (!ids)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for %zu tokens", room);
	list->ids = ids;
	list->room = room;
	return true;
}

#endif							/* GPUSCAN_MODEL_TOKENS_H */
