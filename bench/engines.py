"""What is measured: the cluster, its databases, PostgreSQL and DuckDB. Where
they are is in the environment (bench/run)."""

import os
import shlex
import subprocess
import sys
import time

from pgsession import Session, explain

TOP = os.environ["GPUSCAN_TOP"]
CLUSTER = os.environ["CLUSTER"]
SCALE = os.environ["SCALE"]
ROWS = os.environ["ROWS"]
RUNS = int(os.environ["RUNS"])
DUCKDB = os.environ["DUCKDB"] != "0"

COMMON = {
    "max_parallel_workers_per_gather": "0",
    "work_mem": "256MB",
}

# What the caller adds, for PostgreSQL and gpuscan alike: "random_page_cost=1.1 ..."
ADDED = dict(word.split("=", 1) for word in os.environ.get("SETTINGS", "").split())


def say(text):
    print(text, file=sys.stderr, flush=True)


def say_progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K  {text}")
        sys.stderr.flush()


# --- the cluster -------------------------------------------------------------

def cluster_start(shared_buffers, *more):
    subprocess.run([f"{TOP}/scripts/cluster", "start", CLUSTER, f"shared_buffers={shared_buffers}",
                    "work_mem=256MB", "maintenance_work_mem=512MB", "max_parallel_workers_per_gather=0",
                    "autovacuum=off", "checkpoint_timeout=1h", *more], check=True)
    lines = subprocess.run([f"{TOP}/scripts/cluster", "env", CLUSTER], check=True, capture_output=True, text=True).stdout
    for assignment in shlex.split(lines.replace(':"$PATH"', ""))[1:]:
        name, value = assignment.split("=", 1)
        os.environ[name] = value if name != "PATH" else value + ":" + os.environ["PATH"]


def cluster_stop():
    subprocess.run([f"{TOP}/scripts/cluster", "stop", CLUSTER], check=True)


def do(statements, database="tpch"):
    with Session(database=database) as session:
        session.set("client_min_messages", "error")
        for sql in statements:
            session.query(sql)


def tpch(database, tables):
    """TPC-H's tables into a database; those that hold rows are left as they are."""
    kind = subprocess.run([f"{TOP}/scripts/tpch", SCALE, *tables], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PGDATABASE": database}).stdout.strip()
    if kind != "tpch":
        sys.exit("bench: TPC-H's generator (Python package tpchgen-cli) cannot be had; figures of other data would mislead.")


def fresh(database, create, size=None):
    """A new database, unless there is one with this size's mark: then False."""
    with Session(database="postgres") as session:
        found = session.value("SELECT coalesce(shobj_description(oid, 'pg_database'), '') "
                              f"FROM pg_database WHERE datname = '{database}'")
        if found == mark(size):
            return False
        session.set("client_min_messages", "error")
        session.query(f"DROP DATABASE IF EXISTS {database}")
        session.query(create)
    return True


def mark(size=None):
    return f"bench scale {SCALE}" if size is None else f"bench {size}"


def load(database, create):
    """The database with TPC-H's tables in it; loaded once, marked by its comment."""
    if not fresh(database, create):
        return
    tpch(database, ["lineitem", "orders", "part"] if database == "tpch" else ["lineitem"])
    do(["CREATE INDEX ON lineitem (l_orderkey)", "CREATE INDEX ON lineitem (l_partkey)",
        "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT", f"COMMENT ON DATABASE {database} IS '{mark()}'"], database)


def prewarm(database, *tables):
    """Into shared buffers, and what the kernel caches with it."""
    for table in tables:
        do(["CREATE EXTENSION IF NOT EXISTS pg_prewarm", f"SELECT pg_prewarm('{table}')"], database)


# --- the engines -------------------------------------------------------------

class PostgresEngine:
    def __init__(self, name, database, settings, library=None):
        self.name = name
        self.database = database
        self.settings = {**COMMON, **settings, **ADDED}
        self.library = library
        self.session = None

    def open(self):
        if self.session is None:
            env = dict(os.environ)
            if self.library:
                env["PGOPTIONS"] = f"-c session_preload_libraries={self.library}"
            session = Session(database=self.database, env=env)
            for name, value in self.settings.items():
                session.set(name, value)
            self.session = session
        return self.session

    def run(self, case):
        """(rows, milliseconds)"""
        return self.open().query(case.sql)

    def time(self, case):
        return self.run(case)[1]

    def answer(self, case):
        return sorted(self.open().query(case.check)[0])

    def plan(self, case):
        # Executed once more, so that punted rows and spilled bytes are on record.
        said = explain(self.open(), case.check, "ANALYZE, COSTS OFF, TIMING OFF, BUFFERS, SUMMARY OFF")
        return {"nodes": said["nodes"], "engine": said["engine"], "host": said["host"],
                "refusals": said["refusals"], "plan": said["lines"]}

    def close(self):
        if self.session is not None:
            self.session.close()
            self.session = None


class DuckEngine:
    """DuckDB on storage of its own, data in memory after the first run."""

    name = "duckdb"

    def __init__(self, threads=1, database="tpch", tables=("lineitem",), size=None):
        import duckdb
        path = os.path.join(os.path.dirname(CLUSTER), f"{database}-{size or SCALE}-{duckdb.__version__}.duckdb")
        self.connection = duckdb.connect(path)
        self.threads = threads
        there = [row[0] for row in self.connection.execute("SHOW TABLES").fetchall()]
        todo = [table for table in tables if table not in there]
        where = os.path.join(os.path.dirname(CLUSTER), "csv")
        for table in todo:
            say(f"Loading {table} into DuckDB")
            os.makedirs(where, exist_ok=True)
            (self.generate if database == "tpch" else self.unload)(database, table, where)
            self.connection.execute(f"CREATE TABLE {table}_new ({self.columns(database, table)})")
            self.connection.execute(f"COPY {table}_new FROM '{where}/{table}.csv' (HEADER, ALLOW_QUOTED_NULLS false)")
            self.connection.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
            os.remove(f"{where}/{table}.csv")
        if todo:
            self.connection.execute("CHECKPOINT")

    @staticmethod
    def generate(database, table, where):
        generator = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
        subprocess.run([generator, "csv", "-s", SCALE, "-T", table, "--output-dir", where, "--overwrite", "--quiet"],
                       check=True)

    @staticmethod
    def unload(database, table, where):
        """Out of PostgreSQL, where the data was made; char(n) without its blanks."""
        with Session(database=database) as session:
            names = session.value("SELECT string_agg(attname || '::text AS ' || attname, ', ' ORDER BY attnum) "
                                  f"FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0")
        with open(f"{where}/{table}.csv", "wb") as file:
            subprocess.run(["psql", "-X", "-q", "-d", database, "-c",
                            f"COPY (SELECT {names} FROM {table}) TO STDOUT (FORMAT csv, HEADER)"], check=True, stdout=file)

    @staticmethod
    def columns(database, table):
        """The table's columns in scripts/tpch.sql, ssb.sql or clickbench.sql, as DuckDB spells them."""
        with open(os.path.join(TOP, "scripts", f"{database}.sql"), encoding="utf-8") as file:
            text = file.read()
        body = text[text.index(f"TABLE {table} (") + len(f"TABLE {table} ("):]
        return body[:body.index("\n);")].replace(":orderkey", "bigint")

    def run(self, case):
        """(rows, milliseconds)"""
        self.connection.execute(f"SET threads = {self.threads}")
        start = time.perf_counter()
        rows = self.connection.execute(case.sql.replace("WITH (", "(")).fetchall()
        return rows, (time.perf_counter() - start) * 1000

    def time(self, case):
        return self.run(case)[1]

    def close(self):
        self.connection.close()


def postgres_engines(database="tpch", jit=True, **settings):
    engines = [PostgresEngine("postgresql", database, {"jit": "off", **settings})]
    if jit:
        engines.append(PostgresEngine("postgresql_jit", database, {"jit": "on", **settings}))
    engines.append(PostgresEngine("gpuscan", database, {"jit": "off", **settings, "gpuscan.device": "cpu"}, "gpuscan"))
    return engines
