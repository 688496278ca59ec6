"""Which pipelines can be explained exactly, and by which graph."""

from typing import Any, NamedTuple

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray

from export.branches import Addition
from export.contributions import linear_contributions, tree_contributions
from export.graph import rebuilt
from export.last_step import last_step
from export.leaves import MoreThanPairs
from export.pair_sums import (
    answer_nodes,
    read_head,
    score_nodes,
    sums_by_pair,
    tree_nodes,
)
from export.shapley import tabulate, thresholds_of
from research.heads import PHOTOMETRIC, SPECTROSCOPIC, TwoHeads

# The raw score of other losses is not the predicted value.
_PLAIN_LOSSES = ("squared_error", "absolute_error", "quantile")


class Scorer(NamedTuple):
    """One head: its name, the prefix of its outputs, its estimator, the features it takes."""

    name: str
    prefix: str
    estimator: Any
    columns: list[int]


class Explained(NamedTuple):
    """A graph whose scores can be explained, with the outputs to add; or the reason why not."""

    model: onnx.ModelProto
    addition: Addition | None
    scorers: list[Scorer]
    reason: str | None


def scorers_of(pipeline: Any, n_features: int) -> list[Scorer]:
    """Return the heads of the last step: the one that answers by default first."""
    last = last_step(pipeline)
    everything = list(range(n_features))
    if isinstance(last, TwoHeads):
        return [
            Scorer(SPECTROSCOPIC, "", last.spectroscopic_, everything),
            Scorer(PHOTOMETRIC, f"{PHOTOMETRIC}_", last.photometric_, everything[:-1]),
        ]
    return [Scorer("", "", last, everything)]


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
    reason = _obstacle(scorers)
    if reason:
        return Explained(model, None, scorers, reason)
    if _is_linear(scorers[0].estimator):
        return Explained(
            model, _linear(scorers[0].estimator, features, background), scorers, None
        )
    try:
        return _trees(model, scorers, features, background, kind)
    except MoreThanPairs as obstacle:
        return Explained(model, None, scorers, str(obstacle))


def absent_rows(model: onnx.ModelProto, scorers: list[Scorer]) -> str | None:
    """Return the tensor that marks the rows of the second head, if there are two."""
    if len(scorers) == 1:
        return None
    return str(next(node for node in model.graph.node if node.op_type == "IsNaN").output[0])


def raw_scores(estimator: Any, Z: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what is explained, by scikit-learn: (n_samples, n_classes), or one column."""
    answer = estimator.decision_function if hasattr(estimator, "classes_") else estimator.predict
    return np.asarray(answer(pd.DataFrame(Z, columns=_names(estimator)))).reshape(len(Z), -1)


def _names(estimator: Any) -> Any:
    return getattr(estimator, "feature_names_in_", None)


def _trees(
    model: onnx.ModelProto,
    scorers: list[Scorer],
    features: str,
    background: NDArray[np.float32],
    kind: str,
) -> Explained:
    nodes = tree_nodes(model.graph)
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
    return Explained(ready, tree_contributions(features, thresholds, prefixed, absent), scorers, None)


def _linear(estimator: Any, features: str, background: NDArray[np.float32]) -> Addition:
    coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    mean = background.mean(axis=0, dtype=np.float64)
    base = coef @ mean + np.ravel(estimator.intercept_)
    return linear_contributions(features, coef.T, mean, base)


def _is_linear(estimator: Any) -> bool:
    return hasattr(estimator, "coef_") and hasattr(estimator, "intercept_")


def _obstacle(scorers: list[Scorer]) -> str | None:
    """Return why a step cannot be explained, as far as its kind tells."""
    for _, _, estimator, _ in scorers:
        name = type(estimator).__name__
        if name.startswith("HistGradientBoosting"):
            if not hasattr(estimator, "classes_") and estimator.loss not in _PLAIN_LOSSES:
                return f"the raw score of loss={estimator.loss!r} is not the predicted value"
            continue
        if not (_is_linear(estimator) and type(estimator).__module__.startswith("sklearn.linear")):
            return (
                f"{name} is neither histogram gradient boosting with at most two features on a "
                "path nor a linear model"
            )
    return None
