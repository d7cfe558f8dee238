-- large orders: a group per order, HAVING
SELECT l_orderkey, sum(l_quantity)
FROM lineitem
GROUP BY l_orderkey
HAVING sum(l_quantity) > 300
