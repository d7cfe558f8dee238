/*-------------------------------------------------------------------------
 *
 * wordpiece.h
 *	  WordPiece: tokens of BERT and its kin.
 *
 * A text is cleaned (control characters go, accents and upper case too where the
 * model has neither), cut into words at white space, punctuation and Chinese
 * characters, and each word becomes the longest tokens that it begins with, one
 * after the other; a word for which there are none becomes the unknown token as
 * a whole.  The rules are those of the library tokenizers (BertNormalizer,
 * BertPreTokenizer, WordPiece).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_WORDPIECE_H
#define GPUSCAN_MODEL_WORDPIECE_H

#include "model/model_error.h"
#include "model/tokens.h"

typedef struct Wordpiece Wordpiece;

typedef struct WordpieceOptions
{
	bool		lowercase;		/* and without accents */
	const char *unknown;		/* the token's name; NULL: "[UNK]" */
} WordpieceOptions;

/* vocabulary: a token a line, as in vocab.txt; what continues a word begins with ## */
extern Wordpiece *wordpiece_open(const char *vocabulary, size_t len, const WordpieceOptions *options, ModelError *error);
extern void wordpiece_close(Wordpiece *wordpiece);
extern uint32_t wordpiece_ntokens(const Wordpiece *wordpiece);

/* The number of a token by its name, special ones too; -1: there is none */
extern int32_t wordpiece_find(const Wordpiece *wordpiece, const char *name);
extern const char *wordpiece_piece(const Wordpiece *wordpiece, int32_t id, uint32_t *len);

/* Append the tokens of a text, without those that stand around it.  Nothing in it is taken for a special token. */
extern bool wordpiece_encode(const Wordpiece *wordpiece, const char *text, size_t len, TokenList *out,
							 ModelCancelled cancelled, void *context, ModelError *error);

/*
 * The longest beginning of a text, in whole characters, that has at most so many tokens;
 * out, which was empty: those of its whole words, with their places.
 */
extern bool wordpiece_prefix(const Wordpiece *wordpiece, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
							 ModelCancelled cancelled, void *context, ModelError *error);

/*
 * The text of tokens, all of which there are, to 'to', or nowhere if it is NULL; returns
 * its bytes.  A blank stands before each but the first and those that continue a word,
 * whose ## goes: the decoder of the library tokenizers, without its cleanup.
 */
extern size_t wordpiece_text(const Wordpiece *wordpiece, const int32_t *ids, size_t n, char *to);

#endif							/* GPUSCAN_MODEL_WORDPIECE_H */
