/*-------------------------------------------------------------------------
 *
 * gpuscan.c
 *	  The door: settings, hooks, and what CREATE EXTENSION asks.
 *
 * The library may be loaded at any time: by shared_preload_libraries, by
 * session_preload_libraries, or by the first of its functions that a session
 * calls.  So nothing here needs the postmaster.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "commands/dbcommands.h"
#include "compat.h"
#include "engine/engine.h"
#include "fmgr.h"
#include "gpuscan.h"
#include "miscadmin.h"
#include "model/sql/directory.h"
#include "model/sql/loaded.h"
#include "nodes/extensible.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "plan/plan_private.h"
#include "service/service.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

GPUSCAN_MODULE_MAGIC;

bool		gpuscan_enabled = true;
int			gpuscan_device = GPUSCAN_DEVICE_AUTO;
int			gpuscan_require = GPUSCAN_REQUIRE_ALLOW;
bool		gpuscan_show_refusals = false;
char	   *gpuscan_cpu_level = NULL;
double		gpuscan_startup_cost = 20.0;
double		gpuscan_page_cost = 0.01;
double		gpuscan_tuple_cost = 0.001;
double		gpuscan_attribute_cost = 0.0001;
double		gpuscan_operator_cost = 0.0001;
double		gpuscan_device_startup_cost = 1000.0;
double		gpuscan_device_page_cost = 0.12;
int			gpuscan_device_groups = 131072;
int			gpuscan_checkpoint_size = 256 * 1024;

static const struct config_enum_entry device_options[] = {
	{"auto", GPUSCAN_DEVICE_AUTO, false},
	{"cpu", GPUSCAN_DEVICE_CPU, false},
	{"cuda", GPUSCAN_DEVICE_CUDA, false},
	{NULL, 0, false}
};

static const struct config_enum_entry require_options[] = {
	{"allow", GPUSCAN_REQUIRE_ALLOW, false},
	{"require", GPUSCAN_REQUIRE_REQUIRE, false},
	{"forbid", GPUSCAN_REQUIRE_FORBID, false},
	{NULL, 0, false}
};

static set_rel_pathlist_hook_type previous_set_rel_pathlist;
static create_upper_paths_hook_type previous_create_upper_paths;

PGDLLEXPORT void _PG_init(void);
PG_FUNCTION_INFO_V1(gpuscan_version);
PG_FUNCTION_INFO_V1(gpuscan_check_preload);

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous_set_rel_pathlist)
		previous_set_rel_pathlist(root, rel, rti, rte);
	if (gpuscan_enabled)
		gpuscan_plan_scan_paths(root, rel, rti, rte);
}

static void
create_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
				   RelOptInfo *output_rel, void *extra)
{
	if (previous_create_upper_paths)
		previous_create_upper_paths(root, stage, input_rel, output_rel, extra);
	if (!gpuscan_enabled)
		return;
	if (stage == UPPERREL_GROUP_AGG)
		gpuscan_plan_agg_paths(root, input_rel, output_rel, extra);
	else if (stage == UPPERREL_DISTINCT)
		gpuscan_plan_distinct_paths(root, input_rel, output_rel);
}

static bool
check_cpu_level(char **value, void **extra, GucSource source)
{
	if (strcmp(*value, "auto") == 0 || strcmp(*value, "base") == 0 ||
		strcmp(*value, "avx2") == 0 || strcmp(*value, "avx512") == 0)
		return true;
	GUC_check_errhint("Available values: auto, base, avx2, avx512.");
	return false;
}

static void
assign_cpu_level(const char *value, void *extra)
{
	/* a level that this processor does not have */
	if (!gpuscan_cpu_set_level(value))
		gpuscan_cpu_set_level("auto");
}

static void
define_cost(const char *name, const char *description, double *variable)
{
	DefineCustomRealVariable(name, description, NULL, variable, *variable, 0, DBL_MAX,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
}

static void
define_settings(void)
{
	DefineCustomBoolVariable("gpuscan.enabled",
							 "Enables the planner's use of gpuscan's nodes.",
							 NULL, &gpuscan_enabled, true,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomEnumVariable("gpuscan.device",
							 "Selects the engine that runs scans.",
							 "With \"auto\", the fastest that there is.",
							 &gpuscan_device, GPUSCAN_DEVICE_AUTO, device_options,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomEnumVariable("gpuscan.require",
							 "Makes queries fail that gpuscan does not scan (\"require\") or does (\"forbid\").",
							 "This is for tests.",
							 &gpuscan_require, GPUSCAN_REQUIRE_ALLOW, require_options,
							 PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomBoolVariable("gpuscan.explain_refusals",
							 "Makes EXPLAIN say why relations are not offloaded.",
							 NULL, &gpuscan_show_refusals, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("gpuscan.cpu_level",
							   "Selects the instructions that the CPU engine uses: auto, base, avx2 or avx512.",
							   "This is for tests. What the processor does not have is not used.",
							   &gpuscan_cpu_level, "auto",
							   PGC_USERSET, GUC_NOT_IN_SAMPLE, check_cpu_level, assign_cpu_level, NULL);
	define_cost("gpuscan.startup_cost",
				"Sets the planner's estimate of the cost of starting a scan.", &gpuscan_startup_cost);
	define_cost("gpuscan.page_cost",
				"Sets the planner's estimate of the cost of a page, beside reading it.", &gpuscan_page_cost);
	define_cost("gpuscan.tuple_cost",
				"Sets the planner's estimate of the cost of finding a visible row.", &gpuscan_tuple_cost);
	define_cost("gpuscan.attribute_cost",
				"Sets the planner's estimate of the cost of walking over an attribute.", &gpuscan_attribute_cost);
	define_cost("gpuscan.operator_cost",
				"Sets the planner's estimate of the cost of an engine's cheapest operator.", &gpuscan_operator_cost);
	define_cost("gpuscan.device_startup_cost",
				"Sets the planner's estimate of the cost of starting a scan on a device.",
				&gpuscan_device_startup_cost);
	define_cost("gpuscan.device_page_cost",
				"Sets the planner's estimate of the cost of bringing a page to a device, beside reading it.",
				&gpuscan_device_page_cost);
	DefineCustomIntVariable("gpuscan.device_groups",
							"Sets the number of places in a device's table of groups.",
							"When half of them are taken, the groups are brought to the backend.",
							&gpuscan_device_groups, 131072, 2, 1 << 26,
							PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.checkpoint_size",
							"Sets how much of a table a device aggregates before its groups are brought to the backend.",
							"So much has to be done again when the device is lost.",
							&gpuscan_checkpoint_size, 256 * 1024, 64, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB | GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomStringVariable("gpuscan.model_directory",
							   "Sets the directory that the files of models are in.",
							   "A relative one is below the data directory.",
							   &gpuscan_model_directory, "gpuscan_models",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.model_memory",
							"Sets how much memory the weights of models may take in a session.",
							"Those that have not been used for longest are unloaded for others.",
							&gpuscan_model_memory, 4 * 1024 * 1024, 1024, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("gpuscan.generation_memory",
							"Sets how much memory texts that are being generated may take in a session.",
							"It holds what the model keeps of each token. Texts of an array wait for others where it does not suffice for all.",
							&gpuscan_generation_memory, 1024 * 1024, 1024, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	gpuscan_service_init();
	MarkGUCPrefixReserved("gpuscan");
}

void
_PG_init(void)
{
	define_settings();

	/* Parallel workers find a node's methods by name. */
	RegisterCustomScanMethods(&gpuscan_scan_plan_methods);
	RegisterCustomScanMethods(&gpuscan_agg_plan_methods);

	previous_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	previous_create_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = create_upper_paths;
	gpuscan_watch_init();
	gpuscan_refusals_init();
}

Datum
gpuscan_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(GPUSCAN_VERSION));
}

/* Does a list of libraries name this one? */
static bool
is_listed(const char *libraries)
{
	char	   *copy = pstrdup(libraries);
	List	   *names;
	ListCell   *lc;

	if (!SplitDirectoriesString(copy, ',', &names))
		return false;
	foreach(lc, names)
	{
		const char *name = lfirst(lc);
		const char *base = last_dir_separator(name) ? last_dir_separator(name) + 1 : name;

		if (strcmp(base, "gpuscan") == 0 || strcmp(base, "gpuscan.so") == 0)
			return true;
	}
	return false;
}

/*
 * Called by CREATE EXTENSION.  This session has the library from now on; say
 * what makes new sessions have it.
 */
Datum
gpuscan_check_preload(PG_FUNCTION_ARGS)
{
	const char *shared = GetConfigOption("shared_preload_libraries", true, false);
	const char *session = GetConfigOption("session_preload_libraries", true, false);
	StringInfoData wanted;

	if (is_listed(shared ? shared : "") || is_listed(session ? session : ""))
		PG_RETURN_VOID();

	initStringInfo(&wanted);
	if (session != NULL && session[0] != '\0')
	{
		/* as names, each quoted by itself, the way the setting is given */
		char	   *copy = pstrdup(session);
		List	   *names;
		ListCell   *lc;

		if (SplitDirectoriesString(copy, ',', &names))
			foreach(lc, names)
				appendStringInfo(&wanted, "%s, ", quote_literal_cstr(lfirst(lc)));
	}
	appendStringInfoString(&wanted, "'gpuscan'");
	ereport(WARNING,
			(errmsg("gpuscan is not preloaded, so new sessions will not use it"),
			 errdetail("The library is in neither shared_preload_libraries nor session_preload_libraries; this session has loaded it."),
			 errhint("ALTER DATABASE %s SET session_preload_libraries = %s;",
					 quote_identifier(get_database_name(MyDatabaseId)), wanted.data)));
	PG_RETURN_VOID();
}
