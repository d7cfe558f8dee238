-- Types that lie as integers do: "char", oid, enums, money, time; bits of integers;
-- those that lie as texts without a header do: uuid, name;
-- and any other type as something that is NULL or not.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema types;
set search_path = types;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;
set lc_monetary = 'C';

create type mood as enum ('sad', 'ok', 'happy');
alter type mood add value 'grim' before 'ok';
create domain cheer as mood;
create domain price as money;
create type pair as (a int, b text);
create table t (id int, c "char", o oid, e mood, d cheer, m money, p price, k time, i4 int, i8 int8, i2 int2,
	dropped int, j jsonb, a int[], n inet, v interval, z timetz, r pair, x point, f float8, u uuid, b bytea);
alter table t drop column dropped;
insert into t select i, case when i % 7 > 0 then chr(48 + i % 60)::"char" end, case when i % 5 > 0 then (i * 1289::int8 * 1289 * 7 % 4294967296)::oid end,
	(array['sad', 'grim', 'ok', 'happy', null])[1 + i % 5]::mood, (array['sad', null, 'happy'])[1 + i % 3]::mood,
	case when i % 11 > 0 then (i % 997 - 500)::money / 8 end, (i % 13)::money, time '00:00' + i % 1000 * interval '86.401 s',
	i * 7919 % 100003 - 50000, (i * 7919)::int8 * 1000003 - 9000000000, i % 3000 - 1500,
	case when i % 2 = 0 then jsonb_build_object('i', i) end, case when i % 3 = 0 then array[i, i] end, case when i % 4 = 0 then '10.0.0.1'::inet end,
	case when i % 5 = 0 then interval '1 day' end, case when i % 6 = 0 then '12:00+01'::timetz end, case when i % 7 = 0 then row(i, 'x')::pair end,
	case when i % 8 = 0 then point(i, i) end, case when i % 9 = 0 then i / 3.0 end, case when i % 10 = 0 then md5(i::text)::uuid end,
	case when i % 11 = 0 then decode(md5(i::text), 'hex') end
from generate_series(1, 4000) i;
insert into t (id, c, o, m, k, i4, i8, i2) values
	(-1, '', 0, '-92233720368547758.08', '00:00', -2147483648, -9223372036854775808, -32768),
	(-2, (-1)::"char", 4294967295, '92233720368547758.07', '24:00', 2147483647, 9223372036854775807, 32767),
	(-3, (-128)::"char", 2147483648, '0', '23:59:59.999999', -1, -1, -1), (-4, null, null, null, null, null, null, null);
-- long enough for the toast table
update t set j = (select jsonb_agg(md5(i::text)) from generate_series(1, 400) i) where id = 4000;
alter table t add column late money default '5.50', add column later mood default 'ok', add column latest jsonb default '[]', add column last_char "char" default 'q',
	add column last_oid oid default 3000000000, add column last_time time default '01:02:03', add column nothing jsonb;
insert into t (id, late, later, latest, last_char, last_oid, last_time, nothing) values (-5, null, null, null, null, null, null, '1');
analyze t;

-- rows that one has and the other has not, as text
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

-- as keys, of one and of two
select e as key, differs(format('select %1$s as e, count(*), min(id) from t group by 1', e)),
	differs(format('select %1$s as e, i4 %% 3, count(*) from t group by 1, 2', e)),
	differs(format('select count(distinct %1$s) from t', e)),
	differs(format('select distinct %1$s as e from t', e))
from (values ($$c$$), ($$o$$), ($$e$$), ($$d$$), ($$m$$), ($$p$$), ($$k$$), ($$late$$), ($$later$$), ($$last_char$$), ($$last_oid$$), ($$last_time$$),
	($$c::int$$), ($$i4::oid$$), ($$o::int4$$), ($$o::int8$$), ($$i2 & 255::int2$$), ($$i4 & 4095$$), ($$i8 | 1$$), ($$i4 # 77$$), ($$~i2$$),
	($$~i8$$), ($$i2 << 3$$), ($$i4 << 33$$), ($$i8 << -1$$), ($$i2 >> 2$$), ($$i4 >> 5$$), ($$i8 >> 40$$), ($$gcd(i4, 360)$$),
	($$(i4 % 100)::"char"$$), ($$k + interval '1 mon 25:00'$$), ($$k - interval '30 min'$$), ($$extract(hour from k)$$),
	($$extract(epoch from k)$$), ($$make_date(2000 + id % 50, 2, 28)$$), ($$isfinite(make_date(2000, 1, 1) + i2)$$)) v(e);

-- least and greatest
select differs('select i4 % 10, min(o), max(o), min(m), max(m), min(k), max(k), min(p), max(late), min(last_oid), max(last_time) from t group by 1'),
	differs('select min(o), max(o), min(m), max(m), min(k), max(k) from t where id > 0 or id = -4'),
	differs('select min(o) filter (where c > ''Z''), max(m) filter (where e = ''ok'') from t');

-- bits of groups
select differs('select id % 10, bit_and(i2), bit_or(i2), bit_xor(i2), bit_and(i4), bit_or(i4), bit_xor(i4), bit_and(i8), bit_or(i8), bit_xor(i8) from t group by 1'),
	differs('select bit_and(i4 | 240), bit_or(i8 & 255) filter (where e = ''ok''), bit_xor(i4) filter (where id > 5000), count(distinct e) from t'),
	differs('select c, k, bit_xor(i8), bit_and(i2) from t group by grouping sets ((c), (k), ())');

-- conditions
select e as condition, differs(format('select id from t where %s', e))
from (values ($$c = '5'$$), ($$c < 'A'$$), ($$c >= 'Z'$$), ($$c in ('1', '2', 'x')$$), ($$c <> ''$$), ($$o = 0$$), ($$o > 2147483647$$),
	($$o < 4294967295::oid$$), ($$o in (0, 4294967295)$$), ($$e = 'ok'$$), ($$e <> 'grim'$$), ($$d::mood = 'sad'$$),
	($$e is distinct from 'happy'$$), ($$e in ('sad', 'grim')$$), ($$e = any ('{ok,happy}'::mood[])$$), ($$e = later$$), ($$m < '$1.00'$$),
	($$m between '-3' and '2.50'$$), ($$m + '1' > p and id > 0$$), ($$m * 2 > p and id > 0$$), ($$m / 3 = '1.04'$$),
	($$2::int2 * m <= '4' and id > 0$$), ($$k > '12:00'$$), ($$k = '24:00'$$), ($$k between '06:00' and '07:30'$$),
	($$last_oid = 3000000000$$), ($$i4::oid > 4000000000::oid$$), ($$i2 & 1::int2 = 1::int2 and i4 >> 3 > 100$$),
	($$c::int between 50 and 60$$)) v(e);

-- NULL or not, and how many, of what engines know nothing else of
select e as "column", differs(format('select id from t where %s is null', e)), differs(format('select id from t where %s is not null and i4 > 0', e)),
	differs(format('select i4 %% 7, count(%1$s), count(*) filter (where %1$s is null), count(%1$s) filter (where i4 > 0) from t group by 1', e)),
	differs(format('select id from t where i4 > 0 or %1$s is null and i2 < 0', e))
from (values ($$j$$), ($$a$$), ($$n$$), ($$v$$), ($$z$$), ($$x$$), ($$f$$), ($$u$$), ($$b$$), ($$latest$$), ($$nothing$$)) v(e);
select differs('select count(r), count(j), count(latest) from t');

-- inherited, and prepared
set plan_cache_mode = force_generic_plan;
prepare moods(mood, "char", oid, money, time, int) as select count(*), min(m), max(k) from t where e = $1 or c = $2 or o < $3 or m > $4 or k < $5 or i4 & $6 = 0;
execute moods('ok', '5', 100000, '40', '00:10', 7);
execute moods(null, '6', 4294967295, '41', '00:00', 4095);
set gpuscan.enabled = off;
execute moods('ok', '5', 100000, '40', '00:10', 7);
execute moods(null, '6', 4294967295, '41', '00:00', 4095);
set gpuscan.enabled = on;

-- run again for other rows
select g, s.* from generate_series(0, 2) g, lateral (select count(j), max(o), min(k) from t where i4 % 3 = g and c > '5') s order by g;

-- uuid and name: bytes of a fixed length, alone and behind others of any length
create domain ident as uuid;
create table b (u uuid, id int, n name, g uuid not null default '00000000-0000-0000-0000-000000000000', t text, d ident, l name collate "default");
insert into b select case when i % 7 > 0 then md5((i % 300)::text)::uuid end, i, case when i % 5 > 0 then (array['', 'a', 'a ', 'b', 'é', 'a_b', 'ab'])[1 + i % 7] || i % 3 end,
	md5(i::text)::uuid, case when i % 4 > 0 then repeat('x', i % 200) || (array['a1', 'b2', 'ab'])[1 + i % 3] end,
	case when i % 3 > 0 then md5((i % 10)::text)::uuid end, case when i % 6 > 0 then 'l' || i % 20 end
from generate_series(1, 4000) i;
insert into b (u, id, n) values ('ffffffff-ffff-ffff-ffff-ffffffffffff', -1, repeat('z', 63)), ('00000000-0000-0000-0000-000000000000', -2, repeat('z', 62) || 'y'),
	('80000000-0000-0000-0000-000000000000', -3, ''), ('7fffffff-ffff-ffff-ffff-ffffffffff00', -4, 'ab'), (null, -5, null);
alter table b add column late uuid default '12345678-9abc-def0-1234-56789abcdef0', add column later name default 'added';
insert into b (u, id, late, later, t, n) values (null, -6, null, null, 'ab', 'ab');
analyze b;
select e as key, differs(format('select %1$s as e, count(*), min(id) from b group by 1', e)),
	differs(format('select %1$s as e, id %% 3, count(*), count(%1$s) from b group by 1, 2', e)),
	differs(format('select count(distinct %1$s) from b', e)),
	differs(format('select distinct %1$s as e from b', e)),
	differs(format('select %1$s as e, id %% 4 as k, count(*) from b group by grouping sets ((1), (2), ())', e))
from (values ($$u$$), ($$n$$), ($$g$$), ($$d$$), ($$l$$), ($$late$$), ($$later$$), ($$n::text$$), ($$n::varchar$$), ($$coalesce(u, g)$$),
	($$coalesce(n, 'none')$$), ($$nullif(u, late)$$), ($$case when id % 2 = 0 then n else later end$$), ($$n || 'x'$$), ($$left(n, 1)$$),
	($$greatest(u, d, '80000000-0000-0000-0000-000000000000')$$)) v(e);
select e as condition, differs(format('select id from b where %s', e))
from (values ($$u = 'ffffffff-ffff-ffff-ffff-ffffffffffff'$$), ($$u <> late$$), ($$u < '80000000-0000-0000-0000-000000000000'$$),
	($$u <= '80000000-0000-0000-0000-000000000000'$$), ($$u > '7fffffff-ffff-ffff-ffff-ffffffffff00'$$), ($$u >= g$$), ($$u is null$$), ($$d is not null$$),
	($$d = md5('3')::uuid$$), ($$u is not distinct from d$$), ($$u between '40000000-0000-0000-0000-000000000000' and 'a0000000-0000-0000-0000-000000000000'$$),
	($$u in ('ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000', null)$$), ($$late = '12345678-9abc-def0-1234-56789abcdef0'$$),
	($$n = 'a1'$$), ($$n <> 'b2'$$), ($$n < 'b'$$), ($$n <= 'ab'$$), ($$n > 'é'$$), ($$n >= later$$), ($$n is null$$), ($$n = t$$), ($$t = n$$), ($$t <> n$$),
	($$n < t collate "C"$$), ($$t collate "C" >= n$$), ($$n = repeat('z', 63)$$), ($$n = repeat('z', 64)$$), ($$n = repeat('z', 64)::name$$), ($$n > repeat('z', 62)$$),
	($$n in ('a1', 'b0', '')$$), ($$n = any ('{a1,b2}'::text[])$$), ($$n like 'a%'$$), ($$n not like '%1'$$), ($$n like '_'$$), ($$l = 'l7'$$), ($$later = 'added'$$),
	($$n is distinct from 'a1'$$), ($$n::varchar = 'a1'$$), ($$length(n) = 3$$)) v(e);
-- lists that are looked up
select e as list, differs(format('select id from b where %1$s = any (%2$L::%3$s[])', e, a, y)), differs(format('select id from b where %1$s <> all (%2$L::%3$s[])', e, a, y)),
	differs(format('select id from b where %1$s = any (array_append(%2$L::%3$s[], null))', e, a, y))
from (values ('u', 'uuid', (select array_agg(md5(i::text)::uuid) from generate_series(1, 100) i)::text), ('n', 'name', (select array_agg('a' || i) from generate_series(1, 100) i)::text),
	('n', 'text', (select array_agg('b' || i) from generate_series(0, 100) i)::text)) v(e, y, a);
select differs('select id % 10, min(n), max(n), count(u), min(l collate "C"), max(n) filter (where u > late) from b group by 1');
prepare bytes(uuid, name, text) as select count(*), min(n), max(id) from b where u = $1 or n = $2 or n = $3 or d < $1;
execute bytes(md5('5')::uuid, 'a1', 'b1');
execute bytes(null, 'a2', null);
set gpuscan.enabled = off;
execute bytes(md5('5')::uuid, 'a1', 'b1');
execute bytes(null, 'a2', null);
set gpuscan.enabled = on;
-- the first of the texts of a group, as a value: with zeros behind it
select n, length(n::text), u from (select n, u from b where id < 0 group by 1, 2) s order by 1, 3;

-- money that overflows is an error, or wraps around in older servers: the same with and without us
create function outcome(query text) returns text language plpgsql as $$
declare
	result text;
begin
	execute query into result;
	return result;
exception when others then
	return sqlstate || ' ' || sqlerrm;
end $$;
create function same(query text) returns bool language plpgsql as $$
declare
	ours text;
begin
	perform set_config('gpuscan.require', 'require', true);
	ours := outcome(query);
	perform set_config('gpuscan.enabled', 'off', true), set_config('gpuscan.require', 'allow', true);
	return ours is not distinct from outcome(query) and set_config('gpuscan.enabled', 'on', true) is not null;
end $$;
select same('select count(*) from t where m + ''1'' > ''0'''), same('select count(*) from t where m - ''1'' > ''0'' and id < 0'),
	same('select count(*) from t where m * 3::int8 > ''0''');

-- one error each: PostgreSQL's own
select count(*) from t where (i4)::"char" = 'a';
select count(*) from t where i8::oid = 5;
select count(*) from t where p / (id - 17) > '0';
select count(*) from t where gcd(i4, 0) > 3;
select count(*) from t where lcm(i4, 65536) > 3;
select count(*) from t where make_date(id, 2, 29) > '2000-01-01';
-- and none for rows that are not reached
select count(*) from t where case when id > 0 then m + '1' > '0' else false end;

-- what stays with PostgreSQL
set gpuscan.explain_refusals = on;
explain (costs off) select max(e) from t;
explain (costs off) select count(*) from t where e < 'ok';
explain (costs off) select sum(m) from t;
explain (costs off) select count(*) from t where r is null;
explain (costs off) select j, count(*) from t group by j;
explain (costs off) select count(*) from t where i2::oid = 5;
set enable_sort = off;
explain (verbose, costs off) select e, count(j), min(o), max(i4 & 7) from t where a is not null and c <> 'x' and k + interval '1 hour' > '02:00' group by 1;

set client_min_messages = warning;
drop schema types cascade;
