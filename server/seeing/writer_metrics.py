"""What the writing thread does, and how long predictions wait for it."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram

# In seconds: a commit is a write and an fsync; a checkpoint of 16 MB is among the long ones.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_GROUPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_REASONS = ("queue_full", "commit_timeout", "commit_failed")


class WriterMetrics:
    """Histograms of commits, and counters of what could not be stored."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def seconds(name: str, meaning: str) -> Histogram:
            return Histogram(name, meaning, buckets=_BUCKETS, registry=registry)

        self._commit = seconds("prediction_log_commit_seconds", "One commit of all that waited.")
        self._checkpoint = seconds(
            "prediction_log_checkpoint_seconds",
            "To bring the write-ahead log into the database, while commits wait.",
        )
        self._change = seconds(
            "prediction_log_change_seconds", "Other work of the writer, while predictions wait."
        )
        self._group = Histogram(
            "prediction_log_group_rows",
            "Rows that shared a commit.",
            buckets=_GROUPS,
            registry=registry,
        )
        unstored = Counter(
            "prediction_log_unstored_rows",
            "Rows answered with 503, by why.",
            ["reason"],
            registry=registry,
        )
        self._unstored = {reason: unstored.labels(reason) for reason in _REASONS}

    def written(self, outcome: str, rows: int, seconds: float) -> None:
        """Count what became of rows; `server.storage.writer.Observe` names the outcomes."""
        if outcome == "committed":
            self._commit.observe(seconds)
            self._group.observe(rows)
        elif outcome == "checkpointed":
            self._checkpoint.observe(seconds)
        elif outcome == "changed":
            self._change.observe(seconds)
        else:
            self._unstored[outcome].inc(rows)


def wal_of(database: Path) -> str:
    """Return the path of the write-ahead log beside `database`."""
    return f"{database.absolute()}.wal"


def size_of(path: str | Path) -> int:
    """Return the size of a file in bytes, 0 where there is none to see; it is not opened."""
    try:
        return os.stat(path).st_size  # noqa: PTH116  # twice as fast, and asked at every commit
    except OSError:
        return 0
