"""A page of the predictions that fit, in any order, with both neighbours."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb

from server.browse.filters import Filter
from server.browse.selection import Selection
from server.storage.reading import read_rows


class UnknownCursor(Exception):
    """A page is to begin at a prediction that is not stored; `name` is the parameter."""

    def __init__(self, name: str, prediction_id: UUID) -> None:
        super().__init__(f"{name}={prediction_id}: no such prediction is stored")
        self.name = name


@dataclass(frozen=True)
class Order:
    """By which field a page is sorted; ties are in the order of the ids."""

    field: str = "time"
    is_descending: bool = True


@dataclass(frozen=True)
class Edge:
    """Where a page begins or ends: beside this prediction, which is not on it.

    With `is_upper` the page holds what lies before it in the order from low to high, as what is
    older lies before what is newer; without, what lies after it.
    """

    prediction_id: UUID
    is_upper: bool


@dataclass(frozen=True)
class Page:
    """Rows in their order, and whether there are more where they were cut off."""

    rows: list[dict[str, Any]]
    has_more: bool

    @property
    def ids(self) -> list[UUID]:
        """The ids of the rows."""
        return [row["prediction_id"] for row in self.rows]


def read_page(
    cursor: duckdb.DuckDBPyConnection,
    selection: Selection,
    order: Order,
    edge: Edge | None,
    limit: int,
) -> Page:
    """Return at most `limit` predictions: those next to the edge, or the first of the order.

    Rows never change, so the id of a row says where it lies in any order, and a page stays what it
    is while other rows arrive.

    Raises
    ------
    UnknownCursor
        If the edge is no stored prediction, and the order is not by time.
    """
    # Towards the edge: a page before an upper edge is read from above.
    is_descending = edge.is_upper if edge else order.is_descending
    where, values = _beside(cursor, selection, order, edge) if edge else ("true", ())
    rows = selection.rows({"sorted_by": order.field})
    way = "DESC" if is_descending else "ASC"
    # What is missing stands behind, whichever way the page goes.
    nulls = "LAST" if is_descending == order.is_descending else "FIRST"
    found = cursor.execute(
        f"SELECT prediction_id FROM {rows.text} WHERE {where} "  # noqa: S608  # names of ours, or quoted
        f"ORDER BY sorted_by {way} NULLS {nulls}, prediction_id {way} LIMIT ?",
        [*rows.values, *values, limit + 1],
    ).fetchall()
    ids = [prediction_id for (prediction_id,) in found[:limit]]
    if is_descending != order.is_descending:
        ids.reverse()
    return Page(read_rows(cursor, selection.sources, ids), len(found) > limit)


def _beside(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, order: Order, edge: Edge
) -> tuple[str, tuple[Any, ...]]:
    key = _key(cursor, selection, order, edge)
    sign = "<" if edge.is_upper else ">"
    is_towards_end = edge.is_upper == order.is_descending
    tie = f"prediction_id {sign} ?"
    if key is None:
        beside = f"sorted_by IS NULL AND {tie}"
        if not is_towards_end:
            beside = f"sorted_by IS NOT NULL OR ({beside})"
        return beside, (edge.prediction_id,)
    beside = f"sorted_by {sign} ? OR (sorted_by = ? AND {tie})"
    if order.field != "time" and is_towards_end:
        beside += " OR sorted_by IS NULL"
    return beside, (key, key, edge.prediction_id)


def _key(cursor: duckdb.DuckDBPyConnection, selection: Selection, order: Order, edge: Edge) -> Any:
    """Return what the edge is sorted by; its row need not fit the filter."""
    everything = Selection(selection.sources, Filter())
    rows = everything.rows({"sorted_by": order.field})
    found = cursor.execute(
        f"SELECT sorted_by FROM {rows.text} WHERE prediction_id = ?",  # noqa: S608  # names of ours, or quoted
        [*rows.values, edge.prediction_id],
    ).fetchone()
    if found:
        return found[0]
    # It may have been stored once: an id of ours bears its time, in milliseconds.
    if order.field == "time" and edge.prediction_id.version == 7:
        with contextlib.suppress(ValueError, OverflowError):
            seconds = (edge.prediction_id.int >> 80) / 1e3
            return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    raise UnknownCursor("before" if edge.is_upper else "after", edge.prediction_id)
