"""Which pipelines can be explained exactly, and by which graph."""

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from export.branches import Addition
from export.contributions import linear_contributions, tree_contributions
from export.graph import rebuilt
from export.leaves import MoreThanPairs
from export.pair_sums import (
    answer_nodes,
    read_head,
    score_nodes,
    sums_by_pair,
    tree_nodes,
)
from export.scorers import Scorer, raw_scores, scorers_of
from export.shapley import tabulate, thresholds_of

# The raw score of other losses is not the predicted value.
_PLAIN_LOSSES = ("squared_error", "absolute_error", "quantile")


class Explained(NamedTuple):
    """A graph whose scores can be explained, with the outputs to add; or the reason why not."""

    model: onnx.ModelProto
    addition: Addition | None
    scorers: list[Scorer]
    reason: str | None


def explain(
    model: onnx.ModelProto,
    pipeline: Any,
    features: str,
    background: NDArray[np.float32],
    kind: str,
) -> Explained:
    """Return the graph made ready, and the addition that explains it.

    Parameters
    ----------
    features : str
        The tensor of the derived features.
    background : ndarray of shape (n_rows, n_features)
        Derived features of the rows that the contributions are measured against.
    """
    scorers = scorers_of(pipeline, background.shape[1])
    reason = _obstacle(scorers, background)
    if reason:
        return Explained(model, None, scorers, reason)
    if _is_linear(scorers[0].estimator):
        return Explained(model, _linear(scorers[0].estimator, features, background), scorers, None)
    try:
        return _trees(model, scorers, features, background, kind)
    except MoreThanPairs as obstacle:
        return Explained(model, None, scorers, str(obstacle))


def absent_rows(model: onnx.ModelProto, scorers: list[Scorer]) -> str | None:
    """Return the tensor that marks the rows of the second head, if there are two."""
    if len(scorers) == 1:
        return None
    marks = [node.output[0] for node in model.graph.node if node.op_type == "IsNaN"]
    return str(marks[-1])


def _trees(
    model: onnx.ModelProto,
    scorers: list[Scorer],
    features: str,
    background: NDArray[np.float32],
    kind: str,
) -> Explained:
    # Steps before the last may hold trees of their own.
    nodes = tree_nodes(model.graph)[-len(scorers) :]
    columns = [scorer.columns for scorer in scorers]
    heads = [read_head(node, placed) for node, placed in zip(nodes, columns, strict=True)]
    thresholds = thresholds_of(heads, background.shape[1])
    tables = [tabulate(head, thresholds, background) for head in heads]
    groups = [
        (head.leaves, each.group, len(each.base)) for head, each in zip(heads, tables, strict=True)
    ]
    absent = absent_rows(model, scorers)
    summed = sums_by_pair(features, nodes, columns, groups)
    starts = [(each.group, head.start) for head, each in zip(heads, tables, strict=True)]
    scored, constants = score_nodes(starts, absent)
    ready = rebuilt(model, [summed, *scored, *answer_nodes(kind)], constants)
    prefixed = [(scorer.prefix, each) for scorer, each in zip(scorers, tables, strict=True)]
    return Explained(
        ready, tree_contributions(features, thresholds, prefixed, absent), scorers, None
    )


def _linear(estimator: Any, features: str, background: NDArray[np.float32]) -> Addition:
    coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    mean = background.mean(axis=0, dtype=np.float64)
    base = coef @ mean + np.ravel(estimator.intercept_)
    return linear_contributions(features, coef.T, mean, base)


def _is_linear(estimator: Any) -> bool:
    return hasattr(estimator, "coef_") and hasattr(estimator, "intercept_")


def _obstacle(scorers: list[Scorer], background: NDArray[np.float32]) -> str | None:
    """Return why a step cannot be explained, as far as can be told without its trees."""
    for scorer in scorers:
        estimator, name = scorer.estimator, type(scorer.estimator).__name__
        if name.startswith("HistGradientBoosting"):
            if not hasattr(estimator, "classes_") and estimator.loss not in _PLAIN_LOSSES:
                return f"the raw score of loss={estimator.loss!r} is not the predicted value"
        elif not (_is_linear(estimator) and _adds_up(estimator, background)):
            return (
                f"{name} is neither histogram gradient boosting with at most two features on a "
                "path nor a linear model whose raw score is a weighted sum"
            )
    return None


def _adds_up(estimator: Any, background: NDArray[np.float32]) -> bool:
    """Try whether the raw score is the weighted sum: it is not where a link stands between."""
    if hasattr(estimator, "classes_") and not (
        type(estimator).__name__.startswith("LogisticRegression")
        or getattr(estimator, "loss", "") == "log_loss"
    ):
        return False
    rows = background[:100]
    coef, intercept = np.atleast_2d(estimator.coef_), np.ravel(estimator.intercept_)
    summed = rows @ coef.T + intercept
    return np.allclose(raw_scores(estimator, rows), summed, rtol=1e-4, atol=1e-4)
