"""Other ways to build the same model: behind calibration, weighted, or one for both modes."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV

from research.report.experiments.models import candidates
from research.report.experiments.setting import MODES, Setting, head
from research.report.measures import predict_folds, score


class Doubled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fit a model on every row twice, the second time without its last column."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, Z: Any, y: Any) -> Self:
        """Fit on the doubled rows."""
        self.model_ = clone(self.model).fit(np.vstack([Z, hide_last(Z)]), np.tile(y, 2))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, Z: Any) -> NDArray[np.float64]:
        """Return what the model says of the rows as they are."""
        return np.asarray(self.model_.predict_proba(Z))


def hide_last(Z: NDArray[Any]) -> NDArray[Any]:
    """Return the rows with their last column missing."""
    return np.column_stack([Z[:, :-1], np.full(len(Z), np.nan, dtype=Z.dtype)])


def wrap(setting: Setting) -> dict[str, Any]:
    """Return the scores of models behind calibration, and with classes weighted alike."""
    bare = candidates(setting)
    variants = {
        "pairwise": lambda mode: bare["pairwise"][mode],
        "pairwise_balanced": lambda mode: head(mode, class_weight="balanced"),
        **{
            f"{name}_{method}": _calibrated(bare[name], method)
            for name in ("pairwise", "extra_trees", "logistic")
            for method in ("sigmoid", "isotonic", "temperature")
        },
    }
    folds = setting.folds[:5]
    return {
        name: {
            mode: score(
                predict_folds(make(mode), setting.Z(mode), setting.y, folds), setting.y, folds
            )
            for mode in MODES
        }
        for name, make in variants.items()
    }


def _calibrated(by_mode: dict[str, Any], method: str) -> Any:
    return lambda mode: CalibratedClassifierCV(by_mode[mode], method=method, cv=3)


def designs(setting: Setting) -> dict[str, Any]:
    """Return the scores of one boosting for rows with and without redshift.

    `blind` never saw a row without redshift; `doubled` saw every row twice, once without.
    """
    Z, y, _ = setting.features
    folds = setting.folds[:10]
    takes = {MODES[0]: None, MODES[1]: hide_last}
    found: dict[str, Any] = {"blind": {}, "doubled": {}}
    for mode, change in takes.items():
        blind = predict_folds(head(MODES[0]), Z, y, folds, change)
        found["blind"][mode] = score(blind, y, folds)
        doubled = predict_folds(Doubled(head(MODES[0])), Z, y, folds, change)
        found["doubled"][mode] = score(doubled, y, folds)
    return found
