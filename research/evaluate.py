"""The scores of a pipeline: over folds of a table, and on a holdout."""

from collections.abc import Callable, Iterable
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedGroupKFold

FOLDS = 5
BOOTSTRAP_SAMPLES = 200

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
Change = Callable[[pd.DataFrame], pd.DataFrame]


class Score(TypedDict):
    """Mean and standard deviation of one score over n evaluations."""

    name: str
    mode: str
    split: str
    mean: float
    sd: float
    n: int
    headline: bool


def stratified_folds(X: pd.DataFrame, y: pd.Series, repeats: int) -> list[Fold]:
    """Return repeated folds that each hold every class in its share."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=0)
    return list(folds.split(X, y))


def group_folds(X: pd.DataFrame, y: pd.Series, groups: pd.Series, repeats: int) -> list[Fold]:
    """Return repeated folds that no group has rows in two of."""
    return [
        fold
        for seed in range(repeats)
        for fold in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(X, y, groups)
    ]


def fold_scores(
    pipeline: Any, X: pd.DataFrame, y: pd.Series, folds: Iterable[Fold], modes: dict[str, Change]
) -> Iterable[dict[str, dict[str, float]]]:
    """Fit a clone on each fold's training rows; yield its scores on the others, by mode.

    Parameters
    ----------
    modes : dict of name to function
        Each function gives the test rows as they are in that mode, say without one of the columns.
    """
    for train, test in folds:
        fitted = clone(pipeline).fit(X.iloc[train], y.iloc[train])
        yield {
            mode: measure(fitted, change(X.iloc[test]), y.iloc[test])
            for mode, change in modes.items()
        }


def measure(pipeline: Any, X: Any, y: pd.Series) -> dict[str, float]:
    """Return the scores of a fitted classifier or regressor on one set of rows."""
    if is_classifier(pipeline):
        return _classification(pipeline.classes_, y.to_numpy(), pipeline.predict_proba(X))
    return _regression(y.to_numpy(), pipeline.predict(X))


def summarise(
    evaluations: list[dict[str, float]], *, mode: str, split: str, headlines: Iterable[str] = ()
) -> list[Score]:
    """Return mean and standard deviation of each score over the evaluations."""
    return [
        Score(
            name=name,
            mode=mode,
            split=split,
            mean=round(float(np.mean([each[name] for each in evaluations])), 6),
            sd=round(float(np.std([each[name] for each in evaluations])), 6),
            n=len(evaluations),
            headline=name in headlines,
        )
        for name in evaluations[0]
    ]


def holdout_scores(
    pipeline: Any,
    X_holdout: pd.DataFrame,
    y_holdout: pd.Series,
    *,
    mode: str = "",
    headlines: Iterable[str] = (),
) -> list[Score]:
    """Return the scores on a holdout, with their spread over bootstrap samples of its rows."""
    rng = np.random.default_rng(0)
    y = y_holdout.to_numpy()
    samples = [rng.integers(len(y), size=len(y)) for _ in range(BOOTSTRAP_SAMPLES)]
    if is_classifier(pipeline):
        y_pred = pipeline.predict_proba(X_holdout)
        evaluations = [
            _classification(pipeline.classes_, y[rows], y_pred[rows]) for rows in samples
        ]
    else:
        y_pred = pipeline.predict(X_holdout)
        evaluations = [_regression(y[rows], y_pred[rows]) for rows in samples]
    split = f"{BOOTSTRAP_SAMPLES} bootstrap samples of the holdout"
    return summarise(evaluations, mode=mode, split=split, headlines=headlines)


def _classification(
    classes: NDArray[Any], y: NDArray[Any], probabilities: NDArray[np.floating[Any]]
) -> dict[str, float]:
    y_pred = classes[np.argmax(probabilities, axis=1)]
    return {
        "macro_f1": f1_score(y, y_pred, average="macro", labels=classes, zero_division=0.0),
        "log_loss": log_loss(y, probabilities, labels=classes),
        "accuracy": accuracy_score(y, y_pred),
    }


def _regression(y: NDArray[Any], y_pred: NDArray[Any]) -> dict[str, float]:
    return {
        "rmse": root_mean_squared_error(y, y_pred),
        "mae": mean_absolute_error(y, y_pred),
        "r2": r2_score(y, y_pred),
    }
