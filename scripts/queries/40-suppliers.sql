-- quantity by supplier
SELECT l_suppkey, sum(l_quantity)
FROM lineitem
GROUP BY l_suppkey
