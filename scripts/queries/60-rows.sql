-- rows of one day, dear ones
SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_shipdate
FROM lineitem
WHERE l_shipdate = date '1995-03-15' AND l_extendedprice > 50000
