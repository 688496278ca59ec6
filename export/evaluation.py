"""What a model did on its holdout: what it took for what, how true its probabilities came."""

from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from export.answers import explained_answers, open_session, pipeline_answers
from export.conformal import answers_by_head
from export.contributions import CONTRIBUTIONS
from export.last_step import last_step
from export.scorers import Scorer
from research.heads import TwoHeads

BINS = 10


def describe(
    model: onnx.ModelProto,
    pipeline: Any,
    holdout: tuple[pd.DataFrame, pd.Series],
    scorers: list[Scorer],
    *,
    types: dict[str, str],
    classes: list[str],
) -> dict[str, Any]:
    """Return the contract's `evaluation`.

    Parameters
    ----------
    holdout : X and y of rows that nothing was fitted or calibrated on
    scorers : the heads that the graph explains; none where it explains nothing
    """
    X, y = holdout
    importance = _importance(model, X, scorers, types)
    heads = []
    for head, (answers, answered) in _answers(pipeline, X).items():
        truth = y.to_numpy()[answered]
        if classes:
            truth = truth.astype(str)
        heads.append(
            {
                "head": head,
                "rows": len(truth),
                "confusion": _confusion(answers, truth, classes),
                "reliability": _reliability(answers, truth, classes),
                "importance": importance.get(head),
            }
        )
    return {"of": "holdout", "heads": heads}


def _answers(
    pipeline: Any, X: pd.DataFrame
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return probabilities or values by head, of shape (n_rows, n_columns), and whose they are."""
    if isinstance(last_step(pipeline), TwoHeads):
        return answers_by_head(pipeline, X)
    said = pipeline_answers(pipeline, X)
    answers = said["probabilities"] if "probabilities" in said else said["value"].reshape(-1, 1)
    return {"": (answers, np.ones(len(X), dtype=bool))}


def _importance(
    model: onnx.ModelProto, X: pd.DataFrame, scorers: list[Scorer], types: dict[str, str]
) -> dict[str, list[list[float]]]:
    """Return, by head, the mean size of the contributions of each feature to each column."""
    if not scorers:
        return {}
    said = explained_answers(open_session(model), X, types)
    return {
        scorer.name: np.round(
            np.abs(said[scorer.prefix + CONTRIBUTIONS]).mean(axis=0, dtype=np.float64), 6
        ).tolist()
        for scorer in scorers
    }


def _confusion(
    answers: NDArray[np.float64], truth: NDArray[Any], classes: list[str]
) -> list[list[int]] | None:
    """Return how many rows of each class, down, were taken for each, across."""
    if not classes:
        return None
    predicted = np.argmax(answers, axis=1)
    return [
        np.bincount(predicted[truth == label], minlength=len(classes)).tolist() for label in classes
    ]


def _reliability(
    answers: NDArray[np.float64], truth: NDArray[Any], classes: list[str]
) -> list[dict[str, Any]]:
    """Return what was said and what was so, bin by bin: of each class, or of the value."""
    if classes:
        edges = np.linspace(0, 1, BINS + 1)[1:-1]
        pairs = [
            (name, answers[:, number], truth == name, edges) for number, name in enumerate(classes)
        ]
    else:
        value = answers.ravel()
        pairs = [("", value, truth, np.quantile(value, np.linspace(0, 1, BINS + 1)[1:-1]))]
    return [
        {
            "class_name": name,
            "predicted": round(float(said[own].mean()), 6),
            "observed": round(float(so[own].mean()), 6),
            "rows": int(own.sum()),
        }
        for name, said, so, edges in pairs
        for own in (np.digitize(said, edges) == number for number in range(BINS))
        if own.any()
    ]
