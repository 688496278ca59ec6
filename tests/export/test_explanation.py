"""Contributions are Shapley values: those that all subsets of the features give."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from export.answers import Answers, explained_answers, graph_answers, open_session
from export.branches import add_outputs
from export.columns import column_types
from export.convert import convert
from export.explainable import Explained, explain
from export.last_step import derive, feeding_tensor
from export.scorers import raw_scores

ROWS = 1000
BACKGROUND = 25
FEATURES = ["a", "b", "c", "d"]


def explained_graph(pipeline: Any, X_train: pd.DataFrame) -> Explained:
    """Return the pipeline's graph with its explanation, as far as it has one."""
    classes = [str(each) for each in getattr(pipeline, "classes_", [])]
    types = column_types(X_train)
    model = convert(pipeline, types, classes, {})
    tensor = feeding_tensor(model, pipeline, X_train, types)
    assert tensor is not None
    kind = {0: "regression", 2: "binary"}.get(len(classes), "multiclass")
    return explain(model, pipeline, tensor, derive(pipeline, X_train), kind)


def answers_of(explained: Explained, X: pd.DataFrame) -> Answers:
    assert explained.addition is not None
    session = open_session(add_outputs(explained.model, [explained.addition]))
    return explained_answers(session, X, column_types(X))


def brute_force(estimator: Any, X: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return Shapley values by their definition, of shape (n_samples, n_features, n_scores)."""
    n = X.shape[1]
    worth = {}
    for size in range(n + 1):
        for taken in itertools.combinations(range(n), size):
            mixed = np.repeat(background[None], len(X), axis=0)
            mixed[:, :, list(taken)] = X[:, None, list(taken)]
            scores = raw_scores(estimator, mixed.reshape(-1, n))
            worth[frozenset(taken)] = scores.reshape(len(X), len(background), -1).mean(axis=1)
    values = np.zeros((len(X), n, worth[frozenset()].shape[1]))
    for taken, value in worth.items():
        for feature in set(range(n)) - taken:
            size = len(taken)
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            values[:, feature] += weight * (worth[taken | {feature}] - value)
    return values


def table(seed: int, change: str) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, len(FEATURES)))
    if change == "ties":
        X = X.round(0)
    if change == "missing":
        X[rng.random(X.shape) < 0.25] = np.nan
    if change == "constant":
        X[:, 1] = 3.0
    return pd.DataFrame(X.astype(np.float32), columns=FEATURES)


def target(X: pd.DataFrame, classes: int) -> np.ndarray:
    filled = X.fillna(0.7).to_numpy(dtype=float)
    noise = np.random.default_rng(7).normal(0, 0.2, len(X))
    value = filled[:, 0] + filled[:, 1] * filled[:, 2] - np.sin(2 * filled[:, 3]) + noise
    if not classes:
        return value
    return np.searchsorted(np.quantile(value, np.arange(1, classes) / classes), value)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("plain", {}),
    ("missing", {}),
    ("ties", {}),
    ("constant", {}),
    ("single leaves", {"min_samples_leaf": 480}),
    ("deep chains", {"max_leaf_nodes": 60, "min_samples_leaf": 1, "max_bins": 255}),
    ("no interactions", {"interaction_cst": "no_interactions"}),
]


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 2, 3, 4, 5])
@pytest.mark.parametrize(("change", "options"), CHANGES, ids=[name for name, _ in CHANGES])
def test_contributions_are_those_of_all_subsets(
    classes: int, change: str, options: dict[str, Any]
) -> None:
    X = table(classes, change)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    settings = {"max_iter": 6, "interaction_cst": "pairwise", "random_state": 0} | options
    fitted = kind(**settings).fit(X, target(X, classes))
    background = X.iloc[:BACKGROUND]

    answers = answers_of(explained_graph(fitted, background), X)

    expected = brute_force(fitted, X.to_numpy(), background.to_numpy())
    np.testing.assert_allclose(answers["contributions"], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_contributions_and_base_values_add_up_to_the_raw_score(classes: int) -> None:
    X = table(1, "missing")
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    fitted = kind(max_iter=20, interaction_cst="pairwise").fit(X, target(X, classes))

    answers = answers_of(explained_graph(fitted, X), X)

    summed = answers["contributions"].sum(axis=1) + answers["base_values"]
    expected = raw_scores(fitted, X.to_numpy())
    np.testing.assert_allclose(summed, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(answers["base_values"][0], expected.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    "last",
    [LinearRegression(), Ridge(), LogisticRegression()],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("classes", [2, 3])
def test_linear_models_are_explained_behind_any_step(last: Any, classes: int) -> None:
    X = table(2, "plain")
    is_classifier = isinstance(last, LogisticRegression)
    fitted = make_pipeline(StandardScaler(), last).fit(X, target(X, classes * is_classifier))
    background = X.iloc[:BACKGROUND]

    answers = answers_of(explained_graph(fitted, background), X[:100])

    Z, B = derive(fitted, X[:100]), derive(fitted, background)
    expected = brute_force(fitted[-1], Z, B)
    np.testing.assert_allclose(answers["contributions"], expected, rtol=0, atol=3e-6)


def test_paths_that_keep_to_pairs_by_themselves_are_explained() -> None:
    X = table(3, "plain")
    fitted = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=3).fit(X, target(X, 3))

    assert explained_graph(fitted, X).reason is None


@pytest.mark.parametrize(
    ("fitted", "reason"),
    [
        (HistGradientBoostingClassifier(max_iter=5), "interaction_cst='pairwise'"),
        (RandomForestClassifier(n_estimators=3, max_depth=3), "RandomForestClassifier is neither"),
    ],
)
def test_what_cannot_be_explained_says_why(fitted: Any, reason: str) -> None:
    X = table(4, "plain")
    fitted.fit(X, target(X, 3))

    explained = explained_graph(fitted, X)

    assert explained.addition is None
    assert explained.reason is not None
    assert reason in explained.reason


@pytest.mark.parametrize(
    "fitted",
    [PoissonRegressor(), HistGradientBoostingRegressor(loss="poisson", interaction_cst="pairwise")],
    ids=lambda each: type(each).__name__,
)
def test_a_score_that_is_not_the_value_is_not_explained(fitted: Any) -> None:
    X = table(5, "plain")
    fitted.fit(X, np.exp(target(X, 0) / 4))

    assert explained_graph(fitted, X).addition is None


def test_nothing_is_computed_where_nothing_is_asked() -> None:
    X = table(6, "plain")
    fitted = HistGradientBoostingClassifier(max_iter=5, interaction_cst="pairwise")
    explained = explained_graph(fitted.fit(X, target(X, 3)), X)
    assert explained.addition is not None
    session = open_session(add_outputs(explained.model, [explained.addition]))

    asked = explained_answers(session, X, column_types(X))
    unasked = graph_answers(session, X, column_types(X))

    assert asked["contributions"].shape == (ROWS, 4, 3)
    assert unasked["contributions"].shape == (0, 4, 3)
    assert unasked["base_values"].shape == (0, 3)
    np.testing.assert_array_equal(asked["probabilities"], unasked["probabilities"])


def test_no_rows_give_no_contributions() -> None:
    X = table(6, "plain")
    fitted = HistGradientBoostingClassifier(max_iter=5, interaction_cst="pairwise")
    explained = explained_graph(fitted.fit(X, target(X, 3)), X)

    assert answers_of(explained, X[:0])["contributions"].shape == (0, 4, 3)
