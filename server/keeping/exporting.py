"""Bring all that is due into files before it is removed, and prove that it is there."""

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from server.commands.export import Part, export
from server.commands.sources import LIMITS, DatabaseSource
from server.keeping.archive import ids_missing, rows_in
from server.keeping.logs import Log
from server.sql.downloads import new_file
from server.sql.query import SqlQueries
from server.storage.database import keeping_folder
from server.storage.parts import literal

_DAYS = """
SELECT DISTINCT model_name, date_trunc('day', predicted_at) AS day
FROM predictions WHERE predicted_at < $until ORDER BY day, model_name
"""
_IDS = """
SELECT prediction_id FROM predictions
WHERE model_name = $model AND predicted_at >= $since AND predicted_at < $until
"""
# Beside the server's own memory, in the process that compares the ids of a day.
_READER = {"memory_limit": "512MB", "threads": 1}


class NotExported(Exception):
    """Predictions that are due to be removed are in no file, so they stay."""


def export_due(
    log: Log, to: Path, until: datetime, commit_timeout_s: float
) -> Iterator[tuple[Path, int]]:
    """Write the hours before `until` that are in no file yet; yield each file and its rows.

    Every prediction is then looked for in the files of its model and day, whichever replica wrote
    them.

    Raises
    ------
    NotExported
        If one is missing.
    """
    if _first_missing(log, to, until) is None:
        return
    queries = SqlQueries(log.cursor, keeping_folder(log.path), LIMITS)
    source, replica = DatabaseSource(str(log.path), queries), socket.gethostname()
    for part in export(source, to, replica=replica, commit_timeout_s=commit_timeout_s, until=until):
        yield to / part.path(replica), part.rows
    if missing := _first_missing(log, to, until):
        raise NotExported(f"{missing}; nothing is removed")


def _first_missing(log: Log, to: Path, until: datetime) -> str | None:
    """Say which day is not wholly in the files; None where all are."""
    with log.cursor() as cursor, duckdb.connect(config=_READER) as reader:  # type: ignore[arg-type]  # its stubs want one type of value
        for model, day in cursor.execute(_DAYS, {"until": until}).fetchall():
            end = min(until, day + timedelta(days=1))
            missing = _missing(log, to, Part(model, day, end, 0), cursor, reader)
            if missing:
                return (
                    f"{missing:,} predictions of {model} on {day:%Y-%m-%d} are in no file of {to}"
                )
    return None


def _missing(
    log: Log,
    to: Path,
    day: Part,
    cursor: duckdb.DuckDBPyConnection,
    reader: duckdb.DuckDBPyConnection,
) -> int:
    bounds = {"model": day.model, "since": day.since, "until": day.until}
    found = (to / day.path("-")).parent.parent.glob("replica=*/*.parquet")
    files = [path for path in found if rows_in(path, reader) is not None]
    if not files:
        ((count,),) = cursor.execute(f"SELECT count(*) FROM ({_IDS})", bounds).fetchall()  # noqa: S608  # ours
        return int(count)
    with new_file(keeping_folder(log.path)) as ids:
        cursor.execute(
            f"COPY ({_IDS}) TO {literal(str(ids))} (FORMAT parquet, USE_TMP_FILE false)", bounds
        )
        return ids_missing(reader, [ids], files)
