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
int			gpuscan_generation_memory = 1024 * 1024;

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
	Encoder    *encoder;		/* one of the two */
	Language   *language;
	int			holds;			/* gpuscan_hold_model */
	bool		unloaded;		/* is not in the list any more */
	int64		passes;
	TimestampTz last_used;
};

static LoadedModel *loaded = NULL;

/* To be changed with what bert.c or decoder.c keeps, and where */
#define SHARED_WEIGHTS_VERSION	2

static FileIdentity
identity_of(const RegisteredModel *registered)
{
	char	   *folder = unconstify(char *, registered->file);
	char	   *name = pstrdup("model.safetensors");
	const bool	is_file = gpuscan_model_is_file(registered->file, &folder, &name);
	const ModelFiles files = gpuscan_model_files(folder);
	const int	fd = files.open(files.context, name);
	struct stat st;
	FileIdentity identity;

	/* holes between members are compared too */
	memset(&identity, 0, sizeof identity);
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not open the file of model \"%s\": %m", registered->name),
						is_file ? errhint("A GGUF file belongs at \"%s\" in gpuscan.model_directory.", registered->file) :
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
close_model(LoadedModel *model)
{
	encoder_close(model->encoder);
	language_close(model->language);
	free(model);
}

static void
unload(LoadedModel *model)
{
	LoadedModel **link = &loaded;

	while (*link != model)
		link = &(*link)->next;
	*link = model->next;
	model->unloaded = true;
	if (model->holds == 0)
		close_model(model);
}

void
gpuscan_hold_model(LoadedModel *model)
{
	model->holds++;
}

void
gpuscan_let_go_model(LoadedModel *model)
{
	if (--model->holds == 0 && model->unloaded)
		close_model(model);
}

static size_t
size_of(const LoadedModel *model)
{
	return model->encoder ? encoder_info(model->encoder)->size : language_info(model->language)->size;
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
		LoadedModel *oldest = NULL;

		for (LoadedModel *model = loaded; model != NULL; model = model->next)
		{
			used += size_of(model);
			if (model->holds == 0 && (oldest == NULL || model->last_used < oldest->last_used))
				oldest = model;
		}
		if (oldest == NULL || used + bytes <= allowed)
			return;
		unload(oldest);
	}
}

/*
 * What its weights take, about: of a model of embeddings float32, which are 2 or 4
 * bytes in the file; of another one what they take there, of which some types grow
 */
static size_t
estimate(const RegisteredModel *registered, const FileIdentity *file)
{
	char	   *folder;
	char	   *name;

	return gpuscan_model_is_file(registered->file, &folder, &name) ? (size_t) file->size + (size_t) file->size / 4 : (size_t) file->size * 2;
}

/* Read the model's files. */
static bool
open_model(const RegisteredModel *registered, LoadedModel *model, ModelCall *call)
{
	const ModelShare share = gpuscan_shared_weights(model->key);
	const size_t memory = (size_t) gpuscan_model_memory * 1024;
	char	   *folder;
	char	   *name;

	if (gpuscan_model_is_file(registered->file, &folder, &name))
	{
		const ModelFiles files = gpuscan_model_files(folder);
		LanguageOptions options = registered->language;

		options.memory = memory;
		options.share = &share;
		model->language = language_open(&files, name, &options, &call->progress, &call->error);
	}
	else
	{
		const ModelFiles files = gpuscan_model_files(registered->file);
		EncoderOptions options = registered->encoder;

		options.memory = memory;
		options.share = &share;
		model->encoder = encoder_open(&files, &options, &call->progress, &call->error);
	}
	return model->encoder || model->language;
}

static LoadedModel *
load(const RegisteredModel *registered, const FileIdentity *file)
{
	LoadedModel *model;
	ModelCall	call;

	make_room(Min(estimate(registered, file), (size_t) gpuscan_model_memory * 1024));
	model = calloc(1, sizeof *model);
	if (model == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	/* of another version the weights may lie elsewhere */
	snprintf(model->key, sizeof model->key, "%d_%llx_%llx_%llx_%llx", SHARED_WEIGHTS_VERSION, (unsigned long long) file->device,
			 (unsigned long long) file->inode, (unsigned long long) file->size,
			 (unsigned long long) file->changed.tv_sec * 1000000000 + (unsigned long long) file->changed.tv_nsec);
	model_call_begin(&call);
	if (!open_model(registered, model, &call))
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

static void
wrong_kind(const LoadedModel *model, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("model \"%s\" %s", GetForeignServer(model->serverid)->servername, what)));
}

const Encoder *
gpuscan_loaded_encoder(const LoadedModel *model)
{
	if (model->encoder == NULL)
		wrong_kind(model, "makes no embeddings");
	return model->encoder;
}

const Encoder *
gpuscan_encoder_or_null(const LoadedModel *model)
{
	return model->encoder;
}

Language *
gpuscan_loaded_language(const LoadedModel *model)
{
	if (model->language == NULL)
		wrong_kind(model, "does not generate text");
	return model->language;
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
		const EncoderInfo *encoder = model->encoder ? encoder_info(model->encoder) : NULL;
		const LanguageInfo *language = model->language ? language_info(model->language) : NULL;
		const char *family = language && language->family != CHAT_FAMILIES ? chat_family_name(language->family) : NULL;
		Datum		values[] = {
			ObjectIdGetDatum(model->serverid),
			CStringGetTextDatum(encoder ? encoder->architecture : language->architecture),
			Int64GetDatum((int64) (encoder ? encoder->parameters : language->parameters)),
			CStringGetTextDatum(encoder ? "F32" : language->quantisation),
			Int32GetDatum((int32) (encoder ? encoder->dimensions : language->dimensions)),
			Int32GetDatum((int32) (encoder ? encoder->context : language->context)),
			Int32GetDatum(encoder ? (int32) encoder->max_tokens : 0),
			CStringGetTextDatum(encoder && encoder->pooling == BERT_POOL_MEAN ? "mean" : "cls"),
			BoolGetDatum(encoder && encoder->normalize),
			CStringGetTextDatum(family ? family : ""),
			Int64GetDatum((int64) size_of(model)),
			BoolGetDatum(encoder ? encoder->shared : language->shared),
			Int64GetDatum(model->passes),
			TimestampTzGetDatum(model->last_used),
		};
		/* what only one kind has */
		bool		nulls[lengthof(values)] = {
			[6] = !encoder,[7] = !encoder,[8] = !encoder,[9] = !family
		};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
