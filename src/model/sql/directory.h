/*-------------------------------------------------------------------------
 *
 * directory.h
 *	  Which files may be a model's: gpuscan.model_directory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_MODEL_SQL_DIRECTORY_H
#define GPUSCAN_MODEL_SQL_DIRECTORY_H

#include "model/files.h"

/* gpuscan.model_directory: relative ones are below the data directory */
extern char *gpuscan_model_directory;

/* ERROR if a model's file has a name that leads out of the directory; an absolute path may stay. */
extern void gpuscan_check_model_path(const char *path);

/*
 * A model's folder for the library.  Files are opened with pg_read_server_files'
 * caution: nothing that lies outside of the folder of models when all symbolic
 * links are followed.  The folder has to outlive the result.
 */
extern ModelFiles gpuscan_model_files(const char *path);

/* Is the path that of a file by itself (GGUF)?  Then its folder and its name in there, palloc'ed. */
extern bool gpuscan_model_is_file(const char *path, char **folder, char **name);

#endif							/* GPUSCAN_MODEL_SQL_DIRECTORY_H */
