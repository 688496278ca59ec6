"""The database while it is open: one connection that writes, with an appender a table."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from server.contract import Contract
from server.storage.database import LogUnusable, open_database, unusable
from server.storage.layout import Table, create_table
from server.storage.power_loss import mend_after_power_loss
from server.storage.tasks import Entry
from server.storage.writing import insert

T = TypeVar("T")
_KEPT = "idempotency_keys"


class OpenLog:
    """What the writing thread writes with; it is used by that thread only, but for `cursor`.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(self, path: Path, contract: Contract) -> None:
        self._path = path
        self._contracts: dict[str, Contract] = {}
        mend_after_power_loss(path)
        self._open()
        self.table = self.add(contract)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own."""
        return self._database.cursor()

    def commit(self, group: Sequence[Entry]) -> None:
        """Store the rows of all entries in one transaction."""
        for appender in self._appenders.values():
            appender.clear()
        names: dict[str, None] = {}
        parts = [part for entry in group for part in entry.parts]
        for part in parts:
            if part.rows is not None:
                names[part.table.name] = None
                self._appender(part.table.name).append_rows(part.rows)
        batches = [part for part in parts if part.rows is None]
        if kept := [entry.kept for entry in group if entry.kept is not None]:
            names[_KEPT] = None
            self._appender(_KEPT).append_rows(kept)
        if len(names) == 1 and not batches:
            self._appender(*names).flush()
            return
        self._connection.begin()
        try:
            for part in batches:
                insert(self._connection, part.table, part.columns, part.n_rows)
            for name in names:
                self._appender(name).flush()
            self._connection.commit()
        except Exception:
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def add(self, contract: Contract) -> Table:
        """Make what a further contract needs."""
        table = create_table(self._connection, contract)
        self._contracts[table.name] = contract
        return table

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
            for contract in self._contracts.values():
                create_table(self._connection, contract)
        except (duckdb.FatalException, duckdb.ConnectionException):
            self.close()
            self._open()

    def close(self) -> None:
        """Write it all into the one file, and let it go."""
        self._connection.close()
        self._database.close()

    def _appender(self, table: str) -> Any:
        if table not in self._appenders:
            self._appenders[table] = self._connection.appender(table)
        return self._appenders[table]

    def _open(self) -> None:
        self._database = open_database(self._path)
        try:
            # Cursors are connections of their own to the same database.
            self._connection = self._database.cursor()
            for contract in self._contracts.values():
                create_table(self._connection, contract)
            self._appenders: dict[str, Any] = {}
        except (duckdb.Error, LogUnusable) as error:
            self._database.close()
            raise unusable(self._path, error) from error
