"""Results of bench/gpu: judged, printed, written as JSON and as tables."""

import datetime
import json
import os

import report
from report import git, machine, slug, table

# The targets, beside which every figure stands.
STAGED_TARGET = 0.85
KERNEL_TARGET = 0.30
KERNEL_CASES = ("q6", "q1")

METHOD = (
    "lineitem lies in shared buffers, its pages in random order (each block was read by pg_prewarm in random order into a "
    "server that had just started; the correlation of buffer and block number is below). Times are psql's \\timing, medians "
    "after a warm-up. PostgreSQL: the best of its settings, parallel workers and JIT, each tried once before. GB/s: pages of the "
    "heap, 8 kB each, by the time of the whole query. Kernel time: by events on the device, summed over the jobs of a query. "
    "Ceilings were measured in the same run, before the queries, by bench/ceilings.c; device copy counts bytes read plus "
    "bytes written.")


def ms(found):
    return "on the CPU" if "elsewhere" in found else report.ms(found)


def staging_ceiling(document, processes):
    for entry in document["ceilings"]["staging"]:
        if entry["processes"] == processes:
            return entry["to_device_gb_s"]
    return None


def number(value, digits=1):
    return "" if value is None else f"{value:,.{digits}f}"


def percent(value):
    return "" if value is None else f"{100 * value:.0f} %"


def verdict(value, target):
    return "" if value is None else "reached" if value >= target else "short"


def share(value, ceiling):
    return value / ceiling if value and ceiling else None


def line(result):
    times = "  ".join(f"{name} {ms(found)}" for name, found in result["engines"].items())
    cuda = result["engines"]["cuda"]
    return f"SF {result['scale']:<5}{result['case']:<9}{times}  ms" + (
        f"; {cuda['heap_gb_s']:.1f} GB/s of heap" if "heap_gb_s" in cuda else f"; {cuda.get('error') or cuda.get('elsewhere', '')}")


def judge(document):
    """Shares of the ceilings, into the results."""
    copy = document["ceilings"]["device_memory"]["copy_gb_s"]
    for result in document["results"]:
        cuda = result["engines"]["cuda"]
        if "median" in cuda:
            cuda["of_staging_ceiling"] = share(cuda["heap_gb_s"], staging_ceiling(document, 1))
            cuda["of_device_copy"] = share(cuda.get("kernel_gb_s"), copy)
    for entry in document["sessions"]:
        if "median" in entry:
            entry["of_staging_ceiling"] = share(entry["heap_gb_s"], staging_ceiling(document, entry["sessions"]))


NOW = datetime.datetime.now(datetime.timezone.utc)


def write(top, folder, facts):
    """Both files, again if they are there; returns the table."""
    commit = git(top, "rev-parse", "--short", "HEAD") or os.environ.get("COMMIT") or "none"
    document = {
        "date": NOW.strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "uncommitted_changes": bool(git(top, "status", "--porcelain", "--", "src", "cuda", "Makefile")),
        "machine": machine(),
        "method": METHOD,
        **facts,
    }
    judge(document)
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, f"{NOW:%Y-%m-%d}-{commit}-gpu-{slug(document['device']['name'])}")
    with open(base + ".json", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    text = markdown(document)
    with open(base + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    return text + f"\nWritten: {os.path.relpath(base, top)}.json, .md"


def ceilings_tables(ceilings):
    copies = table(["bytes of a copy", "pinned GB/s", "pageable GB/s"],
                   [[f"{entry['bytes']:,}", number(entry["pinned_gb_s"]), number(entry["pageable_gb_s"])]
                    for entry in ceilings["host_to_device"]], right=range(3))
    pages = ceilings["scattered_pages"]
    memory = ceilings["device_memory"]
    other = table(["what", "GB/s"], [
        ["device to host, pinned", number(ceilings["device_to_host_gb_s"])],
        ["scattered 8 kB pages, one copy each", number(pages["single_copies_gb_s"])],
        ["scattered 8 kB pages, batched copies", number(pages["batched_copies_gb_s"]) or "not measured"],
        ["scattered 8 kB pages, gathering kernel", number(pages["gather_kernel_gb_s"]) or "not measured"],
        ["device copy, read plus written", number(memory["copy_gb_s"])],
        ["streaming read kernel", number(memory["read_gb_s"]) or "not measured"],
        ["pinning memory (cuMemHostRegister)", number(ceilings["register_gb_s"])],
    ], right=(1,))
    staging = table(["processes", "memcpy GB/s", "to the device GB/s"],
                    [[str(entry["processes"]), number(entry["memcpy_gb_s"]), number(entry["to_device_gb_s"])]
                     for entry in ceilings["staging"]], right=range(3))
    launch = f"Launch of an empty kernel until the host knows: {memory['launch_us']:.1f} us." if memory["launch_us"] else ""
    return ["Host to device:", "", copies, "", other, "",
            "Staging: processes copy pages in random order into pinned memory; from there to the device by copies of "
            f"{ceilings['job_bytes'] // 1024:,} kB. The second is the ceiling of transport 'staged'.", "", staging,
            *(["", launch] if launch else [])]


def queries_table(document):
    rows = []
    for result in document["results"]:
        engines = result["engines"]
        theirs, cpu, cuda = engines["postgresql"], engines["cpu"], engines["cuda"]
        ratio = share(theirs.get("median"), cuda.get("median"))
        rows.append([result["scale"], result["title"], ms(theirs), theirs.get("setting", ""), ms(cpu), ms(cuda),
                     number(ratio), number(cuda.get("heap_gb_s")),
                     number(cuda["rows_s"] / 1e6, 0) if "rows_s" in cuda else "",
                     number(cuda.get("kernel_time"), 2)])
    return table(["SF", "query", "PostgreSQL", "its setting", "cpu", "cuda", "ratio", "heap GB/s", "M rows/s", "kernel ms"],
                 rows, right=(0, 2, 4, 5, 6, 7, 8, 9))


def targets_table(document):
    rows = []
    copy = document["ceilings"]["device_memory"]["copy_gb_s"]
    if document["stand_in"]:
        return "Not judged: there was no GPU."
    for result in document["results"]:
        cuda = result["engines"]["cuda"]
        if "median" not in cuda:
            continue
        name = f"SF {result['scale']} {result['title']}"
        rows.append([name, "staged", number(cuda["heap_gb_s"]), number(staging_ceiling(document, 1)),
                     percent(cuda["of_staging_ceiling"]), percent(STAGED_TARGET),
                     verdict(cuda["of_staging_ceiling"], STAGED_TARGET)])
        if cuda.get("of_device_copy") is not None:
            wanted = result["case"] in KERNEL_CASES
            rows.append([name, "kernels, resident pages", number(cuda["kernel_gb_s"]), number(copy),
                         percent(cuda["of_device_copy"]), percent(KERNEL_TARGET) if wanted else "",
                         verdict(cuda["of_device_copy"], KERNEL_TARGET) if wanted else ""])
    for entry in document["sessions"]:
        if "median" in entry:
            rows.append([f"SF {entry['scale']} Q6, {entry['sessions']} at a time", "staged", number(entry["heap_gb_s"]),
                         number(staging_ceiling(document, entry["sessions"])), percent(entry["of_staging_ceiling"]),
                         percent(STAGED_TARGET), verdict(entry["of_staging_ceiling"], STAGED_TARGET)])
    return table(["what", "path", "GB/s", "ceiling", "share", "target", ""], rows, right=(2, 3, 4, 5)) if rows else "Nothing ran."


def markdown(document):
    place, ceilings = document["machine"], document["ceilings"]
    parts = [f"# GPU benchmark {document['date']}, commit {document['commit']}"
             + (" with uncommitted changes" if document["uncommitted_changes"] else ""), ""]
    if document["stand_in"]:
        parts += [f"**No GPU: the driver was `{os.path.basename(document['stand_in'])}`, which stands in for one in tests. "
                  "These figures say that the benchmark runs; they say nothing about any device.**", ""]
    parts += [
        f"{ceilings['device']}, compute capability {ceilings['capability']}, {ceilings['multiprocessors']} multiprocessors, "
        f"{ceilings['memory_mb'] / 1024:.0f} GB, driver {ceilings['driver']}; {place['cpu']}, {place['cores']} cores, "
        f"{place['memory_mb'] / 1024:.0f} GB, {place['system']}; {document['postgresql'].split(' on ')[0]}.", "",
        document["method"], "",
        "Settings: " + ", ".join(f"{key} = {value}" for key, value in document["settings"].items())
        + f". Runs: {document['runs']}.", "",
        "## Queries", "", "Milliseconds; the ratio is PostgreSQL's time over that of the engine cuda.", "",
        queries_table(document), "",
        table(["SF", "rows", "pages", "in shared buffers", "correlation of order"],
              [[t["scale"], f"{t['rows']:,}", f"{t['pages']:,}", f"{t['pages_in_buffers']:,}", f"{t['order_correlation']:.4f}"]
               for t in document["tables"]], right=range(5)), "",
        "## Targets", "",
        "Staged: heap GB/s of the whole query, against the staging ceiling of as many processes. Kernels: bytes of the pages by "
        "kernel time, against device copy.", "", targets_table(document), "",
        "## Ceilings of this machine", "", *ceilings_tables(ceilings),
    ]
    errors = [f"- SF {result['scale']} {result['title']}, {name}: {found['error']}"
              for result in document["results"] for name, found in result["engines"].items() if "error" in found]
    errors += [f"- SF {entry['scale']} Q6, {entry['sessions']} at a time: {entry['error']}"
               for entry in document["sessions"] if "error" in entry]
    elsewhere = [f"- SF {result['scale']} {result['title']}: {result['engines']['cuda']['elsewhere']}"
                 for result in document["results"] if "elsewhere" in result["engines"]["cuda"]]
    if elsewhere:
        parts += ["", "Not on the device, as its planner says:", "", *elsewhere]
    if errors:
        parts += ["", "Errors:", "", *errors]
    if document["notes"]:
        parts += ["", "Notes:", "", *(f"- {key}: {value}" for key, value in document["notes"].items())]
    return "\n".join(parts).rstrip() + "\n"
