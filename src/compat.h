/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between server versions 15 to 18, each with its reason.
 *
 * Include after postgres.h, in place of sprinkling PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_COMPAT_H
#define GPUSCAN_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "gpuscan is made for PostgreSQL 15 to 18"
#endif

/*
 * 16 brought palloc_array and its kin to the backend (commit 2016055a92); the
 * minors of 15 got them with a security fix (palloc_mul).
 */
#ifndef palloc_array
#define palloc_array(type, count) ((type *) palloc(sizeof(type) * (Size) (count)))
#define palloc0_array(type, count) ((type *) palloc0(sizeof(type) * (Size) (count)))
#define repalloc_array(pointer, type, count) \
	((type *) repalloc(pointer, sizeof(type) * (Size) (count)))
#endif
#ifndef palloc_object
#define palloc_object(type) ((type *) palloc(sizeof(type)))
#define palloc0_object(type) ((type *) palloc0(sizeof(type)))
#endif

/*
 * 18 says pg_noreturn, before a declaration, where one said
 * pg_attribute_noreturn() behind it (commit 7a6ab1cd0d).
 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/*
 * 16 moved VARDATA and its kin from postgres.h to a header (commit d952373a98).
 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * 16 lets a custom scan choose its scan slot (commit cee1209514): before, the
 * node makes slot and projection again.
 */
#if PG_VERSION_NUM >= 160000
#define HAVE_CUSTOM_SCAN_SLOT_OPS 1
#endif

/*
 * 16 has one function for the rights to objects of most kinds (commit c727f511bd).
 */
#if PG_VERSION_NUM >= 160000
#define FOREIGN_SERVER_ACLCHECK(server, role, mode) object_aclcheck(ForeignServerRelationId, server, role, mode)
#else
#define FOREIGN_SERVER_ACLCHECK(server, role, mode) pg_foreign_server_aclcheck(server, role, mode)
#endif

/*
 * 16 calls a relation's files its locator (commit b0a55e4329).
 */
#if PG_VERSION_NUM >= 160000
#define RD_LOCATOR rd_locator
#else
#define RD_LOCATOR rd_node
#endif

/*
 * 17 brought infinite intervals (commit 519fc1bd9e); before, no interval is
 * infinite.
 */
#if PG_VERSION_NUM < 170000
#define INTERVAL_NOT_FINITE(i) false
#endif

/*
 * 17 took old_snapshot_threshold away (commit f691f5b80a).  Where it is set, a
 * scan has to look at every page for "snapshot too old" (TestForOldSnapshot).
 */
#if PG_VERSION_NUM < 170000
#define OLD_SNAPSHOT_THRESHOLD_ACTIVE() (old_snapshot_threshold >= 0)
#else
#define OLD_SNAPSHOT_THRESHOLD_ACTIVE() false
#endif

/*
 * 16 has the planner leave out grouping and DISTINCT columns that are redundant
 * (commit 8d83a5d0a2), and asks for relations rather than their numbers in
 * adjust_appendrel_attrs_multilevel (2489d76c49).
 */
#if PG_VERSION_NUM >= 160000
#define ROOT_GROUP_CLAUSE(root) ((root)->processed_groupClause)
#define ROOT_DISTINCT_CLAUSE(root) ((root)->processed_distinctClause)
#define ADJUST_TO_CHILD(root, node, child, parent) \
	adjust_appendrel_attrs_multilevel(root, node, child, parent)
#else
#define ROOT_GROUP_CLAUSE(root) ((root)->parse->groupClause)
#define ROOT_DISTINCT_CLAUSE(root) ((root)->parse->distinctClause)
#define ADJUST_TO_CHILD(root, node, child, parent) \
	adjust_appendrel_attrs_multilevel(root, node, (child)->relids, (parent)->relids)
#endif

/*
 * 16 made BufFileRead's usual caller a function (commit 20428d344a).
 */
#if PG_VERSION_NUM >= 160000
#define HAVE_BUFFILE_READ_EXACT 1
#endif

/*
 * 17 made the planning part of ExplainOneQuery a function of its own, for
 * hooks to call (commit 9f133763961); before, a hook repeats it.
 */
#if PG_VERSION_NUM >= 170000
#define HAVE_STANDARD_EXPLAIN_ONE_QUERY 1
#endif

/*
 * 17 has sets of wait events belong to a resource owner in place of a memory
 * context (commit 50c67c2019a), and lets a module name its waits (c9af0546930).
 */
#if PG_VERSION_NUM >= 170000
#define CREATE_LASTING_WAIT_EVENT_SET(nevents) CreateWaitEventSet(NULL, nevents)
#define HAVE_WAIT_EVENT_EXTENSION_NEW 1
#else
#define CREATE_LASTING_WAIT_EVENT_SET(nevents) CreateWaitEventSet(TopMemoryContext, nevents)
#endif

/*
 * 18 moved ExplainState and the ExplainProperty functions to headers of their
 * own (commits c65bc2e1d1, 9173e8b604).
 */
#if PG_VERSION_NUM >= 180000
#define HAVE_EXPLAIN_STATE_HEADER 1
#endif

/*
 * 18 has an entry for the groups among the tables of a query, which does not
 * count where EXPLAIN asks whether columns need their table's name (commit
 * 247dea89f76).
 */
#if PG_VERSION_NUM >= 180000
#define EXPLAIN_TABLES(es) ((es)->rtable_size)
#else
#define EXPLAIN_TABLES(es) list_length((es)->rtable)
#endif

/*
 * 16 has DecodeTimezoneAbbrev give the kind apart from an error (commit
 * 720b0eaae9b).  Who asks includes utils/datetime.h.
 */
#if PG_VERSION_NUM >= 160000
#define DECODE_ZONE_ABBREVIATION(name, type, offset, zone) \
do { \
	DateTimeErrorExtra extra_; \
	if (DecodeTimezoneAbbrev(0, name, type, offset, zone, &extra_) < 0) \
		*(type) = UNKNOWN_FIELD; \
} while (0)
#else
#define DECODE_ZONE_ABBREVIATION(name, type, offset, zone) (*(type) = DecodeTimezoneAbbrev(0, name, offset, zone))
#endif

/*
 * 18 says in the locale itself whether memcmp decides its order (commit
 * 06421b0843); before, a function looks (pg_locale.c).
 */
#if PG_VERSION_NUM >= 180000
#define COLLATION_ORDERS_BYTES(collation) (pg_newlocale_from_collation(collation)->collate_is_c)
#else
#define COLLATION_ORDERS_BYTES(collation) lc_collate_is_c(collation)
#endif

/*
 * Likewise for its character types.
 */
#if PG_VERSION_NUM >= 180000
#define COLLATION_CTYPE_IS_C(collation) (pg_newlocale_from_collation(collation)->ctype_is_c)
#else
#define COLLATION_CTYPE_IS_C(collation) lc_ctype_is_c(collation)
#endif

/*
 * 18 has virtual generated columns (commit 83ea6c54025): not in the row.
 */
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
#define ATTRIBUTE_IS_VIRTUAL(att) ((att)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define ATTRIBUTE_IS_VIRTUAL(att) false
#endif

/*
 * 18 has a reverse(bytea) too, so the one of text is named by
 * its argument in fmgroids.h.
 */
#if PG_VERSION_NUM >= 180000
#define F_REVERSE F_REVERSE_TEXT
#endif

/*
 * 16 has one function for the rights on all kinds of objects (commit c727f511bd7).
 */
#if PG_VERSION_NUM >= 160000
#define FUNCTION_ACLCHECK(function, role, mode) object_aclcheck(ProcedureRelationId, function, role, mode)
#else
#define FUNCTION_ACLCHECK(function, role, mode) pg_proc_aclcheck(function, role, mode)
#endif

/*
 * 18 asks whether a deferrable primary key counts as one.
 */
#if PG_VERSION_NUM >= 180000
#define PRIMARY_KEY_INDEX(rel) RelationGetPrimaryKeyIndex(rel, true)
#else
#define PRIMARY_KEY_INDEX(rel) RelationGetPrimaryKeyIndex(rel)
#endif

/*
 * 18 lets a module say its name and version (commit 9324c8c580).
 */
#if PG_VERSION_NUM >= 180000
#define GPUSCAN_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "gpuscan", .version = GPUSCAN_VERSION)
#else
#define GPUSCAN_MODULE_MAGIC PG_MODULE_MAGIC
#endif

#endif							/* GPUSCAN_COMPAT_H */
