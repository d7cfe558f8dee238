/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  LIKE patterns that are the same for all rows, taken apart.
 *
 * A pattern without _ is a list of strings that must occur one after another:
 * the first at the beginning of the text, the last at its end, the others at
 * the first place behind the one before.  That is how like_match.c tries the
 * places, except that it tries only those where a character begins: a string
 * behind a % must not begin within one (and does not, in valid UTF-8).
 *
 *-------------------------------------------------------------------------
 */
#include "engine/cpu/cpu.h"

/* pieces of a pattern, at most: every second byte is a %, and the two ends */
#define PIECES_MAX(len)		((len) / 2 + 2)

static TextPattern *
pattern_room(EngineRun *run, Vector *vector, uint32_t len)
{
	TextPattern *pattern = vector->pattern;

	if (!pattern || pattern->room < len)
	{
		const EngineMemory *memory = run->memory;
		const uint32_t room = len < 64 ? 64 : len;

		if (pattern)
			memory->free(memory->context, pattern);
		pattern = memory->alloc(memory->context, sizeof *pattern + PIECES_MAX(room) * sizeof(TextView) + room);
		memset(pattern, 0, sizeof *pattern);
		pattern->room = room;
		pattern->pieces = (TextView *) (pattern + 1);
		vector->pattern = pattern;
	}
	return pattern;
}

/* Strings of a pattern; false when it is not made of such. */
static bool
take_apart(TextPattern *pattern, const char *p, uint32_t len, bool utf8)
{
	char	   *bytes = (char *) (pattern->pieces + PIECES_MAX(pattern->room));
	TextView   *piece = pattern->pieces;

	piece->ptr = bytes;
	piece->len = 0;
	pattern->open = false;
	for (uint32_t i = 0; i < len; i++)
	{
		if (p[i] == '_')
			return false;
		if (p[i] == '%')
		{
			/* one % is as good as many; what is before the first may be empty */
			if (piece->len > 0 || !pattern->open)
				*++piece = (TextView) {bytes, 0, 0};
			pattern->open = true;
			continue;
		}
		if (p[i] == '\\' && ++i == len)
			return false;		/* the error is the general way's to meet */
		if (utf8 && pattern->open && piece->len == 0 && text_continues(p[i]))
			return false;
		*bytes++ = p[i];
		piece->len++;
	}
	pattern->npieces = (uint32_t) (piece - pattern->pieces) + 1;
	pattern->least = (uint32_t) (bytes - (char *) (pattern->pieces + PIECES_MAX(pattern->room)));
	return true;
}

/* The pattern of a uniform vector that is not NULL */
const TextPattern *
gpuscan_pattern_of(EngineRun *run, Vector *vector, bool utf8)
{
	const TextView view = *(const TextView *) vector->data;
	TextPattern *pattern = vector->pattern;

	if (pattern && vector->pattern_set)
		return pattern;
	pattern = pattern_room(run, vector, view.len);
	if (!take_apart(pattern, view.ptr, view.len, utf8))
		pattern->form = PATTERN_GENERAL;
	else if (!pattern->open)
		pattern->form = PATTERN_EQUAL;
	else if (pattern->npieces == 2)
		pattern->form = PATTERN_ENDS;
	else if (pattern->npieces == 3 && pattern->pieces[0].len == 0 && pattern->pieces[2].len == 0)
		pattern->form = PATTERN_WITHIN;
	else
		pattern->form = PATTERN_PIECES;
	vector->pattern_set = true;
	return pattern;
}
