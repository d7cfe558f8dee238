/*-------------------------------------------------------------------------
 *
 * files_of.h
 *	  The files of a model for tests: bytes in memory, each with a name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODEL_FILES_OF_H
#define MODEL_FILES_OF_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/files.h"

typedef struct MemoryFile
{
	const char *name;			/* NULL: none is behind */
	const char *bytes;
	size_t		len;
} MemoryFile;

__attribute__((unused)) static int
open_memory_file(void *context, const char *name)
{
	for (const MemoryFile *file = context; file->name; file++)
		if (strcmp(file->name, name) == 0)
		{
			const int	fd = memfd_create("file", MFD_CLOEXEC);

			if (fd < 0 || write(fd, file->bytes, file->len) != (ssize_t) file->len)
			{
				perror("memfd_create");
				exit(2);
			}
			return fd;
		}
	errno = ENOENT;
	return -1;
}

__attribute__((unused)) static ModelFiles
files_of(const MemoryFile *files)
{
	return (ModelFiles) {open_memory_file, (void *) files};
}

#endif							/* MODEL_FILES_OF_H */
