-- extract, date_trunc, dates and timestamps plus intervals, the current time.
set client_min_messages = warning;
create extension if not exists gpuscan;
reset client_min_messages;
create schema datetime;
set search_path = datetime;
set gpuscan.cpu_level = base;
set gpuscan.device = cpu;
set gpuscan.startup_cost = 0;
set max_parallel_workers_per_gather = 0;
set datestyle = iso;
set intervalstyle = postgres;
set timezone = 'PST8PDT';

create table t (id int, d date, ts timestamp, n int);
insert into t
select i, date '4714-11-24 BC' + (i::int8 * 997 * case when i % 4 = 0 then 500 else 1 end)::int,
	timestamp '1900-01-01' + i * interval '13 days 07:11:13.017019', i % 10
from generate_series(1, 4000) i;
insert into t values (0, 'infinity', 'infinity', 0), (0, '-infinity', '-infinity', 0), (0, null, null, 0),
	(0, '4714-11-24 BC', '4714-11-24 BC', 0), (0, '5874897-12-31', '294276-12-31 23:59:59.999999', 0);
insert into t select 0, day::date, day + interval '23:59:59.999999', 0
from generate_series(timestamp '1999-12-20', '2010-01-10', '1 day') day;
analyze t;

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

--
-- every field, over days of all years and all days of ten
--
select field, differs(format('select extract(%s from d) as f, count(*) from t group by 1', field)) as of_date
from unnest('{day,week,month,quarter,year,decade,century,millennium,isoyear,dow,isodow,doy,julian,epoch}'::text[]) field;
select field, differs(format('select extract(%s from ts) as f, count(*) from t group by 1', field)) as of_timestamp
from unnest('{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,isoyear,dow,isodow,doy,epoch}'::text[]) field;
-- date_part: what it divides, to the last bit
select field, differs(format('select date_part(%L, ts) as f, count(*) from t group by 1', field)) as of_timestamp,
	differs(format('select date_part(%L, d) as f, count(*) from t where d < ''294276-01-01'' group by 1', field)) as of_date,
	differs(format('select id from t where date_part(%L, ts) * 7 between 30.5 and 200', field)) as compared
from unnest('{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,isoyear,dow,isodow,doy,epoch}'::text[]) field;
select field, differs(format('select date_part(%L, ts::time) as f, count(*), sum(date_part(%1$L, ts::time)) from t group by 1', field)) as of_time
from unnest('{microseconds,milliseconds,second,minute,hour,epoch}'::text[]) field;
select field, differs(format('select date_trunc(%L, ts) as f, count(*), sum(extract(second from ts)) from t where ts > ''4000-01-01 BC'' group by 1', field)) as truncated
from unnest('{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium}'::text[]) field;
select i as interval, differs(format('select ts + interval %1$L as f, count(*) from t where ts < ''290000-01-01'' group by 1', i)) as plus,
	differs(format('select ts - interval %1$L as f, count(*) from t where ts > ''4000-01-01 BC'' group by 1', i)) as minus,
	differs(format('select d + interval %1$L as f, count(*) from t where d < ''290000-01-01'' group by 1', i)) as date_plus
from unnest('{1 month,13 months,1 year -1 day,1 day,36:00:00,2 mons -3 days 4 hours,0.000001 s}'::text[]) i;
select differs('select ts::date as f, count(*) from t group by 1') as cast_to_date;

-- the digits behind the point are those of the field
select extract(second from ts), extract(milliseconds from ts), extract(microseconds from ts), extract(year from ts),
	extract(epoch from ts), extract(epoch from d), count(*)
from t where id = 7 group by 1, 2, 3, 4, 5, 6;

-- out of the calendar: PostgreSQL's own errors
select count(*) from t where ts + interval '1 us' > '2000-01-01';
select count(*) from t where d - interval '1 month' > '2000-01-01';
select date_trunc('month', ts), count(*) from t group by 1 limit 1;

-- what the programs hold
explain (verbose, costs off) select extract(second from ts), sum(extract(year from d)) from t group by 1;
explain (verbose, costs off) select count(*) from t
where date_trunc('month', ts) = '2001-01-01' and ts + interval '1 mon 1 day -1 hour' < '2002-01-01' and d - interval '1 day 1 us' > '1999-01-01';

--
-- what is not for an engine
--
set gpuscan.explain_refusals = on;
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
select query, refused(query) from (values
	('select count(*) from t where extract(hour from d) = 3'),
	('select count(*) from t where extract(julian from ts) = 3'),
	('select count(*) from t where extract(timezone from ts) = 3'),
	('select count(*) from t where extract(fortnight from ts) = 3'),
	('select count(*) from t where date_trunc(''epoch'', ts) = ''2000-01-01'''),
	('select count(*) from t where date_trunc(case n when 3 then ''day'' else ''hour'' end, ts) = ''2000-01-01'''),
	('select count(*) from t where date_part(''julian'', d) = 2000'),
	('select count(*) from t where date_part(''dow'', ts::time) = 3'),
	('select count(*) from t where ts + n * interval ''1 day'' > ''2000-01-01'''),
	('select count(*) from t where ts + interval ''400000 years'' > ''2000-01-01'''),
	('select count(*) from t where ts - ts > interval ''1 day''')
) q(query);
-- and raises its error where PostgreSQL raises it
select count(*) from t where extract(hour from d) = 3;
select count(*) from t where extract(fortnight from ts) = 3;
select count(*) from t where case when n > 100 then date_trunc('fortnight', now()) end is null;
-- also where that is nowhere, as there is no row
create table nothing (tz timestamptz);
analyze nothing;
set gpuscan.require = require;
select count(*) filter (where tz < now() + interval '400000 years'), max(case when tz is null then now() - interval '20000 years' end) from nothing;
reset gpuscan.require;

--
-- the current time is a parameter
--
create table days as
select current_date - i as d, now() - i * interval '1 day' as tz, localtimestamp - i * interval '1 day' as ts from generate_series(-500, 500) i;
analyze days;
select condition, differs('select d, ts from days where ' || condition) from (values
	('d >= current_date - interval ''30 days'''),
	('d between current_date - 30 and current_date'),
	('d > localtimestamp - interval ''2 mons'''),
	('tz >= now() - interval ''30 days'''),
	('tz >= date_trunc(''month'', now())'),
	('tz < current_timestamp'),
	('tz >= current_date'),
	('ts > now()'),
	('ts >= date_trunc(''month'', localtimestamp)'),
	('ts::date = current_date'),
	('extract(year from d) = extract(year from current_date)'),
	('date_trunc(''quarter'', ts) = date_trunc(''quarter'', localtimestamp)')
) q(condition);
explain (verbose, costs off) select count(*) from days where d >= current_date - interval '30 days' and tz >= date_trunc('month', now());
-- each execution has its own
begin;
truncate days;
insert into days select current_date - i, now() - i * interval '1 day', localtimestamp from generate_series(-500, 500) i;
set local gpuscan.require = require;
set local plan_cache_mode = force_generic_plan;
prepare recent(int) as select count(*) from days where d > current_date - $1 and tz <= now();
execute recent(0);
execute recent(1);
execute recent(30);
rollback;
deallocate recent;

--
-- time zones
--
create table z as
select i as id, t as tz, t at time zone 'UTC' as ts, (t at time zone 'UTC')::date as d
from generate_series(1, 3000) i, lateral (select timestamptz '1890-01-01 UTC' + i * interval '27 days 05:17:23.25' as t) q;
insert into z select 0, t, t at time zone 'UTC', (t at time zone 'UTC')::date
from generate_series(timestamptz '2011-03-01 UTC', '2012-01-01 UTC', '100 minutes 0.5 sec') t;
insert into z values (0, 'infinity', 'infinity', 'infinity'), (0, '-infinity', '-infinity', '-infinity'), (0, null, null, null),
	(0, '2099-12-31 23:59 UTC', '2099-12-31 23:59', '2099-12-31'), (0, '2100-01-01 UTC', '2100-01-01', '2100-01-01');
analyze z;
-- half hours, a day left out, two standard times, summer time in winter, hours only
create table zones as select unnest('{UTC,PST8PDT,Europe/London,Asia/Kolkata,Australia/Lord_Howe,Pacific/Apia,Europe/Moscow,Europe/Dublin,Africa/Casablanca,<+05:30>-05:30}'::text[]) as zone;
create function zone_differences(query text) returns text language sql as $$
	select string_agg(zone || ' ' || differs, ', ') from (
		select zone, (select differs(query) from set_config('timezone', zone, true)) from zones) q where differs <> 0
$$;
select expression, zone_differences(format('select %1$s as e, count(*), min(id) from z group by 1', expression))
from unnest(array['extract(hour from tz)', 'extract(second from tz)', 'extract(day from tz)', 'extract(week from tz)', 'extract(year from tz)', 'extract(epoch from tz)',
	'date_part(''hour'', tz)', 'date_part(''second'', tz)', 'date_part(''year'', tz)', 'date_part(''epoch'', tz)',
	'date_trunc(''minute'', tz)', 'date_trunc(''hour'', tz)', 'date_trunc(''day'', tz)', 'date_trunc(''week'', tz)', 'date_trunc(''month'', tz)', 'date_trunc(''century'', tz)',
	'date_trunc(''month'', d)', 'tz::date', 'tz::timestamp', 'ts::timestamptz', 'd::timestamptz', 'ts < tz', 'tz >= d', 'tz = ts', 'd <> tz', 'nullif(tz, ts)',
	'tz + interval ''1 day''', 'tz - interval ''1 mon 1 day 01:00''', 'tz + interval ''36:00:00''']) expression;
select zone_differences('select id from z where d >= date_trunc(''year'', now()) - interval ''10 years''');
select zone_differences('select id from z where ts < now() and tz > current_date - 1000 and tz::date <> date ''2012-01-01''');
-- another zone, another answer of the same plan
set plan_cache_mode = force_generic_plan;
prepare hours as select extract(hour from tz) as hour, count(*) from z where id = 7 group by 1;
set timezone = 'UTC';
execute hours;
set timezone = 'Asia/Kolkata';
execute hours;
create function in_zone() returns numeric language sql set timezone = 'PST8PDT' as 'select extract(hour from tz) from z where id = 7 and extract(day from tz) > 0';
set gpuscan.require = require;
select in_zone(), sum(extract(hour from tz)) from z where id = 7;
reset gpuscan.require;
deallocate hours;
reset plan_cache_mode;
set enable_sort = off;
explain (verbose, costs off) select date_trunc('hour', tz), count(*) from z where tz::date = date '2012-01-01' and tz + interval '1 mon 1 hour' < '2013-01-01' group by 1;
explain (verbose, costs off) select date_trunc('month', d), count(*) from z where ts > tz group by 1;
select query, refused(query) from (values
	('select count(*) from z where extract(timezone from tz) = 3'),
	('select count(*) from z where extract(julian from tz) = 3'),
	('select count(*) from z where date_trunc(''day'', tz, ''MSK'') = now()'),
	('select count(*) from z where tz at time zone ''MSK'' = ts')
) q(query);

drop schema datetime cascade;
