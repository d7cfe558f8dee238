/*-------------------------------------------------------------------------
 *
 * generation.c
 *	  See generation.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/generation.h"

#include <math.h>
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
	GuideText  *guide;			/* or NULL */
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
	Guide	   *guide;			/* or NULL */
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

static bool
open_guide(Generation *generation, ModelError *error)
{
	const GuideVocabulary *vocabulary = language_vocabulary(generation->language, error);

	if (vocabulary)
		generation->guide = guide_open(vocabulary, generation->options.schema, error);
	return generation->guide != NULL;
}

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
		if (!generation->active || !generation->runs || !generation->logits || !generation->candidates)
			model_error(error, MODEL_NO_MEMORY, "out of memory for %u texts", options->together);
		else if (!options->schema || open_guide(generation, error))
			return generation;
	}
	else
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
	guide_close(generation->guide);
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
	if (generation->guide && !(text->guide = guide_text_open(generation->guide, error)))
		return false;
	if (!copy_tokens(&text->tokens, prompt, n, error))
	{
		guide_text_close(text->guide);
		return false;
	}
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
	guide_text_close(text->guide);
	free(text->tokens.ids);
	free(text->text);
	text->guide = NULL;
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

/*
 * The next token, by the text's logits.  Where the likeliest one of all is taken, and a
 * schema allows it, nobody asks which others it allows.
 */
static bool
choose(Generation *generation, Text *text, float *logits, int32_t *id, ModelError *error)
{
	const uint32_t n = decoder_config_of(language_decoder(generation->language))->vocabulary;
	const size_t before = text->tokens.n < PENALTY_TOKENS ? text->tokens.n : PENALTY_TOKENS;
	const int32_t *last = text->tokens.ids + text->tokens.n - before;
	bool		allowed = true;

	if (!text->guide || (generation->options.sampler.temperature == 0 && generation->options.sampler.repeat_penalty == 1))
	{
		*id = sampler_next(&text->sampler, logits, n, last, before, generation->candidates);
		if (!text->guide)
			return true;
		if (!guide_allows(text->guide, *id, &allowed, error))
			return false;
		if (allowed)
			return true;
	}
	if (!guide_mask(text->guide, logits, n, error))
		return false;
	*id = sampler_next(&text->sampler, logits, n, last, before, generation->candidates);
	return true;
}

/* Another token of a text */
static bool
go_on(Generation *generation, Text *text, float *logits, ModelError *error)
{
	int32_t		id;

	if (!choose(generation, text, logits, &id, error))
		return false;
	if (tokenizer_ends(language_tokenizer(generation->language), id))
		text->finish = GENERATION_STOP;
	else if (!tokens_room(&text->tokens, 1, error))
		return false;
	else
	{
		text->tokens.ids[text->tokens.n++] = id;
		if (!append_text(generation, text, id, error) || (text->guide && !guide_go_on(text->guide, id, error)))
			return false;
		if (text->guide && guide_is_at_end(text->guide))
			text->finish = GENERATION_STOP;
		if (text->finish == GENERATION_GOING && (text->tokens.n - text->nprompt >= generation->options.max_tokens ||
												 text->tokens.n >= decoder_config_of(language_decoder(generation->language))->context))
			text->finish = text->guide && guide_is_complete(text->guide) ? GENERATION_STOP : GENERATION_LENGTH;
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

/* ------------------------------------------------------------------------
 * Answers that are given
 * ------------------------------------------------------------------------
 */

/* Floats of logits that are computed at a time */
#define SCORE_LOGITS	(16u << 20)

/* Of a network's logits, the logarithm of the sum of what they stand for */
static double
log_sum(const float *logits, uint32_t n)
{
	float		max = logits[0];
	double		sum = 0;

	for (uint32_t i = 1; i < n; i++)
		max = logits[i] > max ? logits[i] : max;
	for (uint32_t i = 0; i < n; i++)
		sum += exp((double) logits[i] - max);
	return max + log(sum);
}

/* The logarithm of the probability that a text ends here; 0 where no token says so */
static double
log_end(const Tokenizer *tokenizer, const float *logits, uint32_t n, double all)
{
	double		sum = 0;
	bool		known = false;

	for (uint32_t i = 0; i < n; i++)
		if (tokenizer_ends(tokenizer, (int32_t) i))
		{
			sum += exp(logits[i] - all);
			known = true;
		}
	return known ? log(sum) : 0;
}

/* What an answer's next token, or its end, adds to its score */
static double
log_next(const Generation *generation, const TokenList *answer, size_t i, const float *logits)
{
	const uint32_t n = decoder_config_of(language_decoder(generation->language))->vocabulary;
	const double all = log_sum(logits, n);

	return i < answer->n ? logits[answer->ids[i]] - all : log_end(language_tokenizer(generation->language), logits, n, all);
}

/* Answers from 'from' on whose logits there is room for, behind kv: *count of them */
static bool
score_some(Generation *generation, const KvSequence *kv, const TokenList *const *answers, size_t n, bool whole, size_t *count, double *scores,
		   ModelProgress *progress, ModelError *error)
{
	const Decoder *decoder = language_decoder(generation->language);
	const size_t step = decoder_logits_step(decoder);
	KvSequence *forks;
	DecoderRun *runs;
	float	   *logits = NULL;
	const float *at;
	size_t		tokens = 0;
	size_t		nruns = 0;
	bool		good = true;

	*count = 0;
	while (*count < n && (*count == 0 || (tokens + answers[*count]->n) * step <= SCORE_LOGITS))
		tokens += answers[(*count)++]->n;
	forks = calloc(*count, sizeof *forks);
	runs = malloc(*count * sizeof *runs);
	if (tokens > 0)
		logits = malloc(tokens * step * sizeof *logits);
	if (!forks || !runs || (tokens > 0 && !logits))
		good = model_error(error, MODEL_NO_MEMORY, "out of memory for %zu answers", *count);
	for (size_t i = 0; good && i < *count; i++)
		if (answers[i]->n > 0)
		{
			good = kv_fork(&generation->kv, kv, kv->length, &forks[i], error);
			runs[nruns++] = (DecoderRun) {&forks[i], answers[i]->ids, (uint32_t) answers[i]->n, (uint32_t) answers[i]->n};
		}
	if (good && nruns > 0)
		good = decoder_run(decoder, language_kernels(generation->language), &generation->kv, runs, nruns, logits, progress, error);
	at = logits;
	for (size_t i = 0; good && i < *count; i++)
		for (size_t j = 1; j <= answers[i]->n; j++, at += step)
			if (whole || j < answers[i]->n)
				scores[i] += log_next(generation, answers[i], j, at);
	for (size_t i = 0; forks && i < *count; i++)
		kv_clear(&generation->kv, &forks[i]);
	free(forks);
	free(runs);
	free(logits);
	return good;
}

bool
generation_score(Generation *generation, const int32_t *prompt, size_t nprompt, const TokenList *const *answers, size_t n, bool whole, double *scores,
				 ModelProgress *progress, ModelError *error)
{
	const Decoder *decoder = language_decoder(generation->language);
	const uint32_t context = decoder_config_of(decoder)->context;
	const uint32_t same = in_common(&generation->kept, prompt, nprompt - 1);
	KvSequence	kv = {0};
	DecoderRun	run = {&kv, prompt + same, (uint32_t) (nprompt - same), 1};
	bool		good;

	for (size_t i = 0; i < n; i++)
		if (nprompt + answers[i]->n > context)
			return model_error(error, MODEL_TOO_LONG, "the prompt and an answer have %zu tokens, where the model takes %u", nprompt + answers[i]->n, context);
	good = kv_fork(&generation->kv, &generation->kept_kv, same, &kv, error) &&
		decoder_run(decoder, language_kernels(generation->language), &generation->kv, &run, 1, generation->logits, progress, error);
	for (size_t i = 0; good && i < n; i++)
		scores[i] = log_next(generation, answers[i], 0, generation->logits);
	for (size_t i = 0, count; good && i < n; i += count)
		good = score_some(generation, &kv, answers + i, n - i, whole, &count, scores + i, progress, error);
	kv_clear(&generation->kv, &kv);
	return good;
}
