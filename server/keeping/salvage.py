"""Write everything of a damaged log that can be read into a new one; the damaged stays as it is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from server.keeping.copying import CopyFailed, table_names
from server.keeping.damage import columns_of, find_unreadable, groups_of
from server.keeping.mending import mend_headers, mend_wal
from server.keeping.space import files_of, wal_of
from server.storage.parts import literal, quoted
from server.storage.power_loss import seal_torn_blocks
from server.storage.write_ahead import look_at_wal

# Both are inside the folder; the second is a log that a server starts on.
_COPY, SALVAGED = "copy.duckdb", "salvaged.duckdb"


def salvage(damaged: Path, folder: Path) -> Iterator[str]:
    """Copy the log into `folder`, mend the copy, and write what it holds; yield what was done.

    Raises
    ------
    CopyFailed
        If the folder holds something already, or nothing can be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CopyFailed(f"{folder}: there is something in it already: name an empty folder")
    copy, salvaged = folder / _COPY, folder / SALVAGED
    try:
        yield from _mend(damaged, copy)
        yield from _write(copy, salvaged)
    except (duckdb.Error, RuntimeError) as error:
        raise CopyFailed(f"{salvaged}: {str(error).partition(chr(10))[0]}") from error
    finally:
        for each in files_of(copy):
            each.unlink()
    yield f"{salvaged}: a log; python -m server restore puts it in the place of the other"


def _mend(damaged: Path, copy: Path) -> list[str]:
    """Make a copy that DuckDB opens, and say what it took."""
    for are_trusted in (True, False):
        for each in files_of(damaged):
            shutil.copyfile(each, copy.with_name(copy.name + each.name.removeprefix(damaged.name)))
        told = mend_headers(copy, are_trusted=are_trusted) + mend_wal(copy)
        if look_at_wal(wal_of(copy)).ends_in_checkpoint:
            told += [
                f"a checkpoint was cut off: the checksum of its block at {at:,} is made to fit"
                for at in seal_torn_blocks(copy)
            ]
        why = _why_closed(copy)
        if why and wal_of(copy).exists():
            wal_of(copy).unlink()
            told.append(f"the write-ahead log does not fit the file, and is left out ({why})")
            why = _why_closed(copy)
        if not why:
            return told
    raise CopyFailed(f"nothing can be read of it ({why})")


def _why_closed(copy: Path) -> str | None:
    try:
        duckdb.connect(str(copy.absolute()), read_only=True).close()
    except (duckdb.Error, RuntimeError) as error:
        return str(error).partition("\n")[0]
    return None


def _write(copy: Path, salvaged: Path) -> Iterator[str]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(copy.absolute()))} AS damaged (READ_ONLY)")
        connection.execute(
            f"ATTACH {literal(str(salvaged.absolute()))} AS salvaged (STORAGE_VERSION 'v1.4.0')"
        )
        connection.execute("USE damaged")
        for table in table_names(connection):
            yield from _write_table(connection, table)
        _write_views(connection)
        connection.execute("DETACH salvaged")


def _write_table(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    name = quoted(table)
    connection.execute(f"CREATE TABLE salvaged.{name} AS FROM {name} LIMIT 0")
    broken = {each.first: each for each in find_unreadable(connection) if each.table == table}
    partly = 0
    for first, last in groups_of(connection, table):
        lost = broken[first].columns if first in broken else []
        columns = ", ".join(
            f"NULL AS {quoted(each)}" if each in lost else quoted(each)
            for each in columns_of(connection, table)
        )
        (rows,) = connection.execute(
            f"INSERT INTO salvaged.{name} SELECT {columns} FROM {name} "  # noqa: S608  # quoted
            f"WHERE rowid BETWEEN {first} AND {last}"
        ).fetchone() or (0,)
        partly += rows if lost else 0
    ((total,),) = connection.execute(f"SELECT count(*) FROM salvaged.{name}").fetchall()  # noqa: S608  # quoted
    yield f"{table}: {total:,} rows" + (f", {partly:,} of them in part" if partly else "")
    yield from (str(each) + ": null in the new log" for each in broken.values())


def _write_views(connection: duckdb.DuckDBPyConnection) -> None:
    views = connection.execute(
        "SELECT sql FROM duckdb_views() WHERE NOT internal AND database_name = current_database() "
        # Those that others stand on were made first.
        "ORDER BY view_oid"
    ).fetchall()
    connection.execute("USE salvaged")
    waiting = [sql for (sql,) in views]
    while waiting:
        left = [sql for sql in waiting if not _is_made(connection, sql)]
        if len(left) == len(waiting):
            break  # a server makes its own views anew when it starts
        waiting = left
    connection.execute("USE damaged")


def _is_made(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        connection.execute(sql)
    except duckdb.Error:
        return False
    return True
