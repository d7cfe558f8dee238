-- Who may see what.  Hidden rows are traps: an overflow, a division by zero, a
-- cast that fails, a function that remembers its argument.  Our nodes must fall
-- into none that PostgreSQL does not fall into.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;
SET gpuscan.explain_refusals = on;

CREATE ROLE gs_reader;
CREATE ROLE gs_other;
CREATE ROLE gs_owner;
CREATE ROLE gs_bypass BYPASSRLS;
CREATE ROLE gs_columns;
GRANT USAGE, CREATE ON SCHEMA public TO gs_reader, gs_other, gs_owner, gs_bypass, gs_columns;

-- Rows of tenants other than 3 are the traps.
CREATE TABLE plain (id int, tenant int, owner name, v int, amount numeric, body text);
INSERT INTO plain
SELECT i, i % 5, CASE WHEN i % 5 = 3 THEN 'gs_reader' ELSE 'gs_other' END,
	CASE WHEN i % 5 = 3 THEN i ELSE 2000000000 END, CASE WHEN i % 5 = 3 THEN i / 4.0 ELSE 0 END,
	CASE WHEN i % 5 = 3 THEN i::text ELSE 'secret ' || i END
FROM generate_series(1, 3000) i;
CREATE TABLE device (LIKE plain);	-- the policy runs on the engine
CREATE TABLE host (LIKE plain);		-- ... does not
CREATE TABLE levels (LIKE plain);	-- several, of which one does not
CREATE TABLE looked (LIKE plain);	-- a subquery
CREATE TABLE forced (LIKE plain);	-- for its owner too
CREATE TABLE named (LIKE plain);	-- a policy on the engine that asks for the user
ALTER TABLE named ALTER COLUMN owner TYPE text;
INSERT INTO device TABLE plain;
INSERT INTO host TABLE plain;
INSERT INTO levels TABLE plain;
INSERT INTO looked TABLE plain;
INSERT INTO forced TABLE plain;
INSERT INTO named TABLE plain;
CREATE TABLE allowed (who name, tenant int);
INSERT INTO allowed VALUES ('gs_reader', 3), ('gs_other', 4);
CREATE TABLE scratch (id int, v int);
INSERT INTO scratch SELECT i, 0 FROM generate_series(1, 100) i;
ALTER TABLE forced OWNER TO gs_owner;
GRANT SELECT ON plain, device, host, levels, looked, forced, named, allowed TO gs_reader, gs_other, gs_bypass;
GRANT SELECT, UPDATE ON scratch TO gs_reader;
GRANT SELECT (id, tenant) ON plain TO gs_columns;

ALTER TABLE device ENABLE ROW LEVEL SECURITY;
ALTER TABLE host ENABLE ROW LEVEL SECURITY;
ALTER TABLE levels ENABLE ROW LEVEL SECURITY;
ALTER TABLE looked ENABLE ROW LEVEL SECURITY;
ALTER TABLE forced ENABLE ROW LEVEL SECURITY;
ALTER TABLE named ENABLE ROW LEVEL SECURITY;
ALTER TABLE forced FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON device TO gs_reader USING (tenant = 3);
CREATE POLICY q ON device TO gs_other USING (tenant = 4);
CREATE POLICY p ON host USING ((owner = current_user AND md5(owner) <> '') IS TRUE);
CREATE POLICY p ON levels USING (tenant IN (2, 3));
CREATE POLICY first ON levels AS RESTRICTIVE USING (amount > 0);
CREATE POLICY second ON levels AS RESTRICTIVE USING (md5(body) <> 'x' AND body::int >= 0);
CREATE POLICY p ON looked USING (tenant = (SELECT a.tenant FROM allowed a WHERE a.who = current_user));
CREATE POLICY p ON forced USING (tenant = 3);
CREATE POLICY p ON named USING (owner = current_user::text);

CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM plain WHERE tenant = 3;
CREATE VIEW barrier_host WITH (security_barrier) AS SELECT * FROM plain WHERE md5(owner::text || tenant) = md5('gs_reader3');
CREATE VIEW barrier_twice WITH (security_barrier) AS SELECT * FROM barrier WHERE v < 2000;
CREATE VIEW barrier_grouped WITH (security_barrier) AS SELECT v AS k, sum(v) AS v, count(*) AS n FROM plain WHERE tenant = 3 GROUP BY 1;
CREATE VIEW through AS SELECT id, v, tenant FROM device;
CREATE VIEW through_invoker WITH (security_invoker) AS SELECT id, v, tenant FROM device;
CREATE VIEW of_owner AS SELECT id, v, tenant FROM forced;
ALTER VIEW of_owner OWNER TO gs_owner;
GRANT SELECT ON barrier, barrier_host, barrier_twice, barrier_grouped, through, through_invoker, of_owner TO gs_reader, gs_other, gs_columns;
GRANT SELECT, UPDATE, DELETE ON barrier TO gs_reader;
GRANT UPDATE, DELETE ON device TO gs_reader;

-- An attacker's functions: cheap, so that they come first where they may; what they see is remembered.
CREATE FUNCTION leak(x int) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	PERFORM set_config('leak.seen', current_setting('leak.seen') || ' ' || x, false);
	RETURN true;
END $$;
CREATE FUNCTION leak(x text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	PERFORM set_config('leak.seen', current_setting('leak.seen') || ' ' || x, false);
	RETURN x <> '';
END $$;
CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt, RESTRICT = scalarltsel);
CREATE FUNCTION all_of_device() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT sum(v::int8) FROM device WHERE tenant <> 9';
CREATE FUNCTION mine_of_device() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(v::int8) FROM device WHERE tenant <> 9';
CREATE FUNCTION mine_in_plpgsql() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT sum(v * 2) FROM device WHERE tenant <> 9);
END $$;
CREATE FUNCTION named_of_other() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM named WHERE tenant < 9';
ALTER FUNCTION named_of_other() OWNER TO gs_other;
CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
	RETURN (SELECT count(*) FROM forced WHERE v * 2 > 0);
END $$;
ALTER FUNCTION as_owner() OWNER TO gs_owner;
ANALYZE;

-- Answer or error of a query asked as somebody, and what the traps have seen.
CREATE FUNCTION asked(who name, query text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true), set_config('leak.seen', '', false);
	BEGIN
		PERFORM set_config('role', who, true);
		EXECUTE format('WITH q AS (%s) SELECT string_agg(q::text, '' '' ORDER BY q::text COLLATE "C") FROM q', query) INTO result;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN
			NULL;
		WHEN OTHERS THEN
			result := SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN md5(result) || ' ' || left(result, 100) || ' | ' || md5(current_setting('leak.seen')) || left(current_setting('leak.seen'), 100);
END $$;

-- The first node of ours in the plan, or none.
CREATE FUNCTION planned(who name, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	said text;
BEGIN
	PERFORM set_config('role', who, true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		said := coalesce(said, substring(line FROM 'Custom Scan \((\w+)\)'));
	END LOOP;
	PERFORM set_config('role', 'none', true);
	RETURN coalesce(said, 'none');
END $$;

CREATE TABLE cases (who name, node text, query text);
INSERT INTO cases VALUES
	-- the policy on the engine: whatever comes later there sees only its rows
	('gs_reader', 'GpuAgg', 'SELECT count(*) FROM device WHERE v * 2 > 10'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FROM device'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FILTER (WHERE v * 3 > 5), count(*) FILTER (WHERE v * 2 > 7) FROM device'),
	('gs_reader', 'GpuAgg', 'SELECT v * 2, count(*) FROM device GROUP BY 1'),
	('gs_reader', 'GpuAgg', 'SELECT max(v * 2) FROM device WHERE v * 2 > 0 AND id > 5 HAVING min(v * 3) > 0'),
	('gs_reader', 'GpuAgg', 'SELECT sum(CASE WHEN v * 2 > 10 THEN v * 4 ELSE v END) FROM device WHERE v * 2 > 10 OR v * 3 > 10'),
	('gs_reader', 'GpuScan', 'SELECT id FROM device WHERE v * 2 > 10 AND v * 3 < 5000'),
	('gs_reader', 'GpuScan', 'SELECT id, 1 / amount, body::int FROM device WHERE v * 2 > 10'),
	('gs_reader', 'GpuScan', 'SELECT id FROM device WHERE body::int > 3'),
	('gs_reader', 'GpuScan', 'SELECT id FROM device WHERE 1 / amount > 0.01'),
	('gs_reader', 'GpuScan', 'SELECT id FROM device WHERE leak(v)'),
	('gs_reader', 'GpuAgg|GpuScan', 'SELECT count(*) FROM device WHERE leak(body) AND v < 1000'),
	('gs_reader', 'GpuScan', 'SELECT id FROM device WHERE v <<< 4'),
	('gs_other', 'GpuScan', 'SELECT id FROM device WHERE v * 2 > 10'),
	('gs_other', 'GpuAgg', 'SELECT count(*), sum(v::int8) FROM device'),
	('gs_owner', 'none', 'SELECT count(*) FROM device WHERE v * 2 > 10'),
	('gs_columns', 'none', 'SELECT count(*) FROM device'),
	-- the policy on the host: nothing that may leak comes before
	('gs_reader', 'none', 'SELECT count(*) FROM host WHERE v * 2 > 10'),
	('gs_reader', 'none', 'SELECT id FROM host WHERE amount > 3'),
	('gs_reader', 'GpuScan', 'SELECT id FROM host WHERE v * 2 > 10 AND tenant < 5'),
	('gs_reader', 'GpuScan', 'SELECT id, v * 2 FROM host WHERE tenant < 5'),
	('gs_reader', 'GpuScan', 'SELECT sum(v * 2) FROM host WHERE tenant < 5'),
	('gs_reader', 'GpuScan', 'SELECT count(*) FILTER (WHERE v * 2 > 3) FROM host WHERE tenant < 5'),
	('gs_reader', 'GpuScan', 'SELECT v * 2, count(*) FROM host WHERE tenant < 5 GROUP BY 1'),
	('gs_reader', 'GpuScan', 'SELECT sum(amount + 1) FROM host WHERE tenant < 5'),
	('gs_reader', 'GpuAgg', 'SELECT count(*), max(v), tenant FROM host WHERE tenant < 5 GROUP BY tenant'),
	('gs_reader', 'GpuScan', 'SELECT id FROM host WHERE leak(v) AND tenant < 5'),
	('gs_reader', 'GpuScan', 'SELECT id FROM host WHERE body::int > 3 AND tenant < 5'),
	('gs_other', 'GpuScan', 'SELECT id FROM host WHERE v * 2 > 10 AND tenant < 5'),
	-- restrictive policies: a level each
	('gs_reader', 'GpuScan', 'SELECT id FROM levels WHERE v * 2 > 10'),
	('gs_reader', 'GpuScan', 'SELECT id FROM levels WHERE leak(v) AND leak(body)'),
	('gs_reader', 'GpuScan', 'SELECT sum(v * 2) FROM levels'),
	('gs_reader', 'GpuAgg|GpuScan', 'SELECT count(*) FROM levels'),
	-- a subquery in the policy
	('gs_reader', 'GpuScan', 'SELECT id FROM looked WHERE v * 2 > 10'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FROM looked'),
	('gs_other', 'GpuAgg', 'SELECT count(*) FROM looked WHERE id > 3'),
	('gs_other', 'GpuAgg', 'SELECT sum(v * 2) FROM looked'),
	-- a policy that asks for the user, on the engine
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FROM named'),
	('gs_reader', 'GpuScan', 'SELECT id FROM named WHERE v * 2 > 10 AND leak(body)'),
	('gs_other', 'GpuAgg', 'SELECT count(*) FROM named WHERE tenant < 9'),
	('gs_other', 'GpuAgg', 'SELECT sum(v * 2) FROM named'),
	('gs_reader', '', 'SELECT named_of_other(), (SELECT count(*) FROM named WHERE tenant < 9), current_user'),
	-- views
	('gs_reader', 'GpuScan', 'SELECT count(*) FROM barrier WHERE v * 2 > 10'),
	('gs_reader', 'GpuScan', 'SELECT sum(v * 2) FROM barrier'),
	('gs_reader', 'GpuScan', 'SELECT id FROM barrier WHERE leak(v) AND body::int > 3 AND 1 / amount < 10'),
	('gs_reader', 'none', 'SELECT id FROM barrier_host WHERE v * 2 > 10'),
	('gs_reader', 'GpuScan', 'SELECT id FROM barrier_host WHERE v * 2 > 10 AND id < 900 AND leak(body)'),
	('gs_reader', 'GpuScan', 'SELECT id FROM barrier_twice WHERE v * 2 > 10 AND leak(v)'),
	('gs_reader', 'GpuAgg', 'SELECT * FROM barrier_grouped WHERE leak(n::int)'),
	('gs_reader', 'GpuScan', 'SELECT b.id FROM barrier b JOIN plain p ON p.id = b.id AND b.v * 2 = p.v * 2 WHERE p.tenant = 3'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v::int8) FROM through WHERE tenant < 9'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FROM through_invoker WHERE tenant < 9'),
	('gs_other', 'GpuAgg', 'SELECT sum(v::int8) FROM through_invoker WHERE tenant < 9'),
	('gs_columns', 'none', 'SELECT sum(v::int8) FROM through_invoker WHERE tenant < 9'),
	('gs_reader', 'GpuAgg', 'SELECT sum(v * 2) FROM of_owner'),
	-- owners, and those above the law
	('gs_owner', 'GpuAgg', 'SELECT sum(v * 2) FROM forced'),
	('gs_bypass', 'GpuAgg', 'SELECT sum(v::int8) FROM forced WHERE tenant < 9'),
	('gs_bypass', 'GpuScan', 'SELECT id FROM device WHERE v * 2 > 10'),
	('postgres', 'GpuAgg', 'SELECT sum(v::int8), count(*) FROM device WHERE tenant < 9'),
	('postgres', 'GpuScan', 'SELECT id FROM device WHERE v * 2 > 10'),
	-- functions
	('gs_reader', '', 'SELECT all_of_device(), mine_of_device(), mine_in_plpgsql(), as_owner()'),
	('gs_other', '', 'SELECT all_of_device(), mine_of_device(), as_owner()'),
	('gs_other', '', 'SELECT mine_in_plpgsql()'),
	-- columns
	('gs_columns', 'GpuAgg', 'SELECT tenant, count(*) FROM plain WHERE id > 7 GROUP BY tenant'),
	('gs_columns', '', 'SELECT sum(v::int8) FROM plain WHERE tenant = 3'),
	('gs_columns', '', 'SELECT count(*) FROM plain WHERE v = 3'),
	('gs_columns', '', 'SELECT count(*) FILTER (WHERE v > 3) FROM plain WHERE tenant = 3'),
	('gs_columns', '', 'SELECT plain FROM plain WHERE tenant = 3'),
	('gs_columns', 'GpuScan', 'SELECT id FROM plain WHERE tenant = 3'),
	-- tables that a command reads, and its target
	('gs_reader', 'GpuScan', 'UPDATE scratch s SET v = d.v FROM device d WHERE d.id = s.id AND d.v * 2 > 4 AND leak(d.body) RETURNING s.*'),
	('gs_reader', 'none', 'UPDATE barrier SET v = 1 WHERE leak(body) AND v * 2 > 4 RETURNING id'),
	('gs_reader', 'none', 'DELETE FROM device WHERE leak(body) AND v * 2 > 4 RETURNING id'),
	('gs_reader', 'GpuScan', 'DELETE FROM barrier b USING device d WHERE d.id = b.id AND leak(d.body) AND d.v * 2 > 4 AND b.v * 2 > 4 RETURNING b.id');

SELECT plan((SELECT 2 * count(*)::int FROM cases) + 10 + 12 + 28);
SELECT is(asked(who, query, true), asked(who, query, false), who || ': ' || query) FROM cases;
-- the function in the traps works, and permissions come before the plan
SELECT CASE WHEN node = '' THEN pass(query) WHEN asked(who, query, false) ~ ' 42501 permission' THEN is(node, 'none', query)
	ELSE matches(planned(who, query), '^(' || node || ')$', 'plan: ' || who || ': ' || query) END FROM cases;

--
-- What EXPLAIN counts must not depend on hidden values.  (Of leakproof conditions
-- it may: PostgreSQL tells as much of an index condition.)
--
CREATE FUNCTION told(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	said text := '';
BEGIN
	PERFORM set_config('role', 'gs_reader', true);
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF, VERBOSE) ' || query LOOP
		said := said || E'\n' || line;
	END LOOP;
	PERFORM set_config('role', 'none', true);
	RETURN said;
END $$;
CREATE TABLE explained (query text, said text);
INSERT INTO explained
SELECT query, told(query)
FROM (VALUES
	('SELECT count(*) FROM device WHERE v * 2 > 10'),
	('SELECT sum(v * 2), sum(amount * 7) FROM device'),
	('SELECT id FROM device WHERE v * 2 > 10 AND amount > 3'),
	('SELECT id FROM host WHERE v * 2 > 10 AND amount > 3 AND tenant < 5'),
	('SELECT sum(v * 2), sum(amount) FROM host WHERE tenant < 5'),
	('SELECT amount, count(*) FROM host WHERE tenant < 5 GROUP BY 1 HAVING count(*) > 1'),
	('SELECT id FROM levels WHERE v * 2 > 10 AND amount > 3'),
	('SELECT sum(v * 2) FROM looked'),
	('SELECT sum(v * 2) FROM barrier WHERE v * 3 > 0'),
	('SELECT sum(v * 2) FROM barrier_host WHERE v * 3 > 0 AND tenant < 5')) q(query);
UPDATE device SET v = 1, amount = -5 WHERE tenant <> 3;
UPDATE host SET v = 1, amount = -5 WHERE tenant <> 3;
UPDATE levels SET v = 1, amount = -5 WHERE tenant <> 3;
UPDATE looked SET v = 1, amount = -5 WHERE tenant <> 3;
UPDATE plain SET v = 1, amount = -5 WHERE tenant <> 3;
VACUUM FULL device, host, levels, looked, plain;
-- (how many rows a page has is not what we ask)
SELECT is(regexp_replace(told(query), '(Pages|Rows Left to Host): [^\n]*', '', 'g'),
	regexp_replace(said, '(Pages|Rows Left to Host): [^\n]*', '', 'g'), 'EXPLAIN: ' || query) FROM explained;

--
-- Plans that are kept, and roles that change
--
SET plan_cache_mode = force_generic_plan;
PREPARE kept AS SELECT count(*), max(tenant), current_user::text COLLATE "default" FROM device WHERE id > $1;
SET gpuscan.require = require;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (3000::bigint, 4, 'postgres')$$, 'a superuser sees all');
SET ROLE gs_reader;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (600::bigint, 3, 'gs_reader')$$, 'then a role with a policy');
SET ROLE gs_other;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (600::bigint, 4, 'gs_other')$$, '... another one');
SET row_security = off;
SELECT throws_ok('EXECUTE kept(0)', '42501', 'query would be affected by row-level security policy for table "device"', 'row_security off');
RESET ROLE;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (3000::bigint, 4, 'postgres')$$, '... is nothing to a superuser');
RESET row_security;
REVOKE SELECT ON device FROM gs_reader;
SET ROLE gs_reader;
SELECT throws_ok('EXECUTE kept(0)', '42501', 'permission denied for table device', 'a right that is taken away');
RESET ROLE;
GRANT SELECT ON device TO gs_reader;

PREPARE by_user AS SELECT count(*), max(tenant) FROM host WHERE tenant < 5;
SET ROLE gs_reader;
SELECT results_eq('EXECUTE by_user', 'VALUES (600::bigint, 3)', 'a policy that asks for the user');
SET ROLE gs_other;
SELECT results_eq('EXECUTE by_user', 'VALUES (2400::bigint, 4)', '... gets him');
RESET ROLE;
PREPARE by_user_there AS SELECT count(*), max(tenant) FROM named WHERE tenant < 5;
SET ROLE gs_reader;
SELECT results_eq('EXECUTE by_user_there', 'VALUES (600::bigint, 3)', 'a policy on the engine that asks for the user');
SET ROLE gs_other;
SELECT results_eq('EXECUTE by_user_there', 'VALUES (2400::bigint, 4)', '... gets him too');
RESET ROLE;
RESET gpuscan.require;
ALTER POLICY p ON device USING (tenant = 2);
SET ROLE gs_reader;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (600::bigint, 2, 'gs_reader')$$, 'a policy that changes');
RESET ROLE;
ALTER TABLE device DISABLE ROW LEVEL SECURITY;
SET ROLE gs_reader;
SELECT results_eq('EXECUTE kept(0)', $$VALUES (3000::bigint, 4, 'gs_reader')$$, '... and goes');
RESET ROLE;

--
-- EXECUTE on what an engine computes
--
CREATE TABLE calls AS SELECT id, v % 1000 AS v, amount, body FROM plain;
CREATE FUNCTION refused(query text, role name, enabled bool) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('gpuscan.enabled', enabled::text, true);
	PERFORM set_config('gpuscan.require', CASE WHEN enabled THEN 'require' ELSE 'allow' END, true);
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE query;
	RESET ROLE;
	RETURN '';
EXCEPTION WHEN insufficient_privilege THEN
	RETURN SQLERRM;
END $$;
GRANT SELECT ON calls TO gs_reader;
REVOKE EXECUTE ON FUNCTION int4abs(int), abs(int), int4pl(int, int), int4eq(int, int), hashint4(int), sum(numeric), upper(text), md5(text), texteq(text, text),
	count() FROM PUBLIC;
SELECT is(refused(query, 'gs_reader', enabled), wanted, format('EXECUTE, gpuscan %s: %s', enabled, query))
FROM (VALUES
	('SELECT id FROM calls WHERE abs(v) > 3', 'permission denied for function abs'),
	('SELECT id FROM calls WHERE v + id > 3', 'permission denied for function int4pl'),
	('SELECT id FROM calls WHERE v IN (1, 2, 3)', 'permission denied for function int4eq'),
	('SELECT id FROM calls WHERE v <> 3', ''),
	('SELECT max(v + id) FROM calls', 'permission denied for function int4pl'),
	('SELECT max(id) FROM calls GROUP BY v', 'permission denied for function int4eq'),
	('SELECT DISTINCT v FROM calls', 'permission denied for function int4eq'),
	('SELECT max(id) FROM calls GROUP BY upper(body)', 'permission denied for function upper'),
	('SELECT max(md5(body)) FROM calls', 'permission denied for function md5'),
	('SELECT sum(amount) FROM calls', 'permission denied for aggregate sum'),
	('SELECT count(*) FROM calls', 'permission denied for aggregate count'),
	('SELECT avg(amount) FROM calls', ''),
	('EXPLAIN SELECT sum(amount) FROM calls', 'permission denied for aggregate sum'),
	('EXPLAIN SELECT id FROM calls WHERE v + id > 3', 'permission denied for function int4pl')) q(query, wanted), (VALUES (true), (false)) settings(enabled);

SELECT * FROM finish();
DROP OWNED BY gs_reader, gs_other, gs_owner, gs_bypass, gs_columns;
DROP ROLE gs_reader, gs_other, gs_owner, gs_bypass, gs_columns;
