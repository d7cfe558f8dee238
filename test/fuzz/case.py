"""A case: tables, what happens in the transaction, a query, settings.

Written as an SQL file that psql can run, and that `run --replay` reads: one
statement ends with a ';' at the end of a line, sections begin with
'-- section: NAME'. The answers stand there as comments.
"""

from tree import render


class Create:
    """CREATE TABLE. columns: (name, definition)."""

    def __init__(self, table, columns, before="", after=""):
        self.table = table
        self.columns = columns
        self.before = before
        self.after = after

    def statements(self):
        return ["CREATE %sTABLE %s (%s)%s" % (self.before, self.table,
                                              ", ".join("%s %s" % column for column in self.columns), self.after)]


class Rows:
    """INSERT of literals, some hundred rows at a time."""

    def __init__(self, table, names, rows):
        self.table = table
        self.names = names
        self.rows = rows

    def statements(self):
        if not self.names:
            return ["INSERT INTO %s DEFAULT VALUES" % self.table for _ in self.rows]
        head = "INSERT INTO %s (%s) VALUES\n  " % (self.table, ", ".join(self.names))
        return [head + ",\n  ".join("(%s)" % ", ".join(row) for row in self.rows[start:start + 500])
                for start in range(0, len(self.rows), 500)]


class Sql:
    """Other statements that stand or fall together."""

    def __init__(self, *statements):
        self.list = list(statements)

    def statements(self):
        return self.list


class Case:
    """steps: lists of statements; own: statements of the transaction that asks,
    before it asks; query: query.Query; settings: of the run with gpuscan."""

    def __init__(self, steps, own, query, settings, isolation="READ COMMITTED"):
        self.steps = steps
        self.own = own
        self.query = query
        self.settings = settings
        self.isolation = isolation

    def changed(self, **changes):
        parts = dict(steps=self.steps, own=self.own, query=self.query, settings=self.settings,
                     isolation=self.isolation)
        parts.update(changes)
        return Case(**parts)

    def setup(self):
        return [statement for step in self.steps for statement in step.statements()]


def write(case, path, title, reference, answers):
    """answers: [(who, text)]"""
    lines = ["-- gpuscan fuzz case: %s" % title, "--"]
    for who, text in answers:
        lines.append("-- %s:" % who)
        lines += ["--   " + line for line in text.splitlines()]
    lines += ["", "-- section: setup", "DROP SCHEMA IF EXISTS fuzz CASCADE;", "CREATE SCHEMA fuzz;",
              "SET search_path = fuzz, public;"]
    lines += [statement + ";" for statement in case.setup()]
    lines += ["", "-- section: own", "BEGIN ISOLATION LEVEL %s;" % case.isolation]
    lines += [statement + ";" for statement in case.own]
    query = [statement + ";" for statement in case.query.statements()]
    lines += ["SAVEPOINT s;", "", "-- section: postgresql"]
    lines += ["SET LOCAL %s = '%s';" % item for item in reference.items()]
    lines += query + ["ROLLBACK TO s;", "DEALLOCATE ALL;", "", "-- section: gpuscan"]
    lines += ["SET LOCAL %s = '%s';" % item for item in case.settings.items()]
    lines += query + ["ROLLBACK;", "DEALLOCATE ALL;", "", "-- section: explain",
                      "-- explain: %s" % render(case.query.explained()).replace("\n", " "),
                      "-- order: %s" % case.query.order(), ""]
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("\n".join(lines))


class Script:
    """What a file says, with the face of a Query."""

    def __init__(self, statements, explain, order):
        self.list = statements
        self.explain = explain
        self.ordered = order
        self.relations = 1
        self.fetches = [s for s in statements if s.startswith("FETCH")]
        self.tree = None

    def statements(self):
        return self.list

    def explained(self):
        return self.explain

    def order(self):
        return self.ordered


def read(path):
    """The Case in a file; its query cannot be taken apart any more."""
    sections, name, explain, order = {}, None, "SELECT 1", "set"
    with open(path, encoding="utf-8") as file:
        pending = []
        for line in file.read().split("\n"):
            if line.startswith("-- section: "):
                name = line[len("-- section: "):].strip()
                sections[name] = []
                pending = []
            elif line.startswith("-- explain: "):
                explain = line[len("-- explain: "):]
            elif line.startswith("-- order: "):
                order = line[len("-- order: "):].strip()
            elif name and (line or pending) and not (line.startswith("--") and not pending):
                pending.append(line)
                if line.endswith(";"):
                    sections[name].append("\n".join(pending)[:-1])
                    pending = []
    settings, query = {}, []
    for statement in sections["gpuscan"]:
        if statement.startswith("SET LOCAL "):
            key, _, value = statement[len("SET LOCAL "):].partition(" = ")
            settings[key] = value.strip("'")
        elif statement not in ("ROLLBACK", "DEALLOCATE ALL"):
            query.append(statement)
    own = [statement for statement in sections["own"] if not statement.startswith(("BEGIN", "SAVEPOINT"))]
    isolation = next((s[len("BEGIN ISOLATION LEVEL "):] for s in sections["own"] if s.startswith("BEGIN ISO")),
                     "READ COMMITTED")
    return Case([Sql(*sections["setup"])], own, Script(query, explain, order), settings, isolation)
