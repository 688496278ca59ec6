"""A fitted pipeline to an ONNX graph with one named input a feature."""

import copy
import warnings
from typing import Any

import numpy as np
import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import export.imputer  # noqa: F401  # registers its converter
from export.converters import COLUMN_BY_COLUMN
from export.errors import NotExportable
from export.graph import MERGED, OPSETS, finish
from export.scalers import SCALERS
from export.steps import refuse_steps, top_steps, walk

_TENSOR_TYPES = {"float32": FloatTensorType, "int64": Int64TensorType, "string": StringTensorType}
# Characters of the converter's own words; some print all of their variables.
MAX_REASON = 300
# One by one, so that what comes of whole numbers can be computed in float64.
_TAKE_COLUMNS = (
    ColumnTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    SimpleImputer,
    *SCALERS,
    *COLUMN_BY_COLUMN,
)


def convert(
    pipeline: Any, types: dict[str, str], class_names: list[str], details: dict[str, str]
) -> onnx.ModelProto:
    """Return the pipeline as a graph: opset 17, ai.onnx.ml 3, IR 8.

    Parameters
    ----------
    types : dict of feature name to "float32", "int64" or "string"
    class_names : list of str
        In the order of the probability columns; empty for a regression.
    details : dict of output name to type
        The outputs behind label and probabilities.

    Raises
    ------
    NotExportable
        When a step has no converter, or one that answers otherwise.
    """
    refuse_steps(pipeline)
    merged = not isinstance(_first_step(pipeline), _TAKE_COLUMNS)
    if merged and set(types.values()) == {"string"}:
        raise NotExportable("strings need an encoder, such as OneHotEncoder, as the first step")
    if merged:
        inputs = [(MERGED, FloatTensorType([None, len(types)]))]
    else:
        inputs = [(name, _TENSOR_TYPES[type_]([None, 1])) for name, type_ in types.items()]
    rounded = _round_thresholds(copy.deepcopy(pipeline))
    with warnings.catch_warnings():
        # The converter's own deprecations are no concern of its caller.
        warnings.simplefilter("ignore")
        try:
            converted = convert_sklearn(
                rounded,
                name="model",
                initial_types=inputs,
                target_opset=OPSETS,
                options={id(rounded): {"zipmap": False}} if class_names else None,
            )
        except NotExportable:
            raise
        except Exception as error:  # each converter raises a class of its own choice
            raise NotExportable(_told(pipeline, error)) from error
    return finish(converted, types, class_names, details)


def _told(pipeline: Any, error: Exception) -> str:
    """Return which step the converter broke off at, as far as that can be told, and its reason."""
    named = [
        (path, type(step).__name__)
        for path, step in walk(pipeline)
        if type(step).__name__ in f"{type(error).__name__} {error}"
    ]
    steps = named or [(name, type(step).__name__) for name, step in top_steps(pipeline)]
    which = " or ".join(f"{path!r} ({name})" for path, name in dict.fromkeys(steps))
    reason = " ".join(str(error).split())[:MAX_REASON]
    return (
        f"step {which} cannot be converted as it is set: {type(error).__name__}: {reason}. "
        "Set its options otherwise, or use another step"
    )


def _first_step(pipeline: Any) -> Any:
    while isinstance(pipeline, Pipeline):
        pipeline = pipeline.steps[0][1]
    return pipeline


def _round_thresholds(pipeline: Any) -> Any:
    """Round the thresholds of histogram gradient boosting down to float32, in place.

    For every x in float32, x <= t and x <= t rounded down are the same question.
    """
    for _, step in walk(pipeline):
        for trees in getattr(step, "_predictors", []):
            for tree in trees:
                exact = tree.nodes["num_threshold"]
                rounded = exact.astype(np.float32)
                above = rounded > exact
                rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
                tree.nodes["num_threshold"] = rounded
    return pipeline
