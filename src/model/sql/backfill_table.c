/*-------------------------------------------------------------------------
 *
 * backfill_table.c
 *	  The table that backfill fills: what it has to be, and the statements that
 *	  read and write it.
 *
 * Nothing in the statements is looked up in search_path: tables, types and
 * operators are named with their schemas.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/sql/backfill.h"
#include "parser/parse_coerce.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* Bytes of texts that a batch holds, but for its last one */
#define BATCH_BYTES		(64 * 1024 * 1024)

/* ... of a key as text */
#define KEY_BYTES		900

SPIPlanPtr
gpuscan_fill_prepare(const char *sql, int nargs, Oid *types, int cursor_options)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, types, cursor_options);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

void
gpuscan_fill_execute(SPIPlanPtr plan, Datum *values, const char *nulls, int expected)
{
	const int	got = SPI_execute_plan(plan, values, nulls, false, 0);

	if (got != expected)
		elog(ERROR, "could not execute a statement of backfill: %s", SPI_result_code_string(got));
}

/* ------------------------------------------------------------------------
 * What it has to be
 * ------------------------------------------------------------------------
 */

static AttrNumber
column_of(Relation rel, const char *name, Form_pg_attribute *att)
{
	const AttrNumber column = get_attnum(RelationGetRelid(rel), name);

	if (column == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(rel))));
	if (column < 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot use system column \"%s\"", name)));
	*att = TupleDescAttr(RelationGetDescr(rel), column - 1);
	return column;
}

static void
read_columns(FillTable *table, Relation rel, const char *source, const char *target)
{
	Form_pg_attribute att;
	Oid			vector = FLOAT4ARRAYOID;

	column_of(rel, source, &att);
	if (TypeCategory(getBaseType(att->atttypid)) != TYPCATEGORY_STRING)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" is of type %s, which is no text", source, format_type_be(att->atttypid)),
						errhint("Add a generated column that is one.")));
	table->target_column = column_of(rel, target, &att);
	/* an assignment makes a text of everything */
	if (TypeCategory(getBaseType(att->atttypid)) == TYPCATEGORY_STRING ||
		!can_coerce_type(1, &vector, &att->atttypid, COERCION_ASSIGNMENT))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" is of type %s, to which real[] cannot be assigned", target, format_type_be(att->atttypid)),
						errhint("It has to be real[], or a type of vectors with an assignment cast from real[].")));
	if (att->attgenerated)
		ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS), errmsg("column \"%s\" is a generated column", target)));
	table->source = quote_identifier(pstrdup(source));
	table->target = quote_identifier(pstrdup(target));
	table->target_type = att->atttypid;
	table->target_typmod = att->atttypmod;
}

static void
read_keys(FillTable *table, Relation rel)
{
	const Oid	indexid = PRIMARY_KEY_INDEX(rel);
	Relation	index;

	if (!OidIsValid(indexid))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no primary key", RelationGetRelationName(rel)),
						errdetail("backfill goes through the table in its order, and finds rows again by it."),
						errhint("Use ALTER TABLE ... ADD PRIMARY KEY.")));
	index = index_open(indexid, AccessShareLock);
	if (index->rd_rel->relam != BTREE_AM_OID)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("the primary key of table \"%s\" is no btree", RelationGetRelationName(rel))));
	table->nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	for (int i = 0; i < table->nkeys; i++)
	{
		const Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), index->rd_index->indkey.values[i] - 1);
		FillKey    *key = &table->keys[i];

		key->name = quote_identifier(pstrdup(NameStr(att->attname)));
		key->type = att->atttypid;
		key->typlen = att->attlen;
		key->typbyval = att->attbyval;
		key->equal = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i], index->rd_opcintype[i], BTEqualStrategyNumber);
		key->greater = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i], index->rd_opcintype[i], BTGreaterStrategyNumber);
		if (!OidIsValid(key->equal) || !OidIsValid(key->greater))
			elog(ERROR, "operators of primary key %u are missing", indexid);
	}
	index_close(index, AccessShareLock);
}

static void
check_update(Relation rel, AttrNumber column)
{
	const Oid	relid = RelationGetRelid(rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK &&
		pg_attribute_aclcheck(relid, column, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(rel->rd_rel->relkind), RelationGetRelationName(rel));
}

/* ------------------------------------------------------------------------
 * Statements
 * ------------------------------------------------------------------------
 */

static void
add_comparison(StringInfo sql, const FillKey *key, int param, Oid op)
{
	char	   *left = psprintf("t.%s", key->name);
	char	   *right = psprintf("$%d", param);

	appendStringInfoChar(sql, '(');
	generate_operator_clause(sql, left, key->type, op, right, key->type);
	appendStringInfoChar(sql, ')');
}

static bool
is_plain_greater(Oid op)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
	const bool	is = HeapTupleIsValid(tuple) && ((Form_pg_operator) GETSTRUCT(tuple))->oprnamespace == PG_CATALOG_NAMESPACE &&
		strcmp(NameStr(((Form_pg_operator) GETSTRUCT(tuple))->oprname), ">") == 0;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is;
}

/* Behind the row whose key is $1, $2, ... */
static void
add_behind(StringInfo sql, const FillTable *table)
{
	bool		plain = true;

	for (int i = 0; i < table->nkeys; i++)
		plain = plain && is_plain_greater(table->keys[i].greater);
	if (plain && table->nkeys > 1)
	{
		/* which the index answers as a whole */
		for (int side = 0; side < 2; side++)
		{
			appendStringInfoString(sql, side ? ") OPERATOR(pg_catalog.>) ROW(" : "ROW(");
			for (int i = 0; i < table->nkeys; i++)
				if (side)
					appendStringInfo(sql, "%s$%d", i ? ", " : "", i + 1);
				else
					appendStringInfo(sql, "%st.%s", i ? ", " : "", table->keys[i].name);
		}
		appendStringInfoChar(sql, ')');
		return;
	}
	for (int i = 0; i < table->nkeys; i++)
	{
		if (i > 0)
		{
			appendStringInfoString(sql, " OR (");
			add_comparison(sql, &table->keys[i - 1], i, table->keys[i - 1].equal);
			appendStringInfoString(sql, " AND (");
		}
		add_comparison(sql, &table->keys[i], i + 1, table->keys[i].greater);
	}
	for (int i = 1; i < table->nkeys; i++)
		appendStringInfoString(sql, "))");
}

static char *
read_sql(const FillTable *table, bool first)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, "t.%s, ", table->keys[i].name);
	appendStringInfo(&sql, "CAST(t.%s AS pg_catalog.text) FROM %s AS t WHERE t.%s IS NOT NULL AND t.%s IS NULL", table->source, table->qualified,
					 table->source, table->target);
	if (!first)
	{
		appendStringInfoString(&sql, " AND (");
		add_behind(&sql, table);
		appendStringInfoChar(&sql, ')');
	}
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, "%st.%s", i ? ", " : " ORDER BY ", table->keys[i].name);
	appendStringInfo(&sql, " LIMIT %d", table->batch_rows);
	return sql.data;
}

static void
add_key(StringInfo sql, const FillTable *table)
{
	appendStringInfoString(sql, " WHERE ");
	for (int i = 0; i < table->nkeys; i++)
	{
		appendStringInfoString(sql, i ? " AND " : "");
		add_comparison(sql, &table->keys[i], i + 1, table->keys[i].equal);
	}
}

/* By bytes: an equal text may be another one under the column's own collation */
static char *
lock_sql(const FillTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT FROM %s AS t", table->qualified);
	add_key(&sql, table);
	appendStringInfo(&sql, " AND t.%s IS NULL AND (CAST(t.%s AS pg_catalog.text) COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) $%d"
					 " FOR NO KEY UPDATE OF t SKIP LOCKED", table->target, table->source, table->nkeys + 1);
	return sql.data;
}

static char *
update_sql(const FillTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET %s = $%d", table->qualified, table->target, table->nkeys + 1);
	add_key(&sql, table);
	return sql.data;
}

void
gpuscan_fill_table_init(FillTable *table, Oid relid, const char *source, const char *target, int batch_rows)
{
	const Relation rel = relation_open(relid, AccessShareLock);
	const char	kind = rel->rd_rel->relkind;
	Oid			types[INDEX_MAX_KEYS + 1];

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", RelationGetRelationName(rel))));
	table->relid = relid;
	table->schemaid = RelationGetNamespace(rel);
	table->relname = pstrdup(RelationGetRelationName(rel));
	/* a key of a table is none of the tables that inherit from it */
	table->qualified = psprintf("%s%s", kind == RELKIND_RELATION ? "ONLY " : "",
								quote_qualified_identifier(get_namespace_name(table->schemaid), table->relname));
	table->batch_rows = batch_rows;
	read_columns(table, rel, source, target);
	read_keys(table, rel);
	check_update(rel, table->target_column);
	relation_close(rel, AccessShareLock);
	for (int i = 0; i < table->nkeys; i++)
		types[i] = table->keys[i].type;
	table->read_first = gpuscan_fill_prepare(read_sql(table, true), 0, NULL, CURSOR_OPT_FAST_PLAN);
	table->read_next = gpuscan_fill_prepare(read_sql(table, false), table->nkeys, types, CURSOR_OPT_FAST_PLAN);
	types[table->nkeys] = TEXTOID;
	table->lock = gpuscan_fill_prepare(lock_sql(table), table->nkeys + 1, types, 0);
	types[table->nkeys] = FLOAT4ARRAYOID;
	table->update = gpuscan_fill_prepare(update_sql(table), table->nkeys + 1, types, 0);
}

static void
free_plan(SPIPlanPtr *plan)
{
	if (*plan != NULL)
		SPI_freeplan(*plan);
	*plan = NULL;
}

void
gpuscan_fill_table_end(FillTable *table)
{
	free_plan(&table->read_first);
	free_plan(&table->read_next);
	free_plan(&table->lock);
	free_plan(&table->update);
}

void
gpuscan_fill_table_check(const FillTable *table)
{
	const Relation rel = try_relation_open(table->relid, AccessShareLock);

	/* the statements find it by its name */
	if (rel == NULL || RelationGetNamespace(rel) != table->schemaid || strcmp(RelationGetRelationName(rel), table->relname) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("table \"%s\" was renamed or dropped while it was filled", table->relname)));
	/* the lock is kept to the end of the transaction */
	relation_close(rel, NoLock);
}

/* A vector of length 1, so that a domain that asks for that takes it */
void
gpuscan_fill_table_probe(const FillTable *table, uint32 dimensions)
{
	Datum	   *elements = palloc0_array(Datum, dimensions);
	Oid			type = FLOAT4ARRAYOID;
	Datum		vector;
	const char *name = format_type_extended(table->target_type, table->target_typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);

	for (uint32 i = 0; i < dimensions; i++)
		elements[i] = Float4GetDatum(i == 0 ? 1.0f : 0.0f);
	vector = PointerGetDatum(construct_array(elements, (int) dimensions, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	if (SPI_execute_with_args(psprintf("SELECT CAST($1 AS %s)", name), 1, &type, &vector, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not assign a vector to type %s", name);
}

int64
gpuscan_fill_count(const FillTable *table)
{
	bool		isnull;

	if (SPI_execute(psprintf("SELECT pg_catalog.count(*) FROM %s AS t WHERE t.%s IS NOT NULL AND t.%s IS NULL", table->qualified, table->source, table->target),
					false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not count the rows of table \"%s\"", table->relname);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------
 */

/* With what the text of a value depends on as it was (compare postgres_fdw.c set_transmission_modes) */
static int
set_text_modes(void)
{
	static const char *const modes[][2] = {{"datestyle", "ISO"}, {"intervalstyle", "postgres"}, {"timezone", "UTC"}, {"bytea_output", "hex"},
	{"extra_float_digits", "3"}, {"search_path", "pg_catalog"}};
	const int	level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(modes); i++)
		(void) set_config_option(modes[i][0], modes[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/* It is a key of an index: a long one is its beginning, and a hash of it all */
static const char *
short_key(const char *key)
{
	const int	len = (int) strlen(key);

	if (len <= KEY_BYTES)
		return key;
	return psprintf("%.*s... %016llx", pg_mbcliplen(key, len, KEY_BYTES), key,
					(unsigned long long) hash_bytes_extended((const unsigned char *) key, len, 0));
}

/* A column as it is, several as an array of JSON */
static const char *
key_text(const FillTable *table, const Datum *keys)
{
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < table->nkeys; i++)
	{
		Oid			output;
		bool		varlena;
		char	   *one;

		getTypeOutputInfo(table->keys[i].type, &output, &varlena);
		one = OidOutputFunctionCall(output, keys[i]);
		if (table->nkeys == 1)
			return short_key(one);
		appendStringInfoString(&all, i ? ", " : "[");
		escape_json(&all, one);
	}
	appendStringInfoChar(&all, ']');
	return short_key(all.data);
}

static void
take_row(const FillTable *table, FillRow *row)
{
	const HeapTuple tuple = SPI_tuptable->vals[0];
	const TupleDesc desc = SPI_tuptable->tupdesc;
	bool		isnull;

	memset(row, 0, sizeof *row);
	for (int i = 0; i < table->nkeys; i++)
	{
		Datum		value = SPI_getbinval(tuple, desc, i + 1, &isnull);

		if (isnull)
			elog(ERROR, "primary key of table \"%s\" is null", table->relname);
		if (table->keys[i].typlen == -1)
			row->keys[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		else
			row->keys[i] = datumCopy(value, table->keys[i].typbyval, table->keys[i].typlen);
	}
	row->input = DatumGetTextPCopy(SPI_getbinval(tuple, desc, table->nkeys + 1, &isnull));
	row->hash = (int64) hash_bytes_extended((const unsigned char *) VARDATA(row->input), (int) VARSIZE(row->input) - VARHDRSZ, 0);
}

int
gpuscan_fill_read(const FillTable *table, const FillRow *last, FillRow *rows)
{
	/* in the order of the key, from the index: a sort would read the whole table for each batch */
	static const char *const off[] = {"enable_seqscan", "enable_bitmapscan", "enable_sort"};
	Datum		values[INDEX_MAX_KEYS];
	Size		bytes = 0;
	int			n = 0;
	int			level = NewGUCNestLevel();
	Portal		portal;

	for (int i = 0; i < (int) lengthof(off); i++)
		(void) set_config_option(off[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; last != NULL && i < table->nkeys; i++)
		values[i] = last->keys[i];
	portal = SPI_cursor_open(NULL, last ? table->read_next : table->read_first, values, NULL, false);
	AtEOXact_GUC(true, level);
	for (bool more = true; more && n < table->batch_rows && bytes < BATCH_BYTES;)
	{
		SPI_cursor_fetch(portal, true, 1);
		more = SPI_processed > 0;
		if (more)
		{
			take_row(table, &rows[n]);
			bytes += VARSIZE(rows[n++].input);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	level = set_text_modes();
	for (int i = 0; i < n; i++)
		rows[i].row_key = key_text(table, rows[i].keys);
	AtEOXact_GUC(true, level);
	return n;
}

bool
gpuscan_fill_write(const FillTable *table, const FillRow *row, ArrayType *vector)
{
	Datum		values[INDEX_MAX_KEYS + 1];
	bool		found;

	memcpy(values, row->keys, table->nkeys * sizeof(Datum));
	values[table->nkeys] = PointerGetDatum(row->input);
	gpuscan_fill_execute(table->lock, values, NULL, SPI_OK_SELECT);
	found = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	if (!found)
		return false;
	values[table->nkeys] = PointerGetDatum(vector);
	gpuscan_fill_execute(table->update, values, NULL, SPI_OK_UPDATE);
	return SPI_processed > 0;
}
