"""Stage a source as text in a table on disk: every cell as it was written, every row numbered."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import duckdb
import pandas as pd

from research.astronomy import read_fits, read_votable
from research.schema import BLANKS, InvalidTable, match_columns

# No header is longer.
_HEADER_BYTES = 65_536
# Each takes memory of its own.
_THREADS = 2
_DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv with semicolons", "|": "csv with bars"}


def open_staging(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a database in `folder` that keeps to bounded memory and never reaches the network.

    Beside it the process holds Python and its libraries: together they stay under 1 GiB.
    """
    return duckdb.connect(
        str(folder / "staging.duckdb"),
        config={
            "memory_limit": "400MB",
            "threads": _THREADS,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )


def stage_file(
    connection: duckdb.DuckDBPyConnection, path: Path, kind: str, source: str
) -> tuple[str, list[str]]:
    """Stage a file as the table `raw`; return its format and the columns it has.

    Raises
    ------
    InvalidTable
        When the file cannot be read to its end, or lacks a needed column.
    """
    if kind in ("fits", "votable"):
        read = read_fits if kind == "fits" else read_votable
        return kind, stage_frames(connection, read(path, source), source)
    try:
        if kind == "delimited":
            kind, relation, names = _delimited(path, source)
        else:
            # With several threads DuckDB 2.0.0 may put the last line of JSON first, where no
            # newline ends it: rows would be numbered wrongly.
            connection.execute(f"SET threads = {_THREADS if kind == 'parquet' else 1}")
            relation, names = _described(connection, path, kind, source)
        return kind, _stage_relation(connection, relation, names, source)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        told = _told(error).replace(str(path), source)
        raise InvalidTable(f"{source} cannot be read as {kind}: {told}") from error


def stage_frames(
    connection: duckdb.DuckDBPyConnection, frames: Iterator[pd.DataFrame], source: str
) -> list[str]:
    """Stage frames, one after the other, as the table `raw`; return the columns they have."""
    first = next(frames)
    names = {name: f'"{_quoted(name)}"' for name in map(str, first.columns)}
    select = _selection(match_columns(names, source), names)
    for position, frame in enumerate(chain([first], frames)):
        connection.register("frame", frame)
        into = "INSERT INTO raw" if position else "CREATE TABLE raw AS"
        connection.execute(f"{into} SELECT {select} FROM frame")
        connection.unregister("frame")
    return list(names)


def _stage_relation(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Mapping[str, str], source: str
) -> list[str]:
    select = _selection(match_columns(names, source), names)
    connection.execute(f"CREATE TABLE raw AS SELECT {select} FROM {relation}")
    return list(names)


def _selection(matched: Mapping[str, str], expressions: Mapping[str, str]) -> str:
    """Return the select list that makes text of every column, and null of every blank."""
    blanks = ", ".join(f"'{blank}'" for blank in BLANKS)
    cells = {
        ours: f"trim(CAST({expressions[theirs]} AS VARCHAR), E' \\t\\r\\n')"
        for ours, theirs in matched.items()
    }
    return ", ".join(
        f'CASE WHEN lower({cell}) NOT IN ({blanks}) THEN {cell} END AS "{ours}"'
        for ours, cell in cells.items()
    )


def _delimited(path: Path, source: str) -> tuple[str, str, dict[str, str]]:
    """Return the kind, how DuckDB reads it and its columns, by position: names may repeat."""
    skipped, header = _header(path, source)
    delimiter = max(_DELIMITERS, key=header.count)
    names = next(csv.reader([header], delimiter=delimiter))
    match_columns(names, source)
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(names)))
    relation = (
        f"read_csv('{path}', auto_detect=false, columns={{{columns}}}, header=true, "
        f"delim='{delimiter}', quote='\"', escape='\"', skip={skipped}, compression='none')"
    )
    # A name that repeats and is not ours may take the place of its equal: neither is read.
    return _DELIMITERS[delimiter], relation, {name: f"c{n}" for n, name in enumerate(names)}


def _header(path: Path, source: str) -> tuple[int, str]:
    """Return the first line that is no comment, and how many stand before it."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf")
    try:
        # The last line may be cut within a letter.
        lines = head.decode("utf-8", "strict" if len(head) < _HEADER_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise InvalidTable(f"{source} is not in UTF-8; save it so: {error}") from error
    # The survey's service begins with "#Table1".
    kept = [(n, line) for n, line in enumerate(lines.splitlines()) if line and line[0] != "#"]
    if not kept:
        raise InvalidTable(f"{source} has no line with the names of the columns.")
    return kept[0]


def _described(
    connection: duckdb.DuckDBPyConnection, path: Path, kind: str, source: str
) -> tuple[str, dict[str, str]]:
    """Return how DuckDB reads Parquet or JSON, and the columns it has."""
    options = "" if kind == "parquet" else ", compression='none', convert_strings_to_integers=false"
    relation = f"read_{'parquet' if kind == 'parquet' else 'json'}('{path}'{options})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    names = {str(row[0]): f'"{_quoted(row[0])}"' for row in described}
    if kind == "parquet":
        return relation, names
    # As text, so that a number keeps the digits it was written with.
    wanted: Iterable[str] = match_columns(names, source).values()
    columns = ", ".join(f"{names[name]}: 'VARCHAR'" for name in wanted)
    return relation.removesuffix(")") + f", columns={{{columns}}})", names


def _quoted(name: object) -> str:
    return str(name).replace('"', '""')


def _told(error: duckdb.Error) -> str:
    """Return what is wrong and where, without advice that only a programmer could take."""
    text = str(error).partition("Possible ")[0].partition("\n  file =")[0].partition("Try ")[0]
    return " ".join(text.partition("LINE 1:")[0].split())[:400]
