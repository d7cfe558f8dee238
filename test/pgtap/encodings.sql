-- Operators that count characters, in databases of other encodings: one byte a
-- character is exact, several bytes in another way than UTF-8 are refused by
-- name, and what counts no characters runs in all.
\set QUIET on
SET client_min_messages = warning;
SELECT current_database() AS home \gset

CREATE DATABASE gpuscan_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE gpuscan_euc TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C';

\c gpuscan_latin1
\ir encodings.inc
SELECT queries AS latin1_queries, said AS latin1_said, wrong AS latin1_wrong FROM outcome \gset
\c gpuscan_euc
\ir encodings.inc
SELECT queries AS euc_queries, said AS euc_said, wrong AS euc_wrong FROM outcome \gset
\c :home

DROP DATABASE gpuscan_latin1;
DROP DATABASE gpuscan_euc;

SELECT plan(4);
SELECT is(:'latin1_wrong'::text, '', 'LATIN1: PostgreSQL''s answers to ' || :'latin1_queries' || ' queries');
SELECT is(:'latin1_said'::text, 'GpuAgg', 'LATIN1: all of them offloaded');
SELECT is(:'euc_wrong'::text, '', 'EUC_JP: PostgreSQL''s answers to ' || :'euc_queries' || ' queries');
SELECT is(:'euc_said'::text, 'GpuAgg; words: characters in encoding EUC_JP', 'EUC_JP: equality offloaded, characters refused');
SELECT * FROM finish();
