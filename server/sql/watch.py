"""End queries that take too long or too much, and say of others what DuckDB says of them."""

import contextlib
import logging
import re
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import Self

import duckdb

from server.sql.guard import SqlRefused
from server.storage.memory import most_bytes

# How often a query is looked after, in seconds.
_LOOK_S = 0.02
_MAX_FILE_BYTES = 2 * 2**30
# DuckDB keeps to its own limit in what it counts; this is for what it does not count.
_MAX_GROWTH_BYTES = 2 * 2**30
_PAGE_BYTES = 4096
_STATM = Path("/proc/self/statm")

_LINE = re.compile(r"\n+LINE (\d+): (.*)\n( *)\^")
# These speak of the statement; others may speak of files.
_TELLING = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
_logger = logging.getLogger(__name__)


class Watch:
    """Interrupts a query once it has run too long, written too much or taken too much memory."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, time_s: float, path: Path | None) -> None:
        self.reason: str | None = None
        self._cursor = cursor
        self._time_s = time_s
        self._path = path
        self._is_over = threading.Event()
        self._began = time.monotonic()
        self._memory = _memory_bytes()
        self._most_bytes = most_bytes(_MAX_GROWTH_BYTES)
        self._thread = threading.Thread(target=self._look, name="sql-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the query alone; returns once it is."""
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        # Again and again: an interrupt between two statements of a query is lost.
        while not self._is_over.wait(_LOOK_S):
            self.reason = self.reason or self._too_much()
            if self.reason:
                self._cursor.interrupt()

    def _too_much(self) -> str | None:
        if time.monotonic() - self._began > self._time_s:
            return f"this took longer than {self._time_s:g} s, SEXTANT_QUERY_TIMEOUT_S"
        if _memory_bytes() - self._memory > self._most_bytes:
            return "this takes too much memory"
        with contextlib.suppress(FileNotFoundError):
            if self._path and self._path.stat().st_size > _MAX_FILE_BYTES:
                return f"this writes more than {_MAX_FILE_BYTES:,} bytes"
        return None


def refused(error: duckdb.Error, sql: str, reason: str | None) -> SqlRefused:
    """Return what to tell of a query that ended with `error`, perhaps for a `reason` of ours."""
    if reason or isinstance(error, duckdb.OutOfMemoryException):
        told = reason or "this takes more memory than there is for queries"
        return SqlRefused(told, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    text = str(error)
    if not isinstance(error, _TELLING):
        _logger.warning("a query failed: %s", text)
        return SqlRefused("DuckDB cannot run this; the server's log says why")
    found = _LINE.search(text)
    position = _position(sql, int(found[1]) - 2, found[2], len(found[3])) if found else None
    return SqlRefused(text[: found.start()] if found else text.strip(), position)


def _position(sql: str, line: int, shown: str, column: int) -> int | None:
    """Return the character that DuckDB marks in `line` of `sql`, of which it shows a part."""
    lines = sql.split("\n")
    if not 0 <= line < len(lines):
        return None
    part = shown.removesuffix("...")
    hidden = 3 if part.startswith("...") else 0
    start = lines[line].find(part[hidden:])
    # The mark stands under the line as shown, after "LINE 2: ".
    at = start + column - len(f"LINE {line + 2}: ") - hidden
    return sum(len(each) + 1 for each in lines[:line]) + at if start >= 0 else None


def _memory_bytes() -> int:
    # The second number: pages in memory, proc(5); elsewhere than on Linux, DuckDB's limit is all.
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
