-- a condition that stays on the host
SELECT l_shipmode, count(*), sum(l_extendedprice)
FROM lineitem
WHERE l_shipdate >= date '1998-01-01' AND l_comment ~ 'carefully.*deposits'
GROUP BY l_shipmode
