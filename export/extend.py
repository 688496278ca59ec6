"""Everything a graph says beside its answer: contributions, sets or intervals, novelty."""

from typing import Any, NamedTuple

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from onnx import helper

from export import conformal, novelty, reference
from export.branches import Addition, Output, add_outputs, then
from export.contract import check_names
from export.explainable import absent_rows, explain
from export.extended_keys import describe_explanation, describe_sets, scores_of
from export.last_step import derive, derived_names, derived_units, feeding_tensor
from export.scorers import Scorer, scorers_of

NO_TRAINING_ROWS = "no training rows were given to compare with"
NO_TENSOR = "the graph holds the input of the last step in no tensor of its own"
_NOTHING: dict[str, Any] = dict.fromkeys(("conformal", "novelty", "reference"))


class Extended(NamedTuple):
    """The graph with all that could be added, what was added, and the contract's keys for it."""

    model: onnx.ModelProto
    outputs: list[Output]
    scorers: list[Scorer]
    background: NDArray[np.float32] | None
    box: novelty.Box | None
    least: dict[str, NDArray[np.float32]]
    width: np.float32 | None
    keys: dict[str, Any]


def leave_as_it_is(model: onnx.ModelProto, reason: str) -> Extended:
    """Return a graph to which nothing is added, and say why."""
    keys = _NOTHING | {"explanation": describe_explanation(reason=reason)}
    return Extended(model, [], [], None, None, {}, None, keys)


def extend(
    model: onnx.ModelProto,
    pipeline: Any,
    holdout: tuple[pd.DataFrame, pd.Series],
    X_train: pd.DataFrame,
    y_train: Any,
    *,
    types: dict[str, str],
    classes: list[str],
    features: list[dict[str, Any]],
    alpha: float,
) -> Extended:
    """Return the graph with every output that can be added to it.

    Parameters
    ----------
    holdout : X and y of rows that nothing was fitted or calibrated on
    X_train : DataFrame of shape (n_samples, n_features)
        The background of the contributions and the ground of box and reference.
    y_train : array-like of shape (n_samples,), optional
        Calibrates prediction sets or intervals; without it there are none.
    features : the contract's entries

    Raises
    ------
    InvalidContract
        When a feature bears the name of an output that is added.
    """
    X_holdout = holdout[0]
    tensor = feeding_tensor(model, pipeline, X_holdout, types)
    if tensor is None:
        return leave_as_it_is(model, NO_TENSOR)
    Z = derive(pipeline, X_train)
    names = derived_names(pipeline, list(types))
    units = derived_units(pipeline, names, {each["name"]: each["unit"] for each in features})
    kind = {0: "regression", 2: "binary"}.get(len(classes), "multiclass")
    explained = explain(model, pipeline, tensor, Z, kind)
    scorers = scorers_of(pipeline, Z.shape[1])
    absent = absent_rows(model, scorers)
    additions = [explained.addition] if explained.addition else []

    calibration = (
        None if y_train is None else conformal.calibrate(pipeline, X_train, y_train, classes)
    )
    least, width = {}, None
    if calibration and classes:
        least = conformal.thresholds(calibration, classes, alpha)
        additions.append(conformal.set_addition(list(least.values()), absent))
    elif calibration:
        width = conformal.half_width(calibration, alpha)
        additions += [conformal.interval_addition(width)] if width is not None else []
    box = novelty.enclose(Z, names, features)
    additions.append(novelty.novelty_addition(box, tensor, types))
    additions.append(_derived_addition(tensor, len(names)))

    outside = novelty.find_outside(box, derive(pipeline, X_holdout), X_holdout)
    derived = dict(zip(names, Z.T, strict=True))
    keys = {
        "explanation": describe_explanation(
            reason=explained.reason,
            scale="log-odds" if classes else "value",
            rows=len(Z),
            features=list(zip(names, units, strict=True)),
            columns=classes[1:] if kind == "binary" else classes,
            scorers=scorers,
        ),
        "conformal": describe_sets(pipeline, holdout, calibration, least, width, classes, alpha),
        "novelty": novelty.describe(box, outside),
        "reference": reference.describe(X_train, derived, scores_of(calibration, classes)),
    }
    outputs = [output for addition in additions for output in addition.outputs]
    check_names(list(types), [output.name for output in outputs], classes)
    ready = add_outputs(explained.model, additions)
    background = Z if explained.addition else None
    return Extended(ready, outputs, scorers, background, box, least, width, keys)


def _derived_addition(tensor: str, width: int) -> Addition:
    """Return the node that shows what the last step of the pipeline is given."""
    meaning = "the derived features, what the contributions are of"
    node = helper.make_node("Identity", [tensor], [then("derived")])
    return Addition([Output("derived", "derived", "float32", [width], meaning)], [node], [])
