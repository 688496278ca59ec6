"""Read the log as it is at one time, in a transaction that can change nothing."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    own_table : str
        The table of the contract that is served.
    """

    def __init__(
        self, cursor: Callable[[], duckdb.DuckDBPyConnection], own_table: str, contract: Contract
    ) -> None:
        self._cursor = cursor
        self._own_table = own_table
        novelty = contract.novelty
        self._novelty_names = [each.name for each in novelty.columns] if novelty else []
        self._sources: list[Source] = []

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
            with self._cursor() as cursor, stopping(cursor, timeout_s):
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                if not self._sources:
                    # Tables are made at the start only.
                    self._sources = find_sources(cursor, self._own_table, self._novelty_names)
                yield Snapshot(cursor, self._sources)
        except duckdb.InterruptException as error:
            raise ReadTooLong(f"this took longer than {timeout_s:g} s") from error
        except duckdb.Error as error:
            _logger.error("cannot read the prediction log: %s", error)
            raise LogUnavailable("the prediction log cannot be read") from error


@contextlib.contextmanager
def stopping(cursor: duckdb.DuckDBPyConnection, timeout_s: float | None) -> Iterator[None]:
    """Interrupt what the cursor does once it has taken `timeout_s` seconds."""
    if timeout_s is None:
        yield
        return
    timer = threading.Timer(timeout_s, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
