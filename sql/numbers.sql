-- Division, rounding, and casts among numbers.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema numbers;
set search_path = numbers;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;

create table t (id int, a int, b int8, s int2, n numeric(12,3), x numeric, f boolean);
insert into t select i, i * 7919 % 100003 - 50000, (i * 7919)::int8 * 1000003 - 9000000000, i % 3000 - 1500,
	(i * 104729 % 2000003 - 1000000) / 1000.0, (i * 104729 % 2000003 - 1000000)::numeric * 0.5::numeric ^ (i % 12), i % 3 = 0
from generate_series(1, 5000) i;
insert into t values (0, -2147483648, -9223372036854775808, -32768, -0.5, 'NaN', null),
	(-1, 2147483647, 9223372036854775807, 32767, 2.5, 1e40, true), (-2, null, null, null, null, null, null);
analyze t;

-- rows that one has and the other has not, as text: digits behind the point count
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

select e as expression, differs(format('select %1$s as e, count(*), min(id) from t where id > 0 or id = -2 group by 1', e))
from unnest('{a / 7,a % 7,-7 % a,b / 1000,b % 1000,b / a,a / (2 * s + 1),s / 7::int2,s % 7::int2,mod(a\, 13),
	n::int,n::int8,n::int2,x::int8,round(n),round(n\, 1),round(n\, 5),round(n\, -2),trunc(n),trunc(n\, 2),trunc(x\, 4),ceil(n),floor(n),ceiling(x),
	n::numeric(10\,1),n::numeric(20\,6),x::numeric(20\,2),x::numeric(10\,-2),abs(n),abs(x),sign(n),n % 7,n % 0.3,x % 1.01,mod(x\, 3),div(n\, 7),div(x\, 0.3),
	f::int,a::bool,round(n * 1.5\, 2),(n::numeric(10\,1) + 1)::int}'::text[]) e;

-- one error each: PostgreSQL's own
select count(*) from t where a / (id - 17) > 3;
select count(*) from t where b % (id - 17) > 3;
select count(*) from t where a / -1 > 3;
select count(*) from t where s / (-1)::int2 > 3;
select count(*) from t where b / -1 > 3 and id < 1;
select count(*) from t where n % (id - 17) > 3;
select count(*) from t where n::int2 > 3 and id between 1 and 3000 or (n * 100000)::int2 > 3;
select count(*) from t where x::int8 > 3 and id < 1;
select sum(n::numeric(3,1)) from t where id > 0;
-- and none for rows that are not reached
select count(*) from t where case when a <> 0 and id > 0 then b / a > 3 else false end;
select count(*) from t where id > 0 and (s = 0 or a / s > 3);

set enable_sort = off;
explain (verbose, costs off) select round(n, 1), sum(a / 7) from t where n::int % 2 = 0 and n::numeric(10,1) > 1 group by 1;

drop schema numbers cascade;
