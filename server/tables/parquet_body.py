"""Read a Parquet body with DuckDB, in a database of its own that may break without harm."""

import threading
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from server.column_faults import ColumnFault
from server.contract import Feature
from server.faults import InvalidPayload
from server.payload import Instances
from server.sql.downloads import new_file
from server.storage.memory import most_bytes
from server.storage.parts import literal
from server.storage.snapshots import ReadTooLong, stopping
from server.storage.tasks import LogUnavailable
from server.tables.checking import check_names, check_values, invalid, too_many

_MAGIC = b"PAR1"
# Longest time to read a body: a good one of 16 MB takes a tenth of a second.
_TIMEOUT_S = 5.0
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # One core, and no disk: what needs more is no body that we take.
    "threads": 1,
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "allow_persistent_secrets": False,
}
_MEMORY_BYTES = 256 * 10**6
_AS_THEY_ARE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN"}
_AS_THEY_ARE |= {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "VARCHAR"}
_WANTED = {"float32": "numbers", "int64": "whole numbers", "string": "text"}


class _Column(NamedTuple):
    name: str
    type: str


class ParquetReader:
    """Reads the Parquet bodies of one contract, one at a time.

    Parameters
    ----------
    folder : Path
        Where a body lies while it is read.
    max_bytes : int
        Most bytes that a body may hold once it is unpacked.
    """

    def __init__(
        self, features: Sequence[Feature], folder: Path, *, max_instances: int, max_bytes: int
    ) -> None:
        self._features = features
        self._folder = folder
        self._max_instances = max_instances
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def read(self, body: bytes) -> Instances:
        """Return the rows of a file.

        Raises
        ------
        InvalidPayload
            With every fault, its row and its column.
        LogUnavailable
            If there is no room for the file.
        """
        if len(body) < 12 or body[:4] != _MAGIC or body[-4:] != _MAGIC:
            raise _malformed("it does not begin and end in PAR1")
        try:
            with new_file(self._folder) as path:
                path.write_bytes(body)
                with self._lock:
                    given, n_rows = self._read(path)
        except OSError as error:
            told = f"a body cannot be put beside the log: {error.strerror}"
            raise LogUnavailable(told) from error
        return check_values(given, n_rows, self._features)

    def _read(self, path: Path) -> tuple[dict[str, Any], int]:
        if self._connection is None:
            self._connection = _open(self._folder)
        try:
            with stopping(self._connection, _TIMEOUT_S):
                return self._columns(self._connection, f"read_parquet({_pattern(path)})", path)
        except (duckdb.InternalException, duckdb.FatalException) as error:
            # What some damaged files bring about, and what ends the database that has read them.
            self._connection = None
            raise _malformed(_first_line(error)) from None
        except ReadTooLong:
            raise _malformed(f"it takes longer than {_TIMEOUT_S:g} s to read") from None
        except (duckdb.Error, RuntimeError, MemoryError, UnicodeDecodeError) as error:
            raise _malformed(_first_line(error)) from None

    def _columns(
        self, connection: duckdb.DuckDBPyConnection, table: str, path: Path
    ) -> tuple[dict[str, Any], int]:
        n_rows = self._check_size(connection, path)
        columns = _find_columns(connection, path)
        names = [column.name for column in columns]
        wanted = {feature.name: _WANTED[feature.type] for feature in self._features}
        faults = check_names(names, self._features)
        faults += [
            ColumnFault(None, name, f"expected {wanted.get(name, 'text')}, the column holds {kind}")
            for name, kind in columns
            if (name in wanted or name == "id") and _sql("", name, kind) is None
        ]
        if faults:
            raise invalid(faults)
        # By their places: DuckDB renames columns whose names differ in nothing but their case.
        places = [f"c{number}" for number in range(len(columns))]
        source = f"{table} AS t({', '.join(places)})"
        texts = [place for place, column in zip(places, columns, strict=True) if _is_text(column)]
        self._check_texts(connection, source, texts)
        selected = [
            f"{_sql(place, *column)} AS {place}"
            for place, column in zip(places, columns, strict=True)
        ]
        connection.execute(f"SELECT {', '.join(selected)} FROM {source}")  # noqa: S608  # names of ours
        found: Any = connection.fetchnumpy()
        given = {name: found[place] for name, place in zip(names, places, strict=True)}
        # What the index says of rows is not what a reader finds where a file is made up.
        n_found = len(next(iter(given.values())))
        if n_found != n_rows:
            raise _malformed(f"its index speaks of {n_rows} rows, and it holds {n_found}")
        return given, n_rows

    def _check_size(self, connection: duckdb.DuckDBPyConnection, path: Path) -> int:
        """Return how many rows the index speaks of, if that, and their bytes, may be read."""
        query = f"SELECT num_rows FROM parquet_file_metadata({_pattern(path)})"  # noqa: S608  # a path of ours
        ((n_rows,),) = connection.execute(query).fetchall()
        if n_rows > self._max_instances:
            raise too_many(f"{n_rows}", self._max_instances)
        if n_rows < 1:
            raise invalid([ColumnFault(None, "", "there is no row: send at least one")])
        query = f"SELECT sum(total_uncompressed_size) FROM parquet_metadata({_pattern(path)})"  # noqa: S608  # a path of ours
        self._check_bytes(connection.execute(query).fetchall()[0][0])
        return int(n_rows)

    def _check_texts(
        self, connection: duckdb.DuckDBPyConnection, source: str, places: Sequence[str]
    ) -> None:
        # A text of a dictionary may stand in every row, and is counted once in the file.
        if places:
            lengths = " + ".join(f"coalesce(sum(strlen({place})), 0)" for place in places)
            query = f"SELECT {lengths} FROM {source}"  # noqa: S608  # names of ours
            self._check_bytes(connection.execute(query).fetchall()[0][0])

    def _check_bytes(self, n_bytes: int | None) -> None:
        if n_bytes is not None and not 0 <= n_bytes <= self._max_bytes:
            raise InvalidPayload(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body holds {n_bytes} bytes unpacked, more than the {self._max_bytes} that "
                "SEXTANT_MAX_BODY_BYTES allows",
            )


def _open(folder: Path) -> duckdb.DuckDBPyConnection:
    config = _CONFIG | {"memory_limit": f"{most_bytes(_MEMORY_BYTES)}B"}
    connection = duckdb.connect(":memory:", config=config)
    # Asked for once as a pattern, and once by its name.
    allowed = f"{_pattern(folder)[:-1]}/', {literal(f'{folder}/')}"
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _pattern(path: Path) -> str:
    """Return the path as DuckDB reads it, which takes names for patterns."""
    return literal("".join(f"[{each}]" if each in "*?[" else each for each in str(path)))


def _find_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[_Column]:
    """Return the columns of a schema, which lists every node before what is in it."""
    nodes = f"parquet_schema({_pattern(path)})"
    query = f"SELECT name, coalesce(num_children, 0), duckdb_type FROM {nodes}"  # noqa: S608  # a path of ours
    columns = []
    below = 0  # nodes still to come that lie in the last column
    for name, n_children, kind in connection.execute(query).fetchall()[1:]:
        if below == 0:
            columns.append(_Column(name, kind or "nothing"))
            below = 1
        below += n_children - 1
    return columns


def _is_text(column: _Column) -> bool:
    return column.type == "VARCHAR" or column.type == "JSON"


def _sql(place: str, name: str, kind: str) -> str | None:
    """Return how a column of this type is read, or None if it is not."""
    if kind in _AS_THEY_ARE:
        return place
    if kind.startswith("DECIMAL"):
        return f"{place}::DOUBLE"
    if kind == '"NULL"':
        return "NULL::FLOAT"
    if kind == "JSON" or (kind == "UUID" and name == "id"):
        return f"{place}::VARCHAR"
    return None


def _malformed(detail: str) -> InvalidPayload:
    return InvalidPayload(HTTPStatus.BAD_REQUEST, f"the body is not Parquet we can read: {detail}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
