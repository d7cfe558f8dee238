"""A failing case made small: settings, query, rows, columns, what happened before.

Whatever still differs is kept. A difference of any kind will do, but for a
crash, which has to stay one.
"""

import time

from case import Create, Rows
from pg import Failed, Lost
from query import Query
from session import REFERENCE
from tree import simpler


class Reducer:
    def __init__(self, session, case, kind, seconds=60, recover=None, say=lambda text: None):
        self.session = session
        self.case = case
        self.kind = kind
        self.end = time.monotonic() + seconds
        self.recover = recover
        self.say = say
        self.tries = 0

    def over(self):
        return time.monotonic() > self.end

    def _fails(self, case, rebuild):
        """Does it still differ?"""
        self.tries += 1
        try:
            if rebuild:
                self.session.build(case)
            difference = self.session.differs(case)[0]
            if not (difference and difference.kind == "crash"):
                self.session.end()
        except Failed:
            self.session.connection.run("ROLLBACK")
            return False
        except Lost as lost:
            difference = None
            if self.kind == "crash":
                self.recover()
                return True
            raise lost
        if difference and difference.kind == "crash":
            self.recover()
            if self.kind != "crash":
                return False
            if not rebuild:
                self.session.build(case)
            return True
        return difference is not None and self.kind != "crash"

    def _try(self, case, rebuild):
        if self.over() or not self._fails(case, rebuild):
            return False
        self.case = case
        return True

    # --- the parts --------------------------------------------------------

    def settings(self):
        for name in list(self.case.settings):
            if name in ("gpuscan.enabled", "gpuscan.require"):
                continue
            chosen = dict(self.case.settings)
            usual = REFERENCE.get(name)
            if usual == chosen[name]:
                continue
            if usual is None:
                del chosen[name]
            else:
                chosen[name] = usual
            self._try(self.case.changed(settings=chosen), False)

    def query(self):
        query = self.case.query
        if query.tree is None:
            return
        for name in ("executes", "fetches"):
            i = 0
            while i < len(getattr(self.case.query, name)) and len(getattr(self.case.query, name)) > 1:
                left = list(getattr(self.case.query, name))
                del left[i]
                if not self._try(self.case.changed(query=self.case.query.changed(**{name: left})), False):
                    i += 1
        if type(query) is Query and (query.executes or query.fetches):
            plain = self.case.query.changed(executes=[], fetches=[])
            plain.executes, plain.fetches = [], []
            self._try(self.case.changed(query=plain), False)
        progress = True
        while progress and not self.over():
            progress = False
            for tree in simpler(self.case.query.tree):
                if self.over():
                    return
                if self._try(self.case.changed(query=self.case.query.changed(tree=tree)), False):
                    progress = True
                    break

    def own(self):
        i = 0
        while i < len(self.case.own):
            if not self._try(self.case.changed(own=self.case.own[:i] + self.case.own[i + 1:]), False):
                i += 1

    def steps(self):
        for i in reversed(range(len(self.case.steps))):
            if i < len(self.case.steps):
                self._try(self.case.changed(steps=self.case.steps[:i] + self.case.steps[i + 1:]), True)

    def rows(self):
        for i, step in enumerate(self.case.steps):
            if not isinstance(step, Rows):
                continue
            chunk = max(len(step.rows) // 2, 1)
            while chunk >= 1 and not self.over():
                start = 0
                while start < len(self.case.steps[i].rows) and not self.over():
                    rows = self.case.steps[i].rows
                    left = rows[:start] + rows[start + chunk:]
                    steps = list(self.case.steps)
                    steps[i] = Rows(step.table, step.names, left)
                    if not left or not self._try(self.case.changed(steps=steps), True):
                        start += chunk
                chunk //= 2

    def columns(self):
        for create in [step for step in self.case.steps if isinstance(step, Create)]:
            for name in [name for name, _ in create.columns]:
                steps = []
                for step in self.case.steps:
                    if isinstance(step, Create) and step.table == create.table:
                        step = Create(step.table, [c for c in step.columns if c[0] != name], step.before, step.after)
                    elif isinstance(step, Rows) and step.table == create.table and name in step.names:
                        at = step.names.index(name)
                        step = Rows(step.table, step.names[:at] + step.names[at + 1:],
                                    [row[:at] + row[at + 1:] for row in step.rows])
                    steps.append(step)
                self._try(self.case.changed(steps=steps), True)

    def run(self):
        """The smaller case. It may need its tables made again: what differs on a
        table with a past may not differ on a new one, and then only the query shrinks."""
        self.settings()
        self.query()
        if self._fails(self.case, True):
            self.own()
            self.steps()
            self.rows()
            self.columns()
            self.steps()
            self.query()
            self.rows()
        self.say("reduced in %d tries" % self.tries)
        return self.case
