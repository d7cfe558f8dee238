"""Results: judged, printed, written as JSON, as a table and as a bar chart."""

import datetime
import json
import os
import platform
import re
import subprocess
from xml.sax.saxutils import escape

METHOD = (
    "Medians; the engines take turns within one run, after one warm-up each. PostgreSQL and gpuscan: one psql session each, "
    "times by \\timing; DuckDB: its Python package in process, fetchall. Results of many groups are consumed by an outer "
    "aggregate, rows by COPY TO '/dev/null' in CSV, in every engine alike. Ratio: the better one of PostgreSQL's settings "
    "(JIT off, JIT on) over gpuscan.")

POSTGRES = ("postgresql", "postgresql_jit")
NAMES = {"postgresql": "PostgreSQL", "postgresql_jit": "PostgreSQL, JIT", "gpuscan": "gpuscan", "duckdb": "DuckDB"}


def best_postgres(result):
    times = [result["engines"][name]["median"] for name in POSTGRES if "median" in result["engines"].get(name, {})]
    return min(times) if times else None


def judge(result, case):
    """Ratio and verdict: aim, pass, short, or what went wrong."""
    ours = result["engines"].get("gpuscan", {})
    base = best_postgres(result)
    if case.required is not None:
        result["required"] = case.required
    if case.aim is not None:
        result["aim"] = case.aim
    if "error" in ours or base is None:
        result["verdict"] = "error"
        return
    result["ratio"] = round(base / ours["median"], 2)
    if result.get("equal") is False:
        result["verdict"] = "answers differ"
    elif case.required is None:
        result["verdict"] = ""
    elif result["ratio"] < case.required:
        result["verdict"] = "short"
    elif case.aim is not None and result["ratio"] >= case.aim:
        result["verdict"] = "aim"
    else:
        result["verdict"] = "pass"


def ms(engine):
    if engine is None:
        return ""
    if "error" in engine:
        return "error"
    value = engine["median"]
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def line(result):
    times = "  ".join(f"{NAMES[name]} {ms(engine)}" for name, engine in result["engines"].items())
    ratio = f"{result['ratio']:.2f} x" if "ratio" in result else "-"
    return f"{result['series']:<17} {result['case']:<9} {times}  ms; {ratio} {result['verdict']}"


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for entry in file:
                if entry.startswith("model name"):
                    return entry.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine():
    memory = 0
    try:
        with open("/proc/meminfo", encoding="utf-8") as file:
            memory = int(file.readline().split()[1]) // 1024
    except OSError:
        pass
    flags = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((entry for entry in file if entry.startswith("flags")), "")
    except OSError:
        pass
    system = platform.freedesktop_os_release() if hasattr(platform, "freedesktop_os_release") else {}
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "simd": [flag for flag in ("avx2", "avx512f", "avx512bw", "avx512vl") if f" {flag} " in flags + " "],
        "memory_mb": memory,
        "system": system.get("PRETTY_NAME", platform.platform()),
        "kernel": platform.release(),
    }


def git(top, *words):
    try:
        return subprocess.run(["git", "-C", top, *words], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def slug(text):
    text = re.sub(r"\((R|TM)\)|CPU|Processor|@.*", " ", text)
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "unknown"


def duckdb_version():
    try:
        import duckdb
        return duckdb.__version__
    except ImportError:
        return None


def write(top, folder, facts, runs, results, notes, instructions):
    """All three files into the folder, and the table to the terminal."""
    now = datetime.datetime.now(datetime.timezone.utc)
    commit = git(top, "rev-parse", "--short", "HEAD") or "none"
    document = {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "uncommitted_changes": bool(git(top, "status", "--porcelain", "--", "src", "cuda", "Makefile")),
        "machine": machine(),
        **facts,
        "duckdb": duckdb_version(),
        "runs": runs,
        "method": METHOD,
        "results": results,
        "instructions": instructions,
        "notes": notes,
    }
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, f"{now:%Y-%m-%d}-{commit}-{slug(document['machine']['cpu'])}")
    with open(base + ".json", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    with open(base + ".md", "w", encoding="utf-8") as file:
        file.write(markdown(document, os.path.basename(base)))
    chart = svg(document)
    if chart:
        with open(base + ".svg", "w", encoding="utf-8") as file:
            file.write(chart)
    print(markdown(document, os.path.basename(base)))
    print(f"Written: {os.path.relpath(base, top)}.json, .md" + (", .svg" if chart else ""))


def headline(document):
    place = document["machine"]
    return (f"{place['cpu']}, {place['cores']} cores, {place['memory_mb'] / 1024:.0f} GB; "
            f"{document['postgresql'].split(' on ')[0]}; "
            + (f"DuckDB {document['duckdb']}, one thread; " if document["duckdb"] else "")
            + f"scale factor {document['scale']}: TPC-H's lineitem {document['lineitem_rows']:,} rows, "
            f"{document['lineitem_bytes'] / 1e6:,.0f} MB")


def table(head, rows, right=()):
    """A Markdown table whose source is as readable as its rendering."""
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]

    def cells(row):
        return "| " + " | ".join(text.rjust(width) if i in right else text.ljust(width)
                                 for i, (text, width) in enumerate(zip(row, widths))) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if i in right else "-") for i, width in enumerate(widths)) + "|"
    return "\n".join([cells(head), rule] + [cells(row) for row in rows])


def other_tables(document):
    """Series that have a table of their own."""
    import planning
    import queries
    parts = []
    for name, module in (("queries", queries), ("planning", planning)):
        results = [result for result in document["results"] if result.get("table") == name]
        if results:
            parts += ["", module.table(results)]
    return parts


def markdown(document, name):
    rows = []
    for result in document["results"]:
        if "table" in result:
            continue
        engines = result["engines"]
        rows.append([result["series"], result["title"], ms(engines.get("postgresql")), ms(engines.get("postgresql_jit")),
                     ms(engines.get("gpuscan")), ms(engines.get("duckdb")),
                     f"{result['ratio']:.2f}" if "ratio" in result else "",
                     str(result.get("required", "")), str(result.get("aim", "")), result["verdict"],
                     engines.get("gpuscan", {}).get("engine", "")])
    parts = [
        f"# Benchmark {document['date']}, commit {document['commit']}"
        + (" with uncommitted changes" if document["uncommitted_changes"] else ""),
        "", headline(document), "", document["method"], "",
        "Settings: " + ", ".join(f"{key} = {value}" for key, value in document["settings"].items())
        + f". Runs: {document['runs']}. Milliseconds.", "",
    ]
    if rows:
        parts.append(table(["series", "query", "PostgreSQL", "JIT on", "gpuscan", "DuckDB", "ratio", "required", "aim", "verdict",
                            "engine"], rows, right=range(2, 9)))
    parts += other_tables(document)
    if document["instructions"]:
        parts += ["", "Instructions of one execution (callgrind, scale factor "
                  f"{document['instructions']['scale']}, warm; level {document['instructions']['level']}):", "",
                  table(["query", "PostgreSQL", "gpuscan", "ratio"],
                        [[case, f"{count['postgresql']:,}",
                          f"{count['gpuscan']:,}" if count.get("gpuscan") else "error",
                          f"{count['postgresql'] / count['gpuscan']:.2f}" if count.get("gpuscan") else ""]
                         for case, count in document["instructions"]["cases"].items()], right=(1, 2, 3))]
    errors = [f"- {result['series']} {result['case']}, {NAMES[engine]}: {found['error']}"
              for result in document["results"] for engine, found in result["engines"].items() if "error" in found]
    if errors:
        parts += ["", "Errors:", *errors]
    if document["notes"]:
        parts += ["", "Notes:", *(f"- {key}: {value}" for key, value in document["notes"].items())]
    if any(result["series"] == "main" for result in document["results"]):
        parts += ["", f"![Bar chart of the main series]({name}.svg)"]
    return "\n".join(parts) + "\n"


# --- the chart ---------------------------------------------------------------

COLOURS = {"postgresql": "#8a94a6", "gpuscan": "#2f6fde", "duckdb": "#e0a526"}


def svg(document):
    """One group of bars for each query of the main series, each group to its
    own scale: PostgreSQL, at its better setting, fills the width."""
    results = [result for result in document["results"] if result["series"] == "main" and best_postgres(result)]
    if not results:
        return None
    left, width, bar, gap, top = 250, 520, 16, 18, 84
    engines = ["postgresql", "gpuscan"] + (["duckdb"] if any("duckdb" in r["engines"] for r in results) else [])
    group = len(engines) * (bar + 3) + gap
    height = top + group * len(results) + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 150}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="20" y="28" font-size="16" font-weight="bold" fill="#1c2430">lineitem, {document["lineitem_rows"]:,} rows, '
        'one core: time per query, less is better</text>',
    ]
    x = 20
    for engine in engines:
        label = NAMES[engine] + (" (better of JIT on, off)" if engine == "postgresql" else "")
        out.append(f'<rect x="{x}" y="44" width="12" height="12" fill="{COLOURS[engine]}"/>')
        out.append(f'<text x="{x + 18}" y="54" fill="#1c2430">{escape(label)}</text>')
        x += 40 + 7 * len(label)
    y = top
    for result in results:
        base = best_postgres(result)
        middle = y + (group - gap) / 2 + 4
        out.append(f'<text x="{left - 12}" y="{middle:.0f}" text-anchor="end" fill="#1c2430">{escape(result["title"])}</text>')
        for engine in engines:
            found = result["engines"].get(engine, {})
            value = base if engine == "postgresql" else found.get("median")
            if value is None:
                label, size = "error" if "error" in found else "not measured", 0
            else:
                label = f"{value:,.1f} ms" if value < 10 else f"{value:,.0f} ms"
                if engine != "postgresql":
                    label += f", {base / value:,.1f} x"
                size = max(1, min(1.0, value / base) * width)
            out.append(f'<rect x="{left}" y="{y}" width="{size:.1f}" height="{bar}" fill="{COLOURS[engine]}"/>')
            weight = ' font-weight="bold"' if engine == "gpuscan" else ""
            out.append(f'<text x="{left + size + 6:.1f}" y="{y + 12}" fill="#1c2430"{weight}>{label}</text>')
            y += bar + 3
        y += gap
    place = document["machine"]
    out.append(f'<text x="20" y="{height - 14}" font-size="11" fill="#5a6474">'
               + escape(f"{place['cpu']}; {document['postgresql'].split(' on ')[0]}"
                        + (f"; DuckDB {document['duckdb']}" if document["duckdb"] else "")
                        + f"; commit {document['commit']}, {document['date'][:10]}") + "</text>")
    out.append("</svg>")
    return "\n".join(out) + "\n"
