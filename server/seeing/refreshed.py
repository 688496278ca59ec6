"""A value that takes long to compute: given at once, computed anew aside, once a minute at most."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_logger = logging.getLogger(__name__)

_INTERVAL_S = 60.0

T = TypeVar("T")


class Refreshed(Generic[T]):
    """Returns what `compute` returned last, and lets it run again if that was a minute ago.

    Nothing runs while nobody asks. What `compute` raises is logged, and `nothing` is returned: old
    values would look like new ones.
    """

    def __init__(
        self, compute: Callable[[], T], nothing: T, interval_s: float = _INTERVAL_S
    ) -> None:
        self._compute = compute
        self._nothing = self._value = nothing
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._is_running = False
        self._thread = threading.Thread()

    def __call__(self) -> T:
        """Return the last value, `nothing` before the first one is there."""
        with self._lock:
            if not self._is_running and time.monotonic() >= self._due:
                self._is_running = True
                self._thread = threading.Thread(target=self._refresh, name="refresh", daemon=True)
                self._thread.start()
            return self._value

    def stop(self, timeout_s: float | None = None) -> None:
        """Compute no more, and wait for what is being computed."""
        with self._lock:
            self._interval_s = self._due = float("inf")
            is_running = self._is_running
        if is_running:
            self._thread.join(timeout_s)

    def _refresh(self) -> None:
        value = self._nothing
        try:
            value = self._compute()
        except Exception:  # the next minute may be better, and nobody waits for this one
            _logger.exception("a gauge cannot be computed")
        with self._lock:
            self._value = value
            self._due = time.monotonic() + self._interval_s
            self._is_running = False
