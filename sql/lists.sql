-- Lists: long IN lists, LIKE ANY and ALL, GREATEST and LEAST, least and greatest char(n).
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema lists;
set search_path = lists;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;

create table t (id int, s smallint, i int, l int8, n numeric, d date, ts timestamp, word text collate "C", c char(6) collate "C", b bool);
insert into t
select i, nullif(i % 90 - 20, 5), nullif(i % 1000 - 500, 77), (i % 700)::int8 * 10000000000 - 3, nullif(i % 400, 9) * 1.50 - 7,
	date '2000-01-01' + i % 800, timestamp '2000-01-01' + i % 800 * interval '1 hour', nullif(repeat('w', i % 3) || i % 300, '7'), ' c' || i % 150, i % 3 = 0
from generate_series(1, 5000) i;
insert into t values (0, 3, 3, 3, 'NaN', 'infinity', '-infinity', '', '', null), (0, 3, 3, 3, 1e60, null, null, null, null, null), (0, -3, -3, -3, 3.0000, null, null, 'w3 ', 'c3', null);
analyze t;

-- rows that one has and the other has not
create function differs(query text) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	perform set_config('gpuscan.require', 'require', true);
	execute format('create temp table answer_on as select q::text as t from (%s) q', query);
	perform set_config('gpuscan.enabled', 'off', true), set_config('gpuscan.require', 'allow', true);
	execute format('create temp table answer_off as select q::text as t from (%s) q', query);
	select count(*) into n from (
		(table answer_on except all table answer_off)
		union all
		(table answer_off except all table answer_on)) d;
	perform set_config('gpuscan.enabled', 'on', true);
	drop table answer_on, answer_off;
	return n;
end $$;

-- as many values as a query may bring, of every type; with NULL among them, and not
create table wanted as
select format('%s of %s', x, y) as what, x, (select format('%L::%s[]', array_agg(v)::text, y) from (select * from unnest(list) v union all select null where nulls) u) as list
from (values ('s', 'smallint'), ('s', 'int'), ('s', 'int8'), ('i', 'int'), ('i', 'int8'), ('i', 'smallint'), ('l', 'int8'), ('l', 'int'), ('n', 'numeric'),
	('d', 'date'), ('ts', 'timestamp'), ('word', 'text'), ('c', 'char(6)'), ('word || 0', 'text'), ('s + i', 'int')) v(x, y),
lateral (values (false), (true)) w(nulls),
lateral (select array_agg(case y when 'smallint' then (g - 40)::text when 'int' then (g * 3 - 40)::text when 'int8' then case when g < 50 then g - 3 else g * 10000000000 - 3 end::text
				when 'numeric' then case g when 1 then 'NaN' when 2 then '1e60' when 3 then 'Infinity' when 4 then '3' else (g * 0.75)::text end when 'date' then case g when 1 then 'infinity' else (date '1999-12-01' + g)::text end
				when 'timestamp' then (timestamp '2000-01-01' + g * interval '90 minutes')::text when 'text' then repeat('w', g % 4) || g else ' c' || g end) as list
		 from generate_series(1, 130) g) g;
select count(*), min(what), max(what) from wanted where length(list) < 200;
select what, differs(format('select id from t where %s = any (%s)', x, list)) as is_in,
	differs(format('select id from t where %s <> all (%s)', x, list)) as is_not,
	differs(format('select (%s = any (%s)) as k, (%1$s <> all (%2$s)) as k2, count(*) from t group by 1, 2', x, list)) as as_key
from wanted order by what, list;
-- the other two operators, and values that are not constant, stay with PostgreSQL
set gpuscan.explain_refusals = on;
do $$
declare
	line text;
	list text := (select array_agg(g)::text from generate_series(1, 65) g);
begin
	for line in execute format('explain (costs off) select count(*) from t where i <> any (%L::int[])', list) loop
		continue when line !~ 'Not Offloaded';
		raise notice '%', line;
	end loop;
	for line in execute format('explain (costs off) select count(*) from t where i = any (array[%s, id])', btrim(list, '{}')) loop
		continue when line !~ 'Not Offloaded';
		raise notice '%', line;
	end loop;
	for line in execute format('explain (verbose, costs off) select count(*) from t where i = any (%L::int[])', list) loop
		continue when line !~ 'Program: r';
		raise notice '%', line;
	end loop;
end $$;
reset gpuscan.explain_refusals;

-- a domain over an array
create domain numbers as int[];
prepare of_domain as select count(*) from t where i = any ('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66}'::numbers);
execute of_domain;

-- LIKE ANY and ALL
select condition, differs(format('select id from t where %s', condition)) as differs
from unnest(array['word like any (''{w1%,%9,_}'')', 'word like all (''{w%,%1_}'')', 'word not like all (''{w%,%1,null}'')', 'word not like any (''{w%,%1}'')',
	'c like any (''{"% ","%5"}'')', 'c not like all (''{"% 1%"," c2"}'')', 'word like any (array[''w%'', null, c::text])', 'word like any (''{}'')',
	'word like any (''{w%,x\\\\}'') and word like ''w%''']) condition;
select count(*) from t where word like any ('{x%,w\\}');

-- GREATEST and LEAST: NULLs are left out, of equal values the first one is shown
select made, differs(format('select %s as k, count(*) from t group by 1', made)) as differs
from unnest(array['greatest(s, i)', 'least(s, i, 3)', 'greatest(l, i, s)', 'least(n, 100.000)', 'greatest(n, i, 3.00)', 'greatest(d, date ''2001-01-01'')', 'least(ts, d)',
	'greatest(word, c::text, ''w2'')', 'least(word, ''w2'')', 'greatest(c, ''zz''::char(6))', 'least(b, s > 0)', 'greatest(n)', 'greatest(null, s)', 'least(i / nullif(s, 0), s)']) made;
select greatest(1.0, n, 1.00), least(3.0, n), count(*) from t where id = 0 or n = 1.00 group by 1, 2 order by 1, 2;
select greatest(i / (s - 3), 1) as k, count(*) from t group by 1;

-- char(n): with its blanks
select i % 2 as k, '[' || min(c) || ']' as text, min(c), octet_length(max(c)), max(c) from t where id > 0 group by 1 order by 1;
select differs('select i % 7 as k, min(c) as least, max(c) as greatest, max(c) filter (where b) as some, max(word::char(3)) as made from t group by 1') as differs;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set max_parallel_workers_per_gather = 2;
select differs('select i % 7 as k, min(c) as least, octet_length(max(c)) as greatest, count(*) filter (where i in (1, 2, 3)) as n from t group by 1') as differs;

set client_min_messages = warning;
drop schema lists cascade;
