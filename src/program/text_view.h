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

#include <stddef.h>

#include "program/portable.h"

typedef struct TextView
{
	const char *ptr;
	uint32_t	len;
	uint32_t	pad;
} TextView;

/*
 * Where the bytes of texts lie that an operator makes: from 'next' up to 'end'.
 * more() brings room for more than len bytes, or says that there is none: then the row
 * is punted.  TEXT_ROOM_SLACK bytes behind 'end' may be read and written, so
 * that bytes can be moved eight at a time.
 */
#define TEXT_ROOM_SLACK		8

typedef struct TextRoom
{
	char	   *next;
	char	   *end;
	bool		(*more) (struct TextRoom *room, size_t len);
} TextRoom;

#endif							/* GPUSCAN_TEXT_VIEW_H */
