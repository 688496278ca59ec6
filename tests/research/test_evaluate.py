"""Scores come with their spread."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from research.evaluate import BOOTSTRAP_SAMPLES, fold_scores, holdout_scores, summarise


def test_mean_and_sd_are_those_of_the_evaluations() -> None:
    scores = summarise([{"f1": 0.8}, {"f1": 1.0}], mode="bare", split="2 folds", headlines=("f1",))

    assert scores == [
        {
            "name": "f1",
            "mode": "bare",
            "split": "2 folds",
            "mean": 0.9,
            "sd": 0.1,
            "n": 2,
            "headline": True,
        }
    ]


def test_every_fold_is_scored_in_every_mode(
    pipeline: Pipeline, X: pd.DataFrame, y: pd.Series
) -> None:
    folds = list(KFold(2, shuffle=True, random_state=0).split(X))
    modes = {
        "with": lambda rows: rows,
        "without": lambda rows: rows.assign(redshift=np.float32(np.nan)),
    }

    evaluations = list(fold_scores(pipeline, X, y, folds, modes))

    assert [set(each) for each in evaluations] == [{"with", "without"}] * 2
    assert all(each["with"]["macro_f1"] > each["without"]["macro_f1"] for each in evaluations)


def test_a_holdout_is_scored_over_bootstrap_samples(
    pipeline: Pipeline, X: pd.DataFrame, y: pd.Series
) -> None:
    scores = holdout_scores(pipeline, X[800:], y[800:])

    assert {score["name"] for score in scores} == {"macro_f1", "log_loss", "accuracy"}
    assert all(score["sd"] > 0 and score["n"] == BOOTSTRAP_SAMPLES for score in scores)


def test_a_regression_has_scores_of_its_own() -> None:
    X = pd.DataFrame({"a": np.arange(50.0)})
    y = 2 * X["a"] + np.random.default_rng(0).normal(size=50)

    scores = holdout_scores(LinearRegression().fit(X, y), X, y)

    assert {score["name"] for score in scores} == {"rmse", "mae", "r2"}
