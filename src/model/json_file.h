/*-------------------------------------------------------------------------
 *
 * json_file.h
 *	  The JSON files of a model, and what is asked of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_JSON_FILE_H
#define GPUSCAN_MODEL_JSON_FILE_H

#include <jansson.h>

#include "model/files.h"

#define JSON_FILE_MAX	(1 << 20)	/* bytes of a configuration */
#define TOKENIZER_CONFIG_MAX	(8 << 20)	/* ... of tokenizer_config.json, which may list thousands of tokens */

/*
 * An object or array, to be given back with json_decref.  Where there is no such
 * file: NULL, and an error, or with found *found = false and no error.
 */
extern bool json_file(const ModelFiles *files, const char *name, json_t **json, bool *found, ModelError *error);
/* The same of a file that may have more bytes */
extern bool json_file_of(const ModelFiles *files, const char *name, size_t most, json_t **json, bool *found, ModelError *error);

/* A member that is a whole number from 0 to 'most'; *value stays as it is where there is none, or null. */
extern bool json_uint(const json_t *object, const char *key, uint32_t most, uint32_t *value, ModelError *error);
extern bool json_float(const json_t *object, const char *key, double *value, ModelError *error);
extern bool json_flag(const json_t *object, const char *key, bool *value, ModelError *error);

#endif							/* GPUSCAN_MODEL_JSON_FILE_H */
