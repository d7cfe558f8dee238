-- The Star Schema Benchmark's tables and data: O'Neil, O'Neil, Chen, "Star
-- Schema Benchmark", revision 3 (2009). Cardinalities and domains are those
-- of the paper; rows follow from hashes of their keys, so that they are the
-- same everywhere. Money is in cents, as the authors' generator writes it.
-- Variables: scale (1: 6,000,000 rows of lineorder).

SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256MB';
DROP TABLE IF EXISTS date, customer, supplier, part, lineorder;

CREATE TABLE date (
  d_datekey integer NOT NULL,
  d_date varchar(18) NOT NULL,
  d_dayofweek varchar(9) NOT NULL,
  d_month varchar(9) NOT NULL,
  d_year integer NOT NULL,
  d_yearmonthnum integer NOT NULL,
  d_yearmonth char(7) NOT NULL,
  d_daynuminweek integer NOT NULL,
  d_daynuminmonth integer NOT NULL,
  d_daynuminyear integer NOT NULL,
  d_monthnuminyear integer NOT NULL,
  d_weeknuminyear integer NOT NULL,
  d_sellingseason varchar(12) NOT NULL,
  d_lastdayinweekfl integer NOT NULL,
  d_lastdayinmonthfl integer NOT NULL,
  d_holidayfl integer NOT NULL,
  d_weekdayfl integer NOT NULL
);

CREATE TABLE customer (
  c_custkey integer NOT NULL,
  c_name varchar(25) NOT NULL,
  c_address varchar(25) NOT NULL,
  c_city char(10) NOT NULL,
  c_nation char(15) NOT NULL,
  c_region char(12) NOT NULL,
  c_phone char(15) NOT NULL,
  c_mktsegment char(10) NOT NULL
);

CREATE TABLE supplier (
  s_suppkey integer NOT NULL,
  s_name char(25) NOT NULL,
  s_address varchar(25) NOT NULL,
  s_city char(10) NOT NULL,
  s_nation char(15) NOT NULL,
  s_region char(12) NOT NULL,
  s_phone char(15) NOT NULL
);

CREATE TABLE part (
  p_partkey integer NOT NULL,
  p_name varchar(22) NOT NULL,
  p_mfgr char(6) NOT NULL,
  p_category char(7) NOT NULL,
  p_brand1 char(9) NOT NULL,
  p_color varchar(11) NOT NULL,
  p_type varchar(25) NOT NULL,
  p_size integer NOT NULL,
  p_container char(10) NOT NULL
);

CREATE TABLE lineorder (
  lo_orderkey bigint NOT NULL,
  lo_linenumber integer NOT NULL,
  lo_custkey integer NOT NULL,
  lo_partkey integer NOT NULL,
  lo_suppkey integer NOT NULL,
  lo_orderdate integer NOT NULL,
  lo_orderpriority char(15) NOT NULL,
  lo_shippriority char(1) NOT NULL,
  lo_quantity integer NOT NULL,
  lo_extendedprice integer NOT NULL,
  lo_ordtotalprice integer NOT NULL,
  lo_discount integer NOT NULL,
  lo_revenue integer NOT NULL,
  lo_supplycost integer NOT NULL,
  lo_tax integer NOT NULL,
  lo_commitdate integer NOT NULL,
  lo_shipmode char(10) NOT NULL
);

-- A number of 0 to n - 1 for a row and one of its columns; a word of a list;
-- letters of an address.
CREATE FUNCTION pg_temp.draw(row_number bigint, column_number int, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended($1, $2) & 9223372036854775807) % $3)::int $$;
CREATE FUNCTION pg_temp.word(row_number bigint, column_number int, list text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT $3[1 + ((hashint8extended($1, $2) & 9223372036854775807) % cardinality($3))::int] $$;
CREATE FUNCTION pg_temp.letters(row_number bigint, column_number int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT left(encode(decode(md5($1::text || ' ' || $2::text), 'hex'), 'base64'), 10 + pg_temp.draw($1, $2, 13)) $$;
CREATE FUNCTION pg_temp.phone(row_number bigint, nation int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT format('%s-%s-%s-%s', 10 + $2, 100 + pg_temp.draw($1, 91, 900), 100 + pg_temp.draw($1, 92, 900), 1000 + pg_temp.draw($1, 93, 9000)) $$;

-- TPC-H's nations, parts' words and prices.
CREATE TEMP TABLE nation AS
SELECT i::int - 1 AS n, name, region FROM unnest(
  ARRAY['ALGERIA','ARGENTINA','BRAZIL','CANADA','EGYPT','ETHIOPIA','FRANCE','GERMANY','INDIA','INDONESIA','IRAN','IRAQ','JAPAN',
        'JORDAN','KENYA','MOROCCO','MOZAMBIQUE','PERU','CHINA','ROMANIA','SAUDI ARABIA','VIETNAM','RUSSIA','UNITED KINGDOM','UNITED STATES'],
  ARRAY['AFRICA','AMERICA','AMERICA','AMERICA','MIDDLE EAST','AFRICA','EUROPE','EUROPE','ASIA','ASIA','MIDDLE EAST','MIDDLE EAST','ASIA',
        'MIDDLE EAST','AFRICA','AFRICA','AFRICA','AMERICA','ASIA','EUROPE','MIDDLE EAST','ASIA','EUROPE','EUROPE','AMERICA'])
  WITH ORDINALITY AS t(name, region, i);

INSERT INTO date
SELECT to_char(d, 'YYYYMMDD')::int, to_char(d, 'FMMonth FMDD, YYYY'), to_char(d, 'FMDay'), to_char(d, 'FMMonth'),
       extract(year FROM d)::int, to_char(d, 'YYYYMM')::int, to_char(d, 'MonYYYY'),
       extract(dow FROM d)::int + 1, extract(day FROM d)::int, extract(doy FROM d)::int, extract(month FROM d)::int,
       (extract(doy FROM d)::int - 1) / 7 + 1,
       CASE WHEN extract(month FROM d) IN (11, 12) THEN 'Christmas' WHEN extract(month FROM d) IN (6, 7, 8) THEN 'Summer'
            WHEN extract(month FROM d) IN (3, 4, 5) THEN 'Spring' WHEN extract(month FROM d) IN (9, 10) THEN 'Fall' ELSE 'Winter' END,
       (extract(dow FROM d) = 6)::int, (extract(day FROM d + interval '1 day') = 1)::int,
       (to_char(d, 'MMDD') IN ('0101', '0214', '0704', '1224', '1225', '1231'))::int, (extract(dow FROM d) BETWEEN 1 AND 5)::int
FROM generate_series(timestamp '1992-01-01', timestamp '1998-12-31', interval '1 day') d;

INSERT INTO customer
SELECT g, 'Customer#' || lpad(g::text, 9, '0'), pg_temp.letters(g, 1),
       rpad(left(name, 9), 9) || pg_temp.draw(g, 3, 10), name, region, pg_temp.phone(g, n),
       pg_temp.word(g, 4, ARRAY['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY'])
FROM generate_series(1, greatest(1, round(30000 * :scale))::int) g JOIN nation ON n = pg_temp.draw(g, 2, 25)
ORDER BY g;

INSERT INTO supplier
SELECT g, 'Supplier#' || lpad(g::text, 9, '0'), pg_temp.letters(g, 11),
       rpad(left(name, 9), 9) || pg_temp.draw(g, 13, 10), name, region, pg_temp.phone(g, n)
FROM generate_series(1, greatest(1, round(2000 * :scale))::int) g JOIN nation ON n = pg_temp.draw(g, 12, 25)
ORDER BY g;

-- 200,000 parts at scale factor 1, and as many more each time that it doubles.
SELECT CASE WHEN :scale < 1 THEN greatest(200, round(200000 * :scale)) ELSE 200000 * floor(1 + log(2, :scale::numeric)) END::int AS parts,
       greatest(1, round(30000 * :scale))::int AS customers, greatest(1, round(2000 * :scale))::int AS suppliers,
       round(6000000 * :scale)::bigint AS lines \gset

INSERT INTO part
SELECT g, first || ' ' || second, 'MFGR#' || m, 'MFGR#' || m || c, 'MFGR#' || m || c || b, first,
       pg_temp.word(g, 26, ARRAY['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO']) || ' ' ||
       pg_temp.word(g, 27, ARRAY['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED']) || ' ' ||
       pg_temp.word(g, 28, ARRAY['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER']),
       1 + pg_temp.draw(g, 29, 50),
       pg_temp.word(g, 30, ARRAY['SM', 'LG', 'MED', 'JUMBO', 'WRAP']) || ' ' ||
       pg_temp.word(g, 31, ARRAY['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'])
FROM (SELECT g, 1 + pg_temp.draw(g, 21, 5) AS m, 1 + pg_temp.draw(g, 22, 5) AS c, 1 + pg_temp.draw(g, 23, 40) AS b,
             pg_temp.word(g, 24, colours) AS first, pg_temp.word(g, 25, colours) AS second
      FROM generate_series(1, :parts) g,
           (SELECT string_to_array('almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle tomato turquoise violet wheat white yellow', ' ') AS colours) w) p
ORDER BY g;

-- An order has 1 to 7 lines; the first 8 of each 32 order keys are in use.
-- Dates of orders are TPC-H's, 1992-01-01 to 1998-08-02. Line l of order o is
-- number o * 8 + l; its parts of more than one use are functions.
CREATE FUNCTION pg_temp.partkey(line bigint, parts int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + pg_temp.draw($1, 51, $2) $$;
CREATE FUNCTION pg_temp.quantity(line bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 1 + pg_temp.draw($1, 52, 50) $$;
CREATE FUNCTION pg_temp.discount(line bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.draw($1, 53, 11) $$;
CREATE FUNCTION pg_temp.tax(line bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.draw($1, 54, 9) $$;
CREATE FUNCTION pg_temp.price(partkey int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT 90000 + ($1 / 10) % 20001 + $1 % 1000 * 100 $$;

BEGIN;
TRUNCATE lineorder;
INSERT INTO lineorder
SELECT (o - 1) / 8 * 32 + (o - 1) % 8 + 1, l, 1 + pg_temp.draw(o, 42, :customers), partkey, 1 + pg_temp.draw(id, 55, :suppliers),
       (SELECT array_agg(d_datekey ORDER BY d_datekey) FROM date)[day],
       pg_temp.word(o, 44, ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW']), '0', quantity, quantity * price,
       total, discount, (quantity * price::bigint * (100 - discount) / 100)::int, 6 * price / 10, pg_temp.tax(id),
       (SELECT array_agg(d_datekey ORDER BY d_datekey) FROM date)[day + 30 + pg_temp.draw(id, 56, 61)],
       pg_temp.word(id, 57, ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])
FROM (SELECT o, 1 + pg_temp.draw(o, 41, 7) AS lines, 1 + pg_temp.draw(o, 43, 2406) AS day,
             (SELECT sum(pg_temp.quantity(o * 8 + l) * pg_temp.price(pg_temp.partkey(o * 8 + l, :parts))::bigint
                         * (100 - pg_temp.discount(o * 8 + l)) * (100 + pg_temp.tax(o * 8 + l)) / 10000)::int
              FROM generate_series(1, 1 + pg_temp.draw(o, 41, 7)) l) AS total
      FROM generate_series(1, (:lines / 3.9)::bigint + 100) o
      OFFSET 0) orders,
     LATERAL (SELECT l, o * 8 + l AS id, pg_temp.partkey(o * 8 + l, :parts) AS partkey, pg_temp.quantity(o * 8 + l) AS quantity,
                     pg_temp.price(pg_temp.partkey(o * 8 + l, :parts)) AS price, pg_temp.discount(o * 8 + l) AS discount
              FROM generate_series(1, lines) l
              OFFSET 0) line
LIMIT :lines;
COMMIT;

SET maintenance_work_mem = '256MB';
ALTER TABLE date ADD PRIMARY KEY (d_datekey);
ALTER TABLE customer ADD PRIMARY KEY (c_custkey);
ALTER TABLE supplier ADD PRIMARY KEY (s_suppkey);
ALTER TABLE part ADD PRIMARY KEY (p_partkey);
ALTER TABLE lineorder ADD PRIMARY KEY (lo_orderkey, lo_linenumber);
VACUUM (FREEZE, ANALYZE) date, customer, supplier, part, lineorder;
