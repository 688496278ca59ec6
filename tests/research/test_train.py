"""A training run leaves all that export needs, and comes out the same every time."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sqlalchemy import create_engine

from export.load import load_pipeline
from research import train
from research.data import read_survey, split_columns
from research.evaluate import holdout_scores, stratified_folds
from research.simulate import simulate
from tests.conftest import SURVEY, contract_of, made_survey

SHIPPED = Path(__file__).parents[2] / "models" / "sdss.onnx"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline) -> None:
    """Fewer repeats and trees than the shipped model has."""
    monkeypatch.setattr(train, "REPEATS", 1)
    monkeypatch.setattr("research.evaluate.BOOTSTRAP_SAMPLES", 5)
    monkeypatch.setattr(train, "build_pipeline", lambda: pipeline)


@pytest.mark.usefixtures("quick")
def test_a_run_leaves_pipeline_rows_scores_and_features(survey_path: Path, tmp_path: Path) -> None:
    train.train(survey_path, tmp_path)

    about = json.loads((tmp_path / "metrics.json").read_text())
    holdout = pd.read_parquet(tmp_path / "holdout.parquet")
    rows = len(holdout) + len(pd.read_parquet(tmp_path / "train.parquet"))
    assert rows == about["data_rows"]
    assert len(holdout) == pytest.approx(0.2 * rows, abs=1)
    assert {score["mode"] for score in about["metrics"]} == {"with redshift", "without redshift"}
    assert json.loads((tmp_path / "features.json").read_text())["redshift"]["nullable"]
    assert list(load_pipeline(tmp_path / "pipeline.skops").named_steps) == ["colours", "heads"]


@pytest.mark.usefixtures("quick")
def test_a_run_says_what_was_rejected_and_why(tmp_path: Path) -> None:
    table = made_survey(rows=400)
    table.loc[3, "u"] = -9999
    table.to_json(tmp_path / "table.json", orient="records")

    train.train(tmp_path / "table.json", tmp_path / "out")

    about = json.loads((tmp_path / "out" / "metrics.json").read_text())
    rejects = pd.read_csv(tmp_path / "out" / "data.rejects.csv")
    assert about["data_rows"] == 399
    assert rejects[["row", "column"]].to_numpy().tolist() == [[4, "u"]]


@pytest.mark.usefixtures("quick")
def test_a_model_of_synthetic_rows_says_so(tmp_path: Path) -> None:
    simulate(400).to_parquet(tmp_path / "made.parquet")

    train.train(tmp_path / "made.parquet", tmp_path / "out")

    about = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert about["name"] == "synthetic"
    assert about["description"].startswith("SYNTHETIC: trained on simulated objects")


@pytest.mark.usefixtures("quick")
def test_a_run_on_a_query_names_the_rows_by_their_sha256(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sky.db")
    made_survey(rows=400).to_sql("sky", engine, index=False)
    engine.dispose()

    train.train(f"sqlite:///{tmp_path}/sky.db", tmp_path / "out", "SELECT * FROM sky")

    about = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(about["data_sha256"]) == 64


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_two_runs_score_alike(survey_path: Path, tmp_path: Path) -> None:
    scores = []
    for name in ("first", "second"):
        train.train(survey_path, tmp_path / name)
        scores.append(json.loads((tmp_path / name / "metrics.json").read_text())["metrics"])

    assert scores[0] == scores[1]


def test_a_wrong_table_ends_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("u,g\n1,2\n")
    monkeypatch.setattr(sys, "argv", ["train", "--data", str(path), "--out", str(tmp_path / "out")])

    with pytest.raises(SystemExit, match="has no column r, i, z"):
        train.main()

    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(not SURVEY, reason="the shipped scores are those of the real table")
def test_training_again_reproduces_the_shipped_holdout_scores(survey_path: Path) -> None:
    X, y, _ = split_columns(read_survey(survey_path))
    X_train, X_holdout, y_train, y_holdout = train.split_holdout(X, y)
    fitted = train.build_pipeline().fit(X_train, y_train)

    again = [
        score
        for mode, change in train.MODES.items()
        for score in holdout_scores(fitted, change(X_holdout), y_holdout, mode=mode)
    ]

    shipped = [score for score in contract_of(SHIPPED)["metrics"] if "holdout" in score["split"]]
    assert again == shipped


@pytest.mark.slow
@pytest.mark.skipif(not SURVEY, reason="the shipped scores are those of the real table")
def test_the_first_folds_score_within_the_shipped_spread(survey_path: Path) -> None:
    X, y, _ = split_columns(read_survey(survey_path))
    folds = stratified_folds(X, y, repeats=1)

    first = train.cross_validate(X, y, folds, split="first repeat")

    shipped = {
        (score["name"], score["mode"]): score
        for score in contract_of(SHIPPED)["metrics"]
        if "stratified" in score["split"]
    }
    for score in first:
        published = shipped[score["name"], score["mode"]]
        assert score["mean"] == pytest.approx(published["mean"], abs=published["sd"])
