-- Not SELECT alone: the commands that run a query, and those that read tables
-- beside their target.  Each runs with our nodes (gpuscan.require) and without,
-- and must do the same.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;

CREATE TABLE source (id int, g int, n numeric(10,2), note text);
INSERT INTO source SELECT i, i % 7, i / 8.0, 'note ' || i % 11 FROM generate_series(1, 5000) i;
CREATE TABLE target (id int PRIMARY KEY, v numeric, note text);
INSERT INTO target SELECT i, 0, 'old' FROM generate_series(1, 200) i;
CREATE TABLE parts (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (10000);
INSERT INTO parts SELECT i, i % 5 FROM generate_series(1, 3000) i;
CREATE MATERIALIZED VIEW shown AS SELECT id, n FROM source WHERE g = 3 WITH NO DATA;
CREATE MATERIALIZED VIEW grouped AS SELECT g, sum(n) AS n, count(*) FROM source WHERE id > 5 GROUP BY g;
CREATE UNIQUE INDEX ON grouped (g);
-- CONCURRENTLY compares with queries of its own, which have no condition for us:
-- the view's query alone has to have our node
CREATE FUNCTION required() RETURNS TABLE (g int, n numeric, c bigint) LANGUAGE sql STABLE SET gpuscan.require = require
AS 'SELECT g, sum(n), count(*) FROM public.source WHERE id > 5 GROUP BY g';
CREATE MATERIALIZED VIEW renewed AS SELECT * FROM required();
CREATE UNIQUE INDEX ON renewed (g);
CREATE FUNCTION small_ids(top int) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM source WHERE id < top AND g = 3';
CREATE TABLE log (id int, said text);
CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log SELECT NEW.id, count(*)::text FROM source WHERE g = NEW.id % 7;
	RETURN NEW;
END $$;
CREATE TRIGGER remember BEFORE UPDATE ON target FOR EACH ROW WHEN (NEW.note = 'told') EXECUTE FUNCTION remember();
ANALYZE;

-- What is there after a command that is then undone; or its error.
CREATE FUNCTION effect(command text, seen text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	part text;
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true);
	BEGIN
		PERFORM set_config('gpuscan.require', CASE WHEN ours THEN 'require' ELSE 'forbid' END, true);
		FOREACH part IN ARRAY string_to_array(command, ';') LOOP
			EXECUTE part;
		END LOOP;
		PERFORM set_config('gpuscan.require', 'allow', true);
		PERFORM set_config('gpuscan.enabled', 'off', true);
		EXECUTE format('SELECT count(*) || '': '' || md5(string_agg(q::text, '' '' ORDER BY q::text COLLATE "C")) FROM (%s) q', seen) INTO result;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN
			NULL;
		WHEN OTHERS THEN
			result := SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM set_config('gpuscan.require', 'allow', true);
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN result;
END $$;

CREATE TABLE cases (command text, seen text);
INSERT INTO cases VALUES
	('INSERT INTO target SELECT id + 1000, n, note FROM source WHERE g = 3', 'SELECT * FROM target'),
	('INSERT INTO target SELECT g + 1000, sum(n), min(n)::text FROM source WHERE id > 7 GROUP BY g', 'SELECT * FROM target'),
	('INSERT INTO target SELECT id, n, note FROM source WHERE g = 3 ON CONFLICT (id) DO UPDATE SET v = excluded.v', 'SELECT * FROM target'),
	('INSERT INTO source SELECT id + 10000, g, n, note FROM source WHERE g = 3', 'SELECT * FROM source'),
	('INSERT INTO parts SELECT id, g FROM source WHERE n < 40 AND g = 2', 'SELECT tableoid::regclass, * FROM parts'),
	('CREATE TABLE made AS SELECT id, n FROM source WHERE g = 3', 'SELECT * FROM made'),
	('CREATE TEMP TABLE made AS SELECT g, count(*), avg(n) FROM source WHERE id > 9 GROUP BY g', 'SELECT * FROM made'),
	('CREATE MATERIALIZED VIEW made AS SELECT id, n FROM source WHERE g = 3', 'SELECT * FROM made'),
	('REFRESH MATERIALIZED VIEW shown', 'SELECT * FROM shown'),
	('REFRESH MATERIALIZED VIEW grouped', 'SELECT * FROM grouped'),
	('REFRESH MATERIALIZED VIEW shown; CREATE TABLE made AS SELECT count(*), sum(n) FROM shown WHERE id > 50', 'SELECT * FROM made'),
	('UPDATE target t SET v = s.n, note = s.note FROM source s WHERE s.id = t.id AND s.g = 3', 'SELECT * FROM target'),
	('UPDATE target t SET v = s.n FROM (SELECT g, sum(n) AS n FROM source WHERE id > 3 GROUP BY g) s WHERE s.g = t.id', 'SELECT * FROM target'),
	('UPDATE target t SET v = (SELECT count(*) FROM source s WHERE s.g = t.id) WHERE id < 9', 'SELECT * FROM target'),
	('UPDATE target SET v = -1 WHERE id IN (SELECT id FROM source WHERE g = 3)', 'SELECT * FROM target'),
	('UPDATE target SET v = -1 WHERE NOT EXISTS (SELECT FROM source s WHERE s.id = target.id AND s.g = 3)', 'SELECT * FROM target'),
	('UPDATE target SET v = -1 WHERE v < (SELECT avg(n) FROM source WHERE g = 3)', 'SELECT * FROM target'),
	('UPDATE target t SET v = o.v + p.v FROM parts p JOIN source o(id, v) ON o.id = p.id WHERE p.id = t.id AND p.v = 3 AND o.v = 1', 'SELECT * FROM target'),
	('UPDATE parts p SET id = p.id + 100 FROM source s WHERE s.id = p.id AND s.g = 3 AND p.id < 100', 'SELECT tableoid::regclass, * FROM parts'),
	('UPDATE source a SET n = b.n FROM source b WHERE b.id = a.id + 1 AND b.g = 3', 'SELECT * FROM source'),
	('UPDATE target SET note = ''told'' WHERE id < 20', 'SELECT * FROM log'),
	('DELETE FROM target t USING source s WHERE s.id = t.id AND s.g = 3', 'SELECT * FROM target'),
	('DELETE FROM source a USING source b WHERE b.id = a.id + 1 AND b.g = 3', 'SELECT * FROM source'),
	('DELETE FROM parts p WHERE p.id IN (SELECT id FROM source WHERE g = 3)', 'SELECT tableoid::regclass, * FROM parts'),
	('WITH gone AS (DELETE FROM target t USING source s WHERE s.id = t.id AND s.g = 3 RETURNING t.*, s.n) '
		'INSERT INTO log SELECT id, n::text FROM gone', 'SELECT l.id, said, t.id FROM log l FULL JOIN target t ON t.id = l.id'),
	('WITH added AS (INSERT INTO source SELECT id + 10000, 3, n, note FROM source WHERE g = 3 RETURNING id) '
		'INSERT INTO log SELECT count(*), (SELECT count(*) FROM source WHERE g = 3)::text FROM added', 'SELECT * FROM log'),
	('MERGE INTO target t USING (SELECT * FROM source WHERE g = 3 AND id < 300) s ON s.id = t.id WHEN MATCHED AND s.id > 150 THEN DELETE '
		'WHEN MATCHED THEN UPDATE SET v = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n, s.note)', 'SELECT * FROM target'),
	('MERGE INTO parts p USING (SELECT g, count(*) AS n FROM source WHERE id > 10 GROUP BY g) s ON s.g = p.id '
		'WHEN MATCHED THEN UPDATE SET v = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.g, s.n)', 'SELECT tableoid::regclass, * FROM parts'),
	('CREATE TABLE made AS SELECT t.id, t.v, s.n FROM target t JOIN (SELECT id, n FROM source WHERE g = 3) s ON s.id = t.id', 'SELECT * FROM made'),
	('CREATE TABLE made AS SELECT id, (SELECT count(*) FROM small_ids(t.id)) AS n FROM target t WHERE id < 40', 'SELECT * FROM made'),
	('CREATE TABLE made AS SELECT ctid AS c, tableoid::regclass AS t, xmin IS NULL AS x, source AS s FROM source WHERE g = 3', 'SELECT * FROM made'),
	('CREATE TABLE made AS SELECT t.id, s.n, count(*) OVER () AS all FROM (SELECT t.id FROM target t JOIN source s ON s.id = t.id WHERE s.g = 3 FOR UPDATE OF t) t '
		'JOIN source s ON s.id = t.id WHERE s.g = 3', 'SELECT * FROM made'),
	('INSERT INTO target SELECT id, 1 / (n - 1), note FROM source WHERE g = 1 AND id > 5', 'SELECT * FROM target'),
	('UPDATE target t SET v = s.id * 1000000 FROM source s WHERE s.id = t.id AND s.id * 30000000 > 0', 'SELECT * FROM target');

SELECT plan((SELECT count(*)::int FROM cases) + 1 + 2 + 3 + 24);
SELECT is(effect(command, seen, true), effect(command, seen, false), command) FROM cases;
SELECT bag_eq($$SELECT effect(command, seen, false) FROM cases WHERE effect(command, seen, false) ~ '^[0-9A-Z]{5} '$$,
	ARRAY['22012 division by zero', '22003 integer out of range'], 'two of them fail');

SET gpuscan.require = require;
SELECT id, n INTO made FROM source WHERE g = 3 AND n > 10;
RESET gpuscan.require;
SELECT bag_eq('SELECT * FROM made', 'SELECT id, n FROM source WHERE g = 3 AND n > 10', 'SELECT INTO');

INSERT INTO source VALUES (6000, 3, 1, ''), (6001, 8, 2, '');
DELETE FROM source WHERE g = 4;
REFRESH MATERIALIZED VIEW CONCURRENTLY renewed;
SELECT bag_eq('SELECT * FROM renewed', 'SELECT g, sum(n), count(*) FROM source WHERE id > 5 GROUP BY g', 'REFRESH MATERIALIZED VIEW CONCURRENTLY');

--
-- COPY
--
SELECT current_setting('data_directory') || '/commands.copy' AS file \gset
CREATE TABLE back (a int, b text);
SET gpuscan.require = require;
COPY (SELECT id, n FROM source WHERE g = 3) TO :'file';
RESET gpuscan.require;
COPY back FROM :'file';
SELECT bag_eq('SELECT a, b FROM back', 'SELECT id, n::text FROM source WHERE g = 3', 'COPY of a scan');
TRUNCATE back;
SET gpuscan.require = require;
COPY (SELECT g, sum(n) FROM source WHERE id > 3 GROUP BY g) TO :'file' (FORMAT binary);
COPY (SELECT g, sum(n) FROM source WHERE id > 3 GROUP BY g) TO :'file';
RESET gpuscan.require;
COPY back FROM :'file';
SELECT bag_eq('SELECT a, b FROM back', 'SELECT g, sum(n)::text FROM source WHERE id > 3 GROUP BY g', 'COPY of groups');
TRUNCATE back;
SET gpuscan.require = require;
COPY (UPDATE target t SET v = 1 FROM source s WHERE s.id = t.id AND s.g = 3 RETURNING t.id, s.note) TO :'file';
RESET gpuscan.require;
COPY back FROM :'file';
SELECT bag_eq('SELECT a, b FROM back', 'SELECT t.id, s.note FROM target t JOIN source s USING (id) WHERE s.g = 3 AND t.v = 1', 'COPY of what an UPDATE returns');
COPY (SELECT 1) TO :'file';

--
-- Cursors: moves as words, each word's answer
--
CREATE FUNCTION walk(options text, query text, moves text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'walked';
	word text;
	r record;
	n bigint;
	result text := '';
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true);
	PERFORM set_config('gpuscan.require', CASE WHEN ours THEN 'require' ELSE 'forbid' END, true);
	BEGIN
		EXECUTE format('DECLARE walked %s FOR %s', options, query);
		FOREACH word IN ARRAY string_to_array(moves, ' ') LOOP
			CASE word
				WHEN 'n' THEN FETCH NEXT FROM c INTO r;
				WHEN 'p' THEN FETCH PRIOR FROM c INTO r;
				WHEN 'f' THEN FETCH FIRST FROM c INTO r;
				WHEN 'l' THEN FETCH LAST FROM c INTO r;
				WHEN 'r' THEN FETCH RELATIVE 0 FROM c INTO r;
				WHEN 'a5' THEN FETCH ABSOLUTE 5 FROM c INTO r;
				WHEN 'a-5' THEN FETCH ABSOLUTE -5 FROM c INTO r;
				WHEN 'm3' THEN MOVE FORWARD 3 FROM c;
				WHEN 'b3' THEN MOVE BACKWARD 3 FROM c;
				WHEN 'm*' THEN MOVE FORWARD ALL FROM c;
				WHEN 'b*' THEN MOVE BACKWARD ALL FROM c;
			END CASE;
			IF word ~ '^[mb]' THEN
				GET DIAGNOSTICS n = ROW_COUNT;
				result := result || format(' %s=%s', word, n);
			ELSE
				result := result || format(' %s:%s', word, r);
			END IF;
		END LOOP;
		CLOSE c;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN
			NULL;
		WHEN OTHERS THEN
			result := result || ' ' || SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM set_config('gpuscan.require', 'allow', true);
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN result;
END $$;

CREATE TABLE walks (query text);
INSERT INTO walks VALUES
	('SELECT id, n FROM source WHERE g = 3 AND id <> 44'),
	('SELECT id FROM source WHERE g = 3 AND note LIKE ''%1'''),
	('SELECT id, v FROM parts WHERE v = 2'),
	('SELECT g, sum(n) FROM source WHERE id > 3 GROUP BY g ORDER BY g'),
	('SELECT id FROM source WHERE g = 3 LIMIT 7'),
	('SELECT id FROM source WHERE id < 0');
SELECT is(walk(options, query, moves, true), walk(options, query, moves, false), format('%s over %s', options, query))
FROM walks, (VALUES
	('SCROLL CURSOR', 'n n n p p p p n m3 n p f l n p a5 r a-5 p b3 b* n m* p b3 n l l n n p m* m* b* b* n'),
	('CURSOR', 'n n n p p p p n m3 n p f l n p a5 r a-5 p b3 b* n m* p b3 n l l n n p m* m* b* b* n'),
	('NO SCROLL CURSOR', 'n n m3 n m* n p'),
	('SCROLL CURSOR WITH HOLD', 'n n p b3 n m* p p f l b* n')) o(options, moves);

SELECT * FROM finish();
