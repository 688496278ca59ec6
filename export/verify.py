"""The same answers from graph and pipeline, on the holdout and on the thresholds, or an error."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import onnx
import pandas as pd

from export.answers import graph_answers, missing, open_session, pipeline_answers
from export.comparison import compare
from export.differences import describe_difference
from export.errors import ParityError
from export.thresholds import ThresholdRows

PROBABILITY_TOLERANCE = 1e-6
# Of the target's standard deviation.
VALUE_TOLERANCE = 1e-5


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
        answers = graph_answers(session, X, types)
        compared = compare(answers, expected, tolerance)
        if compared.wrong(tolerance).any():
            raise ParityError(
                describe_difference(where, X, compared, answers, expected, tolerance, pipeline)
            )
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
