"""What is at work, what waits, and what was refused lately: read by routes, health and metrics."""

import time

from server.config import Settings
from server.limits.buckets import Buckets

# Who is told to come back in a second finds the answer to whether it can.
_LATELY_S = 1.0


class Load:
    """The load of one server; the listener writes it.

    Attributes
    ----------
    at_work, waiting : int
        Requests on a thread, and requests waiting for one.
    connections, most_connections : int
    requests, rows : Buckets
        What each caller may still ask for.
    """

    def __init__(self, settings: Settings) -> None:
        self.at_work = 0
        self.waiting = 0
        self.connections = 0
        self.most_connections = settings.max_connections
        self.requests = Buckets(settings.rate_limit, settings.rate_burst_s)
        self.rows = Buckets(settings.row_rate_limit, settings.rate_burst_s)
        self._refused_at = -_LATELY_S

    def refused(self) -> None:
        """Note that a request was refused because too many wait."""
        self._refused_at = time.monotonic()

    @property
    def trouble(self) -> str | None:
        """Why a prediction would probably be refused now, or None."""
        is_refusing = time.monotonic() - self._refused_at < _LATELY_S
        return "too many requests wait" if is_refusing else None
