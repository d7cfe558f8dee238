/*-------------------------------------------------------------------------
 *
 * vocabulary_json.c
 *	  The vocabulary that a folder of Hugging Face has in tokenizer.json, of the
 *	  library tokenizers.
 *
 * Vocabulary and merges are nearly all of that file, some hundred thousands of
 * strings: they are read from the text as they come.  What is left of it without them
 * goes through jansson.
 *
 * A way of cutting or changing texts that is not known is an error, never passed over:
 * other tokens would make a model speak nonsense.
 *
 *-------------------------------------------------------------------------
 */
#include "model/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "model/json_file.h"

#define TOKENIZER_FILE	"tokenizer.json"
#define TOKENIZER_MAX	(256 << 20)	/* bytes of it */
#define REST_MAX		(8 << 20)	/* ... without vocabulary and merges */
#define USER_MAX		1024	/* bytes of an added token */
#define BLANK			"\342\226\201"	/* U+2581 */

/* ------------------------------------------------------------------------
 * The text of the file
 * ------------------------------------------------------------------------
 */

typedef struct Scan
{
	const char *at;
	const char *end;
} Scan;

static void
skip_blanks(Scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

/* Is this what comes next?  Then it is behind us. */
static bool
take(Scan *scan, char c)
{
	skip_blanks(scan);
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Past a string, whatever is in it */
static bool
skip_string(Scan *scan)
{
	if (!take(scan, '"'))
		return false;
	for (; scan->at < scan->end; scan->at++)
		if (*scan->at == '"')
		{
			scan->at++;
			return true;
		}
		else if (*scan->at == '\\' && ++scan->at == scan->end)
			break;
	return false;
}

/* Past a value; that its parts are sound is for who reads it to see. */
static bool
skip_value(Scan *scan)
{
	size_t		depth = 0;

	do
	{
		skip_blanks(scan);
		if (scan->at == scan->end)
			return false;
		switch (*scan->at)
		{
			case '"':
				if (!skip_string(scan))
					return false;
				break;
			case '{':
			case '[':
				depth++;
				scan->at++;
				break;
			case '}':
			case ']':
				if (depth-- == 0)
					return false;
				scan->at++;
				break;
			case ',':
			case ':':
				if (depth == 0)
					return false;
				scan->at++;
				break;
			case '\0':
				return false;
			default:
				while (scan->at < scan->end && !strchr(" \n\r\t,:]}[{\"", *scan->at))
					scan->at++;
		}
	} while (depth > 0);
	return true;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u, or -1 */
static int32_t
take_hex(Scan *scan)
{
	int32_t		value = 0;

	for (int i = 0; i < 4; i++, scan->at++)
	{
		const int	digit = scan->at < scan->end ? hex_digit(*scan->at) : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static char *
put_utf8(char *to, int32_t c)
{
	if (c < 0x80)
		*to++ = (char) c;
	else if (c < 0x800)
	{
		*to++ = (char) (0xC0 | c >> 6);
		*to++ = (char) (0x80 | (c & 0x3F));
	}
	else if (c < 0x10000)
	{
		*to++ = (char) (0xE0 | c >> 12);
		*to++ = (char) (0x80 | (c >> 6 & 0x3F));
		*to++ = (char) (0x80 | (c & 0x3F));
	}
	else
	{
		*to++ = (char) (0xF0 | c >> 18);
		*to++ = (char) (0x80 | (c >> 12 & 0x3F));
		*to++ = (char) (0x80 | (c >> 6 & 0x3F));
		*to++ = (char) (0x80 | (c & 0x3F));
	}
	return to;
}

/* Behind a backslash: what it and the next ones stand for.  NULL: nothing.  It has no more bytes than stood for it. */
static char *
take_escape(Scan *scan, char *to)
{
	static const char names[] = "\"\\/bfnrt";
	static const char are[] = "\"\\/\b\f\n\r\t";
	const char	c = scan->at < scan->end ? *scan->at++ : '\0';
	const char *name = c ? strchr(names, c) : NULL;
	int32_t		value;

	if (name)
	{
		*to = are[name - names];
		return to + 1;
	}
	if (c != 'u' || (value = take_hex(scan)) < 0 || (value >= 0xDC00 && value < 0xE000))
		return NULL;
	if (value >= 0xD800 && value < 0xDC00)
	{
		int32_t		low;

		if (scan->end - scan->at < 2 || scan->at[0] != '\\' || scan->at[1] != 'u')
			return NULL;
		scan->at += 2;
		low = take_hex(scan);
		if (low < 0xDC00 || low >= 0xE000)
			return NULL;
		value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
	}
	return put_utf8(to, value);
}

/* A string, to *memory, which has room for as many bytes as it has in the file */
static bool
take_string(Scan *scan, char **memory, const char **string, uint32_t *len)
{
	char	   *to = *memory;

	*string = to;
	if (!take(scan, '"'))
		return false;
	while (scan->at < scan->end && *scan->at != '"')
	{
		const char	c = *scan->at++;

		if (c != '\\')
			*to++ = c;
		else if ((to = take_escape(scan, to)) == NULL)
			return false;
	}
	if (scan->at == scan->end)
		return false;
	scan->at++;
	*len = (uint32_t) (to - *memory);
	*memory = to;
	return true;
}

/* A whole number of at most nine digits */
static bool
take_number(Scan *scan, uint32_t *number)
{
	int			digits = 0;

	skip_blanks(scan);
	for (*number = 0; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && digits < 10; scan->at++, digits++)
		*number = *number * 10 + (uint32_t) (*scan->at - '0');
	return digits > 0 && digits < 10;
}

/* ------------------------------------------------------------------------
 * Parts of the file
 * ------------------------------------------------------------------------
 */

typedef struct Reader
{
	const ModelFiles *files;
	Vocabulary *vocabulary;
	ModelError *error;
	char	   *content;		/* tokenizer.json */
	size_t		len;
	char	   *memory;			/* where the next name goes: there is room for all strings of the file */
	Scan		vocab;			/* where they are */
	Scan		merges;
	json_t	   *rest;			/* without them */
	const json_t *model;		/* in it */
} Reader;

static bool
no_json(Reader *reader, const char *what)
{
	return model_error(reader->error, MODEL_CORRUPT, "\"" TOKENIZER_FILE "\" of the model is not sound: %s", what);
}

static bool
is_key(const Scan *key, const char *name)
{
	const size_t len = strlen(name);

	return (size_t) (key->end - key->at) == len && memcmp(key->at, name, len) == 0;
}

/* Before a member of an object: its name as it stands there */
static bool
take_key(Scan *scan, Scan *key)
{
	skip_blanks(scan);
	key->at = scan->at + 1;
	if (!skip_string(scan))
		return false;
	key->end = scan->at - 1;
	return take(scan, ':');
}

/* The places of vocabulary and merges: members of the member "model" */
static bool
find_parts(Reader *reader)
{
	Scan		scan = {reader->content, reader->content + reader->len};
	Scan		key;
	int			depth = 0;		/* 1: in the model */

	if (!take(&scan, '{'))
		return false;
	if (take(&scan, '}'))
		return true;
	for (;;)
	{
		if (!take_key(&scan, &key))
			return false;
		skip_blanks(&scan);
		if (depth == 0 && is_key(&key, "model") && scan.at < scan.end && *scan.at == '{')
		{
			depth = 1;
			scan.at++;
			if (!take(&scan, '}'))
				continue;
			depth = 0;
		}
		else
		{
			Scan	   *part = depth == 0 ? NULL : is_key(&key, "vocab") ? &reader->vocab : is_key(&key, "merges") ? &reader->merges : NULL;
			const char *at = scan.at;

			if ((part && part->at) || !skip_value(&scan))
				return false;
			if (part)
				*part = (Scan) {at, scan.at};
		}
		while (!take(&scan, ','))
		{
			if (!take(&scan, '}'))
				return false;
			if (depth-- == 0)
				return true;
		}
	}
}

static int
by_place(const void *a, const void *b)
{
	const Scan *left = a,
			   *right = b;

	return left->at < right->at ? -1 : left->at > right->at;
}

/* What is left, with null for them */
static bool
read_rest(Reader *reader)
{
	Scan		parts[2] = {reader->vocab, reader->merges};
	const size_t left = reader->len - (size_t) (parts[0].end - parts[0].at) - (size_t) (parts[1].end - parts[1].at);
	char	   *text;
	size_t		n = 0;
	const char *from = reader->content;
	json_error_t wrong;

	if (!reader->vocab.at || !reader->merges.at)
		return model_error(reader->error, MODEL_UNSUPPORTED, "the model's tokenizer is not supported: there is that of byte pairs (\"BPE\")");
	if (left > REST_MAX)
		return no_json(reader, "it is too large beside vocabulary and merges");
	text = malloc(left + 2 * sizeof "null");
	if (!text)
		return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	qsort(parts, 2, sizeof *parts, by_place);
	for (int i = 0; i < 3; i++)
	{
		const char *to = i < 2 ? parts[i].at : reader->content + reader->len;

		memcpy(text + n, from, (size_t) (to - from));
		n += (size_t) (to - from);
		if (i < 2)
		{
			memcpy(text + n, "null", 4);
			n += 4;
			from = parts[i].end;
		}
	}
	reader->rest = json_loadb(text, n, JSON_REJECT_DUPLICATES, &wrong);
	free(text);
	if (!json_is_object(reader->rest))
		return no_json(reader, reader->rest ? "it is no object" : wrong.text);
	reader->model = json_object_get(reader->rest, "model");
	return true;
}

/* A token of the vocabulary, before it has its place */
typedef struct Entry
{
	const char *name;
	uint32_t	len;
	uint32_t	id;
} Entry;

/* Ids are less than the file has bytes: so much a vocabulary can have, and so much may be allocated. */
static bool
take_entries(Reader *reader, Entry **entries, size_t *n)
{
	Scan		scan = reader->vocab;
	size_t		room = 0;

	if (!take(&scan, '{'))
		return no_json(reader, "its vocabulary is no object");
	if (take(&scan, '}'))
		return true;
	do
	{
		Entry		entry;

		if (!take_string(&scan, &reader->memory, &entry.name, &entry.len) || !take(&scan, ':') || !take_number(&scan, &entry.id))
			return no_json(reader, "its vocabulary has a member that is no number of a token");
		if (entry.id >= reader->len)
			return no_json(reader, "its vocabulary has a number of a token that is too large");
		if (*n == room)
		{
			Entry	   *more = realloc(*entries, (room = room * 2 + 1024) * sizeof *more);

			if (!more)
				return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %zu tokens", *n);
			*entries = more;
		}
		(*entries)[(*n)++] = entry;
	} while (take(&scan, ','));
	return take(&scan, '}') || no_json(reader, "its vocabulary does not end");
}

/* Room for tokens up to this one; what is between is unused */
static bool
have_token(Reader *reader, uint32_t id)
{
	Vocabulary *vocabulary = reader->vocabulary;
	VocabularyToken *more;

	if (id < vocabulary->n)
		return true;
	more = realloc(vocabulary->tokens, ((size_t) id + 1) * sizeof *more);
	if (!more)
		return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for a vocabulary of %u tokens", id);
	vocabulary->tokens = more;
	for (; vocabulary->n <= id; vocabulary->n++)
		more[vocabulary->n] = (VocabularyToken) {.name = "", .type = TOKEN_UNUSED};
	return true;
}

static bool
read_vocab(Reader *reader)
{
	Entry	   *entries = NULL;
	size_t		n = 0;
	uint32_t	most = 0;
	bool		good = take_entries(reader, &entries, &n);

	for (size_t i = 0; good && i < n; i++)
		most = entries[i].id > most ? entries[i].id : most;
	good = good && (n > 0 || no_json(reader, "its vocabulary is empty")) && have_token(reader, most);
	for (size_t i = 0; good && i < n; i++)
	{
		VocabularyToken *token = &reader->vocabulary->tokens[entries[i].id];

		if (token->type != TOKEN_UNUSED)
			good = no_json(reader, "its vocabulary has two tokens of one number");
		*token = (VocabularyToken) {.name = entries[i].name, .len = entries[i].len, .type = TOKEN_NORMAL};
	}
	free(entries);
	return good;
}

/* ["a", "b"], or "a b" as older files have it */
static bool
take_merge(Reader *reader, Scan *scan, VocabularyMerge *merge)
{
	const char *blank;

	if (take(scan, '['))
		return take_string(scan, &reader->memory, &merge->left, &merge->left_len) && take(scan, ',') &&
			take_string(scan, &reader->memory, &merge->right, &merge->right_len) && take(scan, ']');
	if (!take_string(scan, &reader->memory, &merge->left, &merge->left_len))
		return false;
	blank = memchr(merge->left, ' ', merge->left_len);
	if (!blank)
		return false;
	merge->right = blank + 1;
	merge->right_len = merge->left_len - (uint32_t) (blank + 1 - merge->left);
	merge->left_len = (uint32_t) (blank - merge->left);
	return memchr(merge->right, ' ', merge->right_len) == NULL;
}

static bool
read_merges(Reader *reader)
{
	Vocabulary *vocabulary = reader->vocabulary;
	Scan		scan = reader->merges;
	uint64_t	room = 1024;

	vocabulary->merges = malloc(room * sizeof *vocabulary->merges);
	if (!take(&scan, '['))
		return no_json(reader, "its merges are no array");
	if (take(&scan, ']'))
		return vocabulary->merges || model_error(reader->error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
	do
	{
		if (vocabulary->nmerges == room)
		{
			VocabularyMerge *more = realloc(vocabulary->merges, (room *= 2) * sizeof *more);

			if (!more)
				return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for %llu merges of a vocabulary", (unsigned long long) room);
			vocabulary->merges = more;
		}
		if (!vocabulary->merges)
			return model_error(reader->error, MODEL_NO_MEMORY, "out of memory for a tokenizer");
		if (!take_merge(reader, &scan, &vocabulary->merges[vocabulary->nmerges]))
			return model_error(reader->error, MODEL_CORRUPT, "merge %llu of the vocabulary is not two tokens", (unsigned long long) vocabulary->nmerges);
		vocabulary->nmerges++;
	} while (take(&scan, ','));
	return take(&scan, ']') || no_json(reader, "its merges do not end");
}

/* ------------------------------------------------------------------------
 * What becomes of texts
 * ------------------------------------------------------------------------
 */

static bool
is_type(const json_t *step, const char *type)
{
	const char *is = json_string_value(json_object_get(step, "type"));

	return is && strcmp(is, type) == 0;
}

static const char *
string_of(const json_t *object, const char *key)
{
	const char *string = json_string_value(json_object_get(object, key));

	return string ? string : "";
}

/* A member that is true or false, or is not there */
static bool
flag_of(const json_t *object, const char *key, bool otherwise)
{
	const json_t *flag = json_object_get(object, key);

	return json_is_boolean(flag) ? json_is_true(flag) : otherwise;
}

/* Steps one after the other: those of a sequence, or the one that there is.  More than 'most': false */
static bool
steps_of(const json_t *whole, const char *members, const json_t **steps, size_t most, size_t *n)
{
	const json_t *list = is_type(whole, "Sequence") ? json_object_get(whole, members) : NULL;

	*n = list ? json_array_size(list) : json_is_object(whole);
	if (*n > most || (list && !json_is_array(list)) || (!list && is_type(whole, "Sequence")))
		return false;
	for (size_t i = 0; i < *n; i++)
		steps[i] = list ? json_array_get(list, i) : whole;
	return true;
}

/* " " becomes U+2581 */
static bool
is_blank_replace(const json_t *step)
{
	return is_type(step, "Replace") && strcmp(string_of(json_object_get(step, "pattern"), "String"), " ") == 0 &&
		strcmp(string_of(step, "content"), BLANK) == 0;
}

static bool
unknown_step(Reader *reader, const char *what, const json_t *step)
{
	return model_error(reader->error, MODEL_UNSUPPORTED, "the %s \"%.64s\" of the model's tokenizer, or how it is used, is not supported", what,
					   string_of(step, "type"));
}

/* Pieces by a regular expression, which have to be all there is */
static bool
is_split(const json_t *step)
{
	const char *behavior = string_of(step, "behavior");
	const bool	inverted = flag_of(step, "invert", false);

	return is_type(step, "Split") && ((strcmp(behavior, "Isolated") == 0 && !inverted) || (strcmp(behavior, "Removed") == 0 && inverted));
}

static bool
read_byte_level(Reader *reader, const json_t **steps, size_t n)
{
	Vocabulary *vocabulary = reader->vocabulary;
	const json_t *last = steps[n - 1];
	const bool	regex = flag_of(last, "use_regex", true);
	const json_t *normalizer = json_object_get(reader->rest, "normalizer");
	const json_t *changes[1];
	size_t		nchanges;

	if (flag_of(last, "add_prefix_space", true))
		return unknown_step(reader, "pre-tokenizer", last);
	vocabulary->pretoken = PRETOKENS;
	if (n == 1 && regex)
		vocabulary->pretoken = PRETOKEN_GPT2;
	else if (n == 2 && regex && is_type(steps[0], "Digits") && flag_of(steps[0], "individual_digits", false))
		vocabulary->pretoken = PRETOKEN_SMOLLM;
	else if (n == 2 && !regex && is_split(steps[0]))
	{
		const char *pattern = string_of(json_object_get(steps[0], "pattern"), "Regex");

		vocabulary->pretoken = pretoken_of_regex(pattern);
		if (vocabulary->pretoken == PRETOKENS)
			return model_error(reader->error, MODEL_UNSUPPORTED, "the model's texts are cut by the regular expression \"%.200s\", which is not known", pattern);
	}
	if (vocabulary->pretoken == PRETOKENS)
		return unknown_step(reader, "pre-tokenizer", steps[0]);
	if (!steps_of(normalizer, "normalizers", changes, 1, &nchanges) || (nchanges == 1 && !is_type(changes[0], "NFC")))
		return unknown_step(reader, "normalizer", normalizer);
	vocabulary->nfc = nchanges == 1;
	return true;
}

/* Blanks become U+2581: by the normalizer, or by the pre-tokenizer Metaspace */
static bool
read_sentencepiece(Reader *reader, const json_t **steps, size_t n)
{
	Vocabulary *vocabulary = reader->vocabulary;
	const json_t *normalizer = json_object_get(reader->rest, "normalizer");
	const json_t *changes[2];
	size_t		nchanges;

	vocabulary->sentencepiece = true;
	if (!steps_of(normalizer, "normalizers", changes, 2, &nchanges))
		return unknown_step(reader, "normalizer", normalizer);
	if (nchanges > 0)
	{
		if (!is_blank_replace(changes[nchanges - 1]) ||
			(nchanges == 2 && !(is_type(changes[0], "Prepend") && strcmp(string_of(changes[0], "prepend"), BLANK) == 0)))
			return unknown_step(reader, "normalizer", changes[0]);
		/* no blank is left for the pre-tokenizer to split at */
		if (n > 1 || (n == 1 && !(is_type(steps[0], "Split") && strcmp(string_of(json_object_get(steps[0], "pattern"), "String"), " ") == 0)))
			return unknown_step(reader, "pre-tokenizer", steps[0]);
		vocabulary->prefix = nchanges == 2 ? BLANK_ALWAYS : BLANK_NEVER;
		return true;
	}
	if (n != 1 || !is_type(steps[0], "Metaspace") || strcmp(string_of(steps[0], "replacement"), BLANK) != 0)
		return unknown_step(reader, "pre-tokenizer", n ? steps[0] : NULL);
	else
	{
		const char *scheme = string_of(steps[0], "prepend_scheme");

		vocabulary->blanks_cut = flag_of(steps[0], "split", true);
		vocabulary->prefix = strcmp(scheme, "first") == 0 ? BLANK_FIRST_IF_NONE : strcmp(scheme, "never") == 0 ? BLANK_NEVER : BLANK_IF_NONE;
		if (scheme[0] == '\0' && !flag_of(steps[0], "add_prefix_space", true))
			vocabulary->prefix = BLANK_NEVER;
		return true;
	}
}

/* A token by its name, or -1 */
static int32_t
find_token(const Vocabulary *vocabulary, const char *name)
{
	const size_t len = strlen(name);

	for (uint32_t i = 0; i < vocabulary->n; i++)
		if (vocabulary->tokens[i].len == len && vocabulary->tokens[i].type != TOKEN_UNUSED && memcmp(vocabulary->tokens[i].name, name, len) == 0)
			return (int32_t) i;
	return -1;
}

static bool
has_value(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value && !json_is_null(value);
}

static bool
read_model(Reader *reader)
{
	Vocabulary *vocabulary = reader->vocabulary;
	const json_t *model = reader->model;
	const json_t *pretokenizer = json_object_get(reader->rest, "pre_tokenizer");
	const char *unknown = json_string_value(json_object_get(model, "unk_token"));
	const json_t *steps[2];
	size_t		n;

	if (has_value(model, "type") && !is_type(model, "BPE"))
		return model_error(reader->error, MODEL_UNSUPPORTED, "the model's tokenizer \"%.64s\" is not supported: there is \"BPE\"", string_of(model, "type"));
	if (string_of(model, "continuing_subword_prefix")[0] || string_of(model, "end_of_word_suffix")[0] ||
		json_number_value(json_object_get(model, "dropout")) != 0)
		return model_error(reader->error, MODEL_UNSUPPORTED, "the model's tokenizer has prefixes or suffixes of tokens, or chance, which are not supported");
	if (!steps_of(pretokenizer, "pretokenizers", steps, 2, &n))
		return unknown_step(reader, "pre-tokenizer", pretokenizer);
	vocabulary->whole_first = flag_of(model, "ignore_merges", false);
	if (n > 0 && is_type(steps[n - 1], "ByteLevel"))
		return read_byte_level(reader, steps, n);
	if (!read_sentencepiece(reader, steps, n))
		return false;
	if (vocabulary->whole_first)
		return model_error(reader->error, MODEL_UNSUPPORTED, "the model's tokenizer ignores merges of characters, which is not supported");
	vocabulary->unknown = unknown ? find_token(vocabulary, unknown) : -1;
	vocabulary->unknown_fused = flag_of(model, "fuse_unk", false);
	for (uint32_t i = 0; flag_of(model, "byte_fallback", false) && i < vocabulary->n; i++)
	{
		VocabularyToken *token = &vocabulary->tokens[i];

		if (token->len == 6 && memcmp(token->name, "<0x", 3) == 0 && token->name[5] == '>' && token->type == TOKEN_NORMAL &&
			strspn(token->name + 3, "0123456789ABCDEF") >= 2)
			token->type = TOKEN_BYTE;
	}
	return true;
}

/* ------------------------------------------------------------------------
 * Tokens that are none of the model's
 * ------------------------------------------------------------------------
 */

/* Names that templates put between turns: control tokens, though some files call them ordinary ones */
static const char *const turn_names[] = {
	"<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>",
	"<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "<<SYS>>", "<</SYS>>"
};

static bool
is_turn(const char *name)
{
	for (size_t i = 0; i < sizeof turn_names / sizeof *turn_names; i++)
		if (strcmp(turn_names[i], name) == 0)
			return true;
	return false;
}

/* A user's token: it is found in texts as they come.  Some ways to find one are not known. */
static bool
user_is_known(const Reader *reader, const json_t *added, const char *content, size_t len)
{
	const Vocabulary *vocabulary = reader->vocabulary;
	const bool	normalized = flag_of(added, "normalized", true);

	if (flag_of(added, "single_word", false) || flag_of(added, "lstrip", false) || flag_of(added, "rstrip", false) || len > USER_MAX)
		return false;
	/* where texts are changed such a token is too; it may come out as it was */
	return !normalized || (!vocabulary->nfc && !(vocabulary->sentencepiece && has_value(reader->rest, "normalizer") &&
												 (vocabulary->prefix != BLANK_NEVER || memchr(content, ' ', len))));
}

static bool
read_added_token(Reader *reader, const json_t *added)
{
	Vocabulary *vocabulary = reader->vocabulary;
	const json_t *id = json_object_get(added, "id");
	const char *content = json_string_value(json_object_get(added, "content"));
	const size_t len = json_string_length(json_object_get(added, "content"));
	VocabularyToken *token;

	if (!content || len == 0 || !json_is_integer(id) || json_integer_value(id) < 0 || (uint64_t) json_integer_value(id) >= reader->len)
		return no_json(reader, "an added token has no name, or no number that a token can have");
	if (!have_token(reader, (uint32_t) json_integer_value(id)))
		return false;
	token = &vocabulary->tokens[json_integer_value(id)];
	if (token->type != TOKEN_UNUSED && (token->len != len || memcmp(token->name, content, len) != 0))
		return no_json(reader, "an added token has the number of another one");
	memcpy(reader->memory, content, len);
	*token = (VocabularyToken) {.name = reader->memory, .len = (uint32_t) len, .type = TOKEN_CONTROL};
	reader->memory += len;
	if (flag_of(added, "special", false) || is_turn(content))
		return true;
	if (!user_is_known(reader, added, content, len))
		return model_error(reader->error, MODEL_UNSUPPORTED, "the added token \"%.64s\" is to be found in texts in a way that is not supported", content);
	token->type = TOKEN_USER;
	return true;
}

static bool
read_added(Reader *reader)
{
	Vocabulary *vocabulary = reader->vocabulary;
	const json_t *list = json_object_get(reader->rest, "added_tokens");
	size_t		i;
	const json_t *added;

	json_array_foreach(list, i, added)
		if (!read_added_token(reader, added))
			return false;
	if (vocabulary->unknown >= 0)
		vocabulary->tokens[vocabulary->unknown].type = TOKEN_UNKNOWN;
	return true;
}

static void
add_end(Vocabulary *vocabulary, int64_t id)
{
	if (id >= 0 && id < vocabulary->n && vocabulary->nends < VOCABULARY_ENDS)
		vocabulary->ends[vocabulary->nends++] = (int32_t) id;
}

/* A token by its name, which may be a member "content"; -1: there is none */
static int32_t
named_token(const Vocabulary *vocabulary, const json_t *name)
{
	if (json_is_object(name))
		name = json_object_get(name, "content");
	return json_is_string(name) ? find_token(vocabulary, json_string_value(name)) : -1;
}

/* What is put before a text: the first item of a template */
static void
read_template(Vocabulary *vocabulary, const json_t *processor)
{
	const json_t *steps[4];
	size_t		n;

	if (!steps_of(processor, "processors", steps, 4, &n))
		return;
	for (size_t i = 0; i < n; i++)
	{
		const json_t *first = json_array_get(json_object_get(steps[i], "single"), 0);
		const char *name = json_string_value(json_object_get(json_object_get(first, "SpecialToken"), "id"));
		const int32_t id = is_type(steps[i], "TemplateProcessing") && name ? find_token(vocabulary, name) : -1;

		if (id >= 0)
		{
			vocabulary->bos = id;
			vocabulary->adds_bos = true;
		}
	}
}

/* A number, or an array of some */
static void
read_ends(Vocabulary *vocabulary, const json_t *ends)
{
	if (json_is_integer(ends))
		add_end(vocabulary, json_integer_value(ends));
	for (size_t i = 0; i < json_array_size(ends); i++)
		if (json_is_integer(json_array_get(ends, i)))
			add_end(vocabulary, json_integer_value(json_array_get(ends, i)));
}

static bool
read_begin_and_end(Reader *reader)
{
	static const char *const names[] = {"generation_config.json", "config.json"};
	Vocabulary *vocabulary = reader->vocabulary;
	json_t	   *json;
	bool		found;
	int32_t		bos;

	read_template(vocabulary, json_object_get(reader->rest, "post_processor"));
	if (!json_file_of(reader->files, "tokenizer_config.json", TOKENIZER_CONFIG_MAX, &json, &found, reader->error))
		return false;
	bos = named_token(vocabulary, json_object_get(json, "bos_token"));
	vocabulary->bos = bos >= 0 ? bos : vocabulary->bos;
	add_end(vocabulary, named_token(vocabulary, json_object_get(json, "eos_token")));
	vocabulary->adds_bos = flag_of(json, "add_bos_token", vocabulary->adds_bos);
	json_decref(json);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
	{
		const json_t *begin;

		if (!json_file(reader->files, names[i], &json, &found, reader->error))
			return false;
		read_ends(vocabulary, json_object_get(json, "eos_token_id"));
		begin = json_object_get(json, "bos_token_id");
		if (vocabulary->bos < 0 && json_is_integer(begin) && json_integer_value(begin) >= 0 && json_integer_value(begin) < vocabulary->n)
			vocabulary->bos = (int32_t) json_integer_value(begin);
		json_decref(json);
	}
	return true;
}

bool
vocabulary_of_files(const ModelFiles *files, Vocabulary *vocabulary, ModelError *error)
{
	Reader		reader = {.files = files, .vocabulary = vocabulary, .error = error};
	bool		good;

	*vocabulary = (Vocabulary) {.unknown = -1, .bos = -1, .from_json = true};
	reader.content = file_content(files, TOKENIZER_FILE, TOKENIZER_MAX, &reader.len, NULL, error);
	if (!reader.content)
		return false;
	reader.memory = vocabulary->memory = malloc(reader.len + 1);
	good = (reader.memory || model_error(error, MODEL_NO_MEMORY, "out of memory for a tokenizer")) &&
		(find_parts(&reader) || no_json(&reader, "its objects do not end, or have a member twice")) &&
		read_rest(&reader) && read_vocab(&reader) && read_merges(&reader) && read_model(&reader) && read_added(&reader);
	free(reader.content);
	good = good && read_begin_and_end(&reader);
	json_decref(reader.rest);
	return good;
}
