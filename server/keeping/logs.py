"""What keeping needs of a log, whether a server or a command has it open."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import duckdb

from server.storage.layout import find_views

T = TypeVar("T")


class Log(Protocol):
    """A log that is open; server.prediction_log.PredictionLog is one."""

    path: Path

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one reader."""

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction of its own."""


class StoppedLog:
    """The log of a server that is stopped, open in this process."""

    def __init__(self, database: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.path = path
        self._database = database
        self._writer = database.cursor()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one reader."""
        return self._database.cursor()

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction of its own."""
        self._writer.begin()
        try:
            result = work(self._writer)
            self._writer.commit()
        except BaseException:
            self._writer.rollback()
            raise
        return result


def stored_tables(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables that hold predictions."""
    return [view.name.replace("predictions_", "stored_") for view in find_views(cursor)]


def shadow_tables(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables that hold what was answered to nobody; none in a log of before."""
    return [view.name.replace("shadow_", "shadowed_") for view in find_views(cursor, "shadow")]


def checkpoint(writer: duckdb.DuckDBPyConnection) -> None:
    """Write all into the one file; what was removed is free after it, unless it is still read."""
    # The only time that what is left of groups of rows is put together.
    writer.execute("SET max_vacuum_tasks = 100")
    try:
        writer.execute("CHECKPOINT")
    finally:
        writer.execute("SET max_vacuum_tasks = 0")
