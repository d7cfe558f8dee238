"""Random expressions of a wanted type.

Most of what is made can run on an engine; some of it cannot (functions that
are not in the tables), and stands in between so that clauses are split and
rows go to and fro. What may raise an error comes only where it is asked for,
or where the values seldom reach it.
"""

import data
from tree import Expr, List, Opt, Seq, render

INTS = ("int2", "int4", "int8")
TEXTS = ("text", "varchar", "bpchar")
KINDS = ("bool", "int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz", "text", "bpchar", "bytea", "float8", "float4",
         '"char"', "oid", "money", "time", "mood", "uuid", "name", "interval", "timetz", "inet")
FLOATS = ("float4", "float8")

# Functions of our own: the server knows nothing of them but what is declared.
FUNCTIONS = [
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
    "CREATE FUNCTION same(int8) RETURNS int8 IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'",
    "CREATE FUNCTION even(int8) RETURNS bool IMMUTABLE STRICT COST 0.01 LANGUAGE plpgsql AS 'BEGIN RETURN $1 % 2 = 0; END'",
    "CREATE FUNCTION boom(int8) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS "
    "'BEGIN IF $1 % 7 = 3 THEN RAISE EXCEPTION ''boom %'', $1; END IF; RETURN $1 % 2 = 0; END'",
    "CREATE FUNCTION cheap_boom(int8) RETURNS bool IMMUTABLE COST 0.0001 LANGUAGE plpgsql AS "
    "'BEGIN IF $1 % 11 = 3 THEN RAISE EXCEPTION ''cheap boom %'', $1; END IF; RETURN $1 % 3 = 0; END'",
]


FIELDS = ["day", "week", "month", "quarter", "year", "decade", "century", "millennium", "isoyear", "dow", "isodow", "doy", "epoch"]
SPAN_FIELDS = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "month", "year", "decade", "century", "millennium", "epoch"]
TIME_FIELDS = FIELDS + ["microseconds", "milliseconds", "second", "minute", "hour", "second", "hour"]
# the last one is an abbreviation that moves, which stays with PostgreSQL
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "EST", "Asia/Kolkata", "<+05:30>-05:30", "MSK"]
UNITS = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century",
         "millennium"]
INTERVALS = ["1 month", "-1 month", "3 mons", "11 months", "-14 months", "1 year", "-4 years", "1 day", "-30 days", "90 days", "0",
             "01:30:00", "-23:59:59.999999", "0.000001 s", "1 day -24:00:00", "1 mon 1 day 01:00:00", "-1 year 2 mons -3 days 04:05:06.7",
             "100 years", "-1200 years", "250000 years", "99999999 days", "2500000:00:00"]


class Leaf:
    """A column as a query names it."""

    def __init__(self, ref, column):
        self.ref = ref
        self.column = column
        self.kind = "text" if column.kind == "varchar" else column.kind


class Maker:
    """fail: errors are welcome. params: None, or a list that takes the
    (type, literals) that are made instead of constants."""

    def __init__(self, rng, leaves, fail=False, params=None, host=0.08):
        self.rng = rng
        self.leaves = leaves
        self.fail = fail
        self.params = params
        self.host = host
        self.here = sorted({leaf.kind for leaf in leaves} & set(KINDS))

    def kind(self, *wanted):
        """One of these types (of all): seldom one that no column has."""
        among = [k for k in (wanted or KINDS) if k in self.here]
        if among and self.rng.random() < 0.95:
            return self.rng.choice(among)
        return self.rng.choice(wanted or KINDS)

    # --- leaves -----------------------------------------------------------

    def column(self, kind, tame=False):
        found = [leaf for leaf in self.leaves if leaf.kind == kind]
        if tame:
            found = [leaf for leaf in found if not leaf.column.wild] or found
        if not found:
            return None
        leaf = self.rng.choice(found)
        if leaf.column.collation and leaf.kind in TEXTS:
            return Expr(kind, '(%s COLLATE "C")' % leaf.ref)
        return Expr(kind, leaf.ref)

    def passenger(self):
        """A column of a type that engines do not have: NULL or not, or None."""
        found = [leaf for leaf in self.leaves if leaf.kind not in KINDS]
        return Expr("", self.rng.choice(found).ref) if found else None

    def literal(self, kind, wild=None):
        rng = self.rng
        found = [leaf.column for leaf in self.leaves if leaf.kind == kind and leaf.column.pool]
        if found and rng.random() < 0.75:
            column = rng.choice(found)
            text = rng.choice(column.pool)
        else:
            from schema import Column
            column = Column("", kind)
            text = data.value(rng, column, rng.random() < 0.2 if wild is None else wild)
        if "SELECT" in text:
            text = "'abc'"
        if self.params is not None and rng.random() < 0.6:
            values = [text] + [rng.choice([text, data.value(rng, column), "NULL"]) for _ in range(2)]
            values = ["'x'" if "SELECT" in v else v for v in values]
            self.params.append((kind, values))
            return Expr(kind, "$%d" % len(self.params))
        if kind == "bool":
            return Expr(kind, rng.choice(["true", "false"]))
        plain = text.strip("'")
        if kind in ("int4", "int8", "numeric") and not plain.startswith("-") and "a" not in plain.lower() and \
                "f" not in plain.lower() and rng.random() < 0.7 and "." not in plain and len(plain) < 10 and kind == "int4":
            return Expr(kind, plain)
        if kind == "numeric" and "." in plain and not plain.startswith("-") and "e" not in plain:
            return Expr(kind, plain)
        return Expr(kind, "(%s)::%s" % (text, kind) if text.startswith(("repeat", "left")) else "%s::%s" % (text, kind))

    def of_rows(self, made):
        """Does it depend on a column? What has a NULL in it may be one, to the planner."""
        text = render(made)
        return "NULL::" not in text and any(leaf.ref in text for leaf in self.leaves)

    def leaf(self, kind, tame=False):
        rng = self.rng
        if rng.random() < 0.85:
            column = self.column(kind, tame)
            if column is not None:
                return column
        if rng.random() < 0.04:
            return Expr(kind, "NULL::" + kind)
        return self.literal(kind)

    # --- any type ---------------------------------------------------------

    def make(self, kind, depth=2, tame=False):
        rng = self.rng
        if kind == "varchar":
            kind = "text"
        if depth <= 0 or rng.random() < 0.25:
            return self.leaf(kind, tame)
        draw = rng.random()
        if draw < 0.10:
            return self.case(kind, depth - 1)
        if draw < 0.15:
            return Expr(kind, "COALESCE(", List([self.make(kind, depth - 1, tame)
                                                  for _ in range(rng.choice([2, 2, 3]))], ", "), ")")
        if draw < 0.18:
            return Expr(kind, "NULLIF(", self.make(kind, depth - 1, tame), ", ", self.leaf(kind), ")")
        if draw < 0.19:
            return Expr(kind, rng.choice(["GREATEST", "LEAST"]), "(", self.make(kind, depth - 1, tame), ", ",
                        self.leaf(kind), ")")
        if kind == "bool":
            return self.condition(depth)
        if kind in INTS:
            return self.integer(kind, depth)
        return getattr(self, kind.strip('"'))(depth)

    def case(self, kind, depth):
        rng = self.rng
        arms = range(rng.choice([1, 1, 2, 3]))
        if rng.random() < 0.35:
            tested = self.kind()
            head = [" ", self.make(tested, depth - 1, True)]
            whens = [Seq(" WHEN ", self.leaf(tested), " THEN ", self.make(kind, depth - 1, True)) for _ in arms]
        else:
            head = []
            whens = [Seq(" WHEN ", self.make("bool", depth - 1), " THEN ", self.make(kind, depth - 1, True)) for _ in arms]
        other = Opt(" ELSE ", self.make(kind, depth - 1, True)) if rng.random() < 0.7 else ""
        return Expr(kind, "CASE", *head, List(whens, ""), other, " END")

    # --- conditions -------------------------------------------------------

    def condition(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.05:
            # arms that may fail, for some rows only
            both = Expr("bool", "(", List([self.comparison(1), self.comparison(2)], " AND "), ")")
            return Expr("bool", "(", List([both, self.comparison(2)], " OR "), ")")
        if draw < 0.06:
            return Expr("bool", "(", self.make("int4", depth - 1), ")::bool")
        if draw < 0.28:
            word = rng.choice([" AND ", " AND ", " OR "])
            arms = [self.make("bool", depth - 1) for _ in range(rng.choice([2, 2, 3]))]
            return Expr("bool", "(", List(arms, word), ")")
        if draw < 0.34:
            return Expr("bool", "(NOT ", self.make("bool", depth - 1), ")")
        if draw < 0.39:
            return Expr("bool", "(", self.make("bool", depth - 1), " IS ", rng.choice(["", "NOT "]),
                        rng.choice(["TRUE", "FALSE", "UNKNOWN"]), ")")
        if draw < 0.45:
            passenger = self.passenger() if rng.random() < 0.3 else None
            return Expr("bool", "(", passenger or self.make(self.kind(), depth - 1), rng.choice([" IS NULL", " IS NOT NULL"]), ")")
        if draw < 0.46:
            return Expr("bool", "isfinite(", self.make(self.kind("date", "timestamp", "timestamptz"), depth - 1), ")")
        if draw < 0.45 + self.host:
            return self.host_condition(depth)
        if draw < 0.50 + self.host:
            return self.like(depth)
        if draw < 0.62:
            return self.between_or_in(depth)
        return self.comparison(depth)

    def conjunct(self, depth=2):
        """A condition that says yes for some rows and no for others, if it can."""
        if self.fail and self.rng.random() < 0.2:
            return self.host_condition(depth)
        draw = self.rng.random()
        if draw < 0.12:
            return self.seldom()
        if draw < 0.5:
            return self.comparison(depth)
        if draw < 0.65:
            return Expr("bool", "(", List([self.comparison(depth), self.comparison(depth - 1)], " OR "), ")")
        return self.condition(depth)

    def seldom(self):
        """A comparison of what nothing above comes to often: each as likely as any other."""
        rng = self.rng

        def leaf(*kinds):
            kind = self.kind(*kinds)
            return self.column(kind, True) or self.leaf(kind, True)

        def shown():
            return leaf("int2", "int4", "int8", "numeric", "bool", "text", "bpchar", "date")

        def word():
            return Expr("text", data.quote(data.plain_text(rng)))

        def call(kind, name, *arguments):
            return Expr(kind, name + "(", List(list(arguments), ", "), ")")

        def cast(kind, inner, *through):
            return Expr(kind, "(", inner, ")", *["::" + one for one in through + (kind,)])

        def number(*some):
            return Expr("int4", str(rng.choice(some)))

        def bounded():
            return Seq("tanh(", leaf("float8", "float4"), "::float8)")

        def in_list(kind):
            params, self.params = self.params, None
            items = [self.literal(kind) for _ in range(rng.choice([65, 100]))]
            self.params = params
            return Expr("bool", "(", leaf(kind), rng.choice([" IN (", " NOT IN ("]), List(items), "))")

        def angle():
            return Expr("float8", rng.choice(["exp(", "acos(", "asin(", "sin(", "cos(", "tan(", "cosh(", "degrees(", "cot(2 + ",
                                              "atanh(0.5 * ", "sind(40 * ", "cosd(40 * ", "tand(40 * ", "cotd(3 + ", "asind(", "acosd(",
                                              "atand(", "atan2d(2, "]), bounded(), ")")

        def age():
            kind = self.kind("timestamp", "timestamptz")
            return Expr("interval", "age(", leaf(kind), ", ", leaf(kind), ")")

        def date_part():
            kind = self.kind("timestamp", "timestamptz", "time")
            return Seq("date_part('%s', " % rng.choice(["second", "milliseconds", "epoch", "second", "milliseconds", "hour", "microseconds"] +
                                                       ([] if kind == "time" else FIELDS)), leaf(kind), ")")

        made = rng.choice([
            lambda: Expr("float8", date_part()),
            lambda: Expr("float8", date_part()),
            lambda: Expr("float8", "date_part('%s', " % rng.choice(["epoch", "epoch", "second", "day", "year"]), leaf("interval"), ")"),
            lambda: Expr("numeric", "extract(%s FROM " % rng.choice(SPAN_FIELDS), leaf("interval"), ")"),
            lambda: Expr("numeric", "extract(%s FROM " % rng.choice(["timezone", "timezone_hour", "timezone_minute"]), leaf("timestamptz"), ")"),
            lambda: age(),
            lambda: cast("text", leaf("timestamp")),
            lambda: cast("text", leaf("timestamptz")),
            lambda: Expr("numeric", "(30 * ", bounded(), ")::numeric"),
            lambda: Expr("numeric", "(30 * ", bounded(), ")::float4::numeric"),
            lambda: Expr("bool", "(", leaf("timetz"), rng.choice([" < ", " <= ", " > ", " >= "]), self.literal("timetz"), ")"),
            lambda: Expr("bool", "(", leaf("inet"), rng.choice([" < ", " <= ", " > ", " >= "]), self.literal("inet"), ")"),
            lambda: call("text", "concat", shown(), shown()),
            lambda: call("text", "concat_ws", word(), shown(), shown()),
            lambda: call("text", rng.choice(["upper", "lower", "initcap"]), leaf("text")),
            lambda: call("text", "reverse", leaf("text")),
            lambda: call("text", "replace", leaf("text"), word(), word()),
            lambda: call("text", "translate", leaf("text"), word(), word()),
            lambda: call("text", "split_part", leaf("text"), Expr("text", rng.choice(["' '", "'a'", "','"])), number(-2, -1, 1, 2)),
            lambda: call("text", rng.choice(["btrim", "ltrim", "rtrim"]), leaf("text")),
            lambda: call("text", rng.choice(["btrim", "ltrim", "rtrim"]), leaf("text"), word()),
            lambda: call("text", rng.choice(["lpad", "rpad"]), leaf("text"), number(0, 1, 5, 12), word()),
            lambda: call("text", "repeat", leaf("text"), number(0, 1, 2, 3)),
            lambda: call("text", "to_hex", leaf("int4")),
            lambda: call("text", "to_hex", leaf("int8")),
            lambda: call("text", "chr", Seq("abs(", leaf("int2"), "::int4) % 500 + 1")),
            lambda: cast("text", leaf("text"), rng.choice(["varchar(1)", "varchar(5)"])),
            lambda: cast("text", leaf("text"), rng.choice(["char(3)", "char(10)"])),
            lambda: cast("text", leaf("int2", "int4", "int8", "numeric")),
            lambda: cast("text", leaf("date")),
            lambda: cast("text", leaf("name"), *rng.choice([(), ("varchar",)])),
            lambda: cast("text", leaf("bool")),
            lambda: cast("text", leaf("bool"), "varchar(3)"),
            lambda: call("int4", "strpos", leaf("text"), word()),
            lambda: call("int4", "ascii", leaf("text")),
            lambda: Expr("int4", "position(", leaf("bytea"), " IN ", leaf("bytea"), ")"),
            lambda: self.bucket(1),
            lambda: cast("int2", leaf("int2"), "text"),
            lambda: cast("int4", leaf("int4"), "text"),
            lambda: cast("int8", leaf("int8"), "text"),
            lambda: cast("int4", leaf("bool")),
            lambda: cast("int4", leaf('"char"')),
            lambda: cast("int4", leaf("oid")),
            lambda: cast("int8", leaf("oid")),
            lambda: Expr("int2", "(", leaf("int2"), " / 7::int2)"),
            lambda: Expr("int8", "(", leaf("int8"), " / 7::int8)"),
            lambda: cast(rng.choice(INTS), Seq("30 * ", bounded()), "numeric(10,2)"),
            lambda: cast(rng.choice(INTS), Seq("30 * ", bounded())),
            lambda: cast("float4", Seq("30 * ", bounded())),
            lambda: Expr("float8", rng.choice(["round(", "trunc(", "cbrt(", "ceil(", "floor("]), leaf("float8"), ")"),
            lambda: in_list(self.kind("int2", "int4", "int8", "date")),
            lambda: in_list("numeric"),
            lambda: in_list("text"),
            lambda: in_list(self.kind("uuid", "bytea", "timetz", "inet")),
            lambda: in_list("name"),
        ] + [angle] * 3)()
        if made.type == "bool" or not self.of_rows(made):
            return made if self.of_rows(made) else self.comparison(1)
        params, self.params = self.params, None
        other = self.literal(made.type, False)
        self.params = params
        return Expr("bool", "(", made, rng.choice([" = ", " <> ", " <> "] if made.type == "text" else [" < ", " <> ", " >= "]), other, ")")

    def two_kinds(self):
        rng = self.rng
        kind = self.kind() if rng.random() < 0.6 else \
            self.kind("int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz", "float8", "float4")
        other = kind
        if kind in INTS and rng.random() < 0.35:
            other = rng.choice(INTS)
        elif kind == "date" and rng.random() < 0.3:
            other = "timestamp"
        elif kind == "timestamp" and rng.random() < 0.2:
            other = "date"
        elif kind == "timestamptz" and rng.random() < 0.1:
            other = rng.choice(["date", "timestamp"])
        elif kind == "numeric" and rng.random() < 0.2:
            other = rng.choice(INTS)
        elif kind in ("bpchar", "name") and rng.random() < 0.15:
            other = "text"
        elif kind == "text" and rng.random() < 0.05:
            other = "name"
        elif kind in FLOATS and rng.random() < 0.3:
            other = rng.choice(FLOATS)
        return kind, other

    def comparison(self, depth):
        """Of something that a row has, if there is a column at all."""
        for _ in range(4):
            made = self._comparison(depth)
            text = render(made)
            if any(leaf.ref in text for leaf in self.leaves if leaf.kind in KINDS):
                break
            if self.params is not None and "$" in text:
                break
        return made

    def _comparison(self, depth):
        rng = self.rng
        kind, other = self.two_kinds()
        if kind in TEXTS or kind == "mood":
            op = rng.choice(["=", "=", "<>", "<>", "<", ">="] if rng.random() < 0.3 else ["=", "<>"])
        else:
            op = rng.choice(["=", "<>", "<", "<=", ">", ">="])
        left = self.make(kind, depth - 1, True)
        right = self.literal(other) if rng.random() < 0.5 else self.make(other, depth - 1, True)
        if rng.random() < 0.1:
            op = rng.choice(["IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        return Expr("bool", "(", left, " %s " % op, right, ")")

    def between_or_in(self, depth):
        rng = self.rng
        kind, other = self.two_kinds()
        if kind in TEXTS or kind == "bool" or rng.random() < 0.5:
            other = kind
            draw = rng.random()
            left = self.make(kind, depth - 1, True)
            if rng.random() < 0.1:
                # longer than what becomes comparisons: constants alone
                params, self.params = self.params, None
                items = [self.literal(kind) for _ in range(rng.choice([65, 80, 150]))] + [Expr(kind, "NULL")] * (rng.random() < 0.3)
                self.params = params
                return Expr("bool", "(", left, rng.choice([" IN (", " NOT IN ("]), List(items), "))")
            items = [self.literal(kind) for _ in range(rng.choice([1, 2, 3, 5, 12, 70] if draw < 0.2 else [1, 2, 3, 5]))]
            if rng.random() < 0.2:
                items.append(Expr(kind, "NULL"))
            if rng.random() < 0.15:
                items.append(self.make(kind, depth - 1, True))
            if draw < 0.7:
                return Expr("bool", "(", left, rng.choice([" IN (", " NOT IN ("]), List(items), "))")
            array = Seq("ARRAY[", List(items, least=0), "]::%s[]" % kind)
            return Expr("bool", "(", left, rng.choice([" = ANY (", " <> ALL (", " <> ANY (", " = ALL ("]), array, "))")
        return Expr("bool", "(", self.make(kind, depth - 1, True), rng.choice([" BETWEEN ", " NOT BETWEEN ",
                                                                              " BETWEEN SYMMETRIC "]),
                    self.leaf(other), " AND ", self.leaf(other), ")")

    def like(self, depth):
        rng = self.rng
        kind = self.kind("text", "bpchar", "text", "bpchar", "name")
        left = self.column(kind) if rng.random() < 0.7 else None
        if rng.random() < 0.12:
            right = self.make("text", depth - 1)
        else:
            right = self.pattern()
        if rng.random() < 0.1:
            return Expr("bool", "starts_with(", self.make("text", depth - 1), ", ", Expr("text", data.quote(data.plain_text(rng))), ")")
        if rng.random() < 0.1:
            return Expr("bool", "(", left or self.make(kind, depth - 1), rng.choice([" LIKE ANY (", " NOT LIKE ALL (", " LIKE ALL (", " ILIKE ANY (", " NOT ILIKE ALL ("]), "ARRAY[",
                        List([right] + [self.pattern() for _ in range(rng.choice([1, 2]))]), "]))")
        return Expr("bool", "(", left or self.make(kind, depth - 1), rng.choice([" LIKE ", " NOT LIKE ", " ILIKE ", " NOT ILIKE "]), right, ")")

    def pattern(self):
        """Made of pieces of what the columns hold; one that ends in its escape is an error."""
        rng = self.rng
        parts = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            piece = rng.choice(["%", "%", "_", "", "%%", "_%", "%_"])
            parts.append(piece)
            literal = data.plain_text(rng)
            parts.append(literal.replace("\\", "\\\\") if rng.random() < 0.3 else literal.replace("\\", ""))
        parts.append(rng.choice(["%", "%", "_", "", ""]))
        if rng.random() < 0.06:
            parts.append("\\" if self.fail else "\\%")
        text = data.quote("".join(parts))
        if self.params is not None and rng.random() < 0.4:
            self.params.append(("text", [text, data.quote("%" + data.plain_text(rng) + "%"), "NULL"]))
            return Expr("text", "$%d" % len(self.params))
        return Expr("text", text)

    def host_condition(self, depth):
        """What no engine runs."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.3 and self.fail:
            if rng.random() < 0.5:
                return Expr("bool", rng.choice(["boom(", "cheap_boom("]), self.make("int8", depth - 1, True), ")")
            kind = self.kind("int4", "int8", "numeric")
            divisor = self.make(kind, depth - 1, True)
            quotient = Seq("(", self.make(kind, depth - 1, True), " / ", divisor, ")")
            tested = Expr("bool", "(", quotient, rng.choice([" > ", " = "]), self.leaf(kind), ")")
            guard = rng.random()
            if guard < 0.3:
                return Expr("bool", "(", divisor, " <> 0 AND ", tested, ")")
            if guard < 0.6:
                return Expr("bool", "CASE WHEN ", divisor, " <> 0 THEN ", tested, " ELSE false END")
            return tested
        text = self.kind("text", "bpchar")
        if draw < 0.5:
            return Expr("bool", "(", self.make(text, depth - 1), rng.choice([" ~ 'a'", " ~* 'A'", " SIMILAR TO 'a_*'"]), ")")
        if draw < 0.7:
            return Expr("bool", "(md5(", self.make("text", depth - 1), ") < ", self.leaf("text"), ")")
        if draw < 0.85:
            return Expr("bool", "even(", self.make("int8", depth - 1, True), ")")
        return Expr("bool", "(length(", self.make("text", depth - 1), ") > %d)" % rng.choice([0, 1, 3, 100]))

    # --- numbers ----------------------------------------------------------

    def integer(self, kind, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.50:
            left, right = kind, kind
            if not self.here:
                return self.literal(kind)
            if kind == "int4" and rng.random() < 0.3:
                left, right = rng.choice([("int2", "int4"), ("int4", "int2")])
            elif kind == "int8" and rng.random() < 0.4:
                left, right = rng.choice([("int2", "int8"), ("int8", "int2"), ("int4", "int8"), ("int8", "int4")])
            tame = not self.fail or rng.random() < 0.5
            return Expr(kind, "(", self.make(left, depth - 1, tame), rng.choice([" + ", " - ", " * "]),
                        self.make(right, depth - 1, tame), ")")
        if draw < 0.60:
            return self.bits(kind, depth)
        if draw < 0.63:
            return Expr(kind, rng.choice(["(- ", "abs("]), self.make(kind, depth - 1, True), ")")
        if draw < 0.64 and kind == "int4":
            return Expr(kind, "(", self.make("bool", depth - 1), ")::int4")
        if draw < 0.65 and kind == "int4":
            return self.bucket(depth)
        if draw < 0.8:
            other = self.kind(*[k for k in INTS if k != kind])
            return Expr(kind, "(", self.make(other, depth - 1, True), ")::", kind)
        if draw < 0.86 and kind == "int4":
            return Expr(kind, "(", self.make("date", depth - 1, True), " - ", self.make("date", depth - 1, True), ")")
        if draw < 0.89 and kind == "int4":
            return Expr(kind, rng.choice(["length(", "char_length(", "octet_length("]),
                        self.column(self.kind("text", "bpchar")) or self.make("text", depth - 1), ")")
        if draw < 0.90:
            if kind == "int4" and rng.random() < 0.7:
                if rng.random() < 0.2:
                    return Expr(kind, "length(", self.make("bytea", depth - 1), ")")
                if rng.random() < 0.1:
                    return Expr(kind, "position(", self.leaf("bytea"), " IN ", self.make("bytea", depth - 1), ")")
                if rng.random() < 0.3:
                    return Expr(kind, "ascii(", self.make("text", depth - 1), ")")
                text, part = self.make("text", depth - 1), Expr("text", data.quote(data.plain_text(rng)))
                return rng.choice([Expr(kind, "strpos(", text, ", ", part, ")"), Expr(kind, "position(", part, " IN ", text, ")")])
            return Expr(kind, "(", self.make(kind, depth - 1, True), ")::text::", kind)
        if draw < 0.93:
            what = rng.random()
            if what < 0.4:
                return Expr(kind, "(", self.make(kind, depth - 1, True), rng.choice([" / ", " % "]),
                            self.make(kind, depth - 1, True) if self.fail else Expr(kind, rng.choice(["3", "7", "-2", "1", "1000"]) + "::" + kind),
                            ")")
            if what < 0.6:
                return Expr(kind, "(", self.make("numeric", depth - 1, True), ")::", kind)
            if what < 0.7:
                return Expr(kind, "sign(", self.make("numeric", depth - 1, True), ")::", kind)
            return Expr(kind, "(", self.make(self.kind(*FLOATS), depth - 1, True) if self.fail else
                        Seq("tanh(", self.make("float8", depth - 1, True), ") * 1000"), ")::", kind)
        if draw < 0.93 + self.host / 2:
            what = rng.random()
            if what < 0.5 and kind == "int8":
                return Expr(kind, "same(", self.make(kind, depth - 1), ")")
            return Expr(kind, "bit_length(", self.make("text", depth - 1), ")::", kind)
        return self.leaf(kind)

    def bucket(self, depth):
        """width_bucket; of NaN, or of bounds that are none, sometimes"""
        rng = self.rng
        kind = self.kind("numeric", "float8")
        if self.fail and rng.random() < 0.2:
            low, high = self.leaf(kind, True), self.leaf(kind, True)
        else:
            low, high = [Expr(kind, "%s::%s" % (bound, kind)) for bound in rng.choice([("0", "1000"), ("50", "-50"), ("-1e17", "1e17"), ("0", "0.3")])]
        return Expr("int4", "width_bucket(", self.make(kind, depth - 1, True), ", ", low, ", ", high, ", %d)" % rng.choice([1, 7, 100, 2147483647]))

    def bits(self, kind, depth):
        """Bits and shifts, common divisors, integers of "char" and oid."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.15 and kind in ("int4", "int8"):
            other = rng.choice(['"char"', "oid"]) if kind == "int4" else "oid"
            return Expr(kind, "(", self.make(other, depth - 1), ")::", kind)
        one = self.make(kind, depth - 1, True)
        if draw < 0.45:
            return Expr(kind, "(", one, rng.choice([" & ", " | ", " # "]), self.make(kind, depth - 1, True), ")")
        if draw < 0.55:
            return Expr(kind, "(~ ", one, ")")
        if draw < 0.8 or kind == "int2":
            by = self.leaf("int4") if rng.random() < 0.3 else Expr("int4", rng.choice(["0", "1", "7", "15", "31", "32", "63", "-1"]))
            return Expr(kind, "(", one, rng.choice([" << ", " >> "]), by, ")")
        if draw < 0.9:
            return Expr(kind, "gcd(", one, ", ", self.make(kind, depth - 1, True) if self.fail else Expr(kind, "360::" + kind), ")")
        return Expr(kind, "lcm(", self.make(kind, depth - 1, True) if self.fail else Expr(kind, "(", one, " % 1000::" + kind + ")"), ", 84::", kind, ")")

    def span(self):
        """Constant: few that lead out of the calendar, unless errors are welcome."""
        some = INTERVALS if self.fail else INTERVALS[:-3]
        return "interval '%s'" % self.rng.choice(some)

    def numeric(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.03:
            return Expr("numeric", "extract(%s FROM " % rng.choice(SPAN_FIELDS), self.make("interval", depth - 1, True), ")")
        if draw < 0.05:
            return Expr("numeric", "extract(%s FROM " % rng.choice(["timezone", "timezone_hour", "timezone_minute"]), self.make("timestamptz", depth - 1, True), ")")
        if draw < 0.08:
            return Expr("numeric", "(", self.make(self.kind("float4", "float8"), depth - 1, True), ")::numeric")
        if draw < 0.2:
            kind = self.kind("date", "timestamp", "timestamptz", "time")
            field = rng.choice(FIELDS + ["julian"] if kind == "date" else
                               ["hour", "minute", "second", "milliseconds", "microseconds", "epoch"] if kind == "time" else TIME_FIELDS)
            return Expr("numeric", "extract(%s FROM " % field, self.make(kind, depth - 1, True), ")")
        draw = rng.random()
        if draw < 0.6:
            right = "numeric" if rng.random() < 0.5 else self.kind("numeric", "int4", "int8", "int2")
            parts = [self.make("numeric", depth - 1), rng.choice([" + ", " - ", " * ", " * "]),
                     self.make(right, depth - 1, True)]
            if rng.random() < 0.2:
                parts = [parts[2], parts[1], parts[0]]
            return Expr("numeric", "(", *parts, ")")
        if draw < 0.67:
            return Expr("numeric", "(- ", self.make("numeric", depth - 1), ")")
        if draw < 0.82:
            return Expr("numeric", "(", self.make(self.kind(*INTS), depth - 1, True), ")::numeric")
        if draw < 0.96:
            what = rng.random()
            if what < 0.35:
                return Expr("numeric", rng.choice(["round(", "trunc("]), self.make("numeric", depth - 1),
                            rng.choice(["", ", %d" % rng.randrange(0, 5), ", %d" % rng.randrange(-3, 40)]), ")")
            if what < 0.55:
                return Expr("numeric", rng.choice(["ceil(", "floor(", "abs(", "sign("]), self.make("numeric", depth - 1), ")")
            if what < 0.75:
                by = self.make("numeric", depth - 1, True) if self.fail else Expr("numeric", rng.choice(["7.0", "0.3", "-2", "10", "1e18"]))
                if rng.random() < 0.5:
                    return Expr("numeric", "div(", self.make("numeric", depth - 1), ", ", by, ")")
                return Expr("numeric", "(", self.make("numeric", depth - 1), " % ", by, ")")
            types = ["10,2", "38,4", "5,0", "3,5"] if self.fail else ["38,4", "40,2", "45,0", "60,10"]
            return Expr("numeric", "(", self.make("numeric", depth - 1, True), ")::numeric(%s)" % rng.choice(types))
        if draw < 0.96 + self.host / 2:
            return Expr("numeric", "(", self.make("numeric", depth - 1), " / ",
                        self.make("numeric", depth - 1, True) if self.fail else Expr("numeric", "7.0"), ")")
        return self.leaf("numeric")

    def calm(self, kind):
        """Are sums and products welcome, or unlikely to overflow?"""
        return self.fail or any(leaf.kind == kind and not leaf.column.wild for leaf in self.leaves)

    def float8(self, depth):
        rng = self.rng
        draw = rng.random() if self.calm("float8") else rng.uniform(0.46, 1)
        if draw < 0.4:
            # operands that are added seldom overflow
            tame = not self.fail or rng.random() < 0.5
            left, right = rng.choice([("float8", "float8"), ("float8", "float8"), ("float4", "float8"), ("float8", "float4")])
            if not self.calm("float4"):
                left = right = "float8"
            return Expr("float8", "(", self.make(left, depth - 1, tame), rng.choice([" + ", " - ", " + ", " - ", " * "] if tame else [" * ", " / ", " + "]),
                        self.make(right, depth - 1, tame), ")")
        if draw < 0.46:
            return Expr("float8", "(", self.make("float8", depth - 1, True), " / ",
                        self.make("float8", depth - 1, True) if self.fail else Expr("float8", rng.choice(["3", "0.7", "-2", "1e3"]) + "::float8"), ")")
        if draw < 0.62:
            return Expr("float8", rng.choice(["abs(", "ceil(", "floor(", "round(", "trunc(", "sign(", "(- ", "(+ ", "ceiling(", "cbrt(", "atan(", "atand(", "sinh(",
                                              "tanh(", "asinh(", "radians("]), self.make("float8", depth - 1, True), ")")
        if draw < 0.72:
            # roots, logarithms, angles: of what they have
            inner = self.make("float8", depth - 1, True)
            if self.fail:
                return Expr("float8", rng.choice(["sqrt(", "ln(", "log(", "exp(", "acos(", "asin(", "acosh(", "atanh(", "cosh(", "degrees(", "sin(", "cos(", "tan(", "sind(", "cosd(", "tand(", "acosd(",
                                                  "cot("]), inner, ")")
            what = rng.random()
            if what < 0.25:
                return Expr("float8", rng.choice(["sqrt(", "acosh(1 + "]), "abs(", inner, "))")
            if what < 0.5:
                return Expr("float8", rng.choice(["ln(", "log("]), "abs(NULLIF(", inner, ", 0)))")
            bounded = Seq("tanh(", inner, ")")
            if what < 0.75:
                return Expr("float8", rng.choice(["exp(", "acos(", "asin(", "sin(", "cos(", "tan(", "cosh(", "degrees(", "cot(2 + ", "atanh(0.5 * "]), bounded, ")")
            if what < 0.87:
                return Expr("float8", "atan2(", inner, ", ", self.make("float8", depth - 1, True), ")")
            return Expr("float8", "power(2 + ", bounded, ", ", rng.choice(["0.5", "2", "-3"]), ")")
        if draw < 0.9:
            kind = self.kind("int2", "int4", "int8", "float4", "numeric")
            return Expr("float8", "(", self.make(kind, depth - 1, True), ")::float8")
        return self.leaf("float8")

    def float4(self, depth):
        rng = self.rng
        draw = rng.random() if self.calm("float4") else rng.uniform(0.56, 1)
        if draw < 0.5:
            tame = not self.fail or rng.random() < 0.5
            return Expr("float4", "(", self.make("float4", depth - 1, tame), rng.choice([" + ", " - ", " * "] if tame else [" * ", " / ", " - "]),
                        self.make("float4", depth - 1, tame), ")")
        if draw < 0.56:
            return Expr("float4", "(", self.make("float4", depth - 1, True), " / ", Expr("float4", rng.choice(["3", "0.7", "-2"]) + "::float4"), ")")
        if draw < 0.66:
            return Expr("float4", rng.choice(["abs(", "(- ", "(+ "]), self.make("float4", depth - 1, True), ")")
        if draw < 0.9:
            kind = self.kind("int2", "int4", "int8", "numeric", "float8") if self.fail else self.kind("int2", "int4", "int8", "numeric")
            return Expr("float4", "(", self.make(kind, depth - 1, True), ")::float4")
        return self.leaf("float4")

    # --- dates and texts --------------------------------------------------

    def date(self, depth):
        rng = self.rng
        if rng.random() < 0.6:
            return Expr("date", "(", self.make("date", depth - 1, True), rng.choice([" + ", " - "]),
                        Expr("int4", rng.choice(["1", "30", "-7", "100000"])) if rng.random() < 0.6 else self.leaf("int4", True), ")")
        if rng.random() < 0.25:
            return Expr("date", "(", self.make(self.kind("timestamp", "timestamptz"), depth - 1, True), ")::date")
        if rng.random() < 0.2:
            part = self.leaf("int4", True)
            if self.fail:
                return Expr("date", "make_date(", part, ", ", self.leaf("int4", True), ", 29)")
            return Expr("date", "make_date(abs(", part, " % 3000) + 1, abs(", part, " % 12) + 1, 28)")
        return self.leaf("date")

    def bins(self, type, depth):
        """date_bin; of a stride that it refuses, sometimes"""
        rng = self.rng
        stride = rng.choice(["15 minutes", "1 day", "7 days", "0.1 seconds", "90000 days"])
        if self.fail and rng.random() < 0.1:
            stride = rng.choice(["1 month", "0", "-1 hour"])
        origin = self.leaf(type, True) if self.fail and rng.random() < 0.3 else "'2001-02-03 04:05:06'::" + type
        return Expr(type, "date_bin('%s', " % stride, self.make(type, depth - 1, True), ", ", origin, ")")

    def timestamp(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.25:
            return Expr("timestamp", "(", self.make(self.kind("date", "timestamptz"), depth - 1, True), ")::timestamp")
        if draw < 0.45:
            if rng.random() < 0.3:
                return Expr("timestamp", "(", self.make("timestamptz", depth - 1, True), " AT TIME ZONE '%s')" % rng.choice(ZONES))
            return Expr("timestamp", "date_trunc('%s', " % rng.choice(UNITS), self.make("timestamp", depth - 1, True), ")")
        if draw < 0.7:
            if self.fail and rng.random() < 0.3:
                return Expr("timestamp", "(", self.make(self.kind("date", "timestamp"), depth - 1, True), " + ", self.leaf("interval", True), ")")
            return Expr("timestamp", "(", self.make(self.kind("date", "timestamp"), depth - 1, True), rng.choice([" + ", " - "]),
                        self.span(), ")")
        if draw < 0.75:
            return self.bins("timestamp", depth)
        if draw < 0.75 + self.host:
            return Expr("timestamp", "(", self.make("timestamp", depth - 1, True), " + make_interval(days => ", self.leaf("int4", True), "))")
        return self.leaf("timestamp")

    def timestamptz(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.25:
            return Expr("timestamptz", "(", self.make(self.kind("date", "timestamp"), depth - 1, True), ")::timestamptz")
        if draw < 0.45:
            if rng.random() < 0.3:
                return Expr("timestamptz", "(", self.make("timestamp", depth - 1, True), " AT TIME ZONE '%s')" % rng.choice(ZONES))
            return Expr("timestamptz", "date_trunc('%s', " % rng.choice(UNITS), self.make(self.kind("timestamptz", "date"), depth - 1, True),
                        ", '%s')" % rng.choice(ZONES) if rng.random() < 0.3 else ")")
        if draw < 0.7:
            return Expr("timestamptz", "(", self.make("timestamptz", depth - 1, True), rng.choice([" + ", " - "]), self.span(), ")")
        if draw < 0.75:
            return self.bins("timestamptz", depth)
        if draw < 0.75 + self.host:
            return Expr("timestamptz", "(", self.make("timestamptz", depth - 1, True), " + make_interval(hours => ", self.leaf("int2", True), "))")
        return self.leaf("timestamptz")

    def char(self, depth):
        if self.rng.random() < 0.5:
            by = "" if self.fail else " % 128"
            return Expr('"char"', "(", self.make("int4", depth - 1, True), by, ')::"char"')
        return self.leaf('"char"')

    def oid(self, depth):
        draw = self.rng.random()
        if draw < 0.3:
            return Expr("oid", "(", self.make("int4", depth - 1, True), ")::oid")
        if draw < 0.6:
            by = "" if self.fail else " & 4294967295"
            return Expr("oid", "(", self.make("int8", depth - 1, True), by, ")::oid")
        return self.leaf("oid")

    def money(self, depth):
        rng = self.rng
        one = self.make("money", depth - 1, True)
        draw = rng.random()
        if draw < 0.4:
            return Expr("money", "(", one, rng.choice([" + ", " - "]), self.leaf("money", True), ")")
        if draw < 0.55:
            parts = [one, " * ", Expr("int4", rng.choice(["2", "-3::int2", "10::int8"]))]
            return Expr("money", "(", *(parts if rng.random() < 0.5 else reversed(parts)), ")")
        if draw < 0.7:
            return Expr("money", "(", one, " / ", self.leaf("int4") if self.fail else Expr("int4", rng.choice(["7", "-2::int2", "100::int8"])), ")")
        return self.leaf("money")

    def time(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.3:
            return Expr("time", "(", self.make(self.kind("timestamp", "timestamptz"), depth - 1, True), ")::time")
        if draw < 0.7:
            return Expr("time", "(", self.make("time", depth - 1), rng.choice([" + ", " - "]), self.span(), ")")
        return self.leaf("time")

    def interval(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.35:
            kind = self.kind("timestamp", "timestamptz", "time")
            return Expr("interval", "(", self.make(kind, depth - 1, True), " - ", self.make(kind, depth - 1, True), ")")
        if draw < 0.5:
            return Expr("interval", "(", self.make("interval", depth - 1, True), rng.choice([" + ", " - "]),
                        self.make("interval", depth - 1) if self.fail else self.span(), ")")
        if draw < 0.6:
            return Expr("interval", "(- ", self.make("interval", depth - 1, True), ")")
        if draw < (0.7 if self.fail else 0.62):
            # infinities have none
            kind = self.kind("timestamp", "timestamptz")
            return Expr("interval", "age(", self.make(kind, depth - 1, True), ", ", self.make(kind, depth - 1, True), ")")
        if draw < 0.7 + self.host:
            return Expr("interval", "justify_hours(", self.make("interval", depth - 1, True), ")")
        return self.leaf("interval")

    def timetz(self, depth):
        return self.leaf("timetz")

    def inet(self, depth):
        return self.leaf("inet")

    def uuid(self, depth):
        return self.leaf("uuid")

    def name(self, depth):
        return self.leaf("name")

    def mood(self, depth):
        return self.leaf("mood")

    def text(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.3:
            return Expr("text", "(", self.make(self.kind("bpchar", "bpchar", "name"), depth - 1), ")::text")
        if draw < 0.3 + self.host:
            return Expr("text", "md5(", self.make("text", depth - 1), ")")
        if draw < 0.3 + 1.5 * self.host:
            return Expr("text", "quote_literal(", self.leaf("text"), ")")
        if draw < 0.55:
            return self.part(depth)
        if draw < 0.85:
            return self.made_text(depth)
        return self.leaf("text")

    def made_text(self, depth):
        """Texts that are not a part of one: PostgreSQL's functions that write."""
        rng = self.rng

        def text():
            return self.make("text", depth - 1, True)

        def shown():
            return self.make(self.kind("int2", "int4", "int8", "numeric", "bool", "text", "bpchar", "timestamp", "timestamptz"), depth - 1, True)

        def number(*some):
            return Expr("int4", str(rng.choice(some)))

        def word():
            return text() if rng.random() < 0.3 else Expr("text", data.quote(data.plain_text(rng)))

        draw = rng.randrange(22)
        if draw >= 20:
            formats = ["YYYY-MM", "YYYY-MM-DD HH24:MI:SS.US", "IYYY-IW", "Mon DD", "HH12 am", 'YYYY "Q"Q', "DDD-D-ID WW"]
            if rng.random() < self.host:
                formats = ["FMDD TMMonth", "YY CC", "Y,YYY J"]
            return Expr("text", "to_char(", self.make(self.kind("timestamp", "timestamptz", "date"), depth - 1, True),
                        ", '%s')" % rng.choice(formats))
        if draw < 4:
            return Expr("text", "(", text(), " || ", word(), ")")
        if draw < 5:
            return Expr("text", "concat(", List([shown() for _ in range(rng.choice([1, 2, 3]))], ", "), ")")
        if draw < 6:
            return Expr("text", "concat_ws(", word(), ", ", List([shown() for _ in range(rng.choice([1, 2, 3]))], ", "), ")")
        if draw < 9:
            return Expr("text", rng.choice(["lower(", "upper(", "initcap(", "reverse("]), text(), ")")
        if draw < 10:
            return Expr("text", "replace(", text(), ", ", word(), ", ", word(), ")")
        if draw < 11:
            return Expr("text", "translate(", text(), ", ", word(), ", ", word(), ")")
        if draw < 12:
            return Expr("text", "split_part(", text(), ", ", Expr("text", rng.choice(["' '", "'a'", "','", "''", "'ab'"])), ", ",
                        number(*([-3, -1, 0, 1, 2, 3] if self.fail else [-3, -1, 1, 2, 3])), ")")
        if draw < 14:
            trim = rng.choice(["btrim(", "ltrim(", "rtrim("])
            return Expr("text", trim, text(), ")") if rng.random() < 0.5 else Expr("text", trim, text(), ", ", word(), ")")
        if draw < 15:
            return Expr("text", rng.choice(["lpad(", "rpad("]), text(), ", ", number(-1, 0, 1, 3, 7, 8, 40), ", ", word(), ")")
        if draw < 16:
            return Expr("text", "repeat(", text(), ", ", number(-1, 0, 1, 2, 3), ")")
        if draw < 17:
            if rng.random() < 0.5:
                return Expr("text", "to_hex(", self.make(self.kind("int4", "int8"), depth - 1, True), ")")
            return Expr("text", "chr(", self.make("int4", depth - 1) if self.fail else
                        Seq("abs(", self.make("int2", depth - 1, True), "::int4) % 500 + 1"), ")")
        if draw < 18:
            return Expr("text", "(", text(), ")::", rng.choice(["varchar(1)", "varchar(5)", "char(3)", "char(10)"]), "::text")
        return Expr("text", "(", self.make(self.kind("int2", "int4", "int8", "numeric", "bool", "date", "timestamp", "timestamptz"), depth - 1, True), ")::text")

    def part(self, depth):
        rng = self.rng

        def number():
            if rng.random() < 0.7:
                return Expr("int4", str(rng.choice([-2147483647, -3, -1, 0, 1, 1, 2, 2, 3, 5, 100, 2147483647])))
            return self.leaf("int4", True)

        def size():
            made = number()
            return Expr("int4", "abs(", made, "::int8)::int4") if not self.fail else made

        text = self.make("text", depth - 1)
        draw = rng.random()
        if draw < 0.4:
            return Expr("text", rng.choice(["substring(", "substr("]), text, ", ", number(), ", ", size(), ")")
        if draw < 0.6:
            return Expr("text", rng.choice(["substring(", "substr("]), text, ", ", number(), ")")
        return Expr("text", rng.choice(["left(", "right("]), text, ", ", number(), ")")

    def bytea(self, depth):
        rng = self.rng
        draw = rng.random()
        value = self.make("bytea", depth - 1)
        if draw < 0.3:
            return Expr("bytea", rng.choice(["substring(", "substr("]), value, ", ", rng.choice(["1", "2", "-1", "1, 2", "2, 1000", "-2, 5"]), ")")
        if draw < 0.5:
            return Expr("bytea", "(", value, " || ", self.make("bytea", depth - 1), ")")
        if draw < 0.7:
            return Expr("bytea", rng.choice(["btrim(", "ltrim(", "rtrim("]), value, ", ", self.leaf("bytea"), ")")
        return self.leaf("bytea")

    def bpchar(self, depth):
        return self.leaf("bpchar")
