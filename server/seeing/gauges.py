"""What is looked up when somebody asks: how full, how large, how ready."""

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from server.config import Settings
from server.limits.load import Load
from server.prediction_log import PredictionLog
from server.seeing.verdicts import Verdicts
from server.seeing.writer_metrics import size_of, wal_of


class Gauges(Collector):
    """The state of one server, read at each scrape.

    Attributes
    ----------
    verdicts : callable
        Returns what the monitor said last, and takes no time.
    """

    def __init__(
        self, settings: Settings, log: PredictionLog, is_stopping: Event, load: Load
    ) -> None:
        self._settings = settings
        self._log = log
        self._is_stopping = is_stopping
        self._load = load
        self.verdicts: Callable[[], Verdicts] = Verdicts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return all gauges as they are now."""
        database = self._settings.database
        is_ready = not (self._is_stopping.is_set() or self._load.trouble or self._log.trouble)
        told: dict[str, tuple[str, float]] = {
            "server_ready": ("1 while a prediction would be stored.", is_ready),
            "http_server_threads": ("Requests at work at most.", self._settings.threads),
            "http_server_active_requests": ("Requests at work, this one too.", self._load.at_work),
            "http_server_waiting_requests": ("Requests waiting for a thread.", self._load.waiting),
            "http_server_connections": ("Connections that are open.", self._load.connections),
            "http_server_connections_limit": (
                "Connections at most; beyond that the longest idle one is closed.",
                self._load.most_connections,
            ),
            "prediction_log_queue_rows": ("Rows waiting for their commit.", self._log.waiting_rows),
            "prediction_log_queue_limit_rows": (
                "Rows that may wait; beyond that the answer is 503.",
                self._settings.max_waiting_rows,
            ),
            "prediction_log_database_bytes": ("The database file.", size_of(database)),
            "prediction_log_wal_bytes": (
                "The write-ahead log beside the database.",
                size_of(wal_of(database)),
            ),
            "prediction_log_disk_free_bytes": (
                "Free on the disk of the database, for this user.",
                _free_bytes(database.absolute().parent),
            ),
        }
        for name, (meaning, value) in told.items():
            yield GaugeMetricFamily(name, meaning, value=value)
        drift = GaugeMetricFamily(
            "model_input_drift_psi",
            "Population stability index of an input against the training rows.",
            labels=["feature"],
        )
        verdicts = self.verdicts()
        for feature, psi in verdicts.drift.items():
            drift.add_metric([feature], psi)
        yield drift
        alarm = GaugeMetricFamily(
            "monitor_alarm",
            "1 where /monitor?last=24h has an alarm, 0 where enough rows say that there is none.",
            labels=["check"],
        )
        for check, is_alarm in verdicts.alarms.items():
            alarm.add_metric([check], is_alarm)
        yield alarm


def _free_bytes(folder: Path) -> float:
    """Return what this user may still write on the disk of `folder`; NaN if it cannot be told."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return math.nan
    return disk.f_bavail * disk.f_frsize
