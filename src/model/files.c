/*-------------------------------------------------------------------------
 *
 * files.c
 *	  Reading from files that may change or be hostile.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/files.h"

bool
file_read_at(int fd, uint64_t offset, size_t size, void *to, ModelError *error)
{
	while (size > 0)
	{
		const ssize_t got = pread(fd, to, size, (off_t) offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return model_error(error, MODEL_IO, "could not read the model: %s", strerror(errno));
		if (got == 0)
			return model_error(error, MODEL_IO, "the model's file ends at byte %llu: it has become shorter", (unsigned long long) offset);
		to = (char *) to + got;
		offset += (uint64_t) got;
		size -= (size_t) got;
	}
	return true;
}

bool
file_size(int fd, uint64_t *size, ModelError *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return model_error(error, MODEL_IO, "could not stat the model: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return model_error(error, MODEL_IO, "the model is not a regular file");
	*size = (uint64_t) st.st_size;
	return true;
}

char *
file_content(const ModelFiles *files, const char *name, size_t most, size_t *len, bool *found, ModelError *error)
{
	int			fd = files->open(files->context, name);
	uint64_t	size;
	char	   *content = NULL;

	if (found)
		*found = fd >= 0 || errno != ENOENT;
	if (fd < 0)
	{
		model_error(error, MODEL_IO, "could not open file \"%s\" of the model: %s", name, strerror(errno));
		return NULL;
	}
	if (file_size(fd, &size, error))
	{
		if (size > most)
			model_error(error, MODEL_CORRUPT, "file \"%s\" of the model has %llu bytes, and should have %zu at most",
						name, (unsigned long long) size, most);
		else if ((content = malloc(size + 1)) == NULL)
			model_error(error, MODEL_NO_MEMORY, "out of memory for %llu bytes", (unsigned long long) size);
		else if (!file_read_at(fd, 0, size, content, error))
		{
			free(content);
			content = NULL;
		}
		else
		{
			content[size] = '\0';
			*len = size;
		}
	}
	close(fd);
	return content;
}
