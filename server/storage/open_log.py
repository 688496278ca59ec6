"""The database while it is open: one connection, and what is prepared on it."""

import contextlib
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from server.contract import Contract
from server.storage.database import LogUnusable, fold, open_database, trim_memory, unusable
from server.storage.layout import Table, create_table
from server.storage.power_loss import mend_after_power_loss
from server.storage.tasks import Entry, Part
from server.storage.write_ahead import wals_of
from server.storage.writing import insert, insertion, prepare

T = TypeVar("T")
_KEPT = "idempotency_keys"
# A commit writes to the disk once its rows are in the table in memory, and takes all of them out
# again where that fails.
_DISK_FAILED = re.compile("Could not (write|fsync|truncate)|fsync failed|Failed to write")
_SYNC_FAILED = re.compile("Could not fsync|fsync failed")
# The write-ahead log is brought into the file once it is so long: small ones take 20 to 40 ms.
_WAL_BYTES = 6_000_000
# Longest wait, in seconds, for readers that were interrupted.
_READERS_S = 1.0


class OpenLog:
    """What the writing thread writes with; it is used by that thread only, but for `cursor`.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(self, path: Path, contract: Contract) -> None:
        self._path = path
        self._wal = wals_of(path)[0]
        self._contracts: dict[str, Contract] = {}
        # Names of the tables that rows are prepared for.
        self._prepared: set[str] = set()
        # Cursors that were given out, and a lock for giving them out.
        self._readers: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
        self._lock = threading.Lock()
        # Whether what is in memory may be something else than was committed.
        self._is_doubtful = False
        # Whether the system may take for written what is not.
        self._is_unsynced = False
        mend_after_power_loss(path)
        self._open()
        self.table = self.add(contract)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own."""
        with self._lock:
            if self._is_doubtful:
                raise duckdb.ConnectionException("the log is about to be opened anew")
            cursor = self._database.cursor()
            self._readers.add(cursor)
        return cursor

    def trim(self) -> None:
        """Let go of memory, unless somebody reads."""
        # A database that fails says so at the next commit.
        with self._lock, contextlib.suppress(duckdb.Error):
            if not self._readers:
                trim_memory(self._connection)

    def fold_when_long(self) -> bool:
        """Bring a long write-ahead log into the file, and tell whether that was done."""
        try:
            if self._wal.stat().st_size < _WAL_BYTES:
                return False
            self._connection.execute("CHECKPOINT")
        except (FileNotFoundError, duckdb.TransactionException):
            return False  # nothing is there, or a reader is in the way: after another commit
        except duckdb.Error as error:
            self._look_for_failed_sync(error)
            raise
        return True

    def commit(self, group: Sequence[Entry]) -> None:
        """Store the rows of all entries in one transaction."""
        with self._doubting():
            self._commit(group)

    def _commit(self, group: Sequence[Entry]) -> None:
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
        with self._doubting():
            table = create_table(self._connection, contract)
        self._contracts[table.name] = contract
        self._prepared.clear()
        return table

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction of its own."""
        self._prepared.clear()
        with self._doubting():
            self._connection.begin()
            try:
                result = work(self._connection)
                self._connection.commit()
            except Exception:
                with contextlib.suppress(duckdb.Error):
                    self._connection.rollback()
                raise
        return result

    @property
    def is_doubtful(self) -> bool:
        """Whether nothing can be stored before `recover`."""
        return self._is_doubtful

    def recover(self) -> None:
        """See whether a database that failed can be written, and open it anew where it must be.

        Raises
        ------
        duckdb.Error
            If it cannot be written.
        LogUnusable
            If it cannot be opened, or readers have yet to let it go.
        """
        self._prepared.clear()
        try:
            for contract in () if self._is_doubtful else self._contracts.values():
                create_table(self._connection, contract)
        # A failed checkpoint makes DuckDB refuse everything until then.
        except (duckdb.FatalException, duckdb.ConnectionException):
            self._doubt()
        if self._is_doubtful:
            self._send_readers_away()
            self._let_go()
            self._open()
            if self._is_unsynced:
                self._connection.execute("CHECKPOINT")
            self._is_doubtful = self._is_unsynced = False

    def close(self) -> None:
        """Write it all into the one file, and let it go."""
        if not self._is_doubtful:
            fold(self._connection)
        self._let_go()

    @contextlib.contextmanager
    def _doubting(self) -> Iterator[None]:
        """Take what is in memory for doubtful where a commit fails in the middle.

        Rows are brought into a table column by column. Where memory runs out on the way, DuckDB
        (2.0.0) leaves the columns that had them longer than the others, and stores what comes next
        in the wrong rows; what it has on the disk is right.

        After a sync that failed, what it was to write is read back and may be gone once the power
        is; what is written behind it would stand behind a hole. So all of it is written anew.
        """
        try:
            yield
        except (duckdb.Error, MemoryError) as error:
            self._look_for_failed_sync(error)
            is_in_commit = isinstance(error, duckdb.TransactionException | MemoryError)
            if is_in_commit and not _DISK_FAILED.search(str(error)):
                self._doubt()
            raise

    def _look_for_failed_sync(self, error: Exception) -> None:
        if _SYNC_FAILED.search(str(error)):
            self._is_unsynced = True
            self._doubt()

    def _doubt(self) -> None:
        with self._lock:  # from now on, no reader is added
            self._is_doubtful = True

    def _send_readers_away(self) -> None:
        """Interrupt whoever reads: as long as one has the database open, it is not read anew."""
        deadline = time.monotonic() + _READERS_S
        while _interrupt([*self._readers]):
            if time.monotonic() > deadline:
                raise LogUnusable("it has to be opened anew, and somebody still reads it")
            time.sleep(0.01)

    def _let_go(self) -> None:
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


def _interrupt(cursors: Sequence[duckdb.DuckDBPyConnection]) -> bool:
    """Interrupt what these do, and tell whether any of them is open."""
    are_open = False
    for cursor in cursors:
        with contextlib.suppress(duckdb.ConnectionException):  # it is closed
            cursor.interrupt()
            are_open = True
    return are_open
