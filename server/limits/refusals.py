"""What is answered to a request that is not let in: 429 or 503, written before it is needed."""

from collections.abc import Mapping
from http import HTTPStatus

from server.errors import problem, written
from server.limits.buckets import Buckets
from server.together import Answer

# Reasons, and what is told of each.
BUSY, THREADS, CALLER, REQUESTS, ROWS = "busy", "threads", "caller", "request rate", "row rate"
_TOLD = {
    BUSY: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too many requests wait: nothing of this one was stored; send it again",
    ),
    THREADS: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "every thread is at work: nothing of this request was stored; send it again",
    ),
    CALLER: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too many requests of yours are at work: nothing of this one was stored; send it again",
    ),
    REQUESTS: (HTTPStatus.TOO_MANY_REQUESTS, "you have sent more requests than SEXTANT_RATE_LIMIT"),
    ROWS: (HTTPStatus.TOO_MANY_REQUESTS, "you have sent more rows than SEXTANT_ROW_RATE_LIMIT"),
}


class Refusals:
    """Makes answers; each body is written once."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, bool], tuple[bytes, str]] = {}

    def make(self, reason: str, path: str, request_id: str, retry_after_s: int = 1) -> Answer:
        """Return the answer to a request for `path`."""
        status, told = _TOLD[reason]
        key = (reason, path.startswith("/v2"))
        if key not in self._bodies:
            text, content_type = written(problem(status, told), path)
            self._bodies[key] = text.encode(), content_type
        body, content_type = self._bodies[key]
        headers = [
            ("Content-Type", content_type),
            ("Retry-After", str(retry_after_s)),
            ("X-Request-ID", request_id),
        ]
        return Answer(f"{status.value} {status.phrase}", headers, body)


def status_of(reason: str) -> HTTPStatus:
    """Return the status that says `reason`."""
    return _TOLD[reason][0]


def rate_headers(buckets: Mapping[str, Buckets], caller: str) -> list[tuple[str, str]]:
    """Return RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers-10 has them.

    Parameters
    ----------
    buckets : dict
        Of each limit by its name; those without a rate say nothing.
    caller : str
    """
    policies, levels = [], []
    for name, bucket in buckets.items():
        if not bucket.rate:
            continue
        left = bucket.left(caller)
        policies.append(f'"{name}";q={bucket.size:.0f};w={max(1, round(bucket.window_s))}')
        levels.append(f'"{name}";r={left.units};t={left.reset_s}')
    if not policies:
        return []
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(levels))]
