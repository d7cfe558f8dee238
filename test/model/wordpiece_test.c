/*-------------------------------------------------------------------------
 *
 * wordpiece_test.c
 *	  WordPiece: the tokens of the library tokenizers (fixtures/vocabulary.py).
 *
 * link: src/model/unicode.c src/model/wordpiece.c
 * libs: -lutf8proc
 *-------------------------------------------------------------------------
 */
#include "model/wordpiece.h"
#include "tokens_file.h"

#define FIXTURES	"test/model/fixtures/"

static bool
encode(void *tokenizer, const char *text, size_t len, TokenList *out, ModelError *error)
{
	return wordpiece_encode(tokenizer, text, len, out, NULL, NULL, error);
}

static bool
cancelled(void *context)
{
	return ++*(int *) context > 1;
}

static void
test_cancel(Wordpiece *wp)
{
	const size_t len = 200000;
	char	   *text = malloc(len);
	TokenList	tokens = {0};
	ModelError	error;
	int			asked = 0;

	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 ? ' ' : 'a';
	ok(!wordpiece_encode(wp, text, len, &tokens, cancelled, &asked, &error) && error.kind == MODEL_CANCELLED && asked == 2, "many words are cancelled");
	memset(text, 'a', len);
	asked = 0;
	ok(!wordpiece_encode(wp, text, len, &tokens, cancelled, &asked, &error) && error.kind == MODEL_CANCELLED && asked == 2, "one long word is cancelled");
	free(text);
	free(tokens.ids);
}

/* A text of two tokens, or what else a vocabulary makes of it */
static void
test_small(const char *what, const char *vocabulary, bool lowercase, const char *text, size_t n, int32_t first, int32_t second)
{
	ModelError	error = {0};
	Wordpiece  *wp = wordpiece_open(vocabulary, strlen(vocabulary), &(WordpieceOptions) {lowercase, NULL}, &error);
	TokenList	tokens = {0};
	const bool	made = wp && wordpiece_encode(wp, text, strlen(text), &tokens, NULL, NULL, &error);

	ok(made && tokens.n == n && (n < 1 || tokens.ids[0] == first) && (n < 2 || tokens.ids[1] == second), "%s: %zu tokens %s", what, tokens.n,
	   error.message);
	free(tokens.ids);
	wordpiece_close(wp);
}

/* What random texts are made of: words of one and many tokens, marks that go and that stay, characters that come apart */
static const char *const parts[] = {"a", "select", "Table", "xqz", "zzzzzzz", " ", "  ", "\n", ".", ",", "\303\251", "e\314\201", "\314\201", "\343\200\256",
	"\360\235\205\245", "\343\200\202", "\346\227\245", "\355\225\234", "\342\200\213", "\342\211\256", "\315\217", "unbelievable", "\315\276", "\377",
"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

static size_t
random_text(char *text, unsigned *seed)
{
	const int	n = rand_r(seed) % 14;
	size_t		len = 0;

	for (int i = 0; i < n; i++)
	{
		const char *part = parts[(size_t) rand_r(seed) % (sizeof parts / sizeof *parts)];

		memcpy(text + len, part, strlen(part));
		len += strlen(part);
	}
	return len;
}

/* The longest beginning of at most so many tokens, all of them tried */
static size_t
longest(Wordpiece *wp, const char *text, size_t len, size_t most, TokenList *out, ModelError *error)
{
	for (;; len--)
	{
		out->n = 0;
		/* between two characters; \377 is one */
		if ((len == 0 || (text[len] & 0xC0) != 0x80) && wordpiece_encode(wp, text, len, out, NULL, NULL, error) && out->n <= most)
			return len;
	}
}

static void
test_prefix(Wordpiece *wp, const char *what)
{
	TokenList	out = {0};
	TokenList	all = {0};
	TokenPrefix prefix;
	ModelError	error = {0};
	unsigned	seed = 7;
	int			wrong = 0;
	int			cut = 0;

	for (int round = 0; round < 6000; round++)
	{
		char		text[2000] = {0};
		const size_t len = random_text(text, &seed);
		const size_t most = (size_t) rand_r(&seed) % 12;
		const size_t expected = longest(wp, text, len, most, &all, &error);
		bool		right = wordpiece_prefix(wp, text, len, most, &out, &prefix, NULL, NULL, &error) && prefix.len == expected && prefix.whole <= prefix.len;

		cut += right && prefix.whole < prefix.len && prefix.len < len;
		/* the whole words are what a text without the rest has */
		all.n = 0;
		right = right && wordpiece_encode(wp, text, prefix.whole, &all, NULL, NULL, &error) && all.n == out.n &&
			(all.n == 0 || memcmp(all.ids, out.ids, all.n * sizeof *all.ids) == 0);
		wrong += !right;
	}
	ok(wrong == 0 && cut > 50, "%s: the longest beginnings of so many tokens, %d wrong, %d within a word", what, wrong, cut);
	free(out.ids);
	free(out.at);
	free(all.ids);
}

static void
test_text(Wordpiece *wp)
{
	int32_t		ids[40];
	char		text[400];
	size_t		n = 0;
	size_t		len;
	const char *names[] = {"select", "a", "##a", ".", "[SEP]", "##a"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ids[n++] = wordpiece_find(wp, names[i]);
	len = wordpiece_text(wp, ids, n, NULL);
	ok(wordpiece_text(wp, ids, n, text) == len && len == strlen("select aa . [SEP]a") && memcmp(text, "select aa . [SEP]a", len) == 0, "the text of tokens");
	ok(wordpiece_text(wp, ids + 2, 1, text) == 3 && memcmp(text, "##a", 3) == 0, "... that begins within a word");
	ok(wordpiece_text(wp, ids, 0, NULL) == 0, "... of none");
}

/* Accents without end: no more than a letter, and in no more time than others */
static void
test_marks(Wordpiece *wp)
{
	static const char *const marks[] = {"\314\201\314\243", "\343\200\256\360\235\205\245"};	/* Mn of two classes, Mc of two */

	for (int m = 0; m < 2; m++)
	{
		const size_t size = strlen(marks[m]);
		const size_t len = 1 + 200000 * size;
		char	   *text = malloc(len);
		TokenList	tokens = {0};
		ModelError	error;

		text[0] = 'a';
		for (size_t i = 1; i < len; i++)
			text[i] = marks[m][(i - 1) % size];
		ok(wordpiece_encode(wp, text, len, &tokens, NULL, NULL, &error) && tokens.n == 1 && (tokens.ids[0] == 1) == (m == 1), "%s without end",
		   m ? "marks" : "accents");
		free(text);
		free(tokens.ids);
	}
}

int
main(void)
{
	size_t		len;
	char	   *vocabulary = read_file(FIXTURES "wordpiece.txt", &len);
	ModelError	error = {0};
	Wordpiece  *wp = vocabulary ? wordpiece_open(vocabulary, len, &(WordpieceOptions) {true, NULL}, &error) : NULL;
	uint32_t	size;

	if (ok(wp != NULL, "the vocabulary is read %s", error.message))
	{
		compare_tokens(FIXTURES "wordpiece.bin", encode, wp);
		test_cancel(wp);
		test_marks(wp);
		test_prefix(wp, "in lower case");
		test_text(wp);
		ok(wordpiece_find(wp, "[CLS]") == 2 && wordpiece_find(wp, "no such token") == -1 && wordpiece_ntokens(wp) == 1200, "tokens by their names");
		ok(strcmp(wordpiece_piece(wp, 3, &size), "[SEP]") == 0 && size == 5 && !wordpiece_piece(wp, -1, &size) && !wordpiece_piece(wp, 1200, &size),
		   "names of tokens");
	}
	wordpiece_close(wp);
	wp = vocabulary ? wordpiece_open(vocabulary, len, &(WordpieceOptions) {false, NULL}, &error) : NULL;
	if (wp)
		test_prefix(wp, "as it is written");
	wordpiece_close(wp);
	free(vocabulary);
	test_small("as it is written", "[UNK]\nAb\n##\303\251\n", false, "Ab\303\251", 2, 1, 2);
	test_small("in lower case, without accents", "[UNK]\nab\n##e\n", true, "A\314\201B\303\211", 2, 1, 2);
	test_small("lines that end as on Windows", "[UNK]\r\na\r\n##b\r\n", true, "ab", 2, 1, 2);
	test_small("no end of the last line", "[UNK]\na\n##b", true, "ab", 2, 1, 2);
	test_small("half a word", "[UNK]\na\n", true, "ab a", 2, 0, 1);
	test_small("of no characters", "[UNK]\na\n", true, " \t\302\255\n", 0, 0, 0);
	test_small("bytes that are no characters", "[UNK]\na\n##b\n", true, "a\377b", 2, 1, 2);
	ok(!wordpiece_open("a\n", 2, &(WordpieceOptions) {true, NULL}, &error) && error.kind == MODEL_CORRUPT, "without an unknown token: %s", error.message);
	return tap_done();
}
