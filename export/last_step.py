"""The last step of a pipeline and what reaches it: derived features, and the graph's tensor."""

from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from onnx import helper
from sklearn.pipeline import Pipeline

from export.answers import open_session
from export.columns import as_tensors

# Rows enough to tell two tensors of a graph apart.
PROBE_ROWS = 50


def last_step(pipeline: Any) -> Any:
    """Return the step that answers."""
    while isinstance(pipeline, Pipeline):
        pipeline = pipeline[-1]
    return pipeline


def derive(pipeline: Any, X: pd.DataFrame) -> NDArray[np.float32]:
    """Return what the steps before the last make of X, the derived features."""
    Z: Any = X
    while isinstance(pipeline, Pipeline):
        Z = pipeline[:-1].transform(Z) if len(pipeline) > 1 else Z
        pipeline = pipeline[-1]
    return np.asarray(Z.toarray() if hasattr(Z, "toarray") else Z, dtype=np.float32)


def derived_names(pipeline: Any, inputs: list[str]) -> list[str]:
    """Return the names of the derived features, or numbered ones where a step has none to give."""
    names: Any = inputs
    while isinstance(pipeline, Pipeline):
        if len(pipeline) > 1:
            try:
                names = pipeline[:-1].get_feature_names_out(names)
            except (AttributeError, ValueError):
                names = [f"derived {number}" for number in range(pipeline[-1].n_features_in_)]
        pipeline = pipeline[-1]
    return [str(name) for name in names]


def derived_units(pipeline: Any, names: list[str], units: dict[str, str]) -> list[str]:
    """Return the units of the derived features: of a step that tells them, or of inputs."""
    told = dict(units)
    if isinstance(pipeline, Pipeline):
        for _, step in pipeline.steps:
            if hasattr(step, "get_feature_units_out"):
                told |= step.get_feature_units_out(units)
            elif hasattr(step, "transform") and step != "passthrough":
                told = {}
    return [told.get(name, "") for name in names]


def feeding_tensor(
    model: onnx.ModelProto, pipeline: Any, X: pd.DataFrame, types: dict[str, str]
) -> str | None:
    """Return the name of the graph's tensor that holds the derived features, if one does."""
    rows = X.iloc[:PROBE_ROWS]
    try:
        wanted = derive(pipeline, rows)
    except (TypeError, ValueError):
        return None
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = [name for node in model.graph.node for name in node.output if name]
    del probe.graph.output[:]
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = open_session(probe)
    found = dict(zip(names, session.run(names, as_tensors(rows, types)), strict=True))
    if len(types) == 1 and wanted.shape[1] == 1:
        found = as_tensors(rows, types) | found
    same = [name for name, tensor in found.items() if _is_same(tensor, wanted)]
    return same[-1] if same else None


def _is_same(tensor: Any, wanted: NDArray[np.float32]) -> bool:
    return (
        isinstance(tensor, np.ndarray)
        and tensor.dtype == np.float32
        and tensor.shape == wanted.shape
        and np.allclose(tensor, wanted, rtol=1e-5, atol=1e-6, equal_nan=True)
    )
