"""A classifier with two heads: one for rows with a redshift, one for rows without."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

SPECTROSCOPIC = "spectroscopic"
PHOTOMETRIC = "photometric"


class TwoHeads(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Answer each row with the head that was trained on what the row has.

    The last column of X is the one that may be missing (NaN). A model that never saw it missing
    would guess badly and say nothing; one trained on both kinds of rows is worse on each.

    Parameters
    ----------
    spectroscopic, photometric : classifiers
        Fitted on all columns, and on all but the last.

    Attributes
    ----------
    spectroscopic_, photometric_ : the fitted heads
    classes_ : ndarray of shape (n_classes,)
    """

    def __init__(self, spectroscopic: Any, photometric: Any) -> None:
        self.spectroscopic = spectroscopic
        self.photometric = photometric

    def fit(self, X: Any, y: Any) -> Self:
        """Fit both heads; rows without the last column teach the photometric head only."""
        X, y = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan")
        complete = ~np.isnan(X[:, -1])
        # Sums over threads depend on their number in the last bit, and trees on that bit: one
        # thread makes the same trees on every machine.
        with threadpool_limits(1):
            self.spectroscopic_ = clone(self.spectroscopic).fit(X[complete], y[complete])
            self.photometric_ = clone(self.photometric).fit(X[:, :-1], y)
        self.classes_ = self.photometric_.classes_
        if not np.array_equal(self.classes_, self.spectroscopic_.classes_):
            raise ValueError("every class needs rows in which the last column is not missing")
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities, ndarray of shape (n_samples, n_classes)."""
        X = self._validated(X)
        absent = np.isnan(X[:, -1])
        probabilities = np.empty((len(X), len(self.classes_)))
        if absent.any():
            probabilities[absent] = self.photometric_.predict_proba(X[absent, :-1])
        if not absent.all():
            probabilities[~absent] = self.spectroscopic_.predict_proba(X[~absent])
        return probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the largest probability of each row."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]  # type: ignore[no-any-return]

    def predict_details(self, X: Any) -> dict[str, NDArray[Any]]:
        """Return what the model says of each row beside its class: the head that answered."""
        absent = np.isnan(self._validated(X)[:, -1])
        return {"head": np.where(absent, PHOTOMETRIC, SPECTROSCOPIC)}

    def _validated(self, X: Any) -> NDArray[np.float32]:
        check_is_fitted(self)
        return validate_data(  # type: ignore[no-any-return]
            self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False
        )
