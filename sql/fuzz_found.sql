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
