/*-------------------------------------------------------------------------
 *
 * pretoken.c
 *	  See pretoken.h.
 *
 * gpt2:
 *	  's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * smollm: digits are cut out first, each by itself; the rest as gpt2.
 * llama3 and dbrx (with \p{N} in place of \p{N}{1,3}: qwen2):
 *	  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *	   ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * tekken, where U is \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M} and L is \p{Ll}\p{Lm}\p{Lo}\p{M}:
 *	  [^\r\n\p{L}\p{N}]?[U]*[L]+|[^\r\n\p{L}\p{N}]?[U]+[L]*|\p{N}|
 *	   ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 *-------------------------------------------------------------------------
 */
#include "model/pretoken.h"

#include <string.h>

#include "model/unicode.h"


/* The class of what is at p, and where the next code point is; UNICODE_OTHER at the end of the text */
static UnicodeClass
class_at(const char *p, const char *end, const char **next)
{
	int			len = 0;
	UnicodeClass class = UNICODE_OTHER;

	if (p < end)
		class = unicode_class(unicode_at(p, (size_t) (end - p), &len));
	*next = p + len;
	return class;
}

/* As far as code points are of the class */
static const char *
run_of(UnicodeClass class, const char *p, const char *end)
{
	const char *next;

	while (p < end && class_at(p, end, &next) == class)
		p = next;
	return p;
}

/* 's and its kin; NULL: none.  folded: in upper case too, of which the long s is one of s */
static const char *
contraction(const char *p, const char *end, bool folded)
{
	static const char *const tails[] = {"s", "t", "re", "ve", "m", "ll", "d"};

	if (p == end || *p != '\'')
		return NULL;
	p++;
	if (folded && end - p >= 2 && memcmp(p, "\305\277", 2) == 0)
		return p + 2;
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
	{
		const size_t len = strlen(tails[i]);
		size_t		same = 0;

		while (same < len && same < (size_t) (end - p) && (folded ? p[same] | 32 : p[same]) == tails[i][same])
			same++;
		if (same == len)
			return p + len;
	}
	return NULL;
}

/* \s+(?!\S)|\s+ of a run of white space: all of it at the end of the text, else without its last one, if more than one */
static const char *
spaces(const char *p, const char *end)
{
	const char *last = p;
	const char *next;
	const char *at = p;

	while (at < end && class_at(at, end, &next) == UNICODE_SPACE)
	{
		last = at;
		at = next;
	}
	return at == end || last == p ? at : last;
}

/* Characters that are neither letters nor numbers nor spaces, of which the first is known, and what may follow: ends of lines, slashes */
static const char *
others(const char *p, const char *end, bool slashes)
{
	p = run_of(UNICODE_OTHER, p, end);
	while (p < end && (*p == '\r' || *p == '\n' || (slashes && *p == '/')))
		p++;
	return p;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ of a run of white space: up to the last end of line in it */
static const char *
lines_or_spaces(const char *p, const char *end)
{
	const char *at = run_of(UNICODE_SPACE, p, end);

	while (at > p && at[-1] != '\r' && at[-1] != '\n')
		at--;
	return at > p ? at : spaces(p, end);
}

static const char *
next_gpt2(const char *p, const char *end)
{
	const char *tail = contraction(p, end, false);
	const char *next;
	UnicodeClass class;

	if (tail)
		return tail;
	/* a blank belongs to what comes behind it */
	class = class_at(*p == ' ' ? p + 1 : p, end, &next);
	if (class != UNICODE_SPACE && (*p != ' ' || p + 1 < end))
		return run_of(class, next, end);
	return spaces(p, end);
}

static const char *
next_llama3(const char *p, const char *end, int most_digits)
{
	const char *tail = contraction(p, end, true);
	const char *next,
			   *behind;
	UnicodeClass class,
				second;

	if (tail)
		return tail;
	class = class_at(p, end, &next);
	if (class == UNICODE_LETTER)
		return run_of(UNICODE_LETTER, next, end);
	if (class == UNICODE_NUMBER)
	{
		for (int i = 1; i < most_digits && next < end && class_at(next, end, &behind) == UNICODE_NUMBER; i++)
			next = behind;
		return next;
	}
	second = class_at(next, end, &behind);
	if (*p != '\r' && *p != '\n' && next < end && second == UNICODE_LETTER)
		return run_of(UNICODE_LETTER, behind, end);
	if (class == UNICODE_OTHER || (*p == ' ' && next < end && second == UNICODE_OTHER))
		return others(class == UNICODE_OTHER ? next : behind, end, false);
	return lines_or_spaces(p, end);
}

/* UNICODE_UPPER, UNICODE_LOWER of what is at p, and where the next code point is; 0 at the end of the text */
static int
cases_at(const char *p, const char *end, const char **next)
{
	int			len = 0;
	int			cases = 0;

	if (p < end)
		cases = unicode_cases(unicode_at(p, (size_t) (end - p), &len));
	*next = p + len;
	return cases;
}

/*
 * Where [U]*[L]+ ends that begins at p: the upper case as far as it goes, which gives back
 * what a lower case needs.  NULL: there is none
 */
static const char *
upper_and_lower(const char *p, const char *end)
{
	const char *both = NULL;	/* behind the last one that is in U and in L */
	const char *next;
	int			cases;

	for (; (cases = cases_at(p, end, &next)) & UNICODE_UPPER; p = next)
		if (cases & UNICODE_LOWER)
			both = next;
	if (!(cases & UNICODE_LOWER))
		return both;
	while (cases_at(p, end, &next) & UNICODE_LOWER)
		p = next;
	return p;
}

/* Where [U]+ ends; NULL: there is none.  [L]* has nothing behind it where [U]*[L]+ found nothing. */
static const char *
upper(const char *p, const char *end)
{
	const char *begin = p;
	const char *next;

	for (; cases_at(p, end, &next) & UNICODE_UPPER; p = next)
		;
	return p > begin ? p : NULL;
}

static const char *
next_tekken(const char *p, const char *end)
{
	const char *next,
			   *behind,
			   *word;
	const UnicodeClass class = class_at(p, end, &next);

	if (class == UNICODE_NUMBER)
		return next;
	if (class == UNICODE_LETTER)
		word = (word = upper_and_lower(p, end)) ? word : upper(p, end);
	else
	{
		/* one character may stand before a word; a mark may be one, or begin the word */
		const bool	before = *p != '\r' && *p != '\n';

		word = before ? upper_and_lower(next, end) : NULL;
		word = word ? word : upper_and_lower(p, end);
		word = word || !before ? word : upper(next, end);
	}
	if (word)
		return word;
	if (class == UNICODE_OTHER)
		return others(next, end, true);
	if (*p == ' ' && next < end && class_at(next, end, &behind) == UNICODE_OTHER)
		return others(behind, end, true);
	return lines_or_spaces(p, end);
}

PretokenKind
pretoken_kind(const char *name, size_t len)
{
	static const struct
	{
		const char *name;
		PretokenKind kind;
	}			names[] = {
		{"gpt-2", PRETOKEN_GPT2}, {"gpt2", PRETOKEN_GPT2}, {"smollm", PRETOKEN_SMOLLM},
		{"llama-bpe", PRETOKEN_LLAMA3}, {"llama3", PRETOKEN_LLAMA3}, {"llama-v3", PRETOKEN_LLAMA3}, {"dbrx", PRETOKEN_LLAMA3},
		{"qwen2", PRETOKEN_QWEN2}, {"deepseek-r1-qwen", PRETOKEN_QWEN2}, {"tekken", PRETOKEN_TEKKEN},
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return names[i].kind;
	return PRETOKENS;
}

PretokenKind
pretoken_of_regex(const char *regex)
{
	static const struct
	{
		const char *regex;
		PretokenKind kind;
	}			known[] = {
		{"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", PRETOKEN_GPT2},
		{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
		PRETOKEN_LLAMA3},
		/* another way to write it */
		{"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
		PRETOKEN_LLAMA3},
		{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
		PRETOKEN_QWEN2},
		{"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
			"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|"
			"\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
		PRETOKEN_TEKKEN},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].regex, regex) == 0)
			return known[i].kind;
	return PRETOKENS;
}

size_t
pretoken_next(PretokenKind kind, const char *p, size_t left)
{
	const char *end = p + left;
	const char *next;

	switch (kind)
	{
		case PRETOKEN_LLAMA3:
			return (size_t) (next_llama3(p, end, 3) - p);
		case PRETOKEN_QWEN2:
			return (size_t) (next_llama3(p, end, 1) - p);
		case PRETOKEN_TEKKEN:
			return (size_t) (next_tekken(p, end) - p);
		case PRETOKEN_SMOLLM:
			if (class_at(p, end, &next) == UNICODE_NUMBER)
				return (size_t) (next - p);
			/* what the digits leave are texts of their own: white space before one is at an end */
			if (class_at(p, end, &next) == UNICODE_SPACE)
			{
				const char *run = run_of(UNICODE_SPACE, p, end);

				if (run < end && class_at(run, end, &next) == UNICODE_NUMBER)
					return (size_t) (run - p);
			}
			return (size_t) (next_gpt2(p, end) - p);
		default:
			return (size_t) (next_gpt2(p, end) - p);
	}
}
