/*-------------------------------------------------------------------------
 *
 * chat.h
 *	  Conversations as SQL gives them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_CHAT_H
#define GPUSCAN_MODEL_SQL_CHAT_H

#include "model/chat.h"
#include "utils/jsonb.h"

/* An array of objects {"role": ..., "content": ...}, palloc'ed, in UTF-8.  ERROR if it is something else, or empty. */
extern ChatMessage *gpuscan_chat_messages(Jsonb *messages, size_t *n);

#endif							/* GPUSCAN_MODEL_SQL_CHAT_H */
