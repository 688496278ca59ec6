"""What a file says beside its answer: on the survey model, and in an old runtime."""

import subprocess
import venv
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from export import conformal, export_model, shapley
from export.errors import InvalidContract, ParityError
from export.reference import describe
from tests.conftest import SURVEY, Exported, contract_of

SHIPPED = Path(__file__).parents[2] / "models" / "sdss.onnx"
BRIGHT = {"u": 17.9, "g": 16.6, "r": 16.0, "i": 15.8, "z": 15.7, "redshift": 0.0}


def ask(path: Path, explain: bool | None = None, **changed: float) -> dict[str, Any]:
    """Return a model's answer to one row."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    feeds = {n: np.array([[v]], np.float32) for n, v in (BRIGHT | changed).items()}
    if explain is not None:
        feeds["explain"] = np.array(explain)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def flagged(path: Path, **changed: float) -> list[str]:
    columns = [each["name"] for each in contract_of(path)["novelty"]["columns"]]
    return [n for n, out in zip(columns, ask(path, **changed)["novelty"][0], strict=True) if out]


def test_an_absent_redshift_contributes_exactly_nothing() -> None:
    answer = ask(SHIPPED, redshift=np.nan)

    assert (answer["contributions"][0, 5] == 0).all()
    np.testing.assert_array_equal(answer["contributions"], answer["photometric_contributions"])
    np.testing.assert_array_equal(answer["base_values"], answer["photometric_base_values"])


def test_the_photometric_head_is_explained_beside_the_one_that_answered() -> None:
    answer = ask(SHIPPED)

    assert answer["contributions"][0, 5].any()
    assert not answer["photometric_contributions"][0, 5].any()


def test_a_row_like_the_others_is_not_novel_with_or_without_redshift() -> None:
    assert flagged(SHIPPED) == []
    assert flagged(SHIPPED, redshift=np.nan) == []


@pytest.mark.parametrize("name", ["u", "g", "r", "i", "z"])
def test_a_failed_measurement_is_always_novel(name: str) -> None:
    assert flagged(SHIPPED, **{name: -9999.0})


def test_all_failed_measurements_together_are_novel() -> None:
    assert "r" in flagged(SHIPPED, **dict.fromkeys("ugriz", -9999.0))


def test_an_object_of_a_deeper_survey_is_beyond_the_domain() -> None:
    assert {"u", "g"} <= set(flagged(SHIPPED, u=23.0, g=22.0, r=21.4, i=21.1, z=21.0))


def test_the_shipped_model_keeps_its_rates() -> None:
    contract = contract_of(SHIPPED)

    assert contract["novelty"]["false_alarms"] <= 0.015
    # Three standard errors of a share of .99 in as many rows.
    for each in contract["conformal"]["coverage"]:
        assert each["share"] >= 0.99 - 3 * np.sqrt(0.99 * 0.01 / each["rows"])


@pytest.mark.slow
@pytest.mark.skipif(not SURVEY, reason="SEXTANT_SURVEY names no table")
def test_the_rates_hold_on_the_table(X: pd.DataFrame, y: pd.Series) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(SHIPPED, options)
    feeds = {name: X[[name]].to_numpy(np.float32) for name in X}

    sets, novel = session.run(["prediction_set", "novelty"], feeds)

    names = contract_of(SHIPPED)["class_names"]
    held = sets[np.arange(len(y)), [names.index(each) for each in y]]
    assert min(held[y.to_numpy() == name].mean() for name in names) >= 0.97
    assert novel.any(axis=1).mean() <= 0.015


def test_an_interval_surrounds_the_value(regression_model: Exported) -> None:
    contract = contract_of(regression_model.path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(regression_model.path, options)
    feeds = {name: column.to_numpy().reshape(-1, 1) for name, column in regression_model[2].items()}

    value, interval = session.run(["value", "interval"], feeds)

    half = contract["conformal"]["half_width"]
    np.testing.assert_allclose(interval, value[:, None] + [[-half, half]], rtol=1e-6)
    assert contract["conformal"]["coverage"][0]["share"] >= 0.95


def test_what_cannot_be_explained_still_has_sets_and_novelty(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 2)).astype(np.float32), columns=["a", "b"])
    y = np.where(X["a"] > 0, "yes", "no")
    fitted = MLPClassifier((4,), max_iter=30, solver="lbfgs", random_state=0).fit(X[:400], y[:400])

    export_model(
        fitted, X[400:], y[400:], tmp_path / "m", name="m", X_train=X[:400], y_train=y[:400]
    )

    contract = contract_of(tmp_path / "m")
    assert "MLPClassifier is neither" in contract["explanation"]["reason"]
    assert contract["explanation"]["heads"] == []
    assert {each["role"] for each in contract["outputs"]} >= {"prediction_set", "novelty"}


def test_a_model_exported_without_says_so(
    pipeline: Pipeline, X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    export_model(
        pipeline, X[800:], y[800:], tmp_path / "m", name="m", X_train=X[:800], explain=False
    )

    contract = contract_of(tmp_path / "m")
    assert contract["explanation"]["reason"] == "it was exported without"
    assert contract["novelty"] is None
    assert [each["name"] for each in contract["outputs"]] == ["label", "probabilities", "head"]


@pytest.mark.parametrize("name", ["contributions", "Novelty", "derived"])
def test_a_feature_called_like_what_is_said_beside_the_answer_is_refused(
    tmp_path: Path, name: str
) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=[name, "b"])
    y = pd.Series(np.where(X["b"] > 0, "p", "q"))
    fitted = LogisticRegression().fit(X, y)

    with pytest.raises(InvalidContract, match=f"called '{name}' and '{name.lower()}'"):
        export_model(fitted, X, y, tmp_path / "m.onnx", name="m", X_train=X, y_train=y)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["novelty/low", "novelty/below", "then/derived", "else/derived"])
def test_a_feature_called_like_a_tensor_of_the_graph_is_refused(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=[name, "b"])
    y = pd.Series(np.where(X["b"] > 0, "p", "q"))
    fitted = LogisticRegression().fit(X, y)

    with pytest.raises(InvalidContract, match=f"a tensor '{name}': rename the column"):
        export_model(fitted, X, y, tmp_path / "m.onnx", name="m", X_train=X, y_train=y)


def test_contributions_that_are_off_are_refused(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unfair(*given: Any) -> shapley.Tables:
        """Share out otherwise between two features, so that the sums stay as they are."""
        tables = shapley.tabulate(*given)
        return tables._replace(steps=[each * 1.01 for each in tables.steps])

    monkeypatch.setattr("export.explainable.tabulate", unfair)

    with pytest.raises(ParityError, match="Nothing was written"):
        export_model(pipeline, X[800:], y[800:], tmp_path / "m", name="m", X_train=X[:800])

    assert not list(tmp_path.iterdir())


def test_thresholds_leave_out_no_more_than_alpha() -> None:
    answers = np.linspace(0.001, 0.999, 999)
    both = np.column_stack([answers, 1 - answers])
    calibration = conformal.Calibration({"": both}, {"": np.repeat("a", 999)})

    least = conformal.thresholds(calibration, ["a", "b"], 0.01)[""]

    assert (answers < least[0]).sum() == 9  # the tenth smallest of 999
    assert least[1] == 0.0  # a class without rows is never ruled out


def test_a_reference_counts_every_row_once() -> None:
    X = pd.DataFrame({"a": [1.0, 1.0, 2.0, np.nan], "kind": ["x", "y", "x", "x"]})

    told = describe(X, {}, {})["inputs"]

    assert sum(told["a"]["shares"]) + told["a"]["missing"] == pytest.approx(1)
    assert told["kind"]["categories"] == ["x", "y"]
    assert told["kind"]["shares"] == [0.75, 0.25]


def test_a_domain_that_is_no_range_is_refused(
    pipeline: Pipeline, X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    with pytest.raises(InvalidContract, match="give \\[low, high\\]"):
        export_model(pipeline, X, y, tmp_path / "m", name="m", features={"u": {"domain": [20, 10]}})


@pytest.mark.slow
def test_an_old_runtime_answers_the_same(tmp_path: Path) -> None:
    """Compare with onnxruntime 1.16, the oldest that the contract promises."""
    venv.create(tmp_path / "old", with_pip=True)
    python = tmp_path / "old" / "bin" / "python"
    asked = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "onnxruntime==1.16.3", "numpy<2"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        pytest.skip(f"onnxruntime 1.16.3 cannot be installed here: {asked.stderr[-200:]}")
    rows = {**BRIGHT, "redshift": float("nan")}
    script = (
        "import numpy as np, onnxruntime as o, sys\n"
        "options = o.SessionOptions(); options.log_severity_level = 3\n"
        "session = o.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])\n"
        f"feeds = {{n: np.array([[float(v)]], np.float32) for n, v in {rows!r}.items()}}\n"
        "names = [each.name for each in session.get_outputs()]\n"
        "said = dict(zip(names, session.run(names, feeds)))\n"
        "not_asked = session.run(names, dict(feeds, explain=np.array(False)))\n"
        "assert len(not_asked[names.index('contributions')]) == 0\n"
        "np.savez(sys.argv[2], **{n: a for n, a in said.items() if a.dtype != object})\n"
    ).replace("nan", "'nan'")

    subprocess.run([python, "-c", script, SHIPPED, tmp_path / "said.npz"], check=True)

    said, own = np.load(tmp_path / "said.npz"), ask(SHIPPED, redshift=np.nan)
    for name in said.files:
        np.testing.assert_allclose(said[name], own[name], rtol=0, atol=1e-6)
