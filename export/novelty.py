"""Rows unlike those that the model was trained on, and the feature that gives them away.

A box around the training rows, feature by feature, flags as much as costlier detectors do and
says what is outside. Rules that the survey itself followed come beside it.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from export.branches import Addition, Output, then

QUANTILES = (0.0005, 0.9995)
Bounds = NDArray[np.float32]


class Box(NamedTuple):
    """Bounds of the derived features, then of the inputs that have a domain."""

    derived: list[str]
    inputs: list[str]
    low: Bounds
    high: Bounds


def enclose(Z: NDArray[np.float32], derived: list[str], features: list[dict[str, Any]]) -> Box:
    """Return the box around training rows and the declared domains; a feature may be missing."""
    known = [column[~np.isnan(column)] for column in Z.T]
    box = [
        np.quantile(column, QUANTILES, method="nearest") if len(column) else (-np.inf, np.inf)
        for column in known
    ]
    ruled = [feature for feature in features if feature["domain"]]
    ends = [
        tuple(
            end if given is None else given
            for given, end in zip(feature["domain"], (-np.inf, np.inf), strict=True)
        )
        for feature in ruled
    ]
    low, high = np.array([*box, *ends], dtype=np.float32).T
    return Box(derived, [str(feature["name"]) for feature in ruled], low, high)


def find_outside(box: Box, Z: NDArray[np.float32], X: pd.DataFrame) -> NDArray[np.bool_]:
    """Return what lies outside, of shape (n_samples, n_bounds); what is missing does not."""
    given = X[box.inputs].to_numpy(dtype=np.float32)
    values = np.column_stack([Z, given])
    outside: NDArray[np.bool_] = (values < box.low) | (values > box.high)
    return outside


def novelty_addition(box: Box, features: str, types: dict[str, str]) -> Addition:
    """Return the nodes that compare a row with its box."""
    columns: list[str] = [features]
    nodes: list[NodeProto] = []
    for name in box.inputs:
        columns.append(name)
        if types[name] != "float32":
            columns[-1] = f"novelty/{name}/float"
            nodes.append(helper.make_node("Cast", [name], columns[-1:], to=TensorProto.FLOAT))
    values = features
    if box.inputs:
        values = "novelty/values"
        nodes.append(helper.make_node("Concat", columns, [values], axis=1))
    nodes += [
        helper.make_node("Less", [values, "novelty/low"], ["novelty/below"]),
        helper.make_node("Greater", [values, "novelty/high"], ["novelty/above"]),
        helper.make_node("Or", ["novelty/below", "novelty/above"], [then("novelty")]),
    ]
    constants = [
        numpy_helper.from_array(box.low, "novelty/low"),
        numpy_helper.from_array(box.high, "novelty/high"),
    ]
    meaning = "which of novelty.columns lie outside what the model was trained on"
    output = Output("novelty", "novelty", "bool", [len(box.low)], meaning)
    return Addition([output], nodes, constants)


def describe(box: Box, outside: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the contract's `novelty`, with the share of known rows that are flagged."""
    kinds = ["derived"] * len(box.derived) + ["input"] * len(box.inputs)
    return {
        "quantiles": list(QUANTILES),
        "columns": [
            {"name": name, "kind": kind, "low": _or_none(low), "high": _or_none(high)}
            for name, kind, low, high in zip(
                [*box.derived, *box.inputs], kinds, box.low, box.high, strict=True
            )
        ],
        "false_alarms": round(float(outside.any(axis=1).mean()), 6),
        "rows": len(outside),
    }


def _or_none(value: np.float32) -> np.float32 | None:
    return value if np.isfinite(value) else None
