"""The database while it is open: one connection that writes the table of one contract."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import duckdb

from server.contract import Contract
from server.storage.database import LogUnusable, open_database, unusable
from server.storage.layout import create_table
from server.storage.power_loss import mend_after_power_loss
from server.storage.tasks import Entry
from server.storage.writing import insert

T = TypeVar("T")


class OpenLog:
    """What the writing thread writes with; it is used by that thread only, but for `cursor`.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(self, path: Path, contract: Contract) -> None:
        self._path = path
        self._contract = contract
        mend_after_power_loss(path)
        self._open()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own."""
        return self._database.cursor()

    def commit(self, group: Sequence[Entry]) -> None:
        """Store the rows of all entries in one transaction."""
        self._appender.clear()
        self._kept.clear()
        for entry in group:
            if entry.rows is not None:
                self._appender.append_rows(entry.rows)
        batches = [entry for entry in group if entry.rows is None]
        kept = [entry.kept for entry in group if entry.kept is not None]
        if not batches and not kept:
            self._appender.flush()
            return
        self._connection.begin()
        try:
            for entry in batches:
                insert(self._connection, self.table, entry.columns, entry.n_rows)
            self._appender.flush()
            self._kept.append_rows(kept)
            self._kept.flush()
            self._connection.commit()
        except Exception:
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction of its own."""
        self._connection.begin()
        try:
            result = work(self._connection)
            self._connection.commit()
        except Exception:
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise
        return result

    def recover(self) -> None:
        """See whether a database that failed can be written, and open it anew where it must be."""
        # A failed checkpoint makes DuckDB refuse everything until then.
        try:
            create_table(self._connection, self._contract)
        except (duckdb.FatalException, duckdb.ConnectionException):
            self.close()
            self._open()

    def close(self) -> None:
        """Write it all into the one file, and let it go."""
        self._connection.close()
        self._database.close()

    def _open(self) -> None:
        self._database = open_database(self._path)
        try:
            # Cursors are connections of their own to the same database.
            self._connection = self._database.cursor()
            self.table = create_table(self._connection, self._contract)
            self._appender = self._connection.appender(self.table.name)
            self._kept = self._connection.appender("idempotency_keys")
        except (duckdb.Error, LogUnusable) as error:
            self._database.close()
            raise unusable(self._path, error) from error
