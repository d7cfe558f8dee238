"""libpq by ctypes: statements in; rows, column types and SQLSTATEs out."""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import time


def _load():
    names = [os.environ.get("LIBPQ"), "libpq.so.5"]
    config = os.environ.get("PG_CONFIG") or shutil.which("pg_config")
    if config:
        try:
            directory = subprocess.run([config, "--libdir"], capture_output=True, text=True).stdout.strip()
            names.append(os.path.join(directory, "libpq.so.5"))
        except OSError:
            pass
    names.append(ctypes.util.find_library("pq"))
    for name in filter(None, names):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise SystemExit("libpq.so.5 cannot be found: set LIBPQ=/path/to/libpq.so.5")


_lib = _load()
_p, _i, _s = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
for _name, _result, _args in (
        ("PQconnectdb", _p, [_s]), ("PQstatus", _i, [_p]), ("PQerrorMessage", _s, [_p]),
        ("PQfinish", None, [_p]), ("PQexec", _p, [_p, _s]), ("PQclear", None, [_p]),
        ("PQresultStatus", _i, [_p]), ("PQresultErrorField", _s, [_p, _i]),
        ("PQntuples", _i, [_p]), ("PQnfields", _i, [_p]), ("PQfname", _s, [_p, _i]),
        ("PQftype", ctypes.c_uint, [_p, _i]), ("PQfmod", _i, [_p, _i]),
        ("PQgetvalue", _s, [_p, _i, _i]), ("PQgetisnull", _i, [_p, _i, _i]),
        ("PQcmdStatus", _s, [_p]), ("PQparameterStatus", _s, [_p, _s]),
        ("PQsetNoticeProcessor", _p, [_p, _p, _p])):
    _f = getattr(_lib, _name)
    _f.restype, _f.argtypes = _result, _args

NOTICE = ctypes.CFUNCTYPE(None, _p, _s)

COMMAND_OK, TUPLES_OK = 1, 2


class Lost(Exception):
    """The connection is gone: the server crashed, or ended our session."""


class Failed(Exception):
    """A statement that must work did not."""


class Result:
    """What a statement answered. error: None, or (SQLSTATE, message)."""

    __slots__ = ("error", "detail", "columns", "rows", "command")

    def __init__(self, error=None, detail=None, columns=(), rows=(), command=""):
        self.error = error
        self.detail = detail
        self.columns = columns
        self.rows = rows
        self.command = command


def _text(value):
    return None if value is None else value.decode("utf-8", "backslashreplace")


class Connection:
    def __init__(self, conninfo):
        self.conninfo = conninfo
        self.handle = None
        self.notices = []           # what the server said beside the answers
        self._keep = NOTICE(lambda context, message: self.notices.append(_text(message).strip()))
        self.open()

    def open(self):
        self.handle = _lib.PQconnectdb(self.conninfo.encode())
        if _lib.PQstatus(self.handle) != 0:
            message = _text(_lib.PQerrorMessage(self.handle)).strip()
            self.close()
            raise Lost(message)
        _lib.PQsetNoticeProcessor(self.handle, ctypes.cast(self._keep, _p), None)

    def close(self):
        if self.handle:
            _lib.PQfinish(self.handle)
        self.handle = None

    def reopen(self, seconds=60):
        """Wait for a server that recovers from a crash."""
        self.close()
        end = time.monotonic() + seconds
        while True:
            # the postmaster may not have heard of the crash yet
            time.sleep(0.3)
            try:
                self.open()
                time.sleep(0.3)
                self.must("SELECT 1")
                return
            except Lost:
                self.close()
                if time.monotonic() > end:
                    raise

    def run(self, sql):
        """A statement's Result, its error included."""
        res = _lib.PQexec(self.handle, sql.encode("utf-8"))
        try:
            status = _lib.PQresultStatus(res) if res else -1
            if status in (COMMAND_OK, TUPLES_OK):
                nfields = _lib.PQnfields(res)
                columns = tuple((_text(_lib.PQfname(res, i)), _lib.PQftype(res, i), _lib.PQfmod(res, i))
                                for i in range(nfields))
                value, isnull = _lib.PQgetvalue, _lib.PQgetisnull
                fields = range(nfields)
                rows = [tuple(None if isnull(res, r, f) else _text(value(res, r, f)) for f in fields)
                        for r in range(_lib.PQntuples(res))]
                return Result(columns=columns, rows=rows, command=_text(_lib.PQcmdStatus(res)))
            if _lib.PQstatus(self.handle) != 0 or not res:
                raise Lost(_text(_lib.PQerrorMessage(self.handle)).strip())
            return Result(error=(_text(_lib.PQresultErrorField(res, ord("C"))),
                                 _text(_lib.PQresultErrorField(res, ord("M")))),
                          detail=_text(_lib.PQresultErrorField(res, ord("D"))))
        finally:
            if res:
                _lib.PQclear(res)

    def must(self, sql):
        result = self.run(sql)
        if result.error:
            raise Failed("%s: %s\n%s" % (*result.error, sql[:2000]))
        return result

    def value(self, sql):
        rows = self.must(sql).rows
        return rows[0][0] if rows else None
