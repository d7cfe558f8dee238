/*-------------------------------------------------------------------------
 *
 * writing.h
 *	  A model at work for a place in a query: its options, what it keeps from row to
 *	  row, texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_WRITING_H
#define GPUSCAN_MODEL_SQL_WRITING_H

#include "fmgr.h"
#include "model/generation.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "utils/jsonb.h"

/* What is asked of the model; each has options of its own. */
typedef enum WritingKind
{
	WRITING_PROMPT,				/* a text behind a prompt */
	WRITING_CONVERSATION,		/* an answer to messages */
	WRITING_VALUE,				/* a JSON value of a schema */
	WRITING_LABEL				/* which of some answers */
} WritingKind;

typedef struct WritingOptions
{
	GenerationOptions generation;
	bool		raw;			/* prompts are continued as they stand */
	const char *system;			/* a message before the prompt, or NULL */
	const char *instruction;	/* of WRITING_LABEL, or NULL */
	bool		seeded;
} WritingOptions;

/* Lives in a memory context of its own, with which the library's part is given back. */
typedef struct Writing
{
	MemoryContext context;
	const char *name;			/* of the model */
	LoadedModel *model;
	uint32		model_hash;		/* of the model's options */
	Jsonb	   *given;			/* the options, or NULL */
	text	   *schema;			/* of WRITING_VALUE */
	JsonSchema *compiled;
	WritingOptions options;
	Language   *language;
	Generation *generation;
	int32_t    *previous;		/* the last prompt's tokens, malloc'ed */
	size_t		nprevious;
} Writing;

/* Tokens that prompts have in common before it pays to keep them */
#define WRITING_WORTH_KEEPING	16

/* A new one, in a child of 'parent'; together: texts that go on at a time.  ERROR on unknown options. */
extern Writing *gpuscan_begin_writing(MemoryContext parent, const RegisteredModel *registered, Jsonb *options, WritingKind kind, text *schema,
									  uint32 together);
/* That of this place in a query, so that rows whose prompts begin alike are quick */
extern Writing *gpuscan_writing_of(FunctionCallInfo fcinfo, const RegisteredModel *registered, Jsonb *options, WritingKind kind, text *schema);

/* Do prompts become a user's message? */
extern bool gpuscan_writing_is_chat(const Writing *writing);
/* Append the tokens of a prompt, in UTF-8; false: see gpuscan_prompt_failed() */
extern bool gpuscan_prompt_tokens(const Writing *writing, const char *prompt, size_t len, TokenList *tokens, ModelCall *call);
/* As model_call_failed(), with what may be done about it */
pg_noreturn extern void gpuscan_prompt_failed(const Writing *writing, const ModelCall *call);

/* Random numbers of a text: of a seed always the same, else always others */
extern uint64 gpuscan_writing_stream(const Writing *writing);
/* Another token of all texts; are there any that go on? */
extern bool gpuscan_writing_step(Writing *writing, ModelCall *call);
extern size_t gpuscan_tokens_in_common(const int32_t *a, size_t na, const int32_t *b, size_t nb);
/* What this prompt begins with as the last one did is computed once. */
extern void gpuscan_keep_common_beginning(Writing *writing, const TokenList *tokens, ModelCall *call);
/* The text behind a prompt's tokens, to its end */
extern GenerationText gpuscan_write_one(Writing *writing, const TokenList *tokens, ModelCall *call);
/* In the server's encoding */
extern text *gpuscan_written_text(const GenerationText *generated);

#endif							/* GPUSCAN_MODEL_SQL_WRITING_H */
