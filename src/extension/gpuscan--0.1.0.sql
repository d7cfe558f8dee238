/* src/extension/gpuscan--0.1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION gpuscan" to load this file. \quit

CREATE FUNCTION version() RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_version'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION version() IS 'version of the gpuscan library in this session';

CREATE FUNCTION check_preload() RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_check_preload'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION check_preload() IS 'warn when new sessions will not have the gpuscan library';

CREATE FUNCTION offload_listing(OUT kind text, OUT object oid, OUT engines text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_offload_listing'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 200;

-- What may run on an engine. Where a function stands behind an operator or a
-- cast, that is what is shown.
CREATE VIEW offloaded AS
SELECT 'type'::text AS kind, pg_catalog.format_type(l.object, NULL) AS name,
       NULL::text AS types, l.engines
FROM @extschema@.offload_listing() l
WHERE l.kind = 'type'
UNION ALL
SELECT 'operator', o.oprname::text,
       pg_catalog.concat_ws(', ', CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
                            pg_catalog.format_type(o.oprright, NULL)),
       l.engines
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_operator o ON o.oprcode::pg_catalog.oid = l.object
WHERE l.kind = 'function'
UNION ALL
SELECT 'cast', pg_catalog.format_type(c.casttarget, NULL), pg_catalog.format_type(c.castsource, NULL), l.engines
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_cast c ON c.castfunc = l.object
WHERE l.kind = 'function'
UNION ALL
SELECT 'function', p.proname::text, pg_catalog.pg_get_function_arguments(p.oid), l.engines
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_proc p ON p.oid = l.object
WHERE l.kind = 'function'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oprcode::pg_catalog.oid = l.object)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE c.castfunc = l.object)
UNION ALL
SELECT 'aggregate', p.proname::text, pg_catalog.pg_get_function_arguments(p.oid), l.engines
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_proc p ON p.oid = l.object
WHERE l.kind = 'aggregate';

COMMENT ON VIEW offloaded IS 'what may run on an engine: types, operators, casts, functions and aggregates';

GRANT SELECT ON offloaded TO PUBLIC;

-- Loads the library into this session, and says what makes others load it.
SELECT check_preload();
