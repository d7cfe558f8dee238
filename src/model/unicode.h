/*-------------------------------------------------------------------------
 *
 * unicode.h
 *	  Code points in UTF-8, and what tokenizers ask of them.
 *
 * Categories are utf8proc's.  White space is the property White_Space, as \s has
 * it in the regular expressions that tokenizers are published with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_UNICODE_H
#define GPUSCAN_MODEL_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum UnicodeClass
{
	UNICODE_OTHER,
	UNICODE_LETTER,				/* \p{L} */
	UNICODE_NUMBER,				/* \p{N} */
	UNICODE_SPACE				/* \s */
} UnicodeClass;

extern UnicodeClass unicode_class(int32_t c);

/* May it stand where upper case does, where lower case does?  Letters without case and marks (\p{M}) do both. */
#define UNICODE_UPPER	1		/* \p{Lu} \p{Lt} \p{Lm} \p{Lo} \p{M} */
#define UNICODE_LOWER	2		/* \p{Ll} \p{Lm} \p{Lo} \p{M} */
extern int	unicode_cases(int32_t c);

/*
 * The code point at p, of 'left' bytes at least one of which is there; *len is how
 * many it takes.  A byte that begins none is -1, and takes one.
 */
extern int32_t unicode_at(const char *p, size_t left, int *len);

/*
 * A text in Unicode's form C, malloc'ed, *out_len bytes of it; NULL with *valid: out of memory, without: there are bytes in it
 * that are no character.
 */
extern char *unicode_composed(const char *text, size_t len, size_t *out_len, bool *valid);

#endif							/* GPUSCAN_MODEL_UNICODE_H */
