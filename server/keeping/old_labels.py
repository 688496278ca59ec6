"""Export and remove the labels that no prediction is left for."""

import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from server.keeping.archive import rows_in, write_whole
from server.keeping.exporting import NotExported
from server.keeping.logs import Log
from server.sql.downloads import new_file
from server.storage.database import keeping_folder
from server.storage.parts import literal

LABELS = "given_labels"
# Labels removed in one transaction.
_PIECE = 2_000
# A label names a prediction, or the id that its caller gave it.
_OLD = f"""
FROM {LABELS} AS old WHERE received_at < $until
AND NOT EXISTS (FROM predictions p WHERE p.prediction_id = old.prediction_id)
AND NOT EXISTS (FROM predictions p WHERE p.id = old.id)
"""
_REMOVE = f"""
DELETE FROM {LABELS} USING (
    SELECT unnest($times::TIMESTAMP[]) AS received_at,
        unnest($predictions::UUID[]) AS prediction_id, unnest($ids::VARCHAR[]) AS id
) AS old
WHERE {LABELS}.received_at = old.received_at AND {LABELS}.id IS NOT DISTINCT FROM old.id
AND {LABELS}.prediction_id IS NOT DISTINCT FROM old.prediction_id
"""  # noqa: S608  # a name of ours


def find_old_labels(log: Log, until: datetime) -> list[tuple[Any, ...]]:
    """Return what tells the labels apart that came before `until` and fit no prediction."""
    with log.cursor() as cursor:
        cursor.execute(f"SELECT received_at, prediction_id, id {_OLD}", {"until": until})  # ours
        return cursor.fetchall()


def export_old_labels(log: Log, to: Path, until: datetime, rows: int) -> Path:
    """Write those labels into a file beside the folder `to`, and return where.

    Not into the folder: who reads that as one table wants predictions.

    Raises
    ------
    NotExported
        If the file does not hold so many rows.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}.parquet"
    path = labels_folder(to) / f"replica={socket.gethostname()}" / name
    with new_file(keeping_folder(log.path)) as made:
        with log.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT * {_OLD} ORDER BY received_at) TO {literal(str(made))} "  # ours
                "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
                {"until": until},
            )
        with made.open("rb") as content:
            write_whole(content, path)
    with duckdb.connect() as reader:
        if rows_in(path, reader) != rows:
            raise NotExported(f"{path} does not hold {rows:,} labels; they stay in the log")
    return path


def labels_folder(to: Path) -> Path:
    """Return where the labels lie whose predictions are under `to`."""
    return to.with_name(f"{to.name}.labels")


def removals(old: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the statements that remove `old`, a piece each."""
    for start in range(0, len(old), _PIECE):
        times, predictions, ids = zip(*old[start : start + _PIECE], strict=True)
        yield _REMOVE, {"times": [*times], "predictions": [*predictions], "ids": [*ids]}
