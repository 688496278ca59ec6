"""What is noted of one request while it is answered: where its time goes, and how much it is."""

import time
from collections.abc import Mapping
from typing import Any

from server.seeing.trace import read_traceparent

# Where the server puts the time at which the whole request had come in, on time.perf_counter.
RECEIVED_AT = "sextant.received_at"
# What a client may make up is one word in metrics and log.
_METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"]
)
OTHER_METHOD = "_OTHER"


def known_method(method: str) -> str:
    """Return `method`, or one word for all that HTTP does not know."""
    return method if method in _METHODS else OTHER_METHOD


def to_ms(seconds: float) -> float:
    """Return milliseconds to the microsecond; to round to digits takes four times as long."""
    return round(1e6 * seconds) / 1e3


class Record:
    """One request, from the moment it had come in whole.

    Parameters
    ----------
    environ : mapping
        As WSGI has it.
    """

    __slots__ = ("_ended", "_parts", "is_broken_off", "key", "method", "n_bytes", "rows", "trace")

    def __init__(self, environ: Mapping[str, Any]) -> None:
        now = time.perf_counter()
        self.method = known_method(environ.get("REQUEST_METHOD", ""))
        self.trace = read_traceparent(environ.get("HTTP_TRACEPARENT"))
        # The name of the key that was sent.
        self.key: str | None = None
        # Rows that were predicted; None for a request that predicts nothing.
        self.rows: int | None = None
        # Bytes of the answer's body.
        self.n_bytes = 0
        # Whether the client was gone, or reading failed, before the whole answer was sent.
        self.is_broken_off = False
        self._ended: float | None = None
        # Names of what was begun, each with its time: a part lasts until the next one begins.
        self._parts: list[tuple[str, float]] = [
            ("wait", environ.get(RECEIVED_AT, now)),
            ("handle", now),
        ]

    def begin(self, part: str) -> None:
        """Note that `part` begins now, and the part before it is over."""
        self._parts.append((part, time.perf_counter()))

    def end(self) -> float:
        """Note that the answer is complete, and return how long the request took, in seconds."""
        self._ended = time.perf_counter()
        return self._ended - self._parts[0][1]

    def parts_ms(self) -> dict[str, float]:
        """Return the milliseconds of each part, in order; the last one until the end, or now."""
        begun = self._parts
        ends = [began for _, began in begun[1:]] + [self._ended or time.perf_counter()]
        return {name: to_ms(end - began) for (name, began), end in zip(begun, ends, strict=True)}

    def server_timing(self) -> str | None:
        """Return the header Server-Timing of a request that has more parts than any other."""
        begun = self._parts
        if len(begun) == 2:
            return None
        now = time.perf_counter()
        told, end = [f"total;dur={1e3 * (now - begun[0][1]):.3f}"], now
        for name, began in reversed(begun):
            told.append(f"{name};dur={1e3 * (end - began):.3f}")
            end = began
        return ", ".join(reversed(told))


def headers_of(record: Record) -> list[tuple[str, str]]:
    """Return the headers that tell who asked where the time went, and where it is in a trace."""
    headers = []
    if record.trace:
        headers.append(("traceresponse", record.trace.response))
    if timing := record.server_timing():
        headers.append(("Server-Timing", timing))
    return headers
