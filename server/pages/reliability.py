"""Lay out what a head did on held-out rows: reliability, confusion, what mattered to it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.contract import Contract
from server.explained import EvaluatedHead, Reliability
from server.pages.waterfall import decimals_for

# The 97.5 % point of the normal distribution, for intervals of 95 %.
_Z = 1.96


@dataclass(frozen=True)
class Point:
    """One bin, in percent of the panel: x from the left, y from the top."""

    x: float
    y: float
    top: float
    bottom: float
    bin: Reliability


@dataclass(frozen=True)
class Panel:
    """The reliability of one class, or of the value of a regression."""

    name: str
    low: float
    high: float
    points: list[Point]


def to_heads(contract: Contract) -> list[dict[str, Any]]:
    """Return what is drawn of each head."""
    return [
        {
            "head": head.head,
            "rows": head.rows,
            "panels": to_panels(contract.class_names, contract.target.name, head.reliability),
            "confusion": to_confusion(contract.class_names, head.confusion or []),
            "importance": to_importance(contract, head) if head.importance else [],
        }
        for head in contract.evaluation.heads
    ]


def to_panels(class_names: Sequence[str], target: str, bins: Sequence[Reliability]) -> list[Panel]:
    """Return one panel a class, from 0 to 1, or one for the value, over all that was seen."""
    if class_names:
        return [
            _panel(name, [bin for bin in bins if bin.class_name == name], 0, 1)
            for name in class_names
        ]
    seen = [number for bin in bins for number in (bin.predicted, bin.observed)]
    return [_panel(target, bins, min(seen), max(seen))] if seen else []


def _panel(name: str, bins: Sequence[Reliability], low: float, high: float) -> Panel:
    def place(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2) if high > low else 50.0

    points = []
    for each in bins:
        least, most = wilson(each.observed, each.rows) if each.class_name else (each.observed,) * 2
        points.append(
            Point(
                place(each.predicted),
                100 - place(each.observed),
                100 - place(most),
                100 - place(least),
                each,
            )
        )
    return Panel(name, low, high, points)


def wilson(share: float, rows: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share that was counted in `rows` rows.

    References
    ----------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if rows <= 0:
        return 0.0, 1.0
    centre = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    spread = share * (1 - share) / rows + _Z**2 / (4 * rows**2)
    half = _Z * math.sqrt(max(spread, 0)) / (1 + _Z**2 / rows)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def to_confusion(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Return one row a class: its name, how many rows, and count and share of each answer."""
    return [
        {
            "name": name,
            "rows": sum(counts),
            "cells": [
                {"count": count, "share": count / sum(counts) if sum(counts) else 0.0}
                for count in counts
            ],
        }
        for name, counts in zip(names, confusion, strict=False)
    ]


def to_importance(contract: Contract, head: EvaluatedHead) -> list[dict[str, Any]]:
    """Return the derived features, the most important first, with a bar a column."""
    sizes = head.importance or []
    largest = max((size for row in sizes for size in row), default=0) or 1
    decimals = decimals_for(largest)
    found = [
        {
            "name": feature.name,
            "mean": sum(row) / len(row),
            "text": f"{sum(row) / len(row):.{decimals}f}",
            "width": round(100 * sum(row) / len(row) / largest, 2),
            "sizes": [{"size": size, "width": round(100 * size / largest, 2)} for size in row],
        }
        for feature, row in zip(contract.explanation.features, sizes, strict=False)
    ]
    return sorted(found, key=lambda each: -each["mean"])
