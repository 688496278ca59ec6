"""Exact interventional Shapley values of trees with at most two features on a path, as tables.

A leaf of value v whose conditions on the features a and b hold for a row is v * 1a * 1b. Against
background rows B, the game of one row has v(S) = mean over B of the model where the features of S
are the row's and the others B's. With E for that mean, the leaf gives feature a

    v / 2 * (1a * 1b + 1a * E[1b] - E[1a] * 1b - E[1a * 1b])

and b alike. The first term is half the leaf, so half the sum of the pair's leaves. The other three
are functions of one feature each, constant between thresholds: one table a feature holds them.

References
----------
Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017.
Lundberg et al., From local explanations to global understanding with explainable AI for trees,
Nature Machine Intelligence 2, 2020.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from export.leaves import NONE, Leaves

Array = NDArray[np.float64]


class Head(NamedTuple):
    """Trees that are added up: their leaves, by columns of the explained features, and a start."""

    leaves: Leaves
    start: Array


class Tables(NamedTuple):
    """All that the graph adds up for one head.

    group : for each leaf, the index of its features' pair
    halves : (n_groups * n_targets, n_features * n_targets), the share of each pair's sum
    steps : by feature (n_bins, n_features * n_targets), the last bin for NaN
    constant : (n_features * n_targets,)
    base : (n_targets,), the mean raw score of the background
    """

    group: NDArray[np.int64]
    halves: Array
    steps: list[Array]
    constant: Array
    base: Array


def thresholds_of(heads: list[Head], n_features: int) -> list[NDArray[np.float32]]:
    """Return the distinct finite thresholds on each feature, in order."""
    found = []
    for feature in range(n_features):
        parts = [
            side[head.leaves.feature == feature]
            for head in heads
            for side in (head.leaves.low, head.leaves.high)
        ]
        values = np.unique(np.concatenate(parts))
        found.append(values[np.isfinite(values)])
    return found


def tabulate(
    head: Head, thresholds: list[NDArray[np.float32]], background: NDArray[np.float32]
) -> Tables:
    """Return the tables of one head against the background rows."""
    leaves, n_targets, n_features = head.leaves, len(head.start), len(thresholds)
    bins = [_bins(edges, background[:, f]) for f, edges in enumerate(thresholds)]
    pairs, group = np.unique(leaves.feature, axis=0, return_inverse=True)
    group = group.ravel()
    halves = np.zeros((len(pairs), n_targets, n_features, n_targets))
    steps = [np.zeros((len(edges) + 2, n_features, n_targets)) for edges in thresholds]
    constant = np.zeros((n_features, n_targets))
    base = head.start.astype(np.float64).copy()
    for number, (a, b) in enumerate(pairs):
        for target in range(n_targets):
            chosen = np.flatnonzero((group == number) & (leaves.target == target))
            weight = leaves.weight[chosen]
            # Features sort upwards, so a pair that lacks one has it first.
            if b == NONE:
                base[target] += weight.sum()
                continue
            in_b = _members(leaves, chosen, 1, thresholds[b])
            share_b = _shares(in_b, bins[b])
            if a == NONE:
                halves[number, target, b, target] = 1.0
                constant[b, target] -= weight @ share_b
                base[target] += weight @ share_b
                continue
            in_a = _members(leaves, chosen, 0, thresholds[a])
            share_a = _shares(in_a, bins[a])
            joint = np.zeros((in_a.shape[1], in_b.shape[1]))
            np.add.at(joint, (bins[a], bins[b]), 1 / len(background))
            both = ((in_a @ joint) * in_b).sum(axis=1)
            step_a = in_a.T @ (weight / 2 * share_b)
            step_b = in_b.T @ (weight / 2 * share_a)
            halves[number, target, [a, b], target] = 0.5
            steps[a][:, a, target] += step_a
            steps[a][:, b, target] -= step_a
            steps[b][:, b, target] += step_b
            steps[b][:, a, target] -= step_b
            constant[[a, b], target] -= weight @ both / 2
            base[target] += weight @ both
    width = n_features * n_targets
    return Tables(
        group,
        halves.reshape(-1, width),
        [each.reshape(-1, width) for each in steps],
        constant.ravel(),
        base,
    )


def _bins(edges: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of thresholds below each value; NaN has a bin of its own, the last."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, "left"))


def _members(
    leaves: Leaves, chosen: NDArray[np.int64], side: int, edges: NDArray[np.float32]
) -> Array:
    """Return 1 where a bin of a feature meets a leaf's condition on it, 0 elsewhere."""
    bins = np.arange(len(edges) + 2)
    low, high = leaves.low[chosen, side], leaves.high[chosen, side]
    first = np.where(np.isneginf(low), 0, np.searchsorted(edges, low, "left") + 1)
    first = np.where(np.isposinf(low), len(edges) + 1, first)
    last = np.searchsorted(edges, high, "left")
    inside = (bins >= first[:, None]) & (bins <= last[:, None])
    inside[:, -1] = leaves.missing[chosen, side]
    return np.asarray(inside, dtype=np.float64)


def _shares(members: Array, bins: NDArray[np.int64]) -> Array:
    counts: Array = np.bincount(bins, minlength=members.shape[1]) / len(bins)
    shares: Array = members @ counts
    return shares
