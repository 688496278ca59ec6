"""Copy the whole log while it is written, as it is at one time, and prove that a copy is whole."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from server.keeping.space import space_of
from server.sql.downloads import new_file
from server.storage.database import keeping_folder
from server.storage.parts import literal, quoted

# A copy that fills the disk would stop the log itself: this much is left, in bytes.
_SPARE_BYTES = 256 * 2**20


class CopyFailed(Exception):
    """A copy that was not made, or is not what it should be; the message says why."""


@dataclass(frozen=True)
class Copied:
    """A whole database in an open file that has no name any more, and the rows of its tables."""

    file: IO[bytes]
    rows: dict[str, int]


def copy_database(cursor: duckdb.DuckDBPyConnection, database: Path) -> Copied:
    """Copy the open database at `database`, tables and views, from one snapshot.

    Raises
    ------
    CopyFailed
        If the disk has no room for it beside the log.
    """
    folder = keeping_folder(database)
    wanted = space_of(cursor, database).used_bytes + _SPARE_BYTES
    room = shutil.disk_usage(database.absolute().parent).free
    if room < wanted:
        raise CopyFailed(
            f"a copy wants {wanted:,} bytes beside {database}, and {room:,} are free: "
            "free some space, or stop the server and copy the file"
        )
    with new_file(folder) as path:
        path.unlink()  # DuckDB takes no empty file for a database
        try:
            rows = _copy(cursor, path)
            return Copied(path.open("rb"), rows)
        finally:
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def _copy(cursor: duckdb.DuckDBPyConnection, path: Path) -> dict[str, int]:
    name = f"copy_{path.name}"
    cursor.execute(f"ATTACH {literal(str(path))} AS {name}")
    try:
        cursor.begin()
        try:
            ((here,),) = cursor.execute("SELECT current_database()").fetchall()
            cursor.execute(f"COPY FROM DATABASE {quoted(here)} TO {name}")
            # Still the same transaction: what is stored meanwhile is not counted.
            rows = count_rows(cursor)
            cursor.commit()
        except duckdb.Error:
            with contextlib.suppress(duckdb.Error):
                cursor.rollback()
            raise
        cursor.execute(f"CHECKPOINT {name}")  # writes all of it into the one file
    finally:
        cursor.execute(f"DETACH {name}")
    return rows


def count_rows(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the rows of each table."""
    counted = {}
    for name in table_names(cursor):
        cursor.execute(f"SELECT count(*) FROM {quoted(name)}")  # noqa: S608  # quoted
        ((counted[name],),) = cursor.fetchall()
    return counted


def table_names(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables of the log."""
    cursor.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' "
        "AND database_name = current_database() AND NOT temporary ORDER BY table_name"
    )
    return [name for (name,) in cursor.fetchall()]


def check_copy(path: Path, rows: dict[str, int] | None = None) -> dict[str, int]:
    """Return the rows of each table of the database at `path`, every value of which is read.

    DuckDB compares the checksum of each block that it reads. Nothing is written to the file.

    Raises
    ------
    CopyFailed
        If something is amiss, or a table does not hold as many as `rows` says.
    """
    try:
        with duckdb.connect(str(path.absolute()), read_only=True) as connection:
            for table in table_names(connection):
                connection.execute(f"SELECT max(hash({quoted(table)})) FROM {quoted(table)}")  # noqa: S608  # quoted
            found = count_rows(connection)
            connection.execute("SELECT count(*) FROM predictions").fetchall()
    except (duckdb.Error, RuntimeError) as error:
        told = str(error).partition("\n")[0]
        raise CopyFailed(f"{path}: this cannot be read as a log ({told})") from error
    if rows is not None and found != rows:
        raise CopyFailed(f"{path}: it holds {found}, and should hold {rows}")
    return found
