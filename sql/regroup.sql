-- Groups of groups: aggregates with DISTINCT, GROUPING SETS, ROLLUP and CUBE.
-- Each query runs twice, with and without gpuscan.
create schema regroup;
set search_path = regroup;
set max_parallel_workers_per_gather = 0;
set synchronize_seqscans = off;
set enable_seqscan = off;
set gpuscan.startup_cost = 0;

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

create table sales (id int not null, region text, product char(8), day date, units int, price numeric, big bigint, flag bool);
insert into sales
select i, (array['north', 'south', 'east', null])[1 + i % 4], 'p' || i % 11, date '2020-01-01' + i % 60, i % 23,
	(i % 97) / 4.0, i::bigint % 7 * 3000000000, i % 5 = 0
from generate_series(1, 20000) i;
-- what has no form in an engine, and NULLs
insert into sales (id, region, product, price) values
	(30001, 'north', 'p1', 'NaN'), (30002, 'north', 'p1', 'NaN'), (30003, 'south', null, 'Infinity'), (30004, 'south', 'p2', '-Infinity'),
	(30005, 'east', 'p3', 1234567890123456789012345678901234567890), (30006, 'east', 'p4', 1234567890123456789012345678901234567890),
	(30007, null, null, null), (30008, 'west', 'p1', -1e-40), (30009, 'only', 'NaN', 'NaN');
create table empty (a int, b int, c numeric);
analyze sales, empty;

create table queries (id int generated always as identity, query text);
insert into queries (query) values
	-- DISTINCT
	('select count(distinct region), count(distinct product) * 0 from (select region, region as product from sales) s'),
	('select count(distinct units), sum(distinct units), avg(distinct units), min(distinct units), max(distinct units) from sales'),
	('select count(*), count(units), sum(units), count(distinct units), sum(big) from sales'),
	('select region, count(*), sum(price), count(distinct units), sum(distinct units), max(day) from sales group by region'),
	('select region, count(distinct price), sum(distinct price), avg(distinct price), min(distinct price), sum(price) from sales group by region'),
	('select product, region, count(distinct day), sum(big) filter (where flag), count(*) filter (where not flag) from sales group by product, region'),
	('select region, count(distinct big), sum(distinct big), avg(distinct big) from sales where units > 3 group by region having count(distinct big) > 1'),
	('select region, count(distinct region), count(region) from sales group by region'),
	('select count(distinct flag), bool_and(distinct flag) from sales'),
	('select count(distinct a), sum(distinct a), avg(distinct c) * 0, count(*) from (select a, a as c from empty) e'),
	('select a, count(distinct b) from empty group by a'),
	('select count(distinct units) from sales where lower(region) = ''north'''),
	('select count(distinct units), count(distinct region), sum(distinct units), count(*), sum(units) from sales'),
	('select region, count(distinct units), count(distinct day), sum(distinct price), avg(distinct price), min(product), count(*) from sales where region is distinct from ''x'' group by region'),
	('select region, count(distinct units) filter (where flag), sum(distinct units) filter (where not flag), count(distinct units) from sales group by region'),
	('select count(distinct units) filter (where flag), count(*) filter (where flag) from sales'),
	('select count(distinct 1) filter (where flag), count(distinct 1) filter (where units > 1000) from sales'),
	('select region, count(distinct region), count(distinct flag), count(distinct price) from sales group by region'),
	('select region, flag, count(distinct units), count(distinct price), sum(distinct price), count(*), sum(big), grouping(region) from sales group by cube (region, flag)'),
	('select region, product, count(distinct region), count(distinct product), count(region) from sales group by grouping sets ((region), (product), ())'),
	('select region, count(distinct units) filter (where flag), sum(units) filter (where flag) from sales group by rollup (region)'),
	('select a, b, count(distinct c), count(distinct b) from empty group by rollup (a, b)'),
	('select count(distinct a), count(distinct b), count(*) from empty'),
	-- sets
	('select region, product, count(*), sum(price), avg(units), min(day) from sales group by rollup (region, product)'),
	('select region, product, flag, count(*), sum(big), grouping(region, product), grouping(flag), grouping(product, flag, region) from sales group by cube (region, product, flag)'),
	('select region, day, sum(units) from sales group by grouping sets ((region), (day), ())'),
	('select region, day, sum(units) from sales group by grouping sets ((region), (region), (day, region))'),
	('select region, product, count(*) from sales where units < 7 group by rollup (region), rollup (product) having grouping(region) = 0 or count(*) > 100'),
	('select price, count(*), grouping(price) from sales group by rollup (price)'),
	('select region || ''!'', upper(region), count(*) from sales group by rollup (region)'),
	('select units, count(*) from sales group by grouping sets (())  , units'),
	('select a, b, count(*), sum(c), grouping(a, b) from empty group by rollup (a, b)'),
	('select a, b, count(*) from empty group by grouping sets ((a), (b))'),
	('select a, count(*) from empty group by grouping sets ((), (), (a))'),
	('select region, grouping(region), count(*) from sales group by region'),
	('select count(*), sum(units) from sales group by grouping sets ((), ())');
select id, query from queries where differs(query) <> 0 order by id;
select count(*) from queries;

-- 1.0 and 1.00 are one group, shown as the first one is
create table forms (g int, x numeric);
insert into forms values (1, 1.0), (1, 1.00), (2, 2.000), (2, 2), (1, 1.000);
set gpuscan.require = require;
select x, count(*) from forms group by rollup (x) order by x;
select g, sum(distinct x), count(distinct x) from forms group by g order by g;
reset gpuscan.require;

-- memory
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select differs('select count(distinct id), sum(distinct id), count(*) from sales');
select differs('select id, count(distinct units), sum(price) from sales group by id');
select differs('select region, count(distinct id), count(distinct price), sum(distinct price), count(*), sum(big) from sales group by region');
select differs('select id, count(distinct units), count(distinct flag), sum(price) from sales group by rollup (id)');
select differs('select id, price, region, count(*), sum(units) from sales group by cube (id, price, region)');
reset work_mem;
reset hash_mem_multiplier;

-- again, from the start, and with other parameters
begin;
set local gpuscan.require = require;
declare c scroll cursor for select region, count(*), sum(units) from sales group by rollup (region) order by 1, 2;
fetch 2 from c;
fetch absolute 1 from c;
fetch last from c;
commit;
select differs('select x, (select count(distinct units) from sales where id > x) from generate_series(1, 20000, 5000) x');
select differs('select x, (select count(distinct units) + 100 * count(distinct region) from sales where id > x) from generate_series(1, 20000, 5000) x');
select differs('select x, n from generate_series(1, 3) x, lateral (select region, count(distinct units) n from sales group by region offset 0) s');
prepare rolled (int) as select region, count(*), grouping(region) from sales where id < $1 group by rollup (region) order by 1;
set plan_cache_mode = force_generic_plan;
execute rolled(100);
execute rolled(3);

-- what is refused
set gpuscan.explain_refusals = on;
create function refused(query text) returns text language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (costs off) ' || query loop
		if line like '%Not Offloaded%' then
			return substring(line from 'Not Offloaded: .*');
		end if;
	end loop;
	return null;
end $$;
select query, refused(query) from (values
	('select count(distinct (units, region)) from sales'),
	('select sum(distinct units order by units) from sales'),
	('select string_agg(distinct region, '','') from sales'),
	('select count(distinct 1) from sales')) q (query);

-- EXPLAIN in every format
reset gpuscan.explain_refusals;
set gpuscan.require = require;
create function explained(format text) returns setof text language plpgsql as $$
declare
	line text;
begin
	for line in execute format('explain (format %s, costs off) select region, product, count(*), grouping(region) from sales group by rollup (region, product)', format) loop
		-- from 18 on GROUP BY has an entry in the range table, and columns a prefix
		line := replace(regexp_replace(line, '(Engine(>|": "|: "?))[^"<]*', '\1...'), 'sales.', '');
		return query select l from regexp_split_to_table(line, '\n') l where l ~ 'Group|Engine';
	end loop;
end $$;
select explained('text');
select explained('json');
select explained('yaml');
select explained('xml');
