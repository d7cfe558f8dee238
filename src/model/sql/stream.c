/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Texts as they come: generate_stream, and generate_start, generate_next,
 *	  generate_stop.
 *
 * A function in FROM is run to its end before its first row is seen, so that there
 * generate_stream gives nothing early; the other three are for those who ask again
 * and again, in statements of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "model/sql/input.h"
#include "model/sql/writing.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(gpuscan_generate_stream);
PG_FUNCTION_INFO_V1(gpuscan_generate_start);
PG_FUNCTION_INFO_V1(gpuscan_generate_next);
PG_FUNCTION_INFO_V1(gpuscan_generate_stop);

/* Texts that a session may have begun and not ended */
#define STARTED_MAX		64

typedef struct Stream
{
	dlist_node	node;			/* of those that were started */
	int64		id;
	Oid			owner;			/* who may ask for more */
	Writing    *writing;
	size_t		given;			/* bytes of the text that were returned */
	bool		going;
} Stream;

static dlist_head started = DLIST_STATIC_INIT(started);
static int	nstarted;
static int64 last_id;

/* A stream in 'parent'; model and prompt are arguments 0 and 1, options 2. */
static Stream *
begin_stream(FunctionCallInfo fcinfo, MemoryContext parent)
{
	RegisteredModel *registered = gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Writing    *writing = gpuscan_begin_writing(parent, registered, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), WRITING_PROMPT, NULL, 1);
	TokenList  *tokens;
	Stream	   *stream;
	ModelCall	call;
	size_t		len;
	const char *prompt = gpuscan_model_input(PG_GETARG_TEXT_PP(1), "", &len);

	/* what may fail from here on takes the writing with it */
	PG_TRY();
	{
		stream = MemoryContextAllocZero(writing->context, sizeof *stream);
		stream->writing = writing;
		stream->owner = GetUserId();
		tokens = gpuscan_token_list();
		model_call_begin(&call);
		if (!gpuscan_prompt_tokens(writing, prompt, len, tokens, &call))
			gpuscan_prompt_failed(writing, &call);
		if (!generation_add(writing->generation, tokens->ids, tokens->n, gpuscan_writing_stream(writing), &call.error))
			model_call_failed(&call, writing->name);
		stream->going = true;
	}
	PG_CATCH();
	{
		MemoryContextDelete(writing->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return stream;
}

/* The next part of a text; NULL: it is at its end */
static text *
next_part(Stream *stream)
{
	ModelCall	call;

	model_call_begin(&call);
	for (;;)
	{
		const GenerationText generated = generation_text(stream->writing->generation, 0);

		if (generated.len > stream->given)
		{
			text	   *part = gpuscan_model_output(generated.text + stream->given, generated.len - stream->given);

			stream->given = generated.len;
			return part;
		}
		if (!stream->going)
			return NULL;
		stream->going = gpuscan_writing_step(stream->writing, &call);
	}
}

/*
 * generate_stream(model text, prompt text, options jsonb): parts of the text, each as
 * soon as it is certain.  Who stops asking stops the model.
 */
Datum
gpuscan_generate_stream(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	Stream	   *stream;
	text	   *part;

	if (SRF_IS_FIRSTCALL())
	{
		funcctx = SRF_FIRSTCALL_INIT();
		if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
			funcctx->user_fctx = begin_stream(fcinfo, funcctx->multi_call_memory_ctx);
	}
	funcctx = SRF_PERCALL_SETUP();
	stream = funcctx->user_fctx;
	part = stream ? next_part(stream) : NULL;
	if (part == NULL)
		SRF_RETURN_DONE(funcctx);
	SRF_RETURN_NEXT(funcctx, PointerGetDatum(part));
}

/* ------------------------------------------------------------------------
 * Over several statements
 * ------------------------------------------------------------------------
 */

static void
end_stream(Stream *stream)
{
	dlist_delete(&stream->node);
	nstarted--;
	MemoryContextDelete(stream->writing->context);
}

/* One that the current user has started */
static Stream *
find_stream(int64 id)
{
	dlist_iter	iter;

	dlist_foreach(iter, &started)
	{
		Stream	   *stream = dlist_container(Stream, node, iter.cur);

		if (stream->id == id && stream->owner == GetUserId())
			return stream;
	}
	return NULL;
}

/* generate_start(model text, prompt text, options jsonb): the number of a text for generate_next() */
Datum
gpuscan_generate_start(PG_FUNCTION_ARGS)
{
	Stream	   *stream;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (nstarted == STARTED_MAX)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("%d texts have been started and not ended in this session", nstarted),
						errhint("Give them back by generate_stop().")));
	stream = begin_stream(fcinfo, TopMemoryContext);
	stream->id = ++last_id;
	dlist_push_tail(&started, &stream->node);
	nstarted++;
	PG_RETURN_INT64(stream->id);
}

/* generate_next(id bigint): the next part of a text that was started; NULL: it is at its end, and given back */
Datum
gpuscan_generate_next(PG_FUNCTION_ARGS)
{
	const int64 id = PG_GETARG_INT64(0);
	Stream	   *stream = find_stream(id);
	text	   *part;

	if (stream == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no text " INT64_FORMAT " has been started in this session", id),
						errhint("It may have come to its end: generate_next() returns NULL once.")));
	part = next_part(stream);
	if (part == NULL)
	{
		end_stream(stream);
		PG_RETURN_NULL();
	}
	PG_RETURN_TEXT_P(part);
}

/* generate_stop(id bigint): is there such a text?  It is given back. */
Datum
gpuscan_generate_stop(PG_FUNCTION_ARGS)
{
	Stream	   *stream = find_stream(PG_GETARG_INT64(0));

	if (stream)
		end_stream(stream);
	PG_RETURN_BOOL(stream != NULL);
}
