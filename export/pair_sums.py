"""Have the trees of a graph add up by pairs of features, and the raw scores come out of that.

One ensemble then serves the scores and the explanation: no tree is walked twice.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from export.leaves import Leaves, attributes, read_leaves
from export.shapley import Head

PAIR_SUMS = "explained/pair_sums"
SCORES = "explained/scores"
_TREE = (
    "nodes_falsenodeids",
    "nodes_truenodeids",
    "nodes_nodeids",
    "nodes_modes",
    "nodes_values",
    "nodes_missing_value_tracks_true",
)


def tree_nodes(graph: onnx.GraphProto) -> list[NodeProto]:
    """Return the tree ensembles of a graph."""
    return [node for node in graph.node if node.op_type.startswith("TreeEnsemble")]


def read_head(node: NodeProto, columns: list[int]) -> Head:
    """Return a head by its ensemble, with its features as columns of the derived features."""
    given = attributes(node)
    leaves = read_leaves(node)
    place = np.array([*columns, -1])  # the last stands for no feature, -1
    start = np.array(given.get("base_values") or [0.0], dtype=np.float64)
    return Head(leaves._replace(feature=place[leaves.feature]), start)


def sums_by_pair(
    features: str, nodes: list[NodeProto], columns: list[list[int]], groups: list[Any]
) -> NodeProto:
    """Return one ensemble for all heads with a target for each head, pair and class.

    Parameters
    ----------
    features : str
        The tensor that holds the derived features.
    columns : for each head, where its features stand in that tensor
    groups : for each head, its leaves, the pair of each and the number of classes
    """
    merged: dict[str, Any] = {key: [] for key in (*_TREE, "nodes_treeids")}
    merged["nodes_featureids"] = []
    targets: dict[str, Any] = {f"target_{key}": [] for key in _LEAF}
    first_tree = first_target = 0
    for node, placed, (leaves, group, classes) in zip(nodes, columns, groups, strict=True):
        given = attributes(node)
        for key in _TREE:
            merged[key] += list(given.get(key) or [0] * len(given["nodes_nodeids"]))
        merged["nodes_treeids"] += [first_tree + each for each in given["nodes_treeids"]]
        # Leaves name feature 0 and compare nothing.
        merged["nodes_featureids"] += [placed[each] for each in given["nodes_featureids"]]
        told = _leaf_values(leaves, first_tree, first_target + group * classes)
        for key, values in told.items():
            targets[f"target_{key}"] += values
        first_tree += max(given["nodes_treeids"]) + 1
        first_target += (int(group.max()) + 1) * classes
    return helper.make_node(
        "TreeEnsembleRegressor",
        [features],
        [PAIR_SUMS],
        domain="ai.onnx.ml",
        n_targets=first_target,
        post_transform="NONE",
        aggregate_function="SUM",
        **merged,
        **targets,
    )


_LEAF = ("nodeids", "treeids", "ids", "weights")


def _leaf_values(
    leaves: Leaves, first_tree: int, pair_target: NDArray[np.int64]
) -> dict[str, list[Any]]:
    order = np.lexsort((leaves.node, leaves.tree))
    return {
        "nodeids": leaves.node[order].tolist(),
        "treeids": (leaves.tree[order] + first_tree).tolist(),
        "ids": (pair_target + leaves.target)[order].tolist(),
        "weights": leaves.weight[order].tolist(),
    }


def score_nodes(
    heads: list[tuple[NDArray[np.int64], NDArray[np.float64]]], absent: str | None
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return the nodes that make raw scores of the sums; the head that answers is chosen by row.

    Parameters
    ----------
    heads : for each head, the pair of each leaf and the start of each class
    absent : str, optional
        The tensor that tells which rows the second head answers, of shape (n_samples, 1).
    """
    classes = len(heads[0][1])
    sizes = [(int(group.max()) + 1) for group, _ in heads]
    adding = np.zeros((sum(sizes) * classes, len(heads) * classes), np.float32)
    at = 0
    for number, size in enumerate(sizes):
        block = np.tile(np.eye(classes, dtype=np.float32), (size, 1))
        adding[at : at + len(block), number * classes : (number + 1) * classes] = block
        at += len(block)
    starts = np.concatenate([start for _, start in heads]).astype(np.float32)
    constants = [
        numpy_helper.from_array(adding, "explained/adding"),
        numpy_helper.from_array(starts, "explained/starts"),
    ]
    all_scores = SCORES if absent is None else "explained/all_scores"
    nodes = [helper.make_node("Gemm", [PAIR_SUMS, *(c.name for c in constants)], [all_scores])]
    if absent is not None:
        parts = ["explained/first_scores", "explained/second_scores"]
        nodes += [
            helper.make_node("Split", [all_scores], parts, axis=1),
            helper.make_node("Where", [absent, parts[1], parts[0]], [SCORES]),
        ]
    return nodes, constants


def answer_nodes(kind: str) -> list[NodeProto]:
    """Return the nodes that make `probabilities` or `value` of the raw scores."""
    if kind == "regression":
        return [helper.make_node("Reshape", [SCORES, "one_axis"], ["value"])]
    if kind == "multiclass":
        return [helper.make_node("Softmax", [SCORES], ["probabilities"], axis=1)]
    second, first, minus = (f"explained/{name}" for name in ("second", "first", "minus"))
    return [
        # Of the negated score, not one minus the other: small probabilities keep their digits.
        helper.make_node("Neg", [SCORES], [minus]),
        helper.make_node("Sigmoid", [minus], [first]),
        helper.make_node("Sigmoid", [SCORES], [second]),
        helper.make_node("Concat", [first, second], ["probabilities"], axis=1),
    ]
