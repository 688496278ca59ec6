"""The nodes that compute contributions and base values."""

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.branches import Addition, Output, then
from export.pair_sums import PAIR_SUMS
from export.shapley import Tables
from export.step_tables import lookup_nodes

CONTRIBUTIONS = "contributions"
BASE_VALUES = "base_values"
_MEANINGS = (
    "how far each derived feature moves the raw score of each class from its base value",
    "the raw score of each class, averaged over the background",
)


def tree_contributions(
    features: str,
    thresholds: list[NDArray[np.float32]],
    heads: list[tuple[str, Tables]],
    absent: str | None,
) -> Addition:
    """Return the contributions of every head, and of the head that answers each row.

    Parameters
    ----------
    features : str
        The tensor of the derived features.
    heads : for each head, the prefix of its own outputs and its tables
        The second answers the rows that `absent` marks and has outputs of its own.
    """
    steps, halves, constant, widths = _side_by_side([tables for _, tables in heads])
    nodes, constants = lookup_nodes(features, thresholds, steps, "explained/of_one")
    constants += [
        numpy_helper.from_array(halves, "explained/halves"),
        numpy_helper.from_array(constant, "explained/constant"),
        numpy_helper.from_array(np.array(widths), "explained/widths"),
    ]
    nodes += [
        helper.make_node(
            "Gemm", [PAIR_SUMS, "explained/halves", "explained/constant"], ["explained/of_two"]
        ),
        helper.make_node("Add", ["explained/of_one", "explained/of_two"], ["explained/all"]),
    ]
    n_features, n_classes = len(thresholds), len(heads[0][1].base)
    prefixes = [prefix for prefix, _ in heads]
    # Base values have their shape already, so those that are answered bear their last name.
    base = [then(prefix + BASE_VALUES) for prefix in prefixes]
    if absent is not None:
        base[0] = f"explained/{BASE_VALUES}"
    flat = [f"explained/{number}/{CONTRIBUTIONS}" for number in range(len(heads))]
    parts = [name for pair in zip(flat, base, strict=True) for name in pair]
    nodes.append(helper.make_node("Split", ["explained/all", "explained/widths"], parts, axis=1))
    if absent is not None:
        chosen = f"explained/{CONTRIBUTIONS}"
        nodes += [
            helper.make_node("Where", [absent, flat[1], flat[0]], [chosen]),
            helper.make_node("Where", [absent, base[1], base[0]], [then(BASE_VALUES)]),
        ]
        flat[0] = chosen
    n_features, n_classes = len(thresholds), len(heads[0][1].base)
    shape = np.array([0, n_features, n_classes])  # 0 keeps the number of rows
    constants.append(numpy_helper.from_array(shape, "explained/shape"))
    nodes += [
        helper.make_node("Reshape", [each, "explained/shape"], [then(prefix + CONTRIBUTIONS)])
        for each, prefix in zip(flat, prefixes, strict=True)
    ]
    outputs = [each for prefix in prefixes for each in outputs_of(prefix, n_features, n_classes)]
    return Addition(outputs, nodes, constants)


def linear_contributions(
    features: str, coef: NDArray[np.float64], mean: NDArray[np.float64], base: NDArray[np.float64]
) -> Addition:
    """Return coef * (x - mean): what Shapley values come to where nothing interacts.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_classes)
    mean, base : ndarrays of shape (n_features,) and (n_classes,)
        Means over the background.
    """
    constants = [
        numpy_helper.from_array(mean.astype(np.float32), "explained/mean"),
        numpy_helper.from_array(coef.astype(np.float32), "explained/coef"),
        numpy_helper.from_array(base.astype(np.float32), "explained/base"),
        numpy_helper.from_array(np.array([2]), "explained/class_axis"),
        numpy_helper.from_array(np.array([len(base)]), "explained/classes"),
    ]
    nodes = [
        helper.make_node("Sub", [features, "explained/mean"], ["explained/away"]),
        helper.make_node(
            "Unsqueeze", ["explained/away", "explained/class_axis"], ["explained/column"]
        ),
        helper.make_node("Mul", ["explained/column", "explained/coef"], [then(CONTRIBUTIONS)]),
        helper.make_node("Shape", [features], ["explained/rows"], start=0, end=1),
        helper.make_node(
            "Concat", ["explained/rows", "explained/classes"], ["explained/base_shape"], axis=0
        ),
        helper.make_node("Expand", ["explained/base", "explained/base_shape"], [then(BASE_VALUES)]),
    ]
    return Addition(outputs_of("", *coef.shape), nodes, constants)


def outputs_of(prefix: str, n_features: int, n_classes: int) -> list[Output]:
    """Return the two outputs of one head."""
    names = (prefix + CONTRIBUTIONS, prefix + BASE_VALUES)
    shapes = ([n_features, n_classes], [n_classes])
    roles = (CONTRIBUTIONS, BASE_VALUES)
    return [
        Output(name, role, "float32", shape, meaning)
        for name, role, shape, meaning in zip(names, roles, shapes, _MEANINGS, strict=True)
    ]


def _side_by_side(
    tables: list[Tables],
) -> tuple[list[NDArray[np.float64]], NDArray[np.float32], NDArray[np.float32], list[int]]:
    """Set the heads' tables side by side: contributions, then base values, for each head."""
    widths = [width for each in tables for width in (len(each.constant), len(each.base))]
    steps = [
        np.concatenate(
            [part for each in tables for part in _padded(each.steps[feature], len(each.base))],
            axis=1,
        )
        for feature in range(len(tables[0].steps))
    ]
    rows = [len(each.halves) for each in tables]
    halves = np.zeros((sum(rows), sum(widths)), np.float32)
    for number, each in enumerate(tables):
        top, left = sum(rows[:number]), sum(widths[: 2 * number])
        halves[top : top + rows[number], left : left + len(each.constant)] = each.halves
    constant = np.concatenate([part for each in tables for part in (each.constant, each.base)])
    return steps, halves, constant.astype(np.float32), widths


def _padded(steps: NDArray[np.float64], classes: int) -> tuple[NDArray[np.float64], ...]:
    return steps, np.zeros((len(steps), classes))
