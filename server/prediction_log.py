"""The prediction log: append rows and wait until they are committed; read them back."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import duckdb

from server.contract import Contract
from server.storage.ids import PredictionIds
from server.storage.reading import read_one
from server.storage.snapshots import Reader, Snapshot
from server.storage.writer import LogUnavailable, Writer

T = TypeVar("T")


@dataclass(frozen=True)
class Stored:
    """What the log gave to the rows of one request."""

    prediction_ids: PredictionIds
    predicted_at: datetime


class PredictionLog:
    """The predictions of one database file: requests hand in their rows and wait.

    The writer takes all that wait, appends them, commits once and wakes those who waited: a group
    commit.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(
        self, path: Path, contract: Contract, *, max_waiting_rows: int, commit_timeout_s: float
    ) -> None:
        self.path = path
        self._contract = contract
        self._last_id = 0
        self._lock = threading.Lock()
        self._writer = Writer(
            path, contract, max_waiting_rows=max_waiting_rows, commit_timeout_s=commit_timeout_s
        )
        self._reader = Reader(self._writer.cursor, self._writer.table_name, contract)

    def append(
        self,
        *,
        request_id: str,
        ids: Sequence[str | None],
        values: Mapping[str, Sequence[Any]],
        outputs: Mapping[str, Any],
        warnings: Sequence[Any],
        inference_ms: float,
        numbered: Stored | None = None,
        kept: tuple[Any, ...] | None = None,
    ) -> Stored:
        """Store the rows of one request, all or none, and return once they are committed.

        Parameters
        ----------
        values : mapping of str to sequence of length n_rows
            One column a feature of the contract; None is stored as NULL.
        outputs : mapping of str to ndarray of shape (n_rows, ...)
            One array an output of the contract; an output that is not there is stored as NULL.
        numbered : Stored, optional
            What `number` gave to these rows; without, they get it now.
        kept : tuple, optional
            The row of their answer in `idempotency_keys`, stored with them.

        Raises
        ------
        LogUnavailable
            If too many rows wait already, the commit fails, or it takes too long. In the last
            case the rows may be stored nevertheless.
        """
        stored = numbered or self.number(len(ids))
        columns = {
            "prediction_id": stored.prediction_ids,
            "predicted_at": stored.predicted_at,
            "request_id": request_id,
            "instance": range(len(ids)),
            "id": ids,
            "model_name": self._contract.model_name,
            "model_version": self._contract.model_version,
            **values,
            **outputs,
            "warnings": warnings,
            "inference_ms": inference_ms,
        }
        self._writer.store(columns, len(ids), kept)
        return stored

    def number(self, n_rows: int) -> Stored:
        """Return what the rows of one request will be stored under."""
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

    @property
    def trouble(self) -> str | None:
        """Why a row handed in now would probably not be stored, or None."""
        return self._writer.trouble

    def close(self, timeout_s: float | None = None) -> bool:
        """Commit what waits and let the file go; return whether that was done in time."""
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
