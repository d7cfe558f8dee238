/* src/extension/gpuscan--0.1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION gpuscan" to load this file. \quit

-- What is in it is granted one by one.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;

CREATE FUNCTION version() RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_version'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION version() IS 'version of the gpuscan library in this session';

CREATE FUNCTION check_preload() RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_check_preload'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION check_preload() IS 'warn when new sessions will not have the gpuscan library';

CREATE FUNCTION offload_listing(OUT kind text, OUT object oid, OUT engines text[], OUT condition text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_offload_listing'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 200;

-- What may run on an engine. Where a function stands behind an operator or a
-- cast, that is what is shown.
CREATE VIEW offloaded AS
SELECT 'type'::text AS kind, pg_catalog.format_type(l.object, NULL) AS name,
       NULL::text AS types, l.engines, l.condition
FROM @extschema@.offload_listing() l
WHERE l.kind = 'type'
UNION ALL
SELECT 'operator', o.oprname::text,
       pg_catalog.concat_ws(', ', CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
                            pg_catalog.format_type(o.oprright, NULL)),
       l.engines, l.condition
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_operator o ON o.oprcode::pg_catalog.oid = l.object
WHERE l.kind = 'function'
UNION ALL
SELECT 'cast', pg_catalog.format_type(c.casttarget, NULL), pg_catalog.format_type(c.castsource, NULL), l.engines, l.condition
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_cast c ON c.castfunc = l.object
WHERE l.kind = 'function'
UNION ALL
SELECT 'function', p.proname::text, pg_catalog.pg_get_function_arguments(p.oid), l.engines, l.condition
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_proc p ON p.oid = l.object
WHERE l.kind = 'function'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oprcode::pg_catalog.oid = l.object)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE c.castfunc = l.object)
UNION ALL
SELECT 'aggregate', p.proname::text, pg_catalog.pg_get_function_arguments(p.oid), l.engines, l.condition
FROM @extschema@.offload_listing() l JOIN pg_catalog.pg_proc p ON p.oid = l.object
WHERE l.kind = 'aggregate';

COMMENT ON VIEW offloaded IS 'what may run on an engine: types, operators, casts, functions and aggregates';

GRANT SELECT ON offloaded TO PUBLIC;

-- The device service. Without it 'devices' has one row, which says why.
CREATE FUNCTION devices_listing(OUT device int, OUT state text, OUT name text, OUT uuid text, OUT pci text,
    OUT compute_capability text, OUT driver_version int, OUT multiprocessors int, OUT memory bigint, OUT pid int,
    OUT generation bigint, OUT reason text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_devices'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1;

CREATE VIEW devices AS SELECT * FROM @extschema@.devices_listing();

COMMENT ON VIEW devices IS 'CUDA devices, and why one is not used';

CREATE FUNCTION stat_devices_listing(OUT device int, OUT jobs bigint, OUT pages bigint, OUT rows bigint,
    OUT bytes_in bigint, OUT bytes_out bigint, OUT kernel_time float8, OUT failures bigint, OUT deaths bigint,
    OUT lost_jobs bigint, OUT memory_used bigint, OUT energy_joules float8, OUT temperature int, OUT last_error int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_stat_devices'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1;

CREATE VIEW stat_devices AS SELECT * FROM @extschema@.stat_devices_listing();

COMMENT ON VIEW stat_devices IS 'what CUDA devices did since the start of the server; kernel_time in ms';

CREATE FUNCTION stat_slots_listing(OUT slot int, OUT state text, OUT device int, OUT pid int, OUT role oid, OUT bytes bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_stat_slots'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 10;

CREATE VIEW stat_slots AS
SELECT slot, state, device, pid, role::pg_catalog.regrole, bytes FROM @extschema@.stat_slots_listing();

COMMENT ON VIEW stat_slots IS 'jobs for CUDA devices: whose they are and how far they are';

CREATE FUNCTION barred_programs_listing(OUT program text, OUT deaths int, OUT barred bool, OUT since timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_barred_programs'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1;

CREATE VIEW barred_programs AS SELECT * FROM @extschema@.barred_programs_listing();

COMMENT ON VIEW barred_programs IS 'programs that ran when a device failed; from two failures on they are kept off devices';

CREATE FUNCTION restart_device(device int DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_restart_device'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED;

COMMENT ON FUNCTION restart_device(int) IS 'start a device''s process anew, or look for one again; NULL: for all';

CREATE FUNCTION unbar_programs() RETURNS int
AS 'MODULE_PATHNAME', 'gpuscan_unbar_programs'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION unbar_programs() IS 'let barred programs run on devices again; returns how many there were';

REVOKE EXECUTE ON FUNCTION restart_device(int), unbar_programs() FROM PUBLIC;
GRANT SELECT ON devices, stat_devices, stat_slots, barred_programs TO PUBLIC;

-- What kept queries off the engines
CREATE FUNCTION stat_refusals_listing(OUT reason text, OUT count bigint, OUT scope text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_stat_refusals'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 20;

CREATE VIEW stat_refusals AS SELECT * FROM @extschema@.stat_refusals_listing() ORDER BY count DESC, reason;

COMMENT ON VIEW stat_refusals IS 'why something was not offloaded, and how often a plan was made without it: since the start of the server if the library is preloaded (scope server), else of this session';

CREATE FUNCTION stat_refusals_reset() RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_stat_refusals_reset'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION stat_refusals_reset() IS 'forget the counts of stat_refusals';

REVOKE EXECUTE ON FUNCTION stat_refusals_reset() FROM PUBLIC;
GRANT SELECT ON stat_refusals TO PUBLIC;

-- Models: foreign servers without foreign tables
CREATE FUNCTION model_validator(options text[], catalog oid) RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_model_validator'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

CREATE FOREIGN DATA WRAPPER gpuscan_model NO HANDLER VALIDATOR model_validator;

COMMENT ON FOREIGN DATA WRAPPER gpuscan_model IS 'models: a server of it is one, USAGE on it is the right to use it';

CREATE FUNCTION model_listing(OUT server oid, OUT architecture text, OUT parameters bigint, OUT quantisation text, OUT dimensions int,
							  OUT context int, OUT max_tokens int, OUT pooling text, OUT normalized bool, OUT chat_template text, OUT size bigint,
							  OUT shared bool, OUT passes bigint, OUT last_used timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_model_listing'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 5;

CREATE VIEW models AS
SELECT s.srvname AS name, s.srvowner::pg_catalog.regrole AS owner, pg_catalog.has_server_privilege(s.oid, 'USAGE') AS usable,
	   (SELECT o.option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) o WHERE o.option_name = 'file') AS file,
	   l.server IS NOT NULL AS loaded, l.architecture, l.parameters, l.quantisation, l.dimensions, l.context, l.max_tokens, l.pooling, l.normalized,
	   l.chat_template, l.size, l.shared, l.passes, l.last_used
FROM pg_catalog.pg_foreign_server s
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'gpuscan_model'
LEFT JOIN @extschema@.model_listing() l ON l.server = s.oid;

COMMENT ON VIEW models IS 'models of this database; what follows "loaded" is of this session';
GRANT SELECT ON models TO PUBLIC;

CREATE FUNCTION load_model(model text) RETURNS void
AS 'MODULE_PATHNAME', 'gpuscan_load_model_sql'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000000;

COMMENT ON FUNCTION load_model(text) IS 'bring a model into this session''s memory';

CREATE FUNCTION unload_model(model text) RETURNS bool
AS 'MODULE_PATHNAME', 'gpuscan_unload_model_sql'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION unload_model(text) IS 'give a model''s memory in this session back; was it loaded?';

-- Not strict: a default of NULL would make the result NULL.
CREATE FUNCTION embed(model text, input text, input_type text DEFAULT 'document', options jsonb DEFAULT '{}') RETURNS real[]
AS 'MODULE_PATHNAME', 'gpuscan_embed'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION embed(text, text, text, jsonb) IS 'a text as a vector';

CREATE FUNCTION embed(model text, inputs text[], input_type text DEFAULT 'document', options jsonb DEFAULT '{}') RETURNS SETOF real[]
AS 'MODULE_PATHNAME', 'gpuscan_embed_array'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000 ROWS 100;

COMMENT ON FUNCTION embed(text, text[], text, jsonb) IS 'texts as vectors, in their order';

CREATE FUNCTION tokenize(model text, input text) RETURNS int[]
AS 'MODULE_PATHNAME', 'gpuscan_tokenize'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION tokenize(text, text) IS 'the tokens of a text, without those that the model puts around it';

CREATE FUNCTION count_tokens(model text, input text) RETURNS int
AS 'MODULE_PATHNAME', 'gpuscan_count_tokens'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION count_tokens(text, text) IS 'how many tokens a text has';

CREATE FUNCTION detokenize(model text, tokens int[]) RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_detokenize'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION detokenize(text, int[]) IS 'the text of tokens, as far as they tell';

CREATE FUNCTION truncate_tokens(model text, input text, max_tokens int) RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_truncate_tokens'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION truncate_tokens(text, text, int) IS 'the longest beginning of a text that has at most so many tokens';

CREATE FUNCTION chunk(model text, input text, max_tokens int DEFAULT 256, overlap int DEFAULT 32)
RETURNS TABLE(chunk_no int, start_pos int, chunk text)
AS 'MODULE_PATHNAME', 'gpuscan_chunk'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;

COMMENT ON FUNCTION chunk(text, text, int, int) IS 'a long text in pieces that the model takes, which end where sentences do';

CREATE FUNCTION rerank(model text, query text, documents text[], options jsonb DEFAULT '{}')
RETURNS TABLE(ordinal int, score float8)
AS 'MODULE_PATHNAME', 'gpuscan_rerank'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000000 ROWS 100;

COMMENT ON FUNCTION rerank(text, text, text[], jsonb) IS 'documents by how near they are to a query, the nearest first';

-- What is kept of runs of backfill: each role sees and changes what is its own.  Not dumped: it is
-- about rows and sessions of this database.
CREATE TABLE backfill_runs (
	run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	role regrole NOT NULL,
	pid int NOT NULL,
	relation regclass NOT NULL,
	source text NOT NULL,
	target text NOT NULL,
	target_column int2 NOT NULL,
	model text NOT NULL,
	state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'interrupted')),
	rows_total bigint NOT NULL,
	rows_done bigint NOT NULL DEFAULT 0,
	rows_failed bigint NOT NULL DEFAULT 0,
	rows_skipped bigint NOT NULL DEFAULT 0,
	started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_commit timestamptz);

COMMENT ON TABLE backfill_runs IS 'runs of backfill of this role';

CREATE TABLE backfill_errors (
	role regrole NOT NULL,
	relation regclass NOT NULL,
	target text NOT NULL,
	row_key text NOT NULL,
	model text NOT NULL,
	error text NOT NULL,
	sqlstate text NOT NULL,
	attempts int NOT NULL,
	last_attempt timestamptz NOT NULL,
	text_hash bigint NOT NULL,
	run bigint NOT NULL,
	PRIMARY KEY (role, relation, target, row_key));

COMMENT ON TABLE backfill_errors IS 'rows that backfill could not fill for this role, by their primary key';

ALTER TABLE backfill_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE backfill_errors ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON backfill_runs USING (role = pg_catalog.quote_ident(current_user)::pg_catalog.regrole);
CREATE POLICY own ON backfill_errors USING (role = pg_catalog.quote_ident(current_user)::pg_catalog.regrole);
GRANT SELECT, INSERT, UPDATE, DELETE ON backfill_runs, backfill_errors TO PUBLIC;

-- A run holds a lock on the column, which goes when it ends, however it does.
CREATE VIEW backfill_progress WITH (security_invoker = true) AS
SELECT r.pid, r.role, r.relation, r.source, r.target, r.model, r.rows_total, r.rows_done, r.rows_failed, r.rows_skipped, r.started, r.last_commit
FROM @extschema@.backfill_runs r
JOIN pg_catalog.pg_locks l ON l.locktype = 'object' AND l.granted AND l.pid = r.pid AND l.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
	AND l.objid = r.relation AND l.objsubid = r.target_column
	AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
WHERE r.state = 'running';

COMMENT ON VIEW backfill_progress IS 'runs of backfill that are at work';
GRANT SELECT ON backfill_progress TO PUBLIC;

CREATE PROCEDURE backfill(relation regclass, source text, target text, model text, batch_rows int DEFAULT 256, options jsonb DEFAULT '{}')
AS 'MODULE_PATHNAME', 'gpuscan_backfill'
LANGUAGE C;

COMMENT ON PROCEDURE backfill(regclass, text, text, text, int, jsonb) IS 'fill a column with the embeddings of another, batch by batch';

CREATE FUNCTION generate(model text, prompt text, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_generate'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION generate(text, text, jsonb) IS 'what a model answers to a prompt';

CREATE FUNCTION generate(model text, prompts text[], options jsonb DEFAULT '{}',
						 OUT ordinal int, OUT content text, OUT finish_reason text, OUT tokens_in int, OUT tokens_out int, OUT error text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_generate_array'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE COST 10000000 ROWS 10;

COMMENT ON FUNCTION generate(text, text[], jsonb) IS 'what a model answers to prompts, in their order';

CREATE FUNCTION generate_stream(model text, prompt text, options jsonb DEFAULT '{}') RETURNS SETOF text
AS 'MODULE_PATHNAME', 'gpuscan_generate_stream'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000 ROWS 200;

COMMENT ON FUNCTION generate_stream(text, text, jsonb) IS 'what a model answers to a prompt, part by part';

CREATE FUNCTION generate_start(model text, prompt text, options jsonb DEFAULT '{}') RETURNS bigint
AS 'MODULE_PATHNAME', 'gpuscan_generate_start'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION generate_start(text, text, jsonb) IS 'begin a text that generate_next() gives part by part';

CREATE FUNCTION generate_next(id bigint) RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_generate_next'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION generate_next(bigint) IS 'the next part of a text, or null at its end';

CREATE FUNCTION generate_stop(id bigint) RETURNS bool
AS 'MODULE_PATHNAME', 'gpuscan_generate_stop'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION generate_stop(bigint) IS 'end a text that was started; false if there is none';

-- json and not jsonb: properties come in the order of the schema
CREATE FUNCTION generate_json(model text, prompt text, schema json, options jsonb DEFAULT '{}') RETURNS jsonb
AS 'MODULE_PATHNAME', 'gpuscan_generate_json'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION generate_json(text, text, json, jsonb) IS 'what a model answers to a prompt, as a value of a JSON schema';

CREATE FUNCTION classify(model text, input text, labels text[], options jsonb DEFAULT '{}', OUT label text, OUT probability float8)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'gpuscan_classify'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 4;

COMMENT ON FUNCTION classify(text, text, text[], jsonb) IS 'how likely a model holds each label for that of a text';

CREATE FUNCTION ask(model text, question text) RETURNS bool
AS 'MODULE_PATHNAME', 'gpuscan_ask'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;

COMMENT ON FUNCTION ask(text, text) IS 'does a model hold yes for the answer to a question?';

CREATE FUNCTION ask(model text, question text, input text, options jsonb DEFAULT '{}') RETURNS bool
AS 'MODULE_PATHNAME', 'gpuscan_ask'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;

COMMENT ON FUNCTION ask(text, text, text, jsonb) IS 'does a model hold yes for the answer to a question about a text?';

CREATE FUNCTION chat(model text, messages jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
AS 'MODULE_PATHNAME', 'gpuscan_chat'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION chat(text, jsonb, jsonb) IS 'a model''s answer in a conversation';

CREATE FUNCTION apply_template(model text, messages jsonb, add_generation_prompt bool DEFAULT true) RETURNS text
AS 'MODULE_PATHNAME', 'gpuscan_apply_template'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION apply_template(text, jsonb, bool) IS 'a conversation as the model reads it';

-- Distances of vectors
CREATE FUNCTION l2_distance(real[], real[]) RETURNS double precision
AS 'MODULE_PATHNAME', 'gpuscan_l2_distance'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION inner_product(real[], real[]) RETURNS double precision
AS 'MODULE_PATHNAME', 'gpuscan_inner_product'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION negative_inner_product(real[], real[]) RETURNS double precision
AS 'MODULE_PATHNAME', 'gpuscan_negative_inner_product'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION cosine_distance(real[], real[]) RETURNS double precision
AS 'MODULE_PATHNAME', 'gpuscan_cosine_distance'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = real[], RIGHTARG = real[], FUNCTION = l2_distance, COMMUTATOR = '<->');
CREATE OPERATOR <#> (LEFTARG = real[], RIGHTARG = real[], FUNCTION = negative_inner_product, COMMUTATOR = '<#>');
CREATE OPERATOR <=> (LEFTARG = real[], RIGHTARG = real[], FUNCTION = cosine_distance, COMMUTATOR = '<=>');

-- Loads the library into this session, and says what makes others load it.
SELECT check_preload();
