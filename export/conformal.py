"""Prediction sets and intervals that hold the truth at a stated rate.

Split-conformal, class by class: a class is in a row's set where its probability is at least what
all but a share alpha of that class's own rows were given by a model that had not seen them.
Thresholds for all classes together would miss most of a rare one.

References
----------
Vovk, Conditional validity of inductive conformal predictors, 2012, for thresholds by class.
Lei et al., Distribution-free predictive inference for regression, 2018, for intervals.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from export.branches import Addition, Output, then
from export.last_step import derive
from export.scorers import Scorer, answers_of, scorers_of

ALPHA = 0.01
FOLDS = 5
METHOD = f"out-of-fold answers of {FOLDS} folds of the training rows"


class Calibration(NamedTuple):
    """By head: the answers of models that had not seen the rows, and the rows' true values."""

    answers: dict[str, NDArray[np.float64]]
    truths: dict[str, NDArray[Any]]


def calibrate(pipeline: Any, X: pd.DataFrame, y: Any, classes: list[str]) -> Calibration | None:
    """Fit clones on folds and return what each says of the others' rows.

    Returns None where a class has fewer rows than there are folds.
    """
    truth = np.asarray(y)
    if classes:
        truth = truth.astype(str)
        if min(np.unique(truth, return_counts=True)[1]) < FOLDS:
            return None
    elif len(truth) < FOLDS:
        return None
    folds: Any = StratifiedKFold if classes else KFold
    answers: dict[str, list[Any]] = {}
    truths: dict[str, list[Any]] = {}
    for train, test in folds(FOLDS, shuffle=True, random_state=0).split(X, truth):
        # One thread fits the same trees on every machine, and small ones sooner.
        with threadpool_limits(1):
            fitted = clone(pipeline).fit(X.iloc[train], np.asarray(y)[train])
        said = answers_by_head(fitted, X.iloc[test])
        for name, (answer, answered) in said.items():
            answers.setdefault(name, []).append(answer)
            truths.setdefault(name, []).append(truth[test][answered])
    return Calibration(
        {name: np.concatenate(each) for name, each in answers.items()},
        {name: np.concatenate(each) for name, each in truths.items()},
    )


def answers_by_head(
    pipeline: Any, X: pd.DataFrame
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return each head's answers, and which rows it can answer."""
    Z = derive(pipeline, X)
    found = {}
    for scorer in scorers_of(pipeline, Z.shape[1]):
        answered = _answered(scorer, Z)
        found[scorer.name] = (
            answers_of(scorer.estimator, Z[answered][:, scorer.columns]),
            answered,
        )
    return found


def thresholds(
    calibration: Calibration, classes: list[str], alpha: float
) -> dict[str, NDArray[np.float32]]:
    """Return, by head, the least probability with which each class is in a set.

    The k-th smallest of n is passed by a new row of the class with probability 1 - k / (n + 1) at
    least. With too few rows for alpha there is no such k, and the class is in every set.
    """
    found = {}
    for name, answers in calibration.answers.items():
        least = np.zeros(len(classes))
        for number, label in enumerate(classes):
            own = np.sort(answers[calibration.truths[name] == label, number])
            k = int(np.floor((len(own) + 1) * alpha))
            least[number] = own[k - 1] if k else 0.0
        found[name] = rounded_down(least)
    return found


def half_width(calibration: Calibration, alpha: float) -> np.float32 | None:
    """Return how far from the value its interval reaches, or None with too few rows for alpha."""
    residuals = np.sort(np.abs(calibration.answers[""].ravel() - calibration.truths[""]))
    k = int(np.ceil((len(residuals) + 1) * (1 - alpha)))
    return -rounded_down(-residuals[k - 1 : k])[0] if k <= len(residuals) else None


def rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each value."""
    rounded = values.astype(np.float32)
    return np.where(rounded > values, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def set_addition(by_head: list[NDArray[np.float32]], absent: str | None) -> Addition:
    """Return the nodes that put a class into the set where it reaches its threshold."""
    names = [f"sets/{number}" for number in range(len(by_head))]
    constants = [
        numpy_helper.from_array(each.reshape(1, -1), name)
        for each, name in zip(by_head, names, strict=True)
    ]
    nodes, least = [], names[0]
    if absent is not None:
        least = "sets/least"
        nodes.append(helper.make_node("Where", [absent, names[1], names[0]], [least]))
    nodes.append(
        helper.make_node("GreaterOrEqual", ["probabilities", least], [then("prediction_set")])
    )
    meaning = "the classes that cannot be ruled out at the level that conformal.alpha says"
    output = Output("prediction_set", "prediction_set", "bool", [by_head[0].size], meaning)
    return Addition([output], nodes, constants)


def interval_addition(width: np.float32) -> Addition:
    """Return the nodes that set the ends of an interval around the value."""
    constants = [
        numpy_helper.from_array(np.array([[-width, width]], np.float32), "sets/reach"),
        numpy_helper.from_array(np.array([1]), "sets/axis"),
    ]
    nodes = [
        helper.make_node("Unsqueeze", ["value", "sets/axis"], ["sets/value"]),
        helper.make_node("Add", ["sets/value", "sets/reach"], [then("interval")]),
    ]
    meaning = "the ends between which the target lies at the level that conformal.alpha says"
    return Addition([Output("interval", "interval", "float32", [2], meaning)], nodes, constants)


def _answered(scorer: Scorer, Z: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the rows a head can answer: one of two heads needs the column the other lacks."""
    needed = Z[:, scorer.needs] if scorer.needs else Z[:, :0]
    return np.asarray(~np.isnan(needed).any(axis=1))
