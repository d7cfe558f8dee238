-- Texts that are made: ||, concat, upper and lower case, pads, trims, parts, casts.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema texts;
set search_path = texts;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;

create table t (id int, word text collate "C", v varchar(12) collate "C", c char(8), n numeric(12,3), i int, s smallint, b bool);
insert into t
select i, w, left(w, 12), left(w, 8), case when i % 13 > 0 then (i - 3000) * 1.375 end, i - 3000, i % 250 - 100, case when i % 3 > 0 then i % 2 = 0 end
from generate_series(1, 6000) i,
lateral (select (array['', 'Abc', 'a  ', '  Été  ', 'ÀÉ', 'one,two,,four', 'aXbXc', '日本語 text', 'The quick Brown fox', null, '12', ' -7 ', 'xyz'])[1 + i % 13]
	|| case when i % 5 = 0 then i % 40 || '' else '' end as w) x;
-- compressed in its row, out of its row, and in it as it is
create table long (id int, word text collate "C", apart text collate "C");
alter table long alter apart set storage external;
insert into long select i, repeat('Long ' || i % 7 || ' é', 100 + i % 3 * 400), repeat('Apart ' || i % 5, i % 4 * 300) from generate_series(1, 300) i;
analyze t, long;

-- rows that one has and the other has not
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

-- as a key, and the least of it
select made, differs(format('select %s as k, count(*), sum(i) from t group by 1', made)) as as_key,
	differs(format('select i %% 7 as k, min(%s), max(%1$s), count(%1$s) from t group by 1', made)) as least
from unnest(array['word || v', 'word || c', 'c || word', 'word || ''x'' || word', 'word || i', 'n || word', 'b || v',
	'concat(word, c, n, i, s, b)', 'concat(word)', 'concat_ws('','', word, c, v)', 'concat_ws(v, word, b, word)', 'concat_ws('','', word)',
	'concat_ws(null, word, v)', 'concat(''<'', word, null, ''>'')', 'concat_ws(''/'', null, v, ''last'')', 'lower(word)', 'upper(v)', 'initcap(word)', 'lower(c)', 'upper(word || c)',
	'replace(word, ''X'', ''--'')', 'replace(word, v, c)', 'split_part(word, '','', 2)', 'split_part(word, '','', -1)', 'split_part(word, v, 1)',
	'btrim(word)', 'ltrim(word)', 'rtrim(word)', 'trim(both ''a É'' from word)', 'ltrim(word, v)', 'rtrim(c, ''éx'')',
	'lpad(word, 6)', 'rpad(word, 9, ''é-'')', 'lpad(word, s, v)', 'reverse(word)', 'repeat(word, 3)', 'repeat(v, s)',
	'translate(word, ''aÉ日,'', ''1é'')', 'to_hex(i)', 'to_hex(i::int8)', 'chr(s + 200)', 'i::text', 's::varchar', 'n::text', 'b::text', '(i::int8 * 1000000000000)::text',
	'word::varchar(3)', 'v::char(5)::text', 'c::varchar(4)', 'word::char(2)::text', 'substring(word || v, 3, 5)', 'left(lower(v), 2)',
	'case when b then upper(word) else lower(word) end', 'coalesce(nullif(btrim(word), ''''), v, ''none'')',
	'case when s > 0 then repeat(''ab'', s) end']) made;
select made, differs(format('select %s as k, count(*) from t group by 1', made)) as as_key
from unnest(array['v::char(5)', 'word::char(2)', 'strpos(word, ''X'')', 'position(v in word)', 'ascii(word)', 'length(word || c)', 'i::text::int',
	's::text::smallint', '(s || ''000000'')::int8', 'octet_length(reverse(word))']) made;
select condition, differs(format('select id, word from t where %s', condition)) as differs
from unnest(array['word ilike ''A%''', 'word not ilike ''%X%''', 'c ilike ''a  %  ''', 'v ilike ''_b_''', 'word ilike ''%É%''', 'word ilike v', 'word ilike ''a\b%''',
	'lower(word) = ''abc''', 'word || v = ''AbcAbc''', 'concat_ws(''-'', word, v) like ''%-%a''', 'strpos(word, v) > 1', 'i::text like ''%7''',
	'lpad(i::text, 6, ''0'') < ''000100''', 'upper(word) in (''ABC'', ''AXBXC'', null)']) condition;

-- compressed and external values; results that are longer than what is made here
select made, differs(format('select %s as k, count(*), min(id) from long group by 1', made)) as differs
from unnest(array['lower(word)', 'word || apart', 'reverse(apart)', 'replace(word, ''Long'', ''longer than this'')', 'right(upper(word), 9)', 'repeat(word, 60)',
	'btrim(word, ''Longé 0123456'')', 'split_part(apart, '' '', 3)', 'lpad(apart, 2000, word)']) made;

-- bytes
create table bytes (id int, v bytea);
insert into bytes select i, case when i % 11 > 0 then decode(lpad(to_hex(i % 300), 4, '0'), 'hex') || repeat('x', i % 13 * (i % 3) * 20)::bytea end from generate_series(1, 2000) i;
select made, differs(format('select %s as k, count(*), min(id) from bytes group by 1', made)) as differs
from unnest(array['v', 'v || v', 'substring(v, 2)', 'substr(v, 1, 1)', 'length(v)', 'octet_length(v)', 'btrim(v, ''\x0078'')', 'ltrim(v, v)', 'rtrim(v, ''x'')',
	'position(''\x78''::bytea in v)', 'v < ''\x0080''', 'greatest(v, ''\x0100'')', 'nullif(v, ''\x0001'')']) made;
select condition, differs(format('select * from bytes where %s', condition)) as differs
from unnest(array['v = ''\x0011''', 'v > ''\x00ff78''', 'v in (''\x0012'', ''\x0103'', null)', 'v between ''\x00f0'' and ''\x0103''', 'v is null', 'substring(v, 2, 1) <> ''\xff''']) condition;

-- more groups than memory has room for
set work_mem = '64kB';
set hash_mem_multiplier = 1;
select differs('select word || i as k, count(*), max(upper(word || n)) from t group by 1') as spilled;
select differs('select lower(word) as k, count(distinct v || s) from t group by 1') as distinct_made;
reset work_mem;
reset hash_mem_multiplier;

-- rows of an untaken branch make nothing; errors are PostgreSQL's own
select differs('select case when s between 1 and 255 then chr(s) end as k, count(*) from t group by 1') as untaken;
select chr(id - 1) as k, count(*) from t where id < 4 group by 1;
select count(*) from t where repeat('x', 2147483647 - id) = 'x' and id = 1;
select count(word::int) from t;
select (i::text || '00')::smallint as k, count(*) from t group by 1;
select split_part(word, 'x', s) as k, count(*) from t group by 1;
select lpad(word, 2147483647, 'x') as k, count(*) from t group by 1;

-- dates are shown as DateStyle says, which may change under a plan that is kept
create table days (id int, d date);
insert into days select i, date '0002-12-20 BC' + i * 400 from generate_series(1, 3000) i;
insert into days values (0, 'infinity'), (0, '-infinity'), (0, '5874897-12-31'), (0, '4714-11-24 BC'), (0, null), (0, '9999-12-31'), (0, '10000-01-01');
analyze days;
set plan_cache_mode = force_generic_plan;
prepare shown as select d::text as k, concat(d, id) as k2, count(*) from days where id < 3 group by 1, 2 order by 1, 2;
set datestyle = iso;
execute shown;
select differs('select d::text as k, concat(''<'', d, ''>'') as k2, count(*) from days group by 1, 2') as iso;
set datestyle = german;
execute shown;
select differs('select d::text as k, concat(''<'', d, ''>'') as k2, count(*) from days group by 1, 2') as german;
reset datestyle;
reset plan_cache_mode;
deallocate shown;

-- parameters
prepare made(text, int) as select lpad(lower(word || $1), $2, $1) as k, count(*) from t where word ilike $1 group by 1 order by 1 limit 3;
execute made('ABC%', 9);
execute made('a%', 4);
execute made(null, 4);
set plan_cache_mode = force_generic_plan;
execute made('ABC%', 9);
execute made('a%', 4);
execute made(null, 4);
deallocate made;
reset plan_cache_mode;

explain (verbose, costs off) select lower(word) || c as k, count(*) from t where v ilike 'A%' group by 1;

set client_min_messages = warning;
drop schema texts cascade;
