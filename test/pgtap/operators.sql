-- Every function of the operator table against PostgreSQL, over all pairs of
-- edge values of its argument types.  The list comes from the library itself:
-- a new line of ops.def is tested without a word here.  Where the values of a
-- type do not do for an argument, "signature #n" has its own; what can be a
-- constant alone (an interval, the name of a field) stands in the query as one.
\set QUIET on
SET client_min_messages = warning;
-- dates as texts: another style is PostgreSQL's
SET datestyle = iso;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

CREATE TABLE edges (type text, n int, value text);
INSERT INTO edges
SELECT type, row_number() OVER (PARTITION BY type ORDER BY ord), value
FROM (VALUES
	('boolean', '{NULL,true,false}'::text[]),
	('smallint', '{NULL,-32768,-32767,-182,-1,0,1,2,181,182,32767}'),
	('integer', '{NULL,-2147483648,-2147483647,-46341,-32769,-1,0,1,2,46340,46341,32768,2147483647}'),
	('bigint', '{NULL,-9223372036854775808,-9223372036854775807,-3037000500,-2147483649,-1,0,1,2,3037000499,3037000500,2147483648,9223372036854775807}'),
	('numeric', '{NULL,0,0.00,1,1.0,1.000,-1,-1.0,0.1,-0.10,9999,10000,9999.9999,0.0001,0.00009,12345678901234567890,-98765432109876543210.123456789,9223372036854775807,9223372036854775808,-9223372036854775809,4611686018427387904,170141183460469231731687303715884105727,170141183460469231731687303715884105728,-170141183460469231731687303715884105728,1e30,1e-20,1e-36,1e-37,3.141592653589793238462643383279502884,1234567890123456789012345678901234567890,NaN,Infinity,-Infinity}'),
	('date', '{NULL,4714-11-24 BC,0001-01-01,1999-12-31,2000-01-01,2000-02-29,2024-12-31,294276-12-31,294277-01-01,5874897-12-31,-infinity,infinity}'),
	('timestamp without time zone', '{NULL,4714-11-24 00:00:00 BC,1999-12-31 23:59:59.999999,2000-01-01 00:00:00,2000-01-01 00:00:00.000001,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	('timestamp with time zone', '{NULL,4714-11-24 00:00:00+00 BC,1999-12-31 23:59:59.999999+00,2000-01-01 00:00:00+00,2000-01-01 00:00:00+01,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	('"char"', '{NULL,"",a,b,A,0," ",~,é}'),
	('oid', '{NULL,0,1,26,2147483647,2147483648,4294967295}'),
	('anyenum', '{NULL,sad,ok,happy}'),
	('money', '{NULL,-92233720368547758.08,-92233720368547758.07,-1,-0.01,0,0.01,1,2.55,46116860184273879.04,92233720368547758.07}'),
	('time without time zone', '{NULL,00:00:00,00:00:00.000001,06:30:00,12:34:56.789,23:59:59.999999,24:00:00}'),
	('time with time zone', '{NULL,00:00:00+00,12:00:00+00,13:00:00+01,11:00:00-01,11:00:00.000001-01,23:59:59.999999-15:59:59,00:00:00+15:59:59,24:00:00+00,24:00:00-08}'),
	('inet', '{NULL,0.0.0.0,0.0.0.0/0,0.0.0.0/1,10.0.0.1,10.0.0.1/8,10.0.0.0/8,10.0.0.1/9,10.128.0.0/9,255.255.255.255,127.255.255.255/1,::,::/0,::1,2001:db8::1,2001:db8::1/64,2001:db8::/64,2001:db8::/65,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,a00:1::}'),
	('cidr', '{NULL,10.0.0.0/8,10.0.0.0/9,10.0.0.1,0.0.0.0/0,::/0,2001:db8::/32}'),
	('macaddr', '{NULL,00:00:00:00:00:00,00:00:00:00:00:01,00:00:01:00:00:00,7f:ff:ff:ff:ff:ff,80:00:00:00:00:00,ff:ff:ff:ff:ff:fe,ff:ff:ff:ff:ff:ff}'),
	('character', '{NULL,"","a","a  ","ab","b","é","  ","a c"}'),
	('character varying', '{NULL,"","a","a ","ab   ","abé","日本語x","abcdefgh  x","é"}'),
	('bytea', '{NULL,"\\x","\\x00","\\x0000","\\x01","\\x61","\\x6162","\\x616200","\\x7f","\\x80","\\xff","\\xff00ff","\\x6161626100","\\x00010203040506","\\x0001020304050607","\\x000102030405060708","\\x00010203040506070809ff"}'),
	('uuid', '{NULL,00000000-0000-0000-0000-000000000000,00000000-0000-0000-0000-000000000001,00000000-0000-0001-0000-000000000000,00000000-0000-0000-8000-000000000000,7fffffff-ffff-ffff-ffff-ffffffffffff,80000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-fffffffffffe,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
	('name', '{NULL,"","a","a ","ab","b","é","aé日😀b","abcdefgh","abcdefghi","%","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyx","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyz","ab%hi"}'),
	('text', '{NULL,"","a","a ","ab","b","é","aé日😀b","été été été été","abcdefg","abcdefgh","abcdefghi","%","_","__%","%a%","a%","%b ","%b%h%","a_c%","ab%hi","%é_%","_é","été €",
			"\\","a\\","%\\","\\%","%\\_%","100%_\\","xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxz","%xyxz","%yxy%xz%","%x_y%"}'),
	('real', '{NULL,0,-0,1,-1,0.1,-2.5,3,1e-45,-1.2e-38,1.1754944e-38,3.4028235e38,-3.4028235e38,16777216,-32768.5,2147483648,9.223372e18,1e20,Infinity,-Infinity,NaN}'),
	('double precision', '{NULL,0,-0,1,-1,0.1,-2.5,3,4.9406564584124654e-324,-2.2250738585072014e-308,1e-160,1.7976931348623157e308,-1.7976931348623157e308,1e160,3.4028235677973366e38,9007199254740993,-32768.5,2147483647.5,9223372036854775807,Infinity,-Infinity,NaN}')
) v(type, list), unnest(list) WITH ORDINALITY u(value, ord);

-- fields, and times that tell them apart
INSERT INTO edges
SELECT type, row_number() OVER (PARTITION BY type ORDER BY ord), value
FROM (VALUES
	('{"extract(text, date) #1"}'::text[],
	 '{day,month,quarter,week,year,decade,century,millennium,isoyear,dow,isodow,doy,julian,epoch,d,YEAR,mon,centuries}'::text[]),
	('{"extract(text, timestamp without time zone) #1","date_part(text, timestamp without time zone) #1","extract(text, timestamp with time zone) #1","date_part(text, timestamp with time zone) #1"}',
	 '{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,isoyear,dow,isodow,doy,epoch,us,Msec,m,y,timezone,timezone_hour,timezone_m}'),
	('{"extract(text, interval) #1","date_part(text, interval) #1"}',
	 '{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,epoch,us,Msec,m,y,julian,timezone}'),
	('{"extract(text, time without time zone) #1","date_part(text, time without time zone) #1"}', '{microseconds,milliseconds,second,minute,hour,epoch,us,Msec,m,day,century}'),
	('{"date_bin(interval, timestamp without time zone, timestamp without time zone) #1","date_bin(interval, timestamp with time zone, timestamp with time zone) #1"}',
	 '{"15 minutes","1 day","7 days 00:00:00.000001","-1 day 48:00:00","1 us","100000000 days","9223372036854 seconds","900 s","0","-1 hour","1 month"}'),
	('{"date_bin(interval, timestamp without time zone, timestamp without time zone) #3"}',
	 '{2001-01-01 00:00:00,1999-12-31 23:59:59.999999,4714-11-24 00:00:00 BC,294276-12-31 23:59:59.999999,infinity,NULL}'),
	('{"date_bin(interval, timestamp with time zone, timestamp with time zone) #3"}',
	 '{2001-01-01 00:00:00+00,1999-12-31 23:59:59.999999+00,4714-11-24 08:00:00+00 BC,294276-12-31 23:59:59.999999+00,-infinity,NULL}'),
	('{"make_date(integer, integer, integer) #1"}', '{NULL,-4714,-4713,-1,0,1,1900,2000,2023,5874897,5874898,-2147483648,2147483647}'),
	('{"make_date(integer, integer, integer) #2"}', '{NULL,-1,0,2,6,11,12,13}'),
	('{"make_date(integer, integer, integer) #3"}', '{NULL,-2147483648,0,1,2,3,24,28,29,30,31,32,2147483647}'),
	('{"date_trunc(text, timestamp without time zone) #1","date_trunc(text, timestamp with time zone) #1"}',
	 '{microseconds,milliseconds,second,minute,hour,day,week,month,quarter,year,decade,century,millennium,us,Msec,m,y}'),
	-- the zone is PST8PDT: either side of its transitions, and of the times it has a table for
	('{"extract(text, timestamp with time zone) #2","date_part(text, timestamp with time zone) #2","date_trunc(text, timestamp with time zone) #2","timestamptz_pl_interval(timestamp with time zone, interval) #1","timestamptz_mi_interval(timestamp with time zone, interval) #1","date(timestamp with time zone) #1","timestamp(timestamp with time zone) #1"}',
	 '{NULL,4714-11-24 08:00:00+00 BC,0001-01-01 00:00:00+00,1883-11-18 19:59:59.999999+00,1883-11-18 20:00:00+00,1899-12-31 23:59:59.999999+00,1900-01-01 00:00:00+00,1900-01-02 08:00:00+00,1918-03-31 09:59:59.999999+00,1918-03-31 10:00:00+00,1945-08-14 23:00:00+00,1999-12-31 23:59:59.999999+00,2000-01-01 07:59:59.999999+00,2000-01-01 08:00:00+00,2000-01-01 00:00:00.000001+00,2011-03-12 18:00:00+00,2011-03-13 09:59:59.999999+00,2011-03-13 10:00:00+00,2011-03-13 23:15:00+00,2011-11-06 07:30:00+00,2011-11-06 08:59:59.999999+00,2011-11-06 09:00:00+00,2011-11-06 09:59:59+00,2011-11-06 10:00:00+00,2024-02-29 20:00:00+00,2037-11-01 09:00:00+00,2041-03-10 10:00:00+00,2099-12-29 12:00:00+00,2099-12-31 23:59:59.999999+00,2100-01-01 00:00:00+00,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	('{"timezone(text, timestamp without time zone) #1","timezone(text, timestamp with time zone) #1"}',
	 '{UTC,Europe/Berlin,america/new_york,EST,EDT,Asia/Kolkata,Australia/Lord_Howe,"<+03>-03",MSK,nowhere,Africa/Monrovia}'),
	('{"date_trunc(text, timestamp with time zone, text) #3"}', '{UTC,Europe/Berlin,EDT,Asia/Kolkata,MSK}'),
	('{"date_trunc(text, timestamp with time zone, text) #1"}', '{microseconds,hour,day,week,century,y}'),
	('{"date_trunc(text, timestamp with time zone, text) #2","timezone(text, timestamp with time zone) #2"}',
	 '{NULL,0001-01-01 00:00:00+00,1883-11-18 20:00:00+00,1899-12-31 23:59:59.999999+00,1900-01-01 00:00:00+00,1918-03-31 10:00:00+00,1972-01-07 00:44:30+00,1999-12-31 23:59:59.999999+00,2000-01-01 07:59:59.999999+00,2011-03-13 10:00:00+00,2011-10-30 00:59:59+00,2011-10-30 01:00:00+00,2024-02-29 20:00:00+00,2037-11-01 09:00:00+00,2100-01-01 00:00:00+00,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	('{"timezone(text, timestamp without time zone) #2"}',
	 '{NULL,4714-11-24 00:00:00 BC,1899-12-31 23:59:59,1900-01-02 00:00:00,1918-03-31 02:30:00,2011-03-13 02:30:00,2011-03-27 02:30:00,2011-10-02 02:15:00,2011-10-30 02:30:00,2011-11-06 01:30:00,2099-12-30 00:00:00,2100-01-01 00:00:00,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	('{"timestamptz(timestamp without time zone) #1"}',
	 '{NULL,4714-11-24 00:00:00 BC,1883-11-18 12:00:00,1899-12-31 23:59:59,1900-01-01 00:00:00,1900-01-02 00:00:00,1900-01-03 00:00:00,1918-03-31 02:30:00,2011-03-13 01:59:59.999999,2011-03-13 02:00:00,2011-03-13 02:59:59.999999,2011-03-13 03:00:00,2011-03-14 03:00:00,2011-11-05 01:30:00,2011-11-06 00:59:59.999999,2011-11-06 01:00:00,2011-11-06 01:00:00.5,2011-11-06 01:59:59.999999,2011-11-06 02:00:00,2011-11-07 02:00:00,2099-12-29 23:59:59.999999,2099-12-30 00:00:00,2100-01-01 00:00:00,294276-12-31 16:00:00,294276-12-31 15:59:59.999999,-infinity,infinity}'),
	('{"timestamptz(date) #1"}',
	 '{NULL,4714-11-24 BC,1900-01-01,1900-01-02,1900-01-03,1918-03-31,2011-03-13,2011-03-14,2011-11-06,2011-11-07,2099-12-29,2099-12-30,2100-01-01,294276-12-31,294277-01-01,-infinity,infinity}'),
	('{"extract(text, date) #2"}',
	 '{NULL,4714-11-24 BC,4714-12-31 BC,4713-01-01 BC,1001-12-31 BC,1000-01-01 BC,0101-12-31 BC,0011-06-15 BC,0002-01-01 BC,0001-01-01 BC,0001-02-29 BC,0001-12-31 BC,0001-01-01,0009-12-31,0010-01-01,0100-12-31,0101-01-01,1000-12-31,1582-10-10,1899-12-31,1900-02-28,1969-12-31,1970-01-01,1999-12-31,2000-01-01,2000-01-02,2000-01-03,2000-02-29,2001-01-01,2004-12-31,2005-01-01,2005-01-02,2006-01-01,2008-12-29,2010-01-03,2024-02-29,2026-12-31,2027-01-01,294276-12-31,294277-01-01,1465001-03-01,5874897-12-31,-infinity,infinity}'),
	('{"extract(text, timestamp without time zone) #2","date_part(text, timestamp without time zone) #2","date_trunc(text, timestamp without time zone) #2","timestamp_pl_interval(timestamp without time zone, interval) #1","timestamp_mi_interval(timestamp without time zone, interval) #1","date(timestamp without time zone) #1"}',
	 '{NULL,4714-11-24 00:00:00 BC,4714-11-24 00:00:00.000001 BC,4714-11-30 23:59:59.999999 BC,4714-12-31 12:00:00 BC,4713-01-01 00:00:00 BC,1001-12-31 23:59:59.999999 BC,1000-01-01 00:00:00 BC,0011-06-15 07:08:09.100000 BC,0001-02-29 12:34:56.789012 BC,0001-12-31 23:59:59.999999 BC,0001-01-01 00:00:00,0100-12-31 23:00:00,0101-01-01 00:00:00,1000-12-31 00:00:00,1582-10-10 10:10:10.101010,1900-02-28 23:59:59.999999,1969-12-31 23:59:59.999999,1970-01-01 00:00:00,1999-12-31 23:59:59.999999,2000-01-01 00:00:00,2000-01-01 00:00:00.000001,2000-02-29 01:02:03.000999,2001-01-31 00:59:59.001,2004-12-31 13:00:00,2005-01-02 00:00:00,2006-01-01 00:00:00.5,2024-02-29 23:59:60,2024-03-31 12:00:00,2024-10-31 06:30:00,2026-12-31 23:59:59,294246-01-01 00:00:00,294247-01-10 04:00:54.775806,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	-- letters and what stands beside them in ASCII
	('{"lower(text) #1","upper(text) #1","initcap(text) #1"}',
	 '{NULL,"","a","Z","aBcDeFgHiJkLmNoPqRsTuVwXyZ","@AZ[`az{","0aB-9Cd_E fG\"hI","ABCDEFGH","ABCDEFGHI","ABCDEFG","ÀÉîÑ été","ISTANBULı","xÀBCDEFGH","ABCDEFGHÀ","ǆ","ΑΣ"}'),
	('{"texticlike(text, text) #2","texticnlike(text, text) #2","bpchariclike(character, text) #2","bpcharicnlike(character, text) #2"}',
	 '{NULL,"","A","a","AB%","%B","_B%","%É%","É_","\\A","A\\","%\\%_","A  ","XY%XZ","%YXYX%","ABCDEFGHI","%gH%","A C"}'),
	('{"position(text, text) #2","strpos(text, text) #2","btrim(text, text) #2","ltrim(text, text) #2","rtrim(text, text) #2","replace(text, text, text) #2","split_part(text, text, integer) #2","translate(text, text, text) #2"}',
	 '{NULL,"","a","b","é","日","ab","éa","été"," ","xy","yx","xyxyxz","fgh","abcdefghi","ba z","aa","😀"}'),
	('{"replace(text, text, text) #3","translate(text, text, text) #3","lpad(text, integer, text) #3","rpad(text, integer, text) #3"}',
	 '{NULL,"","a","é","xy","日本語","é1","abcdefghi","12"}'),
	('{"split_part(text, text, integer) #3"}', '{NULL,-2147483648,-4,-3,-2,-1,0,1,2,3,4,15,2147483647}'),
	('{"repeat(text, integer) #2"}', '{NULL,-2147483648,-1,0,1,2,3,9,70000,1073741820,2147483647}'),
	('{"lpad(text, integer, text) #2","rpad(text, integer, text) #2"}',
	 '{NULL,-2147483648,-1,0,1,2,3,5,8,9,17,64,268435455,268435456,2147483647}'),
	('{"chr(integer) #1"}',
	 '{NULL,-2147483648,-1,0,1,10,65,127,128,233,255,256,2047,2048,8364,55295,55296,57343,57344,65533,65535,65536,128512,1114111,1114112,2147483647}'),
	('{"bpchar(character, integer, boolean) #2","varchar(character varying, integer, boolean) #2"}',
	 '{NULL,-1,0,3,4,5,6,7,9,12,13,14,1000,2147483647}'),
	('{"int2in(cstring) #1","int4in(cstring) #1","int8in(cstring) #1"}',
	 '{NULL,""," ","0","-0","+5","-"," 12 ","	7
","12x","x","--1","1 2","00000000000000000000001","32767","32768","-32768","-32769","2147483647","2147483648","-2147483648","-2147483649","9223372036854775807","9223372036854775808","-9223372036854775808","-9223372036854775809","99999999999999999999","0x1F","0b1","1_000","é"}'),
	-- concat(a, b, c) shows three types, concat_ws a separator and two texts
	('{"concat(\"any\") #1","concat_ws(text, \"any\") #1","concat_ws(text, \"any\") #3"}', '{NULL,"","a","é ","abcdefghi","日本"}'),
	('{"concat(\"any\") #2"}', '{NULL,"","a  ","é","  "}'),
	('{"concat(\"any\") #3"}', '{NULL,0,-1.50,170141183460469231731687303715884105727,NaN}'),
	('{"concat_ws(text, \"any\") #2"}', '{NULL,"","x","é"}'),
	('{"to_char(timestamp without time zone, text) #2","to_char(timestamp with time zone, text) #2"}',
	 '{YYYY-MM-DD,YYYYMMDDHH24MISS,"IYYY-\"W\"IW-ID","yyyy/mm/dd hh24:mi:ss.ms","DDD D Q WW US %","Month MONTH month|Mon MON mon","Day DAY day|Dy DY dy","HH12:MI AM, hh pm","\"a\\\"b\" \\\\ é","\"x YYYY"}'),
	('{"to_char(timestamp without time zone, text) #1"}',
	 '{NULL,0001-01-01 00:00:00,0001-12-31 23:59:59.999999 BC,0999-12-31 12:00:00,1582-10-10 10:10:10.101010,1900-02-28 23:59:59.999999,1969-12-31 11:59:59.999999,1999-12-31 23:59:59.999999,2000-01-01 00:00:00,2000-02-29 01:02:03.000999,2004-12-31 13:00:00,2005-01-02 00:00:00,2006-01-01 00:00:00.5,2024-02-29 23:59:60,2024-12-30 06:30:00,2026-05-31 23:59:59,9999-12-31 23:59:59,10000-01-01 00:00:00,294276-12-31 23:59:59.999999,-infinity,infinity}'),
	('{"to_char(timestamp with time zone, text) #1"}',
	 '{NULL,0001-01-01 00:00:00+00,1883-11-18 20:00:00+00,1999-12-31 23:59:59.999999+00,2000-01-01 08:00:00+00,2011-03-13 10:00:00+00,2011-11-06 08:59:59.999999+00,2011-11-06 09:00:00+00,2024-02-29 20:00:00+00,2100-01-01 00:00:00+00,9999-12-31 23:59:59+00,294276-12-31 23:59:59.999999+00,-infinity,infinity}'),
	-- ((p << 16) | (s & 2047)) + 4
	('{"numeric(numeric, integer) #2"}',
	 '{NULL,-1,0,3,4,65540,65541,327684,327686,655366,2490406,2490372,2494466,2555908,65536004,524289,524290,200708,329730}'),
	('{"round(numeric, integer) #2","trunc(numeric, integer) #2"}',
	 '{NULL,-2147483648,-40,-39,-38,-37,-5,-4,-2,-1,0,1,2,3,4,5,9,18,19,35,36,37,2147483647}'),
	('{"round(numeric, integer) #1","trunc(numeric, integer) #1","numeric(numeric, integer) #1","int8(numeric) #1","int4(numeric) #1","int2(numeric) #1","ceil(numeric) #1","floor(numeric) #1","ceiling(numeric) #1"}',
	 '{NULL,0,0.00,1,1.0,-1.000,0.4,0.5,-0.5,0.50,-0.49999,1.5,2.5,-2.5,14.5,-1.05,9.995,99.995,99.95,-999.5,0.001,-0.001,1e-36,-1e-36,49,50,-50,150,32767.4,32767.5,-32768.4,-32768.5,2147483647.49,2147483647.5,-2147483648.49,-2147483648.5,9223372036854775807.4,9223372036854775807.5,-9223372036854775808.4,-9223372036854775808.5,999999999999999999,4999999999999999999,5000000000000000000,49999999999999999999999999999999999999,50000000000000000000000000000000000000,170141183460469231731687303715884105727,-170141183460469231731687303715884105728,170141183460469231731687303715884105728,1.70141183460469231731687303715884105,1e40,1e-37,0.000000000000000000500000000000000000,123456789.987654321,NaN,Infinity,-Infinity}'),
	('{"mod(numeric, numeric) #2","numeric_mod(numeric, numeric) #2","div(numeric, numeric) #2","numeric_div_trunc(numeric, numeric) #2"}',
	 '{NULL,0,0.00,1,-1,1.0,-1.00,2,3,-7,0.3,0.0001,-0.07,10,9999.9999,1e18,9223372036854775808,1e30,1e-36,1e-37,170141183460469231731687303715884105727,1e40,NaN,Infinity,-Infinity}'),
	-- functions of one floating-point number: either side of the integers' limits, halves, where functions end
	(ARRAY(SELECT f || '(double precision) #1' FROM unnest('{int2,int4,int8,float4,sqrt,dsqrt,cbrt,dcbrt,exp,dexp,ln,dlog1,log,log10,dlog10,acos,asin,atan,cos,sin,tan,cot,sinh,cosh,tanh,asinh,acosh,atanh,degrees,radians,ceil,ceiling,floor,round,dround,trunc,dtrunc,sign,abs,float8abs,float8um,float8up,acosd,asind,atand,cosd,sind,tand,cotd}'::text[]) f),
	 '{NULL,0,-0,0.5,-0.5,0.49999999999999994,1.5,2.5,-2.5,1,-1,1.0000000000000002,-1.0000000000000002,0.1,2,3,10,100,1e-5,30,45,60,90,-90,180,270,360,720,-450,1e15,4503599627370497.5,9007199254740993,1e22,1e300,709.78,709.79,-745.13,-745.14,710.5,-710.5,1e-160,1e-300,4.9406564584124654e-324,-4.9406564584124654e-324,2.2250738585072014e-308,1.7976931348623157e308,-1.7976931348623157e308,3.4028234663852886e38,3.4028235677973366e38,-3.4028235677973366e38,1.4012984643248171e-45,7.0064923216240854e-46,-7.1e-46,16777217,32767.49,32767.5,-32768.5,-32768.51,2147483647.49,2147483647.5,-2147483648.5,-2147483648.51,9223372036854774784,9223372036854775807,-9223372036854775808,-9223372036854777856,1e19,Infinity,-Infinity,NaN}'),
	('{"int2(real) #1","int4(real) #1","int8(real) #1","float8(real) #1","abs(real) #1","float4abs(real) #1","float4um(real) #1","float4up(real) #1"}',
	 '{NULL,0,-0,0.5,-0.5,1.5,2.5,-2.5,0.1,16777217,32767.4,32767.5,-32768.5,-32768.6,2147483520,2147483648,-2147483648,-2147484000,9.223371e18,9.223372e18,-9.223372e18,-9.224e18,1e-45,-1e-45,3.4028235e38,Infinity,-Infinity,NaN}'),
	-- mantissas up to 2^53, 22 decimals, middles between two floats
	('{"float8(numeric) #1","float4(numeric) #1"}',
	 '{NULL,0,0.000,1,-1.50,0.1,0.3,-0.07,123456.789,9007199254740991,9007199254740992,9007199254740993,-9007199254740993,90071992547409.93,900719925474099.1,0.9007199254740991,16777217,16777219,1677721.7,33554433,33554435,8388608.5,8388609.5,0.00000000000000000000001,0.0000000000000000000001,0.9007199254740992000000,123456789012345678901234567890,1e30,1e38,1e-30,1e40,3.141592653589793238462643,2.5,0.333333333333333,NaN,Infinity,-Infinity}'),
	('{"width_bucket(numeric, numeric, numeric, integer) #1"}', '{NULL,0,0.5,-0.000001,1,1.0000,49.99,50,33.333333333333333333333333333,-170141183460469231731687303715884105727,1e40,Infinity}'),
	('{"width_bucket(double precision, double precision, double precision, integer) #1"}', '{NULL,0,-0,0.3,-4.9e-324,1,49.99,50,33.333333333333336,1e308,Infinity,NaN}'),
	('{"width_bucket(numeric, numeric, numeric, integer) #2","width_bucket(numeric, numeric, numeric, integer) #3"}', '{NULL,0,0.00,1,50,-49.5,0.000000000000000000001,170141183460469231731687303715884105727,NaN,-Infinity}'),
	('{"width_bucket(double precision, double precision, double precision, integer) #2","width_bucket(double precision, double precision, double precision, integer) #3"}', '{NULL,0,-0,0.1,1,50,-49.5,1e-300,-1.7e308,1.7e308,NaN,Infinity}'),
	('{interval}',
	 '{"0","1 month","-1 month","1 mon -1 day","11 months","-14 months","-1200 years","200000 years","1 day","-1 day","30 days","-400000 days","99999999 days","1 us","-1 us","23:59:59.999999","-24:00:00","1 day -24:00:00","1 mon 1 day 01:00:00.000001","-1 year 2 mons -3 days 04:05:06.789","2500000:00:00"}')
) v(types, list), unnest(types) t(type), unnest(list) WITH ORDINALITY u(value, ord);

CREATE FUNCTION bare(type text) RETURNS text LANGUAGE sql AS
$$ SELECT CASE type WHEN 'character' THEN 'bpchar' WHEN 'anyenum' THEN 'mood' ELSE type END $$;

CREATE VIEW listed AS
SELECT p.oid, format('pg_catalog.%I', p.proname) AS name, p.prorettype, t.types, s.signature,
	   (SELECT array_agg(coalesce((SELECT e.type FROM edges e WHERE e.type = s.signature || ' #' || i LIMIT 1), t.types[i]) ORDER BY i)
		FROM generate_subscripts(t.types, 1) i) AS edges,
	   -- what a function is called by that SQL has no name for
	   CASE WHEN p.prorettype = 'cstring'::regtype THEN CASE p.proname WHEN 'boolout' THEN 'concat(a)' ELSE 'a::text' END
			WHEN p.proargtypes[0] = 'cstring'::regtype THEN format('a::%s', p.prorettype::regtype)
			-- the fourth argument: none, some, too many buckets
			WHEN p.proname = 'width_bucket' THEN 'width_bucket(a, b, c, CASE id % 7 WHEN 0 THEN id % 3 - 1 WHEN 1 THEN 2147483647 WHEN 2 THEN NULL ELSE id % 100 + 1 END)'
			WHEN p.prorettype = 'bpchar'::regtype THEN format('pg_catalog.%I(a, b, c)::text', p.proname) END AS said,
	   -- the arguments that have to be constants
	   CASE WHEN p.proname IN ('extract', 'date_part', 'timezone') THEN '{1}'
			WHEN p.proname = 'date_trunc' THEN '{1,3}'
			WHEN p.proname = 'to_char' THEN '{2}'
			WHEN p.proname LIKE 'interval%' THEN '{}'
			ELSE array_positions(t.types, 'interval') END AS constants
FROM (SELECT DISTINCT object FROM gpuscan.offload_listing() WHERE kind = 'function') l
JOIN pg_proc p ON p.oid = l.object,
LATERAL (SELECT array_agg(format_type(a, NULL) ORDER BY i) AS declared
		 FROM unnest(p.proargtypes) WITH ORDINALITY x(a, i)) d,
LATERAL (SELECT CASE p.proname WHEN 'concat' THEN '{text,character,numeric}' WHEN 'concat_ws' THEN '{text,text,text}'
				WHEN 'width_bucket' THEN d.declared[1:3]
				ELSE array_replace(d.declared, 'cstring', 'text') END AS types) t,
LATERAL (SELECT format('%s(%s)', p.proname, array_to_string(d.declared, ', ')) AS signature) s;

-- Of the integers that stand for all functions, those that triples take
CREATE FUNCTION few(type text, value text) RETURNS bool LANGUAGE sql AS
$$ SELECT type <> 'integer' OR coalesce(abs(value::numeric) NOT BETWEEN 3 AND 1000000, true) $$;

-- What a query gives: its row as text, or its error.
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN others THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- The outcomes that differ, over all pairs of arguments, each in a query of
-- its own (one error must not hide the next); NULL when there is none.
CREATE FUNCTION differences(f oid, level text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	fn record;
	call text;
	query text;
	ours text;
	theirs text;
	found text;
	last int;
BEGIN
	SELECT * INTO fn FROM listed WHERE oid = f;
	DROP TABLE IF EXISTS pairs;
	IF array_length(fn.types, 1) = 1 THEN
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, NULL AS b
						FROM edges a WHERE a.type = %2$L', bare(fn.types[1]), fn.edges[1]);
	ELSIF array_length(fn.types, 1) = 3 THEN
		-- triples: fewer values of each
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b, c.value::%3$s AS c
						FROM edges a, edges b, edges c WHERE a.type = %4$L AND b.type = %5$L AND c.type = %6$L
						AND a.n <= 12 AND (a.value IS NOT NULL OR b.n %% 3 = c.n %% 3) AND few(b.type, b.value) AND few(c.type, c.value)',
					   bare(fn.types[1]), bare(fn.types[2]), bare(fn.types[3]), fn.edges[1], fn.edges[2], fn.edges[3]);
	ELSE
		EXECUTE format('CREATE TABLE pairs AS SELECT (row_number() OVER ())::int AS id, a.value::%1$s AS a, b.value::%2$s AS b
						FROM edges a, edges b WHERE a.type = %3$L AND b.type = %4$L',
					   bare(fn.types[1]), bare(fn.types[2]), fn.edges[1], fn.edges[2]);
	END IF;
	SELECT max(id) INTO last FROM pairs;
	IF last IS NULL THEN
		RETURN 'no edge values';
	END IF;
	FOR k IN 1..last LOOP
		SELECT coalesce(fn.said, format('%s(%s)', fn.name, arguments))
		INTO call
		FROM pairs p, LATERAL (SELECT string_agg(CASE WHEN i = ANY (fn.constants) THEN quote_nullable(to_jsonb(p)->>letter) ELSE letter END, ', ' ORDER BY i) AS arguments
							   FROM unnest(ARRAY['a', 'b', 'c']) WITH ORDINALITY l(letter, i) WHERE i <= array_length(fn.types, 1)) x
		WHERE id = k;
		IF fn.prorettype = 'boolean'::regtype THEN
			query := format('SELECT count(*) FILTER (WHERE %1$s) || '' '' || count(*) FILTER (WHERE NOT %1$s)
							 FROM pairs WHERE id = %2$s', call, k);
		ELSE
			query := format('SELECT %1$s || '' of '' || count(*) FROM pairs WHERE id = %2$s GROUP BY %1$s', call, k);
		END IF;
		SET LOCAL gpuscan.enabled = off;
		theirs := outcome(query);
		SET LOCAL gpuscan.enabled = on;
		PERFORM set_config('gpuscan.cpu_level', level, true);
		SET LOCAL gpuscan.require = 'require';
		ours := outcome(query);
		SET LOCAL gpuscan.require = 'allow';
		IF ours <> theirs THEN
			EXECUTE format('SELECT p::text FROM pairs p WHERE id = %s', k) INTO query;
			found := concat_ws(E'\n', found, format('%s: ours %s, PostgreSQL %s', query, ours, theirs));
		END IF;
	END LOOP;
	RETURN found;
END $$;

-- Instruction levels that this machine has.
CREATE FUNCTION has_level(level text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('gpuscan.cpu_level', level, true);
	RETURN true;
EXCEPTION WHEN others THEN
	RETURN false;
END $$;

\if :{?levels}
\else
	\set levels '{base,avx2,avx512}'
\endif
CREATE TABLE levels AS
SELECT level FROM unnest(:'levels'::text[]) level WHERE has_level(level);

SELECT plan((SELECT count(*)::int FROM listed, levels) + 1);
SELECT cmp_ok((SELECT count(*) FROM listed), '>=', 200::bigint, 'the table lists its functions');
SELECT is(differences(oid, level), NULL, level || ': ' || signature) FROM listed, levels ORDER BY level, signature;
SELECT * FROM finish();
