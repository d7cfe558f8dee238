"""What ran: our nodes in a plan, their counters, the table lines in their programs."""

import json
import os
import re
from collections import Counter

_SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "program")
_STRUCTURAL = ["LOAD", "FILTER", "MASK_TRUE", "MASK_NOT_TRUE", "MASK_NOT_FALSE", "MASK_NULL", "AND", "OR", "NOT", "IS_NULL",
               "IS_NOT_NULL", "IS_TRUE", "IS_FALSE", "IS_UNKNOWN", "SELECT"]


def _read(name):
    with open(os.path.join(_SRC, name), encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def table_lines():
    """Every line of the tables: 'op ADD INT32', 'state SUM INT32', 'agg SUM_INT4', 'type INT4'."""
    ops = _read("ops.def")
    lines = ["op " + name for name in _STRUCTURAL]
    macros = re.findall(r"#define (\w+)\((\w+),[^)]*\) *\\\n((?:.*\\\n)*.*\n)", ops)
    body = re.sub(r"#define (?:.*\\\n)*.*\n", "", ops)
    for macro, parameter, text in macros:
        if macro == "TEXT_OP":      # a form of OP, for each line by itself
            continue
        names = re.findall(r"OP\((\w+?)(?:##%s)?," % parameter, text)
        for argument in re.findall(r"^%s\((\w+)," % macro, body, flags=re.M):
            lines += ["op " + name + argument if name.endswith("_") else "op " + name for name in names]
    lines += ["op " + name for name in re.findall(r"^(?:TEXT_)?OP\((\w+),", body, flags=re.M)]
    aggs = _read("aggs.def")
    lines += ["state " + name for name in re.findall(r"^AGG_STATE\((\w+),", aggs, flags=re.M)]
    lines += ["agg " + name for name in re.findall(r"^AGG\(F_(\w+),", aggs, flags=re.M)]
    lines += ["type " + name.replace('\\"', '"') for name in re.findall(r'^TYPE\(\w+, *"((?:[^"\\]|\\.)+)"', _read("types.def"), flags=re.M)]
    return lines


_REGS = r"(?: (?:r\d+|\$p\d+))*"
_INSTR = re.compile(r"^ *(?:r\d+ := )?([a-z][a-z0-9 ]*?)( column \d+ \((.*?)(, missing \$p\d+)?(, with its blanks)?\))?" + _REGS + r"(?: \([a-z]+\))?$")
_KEY = re.compile(r"^key (?:r\d+|\$p\d+) \((.*)\)$")
_AGG = re.compile(r"^([a-z][a-z0-9 ]*?)" + _REGS + r"(?: filter (?:r\d+|\$p\d+))?$")


# Lines that no program holds, and why.
UNREACHED = {"op INT32_COPY": "stands in the table so that int4(int2) is known; nothing is to be done for it",
             "op LOWER_ASCII": "for collations with other letters than C's: test/pgtap/letters.sql",
             "op UPPER_ASCII": "likewise"}


class Seen:
    """One EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON)."""

    def __init__(self):
        self.nodes = []
        self.processed = False      # a node of ours has seen rows
        self.punted = 0
        self.host_rows = 0
        self.spilled = False
        self.foreign_spill = False  # PostgreSQL's own aggregate wrote to disk
        self.lines = set()
        self.missing = False
        self.variants = set()
        self.refusals = []
        self.index = False


class Coverage:
    def __init__(self):
        self.known = table_lines()
        self._ops = {line[3:].lower().replace("_", " "): line for line in self.known if line.startswith("op ")}
        self._states = {line[6:].lower().replace("_", " "): line for line in self.known if line.startswith("state ")}
        self.count = Counter()
        self.unknown = Counter()

    def look(self, text):
        seen = Seen()
        for plan in json.loads(text):
            if "Plan" in plan:
                self._node(plan["Plan"], seen)
            for line in plan.get("Not Offloaded", []):
                seen.refusals.append(line.partition(": ")[2])
        return seen

    def _node(self, node, seen):
        provider = node.get("Custom Plan Provider", "")
        if provider.startswith("Gpu"):
            seen.nodes.append(provider)
            loops = node.get("Actual Loops", 0)
            if loops and (node.get("Row Batches") or 0) > 0:
                seen.processed = True
                self._program(node.get("Program", []), seen)
            seen.punted += node.get("Rows Punted") or 0
            seen.host_rows += node.get("Rows Left to Host") or 0
            seen.spilled |= (node.get("Disk Usage") or 0) > 0
            seen.variants.add(node.get("Engine", "?"))
            seen.refusals += node.get("Not Offloaded", [])
        elif node.get("Node Type") == "Aggregate":
            seen.foreign_spill |= (node.get("Disk Usage") or 0) > 0
        if "Index" in node.get("Node Type", "") or "Bitmap" in node.get("Node Type", ""):
            seen.index = True
        for child in node.get("Plans", []):
            self._node(child, seen)

    def _program(self, lines, seen):
        for line in lines:
            if line.startswith("$p"):
                continue
            key = _KEY.match(line)
            if key:
                seen.lines.add("key " + key.group(1))
                continue
            match = _INSTR.match(line)
            if match and match.group(1) == "load" and match.group(3):
                seen.lines.add("op LOAD")
                seen.lines.add("type " + match.group(3))
                seen.missing |= bool(match.group(4))
                continue
            agg = _AGG.match(line)
            if match and match.group(1) in self._ops:
                seen.lines.add(self._ops[match.group(1)])
            elif agg and agg.group(1) in self._states:
                seen.lines.add(self._states[agg.group(1)])
                if " filter " in line:
                    seen.lines.add("filter")
            else:
                self.unknown[line] += 1

    def add(self, seen, aggregates):
        for line in seen.lines:
            self.count[line] += 1
        if seen.missing:
            self.count["missing attribute"] += 1
        if "GpuAgg" in seen.nodes and aggregates:
            for name in set(aggregates):
                function, _, kind = name.partition("(")
                kind = kind.rstrip(")")
                line = "agg " + "_".join(filter(None, [function.upper(), kind.upper()]))
                if function == "count":
                    line = "agg COUNT_ANY" if kind else "agg COUNT_"
                if line in self.known:
                    self.count[line] += 1

    def never(self):
        return [line for line in self.known if not self.count[line] and line not in UNREACHED and
                not line.endswith("_BYTES")]    # for databases of one byte a character; the fuzzer's has UTF-8
