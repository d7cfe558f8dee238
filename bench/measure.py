#!/usr/bin/env python3
"""Run the series of bench/cases.py and write the results. Called by bench/run,
which brings the server, the library and DuckDB, and says where they are."""

import os
import statistics
import subprocess
import sys

TOP = os.environ["GPUSCAN_TOP"]
sys.path[:0] = [os.path.join(TOP, "scripts"), os.path.join(TOP, "bench")]

import cases  # noqa: E402
import planning  # noqa: E402
import queries  # noqa: E402
import report  # noqa: E402
from engines import (ADDED, CLUSTER, DUCKDB, ROWS, RUNS, SCALE, DuckEngine, PostgresEngine,  # noqa: E402,F401
                     cluster_start, cluster_stop, do, load, postgres_engines, prewarm, say, say_progress)
from pgsession import QueryError, Session  # noqa: E402

CHOSEN_SERIES = os.environ["SERIES"].replace(",", " ").split()
CHOSEN_CASES = os.environ["CASES"].replace(",", " ").split()


def wanted(series):
    return not CHOSEN_SERIES or series in CHOSEN_SERIES


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


def workers_series(notes):
    prewarm("tpch", "lineitem")
    engines = postgres_engines(max_parallel_workers_per_gather="2")
    if DUCKDB:
        engines.append(DuckEngine(threads=2))
    return run_series("workers", cases.WORKERS, engines)


def tpch22_series(notes):
    return queries.tpch22_series(CHOSEN_CASES, notes)


def ssb_series(notes):
    return queries.ssb_series(CHOSEN_CASES, notes)


def clickbench_series(notes):
    return queries.clickbench_series(CHOSEN_CASES, notes)


def planning_series(notes):
    return planning.planning_series(CHOSEN_CASES, notes)


SERIES = {"main": main_series, "workers": workers_series, "dirty": dirty_series, "buffers": buffers_series,
          "utf8": utf8_series, "punt": punt_series, "spill": spill_series, "planning": planning_series,
          "tpch22": tpch22_series, "ssb": ssb_series, "clickbench": clickbench_series}


def main():
    for name in CHOSEN_SERIES:
        if name not in SERIES and name != "callgrind":
            sys.exit(f"bench: no such series: {name}; there are: {' '.join(SERIES)} callgrind")
    results, notes = [], {}
    load_average = float(os.environ["LOAD_AVERAGE"])
    if load_average > 0.5:
        notes["busy"] = f"something else ran on this machine: load average {load_average:.2f} when measuring began"
        say(f"This machine is busy (load average {load_average:.2f}): the figures will be noisy.")

    if ADDED:
        notes["settings added"] = ", ".join(f"{name} = {value}" for name, value in ADDED.items())

    cluster_start(os.environ["SHARED_BUFFERS"])
    load("tpch", "CREATE DATABASE tpch")
    for name, series in SERIES.items():
        if wanted(name):
            try:
                results += series(notes)
            except (QueryError, OSError, subprocess.CalledProcessError) as error:
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
    whole = not CHOSEN_SERIES and not CHOSEN_CASES and not ADDED and DUCKDB and float(SCALE) == 1 and int(ROWS) >= 1000000 and RUNS >= 5
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
