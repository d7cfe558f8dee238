/*-------------------------------------------------------------------------
 *
 * chat.h
 *	  Conversations as models were trained on them.
 *
 * A family is a template that models were published with (in Jinja); what it makes
 * of messages is here text, and control tokens between, so that nothing a message
 * says can be taken for one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_CHAT_H
#define GPUSCAN_MODEL_CHAT_H

#include <stddef.h>

#include "model/model_error.h"

typedef enum ChatFamily
{
	CHAT_CHATML,
	CHAT_SMOLLM,				/* chatml with a system message of its own where there is none */
	CHAT_QWEN1_5,				/* ... with another one */
	CHAT_QWEN2,					/* ... */
	CHAT_QWEN2_5,				/* ... */
	CHAT_QWEN3,					/* chatml without what the model thought before its earlier answers */
	CHAT_LLAMA2,
	CHAT_LLAMA3,
	CHAT_LLAMA3_1,				/* llama3 with a date, which is here always the same one */
	CHAT_MISTRAL_V1_EARLY,		/* as the models of v1 were first published: without system messages */
	CHAT_MISTRAL_V1,
	CHAT_MISTRAL_V3_EARLY,		/* likewise */
	CHAT_MISTRAL_V3,
	CHAT_MISTRAL_V3_TEKKEN,		/* Nemo */
	CHAT_MISTRAL_V7,
	CHAT_MISTRAL_V7_TEKKEN,
	CHAT_GEMMA2,				/* gemma without system messages */
	CHAT_GEMMA,
	CHAT_FAMILIES				/* none */
} ChatFamily;

typedef enum ChatRole
{
	CHAT_SYSTEM,
	CHAT_USER,
	CHAT_ASSISTANT
} ChatRole;

typedef struct ChatMessage
{
	ChatRole	role;
	const char *content;
	size_t		len;
} ChatMessage;

/* A part of a conversation: text, or the name of a control token */
typedef struct ChatPart
{
	bool		control;
	const char *text;			/* a message's, or constant */
	size_t		len;
} ChatPart;

/* Names of control tokens that each vocabulary has another one for */
#define CHAT_BOS	"<bos>"
#define CHAT_EOS	"<eos>"

typedef struct ChatText
{
	ChatPart   *parts;			/* malloc'ed */
	size_t		n;
	size_t		room;
	bool		full;			/* out of memory */
} ChatText;

extern const char *chat_family_name(ChatFamily family);
/* CHAT_FAMILIES: there is none of that name */
extern ChatFamily chat_family_named(const char *name);
/*
 * The family of a model's template; CHAT_FAMILIES: unknown.  Only templates that are known
 * as a whole have one (chat_known.def): of another, however much it looks like one of
 * them, nobody has seen that it writes the same.
 */
extern ChatFamily chat_family_of(const char *jinja, size_t len);

/*
 * Messages as parts, and, where 'answer', what an answer begins behind.  Roles in an order
 * that the family was not trained on are an error.  The parts point into the messages.
 */
extern bool chat_render(ChatFamily family, const ChatMessage *messages, size_t n, bool answer, ChatText *out, ModelError *error);

#endif							/* GPUSCAN_MODEL_CHAT_H */
