/*-------------------------------------------------------------------------
 *
 * chunk_test.c
 *	  Texts in pieces: what has to hold of all, and where they are cut.
 *
 * link: src/model/chunk.c src/model/unicode.c src/model/wordpiece.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include "model/chunk.h"
#include "model/wordpiece.h"
#include "tokens_file.h"

static const char vocabulary[] = "[UNK]\na\n##a\nb\n##b\nab\nabab\n##abb\nc\nd\ne\n.\n,\n\346\227\245\n\346\234\254\n\343\200\202\n\341\204\222\n##\341\205\241\n##\341\206\253\n";

static bool
prefix_of(const void *tokenizer, const char *text, size_t len, size_t most, TokenList *out, TokenPrefix *prefix,
		  ModelProgress *progress, ModelError *error)
{
	return wordpiece_prefix(tokenizer, text, len, most, out, prefix, progress->cancelled, progress->context, error);
}

static size_t
count(const Wordpiece *wp, const char *text, size_t len)
{
	TokenList	tokens = {0};
	ModelError	error;
	const size_t n = wordpiece_encode(wp, text, len, &tokens, NULL, NULL, &error) ? tokens.n : SIZE_MAX;

	free(tokens.ids);
	return n;
}

static bool
blanks(const char *text, size_t begin, size_t end)
{
	while (begin < end && (text[begin] == ' ' || text[begin] == '\n' || text[begin] == '\r'))
		begin++;
	return begin == end;
}

/* The pieces, with a bar between; NULL: an error */
static void
cuts(const Wordpiece *wp, const char *text, size_t most, size_t overlap, const char *expected)
{
	TokenList	words = {0};
	Chunker		chunker = {prefix_of, wp, text, strlen(text), most, overlap, &words, 0, 0, 0};
	ModelProgress progress = {0};
	ModelError	error = {0};
	char		got[1000] = "";
	size_t		begin;
	size_t		end;
	bool		there;
	bool		good;

	while ((good = chunk_next(&chunker, &begin, &end, &there, &progress, &error)) && there)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", *got ? "|" : "", (int) (end - begin), text + begin);
	if (expected)
		ok(good && strcmp(got, expected) == 0, "%zu, %zu of \"%s\": \"%s\" %s", most, overlap, text, got, error.message);
	else
		ok(!good && error.kind == MODEL_BAD_INPUT, "%zu, %zu of \"%s\": %s", most, overlap, text, error.message);
	free(words.ids);
	free(words.at);
}

static void
test_random(const Wordpiece *wp)
{
	static const char *const parts[] = {"a", "ab", "abab", "b ", "c ", "d ", "e. ", "e.", "a, ", "\n", "\n\n", "\r\n", " ", "\346\227\245", "\343\200\202", "e\314\201",
	"\342\200\213", "ababababababababab", "\355\225\234", "? ", "!\" "};
	TokenList	words = {0};
	unsigned	seed = 3;
	size_t		wrong = 0;
	size_t		pieces = 0;
	size_t		overlaps = 0;

	for (int round = 0; round < 20000; round++)
	{
		char		text[1600];
		const int	n = rand_r(&seed) % 60;
		const size_t most = 3 + (size_t) rand_r(&seed) % 20;
		const size_t overlap = (size_t) rand_r(&seed) % most;
		Chunker		chunker = {prefix_of, wp, text, 0, most, overlap, &words, 0, 0, 0};
		ModelProgress progress = {0};
		ModelError	error;
		size_t		last_begin = 0;
		size_t		last_end = 0;
		size_t		begin;
		size_t		end;
		bool		there;
		bool		right;

		for (int i = 0; i < n; i++)
		{
			const char *part = parts[(size_t) rand_r(&seed) % (sizeof parts / sizeof *parts)];

			memcpy(text + chunker.len, part, strlen(part) + 1);
			chunker.len += strlen(part);
		}
		for (bool first = true; (right = chunk_next(&chunker, &begin, &end, &there, &progress, &error)) && there; first = false)
		{
			/* at most so many tokens, blanks at no edge, nothing left out, each one further, no character in two */
			right = begin < end && count(wp, text + begin, end - begin) <= most && !blanks(text, begin, begin + 1) && !blanks(text, end - 1, end) &&
				(begin <= last_end || blanks(text, last_end, begin)) && (first || (begin > last_begin && end > last_end)) &&
				(text[begin] & 0xC0) != 0x80 && (end == chunker.len || (text[end] & 0xC0) != 0x80);
			/* what the one before has too */
			if (right && begin < last_end)
			{
				right = count(wp, text + begin, last_end - begin) <= overlap;
				overlaps++;
			}
			if (!right)
				break;
			last_begin = begin;
			last_end = end;
			pieces++;
		}
		wrong += !right || !blanks(text, last_end, chunker.len);
	}
	ok(wrong == 0 && overlaps > 10000 && pieces > 3 * overlaps / 2, "random texts: %zu wrong, %zu pieces, %zu with an overlap", wrong, pieces, overlaps);
	free(words.ids);
	free(words.at);
}

int
main(void)
{
	ModelError	error = {0};
	Wordpiece  *wp = wordpiece_open(vocabulary, strlen(vocabulary), &(WordpieceOptions) {true, NULL}, &error);

	if (!ok(wp != NULL, "a vocabulary %s", error.message))
		return tap_done();
	cuts(wp, "", 5, 0, "");
	cuts(wp, " \n ", 5, 0, "");
	cuts(wp, "  a b  ", 5, 2, "a b");
	cuts(wp, "a b c d e", 3, 0, "a b c|d e");
	cuts(wp, "a b c d e", 3, 1, "a b c|c d e");
	cuts(wp, "a b c d e", 3, 2, "a b c|b c d|c d e");
	cuts(wp, "a b. c d e", 4, 0, "a b.|c d e");
	cuts(wp, "a b.) c d e", 5, 0, "a b.)|c d e");
	cuts(wp, "a\nb. c d e", 4, 0, "a\nb.|c d e");
	cuts(wp, "a b\nc. d e", 4, 0, "a b|c. d e");
	cuts(wp, "a b c\n\nd\ne a", 5, 0, "a b c|d\ne a");
	cuts(wp, "a b\n\nc\nd e", 4, 0, "a b\n\nc|d e");
	cuts(wp, "a b\r\nc d\r\ne a", 5, 0, "a b\r\nc d|e a");
	cuts(wp, "a. b. c. d. e.", 4, 2, "a. b.|b. c.|c. d.|d. e.");
	cuts(wp, "a.b c", 4, 0, "a.b c");
	cuts(wp, "a.b c d", 4, 0, "a.b c|d");
	cuts(wp, "a,b,c,d,e", 3, 0, "a,b|,c,|d,e");
	cuts(wp, "\346\227\245\346\234\254\343\200\202\346\227\245\346\234\254\346\227\245\346\234\254", 5, 0,
		 "\346\227\245\346\234\254\343\200\202|\346\227\245\346\234\254\346\227\245\346\234\254");
	cuts(wp, "\346\227\245\346\234\254\346\227\245\346\234\254\346\227\245", 3, 1,
		 "\346\227\245\346\234\254\346\227\245|\346\227\245\346\234\254\346\227\245");
	cuts(wp, "aaaaaaaa", 3, 0, "aaa|aaa|aa");
	cuts(wp, "c aaaa d", 4, 1, "c|aaaa|d");
	cuts(wp, "\355\225\234", 3, 0, "\355\225\234");
	cuts(wp, "a \355\225\234", 2, 0, NULL);
	test_random(wp);
	wordpiece_close(wp);
	return tap_done();
}
