-- Random policies and random queries over rows that are traps: answers, errors and
-- what functions with side effects saw must be as without our nodes.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;

CREATE ROLE gs_policies;
GRANT USAGE ON SCHEMA public TO gs_policies;
CREATE TABLE d (id int, tenant int, owner name, v int, amount numeric, body text);
INSERT INTO d
SELECT i, i % 5, CASE WHEN i % 5 = 3 THEN 'gs_policies' ELSE 'x' END,
	CASE WHEN i % 5 = 3 THEN i WHEN i % 11 = 0 THEN NULL ELSE 2000000000 END,
	CASE WHEN i % 5 = 3 THEN i / 4.0 WHEN i % 7 = 0 THEN NULL ELSE 0 END,
	CASE WHEN i % 5 = 3 THEN i::text ELSE 'secret ' || i END
FROM generate_series(1, 700) i;
ALTER TABLE d ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON d TO gs_policies;
ANALYZE d;

CREATE FUNCTION leak(x anyelement) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	PERFORM set_config('leak.seen', current_setting('leak.seen') || ' ' || x, false);
	RETURN x::text > '2';
END $$;

-- answer or error, what was seen, and whether a node of ours was there
CREATE FUNCTION asked(query text, ours bool, OUT said text, OUT offloaded bool) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('gpuscan.enabled', ours::text, true), set_config('leak.seen', '', false);
	BEGIN
		PERFORM set_config('role', 'gs_policies', true);
		FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
			offloaded := coalesce(offloaded, false) OR line ~ 'Custom Scan';
		END LOOP;
		EXECUTE format('SELECT string_agg(q::text, '' '' ORDER BY q::text COLLATE "C") FROM (%s) q', query) INTO said;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN NULL;
		WHEN OTHERS THEN said := SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM set_config('gpuscan.enabled', 'on', true);
	said := coalesce(said, 'NULL') || ' | ' || current_setting('leak.seen');
END $$;

CREATE FUNCTION pick(a text[]) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT a[1 + floor(random() * array_length(a, 1))::int]';
CREATE TABLE tried (policies text, query text, ours text, theirs text, offloaded bool);
CREATE PROCEDURE try(n int) LANGUAGE plpgsql AS $$
DECLARE
	policies text[] := ARRAY['tenant = 3', 'owner = current_user', 'tenant IN (2, 3)', 'amount > 0', 'v < 5000', 'v * 2 > 0', 'body::int > 0',
		'tenant = 3 OR v < 10', 'md5(body) > ''2''', 'tenant = (SELECT 3)', 'amount IS NOT NULL', 'leak(id)', 'tenant = 3 AND owner = current_user',
		'1 / amount > 0', 'CASE WHEN tenant = 3 THEN v * 2 > 0 ELSE false END'];
	quals text[] := ARRAY['v * 2 > 10', 'tenant < 4', 'id > 5', 'leak(v)', 'leak(body)', 'body::int > 3', '1 / amount > 0', 'amount * 2 > 3', 'v IS NOT NULL',
		'body <> ''4''', '(v * 3 > 4 OR id < 3)', 'CASE WHEN id > 3 THEN v * 2 ELSE 1 END > 0', 'NOT leak(id)', 'id IN (3, 8, 13)', 'amount = 2', 'v + id > 3'];
	outputs text[] := ARRAY['count(*)', 'sum(v * 2)', 'id, v * 2', 'max(v), min(amount)', 'sum(amount + 1) FILTER (WHERE v * 2 > 3)', 'tenant, count(*)',
		'v * 2, count(*)', 'count(leak(v))', 'body::int', 'id'];
	chosen text[];
	output text;
	query text;
BEGIN
	FOR i IN 1 .. n LOOP
		DROP POLICY IF EXISTS a ON d;
		DROP POLICY IF EXISTS b ON d;
		DROP POLICY IF EXISTS c ON d;
		chosen := ARRAY[pick(policies), CASE WHEN random() < 0.6 THEN pick(policies) END, CASE WHEN random() < 0.3 THEN pick(policies) END];
		EXECUTE format('CREATE POLICY a ON d USING (%s)', chosen[1]);
		IF chosen[2] IS NOT NULL THEN
			EXECUTE format('CREATE POLICY b ON d AS RESTRICTIVE USING (%s)', chosen[2]);
		END IF;
		IF chosen[3] IS NOT NULL THEN
			EXECUTE format('CREATE POLICY c ON d AS RESTRICTIVE USING (%s)', chosen[3]);
		END IF;
		FOR j IN 1 .. 6 LOOP
			output := pick(outputs);
			query := format('SELECT %s FROM d WHERE %s', output, pick(quals));
			WHILE random() < 0.5 LOOP
				query := query || ' AND ' || pick(quals);
			END LOOP;
			IF output ~ ', count' THEN
				query := query || ' GROUP BY ' || split_part(output, ',', 1);
			END IF;
			INSERT INTO tried SELECT chosen::text, query, o.said, t.said, o.offloaded FROM asked(query, true) o, asked(query, false) t;
		END LOOP;
	END LOOP;
END $$;

SELECT plan(3);
SELECT setseed(0.5) \g /dev/null
CALL try(150);
SELECT is_empty('SELECT policies, query, ours, theirs FROM tried WHERE ours IS DISTINCT FROM theirs', '900 queries are as without our nodes');
SELECT cmp_ok((SELECT count(*) FROM tried WHERE offloaded), '>', 300::bigint, '... of which many had one');
SELECT cmp_ok((SELECT count(*) FROM tried WHERE ours !~ '^[0-9A-Z]{5} ' AND ours !~ '^(NULL|\(0?\)) '), '>', 300::bigint, '... and many an answer');
SELECT * FROM finish();
DROP OWNED BY gs_policies;
DROP ROLE gs_policies;
