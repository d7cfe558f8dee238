-- Aggregates that no engine knows: PostgreSQL's transition functions, over the groups
-- that the engine finds.  Each query runs twice, with and without gpuscan.
create schema host_aggs;
set search_path = host_aggs;
set max_parallel_workers_per_gather = 0;
set synchronize_seqscans = off;
set enable_sort = off;	-- where PostgreSQL can hash, rows come in the order of the table
set gpuscan.startup_cost = 0;
set gpuscan.device = cpu;
set timezone = 'UTC';

create function answer(query text) returns text language plpgsql as $$
declare
	answer text;
begin
	execute format('select string_agg(q::text, e''\n'' order by q::text collate "C") from (%s) q', query) into answer;
	return answer;
exception when others then
	return sqlstate || ' ' || sqlerrm;
end $$;

create function same(query text) returns bool language plpgsql as $$
declare
	ours text;
	theirs text;
begin
	set local gpuscan.require = require;
	ours := answer(query);
	set local gpuscan.require = allow;
	set local gpuscan.enabled = off;
	theirs := answer(query);
	set local gpuscan.enabled = on;
	if ours is distinct from theirs then
		raise notice e'%\nours: %\ntheirs: %', query, left(ours, 400), left(theirs, 400);
	end if;
	return ours is not distinct from theirs;
end $$;

-- how many aggregates the host computes, and how many rows waited for them
create function hosted(query text, out node text, out aggregates int, out rows_sorted text) language plpgsql as $$
declare
	plan json;
begin
	set local gpuscan.require = require;
	execute 'explain (analyze, costs off, timing off, summary off, format json) ' || query into plan;
	plan := plan->0->'Plan';
	while plan->>'Node Type' <> 'Custom Scan' loop
		plan := plan->'Plans'->0;
	end loop;
	node := plan->>'Custom Plan Provider';
	aggregates := json_array_length(plan->'Host Aggregates');
	rows_sorted := case when plan->>'Rows Sorted for Host Aggregates' is null then 'none'
		when (plan->>'Rows Sorted for Host Aggregates')::int = (select count(*) from t) then 'all' else 'some' end;
end $$;

-- what EXPLAIN says of our node, and of what kept it out
create function told(query text) returns setof text language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (costs off) ' || query loop
		if line ~ 'Host Aggregates|Not Offloaded|Gpu' then
			return next trim(line);
		end if;
	end loop;
end $$;

create table t (id int not null, g int, k text, s text, n numeric, m money, d float8, v interval, j jsonb, a int[], u uuid);
insert into t
select i, nullif(i % 7, 5), 'key ' || i % 400, case when i % 11 > 0 then chr(65 + i * 7 % 26) || chr(97 + i % 5) end,
	case when i % 13 > 0 then (i * 7919 % 1000) / 8.0 end, (i % 100)::money, (i % 64) / 4.0, i * interval '1 minute',
	jsonb_build_object('a', i % 5), array[i % 3, i], ('00000000-0000-0000-0000-00000000' || lpad((i % 1000)::text, 4, '0'))::uuid
from generate_series(1, 6000) i;
insert into t (id, g, k, n, s) values (9001, 1, 'key 1', 'NaN', 'ä'), (9002, 1, repeat('x', 3000), 1e60, 'Ä'), (9003, null, null, 'Infinity', null), (9004, 99, '', null, null);
create table empty (like t);
analyze t, empty;

set gpuscan.require = require;
select told('select g, count(*), string_agg(s, '','') filter (where id < 50), sum(m), array_agg(id) from t where id % 2 = 0 group by g');
reset gpuscan.require;

create function longest(text, text) returns text immutable strict language sql as 'select case when length($2) > length($1) then $2 else $1 end';
create aggregate longest(text) (sfunc = longest, stype = text);
create function counted(bigint, anyelement) returns bigint immutable language plpgsql as 'begin return $1 + 1; end';
create aggregate counted(anyelement) (sfunc = counted, stype = bigint, initcond = 100);

create table queries (id int generated always as identity, query text);
insert into queries (query) select format(shape, agg) from unnest(array[
	'string_agg(s, '','')', 'string_agg(s, k)', 'array_agg(id)', 'array_agg(s)', 'array_agg(a)', 'json_agg(id)', 'jsonb_agg(s)', 'jsonb_object_agg(id, n)',
	'min(s)', 'max(s)', 'max(v)', 'min(a)', 'sum(m)', 'sum(v)', 'avg(v)', 'stddev(n)', 'var_pop(n)', 'variance(n / 3)',
	'corr(d, id)', 'covar_pop(id, d)', 'regr_slope(d, n::float8)', 'regr_count(d, n::float8)', 'longest(k)', 'counted(s)', 'counted(null::int)', 'bit_and(id::bit(16))',
	'string_agg(s, '','') filter (where n > 50)', 'array_agg(1 / nullif(id % 5, 0)) filter (where id % 5 > 0)', 'max(j->>''a'')', 'json_object_agg(id, s) filter (where s is not null)',
	-- an order of their own
	'array_agg(id order by d, id desc)', 'string_agg(s, '','' order by s desc, id)', 'array_agg(distinct g)', 'string_agg(distinct s, '','')', 'array_agg(distinct d order by d desc)',
	'percentile_cont(0.5) within group (order by d)', 'percentile_disc(array[0.1, 0.9]) within group (order by id)', 'mode() within group (order by g)',
	'percentile_cont(0.25) within group (order by v) filter (where id > 100)', 'rank(17.5) within group (order by d)', 'count(distinct j)', 'count(distinct a)', 'min(distinct s)',
	'sum(distinct d)', 'array_agg(id order by id) filter (where id < 30)']) agg, unnest(array[
	'select %s from t',
	'select g, %s as x, count(*), sum(n) from t where id %% 3 < 2 group by g',
	'select %s from t where id < 0',
	'select g, %s from t where id < 0 group by g',
	'select count(*), %s, min(id) from empty',
	'select u, k, max(d), %s from t where id < 900 group by k, u']) shape;
select id, query from queries where not same(query) order by id;

select h.* from (values
	('select g, string_agg(s, '','') from t group by g'),
	('select g, count(*), sum(n), string_agg(s, '',''), max(s), stddev(d) from t group by g'),
	('select g, array_agg(id order by id) from t group by g'),
	('select percentile_cont(0.5) within group (order by d) from t'),
	('select g, count(distinct j), count(distinct id), sum(n) from t group by g'),
	('select count(distinct id), string_agg(s, '','') from t')) q(query), hosted(query) h;

-- an order that bytes do not decide, where the server has one
select coalesce(bool_and(same(format('select g, max(s collate %1$I), min(k collate %1$I), count(*) from t group by g', collname)) and
	(select aggregates = 2 from hosted(format('select g, max(s collate %1$I), min(k collate %1$I), count(*) from t group by g', collname)))), true) as same
from pg_collation where collname = 'en-x-icu';

-- over what the host computes, and beside numbers that only it can hold
select same('select length(k || ''x''), upper(s), string_agg(s, '','') from t group by 1, 2');
select same('select regexp_replace(k, ''[0-9]'', ''''), max(s), count(*) from t group by 1');
select same('select n, string_agg(k, '','') from t where n is null or n > 100 group by n');
select same('select n, array_agg(id order by id) from t where n is null or n > 100 group by n');
select same('select g, string_agg(s, '','') from t where md5(k) < ''8'' group by g having max(s) > ''M'' and count(*) > 3');
select same('select max(s) || min(s), g + 1, string_agg(s, '','') = ''x'' from t group by g');

-- Memory that is full: arguments wait, and come to the state in their order
set work_mem = '160kB';
set hash_mem_multiplier = 1;
select id, query from queries where not same(query) order by id;
select h.* from (values
	('select k, string_agg(s, '','') from t group by k'),
	('select k, count(*), sum(n), array_agg(u) from t group by k'),
	('select k, array_agg(id order by d, id) from t group by 1')) q(query), hosted(query) h;
select same('select k, string_agg(k, s), jsonb_agg(id), max(s), count(*), sum(d) from t group by 1');
reset work_mem;
reset hash_mem_multiplier;

-- Again: parameters, rescans, cursors, prepared statements
select same('select x, (select string_agg(s, '','') from t where id < x) from generate_series(0, 40, 10) x');
select same('select x, y.* from (values (1), (2), (1)) w(x), lateral (select g, array_agg(id order by id desc), max(s) from t where id % 50 = x group by g) y');
select same('select x, (select percentile_cont(x / 4.0) within group (order by d) from t where id > x * 100) from generate_series(0, 4) x');
select same('select (select string_agg(s, min(t2.s)) from t where id < 20) from t t2');
prepare p(int, text) as select g, string_agg(s, $2), max(s), array_agg(id order by id) from t where id < $1 group by g order by g nulls last;
set plan_cache_mode = force_generic_plan;
set gpuscan.require = require;
execute p(20, '-');
execute p(9, '/');
execute p(0, '/');
reset plan_cache_mode;
begin;
declare c scroll cursor for select g, max(s), array_agg(id) from t where id < 30 group by g;
fetch 3 from c;
fetch backward 2 from c;
move absolute 0 in c;
fetch 1 from c;
rollback;
reset gpuscan.require;

-- In parallel: states in PostgreSQL's own format
-- (jsonb_agg, array_agg and, before 16, string_agg have no states to hand on)
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set enable_sort = on;
select told('select g, sum(m), stddev(n), var_pop(n) from t group by g');
select same('select g, max(s), sum(m), stddev(n), avg(v), count(*), sum(n), longest(k) = repeat(''x'', 3000) from t group by g');
select same('select max(s), sum(m), stddev(n), avg(v), count(*), sum(n) from t');
select same('select max(s), sum(m), stddev(n), avg(v), count(*), sum(n) from t where id < 0');
select same('select g, max(s), sum(m), stddev(n), avg(v), count(*), sum(n) from t where id < 0 group by g');
set work_mem = '160kB';
select same('select k, max(s), sum(m), stddev(n), avg(v), count(*), sum(n) from t group by k order by k');
reset work_mem;
reset max_parallel_workers_per_gather;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
set enable_sort = off;

-- Errors, and which one comes first
create function never(int, int) returns int immutable language plpgsql as
	'begin if $2 = 4321 then raise exception ''never %'', $2; end if; return $2; end';
create aggregate never(int) (sfunc = never, stype = int);
select same('select never(id) from t');
select same('select g, never(id), sum(n) from t group by g');
select same('select never(id), sum(1 / (id - 4400)) from t');
select same('select never(id), sum(1 / (id - 4300)) from t');
select same('select never(id) from t where 1 / (id - 4400) < 9');
select same('select never(id) from t where 1 / (id - 4300) < 9');
select same('select never(id), count(*) filter (where md5(k) = ''x'' or 1 / (id - 4322) > 7) from t');
select same('select jsonb_object_agg(s, id) from t');
select same('select array_agg(a) from (select case when id = 77 then array[1, 2, 3] else a end as a from t) x');

-- What stays with PostgreSQL
set gpuscan.explain_refusals = on;
create table parts (g int, s text, id int) partition by range (id);
create table parts_1 partition of parts for values from (0) to (3000);
create table parts_2 partition of parts for values from (3000) to (9999);
insert into parts select g, s, id from t;
analyze parts;
select told('select g, string_agg(s, '','') from t group by rollup (g)');
select told('select stddev(id::numeric) from parts');
select told('select max(d + random()) from t');
reset gpuscan.explain_refusals;

drop schema host_aggs cascade;
