/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  Weights that all sessions of the server share: files that are mapped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_SHARED_H
#define GPUSCAN_MODEL_SQL_SHARED_H

#include "model/bert.h"

#define SHARED_KEY_MAX	100

/*
 * Weights under a key, which says which file they are from, in letters, digits and
 * underscores.  key has to outlive what is opened with it.
 */
extern ModelShare gpuscan_shared_weights(const char *key);

#endif							/* GPUSCAN_MODEL_SQL_SHARED_H */
