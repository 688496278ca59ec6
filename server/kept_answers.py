"""Answers kept under the key their request named: one sent again is answered, and not predicted."""

import contextlib
import threading
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import duckdb
import numpy as np

from server.answers import Answer
from server.keys import Key
from server.prediction_log import PredictionLog

# Of a million keys, one first request in sixteen is looked up for nothing. A byte each, and no
# memory before a key has touched its page.
_SLOTS = 1 << 24
_TIDY_EVERY_S = 3_600.0


class KeyRefused(Exception):
    """A key that cannot be answered for: 409 while its request is at work, 422 for another's."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class KeptAnswers:
    """The answers of one log that can be given once more.

    The table is asked for keys that were seen before, and hardly for others: two fields of marks,
    each filled for as long as an answer is kept, say which these can be.
    """

    def __init__(self, log: PredictionLog, *, hours: float, wait_s: float) -> None:
        self._log = log
        self._kept_s = hours * 3_600
        self._wait_s = wait_s
        self._at_work: set[str] = set()
        self._lock = threading.Condition()
        self._seen = np.zeros(_SLOTS, bool)
        self._seen_before = np.zeros(_SLOTS, bool)
        self._turned_at = time.monotonic()
        self._tidied_at = -float("inf")
        with log.cursor() as cursor:
            query = "SELECT digest FROM idempotency_keys WHERE predicted_at >= ?"
            digests: Any = cursor.execute(query, [self._oldest()]).fetchnumpy()["digest"]
        self._seen[digests % _SLOTS] = True

    @contextlib.contextmanager
    def once(self, key: Key) -> Iterator[Answer | None]:
        """Yield the answer that the request of this key had, or None if it is the first.

        Raises
        ------
        KeyRefused
            If another request bears the key, or one that is at work for too long.
        """
        self._tidy()
        with self._lock:
            if not self._lock.wait_for(lambda: key.text not in self._at_work, self._wait_s):
                detail = f"a request of this key has been at work for {self._wait_s:g} s"
                raise KeyRefused(HTTPStatus.CONFLICT, f"{detail}: send it again later")
            self._at_work.add(key.text)
            was_seen = self._see(key.digest)
        try:
            yield self._find(key) if was_seen else None
        finally:
            with self._lock:
                self._at_work.remove(key.text)
                self._lock.notify_all()

    def _see(self, digest: int) -> bool:
        slot = digest % _SLOTS
        was_seen = bool(self._seen[slot] or self._seen_before[slot])
        self._seen[slot] = True
        return was_seen

    def _find(self, key: Key) -> Answer | None:
        def find(connection: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
            query = (
                "SELECT fingerprint, answer, content_type, location FROM idempotency_keys "
                "WHERE digest = ? AND key = ? ORDER BY predicted_at DESC LIMIT 1"
            )
            return connection.execute(query, [key.digest, key.text]).fetchone()

        with self._log.reading() as snapshot:
            found = find(snapshot.cursor)
        # Rows whose commit took too long may still wait: behind them, the writer knows.
        found = found or self._log.change(find)
        if found is None:
            return None
        fingerprint, body, content_type, location = found
        if fingerprint != key.fingerprint:
            raise KeyRefused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "this Idempotency-Key was sent with another request, and names its answer: "
                "give every request a key of its own",
            )
        return Answer(zlib.decompress(body), content_type, location)

    def _tidy(self) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._tidied_at < min(_TIDY_EVERY_S, self._kept_s):
                return
            self._tidied_at = now
            if now - self._turned_at >= self._kept_s:
                self._seen, self._seen_before = np.zeros(_SLOTS, bool), self._seen
                self._turned_at = now
        self._log.change(self._prune)

    def _prune(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("DELETE FROM idempotency_keys WHERE predicted_at < ?", [self._oldest()])

    def _oldest(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=self._kept_s)
