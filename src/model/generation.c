/*-------------------------------------------------------------------------
 *
 * generation.c
 *	  See generation.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/generation.h"

#include <stdlib.h>
#include <string.h>

/* Tokens that the penalty of what was there looks back at */
#define PENALTY_TOKENS	64

typedef struct Text
{
	TokenList	tokens;			/* the prompt's and those that were chosen */
	uint32_t	nprompt;
	uint32_t	reused;
	uint32_t	reserved;		/* pages that it may need; 0: it waits, or is done */
	KvSequence	kv;
	Sampler		sampler;
	TokenizerText waiting;
	char	   *text;
	size_t		len;
	size_t		room;
	size_t		visible;		/* of len, what cannot become a stop string any more */
	GenerationFinish finish;
} Text;

struct Generation
{
	Language   *language;
	GenerationOptions options;
	KvMemory	kv;
	TokenList	kept;			/* tokens of what follows */
	KvSequence	kept_kv;
	Text	   *texts;
	size_t		ntexts;
	size_t		room;
	size_t		waiting;		/* the first one that waits */
	size_t		nactive;
	size_t	   *active;			/* of 'together' */
	DecoderRun *runs;
	float	   *logits;			/* of each run */
	SamplerToken *candidates;
};

Generation *
generation_begin(Language *language, const GenerationOptions *options, ModelError *error)
{
	const Decoder *decoder = language_decoder(language);
	Generation *generation = calloc(1, sizeof *generation);

	if (generation)
	{
		generation->language = language;
		generation->options = *options;
		generation->kv = decoder_kv_memory(decoder, options->memory);
		generation->active = malloc(options->together * sizeof *generation->active);
		generation->runs = malloc(options->together * sizeof *generation->runs);
		generation->logits = malloc(options->together * decoder_logits_step(decoder) * sizeof *generation->logits);
		generation->candidates = malloc(decoder_logits_step(decoder) * sizeof *generation->candidates);
		if (generation->active && generation->runs && generation->logits && generation->candidates)
			return generation;
	}
	model_error(error, MODEL_NO_MEMORY, "out of memory for %u texts", options->together);
	generation_end(generation);
	return NULL;
}

void
generation_end(Generation *generation)
{
	if (!generation)
		return;
	generation_reset(generation);
	kv_clear(&generation->kv, &generation->kept_kv);
	free(generation->kept.ids);
	free(generation->texts);
	free(generation->active);
	free(generation->runs);
	free(generation->logits);
	free(generation->candidates);
	free(generation);
}

static bool
copy_tokens(TokenList *to, const int32_t *tokens, size_t n, ModelError *error)
{
	to->n = 0;
	if (!tokens_room(to, n, error))
		return false;
	memcpy(to->ids, tokens, n * sizeof *tokens);
	to->n = n;
	return true;
}

bool
generation_add(Generation *generation, const int32_t *prompt, size_t n, uint64_t stream, ModelError *error)
{
	const uint32_t context = decoder_config_of(language_decoder(generation->language))->context;
	Text	   *text;

	if (n == 0)
		return model_error(error, MODEL_BAD_INPUT, "the prompt is empty");
	if (n >= context)
		return model_error(error, MODEL_TOO_LONG, "the prompt has %zu tokens, where the model takes %u, with room for an answer", n, context);
	if (generation->ntexts == generation->room)
	{
		const size_t room = generation->room * 2 + 16;
		Text	   *texts = realloc(generation->texts, room * sizeof *texts);

		if (!texts)
			return model_error(error, MODEL_NO_MEMORY, "out of memory for %zu texts", room);
		generation->texts = texts;
		generation->room = room;
	}
	text = &generation->texts[generation->ntexts];
	memset(text, 0, sizeof *text);
	if (!copy_tokens(&text->tokens, prompt, n, error))
		return false;
	text->nprompt = (uint32_t) n;
	sampler_init(&text->sampler, &generation->options.sampler, stream);
	generation->ntexts++;
	return true;
}

void
generation_forget(Generation *generation, size_t i)
{
	Text	   *text = &generation->texts[i];

	kv_clear(&generation->kv, &text->kv);
	free(text->tokens.ids);
	free(text->text);
	text->tokens = (TokenList) {0};
	text->text = NULL;
	text->len = text->visible = text->room = 0;
}

void
generation_reset(Generation *generation)
{
	for (size_t i = 0; i < generation->ntexts; i++)
		generation_forget(generation, i);
	generation->ntexts = generation->waiting = generation->nactive = 0;
}

/* ------------------------------------------------------------------------
 * Beginnings that prompts have in common
 * ------------------------------------------------------------------------
 */

static uint32_t
in_common(const TokenList *kept, const int32_t *tokens, size_t n)
{
	uint32_t	i = 0;

	while (i < kept->n && i < n && kept->ids[i] == tokens[i])
		i++;
	return i;
}

bool
generation_keep(Generation *generation, const int32_t *tokens, size_t n, ModelProgress *progress, ModelError *error)
{
	const uint32_t same = in_common(&generation->kept, tokens, n);
	KvSequence	kv = {0};
	DecoderRun	run = {&kv, tokens + same, (uint32_t) n - same, 0};

	if (!kv_fork(&generation->kv, &generation->kept_kv, same, &kv, error) ||
		(run.n > 0 && !decoder_run(language_decoder(generation->language), language_kernels(generation->language), &generation->kv, &run, 1, NULL,
								   progress, error)) ||
		!copy_tokens(&generation->kept, tokens, n, error))
	{
		kv_clear(&generation->kv, &kv);
		return false;
	}
	kv_clear(&generation->kv, &generation->kept_kv);
	generation->kept_kv = kv;
	return true;
}

/* ------------------------------------------------------------------------
 * Going on
 * ------------------------------------------------------------------------
 */

static uint32_t
pages_of(uint64_t positions)
{
	return (uint32_t) ((positions + KV_PAGE - 1) / KV_PAGE);
}

/* Pages that may be taken, by those that go on and by what is kept */
static uint64_t
pages_reserved(const Generation *generation)
{
	uint64_t	pages = generation->kept_kv.npages;

	for (size_t i = 0; i < generation->nactive; i++)
		pages += generation->texts[generation->active[i]].reserved;
	return pages;
}

/* Let those that wait go on, as many as there is room for. */
static bool
admit(Generation *generation, ModelError *error)
{
	const uint32_t context = decoder_config_of(language_decoder(generation->language))->context;
	const uint64_t allowed = generation->kv.limit ? generation->kv.limit / kv_page_bytes(&generation->kv) : UINT64_MAX;

	while (generation->waiting < generation->ntexts && generation->nactive < generation->options.together)
	{
		Text	   *text = &generation->texts[generation->waiting];
		/* logits come of a token that is computed: the last one of the prompt is */
		const uint32_t same = in_common(&generation->kept, text->tokens.ids, text->nprompt - 1);
		uint64_t	positions = (uint64_t) text->nprompt + generation->options.max_tokens;

		positions = positions < context ? positions : context;
		text->reserved = pages_of(positions) - same / KV_PAGE;
		if (pages_reserved(generation) + text->reserved > allowed)
		{
			const uint32_t wanted = text->reserved;

			text->reserved = 0;
			return generation->nactive > 0 ||
				model_error(error, MODEL_NO_MEMORY, "a text of up to %llu tokens takes %llu bytes of keys and values, of %zu that they may have",
							(unsigned long long) positions, (unsigned long long) wanted * kv_page_bytes(&generation->kv), generation->kv.limit);
		}
		if (!kv_fork(&generation->kv, &generation->kept_kv, same, &text->kv, error))
			return false;
		text->reused = same;
		generation->active[generation->nactive++] = generation->waiting++;
	}
	return true;
}

/* Where a stop string begins in what is behind 'from'; the first one of all.  SIZE_MAX: nowhere */
static size_t
find_stop(const Generation *generation, const Text *text, size_t from)
{
	size_t		first = SIZE_MAX;

	for (size_t i = 0; i < generation->options.nstops; i++)
	{
		const size_t len = generation->options.stop_lengths[i];
		const size_t begin = from >= len ? from - len + 1 : 0;
		const char *found = text->text ? memmem(text->text + begin, text->len - begin, generation->options.stops[i], len) : NULL;

		if (found && (size_t) (found - text->text) < first)
			first = (size_t) (found - text->text);
	}
	return first;
}

/* Of the text, what no stop string can begin in */
static size_t
visible(const Generation *generation, const Text *text)
{
	size_t		hidden = 0;

	for (size_t i = 0; i < generation->options.nstops; i++)
	{
		size_t		part = generation->options.stop_lengths[i] - 1;

		part = part < text->len ? part : text->len;
		while (part > hidden && memcmp(text->text + text->len - part, generation->options.stops[i], part) != 0)
			part--;
		hidden = part > hidden ? part : hidden;
	}
	return text->len - hidden;
}

static bool
append_text(Generation *generation, Text *text, int32_t id, ModelError *error)
{
	const Tokenizer *tokenizer = language_tokenizer(generation->language);
	const size_t from = text->len;
	uint32_t	len;
	size_t		need;
	size_t		stop;

	if (!tokenizer_piece(tokenizer, id, &len))
		return true;
	need = text->len + TOKENIZER_TEXT_ROOM(len);
	if (need > text->room)
	{
		char	   *more = realloc(text->text, need * 2);

		if (!more)
			return model_error(error, MODEL_NO_MEMORY, "out of memory for a text of %zu bytes", need);
		text->text = more;
		text->room = need * 2;
	}
	text->len += tokenizer_text(tokenizer, &text->waiting, id, text->text + text->len);
	stop = find_stop(generation, text, from);
	if (stop != SIZE_MAX)
	{
		text->len = stop;
		text->finish = GENERATION_STOP;
	}
	return true;
}

/* The next token of a text, chosen by its logits */
static bool
go_on(Generation *generation, Text *text, float *logits, ModelError *error)
{
	const Decoder *decoder = language_decoder(generation->language);
	const size_t before = text->tokens.n < PENALTY_TOKENS ? text->tokens.n : PENALTY_TOKENS;
	const int32_t id = sampler_next(&text->sampler, logits, decoder_config_of(decoder)->vocabulary,
									text->tokens.ids + text->tokens.n - before, before, generation->candidates);

	if (tokenizer_ends(language_tokenizer(generation->language), id))
		text->finish = GENERATION_STOP;
	else if (!tokens_room(&text->tokens, 1, error))
		return false;
	else
	{
		text->tokens.ids[text->tokens.n++] = id;
		if (!append_text(generation, text, id, error))
			return false;
		if (text->finish == GENERATION_GOING && (text->tokens.n - text->nprompt >= generation->options.max_tokens ||
												 text->tokens.n >= decoder_config_of(decoder)->context))
			text->finish = GENERATION_LENGTH;
	}
	text->visible = text->finish == GENERATION_GOING ? visible(generation, text) : text->len;
	return true;
}

bool
generation_step(Generation *generation, bool *going, ModelProgress *progress, ModelError *error)
{
	const size_t step = decoder_logits_step(language_decoder(generation->language));
	size_t		left = 0;

	if (!admit(generation, error))
		return false;
	for (size_t i = 0; i < generation->nactive; i++)
	{
		Text	   *text = &generation->texts[generation->active[i]];

		generation->runs[i] = (DecoderRun) {&text->kv, text->tokens.ids + text->kv.length, (uint32_t) text->tokens.n - text->kv.length, 1};
	}
	if (generation->nactive > 0 &&
		!decoder_run(language_decoder(generation->language), language_kernels(generation->language), &generation->kv, generation->runs, generation->nactive,
					 generation->logits, progress, error))
		return false;
	for (size_t i = 0; i < generation->nactive; i++)
	{
		Text	   *text = &generation->texts[generation->active[i]];

		if (!go_on(generation, text, generation->logits + i * step, error))
			return false;
		if (text->finish == GENERATION_GOING)
			generation->active[left++] = generation->active[i];
		else
		{
			kv_clear(&generation->kv, &text->kv);
			text->reserved = 0;
		}
	}
	generation->nactive = left;
	*going = left > 0 || generation->waiting < generation->ntexts;
	return true;
}

GenerationText
generation_text(const Generation *generation, size_t i)
{
	const Text *text = &generation->texts[i];

	return (GenerationText) {text->finish, text->text, text->visible, text->nprompt, (uint32_t) text->tokens.n - text->nprompt, text->reused};
}
