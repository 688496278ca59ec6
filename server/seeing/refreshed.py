"""A value that takes long to compute: given at once, computed anew aside, once a minute at most."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

_logger = logging.getLogger(__name__)

_INTERVAL_S = 60.0


class Refreshed:
    """Returns what `compute` returned last, and lets it run again if that was a minute ago.

    Nothing runs while nobody asks. What `compute` raises is logged, and the last values go: old
    ones would look like new ones.
    """

    def __init__(
        self, compute: Callable[[], Mapping[str, float]], interval_s: float = _INTERVAL_S
    ) -> None:
        self._compute = compute
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._is_running = False
        self._values: Mapping[str, float] = {}

    def __call__(self) -> Mapping[str, float]:
        """Return the last values, none before the first ones are there."""
        with self._lock:
            if not self._is_running and time.monotonic() >= self._due:
                self._is_running = True
                threading.Thread(target=self._refresh, name="refresh", daemon=True).start()
            return self._values

    def _refresh(self) -> None:
        values: Mapping[str, float] = {}
        try:
            values = self._compute()
        except Exception:  # the next minute may be better, and nobody waits for this one
            _logger.exception("a gauge cannot be computed")
        with self._lock:
            self._values = values
            self._due = time.monotonic() + self._interval_s
            self._is_running = False
