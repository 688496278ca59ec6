"""The same answers from graph and pipeline, on the holdout and on the thresholds, or an error."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from export.answers import (
    Answers,
    graph_answers,
    last_step,
    missing,
    open_session,
    pipeline_answers,
)
from export.errors import ParityError
from export.steps import top_steps, walk
from export.thresholds import ThresholdRows

PROBABILITY_TOLERANCE = 1e-6
# Of the target's standard deviation.
VALUE_TOLERANCE = 1e-5

_TREES = ("RandomForest", "ExtraTrees", "DecisionTree", "ExtraTree")


@dataclass(frozen=True)
class Parity:
    """How far the graph is from the pipeline."""

    tolerance: float
    max_difference: float
    holdout_rows: int
    threshold_rows: int
    thresholds: int
    thresholds_met: int
    label_differences: int
    ties: int
    explanation_tolerance: float | None = None
    explanation_difference: float | None = None
    explanation_rows: int = 0


@dataclass(frozen=True)
class _Comparison:
    difference: NDArray[np.float64]
    differs: NDArray[np.bool_]
    ties: int


def verify(
    model: onnx.ModelProto,
    pipeline: Any,
    X_holdout: pd.DataFrame,
    types: dict[str, str],
    *,
    around: ThresholdRows,
    nullable: list[str],
    tolerance: float,
) -> Parity:
    """Compare graph and pipeline on every kind of row.

    Parameters
    ----------
    around : rows on the thresholds of the graph
    nullable : features to leave out, one after the other
    tolerance : the largest difference allowed in a probability or value

    Raises
    ------
    ParityError
        When a probability or value differs by more than the tolerance, or an answer in words
        does where the best two classes are further apart than that.
    """
    session = open_session(model)
    comparisons, rows = [], 0
    for where, X in kinds_of_rows(X_holdout, around.X, nullable):
        expected = pipeline_answers(pipeline, X)
        compared = _compare(graph_answers(session, X, types), expected, tolerance)
        if (compared.difference > tolerance).any() or compared.differs.any():
            answers = graph_answers(session, X, types)
            raise ParityError(_fault(where, X, compared, answers, expected, tolerance, pipeline))
        comparisons.append(compared)
        rows += len(X) if where.startswith("threshold") else 0
    return Parity(
        tolerance=tolerance,
        max_difference=float(max(each.difference.max(initial=0.0) for each in comparisons)),
        holdout_rows=len(X_holdout),
        threshold_rows=rows,
        thresholds=around.thresholds,
        thresholds_met=around.reached,
        label_differences=0,
        ties=sum(each.ties for each in comparisons),
    )


def kinds_of_rows(
    X_holdout: pd.DataFrame, X_thresholds: pd.DataFrame, nullable: list[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows to compare, with the words for them."""
    for where, X in (("holdout", X_holdout), ("threshold rows", X_thresholds)):
        if not len(X):
            continue
        yield where, X
        for name in nullable:
            yield f"{where} without {name}", missing(X, name)


def _compare(answers: Answers, expected: Answers, tolerance: float) -> _Comparison:
    if "value" in answers:
        difference = np.abs(answers["value"] - expected["value"])
        return _Comparison(_finite(difference), np.zeros(len(difference), bool), 0)
    difference = np.abs(answers["probabilities"] - expected["probabilities"]).max(axis=1)
    second, best = np.sort(expected["probabilities"], axis=1)[:, -2:].T
    tie = best - second <= tolerance
    differs = ~tie & (answers["label"] != expected["label"])
    for name in set(expected) - {"label", "probabilities"}:
        differs |= answers[name] != expected[name]
    return _Comparison(_finite(difference), differs, int(tie.sum()))


def _finite(difference: NDArray[Any]) -> NDArray[np.float64]:
    """Return the difference with infinity in the place of NaN, which no comparison would find."""
    return np.where(np.isnan(difference), np.inf, difference).astype(np.float64)


def _fault(
    where: str,
    X: pd.DataFrame,
    compared: _Comparison,
    answers: Answers,
    expected: Answers,
    tolerance: float,
    pipeline: Any,
) -> str:
    wrong = (compared.difference > tolerance) | compared.differs
    lacking = wrong & _trees_see_nan(pipeline, X)
    quoted = lacking if lacking.any() else wrong
    worst = int(np.argmax(np.where(quoted, compared.difference + compared.differs, -1.0)))
    said = {
        name: (each[worst], expected[name][worst])
        for name, each in answers.items()
        if name in expected
    }
    told = "; ".join(
        f"{name}: graph {graph}, pipeline {own}" for name, (graph, own) in said.items()
    )
    return (
        f"{int(wrong.sum())} of {len(X)} rows ({where}) are answered otherwise by the graph, "
        f"by up to {compared.difference.max():.3g} where {tolerance:.3g} is allowed. "
        f"Row {X.index[worst]} {X.iloc[worst].to_dict()}: {told}. "
        f"{_mend(X, lacking, compared, answers, tolerance, pipeline)} Nothing was written."
    )


def _mend(
    X: pd.DataFrame,
    lacking: NDArray[np.bool_],
    compared: _Comparison,
    answers: Answers,
    tolerance: float,
    pipeline: Any,
) -> str:
    """Return what to do about a difference, as far as its cause can be told."""
    doubles = X.select_dtypes("float64").columns
    if len(doubles):
        rounded = X.astype(dict.fromkeys(doubles, np.float32)).astype(X.dtypes.to_dict())
        again = _compare(answers, pipeline_answers(pipeline, rounded), tolerance)
        if not (again.difference > tolerance).any() and not again.differs.any():
            return "Cast X to float32 before fit: then both see the same numbers."
    if lacking.any():
        path, name = _named(pipeline, _TREES)[0]
        return (
            f"Step {path!r} ({name}) sends NaN another way once exported: put SimpleImputer before "
            "it, or use HistGradientBoosting, which keeps its way with NaN."
        )
    whole = [str(name) for name in X.select_dtypes("integer").columns]
    if whole and _named(pipeline, ("HistGradientBoosting",)):
        return (
            f"Cast {', '.join(whole)} to float32 before fit: beside whole numbers a step computes "
            "in float64, and these trees see more digits than the graph has."
        )
    if not (compared.difference > tolerance).any():
        return (
            "The pipeline's predict is not the class of its largest probability: "
            "use a classifier where it is, without a threshold of its own."
        )
    steps = ", ".join(f"{name!r}" for name, _ in top_steps(pipeline))
    return f"The conversion of one of the steps {steps} is not faithful; replace it."


def _named(pipeline: Any, prefixes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return path and class name of the steps whose class name starts so."""
    named = [(path, type(step).__name__) for path, step in walk(pipeline)]
    return [(path, name) for path, name in named if name.startswith(prefixes)]


def _trees_see_nan(pipeline: Any, X: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for which rows a tree that takes NaN another way than the graph is given NaN."""
    if not _named(pipeline, _TREES):
        return np.zeros(len(X), bool)
    _, fed = last_step(pipeline, X)
    dense = fed.toarray() if hasattr(fed, "toarray") else fed
    return np.asarray(pd.DataFrame(dense).isna().any(axis=1))
