"""The one thread that writes: it takes all that waits, appends it and commits once."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from server.contract import Contract
from server.storage.layout import Table
from server.storage.open_log import OpenLog
from server.storage.tasks import Change, Entry, LogUnavailable, Part, Task

_logger = logging.getLogger(__name__)

# While commits fail, how often to see whether they work again.
_PROBE_INTERVAL_S = 1.0
# Memory is trimmed once so many rows are written, which leave some 2 MB in it, and so many seconds
# have passed: it takes milliseconds.
_TRIM_ROWS, _TRIM_S = 5_000, 0.5

T = TypeVar("T")
# Told of an outcome, its rows and its seconds: committed, changed and checkpointed; commit_failed,
# queue_full and commit_timeout, whose rows are not known to be stored. It must not raise.
Observe = Callable[[str, int, float], None]


class Writer:
    """The thread that writes the tables of the served contracts, and the database it writes to.

    Raises
    ------
    LogUnusable
        If the database is in use by another process, damaged, or out of reach.
    """

    def __init__(
        self, path: Path, contract: Contract, *, max_waiting_rows: int, commit_timeout_s: float
    ) -> None:
        self._max_waiting_rows = max_waiting_rows
        self._commit_timeout_s = commit_timeout_s
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._waiting_rows = 0
        self._lock = threading.Lock()
        self._failure: str | None = None
        self.observe: Observe = _unobserved
        # When the writer took the rows that it is committing, on the monotonic clock.
        self._commit_began: float | None = None
        self._log = OpenLog(path, contract)
        self._thread = threading.Thread(target=self._write, name="prediction-log", daemon=True)
        self._thread.start()

    def hand_in(
        self,
        parts: Sequence[Part],
        n_rows: int,
        kept: tuple[Any, ...] | None = None,
        notify: Callable[[], None] | None = None,
    ) -> Task:
        """Take `n_rows` answered rows, what is stored beside them, and the answer if it is kept.

        All of it is stored, or none.

        Raises
        ------
        LogUnavailable
            If too many rows wait already.
        """
        entry = Entry(n_rows, parts, kept, notify=notify)
        with self._lock:
            if self._waiting_rows + entry.n_rows > self._max_waiting_rows:
                self.observe("queue_full", n_rows, 0.0)
                raise LogUnavailable("too many predictions wait to be stored")
            self._waiting_rows += entry.n_rows
        self._waiting.put(entry)
        return entry

    def add(self, contract: Contract) -> Table:
        """Make what a further contract needs, on the writing thread.

        Raises
        ------
        LogUnavailable
            If DuckDB fails, or it is not made in time.
        """
        return self._run(Change(lambda: self._log.add(contract)))

    def wait(self, task: Task) -> None:
        """Return once what was handed in is committed.

        Raises
        ------
        LogUnavailable
            If the commit fails, or takes too long. In the last case it may be stored nevertheless.
        """
        if not task.done.wait(self._commit_timeout_s):
            raise self.too_late(task)
        task.check()

    def too_late(self, task: Task) -> LogUnavailable:
        """Return what to say of a commit that takes too long, and count it."""
        self.observe("commit_timeout", getattr(task, "n_rows", 0), self._commit_timeout_s)
        return LogUnavailable(f"not committed within {self._commit_timeout_s:g} s")

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `work` on the writing thread, in a transaction of its own, and return its result.

        Predictions wait meanwhile: what takes long is handed in piece by piece. What `work` raises
        is raised here, and nothing of it is stored.

        Raises
        ------
        LogUnavailable
            If DuckDB fails, or it is not committed in time; it may be later.
        """
        return self._run(Change(lambda: self._log.change(work)))

    def _run(self, change: Change[T]) -> T:
        self._waiting.put(change)
        self.wait(change)
        return change.result

    @property
    def waiting_rows(self) -> int:
        """Rows that wait for their commit."""
        return self._waiting_rows

    @property
    def table(self) -> Table:
        """The table of the contract that this was made with."""
        return self._log.table

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own to the open database."""
        return self._log.cursor()

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
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._log.close()
        return True

    def _write(self) -> None:
        is_open, untrimmed, trim_at = True, 0, 0.0
        while is_open:
            tasks, is_open = self._take()
            self._commit_began = time.monotonic()
            group = [task for task in tasks if isinstance(task, Entry)]
            n_rows = sum(entry.n_rows for entry in group)
            outcome = "committed"
            for entry in group:
                entry.begun.set()
            try:
                if self._failure:
                    self._log.recover()
                self._log.commit(group)
                if self._failure:
                    _logger.warning("the prediction log can be written again")
                self._failure = None
            except Exception as error:  # each of the group gets it
                self._note_failure(error)
                outcome = "commit_failed"
                for entry in group:
                    entry.failure = error
            with self._lock:
                self._waiting_rows -= n_rows
            seconds = time.monotonic() - self._commit_began
            for entry in group:
                entry.finish()
            if group:  # nobody waits for this
                self.observe(outcome, n_rows, seconds)
            untrimmed += n_rows
            if untrimmed >= _TRIM_ROWS and time.monotonic() > trim_at and not self._failure:
                self._log.trim()
                untrimmed, trim_at = 0, time.monotonic() + _TRIM_S
            for task in tasks:
                if isinstance(task, Change):
                    self._commit_began = time.monotonic()
                    self._change(task)
                    self.observe("changed", 0, time.monotonic() - self._commit_began)
                    task.finish()
            if group and not self._failure:
                self._fold_when_long()
            self._commit_began = None

    def _fold_when_long(self) -> None:
        self._commit_began = began = time.monotonic()
        try:
            if self._log.fold_when_long():
                self.observe("checkpointed", 0, time.monotonic() - began)
        except Exception as error:  # what is stored stays stored; the next commit opens it anew
            self._note_failure(error)

    def _take(self) -> tuple[list[Task], bool]:
        tasks: list[Task] = []
        try:
            task = self._waiting.get(timeout=_PROBE_INTERVAL_S if self._failure else None)
            while task is not None:
                tasks.append(task)
                task = self._waiting.get_nowait()
        except queue.Empty:
            return tasks, True
        return tasks, False

    def _change(self, change: Change[Any]) -> None:
        try:
            change.result = change.work()
        except Exception as error:  # who handed it in gets it
            change.failure = error
            is_broken = isinstance(error, duckdb.IOException | duckdb.FatalException)
            if is_broken or self._log.is_doubtful:
                self._note_failure(error)

    def _note_failure(self, error: Exception) -> None:
        if self._failure is None:
            _logger.error("the prediction log cannot be written: %s", error)
        self._failure = str(error)


def _unobserved(_outcome: str, _rows: int, _seconds: float) -> None:
    """Tell nobody."""
