-- Keys and arguments that no engine knows: PostgreSQL computes them for the rows
-- that passed the filters, and the engine groups.  Each query runs twice, with
-- and without gpuscan.
create schema supplied;
set search_path = supplied;
set max_parallel_workers_per_gather = 0;
set synchronize_seqscans = off;
set enable_seqscan = off;
set gpuscan.startup_cost = 0;
set timezone = 'UTC';

create function differs(query text) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	set local gpuscan.require = require;
	execute format('create temp table answer_on as select q::text as t from (%s) q', query);
	set local gpuscan.enabled = off;
	set local gpuscan.require = allow;
	execute format('create temp table answer_off as select q::text as t from (%s) q', query);
	select count(*) into n from (
		(table answer_on except all table answer_off)
		union all
		(table answer_off except all table answer_on)) d;
	set local gpuscan.enabled = on;
	drop table answer_on, answer_off;
	return n;
end $$;

-- what the executor computes, and the engine takes up
create function host_columns(query text) returns setof text language plpgsql as $$
declare
	line text;
begin
	set local gpuscan.require = require;
	for line in execute 'explain (costs off) ' || query loop
		if line ~ 'Host Columns|Not Offloaded|Device Filter|Host Filter' then
			-- from 18 on GROUP BY has an entry in the range table, and columns a prefix
			return next replace(trim(line), 'logs.', '');
		end if;
	end loop;
end $$;

create table logs (id int not null, url text, at timestamptz, size numeric, status int, body jsonb, tags text[]);
insert into logs
select i, 'https://example.org/' || repeat('p' || i % 13 || '/', i % 4) || '?q=' || i % 7,
	timestamptz '2020-03-28 00:00:00+00' + i * interval '37 minutes', (i % 89) / 8.0,
	case i % 9 when 0 then null when 1 then 404 else 200 end,
	jsonb_build_object('a', i % 5, 'b', 'x' || i % 3), array['t' || i % 4, 'u']
from generate_series(1, 20000) i;
insert into logs (id, url, size, body) values
	(30001, null, 'NaN', null), (30002, repeat('x', 100000), 'Infinity', '{"a": 1e50}'), (30003, 'ÄÖ/', 1e60, '{"a": 12345678901234567890123456789012345678901234567890}'),
	(30004, '', 1.500, '{"a": null}'), (30005, 'https://example.org/p1/?q=1', -1e-50, '[1, 2]');
-- values that engines do not look into: rows come back whole
alter table logs alter url set storage external;
insert into logs (id, url, status) select 40000 + i, repeat('https://example.org/', 500) || i % 3, i from generate_series(1, 50) i;
create table empty (like logs);
analyze logs, empty;

select host_columns(q) from unnest(array[
	'select regexp_replace(url, ''[0-9]+'', ''#'', ''g''), count(*) from logs where status = 200 group by 1',
	'select status, sum(size) filter (where body @> ''{"a": 1}''), count(*) filter (where body ? ''b'') from logs where id > 5 group by status',
	'select date_trunc(''day'', at, ''Europe/Berlin''), count(tags), count(distinct body->>''a'') from logs where body->>''b'' = ''x1'' and status = 404 group by 1']) q;

create table queries (id int generated always as identity, query text);
insert into queries (query) values
	('select regexp_replace(url, ''[0-9]+'', ''#'', ''g'') as k, count(*), avg(size), min(id), max(at) from logs group by 1'),
	('select regexp_replace(url, ''[0-9]+'', ''#'', ''g'') as k, count(*), sum(length(reverse(url))) from logs where status = 404 group by 1'),
	('select status, sum(length(md5(url))), count(regexp_match(url, ''p1'')), count(*) from logs group by status'),
	('select sum(length(md5(url))), count(substring(url from ''p[0-9]'')), min(size) from logs'),
	('select count(*) filter (where url ~ ''p[0-4]/p''), count(*) filter (where body @> ''{"a": 1}''), count(*) from logs'),
	('select status, count(*) filter (where url ~ ''p[0-4]/p''), sum(size) filter (where body ? ''b'' and status < 300) from logs where url ~ ''example'' group by status'),
	('select body->>''b'' as b, count(*), sum((body->>''a'')::int), avg((body->>''a'')::numeric), max((body->>''a'')::numeric(60, 2)) from logs where jsonb_typeof(body) = ''object'' and id < 30000 group by 1'),
	('select (body->>''a'')::numeric as a, count(*), sum((body->>''a'')::numeric * size) from logs where jsonb_typeof(body) = ''object'' group by 1'),
	('select date_trunc(''day'', at, ''Europe/Berlin'') as d, count(*), sum(size) from logs group by 1'),
	('select to_char(at, ''FMMM YYYY'') as m, status, count(*), min(size), max(size) from logs group by 1, 2'),
	('select to_char(at, ''FMMM YYYY'') as m, count(distinct substring(url from ''p[0-9]+'')), count(distinct status), count(*) from logs group by 1'),
	('select to_char(at, ''FMDay'') as w, body->>''b'' as b, count(*), grouping(status) from logs group by grouping sets ((1, 2), (1), (2, status), ())'),
	('select status, count(tags), count(body), count(tags[1]), min(tags[1]::varchar(10)) from logs group by status'),
	('select tags[1] as t, count(*) from logs where tags[2] = ''u'' group by 1 having count(*) > 10'),
	('select body->>''b'' as b, sum(size) from logs where size <> ''NaN'' group by 1'),
	('select body->>''b'' as b, sum(size), avg(size), min(size), max(size) from logs group by 1'),
	('select url is json as j, count(*) from logs group by 1'),
	('select url like ''%'' || status || ''%'' as j, count(*) from logs group by 1'),
	('select coalesce(body->>''b'', url) as k, count(*) from logs where id % 3 = 0 group by 1'),
	('select distinct body->>''b'' as b, status from logs'),
	('select body->>''b'' as b, count(*) from empty group by 1'),
	('select count(body->>''b''), sum(length(body->>''b'')) from empty'),
	('select x, (select count(substring(url from ''p[0-9]'')) from logs where id % 10 = x) from generate_series(1, 3) x'),
	('select x, (select count(*) filter (where url ~ (''p'' || x)) from logs) from generate_series(1, 3) x');
delete from queries where query like '%is json%' and current_setting('server_version_num')::int < 160000;
select query from queries where differs(query) <> 0 order by id;
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select differs('select id || ''-'' || substring(url from ''p[0-9]'') as k, count(*), sum(size), min(at) from logs group by 1');
select differs('select (body->>''a'')::numeric + id as k, count(*), sum((body->>''a'')::numeric) from logs where jsonb_typeof(body) = ''object'' group by 1');
reset work_mem;
reset hash_mem_multiplier;

-- the first error is the first row's, whoever meets it; and that of no row that is filtered
create table errors (id int not null, a int, t text);
insert into errors select i, i % 100 + 1, (i % 5)::text from generate_series(1, 1000) i;
update errors set a = 0 where id = 500;
update errors set t = 'five' where id = 600;
update errors set t = 'seven' where id = 300;
create table in_order as select * from errors order by id;
alter table errors rename to out_of_order;
alter table in_order rename to errors;
analyze errors;
create function outcome(query text) returns text language plpgsql as $$
declare
	result text;
begin
	execute format('select q::text from (%s) q', query) into result;
	return result;
exception when others then
	return sqlstate || ' ' || sqlerrm;
end $$;
create function answer(query text) returns text language plpgsql as $$
declare
	ours text;
	theirs text;
begin
	set local gpuscan.require = require;
	ours := outcome(query);
	set local gpuscan.enabled = off;
	set local gpuscan.require = allow;
	theirs := outcome(query);
	set local gpuscan.enabled = on;
	return case when ours is not distinct from theirs then ours else ours || ' but ' || theirs end;
end $$;
select answer(q) from unnest(array[
	'select sum(100 / a), sum((t || ''0'')::int) from errors',
	'select sum((t || ''0'')::int), sum(100 / a) from errors where id > 300',
	'select sum(100 / a), sum((t || ''0'')::int) from errors where id < 500',
	'select sum(100 / a), sum((t || ''0'')::int) from errors where id <> 300 and id <> 500',
	'select sum(100 / a), sum((t || ''0'')::int) from errors where t ~ ''^[0-9]'' and a > 0',
	'select sum(100 / a) filter (where a > 0), sum((t || ''0'')::int) filter (where t ~ ''^[0-9]'') from errors',
	'select (t || ''0'')::int as k, sum(100 / a) from errors where id < 600 group by 1']) q;

-- volatile functions, and subqueries by row, stay with PostgreSQL
set gpuscan.explain_refusals = on;
create function refused(query text) returns setof text language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (costs off) ' || query loop
		if line ~ 'Not Offloaded' then
			return next trim(line);
		end if;
	end loop;
end $$;
select refused(q) from unnest(array[
	'select sum((random() * id)::int) from logs',
	'select sum((select max(a) from errors where errors.id = logs.id % 7)) from logs',
	'select body, count(*) from logs group by body']) q;
reset gpuscan.explain_refusals;

-- prepared, again and with other parameters
prepare by_pattern (text) as select count(*) filter (where url ~ $1), count(*) from logs where status = 200;
set plan_cache_mode = force_generic_plan;
set gpuscan.require = require;
execute by_pattern('p1/');
execute by_pattern('p1[0-9]/');
execute by_pattern(null);
reset gpuscan.require;
reset plan_cache_mode;

-- shared out among processes, and over partitions
create table parted (like logs) partition by range (id);
create table parted_1 partition of parted for values from (0) to (10000);
create table parted_2 partition of parted for values from (10000) to (100000);
insert into parted select * from logs;
analyze parted;
select differs('select body->>''b'' as b, count(*), sum(size), avg(length(md5(url))) from parted group by 1');
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select differs('select body->>''b'' as b, count(*), sum(size), avg(length(md5(url))) from logs group by 1');
select differs('select count(*) filter (where url ~ ''p1''), min(substring(url from ''p[0-9]'')::varchar collate "C") from logs');
