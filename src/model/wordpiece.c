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
	size_t		at;				/* in the text: the first of what it is from */
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

/* The tokens of a word, whose bytes stand behind two that are free; ids has room for nchars.  Returns how many. */
static size_t
word_tokens(const Wordpiece *wp, char *bytes, size_t len, size_t nchars, int32_t *ids)
{
	size_t		n = 0;

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
			break;
		ids[n++] = id;
		from = to;
		if (from == len)
			return n;
	}
	ids[0] = wp->unknown;
	return 1;
}

/* A mark that waits for its place among those that follow the same character */
typedef struct Mark
{
	int32_t		c;
	size_t		at;
} Mark;

/* Where a text is taken apart */
typedef struct Taking
{
	const Wordpiece *wp;
	Word		word;
	Mark		marks[MOST_MARKS];
	size_t		nmarks;
	TokenList  *out;
	ModelProgress progress;
	ModelError *error;
} Taking;

static int32_t
lower(int32_t c)
{
	return c < 0x80 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : utf8proc_tolower(c);
}

/* A character of the word, from 'at' in the text */
static bool
gather(Taking *taking, int32_t c, size_t at)
{
	if (taking->word.nchars == 0 || at < taking->word.at)
		taking->word.at = at;
	return word_add(&taking->word, c, taking->error);
}

/* The tokens of the word that was gathered, and begin the next one */
static bool
finish_gathered(Taking *taking)
{
	Word	   *word = &taking->word;
	TokenList  *out = taking->out;
	const size_t before = out->n;

	if (word->len == 0)
		return true;
	if (!tokens_room(out, word->nchars > MOST_CHARACTERS ? 1 : word->nchars, taking->error))
		return false;
	out->n += word_tokens(taking->wp, word->bytes, word->len, word->nchars, out->ids + out->n);
	for (size_t i = before; out->places && i < out->n; i++)
		out->at[i] = word->at;
	word->len = word->nchars = 0;
	return true;
}

/* A character of the cleaned text, once it has its form: it is a word by itself, or one of a word's */
static bool
take_character(Taking *taking, int32_t c, size_t at)
{
	if (!is_punctuation(c))
		return gather(taking, c, at);
	return finish_gathered(taking) && gather(taking, c, at) && finish_gathered(taking);
}

static bool
take_marks(Taking *taking)
{
	for (size_t i = 0; i < taking->nmarks; i++)
		if (!take_character(taking, lower(taking->marks[i].c), taking->marks[i].at))
			return false;
	taking->nmarks = 0;
	return true;
}

static bool
finish_word(Taking *taking)
{
	return (taking->nmarks == 0 || take_marks(taking)) && finish_gathered(taking);
}

static int
combining_class(int32_t c)
{
	return c < 0x80 ? 0 : utf8proc_get_property(c)->combining_class;
}

/*
 * A character of the decomposed text, which is brought into canonical order and loses
 * its accents.  Marks that follow each other are ordered by their class, those of one
 * class as they came.  Nearly all are accents (Mn) and go; a word with very many
 * others is unknown, in whatever order.
 */
static bool
take_decomposed(Taking *taking, int32_t c, size_t at)
{
	const int	class = combining_class(c);
	const bool	accent = c >= 0x80 && utf8proc_category(c) == UTF8PROC_CATEGORY_MN;
	size_t		k;

	if (class == 0 || (!accent && taking->nmarks == MOST_MARKS))
	{
		if (taking->nmarks > 0 && !take_marks(taking))
			return false;
		if (class == 0)
			return accent || take_character(taking, lower(c), at);
	}
	if (accent)
		return true;
	for (k = taking->nmarks++; k > 0 && combining_class(taking->marks[k - 1].c) > class; k--)
		taking->marks[k] = taking->marks[k - 1];
	taking->marks[k] = (Mark) {c, at};
	return true;
}

/* A character of the text that is not white space */
static bool
take(Taking *taking, int32_t c, size_t at)
{
	utf8proc_int32_t chars[4];	/* the most that a canonical decomposition has */
	utf8proc_ssize_t n;

	if (!model_goes_on(&taking->progress, 1, taking->error))
		return false;
	/* what is as if it were not there does not stand between a letter and its accent either */
	if (c < 0 || is_nothing(c))
		return true;
	if (!taking->wp->lowercase)
		return take_character(taking, c, at);
	if (c < 0x80)
		return take_decomposed(taking, c, at);
	n = utf8proc_decompose_char(c, chars, 4, UTF8PROC_DECOMPOSE, NULL);
	for (utf8proc_ssize_t i = 0; i < n && n <= 4; i++)
		if (!take_decomposed(taking, chars[i], at))
			return false;
	return true;
}

static bool
taking_begin(Taking *taking, const Wordpiece *wp, TokenList *out, ModelCancelled cancelled, void *context, ModelError *error)
{
	taking->wp = wp;
	taking->word = (Word) {0};
	taking->nmarks = 0;
	taking->out = out;
	taking->progress = (ModelProgress) {cancelled, context, 0};
	taking->error = error;
	return word_room(&taking->word, 64, error);
}

static void
taking_end(Taking *taking)
{
	free(taking->word.bytes);
}

/* Append the tokens of a text, or of its beginning that has more than 'most' */
static bool
encode(const Wordpiece *wp, const char *text, size_t len, size_t most, TokenList *out, ModelCancelled cancelled, void *context,
	   ModelError *error)
{
	const size_t before = out->n;
	Taking		taking;
	bool		good = taking_begin(&taking, wp, out, cancelled, context, error);

	for (size_t i = 0; good && i < len && out->n - before <= most;)
	{
		int			size;
		const int32_t c = unicode_at(text + i, len - i, &size);

		if (is_chinese(c))
			good = finish_word(&taking) && take(&taking, c, i) && finish_word(&taking);
		else if (unicode_class(c) == UNICODE_SPACE)
			good = model_goes_on(&taking.progress, 1, error) && finish_word(&taking);
		else
			good = take(&taking, c, i);
		i += (size_t) size;
	}
	good = good && (out->n - before > most || finish_word(&taking));
	taking_end(&taking);
	return good;
}

bool
wordpiece_encode(const Wordpiece *wp, const char *text, size_t len, TokenList *out, ModelCancelled cancelled, void *context,
				 ModelError *error)
{
	return encode(wp, text, len, SIZE_MAX, out, cancelled, context, error);
}

/*
 * How many bytes of the word that a text begins with are at most so many tokens.  Its
 * parts are tried one by one, since a longer one may have fewer tokens.  Those of a word
 * of many characters would be many, but such a word is one token as a whole, and fits.
 */
static bool
cut_word(const Wordpiece *wp, const char *text, size_t len, size_t most, size_t *cut, ModelCancelled cancelled, void *context,
		 ModelError *error)
{
	TokenList	word = {0};		/* gets tokens when the word is at its end */
	Taking		taking;
	char		bytes[2 + 4 * (MOST_CHARACTERS + MOST_MARKS)];
	int32_t		ids[MOST_CHARACTERS];
	bool		fits = true;
	bool		good = taking_begin(&taking, wp, &word, cancelled, context, error);

	*cut = 0;
	for (size_t i = 0; good && most > 0 && i < len;)
	{
		const size_t before = taking.word.nchars + taking.nmarks;
		int			size;
		const int32_t c = unicode_at(text + i, len - i, &size);

		if (is_chinese(c) || unicode_class(c) == UNICODE_SPACE)
			break;
		good = take(&taking, c, i);
		i += (size_t) size;
		if (!good || word.n > 0 || taking.word.nchars + taking.nmarks > MOST_CHARACTERS)
			break;
		if (taking.word.nchars + taking.nmarks != before)
		{
			size_t		n = taking.word.len;

			memcpy(bytes + 2, taking.word.bytes + 2, n);
			for (size_t m = 0; m < taking.nmarks; m++)
				n += (size_t) utf8proc_encode_char(lower(taking.marks[m].c), (utf8proc_uint8_t *) bytes + 2 + n);
			fits = word_tokens(wp, bytes, n, taking.word.nchars + taking.nmarks, ids) <= most;
		}
		if (fits)
			*cut = i;
	}
	taking_end(&taking);
	free(word.ids);
	return good;
}

bool
wordpiece_prefix(const Wordpiece *wp, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
				 ModelCancelled cancelled, void *context, ModelError *error)
{
	size_t		cut;

	out->n = 0;
	out->places = true;
	if (!encode(wp, text, len, most, out, cancelled, context, error))
		return false;
	prefix->len = prefix->whole = len;
	if (out->n <= most)
		return true;
	/* what comes behind the word that is too much has more tokens in any case */
	prefix->whole = out->at[most];
	for (out->n = most; out->n > 0 && out->at[out->n - 1] == prefix->whole;)
		out->n--;
	if (!cut_word(wp, text + prefix->whole, len - prefix->whole, most - out->n, &cut, cancelled, context, error))
		return false;
	prefix->len = prefix->whole + cut;
	return true;
}

size_t
wordpiece_text(const Wordpiece *wp, const int32_t *ids, size_t n, char *to)
{
	size_t		len = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	size;
		const char *piece = wordpiece_piece(wp, ids[i], &size);

		if (!piece)
			continue;
		if (i > 0 && size >= 2 && memcmp(piece, "##", 2) == 0)
		{
			piece += 2;
			size -= 2;
		}
		else if (i > 0)
		{
			if (to)
				to[len] = ' ';
			len++;
		}
		if (to)
			memcpy(to + len, piece, size);
		len += size;
	}
	return len;
}
