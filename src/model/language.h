/*-------------------------------------------------------------------------
 *
 * language.h
 *	  A model that writes text: tokenizer, network, template of conversations.
 *
 * Read from a GGUF file, which may be split.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_LANGUAGE_H
#define GPUSCAN_MODEL_LANGUAGE_H

#include "model/chat.h"
#include "model/decoder.h"
#include "model/files.h"
#include "model/guide.h"
#include "model/tokenizer.h"

typedef struct Language Language;

typedef struct LanguageInfo
{
	const char *architecture;
	const char *quantisation;	/* the type that most of the weights are of */
	uint32_t	context;		/* tokens of prompt and text together */
	uint32_t	dimensions;		/* floats of a token's vector */
	uint64_t	parameters;
	size_t		size;			/* bytes of weights in memory */
	bool		shared;			/* ... with other processes */
	ChatFamily	family;			/* CHAT_FAMILIES: it has no template, or one that is not known */
	bool		has_template;
} LanguageInfo;

typedef struct LanguageOptions
{
	uint32_t	context;		/* fewer than the model was made for; 0: as many */
	int			family;			/* ChatFamily, or -1: what the file says */
	size_t		memory;			/* bytes that the weights may take; 0: any */
	const ModelShare *share;	/* of the weights with other processes, or NULL */
	const char *level;			/* of the kernels, or NULL; for tests */
} LanguageOptions;

/* name: of the (first) file */
extern Language *language_open(const ModelFiles *files, const char *name, const LanguageOptions *options, ModelProgress *progress, ModelError *error);
extern void language_close(Language *language);
extern const LanguageInfo *language_info(const Language *language);
extern Tokenizer *language_tokenizer(Language *language);
/* In the order of its bytes, made when it is first asked for; NULL: an error */
extern const GuideVocabulary *language_vocabulary(Language *language, ModelError *error);
extern const Decoder *language_decoder(const Language *language);
extern const ModelKernels *language_kernels(const Language *language);

/* Append the tokens of a prompt as it stands, behind what texts of this model begin with. */
extern bool language_plain_prompt(Language *language, const char *text, size_t len, TokenList *out, ModelProgress *progress, ModelError *error);

/* The parts of a conversation (chat.h).  An error where the model has no known template. */
extern bool language_render(const Language *language, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error);
/* The token that a part that is none of text stands for, or -1 */
extern int32_t language_control(const Language *language, const char *name);

/* Append the tokens of a conversation that an answer is to follow if 'answer'. */
extern bool language_chat_prompt(Language *language, const ChatMessage *messages, size_t n, bool answer, TokenList *out,
								 ModelProgress *progress, ModelError *error);

#endif							/* GPUSCAN_MODEL_LANGUAGE_H */
