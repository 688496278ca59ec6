"""Run one checked query: read-only, and within time, memory, rows and disk."""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO

import duckdb

from server.sql.downloads import new_file
from server.sql.formats import Column, copy, json_columns
from server.sql.guard import Query, SqlRefused, check
from server.sql.watch import Watch, refused

# What SQL from users may read.
PUBLISHED = ("predictions", "labels", "judged", "shadow_predictions")
# At once: DuckDB takes every core for one, and predictions want theirs.
MAX_QUERIES = 2
# Rows that are held in memory end here, in characters.
_MAX_TEXT = 64 * 2**20
_MAX_COLUMNS = 1_000


class SqlBusy(Exception):
    """As many queries run as may, or the log is about to be opened anew."""


@dataclass(frozen=True)
class Limits:
    """What one query may use."""

    rows: int
    time_s: float


@dataclass(frozen=True)
class Result:
    """The first rows of a result, each a JSON array; whether there are more; how long it took."""

    columns: list[Column]
    rows: list[str]
    truncated: bool
    elapsed_ms: float


class SqlQueries:
    """Runs queries on cursors of the prediction log, two at a time.

    Parameters
    ----------
    cursor : callable
        Returns a connection of its own for each query.
    folder : Path
        Where downloads are written; DuckDB may write nowhere else.
    """

    def __init__(
        self, cursor: Callable[[], duckdb.DuckDBPyConnection], folder: Path, limits: Limits
    ) -> None:
        self._cursor = cursor
        self._limits = limits
        self._folder = folder
        self._free = threading.BoundedSemaphore(MAX_QUERIES)
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed

    def rows(self, statement: str, given: Mapping[str, str], limit: int) -> Result:
        """Return at most `limit` rows of what `statement` selects.

        Raises
        ------
        SqlRefused
            If it may not run, is wrong, takes too long or too much.
        SqlBusy
            If two others run, or the log is opened anew meanwhile.
        """
        query = _bound(check(statement, PUBLISHED), given)
        limit = min(limit, self._limits.rows)
        began = time.perf_counter()
        with self._reading(query) as cursor:
            columns = _columns(cursor, query, given)
            values = ", ".join(json_columns(columns))
            cursor.execute(
                f"SELECT json_array({values})::VARCHAR {_from(query)} LIMIT {limit + 1}",
                dict(given),
            )
            rows, is_whole = _take(cursor, limit)
        return Result(columns, rows, not is_whole, 1e3 * (time.perf_counter() - began))

    def file(self, statement: str, given: Mapping[str, str], form: str) -> IO[bytes]:
        """Return an open file of all that `statement` selects, as csv, ndjson or parquet.

        The file has no name any more: closing it frees its space.

        Raises
        ------
        SqlRefused
            If it may not run, is wrong, takes too long or too much.
        SqlBusy
            If two others run, or the log is opened anew meanwhile.
        """
        query = _bound(check(statement, PUBLISHED), given)
        most = self._limits.rows
        with new_file(self._folder) as path:
            with self._reading(query, path) as cursor:
                columns = _columns(cursor, query, given)
                cursor.execute(copy(_from(query), columns, form, path, most + 1), dict(given))
                (count,) = cursor.fetchone() or (0,)
            if count > most:
                raise SqlRefused(
                    f"this has more than {most:,} rows, SEXTANT_QUERY_MAX_ROWS: add LIMIT or WHERE",
                    status=HTTPStatus.UNPROCESSABLE_ENTITY,
                )
            return path.open("rb")

    def schema(self, view: str) -> list[Column]:
        """Return the columns of one of the published views."""
        with self._cursor() as cursor:
            return _columns(cursor, Query(f"SELECT * FROM {view}", frozenset()), {})  # noqa: S608  # a name of ours

    def misfit(self, statement: str) -> str | None:
        """Return why `statement` does not fit the columns there are, or None where it does."""
        try:
            query = check(statement, PUBLISHED)
            with self._cursor() as cursor:
                _columns(cursor, query, dict.fromkeys(query.parameters, "0"))
        except SqlRefused as error:
            return error.detail
        except duckdb.Error as error:
            return refused(error, statement, None).detail
        return None

    def parameters(self, statement: str) -> frozenset[str]:
        """Return the names that `statement` wants bound; of one that may not run, none."""
        try:
            return check(statement, PUBLISHED).parameters
        except SqlRefused:
            return frozenset()

    @contextlib.contextmanager
    def _reading(
        self, query: Query, path: Path | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._free.acquire(blocking=False):
            raise SqlBusy(f"{MAX_QUERIES} queries run already: ask again in a moment")
        try:
            with self._cursor() as cursor, Watch(cursor, self._limits.time_s, path) as watch:
                try:
                    cursor.execute("BEGIN TRANSACTION READ ONLY")
                    yield cursor
                except duckdb.Error as error:
                    if isinstance(error, duckdb.InterruptException) and not watch.reason:
                        raise SqlBusy("the log is opened anew: ask again in a moment") from None
                    raise refused(error, query.sql, watch.reason) from None
                finally:
                    watch.stop()
                    with contextlib.suppress(duckdb.Error):
                        cursor.rollback()
        finally:
            self._free.release()


def _bound(query: Query, given: Mapping[str, str]) -> Query:
    if missing := sorted(query.parameters - given.keys()):
        raise SqlRefused(f"${missing[0]} has no value: give {missing[0]}=... with the query")
    if strangers := sorted(given.keys() - query.parameters):
        raise SqlRefused(
            f"{strangers[0]} is given, but ${strangers[0]} stands nowhere in the query"
        )
    return query


def _from(query: Query) -> str:
    # On lines of its own: a comment at its end stays there, and DuckDB counts from the second.
    return f"FROM (\n{query.sql}\n)"


def _columns(
    cursor: duckdb.DuckDBPyConnection, query: Query, given: Mapping[str, str]
) -> list[Column]:
    cursor.execute(f"SELECT * {_from(query)} LIMIT 0", dict(given))
    found = [Column(name, kind) for name, kind, *_ in cursor.description or ()]
    if len(found) > _MAX_COLUMNS:
        raise SqlRefused(f"a result has at most {_MAX_COLUMNS:,} columns")
    return found


def _take(cursor: duckdb.DuckDBPyConnection, limit: int) -> tuple[list[str], bool]:
    rows: list[str] = []
    size = 0
    while row := cursor.fetchone():
        size += len(row[0])
        if len(rows) == limit or size > _MAX_TEXT:
            return rows, False
        rows.append(row[0])
    return rows, True
