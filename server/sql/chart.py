"""Draw a query's result as one SVG: its first column across, its first number upwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.sql.formats import Column

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 28
# More bars than this are thinner than the gaps between them.
_MAX_BARS = 60
_TIMES = {"timestamp", "date"}


@dataclass(frozen=True)
class Mark:
    """One drawn value: a bar or a point, in the units of the picture."""

    x: float
    y: float
    width: float
    height: float
    told: str


@dataclass(frozen=True)
class Chart:
    """A picture in the units of its viewBox, and what it says in words."""

    is_line: bool
    marks: list[Mark]
    path: str
    ticks: list[tuple[float, str]]
    labels: list[tuple[float, str]]
    told: str


def draw(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Chart | None:
    """Return a chart of `rows`, or None where there is nothing that can be drawn.

    Times and numbers across make points, in the rows' order joined; anything else makes bars.
    """
    numbers = [k for k, column in enumerate(columns) if k > 0 and column.is_number]
    if len(rows) < 2 or not numbers:
        return None
    y_index = numbers[0]
    pairs = [(row[0], float(row[y_index])) for row in rows if row[y_index] is not None]
    is_line = columns[0].is_number or columns[0].type.id in _TIMES
    if is_line:
        pairs = [pair for pair in pairs if pair[0] is not None]
    if len(pairs) < 2 or (not is_line and len(pairs) > _MAX_BARS):
        return None
    names = (columns[0].name, columns[y_index].name)
    return _line(pairs, names) if is_line else _bars(pairs, names)


def _line(pairs: list[tuple[Any, float]], names: tuple[str, str]) -> Chart:
    at = [_number(x) for x, _ in pairs]
    low, high = min(at), max(at)
    scale, ticks = _upwards([y for _, y in pairs], from_zero=False)
    marks = [
        Mark(_across(_share(x, low, high)), scale(y), 0, 0, f"{_short(told)}: {y:g}")
        for x, (told, y) in zip(at, pairs, strict=True)
    ]
    # Points that go back and forth are a cloud, not a course.
    is_course = at == sorted(at) or at == sorted(at, reverse=True)
    path = " ".join(f"{m.x:.1f},{m.y:.1f}" for m in marks) if is_course else ""
    first, last = sorted((pairs[at.index(low)][0], pairs[at.index(high)][0]), key=_number)
    labels = [(_across(0), _short(first)), (_across(1), _short(last))]
    return Chart(True, marks, path, ticks, labels, _told(names, pairs))


def _bars(pairs: list[tuple[Any, float]], names: tuple[str, str]) -> Chart:
    scale, ticks = _upwards([y for _, y in pairs], from_zero=True)
    step = (WIDTH - _LEFT - _RIGHT) / len(pairs)
    ground = scale(0)
    marks = [
        Mark(
            _LEFT + step * (k + 0.1),
            min(scale(y), ground),
            step * 0.8,
            max(abs(scale(y) - ground), 0.5),
            f"{_short(x)}: {y:g}",
        )
        for k, (x, y) in enumerate(pairs)
    ]
    every = math.ceil(len(pairs) / 8)
    labels = [
        (_LEFT + step * (k + 0.5), _short(x, 70 // min(len(pairs), 8)))
        for k, (x, _) in enumerate(pairs)
        if k % every == 0
    ]
    return Chart(False, marks, "", ticks, labels, _told(names, pairs))


def _upwards(values: list[float], *, from_zero: bool) -> tuple[Any, list[tuple[float, str]]]:
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0), max(high, 0)
    if low == high:
        low, high = low - 1, high + 1
    room = HEIGHT - _TOP - _BOTTOM

    def scale(y: float) -> float:
        return _TOP + room * (1 - _share(y, low, high))

    return scale, [(scale(y), f"{y:.3g}") for y in (low, low / 2 + high / 2, high)]


def _share(value: float, low: float, high: float) -> float:
    """Return how far `value` is from `low` to `high`, even where their difference overflows."""
    span = high / 2 - low / 2
    return min(max((value / 2 - low / 2) / span, 0.0), 1.0) if span else 0.5


def _across(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _number(x: Any) -> float:
    if isinstance(x, str):
        try:
            return datetime.fromisoformat(x).timestamp()
        except ValueError:  # years beyond what Python's calendar holds
            return 0.0
    return float(x)


def _short(x: Any, most: int = 24) -> str:
    text = (
        "NULL"
        if x is None
        else x
        if isinstance(x, str)
        else f"{x:g}"
        if isinstance(x, float)
        else str(x)
    )
    text = (
        text.removesuffix("Z").removesuffix(".000000").replace("T", " ")
        if text.endswith("Z")
        else text
    )
    return text if len(text) <= most else text[: max(most - 1, 1)] + "…"


def _told(names: tuple[str, str], pairs: list[tuple[Any, float]]) -> str:
    values = [y for _, y in pairs]
    return f"{names[1]} by {names[0]}: {len(pairs)} values from {min(values):g} to {max(values):g}"
