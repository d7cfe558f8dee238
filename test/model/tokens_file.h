/*-------------------------------------------------------------------------
 *
 * tokens_file.h
 *	  Texts and their tokens, as fixtures/vocabulary.py writes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODEL_TOKENS_FILE_H
#define MODEL_TOKENS_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tokens.h"
#include "tap.h"

/* Tokens of a text, appended to 'out' */
typedef bool (*Encode) (void *tokenizer, const char *text, size_t len, TokenList *out, ModelError *error);

/* All bytes of a file, ended by a zero; NULL: it cannot be read */
__attribute__((unused)) static char *
read_file(const char *name, size_t *len)
{
	FILE	   *file = fopen(name, "rb");
	char	   *bytes = NULL;

	*len = 0;
	if (!file)
		return NULL;
	do
	{
		bytes = realloc(bytes, *len + 65537);
		*len += fread(bytes + *len, 1, 65536, file);
	} while (!feof(file));
	fclose(file);
	bytes[*len] = '\0';
	return bytes;
}

__attribute__((unused)) static uint32_t
take_u32(const char **p)
{
	uint32_t	value;

	memcpy(&value, *p, 4);		/* these files are made and read on little-endian machines */
	*p += 4;
	return value;
}

/* Is each text given the tokens that the file has? */
__attribute__((unused)) static void
compare_tokens(const char *name, Encode encode, void *tokenizer)
{
	size_t		len;
	char	   *bytes = read_file(name, &len);
	const char *p = bytes;
	uint32_t	ntexts = 0;
	uint32_t	wrong = 0;

	if (!ok(bytes != NULL, "%s can be read", name))
		return;
	for (; p < bytes + len; ntexts++)
	{
		const uint32_t size = take_u32(&p);
		const char *text = p;
		uint32_t	n;
		TokenList	tokens = {0};
		ModelError	error = {0};
		/* in memory of just its length */
		char	   *copy = memcpy(malloc(size + 1), text, size);
		char	   *exact = malloc(size ? size : 1);

		memcpy(exact, copy, size);
		free(copy);
		p += size;
		n = take_u32(&p);
		if (!encode(tokenizer, exact, size, &tokens, &error) || tokens.n != n || memcmp(tokens.ids ? (void *) tokens.ids : "", p, 4 * n) != 0)
		{
			if (wrong++ == 0)
				diag("text %u, \"%.*s\": %zu tokens, expected %u %s", ntexts, size < 100 ? (int) size : 100, text, tokens.n, n, error.message);
		}
		p += 4 * (size_t) n;
		free(exact);
		free(tokens.ids);
	}
	ok(wrong == 0 && ntexts > 500, "%s: %u of %u texts have other tokens", name, wrong, ntexts);
	free(bytes);
}

#endif							/* MODEL_TOKENS_FILE_H */
