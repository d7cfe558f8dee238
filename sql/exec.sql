-- What the nodes in exec/ answer on rows that engines punt, on odd tables, on
-- rescans and on groups that outgrow memory.  Each query runs twice, with and
-- without gpuscan; require proves that the node took part.
set gpuscan.require = require;
set max_parallel_workers_per_gather = 0;
set synchronize_seqscans = off;
-- small tables must do
set enable_seqscan = off;
set enable_sort = off;
set gpuscan.startup_cost = 0;

-- differs(query): rows that one has and the other has not
create function differs(query text) returns bigint language plpgsql as $$
declare
	n bigint;
begin
	execute format('create temp table answer_on as select q::text as t from (%s) q', query);
	perform set_config('gpuscan.enabled', 'off', true), set_config('gpuscan.require', 'allow', true);
	execute format('create temp table answer_off as select q::text as t from (%s) q', query);
	-- as text: display scale counts
	select count(*) into n from (
		(table answer_on except all table answer_off)
		union all
		(table answer_off except all table answer_on)) d;
	perform set_config('gpuscan.enabled', 'on', true), set_config('gpuscan.require', 'require', true);
	drop table answer_on, answer_off;
	return n;
end $$;

--
-- numeric: what fits, what does not, and both in one group
--
create table num (id int not null, g int, x numeric, s text);
insert into num select i, i % 7, (i % 1000) / 8.0, 'plain' from generate_series(1, 2000) i;
insert into num values
	(3001, 1, 'NaN', 'special'), (3002, 2, 'Infinity', 'special'), (3003, 3, '-Infinity', 'special'),
	(3004, 4, 'Infinity', 'special'), (3005, 4, '-Infinity', 'special'), (3006, 5, null, 'special'),
	(3007, 8, 'NaN', 'alone'), (3008, 9, 'Infinity', 'alone'), (3009, 10, null, 'alone'),
	(3010, 11, 1234567890123456789012345678901234567890, 'digits'),
	(3011, 6, -1234567890123456789012345678901234567890.5, 'digits'),
	(3012, 12, 0.000000000000000000000000000001, 'scale'),
	(3013, 12, 1.0000000000000000000000000000000000000000, 'scale'),
	(3014, 0, 1e-50, 'scale'), (3015, 13, 1.0, 'equal'), (3016, 13, 1.00, 'equal'),
	(3017, 14, 0, 'zero'), (3018, 14, 0.000, 'zero'), (3019, null, 17.5, 'null'), (3020, null, null, 'null');
analyze num;
select differs('select g, count(*), count(x), sum(x), avg(x), min(x), max(x) from num group by g');
select differs('select count(*), count(x), sum(x), avg(x), min(x), max(x) from num');
select differs('select count(*), sum(x), avg(x) from num where s = ''plain''');
select differs('select x, count(*), min(id) from num group by x');
select differs('select s, x, sum(id) from num where id > 3000 group by s, x');
select differs('select * from num where x > 100');
select differs('select id from num where x > 10 and x < 11.5');
select differs('select 1, g, ''x''::text as c, count(*) from num group by 1, 2, 3');
select differs('select distinct 5 as five, g, null::int as none from num where g > 3');
select differs('select g, sum(x) filter (where id < 1000), count(*) filter (where x > 10), avg(x) filter (where s = ''none'') from num group by g');
-- the first row's form of a key is shown
select x, count(*) from num where g = 13 or g = 14 group by x order by x;
-- a parameter that has no form in an engine
prepare by_x(numeric) as select count(*) from num where x < $1;
execute by_x(100);
execute by_x('Infinity');
execute by_x('NaN');
execute by_x(null);
deallocate by_x;

-- all rows are punted: the host's own loop takes over
create table big as select i as id, i % 50 as g, i * 1e40 + 0.25 as x from generate_series(1, 20000) i;
analyze big;
select differs('select g, count(*), sum(x), avg(x), min(x), max(x) from big group by g');
select differs('select sum(x) from big where x > 1e44');
select differs('select * from big where x > 12345.5');
select differs('select x, count(*) from big group by x');
select differs('select count(*), count(x), sum(x), avg(x), min(x), max(x) from big');
select differs('select sum(x + 1), min(-x), sum(g) filter (where x > 100000.5), max(x) filter (where g = 3) from big');
select differs('select g, id - g, sum(x), max(x * 2) from big group by 1, 2');
-- which of equal values is shown: the last one, with its scale; some have no form in an engine
create table ties as select i as id, case when i % 11 = 0 then null else round(7::numeric, i * 37 % 50) end as x
	from generate_series(1, 12000) i;
insert into ties select i, round(7::numeric, 38 + i % 9) from generate_series(12001, 24000) i;
analyze ties;
select sum(differs(format('select count(*), count(x), sum(x), avg(x), min(x), max(x) from ties where id <= %s', n)))
from generate_series(2000, 24000, 5500) n;
select sum(differs(format('select id %% 5, sum(x), min(x), max(x) from ties where id <= %s group by 1', n)))
from generate_series(2000, 24000, 11000) n;

--
-- toasted and compressed values
--
create table toasted (id int, g text, v text, x numeric);
alter table toasted alter v set storage external;
insert into toasted
	select i, repeat('g' || i % 5, 500 * (i % 5)), repeat('v', 3000), (repeat('9', 20 + i % 3))::numeric
	from generate_series(1, 200) i;
analyze toasted;
select differs('select g, count(*), sum(id), max(x) from toasted group by g');
select differs('select v, count(*) from toasted group by v');
select differs('select id from toasted where g = repeat(''g1'', 500)');
select differs('select * from toasted where id < 20');

--
-- columns dropped, added, missing
--
create table altered (a int, b text, c int);
insert into altered select i, 'b' || i, i * 2 from generate_series(1, 500) i;
alter table altered drop column b;
alter table altered add column d int default 42, add column e numeric default 1.50, add column f text, add column h numeric default 7.00;
insert into altered select i, i, 1, 2.0, 'new', 3 from generate_series(501, 600) i;
analyze altered;
select differs('select d, e, f, count(*), sum(c), sum(e), sum(h) from altered group by d, e, f');
select differs('select * from altered where e < 2');
select differs('select a, h from altered where d = 42 and c < 100');

-- no columns, no rows
create table nothing ();
create table no_rows (a int, x numeric);
analyze nothing, no_rows;
select count(*) from nothing;
insert into nothing select from generate_series(1, 300);
select count(*) from nothing;
select count(*), count(a), sum(a), avg(x), min(a), max(x) from no_rows;
select a, sum(x) from no_rows group by a;
select count(*) from no_rows having count(*) > 0;

--
-- visibility: dead rows, our own changes, subtransactions
--
create table seen (a int, b int);
insert into seen select i, i % 10 from generate_series(1, 3000) i;
delete from seen where a % 3 = 0;
update seen set b = b + 1 where a % 5 = 0;
analyze seen;
select differs('select b, count(*), sum(a) from seen group by b');
begin;
insert into seen select i, 99 from generate_series(1, 100) i;
delete from seen where a < 50;
select differs('select b, count(*), sum(a) from seen group by b');
savepoint s;
update seen set b = 7;
select differs('select b, count(*), sum(a) from seen group by b');
rollback to s;
select differs('select b, count(*), sum(a) from seen group by b');
-- a command does not see what itself writes
insert into seen select count(*), b from seen where a > 10 group by b;
select differs('select b, count(*), sum(a) from seen group by b');
rollback;
vacuum seen;
select differs('select b, count(*), sum(a) from seen group by b');
select differs('select * from seen where b = 3');
-- the table grows while it is read
create table growing (a int);
insert into growing select generate_series(1, 1000);
analyze growing;
insert into growing select a + 1000 from growing where a > 0;
select count(*), sum(a) from growing;
create temp table temporary as select i as a, i % 3 as b, i / 7.0 as x from generate_series(1, 20000) i;
analyze temporary;
select differs('select b, count(*), sum(a), sum(x) from temporary group by b');

--
-- LIMIT, rescans, cursors, HAVING
--
create table rows (id int not null, g int, x numeric(10,2), c char(5), v varchar(10));
insert into rows select i, i % 100, i / 4.0, 'c' || i % 4, 'v' || i % 3 from generate_series(1, 10000) i;
analyze rows;
select id from rows where g = 17 limit 3;
select id, x, c from rows where x between 100 and 101 order by id;
select g, count(*) from rows group by g having sum(id) > 504500 order by g;
select g, count(*) from rows group by g having g < 2 and count(*) > 5 order by g;
select c || '|', v, count(*) from rows group by c, v order by 1, 2 limit 4;
select differs('select c, v, count(*), min(x), max(id) from rows group by c, v');
-- correlated: new parameters in each execution
set enable_memoize = off;
select differs('select r.g, (select count(*) from rows q where q.id < r.id) from rows r where r.g = 7 and r.id < 3000');
select differs('select r.id, s.n from (values (10), (20), (30)) r(id), lateral (select g, count(*) as n from rows q where q.id < r.id group by g) s');
begin;
declare c cursor for select id from rows where g = 5;
fetch 2 from c;
insert into rows values (-1, 5);
fetch 2 from c;
close c;
declare c scroll cursor for select g, count(*) from rows where g < 3 group by g;
fetch 2 from c;
fetch backward 1 from c;
move absolute 0 in c;
fetch 3 from c;
rollback;
-- errors come only from rows that PostgreSQL evaluates
create table risky (id int, a int, b int);
insert into risky select i, i, case when i = 900 then 2147483647 else 1 end from generate_series(1, 1000) i;
analyze risky;
select id from risky where a + b > 5 limit 3;
select count(*) from risky where a + b > 5;
select count(*) from risky where a < 900 and a + b > 5;
select sum(a + b) filter (where a < 900) from risky;

--
-- groups that outgrow work_mem
--
create table many as select i as id, (i * 7919) % 100003 as g, i / 8.0 as x from generate_series(1, 120000) i;
insert into many select i, i, 'NaN' from generate_series(1, 100000, 7) i;
insert into many select i, i, 1e45 from generate_series(1, 100000, 11) i;
analyze many;
set work_mem = '64kB';
select differs('select g, count(*), sum(x), avg(x), min(x), max(id) from many group by g');
select differs('select x, count(*) from many group by x');
select differs('select g::text as t, sum(id) from many group by g having count(*) > 1');
create function disk_used(query text) returns boolean language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (analyze, costs off, timing off, summary off) ' || query loop
		if line ~ 'Batches: \d+  Memory Usage: \d+kB  Disk Usage: [1-9]' then
			return true;
		end if;
	end loop;
	return false;
end $$;
select disk_used('select g, sum(x) from many group by g');
set temp_file_limit = '500kB';
\set VERBOSITY sqlstate
select count(*) from (select g, sum(x) from many group by g) s;
\set VERBOSITY default
reset temp_file_limit;
reset work_mem;
select disk_used('select g, sum(x) from many where id < 50 group by g');

-- what EXPLAIN ANALYZE says of time
create function explain_says(query text, what text) returns boolean language plpgsql as $$
declare
	line text;
begin
	for line in execute 'explain (analyze) ' || query loop
		if line like '%' || what || '%' then
			return true;
		end if;
	end loop;
	return false;
end $$;
select explain_says('select g, sum(x) from many where id < 50 group by g', 'Engine Time'),
	explain_says('select id from many where id < 50', 'Source Time');

drop table num, big, ties, toasted, altered, nothing, no_rows, seen, growing, temporary, rows, risky, many;
drop function differs, disk_used, explain_says;
