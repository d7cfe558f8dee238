/*-------------------------------------------------------------------------
 *
 * chunk.h
 *	  A long text in pieces of at most so many tokens.
 *
 * A piece ends where the text has a blank line, else a line's end, a sentence's, a
 * blank, a word's end, and if there is none of these within a word; in its second
 * half, if there is one there.  It may begin with the end of the one before,
 * at such a place too.  Blanks around pieces are left out, all else is in one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_CHUNK_H
#define GPUSCAN_MODEL_CHUNK_H

#include "model/model_error.h"
#include "model/tokens.h"

/* encoder_prefix, or another tokenizer's, for which a text that ends before a word has no more tokens than a longer one */
typedef bool (*ChunkPrefix) (const void *tokenizer, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
							 ModelProgress *progress, ModelError *error);

typedef struct Chunker
{
	ChunkPrefix prefix;
	const void *tokenizer;
	const char *text;
	size_t		len;
	size_t		most;			/* tokens of a piece */
	size_t		overlap;		/* ... that the one before may have too; fewer */
	TokenList  *words;			/* scratch */

	/* zero at first */
	size_t		start;			/* where the next piece may begin */
	size_t		end;			/* of the last one */
	size_t		next;			/* behind it and the blanks there */
} Chunker;

/* The next piece: bytes [*begin, *end) of the text; *there false: there is none */
extern bool chunk_next(Chunker *chunker, size_t *begin, size_t *end, bool *there, ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_CHUNK_H */
