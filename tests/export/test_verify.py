"""What the graph would answer otherwise is found, named and never written."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from export import export_model
from export.answers import graph_answers
from export.comparison import compare
from export.differences import describe_difference
from export.errors import NotExportable, ParityError


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(900, 3)), columns=["a", "b", "c"])
    y = (X["a"] + X["b"] * X["c"] + rng.normal(0, 0.3, 900) > 0).map({True: "yes", False: "no"})
    return X, y


def test_trees_fitted_in_float64_are_refused_with_the_mend(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    # Values so close to each other that float32 cannot tell them apart.
    X = X.assign(a=1e6 + X["a"] * 1e-3)
    fitted = HistGradientBoostingClassifier(max_iter=30).fit(X[:600], y[:600])

    with pytest.raises(ParityError, match="Cast X to float32 before fit"):
        export_model(fitted, X[600:], y[600:], tmp_path / "m.onnx", name="m")

    assert not list(tmp_path.iterdir())


def test_a_forest_fitted_with_missing_values_is_refused_by_its_step(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    X = X.astype(np.float32).mask(np.random.default_rng(0).random(X.shape) < 0.2)
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=20))
    forest.fit(X[:600], y[:600])

    with pytest.raises(ParityError, match=r"Step 'randomforestclassifier' .* put SimpleImputer"):
        export_model(forest, X[600:], y[600:], tmp_path / "m.onnx", name="m")

    assert not list(tmp_path.iterdir())


def test_an_imputer_is_not_asked_for_where_one_stands(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = table
    X = X.astype(np.float32).mask(np.random.default_rng(0).random(X.shape) < 0.2)
    forest = make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=30))
    forest.fit(X[:600], y[:600])
    monkeypatch.setattr("export.verify.graph_answers", _halved_answers)

    with pytest.raises(ParityError) as caught:
        export_model(forest, X[600:], y[600:], tmp_path / "m.onnx", name="m")

    assert "put SimpleImputer before" not in str(caught.value)
    assert str(caught.value).endswith(
        "The conversion of one of the steps 'simpleimputer', 'gradientboostingclassifier' "
        "is not faithful; replace it. Nothing was written."
    )


def test_the_row_quoted_for_missing_values_has_one(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = table
    X = X.astype(np.float32)
    X.loc[850, "b"] = np.nan
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)
    monkeypatch.setattr("export.verify.graph_answers", _halved_answers)

    with pytest.raises(ParityError, match=r"Row 850 .*'b': nan.*put SimpleImputer before it"):
        export_model(forest, X[600:], y[600:], tmp_path / "m.onnx", name="m")


def test_a_threshold_rounded_up_is_found_though_no_row_of_the_holdout_lies_there(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("export.convert._round_thresholds", _raise_thresholds)

    with pytest.raises(ParityError, match="threshold rows"):
        export_model(pipeline, X[800:], y[800:], tmp_path / "m.onnx", name="m")


def test_a_threshold_of_the_decision_is_refused(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    careful = FixedThresholdClassifier(LogisticRegression(), threshold=0.9, pos_label="yes")
    careful.fit(X[:600].astype(np.float32), y[:600])

    with pytest.raises((ParityError, NotExportable)):
        export_model(careful, X[600:].astype(np.float32), y[600:], tmp_path / "m.onnx", name="m")


def test_a_nullable_feature_that_the_pipeline_refuses_is_named(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    X = X.astype(np.float32)
    fitted = LogisticRegression().fit(X, y)

    with pytest.raises(NotExportable, match="feature 'b' may be missing, but the pipeline refuses"):
        export_model(
            fitted, X, y, tmp_path / "m.onnx", name="m", features={"b": {"nullable": True}}
        )


def test_the_error_names_row_values_and_difference(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    X = X.assign(a=1e6 + X["a"] * 1e-3)
    fitted = HistGradientBoostingClassifier(max_iter=30).fit(X[:600], y[:600])

    with pytest.raises(ParityError) as caught:
        export_model(fitted, X[600:], y[600:], tmp_path / "m.onnx", name="m")

    said = str(caught.value)
    assert "of 300 rows (holdout)" in said
    assert "where 1e-06 is allowed" in said
    assert "{'a': " in said
    assert "probabilities: graph [" in said


def _halved_answers(session: Any, X: pd.DataFrame, types: dict[str, str]) -> dict[str, Any]:
    """Halve the probabilities of every row."""
    answers = graph_answers(session, X, types)
    return {**answers, "probabilities": answers["probabilities"] / 2}


def _raise_thresholds(pipeline: Pipeline) -> Pipeline:
    """Move every threshold up to the next float32."""
    heads = pipeline[-1]
    for head in (heads.spectroscopic_, heads.photometric_):
        for trees in head._predictors:
            for tree in trees:
                raised = np.nextafter(
                    tree.nodes["num_threshold"].astype(np.float32), np.float32(np.inf)
                )
                tree.nodes["num_threshold"] = raised
    return pipeline


def test_a_wide_row_is_quoted_in_part() -> None:
    X = pd.DataFrame(np.zeros((2, 20), np.float32), columns=[f"x{at}" for at in range(20)])
    answers = {"value": np.array([0.0, 1.0])}
    expected = {"value": np.array([0.0, 0.0])}

    told = describe_difference(
        "holdout", X, compare(answers, expected, 0.1), answers, expected, 0.1, LinearRegression()
    )

    assert "'x11': 0.0} and 8 more: value: graph 1.0" in told
    assert "x12" not in told
