-- One session's own changes: what a scan by our nodes sees of them, command by
-- command, in subtransactions, functions, cursors and prepared transactions, and
-- when the table itself changes between two executions of a plan.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;

CREATE TABLE t (id int, g int, n numeric(12,2), note text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, i % 7, i / 8.0, 'note ' || i % 11 FROM generate_series(1, 3000) i;
VACUUM ANALYZE t;

CREATE FUNCTION answer(query text, ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true);
	PERFORM set_config('gpuscan.require', CASE WHEN ours THEN 'require' ELSE 'allow' END, true);
	EXECUTE format('WITH q AS MATERIALIZED (%s) SELECT count(*) || '': '' || coalesce(string_agg(q::text, '' ''), '''') FROM q', query) INTO result;
	PERFORM set_config('gpuscan.require', 'allow', true);
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN left(result, 200) || ' ' || md5(result);
END $$;

-- rows as they lie, and groups: with our nodes as without
CREATE FUNCTION same(label text) RETURNS text LANGUAGE sql AS $$
	SELECT is(answer('SELECT ctid, xmin, cmin, * FROM t WHERE n < 400', true) || answer('SELECT g, count(*), sum(n), min(note::bpchar::text) IS NULL FROM t WHERE id > 5 GROUP BY g ORDER BY g', true),
			  answer('SELECT ctid, xmin, cmin, * FROM t WHERE n < 400', false) || answer('SELECT g, count(*), sum(n), min(note::bpchar::text) IS NULL FROM t WHERE id > 5 GROUP BY g ORDER BY g', false), label)
$$;

SELECT no_plan();

--
-- own changes, and subtransactions
--
BEGIN;
INSERT INTO t SELECT i, 1, 1, 'new' FROM generate_series(4000, 4100) i;
SELECT same('own inserts');
UPDATE t SET n = n + 1 WHERE g = 3;
SELECT same('own updates');
UPDATE t SET n = n + 1 WHERE g = 3;
DELETE FROM t WHERE g = 4 AND id < 1000;
SELECT same('rows made and changed in one transaction (combo command ids)');
SAVEPOINT a;
DELETE FROM t WHERE g = 1;
INSERT INTO t VALUES (5000, 1, 5, 'sub');
SELECT same('in a subtransaction');
SAVEPOINT b;
UPDATE t SET g = 6 WHERE g = 2;
SELECT same('in one within');
ROLLBACK TO b;
SELECT same('... rolled back');
RELEASE a;
SELECT same('... released');
SAVEPOINT c;
TRUNCATE t;
INSERT INTO t VALUES (1, 1, 1, 'alone'), (9, 1, 1, 'alone');
SELECT same('a new file');
ROLLBACK TO c;
SELECT same('... and the old one again');
ALTER TABLE t ADD COLUMN more int DEFAULT 42;
SELECT same('a column added');
ROLLBACK;
SELECT same('all rolled back');

-- more subtransactions than a snapshot lists
DO $$
BEGIN
	FOR i IN 1 .. 150 LOOP
		BEGIN
			INSERT INTO t VALUES (10000 + i, i % 7, 1, 'many');
			UPDATE t SET n = n + 1 WHERE id = i;
			IF i % 3 = 0 THEN
				RAISE EXCEPTION 'undo';
			END IF;
		EXCEPTION
			WHEN OTHERS THEN NULL;
		END;
	END LOOP;
END $$;
SELECT same('many subtransactions');
BEGIN;
SELECT same('at the start of a transaction');
INSERT INTO t VALUES (20000, 1, 1, 'x');
ROLLBACK;

--
-- prepared transactions
--
BEGIN;
INSERT INTO t SELECT i, 2, 2, 'prepared' FROM generate_series(30000, 30050) i;
DELETE FROM t WHERE g = 5 AND id < 500;
PREPARE TRANSACTION 'gpuscan_one';
SELECT same('rows of a prepared transaction');
SELECT is((SELECT count(*) FROM t WHERE note = 'prepared'), 0::bigint, '... are not there yet');
COMMIT PREPARED 'gpuscan_one';
SELECT same('... committed');
SELECT is((SELECT count(*) FROM t WHERE note = 'prepared'), 51::bigint, '... are there');
BEGIN;
UPDATE t SET n = -1 WHERE g = 6;
PREPARE TRANSACTION 'gpuscan_two';
SELECT same('another one');
ROLLBACK PREPARED 'gpuscan_two';
SELECT same('... rolled back');

--
-- functions: STABLE ones see what their query sees, VOLATILE ones what was done so far
--
CREATE FUNCTION sum_stable() RETURNS numeric LANGUAGE sql STABLE AS 'SELECT sum(n) FROM t WHERE g = 3';
CREATE FUNCTION sum_volatile() RETURNS numeric LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN (SELECT sum(n) FROM t WHERE g = 3);
END $$;
CREATE FUNCTION add_one(k int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO t VALUES (k, 3, 100, 'added');
	RETURN k;
END $$;
CREATE FUNCTION trace(ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result text := '';
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true);
	PERFORM set_config('gpuscan.require', CASE WHEN ours THEN 'require' ELSE 'forbid' END, true);
	BEGIN
		-- a query that changes, through functions, the table it reads
		FOR r IN SELECT sum_stable() AS s, sum_volatile() AS v, add_one(40000 + i) FROM generate_series(1, 5) i LOOP
			result := result || r::text;
		END LOOP;
		-- a loop over a query whose table changes meanwhile
		FOR r IN SELECT id, n FROM t WHERE g = 3 AND id > 2900 LOOP
			INSERT INTO t VALUES (r.id + 1, 3, r.n, 'seen');
			UPDATE t SET n = 0 WHERE id = r.id + 7;
			result := result || r::text || (SELECT count(*) FROM t WHERE g = 3);
		END LOOP;
		UPDATE t SET n = (SELECT max(n) FROM t WHERE g = 3) + 1 WHERE id IN (SELECT id FROM t WHERE g = 3 AND id > 2950);
		result := result || (SELECT sum(n) FROM t WHERE g = 3);
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN NULL;
	END;
	PERFORM set_config('gpuscan.require', 'allow', true);
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN result;
END $$;
SELECT is(trace(true), trace(false), 'command ids within functions');
SELECT same('... leave nothing');

--
-- cursors: as of their start, whatever their own transaction does afterwards
--
CREATE FUNCTION drain(c refcursor) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result text := '';
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		result := result || r::text;
	END LOOP;
	RETURN length(result) || ' ' || md5(result);
END $$;
BEGIN;
SET LOCAL gpuscan.require = require;
DECLARE ours CURSOR FOR SELECT ctid, * FROM t WHERE g = 3;
DECLARE grouped CURSOR FOR SELECT g, sum(n), count(*) FROM t WHERE id > 3 GROUP BY g ORDER BY g;
DECLARE held CURSOR WITH HOLD FOR SELECT id, n FROM t WHERE g = 2;
SET LOCAL gpuscan.require = forbid;
SET LOCAL gpuscan.enabled = off;
DECLARE theirs CURSOR FOR SELECT ctid, * FROM t WHERE g = 3;
DECLARE theirs_grouped CURSOR FOR SELECT g, sum(n), count(*) FROM t WHERE id > 3 GROUP BY g ORDER BY g;
DECLARE theirs_held CURSOR WITH HOLD FOR SELECT id, n FROM t WHERE g = 2;
RESET gpuscan.enabled;
RESET gpuscan.require;
MOVE 5 FROM ours;
MOVE 5 FROM theirs;
UPDATE t SET n = n * 2, g = 3 WHERE id % 2 = 0;
DELETE FROM t WHERE g = 3 AND id % 3 = 0;
INSERT INTO t SELECT i, 3, 3, 'late' FROM generate_series(50000, 50400) i;
SAVEPOINT s;
SELECT throws_ok('TRUNCATE t', '55006', 'cannot TRUNCATE "t" because it is being used by active queries in this session', 'TRUNCATE sees the cursors');
SELECT throws_ok('CLUSTER t', NULL, NULL, 'CLUSTER');
SELECT throws_ok('ALTER TABLE t ADD COLUMN x int', '55006', NULL, 'ALTER TABLE');
SELECT throws_ok('DROP TABLE t', '55006', NULL, 'DROP TABLE');
SELECT is(drain('ours'), drain('theirs'), 'a cursor over rows');
SELECT is(drain('grouped'), drain('theirs_grouped'), '... over groups, opened after the changes');
ROLLBACK TO s;
COMMIT;
SELECT is(drain('held'), drain('theirs_held'), '... that is held');
CLOSE ALL;
SELECT same('after the cursors');

-- held where they stand, and turned in subtransactions that are rolled back
CREATE FUNCTION walk(ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := CASE WHEN ours THEN 'ours' ELSE 'theirs' END;
	r record;
	result text := '';
BEGIN
	FOR i IN 1 .. 12 LOOP
		BEGIN
			IF i % 3 = 0 THEN
				MOVE BACKWARD 4 FROM c;
				FETCH PRIOR FROM c INTO r;
			ELSE
				MOVE 7 FROM c;
				FETCH c INTO r;
			END IF;
			result := result || r::text;
			UPDATE t SET n = n + 1 WHERE id = i;
			IF i % 4 < 2 THEN
				RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
			END IF;
		EXCEPTION
			WHEN SQLSTATE 'UNDO1' THEN NULL;
		END;
	END LOOP;
	RETURN result;
END $$;
BEGIN;
SET LOCAL gpuscan.require = require;
DECLARE ours SCROLL CURSOR WITH HOLD FOR SELECT id, n FROM t WHERE g = 3;
SET LOCAL gpuscan.require = forbid;
SET LOCAL gpuscan.enabled = off;
DECLARE theirs SCROLL CURSOR WITH HOLD FOR SELECT id, n FROM t WHERE g = 3;
SET LOCAL gpuscan.require = allow;
SELECT is(walk(true), walk(false), 'a cursor through subtransactions');
MOVE BACKWARD 3 FROM ours;
MOVE BACKWARD 3 FROM theirs;
SAVEPOINT s;
MOVE 5 FROM ours;
MOVE 5 FROM theirs;
ROLLBACK TO s;
COMMIT;
SELECT is(walk(true), walk(false), '... and held where it stood');
CLOSE ALL;

-- WHERE CURRENT OF
SET gpuscan.enabled = off;
SELECT id AS second FROM t WHERE g = 5 AND id > 2000 OFFSET 1 LIMIT 1 \gset
SELECT id AS third FROM t WHERE g = 5 AND id > 2000 OFFSET 2 LIMIT 1 \gset
RESET gpuscan.enabled;
BEGIN;
SET LOCAL gpuscan.require = require;
DECLARE c CURSOR FOR SELECT id FROM t WHERE g = 5 AND id > 2000;
MOVE 3 FROM c;
UPDATE t SET note = 'current' WHERE CURRENT OF c;
FETCH PRIOR FROM c \gset
UPDATE t SET note = 'prior' WHERE CURRENT OF c;
SET LOCAL gpuscan.require = allow;
SELECT is((SELECT string_agg(id || note, ' ' ORDER BY note) FROM t WHERE note IN ('current', 'prior')), :'third' || 'current ' || :'second' || 'prior',
	'WHERE CURRENT OF');
SELECT is((SELECT count(*) FROM t WHERE note IN ('current', 'prior')), 2::bigint, '... two rows');
ROLLBACK;

--
-- a plan that is kept, and a table that changes
--
SET plan_cache_mode = force_generic_plan;
PREPARE rows_of (int) AS SELECT id, g, n FROM t WHERE g = $1 AND n > 5;
PREPARE groups_of (int) AS SELECT g, count(*), sum(n) FROM t WHERE id > $1 GROUP BY g ORDER BY g;
CREATE FUNCTION executed(ours bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	result text := '';
BEGIN
	IF ours THEN
		FOR r IN EXECUTE 'EXECUTE rows_of(3)' LOOP
			result := result || r::text;
		END LOOP;
		FOR r IN EXECUTE 'EXECUTE groups_of(30)' LOOP
			result := result || r::text;
		END LOOP;
	ELSE
		PERFORM set_config('gpuscan.enabled', 'off', true);
		FOR r IN EXECUTE 'SELECT id, g, n FROM t WHERE g = 3 AND n > 5' LOOP
			result := result || r::text;
		END LOOP;
		FOR r IN EXECUTE 'SELECT g, count(*), sum(n) FROM t WHERE id > 30 GROUP BY g ORDER BY g' LOOP
			result := result || r::text;
		END LOOP;
		PERFORM set_config('gpuscan.enabled', 'on', true);
	END IF;
	RETURN length(result) || ' ' || md5(result);
END $$;
SET gpuscan.require = require;
SELECT is(executed(true), executed(false), 'a kept plan');
ALTER TABLE t ADD COLUMN more int DEFAULT 42;
SELECT is(executed(true), executed(false), '... a column added');
ALTER TABLE t DROP COLUMN note;
SELECT is(executed(true), executed(false), '... and one dropped');
ALTER TABLE t ALTER COLUMN g TYPE int8, ALTER COLUMN n TYPE numeric;
SELECT throws_ok('SELECT executed(true)', '0A000', 'cached plan must not change result type', '... a type changed');
DEALLOCATE rows_of;
DEALLOCATE groups_of;
PREPARE rows_of (int) AS SELECT id, g, n FROM t WHERE g = $1 AND n > 5;
PREPARE groups_of (int) AS SELECT g, count(*), sum(n) FROM t WHERE id > $1 GROUP BY g ORDER BY g;
SELECT is(executed(true), executed(false), '... and planned anew');
CREATE INDEX t_id ON t (id DESC);
CLUSTER t USING t_id;
SELECT is(executed(true), executed(false), 'CLUSTER');
DROP INDEX t_id;
VACUUM FULL t;
SELECT is(executed(true), executed(false), 'VACUUM FULL');
VACUUM (FREEZE) t;
SELECT is(executed(true), executed(false), 'VACUUM FREEZE');
ALTER TABLE t SET UNLOGGED;
SELECT is(executed(true), executed(false), 'unlogged');
DELETE FROM t WHERE id > 100;
VACUUM t;
SELECT is(executed(true), executed(false), 'a table that has become shorter');
TRUNCATE t;
SELECT is(executed(true), executed(false), 'TRUNCATE');
INSERT INTO t SELECT i, i % 7, i FROM generate_series(1, 500) i;
SELECT is(executed(true), executed(false), '... filled again');

SELECT * FROM finish();
