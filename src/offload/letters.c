/*-------------------------------------------------------------------------
 *
 * letters.c
 *	  What a collation does with ASCII letters, as the server's own functions
 *	  have it.
 *
 * A Turkish locale makes dotless letters of ASCII ones, and who knows what
 * another library thinks of.  So lower() and upper() are asked, for each
 * character and for all in a row, once a session for a collation: its locale
 * does not change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "offload/expr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"

#define ASCII_CHARS 128

typedef struct LettersEntry
{
	Oid			collation;		/* key */
	bool		plain;
} LettersEntry;

static bool
maps_to(PGFunction function, Oid collation, const char *from, const char *to, int len)
{
	Datum		mapped = DirectFunctionCall1Coll(function, collation,
												 PointerGetDatum(cstring_to_text_with_len(from, len)));
	const text *result = DatumGetTextPP(mapped);

	return VARSIZE_ANY_EXHDR(result) == (Size) len && memcmp(VARDATA_ANY(result), to, len) == 0;
}

static bool
ask(Oid collation)
{
	char		chars[ASCII_CHARS];
	char		lowered[ASCII_CHARS];
	char		uppered[ASCII_CHARS];
	int			n = 0;

	/* no text has a zero byte */
	for (int c = 1; c < ASCII_CHARS; c++, n++)
	{
		chars[n] = (char) c;
		lowered[n] = (char) pg_ascii_tolower((unsigned char) c);
		uppered[n] = (char) pg_ascii_toupper((unsigned char) c);
		if (!maps_to(lower, collation, &chars[n], &lowered[n], 1) ||
			!maps_to(upper, collation, &chars[n], &uppered[n], 1))
			return false;
	}
	return maps_to(lower, collation, chars, lowered, n) && maps_to(upper, collation, chars, uppered, n) &&
		maps_to(lower, collation, uppered, lowered, n) && maps_to(upper, collation, lowered, uppered, n);
}

bool
gpuscan_collation_maps_ascii(Oid collation)
{
	static HTAB *answers = NULL;
	LettersEntry *entry;
	bool		plain;

	if (answers == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(Oid),.entrysize = sizeof(LettersEntry)};

		answers = hash_create("gpuscan collations", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(answers, &collation, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->plain;
	plain = ask(collation);
	entry = hash_search(answers, &collation, HASH_ENTER, NULL);
	entry->plain = plain;
	return plain;
}
