"""What is handed to the writing thread, and how whoever handed it in learns what became of it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import duckdb

from server.storage.database import LogUnusable
from server.storage.layout import Table

T = TypeVar("T")


class LogUnavailable(Exception):
    """The rows are not known to be committed: the caller may try again."""


@dataclass
class Task:
    """What is handed in: it is done when it is committed, or has failed.

    Whoever handed it in waits, or is notified, on the writing thread and so briefly.
    """

    notify: Callable[[], None] | None = field(default=None, kw_only=True)
    # Whether the writing thread is at it.
    begun: threading.Event = field(default_factory=threading.Event, kw_only=True)
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


@dataclass(frozen=True)
class Part:
    """Rows of one table."""

    table: Table
    n_rows: int
    # A few rows as JSON, many as columns.
    texts: list[str] | None
    columns: Mapping[str, Any]


@dataclass
class Entry(Task):
    """Rows that are to be stored, all or none."""

    # Those that are answered.
    n_rows: int
    parts: Sequence[Part]
    # The row of the answer to these, where it is kept.
    kept: tuple[Any, ...] | None


@dataclass
class Change(Task, Generic[T]):
    """Work on the database that the writing thread does."""

    work: Callable[[], T]
    result: T = field(init=False)
