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
	bool		places;			/* to be set before there are any: 'at' is wanted */
	size_t	   *at;				/* where, in the text, the word begins that a token is of; malloc'ed */
} TokenList;

/* The beginning of a text that has at most so many tokens */
typedef struct TokenPrefix
{
	size_t		len;			/* its bytes, up to between two characters */
	size_t		whole;			/* ... up to where the word begins that it cuts; len: it cuts none */
} TokenPrefix;


/* Asked now and then while a long text is worked on; true: stop */
typedef bool (*ModelCancelled) (void *context);

/* Who asks it, and how much was done since the last time */
typedef struct ModelProgress
{
	ModelCancelled cancelled;	/* or NULL */
	void	   *context;
	uint32_t	work;
} ModelProgress;

#define MODEL_WORK_A_LOOK	16384

/* After 'work' more characters or steps: false, and an error, when it is to stop. */
__attribute__((unused)) static inline bool
model_goes_on(ModelProgress *progress, uint32_t work, ModelError *error)
{
	progress->work += work;
	if (progress->work < MODEL_WORK_A_LOOK)
		return true;
	progress->work = 0;
	return !progress->cancelled || !progress->cancelled(progress->context) || model_error(error, MODEL_CANCELLED, "cancelled");
}

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
	if (list->places)
	{
		size_t	   *at = realloc(list->at, room * sizeof *at);

		if (!at)
			return model_error(error, MODEL_NO_MEMORY, "out of memory for %zu tokens", room);
		list->at = at;
	}
	list->room = room;
	return true;
}

#endif							/* GPUSCAN_MODEL_TOKENS_H */
