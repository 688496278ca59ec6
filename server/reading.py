"""Read predictions back: a page of them, newest first, or one with all that was said of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import duckdb
import numpy as np

from server.layout import View, find_views
from server.parts import quoted

# What the model says at length, for who asks for one prediction.
_AT_LENGTH = ("contributions", "base_values", "derived")


def read_newest(
    cursor: duckdb.DuckDBPyConnection, limit: int, before: UUID | None
) -> list[dict[str, Any]]:
    """Return at most `limit` predictions, newest first, all older than the one `before` names.

    Each has its fixed columns under their names, `inputs` and `outputs` as dicts.
    """
    older = "WHERE prediction_id < $before" if before else ""
    parameters = {"limit": limit} | ({"before": before} if before else {})
    found = [
        row
        for view in find_views(cursor)
        for row in _read(
            cursor,
            view,
            [name for name in view.outputs if not name.endswith(_AT_LENGTH)],
            f"{older} ORDER BY prediction_id DESC LIMIT $limit",
            parameters,
        )
    ]
    return sorted(found, key=lambda row: row["prediction_id"], reverse=True)[:limit]


def read_one(cursor: duckdb.DuckDBPyConnection, prediction_id: UUID) -> dict[str, Any] | None:
    """Return one prediction with all that was said of it, or None."""
    for view in find_views(cursor):
        parameters = {"id": prediction_id}
        for row in _read(cursor, view, view.outputs, "WHERE prediction_id = $id", parameters):
            return row
    return None


def _read(
    cursor: duckdb.DuckDBPyConnection,
    view: View,
    outputs: Sequence[str],
    which: str,
    parameters: dict[str, Any],
) -> list[dict[str, Any]]:
    left_out = [quoted(name) for name in view.outputs if name not in outputs]
    columns = f"* EXCLUDE ({', '.join(left_out)})" if left_out else "*"
    cursor.execute(f"SELECT {columns} FROM {view.name} {which}", parameters)  # noqa: S608  # names of ours, or quoted
    names = [column[0] for column in cursor.description or ()]
    found = []
    for values in cursor.fetchall():
        row = dict(zip(names, map(_shortest, values), strict=True))
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
