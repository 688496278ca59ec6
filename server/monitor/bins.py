"""The bins of a quantity: those of the contract's reference, with few changes."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from server.explained import Distribution, Reliability
from server.pages.waterfall import MINUS

# As many as the contract's reliability has.
_PROBABILITY_BINS = 10


def with_ends(known: Distribution, ends: tuple[float, float] | None) -> Distribution:
    """Return the bins with one below the least training value and one above the greatest.

    No training row lies in these: so a constant that becomes another is seen.
    """
    if not known.edges or ends is None:
        return known
    edges, shares = list(known.edges), list(known.shares)
    below, high = _just_below(ends[0]), float(str(np.float32(ends[1])))
    if below < edges[0]:
        edges, shares = [below, *edges], [0.0, *shares]
    if high > edges[-1]:
        edges, shares = [*edges, high], [*shares, 0.0]
    return msgspec.structs.replace(known, edges=edges, shares=shares)


def of_probability(known: Sequence[Reliability]) -> Distribution:
    """Return ten bins of a probability, of which one on an edge belongs to the bin above."""
    edges = [_just_below(number / _PROBABILITY_BINS) for number in range(1, _PROBABILITY_BINS)]
    rows = [0] * _PROBABILITY_BINS
    for each in known:
        rows[min(int(each.predicted * _PROBABILITY_BINS), _PROBABILITY_BINS - 1)] += each.rows
    total = sum(rows) or 1
    return Distribution(edges, None, [count / total for count in rows], 0.0)


def _just_below(number: float) -> float:
    """Return the greatest float32 below a number, in the fewest digits that say it."""
    nearest = np.float32(number)
    below = nearest if float(nearest) < number else np.nextafter(nearest, np.float32(-np.inf))
    return float(str(below))


def names_of_bins(edges: Sequence[float]) -> list[str]:
    """Return what the bins between the edges are called."""
    texts = [f"{edge:.4g}".replace("-", MINUS) for edge in edges]
    if not texts:
        return ["any"]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
