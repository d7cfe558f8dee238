/*-------------------------------------------------------------------------
 *
 * guide.h
 *	  Which tokens may come next, so that a text becomes a JSON value of a schema.
 *
 * Tokens are read byte by byte (json_machine.h), so that any cut of the text into
 * tokens is allowed that the model finds likeliest.  The vocabulary is walked in the
 * order of its bytes: what tokens begin with in common is read once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_GUIDE_H
#define GPUSCAN_MODEL_GUIDE_H

#include "model/json_schema.h"
#include "model/tokenizer.h"

/* A vocabulary in the order of its bytes; serves any number of guides */
typedef struct GuideVocabulary GuideVocabulary;

/* tokenizer: outlives it */
extern GuideVocabulary *guide_vocabulary_open(const Tokenizer *tokenizer, ModelError *error);
extern void guide_vocabulary_close(GuideVocabulary *vocabulary);

typedef struct Guide Guide;

/* Both outlive it. */
extern Guide *guide_open(const GuideVocabulary *vocabulary, const JsonSchema *schema, ModelError *error);
extern void guide_close(Guide *guide);

/* A text that is being written */
typedef struct GuideText GuideText;

extern GuideText *guide_text_open(Guide *guide, ModelError *error);
extern void guide_text_close(GuideText *text);

/* May this token come next? */
extern bool guide_allows(GuideText *text, int32_t id, bool *allowed, ModelError *error);

/* Logits of tokens that may not come become -INFINITY.  An error where none may. */
extern bool guide_mask(GuideText *text, float *logits, uint32_t n, ModelError *error);

/* It has come: one that is allowed, and does not end the text. */
extern bool guide_go_on(GuideText *text, int32_t id, ModelError *error);

/* Can nothing follow any more?  And is what is there a value? */
extern bool guide_is_at_end(const GuideText *text);
extern bool guide_is_complete(const GuideText *text);

#endif							/* GPUSCAN_MODEL_GUIDE_H */
