"""Say in which row graph and pipeline differ, and what to do about it."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export.answers import Answers, last_step, pipeline_answers
from export.comparison import Comparison, compare
from export.steps import top_steps, walk

# Trees that send a missing value another way once they are exported.
_TREES = ("RandomForest", "ExtraTrees", "DecisionTree", "ExtraTree")

# Of a row with many features, those that are quoted.
MAX_SHOWN = 12


def describe_difference(
    where: str,
    X: pd.DataFrame,
    compared: Comparison,
    answers: Answers,
    expected: Answers,
    tolerance: float,
    pipeline: Any,
) -> str:
    """Return how many rows differ, one of them with both answers, and what to do about it."""
    wrong = compared.wrong(tolerance)
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
    row = X.iloc[worst, :MAX_SHOWN].to_dict()
    more = f" and {X.shape[1] - MAX_SHOWN} more" if X.shape[1] > MAX_SHOWN else ""
    return (
        f"{int(wrong.sum())} of {len(X)} rows ({where}) are answered otherwise by the graph, "
        f"by up to {compared.difference.max():.3g} where {tolerance:.3g} is allowed. "
        f"Row {X.index[worst]} {row}{more}: {told}. "
        f"{_mend(X, lacking, compared, answers, tolerance, pipeline)} Nothing was written."
    )


def _mend(
    X: pd.DataFrame,
    lacking: NDArray[np.bool_],
    compared: Comparison,
    answers: Answers,
    tolerance: float,
    pipeline: Any,
) -> str:
    """Return what to do about a difference, as far as its cause can be told."""
    doubles = X.select_dtypes("float64").columns
    if len(doubles):
        rounded = X.astype(dict.fromkeys(doubles, np.float32)).astype(X.dtypes.to_dict())
        again = compare(answers, pipeline_answers(pipeline, rounded), tolerance)
        if not again.wrong(tolerance).any():
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
