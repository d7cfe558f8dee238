/*-------------------------------------------------------------------------
 *
 * directory.c
 *	  Which files may be a model's: gpuscan.model_directory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "miscadmin.h"
#include "model/sql/directory.h"

char	   *gpuscan_model_directory = NULL;

void
gpuscan_check_model_path(const char *path)
{
	char		canonical[MAXPGPATH];

	strlcpy(canonical, path, sizeof canonical);
	canonicalize_path(canonical);
	if (path[0] == '\0' || strlen(path) >= MAXPGPATH || path_contains_parent_reference(canonical))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid file of a model: \"%s\"", path),
						errhint("It is a path below gpuscan.model_directory, or an absolute one.")));
}

/* Does the file lie below the directory, both with their symbolic links followed? */
static bool
lies_below(const char *directory, const char *file)
{
	char		real_directory[PATH_MAX];
	char		real_file[PATH_MAX];
	size_t		len;

	if (realpath(directory, real_directory) == NULL || realpath(file, real_file) == NULL)
		return false;
	len = strlen(real_directory);
	if (strncmp(real_directory, real_file, len) == 0 && (real_file[len] == '/' || real_directory[len - 1] == '/'))
		return true;
	errno = EACCES;
	return false;
}

static int
open_part(void *context, const char *name)
{
	const char *path = context;
	char		directory[MAXPGPATH];
	char		file[MAXPGPATH];

	if (is_absolute_path(gpuscan_model_directory))
		strlcpy(directory, gpuscan_model_directory, sizeof directory);
	else
		snprintf(directory, sizeof directory, "%s/%s", DataDir, gpuscan_model_directory);
	if (is_absolute_path(path))
		snprintf(file, sizeof file, "%s/%s", path, name);
	else if (snprintf(file, sizeof file, "%s/%s/%s", directory, path, name) >= (int) sizeof file)
	{
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!lies_below(is_absolute_path(path) ? path : directory, file))
		return -1;
	/* a pipe must not keep us */
	return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

ModelFiles
gpuscan_model_files(const char *path)
{
	return (ModelFiles) {open_part, unconstify(char *, path)};
}

bool
gpuscan_model_is_file(const char *path, char **folder, char **name)
{
	const size_t len = strlen(path);
	const char *slash = strrchr(path, '/');

	if (len < 5 || pg_strcasecmp(path + len - 5, ".gguf") != 0)
		return false;
	*name = pstrdup(slash ? slash + 1 : path);
	*folder = slash == path ? pstrdup("/") : pnstrdup(path, slash ? slash - path : 0);
	return true;
}
