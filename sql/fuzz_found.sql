-- What test/fuzz found, made small: one case each, newest last.
set gpuscan.require = require;
set max_parallel_workers_per_gather = 0;

-- EXPLAIN's lines but for the engine's, which differ from machine to machine
create function plan_of(query text) returns setof text language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (verbose, costs off) ' || query loop
		if line !~ '^ *Engine:' then
			return next line;
		end if;
	end loop;
end $$;

-- EXPLAIN VERBOSE of a program with a parameter of the executor's
create table found (a int, b int);
insert into found values (1, 10), (2, 20), (3, 30), (3, null);
select * from plan_of('select v.x, s.n from (values (1), (3)) v(x), lateral (select count(*) as n from found where a <= v.x) s');
select v.x, s.n from (values (1), (3)) v(x), lateral (select count(*) as n from found where a <= v.x) s;
drop table found;

-- A group first seen by value, when the dense map of keys knew only NULL
create table found (k bool, n numeric(4,-1));
insert into found values (null, 2140), (false, 'NaN'), (false, 2140);
select k, min(n), count(*) from found group by k order by k;
drop table found;

-- A key that the host has with more digits than registers hold, in a group that
-- an earlier row of the same batch has made
create table found (n numeric not null);
insert into found values (-0.000000000052666633051656697790895390), (-0.00000000000000000000000000000000005181);
select n - n as zero from found group by 1;
insert into found select n from found order by n desc;
select n * 0 as zero, count(*) from found group by 1;
drop table found;

-- Keys that are all constants: nothing to sort partial groups by
create table found (a text, b int) partition by list (b);
create table found_1 partition of found for values in (1);
create table found_2 partition of found for values in (2);
insert into found select case when i % 3 = 0 then 'x' else 'y' end, 1 + i % 2 from generate_series(1, 3000) i;
analyze found;
set enable_hashagg = off;
select a, count(*) from found where a = 'x' group by a order by a;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select a, count(*) from found_1 where a = 'x' group by a order by a;
select a, count(*) from found where a = 'x' group by a order by a;
reset max_parallel_workers_per_gather;
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
reset enable_hashagg;
drop table found;

-- A child too small for us beside a parent that is not: PostgreSQL's Partial
-- Aggregate over a scan that does not have the keys yet
create table found (a int, b int);
create table found_1 (c text) inherits (found);
insert into found select i % 10, i from generate_series(1, 20000) i;
insert into found_1 (a, b) values (3, 1), (30, 2);
analyze found, found_1;
set gpuscan.require = allow;
set gpuscan.startup_cost = 20;
select * from plan_of('select a + 1 as k, sum(b) from found group by 1 order by 1');
select a + 1 as k, sum(b) from found group by 1 order by 1;
select distinct a from found where b < 5 order by a;
select count(*), sum(b) from found;
reset gpuscan.startup_cost;
set gpuscan.require = require;
set client_min_messages = warning;
drop table found cascade;
reset client_min_messages;
