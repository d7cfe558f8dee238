/*-------------------------------------------------------------------------
 *
 * pretoken.h
 *	  Cutting a text into pieces that tokens of byte-level BPE do not cross.
 *
 * Each family of models was trained with a regular expression; matching it from
 * left to right gives the pieces.  Here each expression is a function that finds
 * where the piece ends that begins at a place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_PRETOKEN_H
#define GPUSCAN_MODEL_PRETOKEN_H

#include <stddef.h>

typedef enum PretokenKind
{
	PRETOKEN_GPT2,
	PRETOKEN_SMOLLM,			/* as gpt2, each digit by itself */
	PRETOKEN_LLAMA3,			/* also dbrx: at most three digits, no piece across the end of a line */
	PRETOKEN_QWEN2,				/* as llama3, each digit by itself */
	PRETOKEN_TEKKEN,			/* words end where lower case ends; each digit by itself */
	PRETOKENS
} PretokenKind;

/* By the name in tokenizer.ggml.pre; PRETOKENS: unknown */
extern PretokenKind pretoken_kind(const char *name, size_t len);

/* By the regular expression that tokenizer.json has; PRETOKENS: unknown */
extern PretokenKind pretoken_of_regex(const char *regex);

/* Bytes of the piece that begins at p, of 'left' bytes that are there; at least one */
extern size_t pretoken_next(PretokenKind kind, const char *p, size_t left);

#endif							/* GPUSCAN_MODEL_PRETOKEN_H */
