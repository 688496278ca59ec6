"""The prediction log: append rows and wait until they are committed; read them back."""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from server.contract import Contract
from server.database import LogUnusable, open_database, unusable
from server.layout import create_table, read_newest

_logger = logging.getLogger(__name__)

# While commits fail, how often to see whether they work again.
_PROBE_INTERVAL_S = 1.0


class LogUnavailable(Exception):
    """The rows are not known to be committed: the caller may try again."""


@dataclass(frozen=True)
class Stored:
    """What the log gave to the rows of one request."""

    prediction_ids: list[UUID]
    predicted_at: datetime


@dataclass
class _Entry:
    rows: list[tuple[Any, ...]]
    done: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None


class PredictionLog:
    """The predictions of one database file, and the one thread that writes them.

    Requests hand in their rows and wait. The writer takes all that wait, appends them, commits
    once and wakes those who waited: a group commit.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(
        self, path: Path, contract: Contract, *, max_waiting_rows: int, commit_timeout_s: float
    ) -> None:
        self._path = path
        self._contract = contract
        self._max_waiting_rows = max_waiting_rows
        self._commit_timeout_s = commit_timeout_s
        self._waiting: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._waiting_rows = 0
        self._last_id = 0
        self._lock = threading.Lock()
        self._failure: str | None = None
        # When the writer took the rows that it is committing, on the monotonic clock.
        self._commit_began: float | None = None
        self._open()
        self._writer = threading.Thread(target=self._write, name="prediction-log", daemon=True)
        self._writer.start()

    def append(
        self,
        *,
        request_id: str,
        ids: Sequence[str | None],
        values: Mapping[str, Sequence[Any]],
        outputs: Mapping[str, Sequence[Any]],
        warnings: Sequence[Any],
        inference_ms: float,
    ) -> Stored:
        """Store the rows of one request, all or none, and return once they are committed.

        Parameters
        ----------
        values, outputs : mapping of str to sequence of length n_rows
            One column a feature and one an output of the contract.

        Raises
        ------
        LogUnavailable
            If too many rows wait already, the commit fails, or it takes too long. In the last
            case the rows may be stored nevertheless.
        """
        now = time.time_ns()
        predicted_at = datetime.fromtimestamp(now // 1_000_000_000, UTC).replace(
            microsecond=now // 1_000 % 1_000_000, tzinfo=None
        )
        prediction_ids = self._new_ids(now // 1_000_000, len(ids))
        rows = zip(
            prediction_ids,
            repeat(predicted_at),
            repeat(request_id),
            range(len(ids)),
            ids,
            repeat(self._contract.model_name),
            repeat(self._contract.model_version),
            *(values[name] for name in self._table.inputs),
            *(outputs[name] for name in self._table.outputs),
            warnings,
            repeat(inference_ms),
            strict=False,
        )
        self._wait_for_commit(_Entry(list(rows)))
        return Stored(prediction_ids, predicted_at)

    def newest(self, limit: int, before: UUID | None = None) -> list[dict[str, Any]]:
        """Return at most `limit` predictions, newest first, all older than the one `before` names.

        Each has its fixed columns under their names, `inputs` and `outputs` as dicts.
        """
        try:
            with self._database.cursor() as cursor:
                return read_newest(cursor, limit, before)
        except duckdb.Error as error:
            _logger.error("cannot read the prediction log: %s", error)
            raise LogUnavailable("the prediction log cannot be read") from error

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own for one reader, who closes it."""
        try:
            return self._database.cursor()
        except duckdb.Error as error:
            raise LogUnavailable("the prediction log cannot be read") from error

    @property
    def trouble(self) -> str | None:
        """Why a row handed in now would probably not be stored, or None."""
        if self._failure is not None:
            return "the last commit failed"
        began = self._commit_began
        if began is not None and time.monotonic() - began > self._commit_timeout_s:
            return "a commit does not come to its end"
        if self._waiting_rows >= self._max_waiting_rows:
            return "too many rows wait to be stored"
        return None

    def close(self, timeout_s: float | None = None) -> bool:
        """Commit what waits, write it all into the one file, and let it go.

        Returns
        -------
        bool
            Whether that was done within `timeout_s` seconds; otherwise the file is still held.
        """
        self._waiting.put(None)
        self._writer.join(timeout_s)
        if self._writer.is_alive():
            return False
        self._close()
        return True

    def _new_ids(self, now_ms: int, n: int) -> list[UUID]:
        # UUID version 7 (RFC 9562): the time, then chance; it sorts by age. Ids never step back
        # within a process, whatever the clock does, and the rows of a request count up.
        fresh = now_ms << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(61)
        with self._lock:
            first = max(fresh, self._last_id + 1)
            self._last_id = first + n - 1
        return [UUID(int=first + k) for k in range(n)]

    def _wait_for_commit(self, entry: _Entry) -> None:
        with self._lock:
            if self._waiting_rows + len(entry.rows) > self._max_waiting_rows:
                raise LogUnavailable("too many predictions wait to be stored")
            self._waiting_rows += len(entry.rows)
        self._waiting.put(entry)
        if not entry.done.wait(self._commit_timeout_s):
            raise LogUnavailable(f"not committed within {self._commit_timeout_s:g} s")
        if isinstance(entry.failure, duckdb.Error | LogUnusable):
            raise LogUnavailable("the prediction log cannot be written") from entry.failure
        if entry.failure:
            raise entry.failure

    def _write(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._take()
            self._commit_began = time.monotonic()
            try:
                if self._failure:
                    self._recover()
                self._commit(group)
                if self._failure:
                    _logger.warning("the prediction log can be written again")
                self._failure = None
            except Exception as error:  # each of the group gets it
                self._note_failure(error)
                for entry in group:
                    entry.failure = error
            self._commit_began = None
            for entry in group:
                entry.done.set()
            with self._lock:
                self._waiting_rows -= sum(len(entry.rows) for entry in group)

    def _take(self) -> tuple[list[_Entry], bool]:
        group: list[_Entry] = []
        try:
            entry = self._waiting.get(timeout=_PROBE_INTERVAL_S if self._failure else None)
            while entry is not None:
                group.append(entry)
                entry = self._waiting.get_nowait()
        except queue.Empty:
            return group, True
        return group, False

    def _commit(self, group: Sequence[_Entry]) -> None:
        self._appender.clear()
        for entry in group:
            self._appender.append_rows(entry.rows)
        self._appender.flush()

    def _note_failure(self, error: Exception) -> None:
        if self._failure is None:
            _logger.error("the prediction log cannot be written: %s", error)
        self._failure = str(error)

    def _recover(self) -> None:
        # A failed checkpoint makes DuckDB refuse everything until the file is opened anew.
        try:
            create_table(self._connection, self._contract)
        except (duckdb.FatalException, duckdb.ConnectionException):
            self._close()
            self._open()

    def _open(self) -> None:
        self._database = open_database(self._path)
        try:
            # Cursors are connections of their own to the same database.
            self._connection = self._database.cursor()
            self._table = create_table(self._connection, self._contract)
            self._appender = self._connection.appender(self._table.name)
        except (duckdb.Error, LogUnusable) as error:
            self._database.close()
            raise unusable(self._path, error) from error

    def _close(self) -> None:
        self._connection.close()
        self._database.close()
