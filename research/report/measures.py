"""Scores of out-of-fold probabilities: what is measured, and how it is summed up."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import log_loss, precision_recall_fscore_support
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from research.data import CLASSES
from research.evaluate import FOLDS, Fold

Probabilities = NDArray[np.float64]
Labels = NDArray[np.str_]
Change = Callable[[NDArray[Any]], NDArray[Any]]
BINS = 15


def predict_folds(
    model: Any, Z: NDArray[Any], y: Labels, folds: Sequence[Fold], change: Change | None = None
) -> list[Probabilities]:
    """Return by repeat the probabilities of every row by a model that had not seen it.

    Parameters
    ----------
    change : function, optional
        What is done to the rows before they are asked about, say the redshift taken away.
    """
    ask = change or (lambda rows: rows)
    repeats = [np.zeros((len(y), len(CLASSES))) for _ in range(len(folds) // FOLDS)]
    for number, (train, test) in enumerate(folds):
        with threadpool_limits(1):
            fitted = clone(model).fit(Z[train], y[train])
            repeats[number // FOLDS][test] = fitted.predict_proba(ask(Z[test]))
    return repeats


def score(repeats: list[Probabilities], y: Labels, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return mean, sd and list over the folds of each score; calibration over repeats.

    The calibration error of the 2,000 rows of a fold is mostly noise, so it is taken of all rows
    of a repeat at once.
    """
    each = [score_rows(repeats[n // FOLDS][test], y[test]) for n, (_, test) in enumerate(folds)]
    summed = {name: summed_up([one[name] for one in each]) for name in each[0]}
    return summed | {"ece": summed_up([calibration_error(one, y) for one in repeats])}


def score_rows(p: Probabilities, y: Labels) -> dict[str, float]:
    """Return the scores of probabilities of shape (n_samples, 3), columns in order of CLASSES.

    All in float64: scikit-learn bounds probabilities by the precision they come in, and a model
    that answers in float32 would be forgiven what another is charged for.

    References
    ----------
    G. W. Brier, Verification of forecasts expressed in terms of probability, 1950: the Brier
    score here is the sum over the classes, so that it lies between 0 and 2.
    """
    said = np.array(CLASSES)[np.argmax(p, axis=1)]
    p = p.astype(np.float64)
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, said, labels=list(CLASSES), zero_division=0.0
    )
    truth = y[:, None] == np.array(CLASSES)
    by_class = {
        f"{name}_{label}": float(value)
        for name, values in (("precision", precision), ("recall", recall), ("f1", f1))
        for label, value in zip(CLASSES, values, strict=True)
    }
    return {
        "macro_f1": float(np.mean(f1)),
        "log_loss": float(log_loss(y, p / p.sum(axis=1, keepdims=True), labels=list(CLASSES))),
        "brier": float(((p - truth) ** 2).sum(axis=1).mean()),
        "accuracy": float(np.mean(said == y)),
        **by_class,
    }


def calibration_error(p: Probabilities, y: Labels) -> float:
    """Return the expected calibration error of the likeliest class, in 15 bins of equal width.

    References
    ----------
    C. Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    sure = p.max(axis=1)
    right = np.array(CLASSES)[np.argmax(p, axis=1)] == y
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weights=right - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / len(y))


def summed_up(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, standard deviation and the values themselves."""
    return {
        "mean": float(np.mean(values)),
        "sd": float(np.std(values)),
        "folds": [float(value) for value in values],
    }


def share(is_so: NDArray[np.bool_]) -> float:
    """Return the share of rows of which it is so, NaN of none at all."""
    return float(np.mean(is_so)) if len(is_so) else float("nan")


def paired(ours: dict[str, Any], others: dict[str, Any], name: str) -> dict[str, float]:
    """Return how one score of two models differs on the same folds, ours less the others'.

    The standard error is corrected for folds that share training rows: sd times
    sqrt(1/n + test rows / training rows).

    References
    ----------
    C. Nadeau, Y. Bengio, Inference for the generalization error, Machine Learning 52, 2003.
    """
    difference = np.subtract(ours[name]["folds"], others[name]["folds"])
    sd = float(np.std(difference, ddof=1))
    error = sd * float(np.sqrt(1 / len(difference) + 1 / (FOLDS - 1)))
    mean = float(np.mean(difference))
    return {"mean": mean, "sd": sd, "error": error, "t": mean / error if error else 0.0}
