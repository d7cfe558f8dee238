/*-------------------------------------------------------------------------
 *
 * json_file.c
 *	  The JSON files of a model, and what is asked of them.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdlib.h>

#include "model/json_file.h"

bool
json_file(const ModelFiles *files, const char *name, json_t **json, bool *found, ModelError *error)
{
	return json_file_of(files, name, JSON_FILE_MAX, json, found, error);
}

bool
json_file_of(const ModelFiles *files, const char *name, size_t most, json_t **json, bool *found, ModelError *error)
{
	size_t		len;
	json_error_t wrong;
	char	   *content = file_content(files, name, most, &len, found, error);

	*json = NULL;
	if (!content)
		return found != NULL && !*found;
	*json = json_loadb(content, len, 0, &wrong);
	free(content);
	if (!*json)
		return model_error(error, MODEL_CORRUPT, "file \"%s\" of the model is no JSON: line %d: %s", name, wrong.line, wrong.text);
	return true;
}

static const json_t *
member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

bool
json_uint(const json_t *object, const char *key, uint32_t most, uint32_t *value, ModelError *error)
{
	const json_t *number = member(object, key);

	if (!number)
		return true;
	if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > most)
		return model_error(error, MODEL_CORRUPT, "\"%s\" of the model's configuration is no whole number from 0 to %" PRIu32, key, most);
	*value = (uint32_t) json_integer_value(number);
	return true;
}

bool
json_float(const json_t *object, const char *key, double *value, ModelError *error)
{
	const json_t *number = member(object, key);

	if (!number)
		return true;
	if (!json_is_number(number))
		return model_error(error, MODEL_CORRUPT, "\"%s\" of the model's configuration is no number", key);
	*value = json_number_value(number);
	return true;
}

bool
json_flag(const json_t *object, const char *key, bool *value, ModelError *error)
{
	const json_t *flag = member(object, key);

	if (!flag)
		return true;
	if (!json_is_boolean(flag))
		return model_error(error, MODEL_CORRUPT, "\"%s\" of the model's configuration is neither true nor false", key);
	*value = json_is_true(flag);
	return true;
}
