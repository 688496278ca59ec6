"""Rows a second of one connection by batch size and format, beside onnxruntime alone."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.peers.contenders import Format
from benchmarks.peers.plan import Plan, raw_of
from benchmarks.peers.starting import Running, check, post

# Calls of each, at the least and at the most, and the seconds after which no other is begun.
_LEAST, _MOST, _ENOUGH_S = 3, 300, 0.4


@dataclass(frozen=True)
class Batch:
    """Rows a second of a contender, and of onnxruntime alone on all cores."""

    rows_per_s: float
    raw_rows_per_s: float

    @property
    def ratio(self) -> float:
        """The share that is left of what onnxruntime does alone."""
        return self.rows_per_s / self.raw_rows_per_s


def measure_batches(plan: Plan, server: Running) -> dict[tuple[str, int], Batch]:
    """Return a figure for each format and size that the server takes; its answers are checked."""
    found = {}
    for form in server.contender.formats:
        for size in plan.sizes:
            if size <= server.contender.most_rows:
                found[form.name, size] = _measure(plan, server, form, size)
    return found


def _measure(plan: Plan, server: Running, form: Format, size: int) -> Batch:
    rows = plan.some_rows(size)
    raw, body = raw_of(plan, server.contender.name, form.name), form.write(rows)
    path = (form.path or server.contender.path).format(model_name=plan.model_name)
    answer = post(server.port, path, form, body)
    check(server.contender, form, answer, raw.probabilities(rows))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        served_s = _seconds(lambda: post(server.port, path, form, body, connection))
    finally:
        connection.close()
    raw_s = min(_seconds(way) for way in raw.ways(rows))
    return Batch(size / served_s, size / raw_s)


def _seconds(call: Callable[[], object]) -> float:
    """Return the median time of a call."""
    call()
    times: list[float] = []
    while len(times) < _LEAST or (sum(times) < _ENOUGH_S and len(times) < _MOST):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)
