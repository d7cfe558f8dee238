/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  Models as database objects: foreign servers of the wrapper gpuscan_model.
 *
 * So CREATE SERVER, its dependencies, COMMENT, pg_dump and the right to use one
 * (USAGE) are PostgreSQL's own.  There are no foreign tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/sql/directory.h"
#include "model/sql/registry.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(gpuscan_model_validator);

static void
set_provider(RegisteredModel *model, DefElem *def)
{
	if (strcmp(defGetString(def), "local") != 0)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("invalid provider \"%s\"", defGetString(def)),
						errhint("There is \"local\".")));
}

static void
set_file(RegisteredModel *model, DefElem *def)
{
	model->file = defGetString(def);
	gpuscan_check_model_path(model->file);
}

static void
set_task(RegisteredModel *model, DefElem *def)
{
	if (strcmp(defGetString(def), "embed") != 0 && strcmp(defGetString(def), "generate") != 0)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("invalid task \"%s\"", defGetString(def)),
						errhint("There are \"embed\" and \"generate\".")));
	model->task = defGetString(def);
}

static void
set_pooling(RegisteredModel *model, DefElem *def)
{
	const char *pooling = defGetString(def);

	if (strcmp(pooling, "mean") == 0)
		model->encoder.pooling = BERT_POOL_MEAN;
	else if (strcmp(pooling, "cls") == 0)
		model->encoder.pooling = BERT_POOL_FIRST;
	else
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("invalid pooling \"%s\"", pooling),
						errhint("There are \"mean\" and \"cls\".")));
}

static void
set_normalize(RegisteredModel *model, DefElem *def)
{
	model->encoder.normalize = defGetBoolean(def);
}

static uint32_t
number_of_tokens(DefElem *def)
{
	const char *text = defGetString(def);
	char	   *end;
	long		tokens;

	errno = 0;
	tokens = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || tokens < 3 || tokens > 1 << 24)
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("invalid %s \"%s\"", def->defname, text),
						errhint("It is a whole number of tokens, 3 or more.")));
	return (uint32_t) tokens;
}

static void
set_max_tokens(RegisteredModel *model, DefElem *def)
{
	model->encoder.max_tokens = number_of_tokens(def);
}

static void
set_context(RegisteredModel *model, DefElem *def)
{
	model->language.context = number_of_tokens(def);
}

static void
set_chat_template(RegisteredModel *model, DefElem *def)
{
	const ChatFamily family = chat_family_named(defGetString(def));

	if (family == CHAT_FAMILIES)
	{
		StringInfoData known;

		initStringInfo(&known);
		for (int i = 0; i < CHAT_FAMILIES; i++)
			appendStringInfo(&known, "%s\"%s\"", i ? ", " : "", chat_family_name(i));
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("invalid chat_template \"%s\"", defGetString(def)),
						errhint("There are %s.", known.data)));
	}
	model->language.family = family;
}

static void
set_query_prefix(RegisteredModel *model, DefElem *def)
{
	model->query_prefix = defGetString(def);
}

static void
set_document_prefix(RegisteredModel *model, DefElem *def)
{
	model->document_prefix = defGetString(def);
}

static const struct
{
	const char *name;
	void		(*set) (RegisteredModel *model, DefElem *def);
}			options[] = {
	{"provider", set_provider},
	{"file", set_file},
	{"task", set_task},
	{"pooling", set_pooling},
	{"normalize", set_normalize},
	{"max_tokens", set_max_tokens},
	{"query_prefix", set_query_prefix},
	{"document_prefix", set_document_prefix},
	{"context", set_context},
	{"chat_template", set_chat_template},
};

static void
unknown_option(const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < (int) lengthof(options); i++)
		appendStringInfo(&known, "%s%s", i ? ", " : "", options[i].name);
	ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", name),
					errhint("Valid options of a model are: %s.", known.data)));
}

static void
read_options(RegisteredModel *model, List *defs)
{
	ListCell   *lc;

	model->query_prefix = model->document_prefix = "";
	model->encoder = (EncoderOptions) {.pooling = -1, .normalize = -1};
	model->language = (LanguageOptions) {.family = -1};
	foreach(lc, defs)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const char *value = defGetString(def);
		int			i = 0;

		while (i < (int) lengthof(options) && strcmp(options[i].name, def->defname) != 0)
			i++;
		if (i == lengthof(options))
			unknown_option(def->defname);
		options[i].set(model, def);
		model->options_hash = hash_combine(model->options_hash, hash_bytes((const unsigned char *) def->defname, strlen(def->defname)));
		model->options_hash = hash_combine(model->options_hash, hash_bytes((const unsigned char *) value, strlen(value)));
	}
}

/*
 * The wrapper's validator, called as postgresql_fdw_validator is.  A path out of
 * the directory of models needs the right to read the server's files.
 */
Datum
gpuscan_model_validator(PG_FUNCTION_ARGS)
{
	List	   *defs = untransformRelOptions(PG_GETARG_DATUM(0));
	const Oid	catalog = PG_GETARG_OID(1);
	RegisteredModel model = {0};
	char	   *folder;
	char	   *name;

	if (catalog != ForeignServerRelationId)
	{
		if (defs != NIL)
			ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
							errmsg("invalid option \"%s\"", linitial_node(DefElem, defs)->defname),
							errhint("Options of a model are those of its server.")));
		PG_RETURN_VOID();
	}
	read_options(&model, defs);
	if (model.file == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND), errmsg("a model needs the option \"file\""),
						errhint("It is the model's folder, or its GGUF file, in gpuscan.model_directory.")));
	if (model.task != NULL && (strcmp(model.task, "generate") == 0) != gpuscan_model_is_file(model.file, &folder, &name))
		ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE), errmsg("task \"%s\" does not fit the file \"%s\"", model.task, model.file),
						errhint("A GGUF file generates, a folder embeds.")));
	if (is_absolute_path(model.file) && !has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for the file of a model outside of gpuscan.model_directory"),
						errdetail("Only roles with the privileges of the \"%s\" role may name it.", "pg_read_server_files")));
	PG_RETURN_VOID();
}

RegisteredModel *
gpuscan_registered_model(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, true);
	RegisteredModel *model = palloc0_object(RegisteredModel);
	AclResult	aclresult;

	if (server == NULL || strcmp(GetForeignDataWrapper(server->fdwid)->fdwname, MODEL_WRAPPER) != 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
						errhint("A model is a foreign server: CREATE SERVER ... FOREIGN DATA WRAPPER %s OPTIONS (file '...').", MODEL_WRAPPER)));
	aclresult = FOREIGN_SERVER_ACLCHECK(server->serverid, GetUserId(), ACL_USAGE);
	if (aclresult != ACLCHECK_OK)
		aclcheck_error(aclresult, OBJECT_FOREIGN_SERVER, name);
	model->serverid = server->serverid;
	model->name = server->servername;
	model->owner = server->owner;
	read_options(model, server->options);
	/* the right of who registered it may have gone since */
	if (is_absolute_path(model->file) && !has_privs_of_role(server->owner, ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for the file of model \"%s\"", name),
						errdetail("The owner of the model may not read the server's files.")));
	return model;
}
