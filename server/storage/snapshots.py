"""Read the log as it is at one time, in a transaction that can change nothing."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from server.contract import Contract
from server.storage.fields import Source, find_sources
from server.storage.tasks import LogUnavailable

_logger = logging.getLogger(__name__)


class ReadTooLong(Exception):
    """A reader was stopped because it took too long."""


@dataclass(frozen=True)
class Snapshot:
    """The log as it is at one time, for one reader: what is stored meanwhile is not seen."""

    cursor: duckdb.DuckDBPyConnection
    sources: list[Source]


class Reader:
    """Gives out snapshots of one log.

    Parameters
    ----------
    cursor : callable
        Returns a connection of the caller's own to the open database.
    """

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._cursor = cursor
        self._novelty_names: dict[str, list[str]] = {}
        # With the names they were found with: tables are made when a contract is added only.
        self._found: tuple[Any, list[Source]] = (None, [])

    def add(self, table: str, contract: Contract) -> None:
        """Take a contract that is served from now on, and whose table is made."""
        novelty = contract.novelty
        names = [each.name for each in novelty.columns] if novelty else []
        self._novelty_names = {**self._novelty_names, table: names}

    @contextlib.contextmanager
    def reading(self, timeout_s: float | None = None) -> Iterator[Snapshot]:
        """Yield the log as it is now.

        Raises
        ------
        ReadTooLong
            If it takes more than `timeout_s` seconds.
        LogUnavailable
            If the log cannot be read.
        """
        try:
            names = self._novelty_names
            with self._cursor() as cursor, stopping(cursor, timeout_s):
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                found_with, sources = self._found
                if found_with is not names:
                    sources = find_sources(cursor, names)
                    self._found = (names, sources)
                yield Snapshot(cursor, sources)
        except duckdb.Error as error:
            _logger.error("cannot read the prediction log: %s", error)
            raise LogUnavailable("the prediction log cannot be read") from error


@contextlib.contextmanager
def stopping(cursor: duckdb.DuckDBPyConnection, timeout_s: float | None) -> Iterator[None]:
    """Interrupt what the cursor does once it has taken `timeout_s` seconds.

    Raises
    ------
    ReadTooLong
        Where it was interrupted for that.
    """
    if timeout_s is None:
        yield
        return
    is_late = threading.Event()

    def stop() -> None:
        is_late.set()
        cursor.interrupt()

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        if is_late.is_set():
            raise ReadTooLong(f"this took longer than {timeout_s:g} s") from error
        raise
    finally:
        timer.cancel()
