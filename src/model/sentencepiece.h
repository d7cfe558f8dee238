/*-------------------------------------------------------------------------
 *
 * sentencepiece.h
 *	  SentencePiece's BPE: tokens of the tokenizers that GGUF calls llama.
 *
 * Blanks become U+2581.  Tokens that users have defined are cut out first, the
 * longest that begins at a character.  What is between begins as characters; of
 * all pairs of neighbours that together are a token, the one of the highest score
 * becomes it, the leftmost where there are several, until no pair is one.  A character
 * that is none becomes the tokens of its bytes.  The rules are those of
 * sentencepiece's bpe_model.cc, with normalisation by identity.
 *
 * Where the vocabulary has merges, as Hugging Face writes it, the pair that comes first
 * among them becomes a token, and no other (tokenizers' models/bpe).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SENTENCEPIECE_H
#define GPUSCAN_MODEL_SENTENCEPIECE_H

#include "model/tokens.h"
#include "model/vocabulary.h"

typedef struct Sentencepiece Sentencepiece;

extern Sentencepiece *sentencepiece_open(const Vocabulary *vocabulary, ModelError *error);
extern void sentencepiece_close(Sentencepiece *sp);
extern uint32_t sentencepiece_ntokens(const Sentencepiece *sp);
/* Does a text get a blank before it? */
extern bool sentencepiece_adds_blank(const Sentencepiece *sp);

/*
 * Append the tokens of a text.  Nothing in it is taken for a control token.  A byte
 * that is no part of a character counts as U+FFFD.  first: nothing stands before it
 */
extern bool sentencepiece_encode(Sentencepiece *sp, const char *text, size_t len, bool first, TokenList *out,
								 ModelCancelled cancelled, void *context, ModelError *error);

/* The bytes that a token stands for, with blanks; of a control token, its name */
extern const char *sentencepiece_piece(const Sentencepiece *sp, int32_t id, uint32_t *len);

#endif							/* GPUSCAN_MODEL_SENTENCEPIECE_H */
