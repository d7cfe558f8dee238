/*-------------------------------------------------------------------------
 *
 * wordpiece.c
 *	  See wordpiece.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/wordpiece.h"

#include <string.h>
#include <sys/random.h>
#include <utf8proc.h>

#include "model/unicode.h"

#define MOST_CHARACTERS	100		/* of a word; a longer one is unknown (max_input_chars_per_word) */
#define MOST_MARKS		(2 * MOST_CHARACTERS)
#define NO_TOKEN		(-1)

struct Wordpiece
{
	char	   *names;			/* of all tokens, each ended by a zero */
	uint32_t   *at;				/* of each, and behind the last */
	uint32_t	ntokens;
	int32_t    *by_name;		/* open addressing, or NO_TOKEN */
	uint32_t	mask;
	uint64_t	seed;
	bool		lowercase;
	int32_t		unknown;
};

/* Characters of a word, as it is looked up: in UTF-8, behind "##" */
typedef struct Word
{
	char	   *bytes;			/* "##", then 'len' bytes */
	size_t		len;
	size_t		room;
	size_t		nchars;
} Word;

/* ------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------
 */

static uint32_t
name_len(const Wordpiece *wp, int32_t id)
{
	return wp->at[id + 1] - wp->at[id] - 1;
}

static uint32_t
hash_name(const Wordpiece *wp, const char *p, size_t len)
{
	uint64_t	hash = 1469598103934665603u ^ wp->seed;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) p[i]) * 1099511628211u;
	return (uint32_t) (hash ^ hash >> 32);
}

static int32_t
find(const Wordpiece *wp, const char *p, size_t len)
{
	uint32_t	slot = hash_name(wp, p, len) & wp->mask;

	for (; wp->by_name[slot] != NO_TOKEN; slot = (slot + 1) & wp->mask)
	{
		const int32_t id = wp->by_name[slot];

		if (name_len(wp, id) == len && memcmp(wp->names + wp->at[id], p, len) == 0)
			return id;
	}
	return NO_TOKEN;
}

static bool
read_vocabulary(Wordpiece *wp, const char *p, size_t len, ModelError *error)
{
	uint64_t	nlines = 1;
	uint32_t	slots = 64;

	for (size_t i = 0; i < len; i++)
		nlines += p[i] == '\n';
	if (len >= INT32_MAX / 2 || nlines > INT32_MAX / 8)
		return model_error(error, MODEL_UNSUPPORTED, "vocabulary of %zu bytes", len);
	while (slots < 2 * nlines)
		slots *= 2;
	wp->names = malloc(len + nlines + 1);
	wp->at = malloc((nlines + 1) * sizeof *wp->at);
	wp->by_name = malloc(slots * sizeof *wp->by_name);
	if (!wp->names || !wp->at || !wp->by_name)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %llu tokens", (unsigned long long) nlines);
	memset(wp->by_name, 0xFF, slots * sizeof *wp->by_name);
	wp->mask = slots - 1;
	wp->at[0] = 0;
	for (const char *line = p, *end = p + len; line < end;)
	{
		const char *stop = memchr(line, '\n', (size_t) (end - line));
		size_t		n = (size_t) ((stop ? stop : end) - line);
		uint32_t	slot;

		if (n > 0 && line[n - 1] == '\r')
			n--;
		memcpy(wp->names + wp->at[wp->ntokens], line, n);
		wp->names[wp->at[wp->ntokens] + n] = '\0';
		/* of two of one name the later has it, as in a dictionary that is filled */
		slot = hash_name(wp, line, n) & wp->mask;
		wp->at[wp->ntokens + 1] = wp->at[wp->ntokens] + (uint32_t) n + 1;
		while (wp->by_name[slot] != NO_TOKEN &&
			   (name_len(wp, wp->by_name[slot]) != n || memcmp(wp->names + wp->at[wp->by_name[slot]], line, n) != 0))
			slot = (slot + 1) & wp->mask;
		wp->by_name[slot] = (int32_t) wp->ntokens++;
		line = stop ? stop + 1 : end;
	}
	return true;
}

Wordpiece *
wordpiece_open(const char *vocabulary, size_t len, const WordpieceOptions *options, ModelError *error)
{
	Wordpiece  *wp = calloc(1, sizeof *wp);
	const char *unknown = options->unknown ? options->unknown : "[UNK]";

	if (!wp)
	{
		model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
		return NULL;
	}
	wp->lowercase = options->lowercase;
	if (getrandom(&wp->seed, sizeof wp->seed, GRND_NONBLOCK) != sizeof wp->seed)
		wp->seed = (uintptr_t) wp;
	if (read_vocabulary(wp, vocabulary, len, error))
	{
		wp->unknown = find(wp, unknown, strlen(unknown));
		if (wp->unknown != NO_TOKEN)
			return wp;
		model_error(error, MODEL_CORRUPT, "the vocabulary has no token \"%s\"", unknown);
	}
	wordpiece_close(wp);
	return NULL;
}

void
wordpiece_close(Wordpiece *wp)
{
	if (!wp)
		return;
	free(wp->names);
	free(wp->at);
	free(wp->by_name);
	free(wp);
}

uint32_t
wordpiece_ntokens(const Wordpiece *wp)
{
	return wp->ntokens;
}

int32_t
wordpiece_find(const Wordpiece *wp, const char *name)
{
	return find(wp, name, strlen(name));
}

const char *
wordpiece_piece(const Wordpiece *wp, int32_t id, uint32_t *len)
{
	if (id < 0 || (uint32_t) id >= wp->ntokens)
		return NULL;
	*len = name_len(wp, id);
	return wp->names + wp->at[id];
}

/* ------------------------------------------------------------------------
 * Words
 * ------------------------------------------------------------------------
 */

/* do_clean_text: characters that are as if they were not there */
static bool
is_nothing(int32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return false;
	if (c < 0x80)
		return c < ' ' || c == 0x7F;
	switch (utf8proc_category(c))
	{
		case UTF8PROC_CATEGORY_CC:
		case UTF8PROC_CATEGORY_CF:
		case UTF8PROC_CATEGORY_CN:
		case UTF8PROC_CATEGORY_CO:
		case UTF8PROC_CATEGORY_CS:
			return true;
		default:
			return c == 0xFFFD;
	}
}

/* is_chinese_char: with a gap that the original has too */
static bool
is_chinese(int32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
		(c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
		(c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static bool
is_punctuation(int32_t c)
{
	if (c < 0x80)
		return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
	switch (utf8proc_category(c))
	{
		case UTF8PROC_CATEGORY_PC:
		case UTF8PROC_CATEGORY_PD:
		case UTF8PROC_CATEGORY_PS:
		case UTF8PROC_CATEGORY_PE:
		case UTF8PROC_CATEGORY_PI:
		case UTF8PROC_CATEGORY_PF:
		case UTF8PROC_CATEGORY_PO:
			return true;
		default:
			return false;
	}
}

static bool
word_room(Word *word, size_t n, ModelError *error)
{
	char	   *bytes;

	if (2 + word->len + n <= word->room)
		return true;
	word->room = 2 * (2 + word->len + n) + 256;
	bytes = realloc(word->bytes, word->room);
	if (!bytes)
		return model_error(error, MODEL_NO_MEMORY, "out of memory for a word of %zu bytes", word->len);
	word->bytes = bytes;
	memcpy(word->bytes, "##", 2);
	return true;
}

static bool
word_add(Word *word, int32_t c, ModelError *error)
{
	if (!word_room(word, 4, error))
		return false;
	if (c < 0x80)
		word->bytes[2 + word->len++] = (char) c;
	else
		word->len += (size_t) utf8proc_encode_char(c, (utf8proc_uint8_t *) word->bytes + 2 + word->len);
	word->nchars++;
	return true;
}

/* The tokens of the word that was gathered, and begin the next one */
static bool
finish_word(const Wordpiece *wp, Word *word, TokenList *out, ModelError *error)
{
	char	   *bytes = word->bytes;
	const size_t len = word->len;
	const size_t nchars = word->nchars;
	const size_t before = out->n;

	word->len = word->nchars = 0;
	if (len == 0)
		return true;
	if (!tokens_room(out, nchars > MOST_CHARACTERS ? 1 : nchars, error))
		return false;
	for (size_t from = 0; from < len && nchars <= MOST_CHARACTERS;)
	{
		/* a part that is not the first is looked up behind "##", over the end of the one before */
		char		saved[2];
		char	   *begin = bytes + 2 + from;
		size_t		to = len;
		int32_t		id = NO_TOKEN;

		if (from > 0)
		{
			begin -= 2;
			memcpy(saved, begin, 2);
			memcpy(begin, "##", 2);
		}
		for (; to > from; to--)
		{
			/* between two characters */
			if (to < len && (bytes[2 + to] & 0xC0) == 0x80)
				continue;
			id = find(wp, begin, (size_t) (bytes + 2 + to - begin));
			if (id != NO_TOKEN)
				break;
		}
		if (from > 0)
			memcpy(begin, saved, 2);
		if (id == NO_TOKEN)
		{
			out->n = before;
			break;
		}
		out->ids[out->n++] = id;
		from = to;
		if (from == len)
			return true;
	}
	out->n = before;
	out->ids[out->n++] = wp->unknown;
	return true;
}

/* A character of the cleaned text, once it has its form: it is a word by itself, or one of a word's */
static bool
take_character(const Wordpiece *wp, int32_t c, Word *word, TokenList *out, ModelError *error)
{
	if (!is_punctuation(c))
		return word_add(word, c, error);
	return finish_word(wp, word, out, error) && word_add(word, c, error) && finish_word(wp, word, out, error);
}

/* Where a text is taken apart */
typedef struct Taking
{
	Word		word;
	utf8proc_int32_t *chars;	/* scratch */
	size_t		room;
	TokenList  *out;
	ModelProgress progress;
	ModelError *error;
} Taking;

static int
combining_class(utf8proc_int32_t c)
{
	return c < 0x80 ? 0 : utf8proc_get_property(c)->combining_class;
}

/*
 * Canonical order, and no accents: in place, returns how many are left.  Marks that
 * follow each other are ordered by their class, those of one class as they came.
 * Nearly all are accents (Mn) and go; a word with very many others is unknown,
 * in whatever order.
 */
static size_t
order_marks(utf8proc_int32_t *chars, size_t n)
{
	size_t		kept = 0;
	size_t		marks = 0;		/* where those begin that follow each other */

	for (size_t i = 0; i < n; i++)
	{
		const utf8proc_int32_t c = chars[i];
		const int	class = combining_class(c);
		size_t		k = kept;

		if (class == 0)
			marks = kept;
		if (c >= 0x80 && utf8proc_category(c) == UTF8PROC_CATEGORY_MN)
			continue;
		if (class == 0)
			marks = kept + 1;
		else if (kept - marks < MOST_MARKS)
			for (; k > marks && combining_class(chars[k - 1]) > class; k--)
				chars[k] = chars[k - 1];
		chars[k] = c;
		kept++;
	}
	return kept;
}

/* Characters between white space as they are; where accents and upper case go, decomposed */
static bool
take_stretch(const Wordpiece *wp, const char *p, size_t len, Taking *taking)
{
	size_t		n = 0;

	/* what is as if it were not there goes first: it would stand between a letter and its accent */
	for (size_t i = 0; i < len;)
	{
		int			size;
		const int32_t c = unicode_at(p + i, len - i, &size);

		i += (size_t) size;
		if (c < 0 || is_nothing(c))
			continue;
		if (!model_goes_on(&taking->progress, 1, taking->error))
			return false;
		if (!wp->lowercase)
		{
			if (!take_character(wp, c, &taking->word, taking->out, taking->error))
				return false;
			continue;
		}
		/* a character has at most 4 in its canonical decomposition */
		if (n + 4 > taking->room)
		{
			utf8proc_int32_t *chars = realloc(taking->chars, (taking->room * 2 + 256) * sizeof *chars);

			if (!chars)
				return model_error(taking->error, MODEL_NO_MEMORY, "out of memory for a word of %zu bytes", len);
			taking->chars = chars;
			taking->room = taking->room * 2 + 256;
		}
		if (c < 0x80)
			taking->chars[n++] = c;
		else
		{
			const utf8proc_ssize_t added = utf8proc_decompose_char(c, taking->chars + n, 4, UTF8PROC_DECOMPOSE, NULL);

			if (added > 0 && added <= 4)
				n += (size_t) added;
		}
	}
	n = n > 0 ? order_marks(taking->chars, n) : 0;
	for (size_t i = 0; i < n; i++)
	{
		const utf8proc_int32_t c = taking->chars[i];

		if (!model_goes_on(&taking->progress, 1, taking->error) ||
			!take_character(wp, c < 0x80 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : utf8proc_tolower(c), &taking->word, taking->out, taking->error))
			return false;
	}
	return true;
}

/* ... which end a word */
static bool
take_words(const Wordpiece *wp, const char *p, size_t len, Taking *taking)
{
	return take_stretch(wp, p, len, taking) && finish_word(wp, &taking->word, taking->out, taking->error);
}

bool
wordpiece_encode(const Wordpiece *wp, const char *text, size_t len, TokenList *out, ModelCancelled cancelled, void *context,
				 ModelError *error)
{
	Taking		taking = {.out = out,.progress = {cancelled, context, 0},.error = error};
	size_t		begin = 0;
	bool		good = word_room(&taking.word, 64, error);

	for (size_t i = 0; good && i < len;)
	{
		int			size;
		const int32_t c = unicode_at(text + i, len - i, &size);
		const bool	chinese = is_chinese(c);

		if (chinese || unicode_class(c) == UNICODE_SPACE)
		{
			good = model_goes_on(&taking.progress, 1, error) && take_words(wp, text + begin, i - begin, &taking) &&
				(!chinese || take_words(wp, text + i, (size_t) size, &taking));
			begin = i + (size_t) size;
		}
		i += (size_t) size;
	}
	good = good && take_words(wp, text + begin, len - begin, &taking);
	free(taking.word.bytes);
	free(taking.chars);
	return good;
}
