"""Bring the columns of a request into a table: row by row, or as a batch of columns."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np

from server.storage.ids import PredictionIds
from server.storage.layout import Column, Table

# From here on, columns are sooner inserted than rows: 10,000 of them in a third of the time.
BATCH_ROWS = 500
# The one column of nested values, as JSON has it.
_WARNINGS = [{"feature": "VARCHAR", "detail": "VARCHAR"}]
_WARNINGS_TEXT = json.dumps(_WARNINGS)


def to_texts(table: Table, given: Mapping[str, Any], n_rows: int) -> list[str]:
    """Return rows as JSON, each an object with the places of the columns as its keys.

    What is given for a column is a list, tuple or range of cells, an ndarray of shape
    (n_rows, ...), or one value that is the same in every row; what is not given is NULL, and so is
    what is no number.
    """
    cells = (_cells(given.get(column.name), n_rows) for column in table.columns)
    keys = [str(place) for place in range(len(table.columns))]
    rows = (dict(zip(keys, row, strict=True)) for row in zip(*cells, strict=True))
    return [msgspec.json.encode(row).decode() for row in rows]


def prepare(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Plan once how rows come into a table, which for few of them takes longer than to store them.

    DuckDB plans again, at every use, what was planned before a table or view was made.
    """
    types = {str(place): _type_in_json(column) for place, column in enumerate(table.columns)}
    connection.execute(
        f"PREPARE into_{table.name} AS INSERT INTO {table.name} "  # noqa: S608  # names of ours
        f"SELECT unnest(from_json_strict(text, '{json.dumps(types)}')) "
        "FROM (SELECT unnest($1::VARCHAR[]) AS text)"
    )


def insertion(table: Table, texts: Sequence[str]) -> str:
    """Return the statement that stores rows of `to_texts`, once that is prepared."""
    # A prepared statement takes no values that are bound. In JSON nothing but a quote could end the
    # text that it stands in.
    literals = ", ".join(["'" + text.replace("'", "''") + "'" for text in texts])
    return f"EXECUTE into_{table.name}([{literals}])"


def insert(
    connection: duckdb.DuckDBPyConnection, table: Table, given: Mapping[str, Any], n_rows: int
) -> None:
    """Insert columns as they are, without a Python object for each cell of an array."""
    batch = to_batch(table.columns, given, n_rows)
    connection.register("batch", batch.arrays)
    # From arrays alone, DuckDB would make ready to insert on several cores, a quarter of the time
    # more, and then do it on one.
    source = f"range({n_rows}) POSITIONAL JOIN batch"
    try:
        connection.execute(
            f"INSERT INTO {table.name} SELECT {', '.join(batch.selected)} FROM {source}",  # noqa: S608  # names of ours
            batch.values,
        )
    finally:
        # Where that has failed, its error is the one to tell.
        with contextlib.suppress(duckdb.Error):
            connection.unregister("batch")


class Batch(NamedTuple):
    """Columns as DuckDB scans them: the arrays to register, and what to select of them.

    `values` are for the question marks of what is selected, in their order.
    """

    arrays: dict[str, Any]
    selected: list[str]
    values: list[Any]


def to_batch(columns: Sequence[Column], given: Mapping[str, Any], n_rows: int) -> Batch:
    """Return the cells given for the columns, as `to_texts` takes them, to be selected at once."""
    batch = Batch({}, [], [])
    for number, column in enumerate(columns):
        cells, kind = given.get(column.name), column.type
        if not _is_many(cells):
            batch.values.append(cells)
            selected = "?"
        elif column.width is not None:
            arrays, selected = _parts(cells, n_rows, f"c{number}")
            batch.arrays.update(arrays)
        else:
            arrays, selected = _one_dimensional(cells, n_rows, kind, f"c{number}")
            batch.arrays.update(arrays)
        width = "" if column.width is None else f"[{column.width}]"
        batch.selected.append(f"{selected}::{kind}{width}")
    return batch


def _parts(cells: Any, n_rows: int, name: str) -> tuple[dict[str, Any], str]:
    arrays = {
        f"{name}_{part}": np.ascontiguousarray(values)
        for part, values in enumerate(cells.reshape(n_rows, -1).T)
    }
    # Made as a list and then cast: array_value takes four times as long.
    return arrays, f"[{', '.join(arrays)}]"


def _one_dimensional(cells: Any, n_rows: int, kind: str, name: str) -> tuple[dict[str, Any], str]:
    if isinstance(cells, np.ndarray):
        return {name: cells}, name
    if isinstance(cells, range):
        return {name: np.arange(cells.start, cells.stop, cells.step)}, name
    if isinstance(cells, PredictionIds):
        # To read a UUID object takes longer than all else of its row.
        high, low = cells.halves()
        arrays = {f"{name}_high": high, f"{name}_low": low}
        return arrays, f"({name}_high::UHUGEINT * 18446744073709551616 + {name}_low)"
    if kind.startswith("STRUCT"):
        if not any(cells):
            return {}, "[]"
        texts = [msgspec.json.encode(cell).decode() for cell in cells]
        return {name: np.array(texts, dtype=object)}, f"from_json({name}, '{_WARNINGS_TEXT}')"
    return {name: np.fromiter(cells, dtype=object, count=n_rows)}, name


def _type_in_json(column: Column) -> Any:
    if column.type.startswith("STRUCT"):
        return _WARNINGS
    return column.type if column.width is None else [column.type]


def _is_many(cells: Any) -> bool:
    return isinstance(cells, np.ndarray | list | tuple | range | PredictionIds)


def _cells(column: Any, n_rows: int) -> Iterable[Any]:
    if isinstance(column, np.ndarray):
        cells: list[Any] = (column.reshape(n_rows, -1) if column.ndim > 1 else column).tolist()
        return cells
    if isinstance(column, PredictionIds):
        return column.texts()
    return column if _is_many(column) else repeat(column, n_rows)
