"""Tables: columns, and the life that their rows have behind them."""

import data
from case import Create, Rows, Sql

OFFLOADED = ["bool", "int2", "int4", "int8", "numeric", "numeric", "date", "timestamp", "timestamptz", "bpchar", "varchar", "text", "bytea",
             "float8", "float4", '"char"', "oid", "money", "time", "mood", "uuid", "name", "interval", "timetz", "inet"]
PASSENGERS = ["jsonb", "int4[]", "text[]"]
# Two values can be equal and look different.
TWO_FACED = {"float8", "float4", "jsonb", "interval"}


class Column:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.sql = kind
        self.precision = self.scale = self.length = None
        self.notnull = False
        self.wild = False
        self.nulls = 0.0
        self.pool = []
        self.collation = None
        self.default = None
        self.serial = False         # numbers the rows

    @property
    def two_faced(self):
        """Equal values of it may be printed in more than one way."""
        if self.kind == "numeric":
            return self.precision is None
        if self.kind == "bpchar":
            return self.length is None
        return self.kind in TWO_FACED

    def definition(self):
        text = self.sql
        if self.collation:
            text += ' COLLATE "%s"' % self.collation
        if self.default is not None:
            text += " DEFAULT " + self.default
        if self.notnull:
            text += " NOT NULL"
        return text

    def draw(self, rng):
        if not self.notnull and rng.random() < self.nulls:
            return "NULL"
        return rng.choice(self.pool)


class Table:
    def __init__(self, name, columns):
        self.name = name
        self.columns = columns      # those that are there in the end
        self.indexed = False
        self.locked = False         # a prepared transaction has rows of it
        self.rows = 0               # about


def new_column(rng, name, kind, server):
    column = Column(name, kind)
    if kind == "numeric" and rng.random() < 0.7:
        column.precision = rng.choice([1, 2, 4, 5, 7, 9, 12, 15, 15, 18, 19, 24, 30, 38, 39, 60, 200])
        column.scale = rng.choice([0, 2, 2, 2, 4, 1, 3, 6, 10, 15, 20, 30, 36, 38])
        if column.scale > column.precision and rng.random() < 0.9:
            column.scale = rng.randrange(0, column.precision + 1)
        if rng.random() < 0.05:
            column.scale = -rng.randrange(1, 4)
        column.sql = "numeric(%d,%d)" % (column.precision, column.scale)
    elif kind == "bpchar" and rng.random() < 0.8:
        column.length = rng.choice([1, 1, 2, 3, 10, 25, 130])
        column.sql = "char(%d)" % column.length
    elif kind == "varchar" and rng.random() < 0.8:
        column.length = rng.choice([1, 2, 10, 30, 130, 3000])
        column.sql = "varchar(%d)" % column.length
    if kind in ("text", "varchar", "bpchar") and rng.random() < 0.25:
        column.collation = rng.choice(server.collations)
    column.wild = rng.random() < 0.35
    column.notnull = rng.random() < 0.3
    column.nulls = 0.0 if column.notnull else rng.choice([0.0, 0.05, 0.3, 0.3, 0.9, 1.0])
    column.pool = data.pool(rng, column)
    return column


def condition(rng, columns):
    """Some rows of the table, for UPDATE and DELETE."""
    column = rng.choice(columns)
    if rng.random() < 0.5 or column.kind not in OFFLOADED:
        return "(ctid::text ~ '[%s]\\)')" % rng.choice(["135", "02468", "7", "1234"])
    if rng.random() < 0.3:
        return "%s IS %sNULL" % (column.name, rng.choice(["", "NOT "]))
    return "%s %s %s" % (column.name, rng.choice(["=", "=", "<>"]), rng.choice(column.pool))


# Columns that number the rows: many groups, and values in all widths.
SERIALS = {
    "int4": "nextval('numbers')",
    "int8": "nextval('numbers') * 1234567891",
    "numeric": "nextval('numbers') * 0.25",
    "date": "'1970-01-01'::date + (nextval('numbers') % 20000)::int4",
    "text": "'key ' || nextval('numbers')",
    "timestamp": "'2000-01-01'::timestamp + interval '7 seconds' * nextval('numbers')",
}


def serial_column(rng, name):
    column = Column(name, rng.choice(sorted(SERIALS)))
    column.default = SERIALS[column.kind]
    column.serial = True
    column.pool = list(dict.fromkeys(data.value(rng, column, False) for _ in range(20)))
    if column.kind in ("int4", "int8"):
        step = 1 if column.kind == "int4" else 1234567891
        column.pool = ["'%d'" % (rng.randrange(1, 20000) * step) for _ in range(20)]
    elif column.kind == "text":
        column.pool = ["'key %d'" % rng.randrange(1, 20000) for _ in range(20)]
    return column


def _rows(rng, table, columns, n):
    # generated in the order of the columns, written in another one
    columns = [column for column in columns if not column.serial]
    if rng.random() < 0.2:
        rng.shuffle(columns)
    return Rows(table, [c.name for c in columns], [[c.draw(rng) for c in columns] for _ in range(n)])


def _insert_one(rng, table, columns):
    return "INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(c.name for c in columns),
                                                ", ".join(c.draw(rng) for c in columns))


def _update(rng, table, columns):
    column = rng.choice(columns)
    return "UPDATE %s SET %s = %s WHERE %s" % (table, column.name, rng.choice(column.pool), condition(rng, columns))


def changes(rng, table, columns, n):
    """Statements that write: what a transaction does before it asks, or does and takes back."""
    if not columns:
        return ["INSERT INTO %s DEFAULT VALUES" % table]
    statements = []
    for _ in range(n):
        what = rng.random()
        if what < 0.45:
            statements.append(_insert_one(rng, table, columns))
        elif what < 0.8:
            statements.append(_update(rng, table, columns))
        else:
            statements.append("DELETE FROM %s WHERE %s" % (table, condition(rng, columns)))
    return statements


def build(rng, name, server, small=False):
    """(Table, steps): a table and how it came to be."""
    kinds = []
    for _ in range(rng.choice([0, 1, 3] if rng.random() < 0.12 else [6, 8, 10, 12, 14] if not small else [4, 6])):
        kinds.append(rng.choice(PASSENGERS) if rng.random() < 0.2 else rng.choice(OFFLOADED))
    columns = [new_column(rng, "%s%d" % (rng.choice("abc"), i), kind, server) for i, kind in enumerate(kinds)]

    large = not small and len(columns) > 3 and rng.random() < 0.25
    if large:
        for i in range(rng.choice([1, 1, 2])):
            columns.insert(rng.randrange(len(columns)), serial_column(rng, "e%d" % i))

    kind = rng.choice(["", "", "", "", "UNLOGGED ", "TEMP "])
    options = []
    if rng.random() < 0.3:
        options.append("fillfactor=%d" % rng.choice([10, 50, 90]))
    if rng.random() < 0.2:
        options.append("toast_tuple_target=%d" % rng.choice([128, 256, 8000]))
    steps = [Sql("CREATE SEQUENCE numbers")] if large else []
    steps += [Create(name, [(c.name, c.definition()) for c in columns], before=kind,
                    after=" WITH (%s)" % ", ".join(options) if options else "")]
    for column in columns:
        if column.kind in ("text", "varchar", "bpchar", "numeric") and rng.random() < 0.3:
            steps.append(Sql("ALTER TABLE %s ALTER %s SET STORAGE %s" % (
                name, column.name, rng.choice(["PLAIN", "EXTERNAL", "EXTENDED", "MAIN"])
                if column.kind == "numeric" or not column.wild else rng.choice(["EXTERNAL", "MAIN"]))))
        if server.lz4 and column.kind in ("text", "varchar") and rng.random() < 0.3:
            steps.append(Sql("ALTER TABLE %s ALTER %s SET COMPRESSION lz4" % (name, column.name)))

    table = Table(name, columns)
    table.rows = n = rng.choice([0, 1, 3, 10, 40, 100, 100, 250, 250, 400, 400, 700, 1200] if not small else [0, 3, 10, 40, 100])
    before = n if rng.random() < 0.5 else rng.randrange(n + 1)
    if before:
        steps.append(_rows(rng, name, columns, before))

    # Rows that are there already get their value from the catalog.
    added = 0
    while rng.random() < 0.35 and added < 4:
        column = new_column(rng, "d%d" % added, rng.choice(OFFLOADED + PASSENGERS[:3]), server)
        if column.kind == "text" and column.wild and len(column.pool) > 1:
            column.pool = column.pool[:2]
        if rng.random() < 0.8:
            column.default = rng.choice([v for v in column.pool if "SELECT" not in v] or ["NULL"])
        else:
            column.notnull = False
        if column.notnull and column.default == "NULL":
            column.notnull = False
        steps.append(Sql("ALTER TABLE %s ADD COLUMN %s %s" % (name, column.name, column.definition())))
        if column.default is not None and rng.random() < 0.3:
            steps.append(Sql("ALTER TABLE %s ALTER %s DROP DEFAULT" % (name, column.name)))
        columns.append(column)
        added += 1
    while len(columns) > 1 and rng.random() < 0.25:
        gone = columns.pop(rng.randrange(len(columns)))
        steps.append(Sql("ALTER TABLE %s DROP COLUMN %s" % (name, gone.name)))
    if n > before:
        steps.append(_rows(rng, name, columns, n - before))
    if n and columns and not small:
        names = ", ".join(c.name for c in columns if not c.serial)
        for _ in range(rng.choice([4, 5, 6]) if large else rng.choice([0, 0, 0, 0, 1, 2, 3])):
            if table.rows < (10000 if large else 3000):
                steps.append(Sql("INSERT INTO %s (%s) SELECT %s FROM %s" % (name, names, names, name)))
                table.rows *= 2

    # A life: dead rows, rows in several versions, rows never committed.
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        if not columns:
            break
        what = rng.random()
        if what < 0.5:
            steps.append(Sql(*changes(rng, name, columns, rng.randrange(1, 4))))
        elif what < 0.7:
            steps.append(Sql("BEGIN", *changes(rng, name, columns, 3), "ROLLBACK"))
        elif what < 0.8:
            steps.append(Sql("BEGIN", _insert_one(rng, name, columns), "SAVEPOINT x", *changes(rng, name, columns, 2),
                             "ROLLBACK TO x", *changes(rng, name, columns, 1), "COMMIT"))
        else:
            steps.append(Sql(rng.choice(["VACUUM ", "VACUUM (FREEZE) "]) + name))
    if rng.random() < 0.15 and n < 500 and columns:
        indexable = [c for c in columns if not c.two_faced and c.kind in OFFLOADED and
                     not (c.wild and c.kind in ("text", "varchar"))]
        if indexable:
            steps.append(Sql("CREATE INDEX ON %s (%s)" % (name, rng.choice(indexable).name)))
            table.indexed = True
    if rng.random() < 0.4:
        steps.append(Sql(rng.choice(["VACUUM ", "VACUUM (FREEZE, ANALYZE) ", "ANALYZE "]) + name))
    if rng.random() < 0.15 and columns:
        steps.append(Sql(*changes(rng, name, columns, 2)))
    # A child: its columns may have other numbers than the parent's.
    if not small and columns and not large and n and rng.random() < 0.08:
        child = name + "_child"
        steps.append(Sql("CREATE %sTABLE %s (LIKE %s)" % (kind, child, name)))
        steps.append(Sql("INSERT INTO %s SELECT * FROM %s LIMIT %d" % (child, name, rng.choice([1, 50, 300]))))
        steps.append(Sql("ALTER TABLE %s INHERIT %s" % (child, name)))
        table.indexed = True        # in no order that we would know
    # A transaction that neither commits nor rolls back while we ask.
    if server.prepared and not small and kind != "TEMP " and columns and rng.random() < 0.15:
        gid = "fuzz_%s_%s" % (server.database, name)
        steps.append(Sql("BEGIN", *changes(rng, name, columns, 3),
                         *(["SELECT 1 FROM %s LIMIT 3 FOR UPDATE" % name] if rng.random() < 0.5 else []),
                         "PREPARE TRANSACTION '%s'" % gid))
        table.locked = True
    return table, steps
