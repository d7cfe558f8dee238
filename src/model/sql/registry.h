/*-------------------------------------------------------------------------
 *
 * registry.h
 *	  Models as database objects: foreign servers of the wrapper gpuscan_model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_REGISTRY_H
#define GPUSCAN_MODEL_SQL_REGISTRY_H

#include "foreign/foreign.h"
#include "model/encoder.h"
#include "model/language.h"

#define MODEL_WRAPPER	"gpuscan_model"

typedef struct RegisteredModel
{
	Oid			serverid;
	const char *name;
	Oid			owner;
	const char *file;			/* below gpuscan.model_directory, or an absolute path: a folder, or a GGUF file */
	const char *task;			/* NULL: not said */
	const char *query_prefix;	/* put before a text, or "" */
	const char *document_prefix;
	EncoderOptions encoder;		/* of a model of embeddings */
	LanguageOptions language;	/* of one that writes */
	uint32		options_hash;	/* of all options: another one is another model */
} RegisteredModel;

/* The model of that name, palloc'ed.  ERROR if there is none, or the user may not use it. */
extern RegisteredModel *gpuscan_registered_model(const char *name);

#endif							/* GPUSCAN_MODEL_SQL_REGISTRY_H */
