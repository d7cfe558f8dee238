/*-------------------------------------------------------------------------
 *
 * chunk.c
 *	  See chunk.h.
 *
 * A piece looks at the text as far as its tokens go, so that time and memory are
 * those of the pieces, and not of the text behind them.
 *
 *-------------------------------------------------------------------------
 */
#include "model/chunk.h"

#include "model/unicode.h"

typedef enum BreakKind
{
	BREAK_NONE,
	BREAK_BLANK,
	BREAK_SENTENCE,
	BREAK_LINE,
	BREAK_PARAGRAPH
} BreakKind;

/* Between two pieces: one ends, the next may begin */
typedef struct Break
{
	BreakKind	kind;
	size_t		end;
	size_t		next;			/* behind white space */
} Break;

/* Ends a sentence without a blank behind it */
static bool
ends_sentence_wide(int32_t c)
{
	return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61;	/* 。！？｡ */
}

static bool
ends_sentence(int32_t c)
{
	return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

/* May stand between a sentence's end and what follows */
static bool
closes(int32_t c)
{
	return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0x201D || c == 0x2019 || c == 0xBB || c == 0x300D || c == 0x300F || c == 0xFF09;
}

static bool
is_blank(int32_t c)
{
	return unicode_class(c) == UNICODE_SPACE;
}

/* Behind white space */
static size_t
skip_blanks(const char *text, size_t len, size_t at)
{
	int			size;

	while (at < len && is_blank(unicode_at(text + at, len - at, &size)))
		at += (size_t) size;
	return at;
}

/* Before white space */
static size_t
trim_blanks(const char *text, size_t begin, size_t end)
{
	while (end > begin)
	{
		size_t		at = end - 1;
		int			size;

		while (at > begin && ((unsigned char) text[at] & 0xC0) == 0x80)
			at--;
		if (!is_blank(unicode_at(text + at, end - at, &size)))
			break;
		end = at;
	}
	return end;
}

static Break
blank_break(const char *text, size_t len, size_t at, bool behind_sentence)
{
	Break		br = {.end = at};
	int			lines = 0;
	int32_t		before = 0;
	int			size;

	for (; at < len; at += (size_t) size)
	{
		const int32_t c = unicode_at(text + at, len - at, &size);

		if (!is_blank(c))
			break;
		/* "\r\n" is one line's end */
		lines += c == '\r' || (c == '\n' && before != '\r') || c == 0x85 || c == 0x2028;
		lines += 2 * (c == 0x2029 || c == '\f');
		before = c;
	}
	br.next = at;
	br.kind = lines > 1 ? BREAK_PARAGRAPH : lines == 1 ? BREAK_LINE : behind_sentence ? BREAK_SENTENCE : BREAK_BLANK;
	return br;
}

/* The first break behind 'at' that ends at 'limit' at the latest; of kind BREAK_NONE: there is none */
static Break
next_break(const char *text, size_t len, size_t at, size_t limit)
{
	enum {WITHIN, BEHIND_END, BEHIND_WIDE_END} state = WITHIN;
	int			size;

	for (; at <= limit && at < len; at += (size_t) size)
	{
		const int32_t c = unicode_at(text + at, len - at, &size);

		if (is_blank(c))
			return blank_break(text, len, at, state != WITHIN);
		if (ends_sentence_wide(c))
			state = BEHIND_WIDE_END;
		else if (ends_sentence(c))
			state = state == WITHIN ? BEHIND_END : state;
		else if (!closes(c))
		{
			if (state == BEHIND_WIDE_END)
				return (Break) {BREAK_SENTENCE, at, at};
			state = WITHIN;
		}
	}
	return (Break) {.kind = BREAK_NONE};
}

/* Where a piece ends that may reach to 'limit', and has to reach beyond 'least' */
static bool
find_end(const Chunker *ch, size_t least, size_t limit, Break *best, ModelProgress *progress, ModelError *error)
{
	const size_t middle = ch->start + (limit - ch->start) / 2;
	Break		early = {.kind = BREAK_NONE};

	*best = early;
	if (!model_goes_on(progress, (uint32_t) ((limit - ch->start) & 0xFFFFFFF), error))
		return false;
	for (Break br = next_break(ch->text, ch->len, ch->start, limit); br.kind != BREAK_NONE; br = next_break(ch->text, ch->len, br.next, limit))
	{
		Break	   *which = br.end < middle ? &early : best;

		if (br.end > least && br.kind >= which->kind)
			*which = br;
	}
	if (best->kind == BREAK_NONE)
		*best = early;
	return true;
}

/* Where, in the piece that ends at 'end', the next one begins: what it repeats has at most 'overlap' tokens */
static size_t
find_overlap(const Chunker *ch, size_t end, size_t next)
{
	const TokenList *words = ch->words;
	size_t		n = words->n;
	size_t		i;
	size_t		zone;
	size_t		middle;
	Break		best = {.kind = BREAK_NONE};
	Break		late = {.kind = BREAK_NONE};

	while (n > 0 && ch->start + words->at[n - 1] >= end)
		n--;
	i = n > ch->overlap ? n - ch->overlap : 0;
	/* a whole word */
	while (i < n && i > 0 && words->at[i] == words->at[i - 1])
		i++;
	if (i >= n)
		return next;
	zone = ch->start + words->at[i];
	middle = zone + (end - zone) / 2;
	for (Break br = next_break(ch->text, ch->len, ch->start, end); br.kind != BREAK_NONE && br.next < end;
		 br = next_break(ch->text, ch->len, br.next, end))
	{
		Break	   *which = br.next <= middle ? &best : &late;

		if (br.next >= zone && br.kind > which->kind)
			*which = br;
	}
	if (best.kind == BREAK_NONE)
		best = late;
	if (best.kind != BREAK_NONE)
		return best.next;
	return zone > ch->start ? zone : next;
}

bool
chunk_next(Chunker *ch, size_t *begin, size_t *end, bool *there, ModelProgress *progress, ModelError *error)
{
	TokenPrefix prefix;
	Break		br = {.kind = BREAK_NONE};

	if (ch->next == 0)
		ch->start = ch->next = skip_blanks(ch->text, ch->len, 0);
	*there = ch->next < ch->len;
	if (!*there)
		return true;
	for (;;)
	{
		if (!ch->prefix(ch->tokenizer, ch->text + ch->start, ch->len - ch->start, ch->most, ch->words, &prefix, progress, error))
			return false;
		if (ch->start + prefix.len == ch->len)
		{
			*begin = ch->start;
			*end = trim_blanks(ch->text, ch->start, ch->len);
			ch->next = ch->len;
			return true;
		}
		if (!find_end(ch, ch->end, ch->start + prefix.len, &br, progress, error))
			return false;
		if (br.kind != BREAK_NONE || ch->start == ch->next)
			break;
		/* better no overlap than a word that is cut */
		ch->start = ch->next;
	}
	if (br.kind == BREAK_NONE)
	{
		br.end = br.next = ch->start + (prefix.whole > 0 ? prefix.whole : prefix.len);
		if (br.end == ch->start)
			return model_error(error, MODEL_BAD_INPUT, "a character of the text has more than %zu tokens", ch->most);
	}
	*begin = ch->start;
	*end = br.end;
	/* places of tokens are those of the whole piece only if it ends with a word */
	ch->start = ch->overlap > 0 && (br.kind != BREAK_NONE || prefix.whole > 0) ? find_overlap(ch, br.end, br.next) : br.next;
	ch->end = br.end;
	ch->next = br.next;
	return true;
}
