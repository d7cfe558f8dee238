/*-------------------------------------------------------------------------
 *
 * text_view.h
 *	  Text as a view of bytes that lie elsewhere.
 *
 * Apart from text.h, whose bodies have names of PostgreSQL's functions and
 * cannot be included beside its fmgrprotos.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_TEXT_VIEW_H
#define GPUSCAN_TEXT_VIEW_H

#include "program/portable.h"

typedef struct TextView
{
	const char *ptr;
	uint32_t	len;
	uint32_t	pad;
} TextView;

#endif							/* GPUSCAN_TEXT_VIEW_H */
