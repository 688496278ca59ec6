"""Export what was answered to nobody, before it is removed with the predictions it stood beside."""

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from server.keeping.archive import rows_in, write_whole
from server.keeping.exporting import NotExported
from server.keeping.logs import Log
from server.sql.downloads import new_file
from server.storage.database import keeping_folder
from server.storage.parts import literal

_OLD = "FROM shadow_predictions WHERE predicted_at < $until ORDER BY prediction_id"


def count_old_shadows(log: Log, tables: Sequence[str], until: datetime) -> int:
    """Return how many rows of these tables are of before `until`."""
    total = 0
    with log.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE predicted_at < ?", [until])  # noqa: S608  # names of ours
            ((rows,),) = cursor.fetchall()
            total += rows
    return total


def export_old_shadows(log: Log, to: Path, until: datetime, rows: int) -> Path:
    """Write them into a file beside the folder `to`, and return where.

    Not into the folder: who reads that as one table wants what was answered.

    Raises
    ------
    NotExported
        If the file does not hold so many rows.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}.parquet"
    path = shadows_folder(to) / f"replica={socket.gethostname()}" / name
    with new_file(keeping_folder(log.path)) as made:
        with log.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT * {_OLD}) TO {literal(str(made))} "
                "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
                {"until": until},
            )
        with made.open("rb") as content:
            write_whole(content, path)
    with duckdb.connect() as reader:
        if rows_in(path, reader) != rows:
            raise NotExported(f"{path} does not hold {rows:,} rows of the shadow; they stay")
    return path


def shadows_folder(to: Path) -> Path:
    """Return where the rows of the shadow lie whose predictions are under `to`."""
    return to.with_name(f"{to.name}.shadow")
