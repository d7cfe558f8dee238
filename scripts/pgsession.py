"""One psql session that stays open: statements in, rows and times out.

Needs nothing but psql and Python's standard library. Times are psql's own
(\\timing): from sending the statement until its result is complete.
"""

import os
import re
import subprocess


class QueryError(Exception):
    """What the server (or psql) said; .sqlstate where it is known."""

    def __init__(self, message, sqlstate=None):
        super().__init__(message)
        self.sqlstate = sqlstate


class Session:
    END = "-- end of answer --"

    def __init__(self, psql="psql", database=None, settings=None, env=None):
        env = dict(os.environ if env is None else env)
        if database:
            env["PGDATABASE"] = database
        env["PGCLIENTENCODING"] = "UTF8"
        self.process = subprocess.Popen(
            [psql, "-X", "-q", "-A", "-t", "-P", "null=<NULL>", "-v", "VERBOSITY=verbose"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=env, text=True, encoding="utf-8", errors="surrogateescape")
        self.send("\\timing on")
        for name, value in (settings or {}).items():
            self.set(name, value)

    def send(self, text):
        """The lines that psql answers with, without our end mark."""
        try:
            self.process.stdin.write(f"{text}\n\\echo '{self.END}'\nSELECT ;\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        lines = []
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line == self.END:
                # The empty SELECT made psql flush; its own time follows.
                self.process.stdout.readline()
                return lines
            lines.append(line)
        raise QueryError("the session ended: " + " / ".join(lines[-3:]))

    def query(self, sql):
        """(rows as lines, milliseconds); raises QueryError."""
        lines = self.send(sql.strip().rstrip(";") + ";")
        rows, ms = [], None
        for i, line in enumerate(lines):
            time = re.match(r"Time: ([0-9.]+) ms", line)
            error = re.match(r"(?:psql:.*?)?(?:ERROR|FATAL|PANIC): +(\w{5}): (.*)", line)
            if time:
                ms = float(time.group(1))
            elif error:
                raise QueryError(error.group(2), error.group(1))
            elif line.startswith(("server closed the connection", "connection to server was lost")):
                raise QueryError("the server closed the connection")
            else:
                rows.append(line)
        return rows, ms

    def value(self, sql):
        rows, _ = self.query(sql)
        return rows[0] if rows else None

    def set(self, name, value):
        quoted = str(value).replace("'", "''")
        self.query(f"SET {name} = '{quoted}'")

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def explain(session, sql, options="COSTS OFF"):
    """What EXPLAIN says of gpuscan in this query's plan: a dictionary with
    nodes, engine, host (filters that stayed there), refusals, lines."""
    session.query("SET gpuscan.explain_refusals = on")
    lines, _ = session.query(f"EXPLAIN ({options}) " + sql)
    said = {"nodes": [], "engine": "", "host": [], "refusals": [], "lines": lines}
    ours = False
    for line in lines:
        if "->" in line or line is lines[0]:
            node = re.search(r"Custom Scan \((Gpu\w+)\)", line)
            ours = node is not None
            if node:
                said["nodes"].append(node.group(1))
            continue
        text = re.match(r"\s*(Engine|Filter|Host Filter|Not Offloaded): *(.*)", line)
        if not text:
            continue
        if text.group(1) == "Not Offloaded":
            said["refusals"].append(text.group(2))
        elif ours and text.group(1) == "Engine":
            said["engine"] = text.group(2)
        elif ours:
            kind = "HAVING" if said["nodes"][-1] == "GpuAgg" else "filter"
            said["host"].append(f"{kind} {text.group(2)}")
    return said
