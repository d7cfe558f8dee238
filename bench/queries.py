"""Whole benchmarks: TPC-H's 22 queries and the Star Schema Benchmark's 13, one
process and with two workers, and ClickBench's 43, one process. Not only how long a query takes is on record,
but which of its scans and aggregates gpuscan's nodes took, and why not the
others: bench/queries has the texts, but for ClickBench's, whose licence keeps
them apart (clickbench_file)."""

import glob
import hashlib
import os
import re
import statistics
import subprocess
import time
import urllib.request

import report
from cases import Case
from engines import (CLUSTER, DUCKDB, ROWS, RUNS, SCALE, TOP, DuckEngine, PostgresEngine, do, fresh, mark, prewarm, say, say_progress,
                     tpch)
from pgsession import QueryError, Session, explain

# A query that has an engine wait this long is stopped, and says so.
SECONDS = max(60, round(60 * float(SCALE or 1)))

# Three runs tell a plan that is worse; a case stops taking turns after so many
# seconds, with at least one run.
TURNS = min(RUNS, 3)
CASE_SECONDS = 40

TABLES = {
    "tpch": ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"],
    "ssb": ["date", "customer", "supplier", "part", "lineorder"],
    "clickbench": ["hits"],
}

# Size of the data where the scale factor does not say it.
SIZES = {"clickbench": f"{ROWS} rows"}

# Written by ClickBench's authors under CC BY-NC-SA 4.0, which is not ours: read
# where they are, never part of this repository.
CLICKBENCH = ("https://raw.githubusercontent.com/ClickHouse/ClickBench/"
              "314839c510d59c62a27f9f16118460011df1f031/postgresql/queries.sql")
CLICKBENCH_SHA256 = "a7d6673357348ee9680443216b6f26f30d1dce9f313b419d38502417b2c2a219"

# Required where no less will do; elsewhere what a node of ours must reach.
REQUIRED = 0.95
ABOVE = {("tpch22 2 workers", "1"): 7}


def clickbench_file():
    """ClickBench's statements for PostgreSQL: CLICKBENCH= names the file, else it
    is in the benchmark's directory, fetched if it is not there yet."""
    path = os.environ.get("CLICKBENCH") or os.path.join(os.path.dirname(CLUSTER), "clickbench", "queries.sql")
    if not os.path.exists(path):
        say(f"Fetching ClickBench's queries (CC BY-NC-SA 4.0): {CLICKBENCH}")
        try:
            with urllib.request.urlopen(CLICKBENCH, timeout=30) as answer:
                content = answer.read()
        except OSError as error:
            raise OSError(f"{error}: put postgresql/queries.sql of https://github.com/ClickHouse/ClickBench at {path}") from error
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return path


def clickbench_texts(path):
    """{number: statement}: one a line, numbered from 1."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip().rstrip(";") for line in file if line.strip()]
    return {str(i): sql for i, sql in enumerate(lines, 1)}


def texts(benchmark):
    """{number: statement}, in order"""
    if benchmark == "clickbench":
        return clickbench_texts(clickbench_file())
    found = {}
    for path in sorted(glob.glob(os.path.join(TOP, "bench", "queries", benchmark, "*.sql"))):
        with open(path, encoding="utf-8") as file:
            sql = file.read().replace(":fraction", f"{0.0001 / float(SCALE):.10f}")
        found[os.path.basename(path)[:-4].lstrip("0")] = sql.strip()
    return found


def all_rows(sql):
    """One row that tells whether the answers of a statement are equal whichever
    of them LIMIT picks: where ORDER BY leaves ties, or there is none, PostgreSQL
    promises no particular ones. Rows enter as text: values, display scale, NULLs."""
    sql = re.sub(r" LIMIT \d+( OFFSET \d+)?$", "", sql)
    return f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM ({sql}) t"


# --- plans -------------------------------------------------------------------

def shape(lines):
    """A plan without what is ours to say, to compare it with PostgreSQL's."""
    return [line for line in lines if "Not Offloaded" not in line]


def heavy_tables(session):
    """Tables of at least two percent of the largest one's pages: to scan them costs something."""
    rows, _ = session.query("""
        SELECT relname FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
          AND relpages >= 0.02 * (SELECT max(relpages) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace)""")
    return set(rows)


def left_behind(lines, heavy):
    """Heavy tables that the plan scans in sequence with PostgreSQL's own node."""
    found = [match.group(1) for line in lines for match in [re.search(r"Seq Scan on (\w+)", line)] if match]
    return [table for table in dict.fromkeys(found) if table in heavy]


def counted(names):
    """GpuScan, GpuScan, GpuAgg -> GpuAgg, 2 GpuScan"""
    return ", ".join((f"{names.count(name)} " if names.count(name) > 1 else "") + name for name in sorted(set(names)))


# --- measuring ---------------------------------------------------------------

def stopped(error):
    return getattr(error, "sqlstate", None) == "57014"


def measure(series, case, engines, heavy):
    """One query on every engine, by turns, the first turn not counted; its
    answers are those that are compared."""
    found = {engine.name: {"ms": []} for engine in engines}
    answers = {}
    start = time.monotonic()
    for run in range(TURNS + 1):
        if run > 1 and time.monotonic() - start > CASE_SECONDS:
            break
        for engine in engines:
            into = found[engine.name]
            if "error" in into:
                continue
            say_progress(f"{series} {case.name}: {engine.name} {run or 'warm-up'}/{TURNS}")
            try:
                rows, ms = engine.run(case)
                if run == 0:
                    answers[engine.name] = rows
                else:
                    into["ms"].append(round(ms, 3))
            except Exception as error:  # of any kind: it belongs into the results
                into["error"] = f"over {SECONDS} s" if stopped(error) else str(error).strip()[:500]
                engine.close()
    say_progress("")
    for into in found.values():
        if into["ms"] and "error" not in into:
            into["median"] = round(statistics.median(into["ms"]), 3)

    result = {"series": series, "case": case.name, "title": case.title, "sql": case.sql, "table": "queries", "engines": found}
    if "postgresql" in answers and "gpuscan" in answers:
        result["equal"] = sorted(answers["postgresql"]) == sorted(answers["gpuscan"])
        result["rows"] = len(answers["postgresql"])
        if case.check != case.sql:
            result["ties"] = not result["equal"]
            result["equal"] = len(answers["gpuscan"]) == result["rows"] and all_equal(case, engines, found)
        # DuckDB answers in types of its own; as many rows show that it ran the same.
        if "duckdb" in answers and len(answers["duckdb"]) != result["rows"]:
            found["duckdb"]["error"] = f"{len(answers['duckdb'])} rows in place of {result['rows']}"
    look(result, case, engines, heavy)
    judge(result)
    say(report.line(result))
    return result


def all_equal(case, engines, found):
    """Do PostgreSQL and gpuscan give one answer to the case's check?"""
    said = {}
    for engine in engines:
        if engine.name in ("postgresql", "gpuscan"):
            try:
                said[engine.name] = engine.answer(case)
            except QueryError as error:
                found[engine.name].setdefault("error", f"compared: {error}")
                engine.close()
    return len(said) == 2 and said["postgresql"] == said["gpuscan"]


def look(result, case, engines, heavy):
    """Plans: ours with what was offloaded and what was refused, and whether it
    is PostgreSQL's where no node of ours is in it."""
    by_name = {engine.name: engine for engine in engines}
    ours = result["engines"]["gpuscan"]
    try:
        said = explain(by_name["gpuscan"].open(), case.sql)
        theirs, _ = by_name["postgresql"].open().query("EXPLAIN (COSTS OFF) " + case.sql)
        ours.update({"nodes": said["nodes"], "engine": said["engine"], "host": said["host"],
                     "refusals": list(dict.fromkeys(said["refusals"])), "plan": said["lines"],
                     "heavy_left": left_behind(said["lines"], heavy)})
        result["same_plan"] = shape(said["lines"]) == theirs
    except QueryError as error:
        ours.setdefault("error", str(error))
        by_name["gpuscan"].close()


def judge(result):
    """pass, noise (slower than required, but its times overlap with PostgreSQL's),
    short, other plan, over time, answers differ, error."""
    engines = result["engines"]
    ours = engines["gpuscan"]
    base = report.best_postgres(result)
    result["required"] = ABOVE.get((result["series"], result["case"]), REQUIRED)
    if ours.get("error", "").startswith("over "):
        result["verdict"] = "over time" if base is None else "short"
        return
    if "error" in ours:
        result["verdict"] = "error"
        return
    if result.get("equal") is False:
        result["verdict"] = "answers differ"
        return
    if base is None:
        # PostgreSQL was stopped or failed.
        over = all(engines[name].get("error", "").startswith("over ") for name in report.POSTGRES if name in engines)
        result["verdict"] = "pass" if over else "error"
        return
    result["ratio"] = round(base / ours["median"], 2)
    if not ours.get("nodes") and result["required"] <= 1:
        result["verdict"] = "pass" if result.get("same_plan") else "other plan"
    elif result["ratio"] >= result["required"]:
        result["verdict"] = "pass"
    else:
        slowest = max(max(engines[name]["ms"]) for name in report.POSTGRES if engines.get(name, {}).get("median") == base)
        result["verdict"] = "noise" if min(ours["ms"]) * result["required"] <= slowest else "short"


# --- the series --------------------------------------------------------------

def engines_of(database, workers):
    common = {"statement_timeout": f"{SECONDS}s", "max_parallel_workers_per_gather": str(workers)}
    engines = [PostgresEngine("postgresql", database, {"jit": "off", **common}),
               PostgresEngine("postgresql_jit", database, {"jit": "on", **common}),
               PostgresEngine("gpuscan", database, {"jit": "off", **common, "gpuscan.device": "cpu"}, "gpuscan")]
    if DUCKDB:
        engines.append(DuckEngine(max(1, workers), database, TABLES[database], SIZES.get(database, "").replace(" ", "-")))
    return engines


def run(name, database, chosen, notes, worker_counts=(0, 2), check=None):
    prewarm(database, *TABLES[database])
    with Session(database=database) as session:
        heavy = heavy_tables(session)
    results = []
    for workers in worker_counts:
        series = name + (f" {workers} workers" if workers else "")
        engines = engines_of(database, workers)
        for number, sql in texts(database).items():
            title = f"Q{number}"
            if chosen and number not in chosen and f"q{number}" not in chosen:
                continue
            results.append(measure(series, Case(number, title, sql, check=check and check(sql)), engines, heavy))
        for engine in engines:
            engine.close()
        mine = [result for result in results if result["series"] == series]
        notes[series] = summary(mine)
        say(f"{series}: {notes[series]}")
    return results


def summary(results):
    """In one line: how many were offloaded, how the whole compares."""
    nodes = sum(bool(result["engines"]["gpuscan"].get("nodes")) for result in results)
    left = [result["title"] for result in results if result["engines"]["gpuscan"].get("heavy_left")]
    text = f"{nodes} of {len(results)} queries have nodes of gpuscan's"
    if left:
        text += f"; heavy tables left to PostgreSQL's sequential scan in {', '.join(left)}"
    timed = [(report.best_postgres(result), result["engines"]["gpuscan"].get("median")) for result in results]
    timed = [(base, ours) for base, ours in timed if base and ours]
    if timed:
        text += (f"; sum of the {len(timed)} that both answered: PostgreSQL {sum(base for base, _ in timed):,.0f} ms, "
                 f"gpuscan {sum(ours for _, ours in timed):,.0f} ms, "
                 f"geometric mean of the ratios {statistics.geometric_mean(base / ours for base, ours in timed):.2f}")
    verdicts = [result["verdict"] for result in results if result["verdict"] != "pass"]
    return text + ("; " + counted(verdicts) if verdicts else "; all pass")


def tpch22_series(chosen, notes):
    tpch("tpch", TABLES["tpch"])
    return run("tpch22", "tpch", chosen, notes)


def ssb_series(chosen, notes):
    if fresh("ssb", "CREATE DATABASE ssb"):
        say(f"Making the Star Schema Benchmark's data (scale factor {SCALE})")
        subprocess.run(["psql", "-X", "-q", "-d", "ssb", "-v", "ON_ERROR_STOP=1", "-v", f"scale={SCALE}",
                        "-f", f"{TOP}/scripts/ssb.sql"], check=True)
        do(["CHECKPOINT", f"COMMENT ON DATABASE ssb IS '{mark()}'"], "ssb")
    return run("ssb", "ssb", chosen, notes)


def clickbench_series(chosen, notes):
    path = clickbench_file()
    with open(path, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != CLICKBENCH_SHA256:
            notes["clickbench: queries"] = "not the known version of ClickBench's postgresql/queries.sql"
    size = SIZES["clickbench"]
    if fresh("clickbench", "CREATE DATABASE clickbench", size):
        say(f"Making ClickBench's table ({size})")
        subprocess.run(["psql", "-X", "-q", "-d", "clickbench", "-v", "ON_ERROR_STOP=1", "-v", f"rows={ROWS}",
                        "-f", f"{TOP}/scripts/clickbench.sql"], check=True)
        do(["CHECKPOINT", f"COMMENT ON DATABASE clickbench IS '{mark(size)}'"], "clickbench")
    notes["clickbench: data"] = f"hits, {size}, made by scripts/clickbench.sql"
    return run("clickbench", "clickbench", chosen, notes, worker_counts=(0,), check=all_rows)


# --- the results -------------------------------------------------------------

def table(results):
    """For the Markdown file."""
    rows, why = [], []
    for result in results:
        engines = result["engines"]
        ours = engines["gpuscan"]
        rows.append([result["series"], result["title"], *(report.ms(engines.get(name)) for name in
                                                          ("postgresql", "postgresql_jit", "gpuscan", "duckdb")),
                     f"{result['ratio']:.2f}" if "ratio" in result else "", str(result["required"]), result["verdict"],
                     counted(ours.get("nodes", [])) or "-", ", ".join(ours.get("heavy_left", []))])
        said = ours.get("refusals", []) + [f"on the host: {text}" for text in ours.get("host", [])]
        if said:
            why.append(f"- {result['series']} {result['title']}: " + "; ".join(said))
    text = report.table(["series", "query", "PostgreSQL", "JIT on", "gpuscan", "DuckDB", "ratio", "required", "verdict",
                         "gpuscan's nodes", "heavy tables scanned by PostgreSQL"], rows, right=range(2, 8))
    if why:
        text += "\n\nNot offloaded, and why:\n\n" + "\n".join(why)
    return text
