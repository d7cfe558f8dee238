-- Parameters: of prepared statements, of nested loops, and subqueries that are
-- run when the first row asks for them, or never.
SET client_min_messages = warning;
CREATE TABLE params (a int, b numeric(10,2), c text);
CREATE TABLE params_empty (a int, b numeric(10,2), c text);
INSERT INTO params SELECT i, i % 100 + 0.25, 'c' || i % 7 FROM generate_series(1, 5000) i;
VACUUM ANALYZE params;
SET gpuscan.require = 'require';

-- a subquery that fails is not run for a table without rows ...
SELECT count(*) FROM params_empty WHERE a > (SELECT 1 / count(*) FROM params_empty);
SELECT a FROM params_empty WHERE a > (SELECT 1 / count(*) FROM params_empty);
-- ... nor where an earlier condition leaves none
SELECT count(*) FROM params WHERE a < 0 AND b > (SELECT 1 / count(*) FROM params_empty);
SELECT sum(a + (SELECT (1 / count(*))::int FROM params_empty)) FROM params WHERE a < 0;
-- but when a row gets there
SELECT count(*) FROM params WHERE a > 10 AND a > (SELECT 1 / count(*) FROM params_empty);
-- one that does not fail
SELECT count(*), sum(b) FROM params WHERE b > (SELECT avg(b) FROM params);
SELECT a FROM params WHERE b > (SELECT max(b) - 0.01 FROM params) AND a < 300;
SELECT c, sum(a + (SELECT max(a) FROM params)) FROM params WHERE a > 4990 GROUP BY c ORDER BY c;
-- NULL, and a value without a form in the engine
SELECT count(*) FROM params WHERE a > (SELECT a FROM params_empty);
SELECT count(*) FROM params WHERE b < (SELECT 'NaN'::numeric);

-- in a nested loop
SELECT x, (SELECT count(*) FROM params WHERE a <= x) FROM (VALUES (1), (3), (NULL), (4999)) v(x) ORDER BY x;

-- generic and custom plans
PREPARE p (int, numeric, text) AS SELECT count(*), sum(b) FROM params WHERE a > $1 AND b < $2 AND c <> $3;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (100, 50, 'c1');
EXECUTE p (NULL, 50, 'c1');
EXECUTE p (100, 'NaN', 'c1');
EXECUTE p (100, 1e40, 'c1');
SET plan_cache_mode = force_custom_plan;
EXECUTE p (100, 50, 'c1');
EXECUTE p (100, 'NaN', 'c1');

-- groups are not rows that could be updated
BEGIN;
DECLARE groups CURSOR FOR SELECT c, count(*) FROM params GROUP BY c;
FETCH 0 FROM groups;
MOVE 1 FROM groups;
UPDATE params SET a = 0 WHERE CURRENT OF groups;
ROLLBACK;
BEGIN;
DECLARE scanned CURSOR FOR SELECT a FROM params WHERE b = 5.25;
MOVE 2 FROM scanned;
UPDATE params SET a = -a WHERE CURRENT OF scanned RETURNING a, b;
ROLLBACK;

DROP TABLE params, params_empty;
