-- Why what is not offloaded is not: each line of these tables of reasons once.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema refusals;
set search_path = refusals;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;
-- every row sampled: the same estimates each time
set default_statistics_target = 1000;
set gpuscan.explain_refusals = on;

create table t (a int, b int8, n numeric, d date, e char(3), s text, f boolean, r float8, j jsonb, ar int[]);
insert into t select i, i, i, date '2000-01-01' + i % 9, 'e', 's', true, i, '{}', '{1}' from generate_series(1, 5000) i;
create table pk (id int primary key, v int, bp bpchar);
insert into pk select i, i, 'x' from generate_series(1, 5000) i;
analyze t;
analyze pk;

-- the refusals of a query, without its plan
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

--
-- expressions
--
select query, refused(query) from (values
	('select count(*) from t where md5(s) = ''x'''),
	('select count(*) from t where quote_literal(s) = ''x'''),
	('select count(*) from t where s ~ ''x'''),
	('select count(*) from t where s !~* ''x'''),
	('select count(*) from t where ar && ''{1}'''),
	('select count(*) from t where random() > a'),
	('select count(*) from t where coalesce(j, ''{}'') is null'),
	('select count(*) from t where j ? ''x'''),
	('select count(*) from t where a = any(ar)'),
	('select count(*) from t where a = any((select array_agg(v) from pk)::int[])'),
	('select count(*) from t where s::numeric = 3'),
	('select count(*) from t where a in (select v + 1 from pk) or a = 5'),
	('select count(*) from t where least(ar, ar) is null'),
	('select count(*) from t where sqrt(n) = 3'),
	('select count(*) from t where n > 1e40'),
	('select count(*) from t where n > ''NaN'''),
	('select count(*) from t where n > 0.0000000000000000000000000000000000001'),
	('select count(*) from t where row(a, b) < row(1, 2)'),
	('select count(*) from t where t is null'),
	('select count(*) from t where ctid > ''(1,1)'''),
	('select count(*) from t where e ~ ''x'''),
	('select count(*) from t where s::bpchar = ''x'''),
	('select count(*) from t where overlay(s placing ''x'' from a for 2) = ''y'''),
	('select count(*) from t where d + make_interval(days => a) > now()'),
	('select count(*) from t where a in (select generate_series(1, 3))')
) q(query);

--
-- aggregates and keys
--
select query, refused(query) from (values
	('select max(r + random()) from t'),
	('select stddev(n + (select count(*) from pk where pk.v = t.a)) from t'),
	('select a, string_agg(s, '','') from t group by rollup (a)'),
	('select a, count(distinct s), corr(r, r) from t group by cube (a)'),
	('select ar, count(*) from t group by ar'),
	('select bp, count(*) from pk group by bp'),
	('select now(), count(*) from t group by now()'),
	('select generate_series(1, 2), count(*) from t'),
	('select count(*) from t where now() > ''2000-01-01''')
) q(query);

--
-- relations
--
create role refusals_reader;
grant usage on schema refusals to refusals_reader;
create table secret (a int, owner text);
insert into secret select i, 'refusals_reader' from generate_series(1, 2000) i;
alter table secret enable row level security;
create policy own on secret using ((owner = current_user and md5(owner) <> '') is true);
grant select on secret to refusals_reader;
create view barrier with (security_barrier) as select * from t where a < 50;
analyze secret;
select query, refused(query) from (values
	('select a from t tablesample system (50) where a < 3'),
	('select a from t where a < 3 for update'),
	('update pk set v = 0 from t where t.a = pk.id and t.b < 3'),
	('select count(*) from pg_class where relpages > 3'),
	('select count(*) from barrier where a = 3'),
	('select count(*) from barrier where n = 3'),
	('select count(*) from t'),
	('select a from t'),
	('select sum(v) from pk where id = 3')
) q(query);
set role refusals_reader;
explain (costs off) select count(*) from secret where a < 100;
explain (costs off) select count(*) from secret where a + 1 < 100;
reset role;

--
-- device quals do not overtake host quals that may fail
--
explain (costs off) select count(*) from t where factorial(b) > 1 and b > 0;
explain (costs off) select count(*) from t where b > 0 and factorial(b) > 1;
explain (costs off) select count(*) from t where coalesce(e, 'x') like '%x' and a > 0;
explain (costs off) select count(*) from t where coalesce(e, 'x') like 'x\' and a > 0;
explain (costs off) select count(*) from t where s ~ '^x[0-9]' and a > 0;
explain (costs off) select count(*) from t where s ~* '^x[0-9]' and a > 0;
explain (costs off) select count(*) from t where s ~* '^x[0-9]' and a + 1 > 0;
explain (costs off) select count(*) from t where s ~ s and a > 0;

--
-- settings and formats
--
explain (costs off, format json) select max(r + random()) from t where a > 3;
explain (costs off, format yaml) select max(r + random()) from t where a > 3;
explain (costs off, format xml) select max(r + random()) from t;
set gpuscan.explain_refusals = off;
explain (costs off) select max(r + random()) from t;
set gpuscan.device = opencl;
set gpuscan.cpu_level = sse9;
set gpuscan.nonsense = 1;

drop schema refusals cascade;
drop role refusals_reader;
