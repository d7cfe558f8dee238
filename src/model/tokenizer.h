/*-------------------------------------------------------------------------
 *
 * tokenizer.h
 *	  The tokenizer of a decoder: byte-level BPE or SentencePiece, and the tokens
 *	  that are no text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_TOKENIZER_H
#define GPUSCAN_MODEL_TOKENIZER_H

#include "model/tokens.h"
#include "model/vocabulary.h"

typedef struct Tokenizer Tokenizer;

extern Tokenizer *tokenizer_open(const Vocabulary *vocabulary, ModelError *error);
extern void tokenizer_close(Tokenizer *tokenizer);
extern uint32_t tokenizer_ntokens(const Tokenizer *tokenizer);

/* Append the tokens of a text.  Nothing in it is taken for a control token. */
extern bool tokenizer_encode(Tokenizer *tokenizer, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error);
/* The same of a text that stands behind a control token: some vocabularies put a blank before the first text alone */
extern bool tokenizer_encode_behind(Tokenizer *tokenizer, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error);

/* Does a text get a blank before it? */
extern bool tokenizer_adds_blank(const Tokenizer *tokenizer);

/* The bytes that a token stands for; of a control token, its name.  NULL: there is no such token */
extern const char *tokenizer_piece(const Tokenizer *tokenizer, int32_t id, uint32_t *len);

/* Is it none that stands for text? */
extern bool tokenizer_is_control(const Tokenizer *tokenizer, int32_t id);
/* A control token by its name, or -1 */
extern int32_t tokenizer_control(const Tokenizer *tokenizer, const char *name);
/* Does a text end where this one comes? */
extern bool tokenizer_ends(const Tokenizer *tokenizer, int32_t id);
/* What a text begins with, or -1; and whether it does where no template says so */
extern int32_t tokenizer_bos(const Tokenizer *tokenizer);
extern bool tokenizer_adds_bos(const Tokenizer *tokenizer);

/* Texts that come token by token: bytes that are no whole character yet wait for the next ones. */
typedef struct TokenizerText
{
	char		bytes[4];		/* the beginning of a character */
	uint32_t	n;
} TokenizerText;

/* Room that the bytes of a token need behind those that wait */
#define TOKENIZER_TEXT_ROOM(len)	(3 * (size_t) (len) + 12)

/*
 * Whole characters of what waits and of a token, to 'to' with TOKENIZER_TEXT_ROOM of
 * its piece; returns their bytes.  Bytes that are no character become U+FFFD, control
 * tokens and zeros nothing.  id -1: the text is at its end, nothing waits any more.
 */
extern size_t tokenizer_text(const Tokenizer *tokenizer, TokenizerText *text, int32_t id, char *to);

#endif							/* GPUSCAN_MODEL_TOKENIZER_H */
