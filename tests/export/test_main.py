"""The command line: a saved pipeline in, a model file out, or a message and nothing."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from skops import io as skops_io

from export.__main__ import main
from export.errors import ExportError
from export.load import load_pipeline
from tests.conftest import Exported, contract_of


@pytest.fixture
def saved(pipeline: Pipeline, X: pd.DataFrame, y: pd.Series, tmp_path: Path) -> Path:
    """A folder with what a training run leaves."""
    skops_io.dump(pipeline, tmp_path / "pipeline.skops")
    table = X.assign(**{"class": y})
    table[:800].to_parquet(tmp_path / "train.parquet")
    table[800:].to_parquet(tmp_path / "holdout.parquet")
    score = {"name": "macro_f1", "mode": "", "split": "5 folds", "mean": 0.9, "sd": 0.1, "n": 5}
    about = {
        "name": "stars",
        "description": "Tells stars apart.",
        "target": {"name": "class", "unit": "", "meaning": "what it is"},
        "trained_at": "2026-11-21T20:15:00Z",
        "data_sha256": "ab",
        "data_rows": 3,
        "git_commit": "cd",
        "metrics": [{**score, "headline": True}],
    }
    (tmp_path / "metrics.json").write_text(json.dumps(about))
    (tmp_path / "features.json").write_text(json.dumps({"redshift": {"nullable": True}}))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> Path:
    path = folder / "m.onnx"
    files = [str(folder / "pipeline.skops"), str(folder / "holdout.parquet")]
    monkeypatch.setattr(
        sys, "argv", ["export", *files, "--target", "class", "-o", str(path), *more]
    )
    main()
    return path


def test_all_that_training_left_is_in_the_contract(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--train", "--metrics", "--features"]
    files = ["train.parquet", "metrics.json", "features.json"]
    pairs = [each for o, f in zip(options, files, strict=True) for each in (o, str(saved / f))]

    path = run(monkeypatch, saved, *pairs)

    contract = contract_of(path)
    assert contract["model_name"] == "stars"
    assert contract["model_version"].startswith("2026.11.21-")
    assert contract["git_commit"] == "cd"
    assert contract["target"]["meaning"] == "what it is"
    assert [score["split"] for score in contract["metrics"]] == ["5 folds"]
    assert contract["features"][5]["nullable"]
    told = capsys.readouterr().out
    assert "m.onnx" in told
    assert "sha256" in told
    assert "parity" in told


def test_without_metrics_the_holdout_is_scored(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run(monkeypatch, saved, "--name", "bare", "--version", "7")

    contract = contract_of(path)
    assert (contract["model_name"], contract["model_version"]) == ("bare", "7")
    assert contract["target"] == {"name": "class", "unit": "", "meaning": ""}
    assert "bootstrap" in contract["metrics"][0]["split"]


def test_an_absent_target_ends_with_a_message(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="no column 'kind'"):
        run(monkeypatch, saved, "--target", "kind")

    assert not (saved / "m.onnx").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pipeline.skops", "nothing", "pipeline.skops is no skops file"),
        ("holdout.parquet", "nothing", "holdout.parquet is no parquet file"),
        ("metrics.json", "{", "metrics.json is no JSON file"),
        ("metrics.json", "[]", "metrics.json holds a list; expected a JSON object"),
    ],
)
def test_a_file_of_another_kind_ends_with_a_message(
    name: str, content: str, said: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (saved / name).write_text(content)

    with pytest.raises(SystemExit, match=rf"^export: .*{said}"):
        run(monkeypatch, saved, "--metrics", str(saved / "metrics.json"))

    assert not (saved / "m.onnx").exists()


@pytest.mark.parametrize("schema", ["[]", "{}", "{"])
def test_an_archive_of_something_else_is_no_skops_file(schema: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.skops", "w") as archive:
        archive.writestr("schema.json", schema)

    with pytest.raises(ExportError, match="is no skops file"):
        load_pipeline(tmp_path / "p.skops")


def test_an_unknown_type_in_the_file_is_named_with_the_option(tmp_path: Path) -> None:
    skops_io.dump(Exported(tmp_path, LogisticRegression(), None, None), tmp_path / "p.skops")

    with pytest.raises(ExportError, match=r"--trust .*Exported"):
        load_pipeline(tmp_path / "p.skops")


@pytest.mark.slow
def test_the_module_runs_from_the_shell(saved: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "export", "pipeline.skops", "holdout.parquet"],
        cwd=saved,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "--target" in done.stderr
