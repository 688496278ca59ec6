"""What the tests share: a survey table, a tiny pipeline and model files of every kind."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from export import export_model
from research.data import read_survey, split_columns
from research.features import Colours
from research.heads import TwoHeads

SURVEY = os.environ.get("SEXTANT_SURVEY")
# Enough to fit and export something in a second.
ROWS = 1200


def pytest_report_header() -> str:
    return f"survey table: {SURVEY or 'a small made one; SEXTANT_SURVEY names no real one'}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count a test that was skipped as failed where SEXTANT_NO_SKIPS says all can be run."""
    report = yield
    if report.skipped and os.environ.get("SEXTANT_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped here: {report.longrepr}"
    return report


class Exported(NamedTuple):
    """A model file with the pipeline it came from and the rows it was verified on."""

    path: Path
    pipeline: Any
    X_holdout: pd.DataFrame
    y_holdout: pd.Series


def contract_of(path: Path) -> dict[str, Any]:
    """Return the metadata of a model file, as it stands there."""
    return {each.key: json.loads(each.value) for each in onnx.load(path).metadata_props}


def made_survey(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Return a synthetic table with the columns of the survey; scores on it mean nothing."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, size=rows, p=[0.5, 0.1, 0.4])
    temperature = rng.normal(size=rows)
    redshift = np.choose(
        kind,
        [
            rng.gamma(3, 0.03, rows) + 0.003,
            rng.uniform(0.2, 3.5, rows),
            rng.normal(0, 2e-4, rows),
        ],
    )
    colours = [
        np.choose(kind, [1.6, 0.3, 1.3]) + 0.3 * temperature + rng.normal(0, 0.15, rows),
        np.choose(kind, [0.8, 0.2, 0.5]) + 0.2 * temperature + rng.normal(0, 0.08, rows),
        np.choose(kind, [0.4, 0.1, 0.2]) + 0.1 * temperature + rng.normal(0, 0.05, rows),
        np.choose(kind, [0.3, 0.1, 0.1]) + 0.1 * temperature + rng.normal(0, 0.05, rows),
    ]
    magnitudes = rng.uniform(15.5, 19.5, rows) - np.cumsum([np.zeros(rows), *colours], axis=0)
    return pd.DataFrame(
        {
            "objid": rng.integers(10**17, 10**18, rows).astype(str),
            "ra": rng.uniform(0, 360, rows).round(8),
            "dec": rng.uniform(-5, 70, rows).round(8),
            **dict(zip("ugriz", magnitudes.round(5), strict=True)),
            "run": 752,
            "rerun": 301,
            "camcol": rng.integers(1, 7, rows),
            "field": rng.integers(100, 400, rows),
            "specobjid": np.arange(rows).astype(str),
            "class": np.array(["GALAXY", "QSO", "STAR"])[kind],
            "redshift": redshift.round(7),
            "plate": 266 + np.arange(rows) % 30,
            "mjd": 54922,
            "fiberid": np.arange(rows) // 30 % 640 + 1,
        }
    )


@pytest.fixture(scope="session")
def survey_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real survey table where SEXTANT_SURVEY names it, a small made one elsewhere."""
    if SURVEY:
        return Path(SURVEY).resolve()
    path = tmp_path_factory.mktemp("survey") / "made.csv"
    made_survey().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def survey(survey_path: Path) -> pd.DataFrame:
    return read_survey(survey_path)


@pytest.fixture(scope="session")
def X(survey: pd.DataFrame) -> pd.DataFrame:  # noqa: N802  # the field's name
    return split_columns(survey.sample(ROWS, random_state=0))[0]


@pytest.fixture(scope="session")
def y(survey: pd.DataFrame) -> pd.Series:
    return split_columns(survey.sample(ROWS, random_state=0))[1]


@pytest.fixture(scope="session")
def pipeline(X: pd.DataFrame, y: pd.Series) -> Pipeline:
    """The survey pipeline with few trees, fitted on the first two thirds of X."""
    head = HistGradientBoostingClassifier(
        max_iter=8, max_leaf_nodes=6, interaction_cst="pairwise", random_state=0
    )
    tiny = Pipeline([("colours", Colours()), ("heads", TwoHeads(head, head))])
    return tiny.fit(X[:800], y[:800])


@pytest.fixture(scope="session")
def model_path(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A model file of the tiny survey pipeline."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    export_model(
        pipeline,
        X[800:],
        y[800:],
        path,
        name="tiny",
        version="1",
        description="Tells stars, galaxies and quasars apart.",
        target={"name": "class", "meaning": "class of the object"},
        features={"u": {"unit": "mag"}, "redshift": {"nullable": True}},
        X_train=X[:800],
        y_train=y[:800],
    )
    return path


@pytest.fixture(scope="session")
def binary_model(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A binary classifier on numbers, integers and strings, one-hot encoded, none else known."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "body_mass": rng.normal(4200, 800, 600).astype(np.float32),
            "age": rng.integers(1, 9, 600),
            "island": rng.choice(["Biscoe", "Dream", "Torgersen"], 600),
            "ring colour": rng.choice(["blue", "red"], 600),
        }
    )
    noisy = table["body_mass"] + 800 * (table["island"] == "Dream") + rng.normal(0, 300, 600)
    sex = pd.Series(np.where(noisy > 4500, "male", "female"), name="sex")
    encode = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["body_mass"]),
            ("ages", "passthrough", ["age"]),
            ("islands", OneHotEncoder(sparse_output=False), ["island"]),
            ("rings", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["ring colour"]),
        ]
    )
    fitted = make_pipeline(encode, LogisticRegression()).fit(table[:400], sex[:400])
    path = tmp_path_factory.mktemp("binary") / "penguins.onnx"
    export_model(
        fitted,
        table[400:],
        sex[400:],
        path,
        name="penguins",
        version="1",
        target="sex",
        features={"body_mass": {"unit": "g", "meaning": "weight"}},
        X_train=table[:400],
        y_train=sex[:400],
    )
    return Exported(path, fitted, table[400:], sex[400:])


@pytest.fixture(scope="session")
def regression_model(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A regression on numbers, one of which may be missing."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(600, 3)).astype(np.float32), columns=["a", "b", "c"])
    table.loc[::7, "c"] = np.nan
    depth = pd.Series(40 + 10 * table["a"] - 5 * table["b"] + table["c"].fillna(3), name="depth")
    fitted = HistGradientBoostingRegressor(max_iter=20, random_state=0)
    fitted.fit(table[:400], depth[:400])
    path = tmp_path_factory.mktemp("regression") / "depth.onnx"
    export_model(
        fitted,
        table[400:],
        depth[400:],
        path,
        name="depth",
        version="1",
        target={"name": "depth", "unit": "m", "meaning": "of the water"},
        X_train=table[:400],
        y_train=depth[:400],
    )
    return Exported(path, fitted, table[400:], depth[400:])
