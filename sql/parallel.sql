-- Tables shared out among processes, partitions and inheritance children: what
-- GpuAgg hands on is PostgreSQL's own transition state, under Finalize Aggregate.
-- Each query runs with gpuscan, and without it in one process.
create schema parallel_scans;
set search_path = parallel_scans;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set synchronize_seqscans = off;
set gpuscan.startup_cost = 0;
set enable_indexscan = off;
set enable_bitmapscan = off;

-- the nodes of a plan from the top
create function nodes_of(query text, require text) returns text language plpgsql as $$
declare
	line text;
	last text;
	result text;
begin
	execute 'set local gpuscan.require = ' || require;
	for line in execute 'explain (costs off) ' || query loop
		continue when line ~ 'Key:|Filter:';
		line := substring(line from '^ *(?:->  )?((?:Parallel |Partial |Finalize |Mixed)?(?:Custom Scan \(\w+\)|Seq Scan|Merge Append|Append|Gather|\w*Aggregate|Hash\w*|Limit|Group|Unique|Sort|Subquery Scan|Nested Loop|Index \w+|Result))');
		line := regexp_replace(line, 'HashAggregate|GroupAggregate|MixedAggregate', 'Aggregate');
		continue when line is null or line ~ 'Sort';
		-- the same for each partition
		if line is distinct from last then
			result := concat_ws(' / ', result, line);
		elsif result !~ 'each$' then
			result := result || ', each';
		end if;
		last := line;
	end loop;
	set local gpuscan.require = allow;
	return result;
end $$;

create function nodes(query text) returns text language sql as $$ select nodes_of(query, 'require') $$;

create function differs(query text) returns bigint language plpgsql as $$
declare
	n bigint;
	workers text := current_setting('max_parallel_workers_per_gather');
begin
	set local gpuscan.require = require;
	execute format('create temp table answer_on as select q::text as t from (%s) q', query);
	set local gpuscan.enabled = off;
	set local gpuscan.require = allow;
	set local max_parallel_workers_per_gather = 0;
	execute format('create temp table answer_off as select q::text as t from (%s) q', query);
	select count(*) into n from (
		(table answer_on except all table answer_off)
		union all
		(table answer_off except all table answer_on)) d;
	set local gpuscan.enabled = on;
	execute 'set local max_parallel_workers_per_gather = ' || workers;
	drop table answer_on, answer_off;
	return n;
end $$;
create function gathered(query text) returns boolean language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (analyze, costs off, timing off, summary off) ' || query loop
		if line ~ 'Workers Launched: [12]' then
			return true;
		end if;
	end loop;
	return false;
end $$;

create table facts (id int, g int, s smallint, b bigint, n numeric, m numeric(12,2), d date, ts timestamp, f bool, t text, c char(5));
insert into facts
select i, i % 13, i % 300 - 150, i::bigint * 1000000007 % 9999999967 * (i % 3 - 1), (i % 1000) / 8.0, (i * 37 % 100000) / 100.0,
	date '1995-01-01' + i % 2000, timestamp '1995-01-01' + i * interval '1 hour', i % 5 = 0, 'text ' || i % 17, 'c' || i % 7
from generate_series(1, 20000) i;
insert into facts (id, g) select i, i % 15 from generate_series(1, 500) i;
insert into facts (id, g, n) values (1, 3, 'NaN'), (2, 4, 'Infinity'), (3, 4, '-Infinity'), (4, 5, '-Infinity'),
	(5, 6, 1234567890123456789012345678901234567890), (6, 7, -1e-30), (7, 8, 1.50000), (8, 99, 'NaN'), (9, 98, null), (10, 97, 1e45);
analyze facts;

create table queries (id int generated always as identity, query text);
insert into queries (query) values
	('select count(*), count(n), sum(s), sum(id), sum(b), sum(n), sum(m) from facts'),
	('select avg(s), avg(id), avg(b), avg(n), avg(m) from facts'),
	('select min(s), max(s), min(b), max(b), min(n), max(n), min(d), max(ts), bool_and(f), bool_or(f), every(f) from facts'),
	('select g, count(*), count(n), sum(s), sum(id), sum(b), sum(n), sum(m) from facts group by g'),
	('select g, avg(s), avg(id), avg(b), avg(n), avg(m), min(n), max(n), bool_and(f) from facts group by g'),
	('select t, c, f, sum(m) filter (where id > 100 or f), count(*) filter (where f), avg(b) filter (where not f) from facts where id is not null group by t, c, f'),
	('select g, sum(n) + 1, count(*) * 2 from facts where d >= ''1996-01-01'' group by g having sum(m) > 1000'),
	('select g, count(*) from facts where lower(t) <> ''text 3'' group by g'),
	('select sum(n), avg(m) from facts where false'),
	('select count(*), sum(id), avg(id), sum(b), avg(n), min(d) from facts where id < 0'),
	('select g, sum(b) from facts where id < 0 group by g'),
	('select distinct g, f from facts'),
	('select distinct t from facts where m > 500'),
	('select g from facts group by g'),
	('select id, sum(m), avg(b) from facts group by id'),
	('select id, g from facts where m < 20'),
	('select count(*) from (select id from facts where m < 20 limit 5) q');
select id, regexp_replace(query, '^(.{60}).+$', '\1 ...'), nodes(query) from queries order by id;
select id, query from queries where differs(query) <> 0 order by id;
select gathered('select g, sum(n) from facts group by g'), gathered('select id, g from facts where m < 20');

-- the leader alone, workers alone, none to be had
set parallel_leader_participation = off;
select id, query from queries where differs(query) <> 0 order by id;
reset parallel_leader_participation;
set max_parallel_workers = 0;
select id, query from queries where differs(query) <> 0 order by id;
reset max_parallel_workers;
-- groups that outgrow memory are handed out and begun anew
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select differs('select id, sum(m), avg(b), count(*), max(n) from facts group by id');
select differs('select n, id, count(*) from facts group by n, id');
select differs('select distinct id, m from facts');
reset work_mem;
reset hash_mem_multiplier;

-- LIMIT stops workers; a cursor, rescans, parameters of an initplan
select count(*) from (select id from facts where f limit 7) q;
begin;
declare c cursor for select g, count(*) from facts where id > 0 group by g order by g;
fetch 2 from c;
fetch all from c;
commit;
select differs('select x, (select sum(m) from facts where g = x) from generate_series(1, 5) x');
select differs('select count(*), sum(b) from facts where id > (select avg(id) from facts where f)');
select differs('select * from (values (1), (2)) v (x), lateral (select count(*), max(n) from facts where id > 100 offset 0) q');
prepare by_day (date) as select count(*), sum(n) from facts where d > $1;
set plan_cache_mode = force_generic_plan;
execute by_day('1998-01-01');
execute by_day('1999-12-01');
reset plan_cache_mode;

-- errors come from workers too
insert into facts (id, g) values (2147483647, 1);
\set VERBOSITY terse
select sum(id + 1) from facts;
\set VERBOSITY default
delete from facts where id = 2147483647;

--
-- partitions and children
--
create table parts (id int not null, k int, d date, x numeric, t text) partition by range (k);
create table parts_1 partition of parts for values from (0) to (10);
create table parts_2 (t text, x numeric, gone int, d date, k int, id int not null);	-- other places
alter table parts_2 drop column gone;
alter table parts attach partition parts_2 for values from (10) to (20);
create table parts_3 partition of parts for values from (20) to (40) partition by list (k);
create table parts_3a partition of parts_3 for values in (20, 21, 22);
create unlogged table parts_3b partition of parts_3 default;
create table parts_d partition of parts default;
insert into parts select i, i % 45, date '2000-01-01' + i % 400, i / 16.0, 'p' || i % 9 from generate_series(1, 9000) i;
insert into parts values (1, null, null, null, null), (2, 5, null, 'NaN', ''), (3, 21, null, 1e50, '');
analyze parts;
-- (one scale: which of equal keys is shown would be open here)
create table parent (a int, b numeric(10,3));
create table child_1 (c text) inherits (parent);
create table child_2 (d int, a int, b numeric(10,3)) inherits (parent);
insert into parent select i, i / 2.0 from generate_series(1, 300) i;
insert into child_1 select i, i / 4.0, 'c' from generate_series(1, 400) i;
insert into child_2 select i, i, i / 8.0 from generate_series(1, 500) i;
analyze parent, child_1, child_2;

truncate queries restart identity;
insert into queries (query) values
	('select count(*), sum(x), avg(x), min(x), max(x), min(d) from parts'),
	('select k, count(*), sum(x), avg(id) from parts group by k'),
	('select t, sum(x), max(id) from parts where d < ''2000-06-01'' group by t'),
	('select t, k is null, count(*) from parts where k > 15 group by 1, 2'),
	('select count(*) from parts where k = 21'),
	('select count(*), sum(id) from parts where k between 5 and 12 and x < 200'),
	('select sum(id) from parts where k is null'),
	('select distinct t from parts'),
	('select id, k, t from parts where x > 560'),
	('select count(*), sum(b), avg(a) from parent'),
	('select a > 10, b, count(*) from parent where a < 200 group by 1, 2'),
	('select sum(a) from only parent where b > 10'),
	('select p.t, q.n from (select t, count(*) n from parts group by t) p join (select t, sum(x) n from parts group by t) q using (t)'),
	('select sum(x) from parts where k = (select 7)');
select id, regexp_replace(query, '^(.{60}).+$', '\1 ...'), nodes(query) from queries order by id;
select id, query from queries where differs(query) <> 0 order by id;
set max_parallel_workers_per_gather = 0;
select id, regexp_replace(query, '^(.{60}).+$', '\1 ...'), nodes(query) from queries order by id;
select id, query from queries where differs(query) <> 0 order by id;
set enable_partitionwise_aggregate = on;
select id, query from queries where differs(query) <> 0 order by id;
select nodes('select k, count(*) from parts group by k');
reset enable_partitionwise_aggregate;
-- sorted by themselves and merged, where sorting all would need files
set enable_hashagg = off;
set work_mem = '320kB';
select nodes('select id, sum(x), count(*) from parts group by id');
select differs('select id, sum(x), count(*) from parts group by id');
select nodes('select id + k, d, count(*), max(x) from parts group by id + k, d');
select differs('select id + k, d, count(*), max(x) from parts group by id + k, d');
reset work_mem;
reset enable_hashagg;
-- partitions pruned when execution starts
prepare by_key (int) as select count(*), sum(x) from parts where k = $1;
set plan_cache_mode = force_generic_plan;
execute by_key(21);
select nodes('execute by_key(21)');
reset plan_cache_mode;
-- a partition that is too small has PostgreSQL's own Partial Aggregate
create table parts_4 (id int not null, k int, d date, t text);
insert into parts_4 select i, 100 + i % 3, '2001-01-01', 'p' from generate_series(1, 500) i;
alter table parts_4 add x numeric default 'NaN';
alter table parts attach partition parts_4 for values from (100) to (110);
analyze parts;
set gpuscan.startup_cost = 15;
set plan_cache_mode = force_custom_plan;
set gpuscan.device = cpu;
select nodes_of('select k, sum(x) from parts where k < 5 or k > 95 group by k', 'allow');
reset gpuscan.device;
reset plan_cache_mode;
set gpuscan.startup_cost = 0;
select k, sum(x), count(*) from parts where k > 95 group by k order by k;
create materialized view parts_by_day as select d, sum(x) as x from parts group by d;
select differs('select sum(x), count(*) from parts_by_day where d > ''2000-03-01''');
