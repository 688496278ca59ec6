"""Draw where a value lies among the training rows: a small histogram with a marker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from server.explained import Distribution
from server.pages.place_words import is_of_steps, say_category, say_place
from server.pages.waterfall import MINUS

# Columns of a histogram; the bins of equal share are poured into them by their overlap.
_CELLS = 40
# How far the axis goes beyond the outermost inner edges, in widths between those.
_REACH = 0.4


@dataclass(frozen=True)
class Bar:
    """One column of a histogram, in percent of its width and height."""

    x: float
    width: float
    height: float
    is_own: bool = False


@dataclass(frozen=True)
class Place:
    """One quantity of one row, and where it lies."""

    name: str
    unit: str
    value: Any
    bars: list[Bar]
    # Where the marker stands, in percent of the width; None where there is none to draw.
    marker: float | None
    # -1 and 1 where the value lies beyond the end of the axis.
    beyond: int
    low: str
    high: str
    words: str


def place_value(
    name: str,
    unit: str,
    value: Any,
    known: Distribution,
    *,
    ends: tuple[float | None, float | None] = (None, None),
    outside: float = 0,
) -> Place:
    """Return where `value` lies in a distribution.

    Parameters
    ----------
    value : float, int, str or None
    ends : pair of float or None
        Where the outermost bins end, where that is known.
    outside : float
        The share of training rows beyond each of these ends.
    """
    if known.edges is None or not known.edges:
        return _place_category(name, unit, value, known)
    axis = _axis(known.edges, value, *ends)
    if is_of_steps(known.edges):
        bars = _steps(known.edges, known.shares, *axis)
    else:
        bars = _histogram(_bins(known, *ends, *axis), *axis)
    words = say_place(value, known, ends, outside)
    marker, beyond = None, 0
    if value is not None:
        beyond = (value > axis[1]) - (value < axis[0])
        marker = _percent(min(max(value, axis[0]), axis[1]), *axis)
    low, high = (f"{end:.4g}".replace("-", MINUS) for end in axis)
    return Place(name, unit, value, bars, marker, beyond, low, high, words)


def _axis(
    edges: Sequence[float], value: float | None, low: float | None, high: float | None
) -> tuple[float, float]:
    """Return the ends of the axis: further out where the value is, to twice the reach."""
    reach = _REACH * _span(edges, low, high)
    left, right = edges[0] - reach, edges[-1] + reach
    if value is not None and math.isfinite(value):
        left = min(left, max(value - reach / 10, left - reach))
        right = max(right, min(value + reach / 10, right + reach))
    # A value beyond all training rows is not waited for: the axis ends where they do.
    return (
        left if low is None else max(min(low, edges[0] - reach / 10), left),
        right if high is None else min(max(high, edges[-1] + reach / 10), right),
    )


def _span(edges: Sequence[float], low: float | None, high: float | None) -> float:
    for first, last in ((edges[0], edges[-1]), (low, high)):
        if first is not None and last is not None and last > first:
            return last - first
    return max(abs(edges[0]), 1.0)


def _bins(
    known: Distribution, low: float | None, high: float | None, left: float, right: float
) -> list[tuple[float, float, float]]:
    """Return (begin, end, share) of each bin; an open one ends where the axis does."""
    edges = known.edges or []
    begin = left if low is None or low >= edges[0] else low
    end = right if high is None or high <= edges[-1] else high
    ends = [(begin, edges[0]), *pairwise(edges), (edges[-1], end)]
    return [(*pair, share) for pair, share in zip(ends, known.shares, strict=False)]


def _histogram(bins: list[tuple[float, float, float]], left: float, right: float) -> list[Bar]:
    step = (right - left) / _CELLS
    cells = [0.0] * _CELLS
    for begin, end, share in bins:
        for cell in range(_CELLS):
            overlap = min(end, left + (cell + 1) * step) - max(begin, left + cell * step)
            if overlap > 0:
                cells[cell] += share * overlap / (end - begin)
    largest = max(cells) or 1
    heights = [round(100 * share / largest, 2) for share in cells]
    return [
        Bar(100 * cell / _CELLS, 100 / _CELLS, height)
        for cell, height in enumerate(heights)
        if height
    ]


def _steps(edges: Sequence[float], shares: Sequence[float], left: float, right: float) -> list[Bar]:
    """Return a thin bar at each of few whole numbers; what lies beyond them is at the end."""
    width = 200 / _CELLS
    largest = max(shares, default=0) or 1
    return [
        Bar(
            min(max(_percent(at, left, right) - width / 2, 0), 100 - width),
            width,
            round(100 * share / largest, 2),
        )
        for at, share in zip([*edges, right], shares, strict=False)
        if share > 0
    ]


def _percent(value: float, left: float, right: float) -> float:
    return round(100 * (value - left) / (right - left), 2)


def _place_category(name: str, unit: str, value: Any, known: Distribution) -> Place:
    categories = known.categories or []
    largest = max(known.shares, default=0) or 1
    width = 100 / max(len(categories), 4)
    bars = [
        Bar(
            round(number * width, 2),
            round(0.8 * width, 2),
            round(100 * share / largest, 2),
            category == str(value),
        )
        for number, (category, share) in enumerate(zip(categories, known.shares, strict=False))
    ]
    return Place(name, unit, value, bars, None, 0, "", "", say_category(value, known))
