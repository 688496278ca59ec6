"""How many requests there were of each kind, and how long they took."""

from prometheus_client import CollectorRegistry, Histogram

# In seconds: one row takes some 2 ms with its commit, the longest wait for one is 10 s.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics:
    """The histogram of all requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "From the request's last byte to the answer.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=registry,
        )
        # Finding a child by its labels takes longer than counting in it.
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def answered(
        self, method: str, route: str, status: int, seconds: float, trace_id: str | None = None
    ) -> None:
        """Count one answered request; `method` and `route` are of a bounded set of words."""
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._seconds.labels(method, route, status)
        child.observe(seconds, None if trace_id is None else {"trace_id": trace_id})
