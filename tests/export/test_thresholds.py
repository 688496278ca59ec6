"""Rows really are on the thresholds and one ulp around them."""

from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from export.thresholds import _from_order, _to_order, threshold_rows
from export.trees import TreeInputs
from tests.conftest import Exported

TYPES = dict.fromkeys([*"ugriz", "redshift"], "float32")


def test_every_threshold_of_the_survey_model_is_met(model_path: Path, X: pd.DataFrame) -> None:
    around = threshold_rows(onnx.load(model_path), X, TYPES)

    assert around.reached == around.thresholds > 50
    assert len(around.X) == 6 * around.thresholds


def test_rows_lie_on_both_sides_of_a_learnt_threshold(
    model_path: Path, pipeline: Pipeline, X: pd.DataFrame
) -> None:
    around = threshold_rows(onnx.load(model_path), X, TYPES).X
    root = pipeline[-1].spectroscopic_._predictors[0][0].nodes[0]
    fed = pipeline[:-1].transform(around)[:, root["feature_idx"]]

    threshold = np.float32(root["num_threshold"])
    near = {np.nextafter(threshold, np.float32(-np.inf)), np.nextafter(threshold, np.float32(9e9))}

    assert near <= set(fed)
    assert (fed <= root["num_threshold"]).any()
    assert (fed > root["num_threshold"]).any()


def test_thresholds_on_categories_are_counted_as_not_met(binary_model: Exported) -> None:
    types = {
        "body_mass": "float32",
        "age": "int64",
        "island": "string",
        "ring colour": "string",
    }

    around = threshold_rows(onnx.load(binary_model.path), binary_model.X_holdout, types)

    assert (around.reached, around.thresholds, len(around.X)) == (0, 0, 0)


def test_a_graph_tells_what_its_trees_are_fed(regression_model: Exported) -> None:
    X = regression_model.X_holdout[:5]

    fed = TreeInputs(onnx.load(regression_model.path))({name: X[[name]].to_numpy() for name in X})

    np.testing.assert_array_equal(fed[0], X.to_numpy())


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 1e-45, -1e-45, 3e38, -19.5])
def test_neighbouring_floats_have_neighbouring_numbers(value: float) -> None:
    number = np.array([value], dtype=np.float32)

    after = _from_order(_to_order(number) + 1)

    assert after[0] == np.nextafter(number[0], np.float32(np.inf))
