"""Find what was said to be true of one prediction, the last word first."""

from collections.abc import Mapping
from typing import Any

import duckdb

# On the page of a prediction; /sql has all.
_MOST = 20


def find_labels(cursor: duckdb.DuckDBPyConnection, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the newest labels of a prediction, by its own id or the caller's."""
    kind = "label" if "label" in row["outputs"] else "value"
    cursor.execute(
        f"SELECT received_at, observed_at, {kind} AS truth, given_by FROM given_labels "  # noqa: S608  # names of ours
        f"WHERE (prediction_id = ? OR id = ?) AND {kind} IS NOT NULL "
        f"ORDER BY rowid DESC LIMIT {_MOST}",
        [row["prediction_id"], row["id"]],
    )
    names = ("received_at", "observed_at", "truth", "given_by")
    return [dict(zip(names, cells, strict=True)) for cells in cursor.fetchall()]
