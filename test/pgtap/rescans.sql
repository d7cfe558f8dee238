-- Our nodes started again and again: with other parameters, with the same, before
-- they came to an end.  Every query runs with gpuscan.require and without us.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;

CREATE TABLE big (id int PRIMARY KEY, g int, n numeric, t text, d date);
INSERT INTO big SELECT i, i % 13, CASE WHEN i % 50 = 0 THEN 1e60 + i ELSE i / 4.0 END,
	CASE WHEN i % 97 = 0 THEN repeat('long ' || i, 500) ELSE 'text ' || i % 9 END, date '2020-01-01' + i % 300
FROM generate_series(1, 6000) i;
UPDATE big SET n = n + 1 WHERE id % 10 = 0;
CREATE TABLE small (id int, g int, n numeric, t text);
INSERT INTO small SELECT i, i % 10, i, 'text ' || i % 9 FROM generate_series(1, 60) i;
INSERT INTO small VALUES (NULL, NULL, NULL, NULL), (61, 3, 1e60, repeat('x', 3000));
CREATE TABLE tree (id int, parent int, v int);
INSERT INTO tree SELECT i, i / 3, i FROM generate_series(1, 200) i;
CREATE UNLOGGED TABLE unlogged AS SELECT * FROM big WHERE id <= 2000;
CREATE TEMP TABLE temporary AS SELECT * FROM big WHERE id <= 2000;
CREATE MATERIALIZED VIEW matview AS SELECT * FROM big WHERE id <= 2000;
CREATE VIEW plain_view AS SELECT g, id, n FROM big WHERE id > 100;
CREATE VIEW grouped_view AS SELECT g, count(*) AS c, sum(id) AS s FROM big WHERE id > 100 GROUP BY g;
CREATE TABLE parts (id int, g int) PARTITION BY LIST (g);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN (0, 1, 2);
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN (3, 4);
CREATE TABLE parts_c PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT i, i % 8 FROM generate_series(1, 3000) i;
ANALYZE;

CREATE FUNCTION inlined(x int) RETURNS TABLE (id int, n numeric) LANGUAGE sql STABLE AS 'SELECT id, n FROM big WHERE g = x';
CREATE FUNCTION not_inlined(x int) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT sum(id) FROM big WHERE g = x AND id < 3000';
CREATE FUNCTION loops(x int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result numeric := 0;
BEGIN
	FOR r IN SELECT id, g FROM small WHERE g = x LOOP
		result := result + coalesce((SELECT sum(id) FROM big WHERE g = r.g AND id > r.id), 0);
		FOR i IN 1 .. 2 LOOP
			SELECT result + count(*) INTO result FROM big WHERE id < r.id * i;
			EXIT WHEN result > 1000000;
		END LOOP;
	END LOOP;
	RETURN result;
END $$;
CREATE FUNCTION descend(x int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result bigint := 0;
BEGIN
	FOR r IN SELECT id FROM tree WHERE parent = x LOOP
		result := result + r.id + descend(r.id);
	END LOOP;
	RETURN result;
END $$;

CREATE FUNCTION answer(query text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true);
	PERFORM set_config('gpuscan.require', CASE WHEN ours THEN 'require' ELSE 'forbid' END, true);
	BEGIN
		EXECUTE format('WITH q AS MATERIALIZED (%s) SELECT count(*) || '': '' || coalesce(string_agg(q::text, '' '' ORDER BY q::text COLLATE "C"), '''') FROM q', query) INTO result;
	EXCEPTION
		WHEN OTHERS THEN
			result := SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM set_config('gpuscan.require', 'allow', true);
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN left(result, 150) || ' ' || md5(result);
END $$;

CREATE TABLE cases (query text);
INSERT INTO cases VALUES
	-- correlated
	('SELECT id, (SELECT count(*) FROM big b WHERE b.g = s.g) FROM small s WHERE id < 50'),
	('SELECT id, (SELECT sum(n) FROM big b WHERE b.g = s.g AND b.n < s.n * 30) FROM small s WHERE id < 70'),
	('SELECT id, (SELECT max(b.d) FROM big b WHERE b.t = s.t AND b.id > s.id) FROM small s WHERE id < 70'),
	('SELECT id, (SELECT b.n FROM big b WHERE b.g = s.g AND b.id > s.id * 20 LIMIT 1) FROM small s WHERE id < 50'),
	('SELECT id FROM small s WHERE id > 0 AND (EXISTS (SELECT FROM big b WHERE b.id = s.id * 99 AND b.g > 5) OR id < 5)'),
	('SELECT id FROM small s WHERE id > 0 AND (id IN (SELECT b.id / 7 FROM big b WHERE b.g = s.g AND b.id < 400) OR id < 5)'),
	('SELECT id FROM small s WHERE n < ALL (SELECT b.n FROM big b WHERE b.g = s.g AND b.id > 20) AND id > 0'),
	('SELECT id, ARRAY(SELECT b.id FROM big b WHERE b.g = s.g AND b.id < 100) FROM small s WHERE id > 0'),
	('SELECT id, (SELECT sum((SELECT count(*) FROM tree t WHERE t.v > b.g AND t.parent = s.g)) FROM big b WHERE b.g = s.g AND b.id < 100) FROM small s WHERE id < 20'),
	('SELECT id, (SELECT string_agg(q::text, '','' ORDER BY g) FROM (SELECT g, sum(id) FROM big b WHERE b.id < s.id * 10 GROUP BY g) q) FROM small s WHERE id < 30'),
	('SELECT id, (SELECT sum(b.id) FROM big b WHERE b.g = s.g AND md5(b.t) > ''8'') FROM small s WHERE id < 30'),
	('SELECT id, (SELECT sum(b.id + s.id) FILTER (WHERE b.g > s.g) FROM big b WHERE b.id < 100) FROM small s WHERE id < 30'),
	('SELECT g, sum(id), (SELECT count(*) FROM small s WHERE s.g = b.g) FROM big b WHERE id > 5 GROUP BY g'),
	('SELECT g, count(*) FROM big b WHERE id > 5 GROUP BY g HAVING count(*) > (SELECT 10 * count(*) FROM small s WHERE s.g < b.g)'),
	('SELECT id, (SELECT count(*) FROM parts p WHERE p.g = s.g AND p.id > s.id) FROM small s WHERE id > 0'),
	('SELECT id, (SELECT b.id / (s.g - 5) FROM big b WHERE b.id = 9 AND b.g > 3) FROM small s WHERE id < 50'),
	-- parameters that have no form in an engine, and NULL
	('SELECT id, (SELECT count(*) FROM big b WHERE b.n < s.n) FROM small s WHERE id > 55 OR id IS NULL'),
	('SELECT id, (SELECT count(*) FROM big b WHERE b.t = s.t) FROM small s WHERE id > 55 OR id IS NULL'),
	('SELECT (SELECT count(*) FROM big b WHERE b.n < x) FROM (VALUES (1e70), (12.5), (NULL), (''NaN''), (3e60), (7)) v(x)'),
	-- once for all
	('SELECT id FROM big WHERE n < (SELECT avg(id) FROM small WHERE g > 3) AND g = (SELECT max(g) FROM small WHERE id < 30)'),
	('SELECT count(*) FROM big WHERE id < 0 AND n < (SELECT 1 / (min(g) - 0) FROM small WHERE g = 0 AND id > 0)'),
	('SELECT count(*) FROM big WHERE id > 0 AND n < (SELECT 1 / (min(g) - 0) FROM small WHERE g = 0 AND id > 0)'),
	('SELECT id, (SELECT count(*) FROM big b WHERE b.id < (SELECT max(id) FROM small WHERE g = 2) AND b.g = s.g) FROM small s WHERE id > 0'),
	-- LATERAL
	('SELECT s.id, q.* FROM small s, LATERAL (SELECT b.id, b.n FROM big b WHERE b.g = s.g AND b.id > s.id OFFSET 0) q WHERE s.id < 20'),
	('SELECT s.id, q.* FROM small s, LATERAL (SELECT b.id FROM big b WHERE b.g = s.g ORDER BY b.n DESC LIMIT 3) q WHERE s.id > 0'),
	('SELECT s.id, q.* FROM small s LEFT JOIN LATERAL (SELECT count(*) AS c, sum(b.id * s.id) FROM big b WHERE b.g = s.g HAVING count(*) > 460) q ON q.c > s.id WHERE s.id > 0'),
	('SELECT s.id, q.* FROM small s LEFT JOIN LATERAL (SELECT b.g, count(*) FROM big b WHERE b.id < s.id * 3 GROUP BY b.g) q ON true WHERE s.id < 9'),
	('SELECT s.id, q.a, q.b FROM small s LEFT JOIN LATERAL (SELECT b.id AS a, b.id + s.g AS b FROM big b WHERE b.id < 5) q ON true WHERE s.id > 0'),
	('SELECT s.id, q.a, q.b FROM small s LEFT JOIN LATERAL (SELECT b.id AS a, coalesce(s.g, 0) + 1 AS b FROM big b WHERE b.id < 50 AND b.g = s.g) q ON q.a <> s.id WHERE s.id > 0'),
	('SELECT s.id, q.a, q.b FROM small s LEFT JOIN LATERAL (SELECT p.id AS a, coalesce(s.g, 0) + 1 AS b FROM parts p WHERE p.id < 50 AND p.g = s.g) q ON q.a <> s.id WHERE s.id > 0'),
	('SELECT s.id, q.a, q.b FROM parts s LEFT JOIN LATERAL (SELECT p.id AS a, p.g, coalesce(s.id, 0) + 1 AS b FROM parts p WHERE p.id < 50) q ON s.g = q.g WHERE s.id < 60'),
	('SELECT s.id, u.x FROM small s, LATERAL (SELECT b.id AS x FROM big b WHERE b.id = s.id * 2 AND b.g < 9 UNION ALL SELECT t.v FROM tree t WHERE t.parent = s.id AND t.v > 3) u WHERE s.id > 0'),
	('SELECT s.id, f.* FROM small s, inlined(s.g) f WHERE s.id < 9'),
	('SELECT s.id, f.* FROM small s, LATERAL (SELECT count(*) FROM inlined(s.g) i WHERE i.id < 300) f WHERE s.id > 0'),
	-- functions
	('SELECT id, not_inlined(g) FROM small WHERE id > 0'),
	('SELECT loops(g) FROM generate_series(0, 11) g'),
	('SELECT descend(0), descend(7), descend(999)'),
	-- the same again: inner sides of nested loops, without anything to keep rows
	('SELECT s.id, b.id FROM small s JOIN big b ON b.id < s.id AND b.g > 10 AND s.id > 0'),
	('SELECT s.id, q.c FROM small s JOIN grouped_view q ON q.c > s.id AND s.id > 0'),
	('SELECT s.id FROM small s WHERE s.id > 0 AND NOT EXISTS (SELECT FROM big b WHERE b.id > s.id * 100 AND b.g = 3)'),
	('SELECT s.id, b.id FROM small s LEFT JOIN big b ON b.id < s.g AND b.g < 5 WHERE s.id > 0'),
	('SELECT s.id, b.id, t.id FROM small s JOIN big b ON b.id <= s.g AND b.g = 1 JOIN tree t ON t.v < b.id AND t.parent < 2 WHERE s.id > 0'),
	-- CTEs
	('WITH c AS MATERIALIZED (SELECT id, g FROM big WHERE g < 3) SELECT a.id, b.id FROM c a JOIN c b ON b.id = a.id + 1'),
	('WITH c AS NOT MATERIALIZED (SELECT id, g FROM big WHERE g < 3) SELECT a.id, b.id FROM c a JOIN c b ON b.id = a.id + 1'),
	('WITH c AS (SELECT g, sum(id) AS s FROM big WHERE id > 9 GROUP BY g) SELECT s.id, (SELECT c.s FROM c WHERE c.g = s.g) FROM small s WHERE s.id > 0'),
	('WITH RECURSIVE r(id, depth) AS (SELECT id, 0 FROM tree WHERE parent = 0 AND v > 0 UNION ALL SELECT t.id, depth + 1 FROM r JOIN tree t ON t.parent = r.id AND t.v > 2) SELECT * FROM r'),
	('WITH RECURSIVE r(n, c) AS (SELECT 1, 0::bigint UNION ALL SELECT n + 1, (SELECT count(*) FROM big WHERE id < r.n * 100) FROM r WHERE n < 40) SELECT * FROM r'),
	('WITH RECURSIVE r(n, m) AS (SELECT 1, 0 UNION ALL SELECT n + 1, q.m FROM r, LATERAL (SELECT max(id) AS m FROM big WHERE g = r.n % 13 AND id > r.m) q WHERE n < 30) SELECT * FROM r'),
	-- several at once, and of all kinds
	('SELECT a.id, b.id, c.id FROM big a JOIN big b ON b.id = a.id + 1 AND b.g > 5 JOIN big c ON c.id = a.id + 2 AND c.n < 900 WHERE a.g > 4'),
	('SELECT id FROM big WHERE g = 1 UNION ALL SELECT id FROM unlogged WHERE g = 1 UNION SELECT g FROM temporary WHERE id < 300 EXCEPT SELECT id FROM matview WHERE g > 8'),
	('SELECT s.id, (SELECT count(*) FROM unlogged u WHERE u.g = s.g), (SELECT sum(id) FROM temporary t WHERE t.g = s.g), (SELECT max(n) FROM matview m WHERE m.g = s.g) FROM small s WHERE s.id > 0'),
	('SELECT v.g, v.id, w.c FROM plain_view v JOIN grouped_view w ON w.g = v.g WHERE v.id < 300 AND v.n > 10'),
	('SELECT s.id, (SELECT sum(c) FROM grouped_view w WHERE w.g <= s.g) FROM small s WHERE s.id > 0'),
	-- abandoned before their end
	('SELECT id, (SELECT b.id FROM big b WHERE b.g = s.g LIMIT 1), (SELECT b.id FROM big b WHERE b.id > 4000 AND b.g = s.g LIMIT 1 OFFSET 3) FROM small s WHERE id > 0'),
	('SELECT * FROM (SELECT id FROM big WHERE g = 3 LIMIT 2) a, (SELECT id FROM big WHERE g = 4 LIMIT 2) b'),
	('SELECT * FROM (SELECT id FROM big WHERE g = 3 LIMIT 0) a'),
	('SELECT s.id, q.id FROM small s, LATERAL (SELECT id FROM big WHERE g = s.g AND id > 1000 LIMIT s.id % 3) q WHERE s.id > 0');

SELECT plan((SELECT 3 * count(*)::int FROM cases) + 2 * 8 + 9);
SELECT is(answer(query, true), answer(query, false), query) FROM cases;
SET enable_material = off;
SET enable_partitionwise_join = on;
SET enable_memoize = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT is(answer(query, true), answer(query, false), 'nested loops: ' || query) FROM cases;
RESET enable_hashjoin;
RESET enable_mergejoin;
-- (a device's groups have room of their own)
SET gpuscan.device = cpu;
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT is(answer(query, true), answer(query, false), 'little memory: ' || query) FROM cases;
RESET ALL;
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;

--
-- prepared: custom and generic plans, each parameter after the other
--
PREPARE rows_of (int, numeric, text) AS SELECT id, n FROM big WHERE g = $1 AND (n < $2 OR t = $3);
PREPARE groups_of (int, numeric, text) AS SELECT g, count(*), sum(id + $1) FROM big WHERE n < $2 AND t <> $3 GROUP BY g;
CREATE FUNCTION executed(arguments text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result text := '';
BEGIN
	IF ours THEN
		FOR r IN EXECUTE 'EXECUTE rows_of ' || arguments LOOP result := result || r::text; END LOOP;
		FOR r IN EXECUTE 'EXECUTE groups_of ' || arguments LOOP result := result || r::text; END LOOP;
	ELSE
		PERFORM set_config('gpuscan.enabled', 'off', true);
		FOR r IN EXECUTE format('SELECT id, n FROM big, (VALUES %s) v(a, b, c) WHERE g = a::int AND (n < b::numeric OR t = c)', arguments) LOOP
			result := result || r::text;
		END LOOP;
		FOR r IN EXECUTE format('SELECT g, count(*), sum(id + a::int) FROM big, (VALUES %s) v(a, b, c) WHERE n < b::numeric AND t <> c GROUP BY g ORDER BY min(CASE WHEN true THEN id END)', arguments) LOOP
			result := result || r::text;
		END LOOP;
		PERFORM set_config('gpuscan.enabled', 'on', true);
	END IF;
	RETURN length(result) || ' ' || md5((SELECT string_agg(x, ')' ORDER BY x COLLATE "C") FROM regexp_split_to_table(result, '\)') x));
END $$;
CREATE TABLE arguments (a text);
INSERT INTO arguments VALUES ('(3, 100, ''text 4'')'), ('(4, 700.25, ''x'')'), ('(NULL::int, 5, ''text 1'')'), ('(3, NULL::numeric, ''text 1'')'),
	('(5, 1e65, ''text 1'')'), ('(5, ''NaN'', NULL::text)'), ('(5, 1000, repeat(''long 97'', 500))'), ('(1000000, 3, ''text 3'')');
SET gpuscan.require = require;
SELECT is(executed(a, true), executed(a, false), 'custom plan ' || a) FROM arguments;
SET plan_cache_mode = force_generic_plan;
SELECT is(executed(a, true), executed(a, false), 'generic plan ' || a) FROM arguments;
RESET plan_cache_mode;

--
-- a million times, and no more memory than after a thousand
--
CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
CREATE FUNCTION grown(query text, n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	-- the subquery is asked for every number; the memory for two of them
	EXECUTE format('SELECT max(m) - min(m) FROM (SELECT CASE WHEN q IS DISTINCT FROM -1 AND i IN (1000, %s) THEN memory() END AS m FROM '
		'(SELECT i, (%s) AS q FROM (SELECT i, i %% 50 AS k, ''text '' || i AS t, (i::text || repeat(''0'', 60 * (i %% 2)))::numeric AS wide '
		'FROM generate_series(1, %s) i OFFSET 0) v OFFSET 0) x) y', n, query, n) INTO result;
	RETURN result;
END $$;
CREATE TABLE tiny AS SELECT i AS id, i % 10 AS g, i::numeric AS n, 'text ' || i AS t, CASE WHEN i % 7 = 0 THEN 1e60 ELSE i END AS odd FROM generate_series(1, 50) i;
ANALYZE tiny;
SELECT cmp_ok(grown('SELECT count(*) FROM tiny WHERE g = v.k', 3000), '<=', 65536::bigint, 'groups, on whatever device');
SELECT cmp_ok(grown('SELECT id FROM tiny WHERE id > v.k LIMIT 1', 3000), '<=', 65536::bigint, 'rows, on whatever device');
SET gpuscan.device = cpu;
SELECT cmp_ok(grown('SELECT count(*) FROM tiny WHERE g = v.k', 1000000), '<=', 65536::bigint, 'a million of groups');
SELECT cmp_ok(grown('SELECT id FROM tiny WHERE id > v.k LIMIT 1', 200000), '<=', 65536::bigint, 'rows, abandoned');
SELECT cmp_ok(grown('SELECT sum(n) FROM tiny WHERE n < v.k AND tiny.t <> v.t', 100000), '<=', 65536::bigint, 'numbers and texts');
SELECT cmp_ok(grown('SELECT sum(odd) FROM tiny WHERE odd > v.k', 100000), '<=', 65536::bigint, 'punted rows');
SELECT cmp_ok(grown('SELECT max(s) FROM (SELECT t, sum(odd) AS s FROM tiny WHERE id > v.k GROUP BY t) z', 50000), '<=', 65536::bigint, 'groups by text');
SELECT cmp_ok(grown('SELECT count(*) FROM tiny WHERE md5(tiny.t || v.t) > ''8'' AND g < v.k', 100000), '<=', 65536::bigint, 'with a host filter');
SELECT cmp_ok(grown('SELECT count(*) FROM tiny WHERE n < v.wide', 50000), '<=', 65536::bigint, 'parameters without a form');

SELECT * FROM finish();
