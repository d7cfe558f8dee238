-- Upper and lower case, ILIKE: under collations whose letters are not those of C,
-- texts in ASCII are the engine's and others PostgreSQL's; where ASCII letters are
-- mapped in a way of their own, all are.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET gpuscan.explain_refusals = on;

CREATE TABLE words (id int, word text, fixed char(12));
INSERT INTO words
SELECT i, w, left(w, 12)
FROM generate_series(1, 3000) i,
LATERAL (SELECT (ARRAY['ABC', 'abc', 'Istanbul', 'TITLE', 'été', 'ÀÉÎ', 'ΑΣΣ', 'dǆ', 'İı', 'straße', '', 'ijssel IJ', '[@`{', NULL, 'Kelvin K'])[1 + i % 15] ||
		 CASE WHEN i % 4 = 0 THEN i % 16 || 'X yZ' ELSE '' END) x(w);
ANALYZE words;

-- collations that this server has: C, libc's and ICU's
CREATE TABLE collations (name text, ascii bool);
INSERT INTO collations
SELECT DISTINCT ON (name) name, ascii
FROM (VALUES ('C', true), ('POSIX', true), ('C.utf8', true), ('C.UTF-8', true), ('en_US.utf8', true), ('pg_c_utf8', true), ('unicode', true), ('und-x-icu', true),
	  ('en-x-icu', true), ('de-x-icu', true), ('lt-x-icu', true), ('nl-x-icu', true), ('el-x-icu', true), ('tr-x-icu', false), ('az-x-icu', false), ('tr_TR.utf8', false)) v(name, ascii)
JOIN pg_collation ON collname = name AND collencoding IN (-1, pg_char_to_encoding('UTF8'))
-- from 16 on a server without ICU has its collation "unicode" all the same
WHERE collprovider <> 'i' OR EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu');

CREATE TABLE queries (query text);
INSERT INTO queries VALUES
	('SELECT lower(word COLLATE %1$I) AS k, count(*), min(id) FROM words GROUP BY 1'),
	('SELECT upper(word COLLATE %1$I) AS k, count(*), min(id) FROM words GROUP BY 1'),
	('SELECT upper(fixed COLLATE %1$I || word) AS k, count(*) FROM words GROUP BY 1'),
	('SELECT count(*) FROM words WHERE word COLLATE %1$I ILIKE ''%%I%%'''),
	('SELECT count(*) FROM words WHERE word COLLATE %1$I ILIKE ''k_l%%'''),
	('SELECT count(*) FROM words WHERE word COLLATE %1$I ILIKE ''%%ß%%'''),
	('SELECT count(*) FROM words WHERE word COLLATE %1$I NOT ILIKE ''É%%'''),
	('SELECT count(*) FROM words WHERE fixed COLLATE %1$I ILIKE ''ab%%  '''),
	('SELECT count(*) FROM words WHERE word COLLATE %1$I ILIKE lower(fixed)'),
	('SELECT count(*) FROM words WHERE lower(word) COLLATE %1$I = ''abc''');

CREATE FUNCTION answer(query text, enabled bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', enabled::text, true);
	EXECUTE format('SELECT string_agg(q::text, E''\n'' ORDER BY q::text COLLATE "C") FROM (%s) q', query) INTO result;
	RETURN result;
END $$;

CREATE FUNCTION planned(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	node text;
	refused text;
BEGIN
	PERFORM set_config('gpuscan.enabled', 'on', true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		-- of a node too, where the host computes a column for it
		refused := coalesce(refused, substring(line FROM 'Not Offloaded: (?:words: )?(.*letters.*)'));
		node := coalesce(node, substring(line FROM 'Custom Scan \((\w+)\)'));
	END LOOP;
	RETURN coalesce(refused, node);
END $$;

SELECT plan((SELECT 2 * count(*)::int FROM collations) + 2);
SELECT cmp_ok((SELECT count(*) FROM collations), '>=', 2::bigint, 'there are collations to ask');
SELECT is((SELECT string_agg(query, E'\n') FROM queries WHERE answer(format(query, name), true) IS DISTINCT FROM answer(format(query, name), false)),
		  NULL, name || ': PostgreSQL''s answers')
FROM collations ORDER BY name;
SELECT is((SELECT string_agg(DISTINCT planned(format(query, name)), '; ') FROM queries WHERE query !~ 'lower\(word\) COLLATE'),
		  CASE WHEN ascii THEN 'GpuAgg' ELSE format('collation %I, which maps ASCII letters in a way of its own', name) END,
		  name || CASE WHEN ascii THEN ': offloaded' ELSE ': refused' END)
FROM collations ORDER BY name;
-- a word of other letters is PostgreSQL's, one of ASCII is not
SELECT is((SELECT count(*) FROM collations WHERE name NOT IN ('C', 'POSIX')
		   AND planned(format('SELECT initcap(word COLLATE %I), count(*) FROM words GROUP BY 1', name)) !~ 'has letters other than those of C'),
		  0::bigint, 'initcap is offloaded for C alone');
SELECT * FROM finish();
