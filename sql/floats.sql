-- Floating point: groups, aggregates in the order of rows, errors, files,
-- rescans.  Answers are compared to the bit (float8send), with and without
-- gpuscan; what PostgreSQL's own plan is, sort or hash, decides the order in
-- which it adds, so sorts are off.
create schema floats;
set search_path = floats;
set max_parallel_workers_per_gather = 0;
set synchronize_seqscans = off;
set enable_seqscan = off;
set enable_sort = off;
set gpuscan.startup_cost = 0;

-- as bits, where they can be told apart; a NaN is a NaN
create function bits(float8) returns text language sql immutable as
$$ select case when $1 = 'NaN' then 'NaN' else encode(float8send($1), 'hex') end $$;
create function bits(float4) returns text language sql immutable as
$$ select case when $1 = 'NaN' then 'NaN' else encode(float4send($1), 'hex') end $$;

-- the rows of a query as text, or its error
create function answer(query text) returns text language plpgsql as $$
declare
	result text;
begin
	execute format('select string_agg(q::text, '' '' order by q::text collate "C") from (%s) q', query) into result;
	return coalesce(result, 'no rows');
exception when others then
	return sqlstate || ' ' || sqlerrm;
end $$;

-- same(query): does gpuscan answer, and as PostgreSQL does?
create function same(query text) returns bool language plpgsql as $$
declare
	ours text;
	theirs text;
begin
	set local gpuscan.enabled = off;
	theirs := answer(query);
	set local gpuscan.enabled = on;
	set local gpuscan.require = require;
	ours := answer(query);
	set local gpuscan.require = allow;
	if ours <> theirs then
		raise notice '%', E'ours\n' || left(ours, 400) || E'\nPostgreSQL''s\n' || left(theirs, 400);
	end if;
	return ours = theirs;
end $$;

create table t (i int not null, g int, x float8, y float4, n numeric);
insert into t
select i, i % 7, case when i % 11 <> 0 then sin(i) * exp(i % 40 - 20) end, (cos(i) * 100)::float4, (i % 1000) / 8.0
from generate_series(1, 20000) i;
-- as everywhere else in these tests: rows without an argument, added and dropped columns
alter table t add column z float8 default '-0';
create table edges (i int generated always as identity, x float8, y float4);
insert into edges (x, y) values
	('-0', '0'), ('0', '-0'), ('NaN', 'NaN'), ('-0', 1), (null, null), ('Infinity', '-Infinity'), ('-Infinity', 'Infinity'),
	(1e-310, 1e-45), (-1e-310, 1e-40), ('NaN', 2), (0.1, 0.1), (1.7976931348623157e308, 3.4028235e38), (2, '-0');
analyze t, edges;

create table queries (id int generated always as identity, query text);
insert into queries (query) values
	-- aggregates
	('select bits(sum(x)), bits(avg(x)), bits(min(x)), bits(max(x)), bits(stddev(x)), bits(stddev_pop(x)), bits(var_samp(x)), bits(var_pop(x)), bits(variance(x)) from t'),
	('select bits(sum(y)), bits(avg(y)), bits(min(y)), bits(max(y)), bits(stddev(y)), bits(stddev_samp(y)), bits(var_samp(y)), bits(var_pop(y)), bits(variance(y)) from t'),
	('select g, bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(sum(y)), bits(avg(y)), count(x), bits(min(x)), bits(max(y)) from t group by g'),
	('select g, bits(sum(x) filter (where i % 3 = 0)), bits(avg(y) filter (where x > 0)), bits(var_pop(x) filter (where i < 4)), count(*) from t group by g'),
	('select i % 1000 as k, bits(sum(x)), bits(stddev(y)) from t where x is distinct from y group by 1 having sum(x) > 0'),
	('select bits(sum(z)), bits(min(z)), bits(max(z)), bits(avg(z)) from t'),
	('select bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(min(y)) from t where i < 0'),
	('select bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(var_pop(x)), bits(variance(y)) from t where i = 1'),
	-- 0 and -0, NaN, infinities: which is the key that is shown, which the least
	('select x::text, bits(x), count(*), bits(min(x)), bits(max(x)), bits(min(y)), bits(max(y)) from edges group by x'),
	('select bits(y), count(*), bits(min(x)), bits(max(x)) from edges group by y'),
	('select bits(x), bits(y), count(*) from edges group by x, y'),
	('select bits(min(x)), bits(max(x)), bits(min(y)), bits(max(y)) from edges'),
	('select bits(min(x)), bits(max(x)) from edges where x <> ''NaN'''),
	('select bits(min(x)), bits(max(x)), bits(min(y)), bits(max(y)) from edges where x = 0'),
	('select bits(min(x)), bits(max(x)), bits(min(y)), bits(max(y)) from edges where y = 0'),
	('select bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(sum(y)) from edges where i not in (12)'),
	('select bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(sum(y)), bits(var_pop(y)) from edges where i in (1, 3)'),
	('select bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(var_pop(x)), bits(sum(y)) from edges where i = 6'),
	('select distinct bits(x) from (select distinct x from edges) d'),
	('select x, count(distinct y), min(distinct y), max(i) from edges group by x'),
	('select bits(x), y, count(*), bits(min(x)) from edges group by grouping sets ((x), (y), (x, y), ())'),
	-- conditions
	('select i from edges where x = ''NaN'''),
	('select i from edges where x > y'), ('select i from edges where x >= 0.1 and y < 2'), ('select i from edges where x <> y::float8'),
	('select i from edges where x in (0, 2, ''NaN'')'), ('select i from edges where x between -1e-300 and 0.1'),
	('select i from edges where x is not distinct from ''-0'''), ('select i from edges where nullif(x, y) is null'),
	('select count(*), sum(i) from t where x > 1e5 or y * 2 < -150'),
	('select count(*) from t where x::float4 > y and round(y) = trunc(y) and sqrt(abs(x)) < 30'),
	('select count(*) from t where case when y > 0 then ln(y) > 4 else exp(y) < 1e-40 end'),
	('select g, count(*) from t where x > (select avg(y) from t) group by g'),
	-- expressions as keys and arguments
	('select round(x) as k, count(*), bits(sum(x + y)) from t where abs(x) < 50 group by 1'),
	('select bits(sum(power(abs(y::float8), 0.7))), bits(sum(sin(x) + cos(y))), bits(sum(atan2(x, y))), bits(sum(cbrt(x))) from t'),
	('select bits(sum(y * y)), bits(sum(y / (i + 0.5)::float4)), bits(sum(y + 1)), bits(sum(x - y)) from t'),
	('select bits(sum(n::float8)), bits(sum(n::float4)), bits(avg(n::float8 * i)), bits(sum((n + 1e-30)::float8)) from t'),
	('select sum(x::int8), sum(y::int), sum((y / 100)::int2), bits(sum(i::float4)), bits(sum(g::float8)) from t where abs(x) < 1e9'),
	-- errors, and those that are not met
	('select sum(1 / y) from edges'), ('select sum(x * 1e300) from t where x > 1e8'), ('select sum(x * x) from edges where i in (8, 9)'),
	('select count(*) from t where sqrt(y) > 5'), ('select count(*) from t where y > 0 and sqrt(y) > 5'), ('select sum(x::int) from t'),
	('select sum(ln(y)) from t'), ('select sum(case when y > 0 then ln(y) end) from t'), ('select sum(x::float4) from edges where i > 7'),
	('select sum(acos(y)) from edges'), ('select sum(exp(x)) from t'), ('select sum(power(y, 0.5::float8)) from t');
select id, query from queries where not same(query) order by id;

-- sums that overflow: PostgreSQL's error, unless a row before has another
create table large (i int, g int, x float8, y float4);
insert into large select i, i % 2, 1e308, 3e38 from generate_series(1, 4) i;
select same(q), answer(q) from (values
	('select sum(x) from large'), ('select g, sum(x) from large where i < 3 group by g'), ('select g, sum(x) from large group by g'),
	('select sum(y) from large'), ('select avg(x) from large'), ('select avg(y) from large'), ('select stddev(x) from large where i < 2'),
	('select stddev(x) from large where i < 3'), ('select var_pop(x - 5e307 * i) from large where i < 3'),
	('select sum(x), sum(1 / (i - 4)) from large'), ('select sum(x), sum(1 / (i - 1)) from large'),
	('select sum(x) from large where 1 / (i - 4) < 1'), ('select sum(x) from large where 1 / (i - 1) < 1'),
	('select sum(x) filter (where i <> 2), sum(1 / (i - 4)) from large'), ('select sum(1 / (i - 2)), sum(x) from large')) v(q);
-- ... a condition of the host's among them
create function positive(int) returns bool language plpgsql as $$ begin return 1 / $1 is not null; end $$;
select same(q), answer(q) from (values
	('select sum(x) from large where positive(i - 4)'), ('select sum(x) from large where positive(i - 1)')) v(q);

-- groups that outgrow memory: each goes on from where it was, row by row
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select same('select i % 5003 as k, bits(sum(x)), bits(avg(x)), bits(stddev(x)), bits(min(x)), bits(max(x)), bits(sum(y)), bits(avg(y)) from t group by 1');
select same('select x as k, count(*), bits(sum(y)), bits(min(z)) from t group by 1');
-- a few groups take all rows after the first files were written
create table late (i int, k int, x float8);
insert into late select i, case when i <= 3000 then i else i % 5 end, sin(i) * 10 ^ (i % 30) from generate_series(1, 60000) i;
analyze late;
select same('select k, bits(sum(x)), bits(stddev(x)), bits(avg(x) filter (where x > 0)), count(*) from late group by k');
create function disk(query text) returns setof text language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (analyze, costs off, timing off, summary off) ' || query loop
		if line ~ 'Custom Scan|Disk' then
			return next regexp_replace(trim(line), '\d+(\.\d+)?(kB)?', 'N\2', 'g');
		end if;
	end loop;
end $$;
select disk('select k, sum(x), stddev(x) from late group by k');
reset work_mem;
reset hash_mem_multiplier;

-- variances of integers: exact, so in any order, of parts, and grouped again
create table ints (i int, a int2, b int4, c int8);
insert into ints select i, (i * 37) % 30000, i * 1001, i::int8 * i * i * 900000 from generate_series(1, 20000) i;
insert into ints values (0, -32768, -2147483648, -9223372036854775808), (0, 32767, 2147483647, 9223372036854775807), (0, null, null, null), (-1, 1, 1, 1);
analyze ints;
create table variances (id int generated always as identity, query text);
insert into variances (query) values
	('select stddev(a), stddev_samp(a), stddev_pop(a), variance(a), var_samp(a), var_pop(a) from ints'),
	('select stddev(b), stddev_samp(b), stddev_pop(b), variance(b), var_samp(b), var_pop(b) from ints'),
	('select stddev(c), stddev_samp(c), stddev_pop(c), variance(c), var_samp(c), var_pop(c) from ints'),
	('select i % 7 as g, stddev(a), var_pop(b), variance(c) filter (where i > 5), sum(c::numeric) from ints group by 1'),
	('select stddev(a), var_pop(a), var_samp(b), stddev_pop(b), variance(c), stddev(c), var_pop(c) from ints where i = -1'),
	('select stddev(a), var_pop(b), variance(c) from ints where i < -1'),
	('select i % 3 as x, i % 5 as y, stddev(a), var_pop(c), count(*) from ints group by grouping sets ((1), (2), ())'),
	('select i % 3 as x, stddev(distinct a), var_pop(distinct a) from ints group by 1'),
	('select i % 9000 as k, stddev(a), var_pop(b), variance(c), stddev(c) from ints group by 1');
select id, query from variances where not same(query) order by id;
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select id, query from variances where id >= 7 and not same(query) order by id;
reset work_mem;
reset hash_mem_multiplier;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select id, query from variances where id <> 7 and not same(query) order by id;
-- sums of eighths are exact in any order, their states those of PostgreSQL
select same('select g, bits(sum(n::float8)), bits(avg(n::float8)), bits(sum((i % 100)::float4)), bits(avg(n::float4)), bits(sum(n::float8) filter (where g < 0)) from t group by g');
select same('select bits(sum(n::float8)), bits(avg(n::float8)), bits(avg(x)), bits(sum(x)), bits(stddev(x)), bits(variance(x)) from t where i < 0');
set gpuscan.device = cpu;
explain (costs off) select sum(n::float8), variance(i) from t;
reset gpuscan.device;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
set max_parallel_workers_per_gather = 0;

-- rescans, prepared statements, cursors
select same('select v, (select bits(sum(x)) from t where y > v), (select bits(avg(y)) from t where x < v) from (values (1.5::float8), (-2), (''NaN''), (null)) w(v)');
prepare above(float8, float4) as select count(*), bits(sum(x)) from t where x > $1 and y < $2;
set plan_cache_mode = force_generic_plan;
execute above(100, 50);
execute above('-Infinity', 'NaN');
execute above(null, 1);
set gpuscan.enabled = off;
execute above(100, 50);
execute above('-Infinity', 'NaN');
reset gpuscan.enabled;
reset plan_cache_mode;

-- what stays with PostgreSQL, and why
create function refusal(query text) returns text language plpgsql as $$
declare
	line text;
	found text;
begin
	set local gpuscan.explain_refusals = on;
	for line in execute 'explain (costs off) ' || query loop
		if line ~ 'Custom Scan \(GpuAgg' then
			return 'none';
		elsif line ~ 'order of rows' then
			found := trim(line);
		end if;
	end loop;
	return found;
end $$;
select refusal('select g, sum(x) from t group by rollup (g)');
select refusal('select g, count(distinct i), avg(x) from t group by g');
select refusal('select sum(distinct x) from t');
select refusal('select g, count(distinct x), min(y) from t group by g');
create table parts (g int, x float8) partition by range (g);
create table parts_1 partition of parts for values from (0) to (4);
create table parts_2 partition of parts for values from (4) to (7);
insert into parts select g, x from t where i < 100;
analyze parts;
select refusal('select g, sum(x) from parts group by g');
select refusal('select g, count(x), min(x), max(x) from parts group by g');
set gpuscan.require = allow;

set client_min_messages = warning;
drop schema floats cascade;
