"""Store labels beside the predictions, and count how many predictions each meets now."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from server.labels.payload import Label, Labels
from server.prediction_log import PredictionLog
from server.storage.layout import Column, Table
from server.storage.snapshots import Snapshot
from server.storage.truth import LABELS
from server.storage.writing import insert

_TABLE = Table("given_labels", [Column(name, kind) for name, kind in LABELS.items()])


def store(log: PredictionLog, labels: Labels, request_id: str) -> datetime:
    """Store labels, all or none; return when they came, once they are committed.

    Raises
    ------
    LogUnavailable
        If they are not known to be committed.
    """
    received_at = datetime.now(UTC).replace(tzinfo=None)
    columns: dict[str, Any] = {
        "received_at": received_at,
        **{
            name: [getattr(each, name) for each in labels.given]
            for name in ("prediction_id", "id", "label", "value", "given_by")
        },
        "observed_at": labels.observed_at,
        "request_id": request_id,
    }
    log.change(lambda connection: insert(connection, _TABLE, columns, len(labels.given)))
    return received_at


def count_matches(snapshot: Snapshot, given: Sequence[Label]) -> list[int]:
    """Return of how many predictions each of `given` says the truth, now."""
    found: Counter[tuple[str, str, Any]] = Counter()
    wanted = {(_kind(each), *_key(each)) for each in given}
    for source in snapshot.sources:
        kind = "label" if "label" in source.fields else "value"
        for key in ("prediction_id", "id"):
            names = [value for *what, value in wanted if what == [kind, key]]
            if names:
                column = "UUID" if key == "prediction_id" else "VARCHAR"
                snapshot.cursor.execute(
                    f"SELECT {key}, count(*) FROM {source.table} "  # noqa: S608  # names of ours
                    f"WHERE {key} IN (SELECT unnest($1::{column}[])) GROUP BY {key}",
                    [names],
                )
                found.update({(kind, key, name): n for name, n in snapshot.cursor.fetchall()})
    return [found[_kind(each), *_key(each)] for each in given]


def _kind(label: Label) -> str:
    return "value" if label.label is None else "label"


def _key(label: Label) -> tuple[str, Any]:
    return (
        ("id", label.id) if label.prediction_id is None else ("prediction_id", label.prediction_id)
    )
