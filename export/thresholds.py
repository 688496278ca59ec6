"""Rows on the thresholds of a graph's trees and one ulp around them, where conversions go wrong."""

from typing import NamedTuple

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from export.columns import Tensors, as_tensors
from export.trees import Thresholds, TreeInputs

# Features to move, one after the other, until the threshold is met.
MAX_CANDIDATES = 3

_LARGEST = np.int64(np.array(np.finfo(np.float32).max).astype(np.float32).view(np.int32))


class ThresholdRows(NamedTuple):
    """Rows around the thresholds, and how many thresholds they meet of how many there are."""

    X: pd.DataFrame
    reached: int
    thresholds: int


def threshold_rows(model: onnx.ModelProto, X: pd.DataFrame, types: dict[str, str]) -> ThresholdRows:
    """Return rows that put each tree's input on its threshold and one ulp either side.

    For each threshold one float32 feature is moved, by bisection over the floats themselves, in a
    row of X and in the same row with its other float32 features 0, where a difference of two
    features can meet a threshold exactly.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        Rows to start from; those that lack values are left out.
    """
    probe = TreeInputs(model)
    thresholds = probe.thresholds()
    floats = [name for name, type_ in types.items() if type_ == "float32"]
    whole = X.dropna() if len(X.dropna()) else X.fillna(0.0)
    if not len(thresholds.value) or not floats:
        return ThresholdRows(X.iloc[:0], 0, len(thresholds.value))
    candidates = _candidates(probe, thresholds, as_tensors(whole.iloc[:20], types), floats)
    chosen = np.random.default_rng(0).integers(len(whole), size=len(thresholds.value))
    rows = as_tensors(whole.iloc[chosen], types)
    zeros = {
        name: np.zeros_like(tensor) if name in floats else tensor for name, tensor in rows.items()
    }
    spans = {name: (whole[name].min(), whole[name].max()) for name in floats}
    parts: list[Tensors] = []
    reached = np.zeros(len(thresholds.value), bool)
    for start in (rows, zeros):
        for met, part in _met(probe, thresholds, start, candidates, spans):
            reached[met] = True
            parts.append(part)
    return ThresholdRows(_as_table(parts, X), int(reached.sum()), len(reached))


def _candidates(
    probe: TreeInputs, thresholds: Thresholds, tensors: Tensors, floats: list[str]
) -> list[NDArray[np.object_]]:
    """Return, by rank, a feature a threshold that moves what the threshold is compared with."""
    before = probe(tensors)
    moving: dict[tuple[int, int], list[str]] = {}
    for name in floats:
        after = probe({**tensors, name: tensors[name] * np.float32(1.5) + np.float32(1)})
        for node, (old, new) in enumerate(zip(before, after, strict=True)):
            for column in np.flatnonzero((old != new).any(axis=0)):
                moving.setdefault((node, int(column)), []).append(name)
    places = zip(thresholds.tensor, thresholds.column, strict=True)
    lists = [moving.get((int(node), int(column)), []) for node, column in places]
    return [
        np.array([names[rank] if rank < len(names) else "" for names in lists], dtype=object)
        for rank in range(MAX_CANDIDATES)
    ]


def _met(
    probe: TreeInputs,
    thresholds: Thresholds,
    start: Tensors,
    candidates: list[NDArray[np.object_]],
    spans: dict[str, tuple[float, float]],
) -> list[tuple[NDArray[np.int64], Tensors]]:
    """Bisect every threshold from its starting row; return those met, with their rows."""
    found: list[tuple[NDArray[np.int64], Tensors]] = []
    left = np.arange(len(thresholds.value))
    for moved in candidates:
        for everywhere in (True, False):
            tried = left[moved[left] != ""]
            if not len(tried):
                continue
            part = Thresholds(*(each[tried] for each in thresholds))
            rows = {name: tensor[tried] for name, tensor in start.items()}
            low, high = _bracket(moved[tried], spans, everywhere=everywhere)
            met, on = _bisect(probe, part, rows, moved[tried], low, high)
            for step in (-1, 0, 1):
                there = np.clip(on[met] + step, -_LARGEST, _LARGEST)
                kept = {name: tensor[met] for name, tensor in rows.items()}
                found.append((tried[met], _placed(kept, moved[tried][met], there)))
            left = np.setdiff1d(left, tried[met])
    return found


def _bracket(
    moved: NDArray[np.object_], spans: dict[str, tuple[float, float]], *, everywhere: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where to search: all finite float32, or what the data span, for logs and the like."""
    if everywhere:
        return np.full(len(moved), -_LARGEST), np.full(len(moved), _LARGEST)
    low, high = np.array([spans[name] for name in moved], dtype=np.float32).T
    return _to_order(low), _to_order(high)


def _bisect(
    probe: TreeInputs,
    thresholds: Thresholds,
    rows: Tensors,
    moved: NDArray[np.object_],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which thresholds are met, and the last float32 at which the row is not above each."""

    def is_above(order: NDArray[np.int64]) -> NDArray[np.bool_]:
        fed = probe(_placed(rows, moved, order))
        values = np.empty(len(order))
        for node, tensor in enumerate(fed):
            here = thresholds.tensor == node
            values[here] = tensor[here, thresholds.column[here]]
        return values > thresholds.value

    above_low, above_high = is_above(low), is_above(high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        like_low = is_above(middle) == above_low
        low, high = np.where(like_low, middle, low), np.where(like_low, high, middle)
    return above_low != above_high, np.where(above_low, high, low)


def _placed(rows: Tensors, moved: NDArray[np.object_], order: NDArray[np.int64]) -> Tensors:
    """Return the rows with each one's moved feature set."""
    values = _from_order(order)
    placed = dict(rows)
    for name in set(moved):
        here = moved == name
        placed[name] = rows[name].copy()
        placed[name][here, 0] = values[here]
    return placed


def _to_order(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number float32 values so that neighbours differ by 1."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def _from_order(order: NDArray[np.int64]) -> NDArray[np.float32]:
    bits = np.where(order >= 0, order, -order | 0x80000000)
    return bits.astype(np.uint32).view(np.float32)


def _as_table(parts: list[Tensors], X: pd.DataFrame) -> pd.DataFrame:
    if not parts:
        return X.iloc[:0]
    return pd.DataFrame(
        {
            name: pd.Series(np.concatenate([part[name][:, 0] for part in parts])).astype(dtype)
            for name, dtype in zip(X.columns, X.dtypes, strict=True)
        }
    )
