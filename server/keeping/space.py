"""How much room the log takes, and how much of its file is free for new rows."""

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Space:
    """Bytes of the database's file, of its blocks in use and free, and of its write-ahead log."""

    file_bytes: int
    used_bytes: int
    free_bytes: int
    wal_bytes: int

    def __str__(self) -> str:
        return (
            f"{_mb(self.file_bytes)}, of which {_mb(self.used_bytes)} are used and "
            f"{_mb(self.free_bytes)} free for new rows; {_mb(self.wal_bytes)} in its log of writes"
        )


def space_of(cursor: duckdb.DuckDBPyConnection, path: Path) -> Space:
    """Return the room that the open database at `path` takes, as of its last checkpoint."""
    cursor.execute(
        "SELECT block_size, used_blocks, free_blocks FROM pragma_database_size() "
        "WHERE database_name = current_database()"
    )
    ((block, used, free),) = cursor.fetchall()
    # Sizes by name: to open the file here and close it would drop DuckDB's lock.
    return Space(path.stat().st_size, block * used, block * free, wal_size(path))


def wal_of(path: Path) -> Path:
    """Return where the write-ahead log of the database at `path` lies."""
    return path.with_name(f"{path.name}.wal")


def files_of(path: Path) -> list[Path]:
    """Return the files of the database at `path` that there are: itself, and its logs of writes.

    The last two are there while DuckDB writes a checkpoint, and after a kill in it.
    """
    names = [f"{path.name}{end}" for end in ("", ".wal", ".wal.checkpoint", ".wal.recovery")]
    return [each for each in map(path.with_name, names) if each.exists()]


def wal_size(path: Path) -> int:
    """Return the bytes of the write-ahead log, 0 where there is none."""
    wal = wal_of(path)
    return wal.stat().st_size if wal.exists() else 0


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"
