/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  Weights that all sessions of the server share: files that are mapped.
 *
 * Who loads a model first writes its weights, in the form that products want
 * them, to a file among the server's temporary ones; all map it for reading, so
 * that they are in memory once, as cached pages of that file.  It has its name
 * only when it is whole.  The model's own file is never mapped: someone else may
 * cut it short, and who touches a page that is gone gets SIGBUS.
 *
 * In base/pgsql_tmp, with the prefix of temporary files: no base backup takes
 * such a file along, and it is removed when the server starts (fd.c
 * RemovePgTempFiles).  Where it cannot be written, weights are the session's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "common/file_utils.h"
#include "miscadmin.h"
#include "model/sql/shared.h"
#include "storage/fd.h"

#define SHARED_DIRECTORY	"base/" PG_TEMP_FILES_DIR

static void
path_of(char *path, const char *key, const char *suffix)
{
	snprintf(path, MAXPGPATH, SHARED_DIRECTORY "/" PG_TEMP_FILE_PREFIX "_gpuscan_%s%s", key, suffix);
}

static const void *
find_weights(void *key, size_t bytes)
{
	char		path[MAXPGPATH];
	struct stat st;
	void	   *weights = MAP_FAILED;
	int			fd;

	path_of(path, key, "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && (size_t) st.st_size == bytes)
		weights = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return weights == MAP_FAILED ? NULL : weights;
}

static bool
write_all(int fd, const char *from, size_t bytes)
{
	while (bytes > 0)
	{
		const ssize_t written = write(fd, from, Min(bytes, (size_t) 1 << 26));

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		from += written;
		bytes -= (size_t) written;
	}
	return true;
}

static const void *
keep_weights(void *key, const void *weights, size_t bytes)
{
	char		part[MAXPGPATH];
	char		path[MAXPGPATH];
	char		suffix[32];
	int			fd;
	bool		whole;

	snprintf(suffix, sizeof suffix, ".%d", MyProcPid);
	path_of(part, key, suffix);
	path_of(path, key, "");
	/* the directory is made when the first temporary file is */
	if (mkdir(SHARED_DIRECTORY, pg_dir_create_mode) < 0 && errno != EEXIST)
		return NULL;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, pg_file_create_mode);
	if (fd < 0)
		return NULL;
	whole = write_all(fd, weights, bytes);
	whole = close(fd) == 0 && whole;
	if (!whole || rename(part, path) < 0)
	{
		unlink(part);
		return NULL;
	}
	return find_weights(key, bytes);
}

static void
release_weights(void *key, const void *weights, size_t bytes)
{
	munmap(unconstify(void *, weights), bytes);
}

ModelShare
gpuscan_shared_weights(const char *key)
{
	return (ModelShare) {find_weights, keep_weights, release_weights, unconstify(char *, key)};
}
