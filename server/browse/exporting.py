"""All predictions that fit a filter as a file, without holding more than a piece of it."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from server.browse.flattening import TIME, FlatColumn, flatten, to_json_members
from server.browse.selection import Selection, Sql
from server.sql.downloads import new_file
from server.storage.fields import Source
from server.storage.parts import literal, quoted
from server.storage.reading import AT_LENGTH

# Rows fetched at once: some 100 kB of text.
_ROWS = 1_000
# Bytes of a finished file that are read at once.
_PIECE = 1 << 20


def to_ndjson(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, *, at_length: bool
) -> Iterator[bytes]:
    """Yield a JSON object a line, in the order the rows were stored, contract by contract."""
    for source in selection.sources:
        names = _columns(source, at_length=at_length)
        members = to_json_members(cursor, source.view.name, names)
        line = f"to_json(struct_pack({members}))::VARCHAR"
        yield from _lines(cursor, _select(selection, source, line))


def to_csv(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, *, at_length: bool
) -> Iterator[bytes]:
    """Yield a head and a line a row: RFC 4180, but that a text is always in quotes and null empty.

    The parts of a struct are columns, `probabilities.QSO`; a list is its JSON.
    """
    by_source = [
        (source, flatten(cursor, source.view.name, _columns(source, at_length=at_length)))
        for source in selection.sources
    ]
    names = [*dict.fromkeys(column.name for _, columns in by_source for column in columns)]
    yield csv_head(names)
    for source, columns in by_source:
        cells = {column.name: csv_cell(column) for column in columns}
        line = f"concat_ws(',', {', '.join(cells.get(name, chr(39) * 2) for name in names)})"
        yield from _lines(cursor, _select(selection, source, line))


def to_parquet(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, folder: Path, *, at_length: bool
) -> Iterator[bytes]:
    """Yield a Parquet file, structs and lists as they are.

    It ends in its index, so it is first written whole, into `folder`.
    """
    with new_file(folder) as path:
        _write_parquet(cursor, selection, path, at_length=at_length)
        stream = path.open("rb")
    with stream:
        while piece := stream.read(_PIECE):
            yield piece


def _write_parquet(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, path: Path, *, at_length: bool
) -> None:
    selects: list[str] = []
    values: list[Any] = []
    for source in selection.sources:
        names = _columns(source, at_length=at_length)
        select = _select(selection, source, ", ".join(map(quoted, names)))
        selects.append(select.text)
        values += select.values
    cursor.execute(
        f"COPY ({' UNION ALL BY NAME '.join(selects)}) TO {literal(str(path))} "
        "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
        values,
    )


def _columns(source: Source, *, at_length: bool) -> list[str]:
    view = source.view
    outputs = [name for name in view.outputs if at_length or not name.endswith(AT_LENGTH)]
    return [*view.first, *view.inputs, *outputs, *view.last]


def _select(selection: Selection, source: Source, columns: str) -> Sql:
    where = selection.filter.where(source.named())
    if where is None:
        return Sql(f"SELECT {columns} FROM {source.view.name} WHERE false")  # noqa: S608  # names of ours, or quoted
    return Sql(f"SELECT {columns} FROM {source.view.name} WHERE {where.sql}", where.values)  # noqa: S608  # names of ours, or quoted


def _lines(cursor: duckdb.DuckDBPyConnection, select: Sql) -> Iterator[bytes]:
    cursor.execute(select.text, select.values)
    while rows := cursor.fetchmany(_ROWS):
        yield "".join(f"{line}\n" for (line,) in rows).encode()


def csv_head(names: Sequence[str]) -> bytes:
    """Return the line that names the columns."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(names)
    return text.getvalue().encode()


def csv_cell(column: FlatColumn) -> str:
    """Return the SQL of a cell as CSV has it."""
    if column.is_nested:
        text = f"to_json({column.sql})::VARCHAR"
    elif column.name == "predicted_at":
        return TIME
    elif column.is_text:
        text = column.sql
    else:
        return f"coalesce({column.sql}::VARCHAR, '')"
    return f"""coalesce('"' || replace({text}, '"', '""') || '"', '')"""
