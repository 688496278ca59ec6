"""Say in words where a value lies among the training rows."""

import math
from collections.abc import Sequence
from typing import Any

from server.explained import Distribution
from server.pages.waterfall import MINUS


def say_place(
    value: float | None,
    known: Distribution,
    ends: tuple[float | None, float | None],
    outside: float,
) -> str:
    """Return where a number lies; `outside` is the share of rows beyond each of the ends."""
    if value is None:
        return f"missing, as in {share_of(known.missing)} of the training rows"
    low, high = ends
    if low is not None and value < low:
        return _words_outside("below", "lowest", low, outside)
    if high is not None and value > high:
        return _words_outside("above", "highest", high, outside)
    return _words_inside(value, known)


def is_of_steps(edges: Sequence[float]) -> bool:
    """Tell whether a quantity takes few whole numbers only: then each of its edges is a value."""
    # Ten bins have nine edges; where there are fewer, some values are shared by many rows.
    return len(edges) < 9 and all(float(edge).is_integer() for edge in edges)


def _words_outside(side: str, part: str, end: float, outside: float) -> str:
    if outside:
        return f"among the {part} {share_of(outside)} of the training rows, or beyond them all"
    return f"{side} all training rows, which end at {end:.6g}".replace("-", MINUS)


def _words_inside(value: float, known: Distribution) -> str:
    edges = known.edges or []
    at = sum(edge < value for edge in edges)
    below = sum(known.shares[:at])
    if at == 0:
        return f"among the lowest {share_of(known.shares[0])} of the training rows"
    if at == len(edges):
        if known.shares[-1] == 0:
            return "as great as the greatest of the training rows or above"
        return f"among the highest {share_of(known.shares[-1])} of the training rows"
    begin, end = edges[at - 1], edges[at]
    if not is_of_steps(edges):
        below += known.shares[at] * (value - begin) / (end - begin)
    return f"greater than about {100 * below:.0f} % of the training rows"


def say_category(value: Any, known: Distribution) -> str:
    """Return how frequent a category is."""
    shares = dict(zip(known.categories or [], known.shares, strict=False))
    if value is None:
        return f"missing, as in {share_of(known.missing)} of the training rows"
    if str(value) in shares:
        return f"as in {share_of(shares[str(value)])} of the training rows"
    if not shares or math.isclose(sum(shares.values()) + known.missing, 1, abs_tol=1e-4):
        return "in none of the training rows"
    return f"rarer than the {len(shares)} most frequent"


def share_of(share: float) -> str:
    """Return a share as per cent, with as many digits as tell it from none and all."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.3g} %"
