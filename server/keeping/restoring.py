"""Put a database in the place of the log, while no server runs: a backup, or the log anew."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from server.keeping.archive import sync_folder, write_whole
from server.keeping.copying import CopyFailed, check_copy, copy_database, count_rows
from server.keeping.space import files_of
from server.storage.database import LogUnusable, fold, open_database, unusable


def restore(source: Path, database: Path) -> tuple[dict[str, int], Path | None]:
    """Copy `source`, with its write-ahead log, to `database`; return its rows, and the old log.

    The copy is read wholly before anything is moved. `source` is not changed.

    Raises
    ------
    CopyFailed
        If `source` is damaged, no log, or of a newer DuckDB; the log is as it was.
    LogUnusable
        If a server has the log open.
    """
    if not source.is_file():
        raise CopyFailed(f"{source}: there is no such file")
    if database.exists() and source.samefile(database):
        raise CopyFailed(f"{source}: this is the log itself")
    database.parent.mkdir(parents=True, exist_ok=True)
    made_ready = database.with_name(f".{database.name}.restoring")
    with _held(database):
        try:
            _remove(made_ready)
            _copy(source, made_ready)
            _settle(made_ready)
            rows = check_copy(made_ready)
            aside = _move_aside(database)
            made_ready.rename(database)
        finally:
            _remove(made_ready)
    sync_folder(database.parent)
    return rows, aside


@contextlib.contextmanager
def _held(database: Path) -> Iterator[None]:
    """Hold the log, so that no server starts on it meanwhile; a damaged one cannot be held."""
    try:
        # Only to read: closing would otherwise write under the old name.
        held = duckdb.connect(str(database.absolute()), read_only=True)
    except (duckdb.Error, RuntimeError) as error:
        if "lock on file" in str(error):
            raise unusable(database, error) from error
        held = None
    try:
        yield
    finally:
        if held:
            held.close()


def compact(database: Path) -> tuple[int, int]:
    """Write the log anew, with nothing in its file but what it holds; return bytes before, after.

    Blocks that were freed, and rows that were removed from blocks still in use, are not in it.

    Raises
    ------
    CopyFailed
        If there is no room for both, or the new one is not what it should be; nothing is changed.
    LogUnusable
        If a server has the log open, or it is damaged.
    """
    made_ready = database.with_name(f".{database.name}.restoring")
    with open_database(database) as connection, connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        copied = copy_database(cursor, database)
    before = database.stat().st_size
    with copied.file, _held(database):
        try:
            write_whole(copied.file, made_ready)
            check_copy(made_ready, copied.rows)
            _check_nothing_came(database, copied.rows)
            made_ready.replace(database)
        finally:
            made_ready.unlink(missing_ok=True)
    sync_folder(database.parent)
    return before, database.stat().st_size


def _check_nothing_came(database: Path, rows: dict[str, int]) -> None:
    with duckdb.connect(str(database.absolute()), read_only=True) as connection:
        if count_rows(connection) != rows:
            raise CopyFailed(f"{database}: a server stored rows meanwhile: stop it")


def _remove(made_ready: Path) -> None:
    for each in files_of(made_ready):
        each.unlink()


def _copy(source: Path, to: Path) -> None:
    for each in files_of(source):
        copy = to.with_name(to.name + each.name.removeprefix(source.name))
        shutil.copyfile(each, copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())


def _settle(database: Path) -> None:
    """Write what stands in the write-ahead log into the one file."""
    try:
        with open_database(database) as connection:
            fold(connection)
    except LogUnusable as error:
        raise CopyFailed(str(error)) from error


def _move_aside(database: Path) -> Path | None:
    files = files_of(database)
    if not files:
        return None
    now = datetime.now(UTC)
    aside = database.with_name(f"{database.stem}.before-{now:%Y%m%dT%H%M%S%f}{database.suffix}")
    for each in reversed(files):
        each.rename(aside.with_name(aside.name + each.name.removeprefix(database.name)))
    return aside
