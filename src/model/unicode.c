/*-------------------------------------------------------------------------
 *
 * unicode.c
 *	  See unicode.h.
 *
 *-------------------------------------------------------------------------
 */
#include "model/unicode.h"

#include <utf8proc.h>

static bool
is_space(int32_t c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

UnicodeClass
unicode_class(int32_t c)
{
	if (c < 0x80)
	{
		if ((c | 32) >= 'a' && (c | 32) <= 'z')
			return UNICODE_LETTER;
		if (c >= '0' && c <= '9')
			return UNICODE_NUMBER;
		return is_space(c) ? UNICODE_SPACE : UNICODE_OTHER;
	}
	switch (utf8proc_category(c))
	{
		case UTF8PROC_CATEGORY_LU:
		case UTF8PROC_CATEGORY_LL:
		case UTF8PROC_CATEGORY_LT:
		case UTF8PROC_CATEGORY_LM:
		case UTF8PROC_CATEGORY_LO:
			return UNICODE_LETTER;
		case UTF8PROC_CATEGORY_ND:
		case UTF8PROC_CATEGORY_NL:
		case UTF8PROC_CATEGORY_NO:
			return UNICODE_NUMBER;
		default:
			return is_space(c) ? UNICODE_SPACE : UNICODE_OTHER;
	}
}

int
unicode_cases(int32_t c)
{
	switch (utf8proc_category(c))
	{
		case UTF8PROC_CATEGORY_LU:
		case UTF8PROC_CATEGORY_LT:
			return UNICODE_UPPER;
		case UTF8PROC_CATEGORY_LL:
			return UNICODE_LOWER;
		case UTF8PROC_CATEGORY_LM:
		case UTF8PROC_CATEGORY_LO:
		case UTF8PROC_CATEGORY_MN:
		case UTF8PROC_CATEGORY_MC:
		case UTF8PROC_CATEGORY_ME:
			return UNICODE_UPPER | UNICODE_LOWER;
		default:
			return 0;
	}
}

int32_t
unicode_at(const char *p, size_t left, int *len)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	if ((unsigned char) *p < 0x80)
	{
		*len = 1;
		return (unsigned char) *p;
	}
	n = utf8proc_iterate((const utf8proc_uint8_t *) p, left < 4 ? (utf8proc_ssize_t) left : 4, &c);
	*len = n > 0 ? (int) n : 1;
	return n > 0 ? c : -1;
}

char *
unicode_composed(const char *text, size_t len, size_t *out_len, bool *valid)
{
	utf8proc_uint8_t *composed = NULL;
	const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *) text, (utf8proc_ssize_t) len, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	*valid = n >= 0 || n == UTF8PROC_ERROR_NOMEM;
	*out_len = n < 0 ? 0 : (size_t) n;
	return n < 0 ? NULL : (char *) composed;
}
