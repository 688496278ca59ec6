"""Nodes for functions of one feature each: find each row's bin by a tree, then look it up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper


def lookup_nodes(
    features: str,
    thresholds: list[NDArray[np.float32]],
    steps: list[NDArray[np.float64]],
    output: str,
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return nodes that add up, for each row, the table entries of its features' bins.

    Parameters
    ----------
    thresholds : for each feature, its distinct thresholds in order
    steps : for each feature, a table of shape (n_thresholds + 2, width), the last row for NaN
    output : str
        The tensor of shape (n_samples, width) to make.
    """
    table = np.concatenate(steps).astype(np.float32)
    offsets = np.cumsum([0, *(len(each) for each in steps[:-1])])
    constants = [
        numpy_helper.from_array(table, "explained/table"),
        numpy_helper.from_array(np.array([1]), "explained/table_axis"),
    ]
    bins, places, entries = (f"explained/{name}" for name in ("bins", "places", "entries"))
    nodes = [
        _index_trees(features, thresholds, offsets, bins),
        helper.make_node("Cast", [bins], [places], to=TensorProto.INT64),
        helper.make_node("Gather", ["explained/table", places], [entries], axis=0),
        helper.make_node("ReduceSum", [entries, "explained/table_axis"], [output], keepdims=0),
    ]
    return nodes, constants


def _index_trees(
    features: str, thresholds: list[NDArray[np.float32]], offsets: NDArray[Any], output: str
) -> NodeProto:
    """Return one ensemble with a balanced tree a feature, which answers with the bin's place."""
    grown: dict[str, Any] = {key: [] for key in _KEYS}
    for feature, (edges, offset) in enumerate(zip(thresholds, offsets, strict=True)):
        _grow(grown, feature, edges, int(offset))
    return helper.make_node(
        "TreeEnsembleRegressor",
        [features],
        [output],
        domain="ai.onnx.ml",
        n_targets=len(thresholds),
        post_transform="NONE",
        aggregate_function="SUM",
        **grown,
    )


_KEYS = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_modes",
    "nodes_values",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "target_treeids",
    "target_nodeids",
    "target_ids",
    "target_weights",
)


def _grow(
    grown: dict[str, list[Any]], feature: int, edges: NDArray[np.float32], offset: int
) -> None:
    """Add the tree of one feature: its root sends NaN one way and all numbers the other."""
    made = 0

    def add(mode: str, value: float) -> int:
        nonlocal made
        grown["nodes_treeids"].append(feature)
        grown["nodes_nodeids"].append(made)
        grown["nodes_featureids"].append(feature)
        grown["nodes_modes"].append(mode)
        grown["nodes_values"].append(float(value))
        grown["nodes_truenodeids"].append(0)
        grown["nodes_falsenodeids"].append(0)
        made += 1
        return len(grown["nodes_nodeids"]) - 1

    def leaf(bin_: int) -> None:
        at = add("LEAF", 0.0)
        grown["target_treeids"].append(feature)
        grown["target_nodeids"].append(grown["nodes_nodeids"][at])
        grown["target_ids"].append(feature)
        grown["target_weights"].append(float(offset + bin_))

    def search(first: int, last: int) -> None:
        """Add the subtree that tells the bins from first to last apart."""
        if first == last:
            leaf(first)
            return
        middle = (first + last) // 2
        at = add("BRANCH_LEQ", edges[middle])
        grown["nodes_truenodeids"][at] = made
        search(first, middle)
        grown["nodes_falsenodeids"][at] = made
        search(middle + 1, last)

    # Every number is at most infinity; a comparison with NaN is false.
    root = add("BRANCH_LEQ", np.inf)
    grown["nodes_truenodeids"][root] = made
    search(0, len(edges))
    grown["nodes_falsenodeids"][root] = made
    leaf(len(edges) + 1)
