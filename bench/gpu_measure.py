#!/usr/bin/env python3
"""Measure the GPU engine against PostgreSQL and the CPU engine, and against the
ceilings of the machine. Called by bench/gpu, which says where things are."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import time

TOP = os.environ["GPUSCAN_TOP"]
sys.path[:0] = [os.path.join(TOP, "scripts"), os.path.join(TOP, "bench")]

import cases  # noqa: E402
import gpu_report  # noqa: E402
import measure  # noqa: E402
from measure import RUNS, say, say_progress  # noqa: E402
from pgsession import QueryError, Session, explain  # noqa: E402

SCALES = os.environ["SCALES"].replace(",", " ").split()
SESSIONS = [int(word) for word in os.environ["SESSIONS"].replace(",", " ").split()]
CASE_SECONDS = float(os.environ["CASE_SECONDS"])
LIBRARY = os.environ["GPUSCAN_CUDA_LIBRARY"]
CHOSEN = os.environ["CASES"].replace(",", " ").split()
NAMES = ["count", "q6", "q1", "suppkey"]
CORES = os.cpu_count() or 2
BLOCK = 8192
JIT = True

STATISTICS = ("jobs", "pages", "rows", "bytes_in", "bytes_out", "kernel_time", "failures", "deaths", "energy_joules")


class Failed(Exception):
    """What makes a figure worthless; its text goes into the results."""


class Elsewhere(Exception):
    """The planner keeps this query off the device, and says why."""


# --- the tables --------------------------------------------------------------

def database_of(scale):
    return "tpch_" + scale.replace(".", "_")


def load(scale):
    """lineitem in a database of its own, by as many processes as pay off; marked
    by the database's comment when it is whole."""
    database, mark = database_of(scale), f"bench-gpu scale {scale}"
    with Session(database="postgres") as session:
        found = session.value("SELECT coalesce(shobj_description(oid, 'pg_database'), '') "
                              f"FROM pg_database WHERE datname = '{database}'")
        if found == mark:
            return
        session.set("client_min_messages", "error")
        session.query(f"DROP DATABASE IF EXISTS {database}")
        session.query(f"CREATE DATABASE {database}")
    start = time.perf_counter()
    parts = max(1, min(CORES, 8)) if float(scale) >= 0.5 else 1
    say(f"Loading lineitem, scale factor {scale}, by {parts} processes")
    subprocess.run(["psql", "-X", "-q", "-d", database, "-v", "orderkey=integer", "-f", f"{TOP}/scripts/tpch.sql"],
                   check=True, stderr=subprocess.DEVNULL)
    jobs = []
    for part in range(1, parts + 1):
        rows = shlex.join([os.environ["GENERATOR"], "csv", "-s", scale, "--tables", "lineitem", "--stdout", "--quiet"]
                          + (["--parts", str(parts), "--part", str(part)] if parts > 1 else []))
        copy = shlex.join(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database,
                           "-c", "COPY lineitem FROM STDIN (FORMAT csv, HEADER)"])
        jobs.append(subprocess.Popen(["bash", "-c", f"set -o pipefail; {rows} | {copy}"]))
    if any([job.wait() for job in jobs]):
        raise Failed(f"loading scale factor {scale} failed")
    measure.do(["VACUUM (FREEZE, ANALYZE) lineitem",
                # as many workers as PostgreSQL is allowed, not as few as it deems enough
                f"ALTER TABLE lineitem SET (parallel_workers = {CORES})",
                "CREATE EXTENSION gpuscan", "CREATE EXTENSION pg_prewarm", "CREATE EXTENSION pg_buffercache",
                "CHECKPOINT", f"COMMENT ON DATABASE {database} IS '{mark}'"], database)
    say(f"Loaded in {time.perf_counter() - start:.0f} s")


def scatter(scale):
    """Every page of lineitem into shared buffers, in random order: a server that
    has just started hands out its buffers one after the other, so the order of
    reading is the order in memory. Returns how well that went."""
    with Session(database=database_of(scale)) as session:
        session.query("SELECT setseed(0.5)")
        session.query("""SELECT sum(pg_prewarm('lineitem', 'buffer', 'main', b, b)) FROM
                         (SELECT b FROM generate_series(0, pg_relation_size('lineitem') / 8192 - 1) b ORDER BY random()) x""")
        words = session.value("""SELECT count(*) || ' ' || coalesce(round(corr(bufferid, relblocknumber)::numeric, 4), 0)
                                 FROM pg_buffercache b JOIN pg_database d ON d.oid = b.reldatabase AND d.datname = current_database()
                                 WHERE relfilenode = pg_relation_filenode('lineitem') AND relforknumber = 0""").split()
        facts = {"scale": scale, "pages": int(session.value(f"SELECT pg_relation_size('lineitem') / {BLOCK}")),
                 "rows": int(session.value("SET gpuscan.enabled = off; SELECT count(*) FROM lineitem")),
                 "pages_in_buffers": int(words[0]), "order_correlation": float(words[1])}
    if facts["pages_in_buffers"] < facts["pages"]:
        say(f"Only {facts['pages_in_buffers']} of {facts['pages']} pages are in shared buffers.")
    return facts


# --- the engines -------------------------------------------------------------

def statistics_of(session):
    row = session.value("SELECT concat_ws(' ', " + ", ".join(f"coalesce(sum({name}), 0)" for name in STATISTICS)
                        + ") FROM gpuscan.stat_devices")
    return dict(zip(STATISTICS, (float(word) for word in row.split())))


def engine(name, scale, **settings):
    return measure.PostgresEngine(name, database_of(scale), {"jit": "off", **settings})


def postgres_variants(scale):
    """PostgreSQL as it may be set: the best of these is what counts."""
    off = {"gpuscan.enabled": "off"}
    found = []
    for workers in sorted({0, min(4, CORES), min(8, CORES), CORES}):
        if workers < min(8, CORES) and float(scale) > 1:
            continue                # minutes, and never the best
        for jit in ("off", "on") if JIT else ("off",):
            variant = engine("postgresql", scale, **off, max_parallel_workers_per_gather=workers, jit=jit)
            variant.title = f"{workers} workers, JIT {jit}" if workers else f"serial, JIT {jit}"
            found.append(variant)
    return found


def timed(run):
    """Milliseconds of up to RUNS runs within CASE_SECONDS, but of one at least."""
    times, end = [], time.perf_counter() + CASE_SECONDS
    while len(times) < RUNS and (not times or time.perf_counter() < end):
        times.append(round(run(), 3))
    return {"ms": times, "median": round(statistics.median(times), 3)}


def answer_of(one, case):
    """Runs it, too."""
    return sorted(one.open().query(case.sql)[0])


def postgres(case, scale):
    best, tried = None, {}
    for variant in postgres_variants(scale):
        say_progress(f"SF {scale} {case.name}: PostgreSQL, {variant.title}")
        answer = answer_of(variant, case)
        tried[variant.title] = round(variant.time(case), 3)
        if best is None or tried[variant.title] < tried[best.title]:
            if best is not None:
                best.close()
            best = variant
        else:
            variant.close()
    found = {**timed(lambda: best.time(case)), "setting": best.title, "tried": tried}
    best.close()
    return found, answer


def gpuscan(case, scale, device):
    """An engine of ours; a figure counts only if that engine did the work."""
    ours = engine(device, scale, **{"gpuscan.device": device})
    say_progress(f"SF {scale} {case.name}: {device}")
    try:
        session = ours.open()
        said = explain(session, case.sql)
        reasons = [text.split(":", 1)[1].strip() for text in said["lines"] if "Not on Device:" in text]
        if device == "cuda" and reasons and said["nodes"]:
            raise Elsewhere("; ".join(reasons))
        if not said["nodes"] or not said["engine"].startswith(device):
            reason = "; ".join(said["refusals"]) or said["engine"] or "no node of ours in the plan"
            raise Failed(f"not run by the engine {device}: {reason}")
        answer = answer_of(ours, case)
        before = statistics_of(session)
        found = timed(lambda: ours.time(case))
        after = statistics_of(session)
        found["engine"] = said["engine"]
        if device == "cuda":
            found.update({name: (after[name] - before[name]) / len(found["ms"]) for name in STATISTICS})
            if found["jobs"] == 0:
                raise Failed("the device ran no job for it")
            if after["failures"] > before["failures"] or after["deaths"] > before["deaths"]:
                raise Failed("the device failed meanwhile; part of the work was the CPU's")
        return found, answer
    finally:
        ours.close()


def measure_case(case, scale, facts):
    result = {"scale": scale, "case": case.name, "title": case.title, "sql": case.sql.strip(), "engines": {}}
    expected = None
    for name in ("postgresql", "cpu", "cuda"):
        try:
            found, answer = postgres(case, scale) if name == "postgresql" else gpuscan(case, scale, name)
            expected = answer if expected is None else expected
            if answer != expected:
                found = {"error": "another answer than PostgreSQL's"}
        except Elsewhere as reason:
            found = {"elsewhere": str(reason)}
        except (Failed, QueryError) as error:
            found = {"error": str(error).strip()[:500]}
        result["engines"][name] = found
    say_progress("")
    cuda = result["engines"]["cuda"]
    if "median" in cuda:
        heap = facts["pages"] * BLOCK
        cuda["heap_gb_s"] = heap / cuda["median"] / 1e6
        cuda["rows_s"] = facts["rows"] / cuda["median"] * 1000
        if cuda["kernel_time"] > 0:
            cuda["kernel_gb_s"] = cuda["pages"] * BLOCK / cuda["kernel_time"] / 1e6
    say(gpu_report.line(result))
    return result


# --- several sessions --------------------------------------------------------

def together(case, scale, count):
    """Milliseconds until so many sessions have each run the query once."""
    engines = [engine("cuda", scale, **{"gpuscan.device": "cuda"}) for _ in range(count)]
    try:
        for one in engines:
            one.time(case)

        def run():
            start = time.perf_counter()
            for one in engines:
                one.session.process.stdin.write(case.sql.strip() + f";\n\\echo '{Session.END}'\nSELECT ;\n")
                one.session.process.stdin.flush()
            for one in engines:
                for text in one.session.process.stdout:
                    if text.rstrip("\n") == Session.END:
                        one.session.process.stdout.readline()
                        break
                else:
                    raise Failed("a session ended")
            return (time.perf_counter() - start) * 1000

        with Session(database=database_of(scale)) as session:
            before = statistics_of(session)
            found = timed(run)
            after = statistics_of(session)
        if after["failures"] > before["failures"] or after["deaths"] > before["deaths"]:
            raise Failed("the device failed meanwhile")
        found["jobs"] = (after["jobs"] - before["jobs"]) / len(found["ms"])
        if found["jobs"] == 0:
            raise Failed("the device ran no job for it")
        return found
    finally:
        for one in engines:
            one.close()


def several_sessions(scale, facts):
    case = cases.lineitem(["q6"])[0]
    results = []
    for count in SESSIONS:
        say_progress(f"SF {scale}: Q6 in {count} sessions")
        try:
            found = together(case, scale, count)
            found["heap_gb_s"] = count * facts["pages"] * BLOCK / found["median"] / 1e6
        except (Failed, QueryError) as error:
            found = {"error": str(error).strip()[:500]}
        results.append({"sessions": count, "scale": scale, **found})
    say_progress("")
    return results


# --- the run -----------------------------------------------------------------

def wait_for_device():
    """The device as the server sees it; ends here if it is not ready."""
    with Session(database=database_of(SCALES[0])) as session:
        end = time.perf_counter() + 60
        while True:
            rows, _ = session.query("SELECT state, coalesce(name, ''), coalesce(compute_capability, ''), "
                                    "coalesce(multiprocessors, 0), coalesce(reason, '') FROM gpuscan.devices")
            for row in rows:
                state, name, capability, multiprocessors, reason = row.split("|", 4)
                if state == "ready":
                    return {"name": name, "compute_capability": capability, "multiprocessors": int(multiprocessors)}
            if not any(row.startswith("starting") for row in rows) or time.perf_counter() > end:
                sys.exit("bench-gpu: the server has no device that is ready: " + "; ".join(rows or ["no row in gpuscan.devices"]))
            time.sleep(0.2)


def start_server():
    measure.cluster_start(os.environ["SHARED_BUFFERS"], "shared_preload_libraries=gpuscan", f"gpuscan.cuda_library={LIBRARY}",
                          f"gpuscan.device_job_size={os.environ['JOB_KB']}kB", f"max_worker_processes={CORES + 8}",
                          f"max_parallel_workers={CORES}", "max_wal_size=32GB", "effective_cache_size=64GB")


def main():
    chosen = [name for name in NAMES if not CHOSEN or name in CHOSEN]
    if len(chosen) < len(CHOSEN):
        sys.exit(f"bench-gpu: there are the cases {' '.join(NAMES)}")
    with open(os.environ["CEILINGS"], encoding="utf-8") as file:
        ceilings = json.load(file)
    notes = {f"ceilings {number}": text for number, text in enumerate(ceilings.pop("notes", []), 1)}
    load_average = float(os.environ["LOAD_AVERAGE"])
    if load_average > 0.5:
        notes["busy"] = f"something else ran on this machine: load average {load_average:.2f} when measuring began"

    start_server()
    for scale in SCALES:
        load(scale)
    # from here on nothing is in shared buffers but what is put there
    measure.cluster_stop()
    start_server()
    device = wait_for_device()
    tables = {scale: scatter(scale) for scale in SCALES}

    with Session(database="postgres") as session:
        global JIT
        JIT = session.value("SELECT pg_jit_available()") == "t"
        if not JIT:
            notes["jit"] = "this server has no LLVM: PostgreSQL was measured without JIT"
        facts = {
            "stand_in": None if LIBRARY == "libcuda.so.1" else LIBRARY,
            "device": device, "postgresql": session.value("SELECT version()"),
            "settings": {name: session.value(f"SHOW {name}") for name in
                         ("shared_buffers", "work_mem", "huge_pages", "max_parallel_workers", "gpuscan.device_buffer_size",
                          "gpuscan.device_job_size")},
            "runs": RUNS, "tables": list(tables.values()), "ceilings": ceilings, "results": [], "sessions": [], "notes": notes}
    whole = LIBRARY == "libcuda.so.1" and not CHOSEN and set(SCALES) >= {"1", "10"} and RUNS >= 3
    folder = os.environ.get("RESULTS") or (os.path.join(TOP, "bench", "results") if whole else
                                           os.path.join(os.path.dirname(os.environ["CLUSTER"]), "results"))
    for scale in SCALES:
        for case in cases.lineitem(chosen):
            facts["results"].append(measure_case(case, scale, tables[scale]))
        # what is there is kept, should a limit of time end this
        gpu_report.write(TOP, folder, facts)
    if "q6" in chosen:
        facts["sessions"] = several_sessions(SCALES[-1], tables[SCALES[-1]])
    print(gpu_report.write(TOP, folder, facts))
    if any("error" in found for result in facts["results"] for found in result["engines"].values()):
        sys.exit("bench-gpu: not everything could be measured, see the errors above")


try:
    main()
except KeyboardInterrupt:
    sys.exit("\nbench-gpu: interrupted")
except Failed as error:
    sys.exit(f"bench-gpu: {error}")
