"""Scores of probabilities, and how far two models differ on the same folds."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from research.data import CLASSES
from research.report.measures import calibration_error, paired, predict_folds, score_rows, summed_up

Y = np.array(["GALAXY", "QSO", "STAR", "STAR"])
RIGHT = np.eye(3)[[0, 1, 2, 2]]


def test_the_truth_scores_full_marks() -> None:
    scores = score_rows(RIGHT, Y)

    assert scores["macro_f1"] == scores["accuracy"] == scores["recall_QSO"] == 1
    assert scores["log_loss"] == pytest.approx(0, abs=1e-9)
    assert scores["brier"] == 0


def test_the_brier_score_adds_the_classes_up() -> None:
    opposite = np.eye(3)[[1, 0, 0, 0]]

    assert score_rows(opposite, Y)["brier"] == 2


def test_a_coin_that_says_so_is_calibrated() -> None:
    p = np.tile([0.5, 0.0, 0.5], (4, 1))
    y = np.array(["GALAXY", "GALAXY", "STAR", "STAR"])

    assert calibration_error(p, y) == pytest.approx(0)


def test_being_surer_than_right_is_an_error_of_calibration() -> None:
    p = np.tile([0.9, 0.1, 0.0], (2, 1))

    assert calibration_error(p, np.array(["GALAXY", "STAR"])) == pytest.approx(0.4)


def test_every_row_is_answered_by_a_model_that_had_not_seen_it() -> None:
    rows = np.arange(10)
    folds = [(np.setdiff1d(rows, part), part) for part in np.array_split(rows, 5)] * 2
    y = np.array([*CLASSES, *CLASSES, *CLASSES, "STAR"])

    repeats = predict_folds(DummyClassifier(), np.zeros((10, 1)), y, folds)

    assert len(repeats) == 2
    assert all(np.allclose(p.sum(axis=1), 1) for p in repeats)


def test_a_difference_is_taken_fold_by_fold_and_its_error_corrected() -> None:
    ours = {"f1": summed_up([0.9, 0.8, 0.7, 0.9, 0.8])}
    others = {"f1": summed_up([0.8, 0.8, 0.6, 0.9, 0.7])}

    found = paired(ours, others, "f1")

    assert found["mean"] == pytest.approx(0.06)
    assert found["error"] == pytest.approx(found["sd"] * np.sqrt(1 / 5 + 1 / 4))


def test_no_probability_at_all_costs_as_much_in_every_precision() -> None:
    wrong = RIGHT[[1, 0, 2, 2]]

    scores = [score_rows(wrong.astype(kind), Y)["log_loss"] for kind in (np.float32, np.float64)]

    assert scores[0] == pytest.approx(scores[1])
    assert scores[0] == pytest.approx(-np.log(2**-52) / 2, rel=1e-4)
