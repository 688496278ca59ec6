"""What is handed to the writing thread, and how whoever handed it in learns what became of it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from server.storage.database import LogUnusable


class LogUnavailable(Exception):
    """The rows are not known to be committed: the caller may try again."""


@dataclass
class Task:
    """What is handed in: it is done when it is committed, or has failed.

    Whoever handed it in waits, or is notified, on the writing thread and so briefly.
    """

    notify: Callable[[], None] | None = field(default=None, kw_only=True)
    done: threading.Event = field(default_factory=threading.Event, kw_only=True)
    failure: Exception | None = field(default=None, kw_only=True)

    def finish(self) -> None:
        """Tell whoever handed it in."""
        self.done.set()
        if self.notify:
            self.notify()

    def check(self) -> None:
        """Raise what went wrong, if it is done and something did."""
        if isinstance(self.failure, duckdb.Error | LogUnusable):
            raise LogUnavailable("the prediction log cannot be written") from self.failure
        if self.failure:
            raise self.failure


@dataclass
class Entry(Task):
    """Rows that are to be stored, all or none."""

    n_rows: int
    # A few rows as rows, many as columns.
    rows: list[tuple[Any, ...]] | None
    columns: Mapping[str, Any]
    # The row of the answer to these, where it is kept.
    kept: tuple[Any, ...] | None


@dataclass
class Change(Task):
    """Work on the database, in a transaction of its own."""

    work: Callable[[duckdb.DuckDBPyConnection], Any]
    result: Any = None
