"""Making a case's tables, and asking its question twice."""

import re
import time

import compare
from compare import Answer
from pg import Failed, Lost

# PostgreSQL's own answer: a sequential scan in the order of the table, groups by
# hash table in one piece, so that what is seen first is what lies first.
REFERENCE = {
    "gpuscan.enabled": "off",
    "max_parallel_workers_per_gather": "0",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
    "enable_tidscan": "off",
    "enable_sort": "off",
    "work_mem": "256MB",
    "hash_mem_multiplier": "2",
    "jit": "off",
    "synchronize_seqscans": "off",
}


# Of our run and of PostgreSQL's alike: what an answer says depends on them, and
# with the kind of plan, where arguments are folded.
SHARED = ("plan_cache_mode", "TimeZone", "DateStyle")


def reference(chosen):
    """PostgreSQL's settings beside those of a run."""
    return dict(REFERENCE, **{name: chosen[name] for name in SHARED if name in chosen})


# Shapes of which the answer does not depend on which process meets a row first.
PARALLEL = ("scan", "group", "total", "distinct", "sets", "prepared")


class Server:
    """What there is to make use of."""

    def __init__(self, connection):
        value = connection.value
        self.database = value("SELECT current_database()")
        self.prepared = int(value("SHOW max_prepared_transactions")) > 0
        self.lz4 = connection.run("SET default_toast_compression = lz4").error is None
        connection.run("RESET default_toast_compression")
        here = [row[0] for row in connection.must(
            "SELECT collname FROM pg_collation WHERE collname IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8', 'en-x-icu', 'en_US.utf8') "
            "AND collnamespace = 'pg_catalog'::regnamespace ORDER BY 1").rows]
        self.collations = here
        self.library = connection.run("SHOW gpuscan.cpu_level").error is None
        self.assertions = value("SHOW debug_assertions") == "on"


def settings(rng, query):
    """Of the run with gpuscan."""
    chosen = dict(REFERENCE)
    chosen["gpuscan.enabled"] = "on"
    chosen["gpuscan.require"] = rng.choice(["require", "require", "require", "allow"])
    chosen["gpuscan.cpu_level"] = rng.choice(["auto", "base", "avx2", "avx512"])
    chosen["work_mem"] = rng.choice(["64kB", "64kB", "256kB", "4MB", "64MB"])
    chosen["hash_mem_multiplier"] = rng.choice(["1", "2"])
    chosen["plan_cache_mode"] = rng.choice(["auto", "force_generic_plan", "force_custom_plan"])
    if rng.random() < 0.3:
        chosen["TimeZone"] = rng.choice(["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"])
        chosen["DateStyle"] = rng.choice(["ISO, DMY", "SQL, MDY", "German"])
    if not query.ambiguous:
        chosen["enable_sort"] = rng.choice(["on", "off"])
        chosen["enable_hashagg"] = rng.choice(["on", "on", "off"])
        if query.ordered != "table" and query.shape in PARALLEL and rng.random() < 0.25:
            chosen.update({"max_parallel_workers_per_gather": "2", "parallel_setup_cost": "0", "parallel_tuple_cost": "0",
                           "min_parallel_table_scan_size": "0",
                           "parallel_leader_participation": rng.choice(["on", "on", "off"])})
    if chosen["gpuscan.require"] == "allow":
        # by cost, which for small tables speaks against us
        chosen.update({"gpuscan.startup_cost": "0", "gpuscan.tuple_cost": "0", "gpuscan.attribute_cost": "0",
                       "gpuscan.operator_cost": "0", "gpuscan.page_cost": "0"})
        if rng.random() < 0.3:
            for name in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"):
                chosen[name] = "on"
    for name in ("enable_material", "enable_nestloop", "enable_hashjoin", "enable_mergejoin", "enable_memoize"):
        if rng.random() < 0.1:
            chosen[name] = "off"
    return chosen


class Session:
    def __init__(self, connection, server, without_library=False):
        self.connection = connection
        self.server = server
        self.without_library = without_library

    def prepare_session(self):
        must = self.connection.must
        must("SET client_min_messages = warning")
        must("SET statement_timeout = '20s'")
        must("SET lock_timeout = '2s'")
        must("SET extra_float_digits = 1")

    def clean(self):
        """Leave nothing of an earlier case."""
        connection = self.connection
        connection.run("ROLLBACK")
        for row in connection.must("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()").rows:
            connection.run("ROLLBACK PREPARED '%s'" % row[0])
        connection.must("DISCARD ALL")
        self.prepare_session()
        connection.must("DROP SCHEMA IF EXISTS fuzz CASCADE")
        connection.must("CREATE SCHEMA fuzz")
        connection.must("SET search_path = fuzz, public")

    def build(self, case):
        """Make the tables. Whatever cannot be made is an error of the generator,
        but for a prepared transaction, of which there may be too many."""
        self.clean()
        for step in case.steps:
            statements = step.statements()
            for statement in statements:
                result = self.connection.run(statement)
                if result.error:
                    self.connection.run("ROLLBACK")
                    if statement.startswith("PREPARE TRANSACTION") or result.error[0] == "55P03":
                        break
                    raise Failed("%s: %s\n%s" % (*result.error, statement[:300]))

    def begin(self, case):
        self.connection.must("BEGIN ISOLATION LEVEL " + case.isolation)
        for statement in case.own:
            self.connection.must("SAVEPOINT o")
            result = self.connection.run(statement)
            if result.error:
                self.connection.must("ROLLBACK TO o")
            self.connection.must("RELEASE o")
        self.connection.must("SAVEPOINT s")

    def end(self):
        self.connection.must("ROLLBACK")
        self.connection.must("DEALLOCATE ALL")

    def _set(self, chosen):
        todo = chosen
        if self.without_library:
            todo = {name: value for name, value in chosen.items() if not name.startswith("gpuscan.")}
        self.connection.must("; ".join("SET LOCAL %s = '%s'" % item for item in todo.items()))

    def ask(self, statements, chosen):
        """An Answer, within the transaction that begin() opened."""
        answer = Answer()
        try:
            self._set(chosen)
            self.connection.notices.clear()
            for statement in statements:
                result = self.connection.run(statement)
                if result.error:
                    answer.error, answer.detail = result.error, result.detail
                    break
                answer.results.append(result)
            self.connection.must("ROLLBACK TO s")
            self.connection.must("DEALLOCATE ALL")
            answer.warnings = sorted(self.connection.notices)
        except Lost as lost:
            answer.lost = str(lost)
        return answer

    def explain(self, case, chosen, analyze=True):
        """(text of EXPLAIN, error): one of them is None."""
        self._set(dict(chosen, **{"gpuscan.explain_refusals": "on"}))
        text = None
        for statement in case.query.before_explain():
            result = self.connection.run(statement)
            if result.error:
                break
        else:
            result = self.connection.run("EXPLAIN (%sVERBOSE, COSTS OFF, FORMAT JSON) %s" % (
                "ANALYZE, TIMING OFF, SUMMARY OFF, " if analyze else "", case.query.explained()))
            if result.error is None:
                text = result.rows[0][0]
        self.connection.must("ROLLBACK TO s")
        self.connection.must("DEALLOCATE ALL")
        return text, result.error

    def differs(self, case, within=20.0):
        """(Difference or None, expected, got, rule): the heart of the matter, for
        tables that are there. The transaction is open only inside of it."""
        query = case.query
        self.begin(case)
        start = time.monotonic()
        expected = self.ask(query.statements(), reference(case.settings))
        took = time.monotonic() - start
        if expected.lost:
            return None, expected, expected, None
        got = self.ask(query.statements(), case.settings)
        if is_refusal(got) and case.settings["gpuscan.require"] == "require":
            refused = got
            case.settings = dict(case.settings, **{"gpuscan.require": "allow"})
            got = self.ask(query.statements(), case.settings)
            got.refused = refused.detail
        difference = compare.compare(expected, got, query.order())
        name = None
        if difference and difference.kind == "crash":
            return difference, expected, got, None
        if expected.error and expected.error[0] == "57014" or difference and difference.kind == "timeout" and took > within / 10:
            difference, name = None, "timeout"
        elif difference:
            def again(limit=True, **changes):
                changes = dict({"gpuscan.enabled": "off", "gpuscan.require": "allow"}, **changes)
                statements = query.statements()
                if not limit:
                    statements = [re.sub(r" LIMIT \d+", "", text) for text in statements]
                return self.ask(statements, dict(case.settings, **changes))
            name = compare.rule(query, expected, got, case.settings["max_parallel_workers_per_gather"] != "0", again)
            if name:
                difference = None
        got.plan = None
        if difference is None and not self.without_library:
            try:
                got.plan, error = self.explain(case, case.settings, analyze=not expected.error)
                if error and not expected.error and name is None and not query.fetches and \
                        error != self.explain(case, dict(case.settings, **{"gpuscan.enabled": "off", "gpuscan.require": "allow"}), analyze=True)[1]:
                    # (a cursor need not come to the row that fails, and of a statement that
                    # is prepared anew PostgreSQL makes a plan for the last parameters)
                    difference = compare.Difference("explain", "EXPLAIN ANALYZE: %s: %s" % error)
            except Lost as lost:
                difference = compare.Difference("crash", "during EXPLAIN: %s" % lost)
        return difference, expected, got, name


def is_refusal(answer):
    """gpuscan.require: no node of ours in the plan."""
    return answer.error is not None and answer.error[0] == "0A000" and answer.error[1].startswith("gpuscan does not scan")
