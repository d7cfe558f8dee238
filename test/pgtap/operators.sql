-- Every function of the operator table against PostgreSQL, over all pairs of
-- edge values of its argument types.  The list comes from the library itself:
-- a new line of ops.def is tested without a word here.  Where the values of a
-- type do not do for an argument, "signature #n" has its own; what can be a
-- constant alone (an interval, the name of a field) stands in the query as one.
\set QUIET on
SET client_min_messages = warning;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

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
	('"char"', '{NULL,"",a,b,A,0," ",~,é}'),
	('oid', '{NULL,0,1,26,2147483647,2147483648,4294967295}'),
	('anyenum', '{NULL,sad,ok,happy}'),
	('money', '{NULL,-92233720368547758.08,-92233720368547758.07,-1,-0.01,0,0.01,1,2.55,46116860184273879.04,92233720368547758.07}'),
	('time without time zone', '{NULL,00:00:00,00:00:00.000001,06:30:00,12:34:56.789,23:59:59.999999,24:00:00}'),
	('character', '{NULL,"","a","a  ","ab","b","é","  ","a c"}'),
	('text', '{NULL,"","a","a ","ab","b","é","aé日😀b","été été été été","abcdefg","abcdefgh","abcdefghi","%","_","__%","%a%","a%","%b ","%b%h%","a_c%","ab%hi","%é_%","_é","été €",
			"\\","a\\","%\\","\\%","%\\_%","100%_\\","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxz","%xyxz","%yxy%xz%","%x_y%"}')
) v(type, list), unnest(list) WITH ORDINALITY u(value, ord);

-- fields, and times that tell them apart
INSERT INTO edges
SELECT type, row_number() OVER (PARTITION BY type ORDER BY ord), value
FROM (VALUES
	('{"extract(text, date) #1"}'::text[],
	 '{day,month,quarter,week,year,decade,century,millennium,isoyear,dow,isodow,doy,julian,epoch,d,YEAR,mon,centuries}'::text[]),
	('{"extract(text, timestamp without time zone) #1","extract(text, timestamp with time zone) #1"}',
	 '{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,isoyear,dow,isodow,doy,epoch,us,Msec,m,y}'),
	('{"extract(text, time without time zone) #1"}', '{microseconds,milliseconds,second,minute,hour,epoch,us,Msec,m,day,century}'),
	('{"make_date(integer, integer, integer) #1"}', '{NULL,-4714,-4713,-1,0,1,1900,2000,2023,5874897,5874898,-2147483648,2147483647}'),
	('{"make_date(integer, integer, integer) #2"}', '{NULL,-1,0,2,6,11,12,13}'),
	('{"make_date(integer, integer, integer) #3"}', '{NULL,-2147483648,0,1,2,3,24,28,29,30,31,32,2147483647}'),
	('{"date_trunc(text, timestamp without time zone) #1","date_trunc(text, timestamp with time zone) #1"}',
	 '{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,us,Msec,m,y}'),
	-- the zone is PST8PDT: either side of its transitions, and of the times it has a table for
	('{"extract(text, timestamp with time zone) #2","date_trunc(text, timestamp with time zone) #2","timestamptz_pl_interval(timestamp with time zone, interval) #1","timestamptz_mi_interval(timestamp with time zone, interval) #1","date(timestamp with time zone) #1","timestamp(timestamp with time zone) #1"}',
	 '{NULL,4714-11-24 08:00:00+00 BC,0001-01-01 00:00:00+00,1883-11-18 19:59:59.999999+00,1883-11-18 20:00:00+00,1899-12-31 23:59:59.999999+00,1900-01-01 00:00:00+00,1900-01-02 08:00:00+00,1918-03-31 09:59:59.999999+00,1918-03-31 10:00:00+00,1945-08-14 23:00:00+00,1999-12-31 23:59:59.999999+00,2000-01-01 07:59:59.999999+00,2000-01-01 08:00:00+00,2000-01-01 00:00:00.000001+00,2011-03-12 18:00:00+00,2011-03-13 09:59:59.999999+00,2011-03-13 10:00:00+00,2011-03-13 23:15:00+00,2011-11-06 07:30:00+00,2011-11-06 08:59:59.999999+00,2011-11-06 09:00:00+00,2011-11-06 09:59:59+00,2011-11-06 10:00:00+00,2024-02-29 20:00:00+00,2037-11-01 09:00:00+00,2041-03-10 10:00:00+00,2099-12-29 12:00:00+00,2099-12-31 23:59:59.999999+00,2100-01-01 00:00:00+00,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	('{"timestamptz(timestamp without time zone) #1"}',
	 '{NULL,4714-11-24 00:00:00 BC,1883-11-18 12:00:00,1899-12-31 23:59:59,1900-01-01 00:00:00,1900-01-02 00:00:00,1900-01-03 00:00:00,1918-03-31 02:30:00,2011-03-13 01:59:59.999999,2011-03-13 02:00:00,2011-03-13 02:59:59.999999,2011-03-13 03:00:00,2011-03-14 03:00:00,2011-11-05 01:30:00,2011-11-06 00:59:59.999999,2011-11-06 01:00:00,2011-11-06 01:00:00.5,2011-11-06 01:59:59.999999,2011-11-06 02:00:00,2011-11-07 02:00:00,2099-12-29 23:59:59.999999,2099-12-30 00:00:00,2100-01-01 00:00:00,294276-12-31 16:00:00,294276-12-31 15:59:59.999999,-infinity,infinity}'),
	('{"timestamptz(date) #1"}',
	 '{NULL,4714-11-24 BC,1900-01-01,1900-01-02,1900-01-03,1918-03-31,2011-03-13,2011-03-14,2011-11-06,2011-11-07,2099-12-29,2099-12-30,2100-01-01,294276-12-31,294277-01-01,-infinity,infinity}'),
	('{"extract(text, date) #2"}',
	 '{NULL,4714-11-24 BC,4714-12-31 BC,4713-01-01 BC,1001-12-31 BC,1000-01-01 BC,0101-12-31 BC,0011-06-15 BC,0002-01-01 BC,0001-01-01 BC,0001-02-29 BC,0001-12-31 BC,0001-01-01,0009-12-31,0010-01-01,0100-12-31,0101-01-01,1000-12-31,1582-10-10,1899-12-31,1900-02-28,1969-12-31,1970-01-01,1999-12-31,2000-01-01,2000-01-02,2000-01-03,2000-02-29,2001-01-01,2004-12-31,2005-01-01,2005-01-02,2006-01-01,2008-12-29,2010-01-03,2024-02-29,2026-12-31,2027-01-01,294276-12-31,294277-01-01,1465001-03-01,5874897-12-31,-infinity,infinity}'),
	('{"extract(text, timestamp without time zone) #2","date_trunc(text, timestamp without time zone) #2","timestamp_pl_interval(timestamp without time zone, interval) #1","timestamp_mi_interval(timestamp without time zone, interval) #1","date(timestamp without time zone) #1"}',
	 '{NULL,4714-11-24 00:00:00 BC,4714-11-24 00:00:00.000001 BC,4714-11-30 23:59:59.999999 BC,4714-12-31 12:00:00 BC,4713-01-01 00:00:00 BC,1001-12-31 23:59:59.999999 BC,1000-01-01 00:00:00 BC,0011-06-15 07:08:09.100000 BC,0001-02-29 12:34:56.789012 BC,0001-12-31 23:59:59.999999 BC,0001-01-01 00:00:00,0100-12-31 23:00:00,0101-01-01 00:00:00,1000-12-31 00:00:00,1582-10-10 10:10:10.101010,1900-02-28 23:59:59.999999,1969-12-31 23:59:59.999999,1970-01-01 00:00:00,1999-12-31 23:59:59.999999,2000-01-01 00:00:00,2000-01-01 00:00:00.000001,2000-02-29 01:02:03.000999,2001-01-31 00:59:59.001,2004-12-31 13:00:00,2005-01-02 00:00:00,2006-01-01 00:00:00.5,2024-02-29 23:59:60,2024-03-31 12:00:00,2024-10-31 06:30:00,2026-12-31 23:59:59,294246-01-01 00:00:00,294247-01-10 04:00:54.775806,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	-- ((p << 16) | (s & 2047)) + 4
	('{"numeric(numeric, integer) #2"}',
	 '{NULL,-1,0,3,4,65540,65541,327684,327686,655366,2490406,2490372,2494466,2555908,65536004,524289,524290,200708,329730}'),
	('{"round(numeric, integer) #2","trunc(numeric, integer) #2"}',
	 '{NULL,-2147483648,-40,-39,-38,-37,-5,-4,-2,-1,0,1,2,3,4,5,9,18,19,35,36,37,2147483647}'),
	('{"round(numeric, integer) #1","trunc(numeric, integer) #1","numeric(numeric, integer) #1","int8(numeric) #1","int4(numeric) #1","int2(numeric) #1","ceil(numeric) #1","floor(numeric) #1","ceiling(numeric) #1"}',
	 '{NULL,0,0.00,1,1.0,-1.000,0.4,0.5,-0.5,0.50,-0.49999,1.5,2.5,-2.5,14.5,-1.05,9.995,99.995,99.95,-999.5,0.001,-0.001,1e-36,-1e-36,49,50,-50,150,32767.4,32767.5,-32768.4,-32768.5,2147483647.49,2147483647.5,-2147483648.49,-2147483648.5,9223372036854775807.4,9223372036854775807.5,-9223372036854775808.4,-9223372036854775808.5,999999999999999999,4999999999999999999,5000000000000000000,49999999999999999999999999999999999999,50000000000000000000000000000000000000,170141183460469231731687303715884105727,-170141183460469231731687303715884105728,170141183460469231731687303715884105728,1.70141183460469231731687303715884105,1e40,1e-37,0.000000000000000000500000000000000000,123456789.987654321,NaN,Infinity,-Infinity}'),
	('{"mod(numeric, numeric) #2","numeric_mod(numeric, numeric) #2","div(numeric, numeric) #2","numeric_div_trunc(numeric, numeric) #2"}',
	 '{NULL,0,0.00,1,-1,1.0,-1.00,2,3,-7,0.3,0.0001,-0.07,10,9999.9999,1e18,9223372036854775808,1e30,1e-36,1e-37,170141183460469231731687303715884105727,1e40,NaN,Infinity,-Infinity}'),
	('{interval}',
	 '{"0","1 month","-1 month","1 mon -1 day","11 months","-14 months","-1200 years","200000 years","1 day","-1 day","30 days","-400000 days","99999999 days","1 us","-1 us","23:59:59.999999","-24:00:00","1 day -24:00:00","1 mon 1 day 01:00:00.000001","-1 year 2 mons -3 days 04:05:06.789","2500000:00:00"}')
) v(types, list), unnest(types) t(type), unnest(list) WITH ORDINALITY u(value, ord);

CREATE FUNCTION bare(type text) RETURNS text LANGUAGE sql AS
$$ SELECT CASE type WHEN 'character' THEN 'bpchar' WHEN 'anyenum' THEN 'mood' ELSE type END $$;

CREATE VIEW listed AS
SELECT p.oid, format('pg_catalog.%I', p.proname) AS name, p.prorettype, t.types, s.signature,
	   (SELECT array_agg(coalesce((SELECT e.type FROM edges e WHERE e.type = s.signature || ' #' || i LIMIT 1), t.types[i]) ORDER BY i)
		FROM generate_subscripts(t.types, 1) i) AS edges,
	   -- the argument that has to be a constant
	   CASE WHEN p.proname IN ('extract', 'date_trunc') THEN 1
			ELSE array_position(t.types, 'interval') END AS constant
FROM (SELECT DISTINCT object FROM gpuscan.offload_listing() WHERE kind = 'function') l
JOIN pg_proc p ON p.oid = l.object,
LATERAL (SELECT array_agg(format_type(a, NULL) ORDER BY i) AS types
		 FROM unnest(p.proargtypes) WITH ORDINALITY x(a, i)) t,
LATERAL (SELECT format('%s(%s)', p.proname, array_to_string(t.types, ', ')) AS signature) s;

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
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, NULL AS b
						FROM edges a WHERE a.type = %2$L', bare(fn.types[1]), fn.edges[1]);
	ELSIF array_length(fn.types, 1) = 3 THEN
		-- triples: fewer values of each
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b, c.value::%3$s AS c
						FROM edges a, edges b, edges c WHERE a.type = %4$L AND b.type = %5$L AND c.type = %6$L
						AND a.n <= 12 AND (a.value IS NOT NULL OR b.n %% 3 = c.n %% 3)
						AND (b.type LIKE ''%%#%%'' OR abs(b.value::numeric) NOT BETWEEN 3 AND 1000000
							 AND coalesce(abs(c.value::numeric) NOT BETWEEN 3 AND 1000000, true))',
					   bare(fn.types[1]), bare(fn.types[2]), bare(fn.types[3]), fn.edges[1], fn.edges[2], fn.edges[3]);
	ELSE
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b
						FROM edges a, edges b WHERE a.type = %3$L AND b.type = %4$L',
					   bare(fn.types[1]), bare(fn.types[2]), fn.edges[1], fn.edges[2]);
	END IF;
	SELECT max(id) INTO last FROM pairs;
	IF last IS NULL THEN
		RETURN 'no edge values';
	END IF;
	FOR k IN 1..last LOOP
		SELECT fn.name || format(CASE WHEN array_length(fn.types, 1) = 1 THEN '(a)'
								 WHEN array_length(fn.types, 1) = 3 THEN '(a, b, c)'
								 WHEN fn.constant = 1 THEN '(%1$L, b)'
								 WHEN fn.constant = 2 THEN '(a, %2$L)'
								 ELSE '(a, b)' END, p.a, p.b)
		INTO call FROM pairs p WHERE id = k;
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
