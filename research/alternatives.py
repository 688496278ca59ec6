"""Score other models beside the survey pipeline, on the same folds.

Run it as ``python -m research.alternatives --data table.csv``.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from research.data import read_survey, split_columns
from research.evaluate import measure
from research.features import Colours
from research.pipeline import SEED, build_pipeline, without_redshift

REPEATS = 2
# A redshift of this size is where stars end: below it the scale is linear, above it logarithmic.
REDSHIFT_SCALE = 0.002


def stretch_redshift(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features with the redshift, the last, on an asinh scale."""
    return np.column_stack([features[:, :-1], np.arcsinh(features[:, -1] / REDSHIFT_SCALE)])


def build_alternatives() -> dict[str, tuple[Any, Any]]:
    """Return by name a model for rows with a redshift and one for rows without, or None."""
    heads = build_pipeline()["heads"]
    forest = {"n_estimators": 300, "min_samples_leaf": 2, "n_jobs": -1, "random_state": SEED}
    spline = SplineTransformer(n_knots=12, knots="quantile", extrapolation="linear")
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=2_000))
    splines = make_pipeline(spline, StandardScaler(), LogisticRegression(C=0.3, max_iter=2_000))
    on_redshift = make_pipeline(
        ColumnTransformer([("redshift", "passthrough", [-1])]),
        DecisionTreeClassifier(max_leaf_nodes=3, random_state=SEED),
    )
    stretch = FunctionTransformer(stretch_redshift)
    return {
        "majority": (DummyClassifier(), DummyClassifier()),
        "tree of three leaves on redshift": (on_redshift, None),
        "logistic regression": (make_pipeline(stretch, linear), linear),
        "logistic regression on splines": (make_pipeline(stretch, splines), splines),
        "random forest": (RandomForestClassifier(**forest), RandomForestClassifier(**forest)),
        "extra trees": (ExtraTreesClassifier(**forest), ExtraTreesClassifier(**forest)),
        "boosting, additive": _boosting(heads, "no_interactions"),
        "boosting, any interactions": _boosting(heads, None),
        "boosting, pairwise (ours)": _boosting(heads, "pairwise"),
    }


def _boosting(heads: Any, interactions: str | None) -> tuple[Any, Any]:
    spectroscopic, photometric = clone(heads.spectroscopic), clone(heads.photometric)
    return (
        spectroscopic.set_params(interaction_cst=interactions),
        photometric.set_params(interaction_cst=interactions),
    )


def score_fold(X: pd.DataFrame, y: pd.Series, fold: Any) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores of every alternative on one fold, by name and mode."""
    train, test = fold
    colours = Colours().fit(X)
    features = {"train": colours.transform(X.iloc[train]), "test": colours.transform(X.iloc[test])}
    y_train, y_test = y.iloc[train], y.iloc[test]
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for name, (with_redshift, without) in build_alternatives().items():
        fitted = with_redshift.fit(features["train"], y_train)
        scores[name] = {"with": measure(fitted, features["test"], y_test)}
        if without is not None:
            fitted = without.fit(features["train"][:, :-1], y_train)
            scores[name]["without"] = measure(fitted, features["test"][:, :-1], y_test)
    return scores | _one_model_for_both(X, y, fold)


def _one_model_for_both(X: pd.DataFrame, y: pd.Series, fold: Any) -> dict[str, Any]:
    """Return the scores of one boosting for rows with and without redshift."""
    train, test = fold
    X_train, y_train = X.iloc[train], y.iloc[train]
    boosting = Pipeline(
        [("colours", Colours()), ("boosting", build_pipeline()["heads"].spectroscopic)]
    )
    doubled = pd.concat([X_train, without_redshift(X_train)])
    models = {
        "one boosting that never saw NaN": clone(boosting).fit(X_train, y_train),
        "one boosting on doubled rows": clone(boosting).fit(doubled, pd.concat([y_train] * 2)),
    }
    X_test, y_test = X.iloc[test], y.iloc[test]
    return {
        name: {
            "with": measure(model, X_test, y_test),
            "without": measure(model, without_redshift(X_test), y_test),
        }
        for name, model in models.items()
    }


def main() -> None:
    """Score every alternative on every fold and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the survey table, a CSV file")
    X, y, _ = split_columns(read_survey(parser.parse_args().data))
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=REPEATS, random_state=SEED)
    console = Console()
    scores = [
        score_fold(X, y, fold)
        for fold in track(
            list(folds.split(X, y)), description=f"{REPEATS} times 5 folds", console=console
        )
    ]
    table = Table("model", "macro F1, with redshift", "log loss", "macro F1, without", "log loss")
    for name, modes in scores[0].items():
        cells = [
            [each[name][mode][score] for each in scores] if mode in modes else []
            for mode in ("with", "without")
            for score in ("macro_f1", "log_loss")
        ]
        shown = [f"{np.mean(cell):.4f} ± {np.std(cell):.4f}" if cell else "-" for cell in cells]
        table.add_row(name, *shown)
    console.print(table)


if __name__ == "__main__":
    main()
