-- Where TPC-H's generator cannot be had: one table shaped like its lineitem
-- (types, widths, key and value ranges, the dates' dependence), made in SQL.
-- Not TPC-H: the columns are independent and the comments are not its text.
-- Variables: orders (number of orders; 1,500,000 at scale factor 1).

INSERT INTO lineitem
SELECT o.okey,
       1 + floor(random() * :orders * 2 / 15)::int,
       1 + floor(random() * greatest(:orders / 150, 1))::int,
       n.line,
       q.quantity,
       round(q.quantity * (900 + floor(random() * 120000) / 100)::numeric, 2),
       floor(random() * 11)::int / 100.0,
       floor(random() * 9)::int / 100.0,
       CASE WHEN d.ship + 15 > date '1995-06-17' THEN 'N' WHEN random() < 0.5 THEN 'R' ELSE 'A' END,
       CASE WHEN d.ship > date '1995-06-17' THEN 'O' ELSE 'F' END,
       d.ship,
       o.odate + 30 + floor(random() * 61)::int,
       d.ship + 1 + floor(random() * 30)::int,
       (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + floor(random() * 4)::int],
       (ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[1 + floor(random() * 7)::int],
       left(md5(random()::text) || md5(random()::text), 10 + floor(random() * 34)::int)
FROM (SELECT (g - 1) / 8 * 32 + (g - 1) % 8 + 1 AS okey,
             date '1992-01-01' + floor(random() * 2406)::int AS odate,
             1 + floor(random() * 7)::int AS lines
      FROM generate_series(1, :orders) g
      OFFSET 0) o
CROSS JOIN LATERAL generate_series(1, o.lines) n(line)
CROSS JOIN LATERAL (SELECT 1 + floor(random() * 50)::int AS quantity, n.line OFFSET 0) q
CROSS JOIN LATERAL (SELECT o.odate + 1 + floor(random() * 121)::int AS ship, n.line OFFSET 0) d;
