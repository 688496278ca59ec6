"""Say which rows of which column cannot be read, table by table."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from server.keeping.copying import table_names
from server.storage.parts import quoted

# Rows that DuckDB stores together; it reads, and fails, by these.
GROUP_ROWS = 122_880


@dataclass(frozen=True)
class Unreadable:
    """Rows `first` to `last`, by place, of which some columns cannot be read."""

    table: str
    first: int
    last: int
    columns: list[str]

    def __str__(self) -> str:
        return (
            f"{self.table}: of the rows {self.first:,} to {self.last:,}, "
            f"{', '.join(self.columns)} cannot be read"
        )


def find_unreadable(connection: duckdb.DuckDBPyConnection) -> Iterator[Unreadable]:
    """Read every value of every table, and yield what cannot be."""
    for table in table_names(connection):
        if _reads(connection, f"max(hash({quoted(table)}))", table):
            continue
        columns = columns_of(connection, table)
        for first, last in groups_of(connection, table):
            broken = [
                column
                for column in columns
                if not _reads(connection, f"max(hash({quoted(column)}))", table, first, last)
            ]
            if broken:
                yield Unreadable(table, first, last, broken)


def groups_of(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last place of each group of rows."""
    ((end,),) = connection.execute(f"SELECT max(rowid) FROM {quoted(table)}").fetchall()  # noqa: S608  # quoted
    for first in range(0, (-1 if end is None else end) + 1, GROUP_ROWS):
        yield first, first + GROUP_ROWS - 1


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the names of a table's columns, in order."""
    connection.execute(f"SELECT * FROM {quoted(table)} LIMIT 0")  # noqa: S608  # quoted
    return [name for name, *_ in connection.description or ()]


def _reads(
    connection: duckdb.DuckDBPyConnection, what: str, table: str, first: int = 0, last: int = 2**60
) -> bool:
    try:
        connection.execute(
            f"SELECT {what} FROM {quoted(table)} WHERE rowid BETWEEN {first} AND {last}"  # noqa: S608  # quoted
        ).fetchall()
    except (duckdb.Error, RuntimeError):
        return False
    return True
