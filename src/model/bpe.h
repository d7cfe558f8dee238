/*-------------------------------------------------------------------------
 *
 * bpe.h
 *	  Byte-level BPE: tokens of the tokenizers that GGUF calls gpt2.
 *
 * A piece of text (pretoken.h) begins as its bytes, each of which is a token;
 * of all pairs of neighbours the one that comes first in the list of merges
 * becomes one token, the leftmost where there are several, until no pair is in
 * the list.  In the file bytes have printable stand-ins; here tokens are bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_BPE_H
#define GPUSCAN_MODEL_BPE_H

#include "model/tokens.h"
#include "model/vocabulary.h"

typedef struct Bpe Bpe;

extern Bpe *bpe_open(const Vocabulary *vocabulary, ModelError *error);
extern void bpe_close(Bpe *bpe);
extern uint32_t bpe_ntokens(const Bpe *bpe);

/*
 * Append the tokens of a text.  Nothing in it is taken for a special token.
 * Bytes that the vocabulary does not have are left out.
 */
extern bool bpe_encode(Bpe *bpe, const char *text, size_t len, TokenList *out, ModelCancelled cancelled, void *context, ModelError *error);

/* The bytes that a token stands for; of a special token, its name */
extern const char *bpe_piece(const Bpe *bpe, int32_t id, uint32_t *len);

#endif							/* GPUSCAN_MODEL_BPE_H */
