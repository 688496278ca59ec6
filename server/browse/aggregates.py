"""Count what fits a filter in the bins of a picture; DuckDB does it, and no row is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from server.browse.axes import Axis
from server.browse.selection import Selection

# Rows from which a picture's frame is found, where there are more.
_SAMPLE = 200_000
# The share of values beyond either end of a frame.
_OUTSIDE = 0.002

Counts = Mapping[tuple[int, str | None], int]


@dataclass(frozen=True)
class Summary:
    """How many predictions fit, by label, and when the first and the last of them were."""

    by_label: Mapping[str | None, int]
    begin: datetime | None
    end: datetime | None

    @property
    def total(self) -> int:
        """How many fit."""
        return sum(self.by_label.values())


def summarize(cursor: duckdb.DuckDBPyConnection, selection: Selection) -> Summary:
    """Count the predictions that fit; the label of a regression is None."""
    rows = selection.rows({"label": "label", "predicted_at": "time"}, also=())
    found = cursor.execute(
        "SELECT label, count(*), min(predicted_at), max(predicted_at) "  # noqa: S608  # names of ours, or quoted
        f"FROM {rows.text} GROUP BY ALL ORDER BY 2 DESC, 1",
        rows.values,
    ).fetchall()
    return Summary(
        {label: n for label, n, *_ in found},
        min((begin for _, _, begin, _ in found), default=None),
        max((end for *_, end in found), default=None),
    )


def count_over_time(cursor: duckdb.DuckDBPyConnection, selection: Selection, axis: Axis) -> Counts:
    """Return how many predictions were made by the bin of a time axis and by label."""
    rows = selection.rows({"label": "label", "predicted_at": "time"}, also=())
    found = cursor.execute(
        "SELECT ((epoch_us(predicted_at) - ?::BIGINT) // ?::BIGINT)::INTEGER, label, count(*) "  # noqa: S608  # names of ours, or quoted
        f"FROM {rows.text} GROUP BY ALL",
        [int(axis.low * 1e6), int(axis.width * 1e6), *rows.values],
    ).fetchall()
    return {(number, label): n for number, label, n in found if 0 <= number < axis.n}


def count_values(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, field: str, axis: Axis
) -> Counts:
    """Return how many predictions lie in each bin of a field, by label."""
    rows = selection.rows({"label": "label", "x": field}, also=())
    found = cursor.execute(
        f"SELECT {_bin('x')}, label, count(*) FROM {rows.text} "  # noqa: S608  # names of ours, or quoted
        "WHERE x BETWEEN ? AND ? GROUP BY ALL",
        [*_place(axis), *rows.values, axis.low, axis.high],
    ).fetchall()
    return {(number, label): n for number, label, n in found}


def count_cells(
    cursor: duckdb.DuckDBPyConnection,
    selection: Selection,
    fields: tuple[str, str],
    axes: tuple[Axis, Axis],
) -> Mapping[tuple[int, int, str | None], int]:
    """Return how many predictions lie in each cell of two fields, by label."""
    rows = selection.rows({"label": "label", "x": fields[0], "y": fields[1]}, also=())
    across, up = axes
    found = cursor.execute(
        f"SELECT {_bin('x')} * ? + {_bin('y')} AS cell, label, count(*) FROM {rows.text} "  # noqa: S608  # names of ours, or quoted
        "WHERE x BETWEEN ? AND ? AND y BETWEEN ? AND ? GROUP BY ALL",
        [
            *(*_place(across), up.n, *_place(up)),
            *rows.values,
            *(across.low, across.high, up.low, up.high),
        ],
    ).fetchall()
    return {(*divmod(cell, up.n), label): n for cell, label, n in found}


def find_range(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, field: str, total: int
) -> tuple[float, float] | None:
    """Return between which values of a field all predictions lie but for a few, or None.

    Of many rows a sample is asked, always the same: it is found in no time, and a stray value does
    not make a frame in which the rest is a dot.
    """
    percent = 100 * min(_SAMPLE / total, 1) if total else 100
    rows = selection.rows({"x": field}, also=(), percent=percent)
    found = cursor.execute(
        f"SELECT quantile_disc(x, [{_OUTSIDE}, {1 - _OUTSIDE}])::DOUBLE[] FROM {rows.text}",  # noqa: S608  # names of ours, or quoted
        rows.values,
    ).fetchone()
    return None if not found or not found[0] else (found[0][0], found[0][1])


def _bin(column: str) -> str:
    return f"least(floor(({column}::DOUBLE - ?) / ?), ?)::INTEGER"


def _place(axis: Axis) -> tuple[float, float, int]:
    return axis.low, axis.width, axis.n - 1
