"""What planning costs: a join of 20 tables, and one row by its primary key, by
turns without gpuscan and with it. Compared are the lower quartiles: what else
the machine does makes some turns slower, none faster."""

import os
import re
import shutil
import statistics
import subprocess
import tempfile

import report
from engines import do, say, say_progress
from pgsession import Session

TABLES = 20
TURNS = 101
SECONDS = 2
PAIRS = 10

# What may be added: a part of the time, or microseconds.
PART = 0.05
MICROSECONDS = 20

SETUP = ["DROP SCHEMA IF EXISTS planning CASCADE", "CREATE SCHEMA planning"]
for _i in range(1, TABLES + 1):
    SETUP += [f"CREATE TABLE planning.t{_i} (id int PRIMARY KEY, other int NOT NULL, v numeric(12,2) NOT NULL, d date NOT NULL, w text)",
              f"INSERT INTO planning.t{_i} SELECT i, i % 997, i / 7.0, date '2020-01-01' + i % 1000, 'w' || i % 50 "
              f"FROM generate_series(1, {500 * _i}) i",
              f"CREATE INDEX ON planning.t{_i} (other)"]
SETUP += ["CREATE TABLE planning.lookup (id int PRIMARY KEY, v int NOT NULL)",
          "INSERT INTO planning.lookup SELECT i, i % 1000 FROM generate_series(1, 100000) i",
          "VACUUM (FREEZE, ANALYZE)"]

# As a list, which PostgreSQL's genetic search takes, and as JOINs, which it
# plans in pieces of join_collapse_limit tables.
FILTERS = " AND ".join(f"t{i}.v < {40 * i} AND t{i}.d >= date '2020-02-01'" for i in range(1, TABLES + 1))
LIST = ("SELECT t1.w, count(*), sum(t20.v) FROM " + ", ".join(f"planning.t{i}" for i in range(1, TABLES + 1)) + " WHERE "
        + " AND ".join(f"t{i}.id = t{i + 1}.other" for i in range(1, TABLES)) + " AND " + FILTERS + " GROUP BY t1.w")
JOINS = ("SELECT t1.w, count(*), sum(t20.v) FROM planning.t1 "
         + " ".join(f"JOIN planning.t{i + 1} ON t{i}.id = t{i + 1}.other" for i in range(1, TABLES))
         + " WHERE " + FILTERS + " GROUP BY t1.w")


def session_of(library):
    env = dict(os.environ)
    env["PGOPTIONS"] = f"-c session_preload_libraries={library}"
    return Session(database="tpch", env=env)


def planning_time(session, sql):
    lines, _ = session.query("EXPLAIN (COSTS OFF, SUMMARY ON) " + sql)
    return float(re.search(r"Planning Time: ([0-9.]+) ms", "\n".join(lines)).group(1)) * 1000


def join(case, title, sql):
    """Times of planning in microseconds, a turn of each at a time."""
    found = {"postgresql": [], "gpuscan": []}
    with session_of("") as without, session_of("gpuscan") as with_:
        for turn in range(TURNS + 3):
            say_progress(f"planning {case}: {turn}/{TURNS}")
            for name, session in (("postgresql", without), ("gpuscan", with_)):
                us = planning_time(session, sql)
                # The first ones fill the session's caches.
                if turn >= 3:
                    found[name].append(us)
    say_progress("")
    return judged(case, title, found, part=PART)


def lookup(mode):
    """One row by its primary key, pgbench's mean of a few seconds, a turn of each at a time."""
    found = {"postgresql": [], "gpuscan": []}
    program = shutil.which("pgbench")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\set id random(1, 100000)\nSELECT v FROM planning.lookup WHERE id = :id;\n")
        script.flush()
        for turn in range(PAIRS):
            say_progress(f"planning lookup {mode}: {turn}/{PAIRS}")
            # Who comes first changes.
            order = ["postgresql", "gpuscan"] if turn % 2 == 0 else ["gpuscan", "postgresql"]
            for name in order:
                env = {**os.environ, "PGOPTIONS": f"-c session_preload_libraries={'gpuscan' if name == 'gpuscan' else ''}"}
                out = subprocess.run([program, "-n", "-c", "1", "-T", str(SECONDS), "-M", mode, "-f", script.name, "tpch"],
                                     check=True, capture_output=True, text=True, env=env).stdout
                found[name].append(float(re.search(r"latency average = ([0-9.]+) ms", out).group(1)) * 1000)
    say_progress("")
    return judged(f"lookup_{mode}", f"one row by primary key, {mode}", found, microseconds=MICROSECONDS)


def judged(case, title, found, part=None, microseconds=None):
    quartile = {name: statistics.quantiles(times, n=4)[0] for name, times in found.items()}
    more = quartile["gpuscan"] - quartile["postgresql"]
    allowed = microseconds if part is None else part * quartile["postgresql"]
    result = {"series": "planning", "case": case, "title": title, "table": "planning",
              "microseconds": {name: {"quartile": round(quartile[name], 1), "all": [round(us, 1) for us in found[name]]}
                               for name in found},
              "more": round(more, 1), "allowed": round(allowed, 1), "allowed_part": part,
              "engines": {}, "verdict": "pass" if more <= allowed else "short"}
    say(f"planning     {title}: PostgreSQL {quartile['postgresql']:,.1f}  gpuscan {quartile['gpuscan']:,.1f}  us; "
        f"{more:+.1f} of {allowed:.1f} allowed: {result['verdict']}")
    return result


def planning_series(chosen, notes):
    do(SETUP)
    results = []
    for case, title, sql in (("list", "join of 20 tables, FROM list", LIST), ("joins", "join of 20 tables, JOIN ... ON", JOINS)):
        if not chosen or case in chosen:
            results.append(join(case, title, sql))
    for mode in ("simple", "prepared"):
        if not chosen or "lookup" in chosen or f"lookup_{mode}" in chosen:
            if shutil.which("pgbench"):
                results.append(lookup(mode))
            else:
                notes["planning: lookups"] = "not measured: no pgbench"
    do(["DROP SCHEMA planning CASCADE"])
    return results


def table(results):
    """For the Markdown file."""
    rows = []
    for result in results:
        us = result["microseconds"]
        part = f" ({result['allowed_part']:.0%})" if result["allowed_part"] else ""
        rows.append([result["title"], f"{us['postgresql']['quartile']:,.1f}", f"{us['gpuscan']['quartile']:,.1f}",
                     f"{result['more']:+,.1f}", f"{result['allowed']:,.1f}{part}", result["verdict"]])
    return "Microseconds, lower quartiles; planning time of the joins, latency of the lookups.\n\n" + report.table(
        ["what", "PostgreSQL", "gpuscan", "more", "allowed", "verdict"], rows, right=range(1, 5))
