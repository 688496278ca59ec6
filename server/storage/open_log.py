"""The database while it is open: one connection, and what is prepared on it."""

import contextlib
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from server.contract import Contract
from server.storage.database import LogUnusable, open_database, trim_memory, unusable
from server.storage.layout import Table, create_table
from server.storage.power_loss import mend_after_power_loss
from server.storage.tasks import Entry, Part
from server.storage.writing import insert, insertion, prepare

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
        # Names of the tables that rows are prepared for.
        self._prepared: set[str] = set()
        # Cursors that were given out, and a lock for giving them out.
        self._readers: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
        self._lock = threading.Lock()
        mend_after_power_loss(path)
        self._open()
        self.table = self.add(contract)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own."""
        with self._lock:
            cursor = self._database.cursor()
            self._readers.add(cursor)
        return cursor

    def trim(self) -> None:
        """Let go of memory, unless somebody reads."""
        # A database that fails says so at the next commit.
        with self._lock, contextlib.suppress(duckdb.Error):
            if not self._readers:
                trim_memory(self._connection)

    def commit(self, group: Sequence[Entry]) -> None:
        """Store the rows of all entries in one transaction."""
        few: dict[str, list[Part]] = {}
        batches: list[Part] = []
        for part in (part for entry in group for part in entry.parts):
            (batches if part.texts is None else few.setdefault(part.table.name, [])).append(part)
        statements = [self._insertion(same) for same in few.values()]
        kept = [entry.kept for entry in group if entry.kept is not None]
        if len(statements) == 1 and not batches and not kept:
            self._connection.execute(*self._connection.extract_statements(*statements))
            return
        self._connection.begin()
        try:
            for part in batches:
                insert(self._connection, part.table, part.columns, part.n_rows)
            for statement in statements:
                self._connection.execute(statement)
            if kept:
                self._keep(kept)
            self._connection.commit()
        except Exception:
            with contextlib.suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def add(self, contract: Contract) -> Table:
        """Make what a further contract needs."""
        table = create_table(self._connection, contract)
        self._contracts[table.name] = contract
        self._prepared.clear()
        return table

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction of its own."""
        self._prepared.clear()
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
        self._prepared.clear()
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

    def _keep(self, answers: Sequence[tuple[Any, ...]]) -> None:
        appender = self._connection.appender(_KEPT)
        try:
            appender.append_rows(answers)
            appender.flush()
        finally:
            appender.clear()  # what it held would be stored when it is let go

    def _insertion(self, same: Sequence[Part]) -> str:
        """Return the statement that stores these rows of one table."""
        table = same[0].table
        if table.name not in self._prepared:
            prepare(self._connection, table)
            self._prepared.add(table.name)
        return insertion(table, [text for part in same for text in part.texts or ()])

    def _open(self) -> None:
        self._prepared.clear()
        self._database = open_database(self._path)
        try:
            # Cursors are connections of their own to the same database.
            self._connection = self._database.cursor()
            for contract in self._contracts.values():
                create_table(self._connection, contract)
        except (duckdb.Error, LogUnusable) as error:
            self._database.close()
            raise unusable(self._path, error) from error
