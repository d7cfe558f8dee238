/*-------------------------------------------------------------------------
 *
 * files.h
 *	  Reading from files that may change or be hostile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_FILES_H
#define GPUSCAN_MODEL_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "model/model_error.h"

/* Where the files of a model are: who calls decides what may be read (paths are no business of the library) */
typedef struct ModelFiles
{
	/* A file descriptor, the caller's, or -1 with errno set */
	int			(*open) (void *context, const char *name);
	void	   *context;
} ModelFiles;

/* Exactly so many bytes from there on */
extern bool file_read_at(int fd, uint64_t offset, size_t size, void *to, ModelError *error);
/* Of a regular file */
extern bool file_size(int fd, uint64_t *size, ModelError *error);

/*
 * A whole file, malloc'ed and ended by a zero.  NULL, and an error, where it cannot
 * be read or has more than 'most' bytes; NULL with *found false where there is none,
 * if found is not NULL.
 */
extern char *file_content(const ModelFiles *files, const char *name, size_t most, size_t *len, bool *found, ModelError *error);

#endif							/* GPUSCAN_MODEL_FILES_H */
