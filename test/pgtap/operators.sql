-- Every function of the operator table against PostgreSQL, over all pairs of
-- edge values of its argument types.  The list comes from the library itself:
-- a new line of ops.def is tested without a word here.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE edges (type text, n int, value text);
INSERT INTO edges
SELECT type, row_number() OVER (PARTITION BY type ORDER BY ord), value
FROM (VALUES
	('boolean', '{NULL,true,false}'::text[]),
	('smallint', '{NULL,-32768,-32767,-182,-1,0,1,2,181,182,32767}'),
	('integer', '{NULL,-2147483648,-2147483647,-46341,-32769,-1,0,1,2,46340,46341,32768,2147483647}'),
	('bigint', '{NULL,-9223372036854775808,-9223372036854775807,-3037000500,-2147483649,-1,0,1,2,3037000499,3037000500,2147483648,9223372036854775807}'),
	('numeric', '{NULL,0,0.00,1,1.0,1.000,-1,-1.0,0.1,-0.10,9999,10000,9999.9999,0.0001,0.00009,12345678901234567890,-98765432109876543210.123456789,9223372036854775807,9223372036854775808,-9223372036854775809,4611686018427387904,170141183460469231731687303715884105727,170141183460469231731687303715884105728,-170141183460469231731687303715884105728,1e30,1e-20,1e-36,1e-37,3.141592653589793238462643383279502884,1234567890123456789012345678901234567890,NaN,Infinity,-Infinity}'),
	('date', '{NULL,4714-11-24 BC,0001-01-01,1999-12-31,2000-01-01,2000-02-29,2024-12-31,294276-12-31,294277-01-01,5874897-12-31,-infinity,infinity}'),
	('timestamp without time zone', '{NULL,4714-11-24 00:00:00 BC,1999-12-31 23:59:59.999999,2000-01-01 00:00:00,2000-01-01 00:00:00.000001,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	('timestamp with time zone', '{NULL,4714-11-24 00:00:00+00 BC,1999-12-31 23:59:59.999999+00,2000-01-01 00:00:00+00,2000-01-01 00:00:00+01,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	('character', '{NULL,"","a","a  ","ab","b","é","  ","a c"}'),
	('text', '{NULL,"","a","a ","ab","b","é","aé日😀b","été été été été","abcdefg","abcdefgh","abcdefghi","%","_","__%","%a%","a%","%b ","%b%h%","a_c%","ab%hi","%é_%","_é","été €",
			"\\","a\\","%\\","\\%","%\\_%","100%_\\","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxz","%xyxz","%yxy%xz%","%x_y%"}')
) v(type, list), unnest(list) WITH ORDINALITY u(value, ord);

CREATE FUNCTION bare(type text) RETURNS text LANGUAGE sql AS
$$ SELECT CASE type WHEN 'character' THEN 'bpchar' ELSE type END $$;

CREATE VIEW listed AS
SELECT p.oid, format('pg_catalog.%I', p.proname) AS name, p.prorettype, t.types,
	   format('%s(%s)', p.proname, array_to_string(t.types, ', ')) AS signature
FROM (SELECT DISTINCT object FROM gpuscan.offload_listing() WHERE kind = 'function') l
JOIN pg_proc p ON p.oid = l.object,
LATERAL (SELECT array_agg(format_type(a, NULL) ORDER BY i) AS types
		 FROM unnest(p.proargtypes) WITH ORDINALITY x(a, i)) t;

-- What a query gives: its row as text, or its error.
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN others THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- The outcomes that differ, over all pairs of arguments, each in a query of
-- its own (one error must not hide the next); NULL when there is none.
CREATE FUNCTION differences(f oid, level text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	fn record;
	call text;
	query text;
	ours text;
	theirs text;
	found text;
	last int;
BEGIN
	SELECT * INTO fn FROM listed WHERE oid = f;
	DROP TABLE IF EXISTS pairs;
	IF array_length(fn.types, 1) = 1 THEN
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a
						FROM edges a WHERE a.type = %2$L', bare(fn.types[1]), fn.types[1]);
		call := fn.name || '(a)';
	ELSIF array_length(fn.types, 1) = 3 THEN
		-- triples: fewer values of each
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b, c.value::%3$s AS c
						FROM edges a, edges b, edges c WHERE a.type = %4$L AND b.type = %5$L AND c.type = %6$L
						AND a.n <= 12 AND (a.value IS NOT NULL OR b.n %% 3 = c.n %% 3) AND abs(b.value::numeric) NOT BETWEEN 3 AND 1000000
						AND coalesce(abs(c.value::numeric) NOT BETWEEN 3 AND 1000000, true)',
					   bare(fn.types[1]), bare(fn.types[2]), bare(fn.types[3]), fn.types[1], fn.types[2], fn.types[3]);
		call := fn.name || '(a, b, c)';
	ELSE
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b
						FROM edges a, edges b WHERE a.type = %3$L AND b.type = %4$L',
					   bare(fn.types[1]), bare(fn.types[2]), fn.types[1], fn.types[2]);
		call := fn.name || '(a, b)';
	END IF;
	SELECT max(id) INTO last FROM pairs;
	IF last IS NULL THEN
		RETURN 'no edge values';
	END IF;
	FOR k IN 1..last LOOP
		IF fn.prorettype = 'boolean'::regtype THEN
			query := format('SELECT count(*) FILTER (WHERE %1$s) || '' '' || count(*) FILTER (WHERE NOT %1$s)
							 FROM pairs WHERE id = %2$s', call, k);
		ELSE
			query := format('SELECT %1$s || '' of '' || count(*) FROM pairs WHERE id = %2$s GROUP BY %1$s', call, k);
		END IF;
		SET LOCAL gpuscan.enabled = off;
		theirs := outcome(query);
		SET LOCAL gpuscan.enabled = on;
		PERFORM set_config('gpuscan.cpu_level', level, true);
		SET LOCAL gpuscan.require = 'require';
		ours := outcome(query);
		SET LOCAL gpuscan.require = 'allow';
		IF ours <> theirs THEN
			EXECUTE format('SELECT p::text FROM pairs p WHERE id = %s', k) INTO query;
			found := concat_ws(E'\n', found, format('%s: ours %s, PostgreSQL %s', query, ours, theirs));
		END IF;
	END LOOP;
	RETURN found;
END $$;

-- Instruction levels that this machine has.
CREATE FUNCTION has_level(level text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('gpuscan.cpu_level', level, true);
	RETURN true;
EXCEPTION WHEN others THEN
	RETURN false;
END $$;

\if :{?levels}
\else
	\set levels '{base,avx2,avx512}'
\endif
CREATE TABLE levels AS
SELECT level FROM unnest(:'levels'::text[]) level WHERE has_level(level);

SELECT plan((SELECT count(*)::int FROM listed, levels) + 1);
SELECT cmp_ok((SELECT count(*) FROM listed), '>=', 90::bigint, 'the table lists its functions');
SELECT is(differences(oid, level), NULL, level || ': ' || signature) FROM listed, levels ORDER BY level, signature;
SELECT * FROM finish();
