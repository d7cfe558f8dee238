-- What the tables list under a condition: offloaded where it holds, refused by
-- name, and right, where it does not.
\set QUIET on
SET client_min_messages = warning;
SET gpuscan.startup_cost = 0;
SET max_parallel_workers_per_gather = 0;
SET gpuscan.explain_refusals = on;

-- from 16 on a server without ICU has its collation "unicode" all the same
SELECT count(*) > 0 AS icu FROM pg_collation WHERE collname = 'und-x-icu' \gset

CREATE TABLE words (id int, plain text, bytes text COLLATE "C", fixed char(3));
INSERT INTO words SELECT i, w, w, w FROM generate_series(1, 4000) i, LATERAL (SELECT (ARRAY['ab', 'AB', 'Ab', 'cd'])[1 + i % 4]) x(w);
\if :icu
CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TABLE words ADD folded text COLLATE anycase;
UPDATE words SET folded = plain;
VACUUM words;
\endif
ALTER TABLE words ADD late char(4) DEFAULT 'ab';
ANALYZE words;

-- the refusals of a query, or the node that it has
CREATE FUNCTION planned(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	said text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		said := coalesce(said, substring(line FROM 'Custom Scan \((\w+)\)'), substring(line FROM 'Not Offloaded: (.*)'));
	END LOOP;
	RETURN said;
END $$;

CREATE FUNCTION answer(query text, enabled bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('gpuscan.enabled', enabled::text, true);
	EXECUTE format('SELECT string_agg(q::text, '' '' ORDER BY q::text COLLATE "C") FROM (%s) q', query) INTO result;
	PERFORM set_config('gpuscan.enabled', 'on', true);
	RETURN result;
END $$;

CREATE TABLE cases (query text, said text);
INSERT INTO cases VALUES
	('SELECT count(*) FROM words WHERE plain = ''ab''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE bytes <> ''ab''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE fixed = ''ab''', 'GpuAgg'),
	('SELECT plain, count(*) FROM words GROUP BY plain', 'GpuAgg'),
	('SELECT fixed, count(*) FROM words GROUP BY fixed', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE plain COLLATE "C" IN (''ab'', ''cd'')', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE bytes < ''Ac''', 'GpuAgg'),
	('SELECT fixed, min(bytes), max(bytes) FILTER (WHERE id > 3990) FROM words GROUP BY fixed', 'GpuAgg'),
	('SELECT max(plain COLLATE "C") FILTER (WHERE id < 0), min(bytes) FROM words', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE bytes >= ''Ac''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE plain COLLATE "POSIX" <= ''ab''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE fixed COLLATE "C" > ''AB''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE plain LIKE ''a%''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE plain NOT LIKE bytes', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE fixed LIKE ''_b ''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE fixed LIKE ''_b''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE fixed::text LIKE ''_b''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE coalesce(fixed, ''x'') LIKE ''ab%''', 'words: blanks at the end of character that is not a column'),
	('SELECT id FROM words WHERE late LIKE ''ab _''', 'words: blanks at the end of character that was added with a default'),
	('SELECT count(*) FROM words WHERE late = ''ab''', 'GpuAgg');
\if :icu
INSERT INTO cases VALUES
	('SELECT count(*) FROM words WHERE folded = ''ab''', 'words: collation anycase, which is not deterministic'),
	('SELECT fixed, min(plain COLLATE "en-x-icu") FROM words GROUP BY fixed', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE plain COLLATE "en-x-icu" < ''Ac''', 'words: collation "en-x-icu", which orders otherwise than by bytes'),
	('SELECT count(*) FROM words WHERE plain COLLATE "en-x-icu" BETWEEN ''A'' AND ''Ac''', 'words: collation "en-x-icu", which orders otherwise than by bytes'),
	('SELECT count(*) FROM words WHERE folded <> ''ab''', 'words: collation anycase, which is not deterministic'),
	('SELECT count(*) FROM words WHERE folded IN (''ab'', ''x'')', 'words: collation anycase, which is not deterministic'),
	('SELECT count(*) FROM words WHERE folded IS DISTINCT FROM ''ab''', 'words: collation anycase, which is not deterministic'),
	('SELECT count(*) FROM words WHERE fixed = ''ab'' COLLATE anycase', 'words: collation anycase, which is not deterministic'),
	('SELECT count(*) FROM words WHERE folded COLLATE "C" = ''ab''', 'GpuAgg'),
	('SELECT count(*) FROM words WHERE folded COLLATE "C" LIKE ''%b''', 'GpuAgg'),
	('SELECT upper(folded), n FROM (SELECT folded, count(*) AS n FROM words GROUP BY folded) q',
	 'words: collation anycase, which is not deterministic'),
	('SELECT count(folded) FROM words WHERE id > 7', 'GpuAgg');
\endif

SELECT plan((2 * count(*))::int + 7) FROM cases;
SELECT is(planned(query), said, query) FROM cases;
SELECT is(answer(query, true), answer(query, false), 'answer: ' || query) FROM cases;
SELECT is(string_agg(name || ' ' || types, '; ' ORDER BY name COLLATE "C", types), expected, 'the view names the condition: ' || condition)
FROM (VALUES
	('deterministic collation', '<> character, character; <> name, name; <> name, text; <> text, name; <> text, text; = character, character; = name, name; = name, text; = text, name; = text, text; ^@ text, text'),
	('collation that orders by bytes', '< character, character; < name, name; < name, text; < text, name; < text, text; <= character, character; <= name, name; <= name, text; <= text, name; <= text, text; > character, character; > name, name; > name, text; > text, name; > text, text; >= character, character; >= name, name; >= name, text; >= text, name; >= text, text; max character; max text; min character; min text'),
	('character types of C', '!~~* character, text; !~~* name, text; !~~* text, text; initcap text; lower text; upper text; ~~* character, text; ~~* name, text; ~~* text, text'),
	('collation that maps ASCII letters plainly', '!~~* character, text; !~~* name, text; !~~* text, text; lower text; upper text; ~~* character, text; ~~* name, text; ~~* text, text'),
	('encoding UTF-8', 'ascii text; btrim text, text; char_length character; char_length text; character character; character varying character varying; character_length character; character_length text; chr integer; left text, integer; length character; length text; lpad text, integer, text; ltrim text, text; reverse text; right text, integer; rpad text, integer, text; rtrim text, text; substr text, integer; substr text, integer, integer; substring text, integer; substring text, integer, integer; textlen text; translate text, text, text'),
	('deterministic collation, encoding UTF-8', '!~~ character, text; !~~ name, text; !~~ text, text; like text, text; notlike text, text; position text, text; replace text, text, text; split_part text, text, integer; strpos text, text; ~~ character, text; ~~ name, text; ~~ text, text')
) e(condition, expected) LEFT JOIN gpuscan.offloaded USING (condition) GROUP BY condition, expected;
SELECT is(string_agg(DISTINCT name, ' '), '||', 'no operator that compares texts is without one')
FROM gpuscan.offloaded WHERE condition IS NULL AND types ~ 'text' AND kind = 'operator';
SELECT * FROM finish();
