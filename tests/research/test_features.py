"""Colours are differences in float32, wherever the columns stand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from research.features import OUTPUTS, Colours


def test_colours_are_bit_for_bit_differences_in_float32(X: pd.DataFrame) -> None:
    colours = Colours().fit(X).transform(X)

    assert colours.dtype == np.float32
    np.testing.assert_array_equal(colours[:, 1], X["u"] - X["g"])
    np.testing.assert_array_equal(colours[:, 0], X["r"])


def test_columns_are_found_by_name(X: pd.DataFrame) -> None:
    turned = X[X.columns[::-1]]

    np.testing.assert_array_equal(
        Colours().fit(turned).transform(turned), Colours().fit(X).transform(X)
    )


def test_an_array_has_the_columns_in_order(X: pd.DataFrame) -> None:
    array = X.to_numpy()

    np.testing.assert_array_equal(
        Colours().fit(array).transform(array), Colours().fit(X).transform(X)
    )


def test_a_missing_redshift_stays_missing(X: pd.DataFrame) -> None:
    rows = X[:2].assign(redshift=np.float32(np.nan))

    colours = Colours().fit(X).transform(rows)

    assert np.isnan(colours[:, 5]).all()
    assert np.isfinite(colours[:, :5]).all()


def test_a_missing_band_is_named(X: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no column i;"):
        Colours().fit(X.drop(columns="i"))


def test_an_array_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the 6 columns u, g, r, i, z, redshift"):
        Colours().fit(np.zeros((3, 5)))


def test_colours_tell_their_names_and_can_be_cloned(X: pd.DataFrame) -> None:
    colours = clone(Colours()).set_output(transform="pandas").fit(X)

    assert list(colours.transform(X)) == list(OUTPUTS)
