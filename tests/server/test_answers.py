"""What is said beside an answer, of models of every kind."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from export import export_model
from server.answers import beyond, to_answers
from server.explained import Bound, Novelty
from server.model import Model


@pytest.fixture(scope="module")
def explained_regression(tmp_path_factory):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 2)).astype(np.float32), columns=["a", "b"])
    y = pd.Series(40 + 10 * X["a"] - 5 * X["b"], name="depth")
    fitted = HistGradientBoostingRegressor(max_iter=20, interaction_cst="pairwise", random_state=0)
    path = tmp_path_factory.mktemp("regression") / "depth.onnx"
    export_model(
        fitted.fit(X[:400], y[:400]),
        X[400:],
        y[400:],
        path,
        name="depth",
        target="depth",
        X_train=X[:400],
        y_train=y[:400],
    )
    return Model(path), X[400:]


def answers_of(model, X, **changed):
    """Answers to the first rows of a table."""
    values = {f.name: X[f.name].tolist() for f in model.contract.features} | changed
    arrays = {f.name: f.to_array(values[f.name]) for f in model.contract.features}
    outputs = model.predict(arrays).outputs
    return to_answers(model.contract, values, outputs, reasons=True), outputs


def test_two_classes_share_one_score_that_counts_both_ways(binary_model):
    model = Model(binary_model.path)
    answers, outputs = answers_of(model, binary_model[2])
    first, second = model.contract.class_names
    both = {answer["label"]: row for row, answer in enumerate(answers)}

    for label, sign in ((first, -1), (second, 1)):
        answer = answers[both[label]]
        moved = dict(
            zip(
                [f.name for f in model.contract.explanation.features],
                outputs["contributions"][both[label], :, 0],
                strict=True,
            )
        )
        for reason in answer["reasons"]:
            assert reason["contribution"] == pytest.approx(
                sign * moved[reason["feature"]], abs=1e-6
            )
        largest = answer["reasons"][0]
        way = "towards" if largest["contribution"] > 0 else "away from"
        assert f" pushes {way} {label} by " in largest["detail"]


def test_a_regression_is_raised_and_lowered(explained_regression):
    model, X = explained_regression
    answers, outputs = answers_of(model, X)

    for row, answer in enumerate(answers):
        total = sum(reason["contribution"] for reason in answer["reasons"])
        base = outputs["base_values"][row, 0]
        assert base + total == pytest.approx(answer["value"], rel=1e-5, abs=1e-4)
        assert answer["interval"]["low"] < answer["value"] < answer["interval"]["high"]
        for reason in answer["reasons"]:
            verb = "raises" if reason["contribution"] > 0 else "lowers"
            assert f" {verb} depth by " in reason["detail"]


def test_what_is_outside_says_where_the_training_rows_lie(explained_regression):
    model, X = explained_regression
    bound = model.contract.novelty.columns[0]

    answers, _ = answers_of(model, X, **{bound.name: [float(bound.high) * 2] * len(X)})

    (found, *_) = answers[0]["novelty"]
    assert (found["feature"], found["low"], found["high"]) == (bound.name, bound.low, bound.high)
    assert f"= {found['value']:.6g} lies outside {bound.low:.6g} to" in found["detail"]


def test_a_value_that_is_in_all_rows_alike_is_told_the_same(binary_model):
    model = Model(binary_model.path)

    alone, _ = answers_of(model, binary_model[2].iloc[:1])
    together, _ = answers_of(model, binary_model[2])

    assert alone[0] == together[0]
    assert not np.isnan(alone[0]["reasons"][0]["contribution"])


def test_a_zero_has_no_sign(binary_model):
    model = Model(binary_model.path)
    X = binary_model[2]
    values = {name: X[name].tolist() for name in X}
    arrays = {f.name: f.to_array(values[f.name]) for f in model.contract.features}
    outputs = model.predict(arrays).outputs
    outputs["contributions"] = np.zeros_like(outputs["contributions"])

    answers = to_answers(model.contract, values, outputs, reasons=True)

    added = [each["contribution"] for answer in answers for each in answer["reasons"]]
    assert not np.signbit(added).any()


@pytest.mark.parametrize("kind", ["derived", "input"])
@pytest.mark.parametrize("ends", [(None, None), (None, 1.0), (0.0, None)])
def test_a_bound_with_an_open_side_is_put_into_words(kind, ends):
    bound = Bound("x", kind, *ends)

    for value in (-5.0, 5.0):
        assert beyond(Novelty((0.01, 0.99), [bound], 0, 0), bound, value)


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("input", 19.600002, "x = 19.600002 is above 19.6, "),
        ("derived", 19.600002, "x = 19.600002 lies outside 1 to 19.6, "),
        ("input", 23.0, "x = 23 is above 19.6, "),
    ],
)
def test_a_value_just_beyond_its_bound_is_told_from_it(kind, value, told):
    bound = Bound("x", kind, 1.0, 19.6)

    assert beyond(Novelty((0.01, 0.99), [bound], 0, 0), bound, value).startswith(told)
