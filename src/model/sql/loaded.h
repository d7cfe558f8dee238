/*-------------------------------------------------------------------------
 *
 * loaded.h
 *	  The models that this session has in memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_LOADED_H
#define GPUSCAN_MODEL_SQL_LOADED_H

#include "model/encoder.h"
#include "model/sql/registry.h"

/* gpuscan.model_memory, in kB: what the weights of a session's models may take */
extern int	gpuscan_model_memory;
/* gpuscan.generation_memory, in kB: what keys and values of texts that are generated may take */
extern int	gpuscan_generation_memory;

typedef struct LoadedModel LoadedModel;

/*
 * A model for use in this statement: loaded if it is not, and anew if its options
 * or its file have changed.  It stays until the next call that loads or unloads one.
 * ERROR if it cannot be; others may have been unloaded to make room for it.
 */
extern LoadedModel *gpuscan_load_model(const RegisteredModel *registered);

/* The model as what it is; ERROR if it is of the other kind */
extern const Encoder *gpuscan_loaded_encoder(const LoadedModel *model);
extern Language *gpuscan_loaded_language(const LoadedModel *model);
/* Or NULL */
extern const Encoder *gpuscan_encoder_or_null(const LoadedModel *model);

/* So many texts have gone through the network */
extern void gpuscan_count_passes(LoadedModel *model, int64 n);

/* As long as it is held it is not closed: who loads another one, or unloads it, only takes it from the list. */
extern void gpuscan_hold_model(LoadedModel *model);
extern void gpuscan_let_go_model(LoadedModel *model);

#endif							/* GPUSCAN_MODEL_SQL_LOADED_H */
