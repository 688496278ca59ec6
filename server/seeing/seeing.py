"""All that is seen of one server: every request and every commit is told here."""

import logging
from collections.abc import Callable
from threading import Event
from typing import Any

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from server.config import Settings
from server.limits.load import Load
from server.prediction_log import PredictionLog
from server.seeing.gauges import Gauges
from server.seeing.limit_metrics import LimitMetrics
from server.seeing.prediction_metrics import PredictionMetrics
from server.seeing.record import Record, to_ms
from server.seeing.refreshed import Refreshed
from server.seeing.request_metrics import RequestMetrics
from server.seeing.verdicts import Verdicts, judge_last_day
from server.seeing.writer_metrics import WriterMetrics
from server.served import Served

# A series beside each counter with the time it was made; process_start_time_seconds says it once.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it publishes types, but not here

# Routes of requests that no route has: what a client may make up is one word.
UNMATCHED = "(unmatched)"
# Of what is no HTTP, or has headers or a body without measure, the app sees nothing.
REFUSED = "(refused)"


class Seeing:
    """Counts what it is told, in a registry of its own, and logs it once it knows where."""

    def __init__(
        self,
        settings: Settings,
        champion: Served,
        log: PredictionLog,
        is_stopping: Event,
        load: Load,
    ) -> None:
        self._champion = champion
        self.registry = CollectorRegistry()
        self._requests = RequestMetrics(self.registry)
        self.limits = LimitMetrics(self.registry)
        self.predictions = PredictionMetrics(champion.model, self.registry)
        log.observe_with(WriterMetrics(self.registry).written)
        self.gauges = Gauges(settings, log, is_stopping, load)
        verdicts = Refreshed(lambda: judge_last_day(log, self._champion, settings), Verdicts())
        log.before_close(verdicts.stop)
        self.gauges.verdicts = verdicts
        self.registry.register(self.gauges)
        ProcessCollector(registry=self.registry)
        self._slow_s = settings.slow_request_ms / 1e3
        self._write: Callable[[dict[str, Any]], None] | None = None
        self._level = logging.INFO

    def serve(self, champion: Served) -> None:
        """Tell of this champion from now on."""
        self._champion = champion
        self.predictions.serve(champion.model)

    def log_to(self, write: Callable[[dict[str, Any]], None], level: int) -> None:
        """Hand the line of each request to `write`, if it is of `level` or above."""
        self._write, self._level = write, level

    def count(self, record: Record, route: str, status: int) -> None:
        """Count one answered request that is not worth a line of its own."""
        self._requests.answered(record.method, route, status, record.end())

    def finish(self, record: Record, route: str, status: int, request_id: str | None) -> None:
        """Count and log one answered request; called once, when its answer is complete."""
        seconds = record.end()
        trace = record.trace
        self._requests.answered(
            record.method, route, status, seconds, trace.trace_id if trace else None
        )
        is_slow = seconds > self._slow_s
        level = logging.WARNING if is_slow or status >= 500 else logging.INFO
        if self._write is None or level < self._level:
            return
        line: dict[str, Any] = {
            "level": "WARNING" if level == logging.WARNING else "INFO",
            "logger": "server.requests",
            "message": "slow request" if is_slow else "request",
            "request_id": request_id,
        }
        if trace:
            line["trace_id"], line["span_id"] = trace.trace_id, trace.span_id
            line["parent_id"] = trace.parent_id
        line["method"], line["route"], line["status"] = record.method, route, status
        line["duration_ms"] = to_ms(seconds)
        if record.key is not None:
            line["key"] = record.key
        if record.rows is not None:
            line["rows"] = record.rows
        line["bytes"] = record.n_bytes
        if record.is_broken_off:
            line["broken_off"] = True
        line["parts_ms"] = record.parts_ms()
        self._write(line)
