/*-------------------------------------------------------------------------
 *
 * loaded.c
 *	  The models that this session has in memory.
 *
 * The library allocates with malloc, so a model does not go with a transaction.
 * When memory is short, those that have not been used for longest are unloaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "commands/defrem.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/sql/directory.h"
#include "model/sql/loaded.h"
#include "model/sql/report.h"
#include "model/sql/shared.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(gpuscan_model_listing);
PG_FUNCTION_INFO_V1(gpuscan_load_model_sql);
PG_FUNCTION_INFO_V1(gpuscan_unload_model_sql);

int			gpuscan_model_memory = 4 * 1024 * 1024;

/* Which file it was: another one of the same name is another model */
typedef struct FileIdentity
{
	dev_t		device;
	ino_t		inode;
	off_t		size;
	struct timespec changed;
} FileIdentity;

struct LoadedModel
{
	LoadedModel *next;
	Oid			serverid;
	uint32		options_hash;
	FileIdentity file;
	char		key[SHARED_KEY_MAX];	/* of its weights */
	Encoder    *encoder;
	int64		passes;
	TimestampTz last_used;
};

static LoadedModel *loaded = NULL;

/* To be changed with what bert.c keeps, and where */
#define SHARED_WEIGHTS_VERSION	1

static FileIdentity
identity_of(const RegisteredModel *registered)
{
	const ModelFiles files = gpuscan_model_files(registered->file);
	const int	fd = files.open(files.context, "model.safetensors");
	struct stat st;
	FileIdentity identity;

	/* holes between members are compared too */
	memset(&identity, 0, sizeof identity);
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not open the file of model \"%s\": %m", registered->name),
						errhint("A folder with model.safetensors, config.json and vocab.txt belongs at \"%s\" in gpuscan.model_directory.",
								registered->file)));
	if (fstat(fd, &st) < 0)
	{
		close(fd);
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat the file of model \"%s\": %m", registered->name)));
	}
	close(fd);
	identity.device = st.st_dev;
	identity.inode = st.st_ino;
	identity.size = st.st_size;
	identity.changed = st.st_mtim;
	return identity;
}

static void
unload(LoadedModel *model)
{
	LoadedModel **link = &loaded;

	while (*link != model)
		link = &(*link)->next;
	*link = model->next;
	encoder_close(model->encoder);
	free(model);
}

static LoadedModel *
find(Oid serverid)
{
	LoadedModel *model = loaded;

	while (model != NULL && model->serverid != serverid)
		model = model->next;
	return model;
}

/* Unload the oldest until so many bytes are left of what is allowed, or nothing is loaded. */
static void
make_room(size_t bytes)
{
	const size_t allowed = (size_t) gpuscan_model_memory * 1024;

	for (;;)
	{
		size_t		used = 0;
		LoadedModel *oldest = loaded;

		for (LoadedModel *model = loaded; model != NULL; model = model->next)
		{
			used += encoder_info(model->encoder)->size;
			if (model->last_used < oldest->last_used)
				oldest = model;
		}
		if (oldest == NULL || used + bytes <= allowed)
			return;
		unload(oldest);
	}
}

/* What its weights take at most: float32 in memory, 2 or 4 bytes in the file */
static size_t
estimate(const FileIdentity *file)
{
	return (size_t) file->size * 2;
}

static LoadedModel *
load(const RegisteredModel *registered, const FileIdentity *file)
{
	const ModelFiles files = gpuscan_model_files(registered->file);
	EncoderOptions options = registered->encoder;
	LoadedModel *model;
	ModelShare	share;
	ModelCall	call;

	options.memory = (size_t) gpuscan_model_memory * 1024;
	make_room(Min(estimate(file), options.memory));
	model = calloc(1, sizeof *model);
	if (model == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	/* of another version the weights may lie elsewhere */
	snprintf(model->key, sizeof model->key, "%d_%llx_%llx_%llx_%llx", SHARED_WEIGHTS_VERSION, (unsigned long long) file->device,
			 (unsigned long long) file->inode, (unsigned long long) file->size,
			 (unsigned long long) file->changed.tv_sec * 1000000000 + (unsigned long long) file->changed.tv_nsec);
	share = gpuscan_shared_weights(model->key);
	options.share = &share;
	model_call_begin(&call);
	model->encoder = encoder_open(&files, &options, &call.progress, &call.error);
	if (model->encoder == NULL)
	{
		free(model);
		model_call_failed(&call, registered->name);
	}
	model->serverid = registered->serverid;
	model->options_hash = registered->options_hash;
	model->file = *file;
	model->next = loaded;
	loaded = model;
	return model;
}

LoadedModel *
gpuscan_load_model(const RegisteredModel *registered)
{
	const FileIdentity file = identity_of(registered);
	LoadedModel *model = find(registered->serverid);

	if (model != NULL && (model->options_hash != registered->options_hash || memcmp(&model->file, &file, sizeof file) != 0))
	{
		unload(model);
		model = NULL;
	}
	if (model == NULL)
		model = load(registered, &file);
	model->last_used = GetCurrentTimestamp();
	return model;
}

const Encoder *
gpuscan_loaded_encoder(const LoadedModel *model)
{
	return model->encoder;
}

void
gpuscan_count_passes(LoadedModel *model, int64 n)
{
	model->passes += n;
}

/* load_model(model text) */
Datum
gpuscan_load_model_sql(PG_FUNCTION_ARGS)
{
	gpuscan_load_model(gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	PG_RETURN_VOID();
}

/* unload_model(model text): was it there? */
Datum
gpuscan_unload_model_sql(PG_FUNCTION_ARGS)
{
	LoadedModel *model = find(gpuscan_registered_model(text_to_cstring(PG_GETARG_TEXT_PP(0)))->serverid);

	if (model == NULL)
		PG_RETURN_BOOL(false);
	unload(model);
	PG_RETURN_BOOL(true);
}

/* What this session has loaded, for the view gpuscan.models */
Datum
gpuscan_model_listing(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (const LoadedModel *model = loaded; model != NULL; model = model->next)
	{
		const EncoderInfo *info = encoder_info(model->encoder);
		Datum		values[] = {
			ObjectIdGetDatum(model->serverid),
			CStringGetTextDatum(info->architecture),
			Int64GetDatum((int64) info->parameters),
			Int32GetDatum((int32) info->dimensions),
			Int32GetDatum((int32) info->context),
			Int32GetDatum((int32) info->max_tokens),
			CStringGetTextDatum(info->pooling == BERT_POOL_MEAN ? "mean" : "cls"),
			BoolGetDatum(info->normalize),
			Int64GetDatum((int64) info->size),
			BoolGetDatum(info->shared),
			Int64GetDatum(model->passes),
			TimestampTzGetDatum(model->last_used),
		};
		bool		nulls[lengthof(values)] = {0};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
