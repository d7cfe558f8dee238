/*-------------------------------------------------------------------------
 *
 * text.h
 *	  Text as a view of bytes that lie elsewhere, and its operators.
 *
 * Equality under a deterministic collation is equality of bytes (varlena.c
 * texteq).  Views of bpchar have no trailing blanks (varchar.c bpchareq).
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TEXT_H
#define GPUSCAN_TEXT_H

#include "program/portable.h"

typedef struct TextView
{
	const char *ptr;
	uint32_t	len;
	uint32_t	pad;
} TextView;

BODY bool
text_same(TextView a, TextView b)
{
	if (a.len != b.len)
		return false;
	for (uint32_t i = 0; i < a.len; i++)
		if (a.ptr[i] != b.ptr[i])
			return false;
	return true;
}

BODY bool
text_eq(TextView a, TextView b, uint8_t *r)
{
	*r = text_same(a, b);
	return true;
}

BODY bool
text_ne(TextView a, TextView b, uint8_t *r)
{
	*r = !text_same(a, b);
	return true;
}

/* Length without trailing blanks: bpchar's own comparison does the same (bcTruelen). */
BODY uint32_t
text_without_blanks(const char *ptr, uint32_t len)
{
	while (len > 0 && ptr[len - 1] == ' ')
		len--;
	return len;
}

#endif							/* GPUSCAN_TEXT_H */
