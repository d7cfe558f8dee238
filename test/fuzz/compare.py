"""Are two answers the same?

To the last character: rows as a multiset (as a sequence where the order is
decided), names, types and typmods of the columns, SQLSTATE and message of an
error. Where PostgreSQL itself leaves the answer open, a rule says so by name;
there is no tolerance beside the rules, and the report counts how often each
was needed.
"""

import re
from collections import Counter

from tree import render

# Rules: name -> why PostgreSQL's own answer is open there.
RULES = {
    "relations": "A query over several relations: a planner may read them, and run their conditions, in another "
                 "order, so which row fails first, and whether a failing row is met before the plan knows that it "
                 "is not needed, depends on the plan.",
    "groups": "An error raised above groups (HAVING, or an expression over aggregates): a hash table hands out its "
              "groups in no order, so which group fails first is open. Both sides must fail.",
    "parallel": "Which of the processes that share a table meets a failing row first, and of which the error is heard, "
                "is open, and so is whether the row is met at all before a LIMIT above has enough. Both sides must fail, "
                "or there is a LIMIT.",
    "settings": "Which row fails first depends on the plan also without us: a sort evaluates arguments in the order of "
                "the groups, a hash table that spills evaluates those of rows on disk later, a custom plan folds what "
                "a generic one meets row by row or never. Accepted only if PostgreSQL alone gives the same error, or "
                "the same absence of one, under the settings of our run.",
    "sorted": "Where an aggregate has DISTINCT or ORDER BY, PostgreSQL sorts the rows by their groups and evaluates arguments "
              "in that order. Both sides must fail; or PostgreSQL, which needs no later group for a LIMIT, must give the "
              "same error for the query without it.",
}


# an aggregate with DISTINCT or ORDER BY
SORTED = re.compile(r"\(DISTINCT |WITHIN GROUP|_agg\(.* ORDER BY ")


class Answer:
    """What one side answered to the statements of a query: results up to the
    first error."""

    def __init__(self, results=(), error=None, detail=None, lost=None):
        self.results = list(results)
        self.error = error          # (SQLSTATE, message)
        self.detail = detail
        self.lost = lost            # the connection's last words
        self.warnings = []          # of leaked buffers, for one

    def text(self, limit=12):
        lines = []
        for result in self.results:
            if not result.columns:
                continue
            lines.append("(%s)" % ", ".join("%s:%d:%d" % column for column in result.columns))
            for row in result.rows[:limit]:
                lines.append(" | ".join("NULL" if value is None else value if len(value) < 200 else
                                        "%s... (%d)" % (value[:60], len(value)) for value in row))
            if len(result.rows) > limit:
                lines.append("... %d rows" % len(result.rows))
        if self.error:
            lines.append("ERROR %s: %s" % self.error)
        if self.lost:
            lines.append("CONNECTION LOST: %s" % self.lost)
        return "\n".join(lines)


class Difference:
    def __init__(self, kind, text):
        self.kind = kind        # rows, order, columns, error, explain, warning, crash, timeout
        self.text = text


def _rows(expected, got, order):
    if expected.columns != got.columns:
        return Difference("columns", "columns %s, ours %s" % (expected.columns, got.columns))
    if expected.rows == got.rows:
        return None
    missing = Counter(expected.rows)
    missing.subtract(got.rows)
    ours = [row for row, n in missing.items() if n < 0]
    theirs = [row for row, n in missing.items() if n > 0]
    if ours or theirs:
        return Difference("rows", "%d rows, ours %d; only PostgreSQL: %s; only gpuscan: %s" % (
            len(expected.rows), len(got.rows), str(theirs[:3])[:500], str(ours[:3])[:500]))
    if order == "sequence":
        return Difference("order", "the same rows in another order")
    return None


def compare(expected, got, order):
    """A Difference, or None. order: 'sequence' or 'set'."""
    if got.lost:
        return Difference("crash", got.lost)
    if got.error and got.error[0] == "57014" and not expected.error:
        return Difference("timeout", got.error[1])
    if expected.error != got.error:
        return Difference("error", "%s, ours %s" % (expected.error, got.error))
    if len(expected.results) != len(got.results):
        return Difference("rows", "%d results, ours %d" % (len(expected.results), len(got.results)))
    for one, other in zip(expected.results, got.results):
        difference = _rows(one, other, order)
        if difference:
            return difference
    if expected.warnings != got.warnings:
        return Difference("warning", "%s, ours %s" % (expected.warnings, got.warnings))
    return None


def rule(query, expected, got, parallel, again):
    """The name of the rule that leaves this difference open, or None.
    parallel: our run could share tables out among processes. again(limit=True, **settings): PostgreSQL's own answer
    under the settings of our run, and these; of the query without its LIMIT."""
    if query.tree is None or not (expected.error or got.error):
        return None
    if query.relations > 1:
        return "relations"
    if expected.error and got.error and query.fails_above:
        return "groups"
    if parallel and (expected.error and got.error or " LIMIT " in render(query.tree)):
        return "parallel"
    for mode in ({}, {"plan_cache_mode": "force_generic_plan"}, {"plan_cache_mode": "force_custom_plan"}):
        if mode and not query.executes:
            break
        if compare(again(**mode), got, query.order()) is None:
            return "settings"
    if SORTED.search(render(query.tree)) and \
            (expected.error and got.error or " LIMIT " in render(query.tree) and again(limit=False).error == got.error):
        return "sorted"
    return None
