"""The leaves of a graph's trees, and which values of a row lead to each."""

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from export.errors import NotExportable

NONE = -1


class Leaves(NamedTuple):
    """One entry a leaf. A row reaches a leaf if it meets its conditions on both features.

    A condition is low < x <= high, or `missing` where x is NaN. A leaf with fewer than two
    features has NONE in their place, and the lower feature comes first.
    """

    node: NDArray[np.int64]
    tree: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    feature: NDArray[np.int64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    missing: NDArray[np.bool_]


class MoreThanPairs(NotExportable):
    """A path asks for more than two features."""


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Return the attributes of a node by name."""
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def read_leaves(node: onnx.NodeProto) -> Leaves:
    """Return the leaves of a TreeEnsembleClassifier or TreeEnsembleRegressor.

    Raises
    ------
    MoreThanPairs
        When a path from the root asks for more than two features.
    """
    given = attributes(node)
    kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
    places = zip(given["nodes_treeids"], given["nodes_nodeids"], strict=True)
    index = {place: position for position, place in enumerate(places)}
    said = {
        (tree, leaf): (target, weight)
        for tree, leaf, target, weight in zip(
            given[f"{kind}_treeids"],
            given[f"{kind}_nodeids"],
            given[f"{kind}_ids"],
            given[f"{kind}_weights"],
            strict=True,
        )
    }
    rows = []
    for tree in dict.fromkeys(given["nodes_treeids"]):
        for leaf, conditions in _paths(given, index, tree):
            target, weight = said[tree, leaf]
            rows.append((leaf, tree, target, weight, *_two(conditions)))
    columns = list(zip(*rows, strict=True))
    types: list[Any] = [np.int64] * 3 + [np.float64, np.int64, np.float32, np.float32, np.bool_]
    return Leaves(*(np.array(each, type_) for each, type_ in zip(columns, types, strict=True)))


def _paths(given: dict[str, Any], index: dict[tuple[int, int], int], tree: int) -> Any:
    """Yield each leaf of a tree with its conditions, {feature: (low, high, missing)}."""
    stack: list[tuple[int, dict[int, tuple[float, float, bool]]]] = [(0, {})]
    while stack:
        node, conditions = stack.pop()
        at = index[tree, node]
        if given["nodes_modes"][at] == b"LEAF":
            yield node, conditions
            continue
        feature, threshold = given["nodes_featureids"][at], given["nodes_values"][at]
        missing_left = bool(given["nodes_missing_value_tracks_true"][at])
        low, high, missing = conditions.get(feature, (-np.inf, np.inf, True))
        left = (low, min(high, threshold), missing and missing_left)
        right = (max(low, threshold), high, missing and not missing_left)
        stack.append((given["nodes_truenodeids"][at], {**conditions, feature: left}))
        stack.append((given["nodes_falsenodeids"][at], {**conditions, feature: right}))


def _two(conditions: dict[int, tuple[float, float, bool]]) -> tuple[list[Any], ...]:
    if len(conditions) > 2:
        raise MoreThanPairs(
            f"a path asks for {len(conditions)} features: fit it with interaction_cst='pairwise'"
        )
    pairs = sorted(conditions.items())
    pairs = [(NONE, (-np.inf, np.inf, True))] * (2 - len(pairs)) + pairs
    features = [feature for feature, _ in pairs]
    low, high, missing = ([condition[part] for _, condition in pairs] for part in range(3))
    return features, low, high, missing
