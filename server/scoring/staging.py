"""Bring a table of text into Parquet, row by row in its order, so that any range can be read."""

import csv
import gzip
import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import duckdb
import numpy as np

from server.storage.parts import literal, quoted

# Rows that are read, answered and written at once, and what an interruption costs each core. Half
# a row group of DuckDB's: with 10 numbers a row some 5 MB, and a second of a small forest's time.
PART_ROWS = 61_440
# Longest field of CSV and longest line of NDJSON, in bytes; Python's own limit is 128 kB a field.
_LONGEST = 2**24


class InvalidTable(Exception):
    """A file that is not the table it should be; the message says what and where."""


def stage_csv(connection: duckdb.DuckDBPyConnection, path: Path, to: Path) -> None:
    """Write the rows of a CSV file, every field as text, into the folder `to`, a file a part.

    Python reads it: DuckDB's own reader drops what follows a quote that is never closed.
    """
    csv.field_size_limit(_LONGEST)
    to.mkdir()
    with _text(path) as text:
        lines = csv.reader(text, strict=True)
        try:
            names = next(lines, None)
            if not names:
                raise InvalidTable(f"{path}: its first line should have the names of the columns")
            check_names(path, names)
            rows, number = _piece(path, lines, names), 0
            while rows or not number:
                _write(connection, rows, names, to / f"{number:06}.parquet")
                rows, number = _piece(path, lines, names), number + 1
        except (csv.Error, EOFError, gzip.BadGzipFile) as error:
            raise InvalidTable(f"{path}, line {lines.line_num}: {error}") from None
        except UnicodeDecodeError as error:
            raise InvalidTable(f"{path}, after line {lines.line_num}: not UTF-8: {error}") from None


def stage_ndjson(connection: duckdb.DuckDBPyConnection, path: Path, to: Path) -> None:
    """Write the rows of an NDJSON file into the Parquet file `to`, every value as its JSON.

    DuckDB finds all keys first; with one thread it keeps the order.
    """
    compression = "gzip" if path.name.lower().endswith(".gz") else "none"
    with _binary(path) as file:
        is_empty = not file.read(1)
    if is_empty:
        source = "(SELECT NULL AS id WHERE false)"
    else:
        source = (
            f"read_json({pattern(path)}, format = 'newline_delimited', records = 'true', "
            "maximum_depth = 1, sample_size = -1, map_inference_threshold = -1, "
            f"maximum_object_size = {_LONGEST}, compression = '{compression}')"
        )
    connection.execute(f"COPY (SELECT * FROM {source}) TO {literal(str(to))} (FORMAT parquet)")


def check_names(path: Path, names: Sequence[str]) -> None:
    """Raise InvalidTable where SQL could not tell two columns apart."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.get(name.lower())) is not None:
            told = "twice" if other == name else f"and {other!r}, which SQL does not tell apart"
            raise InvalidTable(f"{path}: has the column {name!r} {told}")
        if not name:
            raise InvalidTable(f"{path}: has a column without a name")
        seen[name.lower()] = name


def pattern(path: Path) -> str:
    """Return `path` as SQL has it: DuckDB takes a name with * ? or [ for a pattern of names."""
    escaped = "".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute()))
    return literal(escaped)


def _binary(path: Path) -> Any:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _text(path: Path) -> TextIO:
    # utf-8-sig takes the mark off that spreadsheets put before the first name.
    return io.TextIOWrapper(_binary(path), encoding="utf-8-sig", newline="")


def _piece(path: Path, lines: Any, names: Sequence[str]) -> list[list[str]]:
    rows = []
    for row in islice(filter(None, lines), PART_ROWS):  # an empty line is no row
        if len(row) != len(names):
            raise InvalidTable(
                f"{path}, line {lines.line_num}: {len(row)} fields, and the first line names "
                f"{len(names)}"
            )
        rows.append(row)
    return rows


def _write(
    connection: duckdb.DuckDBPyConnection, rows: list[list[str]], names: Sequence[str], to: Path
) -> None:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = {f"c{k}": np.array(column, dtype=object) for k, column in enumerate(columns)}
    connection.register("piece", arrays)
    selected = ", ".join(f"c{k}::VARCHAR AS {quoted(name)}" for k, name in enumerate(names))
    select = f"SELECT {selected} FROM piece"
    connection.execute(f"COPY ({select}) TO {literal(str(to))} (FORMAT parquet)")
    connection.unregister("piece")
