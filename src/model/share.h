/*-------------------------------------------------------------------------
 *
 * share.h
 *	  Weights that processes share: where they come from, and where they go to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SHARE_H
#define GPUSCAN_MODEL_SHARE_H

#include <stddef.h>

/* Both of find and keep may say no. */
typedef struct ModelShare
{
	/* So many bytes that some process has kept for this model, or NULL */
	const void *(*find) (void *context, size_t bytes);
	/* Keep these: NULL, or where they are from now on */
	const void *(*keep) (void *context, const void *weights, size_t bytes);
	/* What find or keep gave is not used any more */
	void		(*release) (void *context, const void *weights, size_t bytes);
	void	   *context;
} ModelShare;

#endif							/* GPUSCAN_MODEL_SHARE_H */
