"""Random queries over random tables."""

import data
import schema
from expr import KINDS, Leaf, Maker
from tree import Expr, List, Node, Opt, Seq, has, render


class Select(Node):
    """SELECT items source [WHERE] [ORDER BY all] [LIMIT]. The order is by all
    items; a LIMIT stands with an order, or where the table's own is the answer's."""

    __slots__ = ("parts", "directions", "table_order")

    def __init__(self, items, source, where, order, limit, directions, table_order, head="SELECT "):
        self.parts = [items, source, where, order, limit, head]
        self.directions = directions
        self.table_order = table_order

    def rebuilt(self, parts):
        return Select(*parts[:5], self.directions, self.table_order, parts[5])

    def sql(self):
        items, source, where, order, limit, head = self.parts
        text = head + render(items) + " FROM " + render(source) + render(where)
        if order.parts and items.parts:
            text += " ORDER BY " + ", ".join("%d%s" % (i + 1, self.directions[i % len(self.directions)])
                                             for i in range(len(items.parts)))
        if limit.parts and (order.parts or self.table_order):
            text += render(limit)
        return text


class Grouped(Node):
    """SELECT keys, aggregates FROM ... GROUP BY keys [HAVING] [ORDER BY keys [LIMIT]]."""

    __slots__ = ("parts", "directions")

    def __init__(self, keys, aggs, source, where, having, order, limit, directions):
        self.parts = [keys, aggs, source, where, having, order, limit]
        self.directions = directions

    def rebuilt(self, parts):
        return Grouped(*parts, self.directions)

    def sql(self):
        keys, aggs, source, where, having, order, limit = self.parts
        numbers = [str(i + 1) for i in range(len(keys.parts))]
        text = "SELECT " + ", ".join(render(item) for item in keys.parts + aggs.parts)
        text += " FROM " + render(source) + render(where)
        if numbers:
            text += " GROUP BY " + ", ".join(numbers)
        text += render(having)
        if order.parts and numbers:
            text += " ORDER BY " + ", ".join(n + self.directions[i % len(self.directions)]
                                             for i, n in enumerate(numbers))
            text += render(limit)
        return text


class Query:
    """tree: the query itself. How it is asked: plain; prepared, with the
    arguments of each EXECUTE; by a cursor, with its FETCHes."""

    def __init__(self, tree, ambiguous=False, relations=1, fails_above=False, order="set", shape=""):
        self.tree = tree
        self.ambiguous = ambiguous      # equal values that look different are grouped
        self.relations = relations
        self.fails_above = fails_above  # an expression above groups may fail
        self.ordered = order            # 'table': as the table's rows lie
        self.shape = shape
        self.types = []                 # prepared: types of parameters,
        self.executes = []              # and EXECUTEs, other statements between them
        self.fetches = []               # cursor: FETCHes, likewise
        self.cursor = ""
        self.aggregates = []            # what GpuAgg would be asked for

    def changed(self, tree=None, executes=None, fetches=None):
        other = Query.__new__(Query)
        other.__dict__.update(self.__dict__)
        other.tree = self.tree if tree is None else tree
        other.executes = self.executes if executes is None else executes
        other.fetches = self.fetches if fetches is None else fetches
        return other

    def _prepare(self):
        types = " (%s)" % ", ".join(self.types) if self.types else ""
        return "PREPARE q%s AS %s" % (types, render(self.tree))

    def statements(self):
        sql = render(self.tree)
        if self.executes:
            return [self._prepare()] + self.executes
        if self.fetches:
            return ["DECLARE c %sCURSOR FOR %s" % (self.cursor, sql)] + self.fetches
        return [sql]

    def before_explain(self):
        return [self._prepare()] if self.executes else []

    def explained(self):
        if self.executes:
            return ([render(self.tree)] + [s for s in self.executes if s.startswith("EXECUTE")])[-1]
        return render(self.tree)

    def order(self):
        if self.ordered == "keys":
            return "sequence" if has(self.tree, "order") else "set"
        return "sequence" if self.ordered == "table" else "set"


class Item:
    """An output column."""

    def __init__(self, node, two_faced):
        self.node = node
        self.two_faced = two_faced


_DIRECTIONS = ["", "", " DESC", " DESC NULLS LAST", " NULLS FIRST"]


class Writer:
    """Queries over tables. functions: those of the schema may be called."""

    def __init__(self, rng, tables):
        self.rng = rng
        self.tables = tables

    # --- pieces -----------------------------------------------------------

    def leaves(self, table, alias):
        return [Leaf("%s.%s" % (alias, column.name) if alias else column.name, column) for column in table.columns]

    def maker(self, leaves, **options):
        rng = self.rng
        options.setdefault("fail", rng.random() < 0.3)
        options.setdefault("host", rng.choice([0.0, 0.0, 0.05, 0.15, 0.3]))
        return Maker(rng, leaves, **options)

    def item(self, maker, depth=2):
        rng = self.rng
        if maker.leaves and rng.random() < 0.5:
            leaf = rng.choice(maker.leaves)
            return Item(Expr(leaf.column.kind, leaf.ref), leaf.column.two_faced)
        kind = maker.kind()
        return Item(maker.make(kind, depth), kind in ("numeric", "bpchar", "float4", "float8", "interval"))

    def where(self, maker, likely=0.93):
        rng = self.rng
        if rng.random() > likely:
            return Opt()
        conjuncts = [maker.conjunct(rng.choice([1, 1, 2, 2, 3, 4])) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
        return Opt(" WHERE ", List(conjuncts, " AND "))

    def directions(self):
        return [self.rng.choice(_DIRECTIONS) for _ in range(7)]

    def limit(self):
        rng = self.rng
        text = " LIMIT %d" % rng.choice([0, 1, 2, 5, 10, 100])
        if rng.random() < 0.3:
            text += " OFFSET %d" % rng.choice([0, 1, 7, 1000])
        return Opt(text) if rng.random() < 0.4 else Opt()

    def select(self, maker, source, table_order, where=None):
        rng = self.rng
        items = [self.item(maker) for _ in range(rng.choice([1, 2, 3, 5]))]
        two_faced = any(item.two_faced for item in items)
        order = Opt("y", name="order") if rng.random() < 0.35 else Opt()
        limit = self.limit() if not (two_faced and order.parts) else Opt()
        tree = Select(List([item.node for item in items]), source, self.where(maker) if where is None else where,
                      order, limit, self.directions(), table_order)
        return tree, two_faced

    def aggregate(self, maker, query):
        """An aggregate as (type, node)."""
        rng = self.rng
        name = rng.choice(["count(*)", "count", "sum", "sum", "avg", "min", "max", "bool"] * 3 + ["other", "other", "hosted", "hosted"])
        if name == "count(*)":
            kind, call, result = "", ["count(*)"], "int8"
        elif name == "count":
            kind = maker.kind()
            passenger = maker.passenger() if rng.random() < 0.2 else None
            call, result = ["count(", passenger or maker.make(kind, 1), ")"], "int8"
        elif name in ("sum", "avg") and rng.random() < 0.25 and query.shape in ("group", "total", "prepared", "sets") and \
                "other(other)" not in query.aggregates:
            # the order of rows decides the last digits: no sort, no process beside
            query.ambiguous = True
            kind = maker.kind("float8", "float4", "float8", "float4", "interval")
            name = rng.choice(["sum", "avg"] * 2 + (["stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"] if kind != "interval" else []))
            call = [name, "(", maker.make(kind, rng.choice([0, 0, 1, 2]), rng.random() < 0.8), ")"]
            result = kind if kind == "interval" or (name == "sum" and kind == "float4") else "float8"
        elif name in ("sum", "avg"):
            kind = maker.kind("int2", "int4", "int8", "numeric")
            if kind != "numeric" and rng.random() < 0.15:
                name = rng.choice(["stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"])
            call = [name, "(", maker.make(kind, rng.choice([0, 0, 1, 2]), rng.random() < 0.7), ")"]
            result = "int8" if name == "sum" and kind in ("int2", "int4") else "numeric"
        elif name in ("min", "max"):
            kind = maker.kind("int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz", "float8", "float4", "oid", "money", "time", "interval")
            argument = maker.make(kind, rng.choice([0, 0, 1, 2]))
            if kind in ("numeric", "float4", "float8", "interval"):
                query.ambiguous = True  # of equal values the last one shows
            if not maker.of_rows(argument):
                # of a constant: PostgreSQL looks at one row, if at any
                argument = maker.column(kind)
            call, result = [name, "(", argument, ")"], kind
            if argument is None:
                name, kind, call, result = "count(*)", "", ["count(*)"], "int8"
        elif name == "bool":
            name = rng.choice(["bool_and", "bool_or", "every"])
            argument = maker.make("bool", 1)
            if not maker.of_rows(argument):
                argument = maker.comparison(1)      # these are min and max of bool
            kind, call, result = "", [name, "(", argument, ")"], "bool"
            if not maker.of_rows(argument):
                name, call, result = "count(*)", ["count(*)"], "int8"
        elif name == "hosted":
            name, kind, call, result = self.hosted(maker, query)
        else:
            what = rng.random()
            kind = "other"
            if what < 0.4:
                name, kind = rng.choice(["min", "max"]), rng.choice(["text", "text", "bpchar"])
                call, result = [name, "(", maker.make(kind, 1), ")"], kind
            elif what < 0.8 and not query.ambiguous:
                # sorts, and then who is seen first of equals is open
                call, result = ["count(DISTINCT ", maker.make(maker.kind("int4", "text", "date"), 1), ")"], "int8"
            else:
                kind = maker.kind("int2", "int4", "int8")
                name, result = rng.choice(["bit_and", "bit_or", "bit_xor"]), kind
                call = [name, "(", maker.make(kind, 1, True), ")"]
        filtered, cast = Opt(), ""
        if isinstance(call[-1], str) and call[-1].endswith(")::text"):
            # FILTER stands before the cast
            call, cast = call[:-1] + [call[-1][:-len("::text")]], "::text"
        if rng.random() < 0.25:
            filtered = Opt(" FILTER (WHERE ", maker.make("bool", rng.choice([1, 2])), ")")
        query.aggregates.append("%s(%s)" % (name.split("(")[0], kind))
        return result, Expr(result, *call, filtered, cast)

    def hosted(self, maker, query):
        """One that no engine knows, as (name, kind, call, result)."""
        rng = self.rng
        in_row_order = query.shape in ("group", "total", "prepared") and "other(other)" not in query.aggregates
        draw = rng.random()
        if draw < 0.4 and in_row_order:
            # as with floats: no sort, no process beside
            query.ambiguous = True
            kind = maker.kind("int4", "text", "numeric", "date", "bool", "bpchar", "float8")
            argument = maker.make(kind, rng.choice([0, 1]), True)
            result, call = rng.choice([
                ("text", ["string_agg((", argument, ")::text, ', ')"]), ("text", ["array_agg(", argument, ")::text"]),
                ("text", ["json_agg(", argument, ")::text"]),
                ("float8", ["corr(", maker.make("int4", 0), ", ", maker.make("int2", 0), ")"]),
                ("float8", ["regr_slope(", maker.make("int2", 0), ", ", maker.make("int4", 0), ")"])])
            return "other", "row order", call, result
        if draw < 0.7 and not query.ambiguous:
            # PostgreSQL sorts by the keys, and who is seen first of equal ones is open
            kind = maker.kind("int4", "date", "int8", "text", "bool", "timestamp")
            argument = maker.make(kind, rng.choice([0, 1]), True)
            result, call = rng.choice([
                ("text", ["array_agg(", argument, " ORDER BY ", argument, rng.choice(["", " DESC", " NULLS FIRST"]), ")::text"]),
                ("text", ["array_agg(DISTINCT ", argument, ")::text"]),
                ("text", ["percentile_disc(0.3) WITHIN GROUP (ORDER BY ", argument, ")::text"]),
                ("text", ["mode() WITHIN GROUP (ORDER BY ", argument, ")::text"])])
            return "other", "other", call, result
        kind = maker.kind("numeric", "money")
        name = "sum" if kind == "money" else rng.choice(["stddev", "var_pop", "variance"])
        return name, kind + " hosted", [name, "(", maker.make(kind, 1, True), ")"], kind

    def output(self, maker, query):
        """An aggregate, or an expression over some."""
        rng = self.rng
        kind, node = self.aggregate(maker, query)
        draw = rng.random()
        if draw < 0.8 or kind not in ("int8", "numeric"):
            return node
        other_kind, other = self.aggregate(maker, query)
        if other_kind not in ("int8", "numeric", "int4"):
            return Expr(kind, "COALESCE(", node, ", 0)")
        if draw < 0.9:
            query.fails_above = True
            return Expr("numeric", "(", node, rng.choice([" + ", " - ", " * "]), other, ")")
        if draw < 0.95:
            return Expr("numeric", "(", node, " / NULLIF(", other, ", 0))")
        query.fails_above = True
        return Expr("numeric", "(", node, " / ", other, ")")

    def having(self, maker, query):
        rng = self.rng
        if rng.random() > 0.25:
            return Opt()
        kind, node = self.aggregate(maker, query)
        if kind == "bool":
            return Opt(" HAVING ", node)
        if kind == "text":
            return Opt(" HAVING ", node, " IS NOT NULL")
        return Opt(" HAVING ", Expr("bool", "(", node, rng.choice([" > ", " <> ", " <= "]),
                                    data_literal(rng, kind), ")"))

    def grouped(self, maker, source, query, where=None, nkeys=None):
        rng = self.rng
        keys = []
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4]) if nkeys is None else nkeys):
            offloaded = [leaf for leaf in maker.leaves if leaf.kind in KINDS]
            if offloaded and rng.random() < 0.7:
                leaf = rng.choice([leaf for leaf in offloaded if leaf.column.serial] or offloaded) \
                    if rng.random() < 0.4 else rng.choice(offloaded)
                keys.append(Item(Expr(leaf.column.kind, leaf.ref), leaf.column.two_faced))
            else:
                keys.append(self.item(maker, 1))
        if any(key.two_faced for key in keys):
            query.ambiguous = True
        aggs = [self.output(maker, query) for _ in range(rng.choice([0, 1, 1, 2, 3, 5] if keys else [1, 1, 2, 3, 5]))]
        having = self.having(maker, query)
        if query.ambiguous:
            # money has no hash function: PostgreSQL sorts, and then not the first of
            # equal keys is shown, nor are floats added in row order
            keys = [key for key in keys if key.node.type != "money"]
            aggs = aggs or [Expr("int8", "count(*)")]
        # likewise an order over groups may make it sort
        order = Opt("y", name="order") if rng.random() < 0.3 and not query.ambiguous else Opt()
        tree = Grouped(List([key.node for key in keys], least=0 if aggs else 1),
                       List(aggs, least=0 if keys else 1), source,
                       self.where(maker, 0.7) if where is None else where, having, order,
                       self.limit(), self.directions())
        query.ordered = "keys"
        return tree

    # --- shapes -----------------------------------------------------------

    def query(self):
        rng = self.rng
        shape = rng.choice(["scan"] * 5 + ["group"] * 8 + ["total"] * 3 + ["prepared"] * 3 + ["cursor"] * 2 +
                           ["derived", "derived", "cte", "join", "setop", "exists", "lateral", "lateral", "function",
                            "window", "distinct", "changing", "scalar", "row", "system", "view", "sets"])
        query = getattr(self, "shape_" + shape)(Query(None, shape=shape))
        return query

    def table(self):
        return self.rng.choice(self.tables[:1] * 4 + self.tables)

    def shape_scan(self, query, **options):
        table = self.table()
        query.tree, _ = self.select(self.maker(self.leaves(table, ""), **options), table.name, not table.indexed)
        if not table.indexed and not has(query.tree, "order"):
            query.ordered = "table"
        return query

    def shape_group(self, query, **options):
        table = self.table()
        query.tree = self.grouped(self.maker(self.leaves(table, ""), **options), table.name, query)
        return query

    def shape_total(self, query, **options):
        table = self.table()
        query.tree = self.grouped(self.maker(self.leaves(table, ""), **options), table.name, query, nkeys=0)
        return query

    def shape_prepared(self, query):
        rng = self.rng
        params = []
        getattr(self, "shape_" + rng.choice(["scan", "group", "total"]))(query, params=params)
        query.types = [kind for kind, _ in params]
        for _ in range(rng.choice([1, 2, 6, 7])):
            arguments = ", ".join("NULL" if value == "NULL" else "%s::%s" % (value, kind)
                                  for kind, value in ((kind, rng.choice(values)) for kind, values in params))
            query.executes.append("EXECUTE q" + ("(%s)" % arguments if arguments else ""))
        self.between(query.executes, ddl=True)
        return query

    def between(self, statements, ddl):
        """Sometimes the table changes between two askings."""
        rng = self.rng
        table = self.tables[0]
        if len(statements) < 2 or rng.random() < 0.7 or table.locked or not table.columns:
            return
        column = rng.choice(table.columns)
        if ddl:
            # (nothing that adds rows: where they lie depends on what was rolled back before)
            change = rng.choice(["ALTER TABLE %s ADD COLUMN more int4 DEFAULT 7", "ALTER TABLE %s ADD COLUMN more text",
                                 "ALTER TABLE %s DROP COLUMN " + column.name, "TRUNCATE %s",
                                 "DELETE FROM %s WHERE " + schema.condition(rng, table.columns).replace("%", "%%"),
                                 "ALTER TABLE %s ALTER " + column.name + " DROP NOT NULL"]) % table.name
        else:
            change = rng.choice(schema.changes(rng, table.name, table.columns, 1))
        statements.insert(rng.randrange(1, len(statements)), change)

    def shape_cursor(self, query):
        rng = self.rng
        getattr(self, "shape_" + rng.choice(["scan", "scan", "group"]))(query)
        query.cursor = rng.choice(["", "NO SCROLL ", "SCROLL "])
        moves = ["1", "5", "100", "FORWARD ALL"]
        if query.cursor == "SCROLL ":
            moves += ["BACKWARD 3", "FIRST", "LAST", "BACKWARD ALL", "ABSOLUTE 4"]
        query.fetches = ["FETCH %s FROM c" % rng.choice(moves) for _ in range(rng.choice([2, 4]))]
        if query.order() == "set":
            # FETCH 5 of rows in no order says nothing
            query.fetches = ["FETCH ALL FROM c"]
        self.between(query.fetches, ddl=False)
        return query

    def _inner(self, alias="s"):
        """A subquery and the leaves that it offers."""
        table = self.table()
        maker = self.maker(self.leaves(table, ""), fail=False)
        columns = [self.rng.choice(table.columns) for _ in range(3)] if table.columns else []
        items = [Expr(c.kind, "%s AS x%d" % (c.name, i)) for i, c in enumerate(columns)] or [Expr("int4", "1 AS x")]
        tree = Seq("SELECT ", List(items), " FROM " + table.name, self.where(maker))
        return tree, [Leaf("%s.x%d" % (alias, i), c) for i, c in enumerate(columns)]

    def shape_derived(self, query):
        inner, leaves = self._inner()
        if self.rng.random() < 0.4:
            inner = Seq(inner, Opt(" OFFSET 0"))
        query.tree = self.grouped(self.maker(leaves), Seq("(", inner, ") s"), query)
        return query

    def shape_cte(self, query):
        inner, leaves = self._inner()
        main = self.grouped(self.maker(leaves, fail=False), Seq("s"), query)
        query.tree = Seq("WITH s AS ", self.rng.choice(["", "MATERIALIZED ", "NOT MATERIALIZED "]), "(", inner, ") ", main)
        return query

    def _two(self):
        first = self.table()
        second = self.rng.choice(self.tables)
        return first, second, self.leaves(first, "p"), self.leaves(second, "q")

    def shape_join(self, query):
        rng = self.rng
        first, second, left, right = self._two()
        query.relations = 2
        shared = [(a, b) for a in left for b in right if a.kind == b.kind and a.kind in KINDS and
                  not a.column.collation and not b.column.collation]
        if not shared or first.rows * second.rows > 400000:
            return self.shape_group(query)
        a, b = rng.choice(shared)
        on = "%s = %s" % (a.ref, b.ref)
        both = self.maker(left + right, fail=False, host=0.05)
        source = Seq("%s p %s %s q ON %s" % (first.name, rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]),
                                             second.name, on))
        where = Opt(" WHERE ", List([self.maker(left, fail=False).conjunct(2), self.maker(right, fail=False).conjunct(1),
                                     *([both.conjunct(1)] if rng.random() < 0.3 else [])][:rng.choice([1, 2, 3])], " AND "))
        query.tree = self.grouped(both, source, query, where, nkeys=rng.choice([0, 0, 1, 2]))
        # the rows of a join come in no order, so nobody is seen first
        if query.ambiguous or any(a.startswith(("min(numeric", "max(numeric", "min(float", "max(float")) for a in query.aggregates):
            query.ambiguous = False
            query.tree = Grouped(List([], least=0), List([Expr("int8", "count(*)"), Expr("int8", "count(%s)" % a.ref)]),
                                 source, where, Opt(), Opt(), Opt(), [""])
        return query

    def shape_setop(self, query):
        rng = self.rng
        first, second = self.table(), self.rng.choice(self.tables)
        query.relations = 2
        kind = self.maker(self.leaves(first, "")).kind("int4", "int8", "text", "date", "bool")
        word = rng.choice([" UNION ALL ", " UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT "])
        sides = []
        for table in (first, second):
            maker = self.maker(self.leaves(table, ""), fail=False)
            sides.append(Seq("SELECT ", maker.make(kind, 1, True), " AS x FROM " + table.name, self.where(maker)))
        tree = Seq(sides[0], word, sides[1])
        if rng.random() < 0.4:
            tree = Seq("SELECT x, count(*) FROM (", tree, ") s GROUP BY x")
        query.tree = tree
        return query

    def shape_exists(self, query):
        rng = self.rng
        first, second, left, right = self._two()
        query.relations = 2
        if first.rows * second.rows > 100000:
            return self.shape_group(query)
        inner = self.maker(right + left, fail=False, host=0.02)
        sub = Seq("SELECT 1 FROM %s q" % second.name, Opt(" WHERE ", List([inner.conjunct(1) for _ in range(rng.choice([1, 2]))], " AND ")))
        test = Expr("bool", rng.choice(["", "NOT "]), "EXISTS (", sub, ")")
        maker = self.maker(left, fail=False)
        query.tree = self.grouped(maker, Seq(first.name + " p"), query,
                                  Opt(" WHERE ", List([test, maker.conjunct(1)], rng.choice([" AND ", " OR "]))))
        return query

    def shape_scalar(self, query):
        """Subqueries that are computed once, and become parameters."""
        rng = self.rng
        first, second, left, right = self._two()
        query.relations = 2
        here = sorted({leaf.kind for leaf in left + right} & set(KINDS) - {"bpchar", "bool", "bytea", "uuid"})
        kind = rng.choice(here or ["int4"])
        maker = self.maker(left, fail=False)
        inner = self.maker(right, fail=False)
        agg = rng.choice(["min", "max"])
        sub = Expr(kind, "(SELECT %s(" % agg, inner.make(kind, 0), ") FROM %s q" % second.name, self.where(inner, 0.3), ")")
        if kind == "numeric":
            sub = Expr(kind, "(SELECT count(*) FROM %s q" % second.name, self.where(inner, 0.7), ")")
        test = Expr("bool", "(", maker.make(kind, 1, True), rng.choice([" = ", " <= ", " > "]), sub, ")")
        query.tree = self.grouped(maker, Seq(first.name + " p"), query, Opt(" WHERE ", List([test, maker.conjunct(1)], " AND ")))
        return query

    def shape_lateral(self, query):
        """The same node again and again, with other parameters each time."""
        rng = self.rng
        table = self.table()
        query.relations = 2
        leaves = self.leaves(table, "")
        kinds = sorted({leaf.kind for leaf in leaves} & set(KINDS) - {"bool"}) or ["int4"]
        kind = rng.choice(kinds)
        maker = self.maker(leaves, fail=False)
        values = [render(maker.literal(kind)) for _ in range(rng.choice([1, 2, 4]))] + (["NULL"] if rng.random() < 0.3 else [])
        values[0] = "(%s)::%s" % (values[0], kind)
        outer = Expr(kind, "v.x")
        test = Expr("bool", "(", maker.make(kind, 1, True), rng.choice([" = ", " <= ", " > ", " <> "]), outer, ")")
        if kind in ("text", "bpchar"):
            test = Expr("bool", "(", maker.make(kind, 0), rng.choice([" = ", " <> "]), outer, ")")
        where = Opt(" WHERE ", List([test, *([maker.conjunct(1)] if rng.random() < 0.4 else [])], " AND "))
        values_list = List(["(%s)" % v for v in values])
        if rng.random() < 0.5:
            aggs = List([self.output(maker, query) for _ in range(rng.choice([1, 2]))])
            for i, part in enumerate(aggs.parts):
                aggs.parts[i] = Seq(part, " AS y%d" % i)
            inner = Seq("SELECT ", aggs, " FROM " + table.name, where)
        else:
            tree = self.grouped(maker, table.name, query, where, nkeys=rng.choice([0, 1, 2]))
            tree.parts[6] = Opt()
            inner = tree
            query.ordered = "set"
            query.tree = Seq("SELECT v.x, s::text FROM (VALUES ", values_list, ") v(x), LATERAL (", inner, ") s")
            return query
        query.tree = Seq("SELECT v.x, s.* FROM (VALUES ", values_list, ") v(x), LATERAL (", inner, ") s")
        return query

    def shape_function(self, query):
        """A query in an SQL function, called for several arguments."""
        rng = self.rng
        table = self.table()
        query.relations = 2
        leaves = self.leaves(table, "")
        kind = rng.choice(sorted({leaf.kind for leaf in leaves} & {"int2", "int4", "int8", "text", "date"}) or ["int4"])
        maker = self.maker(leaves, fail=False)
        test = Expr("bool", "(", maker.make(kind, 1, True), rng.choice([" = ", " <> "]), Expr(kind, "$1"), ")")
        body = Seq("SELECT ", self.aggregate_of_int(maker), " FROM " + table.name,
                   Opt(" WHERE ", List([test, *([maker.conjunct(1)] if rng.random() < 0.4 else [])], " AND ")))
        values = [render(maker.literal(kind)) for _ in range(3)]
        # the definition goes with the query: two statements in one tree
        query.tree = Seq(body)
        query.types = [kind]
        query.wrapped = "CREATE FUNCTION f(%s) RETURNS int8 %s LANGUAGE %s" % (
            kind, rng.choice(["STABLE", "VOLATILE"]), rng.choice(["sql", "plpgsql"]))
        query.calls = values
        return FunctionQuery.of(query)

    def aggregate_of_int(self, maker):
        rng = self.rng
        if rng.random() < 0.5:
            return Expr("int8", "count(*)")
        return Expr("int8", rng.choice(["sum(", "count(", "min("]), maker.make("int4", 1, True), ")::int8")

    def shape_view(self, query):
        """Conditions in two levels; a security barrier between them sets their order."""
        rng = self.rng
        table = self.table()
        leaves = self.leaves(table, "")
        below = Seq("SELECT * FROM " + table.name, self.where(self.maker(leaves), 1.0))
        main = self.grouped(self.maker(leaves), Seq("v"), query, nkeys=rng.choice([0, 1, 2]))
        query.tree = Seq(below, main)
        query.ordered = "set"
        query.wrapped = "CREATE VIEW v" + (" WITH (security_barrier)" if rng.random() < 0.7 else "")
        return ViewQuery.of(query)

    def shape_sets(self, query):
        """Grouping sets: ours to scan for, not to group."""
        rng = self.rng
        table = self.table()
        maker = self.maker(self.leaves(table, ""), fail=False)
        columns = [leaf.ref for leaf in maker.leaves if leaf.kind in KINDS and not leaf.column.two_faced and not leaf.column.serial]
        if len(columns) < 2:
            return self.shape_group(query)
        keys = rng.sample(columns, 2)
        query.tree = Seq("SELECT %s, " % ", ".join(keys), self.aggregate_of_int(maker), " FROM " + table.name,
                         self.where(maker, 1.0), " GROUP BY %s" % rng.choice(
                             ["ROLLUP (%s)", "CUBE (%s)", "GROUPING SETS ((%s), ())"]) % ", ".join(keys))
        return query

    def shape_window(self, query):
        rng = self.rng
        table = self.table()
        maker = self.maker(self.leaves(table, ""), fail=False)
        kind = maker.kind("int4", "date", "text", "int8")
        key = maker.leaf(kind)
        query.tree = Seq("SELECT ", key, ", count(*) OVER (PARTITION BY ", key, "), rank() OVER (ORDER BY ", key, ") FROM ",
                         table.name, self.where(maker, 1.0))
        return query

    def shape_distinct(self, query):
        table = self.table()
        maker = self.maker(self.leaves(table, ""), fail=False)
        query.tree, two_faced = self.select(maker, table.name, False)
        query.tree.parts[5] = "SELECT DISTINCT "
        query.tree.parts[3] = query.tree.parts[4] = Opt()
        query.ambiguous = two_faced
        if two_faced:
            # as in grouped: money makes PostgreSQL sort
            items = query.tree.parts[0].parts
            items[:] = [item for item in items if item.type != "money"] or [Expr("int4", "1")]
        return query

    def shape_changing(self, query):
        """What writes: our nodes stay away from its target, or feed it."""
        rng = self.rng
        table = self.table()
        maker = self.maker(self.leaves(table, ""), fail=False)
        if not table.columns or table.locked:
            return self.shape_group(query)
        column = rng.choice(table.columns)
        what = rng.random()
        if what < 0.3:
            query.tree = Seq("DELETE FROM " + table.name, self.where(maker, 1.0), " RETURNING *")
        elif what < 0.6:
            query.tree = Seq("UPDATE %s SET %s = %s" % (table.name, column.name, rng.choice(column.pool)),
                             self.where(maker, 1.0), " RETURNING *")
        elif what < 0.8:
            query.tree = Seq("INSERT INTO %s SELECT * FROM %s" % (table.name, table.name), self.where(maker, 1.0),
                             " RETURNING *")
        else:
            query.tree = Seq("SELECT * FROM " + table.name, self.where(maker, 1.0), rng.choice([" FOR UPDATE", " FOR SHARE"]))
        return query

    def shape_row(self, query):
        """Whole rows."""
        table = self.table()
        maker = self.maker(self.leaves(table, ""))
        what = self.rng.choice(["*", "t", "t, t.*", "(t).*", "to_jsonb(t)", ""])
        query.tree = Seq("SELECT %s FROM %s t" % (what, table.name), self.where(maker, 1.0))
        query.ordered = "set" if table.indexed else "table"
        return query

    def shape_system(self, query):
        """System columns, and the table as it lies."""
        table = self.table()
        leaves = self.leaves(table, "")
        maker = self.maker(leaves)
        columns = self.rng.sample(["ctid", "tableoid::regclass", "xmin IS NULL", "cmax IS NULL"], 2)
        query.tree = Seq("SELECT ", List(columns), " FROM " + table.name, self.where(maker, 1.0),
                         Opt(self.rng.choice(["", " AND ctid > '(0,3)'", " AND ctid = '(0,1)'"])))
        query.ordered = "set" if table.indexed else "table"
        if "ctid >" in render(query.tree) or "ctid =" in render(query.tree):
            query.ordered = "set"
        return query


class ViewQuery(Query):
    """tree: a Seq of a view's query, and of the query over the view v."""

    @classmethod
    def of(cls, query):
        other = cls(None)
        other.__dict__.update(query.__dict__)
        return other

    def changed(self, tree=None, executes=None, fetches=None):
        return ViewQuery.of(Query.changed(self, tree))

    def before_explain(self):
        return [self.wrapped + " AS " + render(self.tree.parts[0])]

    def statements(self):
        return self.before_explain() + [self.explained()]

    def explained(self):
        return render(self.tree.parts[1])

    def order(self):
        return "set"


class FunctionQuery(Query):
    """The query as the body of a function f, which is called."""

    @classmethod
    def of(cls, query):
        other = cls(None)
        other.__dict__.update(query.__dict__)
        return other

    def changed(self, tree=None, executes=None, fetches=None):
        return FunctionQuery.of(Query.changed(self, tree))

    def statements(self):
        body = render(self.tree)
        text = "BEGIN RETURN (%s); END" % body if self.wrapped.endswith("plpgsql") else body
        return [self.wrapped + " AS $body$" + text + "$body$",
                "SELECT x, f(x) FROM (VALUES %s) v(x)" % ", ".join("(%s)" % value for value in self.calls)]

    def before_explain(self):
        return ["PREPARE q (%s) AS %s" % (self.types[0], render(self.tree))]

    def explained(self):
        return "EXECUTE q(%s)" % self.calls[0]


def data_literal(rng, kind):
    text = data.value(rng, schema.Column("", kind), False)
    return "%s::%s" % (text, kind)
