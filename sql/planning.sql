-- Which plans there are, and what programs they run.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema planning;
set search_path = planning;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set max_parallel_workers_per_gather = 0;
-- every row sampled: the same estimates each time
set default_statistics_target = 1000;

create table items (
	id int primary key, small int2, big int8, price numeric(10,2), rate numeric,
	day date, at timestamp, flag char(1), name varchar(10), note text, ok boolean);
insert into items
select i, i % 30, i, (i % 1000) / 100.0, i / 7.0, date '1995-01-01' + i % 1000,
	timestamp '1995-01-01' + i * interval '1 minute', chr(65 + i % 5), 'n' || i % 7, 's' || i % 11, i % 3 = 0
from generate_series(1, 50000) i;
create table tiny (id int primary key, label text);
insert into tiny select i, 'x' || i from generate_series(1, 10) i;
analyze items;
analyze tiny;

--
-- aggregation
--
explain (costs off) select count(*) from items;
explain (costs off) select flag, sum(price), count(*) from items group by flag order by flag;
explain (costs off, verbose)
select flag, sum(price * (1 - rate)), sum(price * (1 - rate) * (1 + rate)), avg(price), sum(price), count(rate), count(*)
from items where day <= date '1998-12-01' - interval '1200 days'
group by flag order by flag;
explain (costs off, verbose)
select sum(price * rate) from items
where day >= date '1996-01-01' and day < date '1996-01-01' + interval '1 year'
	and rate between 5 and 7 and big < 24;
-- an expression over aggregates, an expression as key, HAVING over what is not shown
explain (costs off, verbose)
select 100 * sum(price) / sum(big) as share, small + 1 from items
group by small + 1 having max(id) > 5 and min(day) is not null;
explain (costs off) select name, note from items group by name, note;
-- FILTER, and a branch that may fail under a mask
explain (costs off, verbose)
select sum(id * small) filter (where ok), sum(case when ok then 0 else id * small end) from items;
-- count of a constant; min and max of everything that has them
explain (costs off, verbose)
select count(1), min(small), max(big), min(price), max(day), min(at) from items where not ok;
-- a key that is also filtered, and a filtered column that is no key
explain (costs off, verbose) select small, count(*) from items where small > 3 and big > 7 group by small;
-- host filter below an aggregate
explain (costs off) select count(*) from items where price > 9 and note ~* '^s1';
-- aggregates above other nodes
explain (costs off) select small, sum(sum(price)) over (order by small) from items group by small;
explain (costs off) select t.label, q.n from tiny t
join (select small, count(*) n from items group by small) q on q.small = t.id;
explain (costs off) select t.label from tiny t
where t.id < (select count(*) from items i where i.small = t.id and i.ok);
explain (costs off) select distinct flag, count(*) from items group by flag;

--
-- scans
--
explain (costs off, verbose) select id, note from items where price > 9.98 and ok and note <> 's3';
explain (costs off, verbose) select ctid, tableoid, items from items where price > 9.98;
explain (costs off) select id from items where price > 9.98 limit 5;
explain (costs off) select i.id, t.label from items i join tiny t on t.id = i.small where i.price > 5;
explain (costs off) insert into tiny select id, note from items where price > 9.98;
-- order of the filters: cheap before expensive, and the host's last where nobody sees it
explain (costs off) select id from items where coalesce(flag, 'x') like 's1%' and price > 9.98;

--
-- who wins
--
explain (costs off) select * from items where id = 42;
explain (costs off) select * from tiny where label = 'x3';
explain (costs off) select * from items order by id desc limit 1;
explain (costs off) select * from items;
set gpuscan.enabled = off;
explain (costs off) select count(*) from items;
reset gpuscan.enabled;

--
-- constants, parameters, what is the same for all rows
--
prepare q as select sum(price * $1) from items where id > $1 and day > $2 and note <> $3 and big > $1 + 1;
set plan_cache_mode = force_generic_plan;
explain (costs off, verbose) execute q (5, '1996-01-01', 's1');
deallocate q;
reset plan_cache_mode;
explain (costs off) select count(*) from items where id > (select avg(id) from tiny);
explain (costs off) select count(*) from items where day < current_date - 3 and at < localtimestamp;
explain (costs off, verbose) select count(*) from items
where big = 5::smallint and at > date '1996-01-01' and day <> timestamp '1996-01-01 12:00';
-- a gating condition above
explain (costs off) select flag, count(*) from items where now() < '2000-01-01' group by flag;

--
-- expressions
--
explain (costs off, verbose) select count(*) from items
where small in (1, 2, null) and name not in ('n1', 'n2') and (price > 3 or ok or id is null);
explain (costs off, verbose) select count(*) from items
where coalesce(small, id) = 3 and nullif(id, 3) is not null and id is distinct from big and ok is not true;
explain (costs off, verbose) select count(*) from items
where case flag when 'A' then id * 2 > 5 when 'B' then false else -small < 3 end;
explain (costs off, verbose) select flag::text, day - date '1995-01-01', price + big, count(*) from items group by 1, 2, 3;

--
-- what of a row is there, and what is not
--
create table changed (a int, b text, c int);
insert into changed select i, 'b', i from generate_series(1, 20000) i;
alter table changed drop column b;
alter table changed add column d int default 42, add column e text default 'none', add column f numeric;
analyze changed;
explain (costs off, verbose) select e, sum(d), sum(f) from changed where c > 5 group by e;

--
-- partitions and children
--
create table parts (k int, v int) partition by range (k);
create table parts_low partition of parts for values from (0) to (50);
create table parts_high partition of parts for values from (50) to (100);
insert into parts select i % 100, i from generate_series(1, 40000) i;
analyze parts;
explain (costs off) select k, v from parts where v < 30;
explain (costs off) select k, v from parts where v < 30 and k < 20;

--
-- gpuscan.require
--
set gpuscan.require = require;
select count(*) from tiny where label <> 'x3';
select count(*) from tiny, items where tiny.id = items.small and items.price > 9;
insert into tiny select 11, 'x' from items where id = 1;
update tiny set label = 'y' where id = 11;
select label from tiny where id = 11 for update;
select relname from pg_class where oid = 'tiny'::regclass;
select max(id + random()) from tiny;
select count(*) from tiny where sqrt(id) > 2;
set gpuscan.require = forbid;
select count(*) from tiny;
select count(*) from items;
reset gpuscan.require;

drop schema planning cascade;
