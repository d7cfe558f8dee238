#!/usr/bin/env python3
"""Run the series of bench/cases.py and write the results. Called by bench/run,
which brings the server, the library and DuckDB, and says where they are."""

import os
import shlex
import statistics
import subprocess
import sys
import time

TOP = os.environ["GPUSCAN_TOP"]
sys.path[:0] = [os.path.join(TOP, "scripts"), os.path.join(TOP, "bench")]

import cases  # noqa: E402
import report  # noqa: E402
from pgsession import QueryError, Session, explain  # noqa: E402

CLUSTER = os.environ["CLUSTER"]
SCALE = os.environ["SCALE"]
RUNS = int(os.environ["RUNS"])
DUCKDB = os.environ["DUCKDB"] != "0"
CHOSEN_SERIES = os.environ["SERIES"].replace(",", " ").split()
CHOSEN_CASES = os.environ["CASES"].replace(",", " ").split()

COMMON = {
    "max_parallel_workers_per_gather": "0",
    "work_mem": "256MB",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def wanted(series):
    return not CHOSEN_SERIES or series in CHOSEN_SERIES


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


def load(database, create):
    """The database with TPC-H's tables in it; loaded once, marked by its comment."""
    mark = f"bench scale {SCALE}"
    with Session(database="postgres") as session:
        found = session.value("SELECT coalesce(shobj_description(oid, 'pg_database'), '') "
                              f"FROM pg_database WHERE datname = '{database}'")
        if found == mark:
            return
        session.set("client_min_messages", "error")
        session.query(f"DROP DATABASE IF EXISTS {database}")
        session.query(create)
    tables = ["lineitem", "orders", "part"] if database == "tpch" else ["lineitem"]
    kind = subprocess.run([f"{TOP}/scripts/tpch", SCALE, *tables], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PGDATABASE": database}).stdout.strip()
    if kind != "tpch":
        sys.exit("bench: TPC-H's generator (Python package tpchgen-cli) cannot be had; figures of other data would mislead.")
    do(["CREATE INDEX ON lineitem (l_orderkey)", "CREATE INDEX ON lineitem (l_partkey)",
        "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT", f"COMMENT ON DATABASE {database} IS '{mark}'"], database)


def prewarm(database, *tables):
    """Into shared buffers, and what the kernel caches with it."""
    for table in tables:
        do(["CREATE EXTENSION IF NOT EXISTS pg_prewarm", f"SELECT pg_prewarm('{table}')"], database)


# --- the engines -------------------------------------------------------------

class PostgresEngine:
    def __init__(self, name, database, settings, library=None):
        self.name = name
        self.database = database
        self.settings = {**COMMON, **settings}
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

    def time(self, case):
        return self.open().query(case.sql)[1]

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
    """DuckDB on storage of its own, one thread, data in memory after the first run."""

    name = "duckdb"

    def __init__(self):
        import duckdb
        path = os.path.join(os.path.dirname(CLUSTER), f"tpch-{SCALE}-{duckdb.__version__}.duckdb")
        self.connection = duckdb.connect(path)
        self.connection.execute("SET threads = 1")
        tables = [row[0] for row in self.connection.execute("SHOW TABLES").fetchall()]
        if "lineitem" not in tables:
            say("Loading lineitem into DuckDB")
            generator = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
            where = os.path.join(os.path.dirname(CLUSTER), "csv")
            subprocess.run([generator, "csv", "-s", SCALE, "-T", "lineitem", "--output-dir", where,
                            "--overwrite", "--quiet"], check=True)
            columns = self.columns()
            self.connection.execute(f"CREATE TABLE lineitem_new ({columns})")
            self.connection.execute(f"COPY lineitem_new FROM '{where}/lineitem.csv' (HEADER)")
            self.connection.execute("ALTER TABLE lineitem_new RENAME TO lineitem")
            self.connection.execute("CHECKPOINT")
            os.remove(f"{where}/lineitem.csv")

    @staticmethod
    def columns():
        """lineitem's columns in scripts/tpch.sql, as DuckDB spells them."""
        with open(os.path.join(TOP, "scripts", "tpch.sql"), encoding="utf-8") as file:
            text = file.read()
        body = text[text.index("lineitem (") + len("lineitem ("):]
        return body[:body.index("\n);")].replace(":orderkey", "bigint")

    def time(self, case):
        start = time.perf_counter()
        self.connection.execute(case.sql.replace("WITH (", "(")).fetchall()
        return (time.perf_counter() - start) * 1000

    def close(self):
        self.connection.close()


def postgres_engines(database="tpch", jit=True, **settings):
    engines = [PostgresEngine("postgresql", database, {"jit": "off", **settings})]
    if jit:
        engines.append(PostgresEngine("postgresql_jit", database, {"jit": "on", **settings}))
    engines.append(PostgresEngine("gpuscan", database, {"jit": "off", **settings, "gpuscan.device": "cpu"}, "gpuscan"))
    return engines


# --- measuring ---------------------------------------------------------------

def measure(series, case, engines, before=None, runs=RUNS, warm_up=True):
    """One case on every engine, by turns. An engine that fails is recorded with
    what it said, and the others go on."""
    result = {"series": series, "case": case.name, "title": case.title, "sql": case.sql.strip(), "engines": {}}
    found = {engine.name: {"ms": []} for engine in engines}
    for run in range(0 if warm_up else 1, runs + 1):
        for engine in engines:
            into = found[engine.name]
            if "error" in into:
                continue
            say_progress(f"{series} {case.name}: {engine.name} {run or 'warm-up'}/{runs}")
            try:
                if before:
                    for other in engines:
                        other.close()
                    before()
                ms = engine.time(case)
                if run > 0:
                    into["ms"].append(round(ms, 3))
            except Exception as error:  # of any kind: it belongs into the results
                into["error"] = str(error).strip()[:500]
                engine.close()
    say_progress("")

    answers = {}
    for engine in engines:
        into = found[engine.name]
        if into["ms"] and "error" not in into:
            into["median"] = round(statistics.median(into["ms"]), 3)
        if engine.name in ("postgresql", "gpuscan") and "error" not in into:
            try:
                answers[engine.name] = engine.answer(case)
                if engine.name == "gpuscan":
                    into.update(engine.plan(case))
            except QueryError as error:
                into["error"] = str(error)
                engine.close()
    result["engines"] = found
    if len(answers) == 2:
        result["equal"] = answers["postgresql"] == answers["gpuscan"]
    report.judge(result, case)
    say(report.line(result))
    return result


def say_progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K  {text}")
        sys.stderr.flush()


def chosen(series_cases):
    return [case for case in series_cases if not CHOSEN_CASES or case.name in CHOSEN_CASES]


def run_series(series, series_cases, engines, **options):
    results = []
    for case in chosen(series_cases):
        results.append(measure(series, case, engines, **options))
    for engine in engines:
        engine.close()
    return results


# --- the series --------------------------------------------------------------

def main_series(notes):
    prewarm("tpch", "lineitem")
    engines = postgres_engines()
    if DUCKDB:
        engines.append(DuckEngine())
    return run_series("main", cases.MAIN, engines)


def dirty_series(notes):
    say("Making a copy of lineitem with 5 % of its rows updated")
    do(cases.DIRTY_SETUP)
    prewarm("tpch", "lineitem_dirty")
    with Session(database="tpch") as session:
        session.query("CREATE EXTENSION IF NOT EXISTS pg_visibility")
        notes["dirty: pages all-visible"] = session.value("SELECT all_visible FROM pg_visibility_map_summary('lineitem_dirty')")
    results = run_series("dirty", cases.DIRTY, postgres_engines())
    do(["DROP TABLE lineitem_dirty"])
    return results


def relation_files(table):
    with Session(database="tpch") as session:
        path = os.path.join(CLUSTER, "data", session.value(f"SELECT pg_relation_filepath('{table}')"))
    folder, base = os.path.split(path)
    return [os.path.join(folder, name) for name in os.listdir(folder) if name == base or name.startswith(base + ".")]


def forget(files):
    """Take these files out of the kernel's cache: how much stayed, in bytes.
    Does not touch what else this machine has cached."""
    for name in files:
        fd = os.open(name, os.O_RDONLY)
        try:
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
    try:
        out = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", *files],
                             capture_output=True, text=True, check=True).stdout
        return sum(int(word) for word in out.split())
    except (OSError, subprocess.CalledProcessError):
        return None


def buffers_series(notes):
    results = []
    cluster_start("128MB")
    files = relation_files("lineitem")
    try:
        for name in files:
            with open(name, "rb") as file:
                while file.read(1 << 20):
                    pass
        results += run_series("buffers-warm", cases.BUFFERS_WARM, postgres_engines())

        def cold():
            cluster_stop()
            left = forget(files)
            if left:
                notes["buffers-cold: bytes that stayed in the kernel's cache"] = left
            cluster_start("128MB")

        if not hasattr(os, "posix_fadvise"):
            notes["buffers-cold"] = "not measured: this system cannot be told to forget a file"
        else:
            results += run_series("buffers-cold", cases.BUFFERS_COLD, postgres_engines(jit=False),
                                  before=cold, runs=min(RUNS, 3), warm_up=False)
    except PermissionError as error:
        notes["buffers"] = f"not measured: {error}"
    finally:
        cluster_start(os.environ["SHARED_BUFFERS"])
    return results


def utf8_series(notes):
    create = None
    for how in ("LOCALE 'en_US.UTF-8'", "LOCALE 'en_US.utf8'",
                "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
                "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'"):
        statement = f"CREATE DATABASE tpch_utf8 TEMPLATE template0 ENCODING 'UTF8' {how}"
        try:
            do(["DROP DATABASE IF EXISTS probe_utf8", statement.replace("tpch_utf8", "probe_utf8"),
                "DROP DATABASE probe_utf8"], "postgres")
            create = statement
            break
        except QueryError:
            continue
    if create is None:
        notes["utf8"] = "not measured: neither the system nor ICU has an English UTF-8 locale"
        return []
    notes["utf8: database"] = create
    load("tpch_utf8", create)
    prewarm("tpch_utf8", "lineitem")
    return run_series("utf8", cases.UTF8, postgres_engines("tpch_utf8"))


def punt_series(notes):
    say("Making a table of very long numbers")
    do([sql.replace("{rows}", "1000000") for sql in cases.PUNT_SETUP])
    results = run_series("punt", cases.PUNT, postgres_engines())
    do(["DROP TABLE punt, punt_one"])
    return results


def spill_series(notes):
    say("Making a table of 5 million groups")
    do([sql.replace("{rows}", "5000000") for sql in cases.SPILL_SETUP])
    results = run_series("spill", cases.SPILL, postgres_engines(work_mem="4MB"))
    do(["DROP TABLE spill"])
    return results


SERIES = {"main": main_series, "dirty": dirty_series, "buffers": buffers_series,
          "utf8": utf8_series, "punt": punt_series, "spill": spill_series}


def main():
    for name in CHOSEN_SERIES:
        if name not in SERIES and name != "callgrind":
            sys.exit(f"bench: no such series: {name}; there are: {' '.join(SERIES)} callgrind")
    results, notes = [], {}
    load_average = float(os.environ["LOAD_AVERAGE"])
    if load_average > 0.5:
        notes["busy"] = f"something else ran on this machine: load average {load_average:.2f} when measuring began"
        say(f"This machine is busy (load average {load_average:.2f}): the figures will be noisy.")

    cluster_start(os.environ["SHARED_BUFFERS"])
    load("tpch", "CREATE DATABASE tpch")
    for name, series in SERIES.items():
        if wanted(name):
            try:
                results += series(notes)
            except (QueryError, subprocess.CalledProcessError) as error:
                notes[name] = f"failed: {error}"
                say(f"{name} failed: {error}")

    with Session(database="tpch") as session:
        facts = {
            "postgresql": session.value("SELECT version()"),
            "scale": SCALE,
            "lineitem_rows": int(session.value("SELECT count(*) FROM lineitem")),
            "lineitem_bytes": int(session.value("SELECT pg_table_size('lineitem')")),
            "settings": {name: session.value(f"SHOW {name}") for name in
                         ("shared_buffers", "work_mem", "max_parallel_workers_per_gather", "autovacuum", "block_size")},
        }
    instructions = None
    if os.environ.get("CALLGRIND") != "0" and (not CHOSEN_SERIES or "callgrind" in CHOSEN_SERIES):
        instructions = callgrind(notes)
    # A part of the cases, or another scale, is for the one who works on it.
    whole = not CHOSEN_SERIES and not CHOSEN_CASES and DUCKDB and float(SCALE) == 1 and RUNS >= 5
    folder = os.path.join(TOP, "bench", "results") if whole else os.path.join(os.path.dirname(CLUSTER), "results")
    report.write(TOP, folder, facts, RUNS, results, notes, instructions)


def callgrind(notes):
    import json
    outcome = subprocess.run([f"{TOP}/bench/callgrind"], stdout=subprocess.PIPE, text=True)
    if outcome.returncode != 0:
        notes["callgrind"] = "not measured: " + (outcome.stdout.strip() or "bench/callgrind failed")
        return None
    return json.loads(outcome.stdout)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nbench: interrupted")
