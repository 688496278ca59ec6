"""The prediction log: append rows and wait until they are committed; read them back."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, Unpack
from uuid import UUID

import duckdb

from server.contract import Contract
from server.storage.ids import PredictionIds
from server.storage.layout import table_of
from server.storage.reading import read_one
from server.storage.rows import Rows, Stored, Target, to_part, to_target
from server.storage.snapshots import Reader, Snapshot
from server.storage.tasks import LogUnavailable, Task
from server.storage.writer import Observe, Writer

T = TypeVar("T")


class PredictionLog:
    """The predictions of one database file: requests hand in their rows and wait.

    It is opened for the contract of one model file of this sha256; `add` takes further ones.

    The writer takes all that wait, appends them, commits once and wakes those who waited: a group
    commit.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(
        self,
        path: Path,
        contract: Contract,
        *,
        sha256: str | None = None,
        max_waiting_rows: int,
        commit_timeout_s: float,
    ) -> None:
        self.path = path
        self._last_id = 0
        self._stops: list[Callable[[float | None], None]] = []
        self._lock = threading.Lock()
        self._writer = Writer(
            path, contract, max_waiting_rows=max_waiting_rows, commit_timeout_s=commit_timeout_s
        )
        self.own = to_target(self._writer.table, contract, sha256)
        self._reader = Reader(self._writer.cursor)
        self._reader.add(self.own.table.name, contract)
        self._tables = {self.own.table.name}

    def add(self, contract: Contract, sha256: str) -> Target:
        """Make what a further model file needs, and say where its rows go; twice is as once.

        Raises
        ------
        LogUnavailable
            If DuckDB fails, or it is not made in time.
        """
        table = table_of(contract)
        if table.name not in self._tables:
            self._writer.add(contract)
            self._reader.add(table.name, contract)
            self._tables.add(table.name)
        return to_target(table, contract, sha256)

    def append(self, **rows: Unpack[Rows]) -> Stored:
        """Store rows, all or none, and return once they are committed.

        Raises
        ------
        LogUnavailable
            If too many rows wait already, the commit fails, or it takes too long. In the last
            case the rows may be stored nevertheless.
        """
        stored = rows.setdefault("numbered", self.number(len(rows["ids"])))
        self.wait(self.hand_in(None, rows))
        return stored

    def wait(self, task: Task) -> None:
        """Return once what was handed in is committed; Writer.wait has what is raised."""
        self._writer.wait(task)

    def hand_in(
        self,
        notify: Callable[[], None] | None,
        *answered: Rows,
        shadows: Sequence[Rows] = (),
        kept: tuple[Any, ...] | None = None,
    ) -> Task:
        """Take rows that are numbered; they are stored once the task is done and its check passes.

        `notify` is called on the writing thread then. All are stored or none; `shadows` beside
        them, as what was answered to nobody.

        Raises
        ------
        LogUnavailable
            If too many rows wait already.
        """
        parts = [to_part(rows, rows.get("target", self.own)) for rows in answered]
        parts += [to_part(rows, rows["target"].shadow) for rows in shadows]
        n_rows = sum(len(rows["ids"]) for rows in answered)
        return self._writer.hand_in(parts, n_rows, kept, notify)

    def too_late(self, task: Task) -> LogUnavailable:
        """Return what to say of a commit that takes too long, and count it."""
        return self._writer.too_late(task)

    def number(self, n_rows: int) -> Stored:
        """Return what rows will be stored under."""
        now, prediction_ids = self._new_ids(n_rows)
        predicted_at = datetime.fromtimestamp(now // 1_000_000_000, UTC).replace(
            microsecond=now // 1_000 % 1_000_000, tzinfo=None
        )
        return Stored(prediction_ids, predicted_at)

    def find(self, prediction_id: UUID) -> dict[str, Any] | None:
        """Return one prediction with all that was said of it, or None if there is no such one."""
        with self.reading() as snapshot:
            return read_one(snapshot.cursor, snapshot.sources, prediction_id)

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` in a transaction on the writing thread; Writer.change has what is raised."""
        return self._writer.change(work)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own for one reader, who closes it."""
        try:
            return self._writer.cursor()
        except duckdb.Error as error:
            raise LogUnavailable("the prediction log cannot be read") from error

    def before_close(self, stop: Callable[[float | None], None]) -> None:
        """Call `stop` with its time limit before the file is let go: DuckDB waits for no reader."""
        self._stops.append(stop)

    def observe_with(self, observe: Observe) -> None:
        """Tell `observe` from now on what becomes of the rows that are handed in."""
        self._writer.observe = observe

    @property
    def waiting_rows(self) -> int:
        """Rows that wait for their commit."""
        return self._writer.waiting_rows

    @property
    def trouble(self) -> str | None:
        """Why a row handed in now would probably not be stored, or None."""
        return self._writer.trouble

    def close(self, timeout_s: float | None = None) -> bool:
        """Commit what waits and let the file go; return whether that was done in time."""
        for stop in self._stops:
            stop(timeout_s)
        return self._writer.close(timeout_s)

    def reading(self, timeout_s: float | None = None) -> AbstractContextManager[Snapshot]:
        """Read the log as it is now; Reader.reading has what is raised."""
        return self._reader.reading(timeout_s)

    def _new_ids(self, n: int) -> tuple[int, PredictionIds]:
        """Return the time, in nanoseconds, and ids that are in the order of the times."""
        # UUID version 7 (RFC 9562): the time, then chance; it sorts by age. Ids never step back
        # within a process, whatever the clock does, and the rows of a request count up.
        chance = 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(61)
        with self._lock:
            now = time.time_ns()
            first = max(now // 1_000_000 << 80 | chance, self._last_id + 1)
            self._last_id = first + n - 1
        return now, PredictionIds(first, n)
