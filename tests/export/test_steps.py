"""A pipeline that cannot be exported is refused by its step's name, with what to do instead."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, SplineTransformer

from export import export_model
from export.errors import NotExportable
from export.steps import refuse_steps, walk


class Doubled(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> "Doubled":  # noqa: ARG002  # pipelines pass y
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X * 2


@pytest.fixture
def table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 2)).astype(np.float32), columns=["a", "b"])
    return X, (X["a"] > 0).map({True: "yes", False: "no"})


@pytest.mark.parametrize(
    ("step", "mend"),
    [
        (SplineTransformer(), "use KBinsDiscretizer"),
        (FunctionTransformer(np.abs), "compute the column before the pipeline"),
        (SimpleImputer(add_indicator=True), "leave add_indicator off"),
        (Doubled(), "register one as export/converters.py does"),
    ],
)
def test_a_step_without_an_equal_is_refused_by_name(
    step: Any, mend: str, table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    fitted = Pipeline([("prepared", step), ("model", LogisticRegression())]).fit(X, y)

    with pytest.raises(
        NotExportable, match=rf"step 'prepared' \(.*{type(step).__name__}\)"
    ) as error:
        export_model(fitted, X, y, tmp_path / "m.onnx", name="m")

    assert mend in str(error.value)
    assert not list(tmp_path.iterdir())


def test_isotonic_calibration_is_refused(table: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = table
    fitted = CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=3).fit(X, y)

    with pytest.raises(NotExportable, match="use method='sigmoid'"):
        refuse_steps(fitted)


def test_splits_on_categories_are_refused(table: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = table
    X = X.assign(a=(X["a"] > 0).astype(np.float32))
    fitted = HistGradientBoostingClassifier(max_iter=2, categorical_features=["a"]).fit(X, y)

    with pytest.raises(NotExportable, match="leave categorical_features None"):
        refuse_steps(fitted)


@pytest.mark.parametrize(
    "vectorizer", [CountVectorizer(), TfidfVectorizer(), HashingVectorizer(n_features=8)], ids=str
)
def test_text_is_refused_with_the_mend(
    vectorizer: Any, table: tuple[pd.DataFrame, pd.Series]
) -> None:
    X, y = table
    X = X.assign(words=np.where(X["a"] > 0, "warm day", "cold night"))
    columns = ColumnTransformer([("words", vectorizer, "words")])
    fitted = Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(X, y)

    with pytest.raises(NotExportable, match=r"'columns > words'.*make numbers of text before"):
        refuse_steps(fitted)


@pytest.mark.parametrize(
    ("steps", "mend", "mended"),
    [
        (
            [VotingClassifier([("l", LogisticRegression())], voting="soft")],
            "set flatten_transform=False",
            {"votingclassifier__flatten_transform": False},
        ),
        (
            [KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), LogisticRegression()],
            "set encode='onehot-dense'",
            {"kbinsdiscretizer__encode": "onehot-dense"},
        ),
    ],
)
def test_an_option_is_refused_with_the_one_that_passes(
    steps: list[Any],
    mend: str,
    mended: dict[str, Any],
    table: tuple[pd.DataFrame, pd.Series],
    tmp_path: Path,
) -> None:
    X, y = table
    fitted = make_pipeline(*steps).fit(X, y)

    with pytest.raises(NotExportable, match=mend):
        export_model(fitted, X, y, tmp_path / "m.onnx", name="m")

    export_model(fitted.set_params(**mended).fit(X, y), X, y, tmp_path / "m.onnx", name="m")


def test_what_a_converter_raises_is_told_with_the_steps(
    table: tuple[pd.DataFrame, pd.Series], tmp_path: Path
) -> None:
    X, y = table
    fitted = make_pipeline(KMeans(3, n_init=1), LogisticRegression()).fit(X, y)

    with pytest.raises(NotExportable, match=r"'kmeans' .*use another step"):
        export_model(fitted, X, y, tmp_path / "m.onnx", name="m")

    assert not list(tmp_path.iterdir())


def test_a_step_within_a_step_is_named_with_its_path(
    table: tuple[pd.DataFrame, pd.Series],
) -> None:
    X, y = table
    inner = Pipeline([("bent", SplineTransformer())])
    columns = ColumnTransformer([("left", inner, ["a"])], remainder="passthrough")
    fitted = Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(X, y)

    with pytest.raises(NotExportable, match="step 'columns > left > bent'"):
        refuse_steps(fitted)


def test_what_boosting_starts_from_is_no_step(table: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = table
    fitted = GradientBoostingClassifier(n_estimators=2).fit(X, y)

    refuse_steps(fitted)


def test_protobuf_7_is_refused_with_the_pin(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.steps.version", lambda _: "7.1.0")

    with pytest.raises(NotExportable, match="pip install 'protobuf<7'"):
        refuse_steps(pipeline)


def test_the_steps_of_the_survey_pipeline_are_found(pipeline: Pipeline) -> None:
    assert [path for path, _ in walk(pipeline)] == [
        "Pipeline",
        "colours",
        "heads",
        "heads > spectroscopic",
        "heads > photometric",
    ]
