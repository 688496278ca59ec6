"""Transformers that live inside the pipeline, so that they are exported with it."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

BANDS = ("u", "g", "r", "i", "z")
INPUTS = (*BANDS, "redshift")
OUTPUTS = ("r", "u-g", "g-r", "r-i", "i-z", "redshift")


class Colours(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Turn five magnitudes and a redshift into a magnitude, four colours and the redshift.

    One brightness and the ratios of neighbouring bands hold what five magnitudes hold, but a tree
    can cut along them. All is computed in float32: one subtraction is then bit for bit the same
    in the exported graph.

    Attributes
    ----------
    columns_ : list of int
        Where u, g, r, i, z and redshift stand in X: by name if X had names, else in that order.
    """

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  # pipelines pass y
        """Find the columns; nothing is learnt.

        Raises
        ------
        ValueError
            When X lacks a band or the redshift.
        """
        validate_data(self, X, dtype=np.float32, ensure_all_finite="allow-nan")
        names = list(getattr(self, "feature_names_in_", INPUTS))
        missing = [name for name in INPUTS if name not in names]
        if missing:
            raise ValueError(f"X has no column {', '.join(missing)}; it has {', '.join(names)}")
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"X without column names must have the {len(INPUTS)} columns {', '.join(INPUTS)}; "
                f"it has {self.n_features_in_}"
            )
        self.columns_ = [names.index(name) for name in INPUTS]
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return r, u-g, g-r, r-i, i-z and redshift, float32 of shape (n_samples, 6)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False)
        u, g, r, i, z, redshift = X[:, self.columns_].T
        return np.column_stack([r, u - g, g - r, r - i, i - z, redshift])

    def get_feature_units_out(self, units: dict[str, str]) -> dict[str, str]:
        """Return the unit of each column that `transform` makes: colours are magnitudes too."""
        return {name: units.get("redshift" if name == "redshift" else "r", "") for name in OUTPUTS}

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002  # scikit-learn passes it
        """Return the names of the columns that `transform` makes."""
        return np.array(OUTPUTS, dtype=object)
