"""Read predictions back: some of them as a list has them, or one with all that was said of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import duckdb
import numpy as np

from server.storage.fields import Source
from server.storage.layout import View
from server.storage.parts import quoted

# What the model says at length, for who asks for one prediction.
AT_LENGTH = ("contributions", "base_values", "derived")


def read_rows(
    cursor: duckdb.DuckDBPyConnection, sources: Sequence[Source], ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """Return the predictions that bear these ids, in their order.

    Each has its fixed columns under their names, `inputs` and `outputs` as dicts.
    """
    if not ids:
        return []
    # The bounds let DuckDB skip what was stored at other times.
    which = f"prediction_id IN ({', '.join('?' * len(ids))}) AND prediction_id BETWEEN ? AND ?"
    found = {
        row["prediction_id"]: row
        for source in sources
        for row in _read(
            cursor,
            source.view,
            [name for name in source.view.outputs if not name.endswith(AT_LENGTH)],
            which,
            [*ids, min(ids), max(ids)],
        )
    }
    return [found[prediction_id] for prediction_id in ids]


def read_one(
    cursor: duckdb.DuckDBPyConnection, sources: Sequence[Source], prediction_id: UUID
) -> dict[str, Any] | None:
    """Return one prediction with all that was said of it, or None."""
    for source in sources:
        view = source.view
        for row in _read(cursor, view, view.outputs, "prediction_id = ?", [prediction_id]):
            return row
    return None


def _read(
    cursor: duckdb.DuckDBPyConnection,
    view: View,
    outputs: Sequence[str],
    which: str,
    values: Sequence[Any],
) -> list[dict[str, Any]]:
    left_out = [quoted(name) for name in view.outputs if name not in outputs]
    columns = f"* EXCLUDE ({', '.join(left_out)})" if left_out else "*"
    cursor.execute(f"SELECT {columns} FROM {view.name} WHERE {which}", values)  # noqa: S608  # names of ours, or quoted
    names = [column[0] for column in cursor.description or ()]
    found = []
    for cells in cursor.fetchall():
        row = dict(zip(names, map(_shortest, cells), strict=True))
        inputs = {name: row.pop(name) for name in view.inputs}
        said = {name: row.pop(name) for name in outputs}
        found.append({**row, "inputs": inputs, "outputs": said})
    return found


def _shortest(value: Any) -> Any:
    # A FLOAT comes back as a Python float of sixteen digits: say it in the few it was stored by.
    if isinstance(value, float):
        return float(str(np.float32(value)))
    if isinstance(value, dict):
        return {key: _shortest(item) for key, item in value.items()}
    return value
