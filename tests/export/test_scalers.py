"""A scaler or an imputer before trees is exported to the last bit, on and around thresholds too."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from export import export_model
from export.errors import ParityError

SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    MinMaxScaler(),
    MinMaxScaler(clip=True),
    RobustScaler(),
    MaxAbsScaler(),
]
FOREST = RandomForestClassifier(10, random_state=0)
HISTOGRAMS = HistGradientBoostingClassifier(max_iter=8, random_state=0)
BOOSTING = GradientBoostingClassifier(n_estimators=8, random_state=0)
TREES = [
    pytest.param(FOREST, id="forest"),
    pytest.param(HISTOGRAMS, id="histograms", marks=pytest.mark.slow),
    pytest.param(BOOSTING, id="boosting", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "mass": rng.normal(50, 9, 600).astype(np.float32),
            "depth": rng.gamma(2, 30, 600).astype(np.float32),
            "age": rng.integers(1, 90, 600),
            "steps": rng.integers(0, 5000, 600),
            "town": rng.choice(["Bern", "Chur", "Thun"], 600),
        }
    )


@pytest.fixture(scope="module")
def y(table: pd.DataFrame) -> pd.Series:
    noise = np.random.default_rng(1).normal(0, 5, 600)
    score = table["mass"] + table["age"] / 3 + 5 * (table["town"] == "Bern") + noise
    return pd.Series(np.where(score > 66, "yes", "no"))


def export(fitted: Any, X: pd.DataFrame, y: pd.Series, folder: Path) -> Any:
    return export_model(
        fitted.fit(X[:400], y[:400]),
        X[400:],
        y[400:],
        folder / "m.onnx",
        name="m",
        X_train=X[:400],
    )


def beside_towns(numbers: Any, columns: list[str]) -> ColumnTransformer:
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    return ColumnTransformer([("numbers", numbers, columns), ("towns", encoder, ["town"])])


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("trees", TREES)
def test_trees_behind_a_scaler_answer_alike_on_their_thresholds(
    scaler: Any, trees: Any, table: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    parity = export(make_pipeline(scaler, trees), table[["mass", "depth"]], y, tmp_path)

    assert parity.thresholds_met > 10
    assert parity.max_difference <= parity.tolerance


@pytest.mark.parametrize("scaler", SCALERS[::2] + SCALERS[-1:], ids=str)
@pytest.mark.parametrize("trees", TREES)
def test_a_filled_scaled_column_beside_categories_answers_alike(
    scaler: Any, trees: Any, table: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    X = table[["mass", "depth", "town"]].copy()
    X.loc[::9, "depth"] = np.nan
    filled = beside_towns(make_pipeline(SimpleImputer(), scaler), ["mass", "depth"])

    parity = export(make_pipeline(filled, trees), X, y, tmp_path)

    assert parity.thresholds_met > 10


@pytest.mark.parametrize(
    "columns", [["age", "steps"], ["mass", "age", "steps"]], ids=["whole", "mixed"]
)
@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
@pytest.mark.parametrize("filled", [True, False])
def test_a_forest_sees_whole_numbers_scaled_in_float64(
    columns: list[str],
    scaler: Any,
    filled: bool,
    table: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
) -> None:
    scaled = make_pipeline(SimpleImputer(), scaler) if filled else scaler
    fitted = make_pipeline(beside_towns(scaled, columns), FOREST)

    parity = export(fitted, table[[*columns, "town"]], y, tmp_path)

    assert parity.max_difference <= parity.tolerance


def test_whole_numbers_may_be_the_whole_table(
    table: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    parity = export(make_pipeline(StandardScaler(), FOREST), table[["age", "steps"]], y, tmp_path)

    assert parity.label_differences == 0


def test_a_sentinel_among_whole_numbers_is_filled(
    table: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    X = table[["age", "steps"]].copy()
    X.loc[::5, "steps"] = -1
    fitted = make_pipeline(SimpleImputer(missing_values=-1), LogisticRegression(max_iter=3000))

    parity = export(fitted, X, y, tmp_path)

    assert parity.label_differences == 0


def test_strings_are_filled_as_before(table: pd.DataFrame, y: pd.Series, tmp_path: Path) -> None:
    X = table[["mass", "town"]].copy()
    X.loc[::5, "town"] = "?"
    filler = SimpleImputer(missing_values="?", strategy="most_frequent")
    towns = make_pipeline(filler, OneHotEncoder(sparse_output=False, handle_unknown="ignore"))
    columns = ColumnTransformer([("towns", towns, ["town"]), ("mass", "passthrough", ["mass"])])

    parity = export(Pipeline([("columns", columns), ("model", FOREST)]), X, y, tmp_path)

    assert parity.label_differences == 0


@pytest.mark.slow
def test_histograms_of_whole_numbers_beside_others_are_refused_with_the_mend(
    table: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    columns = ["mass", "age", "steps"]

    with pytest.raises(ParityError, match="Cast age, steps to float32 before fit"):
        export(make_pipeline(RobustScaler(), HISTOGRAMS), table[columns], y, tmp_path)

    parity = export(
        make_pipeline(RobustScaler(), HISTOGRAMS), table[columns].astype(np.float32), y, tmp_path
    )
    assert parity.label_differences == 0
