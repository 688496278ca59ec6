"""What exported Parquet files hold, and how a file comes whole to the disk."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import duckdb


def rows_in(path: Path, reader: duckdb.DuckDBPyConnection) -> int | None:
    """Return how many rows a Parquet file holds; None where it is missing or damaged."""
    if not path.exists():
        return None
    name = str(path.absolute())
    try:
        reader.execute("SELECT num_rows FROM parquet_file_metadata($1)", [name])
        ((rows,),) = reader.fetchall()
    except duckdb.Error:
        return None  # damaged: it is written anew
    return int(rows)


def ids_missing(
    reader: duckdb.DuckDBPyConnection, of: Sequence[Path], among: Sequence[Path]
) -> int:
    """Return how many predictions of some Parquet files are not in the others."""
    files = [[str(path.absolute()) for path in paths] for paths in (of, among)]
    reader.execute(
        "SELECT count(*) FROM read_parquet($1) ANTI JOIN read_parquet($2) USING (prediction_id)",
        files,
    )
    ((missing,),) = reader.fetchall()
    return int(missing)


def write_whole(content: IO[bytes], path: Path) -> None:
    """Write `content` to `path`, which appears whole and on the disk, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f".{path.name}.part")
    try:
        with growing.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        growing.replace(path)
        sync_folder(path.parent)
    finally:
        growing.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, so that they outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
