"""What is measured: statements, by series. Every engine runs the same text
unless a case says otherwise."""

Q6 = """
SELECT sum(l_extendedprice * l_discount) AS revenue
FROM {t}
WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1995-01-01'
  AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24
"""

Q1 = """
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
       sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
       avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
       count(*) AS count_order
FROM {t}
WHERE l_shipdate <= date '1998-09-02'
GROUP BY l_returnflag, l_linestatus
"""

# Many groups are consumed by an aggregate above, so that no engine is
# measured by how it prints a million rows.
GROUPS = "SELECT count(*), sum(s) FROM (SELECT {k}, sum(l_quantity) AS s FROM {t} GROUP BY {k}) g"

ROWS = """
SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_shipdate
FROM {t} WHERE l_shipdate BETWEEN date '1995-03-01' AND date '1995-03-25'
"""


class Case:
    """One statement. 'check' is what is compared, where it is not 'sql';
    'required' and 'aim' are ratios to the better one of PostgreSQL's settings."""

    def __init__(self, name, title, sql, required=None, aim=None, check=None):
        self.name = name
        self.title = title
        self.sql = sql
        self.check = check or sql
        self.required = required
        self.aim = aim


def lineitem(names, table="lineitem", required=None, aim=None):
    """The cases on lineitem or a copy of it."""
    required = required or {}
    aim = aim or {}
    rows = ROWS.format(t=table)
    all_cases = {
        "count": ("count(*)", f"SELECT count(*) FROM {table}", None),
        "q6": ("Q6", Q6.format(t=table), None),
        "q1": ("Q1", Q1.format(t=table), None),
        "suppkey": ("sum(l_quantity) by l_suppkey", GROUPS.format(t=table, k="l_suppkey"), None),
        "orderkey": ("sum(l_quantity) by l_orderkey", GROUPS.format(t=table, k="l_orderkey"), None),
        "like": ("count(*) where l_comment like '%special%'",
                 f"SELECT count(*) FROM {table} WHERE l_comment LIKE '%special%'", None),
        "rows": ("5 columns of 25 days (1 % of rows)", f"COPY ({rows}) TO '/dev/null' WITH (FORMAT csv)", rows),
    }
    return [Case(name, *all_cases[name][:2], required.get(name), aim.get(name), all_cases[name][2])
            for name in names]


MAIN = lineitem(
    ["count", "q6", "q1", "suppkey", "orderkey", "rows", "like"],
    required={"count": 3.5, "q6": 2.5, "q1": 9, "suppkey": 5, "orderkey": 3, "rows": 2, "like": 2.5},
    aim={"count": 4.5, "q6": 3.3, "q1": 13, "suppkey": 8, "orderkey": 4.5, "rows": 2.5, "like": 3.5})

# PostgreSQL and gpuscan with two workers beside the leader, DuckDB with two threads.
WORKERS = lineitem(["q6", "q1", "suppkey"], required={"q1": 7})

# 5 % of the rows replaced by new versions, at least one of every page, so that
# no page is all-visible; a scan afterwards sets the hint bits.
DIRTY_SETUP = [
    "DROP TABLE IF EXISTS lineitem_dirty",
    "CREATE TABLE lineitem_dirty (LIKE lineitem)",
    "INSERT INTO lineitem_dirty SELECT * FROM lineitem",
    "VACUUM (FREEZE, ANALYZE) lineitem_dirty",
    "SELECT setseed(0.5)",
    """UPDATE lineitem_dirty SET l_linenumber = l_linenumber
       WHERE (ctid::text::point)[1] = 1 + abs(hashint4((ctid::text::point)[0]::int)) % 40 OR random() < 0.031""",
    "ANALYZE lineitem_dirty",
    "SELECT count(*), sum(l_tax) FROM lineitem_dirty",
    "SELECT count(*), sum(l_tax) FROM lineitem_dirty",
]
DIRTY = lineitem(["q6", "q1"], "lineitem_dirty", required={"q6": 2, "q1": 6})

BUFFERS_WARM = lineitem(["q6", "q1"], required={"q6": 0.95, "q1": 0.95})
BUFFERS_COLD = lineitem(["q6", "q1"], required={"q6": 0.95, "q1": 0.95})

UTF8 = lineitem(["q6", "q1", "suppkey"], required={"q6": 2.5, "q1": 9, "suppkey": 5})

# Eighty digits leave every fast form: each row is punted to PostgreSQL's own
# executor (EXPLAIN ANALYZE in the results counts them). Forty digits leave 128
# bits, but a sum may still be able to take them.
PUNT_SETUP = [
    "DROP TABLE IF EXISTS punt",
    """CREATE TABLE punt (k integer NOT NULL, d date NOT NULL,
                          u numeric NOT NULL, v numeric NOT NULL, w numeric NOT NULL)""",
    "SELECT setseed(0.5)",
    """INSERT INTO punt
       SELECT (random() * 999)::int, date '1992-01-01' + (random() * 2500)::int,
              ('9' || lpad(floor(random() * 1e9)::text, 9, '0') || repeat('7', 28) || '.77')::numeric,
              ('9' || lpad(floor(random() * 1e9)::text, 9, '0') || repeat('7', 68) || '.77')::numeric,
              ('8' || lpad(floor(random() * 1e9)::text, 9, '0') || repeat('3', 68) || '.33')::numeric
       FROM generate_series(1, {rows})""",
    "VACUUM (FREEZE, ANALYZE) punt",
    "DROP TABLE IF EXISTS punt_one",
    "CREATE TABLE punt_one AS SELECT u FROM punt",
    "VACUUM (FREEZE, ANALYZE) punt_one",
]
PUNT = [
    Case("groups40", "sum of 40 digits by key",
         "SELECT count(*), sum(s) FROM (SELECT k, sum(u) AS s FROM punt GROUP BY k) g", 0.95),
    Case("groups80", "sum of 80 digits by key",
         "SELECT count(*), sum(s) FROM (SELECT k, sum(v) AS s FROM punt GROUP BY k) g", 0.95),
    Case("sum40", "sum of 40 digits, the table's only column", "SELECT sum(u) FROM punt_one", 0.95),
    Case("filter80", "Q6's form on 80 digits",
         """SELECT sum(v * w) FROM punt WHERE v BETWEEN 9.3e77 AND 9.5e77 AND w < 8.5e77
            AND d >= date '1993-01-01' AND d < date '1997-01-01'""", 0.95),
]

# The planner is told of 100 groups and meets one per row.
SPILL_SETUP = [
    "DROP TABLE IF EXISTS spill",
    "CREATE TABLE spill (k bigint NOT NULL, v numeric(15,2) NOT NULL)",
    "INSERT INTO spill SELECT g::bigint * 7919 % 1000000007, g % 100 / 4.0 FROM generate_series(1, {rows}) g",
    "ALTER TABLE spill ALTER COLUMN k SET (n_distinct = 100)",
    "VACUUM (FREEZE, ANALYZE) spill",
]
SPILL = [
    Case("groups", "5 million groups planned as 100, work_mem 4 MB",
         "SELECT count(*), sum(s), min(c), max(c) FROM (SELECT k, sum(v) AS s, count(*) AS c FROM spill GROUP BY k) g", 0.95),
]
