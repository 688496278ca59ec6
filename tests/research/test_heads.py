"""Each row is answered by the head that was trained on what the row has."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from research.heads import TwoHeads


def test_rows_are_answered_one_by_one(pipeline: Pipeline, X: pd.DataFrame) -> None:
    rows = X[800:].copy()
    rows.iloc[::2, 5] = np.nan
    derived = pipeline[:-1].transform(rows)
    heads = pipeline[-1]

    probabilities = pipeline.predict_proba(rows)

    np.testing.assert_array_equal(
        probabilities[1::2], heads.spectroscopic_.predict_proba(derived[1::2])
    )
    np.testing.assert_array_equal(
        probabilities[::2], heads.photometric_.predict_proba(derived[::2, :-1])
    )


def test_the_head_that_answered_is_told(pipeline: Pipeline, X: pd.DataFrame) -> None:
    rows = X[800:802].copy()
    rows.iloc[0, 5] = np.nan

    details = pipeline[-1].predict_details(pipeline[:-1].transform(rows))

    assert list(details["head"]) == ["photometric", "spectroscopic"]


def test_the_label_is_the_most_probable_class(pipeline: Pipeline, X: pd.DataFrame) -> None:
    best = pipeline.predict_proba(X).argmax(axis=1)

    np.testing.assert_array_equal(pipeline.predict(X), pipeline.classes_[best])


def test_a_class_without_complete_rows_is_refused(pipeline: Pipeline) -> None:
    X = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    y = np.array(["a", "b", "c"] * 30)
    X[y == "c", 5] = np.nan
    head = pipeline[-1].photometric

    with pytest.raises(ValueError, match="every class needs rows"):
        TwoHeads(head, head).fit(X, y)
