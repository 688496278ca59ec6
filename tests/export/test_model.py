"""Model files of every kind: what they say of themselves is what they do."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC, LinearSVC

from export import export_model
from export.errors import ExportError, InvalidContract, NotExportable, ParityError
from tests.conftest import Exported, contract_of


def replay(path: Path) -> tuple[dict[str, np.ndarray], dict[str, list[Any]], float]:
    """Return what the file answers to its golden rows, what it promised, and its tolerance."""
    contract = contract_of(path)
    dtypes = {"float32": np.float32, "int64": np.int64, "string": object}
    tensors = {
        each["name"]: np.array(
            contract["golden"]["inputs"][each["name"]], dtype=dtypes[each["type"]]
        ).reshape(-1, 1)
        for each in contract["features"]
    }
    session = onnxruntime.InferenceSession(path)
    names = list(contract["golden"]["outputs"])
    answers = dict(zip(names, session.run(names, tensors), strict=True))
    return answers, contract["golden"]["outputs"], contract["parity"]["tolerance"]


@pytest.fixture(params=["survey", "binary", "regression", "shipped"])
def any_path(request: pytest.FixtureRequest) -> Path:
    if request.param == "shipped":
        return Path(__file__).parents[2] / "models" / "sdss.onnx"
    if request.param == "survey":
        return request.getfixturevalue("model_path")
    return request.getfixturevalue(f"{request.param}_model").path


def test_golden_rows_are_answered_as_promised(any_path: Path) -> None:
    answers, promised, tolerance = replay(any_path)

    assert set(answers) == set(promised)
    for name, answer in answers.items():
        if answer.dtype == object:
            assert list(answer) == promised[name]
        else:
            np.testing.assert_allclose(answer, promised[name], rtol=0, atol=tolerance)


def test_inputs_and_outputs_are_those_of_the_contract(any_path: Path) -> None:
    contract = contract_of(any_path)
    session = onnxruntime.InferenceSession(any_path)
    types = {
        "float32": "tensor(float)",
        "int64": "tensor(int64)",
        "string": "tensor(string)",
        "bool": "tensor(bool)",
    }

    inputs = [(each.name, each.type, each.shape[1:]) for each in session.get_inputs()]
    outputs = [(each.name, each.type, each.shape[1:]) for each in session.get_outputs()]

    assert inputs == [(each["name"], types[each["type"]], [1]) for each in contract["features"]]
    assert outputs == [
        (each["name"], types[each["type"]], each["shape"]) for each in contract["outputs"]
    ]


def test_old_runtimes_can_load_the_file(any_path: Path) -> None:
    model = onnx.load(any_path)

    assert model.ir_version == 8
    assert {each.domain: each.version for each in model.opset_import} == {"": 17, "ai.onnx.ml": 3}
    assert "ZipMap" not in {node.op_type for node in model.graph.node}


def test_metrics_have_their_spread(any_path: Path) -> None:
    metrics = contract_of(any_path)["metrics"]

    assert metrics
    assert all(score["n"] > 1 and score["sd"] > 0 for score in metrics)
    assert any(score["headline"] for score in metrics)


def test_the_missing_redshift_is_among_the_golden_rows(model_path: Path) -> None:
    golden = contract_of(model_path)["golden"]

    assert None in golden["inputs"]["redshift"]
    assert {"photometric", "spectroscopic"} == set(golden["outputs"]["head"])
    assert {"GALAXY", "QSO", "STAR"} == set(golden["outputs"]["label"])


def test_features_tell_type_range_and_categories(binary_model: Exported) -> None:
    features = {each["name"]: each for each in contract_of(binary_model.path)["features"]}

    assert features["body_mass"]["type"] == "float32"
    assert features["body_mass"]["unit"] == "g"
    assert features["age"]["type"] == "int64"
    assert features["age"]["range"] == [1, 8]
    assert features["island"]["categories"] == ["Biscoe", "Dream", "Torgersen"]
    assert features["island"]["range"] is None


def test_categories_are_closed_where_the_encoder_knows_no_others(binary_model: Exported) -> None:
    features = {each["name"]: each for each in contract_of(binary_model.path)["features"]}

    assert {name: each["closed"] for name, each in features.items()} == {
        "body_mass": False,
        "age": False,
        "island": True,
        "ring colour": False,
    }


def test_kinds_are_told_apart(
    model_path: Path, binary_model: Exported, regression_model: Exported
) -> None:
    paths = [model_path, binary_model.path, regression_model.path]

    assert [contract_of(path)["kind"] for path in paths] == ["multiclass", "binary", "regression"]


def test_a_feature_that_lacks_values_is_nullable(regression_model: Exported) -> None:
    features = contract_of(regression_model.path)["features"]

    assert [each["nullable"] for each in features] == [False, False, True]


def test_exporting_twice_gives_the_same_bytes(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    for name in ("first", "second"):
        export_model(pipeline, X[800:], y[800:], tmp_path / name, name="twice")

    first, second = (
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("first", "second")
    )
    assert first == second
    assert contract_of(tmp_path / "first")["trained_at"] == "2023-11-14T22:13:20Z"


def test_classes_that_are_numbers_are_written_as_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=["a", "b"])
    y = (X["a"] > 0).astype(int)

    export_model(LogisticRegression().fit(X, y), X, y, tmp_path / "m.onnx", name="numbers")

    assert contract_of(tmp_path / "m.onnx")["class_names"] == ["0", "1"]


def test_a_search_is_exported_as_its_best_pipeline(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=["a", "b"])
    y = (X["a"] > 0).map({True: "yes", False: "no"})
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3).fit(X, y)

    parity = export_model(search, X, y, tmp_path / "m.onnx", name="search")

    assert parity.max_difference <= parity.tolerance


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "A"], "'a' and 'A'"),
        (["a", "Label"], "'Label'"),
        (["a", "ID"], "'ID'"),
        (["a", " "], "empty"),
        (["a", "b\n"], "control"),
    ],
)
def test_colliding_feature_names_are_refused(names: list[str], said: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=names)
    y = (X[names[0]] > 0).astype(int)

    with pytest.raises(InvalidContract, match=said):
        export_model(LogisticRegression().fit(X, y), X, y, tmp_path / "m.onnx", name="names")

    assert not list(tmp_path.iterdir())


def test_a_feature_called_like_a_detail_is_refused(
    X: pd.DataFrame, y: pd.Series, pipeline: Pipeline, tmp_path: Path
) -> None:
    renamed = X.rename(columns={"u": "Head"})

    with pytest.raises(InvalidContract, match="fitted on the columns"):
        export_model(pipeline, renamed, y, tmp_path / "m.onnx", name="names")


def test_classes_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    X = pd.DataFrame({"a": np.arange(90, dtype=np.float32)})
    y = pd.Series(["star", "Star"] * 45)

    with pytest.raises(InvalidContract, match="classes are called 'Star' and 'star'"):
        export_model(LogisticRegression().fit(X, y), X, y, tmp_path / "m.onnx", name="case")


def test_a_classifier_without_probabilities_is_refused(tmp_path: Path) -> None:
    X = pd.DataFrame({"a": np.arange(90, dtype=np.float32)})
    y = pd.Series(["no"] * 45 + ["yes"] * 45)

    with pytest.raises(NotExportable, match="'LinearSVC' has no predict_proba"):
        export_model(LinearSVC().fit(X, y), X, y, tmp_path / "m.onnx", name="margin")


@pytest.mark.parametrize("margin", [LinearSVC(), RidgeClassifier(), SVC()], ids=str)
def test_the_calibration_advised_instead_can_be_exported(margin: Any, tmp_path: Path) -> None:
    X = pd.DataFrame({"a": np.linspace(-1, 1, 90, dtype=np.float32)})
    y = pd.Series(["no"] * 40 + ["yes", "no"] * 5 + ["yes"] * 40)
    fitted = CalibratedClassifierCV(margin, ensemble=False).fit(X, y)

    parity = export_model(fitted, X, y, tmp_path / "m.onnx", name="margin")

    assert parity.label_differences == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (make_pipeline(OneHotEncoder(), LogisticRegression()), "not fitted: call fit first"),
        (GridSearchCV(LogisticRegression(), {}), "not fitted: call fit first"),
        ("pipeline.skops", "a str is no fitted pipeline"),
    ],
    ids=["pipeline", "search", "name"],
)
def test_what_is_not_fitted_is_refused(given: Any, said: str, tmp_path: Path) -> None:
    X = pd.DataFrame({"a": np.arange(4, dtype=np.float32)})

    with pytest.raises(NotExportable, match=said):
        export_model(given, X, [0, 1, 0, 1], tmp_path / "m.onnx", name="m")


def test_a_folder_that_is_not_there_is_named(regression_model: Exported, tmp_path: Path) -> None:
    _, fitted, X, y = regression_model

    with pytest.raises(ExportError, match=r"no folder .*absent to write m\.onnx"):
        export_model(fitted, X, y, tmp_path / "absent" / "m.onnx", name="m")


def test_a_description_of_no_feature_is_refused(
    pipeline: Pipeline, X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    with pytest.raises(InvalidContract, match="'redshft' is described"):
        export_model(
            pipeline, X, y, tmp_path / "m.onnx", name="m", features={"redshft": {"unit": ""}}
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"provenance": {"commit": "ab"}}, "provenance has commit; expected trained_at"),
        ({"metrics": [{"name": "f1", "mean": 0.9}]}, "a score has mean, name; expected name, mode"),
        ({"target": {"nam": "class"}}, "the target has nam; expected name, unit, meaning"),
        ({"features": {"u": {"units": "mag"}}}, "feature 'u': units means nothing"),
        ({"features": {"u": {"type": "int64"}}}, "described as int64, but X holds float32"),
    ],
)
def test_what_the_contract_cannot_hold_is_refused(
    given: dict[str, Any],
    said: str,
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidContract, match=said):
        export_model(pipeline, X[800:], y[800:], tmp_path / "m.onnx", name="m", **given)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("rows", "targets"), [(1, 1), (0, 0), (5, 4)])
def test_too_few_or_unequal_rows_are_refused(
    rows: int, targets: int, regression_model: Exported, tmp_path: Path
) -> None:
    _, fitted, X, y = regression_model

    with pytest.raises(InvalidContract, match=f"{rows} rows and y_holdout {targets}"):
        export_model(fitted, X[:rows], y[:targets], tmp_path / "m", name="m")


def test_a_model_needs_a_name(regression_model: Exported, tmp_path: Path) -> None:
    _, fitted, X, y = regression_model

    with pytest.raises(InvalidContract, match="the model's name '' is empty"):
        export_model(fitted, X, y, tmp_path / "m", name="")


def test_two_targets_are_refused(regression_model: Exported, tmp_path: Path) -> None:
    two = pd.concat([regression_model.y_holdout] * 2, axis=1)

    with pytest.raises(NotExportable, match="export one target"):
        export_model(
            regression_model.pipeline, regression_model.X_holdout, two, tmp_path / "m", name="m"
        )


def test_whole_numbers_that_an_encoder_knows_are_closed(tmp_path: Path) -> None:
    X = pd.DataFrame({"month": np.arange(120) % 12 + 1})
    y = (X["month"] > 6).map({True: "late", False: "early"})
    fitted = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y)

    export_model(fitted, X, y, tmp_path / "m.onnx", name="months", X_train=X)

    (month,) = contract_of(tmp_path / "m.onnx")["features"]
    assert month["closed"]
    assert month["categories"] == list(range(1, 13))
    assert month["range"] == [1, 12]


def test_closed_categories_need_the_training_rows(binary_model: Exported, tmp_path: Path) -> None:
    with pytest.raises(InvalidContract, match=r"'island'.*give X_train \(--train on"):
        export_model(
            binary_model.pipeline,
            binary_model.X_holdout,
            binary_model.y_holdout,
            tmp_path / "m.onnx",
            name="penguins",
        )


def test_a_failure_leaves_the_old_file_as_it_was(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("export.verify.pipeline_answers", _shifted_answers)

    with pytest.raises(ParityError, match="Nothing was written"):
        export_model(pipeline, X[800:], y[800:], path, name="m")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _shifted_answers(pipeline: Pipeline, X: pd.DataFrame) -> dict[str, np.ndarray]:
    probabilities = pipeline.predict_proba(X)
    return {
        "label": pipeline.predict(X),
        "probabilities": probabilities + 1e-5,
        "head": np.where(X["redshift"].isna(), "photometric", "spectroscopic"),
    }
