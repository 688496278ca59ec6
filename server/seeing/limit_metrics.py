"""How many requests were refused and connections dropped, and why; the log hears it in sum."""

import logging
import time
from collections import Counter

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric

_logger = logging.getLogger(__name__)

_REFUSED = ("busy", "threads", "caller", "request rate", "row rate")
_DROPPED = ("slow request", "slow reader", "idle", "room", "memory")
# A line a refusal would cost more than the refusal.
_TOLD_EVERY_S = 10.0


class LimitMetrics:
    """Counts what the limits cost those who ask; by the thread of the loop alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        refused = Metric(
            "http_server_refused_requests",
            "Requests that were not let in, by reason.",
            ["reason"],
            registry=registry,
        )
        dropped = Metric(
            "http_server_dropped_connections",
            "Connections that were closed by the server's own will, by reason.",
            ["reason"],
            registry=registry,
        )
        # All of them from the start: a rate needs a first value.
        self._refused = {reason: refused.labels(reason) for reason in _REFUSED}
        self._dropped = {reason: dropped.labels(reason) for reason in _DROPPED}
        self._untold: Counter[str] = Counter()
        self._told_at = -_TOLD_EVERY_S

    def refused(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused[reason].inc()
        self._untold[f"refused ({reason})"] += 1

    def dropped(self, reason: str) -> None:
        """Count a connection that was dropped."""
        self._dropped[reason].inc()
        self._untold[f"dropped ({reason})"] += 1

    def tell(self) -> None:
        """Log what was counted since the last time, if that is long enough ago."""
        if not self._untold or time.monotonic() - self._told_at < _TOLD_EVERY_S:
            return
        self._told_at = time.monotonic()
        told = ", ".join(f"{count} {what}" for what, count in sorted(self._untold.items()))
        self._untold.clear()
        _logger.warning("requests and connections beyond the limits: %s", told)
